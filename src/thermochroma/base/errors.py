"""The one exception for errors that a user can correct: three parts, so that none is forgotten."""

from collections.abc import Callable


class BadInput(Exception):
    """Something the user gave cannot be used; a stage prints the sentence and ends with status 1.

    given: what was found, with its path or value. needed: what would be right. remedy: what to do.
    """

    def __init__(self, *, given: str, needed: str, remedy: str) -> None:
        self.given, self.needed, self.remedy = given, needed, remedy
        super().__init__(f"{given}; {needed}; {remedy}.")

    def __reduce__(self) -> tuple[Callable[..., "BadInput"], tuple[str, str, str]]:
        """Pickle the keyword arguments too: by default only positional ones are kept."""
        return _bad_input, (self.given, self.needed, self.remedy)


def _bad_input(given: str, needed: str, remedy: str) -> BadInput:
    return BadInput(given=given, needed=needed, remedy=remedy)
