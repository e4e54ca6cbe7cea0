"""Estimate how thermal maps onto visible: one transform a mount, with its quality."""

from stages.command import run
from thermochroma.pipeline.register import register_dataset

if __name__ == "__main__":
    run(register_dataset)
