"""Golden values: what they are compared by, and that their arithmetic is what playing gives."""

from collections.abc import Mapping
from math import inf
from typing import Any
from unittest.mock import patch

import pytest
from torch import Tensor

from tests import golden, mutants
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training import loop
from thermochroma.training.state import Training


def test_a_mutant_that_is_played_pulls_as_the_arithmetic_says(frozen: FrozenNetworks) -> None:
    def doubled(training: Training, shown: Any) -> Any:
        training.weights = {**training.weights, "content": 200.0}
        return shown

    plain, played = golden.read("pix2pix", frozen), golden.read("pix2pix", frozen, doubled)
    found = played.weighed(played.weights)
    told = plain.weighed({**plain.weights, "content": 200.0})
    pulls = {name for name in found if name.endswith("/pull")}
    assert {name: found[name] for name in pulls} == {name: told[name] for name in pulls}
    assert found["0/translator/gradient"] > 1.5 * told["0/translator/gradient"]
    assert plain.weights["content"] == 100


def test_a_term_that_never_reaches_the_optimizer_is_seen(frozen: FrozenNetworks) -> None:
    weigh = loop.weigh

    def forgetful(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
        return weigh({name: terms[name] for name in terms if name != "critic_fake"}, weights)

    with patch.object(loop, "weigh", forgetful), pytest.raises(AssertionError, match="critic's"):
        golden.read("pix2pix", frozen)


def test_values_are_compared_by_the_tolerance_of_their_kind() -> None:
    stored = {"0/p/gradient": -2.0, "0/p/term": 0.0, "image/size": 1.0, "image/mean": 0.0}
    assert max(golden.distances("one", stored, stored).values()) == 0
    away = golden.distances(
        "one",
        {"0/p/gradient": -2.03, "0/p/new": 1.0, "image/size": 1.0, "image/mean": 0.1},
        stored,
    )
    assert away == pytest.approx(
        {
            "0/p/gradient": 0.03 / 2 / golden.TOLERANCES["gradient"],
            "0/p/term": inf,  # is lacking
            "0/p/new": inf,
            "image/size": 0.0,
            "image/mean": 0.1 / golden.TOLERANCES["image"],
        }
    )
    assert golden.distances("one", {"0/p/term": 1e-9}, {"0/p/term": 0.0}) == {"0/p/term": inf}


def test_the_same_values_are_written_in_one_order() -> None:
    """Written anew without a change, the file shows none."""
    assert golden.STORED.read_text() == golden.text_of(golden.stored())
    assert golden.text_of({"b": {"1": 1.0, "0": 2.0}, "a": {}}) == golden.text_of(
        {"a": {}, "b": {"0": 2.0, "1": 1.0}}
    )


def test_mutants_change_one_weight_each_and_one_has_learnt_nothing() -> None:
    slopes = {"0/p/used": 3.0, "0/p/off": 2.0}
    reading = golden.Reading({"used": 0.5, "off": 0.0}, {"image/size": 1.0}, slopes)
    found = mutants.mutants(reading)
    pulls = {name: (one["0/p/used/pull"], one["0/p/off/pull"]) for name, one in found.items()}
    assert pulls == {
        "used 0.5 -> 1": (3.0, 0.0),
        "used 0.5 -> 0": (0.0, 0.0),
        "off 0 -> 1": (1.5, 2.0),
        "nothing learnt": (1.5, 0.0),
    }
    stored = reading.weighed(reading.weights)
    assert mutants.escaped("one", reading, stored) == []
    deaf = golden.Reading({"used": 0.5}, {"image/size": 1.0})  # the term has no gradient
    assert mutants.escaped("one", deaf, deaf.values) == ["used 0.5 -> 1", "used 0.5 -> 0"]
