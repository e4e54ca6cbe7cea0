"""KAIST: 95,328 pairs from a car, by day and night, on a campus, on roads and downtown.

Twelve sets of 41 recordings at 20 frames a second; sets 00-05 train, 06-11 test. Papers on
colouring use the day sets, with different numbers of frames: `full_day` has all 33,399 and 29,179,
`paper_counts` as many as CMMF-Net reports (26,387 and 23,925), `s20` every twentieth. The frames that
its authors used are not known, so `paper_counts` means the same counts, not the same frames: the
sound frames are thinned evenly in time. Validation is three whole recordings of the training sets.

The published addresses are said to be dead since 2024, so a local copy is the first choice; small
archives are tried before large ones, so that the result of a download that ends early can be used.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

import pandas as pd
from pydantic import Field
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import usable
from thermochroma.base.reading import reading
from thermochroma.contract.dataset import Box, Dataset, DatasetSettings, Facts, Frame, Split
from thermochroma.data.acquisition import kaist_archives as published
from thermochroma.data.acquisition.archives import bring_archives
from thermochroma.data.acquisition.expected_counts import odd_counts
from thermochroma.data.acquisition.fetch import fetch
from thermochroma.data.acquisition.frame_thinning import every_nth, thin
from thermochroma.data.acquisition.image_pairs import image_pairs
from thermochroma.data.acquisition.kaist_annotations import annotated
from thermochroma.data.acquisition.ledger import Ledger

Time = Literal["day", "night"]

SETS: Final[dict[str, tuple[str, Time, int, tuple[int, ...]]]] = {
    # place, time, frames, fewest frames of each recording: 0 where unknown
    "set00": ("campus", "day", 17498, (2241, 2791, 2501, 1631, 2071, 1531, 1091, 1591, 1991)),
    "set01": ("road", "day", 8035, (2251, 1151, 1401, 1261, 1651, 301)),
    "set02": ("downtown", "day", 7866, (1901, 1861, 1391, 991, 1691)),
    "set03": ("campus", "night", 6668, (0, 0)),
    "set04": ("road", "night", 7200, (0, 0)),
    "set05": ("downtown", "night", 2920, (0,)),
    "set06": ("campus", "day", 12988, (1520, 2680, 1680, 4280, 2800)),
    "set07": ("road", "day", 8141, (2540, 4000, 1580)),
    "set08": ("downtown", "day", 8050, (2560, 2960, 2500)),
    "set09": ("campus", "night", 3500, (0,)),
    "set10": ("road", "night", 8902, (0, 0)),
    "set11": ("downtown", "night", 3560, (0, 0)),
}
"""Facts of each set. Numbers of frames are published; the fewest follow from the published lists of
sampled frames."""
FIRST_TEST: Final = "set06"
VALIDATION: Final = ("set00/V008", "set01/V004", "set02/V003")
PAPER: Final[dict[bool, int]] = {False: 26387, True: 23925}
"""Numbers of frames that CMMF-Net reports: training with validation (False), test (True)."""
LISTED_TESTS: Final = 1455
"""Number of lines of the published list test-day-20."""
EVERY: Final = 20
FIRST: Final = 19
"""Number of the first frame, I00019, in the published lists of every twentieth frame."""
INCOMPLETE: Final = (
    "complete the recording, or remove its folder and set `sources.kaist.allow_partial: true`"
)
SCENES: Final = {
    "campus": "a university campus road with trees and low buildings",
    "road": "a wide urban road with traffic",
    "downtown": "a downtown street with shops and tall buildings",
}


class KaistSettings(DatasetSettings):
    """The block `sources.kaist`."""

    on_defect: Literal["refuse", "drop"] = "drop"  # the authors' files have defects
    image_size: tuple[int, int] | None = (640, 512)
    profile: Literal["paper_counts", "full_day", "s20"] = "paper_counts"
    """Selection of the frames by day; `s20` thins those by night, too."""
    times: tuple[Time, ...] = Field(default=("day",), min_length=1)
    """Times of day of the sets that are read, and fetched."""
    allow_partial: bool = False
    """Whether to use only recordings that `source` or, without one, the raw folder holds; fetches none."""
    base: tuple[str, ...] = published.BASES
    """Addresses of folders that may hold the archives, each with and without `images/`."""
    plain_base: tuple[str, ...] = published.PLAIN
    """Further such addresses by plain HTTP, asked last and only for archives whose MD5 is published; not
    at all with `allow_other_versions`."""
    allow_other_versions: bool = False
    """Whether downloads are used whose MD5 differs from the published list of 2017; each is reported."""
    whole: tuple[str, ...] = published.WHOLE
    """Addresses of one archive of everything, tried when parts are not available."""
    allow_mirror: bool = False
    """Whether to try `mirrors`, too: copies published by others, of unknown completeness."""
    mirrors: tuple[str, ...] = (published.COPY,)
    """Addresses of folders that hold train.zip and test.zip."""


def acquire(settings: KaistSettings, raw: Path) -> None:
    """Make `raw` contain the recordings that the settings select, and annotations if available.

    Raises BadInput if a recording is not in the local copy and cannot be fetched, unless
    `allow_partial` is set.
    """
    if settings.allow_partial and settings.source is None:
        return
    silent: set[str] = set()
    try:
        _bring_recordings(settings, raw, silent)
    except BadInput as problem:
        if not settings.allow_partial:
            raise
        tqdm.write(f"kaist: going on with the recordings that are there: {problem.given}")
    _bring_annotations(settings, raw, silent)


def frames(settings: KaistSettings, raw: Path) -> Sequence[Frame]:
    """List every frame with a file in either folder of a recording, so that missing files are noticed.

    With `s20`, every frame on the published lists, or every twentieth where there are none.
    Raises BadInput if a recording is missing, unless `allow_partial` is set, or if all are; and if a
    folder of a recording holds no image.
    """
    there = [name for name in _wanted(settings) if _is_there(name, raw)]
    _refuse_missing(settings, raw, there)
    return [frame for name in there for frame in _frames_of(settings, raw, name)]


def choose(settings: KaistSettings, table: pd.DataFrame) -> pd.DataFrame:
    """Thin the usable frames by day evenly to the paper's numbers, for `paper_counts` only."""
    if not _thins(settings):
        return table
    for test, target in PAPER.items():
        among = (table["time"] == "day") & ((table["split"] == "test") == test)
        table = thin(table, among, target, f"thinned evenly to {target} frames")
    return table


