"""The work of `import-weights`."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.config.params import read_params
from thermochroma.contract.method import load_method
from thermochroma.export.artifact import build_translator, save_translator
from thermochroma.export.metadata import Metadata, read_metadata
from thermochroma.pretrained.authors_checkpoints import (
    entries_of,
    in_public_form,
    load_public,
    read_checkpoint,
)
from thermochroma.serving.blocks import settings_in

SIDE: Final = 256  # pixels: of the images that the public networks were trained on


def run(chosen: Namespace) -> None:
    """Write the translator; print what landed in it and what was left out."""
    settings = settings_in(read_params(chosen.params), chosen.block)
    entries = entries_of(settings.method)
    settings = in_public_form(settings)
    _refuse_foreign_file(chosen.translator)
    stored = read_checkpoint(chosen.checkpoint, entries)
    method = load_method(settings.method)
    translator = build_translator(method, settings, scale=1.0, text_width=0)
    dropped = load_public(translator, stored, entries)
    metadata = Metadata(
        name=chosen.block,
        settings=json.loads(settings.model_dump_json()),
        scale=1.0,
        text_width=0,
        trained_on=f"imported from {chosen.checkpoint.name}",
        side=SIDE,
        frozen="the authors' own",
        images=None,
    )
    save_translator(translator, chosen.translator, metadata)
    landed = sum(bool(entry.ours) for entry in entries)
    sys.stdout.write(
        f"{chosen.translator}: {landed} of {len(entries)} entries; "
        f"{len(entries) - landed} that our network does not need\n"
    )
    if dropped:
        sys.stdout.write(
            f"left out, as the authors' own loader does: {len(dropped)} running statistics of norms "
            f"that keep none ({dropped[0]}, …)\n"
        )


def _refuse_foreign_file(path: Path) -> None:
    """Raise BadInput for a file in the way that is no translator: it is somebody else's."""
    if path.exists():
        try:
            read_metadata(path)
        except BadInput as error:
            raise BadInput(
                given=f"{path} exists and is no translator of ours",
                needed="a new name, or that of a translator to write anew",
                remedy="name another file, or remove this one yourself",
            ) from error
