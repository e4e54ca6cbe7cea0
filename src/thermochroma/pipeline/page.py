"""One page for all data sets: who wins, by how much, whether that is real, and what it looks like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from thermochroma.base.files import whole_folder, write_text
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.config.comparison import Comparison
from thermochroma.config.entry import Entry
from thermochroma.evaluation.gallery import (
    SPLIT,
    Gallery,
    choose_gallery_rows,
    read_gallery,
    read_images,
)
from thermochroma.evaluation.scoring import SEEN, scored_rows
from thermochroma.loading.crops import Crops
from thermochroma.pipeline.compare import READINGS, SPLITS
from thermochroma.pipeline.results import (
    ResultFolders,
    Spectrum,
    about_of,
    blocks_of,
    by_spectrum,
    frozen_of,
    galleries,
    of_split,
    outside_of,
    read_rows,
)
from thermochroma.pipeline.stored import SUFFIX, read_history
from thermochroma.reporting import significance as wins
from thermochroma.reporting.layout import COMPETING, Row
from thermochroma.reporting.page.contents import (
    GalleryFrame,
    Images,
    Link,
    Meeting,
    PageDataset,
    Scores,
    Section,
    points_of,
    scores_of,
    values_of,
)
from thermochroma.reporting.page.duels import duels
from thermochroma.reporting.page.facts import TrainingFacts, facts_of
from thermochroma.reporting.page.images import image_name, save_edges, save_image
from thermochroma.reporting.page.render import render
from thermochroma.reporting.page.verdict import Field, verdict
from thermochroma.reporting.table import build_table

TRACKING: Final = "http://127.0.0.1:5000"
"""Address at which `make ui` answers."""


@dataclass(frozen=True)
class Roots:
    """The folders below which each data set has its own."""

    crops: Path
    runs: Path
    scores: Path
    baselines: Path


def build_page(
    comparisons: Sequence[Comparison], *, roots: Roots, page: Path, images: Path
) -> None:
    """Write the page and its images; nothing in them depends on the day or the machine."""
    with whole_folder(images) as part:
        for one in comparisons:
            write_page_images(one, roots, part / one.dataset)
    found = [describe(one, roots) for one in comparisons]
    write_text(page, render(found, images=images.name, tracking=TRACKING))


def describe(comparison: Comparison, roots: Roots) -> PageDataset:
    """All that the page says of one data set."""
    dataset, blocks = comparison.dataset, blocks_of(comparison.entries)
    record, cut = comparison.record, Crops(roots.crops / dataset)
    shown = shown_of(comparison, roots)
    sections = [
        section(comparison, entries, spectrum, roots, shown)
        for spectrum, entries in by_spectrum(comparison).items()
    ]
    train = cut.split("train")
    frozen = frozen_of(comparison, roots.runs / dataset)
    trained = TrainingFacts(len(train), train["sequence"].nunique(), frozen)
    trained_here = [one for one in comparison.entries if one.name in blocks]
    budgets = {one.name: one.budget for one in trained_here}
    methods = len({one.settings.method for one in trained_here})
    return PageDataset(
        name=dataset,
        title=record.title,
        note=record.note,
        size=comparison.side,
        facts=facts_of(trained, budgets, methods=methods, shown=len(shown.common_frames)),
        frames=[
            GalleryFrame(*map(str, row))
            for row in shown.rows[["frame", "sequence", "place", "time"]].values
        ],
        common=len(shown.common_frames),
        scored=shown.scored,
        sections=sections,
        links=links_of(dataset, sections, comparison.entries),
    )


@dataclass(frozen=True, eq=False)
class PageFrames:
    """The frames of the page.

    common_frames: those that every row shows. rows: of the manifest; behind those that every row shows, the
    extremes of single rows. scored: how many test frames there are in all.
    """

    common_frames: Sequence[str]
    rows: pd.DataFrame
    scored: int

    def places(self, frames: Sequence[str]) -> list[int]:
        """Return the positions of these frames on the page."""
        order = {frame: place for place, frame in enumerate(self.rows["frame"])}
        return [order[frame] for frame in frames]


def shown_of(comparison: Comparison, roots: Roots) -> PageFrames:
    """The test frames that the stages evaluate and baselines chose, and those extreme for some row."""
    how, cut = comparison.evaluate, Crops(roots.crops / comparison.dataset)
    scored = scored_rows(cut, how.frames_per_sequence)
    gallery_rows = choose_gallery_rows(scored, how.gallery_frames)
    frames = list(gallery_rows["frame"])
    kept = {
        frame
        for path in galleries_of(comparison, roots).values()
        for frame in read_gallery(path, frames).frames
    }
    more = scored[scored["frame"].isin(kept - {*frames})]
    rows = pd.concat([gallery_rows, more], ignore_index=True).fillna({"place": "", "time": ""})
    return PageFrames(frames, rows, int((scored["split"] == SPLIT).sum()))


def galleries_of(comparison: Comparison, roots: Roots) -> dict[str, Path]:
    """Of both directions."""
    places = places_of(comparison.dataset, roots)
    return {
        name: path
        for spectrum, entries in by_spectrum(comparison).items()
        for name, path in galleries(
            blocks_of(entries), spectrum, places, outside_of(comparison, spectrum)
        ).items()
    }


def section(
    comparison: Comparison,
    entries: Sequence[Entry],
    spectrum: Spectrum,
    roots: Roots,
    shown: PageFrames,
) -> Section:
    """The methods that predict one spectrum, with the trivial rows and oracles."""
    places, blocks = places_of(comparison.dataset, roots), blocks_of(entries)
    outside, reference = outside_of(comparison, spectrum), BASELINES[spectrum].reference
    rows = read_rows(blocks, spectrum, places, outside)
    names = list(blocks)
    test, seed = of_split(rows, SPLIT), comparison.seed
    compared = {
        name: row.scores for name, row in test.items() if row.kind in COMPETING or name == reference
    }
    met = {
        score: duels(wins.compare_pairs(compared, score, seed=seed)) if len(compared) > 1 else {}
        for score in wins.COMPARED
    }
    return Section(
        predicted=spectrum,
        seen=SEEN[spectrum],
        title=f"{SEEN[spectrum].capitalize()} to {spectrum}",
        reference=reference,
        verdict=verdict(field_of(comparison, entries, test, reference), met, seed=seed),
        splits={
            split: tabulated(comparison, of_split(rows, split), split, spectrum, places)
            for split in SPLITS
        },
        duels={
            score: [Meeting(*pair, duel) for pair, duel in pairs.items()]
            for score, pairs in met.items()
        },
        images={
            name: on_page(read_gallery(path, shown.common_frames), shown)
            for name, path in galleries(names, spectrum, places, outside).items()
        },
        histories={
            name: points_of(read_history(places.runs / name), list(READINGS)) for name in names
        },
    )


def field_of(
    comparison: Comparison, entries: Sequence[Entry], test: Mapping[str, Row], reference: str
) -> Field:
    """The rows that compete, each with its method: of the line-up, and entries from elsewhere."""
    method_of = {one.name: one.settings.method for one in entries if not one.is_repeat}
    method_of |= {name: name for name, row in test.items() if row.kind == "entry"}
    return Field(test, method_of, reference, drawn=comparison.record.drawn)


def on_page(gallery: Gallery, shown: PageFrames) -> Images:
    """Which frames a row shows, with its scores of them and its extremes."""
    return Images(
        extra=shown.places(gallery.frames[len(shown.common_frames) :]),
        values=values_of(gallery.values),
        extremes={name: shown.places(three) for name, three in gallery.extremes.items()},
    )


def tabulated(
    comparison: Comparison,
    rows: dict[str, Row],
    split: str,
    spectrum: Spectrum,
    places: ResultFolders,
) -> Scores:
    """The table of one split, as `compare` builds it."""
    about = about_of(comparison, split, spectrum, places)
    return scores_of(build_table(rows, about, seed=comparison.seed))


def places_of(dataset: str, roots: Roots) -> ResultFolders:
    """The folders of one data set. Tables and figures are neither read nor written here."""
    nowhere = Path()
    return ResultFolders(
        roots.runs / dataset,
        roots.scores / dataset,
        roots.baselines / dataset,
        tables=nowhere,
        figures=nowhere,
    )


def write_page_images(comparison: Comparison, roots: Roots, folder: Path) -> None:
    """Write what was seen, what is true, the thermal edges, and what each row predicted."""
    cut, shown = Crops(roots.crops / comparison.dataset), shown_of(comparison, roots)
    for place, (_, row) in enumerate(shown.rows.iterrows()):
        for spectrum in SEEN:
            image = np.asarray(cut.image(spectrum, row))
            save_image(image, folder / spectrum / image_name(place))
        save_edges(np.asarray(cut.thermal(row)), folder / "edges" / image_name(place))
    for name, path in galleries_of(comparison, roots).items():
        predicted = read_images(path, shown.common_frames)
        places = shown.places(read_gallery(path, shown.common_frames).frames)
        for place, image in zip(places, predicted, strict=True):
            save_image(image, folder / "predicted" / name / image_name(place))


def links_of(dataset: str, sections: Sequence[Section], entries: Sequence[Entry]) -> list[Link]:
    """The files that `compare`, `ceiling` and `register` leave beside the page."""
    spectra = [one.predicted for one in sections]
    compared = [one.predicted for one in sections if any(one.duels.values())]
    tables = [
        Link(f"Table, {split} split, {SEEN[spectrum]} to {spectrum} ({kind})", path)
        for spectrum in spectra
        for split in SPLITS
        for kind, end in (("Markdown", "md"), ("CSV", "csv"), ("LaTeX", "tex"))
        for path in [f"{dataset}/tables/{split}{SUFFIX[spectrum]}.{end}"]
    ]
    wins = [
        Link(f"Who beats whom, {split} split, {SEEN[spectrum]} to {spectrum}", path)
        for spectrum in compared  # a single row has no such table
        for split in SPLITS
        for path in [f"{dataset}/tables/{split}_wins{SUFFIX[spectrum]}.md"]
    ]
    cards = [
        Link("What could be reached: the truth, spoilt in known ways", f"{dataset}/ceiling.md"),
        Link("How well the pairs are registered", f"{dataset}/registration/card.md"),
    ]
    models = [
        Link(f"Model card of {one.name}", f"{dataset}/cards/{one.name}.md") for one in entries
    ]
    return [*tables, *wins, *cards, *models]
