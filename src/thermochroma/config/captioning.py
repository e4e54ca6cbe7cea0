"""Settings of the captions."""

from typing import Literal

from pydantic import model_validator

from thermochroma.contract.paths import UserPath
from thermochroma.contract.settings import Strict


class CaptionSettings(Strict):
    """Settings of the sentences."""

    profile: Literal[
        "template", "boxes", "oracle_boxes", "captioner", "empty", "constant", "shuffled"
    ]
    shuffle_seed: int
    captioner: UserPath | None
    """The folder of a BLIP or Florence-2 model, below the project; for the profile `captioner`."""

    @model_validator(mode="after")
    def _captioner_is_somewhere(self) -> "CaptionSettings":
        if self.profile == "captioner" and self.captioner is None:
            raise ValueError("the profile `captioner` needs a folder under `caption.captioner`")
        return self
