"""The forms of the benchmark: the full one, of a GPU, and a small one, which shows that everything runs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Form:
    """Sizes and lengths of what is measured; all that changes a result but card and code."""

    scale: float
    """Factor of every width."""
    side: int
    """Of the made-up images, in pixels; a method that takes no such side gets the next larger one."""
    text_width: int
    most_images: int
    """Cap of the search for the largest batch."""
    warm_up: int
    least_steps: int
    most_steps: int
    seconds: float
    """About how long one speed is taken."""
    watched_steps: int
    """Steps in which synchronisations are counted."""
    compiler: str
    """Backend of `nn.Module.compile`."""
    stand_in_divisor: int
    """Of the widths of frozen networks that are not there; 1 costs what the published one does."""
    loader_pairs: int
    """A shard."""
    loader_shown: int
    """Pairs a round."""
    loader_workers: tuple[int, ...]
    scoring_batches: int
    scoring_images: int
    """In a batch."""
    training_images: int
    """Most images of one training on RoadScene."""


FULL: Final = Form(
    scale=1.0,
    side=256,
    text_width=512,
    most_images=64,
    warm_up=3,
    least_steps=2,
    most_steps=50,
    seconds=0.5,
    watched_steps=2,
    compiler="inductor",
    stand_in_divisor=1,
    loader_pairs=256,
    loader_shown=1024,
    loader_workers=(0, 4),
    scoring_batches=4,
    scoring_images=16,
    training_images=10**6,
)
SMALL: Final = Form(
    scale=1 / 16,
    side=64,
    text_width=32,
    most_images=2,
    warm_up=0,
    least_steps=1,
    most_steps=1,
    seconds=0.0,
    watched_steps=1,
    compiler="eager",
    stand_in_divisor=16,
    loader_pairs=8,
    loader_shown=32,
    loader_workers=(0,),
    scoring_batches=1,
    scoring_images=2,
    training_images=4,
)
