"""The moving average of a translator: a second translator, never swapped with the first."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

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
        pairs = [*zip(_values(self.translator), _values(translator), strict=True)]
        moved = [pair for pair in pairs if pair[0].is_floating_point()]
        if moved:  # all together: on a GPU each kernel that is begun costs the host its time
            torch._foreach_lerp_([mine for mine, _ in moved], [new for _, new in moved], share)
        for mine, new in pairs:
            if not mine.is_floating_point():
                mine.copy_(new)


def _values(translator: Translator[Any]) -> list[Tensor]:
    return [*translator.state_dict().values()]
