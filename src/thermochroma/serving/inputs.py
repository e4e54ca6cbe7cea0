"""Images and videos that a call names: by their paths, by folders, by patterns."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import IMAGE_SUFFIXES, image_files, refuse_unwritable
from thermochroma.serving.video_files import is_video, names_video

TOP: Final = PurePath()


@dataclass(frozen=True)
class Input:
    """An image or a video. place: the folder of its translation, beneath the one for all."""

    path: Path
    place: PurePath = TOP


def inputs_in(given: Sequence[Path], *, recursive: bool = False, to: Path) -> list[Input]:
    """List the given files, what matches patterns, and images and videos in folders, by their names.

    recursive: folders inside folders too; their tree is kept. Hidden folders, links to folders and `to`,
    where earlier translations lie, are left out of it. A file that is given twice counts once.
    Raises BadInput for a path that does not exist, for a pattern that nothing matches, if there is no
    image, and for two whose translations would have one name.
    """
    found: dict[Input, None] = {}
    for path in (one for several in given for one in _matching(several)):
        if path.is_dir():
            found |= dict.fromkeys(_inside(path, recursive, to.resolve()))
        elif path.is_file():
            found[Input(path)] = None
        else:
            raise BadInput(
                given=f"{path} does not exist",
                needed="images, or folders that hold some",
                remedy="correct the path",
            )
    if not found:
        deeper = "" if recursive else "; --recursive looks into folders inside folders too"
        raise BadInput(
            given="there is no image to translate",
            needed=f"images, by their names ({', '.join(IMAGE_SUFFIXES)}), or videos{deeper}",
            remedy="name others",
        )
    _refuse_one_name(found)
    return list(found)


def _matching(path: Path) -> list[Path]:
    """A path itself or, for a pattern that is no file's name, what matches it."""
    pattern = str(path)
    if path.exists() or not glob.has_magic(pattern):
        return [path]
    # Path.glob would find hidden files too
    found = sorted(map(Path, glob.glob(pattern, recursive=True)))  # noqa: PTH207
    if not found:
        raise BadInput(
            given=f"no file matches the pattern {pattern}",
            needed="a pattern of images, videos or folders, such as 'flight_*/*.png'",
            remedy="correct it, or give the folder",
        )
    return found


def _inside(folder: Path, recursive: bool, to: Path) -> Iterator[Input]:
    for root, names, _ in os.walk(folder, onerror=_raise):
        here = Path(root)
        videos = [one for one in here.iterdir() if names_video(one) and one.is_file()]
        refuse_unwritable(one.name for one in videos)
        for path in sorted([*image_files(here), *videos]):
            yield Input(path, PurePath(os.path.relpath(here, folder)))
        names[:] = sorted(
            one for one in names if one[0] != "." and recursive and (here / one).resolve() != to
        )
        refuse_unwritable(names)


def _raise(problem: OSError) -> None:
    raise problem


def _refuse_one_name(inputs: dict[Input, None]) -> None:
    """Raise BadInput for two images, or two videos, whose translations would be one file."""
    named: dict[tuple[PurePath, bool], Path] = {}
    for one in inputs:
        name = one.place / one.path.stem
        other = named.setdefault((name, is_video(one.path)), one.path)
        if other != one.path:
            raise BadInput(
                given=f"two images are called {name}: {other} and {one.path}",
                needed="images whose translations have names of their own",
                remedy="name others, or translate them into different folders; --recursive keeps the tree "
                "of a folder",
            )
