"""Log of readings: means of the terms over windows of images during training."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from torch import Tensor

Reading: TypeAlias = dict[str, float]


class MetricLog:
    """Rows of readings against images shown. Part of the training state, so that a resumed
    training logs the same rows as one that was never interrupted."""

    def __init__(self, *, every_images: int) -> None:
        self.every_images = every_images
        self.rows: list[Reading] = []
        self._sums: dict[str, Tensor] = {}
        self._images = 0

    def note(self, readings: Mapping[str, Tensor], *, images: int, shown: int) -> None:
        """Add the readings of a batch of `images` images, after which `shown` have been shown in all."""
        for name, value in readings.items():
            weighed = value.detach().double() * images
            before = self._sums.get(name)
            self._sums[name] = weighed if before is None else before.to(weighed.device) + weighed
        self._images += images
        if self.ends_row(images=images, shown=shown):
            self._close(shown)

    def ends_row(self, *, images: int, shown: int) -> bool:
        """Whether a batch of `images` images, after which `shown` have been shown, is the last of a row."""
        return shown % self.every_images < images

    def add(self, scores: Mapping[str, float], *, images: int) -> None:
        """Add scores to the row of readings after `images` images, which is opened if there is none."""
        if not self.rows or self.rows[-1]["images"] != images:
            self.rows.append({"images": float(images)})
        self.rows[-1].update(scores)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "sums": self._sums, "images": self._images}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows, self._sums, self._images = state["rows"], state["sums"], state["images"]

    def _close(self, images: int) -> None:
        means = {name: float(total) / self._images for name, total in self._sums.items()}
        self.rows.append({"images": float(images), **means})
        self._sums, self._images = {}, 0
