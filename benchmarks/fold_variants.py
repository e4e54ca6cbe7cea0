"""Variants of our own method over the folds of RoadScene: how far their means are above the flat colour.

For choosing: validation images are told, test images are written to a file that nobody needs to open
before the choice is made and written down. The mean alone is trained, as `benchmarks.ablations` does it;
several trainings run beside one another, on the GPU if there is one. Crops are those of any profile: the
folds are taken from the data set's own list of frames.

    python -m benchmarks.fold_variants --params params.yaml --crops data/crops/roadscene \\
        --raw data/raw/roadscene --weights data/weights --processes 14 --seconds 140 \\
        --variants vgg16,both,both_4 --to data/fold_variants
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any, Final

import pandas as pd
import torch

from benchmarks.ablations import Variant, scores_of, taught
from thermochroma.base.files import write_text
from thermochroma.config.params import Params, read_params
from thermochroma.contract.settings import CameraSettings
from thermochroma.data.datasets import roadscene
from thermochroma.inference.predictions import truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.fidelity import psnr, ssim

DATASET: Final = "roadscene"
BLOCK: Final = "thermochroma_small"
FOLDS: Final = (1, 2, 3, 4, 5)
SPLITS: Final = ("validation", "test")
VGG: Final = {"encoder": "vgg16"}
BOTH: Final = {"encoder": "lite0_to_16_and_vgg16"}
JITTER: Final = CameraSettings(gamma=0.3, gain=0.2, offset=0.05, noise=4.0)


@dataclass(frozen=True)
class Choice:
    """What differs from the block and its budget."""

    translator: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    budget: Mapping[str, Any] = field(default_factory=dict)


HALF: Final = {"structure": 0.5}
CHOICES: Final = {
    "small": Choice(),
    "vgg16": Choice(VGG),
    "vgg16_ssim": Choice(VGG, HALF),
    "both": Choice(BOTH),
    "both_ssim": Choice(BOTH, HALF),
    "both_ssim_1": Choice(BOTH, {"structure": 1.0}),
    "both_4": Choice({**BOTH, "decoders": 4}),
    "both_4_ssim": Choice({**BOTH, "decoders": 4}, HALF),
    "both_4_ssim_1": Choice({**BOTH, "decoders": 4}, {"structure": 1.0}),
    "both_8_ssim": Choice({**BOTH, "decoders": 8}, HALF),
    "vgg16_4_ssim": Choice({**VGG, "decoders": 4}, HALF),
    "both_4_ssim_dropout": Choice({**BOTH, "decoders": 4, "dropout": 0.5}, HALF),
    "both_4_ssim_500": Choice({**BOTH, "decoders": 4}, HALF, {"images": 500}),
    "both_4_ssim_2000": Choice({**BOTH, "decoders": 4}, HALF, {"images": 2000}),
    "both_4_ssim_jitter": Choice({**BOTH, "decoders": 4}, HALF, {"camera": JITTER}),
    "small_4_ssim": Choice({"decoders": 4}, HALF),
}


@dataclass(frozen=True)
class Places:
    """Files that a training reads. images: instead of the budget's, for a try."""

    params: Path
    crops: Path
    raw: Path
    weights: Path
    images: int | None = None


