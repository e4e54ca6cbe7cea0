"""The tables and the figures of one data set."""

from stages.command import run
from thermochroma.pipeline.compare import compare

if __name__ == "__main__":
    run(compare)
