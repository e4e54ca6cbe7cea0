"""The door for settings: params.yaml in, strict frozen types out, once."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import nearest, refuse_unknown
from thermochroma.contract.dataset import SourceSettings, load_source
from thermochroma.contract.settings import TWENTIETHS, Settings, Strict

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
"""Other names could collide in DVC's stage names, and DVC then drops stages without a word."""
Share = Annotated[float, Field(ge=0, le=1)]
Model = TypeVar("Model", bound=BaseModel)


class RegisterSettings(Strict):
    """How thermal is laid onto visible."""

    sample_frames: PositiveInt
    held_out_frames: NonNegativeInt
    gain_still: PositiveFloat
    gain_mount: PositiveFloat
    matcher: Annotated[str, StringConstraints(pattern=r"^[\w.]+:\w+$")] | None


class DedupSettings(Strict):
    """Which frames are too much like the one kept before them. Exactly one of both keys."""

    threshold: PositiveFloat | None = None
    """Grey levels by which the thermal thumbnails must differ at least."""
    images: PositiveInt | None = None
    """How many frames are to remain outside the test split; the threshold follows from it."""

    @model_validator(mode="after")
    def _one_measure(self) -> "DedupSettings":
        if (self.threshold is None) == (self.images is None):
            raise ValueError("give exactly one of `threshold` and `images`")
        return self


class CropSettings(Strict):
    """How windows are cut, for one data set."""

    size: PositiveInt
    clip_frames: PositiveInt
    dedup: DedupSettings | None = None
    """None keeps frames that hardly differ; they are counted all the same."""
    full: bool = False
    """Whether held-out frames are written whole as well."""


class CaptionSettings(Strict):
    """What the sentences say."""

    profile: Literal[
        "template", "boxes", "oracle_boxes", "captioner", "empty", "constant", "shuffled"
    ]
    shuffle_seed: int
    captioner: str | None
    """The folder of a BLIP or Florence-2 model, below the project; for the profile `captioner`."""

    @model_validator(mode="after")
    def _captioner_is_somewhere(self) -> "CaptionSettings":
        if self.profile == "captioner" and self.captioner is None:
            raise ValueError("the profile `captioner` needs a folder under `caption.captioner`")
        return self


MACHINES_OWN: Final = frozenset({"workers", "checkpoint_every_images"})
"""Keys of a budget that suit it to a machine: the same bits come out whatever they are."""


class BudgetException(Strict):
    """What one line-up entry does otherwise."""

    images: PositiveInt | None = None
    window: PositiveInt | None = None
    batch_size: PositiveInt | None = None


