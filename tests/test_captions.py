"""Captions: no colours, no look at the visible picture, a person's word first."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thermochroma.errors import BadInput
from thermochroma.preparation.captions import (
    OVERRIDE_COLUMNS,
    Override,
    caption_all,
    choose_override,
    read_overrides,
    refuse_colour_words,
    sentence,
)
from thermochroma.source import Facts, load_source, source_names

COLD_SKY = np.vstack([np.full((40, 64), 20), np.full((88, 64), 160)]).astype(np.uint8)
ROWS = pd.DataFrame({"frame": ["a/0", "a/1"], "split": ["train", "test"]})


def test_the_template() -> None:
    facts = Facts(time="day", scene="a wide urban road", details=("autumn trees",))
    assert sentence(facts, COLD_SKY) == (
        "a daytime thermal infrared image of a wide urban road, autumn trees, open sky"
    )
    assert sentence(Facts(), COLD_SKY[::-1].copy()).endswith("a street scene, little sky")


@pytest.mark.parametrize(
    "text",
    ["a red car", "Greyish road", "two reds and a BLUE", "traffic lights ahead", "a bright sky"],
)
def test_the_linter_refuses_what_only_the_visible_picture_tells(text: str) -> None:
    with pytest.raises(BadInput, match="tell no colours"):
        refuse_colour_words(text, where="here")


@pytest.mark.parametrize("text", ["a hundred cars", "shredded leaves", "an evergreen", ""])
def test_the_linter_lets_innocent_words_pass(text: str) -> None:
    refuse_colour_words(text, where="here")


def test_long_sentences_are_refused() -> None:
    with pytest.raises(BadInput, match="has 41 words"):
        refuse_colour_words(" ".join(["word"] * 41), where="here")


def _override(pattern: str, text: str, looked_at: str = "thermal") -> Override:
    return Override(pattern, text, "me", looked_at)  # type: ignore[arg-type]


def test_the_most_specific_override_wins_and_peeking_never_reaches_test() -> None:
    overrides = [
        _override("*", "all"),
        _override("a/*", "some"),
        _override("a/*", "later"),
        _override("a/1", "peeked", "visible"),
    ]
    assert choose_override(overrides, "a/0", split="train") == overrides[2]
    assert choose_override(overrides, "a/1", split="train") == overrides[3]
    assert choose_override(overrides, "a/1", split="test") == overrides[2]
    assert choose_override([], "a/1", split="test") is None


def test_sources_of_captions() -> None:
    def captions(profile: str, overrides: list[Override]) -> list[dict[str, str]]:
        return list(
            caption_all(
                ROWS,
                profile=profile,  # type: ignore[arg-type]
                facts=lambda frame: Facts(),
                thermal=lambda row: COLD_SKY,
                overrides=overrides,
            )
        )

    assert [one["source"] for one in captions("template", [])] == ["template"] * 2
    assert [one["text"] for one in captions("empty", [])] == ["", ""]
    mixed = captions("template", [_override("a/1", "a parked van")])
    assert [one["source"] for one in mixed] == ["template", "override"]
    assert mixed[1] | {"frame": "a/1"} == mixed[1]
    with pytest.raises(BadInput, match="caption of a/0"):
        captions("template", [_override("a/0", "a pink van")])


@pytest.mark.parametrize(
    ("line", "sentence_"),
    [
        ("a/*,a van,me,2026-01-31,both,", "looked_at `both`"),
        ("a/*,a van,me,yesterday,thermal,", "date `yesterday`"),
        ("a/*,a white van,me,2026-01-31,thermal,", "line 2 .* says `white`"),
    ],
)
def test_a_faulty_line_is_named(line: str, sentence_: str, tmp_path: Path) -> None:
    path = tmp_path / "overrides.csv"
    path.write_text(",".join(OVERRIDE_COLUMNS) + "\n" + line + "\n")
    with pytest.raises(BadInput, match=sentence_):
        read_overrides(path)


def test_overrides_need_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "overrides.csv"
    path.write_text("id,text\n")
    with pytest.raises(BadInput, match="has the columns"):
        read_overrides(path)


@pytest.mark.parametrize("name", source_names())
def test_what_a_data_set_is_called_tells_no_colours(name: str) -> None:
    refuse_colour_words(load_source(name).title, where=name)
