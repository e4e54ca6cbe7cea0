"""Bring a data set to disk in its authors' layout, and list its frames."""

from pathlib import Path

from stages.command import at_root, run
from thermochroma.manifest import FRAME_COLUMNS, write_table
from thermochroma.params import read_params
from thermochroma.preparation.inspect import inspect
from thermochroma.source import load_source


def main(dataset: str, params: Path, raw: Path, frames: Path) -> None:
    """Raw data stay outside DVC's cache; the table of frames, with hashes, is what DVC hashes."""
    source, settings = load_source(dataset), read_params(params).source(dataset)
    if settings.source is not None:
        settings = settings.model_copy(update={"source": str(at_root(settings.source))})
    folder = at_root(raw)
    source.acquire(settings, folder)
    table = inspect(source.frames(settings, folder), folder, on_defect=settings.on_defect)
    write_table(frames, table, FRAME_COLUMNS)


if __name__ == "__main__":
    run(main)
