"""Images in files that go through the network together: each comes out as by itself, in its place."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.serving.test_translate import noise, saved
from thermochroma.base.errors import BadInput
from thermochroma.base.images import read_visible, write_image
from thermochroma.inference.predictor import Predictor
from thermochroma.serving import image_notes, translate
from thermochroma.serving.cli import main

SIDES = {"a": 16, "b": 16, "c": 20, "d": 16, "e": 20, "f": 16, "g": 16}
"""Sides of square images, by their names."""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many images went through the network at once, and their side, for each call."""
    found: list[tuple[int, int]] = []
    whole = Predictor.__call__

    def counted(
        self: Predictor, images: np.ndarray, references: object, *, sharpness: float
    ) -> np.ndarray:
        found.append(images.shape[:2])
        return whole(self, images, references, sharpness=sharpness)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "__call__", counted)
    return found


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    """The command for a folder of images of two sizes, all of them different."""
    translator = saved("cyclegan", tmp_path / "translator.safetensors")
    for name, side in SIDES.items():
        write_image(tmp_path / f"in/{name}.png", noise(8, side, side)[ord(name) - ord("a")])
    return ["translate", str(translator), str(tmp_path / "in"), "--to"]


def images_in(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: read_visible(path).astype(int) for path in folder.iterdir()}


def test_images_of_one_size_go_together_and_come_out_as_alone(
    given: Sequence[str], counts: list[tuple[int, int]], tmp_path: Path
) -> None:
    main([*given, str(tmp_path / "alone")])
    assert counts == [(1, side) for side in SIDES.values()], "a processor takes one at a time"
    counts.clear()
    main([*given, str(tmp_path / "together"), "--batch", "4"])
    assert counts == [(3, 16), (1, 20), (1, 20), (2, 16)]
    alone, together = images_in(tmp_path / "alone"), images_in(tmp_path / "together")
    assert alone.keys() == together.keys() == SIDES.keys()
    for name, image in alone.items():
        # Not the same bytes by right: a library may sum up in another order for several images.
        assert np.abs(image - together[name]).max() <= 1
    assert not np.array_equal(alone["a"], alone["b"])


def test_a_bad_file_in_the_middle_costs_itself_alone(
    given: Sequence[str],
    counts: list[tuple[int, int]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in/b.png").write_bytes(b"no image")
    with pytest.raises(SystemExit, match=r"1 of 7 images were not translated:\n.*b\.png cannot be"):
        main([*given, str(tmp_path / "out"), "--batch", "8"])
    assert counts == [(4, 16), (2, 20)]
    assert images_in(tmp_path / "out").keys() == SIDES.keys() - {"b"}
    assert "6 images in" in capsys.readouterr().out
    counts.clear()
    write_image(tmp_path / "in/b.png", noise(16, 16))
    main([*given, str(tmp_path / "out"), "--batch", "8"])
    assert counts == [(1, 16)], "what was there is kept, and does not wait"
    assert "7 images" in (said := capsys.readouterr().out) and "6 of them there before" in said


def test_what_the_network_cannot_translate_costs_itself_alone(
    given: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether numbers are no numbers is known of all that go together, not of which."""
    bad, whole = noise(8, 16, 16)[3], Predictor.__call__

    def failing(
        self: Predictor, images: np.ndarray, references: None, *, sharpness: float
    ) -> np.ndarray:
        if any(np.array_equal(one, bad) for one in images):
            raise BadInput(given="a value", needed="another", remedy="mend")
        if len(images) > 2:
            raise MemoryError
        return whole(self, images, references, sharpness=sharpness)

    monkeypatch.setattr(Predictor, "__call__", failing)
    with pytest.raises(SystemExit, match=r"1 of 7 images were not translated"):
        main([*given, str(tmp_path / "out"), "--batch", "8"])
    assert images_in(tmp_path / "out").keys() == SIDES.keys() - {"d"}


def test_no_more_images_are_in_memory_than_go_together(
    given: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, most = 0, 0
    read, write = translate.read_for, image_notes.write_image

    def counted_read(*arguments: object) -> np.ndarray:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        return read(*arguments)  # type: ignore[arg-type]

    def counted_write(*arguments: object, **more: object) -> None:
        nonlocal waiting
        waiting -= 1
        write(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(translate, "read_for", counted_read)
    monkeypatch.setattr(image_notes, "write_image", counted_write)
    main([*given, str(tmp_path / "out"), "--batch", "3"])
    assert (waiting, most) == (0, 3)


def test_images_in_tiles_go_alone(
    given: Sequence[str], counts: list[tuple[int, int]], tmp_path: Path
) -> None:
    for name in ("h", "i"):
        write_image(tmp_path / f"in/{name}.png", noise(64, 80))
    main([*given, str(tmp_path / "out"), "--batch", "16", "--tile", "64"])
    whole, quarters, half, tiles = [(1, 51)], [(1, 25)] * 4, [(1, 26)], [(1, 64)] * 2
    assert counts == [(5, 16), (2, 20), *[*whole, *quarters, *half, *tiles] * 2]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--batch", "0"], "--batch is 0; how many images go through the network at once"),
        (["--camera", "0", "--batch", "2"], "--batch is asked of a camera"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(
    more: list[str], told: str, given: Sequence[str], tmp_path: Path
) -> None:
    images = [] if "--camera" in more else [given[2]]
    with pytest.raises(SystemExit, match=told):
        main([*given[:2], *images, "--to", str(tmp_path / "out"), *more])
