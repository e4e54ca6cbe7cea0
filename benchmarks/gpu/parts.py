"""What is not a training step: the machine, frozen networks, the examination, the loader, scoring."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from benchmarks import loading
from benchmarks.gpu.begun import wait
from benchmarks.gpu.form import Form
from benchmarks.gpu.worker import in_words
from benchmarks.scoring import all_scores, made
from tests.questions import QUESTIONS
from tests.stand_ins import stand_ins
from thermochroma.base.device import choose_device, device_name, find_device
from thermochroma.base.files import whole_folder
from thermochroma.evaluation.perceptual import read_perception
from thermochroma.networks.frozen import FrozenNetworks, kind_of
from thermochroma.pretrained.write_weights import write_clip, write_efficientnet, write_vgg


def machine() -> dict[str, Any]:
    """The card, what computes on it, and what stands beside it."""
    device = find_device()
    on_gpu = device.type == "cuda"
    return {
        "card": device_name(device),
        "device": device.type,
        "memory_bytes": torch.cuda.get_device_properties(device).total_memory if on_gpu else None,
        "torch": torch.__version__,
        "cuda": torch.version.cuda if on_gpu else None,
        "cudnn": torch.backends.cudnn.version() if on_gpu else None,
        "tf32_in_convolutions": torch.backends.cudnn.allow_tf32 if on_gpu else None,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def gather_weights(form: Form, given: Path | None, folder: Path) -> dict[str, Any]:
    """Put published networks of `given` into `folder`, and stand-ins of the form's width for the others."""
    divisor = {"stand_in_width_divisor": form.stand_in_divisor}
    writers: dict[str, Callable[[Path], object]] = {
        "vgg16": lambda at: write_vgg(at, network="vgg16", kind="stand_in", **divisor),
        "vgg19": lambda at: write_vgg(at, network="vgg19", kind="stand_in", **divisor),
        "efficientnet_lite0": lambda at: write_efficientnet(at, kind="stand_in", **divisor),
        "clip": lambda at: write_clip(at, kind="stand_in"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in writers.items():
        place = folder / name
        if given is not None and is_published(given / name):
            if not place.exists():
                place.symlink_to((given / name).resolve())
        elif not place.exists():
            write(place)
    return {"provenance": FrozenNetworks(folder).provenance()}


def is_published(folder: Path) -> bool:
    """Whether a folder holds a network with published weights."""
    return folder.is_dir() and kind_of(folder) == "published"


def examine(block: str, _form: Form, place: Path, seconds: float) -> dict[str, Any]:
    """Answers to the questions that concern a device, with small networks; no faults: an empty list.

    A question for which no time is left is not asked.
    """
    device, end = choose_device(), time.perf_counter() + seconds
    folder = place / "narrow"
    if not folder.exists():
        with whole_folder(folder) as part:
            stand_ins(part)
    frozen = FrozenNetworks(folder)
    found: dict[str, Any] = {}
    for number, ask in QUESTIONS.items():
        if time.perf_counter() > end:
            found[str(number)] = None
            continue
        try:
            found[str(number)] = ask(block, frozen, device)
        except Exception as problem:  # an answer, too
            found[str(number)] = [in_words(problem)]
    return {"faults": found}


def load(form: Form) -> dict[str, Any]:
    """Pairs a second out of the page cache, in pinned batches of bytes, by number of processes."""
    device, found = find_device(), {}
    with TemporaryDirectory() as folder:
        crops = loading.make_crops(Path(folder), form.loader_pairs)
        for workers in form.loader_workers:
            speeds = loading.measure(
                crops, loading.SIDE, workers, shown=form.loader_shown, device=device
            )
            found[str(workers)] = statistics.median(speeds)
    return {"pairs_per_second": found}


def score(form: Form, given: Path | None) -> dict[str, Any]:
    """Milliseconds an image: all scores, on the processor, and the LPIPS that are there, on the device."""
    device = choose_device()
    batches = [made(number, form.scoring_images) for number in range(form.scoring_batches + 1)]
    found = {"all_scores_ms": _milliseconds(all_scores, batches, device)}
    if given is not None and (given / "perception").is_dir():
        perception = read_perception(given / "perception", device)
        found["lpips_ms"] = _milliseconds(
            lambda prediction, truth, _seen: perception.lpips(prediction, truth), batches, device
        )
    return found


def _milliseconds(
    work: Callable[..., object], batches: Sequence[tuple[Tensor, ...]], device: torch.device
) -> float:
    """Of an image, median over batches; the first one warms up."""
    times = [_timed(work, batch, device) for batch in batches]
    return statistics.median(times[1:])


def _timed(work: Callable[..., object], batch: tuple[Tensor, ...], device: torch.device) -> float:
    wait(device)
    start = time.perf_counter()
    work(*batch)
    wait(device)
    return 1000 * (time.perf_counter() - start) / len(batch[0])
