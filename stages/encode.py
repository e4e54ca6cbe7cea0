"""Encode each distinct caption once, for all methods that see text, and the policies' sentences."""

from pathlib import Path

from stages.command import run
from thermochroma.pipeline.encode import encode


def main(
    captions: Path,
    clip: Path,
    text: Path,
) -> None:
    """Encode each distinct caption once, for all methods that see text, and the policies' sentences."""
    encode(captions, clip, text)


if __name__ == "__main__":
    run(main)
