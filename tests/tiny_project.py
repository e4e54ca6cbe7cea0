"""A copy of the project with a tiny sample, in which DVC runs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.conftest import ROOT
from tests.dvc_file import stages_of

COPIED = ("src", "stages", "captions", "dvc.yaml", "params.yaml", ".dvcignore")
LINEUP = ["thermal_mask", "cmmf_net"]
VIDEO_LINEUP = ["recycle_gan"]
TRANSLATOR = "data/runs/sample/{}/translator.safetensors"


class Project:
    """A copy of the project with a tiny sample; `dvc` runs in it without git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        ignore = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=ignore)
            else:
                shutil.copy(ROOT / name, root / name)
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
            "PYTHONDONTWRITEBYTECODE": "",  # forty processes import the same modules of the copy
        }
        self.environment.pop("MLFLOW_TRACKING_URI", None)
        self.run("dvc", "init", "--no-scm", "--quiet")
        self.change(_make_tiny)

    def run(self, *command: str, fails: bool = False) -> str:
        """What the command printed; it must end well unless it is to fail."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, printed[-4000:]
        return printed

    def repro(self, *arguments: str) -> list[str]:
        """Run `dvc repro`; the names of the stages that ran."""
        return stages_run(self.run("dvc", "repro", *arguments))

    def commands(self) -> dict[str, str]:
        """The command of each stage, as dvc.yaml has it."""
        stages = stages_of(self.root)
        return {name: stage["cmd"] for name, stage in stages.items()}

    def change(self, edit: Callable[[dict[str, Any]], object]) -> None:
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        edit(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))


class Warm:
    """`dvc` in a project, of which all runs begin as copies of one process (tests/warm_dvc.py)."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.printed = project.root / ".dvc/tmp/printed"
        self.server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm_dvc.py")), "dvc"],
            cwd=project.root,
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.communicate()  # it ends at the end of what it reads

    def begin(self, *arguments: str) -> int:
        """Begin a run; the number of its process, which `end` waits for."""
        assert self.server.stdin is not None
        command = {"arguments": arguments, "printed": str(self.printed)}
        self.server.stdin.write(json.dumps(command) + "\n")
        self.server.stdin.flush()
        return self._answer()

    def end(self) -> int:
        """Wait for the end of a run; its status."""
        return self._answer()

    def run(self, *arguments: str) -> str:
        """What a run printed; it must end well."""
        self.begin(*arguments)
        status, printed = self.end(), self.printed.read_text()
        assert status == 0, printed[-4000:]
        return printed

    def _answer(self) -> int:
        assert self.server.stdout is not None
        return int(self.server.stdout.readline())


def stages_run(printed: str) -> list[str]:
    """The names of the stages that ran, by what `dvc repro` printed."""
    return [
        line.split("'")[1]
        for line in printed.splitlines()
        if line.startswith("Running stage") and "'" in line
    ]


def _make_tiny(params: dict[str, Any]) -> None:
    params["weights"] = dict.fromkeys(params["weights"], "stand_in")  # nothing is fetched in tests
    params["lineup"], params["video_lineup"] = LINEUP, VIDEO_LINEUP
    # DVC reads the whole file again for each stage, and slowly: what is not run is not there.
    params["methods"] = {name: params["methods"][name] for name in (*LINEUP, *VIDEO_LINEUP)}
    for of_datasets in ("sources", "crop", "budget", "evaluate"):
        params[of_datasets] = {"sample": params[of_datasets]["sample"]}
    params["methods"]["recycle_gan"]["game"]["forecaster_halvings"] = 6
    params["sources"]["sample"] |= {"sequences_per_set": 2, "frames_per_sequence": 5}
    params["crop"]["sample"] |= {"size": 64, "clip_frames": 5}
    params["budget"]["sample"] |= {
        "images": 24,
        "window": None,
        "scale": 0.0625,
        "reading_every_images": 4,
        "validate_every_images": 8,
        "checkpoint_every_images": 4,
        "snapshots": 5,
        "exceptions": {},
    }
    params["evaluate"]["sample"] |= {"panel_frames": 2, "timing_rounds": 2}
