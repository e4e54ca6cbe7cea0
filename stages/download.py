"""Bring a data set to disk in its authors' layout, and list its frames."""

from stages.command import run
from thermochroma.pipeline.download import download

if __name__ == "__main__":
    run(download)
