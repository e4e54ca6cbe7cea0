"""TIR2Lab: Berg, Ahlberg and Felsberg, "Generating Visible Spectrum Images from Thermal Infrared", 2018.

Rebuilt from facts of the authors' Keras graph: a shallow U-Net, activations before convolutions, that
predicts L*, a* and b* at once and is trained without a critic, by the distance of a* and b* and by the
structure of L*. Only the integrated network is built, not the paper's other approach (lightness alone,
then a public colouriser).

Deviations, each with its reason:
- batch norm over channels: the released graph normalises over image rows, a remainder of another
  order of axes, so that it has one height only; `norm: row` restores that;
- the running averages of the norms are plain ones over the first 1 / 0.01 batches: Keras starts them
  at 0 and 1, whose influence lasts for hundreds of batches (after that, both are the same);
- images are shuffled, mirrored and cut to windows as in every method here; the release does not,
  and uses a quarter of its files;
- colours outside sRGB are cut off and levels are rounded: the release truncates;
- the activation on the thermal input is left out: it changes nothing, since the input is never negative.
Kept, although odd: dropout in front of the last convolution, which therefore learns from noise.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, cat, nn
from torch.nn import functional as F

from thermochroma.base.colour_space import Lab, lab_of, visible_of
from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import Thermal, Visible, at_least_float32, constant, to_unit
from thermochroma.contract.batch import Batch, Still
from thermochroma.contract.method import (
    Direction,
    Game,
    Method,
    Pairing,
    Progress,
    Translator,
    Turn,
)
from thermochroma.contract.settings import Settings, Strict
from thermochroma.networks.batch_wide import batch_norm, dropout
from thermochroma.networks.blocks import scaled

UnitLab: TypeAlias = Float[Tensor, "b 3 h w"]
"""Images of L*, a*, b*, each scaled so that the colours of sRGB span [0, 1]."""
FeatureMaps: TypeAlias = Float[Tensor, "b c h w"]

BASE: Final = 32
EPS: Final = 1e-3
MOMENTUM: Final = 0.01  # Keras calls it 0.99
LEAK: Final = 0.2
LEAST, SPAN = (0.0, -87.0, -108.0), (100.0, 185.0, 203.0)
"""Least values and spans of L*, a* and b*."""
ROW_HEIGHT: Final = 256
WINDOW: Final = (4, 16)
"""Rows and columns of the windows in which structure is compared; they do not overlap."""
C1, C2 = 0.01**2, 0.03**2


class SoonBatchNorm(nn.BatchNorm2d):
    """Batch norm with running averages that are valid after few batches.

    They are plain means of the batches' statistics for 1 / momentum batches, then exponential ones.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPS, momentum=MOMENTUM)

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        if not self.training:
            return super().forward(x)
        mean, variance = torch.zeros_like(self.running_mean), torch.ones_like(self.running_var)
        # with a momentum of 1 both become this batch's own
        learnt = self.weight, self.bias
        out = batch_norm(x, mean, variance, *learnt, momentum=1.0, eps=self.eps)
        self.num_batches_tracked += 1
        share = (1 / self.num_batches_tracked).clamp(min=MOMENTUM)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)
        return out


class RowNorm(nn.Module):
    """Batch norm over the rows of images of one height, as in the released graph."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.norm = SoonBatchNorm(rows)

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class SameConv(nn.Conv2d):
    """Convolution 4x4, padded as TensorFlow's "same": one before, two after, or one and one at stride 2."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, 4, stride)
        nn.init.xavier_normal_(self.weight)
        assert self.bias is not None
        nn.init.zeros_(self.bias)

    def forward(self, x: FeatureMaps) -> Float[Tensor, "b d y x"]:
        after = 2 if self.stride == (1, 1) else 1
        return super().forward(F.pad(x, (1, after, 1, after)))


