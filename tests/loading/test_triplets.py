"""Frames in a row: found by time and window, cut together, handed to games as network values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.made_crops import Sequence, make_crops
from thermochroma.base.errors import BadInput
from thermochroma.contract.batch import Still, Triplets
from thermochroma.loading.collate import assemble_shown
from thermochroma.loading.crops import Crops
from thermochroma.loading.frame_runs import consecutive
from thermochroma.loading.loader import training_batches
from thermochroma.loading.triplets import LENGTH, TrainingTriplets

CPU = torch.device("cpu")
SIDE = 12


def _predict(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Every pixel is unlike its neighbours; frames and spectra differ by what is added."""
    places = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE)
    thermal = places + np.uint8(10 * n + ord(name))
    return thermal, np.stack([thermal, thermal + np.uint8(1), thermal + np.uint8(2)], axis=-1)


def _crops(folder: Path, **sequences: Sequence) -> Crops:
    return make_crops(folder, sequences, _predict)


def _starts(crops: Crops, length: int) -> list[str]:
    rows = crops.split("train")
    return rows["frame"].iloc[consecutive(crops.manifest, rows, length=length)].tolist()


def _triplets(crops: Crops, *, flip: float = 0.5, disjoint: bool = False) -> TrainingTriplets:
    return TrainingTriplets(crops=crops, disjoint=disjoint, flip=flip, window=8, seed=0)


def test_frames_in_a_row_end_with_their_sequence(tmp_path: Path) -> None:
    crops = _crops(tmp_path, a=Sequence(5), b=Sequence(3), c=Sequence(2))
    assert _starts(crops, 3) == ["a/0", "a/1", "a/2", "b/0"]
    assert _starts(crops, 2) == ["a/0", "a/1", "a/2", "a/3", "b/0", "b/1", "c/0"]


def test_a_dropped_frame_parts_its_neighbours(tmp_path: Path) -> None:
    crops = _crops(tmp_path, a=Sequence(7, dropped=(3,)), b=Sequence(5, dropped=(1, 3)))
    assert _starts(crops, 3) == ["a/0", "a/4"]
    assert _starts(crops, 2) == ["a/0", "a/1", "a/4", "a/5"]


def test_evenly_thinned_data_sets_have_their_own_pace(tmp_path: Path) -> None:
    odd = tuple(range(1, 9, 2))
    crops = _crops(tmp_path, a=Sequence(9, dropped=odd), b=Sequence(9, dropped=(*odd, 4)))
    assert _starts(crops, 3) == ["a/0", "a/2", "a/4"]
    assert _starts(crops, 2) == ["a/0", "a/2", "a/4", "a/6", "b/0", "b/6"]


def test_another_window_parts_neighbours(tmp_path: Path) -> None:
    crops = _crops(tmp_path, a=Sequence(7, left=(0, 0, 0, 4, 4, 4, 4)))
    assert _starts(crops, 3) == ["a/0", "a/3", "a/4"]


def test_fewer_frames_than_asked_for_make_no_row(tmp_path: Path) -> None:
    crops = _crops(tmp_path, a=Sequence(2))
    assert _starts(crops, 3) == []


def test_stills_are_refused_with_what_to_do(tmp_path: Path) -> None:
    crops = _crops(tmp_path, **{name: Sequence(1) for name in "abc"})
    with pytest.raises(BadInput, match=r"clip_frames.*video_datasets"):
        _triplets(crops)


@pytest.mark.parametrize("spectrum", ["thermal", "visible"])
def test_three_frames_are_cut_as_each_would_be_alone(spectrum: str, tmp_path: Path) -> None:
    crops = _crops(tmp_path, a=Sequence(6), b=Sequence(4))
    triplets, rows = _triplets(crops), crops.split("train")
    cuts = set()
    for shown in range(12):
        raw = triplets[shown]
        first = triplets.starts[triplets.drawing.pick(shown)[spectrum == "visible"]]
        for n in range(LENGTH):
            geometry = triplets.drawing.geometry(shown, spectrum, window=8, flip=0.5)
            alone = geometry(image=crops.image(spectrum, rows.iloc[first + n]))["image"]
            assert np.array_equal(raw[spectrum][n], alone)
        cuts.add((raw["thermal"][0] - raw["thermal"][0, 0, 0]).tobytes())
    assert len(cuts) == 2, "some are mirrored, some are not"


