"""How long the unpaired methods need: the errors of their round trips over a run, from `history.csv`.

    python -m benchmarks.cycles --runs data/runs/sample --figure cycles.svg \\
        --methods cyclegan,pearlgan,thermal_mask,recycle_gan,i2v_gan

A reading is the mean of the ones in a tenth of the run, since single ones are noisy. So each run must have
ten of its own: docs/results/cycles.md says which budgets were set before.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.reporting.figures import save_figure

PARTS: Final = 10
ROUND_TRIPS: Final = ("cycle", "recycle")
PREFIX: Final = "translators/"


def main(runs: Path, methods: str, figure: Path) -> None:
    """Prints a Markdown table and draws the curves."""
    curves = {
        f"{name}, {term}": curve
        for name in methods.split(",")
        for term, curve in round_trips(runs / name / "history.csv").items()
    }
    heads = " | ".join(f"{part}/{PARTS}" for part in range(1, PARTS + 1))
    sys.stdout.write(f"| error | images | {heads} | least / first | half after, images |\n")
    sys.stdout.write("|---|--:|" + "--:|" * (PARTS + 2) + "\n")
    for title, curve in curves.items():
        values = curve["error"].to_numpy()
        told = " | ".join(f"{value:.3f}" for value in values)
        half = curve.loc[values <= values[0] / 2, "images"]
        after = f"{half.iloc[0]:.0f}" if len(half) else "not in this run"
        total, least = curve["images"].iloc[-1], values.min() / values[0]
        sys.stdout.write(f"| {title} | {total:.0f} | {told} | {least:.2f} | {after} |\n")
    draw(curves, figure)


def round_trips(history: Path) -> dict[str, pd.DataFrame]:
    """By term, columns images and error: means of the readings in equal parts of the run."""
    readings = pd.read_csv(history)
    terms = [
        column
        for column in readings.columns
        if column.removeprefix(PREFIX).split("_")[0] in ROUND_TRIPS
    ]
    readings = readings.dropna(subset=terms)  # readings of validation stand in rows of their own
    if not terms or len(readings) < PARTS:
        raise BadInput(
            given=f"{history} has {len(readings)} readings of {len(terms)} round trips",
            needed=f"at least {PARTS} readings, and a method with cycles",
            remedy="name other methods, or train longer",
        )
    parts = np.array_split(np.arange(len(readings)), PARTS)
    ends = [readings["images"].iloc[part[-1]] for part in parts]
    return {
        term.removeprefix(PREFIX): pd.DataFrame(
            {"images": ends, "error": [readings[term].iloc[part].mean() for part in parts]}
        )
        for term in terms
    }


def draw(curves: dict[str, pd.DataFrame], figure: Path) -> None:
    """Each error as a share of its first reading."""
    drawn, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for title, curve in curves.items():
        style = "--" if "thermal" in title.split(", ")[1] else "-"
        axes.plot(curve["images"], curve["error"] / curve["error"].iloc[0], style, label=title)
    axes.axhline(0.5, color="black", linewidth=0.8)
    axes.set(xlabel="images shown", ylabel="error of the round trip, share of the first")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    save_figure(drawn, figure.with_suffix(""))


if __name__ == "__main__":
    run(main)
