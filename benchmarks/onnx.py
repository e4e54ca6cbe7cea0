"""Each translator of a project written as ONNX: how long it takes, how large it is, how near to torch.

What is compared is what `thermochroma export` compares: three sizes, one image or three at once, in one
session of ONNX Runtime; a difference of 0.0078 is one grey level. Seconds are of a processor, comparison
included.

    OMP_NUM_THREADS=1 python -m benchmarks.onnx --runs data/runs/sample --encoder data/weights/clip
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.export.artifact import load_translator
from thermochroma.export.to_onnx import write_onnx
from thermochroma.serving.commands.export import fixed_text

HEAD: Final = (
    "| translator | of the published width | seconds | MB | sizes compared | largest difference |\n"
    "|---|--:|--:|--:|---|--:|\n"
)


def main(runs: Path, encoder: Path) -> None:
    """Print a Markdown table with a row for each translator below `runs`."""
    found = sorted(runs.glob("*/translator.safetensors"))
    if not found:
        raise BadInput(
            given=f"{runs} holds no <name>/translator.safetensors",
            needed="the trained translators of one data set",
            remedy="give another folder with --runs",
        )
    sys.stdout.write(HEAD)
    for path in found:
        sys.stdout.write(row_of(path, encoder))
        sys.stdout.flush()


def row_of(path: Path, encoder: Path) -> str:
    """Write and compare one translator; its row of the table."""
    translator, metadata = load_translator(path)
    text = fixed_text(metadata, sentence=None, encoder=encoder, translator=path)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "translator.onnx"
        begun = time.process_time()
        try:
            _, compared = write_onnx(
                file, translator, metadata, source=path, drawn=False, text=text
            )
        except BadInput as refusal:
            return f"| {path.parent.name} | {metadata.scale:g} | refused: {refusal.given} ||||\n"
        took = time.process_time() - begun
        cells = (
            path.parent.name,
            f"{metadata.scale:g}",
            f"{took:.1f}",
            f"{file.stat().st_size / 1e6:.1f}",
            ", ".join(f"{one.width}×{one.height}" for one in compared),
            f"{max(one.difference for one in compared):.1e}",
        )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    run(main)
