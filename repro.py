"""The whole pipeline, trainings side by side: what `make repro` runs. What is up to date is skipped.

Trainings that share a processor gain little from more threads, but much from one another
(docs/decisions/0010-two-lanes.md). `-s` keeps a lane from locking what its neighbour reads; what the
lanes leave is for the `dvc repro` behind them.

    python repro.py --lanes 2
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stages import preflight

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Job = list[str]
"""Names of stages that one lane runs one after the other."""


def main() -> None:
    """Run what all need, then the rows, then tables and page, then whatever is left."""
    parser = argparse.ArgumentParser(description="Run the whole pipeline.")
    parser.add_argument("--lanes", type=int, default=2, help="stages at a time, at least 1")
    lanes: int = parser.parse_args().lanes
    if lanes < 1:
        parser.error(f"{lanes} lanes run nothing; give 1 or more")
    preflight.end_if(preflight.git_problem(preflight.ROOT, shutil.which("git")))
    if remove_torn_list(Path.cwd()):
        sys.stderr.write("repro: a killed dvc had left half of .dvc/tmp/rwlock; it was removed\n")
    by_itself("dvc", "repro", "weights", "encode")
    listed = ["dvc", "stage", "list", "--names-only"]
    names = subprocess.run(listed, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    in_lanes(rows(names), lanes)
    in_lanes([[name] for name in names if name.startswith(("compare", "page"))], lanes)
    by_itself("dvc", "repro")


def remove_torn_list(root: Path) -> bool:
    """Remove DVC's list of who reads and writes what if a killed `dvc` has left half of it; whether it had.

    DVC writes it in place. With half of it every later `dvc` fails, until a person removes the file.
    """
    path = root / ".dvc/tmp/rwlock"
    if not path.exists():
        return False
    with path.with_name("rwlock.lock").open("a") as guard:
        if fcntl is not None:
            fcntl.flock(guard, fcntl.LOCK_EX)  # as DVC does while it writes
        try:
            json.loads(path.read_text())
        except ValueError:
            path.unlink()
            return True
    return False


def rows(names: Sequence[str]) -> list[Job]:
    """Baselines, ceilings, rows from outside, then each training with its evaluation.

    Each kind is taken from its end: there the long trainings of the line-up stand, and a long one that
    began last would keep one lane alone.
    """
    backwards = names[::-1]
    jobs = [
        [name]
        for kind in ("baselines", "ceiling", "entry")
        for name in backwards
        if name.startswith(kind)
    ]
    trainings = [name for name in backwards if name.startswith("train")]
    return jobs + [[name, name.replace("train", "evaluate", 1)] for name in trainings]


def in_lanes(jobs: Sequence[Job], lanes: int) -> None:
    """Run so many jobs at a time, one thread each. Exits behind the last one if any has failed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def fails(job: Job) -> bool:
        command = ["dvc", "--wait-for-lock", "repro", "-s", *job]
        return subprocess.run(command, env=environment, check=False).returncode != 0

    with ThreadPoolExecutor(lanes) as pool:
        failed = [job for job, bad in zip(jobs, pool.map(fails, jobs), strict=True) if bad]
    if failed:
        sys.exit(f"repro: failed, see above: {', '.join(' '.join(job) for job in failed)}")


def by_itself(*command: str) -> None:
    """Run a command with nothing beside it. Exits with its status if it fails."""
    if status := subprocess.run(command, check=False).returncode:
        sys.exit(status)


if __name__ == "__main__":
    main()
