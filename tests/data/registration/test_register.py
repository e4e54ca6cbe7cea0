"""Registration on pairs whose true transform is known, because they are drawn here."""

import math
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.images import write_image
from thermochroma.base.manifest import read_table, write_table
from thermochroma.data.registration.features import channels, directions
from thermochroma.data.registration.geometry import (
    IDENTITY,
    composed,
    corner_distance,
    corners,
    covered,
    field,
    inverse,
    mapped,
    rescaled,
    similarity_through,
)
from thermochroma.data.registration.pair_estimate import (
    PairEstimate,
    estimate_pair,
    plausible,
    score_pair,
)
from thermochroma.data.registration.register import register
from thermochroma.data.registration.tables import (
    ESTIMATE_COLUMNS,
    TRANSFORM_COLUMNS,
    compare_with_truth,
    matrices,
    metrics,
)
from thermochroma.data.registration.vote import accepted_needed, single, vote
from thermochroma.reporting.registration_card import build_card
from thermochroma.reporting.registration_sheet import chosen_mounts, draw_contact_sheet

SHA256 = ("thermal_sha256", "visible_sha256")

SIZE = (400, 320)


def similarity(degrees: float, scale: float, right: float, down: float) -> np.ndarray:
    """Turned and scaled about the middle of `SIZE`, then shifted."""
    middle = (np.array(SIZE) - 1) / 2
    matrix = cv2.getRotationMatrix2D(tuple(middle), degrees, scale)
    return np.asarray(matrix) + np.array([[0, 0, right], [0, 0, down]])


def scene(seed: int) -> np.ndarray:
    """A grey scene of blobs and lines, larger than `SIZE` by 40 pixels on each side."""
    rng = np.random.default_rng(seed)
    width, height = SIZE[0] + 80, SIZE[1] + 80
    image = np.full((height, width), 120, np.uint8)
    for _ in range(45):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(8, 50)), int(rng.integers(8, 50)))
        level = int(rng.integers(20, 236))
        cv2.ellipse(image, centre, axes, float(rng.uniform(0, 180)), 0, 360, level, -1)
        end = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.line(image, centre, end, 255 - level, 3)
    return image


