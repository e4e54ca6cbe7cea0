"""The page: its numbers by hand, its files, and what a reader does with it in a real browser."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.made_results import GAINS, LINEUP, TEST, make_results
from tests.reporting.page.browsing import build, data_in, opened
from thermochroma.base.errors import BadInput
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.config.params import read_params
from thermochroma.evaluation.gallery import (
    choose_gallery_rows,
    extremes_of,
    keep_gallery,
    read_gallery,
    read_images,
    with_extremes,
)
from thermochroma.pipeline import page as stage
from thermochroma.pipeline.results import read_scores
from thermochroma.reporting.page.contents import PageDataset, PageRow, Scores, Section, as_json
from thermochroma.reporting.page.duels import Duel, duels
from thermochroma.reporting.page.facts import TrainingFacts, facts_of
from thermochroma.reporting.page.images import EDGE_COLOUR, edges_of, image_name
from thermochroma.reporting.page.render import render
from thermochroma.reporting.page.verdict import Verdict
from thermochroma.reporting.significance import compare_pairs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LOAD_SECONDS = 2.0
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    make_results(folder)
    build(folder)
    return folder


# ---- numbers ----


def scored(psnr: list[float]) -> pd.DataFrame:
    """One image a sequence."""
    names = [f"s{n:02d}" for n in range(len(psnr))]
    return pd.DataFrame({"frame": names, "sequence": names, "psnr": psnr})


def met_in(rows: dict[str, pd.DataFrame]) -> dict[tuple[str, str], Duel]:
    return duels(compare_pairs(rows, "psnr"))


def test_a_steady_gain_is_told_apart_and_noise_is_not() -> None:
    base = np.random.default_rng(0).normal(15, 3, 12)
    noise = np.random.default_rng(1).normal(0, 1, 12)
    rows = {"low": scored([*base]), "high": scored([*base + 2]), "near": scored([*base + noise])}
    found = met_in(rows)
    assert len(found) == 6
    ahead, behind = found["high", "low"], found["low", "high"]
    assert (ahead.outcome, behind.outcome) == ("better", "worse")
    assert (ahead.difference, ahead.low, ahead.high) == pytest.approx((2, 2, 2))
    assert (behind.difference, behind.low) == pytest.approx((-2, -2))
    assert ahead.p == behind.p == pytest.approx(2 * 2**-12)  # two-sided; the corrected one alike
    assert found["near", "low"].outcome == "alike"


def test_one_sequence_tells_nothing_apart() -> None:
    found = met_in({"a": scored([10.0]), "b": scored([20.0])})["b", "a"]
    assert (found.difference, found.outcome) == (10, "alike")
    assert np.isnan([found.p, found.low]).all()


def test_facts_say_how_long_and_how_wide(root: Path) -> None:
    settings = read_params(root / "params.yaml")
    budgets = {name: settings.budget["sample"].of(name) for name in LINEUP}
    facts = " ".join(
        facts_of(
            TrainingFacts(3, 1, "VGG-16 published; CLIP stand-ins"), budgets, methods=3, shown=TEST
        )
    )
    assert "3 methods, each trained from nothing on 3 pairs of 1 sequence;" in facts
    images = sorted(one.images for one in budgets.values() if one.images is not None)
    assert images[0] < images[-1]
    assert f"{images[0]} to {images[-1]} images" in facts
    assert "0.125 times their published width" in facts
    two = facts_of(TrainingFacts(3, 1, ""), budgets, methods=2, shown=TEST)
    assert two[0].startswith("2 methods in 3 rows, each trained")
    assert facts_of(TrainingFacts(3, 1, ""), {}, methods=0, shown=TEST)[0] == "Nothing was trained."
    assert "used in training: VGG-16 published; CLIP stand-ins." in facts


# ---- files ----


SCORED = pd.DataFrame({"frame": [*"abcd"], "psnr": [1.0, 4.0, 2.0, 3.0], "mse": [9.0, 2, 7, 5]})
SCORED = SCORED.assign(ms_ssim=np.nan, sequence="s", split="test", place="", time="")


def test_a_gallery_comes_back_without_loss(tmp_path: Path) -> None:
    frames, rng = ["c", "a", "b"], np.random.default_rng(0)
    images = rng.integers(0, 255, (3, 5, 4, 3), np.uint8)
    for name in ("one.npz", "again.npz"):
        keep_gallery(tmp_path / name, SCORED, frames, images)
    path, whole = tmp_path / "one.npz", (tmp_path / "one.npz").read_bytes()
    assert whole == (tmp_path / "again.npz").read_bytes()
    assert np.array_equal(read_images(path, ["c"]), images), "what follows are extremes"
    found = read_gallery(path, ["c", "a"])
    assert found.frames == frames
    assert found.values["psnr"].tolist() == [2.0, 1.0, 4.0]
    assert np.isnan(found.values["ms_ssim"]).all()
    assert {*found.values} == {"psnr", "mse", "ms_ssim"}
    assert found.extremes == {"psnr": ["a", "c", "b"], "mse": ["a", "c", "b"]}
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    for read in (read_images, read_gallery):
        with pytest.raises(BadInput, match="other frames than the crops ask for, and lacks 1 of 2"):
            read(path, ["c", "x"])
        for name in ("none.npz", "half.npz"):
            with pytest.raises(BadInput, match=rf"{name} .* the images that the stages evaluate"):
                read(tmp_path / name, frames)


def test_a_gallery_without_its_extremes_is_refused(tmp_path: Path) -> None:
    images = np.zeros((2, 5, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r"no images of the extremes \['b'\]"):
        keep_gallery(tmp_path / "x.npz", SCORED, ["a", "c"], images)
    with pytest.raises(ValueError, match="2 frames but 1 images"):
        keep_gallery(tmp_path / "x.npz", SCORED, ["a", "c"], images[:1])
    assert not [*tmp_path.iterdir()]


def test_extremes_are_of_all_scored_test_frames() -> None:
    scores = pd.concat([SCORED, SCORED.assign(frame=[*"efgh"], split="validation", psnr=99.0)])
    assert extremes_of(scores)["psnr"] == ["a", "c", "b"]
    assert "ms_ssim" not in extremes_of(scores)
    ties = SCORED.assign(psnr=1.0)
    assert extremes_of(ties)["psnr"] == ["a", "b", "d"], "in the order of the frames"
    gallery_rows = SCORED.iloc[[2]]
    assert [*with_extremes(gallery_rows, scores, scores)["frame"]] == ["c", "a", "b"]


def test_a_gallery_is_spread_over_the_scored_test_frames() -> None:
    rows = pd.DataFrame({"frame": [*"abcdefg"], "split": ["validation", *["test"] * 6]})
    assert [*choose_gallery_rows(rows, 3)["frame"]] == ["b", "d", "g"]
    assert [*choose_gallery_rows(rows, None)["frame"]] == [*"bcdefg"]
    assert len(choose_gallery_rows(rows, 60)) == 6


def test_edges_lie_where_the_thermal_image_changes() -> None:
    thermal = np.full((32, 32), 40, np.uint8)
    thermal[:, 16:] = 200
    overlay = edges_of(thermal)
    lines = (overlay == EDGE_COLOUR).all(axis=-1)
    assert {*np.nonzero(lines)[1]} <= {14, 15, 16, 17}
    assert lines.any(axis=1).mean() > 0.9
    assert (overlay[:, :10, 3] == 0).all(), "clear where nothing changes"


def test_the_page_is_whole_and_the_same_each_time(root: Path, tmp_path: Path) -> None:
    html = (root / "reports/index.html").read_text()
    for word in ('src="http', 'href="//', "@import", "cdn", '<link rel="stylesheet'):
        assert word not in html
    (found,) = data_in(html)
    assert [one["predicted"] for one in found["sections"]] == ["visible", "thermal"]
    assert len(found["frames"]) == TEST
    images = root / "reports/page/sample"
    for row in found["sections"][0]["images"]:
        assert len([*(images / "predicted" / row).iterdir()]) == TEST
    with Image.open(images / "edges" / image_name(0)) as edges:
        assert edges.mode == "RGBA"
    shutil.copytree(root / "data", tmp_path / "data")
    shutil.copy(root / "params.yaml", tmp_path)
    assert build(tmp_path).read_bytes() == (root / "reports/index.html").read_bytes()
    for path in images.rglob("*.webp"):
        again = tmp_path / path.relative_to(root)
        assert path.read_bytes() == again.read_bytes(), path


def test_the_page_says_that_the_sample_is_drawn_and_compares_all_the_same(root: Path) -> None:
    html = (root / "reports/index.html").read_text()
    assert html.count("<h1>Pipeline check: these scores rank nothing</h1>") == 2, "both directions"
    assert "leads in" not in html
    assert "not KAIST" in html
    (found,) = data_in(html)
    met = {(one["one"], one["other"]): one["duel"] for one in found["sections"][0]["duels"]["psnr"]}
    duel = met["pix2pix", "tic_cgan"]
    assert duel["difference"] == pytest.approx(GAINS["pix2pix"] - GAINS["tic_cgan"], abs=0.2)
    assert duel["outcome"] == "better"


def write_page_images(root: Path) -> Path:
    """The images alone. Gives their folder."""
    roots = stage.Roots(*(root / "data" / one for one in ("crops", "runs", "scores", "baselines")))
    comparison = read_params(root / "params.yaml").comparison("sample")
    stage.write_page_images(comparison, roots, root / "images")
    return root / "images"


def test_fewer_frames_may_be_kept_and_the_extremes_of_a_row_beside_them(tmp_path: Path) -> None:
    make_results(tmp_path, gallery_frames=4)
    html = build(tmp_path).read_text()
    (found,) = data_in(html)
    frames = [one["frame"] for one in found["frames"]]
    assert frames[: found["common"]] == ["t00/0", "t04/0", "t07/0", "t11/0"]
    assert (found["scored"], len(frames)) == (TEST, TEST), "every frame is extreme for some row"
    scores = read_scores(tmp_path / "data/scores/sample/pix2pix")
    test = scores[scores["split"] == "test"]
    kept = found["sections"][0]["images"]["pix2pix"]
    worst, _, best = (frames[n] for n in kept["extremes"]["psnr"])
    assert worst == test.loc[test["psnr"].idxmin(), "frame"]
    assert best == test.loc[test["psnr"].idxmax(), "frame"]
    assert 0 < len(kept["extra"]) <= TEST - 4
    assert len(kept["values"]["psnr"]) == 4 + len(kept["extra"])
    predicted = {
        path.name for path in (tmp_path / "reports/page/sample/predicted/pix2pix").iterdir()
    }
    assert predicted == {image_name(n) for n in [*range(4), *kept["extra"]]}
    for name in ("thermal", "visible", "edges"):
        assert len([*(tmp_path / "reports/page/sample" / name).iterdir()]) == TEST


def test_a_missing_gallery_is_said_in_one_sentence(tmp_path: Path) -> None:
    make_results(tmp_path)
    (tmp_path / "data/scores/sample/pix2pix/gallery.npz").unlink()
    with pytest.raises(BadInput, match=r"pix2pix/gallery.npz does not exist.* run `dvc repro`"):
        build(tmp_path)
    assert not [*(tmp_path / "reports").iterdir()], "whole or not at all"


def test_no_text_ends_the_data_early() -> None:
    title = "</script><b>&\u2028"
    history = {"pix2pix": {"validation/psnr": [(1.0, float("nan"))]}}
    section = Section(
        *("visible", "thermal", title, "mean_colour", Verdict("", "", ())),
        splits={},
        duels={},
        images={},
        histories=history,
    )
    text = as_json([PageDataset("sample", title, "", 8, [], [], 0, 0, [section], [])])
    assert "<" not in text
    (found,) = json.loads(text)
    assert found["title"] == found["sections"][0]["title"] == title
    assert found["sections"][0]["histories"]["pix2pix"]["validation/psnr"] == [[1, None]]


def test_no_text_becomes_html() -> None:
    """The template escapes by itself, and the scripts set texts alone."""
    templates = ROOT / "src/thermochroma/reporting/page/templates"
    for path in templates.iterdir():
        text = path.read_text()
        assert not re.search(
            r"\|\s*safe|innerHTML|outerHTML|insertAdjacentHTML|document\.write", text
        ), path
    title = "<script>alert(1)</script>"
    section = Section(
        *("visible", "thermal", title, "mean_colour", Verdict(title, title, (title,))),
        splits={"test": Scores([], [PageRow(title, title, "method", {})], title, [title])},
        duels={},
        images={},
        histories={},
    )
    page = render(
        [PageDataset("sample", title, title, 8, [], [], 0, 0, [section], [])],
        images="page",
        tracking="http://127.0.0.1:5000",
    )
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page


# ---- in a browser ----


@pytest.fixture
def view(browser: "Browser", root: Path) -> "Iterator[Page]":
    with opened(browser, root) as page:
        yield page


def rows_shown(view: "Page", kind: str = "method") -> list[str]:
    found = view.locator(f"#table tbody.{kind} tr:not(.group) th").all_inner_texts()
    return [text.split(" ", 1)[1].strip() for text in found]


def test_it_opens_from_disk_at_once(view: "Page") -> None:
    took = []
    for _ in range(3):  # the best of three: other tests share the processor
        view.reload()
        took.append(
            view.evaluate(
                "(({loadEventEnd, startTime}) => (loadEventEnd - startTime) / 1000)"
                "(performance.getEntriesByType('navigation')[0])"
            )
        )
    assert view.evaluate("document.documentElement.dataset.ready") == "true"
    assert 0 < min(took) <= LOAD_SECONDS
    assert "Pipeline check" in view.locator("h1:visible").inner_text()
    fetched = view.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert all(name.startswith(("file:", "data:")) for name in fetched)


def test_headings_sort_by_mouse_and_by_key(view: "Page") -> None:
    assert rows_shown(view) == ["Pix2pix", "TIC-CGAN"]
    heading = view.locator("#table thead th", has_text="PSNR [dB]")
    assert heading.get_attribute("aria-sort") == "descending"
    corner = heading.bounding_box()
    assert corner is not None
    view.locator("#table").scroll_into_view_if_needed()
    heading.click(position={"x": corner["width"] - 2, "y": 2})  # the cell, not the button in it
    assert heading.get_attribute("aria-sort") == "ascending"
    assert rows_shown(view) == ["TIC-CGAN", "Pix2pix"]
    view.keyboard.press("Enter")  # the button keeps the focus
    assert rows_shown(view) == ["Pix2pix", "TIC-CGAN"]
    assert view.locator("#table [aria-sort=none]").count() == 4
    heading.locator("button").click()
    assert rows_shown(view) == ["TIC-CGAN", "Pix2pix"], "once, not twice"


def test_filters_choose_rows_columns_split_and_direction(view: "Page") -> None:
    assert view.locator("#table tbody.oracle").count() == 0
    view.get_by_label("Oracles", exact=False).first.check()
    assert view.locator("#table tbody.oracle .tag").count() == 5
    view.get_by_label("Baselines").uncheck()
    assert view.locator("#table tbody.trivial").count() == 0
    view.locator("details.columns summary").click()
    view.locator("#choose-columns input[value=ciede2000]").uncheck()
    assert "CIEDE2000" not in view.locator("#table thead").inner_text()
    view.get_by_label("Validation").check()
    assert "validation split" in view.locator("#table-count").inner_text()
    assert "Minus" not in view.locator("#table thead").inner_text(), "tests are of the test split"
    view.get_by_label("Visible to thermal").first.check()
    assert rows_shown(view)[0].startswith("ThermalMask")
    assert "Visible to thermal" in view.locator(".verdict:visible").inner_text()
    assert view.locator("h1:visible").count() == 1


def test_intervals_are_drawn_where_they_lie(view: "Page") -> None:
    """The interval's drawn ends and the printed ones stand in one linear relation over all rows."""
    (found,) = view.evaluate("[DATA]")
    rows = {row["title"]: row for row in found[0]["sections"][0]["splits"]["test"]["rows"]}
    printed, drawn = [], []
    for line in view.locator("#table tbody tr:not(.group)").all():
        title = line.locator("th").inner_text().split(" ", 1)[1].strip()
        _, _, low, high = rows[title]["cells"]["psnr"]
        bar = line.locator("td").nth(1).locator("line.interval")
        printed += [low, high]
        drawn += [float(bar.get_attribute("x1")), float(bar.get_attribute("x2"))]
        assert view.locator("#table line.reference").count() > 0
    assert np.corrcoef(printed, drawn)[0, 1] == pytest.approx(1, abs=1e-6)


