"""Norms over a batch, and dropout, as torch has them, also for a process that has a share of the batch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.base import whole_batch
from thermochroma.base.tensors import at_least_float32

FeatureMaps = Float[Tensor, "b c h w"]
PerChannel = Float[Tensor, " c"]


def batch_norm(
    x: FeatureMaps,
    mean: PerChannel | None,
    variance: PerChannel | None,
    weight: PerChannel,
    bias: PerChannel,
    *,
    momentum: float,
    eps: float,
) -> FeatureMaps:
    """Normalise by the batch's own statistics, and move the running ones, which may be None."""
    if not whole_batch.is_shared():
        return F.batch_norm(x, mean, variance, weight, bias, True, momentum, eps)
    values = at_least_float32(x)
    spread, middle = torch.var_mean(values, (0, 2, 3), correction=0)
    number = values.new_full((1,), x.numel() // x.shape[1])
    # Each process's own statistics are put together, and not sums of squares: those lose digits.
    parts = torch.cat([number, number * middle])
    total, sums = whole_batch.added_up(parts).split([1, len(middle)])
    centre = sums / total
    around = whole_batch.added_up(number * (spread + (middle - centre).square())) / total
    if mean is not None and variance is not None:
        with torch.no_grad():
            mean.lerp_(centre.to(mean.dtype), momentum)
            variance.lerp_((around * total / (total - 1)).to(variance.dtype), momentum)
    factor = weight * (around + eps).rsqrt()
    shape = (1, -1, 1, 1)
    return ((values - centre.view(shape)) * factor.view(shape) + bias.view(shape)).to(x.dtype)


class BatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose statistics are those of the whole batch."""

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        if not self.training or not whole_batch.is_shared():
            return super().forward(x)
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked.add_(1)
        running, learnt = (self.running_mean, self.running_var), (self.weight, self.bias)
        return batch_norm(x, *running, *learnt, momentum=self.momentum, eps=self.eps)


def dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Set a share of the values to 0 in training."""
    if not training or not whole_batch.is_shared():
        return F.dropout(x, share, training)
    last = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
    order = torch.channels_last if last else torch.contiguous_format

    def draw(rows: int) -> Tensor:
        ones = torch.empty(
            (rows, *x.shape[1:]), dtype=x.dtype, device=x.device, memory_format=order
        )
        return F.dropout(ones.fill_(1), share)

    return x * whole_batch.drawn(len(x), draw)


def dropout2d(x: FeatureMaps, share: float, training: bool) -> FeatureMaps:
    """Set a share of the channels to 0 in training."""
    if not training or not whole_batch.is_shared():
        return F.dropout2d(x, share, training)
    mask = whole_batch.drawn(
        len(x), lambda rows: F.dropout2d(x.new_ones(rows, x.shape[1], 1, 1), share)
    )
    return x * mask


class Dropout(nn.Dropout):
    """Dropout whose random numbers are those of the whole batch."""

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.p, self.training)
