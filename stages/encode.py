"""Encode each distinct caption once, for all methods that see text, and what is held against captions."""

from stages.command import run
from thermochroma.pipeline.encode import encode

if __name__ == "__main__":
    run(encode)
