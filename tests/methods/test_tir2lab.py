"""TIR2Lab: published sizes, padding, norms, colour space, losses restated."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab
from torch import Tensor
from torch.nn import functional as F

from tests.examiner import batch_of, begin
from thermochroma.base.colour_space import lab_of, visible_of
from thermochroma.base.errors import BadInput
from thermochroma.contract.batch import Still
from thermochroma.contract.method import Progress
from thermochroma.methods.tir2lab import (
    RowNorm,
    SameConv,
    SoonBatchNorm,
    Tir2LabGame,
    Tir2LabTranslator,
    scaled_lab,
    unlike_windows,
    unscaled,
)
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import play

START = Progress(images=0, of=10)


@pytest.mark.parametrize("norm, published", [("channel", 1_462_275), ("row", 1_462_339)])
def test_both_forms_have_the_published_size(norm: str, published: int) -> None:
    translator = Tir2LabTranslator(scale=1.0, norm=norm)
    assert sum(parameter.numel() for parameter in translator.parameters()) == published
    assert [p.numel() for name, p in translator.named_parameters() if p.ndim == 4] == [
        *(512, 32_768, 131_072, 262_144, 262_144, 524_288, 196_608, 49_152, 1_536)
    ]


def test_convolutions_start_as_glorot_says() -> None:
    torch.manual_seed(0)
    weight = Tir2LabTranslator(scale=1.0, norm="channel").d2.conv.weight.detach()
    fan = 16 * (weight.shape[0] + weight.shape[1])
    assert float(weight.std()) == pytest.approx((2 / fan) ** 0.5, rel=0.02)


def test_stride_1_looks_one_pixel_back_and_two_ahead() -> None:
    conv = SameConv(1, 1).requires_grad_(False)
    conv.weight.copy_(torch.arange(16.0).view(1, 1, 4, 4))
    image = torch.zeros(1, 1, 8, 8)
    image[..., 4, 4] = 1
    assert conv(image)[0, 0].nonzero().amin(0).tolist() == [2, 2]
    assert conv(image)[0, 0].nonzero().amax(0).tolist() == [5, 5]
    assert conv(image)[0, 0, 4, 4] == conv.weight[0, 0, 1, 1]


def test_the_rows_form_has_one_norm_a_row_and_one_height() -> None:
    translator = Tir2LabTranslator(scale=1 / 16, norm="row").eval()
    rows = [m.norm.num_features for m in translator.modules() if isinstance(m, RowNorm)]
    assert rows == [64, 64, 64, 64, 64, 128, 256]
    assert translator(Still(torch.zeros(1, 1, 256, 320))).shape == (1, 3, 256, 320)
    with pytest.raises(BadInput, match="256 rows"):
        translator(Still(torch.zeros(1, 1, 128, 256)))


def test_the_rows_form_normalises_each_row_by_itself() -> None:
    norm, x = RowNorm(5).train(), torch.randn(2, 3, 5, 7, generator=_random())
    mean, variance = x.mean((0, 1, 3), keepdim=True), x.var((0, 1, 3), False, keepdim=True)
    torch.testing.assert_close(norm(x), (x - mean) / (variance + 1e-3).sqrt())


@pytest.mark.parametrize("norm", ["channel", "row"])
def test_it_paints_what_a_plain_restatement_paints(norm: Literal["channel", "row"]) -> None:
    """Also holds the parameters to the order in which the released graph has its layers."""
    torch.manual_seed(0)
    translator = Tir2LabTranslator(scale=1 / 16, norm=norm).train()
    thermal = torch.rand(2, 1, 256, 64, generator=_random()) * 2 - 1
    for _ in range(3):
        translator.lab(thermal)  # so that the running averages are not those of a beginning
    layers = _Layers(translator.eval(), by_row=norm == "row")
    with torch.no_grad():
        torch.testing.assert_close(translator.lab(thermal), _restated(layers, (thermal + 1) / 2))
    assert next(layers.parameters, None) is None


def test_the_way_up_is_dropped_out_in_training_alone() -> None:
    torch.manual_seed(0)
    translator = Tir2LabTranslator(scale=1 / 16, norm="channel")
    blocks = {name: one for name, one in translator.named_children() if hasattr(one, "dropout")}
    assert {name: one.dropout for name, one in blocks.items()} == {
        **dict.fromkeys(("e2", "e3", "e4"), 0.0),
        **dict.fromkeys(("d1", "d2", "d3", "d4"), 0.5),
    }
    x = torch.randn(1, 12, 32, 32, generator=_random())
    assert float((blocks["d2"].train()(x.repeat(1, 2, 1, 1)[:, :16]) == 0).float().mean()) == (
        pytest.approx(0.5, abs=0.02)
    )


def test_running_averages_are_plain_means_at_first_and_of_use_at_once() -> None:
    torch.manual_seed(0)
    norm = SoonBatchNorm(3).train()
    batches = [torch.randn(2, 3, 8, 8) * (n + 1) + n for n in range(4)]
    for batch in batches:
        torch.testing.assert_close(
            norm(batch), F.batch_norm(batch, None, None, training=True, eps=1e-3)
        )
    means = torch.stack([batch.mean((0, 2, 3)) for batch in batches]).mean(0)
    spreads = torch.stack([batch.transpose(0, 1).flatten(1).var(1) for batch in batches]).mean(0)
    torch.testing.assert_close(norm.running_mean, means)
    torch.testing.assert_close(norm.running_var, spreads)


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")  # wild colours are meant
def test_lab_is_that_of_scikit_image_both_ways() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    levels[0, :3] = [[0, 0, 0], [255, 255, 255], [3, 3, 3]]
    visible = torch.from_numpy(levels).permute(2, 0, 1)[None].float() / 127.5 - 1
    found = lab_of(visible)
    np.testing.assert_allclose(found[0].permute(1, 2, 0), rgb2lab(levels), atol=5e-3)
    torch.testing.assert_close(visible_of(found), visible, atol=2e-3, rtol=0)
    wild = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    lab = unscaled(wild)
    expected = lab2rgb(lab[0].permute(1, 2, 0).double().numpy()) * 2 - 1
    np.testing.assert_allclose(visible_of(lab)[0].permute(1, 2, 0), expected, atol=2e-3)


def test_what_the_network_can_say_spans_the_colours_of_srgb() -> None:
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3).t()[None, :, :, None]
    unit = scaled_lab(lab_of(corners))
    assert float(unit.amin()) > -2e-3
    assert 1 <= float(unit.amax()) < 1 + 2e-3  # magenta, by a hair
    assert (unit.amax((0, 2, 3)) - unit.amin((0, 2, 3))).min() > 0.99
    torch.testing.assert_close(unscaled(unit), lab_of(corners), atol=1e-3, rtol=0)


def test_the_terms_are_the_cards_formulas(frozen: FrozenNetworks) -> None:
    torch.manual_seed(0)
    translator = Tir2LabTranslator(scale=1 / 16, norm="channel").train()
    translator.apply(_without_dropout)
    batch = batch_of("tir2lab")
    (turn,) = Tir2LabGame(translator=translator, scale=1 / 16, frozen=frozen).turns(batch, START)
    output = translator.lab(batch.seen.thermal).detach().double().numpy()
    levels = (batch.target.permute(0, 2, 3, 1).double().numpy() + 1) / 2
    lab = rgb2lab(levels).transpose(0, 3, 1, 2)
    target = np.stack([lab[:, 0] / 100, (lab[:, 1] + 87) / 185, (lab[:, 2] + 108) / 203], axis=1)
    chroma = np.abs(output[:, 1:] - target[:, 1:]).mean((1, 2, 3))
    np.testing.assert_allclose(turn.terms["chroma"].detach(), chroma, rtol=1e-4)
    structure = [_dssim(one[0], other[0]) for one, other in zip(output, target, strict=True)]
    np.testing.assert_allclose(turn.terms["structure"].detach(), structure, rtol=1e-3)


def _dssim(one: np.ndarray, other: np.ndarray) -> float:
    """Window by window, as the card has it."""
    values = []
    for top in range(0, one.shape[0], 4):
        for left in range(0, one.shape[1], 16):
            x, y = (each[top : top + 4, left : left + 16].ravel() for each in (one, other))
            covariance = ((x - x.mean()) * (y - y.mean())).mean()
            above = (2 * x.mean() * y.mean() + 0.01**2) * (2 * covariance + 0.03**2)
            below = (x.mean() ** 2 + y.mean() ** 2 + 0.01**2) * (x.var() + y.var() + 0.03**2)
            values.append((1 - above / below) / 2)
    return float(np.mean(values))


def _without_dropout(module: torch.nn.Module) -> None:
    if hasattr(module, "dropout"):
        module.dropout = 0.0


def test_colours_that_srgb_lacks_still_teach() -> None:
    """The losses look at L*a*b*: an image that is cut off has no slope."""
    torch.manual_seed(0)
    translator = Tir2LabTranslator(scale=1 / 16, norm="channel").eval()
    torch.nn.init.constant_(translator.out.bias, 5.0)  # brighter than white, and green and red
    batch = batch_of("tir2lab")
    (turn,) = Tir2LabGame(translator=translator, scale=1.0, frozen=None).turns(batch, START)
    (slope,) = torch.autograd.grad(turn.terms["chroma"].sum(), translator.out.bias)
    assert (translator(batch.seen)[:, 0] > 0.99999).all()
    assert (slope[1:] > 0).all()


def test_half_precision_reaches_neither_colours_nor_losses(frozen: FrozenNetworks) -> None:
    visible = batch_of("tir2lab").target
    lab = lab_of(visible)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(lab_of(visible), lab)
        back = visible_of(lab)
    torch.testing.assert_close(back, visible, atol=1e-3, rtol=0)
    training = begin("tir2lab", frozen)
    training.half_precision = True
    readings = play(training, batch_of("tir2lab"))
    assert all(reading.dtype is torch.float32 for reading in readings.values())


def test_windows_that_the_image_does_not_fill_are_not_looked_at() -> None:
    one, other = torch.rand(1, 1, 10, 40), torch.rand(1, 1, 10, 40)
    whole = unlike_windows(one[..., :8, :32], other[..., :8, :32])
    torch.testing.assert_close(unlike_windows(one, other), whole)


def test_it_is_taught_by_the_authors_optimizer(frozen: FrozenNetworks) -> None:
    training = begin("tir2lab", frozen)
    group = training.optimizers["translator"].param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (1e-3, (0.9, 0.999), 0)
    assert training.weights == {"chroma": 0.5, "structure": 0.5}
    assert training.settings.constant_share == 1.0


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(1)


class _Layers:
    """The released layers, written plainly; each eats the parameters and averages that it needs."""

    def __init__(self, translator: Tir2LabTranslator, *, by_row: bool) -> None:
        self.parameters: Iterator[Tensor] = translator.parameters()
        self.averages: Iterator[Tensor] = (
            buffer for name, buffer in translator.named_buffers() if "running" in name
        )
        self.shape = (1, 1, -1, 1) if by_row else (1, -1, 1, 1)

    def conv(self, x: Tensor, stride: int = 1) -> Tensor:
        """As TensorFlow pads: the sides are divided by the stride, the odd pixel goes behind."""
        lacking = 4 - stride
        padding = (lacking // 2, lacking - lacking // 2) * 2
        return F.conv2d(F.pad(x, padding), next(self.parameters), next(self.parameters), stride)

    def conv_norm(self, x: Tensor, stride: int = 1) -> Tensor:
        x = self.conv(x, stride)
        gamma, beta, mean, variance = (
            next(each).view(self.shape)
            for each in (self.parameters, self.parameters, self.averages, self.averages)
        )
        return gamma * (x - mean) / (variance + 1e-3).sqrt() + beta


def _restated(layers: _Layers, x: Tensor) -> Tensor:
    """The released graph without its dropout."""
    e1 = layers.conv(x, 2)
    e2 = layers.conv_norm(F.leaky_relu(e1, 0.2), 2)
    e3 = layers.conv_norm(F.leaky_relu(e2, 0.2))
    e4 = layers.conv_norm(F.leaky_relu(e3, 0.2))
    d1 = torch.cat([layers.conv_norm(e4.relu()), e3], 1)
    d2 = torch.cat([layers.conv_norm(d1.relu()), e2], 1)
    d3 = torch.cat([layers.conv_norm(_twice(d2.relu())), e1], 1)
    d4 = layers.conv_norm(_twice(d3.relu()))
    return torch.sigmoid(layers.conv(d4))


def _twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)
