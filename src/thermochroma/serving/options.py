"""Wishes of a user beside the images, and the refusal of those that a translator has no use for."""

from dataclasses import dataclass, field
from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.export.traits import Traits
from thermochroma.inference.defaults import NEUTRAL
from thermochroma.inference.tiles import Tiling
from thermochroma.serving.arguments.translate import CODECS
from thermochroma.serving.polarity import Polarity
from thermochroma.serving.tones import Mapping


@dataclass(frozen=True)
class InferenceOptions:
    """Further inputs that a translator may need beside the images.

    text: folder of the text encoder with which it was trained. sentence: its text for every image; None
    for a neutral one, or for a method that reads none. reference: a visible image of any size to take
    colours from, or None. tone: the one mapping that reduces images of more than 8 bits to 8. page: which
    one of files with several, from 1; None if each has one alone. sharpness: 0 to 1, for a method that
    can be asked for it; None for its mean, or for another method. tiling: how large images are divided.
    codec: of videos, one of CODINGS. together: how many images go at once, at most. polarity:
    whether hot things are bright in the images; "guess" takes them so, and says where they look dark.
    side_by_side: whether what the translator sees stands to the left of what it gives. steady: share of
    the former image of a video in the next one.
    """

    text: Path
    sentence: str | None = None
    reference: Path | None = None
    tone: Mapping | None = None
    page: int | None = None
    sharpness: float | None = None
    tiling: Tiling = field(default_factory=Tiling)
    codec: str = CODECS[0]
    together: int = 1
    polarity: Polarity = "guess"
    side_by_side: bool = False
    steady: float = 0.0

    @property
    def text_of_all(self) -> str:
        """The sentence that a method that reads is given."""
        return NEUTRAL if self.sentence is None else self.sentence


def refuse_unused(traits: Traits, options: InferenceOptions) -> None:
    """Raise BadInput for an option that is asked of a method without it, and for a degree beyond 0 to 1."""
    sharpness = options.sharpness
    asked = {
        f"--sharpness {sharpness or 0:g} is": (
            sharpness,
            traits.is_tunable,
            "has degrees of sharpness",
        ),
        "--sentence is": (
            options.sentence,
            traits.sees_text or traits.sentence is not None,
            "reads",
        ),
        "--reference is": (
            options.reference,
            traits.sees_references,
            "takes colours from references",
        ),
        f"--polarity {options.polarity} is": (
            None if options.polarity == "guess" else options.polarity,
            traits.spectrum == "thermal",
            "takes thermal images",
        ),
    }
    for told, (value, used, has) in asked.items():
        if value is not None and not used:
            raise BadInput(
                given=f"{told} asked of {traits.title}",
                needed=f"a translator whose method {has}",
                remedy="leave the option out, or name another translator",
            )
    if not 0 <= options.steady < 1:
        raise BadInput(
            given=f"--steady is {options.steady:g}",
            needed="the share of the former image: 0, for none of it, to below 1; 0.8 is much",
            remedy="correct it",
        )
    if sharpness is not None and not 0 <= sharpness <= 1:
        raise BadInput(
            given=f"--sharpness is {sharpness:g}",
            needed="0, for the least error, to 1, for the sharpest image",
            remedy="correct it",
        )
    if (
        options.polarity == "black-hot"
        and options.tone is not None
        and options.tone.unit == "celsius"
    ):
        raise BadInput(
            given="--polarity black-hot is asked of temperatures",
            needed="images whose grey may rise or fall with the heat",
            remedy="leave the option out",
        )


def is_unsaid(traits: Traits, options: InferenceOptions) -> bool:
    """Whether neither the caller tells the polarity nor a sensor's values, which rise with the heat."""
    return traits.spectrum == "thermal" and options.polarity == "guess" and options.tone is None
