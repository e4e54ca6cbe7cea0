"""Comparison of all that lies on disk with what was noted of it: outputs, DVC's cache, raw images.

`dvc status` trusts files whose time and size are the same, and its cache altogether; here every byte is
read. dvc.lock and the cache's folders are read as DVC writes them (version 3, MD5), without DVC.
"""

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import yaml

from thermochroma.base.errors import BadInput
from thermochroma.base.files import md5, sha256
from thermochroma.base.manifest import FRAME_COLUMNS, read_table
from thermochroma.base.reading import reading
from thermochroma.base.sealed import is_whole
from thermochroma.base.shards import SUFFIX, Shard

LOCK: Final = "dvc.lock"
SEALED: Final = {".csv", ".json", ".safetensors"}
ANEW: Final = "remove it and run `dvc repro`, which makes it anew"


@dataclass(frozen=True)
class Noted:
    """One file of a stage's outputs: its path, its MD5 by dvc.lock, and its place in the cache."""

    path: Path
    md5: str
    cached: Path


@dataclass(frozen=True)
class Finding:
    """Number of files of one kind that were compared, and a sentence for each that is damaged."""

    kind: str
    compared: int
    damages: Sequence[str]


def verify(root: Path) -> Iterator[Finding]:
    """Compare everything in the project, kind by kind. Raises BadInput if there is no dvc.lock."""
    stages = _stages(root)
    files, damages = _noted(root, stages)
    found = _each(_fault_of, files)
    yield Finding("outputs of stages, by dvc.lock", len(files), [*damages, *found])
    cached = [one for one in {one.cached: one for one in files}.values() if one.cached.is_file()]
    yield Finding(
        "files in DVC's cache, by their names", len(cached), _each(_fault_in_cache, cached)
    )
    present = sorted({one.path for one in files if one.path.is_file()})
    sealed = [path for path in present if path.suffix in SEALED]
    yield Finding("digests inside tables, summaries, translators", *_counted(_broken_seal, sealed))
    shards = [path.with_suffix(".npy") for path in present if path.suffix == SUFFIX]
    yield Finding("shards, image by image", *_counted(_broken_shard, shards))
    for name, stage in stages.items():
        if (options := _options(stage)).keys() >= {"frames", "raw", "report", "metrics"}:
            yield _raw(name, root / options["frames"], root / options["raw"])


def _stages(root: Path) -> dict[str, Any]:
    path = root / LOCK
    needed, remedy = (
        "what `dvc repro` notes of its outputs",
        "run it in the project, after `dvc repro`",
    )
    with reading(path, needed=needed, remedy=remedy):
        stages: dict[str, Any] = dict(yaml.safe_load(path.read_text(encoding="utf-8"))["stages"])
        for stage in stages.values():
            for out in stage.get("outs", []):
                out["md5"], out["path"]  # who lacks one is named here, and not later
    return stages


def _noted(root: Path, stages: Mapping[str, Any]) -> tuple[list[Noted], list[str]]:
    """All files of all outputs, and a sentence for each folder whose files are not known."""
    cache, files, damages = _cache_of(root), [], []
    for stage, one in stages.items():
        for out in one.get("outs", []):
            digest, path = str(out["md5"]), root / out["path"]
            cached = _in(cache, digest)
            if not digest.endswith(".dir"):
                files.append(Noted(path, digest, cached))
            elif (listed := _listed(cached, digest)) is not None:
                files += [
                    Noted(path / entry["relpath"], entry["md5"], _in(cache, entry["md5"]))
                    for entry in listed
                ]
                damages += _strangers(path, {path / entry["relpath"] for entry in listed})
            elif _md5_of_folder(path) != digest:
                damages.append(f"{path} is not the folder that `{stage}` left; {ANEW}")
    return files, damages


def _in(cache: Path, digest: str) -> Path:
    return cache / digest[:2] / digest[2:]