def test_what_cannot_be_told_apart_is_said_in_words_and_signs(view: "Page") -> None:
    cell = view.locator("#table tbody.method tr:not(.group)").first.locator("td.against")
    assert "▲ PSNR +4." in cell.inner_text()
    assert re.search(r"SSIM .*(cannot be told apart|better|worse)", cell.inner_text())
    view.locator("#against").select_option("pix2pix")
    assert "itself" in cell.inner_text()
    marks = view.locator("#duel-table td b").all_inner_texts()
    assert {"▲", "▼"} <= {*marks} <= {"▲", "▼", "="}
    met = view.locator("#duel-table td.better").first
    assert re.search(
        r"interval \+1\.\d+ to \+\d\.\d+, corrected p 0\.0", met.get_attribute("title")
    )
    met.click()
    assert met.get_attribute("title") == view.locator("#duel-told").inner_text()


def test_the_sliders_move_by_key_and_by_pointer(view: "Page") -> None:
    first, second = view.locator("#handle-seen"), view.locator("#handle-truth")
    first.focus()
    view.keyboard.press("ArrowRight")
    assert first.get_attribute("aria-valuenow") == "34"
    view.keyboard.press("End")
    places = [one.get_attribute("aria-valuenow") for one in (first, second)]
    assert places == ["100", "100"], "one handle pushes the other"
    second.focus()
    view.keyboard.press("Home")
    assert [one.get_attribute("aria-valuenow") for one in (first, second)] == ["0", "0"]
    stage = view.locator("#stage")
    box = stage.bounding_box()
    assert box is not None
    # Hovering waits until the layout stands still, and scrolls; bare coordinates would not.
    stage.hover(position={"x": 3, "y": box["height"] / 2}, force=True)
    view.mouse.down()
    stage.hover(position={"x": box["width"] * 0.75, "y": box["height"] / 2}, force=True)
    view.mouse.up()
    assert {first.get_attribute("aria-valuenow"), second.get_attribute("aria-valuenow")} & {"75"}
    clip = view.locator("#predicted").evaluate("one => getComputedStyle(one).clipPath")
    assert "inset(0" in clip


