"""Turned bits and cuts in every kind of file that a stage reads: what the stage says, and what it writes.

The project of the tests, after one `dvc repro`. Each damage is done to one file; the stage that reads it
is called in a process of its own, with its outputs elsewhere. Then it has refused the file in a sentence,
or its outputs are the same bytes as without the damage, or it has failed: they differ, or it ended in a
traceback.

    python -m benchmarks.corruption --project <an empty folder, or one that this has filled before>
"""

import importlib
import inspect
import os
import pickle
import random
import re
import shlex
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import yaml

from stages.command import run
from tests.tiny_project import Project
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256

TURNED, CUT = 4, 2  # of each kind
MEASURED: Final = {"cost.json", "latency"}  # outputs that a clock decides
ELSEWHERE: Final = {
    "checkpoints",
    "edges",
}  # options that name no output, where leftovers would be reused
READER: Final = "cmmf_net"  # a method with text and VGG
SCORES, BASELINES = f"data/scores/sample/{READER}", "data/baselines/sample/mean_colour"
KINDS: Final = {  # kind: pattern of its files, stage that reads them
    "raw image": ("data/raw/sample/images/set0[0-4]/*/*/*.jpg", "crop@sample"),
    "what was drawn, for captions": ("data/raw/sample/captions_meta.json", "caption@sample"),
    "what was drawn, the transforms": ("data/raw/sample/ground_truth.json", "card@sample"),
    "table of frames": ("data/frames/sample.csv", "crop@sample"),
    "table of transforms": ("data/registered/sample/transforms.csv", "crop@sample"),
    "manifest of crops": ("data/crops/sample/manifest.csv", "baselines@sample"),
    "shard, thermal": ("data/crops/sample/thermal/*.npy", "caption@sample"),
    "shard, visible": ("data/crops/sample/visible/*.npy", "baselines@sample"),
    "sums of a shard": ("data/crops/sample/*/*.crc32", "baselines@sample"),
    "captions": ("data/captions/sample.csv", "encode@sample"),
    "frozen CLIP": ("data/weights/clip/*", "encode@sample"),
    "frozen VGG": ("data/weights/vgg19/*", f"train@sample-{READER}"),
    "frozen networks of scores": ("data/weights/perception/*", "baselines@sample"),
    "features of captions": ("data/text/sample.safetensors", f"evaluate@sample-{READER}"),
    "translator": (f"data/runs/sample/{READER}/*.safetensors", f"evaluate@sample-{READER}"),
    "snapshot": (f"data/runs/sample/{READER}/snapshots/*", f"evaluate@sample-{READER}"),
    "history of a training": ("data/runs/sample/*/history.csv", "compare@sample"),
    "cost": (f"data/*/sample/{READER}/cost.json", "compare@sample"),
    "scores": ("data/*/sample/*/scores.csv", "compare@sample"),
    "distances": ("data/*/sample/*/distances.json", "compare@sample"),
    "flicker": ("data/*/sample/*/flicker.csv", "compare@sample"),
    "scores of snapshots": (f"{SCORES}/snapshots.csv", "compare@sample"),
    "panel": (f"{SCORES}/panel.npz", "compare@sample"),
    "gallery": ("data/*/sample/*/gallery.npz", "page"),
    "metrics": ("reports/metrics/sample/[bcr][aey][scl]*[eny].json", "track"),
}


@dataclass
class Tally:
    """What became of the damages of one kind."""

    outcomes: Counter[str] = field(default_factory=Counter)
    sentences: set[str] = field(default_factory=set)


def main(project: Path) -> None:
    """Prints Markdown; ends with status 1 if a damage changed an output, or ended in a traceback."""
    project = project.resolve()
    if not (project / "dvc.lock").exists():
        project.mkdir(parents=True, exist_ok=True)
        Project(project).repro()
    os.chdir(project)
    stages = yaml.safe_load(Path("dvc.lock").read_text())["stages"]
    sound: dict[str, Mapping[str, str]] = {}
    tallies: dict[str, Tally] = {}
    for kind, (pattern, stage) in KINDS.items():
        if stage not in sound:
            sentence, sound[stage] = outcome_of(stages[stage])
            if sentence:
                sys.exit(f"{stage} fails without any damage: {sentence}")
            if stages[stage].get("outs") and not sound[stage]:
                sys.exit(f"{stage} wrote nothing that could be compared")
        tallies[kind] = Tally()
        for file, damage in damages(kind, sorted(Path().glob(pattern))):
            told, found = damaged(file, damage, partial(outcome_of, stages[stage]))
            note(tallies[kind], told, found == sound[stage])
        sys.stderr.write(f"{kind}: {dict(tallies[kind].outcomes)}\n")
    sys.stdout.write(report(tallies))
    if any({"changed", "traceback"} & {*tally.outcomes} for tally in tallies.values()):
        sys.exit(1)


