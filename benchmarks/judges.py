"""Judges of perception on RoadScene, on rows whose order is known: the truth, spoilt more and more.

Three tables: how much a classifier's top-5 agrees between prediction and truth, with the comparisons that
were expected before; KID over EfficientNet-Lite0's features, and how many images it needs; what each judge
costs. docs/results/judges.md says what came of it.

    python -m benchmarks.judges --pairs <RoadScene in its authors' layout> --weights data/weights
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.oracles import Pairs, read_pairs, without_chroma
from stages.command import run
from thermochroma.baselines import oracles, trivial
from thermochroma.data.datasets.roadscene import DATASET, RoadSceneSettings
from thermochroma.evaluation.perceptual import EfficientNetFeatures, read_lpips
from thermochroma.metrics.distribution import LEAST_IN_SUBSETS, _kid_of_pairs, kid_over_subsets
from thermochroma.metrics.image_scores import score_images
from thermochroma.metrics.perceptual import LPIPS_TRUNKS
from thermochroma.reporting.statistics import paired_difference

SIDES: Final = (256, 128)  # of the images; the network reads each at its own side
TOP: Final = 5
COUNTS: Final = (10, 20, LEAST_IN_SUBSETS, 100)
DRAWS: Final = 100
ROUNDS: Final = 5
TIMED: Final = 4  # images at a time, as the stages score RoadScene
LPIPS: Final = tuple(LPIPS_TRUNKS)
Predict = Callable[[Tensor, Tensor], Tensor]
Judge = Callable[[Tensor, Tensor], object]
ROWS: Final[Mapping[str, Predict]] = {
    **{
        f"truth blurred, sigma {n} px": partial(oracles.truth_blurred, sigma=n)
        for n in (1, 2, 4, 8)
    },
    **{f"truth shifted {n} px": partial(oracles.truth_shifted, pixels=n) for n in (1, 2, 4, 8)},
    "true lightness, no chroma": without_chroma,
    "local affine map, radius 8 px": oracles.local_affine,
    "own look-up table": oracles.own_look_up_table,
    "thermal copied": lambda grey, _truth: grey.expand(-1, 3, -1, -1),
    "thermal inverted": lambda grey, _truth: (255 - grey).expand(-1, 3, -1, -1),
    "own mean colour": oracles.own_mean_colour,
}
OTHER: Final = "another frame's truth"
MEAN: Final = "mean colour"
_BLURRED: Final = {n: f"truth blurred, sigma {n} px" for n in (1, 2, 4, 8)}
EXPECTED: Final = (  # better, worse
    *((_BLURRED[n], _BLURRED[2 * n]) for n in (1, 2, 4)),
    *((f"truth shifted {n} px", _BLURRED[4]) for n in (1, 2, 4, 8)),
    (_BLURRED[4], "thermal copied"),
    ("thermal copied", MEAN),
    (_BLURRED[4], OTHER),
    ("true lightness, no chroma", "own look-up table"),
    ("own look-up table", "thermal copied"),
)


@dataclass(frozen=True)
class Seen:
    """Every image of one row as the network sees it."""

    features: Float[np.ndarray, "n d"]
    classes: Float[np.ndarray, "n 5"]


def main(pairs: Path, weights: Path) -> None:
    """Print the three tables. weights: the folder that the stage `weights` wrote, with published ones."""
    torch.set_num_threads(1)
    device = torch.device("cpu")
    network = EfficientNetFeatures(weights / "perception/efficientnet_lite0", device)
    read, sequences = read_pairs(pairs), _sequences(pairs)
    known: dict[str, Judge] = {
        name: read_lpips(weights / "perception" / name, LPIPS_TRUNKS[name], device)
        for name in LPIPS
    }
    ways: dict[str, Judge] = {**known, "KID's features": partial(_both, network)}
    print_cost({"all of `SCORES`": score_images, **ways}, read)
    for side in SIDES:
        seen = look(network, _resized(read, side))
        sys.stdout.write(f"\n## {len(read)} pairs at {side}x{side}\n\n")
        print_agreement(seen, sequences)
        print_kid(seen)


def look(network: EfficientNetFeatures, pairs: Pairs) -> dict[str, Seen]:
    """What the network sees of each row; the truth first."""
    images = [pairs.one(n) for n in range(len(pairs))]
    flat = trivial.fit_mean_colour(pairs.but(None))
    rows: dict[str, list[Tensor]] = {"truth": [truth for _, truth in images]}
    rows |= {name: [predict(*pair) for pair in images] for name, predict in ROWS.items()}
    rows |= {MEAN: [flat(grey) for grey, _ in images]}
    seen = {name: _seen(network, row) for name, row in rows.items()}
    return with_other(seen)


def with_other(seen: Mapping[str, Seen]) -> dict[str, Seen]:
    """The same rows, and the truth of another frame for each."""
    truth = seen["truth"]
    other = list(_derangement(len(truth.features)))
    return {**seen, OTHER: Seen(truth.features[other], truth.classes[other])}


def print_agreement(seen: Mapping[str, Seen], sequences: list[str]) -> None:
    """Mean agreement of each row, then each expected difference with its interval over sequences."""
    truth = seen["truth"].classes
    found = {
        name: _table((row.classes[:, :, None] == truth[:, None, :]).any(1).mean(1), sequences)
        for name, row in seen.items()
    }
    sys.stdout.write("| Row | top-5 agreement |\n|:--|--:|\n")
    for name, table in found.items():
        sys.stdout.write(f"| {name} | {table['agreement'].mean():.3f} |\n")
    sys.stdout.write("\n| Expected | difference | as expected |\n|:--|--:|:--|\n")
    for better, worse in EXPECTED:
        gap = paired_difference(found[better], found[worse], "agreement")
        held = "yes" if gap.low > 0 else "no"
        cells = f"{gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] | {held}"
        sys.stdout.write(f"| {better} > {worse} | {cells} |\n")
    sys.stdout.flush()


def print_kid(seen: Mapping[str, Seen]) -> None:
    """KID of each row as the tables have it, and the SD of an estimate from so many images."""
    truth, random = seen["truth"].features, np.random.default_rng(0)
    heads = " | ".join(f"SD of {count}" for count in COUNTS)
    sys.stdout.write(f"\n| Row | KID, all images | {heads} |\n|:--|--:|{'--:|' * len(COUNTS)}\n")
    for name, row in seen.items():
        mean, spread = kid_over_subsets(row.features, truth)
        spreads = []
        for count in COUNTS:
            drawn = (random.choice(len(truth), count, replace=False) for _ in range(DRAWS))
            spreads.append(np.std([_kid_of_pairs(row.features[d], truth[d]) for d in drawn]))
        cells = " | ".join(f"{one:.4f}" for one in spreads)
        sys.stdout.write(f"| {name} | {mean:.4f} ± {spread:.4f} | {cells} |\n")
    sys.stdout.write(
        "\nTruth against truth of other frames, 2.5 to 97.5 per cent of the draws:\n\n"
    )
    for count in COUNTS:
        halves = (random.permutation(len(truth))[: 2 * count] for _ in range(DRAWS))
        found = [_kid_of_pairs(truth[h[:count]], truth[h[count:]]) for h in halves]
        low, high = np.quantile(found, [0.025, 0.975])
        sys.stdout.write(f"- {count} images: {low:.4f} to {high:.4f}\n")
    sys.stdout.flush()


def print_cost(judges: Mapping[str, Judge], pairs: Pairs) -> None:
    """Processor time of each judge for one predicted image and its truth, one thread."""
    sys.stdout.write("\n| Judge | side | ms an image |\n|:--|--:|--:|\n")
    for side in SIDES:
        few = _resized(pairs, side)
        images = [few.one(n) for n in range(TIMED)]
        truth = torch.cat([one for _, one in images])
        thermal = torch.cat([grey for grey, _ in images]).expand(-1, 3, -1, -1).contiguous()
        for name, judge in judges.items():
            taken = _milliseconds(partial(judge, thermal, truth))
            sys.stdout.write(f"| {name} | {side} | {taken:.0f} |\n")
            sys.stdout.flush()


def _both(network: Callable[[Tensor], object], *images: Tensor) -> None:
    for one in images:
        network(one)


def _milliseconds(way: Callable[[], object]) -> float:
    way()
    taken = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        way()
        taken.append((time.process_time() - begun) / TIMED)
    return statistics.median(taken) * 1000


@torch.no_grad()
def _seen(network: EfficientNetFeatures, row: list[Tensor]) -> Seen:
    parts = [network(torch.cat(row[n : n + 8])) for n in range(0, len(row), 8)]
    features = np.concatenate(parts)
    logits = network.network.logits(torch.from_numpy(features).float())
    return Seen(features, logits.topk(TOP).indices.numpy())


def _table(agreement: Float[np.ndarray, " n"], sequences: list[str]) -> pd.DataFrame:
    frames = [str(n) for n in range(len(sequences))]
    return pd.DataFrame({"frame": frames, "sequence": sequences, "agreement": agreement})


def _sequences(folder: Path) -> list[str]:
    frames = DATASET.frames(RoadSceneSettings(source=None, on_defect="refuse"), folder)
    return [frame.sequence for frame in frames]


def _derangement(count: int) -> Iterator[int]:
    """An order in which nobody stays in place."""
    order = np.random.default_rng(0).permutation(count)
    places = np.argsort(order)
    yield from (int(order[(place + 1) % count]) for place in places)


def _resized(pairs: Pairs, side: int) -> Pairs:
    if pairs.thermal.shape[1] == side:
        return pairs
    resize = partial(cv2.resize, dsize=(side, side), interpolation=cv2.INTER_AREA)
    return Pairs(
        *(np.stack([resize(one) for one in many]) for many in (pairs.thermal, pairs.visible))
    )


if __name__ == "__main__":
    run(main)
