"""Shards: files of many 8-bit images of one size, each compared with its CRC-32 when it is first read.

A shard is a plain .npy file, which is mapped into memory, with a file of text beside it: the CRC-32 of
each image, one a line. So whatever part of a data set a process reads is checked once, at the cost of one
pass over that part, and no process has to read the whole first.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file, write_text
from thermochroma.base.reading import reading

SUFFIX: Final = ".crc32"
NEEDED: Final = "images as they were written"

Image = UInt8[np.ndarray, "h w *c"]


@contextmanager
def new_shard(path: Path, shape: Sequence[int]) -> Iterator[Callable[[Image], None]]:
    """Give a function that appends one image; the shard appears when the block ends well.

    shape: of all images together. Not memory-mapped, so that a full disk is an error, no crash.
    """
    sums: list[str] = []
    with whole_file(path) as part, part.open("wb") as stream:
        head = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
        np.lib.format.write_array_header_1_0(stream, head)

        def append(image: Image) -> None:
            content = image.tobytes()
            stream.write(content)
            sums.append(f"{zlib.crc32(content):08x}\n")

        yield append
        write_text(path.with_suffix(SUFFIX), "".join(sums))


def write_shard(path: Path, images: Sequence[Image]) -> None:
    """Write a shard of at least one image, whole or not at all."""
    with new_shard(path, (len(images), *images[0].shape)) as append:
        for image in images:
            append(image)


class Shard:
    """The images of one shard, memory-mapped and read-only."""

    def __init__(self, path: Path, *, remedy: str) -> None:
        """Open a shard. Raises BadInput if it is missing, cut, or no shard. remedy: for its user."""
        self.path, self.remedy = path, remedy
        with reading(path, needed=NEEDED, remedy=remedy):
            # A plain array: np.memmap would make a new memmap object for every image taken out of it.
            self.images = np.asarray(np.lib.format.open_memmap(path, mode="r"))
        sums = path.with_suffix(SUFFIX)
        with reading(sums, needed="the CRC-32 of each image", remedy=remedy):
            lines = sums.read_text(encoding="ascii").split()
            self.sums = np.array([int(line, 16) for line in lines], np.uint32)
        if self.images.dtype != np.uint8 or len(self.images) != len(self.sums):
            raise self._refusal(f"{path} and {sums.name} do not fit each other")
        self.is_known = np.zeros(len(self.sums), bool)

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Image]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int | np.integer) -> Image:
        """One image. Raises BadInput if it is not the one that was written."""
        image: Image = self.images[index]
        if not self.is_known[index]:
            if zlib.crc32(np.ascontiguousarray(image).data) != self.sums[index]:
                raise self._refusal(f"{self.path} was changed after it was written (image {index})")
            self.is_known[index] = True
        return image

    def _refusal(self, given: str) -> BadInput:
        return BadInput(given=given, needed=NEEDED, remedy=self.remedy)
