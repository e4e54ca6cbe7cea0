"""Intervals that hold what they promise, and verdicts that do not shout: by simulation and by hand."""

import csv
import io
import itertools

import numpy as np
import pandas as pd
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.reporting import significance as wins
from thermochroma.reporting import statistics

SIMULATIONS = 1000
THREE_SIGMAS = 3 * np.sqrt(0.95 * 0.05 / SIMULATIONS)  # 0.021, of a share of so many simulations
TRUTH = 0.3


def made_up(
    random: np.random.Generator, *, sequences: int, frames: int, gain: float = 0.0
) -> pd.DataFrame:
    """Scores whose sequences differ (standard deviation 1) more than their frames (0.5)."""
    level = random.normal(0, 1, sequences).repeat(frames)
    names = np.array([f"s{i:02}" for i in range(sequences)]).repeat(frames)
    psnr = gain + level + random.normal(0, 0.5, sequences * frames)
    frame = [f"{name}/{i}" for i, name in enumerate(names)]
    return pd.DataFrame({"frame": frame, "sequence": names, "psnr": psnr})


def many_differences(sequences: int, frames: int = 3) -> np.ndarray:
    """1,000 made-up data sets, (sequences, frames, simulations): differences of two methods.

    A sequence is harder than another for both (5), and suits one method better than the other (1);
    frames differ as well (0.5 for each method). What the first gains is `TRUTH`.
    """
    random = np.random.default_rng(sequences)
    shared = random.normal(20, 5, (sequences, 1, SIMULATIONS))
    taste = random.normal(TRUTH, 1, (sequences, 1, SIMULATIONS))
    frame = random.normal(0, 0.5, (2, sequences, frames, SIMULATIONS))
    one, other = shared + taste + frame[0], shared + frame[1]
    return one - other


@pytest.mark.parametrize("sequences", [8, 12, 20, 36])
def test_the_interval_covers_the_known_difference_as_often_as_it_says(sequences: int) -> None:
    """Plain percentiles cover it in 88 % at 8 sequences and in 90 % at 12: they would fail here."""
    sums = many_differences(sequences).sum(axis=1)
    low, high = statistics.intervals(sums, np.full(sequences, 3.0), seed=0)
    hits = np.mean((low <= TRUTH) & (high >= TRUTH))
    assert hits == pytest.approx(0.95, abs=THREE_SIGMAS)


def test_plain_percentiles_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "tail", lambda n: 0.025)
    sums = many_differences(8).sum(axis=1)
    low, high = statistics.intervals(sums, np.full(8, 3.0), seed=0)
    assert np.mean((low <= TRUTH) & (high >= TRUTH)) < 0.95 - 2 * THREE_SIGMAS


def test_ten_times_the_frames_of_few_sequences_leave_the_interval_as_wide() -> None:
    widths = {}
    for sequences, frames in ((8, 5), (8, 50), (80, 5)):
        means = many_differences(sequences, frames)[..., :200].mean(axis=1)
        low, high = statistics.intervals(means, np.ones(sequences), seed=0)
        widths[sequences, frames] = np.mean(high - low)
    assert widths[8, 50] / widths[8, 5] == pytest.approx(1, abs=0.1)
    assert widths[80, 5] < widths[8, 5] / 2


def test_a_table_of_scores_has_the_same_interval() -> None:
    scores = made_up(np.random.default_rng(0), sequences=8, frames=3)
    sums = scores["psnr"].to_numpy().reshape(8, 3).sum(axis=1, keepdims=True)
    low, high = statistics.intervals(sums, np.full(8, 3.0), seed=4)
    found = statistics.estimate(scores, "psnr", seed=4)
    assert (found.low, found.high) == pytest.approx((low[0], high[0]))


def test_the_tails_are_wider_for_few_sequences() -> None:
    tails = [statistics.tail(n) for n in (2, 8, 12, 36, 100_000)]
    assert tails == sorted(tails)
    assert tails[-1] == pytest.approx(0.025, abs=1e-5)
    assert tails[1] == pytest.approx(0.0057, abs=1e-4)  # worked out from a table of t: 2.365


def ladder(gains: dict[str, float], *, sequences: int = 12, noise: float = 0.1) -> dict:
    """Rows with the same sequences, a gain each, and noise of their own."""
    random = np.random.default_rng(0)
    base = made_up(random, sequences=sequences, frames=4)
    return {
        name: base.assign(psnr=base["psnr"] + gain + random.normal(0, noise, len(base)))
        for name, gain in gains.items()
    }


def test_what_differs_is_told_apart_and_what_does_not_is_not() -> None:
    found = wins.compare_pairs(ladder({"a": 1.0, "b": 0.0, "c": 0.0}), "psnr")
    marks = {(each.one, each.other): each.mark for each in found.verdicts}
    assert marks == {("a", "b"): "▲", ("a", "c"): "▲", ("b", "c"): "="}
    first = found.between("b", "a")
    assert first.difference.mean == pytest.approx(1, abs=0.1)
    assert first.difference.low < first.difference.mean < first.difference.high
    assert first.p == 2**-11, "all 12 sequences agree, in both directions"
    turned = wins.compare_pairs(ladder({"b": 0.0, "a": 1.0}), "psnr")
    assert turned.verdicts[0].mark == "▼"


