"""Text features for the methods that see text."""

from pathlib import Path

from thermochroma.loading.assemble import needs_text
from thermochroma.loading.text import TextTable, encode_captions, read_captions
from thermochroma.networks.frozen import TextEncoder


def read_text(sees: type, captions: Path, encoder: Path) -> TextTable | None:
    """The features of all captions, or None for a method that sees no text."""
    if not needs_text(sees):
        return None
    return encode_captions(TextEncoder(encoder), read_captions(captions))
