"""Text above and below a table: the definitions that a reader needs, and notes on missing values."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from thermochroma.base.cells import counted
from thermochroma.metrics.distribution import LEAST, LEAST_IN_SUBSETS
from thermochroma.metrics.image_scores import PERCEPTION, SCORES
from thermochroma.metrics.perceptual import LPIPS_TRUNKS
from thermochroma.reporting.layout import (
    COMPETING,
    COST,
    NEEDS_VIDEO,
    SCORED,
    About,
    Line,
    Part,
    Row,
)
from thermochroma.reporting.numbers import number
from thermochroma.reporting.published import PAPER_RULE, PUBLISHED, SOURCE
from thermochroma.reporting.statistics import EXACT_UP_TO, FLIPS, LEVEL, RESAMPLES

RUNS: Final = (
    "Runs: a row of several runs is one block trained with several seeds, and each of its scores the mean "
    "over the runs, image by image. SD: the standard deviation (n - 1) of the runs' means, which the "
    "interval over sequences does not include. Costs and figures are those of the first run."
)

ENTRIES: Final = (
    "Entries: predictions that were made elsewhere and handed in as images; here they are scored like all "
    "others. Their cost is claimed, not measured here. What only a training here could tell (speed of "
    "training, memory, runs, PSNR chosen on the test set) is empty in their rows."
)

NO_PERCEPTION: Final = (
    "{names} empty: meaningful with published weights only, which were not at hand. Set "
    "`weights.{key}: published` in params.yaml and run `dvc repro`."
)


def title_of(about: About, scores: pd.DataFrame) -> str:
    """Title of the table: the scored images, and the data set's note."""
    return f"{what_is_scored(about, scores)}{note_of(about)}"


def definitions_of(about: About, scores: pd.DataFrame, lines: tuple[Line, ...]) -> str:
    """Definitions that a reader needs to check the table."""
    published = f" Published numbers: {SOURCE}." if about.dataset in PUBLISHED else ""
    taken = [name for name in SCORED if name in scores]
    named = (SCORES[name].definition for name in taken)
    definitions = " ".join(dict.fromkeys(named))  # two scores may share one sentence
    return (
        f"Images are scored as a person opens them: 8 bits, clamped and rounded, no flip, no "
        f"test-time average. {definitions} PSNR pooled: of the mean squared error over all "
        f"images. Means are over images; in brackets the {LEVEL:.0%} bootstrap interval "
        f"over sequences ({RESAMPLES:,} resamples, percentiles put further out for few sequences). "
        f"p: one-sided paired sign-flip test over sequences that the row beats {reference_of(about)} "
        f"(all patterns up to {EXACT_UP_TO} sequences, else {FLIPS:,} drawn), not corrected for the "
        f"number of rows (`wins` is). Oracles see the truth and are no competitors."
        f"{_of_perception(lines, len(scores))}{_of_flicker(about)} Weights of the frozen networks used in "
        f"training: {about.frozen}.{published}"
    )


def reference_of(about: About) -> str:
    """Name of the row that methods are tested against, in words."""
    return f"the {about.reference.replace('_', ' ')}"


def what_is_scored(about: About, scores: pd.DataFrame) -> str:
    """Sentence with data set, split, and the numbers of images and sequences."""
    split = f", {about.split} split" if about.split else ""
    return (
        f"{about.title}{split}: {counted(len(scores), 'image')} of "
        f"{counted(scores['sequence'].nunique(), 'sequence')} at "
        f"{about.size}×{about.height or about.size} pixels."
    )


def note_of(about: About) -> str:
    """Note of the data set as a sentence of its own, or ""."""
    return f" {about.note.rstrip('.')}." if about.note else ""


def _of_perception(lines: tuple[Line, ...], images: int) -> str:
    """Definitions of the scores of perception that were taken, each after a space."""
    taken = [name for name in PERCEPTION if _is_shown(name, lines)]
    said = list(dict.fromkeys(PERCEPTION[name].definition for name in taken))
    if "fid" in taken:
        said.append(
            "With fewer than some thousand images FID is too high, the more so the fewer there are, and "
            f"here there are {images}: compare only rows of this table."
        )
    return "".join(f" {one}" for one in said)


