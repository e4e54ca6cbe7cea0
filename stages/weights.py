"""Bring the frozen networks to disk: for perceptual terms, for text, and for scores of perception."""

from stages.command import run
from thermochroma.pipeline.weights import write_frozen

if __name__ == "__main__":
    run(write_frozen)
