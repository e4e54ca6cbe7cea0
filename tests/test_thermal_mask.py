"""ThermalMask-R: composition by masks, attention over pools, high frequencies, the way back."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.examiner import batch_of, begin
from thermochroma.losses.frequency import high_passed, radial_profile, spectral_distance
from thermochroma.method import Clock
from thermochroma.methods.thermal_mask import MaskedPainter, PyramidAttention, luminance
from thermochroma.networks.frozen import FrozenNetworks

START = Clock(images=0, of=12)


def test_counts_of_the_parts_are_those_of_the_card() -> None:
    with torch.device("meta"):
        painter = MaskedPainter(3, 1, base=64, masks=10)

    def count(network: torch.nn.Module) -> int:
        return sum(one.numel() for one in network.parameters())

    parts = (painter.encoder, painter.contents, painter.masks)
    assert [count(part) for part in parts] == [378_496, 11_150_218, 3_909_962]
    assert count(PyramidAttention(256)) == 131_713


def test_a_place_is_a_mixture_of_contents_and_the_input() -> None:
    torch.manual_seed(0)
    painter = MaskedPainter(3, 1, base=4, masks=4).eval()
    visible = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        features = painter.encoder(visible)
        contents, masks = painter.contents(features), painter.masks(features)
        found = painter.paint(visible)
    wanted = masks[:, 3:] * luminance(visible)
    for n in range(3):
        wanted = wanted + masks[:, n : n + 1] * contents[:, n : n + 1]
    torch.testing.assert_close(found.picture, wanted)
    torch.testing.assert_close(masks.sum(1), torch.ones(1, 32, 32))
    assert found.picture.abs().max() <= 1


def test_attention_restated_and_silent_at_first() -> None:
    torch.manual_seed(0)
    block, x = PyramidAttention(8), torch.randn(1, 8, 16, 16)
    assert torch.equal(block(x), x)
    block.gamma.data.fill_(0.5)
    cells = torch.cat(
        [torch.nn.functional.adaptive_avg_pool2d(x, n).flatten(2) for n in (1, 3, 6, 8)], 2
    )
    assert cells.shape[2] == 110
    q, k, v, join = (
        one.weight[:, :, 0, 0] for one in (block.query, block.key, block.value, block.join)
    )
    flat = x[0].flatten(1)
    queries = q @ flat + block.query.bias[:, None]
    keys = k @ cells[0] + block.key.bias[:, None]
    values = v @ cells[0] + block.value.bias[:, None]
    answers = torch.softmax(queries.T @ keys / 2.0, dim=1)  # the square root of 4 channels
    found = join @ (values @ answers.T) + block.join.bias[:, None]
    torch.testing.assert_close(block(x)[0].flatten(1), flat + 0.5 * found, atol=1e-5, rtol=1e-4)


def test_terms_restated(frozen: FrozenNetworks) -> None:
    game: Any = begin("thermal_mask", frozen).game
    batch = batch_of("thermal_mask")
    terms = next(iter(game.turns(batch, START))).terms
    x, t = batch.seen.visible, batch.target
    there, back = game.to_thermal.painter, game.to_visible
    rx, rt = back(there(x)), there(back(t))

    def mean(one: torch.Tensor) -> torch.Tensor:
        return one.flatten(1).mean(1)

    torch.testing.assert_close(terms["cycle_visible"], mean((rx - x).abs()), atol=1e-6, rtol=1e-4)
    same = mean((there(t.expand(-1, 3, -1, -1)) - t).abs())
    torch.testing.assert_close(terms["identity_thermal"], same, atol=1e-6, rtol=1e-4)
    fine = mean((high_passed(rx) - high_passed(x)).abs())
    fine = fine + mean((high_passed(rt) - high_passed(t)).abs())
    torch.testing.assert_close(terms["high_pixels"], fine, atol=1e-6, rtol=1e-4)


def test_spectra_are_numpys() -> None:
    random = np.random.default_rng(0)
    one, other = random.uniform(-1, 1, (2, 2, 1, 32, 48))
    gap = np.fft.rfft2(one - other, norm="ortho")
    radius = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.rfftfreq(48)[None])
    weight = 1 - np.exp(-(radius**2) / (2 * 0.1**2))
    wanted = (weight * np.abs(gap)).mean((1, 2, 3))
    pair = (torch.from_numpy(each).float() for each in (one, other))
    assert spectral_distance(*pair).tolist() == pytest.approx(wanted.tolist(), rel=1e-4)
    strength = np.log1p(np.abs(np.fft.rfft2(one, norm="ortho")))[:, 0]
    ring = (radius >= 0.125) & (radius < 0.125 + 0.375 / 32)
    found = radial_profile(torch.from_numpy(one).float(), bins=32, least=0.125)
    assert found.shape == (2, 32)
    assert found[:, 0].tolist() == pytest.approx(strength[:, ring].mean(1).tolist(), rel=1e-4)


def test_a_flat_picture_has_no_high_frequencies() -> None:
    assert float(high_passed(torch.full((1, 3, 32, 32), 0.7)).abs().max()) < 1e-6
