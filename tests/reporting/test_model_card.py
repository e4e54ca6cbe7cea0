"""The card of a translator says what its scores say, and names what fails."""

from dataclasses import replace

import pandas as pd
import pytest

from thermochroma.reporting.model_card import Scored, Subject, model_card
from thermochroma.reporting.statistics import better_than, estimate

SUBJECT = Subject(
    name="pix2pix_seed_1",
    title="Pix2pix",
    method="pix2pix",
    dataset="Harbour",
    predicted="visible",
    seen="thermal",
    seed=1,
    images=2_800,
    scale=0.25,
    frozen="VGG-16 published",
    deviation="",
    parameters=3_400_123.0,
    sha256="0" * 64,
    note="",
    licence="ours | theirs",
    citation="A. Author, 2026",
    pairs={"train": 1_156, "validation": 3, "test": 6},
    size=256,
)


def scored(gain: float, *, split: str = "test") -> Scored:
    """Six images of three sequences, of which the last is the worst; `gain` above a flat colour."""
    mine = pd.DataFrame(
        {
            "frame": [f"f{place}" for place in range(6)],
            "sequence": ["a", "a", "b", "b", "c", "c"],
            "psnr": [20.0, 19.0, 18.0, 17.0, 16.0, 9.0],
            "ssim": [0.6] * 6,
            "lpips_alex": [float("nan")] * 6,
        }
    )
    flat = mine.assign(psnr=mine["psnr"] - gain, ssim=0.5)
    flat.loc[5, "psnr"] = 10.0
    return Scored(split, mine, flat, "Mean colour")


def test_its_numbers_are_those_of_the_tables() -> None:
    test = scored(2.0)
    text = model_card(SUBJECT, [test])
    p = better_than(test.scores, test.reference, "psnr", higher_is_better=True)
    expected = f"| PSNR [dB] ↑ | {_cells(test.scores)} | {_cells(test.reference)} | {p:.4f} |"
    assert expected in text.splitlines()
    assert "### Test: 6 images of 3 sequences" in text
    assert "LPIPS" not in text, "it was not taken"


def _cells(scores: pd.DataFrame) -> str:
    found = estimate(scores, "psnr")
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"


def test_it_names_what_fails() -> None:
    text = model_card(SUBJECT, [scored(2.0), scored(1.0, split="validation")])
    assert "`f5` (9.00 dB), `f4` (16.00 dB), `f3` (17.00 dB)" in text
    assert "On 1 of 6 images mean colour is nearer" in text
    assert "is +1.50 dB" in text
    assert "is -0." in model_card(SUBJECT, [scored(-0.5)])


def test_it_says_what_it_was_taught_with_and_a_cell_stays_one_cell() -> None:
    text = model_card(replace(SUBJECT, note="drawn, not real", deviation="VGG-16"), [scored(2.0)])
    assert "**drawn, not real**" in text
    assert "| otherwise than the paper | VGG-16 |" in text
    assert "train 1,156, validation 3, test 6" in text
    assert "3,400,123" in text
    assert "Seed 1" in text
    licence = next(line for line in text.splitlines() if line.startswith("| licence"))
    assert licence.replace(r"\|", "").count("|") == 3
    assert "otherwise than the paper" not in model_card(SUBJECT, [scored(2.0)])


@pytest.mark.parametrize(("predicted", "guessed"), [("visible", "Colours"), ("thermal", "Temper")])
def test_it_says_what_is_guessed(predicted: str, guessed: str) -> None:
    assert f"{guessed}" in model_card(replace(SUBJECT, predicted=predicted), [scored(2.0)])
