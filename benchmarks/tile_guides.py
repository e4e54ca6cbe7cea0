"""Which translators are guided by the whole of a large image, and what that was decided by.

Each image of a folder is scaled to one size; tiles have one side. Printed are means over the images of what
`inference/guide.py` compares, in grey levels, and how many images it would guide.

    python -m benchmarks.tile_guides --translators <a folder with translators> --text data/weights/clip \
      --thermal <a folder of thermal images> --visible <the same of visible ones> --count 8 \
      --size 1024x768 --tile 256
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from benchmarks.tiles import images_for
from stages.command import run
from thermochroma.inference.guide import Compared, compare, guide_for
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.predictor import Predictor

HEAD: Final = (
    "| translator | parts from the whole | half from the whole | guided |\n|---|--:|--:|--:|\n"
)


def main(
    translators: Path, text: Path, thermal: Path, visible: Path, count: str, size: str, tile: str
) -> None:
    """Print a Markdown table, a row a translator."""
    sys.stdout.write(HEAD)
    for path in sorted(translators.rglob("*.safetensors")):
        predictor = load_predictor(path, text=text, sentence=None)
        images = images_for(predictor, thermal, visible, count=int(count), size=size)
        found = [_compared(predictor, one, int(tile)) for one in images]
        parts, half = (np.mean([vars(one)[name] for one in found]) for name in ("parts", "half"))
        guided = sum(one.call_for_a_guide for one in found)
        sys.stdout.write(
            f"| {predictor.traits.title} | {parts:.2f} | {half:.2f} | {guided} of {len(found)} |\n"
        )
        sys.stdout.flush()


def _compared(predictor: Predictor, image: UInt8[np.ndarray, "h w *c"], side: int) -> Compared:
    guide = guide_for(predictor, image, None, side=side, sharpness=0.0)
    return compare(guide, predictor, image, None, sharpness=0.0)


if __name__ == "__main__":
    run(main)
