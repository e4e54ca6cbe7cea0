"""A training step recorded once on a GPU, and played again as a whole for every batch.

A step is hundreds to thousands of small kernels, which the host begins one by one; with one image in a
batch the GPU waits for it most of the time. A recorded step (CUDA graph) is begun at once. What is
recorded are addresses and numbers of the host, so it serves only a step in which the host decides
nothing but what it tells: numbers that it draws (base/host_draws.py) and what begins late
(`Progress.has_reached`). That is found out before it is used: the step is rehearsed, recorded, and
compared with an unrecorded one on the state that the training is in, which stays as it was.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Final
from warnings import catch_warnings

import torch
from torch import Tensor

from thermochroma.base import host_draws, whole_batch
from thermochroma.base.host_draws import Draw
from thermochroma.contract.batch import TrainingBatch, with_each
from thermochroma.contract.method import Progress
from thermochroma.training.copies import distance, drawn, kept, of_host
from thermochroma.training.finite import Note
from thermochroma.training.loop import Play, Readings, begin, compute, play
from thermochroma.training.state import Training

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


def play_for(device: torch.device, tell: Callable[[str], object]) -> Play:
    """Return what plays a batch on this device: on one GPU, recorded steps where they can be.

    tell: is told, once, why steps are not recorded.
    """
    if device.type != "cuda" or whole_batch.count() > 1 or os.environ.get(SWITCH) == "0":
        return play
    return Recorded(CudaRecorder(), tell)


class Recorded:
    """Way to play batches: the step is recorded at the first one, batches of another kind are played."""

    def __init__(self, recorder: Recorder, tell: Callable[[str], object]) -> None:
        self._recorder, self._tell = recorder, tell
        self._recording: Recording | None = None
        self.refusal: str | None = None
        """Reason why no step was recorded, if none was."""

    def __call__(self, training: Training, batch: TrainingBatch) -> Readings:
        """Train on a batch; the same numbers as those of `play`."""
        if self._recording is not None and self._recording.is_past(training):
            self._recording = None  # its memory is wanted for the next
        if self._recording is None and self.refusal is None:
            try:
                self._recording = recorded(training, batch, self._recorder)
            except Unrecordable as problem:
                self._refuse(str(problem))
            except torch.OutOfMemoryError:  # copies of the state are compared, and put back before
                self._refuse("the GPU has no memory left to record it")
                torch.cuda.empty_cache()
        if self._recording is None or not self._recording.takes(batch):
            return play(training, batch)
        return self._recording.play(training, batch)

    def _refuse(self, why: str) -> None:
        self.refusal = why
        self._tell(f"each step is begun kernel by kernel: {why}")


@dataclass(frozen=True)
class Found:
    """The places of what a step finds: means of the terms by name, and answers of its checks, joined.

    draws: what draws the host's numbers, in their order, each with their place.
    """

    names: Sequence[str]
    means: Tensor
    notes: Sequence[Note]
    answers: Tensor
    draws: Sequence[tuple[Draw, Tensor]]


@dataclass(frozen=True)
class Recording:
    """One step. batch: the places of its images. layout: of the batches that it takes.

    phase: shares of the training by whether they had been reached.
    """

    batch: TrainingBatch
    layout: list[object]
    phase: Mapping[float, bool]
    found: Found
    do: Work

    def takes(self, batch: TrainingBatch) -> bool:
        """Whether a batch has the kind that was recorded."""
        return _layout(batch) == self.layout

    def is_past(self, training: Training) -> bool:
        """Whether something has begun that had not when it was recorded."""
        now = training.progress
        return any(now.has_reached(share) != reached for share, reached in self.phase.items())

    def play(self, training: Training, batch: TrainingBatch) -> Readings:
        """Train on a batch of that kind."""
        begin(training, batch)
        for place, given in zip(_tensors(self.batch), _tensors(batch), strict=True):
            place.copy_(given)
        found = self.found
        for draw, place in found.draws:
            place.copy_(host_draws.ready(draw(), place.device), non_blocking=True)
        self.do()
        parts = found.answers.clone().split([len(note.finite) for note in found.notes])
        for note, part in zip(found.notes, parts, strict=True):
            training.checks.note(replace(note, finite=part))
        training.advance(len(batch))
        return dict(zip(found.names, found.means.clone().unbind(), strict=True))


def recorded(training: Training, batch: TrainingBatch, recorder: Recorder) -> Recording:
    """Record the step of a training, which is left as it was. Raises Unrecordable."""
    places = with_each(batch, Tensor.clone)
    put_back = kept(training)
    try:
        phase, drawn_to = _rehearse(training, places, recorder)
    finally:
        put_back()
    try:
        found, do = recorder.record(lambda: _step(training, places, drawn_to))
    finally:
        put_back()
    if [id(place) for _, place in found.draws] != [*map(id, drawn_to)]:
        raise Unrecordable("it draws other numbers each time")
    recording = Recording(places, _layout(batch), phase, found, do)
    _compare(training, batch, recording, put_back)
    return recording


def _step(training: Training, batch: TrainingBatch, drawn_to: Sequence[Tensor]) -> Found:
    """Do the step, with a place for everything that comes in and goes out.

    drawn_to: places of what the host draws, in its order. They were there before: memory that is taken
    while a step is recorded may be that of something earlier in it, which would write over them.
    """
    draws: list[tuple[Draw, Tensor]] = []
    free = iter(drawn_to)

    def place_of(draw: Draw, device: torch.device) -> Tensor:
        drawn, place = draw(), next(free, None)
        if place is None or place.shape != drawn.shape or place.dtype != drawn.dtype:
            place = torch.zeros_like(drawn, device=device)  # is refused behind the recording
        draws.append((draw, place))
        return place

    with training.checks.apart() as notes, host_draws.going(place_of):
        readings = compute(training, batch, training.progress)
    means = torch.stack([one.double() for one in readings.values()])
    return Found([*readings], means, notes, torch.cat([note.finite for note in notes]), draws)


def _rehearse(
    training: Training, batch: TrainingBatch, recorder: Recorder
) -> tuple[Mapping[float, bool], list[Tensor]]:
    """Do the step, and refuse one in which the host decides or keeps anything that it does not tell.

    Returns which shares of the training the method asked for, and whether they were reached; and what
    the host drew the last time, on the device.
    """
    now = training.progress
    asked, host = _Asked(images=now.images, of=now.of), _Host(training, recorder.draws)
    begin(training, batch)

    def work() -> None:
        with training.checks.apart(), host_draws.going(host.draw):
            host.drawn.clear()
            host.begin()
            compute(training, batch, asked)
            host.look()

    recorder.rehearse(work)
    if asked.was_asked:
        raise Unrecordable("the method looks at how many images were shown")
    if host.moved:
        raise Unrecordable("the method draws numbers, or keeps images, outside the GPU")
    return asked.answers, host.drawn


@dataclass
class _Host:
    """Whether anything that the host keeps has moved, but for what it draws and sends."""

    training: Training
    draws: str
    moved: bool = False
    drawn: list[Tensor] = field(default_factory=list)
    _before: dict[str, Any] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin to look."""
        self._before = of_host(self.training, self.draws)

    def look(self) -> None:
        """Compare with the last look."""
        self.moved |= distance(self._before, of_host(self.training, self.draws)) > 0

    def draw(self, draw: Draw, device: torch.device) -> Tensor:
        """Draw and send, which may move it."""
        self.look()
        found = host_draws.at_once(draw, device)
        self.drawn.append(found)
        self.begin()
        return found


