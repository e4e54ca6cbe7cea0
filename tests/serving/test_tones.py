"""One mapping for a whole call: the same for all files, and printed so that it can be given again."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.camera_files import celsius, false_colours, write_dji, write_flir
from tests.serving.test_translate import _translate, noise, saved
from thermochroma.base.errors import BadInput
from thermochroma.base.images import Tone, read_visible, write_image
from thermochroma.serving import tones
from thermochroma.serving.sensor import Sensed
from thermochroma.serving.tones import Mapping, Percentile, mapping_for, parse_tone

RAW = np.random.default_rng(0).integers(15000, 17000, (40, 60)).astype(np.uint16)


def _save(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def _folder(tmp_path: Path) -> list[Path]:
    return [_save(tmp_path / f"in/{n}.png", RAW + np.uint16(1000 * n)) for n in range(3)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", None),
        ("auto", Percentile(1.0)),
        ("percentile", Percentile(1.0)),
        ("percentile 2.5", Percentile(2.5)),
        ("window 7000 9000", Mapping(Tone("window", 7000, 9000))),
        ("clahe 7000 9000", Mapping(Tone("clahe", 7000, 9000))),
        ("temperature -10 40.5", Mapping(Tone("window", -10, 40.5), "celsius")),
    ],
)
def test_what_can_be_asked_for(text: str, wanted: object) -> None:
    found = parse_tone(text)
    assert found == wanted
    if isinstance(found, Mapping):
        assert str(found) == text


@pytest.mark.parametrize(
    "text", ["b", "auto 3", "percentile 50", "percentile nan", "percentile x", "temperature 40 0"]
)
def test_anything_else_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(BadInput, match="correct --tone: 'auto', 'percentile 1'"):
        parse_tone(text)


def test_percentiles_are_those_of_all_files(tmp_path: Path) -> None:
    paths = _folder(tmp_path)
    every = np.concatenate([RAW.ravel() + 1000 * n for n in range(3)])
    found = mapping_for(paths, Percentile(5.0))
    assert found is not None and found.unit is None
    assert found.tone.black == np.floor(np.percentile(every, 5))
    assert found.tone.white == np.ceil(np.percentile(every, 95))


def test_of_very_many_values_some_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = _folder(tmp_path)
    whole = mapping_for(paths, Percentile(5.0))
    monkeypatch.setattr(tones, "SAMPLED", 1000)
    some = mapping_for(paths, Percentile(5.0))
    assert whole is not None and some is not None
    assert some.tone.black == pytest.approx(whole.tone.black, abs=30)
    assert some.tone.white == pytest.approx(whole.tone.white, abs=30)


def test_noise_stays_noise(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", np.uint16(8000) + noise(40, 40) % np.uint8(3))
    assert str(mapping_for([path], Percentile(0.0))) == "window 7873 8129"
    same = _save(tmp_path / "b.tiff", np.full((8, 8), 0.5, np.float32))
    with pytest.raises(BadInput, match=r"values are all 0\.5"):
        mapping_for([same], Percentile(1.0))


def test_all_files_of_a_folder_get_one_mapping_which_gives_the_same_bytes_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _folder(tmp_path)
    translator = saved("cyclegan", tmp_path / "t.safetensors")
    _translate(translator, tmp_path / "in", "--to", tmp_path / "one", "--tone", "auto")
    said = capsys.readouterr().out.splitlines()[0]
    printed = said.split("'")[1]
    assert said.startswith("--tone 'window 15")
    _translate(translator, tmp_path / "in", "--to", tmp_path / "two", "--tone", printed)
    assert "--tone" not in capsys.readouterr().out
    mapping = parse_tone(printed)
    assert isinstance(mapping, Mapping)
    for n in range(3):
        name = f"{n}.png"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        write_image(tmp_path / "grey" / name, mapping.tone.apply(RAW + np.uint16(1000 * n)))
    _translate(translator, tmp_path / "grey", "--to", tmp_path / "three")
    for n in range(3):  # what the network sees is that mapping's grey, of each file
        one, three = (read_visible(tmp_path / to / f"{n}.png") for to in ("one", "three"))
        assert np.array_equal(one, three)


def test_temperatures_are_for_files_that_say_them(tmp_path: Path) -> None:
    pytest.importorskip("flyr", reason="the extra `radiometric` is not installed")
    translator, out = saved("cyclegan", tmp_path / "t.safetensors"), tmp_path / "out"
    write_flir(tmp_path / "in/a.jpg", RAW)
    write_dji(tmp_path / "in/b.jpg", RAW)
    low, high = np.floor(celsius(RAW).min()), np.ceil(celsius(RAW).max())
    with pytest.raises(SystemExit, match=r"1 of 2 .*\n.*b\.jpg does not say its temperatures"):
        _translate(translator, tmp_path / "in", "--to", out, "--tone", f"temperature {low} {high}")
    assert (out / "a.png").exists()
    with pytest.raises(SystemExit, match=r"\(1 in celsius, as a\.jpg, 1 in counts, as b\.jpg\)"):
        _translate(translator, tmp_path / "in", "--to", out, "--tone", "auto")
    found = mapping_for([tmp_path / "in/a.jpg"], Percentile(1.0))
    assert found is not None and str(found).startswith("temperature ")
    assert found.tone.white - found.tone.black >= 5
    assert parse_tone(str(found)) == found


def test_one_unreadable_file_does_not_end_the_search(tmp_path: Path) -> None:
    paths = _folder(tmp_path)
    (tmp_path / "in/a.png").write_bytes(b"no image")
    assert mapping_for([tmp_path / "in/a.png", *paths], Percentile(1.0)) == mapping_for(
        paths, Percentile(1.0)
    )
    with pytest.raises(BadInput, match=r"a\.png cannot be read"):
        mapping_for([tmp_path / "in/a.png"], Percentile(1.0))
    write_image(tmp_path / "in/b.png", noise(8, 8))
    with pytest.raises(BadInput, match="no file holds more than 8 bits"):
        mapping_for([tmp_path / "in/b.png"], Percentile(1.0))


def test_a_radiometric_file_is_never_read_by_its_preview(tmp_path: Path) -> None:
    translator = saved("cyclegan", tmp_path / "t.safetensors")
    write_flir(tmp_path / "a.jpg", RAW, preview=noise(40, 60))  # grey: it would pass as 8 bits
    with pytest.raises(SystemExit, match=r"more than 8 bits a pixel.*--tone auto"):
        _translate(translator, tmp_path / "a.jpg", "--to", tmp_path / "out")


def test_false_colours_are_refused_with_the_ways_out(tmp_path: Path) -> None:
    translator = saved("cyclegan", tmp_path / "t.safetensors")
    write_image(tmp_path / "a.png", false_colours(RAW // np.uint16(16)))
    with pytest.raises(SystemExit) as ended:
        _translate(translator, tmp_path / "a.png", "--to", tmp_path / "out")
    told = str(ended.value)
    for words in ("false colours of a palette", "white-hot grey", "radiometric original", "16-bit"):
        assert words in told


def test_values_outside_of_the_tone_are_told_in_their_unit() -> None:
    mapping = Mapping(Tone("window", 100, 200), "celsius")
    with pytest.raises(BadInput, match=r"outside of the tone `temperature 100 200`"):
        mapping.apply(Path("a.jpg"), Sensed(np.zeros((2, 2), np.float32), "celsius"))
