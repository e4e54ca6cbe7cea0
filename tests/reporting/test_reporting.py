"""Statistics worked out by hand, tables in three spellings, figures with the same bytes twice."""

import csv
import io
import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.evaluation.summary import mean_of_draws
from thermochroma.metrics.image_scores import OF_COLOUR, SCORES
from thermochroma.reporting import by_sequence, paper, snapshots, statistics
from thermochroma.reporting import significance as wins
from thermochroma.reporting.figures import (
    Point,
    curves,
    grid,
    grid_pages,
    quality_against_cost,
    save_figure,
    save_grid,
)
from thermochroma.reporting.layout import About, Row, Table
from thermochroma.reporting.published import PAPER_RULE, PUBLISHED
from thermochroma.reporting.table import build_table
from thermochroma.reporting.table_caption import RUNS
from thermochroma.reporting.table_text import to_csv, to_latex, to_markdown


def scored(values: dict[str, list[float]], **others: float) -> pd.DataFrame:
    """A table of scores: sequence name to one PSNR an image; every other score constant."""
    rows = [
        {"frame": f"{name}/{i}", "sequence": name, "place": "road", "time": time, "psnr": value}
        for (name, psnrs), time in zip(values.items(), itertools.cycle(["day", "night"]))
        for i, value in enumerate(psnrs)
    ]
    constant = {name: others.get(name, 0.5) for name in SCORES if name != "psnr"}
    return pd.DataFrame(rows).assign(**constant)


def shifted(scores: pd.DataFrame, gains: dict[str, float]) -> pd.DataFrame:
    return scores.assign(psnr=scores["psnr"] + scores["sequence"].map(gains))


MANY = {f"set0{i}": [10.0 + i, 11.0 + i, 13.0] for i in range(6)}


def test_the_mean_is_over_images_and_the_interval_over_sequences() -> None:
    found = statistics.estimate(scored({"a": [10, 10, 10], "b": [20]}), "psnr")
    assert (found.mean, found.images, found.sequences) == (12.5, 4, 2)
    # Two sequences drawn: aa, bb (a quarter each) or both; so the interval is the whole range.
    assert (found.low, found.high) == (10, 20)


def test_frames_of_one_sequence_make_no_interval() -> None:
    found = statistics.estimate(scored({"a": list(range(500))}), "psnr")
    assert found.mean == 249.5
    assert np.isnan([found.low, found.high]).all()


def test_copies_of_frames_do_not_narrow_the_interval() -> None:
    once = statistics.estimate(scored(MANY), "psnr")
    copied = statistics.estimate(scored({name: v * 50 for name, v in MANY.items()}), "psnr")
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    assert once.low < once.mean < once.high


def test_the_interval_is_near_the_normal_one_and_the_same_each_time() -> None:
    random = np.random.default_rng(1)
    scores = scored({f"s{i:03}": [value] for i, value in enumerate(random.normal(20, 2, 200))})
    found = statistics.estimate(scores, "psnr")
    half = 1.96 * scores["psnr"].std() / np.sqrt(200)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert statistics.estimate(scores.sample(frac=1, random_state=0), "psnr").low == pytest.approx(
        found.low
    )


def test_images_without_a_value_are_left_out() -> None:
    scores = scored({"a": [10, np.nan], "b": [20, 20], "c": [np.nan]})
    found = statistics.estimate(scores, "psnr")
    assert (found.mean, found.images, found.sequences) == (pytest.approx(50 / 3), 3, 2)
    nothing = statistics.estimate(scores.assign(psnr=np.nan), "psnr")
    assert np.isnan(nothing.mean)
    assert nothing.sequences == 0


