"""Cloud-like noise that repeats without a seam: the raw material of every texture."""

from functools import cache

import numpy as np
from jaxtyping import Float32

TILE = 512

Tile = Float32[np.ndarray, "512 512"]
Tiles = Float32[np.ndarray, "512 512 2"]


@cache
def tile(number: int, roughness: float) -> Tile:
    """Periodic noise, mean 0, deviation 1; amplitude falls with the `roughness`-th power of frequency.

    1.6 looks like clouds, 1 like stained concrete, 0.3 like gravel.
    """
    white = np.random.default_rng([number, 4711]).standard_normal((TILE, TILE))
    down = np.fft.fftfreq(TILE)[:, None] * TILE
    across = np.fft.rfftfreq(TILE)[None, :] * TILE
    frequency = np.maximum(np.hypot(down, across), 1.0)
    shaped = np.fft.irfft2(np.fft.rfft2(white) / frequency**roughness, s=(TILE, TILE))
    shaped -= shaped.mean()
    scaled: Tile = (shaped / shaped.std()).astype(np.float32)
    return scaled


@cache
def tiles(roughness: float) -> Tiles:
    """Two independent tiles as the channels of one texture."""
    return np.ascontiguousarray(np.dstack([tile(number, roughness) for number in range(2)]))


def patch(
    rng: np.random.Generator, height: int, width: int, roughness: float
) -> Float32[np.ndarray, "h w"]:
    """Cut a random patch out of one tile, repeated if the tile is too small."""
    top, left = rng.integers(0, TILE, 2)
    rows = np.arange(top, top + height) % TILE
    columns = np.arange(left, left + width) % TILE
    cut: Float32[np.ndarray, "h w"] = tile(int(rng.integers(4)), roughness)[np.ix_(rows, columns)]
    return cut
