"""Contact sheet of a registration: pairs before and after, for a person to judge by eye."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Bool, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thermochroma.base.cells import letters
from thermochroma.base.images import (
    ThermalImage,
    Tone,
    VisibleImage,
    read_thermal,
    read_visible,
)
from thermochroma.base.manifest import usable
from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.tables import matrices
from thermochroma.reporting.registration_card import worst_first

EDGE_COLOUR: Final = (255, 140, 0)
EDGE_SHARE: Final = 0.12  # of the thermal pixels count as edges, before they are thinned
TILE: Final = 24  # pixels: side of a square of the checkerboard, smaller in small images
LEGEND: Final = (
    "Left: thermal edges (orange) over the visible image. Right: squares of both, thermal tinted; "
    "lines should continue across squares. Shown: the middle quarter of each pair"
)


def chosen_mounts(
    transforms: pd.DataFrame, errors: pd.DataFrame | None = None, count: int = 6
) -> pd.DataFrame:
    """Choose a third each of the mounts moved furthest, the worst others, and identities, none twice.

    Where there are too few of one kind, more of those moved furthest take their place.
    """
    far = transforms.sort_values("displacement_px", ascending=False, kind="stable")["mount"]
    moved = transforms.loc[transforms["level"] != "identity", "mount"]
    worst = worst_first(transforms[transforms["level"] != "identity"], errors)["mount"]
    still = transforms.loc[transforms["level"] == "identity", "mount"]
    third = -(-count // 3)
    picked = list(far[far.isin(moved)].head(third))
    for kind in (worst, still):
        picked += list(kind[~kind.isin(picked)].head(third))
    picked += list(far[~far.isin(picked)])
    return transforms.set_index("mount", drop=False).loc[picked[:count]].reset_index(drop=True)


def draw_contact_sheet(
    transforms: pd.DataFrame,  # columns of TRANSFORM_COLUMNS
    frames: pd.DataFrame,  # columns of manifest.FRAME_COLUMNS
    errors: pd.DataFrame | None = None,  # as `compare_with_truth` gives them, where truth is known
    *,
    raw: Path,  # the folder below which the images lie
    note: str,  # the data set's note; "" if it has none
    count: int = 6,
) -> Figure:
    """Draw edges and checkerboard, before and after, for `chosen_mounts`: a row per mount, one frame.

    Raises BadInput for an image that cannot be read.
    """
    chosen = chosen_mounts(transforms, errors, count)
    figure, rows = _empty_sheet(chosen)
    firsts = usable(frames).drop_duplicates("mount").set_index("mount")
    found = matrices(chosen)
    for row, mount in zip(rows, chosen.to_dict("records"), strict=True):
        frame = firsts.loc[mount["mount"]]
        tone, digests = (
            Tone.parse(frame["tone"]),
            (frame["thermal_sha256"], frame["visible_sha256"]),
        )
        thermal = read_thermal(raw / frame["thermal"], tone, sha256=digests[0])
        visible = read_visible(raw / frame["visible"], sha256=digests[1])
        after = _warped(thermal, found[mount["mount"]])
        panels = [
            _drawn(visible, thermal),
            _drawn(visible, after),
            _checked(visible, thermal),
            _checked(visible, after),
        ]
        for axes, panel in zip(row, panels, strict=True):
            axes.imshow(_middle(panel))
        told = f"{mount['level']}, moved by {mount['displacement_px']:.1f} px"
        for axes, title in zip(row, [f"{letters(mount['mount'])}: before", told] * 2, strict=True):
            axes.set_title(title, fontsize=10)
    figure.suptitle("\n".join(filter(None, [LEGEND, note])), fontsize=12)
    return figure


def _empty_sheet(chosen: pd.DataFrame) -> tuple[Figure, list[list[Axes]]]:
    """Figure with four panels per row, without axes, high enough for the tallest images."""
    shape = float((chosen["height"] / chosen["width"]).max())
    figure = Figure(figsize=(16, len(chosen) * (4 * shape + 0.3) + 0.7), layout="constrained")
    rows = figure.subplots(len(chosen), 4, squeeze=False)
    for axes in rows.ravel():
        axes.set_axis_off()
    return figure, rows.tolist()


def _warped(thermal: ThermalImage, matrix: Matrix) -> ThermalImage:
    """Warp the thermal image to the visible one's grid; pixels outside it are black."""
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(thermal, matrix, thermal.shape[::-1], flags=flags))


def _drawn(visible: VisibleImage, thermal: ThermalImage) -> VisibleImage:
    image = _in_grey(visible)
    image[_edges(thermal)] = EDGE_COLOUR
    return image


def _checked(visible: VisibleImage, thermal: ThermalImage) -> VisibleImage:
    """Checkerboard with squares of the visible image in grey and of the thermal one in orange."""
    height, width = thermal.shape
    tile = min(TILE, max(1, width // 16))
    turn = (np.arange(height)[:, None] // tile + np.arange(width)[None, :] // tile) % 2 == 1
    tint = np.array(EDGE_COLOUR) / 255 * 0.5 + 0.5
    warm = (_stretched(thermal)[..., None] * tint).astype(np.uint8)
    return np.where(turn[..., None], warm, _in_grey(visible))


def _stretched(thermal: ThermalImage) -> ThermalImage:
    """Stretch levels between the 1st and 99th percentile over all grey levels, since nights are dim."""
    low, high = np.quantile(thermal, (0.01, 0.99))
    unit = (thermal - low) / max(high - low, 1.0)
    return np.asarray((np.clip(unit, 0, 1) * 255).astype(np.uint8))


def _in_grey(visible: VisibleImage) -> VisibleImage:
    grey = cv2.cvtColor(visible, cv2.COLOR_RGB2GRAY)
    return np.repeat(grey[..., None], 3, axis=-1)


def _edges(thermal: ThermalImage) -> Bool[np.ndarray, "h w"]:
    """Strongest gradients, thinned to ridges: maxima among the neighbours along one axis."""
    smooth = cv2.GaussianBlur(thermal.astype(np.float32), (0, 0), 1.5)
    strength = np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1))
    ridges = [
        strength >= cv2.dilate(strength, np.ones(side, np.uint8)) for side in ((1, 3), (3, 1))
    ]
    return np.asarray((strength > np.quantile(strength, 1 - EDGE_SHARE)) & (ridges[0] | ridges[1]))


def _middle(image: VisibleImage) -> UInt8[np.ndarray, "_ _ 3"]:
    height, width = image.shape[:2]
    return image[height // 4 : height - height // 4, width // 4 : width - width // 4]
