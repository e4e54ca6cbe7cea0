"""The loader: the n-th picture is the n-th picture, wherever one begins."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from thermochroma.batch import Captioned, Still
from thermochroma.errors import BadInput
from thermochroma.loading.assemble import needs_text
from thermochroma.loading.crops import MANIFEST, Crops
from thermochroma.loading.loader import TrainingPictures, seen_batches, training_batches
from thermochroma.loading.text import TextTable
from thermochroma.manifest import CROP_COLUMNS, write_table

CPU = torch.device("cpu")


@pytest.fixture
def crops(tmp_path: Path) -> Crops:
    """Six training frames; frame n is n everywhere, with a brighter left half."""
    for spectrum, shape in (("thermal", (6, 4, 4)), ("visible", (6, 4, 4, 3))):
        pixels = np.zeros(shape, np.uint8)
        for place in range(6):
            pixels[place] = place
            pixels[place, :, :2] += 100
        (tmp_path / spectrum).mkdir()
        np.save(tmp_path / spectrum / "s.npy", pixels)
    rows = [
        (f"s/{n}", "s", "train", "", "", 0, "1 0 0 0 1 0", 1.0, 0, 0, "s.npy", n, "")
        for n in range(6)
    ]
    write_table(tmp_path / MANIFEST, pd.DataFrame(rows, columns=list(CROP_COLUMNS)), CROP_COLUMNS)
    return Crops(tmp_path)


def _pictures(crops: Crops, *, aligned: bool = True, seed: int = 0) -> TrainingPictures:
    rows = crops.split("train")
    return TrainingPictures(
        crops=crops, rows=rows, text=None, aligned=aligned, flip=0.5, window=4, seed=seed
    )


def _shown(pictures: TrainingPictures, start: int, end: int) -> list[tuple[int, ...]]:
    return [
        tuple(int(raw[name][0, column]) for name in ("thermal",) for column in (0, 3))
        for raw in (pictures[place] for place in range(start, end))
    ]


def test_the_nth_picture_does_not_depend_on_the_start(crops: Crops) -> None:
    assert _shown(_pictures(crops), 0, 30)[13:] == _shown(_pictures(crops), 13, 30)
    assert _shown(_pictures(crops), 0, 30) != _shown(_pictures(crops, seed=1), 0, 30)


def test_each_epoch_shows_every_frame_once_in_another_order(crops: Crops) -> None:
    pictures = _pictures(crops)
    epochs = [[pictures[6 * epoch + n]["frame"] for n in range(6)] for epoch in range(4)]
    assert all(sorted(epoch) == [f"s/{n}" for n in range(6)] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_aligned_pictures_flip_together(crops: Crops) -> None:
    flipped = 0
    for place in range(40):
        raw = _pictures(crops)[place]
        assert np.array_equal(raw["thermal"], raw["visible"][..., 0])
        flipped += int(raw["thermal"][0, 0] < 100)
    assert 10 < flipped < 30


def test_unaligned_pictures_are_drawn_apart(crops: Crops) -> None:
    pictures = _pictures(crops, aligned=False)
    same = sum(
        int(raw["thermal"].max() == raw["visible"].max())
        for raw in (pictures[place] for place in range(60))
    )
    assert same < 30  # one in six by chance


def test_batches_resume_in_the_middle_and_end_small(crops: Crops) -> None:
    def frames(start: int) -> list[tuple[str, ...]]:
        batches = training_batches(
            _pictures(crops),
            start_images=start,
            images=11,
            batch_size=4,
            workers=0,
            sees=Still,
            device=CPU,
        )
        return [batch.frames for batch in batches]

    whole = frames(0)
    assert [len(batch) for batch in whole] == [4, 4, 3]
    assert frames(4) == whole[1:]


def test_values_arrive_in_network_range(crops: Crops) -> None:
    (batch,) = training_batches(
        _pictures(crops),
        start_images=0,
        images=3,
        batch_size=3,
        workers=0,
        sees=Still,
        device=CPU,
    )
    assert batch.target.shape == (3, 3, 4, 4)
    raw = _pictures(crops)[0]
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