def _cache_of(root: Path) -> Path:
    """DVC's cache: `cache.dir` of its configuration, relative to it, or the usual folder."""
    config = ConfigParser(interpolation=None)
    config.read([root / ".dvc/config", root / ".dvc/config.local"], encoding="utf-8")
    folder = config.get("cache", "dir", fallback="cache").strip("\"'")
    return root / ".dvc" / folder / "files/md5"


def _listed(path: Path, digest: str) -> list[dict[str, str]] | None:
    """The files of a folder, by the list in the cache; None if it is missing or damaged."""
    if not path.is_file() or f"{md5(path)}.dir" != digest:
        return None
    listed: list[dict[str, str]] = json.loads(path.read_bytes())
    return listed


def _md5_of_folder(folder: Path) -> str:
    """MD5 of a folder as DVC takes it: of the list of its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = [{"md5": md5(path), "relpath": path.relative_to(folder).as_posix()} for path in files]
    listed.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def _strangers(folder: Path, known: set[Path]) -> list[str]:
    files = {path for path in folder.rglob("*") if path.is_file()}
    return [f"{path} is no file that the stage left; remove it" for path in sorted(files - known)]


def _fault_of(one: Noted) -> str | None:
    if not one.path.is_file():
        return f"{one.path} is missing; run `dvc checkout`, or `dvc repro` to make it anew"
    if md5(one.path) == one.md5:
        return None
    if one.cached.is_file() and md5(one.cached) == one.md5:
        return f"{one.path} is not what its stage left; remove it and run `dvc checkout`"
    also = f", and its copy {one.cached}," if one.cached.is_file() else ""
    return f"{one.path} is not what its stage left; remove it{also} and run `dvc repro`"


def _fault_in_cache(one: Noted) -> str | None:
    if md5(one.cached) == one.md5:
        return None
    return f"{one.cached} is damaged (it should hold {one.path}); remove it, so that it never comes back"


def _broken_seal(path: Path) -> str | None:
    with path.open("rb") as stream:
        return f"{path} differs from its own digest; {ANEW}" if is_whole(stream) is False else None


def _broken_shard(path: Path) -> str | None:
    try:
        for _ in Shard(path, remedy=ANEW):
            pass
    except BadInput as fault:
        return f"{fault.given}; {ANEW}"
    return None


def _raw(stage: str, frames: Path, raw: Path) -> Finding:
    kind = f"raw images, by the table of `{stage}`"
    if not raw.is_dir():
        return Finding(f"{kind} ({raw} is not here)", 0, [])
    try:
        table = read_table(frames, FRAME_COLUMNS)
    except BadInput as fault:
        return Finding(kind, 0, [f"{fault.given}; {ANEW}"])
    noted = [
        (raw / path, digest)
        for spectrum in ("thermal", "visible")
        for path, digest in zip(table[spectrum], table[f"{spectrum}_sha256"], strict=True)
        if digest
    ]
    anew = f"put the former file back, or run `dvc repro -f {stage}` to take it as it is"

    def fault_of(image: tuple[Path, str]) -> str | None:
        path, digest = image
        if not path.is_file():
            return f"{path} is missing; {anew}"
        return None if sha256(path) == digest else f"{path} is another file; {anew}"

    return Finding(kind, len(noted), _each(fault_of, noted))


def _options(stage: Mapping[str, Any]) -> dict[str, str]:
    """Options of a stage's command, by name."""
    words = shlex.split(stage.get("cmd", ""))
    return {
        name.removeprefix("--"): value for name, value in pairwise(words) if name.startswith("--")
    }


def _counted(
    fault_of: Callable[[Path], str | None], files: Sequence[Path]
) -> tuple[int, list[str]]:
    return len(files), _each(fault_of, files)


def _each(fault_of: Callable[[Any], str | None], items: Sequence[Any]) -> list[str]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing releases the interpreter's lock
        return [fault for fault in pool.map(fault_of, items) if fault is not None]
