"""What hundreds of trainings cost DVC: nothing is trained, and nothing is out of date.

The project is copied, and given so many trainings (blocks of the line-up under other seeds). Every output
is made up, and recorded by DVC, which then is asked for what is out of date, and records one training once
more, as behind its end. Processor time, since other work may share the machine. Nothing heavy is imported
here: what a child has at its peak is at least what its parent has.

    python -m benchmarks.many_trainings --place FOLDER --numbers 15,60,300
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from tests.rooms import ROOT

DATASET: Final = "sample"
COPIED: Final = ("src", "stages", "captions", "dvc.yaml", "params.yaml", ".dvcignore")
PAIR: Final = tuple(f"{stage}_single@{DATASET}-pix2pix" for stage in ("train", "evaluate"))
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "`dvc status`": ("status",),
    "`dvc repro --dry`": ("repro", "--dry"),
    "a training and its scores, up to date": ("repro", "-s", *PAIR),
    "a training, recorded": ("commit", "--force", PAIR[0]),
}


class Cost(NamedTuple):
    """Of one command."""

    processor_seconds: float
    peak_bytes: int


def project(place: Path, trainings: int) -> Path:
    """A copy of the project with so many trainings whose outputs are made up and recorded."""
    root = place / str(trainings)
    root.mkdir(parents=True)
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    (root / "params.yaml").write_text(yaml.safe_dump(enlarged(params, trainings), sort_keys=False))
    dvc(root, "init", "--no-scm", "--quiet")
    dvc(root, "repro", "--quiet", "fingerprint")
    # in a process of its own, for this one must stay small
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        apart.submit(make_up, root).result()
    return root


def enlarged(params: dict[str, Any], trainings: int) -> dict[str, Any]:
    """The settings with so many trainings on the sample: the line-up, then its blocks under other seeds."""
    blocks = [name for name in params["lineup"] if "repeat_of" not in params["methods"][name]]
    seeds = ((name, seed) for seed in count(1) for name in blocks)
    more = {
        f"{name}_seed_{seed}": {"repeat_of": name, "seed": seed}
        for name, seed in islice(seeds, max(0, trainings - len(blocks)))
    }
    named = [*blocks[:trainings], *more]
    return params | {
        "methods": params["methods"] | more,
        "datasets": [DATASET],
        "lineup_datasets": [],
        "video_datasets": [],
        "trainings": {f"{DATASET}-{name}": {"dataset": DATASET, "method": name} for name in named},
    }


def make_up(root: Path) -> None:
    """Write all that stages read and write, a line each, and record it at once in dvc.lock."""
    from dvc.repo import Repo  # type: ignore[import-untyped]
    from dvc.stage.serialize import to_lockfile  # type: ignore[import-untyped]

    with chdir(root), Repo() as repo, repo.lock:
        stages = list(repo.index.stages)
        for one in (one for stage in stages for one in (*stage.outs, *stage.deps)):
            if one.protocol == "local":
                write_missing(root, Path(one.fs_path))
        for stage in stages:
            stage.save(run_cache=False)
            stage.commit()
    locked = {name: lock for stage in stages for name, lock in to_lockfile(stage).items()}
    plain = json.loads(json.dumps({"schema": "2.0", "stages": locked}))  # no OrderedDict
    recorded = yaml.safe_dump(plain, sort_keys=False)
    (root / "dvc.lock").write_text(recorded)


def write_missing(root: Path, path: Path) -> None:
    """Write a file, or a folder with one, unless it is there."""
    if not path.exists():
        file = path if path.suffix else path / "made-up.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{path.relative_to(root)}\n")


def dvc(root: Path, *arguments: str) -> Cost:
    """Run DVC in a project; it must end well."""
    command = [sys.executable, "-m", "dvc", *arguments]
    places = {"PYTHONPATH": str(root / "src"), "DVC_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=root, env=os.environ | places, stdout=subprocess.DEVNULL
    ) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command)}: status {child.returncode}")
    return Cost(used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss)


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--place", type=Path, required=True, help="an empty folder")
    parser.add_argument("--numbers", required=True, help="of trainings, with commas")
    given = parser.parse_args()
    say("trainings", *(f"{name}, s" for name in COMMANDS), "MB")
    say(*("--:",) * (2 + len(COMMANDS)))
    for number in sorted(map(int, given.numbers.split(","))):
        root = project(given.place, number)
        costs = [dvc(root, *command) for command in COMMANDS.values()]
        seconds = (f"{one.processor_seconds:.1f}" for one in costs)
        say(str(number), *seconds, f"{max(one.peak_bytes for one in costs) / 1e6:.0f}")


def say(*cells: str) -> None:
    """Print one row of a table."""
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
