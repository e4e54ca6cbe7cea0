"""A training step recorded once on a GPU, and played again as a whole for every batch.

A step is hundreds to thousands of small kernels, which the host begins one by one; with one image in a
batch the GPU waits for it most of the time. A recorded step (CUDA graph) is begun at once. What is
recorded are addresses and numbers of the host, so it serves only a step in which the host decides
nothing. That is found out before it is used: the step is rehearsed, recorded, and compared with an
unrecorded one on the state that the training is in, which stays as it was.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, cast
from warnings import catch_warnings

import torch
from torch import Tensor

from thermochroma.base import whole_batch
from thermochroma.contract.batch import TrainingBatch
from thermochroma.contract.method import Progress
from thermochroma.training.finite import Note
from thermochroma.training.loop import Player, Readings, begin, compute, play
from thermochroma.training.state import Training, random_state, set_random_state

SWITCH: Final = "THERMOCHROMA_GRAPHS"
"""Variable of a machine: 0 for steps that are begun kernel by kernel."""
REHEARSALS: Final = 3
COMPARED: Final = 3
"""Steps after which a recorded and an unrecorded training are compared."""
LOOSE: Final = 3.0
"""Times the distance between two unrecorded trainings that a recorded one may have, where an operation
without a deterministic form gives other last bits each time."""

Work = Callable[[], object]


class Unrecordable(Exception):
    """Step that cannot be recorded; the text says why, as the end of a sentence."""


class Recorder(ABC):
    """Device that records what it is given. draws: whose random numbers are drawn anew in what it records,
    by the names of `random_state`."""

    draws: str

    @abstractmethod
    def rehearse(self, work: Work) -> None:
        """Do the work a few times, as recording wants it. Raises Unrecordable if the host waits in it."""

    @abstractmethod
    def record(self, work: Callable[[], "Found"]) -> "tuple[Found, Work]":
        """Record the work; returns the places of what it finds, and what does it. Raises Unrecordable."""


class CudaRecorder(Recorder):
    """The GPU in use."""

    draws = "cuda"

    def rehearse(self, work: Work) -> None:
        """Do the work on a stream of its own; the last time, the host must not wait for the device."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(REHEARSALS - 1):
                work()
            with _refusing(), catch_warnings(action="ignore"):  # of a prototype
                torch.cuda.set_sync_debug_mode("error")
                try:
                    work()
                finally:
                    torch.cuda.set_sync_debug_mode("default")
        torch.cuda.current_stream().wait_stream(stream)

    def record(self, work: Callable[[], "Found"]) -> "tuple[Found, Work]":
        """Record the work as a CUDA graph."""
        graph = torch.cuda.CUDAGraph()
        # Threads that pin images meanwhile are none of its business.
        with _refusing(), torch.cuda.graph(graph, capture_error_mode="thread_local"):
            found = work()
        return found, graph.replay


def player_for(device: torch.device, tell: Callable[[str], object]) -> Player:
    """Return what plays a batch on this device: on one GPU, recorded steps where they can be.

    tell: is told, once, why steps are not recorded.
    """
    if device.type != "cuda" or whole_batch.count() > 1 or os.environ.get(SWITCH) == "0":
        return play
    return Recorded(CudaRecorder(), tell)


class Recorded:
    """Player of batches whose step is recorded at the first one; others than that one's kind are played."""

    def __init__(self, recorder: Recorder, tell: Callable[[str], object]) -> None:
        self._recorder, self._tell = recorder, tell
        self._recording: Recording | None = None
        self.refusal: str | None = None
        """Why no step was recorded, if none was."""

    def __call__(self, training: Training, batch: TrainingBatch) -> Readings:
        """Train on a batch; the same numbers as those of `play`."""
        if self._recording is None and self.refusal is None:
            try:
                self._recording = recorded(training, batch, self._recorder)
            except Unrecordable as problem:
                self.refusal = str(problem)
                self._tell(f"each step is begun kernel by kernel: {self.refusal}")
        if self._recording is None or not self._recording.takes(batch):
            return play(training, batch)
        return self._recording.play(training, batch)


@dataclass(frozen=True)
class Found:
    """The places of what a step finds: means of the terms by name, and answers of its checks, joined."""

    names: Sequence[str]
    means: Tensor
    notes: Sequence[Note]
    answers: Tensor


@dataclass(frozen=True)
class Recording:
    """One step. batch: the places of its images. layout: of the batches that it takes."""

    batch: TrainingBatch
    layout: list[object]
    found: Found
    do: Work

    def takes(self, batch: TrainingBatch) -> bool:
        """Whether a batch has the kind that was recorded."""
        return _layout(batch) == self.layout

    def play(self, training: Training, batch: TrainingBatch) -> Readings:
        """Train on a batch of that kind."""
        begin(training, batch)
        for place, given in zip(_tensors(self.batch), _tensors(batch), strict=True):
            place.copy_(given)
        self.do()
        found = self.found
        parts = found.answers.clone().split([len(note.finite) for note in found.notes])
        for note, part in zip(found.notes, parts, strict=True):
            training.checks.note(replace(note, finite=part))
        training.advance(len(batch))
        return dict(zip(found.names, found.means.clone().unbind(), strict=True))


