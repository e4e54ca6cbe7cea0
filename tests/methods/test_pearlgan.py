"""PearlGAN: the numbers of its card, its terms restated in closed form, its edges."""

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pytorch_msssim import ssim
from torch.nn import functional as F

from tests.examiner import batch_of, begin
from thermochroma.contract.method import Progress
from thermochroma.loading.edge_maps import otsu_edges, surround_suppressed, visible_edges
from thermochroma.losses.edges import grey_slopes, lost_edges
from thermochroma.methods.pearlgan import (
    Code,
    TopDownAttention,
    agreement,
    attention_spread,
    relative,
    squared_variation,
)
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.views_critic import ViewsCritic, blur_kernel

LATE, START = Progress(images=11, of=12), Progress(images=0, of=12)


def views(*values: float) -> list[list[torch.Tensor]]:
    """Logits of three views with the depths of the card: the same value, or one a scale."""
    return [
        [torch.full((1, 1, 3, 3), values[scale % len(values)]) for scale in range(depth)]
        for depth in (4, 4, 3)
    ]


@pytest.mark.parametrize(
    ("real", "fake", "critic", "translator"),
    [(1.0, 0.0, 0.0, 1.111111), (0.0, 0.0, 0.277778, 0.277778), (0.2, -0.3, 0.069444, 0.625)],
)
def test_relative_least_squares_have_the_cards_values(
    real: float, fake: float, critic: float, translator: float
) -> None:
    found = [relative(views(real), views(fake), margin=margin) for margin in (-1.0, 1.0)]
    assert [float(one) for one in found] == pytest.approx([critic, translator], abs=1e-6)


def test_scales_weigh_as_on_the_card() -> None:
    real = [[torch.zeros(1, 1, 2, 2)] * 4]
    fake = [[torch.full((1, 1, 2, 2), value) for value in (1.0, 2.0, 3.0, 4.0)]]
    assert float(relative(real, fake, margin=-1.0)) == pytest.approx(4.431818, abs=1e-5)


def test_an_edge_that_is_lost_costs_what_the_card_says() -> None:
    edges, slopes = torch.zeros(2, 256, 256), torch.zeros(2, 256, 256)
    edges[0, 4, 4:20] = 1
    slopes[:, 20, 20] = 1
    lost, nothing = lost_edges(edges, slopes, strength=0.8).tolist()
    assert lost == pytest.approx(0.752941, abs=1e-6)
    assert nothing == 0


def test_slopes_of_a_flat_image() -> None:
    black = torch.full((1, 3, 8, 8), -1.0)
    assert grey_slopes(black, black_border=False).flatten().tolist() == pytest.approx([0.001] * 64)
    grey = grey_slopes(torch.zeros(1, 3, 8, 8), black_border=True)[0]
    assert float(grey[4, 4]) == pytest.approx(0.001)
    assert float(grey[0, 4]) == pytest.approx(0.5, abs=1e-5)
    assert float(grey[0, 0]) == pytest.approx(0.7071, abs=1e-4)


def test_variation_attention_and_agreement_have_the_cards_values() -> None:
    ramp = (torch.arange(8) * 0.1).expand(1, 3, 8, 8)
    assert float(squared_variation(ramp)) == pytest.approx(0.02, abs=1e-6)
    maps = torch.full((1, 4, 6, 6), 0.5)
    assert float(attention_spread(maps)) == pytest.approx(0.5 * (0.0625 + 0.5))
    flat = Code(torch.ones(1, 8, 6, 6), maps)
    assert float(agreement(flat, flat.features, maps)) == pytest.approx(0.333333, abs=1e-5)


def test_agreement_restated() -> None:
    torch.manual_seed(0)
    z, y = torch.randn(1, 5, 4, 4), torch.randn(1, 5, 4, 4)
    m, n = torch.rand(1, 4, 4, 4), torch.rand(1, 4, 4, 4)
    v, w = (
        F.normalize(
            torch.stack([(x[0] * a[0, k]).sum((1, 2)) / a[0, k].sum() for k in (1, 2, 3)]), dim=1
        )
        for x, a in ((z, m), (y, n))
    )
    s = v @ w.T
    d = s.max(1).values - s.diagonal()
    weight = torch.stack([torch.minimum(m[0, k].max(), n[0, k].max()) for k in (1, 2, 3)])
    off = 1 - torch.eye(3)
    overlap = sum(((x @ x.T) * off).mean().relu() for x in (v, w))
    wanted = (weight * d).sum() / (weight.sum() + 1e-6) + 0.25 * overlap
    torch.testing.assert_close(agreement(Code(z, m), y, n)[0], wanted)


