"""Encode each distinct caption once, for all methods that see text, and what is held against captions."""

from pathlib import Path

from stages.command import run
from thermochroma.loading.text import SAME_FOR_ALL, encode_captions, read_captions, save_text
from thermochroma.networks.frozen import TextEncoder


def main(captions: Path, clip: Path, text: Path) -> None:
    """On the processor whatever the machine, so that training and judging read the same numbers."""
    sentences = read_captions(captions) | SAME_FOR_ALL
    save_text(text, encode_captions(TextEncoder(clip), sentences))


if __name__ == "__main__":
    run(main)
