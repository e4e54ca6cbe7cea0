"""The ceiling of one data set: what the truth scores when it is spoilt in known ways."""

from stages.command import run
from thermochroma.pipeline.ceiling import measure_ceiling

if __name__ == "__main__":
    run(measure_ceiling)
