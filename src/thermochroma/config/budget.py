"""Length and size of the trainings on one data set."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from thermochroma.config.machine import MachinesOwn
from thermochroma.config.names import Name
from thermochroma.contract.settings import TWENTIETHS, CameraSettings, Strict

Share = Annotated[float, Field(ge=0, le=1)]


class BudgetException(Strict):
    """Deviations of one line-up entry."""

    images: PositiveInt | None = None
    frames: PositiveInt | None = None
    window: PositiveInt | None = None
    batch_size: PositiveInt | None = None
    scale: PositiveFloat | None = None
    camera: CameraSettings | None = None


class Budget(MachinesOwn):
    """Length and size of the trainings on one data set. Exactly one of `epochs` and `images`."""

    epochs: PositiveFloat | None = None
    images: PositiveInt | None = None
    frames: PositiveInt | None = None
    """Training frames that are used, drawn from the split; none uses all of them."""
    window: PositiveInt | None = None
    """Side of the random window of a crop that training shows; none shows the whole crop."""
    batch_size: PositiveInt
    scale: PositiveFloat
    precision: Literal["float32", "bfloat16"]
    flip: Share
    camera: CameraSettings | None = None
    """Changes to the thermal images that are shown, as if by other cameras; none changes nothing."""
    reading_every_images: PositiveInt
    validate_every_images: PositiveInt
    snapshots: Annotated[int, Field(ge=1, le=TWENTIETHS)]
    """Number of the last twentieths of a training whose weights are kept, its end among them."""
    exceptions: Mapping[Name, BudgetException] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_duration(self) -> "Budget":
        if (self.epochs is None) == (self.images is None):
            raise ValueError("give exactly one of `epochs` and `images`")
        return self

    def of(self, name: str) -> "Budget":
        """The budget of one line-up entry."""
        exception = self.exceptions.get(name, BudgetException())
        changes = {key: value for key, value in exception if value is not None}
        plain = self.model_copy(update={"exceptions": {}, **changes})
        return plain.model_copy(update={"epochs": None}) if "images" in changes else plain

    def deciding(self) -> dict[str, Any]:
        """Values that decide the translator: all but those of the machine."""
        return self.model_dump(mode="json", exclude=set(MachinesOwn.model_fields))

    def images_of(self, frames: int) -> int:
        """The images to show in all, with `frames` training frames in the split."""
        if self.images is not None:
            return self.images
        assert self.epochs is not None  # the validator saw to it
        return max(1, round(self.epochs * (self.frames or frames)))

    def snapshots_after_images(self, frames: int) -> frozenset[int]:
        """Numbers of images after which weights are kept, with `frames` training frames; not the end."""
        images = self.images_of(frames)
        parts = range(TWENTIETHS - self.snapshots + 1, TWENTIETHS)
        return frozenset(-(-images * part // TWENTIETHS) for part in parts) - {images}
