"""Which counts become black and white: of a data set or a sequence, never of one image."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from thermochroma.base.errors import BadInput
from thermochroma.base.images import Tone, read_thermal
from thermochroma.contract.dataset import DatasetSettings, Frame, PercentileTone, WindowTone
from thermochroma.data.acquisition.tone_mapping import LEAST_SPAN, LEVELS, tones, window_of

PERCENTILE = PercentileTone(kind="percentile", low=1, high=99)
WINDOW = WindowTone(kind="window", black=7000, white=9000.5)
BLANK = Frame("", "", "", "train", "", "", "", "")


def _write(raw: Path, sequence: str, images: list[np.ndarray], suffix: str = "png") -> list[Frame]:
    frames = []
    for number, image in enumerate(images):
        name = f"{sequence}/{number}.{suffix}"
        (raw / name).parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(raw / name)
        frames.append(replace(BLANK, frame=name, sequence=sequence, thermal=name))
    return frames


def _scene(seed: int, mean: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 300, (40, 50)).astype(np.uint16)


def test_a_sequence_has_one_window_from_all_its_counts(tmp_path: Path) -> None:
    cold = [_scene(n, 7000 + 200 * n) for n in range(5)]
    hot = [_scene(9, 9000)]
    frames = _write(tmp_path, "a", cold) + _write(tmp_path, "b", hot)
    frames = [frames[0], frames[5], *frames[1:5]]  # a sequence's frames need not stand together
    found = tones(frames, tmp_path, PERCENTILE)
    for texts, images in (([found[0], *found[2:]], cold), ([found[1]], hot)):
        assert len(set(texts)) == 1
        black, white = np.percentile(np.stack(images), (1, 99), method="lower")
        assert Tone.parse(texts[0]) == Tone("window", int(black), int(white))


@pytest.mark.parametrize(("low", "high"), [(0.0, 100.0), (1.0, 99.0), (0.25, 50.0), (30.0, 31.0)])
def test_percentiles_are_those_of_numpy(low: float, high: float) -> None:
    counts = np.random.default_rng(3).integers(0, LEVELS, 10001)
    counts[:30] = 0, 1, LEVELS - 1, *range(27)
    histogram = np.bincount(counts, minlength=LEVELS)
    expected = tuple(np.percentile(counts, (low, high), method="lower"))
    assert window_of(histogram, low=low, high=high) == expected


def test_a_covered_camera_does_not_turn_its_noise_into_a_image(tmp_path: Path) -> None:
    covered = [7000 + np.random.default_rng(n).integers(0, 3, (40, 50)) for n in range(2)]
    frames = _write(tmp_path, "a", [one.astype(np.uint16) for one in covered])
    tone = Tone.parse(tones(frames, tmp_path, PERCENTILE)[0])
    assert tone is not None
    assert (tone.black + tone.white) / 2 == pytest.approx(7001, abs=1)
    assert tone.white - tone.black == LEAST_SPAN
    assert read_thermal(tmp_path / frames[0].thermal, tone).std() < 1


@pytest.mark.parametrize("setting", [PERCENTILE, WINDOW])
def test_8_bits_and_broken_files_have_no_tone(
    setting: PercentileTone | WindowTone, tmp_path: Path
) -> None:
    grey = (_scene(0, 7000) % 256).astype(np.uint8)
    frames = _write(tmp_path, "a", [_scene(0, 7000), grey, _scene(1, 7000), _scene(2, 7000)])
    frames += _write(tmp_path, "b", [grey])
    (tmp_path / "a/2.png").write_bytes(b"no image")
    (tmp_path / "a/3.png").unlink()
    found = tones(frames, tmp_path, setting)
    assert [bool(text) for text in found] == [True, False, False, False, False]
    assert read_thermal(tmp_path / "a/0.png", Tone.parse(found[0])).dtype == np.uint8


@pytest.mark.parametrize("kind", ["window", "clahe"])
def test_a_fixed_window_is_the_same_for_all(kind: str, tmp_path: Path) -> None:
    frames = _write(tmp_path, "a", [_scene(0, 7000)]) + _write(tmp_path, "b", [_scene(1, 9000)])
    setting = WindowTone(kind=kind, black=7000, white=9000.5)  # type: ignore[arg-type]
    assert tones(frames, tmp_path, setting) == [f"{kind} 7000 9000.5"] * 2


def test_counts_without_a_setting_stop_the_run_and_8_bits_do_not(tmp_path: Path) -> None:
    grey = _write(tmp_path, "a", [(_scene(0, 7000) % 256).astype(np.uint8)])
    assert tones(grey, tmp_path, None) == [""]
    deep = _write(tmp_path, "b", [_scene(0, 7000)])
    with pytest.raises(BadInput, match=r"b/0\.png holds more than 8 bits .* set `tone`"):
        tones(grey + deep, tmp_path, None)


@pytest.mark.parametrize(
    "image", [np.full((4, 4), 280.5, np.float32), np.full((4, 4), 70000, np.int32)]
)
def test_percentiles_are_of_16_bit_counts_only(image: np.ndarray, tmp_path: Path) -> None:
    frames = _write(tmp_path, "a", [image], "tif")
    with pytest.raises(BadInput, match=r"a/0\.tif holds values .* kind `window`"):
        tones(frames, tmp_path, PERCENTILE)
    assert tones(frames, tmp_path, WINDOW) == ["window 7000 9000.5"]


def test_long_sequences_do_not_need_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks, the same counts give the same window."""
    frames = _write(tmp_path, "a", [_scene(n, 7000 + 50 * n) for n in range(12)])
    whole = tones(frames, tmp_path, PERCENTILE)
    monkeypatch.setattr("thermochroma.data.acquisition.tone_mapping.CHUNK", 5)
    assert tones(frames, tmp_path, PERCENTILE) == whole


@pytest.mark.parametrize(
    "block",
    [
        '{"kind": "gamma"}',
        '{"kind": "window", "black": 2, "white": 1}',
        '{"kind": "clahe", "black": 2}',
        '{"kind": "window", "black": 1, "white": Infinity}',
        '{"kind": "window", "black": 1, "white": 2, "low": 1}',
        '{"kind": "percentile", "low": 99, "high": 1}',
        '{"kind": "percentile", "low": -1, "high": 1}',
        '{"kind": "percentile", "low": "1", "high": 99}',
    ],
)
def test_wrong_settings_are_refused(block: str) -> None:
    with pytest.raises(ValidationError):
        DatasetSettings.model_validate_json(f'{{"tone": {block}}}')


def test_right_settings_are_read() -> None:
    read = DatasetSettings.model_validate_json
    assert read("{}").tone is None
    assert read('{"tone": {"kind": "percentile", "low": 1, "high": 99}}').tone == PERCENTILE
    assert read('{"tone": {"kind": "window", "black": 7000, "white": 9000.5}}').tone == WINDOW
