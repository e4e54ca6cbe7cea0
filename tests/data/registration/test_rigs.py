"""What mounts of one rig lend each other, and when they are doubted."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.registration.test_register import SIZE, drawn, similarity
from thermochroma.base.errors import BadInput
from thermochroma.base.images import write_image
from thermochroma.data.registration.geometry import IDENTITY, corner_distance
from thermochroma.data.registration.register import register
from thermochroma.data.registration.rigs import (
    Member,
    RigTransform,
    borrowed,
    suspicion,
    vote_of_rigs,
)
from thermochroma.data.registration.tables import matrices, metrics
from thermochroma.data.registration.vote import Level, MountTransform
from thermochroma.reporting.registration_card import build_card

SHA256 = ("thermal_sha256", "visible_sha256")


def shifted(right: float) -> np.ndarray:
    return similarity(0, 1, right, 0)


def member(
    right: float, *, rig: str = "r", level: Level = "mount", frames: int = 20, wide: int = 400
) -> Member:
    matrix = IDENTITY if level == "identity" else shifted(right)
    why = "3 of 20 frames accepted, 8 needed" if level == "identity" else ""
    own = MountTransform("m", np.array(matrix), level, frames, 3, math.nan, 0.0, 0.0, why)
    return Member(own, rig, (wide, 320))


# The vote of mounts


def test_a_rig_is_the_median_of_its_accepted_mounts() -> None:
    members = [member(5), member(6), member(5.5), member(-9), member(0, level="identity")]
    found = vote_of_rigs(members)["r", SIZE]
    assert isinstance(found, RigTransform)
    assert found.mounts == 4
    assert corner_distance(found.matrix, shifted(5.25), SIZE) < 1e-6


def test_one_mount_is_no_rig() -> None:
    found = vote_of_rigs([member(5), member(0, level="identity")])
    assert found["r", SIZE] == "rig r: 1 mounts accepted, 2 needed"


def test_mounts_that_disagree_lend_nothing() -> None:
    found = vote_of_rigs([member(-8), member(8)])
    assert found["r", SIZE] == "rig r: the mounts disagree by 8.0 px, 2.3 allowed"


def test_rigs_and_sizes_stay_apart() -> None:
    members = [member(5), member(5), member(9, rig="s"), member(9, rig="s"), member(5, wide=640)]
    found = vote_of_rigs([*members, member(1, rig="")])
    assert set(found) == {("r", SIZE), ("s", SIZE), ("r", (640, 320))}
    assert isinstance(found["r", (640, 320)], str)


# What is lent


RIG = RigTransform("r", shifted(5), 3)


@pytest.mark.parametrize(
    ("gains", "frames", "level"),
    [
        ([0.1, 0.1, 0.1, -0.1, -0.1], 20, "rig"),
        ([0.1, -0.01], 20, "identity"),  # only half improve
        ([0.01, 0.01, 0.01, -0.1], 20, "identity"),  # a loss on average
        ([], 20, "identity"),
        ([0.015], 1, "identity"),  # a single frame must gain what a still must
        ([0.025], 1, "rig"),
    ],
)
def test_the_borrower_s_own_frames_decide(gains: list[float], frames: int, level: str) -> None:
    own = member(0, level="identity", frames=frames).transform
    found = borrowed(own, RIG, gains, gain_needed=0.02)
    assert found.level == level
    assert found.reason.startswith(own.reason)
    assert np.array_equal(found.matrix, RIG.matrix if level == "rig" else IDENTITY)
    assert (found.mean_gain > 0) is (level == "rig")
    assert ("rig r: " in found.reason) is (level == "identity")


def test_a_mount_far_from_its_rig_is_suspicious() -> None:
    assert suspicion(member(7), RIG) == ""
    told = "3.0 px from rig r (median of 3 mounts), 2.3 allowed"
    assert suspicion(member(8), RIG) == told
    assert suspicion(member(0, level="identity"), RIG).startswith("5.0 px")


# A data set


TRUE = similarity(0.5, 1.0, 5.0, -3.0)
ODD = similarity(0.5, 1.0, -4.0, 4.0)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three mounts that lie alike, one that lies elsewhere, one with only one frame to tell."""
    folder = tmp_path_factory.mktemp("rigs")
    for index, (name, mount) in enumerate(_names()):
        thermal, visible = drawn(70 + index, ODD if mount == "odd" else TRUE)
        if name in {"dark1", "dark2"}:
            rng = np.random.default_rng(index)
            thermal = rng.normal(128, 4, thermal.shape).round().astype(np.uint8)
        write_image(folder / f"thermal/{name}.png", thermal)
        write_image(folder / f"visible/{name}.png", visible)
    return folder


