"""The common examination: fifteen questions to every method. A new file is asked them for nothing."""

from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import golden, layouts, mutants, precision, questions
from tests.examiner import (
    BLOCKS,
    SCALE,
    TEXT_WIDTH,
    batch_of,
    begin,
    dummy_input,
    method_of,
    output_channels,
    raw_params,
    settings_of,
    side_of,
    write_params,
)
from tests.parameter_counts import expected_counts
from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import to_bytes
from thermochroma.config.params import read_params
from thermochroma.contract.batch import Captioned
from thermochroma.contract.method import Direction, load_method, method_names
from thermochroma.export.artifact import build_translator, load_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.export.traits import Traits
from thermochroma.inference.predictor import Predictor
from thermochroma.inference.torch_engine import TorchEngine
from thermochroma.loading.text_features import TextTable
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import play, trainable
from thermochroma.training.optimizers import refuse_misowned

small = pytest.mark.usefixtures("shallow")
every_block = pytest.mark.parametrize("block", BLOCKS)
every_block_together = pytest.mark.parametrize(  # in one process, which plays it once
    "block", [pytest.param(one, marks=pytest.mark.xdist_group(f"golden {one}")) for one in BLOCKS]
)


@pytest.mark.parametrize("name", method_names())
def test_0_a_file_in_methods_has_a_block_of_params(name: str) -> None:
    load_method(name)
    assert name in {settings_of(block).method for block in BLOCKS}


@every_block
def test_1_a_misspelt_key_is_refused(block: str, tmp_path: Path) -> None:
    raw = raw_params()
    raw["methods"][block]["wieghts"] = raw["methods"][block].pop("weights")
    wrong = tmp_path / "params.yaml"
    write_params(wrong, raw)
    with pytest.raises(BadInput, match=rf"methods\.{block}\.(wieghts|weights)"):
        read_params(wrong).method(block)


@every_block
def test_2_the_parameter_count_is_the_published_one(block: str, frozen: FrozenNetworks) -> None:
    settings, method = settings_of(block), method_of(block)
    with torch.device("meta"):  # shapes without memory
        translator = build_translator(method, settings, scale=1.0, text_width=512)
        game = method.game(
            translator=translator, scale=1.0, frozen=frozen, **settings.game.model_dump()
        )
    counts = {
        name: sum(parameter.numel() for parameter in trainable(player))
        for name, player in game.players().items()
    }
    assert counts == method.published_parameters[block]
    assert counts == expected_counts(block)


@every_block
def test_3_shape_range_and_other_sizes(block: str) -> None:
    method = method_of(block)
    translator = _translator(block)
    side = side_of(method)
    for height, width in ((side, side), (side, side + method.sides_multiple_of)):
        output = translator(dummy_input(method, height=height, width=width))
        assert output.shape == (2, output_channels(method), height, width)
        assert output.isfinite().all()
        assert to_bytes(output).dtype == torch.uint8


@every_block
def test_3_the_shortest_side_is_taken_and_no_shorter_one(block: str) -> None:
    method, translator = method_of(block), _translator(block)
    least = method.side_for(1)
    for height, width in ((least, least), (least, 4 * least), (4 * least, least)):
        output = translator(dummy_input(method, height=height, width=width, count=1))
        assert output.shape == (1, output_channels(method), height, width)
        assert output.isfinite().all()
    shorter = least - method.sides_multiple_of
    if shorter:
        with pytest.raises((ValueError, RuntimeError)):
            translator(dummy_input(method, height=shorter, width=shorter, count=1))


@every_block
@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (1, 101)])
def test_3_images_of_any_size_are_translated(block: str, shape: tuple[int, int]) -> None:
    """Smaller ones than the network takes are mirrored up to its shortest side."""
    method, text = method_of(block), None
    if method.sees is Captioned:
        text = TextTable(torch.zeros(1, 77, TEXT_WIDTH), torch.ones(1, 77, dtype=torch.bool), {})
    traits = Traits.of(
        method.sees,
        title=method.title,
        sides_multiple_of=method.sides_multiple_of,
        least_side=method.least_side,
    )
    engine = TorchEngine(_translator(block), traits, method.sees, text, torch.device("cpu"))
    predictor = Predictor(engine)
    seen = np.zeros((1, *shape, *([3] if predictor.sees == "visible" else [])), np.uint8)
    prediction = predictor(seen)
    assert prediction.shape == (1, *shape, output_channels(method))


@every_block
def test_4_a_image_does_not_depend_on_its_batch(block: str) -> None:
    method, translator = method_of(block), _translator(block)
    side = side_of(method)
    seen = dummy_input(method, height=side, width=side, count=3)
    alone = type(seen)(**{one.name: getattr(seen, one.name)[1:2] for one in fields(seen)})
    torch.testing.assert_close(translator(seen)[1:2], translator(alone), atol=1e-4, rtol=1e-4)