def test_a_paired_difference_forgets_what_the_methods_share() -> None:
    one = scored(MANY)
    found = statistics.paired_difference(
        shifted(one, dict.fromkeys(MANY, 0.25)).sample(frac=1, random_state=3), one, "psnr"
    )
    assert (found.mean, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_exact_sign_flips_by_hand() -> None:
    """Gains 1, 2, 3, -0.5 of four sequences: only ++++ and +++- reach the sum of 5.5."""
    base = scored({name: [10.0] for name in "abcd"})
    better = shifted(base, {"a": 1, "b": 2, "c": 3, "d": -0.5})
    assert statistics.better_than(better, base, "psnr", higher_is_better=True) == 2 / 16
    worse = statistics.better_than(better, base, "psnr", higher_is_better=False)
    assert worse == 15 / 16  # all but the one that is larger still
    assert statistics.better_than(base, base, "psnr", higher_is_better=True) == 1


@pytest.mark.parametrize("n", [12, 13])
def test_always_better_has_the_smallest_p(n: int) -> None:
    base = scored({f"s{i:02}": [10.0] for i in range(n)})
    better = shifted(base, {f"s{i:02}": 1.0 for i in range(n)})
    p = statistics.better_than(better, base, "psnr", higher_is_better=True)
    if n == 12:
        assert p == 2**-12
    else:
        assert p in [(1 + hits) / 10_001 for hits in range(8)]  # 10,000 / 2^13 = 1.2 expected


def test_drawn_sign_flips_are_near_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    base = scored({f"s{i:02}": [10.0] for i in range(11)})
    better = shifted(base, {f"s{i:02}": gain for i, gain in enumerate(random.normal(0.3, 1, 11))})
    exact = statistics.better_than(better, base, "psnr", higher_is_better=True)
    monkeypatch.setattr(statistics, "EXACT_UP_TO", 2)
    drawn = statistics.better_than(better, base, "psnr", higher_is_better=True)
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=0.02)


def test_one_sequence_is_no_test_and_other_frames_are_refused() -> None:
    one = scored({"a": [1, 2, 3]})
    assert np.isnan(statistics.better_than(one, one, "psnr", higher_is_better=True))
    with pytest.raises(BadInput, match="1 of them not shared"):
        statistics.paired_difference(one, one.iloc[:2], "psnr")


def test_pooled_psnr() -> None:
    scores = scored({"a": [1, 2]}).assign(mse=[1.0, 3.0])
    assert statistics.pooled_psnr(scores) == pytest.approx(10 * np.log10(255**2 / 2))
    assert statistics.pooled_psnr(scores.assign(mse=0.0)) == 100


ABOUT = About(
    dataset="sample",
    title="The sample",
    note="Procedural sample, not KAIST",
    split="test",
    size=128,
    frozen="VGG-16, VGG-19, CLIP stand-ins",
)
TO_THERMAL = replace(ABOUT, reference="mean_thermal", predicted="thermal")
COST = {
    "parameters": 54_414_531,
    "multiply_adds": 18_160_000_000,
    "latency_median_ms": 12.345,
    "latency_p95_ms": 20.0,
    "training_images_per_second": 1234.9,
    "peak_memory_bytes": 3 * 2**20,
    "device": "2 cores_x86",
}


def rows_of(sequences: dict[str, list[float]] = MANY) -> dict[str, Row]:
    base = scored(sequences, ms_ssim=np.nan)
    up = shifted(base, dict.fromkeys(sequences, 2.0))
    return {
        "own_mean_colour": Row("Own mean colour", "oracle", up),
        "mean_colour": Row("Mean colour", "trivial", base),
        "pix2pix": Row("Pix2pix & co_1", "method", up, COST),
        "cmmf_net": Row("CMMF-Net", "method", base, {**COST, "device": None}),
    }


@pytest.fixture(scope="module")
def table() -> Table:
    return build_table(rows_of(), ABOUT)


def read_csv(table: Table) -> dict[str, dict[str, str]]:
    return {row["row"]: row for row in csv.DictReader(io.StringIO(to_csv(table)))}


def test_rows_stand_by_kind_and_carry_computed_numbers(table: Table) -> None:
    assert [line.name for line in table.lines] == [
        "pix2pix", "cmmf_net", "mean_colour", "own_mean_colour",
    ]  # fmt: skip
    cells = table.lines[0].cells
    expected = statistics.estimate(rows_of()["pix2pix"].scores, "psnr")
    assert cells["psnr"].value == pytest.approx(np.mean([*MANY.values()]) + 2)
    assert cells["psnr"].text == f"{expected.mean:.2f} [{expected.low:.2f}, {expected.high:.2f}]"
    assert cells["p_psnr"].value == 2**-6
    assert cells["p_ssim"].value == 1
    assert table.lines[1].cells["p_psnr"].value == 1
    assert "p_psnr" not in table.lines[3].cells, "oracles are no competitors"


