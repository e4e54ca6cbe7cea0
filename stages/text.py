"""Text features for the methods that see text."""

from pathlib import Path

from thermochroma.loading.assemble import needs_text
from thermochroma.loading.text import TextTable, load_text


def read_text(sees: type, text: Path) -> TextTable | None:
    """The features of all captions, or None for a method that sees no text."""
    return load_text(text) if needs_text(sees) else None
