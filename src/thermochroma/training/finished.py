"""Outputs of a training that has ended, kept beside its checkpoint until they are recorded elsewhere.

What starts a training removes its outputs first, and notes the new ones some time after it has ended. A
kill in between must cost a copy, never the training.
"""

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import (
    md5,
    remove_folder,
    sha256,
    sweep,
    whole_file,
    whole_folder,
    write_text,
)
from thermochroma.base.lock import exclusive_lock, sweep_locks

FOLDER: Final = "finished"
"""Name of the folder of outputs, beside a checkpoint."""
DIGESTS: Final = "digests.json"
TRANSLATOR: Final = "translator.safetensors"


@contextmanager
def keeping(place: Path) -> Iterator[Path]:
    """Give a folder to write all outputs into; they are kept in `place`, with their digests, or none is."""
    with whole_folder(place / FOLDER) as part:
        yield part
        digests = {str(path.relative_to(part)): sha256(path) for path in _files(part)}
        write_text(part / DIGESTS, json.dumps(digests, indent=2, sort_keys=True) + "\n")


def is_kept(place: Path) -> bool:
    """Whether the training at `place` has ended and its outputs are here."""
    return (place / FOLDER).is_dir()


def damaged(place: Path) -> list[str]:
    """Names of the kept outputs that are not as they were written."""
    kept = place / FOLDER
    try:
        digests: dict[str, str] = json.loads((kept / DIGESTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [DIGESTS]
    found = {str(path.relative_to(kept)): sha256(path) for path in _files(kept)}
    del found[DIGESTS]
    return sorted(name for name in digests | found if digests.get(name) != found.get(name))


def deliver(place: Path, folder: Path) -> None:
    """Copy the kept outputs into `folder`, each file and each folder whole or not at all."""
    for path in sorted((place / FOLDER).iterdir()):
        if path.is_dir():
            with whole_folder(folder / path.name) as copies:
                shutil.copytree(path, copies, copy_function=shutil.copyfile, dirs_exist_ok=True)
        elif path.name != DIGESTS:
            with whole_file(folder / path.name) as copy:
                shutil.copyfile(path, copy)


def forget(place: Path) -> None:
    """Remove the kept outputs alone."""
    remove_folder(place / FOLDER)


def discard_recorded(root: Path, recorded: Collection[str]) -> None:
    """Remove each training below `root` that has ended and whose translator is recorded, by its MD5.

    Also removes what killed processes have left below `root`. One that another process holds is left.
    """
    if not root.is_dir():
        return
    sweep(root)
    for kept in sorted(root.glob(f"*/{FOLDER}/{TRANSLATOR}")):
        if md5(kept) in recorded:
            place = kept.parents[1]
            with suppress(BadInput), exclusive_lock(place, patience_seconds=0.0):
                remove_folder(place)
    sweep_locks(root)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
