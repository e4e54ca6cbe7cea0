"""The trainer: equal to a loop written by hand, and insistent."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.examiner import batch_of, begin
from tests.turns import turns_seen
from thermochroma.base.errors import BadInput
from thermochroma.base.whole_batch import whole
from thermochroma.contract.batch import Batch, Still
from thermochroma.contract.method import Game, Progress, Translator, Turn
from thermochroma.contract.settings import OptimizerSettings, Settings
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training import checkpoint
from thermochroma.training.callbacks import At, Every
from thermochroma.training.ema import Average
from thermochroma.training.finite import all_finite
from thermochroma.training.loop import means_of, play, play_all, weigh
from thermochroma.training.optimizers import build_optimizers, rate_factor
from thermochroma.training.state import Training, random_state, seed_everything, set_random_state


def test_pix2pix_equals_a_loop_written_by_hand(frozen: FrozenNetworks) -> None:
    batches = [batch_of("pix2pix", seed=seed) for seed in range(3)]
    training = begin("pix2pix", frozen, images=1000)
    for batch in batches:
        play(training, batch)
    by_hand = begin("pix2pix", frozen, images=1000).game
    _teach_by_hand(by_hand.train(), batches)
    for (name, one), (_, other) in zip(
        training.game.named_parameters(), by_hand.named_parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, msg=name)


def _teach_by_hand(game: Any, batches: list[Batch[Still]]) -> None:
    """Pix2pix as anyone would write it: BCE with weights 0.5, 0.5, 1 and L1 with weight 100."""
    critic, translator = game.critic, game.translator
    steps = [torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (critic, translator)]
    for batch in batches:
        three = batch.seen.thermal.repeat(1, 3, 1, 1)
        fake = translator(batch.seen)
        real_logits = critic(torch.cat([three, batch.target], 1))
        fake_logits = critic(torch.cat([three, fake.detach()], 1))
        steps[0].zero_grad()
        (0.5 * _bce(real_logits, 1.0) + 0.5 * _bce(fake_logits, 0.0)).backward()
        steps[0].step()
        steps[1].zero_grad()
        scored = critic(torch.cat([three, fake], 1))
        (_bce(scored, 1.0) + 100 * F.l1_loss(fake, batch.target)).backward()
        steps[1].step()


def _bce(logits: torch.Tensor, wanted: float) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


class Predict(Translator[Still]):
    """One number that learns."""

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(()))

    def forward(self, seen: Still) -> torch.Tensor:
        return self.level + 0 * seen.thermal.expand(-1, 3, -1, -1)


class Duel(Game[Batch[Still]]):
    """Two players whose terms reach each other's parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.translator, self.rival = Predict(), nn.Linear(1, 1, bias=False)

    def players(self) -> Mapping[str, nn.Module]:
        return {"translator": self.translator, "rival": self.rival}

    def turns(self, batch: Batch[Still], progress: Progress) -> Iterator[Turn]:
        output = self.translator(batch.seen).mean((1, 2, 3))
        yield Turn("translator", {"far": (output - 3) ** 2 * self.rival.weight.sum()})
        yield Turn("rival", {"close": output.detach() * self.rival.weight.sum()})


class LeakingDuel(Duel):
    """Cuts the rival's number off by itself, out of its turn."""

    def turns(self, batch: Batch[Still], progress: Progress) -> Iterator[Turn]:
        for turn in super().turns(batch, progress):
            yield turn
            self.rival.weight.data.mul_(0.5)


def _duel(weights: dict[str, float], kind: type[Duel] = Duel) -> Training:
    seed_everything(0)
    game = kind()
    adam = OptimizerSettings(kind="adam", lr=0.1, betas=(0.9, 0.999))
    settings = Settings.model_construct(
        method="duel",
        optimizers={"translator": adam, "rival": adam},
        constant_share=0.5,
        average_half_life_images=None,
        weights=_Weights(weights),
    )
    return Training(
        game=game,
        translator=game.translator,
        settings=settings,
        images=100,
        reading_every_images=10,
    )


class _Weights(dict[str, float]):
    def model_dump(self) -> dict[str, float]:
        return dict(self)


