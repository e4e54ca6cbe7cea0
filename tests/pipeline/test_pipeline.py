"""The whole way, small, as a user runs it: `dvc repro` in a copy of the project."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from dvc.repo import Repo

from tests.conftest import ROOT
from thermochroma.base.files import sha256
from thermochroma.config.params import read_params
from thermochroma.pipeline.fingerprint import write_fingerprints

COPIED = ("src", "stages", "captions", "dvc.yaml", "params.yaml", ".dvcignore")
LINEUP = ["cyclegan", "thermal_mask", "cmmf_net"]
VIDEO_LINEUP = ["recycle_gan"]
TRANSLATOR = "data/runs/sample/{}/translator.safetensors"

pytestmark = pytest.mark.xdist_group("pipeline")


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
        printed = self.run("dvc", "repro", *arguments)
        return [
            line.split("'")[1]
            for line in printed.splitlines()
            if line.startswith("Running stage") and "'" in line
        ]

    def commands(self) -> dict[str, str]:
        """The command of each stage, as dvc.yaml has it."""
        stages = yaml.safe_load((self.root / "dvc.yaml").read_text())["stages"]
        return {name: stage["cmd"] for name, stage in stages.items()}

    def change(self, edit: Callable[[dict[str, Any]], object]) -> None:
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        edit(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))


def _make_tiny(params: dict[str, Any]) -> None:
    params["lineup"], params["video_lineup"] = LINEUP, VIDEO_LINEUP
    params["methods"]["recycle_gan"]["game"]["forecaster_halvings"] = 6
    params["sources"]["sample"] |= {"sequences_per_set": 2, "frames_per_sequence": 6}
    params["crop"]["sample"] |= {"size": 64, "clip_frames": 6}
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


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after its first `dvc repro`."""
    project = Project(tmp_path_factory.mktemp("project"))
    ran = project.repro()
    assert {f"train@sample-{name}" for name in LINEUP} <= set(ran)
    assert {f"train_video@sample-{name}" for name in VIDEO_LINEUP} <= set(ran)
    return project


def test_one_process_runs_all_that_share_the_project(request: pytest.FixtureRequest) -> None:
    """Versions of pytest and pytest-xdist that do not fit drop the group in silence."""
    if request.config.getoption("loadgroup", default=False):
        assert request.node.nodeid.endswith("@pipeline")


def test_it_leaves_what_the_readme_names(project: Project) -> None:
    for name in (
        "reports/sample/tables/test.md",
        "reports/sample/tables/validation.csv",
        "reports/sample/tables/test_visible_to_thermal.md",
        "reports/sample/figures/grid_visible_to_thermal.png",
        "reports/sample/figures/grid.png",
        "reports/sample/figures/curves.svg",
        "reports/sample/figures/figure_4.svg",
        "reports/sample/tables/figure_4.csv",
        "reports/sample/registration/card.md",
        "reports/sample/registration/before_after.png",
        "reports/index.html",
        "reports/page/sample/predicted/cmmf_net/000.webp",
        "reports/page/sample/predicted/cmmf_net_shuffled/000.webp",
        "reports/metrics/sample/cmmf_net.json",
        "reports/metrics/sample/recycle_gan.json",
        "mlflow.db",
    ):
        assert (project.root / name).stat().st_size > 0, name
    table = (project.root / "reports/sample/tables/test.md").read_text()
    assert "procedural sample, not KAIST" in table
    assert "random stand-ins" in table
    assert "| Recycle-GAN |" in table
    assert "Flicker [levels]" in table
    assert "ThermalMask" not in table
    assert "| CMMF-Net, shuffled captions |" in table
    assert "CMMF-Net, constant caption" in (project.root / "reports/index.html").read_text()
    back = (project.root / "reports/sample/tables/test_visible_to_thermal.md").read_text()
    assert "| ThermalMask-R (reconstruction) |" in back
    assert "CIEDE2000" not in back
    assert not list((project.root / ".checkpoints").iterdir())


def test_again_runs_nothing_but_the_window(project: Project) -> None:
    assert project.repro() == ["track"]


def test_every_dropped_frame_has_its_reason(project: Project) -> None:
    manifest = pd.read_csv(project.root / "data/crops/sample/manifest.csv", keep_default_na=False)
    frames = pd.read_csv(project.root / "data/frames/sample.csv", keep_default_na=False)
    assert list(manifest["frame"]) == list(frames["frame"])
    assert (manifest["dropped"] == frames["defect"]).all()
    assert (manifest["dropped"] != "").sum() == 5


