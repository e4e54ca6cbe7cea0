"""The door for settings: params.yaml in, strict frozen types out, once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import refuse_unknown
from thermochroma.base.reading import reading
from thermochroma.config.budget import Budget
from thermochroma.config.captioning import CaptionSettings
from thermochroma.config.comparison import Comparison
from thermochroma.config.cropping import CropSettings
from thermochroma.config.entry import Entry
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.config.lineups import (
    LineUps,
    Repeat,
    refuse_twins,
    refuse_unknown_lineups,
)
from thermochroma.config.names import Name
from thermochroma.config.outside import OutsideEntry
from thermochroma.config.parsing import parse
from thermochroma.config.registration import RegisterSettings
from thermochroma.config.weights import FrozenWeights
from thermochroma.contract.dataset import Dataset, DatasetSettings, describe, load_dataset
from thermochroma.contract.settings import Settings, Strict

OWN_PAIRS: Final = "folders"
"""Kind of data set that a user's own pairs have: for the message to somebody who left it out."""
RESTORE: Final = "correct it, or restore it with `git checkout params.yaml`"


class Params(LineUps):
    """params.yaml, whole."""

    seed: int
    weights: FrozenWeights
    sources: Mapping[Name, Any]
    registration: RegisterSettings
    crop: Mapping[Name, CropSettings]
    caption: CaptionSettings
    budget: Mapping[Name, Budget]
    evaluate: Mapping[Name, EvaluateSettings]
    entries: Mapping[Name, OutsideEntry]
    """Rows from outside, by name."""
    methods: Mapping[Name, Any]
    """Blocks, and repeats of blocks."""

    def source(self, dataset: str) -> DatasetSettings:
        """The data set's block under `sources`."""
        settings: DatasetSettings = self.sources[dataset]
        return settings

    def dataset(self, name: str) -> Dataset:
        """The record of a data set of `sources`, as its block describes it."""
        return describe(name, self.source(name))

    def method(self, name: str) -> Settings:
        """The line-up entry's block under `methods`, parsed now. Raises BadInput for a wrong key."""
        block = self.block_of(name)
        return _parse_method(block, self.methods[block])

    def block_of(self, name: str) -> str:
        """The entry whose block `name` has: its own or, for a repeat, that of what it repeats."""
        block = self.methods[name]
        return block.repeat_of if isinstance(block, Repeat) else name

    def seed_of(self, name: str) -> int:
        """The seed under which a line-up entry is trained."""
        block = self.methods[name]
        return block.seed if isinstance(block, Repeat) else self.seed

    def budget_of(self, dataset: str, name: str) -> Budget:
        """The budget of one line-up entry; a repeat has that of what it repeats."""
        return self.budget[dataset].of(self.block_of(name))

    def entry(self, dataset: str, name: str) -> Entry:
        """Everything that params.yaml says of one training. Raises BadInput for a wrong key."""
        return Entry(
            name=name,
            block=self.block_of(name),
            seed=self.seed_of(name),
            settings=self.method(name),
            budget=self.budget_of(dataset, name),
        )

    def outside(self, dataset: str) -> dict[str, OutsideEntry]:
        """The rows from outside of one data set, by name."""
        return {name: one for name, one in self.entries.items() if one.dataset == dataset}

    def comparison(self, dataset: str) -> Comparison:
        """Everything that params.yaml says of one data set's tables."""
        return Comparison(
            dataset=dataset,
            record=self.dataset(dataset),
            seed=self.seed,
            side=self.crop[dataset].size,
            evaluate=self.evaluate[dataset],
            entries=tuple(self.entry(dataset, name) for name in self.trained_on(dataset)),
            elsewhere=tuple(self.entry(dataset, name) for name in self.needs_video(dataset)),
            outside=self.outside(dataset),
        )


def read_params(path: Path) -> Params:
    """Read params.yaml and check all but the insides of the methods' blocks, which `method` parses:
    whoever trains nothing need not wait for torch.

    Raises BadInput that names the first key that is wrong.
    """
    with reading(path, needed="a YAML file of settings, in UTF-8", remedy=RESTORE):
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(raw, Mapping):
        raise BadInput(
            given=f"{path} holds {'nothing' if raw is None else type(raw).__name__}, and no blocks",
            needed="a mapping of settings",
            remedy=RESTORE,
        )
    params = parse(Params, raw, ())
    _refuse_unknown_names(params)
    sources = {
        name: parse(_kind_of(name, block).settings, block, ("sources", name))
        for name, block in params.sources.items()
    }
    return params.model_copy(update={"sources": sources, "methods": _with_repeats(params)})


def _kind_of(name: str, block: Any) -> Dataset:
    """Load the record of the file that reads a data set's block. Raises BadInput if there is none."""
    kind = block.get("kind") if isinstance(block, Mapping) else None
    if isinstance(kind, str):
        return load_dataset(kind, key=f"sources.{name}.kind")
    return load_dataset(name, key=f"sources, without `kind: {OWN_PAIRS}`,")


def _with_repeats(params: Params) -> dict[str, Any]:
    """The blocks of `methods`, those that repeat another one parsed. Raises BadInput for a wrong one."""
    repeats = {
        name: parse(Repeat, block, ("methods", name))
        for name, block in params.methods.items()
        if isinstance(block, Mapping) and "repeat_of" in block
    }
    blocks = {name: block for name, block in params.methods.items() if name not in repeats}
    for name, one in repeats.items():
        key = f"methods.{name}.repeat_of"
        refuse_unknown(one.repeat_of, sorted(blocks), kind="block of `methods` itself", key=key)
    for lineup in (params.lineup, params.video_lineup, *map(params.trained_on, params.datasets)):
        refuse_twins(lineup, repeats, params.seed)
    for dataset, budget in params.budget.items():
        for name in budget.exceptions:
            key = f"budget.{dataset}.exceptions"
            refuse_unknown(name, sorted(blocks), kind="block of `methods` itself", key=key)
    return {**params.methods, **repeats}


def _parse_method(name: str, block: Any) -> Settings:
    from thermochroma.contract.method import load_method  # loads torch

    if not isinstance(block, Mapping):
        raise BadInput(
            given=f"`methods.{name}` in params.yaml is {json.dumps(block)[:80]}",
            needed="a block with the keys `method`, `translator`, `optimizers`, `weights`",
            remedy="correct it (the file in the repository has all blocks)",
        )
    head = parse(MethodHead, {"method": block.get("method")}, ("methods", name))
    return parse(load_method(head.method).settings, block, ("methods", name))


class MethodHead(Strict):
    """The one key that says how to read the rest of a method's block."""

    method: str


def _refuse_unknown_names(params: Params) -> None:
    for dataset in params.datasets:
        for block, known in (
            ("sources", params.sources),
            ("crop", params.crop),
            ("budget", params.budget),
            ("evaluate", params.evaluate),
        ):
            refuse_unknown(dataset, sorted(known), kind=f"data set of `{block}`", key="datasets")
    refuse_unknown_lineups(params, list(params.methods))
    for name, entry in params.entries.items():
        datasets, key = sorted(params.datasets), f"entries.{name}.dataset"
        refuse_unknown(entry.dataset, datasets, kind="entry of `datasets`", key=key)
        if name in params.methods:
            raise BadInput(
                given=f"`entries.{name}` has the name of a block of `methods`",
                needed="a name of its own for every row of a table",
                remedy="rename the entry",
            )
