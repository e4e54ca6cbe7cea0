"""A translator served by MLflow in an environment of its own requirements, beside the command line.

The translator is logged as a training logs it, into a new project at `place`; there an empty environment
takes what the model asks for, and nothing else. `mlflow models serve` gets one image of 640 by 512, and
its answer is compared with what `thermochroma translate` writes. For translators that see no text.
PyTorch's build for GPUs takes 6 GB.

    python -m benchmarks.served --translator data/runs/sample/pix2pix/translator.safetensors \
      --place <an empty folder>
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import requests
from jaxtyping import UInt8

from stages.command import run
from thermochroma.base.images import read_thermal, read_visible, write_image
from thermochroma.export.artifact import method_of
from thermochroma.export.metadata import read_metadata
from thermochroma.loading.collate import needs_references, seen_spectrum
from thermochroma.tracking.mlflow_client import Tracker

HEIGHT, WIDTH = 512, 640
ROOT: Final = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS: Final = 300.0


def main(translator: Path, place: Path) -> None:
    """Print what was installed, how long it took, and whether the images are equal."""
    sees = seen_spectrum(method_of(read_metadata(translator)).sees)
    image = made_image(sees)
    model = logged(translator, sees, place)
    started = time.perf_counter()
    python = own_environment(model, place / "environment")
    say(f"installed in {time.perf_counter() - started:.0f} s:", model / "requirements.txt")
    with served(model, python) as address:
        started = time.perf_counter()
        answer = requests.post(
            f"{address}/invocations",
            json={"inputs": {sees: image[None].tolist()}},
            timeout=PATIENCE_SECONDS,
        )
    answer.raise_for_status()
    say(f"answered in {time.perf_counter() - started:.1f} s, JSON included")
    found = np.asarray(answer.json()["predictions"], np.uint8)[0]
    expected = on_the_command_line(translator, image, place)
    differing = int((found.reshape(expected.shape) != expected).sum())
    say(f"{found.shape}: {differing} of {found.size} values differ from the command line's")
    if differing:
        sys.exit("the served model and the command line differ")


def say(sentence: str, file: Path | None = None) -> None:
    sys.stdout.write(f"{sentence}\n" + (f"{file.read_text()}\n" if file else ""))
    sys.stdout.flush()


def made_image(sees: str) -> UInt8[np.ndarray, "h w *c"]:
    """An image with edges and gradients, of the size that cameras have."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    grey = ((x // 3 + y // 2 + 60 * ((x // 64 + y // 64) % 2)) % 256).astype(np.uint8)
    return grey if sees == "thermal" else np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)


def logged(translator: Path, sees: str, place: Path) -> Path:
    """Log the translator into MLflow below `place`; the folder of the model."""
    method = method_of(read_metadata(translator))
    with Tracker("served", root=place).training("one", name="one", tags={}) as training:
        training.log_model(
            translator,
            sees=sees,
            text=None,
            reference=needs_references(method.sees),
            register_as="served",
            code=ROOT / "src",
        )
    (found,) = place.rglob("MLmodel")
    return found.parent


def own_environment(model: Path, folder: Path) -> Path:
    """A new environment with the requirements of the model alone; its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin/python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    subprocess.run([*install, "-r", str(model / "requirements.txt")], env=without_us(), check=True)
    return python


def without_us() -> dict[str, str]:
    """The environment of a process in which no module of this clone is found."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}


@contextmanager
def served(model: Path, python: Path) -> Iterator[str]:
    """Serve the model by MLflow in that environment; the address, once it answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    environment = without_us()
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
    command = [str(python.parent / "mlflow"), "models", "serve", "--model-uri", str(model)]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, cwd=model.parent, start_new_session=True)
    try:
        started = time.perf_counter()
        wait_for(f"http://127.0.0.1:{port}/ping", server)
        say(f"serves after {time.perf_counter() - started:.0f} s")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Return once the server says that it is well. Exits if it has ended, or takes too long."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.5)
    sys.exit(f"no answer from {address}; the server's status is {server.poll()}")


def on_the_command_line(
    translator: Path, image: UInt8[np.ndarray, "h w *c"], place: Path
) -> UInt8[np.ndarray, "h w *c"]:
    """What `thermochroma translate` makes of the image."""
    write_image(place / "image.png", image)
    command = [sys.executable, "-m", "thermochroma.serving.cli", "translate", str(translator)]
    command += [str(place / "image.png"), "--to", str(place / "translated")]
    subprocess.run(command, check=True)
    (path,) = (place / "translated").glob("*.png")
    return read_visible(path) if image.ndim == 2 else read_thermal(path)


if __name__ == "__main__":
    run(main)
