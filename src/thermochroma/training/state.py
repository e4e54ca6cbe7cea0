"""State of a training: everything that changes while a game is played, in one object."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from thermochroma.contract.method import Game, Progress, Translator
from thermochroma.contract.settings import Settings
from thermochroma.training.ema import Average
from thermochroma.training.finite import FiniteChecks
from thermochroma.training.metric_log import MetricLog
from thermochroma.training.optimizers import (
    build_optimizers,
    refuse_misowned,
    set_rates,
    suit_to_device,
)


class Training:
    """Game, translator, average, optimizers by player, progress, metric log and random states.

    The progress also fixes the position of the loader: order and augmentation of the images are
    functions of the seed and of how many were shown. weights: the factor of each term.
    """

    def __init__(
        self,
        *,
        game: Game[Any],
        translator: Translator[Any],
        settings: Settings,
        images: int,
        reading_every_images: int,
        half_precision: bool = False,
    ) -> None:
        self.game, self.translator = game, translator
        self.players = game.players()
        refuse_misowned(game, self.players)
        self.settings = settings
        self.weights: Mapping[str, float] = settings.weights.model_dump()
        self.optimizers = build_optimizers(self.players, settings.optimizers)
        self.half_precision = half_precision
        self.progress = Progress(images=0, of=images)
        self.checks = FiniteChecks(defers=any(one.is_cuda for one in game.parameters()))
        self.metric_log = MetricLog(every_images=reading_every_images)
        half_life = settings.average_half_life_images
        self.average = (
            Average(translator, half_life_images=half_life) if half_life is not None else None
        )

    @property
    def deployed(self) -> Translator[Any]:
        """The translator that is deployed: the average if there is one."""
        return self.average.translator if self.average is not None else self.translator

    def set_rates(self) -> None:
        """Set the learning rates for the batch that is about to be shown."""
        set_rates(
            self.optimizers,
            self.settings.optimizers,
            progress=self.progress,
            constant_share=self.settings.constant_share,
        )

    def move_average(self, images: int) -> None:
        """Move the average, if there is one, after a batch of so many images."""
        if self.average is not None:
            self.average.move(self.translator, images=images)

    def advance(self, images: int) -> None:
        """Finish a batch: advance the progress."""
        self.progress = replace(self.progress, images=self.progress.images + images)

    def state_dict(self) -> dict[str, Any]:
        """The whole state, in tensors and plain values only.

        Raises BadInput if numbers were not finite that nobody has read yet.
        """
        self.checks.read()
        return {
            "game": self.game.state_dict(),
            "average": self.average.translator.state_dict() if self.average else None,
            "optimizers": {name: one.state_dict() for name, one in self.optimizers.items()},
            "progress": {"images": self.progress.images, "of": self.progress.of},
            "history": self.metric_log.state_dict(),
            "random": random_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a `state_dict`. Raises KeyError or RuntimeError for missing or surplus entries."""
        self.game.load_state_dict(state["game"])
        if self.average is not None:
            self.average.translator.load_state_dict(state["average"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
            suit_to_device(optimizer)
        self.progress = Progress(**state["progress"])
        self.metric_log.load_state_dict(state["history"])
        set_random_state(state["random"])


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    """The random states of Python, NumPy, torch and the GPU in use, as tensors and plain values."""
    version, inner, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(inner), gauss],
        "numpy": [[int(key) for key in keys], int(position), int(has_gauss), float(cached)],
        "torch": torch.get_rng_state(),
        "cuda": [torch.cuda.get_rng_state()] if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Restore what `random_state` returned."""
    version, inner, gauss = state["python"]
    random.setstate((version, tuple(inner), gauss))
    keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state(("MT19937", np.array(keys, np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"].cpu())
    if torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"][0].cpu())
