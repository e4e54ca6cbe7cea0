"""IRVI: 24,352 pairs from 12 recordings: traffic seen from a car, and five monitored places.

The archive's layout is not documented, so it is read by the words in its paths: traffic or
monitoring, sub-1 to sub-5, train or test, A (thermal) or B (visible). Training images may be three
frames side by side. `acquire` cuts them, pairs thermal and visible images, and checks the pairing.

The profiles measure different things:

- `joint`: the authors' split. It divides the recording of each monitored place in time, so its
  monitoring scores show how well a place is remembered, not how well an unknown one is coloured. Both
  parts have names of their own (monitoring/sub-1/train and /test) because no name may be in two
  splits, but as far as is known they are one recording. This may be true of traffic, too.
- `loso`: all of traffic and of four places for training, the fifth (sub-5) for testing.
- `clean`: no recording in two splits: sub-5 for testing, sub-4 for validation, and of traffic the
  last two recordings, if their names distinguish at least three; else all of it is for training.

Validation in `joint` and `loso` is the last twentieth of each training part: it follows the training
frames directly, so it is suited to monitor a training, but not to compare methods.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pandas as pd
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import write_text
from thermochroma.base.image_files import image_files, names_image, refuse_unwritable
from thermochroma.base.natural_order import natural
from thermochroma.contract.dataset import Dataset, DatasetSettings, Facts, Frame, Sha256, Split
from thermochroma.data.acquisition.expected_counts import odd_counts
from thermochroma.data.acquisition.irvi_strips import THERMAL, VISIBLE, write_frames
from thermochroma.data.acquisition.local import bring
from thermochroma.data.acquisition.pairing import paired, refuse_strangers

DRIVE: Final = "https://drive.google.com/uc?id=1ZcJ0EfF5n_uqtsLc7-8hJgTcr2zHSXY3"
BAIDU: Final = "https://pan.baidu.com/s/1og7bcuVDModuBJhEQXWPxg?pwd=IRVI"
LARGEST: Final = 64 << 30  # bytes; the archive's size is not published
HELD_OUT: Final = "monitoring/sub-5"
VALIDATED: Final = "monitoring/sub-4"
TAIL: Final = 20  # the last 1/20 of the frames is for validation
NOTE: Final = ".frames.json"

WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    # a pattern for a whole word of a path, the property that it describes, and its value
    (r"traffic", "subset", "traffic"),
    (r"monitor(ing)?", "subset", "monitoring"),
    (r"sub ?(\d+)", "scene", r"sub-\1"),
    (r"train(ing|[ab])?", "part", "train"),
    (r"test(ing|[ab])?", "part", "test"),
    (r"(train|test)?a|ir|infrared|thermal", "spectrum", THERMAL),
    (r"(train|test)?b|vis?|visible|rgb", "spectrum", VISIBLE),
)
PUBLISHED: Final = {
    "traffic/train": 17000, "traffic/test": 1000,
    "monitoring/sub-1/train": 1384, "monitoring/sub-1/test": 347,
    "monitoring/sub-2/train": 1040, "monitoring/sub-2/test": 260,
    "monitoring/sub-3/train": 1232, "monitoring/sub-3/test": 308,
    "monitoring/sub-4/train": 672, "monitoring/sub-4/test": 169,
    "monitoring/sub-5/train": 752, "monitoring/sub-5/test": 188,
}  # fmt: skip
SCENES: Final = {
    "traffic": "a motorway seen from a car",
    "monitoring": "an open place watched by a standing camera",
}


class IrviSettings(DatasetSettings):
    """The block `sources.irvi`."""

    on_defect: Literal["refuse", "drop"] = "drop"
    profile: Literal["joint", "loso", "clean"] = "joint"
    """Split of the frames; see the beginning of this file."""
    allow_partial: bool = False
    """Whether a copy that lacks whole parts of the published data is used."""
    addresses: tuple[str, ...] = (DRIVE,)
    """Addresses of the archive, tried in this order when `source` is null."""
    sha256: Sha256 | None = None
    """Checksum of the archive at `addresses`, such as the report of a download tells; null takes any."""


def acquire(settings: IrviSettings, raw: Path) -> None:
    """Acquire the authors' files into `<raw>.published`, and write their frames to `raw`.

    A part whose frames are written is not written again, so a killed run continues with the next.
    Raises BadInput if no path describes its image, or if the images of pairs do not agree.
    """
    published = raw.with_name(f"{raw.name}.published")
    _bring(settings, published)
    groups = _groups(published)
    _claim(raw, published, groups)
    for name, files in groups.items():
        pairs = paired(files[THERMAL], files[VISIBLE], where=name)
        if not (raw / name).is_dir():
            refuse_strangers(pairs, where=f"{name} of IRVI")
        write_frames(pairs, raw / name, desc=f"cutting {name}")


def frames(settings: IrviSettings, raw: Path) -> Sequence[Frame]:
    """List every frame of which at least one image exists, by part, in natural order of names.

    Raises BadInput if there are none, or if a published part is missing, unless `allow_partial` is set.
    """
    folders = {folder.parent for folder in raw.glob(f"*/**/{THERMAL}")}
    parts = sorted((folder.relative_to(raw).as_posix() for folder in folders), key=natural)
    if not parts:
        raise BadInput(
            given=f"{raw} holds no frames of IRVI",
            needed="the frames that `acquire` writes",
            remedy=f"remove {raw} and run again",
        )
    if not settings.allow_partial:
        _refuse_missing(parts)
    splits = _splits(settings, parts)
    listed: list[Frame] = []
    for part, split in splits.items():
        count = len(image_files(raw / part / THERMAL))
        tail = count // TAIL if split == "train" and settings.profile != "clean" else 0
        listed += _frames_of(raw, part, split, tail)
    return listed


def remarks(_settings: IrviSettings, table: pd.DataFrame) -> Sequence[str]:
    """List the parts whose numbers of frames differ from the published ones."""
    parts = table["thermal"].str.rsplit("/", n=2).str[0].map(_published)
    return list(odd_counts(parts, {name: (count, count) for name, count in PUBLISHED.items()}))


def facts(_settings: IrviSettings, _raw: Path) -> Callable[[str], Facts]:
    """Facts from the path alone; descriptions of the monitored places are not published."""
    return lambda frame: Facts(time="", scene=SCENES[frame.split("/")[0]])


def _bring(settings: IrviSettings, published: Path) -> None:
    try:
        bring(
            published,
            name="irvi",
            source=settings.source,
            addresses=settings.addresses,
            sha256=settings.sha256,
            holds=(),
            max_bytes=LARGEST,
        )
    except BadInput as problem:
        if settings.source is not None:
            raise
        raise BadInput(
            given=problem.given,
            needed=problem.needed,
            remedy=f"wait a day (the drive limits how often a file is fetched), or get the archive "
            f"with a browser from {DRIVE} or {BAIDU} and set `sources.irvi.source` to it",
        ) from problem


@dataclass(frozen=True)
class _PathInfo:
    """Information in the path of an image: the part that it belongs to, and its spectrum."""

    name: str  # "monitoring/sub-1/train", "traffic/test", "traffic/<recording>/test"
    spectrum: str


def _parsed(path: Path) -> _PathInfo | None:
    """Parse `path`, relative to the published folder; None if a word is missing."""
    known: dict[str, str] = {}
    recording = ""
    for folder in path.parts[:-1]:
        words = re.sub(r"[-_ ]+", " ", folder.lower())
        found = {}
        for pattern, kind, meaning in WORDS:
            if match := re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", words):
                found[kind] = re.sub(r"\\1", match[match.lastindex or 0], meaning)
        recording = recording if found else (folder if known else "")
        known |= found
    if "scene" in known:
        known.setdefault("subset", "monitoring")
    if not {"subset", "part", "spectrum"} <= known.keys():
        return None
    names = known["subset"], known.get("scene", recording or _recording(path)), known["part"]
    return _PathInfo("/".join(filter(None, names)), known["spectrum"])


def _recording(path: Path) -> str:
    """Part of a file's name before its last number: "03" of "03_00017", "" of "00017"."""
    found = re.fullmatch(r"(?:(?:ir|vis?|a|b)[-_])?(.+)[-_]\d+", path.stem, re.IGNORECASE)
    return found[1] if found else ""


