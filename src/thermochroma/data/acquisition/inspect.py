"""Inspection: read every frame once, hash its files, and find the frames that cannot be used."""

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import pandas as pd
from jaxtyping import UInt8
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.images import Tone, read_thermal, read_visible
from thermochroma.base.manifest import FRAME_COLUMNS
from thermochroma.base.reading import quote
from thermochroma.contract.dataset import Frame

LEAST_SPREAD: Final = 2.0  # grey levels: a covered or frozen camera still has noise of about one
CHUNK: Final = 1024  # frames read at once: memory must not grow with the data set
EQUAL_WEIGHTS: Final = np.full((1, 3), 1 / 3, np.float32)


@dataclass(frozen=True)
class _Finding:
    """Result for one frame; path: the file at fault, relative to the raw folder."""

    thermal_sha256: str = ""
    visible_sha256: str = ""
    defect: str = ""
    path: str = ""
    width: int | None = None
    height: int | None = None


def inspect(
    frames: Sequence[Frame],
    raw: Path,
    *,
    on_defect: Literal["refuse", "drop"],
    image_size: tuple[int, int] | None = None,
    tones: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Inspect all frames; return one row per frame, in order, with the columns of `FRAME_COLUMNS`.

    A frame is defective if one of its images is missing, cannot be decoded, is constant or of the wrong
    kind (grey visible, colour thermal), if the sizes differ or are not `image_size` (width, height), or
    if an earlier frame of its sequence has the same thermal file. tones: the tone of each frame's
    thermal image; None if all have 8 bits. Raises BadInput for the first defect if `on_defect` is
    "refuse".
    """
    texts = [""] * len(frames) if tones is None else tones
    findings = _without_repeats(frames, _look_at_all(frames, texts, raw, image_size))
    if on_defect == "refuse":
        _refuse_defects(frames, findings, raw)
    rows = [_row(*each) for each in zip(frames, findings, texts, strict=True)]
    return pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype(FRAME_COLUMNS)


def _row(frame: Frame, finding: _Finding, tone: str) -> dict[str, object]:
    row = asdict(frame) | asdict(finding) | {"tone": tone, "left_out": ""}
    del row["path"]
    return row


def _look_at_all(
    frames: Sequence[Frame], tones: Sequence[str], raw: Path, size: tuple[int, int] | None
) -> list[_Finding]:
    pairs, findings = list(zip(frames, tones, strict=True)), []
    with (
        ThreadPoolExecutor(
            os.cpu_count()
        ) as pool,  # decoding and hashing release the interpreter's lock
        tqdm(total=len(frames), desc="inspecting", unit="frame") as bar,
    ):
        for start in range(0, len(pairs), CHUNK):
            chunk = pairs[start : start + CHUNK]
            for finding in pool.map(lambda pair: _look(pair[0], pair[1], raw, size), chunk):
                findings.append(finding)
                bar.update()
    return findings


def _look(frame: Frame, tone: str, raw: Path, size: tuple[int, int] | None) -> _Finding:
    finding = _defect_or_size(frame, Tone.parse(tone), raw, size)
    hashes = _hash(raw / frame.thermal), _hash(raw / frame.visible)
    return replace(finding, thermal_sha256=hashes[0], visible_sha256=hashes[1])


def _hash(path: Path) -> str:
    return sha256(path) if path.is_file() else ""


def _defect_or_size(
    frame: Frame, tone: Tone | None, raw: Path, size: tuple[int, int] | None
) -> _Finding:
    """Find the first defect of a frame and the file at fault, or its size if it has none."""
    sizes = []
    for kind, relative in (("thermal", frame.thermal), ("visible", frame.visible)):
        path = raw / relative
        try:
            image = read_thermal(path, tone) if kind == "thermal" else read_visible(path)
        except BadInput as error:
            return _Finding(defect=_in_short(kind, error, path), path=relative)
        if _is_constant(image):
            return _Finding(defect=f"{kind} image is constant", path=relative)
        sizes.append((image.shape[1], image.shape[0]))
    thermal, visible = (f"{width}x{height}" for width, height in sizes)
    if thermal != visible:
        defect = f"sizes differ: thermal {thermal}, visible {visible}"
        return _Finding(defect=defect, path=frame.visible)
    if size is not None and sizes[0] != tuple(size):
        defect = f"has {thermal} pixels, {size[0]}x{size[1]} expected"
        return _Finding(defect=defect, path=frame.visible)
    return _Finding(width=sizes[1][0], height=sizes[1][1])


def kind_of(defect: str) -> str:
    """Kind of a defect: its text without the parts that differ from frame to frame."""
    without = re.sub(r": .*|(?<=that of) .*", "", defect)
    return re.sub(r"(?<=that of)$", " an earlier frame", re.sub(r"\d+ (?=values)", "", without))


def _in_short(kind: str, error: BadInput, path: Path) -> str:
    """The reader's message without the path, which differs from machine to machine.

    A library's own words follow after a colon if it refused the image for another reason than damage,
    such as a size that may be meant to fill the memory.
    """
    if not path.is_file():
        return f"{kind} image is missing"
    fault = re.sub(r" [(].*", "", error.given.removeprefix(f"{path} "))
    cause = error.__cause__
    if cause is None or isinstance(cause, OSError | SyntaxError | EOFError | BadInput):
        return f"{kind} image {fault}"
    return f"{kind} image {fault}: {quote(cause)}"


def _is_constant(image: UInt8[np.ndarray, "..."]) -> bool:
    grey = image if image.ndim == 2 else cv2.transform(image, EQUAL_WEIGHTS)
    return float(cv2.meanStdDev(grey)[1].item()) < LEAST_SPREAD


def _without_repeats(frames: Sequence[Frame], findings: Sequence[_Finding]) -> list[_Finding]:
    """Mark usable frames whose thermal file equals that of an earlier usable frame of the sequence."""
    first: dict[tuple[str, str], str] = {}
    marked = []
    for frame, finding in zip(frames, findings, strict=True):
        if not finding.defect:
            earlier = first.setdefault((frame.sequence, finding.thermal_sha256), frame.frame)
            if earlier != frame.frame:
                defect = f"thermal image is the same as that of {earlier}"
                finding = replace(finding, defect=defect, path=frame.thermal)
        marked.append(finding)
    return marked


def _refuse_defects(frames: Sequence[Frame], findings: Sequence[_Finding], raw: Path) -> None:
    faulty = [finding for finding in findings if finding.defect]
    if faulty:
        raise BadInput(
            given=f"{raw / faulty[0].path}: {faulty[0].defect} "
            f"({len(faulty)} of {len(frames)} frames are defective)",
            needed="a whole thermal and visible image of one size for every frame; "
            "nothing was changed",
            remedy=f"repair or remove the pair, or set `sources.{raw.name}.on_defect: drop`",
        )
