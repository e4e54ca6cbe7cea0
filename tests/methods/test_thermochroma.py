"""Our own method: the two images and the line between them, the encoders, the bands."""

from pathlib import Path
from unittest.mock import patch

import pytest
import torch
import torch.nn.functional as F

from tests.stand_ins import stand_ins
from thermochroma.base.sealed import write_json
from thermochroma.contract.batch import Tunable
from thermochroma.methods.thermochroma import (
    BANDS,
    ThermochromaGame,
    ThermochromaTranslator,
    bands,
    box_mean,
    terms_of_means,
)
from thermochroma.networks.blocks import spread_channels
from thermochroma.networks.efficientnet_lite import EfficientNetLite0, shapes_of
from thermochroma.networks.encoders import (
    EfficientNetEncoder,
    EncoderName,
    VggEncoder,
    encoder_named,
)
from thermochroma.networks.frozen import ORIGIN, VGG_CONVS, FrozenNetworks, VggFeatures

RELUS = (8, 15, 22, 29)
"""VGG-16's relu2_2, relu3_3, relu4_3, relu5_3."""


def translator(
    *, encoder: EncoderName = "efficientnet_lite0_to_16", decoders: int = 1
) -> ThermochromaTranslator:
    """A small one whose heads are no longer zero."""
    torch.manual_seed(0)
    made = ThermochromaTranslator(
        scale=1 / 16,
        encoder=encoder,
        width=192,
        decoders=decoders,
        context=True,
        detail=True,
        dropout=0.0,
    )
    heads = [made.mean, *(one.head for one in made.others)]
    for head in (made.residual.out, *(part for one in heads for part in (one.colours, one.gains))):
        assert isinstance(head, torch.nn.Conv2d)
        torch.nn.init.normal_(head.weight, std=0.3)
    return made.eval()


def thermal(count: int = 3, side: int = 64) -> torch.Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_sharpness_moves_on_the_straight_line_from_the_mean_to_the_sharp_image() -> None:
    made, seen = translator(), thermal()
    with torch.no_grad():
        (mean,), sharp = made.all(seen)
        found = made(Tunable(seen, torch.tensor([0.0, 0.25, 1.0])))
    assert not torch.allclose(mean, sharp)
    assert torch.equal(found[0], mean[0])
    torch.testing.assert_close(found[1], 0.75 * mean[1] + 0.25 * sharp[1])
    torch.testing.assert_close(found[2], sharp[2])


def test_the_sharp_image_is_made_only_where_somebody_wants_it() -> None:
    made, seen = translator(decoders=2), thermal()
    with torch.no_grad():
        whole = made(Tunable(seen, torch.tensor([0.0, 0.0, 0.5])))
        with patch.object(made.residual, "forward", side_effect=AssertionError):
            alone = made(Tunable(seen, torch.zeros(3)))
    assert torch.equal(alone[:2], whole[:2])


def test_the_mean_is_the_average_of_decoders_that_are_taught_alone() -> None:
    made, seen = translator(decoders=3), thermal()
    means, sharp = made.all(seen)
    assert len(means) == 3 and not torch.allclose(means[0], means[1])
    found = made(Tunable(seen, torch.zeros(3)))
    torch.testing.assert_close(found, sum(means) / 3)
    target = torch.zeros_like(sharp)
    terms = terms_of_means(means, target)
    alone = [terms_of_means([one], target) for one in means]
    for name, term in terms.items():
        torch.testing.assert_close(term, sum(one[name] for one in alone) / 3)


