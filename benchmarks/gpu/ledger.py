"""Results on disk: one JSON for a card, the code and the form, whole after each measurement."""

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.gpu.form import Form
from benchmarks.gpu.worker import FAILED
from thermochroma.base.files import write_text
from thermochroma.base.reading import reading

CODE: Final = (
    *("params.yaml", "src", "benchmarks", "tests/examiner.py", "tests/precision.py"),
    *("tests/questions.py", "tests/stand_ins.py", "tests/turns.py"),
)
"""What decides the results, relative to the root of the project."""


class Ledger:
    """Measured results by name, kept under the card, the code and the form that they are of."""

    def __init__(self, folder: Path, head: Mapping[str, Any]) -> None:
        """Read what an earlier start has measured. head: what the results are of, all of it."""
        digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode()).hexdigest()[:8]
        card = re.sub(r"[^a-z0-9]+", "-", str(head["machine"]["card"]).lower()).strip("-")
        self.path = folder / f"gpu-{card}-{digest}.json"
        self.head, self.left_out = dict(head), dict[str, str]()
        self.results: dict[str, dict[str, Any]] = {}
        if self.path.exists():
            with reading(self.path, needed="a JSON of this benchmark", remedy="remove the file"):
                self.results = json.loads(self.path.read_text())["results"]

    def has(self, name: str) -> bool:
        """Whether something was measured; what failed is tried again."""
        return name in self.results and FAILED not in self.results[name]

    def note(self, name: str, result: Mapping[str, Any]) -> None:
        """Keep one result at once; the file is whole at any time."""
        self.results[name] = dict(result)
        self.left_out.pop(name, None)
        self.write()

    def leave_out(self, name: str, why: str) -> None:
        """Say why something was not measured this time."""
        if name not in self.results:
            self.left_out[name] = why

    def write(self) -> None:
        """Write all of it."""
        whole = {**self.head, "left_out": self.left_out, "results": self.results}
        write_text(self.path, json.dumps(whole, indent=2) + "\n")


def head_of(machine: Mapping[str, Any], form: Form, weights: str, commit: str) -> dict[str, Any]:
    """What results are of. weights: which frozen networks are published. commit: "" asks git."""
    return {
        "machine": dict(machine),
        "code": code_digest(Path()),
        "commit": commit or commit_here(),
        "form": json.loads(json.dumps(asdict(form))),
        "weights": weights,
    }


def code_digest(root: Path) -> str:
    """Digest of the files that decide the results: a copy of the project without git has one, too."""
    digest = hashlib.sha256()
    for start in (root / name for name in CODE):
        for path in sorted(start.rglob("*.py")) if start.is_dir() else [start]:
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def commit_here() -> str:
    """The commit of the working tree, and whether it was changed; "" without git."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()