def test_a_triplet_is_three_instants_under_one_window(tmp_path: Path) -> None:
    raw = _triplets(_crops(tmp_path, a=Sequence(6)))[0]
    assert raw["thermal"].shape == (3, 8, 8)
    assert raw["visible"].shape == (3, 8, 8, 3)
    for name in ("thermal", "visible"):
        steps = np.diff(raw[name].astype(np.uint8), axis=0)
        assert (steps == 10).all(), name
    assert int(raw["frame"].removeprefix("a/")) in range(4)


def test_both_spectra_are_drawn_apart(tmp_path: Path) -> None:
    triplets = _triplets(_crops(tmp_path, a=Sequence(14)), flip=0.0)
    raws = [triplets[shown] for shown in range(12)]
    same = [np.array_equal(raw["thermal"], raw["visible"][..., 0]) for raw in raws]
    assert sum(same) < 4


def test_disjoint_triplets_never_show_a_sequence_in_both_spectra(tmp_path: Path) -> None:
    crops = _crops(tmp_path, **{name: Sequence(4) for name in "abcd"})
    triplets, sequence = _triplets(crops, disjoint=True), crops.split("train")["sequence"]
    picks = np.array([triplets.drawing.pick(shown) for shown in range(24)])
    thermal, visible = (set(sequence.iloc[triplets.starts[picks[:, n]]]) for n in (0, 1))
    assert len(thermal) == len(visible) == 2
    assert not thermal & visible


def test_triplets_arrive_in_network_range(tmp_path: Path) -> None:
    crops = _crops(tmp_path, a=Sequence(6), b=Sequence(4))
    triplets = _triplets(crops)
    ((batch, _),) = training_batches(
        triplets, start_images=2, images=4, batch_size=4, workers=0,
        trains_on=Triplets, sees=Still, device=CPU,
    )  # fmt: skip
    assert isinstance(batch, Triplets)
    assert batch.thermal.shape == (2, 3, 1, 8, 8)
    assert batch.visible.shape == (2, 3, 3, 8, 8)
    for n, raw in enumerate((triplets[2], triplets[3])):
        assert batch.frames[n] == raw["frame"]
        thermal = torch.from_numpy(raw["thermal"].copy()) / 127.5 - 1
        visible = torch.from_numpy(raw["visible"].copy()).permute(0, 3, 1, 2) / 127.5 - 1
        assert torch.allclose(batch.thermal[n, :, 0], thermal)
        assert torch.allclose(batch.visible[n], visible)


def test_the_whole_range_of_bytes_becomes_minus_one_to_one() -> None:
    raw = {
        "thermal": torch.tensor([0, 255, 51], dtype=torch.uint8)
        .view(1, 3, 1, 1)
        .expand(2, 3, 4, 4),
        "visible": torch.tensor([0, 51, 255], dtype=torch.uint8).expand(2, 3, 4, 4, 3),
        "frame": ["a/0", "a/1"],
    }
    shown = assemble_shown(raw, Triplets, Still, None)
    assert isinstance(shown, Triplets)
    assert shown.thermal[1, :, 0, 0, 0].tolist() == pytest.approx([-1, 1, -0.6])
    assert shown.visible[1, 2, :, 3, 3].tolist() == pytest.approx([-1, -0.6, 1])
    assert len(shown) == 2


def test_rows_may_be_some_frames_of_the_manifest() -> None:
    facts = {"sequence": "a", "zoom": 1.0, "left": 0, "top": 0}
    manifest = pd.DataFrame([{"frame": f"a/{n}", **facts} for n in range(8)])
    some = manifest.iloc[[0, 1, 2, 5, 6, 7]].reset_index(drop=True)
    assert consecutive(manifest, some, length=3).tolist() == [0, 3]
