"""Fingerprints of the code that decides an outcome: hashes of the syntax trees of all that it imports.

Comments, docstrings and layout do not count, so that only a change of what the code does changes the
hash. Modules found by name at run time (methods, data sets) are not followed: they have fingerprints
of their own.
"""

import ast
import hashlib
import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path


class Fingerprinter:
    """Fingerprints of modules with all that they import; each file is read once.

    roots: folders in which top-level modules lie. skip: modules, or packages with all that is in them,
    that only look on: a change in them is none in the outcome.
    """

    def __init__(self, *, roots: Collection[Path], skip: Collection[str] = ()) -> None:
        self._roots, self._skip = roots, skip
        self._known: dict[Path, tuple[str, list[tuple[str, Path]], set[str]]] = {}
        self._places: dict[str, Path | None] = {}  # most names are imported by many modules

    def of(self, start: Path) -> str:
        """One line for each module that the file `start` reaches by imports: its name and its hash."""
        found = self._reached(start)
        return "".join(f"{name} {self._known[found[name]][0]}\n" for name in sorted(found))

    def foreign(self, starts: Collection[Path]) -> set[str]:
        """Names of the packages of others that these files, or all that they reach, import anywhere."""
        files = {path for start in starts for path in self._reached(start).values()}
        return {name for path in files for name in self._read(path)[2]}

    def _reached(self, start: Path) -> dict[str, Path]:
        """The modules that a file reaches by imports, itself among them: their files by their names."""
        found: dict[str, Path] = {}
        waiting = [(start.stem, start)]
        while waiting:
            name, path = waiting.pop()
            if name not in found and not _within(name, self._skip):
                found[name] = path
                waiting += self._read(path)[1]
        return found

    def _read(self, path: Path) -> tuple[str, list[tuple[str, Path]], set[str]]:
        """Hash of a file, the names and files of what it imports, and the packages of others."""
        if path not in self._known:
            fingerprint, names = _parsed(path.read_text(encoding="utf-8"), str(path))
            for name in names:
                if name not in self._places:
                    self._places[name] = _locate(name, self._roots)
            places = {name: self._places[name] for name in names}
            imported = [(name, file) for name, file in places.items() if file is not None]
            ours = {name.partition(".")[0] for name, _ in imported} | sys.stdlib_module_names
            foreign = {top for name in names if (top := name.partition(".")[0]) not in ours}
            self._known[path] = fingerprint, imported, foreign
        return self._known[path]


@cache
def _parsed(text: str, file: str) -> tuple[str, tuple[str, ...]]:
    """Hash of a module's syntax tree, and the names that it imports, in alphabetical order."""
    tree = ast.parse(text, filename=file)
    names = tuple(sorted(_imported(tree)))
    return _hash(tree), names


def _within(name: str, packages: Collection[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in packages)


def _hash(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
    return hashlib.sha256(_written(tree).encode()).hexdigest()[:16]


def _written(node: object) -> str:
    """A syntax tree as text, without fields that are empty: `ast.dump` writes others in each Python."""
    if isinstance(node, list):
        return f"[{', '.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    return f"{type(node).__name__}({', '.join(f'{name}={_written(one)}' for name, one in fields)})"


def _is_text(node: ast.stmt) -> bool:
    """A string that stands alone: a docstring, or one below a field."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names | {package for name in names for package in _packages(name)}


def _packages(name: str) -> list[str]:
    """The packages in which a module lies: Python runs them before it."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _locate(module: str, roots: Collection[Path]) -> Path | None:
    for root in roots:
        place = root.joinpath(*module.split("."))
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                return path
    return None
