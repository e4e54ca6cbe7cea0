"""The loader: the n-th image is the n-th image, wherever one begins."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import CROP_COLUMNS, write_table
from thermochroma.base.shards import write_shard
from thermochroma.contract.batch import Batch, Captioned, Still
from thermochroma.contract.settings import CameraSettings
from thermochroma.loading.collate import needs_text
from thermochroma.loading.crops import MANIFEST, Crops
from thermochroma.loading.inference_batches import seen_batches
from thermochroma.loading.loader import (
    TrainingImages,
    raw_batches,
    training_batches,
)
from thermochroma.loading.text_features import TextTable

CPU = torch.device("cpu")


@pytest.fixture
def crops(tmp_path: Path) -> Crops:
    """Six training frames; frame n is n everywhere, with a brighter left half."""
    for spectrum, shape in (("thermal", (6, 4, 4)), ("visible", (6, 4, 4, 3))):
        pixels = np.zeros(shape, np.uint8)
        for place in range(6):
            pixels[place] = place
            pixels[place, :, :2] += 100
        write_shard(tmp_path / spectrum / "s.npy", [*pixels])
    rows = [
        (f"s/{n}", "s", "train", "", "", 0, "1 0 0 0 1 0", 1.0, 0, 0, "s.npy", n, "")
        for n in range(6)
    ]
    write_table(tmp_path / MANIFEST, pd.DataFrame(rows, columns=list(CROP_COLUMNS)), CROP_COLUMNS)
    return Crops(tmp_path)


def _images(
    crops: Crops,
    *,
    aligned: bool = True,
    seed: int = 0,
    window: int = 4,
    text: TextTable | None = None,
) -> TrainingImages:
    rows = crops.split("train")
    return TrainingImages(
        crops=crops, rows=rows, text=text, aligned=aligned, flip=0.5, window=window, seed=seed
    )


def test_another_camera_changes_the_thermal_image_alone_and_by_its_number(crops: Crops) -> None:
    rows = crops.split("train")
    same, other = (
        TrainingImages(
            crops=crops,
            rows=rows,
            text=None,
            aligned=True,
            flip=0.5,
            window=4,
            seed=0,
            camera=camera,
        )
        for camera in (None, CameraSettings(noise=20.0))
    )
    for shown in (0, 7):
        before, after, again = same[shown], other[shown], other[shown]
        assert np.array_equal(before["visible"], after["visible"])
        assert not np.array_equal(before["thermal"], after["thermal"])
        assert np.array_equal(after["thermal"], again["thermal"])


def _shown(images: TrainingImages, start: int, end: int) -> list[tuple[int, ...]]:
    return [
        tuple(int(raw[name][0, column]) for name in ("thermal",) for column in (0, 3))
        for raw in (images[place] for place in range(start, end))
    ]


def test_the_nth_image_does_not_depend_on_the_start(crops: Crops) -> None:
    assert _shown(_images(crops), 0, 30)[13:] == _shown(_images(crops), 13, 30)
    assert _shown(_images(crops), 0, 30) != _shown(_images(crops, seed=1), 0, 30)


def test_each_epoch_shows_every_frame_once_in_another_order(crops: Crops) -> None:
    images = _images(crops)
    epochs = [[images[6 * epoch + n]["frame"] for n in range(6)] for epoch in range(4)]
    assert all(sorted(epoch) == [f"s/{n}" for n in range(6)] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


@pytest.mark.parametrize(
    ("aligned", "wanted"),
    [
        (True, ["1103 3", "0115 5", "1002 2", "1004 4", "0111 1", "0110 0", "1100 0", "0114 4"]),
        (False, ["1103 2", "0115 5", "1002 1", "1004 4", "0111 3", "0110 0", "1100 3", "0114 0"]),
    ],
)
def test_the_same_windows_are_shown_as_ever(crops: Crops, aligned: bool, wanted: list[str]) -> None:
    """Held since the first version: resumed trainings and their records depend on it.

    Bright and dark columns of the window and the frame that is seen; then the visible frame.
    """
    images = _images(crops, aligned=aligned, window=3)
    shown = []
    for raw in (images[n] for n in range(len(wanted))):
        columns = "".join(str(int(grey) // 100) for grey in raw["thermal"][0])
        shown.append(f"{columns}{raw['thermal'].min()} {raw['visible'].min()}")
    assert shown == wanted


def test_aligned_images_flip_together(crops: Crops) -> None:
    flipped = 0
    for place in range(40):
        raw = _images(crops)[place]
        assert np.array_equal(raw["thermal"], raw["visible"][..., 0])
        flipped += int(raw["thermal"][0, 0] < 100)
    assert 10 < flipped < 30


def test_unaligned_images_are_drawn_apart(crops: Crops) -> None:
    images = _images(crops, aligned=False)
    same = sum(
        int(raw["thermal"].max() == raw["visible"].max())
        for raw in (images[place] for place in range(60))
    )
    assert same < 30  # one in six by chance


def test_batches_resume_in_the_middle_and_end_small(crops: Crops) -> None:
    def frames(start: int) -> list[tuple[str, ...]]:
        batches = training_batches(
            _images(crops),
            start_images=start,
            images=11,
            batch_size=4,
            workers=0,
            trains_on=Batch,
            sees=Still,
            device=CPU,
        )
        return [batch.frames for batch, _ in batches]

    whole = frames(0)
    assert [len(batch) for batch in whole] == [4, 4, 3]
    assert frames(4) == whole[1:]


def test_channels_come_last_or_first_with_the_same_numbers(crops: Crops) -> None:
    def first(**layout: Any) -> Any:
        ((batch, _),) = training_batches(
            _images(crops),
            start_images=0,
            images=4,
            batch_size=4,
            workers=0,
            trains_on=Batch,
            sees=Still,
            device=CPU,
            **layout,
        )
        return batch

    last, other = first(), first(layout=torch.contiguous_format)
    for one, same in ((last.target, other.target), (last.seen.thermal, other.seen.thermal)):
        assert one.is_contiguous(memory_format=torch.channels_last) and torch.equal(one, same)
        assert same.stride() == torch.empty(same.shape).stride()
    assert other.frames == last.frames


def test_another_process_loads_the_same(crops: Crops) -> None:
    def pixels(workers: int) -> list[dict[str, object]]:
        batches = raw_batches(
            _images(crops), [range(3, 7), range(7, 11)], workers=workers, device=CPU
        )
        return [
            {
                "frame": raw["frame"],
                "pixels": raw["visible"].tolist(),
                "grey": raw["thermal"].tolist(),
            }
            for raw in batches
        ]

    assert pixels(workers=1) == pixels(workers=0)


def test_little_is_sent_to_another_process(crops: Crops) -> None:
    """Neither the manifest nor the features of the captions, which may be large."""
    table = TextTable(
        features=torch.zeros(2, 77, 512),
        mask=torch.ones(2, 77, dtype=torch.bool),
        rows={f"s/{n}": n % 2 for n in range(6)},
    )
    crops.manifest["place"] = "x" * 10_000
    sent = pickle.dumps(_images(crops, text=table))
    assert len(sent) < 5_000
    assert [pickle.loads(sent)[n]["sentence"] for n in range(3)] == [
        _images(crops, text=table)[n]["sentence"] for n in range(3)
    ]


def test_batches_are_copies_that_may_be_written_to(crops: Crops) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of arrays that must not be written to
        (raw,) = raw_batches(_images(crops), [range(6)], workers=0, device=CPU)
    raw["thermal"].zero_()
    assert _images(crops)[0]["thermal"].max() >= 100
    with pytest.raises(ValueError, match="read-only"):
        crops.thermal(crops.split("train").iloc[0])[0, 0] = 0


def test_a_frame_without_a_sentence_is_refused_before_the_training(crops: Crops) -> None:
    table = TextTable(
        features=torch.zeros(1, 77, 3), mask=torch.ones(1, 77, dtype=torch.bool), rows={"s/0": 0}
    )
    with pytest.raises(BadInput, match=r"s/1 has no caption"):
        _images(crops, text=table)


def test_values_arrive_in_network_range(crops: Crops) -> None:
    ((batch, _),) = training_batches(
        _images(crops),
        start_images=0,
        images=3,
        batch_size=3,
        workers=0,
        trains_on=Batch,
        sees=Still,
        device=CPU,
    )
    assert batch.target.shape == (3, 3, 4, 4)
    raw = _images(crops)[0]
    assert torch.allclose(
        batch.target[0, 0], torch.from_numpy(raw["visible"][..., 0].copy()) / 127.5 - 1
    )


def test_a_translator_gets_text_by_frame_and_no_target(crops: Crops) -> None:
    table = TextTable(
        features=torch.arange(2.0)[:, None, None].expand(2, 77, 3),
        mask=torch.ones(2, 77, dtype=torch.bool),
        rows={f"s/{n}": n % 2 for n in range(6)},
    )
    rows = crops.split("train")
    for path in (crops.folder / "visible").iterdir():
        path.unlink()
    ((_, seen),) = seen_batches(crops, rows, sees=Captioned, text=table, batch_size=8, device=CPU)
    assert seen.text[:, 0, 0].tolist() == [0.0, 1.0] * 3
    with pytest.raises(BadInput, match="no caption"):
        table.row("s/9")


def test_who_needs_text() -> None:
    assert needs_text(Captioned)
    assert not needs_text(Still)


def test_an_empty_split_is_refused(crops: Crops) -> None:
    with pytest.raises(BadInput, match="no usable frame in the test split"):
        crops.split("test")
