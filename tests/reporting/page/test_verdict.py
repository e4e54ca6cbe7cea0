"""The sentences at the head of the page: each case on numbers made for it."""

import re

import numpy as np
import pandas as pd
import pytest

from thermochroma.reporting.layout import COMPETING, Kind, Row
from thermochroma.reporting.page.duels import Duel, duels
from thermochroma.reporting.page.verdict import Field, Verdict, leaves_out_zero, verdict
from thermochroma.reporting.significance import compare_pairs, least_p

TITLES = {"mean_colour": "Mean colour", "copied": "Thermal copied"}


def scored(base: np.ndarray, ssim: float) -> pd.DataFrame:
    """One image a sequence; SSIM has the noise of PSNR, a hundred times as small."""
    names = [f"s{n:02d}" for n in range(len(base))]
    return pd.DataFrame(
        {"frame": names, "sequence": names, "psnr": base, "ssim": ssim + base / 100}
    )


def told(
    psnr: dict[str, float],
    ssim: dict[str, float] | None = None,
    *,
    sequences: int = 12,
    kinds: dict[str, Kind] | None = None,
    method_of: dict[str, str] | None = None,
    noise: dict[str, float] | None = None,
    drawn: bool = False,
) -> Verdict:
    """The verdict on rows with these gains over the mean colour, in dB and in SSIM (a tenth unless given).

    noise: standard deviation of a row's own differences.
    """
    rng = np.random.default_rng(0)
    shared = rng.normal(15, 1, sequences)
    known: dict[str, Kind] = dict.fromkeys(psnr, "method") | dict.fromkeys(TITLES, "trivial")
    known |= kinds or {}
    rows = {}
    for name, kind in known.items():
        own = rng.normal(0, (noise or {}).get(name, 0.0), sequences)
        gain = psnr.get(name, 0.0)
        more = (ssim or {}).get(name, gain / 10) - gain / 100
        title = TITLES.get(name, name.replace("_", " ").capitalize())
        rows[name] = Row(title, kind, scored(shared + gain + own, more))
    competing = {name: name for name, kind in known.items() if kind in COMPETING}
    compared = {name: rows[name].scores for name in (*competing, "mean_colour")}
    met = {
        score: duels(compare_pairs(compared, score)) if len(compared) > 1 else {}
        for score in ("ssim", "psnr")
    }
    return verdict(Field(rows, competing | (method_of or {}), "mean_colour", drawn), met)


def words(found: Verdict) -> str:
    return " ".join([found.headline, found.line, *found.findings])


def test_who_beats_all_leads() -> None:
    found = told({"one": 3.0, "two": 2.0, "three": -1.0})
    assert found.headline == "One leads in SSIM and PSNR"
    assert found.line == "Of 3 methods, 2 in SSIM and 2 in PSNR beat the flat mean colour."
    assert "PSNR: One has 1" in found.findings[2]
    assert "3.00 dB above the flat mean colour" in found.findings[2]
    assert found.findings[2].endswith("It beats every other method.")
    assert "thermal copied has" not in found.findings[3], "the mean colour is as good"
    assert found.findings[3].endswith("a better mean: 2 of 3 methods.")


def test_each_score_has_its_own_leader() -> None:
    found = told({"one": 3.0, "two": 2.0}, {"one": 0.1, "two": 0.2})
    assert found.headline == "Two leads in SSIM, One in PSNR"


def test_nobody_leads_where_the_best_cannot_be_told_apart() -> None:
    near = {"one": 2.0, "two": 2.0}
    found = told(near, {"one": 0.2, "two": 0.1}, noise={"two": 0.3})
    assert found.headline == "One leads in SSIM; in PSNR no method does"
    assert re.search(r"It cannot be told apart from (One|Two)\.$", found.findings[2])
    both = told(near, noise={"two": 0.3})
    assert both.headline == "No single method leads"
    assert both.line == "Of 2 methods, 2 in SSIM and 2 in PSNR beat the flat mean colour."


def test_nobody_leads_below_a_baseline() -> None:
    found = told({"one": 3.0, "two": 1.0, "copied": 5.0}, kinds={"copied": "trivial"})
    assert found.headline == "No single method leads"
    assert "thermal copied has" in found.findings[1]
    assert found.findings[1].endswith("a better mean: none of 2 methods.")


def test_no_method_beats_the_flat_mean() -> None:
    found = told({"one": -1.0, "two": 0.0}, noise={"two": 0.2})
    assert found.headline == "No method beats the flat mean colour"
    assert found.line.startswith("The best of 2 methods against it: Two in SSIM ")
    assert "(cannot be told apart)" in found.line
    assert "leads" not in words(found)


def test_the_only_method_leads_nobody() -> None:
    worse = told({"one": -1.0})
    assert worse.headline == "One, the only method here, does not beat the flat mean colour"
    assert worse.line == "Against it: One in SSIM −0.100 (worse); One in PSNR −1.00 dB (worse)."
    assert not re.search("leads|every other|best mean", words(worse))
    better = told({"one": 2.0}, {"one": -0.1})
    assert better.headline == "One, the only method here, beats the flat mean colour in PSNR"


def test_one_sequence_tells_nothing_apart() -> None:
    for gains in ({"one": 2.12}, {"one": 2.12, "two": 3.0}):
        found = told(gains, sequences=1)
        assert found.headline == "One test sequence: no difference can be tested"
        assert "eans, untested: " in found.line
        assert not re.search(r"leads|beats?\b|told apart|0 in|none in", words(found))
        assert "dB above the flat mean colour (no interval: one sequence)" in words(found)


