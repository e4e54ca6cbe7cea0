"""Interface of a method: a translator (generator) and the game (training objective) that trains it.

A game has players, which take turns (optimizer steps); a turn is a set of named terms (losses). The
method says what each player minimises and in which order; the trainer does everything else.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any, Generic, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.base.plugins import names_in, refuse_unknown
from thermochroma.base.tensors import Image
from thermochroma.contract.batch import AnyTrainingBatch, Batch, Seen
from thermochroma.contract.settings import Settings


class Turn(NamedTuple):
    """One update of one player: it minimises the weighted sum of the terms' means."""

    player: str
    terms: Mapping[str, Float[Tensor, " b"]]
    """Unweighted losses, one number per image."""


@dataclass(frozen=True)
class Progress:
    """Progress of a training, in images shown: `images` of `of`."""

    images: int
    of: int

    @property
    def fraction(self) -> float:
        """Share of the images shown so far, from 0 to 1."""
        return self.images / self.of

    def has_reached(self, share: float) -> bool:
        """Whether at least this share of the images was shown: how a game asks for what begins late."""
        return self.fraction >= share


class Translator(nn.Module, ABC, Generic[Seen]):
    """The network that is deployed. It is averaged, exported and used without its game."""

    @abstractmethod
    def forward(self, seen: Seen) -> Image:
        """Translate into images in [-1, 1] of the same height and width; values may exceed the range."""


class Game(nn.Module, ABC, Generic[AnyTrainingBatch]):
    """Training objective of a translator. Holds every trained network, and frozen ones as buffers."""

    @abstractmethod
    def players(self) -> Mapping[str, nn.Module]:
        """Trained networks by name. Every trainable parameter belongs to exactly one player."""

    @abstractmethod
    def turns(self, batch: AnyTrainingBatch, progress: Progress) -> Iterator[Turn]:
        """Yield the turns of one batch in their order.

        The trainer resumes the generator after it has stepped the player, so code after a `yield`
        sees the updated weights.
        """


class Direction(Enum):
    """Direction of a translation."""

    THERMAL_TO_VISIBLE = "thermal to visible"
    VISIBLE_TO_THERMAL = "visible to thermal"

    @property
    def predicted(self) -> str:
        """The spectrum of the output."""
        return self.value.rsplit(" ", 1)[1]


class Pairing(Enum):
    """Whether the target of a batch shows the same instants as the input."""

    ALIGNED = "aligned"
    UNALIGNED = "unaligned"


@dataclass(frozen=True)
class Method:
    """The record at the end of each file in `methods/`."""

    title: str
    paper: str
    licence: str
    """Licence of the original code, and whether any of it was used."""
    direction: Direction
    settings: type[Settings]
    sees: type
    """Input type of the translator, from `batch.py`."""
    pairing: Pairing
    sides_multiple_of: int
    """Divisor of the heights and widths that the translator accepts, in pixels."""
    published_parameters: Mapping[str, Mapping[str, int]]
    """Number of trainable parameters of each player at scale 1, for each block of params.yaml; measured
    on the authors' code, or derived and explained beside the number. The examination checks them."""
    translator: Callable[..., Translator[Any]]
    """Function (scale, text_width, **settings.translator) that builds the translator; `scale` multiplies
    every base width."""
    game: Callable[..., Game[Any]]
    """Function (translator, scale, frozen, **settings.game) that builds the game; `frozen` gives frozen
    networks."""
    trains_on: type = Batch
    """Batch type of the game, from `batch.py`; the deployed translator gets `sees` all the same."""
    least_side: int = 1
    """The shortest side that the translator accepts, in pixels: instance norms need more than one value
    to the end. The examination checks it."""
    taught_sides: Callable[[Any], int] | None = None
    """Function (settings) to the divisor of the sides of training windows, where a game needs a larger
    one than its translator does."""
    counts_are_published: bool = True
    """Whether `published_parameters` were really published; for a reconstruction they are our own
    count."""
    uses_text: Callable[[Any], bool] | None = None
    """Function (settings) to whether the translator's output can depend on its text, where for some
    blocks it cannot. Those have no rows with other captions."""
    deviation: Callable[[Any], str] | None = None
    """Function (settings) to half a sentence on what a block does otherwise than the paper says, for the
    notes below tables; "" where there is nothing to say."""

    channels_first_on_processor: bool = False
    """Whether a training on a processor goes faster with the channels of images and weights first in
    memory, as where many instance norms stand between convolutions. On a GPU they are last."""

    def layout_on(self, device: torch.device) -> torch.memory_format:
        """Memory layout of the images and weights of a training."""
        first = self.channels_first_on_processor and device.type == "cpu"
        return torch.contiguous_format if first else torch.channels_last

    def side_for(self, side: int) -> int:
        """The shortest side that the translator accepts and that is no shorter than `side`, in pixels."""
        multiple = self.sides_multiple_of
        return -(-max(side, self.least_side) // multiple) * multiple

    def window_multiple(self, settings: Settings) -> int:
        """Divisor of the heights and widths of training windows, in pixels."""
        return self.taught_sides(settings) if self.taught_sides else self.sides_multiple_of


def method_names() -> list[str]:
    """Names of all methods: the file names in `methods/`."""
    return names_in("methods")


def load_method(name: str) -> Method:
    """Load the record of the method in the file `name`. Raises BadInput for a name without a file."""
    refuse_unknown(name, method_names(), kind="method", key="method")
    method: Method = import_module(f"thermochroma.methods.{name}").METHOD
    return method
