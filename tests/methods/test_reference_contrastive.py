"""The reference-driven reconstruction: sizes, attention, what the reference can reach, losses restated."""

import pytest
import torch
from torch.nn import functional as F

from tests.examiner import batch_of, begin, settings_of
from thermochroma.contract.batch import Batch, Referenced
from thermochroma.contract.method import Progress
from thermochroma.losses.contrastive import patch_nce
from thermochroma.methods.reference_contrastive import (
    Alignment,
    Encoder,
    Enhancement,
    Integration,
    ReferenceGame,
    ReferenceTranslator,
    align,
    confidence,
)
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.patch_heads import draw_places

START = Progress(images=0, of=10)
SETTINGS = settings_of("reference_contrastive")


def _count(*networks: torch.nn.Module) -> int:
    return sum(p.numel() for network in networks for p in network.parameters())


def _translator(scale: float = 1 / 16, **changes: object) -> ReferenceTranslator:
    torch.manual_seed(0)
    return ReferenceTranslator(scale=scale, **(SETTINGS.translator.model_dump() | changes))


def _game(frozen: FrozenNetworks, **changes: object) -> ReferenceGame:
    game = SETTINGS.game.model_dump() | changes
    return ReferenceGame(translator=_translator(), scale=1 / 16, frozen=frozen, **game).train()


def test_the_parts_have_the_sizes_of_the_card(frozen: FrozenNetworks) -> None:
    with torch.device("meta"):
        full = _translator(1.0)
        game = ReferenceGame(
            translator=full, scale=1.0, frozen=frozen, **SETTINGS.game.model_dump()
        )
    modules = list(full.thermal_encoder.modules())
    assert _count(*(m for m in modules if isinstance(m, Integration))) == 422_000
    assert _count(full.to_reference, full.to_itself) == 264_192
    assert _count(full.enhance) == 11_400
    assert _count(full) == 8_627_851
    assert _count(game.critic) == 2_765_761
    assert _count(game.heads) == 387_072


