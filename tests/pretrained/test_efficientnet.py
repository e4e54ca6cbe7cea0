"""EfficientNet-Lite0 beside the packaged network, which is written down once more, layer by layer."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from thermochroma.base.errors import BadInput
from thermochroma.networks.efficientnet_lite import (
    STRIDES,
    EfficientNetLite0,
    load_efficientnet,
    shapes_of,
)
from thermochroma.networks.frozen import TENSORS
from thermochroma.pretrained.published import _folded
from thermochroma.pretrained.write_weights import write_efficientnet

torch.set_num_threads(1)
BLOCKS = (  # kernel, stride, channels in, expanded, out
    (3, 1, 32, 32, 16),
    (3, 2, 16, 96, 24),
    (3, 1, 24, 144, 24),
    (5, 2, 24, 144, 40),
    (5, 1, 40, 240, 40),
    (3, 2, 40, 240, 80),
    (3, 1, 80, 480, 80),
    (3, 1, 80, 480, 80),
    (5, 1, 80, 480, 112),
    (5, 1, 112, 672, 112),
    (5, 1, 112, 672, 112),
    (5, 2, 112, 672, 192),
    (5, 1, 192, 1152, 192),
    (5, 1, 192, 1152, 192),
    (5, 1, 192, 1152, 192),
    (3, 1, 192, 1152, 320),
)


class Same(nn.Conv2d):
    """A convolution without a bias, padded as TensorFlow's SAME."""

    def __init__(self, given: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(given, out, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        (kernel, stride), sides = (self.kernel_size[0], self.stride[0]), x.shape[:1:-1]
        more = [max(0, kernel - (side % stride or stride)) for side in sides]
        return super().forward(F.pad(x, [n for m in more for n in (m // 2, (m + 1) // 2)]))


class Packaged(nn.Module):
    """Names and layers of the package on the package index; batch norms with statistics of their own."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = Same(3, 32, 3, 2), nn.BatchNorm2d(32, eps=1e-3)
        self._blocks = nn.ModuleList(_block(*sizes) for sizes in BLOCKS)
        self._conv_head, self._bn1 = Same(320, 1280, 1), nn.BatchNorm2d(1280, eps=1e-3)
        self._fc = nn.Linear(1280, 1000)
        torch.manual_seed(0)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.weight.data.uniform_(0.5, 1.5)
                layer.bias.data.normal_(0.1, 0.2)
                assert layer.running_mean is not None and layer.running_var is not None
                layer.running_mean.normal_(0, 0.2)
                layer.running_var.uniform_(0.2, 0.6)
        self.eval()

    def forward(self, levels: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Outputs of all blocks, the pooled vector, and logits, of 8-bit levels."""
        x, found = F.relu6(self._bn0(self._conv_stem((levels - 127) / 128))), []
        for block, (_, stride, given, _, out) in zip(self._blocks, BLOCKS, strict=True):
            inner = block(x)
            x = inner + x if stride == 1 and given == out else inner
            found.append(x)
        pooled = F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))
        return found, pooled, self._fc(pooled)


def _block(kernel: int, stride: int, given: int, inner: int, out: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if inner != given:
        layers |= {"_expand_conv": Same(given, inner, 1), "_bn0": nn.BatchNorm2d(inner, eps=1e-3)}
        layers |= {"act0": nn.ReLU6()}
    layers |= {"_depthwise_conv": Same(inner, inner, kernel, stride, groups=inner)}
    layers |= {"_bn1": nn.BatchNorm2d(inner, eps=1e-3), "act1": nn.ReLU6()}
    layers |= {"_project_conv": Same(inner, out, 1), "_bn2": nn.BatchNorm2d(out, eps=1e-3)}
    return nn.Sequential(layers)


@pytest.fixture(scope="module")
def packaged() -> Packaged:
    return Packaged()


@pytest.fixture(scope="module")
def ours(packaged: Packaged, tmp_path_factory: pytest.TempPathFactory) -> EfficientNetLite0:
    path = tmp_path_factory.mktemp("lite") / "packaged.pth"
    torch.save(packaged.state_dict(), path)
    return EfficientNetLite0(_folded(path))


@pytest.mark.parametrize("height, width", [(64, 64), (224, 96), (75, 50)])
@torch.no_grad()
def test_it_is_the_packaged_network_at_any_size(
    packaged: Packaged, ours: EfficientNetLite0, height: int, width: int
) -> None:
    levels = torch.rand(2, 3, height, width) * 255
    blocks, pooled, logits = packaged(levels)
    maps = ours(levels / 127.5 - 1)
    for found, expected in zip(maps, (blocks[n] for n in (0, 2, 4, 10, 15)), strict=True):
        torch.testing.assert_close(
            found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max())
        )
    torch.testing.assert_close(ours.pooled(maps[-1]), pooled, rtol=1e-4, atol=1e-5)
    assert float((ours.logits(ours.pooled(maps[-1])) - logits).abs().max()) < 1e-5
    sizes = [(-(-height // stride), -(-width // stride)) for stride in STRIDES]
    assert [tuple(found.shape[2:]) for found in maps] == sizes


def test_its_tensors_are_those_of_the_package(packaged: Packaged, ours: EfficientNetLite0) -> None:
    shapes = shapes_of()
    own = sum(torch.Size(shape).numel() for shape in shapes.values())
    norms = [layer for layer in packaged.modules() if isinstance(layer, nn.BatchNorm2d)]
    gains = sum(layer.num_features for layer in norms)  # folded into the convolutions
    assert own == sum(p.numel() for p in packaged.parameters()) - gains
    assert [one.shape[1] for one in ours(torch.zeros(1, 3, 32, 32))] == [16, 24, 40, 112, 320]
    assert list(ours.parameters()) == [] and ours.state_dict() == {}


def test_gradients_reach_the_image_and_nothing_is_taught(ours: EfficientNetLite0) -> None:
    image = torch.zeros(1, 3, 32, 32, requires_grad=True)
    ours.logits(ours.pooled(ours(image)[-1])).sum().backward()
    assert image.grad is not None and bool(image.grad.any())


def test_a_stand_in_is_narrower_seeded_and_neither_fades_nor_explodes(tmp_path: Path) -> None:
    for name, seed in {"one": 1, "same": 1, "other": 2}.items():
        write_efficientnet(tmp_path / name, kind="stand_in", seed=seed, stand_in_width_divisor=8)
    one, same, other = (load_file(tmp_path / name / TENSORS) for name in ("one", "same", "other"))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["stem.weight"], other["stem.weight"])
    network = load_efficientnet(tmp_path / "one")
    maps = network(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert [found.shape[1] for found in maps] == [2, 3, 5, 14, 40]
    assert all(0.1 < float(found.std()) < 30 for found in maps)
    assert network.logits(network.pooled(maps[-1])).shape == (2, 1000)


@pytest.mark.parametrize("fault", ["missing", "misnamed", "misshapen", "headless"])
def test_other_tensors_are_refused(fault: str, tmp_path: Path) -> None:
    write_efficientnet(tmp_path, kind="stand_in", stand_in_width_divisor=16)
    state = load_file(tmp_path / TENSORS)
    if fault == "misshapen":
        state["blocks.3.depthwise.weight"] = torch.zeros(9, 1, 3, 3)
    elif fault == "headless":
        state["stem.bias"] = torch.zeros(64)
    else:
        taken = state.pop("blocks.3.depthwise.weight")
        if fault == "misnamed":
            state["blocks.3.deepwise.weight"] = taken
    with pytest.raises(BadInput, match="taken for EfficientNet-Lite0's"):
        EfficientNetLite0(state)
