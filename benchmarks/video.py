"""Time and memory of `thermochroma translate` for made-up videos; PyAV (extra `video`) makes them."""

import os
import re
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

RATE: Final = 25  # images a second
SOUND: Final = 48_000  # samples a second


@dataclass(frozen=True)
class Made:
    """One video to be made. counts: of 16 bits, in Matroska; else 8 bits, in MP4, with sound."""

    count: int
    width: int
    height: int
    counts: bool = False
    options: tuple[str, ...] = ()


VIDEOS: Final = {
    "10 s with sound": Made(10 * RATE, 640, 512),
    "10 s of 16 bits": Made(10 * RATE, 640, 512, counts=True, options=("--tone", "auto")),
    "200 small": Made(200, 96, 96),
    "2,000 small": Made(2000, 96, 96),
}


def main() -> None:
    """Print a table: images a second, and the most memory of the process, for each video."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("translator", type=Path)
    parser.add_argument("--only", choices=[*VIDEOS], nargs="+", default=[*VIDEOS])
    chosen = parser.parse_args()
    sys.stdout.write("| Video | Images | Size | Seconds | Images a second | Memory (MB) |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for name in chosen.only:
        made = VIDEOS[name]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"in.{'mkv' if made.counts else 'mp4'}"
            _write(path, made)
            seconds, speed, memory = _measure(chosen.translator, path, made)
        size = f"{made.width} by {made.height}"
        sys.stdout.write(f"| {name} | {made.count} | {size} | {seconds} | {speed} | {memory} |\n")


def _measure(translator: Path, path: Path, made: Made) -> tuple[str, str, int]:
    command = [sys.executable, "-m", "thermochroma.serving.cli", "translate", str(translator)]
    command += [str(path), "--to", str(path.parent / "out"), *made.options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
    ) as run:
        assert run.stdout is not None
        told = run.stdout.read()
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    found = re.search(r"images in ([\d.]+) s \(([\d.e+]+) a second\)", told)
    if run.returncode or found is None:
        sys.exit(f"the command ended with {run.returncode}: {told}")
    return found[1], found[2], round(used.ru_maxrss / 1024)


def _write(path: Path, made: Made) -> None:
    import av

    view: Any = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.float32)
    view = np.kron(view, np.ones((32, 32), np.float32))
    with av.open(str(path), mode="w") as container:
        stream: Any = container.add_stream("ffv1" if made.counts else "libx264", rate=RATE)
        stream.width, stream.height = made.width, made.height
        stream.pix_fmt = "gray16le" if made.counts else "yuv420p"
        track: Any = None if made.counts else container.add_stream("aac", rate=SOUND, layout="mono")
        for number in range(made.count):
            top = number % 400
            part = view[top : top + made.height, top : top + made.width]
            image = (part * 4 + 7000).astype(np.uint16) if made.counts else part.astype(np.uint8)
            form = "gray16le" if made.counts else "gray"
            frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=form)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode())
        if track is not None:
            _write_sound(container, track, made.count / RATE)


def _write_sound(container: Any, track: Any, seconds: float) -> None:
    import av

    wave = (np.sin(np.arange(int(SOUND * seconds)) / 17) * 9000).astype(np.int16)
    piece: Any = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    piece.sample_rate, piece.pts, piece.time_base = SOUND, 0, Fraction(1, SOUND)
    container.mux(track.encode(piece))
    container.mux(track.encode())


if __name__ == "__main__":
    main()
