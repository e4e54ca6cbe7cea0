"""Figures: grid of images, learning curves, quality against cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from thermochroma.base.cells import letters
from thermochroma.base.files import whole_file
from thermochroma.base.images import ThermalImage, VisibleImage

CELL_INCHES: Final = 1.35
LEFT, ABOVE, BELOW, GAP = (
    0.3,
    0.45,
    0.25,
    0.03,
)  # inches: for names, titles and note, and between images
DOTS_PER_INCH: Final = 190  # about one dot a pixel for images of 256 pixels in such a cell
GRID_COLUMNS: Final = 6
"""Greatest number of columns of a grid, input and truth among them: as many as can be read on a page."""
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES: Final = ("-", "--", ":")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""Markers of lines. The colours are Okabe and Ito's, which colour-blind readers can tell apart; beyond
seven lines the dashes change."""

AGAINST: Final = {
    "images": "images shown",
    "epochs": "epochs",
    "twentieths": "twentieths of the training",
}
"""Titles of the horizontal axis of learning curves, by column."""

Shown: TypeAlias = ThermalImage | VisibleImage


@dataclass(frozen=True)
class Point:
    """Cost and quality of one method; low and high, the ends of the quality's interval, may be NaN."""

    title: str
    cost: float
    quality: float
    low: float = np.nan
    high: float = np.nan


def grid(
    seen: str,
    seen_images: Sequence[Shown],
    predicted: Mapping[str, Sequence[Shown]],
    truths: Sequence[Shown],
    *,
    frames: Sequence[str],
    note: str = "",
) -> Figure:
    """Draw a grid of images: a row per frame; columns are input, each of `predicted` and truth.

    seen: the title of the first column. predicted: title to images. Images of one channel are shown as
    grey. All sequences run over the same frames; `frames` names them at the left.
    """
    columns: dict[str, Sequence[np.ndarray]] = {seen: seen_images, **predicted, "Truth": truths}
    width, height = CELL_INCHES * len(columns) + LEFT, CELL_INCHES * len(frames) + ABOVE + BELOW
    figure = Figure(figsize=(width, height))
    # Positions are computed here: a layout engine would draw the whole grid several times to find them.
    axes = figure.subplots(
        len(frames),
        len(columns),
        squeeze=False,
        gridspec_kw={
            "left": LEFT / width,
            "right": 1 - GAP / width,
            "bottom": BELOW / height,
            "top": 1 - ABOVE / height,
            "wspace": GAP / (CELL_INCHES - GAP),
            "hspace": GAP / (CELL_INCHES - GAP),
        },
    )
    for column, (title, images) in enumerate(columns.items()):
        axes[0, column].set_title(letters(_broken(title)), fontsize=7)
        for row, image in enumerate(images):
            _show(axes[row, column], image)
    for row, frame in enumerate(frames):
        axes[row, 0].set_ylabel(letters(_broken(frame, at="/")), fontsize=5)
    if note:
        figure.supxlabel(note, fontsize=7, color="0.35", style="italic", y=0.06 / height)
    return figure


def grid_pages(predicted: Mapping[str, Sequence[Shown]]) -> list[dict[str, Sequence[Shown]]]:
    """Divide the columns of a grid into pages, as even as can be, each with room for input and truth."""
    titles, room = list(predicted), GRID_COLUMNS - 2
    pages = max(1, -(-len(titles) // room))
    ends = [len(titles) * page // pages for page in range(pages + 1)]
    return [{title: predicted[title] for title in titles[a:b]} for a, b in pairwise(ends)]


def curves(
    histories: Mapping[str, pd.DataFrame],
    readings: Mapping[str, str],
    *,
    against: str = "images",
    note: str = "",
) -> Figure:
    """Draw learning curves: one panel per reading, one line per method, against images or epochs shown.

    histories: title to table with the column `against` (a key of `AGAINST`) and one column per
    reading, NaN where it was not taken. readings: column to the panel's title. A method without
    the column has no line there.
    """
    figure = Figure(figsize=(4.2 * len(readings), 3.4), layout="constrained")
    panels = figure.subplots(1, len(readings), squeeze=False)[0]
    looks = {title: _look(index) for index, title in enumerate(histories)}
    for axes, (reading, panel_title) in zip(panels, readings.items(), strict=True):
        for title, history in histories.items():
            if reading in history:
                taken = history[[against, reading]].dropna()
                axes.plot(
                    taken[against], taken[reading], markersize=3, linewidth=1.2, **looks[title]
                )
        dress(axes, panel_title, AGAINST[against], "")  # the panel's title names the vertical axis
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure, looks)
    print_note(figure, note)
    return figure


def quality_against_cost(
    points: Sequence[Point], *, cost: str, quality: str, note: str = ""
) -> Figure:
    """Draw quality against cost, with the quality's intervals; `cost` and `quality` title the axes."""
    figure = Figure(figsize=(5.4, 3.8), layout="constrained")
    axes = figure.subplots()
    looks = {point.title: {**_look(index), "linestyle": ""} for index, point in enumerate(points)}
    for point in points:
        look = looks[point.title]
        axes.plot([point.cost], [point.quality], markersize=6, **look)
        if np.isfinite([point.low, point.high]).all():
            axes.vlines(point.cost, point.low, point.high, color=look["color"], linewidth=0.8)
    axes.set_xscale("log")
    dress(axes, f"{quality} against {cost}", cost, quality)
    _legend(figure, looks)
    print_note(figure, note)
    return figure


def save_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write `stem`.png and `stem`.svg, whole or not at all; equal figures give equal bytes."""
    png, svg = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
    _save_png(figure, png)
    with mpl.rc_context({"svg.hashsalt": "thermochroma"}), whole_file(svg) as part:
        figure.savefig(part, format="svg", dpi=DOTS_PER_INCH, metadata={"Date": None})
    return png, svg


def save_grid(figure: Figure, path: Path) -> None:
    """Write a grid of images as PNG alone: an SVG would hold the same pixels once more."""
    _save_png(figure, path)


def _save_png(figure: Figure, path: Path) -> None:
    with whole_file(path) as part:
        figure.savefig(part, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def _show(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_visible(False)


def dress(axes: Axes, title: str, across: str, up: str) -> None:
    """Set titles and a light grid, the same in every figure."""
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(across, fontsize=8)
    axes.set_ylabel(up, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _look(index: int) -> dict[str, Any]:
    colour, style = index % len(COLOURS), index // len(COLOURS) % len(STYLES)
    return {
        "color": COLOURS[colour],
        "linestyle": STYLES[style],
        "marker": MARKERS[(colour + style) % len(MARKERS)],
    }


def _legend(figure: Figure, looks: Mapping[str, dict[str, Any]]) -> None:
    """Draw one legend for all panels, beside them, so that it never covers a line."""
    handles = [
        Line2D([], [], label=letters(title), markersize=4, **look) for title, look in looks.items()
    ]
    figure.legend(handles=handles, loc="outside right upper", fontsize=7, frameon=False)


def print_note(figure: Figure, note: str) -> None:
    """Print the data set's note below the figure, if it has one."""
    if note:
        figure.supxlabel(note, fontsize=7, color="0.35", style="italic")


def _broken(text: str, at: str = " ") -> str:
    """Break a long text into two lines, at the `at` nearest to the middle."""
    places = [index for index, letter in enumerate(text) if letter == at]
    if len(text) <= 14 or not places:
        return text
    middle = min(places, key=lambda index: abs(index - len(text) / 2))
    return f"{text[: middle + (at != ' ')]}\n{text[middle + 1 :]}"
