"""The work of `frames`."""

import sys
from argparse import Namespace
from typing import Final

from thermochroma.serving.frames import crops_in, write_frames

SEEN: Final = {"visible": "thermal", "thermal": "visible"}
"""Spectrum that is shown, by the one that is predicted."""


def run(chosen: Namespace) -> None:
    """Write the frames, and the truth where it is asked for."""
    crops = crops_in(chosen.data, chosen.dataset)
    seen = SEEN[chosen.predicts]
    count = write_frames(crops, split=chosen.split, seen=seen, folder=chosen.to, truth=chosen.truth)
    sys.stdout.write(f"{count} {seen} images in {chosen.to}")
    sys.stdout.write(f", the truth in {chosen.truth}\n" if chosen.truth else "\n")
