"""The perceptual term in another VGG than the paper's: taught by that network, and named as a deviation."""

import json

import pytest
from torch import Tensor

from tests.examiner import METHODS, SCALE, TEXT_WIDTH, batch_of, method_of
from thermochroma.contract.method import Progress
from thermochroma.contract.settings import Settings
from thermochroma.export.artifact import build_translator
from thermochroma.losses.perceptual import perceptual
from thermochroma.networks.frozen import LAST_RELUS, FrozenNetworks, Vgg

IN_VGG19 = ["cmmf_net", "cmmf_net_no_text", "cmmf_net_no_interaction", "reference_contrastive"]


def _in(block: str, network: Vgg) -> Settings:
    raw = METHODS[block]
    game = raw["game"] | {
        "perceptual_network": network,
        "perceptual_taps": LAST_RELUS[network],
    }
    return method_of(block).settings.model_validate_json(json.dumps(raw | {"game": game}))


@pytest.mark.parametrize("block", IN_VGG19)
def test_the_term_is_taken_in_the_network_that_is_named(block: str, frozen: FrozenNetworks) -> None:
    found = {network: _term(block, network, frozen) for network in LAST_RELUS}
    for term, alone in found.values():
        assert term.tolist() == pytest.approx(alone.tolist(), rel=1e-5)
    assert found["vgg16"][0].tolist() != pytest.approx(found["vgg19"][0].tolist(), rel=1e-2)


@pytest.mark.parametrize("block", IN_VGG19)
def test_another_network_than_the_papers_is_a_deviation(block: str) -> None:
    says = method_of(block).deviation
    assert says
    assert says(_in(block, "vgg19")) == ""
    assert (
        says(_in(block, "vgg16"))
        == "perceptual term in the features of VGG-16, not of the paper's VGG-19"
    )


def _term(block: str, network: Vgg, frozen: FrozenNetworks) -> tuple[Tensor, Tensor]:
    """The perceptual term of the game, and the same of its output by hand."""
    method, settings = method_of(block), _in(block, network)
    translator = build_translator(method, settings, scale=SCALE, text_width=TEXT_WIDTH)
    game = method.game(
        translator=translator, scale=SCALE, frozen=frozen, **settings.game.model_dump()
    ).eval()
    batch = batch_of(block)
    *_, turn = game.turns(batch, Progress(images=0, of=10))
    features = frozen.vgg(
        network,
        taps=LAST_RELUS[network],
        imagenet_norm=settings.game.perceptual_imagenet_norm,
    )
    factors = getattr(settings.game, "perceptual_factors", None)
    output = translator(batch.seen)
    return turn.terms["perceptual"], perceptual(features, output, batch.target, factors=factors)
