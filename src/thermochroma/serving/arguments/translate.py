"""Arguments of `translate`."""

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from thermochroma.inference.defaults import BATCH, NEUTRAL, TILE, WHOLE
from thermochroma.serving.arguments.project import add_data

TEXT: Final = (
    "Colour thermal images, or turn visible ones into thermal, with a trained translator. A bad image "
    "does not stop the others: all that failed are listed at the end, with status 1."
)
TONES: Final = "'auto', 'percentile 1', 'window 7000 9000', 'clahe 7000 9000' or 'temperature 0 40'"
"""Forms of `--tone`."""
CODECS: Final = ("h264", "h265", "vp9", "av1", "ffv1")
"""Names that `--codec` takes, the usual one first."""

POLARITIES: Final = ("guess", "white-hot", "black-hot")
"""Names that `--polarity` takes, the usual one first."""


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument(
        "translator",
        help="a name that `thermochroma models` lists, a translator.safetensors, an ONNX file of "
        "`thermochroma export`, or an archive of `thermochroma publish`: its path or its address, with "
        "#sha256= and its digits behind it",
    )
    images = command.add_argument(
        "images",
        type=Path,
        nargs="+",
        default=[],
        help="images, videos, folders of them, or patterns such as 'flight_*/*.png'",
    )
    command.add_argument(
        "--to", type=Path, required=True, help="the folder for the translated images"
    )
    command.add_argument(
        "--recursive",
        action="store_true",
        help="also folders inside folders; their tree is kept in --to",
    )
    add_data(command)
    command.add_argument(
        "--runtime",
        choices=("torch", "onnx"),
        help="the library that computes: without it the one that the file is for, and torch for an "
        "archive; onnx needs no torch",
    )
    _add_inputs(command)
    command.add_argument(
        "--sharpness",
        type=float,
        help="for methods with degrees of it: 0, the least error (so without the option), to 1",
    )
    command.add_argument(
        "--tone", default="", help=f"for more than 8 bits, one mapping for all images: {TONES}"
    )
    command.add_argument(
        "--batch",
        type=int,
        metavar="N",
        help="how many images of one size go through the network at once, at most; without it "
        f"{BATCH} on a GPU, 1 on a processor",
    )
    _add_looks(command)
    _add_tiling(command)
    _add_videos(command, images)
    command.add_argument("--page", type=int, help="for files of several pages or frames, from 1")
    command.add_argument(
        "--again",
        action="store_true",
        help="translate also what is there already, made of the same",
    )


class _Instead(Action):
    """An option with which other arguments may be left out. (`*` would take none of those behind it.)"""

    def __init__(
        self, option_strings: Sequence[str], dest: str, *, other: Action, **how: Any
    ) -> None:
        super().__init__(option_strings, dest, **how)
        self.other = other

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None
    ) -> None:
        """Keep the value, and ask for the others no longer."""
        setattr(namespace, self.dest, values)
        self.other.required = False


def _add_inputs(command: ArgumentParser) -> None:
    command.add_argument(
        "--sentence", help=f"for methods that read, one for all images; so without it: {NEUTRAL!r}"
    )
    command.add_argument(
        "--text",
        type=Path,
        help="folder of their text encoder; without it weights/clip below --data",
    )
    command.add_argument(
        "--reference",
        type=Path,
        help="for methods with references: a visible image, for its colours",
    )


def _add_looks(command: ArgumentParser) -> None:
    command.add_argument(
        "--polarity",
        choices=POLARITIES,
        default=POLARITIES[0],
        help="black-hot: hot things are dark in the images, which are negated first; without the option "
        "they are taken as they are, with a warning if most look black-hot",
    )
    command.add_argument(
        "--side-by-side",
        action="store_true",
        help="write what the translator sees to the left of what it gives",
    )


def _add_videos(command: ArgumentParser, images: Action) -> None:
    command.add_argument(
        "--codec",
        choices=CODECS,
        default=CODECS[0],
        help="of videos; without it %(default)s; ffv1 loses nothing",
    )
    command.add_argument(
        "--steady",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of videos: less flicker, by this share of the former image in the next, along the motion: "
        "0, none of it (so without the option), to below 1; 0.8 is much",
    )
    command.add_argument(
        "--camera",
        action=_Instead,
        other=images,
        help="record this camera instead, until Ctrl-C: its number, or FFmpeg's FORMAT:NAME of it",
    )
    command.add_argument("--seconds", type=float, help="length of the recording of a camera")


def _add_tiling(command: ArgumentParser) -> None:
    command.add_argument(
        "--tile",
        type=int,
        help=f"side of the tiles that larger images are divided into; 0: none; without it {TILE} above "
        f"{WHOLE / 1e6:.1f} megapixels",
    )
    command.add_argument(
        "--overlap",
        type=int,
        help="pixels in which tiles are blended; without it an eighth of them",
    )
    command.add_argument(
        "--tiles-alone",
        action="store_true",
        help="let each tile keep the colours that it gets by itself; without it tiles take over those of "
        "the whole image, which is translated scaled down first, where that makes them agree",
    )
