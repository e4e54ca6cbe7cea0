"""The work of `publish`."""

import sys
from argparse import Namespace
from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.export.archive import CARD, pack
from thermochroma.serving.models import PACKAGED, file_of


def run(chosen: Namespace) -> None:
    """Write the archive; print its SHA-256 and how it is used."""
    if chosen.to.suffix.lower() != ".zip":
        raise BadInput(
            given=f"`--to {chosen.to}`", needed="a name that ends in .zip", remedy="write NAME.zip"
        )
    if chosen.to.exists():
        raise BadInput(
            given=f"{chosen.to} is there already",
            needed="a new name: what is published under one stays as it is",
            remedy="give another name with --to, or remove the file",
        )
    translator = file_of(chosen.translator, chosen.data)
    pack(translator, chosen.card or card_of(translator), chosen.to, onnx=chosen.onnx)
    digits = sha256(chosen.to)
    sys.stdout.write(
        f"{chosen.to}: {chosen.to.stat().st_size:,} bytes, SHA-256 {digits}\n"
        f"thermochroma translate '{chosen.to}#sha256={digits}' IMAGES --to FOLDER\n"
    )


def card_of(translator: Path) -> Path:
    """Place of the card in the project whose training left the translator; the starter's lies beside it.

    Raises BadInput if the translator does not lie in a project's folder of runs.
    """
    if translator == PACKAGED:
        return PACKAGED.with_name(CARD)
    path = translator.absolute()
    name, dataset = path.parent.name, path.parent.parent.name
    root = path.parents[4] if len(path.parents) > 4 else path.parent
    if path.parent != root / "data/runs" / dataset / name:
        raise BadInput(
            given=f"{translator} lies in no project's data/runs/<data set>/<name>",
            needed="the model card that belongs to it",
            remedy="name its card with --card",
        )
    return root / "reports" / dataset / "cards" / f"{name}.md"
