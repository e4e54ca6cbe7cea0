"""GPU hours of the line-ups on KAIST and IRVI, from what `benchmarks.gpu` measured on a card.

Trainings of several seeds are handed to so many GPUs, the longest first, one to a GPU. Reads the JSON of
that benchmark; a block without a measurement is named and counted as nothing.

    python -m benchmarks.scale --params params.yaml --measured docs/results/gpu/nvidia-h200.json \\
        --recorded docs/results/gpu/nvidia-h200-recorded.json \\
        docs/results/gpu/nvidia-h200-recorded-later.json --gpus 1,8,64 --seeds 3 --price 3
"""

import argparse
import heapq
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from thermochroma.config.params import Params, read_params

FRAMES: Final = {"kaist": 22_716, "irvi": 20_976}
"""Training frames of the profiles `paper_counts` by day and `joint`."""
LIKE: Final = {"cmmf_net_no_text": "cmmf_net", "cmmf_net_no_interaction": "cmmf_net"}
"""Blocks that take what another one takes."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--measured", type=Path, required=True, help="JSON of benchmarks.gpu")
    parser.add_argument(
        "--recorded", type=Path, nargs="+", default=[], help="more, with speeds of recorded steps"
    )
    parser.add_argument("--gpus", default="1,8,64", help="numbers of GPUs, with commas")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--price", type=float, required=True, help="of a GPU for an hour")
    given = parser.parse_args()
    params, results = read_params(given.params), json.loads(given.measured.read_text())["results"]
    for more in given.recorded:
        results |= json.loads(more.read_text())["results"]
    blocks = [*params.lineup, *params.video_lineup]
    hours = {
        block: {data: hours_of(params, results, data, block) for data in FRAMES} for block in blocks
    }
    sys.stdout.write(f"| block | {' | '.join(f'{one}, h' for one in FRAMES)} |\n")
    sys.stdout.write(f"|---|{'--:|' * len(FRAMES)}\n")
    for block, found in hours.items():
        cells = ["–" if one is None else f"{one:.1f}" for one in found.values()]
        sys.stdout.write(f"| `{block}` | {' | '.join(cells)} |\n")
    each = [one for found in hours.values() for one in found.values() if one is not None]
    trainings = sorted(each * given.seeds, reverse=True)
    sys.stdout.write("\n| GPUs | trainings | GPU hours | hours until the last one ends | price |\n")
    sys.stdout.write("|--:|--:|--:|--:|--:|\n")
    for gpus in map(int, given.gpus.split(",")):
        last = ends_after(trainings, gpus)
        row = (gpus, len(trainings), f"{sum(trainings):,.0f}", f"{last:,.0f}")
        price = f"{sum(trainings) * given.price:,.0f}"
        sys.stdout.write(f"| {' | '.join(map(str, row))} | {price} |\n")


def hours_of(params: Params, results: Mapping[str, Any], dataset: str, block: str) -> float | None:
    """Hours of one training, at the speed with one image in bfloat16; None where that was not measured."""
    speed = images_per_second(results, LIKE.get(block, block))
    images = params.budget[dataset].of(block).images_of(FRAMES[dataset])
    return None if speed is None else images / speed / 3600


def images_per_second(results: Mapping[str, Any], block: str) -> float | None:
    """Speed of recorded steps where a step was recorded, else of those that are begun kernel by kernel."""
    steps, both = (
        results.get(f"{part}/{block}", {}).get("bfloat16", {}) for part in ("steps", "recorded")
    )
    for found in (both.get("recorded", {}), steps.get("one", {}), both.get("plain", {})):
        if "images_per_second" in found:
            return float(found["images_per_second"])
    return None


def ends_after(lengths: Sequence[float], machines: int) -> float:
    """When the last of so many is done, each begun on the machine that is free first."""
    free = [0.0] * machines
    for length in lengths:
        heapq.heapreplace(free, free[0] + length)
    return max(free)


if __name__ == "__main__":
    main()