class Budget(Strict):
    """How long and how large, for one data set. Exactly one of `epochs` and `images`."""

    epochs: PositiveFloat | None = None
    images: PositiveInt | None = None
    window: PositiveInt | None = None
    """Side of the random window of a crop that training shows; none shows the whole crop."""
    batch_size: PositiveInt
    scale: PositiveFloat
    precision: Literal["float32", "bfloat16"]
    flip: Share
    workers: NonNegativeInt
    reading_every_images: PositiveInt
    validate_every_images: PositiveInt
    validation_images: PositiveInt
    checkpoint_every_images: PositiveInt
    snapshots: Annotated[int, Field(ge=1, le=TWENTIETHS)]
    """How many of the last twentieths of a training leave their weights, its end among them."""
    exceptions: Mapping[Name, BudgetException] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_duration(self) -> "Budget":
        if (self.epochs is None) == (self.images is None):
            raise ValueError("give exactly one of `epochs` and `images`")
        return self

    def of(self, name: str) -> "Budget":
        """The budget of one line-up entry."""
        changes = self.exceptions.get(name, BudgetException()).model_dump(exclude_none=True)
        plain = self.model_copy(update={"exceptions": {}, **changes})
        return plain.model_copy(update={"epochs": None}) if "images" in changes else plain

    def deciding(self) -> dict[str, Any]:
        """What decides the outcome: all but how many processes load, and how often it is kept."""
        return self.model_dump(mode="json", exclude=set(MACHINES_OWN))

    def images_of(self, frames: int) -> int:
        """The images to show in all, with `frames` training frames."""
        if self.images is not None:
            return self.images
        assert self.epochs is not None  # the validator saw to it
        return max(1, round(self.epochs * frames))

    def snapshots_after_images(self, frames: int) -> frozenset[int]:
        """After how many images weights are kept, with `frames` training frames; not the end."""
        images = self.images_of(frames)
        parts = range(TWENTIETHS - self.snapshots + 1, TWENTIETHS)
        return frozenset(-(-images * part // TWENTIETHS) for part in parts) - {images}


class EvaluateSettings(Strict):
    """How translators are scored, on one data set."""

    batch_size: PositiveInt
    frames_per_sequence: PositiveInt | None
    video_pairs: PositiveInt | None
    """Pairs of neighbouring frames a test sequence, whose flicker is read; None takes all."""
    panel_frames: PositiveInt
    gallery_frames: PositiveInt | None
    """Scored test frames, evenly spread, whose predictions every row keeps for the page; None: all."""
    timing_rounds: PositiveInt


class Repeat(Strict):
    """A line-up entry that is another one trained once more, under another seed."""

    repeat_of: Name
    seed: int


class Params(Strict):
    """params.yaml, whole."""

    seed: int
    datasets: tuple[Name, ...]
    lineup: tuple[Name, ...]
    video_datasets: tuple[Name, ...]
    """Data sets on which the video line-up is trained as well; some of `datasets`."""
    video_lineup: tuple[Name, ...]
    """Methods that learn from consecutive frames."""
    weights: Literal["random", "pretrained"]
    sources: Mapping[Name, Any]
    registration: RegisterSettings
    crop: Mapping[Name, CropSettings]
    caption: CaptionSettings
    budget: Mapping[Name, Budget]
    evaluate: Mapping[Name, EvaluateSettings]
    methods: Mapping[Name, Any]
    """Blocks, and repeats of blocks."""

    def trained_on(self, dataset: str) -> tuple[str, ...]:
        """The line-up entries that are trained on a data set, in the order of tables."""
        return self.lineup + (self.video_lineup if dataset in self.video_datasets else ())

    def source(self, dataset: str) -> SourceSettings:
        """The data set's block under `sources`."""
        settings: SourceSettings = self.sources[dataset]
        return settings

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


def read_params(path: Path) -> Params:
    """Read params.yaml and check all but the insides of the methods' blocks, which `method` parses:
    whoever trains nothing need not wait for torch.

    Raises BadInput that names the first key that is wrong.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(
            given=f"{path} cannot be read ({' '.join(str(error).split())})",
            needed="a YAML file of settings",
            remedy="correct it, or restore it with `git checkout params.yaml`",
        ) from error
    params = _parse(Params, raw, ())
    _refuse_unknown_names(params)
    sources = {
        name: _parse(load_source(name).settings, block, ("sources", name))
        for name, block in params.sources.items()
    }
    return params.model_copy(update={"sources": sources, "methods": _with_repeats(params)})


def _with_repeats(params: Params) -> dict[str, Any]:
    """The blocks of `methods`, those that repeat another one parsed. Raises BadInput for a wrong one."""
    repeats = {
        name: _parse(Repeat, block, ("methods", name))
        for name, block in params.methods.items()
        if isinstance(block, Mapping) and "repeat_of" in block
    }
    blocks = {name: block for name, block in params.methods.items() if name not in repeats}
    for name, one in repeats.items():
        key = f"methods.{name}.repeat_of"
        refuse_unknown(one.repeat_of, sorted(blocks), kind="block of `methods` itself", key=key)
    for lineup in (params.lineup, params.video_lineup):
        _refuse_twins(lineup, repeats, params.seed)
    for dataset, budget in params.budget.items():
        for name in budget.exceptions:
            key = f"budget.{dataset}.exceptions"
            refuse_unknown(name, sorted(blocks), kind="block of `methods` itself", key=key)
    return {**params.methods, **repeats}


def _refuse_twins(lineup: Sequence[str], repeats: Mapping[str, Repeat], seed: int) -> None:
    """Raise BadInput if a repeat stands alone, or has the seed of another run of its block."""
    taken = {(name, seed) for name in lineup if name not in repeats}
    for name in lineup:
        if name not in repeats:
            continue
        one = repeats[name]
        if one.repeat_of not in lineup:
            raise BadInput(
                given=f"the line-up has `{name}` but not `{one.repeat_of}`, which it repeats",
                needed="both in the same line-up: their runs are one row of the tables",
                remedy=f"add `{one.repeat_of}`, or leave `{name}` out",
            )
        if (one.repeat_of, one.seed) in taken:
            raise BadInput(
                given=f"`{name}` repeats `{one.repeat_of}` under seed {one.seed}, which another run has",
                needed="a seed of its own for every run of a block",
                remedy=f"change `methods.{name}.seed`",
            )
        taken.add((one.repeat_of, one.seed))


def _parse_method(name: str, block: Any) -> Settings:
    from thermochroma.contract.method import load_method  # loads torch

    if not isinstance(block, Mapping):
        raise BadInput(
            given=f"`methods.{name}` in params.yaml is {json.dumps(block)[:80]}",
            needed="a block with the keys `method`, `translator`, `optimizers`, `weights`",
            remedy="correct it (the file in the repository has all blocks)",
        )
    head = _parse(MethodHead, {"method": block.get("method")}, ("methods", name))
    return _parse(load_method(head.method).settings, block, ("methods", name))


class MethodHead(Strict):
    """The one key that says how to read the rest of a method's block."""

    method: str


def _refuse_unknown_names(params: Params) -> None:
    for name in params.sources:
        load_source(name)
    for dataset in params.datasets:
        for block, known in (
            ("sources", params.sources),
            ("crop", params.crop),
            ("budget", params.budget),
            ("evaluate", params.evaluate),
        ):
            refuse_unknown(dataset, sorted(known), kind=f"data set of `{block}`", key="datasets")
    _refuse_unknown_methods(params)


def _refuse_unknown_methods(params: Params) -> None:
    known = sorted(params.methods)
    for key, lineup in (("lineup", params.lineup), ("video_lineup", params.video_lineup)):
        for name in lineup:
            refuse_unknown(name, known, kind="block of `methods`", key=key)
    for name in params.video_datasets:
        datasets = sorted(params.datasets)
        refuse_unknown(name, datasets, kind="entry of `datasets`", key="video_datasets")


def _parse(model: type[Model], raw: Any, at: tuple[str, ...]) -> Model:
    try:
        # Through JSON, since strict Python input would refuse a list where a tuple is declared.
        return model.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        first = error.errors()[0]
        raise _sentence(model, first, at, more=error.error_count() - 1) from error


def _sentence(model: type[BaseModel], error: Any, at: tuple[str, ...], *, more: int) -> BadInput:
    place = [str(part) for part in error["loc"]]
    key = ".".join([*at, *place])
    also = f" (and {more} more)" if more else ""
    if error["type"] == "extra_forbidden":
        known = _known_keys(model, place[:-1])
        return BadInput(
            given=f"params.yaml has the unknown key `{key}`{nearest(place[-1], known)}{also}",
            needed=f"known keys there: {', '.join(known)}",
            remedy="correct or remove it",
        )
    if error["type"] == "missing":
        return BadInput(
            given=f"params.yaml lacks `{key}`{also}",
            needed="every setting is written out, so that none is hidden",
            remedy="add it (the file in the repository has all of them)",
        )
    value = json.dumps(error["input"])
    hint = ", written with a dot if it has an exponent (1.0e-4)" if "e-" in value else ""
    return BadInput(
        given=f"`{key}` in params.yaml is {value[:80]}{also}",
        needed=f"{error['msg'].removeprefix('Value error, ')}{hint}",
        remedy="correct it",
    )


def _known_keys(model: type[BaseModel], place: list[str]) -> list[str]:
    """The keys that the block at `place` inside `model` may have."""
    kind: Any = model
    for part in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[part].annotation
        else:  # a choice of blocks by their `kind`, or a mapping from names to blocks
            choice = (one for one in get_args(kind) if part in _kinds_of(one))
            kind = next(choice, get_args(kind)[-1])
    return sorted(kind.model_fields)


def _kinds_of(block: Any) -> tuple[Any, ...]:
    """What the key `kind` of a block may be; nothing if it has no such key."""
    if not (isinstance(block, type) and issubclass(block, BaseModel)):
        return ()
    return get_args(block.model_fields["kind"].annotation) if "kind" in block.model_fields else ()