def _groups(published: Path) -> dict[str, Mapping[str, list[Path]]]:
    """Group the images by part and spectrum. Raises BadInput if no path describes its image."""
    groups: dict[str, dict[str, list[Path]]] = {}
    passed_over = 0
    for path in sorted(published.rglob("*")):
        if not names_image(path) or path.is_dir():
            continue
        below = path.relative_to(published)
        refuse_unwritable([str(below)])
        info = _parsed(below)
        if info is None:
            passed_over += 1
            continue
        group = groups.setdefault(info.name, {THERMAL: [], VISIBLE: []})
        group[info.spectrum].append(path)
    if not groups:
        raise BadInput(
            given=f"{published} holds {passed_over} images, and no path describes its image",
            needed="words in the folders' names: traffic or monitoring with sub-1 to sub-5, train or "
            "test, A (thermal) or B (visible), as in monitoring/sub-1/trainA",
            remedy="rename the folders so, or correct `sources.irvi.source`",
        )
    if passed_over:
        tqdm.write(f"irvi: {passed_over} images are skipped, their paths say too little")
    return {name: groups[name] for name in sorted(groups)}


def _claim(raw: Path, published: Path, groups: Mapping[str, Mapping[str, list[Path]]]) -> None:
    """Prepare `raw` for these files: frames of other files, or of fewer, are removed first."""
    counts = {name: [len(paths) for paths in spectra.values()] for name, spectra in groups.items()}
    text = json.dumps({"from": str(published.resolve()), "parts": counts}, indent=1) + "\n"
    note = raw / NOTE
    if raw.exists() and not note.is_file() and any(raw.iterdir()):
        raise BadInput(
            given=f"{raw} was put there by hand",
            needed="a place that may be filled",
            remedy="move that folder away, and name it in `sources.irvi.source`",
        )
    if note.is_file() and note.read_bytes() != text.encode():
        for left in [path for path in raw.iterdir() if path != note]:
            shutil.rmtree(left)
    for part in raw.rglob(".part-*"):  # of a killed run
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    write_text(note, text)