def remarks(settings: KaistSettings, table: pd.DataFrame) -> Sequence[str]:
    """List differences from the published numbers of frames and from those of the profile."""
    if settings.profile == "s20":
        tests = int(((table["split"] == "test") & (table["time"] == "day")).sum())
        wrong = "day" in settings.times and tests != LISTED_TESTS
        return [f"s20 has {tests} test frames by day, its list {LISTED_TESTS}"] if wrong else []
    short = _short_of_paper(table) if _thins(settings) else ()
    return [*odd_counts(table["sequence"], _known(settings)), *short]


def facts(_settings: KaistSettings, _raw: Path) -> Callable[[str], Facts]:
    """Make a function from frame id to the place and time of its set."""

    def of(frame: str) -> Facts:
        place, time, *_ = SETS[frame.split("/")[0]]
        return Facts(time=time, scene=SCENES[place])

    return of


def boxes(_settings: KaistSettings, raw: Path) -> Callable[[str], Sequence[Box]]:
    """Make a function from frame id to objects: from text files, or from MATLAB files if missing.

    Raises BadInput if there are no annotations at all; the function raises it for a frame without any.
    """
    return annotated(raw, name="kaist")


def _bring_recordings(settings: KaistSettings, raw: Path, silent: set[str]) -> None:
    """Try the ways in turn: recordings, whole sets, everything, copies; the last one's error is raised."""
    wanted, base = _wanted(settings), settings.base
    recordings = published.of_recordings(wanted, base, _plain(settings))
    bring = _bring(settings, raw, silent)
    if settings.source is not None:
        return bring(recordings, source=settings.source)
    copies = raw.with_name(f"{raw.name}.copies")
    ways: list[Callable[[], None]] = [
        lambda: bring(recordings, source=None),
        lambda: bring(published.of_sets(_missing(settings, raw), base), source=None),
        lambda: bring(published.of_everything(base, settings.whole), source=None),
        lambda: bring(recordings, source=str(_copied(settings, raw, copies, silent))),
    ]
    if not settings.allow_mirror:
        del ways[-1]
    elif copies.is_dir():  # the way that succeeded before
        ways.insert(0, ways.pop())
    return published.first_of(ways)


def _bring(settings: KaistSettings, raw: Path, silent: set[str]) -> Callable[..., None]:
    return partial(
        bring_archives,
        raw,
        name="kaist",
        silent_hosts=silent,
        allow_other_versions=settings.allow_other_versions,
    )


def _plain(settings: KaistSettings) -> tuple[str, ...]:
    return () if settings.allow_other_versions else settings.plain_base


def _copied(settings: KaistSettings, raw: Path, copies: Path, silent: set[str]) -> Path:
    """Fetch the archives published by others; return their folder, which is kept as a local copy."""
    for file in ("train.zip", "test.zip"):
        addresses = [f"{base}{file}" for base in settings.mirrors]
        fetch(
            addresses,
            copies / file,
            most_bytes=published.ALL,
            ledger=Ledger.beside(raw, "kaist"),
            silent_hosts=silent,
        )
    return copies