def test_attention_is_a_softmax_whose_columns_are_then_evened_out() -> None:
    torch.manual_seed(0)
    queries, keys = torch.randn(2, 6, 8), torch.randn(2, 3, 8)
    answers, best = align(queries, keys, cosine=True, temperature=0.1)
    for n in range(2):
        cosines = torch.tensor(
            [[float(F.cosine_similarity(q, k, dim=0)) for k in keys[n]] for q in queries[n]]
        )
        soft = torch.exp(cosines / 0.1) / torch.exp(cosines / 0.1).sum(1, keepdim=True)
        torch.testing.assert_close(answers[n], soft / soft.sum(0) * 2, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(best[n], cosines.amax(1))
    torch.testing.assert_close(answers.sum(1), torch.full((2, 3), 2.0))
    assert not answers.requires_grad


def test_the_gate_fades_out_a_reference_to_which_nothing_is_alike() -> None:
    assert confidence(torch.tensor([[1.0, 0.5, -1.0]]))[0].tolist() == pytest.approx(
        [0.993307, 0.5, 0.0], abs=1e-6
    )
    block = Alignment(
        4, norm=lambda _: torch.nn.Identity(), cosine=True, temperature=0.1, gated=True
    )
    x = torch.ones(1, 4, 4, 4)
    x[:, 2:] = -1
    alone = F.leaky_relu(block.query(x), 0.2) + x
    torch.testing.assert_close(block(x, -x), alone, atol=1e-4, rtol=0)  # nothing alike: cosine -1
    assert (block(x, x) - alone).abs().max() > 0.01


def test_the_reference_changes_the_image_through_the_attention_alone() -> None:
    translator = _translator(norm="instance").eval()  # fresh features are faint
    seen = batch_of("reference_contrastive").seen
    other = Referenced(seen.thermal, -seen.reference)
    assert not torch.allclose(translator(seen), translator(other), atol=1e-5)
    for parameter in translator.to_reference.value.parameters():
        torch.nn.init.zeros_(parameter)  # nothing is told of the reference any more
    torch.testing.assert_close(translator(seen), translator(other))


def test_gradients_reach_the_attention_and_both_encoders(frozen: FrozenNetworks) -> None:
    game = _game(frozen)
    turns = list(game.turns(batch_of("reference_contrastive"), START))
    sum(term.mean() for term in turns[1].terms.values()).backward()
    for part in (Encoder, Alignment, Enhancement):
        for module in (m for m in game.translator.modules() if isinstance(m, part)):
            assert all(bool(p.grad.any()) for p in module.parameters()), part


def test_patches_are_found_among_those_of_their_own_image() -> None:
    identity = torch.eye(4)[None]
    found = patch_nce(identity, identity, temperature=0.07)
    assert float(found) == pytest.approx(1.788e-6, rel=0.1)
    assert float(patch_nce(torch.zeros(1, 4, 4), identity, temperature=0.07)) == pytest.approx(
        1.386294
    )
    rolled = patch_nce(identity, identity.roll(1, 1), temperature=0.07)
    assert float(rolled) == pytest.approx(14.285716)


@pytest.mark.parametrize("anchor", ["visible", "thermal", "both"])
def test_the_terms_are_the_cards_formulas(anchor: str, frozen: FrozenNetworks) -> None:
    game = _game(frozen, nce_anchor=anchor, nce_places=20)
    batch: Batch = batch_of("reference_contrastive")
    torch.manual_seed(5)
    _critic, taught = game.turns(batch, START)
    thermal, real, translator = batch.seen.thermal, batch.target, game.translator
    fake = translator(batch.seen)
    torch.manual_seed(5)
    contrasts = []
    for name in game.heads:
        encoder = translator.reference_encoder if name == "visible" else translator.thermal_encoder
        grey = 0.299 * fake[:, :1] + 0.587 * fake[:, 1:2] + 0.114 * fake[:, 2:]
        asked, known = (fake, real) if name == "visible" else (grey, thermal)
        maps = encoder(asked)
        places = draw_places(maps, 20)
        pairs = zip(maps, encoder(known), places, game.heads[name].heads, strict=True)
        contrasts.append(torch.stack([_cross_entropy(*pair) for pair in pairs]).mean())
    features = frozen.vgg19(taps=(3, 8, 17, 26), imagenet_norm=True)
    layers = zip((0.125, 0.25, 0.5, 1.0), features(fake), features(real), strict=True)
    # spectral norms move with every pass in training, so the critic is held still
    expected = {
        "content": (fake - real).abs().mean(),
        "perceptual": sum(factor * (a - b).abs().mean() for factor, a, b in layers),
        "contrastive": torch.stack(contrasts).mean(),
    }
    for name, value in expected.items():
        torch.testing.assert_close(taught.terms[name].mean(), value, msg=name, atol=1e-4, rtol=1e-3)


def _cross_entropy(
    asked: torch.Tensor, known: torch.Tensor, places: torch.Tensor, head: torch.nn.Module
) -> torch.Tensor:
    """Park et al.: softmax over the same image's places, at 0.07."""
    costs = []
    for one, other in zip(asked, known, strict=True):
        q, k = (head(x.flatten(1)[:, places].t()) for x in (one, other))
        q, k = q / q.norm(dim=1, keepdim=True), k / k.norm(dim=1, keepdim=True)
        likeness = q @ k.t() / 0.07
        costs += [likeness[n].logsumexp(0) - likeness[n, n] for n in range(len(places))]
    return torch.stack(costs).mean()


def test_the_adversarial_terms_are_least_squares(frozen: FrozenNetworks) -> None:
    game = _game(frozen).eval()  # spectral norms stand still
    batch = batch_of("reference_contrastive")
    critic, taught = game.turns(batch, START)
    fake = game.translator(batch.seen)
    on_real, on_fake = (
        game.critic(torch.cat([batch.seen.thermal, x], 1)) for x in (batch.target, fake)
    )
    expected = ((on_real - 1) ** 2, on_fake**2, (on_fake - 1) ** 2)
    found = (critic.terms["critic_real"], critic.terms["critic_fake"], taught.terms["adversarial"])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.mean(), other.mean())


def test_it_is_taught_by_the_optimizers_of_the_card(frozen: FrozenNetworks) -> None:
    for optimizer in begin("reference_contrastive", frozen).optimizers.values():
        group = optimizer.param_groups[0]
        assert (group["lr"], group["betas"]) == (2e-4, (0.5, 0.999))
