"""Cut windows out of the field that both cameras see, in one interpolation from the raw images."""

from stages.command import run
from thermochroma.pipeline.crop import crop

if __name__ == "__main__":
    run(crop)
