"""The command `thermochroma`: tasks that a person starts by hand, outside the pipeline."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from torch._subclasses.fake_tensor import FakeTensorMode
from tqdm import tqdm

from thermochroma.base.device import find_device
from thermochroma.base.endings import one_sentence
from thermochroma.base.errors import BadInput
from thermochroma.base.memory import within_memory
from thermochroma.config.params import Params, read_params
from thermochroma.contract.dummy_input import dummy_input
from thermochroma.contract.method import load_method
from thermochroma.contract.settings import Settings
from thermochroma.export.artifact import build_translator, save_translator
from thermochroma.export.metadata import Metadata, read_metadata
from thermochroma.inference.predictor import NEUTRAL
from thermochroma.inference.tiles import TILE, WHOLE, Tiling
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pretrained.authors_checkpoints import (
    entries_of,
    in_public_form,
    load_public,
    read_checkpoint,
)
from thermochroma.serving.diagram import draw
from thermochroma.serving.outside import add_frames, add_score
from thermochroma.serving.parameter_table import TEXT_WIDTH, parameter_table
from thermochroma.serving.tones import FORMS, mapping_for, parse_tone
from thermochroma.serving.translate import InferenceOptions, Outcome, images_in, translate_files
from thermochroma.serving.verify import verify

SIDE = 256  # pixels: of the images that the public networks were trained on


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exit with one sentence and status 1 for an error that a user can correct."""
    chosen = _parser().parse_args(arguments)
    with one_sentence(again="run the command again"):
        chosen.do(chosen)


def import_weights(chosen: Namespace) -> None:
    """Convert a public checkpoint into a translator file that every stage here can use."""
    settings = _settings(read_params(chosen.params), chosen.block)
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


def translate(chosen: Namespace) -> None:
    """Colour thermal images, or turn visible ones into thermal, with a trained translator.

    A bad image does not stop the others: all that failed are listed at the end, with status 1.
    """
    images = images_in(chosen.images)
    asked = parse_tone(chosen.tone)
    tone = mapping_for(images, asked, page=chosen.page)
    if tone is not None and tone != asked:
        sys.stdout.write(f"--tone '{tone}': the one mapping for all images; give it to repeat it\n")
    options = InferenceOptions(
        chosen.text,
        chosen.sentence,
        chosen.reference,
        tone,
        chosen.page,
        chosen.sharpness,
        Tiling(chosen.tile, chosen.overlap),
    )
    outcomes: list[Outcome] = []
    written = translate_files(chosen.translator, images, chosen.to, options, again=chosen.again)
    try:
        with within_memory() if find_device().type == "cpu" else nullcontext():
            for outcome in tqdm(written, total=len(images), desc="translate", unit="image"):
                outcomes.append(outcome)
    except BaseException:  # Ctrl-C, or a full disk: what failed before is told all the same
        sys.stderr.write(_failures(outcomes))
        raise
    kept = sum(outcome.kept for outcome in outcomes)
    there = f", {kept} of them there before (--again writes them anew)" if kept else ""
    count = sum(outcome.fault is None for outcome in outcomes)
    images_told = "1 image" if count == 1 else f"{count} images"
    sys.stdout.write(f"{images_told} in {chosen.to}{there}\n")
    if failures := _failures(outcomes):
        sys.exit(failures.rstrip())


def _failures(outcomes: Sequence[Outcome]) -> str:
    """List of all that failed, one line each; "" if nothing did."""
    faults = [f"  {outcome.fault}\n" for outcome in outcomes if outcome.fault]
    head = f"thermochroma: {len(faults)} of {len(outcomes)} images were not translated:\n"
    return head + "".join(faults) if faults else ""


def parameters(chosen: Namespace) -> None:
    """Print how many parameters each player has, ours and published."""
    params = read_params(chosen.params)
    blocks = chosen.blocks or [one for one in params.methods if params.block_of(one) == one]
    for block in blocks:
        _settings(params, block)
    sys.stdout.write(parameter_table(params, blocks, FrozenNetworks(chosen.weights)))


