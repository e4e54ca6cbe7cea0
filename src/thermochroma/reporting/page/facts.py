"""Facts on training and data, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass

from thermochroma.config.budget import Budget


@dataclass(frozen=True)
class TrainingFacts:
    """Number of training frames and of their sequences; where the weights of frozen networks come from."""

    frames: int
    sequences: int
    frozen: str


def facts_of(trained: TrainingFacts, budgets: Mapping[str, Budget], *, shown: int) -> list[str]:
    """Sentences on the training of the line-up (name to budget) and on the images of the page."""
    return [
        f"{len(budgets)} methods, each trained from nothing on {trained.frames} pairs of "
        f"{trained.sequences} sequences; no test sequence is among them.",
        *_lengths(budgets, trained.frames),
        f"Weights of the frozen networks used in training: {trained.frozen}.",
        f"{shown} test frames are shown below.",
    ]


def _lengths(budgets: Mapping[str, Budget], frames: int) -> list[str]:
    """Sentences on length of training and width of networks; none if nothing was trained."""
    if not budgets:
        return []
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