def test_a_loss_weight_retrains_its_method_alone(project: Project) -> None:
    def weigh(value: float) -> None:
        project.change(lambda p: p["methods"]["cmmf_net"]["weights"].update(ssim=value))

    weigh(0.5)
    try:
        assert project.repro() == [
            "fingerprint",
            "train@sample-cmmf_net",
            "evaluate@sample-cmmf_net",
            "compare@sample",
            "page",
            "track",
        ]
    finally:
        weigh(1.0)
        project.repro()


def test_an_exception_retrains_its_method_alone(project: Project) -> None:
    def last(images: int) -> dict[str, Any]:
        return {"exceptions": {"cyclegan": {"images": images}}}

    project.change(lambda p: p["budget"]["sample"].update(last(28)))
    try:
        assert project.repro("fingerprint") == ["fingerprint"]
        assert "train@sample-cyclegan" in project.run("dvc", "status", "train@sample-cyclegan")
        assert "up to date" in project.run("dvc", "status", "train@sample-cmmf_net")
    finally:
        project.change(lambda p: p["budget"]["sample"].update(exceptions={}))
        project.repro("fingerprint")


def _kinds(project: Project) -> set[str]:
    """The kinds of stages that would run again, once `fingerprint` has; both in this process, for speed."""
    root = project.root
    write_fingerprints(
        read_params(root / "params.yaml"),
        source=root / "src",
        stages=root / "stages",
        fingerprints=root / "data/fingerprints",
    )
    with Repo(root) as repo:
        names = repo.status()
    kinds = {name.partition("@")[0].removesuffix("_video") for name in names}
    return kinds - {"fingerprint", "track"}


SCORED = {"baselines", "ceiling", "evaluate", "compare", "page"}
"""Kinds of stages that look at scores."""
ON_A_DATASET = {"download", "register", "card", "crop", "caption"} | SCORED
ALL = ON_A_DATASET | {"weights", "encode", "train"}
SRC = "src/thermochroma"
MORE = "\nADDED = 1\n"  # behind the end of a module

CHANGES = {  # what is changed: file, what stands there, what is to stand there, the kinds that run again
    "a score": (f"{SRC}/metrics/image_scores.py", "", MORE, SCORED),
    "a key of the evaluation": (
        *(f"{SRC}/config/evaluation.py", "timing_rounds: PositiveInt\n"),
        *("timing_rounds: PositiveInt\n    added: int = 0\n", SCORED),
    ),
    "a key of the whole": (
        *(f"{SRC}/config/params.py", "    seed: int\n    datasets"),
        *("    seed: int\n    added: int = 0\n    datasets", set()),
    ),
    "a key of the machine": (
        *(f"{SRC}/config/machine.py", "    workers: NonNegativeInt\n"),
        *("    workers: NonNegativeInt\n    added: int = 0\n", set()),
    ),
    "processes that load": ("params.yaml", "workers: 0", "workers: 1", set()),
    "how often a checkpoint is kept": (
        *("params.yaml", "checkpoint_every_images: 4", "checkpoint_every_images: 6", set()),
    ),
    "how many readings": ("params.yaml", "validation_images: ", "validation_images: 1", set()),
    "the length of trainings": ("params.yaml", "images: 24", "images: 28", {"train", "page"}),
    "a budget's meaning": (f"{SRC}/config/budget.py", "", MORE, {"train", "compare", "page"}),
    "the seed": (
        *("params.yaml", "seed: 0\n", "seed: 1\n"),
        {"weights", "crop", "ceiling", "train", "compare", "page"},
    ),
    "a figure": (f"{SRC}/reporting/figures.py", "", MORE, {"ceiling", "compare", "page"}),
    "the contact sheet": (f"{SRC}/reporting/registration_sheet.py", "", MORE, {"card"}),
    "how windows are planned": (f"{SRC}/data/cropping/windows.py", "", MORE, {"crop"}),
    "how a shared network is built": (f"{SRC}/networks/resnet.py", "", MORE, {"train", "evaluate"}),
    "how a game is played": (f"{SRC}/training/loop.py", "", MORE, {"train"}),
    "the data set": (f"{SRC}/data/datasets/sample.py", "", MORE, ON_A_DATASET),
    "what all stages set": ("stages/__init__.py", "", MORE, ALL),
    "what MLflow is told": (f"{SRC}/tracking/mlflow_client.py", "", MORE, set()),
    "the check of the environment": ("stages/preflight.py", "", MORE, set()),
    "a comment": (f"{SRC}/networks/blocks.py", "", "\n# A thought about blocks.\n", set()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_runs_again_is_what_a_change_decides(project: Project, change: str) -> None:
    file, old, new, kinds = CHANGES[change]
    path = project.root / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1) if old else before + new)
    try:
        assert _kinds(project) == kinds
    finally:
        path.write_text(before)


