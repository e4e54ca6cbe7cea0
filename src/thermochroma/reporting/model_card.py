"""Card of a trained translator: what it is, what it was taught with, how well it does, where it fails.

The headings follow Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019): use, training data,
evaluation, limits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from thermochroma.base.cells import counted, markdown_table
from thermochroma.metrics.image_scores import PERCEPTION, SCORES
from thermochroma.reporting.numbers import heading, number, with_interval
from thermochroma.reporting.statistics import better_than, estimate, paired_difference

SHOWN: Final = ("psnr", "ssim", "ciede2000", "colourfulness_difference", "lpips_alex")
WORST: Final = 3
"""Number of images that are named as failures."""
GUESSED: Final = {
    "visible": "Colours are guessed: a thermal image does not tell the colour of a car, a coat or a lamp, "
    "nor what is written on a sign. Do not use a translated image as evidence of what was to be seen.",
    "thermal": "Temperatures are guessed: a visible image does not tell how warm anything is. Do not read "
    "temperatures from a translated image, and do not use it as evidence.",
}
OTHER_CAMERA: Final = (
    "It knows one data set. Images of another camera, spectrum, height, climate or time of day are outside "
    "of what was measured here, and usually come out worse."
)


@dataclass(frozen=True)
class Subject:
    """Subject of a card: facts on a trained translator, beside its scores.

    note, licence, citation: of the data set. frozen: provenance of the frozen networks in training.
    deviation: what its settings do otherwise than the paper; "" for nothing. pairs: how many, by split.
    """

    name: str
    title: str
    method: str
    dataset: str
    predicted: str
    seen: str
    seed: int
    images: int | None
    scale: float
    frozen: str
    deviation: str
    parameters: float
    sha256: str
    note: str
    licence: str
    citation: str
    pairs: Mapping[str, int]
    size: int


@dataclass(frozen=True)
class Scored:
    """Scores of one split, image by image: the translator's and the row's that learns nothing."""

    split: str
    scores: pd.DataFrame
    reference: pd.DataFrame
    reference_title: str


def model_card(subject: Subject, splits: Sequence[Scored], *, seed: int = 0) -> str:
    """Write the card as Markdown. splits: test first. seed: of the resampled intervals, as in tables."""
    parts = [
        f"# {subject.title}, trained on {subject.dataset}",
        *([f"**{subject.note}**"] if subject.note else []),
        f"Translates {subject.seen} images into {subject.predicted} ones. Seed {subject.seed}.",
        "## Use",
        f"`thermochroma translate translator.safetensors IMAGES --to FOLDER`. {GUESSED[subject.predicted]}",
        "## What it was taught with",
        _training(subject),
        "## How well it does",
        *[part for one in splits for part in _scores(one, seed)],
        "Brackets: 95 % intervals over sequences, not over images. p: one-sided sign-flip test over "
        "sequences that it is better than the row named beside it, not corrected for other methods. The "
        "definitions stand below the tables of its data set.",
        "## Where it fails",
        *[_failures(one) for one in splits[:1]],
        OTHER_CAMERA,
    ]
    return "\n\n".join(parts) + "\n"


def _training(subject: Subject) -> str:
    shown = "unknown" if subject.images is None else f"{subject.images:,}"
    pairs = ", ".join(f"{name} {count:,}" for name, count in subject.pairs.items())
    rows = [
        ("method", f"{subject.method}, block {subject.name} of params.yaml"),
        *([("otherwise than the paper", subject.deviation)] if subject.deviation else []),
        ("data set", f"{subject.dataset}: {subject.citation}"),
        ("licence of the data", subject.licence),
        ("pairs", pairs),
        ("images shown in training", shown),
        ("side of the images", f"{subject.size} pixels"),
        ("factor of all widths", f"{subject.scale:g}"),
        ("frozen networks", subject.frozen),
        ("parameters", f"{subject.parameters:,.0f}"),
        ("SHA-256 of the translator", subject.sha256),
    ]
    return markdown_table(("what", "value"), (":--", ":--"), *rows)


def _scores(one: Scored, seed: int) -> list[str]:
    """Table of one split: its scores beside those of the row that learns nothing."""
    known = {**SCORES, **PERCEPTION}
    rows = []
    for name in SHOWN:
        if name not in one.scores or one.scores[name].isna().all():
            continue
        score, upwards = known[name], known[name].higher_is_better
        mine, other = (
            with_interval(estimate(scores, name, seed=seed), score.decimals).text
            for scores in (one.scores, one.reference)
        )
        p = better_than(one.scores, one.reference, name, higher_is_better=upwards, seed=seed)
        rows.append((heading(score), mine, other, number(p, 4)))
    size = f"{counted(len(one.scores), 'image')} of {counted(one.scores['sequence'].nunique(), 'sequence')}"
    head = ("score", "translator", one.reference_title, "p")
    return [
        f"### {one.split.capitalize()}: {size}",
        markdown_table(head, (":--", *["--:"] * 3), *rows),
    ]


def _failures(one: Scored) -> str:
    """Name the images with the least PSNR, and the share that a flat colour does better on."""
    worst = one.scores.nsmallest(WORST, "psnr")
    named = ", ".join(
        f"`{row['frame']}` ({number(row['psnr'], 2)} dB)" for _, row in worst.iterrows()
    )
    gains = one.scores.merge(one.reference[["frame", "psnr"]], on="frame", suffixes=("", "_other"))
    below = int((gains["psnr"] < gains["psnr_other"]).sum())
    mean = paired_difference(one.scores, one.reference, "psnr")
    return (
        f"Least PSNR on {one.split} images: {named}. On {below} of {counted(len(gains), 'image')} "
        f"{one.reference_title.lower()} is nearer to the truth; the mean difference of PSNR is "
        f"{mean.mean:+.2f} dB."
    )
