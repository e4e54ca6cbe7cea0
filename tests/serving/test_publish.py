"""What `publish` packs, `translate` takes: from disk, and from an address with its SHA-256."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.export.test_archive import card_for
from tests.server import serving
from tests.serving.test_translate import noise, saved
from thermochroma.base.images import write_image
from thermochroma.serving import places
from thermochroma.serving.cli import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one trained translator and its card, and an image to translate."""
    monkeypatch.setattr(places, "user_cache_path", lambda name: tmp_path / "cache" / name)
    translator = tmp_path / "data/runs/made/pix2pix/translator.safetensors"
    translator.parent.mkdir(parents=True)
    saved("pix2pix", translator)
    card_for(translator, tmp_path / "reports/made/cards/pix2pix.md")
    write_image(tmp_path / "in/a.png", noise(64, 64))
    return tmp_path


def published(project: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The SHA-256 that is printed."""
    translator = project / "data/runs/made/pix2pix/translator.safetensors"
    main(["publish", str(translator), "--to", str(project / "p.zip")])
    return capsys.readouterr().out.split("SHA-256 ")[1].split()[0]


def translated(project: Path, place: str, name: str) -> bytes:
    main(["translate", place, str(project / "in"), "--to", str(project / name)])
    return (project / name / "a.png").read_bytes()


def test_every_way_to_a_translator_gives_the_same_bytes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = translated(project, f"{project}/data/runs/made/pix2pix/translator.safetensors", "out")
    digits, archive = published(project, capsys), project / "p.zip"
    assert translated(project, str(archive), "out1") == plain
    assert translated(project, f"{archive}#sha256={digits}", "out2") == plain
    shutil.rmtree(project / "cache")
    with serving({"p.zip": archive.read_bytes()}) as server:
        assert translated(project, f"{server.url}#sha256={digits}", "out3") == plain
        assert translated(project, f"{server.url}#sha256={digits}", "out4") == plain
        kept = project / f"cache/thermochroma/translators/{digits}/translator.safetensors"
        kept.write_bytes(kept.read_bytes()[:-100])
        assert translated(project, f"{server.url}#sha256={digits}", "out5") == plain
        assert len(server.asked) == 1, "it was kept"


def test_what_translate_takes_by_name_is_published_by_name(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(project, capsys)
    by_name = ["publish", "pix2pix", "--data", str(project / "data"), "--to"]
    main([*by_name, str(project / "named.zip")])
    assert (project / "named.zip").read_bytes() == (project / "p.zip").read_bytes()
    main(["publish", "starter", "--to", str(project / "starter.zip")])
    translated(project, str(project / "starter.zip"), "out")
    with pytest.raises(SystemExit, match="`nosuch` is neither a file nor a translator's name"):
        main(["publish", "nosuch", "--to", str(project / "new.zip")])


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("", "does not say which archive is meant"),
        ("#sha256=12", "64 hexadecimal digits"),
        (f"#sha256={'0' * 64}", "name its path instead of its address"),
    ],
)
def test_another_archive_is_not_taken(
    project: Path, capsys: pytest.CaptureFixture[str], end: str, sentence: str
) -> None:
    published(project, capsys)
    with serving({"p.zip": (project / "p.zip").read_bytes()}) as server:
        with pytest.raises(SystemExit) as ended:
            translated(project, server.url + end, "out")
        told = f"{ended.value}{capsys.readouterr().err}"
        assert sentence in told
        assert "sources" not in told, "settings of the pipeline, which this command does not read"
    assert not (project / "out").exists()
    if end:
        with pytest.raises(SystemExit):
            translated(project, f"{project / 'p.zip'}{end}", "out")


def test_nothing_that_is_published_is_replaced_and_a_lost_card_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(project, capsys)
    before = (project / "p.zip").read_bytes()
    with pytest.raises(SystemExit, match="is there already"):
        published(project, capsys)
    assert (project / "p.zip").read_bytes() == before
    (project / "reports/made/cards/pix2pix.md").unlink()
    translator = project / "data/runs/made/pix2pix/translator.safetensors"
    for to, sentence in (("new.zip", "pix2pix.md does not exist"), ("new.tar", "ends in .zip")):
        with pytest.raises(SystemExit, match=sentence):
            main(["publish", str(translator), "--to", str(project / to)])
    away = shutil.copy(translator, project / "away.safetensors")
    with pytest.raises(SystemExit, match="--card"):
        main(["publish", str(away), "--to", str(project / "new.zip")])
    assert not np.any([(project / name).exists() for name in ("new.zip", "new.tar")])
