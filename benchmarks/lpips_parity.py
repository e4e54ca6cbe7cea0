"""Our LPIPS beside the package `lpips` of its authors, on random pairs and on their example images.

The package is no dependency of this project: unpack its wheel somewhere and name the folder. It holds the
linear layers; both sides get the same published trunks from `data/weights`. The example images lie in the
authors' repository alone (`imgs/ex_ref.png`, `ex_p0.png`, `ex_p1.png`): name the folder where you have put
them, or any other, and they are left out.

    pip download --no-deps lpips==0.1.4 && unzip lpips-0.1.4-py3-none-any.whl -d <package>
    python -m benchmarks.lpips_parity --package <package> --weights data/weights --examples <imgs>
"""

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor

from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.base.images import read_visible
from thermochroma.base.tensors import to_network
from thermochroma.evaluation.perceptual import read_lpips
from thermochroma.metrics.perceptual import LPIPS_TRUNKS, Lpips
from thermochroma.networks.frozen import TENSORS

PAIRS: Final = 50
SIZE: Final = (96, 80)
NETS: Final = {"lpips_alex": "alex", "lpips_vgg": "vgg"}
EXAMPLES: Final = ("ex_ref.png", "ex_p0.png", "ex_p1.png")


def main(package: Path, weights: Path, examples: Path) -> None:
    """Print our values beside theirs. weights: as the stage `weights` wrote them, all published."""
    known = all((examples / file).exists() for file in EXAMPLES)
    sys.stdout.write(f"{PAIRS} random pairs, every other one an image and itself under noise; ")
    sys.stdout.write(f"example images {'too' if known else f'not found in {examples}'}\n\n")
    sys.stdout.write("| Network | pair | ours | theirs | difference |\n|:--|:--|--:|--:|--:|\n")
    for name, trunk in LPIPS_TRUNKS.items():
        folder = weights / "perception" / name
        ours = read_lpips(folder, trunk, torch.device("cpu"))
        theirs = authors_network(package, NETS[name], folder / TENSORS)
        found = [both(ours, theirs, *pair) for pair in random_pairs()]
        write_row(
            name, f"most different of {PAIRS}", *max(found, key=lambda two: abs(two[0] - two[1]))
        )
        write_row(name, f"least of {PAIRS}", *min(found))
        write_row(name, f"largest of {PAIRS}", *max(found))
        for file in EXAMPLES[1:] if known else ():
            pair = read_image(examples / EXAMPLES[0]), read_image(examples / file)
            write_row(name, file, *both(ours, theirs, *pair))


def write_row(name: str, pair: str, own: float, known: float) -> None:
    """Print one line of the table."""
    sys.stdout.write(f"| {name} | {pair} | {own:.4f} | {known:.4f} | {abs(own - known):.1e} |\n")
    sys.stdout.flush()


def authors_network(package: Path, net: str, stored: Path) -> Any:
    """Their network with its own linear layers, and the trunk that ours has."""
    if not (package / "lpips" / "__init__.py").is_file():
        raise BadInput(
            given=f"{package} holds no package `lpips`",
            needed="the unpacked wheel of its authors",
            remedy="`pip download --no-deps lpips==0.1.4`, unpack it, and name that folder as --package",
        )
    sys.path.insert(0, str(package))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a spelling that torchvision will drop
        network = importlib.import_module("lpips").LPIPS(net=net, pnet_rand=True, verbose=False)
    state = load_file(stored)
    own = network.net.state_dict()
    trunk = {name: state[f"features.{name.partition('.')[2]}"] for name in own}
    network.net.load_state_dict(trunk)
    return network.eval()


def random_pairs() -> list[tuple[Tensor, Tensor]]:
    """Images of noise, each with another, or with itself under more noise."""
    generator, pairs = torch.Generator().manual_seed(0), []
    for number in range(PAIRS):
        one, other = (
            torch.randint(0, 256, (1, 3, *SIZE), generator=generator, dtype=torch.uint8)
            for _ in range(2)
        )
        noise = 40 * torch.randn(one.shape, generator=generator)
        noisy = (one + noise).clamp(0, 255).to(torch.uint8)
        pairs.append((one, noisy if number % 2 else other))
    return pairs


@torch.no_grad()
def both(ours: Lpips, theirs: Any, one: Tensor, other: Tensor) -> tuple[float, float]:
    """Our value and theirs."""
    return ours(one, other).item(), theirs(to_network(one), to_network(other)).item()


def read_image(path: Path) -> Tensor:
    """An image as a batch of one. Raises BadInput if it cannot be read."""
    return torch.from_numpy(read_visible(path)).permute(2, 0, 1)[None].contiguous()


if __name__ == "__main__":
    run(main)
