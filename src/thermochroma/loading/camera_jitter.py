"""A thermal image as another camera would have given it: levels, sharpness, noise, polarity."""

from typing import Final

import cv2
import numpy as np

from thermochroma.base.images import ThermalImage
from thermochroma.contract.settings import CameraSettings

LEVELS: Final = 255


def by_another_camera(image: ThermalImage, most: CameraSettings, *, seed: int) -> ThermalImage:
    """Change a thermal image as much as the seed draws, and no more than `most`."""
    random = np.random.default_rng(seed)
    gamma, gain, offset = (
        random.uniform(-one, one) for one in (most.gamma, most.gain, most.offset)
    )
    blur, noise = (random.uniform(0, one) for one in (most.blur, most.noise))
    levels = np.power(image.astype(np.float32) / LEVELS, np.exp(gamma))
    levels = (levels - 0.5) * np.exp(gain) + 0.5 + offset
    if most.blur:
        levels = cv2.GaussianBlur(levels, (0, 0), max(blur, 0.01))
    levels = levels + noise / LEVELS * random.standard_normal(image.shape, np.float32)
    if random.random() < most.inverted:
        levels = 1 - levels
    return np.rint(np.clip(levels, 0, 1) * LEVELS).astype(np.uint8)
