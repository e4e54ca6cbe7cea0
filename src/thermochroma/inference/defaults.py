"""Values that hold unless others are given; the command line tells them, so nothing heavy is imported."""

from typing import Final

NEUTRAL: Final = "a thermal infrared image of a street scene"
"""Sentence for a method that sees text."""
WHOLE: Final = 1 << 22
"""Pixels of the largest image that is translated in one piece unless it is asked for: with one to 2.5
kilobytes a pixel it takes 4 to 10 GB."""
TILE: Final = 1024
"""Side of the tiles of larger images."""
BATCH: Final = 16
"""Images that a GPU takes at once, at most. A processor takes one: several gain little there, and may be
rounded otherwise."""
