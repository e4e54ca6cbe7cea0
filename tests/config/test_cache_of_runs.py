"""DVC's cache of runs leaves some keys out of its comparison: what they decide is in a fingerprint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from dvc.stage.cache import _get_cache_hash
from dvc_data.hashfile.meta import Meta

from tests.conftest import ROOT
from tests.dvc_file import stages_of
from thermochroma.config.params import read_params
from thermochroma.contract.dataset import dataset_names, load_dataset
from thermochroma.pipeline.fingerprint import write_fingerprints

LEFT_OUT = {Meta.PARAM_SIZE, Meta.PARAM_NFILES}


def keys(settings: Any, *above: str) -> Iterator[tuple[str, ...]]:
    """The path of every key in nested mappings."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            yield (*above, str(key))
            yield from keys(value, *above, str(key))


def test_dvc_leaves_them_out() -> None:
    """If it does not any more, the fingerprints of croppings can go."""
    for key in LEFT_OUT:
        one, other = ({"cmd": "a", "params": {"params.yaml": {key: n}}} for n in (64, 48))
        assert _get_cache_hash(one) == _get_cache_hash(other)


def test_the_only_setting_of_such_a_name_is_in_a_fingerprint() -> None:
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    found = {path for path in keys(raw) if path[-1] in LEFT_OUT and path[0] != "methods"}
    assert {(path[0], path[2:]) for path in found} == {("crop", ("size",))}
    for name in dataset_names():
        assert not LEFT_OUT & {*load_dataset(name).settings.model_fields}
    stages = stages_of()
    assert "data/fingerprints/crops/${item.dataset}.json" in stages["crop"]["deps"]
    for stage in ("train", "train_video", "train_single"):  # settings of methods may have any name
        assert "data/fingerprints/blocks/${item.method}.json" in stages[stage]["deps"]


def test_another_size_is_another_fingerprint(tmp_path: Path) -> None:
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    told = []
    for size in (64, 48):
        raw["crop"]["sample"]["size"] = size
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
        write_fingerprints(
            read_params(tmp_path / "params.yaml"),
            source=ROOT / "src",
            stages=ROOT / "stages",
            fingerprints=tmp_path / "fingerprints",
        )
        told.append((tmp_path / "fingerprints/crops/sample.json").read_text())
    assert told[0] != told[1]
