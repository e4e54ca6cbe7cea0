"""Text features for the methods that see text."""

from pathlib import Path

import pandas as pd

from thermochroma.loading.assemble import needs_text
from thermochroma.loading.text import TextTable, encode_captions
from thermochroma.networks.frozen import TextEncoder
from thermochroma.preparation.captions import CAPTION_COLUMNS


def read_text(sees: type, captions: Path, encoder: Path) -> TextTable | None:
    """The features of all captions, or None for a method that sees no text."""
    if not needs_text(sees):
        return None
    table = pd.read_csv(captions, dtype=CAPTION_COLUMNS, keep_default_na=False)
    return encode_captions(
        TextEncoder(encoder), dict(zip(table["frame"], table["text"], strict=True))
    )