def _batch(target: float = 0.0) -> Batch[Still]:
    return Batch(
        seen=Still(thermal=torch.zeros(2, 1, 4, 4)),
        target=torch.full((2, 3, 4, 4), target),
        frames=("one", "two"),
    )


def test_a_turn_leaves_the_other_player_alone() -> None:
    training = _duel({"far": 1.0, "close": 0.0})
    rival = training.players["rival"].weight.detach().clone()
    play(training, _batch())
    assert training.translator.level != 0
    assert torch.equal(training.players["rival"].weight, rival)
    assert all(parameter.grad is None for parameter in training.game.parameters())


def test_what_moves_out_of_its_turn_is_seen() -> None:
    weights = {"far": 1.0, "close": 1.0}
    training = _duel(weights)
    play(training, _batch())  # the rival's gradient is 0 until the translator predicts something
    sound = turns_seen(training, _batch())
    assert (sound.moved, sound.strays) == ({"translator": True, "rival": True}, [])
    assert (sound.terms, sound.reached) == ({"far", "close"}, {"translator": 1, "rival": 1})
    leaking = turns_seen(_duel(weights, LeakingDuel), _batch())
    assert leaking.strays == ["rival outside turns"] * 2
    training = _duel(weights)
    rival = training.players["rival"].weight.data
    training.optimizers["translator"].register_step_post_hook(lambda *_: rival.mul_(0.5))
    assert turns_seen(training, _batch()).strays == ["rival in the turn of translator"]


def test_a_term_without_a_weight_is_refused() -> None:
    with pytest.raises(BadInput, match=r"\['close'\] have no weight"):
        play(_duel({"far": 1.0}), _batch())


def test_weights_and_means() -> None:
    terms = {"a": torch.tensor([1.0, 3.0]), "b": torch.tensor([10.0, 30.0])}
    assert weigh(means_of(terms), {"a": 2.0, "b": 0.5, "unused": 7.0}) == 2 * 2 + 0.5 * 20


def test_what_is_not_finite_stops_before_the_step() -> None:
    training = _duel({"far": 1.0, "close": 1.0})
    with torch.no_grad():
        training.translator.level.fill_(float("nan"))
    before = training.players["rival"].weight.detach().clone()
    with pytest.raises(BadInput, match=r"turn of `translator`.*\['far'\].*frames one, two"):
        play(training, _batch())
    assert torch.equal(training.players["rival"].weight, before)
    assert training.progress.images == 0


class Root(Duel):
    """A finite term whose gradient is not: the square root of 0."""

    def turns(self, batch: Batch[Still], progress: Progress) -> Iterator[Turn]:
        output = self.translator(batch.seen).mean((1, 2, 3))
        yield Turn("translator", {"far": output.sqrt(), "close": output})


def test_a_gradient_that_is_not_finite_stops_before_the_step() -> None:
    training = _duel({"far": 1.0, "close": 0.0})
    training.game.turns = Root.turns.__get__(training.game)  # type: ignore[method-assign]
    before = training.translator.level.detach().clone()
    with pytest.raises(BadInput, match=r"`translator`, gradients .*\['far'\].*frames one, two"):
        play(training, _batch())
    assert torch.equal(training.translator.level, before)
    assert all(parameter.grad is None for parameter in training.game.parameters())


@pytest.mark.parametrize("may_wait", [True, False])
@pytest.mark.parametrize(
    ("number", "finite"), [(1.0, True), (3e38, True), (float("inf"), False), (float("nan"), False)]
)
def test_numbers_whose_sum_is_too_large_are_finite(
    number: float, finite: bool, may_wait: bool
) -> None:
    both = [torch.ones(3), torch.tensor([1.0, number, number])]
    assert bool(all_finite(both, may_wait=may_wait)) is finite
    assert all_finite([], may_wait=may_wait)


def test_on_a_processor_sums_are_asked_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.utils, "get_total_norm", None)
    play(_duel({"far": 1.0, "close": 1.0}), _batch())


def _roots_on_a_gpu(target: float) -> tuple[Training, Batch[Still]]:
    training = _duel({"far": 1.0, "close": 0.0})
    training.game.turns = Root.turns.__get__(training.game)  # type: ignore[method-assign]
    training.checks.defers = True
    with torch.no_grad():
        training.translator.level.fill_(target)
    return training, _batch()


