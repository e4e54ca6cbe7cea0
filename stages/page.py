"""One page for all data sets: who wins, by how much, whether that is real, and what it looks like."""

from stages.command import run
from thermochroma.pipeline.page import build_page

if __name__ == "__main__":
    run(build_page)
