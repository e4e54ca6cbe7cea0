"""Steps by hand of the methods that learn from three frames in a row; each frame passes by itself."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.steps.formulas import Costs, fixed, patch_contrast, squares
from thermochroma.contract.batch import Triplets
from thermochroma.networks.patch_heads import draw_places

OTHER = {"visible": "thermal", "thermal": "visible"}
STYLE = (1 / 32, 1 / 16, 1 / 8, 1.0, 1.0)
CONTENT = 3
Frames = dict[str, list[Tensor]]
Maps = Sequence[Tensor]


def recycle_gan(game: Any, batch: Triplets) -> Costs:
    """Least squares on three frames, recycled forecasts, and forecasts."""
    true, into = _true(batch), {"visible": game.to_visible.resnet, "thermal": game.to_thermal}
    fakes, expected = _fakes(game, into, true), _expected(game, true)
    with fixed(game.critics):
        cost = torch.zeros((), dtype=batch.visible.dtype, device=batch.device)
        for name, home in OTHER.items():
            cost = cost + _fooled(game.critics[name], fakes[name])
            cost = cost + 10 * F.l1_loss(into[home](fakes[name][2]), true[home][2])
            cost = cost + 10 * F.l1_loss(expected[name], true[name][2])
        yield "translators", cost
    yield "critics", _told(game, true, fakes, expected)


def i2v_gan(game: Any, batch: Triplets) -> Costs:
    """The same with distances of pixels, content and style, identities, and contrasts of patches."""
    true, into = _true(batch), {"visible": game.to_visible.resnet, "thermal": game.to_thermal}
    fakes, expected = _fakes(game, into, true), _expected(game, true)
    with fixed(game.critics):
        cost = torch.zeros((), dtype=batch.visible.dtype, device=batch.device)
        for name, home in OTHER.items():
            cost = cost + _fooled(game.critics[name], fakes[name])
            for fake, frame in zip(fakes[name], true[home], strict=True):
                cost = cost + 10 * _composite(game.features, into[home](fake), frame)
            cost = cost + 10 * _composite(game.features, expected[home], true[home][2])
            for frame in true[home][:2]:
                cost = cost + 5 * F.l1_loss(into[home](frame), frame)
            cost = cost + _contrasts(game, into[name].encode, name, fakes[name], true[home])
        yield "translators", cost
    yield "critics", _told(game, true, fakes, expected)


def _true(batch: Triplets) -> Frames:
    thermal = [frame.repeat(1, 3, 1, 1) for frame in batch.thermal.unbind(1)]
    return {"visible": list(batch.visible.unbind(1)), "thermal": thermal}


def _fakes(game: Any, into: Any, true: Frames) -> Frames:
    """Two translated frames of each spectrum, and the third, forecast from them."""
    found = {}
    for name, home in OTHER.items():
        first, second = into[name](true[home][0]), into[name](true[home][1])
        found[name] = [first, second, game.forecasters[name](torch.cat([first, second], 1))]
    return found


def _expected(game: Any, true: Frames) -> dict[str, Tensor]:
    """The third frame of each spectrum, forecast from the first two true ones."""
    return {name: game.forecasters[name](torch.cat(true[name][:2], 1)) for name in OTHER}


def _fooled(critic: Any, fakes: list[Tensor]) -> Tensor:
    return torch.stack([squares(critic(fake), 1) for fake in fakes]).sum()


def _told(game: Any, true: Frames, fakes: Frames, expected: dict[str, Tensor]) -> Tensor:
    """Sum over the pairs of each critic: three frames with their fakes, the third with its forecast."""
    costs = []
    for name in OTHER:
        critic, shown = game.critics[name], [*fakes[name], expected[name]]
        for real, fake in zip([*true[name], true[name][2]], shown, strict=True):
            former = game.pools[name](fake.detach())
            costs.append((squares(critic(real), 1) + squares(critic(former), 0)) / 2)
    return torch.stack(costs).sum()


def _composite(features: Any, fake: Tensor, real: Tensor) -> Tensor:
    with torch.no_grad():
        known = features(real)
    found = features(fake)
    styles = [
        factor * F.mse_loss(_gram(one), _gram(other))
        for one, other, factor in zip(found, known, STYLE, strict=True)
    ]
    content = F.l1_loss(found[CONTENT], known[CONTENT])
    return F.l1_loss(fake, real) + content + 100 * torch.stack(styles).sum()


def _gram(maps: Tensor) -> Tensor:
    flat = maps.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def _contrasts(
    game: Any, encode: Any, name: str, fakes: list[Tensor], true: list[Tensor]
) -> Tensor:
    """Contrast of each fake with its true frame, and of the changes in both videos."""
    heads = game.heads[name]
    with torch.no_grad():
        known = [encode(frame) for frame in true]
    found = [encode(fake) for fake in fakes]
    external = torch.stack(
        [
            _contrast(heads, one, other, draw_places(other, 256)).mean(0)
            for one, other in zip(found, known, strict=True)
        ]
    ).sum(0)
    places = draw_places(known[0], 256)
    with torch.no_grad():
        wanted = _changes(heads, known, places)
    internal = 1 - F.cosine_similarity(_changes(heads, found, places), wanted, dim=0)
    return (0.1 * external + 40 * internal).mean()


def _changes(heads: Any, video: list[Maps], places: Any) -> Tensor:
    later = _contrast(heads, video[1], video[2], places)
    return later / _contrast(heads, video[0], video[1], places)


def _contrast(heads: Any, queries: Maps, keys: Maps, places: Any) -> Tensor:
    """Contrast at each tap, for each image."""
    pairs = zip(heads(queries, places), heads(keys, places), strict=True)
    return torch.stack([patch_contrast(*pair) for pair in pairs])
