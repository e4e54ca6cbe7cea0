"""Judge the trivial and oracle rows of one data set, exactly as methods are judged."""

from stages.command import run
from thermochroma.pipeline.baselines import score_baselines

if __name__ == "__main__":
    run(score_baselines)
