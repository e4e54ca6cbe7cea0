"""Flicker and fidelity of translated videos, with and without `translate --steady`.

The videos are drawn, by a seed that no training uses: 20 images a second, 640x512, noise as in the sample.
Two measures of flicker: our score, along the motion of the thermal images, which the filter follows too;
and the same along the motion of the true visible images, which it never sees.

    python -m benchmarks.steady src/thermochroma/pretrained/starter/translator.safetensors@1
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from thermochroma.data.synthetic.frame import draw_frame
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.predictor import Predictor
from thermochroma.metrics.fidelity import psnr, ssim
from thermochroma.metrics.temporal import Way, backward_flow, flicker
from thermochroma.serving.steadying import Steadier

SEED: Final = 101
SEQUENCES: Final = ("set06/V001", "set07/V002", "set08/V000")
FIRST: Final = 40  # number of the first frame that is drawn
DEGREES: Final = (0.0, 0.5, 0.8, 0.9)
BORDER: Final = 24  # pixels that one of the two cameras may not see
HEAD: Final = (
    "| Translator | Share | Flicker | along the truth's own motion | PSNR (dB) | SSIM | Detail |\n"
    "|---|--:|--:|--:|--:|--:|--:|\n"
)

Images = Sequence[UInt8[np.ndarray, "h w 3"]]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawn video. thermal, visible: motion from each image back to the one before, by either of them."""

    seen: Sequence[UInt8[np.ndarray, "h w"]]
    truth: Images
    thermal: Sequence[Way]
    visible: Sequence[Way]


def main() -> None:
    """Print a table with a row for each translator and degree."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("translators", nargs="+", help="FILE, or FILE@SHARPNESS")
    parser.add_argument("--count", type=int, default=24, help="images of each video")
    chosen = parser.parse_args()
    videos = [drawn(sequence, chosen.count) for sequence in SEQUENCES]
    sys.stdout.write(HEAD + row("the truth", 0.0, [measure(one, one.truth) for one in videos], 1.0))
    for given in chosen.translators:
        path, _, sharpness = given.partition("@")
        name = Path(path).parent.name + (f", sharpness {sharpness}" if sharpness else "")
        predictor = load_predictor(Path(path), text=None, sentence=None)
        painted = [translated(predictor, one, float(sharpness or 0)) for one in videos]
        before = 1.0
        for degree in DEGREES:
            pairs = zip(videos, painted, strict=True)
            found = [measure(one, steadied(one, some, degree)) for one, some in pairs]
            before = before if degree else float(np.mean(found, axis=0)[-1])
            sys.stdout.write(row(name, degree, found, before))
            sys.stdout.flush()


def drawn(sequence: str, count: int) -> Drawn:
    """Draw a video, its truth brought to where the thermal camera sees it."""
    seen, truth = [], []
    for number in range(FIRST, FIRST + count):
        frame = draw_frame(seed=SEED, sequence=sequence, number=number)
        size = frame.thermal.shape[::-1]
        seen.append(frame.thermal)
        truth.append(cv2.warpAffine(frame.visible, frame.transform, size).astype(np.uint8))
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.uint8) for one in truth]
    return Drawn(
        seen, truth, *([backward_flow(*two) for two in pairwise(some)] for some in (seen, grey))
    )


def translated(predictor: Predictor, video: Drawn, sharpness: float) -> Images:
    """Translate each image by itself."""
    return [predictor(one[None], sharpness=sharpness)[0] for one in video.seen]


def steadied(video: Drawn, images: Images, degree: float) -> Images:
    """Filter a translated video as `translate --steady` does."""
    steadier = Steadier(degree)
    return [steadier(*two) for two in zip(video.seen, images, strict=True)] if degree else images


def measure(video: Drawn, images: Images) -> tuple[float, ...]:
    """Flicker along both motions, PSNR, SSIM, and the mean slope between neighbouring pixels."""
    flickers = (
        [flicker(*two, way) for two, way in zip(pairwise(images), ways, strict=True)]
        for ways in (video.thermal, video.visible)
    )
    inner = np.s_[:, BORDER:-BORDER, BORDER:-BORDER]
    found, true = (
        torch.from_numpy(np.ascontiguousarray(np.stack(some)[inner].transpose(0, 3, 1, 2)))
        for some in (images, video.truth)
    )
    slope = np.abs(np.diff(np.stack(images)[inner].astype(float).mean(-1), axis=2)).mean()
    return (
        *(float(np.nanmean(some)) for some in flickers),
        float(psnr(found, true).mean()),
        float(ssim(found, true).mean()),
        float(slope),
    )


def row(name: str, degree: float, found: Sequence[tuple[float, ...]], detail: float) -> str:
    """A line of the table: means over the videos; detail as a share of that without the filter."""
    thermal, visible, fidelity, structure, slope = np.mean(found, axis=0)
    told = f"{slope / detail:.0%}" if name != "the truth" else ""
    return (
        f"| {name} | {degree:g} | {thermal:.2f} | {visible:.2f} | {fidelity:.2f} | {structure:.4f} "
        f"| {told} |\n"
    )


if __name__ == "__main__":
    main()
