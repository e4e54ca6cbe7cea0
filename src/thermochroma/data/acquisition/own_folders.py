"""A user's own two folders of images: linked, never copied or changed, and paired by name."""

import os
from collections.abc import Mapping
from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import IMAGE_SUFFIXES, image_of_each
from thermochroma.base.natural_order import natural
from thermochroma.base.project import at_root
from thermochroma.data.acquisition.local import link_to, refuse_removal

SPECTRA = ("thermal", "visible")


def link_folders(raw: Path, folders: Mapping[str, str], *, name: str) -> None:
    """Make `raw` a folder with a link to each of the two folders, by its spectrum.

    folders: paths as the user wrote them, relative to the project. name: the data set's key under
    `sources:`, for the messages. Raises BadInput for a folder that does not exist, two that overlap, and
    for something at `raw` that a person has put there.
    """
    places = {
        spectrum: _place(path, f"sources.{name}.{spectrum}") for spectrum, path in folders.items()
    }
    _refuse_overlap(*places.values(), name=name)
    for spectrum, place in places.items():
        link = raw / spectrum
        if raw.is_symlink() or (link.exists() and not link.is_symlink()):
            refuse_removal(raw, name)
        if not link.is_symlink() or link.resolve() != place:
            link_to(place, beside=link).replace(link)


def pair_by_name(raw: Path, *, name: str) -> dict[str, tuple[str, str]]:
    """Find the thermal and visible path of each pair, below `raw`, by its name, in natural order.

    A pair's name is its path inside the folders without the suffix, which may differ. A name in either
    folder is a pair: a missing twin gets the name that it would have, so that the inspection misses it.
    Raises BadInput for a folder without images, for two files of one name, and if no name is in both.
    """
    warm, seen = (_images(raw, spectrum, name) for spectrum in SPECTRA)
    if not warm.keys() & seen.keys():
        raise BadInput(
            given=f"no image of `sources.{name}.thermal` has the name of one of `sources.{name}.visible` "
            f"(the first are {next(iter(warm.values()))} and {next(iter(seen.values()))})",
            needed="two images of one name for each pair, in the same subfolder if there are any; "
            "suffixes may differ",
            remedy="rename the files of one folder",
        )
    return {
        each: (
            f"thermal/{warm.get(each) or seen[each]}",
            f"visible/{seen.get(each) or warm[each]}",
        )
        for each in sorted(warm.keys() | seen.keys(), key=_order)
    }


def subfolder_of(pair: str) -> str:
    """The subfolder in which a pair lies, "" for none."""
    return pair.rpartition("/")[0]


def _order(pair: str) -> tuple[tuple[tuple[str, int], ...], ...]:
    """Key that keeps the pairs of a subfolder together, in natural order."""
    return natural(subfolder_of(pair)), natural(pair)


def _place(path: str, key: str) -> Path:
    place = at_root(path)
    if not place.is_dir():
        raise BadInput(
            given=f"`{key}` is {path!r}, and there is no such folder",
            needed="a folder of images, from the root of the disk or from the project's folder",
            remedy=f"correct `{key}` in params.yaml",
        )
    return place.resolve()


def _refuse_overlap(thermal: Path, visible: Path, *, name: str) -> None:
    if thermal == visible or thermal in visible.parents or visible in thermal.parents:
        raise BadInput(
            given=f"`sources.{name}` has {thermal} for thermal and {visible} for visible images",
            needed="two folders, neither inside the other: all images below a folder are read",
            remedy="move one of them, or correct the paths in params.yaml",
        )


def _images(raw: Path, spectrum: str, name: str) -> dict[str, str]:
    """Paths of all images below the folder of a spectrum, by the same path without its suffix."""
    top, found = raw / spectrum, dict[str, str]()
    for folder, below, _ in os.walk(top):
        below[:] = sorted(one for one in below if not one.startswith("."))
        inside = Path(folder).relative_to(top)
        for stem, file in image_of_each(Path(folder)).items():
            found[(inside / stem).as_posix()] = (inside / file).as_posix()
    if not found:
        raise BadInput(
            given=f"the folder {top.resolve()} holds no image",
            needed=f"images in it or in its subfolders ({', '.join(IMAGE_SUFFIXES)}, in any case)",
            remedy=f"correct `sources.{name}.{spectrum}` in params.yaml",
        )
    return found
