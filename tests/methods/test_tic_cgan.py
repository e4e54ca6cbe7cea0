"""TIC-CGAN: published sizes, wiring, losses restated."""

import pytest
import torch
from torch.nn import functional as F

from tests.examiner import batch_of, begin, method_of, settings_of
from tests.paired_terms import expected_terms
from thermochroma.contract.batch import Batch, Still
from thermochroma.contract.method import Progress, Turn
from thermochroma.export.artifact import build_translator
from thermochroma.games.paired_adversarial import PairedAdversarialGame
from thermochroma.methods.tic_cgan import TicTranslator, tic_game
from thermochroma.networks.frozen import FrozenNetworks

START = Progress(images=0, of=10)


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _game(frozen: FrozenNetworks, **changes: str) -> PairedAdversarialGame:
    torch.manual_seed(0)
    translator = TicTranslator(scale=1 / 16, thermal_channels=3)
    game = settings_of("tic_cgan").game.model_dump() | changes
    return tic_game(translator=translator, scale=1 / 16, frozen=frozen, **game).train()


@pytest.mark.parametrize(
    "channels, parts, critic",
    [(3, (45_583_936, 23_232, 244_739), 695_777), (1, (45_577_664, 20_096, 244_739), 694_753)],
)
def test_every_part_has_the_published_size(
    channels: int, parts: tuple[int, ...], critic: int, frozen: FrozenNetworks
) -> None:
    settings, method = settings_of("tic_cgan"), method_of("tic_cgan")
    translator = settings.translator.model_copy(update={"thermal_channels": channels})
    changed = settings.model_copy(update={"translator": translator})
    with torch.device("meta"):
        full = build_translator(method, changed, scale=1.0, text_width=0)
        game = method.game(translator=full, scale=1.0, frozen=frozen, **settings.game.model_dump())
    assert tuple(_count(part) for part in (full.coarse, full.fine, full.paint)) == parts
    assert _count(full) == {3: 45_851_907, 1: 45_842_499}[channels]
    assert _count(game.critic) == critic


def test_convolutions_start_normally_with_spread_002_and_without_bias() -> None:
    torch.manual_seed(0)
    translator = TicTranslator(scale=0.25, thermal_channels=3)
    for name, parameter in translator.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any(), name
        elif parameter.numel() > 5_000:
            assert float(parameter.detach().std()) == pytest.approx(0.02, rel=0.1), name


def test_fine_features_are_added_to_the_coarse_ones_of_a_image_of_half_the_sides() -> None:
    torch.manual_seed(0)
    translator = TicTranslator(scale=1 / 16, thermal_channels=1)
    thermal = torch.rand(1, 1, 64, 64) * 2 - 1
    # a mean over 3x3 that counts only what lies inside the image
    ones = torch.ones(1, 1, 3, 3)
    inside = F.conv2d(torch.ones_like(thermal), ones, stride=2, padding=1)
    shrunk = F.conv2d(thermal, ones, stride=2, padding=1) / inside
    expected = translator.paint(translator.fine(thermal) + translator.coarse(shrunk))
    torch.testing.assert_close(translator(Still(thermal=thermal)), expected)
    assert translator.coarse(shrunk).shape == translator.fine(thermal).shape == (1, 4, 32, 32)


@pytest.mark.parametrize("criterion", ["cross_entropy", "least_squares"])
def test_the_terms_are_the_cards_formulas(criterion: str, frozen: FrozenNetworks) -> None:
    game, batch = _game(frozen, criterion=criterion), batch_of("tic_cgan")
    critic, translator = game.turns(batch, START)
    fake = game.translator(batch.seen)
    expected = expected_terms(game, batch, fake, criterion=criterion, frozen=frozen)
    found = {name: term.mean() for name, term in {**critic.terms, **translator.terms}.items()}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)


def test_the_weights_are_the_authors() -> None:
    assert settings_of("tic_cgan").weights.model_dump() == {
        "critic_real": 0.5,
        "critic_fake": 0.5,
        "content": 1.0,
        "adversarial": 0.03,
        "perceptual": 1.0,
        "tv": 1.0,
    }


def test_the_translator_faces_the_critic_as_just_taught(frozen: FrozenNetworks) -> None:
    game = _game(frozen)
    turns = game.turns(batch_of("tic_cgan"), START)
    assert next(turns).player == "critic"
    for parameter in game.critic.parameters():
        torch.nn.init.zeros_(parameter)
    taught: Turn = next(turns)
    assert taught.player == "translator"
    assert taught.terms["adversarial"].tolist() == pytest.approx([0.693147] * 2)


def test_the_history_keeps_pairs_and_the_critic_learns_from_former_ones(
    frozen: FrozenNetworks,
) -> None:
    game = _game(frozen)
    first: Batch = batch_of("tic_cgan", count=2)
    for _ in game.turns(first, START):
        pass
    assert [kept.shape for kept in game.pool.kept] == [(6, 64, 64)] * 2
    torch.testing.assert_close(game.pool.kept[0][:3], first.seen.thermal[0].repeat(3, 1, 1))


def test_it_is_taught_by_the_authors_optimizers(frozen: FrozenNetworks) -> None:
    for name, optimizer in begin("tic_cgan", frozen).optimizers.items():
        group = optimizer.param_groups[0]
        assert type(optimizer) is torch.optim.Adam, name
        assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 0), name
