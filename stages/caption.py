"""Write one sentence a frame, from what is known without the visible target."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from stages.command import at_root, run
from thermochroma.files import whole_file
from thermochroma.loading.crops import Crops
from thermochroma.params import read_params
from thermochroma.preparation.captions import CAPTION_COLUMNS, caption_all, read_overrides
from thermochroma.source import load_source


def main(
    dataset: str, params: Path, raw: Path, crops: Path, overrides: Path, captions: Path
) -> None:
    """Runs as well where every visible picture has been taken away."""
    source, settings = load_source(dataset), read_params(params)
    cut = Crops(crops)
    rows = cut.manifest[cut.manifest["dropped"] == ""]
    sentences = caption_all(
        rows,
        profile=settings.caption.profile,
        facts=source.facts(settings.source(dataset), at_root(raw)),
        thermal=cut.thermal,
        overrides=read_overrides(overrides),
    )
    bar = tqdm(sentences, total=len(rows), desc="caption", unit="frame")
    table = pd.DataFrame(bar, columns=list(CAPTION_COLUMNS))
    with whole_file(captions) as part:
        table.to_csv(part, index=False)


if __name__ == "__main__":
    run(main)
