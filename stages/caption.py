"""Write one sentence a frame, from what is known without the visible target."""

from stages.command import run
from thermochroma.pipeline.caption import caption

if __name__ == "__main__":
    run(caption)
