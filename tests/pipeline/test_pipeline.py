"""The whole way, small, as a user runs it: `dvc repro` in a copy of the project."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from tests.tiny_project import LINEUP, TRANSLATOR, VIDEO_LINEUP, Project, Warm, stages_run
from thermochroma.base.files import sha256

pytestmark = pytest.mark.xdist_group("pipeline")


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """`dvc` in a project that has run nothing yet."""
    with Warm(Project(tmp_path_factory.mktemp("project"))) as warm:
        yield warm


@pytest.fixture(scope="module")
def project(warm: Warm) -> Project:
    """The project after its first `dvc repro`."""
    ran = stages_run(warm.run("repro"))
    assert {f"train@sample-{name}" for name in LINEUP} <= set(ran)
    assert {f"train_video@sample-{name}" for name in VIDEO_LINEUP} <= set(ran)
    return warm.project


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
        "reports/sample/cards/recycle_gan.md",
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
    figures = [path.read_bytes() for path in (project.root / "reports/sample/figures").iterdir()]
    assert len(figures) == len({*figures}), "none twice under two names"
    table = (project.root / "reports/sample/tables/test.md").read_text()
    assert "procedural sample, not KAIST" in table
    assert "VGG-16, VGG-19, CLIP, EfficientNet-Lite0 stand-ins" in table
    assert "| Recycle-GAN |" in table
    assert "Flicker [levels]" in table
    assert "ThermalMask" not in table
    assert "| CMMF-Net, shuffled captions |" in table
    assert "CMMF-Net, constant caption" in (project.root / "reports/index.html").read_text()
    card = (project.root / "reports/sample/cards/cmmf_net.md").read_text()
    assert "procedural sample, not KAIST" in card
    assert sha256(project.root / TRANSLATOR.format("cmmf_net")) in card
    links = re.findall(r'href="([^"#:]+)"', (project.root / "reports/index.html").read_text())
    assert "sample/cards/thermal_mask.md" in links
    assert [one for one in links if not (project.root / "reports" / one).is_file()] == []
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


def test_a_loss_weight_retrains_its_method_alone_and_killed_twice_it_ends_with_the_same_bits(
    project: Project, warm: Warm
) -> None:
    # The method with the most to restore: former fakes, profiles, layouts, a moving average. A weight of
    # its own, so that nothing can come out of DVC's cache.
    heavier = {"cycle_thermal": 11.0}
    project.change(lambda p: p["methods"]["thermal_mask"]["weights"].update(heavier))
    weights = project.root / TRANSLATOR.format("thermal_mask")
    runs = _runs(project, "thermal_mask")
    _kill_while_training(project, checkpoints=1)
    assert not weights.exists()
    _kill_while_training(project, checkpoints=3, warm=warm)
    assert not weights.exists()
    printed = warm.run("repro")
    assert "resuming after" in printed
    assert stages_run(printed) == [
        "fingerprint",
        "train@sample-thermal_mask",
        "evaluate@sample-thermal_mask",
        "compare@sample",
        "page",
        "track",
    ]
    resumed, late = sha256(weights), _snapshots(project)
    assert [*late] == ["000000020", "000000022"], "of 24 images, shown two at a time"
    assert not list((project.root / ".checkpoints").iterdir()), "track discards what is recorded"
    assert "resuming after" not in project.run("dvc", *TRAINING)
    assert sha256(weights) == resumed
    assert _snapshots(project) == late
    assert _runs(project, "thermal_mask") == runs + 1


def _snapshots(project: Project) -> dict[str, str]:
    folder = project.root / "data/runs/sample/thermal_mask/snapshots"
    return {path.stem: sha256(path) for path in sorted(folder.iterdir())}


TRAINING = ("repro", "-f", "-s", "train@sample-thermal_mask")


def _kill_while_training(project: Project, *, checkpoints: int, warm: Warm | None = None) -> None:
    """SIGKILL `dvc` alone once so many checkpoints have been written; its stage must end too."""
    if warm is not None:
        process = warm.begin(*TRAINING)
        _wait_for_checkpoints(project, checkpoints)
        os.kill(process, signal.SIGKILL)
        assert warm.end() == -signal.SIGKILL, "the training ended before it could be killed"
        return
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        ["dvc", *TRAINING], cwd=project.root, env=project.environment, **quiet
    ) as dvc:
        _wait_for_checkpoints(project, checkpoints)
        dvc.kill()
    assert dvc.returncode == -signal.SIGKILL, "the training ended before it could be killed"


def _wait_for_checkpoints(project: Project, count: int) -> None:
    seen: set[int] = set()
    until = time.monotonic() + 300
    while len(seen) < count:
        assert time.monotonic() < until, "no checkpoint came"
        for path in (project.root / ".checkpoints").glob("*/training.pt"):
            seen.add(path.stat().st_mtime_ns)
        time.sleep(0.02)


def _runs(project: Project, method: str) -> int:
    client = MlflowClient(f"sqlite:///{project.root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("sample")
    return len(client.search_runs([experiment.experiment_id], f"tags.method = '{method}'"))


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