def test_on_a_gpu_it_is_told_later_and_nothing_is_stepped_meanwhile(tmp_path: Path) -> None:
    training, batch = _roots_on_a_gpu(0.0)
    before = training.translator.level.detach().clone()
    for _ in range(2):
        play(training, batch)
    assert training.progress.images == 4, "nobody has looked yet"
    assert torch.equal(training.translator.level, before)
    moments = training.optimizers["translator"].state[training.translator.level]
    assert float(moments["step"]) == 0
    with pytest.raises(BadInput, match=r"^after 0 images.*gradients .*\['far'\].*one, two"):
        checkpoint.save(training, tmp_path / "checkpoint", fingerprint="f")
    assert not [*(tmp_path / "checkpoint").iterdir()]


def test_on_a_gpu_it_is_told_with_the_readings_at_the_latest() -> None:
    training, batch = _roots_on_a_gpu(0.0)
    with pytest.raises(BadInput, match=r"^after 0 images"):
        play_all(training, ((batch, whole(2)) for _ in range(9)), [])
    assert training.progress.images == 10, "readings are closed every ten images"
    assert not training.metric_log.rows
    training, batch = _roots_on_a_gpu(0.0)
    with pytest.raises(BadInput, match=r"^after 0 images"):
        play_all(training, [(batch, whole(2))], [])


def test_waiting_to_tell_changes_no_bit() -> None:
    (now, batch), (later, _) = _roots_on_a_gpu(1.0), _roots_on_a_gpu(1.0)
    now.checks.defers = False
    for training in (now, later):
        play_all(training, [(batch, whole(2))] * 3, [])
    states = [one.optimizers["translator"].state[one.translator.level] for one in (now, later)]
    assert torch.equal(now.translator.level, later.translator.level)
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_optimizers_name_exactly_the_players() -> None:
    adam = OptimizerSettings(kind="adam", lr=0.1, betas=(0.9, 0.999))
    with pytest.raises(BadInput, match="exactly the players"):
        build_optimizers(Duel().players(), {"translator": adam})


@pytest.mark.parametrize(
    ("images", "factor"), [(0, 1.0), (50, 1.0), (75, 0.5), (98, 0.04), (99, 0.02)]
)
def test_the_rate_falls_and_never_is_zero(images: int, factor: float) -> None:
    assert rate_factor(Progress(images=images, of=100), constant_share=0.5) == pytest.approx(factor)


def test_the_average_has_its_half_life() -> None:
    translator = Predict()
    average = Average(translator, half_life_images=10)
    with torch.no_grad():
        translator.level.fill_(1.0)
    for _ in range(5):
        average.move(translator, images=2)  # ten images
    assert float(average.translator.level) == pytest.approx(0.5)


def test_a_fingerprint_changes_with_each_part() -> None:
    parts: dict[str, object] = {"settings": {"a": 1, "b": [1, 2]}, "seed": 0}
    assert checkpoint.fingerprint_of(**parts) == checkpoint.fingerprint_of(
        seed=0, settings={"b": [1, 2], "a": 1}
    )
    for other in ({"settings": {"a": 1, "b": [2, 1]}}, {"seed": 1}):
        assert checkpoint.fingerprint_of(**{**parts, **other}) != checkpoint.fingerprint_of(**parts)


def test_random_states_go_back() -> None:
    seed_everything(3)
    state = random_state()
    first = torch.rand(2)
    set_random_state(state)
    assert torch.equal(torch.rand(2), first)


def test_every_comes_round_by_images_and_at_the_end() -> None:
    training = _duel({"far": 1.0, "close": 0.0})
    called: list[int] = []
    watcher = Every(10, lambda one: called.append(one.progress.images))
    for images in range(3, 33, 3):
        training.progress = replace(training.progress, images=images, of=30)
        watcher(training, 3)
    assert called == [12, 21, 30]


def test_at_comes_once_for_the_batch_that_reaches_its_number() -> None:
    training = _duel({"far": 1.0, "close": 0.0})
    called: list[int] = []
    watcher = At({4, 9, 20, 21}, lambda one: called.append(one.progress.images))
    for images in range(3, 33, 3):
        training.progress = replace(training.progress, images=images, of=30)
        watcher(training, 3)
    assert called == [6, 9, 21]
