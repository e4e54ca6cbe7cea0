"""Names of the splits; the command line reads them, so nothing heavy is imported here."""

from typing import Final

SPLITS: Final = ("train", "validation", "test")
SCORED_SPLITS: Final = ("validation", "test")
