"""MUGAN: published sizes, wiring, normalisation, losses restated."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.examiner import batch_of, begin, dummy_input, method_of, settings_of
from tests.paired_terms import expected_terms
from thermochroma.contract.batch import Still
from thermochroma.contract.method import Progress, Turn
from thermochroma.export.artifact import build_translator
from thermochroma.games.paired_adversarial import PairedAdversarialGame
from thermochroma.methods.mugan import (
    Attention,
    FeatureBlock,
    MixedSkipUNet,
    MuganTranslator,
    mugan_game,
)
from thermochroma.networks.blocks import ImageNorm, init_normal
from thermochroma.networks.frozen import FrozenNetworks

START = Progress(images=0, of=10)
STAGES = [359_808, 1_436_416, 5_740_032, 22_948_864]
UPS = [
    [60_512, 241_856, 967_040, 3_900_259],
    [60_512, 241_856, 975_331],
    [60_512, 244_003],
    [61_123],
]


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _translator(**changes: object) -> MuganTranslator:
    """Started with larger weights, so that it predicts more than the grey that MUGAN begins at."""
    torch.manual_seed(0)
    settings = settings_of("mugan").translator.model_dump() | changes
    translator = MuganTranslator(scale=1 / 8, **settings)
    init_normal(translator, std=0.15)
    for head in translator.unet.heads:
        head.weight.data *= 5
    return translator


def _game(frozen: FrozenNetworks, **changes: str) -> PairedAdversarialGame:
    game = settings_of("mugan").game.model_dump() | changes
    return mugan_game(translator=_translator(), scale=1 / 8, frozen=frozen, **game).train()


def _noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "channels, whole, first, critic",
    [(3, 37_741_816, 82_400, 695_777), (1, 37_740_600, 81_184, 694_753)],
)
def test_every_part_has_the_published_size(
    channels: int, whole: int, first: int, critic: int, frozen: FrozenNetworks
) -> None:
    settings, method = settings_of("mugan"), method_of("mugan")
    translator = settings.translator.model_copy(update={"thermal_channels": channels})
    changed = settings.model_copy(update={"translator": translator})
    with torch.device("meta"):
        full = build_translator(method, changed, scale=1.0, text_width=0)
        game = method.game(translator=full, scale=1.0, frozen=frozen, **settings.game.model_dump())
    unet = full.unet
    assert [_count(stage) for stage in unet.stages] == [first, *STAGES]
    assert [[_count(up) for up in column.ups] for column in unet.columns] == UPS
    assert [_count(skip.join) for skip in unet.full_scale] == [115_456, 33_152, 8_384]
    assert [_count(head) for head in unet.heads] == [99] * 4
    assert _count(full) == whole
    assert _count(game.critic) == critic


def test_a_feature_block_applies_its_second_units_twice() -> None:
    torch.manual_seed(0)
    block = FeatureBlock(3, 4, norm=ImageNorm, shortcut=torch.nn.Conv2d(3, 4, 1))
    parts, x = dict(block.named_parameters()), _noise(2, 3, 12, 12)

    def unit(name: str, x: Tensor, dilation: int) -> Tensor:
        x = F.conv2d(x, parts[f"{name}.0.weight"], padding=dilation, dilation=dilation)
        mean, variance = x.mean((0, 2, 3), True), x.var((0, 2, 3), False, keepdim=True)
        return ((x - mean) / (variance + 1e-5).sqrt()).relu()  # its weights are still 1 and 0

    a1 = unit("near", x, 1)
    a2 = unit("near_again", a1, 1)
    d2 = unit("far_again", unit("far", x, 2), 2)
    both = F.conv2d(a2 * d2, parts["common.weight"], parts["common.bias"], padding=1)
    joined = torch.cat([unit("near_again", a2, 1) + a1, unit("far_again", d2, 2), both], 1)
    out = F.conv2d(joined, parts["join.weight"], parts["join.bias"])
    out = out + F.conv2d(x, parts["shortcut.weight"], parts["shortcut.bias"])
    torch.testing.assert_close(block(x), out.relu(), rtol=1e-4, atol=1e-5)


def test_attention_takes_its_input_three_times_in_one_product() -> None:
    torch.manual_seed(0)
    attention, x = Attention(16), _noise(2, 16, 9, 9)
    first, second = attention.by_mean[0].weight, attention.by_mean[2].weight
    narrow, wide = (attention.by_extremes[place].weight[..., 0, 0] for place in (0, 2))
    assert first.shape == narrow.shape == (2, 16)
    mean, most = x.mean((2, 3)), x.amax((2, 3))
    s = ((mean @ first.T).relu() @ second.T).sigmoid()
    ca = sum((pooled @ narrow.T).relu() @ wide.T for pooled in (mean, most)).sigmoid()
    maps = torch.stack([x.max(1).values, x.mean(1)], 1)
    sa = F.conv2d(maps, attention.by_place.weight, attention.by_place.bias, padding=3).sigmoid()
    expected = x * s[..., None, None] + x**3 * ca[..., None, None] * sa
    torch.testing.assert_close(attention(x), expected)


def test_the_decoder_is_wired_as_on_the_card() -> None:
    torch.manual_seed(0)
    net = MixedSkipUNet(in_channels=3, base=4, norm=ImageNorm).eval()
    up, skips, image = net.columns, net.full_scale, _noise(1, 3, 32, 48)
    with torch.no_grad():
        x00 = net.stages[0](image)
        x10 = net.stages[1](F.max_pool2d(x00, 2))
        x20 = net.stages[2](F.max_pool2d(x10, 2))
        x30 = net.stages[3](F.max_pool2d(x20, 2))
        x40 = net.stages[4](F.max_pool2d(x30, 2))
        x01, x11 = up[0].ups[0](x10, x00), up[0].ups[1](x20, x10)
        x21, x31 = up[0].ups[2](x30, x20), up[0].ups[3](x40, x30)
        t8, t4, t2 = skips[0].shrink
        x31 = skips[0].join(torch.cat([x31, t8(x00), t4(x10), t2(x20)], 1))
        x02, x12, x22 = up[1].ups[0](x11, x01), up[1].ups[1](x21, x11), up[1].ups[2](x31, x21)
        t4, t2 = skips[1].shrink
        x22 = skips[1].join(torch.cat([x22, t4(x00), t2(x10)], 1))
        x03, x13 = up[2].ups[0](x12, x02), up[2].ups[1](x22, x12)
        (t2,) = skips[2].shrink
        x13 = skips[2].join(torch.cat([x13, t2(x00)], 1))
        x04 = up[3].ups[0](x13, x03)
        output = [head(x) for head, x in zip(net.heads, (x01, x02, x03, x04), strict=True)]
        torch.testing.assert_close(net(image), sum(output) / 4)
    assert [isinstance(u.attention, Attention) for column in up for u in column.ups] == [
        *(False, False, False, True),
        *(False, False, True),
        *(False, True),
        True,
    ]


def test_up_puts_the_skip_behind_what_was_enlarged() -> None:
    up = _translator().unet.columns[0].ups[0]
    deeper, skip = _noise(1, 8, 8, 8), _noise(1, 4, 16, 16)
    x = torch.cat([F.conv_transpose2d(deeper, *up.enlarge.parameters(), 2, 1), skip], 1)
    for place in (0, 2):
        x = F.conv2d(x, *up.fuse[place].parameters(), padding=1).relu()
    torch.testing.assert_close(up(deeper, skip), x)


@pytest.mark.parametrize("out", ["leaky_relu", "tanh"])
def test_the_output_is_bounded_as_set(out: str) -> None:
    translator, seen = (
        _translator(out=out).eval(),
        dummy_input(method_of("mugan"), height=32, width=32),
    )
    for head in translator.unet.heads:
        torch.nn.init.constant_(head.bias, -5.0)
    with torch.no_grad():
        output = translator(seen)
        before = translator.unet(seen.thermal.repeat(1, 3, 1, 1))
    expected = torch.where(before < 0, before / 5, before) if out == "leaky_relu" else before.tanh()
    torch.testing.assert_close(output, expected)
    assert float(output.mean()) == pytest.approx(-1.0, abs=0.1)


def test_a_deployed_image_does_not_depend_on_its_batch() -> None:
    translator = _translator().eval()
    seen = dummy_input(method_of("mugan"), height=32, width=32, count=3)
    with torch.no_grad():
        together = translator(seen)
        alone = translator(Still(thermal=seen.thermal[1:2]))
        assert together.std() > 0.02
        torch.testing.assert_close(together[1:2], alone, rtol=1e-3, atol=1e-5)
        in_training = translator.train()(seen)
        assert (in_training - together).abs().max() > 0.02  # there, the batch is one


def test_it_begins_at_grey_as_the_original() -> None:
    torch.manual_seed(0)
    settings = settings_of("mugan").translator.model_dump()
    unet = MuganTranslator(scale=1 / 2, **settings).unet
    for name, parameter in unet.named_parameters():
        if parameter.ndim > 1 and parameter.numel() > 5_000:
            assert float(parameter.detach().std()) == pytest.approx(0.02, rel=0.1), name
        elif parameter.ndim == 1 and "bias" in name:
            assert not parameter.any(), name
    norms = torch.cat([m.weight.detach() for m in unet.modules() if isinstance(m, ImageNorm)])
    assert float(norms.mean()) == pytest.approx(1, abs=0.01)
    assert float(norms.std()) == pytest.approx(0.02, rel=0.2)


def test_running_statistics_are_kept_only_if_asked_for() -> None:
    seen = dummy_input(method_of("mugan"), height=32, width=32)
    assert not any("running" in name for name in _translator().state_dict())
    running = _translator(norm="running").train()
    running(seen)
    twice = running.unet.stages[0][0].near_again[1]
    once = running.unet.stages[0][0].near[1]
    assert (int(twice.num_batches_tracked), int(once.num_batches_tracked)) == (2, 1)


def _dissimilarity(output: Tensor, target: Tensor) -> Tensor:
    """1 - SSIM of images in [0, 1]: Gaussian 11, sigma 1.5, valid, as the formula is printed."""
    places = np.arange(11) - 5
    row = np.exp(-(places**2) / (2 * 1.5**2))
    window = torch.from_numpy(np.outer(row, row) / row.sum() ** 2).to(output)

    def mean(x: Tensor) -> Tensor:
        return F.conv2d(x, window.expand(3, 1, 11, 11), groups=3)

    one, other = (output + 1) / 2, (target + 1) / 2
    variance = mean(one * one) - mean(one) ** 2
    other_variance = mean(other * other) - mean(other) ** 2
    covariance = mean(one * other) - mean(one) * mean(other)
    c1, c2 = 0.01**2, 0.03**2
    likeness = (2 * mean(one) * mean(other) + c1) * (2 * covariance + c2)
    likeness /= (mean(one) ** 2 + mean(other) ** 2 + c1) * (variance + other_variance + c2)
    return 1 - likeness.mean()


@pytest.mark.parametrize("criterion", ["cross_entropy", "least_squares"])
def test_the_terms_are_the_cards_formulas(criterion: str, frozen: FrozenNetworks) -> None:
    game, batch = _game(frozen, criterion=criterion), batch_of("mugan")
    critic, translator = game.turns(batch, START)
    fake = game.translator(batch.seen)
    expected = expected_terms(game, batch, fake, criterion=criterion, frozen=frozen)
    expected["ssim"] = _dissimilarity(fake, batch.target)
    found = {name: term.mean() for name, term in {**critic.terms, **translator.terms}.items()}
    assert found.keys() == expected.keys()
    assert fake.std() > 0.02
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name, rtol=1e-4, atol=1e-6)


def test_the_weights_are_the_authors() -> None:
    assert settings_of("mugan").weights.model_dump() == {
        "critic_real": 0.5,
        "critic_fake": 0.5,
        "content": 1.0,
        "adversarial": 0.03,
        "perceptual": 1.0,
        "tv": 1.25,
        "ssim": 1.25,
    }


def test_the_translator_faces_the_critic_as_just_taught(frozen: FrozenNetworks) -> None:
    game = _game(frozen)
    turns = game.turns(batch_of("mugan"), START)
    assert next(turns).player == "critic"
    for parameter in game.critic.parameters():
        torch.nn.init.zeros_(parameter)
    taught: Turn = next(turns)
    assert taught.player == "translator"
    assert taught.terms["adversarial"].tolist() == pytest.approx([0.693147] * 2)


def test_it_is_taught_by_the_authors_optimizers(frozen: FrozenNetworks) -> None:
    for name, optimizer in begin("mugan", frozen).optimizers.items():
        group = optimizer.param_groups[0]
        assert type(optimizer) is torch.optim.Adam, name
        assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 0), name
