"""The pages of the methods say what the code says."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.examiner import BLOCKS, settings_of
from tests.pages import INDEX, PAGES, fresh
from thermochroma.contract.method import load_method, method_names
from thermochroma.serving.models import PACKAGED

LARGEST_BYTES = 1 << 20
PACKED = {".whl", ".zip", ".gz", ".tar", ".safetensors", ".pt", ".npz", ".db"}
PAGES_THERE = sorted(PAGES.glob("*.md"))


@pytest.mark.parametrize("page", PAGES_THERE, ids=lambda page: page.stem)
def test_a_page_is_as_the_code_would_write_it(page: Path, weights: Path) -> None:
    assert fresh(page, weights) == page.read_text(), "run `python -m tests.pages`"


def test_every_method_has_a_page() -> None:
    wanted = {f"{settings_of(block).method}.md" for block in BLOCKS} | {INDEX}
    assert {page.name for page in PAGES_THERE} == wanted


def test_every_count_in_the_readme_is_one_that_the_code_checks() -> None:
    """Of parameters: the examination compares them with the networks. Scores have no place there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    counts = {
        count
        for name in method_names()
        for players in load_method(name).published_parameters.values()
        for count in (*players.values(), sum(players.values()))
    }
    found = {int(one.replace(",", "")) for one in re.findall(r"\b\d{1,3}(?:,\d{3})+\b", text)}
    assert len(found) > 10
    one_of_two = {count // 2 for count in counts}  # written as 2 × so many
    assert not found - counts - one_of_two
    assert not re.search(r"\d\.\d+ ?dB|SSIM \d", text), "no score is typed by hand"


def _tracked(*under: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *under], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(one) for one in listed.stdout.split("\0") if one]


def test_no_report_is_kept_under_version_control() -> None:
    """All of them are made by the stages; one that is edited by hand would be overwritten."""
    assert _tracked("reports", "data") == [Path("data/README.md"), Path("reports/README.md")]


STARTER = PACKAGED.relative_to(ROOT)
"""The one translator that comes with the package, of one megabyte: tests/serving/test_models.py."""


def test_nothing_large_or_packed_is_kept_under_version_control() -> None:
    """Data and weights belong to DVC, packages to the index."""
    there = [path for path in _tracked() if (ROOT / path).is_file()]
    assert len(there) > 100
    assert not [path for path in there if (ROOT / path).stat().st_size > LARGEST_BYTES]
    assert [path for path in there if path.suffix in PACKED] == [STARTER]
