"""Small videos, made on the spot."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    codec: str = "ffv1",
    form: str = "gray",
    times: Sequence[int] | None = None,
    tick: Fraction = Fraction(1, 25),
    sound: str | None = None,
    turned: int = 0,
    mirrored: bool = False,
    aspect: Fraction | None = None,
) -> Path:
    """Write images as a video. form: of the pixels in the file. times: in ticks. sound: its codec."""
    given = {np.uint16: "gray16le"}.get(images[0].dtype.type)
    given = given or ("gray" if images[0].ndim == 2 else "rgb24")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), mode="w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = form, tick
        if aspect is not None:
            stream.sample_aspect_ratio = aspect
        if turned or mirrored:
            stream.set_display_rotation(turned, hflip=mirrored)
        track = container.add_stream(sound, rate=48000, layout="mono") if sound else None
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=given)
            frame.pts, frame.time_base = number if times is None else times[number], tick
            container.mux(stream.encode(frame.reformat(format=form)))
        container.mux(stream.encode())
        if track is not None:
            seconds = len(images) / 25 if times is None else float(times[-1] * tick)
            wave = np.sin(np.arange(int(48000 * seconds)) / 17) * 9000
            frame = av.AudioFrame.from_ndarray(
                wave.astype(np.int16)[None], format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
            container.mux(track.encode(frame))
            container.mux(track.encode())
    return path


def images_of(path: Path, form: str = "rgb24") -> np.ndarray:
    """All images of a video."""
    with av.open(str(path)) as container:
        return np.stack([one.to_ndarray(format=form) for one in container.decode(video=0)])


def times_of(path: Path) -> list[Fraction]:
    """Times of all images in seconds."""
    with av.open(str(path)) as container:
        return [one.pts * one.time_base for one in container.decode(video=0)]


def sound_of(path: Path) -> list[tuple[Fraction, bytes]]:
    """Times in seconds, and bytes, of all pieces of sound."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio) if container.streams.audio else []
        return [(one.pts * one.time_base, bytes(one)) for one in packets if one.size]