def test_nothing_runs_again_once_all_is_as_it_was(project: Project) -> None:
    assert _kinds(project) == set()


def test_captions_need_no_visible_image(project: Project) -> None:
    folders = [project.root / "data/crops/sample/visible"]
    folders += (project.root / "data/raw/sample/images").glob("*/*/visible")
    for folder in folders:
        folder.rename(folder.with_name("hidden"))
    try:
        command = project.commands()["caption"].replace("${item.dataset}", "sample")
        command = command.replace("data/captions/sample.csv", "again.csv")
        project.run("sh", "-c", command)
    finally:
        for folder in folders:
            folder.with_name("hidden").rename(folder)
    assert (project.root / "again.csv").read_bytes() == (
        project.root / "data/captions/sample.csv"
    ).read_bytes()


@pytest.mark.parametrize("checkpoints", [1, 3])
def test_a_killed_training_ends_with_the_same_bits(project: Project, checkpoints: int) -> None:
    # A weight of its own, so that nothing can come out of DVC's cache.
    cyclegan = {"cycle_thermal": 10.0 + checkpoints}
    project.change(lambda p: p["methods"]["cyclegan"]["weights"].update(cyclegan))
    weights = project.root / TRANSLATOR.format("cyclegan")
    runs = _runs(project, "cyclegan")
    _kill_while_training(project, checkpoints=checkpoints)
    assert not weights.exists()
    assert "resuming after" in project.run("dvc", "repro", "train@sample-cyclegan")
    resumed, late = sha256(weights), _snapshots(project)
    assert [*late] == ["000000020", "000000022"], "of 24 images, shown two at a time"
    assert "resuming after" not in project.run("dvc", "repro", "-f", "-s", "train@sample-cyclegan")
    assert sha256(weights) == resumed
    assert _snapshots(project) == late
    assert _runs(project, "cyclegan") == runs + 1


def _snapshots(project: Project) -> dict[str, str]:
    folder = project.root / "data/runs/sample/cyclegan/snapshots"
    return {path.stem: sha256(path) for path in sorted(folder.iterdir())}


def _kill_while_training(project: Project, *, checkpoints: int) -> None:
    """SIGKILL `dvc` alone once so many checkpoints have been written; its stage must end too."""
    process = subprocess.Popen(
        ["dvc", "repro", "-f", "-s", "train@sample-cyclegan"],
        cwd=project.root,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seen: set[int] = set()
    until = time.monotonic() + 300
    while len(seen) < checkpoints:
        assert time.monotonic() < until, "no checkpoint came"
        assert process.poll() is None, "the training ended before it could be killed"
        for path in (project.root / ".checkpoints").glob("*/training.pt"):
            seen.add(path.stat().st_mtime_ns)
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _runs(project: Project, method: str) -> int:
    script = (
        "from mlflow.tracking import MlflowClient\n"
        "client = MlflowClient('sqlite:///mlflow.db')\n"
        "one = client.get_experiment_by_name('sample').experiment_id\n"
        f"print(len(client.search_runs([one], \"tags.method = '{method}'\")))\n"
    )
    return int(project.run(sys.executable, "-c", script).split()[-1])


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda p: p.update(sede=0), "did you mean `seed`"),
        (lambda p: p["lineup"].append("cmff_net"), "did you mean `cmmf_net`"),
    ],
)
def test_bad_settings_end_at_once_with_one_sentence(
    project: Project, edit: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    kept = (project.root / "params.yaml").read_text()
    project.change(edit)
    try:
        printed = project.run("dvc", "repro", fails=True)
    finally:
        (project.root / "params.yaml").write_text(kept)
    assert sentence in printed
    assert "Traceback" not in printed
    assert "Running stage 'train" not in printed
