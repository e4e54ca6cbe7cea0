"""The choice of the frozen network of a perceptual term, for games whose paper takes it in VGG-19."""

from typing import Any, Final, TypeVar

from thermochroma.networks.frozen import LAST_RELUS, TITLES, Vgg, not_relus

PAPERS: Final[Vgg] = "vgg19"

GameSettings = TypeVar("GameSettings", bound=Any)
"""Settings of a game, with `perceptual_network` and `perceptual_taps`."""


def refuse_other_layers(game: GameSettings) -> GameSettings:
    """Raise ValueError for taps that are no ReLU of the chosen network, such as those of the other one."""
    network: Vgg = game.perceptual_network
    if odd := not_relus(network, game.perceptual_taps):
        raise ValueError(
            f"layers {odd} of {TITLES[network]} are no ReLUs; the last ReLUs of its first four blocks "
            f"are `perceptual_taps: {list(LAST_RELUS[network])}`"
        )
    return game


def other_than_vgg19(settings: Any) -> str:
    """Say of a block where its perceptual term is not in VGG-19; "" where it is."""
    chosen: Vgg = settings.game.perceptual_network
    if chosen == PAPERS:
        return ""
    return (
        f"perceptual term in the features of {TITLES[chosen]}, not of the paper's {TITLES[PAPERS]}"
    )
