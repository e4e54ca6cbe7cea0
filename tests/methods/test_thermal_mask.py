"""ThermalMask-R: two groups of masks, attention over pools that guides, high frequencies, layouts."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.examiner import batch_of, begin
from thermochroma.contract.method import Progress
from thermochroma.losses.frequency import high_passed, radial_profile, spectral_distance
from thermochroma.losses.pixel import absolute
from thermochroma.losses.saliency import saliency
from thermochroma.methods.thermal_mask import (
    GuidedDecoder,
    MaskedTranslator,
    PyramidAttention,
    guided,
    luminance,
)
from thermochroma.networks.frozen import FrozenNetworks

START = Progress(images=0, of=12)


def predictor_of(*, contents: int = 3) -> MaskedTranslator:
    torch.manual_seed(0)
    return MaskedTranslator(3, 1, base=4, contents=contents).eval()


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def mean(one: torch.Tensor) -> torch.Tensor:
    return one.flatten(1).mean(1)


def test_counts_of_the_parts_are_those_of_the_card() -> None:
    def count(network: torch.nn.Module) -> int:
        return sum(one.numel() for one in network.parameters())

    card = {
        (3, 1): [378_496, 4_852_482, 6_294_728, 3_909_962],
        (1, 3): [372_224, 4_852_482, 6_344_920, 3_909_962],
    }
    for (seen, made), counts in card.items():
        with torch.device("meta"):
            predictor = MaskedTranslator(seen, made, base=64, contents=4)
        parts = (predictor.encoder, predictor.attention, predictor.contents, predictor.masks)
        assert [count(part) for part in parts] == counts
        assert count(predictor) == sum(counts)
    assert count(PyramidAttention(256)) == 131_842


@torch.no_grad()
def test_a_place_is_a_mixture_of_two_groups_that_each_keep_the_input() -> None:
    predictor, visible = predictor_of(), noise(1, 3, 32, 32)
    features = predictor.encoder(visible)
    attended = predictor.attention(features)
    contents = predictor.contents(attended.features, attended.attention)
    masks = predictor.masks(features, attended.attention)
    assert contents.shape[1] == 6
    assert masks.shape[1] == 8
    torch.testing.assert_close(masks.sum(1), torch.ones(1, 32, 32))
    grey = luminance(visible)
    background = (masks[:, :3] * contents[:, :3]).sum(1, keepdim=True) + masks[:, 3:4] * grey
    foreground = (masks[:, 4:7] * contents[:, 3:]).sum(1, keepdim=True) + masks[:, 7:] * grey
    found = predictor.predict(visible)
    torch.testing.assert_close(found.image, background + foreground)
    torch.testing.assert_close(found.foreground, masks[:, 4:].sum(1, keepdim=True))
    assert torch.equal(found.kept_background, masks[:, 3:4])
    assert torch.equal(found.kept_foreground, masks[:, 7:])
    assert found.image.abs().max() <= 1


@pytest.mark.parametrize("keeping", [3, 7])  # of 8 masks: the background's last, the foreground's
@torch.no_grad()
def test_either_keeping_mask_alone_gives_the_input_back(keeping: int) -> None:
    predictor, visible = predictor_of(), noise(1, 3, 32, 32)
    predictor.masks.last[0].bias[keeping] += 50.0  # type: ignore[index]
    torch.testing.assert_close(predictor(visible), luminance(visible))


def test_attention_restated_and_silent_at_first() -> None:
    torch.manual_seed(0)
    block, x = PyramidAttention(8), torch.randn(1, 8, 16, 16)
    assert torch.equal(block(x).features, x)
    block.gamma.data.fill_(0.5)
    cells = torch.cat([F.adaptive_avg_pool2d(x, n).flatten(2) for n in (1, 3, 6, 8)], 2)
    assert cells.shape[2] == 110
    q, k, v, join, map_ = (
        one.weight[:, :, 0, 0]
        for one in (block.query, block.key, block.value, block.join, block.map)
    )
    flat = x[0].flatten(1)
    queries = q @ flat + block.query.bias[:, None]
    keys = k @ cells[0] + block.key.bias[:, None]
    values = v @ cells[0] + block.value.bias[:, None]
    answers = torch.softmax(queries.T @ keys / 2.0, dim=1)  # the square root of 4 channels
    found = values @ answers.T
    wanted = flat + 0.5 * (join @ found + block.join.bias[:, None])
    attended = block(x)
    torch.testing.assert_close(attended.features[0].flatten(1), wanted, atol=1e-5, rtol=1e-4)
    matters = torch.sigmoid(map_ @ found + block.map.bias[:, None])
    torch.testing.assert_close(attended.attention[0].flatten(1), matters, atol=1e-5, rtol=1e-4)


def test_attention_guides_the_features_of_the_input_and_of_the_output() -> None:
    """Nothing matters: as without; everything matters: doubled. Both decoders hear of it."""
    torch.manual_seed(0)
    x, half = torch.randn(1, 16, 8, 8), torch.zeros(1, 1, 8, 8)
    half[..., 4:] = 1
    assert torch.equal(guided(x, half), torch.cat([x[..., :4], 2 * x[..., 4:]], 3))
    decoder = GuidedDecoder(blocks=1, base=4, last=[])
    once = decoder.doubled(decoder.blocks(x))
    wide, full = (F.interpolate(half, scale_factor=n, mode="bilinear") for n in (2, 4))
    wanted = decoder.redoubled(once * (1 + wide)) * (1 + full)
    torch.testing.assert_close(decoder(x, half), wanted)
    predictor = predictor_of()
    features = predictor.encoder(noise(1, 3, 32, 32))
    calm, attention = predictor.attention.pyramid(predictor.attention.before(features))
    assert torch.equal(predictor.attention(features).features, guided(calm, attention))


def test_both_decoders_teach_the_attention_map(frozen: FrozenNetworks) -> None:
    """Either way round: a part of the image predicted, or of the masks, reaches the map's weights."""
    game: Any = begin("thermal_mask", frozen).game
    for predictor, channels in ((game.to_thermal.painter, 3), (game.to_visible, 1)):
        features = predictor.encoder(noise(1, channels, 32, 32))
        attended = predictor.attention(features)
        for made in (
            predictor.contents(attended.features.detach(), attended.attention),
            predictor.masks(features.detach(), attended.attention),
        ):
            (reached,) = torch.autograd.grad(
                made.square().sum(), predictor.attention.pyramid.map.weight, retain_graph=True
            )
            assert reached.abs().max() > 0