def drawn(seed: int, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A thermal and a visible image of one scene: opposite contrast, other noise, shifted."""
    rng = np.random.default_rng(seed + 1000)
    large = cv2.GaussianBlur(scene(seed), (0, 0), 1.0).astype(np.float32)
    shifted = matrix @ [[1, 0, -40], [0, 1, -40], [0, 0, 1]]
    warm = cv2.warpAffine(200 - 0.6 * large, shifted, SIZE, flags=cv2.INTER_CUBIC)
    grey = large[40:-40, 40:-40, None] * np.array([1.0, 0.9, 0.7])
    noisy = [each + rng.normal(0, 3, each.shape) for each in (warm, grey)]
    return tuple(np.clip(each, 0, 255).round().astype(np.uint8) for each in noisy)


def estimate(matrix: np.ndarray = IDENTITY, *, accepted: bool = True) -> PairEstimate:
    return PairEstimate(np.array(matrix), accepted, 0.1, 0.3, 0.4, "rigid", "")


# Geometry


def test_pixel_centres_survive_scaling() -> None:
    """Twice as large: pixel 0 (from -0.5 to 0.5) becomes pixels 0 and 1, whose middle is 0.5."""
    shift = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, -2.0]])
    twice = rescaled(shift, (10, 10), (20, 20))
    assert twice == pytest.approx(np.array([[1, 0, 6], [0, 1, -4]]))
    grown = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])  # fixes the centre of pixel (0, 0)
    assert mapped(rescaled(grown, (10, 10), (20, 20)), np.array([[0.5, 0.5]])) == pytest.approx(0.5)


def test_similarity_through_points_is_exact_and_ignores_shear() -> None:
    true = similarity(3.0, 1.02, 4.0, -7.0)
    points = np.array([[0.0, 0.0], [50.0, 3.0], [20.0, 80.0]])
    assert similarity_through(points, mapped(true, points)) == pytest.approx(true)
    square = corners((11, 11))
    sheared = square + square[:, ::-1] * [[0.1, 0.0]]
    found = similarity_through(square, sheared)
    assert found[0, 0] == pytest.approx(found[1, 1])
    assert found[0, 1] == pytest.approx(-found[1, 0])


def test_inverse_undoes() -> None:
    matrix = similarity(2.0, 0.97, 5.0, 6.0)
    assert composed(matrix, inverse(matrix)) == pytest.approx(np.eye(2, 3))


def test_corner_distance_of_a_shift_is_its_length() -> None:
    shift = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]])
    assert corner_distance(IDENTITY, shift, SIZE) == pytest.approx(5.0)


@pytest.mark.parametrize("seed", range(20))
def test_field_is_inside_and_cannot_grow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = similarity(rng.uniform(-3, 3), rng.uniform(0.95, 1.05), *rng.uniform(-15, 15, 2))
    left, top, right, bottom = field(matrix, SIZE)
    good = covered([matrix], SIZE, margin=2)
    assert good[top:bottom, left:right].all()
    assert (right - left) * (bottom - top) > 0.7 * SIZE[0] * SIZE[1]
    wider = [
        good[top:bottom, max(left - 1, 0)],
        good[top:bottom, min(right, SIZE[0] - 1)],
        good[max(top - 1, 0), left:right],
        good[min(bottom, SIZE[1] - 1), left:right],
    ]
    at_the_rim = [left == 0, right == SIZE[0], top == 0, bottom == SIZE[1]]
    assert all(rim or not side.all() for rim, side in zip(at_the_rim, wider, strict=True))


def test_field_of_shifts() -> None:
    assert field(IDENTITY, SIZE) == (0, 0, 400, 320)
    right_down = np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 5.5]])
    assert field(right_down, SIZE) == (0, 0, 388, 312)  # x + 10 <= 397; y + 5.5 <= 317
    left_up = np.array([[1.0, 0.0, -10.0], [0.0, 1.0, -5.5]])
    assert field(left_up, SIZE) == (12, 8, 400, 320)
    assert field(np.array([[1.0, 0.0, 1e4], [0.0, 1.0, 0.0]]), SIZE) == (0, 0, 0, 0)


# Features


def test_features_are_blind_to_contrast() -> None:
    image = scene(3).astype(np.float32)
    np.testing.assert_allclose(directions(255 - image), directions(image), atol=1e-4)
    np.testing.assert_allclose(channels(255 - image), channels(image), atol=1e-4)


# One pair


@pytest.mark.parametrize(
    ("degrees", "scale", "right", "down"),
    [(0.0, 1.0, 5.0, -3.0), (0.8, 1.015, -6.0, 4.0), (-1.5, 0.98, 5.0, 5.0)],
)
def test_known_similarity_is_found(degrees: float, scale: float, right: float, down: float) -> None:
    true = similarity(degrees, scale, right, down)
    found = estimate_pair(*drawn(int(scale * 1000), true), gain_needed=0.02)
    assert found.accepted
    assert corner_distance(IDENTITY, true, SIZE) > 5
    assert corner_distance(found.matrix, true, SIZE) < 0.5
    assert found.gain == pytest.approx(found.score - found.score_identity)


def test_direction_of_the_matrix_is_visible_to_thermal() -> None:
    """The thermal image shows everything 6 pixels further right: x becomes x + 6."""
    thermal, visible = drawn(8, similarity(0, 1, 6, 0))
    found = estimate_pair(thermal, visible, gain_needed=0.02)
    assert found.matrix == pytest.approx(np.array([[1, 0, 6], [0, 1, 0]]), abs=0.5)
    back = cv2.warpAffine(thermal, found.matrix, SIZE, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    inner = slice(20, -20)
    assert np.corrcoef(back[inner, inner].ravel(), visible[inner, inner, 0].ravel())[0, 1] < -0.95


def test_aligned_pair_stays_as_it_is() -> None:
    found = estimate_pair(*drawn(4, IDENTITY), gain_needed=0.02)
    assert not found.accepted
    assert np.array_equal(found.matrix, IDENTITY)
    assert "below 0.02" in found.reason


@pytest.mark.parametrize("blank", ["thermal", "visible"])
def test_pair_without_texture_is_refused(blank: str) -> None:
    thermal, visible = drawn(5, similarity(0, 1, 6, 0))
    noise = np.random.default_rng(0).normal(128, 4, visible.shape).round().astype(np.uint8)
    pair = (noise[..., 0], visible) if blank == "thermal" else (thermal, noise)
    found = estimate_pair(*pair, gain_needed=0.02)
    assert not found.accepted
    assert found.reason.startswith(f"the {blank} image has too little texture")
    assert score_pair(*pair, IDENTITY) is None


@pytest.mark.parametrize("seed", [10, 20, 30])
def test_unrelated_pair_is_not_accepted(seed: int) -> None:
    thermal, _ = drawn(seed, IDENTITY)
    _, visible = drawn(seed + 1, IDENTITY)
    found = estimate_pair(thermal, visible, gain_needed=0.02)
    assert not found.accepted
    assert found.reason


def grain(seed: int) -> np.ndarray:
    """Coarse noise: textured everywhere, like nothing else."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=SIZE[::-1]), (0, 0), 2.5)
    return np.clip(128 + 40 * noise / noise.std(), 0, 255).round().astype(np.uint8)


def test_candidates_that_diverge_fall_away() -> None:
    visible = np.stack([grain(1), grain(1), grain(2)], axis=-1)
    found = estimate_pair(grain(0), visible, gain_needed=0.02)
    assert not found.accepted
    assert "rigid found nothing" in found.reason


def test_other_faults_of_opencv_are_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> np.ndarray:
        return cv2.resize(np.zeros((2, 2)), (0, 0))  # an assertion inside OpenCV

    monkeypatch.setattr("thermochroma.data.registration.pair_estimate.by_ecc", broken)
    with pytest.raises(cv2.error):
        estimate_pair(*drawn(9, IDENTITY), gain_needed=0.02)


def test_score_prefers_the_truth_to_its_inverse() -> None:
    true = similarity(0.5, 1.0, 4.0, 2.0)
    pair = drawn(7, true)
    as_it_is, right = score_pair(*pair, true)
    same, wrong = score_pair(*pair, inverse(true))
    assert right > as_it_is
    assert wrong < same


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (similarity(0, 1, 0, 0), True),
        (similarity(0, 1, 23, 0), True),
        (similarity(0, 1, 25, 0), False),
        (similarity(4.5, 1, 0, 0), False),
        (similarity(0, 1.08, 0, 0), False),
    ],
)
def test_plausible_limits(matrix: np.ndarray, expected: bool) -> None:
    assert plausible(matrix, (512, 320)) is expected


