"""Images in tiles, each by itself or guided by the whole: how far tiles disagree, and what a border shows.

Each image of a folder is scaled to one size, translated in one piece and in tiles. Printed are, in grey
levels: the mean difference of two tiles where they overlap, that of neighbouring rows and columns where a
tile begins or ends, and elsewhere; and the difference from the image in one piece, in means over squares of
32 pixels, and pixel by pixel. An image too large for one piece has no such difference.

    python -m benchmarks.tiles --translators src/thermochroma/pretrained/starter --text data/weights/clip \
      --thermal <a folder of thermal images> --visible <the same of visible ones> --count 8 \
      --size 1024x768 --tile 256 --ways alone,half,guided

`--translators` is a folder with translators in it or in folders inside it, each a row of every way.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import image_files
from thermochroma.base.images import read_thermal, read_visible
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.predictor import MOST_PIXELS, Predictor
from thermochroma.inference.tiles import Tiling, translate_tiled, translated_tiles

SQUARE: Final = 32
HEAD: Final = (
    "| translator | tiles | where two overlap | at their borders | elsewhere | from one piece, squares "
    "| pixels |\n|---|---|--:|--:|--:|--:|--:|\n"
)
WAYS: Final = {
    "alone": "alone",
    "half": "alone, overlap of a half",
    "guided": "guided",
    "helped": "guided where it helps",
}
NOTHING: Final = float("nan")


@dataclass(frozen=True)
class Measured:
    """Mean differences in grey levels; see the head of the file."""

    overlap: float
    border: float
    elsewhere: float
    squares: float
    pixels: float


def main(
    translators: Path,
    text: Path,
    thermal: Path,
    visible: Path,
    count: str,
    size: str,
    tile: str,
    ways: str,
) -> None:
    """Print a Markdown table, with means over the images."""
    tilings = {way: _tiling(way, int(tile)) for way in ways.split(",")}
    sys.stdout.write(HEAD)
    for path in sorted(translators.rglob("*.safetensors")):
        predictor = load_predictor(path, text=text, sentence=None)
        images = images_for(predictor, thermal, visible, count=int(count), size=size)
        wholes = [_one_piece(predictor, one) for one in images]
        for way, tiling in tilings.items():
            rows = [measure(predictor, *two, tiling) for two in zip(images, wholes, strict=True)]
            means = np.mean([list(vars(one).values()) for one in rows], axis=0)
            told = ("–" if np.isnan(one) else f"{one:.2f}" for one in means)
            sys.stdout.write(f"| {predictor.traits.title} | {WAYS[way]} | {' | '.join(told)} |\n")
            sys.stdout.flush()


def _tiling(way: str, side: int) -> Tiling:
    if way not in WAYS:
        raise BadInput(
            given=f"--ways names {way!r}",
            needed=f"some of {', '.join(WAYS)}, with commas",
            remedy="correct it",
        )
    return Tiling(
        side,
        side // 2 if way == "half" else None,
        guided=None if way == "helped" else way == "guided",
    )


def images_for(
    predictor: Predictor, thermal: Path, visible: Path, *, count: int, size: str
) -> list[UInt8[np.ndarray, "h w *c"]]:
    """So many images of the spectrum that a translator sees, evenly spread over a folder, at one size."""
    is_visible = predictor.sees == "visible"
    found = image_files(visible if is_visible else thermal)
    chosen = [found[at] for at in np.linspace(0, len(found) - 1, count).round().astype(int)]
    width, height = map(int, size.split("x"))
    return [
        np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.BICUBIC))
        for one in map(read_visible if is_visible else read_thermal, chosen)
    ]


def _one_piece(
    predictor: Predictor, image: UInt8[np.ndarray, "h w *c"]
) -> UInt8[np.ndarray, "h w d"] | None:
    return predictor(image[None])[0] if image.shape[0] * image.shape[1] <= MOST_PIXELS else None


def measure(
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w *c"],
    whole: UInt8[np.ndarray, "h w d"] | None,
    tiling: Tiling,
) -> Measured:
    """Translate an image in tiles, and compare them with each other and with the image in one piece."""
    tiles = list(translated_tiles(predictor, image, None, tiling=tiling, sharpness=0.0))
    remembered = iter(tiles)

    def again(images: np.ndarray, references: object, *, sharpness: float) -> np.ndarray:
        return next(remembered)[2].clip(0, 255).round().astype(np.uint8)[None]

    alone = Tiling(tiling.side, tiling.overlap, guided=False)
    found = translate_tiled(again, image, None, tiling=alone)
    border, elsewhere = _steps(found, tiles)
    return Measured(_disagreement(tiles), border, elsewhere, *_from_one_piece(found, whole))


def _from_one_piece(
    found: UInt8[np.ndarray, "h w d"], whole: UInt8[np.ndarray, "h w d"] | None
) -> tuple[float, float]:
    """Mean absolute difference of means over squares, and of pixels."""
    if whole is None:
        return NOTHING, NOTHING
    apart = found.astype(float) - whole
    return float(np.abs(_means(apart)).mean()), float(np.abs(apart).mean())


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


def _steps(
    image: UInt8[np.ndarray, "h w d"], tiles: Sequence[tuple[int, int, np.ndarray]]
) -> tuple[float, float]:
    """Mean difference of neighbouring rows and columns: where a tile begins or ends, and elsewhere."""
    at, off = [], []
    for axis in (0, 1):
        rows = np.moveaxis(image, axis, 0)  # one by one: floats of a large image are gigabytes
        lines = np.array([np.abs(np.subtract(*two, dtype=float)).mean() for two in pairwise(rows)])
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
