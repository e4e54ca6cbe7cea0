"""Pool of former fakes, so that a critic does not forget them (Shrivastava et al., CVPR 2017)."""

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from thermochroma.base import host_draws, whole_batch
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
        self.size, self.count = size, 0
        self._places: Tensor | None = None  # of the images, in the layout of the first one

    def forward(self, fakes: Image) -> Image:
        """Exchange the fakes of one batch; the returned ones carry no gradient."""
        fakes = whole_batch.gathered(fakes)
        if self.size == 0:
            return whole_batch.own(torch.stack([*fakes]))
        places = self._room_for(fakes[0])
        chosen = host_draws.sent(lambda: self._draw(len(fakes)), fakes.device)
        shown = [
            _exchange(fake, places, *row.split(1)) for fake, row in zip(fakes, chosen, strict=True)
        ]
        return whole_batch.own(torch.stack(shown))

    @property
    def kept(self) -> list[Tensor]:
        """Copies of the images that are kept."""
        return [] if self._places is None else [one.clone() for one in self._places[: self.count]]

    def get_extra_state(self) -> list[Tensor]:
        return self.kept

    def set_extra_state(self, state: list[Tensor]) -> None:
        self.count = len(state)
        for number, image in enumerate(state):
            self._room_for(image)[number].copy_(image)

    def _room_for(self, image: Tensor) -> Tensor:
        """The places of all images: in memory laid out like `image`, or where they were."""
        places = self._places
        if places is None or places.shape[1:] != image.shape:
            dense = image.clone()
            shape, strides = (self.size, *dense.shape), (dense.numel(), *dense.stride())
            places = torch.empty_strided(shape, strides, dtype=image.dtype, device=image.device)
            places.zero_()
        kind = torch.promote_types(places.dtype, image.dtype)
        self._places = places.to(device=image.device, dtype=kind)
        return self._places

    def _draw(self, fakes: int) -> Int64[Tensor, "n 3"]:
        """For each fake a place, whether what is there is passed on, and whether the fake goes there."""
        rows: list[tuple[int, bool, bool]] = []
        for _ in range(fakes):
            if self.count < self.size:
                rows.append((self.count, False, True))
                self.count += 1
            elif torch.rand(()).item() <= 0.5:
                rows.append((0, False, False))
            else:
                rows.append((int(torch.randint(self.size, ()).item()), True, True))
        return torch.tensor(rows, dtype=torch.int64)


def _exchange(fake: Tensor, places: Tensor, place: Tensor, passed: Tensor, goes: Tensor) -> Tensor:
    """Pass on a fake, or what is in its place; nothing here is known to the host."""
    former = places.index_select(0, place)[0]
    places.index_copy_(0, place, torch.where(goes.bool(), fake.to(places), former)[None])
    return torch.empty_like(fake).copy_(torch.where(passed.bool(), former.to(fake), fake))
