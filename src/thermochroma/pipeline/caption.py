"""Write one sentence a frame, from what is known without the visible target."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from thermochroma.base.device import choose_device
from thermochroma.base.errors import BadInput
from thermochroma.base.project import at_root
from thermochroma.base.tables import write_csv
from thermochroma.config.captioning import CaptionSettings
from thermochroma.contract.dataset import Box, Dataset, DatasetSettings, describe
from thermochroma.data.captioning.captioner import Captioner
from thermochroma.data.captioning.captions import (
    CONSTANT,
    CaptionMaker,
    always,
    by_boxes,
    by_captioner,
    by_template,
    caption_all,
    shuffled,
)
from thermochroma.data.captioning.overrides import overrides_of, read_overrides
from thermochroma.loading.crops import Crops
from thermochroma.loading.text_features import CAPTION_COLUMNS

SAME_FOR_ALL = ("empty", "constant")  # a person's word would make an exception


def caption(
    dataset: str,
    settings: CaptionSettings,
    block: DatasetSettings,
    *,
    known: Collection[str],
    raw: Path,
    crops: Path,
    overrides: Path,
    captions: Path,
) -> None:
    """Write one sentence a frame; no visible image needs to be there.

    known: the data sets of `sources`, to which a person's sentences may belong.
    """
    record, folder, cut = describe(dataset, block), at_root(raw), Crops(crops)
    rows = cut.manifest[cut.manifest["dropped"] == ""]
    own = overrides_of(dataset, read_overrides(overrides, known=known), list(cut.manifest["frame"]))
    told = caption_all(
        rows,
        tell=choose_caption_maker(settings, record, block, folder, cut, dataset),
        facts=record.facts(block, folder),
        overrides=[] if settings.profile in SAME_FOR_ALL else own,
    )
    bar = tqdm(told, total=len(rows), desc="caption", unit="frame")
    table = pd.DataFrame(bar, columns=list(CAPTION_COLUMNS))
    if settings.profile == "shuffled":
        table = shuffled(table, list(rows["split"]), seed=settings.shuffle_seed)
    write_csv(captions, table)


def choose_caption_maker(
    how: CaptionSettings,
    record: Dataset,
    settings: DatasetSettings,
    raw: Path,
    crops: Crops,
    dataset: str,
) -> CaptionMaker:
    """Choose the function that makes the sentences of this profile."""
    facts = record.facts(settings, raw)
    match how.profile:
        case "empty":
            return always("", source="empty")
        case "constant":
            return always(CONSTANT, source="constant")
        case "boxes" | "oracle_boxes":
            everywhere = how.profile == "oracle_boxes"
            boxes = boxes_of(record, settings, raw, dataset)
            return by_boxes(facts, crops.thermal, boxes, everywhere=everywhere)
        case "captioner":
            assert how.captioner is not None  # the validator saw to it
            captioner = Captioner(at_root(how.captioner), choose_device())
            return by_captioner(facts, crops.thermal, captioner.say)
        case "template" | "shuffled":
            return by_template(facts, crops.thermal)


def boxes_of(
    record: Dataset, settings: DatasetSettings, raw: Path, dataset: str
) -> Callable[[str], Sequence[Box]]:
    """The annotated objects of each frame. Raises BadInput for a data set without any."""
    if record.boxes is None:
        raise BadInput(
            given=f"`caption.profile` asks for boxes, and `{dataset}` has no annotated objects",
            needed="a data set with boxes around people",
            remedy="choose the profile `template`, or leave the data set out",
        )
    return record.boxes(settings, raw)