def _compare(
    training: Training, batch: TrainingBatch, recording: Recording, put_back: Work
) -> None:
    """Refuse a recording whose numbers are not those of unrecorded steps."""

    progress = training.progress

    def after(play_one: Play) -> Any:
        try:
            with training.checks.apart():
                found = []
                for _ in range(COMPARED):
                    training.progress = progress  # nothing new begins meanwhile
                    found.append(play_one(training, batch))
            state = {"network": training.game.state_dict(), "random": drawn()}
            average = training.average.translator.state_dict() if training.average else {}
            return deepcopy({"readings": found, "average": average, **state})
        finally:
            put_back()

    plain, again = after(play), after(recording.play)
    if (away := distance(plain, again)) == 0:
        return
    own = distance(plain, after(play))
    if not away <= LOOSE * own:
        raise Unrecordable(
            f"recorded, its numbers are others (by {away:.1e} of their size after {COMPARED} steps)"
        )


class _Asked(Progress):
    """Progress that notes what it is asked. answers: to `has_reached`, by share."""

    was_asked = False

    @property
    def answers(self) -> dict[float, bool]:
        found: dict[float, bool] = self.__dict__.setdefault("_answers", {})
        return found

    def has_reached(self, share: float) -> bool:
        plain = Progress(images=self.__dict__["images"], of=self.__dict__["of"])
        return self.answers.setdefault(share, plain.has_reached(share))

    def __getattribute__(self, name: str) -> Any:
        if name in ("images", "of", "fraction"):
            object.__setattr__(self, "was_asked", True)
        return super().__getattribute__(name)


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


def _layout(batch: TrainingBatch) -> list[object]:
    return [(one.shape, one.stride(), one.dtype, one.device) for one in _tensors(batch)]