@small
@every_block
def test_5_and_7_a_turn_moves_its_player_whole_and_no_other_and_every_weight_is_used(
    block: str, narrow_frozen: FrozenNetworks
) -> None:
    assert not questions.out_of_turn(block, narrow_frozen)


@every_block
def test_6_every_parameter_has_one_owner(block: str, frozen: FrozenNetworks) -> None:
    training = begin(block, frozen)
    refuse_misowned(training.game, training.players)
    stray = torch.nn.Linear(1, 1)
    training.game.add_module("stray", stray)
    with pytest.raises(ValueError, match="stray"):
        refuse_misowned(training.game, training.players)


@small
@every_block
def test_8_it_learns_one_image_by_heart(block: str, frozen: FrozenNetworks) -> None:
    assert not questions.unlearnt(block, frozen)


@small
@every_block
def test_9_two_steps_and_one_are_three(block: str, narrow_frozen: FrozenNetworks) -> None:
    assert not questions.resumed_otherwise(block, narrow_frozen)


@small
@every_block_together
def test_10_the_same_seed_gives_the_golden_values(block: str, frozen: FrozenNetworks) -> None:
    reading, stored = _reading(block, frozen), golden.stored()
    assert block in stored, "run `python -m tests.golden` and look at what it writes"
    away = golden.distances(block, reading.weighed(reading.weights), stored[block])
    assert not {name: distance for name, distance in away.items() if distance > 1}


@small
@every_block_together
def test_10_another_weight_does_not(block: str, frozen: FrozenNetworks) -> None:
    reading = _reading(block, frozen)
    lost, count = mutants.escaped(block, reading, golden.stored()[block]), mutants.count(reading)
    assert not lost, f"{count - len(lost)} of {count} mutants are caught"


@cache
def _reading(block: str, frozen: FrozenNetworks) -> golden.Reading:
    return golden.read(block, frozen)


@small
@every_block
def test_11_the_translator_ships_alone(
    block: str, narrow_frozen: FrozenNetworks, tmp_path: Path
) -> None:
    training, method = begin(block, narrow_frozen), method_of(block)
    play(training, batch_of(block))
    settings = training.settings.model_dump(mode="json")
    metadata = Metadata(
        block, settings, SCALE, TEXT_WIDTH, "made-up", side_of(method), "random", None
    )
    save_translator(training.deployed, tmp_path / "one.safetensors", metadata)
    save_translator(training.deployed, tmp_path / "two.safetensors", metadata)
    assert (tmp_path / "one.safetensors").read_bytes() == (
        tmp_path / "two.safetensors"
    ).read_bytes()
    alone, found = load_translator(tmp_path / "one.safetensors")
    assert found == metadata
    side = side_of(method)
    seen = dummy_input(method, height=side, width=side)
    with torch.no_grad():
        assert torch.equal(alone(seen), training.deployed.eval()(seen))


@every_block
def test_12_no_target_is_in_sight(block: str) -> None:
    method = method_of(block)
    names = {one.name for one in fields(method.sees)}
    target = "visible" if method.direction is Direction.THERMAL_TO_VISIBLE else "thermal"
    assert names.isdisjoint({target, "target"})


@small
@every_block
@pytest.mark.parametrize(
    ("count", "layout"),
    [(1, "channels last"), (2, "channels last"), (4, "channels last"), (2, "contiguous")],
)
def test_13_a_step_is_the_plain_step(
    block: str, count: int, layout: str, narrow_frozen: FrozenNetworks
) -> None:
    watched = layouts.steps_beside_plain_ones(
        block, narrow_frozen, layouts.LAYOUTS[layout], count=count
    )
    assert {name: beside.steps for name, beside in watched.items()} == dict.fromkeys(watched, 1)
    for player, beside in watched.items():
        assert not beside.strides, f"{player} is stepped by gradients in another layout"
        assert beside.worst < 1e-2, f"{player} is not stepped as by plain Adam"


@small
@every_block
@pytest.mark.parametrize("count", [1, 2])
def test_14_gradients_do_not_depend_on_the_layout(
    block: str, count: int, narrow_frozen: FrozenNetworks
) -> None:
    differences = layouts.difference_by_layout(block, narrow_frozen, count=count)
    for player, difference in differences.items():
        assert difference < 1e-9, f"the gradients of {player} depend on the memory layout"


@small
@every_block
def test_15_half_precision_turns_gradients_no_more_than_it_must(
    block: str, frozen: FrozenNetworks
) -> None:
    assert not precision.faults(block, frozen)


def _translator(block: str) -> torch.nn.Module:
    torch.manual_seed(0)
    network = build_translator(
        method_of(block), settings_of(block), scale=SCALE, text_width=TEXT_WIDTH
    )
    return network.eval().requires_grad_(False)
