"""What random kills cost: every stage is killed at random moments, and `dvc repro` then ends the work.

A small project of its own is made, and run once undisturbed. Then, row by row: a stage is forgotten, run as
if for the first time, and a few times in a row KILL, TERM or INT is sent at a random moment to the whole
group, to the stage or to `dvc` alone, before it may end. After a kill no process of it may go on; the last
`dvc repro` must end well with the same bytes and without a leftover; and a training that had ended must not
be trained again, nor one with a checkpoint be begun afresh.

    python -m benchmarks.kills --place FOLDER --seed 0 --minutes 60
"""

import json
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
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import psutil
import yaml

from repro import remove_torn_list
from stages.command import run
from tests.conftest import ROOT
from tests.tiny_project import Project
from thermochroma.base.files import sha256, write_text

ENVIRONMENT: Final = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "OMP_NUM_THREADS": "1",
    "DVC_NO_ANALYTICS": "1",
    "PYTHONPATH": "",  # the project's own code
}
METHODS: Final = ["cyclegan", "thermal_mask", "cmmf_net", "tir2lab", "tic_cgan"]
SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TARGETS: Final = ("group", "stage", "dvc")
MOST_IN_A_ROW: Final = 6  # kills before a stage may end its work
EARLY: Final = 0.4, 5.0  # share of the kills that fall into so many first seconds
SOON: Final = 0.5, 4.0  # share of a training's kills in so many seconds behind one of these:
APPEARS: Final = ("*/training.pt", "*/before.pt", "*/finished")
PATIENCE: Final = 30.0  # seconds in which everything must have ended
MEASURED: Final = "cost.json"  # times and memory, never twice the same
PHASES: Final = ("before", "within", "after")
LATE: Final = "too late for"  # all was over: no kill
HEAD: Final = (
    "| sent to | signal | kills | before the stage | within it | after it |\n"
    "|---|---|--:|--:|--:|--:|\n"
)


@dataclass(frozen=True)
class Undisturbed:
    """What a stage left, and how long it took with the seconds of `dvc` itself, when nothing was killed."""

    seconds: float
    files: dict[str, str]
    """SHA-256 of each output that is no measurement, by path."""


@dataclass(frozen=True)
class Moment:
    """So many seconds after the start, or behind the appearance of a file below .checkpoints."""

    seconds: float
    behind: str = ""


@dataclass
class Pace:
    """How long stages take now, against the undisturbed run: other work may share the machine."""

    factor: float = 1.0


@dataclass(frozen=True)
class Kill:
    """What one kill did."""

    stage: str
    target: str
    sent: str
    phase: str
    resumed: bool
    delivered: bool
    faults: list[str]
    torn: bool = False
    """Whether `dvc` itself could not have gone on, for it had left half of its own list of locks."""


def main(place: Path, seed: str, minutes: str) -> None:
    """Prints Markdown; ends with status 1 if anything was lost, left over, other, or trained twice.

    Nothing new begins after so many minutes. Called again with the same place, it adds kills to those that
    are noted there.
    """
    # A shell that starts this in the background has its children ignore INT; those here must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began, dice, notes = time.monotonic(), random.Random(int(seed)), place / "kills.jsonl"
    root = made(place / "project")
    remove_torn_list(root)  # of a row that was broken off
    undisturbed = run_once(root, place / "undisturbed.json")
    measured = place / "measured"
    if not measured.exists():
        copy_measured(root, measured)
    pace = Pace()
    for stage in drawn(list(undisturbed), dice):
        if time.monotonic() - began > 60 * float(minutes):
            break
        done = kills_in_a_row(root, stage, undisturbed[stage], dice, pace)
        copy_measured(measured, root)  # tables that show them can be compared then
        with notes.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(asdict(one)) + "\n" for one in done)
    noted = [Kill(**json.loads(line)) for line in notes.read_text(encoding="utf-8").splitlines()]
    report(noted, undisturbed)
    faults = [f"{one.stage}: {fault}" for one in noted for fault in one.faults] + last(root)
    if faults:
        sys.exit("\n".join(faults))


def made(root: Path) -> Path:
    """The project of the tests, with five methods and one for video; or what is there of it."""
    if not (root / "dvc.yaml").exists():
        root.mkdir(parents=True)
        Project(root).change(_line_up)
    return root


