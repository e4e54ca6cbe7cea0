"""Encode each distinct caption once, for all methods that see text, and the policies' sentences."""

from pathlib import Path

from thermochroma.loading.text_features import (
    SAME_FOR_ALL,
    encode_captions,
    read_captions,
    save_text,
)
from thermochroma.networks.clip_text import TextEncoder


def encode(captions: Path, clip: Path, text: Path) -> None:
    """On the processor whatever the machine, so that training and scoring read the same numbers."""
    sentences = read_captions(captions) | SAME_FOR_ALL
    save_text(text, encode_captions(TextEncoder(clip), sentences))
