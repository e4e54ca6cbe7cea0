"""SCGAN: sizes, wiring, saliency and terms, restated from the facts of the authors' code."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from scipy.ndimage import convolve
from skimage.color import rgb2lab
from torch import Tensor
from torch.nn import functional as F

from tests.examiner import batch_of, begin, dummy_input, method_of, settings_of
from thermochroma.contract.method import Progress
from thermochroma.export.artifact import build_translator
from thermochroma.losses.adversarial import gradient_penalty
from thermochroma.losses.saliency import saliency
from thermochroma.methods.scgan import Critic
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import play

SMALL = 1 / 16
VARIANTS = {
    "one_channel": ({}, 58_755_200),
    "three_channels": ({"thermal_channels": 3}, 58_762_624),
    "no_head": ({"saliency_head": False}, 57_130_752),
}


def _changed(**changes: Any) -> Any:
    """The settings with some values of translator or game changed."""
    settings = settings_of("scgan")
    parts = {
        part: getattr(settings, part).model_copy(
            update={key: value for key, value in changes.items() if hasattr(block, key)}
        )
        for part, block in (("translator", settings.translator), ("game", settings.game))
    }
    return settings.model_copy(update=parts)


def _translator(scale: float = SMALL, **changes: Any) -> Any:
    torch.manual_seed(0)
    return build_translator(method_of("scgan"), _changed(**changes), scale=scale, text_width=0)


def _game(frozen: FrozenNetworks, **changes: Any) -> Any:
    settings = _changed(**changes)
    return method_of("scgan").game(
        translator=_translator(**changes),
        scale=SMALL,
        frozen=frozen,
        **settings.game.model_dump(),
    )


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_has_its_size_and_paints(variant: str) -> None:
    changes, count = VARIANTS[variant]
    with torch.device("meta"):
        full = _translator(1.0, **changes)
    assert _count(full) == count
    wider = 576 * (full.thermal_channels - 1)  # the first of its convolutions
    assert _count(full.global_features) == 17_077_952 + wider
    assert full.saliency_head is None or _count(full.saliency_head) == 1_624_448
    translator = _translator(**changes).eval()
    seen = dummy_input(method_of("scgan"), height=256, width=256, count=1)
    with torch.no_grad():
        output = translator(seen)
        again, salient = translator.predict(seen)
    assert output.shape == (1, 3, 256, 256)
    assert torch.equal(output, again)  # the head costs nothing when it is deployed, nor iterates
    assert (salient is None) == (variant == "no_head")


@pytest.mark.parametrize("norm", ["per_image", "running"])
@pytest.mark.parametrize("value_range", ["signed", "unit"])
def test_it_paints_what_a_plain_restatement_paints(value_range: str, norm: str) -> None:
    """Also holds the parameters to the order of the public checkpoints: the saliency head stands
    before the U-Net, a norm before its convolution."""
    translator = _translator(value_range=value_range, norm=norm)
    count = 2 if norm == "running" else 1  # per image: what batch norm in training makes of one
    seen = dummy_input(method_of("scgan"), height=256, width=256, count=count)
    translator.train()(seen)  # running statistics that are not trivial
    with torch.no_grad():
        output, salient = translator.eval().predict(seen)
        layers = [_Layer(layer) for layer in translator.modules() if _is_layer(layer)]
        if value_range == "signed":
            expected, expected_salient = _restated(iter(layers), seen.thermal)
        else:
            unit, expected_salient = _restated(iter(layers), seen.thermal / 2 + 0.5)
            expected = unit * 2 - 1
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(salient, expected_salient)


def test_the_first_power_iterations_leave_no_weight_longer_than_one() -> None:
    for layer in _translator().modules():
        if _is_layer(layer):
            weight = layer.convolution.weight.detach().flatten(1)
            assert torch.linalg.matrix_norm(weight, 2) == pytest.approx(1.0, rel=0.1)


def test_the_critic_scores_30_by_30_patches() -> None:
    with torch.device("meta"):
        assert _count(Critic(in_channels=4, base=64)) == 5_766_144
    critic = Critic(in_channels=4, base=4)
    assert critic(torch.zeros(1, 1, 256, 256), torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def test_saliency_is_the_distance_to_the_mean_colour() -> None:
    image = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    lab = rgb2lab(image[0].permute(1, 2, 0).double().numpy())
    line = torch.tensor([1, 4, 6, 4, 1.0]).double() / 16
    kernel = torch.outer(line, line).numpy()[..., None]
    away = convolve(lab, kernel, mode="mirror") - lab.mean((0, 1))
    expected = torch.from_numpy((away**2).sum(-1) ** 0.5).float()
    found = saliency(image * 2 - 1)
    torch.testing.assert_close(found[0, 0], expected / expected.max(), atol=1e-3, rtol=1e-3)


def test_saliency_of_thermal_and_of_nothing() -> None:
    spot = torch.full((2, 1, 32, 32), -1.0)
    spot[0, :, 10:16, 10:16] = 1.0
    found = saliency(spot)
    assert float(found[0].max()) == found[0, 0, 12, 12] == 1.0
    assert float(found[0, 0, 25, 25]) == pytest.approx((36 / 1024) / (1 - 36 / 1024), abs=1e-4)
    assert float(found[1].max()) == 0.0
    assert float(saliency(torch.full((1, 3, 16, 16), 0.37)).max()) < 0.2  # rounding errors


def test_the_gradient_penalty_of_critics_that_can_be_differentiated_by_hand() -> None:
    random = torch.Generator().manual_seed(0)
    real, fake, slope = (torch.randn(2, 3, 8, 8, generator=random) for _ in range(3))

    def plane(image: Tensor) -> Tensor:
        return (image * slope[:1]).sum((1, 2, 3)).view(-1, 1, 1, 1)

    expected = (slope[0].square().sum().sqrt() - 1).square()
    torch.testing.assert_close(gradient_penalty(plane, real, fake), expected.expand(2))

    def bowl(image: Tensor) -> Tensor:
        return image.square().mean(1, keepdim=True) * 1.5  # its gradient is the image

    torch.manual_seed(3)
    found = gradient_penalty(bowl, real, fake)
    torch.manual_seed(3)
    share = torch.rand(2, 1, 1, 1)
    between = share * real + (1 - share) * fake
    torch.testing.assert_close(found, (between.flatten(1).norm(dim=1) - 1).square())


@pytest.mark.parametrize("value_range", ["signed", "unit"])
@pytest.mark.parametrize("salient_critic", [False, True])
def test_the_terms_are_those_of_the_authors_code(
    frozen: FrozenNetworks, value_range: str, salient_critic: bool
) -> None:
    literal = value_range == "unit"
    game = _game(
        frozen,
        value_range=value_range,
        salient_critic=salient_critic,
        perceptual_imagenet_norm=not literal,
    ).eval()  # norms of the critic do not depend on who was scored before
    batch = batch_of("scgan")
    unit = (lambda image: image / 2 + 0.5) if literal else (lambda image: image)
    thermal, real = unit(batch.seen.thermal), unit(batch.target)
    with torch.no_grad():
        output, salient = game.translator.predict(batch.seen)
        fake, target = unit(output), saliency(batch.target)
        scored = {
            "critic_fake": game.critics[0](thermal, fake).mean((1, 2, 3)),
            "critic_real": -game.critics[0](thermal, real).mean((1, 2, 3)),
        }
        if salient_critic:
            scored["critic_fake"] += game.critics[1](thermal, fake * salient).mean((1, 2, 3))
            scored["critic_real"] -= game.critics[1](thermal, real * target).mean((1, 2, 3))
        vgg = frozen.vgg16(taps=(14,), imagenet_norm=not literal)
        features = [vgg(image)[0] for image in (fake, real)]
    expected = {
        **scored,
        "content": (fake - real).abs().mean((1, 2, 3)),
        "attention": (fake * salient - real * target).abs().mean((1, 2, 3)),
        "perceptual": (features[0] - features[1]).abs().mean((1, 2, 3)),
        "adversarial": -scored["critic_fake"],
    }
    turns = list(game.turns(batch, Progress(images=1, of=2)))
    assert [turn.player for turn in turns] == ["critic", "translator"]
    found = {name: term.detach() for turn in turns for name, term in turn.terms.items()}
    assert found.pop("gradient_penalty").shape == (2,)
    assert found.keys() == expected.keys()
    for name, term in found.items():
        torch.testing.assert_close(term, expected[name], msg=name, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "images", "players", "terms"),
    [
        ({}, 0, ["critic", "translator"], {"content", "attention"}),
        ({"critic_waits": True}, 0, ["translator"], {"content", "attention"}),
        ({"critic_waits": True, "saliency_head": False}, 2, ["translator"], {"content"}),
        (
            {"saliency_head": False},
            3,
            ["critic", "translator"],
            {"content", "perceptual", "adversarial"},
        ),
    ],
)
def test_the_critic_is_heeded_after_a_quarter(
    frozen: FrozenNetworks,
    changes: dict[str, bool],
    images: int,
    players: list[str],
    terms: set[str],
) -> None:
    game = _game(frozen, **changes)
    turns = list(game.turns(batch_of("scgan"), Progress(images=images, of=12)))
    assert [turn.player for turn in turns] == players
    assert set(turns[-1].terms) == terms


def test_the_saliency_of_the_thermal_image_may_be_taught(frozen: FrozenNetworks) -> None:
    batch = batch_of("scgan")
    game = _game(frozen, saliency_of="thermal")
    assert torch.equal(game.saliency(batch), saliency(batch.seen.thermal))
    assert torch.equal(_game(frozen).saliency(batch), saliency(batch.target))


def test_a_salient_critic_needs_a_saliency_head() -> None:
    settings = settings_of("scgan").model_dump(mode="json")
    settings["translator"]["saliency_head"] = False
    settings["game"]["salient_critic"] = True
    with pytest.raises(ValidationError, match="needs `saliency_head`"):
        method_of("scgan").settings.model_validate(settings, strict=False)


def test_it_learns_in_half_precision(frozen: FrozenNetworks) -> None:
    training = begin("scgan", frozen, images=2)
    training.half_precision = True
    for seed in range(2):  # the second is heeded; a term that is not finite would be refused
        play(training, batch_of("scgan", count=1, seed=seed))
    assert all(parameter.isfinite().all() for parameter in training.game.parameters())


class _Layer:
    """What one layer of ours holds, worked out plainly from its stored tensors."""

    def __init__(self, layer: Any) -> None:
        stored = dict(layer.state_dict())
        original = stored["convolution.parametrizations.weight.original"]
        u, v = (stored[f"convolution.parametrizations.weight.0._{name}"] for name in "uv")
        self.weight = original / (u @ original.flatten(1) @ v)
        self.norm = [
            stored.get(f"norm.{name}") for name in ("running_mean", "running_var", "weight", "bias")
        ]
        self.by_itself = "norm.running_mean" not in stored
        names = [name for name, _ in layer.named_parameters()]
        assert names[-1].startswith("convolution")  # behind the norm's, if there is one

    def __call__(self, x: Tensor, stride: int, act: Any) -> Tensor:
        padding = (self.weight.shape[-1] - 1) // 2
        x = F.conv2d(F.pad(x, (padding,) * 4, mode="reflect"), self.weight, stride=stride)
        if self.norm[2] is None:
            return act(x)
        return act(F.batch_norm(x, *self.norm, training=self.by_itself))


def _is_layer(module: torch.nn.Module) -> bool:
    return type(module).__name__ == "Layer"


def _leak(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def _restated(layers: Iterator[_Layer], thermal: Tensor) -> tuple[Tensor, Tensor]:
    """The authors' generator layer by layer; the layers come in the order of their checkpoints."""

    def layer(x: Tensor, stride: int = 1, act: Any = _leak) -> Tensor:
        return next(layers)(x, stride, act)

    def enlarge(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest")

    x = thermal
    for stride in (1, 2, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1, 2):  # VGG-16, and a last halving
        x = layer(x, stride)
    meaning = x
    head = [next(layers) for _ in range(6)]

    downs = [layer(thermal)]
    for _ in range(2, 7):
        downs.append(layer(downs[-1], 2))
    downs.append(layer(torch.cat([downs[-1], meaning], 1), 2))
    downs += [layer(downs[-1], 2)]
    x = layer(downs[-1], 2)
    ups = []
    for skip in reversed(downs):
        ups.append(layer(enlarge(x)))
        x = torch.cat([skip, ups[-1]], 1)
    output = layer(x, 1, torch.tanh)
    assert next(layers, None) is None

    eighth = head[1](enlarge(head[0](enlarge(ups[4]), 1, _leak)), 1, _leak)
    quarter = head[2](enlarge(ups[5]), 1, _leak)
    half = head[3](ups[6], 1, _leak)
    full = head[4](enlarge(torch.cat([eighth, quarter, half], 1)), 1, _leak)
    return output, head[5](full, 1, torch.sigmoid)
