"""MSRS: 1,444 aligned pairs of road scenes, 715 by day and 729 by night, from the MFNet videos.

The thermal images' contrast was enhanced by the authors. Their test images are about every fourth of
the numbers 1 to 1569, among the training ones. Neighbouring numbers of a video often show one street,
so such a split measures memory. Therefore by default whole blocks of numbers are held out (`blocks`),
in whichever folder they are; `authors` keeps the split of published tables.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import Dataset, DatasetSettings, Facts, Frame, Sha256, Split
from thermochroma.data.acquisition.expected_counts import odd_counts
from thermochroma.data.acquisition.image_pairs import image_pairs
from thermochroma.data.acquisition.local import bring

COMMIT: Final = "5fa66e33c5ba875eec4de4f5a5bf609bdcc566c5"
"""A state of the authors' repository: the one that a public reproduction of SIBA (in Jittor) checks out."""
ARCHIVE: Final = f"https://github.com/Linfeng-Tang/MSRS/archive/{COMMIT}.zip"
FOLDERS: Final = ("train/ir", "train/vi", "test/ir", "test/vi")
NAME: Final = re.compile(r"(\d{5})([DN])")
TIMES: Final = {"D": "day", "N": "night"}
PUBLISHED: Final = {"train": 1083, "test": 361}

BLOCK: Final = 50
"""Size of a block of numbers. Of ten blocks, two are for testing and one for validation."""
TEST: Final = (2, 7)
VALIDATION: Final = (5,)


class MsrsSettings(DatasetSettings):
    """The block `sources.msrs`."""

    image_size: tuple[int, int] | None = (640, 480)
    profile: Literal["blocks", "authors"] = "blocks"
    addresses: tuple[str, ...] = (ARCHIVE,)
    """Addresses of the archive, tried in this order when `source` is null."""
    sha256: Sha256 | None = None
    """Checksum of the archive at `addresses`, such as the report of a download tells; null takes any."""


def acquire(settings: MsrsSettings, raw: Path) -> None:
    """Make `raw` contain the four folders: link or unpack the local copy, or fetch the archive."""
    bring(
        raw,
        name="msrs",
        source=settings.source,
        addresses=settings.addresses,
        sha256=settings.sha256,
        holds=FOLDERS,
        max_bytes=4 << 30,
    )


def frames(settings: MsrsSettings, raw: Path) -> Sequence[Frame]:
    """List every name in a folder of either spectrum, so that missing files are noticed; by number.

    Raises BadInput if a folder has none, or for an image whose name is not the authors'.
    """
    remedy = "correct `sources.msrs.source`, or set it to null to fetch the data"
    pairs = {
        (name, part): pair
        for part in PUBLISHED
        for name, pair in image_pairs(
            raw, thermal=f"{part}/ir", visible=f"{part}/vi", remedy=remedy
        ).items()
    }
    return [_frame(settings, name, part, *pair) for (name, part), pair in sorted(pairs.items())]


def facts(_settings: MsrsSettings, _raw: Path) -> Callable[[str], Facts]:
    """Make a function from frame id to the time of day, which is in the name."""
    return lambda frame: Facts(time=TIMES[frame[-1]], scene="a street scene")


def remarks(_settings: MsrsSettings, table: pd.DataFrame) -> Sequence[str]:
    """List the folders whose numbers of frames differ from the published ones."""
    parts = table["thermal"].str.split("/").str[0]
    return list(odd_counts(parts, {name: (count, count) for name, count in PUBLISHED.items()}))


def _frame(settings: MsrsSettings, name: str, part: str, thermal: str, visible: str) -> Frame:
    number, letter = _parsed(name)
    block = number // BLOCK
    by_blocks = settings.profile == "blocks"
    return Frame(
        frame=name,
        sequence=f"block_{block:02d}" if by_blocks else f"{part}/block_{block:02d}",
        mount=name,  # aligned by the authors, image by image
        split=_split_of(block, test=block % 10 in TEST if by_blocks else part == "test"),
        place="",
        time=TIMES[letter],
        thermal=thermal,
        visible=visible,
    )


def _split_of(block: int, *, test: bool) -> Split:
    if test:
        return "test"
    return "validation" if block % 10 in VALIDATION else "train"


def _parsed(name: str) -> tuple[int, str]:
    found = NAME.fullmatch(name)
    if found is None:
        raise BadInput(
            given=f"{name} is no name of an MSRS image",
            needed="names like 00001D.png and 00003N.png, for day and night",
            remedy="remove the file, or restore its name",
        )
    return int(found[1]), found[2]


DATASET = Dataset(
    title="MSRS",
    citation="L. Tang et al., PIAFusion, Information Fusion 83-84, 2022; images from MFNet (Ha et "
    "al., IROS 2017)",
    licence="No licence is published: for research use",
    note="",
    settings=MsrsSettings,
    acquire=acquire,
    frames=frames,
    facts=facts,
    stills=True,
    upscale=False,
    remarks=remarks,
)
