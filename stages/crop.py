"""Cut windows out of the field that both cameras see, in one interpolation from the raw pictures."""

import os
from pathlib import Path

from stages.command import at_root, run
from thermochroma.files import write_text
from thermochroma.loading.crops import MANIFEST
from thermochroma.manifest import CROP_COLUMNS, FRAME_COLUMNS, read_table, write_table
from thermochroma.params import read_params
from thermochroma.preparation.cropping import crop_all, fingerprint_shards, refuse_too_small
from thermochroma.preparation.transforms import TRANSFORM_COLUMNS, matrices
from thermochroma.source import load_source


def main(
    dataset: str, params: Path, frames: Path, registered: Path, raw: Path, crops: Path
) -> None:
    """Shards, the manifest that says what is in them and why not, and the shards' fingerprint."""
    source, settings = load_source(dataset), read_params(params)
    cut = settings.crop[dataset]
    plan = crop_all(
        read_table(frames, FRAME_COLUMNS),
        matrices(read_table(registered / "transforms.csv", TRANSFORM_COLUMNS)),
        raw=at_root(raw),
        folder=crops,
        size=cut.size,
        clip_frames=cut.clip_frames,
        upscale=source.upscale,
        seed=settings.seed,
        workers=os.cpu_count() or 1,
    )
    if settings.source(dataset).on_defect == "refuse":
        refuse_too_small(plan, size=cut.size, dataset=dataset)
    write_table(crops / MANIFEST, plan, CROP_COLUMNS)
    write_text(crops / "fingerprint.txt", fingerprint_shards(crops))


if __name__ == "__main__":
    run(main)
