"""Play one method's game on one data set."""

from stages.command import run
from thermochroma.pipeline.train import train

if __name__ == "__main__":
    run(train)
