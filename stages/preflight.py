"""What must be there before anything runs: what is missing is told in one sentence, with the next step.

`make` runs this file before it makes an environment, and each stage asks about the one it runs in. So it
needs the standard library alone, and a syntax that Pythons read which are too old for the rest.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
ROOT = Path(__file__).resolve().parents[1]
MARKS = ("dvc", "mlflow", "numpy", "psutil", "pydantic", "torch")
"""Packages by which the project's environment is known."""
OF_OUTPUTS = ("data", "reports")
ANYWHERE = ("data/raw",)
"""Folders of outputs, and what is in them but no output of DVC: it may lie elsewhere."""


def python_problem(version: "tuple[int, ...]", executable: str) -> str:
    """Tell if this Python is too old or too new."""
    if OLDEST <= version[:2] <= NEWEST:
        return ""
    found = ".".join(str(part) for part in version)
    return (
        f"Python {found} was found ({executable}); 3.11, 3.12 or 3.13 is needed; install one and name it: "
        "`make repro PY=/path/to/python3.12`."
    )


def venv_problem(lacking: "list[str]", minor: int) -> str:
    """Tell if this Python cannot make an environment: Debian and Ubuntu ship that apart."""
    if not lacking:
        return ""
    return (
        f"Python has no module {lacking[0]}; an environment cannot be made without it; "
        f"`sudo apt install python3.{minor}-venv` on Debian and Ubuntu, then the same command again."
    )


def git_problem(root: Path, git: "str | None") -> str:
    """Tell if `root` is not a git repository, or git itself is missing."""
    if dvc_setting(root, "no_scm"):
        return ""
    if git is None:
        return (
            "git was not found; DVC and MLflow's tags need it; install it (`sudo apt install git`)."
        )
    if (root / ".git").exists():
        return ""
    return (
        f"{root} is not a git repository, as when an archive was unpacked; DVC needs one; "
        "`git init && git add --all && git commit --message 'As downloaded'`, or clone instead."
    )


def owner_problem(root: Path) -> str:
    """Tell if DVC is to stage its files in a repository of somebody else, which git refuses."""
    if not dvc_setting(root, "autostage"):
        return ""
    git = ["git", "-C", str(root), "rev-parse", "--git-dir"]
    try:
        answer = subprocess.run(git, capture_output=True, text=True, check=False)
    except OSError:  # no git: that is another sentence
        return ""
    if "safe.directory" not in answer.stderr:
        return ""
    return (
        f"{root} belongs to another user, and git stages nothing there; DVC's `autostage` needs it to; "
        "`dvc config --local core.autostage false`, or, if you trust that user, "
        f"`git config --global --add safe.directory '{root}'`."
    )


def dvc_setting(root: Path, name: str) -> bool:
    """Whether a setting of DVC is on for this project; the local file is the stronger one."""
    on = False
    for file in (root / ".dvc/config", root / ".dvc/config.local"):
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            found = re.findall(r"(?m)^\s*" + name + r"\s*=\s*(\w+)", text)
            on = found[-1].lower() in ("true", "yes", "on", "1") if found else on
    return on


def link_problem(root: Path) -> str:
    """Tell if a folder of outputs is a link to a place outside: DVC would fail behind the first stage."""
    places = [root / name for name in OF_OUTPUTS]
    places += [one for place in places if place.is_dir() for one in sorted(place.iterdir())]
    for place in places:
        name = place.relative_to(root).as_posix()
        linked = place.is_symlink() and place.is_dir() and name not in ANYWHERE
        if linked and root.resolve() not in place.resolve().parents:
            return (
                f"{name} is a link to {place.resolve()}; DVC keeps outputs inside of the repository; "
                "where that disk has no room, put the whole clone on another, or mount another there."
            )
    return ""


def environment_problem(lacking: "list[str]", executable: str, *, made: bool) -> str:
    """Tell if this is not the project's environment; made: whether `.venv` is there."""
    if not lacking:
        return ""
    step = "" if made else "`make setup`, then "
    return (
        f"{executable} has no package {lacking[0]}; the project's environment has all; "
        f"{step}`source .venv/bin/activate` and the same command again."
    )


def lacking(names: "tuple[str, ...]") -> "list[str]":
    """Which of `names` this Python cannot import."""
    return [name for name in names if importlib.util.find_spec(name) is None]


def end_if(*problems: str) -> None:
    """End with the first problem there is, and status 1."""
    for problem in problems:
        if problem:
            sys.exit(f"thermochroma: {problem}")


def check_environment() -> None:
    """End unless this Python can run a stage."""
    made = (ROOT / ".venv/bin/activate").exists()
    end_if(
        python_problem(sys.version_info[:3], sys.executable),
        environment_problem(lacking(MARKS), sys.executable, made=made),
        link_problem(ROOT),
        owner_problem(ROOT),
    )


if __name__ == "__main__":
    end_if(
        python_problem(sys.version_info[:3], sys.executable),
        venv_problem(lacking(("venv", "ensurepip")), sys.version_info[1]),
    )
    if sys.argv[1:] != ["--python-only"]:
        end_if(git_problem(ROOT, shutil.which("git")), link_problem(ROOT), owner_problem(ROOT))