def test_cost_is_shown_in_its_units(table: Table) -> None:
    cells = table.lines[0].cells
    texts = [cells[key].text for key in COST]
    assert texts == ["54.4", "18.2", "12.3", "20.0", "1,235", "3.00", "2 cores_x86"]
    with pytest.raises(ValueError, match="watts"):
        build_table({"a": Row("A", "method", scored(MANY), {"watts": 3.0})}, ABOUT)


def test_day_and_night_stand_apart(table: Table) -> None:
    by_day = [
        np.mean(values) for name, values in MANY.items() if name in {"set00", "set02", "set04"}
    ]
    assert table.lines[2].cells["psnr_time_day"].value == pytest.approx(np.mean(by_day))
    keys = {column.key for part in table.parts for column in part.columns}
    assert "psnr_time_night" in keys
    assert not any("place" in key for key in keys), "one place alone needs no column"


def test_the_caption_says_all_that_is_needed(table: Table) -> None:
    for phrase in (
        "test split: 18 images of 6 sequences at 128×128",
        "Procedural sample, not KAIST.",
        "Gaussian window of 11 pixels, sigma 1.5, L = 255",
        "clamped and rounded",
        "95% bootstrap interval over sequences (10,000 resamples, percentiles put further out",
        "used in training: VGG-16, VGG-19, CLIP stand-ins",
    ):
        assert phrase in table.caption
    assert table.caption.count("Shifted:") == 1
    assert "Published" not in table.caption


def test_everything_missing_has_a_sentence(table: Table) -> None:
    notes = " ".join(table.notes)
    assert "MS-SSIM is empty" in notes
    assert "not whole, for: CMMF-Net." in notes
    assert "Pix2pix" not in notes
    alone = build_table({"a": Row("A", "method", scored({"s": [1, 2]}))}, ABOUT)
    assert "no row of the mean colour" in " ".join(alone.notes)
    assert "fewer than two sequences" in " ".join(alone.notes)
    assert alone.lines[0].cells["psnr"].text == "1.50 [–]"


def test_published_numbers_stand_with_their_data_set_alone() -> None:
    tables = {
        dataset: build_table(rows_of(), About(dataset, "T", "", "test", 256, "stand-ins"))
        for dataset in ("kaist", "irvi", "roadscene", "sample")
    }
    assert tables["kaist"].lines[1].cells["published_day"].text == "0.58 / 16.22"
    assert tables["irvi"].lines[1].cells["published_monitoring"].text == "0.56 / 18.39"
    assert "published_traffic" not in tables["irvi"].lines[0].cells, "no number for Pix2pix there"
    assert "another protocol" in to_markdown(tables["kaist"])
    assert "Published" in to_markdown(tables["kaist"])
    assert "published_" in to_csv(tables["kaist"])
    assert "Jiang et al." in tables["kaist"].caption
    for name in ("roadscene", "sample"):
        assert "Published" not in to_markdown(tables[name])
        assert "published_" not in to_csv(tables[name])
    assert [len(found) for parts in PUBLISHED.values() for found in parts.values()] == [10, 7, 7]


def test_markdown_is_rectangular_and_marks_the_oracles(table: Table) -> None:
    text = to_markdown(table)
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == len(table.parts) == 7
    for block in blocks:
        assert len({line.count("|") for line in block.strip().splitlines()}) == 1
    assert "| **Oracles (see the truth)** |" in text
    assert "| Own mean colour † |" in text
    assert "| Mean colour |" in text


def test_csv_holds_numbers_in_full_and_empty_cells(table: Table) -> None:
    rows = read_csv(table)
    expected = statistics.estimate(rows_of()["pix2pix"].scores, "psnr")
    assert float(rows["pix2pix"]["psnr_low"]) == pytest.approx(expected.low, rel=1e-5)
    assert rows["pix2pix"]["parameters"] == "54414531"
    assert rows["pix2pix"]["ms_ssim"] == rows["mean_colour"]["parameters"] == ""
    assert [row["kind"] for row in rows.values()] == ["method", "method", "trivial", "oracle"]


def test_latex_is_booktabs_and_escaped(table: Table) -> None:
    text = to_latex(table)
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == len(table.parts)
    assert r"Pix2pix \& co\_1" in text
    assert r"2 cores\_x86" in text
    assert r"\textit{Oracles (see the truth)}" in text
    assert text.isascii()
    body = [line for line in text.splitlines() if line.startswith("CMMF-Net")]
    widths = [len(part.columns) for part in table.parts]
    assert [line.count("&") for line in body] == widths


