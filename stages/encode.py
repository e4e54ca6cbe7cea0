"""Encode each distinct caption once, for all methods that see text."""

from pathlib import Path

from stages.command import run
from thermochroma.loading.text import encode_captions, read_captions, save_text
from thermochroma.networks.frozen import TextEncoder


def main(captions: Path, clip: Path, text: Path) -> None:
    """On the processor whatever the machine, so that training and judging read the same numbers."""
    save_text(text, encode_captions(TextEncoder(clip), read_captions(captions)))


if __name__ == "__main__":
    run(main)
