"""The visible camera: reflected light, haze, a lens, a sensor."""

import cv2
import numpy as np
from jaxtyping import Float32

from thermochroma.base.images import VisibleImage
from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.light import Light
from thermochroma.data.synthetic.maps import Maps

HAZE_RANGE = 700.0  # metres after which 1/e of the contrast remains
FOG_RANGE = 1.7
HAZE = {"clear": (0.62, 0.71, 0.80), "overcast": (0.66, 0.68, 0.70)}
NIGHT_HAZE = (0.012, 0.012, 0.016)
BLUR = 0.6  # pixels
NOISE = 0.005  # of full scale, in the dark
SHOT_NOISE = 0.007  # of full scale, in the light


def see(maps: Maps, drive: Drive, light: Light, rng: np.random.Generator) -> VisibleImage:
    """Make the visible image of the scene."""
    blurred = cv2.GaussianBlur(_radiance(maps, drive, light), (0, 0), BLUR)
    noise = rng.standard_normal(blurred.shape[:2], dtype=np.float32)  # grey, as most cameras' is
    tone = np.sqrt(np.clip(blurred, 0, 1))  # a gamma of 2
    tone += noise[..., None] * (np.float32(NOISE) + np.float32(SHOT_NOISE) * tone)
    image: VisibleImage = np.clip(tone * 255 + 0.5, 0, 255).astype(np.uint8)
    return image


def _radiance(maps: Maps, drive: Drive, light: Light) -> Float32[np.ndarray, "h w 3"]:
    """Reflected light seen through the haze; 1 is a white wall in full light."""
    haze = NIGHT_HAZE if light.night else HAZE[drive.weather]
    depth = maps.depth
    if drive.foggy:  # the sky is at the end of all fog
        depth = np.where(depth == 0, np.float32(1e3), depth)
    left = np.exp(-depth / np.float32(FOG_RANGE if drive.foggy else HAZE_RANGE))
    lit = maps.paint[..., 3]
    channels = []
    for channel in range(3):  # one plane at a time: several times faster than three interleaved
        received = np.float32(light.ambient[channel]) + np.float32(light.direct[channel]) * lit
        plane = maps.paint[..., channel] * received
        channels.append((plane - np.float32(haze[channel])) * left + np.float32(haze[channel]))
    radiance: Float32[np.ndarray, "h w 3"] = cv2.merge(channels)
    return radiance
