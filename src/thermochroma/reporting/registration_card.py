"""Card of a registration: its figures, and the decision and the reason for every mount."""

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from thermochroma.base.cells import markdown_table
from thermochroma.data.registration.tables import metrics

ALL_UP_TO: Final = 60  # mounts: so many are listed one by one

WORDS: Final = {
    "mounts": "mounts",
    "accepted_share": "share of mounts with a transform",
    "borrowed_share": "share with their rig's transform",
    "suspicious_share": "share that disagrees with its rig",
    "mean_gain": "mean gain in correlation",
    "displacement_median_px": "median corner displacement (px)",
    "error_before_median_px": "median corner error before (px)",
    "error_before_p95_px": "95th percentile before (px)",
    "error_after_median_px": "median corner error after (px)",
    "error_after_p95_px": "95th percentile after (px)",
}

DEFINITION: Final = (
    "A transform is the similarity that takes a visible pixel to the thermal pixel that shows the "
    "same point. It is kept only if it raises the correlation of oriented gradients between the "
    "two images; otherwise the pair stays as it is (identity). Lengths are mean distances of the "
    "four corners, in raw pixels; the figures are over mounts."
)
LEVELS: Final = (
    "mount: from its frames, which agree. still: from its only frame. rig: its own frames gave no "
    "transform, but the median transform of the mounts with the same cameras improves them. identity: "
    "left as it is."
)


def build_card(
    transforms: pd.DataFrame,  # columns of TRANSFORM_COLUMNS
    errors: pd.DataFrame | None = None,  # as `compare_with_truth` gives them, where truth is known
    *,
    title: str,
    note: str,  # the data set's note; "" if it has none
    worst: int = 10,  # number of mounts listed where there are too many to list them all
) -> str:
    """Write the card as Markdown; the worst mounts come first."""
    parts = [
        f"# Registration: {title}",
        *([f"**{note}**"] if note else []),
        DEFINITION,
        _figures_table(metrics(transforms, errors)),
        "## Where the transforms come from",
        LEVELS,
        _levels_table(transforms),
        *_reasons(transforms),
        *_rigs(transforms),
        *_suspicious(transforms),
        *_mounts(transforms, errors, worst),
    ]
    return "\n\n".join(parts) + "\n"


def worst_first(transforms: pd.DataFrame, errors: pd.DataFrame | None) -> pd.DataFrame:
    """Sort by the error after registration where it is known, otherwise by spread, then lack of gain."""
    if errors is None:
        return transforms.sort_values(
            ["spread_px", "mean_gain"], ascending=[False, True], kind="stable"
        )
    both = transforms.merge(errors, on="mount")
    return both.sort_values("after_px", ascending=False, kind="stable")


def _figures_table(figures: Mapping[str, float]) -> str:
    rows = [(WORDS.get(name, name), f"{value:.4g}") for name, value in figures.items()]
    return _table(["figure", "value"], rows)


def _levels_table(transforms: pd.DataFrame) -> str:
    counts = transforms["level"].value_counts(sort=False).sort_index()
    rows = [
        (level, str(count), f"{count / len(transforms):.0%}") for level, count in counts.items()
    ]
    return _table(["level", "mounts", "share"], rows)


def _reasons(transforms: pd.DataFrame) -> list[str]:
    """Table of reasons for mounts without a transform of their own, numbers in them left out."""
    without = transforms[transforms["reason"] != ""]
    if without.empty:
        return []
    kinds = without["reason"].map(lambda reason: re.sub(r"-?\d+(\.\d+)?", "…", reason))
    counts = kinds.groupby([kinds, without["level"]], sort=False).size()
    rows = [(why, level, str(count)) for (why, level), count in _largest_first(counts)]
    return [
        "## Why mounts have no transform of their own",
        _table(["reason", "now", "mounts"], rows),
    ]


def _largest_first(counts: pd.Series) -> list[tuple[Any, int]]:
    return list(counts.sort_values(ascending=False, kind="stable").items())


def _rigs(transforms: pd.DataFrame) -> list[str]:
    """Table of the number of mounts at each level, by rig."""
    members = transforms[transforms["rig"] != ""]
    if members.empty:
        return []
    rows = [
        (
            rig,
            len(group),
            int(group["level"].isin(["mount", "still"]).sum()),
            int((group["level"] == "rig").sum()),
            int((group["level"] == "identity").sum()),
            int((group["suspicion"] != "").sum()),
        )
        for rig, group in members.groupby("rig", sort=False)
    ]
    head = ["rig", "mounts", "own transform", "the rig's", "identity", "suspicious"]
    return ["## Rigs", _table(head, rows)]


def _suspicious(transforms: pd.DataFrame) -> list[str]:
    """Table of the mounts whose transform is far from their rig's."""
    found = transforms[transforms["suspicion"] != ""]
    if found.empty:
        return []
    rows = found[["mount", "level", "suspicion"]].to_numpy().tolist()
    return ["## Suspicious mounts", _table(["mount", "level", "how it disagrees"], rows)]


def _mounts(transforms: pd.DataFrame, errors: pd.DataFrame | None, worst: int) -> list[str]:
    """Table of all mounts if they are few, otherwise of the worst."""
    few = len(transforms) <= ALL_UP_TO
    count = len(transforms) if few else worst
    rows = [
        (*_row(row), *_errors(row), row["reason"])
        for row in _records(worst_first(transforms, errors), count)
    ]
    head = ["mount", "level", "frames", "moved (px)", "spread (px)", "gain", "improved"]
    head += [] if errors is None else ["error before (px)", "after (px)"]
    title = "## Every mount, the worst first" if few else f"## The {count} worst mounts"
    rest = [] if few else ["All others are in `transforms.csv`, with the same columns."]
    return [title, *rest, _table([*head, "reason"], rows)]


def _records(table: pd.DataFrame, count: int) -> list[dict[Hashable, Any]]:
    """First `count` rows as records; unknown values become None."""
    head = table.head(count).astype(object)
    return head.where(head.notna(), None).to_dict("records")


def _row(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    spread = "" if row["spread_px"] is None else f"{row['spread_px']:.2f}"
    return (
        str(row["mount"]),
        str(row["level"]),
        f"{row['accepted']} of {row['frames_used']}",
        f"{row['displacement_px']:.2f}",
        spread,
        f"{row['mean_gain']:.4f}",
        f"{row['improved_share']:.0%}",
    )


def _errors(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    return tuple(f"{row[name]:.2f}" for name in ("before_px", "after_px") if name in row)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return markdown_table(head, ["---"] * len(head), *rows)