def damages(kind: str, files: list[Path]) -> list[tuple[Path, Callable[[bytes], bytes]]]:
    """Files and what is done to the content of each; the same on every machine."""
    drawn = random.Random(kind)
    files = [path for path in files if path.is_file() and path.stat().st_size]
    found: list[tuple[Path, Callable[[bytes], bytes]]] = []
    for _ in range(TURNED):
        found.append((drawn.choice(files), turn_at(drawn.random())))
    for number in range(CUT):
        found.append((drawn.choice(files), cut_at(drawn.random(), at_line=number == 0)))
    return found


def turn_at(place: float) -> Callable[[bytes], bytes]:
    """Turn one bit. place: where, as a share of the file."""

    def turn(content: bytes) -> bytes:
        bit = int(place * 8 * len(content))
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)

    return turn


def cut_at(place: float, *, at_line: bool) -> Callable[[bytes], bytes]:
    """Cut the end off. place: where, as a share of the file. at_line: behind a whole line, if any."""

    def cut(content: bytes) -> bytes:
        rest = content[: int(place * (len(content) - 1))]
        return rest[: rest.rfind(b"\n") + 1] if at_line and b"\n" in rest else rest

    return cut


def damaged(
    path: Path, damage: Callable[[bytes], bytes], act: Callable[[], tuple[str, Mapping[str, str]]]
) -> tuple[str, Mapping[str, str]]:
    """Act while the file is damaged."""
    content, mode = path.read_bytes(), path.stat().st_mode
    path.unlink()  # it may be a link into the cache
    path.write_bytes(damage(content))
    try:
        return act()
    finally:
        path.write_bytes(content)
        path.chmod(mode)


def outcome_of(stage: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """The sentence or traceback with which a stage ended, and the SHA-256 of each output.

    In a process of its own, since what was read once is not read again.
    """
    scratch = Path(".corruption").resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(600)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        told = ending_of(stage, scratch)
        with os.fdopen(writing, "wb") as stream:
            pickle.dump(told, stream)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        content = stream.read()
    _, status = os.waitpid(child, 0)
    told = pickle.loads(content) if content else f"traceback: ended by signal {status}"
    files = sorted(path for path in scratch.rglob("*") if path.is_file())
    hidden = {path for path in files if path.relative_to(scratch).parts[0] in ELSEWHERE}
    return told, {
        path.relative_to(scratch).as_posix(): sha256(path)
        for path in files
        if path not in hidden and not any(word in path.name for word in MEASURED)
    }


def ending_of(stage: Mapping[str, Any], scratch: Path) -> str:
    """Call a stage's function as its command would, with its outputs below `scratch`."""
    try:
        words = shlex.split(stage["cmd"])
        main = importlib.import_module(words[words.index("-m") + 1]).main
        options = dict(pairwise(words))
        outs = [out["path"] for out in stage.get("outs", [])]
        given = {}
        for name, parameter in inspect.signature(main, eval_str=True).parameters.items():
            value = options[f"--{name}"]
            if name in ELSEWHERE:
                value = str(scratch / name)
            elif any(out == value or out.startswith((f"{value}/", f"{value}.")) for out in outs):
                value = str(scratch / value)
            given[name] = parameter.annotation(value)
        main(**given)
    except BadInput as refusal:
        return str(refusal)
    except BaseException:
        return f"traceback: {traceback.format_exc()}"
    return ""


def note(tally: Tally, told: str, is_same: bool) -> None:
    """Count one damage."""
    if told.startswith("traceback"):
        tally.outcomes["traceback"] += 1
    elif told:
        tally.outcomes["refused"] += 1
    else:
        tally.outcomes["no change" if is_same else "changed"] += 1
    if told:
        tally.sentences.add(told if told.startswith("traceback") else in_short(told))


def in_short(sentence: str) -> str:
    """A sentence without the folders, numbers and names that differ from damage to damage."""
    short = re.sub(r"[^ ]+/(?=[^/ ]+ )", "", sentence, count=1)
    short = re.sub(r"set\d+_V\d+|I\d{5}|\d{9}", "…", short)
    short = re.sub(r"image \d+|base 16: '.*?'", "…", short)
    return re.sub(
        r"has \d+ lines below its head, and \d+ rows",
        "has … lines below its head, and … rows",
        short,
    )


def report(tallies: Mapping[str, Tally]) -> str:
    """Markdown: what became of the damages, and each sentence."""
    total: Counter[str] = sum((tally.outcomes for tally in tallies.values()), Counter())
    names = ("refused", "no change", "changed", "traceback")
    lines = [
        f"| kind | read by | damages | {' | '.join(names)} |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    rows = {kind: (KINDS[kind][1].split("@")[0], tally.outcomes) for kind, tally in tallies.items()}
    for kind, (stage, outcomes) in {**rows, "all": ("", total)}.items():
        numbers = " | ".join(str(outcomes[name]) for name in names)
        lines.append(f"| {kind} | {stage} | {outcomes.total()} | {numbers} |")
    lines.append("")
    for kind, tally in tallies.items():
        lines += [f"- {kind}: {sentence}" for sentence in sorted(tally.sentences)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run(main)
