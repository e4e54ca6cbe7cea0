"""Facts on training and data, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from thermochroma.base.cells import counted
from thermochroma.config.budget import Budget

NOTHING: Final = "Nothing was trained."
SHOWN: Final = "{shown} test frames are shown for every row."


@dataclass(frozen=True)
class TrainingFacts:
    """Number of training frames and of their sequences; where the weights of frozen networks come from."""

    frames: int
    sequences: int
    frozen: str


def facts_of(
    trained: TrainingFacts, budgets: Mapping[str, Budget], *, methods: int, shown: int
) -> list[str]:
    """Sentences on the training of the line-up and on the images of the page.

    budgets: of each trained row, by name. methods: their number; one method may have several rows.
    """
    if not budgets:
        return [NOTHING, SHOWN.format(shown=shown)]
    trained_here = counted(methods, "method")
    if len(budgets) > methods:
        trained_here += f" in {len(budgets)} rows"
    each = ", each" if len(budgets) > 1 else ""
    return [
        f"{trained_here}{each} trained from nothing on "
        f"{counted(trained.frames, 'pair')} of {counted(trained.sequences, 'sequence')}; "
        "no test sequence is among them.",
        *_lengths(budgets, trained.frames),
        f"Weights of the frozen networks used in training: {trained.frozen}.",
        SHOWN.format(shown=shown),
    ]


def _lengths(budgets: Mapping[str, Budget], frames: int) -> list[str]:
    """Sentences on length of training and width of networks."""
    images = [one.images_of(frames) for one in budgets.values()]
    scales = {one.scale for one in budgets.values()}
    least, most = min(images), max(images)
    length = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    found = [f"Each was shown {length} images, counting repetitions."]
    narrow = [scale for scale in scales if scale < 1]
    if narrow:
        found.append(
            f"The networks have {min(narrow):g} times their published width: the numbers rank small "
            "versions of the methods, not the methods as published."
        )
    return found
