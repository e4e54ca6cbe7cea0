"""Looking back on a sweep: from DVC's table of experiments to means, spread and a figure."""

from pathlib import Path

import pandas as pd
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.pipeline import sweep

SETTING = "methods.one.weights.ssim"
METRICS = "reports/metrics/sample/one.json"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two values under two seeds, the first named twice (workspace and experiment), and a failed run."""
    runs = [(0.5, 0, 10.0), (0.5, 1, 12.0), (2.0, 0, 15.0), (2.0, 1, 16.0), (0.5, 0, 10.0)]
    rows = [
        {SETTING: weight, "params.yaml:seed": seed}
        | {f"{METRICS}:{score}": psnr / (1 if "psnr" in score else 100) for score in sweep.READ}
        for weight, seed, psnr in runs
    ]
    failed = dict.fromkeys(rows[0], "!") | {SETTING: 4.0}
    path = tmp_path / "sweep.csv"
    pd.DataFrame([*rows, failed]).to_csv(path, index=False)
    return path


def test_each_value_has_its_mean_and_the_spread_of_its_seeds(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep.tabulate_sweep(table, "sample", "one", SETTING, tmp_path / "sweep.svg")
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "| 0.5 | 2 | 11.00 ± 1.41 | 11.00 ± 1.41 | 0.110 ± 0.014 | 0.110 ± 0.014 |"
    assert lines[3].startswith("| 2 | 2 | 15.50 ± 0.71 |")
    assert len(lines) == 4
    assert (tmp_path / "sweep.svg").stat().st_size > 0


def test_runs_in_which_something_else_was_turned_are_left_out_and_counted(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = pd.read_csv(table)
    known["methods.one.weights.tv"] = [1.0, 1.0, 1.0, 4.0, 1.0, 1.0]
    known.to_csv(table, index=False)
    sweep.tabulate_sweep(table, "sample", "one", SETTING, tmp_path / "sweep.svg")
    said, _, _, _, *rows = capsys.readouterr().out.splitlines()
    assert said.startswith("Left out: 1 runs")
    assert "methods.one.weights.tv" in said
    assert [row.split(" | ")[:2] for row in rows[:2]] == [["| 0.5", "2"], ["| 2", "1"]]


def test_an_unknown_setting_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no column for `methods\.one\.weights\.sim`"):
        sweep.tabulate_sweep(
            table, "sample", "one", "methods.one.weights.sim", tmp_path / "sweep.svg"
        )


def changed(table: Path, column: str, values: list[object]) -> None:
    """Put a column into the table."""
    known = pd.read_csv(table)
    known[column] = values
    known.to_csv(table, index=False)


def tabulate(table: Path) -> None:
    """Tabulate the sweep of the data set `sample`."""
    sweep.tabulate_sweep(table, "sample", "one", SETTING, table.with_name("sweep.svg"))


@pytest.mark.parametrize(
    "column",
    [
        "budget.sample.images",
        "params.yaml:budget.sample.exceptions.one.window",
        "sources.sample.seed",
        "crop.sample.size",
        "registration.gain_still",
        "caption.profile",
        "weights.vgg19",
        "evaluate.sample.frames_per_sequence",
        "data/crops/sample",
        "data/fingerprints/stages/train.txt",
    ],
)
def test_runs_of_other_budgets_data_or_code_are_refused(column: str, table: Path) -> None:
    changed(table, column, [300, 300, 300, 600, 300, 600])
    with pytest.raises(BadInput) as caught:
        tabulate(table)
    assert f"differ in `{column}` (300 in 4, 600 in 1 of 5)" in caught.value.given


def test_an_empty_cell_is_a_value(table: Path) -> None:
    """No `frames` are all of them."""
    changed(table, "budget.sample.frames", [None, None, None, 20, None, None])
    with pytest.raises(BadInput, match=r"nothing in 4, 20\.0 in 1 of 5"):
        tabulate(table)


@pytest.mark.parametrize(
    "column",
    [
        "budget.sample.workers",
        "budget.roadscene.images",
        "budget.sample.exceptions.other.images",
        "sources.roadscene.profile",
        "evaluate.sample.timing_rounds",
        "data/runs/sample/one/translator.safetensors",
    ],
)
def test_what_decides_nothing_may_differ(
    column: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(table, column, [1, 1, 1, 2, 1, 2])
    tabulate(table)
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_failed_run_is_none_of_those_that_must_agree(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(table, "budget.sample.images", [300] * 5 + [600])
    tabulate(table)
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_crops_differ_with_a_swept_setting_of_the_data() -> None:
    for setting, wanted in ((SETTING, True), ("crop.sample.size", False)):
        assert sweep.decides("data/crops/sample", setting, "sample", "one") is wanted


def test_values_under_other_seeds_are_told(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(table, "params.yaml:seed", [0, 1, 0, 2, 0, 0])
    tabulate(table)
    assert "same seeds (0.5 under 0, 1; 2 under 0, 2)" in capsys.readouterr().out