@pytest.mark.parametrize("sequences, least", [(2, "0.5"), (5, "0.062")])
def test_too_few_sequences_state_the_least_p(sequences: int, least: str) -> None:
    found = told({"one": 2.0, "two": 3.0}, sequences=sequences, noise={"one": 0.1})
    assert found.headline == f"{sequences} test sequences: too few to tell anything apart"
    assert (
        f"The least p that {sequences} sequences can give is {least}; 0.05 is needed." in found.line
    )
    assert not re.search(r"leads|beats", words(found))
    assert f"which {sequences} sequences are too few to test" in words(found)


def test_the_least_p_is_that_of_the_test() -> None:
    for n in (2, 5, 6, 12, 13):
        rows = {"one": scored(np.full(n, 2.0), 0.1), "two": scored(np.full(n, 1.0), 0.1)}
        (found,) = compare_pairs(rows, "psnr").verdicts
        assert found.p_joint >= least_p(n) * 0.9
        if n <= 12:
            assert found.p_joint == least_p(n)
    assert np.isnan(least_p(1))
    assert least_p(5) > 0.05 > least_p(6)


def test_the_drawn_sample_ranks_nothing() -> None:
    found = told({"one": 3.0, "two": 2.0}, drawn=True)
    assert found.headline == "Pipeline check: these scores rank nothing"
    assert found.line == (
        "Its scenes are drawn by a program and say nothing of real cameras. "
        "Of 2 methods, 2 in SSIM and 2 in PSNR beat the flat mean colour."
    )
    assert not re.search("leads|every other|One|Two", words(found))
    few = told({"one": 3.0}, drawn=True, sequences=1)
    assert few.line.endswith("One test sequence: no difference can be tested.")


def test_several_rows_of_one_method_count_once() -> None:
    gains = {"one": 1.0, "one_small": 3.0, "two": 2.0, "three": -1.0}
    found = told(gains, method_of={"one_small": "one"})
    assert found.headline == "One small leads in SSIM and PSNR"
    assert found.line == "Of 3 methods, 2 in SSIM and 2 in PSNR beat the flat mean colour."
    assert (
        found.findings[-1] == "Several rows of one method count once, by their best: One (2 rows)."
    )
    twice = told({"one": 1.0, "one_small": 1.0}, method_of={"one_small": "one"}, noise={"one": 0.3})
    assert twice.headline.startswith("One, the only method here, beats")
    assert "told apart from" not in words(twice), "its own rows are no rivals"


def test_an_interval_that_leaves_out_zero_is_no_verdict() -> None:
    """Six sequences, one of which goes the other way: p is 4/64, however narrow the interval."""
    gains = np.array([1.0, 1.0, 1.0, 1.0, 1.0, -0.05])
    base = np.linspace(14, 16, 6)
    rows = {
        "one": Row("One", "method", scored(base + gains, 0)),
        "mean_colour": Row("Mean colour", "trivial", scored(base, 0)),
    }
    compared = {name: row.scores for name, row in rows.items()}
    met = {"psnr": duels(compare_pairs(compared, "psnr"))}
    duel = met["psnr"]["one", "mean_colour"]
    assert duel.low > 0
    assert duel.p > 0.05
    assert leaves_out_zero(duel)
    found = verdict(Field(rows, {"one": "one"}, "mean_colour"), met)
    assert found.headline.endswith("does not beat the flat mean colour")
    assert (
        "; that interval, of this pair alone, leaves out zero, but the test corrected for all pairs does "
        f"not tell the two apart (p {duel.p:.2g})." in found.findings[0]
    )


def test_other_methods_whose_interval_alone_leaves_out_zero_are_named() -> None:
    rows = {
        name: Row(name.capitalize(), "method", scored(np.full(6, 15.0), 0))
        for name in ("one", "two", "three")
    }
    rows["mean_colour"] = Row("Mean colour", "trivial", scored(np.full(6, 10.0), 0))
    ahead = {"two": Duel(1.0, 0.5, 1.5, 0.06, "alike"), "three": Duel(0.1, -1.0, 1.0, 0.9, "alike")}
    flat = Duel(5.0, 4.0, 6.0, 0.03, "better")
    met = {(name, "mean_colour"): flat for name in ("one", "two", "three")}
    met |= {("one", name): duel for name, duel in ahead.items()}
    field = Field(rows, {name: name for name in ("one", "two", "three")}, "mean_colour")
    found = verdict(field, {"psnr": met})
    assert found.findings[0].endswith(
        "It cannot be told apart from Two and Three, although the interval of the pair alone leaves out "
        "zero for Two."
    )


def test_entries_compete_under_their_own_name() -> None:
    found = told({"one": 1.0, "theirs": 3.0}, kinds={"theirs": "entry"})
    assert found.headline == "Theirs leads in SSIM and PSNR"
    assert found.line.startswith("Of 1 method and 1 entry, 2 in SSIM")
    assert "It beats every other method or entry." in words(found)
    alone = told({"theirs": -1.0}, kinds={"theirs": "entry"})
    assert alone.headline.startswith("Theirs, the only entry here, does not beat")


def test_nothing_was_trained() -> None:
    assert told({}).headline == "No method of this direction was trained"
