"""A translator is packed with its card, and comes out of the archive as it went in."""

import zipfile
from pathlib import Path

import pytest

from tests.serving.test_translate import saved
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.export.archive import CARD, TRANSLATOR, pack, take_out


@pytest.fixture
def translator(tmp_path: Path) -> Path:
    (tmp_path / "data/runs/made/pix2pix").mkdir(parents=True)
    return saved("pix2pix", tmp_path / "data/runs/made/pix2pix/translator.safetensors")


def card_for(translator: Path, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# Pix2pix\n\n| SHA-256 of the translator | {sha256(translator)} |\n")
    return path


def test_what_goes_in_comes_out_and_the_archive_does_not_depend_on_its_day(
    translator: Path, tmp_path: Path
) -> None:
    card = card_for(translator, tmp_path / "card.md")
    pack(translator, card, tmp_path / "one.zip")
    card.touch()
    pack(translator, card, tmp_path / "two.zip")
    assert sha256(tmp_path / "one.zip") == sha256(tmp_path / "two.zip")
    out = take_out(tmp_path / "one.zip", tmp_path / "out")
    assert out.read_bytes() == translator.read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as packed:
        assert packed.namelist() == [CARD, TRANSLATOR]
        assert packed.read(CARD) == card.read_bytes()


def test_the_card_of_another_translator_is_refused(translator: Path, tmp_path: Path) -> None:
    other = saved("tir2lab", tmp_path / "other.safetensors")
    with pytest.raises(BadInput, match="is not the card of"):
        pack(translator, card_for(other, tmp_path / "card.md"), tmp_path / "one.zip")
    assert not (tmp_path / "one.zip").exists()


def test_an_archive_with_anything_else_is_refused(translator: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as packed:
        packed.writestr("../translator.safetensors", b"x")
    with pytest.raises(BadInput, match="holds no"):
        take_out(tmp_path / "none.zip", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "junk.zip", "w") as packed:
        packed.writestr(TRANSLATOR, b"no tensors")
    with pytest.raises(BadInput, match=r"junk\.zip"):
        take_out(tmp_path / "junk.zip", tmp_path / "out")
    pack(translator, card_for(translator, tmp_path / "card.md"), tmp_path / "one.zip")
    whole = (tmp_path / "one.zip").read_bytes()
    at = whole.index(TRANSLATOR.encode()) + 2000
    (tmp_path / "one.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(BadInput, match=r"one\.zip"):
        take_out(tmp_path / "one.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
