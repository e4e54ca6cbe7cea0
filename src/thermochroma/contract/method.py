"""The contract. A method is a translator and the game that teaches it.

A game has players, who take turns; a turn is a set of named terms. The method says *what* each
player minimises and in which order; the trainer does everything else.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any, Generic, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.base.plugins import names_in, refuse_unknown
from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Batch, Seen, Taught
from thermochroma.contract.settings import Settings


class Turn(NamedTuple):
    """One update of one player: it minimises the weighted sum of the terms' means."""

    player: str
    terms: Mapping[str, Float[Tensor, " b"]]
    """Unweighted, one number an image."""


@dataclass(frozen=True)
class Progress:
    """Images shown so far, of how many."""

    images: int
    of: int

    @property
    def fraction(self) -> float:
        """From 0 (nothing shown) to 1 (all shown)."""
        return self.images / self.of


class Translator(nn.Module, ABC, Generic[Seen]):
    """The network that ships. It is averaged, exported and deployed without its game."""

    @abstractmethod
    def forward(self, seen: Seen) -> Image:
        """Translate: images in [-1, 1] of the same height and width; may overshoot the range."""


class Game(nn.Module, ABC, Generic[Taught]):
    """How a translator is taught. Holds every network that learns, and frozen ones as buffers."""

    @abstractmethod
    def players(self) -> Mapping[str, nn.Module]:
        """Who learns, by name. Every trainable parameter belongs to exactly one player."""

    @abstractmethod
    def turns(self, batch: Taught, progress: Progress) -> Iterator[Turn]:
        """Yield the turns of one batch in their order.

        The trainer resumes the generator after it has stepped the player, so what is computed
        behind a `yield` sees the updated weights.
        """


class Direction(Enum):
    """From which spectrum to which."""

    THERMAL_TO_VISIBLE = "thermal to visible"
    VISIBLE_TO_THERMAL = "visible to thermal"

    @property
    def predicted(self) -> str:
        """The spectrum that comes out."""
        return self.value.rsplit(" ", 1)[1]


class Pairing(Enum):
    """Whether the target of a batch shows the instants that are seen."""

    ALIGNED = "aligned"
    UNALIGNED = "unaligned"


@dataclass(frozen=True)
class Method:
    """The record at the end of each file in `methods/`."""

    title: str
    paper: str
    licence: str
    """Under what the original code stands, and whether any of it was used."""
    direction: Direction
    settings: type[Settings]
    sees: type
    """What the translator is handed, a type of `batch.py`."""
    pairing: Pairing
    sides_multiple_of: int
    """Heights and widths that the translator takes are multiples of this."""
    published_parameters: Mapping[str, Mapping[str, int]]
    """For each block of params.yaml, the trainable parameters of each player at scale 1, as measured
    on the authors' code, or derived and explained beside the number. The examination checks them."""
    translator: Callable[..., Translator[Any]]
    """(scale, text_width, **settings.translator): `scale` multiplies every base width."""
    game: Callable[..., Game[Any]]
    """(translator, scale, frozen, **settings.game): `frozen` gives frozen networks."""
    trains_on: type = Batch
    """What the game is taught with, a type of `batch.py`; it is deployed on `sees` all the same."""
    least_side: int = 1
    """The shortest side that the translator takes, in pixels."""
    taught_sides: Callable[[Any], int] | None = None
    """(settings): what the sides of training windows are multiples of, where a game needs more than its
    translator does."""
    counts_are_published: bool = True
    """Whether anybody published those numbers; of a reconstruction they are our own count."""
    uses_text: Callable[[Any], bool] | None = None
    """(settings): whether what a translator predicts can depend on its text, where for some blocks it
    cannot. Those have no rows with other captions."""

    def window_multiple(self, settings: Settings) -> int:
        """What heights and widths of training windows are multiples of."""
        return self.taught_sides(settings) if self.taught_sides else self.sides_multiple_of


def method_names() -> list[str]:
    """The methods there are: the file names in `methods/`."""
    return names_in("methods")


def load_method(name: str) -> Method:
    """The record of the method in the file `name`. Raises BadInput for a name without a file."""
    refuse_unknown(name, method_names(), kind="method", key="method")
    method: Method = import_module(f"thermochroma.methods.{name}").METHOD
    return method
