"""Networks: published sizes, positions, switches of CMMF-Net."""

import pytest
import torch

from tests.examiner import TEXT_WIDTH, dummy_input, method_of, settings_of
from thermochroma.contract.dummy_input import TOKENS
from thermochroma.export.artifact import build_translator
from thermochroma.networks.blocks import ImageNorm, instance_norm
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.large_kernel import LargeKernelEncoder
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.vit import ImageEncoder, sine_positions


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_critic_scores_30_by_30_patches_of_70_pixels() -> None:
    critic = PatchCritic(in_channels=3, base=64, norm=instance_norm, biased=True)
    assert _count(critic) == 2_764_737
    small = PatchCritic(in_channels=3, base=4, norm=torch.nn.Identity, biased=True)
    image = torch.zeros(1, 3, 256, 256, requires_grad=True)
    scored = small(image)
    assert scored.shape == (1, 1, 30, 30)
    (seen,) = torch.autograd.grad(scored[0, 0, 15, 15], image)
    rows = seen.abs().sum((0, 1, 3)).nonzero().flatten()
    assert int(rows[-1] - rows[0]) + 1 == 70


def test_positions_code_the_column_first() -> None:
    table = sine_positions(4, 8)
    assert table.shape == (1, 8, 4, 4)
    assert torch.allclose(table[0, 0, 2], torch.arange(4.0).sin())  # channel 0, along a row
    assert torch.allclose(table[0, 2, 2], torch.arange(4.0).cos())
    assert torch.allclose(table[0, 4, :, 1], torch.arange(4.0).sin())  # second half: the row
    assert torch.allclose(table[0, 1, 0], (torch.arange(4.0) / 100).sin())


def test_encoders_have_the_published_sizes() -> None:
    with torch.device("meta"):
        assert _count(LargeKernelEncoder(in_channels=3, base=64)) == 3_441_088
        encoder = ImageEncoder(
            in_channels=3, width=512, depth=9, heads=8, patch=16, trained_side=256
        )
    assert _count(encoder) == 28_897_280 - 131_072  # the fixed table is no parameter of ours


def test_image_norm_scores_each_image_by_itself_when_deployed() -> None:
    norm = ImageNorm(2)
    images = torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(0)) * 4 + 1
    together = norm.train()(images)
    assert together.mean((0, 2, 3)).abs().max() < 1e-5
    deployed = norm.eval()(images)
    assert deployed.mean((2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(deployed[:1], norm(images[:1]))
    torch.testing.assert_close(deployed[:1], norm.train()(images[:1]))


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_instance_norm_keeps_its_statistics_in_float32(half: torch.dtype) -> None:
    """In half precision results and gradients are off by their own rounding and no more."""
    torch.manual_seed(0)
    image, slope = (torch.randn(2, 6, 32, 32) + 2).to(half), torch.randn(2, 6, 32, 32).to(half)
    pairs = [_normed(image.to(kind), slope.to(kind)) for kind in (half, torch.float64)]
    for found, right in zip(*pairs, strict=True):
        assert found.dtype == half
        rounding = (right.to(half).double() - right).norm()
        assert (found.double() - right).norm() < 1.05 * rounding


def test_instance_norm_in_float32_is_torchs_bit_by_bit() -> None:
    image = torch.randn(2, 6, 8, 8)
    assert torch.equal(instance_norm(6)(image), torch.nn.InstanceNorm2d(6)(image))


def _normed(image: torch.Tensor, slope: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    image = image.detach().requires_grad_()
    normed = instance_norm(image.shape[1])(image)
    return normed.detach(), torch.autograd.grad(normed, image, slope)[0]


def test_the_history_fills_then_exchanges_and_travels() -> None:
    torch.manual_seed(0)
    history = ImagePool(4)
    fakes = torch.arange(4.0).view(4, 1, 1, 1)
    assert torch.equal(history(fakes), fakes)
    returned = torch.cat([history(torch.full((1, 1, 1, 1), 10.0 + n)) for n in range(40)])
    former = (returned.flatten() != torch.arange(10.0, 50.0)).sum()
    assert 10 <= int(former) <= 30  # about half
    twin = ImagePool(4)
    twin.load_state_dict(history.state_dict())
    assert torch.equal(torch.stack(twin.kept), torch.stack(history.kept))
    none = ImagePool(0)
    assert torch.equal(none(fakes), fakes)


CHANGES = {
    "large_kernel": ({"up": "large_kernel"}, 41_583_043 - 131_072),
    "image_q": ({"roles": "image_q"}, 40_896_323 - 131_072),
    "token_map": ({"readout": "token_map"}, 40_896_323 - 131_072 - 1_179_904 + 525_312 + 177_664),
    "bypass": ({"fusion": "bypass"}, 34_589_507 - 131_072),
    "one_channel": ({"thermal_channels": 1}, 40_634_051 - 131_072),
    "end_of_text": ({"text_tokens": "end_of_text"}, 40_896_323 - 131_072),
    "add": ({"skip": "add"}, 40_896_323 - 131_072 - 9 * (128 * 128 + 64 * 64)),
    "patch_8": ({"patch": 8}, 40_896_323 - 131_072 - 3 * 192 * 512),
    "tanh": ({"out": "tanh"}, 40_896_323 - 131_072),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_open_point_of_cmmf_net_is_a_setting(change: str) -> None:
    update, count = CHANGES[change]
    settings, method = settings_of("cmmf_net"), method_of("cmmf_net")
    translator = settings.translator.model_copy(update=update)
    changed = settings.model_copy(update={"translator": translator})
    with torch.device("meta"):
        full = build_translator(method, changed, scale=1.0, text_width=512)
    assert _count(full) == count
    small = build_translator(method, changed, scale=1 / 16, text_width=TEXT_WIDTH).eval()
    side = 256 if update.get("readout") == "token_map" else 64
    with torch.no_grad():
        output = small(dummy_input(method, height=side, width=side))
    assert output.shape == (2, 3, side, side)
    assert output.isfinite().all()


@pytest.mark.parametrize(
    ("block", "matters"),
    [("cmmf_net", True), ("cmmf_net_no_interaction", True), ("cmmf_net_no_text", False)],
)
def test_text_matters_where_it_should(block: str, matters: bool) -> None:
    torch.manual_seed(0)
    method = method_of(block)
    translator = build_translator(method, settings_of(block), scale=1 / 16, text_width=TEXT_WIDTH)
    seen = dummy_input(method, height=64, width=64)
    other = type(seen)(thermal=seen.thermal, text=seen.text.flip(0), text_mask=seen.text_mask)
    padded = type(seen)(
        thermal=seen.thermal,
        text=seen.text.where(seen.text_mask[..., None], torch.full((), 9.0)),
        text_mask=seen.text_mask,
    )
    assert seen.text.shape[1] == TOKENS
    with torch.no_grad():
        output = translator.eval()(seen)
        assert (not torch.equal(translator(other), output)) == matters
        torch.testing.assert_close(translator(padded), output)  # padding never matters
