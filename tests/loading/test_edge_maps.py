"""Edge maps of training images: found once, whole or not at all, each in its own image."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.made_crops import Sequence, make_crops
from thermochroma.base.shards import write_shard
from thermochroma.contract.batch import Edged, Still
from thermochroma.contract.settings import EdgeSettings
from thermochroma.loading import edge_maps as edges
from thermochroma.loading.crops import Crops
from thermochroma.loading.edge_maps import EdgeMaps, find_edges
from thermochroma.loading.loader import TrainingImages, training_batches

SIDE = 48
SETTINGS = EdgeSettings(thermal="surround", visible_thresholds=(100.0, 200.0))
SEQUENCES = {"a": Sequence(3), "b": Sequence(2), "t": Sequence(2, split="test")}


def _predict(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A box in each, where the other has none."""
    thermal = np.full((SIDE, SIDE), 60, np.uint8)
    visible = np.full((SIDE, SIDE, 3), 60, np.uint8)
    at = 4 + 3 * n + (ord(name) % 2)
    thermal[at : at + 20, at : at + 12] = 200
    visible[10:40, at + 5 : at + 25] = (200, 180, 30)
    return thermal, visible


def _crops(folder: Path) -> Crops:
    return make_crops(folder, SEQUENCES, _predict)


def _found(crops: Crops, folder: Path, settings: EdgeSettings = SETTINGS) -> EdgeMaps:
    return find_edges(crops.places(crops.split("train")), folder, settings)


def _files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*.npy"))
    }


def _repaint(crops: Crops, spectrum: str) -> None:
    path = crops.folder / spectrum / "a.npy"
    images = np.load(path)
    images[:] = np.random.default_rng(0).integers(0, 256, images.shape)
    write_shard(path, [*images])


def test_edges_lie_on_outlines_and_nowhere_else(tmp_path: Path) -> None:
    maps = _found(_crops(tmp_path / "crops"), tmp_path / "edges")
    for spectrum in ("thermal", "visible"):
        found = maps.of(spectrum, 0)
        assert found.dtype == np.uint8
        assert found.shape == (SIDE, SIDE)
        image = maps.places.image(spectrum, 0).reshape(SIDE, SIDE, -1)[..., 0].astype(int)
        across, down = np.abs(np.gradient(image, axis=1)), np.abs(np.gradient(image, axis=0))
        outline = across + down > 0
        near = np.lib.stride_tricks.sliding_window_view(np.pad(outline, 3), (7, 7)).any((2, 3))
        assert (found[~near] < 128).all()
        assert found[outline].max() == 255
        assert (found > 0).sum() > 40


def test_a_flat_image_has_no_edges() -> None:
    flat = np.full((SIDE, SIDE), 130, np.uint8)
    assert not any(detect(flat).any() for detect in edges.THERMAL.values())
    assert not edges.visible_edges(np.stack([flat] * 3, axis=-1), (100.0, 200.0)).any()