def recorded(training: Training, batch: TrainingBatch, recorder: Recorder) -> Recording:
    """Record the step of a training, which is left as it was. Raises Unrecordable."""
    places = cast(TrainingBatch, _copied(batch))
    put_back = _kept(training)
    try:
        _rehearse(training, places, recorder)
    finally:
        put_back()

    def work() -> Found:
        with training.checks.apart() as notes:
            readings = compute(training, places, training.progress)
        means = torch.stack([one.double() for one in readings.values()])
        return Found([*readings], means, notes, torch.cat([note.finite for note in notes]))

    try:
        found, do = recorder.record(work)
    finally:
        put_back()
    recording = Recording(places, _layout(batch), found, do)
    _compare(training, batch, recording, put_back)
    return recording


def _rehearse(training: Training, batch: TrainingBatch, recorder: Recorder) -> None:
    """Do the step, and refuse one in which the host decides anything, or keeps anything."""
    before = _of_host(training, recorder.draws)
    asked = _Asked(images=training.progress.images, of=training.progress.of)
    begin(training, batch)

    def work() -> None:
        with training.checks.apart():
            compute(training, batch, asked)

    recorder.rehearse(work)
    if asked.was_asked:
        raise Unrecordable("the method looks at how many images were shown")
    if _distance(before, _of_host(training, recorder.draws)) > 0:
        raise Unrecordable("the method draws numbers, or keeps images, outside the GPU")


def _compare(
    training: Training, batch: TrainingBatch, recording: Recording, put_back: Work
) -> None:
    """Refuse a recording whose numbers are not those of unrecorded steps."""

    def after(player: Player) -> Any:
        try:
            with training.checks.apart():
                found = [player(training, batch) for _ in range(COMPARED)]
            state = {"network": training.game.state_dict(), "random": drawn()}
            average = training.average.translator.state_dict() if training.average else {}
            return deepcopy({"readings": found, "average": average, **state})
        finally:
            put_back()

    plain, again = after(play), after(recording.play)
    if (away := _distance(plain, again)) == 0:
        return
    own = _distance(plain, after(play))
    if not away <= LOOSE * own:
        raise Unrecordable(
            f"recorded, its numbers are others (by {away:.1e} of their size after {COMPARED} steps)"
        )


class _Asked(Progress):
    """Progress that knows whether anybody looked at it."""

    was_asked = False

    def __getattribute__(self, name: str) -> Any:
        if name in ("images", "of", "fraction"):
            object.__setattr__(self, "was_asked", True)
        return super().__getattribute__(name)


def _kept(training: Training) -> Work:
    """Copy everything that a step changes; returns what puts it back, into the same memory."""
    game = deepcopy(training.game.state_dict())
    average = deepcopy(training.average.translator.state_dict()) if training.average else {}
    moments = {
        (id(parameter), key): value.clone()
        for optimizer in training.optimizers.values()
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
    }
    host, progress = random_state(), training.progress

    @torch.no_grad()
    def put_back() -> None:
        training.game.load_state_dict(game)
        if training.average:
            training.average.translator.load_state_dict(average)
        for optimizer in training.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
            for parameter, state in optimizer.state.items():
                for key, value in state.items():
                    former = moments.get((id(parameter), key))
                    value.zero_() if former is None else value.copy_(former)
        set_random_state(host)
        training.progress = progress

    return put_back


def _of_host(training: Training, draws: str) -> dict[str, Any]:
    """What the host keeps: what is in networks beside tensors, and random states but those of `draws`."""
    state = {
        name: value
        for name, value in training.game.state_dict().items()
        if not isinstance(value, Tensor)
    }
    random = {name: value for name, value in drawn().items() if name != draws}
    return deepcopy({"kept": state, "random": random})


def drawn() -> dict[str, Any]:
    """How far all random numbers have been drawn."""
    return random_state()


def _distance(one: Any, other: Any) -> float:
    """Largest relative distance between the tensors of two states; infinite where anything else differs."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if one.shape != other.shape:
            return float("inf")
        if torch.equal(one, other):
            return 0.0
        length = float(one.double().norm())
        away = float((one.double() - other.double()).norm())
        return away / length if length > 0 and away < float("inf") else float("inf")
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return float("inf")
        return max((_distance(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return float("inf")
        return max(map(_distance, one, other), default=0.0)
    return 0.0 if one == other else float("inf")


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what torch raises for a step that it cannot record into Unrecordable."""
    try:
        yield
    except RuntimeError as problem:  # memory, too: recorded steps keep all of theirs
        lines = str(problem).strip().splitlines()
        raise Unrecordable(lines[0][:200] if lines else type(problem).__name__) from problem


def _tensors(batch: Any) -> Iterator[Tensor]:
    """Tensors of a batch, those of its parts among them, in their order."""
    for one in fields(batch):
        value = getattr(batch, one.name)
        if isinstance(value, Tensor):
            yield value
        elif is_dataclass(value):
            yield from _tensors(value)


def _copied(batch: Any) -> Any:
    """Copy of a batch, with memory of its own."""
    changed: dict[str, Any] = {}
    for one in fields(batch):
        value = getattr(batch, one.name)
        if isinstance(value, Tensor):
            changed[one.name] = value.clone()
        elif is_dataclass(value):
            changed[one.name] = _copied(value)
    return replace(batch, **changed)


def _layout(batch: TrainingBatch) -> list[object]:
    return [(one.shape, one.stride(), one.dtype, one.device) for one in _tensors(batch)]