def _is_shown(name: str, lines: tuple[Line, ...]) -> bool:
    return any(name in line.cells and line.cells[name].text for line in lines)


def _of_flicker(about: About) -> str:
    if about.true_flicker is None:
        return ""
    return (
        " Flicker: mean absolute difference of neighbouring test frames, the first brought to the second "
        "by the flow of the thermal frames, where that is consistent both ways; a flat image has "
        f"none, the true video {number(about.true_flicker, 2)}."
    )


def notes_of(
    about: About, lines: tuple[Line, ...], parts: tuple[Part, ...], scores: pd.DataFrame
) -> tuple[str, ...]:
    """Notes below the table: the rule of the protocols, and a sentence for everything that is missing."""
    keys = [column.key for part in parts for column in part.columns]
    absent = {line.name: [key for key in keys if key not in line.cells] for line in lines}
    methods = [
        line for line in lines if line.kind == "method" and line.name not in about.needs_video
    ]
    costless = [line.title for line in methods if set(absent[line.name]) & set(COST)]
    found = [PAPER_RULE, *_notes_of_perception(lines, scores)]
    if scores["ms_ssim"].isna().all():
        found.append("MS-SSIM is empty: the images are too small for it.")
    if not any(line.name == about.reference for line in lines):
        found.append(f"p is empty: there is no row of {reference_of(about)} to compare with.")
    if scores["sequence"].nunique() < 2:
        found.append("–: not defined with fewer than two sequences.")
    if costless:
        found.append(f"Cost not measured, or not whole, for: {', '.join(costless)}.")
    if any(key.startswith("published_") for key in keys):
        found.append("An empty published cell: the source prints no number for that row.")
    if about.needs_video:
        titles = ", ".join(about.needs_video.values())
        found.append(
            f"{NEEDS_VIDEO}: {titles} learn from frames in a row, which are not trained on here."
        )
    return (*found, *_notes_of_kinds(lines))


def deviations(rows: Mapping[str, Row]) -> tuple[str, ...]:
    """A note on each thing that rows do otherwise than their papers, with the names of the rows."""
    titles: dict[str, list[str]] = {}
    for row in rows.values():
        if row.deviation:
            titles.setdefault(row.deviation, []).append(row.title)
    return tuple(f"{', '.join(named)}: {said}." for said, named in titles.items())


def _notes_of_kinds(lines: tuple[Line, ...]) -> list[str]:
    """A sentence on each kind of row that has empty cells by its nature."""
    has_entries = any(line.kind == "entry" for line in lines)
    found = [ENTRIES] if has_entries else []
    if any(line.kind not in COMPETING for line in lines):
        tested = "methods and entries" if has_entries else "methods"
        found.append(f"Tests are for {tested} only; those cells are empty in other rows.")
    return found


def _notes_of_perception(lines: tuple[Line, ...], scores: pd.DataFrame) -> list[str]:
    """A sentence on each kind of score that is empty."""
    found = []
    for name in LPIPS_TRUNKS:
        if name not in scores:
            title = f"{PERCEPTION[name].title} is"
            found.append(NO_PERCEPTION.format(names=title, key=name))
    if not _is_shown("fid", lines):
        alone = "FID and KID are empty: one image alone has no spread."
        unknown = NO_PERCEPTION.format(names="FID and KID are", key="inception")
        found.append(alone if len(scores) < LEAST else unknown)
    if not _is_shown("kid_lite", lines):
        title = f"{PERCEPTION['kid_lite'].title} is"
        few = f"{title} empty: of fewer than {LEAST_IN_SUBSETS} images it says little."
        unknown = NO_PERCEPTION.format(names=title, key="efficientnet_lite0")
        found.append(few if len(scores) < LEAST_IN_SUBSETS else unknown)
    return found
