"""A project of two trainings that take no time, with git, DVC and a remote."""

import subprocess
from pathlib import Path

from thermochroma.cluster.commands import DVC

STAGES = """\
stages:
  weights:
    cmd: cat "$DVC_ROOT/raw" > data/weights
    params: [shade]
    outs: [data/weights]
  encode:
    matrix: {dataset: [toy]}
    cmd: cat data/weights > data/text
    deps: [data/weights]
    outs: [data/text]
  train:
    matrix: {dataset: [toy], method: [one, two]}
    cmd: exec python train.py ${item.method}  # no shell stays between it and its dvc
    deps: [data/text]
    params: ["methods.${item.method}"]
    outs: ["data/runs/${item.method}"]
  evaluate:
    matrix: {dataset: [toy], method: [one, two]}
    cmd: cp data/runs/${item.method} data/scores_${item.method}
    deps: ["data/runs/${item.method}"]
    outs: ["data/scores_${item.method}"]
  page:
    cmd: cat data/scores_one data/scores_two > data/page; echo $OMP_NUM_THREADS > data/threads
    deps: [data/scores_one, data/scores_two]
    outs: [data/page]
"""
TRAIN = """\
import os, pathlib, sys, time
import yaml

method, toll = sys.argv[1], pathlib.Path(os.environ["TOLL"])
if os.environ.get("FAILING") == method:
    sys.exit(f"{method} cannot be trained")
place = pathlib.Path(f".checkpoints/toy-{method}-0")
place.mkdir(parents=True, exist_ok=True)
checkpoint = place / "training.pt"
turns = int(checkpoint.read_text()) if checkpoint.exists() else 0
parent = os.getppid()
while turns < 10 and os.getppid() == parent:  # it ends with its dvc, as the stages of the project do
    turns += 1
    with toll.open("a") as stream:
        stream.write(f"{method} {turns}\\n")
    part = place / "part"
    part.write_text(str(turns))
    part.replace(checkpoint)
    time.sleep(float(os.environ.get("PAUSE", "0")))
if turns < 10:
    sys.exit("dvc has ended")
pathlib.Path("data/runs").mkdir(parents=True, exist_ok=True)
pathlib.Path(f"data/runs/{method}").write_text(
    method * yaml.safe_load(open("params.yaml"))["methods"][method]
)
"""
PARAMS = "shade: 0\nmethods:\n  one: 1\n  two: 1\n"

JOBS = ["train@toy-two", "train@toy-one"]


def make_toy(root: Path) -> Path:
    """A committed project at `root`, whose remote lies beside it."""
    (root / "data").mkdir(parents=True)
    (root / "dvc.yaml").write_text(STAGES)
    (root / "train.py").write_text(TRAIN)
    (root / "params.yaml").write_text(PARAMS)
    (root / "raw").write_text("w")  # what all clones share, and neither git nor DVC has
    (root / ".gitignore").write_text("/raw\n/data/*\n/.checkpoints/\n!/data/keep\n")
    (root / "data/keep").touch()
    run(root, "git", "init", "--quiet")
    run(root, *DVC, "init", "--quiet")
    run(root, *DVC, "remote", "add", "--quiet", "--default", "storage", str(root.parent / "remote"))
    commit(root)
    return root


def commit(root: Path) -> None:
    run(root, "git", "add", "--all")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    run(root, "git", *who, "commit", "--quiet", "--message", "All")


def run(root: Path, *command: str) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def turns_in(toll: Path, method: str) -> list[int]:
    """Turns that were played for a method, whoever played them, in order."""
    rows = [line.split() for line in toll.read_text().splitlines()]
    return [int(number) for name, number in rows if name == method]
