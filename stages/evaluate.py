"""Score one translator: score every held-out image, keep a panel, measure the cost."""

from stages.command import run
from thermochroma.pipeline.evaluate import evaluate

if __name__ == "__main__":
    run(evaluate)
