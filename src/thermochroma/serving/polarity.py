"""Guess, for a warning alone, whether what is hot is bright or dark in a thermal image."""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from thermochroma.base.images import ThermalImage

Polarity: TypeAlias = Literal["guess", "white-hot", "black-hot"]

UPPER: Final = 4  # parts of the height, the highest of which shows the sky as a rule
DARK: Final = (
    48  # grey levels below which an image's mean is that of a cold scene with a few hot spots
)


def looks_black_hot(image: ThermalImage) -> bool:
    """Guess whether hot things are dark.

    The sky is colder than the ground, so an image that is brighter above is taken for black-hot; one that
    is dark, or bright, nearly everywhere shows a few hot things that are the exception. An image and its
    negative never get the same answer, up to ties.
    """
    mean = float(image.mean())
    if not DARK <= mean <= 255 - DARK:
        return mean > 255 - DARK
    upper = -(-image.shape[0] // UPPER)
    return float(image[:upper].mean()) > mean


def warning_of(guesses: Sequence[bool]) -> str:
    """Sentence for images of which more than half look black-hot; "" for others."""
    count = sum(guesses)
    if 2 * count <= len(guesses):
        return ""
    told = "the image" if len(guesses) == 1 else f"{count} of {len(guesses)} images"
    return (
        f"in {told} what is hot looks dark, and translators expect it bright: if so, give --polarity "
        "black-hot; if not, --polarity white-hot ends this warning"
    )
