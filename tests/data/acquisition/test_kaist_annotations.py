"""Annotated objects: both formats say the same, and a file that is not understood is refused."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from tests.made_data import boxes_of, make_kaist, vbb
from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import Box
from thermochroma.data.acquisition.kaist_annotations import annotated, read_boxes, read_vbb

HEAD = "% bbGt version=3\n"
LINE = "person 505 212 20 50 0 0 0 0 0 0 0\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "I00000.txt"
    path.write_text(text)
    return path


def test_a_published_line_is_read(tmp_path: Path) -> None:
    assert read_boxes(written(tmp_path, HEAD + LINE)) == [Box("person", 505.0, 212.0, 20.0, 50.0)]


def test_a_head_alone_is_a_frame_without_objects(tmp_path: Path) -> None:
    assert read_boxes(written(tmp_path, HEAD + "\n")) == []


@pytest.mark.parametrize(
    "line",
    [
        "person? 5 6 7 8 0 0 0 0 0 0 0",  # doubtful
        "person 5 6 7 8 0 0 0 0 0 1 0",  # to be ignored
        "car 5 6 7 8 0 0 0 0 0 0 0",  # added with the labelling tool
    ],
)
def test_what_is_not_certain_is_passed_over(line: str, tmp_path: Path) -> None:
    found = read_boxes(written(tmp_path, f"{HEAD}{line}\n{LINE}"))
    assert [box.label for box in found] == ["person"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("% bbGt version=2\n" + LINE, "begins with '% bbGt version=2'; .*version=3"),
        (LINE, "begins with 'person 505"),
        ("", "begins with ''"),
        (HEAD + "person 505 212 20\n", "line 2 of .*I00000.txt is 'person 505 212 20'"),
        (HEAD + LINE + LINE.replace("505", "left"), "line 3 of "),
        (HEAD + LINE.replace("505", "nan"), "line 2 of "),
    ],
)
def test_another_version_or_line_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_boxes(written(tmp_path, text))


def test_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        read_boxes(tmp_path / "I00000.txt")
    (tmp_path / "I00000.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        read_boxes(tmp_path / "I00000.txt")


def test_both_formats_say_the_same(tmp_path: Path) -> None:
    make_kaist(tmp_path, {"set00/V000": 12})
    known = read_vbb(tmp_path / "annotations-vbb/set00/V000.vbb")
    assert sorted(known) == list(range(12))
    for number, boxes in known.items():
        assert boxes == read_boxes(tmp_path / f"annotations/set00/V000/I{number:05d}.txt")
        assert len(boxes) == min(number % 5, 3)  # the fourth is doubtful


def test_a_matlab_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Cut and spoilt at many places: each is read as it was, or refused; nothing else comes out."""
    whole = vbb([boxes_of(number) for number in range(6)])
    path = tmp_path / "V000.vbb"
    rng = np.random.default_rng(0)
    refused = 0
    for place in np.linspace(0, len(whole) - 1, 60).astype(int):
        spoilt = bytearray(whole)
        spoilt[place : place + 4] = rng.bytes(4)
        for content in (whole[:place], bytes(spoilt)):
            path.write_bytes(content)
            try:
                read_vbb(path)
            except BadInput as problem:
                assert problem.given.startswith(str(path))
                refused += 1
    assert refused > 60


@pytest.mark.parametrize("content", [{"B": 1}, {"A": {"nFrame": 3}}, {"A": np.zeros(3)}])
def test_a_matlab_file_of_another_make_is_refused(content: dict, tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "V000.mat", content)
    with pytest.raises(BadInput, match="cannot be read"):
        read_vbb(tmp_path / "V000.mat")


def test_text_goes_before_matlab(tmp_path: Path) -> None:
    make_kaist(tmp_path, {"set00/V000": 6})
    (tmp_path / "annotations/set00/V000/I00003.txt").write_text(HEAD)
    (tmp_path / "annotations/set00/V000/I00002.txt").unlink()
    of = annotated(tmp_path, name="kaist")
    assert of("set00/V000/I00003") == []
    assert [box.label for box in of("set00/V000/I00002")] == ["person", "people"]  # from MATLAB


def test_a_frame_without_annotation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no annotations of `kaist`; .*`annotations`"):
        annotated(tmp_path, name="kaist")
    make_kaist(tmp_path, {"set00/V000": 6})
    of = annotated(tmp_path, name="kaist")
    with pytest.raises(BadInput, match="does not exist"):
        of("set00/V001/I00000")
    (tmp_path / "annotations/set00/V000/I00003.txt").unlink()
    (tmp_path / "annotations/set00/V000/I00004.txt").unlink()
    with pytest.raises(BadInput, match="no frame 9"):
        of("set00/V000/I00009")
