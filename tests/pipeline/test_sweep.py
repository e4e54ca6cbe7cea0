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
    assert [row.split(" | ")[:2] for row in rows] == [["| 0.5", "2"], ["| 2", "1"]]


def test_an_unknown_setting_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no column for `methods\.one\.weights\.sim`"):
        sweep.tabulate_sweep(
            table, "sample", "one", "methods.one.weights.sim", tmp_path / "sweep.svg"
        )
