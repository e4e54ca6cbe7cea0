"""Whether two clones in which the pipeline ran hold the same bytes.

Measured times, speeds and memory (`cost.json`) can never be the same, nor what shows them. So the tables,
the figures and the page are made a second time from the second clone's data with the first clone's
measurements, and must then be equal too.

    make repro   # in each of two clones of one commit
    python -m benchmarks.rebuilt --one <clone> --other <clone>
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from stages.command import run
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.config.params import read_params

ROOT: Final = Path(__file__).resolve().parents[1]
PARTS: Final = ("data", "reports")
MEASURED: Final = "cost.json"
GIT: Final = {"data/README.md", "reports/README.md"}


def main(one: Path, other: Path) -> None:
    """Prints Markdown; ends with status 1 if a file differs that no measurement explains."""
    first, second = files_in(one), files_in(other)
    lone = sorted(first.keys() ^ second.keys())
    unlike = sorted(name for name in first.keys() & second.keys() if first[name] != second[name])
    measured = [name for name in unlike if Path(name).name == MEASURED]
    shown = [name for name in unlike if name.startswith("reports/")]
    again = remade(one, other)
    unexplained = lone + [name for name in unlike if name not in {*measured, *again}]
    unexplained += [name for name, digest in again.items() if first.get(name) != digest]
    folders = Counter("/".join(Path(name).parts[:2]) for name in first)
    sys.stdout.write("| folder | files | equal |\n|---|--:|--:|\n")
    for folder, count in sorted(folders.items()):
        differing = sum(name.startswith(f"{folder}/") or name == folder for name in unlike)
        sys.stdout.write(f"| {folder} | {count} | {count - differing} |\n")
    sys.stdout.write(
        f"\n{len(measured)} files of measurements differ, and {len(shown)} that show them. With the "
        f"first clone's measurements, {sum(first.get(n) == d for n, d in again.items())} of "
        f"{len(again)} files of tables, figures and the page come out the same.\n"
    )
    if unexplained:
        sys.exit("differ without a reason:\n" + "\n".join(sorted(set(unexplained))))


def files_in(clone: Path) -> dict[str, str]:
    """SHA-256 of each file that the pipeline left, by its path below the clone.

    Raises BadInput if there is none: two empty folders would be the same.
    """
    found = {
        name: sha256(path)
        for part in PARTS
        for path in sorted((clone / part).rglob("*"))
        if path.is_file() and (name := str(path.relative_to(clone))) not in GIT
    }
    if not found:
        raise BadInput(
            given=f"{clone} has no file in {' or '.join(PARTS)}",
            needed="a clone of the project in which the pipeline ran",
            remedy="run `make repro` there first, or correct the path",
        )
    return found


def remade(one: Path, other: Path) -> dict[str, str]:
    """What `compare` and `page` make of the other clone's data with the first one's measurements."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(other / "params.yaml", place)
        shutil.copytree(other / "data", place / "data", ignore=shutil.ignore_patterns("raw"))
        for path in (one / "data").rglob(MEASURED):
            shutil.copy(path, place / path.relative_to(one))
        for dataset in read_params(place / "params.yaml").datasets:
            _stage(place, *_compare(dataset))
        _stage(place, *PAGE)
        return {name: d for name, d in files_in(place).items() if name.startswith("reports/")}


def _compare(dataset: str) -> list[str]:
    data = {name: f"data/{name}/{dataset}" for name in ("crops", "runs", "scores", "baselines")}
    left = {name: f"reports/{dataset}/{name}" for name in ("tables", "figures", "cards")}
    return ["compare", "--dataset", dataset, *_options(data | left)]


def _options(paths: dict[str, str]) -> list[str]:
    return [word for name, path in paths.items() for word in (f"--{name}", path)]


PAGE: Final = [
    "page",
    *_options({name: f"data/{name}" for name in ("crops", "runs", "scores", "baselines")}),
    *_options({"page": "reports/index.html", "images": "reports/page"}),
]


def _stage(place: Path, name: str, *options: str) -> None:
    command = [sys.executable, "-m", f"stages.{name}", "--params", "params.yaml", *options]
    subprocess.run(command, cwd=place, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    run(main)
