"""Names of the image files that stand for frames outside of this project."""

from collections.abc import Iterable

from thermochroma.base.errors import BadInput

SUFFIX = ".png"


def file_names(frames: Iterable[str]) -> dict[str, str]:
    """Name each frame's PNG: a slash of the frame's own name becomes two underscores.

    Raises BadInput if two frames would have one name.
    """
    names: dict[str, str] = {}
    frame_of: dict[str, str] = {}
    for frame in frames:
        names[frame] = f"{frame.replace('/', '__')}{SUFFIX}"
        other = frame_of.setdefault(names[frame], frame)
        if other != frame:
            raise BadInput(
                given=f"the frames {other} and {frame} would both be {names[frame]}",
                needed="one name of a file for each frame",
                remedy="rename one of them in the data set, and run `dvc repro`",
            )
    return names