def _line_up(params: dict[str, Any]) -> None:
    """Give the project of the tests, which has three methods, the blocks of all that are killed here."""
    blocks = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["methods"]
    params["methods"] |= {name: blocks[name] for name in METHODS}
    params["lineup"] = METHODS


def dvc(root: Path, *words: str) -> tuple[int, str]:
    """Status of `dvc`, and what it printed."""
    done = subprocess.run(
        ["dvc", *words], cwd=root, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def run_once(root: Path, path: Path) -> dict[str, Undisturbed]:
    """Run each stage that has not been run; what all did, by stage."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for stage in dvc(root, "stage", "list", "--names-only")[1].split():
        if stage in known and stage in recorded(root):
            continue
        began = time.monotonic()
        status, printed = dvc(root, "repro", "-s", stage)
        if status:
            sys.exit(printed)
        told = {"seconds": time.monotonic() - began, "files": outputs(root, stage)}
        known.setdefault(stage, told)  # a row that was broken off has been ended now
        write_text(path, json.dumps(known, indent=2) + "\n")
    return {stage: Undisturbed(**told) for stage, told in known.items()}


def copy_measured(one: Path, other: Path) -> None:
    """Copy the measurements from one folder to the same places below another."""
    for path in (one / "data").rglob(MEASURED):
        target = other / path.relative_to(one)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # it may be a link into DVC's cache
        shutil.copyfile(path, target)


def drawn(stages: list[str], dice: random.Random) -> Iterator[str]:
    """Stages without end: in turn a training and another one, all of a kind before one comes again."""
    kinds = [[s for s in stages if s.startswith("train") == trains] for trains in (True, False)]
    left: list[list[str]] = [[], []]
    while True:
        for kind, waiting in zip(kinds, left, strict=True):
            waiting += [] if waiting else dice.sample(kind, len(kind))
            yield waiting.pop()


def kills_in_a_row(
    root: Path, stage: str, undisturbed: Undisturbed, dice: random.Random, pace: Pace
) -> list[Kill]:
    """Forget one stage, kill it a few times, and see what the next run makes of it."""
    forget(root, stage)
    kills = list[Kill]()
    for _ in range(dice.randint(2, MOST_IN_A_ROW)):
        if stage in recorded(root):  # it has ended well before it could be killed
            break
        target, sent = dice.choice(TARGETS), dice.choice(SIGNALS)
        moment = drawn_moment(stage, pace.factor * undisturbed.seconds, dice)
        before, began = training_at(root), time.monotonic()
        phase, printed = killed(root, stage, target, sent, moment)
        if phase == LATE and not kills:  # a whole run
            pace.factor = (time.monotonic() - began) / undisturbed.seconds
        faults = twice(before, printed)
        if left := still_there(root):
            faults.append(f"goes on: {left}")
        torn = remove_torn_list(root)
        kills.append(Kill(stage, target, sent.name, phase, *marks(printed), faults, torn))
    before = training_at(root)
    status, printed = dvc(root, "repro", "-s", stage)
    faults = twice(before, printed)
    if status:
        faults.append(f"the next run failed: {printed[-600:]}")
    if outputs(root, stage) != undisturbed.files:
        faults.append("other bytes")
    if left := leftovers(root):
        faults.append(f"leftovers {left}")
    return [*kills, Kill(stage, "", "", "ended", *marks(printed), faults)]


def drawn_moment(stage: str, seconds: float, dice: random.Random) -> Moment:
    """A moment in the first seconds, anywhere, or soon after something of a training has appeared."""
    if stage.startswith("train") and dice.random() < SOON[0]:
        return Moment(dice.uniform(0, SOON[1]), behind=dice.choice(APPEARS))
    share, early = EARLY
    return Moment(dice.uniform(0, early if dice.random() < share else seconds))


def marks(printed: str) -> tuple[bool, bool]:
    """Whether a training said that it went on from a checkpoint, and that it had ended before."""
    return "resuming after" in printed, "was trained before" in printed


def twice(before: tuple[bool, bool], printed: str) -> list[str]:
    """What a run did again that was done before it began."""
    ended, kept = before
    resumed, _ = marks(printed)
    plays = "train sample-" in printed  # the title of its bar
    if ended and plays:
        return ["a training that had ended was trained again"]
    if kept and plays and not resumed:
        return ["a training with a checkpoint was begun afresh"]
    return []


def forget(root: Path, stage: str) -> None:
    """Leave nothing that would spare the stage its work: no record, no run in the cache, no checkpoint."""
    lock = root / "dvc.lock"
    told: dict[str, Any] = yaml.safe_load(lock.read_text())
    told["stages"].pop(stage, None)
    lock.write_text(yaml.safe_dump(told, sort_keys=False))
    for name in (".dvc/cache/runs", ".checkpoints", *(["data/raw"] * stage.startswith("download"))):
        shutil.rmtree(root / name, ignore_errors=True)


def killed(
    root: Path, stage: str, target: str, sent: signal.Signals, moment: Moment
) -> tuple[str, str]:
    """Run the stage and send the signal at the moment; when in its life that was, and its words."""
    with TemporaryFile("w+", encoding="utf-8") as words_of:
        process = subprocess.Popen(
            ["dvc", "repro", "-s", stage],
            cwd=root,
            env=ENVIRONMENT,
            stdout=words_of,
            stderr=words_of,
            start_new_session=True,
        )
        begun, until = False, None if moment.behind else time.monotonic() + moment.seconds
        while process.poll() is None:
            begun = begun or bool(of_the_stage(root))
            if until is None and any((root / ".checkpoints").glob(moment.behind)):
                until = time.monotonic() + moment.seconds
            if until is not None and time.monotonic() > until and (begun or target != "stage"):
                break
            time.sleep(0.05)
        alive = of_the_stage(root)
        phase = "within" if alive else "after" if begun else "before"
        if process.poll() is not None:  # its number may be another's by now
            phase = LATE
        elif target == "group":
            os.killpg(process.pid, sent)
        elif target == "dvc":
            process.send_signal(sent)
        elif alive:
            with suppress(psutil.NoSuchProcess):
                alive[0].send_signal(sent)
        process.wait()  # what ignores the signal ends by itself
        words_of.seek(0)
        return phase, words_of.read()


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


def recorded(root: Path) -> dict[str, Any]:
    """Stages that DVC has recorded, with their outputs."""
    lock = root / "dvc.lock"
    told: dict[str, Any] = yaml.safe_load(lock.read_text()) if lock.exists() else {"stages": {}}
    return told["stages"]


def outputs(root: Path, stage: str) -> dict[str, str]:
    """SHA-256 of each output of a stage that is no measurement, by its path."""
    tops = [root / out["path"] for out in recorded(root).get(stage, {}).get("outs", ())]
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


def last(root: Path) -> list[str]:
    """Let the last stage run once more; what is wrong if it leaves a checkpoint."""
    status, printed = dvc(root, "repro", "-s", "track")
    left = [path.name for path in (root / ".checkpoints").glob("*")]
    return [f"checkpoints are left: {left} {printed}"] if left or status else []


def report(kills: list[Kill], undisturbed: dict[str, Undisturbed]) -> None:
    """Print how many kills there were, where they fell, and what came of them."""
    ended = [one for one in kills if one.phase == "ended"]
    runs = kills
    kills = [one for one in kills if one.phase not in {"ended", LATE}]
    fell = Counter((one.target, one.sent, one.phase) for one in kills)
    sys.stdout.write(HEAD)
    for target in TARGETS:
        for sent in SIGNALS:
            row = [fell[target, sent.name, phase] for phase in PHASES]
            cells = " | ".join(map(str, [sum(row), *row]))
            sys.stdout.write(f"| {target} | {sent.name} | {cells} |\n")
    compared = len({name for one in undisturbed.values() for name in one.files})
    trainings = {one.stage for one in ended if one.stage.startswith("train")}
    sys.stdout.write(
        f"\n{len(kills)} kills in {len(ended)} rows over {len({one.stage for one in ended})} of "
        f"{len(undisturbed)} stages, {len(trainings)} of them trainings. "
        f"{sum(one.resumed for one in runs)} runs went on from a checkpoint, "
        f"{sum(one.delivered for one in runs)} found the training ended and only wrote its outputs again. "
        f"{sum(one.torn for one in runs)} times `dvc` had left half of its own list of locks. "
        f"{compared} files compared; {sum(len(one.faults) for one in runs)} faults.\n"
    )


if __name__ == "__main__":
    run(main)
