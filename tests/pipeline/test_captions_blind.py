"""The caption stage opens nothing under `visible/`: not in raw data, not in crops."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from thermochroma.base.files import write_text
from thermochroma.base.manifest import CROP_COLUMNS, write_table
from thermochroma.base.sealed import write_json
from thermochroma.base.shards import write_shard
from thermochroma.data.captioning.overrides import OVERRIDE_COLUMNS
from thermochroma.loading.crops import MANIFEST

SEQUENCES = {"set00/V000": "train", "set06/V000": "test"}
PROFILES = ("template", "boxes", "oracle_boxes", "shuffled", "constant", "empty")
JOBS = [("sample", "template"), *(("kaist", profile) for profile in PROFILES)]

WATCHED = """
import sys
from pathlib import Path

seen = []

def watch(event, arguments):
    if event in {"open", "os.listdir", "os.scandir", "glob.glob", "shutil.copyfile"}:
        path = arguments[0]
        if isinstance(path, (str, bytes)) or hasattr(path, "__fspath__"):
            if "visible" in Path(__import__("os").fsdecode(path)).parts:
                seen.append(f"{event} {path}")

sys.addaudithook(watch)

from stages.caption import main
from thermochroma.loading.crops import Crops

base, *jobs = map(Path, sys.argv[1:])


def caption(out):
    for job in map(str, jobs):
        dataset, profile = job.split("-")
        main(dataset, base / f"{profile}.yaml", base / "raw", base / "crops", base / "overrides.csv",
             base / out / f"{job}.csv")
    assert not seen, seen


visible = list(base.rglob("visible"))
for folder in visible:
    folder.rename(folder.with_name("hidden"))
seen.clear()
caption("blind")  # first: what it had seen before, it could know by heart
for folder in visible:
    folder.with_name("hidden").rename(folder)
seen.clear()
caption("watched")
crops = Crops(base / "crops")
crops.visible(crops.manifest.iloc[0])
assert seen, "the watch is blind"
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Two sequences in KAIST's layout, raw and cropped, and settings for each profile."""
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    rows = []
    for sequence, split in SEQUENCES.items():
        shard = sequence.replace("/", "_") + ".npy"
        for spectrum, pixels in (("thermal", image[..., 0]), ("visible", image)):
            write_shard(tmp_path / "crops" / spectrum / shard, [pixels] * 3)
        for spectrum in ("lwir", "visible"):
            (tmp_path / "raw/images" / sequence / spectrum).mkdir(parents=True)
        for number in range(3):
            frame = f"{sequence}/I{number:05}"
            for spectrum in ("lwir", "visible"):
                path = tmp_path / "raw/images" / sequence / spectrum / f"I{number:05}.jpg"
                cv2.imwrite(str(path), image)
            boxes = "person 4 4 6 12 0 0 0 0 0 0 0\n" * number
            path = tmp_path / "raw/annotations" / f"{frame}.txt"
            write_text(path, f"% bbGt version=3\n{boxes}")
            window = ("1 0 0 0 1 0", 1.0, 0, 0, shard, number, "")
            rows.append((frame, sequence, split, "campus", "day", 0, *window))
    table = pd.DataFrame(rows, columns=list(CROP_COLUMNS))
    write_table(tmp_path / "crops" / MANIFEST, table, CROP_COLUMNS)
    meta = {"place": "campus", "time": "day", "weather": "clear", "season": "summer"}
    write_json(tmp_path / "raw/captions_meta.json", dict.fromkeys(SEQUENCES, meta))
    write_text(tmp_path / "overrides.csv", ",".join(OVERRIDE_COLUMNS) + "\n")
    for profile in PROFILES:
        settings = yaml.safe_load((ROOT / "params.yaml").read_text())
        settings["caption"]["profile"] = profile
        write_text(tmp_path / f"{profile}.yaml", yaml.safe_dump(settings))
    return tmp_path


def test_captions_are_made_without_a_look_at_the_visible_images(base: Path) -> None:
    jobs = ["-".join(job) for job in JOBS]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(base), *jobs],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    watched, blind = (
        {job: pd.read_csv(base / out / f"{job}.csv", keep_default_na=False) for job in jobs}
        for out in ("watched", "blind")
    )
    for job, table in watched.items():
        assert table.equals(blind[job]), job
    place = "a daytime thermal infrared image of a university campus road with trees and low"
    assert blind["sample-template"]["text"].iloc[0].startswith(f"{place} buildings, clear sky")
    counted = {"no": 0, "one": 1, "a few": 2}
    for frame, amount in zip(blind["kaist-boxes"]["frame"], [*counted] * 2, strict=True):
        for profile in ("boxes", "oracle_boxes"):
            row = blind[f"kaist-{profile}"].set_index("frame").loc[frame]
            told = profile == "oracle_boxes" or frame.startswith("set00")
            assert row["source"] == (profile if told else "template")
            assert (f", {amount} pedestrian" in row["text"]) == told
