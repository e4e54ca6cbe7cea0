"""One sentence per frame, from facts that are known without the visible target.

Sources: the data set's facts, the thermal image, and boxes, which annotators drew while they saw both
spectra and which are therefore used for training frames only. A file of overrides adds sentences that
a person wrote. For all sources, a linter refuses words that only the visible image can justify.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.files import seed_of
from thermochroma.base.images import ThermalImage
from thermochroma.contract.dataset import Box, Facts
from thermochroma.data.captioning.leak_linter import refuse_colour_words, refuse_weather
from thermochroma.data.captioning.overrides import Override, choose_override
from thermochroma.data.captioning.phrases import inside, opening, people, sentence

Profile: TypeAlias = Literal[
    "template", "boxes", "oracle_boxes", "captioner", "empty", "constant", "shuffled"
]
CaptionAndProfile: TypeAlias = tuple[str, str]
"""A sentence and the profile that it comes from."""
CaptionMaker: TypeAlias = Callable[[Sequence[pd.Series]], Sequence[CaptionAndProfile]]
"""Function from some rows of the crop manifest to their sentences, in order."""
FactsOf: TypeAlias = Callable[[str], Facts]
ThermalOf: TypeAlias = Callable[[pd.Series], ThermalImage]

CONSTANT: Final = "a thermal infrared image"
AT_ONCE: Final = 16  # batch size of a captioner
MOST_REFUSALS: Final = 20  # refused sentences after which captioning stops early


def caption_all(
    rows: pd.DataFrame, *, tell: CaptionMaker, facts: FactsOf, overrides: Sequence[Override]
) -> Iterator[dict[str, str]]:
    """Yield one row per frame with its `frame`, `text`, `source` and, for an override, `author`.

    rows: of the crop manifest, with pixels. Raises BadInput that names the frames whose sentences the
    linter refuses, at the end or after MOST_REFUSALS of them.
    """
    refused: list[tuple[dict[str, str], BadInput]] = []
    for start in range(0, len(rows), AT_ONCE):
        some = [row for _, row in rows.iloc[start : start + AT_ONCE].iterrows()]
        for caption in _caption(some, tell, overrides):
            try:
                _refuse_unfit(caption, facts)
            except BadInput as problem:
                refused.append((caption, problem))
            if len(refused) == MOST_REFUSALS:
                raise _all_of(refused)
            yield caption
    if refused:
        raise _all_of(refused)


def by_template(facts: FactsOf, thermal: ThermalOf) -> CaptionMaker:
    """Make captions of time, place, the data set's facts, and the amount of sky in the thermal image."""
    return lambda rows: [(sentence(facts(row["frame"]), thermal(row)), "template") for row in rows]


def by_boxes(
    facts: FactsOf, thermal: ThermalOf, boxes: Callable[[str], Sequence[Box]], *, everywhere: bool
) -> CaptionMaker:
    """Make captions of the template and the number of people, in ranges: on training frames only.

    everywhere: on all frames, under the name `oracle_boxes`: such sentences contain facts that the
    thermal image alone may not show.
    """

    def tell(row: pd.Series) -> CaptionAndProfile:
        image, known = thermal(row), facts(row["frame"])
        if not everywhere and row["split"] != "train":
            return sentence(known, image), "template"
        window = {name: float(row[name]) for name in ("zoom", "left", "top")}
        seen = inside(boxes(row["frame"]), **window, size=float(len(image)))
        return sentence(known, image, people(seen)), "oracle_boxes" if everywhere else "boxes"

    return lambda rows: [tell(row) for row in rows]


def by_captioner(
    facts: FactsOf, thermal: ThermalOf, say: Callable[[Sequence[ThermalImage]], Sequence[str]]
) -> CaptionMaker:
    """Make captions of the template's opening words and a network's description of the thermal image.

    say: thermal images to clauses, in order; "" if there is nothing to say.
    """

    def tell(row: pd.Series, clause: str) -> CaptionAndProfile:
        if not clause:
            return "", "captioner"
        return f"{opening(facts(row['frame']))} {clause}", "captioner"

    def tell_all(rows: Sequence[pd.Series]) -> list[CaptionAndProfile]:
        clauses = say([thermal(row) for row in rows])
        return [tell(row, clause) for row, clause in zip(rows, clauses, strict=True)]

    return tell_all


def always(text: str, source: Literal["empty", "constant"]) -> CaptionMaker:
    """Give every frame one sentence: a baseline for a method without information in its text."""
    return lambda rows: [(text, source)] * len(rows)


def shuffled(captions: pd.DataFrame, splits: Sequence[str], *, seed: int) -> pd.DataFrame:
    """Permute the sentences randomly among the frames of each split.

    captions: rows as of `caption_all`. splits: one per row. The permutation ignores the sentences, so
    that some frames keep theirs by chance: if each frame got a *different* one, a sentence would
    still say what the frame does not show (with two sentences: everything).
    """
    order = np.arange(len(captions))
    for split in sorted(set(splits)):
        places = np.flatnonzero(np.asarray(splits) == split)
        random = np.random.default_rng(seed_of("shuffled", split, seed))
        order[places] = random.permutation(places)
    dealt = captions[["text", "author"]].iloc[order].reset_index(drop=True)
    return captions.reset_index(drop=True).assign(
        text=dealt["text"], author=dealt["author"], source="shuffled"
    )


def _caption(
    rows: Sequence[pd.Series], tell: CaptionMaker, overrides: Sequence[Override]
) -> Iterator[dict[str, str]]:
    """Yield captions in order; `tell` gets only the frames without an override."""
    chosen = [choose_override(overrides, row["frame"], split=row["split"]) for row in rows]
    left = [row for row, one in zip(rows, chosen, strict=True) if one is None]
    told = iter(tell(left) if left else [])
    for row, one in zip(rows, chosen, strict=True):
        text, source = (one.text, "override") if one is not None else next(told)
        author = one.author if one is not None else ""
        yield {"frame": str(row["frame"]), "text": text, "source": source, "author": author}


def _refuse_unfit(caption: dict[str, str], facts: FactsOf) -> None:
    text, where = caption["text"], f"the caption of {caption['frame']}"
    if caption["source"] == "captioner" and not text:
        raise BadInput(given=f"{where} is empty", needed="one sentence per frame", remedy="")
    refuse_colour_words(text, where=where)
    known = facts(caption["frame"])
    refuse_weather(text, where=where, known=", ".join([known.scene, *known.details]))


def _all_of(refused: Sequence[tuple[dict[str, str], BadInput]]) -> BadInput:
    """Combine all refusals in one error: the first in full, the other frames by name."""
    (caption, first), *others = refused
    names = ", ".join(other["frame"] for other, _ in others)
    by_network = caption["source"] == "captioner"
    return BadInput(
        given=first.given + (f" (and those of {names})" if others else ""),
        needed=first.needed,
        remedy="describe such frames in the file of overrides, or choose another profile"
        if by_network
        else first.remedy,
    )
