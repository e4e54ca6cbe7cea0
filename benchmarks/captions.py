"""How far text moves what is predicted: by networks before any training, and by those that were scored.

Before training: networks at full width with fresh weights predict one thermal image of noise with two
sentences of noise, which are less alike than any two captions; once more with the border repeated, not
zero, in the convolution behind the fusion, whose instance norm takes away what is added alike to all
places. After: the scored test images that the
stage `evaluate` kept of each row with other captions, against those with each image's own sentence.

    python -m benchmarks.captions --blocks cmmf_net,cmmf_net_no_interaction --params params.yaml \\
        --scores data/scores/sample --metrics reports/metrics/sample
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.config.params import read_params
from thermochroma.contract.dummy_input import dummy_input
from thermochroma.contract.method import load_method
from thermochroma.evaluation.gallery import FILE, FRAMES, IMAGES, SPLIT
from thermochroma.export.artifact import build_translator
from thermochroma.loading.policies import OTHER_CAPTIONS

SIDE: Final = 256
TEXT_WIDTH: Final = 512  # CLIP ViT-B/32's
SEEDS: Final = 3
LEVELS: Final = 127.5  # of 8 bits, in one unit of the networks' range


def main(blocks: str, params: Path, scores: Path, metrics: Path) -> None:
    """Print both tables. blocks: divided by commas. scores, metrics: the folders of one data set."""
    names = blocks.split(",")
    sys.stdout.write(
        "| untrained | weights' seed | mean difference | in grey levels | largest | SD of the output "
        "| mean difference, border repeated |\n|---|--:|--:|--:|--:|--:|--:|\n"
    )
    for block in names:
        for seed in range(SEEDS):
            one, other = untrained(params, block, seed)
            again, against = untrained(params, block, seed, border_repeated=True)
            moved, inside = (one - other).abs(), (again - against).abs()
            numbers = (moved.mean(), moved.mean() * LEVELS, moved.max(), one.std(), inside.mean())
            cells = " | ".join(f"{float(number):.2g}" for number in numbers)
            sys.stdout.write(f"| `{block}` | {seed} | {cells} |\n")
            sys.stdout.flush()
    sys.stdout.write(
        "\n| scored | captions | PSNR [dB] | SSIM | mean difference [levels] | largest | pixels moved |\n"
        "|---|---|--:|--:|--:|--:|--:|\n"
    )
    for block in names:
        for line in scored(scores / block, metrics / f"{block}.json"):
            sys.stdout.write(f"| `{block}` | {line} |\n")


@torch.no_grad()
def untrained(
    params: Path, block: str, seed: int, *, border_repeated: bool = False
) -> tuple[Tensor, Tensor]:
    """What fresh weights predict with two sentences of the same length, in [-1, 1]."""
    settings = read_params(params).method(block)
    method = load_method(settings.method)
    torch.manual_seed(seed)
    network: Any = build_translator(method, settings, scale=1.0, text_width=TEXT_WIDTH).eval()
    if border_repeated:
        network.fusion.project[1].padding = (0, 0)
        network.fusion.project.insert(1, nn.ReplicationPad2d(1))
    one, other = (
        dummy_input(method.sees, height=SIDE, width=SIDE, text_width=TEXT_WIDTH, seed=each)
        for each in (seed, seed + SEEDS)
    )
    return network(one), network(replace(one, text=other.text))


def scored(folder: Path, metrics: Path) -> Iterator[str]:
    """One line a row: its scores on the test split, and its images against those with own captions."""
    told = json.loads(metrics.read_text(encoding="utf-8"))
    frames, own = images_in(folder)
    yield f"own | {told[SPLIT]['psnr']:.3f} | {told[SPLIT]['ssim']:.4f} | | |"
    for name, other in OTHER_CAPTIONS.items():
        means, place = told["policies"][name][SPLIT], folder / "policies" / name
        found, prediction = images_in(place)
        if found != frames:
            raise BadInput(
                given=f"{place / FILE} holds other frames than the row above",
                needed="the same frames in every gallery",
                remedy="set `gallery_frames: null` and run `dvc repro`",
            )
        moved = np.abs(prediction.astype(int) - own)
        yield (
            f"{other.title} | {means['psnr']:.3f} | {means['ssim']:.4f} | {moved.mean():.2g} "
            f"| {moved.max()} | {(moved.max(-1) > 0).mean():.2%}"
        )


def images_in(folder: Path) -> tuple[list[str], UInt8[np.ndarray, "n h w c"]]:
    """The frames of a gallery, and what was predicted of them; of several draws, in the first."""
    with np.load(folder / FILE) as stored:
        return stored[FRAMES].tolist(), stored[IMAGES]


if __name__ == "__main__":
    run(main)