def test_attention_looks_from_coarse_to_fine() -> None:
    block = TopDownAttention(256)
    assert sum(one.numel() for one in block.parameters()) == 68_101
    with torch.no_grad():
        out, maps = block(torch.randn(1, 256, 64, 64))
    assert out.shape == (1, 256, 64, 64)
    assert maps.shape == (1, 4, 64, 64)
    assert 0.4 < float(maps.mean()) < 0.6


def test_the_critic_scores_at_the_cards_sizes() -> None:
    with torch.no_grad():
        scored = ViewsCritic(8)(torch.rand(1, 3, 256, 256) * 2 - 1)
    assert [[one.shape[-1] for one in view] for view in scored] == [
        [65, 33, 17, 19],
        [65, 33, 17, 19],
        [33, 17, 19],
    ]


def test_the_blur_is_the_folded_gaussian_of_the_card() -> None:
    kernel = blur_kernel()[0, 0]
    row = [0.039892, 0.039967, 0.040012, 0.039967, 0.039892]
    assert kernel[0].tolist() == pytest.approx(row, abs=1e-6)
    assert float(kernel[2, 2]) == pytest.approx(0.040133, abs=1e-6)
    assert float(kernel.sum()) == pytest.approx(1, abs=1e-6)


def test_cycle_terms_restated(frozen: FrozenNetworks) -> None:
    game: Any = begin("pearlgan", frozen).game.eval()
    batch = batch_of("pearlgan")
    turn = next(iter(game.turns(batch, LATE)))
    thermal = batch.thermal.expand(-1, 3, -1, -1)
    fake = game.translator.decoder(game.translator.encoder(thermal).features)
    back = game.way_back["decoder"](game.way_back["encoder"](fake).features)
    gap = (back - thermal).abs()
    smooth = torch.where(gap < 1, 0.5 * gap**2, gap - 0.5).flatten(1).mean(1)
    torch.testing.assert_close(turn.terms["cycle_thermal"], smooth, atol=1e-6, rtol=1e-4)
    likeness = ssim((back + 1) / 2, (thermal + 1) / 2, data_range=1, win_size=3, size_average=False)
    torch.testing.assert_close(turn.terms["ssim_thermal"], 1 - likeness, atol=1e-5, rtol=1e-4)


def test_late_terms_come_late(frozen: FrozenNetworks) -> None:
    game: Any = begin("pearlgan", frozen).game
    early = next(iter(game.turns(batch_of("pearlgan"), START))).terms
    late = next(iter(game.turns(batch_of("pearlgan"), LATE))).terms
    assert set(late) - set(early) == {
        f"{term}_{side}" for term in ("ssim", "agreement") for side in ("visible", "thermal")
    }


def test_texture_is_suppressed_and_a_contour_stays() -> None:
    image = np.full((128, 128), 60, np.uint8)
    image[:, 96:] = 180  # one contour
    image[::6, :64] = 90  # many lines alike
    soft = surround_suppressed(image).astype(float)
    contour, texture = (
        soft[20:108, 92:100].max(axis=1).mean(),
        soft[20:108, 8:56].max(axis=1).mean(),
    )
    assert contour > 200
    assert texture < 0.5 * contour
    assert not surround_suppressed(np.full((64, 64), 9, np.uint8)).any()


def test_other_detectors_are_the_librarys() -> None:
    random = np.random.default_rng(0)
    visible = cv2.GaussianBlur(random.integers(0, 256, (64, 64, 3), dtype=np.uint8), (0, 0), 2)
    grey = cv2.cvtColor(visible, cv2.COLOR_RGB2GRAY)
    assert np.array_equal(visible_edges(visible, (20.0, 40.0)), cv2.Canny(grey, 20, 40))
    assert set(np.unique(otsu_edges(grey))) <= {0, 255}
