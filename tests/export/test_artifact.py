"""A translator's file: each turned bit and each cut is noticed; one of an earlier version is read."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.examiner import SCALE, method_of, settings_of
from thermochroma.base.errors import BadInput
from thermochroma.export.artifact import build_translator, load_translator, save_translator
from thermochroma.export.metadata import KEY, Metadata, read_metadata

BLOCK = "tir2lab"
METADATA = Metadata(
    name=BLOCK,
    settings=settings_of(BLOCK).model_dump(mode="json"),
    scale=SCALE,
    text_width=0,
    trained_on="made-up",
    side=64,
    frozen="random",
    images=12,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    translator = build_translator(method_of(BLOCK), settings_of(BLOCK), scale=SCALE, text_width=0)
    save_translator(translator, tmp_path / "translator.safetensors", METADATA)
    return tmp_path / "translator.safetensors"


def test_it_comes_back_with_its_metadata_and_the_same_bytes(file: Path, tmp_path: Path) -> None:
    translator, metadata = load_translator(file)
    assert metadata == read_metadata(file) == METADATA
    save_translator(translator, tmp_path / "again.safetensors", metadata)
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


def test_turned_bits_and_cuts_are_noticed(file: Path) -> None:
    whole, drawn = file.read_bytes(), np.random.default_rng(0)
    changed = []
    for bit in drawn.integers(8 * 8, 8 * len(whole), 40):
        turned = bytearray(whole)
        turned[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(turned))
    for content in (*changed, whole[:-4], whole[: len(whole) // 2]):
        file.write_bytes(content)
        for read in (load_translator, read_metadata):
            with pytest.raises(BadInput, match=r"translator\.safetensors"):
                read(file)


def test_a_translator_of_an_earlier_version_is_read(file: Path) -> None:
    save_file(load_file(file), file, metadata={KEY: json.dumps(asdict(METADATA))})
    _, metadata = load_translator(file)
    assert metadata == METADATA
