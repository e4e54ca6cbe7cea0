"""The file is the registration: a method or data set exists because its file does."""

from difflib import get_close_matches
from pathlib import Path

from thermochroma.base.errors import BadInput


def names_in(room: str) -> list[str]:
    """Names of the modules in `thermochroma/<room>/`, sorted, without private ones."""
    folder = Path(__file__).parents[1] / room
    return sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))


def nearest(name: str, known: list[str]) -> str:
    """Text ' (did you mean `x`?)' for the known name nearest to `name`, or ''."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean `{close[0]}`?)" if close else ""


def refuse_unknown(name: str, known: list[str], *, kind: str, key: str) -> None:
    """Raise BadInput if `name` is not among `known`; `key` is where the user wrote it."""
    if name not in known:
        raise BadInput(
            given=f"`{name}` under `{key}` in params.yaml is no {kind}{nearest(name, known)}",
            needed=f"known names: {', '.join(known)}",
            remedy="correct the name",
        )