def test_an_entry_from_elsewhere_is_tested_and_has_no_cost() -> None:
    rows = rows_of()
    rows["theirs"] = replace(rows["own_mean_colour"], title="Theirs", kind="entry")
    table = build_table(rows, ABOUT)
    kinds = [line.kind for line in table.lines]
    assert kinds == ["method", "method", "entry", "trivial", "oracle"]
    theirs, ours = table.lines[2].cells, table.lines[0].cells
    assert theirs["p_psnr"] == ours["p_psnr"], "the same scores, the same test"
    assert "parameters" not in theirs
    assert "Tests are for methods and entries only" in " ".join(table.notes)
    assert "**Entries (predictions from elsewhere)**" in to_markdown(table)
    to_latex(table)


def test_a_method_that_needs_video_has_a_line_without_numbers() -> None:
    about = replace(ABOUT, needs_video={"recycle_gan": "Recycle-GAN", "i2v_gan": "I2V-GAN"})
    table = build_table(rows_of(), about)
    names = ["pix2pix", "cmmf_net", "recycle_gan", "i2v_gan", "mean_colour", "own_mean_colour"]
    assert [line.name for line in table.lines] == names
    line = table.lines[2]
    assert (line.kind, line.title) == ("method", "Recycle-GAN")
    assert {key: cell.text for key, cell in line.cells.items() if cell.text} == {
        "ssim": "needs video"
    }
    assert all(cell.value is None for cell in line.cells.values())
    note = "needs video: Recycle-GAN, I2V-GAN learn from frames in a row"
    assert note in " ".join(table.notes)
    assert "not whole, for: CMMF-Net." in " ".join(table.notes)
    assert to_markdown(table).count("| Recycle-GAN | needs video |") == 1
    row = read_csv(table)["recycle_gan"]
    known = {"dataset", "row", "title", "kind"}
    assert not [key for key, value in row.items() if value and key not in known]
    assert "I2V-GAN & needs video &" in to_latex(table)


def test_without_videoless_methods_nothing_is_said_of_video(table: Table) -> None:
    assert "video" not in to_markdown(table)


def test_tables_of_thermal_images_have_no_column_of_colour() -> None:
    rows = {
        name: replace(row, scores=row.scores.drop(columns=[*OF_COLOUR]))
        for name, row in rows_of().items()
    }
    table = build_table({**rows, "mean_thermal": rows["mean_colour"]}, TO_THERMAL)
    keys = {column.key for part in table.parts for column in part.columns}
    assert not keys & {*OF_COLOUR}
    assert {"ssim", "psnr", "ms_ssim", "edges_kept", "edges_f"} <= keys
    assert "CIEDE2000" not in table.caption + to_markdown(table) + to_latex(table)
    assert {*OF_COLOUR} <= {
        column.key for part in build_table(rows_of(), ABOUT).parts for column in part.columns
    }


def test_methods_are_tested_against_the_reference_of_their_direction() -> None:
    rows = rows_of()
    rows["mean_thermal"] = replace(rows["own_mean_colour"], kind="trivial")
    table = build_table(rows, TO_THERMAL)
    assert "beats the mean thermal" in table.caption
    assert table.lines[0].cells["p_psnr"].value == 1, "as good as that row, not better"
    without = build_table(rows_of(), TO_THERMAL)
    assert "no row of the mean thermal" in " ".join(without.notes)
    assert "p_psnr" not in without.lines[0].cells


def test_flicker_has_a_column_where_there_is_video() -> None:
    rows, about = rows_of(), replace(ABOUT, true_flicker=2.5)
    rows["pix2pix"] = replace(rows["pix2pix"], flicker=3.456)
    table = build_table(rows, about)
    (part,) = (part for part in table.parts if part.title == "Edges and time")
    assert [column.key for column in part.columns] == ["edges_kept", "edges_f", "flicker"]
    assert table.lines[0].cells["flicker"].text == "3.46"
    assert "flicker" not in table.lines[1].cells
    assert "the true video 2.50" in table.caption
    assert float(read_csv(table)["pix2pix"]["flicker"]) == pytest.approx(3.456)
    stills = build_table(rows_of(), ABOUT)
    assert "flicker" not in {column.key for part in stills.parts for column in part.columns}
    assert "licker" not in to_markdown(stills)


