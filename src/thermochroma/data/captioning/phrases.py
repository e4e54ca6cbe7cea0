"""What sentences are put together from: time, place, sky, and how many people are about."""

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np

from thermochroma.base.images import ThermalImage
from thermochroma.contract.dataset import Box, Facts

OPEN_SKY: Final = 0.5  # share of the upper third
LEAST_INSIDE: Final = 0.5  # share of a box that a window must hold for its object to count
PEDESTRIANS: Final = {"person": 1, "people": 2}  # a group is marked by one box: two at least
CYCLISTS: Final = {"cyclist": 1}
MANY: Final = 5  # from two on it is a few


def opening(facts: Facts) -> str:
    """How a sentence begins: "a daytime thermal infrared image of"."""
    time = {"day": "a daytime ", "night": "a nighttime "}.get(facts.time, "a ")
    return f"{time}thermal infrared image of"


def sentence(facts: Facts, thermal: ThermalImage, *further: str) -> str:
    """The template: time, place, what the data set knows, `further` phrases, how much sky shows."""
    phrases = [f"{opening(facts)} {facts.scene}", *facts.details, *further, sky(thermal)]
    return ", ".join(phrases)


def sky(thermal: ThermalImage) -> str:
    """ "open sky" or "little sky": the share of cold pixels in the upper third.

    Cold is below Otsu's threshold of the whole picture; a clear or cloudy sky is the coldest large
    thing that a thermal camera sees out of doors.
    """
    threshold, _ = cv2.threshold(thermal, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    share = float(np.mean(thermal[: len(thermal) // 3] <= threshold))
    return "open sky" if share >= OPEN_SKY else "little sky"


def people(boxes: Iterable[Box]) -> str:
    """ "no pedestrians", "a few pedestrians and one cyclist": counts in buckets.

    None, one, a few (2 to 4), many (5 and more). Other labels count nothing, among them `person?`,
    with which annotators say that they are not sure.
    """
    labels = [box.label for box in boxes]
    walking = sum(PEDESTRIANS.get(label, 0) for label in labels)
    cycling = sum(CYCLISTS.get(label, 0) for label in labels)
    phrase = _bucket(walking, "pedestrian")
    return f"{phrase} and {_bucket(cycling, 'cyclist')}" if cycling else phrase


def inside(boxes: Sequence[Box], *, zoom: float, left: float, top: float, size: float) -> list[Box]:
    """The boxes that lie in a window by at least half of their area.

    Boxes are in raw visible pixels; the window, square, in pixels that are enlarged by `zoom`.
    """
    return [
        box
        for box in boxes
        if min(box.width, box.height) > 0
        and _overlap(box.left * zoom, box.width * zoom, left, size)
        * _overlap(box.top * zoom, box.height * zoom, top, size)
        >= LEAST_INSIDE * box.width * box.height * zoom**2
    ]


def _overlap(start: float, length: float, other: float, size: float) -> float:
    return max(0.0, min(start + length, other + size) - max(start, other))


def _bucket(count: int, noun: str) -> str:
    if count == 1:
        return f"one {noun}"
    amount = "no" if count == 0 else "a few" if count < MANY else "many"
    return f"{amount} {noun}s"
