"""The page on the architecture says what the code says."""

import ast
import re

from tests.architecture_page import FLOORS, PAGE, ROOMS, fresh, imports, reached, reduced
from tests.dvc_file import module_of, stages_of
from tests.rooms import MAY_IMPORT, PACKAGE, ROOT

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_as_the_code_would_draw_it() -> None:
    assert fresh() == TEXT, "run `python -m tests.architecture_page`"


def test_every_room_is_on_one_floor_and_imports_none_of_a_higher_one() -> None:
    assert sorted(ROOMS) == sorted(MAY_IMPORT)
    floor = {room: number for number, rooms in enumerate(FLOORS.values()) for room in rooms}
    upwards = [(a, b) for a, to in imports().items() for b in to if floor[b] > floor[a]]
    assert not upwards


def test_an_arrow_is_left_out_only_if_a_longer_path_implies_it() -> None:
    whole = imports()
    drawn = reduced(whole)
    assert all(reached(drawn, room) == reached(whole, room) for room in ROOMS)
    for room, to in drawn.items():
        assert to <= whole[room]
        for one in to:
            less = drawn | {room: to - {one}}
            assert one not in reached(less, room), f"{room} --> {one} is implied"


def test_the_way_of_an_image_passes_through_every_stage() -> None:
    stages = stages_of()
    _, _, way = TEXT.partition("## The path of an image")
    named = set(re.findall(r"\*\*(\w+)\*\*", way.partition("\n## ")[0]))
    assert named == {module_of(name) for name in stages}


def test_what_is_named_behind_a_file_is_in_it() -> None:
    """Of the form `room/file.py` (`name`, `name`)."""
    found = re.findall(r"`([\w/]+\.py)` \((`\w+`(?:, `\w+`)*)\)", TEXT)
    assert len(found) > 30
    for file, names in found:
        path = next(folder / file for folder in (ROOT, PACKAGE) if (folder / file).exists())
        missing = set(re.findall(r"\w+", names)) - _names(path.read_text())
        assert not missing, f"{file} has no {sorted(missing)}"


def _names(text: str) -> set[str]:
    """The names that a module gives to functions, classes and values."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {one.id for one in node.targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names
