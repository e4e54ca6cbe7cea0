"""Score the trivial and oracle rows of one data set, exactly as methods are scored."""

from stages.command import run
from thermochroma.pipeline.baselines import evaluate_baselines

if __name__ == "__main__":
    run(evaluate_baselines)