def _published(part: str) -> str:
    """Name of a part in the published list, which tells no recordings of traffic apart."""
    return re.sub(r"^traffic/.*/(train|test)$", r"traffic/\1", part)


def _refuse_missing(parts: Sequence[str]) -> None:
    missing = sorted(PUBLISHED.keys() - {_published(part) for part in parts})
    if missing:
        raise BadInput(
            given=f"the copy of IRVI lacks {len(missing)} of its {len(PUBLISHED)} parts: "
            + ", ".join(missing),
            needed="images of each part, in folders whose names tell it",
            remedy="complete the copy, or set `sources.irvi.allow_partial: true` to use what is there",
        )


def _splits(settings: IrviSettings, parts: Sequence[str]) -> Mapping[str, Split]:
    """Split of each part; the frames for validation are taken from the training ones later."""
    if settings.profile == "joint":
        return {part: "test" if part.endswith("/test") else "train" for part in parts}
    if settings.profile == "loso":
        return {part: "test" if _of(part) == HELD_OUT else "train" for part in parts}
    drives = sorted({_of(part) for part in parts if part.startswith("traffic/")}, key=natural)
    held_out: dict[str, Split] = {HELD_OUT: "test", VALIDATED: "validation"}
    if len(drives) >= 3:
        held_out |= {drives[-1]: "test", drives[-2]: "validation"}
    return {part: held_out.get(_of(part), "train") for part in parts}


def _of(part: str) -> str:
    """The recording that a part belongs to."""
    return part.rpartition("/")[0]


def _frames_of(raw: Path, part: str, split: Split, tail: int) -> Iterator[Frame]:
    """List the frames of a part. tail: number of the last frames, a sequence for validation."""
    files: dict[str, dict[str, str]] = {}
    for kind in (THERMAL, VISIBLE):
        for path in image_files(raw / part / kind):
            files.setdefault(path.stem, {})[kind] = path.name
    order = sorted(files, key=natural)
    subset = part.split("/")[0]
    for place, stem in enumerate(order):
        ends = place >= len(order) - tail
        one = next(iter(files[stem].values()))  # the name that a missing partner would have
        yield Frame(
            frame=f"{part}/{stem}",
            sequence=f"{part}-end" if ends else part,
            mount=_of(part),
            rig=subset,
            split="validation" if ends else split,
            place=subset,
            time="",
            thermal=f"{part}/{THERMAL}/{files[stem].get(THERMAL, one)}",
            visible=f"{part}/{VISIBLE}/{files[stem].get(VISIBLE, one)}",
        )


DATASET = Dataset(
    title="IRVI",
    citation="S. Li et al., I2V-GAN: Unpaired Infrared-to-Visible Video Translation, ACM MM 2021",
    licence="No licence is published: for research use, not to be redistributed",
    note="",
    settings=IrviSettings,
    acquire=acquire,
    frames=frames,
    facts=facts,
    stills=False,
    upscale=True,
    remarks=remarks,
)
