"""`thermochroma results`: a few columns of the tables, as wide as a terminal, and what is missing."""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from tests.examiner import raw_params, write_params
from thermochroma.base.errors import BadInput
from thermochroma.serving.cli import main
from thermochroma.serving.results import results_of

LONG = "CMMF-Net without anything that one could leave out of it, constant caption, and more words"
ROWS = [  # row, title, kind, PSNR
    ("pix2pix", "Pix2pix", "method", 12.5),
    ("cmmf_net", LONG, "method", 14.25),
    ("cmmf_net_empty", "CMMF-Net, empty caption", "method", 14.0),
    ("mean_colour", "Mean colour", "trivial", 13.0),
    ("truth_blurred", "Truth, blurred", "oracle", 40.0),
    ("i2v_gan", "I2V-GAN", "method", None),
]
TRAINED = ("pix2pix", "cmmf_net")


def _write(folder: Path, name: str, repeats: Mapping[str, object]) -> Path:
    """A table as the stage writes it, as far as it is read here."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"dataset": "sample", "ssim": 0.5, "lpips_alex": None, "psnr_low": 9.0}
    table = pd.DataFrame(ROWS, columns=["row", "title", "kind", "psnr"])
    table.assign(**columns, psnr_high=21.5, **repeats).to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_the_best_comes_first_and_no_oracle_at_all(tmp_path: Path) -> None:
    repeats = {"runs": [3, *[None] * 5], "runs_sd_psnr": [0.316, *[None] * 5]}
    tables = _write(tmp_path, "test", repeats)
    head, _, *rows = results_of("sample", tables, split="test", trained=TRAINED).splitlines()
    assert head == "sample, test split, thermal to visible"
    assert [re.split(r" {2,}|…", row)[0] for row in rows[1:4]] == [
        "CMMF-Net, empty caption",
        "Mean colour",
        "Pix2pix",
    ]
    assert rows[0].startswith(LONG[:30])
    assert re.split(r" {2,}", rows[0])[1:] == ["method", "14.25", "9.00 to 21.50", "0.500", "1"]
    assert rows[1].endswith("0.500"), "nobody noted of how many runs the row of other captions is"
    assert rows[3].endswith("12.50  9.00 to 21.50  0.500         3 (± 0.32)")
    assert rows[4] == "Not trained here: I2V-GAN."
    assert "Truth" not in "".join(rows)
    assert max(map(len, rows)) <= 100


def test_a_table_without_repeats_is_read(tmp_path: Path) -> None:
    said = results_of("sample", _write(tmp_path, "test", {}), split="test", trained=TRAINED)
    assert "Pix2pix" in said


def test_both_directions_are_printed_and_what_is_missing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = raw_params() | {"datasets": ["sample", "roadscene"], "video_datasets": []}
    raw["lineup"] = ["pix2pix", "mugan"]
    raw["trainings"] = {"roadscene-pix2pix": {"dataset": "roadscene", "method": "pix2pix"}}
    write_params(tmp_path / "params.yaml", raw)
    for name in ("validation", "validation_visible_to_thermal"):
        _write(tmp_path / "reports/sample/tables", name, {})
    monkeypatch.chdir(tmp_path)
    main(["results", "--split", "validation"])
    said = capsys.readouterr().out
    assert "validation split, thermal to visible" in said
    assert "validation split, visible to thermal" in said
    assert "sample: `mugan` is to be trained and has no row yet" in said
    assert "roadscene: there are no scores yet; `dvc repro compare@roadscene`" in said
    main(["results", "roadscene"])
    assert "sample" not in capsys.readouterr().out


def test_a_data_set_that_is_not_compared_is_refused() -> None:
    with pytest.raises(SystemExit, match="did you mean `sample`"):
        main(["results", "smaple"])


@pytest.mark.parametrize("text", ["", "row,title\n", "a,b\n\x00", "row,title,kind\npix2pix,,\n"])
def test_another_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(BadInput, match=r"test\.csv "):
        results_of("sample", tmp_path, split="test", trained=TRAINED)


def test_a_row_without_a_name_is_one_sentence(tmp_path: Path) -> None:
    path = _write(tmp_path, "test", {}) / "test.csv"
    path.write_text(path.read_text().replace("Mean colour", ""))
    with pytest.raises(BadInput, match="a row without a name"):
        results_of("sample", tmp_path, split="test", trained=TRAINED)
