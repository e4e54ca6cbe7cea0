"""RoadScene: 221 real, aligned pairs of road scenes, cut from the FLIR driving videos.

The archive also holds the uncropped thermal images and larger visible ones; the two folders of
equal size are read. The authors publish no split. Neighbouring numbers often show the same place,
so whole blocks of numbers are held out: 40 pairs for testing, 25 for validation, 156 for training. Six
test sequences tell hardly any two methods apart; five folds together test every pair but the video's.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import Dataset, DatasetSettings, Facts, Frame, Sha256, Split
from thermochroma.data.acquisition.expected_counts import odd_counts
from thermochroma.data.acquisition.image_pairs import image_pairs
from thermochroma.data.acquisition.local import bring

THERMAL: Final = "cropinfrared"
VISIBLE: Final = "crop_LR_visible"
COMMIT: Final = "ab71420f8fc96396eeb97eecf3694909b3feb656"
"""A state of the authors' repository: the one that a public reproduction of SIBA (in Jittor) checks out."""
ARCHIVE: Final = f"https://github.com/hanna-xu/RoadScene/archive/{COMMIT}.zip"
NAME: Final = re.compile(r"FLIR_(video_)?(\d+)")

PUBLISHED: Final = {"train": 156, "validation": 25, "test": 40}
TEST: Final = ((977, 1463), (4208, 4514), (5857, 5987), (7360, 7433), (7732, 7809))
VALIDATION: Final = ((3801, 4071), (4593, 4735), (7968, 8284))
"""Ranges of FLIR_<number>, ends included. Chosen so that no near duplicates are in two splits:
a search for 10 or more SIFT matches that agree on a homography, in both spectra of 202 of the 221
frames, finds 101 pairs of frames (up to 296 matches), all of them within one split.
"""
NIGHT: Final = ((3801, 4071), (5514, 6282), (6974, 8592), (8865, 9652))
"""Ranges of the 117 night images, with all FLIR_video_*: mean L* of the upper third below 62, and
03909, 05514 and 07504, decided by eye. For reports only: the rule uses the visible images.
"""
GAP: Final = 50
"""Largest step between numbers of one sequence: the smallest of 25, 30, 50, 75 and 100 that keeps the
near duplicates of the held-out splits within one sequence.
"""
FOLDS: Final = 5
PARTS: Final = 2 * FOLDS
"""Parts of near numbers: a fold tests two of them, and validates on the next one."""


class RoadSceneSettings(DatasetSettings):
    """The block `sources.roadscene`."""

    profile: Literal["blocks", "fold_1", "fold_2", "fold_3", "fold_4", "fold_5"] = "blocks"
    """blocks: the split above. fold_…: two tenths are tested, one validates, seven teach."""

    addresses: tuple[str, ...] = (ARCHIVE,)
    """Addresses of the archive, tried in this order when `source` is null."""
    sha256: Sha256 | None = None
    """Checksum of the archive at `addresses`, such as the report of a download tells; null takes any."""


def acquire(settings: RoadSceneSettings, raw: Path) -> None:
    """Make `raw` contain the two folders: link or unpack the local copy, or fetch the archive."""
    bring(
        raw,
        name="roadscene",
        source=settings.source,
        addresses=settings.addresses,
        sha256=settings.sha256,
        holds=(VISIBLE, THERMAL),
        max_bytes=2 << 30,  # the published archive unpacks to about a tenth of this
    )


def frames(settings: RoadSceneSettings, raw: Path) -> Sequence[Frame]:
    """List every name in either folder, so that missing files are noticed; by number, videos last.

    The folds are of the frames that are there: another copy may have others.

    Raises BadInput if a folder has none, or for an image whose name is not the authors'.
    """
    pairs = image_pairs(
        raw,
        thermal=THERMAL,
        visible=VISIBLE,
        remedy="correct `sources.roadscene.source`, or set it to null to fetch the data",
    )
    found = list(_in_sequences(sorted((_parsed(name), name) for name in pairs), pairs))
    if settings.profile == "blocks":
        return found
    return _folded(found, fold=int(settings.profile.removeprefix("fold_")))


def facts(_settings: RoadSceneSettings, _raw: Path) -> Callable[[str], Facts]:
    """Facts without day or night, which would need the visible image: only that it is a street."""
    return lambda _frame: Facts(time="", scene="a street scene", details=())


def remarks(settings: RoadSceneSettings, table: pd.DataFrame) -> Sequence[str]:
    """List the splits whose numbers of frames differ from the published ones; folds have none."""
    if settings.profile != "blocks":
        return []
    counts = {name: (count, count) for name, count in PUBLISHED.items()}
    return list(odd_counts(table["split"], counts))


def split_of(video: bool, number: int) -> Split:
    """Fixed split by number; FLIR_video_* resemble training images, so they are for training."""
    if video:
        return "train"
    if _within(number, TEST):
        return "test"
    return "validation" if _within(number, VALIDATION) else "train"


def _in_sequences(
    named: Iterable[tuple[tuple[bool, int], str]], pairs: Mapping[str, tuple[str, str]]
) -> Iterable[Frame]:
    """Group frames into sequences: runs of near numbers within one split; the video is one sequence."""
    sequence, last_split, last_number = "", "", -GAP
    for (video, number), frame in named:
        split = split_of(video, number)
        if video:
            sequence = "video"
        elif split != last_split or number > last_number + GAP:
            sequence = f"block_{number:05d}"
        last_split, last_number = split, number
        thermal, visible = pairs[frame]
        yield Frame(
            frame=frame,
            sequence=sequence,
            mount=frame,  # the authors warped every image by itself
            split=split,
            place="",
            time="night" if video or _within(number, NIGHT) else "day",
            thermal=thermal,
            visible=visible,
        )


def _folded(found: Sequence[Frame], *, fold: int) -> list[Frame]:
    """Frames in the splits of one fold.

    Parts are runs of whole sequences in the order of their numbers, so that near duplicates, which have
    near numbers, are seldom parted. FLIR_video_* resemble many images, so they are for training.
    """
    sizes = Counter(one.sequence for one in found if one.sequence != "video")
    part_of, before, whole = {}, 0, sum(sizes.values())
    for sequence, size in sizes.items():
        part_of[sequence] = (2 * before + size) * PARTS // (2 * whole)  # of its middle
        before += size
    tested = {2 * fold - 2, 2 * fold - 1}
    split: dict[int, Split] = dict.fromkeys(tested, "test")
    split[2 * fold % PARTS] = "validation"
    return [replace(one, split=split.get(part_of.get(one.sequence, -1), "train")) for one in found]


def _parsed(name: str) -> tuple[bool, int]:
    found = NAME.fullmatch(name)
    if found is None:
        raise BadInput(
            given=f"{name} is no name of a RoadScene image",
            needed="names like FLIR_00006.jpg and FLIR_video_00069.jpg, which fix the split",
            remedy="remove the file, or restore its name",
        )
    return bool(found[1]), int(found[2])


def _within(number: int, intervals: Iterable[tuple[int, int]]) -> bool:
    return any(first <= number <= last for first, last in intervals)


DATASET = Dataset(
    title="RoadScene",
    citation="H. Xu et al., FusionDN, AAAI 2020; U2Fusion, IEEE TPAMI 44(1), 2022 (online 2020)",
    licence="No licence is published: for research use, not to be redistributed; cut from the "
    "FLIR thermal data set, whose terms apply.",
    note="",
    settings=RoadSceneSettings,
    acquire=acquire,
    frames=frames,
    facts=facts,
    stills=True,
    upscale=True,
    remarks=remarks,
)
