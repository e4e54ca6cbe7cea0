"""Images in tiles, each by itself or guided by the whole: how far tiles disagree, and what a border shows.

Each image of a folder is scaled to one size, translated in one piece and in tiles. Printed are, in grey
levels: the mean difference of two tiles where they overlap, that of neighbouring rows and columns where a
tile begins or ends, and elsewhere; and the difference from the image in one piece, in means over squares of
32 pixels.

    python -m benchmarks.tiles --translator src/thermochroma/pretrained/starter/translator.safetensors \
      --images <a folder of thermal images> --count 8 --size 1024x768 --tile 256
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from stages.command import run
from thermochroma.base.image_files import image_files
from thermochroma.base.images import read_thermal
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.tiles import Tiling, translate_tiled, translated_tiles

SQUARE: Final = 32
HEAD: Final = (
    "| tiles | where two overlap | at their borders | elsewhere | from one piece |\n"
    "|---|--:|--:|--:|--:|\n"
)


@dataclass(frozen=True)
class Measured:
    """Mean differences in grey levels; see the head of the file."""

    overlap: float
    border: float
    elsewhere: float
    one_piece: float


def main(translator: Path, images: Path, count: str, size: str, tile: str) -> None:
    """Print a Markdown table, with means over the images."""
    predictor = load_predictor(translator, text=None, sentence=None)
    found = sorted(image_files(images))
    chosen = [found[at] for at in np.linspace(0, len(found) - 1, int(count)).round().astype(int)]
    width, height = map(int, size.split("x"))
    ways = {
        "alone": Tiling(int(tile), guided=False),
        "alone, overlap of a half": Tiling(int(tile), int(tile) // 2, guided=False),
        "guided": Tiling(int(tile)),
    }
    measured: dict[str, list[Measured]] = {way: [] for way in ways}
    for path in chosen:
        sys.stderr.write(f"{path.name}\n")
        small = Image.fromarray(read_thermal(path))
        image = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
        whole = predictor(image[None])[0]
        for way, tiling in ways.items():
            measured[way].append(measure(predictor, image, whole, tiling))
    sys.stdout.write(HEAD)
    for way, several in measured.items():
        means = np.mean([list(vars(one).values()) for one in several], axis=0)
        sys.stdout.write(f"| {way} | {' | '.join(f'{one:.2f}' for one in means)} |\n")


def measure(
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w"],
    whole: UInt8[np.ndarray, "h w d"],
    tiling: Tiling,
) -> Measured:
    """Translate an image in tiles, and compare them with each other and with the image in one piece."""
    tiles = list(translated_tiles(predictor, image, None, tiling=tiling, sharpness=0.0))
    remembered = iter(tiles)

    def again(images: np.ndarray, references: object, *, sharpness: float) -> np.ndarray:
        return next(remembered)[2].clip(0, 255).round().astype(np.uint8)[None]

    alone = Tiling(tiling.side, tiling.overlap, guided=False)
    found = translate_tiled(again, image, None, tiling=alone).astype(float)
    border, elsewhere = _steps(found, tiles)
    return Measured(
        _disagreement(tiles), border, elsewhere, float(np.abs(_means(found) - _means(whole)).mean())
    )


def _disagreement(tiles: Sequence[tuple[int, int, np.ndarray]]) -> float:
    """Mean absolute difference of two tiles over all pixels that both have."""
    apart = []
    for (top, left, one), (down, across, other) in combinations(tiles, 2):
        high, wide = one.shape[0] - abs(down - top), one.shape[1] - abs(across - left)
        if high > 0 and wide > 0:
            part = partial(_common, high=high, wide=wide)
            one_part = part(one, max(0, down - top), max(0, across - left))
            other_part = part(other, max(0, top - down), max(0, left - across))
            apart.append(np.abs(one_part.astype(float) - other_part).mean((1, 2)).repeat(wide))
    return float(np.concatenate(apart).mean())


def _common(tile: np.ndarray, top: int, left: int, *, high: int, wide: int) -> np.ndarray:
    return tile[top : top + high, left : left + wide]


def _steps(image: np.ndarray, tiles: Sequence[tuple[int, int, np.ndarray]]) -> tuple[float, float]:
    """Mean difference of neighbouring rows and columns: where a tile begins or ends, and elsewhere."""
    at, off = [], []
    for axis in (0, 1):
        lines = np.abs(np.diff(image, axis=axis)).mean(tuple({0, 1, 2} - {axis}))
        starts = {(top, left)[axis] for top, left, _ in tiles}
        ends = starts | {start + tiles[0][2].shape[axis] for start in starts}
        borders = np.zeros(len(lines), bool)
        borders[[end - 1 for end in ends if 0 < end <= len(lines)]] = True
        at.append(lines[borders])
        off.append(lines[~borders])
    return float(np.concatenate(at).mean()), float(np.concatenate(off).mean())


def _means(image: np.ndarray) -> np.ndarray:
    """Means over squares; what is left over at the right and below does not count."""
    high, wide = (length // SQUARE for length in image.shape[:2])
    cut = image[: high * SQUARE, : wide * SQUARE].astype(float)
    return cut.reshape(high, SQUARE, wide, SQUARE, -1).mean((1, 3))


if __name__ == "__main__":
    run(main)
