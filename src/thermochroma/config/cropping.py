"""Settings of the cropping of one data set."""

from pydantic import PositiveFloat, PositiveInt, model_validator

from thermochroma.contract.settings import Strict


class DedupSettings(Strict):
    """Which frames are too much like the one kept before them. Exactly one of both keys."""

    threshold: PositiveFloat | None = None
    """Grey levels by which the thermal thumbnails must differ at least."""
    images: PositiveInt | None = None
    """Number of frames to remain outside the test split; the threshold follows from it."""

    @model_validator(mode="after")
    def _one_measure(self) -> "DedupSettings":
        if (self.threshold is None) == (self.images is None):
            raise ValueError("give exactly one of `threshold` and `images`")
        return self


class CropSettings(Strict):
    """Settings of the windows of one data set."""

    size: PositiveInt
    clip_frames: PositiveInt
    dedup: DedupSettings | None = None
    """None keeps frames that hardly differ; they are counted all the same."""
    full: bool = False
    """Whether held-out frames are written whole as well."""