def test_looking_closely(view: "Page") -> None:
    assert view.locator("#strip img").count() == 2 + len(LINEUP) - 1 + len(
        BASELINES["visible"].names
    )
    view.locator("#strip button", has_text="Mean colour").first.click()
    assert "Mean colour" in view.locator("#look-caption").inner_text()
    assert view.locator("#strip [aria-pressed=true]").count() == 1
    worst, best = (view.locator("#extremes button", has_text=word) for word in ("Worst", "Best"))
    best.click()
    best_caption = view.locator("#look-caption").inner_text()
    worst.click()
    values = [
        float(re.search(r"PSNR ([\d.]+)", text)[1])
        for text in (view.locator("#look-caption").inner_text(), best_caption)
    ]
    assert values[0] < values[1]
    view.get_by_label("Difference from the ground truth").check()
    blend = view.locator("#predicted").evaluate("one => getComputedStyle(one).mixBlendMode")
    assert blend == "difference"
    view.get_by_label("Thermal edges on top").check()
    assert view.locator("#edge-lines").is_visible()
    drawn = view.locator("#edge-lines").evaluate("one => one.decode().then(() => one.naturalWidth)")
    assert drawn > 0


def test_an_extreme_frame_is_shown_by_the_rows_that_keep_it(
    browser: "Browser", tmp_path: Path
) -> None:
    make_results(tmp_path, gallery_frames=2, test_sequences=90)
    (found,) = data_in(build(tmp_path).read_text())
    kept = found["sections"][0]["images"]
    score = next(
        name for name, three in kept["pix2pix"]["extremes"].items() if three[0] >= found["common"]
    )
    worst = kept["pix2pix"]["extremes"][score][0]
    with opened(browser, tmp_path) as view:
        assert view.locator("#strip button").count() == len(kept)
        view.locator("#row").select_option("pix2pix")
        view.locator("#extreme-score").select_option(score)
        view.locator("#extremes button", has_text="Worst").click()
        assert view.locator("#frame").input_value() == str(worst)
        assert found["frames"][worst]["frame"] in view.locator("#look-caption").inner_text()
        having = [name for name, one in kept.items() if worst in one["extra"]]
        assert view.locator("#strip button").count() == len(having) < len(kept)
        assert "is an extreme of one method" in view.locator("#not_shown").inner_text()
        lacking = next(name for name in kept if name not in having)
        view.locator("#row").select_option(lacking)
        assert int(view.locator("#frame").input_value()) < found["common"]
        view.locator("#before").click()
        view.locator("#before").click()
        assert int(view.locator("#frame").input_value()) in kept[lacking]["extra"]
        drawn = "one => one.decode().then(() => one.naturalWidth)"
        assert view.locator("#predicted").evaluate(drawn) > 0


