"""Windows: nothing is imported that it lacks. Nobody has tried the program there."""

import ast
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.rooms import MODULES, ROOT, tree_of
from thermochroma.base import files

LACKING = ("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty", "syslog", "posix")
"""Modules of the standard library that Windows does not have."""
OURS = [*MODULES, *sorted((ROOT / "stages").glob("*.py")), ROOT / "repro.py", ROOT / "ui.py"]
IMPORT_ALL = """
import builtins, importlib, sys
lacking, names = sys.argv[1].split(), sys.argv[2].split()
real = builtins.__import__
def blocked(name, globals=None, *rest, **more):
    importer = str((globals or {}).get("__name__", ""))
    if name in lacking and importer.split(".")[0] in ("thermochroma", "stages", "repro", "ui"):
        raise ImportError(name)
    return real(name, globals, *rest, **more)
builtins.__import__ = blocked
for name in names:
    importlib.import_module(name)
from thermochroma.base import files
print("without" if files.fcntl is None else "with")
"""


def test_every_module_is_imported_where_modules_of_unix_are_missing() -> None:
    """Libraries are left alone: they know Windows by themselves."""
    package = ROOT / "src"
    names = [
        ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if "templates" not in path.parts
    ]
    command = [sys.executable, "-c", IMPORT_ALL, " ".join(LACKING), " ".join([*names, "repro"])]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.split() == ["without"]


def test_such_a_module_is_imported_only_where_its_lack_is_caught_or_the_system_is_known() -> None:
    """At the top of a file within `try`; inside functions, where Windows never comes."""
    bare = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in OURS
        for node in tree_of(path).body
        for name in _names(node)
        if name in LACKING
    ]
    assert not bare


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: no module that locks, and no words to open a folder with."""
    monkeypatch.setattr(files, "fcntl", None)
    for name in ("O_DIRECTORY", "O_NOFOLLOW"):
        monkeypatch.delattr(files.os, name)


@pytest.mark.usefixtures("without_locks")
def test_files_and_folders_appear_whole_without_locks(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a.txt", "once")
    before = psutil.Process().num_fds()
    with files.whole_file(tmp_path / "a.txt") as part:
        part.write_text("twice")
        assert psutil.Process().num_fds() == before  # Windows renames nothing that is open
    for text in ("first", "second"):
        with files.whole_folder(tmp_path / "folder") as part:
            (part / f"{text}.txt").write_text(text)
            assert psutil.Process().num_fds() == before
    (tmp_path / f".part-held-{'0' * 16}.txt").write_text(
        "of a killed process, or of one that lives"
    )
    files.sweep(tmp_path)
    names = sorted(path.name for path in tmp_path.rglob("*"))
    assert names == [f".part-held-{'0' * 16}.txt", "a.txt", "folder", "second.txt"]
    assert (tmp_path / "a.txt").read_text() == "twice"
    files.remove_folder(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
