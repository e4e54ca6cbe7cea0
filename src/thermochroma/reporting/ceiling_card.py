"""Card of a data set's ceiling: scores of the truth itself after shifts, blur and coarse colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thermochroma.base.cells import counted, markdown_table
from thermochroma.data.registration.tables import metrics
from thermochroma.metrics.image_scores import SCORES
from thermochroma.reporting.figures import COLOURS, MARKERS, dress, print_note
from thermochroma.reporting.layout import WITH_INTERVAL
from thermochroma.reporting.numbers import heading, number, with_interval
from thermochroma.reporting.registration_card import WORDS
from thermochroma.reporting.statistics import LEVEL, Estimate, estimate

TITLES: Final = {
    "shifted": "Truth shifted",
    "blurred": "Truth blurred, sigma",
    "affine": "Best local line from thermal to colour, radius",
    "own_look_up_table": "Own look-up table from thermal to colour",
    "own_mean_colour": "Own mean colour, flat",
}
MEANING: Final = (
    "Every row sees the truth. A sharp prediction that lies as far beside the truth as the pairs do scores "
    "no better than the truth shifted by as much, however right its colours; one that gives each thermal "
    "level of an image one colour reaches no higher PSNR than the look-up table; a method that scores "
    "like the mean colour has predicted no structure."
)


@dataclass(frozen=True)
class Residual:
    """Misregistration that remains after registration, in raw pixels, one value per mount."""

    pixels: pd.Series
    what: str


def residual_of(transforms: pd.DataFrame, errors: pd.DataFrame | None) -> Residual:
    """Error against the true transform where that is known, else the disagreement of a mount's frames.

    transforms: columns of TRANSFORM_COLUMNS. errors: as `compare_with_truth` returns them. Mounts of one
    frame have no such disagreement and are left out.
    """
    if errors is not None:
        return Residual(errors["after_px"], "corner error against the true transform")
    said = "disagreement of a mount's frames about their transform, a lower bound of its error"
    return Residual(transforms["spread_px"].dropna(), said)


def build_ceiling(
    scores: pd.DataFrame,
    neighbours: pd.DataFrame,
    transforms: pd.DataFrame,
    errors: pd.DataFrame | None,
    *,
    title: str,
    note: str,
    seed: int,
) -> str:
    """Write the card as Markdown. scores, neighbours: from `score_ceiling` and `score_neighbours`."""
    images, sequences = scores["frame"].nunique(), scores["sequence"].nunique()
    parts = [
        f"# Ceiling: {title}",
        *([f"**{note}**"] if note else []),
        f"{counted(images, 'image')} of {counted(sequences, 'sequence')} of the test split, evenly spread. "
        f"{MEANING} In brackets the {LEVEL:.0%} bootstrap interval over sequences. "
        f"{SCORES['ssim'].definition} {SCORES['psnr'].definition}",
        _table(["Row", "pixels", *(heading(SCORES[name]) for name in WITH_INTERVAL)], [
            [TITLES[what], number(pixels, 0), *(_interval(found[name], name) for name in WITH_INTERVAL)]
            for (what, pixels), found in means_of(scores, seed=seed).items()
        ]),
        "## Misregistration that remains",
        _residual(residual_of(transforms, errors)),
        _table(
            ["figure", "value"],
            [[WORDS[name], f"{value:.4g}"] for name, value in metrics(transforms, errors).items()],
        ),
        "## Between neighbouring frames",
        _between(neighbours, seed),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def means_of(
    scores: pd.DataFrame, *, seed: int
) -> Mapping[tuple[str, float], Mapping[str, Estimate]]:
    """Estimates of SSIM and PSNR of each row, (what, pixels), in the order of scoring."""
    return {
        (str(what), float(pixels)): {  # type: ignore[arg-type]
            name: estimate(some, name, seed=seed) for name in WITH_INTERVAL
        }
        for (what, pixels), some in scores.groupby(["what", "pixels"], sort=False, dropna=False)
    }


def draw_ceiling(scores: pd.DataFrame, residual: Residual, *, note: str, seed: int) -> Figure:
    """Draw three panels: remaining misregistration, then SSIM and PSNR against pixels."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    first, *others = figure.subplots(1, 3)
    _draw_residual(first, residual)
    means = means_of(scores, seed=seed)
    for axes, name in zip(others, WITH_INTERVAL, strict=True):
        for look, what in enumerate(("shifted", "blurred", "affine")):
            drawn = {px: found[name] for (kind, px), found in means.items() if kind == what and px}
            _draw_curve(axes, drawn, look, TITLES[what])
        for what, style in (("own_look_up_table", "--"), ("own_mean_colour", ":")):
            flat = next(found[name].mean for (kind, _), found in means.items() if kind == what)
            axes.axhline(flat, linestyle=style, color="0.4", linewidth=1, label=TITLES[what])
        axes.set_xscale("log", base=2)
        dress(axes, heading(SCORES[name]), "pixels", "")
    handles, labels = others[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", fontsize=7, frameon=False, ncols=5)
    print_note(figure, note)
    return figure


def _draw_residual(axes: Axes, residual: Residual) -> None:
    pixels = residual.pixels
    if len(pixels):
        axes.hist(pixels, bins=30, color=COLOURS[0])
        axes.axvline(float(pixels.median()), color="0.2", linewidth=1)
    else:
        axes.text(0.5, 0.5, "not known", ha="center", transform=axes.transAxes, fontsize=9)
    dress(axes, "Misregistration that remains", "raw pixels", "mounts")


def _draw_curve(axes: Axes, drawn: Mapping[float, Estimate], look: int, title: str) -> None:
    pixels = sorted(drawn)
    means, low, high = (
        np.array([getattr(drawn[px], end) for px in pixels]) for end in ("mean", "low", "high")
    )
    axes.plot(
        pixels,
        means,
        color=COLOURS[look],
        marker=MARKERS[look],
        markersize=4,
        linewidth=1.2,
        label=title,
    )
    axes.fill_between(pixels, low, high, color=COLOURS[look], alpha=0.15, linewidth=0)


def _residual(residual: Residual) -> str:
    pixels = residual.pixels
    if pixels.empty:
        return "Not known: no mount has several frames that could disagree, and the truth is not known."
    shares = {f"{share:.0%}": float(pixels.quantile(share)) for share in (0.1, 0.5, 0.9, 0.99)}
    said = ", ".join(f"{share} of mounts below {value:.2f}" for share, value in shares.items())
    return (
        f"In raw pixels, over {len(pixels)} mounts ({residual.what}): {said}. Depth adds to this: the "
        "one transform of a mount is right at one distance only."
    )


def _between(neighbours: pd.DataFrame, seed: int) -> str:
    if neighbours.empty:
        return "Not known: this data set has no neighbouring frames under one window."
    found = {name: _interval(estimate(neighbours, name, seed=seed), name) for name in WITH_INTERVAL}
    change = neighbours["flicker"].dropna()
    moved = f"{change.mean():.2f} levels" if len(change) else "not known"
    sequences = counted(neighbours["sequence"].nunique(), "sequence")
    return (
        f"A true frame, taken as the prediction of the next one, scores SSIM {found['ssim']} and PSNR "
        f"{found['psnr']} dB ({counted(len(neighbours), 'pair')} of {sequences}). "
        f"Where motion is followed, the truth itself changes by {moved}: noise, light, and what the flow "
        "misses."
    )


def _interval(found: Estimate, name: str) -> str:
    return with_interval(found, SCORES[name].decimals).text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown_table(head, ["---"] * len(head), *rows)