def test_a_pair_agrees_with_the_test_of_two() -> None:
    rows = ladder({"a": 0.03, "b": 0.0}, sequences=9)
    (each,) = wins.compare_pairs(rows, "psnr").verdicts
    both = [
        statistics.better_than(one, other, "psnr", higher_is_better=True)
        for one, other in ((rows["a"], rows["b"]), (rows["b"], rows["a"]))
    ]
    assert each.p == pytest.approx(2 * min(both))
    assert each.p_joint == each.p, "one pair needs no correction"
    expected = statistics.paired_difference(rows["a"], rows["b"], "psnr")
    found = each.difference
    assert (found.mean, found.low, found.high) == pytest.approx(
        (expected.mean, expected.low, expected.high)
    )


def _holm(p: list[float]) -> list[float]:
    """Holm's step-down correction (1979), which knows nothing of how alike the pairs are."""
    order = np.argsort(p, kind="stable")
    steps = np.array(p)[order] * (len(p) - np.arange(len(p)))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected.tolist()


def test_the_joint_correction_lies_between_none_and_holm() -> None:
    assert _holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    rows = ladder({name: 0.01 * i for i, name in enumerate("abcdef")})
    verdicts = wins.compare_pairs(rows, "psnr").verdicts
    bounds = _holm([each.p for each in verdicts])
    for each, bound in zip(verdicts, bounds, strict=True):
        assert each.p <= each.p_joint <= bound + 1e-12
    assert sum(each.p_joint for each in verdicts) < sum(bounds), "it pays to know"


def test_equal_methods_are_rarely_told_apart() -> None:
    """Of matrices of five equal rows, about one in twenty may hold a false mark, not one a pair."""
    random, shouted, rounds = np.random.default_rng(1), 0, 100
    for _ in range(rounds):
        rows = {name: made_up(random, sequences=9, frames=1) for name in "abcde"}
        shouted += any(each.mark != "=" for each in wins.compare_pairs(rows, "psnr").verdicts)
    assert shouted / rounds <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / rounds)
    assert shouted > 0


def test_one_sequence_and_other_frames() -> None:
    alone = wins.compare_pairs(ladder({"a": 1.0, "b": 0.0}, sequences=1), "psnr")
    assert alone.verdicts[0].mark == "–"
    assert np.isnan(alone.verdicts[0].difference.low)
    text = wins.to_markdown([alone], {"a": "A", "b": "B"}, about="Two rows.")
    assert "nothing can be told apart" in text
    assert "nan" not in text
    rows = ladder({"a": 1.0, "b": 0.0})
    with pytest.raises(BadInput, match="1 of them not shared"):
        wins.compare_pairs({"a": rows["a"], "b": rows["b"].iloc[1:]}, "psnr")


def test_a_missing_value_is_refused() -> None:
    rows = ladder({"a": 1.0, "b": 0.0})
    rows["a"].loc[3, "psnr"] = np.nan
    with pytest.raises(BadInput, match="`a` has no psnr for 1 of its 48 images"):
        wins.compare_pairs(rows, "psnr")


def test_matrix_and_csv_say_the_same() -> None:
    titles = {"a": "Alpha", "b": "Beta", "c": "Gamma"}
    rows = ladder({"a": 0.0, "b": 1.0, "c": 0.0})
    found = [wins.compare_pairs(rows, "psnr")]
    text = wins.to_markdown(found, titles, about="Three rows.")
    matrix = [line for line in text.splitlines() if line.startswith("| 1 |")]
    assert matrix[0].startswith("| 1 | Beta |")
    assert matrix[0].count("▲") == 2
    assert matrix[0].endswith("| 2 / 0 / 0 |")
    assert "cannot be told apart" in text
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    for block in blocks:
        assert len({line.count("|") for line in block}) == 1
    lines = list(csv.DictReader(io.StringIO(wins.to_csv(found, dataset="sample", split="test"))))
    assert [(one["one"], one["other"]) for one in lines] == list(itertools.combinations("abc", 2))
    assert [one["verdict"] for one in lines] == ["▼", "=", "▲"]
    assert float(lines[0]["difference"]) == pytest.approx(-1, abs=0.1)


def test_few_sequences_are_said_to_be_too_few() -> None:
    """Four sequences: no p below 1/8, so nobody can win, whatever the difference."""
    found = wins.compare_pairs(ladder({"a": 9.0, "b": 0.0}, sequences=4), "psnr")
    assert found.verdicts[0].mark == "="
    text = wins.to_markdown([found], {"a": "A", "b": "B"}, about="")
    assert "The least p that 4 sequences can give, corrected or not, is 0.12" in text
    assert "too few for any verdict" in text
