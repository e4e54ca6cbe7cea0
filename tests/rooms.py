"""The rooms: folders of the package, which of them may import which, and what a module imports."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/thermochroma"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAY_IMPORT: dict[
    str, set[str] | None
] = {  # room: the rooms that its modules may import beside their own
    "base": set(),
    "contract": {"base"},
    "config": {"base", "contract"},
    "networks": {"base"},
    "losses": {"base"},
    "metrics": {"base"},
    "baselines": {"base"},
    "data": {"base", "contract"},
    "loading": {"base", "contract", "networks"},
    "games": {"base", "contract", "networks", "losses"},
    "methods": {"base", "contract", "networks", "losses", "games"},
    "pretrained": {"base", "contract", "data", "export", "metrics", "networks"},
    "export": {"base", "contract"},
    "inference": {"base", "contract", "export", "loading", "networks"},
    "training": {"base", "contract", "export"},
    "evaluation": {
        "base",
        "baselines",
        "contract",
        "export",
        "inference",
        "loading",
        "metrics",
        "networks",
    },
    "reporting": {"base", "config", "contract", "data", "metrics"},
    "tracking": {"base", "config", "export", "inference"},
    "cluster": {"base"},
    "serving": {
        "base",
        "cluster",
        "config",
        "contract",
        "export",
        "inference",
        "loading",
        "metrics",
        "networks",
        "pipeline",
        "pretrained",
    },
    "pipeline": None,  # any: it is where the rooms meet
}


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file, parsed once for all tests; they leave it as it is."""
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Dotted names of all that a file imports, inside its functions too."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def rooms_that(path: Path) -> set[str]:
    """The rooms that a module imports, its own left out."""
    own = path.relative_to(PACKAGE).parts[0]
    names = (name.split(".") for name in imports_of(path))
    return {name[1] for name in names if name[0] == "thermochroma" and len(name) > 1} - {own}