def test_rows_scored_on_other_frames_are_refused() -> None:
    rows = rows_of()
    rows["pix2pix"] = Row("Pix2pix", "method", rows["pix2pix"].scores.iloc[1:])
    with pytest.raises(BadInput, match="1 of them not shared"):
        build_table(rows, ABOUT)


def test_the_same_rows_make_the_same_text(table: Table) -> None:
    again = build_table(rows_of(), ABOUT)
    for spell in (to_markdown, to_csv, to_latex):
        assert spell(again) == spell(table)


def images(n: int, *channels: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (32, 32, *channels), dtype=np.uint8) for _ in range(n)]


def test_the_grid_has_a_column_a_method_between_what_is_seen_and_truth() -> None:
    truths = images(2, 3)
    figure = grid(
        "Thermal", images(2), {"One": images(2, 3), "Two": images(2, 3)}, truths,
        frames=["s/1", "s/2"], note="procedural sample",
    )  # fmt: skip
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles == ["Thermal", "One", "Two", "Truth"]
    assert np.array_equal(figure.axes[7].get_images()[0].get_array(), truths[1])
    assert figure.axes[0].get_images()[0].get_clim() == (0, 255), "grey levels are not stretched"
    assert figure.get_supxlabel() == "procedural sample"


@pytest.mark.parametrize(
    "methods, widths", [(0, [0]), (4, [4]), (5, [2, 3]), (18, [3, 4, 3, 4, 4])]
)
def test_a_grid_has_pages_of_six_columns_at_most(methods: int, widths: list[int]) -> None:
    predicted = {f"m{n}": images(1, 3) for n in range(methods)}
    pages = grid_pages(predicted)
    assert [len(page) for page in pages] == widths
    assert [title for page in pages for title in page] == list(predicted), "each once, in order"
    for page in pages:
        figure = grid("Thermal", images(1), page, images(1, 3), frames=["s/1"])
        assert len(figure.axes) == len(page) + 2 <= 6


def test_a_grid_of_images_is_one_file(tmp_path: Path) -> None:
    """An SVG of it would be the same pixels once more."""
    truths = images(1, 3)
    save_grid(grid("Thermal", images(1), {}, truths, frames=["s/1"]), tmp_path / "grid.png")
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]


def test_the_grid_may_show_thermal_paintings_of_visible_images() -> None:
    seen, truths = images(1, 3), images(1)
    figure = grid("Visible", seen, {"One": images(1)}, truths, frames=["s/1"])
    assert [axes.get_title() for axes in figure.axes] == ["Visible", "One", "Truth"]
    for axes, image in ((figure.axes[0], seen[0]), (figure.axes[2], truths[0])):
        assert np.array_equal(axes.get_images()[0].get_array(), image)
    assert figure.axes[1].get_images()[0].get_cmap().name == "gray"


def test_curves_have_a_line_a_method_that_took_the_reading() -> None:
    history = pd.DataFrame({"images": [0, 10, 20], "psnr": [1.0, np.nan, 3.0], "l1": [3.0, 2, 1]})
    figure = curves(
        {"One": history, "Two": history.drop(columns="l1")}, {"psnr": "PSNR [dB]", "l1": "L1"}
    )
    psnr, l1 = figure.axes
    assert [len(axes.get_lines()) for axes in (psnr, l1)] == [2, 1]
    assert psnr.get_lines()[0].get_xdata().tolist() == [0, 20]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["One", "Two"]


def test_saved_figures_have_the_same_bytes_twice(tmp_path: Path) -> None:
    saved = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        figure = quality_against_cost(
            [Point("One", 3.0, 15.0, 14.0, 16.5), Point("Two", 30.0, 16.0)],
            cost="latency [ms]", quality="PSNR [dB]",
        )  # fmt: skip
        saved.append([path.read_bytes() for path in save_figure(figure, folder / "cost")])
    assert saved[0] == saved[1]
    assert saved[0][0].startswith(b"\x89PNG")
    assert b"<dc:date>" not in saved[0][1]


KAIST = About("kaist", "KAIST by day", "", "test", 256, "VGG-16 published")
ABLATED = {
    "cmmf_net": "CMMF-Net",
    "cmmf_net_no_text": "CMMF-Net without text",
    "cmmf_net_no_interaction": "CMMF-Net without interaction",
}