class Block(nn.Module):
    """Activation, optional enlarging by `grow`, convolution, norm, optional dropout."""

    def __init__(
        self,
        channels: tuple[int, int],
        norm: nn.Module,
        *,
        leak: float = 0.0,
        stride: int = 1,
        grow: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.leak, self.grow, self.dropout = leak, grow, dropout
        self.conv = SameConv(*channels, stride=stride)
        self.norm = norm

    def forward(self, x: FeatureMaps) -> Float[Tensor, "b d y x"]:
        x = F.leaky_relu(x, self.leak)
        if self.grow > 1:
            x = F.interpolate(x, scale_factor=float(self.grow), mode="nearest")
        return dropout(self.norm(self.conv(x)), self.dropout, self.training)


class Tir2LabTranslator(Translator[Still]):
    """U-Net with two halvings; sides are multiples of 4, and the height 256 with the norm over rows."""

    def __init__(self, *, scale: float, norm: Literal["channel", "row"]) -> None:
        super().__init__()
        self.rows = norm == "row"
        one, two, four = (scaled(BASE * times, scale) for times in (1, 2, 4))

        def normed(channels: int, rows: int) -> nn.Module:
            return RowNorm(rows) if self.rows else SoonBatchNorm(channels)

        self.e1 = SameConv(1, one, stride=2)
        self.e2 = Block((one, two), normed(two, 64), leak=LEAK, stride=2)
        self.e3 = Block((two, four), normed(four, 64), leak=LEAK)
        self.e4 = Block((four, four), normed(four, 64), leak=LEAK)
        self.d1 = Block((four, four), normed(four, 64), dropout=0.5)
        self.d2 = Block((2 * four, four), normed(four, 64), dropout=0.5)
        self.d3 = Block((four + two, two), normed(two, 128), grow=2, dropout=0.5)
        self.d4 = Block((two + one, one), normed(one, 256), grow=2, dropout=0.5)
        self.out = SameConv(one, 3)

    def forward(self, seen: Still) -> Visible:
        return visible_of(unscaled(self.lab(seen.thermal)))

    def lab(self, thermal: Thermal) -> UnitLab:
        """Output in L*a*b*, scaled to [0, 1], which the losses compare before colours are clipped.

        Raises BadInput for a height that the norm over rows cannot take.
        """
        if self.rows and thermal.shape[2] != ROW_HEIGHT:
            raise BadInput(
                given=f"TIR2Lab with `norm: row` was given a height of {thermal.shape[2]}",
                needed=f"images of {ROW_HEIGHT} rows: each row has its own norm",
                remedy=f"use windows and crops of {ROW_HEIGHT} pixels, or `norm: channel`",
            )
        e1 = self.e1(to_unit(thermal))
        e2 = self.e2(e1)
        e3 = self.e3(e2)
        d1 = self.d1(self.e4(e3))
        d2 = self.d2(cat([d1, e3], dim=1))
        d3 = self.d3(cat([d2, e2], dim=1))
        return self.out(self.d4(cat([d3, e1], dim=1))).sigmoid()


class Tir2LabGame(Game[Batch[Still]]):
    """Game of one player: colours by their distance, lightness by its structure."""

    def __init__(self, *, translator: Tir2LabTranslator, scale: float, frozen: object) -> None:
        super().__init__()
        self.translator = translator

    def players(self) -> Mapping[str, nn.Module]:
        return {"translator": self.translator}

    def turns(self, batch: Batch[Still], progress: Progress) -> Iterator[Turn]:
        output = at_least_float32(self.translator.lab(batch.seen.thermal))
        target = scaled_lab(lab_of(batch.target))
        chroma = (output[:, 1:] - target[:, 1:]).abs().flatten(1).mean(1)
        structure = unlike_windows(output[:, :1], target[:, :1])
        yield Turn("translator", {"chroma": chroma, "structure": structure})


def scaled_lab(lab: Lab) -> UnitLab:
    """Scale L*, a*, b* to [0, 1]."""
    least, span = (constant(each, lab).view(3, 1, 1) for each in (LEAST, SPAN))
    return (lab - least) / span


def unscaled(unit: UnitLab) -> Lab:
    """Scale [0, 1] back to L*, a*, b*, in float32."""
    lab = at_least_float32(unit)
    least, span = (constant(each, lab).view(3, 1, 1) for each in (LEAST, SPAN))
    return lab * span + least


def unlike_windows(
    output: Float[Tensor, "b 1 h w"], target: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, " b"]:
    """Mean of (1 - SSIM) / 2 over windows of 4 rows and 16 columns side by side, unweighted, range 1.

    Rows and columns at the end that do not fill a window are left out.
    """

    one, other = _windows(output), _windows(target)
    here, there = one.mean(-1), other.mean(-1)
    # about the means, since differences of squares lose digits
    one, other = one - here[..., None], other - there[..., None]
    variances = one.square().mean(-1) + other.square().mean(-1)
    likeness = (2 * here * there + C1) * (2 * (one * other).mean(-1) + C2)
    likeness = likeness / ((here.square() + there.square() + C1) * (variances + C2))
    return ((1 - likeness) / 2).mean(1)


def _windows(channel: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b windows pixels"]:
    """Whole windows, side by side, each as one row of its pixels."""
    tiles = channel[:, 0].unfold(1, WINDOW[0], WINDOW[0]).unfold(2, WINDOW[1], WINDOW[1])
    return tiles.flatten(3).flatten(1, 2)


class TranslatorSettings(Strict):
    norm: Literal["channel", "row"]


class Weights(Strict):
    chroma: float
    structure: float


class Tir2LabSettings(Settings):
    translator: TranslatorSettings
    game: Strict = Strict()
    weights: Weights


METHOD = Method(
    title="TIR2Lab",
    paper="Berg et al., Generating Visible Spectrum Images from Thermal Infrared, CVPRW 2018",
    licence="original code GPL-3.0; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=Tir2LabSettings,
    sees=Still,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=4,
    published_parameters={"tir2lab": {"translator": 1_462_275}},
    translator=Tir2LabTranslator,
    game=Tir2LabGame,
)
