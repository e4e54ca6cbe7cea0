"""The baselines of every table: trivial predictors and a linear probe as lower bounds, oracles as upper
ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from thermochroma.baselines import linear_probe, oracles, trivial
from thermochroma.baselines.linear_probe import Features
from thermochroma.baselines.oracles import OraclePredictor
from thermochroma.baselines.trivial import TrainingImages, TrivialPredictor


@dataclass(frozen=True)
class Trivial:
    """A row fitted on training images; its predictor gets the input image and nothing else."""

    title: str
    definition: str
    fit: Callable[[TrainingImages], TrivialPredictor]


@dataclass(frozen=True)
class Probe:
    """A row fitted in closed form on features of a frozen network; it sees the input image alone."""

    title: str
    definition: str
    fit: Callable[[TrainingImages, Features], TrivialPredictor]


@dataclass(frozen=True)
class Oracle:
    """A row whose predictor gets the truth of the very image that it predicts; it needs no training."""

    title: str
    definition: str
    predict: OraclePredictor


TRIVIAL: Final[dict[str, Trivial]] = {
    "thermal_copied": Trivial("Thermal copied", "the thermal image as grey", trivial.fit_copied),
    "thermal_inverted": Trivial(
        "Thermal inverted", "the thermal image's negative as grey", trivial.fit_inverted
    ),
    "mean_colour": Trivial(
        "Mean colour", "one flat colour, the mean of all training pixels", trivial.fit_mean_colour
    ),
    "mean_image": Trivial("Mean image", "the mean of the training images", trivial.fit_mean_image),
    "nearest_frame": Trivial(
        "Nearest training frame",
        f"the visible image of the training frame with the nearest {trivial.THUMBNAIL}×"
        f"{trivial.THUMBNAIL} thermal thumbnail",
        trivial.fit_nearest,
    ),
}

_PROBED: Final = (
    "ridge regression, in closed form, from the maps of frozen EfficientNet-Lite0 (at strides of 2 to 32 "
    f"pixels, and the mean of the last) to the mean colour of each cell of {linear_probe.CELL}×"
    f"{linear_probe.CELL} pixels, interpolated"
)
PROBES: Final[dict[str, Probe]] = {
    "linear_probe": Probe("Linear probe", _PROBED, linear_probe.fit_linear_probe)
}
ORACLES: Final[dict[str, Oracle]] = {
    "own_mean_colour": Oracle(
        "Own mean colour", "the truth's mean colour, flat", oracles.own_mean_colour
    ),
    "own_look_up_table": Oracle(
        "Own look-up table",
        "each thermal level in its mean colour in this truth",
        oracles.own_look_up_table,
    ),
    "local_affine": Oracle(
        "Local affine map",
        f"best line from thermal to colour in windows of radius {oracles.RADIUS} pixels",
        oracles.local_affine,
    ),
    "truth_blurred": Oracle(
        "Truth blurred",
        f"the truth under a Gaussian of sigma {oracles.BLUR_SIGMA:g} pixels",
        oracles.truth_blurred,
    ),
    "truth_shifted": Oracle(
        "Truth shifted",
        f"the truth moved {oracles.SHIFT} pixels to the right",
        oracles.truth_shifted,
    ),
}

TRIVIAL_BACK: Final[dict[str, Trivial]] = {
    "visible_copied": Trivial("Visible copied", "the visible image's luma", trivial.fit_copied),
    "visible_inverted": Trivial(
        "Visible inverted", "the negative of the visible image's luma", trivial.fit_inverted
    ),
    "mean_thermal": Trivial(
        "Mean thermal", "one flat level, the mean of all training pixels", trivial.fit_mean_colour
    ),
    "mean_thermal_image": Trivial(
        "Mean thermal image", "the mean of the training images", trivial.fit_mean_image
    ),
    "nearest_visible_frame": Trivial(
        "Nearest training frame",
        f"the thermal image of the training frame with the nearest {trivial.THUMBNAIL}×"
        f"{trivial.THUMBNAIL} thumbnail of luma",
        trivial.fit_nearest,
    ),
}
"""Trivial rows from visible to thermal."""
PROBES_BACK: Final[dict[str, Probe]] = {
    "linear_probe_back": Probe("Linear probe", _PROBED, linear_probe.fit_linear_probe)
}
"""Linear probe from visible to thermal."""
ORACLES_BACK: Final[dict[str, Oracle]] = {
    f"{name}_back": Oracle(titled.title, titled.definition, titled.predict)
    for name, titled in {
        "own_mean_level": Oracle(
            "Own mean level", "the truth's mean level, flat", oracles.own_mean_colour
        ),
        "own_look_up_table": Oracle(
            "Own look-up table",
            "each level of luma in its mean level in this truth",
            oracles.own_look_up_table,
        ),
        "local_affine": Oracle(
            "Local affine map",
            f"best line from luma to thermal in windows of radius {oracles.RADIUS} pixels",
            oracles.local_affine,
        ),
        "truth_blurred": ORACLES["truth_blurred"],
        "truth_shifted": ORACLES["truth_shifted"],
    }.items()
}
"""Oracles from visible to thermal."""


@dataclass(frozen=True)
class Baselines:
    """The baselines of one direction. reference: the one that methods are tested against."""

    trivial: Mapping[str, Trivial]
    probes: Mapping[str, Probe]
    oracles: Mapping[str, Oracle]
    reference: str

    @property
    def names(self) -> list[str]:
        """Names of all rows, in the order of the tables."""
        return [*self.trivial, *self.probes, *self.oracles]


BASELINES: Final[dict[str, Baselines]] = {
    "visible": Baselines(TRIVIAL, PROBES, ORACLES, "mean_colour"),
    "thermal": Baselines(TRIVIAL_BACK, PROBES_BACK, ORACLES_BACK, "mean_thermal"),
}
"""Baselines by the spectrum that is predicted. No name is used in both."""


def truth_name(spectrum: str) -> str:
    """Name of the folder with the statistics of the true images themselves."""
    return f"truth_{spectrum}"
