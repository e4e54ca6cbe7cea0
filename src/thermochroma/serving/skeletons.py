"""First files of a new method or data set, which pass the tests as they are written."""

import keyword
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import write_text

METHOD: Final = {
    "src/thermochroma/methods/{}.py": "method.py.txt",
    "docs/methods/{}.md": "method.md.txt",
}
DATASET: Final = {
    "src/thermochroma/data/datasets/{}.py": "dataset.py.txt",
    "tests/data/datasets/test_{}.py": "test_dataset.py.txt",
}
"""Files by their places in a clone, and the templates in which `regressor` or `example` is the name."""
BLOCKS: Final = "{}.yaml.txt"
COUNT: Final = "method.json.txt"
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def new_method(name: str, root: Path) -> str:
    """Write the files of a method into a clone; tells what is left to do. Raises BadInput as `_write`."""
    written = _write(name, root, METHOD, "regressor")
    return (
        f"{written}\nAdd to params.yaml:\n\n{_filled(BLOCKS.format('method'), 'regressor', name)}\n"
        "Add to tests/parameter_counts.json, which holds counts that are not taken from the code:\n\n"
        f"{_filled(COUNT, 'regressor', name)}\n"
        f"Then:\n\nruff format src\npython -m tests.golden {name} && python -m tests.pages\n"
        f"python -m pytest tests/methods/test_examination.py -k {name}\n"
        f"dvc repro evaluate@sample-{name}\n"
    )


def new_dataset(name: str, root: Path) -> str:
    """Write the files of a data set into a clone; tells what is left to do. Raises BadInput as `_write`."""
    written = _write(name, root, DATASET, "example")
    return (
        f"{written}\nAdd to params.yaml:\n\n{_filled(BLOCKS.format('dataset'), 'example', name)}\n"
        f"Then, with {name} among `datasets` and `lineup_datasets`:\n\n"
        "ruff format src tests\n"
        f"python -m pytest tests/data/datasets/test_{name}.py tests/config/test_params.py\n"
        f"dvc repro download@{name} register@{name}\n"
    )


def _write(name: str, root: Path, places: dict[str, str], example: str) -> str:
    """Write each file. Raises BadInput for a name that is none or taken, and outside of a clone."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise BadInput(
            given=f"the name is {name!r}",
            needed="small letters, digits and underscores, a letter first, and no word of Python's own",
            remedy="give another name",
        )
    targets = {root / place.format(name): template for place, template in places.items()}
    for path in targets:
        if not path.parent.is_dir():
            raise BadInput(
                given=f"{path.parent} is no folder",
                needed="a clone of the repository, in which the new files are found",
                remedy="run the command in the clone's root",
            )
        if path.exists():
            raise BadInput(
                given=f"{path} exists",
                needed="a new name: nothing is written over",
                remedy="give another name, or remove the file",
            )
    for path, template in targets.items():
        write_text(path, _filled(template, example, name))
    return "".join(f"wrote {path}\n" for path in targets)


def _filled(template: str, example: str, name: str) -> str:
    """A template's text with another name, as it stands in code, in classes, and in titles."""
    text = (files("thermochroma.serving") / "templates" / template).read_text(encoding="utf-8")
    classes = "".join(part.capitalize() for part in name.split("_"))
    capital, title = example.capitalize(), name.replace("_", " ").capitalize()
    titles = rf'"{capital}"|^# {capital}$|"""{capital}: '
    text = re.sub(titles, lambda one: one[0].replace(capital, title), text, flags=re.MULTILINE)
    return re.sub(rf"\b{capital}(?=[A-Z])", classes, text).replace(example, name)