def diagram(chosen: Namespace) -> None:
    """Print a Mermaid flowchart of a translator at full width, drawn from its code."""
    settings = _settings(read_params(chosen.params), chosen.block)
    method = load_method(settings.method)
    with FakeTensorMode():  # shapes without memory or arithmetic
        translator = build_translator(method, settings, scale=1.0, text_width=TEXT_WIDTH)
        seen = dummy_input(method.sees, height=SIDE, width=SIDE, text_width=TEXT_WIDTH)
        sys.stdout.write(draw(translator.eval(), seen))


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


def verify_project(chosen: Namespace) -> None:
    """Compare every byte of the project with what was noted of it, and name what is damaged."""
    damaged = 0
    for finding in verify(chosen.project):
        damaged += len(finding.damages)
        told = f"{len(finding.damages)} damaged" if finding.damages else "all sound"
        sys.stdout.write(f"{finding.kind}: {finding.compared} compared, {told}\n")
        for sentence in finding.damages:
            sys.stdout.write(f"  {sentence}\n")
    if damaged:
        sys.exit(1)


def _settings(params: Params, block: str) -> Settings:
    if block not in params.methods:
        raise BadInput(
            given=f"`{block}` is no block under `methods` in params.yaml",
            needed=f"one of {', '.join(params.methods)}",
            remedy="correct the name",
        )
    return params.method(block)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="thermochroma", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_translate(commands)
    _add_verify(commands)
    add_frames(commands)
    add_score(commands)
    for function in (import_weights, parameters, diagram):
        name, text = function.__name__.replace("_", "-"), function.__doc__
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--params", type=Path, default=Path("params.yaml"))
        command.set_defaults(do=function)
        if function is parameters:
            command.add_argument("--weights", type=Path, default=Path("data/weights"))
            command.add_argument("blocks", nargs="*", help="blocks of params.yaml; none: all")
            continue
        command.add_argument("block", help="a block under `methods` in params.yaml")
        if function is import_weights:
            command.add_argument("checkpoint", type=Path, help="the authors' file")
            command.add_argument("translator", type=Path, help="the file to write")
    return parser


def _add_verify(commands: Any) -> None:
    text = verify_project.__doc__
    command = commands.add_parser("verify", help=text, description=text)
    command.set_defaults(do=verify_project)
    command.add_argument(
        "project", type=Path, nargs="?", default=Path(), help="its folder; none: the current one"
    )


def _add_translate(commands: Any) -> None:
    command = commands.add_parser(
        "translate", help=translate.__doc__, description=translate.__doc__
    )
    command.set_defaults(do=translate)
    command.add_argument("translator", type=Path, help="a translator.safetensors")
    command.add_argument("images", type=Path, nargs="+", help="images, or folders of images")
    command.add_argument(
        "--to", type=Path, required=True, help="the folder for the translated images"
    )
    command.add_argument(
        "--sentence", help=f"for methods that read, one for all images; so without it: {NEUTRAL!r}"
    )
    command.add_argument(
        "--text", type=Path, default=Path("data/weights/clip"), help="folder of their text encoder"
    )
    command.add_argument(
        "--reference",
        type=Path,
        help="for methods with references: a visible image, for its colours",
    )
    command.add_argument(
        "--sharpness",
        type=float,
        help="for methods with degrees of it: 0, the least error (so without the option), to 1",
    )
    command.add_argument(
        "--tone", default="", help=f"for more than 8 bits, one mapping for all images: {FORMS}"
    )
    _add_tiling(command)
    command.add_argument("--page", type=int, help="for files of several pages or frames, from 1")
    command.add_argument(
        "--again",
        action="store_true",
        help="translate also what is there already, made of the same",
    )


def _add_tiling(command: ArgumentParser) -> None:
    command.add_argument(
        "--tile",
        type=int,
        help=f"side of the tiles that larger images are divided into; 0: none; without it {TILE} above "
        f"{WHOLE / 1e6:.1f} megapixels",
    )
    command.add_argument(
        "--overlap",
        type=int,
        help="pixels in which tiles are blended; without it an eighth of them",
    )


if __name__ == "__main__":
    main()
