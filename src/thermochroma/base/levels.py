"""Images as arrays of floats in [-1, 1], for libraries other than torch: `tensors.py` without it."""

import numpy as np
from jaxtyping import Float32, UInt8


def to_floats(images: UInt8[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Convert 8 bits to [-1, 1]: 0 becomes -1 and 255 becomes 1."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_levels(images: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Convert [-1, 1] to 8 bits, clamped and rounded to the nearest level (never floored)."""
    scaled = np.clip(images, -1, 1)
    scaled += 1
    scaled *= np.float32(127.5)
    return np.rint(scaled, out=scaled).astype(np.uint8)
