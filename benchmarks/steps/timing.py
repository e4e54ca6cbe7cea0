"""One of two processes of the benchmark of steps: a training, its step, and the seconds that it takes."""

import time
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.gpu.begun import LONG, begun_of
from benchmarks.steps.hand import Step, by_hand
from tests.examiner import PROCESSOR, batch_of, method_of, settings_of
from tests.layouts import in_layout
from thermochroma.base.device import choose_device
from thermochroma.base.memory import keep_freed
from thermochroma.contract.dummy_input import dummy_input
from thermochroma.contract.method import Method, Progress
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import play
from thermochroma.training.state import Training

TEXT_WIDTH: Final = 512
KINDS: Final = ("ours", "by hand")
FORWARDS: Final = 3


class Layout(Enum):
    """Memory layout, by where the channels are; `own` for that of the stage `train`."""

    FIRST = "first"
    LAST = "last"
    OWN = "own"

    def of(self, method: Method) -> torch.memory_format:
        """What torch calls it."""
        if self is Layout.OWN:
            return method.layout_on(PROCESSOR)
        return torch.contiguous_format if self is Layout.FIRST else torch.channels_last


@dataclass(frozen=True)
class Form:
    """Form of all trainings: weights of frozen networks, factor of widths, least side, layout of ours."""

    weights: Path
    scale: float
    side: int
    layout: Layout


@dataclass
class Case:
    """A training in the middle of its course, and its step on made-up images."""

    training: Training
    step: Step
    seen: Any


_case: Case | None = None
"""That of this process."""


def begin(form: Form, block: str, size: int, kind: str) -> None:
    """Begin a training of one block, of which the other functions of this process tell."""
    global _case
    if kind == "ours":
        choose_device()
        keep_freed()
    settings, method = settings_of(block), method_of(block)
    layout = (form.layout if kind == "ours" else Layout.FIRST).of(method)
    training = begun_of(
        settings,
        method,
        scale=form.scale,
        text_width=TEXT_WIDTH,
        frozen=FrozenNetworks(form.weights),
        device=PROCESSOR,
    )
    training.game.to(memory_format=layout)  # type: ignore[call-overload]
    training.progress = Progress(images=LONG // 2, of=LONG)
    made = batch_of(block, count=size, side=form.side, text_width=TEXT_WIDTH)
    batch: Any = in_layout(made, layout)
    side = method.side_for(form.side)
    seen = dummy_input(method.sees, height=side, width=side, count=size, text_width=TEXT_WIDTH)
    plain = kind == "by hand"
    step = by_hand(training, batch, block) if plain else partial(play, training, batch)
    _case = Case(training, step, in_layout(seen, layout))


def one_step() -> float:
    """Seconds of a step."""
    assert _case is not None
    return _timed(_case.step)


@torch.no_grad()
def forward() -> float:
    """Seconds of the translator's forward pass."""
    assert _case is not None
    translator, seen = _case.training.translator.eval(), _case.seen
    return min(_timed(lambda: translator(seen)) for _ in range(FORWARDS))


def _timed(step: Step) -> float:
    """Seconds of processor time: those of other programs on a shared machine do not count."""
    start = time.process_time()
    step()
    return time.process_time() - start