def ablated(sequences: dict[str, list[float]] = MANY) -> dict[str, Row]:
    """The whole is 1 dB better than without text, in every sequence; interaction does nothing."""
    base = scored(sequences)
    gains = dict(zip(ABLATED, (1.0, 0.0, 1.0), strict=True))
    rows = {
        name: Row(title, "method", shifted(base, dict.fromkeys(sequences, gains[name])))
        for name, title in ABLATED.items()
    }
    return rows | {"mean_colour": Row("Mean colour", "trivial", base)}


def test_several_runs_are_one_row_with_their_spread() -> None:
    rows = rows_of()
    base = rows["cmmf_net"].scores
    runs = (base, shifted(base, dict.fromkeys(MANY, 3.0)))
    rows["cmmf_net"] = replace(
        rows["cmmf_net"], scores=mean_of_draws(runs), runs=runs, note=RUNS, cost=COST
    )
    table = build_table(rows, ABOUT)
    cells = table.lines[1].cells
    assert cells["psnr"].value == pytest.approx(np.mean([*MANY.values()]) + 1.5)
    assert (cells["runs"].value, cells["runs"].text) == (2, "2")
    assert cells["runs_sd_psnr"].value == pytest.approx(3 / np.sqrt(2))
    assert cells["runs_sd_ssim"].value == 0
    assert "runs" not in table.lines[0].cells
    assert RUNS in table.notes
    assert read_csv(table)["cmmf_net"]["runs"] == "2"
    assert "Runs" not in {part.title for part in build_table(rows_of(), ABOUT).parts}


def test_no_two_parts_of_any_table_share_a_label() -> None:
    abouts = [
        replace(about, split=split)
        for about in (ABOUT, TO_THERMAL)
        for split in ("test", "training")
    ]
    texts = [to_latex(build_table(rows_of(), about)) for about in abouts]
    texts += [
        to_latex(make(ablated(), ABOUT, seed=0))
        for make in (paper.methods_table, paper.ablation_table)
    ]
    labels = re.findall(r"\\label\{(.*?)\}", "\n".join(texts))
    assert len(labels) == len(set(labels)) == 4 * 7 + 1 + 2


@pytest.mark.parametrize("about", [ABOUT, KAIST])
def test_latex_has_balanced_braces_and_equal_rows(about: About) -> None:
    for table in (build_table(rows_of(), about), paper.ablation_table(ablated(), about, seed=0)):
        text = to_latex(table)
        bare = re.sub(r"\\[{}]", "", text)
        assert bare.count("{") == bare.count("}")
        for part in text.split(r"\end{table}")[:-1]:
            columns = len(re.findall(r"\\begin\{tabular\}\{(l(?:r)*)\}", part)[0])
            rows = re.findall(r"^(?!\\midrule|\\toprule|\\bottomrule)(.*) \\\\$", part, re.M)
            assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {columns - 1}
            assert len(rows) > 2


def test_latex_can_be_typeset(tmp_path: Path) -> None:
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("no pdflatex is installed: try apt install texlive-latex-recommended")
    tables = (
        build_table(rows_of(), ABOUT),
        build_table(rows_of(), replace(KAIST, true_flicker=2.5)),
        paper.methods_table(ablated(), KAIST, seed=0),
        paper.ablation_table(ablated(), KAIST, seed=0),
    )
    document = (
        r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}",
        *(to_latex(replace(table, label=f"t{n}")) for n, table in enumerate(tables)),
        r"\end{document}",
    )
    (tmp_path / "tables.tex").write_text("\n".join(document))
    command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    for trouble in ("Float too large", "Overfull", "undefined"):
        assert trouble not in done.stdout


def test_table_1_keeps_ours_and_the_printed_numbers_apart() -> None:
    table = paper.methods_table(ablated(), KAIST, seed=0)
    assert table.caption.startswith("Table 1 of the paper of CMMF-Net")
    (part,) = table.parts
    assert [column.key for column in part.columns] == [
        "ssim_day", "psnr_day", "ssim_7u_day", "chosen_ssim_7u_day", "chosen_psnr_day",
        "published_ssim_day", "published_psnr_day",
    ]  # fmt: skip
    cells = table.lines[0].cells
    by_day = statistics.estimate(
        ablated()["cmmf_net"].scores.query("time == 'day'"), "psnr", seed=0
    )
    assert (cells["psnr_day"].value, cells["psnr_day"].low) == (by_day.mean, by_day.low)
    assert (cells["published_ssim_day"].text, cells["published_psnr_day"].text) == ("0.58", "16.22")
    assert [line.kind for line in table.lines] == ["method"] * 3 + ["trivial"]
    assert "published_ssim_day" not in table.lines[3].cells


