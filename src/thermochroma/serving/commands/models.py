"""The work of `models`."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.serving.models import FOR_TRYING, Model, known_in, read_model

HEAD: Final = ("name", "title", "direction", "MB", "images shown", "test PSNR", "file")


def run(chosen: Namespace) -> None:
    """Print a line a translator; damaged ones are named behind them, with status 1."""
    models, faults = [], []
    for name, path in known_in(chosen.data).items():
        try:
            models.append(read_model(name, path, chosen.data))
        except BadInput as fault:
            faults.append(f"  {name}: {fault}")
    sys.stdout.write(_table(models))
    if faults:
        sys.exit("\n".join(["thermochroma: not listed, for they cannot be read:", *faults]))


def _table(models: Sequence[Model]) -> str:
    rows = [HEAD, *map(_row, models)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _row(model: Model) -> tuple[str, ...]:
    return (
        model.name,
        model.title + (f" ({FOR_TRYING})" if model.is_drawn else ""),
        model.direction,
        f"{model.megabytes:.1f}",
        "" if model.images is None else f"{model.images:,}",
        "" if model.psnr is None else f"{model.psnr:.2f} dB",
        str(model.path),
    )