def test_several_encoders_give_their_maps_from_fine_to_coarse() -> None:
    both = encoder_named("lite0_to_16_and_vgg16", base=48, scale=1.0)
    assert both.strides == (4, 4, 4, 8, 8, 16, 16)
    assert both.widths == (24, 128, 256, 40, 512, 112, 512)
    with torch.no_grad():
        found = both(thermal(1))
    for one, width, stride in zip(found, both.widths, both.strides, strict=True):
        assert one.shape == (1, width, 64 // stride, 64 // stride)
    assert not any(one.requires_grad for one in both.parameters())


def test_what_teaches_the_sharp_image_moves_nothing_of_the_mean() -> None:
    made = translator()
    _, sharp = made.all(thermal())
    sharp.square().sum().backward()
    for name, weight in made.named_parameters():
        assert (weight.grad is not None) == name.startswith("residual."), name


def test_a_frozen_encoder_never_learns_and_counts_as_a_part_of_the_network() -> None:
    made = translator()
    assert not any(one.requires_grad for one in made.encoder.parameters())
    assert sum(one.numel() for one in made.encoder.parameters()) == 692_688
    assert all(one.requires_grad for one in translator(encoder="none").parameters())


def test_its_maps_are_the_published_networks_own() -> None:
    torch.manual_seed(0)
    state = {name: 0.1 * torch.randn(shape) for name, shape in shapes_of().items()}
    wanted = EfficientNetLite0(state)(spread_channels(thermal(), 3))
    for coarsest, maps in ((32, wanted[1:]), (16, wanted[1:4])):
        encoder = EfficientNetEncoder(coarsest=coarsest)
        encoder.copy_from(state)
        for one, other in zip(encoder(thermal()), maps, strict=True):
            torch.testing.assert_close(one, other)
        assert encoder.widths == tuple(one.shape[1] for one in maps)
        assert encoder.strides == tuple(64 // one.shape[-1] for one in maps)


def test_vgg_gives_the_logarithms_of_its_maps() -> None:
    torch.manual_seed(0)
    encoder = VggEncoder()
    state = {
        f"features.{number}.{part}": encoder.get_parameter(f"features_{number}_{part}").detach()
        for number in VGG_CONVS["vgg16"]
        for part in ("weight", "bias")
    }
    features = VggFeatures(state, taps=RELUS, imagenet_norm=True)
    first, *others = features(spread_channels(thermal(1), 3))
    for found, wanted in zip(encoder(thermal(1)), (F.avg_pool2d(first, 2), *others), strict=True):
        torch.testing.assert_close(found, torch.log1p(wanted))


@pytest.mark.parametrize("kind", ["published", "stand_in"])
def test_it_takes_published_weights_and_no_stand_ins(kind: str, tmp_path: Path) -> None:
    stand_ins(tmp_path, divisor=1 if kind == "published" else 16)
    place = tmp_path / "efficientnet_lite0"
    write_json(place / ORIGIN, {"kind": kind})
    frozen, made = FrozenNetworks(tmp_path), translator()
    before = made.encoder.get_parameter("stem_weight").clone()
    ThermochromaGame(translator=made, scale=1 / 16, frozen=frozen)
    after = made.encoder.get_parameter("stem_weight")
    published = frozen.published("efficientnet_lite0")
    assert torch.equal(after, before if published is None else published["stem.weight"])
    assert (published is None) == (kind == "stand_in")
    assert not torch.equal(before, after) or published is None


def test_an_encoder_that_learns_has_the_width_of_its_decoder() -> None:
    assert encoder_named("none", base=64, scale=0.25).widths == (16, 16, 32, 32)


def test_bands_are_what_is_left_of_the_thermal_image_without_its_means() -> None:
    seen = thermal(1)
    found = bands(seen)
    for place, side in enumerate(BANDS):
        torch.testing.assert_close(found[:, place : place + 1], seen - box_mean(seen, side))
    flat = torch.full((1, 1, 32, 32), 0.3)
    torch.testing.assert_close(bands(flat), torch.zeros(1, 4, 32, 32), atol=1e-6, rtol=0)
    window = seen[0, 0, 10:17, 20:27]
    torch.testing.assert_close(box_mean(seen, 7)[0, 0, 13, 23], window.mean())
