"""Scores against a setting that was swept: a table and a figure, from what `dvc exp show --csv` prints.

    dvc exp show --csv > sweep.csv
    python -m stages.sweep --table sweep.csv --dataset sample --method cmmf_net \\
        --setting methods.cmmf_net.weights.ssim --figure sweep.svg

Not a stage of the pipeline: it looks back on several runs of it.
"""

import sys
from pathlib import Path
from typing import Final

import pandas as pd
from matplotlib import pyplot as plt

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.reporting.figures import save_figure

READ: Final = ("validation.psnr", "test.psnr", "validation.ssim", "test.ssim")
DRAWN: Final = ("validation.psnr", "validation.ssim")
"""Choices are made on validation."""
SEED: Final = "seed"
TABLE: Final = "what `dvc exp show --csv` prints for this project"
ANEW: Final = "write the table anew, or name another"


def tabulate_sweep(table: Path, dataset: str, method: str, setting: str, figure: Path) -> None:
    """Prints means, and the spread over seeds where a value was run under several."""
    with reading(table, needed=TABLE, remedy=ANEW):
        stored = pd.read_csv(table)
    known = one_at_a_time(stored, setting)
    metrics = f"reports/metrics/{dataset}/{method}.json"
    names = {setting: setting, SEED: SEED} | {f"{metrics}:{score}": score for score in READ}
    found = pd.DataFrame(
        {title: known[column_of(known, name)] for name, title in names.items()}
    ).drop_duplicates()
    with reading(table, needed="numbers, of the setting too", remedy=ANEW):
        runs = found[pd.to_numeric(found[READ[0]], errors="coerce").notna()].astype(float)
    if runs.empty:
        raise BadInput(given=f"{table} has no run with scores", needed=TABLE, remedy=ANEW)
    sys.stdout.write(in_markdown(runs, setting))
    draw(runs, setting, f"{method}, {dataset}", figure)


def column_of(known: pd.DataFrame, name: str) -> str:
    """DVC shortens a column's name where no other file has the same key."""
    key = name.split(":")[-1]
    for column in (name, key, f"params.yaml:{name}"):
        if column in known.columns:
            return column
    raise BadInput(
        given=f"the table has no column for `{name}`",
        needed=TABLE,
        remedy="correct the setting, the method or the data set, or write the table anew",
    )


def one_at_a_time(known: pd.DataFrame, setting: str) -> pd.DataFrame:
    """The runs in which every other setting has its most common value; says how many have not."""
    others = [
        name
        for name in known.columns
        if name.split(":")[-1].startswith("methods.")
        and not name.endswith(setting)
        and known[name].nunique() > 1
    ]
    if not others:
        return known
    common = known[others].eq(known[others].mode().iloc[0]).all(axis=1)
    if not common.all():
        sys.stdout.write(
            f"Left out: {int((~common).sum())} runs in which another setting differs from its most "
            f"common value ({', '.join(others)}).\n\n"
        )
    return known[common]


def in_markdown(runs: pd.DataFrame, setting: str) -> str:
    """One line a value: number of runs, and of each score mean and standard deviation."""
    lines = [f"| {setting} | runs | {' | '.join(READ)} |", "|--:|--:|" + "--:|" * len(READ)]
    for value, some in runs.groupby(setting):
        cells = [_cell(some[score], score) for score in READ]
        lines.append(f"| {value:g} | {len(some)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(values: "pd.Series[float]", score: str) -> str:
    digits = 2 if score.endswith("psnr") else 3
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def draw(runs: pd.DataFrame, setting: str, title: str, figure: Path) -> None:
    """Every run as a point, the means as a line; on a symmetric logarithmic axis, for zero is a value."""
    drawn, panels = plt.subplots(1, len(DRAWN), figsize=(9, 3.5), layout="constrained")
    for axes, score in zip(panels, DRAWN, strict=True):
        means = runs.groupby(setting)[score].mean()
        axes.plot(means.index, means, color="0.6")
        axes.plot(runs[setting], runs[score], "o", fillstyle="none")
        least = runs.loc[runs[setting] > 0, setting].min()
        axes.set_xscale("symlog", linthresh=least)
        axes.set(xlabel=setting, ylabel=score, title=title)
    save_figure(drawn, figure.with_suffix(""))
