"""params.yaml has the form in which DVC writes it: `dvc exp run -S` changes lines, not the file.

DVC's own writer is asked, the one behind `-S`: it breaks lines of more than 80 columns, writes lists as
blocks, and drops comments that stand behind a list.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from tests.examiner import PARAMS, raw_params

UNCHANGED = "seed=0"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    return Path(shutil.copy(PARAMS, tmp_path / "params.yaml"))


def changed_lines(params: Path) -> list[tuple[str, str]]:
    """Lines of the repository's file that are others here, old and new; their number must be the same."""
    lines = zip(PARAMS.read_text().splitlines(), params.read_text().splitlines(), strict=True)
    return [(old, new) for old, new in lines if old != new]


def comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def values(settings: Any, *above: str) -> Iterator[tuple[str, Any]]:
    """Every single value below nested mappings, by its dotted name."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            yield from values(value, *above, key)
    elif not isinstance(settings, list):
        yield ".".join(above), settings


def test_a_sweep_that_changes_nothing_leaves_every_byte(params: Path) -> None:
    apply_overrides(str(params), [UNCHANGED])
    assert params.read_bytes() == PARAMS.read_bytes()


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("methods.cmmf_net.weights.ssim", "0.5", "weights: {content: 1.0, perceptual"),
        ("budget.sample.images", "100000", "images: 100000"),
        ("sources.roadscene.source", "/home/somebody/RoadScene", "source: /home/somebody"),
        ("methods.thermochroma.translator.encoder", "vgg16", "encoder: vgg16"),
    ],
)
def test_a_changed_value_is_a_changed_line(params: Path, key: str, value: str, line: str) -> None:
    apply_overrides(str(params), [f"{key}={value}"])
    ((_, new),) = changed_lines(params)
    assert line in new
    assert comments(params.read_text()) == comments(PARAMS.read_text())


def test_any_value_may_be_changed_and_no_comment_is_lost(params: Path) -> None:
    """All at once, numbers by longer ones: no line grows so long that it is broken."""
    longer = {
        key: 123.456 if isinstance(value, float) else 12345
        for key, value in values(raw_params())
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert len(longer) > 100
    apply_overrides(str(params), [f"{key}={value}" for key, value in longer.items()])
    assert len(changed_lines(params)) > 100
    assert comments(params.read_text()) == comments(PARAMS.read_text())
    assert dict(values(yaml.safe_load(params.read_text()))).items() >= longer.items()


def test_a_longer_line_up_and_a_single_training_keep_the_comments(params: Path) -> None:
    added = "+trainings.sample-i2v_gan={dataset: sample, method: i2v_gan}"
    apply_overrides(str(params), ["lineup=[pix2pix,cyclegan]", added])
    assert comments(params.read_text()) == comments(PARAMS.read_text())
    read = yaml.safe_load(params.read_text())
    assert read["lineup"] == ["pix2pix", "cyclegan"]
    assert [*read["trainings"]] == ["sample-i2v_gan"]
