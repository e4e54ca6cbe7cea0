"""Time and memory of one prediction, by torch and ONNX Runtime, for image sizes and numbers of cores.

Both go through the predictor, from bytes to bytes. Each number is of a process of its own, so that no
other method's memory counts; weights are random, as they change neither time nor memory. The methods take
turns, size by size, as often as `--rounds` says, so that a neighbour on a shared machine slows all of them
alike. `--batches` tells how many images go at once; the times are for one of them, the memory for all.

    python -m benchmarks.latency --params params.yaml --sizes 256x256,640x512 --threads 1,2 --rounds 2 \\
        --blocks thermochroma,thermochroma_small,pix2pix,cmmf_net --runtimes torch,onnx --batches 1
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import UInt8

from benchmarks.apart import apart
from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.base.memory import peak_bytes
from thermochroma.config.params import read_params
from thermochroma.contract.batch import Captioned
from thermochroma.contract.dummy_input import TOKENS
from thermochroma.contract.method import load_method
from thermochroma.export.artifact import build_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.export.to_onnx import FixedText, write_onnx
from thermochroma.export.traits import Traits
from thermochroma.inference.onnx_engine import load_engine as load_onnx
from thermochroma.inference.predictor import Predictor
from thermochroma.inference.torch_engine import TorchEngine
from thermochroma.loading.text_features import TextTable
from thermochroma.training.state import seed_everything

TEXT_WIDTH: Final = 512
RUNTIMES: Final = ("torch", "onnx")
TIMED: Final = 3  # predictions in each process, after one that warms up


@dataclass(frozen=True)
class Case:
    """One method at one size of images (`width` by `height` pixels), `batch` at once, on some cores."""

    runtime: str
    block: str
    width: int
    height: int
    batch: int
    threads: int


@dataclass(frozen=True)
class Cost:
    """Milliseconds of each timed batch, by the wall's clock and of the processor; bytes at the peak.

    Those of the processor are all cores' together. memory: what predicting added.
    """

    wall: tuple[float, ...]
    processor: tuple[float, ...]
    memory: int


def main(
    params: Path,
    blocks: str,
    runtimes: str,
    sizes: str,
    batches: str,
    threads: str,
    rounds: str,
) -> None:
    """Prints a Markdown table: milliseconds an image (medians), and the memory that a batch takes."""
    shapes = [tuple(map(int, size.split("x"))) for size in sizes.split(",")]
    counts, numbers = (list(map(int, one.split(","))) for one in (threads, batches))
    refuse_unknown(runtimes.split(","))
    cases = [
        Case(runtime, block, width, height, batch, count)
        for (width, height), count, block, batch, runtime in product(
            shapes, counts, blocks.split(","), numbers, runtimes.split(",")
        )
    ]
    found: dict[Case, list[Cost]] = {case: [] for case in cases}
    with TemporaryDirectory() as folder:
        for block in blocks.split(",") if "onnx" in runtimes else ():
            apart(export, params, block, Path(folder))
        for number, case in product(range(int(rounds)), cases):
            sys.stderr.write(f"round {number + 1}: {case}\n")
            found[case].append(apart(measure, params, case, Path(folder)))
    sys.stdout.write(
        "| Image | at once | cores | block | parameters | by | ms an image | of the processor | MiB |\n"
        "|---|--:|--:|---|--:|---|--:|--:|--:|\n"
    )
    for case, costs in found.items():
        wall, processor = (
            statistics.median(chain.from_iterable(times)) / case.batch
            for times in ([one.wall for one in costs], [one.processor for one in costs])
        )
        memory = max(cost.memory for cost in costs) / 2**20
        cells = (
            f"{case.width}x{case.height}",
            str(case.batch),
            str(case.threads),
            case.block,
            f"{parameters(params, case.block):,}",
            case.runtime,
            f"{wall:,.0f}",
            f"{processor:,.0f}",
            f"{memory:,.0f}",
        )
        sys.stdout.write(f"| {' | '.join(cells)} |\n")


def refuse_unknown(runtimes: Sequence[str]) -> None:
    """Raise BadInput for a library that no translator is computed by."""
    for one in runtimes:
        if one not in RUNTIMES:
            raise BadInput(
                given=f"--runtimes names {one!r}",
                needed=f"some of {', '.join(RUNTIMES)}, with commas",
                remedy="correct it",
            )


def measure(params: Path, case: Case, folder: Path) -> Cost:
    """Predict one batch again and again, at full width. folder: of the ONNX files."""
    if case.runtime == "onnx":  # its threads are those of the variable, which torch obeys too
        os.environ["OMP_NUM_THREADS"] = str(case.threads)
        predict = Predictor(load_onnx(file_of(case.block, folder), sentence=None))
    else:
        torch.set_num_threads(case.threads)
        predict = predictor_of(params, case.block)
    shape = (case.batch, case.height, case.width)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    before = peak_bytes()
    predict(image)
    times = [timed(predict, image) for _ in range(TIMED)]
    wall, processor = zip(*times, strict=True)
    return Cost(wall, processor, peak_bytes() - before)


def timed(predict: Predictor, images: UInt8[np.ndarray, "n h w"]) -> tuple[float, float]:
    """Milliseconds that predicting takes, by the wall's clock and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    predict(images)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor)


def export(params: Path, block: str, folder: Path) -> None:
    """Write a translator as ONNX into a folder, as `thermochroma export` does."""
    predictor = predictor_of(params, block)
    assert isinstance(predictor.engine, TorchEngine)
    translator, table = predictor.engine.translator, predictor.engine.text
    settings = read_params(params).method(block)
    raw = json.loads(settings.model_dump_json())
    metadata = Metadata(block, raw, 1.0, TEXT_WIDTH, "nothing", 0, "random", None)
    source = folder / f"{block}.safetensors"
    save_translator(translator, source, metadata)
    text = None if table is None else FixedText("", table.features, table.mask)
    write_onnx(file_of(block, folder), translator, metadata, source=source, drawn=False, text=text)


def file_of(block: str, folder: Path) -> Path:
    """Name a block's ONNX file."""
    return folder / f"{block}.onnx"


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