def _bring_annotations(settings: KaistSettings, raw: Path, silent: set[str]) -> None:
    """Acquire annotations and lists of frames; missing ones are only reported."""
    bring, plain = _bring(settings, raw, silent), _plain(settings)
    for files in published.TEXTS:
        for file in files:
            try:
                bring(published.of_texts(file, settings.base, plain), source=settings.source)
                break
            except BadInput as problem:
                tqdm.write(f"kaist: going on without {file}: {problem.given}")


def _thins(settings: KaistSettings) -> bool:
    return settings.profile == "paper_counts" and "day" in settings.times


def _split_of(sequence: str) -> Split:
    if sequence.split("/")[0] >= FIRST_TEST:
        return "test"
    return "validation" if sequence in VALIDATION else "train"


def _wanted(settings: KaistSettings) -> list[str]:
    return [
        f"{name}/V{number:03d}"
        for name, (_, time, _, fewest) in SETS.items()
        if time in settings.times
        for number in range(len(fewest))
    ]


def _is_there(sequence: str, raw: Path) -> bool:
    return (raw / "images" / sequence).is_dir()


def _missing(settings: KaistSettings, raw: Path) -> list[str]:
    return [name for name in _wanted(settings) if not _is_there(name, raw)]


def _frames_of(settings: KaistSettings, raw: Path, sequence: str) -> Iterator[Frame]:
    folder, name = f"images/{sequence}", sequence.split("/")[0]
    place, time, *_ = SETS[name]
    pairs = image_pairs(
        raw, thermal=f"{folder}/lwir", visible=f"{folder}/visible", remedy=INCOMPLETE
    )
    chosen = _listed(raw, sequence, pairs.keys()) if settings.profile == "s20" else pairs
    for stem in sorted(chosen):
        # one on the published list that is not there is missed by the name that it would have
        lost = f"{folder}/lwir/{stem}.jpg", f"{folder}/visible/{stem}.jpg"
        thermal, visible = pairs.get(stem, lost)
        yield Frame(
            frame=f"{sequence}/{stem}",
            sequence=sequence,
            mount=sequence,
            rig=name,
            split=_split_of(sequence),
            place=place,
            time=time,
            thermal=thermal,
            visible=visible,
        )


def _listed(raw: Path, sequence: str, stems: Collection[str]) -> set[str]:
    """Names of a recording's frames on the published list, or every twentieth of `stems`."""
    part = "test" if _split_of(sequence) == "test" else "train"
    path = raw / "imageSets" / f"{part}-all-20.txt"
    if path.is_file():
        with reading(path, needed="a list of frames", remedy="fetch it again, or remove it"):
            text = path.read_text(encoding="utf-8")
        lines = (line.strip() for line in text.splitlines())
        return {line.rpartition("/")[2] for line in lines if line.rpartition("/")[0] == sequence}
    return every_nth(stems, EVERY, FIRST)


def _refuse_missing(settings: KaistSettings, raw: Path, there: Sequence[str]) -> None:
    missing = _missing(settings, raw)
    if missing and not (settings.allow_partial and there):
        also = f" and {len(missing) - 1} more recordings" if len(missing) > 1 else ""
        raise BadInput(
            given=f"{raw} lacks images/{missing[0]}{also} of KAIST",
            needed="folders images/set00/V000/{lwir,visible} for every recording by "
            + " and ".join(settings.times),
            remedy=f"{published.BY_HAND}; or set `sources.kaist.allow_partial: true` to use the "
            "recordings that are there",
        )


def _known(settings: KaistSettings) -> dict[str, tuple[int, int]]:
    """Fewest and most frames of each set and recording of the chosen times."""
    known = {}
    for name, (_, time, count, least) in SETS.items():
        if time in settings.times:
            known[name] = (count, count)
            for number, fewest in enumerate(least):
                sequence = f"{name}/V{number:03d}"
                # the lists of sampled frames step by 20 in the test sets and by 10 in the others
                loose = name >= FIRST_TEST or sequence == "set02/V004"
                known |= {sequence: (fewest, fewest + (19 if loose else 9))} if fewest else {}
    return known


def _short_of_paper(table: pd.DataFrame) -> Iterator[str]:
    used = usable(table)
    for test, target in PAPER.items():
        count = int(((used["time"] == "day") & ((used["split"] == "test") == test)).sum())
        if count < target:
            name = "testing" if test else "training and validation"
            yield f"paper_counts has only {count} sound frames for {name}, the paper {target}"


DATASET = Dataset(
    title="KAIST",
    citation="S. Hwang et al., Multispectral Pedestrian Detection: Benchmark Dataset and Baseline, "
    "CVPR 2015",
    licence="CC BY-NC-SA 4.0: not for commercial use; what is cut from it is under the same licence",
    note="",
    settings=KaistSettings,
    acquire=acquire,
    frames=frames,
    facts=facts,
    stills=False,
    upscale=False,
    boxes=boxes,
    choose=choose,
    remarks=remarks,
)
