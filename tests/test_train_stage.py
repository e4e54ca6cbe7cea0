"""The train stage refuses, before any work, sides that a network cannot take."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stages.train import refuse_side, try_sides
from tests.examiner import method_of, settings_of
from thermochroma.errors import BadInput
from thermochroma.method import Translator
from thermochroma.shipping import build_translator


@pytest.mark.parametrize("block, multiple", [("scgan", 256), ("pix2pix", 256), ("tic_cgan", 16)])
def test_the_sides_that_a_method_takes_are_named(block: str, multiple: int) -> None:
    method = method_of(block)
    refuse_side(multiple, method, dataset="sample")
    with pytest.raises(BadInput, match=f"multiples of {multiple}"):
        refuse_side(multiple + 8, method, dataset="sample")


@pytest.mark.parametrize("side", [128, 256])
@pytest.mark.parametrize(
    "block, changes, told",
    [("lkat_gan", {"other_sizes": "refuse"}, "256x256"), ("tir2lab", {"norm": "row"}, "256 rows")],
)
def test_a_form_for_one_size_says_so_with_the_first_picture(
    block: str, changes: dict[str, str], told: str, side: int
) -> None:
    translator, lesson = _begun(block, changes, window=side)
    with nullcontext() if side == 256 else pytest.raises(BadInput, match=told):
        try_sides(translator, lesson)


def _begun(block: str, changes: dict[str, str], *, window: int) -> tuple[Translator[Any], Any]:
    method, settings = method_of(block), settings_of(block)
    form = settings.translator.model_copy(update=changes)
    settings = settings.model_copy(update={"translator": form})
    lesson = SimpleNamespace(
        method=method,
        text=None,
        dataset="d",
        params=SimpleNamespace(crop={"d": SimpleNamespace(size=256)}),
        budget=SimpleNamespace(window=window),
        device=torch.device("cpu"),
    )
    return build_translator(method, settings, scale=1 / 16, text_width=0), lesson