def test_table_2_has_both_parts_of_irvi_and_other_data_sets_say_whose_shape_it_is() -> None:
    rows = ablated()
    places = {name: "traffic" if i < 3 else "monitoring" for i, name in enumerate(MANY)}
    rows = {
        name: replace(row, scores=row.scores.assign(place=row.scores["sequence"].map(places)))
        for name, row in rows.items()
    }
    table = paper.methods_table(rows, replace(KAIST, dataset="irvi"), seed=0)
    assert [part.title for part in table.parts] == ["Traffic", "Monitoring"]
    assert table.caption.startswith("Table 2 of the paper")
    few = [np.mean(MANY[name]) + 1 for name in list(MANY)[:3]]
    assert table.lines[0].cells["psnr_traffic"].value == pytest.approx(np.mean(few))
    other = paper.methods_table(rows, ABOUT, seed=0)
    assert other.caption.startswith("In the shape of Table 1")
    assert "ublished_" not in to_csv(other)


def test_table_3_tells_what_each_part_adds() -> None:
    table = paper.ablation_table({**ablated(), **rows_of()}, KAIST, seed=0)
    assert "pix2pix" not in {line.name for line in table.lines}
    table = paper.ablation_table(ablated(), KAIST, seed=0)
    lines = {line.name: line.cells for line in table.lines}
    lost = lines["cmmf_net_no_text"]["d_psnr"]
    assert (lost.value, lost.low, lost.high) == pytest.approx((1, 1, 1))
    assert lines["cmmf_net_no_text"]["d_p_psnr"].value == 2**-5, "six sequences, two-sided"
    assert lines["cmmf_net_no_interaction"]["d_psnr"].value == pytest.approx(0)
    assert lines["cmmf_net_no_interaction"]["d_p_psnr"].value == 1
    assert "d_psnr" not in lines["cmmf_net"]
    assert lines["cmmf_net_no_text"]["published_psnr_day"].text == "16.10"


def test_table_3_names_the_entries_that_are_missing() -> None:
    rows = ablated()
    del rows["cmmf_net_no_text"]
    assert (
        "Not in the line-up: CMMF-Net without text."
        in paper.ablation_table(rows, ABOUT, seed=0).notes
    )
    del rows["cmmf_net"]
    alone = paper.ablation_table(rows, ABOUT, seed=0)
    assert "Not in the line-up: CMMF-Net, CMMF-Net without text." in alone.notes
    assert "differences" not in {part.key for part in alone.parts}


def test_rows_that_differ_from_their_papers_are_named_in_one_note() -> None:
    said = "perceptual term in the features of VGG-16, not of the paper's VGG-19"
    rows = ablated()
    for name in ("cmmf_net", "cmmf_net_no_text"):
        rows[name] = replace(rows[name], deviation=said)
    note = f"CMMF-Net, CMMF-Net without text: {said}."
    for table in (
        build_table(rows, ABOUT),
        paper.methods_table(rows, ABOUT, seed=0),
        paper.ablation_table(rows, ABOUT, seed=0),
    ):
        assert note in table.notes
    assert said not in " ".join(build_table(ablated(), ABOUT).notes)


def test_both_protocols_are_named_and_stand_in_different_parts(table: Table) -> None:
    parts = {part.key: {column.key for column in part.columns} for part in table.parts}
    assert {"ssim_7u", "psnr_by_image", "psnr_pooled"} <= parts["paper"]
    assert not parts["paper"] & parts["scores"]
    assert PAPER_RULE in table.notes
    assert "which makes the scores too good" in PAPER_RULE


def test_every_sequence_has_a_line() -> None:
    text = by_sequence.to_csv(rows_of(), dataset="sample", split="test")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == len(rows_of()) * len(MANY)
    first = next(line for line in lines if line["row"] == "mean_colour")
    assert (first["sequence"], first["time"], first["place"]) == ("set00", "day", "road")
    assert float(first["psnr"]) == pytest.approx(np.mean(MANY["set00"]), rel=1e-5)
    assert first["images"] == "3"


HOSTILE = "=1+1 | <img src=x>\n| $\\no{$ |"