def test_every_control_is_reached_by_the_keyboard(view: "Page") -> None:
    wanted = {"against", "row", "frame", "handle-seen", "handle-truth", "edges", "extreme-score"}
    reached = set()
    for _ in range(120):
        view.keyboard.press("Tab")
        reached.add(view.evaluate("document.activeElement.id"))
    assert wanted <= reached


def test_a_phone_scrolls_down_only(browser: "Browser", root: Path) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, offline=True)
    page = context.new_page()
    page.goto((root / "reports/index.html").as_uri())
    page.get_by_label("Oracles", exact=False).first.check()
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1] == PHONE["width"]
    box = page.locator("#stage").bounding_box()
    assert box is not None
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#stage").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.5 - 20, box["y"] + box["height"] / 2)
    assert 40 <= int(page.locator("#handle-seen").get_attribute("aria-valuenow")) <= 50
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(browser: "Browser", root: Path, scheme: str) -> None:
    """WCAG AA: 4.5 to 1 for text, over every colour that the page gives to text."""
    context = browser.new_context(color_scheme=scheme, offline=True)
    page = context.new_page()
    page.goto((root / "reports/index.html").as_uri())
    colours = page.evaluate(
        "Object.fromEntries(['ground', 'sheet', 'quiet', 'ink', 'soft', 'accent', 'better', 'worse',"
        " 'better-ground', 'worse-ground'].map(name => [name,"
        " getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()]))"
    )
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = luminance(colours["ground"]) < 0.1
    assert dark == (scheme == "dark")
    assert body == f"rgb{tuple(int(colours['ground'][i : i + 2], 16) for i in (1, 3, 5))}"
    for text in ("ink", "soft", "accent"):
        for ground in ("ground", "sheet", "quiet"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for name in ("better", "worse"):
        assert contrast(colours[name], colours[f"{name}-ground"]) >= 4.5, name
        assert contrast(colours[name], colours["sheet"]) >= 4.5, name
    context.close()


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 to 1 (WCAG 2)."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)
