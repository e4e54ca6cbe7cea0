"""Settings that an experiment of DVC has changed, for the name of its run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

PARAMS: Final = "params.yaml"
LONGEST: Final = 200
"""Letters; MLflow takes 250 for the name of a run, and shows far fewer."""


def changed_settings(before: str, *, dataset: str, method: str) -> str:
    """Settings of one training that differ from `before`, the text of another params.yaml.

    Such as "weights.tv=4.0 seed=1". Only those of the method's block, of the data set and of all
    trainings; "" if nothing differs or one of the two cannot be read.
    """
    try:
        old = yaml.safe_load(before)
        new = yaml.safe_load(Path(PARAMS).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return ""
    known = dict(flatten(old))
    named = {
        short: value
        for key, value in flatten(new)
        if (key not in known or known[key] != value)
        and (short := _short(key, dataset, method, _block(new, method)))
    }
    text = " ".join(f"{key}={value}" for key, value in named.items())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def flatten(params: Mapping[str, Any], *, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Flatten nested settings into dotted names and plain values."""
    for key, value in params.items():
        if isinstance(value, Mapping):
            yield from flatten(value, prefix=f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _block(params: Mapping[str, Any], method: str) -> str:
    """The block that an entry has: of a repeat, that of what it repeats."""
    methods = params.get("methods")
    block = methods.get(method) if isinstance(methods, Mapping) else None
    return str(block.get("repeat_of", method)) if isinstance(block, Mapping) else method


def _short(key: str, dataset: str, method: str, block: str) -> str:
    """Name of a setting without what the run's own name says; "" for one of another training."""
    for own in (f"methods.{method}.", f"methods.{block}."):
        if key.startswith(own):
            return key.removeprefix(own)
    budget = f"budget.{dataset}."
    if key.startswith(f"{budget}exceptions."):
        own = f"{budget}exceptions.{block}."
        return f"budget.{key.removeprefix(own)}" if key.startswith(own) else ""
    for room in ("budget", "crop", "sources"):
        if key.startswith(f"{room}.{dataset}."):
            return key.replace(f".{dataset}.", ".", 1)
    shared = ("caption.", "weights.", "registration.")
    return key if key == "seed" or key.startswith(shared) else ""
