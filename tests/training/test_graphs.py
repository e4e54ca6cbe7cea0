"""Recorded steps: the numbers of unrecorded ones, or none. A processor stands in for the GPU's recorder."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.examiner import batch_of, begin
from thermochroma.base import host_draws
from thermochroma.base.errors import BadInput
from thermochroma.base.whole_batch import whole
from thermochroma.contract.batch import Batch
from thermochroma.contract.method import Progress
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.image_pool import ImagePool
from thermochroma.training import copies, graphs
from thermochroma.training.copies import distance
from thermochroma.training.graphs import Found, Recorded, Recorder, Work, play_for
from thermochroma.training.loop import Play, compute, play, play_all
from thermochroma.training.state import Training, random_state

PLAIN = ("pix2pix", "cyclegan", "reference_contrastive", "thermal_mask")


@pytest.fixture(autouse=True)
def _types_draw_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever checks the types in the tests draws from Python's own random numbers; one step is enough."""
    monkeypatch.setattr(graphs, "COMPARED", 1)
    for module in (graphs, copies):
        monkeypatch.setattr(module, "drawn", _drawn)


def _drawn() -> dict[str, Any]:
    return {name: value for name, value in random_state().items() if name != "python"}


class Made(TorchDispatchMode):
    """Keeps whatever is made meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Any] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        self.made.append(found)
        return found


class Repeating(Recorder):
    """Recorder that does the work anew, between the same places. off: added to every mean.

    lost: places of drawn numbers that were made while recording.
    """

    def __init__(self, off: float = 0.0, draws: str = "torch") -> None:
        self.off, self.draws, self.rehearsed, self.done = off, draws, 0, 0
        self.lost: set[int] = set()

    def rehearse(self, work: Work) -> None:
        work()
        self.rehearsed += 1

    def record(self, work: Callable[[], Found]) -> tuple[Found, Work]:
        with Made() as taken:
            found = work()
        # A GPU gives such memory to several things in a row: what is put there before is gone.
        self.lost = {id(place) for _, place in found.draws} & set(map(id, taken.made))

        def do() -> None:
            places = iter([place for _, place in found.draws])
            with patch.object(graphs, "_step", partial(_with, places)):
                new = work()
            found.means.copy_(new.means + self.off)
            found.answers.copy_(new.answers)
            self.done += 1

        return found, do


def _with(places: Iterator[Tensor], training: Training, batch: Any, _drawn_to: object) -> Found:
    """The step with the numbers that were drawn for it, as a recording reads them."""
    with (
        training.checks.apart() as notes,
        host_draws.going(lambda _draw, _device: next(places)),
    ):
        readings = compute(training, batch, training.progress)
    means = torch.stack([one.double() for one in readings.values()])
    return Found([*readings], means, notes, torch.cat([note.finite for note in notes]), [])


def _begun(block: str, frozen: FrozenNetworks, images: int = 1000) -> Training:
    training = begin(block, frozen, images=images, scale=1 / 64)
    training.checks.defers = True  # as on a GPU
    return training


def _after(
    block: str,
    frozen: FrozenNetworks,
    batches: Sequence[Any],
    play_one: Play,
    *,
    skipped: int = 0,
    images: int = 1000,
) -> dict[str, Any]:
    """State after some batches, of which the first ones are played in any case."""
    training = _begun(block, frozen, images)
    for module in training.game.modules():
        if isinstance(module, ImagePool):
            module.size = min(module.size, 1)
    play_all(training, [(one, whole(len(one))) for one in batches[:skipped]], [])
    play_all(training, [(one, whole(len(one))) for one in batches[skipped:]], [], play_one)
    state = deepcopy(training.state_dict())
    return {**state, "random": _drawn()}


@pytest.mark.parametrize("block", PLAIN)
def test_a_recorded_training_has_the_bits_of_an_unrecorded_one(
    block: str, frozen: FrozenNetworks
) -> None:
    batches = [batch_of(block, seed=seed) for seed in range(4)]
    told: list[str] = []
    recorder = Repeating()  # from the second batch on, as behind a checkpoint
    found = _after(block, frozen, batches, Recorded(recorder, told.append), skipped=1)
    assert (told, recorder.rehearsed, recorder.done) == ([], 1, graphs.COMPARED + 3)
    assert not recorder.lost
    assert distance(_after(block, frozen, batches, play), found) == 0


def test_a_batch_of_another_size_is_played_unrecorded(frozen: FrozenNetworks) -> None:
    one, other = batch_of("pix2pix", seed=0), batch_of("pix2pix", seed=1, count=1)
    recorder = Repeating()
    found = _after("pix2pix", frozen, [one, other, one], Recorded(recorder, print))
    assert recorder.done == graphs.COMPARED + 2
    assert distance(_after("pix2pix", frozen, [one, other, one], play), found) == 0


def test_a_step_that_draws_other_numbers_each_time_is_not_recorded(frozen: FrozenNetworks) -> None:
    told: list[str] = []
    with patch.object(graphs, "compute", _drawing_more_and_more()):
        play_all(
            _begun("pix2pix", frozen),
            [(batch_of("pix2pix", seed=0), whole(2))],
            [],
            Recorded(Repeating(), told.append),
        )
    assert told == ["each step is begun kernel by kernel: it draws other numbers each time"]


def _drawing_more_and_more() -> Callable[..., Any]:
    shapes = iter(range(1, 100))

    def drawing(training: Training, batch: Any, progress: Progress) -> Any:
        host_draws.sent(lambda: torch.rand(next(shapes)), torch.device("cpu"))
        return compute(training, batch, progress)

    return drawing


def test_what_begins_late_is_recorded_anew(frozen: FrozenNetworks) -> None:
    batches = [batch_of("scgan", seed=seed) for seed in range(3)]
    recorder = Repeating()
    found = _after("scgan", frozen, batches, Recorded(recorder, print), images=12)
    assert (recorder.rehearsed, recorder.done) == (2, 2 * graphs.COMPARED + 3)
    assert distance(_after("scgan", frozen, batches, play, images=12), found) == 0


def _looking(training: Training, batch: Any, progress: Progress) -> Any:
    assert progress.images >= 0
    return compute(training, batch, progress)


def _drawing(training: Training, batch: Any, progress: Progress) -> Any:
    np.random.random()
    return compute(training, batch, progress)


@pytest.mark.parametrize(("way", "why"), [(_looking, "how many images"), (_drawing, "draws")])
def test_where_the_host_decides_nothing_is_recorded_and_nothing_changes(
    way: Any, why: str, frozen: FrozenNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "compute", way)
    batches = [batch_of("cyclegan", seed=seed) for seed in range(2)]
    told: list[str] = []
    recorder = Repeating()
    found = _after("cyclegan", frozen, batches, Recorded(recorder, told.append))
    assert len(told) == 1 and "kernel by kernel" in told[0] and why in told[0]
    assert (recorder.rehearsed, recorder.done) == (1, 0)
    assert distance(_after("cyclegan", frozen, batches, play), found) == 0


class _Full(Repeating):
    """Recorder on a GPU whose memory ends behind a rehearsal."""

    def rehearse(self, work: Work) -> None:
        super().rehearse(work)
        raise torch.OutOfMemoryError


def test_without_memory_to_record_it_is_trained_all_the_same(frozen: FrozenNetworks) -> None:
    told: list[str] = []
    batches = [batch_of("pix2pix", seed=0)]
    found = _after("pix2pix", frozen, batches, Recorded(_Full(), told.append))
    assert "no memory left" in told[0]
    assert distance(_after("pix2pix", frozen, batches, play), found) == 0


def test_a_recording_with_other_numbers_is_not_used(frozen: FrozenNetworks) -> None:
    told: list[str] = []
    batches = [batch_of("pix2pix", seed=0)]
    found = _after("pix2pix", frozen, batches, Recorded(Repeating(off=1e-3), told.append))
    assert "its numbers are others" in told[0]
    assert distance(_after("pix2pix", frozen, batches, play), found) == 0


def test_what_is_not_finite_names_the_batch_that_it_came_with(frozen: FrozenNetworks) -> None:
    training, play_one = _begun("pix2pix", frozen), Recorded(Repeating(), lambda _: None)
    good = batch_of("pix2pix", seed=0)
    bad: Batch[Any] = replace(
        good, target=torch.full_like(good.target, torch.nan), frames=("broken", "too")
    )
    with pytest.raises(BadInput, match=r"^after 2 images, .*on the frames broken, too"):
        play_all(training, [(good, whole(2)), (bad, whole(2))], [], play_one)


def test_progress_that_is_looked_at_is_noticed() -> None:
    asked: Progress = graphs._Asked(images=1, of=4)
    assert isinstance(asked, graphs._Asked)
    assert not asked.was_asked
    assert asked.fraction == 0.25 and asked.was_asked


def test_on_a_processor_and_where_it_is_switched_off_steps_are_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert play_for(torch.device("cpu"), print) is play
    assert isinstance(play_for(torch.device("cuda"), print), Recorded)
    monkeypatch.setenv(graphs.SWITCH, "0")
    assert play_for(torch.device("cuda"), print) is play


def test_distances() -> None:
    one = torch.tensor([3.0, 4.0])
    assert distance({"a": [one]}, {"a": [one.clone()]}) == 0
    assert distance(one, torch.tensor([3.0, 4.5])) == pytest.approx(0.1)
    assert distance([one], []) == distance({"a": one}, {"b": one}) == float("inf")
    assert distance(one, torch.ones(3)) == distance(1, 2) == float("inf")
