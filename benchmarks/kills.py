"""What random kills cost: every stage is killed at random moments, and `dvc repro` then ends the work.

A small project of its own is made, and run once undisturbed. Then, kill by kill: a stage is forgotten, run
as if for the first time, and KILL, TERM or INT is sent at a random moment to the whole group, to the stage
or to `dvc` alone. Afterwards no process of it may go on, the next `dvc repro` must end well with the same
bytes and without a leftover, and a training that had ended must not be trained again.

    python -m benchmarks.kills --place /tmp/kills --kills 100 --seed 0 --minutes 60
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import yaml

from stages.command import run
from tests.tiny_project import Project
from thermochroma.base.files import sha256

METHODS: Final = ["cyclegan", "thermal_mask", "cmmf_net", "tir2lab", "tic_cgan"]
SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TARGETS: Final = ("group", "stage", "dvc")
TRAININGS: Final = 0.5  # share of the kills
EARLY: Final = 0.4, 5.0  # share of the kills that fall into so many first seconds
PATIENCE: Final = 30.0  # seconds in which everything must have ended
MEASURED: Final = "cost.json"  # times and memory, never twice the same
PHASES: Final = ("before", "within", "after", "too late for")
HEAD: Final = (
    "| sent to | signal | kills | before the stage | within it | after it | too late |\n"
    "|---|---|--:|--:|--:|--:|--:|\n"
)


@dataclass(frozen=True)
class Undisturbed:
    """What the project holds, and how long each stage took, when nothing was killed."""

    seconds: dict[str, float]
    files: dict[str, dict[str, str]]
    """SHA-256 of each output that is no measurement, by stage and path."""
    measured: dict[str, bytes]
    """Measurements by path: put back after each kill, so that tables that show them can be compared."""


@dataclass
class Counts:
    """What was seen."""

    kills: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    resumed: int = 0
    delivered: int = 0
    faults: list[str] = field(default_factory=list)


def main(place: Path, kills: str, seed: str, minutes: str) -> None:
    """Prints Markdown; ends with status 1 if anything was lost, left over, other, or trained twice.

    No new kill begins after so many minutes.
    """
    # A shell that starts this in the background has its children ignore INT; those here must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    project = made(place)
    undisturbed = run_once(project)
    dice, counts = random.Random(int(seed)), Counts()
    began = time.monotonic()
    for stage in drawn(list(undisturbed.seconds), int(kills), dice):
        if time.monotonic() - began > 60 * float(minutes):
            break
        one_kill(project, stage, undisturbed, dice, counts)
        sys.stderr.write(f"{sum(counts.kills.values())} {stage} {counts.faults[-1:]}\n")
    last(project, counts)
    report(counts, undisturbed, time.monotonic() - began)
    if counts.faults:
        sys.exit("\n".join(counts.faults))


def made(place: Path) -> Project:
    """The project of the tests, with five methods and one for video."""
    place.mkdir(parents=True)
    project = Project(place)
    project.change(lambda params: params.update(lineup=METHODS))
    return project


def run_once(project: Project) -> Undisturbed:
    """Run stage after stage, each timed with the two seconds that `dvc` itself takes."""
    seconds: dict[str, float] = {}
    for stage in project.run("dvc", "stage", "list", "--names-only").split():
        began = time.monotonic()
        project.repro("-s", stage)
        seconds[stage] = time.monotonic() - began
    files = {stage: outputs(project.root, stage) for stage in seconds}
    paths = (project.root / "data").rglob(MEASURED)
    return Undisturbed(seconds, files, {str(path): path.read_bytes() for path in paths})


def drawn(stages: list[str], kills: int, dice: random.Random) -> Iterator[str]:
    """Each stage once, then trainings and others as `TRAININGS` says, in a random order."""
    trainings = [stage for stage in stages if stage.startswith("train")]
    more = kills - len(stages)
    trained = dice.choices(trainings, k=max(0, round(kills * TRAININGS) - len(trainings)))
    others = dice.choices([*set(stages) - set(trainings)], k=max(0, more - len(trained)))
    chosen = [*stages, *trained, *others]
    dice.shuffle(chosen)
    yield from chosen[:kills]


def one_kill(
    project: Project, stage: str, undisturbed: Undisturbed, dice: random.Random, counts: Counts
) -> None:
    """Forget one stage, run it, kill it, and see what the next run makes of it."""
    forget(project, stage)
    target, sent = dice.choice(TARGETS), dice.choice(SIGNALS)
    share, early = EARLY
    until = early if dice.random() < share else 1.1 * undisturbed.seconds[stage]
    hit = killed(project, stage, target, sent, dice.uniform(0, until))
    counts.kills[target, sent.name, hit] += 1
    what = f"{stage}, {sent.name} to {target}, {hit} the stage"
    if left := still_there(project.root):
        counts.faults.append(f"{what}: goes on: {left}")
    ended, checkpoints = training_at(project.root)
    printed = again(project, stage, what, counts)
    counts.resumed += "resuming after" in printed
    counts.delivered += "was trained before" in printed
    if ended and ("resuming after" in printed or "train sample-" in printed):
        counts.faults.append(f"{what}: had ended, and was trained again")
    if checkpoints and not ended and "Running stage" in printed and "resuming" not in printed:
        counts.faults.append(f"{what}: had a checkpoint, and was begun afresh")
    if outputs(project.root, stage) != undisturbed.files[stage]:
        counts.faults.append(f"{what}: other bytes")
    if left := leftovers(project.root):
        counts.faults.append(f"{what}: leftovers {left}")
    for name, content in undisturbed.measured.items():
        Path(name).unlink(missing_ok=True)  # it may be a link into DVC's cache
        Path(name).write_bytes(content)


def forget(project: Project, stage: str) -> None:
    """Leave nothing that would spare the stage its work: no record, no run in the cache, no checkpoint."""
    lock = project.root / "dvc.lock"
    told: dict[str, Any] = yaml.safe_load(lock.read_text())
    told["stages"].pop(stage, None)
    lock.write_text(yaml.safe_dump(told, sort_keys=False))
    for name in (".dvc/cache/runs", ".checkpoints", *(["data/raw"] * stage.startswith("download"))):
        shutil.rmtree(project.root / name, ignore_errors=True)


def killed(project: Project, stage: str, target: str, sent: signal.Signals, seconds: float) -> str:
    """Run the stage and send the signal after so many seconds; says when in the stage's life it came."""
    dvc = subprocess.Popen(
        ["dvc", "repro", "-s", stage],
        cwd=project.root,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    begun, until = False, time.monotonic() + seconds
    while time.monotonic() < until or (target == "stage" and not begun and dvc.poll() is None):
        begun = begun or bool(of_the_stage(project.root))
        time.sleep(0.02)
    alive = of_the_stage(project.root)
    when = "within" if alive else "after" if begun else "before"
    when = when if dvc.poll() is None else "too late for"
    with suppress(ProcessLookupError):
        if target == "group":
            os.killpg(dvc.pid, sent)
        elif target == "dvc":
            dvc.send_signal(sent)
        elif alive:
            alive[0].send_signal(sent)
    with suppress(subprocess.TimeoutExpired):
        dvc.wait(timeout=PATIENCE + 2 * max(10.0, seconds))
    return when


def of_the_stage(root: Path) -> list[psutil.Process]:
    """The processes of a stage that runs in the project, the oldest first."""
    return [one for one in processes(root) if any(w.startswith("stages.") for w in words(one))]


def processes(root: Path) -> list[psutil.Process]:
    """All processes that work in the project's folder, the oldest first."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(root) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return sorted(found, key=lambda process: process.pid)


def words(process: psutil.Process) -> list[str]:
    """The command line of a process, or none if it has ended."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def still_there(root: Path) -> list[str]:
    """Commands that go on after `PATIENCE`; they are ended here."""
    until = time.monotonic() + PATIENCE
    while (found := processes(root)) and time.monotonic() < until:
        time.sleep(0.1)
    commands = [" ".join(words(process)[:4]) for process in found]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return commands


def training_at(root: Path) -> tuple[bool, bool]:
    """Whether a training has ended here, and whether one has a checkpoint."""
    place = root / ".checkpoints"
    ended = any(place.glob("*/finished/translator.safetensors"))
    return ended, any(place.glob("*/training.pt"))


def again(project: Project, stage: str, what: str, counts: Counts) -> str:
    """Let `dvc repro` end the work; what it printed."""
    command = ["dvc", "repro", "-s", stage]
    done = subprocess.run(
        command,
        cwd=project.root,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout + done.stderr
    if done.returncode:
        counts.faults.append(f"{what}: the next run failed: {printed[-600:]}")
    return printed


def outputs(root: Path, stage: str) -> dict[str, str]:
    """SHA-256 of each output of a stage that is no measurement, by its path."""
    lock: dict[str, Any] = yaml.safe_load((root / "dvc.lock").read_text())
    tops = [root / out["path"] for out in lock["stages"].get(stage, {}).get("outs", ())]
    files = [path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*")))]
    return {
        str(path.relative_to(root)): sha256(path)
        for path in files
        if path.is_file() and path.name != MEASURED
    }


def leftovers(root: Path) -> list[str]:
    """Half-written files and locks below the project, DVC's own left out."""
    return [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if ".dvc" not in path.parts
        and (path.name.startswith((".part-", ".tmp")) or path.suffix == ".lock")
        and path.name not in {"dvc.lock", ".mlflow.lock"}
    ]


def last(project: Project, counts: Counts) -> None:
    """Let the whole pipeline run once more; it must leave no checkpoint."""
    project.repro()
    if left := list((project.root / ".checkpoints").iterdir()):
        counts.faults.append(f"checkpoints are left: {[path.name for path in left]}")


def report(counts: Counts, undisturbed: Undisturbed, seconds: float) -> None:
    """Print how many kills there were, where they fell, and what came of them."""
    sys.stdout.write(HEAD)
    for target in TARGETS:
        for sent in SIGNALS:
            row = [counts.kills[target, sent.name, phase] for phase in PHASES]
            cells = " | ".join(map(str, [sum(row), *row]))
            sys.stdout.write(f"| {target} | {sent.name} | {cells} |\n")
    compared = len({name for files in undisturbed.files.values() for name in files})
    sys.stdout.write(
        f"\n{sum(counts.kills.values())} kills over {len(undisturbed.seconds)} stages in "
        f"{seconds / 60:.0f} minutes; {counts.resumed} trainings went on from a checkpoint, "
        f"{counts.delivered} had ended and were only written again; {compared} files compared; "
        f"{len(counts.faults)} faults.\n"
    )


if __name__ == "__main__":
    run(main)
