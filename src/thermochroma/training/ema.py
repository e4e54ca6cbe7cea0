"""The moving average of a translator: a second translator, never swapped with the first."""

from copy import deepcopy
from typing import Any

import torch

from thermochroma.contract.method import Translator


class Average:
    """Exponential moving average of a translator; the half-life is counted in images shown."""

    def __init__(self, translator: Translator[Any], *, half_life_images: int) -> None:
        self.half_life_images = half_life_images
        self.translator = deepcopy(translator).requires_grad_(False)

    @torch.no_grad()
    def move(self, translator: Translator[Any], *, images: int) -> None:
        """Move towards `translator` by the share that `images` more images give."""
        share = 1 - 0.5 ** (images / self.half_life_images)
        for mine, new in zip(
            self.translator.state_dict().values(), translator.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(new, share)
            else:
                mine.copy_(new)
