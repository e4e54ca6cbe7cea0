"""What the pages in docs/methods/ take from the code: diagrams, public names, parameter counts.

Rewrite: python -m tests.pages
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import groupby
from pathlib import Path

from tests.examiner import BLOCKS, PARAMS
from tests.marks import filled
from tests.stand_ins import stand_ins
from thermochroma.pretrained.authors_checkpoints import (
    Entry,
    entries_of,
    methods_with_public_weights,
)
from thermochroma.serving.cli import main as command

PAGES = Path(__file__).parents[1] / "docs/methods"
INDEX = "README.md"


def fresh(page: Path, weights: Path) -> str:
    """The page as it should read: every part between marks made anew."""
    return filled(page.read_text(encoding="utf-8"), _parts(page, weights), page=page.name)


def _parts(page: Path, weights: Path) -> Iterator[tuple[str, str]]:
    if page.name == INDEX:
        yield "parameters", _said("parameters", "--weights", str(weights))
        return
    assert page.stem in BLOCKS, page
    yield "diagram", f"```mermaid\n{_said('diagram', page.stem)}```\n"
    if page.stem in methods_with_public_weights():
        yield "public names", _names(page.stem)


def _said(*arguments: str) -> str:
    with redirect_stdout(io.StringIO()) as said:
        command([*arguments, "--params", str(PARAMS)])
    return said.getvalue()


def _names(method: str) -> str:
    rows = ["| Public name | Shape | Here |", "|---|---|---|"]
    for entry in _folded(entries_of(method)):
        rows.append(f"| `{entry[0]}` | {entry[1]} | {entry[2]} |")
    return "\n".join(rows) + "\n"


def _folded(entries: list[Entry]) -> Iterator[tuple[str, str, str]]:
    """One row for each layer: its weight, bias and statistics have one stem on both sides."""
    for (public, ours), group in groupby(entries, _stems):
        some = list(group)
        last = ", ".join(entry.public.rpartition(".")[2] for entry in some)
        shapes = ", ".join("×".join(map(str, entry.shape)) or "scalar" for entry in some)
        here = f"`{ours}`" if ours else some[0].note
        yield f"{public}.{{{last}}}" if len(some) > 1 else some[0].public, shapes, here


def _stems(entry: Entry) -> tuple[str, str]:
    return entry.public.rpartition(".")[0], entry.ours.rpartition(".")[0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stand_ins(Path(folder))
        for page in sorted(PAGES.glob("*.md")):
            page.write_text(fresh(page, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