def _names() -> list[tuple[str, str]]:
    return [(f"{m}{i}", m) for m in ("one", "two", "three", "odd", "dark") for i in range(3)]


def _frames() -> pd.DataFrame:
    names, mounts = zip(*_names(), strict=True)
    paths = {each: [f"{each}/{name}.png" for name in names] for each in ("thermal", "visible")}
    empty = dict.fromkeys(("tone", "defect", "left_out", *SHA256), "")
    return pd.DataFrame({"frame": names, "mount": mounts, "rig": "pole", **empty, **paths})


@pytest.fixture(scope="module")
def registered(raw: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return register(_frames(), raw=raw, stills=False, workers=1)


def test_a_rig_helps_where_a_mount_cannot(registered: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    transforms = registered[0].set_index("mount", drop=False)
    assert transforms["level"].to_dict() == {
        "one": "mount", "two": "mount", "three": "mount", "odd": "mount", "dark": "rig",
    }  # fmt: skip
    found = matrices(transforms)
    assert corner_distance(found["dark"], TRUE, SIZE) < 0.5
    assert "frames accepted" in transforms.loc["dark", "reason"]
    assert list(transforms.index[transforms["suspicion"] != ""]) == ["odd"]
    scored = registered[1][registered[1]["role"] == "rig"]
    assert list(scored["frame"]) == ["dark0", "dark1", "dark2"]
    assert transforms.loc["dark", "mean_gain"] == pytest.approx(scored["gain"].mean())
    assert metrics(transforms)["borrowed_share"] == metrics(transforms)["suspicious_share"] == 0.2


def test_rigs_are_the_same_bits_for_any_number_of_workers(
    raw: Path, registered: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    together = register(_frames(), raw=raw, stills=False, workers=2)
    for one, two in zip(registered, together, strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_without_a_rig_nothing_is_lent(raw: Path) -> None:
    frames = _frames().iloc[-3:].assign(rig="")
    transforms, estimates = register(frames, raw=raw, stills=False, workers=1)
    assert transforms[["level", "suspicion"]].to_numpy().tolist() == [["identity", ""]]
    assert set(estimates["role"]) == {"vote"}


def test_a_mount_in_two_rigs_is_refused(raw: Path) -> None:
    frames = _frames()
    frames.loc[0, "rig"] = "mast"
    with pytest.raises(BadInput, match="the mount one has frames of 2 rigs"):
        register(frames, raw=raw, stills=False, workers=1)


def test_the_card_lists_rigs_and_doubts(registered: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    transforms, _ = registered
    text = build_card(transforms, title="drawn", note="")
    assert "| pole | 5 | 4 | 1 | 0 | 1 |" in text
    assert "| odd | mount | " in text.split("## Suspicious mounts")[1]
    assert "| … of … frames accepted, … needed | rig | 1 |" in text
    listed = text.split("## Every mount")[1]
    assert all(f"| {mount} |" in listed for mount in transforms["mount"])


def test_the_card_of_many_mounts_lists_the_worst(
    registered: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    many = pd.concat([registered[0]] * 13, ignore_index=True)
    many["mount"] = [f"m{index}" for index in range(len(many))]
    text = build_card(many, title="drawn", note="", worst=4)
    listed = text.split("## The 4 worst mounts")[1]
    assert listed.count("\n| m") == 5  # with the head
    assert "transforms.csv" in listed
