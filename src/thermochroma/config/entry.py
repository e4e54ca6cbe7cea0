"""One entry of the line-up, resolved."""

from dataclasses import dataclass

from thermochroma.config.budget import Budget
from thermochroma.contract.settings import Settings


@dataclass(frozen=True)
class Entry:
    """A method with its settings, as it is trained on one data set.

    block: the entry whose block of settings it has: its own name or, for a repeat, the repeated one.
    """

    name: str
    block: str
    seed: int
    settings: Settings
    budget: Budget

    @property
    def is_repeat(self) -> bool:
        """Whether it is another entry once more, under another seed."""
        return self.block != self.name
