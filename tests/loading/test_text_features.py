"""Captions on disk and their features: each distinct sentence is encoded once."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import torch

from thermochroma.base.errors import BadInput
from thermochroma.contract.batch import Captioned
from thermochroma.loading.collate import assemble_seen, move
from thermochroma.loading.text_features import (
    AT_ONCE,
    CONSTANT,
    EMPTY,
    SAME_FOR_ALL,
    TextTable,
    encode_captions,
    load_text,
    read_captions,
    save_text,
)
from thermochroma.networks.clip_text import EncodedText, TextEncoder
from thermochroma.pipeline.encode import encode


class CountingEncoder(TextEncoder):
    """Reads no weights; remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[Sequence[str]] = []

    def encode(self, sentences: Sequence[str]) -> EncodedText:
        self.shown.append(sentences)
        features = torch.tensor([float(len(one)) for one in sentences])
        mask = torch.ones(len(sentences), 77, dtype=torch.bool)
        return EncodedText(features[:, None, None].expand(-1, 77, 2), mask)


def test_each_distinct_sentence_is_encoded_once() -> None:
    encoder = CountingEncoder()
    kinds = AT_ONCE + 5
    sentences = {f"a/{n}": "x" * (n % kinds) for n in range(10 * kinds)}
    table = encode_captions(encoder, sentences)
    assert [len(some) for some in encoder.shown] == [AT_ONCE, 5]
    assert len(table.features) == kinds
    for frame, sentence in sentences.items():
        assert table.features[table.row(frame), 0, 0] == len(sentence)


def test_a_frame_without_a_sentence_is_refused() -> None:
    table = TextTable(torch.zeros(1, 77, 2), torch.ones(1, 77, dtype=torch.bool), {"a/0": 0})
    with pytest.raises(BadInput, match="frame a/1 has no caption"):
        table.row("a/1")


def test_sentences_are_dealt_to_frames_and_none_is_made_up() -> None:
    table = TextTable(torch.zeros(2, 77, 2), torch.ones(2, 77, dtype=torch.bool), {"a": 0, "b": 1})
    dealt = table.dealt({"a": "b", "b": "b"})
    assert [dealt.row("a"), dealt.row("b")] == [1, 1]
    assert dealt.features is table.features
    with pytest.raises(BadInput, match=r"frame \(empty\) has no caption"):
        table.dealt({"a": EMPTY})


def _captions(path: Path) -> Path:
    rows = [
        ("a/0", "cars", "template", ""),
        ("a/1", "", "empty", ""),
        ("a/2", "cars", "override", "me"),
    ]
    columns = ["frame", "text", "source", "author"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def test_captions_are_read_as_written(tmp_path: Path) -> None:
    path = _captions(tmp_path / "captions.csv")
    assert read_captions(path) == {"a/0": "cars", "a/1": "", "a/2": "cars"}


def test_the_stage_leaves_what_the_encoder_says(weights: Path, tmp_path: Path) -> None:
    captions, text = _captions(tmp_path / "captions.csv"), tmp_path / "text/a.safetensors"
    encode(captions, weights / "clip", text)
    table = load_text(text)
    plain = TextEncoder(weights / "clip").encode(["cars", ""])
    assert table.row("a/0") == table.row("a/2") != table.row("a/1")
    for frame, row in (("a/0", 0), ("a/1", 1)):
        assert torch.equal(table.mask[table.row(frame)], plain.mask[row])
        assert torch.allclose(table.features[table.row(frame)], plain.features[row], atol=1e-5)
    same = TextEncoder(weights / "clip").encode([*SAME_FOR_ALL.values()])
    for row, name in enumerate((EMPTY, CONSTANT)):
        assert torch.equal(table.mask[table.row(name)], same.mask[row])
        assert torch.allclose(table.features[table.row(name)], same.features[row], atol=1e-5)
    assert table.row(EMPTY) == table.row("a/1"), "nothing is encoded twice"
    first = text.read_bytes()
    encode(captions, weights / "clip", text)
    assert text.read_bytes() == first


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(BadInput, match=r"a\.safetensors does not exist"):
        load_text(path)
    table = TextTable(torch.zeros(2, 77, 2), torch.ones(2, 77, dtype=torch.bool), {"a/0": 1})
    save_text(path, table)
    assert load_text(path).rows == {"a/0": 1}
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(BadInput, match="cannot be read"):
        load_text(path)


def test_features_are_looked_up_where_they_lie() -> None:
    """One sentence a frame of KAIST is gigabytes of features: a batch moves its own alone."""
    table = TextTable(torch.randn(5, 7, 4), torch.ones(5, 7, dtype=torch.bool), {})
    raw = {"thermal": torch.zeros(2, 8, 8, dtype=torch.uint8), "sentence": torch.tensor([3, 1])}
    far = move(raw, torch.device("meta"))
    assert far["thermal"].is_meta and not far["sentence"].is_meta
    seen = assemble_seen(far, Captioned, table)
    assert seen.text.is_meta and seen.text.shape == (2, 7, 4)
    here = assemble_seen(move(raw, torch.device("cpu")), Captioned, table)
    assert torch.equal(here.text, table.features[[3, 1]])
