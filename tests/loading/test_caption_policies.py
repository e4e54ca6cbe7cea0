"""Rows with other captions: who is given whose sentence, which methods have them, what is scored."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from tests.examiner import BLOCKS, SCALE, TEXT_WIDTH, dummy_input, method_of, settings_of
from tests.made_crops import Sequence, make_crops
from thermochroma.config.params import EvaluateSettings
from thermochroma.contract.batch import Captioned
from thermochroma.contract.method import Translator
from thermochroma.data.captioning import captions
from thermochroma.evaluation.evaluator import Evaluator
from thermochroma.evaluation.gallery import FILE, choose_gallery_rows
from thermochroma.evaluation.perceptual import Perception
from thermochroma.evaluation.policies import policies_of
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.export.artifact import build_translator
from thermochroma.export.metadata import Metadata
from thermochroma.loading.caption_policies import always, shuffled
from thermochroma.loading.crops import Crops
from thermochroma.loading.policies import (
    NOTE_ON_CAPTIONS,
    OTHER_CAPTIONS,
    OTHER_REFERENCES,
    ExtraInputs,
    with_captions,
)
from thermochroma.loading.text_features import CONSTANT, EMPTY, SAME_FOR_ALL, TextTable
from thermochroma.methods.cmmf_net import uses_text
from thermochroma.pipeline.evaluate import score_other_policies

SIDE = 32
TOKENS = 77
SEQUENCES = {
    "a": Sequence(2),
    "v": Sequence(4, split="validation"),
    "t": Sequence(5, split="test"),
    "u": Sequence(4, split="test"),
}
SETTINGS = EvaluateSettings(
    batch_size=4,
    frames_per_sequence=None,
    video_pairs=None,
    panel_frames=1,
    gallery_frames=None,
    timing_rounds=1,
)


class Reader(Translator[Captioned]):
    """Predicts the level that its text says, and looks at nothing else."""

    def forward(self, seen: Captioned) -> Tensor:
        return seen.text.mean((1, 2)).view(-1, 1, 1, 1).expand(-1, 3, *seen.thermal.shape[2:])


def _predict(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([*name.encode(), n])
    return (
        rng.integers(0, 255, (SIDE, SIDE)).astype(np.uint8),
        rng.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8),
    )


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Crops:
    return make_crops(tmp_path_factory.mktemp("crops"), SEQUENCES, _predict)


def _table(crops: Crops, kinds: int) -> TextTable:
    """The n-th frame reads sentence n modulo `kinds`, whose features are all its number, in tenths."""
    frames = pd.concat([crops.split(one) for one in ("train", "validation", "test")])["frame"]
    rows = {frame: n % kinds for n, frame in enumerate(frames)}
    rows |= {EMPTY: kinds, CONSTANT: kinds + 1}
    levels = torch.arange(kinds + 2) / 10
    features = levels[:, None, None].expand(-1, TOKENS, 2).contiguous()
    return TextTable(features, torch.ones(kinds + 2, TOKENS, dtype=torch.bool), rows)


@pytest.mark.parametrize("kinds", [2, 3])
def test_shuffled_captions_come_from_the_split_and_read_differently(
    crops: Crops, kinds: int
) -> None:
    text, rows = _table(crops, kinds), scored_rows(crops, None)
    split = dict(zip(rows["frame"], rows["split"], strict=True))
    drawn = [shuffled(text, rows, seed=seed) for seed in range(4)]
    for given in drawn:
        assert set(given) == set(rows["frame"])
        for frame, whose in given.items():
            assert split[whose] == split[frame]
            assert text.row(whose) != text.row(frame)
    assert drawn[0] == shuffled(text, rows, seed=0)
    assert len({tuple(given.values()) for given in drawn}) == 4


def test_a_sentence_without_another_is_kept(crops: Crops) -> None:
    text, rows = _table(crops, 1), scored_rows(crops, None)
    assert set(shuffled(text, rows, seed=0)) == set(rows["frame"])


def test_dealt_features_are_those_of_the_sentence_that_was_given(crops: Crops) -> None:
    text, rows = _table(crops, 3), scored_rows(crops, None)
    found = with_captions(ExtraInputs(text, None), crops, rows, policy=partial(shuffled, seed=1))
    assert found.text is not None
    table = found.records["captions.csv"]
    assert table["frame"].tolist() == list(shuffled(text, rows, seed=1))
    for frame, whose in table.itertuples(index=False):
        assert found.text.row(frame) == text.row(whose)
    for name in SAME_FOR_ALL:
        same = text.dealt(always(text, rows, name=name))
        assert {same.row(frame) for frame in rows["frame"]} == {text.row(name)}


def test_each_policy_is_scored_on_what_is_predicted_with_its_sentences(
    crops: Crops, tmp_path: Path
) -> None:
    text, rows = _table(crops, 3), scored_rows(crops, None)
    method, cpu = method_of("cmmf_net"), torch.device("cpu")
    nothing = Perception({}, {}, cpu)
    evaluator = Evaluator(
        Reader(),
        method,
        crops,
        ExtraInputs(text, None),
        SETTINGS.batch_size,
        cpu,
        nothing,
    )
    own = evaluator.score(rows, title="own").scores
    gallery_rows = choose_gallery_rows(rows, None)
    told = score_other_policies(
        evaluator, OTHER_CAPTIONS, rows, gallery_rows, tmp_path, title="made up"
    )
    assert list(told) == ["shuffled", "empty", "constant"]
    for name, row in (("empty", EMPTY), ("constant", CONSTANT)):
        scores = pd.read_csv(tmp_path / name / "scores.csv")
        images = np.load(tmp_path / name / FILE)["images"]
        level = round(float(text.features[text.row(row)].mean() + 1) * 127.5)
        assert set(np.unique(images)) == {level}
        truth = np.stack([np.asarray(crops.visible(row)) for _, row in rows.iterrows()])
        error = np.square(truth.astype(float) - level).mean((1, 2, 3))
        assert scores["mse"].to_numpy() == pytest.approx(error)
    each = [
        evaluator.under(
            with_captions(evaluator.extra, crops, rows, policy=partial(shuffled, seed=seed))
        )
        for seed in range(3)
    ]
    mean = np.mean([one.score(rows, title="again").scores["mse"] for one in each], axis=0)
    found = pd.read_csv(tmp_path / "shuffled/scores.csv")
    assert found["mse"].to_numpy() == pytest.approx(mean)
    assert not np.allclose(found["mse"], own["mse"])
    assert len(pd.read_csv(tmp_path / "shuffled/captions.csv")) == 3 * len(rows)


def _label(block: str, **translator: str) -> Metadata:
    settings = settings_of(block).model_dump(mode="json")
    settings["translator"] |= translator
    return Metadata(block, settings, SCALE, TEXT_WIDTH, "made-up", SIDE, "random", None)


def test_rows_with_other_captions_stand_below_methods_that_read_them() -> None:
    expected: dict[str, Any] = {
        "cmmf_net": OTHER_CAPTIONS,
        "cmmf_net_no_interaction": OTHER_CAPTIONS,
        "cmmf_net_no_text": {},
        "reference_contrastive": OTHER_REFERENCES,
        "pix2pix": {},
        "thermal_mask": {},
    }
    for block, policies in expected.items():
        assert policies_of(_label(block)) == policies, block
    assert policies_of(_label("cmmf_net", fusion="bypass")) == {}


@pytest.mark.parametrize("block", [name for name in BLOCKS if method_of(name).sees is Captioned])
@pytest.mark.parametrize("fusion", ["interaction", "image_alone", "bypass", "addition"])
@pytest.mark.parametrize("changes", [{}, {"roles": "image_q"}, {"text_tokens": "end_of_text"}])
def test_what_a_block_says_of_its_text_is_true(
    block: str, fusion: str, changes: dict[str, str]
) -> None:
    method, settings = method_of(block), settings_of(block)
    translator = settings.translator.model_copy(update={"fusion": fusion, **changes})
    changed = settings.model_copy(update={"translator": translator})
    torch.manual_seed(0)
    network = build_translator(method, changed, scale=SCALE, text_width=TEXT_WIDTH).eval()
    seen = dummy_input(method, height=64, width=64)
    other = replace(seen, text=seen.text.flip(2))
    with torch.no_grad():
        moved = not torch.equal(network(seen), network(other))
    assert moved == uses_text(changed)


def test_the_note_and_the_profile_name_the_same_constant_sentence() -> None:
    assert SAME_FOR_ALL == {EMPTY: "", CONSTANT: captions.CONSTANT}
    assert f'"{captions.CONSTANT}"' in NOTE_ON_CAPTIONS
