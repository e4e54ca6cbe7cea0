"""Our own method without one of its parts, and with fewer pairs: scores of its mean.

The mean (sharpness 0) shares no weight with the sharp image that both could move, so that the critic and
the perceptual term may be left out here: what comes out has the scores of the whole training (compare
the first row with the pipeline's), in a fifth of the time. Needs crops and frozen networks as the
stages `crop` and `weights` wrote them; trains each variant once for each seed.

    python -m benchmarks.ablations --params params.yaml --dataset roadscene --block thermochroma_small \\
        --crops data/crops/roadscene --weights data/weights --seeds 0,1,2 --only all
"""

import statistics
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from thermochroma.base.device import choose_device
from thermochroma.base.tensors import to_bytes
from thermochroma.config.budget import Budget
from thermochroma.config.params import read_params
from thermochroma.contract.batch import Batch, Tunable
from thermochroma.contract.method import Game, Progress, Turn, load_method
from thermochroma.export.artifact import build_translator
from thermochroma.inference.predictions import truth_of
from thermochroma.loading.crops import Crops
from thermochroma.loading.loader import TrainingImages, training_batches
from thermochroma.methods.thermochroma import ThermochromaTranslator, terms_of_means
from thermochroma.metrics.fidelity import psnr, ssim
from thermochroma.networks.encoders import TaughtEncoder
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pipeline.training_run import training_rows
from thermochroma.training.loop import play_all
from thermochroma.training.state import Training, seed_everything

SPLITS: Final = ("validation", "test")
AT_ONCE: Final = 5


@dataclass(frozen=True)
class Variant:
    """What differs from the block: keys of `translator` and `weights`, a number of pairs."""

    title: str
    translator: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    frames: int | None = None
    stand_in: bool = False
    """Whether the encoder keeps the random weights that it is built with."""
    mirrored: bool = False
    """Whether the image and its mirrored twin are translated, and averaged."""


VARIANTS: Final = (
    Variant("as it is"),
    Variant("image and mirrored twin, averaged", mirrored=True),
    Variant("encoder with random weights, frozen", stand_in=True),
    Variant("encoder from scratch", translator={"encoder": "none"}),
    Variant("without global context", translator={"context": False}),
    Variant("without detail", translator={"detail": False}),
    Variant("without dropout", translator={"dropout": 0.0}),
    Variant("without SSIM (weight 0)", weights={"structure": 0.0}),
    Variant("SSIM at weight 0.1", weights={"structure": 0.1}),
    Variant("SSIM at weight 1", weights={"structure": 1.0}),
    Variant("all maps of the encoder", translator={"encoder": "efficientnet_lite0"}),
    Variant("VGG-16", translator={"encoder": "vgg16"}),
    Variant("20 pairs", frames=20),
    Variant("50 pairs", frames=50),
    Variant("100 pairs", frames=100),
)


class MeanGame(Game[Batch[Tunable]]):
    """Terms of the mean alone, as `ThermochromaGame` has them."""

    def __init__(self, translator: ThermochromaTranslator) -> None:
        super().__init__()
        self.translator = translator

    def players(self) -> Mapping[str, nn.Module]:
        return {"translator": self.translator}

    def turns(self, batch: Batch[Tunable], progress: Progress) -> Iterator[Turn]:
        thermal, target = batch.seen.thermal, batch.target
        maps = self.translator.encoder(thermal)
        means = self.translator.means(maps, self.translator.decoder(maps), thermal)
        yield Turn("translator", terms_of_means(means, target))


