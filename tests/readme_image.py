"""The image at the top of the README, drawn from the page of a finished `make repro`.

`python -m tests.readme_image` writes docs/sample.webp: thermal, translated (sharpness 0 and 1), truth.
"""

from pathlib import Path
from typing import Final

from PIL import Image

from tests.conftest import ROOT

PAGE: Final = ROOT / "reports/page/sample"
COLUMNS: Final = (
    "thermal",
    "predicted/thermochroma_small",
    "predicted/thermochroma_small_sharp",
    "visible",
)
FRAMES: Final = ("006", "012", "030")
"""Of those that the page keeps: trees, sky and buildings, traffic."""
GAP: Final = 4


def sheet(page: Path) -> Image.Image:
    """Draw one row a frame, one column a kind of image, white between them."""
    rows = [
        [Image.open(page / kind / f"{frame}.webp").convert("RGB") for kind in COLUMNS]
        for frame in FRAMES
    ]
    side = rows[0][0].width
    size = tuple(count * (side + GAP) - GAP for count in (len(COLUMNS), len(FRAMES)))
    drawn = Image.new("RGB", (size[0], size[1]), "white")
    for down, row in enumerate(rows):
        for across, image in enumerate(row):
            drawn.paste(image, (across * (side + GAP), down * (side + GAP)))
    return drawn


if __name__ == "__main__":
    sheet(PAGE).save(ROOT / "docs/sample.webp", quality=85, method=6)
