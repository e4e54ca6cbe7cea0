"""One image through every door: command line, ONNX, demo, Python, and MLflow's server, byte by byte.

The translator is logged as a training logs it, into a new project below `place`; there an environment
takes what the model asks for, and nothing else (one that is there already is used again). `mlflow models
serve` gets one image of 640 by 512; its answer and what the other doors give are compared with what the
predictor gives here. For translators that see no text. PyTorch's build for GPUs takes 6 GB.

    python -m benchmarks.served --translator data/runs/sample/pix2pix/translator.safetensors \
      --place <an empty folder, or that of another time>
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import requests
from jaxtyping import UInt8

from stages.command import run
from thermochroma.base.images import read_thermal, read_visible, write_image
from thermochroma.export.artifact import method_of
from thermochroma.export.metadata import read_metadata
from thermochroma.inference.opening import load_predictor
from thermochroma.loading.collate import needs_references, seen_spectrum
from thermochroma.serving.cli import main as command_line
from thermochroma.serving.demo import show
from thermochroma.serving.options import InferenceOptions
from thermochroma.tracking.mlflow_client import Tracker

HEIGHT, WIDTH = 512, 640
ROOT: Final = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS: Final = 300.0
HERE: Final = "predictor"


def main(translator: Path, place: Path) -> None:
    """Print what was installed, how long it took, and whether the images are equal."""
    sees = seen_spectrum(method_of(read_metadata(translator)).sees)
    image = made_image(sees)
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place) as folder:
        onnx = Path(folder) / "translator.onnx"
        command_line(["export", str(translator), "--onnx", str(onnx)])
        found = images_of(translator, onnx, image, Path(folder))
        model = logged(translator, sees, Path(folder))
        started = time.perf_counter()
        python = own_environment(model, place / "environment")
        say(f"installed in {time.perf_counter() - started:.0f} s:", model / "requirements.txt")
        with served(model, python) as address:
            started = time.perf_counter()
            found["MLflow's server"] = answered(address, sees, image)
            say(f"answered in {time.perf_counter() - started:.1f} s, JSON included")
    wanted = found.pop(HERE).astype(int)
    apart = {door: np.abs(one.astype(int) - wanted) for door, one in found.items()}
    for door, levels in apart.items():
        differing = f"{np.count_nonzero(levels)} of {levels.size} values differ"
        say(f"{door}: {differing}, by {levels.max()} grey levels at most")
    if any(levels.max() > 1 for levels in apart.values()):
        sys.exit("the doors differ by more than one grey level")


def images_of(
    translator: Path, onnx: Path, image: UInt8[np.ndarray, "h w *c"], place: Path
) -> dict[str, UInt8[np.ndarray, "h w d"]]:
    """Translations of one image, by the door that it went through; HERE is the predictor itself."""
    path, wishes = place / "image.png", InferenceOptions(place)
    write_image(path, image)
    found = {HERE: load_predictor(translator, text=None, sentence=None)(image[None])[0]}
    read = read_visible if image.ndim == 2 else read_thermal
    for door, file in (("command line", translator), ("command line, ONNX", onnx)):
        command_line(["translate", str(file), str(path), "--to", str(place / door)])
        (written,) = (place / door).iterdir()
        found[door] = read(written)
    for door, file in (("demo", translator), ("demo, ONNX", onnx)):
        found[door] = read(show(file, path, place, tone="auto", wishes=wishes).target)
    return {door: one.reshape(found[HERE].shape) for door, one in found.items()}


def answered(
    address: str, sees: str, image: UInt8[np.ndarray, "h w *c"]
) -> UInt8[np.ndarray, "h w d"]:
    """Translation of one image by MLflow's server."""
    answer = requests.post(
        f"{address}/invocations",
        json={"inputs": {sees: image[None].tolist()}},
        timeout=PATIENCE_SECONDS,
    )
    answer.raise_for_status()
    (found,) = np.asarray(answer.json()["predictions"], np.uint8)
    return found


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
    """An environment with the requirements of the model alone; its Python."""
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
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


if __name__ == "__main__":
    run(main)
