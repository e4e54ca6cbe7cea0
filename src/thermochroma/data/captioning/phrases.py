"""Phrases of captions: time, place, sky, and the number of people."""

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np

from thermochroma.base.images import ThermalImage
from thermochroma.contract.dataset import Box, Facts

OPEN_SKY: Final = 0.5  # share of the upper third
LEAST_INSIDE: Final = 0.5  # share of a box that a window must hold for its object to count
PEDESTRIANS: Final = {"person": 1, "people": 2}  # one box around a group: at least two
CYCLISTS: Final = {"cyclist": 1}
MANY: Final = 5  # two to four are "a few"


def opening(facts: Facts) -> str:
    """Opening words of a caption, such as "a daytime thermal infrared image of"."""
    time = {"day": "a daytime ", "night": "a nighttime "}.get(facts.time, "a ")
    return f"{time}thermal infrared image of"


def sentence(facts: Facts, thermal: ThermalImage, *further: str) -> str:
    """Fill the template: time, place, the data set's facts, `further` phrases, amount of sky."""
    phrases = [f"{opening(facts)} {facts.scene}", *facts.details, *further, sky(thermal)]
    return ", ".join(phrases)


def sky(thermal: ThermalImage) -> str:
    """Choose "open sky" or "little sky" by the share of cold pixels in the upper third.

    Cold is at most Otsu's threshold of the whole image; a clear or cloudy sky is the coldest large
    object in an outdoor thermal image.
    """
    threshold, _ = cv2.threshold(thermal, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    share = float(np.mean(thermal[: len(thermal) // 3] <= threshold))
    return "open sky" if share >= OPEN_SKY else "little sky"


def people(boxes: Iterable[Box]) -> str:
    """Count people in ranges: "no pedestrians", "a few pedestrians and one cyclist".

    None, one, a few (2 to 4), many (5 and more). Other labels are ignored, among them `person?`,
    by which annotators mark uncertain objects.
    """
    labels = [box.label for box in boxes]
    walking = sum(PEDESTRIANS.get(label, 0) for label in labels)
    cycling = sum(CYCLISTS.get(label, 0) for label in labels)
    phrase = _bucket(walking, "pedestrian")
    return f"{phrase} and {_bucket(cycling, 'cyclist')}" if cycling else phrase


def inside(boxes: Sequence[Box], *, zoom: float, left: float, top: float, size: float) -> list[Box]:
    """Select the boxes of which at least half of the area lies in a window.

    Boxes are in raw visible pixels; the window is square, in pixels that are enlarged by `zoom`.
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
