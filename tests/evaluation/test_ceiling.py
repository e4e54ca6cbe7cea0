"""The ceiling's card: known values for the truth itself, and a sentence for what is not known."""

import numpy as np
import pandas as pd
import pytest

from thermochroma.evaluation.ceiling import COLUMNS
from thermochroma.reporting.ceiling_card import (
    build_ceiling,
    draw_ceiling,
    means_of,
    residual_of,
)

ROWS = [("shifted", 0, 1.0), ("shifted", 1, 0.9), ("blurred", 1, 0.8), ("affine", 8, 0.7)]
FLAT = [("own_look_up_table", np.nan, 0.6), ("own_mean_colour", np.nan, 0.5)]


def made_scores() -> pd.DataFrame:
    rows = [
        (f"s{i}/0", f"s{i}", what, pixels, ssim + 0.01 * i, 20 * ssim)
        for what, pixels, ssim in ROWS + FLAT
        for i in range(3)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def made_transforms(spread: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"spread_px": spread, "mean_gain": 0.1, "displacement_px": 5.0}).assign(
        level="mount", rig="", suspicion=""
    )


def card(spread: list[float], neighbours: pd.DataFrame) -> str:
    transforms = made_transforms(spread)
    return build_ceiling(made_scores(), neighbours, transforms, None, title="T", note="N", seed=0)


NONE = pd.DataFrame(columns=["frame", "sequence", "ssim", "psnr", "flicker"])


def test_every_row_has_its_mean_in_the_order_scored() -> None:
    found = means_of(made_scores(), seed=0)
    kinds = [what for what, _ in found]
    assert kinds == [what for what, _, _ in ROWS + FLAT]
    assert found["shifted", 1.0]["ssim"].mean == pytest.approx(0.91)
    text = card([0.1, 0.2, 0.3], NONE)
    assert "| Truth shifted | 1 | 0.910 [" in text
    assert "| Own mean colour, flat | – | 0.510 [" in text
    assert "3 images of 3 sequences" in text


def test_what_is_not_known_is_said() -> None:
    text = card([np.nan, np.nan], NONE)
    assert "Not known: no mount has several frames" in text
    assert "no neighbouring frames" in text
    assert "nan" not in text


def test_residuals_and_neighbours() -> None:
    pairs = pd.DataFrame(
        [("a/1", "a", 0.5, 20.0, 3.0), ("b/1", "b", 0.7, 22.0, np.nan)], columns=NONE.columns
    )
    text = card([0.1, 0.2, np.nan], pairs)
    assert "over 2 mounts" in text
    assert "50% of mounts below 0.15" in text
    assert "SSIM 0.600" in text
    assert "changes by 3.00 levels" in text
    errors = pd.DataFrame({"mount": ["a"], "before_px": [5.0], "after_px": [0.4]})
    assert residual_of(made_transforms([0.1]), errors).pixels.tolist() == [0.4]


def test_the_figure_draws_what_the_card_says() -> None:
    residual = residual_of(made_transforms([0.1, 0.2]), None)
    figure = draw_ceiling(made_scores(), residual, note="N", seed=0)
    histogram, ssim, _ = figure.axes
    assert histogram.get_xlabel() == "raw pixels"
    shifted = next(line for line in ssim.get_lines() if line.get_label() == "Truth shifted")
    assert shifted.get_xdata().tolist() == [1], "no place for 0 pixels on a logarithmic axis"
    assert shifted.get_ydata() == pytest.approx([0.91])
