"""Read every frame once: which files there are, to the byte, and which frames cannot be used."""

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from tqdm import tqdm

from thermochroma.errors import BadInput
from thermochroma.files import sha256
from thermochroma.images import read_thermal, read_visible, size_of
from thermochroma.manifest import FRAME_COLUMNS
from thermochroma.source import Frame

LEAST_SPREAD = 2.0  # grey levels: a covered or frozen camera still shows about one level of noise


@dataclass(frozen=True)
class _Finding:
    """What one frame's files are; path is the file at fault, below the raw folder."""

    thermal_sha256: str = ""
    visible_sha256: str = ""
    defect: str = ""
    path: str = ""
    width: int | None = None
    height: int | None = None


def inspect(
    frames: Sequence[Frame], raw: Path, *, on_defect: Literal["refuse", "drop"]
) -> pd.DataFrame:
    """One row a frame, in order, with the columns of `FRAME_COLUMNS`.

    A frame is defective if a twin is missing, cannot be decoded, is constant or of the wrong kind
    (grey visible, colour thermal), if the sizes differ, or if an earlier frame of its sequence has
    the same thermal file. Raises BadInput for the first of them if `on_defect` is "refuse".
    """
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:  # decoding and hashing leave the interpreter's lock
        looked = pool.map(lambda frame: _look(frame, raw), frames)
        bar = tqdm(looked, total=len(frames), desc="inspecting", unit="frame")
        findings = _without_repeats(frames, list(bar))
    if on_defect == "refuse":
        _refuse_defects(frames, findings, raw)
    rows = [_row(frame, finding) for frame, finding in zip(frames, findings, strict=True)]
    return pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype(FRAME_COLUMNS)


def _row(frame: Frame, finding: _Finding) -> dict[str, object]:
    row = asdict(frame) | asdict(finding) | {"tone": "", "left_out": ""}
    del row["path"]
    return row


def _look(frame: Frame, raw: Path) -> _Finding:
    defect, path = _defect(frame, raw)
    width, height = (None, None) if defect else size_of(raw / frame.visible)
    hashes = _hash(raw / frame.thermal), _hash(raw / frame.visible)
    return _Finding(*hashes, defect, path, width, height)


def _hash(path: Path) -> str:
    return sha256(path) if path.is_file() else ""


def _defect(frame: Frame, raw: Path) -> tuple[str, str]:
    """The first thing wrong with a frame and the file at fault; two empty strings if nothing is."""
    pictures = []
    for kind, relative, read in (
        ("thermal", frame.thermal, read_thermal),
        ("visible", frame.visible, read_visible),
    ):
        try:
            picture = read(raw / relative)
        except BadInput as error:
            return _in_short(kind, error, raw / relative), relative
        if _is_constant(picture):
            return f"{kind} picture is constant", relative
        pictures.append(picture)
    thermal, visible = (f"{p.shape[1]}x{p.shape[0]}" for p in pictures)
    if thermal != visible:
        return f"sizes differ: thermal {thermal}, visible {visible}", frame.visible
    return "", ""


def _in_short(kind: str, error: BadInput, path: Path) -> str:
    """The reader's words without the path, which differs from machine to machine."""
    if not path.is_file():
        return f"{kind} picture is missing"
    return f"{kind} picture {re.sub(r' [(].*', '', error.given.removeprefix(f'{path} '))}"


def _is_constant(picture: UInt8[np.ndarray, "..."]) -> bool:
    grey = picture if picture.ndim == 2 else picture.mean(axis=-1)
    return float(grey.std()) < LEAST_SPREAD


def _without_repeats(frames: Sequence[Frame], findings: Sequence[_Finding]) -> list[_Finding]:
    """Mark a usable frame whose thermal file an earlier usable frame of its sequence has too."""
    first: dict[tuple[str, str], str] = {}
    marked = []
    for frame, finding in zip(frames, findings, strict=True):
        if not finding.defect:
            earlier = first.setdefault((frame.sequence, finding.thermal_sha256), frame.frame)
            if earlier != frame.frame:
                defect = f"thermal picture is the same as that of {earlier}"
                finding = replace(finding, defect=defect, path=frame.thermal)
        marked.append(finding)
    return marked


def _refuse_defects(frames: Sequence[Frame], findings: Sequence[_Finding], raw: Path) -> None:
    faulty = [finding for finding in findings if finding.defect]
    if faulty:
        raise BadInput(
            given=f"{raw / faulty[0].path}: {faulty[0].defect} "
            f"({len(faulty)} of {len(frames)} frames are defective)",
            needed="a whole thermal and visible picture of one size for every frame; "
            "nothing was changed",
            remedy=f"repair or remove the pair, or set `sources.{raw.name}.on_defect: drop`",
        )
