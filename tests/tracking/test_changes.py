"""What an experiment has changed, as the name of its run says it; and what is a change of inputs."""

import subprocess
from pathlib import Path

import pytest

from thermochroma.tracking.changes import LONGEST, changed_settings
from thermochroma.tracking.lineage import CHANGED, lineage

BEFORE = """
seed: 0
lineup: [one]
budget: {sample: {images: 10, exceptions: {one: {images: 5}, two: {images: 6}}}, kaist: {images: 9}}
evaluate: {sample: {batch_size: 4}}
methods:
  one: {weights: {tv: 1.0, ssim: 1.0}}
  two: {weights: {tv: 1.0}}
  again: {repeat_of: one, seed: 1}
"""
NAMED = ("-c", "user.name=a", "-c", "user.email=a@b.c")
CHANGES = {
    "tv: 1.0, ssim: 1.0": ("tv: 4.0, ssim: 1.0", "weights.tv=4.0"),
    "seed: 0": ("seed: 3", "seed=3"),
    "sample: {images: 10": ("sample: {images: 20", "budget.images=20"),
    "one: {images: 5}": ("one: {images: 7}", "budget.images=7"),
    "two: {images: 6}": ("two: {images: 7}", ""),
    "kaist: {images: 9}": ("kaist: {images: 8}", ""),
    "batch_size: 4": ("batch_size: 8", ""),
    "lineup: [one]": ("lineup: [two]", ""),
    "two: {weights: {tv: 1.0}}": ("two: {weights: {tv: 2.0}}", ""),
}


@pytest.mark.parametrize("old", CHANGES)
def test_settings_of_the_training_alone_are_named(
    old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    new, named = CHANGES[old]
    assert old in BEFORE
    Path("params.yaml").write_text(BEFORE.replace(old, new, 1))
    assert changed_settings(BEFORE, dataset="sample", method="one") == named
    assert changed_settings(BEFORE, dataset="sample", method="again") == named


@pytest.mark.parametrize("before", ["", "[]", "{", "a: [" * 3])
def test_what_cannot_be_read_changes_nothing(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert changed_settings(BEFORE, dataset="sample", method="one") == ""
    Path("params.yaml").write_text(BEFORE)
    assert changed_settings(before, dataset="sample", method="one") == ""


def test_a_long_list_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(BEFORE.replace("ssim: 1.0", f"ssim: {'9' * 400}"))
    found = changed_settings(BEFORE, dataset="sample", method="one")
    assert len(found) == LONGEST
    assert found.endswith("…")


def test_experiments_alone_have_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(BEFORE)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", *NAMED, *command], check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True, check=True
    )
    first = head.stdout.strip()
    Path("params.yaml").write_text(BEFORE.replace("tv: 1.0, ssim", "tv: 4.0, ssim"))
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "HEAD")
    assert lineage(dataset="sample", method="one")[CHANGED] == "weights.tv=4.0"
    assert lineage()["git.dirty"] == "true"
    assert CHANGED not in lineage(dataset="sample")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", first)
    subprocess.run(["git", *NAMED, "commit", "-qam", "as DVC does"], check=True)
    assert lineage()["git.dirty"] == "true", "its own commit is checked out, not the one it names"
    monkeypatch.delenv("DVC_EXP_BASELINE_REV")
    assert lineage()["git.dirty"] == "false"
    assert CHANGED not in lineage(dataset="sample", method="one")
