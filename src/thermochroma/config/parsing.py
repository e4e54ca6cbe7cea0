"""From raw YAML values to strict types, and from pydantic's errors to sentences."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import nearest

DEEPEST: Final = 20  # blocks inside of blocks: YAML can write one that holds itself
Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], raw: Any, at: tuple[str, ...]) -> Model:
    """Parse a block of params.yaml. at: its keys, from the outermost. Raises BadInput for a wrong one."""
    _refuse_other_values(raw, at)
    try:
        # Through JSON, since strict Python input would refuse a list where a tuple is declared.
        return model.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        first = error.errors()[0]
        raise _sentence(model, first, at, more=error.error_count() - 1) from error


def _refuse_other_values(raw: Any, at: tuple[str, ...]) -> None:
    """Raise BadInput for what YAML reads and no setting is: dates, bytes, sets, keys that are no words."""
    if len(at) > DEEPEST:
        raise _no_value(
            f"blocks inside of blocks, more than {DEEPEST} deep, at `{'.'.join(at[:3])}`"
        )
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            if not isinstance(key, str):
                raise _no_value(
                    f"the key {key!r} inside `{'.'.join(at)}`" if at else f"a key {key!r}"
                )
            _refuse_other_values(value, (*at, key))
    elif isinstance(raw, list | tuple):
        for place, value in enumerate(raw):
            _refuse_other_values(value, (*at, str(place)))
    elif not isinstance(raw, str | int | float | None):
        raise _no_value(f"`{'.'.join(at)}` as a {type(raw).__name__}, {raw}")


def _no_value(given: str) -> BadInput:
    return BadInput(
        given=f"params.yaml has {given}",
        needed="words, numbers, true, false, null, and lists and blocks of them",
        remedy="correct it; in quotes it is a word",
    )


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
        kind = _block_in(kind)
        if _is_block(kind):
            kind = kind.model_fields[part].annotation
        else:  # a choice of blocks by their `kind`, or a mapping from names to blocks
            choice = (one for one in get_args(kind) if part in _kinds_of(one))
            kind = next(choice, get_args(kind)[-1])
    return sorted(_block_in(kind).model_fields)


def _block_in(kind: Any) -> Any:
    """The block in a choice of one or nothing, `Block | None`; any other type as it is."""
    blocks = [one for one in get_args(kind) if _is_block(one)]
    return blocks[0] if len(blocks) == 1 and type(None) in get_args(kind) else kind


def _is_block(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _kinds_of(block: Any) -> tuple[Any, ...]:
    """Values that the key `kind` of a block may have; none if it has no such key."""
    if not _is_block(block):
        return ()
    return get_args(block.model_fields["kind"].annotation) if "kind" in block.model_fields else ()
