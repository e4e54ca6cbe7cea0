"""Pairing of the images in two folders whose files are named alike, as most authors publish them."""

from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import IMAGE_SUFFIXES, image_of_each


def image_pairs(
    raw: Path, *, thermal: str, visible: str, remedy: str
) -> dict[str, tuple[str, str]]:
    """Find the thermal and visible path of each frame, below `raw`, by the frame's name, in order.

    thermal, visible: the two folders, as paths below `raw`. Suffixes may differ. A name in either folder
    is a frame: a missing twin gets the name that it would have, so that the inspection misses it.
    remedy: for a folder without images. Raises BadInput for such a folder, for two files of one frame,
    and for a name that is no UTF-8.
    """
    warm, seen = (_images(raw / folder, remedy) for folder in (thermal, visible))
    return {
        name: (
            f"{thermal}/{warm.get(name) or seen[name]}",
            f"{visible}/{seen.get(name) or warm[name]}",
        )
        for name in sorted(warm.keys() | seen.keys())
    }


def _images(folder: Path, remedy: str) -> dict[str, str]:
    found = image_of_each(folder)
    if not found:
        state = "holds no image" if folder.is_dir() else "does not exist"
        raise BadInput(
            given=f"the folder {folder} {state}",
            needed=f"images in it ({', '.join(IMAGE_SUFFIXES)}, in any case)",
            remedy=remedy,
        )
    return found