def test_a_title_from_params_yaml_stays_a_title_in_every_table() -> None:
    rows = rows_of()
    rows["pix2pix"] = replace(rows["pix2pix"], title=HOSTILE)
    table = build_table(rows, ABOUT)
    sound, told = to_markdown(build_table(rows_of(), ABOUT)), to_markdown(table)
    assert [line.count("|") for line in told.splitlines()] == [
        line.count("|") for line in sound.splitlines()
    ]
    compared = {name: row.scores for name, row in rows.items()}
    won = [wins.compare_pairs(compared, "psnr")]
    told += wins.to_markdown(won, {name: row.title for name, row in rows.items()}, about="")
    assert "<img" not in told
    sheets = [
        to_csv(table),
        by_sequence.to_csv(rows, dataset="sample", split="test"),
        snapshots.to_csv({HOSTILE: snapshots.means(curve_of({1: 1.0}))}, dataset="sample"),
    ]
    for sheet in sheets:
        (cell,) = {
            cell
            for line in csv.DictReader(io.StringIO(sheet))
            for cell in line.values()
            if "img" in cell
        }
        assert cell == "'=1+1 | <img src=x> | $\\no{$ |"
    assert len(to_latex(table).splitlines()) == len(
        to_latex(build_table(rows_of(), ABOUT)).splitlines()
    )


def test_a_name_with_dollars_is_drawn_as_it_is(tmp_path: Path) -> None:
    truths = images(1, 3)
    drawn = grid("Thermal", images(1), {HOSTILE: truths}, truths, frames=["a/$\\no{$"])
    save_figure(drawn, tmp_path / "grid")
    points = [Point(HOSTILE, 1.0, 2.0)]
    save_figure(quality_against_cost(points, cost="ms", quality="SSIM"), tmp_path / "costs")


def curve_of(levels: dict[int, float]) -> pd.DataFrame:
    """A run of six sequences with one image each; PSNR by images shown."""
    parts = [
        pd.DataFrame({"frame": list(MANY), "sequence": list(MANY), "place": "", "time": "day"})
        .assign(split="test", images=images, psnr=level, ssim=level / 100, ssim_7u=level / 50)
        for images, level in levels.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_figure_4_counts_in_twentieths_of_the_training() -> None:
    found = snapshots.means(curve_of({2000: 15.0, 1600: 14.0, 1700: 14.5}))
    assert found["twentieths"].tolist() == [16, 17, 20]
    assert found["psnr"].tolist() == [14.0, 14.5, 15.0]
    figure = curves({"One": found}, {"psnr": "PSNR"}, against="twentieths")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "twentieths of the training"
    assert axes.get_lines()[0].get_xdata().tolist() == [16, 17, 20]
    lines = list(csv.DictReader(io.StringIO(snapshots.to_csv({"One": found}, dataset="kaist"))))
    assert lines[0] == {
        "dataset": "kaist", "row": "One", "images": "1600", "twentieths": "16",
        "psnr": "14", "ssim": "0.14", "ssim_7u": "0.28",
    }  # fmt: skip


def test_the_snapshot_chosen_on_the_test_set_stands_under_the_papers_protocol_alone() -> None:
    runs = (curve_of({10: 17.0, 20: 15.0}), curve_of({10: 13.0, 20: 14.0}))
    assert snapshots.chosen(runs)["psnr"] == 15.5  # the mean of 17 and 14
    assert snapshots.chosen(()) == {}
    rows = ablated()
    rows["cmmf_net"] = replace(rows["cmmf_net"], snapshots=runs)
    table = build_table(rows, KAIST)
    (of_paper,) = [part for part in table.parts if part.key == "paper"]
    assert "psnr_chosen" in {column.key for column in of_paper.columns}
    assert table.lines[0].cells["psnr_chosen"].text == "15.50"
    assert "psnr_chosen" not in table.lines[1].cells
    assert table.lines[0].cells["psnr"].value != 15.5
    cells = paper.methods_table(rows, KAIST, seed=0).lines[0].cells
    assert (cells["chosen_psnr_day"].text, cells["chosen_ssim_7u_day"].text) == ("15.50", "0.310")
    before = build_table(rows, replace(KAIST, split="validation"))
    (of_paper,) = [part for part in before.parts if part.key == "paper"]
    assert "psnr_chosen" not in {column.key for column in of_paper.columns}
