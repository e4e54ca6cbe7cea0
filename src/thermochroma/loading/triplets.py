"""Three consecutive frames that share one window, for games that use time."""

from typing import Any

import numpy as np
from jaxtyping import UInt8
from torch.utils.data import Dataset

from thermochroma.base.errors import BadInput
from thermochroma.loading.crops import Crops
from thermochroma.loading.frame_runs import consecutive
from thermochroma.loading.sampling import draw_from

LENGTH = 3


class TrainingTriplets(Dataset[dict[str, Any]]):
    """The n-th pair of triplets, for any n: thermal and visible are drawn independently.

    Raises BadInput if no three consecutive frames share a window.
    """

    text: None = None

    def __init__(
        self, *, crops: Crops, disjoint: bool, flip: float, window: int, seed: int
    ) -> None:
        rows = crops.split("train")
        self.places, self.frames = crops.places(rows), np.array(rows["frame"], str)
        self.starts = consecutive(crops.manifest, rows, length=LENGTH)
        if len(self.starts) == 0:
            raise BadInput(
                given=f"no {LENGTH} consecutive training frames of {crops.folder} share a window",
                needed="video: the method learns from three frames in a row",
                remedy="set `clip_frames` of the data set under `crop` to 3 or more, or, where frames are "
                "single images, take it out of `video_datasets` and this line out of `trainings`",
            )
        sequences = rows["sequence"].iloc[self.starts]
        self.drawing = draw_from(sequences, aligned=False, disjoint=disjoint, seed=seed)
        self.flip, self.window = flip, window

    def __getitem__(self, shown: int) -> dict[str, Any]:
        first, other = (int(self.starts[number]) for number in self.drawing.pick(shown))
        thermal = np.stack([self.places.thermal(first + n) for n in range(LENGTH)], axis=-1)
        visible = np.concatenate([self.places.visible(other + n) for n in range(LENGTH)], axis=-1)
        return {
            "thermal": self._cut(thermal, shown, "thermal").transpose(2, 0, 1),
            "visible": _apart(self._cut(visible, shown, "visible")),
            "frame": str(self.frames[first]),
        }

    def _cut(
        self, stacked: UInt8[np.ndarray, "h w c"], shown: int, spectrum: str
    ) -> UInt8[np.ndarray, "side side c"]:
        geometry = self.drawing.geometry(shown, spectrum, window=self.window, flip=self.flip)
        cut: UInt8[np.ndarray, "side side c"] = geometry(image=stacked)["image"]
        return cut


def _apart(visible: UInt8[np.ndarray, "h w 9"]) -> UInt8[np.ndarray, "3 h w 3"]:
    return np.stack(np.split(visible, LENGTH, axis=-1))
