"""The card of a registration: its figures, its worst mounts, and pictures before and after."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Bool, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thermochroma.images import ThermalPicture, VisiblePicture, read_thermal, read_visible
from thermochroma.manifest import usable
from thermochroma.preparation.transforms import matrices, metrics
from thermochroma.source import Matrix

EDGE_COLOUR: Final = (255, 140, 0)
EDGE_SHARE: Final = 0.12  # of the thermal pixels count as edges, before they are thinned

WORDS: Final = {
    "mounts": "mounts",
    "accepted_share": "share of mounts with a transform",
    "mean_gain": "mean gain in correlation",
    "displacement_median_px": "median corner displacement (px)",
    "error_before_median_px": "median corner error before (px)",
    "error_before_p95_px": "95th percentile before (px)",
    "error_after_median_px": "median corner error after (px)",
    "error_after_p95_px": "95th percentile after (px)",
}

DEFINITION: Final = (
    "A transform is the similarity that takes a visible pixel to the thermal pixel that shows the "
    "same point. It is kept only if it raises the correlation of oriented gradients between the "
    "two pictures; otherwise the pair stays as it is (identity). Lengths are mean distances of the "
    "four corners, in raw pixels; the figures are over mounts."
)


def build_card(
    transforms: pd.DataFrame,  # columns of TRANSFORM_COLUMNS
    errors: pd.DataFrame | None = None,  # as `compare_with_truth` gives them, where truth is known
    *,
    title: str,
    note: str,  # the data set's note; "" if it has none
    worst: int = 10,
) -> str:
    """The card as Markdown."""
    parts = [
        f"# Registration: {title}",
        *([f"**{note}**"] if note else []),
        DEFINITION,
        _figures_table(metrics(transforms, errors)),
        "## Where the transforms come from",
        _levels_table(transforms),
        f"## The {min(worst, len(transforms))} worst mounts",
        _worst_table(transforms, errors, worst),
    ]
    return "\n\n".join(parts) + "\n"


def most_moved(transforms: pd.DataFrame, count: int = 6) -> pd.DataFrame:
    """The mounts whose transform moves the corners furthest, largest first."""
    return transforms.sort_values("displacement_px", ascending=False, kind="stable").head(count)


def draw_contact_sheet(
    transforms: pd.DataFrame,  # columns of TRANSFORM_COLUMNS
    frames: pd.DataFrame,  # columns of manifest.FRAME_COLUMNS
    *,
    raw: Path,  # the folder below which the pictures lie
    note: str,  # the data set's note; "" if it has none
    count: int = 6,
) -> Figure:
    """Thermal edges over the visible picture, before and after, for the mounts moved furthest.

    One frame a mount, the middle quarter of it, two mounts a row. Raises BadInput for a picture
    that cannot be read.
    """
    chosen = most_moved(transforms, count)
    figure, panels = _empty_sheet(chosen)
    firsts = usable(frames).drop_duplicates("mount").set_index("mount")
    found = matrices(chosen)
    for index, (mount, moved) in enumerate(chosen[["mount", "displacement_px"]].to_numpy()):
        thermal = read_thermal(raw / firsts.loc[mount, "thermal"])
        visible = read_visible(raw / firsts.loc[mount, "visible"])
        before, after = panels[2 * index : 2 * index + 2]
        before.imshow(_middle(_drawn(visible, thermal)))
        before.set_title(f"{mount}: before", fontsize=10)
        after.imshow(_middle(_drawn(visible, _warped(thermal, found[mount]))))
        after.set_title(f"after, moved by {moved:.1f} px", fontsize=10)
    legend = "Thermal edges (orange) over the visible picture; the middle quarter of each pair"
    figure.suptitle("\n".join(filter(None, [legend, note])), fontsize=12)
    return figure


def _empty_sheet(chosen: pd.DataFrame) -> tuple[Figure, Sequence[Axes]]:
    """Four panels a row, without axes, as tall as the tallest pictures need."""
    rows = (len(chosen) + 1) // 2
    shape = float((chosen["height"] / chosen["width"]).max())
    figure = Figure(figsize=(16, rows * (4 * shape + 0.3) + 0.7), layout="constrained")
    panels = figure.subplots(rows, 4, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    return figure, panels.tolist()


def _warped(thermal: ThermalPicture, matrix: Matrix) -> ThermalPicture:
    """The thermal picture on the visible one's grid; black where it shows nothing."""
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(thermal, matrix, thermal.shape[::-1], flags=flags))


def _drawn(visible: VisiblePicture, thermal: ThermalPicture) -> VisiblePicture:
    grey = cv2.cvtColor(visible, cv2.COLOR_RGB2GRAY)
    picture = np.repeat(grey[..., None], 3, axis=-1)
    picture[_edges(thermal)] = EDGE_COLOUR
    return picture


def _edges(thermal: ThermalPicture) -> Bool[np.ndarray, "h w"]:
    """The strongest gradients, thinned to the ridge: the top among the neighbours to two sides."""
    smooth = cv2.GaussianBlur(thermal.astype(np.float32), (0, 0), 1.5)
    strength = np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1))
    ridges = [
        strength >= cv2.dilate(strength, np.ones(side, np.uint8)) for side in ((1, 3), (3, 1))
    ]
    return np.asarray((strength > np.quantile(strength, 1 - EDGE_SHARE)) & (ridges[0] | ridges[1]))


def _middle(picture: VisiblePicture) -> UInt8[np.ndarray, "_ _ 3"]:
    height, width = picture.shape[:2]
    return picture[height // 4 : height - height // 4, width // 4 : width - width // 4]


def _figures_table(figures: Mapping[str, float]) -> str:
    rows = [(WORDS.get(name, name), f"{value:.4g}") for name, value in figures.items()]
    return _table(["figure", "value"], rows)


def _levels_table(transforms: pd.DataFrame) -> str:
    counts = transforms["level"].value_counts(sort=False).sort_index()
    rows = [
        (level, str(count), f"{count / len(transforms):.0%}") for level, count in counts.items()
    ]
    return _table(["level", "mounts", "share"], rows)


def _worst_table(transforms: pd.DataFrame, errors: pd.DataFrame | None, worst: int) -> str:
    """By the error after registration where it is known, otherwise by spread, then lack of gain."""
    columns = ["mount", "level", "frames", "moved (px)", "spread (px)", "gain", "improved"]
    if errors is None:
        order = transforms.sort_values(["spread_px", "mean_gain"], ascending=[False, True])
        return _table(
            [*columns, "reason"], [(*_row(r), r["reason"]) for r in _records(order, worst)]
        )
    order = transforms.merge(errors, on="mount").sort_values("after_px", ascending=False)
    rows = [
        (*_row(r), f"{r['before_px']:.2f}", f"{r['after_px']:.2f}", r["reason"])
        for r in _records(order, worst)
    ]
    return _table([*columns, "error before (px)", "after (px)", "reason"], rows)


def _records(table: pd.DataFrame, count: int) -> list[dict[Hashable, Any]]:
    """The first rows; what is not known becomes None."""
    head = table.head(count).astype(object)
    return head.where(head.notna(), None).to_dict("records")


def _row(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    spread = "" if row["spread_px"] is None else f"{row['spread_px']:.2f}"
    return (
        str(row["mount"]),
        str(row["level"]),
        f"{row['accepted']} of {row['frames_used']}",
        f"{row['displacement_px']:.2f}",
        spread,
        f"{row['mean_gain']:.4f}",
        f"{row['improved_share']:.0%}",
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
