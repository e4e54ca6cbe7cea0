"""References: chosen by thermal images alone, out of the training split alone."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import CROP_COLUMNS, write_table
from thermochroma.base.shards import write_shard
from thermochroma.contract.batch import Batch, Referenced
from thermochroma.loading.crops import MANIFEST, Crops
from thermochroma.loading.inference_batches import seen_batches
from thermochroma.loading.loader import TrainingImages, training_batches
from thermochroma.loading.reference_augmentation import own_reference, recoloured, warp
from thermochroma.loading.reference_retrieval import References, fixed, none, retrieved
from thermochroma.loading.reference_sampling import TrainingReferences

CPU = torch.device("cpu")
SIDE = 32
Line = tuple[str, str, str, str, str]  # frame, sequence, split, place, time
FRAMES: list[Line] = [
    *((f"t/{n}", "t", "train", "road", "day") for n in range(6)),
    *((f"n/{n}", "n", "train", "road", "night") for n in range(2)),
    *((f"h/{n}", "h", "test", "road", "day") for n in range(2)),
]


def _make(folder: Path, frames: list[Line] = FRAMES, twins: dict[str, str] | None = None) -> Crops:
    """Noise; the thermal image of a key of `twins` is that of its value, slightly noisier."""
    random, thermal = np.random.default_rng(0), {}
    for frame, *_ in frames:
        thermal[frame] = random.integers(40, 200, (SIDE, SIDE)).astype(np.uint8)
    for frame, twin in (twins or {}).items():
        noise = random.integers(-5, 6, (SIDE, SIDE))
        thermal[frame] = (thermal[twin].astype(int) + noise).astype(np.uint8)
    rows, shards = [], {"train": [], "test": []}
    for number, (frame, sequence, split, place, time) in enumerate(frames):
        visible = np.full((SIDE, SIDE, 3), 10 * number, np.uint8)
        shards[split].append((thermal[frame], visible))
        index = len(shards[split]) - 1
        cut = (0, "1 0 0 0 1 0", 1.0, 0, 0, f"{split}.npy", index, "")
        rows.append((frame, sequence, split, place, time, *cut))
    for place, spectrum in enumerate(("thermal", "visible")):
        for split, pairs in shards.items():
            write_shard(folder / spectrum / f"{split}.npy", [pair[place] for pair in pairs])
    write_table(folder / MANIFEST, pd.DataFrame(rows, columns=list(CROP_COLUMNS)), CROP_COLUMNS)
    return Crops(folder)


def _chosen(references: References) -> dict[str, str]:
    return dict(zip(references.table["frame"], references.table["reference"], strict=True))


def test_the_training_frame_that_looks_alike_in_thermal_is_found(tmp_path: Path) -> None:
    crops = _make(tmp_path, twins={"h/0": "t/4", "h/1": "t/1"})
    found = retrieved(crops, crops.split("test"))
    assert _chosen(found) == {"h/0": "t/4", "h/1": "t/1"}
    assert (found.table["cosine"] > 0.95).all()
    assert found.image("h/0")[0, 0, 0] == 40  # the visible image of t/4


def test_a_frame_by_day_is_given_none_by_night_however_alike(tmp_path: Path) -> None:
    crops = _make(tmp_path, twins={"h/0": "n/1"})
    found = retrieved(crops, crops.split("test"))
    assert _chosen(found)["h/0"].startswith("t/")
    assert set(found.table["among"]) == {"time and place"}
    only_night = [line for line in FRAMES if not line[0].startswith("t/")]
    crops = _make(tmp_path / "night", only_night, twins={"h/0": "n/1"})
    found = retrieved(crops, crops.split("test"))
    assert _chosen(found)["h/0"] == "n/1"
    assert set(found.table["among"]) == {"all"}


def test_no_held_out_visible_image_is_needed_or_reached(tmp_path: Path) -> None:
    crops = _make(tmp_path)
    (tmp_path / "visible/test.npy").unlink()
    test = crops.split("test")
    policies = [retrieved, none, *(partial(fixed, seed=seed) for seed in range(3))]
    for policy in policies:
        references = policy(crops, test)
        ((_, seen),) = seen_batches(
            crops,
            test,
            sees=Referenced,
            text=None,
            batch_size=4,
            device=CPU,
            references=references,
        )
        assert seen.reference.shape == (2, 3, SIDE, SIDE)
        # levels 0 to 70 are those of training frames
        assert policy is none or float(seen.reference.max()) < 70.5 / 127.5 - 1
        assert set(_chosen(references).values()) <= set(crops.split("train")["frame"])


def test_no_reference_is_the_middle_of_the_range(tmp_path: Path) -> None:
    crops = _make(tmp_path)
    test = crops.split("test")
    ((_, seen),) = seen_batches(
        crops,
        test,
        sees=Referenced,
        text=None,
        batch_size=4,
        device=CPU,
        references=none(crops, test),
    )
    assert not seen.reference.any()


def test_a_fixed_reference_is_one_for_all_and_drawn_by_its_seed(tmp_path: Path) -> None:
    crops = _make(tmp_path)
    drawn = [set(_chosen(fixed(crops, crops.split("test"), seed=n)).values()) for n in range(8)]
    assert all(len(one) == 1 for one in drawn)
    assert len(set.union(*drawn)) > 1


def test_a_single_training_frame_is_refused_where_it_would_be_its_own(tmp_path: Path) -> None:
    crops = _make(tmp_path, [FRAMES[0], FRAMES[-1]])
    with pytest.raises(BadInput, match="at least two"):
        _draws(crops)


def _draws(crops: Crops, **changes: object) -> TrainingReferences:
    settings = {"none_share": 0.1, "own_share": 0.5, "frames_away": (2, 3), "seed": 0} | changes
    return TrainingReferences(crops=crops, rows=crops.split("train"), **settings)


def _visible(level: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), level, np.uint8)


def test_other_frames_come_from_the_same_sequence_at_their_distance(tmp_path: Path) -> None:
    draws = _draws(_make(tmp_path), none_share=0.0, own_share=0.0)
    for place in range(6):  # frames of one sequence: 2 or 3 away, before or behind
        found = {
            int(draws.draw(n, place, _visible(1), _visible).reference[0, 0, 0]) for n in range(50)
        }
        assert found == {other for other in range(6) if abs(other - place) in (2, 3)}


def test_a_frame_without_such_neighbours_is_given_the_one_most_alike(tmp_path: Path) -> None:
    crops = _make(tmp_path, twins={"t/5": "t/0"})
    draws = _draws(crops, none_share=0.0, own_share=0.0, frames_away=(40, 200))
    assert draws.draw(0, 5, _visible(1), _visible).reference[0, 0, 0] == 0
    assert draws.draw(0, 0, _visible(1), _visible).reference[0, 0, 0] == 5


def test_shares_are_kept_and_only_its_own_reference_recolours_the_target(tmp_path: Path) -> None:
    draws, random = _draws(_make(tmp_path)), np.random.default_rng(0)
    target = random.integers(60, 200, (SIDE, SIDE, 3)).astype(np.uint8)
    drawn = [draws.draw(n, 0, target, _visible) for n in range(600)]
    without = [one for one in drawn if one.reference is None]
    own = [one for one in drawn if not np.array_equal(one.target, target)]
    assert len(without) / 600 == pytest.approx(0.1, abs=0.04)
    assert len(own) / 600 == pytest.approx(0.45, abs=0.06)
    assert all(np.array_equal(one.target, target) for one in without)
    assert all(one.reference is not None for one in own)


def test_a_warped_reference_shows_its_image_elsewhere_with_a_hole() -> None:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, (8, 8, 3)).astype(np.uint8)
    image = np.repeat(np.repeat(coarse, 8, 0), 8, 1)
    np.testing.assert_array_equal(warp(image, np.zeros((9, 2))), image)
    shifted = warp(image, np.tile([0.0, 8 / 63], (9, 1)))
    np.testing.assert_array_equal(shifted[:, :48], image[:, 8:56])
    own = own_reference(image, seed=3)
    assert 0.2 < (own == 128).all(-1).mean() < 0.4
    assert not np.array_equal(own, image)
    np.testing.assert_array_equal(own, own_reference(image, seed=3))
    assert np.abs(recoloured(image, seed=1).astype(int) - image).max() > 5


def test_training_begins_anywhere_and_goes_on_the_same(tmp_path: Path) -> None:
    crops = _make(tmp_path)

    def batches(start: int) -> list[Referenced]:
        images = TrainingImages(
            crops=crops,
            rows=crops.split("train"),
            text=None,
            aligned=True,
            flip=0.5,
            window=24,
            seed=0,
            references=_draws(crops),
        )
        given = training_batches(
            images,
            start_images=start,
            images=24,
            batch_size=4,
            workers=0,
            trains_on=Batch,
            sees=Referenced,
            device=CPU,
        )
        return [(batch.seen.reference, batch.target) for batch, _ in given]

    for one, other in zip(batches(0)[3:], batches(12), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
