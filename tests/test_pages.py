"""The pages of the methods say what the code says."""

from pathlib import Path

import pytest

from tests.examiner import BLOCKS, settings_of
from tests.pages import INDEX, PAGES, fresh

PAGES_THERE = sorted(PAGES.glob("*.md"))


@pytest.mark.parametrize("page", PAGES_THERE, ids=lambda page: page.stem)
def test_a_page_is_as_the_code_would_write_it(page: Path, weights: Path) -> None:
    assert fresh(page, weights) == page.read_text(), "run `python -m tests.pages`"


def test_every_method_has_a_page() -> None:
    wanted = {f"{settings_of(block).method}.md" for block in BLOCKS} | {INDEX}
    assert {page.name for page in PAGES_THERE} == wanted