def test_terms_restated(frozen: FrozenNetworks) -> None:
    game: Any = begin("thermal_mask", frozen).game
    batch = batch_of("thermal_mask")
    terms = next(iter(game.turns(batch, START))).terms
    x, t = batch.seen.visible, batch.target
    there, back = game.to_thermal.painter, game.to_visible
    rx, rt = back(there(x)), there(back(t))
    torch.testing.assert_close(terms["cycle_visible"], mean((rx - x).abs()), atol=1e-6, rtol=1e-4)
    fine = mean((high_passed(rx) - high_passed(x)).abs())
    fine = fine + mean((high_passed(rt) - high_passed(t)).abs())
    torch.testing.assert_close(terms["high_pixels"], fine, atol=1e-6, rtol=1e-4)
    told = mean((there.predict(x).foreground - saliency(x)).abs())
    told = told + mean((back.predict(t).foreground - saliency(t)).abs())
    torch.testing.assert_close(terms["saliency"], told, atol=1e-6, rtol=1e-4)


def test_the_foreground_can_learn_what_is_salient() -> None:
    """The term alone moves the share of the foreground to the one bright square."""
    torch.manual_seed(0)
    predictor = MaskedTranslator(3, 1, base=8, contents=2)
    visible = torch.full((1, 3, 32, 32), -0.6)
    visible[..., 8:20, 8:20] = 0.9
    sought = saliency(visible)
    optimizer = torch.optim.Adam(predictor.masks.parameters(), lr=5e-3)
    for _ in range(60):
        share = predictor.predict(visible).foreground
        optimizer.zero_grad()
        absolute(share, sought).mean().backward()
        optimizer.step()
    share = share.detach()
    assert float(share[sought > 0.5].mean()) > 0.6
    assert float(share[sought < 0.1].mean()) < 0.3


def test_layouts_are_compared_with_those_of_former_batches(frozen: FrozenNetworks) -> None:
    game: Any = begin("thermal_mask", frozen).game
    first, second = batch_of("thermal_mask"), batch_of("thermal_mask", seed=1)
    for turn in game.turns(first, START):
        if "layout" in turn.terms:
            assert turn.terms["layout"].tolist() == [0.0, 0.0]
    assert int(game.layout_thermal.true.filled) == 2
    assert int(game.layout_visible.fakes.filled) == 2
    terms = next(iter(game.turns(second, START))).terms
    fakes = game.to_thermal.painter(second.seen.visible), game.to_visible(second.target)
    wanted = game.layout_thermal(fakes[0]) + game.layout_visible(fakes[1])
    torch.testing.assert_close(terms["layout"], wanted)
    assert (wanted != 0).all()


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


def test_a_flat_image_has_no_high_frequencies() -> None:
    assert float(high_passed(torch.full((1, 3, 32, 32), 0.7)).abs().max()) < 1e-6
