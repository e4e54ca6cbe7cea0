"""Pool of former fakes, so that a critic does not forget them (Shrivastava et al., CVPR 2017)."""

import torch
from torch import Tensor, nn

from thermochroma.base import whole_batch
from thermochroma.base.tensors import Image


class ImagePool(nn.Module):
    """Pool of at most `size` former fakes for a critic, one by one replaced at random.

    Until it is full, each fake is kept and passed on; then, with probability 1/2, a random former
    fake is passed on and the new one takes its place. The random numbers are torch's own on the
    CPU, so a resumed training draws the same; the images are part of the state dict. A fake may be
    a pair of images, concatenated by channel.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.kept: list[Tensor] = []

    def forward(self, fakes: Image) -> Image:
        """Exchange the fakes of one batch; the returned ones carry no gradient."""
        shown = torch.stack([self._exchange(fake) for fake in whole_batch.gathered(fakes)])
        return whole_batch.own(shown)

    def get_extra_state(self) -> list[Tensor]:
        return self.kept

    def set_extra_state(self, state: list[Tensor]) -> None:
        self.kept = list(state)

    def _exchange(self, fake: Tensor) -> Tensor:
        if len(self.kept) < self.size:
            self.kept.append(fake.clone())
            return fake
        if self.size == 0 or torch.rand(()).item() <= 0.5:
            return fake
        place = int(torch.randint(self.size, ()).item())
        former, self.kept[place] = self.kept[place].to(fake), fake.clone()
        return former