def main() -> None:
    """Trains until the time is over, and prints what is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--crops", type=Path, required=True)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True, help="folder of the scores")
    parser.add_argument("--variants", required=True, help=f"with commas: {', '.join(CHOICES)}")
    parser.add_argument("--folds", default="1,2,3,4,5")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e6)
    parser.add_argument("--images", type=int, help="shown in a training; nothing: the budget's")
    given = parser.parse_args()
    places = Places(given.params, given.crops, given.raw, given.weights, given.images)
    jobs = [
        (variant, fold, seed)
        for variant in given.variants.split(",")
        for seed in map(int, given.seeds.split(","))
        for fold in map(int, given.folds.split(","))
    ]
    found = [*played(places, jobs, processes=given.processes, end=time.monotonic() + given.seconds)]
    for split in SPLITS:
        kept = [{**one, "scores": one["scores"][split]} for one in found]
        write_text(given.to / f"{split}.json", json.dumps(kept))
    sys.stdout.write(table_of(found, "validation"))


def played(
    places: Places, jobs: Sequence[tuple[str, int, int]], *, processes: int, end: float
) -> Iterator[dict[str, Any]]:
    """Scores of the trainings that came to their end before `end`, a time."""
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    waiting = {pool.submit(trained, places, *job): job for job in jobs}
    try:
        for done in as_completed(waiting, timeout=max(0.0, end - time.monotonic())):
            failed = done.exception()
            sys.stderr.write(f"{waiting[done]}{f': {failed!r}' if failed else ''}\n")
            if failed is None:
                yield done.result()
    except TimeoutError:
        sys.stderr.write(f"{sum(not one.done() for one in waiting)} trainings left out for time\n")
    finally:
        workers = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for one in workers:
            one.kill()


def trained(places: Places, variant: str, fold: int, seed: int) -> dict[str, Any]:
    """Scores of each image in a fold: once, with the mirrored twin, and of the flat colour."""
    torch.set_num_threads(1)
    try:
        start, choice = time.perf_counter(), CHOICES[variant]
        params, crops = settings_of(places.params), crops_of(places, fold)
        budget = params.budget[DATASET].of(BLOCK)
        length = {} if places.images is None else {"images": places.images}
        translator = taught(
            params.method(BLOCK),
            budget.model_copy(
                update={**choice.budget, **length, "precision": "bfloat16", "workers": 0}
            ),
            Variant(variant, translator=choice.translator, weights=choice.weights),
            crops,
            places.weights,
            seed=seed,
        )
        scores = {
            split: {
                "once": _listed(scores_of(translator, crops, split, mirrored=False)),
                "mirrored": _listed(scores_of(translator, crops, split, mirrored=True)),
                "flat": _listed(flat_scores(crops, split)),
                "sequence": crops.split(split)["sequence"].tolist(),
            }
            for split in SPLITS
        }
    except Exception:
        sys.stderr.write(traceback.format_exc())
        raise
    named = {"variant": variant, "fold": fold, "seed": seed}
    return {**named, "seconds": time.perf_counter() - start, "scores": scores}


@cache
def settings_of(params: Path) -> Params:
    """Settings of the project."""
    return read_params(params)


@cache
def crops_of(places: Places, fold: int) -> Crops:
    """Crops in the splits and sequences of a fold."""
    profile = f"fold_{fold}"
    settings = settings_of(places.params).source(DATASET).model_copy(update={"profile": profile})
    assert isinstance(settings, roadscene.RoadSceneSettings)
    listed = {one.frame: one for one in roadscene.frames(settings, places.raw)}
    crops = Crops(places.crops)
    of_fold = [listed[frame] for frame in crops.manifest["frame"]]
    crops.manifest = crops.manifest.assign(
        split=[one.split for one in of_fold], sequence=[one.sequence for one in of_fold]
    )
    return crops


def flat_scores(crops: Crops, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """PSNR and SSIM of the mean colour of the training images, at every pixel."""
    truth = truth_of(crops, crops.split(split))
    colour = truth_of(crops, crops.split("train")).double().mean((0, 2, 3)).round().byte()
    flat = colour[None, :, None, None].expand_as(truth).contiguous()
    return psnr(flat, truth), ssim(flat, truth)


def _listed(scores: tuple[torch.Tensor, torch.Tensor]) -> dict[str, list[float]]:
    return {name: one.tolist() for name, one in zip(("psnr", "ssim"), scores, strict=True)}


def table_of(found: Sequence[Mapping[str, Any]], split: str) -> str:
    """Gains over the flat colour, over all images of the folds, and by fold with the mirrored twin."""
    lines = ["| variant | seeds | folds | once | with the mirrored twin | by fold | s a training |"]
    lines.append("|---|--:|--:|---|---|---|--:|")
    for variant in dict.fromkeys(one["variant"] for one in found):
        own = [one for one in found if one["variant"] == variant]
        folds = sorted({one["fold"] for one in own})
        by_fold = [gain([o for o in own if o["fold"] == fold], split, "mirrored") for fold in folds]
        cells = (
            variant,
            len({one["seed"] for one in own}),
            len(folds),
            gain(own, split, "once"),
            gain(own, split, "mirrored"),
            "; ".join(by_fold),
            f"{mean(one['seconds'] for one in own):.0f}",
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def gain(found: Sequence[Mapping[str, Any]], split: str, kind: str) -> str:
    """Mean gain over the flat colour, in dB and in SSIM."""
    told = []
    for score, form in (("psnr", "+.2f"), ("ssim", "+.4f")):
        levels = [
            pd.Series(one["scores"][split][kind][score])
            - pd.Series(one["scores"][split]["flat"][score])
            for one in found
        ]
        told.append(f"{pd.concat(levels).mean():{form}}")
    return " / ".join(told)


if __name__ == "__main__":
    main()
