"""Draw what a registration is worth: a card of numbers, and frames before and after."""

from pathlib import Path

from thermochroma.base.files import whole_file, write_text
from thermochroma.base.manifest import FRAME_COLUMNS, read_table
from thermochroma.base.project import at_root
from thermochroma.contract.dataset import Dataset
from thermochroma.data.registration.tables import TRANSFORM_COLUMNS, compare_with_truth
from thermochroma.reporting.registration_card import build_card
from thermochroma.reporting.registration_sheet import draw_contact_sheet


def draw_registration(
    record: Dataset, *, frames: Path, raw: Path, registered: Path, report: Path
) -> None:
    """Write the card and the contact sheet. A stage by itself: a changed figure registers nothing anew."""
    folder = at_root(raw)
    table = read_table(frames, FRAME_COLUMNS)
    transforms = read_table(registered / "transforms.csv", TRANSFORM_COLUMNS)
    errors = compare_with_truth(transforms, record.truth(folder)) if record.truth else None
    text = build_card(transforms, errors, title=record.title, note=record.note)
    write_text(report / "card.md", text)
    sheet = draw_contact_sheet(transforms, table, errors, raw=folder, note=record.note)
    with whole_file(report / "before_after.png") as part:
        sheet.savefig(part)
