"""Files of images in a folder, found by their names: one list of suffixes for all who look for images."""

from collections.abc import Iterable
from os import scandir
from pathlib import Path, PurePath
from typing import Final

from thermochroma.base.errors import BadInput

IMAGE_SUFFIXES: Final = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp"),
    *(".webp", ".gif", ".jp2", ".pgm", ".ppm", ".pnm"),
)
"""Suffixes of the formats that are read, in lower case; names may have them in any case."""


def names_image(path: PurePath) -> bool:
    """Whether a file is an image by its name: a known suffix, and not hidden.

    Hidden are names with a dot in front, among them the `._` files in which macOS keeps what other disks
    cannot. Files such as Thumbs.db have no suffix of an image.
    """
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def image_files(folder: Path) -> list[Path]:
    """List the images directly in `folder`, in the order of their names; none if there is no folder.

    A link that leads nowhere is listed, so that whoever reads it says so. Raises BadInput for a name
    that no table of text can hold.
    """
    if not folder.is_dir():
        return []
    with scandir(folder) as entries:
        found = [
            folder / entry.name
            for entry in entries
            if names_image(PurePath(entry.name))
            and (entry.is_file() or (entry.is_symlink() and not entry.is_dir()))
        ]
    refuse_unwritable(path.name for path in found)
    return sorted(found)


def image_of_each(folder: Path) -> dict[str, str]:
    """Names of the images in `folder`, by the name without its suffix, in order.

    Raises BadInput for two images that differ in nothing but the suffix: only one of them can be meant.
    """
    named: dict[str, str] = {}
    for path in image_files(folder):
        other = named.setdefault(path.stem, path.name)
        if other != path.name:
            raise BadInput(
                given=f"{folder} has two images of one name: {other} and {path.name}",
                needed="one file for each image",
                remedy="remove one of them, or give it another name",
            )
    return named


def refuse_unwritable(names: Iterable[str]) -> None:
    """Raise BadInput for the first name whose bytes are no UTF-8: no table of text can hold it."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise BadInput(
                given=f"the bytes of a file's name are no UTF-8: {name!a}",
                needed="names in UTF-8, which tables and reports can hold",
                remedy="rename the file, or its folder",
            ) from None
