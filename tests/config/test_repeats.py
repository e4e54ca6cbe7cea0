"""A block trained again under another seed: what decides its outcome, and the one row it ends in."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.examiner import raw_params, write_params
from thermochroma.config.params import read_params
from thermochroma.pipeline.fingerprint import write_fingerprints

BUDGET = "budgets/sample/{}.json"


@pytest.fixture
def raw() -> dict[str, Any]:
    params: dict[str, Any] = raw_params()
    params["methods"]["mugan_again"] = {"repeat_of": "mugan", "seed": 7}
    params["lineup"] = ["mugan", "mugan_again"]
    return params


def fingerprints(raw: dict[str, Any], folder: Path) -> dict[str, str]:
    """What the stage writes for these settings, by file."""
    folder.mkdir()
    params, out = folder / "params.yaml", folder / "fingerprints"
    write_params(params, raw)
    write_fingerprints(
        read_params(params), source=ROOT / "src", stages=ROOT / "stages", fingerprints=out
    )
    return {str(path.relative_to(out)): path.read_text() for path in sorted(out.rglob("*.*"))}


def test_a_change_of_the_block_retrains_its_repeats(raw: dict[str, Any], tmp_path: Path) -> None:
    before = fingerprints(raw, tmp_path / "before")
    raw["methods"]["mugan"]["weights"]["ssim"] = 9.0
    after = fingerprints(raw, tmp_path / "after")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"blocks/mugan.json", "blocks/mugan_again.json"}


def test_a_repeat_follows_the_budget_and_the_code_of_its_block(
    raw: dict[str, Any], tmp_path: Path
) -> None:
    found = fingerprints(raw, tmp_path / "found")
    for kind in ("blocks/{}.json", BUDGET, "lineup/{}.txt"):
        assert found[kind.format("mugan_again")] == found[kind.format("mugan")]
