"""What the contract costs: a full-width training step beside the same step written out by hand.

The hand-written one has the same networks, optimizers and formulas, and neither game nor trainer: no
turns, no named terms, no check for NaN, no readings. Both take turns in one process, round by round, in
seconds of processor time; the peaks of memory are of processes of their own.

    OMP_NUM_THREADS=1 python -m benchmarks.steps --params params.yaml --weights data/weights \\
        --blocks pix2pix,tir2lab --batches 1,8
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from pytorch_msssim import ssim
from torch import Tensor
from torch.nn import functional as F

from benchmarks.apart import apart
from thermochroma.base.colour_space import lab_of
from thermochroma.base.errors import BadInput
from thermochroma.base.memory import peak_bytes
from thermochroma.config.params import read_params
from thermochroma.contract import dummy_input
from thermochroma.contract.batch import Batch
from thermochroma.contract.method import load_method
from thermochroma.export.artifact import build_translator
from thermochroma.methods.tir2lab import scaled_lab, unlike_windows
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import play
from thermochroma.training.state import Training, seed_everything

SIDE: Final = 256
TEXT_WIDTH: Final = 512
ROUNDS: Final = 5
Step = Callable[[], object]


def main(params: Path, weights: Path, blocks: str, batches: str) -> None:
    """Prints a Markdown table: seconds of a forward pass and of a step, and peak memory."""
    head = "| block | batch | forward, s | step, s | by hand, s | ratio | MiB | by hand, MiB |"
    sys.stdout.write(f"{head}\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
    for block in blocks.split(","):
        refuse_unknown(block)
        for batch in map(int, batches.split(",")):
            case = (str(params), str(weights), block, batch)
            forward, ours, plain = apart(_times, *case)
            peaks = [apart(_peak, *case, kind) / 2**20 for kind in ("ours", "plain")]
            ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
            cells = (forward, statistics.median(ours), statistics.median(plain), ratio)
            told = " | ".join(f"{cell:.3f}" for cell in cells)
            sys.stdout.write(f"| {block} | {batch} | {told} | {peaks[0]:.0f} | {peaks[1]:.0f} |\n")
            sys.stdout.flush()


def refuse_unknown(block: str) -> None:
    """Raise BadInput for a block that nobody has written out by hand."""
    if block not in BY_HAND:
        raise BadInput(
            given=f"the step of `{block}` is not written out by hand",
            needed=f"one of {', '.join(BY_HAND)}",
            remedy="name others in --blocks, or write it in benchmarks/steps.py",
        )


def begun(params: str, weights: str, block: str, batch: int) -> tuple[Training, Batch[Any]]:
    """A training at full width, and images for it."""
    seed_everything(0)
    settings = read_params(Path(params)).method(block)
    method = load_method(settings.method)
    translator = build_translator(method, settings, scale=1.0, text_width=TEXT_WIDTH)
    frozen = FrozenNetworks(Path(weights))
    game = method.game(
        translator=translator, scale=1.0, frozen=frozen, **settings.game.model_dump()
    )
    training = Training(
        game=game, translator=translator, settings=settings, images=10**6, reading_every_images=100
    )
    seen = dummy_input.dummy_input(
        method.sees, height=SIDE, width=SIDE, count=batch, text_width=TEXT_WIDTH
    )
    target = torch.rand(batch, 3, SIDE, SIDE) * 2 - 1
    return training, Batch(seen, target, tuple(str(n) for n in range(batch)))


def by_hand(training: Training, batch: Batch[Any], block: str) -> Step:
    """The step without game and trainer, with optimizers of its own."""
    game, settings = training.game, training.settings
    optimizers = {
        name: _optimizer(list(player.parameters()), settings.optimizers[name].model_dump())
        for name, player in game.players().items()
    }
    losses = BY_HAND[block]

    def step() -> None:
        game.train()
        for player, cost in losses(game, batch):
            cost.backward()
            optimizers[player].step()
            optimizers[player].zero_grad(set_to_none=True)

    return step


def _optimizer(parameters: list[Tensor], how: Mapping[str, Any]) -> torch.optim.Optimizer:
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[how["kind"]]
    return kind(parameters, how["lr"], betas=how["betas"], weight_decay=how["weight_decay"])


def _adversarial(game: Any, batch: Batch[Any], *, taps: bool, content: float, weight: float) -> Any:
    """A conditional critic by cross entropy, then the translator."""
    thermal = batch.seen.thermal.repeat(1, 3, 1, 1)
    fake, real = game.translator(batch.seen), batch.target
    game.critic.requires_grad_(True)
    on_real = game.critic(torch.cat([thermal, real], 1))
    on_fake = game.critic(torch.cat([thermal, fake.detach()], 1))
    yield "critic", (F.softplus(-on_real).mean() + F.softplus(on_fake).mean()) / 2
    game.critic.requires_grad_(False)
    scored = game.critic(torch.cat([thermal, fake], 1))
    cost = weight * F.softplus(-scored).mean() + content * (fake - real).abs().mean()
    if taps:
        cost = cost + _features(game.terms.features, fake, real) + _variation(fake)
    yield "translator", cost
    game.critic.requires_grad_(True)


def _features(features: Any, fake: Tensor, real: Tensor) -> Tensor:
    with torch.no_grad():
        known = features(real)
    pairs = zip(features(fake), known, strict=True)
    return torch.stack([(a - b).abs().mean() for a, b in pairs]).sum()


def _variation(fake: Tensor) -> Tensor:
    across, down = fake[..., 1:] - fake[..., :-1], fake[..., 1:, :] - fake[..., :-1, :]
    return (across.abs().sum() + down.abs().sum()) / (SIDE * SIDE) / len(fake)


def _pix2pix(game: Any, batch: Batch[Any]) -> Any:
    return _adversarial(game, batch, taps=False, content=100.0, weight=1.0)


def _tic_cgan(game: Any, batch: Batch[Any]) -> Any:
    return _adversarial(game, batch, taps=True, content=1.0, weight=0.03)


def _cmmf_net(game: Any, batch: Batch[Any]) -> Any:
    fake, real = game.translator(batch.seen), batch.target
    structure = 1 - ssim((fake + 1) / 2, (real + 1) / 2, data_range=1.0)
    cost = (fake - real).abs().mean() + _features(game.features, fake, real) + _variation(fake)
    yield "translator", cost + structure


def _tir2lab(game: Any, batch: Batch[Any]) -> Any:
    output, target = game.translator.lab(batch.seen.thermal), scaled_lab(lab_of(batch.target))
    chroma = (output[:, 1:] - target[:, 1:]).abs().mean()
    yield "translator", (chroma + unlike_windows(output[:, :1], target[:, :1]).mean()) / 2


BY_HAND: Final[Mapping[str, Callable[[Any, Batch[Any]], Any]]] = {
    "pix2pix": _pix2pix,
    "tic_cgan": _tic_cgan,
    "lkat_gan": _tic_cgan,  # other networks, the same step
    "cmmf_net": _cmmf_net,
    "tir2lab": _tir2lab,
}


def _times(
    params: str, weights: str, block: str, size: int
) -> tuple[float, list[float], list[float]]:
    """Seconds of the translator's forward pass, of our steps and of those by hand."""
    training, batch = begun(params, weights, block, size)
    hand = by_hand(training, batch, block)
    found: dict[str, list[float]] = {"ours": [], "plain": []}
    for number in range(ROUNDS + 1):
        seconds = {"ours": _timed(lambda: play(training, batch)), "plain": _timed(hand)}
        if number:  # the first round warms up
            for name, one in seconds.items():
                found[name].append(one)
    with torch.no_grad():
        forward = min(_timed(lambda: training.translator.eval()(batch.seen)) for _ in range(3))
    return forward, found["ours"], found["plain"]


def _peak(params: str, weights: str, block: str, size: int, kind: str) -> int:
    """Bytes of memory at most, in three steps of one kind."""
    training, batch = begun(params, weights, block, size)
    step = by_hand(training, batch, block) if kind == "plain" else lambda: play(training, batch)
    for _ in range(3):
        step()
    return peak_bytes()


def _timed(step: Step) -> float:
    """Seconds of processor time: those of other programs on a shared machine do not count."""
    start = time.process_time()
    step()
    return time.process_time() - start


if __name__ == "__main__":
    from stages.command import run  # asks for packages that `benchmarks.gpu` does without

    run(main)
