"""Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""

from stages.command import run
from thermochroma.pipeline.track import track

if __name__ == "__main__":
    run(track)
