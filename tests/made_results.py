"""What the stages leave of a benchmark, made up: crops, runs, scores, galleries. Nothing is trained."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from tests.examiner import raw_params, write_params
from tests.made_crops import Sequence, make_crops
from thermochroma.base.manifest import FACTS
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import write_csv
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.evaluation.gallery import FILE, choose_gallery_rows, keep_gallery, with_extremes
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.evaluation.snapshots import CURVE, of_the_end
from thermochroma.export.metadata import KEY
from thermochroma.metrics.image_scores import OF_COLOUR, SCORES
from thermochroma.pipeline.results import read_scores

SIDE: Final = 32
LINEUP: Final = {"pix2pix": "visible", "tic_cgan": "visible", "thermal_mask": "thermal"}
GAINS: Final = {"pix2pix": 4.0, "tic_cgan": 2.0, "thermal_mask": 1.0, "thermal_inverted": 3.0}
"""PSNR in dB above the other rows, which are alike; SSIM is higher by a twentieth of it."""
SMALL: Final = "pix2pix_small"
"""A second row of Pix2pix, for line-ups that name it."""
TEST: Final = 12  # sequences


@dataclass(frozen=True)
class Made:
    """A data set with its line-up (name to the spectrum that is predicted) and the gains of rows."""

    dataset: str = "sample"
    lineup: Mapping[str, str] = field(default_factory=lambda: LINEUP)
    gains: Mapping[str, float] = field(default_factory=lambda: GAINS)
    entries: tuple[str, ...] = ()
    """Rows of visible images from elsewhere."""


def make_results(
    root: Path,
    *,
    gallery_frames: int | None = None,
    test_sequences: int = TEST,
    made: Made = Made(),
) -> Path:
    """Write params.yaml and data/ below `root`, for one data set. Gives the params."""
    params = raw_params()
    params |= {"lineup": list(made.lineup), "video_datasets": [], "video_lineup": []}
    params |= {"datasets": [made.dataset], "lineup_datasets": [made.dataset]}
    params["crop"][made.dataset]["size"] = SIDE
    params["evaluate"][made.dataset] |= {"gallery_frames": gallery_frames, "frames_per_sequence": 1}
    params["entries"] = {name: _entry(made.dataset, name) for name in made.entries}
    params["methods"][SMALL] = params["methods"]["pix2pix"] | {"title": "Pix2pix (small)"}
    write_params(root / "params.yaml", params)
    sequences = {"a": Sequence(3), "v": Sequence(1, split="validation")}
    sequences |= {f"t{n:02d}": Sequence(1, split="test") for n in range(test_sequences)}
    data, dataset = root / "data", made.dataset
    crops = make_crops(data / "crops" / dataset, sequences, _predict)
    scored = scored_rows(crops, 1).assign(place="road", time="day")
    gallery_rows = choose_gallery_rows(scored, gallery_frames)
    for name, spectrum in made.lineup.items():
        scores, runs = (data / one / dataset / name for one in ("scores", "runs"))
        leave_row(scores, name, spectrum, scored, gallery_rows, made.gains)
        _leave_run(scores, runs, name, made)
    for name in made.entries:
        folder = data / "scores" / dataset / name
        leave_row(folder, name, "visible", scored, gallery_rows, made.gains)
    baselines = data / "baselines" / dataset
    for spectrum, known in BASELINES.items():
        for name in known.names:
            leave_row(baselines / name, name, spectrum, scored, gallery_rows, made.gains)
        _leave_flicker(baselines / truth_name(spectrum))
    return root / "params.yaml"


def _entry(dataset: str, name: str) -> dict[str, object]:
    said = {"dataset": dataset, "folder": f"{name}-images", "title": name.title()}
    return {**said, "predicts": "visible", "cost": {"parameters": 7}}


def _predict(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([*name.encode(), n])
    thermal = np.full((SIDE, SIDE), 90, np.uint8)
    thermal[8:24, 8 + n : 20 + n] = 220
    return thermal, rng.integers(0, 255, (1, 1, 3), np.uint8).repeat(SIDE, 0).repeat(SIDE, 1)


def leave_row(
    folder: Path,
    name: str,
    spectrum: str,
    scored: pd.DataFrame,
    gallery_rows: pd.DataFrame,
    gains: Mapping[str, float],
) -> None:
    """Leave the scores and images of one row in its folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(list(name.encode()))
    shared = np.random.default_rng(0).normal(15, 2, len(scored))
    noise = rng.normal(0, 0.1, len(scored))
    known = [one for one in SCORES if spectrum == "visible" or one not in OF_COLOUR]
    scores = scored[FACTS].assign(**{one: rng.uniform(0.3, 0.4, len(scored)) for one in known})
    gain = gains.get(name, 0.0)
    scores = scores.assign(psnr=shared + noise + gain, ms_ssim=np.nan)
    scores["ssim"] += gain / 20
    write_csv(folder / "scores.csv", scores)
    write_json(folder / "distances.json", {})
    channels = 3 if spectrum == "visible" else 1
    frames = list(with_extremes(gallery_rows, scored, scores)["frame"])
    images = rng.integers(0, 255, (len(frames), SIDE, SIDE, channels), np.uint8)
    keep_gallery(folder / FILE, scores, frames, images)
    _leave_flicker(folder)


def _leave_flicker(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = {"frame": ["t00/0"], "sequence": ["t00"], "split": ["test"], "flicker": [1.5]}
    write_csv(folder / "flicker.csv", pd.DataFrame(table))


def _leave_run(scores: Path, runs: Path, name: str, made: Made) -> None:
    runs.mkdir(parents=True)
    device = "a processor"
    measured = {"parameters": 1000, "multiply_adds": 10**6, "latency_median_ms": 5.0 + len(name)}
    measured |= {"latency_p95_ms": 20.0, "device": device}
    scored = read_scores(scores)
    test = scored[scored["split"] == "test"]
    late = of_the_end(test.assign(psnr=test["psnr"] - 1), images=270)
    curve = pd.concat([late, of_the_end(test, images=300)])
    write_csv(scores / CURVE, curve)
    write_json(scores / "cost.json", measured)
    taught = {"training_images_per_second": 3.0, "peak_memory_bytes": 10**6}
    write_json(runs / "cost.json", {**taught, "training_device": device})
    readings = {"images": [10.0, 100.0, 300.0], "validation/psnr": [None, 14.0, 15.0]}
    history = pd.DataFrame({**readings, "validation/ssim": [None, 0.3, 0.4]})
    write_csv(runs / "history.csv", history)
    settings = {"method": name, "title": None}
    if name == SMALL:
        settings = {"method": "pix2pix", "title": "Pix2pix (small)"}
    metadata = {"name": name, "settings": settings, "scale": 1.0}
    metadata |= {
        "text_width": 0,
        "trained_on": made.dataset,
        "side": SIDE,
        "frozen": "random",
        "images": 300,
    }
    weights = {"weight": np.zeros(1, np.float32)}
    save_file(weights, runs / "translator.safetensors", metadata={KEY: json.dumps(metadata)})
