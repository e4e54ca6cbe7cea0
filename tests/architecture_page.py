"""The parts of docs/architecture.md that are drawn from the code: the graph of the rooms, their rules.

Rewrite: python -m tests.architecture_page
"""

import ast
from collections.abc import Iterator, Mapping, Set

from tests.marks import filled
from tests.rooms import MAY_IMPORT, PACKAGE, ROOT, rooms_that

PAGE = ROOT / "docs/architecture.md"
FLOORS = {  # from the ground up: no room imports one of a higher floor
    "Ground": ("base", "contract", "config"),
    "Parts and methods": ("networks", "losses", "metrics", "baselines", "games", "methods"),
    "Data and weights": ("data", "export", "loading", "pretrained"),
    "Training and translators": ("training", "inference"),
    "Results": ("evaluation", "reporting", "tracking", "cluster"),
    "Entrances": ("serving", "pipeline"),
}
ROOMS = tuple(room for rooms in FLOORS.values() for room in rooms)


def fresh() -> str:
    """The page as it should read."""
    return filled(PAGE.read_text(encoding="utf-8"), _parts(), page=PAGE.name)


def imports() -> dict[str, set[str]]:
    """The rooms that each room imports, as found in its files."""
    return {
        room: {one for path in (PACKAGE / room).rglob("*.py") for one in rooms_that(path)}
        for room in ROOMS
    }


def reached(graph: Mapping[str, Set[str]], start: str) -> set[str]:
    """All rooms that can be reached from `start` along arrows."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        if (room := waiting.pop()) not in found:
            found.add(room)
            waiting += graph[room]
    return found


def reduced(graph: Mapping[str, Set[str]]) -> dict[str, set[str]]:
    """The graph without the arrows that a longer path implies."""
    return {
        room: {one for one in to if not any(one in reached(graph, other) for other in to - {one})}
        for room, to in graph.items()
    }


def _parts() -> Iterator[tuple[str, str]]:
    yield "graph", "\n".join(["```mermaid", *_graph(), "```\n"])
    yield "rules", "\n".join(_rules()) + "\n"


def _graph() -> Iterator[str]:
    yield "flowchart TD"
    for number, (title, rooms) in reversed(list(enumerate(FLOORS.items()))):
        yield f'  subgraph floor{number}["{title}"]'
        yield from (f"    {room}" for room in rooms)
        yield "  end"
    arrows = reduced(imports())
    for room in reversed(ROOMS):
        yield from (f"  {room} --> {one}" for one in ROOMS if one in arrows[room])


def _rules() -> Iterator[str]:
    yield "| Room | Its rule | May import |"
    yield "|---|---|---|"
    for room in ROOMS:
        rule = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text()))
        allowed = MAY_IMPORT[room]
        named = "all rooms" if allowed is None else ", ".join(x for x in ROOMS if x in allowed)
        yield f"| `{room}` | {rule} | {named or 'none'} |"


def main() -> None:
    PAGE.write_text(fresh(), encoding="utf-8")


if __name__ == "__main__":
    main()