# The vote


def test_median_ignores_an_outlier() -> None:
    good = [similarity(0.5, 1.01, 4 + jitter, -3) for jitter in (-0.2, 0.0, 0.2)]
    wild = similarity(-3, 0.95, -15, 15)
    estimates = [estimate(matrix) for matrix in (*good, wild)]
    found = vote("m", estimates, SIZE, gains=lambda _: [0.1] * 4)
    assert found.level == "mount"
    assert corner_distance(found.matrix, good[1], SIZE) < 0.3
    assert corner_distance(np.mean([*good, wild], axis=0), good[1], SIZE) > 3


@pytest.mark.parametrize(
    ("frames", "needed"), [(2, 2), (3, 2), (4, 3), (6, 4), (20, 8), (27, 9), (40, 12)]
)
def test_frames_needed(frames: int, needed: int) -> None:
    assert accepted_needed(frames) == needed


def test_too_few_accepted_frames_leave_the_identity() -> None:
    shift = similarity(0, 1, 5, 0)
    estimates = [estimate(shift), *[estimate(accepted=False)] * 2]
    found = vote("m", estimates, SIZE, gains=lambda _: [0.1] * 3)
    assert (found.level, found.accepted, found.frames) == ("identity", 1, 3)
    assert found.reason == "1 of 3 frames accepted, 2 needed"
    assert np.array_equal(found.matrix, IDENTITY)


