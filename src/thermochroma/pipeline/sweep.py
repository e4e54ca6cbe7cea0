"""Scores against a setting that was swept: a table and a figure, from what `dvc exp show --csv` prints.

    dvc exp show --csv > sweep.csv
    python -m stages.sweep --table sweep.csv --dataset sample --method cmmf_net \\
        --setting methods.cmmf_net.weights.ssim --figure sweep.svg

Not a stage of the pipeline: it looks back on several runs of it.
"""

import sys
from pathlib import Path
from typing import Any, Final

import pandas as pd
from matplotlib import pyplot as plt

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.config.machine import MachinesOwn
from thermochroma.reporting.figures import save_figure

READ: Final = ("validation.psnr", "test.psnr", "validation.ssim", "test.ssim")
DRAWN: Final = ("validation.psnr", "validation.ssim")
"""Choices are made on validation."""
SEED: Final = "seed"
SHARED: Final = ("registration.", "caption.", "weights.", "data/weights/", "captions/")
"""Beginnings of columns that concern every data set."""
CODE: Final = ("data/fingerprints/stages/train.txt", "data/fingerprints/stages/evaluate.txt")
NOTHING: Final = "nothing"  # in the place of an empty cell
TABLE: Final = "what `dvc exp show --csv` prints for this project"
ANEW: Final = "write the table anew, or name another"


def tabulate_sweep(table: Path, dataset: str, method: str, setting: str, figure: Path) -> None:
    """Prints means, and the spread over seeds where a value was run under several.

    Raises BadInput where runs with scores differ in budget, data, frozen networks or code: their scores
    are not comparable.
    """
    with reading(table, needed=TABLE, remedy=ANEW):
        stored = pd.read_csv(table)
    metrics = f"reports/metrics/{dataset}/{method}.json"
    columns = {score: column_of(stored, f"{metrics}:{score}") for score in READ}
    scored = stored[pd.to_numeric(stored[columns[READ[0]]], errors="coerce").notna()]
    if scored.empty:
        raise BadInput(given=f"{table} has no run with scores", needed=TABLE, remedy=ANEW)
    columns |= {name: column_of(stored, name) for name in (setting, SEED)}
    refuse_mixed(scored, setting, dataset, method, table)
    known = one_at_a_time(scored, setting)
    found = pd.DataFrame(
        {title: known[columns[title]] for title in (setting, SEED, *READ)}
    ).drop_duplicates()
    with reading(table, needed="numbers, of the setting too", remedy=ANEW):
        runs = found.astype(float)
    sys.stdout.write(in_markdown(runs, setting) + seeds_told(runs, setting))
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


def refuse_mixed(known: pd.DataFrame, setting: str, dataset: str, method: str, table: Path) -> None:
    """Raise BadInput for runs that differ in what makes scores incomparable, the swept setting aside."""
    for column in differing(known, setting):
        if decides(column.split(":")[-1], setting, dataset, method):
            values = _told(known[column]).value_counts()
            told = ", ".join(f"{value} in {count}" for value, count in values.items())
            raise BadInput(
                given=f"the runs in {table} differ in `{column}` ({told} of {len(known)})",
                needed=f"runs that differ in `{setting}`, in other settings of methods, or in the seed "
                "alone: with other images, data or code their scores cannot stand side by side",
                remedy="delete the lines of one kind from the table, or run those experiments again",
            )


def differing(known: pd.DataFrame, setting: str) -> list[str]:
    """Columns with several values; an empty cell is a value, too."""
    others = (name for name in known.columns if name.split(":")[-1] != setting)
    return [name for name in others if _told(known[name]).nunique() > 1]


def decides(key: str, setting: str, dataset: str, method: str) -> bool:
    """Whether a column tells the budget, the data, the frozen networks or the code behind the scores.

    What is made of a swept setting differs with it: of a setting of the data, crops and features.
    """
    budget = f"budget.{dataset}."
    if key.startswith(f"{budget}exceptions."):
        return key.startswith(f"{budget}exceptions.{method}.")
    if key in {f"{budget}{name}" for name in MachinesOwn.model_fields}:
        return False
    before: tuple[str, ...] = (
        budget,
        f"sources.{dataset}.",
        f"crop.{dataset}.",
        f"evaluate.{dataset}.frames_",
    )
    made = (f"data/crops/{dataset}", f"data/text/{dataset}.")
    if setting.startswith(("methods.", "budget.")):
        before += made
    return key.startswith((*before, *SHARED)) or key in CODE


def one_at_a_time(known: pd.DataFrame, setting: str) -> pd.DataFrame:
    """The runs in which every other setting of methods has its most common value; counts the others."""
    others = [
        name for name in differing(known, setting) if name.split(":")[-1].startswith("methods.")
    ]
    if not others:
        return known
    values = known[others].apply(_told)
    common = values.eq(values.mode().iloc[0]).all(axis=1)
    if not common.all():
        sys.stdout.write(
            f"Left out: {int((~common).sum())} runs in which another setting differs from its most "
            f"common value ({', '.join(others)}).\n\n"
        )
    return known[common]


def seeds_told(runs: pd.DataFrame, setting: str) -> str:
    """A sentence where not all values were run under the same seeds; "" where they were."""
    seeds = {f"{value:g}": sorted(set(some[SEED])) for value, some in runs.groupby(runs[setting])}
    if all(some == next(iter(seeds.values())) for some in seeds.values()):
        return ""
    lists = (
        f"{value} under {', '.join(f'{seed:g}' for seed in some)}" for value, some in seeds.items()
    )
    return (
        f"\nNot all values were run under the same seeds ({'; '.join(lists)}): a difference between "
        "them is one of seeds, too.\n"
    )


def _told(values: "pd.Series[Any]") -> "pd.Series[str]":
    return values.astype(object).where(values.notna(), NOTHING).astype(str)


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
