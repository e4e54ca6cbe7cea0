"""The built-in sample: paired road scenes, drawn when needed, in KAIST's layout.

Each sequence is a street of its own; the thermal image follows from materials and heat, so that its
grey does not determine the colour; the facts in the caption (weather, season) help a little.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Final, Literal

import numpy as np
from pydantic import Field
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import write_text
from thermochroma.base.sealed import read_json, write_json
from thermochroma.contract.dataset import Dataset, DatasetSettings, Facts, Frame, Matrix
from thermochroma.data.synthetic.plan import FRAME_STEP, Recording, frame_name, names, sequences
from thermochroma.data.synthetic.write import (
    facts_of,
    is_whole,
    thermal_path,
    visible_path,
    write_recording,
)

DRAWING: Final = 1
"""Version of the drawing: raise it when the images change, so that old ones are drawn anew."""

NEEDED: Final = "what was noted of the drawing"
REMEDY: Final = "run `dvc repro -f download@sample`, which writes it anew"
CONTENTS: Final = (
    "images",
    "annotations",
    "imageSets",
    "ground_truth.json",
    "captions_meta.json",
    "settings.json",  # last: while it is there, an interrupted removal can be resumed
)
SCENES: Final = {
    "campus": "a university campus road with trees and low buildings",
    "road": "a wide urban road with traffic",
    "downtown": "a downtown street with shops and tall buildings",
}


class SampleSettings(DatasetSettings):
    """Size of the sample; of two sequences in a training set, one is for validation."""

    on_defect: Literal["refuse", "drop"] = "drop"  # its defects are planted
    sequences_per_set: int = Field(default=20, ge=2, le=500)
    frames_per_sequence: int = Field(default=3, ge=3, le=60)
    times: tuple[Literal["day", "night"], ...] = Field(default=("day",), min_length=1)
    """Times of day of the frames that are used; both are drawn."""
    seed: int = Field(default=0, ge=0)


def acquire(settings: SampleSettings, folder: Path) -> None:
    """Draw all missing frames; a drawing made with other settings is removed first.

    Raises BadInput if `source` is set.
    """
    if settings.source is not None:
        raise BadInput(
            given=f"`sources.sample.source` is {settings.source!r}",
            needed="the sample is drawn, not read from anywhere",
            remedy="leave out `source`, or use another data set",
        )
    recordings = _recordings(settings)
    _claim(settings, folder)
    _write_tables(recordings, settings.seed, folder)
    _draw(recordings, settings.seed, folder)


def frames(settings: SampleSettings, folder: Path) -> list[Frame]:
    """List the planned frames of the chosen times, without access to the disk."""
    return [
        Frame(
            frame=frame_name(one.name, number),
            sequence=one.name,
            mount=one.name,
            split=one.part,
            place=one.place,
            time=one.time,
            thermal=thermal_path(one.name, number),
            visible=visible_path(one.name, number),
        )
        for one in _recordings(settings)
        if one.time in settings.times
        for number in one.numbers
    ]


def facts(settings: SampleSettings, folder: Path) -> Callable[[str], Facts]:
    """Make a function from frame id to the facts in the drawing's metadata of its sequence."""
    known = read_json(folder / "captions_meta.json", needed=NEEDED, remedy=REMEDY)

    def of(frame: str) -> Facts:
        meta = known[frame.rsplit("/", 1)[0]]
        details = (f"{meta['weather']} sky", f"{meta['season']} trees")
        return Facts(time=meta["time"], scene=SCENES[meta["place"]], details=details)

    return of


def truth(folder: Path) -> Mapping[str, Matrix]:
    """The transform with which each sequence was drawn."""
    known = read_json(folder / "ground_truth.json", needed=NEEDED, remedy=REMEDY)
    return {sequence: np.array(matrix, dtype=np.float64) for sequence, matrix in known.items()}


def _recordings(settings: SampleSettings) -> list[Recording]:
    return sequences(
        sequences_per_set=settings.sequences_per_set,
        frames_per_sequence=settings.frames_per_sequence,
    )


def _claim(settings: SampleSettings, folder: Path) -> None:
    """Prepare the folder for a drawing with these settings: an old drawing is removed."""
    drawn_with = settings.model_dump(include={"sequences_per_set", "frames_per_sequence", "seed"})
    text = json.dumps({"drawing": DRAWING, **drawn_with}, indent=1) + "\n"
    note = folder / "settings.json"
    if not note.exists() or note.read_bytes() != text.encode():
        for name in CONTENTS:
            _remove(folder / name)
        write_text(note, text)
    for part in folder.rglob(".part-*"):  # of a killed run
        part.unlink()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_tables(recordings: Sequence[Recording], seed: int, folder: Path) -> None:
    known = {one.name: facts_of(one, seed) for one in recordings}
    matrices = {name: transform.tolist() for name, (transform, _) in known.items()}
    write_json(folder / "ground_truth.json", matrices)
    metas = {name: meta for name, (_, meta) in known.items()}
    write_json(folder / "captions_meta.json", metas)
    for split, parts in (("train", ("train", "validation")), ("test", ("test",))):
        for time in ("all", "day", "night"):
            chosen = [one for one in recordings if one.part in parts and time in ("all", one.time)]
            lines = "".join(f"{name}\n" for name in names(chosen))
            write_text(folder / "imageSets" / f"{split}-{time}-{FRAME_STEP:02d}.txt", lines)


def _draw(recordings: Sequence[Recording], seed: int, folder: Path) -> None:
    """Draw in parallel, in new processes, since forking a process with threads can hang."""
    left = [one for one in recordings if not is_whole(folder, one)]
    if not left:
        return
    total = sum(len(one.numbers) for one in left)
    with (
        ProcessPoolExecutor(cpu_count(), mp_context=get_context("spawn")) as pool,
        tqdm(total=total, desc="drawing the sample", unit="frame") as progress,
    ):
        drawings = [pool.submit(write_recording, folder, one, seed) for one in left]
        for drawing in as_completed(drawings):
            progress.update(drawing.result())


DATASET = Dataset(
    title="procedural sample",
    citation="drawn by Thermochroma itself; layout after Hwang et al., Multispectral Pedestrian "
    "Detection: Benchmark Dataset and Baseline, CVPR 2015",
    licence="Apache-2.0, as the program that draws it",
    note="procedural sample, not KAIST",
    settings=SampleSettings,
    acquire=acquire,
    frames=frames,
    facts=facts,
    stills=False,
    upscale=False,
    truth=truth,
    drawn=True,
)