def test_disagreement_leaves_the_identity() -> None:
    estimates = [estimate(similarity(0, 1, shift, 0)) for shift in (-12, -4, 4, 12)]
    found = vote("m", estimates, SIZE, gains=lambda _: [0.1] * 4)
    assert found.level == "identity"
    assert found.spread_px == pytest.approx(8.0)
    assert found.reason == "the frames disagree by 8.0 px, 2.3 allowed"


@pytest.mark.parametrize(
    ("gains", "level"),
    [
        ([0.1, 0.1, 0.1, -0.1, -0.1], "mount"),  # 60 % improve, mean 0.02
        ([0.1, 0.1, -0.01, -0.01], "identity"),  # only half improve
        ([0.01, 0.01, 0.01, -0.1], "identity"),  # most improve, but they lose on average
        ([], "identity"),
    ],
)
def test_confirming_frames_have_the_last_word(gains: list[float], level: str) -> None:
    found = vote("m", [estimate(similarity(0, 1, 5, 0))] * 3, SIZE, gains=lambda _: gains)
    assert found.level == level
    assert (found.mean_gain > 0) is (level == "mount")


def test_single_frame_speaks_for_itself() -> None:
    shift = similarity(0, 1, 5, 0)
    kept = single("m", estimate(shift))
    assert kept.level == "still"
    assert np.array_equal(kept.matrix, shift)
    assert math.isnan(kept.spread_px)
    assert single("m", estimate(accepted=False)).level == "identity"


# A data set


