"""Recycle-GAN and I2V-GAN: their terms restated in closed form, their features, their triplets."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tests.examiner import batch_of, begin, settings_of
from thermochroma.base.errors import BadInput
from thermochroma.contract.method import Progress
from thermochroma.losses.contrastive import patch_nce
from thermochroma.losses.style import gram
from thermochroma.methods.i2v_gan import VGG_TAPS, TappedResNet
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.unet import UNet

START = Progress(images=0, of=12)


def terms_of(game: Any, batch: Any) -> dict[str, torch.Tensor]:
    """Every term of every turn, by name."""
    torch.manual_seed(5)
    return {name: term for turn in game.turns(batch, START) for name, term in turn.terms.items()}


def mean(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1).mean(1)


@pytest.fixture(params=["recycle_gan", "i2v_gan"])
def played(request: pytest.FixtureRequest, frozen: FrozenNetworks) -> tuple[str, Any, Any]:
    block = str(request.param)
    return block, begin(block, frozen).game, batch_of(block)


def test_adversarial_and_recycled_terms_are_those_of_the_card(played: tuple[str, Any, Any]) -> None:
    block, game, batch = played
    terms = terms_of(game, batch)
    a = [one.expand(-1, 3, -1, -1) for one in batch.thermal.unbind(1)]
    b = list(batch.visible.unbind(1))
    there, back = game.to_visible.resnet, game.to_thermal
    ahead = game.forecasters
    fake_b = [there(a[0]), there(a[1])]
    fake_b.append(ahead["visible"](torch.cat(fake_b, 1)))
    expected_a = ahead["thermal"](torch.cat(a[:2], 1))
    expected_b = ahead["visible"](torch.cat(b[:2], 1))
    score = game.critics["visible"]
    fooled = sum(mean((score(one) - 1) ** 2) for one in fake_b)
    torch.testing.assert_close(terms["adversarial_visible"], fooled)
    real = sum(mean((score(one) - 1) ** 2) for one in (*b, b[2]))
    torch.testing.assert_close(terms["visible_real"], real)
    fake = sum(mean(score(one) ** 2) for one in (*fake_b, expected_b))
    torch.testing.assert_close(terms["visible_fake"], fake)
    if block == "recycle_gan":
        torch.testing.assert_close(
            terms["recycle_thermal"], mean((back(fake_b[2]) - a[2]).abs()), atol=1e-6, rtol=1e-4
        )
        torch.testing.assert_close(terms["forecast_thermal"], mean((expected_a - a[2]).abs()))


def test_a_second_model_of_recycle_gan_is_a_setting(frozen: FrozenNetworks) -> None:
    game = begin("recycle_gan", frozen).game
    game.cycles = True
    batch = batch_of("recycle_gan")
    terms = terms_of(game, batch)
    a = [one.expand(-1, 3, -1, -1) for one in batch.thermal.unbind(1)][:2]
    there, back = game.to_visible.resnet, game.to_thermal
    cycled = sum(mean((back(there(one)) - one).abs()) for one in a)
    same = sum(mean((back(one) - one).abs()) for one in a)
    torch.testing.assert_close(terms["cycle_thermal"], cycled, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(terms["identity_thermal"], same, atol=1e-5, rtol=1e-4)
    raw = settings_of("recycle_gan").model_dump()
    with pytest.raises(ValueError, match="go together"):
        type(settings_of("recycle_gan")).model_validate(
            raw | {"game": raw["game"] | {"cycles": True}}
        )


def test_the_composite_distance_is_that_of_the_card(frozen: FrozenNetworks) -> None:
    game = begin("i2v_gan", frozen).game
    x, y = (torch.rand(2, 3, 64, 64) * 2 - 1 for _ in range(2))
    (found,) = game.composite([x], [y])
    vgg = frozen.vgg19(taps=VGG_TAPS, imagenet_norm=False)
    fx, fy = vgg(x), vgg(y)
    wanted = mean((x - y).abs()) + mean((fx[3] - fy[3]).abs())
    for one, other, weight in zip(fx, fy, (1 / 32, 1 / 16, 1 / 8, 1, 1), strict=True):
        c, h, w = one.shape[1:]
        for place in range(2):
            flat, its = one[place].reshape(c, -1), other[place].reshape(c, -1)
            difference = (flat @ flat.T - its @ its.T) / (c * h * w)
            wanted[place] += 100 * weight * (difference**2).mean()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


def test_internal_and_external_terms_restated(frozen: FrozenNetworks) -> None:
    game = begin("i2v_gan", frozen).game
    batch = batch_of("i2v_gan", count=1)
    frames = [one.expand(-1, 3, -1, -1) for one in batch.thermal.unbind(1)]
    journey = game.travel(frames, "thermal", "visible")
    torch.manual_seed(9)
    found = game.internal("visible", journey)
    torch.manual_seed(9)
    encode = game.to_visible.resnet.encode
    true, fake = [encode(one) for one in frames], [encode(one) for one in journey.fakes]
    places = game.draw(true[0])
    heads = game.heads["visible"]

    def nce(query: list[torch.Tensor], key: list[torch.Tensor], tap: int) -> torch.Tensor:
        q, k = (F.normalize(heads(one, places)[tap][0], dim=-1) for one in (query, key))
        return F.cross_entropy(q @ k.T / 0.07, torch.arange(len(q)))

    r, s = (
        torch.stack([nce(v[1], v[2], tap) / nce(v[0], v[1], tap) for tap in range(5)])
        for v in (true, fake)
    )
    wanted = 1 - (r * s).sum() / (r.norm() * s.norm())
    torch.testing.assert_close(found[0], wanted, atol=1e-5, rtol=1e-4)
    torch.manual_seed(9)
    external = game.external("visible", journey)
    torch.manual_seed(9)
    total = torch.zeros(())
    for mine, yours in zip(fake, true, strict=True):
        places = game.draw(yours)
        total = total + torch.stack([nce(mine, yours, tap) for tap in range(5)]).mean()
    torch.testing.assert_close(external[0], total, atol=1e-5, rtol=1e-4)


def test_taps_are_where_the_card_names_them() -> None:
    network = TappedResNet(64)
    maps = network.encode(torch.rand(1, 3, 256, 256) * 2 - 1)
    assert [one.shape[1] for one in maps] == [3, 128, 256, 256, 256]
    assert [one.shape[2] for one in maps] == [262, 128, 64, 64, 128]
    assert maps[2].min() == 0  # behind the ReLU
    assert maps[1].min() < 0  # before the norm


def test_heads_learn_only_where_they_are_to(frozen: FrozenNetworks) -> None:
    training = begin("i2v_gan", frozen)
    assert not any(one.requires_grad for one in training.game.heads.parameters())
    names = [name for name, _ in training.players["translators"].named_parameters()]
    assert not any("heads" in name for name in names)


@pytest.mark.parametrize(
    ("query", "key", "wanted"),
    [
        (torch.eye(4), torch.eye(4), 1.788e-6),
        (torch.zeros(4, 4), torch.eye(4), 1.386294),
        (torch.eye(4), torch.eye(4).roll(1, 0), 14.285716),
    ],
)
def test_the_contrast_has_the_cards_values(
    query: torch.Tensor, key: torch.Tensor, wanted: float
) -> None:
    found = patch_nce(query[None], key[None], temperature=0.07)
    assert float(found) == pytest.approx(wanted, rel=2e-6, abs=2e-7)


def test_gram_has_the_cards_values() -> None:
    found = gram(torch.arange(8.0).view(1, 2, 2, 2))[0]
    torch.testing.assert_close(found, torch.tensor([[1.75, 4.75], [4.75, 15.75]]))


def test_doubling_is_the_authors_fixed_filter() -> None:
    found = F.interpolate(
        torch.tensor([[0.0, 1], [2, 3]])[None, None], scale_factor=2, mode="bilinear"
    )[0, 0]
    wanted = [
        [0, 0.25, 0.75, 1],
        [0.5, 0.75, 1.25, 1.5],
        [1.5, 1.75, 2.25, 2.5],
        [2, 2.25, 2.75, 3],
    ]
    torch.testing.assert_close(found, torch.tensor(wanted))


def test_a_u_net_names_the_sides_that_it_takes() -> None:
    network = UNet(
        in_channels=6,
        out_channels=3,
        downs=7,
        base=2,
        norm=torch.nn.Identity,
        biased=True,
        dropout=0.0,
    )
    with pytest.raises(BadInput, match="multiples of 128"):
        network(torch.zeros(1, 6, 96, 128))


def test_weights_of_forecasters_stay_behind(frozen: FrozenNetworks, tmp_path: Path) -> None:
    translator = begin("i2v_gan", frozen).translator
    assert all(name.startswith("resnet.") for name in translator.state_dict())
