"""What several tests share. No large library is imported before it is needed: pytest-xdist's own process,
which runs no test, imports this too."""

import gc
import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from tests.order import ByFile, turn_of
from tests.slow import is_slow, is_slow_file

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from thermochroma.networks.frozen import FrozenNetworks

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OFFLINE = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    """Tests run in parallel processes; each takes its share of the cores."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """Write files of the tests as ever, but wait for none to be on the disk: no test ends the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder as the stage writes it, with seeded stand-ins; the first process writes for all."""
    from tests.stand_ins import stand_ins
    from thermochroma.pretrained.write_weights import write_clip

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "weights"
    with FileLock(shared / "weights.lock"):
        if not (folder / "clip").exists():  # the last; each appears whole
            stand_ins(folder)
            write_clip(folder / "clip", kind="stand_in", seed=0)
    return folder


@pytest.fixture(scope="session")
def frozen(weights: Path) -> "FrozenNetworks":
    from thermochroma.networks.frozen import FrozenNetworks

    return FrozenNetworks(weights)


@pytest.fixture(scope="session", autouse=True)
def one_empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Spare MLflow, where it is imported, to migrate each test's database."""
    if "mlflow" not in sys.modules:
        yield
        return
    from tests.mlflow_databases import made_once

    with made_once(tmp_path_factory.mktemp("mlflow")):
        yield


@pytest.fixture(scope="session")
def narrow_frozen(tmp_path_factory: pytest.TempPathFactory) -> "FrozenNetworks":
    """Stand-ins a quarter as wide as those of `frozen`: all of their layers, for questions without golden
    values."""
    from tests.stand_ins import stand_ins

    return stand_ins(tmp_path_factory.mktemp("narrow"), divisor=16)


@pytest.fixture
def shallow() -> Iterator[None]:
    """Let networks of video be as shallow as 64 pixels need."""
    from tests import examiner

    with examiner.shallow():
        yield


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="install the dev extra: pip install -e '.[dev]'"
    )
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}, e.g. apt install chromium")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=program, args=[*OFFLINE])
        yield found
        found.close()


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of several, and what it starts, one core: threads that share one wait busily."""
    if config.getoption("numprocesses", default=None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files unread of which no test would be run: some import whole libraries to compare with."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return is_slow_file(collection_path.relative_to(ROOT / "tests").as_posix()) or None


def pytest_collection() -> None:
    """Search for no garbage while all is imported."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave what was imported, a million objects that stay, out of every later search for garbage."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn_of(item.nodeid))
    for item in items:
        if is_slow(item):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand the tests of one file to one process, in our order and not by their number."""
    if config.getoption("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False
    return ByFile(config, log)