FOLDERS = ("thermal", "visible")
TRUTH = {
    "moved": similarity(0.6, 1.01, 5.0, -4.0),
    "aligned": np.eye(2, 3),
    "still": similarity(0.0, 1.0, -6.0, 3.0),
}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences of three frames and one of one frame, all with known transforms."""
    folder = tmp_path_factory.mktemp("raw")
    for index, (name, mount) in enumerate(_names()):
        thermal, visible = drawn(50 + index, TRUTH[mount])
        write_image(folder / f"thermal/{name}.png", thermal)
        write_image(folder / f"visible/{name}.png", visible)
    return folder


def _names() -> list[tuple[str, str]]:
    counts = {"moved": 3, "aligned": 3, "still": 1}
    return [(f"{mount}{i}", mount) for mount, count in counts.items() for i in range(count)]


def _frames() -> pd.DataFrame:
    """All frames, and a broken one that must not count."""
    names, mounts = zip(*_names(), strict=True)
    table = _table([*names, "lost"])
    return table.assign(mount=[*mounts, "moved"], defect=[""] * len(names) + ["missing"])


def _table(names: list[str]) -> pd.DataFrame:
    """Frames of one mount, none with a defect, named after their images."""
    paths = {folder: [f"{folder}/{name}.png" for name in names] for folder in FOLDERS}
    empty = dict.fromkeys(("rig", "tone", "defect", "left_out", *SHA256), "")
    return pd.DataFrame({"frame": names, "mount": "moved", **empty, **paths})


def test_data_set_is_registered(raw: Path, tmp_path: Path) -> None:
    transforms, estimates = register(_frames(), raw=raw, stills=False, workers=1)
    assert list(transforms["mount"]) == ["moved", "aligned", "still"]
    assert list(transforms["level"]) == ["mount", "identity", "still"]
    assert list(estimates["frame"]) == [name for name, _ in _names()]
    errors = compare_with_truth(transforms, TRUTH)
    assert errors["before_px"].to_numpy() == pytest.approx([7.0, 0.0, 6.708], abs=1.0)
    assert (errors["after_px"] < 0.5).all()

    path = tmp_path / "transforms.csv"
    write_table(path, transforms, TRANSFORM_COLUMNS)
    again = read_table(path, TRANSFORM_COLUMNS)
    for mount, matrix in matrices(again).items():
        assert np.array_equal(matrix, matrices(transforms)[mount])
    write_table(tmp_path / "estimates.csv", estimates, ESTIMATE_COLUMNS)
    assert read_table(tmp_path / "estimates.csv", ESTIMATE_COLUMNS)["accepted"].sum() == 4

    figures = metrics(again, errors)
    assert figures["accepted_share"] == pytest.approx(2 / 3)
    assert figures["error_before_median_px"] == pytest.approx(errors["before_px"].median())
    assert figures["error_after_p95_px"] < 0.5
    assert "error_after_p95_px" not in metrics(again)


def test_any_number_of_workers_gives_the_same_bits(raw: Path) -> None:
    frames = _frames().iloc[3:7]
    alone = register(frames, raw=raw, stills=False, workers=1)
    together = register(frames, raw=raw, stills=False, workers=2)
    for one, two in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_held_out_frames_confirm(raw: Path) -> None:
    table = _table(["moved0", "moved1", "moved2"] * 3)
    table["frame"] = [f"frame{index}" for index in range(9)]
    transforms, estimates = register(
        table, raw=raw, stills=False, sample_frames=3, held_out_frames=4, workers=1
    )
    assert list(estimates["role"]) == ["vote"] * 3 + ["confirm"] * 4
    assert estimates["frame"].is_unique
    confirming = estimates[estimates["role"] == "confirm"]
    assert transforms["mean_gain"].item() == pytest.approx(confirming["gain"].mean())


def test_a_worker_passes_on_what_a_user_can_mend(raw: Path) -> None:
    frames = _frames().iloc[3:]
    frames.loc[frames["frame"] == "lost", "defect"] = ""
    with pytest.raises(BadInput, match=r"lost\.png does not exist"):
        register(frames, raw=raw, stills=False, workers=2)


def test_stills_do_not_share_a_mount(raw: Path) -> None:
    with pytest.raises(BadInput, match="7 stills share 3 mounts"):
        register(_frames(), raw=raw, stills=True, workers=1)


def test_sizes_that_differ_are_refused(raw: Path, tmp_path: Path) -> None:
    thermal, visible = drawn(1, IDENTITY)
    write_image(tmp_path / "thermal/odd.png", thermal[:300])
    write_image(tmp_path / "visible/odd.png", visible)
    with pytest.raises(BadInput, match=r"odd\.png has 400x300 pixels and .* has 400x320"):
        register(_table(["odd"]), raw=tmp_path, stills=False, workers=1)

    write_image(tmp_path / "thermal/small.png", thermal[:300])
    write_image(tmp_path / "visible/small.png", visible[:300])
    write_image(tmp_path / "thermal/large.png", thermal)
    write_image(tmp_path / "visible/large.png", visible)
    with pytest.raises(BadInput, match="two sizes"):
        register(_table(["small", "large"]), raw=tmp_path, stills=False, workers=1)


# The card


def test_card_and_figure(raw: Path, tmp_path: Path) -> None:
    frames = _frames().iloc[4:7]
    transforms, _ = register(frames, raw=raw, stills=False, workers=1)
    errors = compare_with_truth(transforms, TRUTH)
    text = build_card(transforms, errors, title="drawn", note="not real")
    assert "**not real**" in text
    assert "| identity | 1 | 50% |" in text
    assert "| median corner error before (px) | 3.354 |" in text  # of 0 and sqrt(45)
    assert text.splitlines()[-1].split(" | ")[0].strip("| ") in {"still", "aligned"}
    assert "median corner error" not in build_card(transforms, title="drawn", note="")

    assert list(chosen_mounts(transforms, errors, 2)["mount"]) == ["still", "aligned"]
    figure = draw_contact_sheet(transforms, frames, errors, raw=raw, note="not real", count=2)
    assert "not real" in figure.get_suptitle()
    figure.savefig(tmp_path / "figure.png")
    panels = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    for before, after in ((0, 1), (2, 3)):
        assert not np.array_equal(panels[before], panels[after])  # the still moves
        assert np.array_equal(panels[before + 4], panels[after + 4])  # the identity does not


@pytest.mark.parametrize("column", SHA256)
def test_an_image_that_was_exchanged_after_the_download_is_refused(raw: Path, column: str) -> None:
    frames = _frames().iloc[:1].assign(**{column: "0" * 64})
    with pytest.raises(BadInput, match="is another file than when the table of frames was written"):
        register(frames, raw=raw, stills=False, workers=1)
