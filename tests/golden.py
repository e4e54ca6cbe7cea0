"""Golden outputs: what each method predicts after two seeded batches. Rewrite: python -m tests.golden"""

import json
import tempfile
from pathlib import Path

import torch

from tests.examiner import BLOCKS, batch_of, begin, dummy_input, method_of, side_of
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pretrained.write_weights import write_vgg
from thermochroma.training.loop import play

STORED = Path(__file__).with_name("golden.json")


def reading(block: str, frozen: FrozenNetworks) -> list[float]:
    """Mean, spread and three single values of an image predicted after two batches."""
    training, method = begin(block, frozen), method_of(block)
    side = side_of(method)
    for seed in range(2):
        play(training, batch_of(block, seed=seed))
    with torch.no_grad():
        prediction = training.deployed.eval()(dummy_input(method, height=side, width=side, seed=2))
    places = prediction.flatten()[:: prediction.numel() // 3][:3]
    return [float(prediction.mean()), float(prediction.std()), *(float(value) for value in places)]


def stored() -> dict[str, list[float]]:
    return json.loads(STORED.read_text())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_vgg(Path(folder) / "vgg16", network="vgg16", kind="random", seed=0)
        write_vgg(Path(folder) / "vgg19", network="vgg19", kind="random", seed=0)
        frozen = FrozenNetworks(Path(folder))
        found = {block: [round(value, 6) for value in reading(block, frozen)] for block in BLOCKS}
    STORED.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