def test_texture_is_suppressed_and_a_lone_outline_stays() -> None:
    image = np.full((96, 96), 100, np.uint8)
    image[:, :48] += (40 * (np.arange(48) // 4 % 2)).astype(np.uint8)
    image[:, 72:] = 140
    found = edges.surround_suppressed(image)
    assert found[20:-20, 70:75].max(axis=1).min() > 200
    assert found[20:-20, 12:36].max() < 128


@pytest.mark.parametrize("thermal", ["surround", "canny_otsu"])
def test_maps_are_found_once_for_every_training_shard(thermal: str, tmp_path: Path) -> None:
    crops, settings = (
        _crops(tmp_path / "crops"),
        EdgeSettings.model_validate({**SETTINGS.model_dump(), "thermal": thermal}),
    )
    maps = _found(crops, tmp_path / "edges", settings)
    before = _files(tmp_path / "edges")
    assert list(before) == ["thermal/a.npy", "thermal/b.npy", "visible/a.npy", "visible/b.npy"]
    _found(crops, tmp_path / "edges", settings)
    assert _files(tmp_path / "edges") == before
    for n in range(5):
        image = np.asarray(maps.places.thermal(n))
        assert np.array_equal(maps.of("thermal", n), edges.THERMAL[settings.thermal](image))
        assert np.array_equal(
            maps.of("visible", n),
            edges.visible_edges(np.asarray(maps.places.visible(n)), (100.0, 200.0)),
        )


def test_what_is_killed_leaves_whole_files_and_is_ended_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops, whole = _crops(tmp_path / "crops"), _found(_crops(tmp_path / "others"), tmp_path / "all")
    calls = iter(range(100))

    def killed(image: np.ndarray) -> np.ndarray:
        if next(calls) == 4:  # in the second shard
            raise KeyboardInterrupt
        return edges.surround_suppressed(image)

    monkeypatch.setitem(edges.THERMAL, "surround", killed)
    with pytest.raises(KeyboardInterrupt):
        _found(crops, tmp_path / "edges")
    left = _files(tmp_path / "edges")
    assert list(left) == ["thermal/a.npy"]
    monkeypatch.undo()
    maps = _found(crops, tmp_path / "edges")
    assert _files(tmp_path / "edges")["thermal/a.npy"] == left["thermal/a.npy"]
    for spectrum in ("thermal", "visible"):
        for n in range(5):
            assert np.array_equal(maps.of(spectrum, n), whole.of(spectrum, n))


@pytest.mark.parametrize(("changed", "other"), [("thermal", "visible"), ("visible", "thermal")])
def test_edges_of_one_spectrum_know_nothing_of_the_other(
    changed: str, other: str, tmp_path: Path
) -> None:
    crops, again = _crops(tmp_path / "crops"), _crops(tmp_path / "again")
    _repaint(again, changed)
    before, after = _found(crops, tmp_path / "before"), _found(again, tmp_path / "after")
    for n in range(3):
        assert np.array_equal(before.of(other, n), after.of(other, n))
        assert not np.array_equal(before.of(changed, n), after.of(changed, n))


def test_edges_are_cut_and_mirrored_like_their_image(tmp_path: Path) -> None:
    crops = _crops(tmp_path / "crops")
    maps, rows = _found(crops, tmp_path / "edges"), crops.split("train")
    images = TrainingImages(
        crops=crops, rows=rows, text=None, aligned=False, flip=0.5, window=32, seed=0, edges=maps
    )
    for shown in range(10):
        raw, picks = images[shown], images.drawing.pick(shown)
        for spectrum, place in zip(("thermal", "visible"), picks, strict=True):
            geometry = images.drawing.geometry(shown, spectrum, window=32, flip=0.5)
            alone = geometry(image=np.asarray(maps.of(spectrum, place)))["image"]
            assert np.array_equal(raw[f"{spectrum}_edges"], alone)
            assert raw[f"{spectrum}_edges"].any()
    plain = TrainingImages(
        crops=crops, rows=rows, text=None, aligned=False, flip=0.5, window=32, seed=0
    )
    assert np.array_equal(plain[3]["visible"], images[3]["visible"])
    assert "visible_edges" not in plain[3]


def test_edges_arrive_between_none_and_one(tmp_path: Path) -> None:
    crops = _crops(tmp_path / "crops")
    images = TrainingImages(
        crops=crops, rows=crops.split("train"), text=None, aligned=False, flip=0.5, window=32, seed=0,
        edges=_found(crops, tmp_path / "edges"),
    )  # fmt: skip
    ((batch, _),) = training_batches(
        images, start_images=0, images=3, batch_size=3, workers=0,
        trains_on=Edged, sees=Still, device=torch.device("cpu"),
    )  # fmt: skip
    assert isinstance(batch, Edged)
    assert batch.frames == tuple(images[n]["frame"] for n in range(3))
    assert batch.visible.shape == (3, 3, 32, 32)
    for name in ("thermal_edges", "visible_edges"):
        expected = np.stack([images[n][name] for n in range(3)])[:, None] / 255
        assert getattr(batch, name).numpy() == pytest.approx(expected, abs=1e-6)