def main(
    params: Path, dataset: str, block: str, crops: Path, weights: Path, seeds: str, only: str
) -> None:
    """Print a Markdown table. only: numbers of rows, from 0, with commas between; `all` for all."""
    chosen = range(len(VARIANTS)) if only == "all" else map(int, only.split(","))
    settings = read_params(params)
    budget = settings.budget[dataset].of(block)
    sys.stdout.write(
        "| Variant | seeds | parameters that learn | validation PSNR / SSIM | test PSNR / SSIM |\n"
        "|---|--:|--:|---|---|\n"
    )
    for variant in (VARIANTS[number] for number in chosen):
        found: list[dict[str, tuple[float, float]]] = []
        for seed in map(int, seeds.split(",")):
            translator = taught(
                settings.method(block), budget, variant, Crops(crops), weights, seed=seed
            )
            found.append(scores(translator, Crops(crops), mirrored=variant.mirrored))
            sys.stderr.write(f"{variant.title}, seed {seed}: {found[-1]}\n")
        learnt = learning(translator)
        cells = [_cell([one[split] for one in found]) for split in SPLITS]
        sys.stdout.write(f"| {variant.title} | {len(found)} | {learnt:,} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


def taught(
    settings: Any, budget: Budget, variant: Variant, crops: Crops, weights: Path, *, seed: int
) -> ThermochromaTranslator:
    """Train the mean of one variant to its end, on the GPU if there is one; what would be deployed."""
    rows, device = training_rows(crops, variant.frames), choose_device()
    training = begun(
        settings,
        budget,
        variant,
        FrozenNetworks(weights),
        frames=len(rows),
        seed=seed,
        device=device,
    )
    images = TrainingImages(
        crops=crops,
        rows=rows,
        text=None,
        aligned=True,
        flip=budget.flip,
        window=budget.window or crops.thermal(rows.iloc[0]).shape[0],
        seed=seed,
        camera=budget.camera,
    )
    method = load_method(settings.method)
    batches = training_batches(
        images,
        start_images=0,
        images=training.progress.of,
        batch_size=budget.batch_size,
        workers=budget.workers,
        trains_on=method.trains_on,
        sees=method.sees,
        device=device,
    )
    play_all(training, batches, [])
    deployed: Any = training.deployed
    return deployed.eval()


def begun(
    settings: Any,
    budget: Budget,
    variant: Variant,
    frozen: FrozenNetworks,
    *,
    frames: int,
    seed: int,
    device: torch.device,
) -> Training:
    """A training of the mean alone, with the very random numbers of the whole one."""
    seed_everything(seed)
    changes = {
        "translator": settings.translator.model_copy(update=variant.translator),
        "weights": settings.weights.model_copy(update=variant.weights),
        "optimizers": {"translator": settings.optimizers["translator"]},
    }
    settings = settings.model_copy(update=changes)
    method = load_method(settings.method)
    translator: Any = build_translator(method, settings, scale=budget.scale, text_width=0)
    random = {name: one.clone() for name, one in translator.encoder.state_dict().items()}
    method.game(translator=translator, scale=budget.scale, frozen=frozen)  # draws for its critic
    if variant.stand_in:
        translator.encoder.load_state_dict(random)
    game = MeanGame(translator)
    game.to(device)
    game.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Training(
        game=game,
        translator=translator,
        settings=settings,
        images=budget.images_of(frames),
        reading_every_images=budget.reading_every_images,
        half_precision=budget.precision == "bfloat16",
    )


def scores(
    translator: ThermochromaTranslator, crops: Crops, *, mirrored: bool
) -> dict[str, tuple[float, float]]:
    """PSNR in dB and SSIM of 8-bit predictions, by split: means over images."""
    found = {}
    for split in SPLITS:
        levels, structure = scores_of(translator, crops, split, mirrored=mirrored)
        found[split] = (float(levels.mean()), float(structure.mean()))
    return found


@torch.no_grad()
def scores_of(
    translator: ThermochromaTranslator, crops: Crops, split: str, *, mirrored: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """PSNR in dB and SSIM of the 8-bit prediction of each image of a split."""
    rows = crops.split(split)
    truth = truth_of(crops, rows)
    seen = torch.stack([torch.from_numpy(crops.thermal(row).copy()) for _, row in rows.iterrows()])
    mean = _means(translator, seen[:, None].float() / 127.5 - 1)
    if mirrored:
        twin = _means(translator, seen[:, None].flip(-1).float() / 127.5 - 1).flip(-1)
        mean = (mean + twin) / 2
    prediction = to_bytes(mean)
    return psnr(prediction, truth), ssim(prediction, truth)


def learning(translator: ThermochromaTranslator) -> int:
    """Number of the weights that make the mean and that learn: an encoder that was taken over does not."""
    parts: list[nn.Module] = [translator.decoder, translator.mean, translator.others]
    if isinstance(translator.encoder, TaughtEncoder):
        parts.append(translator.encoder)
    return sum(one.numel() for part in parts for one in part.parameters())


def _means(translator: ThermochromaTranslator, thermal: torch.Tensor) -> torch.Tensor:
    device = next(translator.parameters()).device
    parts = [
        Tunable(some.to(device), torch.zeros(len(some), device=device))
        for some in thermal.split(AT_ONCE)
    ]
    return torch.cat([translator(part).cpu() for part in parts])


def _cell(found: list[tuple[float, float]]) -> str:
    levels, structure = ([one[place] for one in found] for place in (0, 1))
    spread = f" ± {statistics.stdev(levels):.2f}" if len(found) > 1 else ""
    return f"{statistics.mean(levels):.2f}{spread} / {statistics.mean(structure):.3f}"


if __name__ == "__main__":
    from stages.command import run  # which needs the whole environment; others use what is above

    run(main)
