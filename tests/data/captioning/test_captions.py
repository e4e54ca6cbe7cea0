"""Captions: no look at the visible picture, a person's word first, ablations that tell nothing."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import Box, Facts
from thermochroma.data.captioning.captions import (
    CONSTANT,
    MOST_REFUSALS,
    CaptionMaker,
    always,
    by_boxes,
    by_captioner,
    by_template,
    caption_all,
    shuffled,
)
from thermochroma.data.captioning.overrides import (
    OVERRIDE_COLUMNS,
    Override,
    choose_override,
    overrides_of,
    read_overrides,
)
from thermochroma.data.captioning.phrases import inside, people, sentence

COLD_SKY = np.vstack([np.full((40, 64), 20), np.full((88, 64), 160)]).astype(np.uint8)
SQUARE = COLD_SKY[:64]
SAYS = "a thermal infrared image of a street scene"
WINDOW = {"zoom": 1.0, "left": 0, "top": 0}
ROWS = pd.DataFrame([{"frame": f"a/{n}", "split": s, **WINDOW} for n, s in enumerate(
    ["train", "validation", "test"]
)])  # fmt: skip


def _facts(frame: str) -> Facts:
    return Facts()


def _thermal(row: pd.Series) -> np.ndarray:
    return SQUARE


def _box(label: str, left: float = 0, top: float = 0, side: float = 10) -> Box:
    return Box(label, float(left), float(top), float(side), float(side))


def _override(
    pattern: str, text: str, looked_at: str = "thermal", dataset: str = "kaist"
) -> Override:
    return Override(dataset, pattern, text, "me", looked_at, "line 2")  # type: ignore[arg-type]


def _captions(
    tell: CaptionMaker, overrides: Sequence[Override] = (), rows: pd.DataFrame = ROWS
) -> list[dict[str, str]]:
    return list(caption_all(rows, tell=tell, facts=_facts, overrides=overrides))


def test_the_template() -> None:
    facts = Facts(time="day", scene="a wide urban road", details=("autumn trees",))
    assert sentence(facts, COLD_SKY) == (
        "a daytime thermal infrared image of a wide urban road, autumn trees, open sky"
    )
    assert sentence(Facts(time="night"), COLD_SKY[::-1].copy()) == (
        "a nighttime thermal infrared image of a street scene, little sky"
    )
    assert sentence(facts, COLD_SKY, "many pedestrians").endswith(
        "trees, many pedestrians, open sky"
    )


@pytest.mark.parametrize(
    ("labels", "phrase"),
    [
        ({}, "no pedestrians"),
        ({"person": 1}, "one pedestrian"),
        ({"person": 2}, "a few pedestrians"),
        ({"person": 4}, "a few pedestrians"),
        ({"person": 5}, "many pedestrians"),
        ({"people": 1}, "a few pedestrians"),
        ({"people": 2, "person": 1}, "many pedestrians"),
        ({"person": 3, "cyclist": 1}, "a few pedestrians and one cyclist"),
        ({"cyclist": 2}, "no pedestrians and a few cyclists"),
        ({"cyclist": 5, "person": 1}, "one pedestrian and many cyclists"),
        ({"person?": 3, "person?a": 1, "ignore": 1, "car": 2}, "no pedestrians"),
    ],
)
def test_people_are_counted_in_buckets(labels: dict[str, int], phrase: str) -> None:
    assert people([_box(label) for label, n in labels.items() for _ in range(n)]) == phrase


@pytest.mark.parametrize(
    ("left", "top", "zoom", "counts"),
    [
        (100, 100, 1, True),
        (95, 100, 1, True),  # half of it
        (94.9, 100, 1, False),
        (100, 195, 1, True),
        (95, 95, 1, False),  # a quarter
        (0, 0, 1, False),
        (250, 100, 1, False),
        (50, 50, 2, True),  # lies at 100 where the window's pixels are counted
        (100, 100, 2, False),
    ],
)
def test_a_box_counts_if_half_of_it_is_in_the_window(
    left: float, top: float, zoom: float, counts: bool
) -> None:
    window = {"zoom": float(zoom), "left": 100.0, "top": 100.0, "size": 100.0}
    assert bool(inside([_box("person", left, top)], **window)) == counts
    assert not inside([_box("person", 120, 120, side=0)], **window)


def _boxes(frame: str) -> list[Box]:
    return [_box("person"), _box("cyclist", 50), _box("person", 300)]


def test_boxes_serve_training_frames_alone() -> None:
    told = _captions(by_boxes(_facts, _thermal, _boxes, everywhere=False))
    assert told[0]["text"] == f"{SAYS}, one pedestrian and one cyclist, open sky"
    assert [one["text"] for one in told[1:]] == [f"{SAYS}, open sky"] * 2
    assert [one["source"] for one in told] == ["boxes", "template", "template"]


def test_boxes_of_other_frames_are_not_even_asked_for() -> None:
    asked = []

    def boxes(frame: str) -> list[Box]:
        asked.append(frame)
        return []

    _captions(by_boxes(_facts, _thermal, boxes, everywhere=False))
    assert asked == ["a/0"]


def test_oracle_boxes_serve_all_frames_and_say_so() -> None:
    told = _captions(by_boxes(_facts, _thermal, _boxes, everywhere=True))
    assert {one["text"] for one in told} == {f"{SAYS}, one pedestrian and one cyclist, open sky"}
    assert {one["source"] for one in told} == {"oracle_boxes"}


def test_windows_of_enlarged_images_lie_elsewhere() -> None:
    rows = ROWS.iloc[:1].assign(zoom=2.0, left=90, top=0)
    (told,) = _captions(by_boxes(_facts, _thermal, _boxes, everywhere=False), rows=rows)
    assert "no pedestrians and one cyclist" in told["text"]


@pytest.mark.parametrize(("source", "text"), [("empty", ""), ("constant", CONSTANT)])
def test_ablations_tell_all_frames_the_same(source: str, text: str) -> None:
    told = _captions(always(text, source=source))  # type: ignore[arg-type]
    assert {(one["text"], one["source"], one["author"]) for one in told} == {(text, source, "")}


def _told(texts: Sequence[str]) -> pd.DataFrame:
    frames = [f"a/{n}" for n in range(len(texts))]
    return pd.DataFrame({"frame": frames, "text": texts, "source": "template", "author": ""})


def test_shuffled_deals_the_same_sentences_out_within_each_split() -> None:
    texts = [f"{split} {n % 7}" for split in ("train", "test") for n in range(70)]
    splits = [text.split()[0] for text in texts]
    dealt = shuffled(_told(texts), splits, seed=0)
    assert list(dealt["frame"]) == [f"a/{n}" for n in range(140)]
    assert Counter(dealt["text"]) == Counter(texts)
    assert [text.split()[0] for text in dealt["text"]] == splits
    assert set(dealt["source"]) == {"shuffled"}
    assert dealt.equals(shuffled(_told(texts), splits, seed=0))
    assert not dealt.equals(shuffled(_told(texts), splits, seed=1))


@pytest.mark.parametrize("kinds", [2, 5])
def test_a_shuffled_sentence_tells_nothing_of_the_frame(kinds: int) -> None:
    """Not even what it is not: each sentence goes to frames of each kind in equal shares."""
    texts = [str(n % kinds) for n in range(5000)]
    dealt = shuffled(_told(texts), ["train"] * 5000, seed=3)
    pairs = Counter(zip(texts, dealt["text"], strict=True))
    expected = 5000 / kinds**2
    assert all(abs(pairs[str(a), str(b)] - expected) < 5 * expected**0.5
               for a in range(kinds) for b in range(kinds))  # fmt: skip


def _says(*clauses: str) -> Callable[[Sequence[np.ndarray]], list[str]]:
    waiting = iter(clauses)
    return lambda pictures: [next(waiting) for _ in pictures]


def test_a_captioner_speaks_after_the_opening_words() -> None:
    say = _says("cars on a road", "trees", "a bus")
    told = _captions(by_captioner(_facts, _thermal, say))
    assert told[0]["text"] == "a thermal infrared image of cars on a road"
    assert {one["source"] for one in told} == {"captioner"}


def test_a_captioner_is_not_asked_where_a_person_has_spoken() -> None:
    say = _says("cars", "a bus")
    told = _captions(by_captioner(_facts, _thermal, say), [_override("a/1", "a parked van")])
    assert [one["text"].removeprefix("a thermal infrared image of ") for one in told] == [
        "cars",
        "a parked van",
        "a bus",
    ]
    assert [one["source"] for one in told] == ["captioner", "override", "captioner"]


def test_what_a_captioner_must_not_say_is_refused_with_every_frame_named() -> None:
    say = _says("two cars, one red", "trees", "")
    with pytest.raises(BadInput, match=r"caption of a/0 says `red`.*and those of a/2.*overrides"):
        _captions(by_captioner(_facts, _thermal, say))
    rows = pd.DataFrame([{"frame": f"a/{n}", "split": "test"} for n in range(100)])
    shown = []

    def say_red(pictures: Sequence[np.ndarray]) -> list[str]:
        shown.extend(pictures)
        return ["things in red"] * len(pictures)

    with pytest.raises(BadInput, match=f"a/{MOST_REFUSALS - 1}"):
        _captions(by_captioner(_facts, _thermal, say_red), rows=rows)
    assert len(shown) < 40  # it is not asked for hours, only to be refused at the end


def test_weather_comes_from_the_data_set_or_not_at_all() -> None:
    facts = {"a/0": Facts(details=("overcast sky",)), "a/1": Facts(), "a/2": Facts()}
    told = list(
        caption_all(ROWS, tell=by_template(facts.__getitem__, _thermal), facts=facts.__getitem__,
                    overrides=[_override("a/0", "a van, overcast sky")])
    )  # fmt: skip
    assert told[0]["text"] == "a van, overcast sky"
    with pytest.raises(BadInput, match="caption of a/1 says `overcast`"):
        list(
            caption_all(ROWS, tell=by_template(facts.__getitem__, _thermal),
                        facts=facts.__getitem__, overrides=[_override("*", "overcast sky")])
        )  # fmt: skip


def test_a_persons_sentence_goes_before_the_template() -> None:
    told = _captions(by_template(_facts, _thermal), [_override("a/1", "a parked van")])
    assert [one["source"] for one in told] == ["template", "override", "template"]
    assert told[1] == {"frame": "a/1", "text": "a parked van", "source": "override", "author": "me"}


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


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([",".join(OVERRIDE_COLUMNS), *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("line", "sentence_"),
    [
        ("kaist,a/*,a van,me,2026-01-31,both,", "looked_at `both`"),
        ("kaist,a/*,a van,me,yesterday,thermal,", "date `yesterday`"),
        ("kaist,a/*,a white van,me,2026-01-31,thermal,", "line 2 .* says `white`"),
        ("kiast,a/*,a van,me,2026-01-31,thermal,", r"data set `kiast` \(did you mean `kaist`"),
        (",a/*,a van,me,2026-01-31,thermal,", "data set ``"),
    ],
)
def test_a_faulty_line_is_named(line: str, sentence_: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"line 2 .*{sentence_.removeprefix('line 2 ')}"):
        read_overrides(_write(tmp_path / "overrides.csv", line))


@pytest.mark.parametrize(
    ("content", "sentence_"),
    [
        ("kaist,a/*,a caf\xe9,me,2026-01-31,thermal,\n".encode("cp1252"), "UnicodeDecodeError"),
        (b'kaist,a/*,"a van,me,2026-01-31,thermal,\nkaist,b/*,a bus\n', "unexpected end of data"),
        (b"\xff\xfe\x00\x01", "UnicodeDecodeError"),
        (b"kaist,a/*,a van\n", "line 2 of .* has 3 values; one for each of dataset, "),
        (b"kaist,a/*,a van, and a car,me,2026-01-31,thermal,\n", "line 2 of .* has 8 values"),
    ],
    ids=["cp1252", "open quote", "binary", "too few", "too many"],
)
def test_a_file_that_a_spreadsheet_has_spoilt_is_refused(
    content: bytes, sentence_: str, tmp_path: Path
) -> None:
    """ActivitySim/populationsim#83: a table that Windows has saved ended in a traceback."""
    path = tmp_path / "overrides.csv"
    path.write_bytes(",".join(OVERRIDE_COLUMNS).encode() + b"\n" + content)
    with pytest.raises(
        BadInput, match=rf"overrides\.csv cannot be read \(.*{sentence_}|{sentence_}"
    ):
        read_overrides(path)


def test_a_mark_of_utf8_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "overrides.csv", "", 'kaist,a/*,"a van, parked",me,2026-01-31,thermal,'
    )
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (one,) = read_overrides(path)
    assert (one.text, one.where) == ("a van, parked", f"line 3 of {path}")


def test_overrides_need_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "overrides.csv"
    path.write_text("id_glob,text,author,date,looked_at,note\n")
    with pytest.raises(BadInput, match="has the columns"):
        read_overrides(path)


def test_a_pattern_is_held_against_its_own_data_set_alone(tmp_path: Path) -> None:
    rest = "me,2026-01-31,thermal,"
    lines = (f"kaist,set00/V000/*,a van,{rest}", f"sample,set05/*,a bus,{rest}")
    overrides = read_overrides(_write(tmp_path / "overrides.csv", *lines))
    frames = ["set00/V000/I00000", "set00/V001/I00000"]
    assert [one.text for one in overrides_of("kaist", overrides, frames)] == ["a van"]
    assert overrides_of("roadscene", overrides, ["FLIR_1"]) == []
    with pytest.raises(
        BadInput, match=r"line 3 of .*`set05/\*`, which matches no frame of `sample`"
    ):
        overrides_of("sample", overrides, frames)
