"""Number of parameters of each player at full width, beside that of its authors' code."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from thermochroma.config.params import Params
from thermochroma.contract.method import Game, load_method
from thermochroma.export.artifact import build_translator
from thermochroma.networks.frozen import FrozenNetworks

TEXT_WIDTH = 512  # of CLIP ViT-B/32
HEAD = ("block", "player", "parameters", "published", "equal", "buffers")


def game_at_full_width(params: Params, block: str, frozen: FrozenNetworks) -> Game[Any]:
    """Build the game of one block of params.yaml at scale 1, without memory for its weights."""
    settings = params.method(block)
    method = load_method(settings.method)
    with torch.device("meta"):
        translator = build_translator(method, settings, scale=1.0, text_width=TEXT_WIDTH)
        return method.game(
            translator=translator, scale=1.0, frozen=frozen, **settings.game.model_dump()
        )


def parameter_table(params: Params, blocks: Iterable[str], frozen: FrozenNetworks) -> str:
    """Markdown table of parameters, one row per player.

    Only trainable parameters count. Buffers of the player itself (running statistics) have a column of
    their own; frozen networks are in neither.
    """
    rows = [HEAD, ("---", "---", "--:", "--:", "---", "--:")]
    for block in blocks:
        method = load_method(params.method(block).method)
        expected = method.published_parameters[params.block_of(block)]
        for name, player in game_at_full_width(params, block, frozen).players().items():
            count = sum(one.numel() for one in player.parameters() if one.requires_grad)
            published = f"{expected[name]:,}" if method.counts_are_published else "—"
            equal = ("yes" if count == expected[name] else "NO") if published != "—" else "—"
            rows.append((block, name, f"{count:,}", published, equal, f"{_buffers(player):,}"))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _buffers(player: nn.Module) -> int:
    """Number of values in persistent buffers: those of a state dict that are no parameters."""
    parameters = {name for name, _ in player.named_parameters()}
    return sum(t.numel() for name, t in player.state_dict().items() if name not in parameters)
