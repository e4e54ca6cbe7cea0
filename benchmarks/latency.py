"""Time and memory of one prediction, for image sizes and numbers of cores, through the predictor.

Each number is of a process of its own, so that no other method's memory counts; weights are random, as
they change neither time nor memory. The methods take turns, size by size, as often as `--rounds` says,
so that a neighbour on a shared machine slows all of them alike.

    python -m benchmarks.latency --params params.yaml --sizes 256x256,640x512,1280x1024 \\
        --blocks thermochroma,thermochroma_small,pix2pix,cmmf_net --threads 1,2 --rounds 2
"""

import statistics
import sys
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.apart import apart
from stages.command import run
from thermochroma.base.memory import peak_bytes
from thermochroma.config.params import read_params
from thermochroma.contract.batch import Captioned
from thermochroma.contract.dummy_input import TOKENS
from thermochroma.contract.method import load_method
from thermochroma.export.artifact import build_translator
from thermochroma.export.traits import Traits
from thermochroma.inference.predictor import Predictor
from thermochroma.inference.torch_engine import TorchEngine
from thermochroma.loading.text_features import TextTable
from thermochroma.training.state import seed_everything

TEXT_WIDTH: Final = 512
TIMED: Final = 3  # predictions in each process, after one that warms up


@dataclass(frozen=True)
class Case:
    """One method at one size of images (`width` by `height` pixels) on some cores."""

    block: str
    width: int
    height: int
    threads: int


@dataclass(frozen=True)
class Cost:
    """Milliseconds of each timed prediction; peak of memory, in bytes, that predicting added."""

    milliseconds: tuple[float, ...]
    memory: int


def main(params: Path, blocks: str, sizes: str, threads: str, rounds: str) -> None:
    """Prints a Markdown table: milliseconds a prediction (median), and the memory that it takes."""
    shapes = [tuple(map(int, size.split("x"))) for size in sizes.split(",")]
    counts = map(int, threads.split(","))
    cases = [
        Case(block, width, height, count)
        for (width, height), count, block in product(shapes, counts, blocks.split(","))
    ]
    found: dict[Case, list[Cost]] = {case: [] for case in cases}
    for number, case in product(range(int(rounds)), cases):
        sys.stderr.write(f"round {number + 1}: {case}\n")
        found[case].append(apart(measure, params, case))
    sys.stdout.write(
        "| Image | cores | block | parameters | ms | MiB |\n|---|--:|---|--:|--:|--:|\n"
    )
    for case, costs in found.items():
        middle = statistics.median(one for cost in costs for one in cost.milliseconds)
        memory = max(cost.memory for cost in costs) / 2**20
        size = f"{case.width}x{case.height}"
        count = parameters(params, case.block)
        cells = (size, case.threads, case.block, f"{count:,}", f"{middle:,.0f}", f"{memory:,.0f}")
        sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")


def measure(params: Path, case: Case) -> Cost:
    """Predict one image again and again, at full width."""
    torch.set_num_threads(case.threads)
    predict = predictor_of(params, case.block)
    shape = (1, case.height, case.width)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    before = peak_bytes()
    predict(image)
    times = []
    for _ in range(TIMED):
        start = time.perf_counter()
        predict(image)
        times.append(1000 * (time.perf_counter() - start))
    return Cost(tuple(times), peak_bytes() - before)


def predictor_of(params: Path, block: str) -> Predictor:
    """A predictor with random weights, at the published width."""
    seed_everything(0)
    settings = read_params(params).method(block)
    method = load_method(settings.method)
    translator = build_translator(method, settings, scale=1.0, text_width=TEXT_WIDTH)
    traits = Traits.of(
        method.sees,
        title=block,
        sides_multiple_of=method.sides_multiple_of,
        least_side=method.least_side,
    )
    text = None
    if method.sees is Captioned:
        mask = torch.arange(TOKENS)[None] < 12
        text = TextTable(torch.randn(1, TOKENS, TEXT_WIDTH), mask, {"": 0})
    translator = translator.eval().requires_grad_(False)
    return Predictor(TorchEngine(translator, traits, method.sees, text, torch.device("cpu")))


def parameters(params: Path, block: str) -> int:
    """Number of all weights of the translator, those that are frozen and its encoder's among them."""
    network: Any = predictor_of(params, block).engine
    state = network.translator.state_dict()
    return sum(one.numel() for one in state.values() if one.is_floating_point())


if __name__ == "__main__":
    run(main)
