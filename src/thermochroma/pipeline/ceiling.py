"""The ceiling of one data set: what the truth scores when it is spoilt in known ways."""

from pathlib import Path

from thermochroma.base.files import whole_file, write_text
from thermochroma.base.manifest import read_table
from thermochroma.base.project import at_root
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.contract.dataset import Dataset
from thermochroma.data.registration.tables import TRANSFORM_COLUMNS, compare_with_truth
from thermochroma.evaluation.ceiling import score_ceiling, score_neighbours
from thermochroma.evaluation.flicker import SPLIT, Pairs, pairs_of
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.inference.predictions import spread
from thermochroma.loading.crops import Crops
from thermochroma.reporting.ceiling_card import build_ceiling, draw_ceiling, residual_of
from thermochroma.reporting.figures import save_figure

IMAGES = 60  # at most, and as many pairs of neighbours: each is predicted and scored sixteen times


def measure_ceiling(
    record: Dataset,
    settings: EvaluateSettings,
    *,
    seed: int,
    crops: Path,
    registered: Path,
    raw: Path,
    report: Path,
) -> None:
    """Write a card, its figure, and the scores of each image, all called as `report`."""
    cut = Crops(crops)
    transforms = read_table(registered / "transforms.csv", TRANSFORM_COLUMNS)
    errors = compare_with_truth(transforms, record.truth(at_root(raw))) if record.truth else None
    scored = scored_rows(cut, settings.frames_per_sequence)
    scores = score_ceiling(cut, spread(scored[scored["split"] == SPLIT], IMAGES))
    pairs = some_of(pairs_of(cut, settings.video_pairs))
    with whole_file(report.with_name(f"{report.name}.csv")) as part:
        scores.to_csv(part, index=False, float_format="%.6g")
    text = build_ceiling(
        scores,
        score_neighbours(cut, pairs),
        transforms,
        errors,
        title=record.title,
        note=record.note,
        seed=seed,
    )
    write_text(report.with_name(f"{report.name}.md"), text)
    residual = residual_of(transforms, errors)
    save_figure(draw_ceiling(scores, residual, note=record.note, seed=seed), report)


def some_of(pairs: Pairs) -> Pairs:
    """At most so many pairs, evenly spread."""
    chosen = spread(pairs.before.assign(place=range(len(pairs))), IMAGES)["place"].tolist()
    before, after = (
        rows.iloc[chosen].reset_index(drop=True) for rows in (pairs.before, pairs.after)
    )
    return Pairs(before, after, tuple(pairs.ways[place] for place in chosen))
