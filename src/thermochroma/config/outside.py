"""Rows from outside: predictions that somebody else has made, as a folder of images."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import PositiveFloat, PositiveInt, StringConstraints, field_validator

from thermochroma.config.names import Name
from thermochroma.contract.settings import Strict

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class ClaimedCost(Strict):
    """Cost as whoever made the predictions states it; nothing here measures it. What is not known: null."""

    parameters: PositiveInt | None = None
    multiply_adds: PositiveFloat | None = None
    """For one image of 256x256 pixels."""
    latency_median_ms: PositiveFloat | None = None
    """For one image at a time."""
    device: Text | None = None
    """Device on which the latency was taken."""


class OutsideEntry(Strict):
    """One row of the tables of one data set: its test frames, translated elsewhere."""

    dataset: Name
    folder: Text
    """Folder with one PNG a test frame, named as `thermochroma frames` names them."""
    title: Text
    predicts: Literal["visible", "thermal"]
    cost: ClaimedCost | None

    @field_validator("folder")
    @classmethod
    def _is_written_out(cls, folder: str) -> str:
        if folder.startswith("~"):
            raise ValueError("DVC reads it too, and does not know `~`: write the path out")
        return folder

    @property
    def path(self) -> Path:
        """Folder of the images."""
        return Path(self.folder)
