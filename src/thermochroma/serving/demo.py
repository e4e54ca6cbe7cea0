"""Work of the demo's page: what `translate` does, one file at a time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from thermochroma.base.device import find_device
from thermochroma.base.errors import BadInput
from thermochroma.base.images import write_image
from thermochroma.base.reading import reading
from thermochroma.export.artifact import method_of, title_of
from thermochroma.export.metadata import read_metadata
from thermochroma.export.onnx_file import is_onnx, read_onnx_metadata
from thermochroma.export.traits import Traits
from thermochroma.inference.defaults import BATCH
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.predictor import Predictor
from thermochroma.serving.commands.publish import card_of
from thermochroma.serving.inputs import Input
from thermochroma.serving.models import FOR_TRYING, is_drawn, known_in
from thermochroma.serving.options import InferenceOptions
from thermochroma.serving.places import translator_at
from thermochroma.serving.polarity import warning_of
from thermochroma.serving.tones import holds_more_than_8_bits, mapping_for, parse_tone
from thermochroma.serving.translate import (
    Outcome,
    prepared,
    read_for,
    target_of,
    translate_one,
)
from thermochroma.serving.video_files import is_video

KEPT: Final = 2  # translators that stay in memory, the last ones used


@dataclass(frozen=True)
class Shown:
    """Result for the page. seen: what the translator saw; None for a video. told: sentences on it."""

    target: Path
    seen: Path | None
    told: tuple[str, ...]


def choices(given: Sequence[str], data: Path) -> dict[str, Path]:
    """Translators to choose from, by name: the given ones, or the package's and all trained in the project.

    Raises BadInput for one that cannot be read.
    """
    found = {name: translator_at(name, data) for name in given} or known_in(data)
    for path in found.values():
        traits_in(path)
    return found


def traits_in(translator: Path) -> Traits:
    """Traits of a translator in a file, without its weights."""
    if is_onnx(translator):
        return read_onnx_metadata(translator).traits
    metadata = read_metadata(translator)
    method = method_of(metadata)
    return Traits.of(
        method.sees,
        title=title_of(metadata),
        sides_multiple_of=method.sides_multiple_of,
        least_side=method.least_side,
    )


def card_text(translator: Path) -> str:
    """The model card, in Markdown; where there is none, what the file itself tells."""
    try:
        card = card_of(translator)
    except BadInput:  # it lies in no project
        card = translator.with_name("card.md")
    if card.is_file():
        with reading(card, needed="a model card in UTF-8", remedy="remove it, or write it anew"):
            return card.read_text(encoding="utf-8")
    title, method, trained_on, is_for_trying = _facts_in(translator)
    drawn = f"\n\nTrained on drawn images: {FOR_TRYING}." if is_for_trying else ""
    return (
        f"# {title}\n\nThere is no model card beside `{translator.name}`. The file tells: "
        f"method `{method}`, trained on `{trained_on}`.{drawn}"
    )


def _facts_in(translator: Path) -> tuple[str, str, str, bool]:
    """Title, method, data set, and whether that is drawn, as the file itself tells them."""
    if is_onnx(translator):
        found = read_onnx_metadata(translator)
        return found.title, found.method, found.trained_on, found.drawn
    metadata = read_metadata(translator)
    method = str(metadata.settings.get("method"))
    return title_of(metadata), method, metadata.trained_on, is_drawn(metadata)


def show(
    translator: Path, path: Path, folder: Path, *, tone: str, wishes: InferenceOptions
) -> Shown:
    """Translate a file into a new folder in `folder`, as `translate` writes it.

    tone: as `--tone` takes it, used only for a file of more than 8 bits. wishes: all else.
    Raises BadInput for what `translate` would refuse.
    """
    asked = parse_tone(tone) if holds_more_than_8_bits(path) else None
    options = replace(
        wishes,
        tone=mapping_for([path], asked),
        together=1 if is_onnx(translator) or find_device().type == "cpu" else BATCH,
    )
    predictor = _loaded(translator, options.text, options.sentence)
    painter, how = prepared(predictor, translator, options)
    place = Path(mkdtemp(dir=folder))
    target = target_of(Input(path), place, options.codec)
    begun = time.perf_counter()
    outcome = translate_one(painter, path, target, options, how=how)
    took = time.perf_counter() - begun
    if outcome.fault is not None:
        raise outcome.fault
    seen = None
    if not is_video(path):
        seen = place / f"{path.stem} as seen.png"
        write_image(seen, painter.shown(read_for(predictor.traits, path, options)))
    return Shown(target, seen, _told(outcome, options, took))


@lru_cache(KEPT)
def _loaded(translator: Path, text: Path, sentence: str | None) -> Predictor:
    return load_predictor(translator, text=text, sentence=sentence)


def _told(outcome: Outcome, options: InferenceOptions, took: float) -> tuple[str, ...]:
    told = [f"{took:.2f} s, with reading and writing the file", *outcome.told]
    if options.tone is not None:
        told.append(f"tone `{options.tone}`")
    if outcome.looks_black_hot:
        told.append(warning_of([True]))
    return tuple(told)
