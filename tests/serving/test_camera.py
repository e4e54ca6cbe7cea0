"""A camera through the command: FFmpeg's virtual device stands for one, for no machine of ours has any."""

import os
import signal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.test_translate import saved
from tests.serving.videos import images_of, times_of
from thermochroma.serving import camera
from thermochroma.serving.cli import main
from thermochroma.serving.video import Painter

GREY = "lavfi:testsrc2=size=96x64:rate=10,format=gray,setpts=PTS+7/TB"
"""A moving image, whose clock does not begin at 0."""


def run(folder: Path, *further: str) -> Path:
    """Record GREY, and give what was written."""
    translator = saved("pix2pix", folder / "translator.safetensors")
    main(["translate", str(translator), "--to", str(folder / "out"), "--camera", GREY, *further])
    (written,) = (folder / "out").iterdir()
    return written


def test_a_camera_is_recorded_for_some_seconds(tmp_path: Path) -> None:
    written = run(tmp_path, "--seconds", "1.5", "--codec", "ffv1")
    assert written.name.startswith("camera-")
    assert times_of(written) == [Fraction(n, 10) for n in range(15)]
    assert len({one.tobytes() for one in images_of(written)}) > 10


def test_ctrl_c_ends_a_recording_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint, painted = Painter.paint, []

    def stopping(self: Painter, images: list[np.ndarray], *rest: Any) -> list[np.ndarray]:
        painted.append(1)
        if len(painted) == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return paint(self, images, *rest)

    monkeypatch.setattr(Painter, "paint", stopping)
    before = signal.getsignal(signal.SIGINT)
    assert len(images_of(run(tmp_path))) == 7
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("further", "sentence"),
    [
        (("--tone", "auto"), "black and white that are known before the last image"),
        (("--tone", "window 1 2"), "has 8 bits a pixel, and --tone is given"),
        (("image.png",), "images stand beside --camera"),
        (("--seconds", "0"), "--seconds is 0; .*more than 0"),
        (("--seconds", "-1"), "--seconds is -1"),
        (("--seconds", "nan"), "--seconds is nan"),
    ],
)
def test_what_a_camera_cannot_do_is_refused(
    further: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=sentence):
        run(tmp_path, *further)
    assert not (tmp_path / "out").exists() or not [*(tmp_path / "out").iterdir()]


def test_a_length_needs_a_camera(tmp_path: Path) -> None:
    translator = saved("pix2pix", tmp_path / "a")
    with pytest.raises(SystemExit, match="--seconds has no --camera"):
        main(["translate", str(translator), "a.png", "--to", str(tmp_path), "--seconds", "1"])


@pytest.mark.parametrize(
    ("system", "name", "device"),
    [
        ("linux", "2", ("v4l2", "/dev/video2")),
        ("darwin", "0", ("avfoundation", "0")),
        ("win32", "dshow:video=A: b", ("dshow", "video=A: b")),
    ],
)
def test_a_camera_has_a_number_or_a_name(
    system: str, name: str, device: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera.sys, "platform", system)
    assert camera._device(name) == device


def test_a_kind_of_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    translator = saved("pix2pix", tmp_path / "a")
    given = ["translate", str(translator), "--to", str(tmp_path), "--camera", "nonsense:0"]
    with pytest.raises(SystemExit, match="no kind of device called 'nonsense' on this machine"):
        main(given)


@pytest.mark.parametrize("name", ["front", "v4l2:", "v4l2:/dev/video987", "nonsense:/dev/video0"])
def test_a_camera_that_is_not_there_is_one_sentence(name: str, tmp_path: Path) -> None:
    translator = saved("pix2pix", tmp_path / "a")
    given = ["translate", str(translator), "--to", str(tmp_path / "out"), "--camera", name]
    with pytest.raises(SystemExit, match="--camera"):
        main(given)
    assert not (tmp_path / "out").exists()
