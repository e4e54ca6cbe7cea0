"""Inputs by folders inside folders and by patterns: where each goes, and what is refused."""

import os
from pathlib import Path, PurePath

import pytest

from tests.serving.test_translate import noise, saved
from thermochroma.base.errors import BadInput
from thermochroma.base.images import read_visible, write_image
from thermochroma.serving.cli import main
from thermochroma.serving.inputs import Input, inputs_in


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two folders with an image of one name, one deeper, and what is no image."""
    for name in ("a/1.png", "b/1.png", "b/deep er/2.png", "0.png"):
        write_image(tmp_path / "in" / name, noise(16, 16))
    (tmp_path / "in/b/notes.txt").write_text("no image")
    (tmp_path / "in/.hidden").mkdir()
    write_image(tmp_path / "in/.hidden/3.png", noise(16, 16))
    return tmp_path


def _found(root: Path, *given: str, recursive: bool = False) -> list[tuple[str, str]]:
    inputs = inputs_in([root / one for one in given], recursive=recursive, to=root / "in/out")
    return [(str(one.path.relative_to(root)), str(one.place)) for one in inputs]


def test_a_tree_is_kept(tree: Path) -> None:
    translator, to = str(saved("cyclegan", tree / "t.safetensors")), str(tree / "in/out")
    given = ["translate", translator, str(tree / "in"), "--recursive", "--to", to]
    main(given)
    written = {str(path.relative_to(to)) for path in Path(to).rglob("*.png")}
    assert written == {"0.png", "a/1.png", "b/1.png", "b/deep er/2.png"}
    assert read_visible(Path(to) / "b/deep er/2.png").shape == (16, 16, 3)
    main(given)  # translations of before are no inputs, though they lie in the folder
    assert {str(path.relative_to(to)) for path in Path(to).rglob("*.png")} == written


def test_folders_are_entered_only_when_asked_for(tree: Path) -> None:
    assert _found(tree, "in") == [("in/0.png", ".")]
    assert len(_found(tree, "in", recursive=True)) == 4


def test_links_to_folders_are_not_followed(tree: Path) -> None:
    before = _found(tree, "in", recursive=True)
    (tree / "in/a/up").symlink_to(tree / "in", target_is_directory=True)
    assert _found(tree, "in", recursive=True) == before


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("in/b/*.png", ["in/b/1.png"]),
        ("in/[ab]/1.png", None),
        ("in/*/deep*", ["in/b/deep er/2.png"]),
        ("in/a*", ["in/a/1.png"]),
        ("in/b/**/2.png", ["in/b/deep er/2.png"]),
    ],
)
def test_patterns_are_files_and_folders(pattern: str, found: list[str] | None, tree: Path) -> None:
    if found is None:
        with pytest.raises(BadInput, match=r"two images are called 1: \S+a/1.png and \S+b/1.png"):
            _found(tree, pattern)
    else:
        assert _found(tree, pattern) == [(one, ".") for one in found]


def test_a_pattern_that_nothing_matches_is_one_sentence(tree: Path) -> None:
    with pytest.raises(BadInput, match=r"no file matches the pattern \S+in/\*\.jpg;"):
        _found(tree, "in/*.jpg")


def test_a_name_that_looks_like_a_pattern_is_a_name(tree: Path) -> None:
    write_image(tree / "in/[0].png", noise(16, 16))
    assert _found(tree, "in/[0].png") == [("in/[0].png", ".")]


def test_a_file_that_is_given_twice_counts_once(tree: Path) -> None:
    assert _found(tree, "in/0.png", "in", "in/*.png") == [("in/0.png", ".")]


def test_two_that_would_write_one_file_are_refused(tree: Path) -> None:
    write_image(tree / "in/b/deep er/2.jpg", noise(16, 16))
    with pytest.raises(BadInput, match=r"two images are called b/deep er/2: .*2\.jpg and .*2\.png"):
        _found(tree, "in", recursive=True)
    (tree / "in/b/deep er/2.jpg").rename(tree / "in/b/2.jpg")
    assert len(_found(tree, "in", recursive=True)) == 5


def test_a_folder_without_images_names_the_option_that_looks_deeper(tree: Path) -> None:
    (tree / "in/0.png").unlink()
    with pytest.raises(BadInput, match=r"no image to translate.*; --recursive looks into"):
        _found(tree, "in")


@pytest.mark.skipif(os.name != "posix", reason="elsewhere names are text")
def test_a_folders_name_that_is_no_text_is_refused(tree: Path) -> None:
    (tree / "in" / os.fsdecode(b"\xff")).mkdir()
    with pytest.raises(BadInput, match="no UTF-8"):
        _found(tree, "in", recursive=True)


def test_an_input_lies_at_the_top_unless_said() -> None:
    assert Input(Path("a.png")).place == PurePath()
