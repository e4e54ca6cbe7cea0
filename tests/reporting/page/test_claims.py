"""The page as a reader meets it: what it claims in each case, where it stands, what its links carry."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.made_results import GAINS, LINEUP, SMALL, Made, make_results
from tests.reporting.page.browsing import DESK, build, opened
from thermochroma.config.params import read_params
from thermochroma.pipeline import page as stage
from thermochroma.reporting.page.render import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE = {"width": 390, "height": 844}
AXE = "THERMOCHROMA_AXE"
"""Variable that names axe.min.js, from the package axe-core of npm."""
REAL = "roadscene"
"""A data set whose scenes are filmed."""
ENTRY = "theirs"
BEHIND = dict.fromkeys(LINEUP, -2.0)
LED = Made(REAL, LINEUP)
CASES: dict[str, tuple[Made, int]] = {  # and number of test sequences
    "leads": (LED, 12),
    "no winner": (Made(REAL, LINEUP, BEHIND), 12),
    "one method": (Made(REAL, {"tic_cgan": "visible"}, BEHIND), 12),
    "one sequence": (LED, 1),
    "few sequences": (LED, 5),
    "sample": (Made(), 12),
    "two rows of a method": (Made(REAL, {**LINEUP, SMALL: "visible"}, {**GAINS, SMALL: 8.0}), 12),
    "an entry": (Made(REAL, LINEUP, {**GAINS, ENTRY: 7.0}, entries=(ENTRY,)), 12),
}
HEADLINES = {
    "leads": "Pix2pix leads in SSIM and PSNR",
    "no winner": "No method beats the flat mean colour",
    "one method": "TIC-CGAN, the only method here, does not beat the flat mean colour",
    "one sequence": "One test sequence: no difference can be tested",
    "few sequences": "5 test sequences: too few to tell anything apart",
    "sample": "Pipeline check: these scores rank nothing",
    "two rows of a method": "Pix2pix (small) leads in SSIM and PSNR",
    "an entry": "Theirs leads in SSIM and PSNR",
}
LINES = {
    "leads": "Of 2 methods, 2 in SSIM and 2 in PSNR beat the flat mean colour.",
    "no winner": "The best of 2 methods against it: ",
    "one method": "Against it: TIC-CGAN in SSIM −0.",
    "one sequence": "Its frames are near copies of each other. Best means, untested: Pix2pix ",
    "few sequences": "The least p that 5 sequences can give is 0.062; 0.05 is needed. Best means",
    "sample": "Its scenes are drawn by a program and say nothing of real cameras. Of 2 methods",
    "two rows of a method": "Of 2 methods, 2 in SSIM and 2 in PSNR beat the flat mean colour.",
    "an entry": "Of 2 methods and 1 entry, 3 in SSIM and 3 in PSNR beat the flat mean colour.",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folder of each case, with its page."""
    folders = {}
    for name, (results, sequences) in CASES.items():
        folders[name] = tmp_path_factory.mktemp("case")
        make_results(folders[name], gallery_frames=4, test_sequences=sequences, made=results)
        build(folders[name])
    return folders


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_claims_nothing_false(
    browser: "Browser", made: Mapping[str, Path], case: str
) -> None:
    with opened(browser, made[case]) as view:
        assert view.locator("h1:visible").inner_text() == HEADLINES[case]
        assert view.locator(".count:visible").inner_text().startswith(LINES[case])
        details = view.locator(".verdict:visible details")
        assert not details.locator(".findings").is_visible(), "details stand behind"
        details.locator("summary").click()
        said = details.inner_text()
        assert ("It beats every other" in said) == (
            case in ("leads", "two rows of a method", "an entry")
        )
        assert details.locator(".findings li").count() >= 2


@pytest.mark.parametrize("case", ["one sequence", "few sequences"])
def test_where_nothing_is_tested_no_cell_says_better(
    browser: "Browser", made: Mapping[str, Path], case: str
) -> None:
    with opened(browser, made[case]) as view:
        cells = " ".join(view.locator("#table td.against").all_inner_texts())
        marks = {*view.locator("#duel-table td b").all_inner_texts()}
        assert "▲" not in cells
        assert marks == ({"–"} if case == "one sequence" else {"="})
        if case == "one sequence":
            assert "not tested" in cells
            assert "told apart" not in cells
        else:
            assert "cannot be told apart by the test" in cells, "its interval leaves out zero"
            told = "leaves out zero, but the test, corrected for all pairs, does not tell the two apart"
            assert told in view.locator("#table-halves").inner_text()
            lead = view.locator("#duel-table td", has_text="+4.").first
            assert told in lead.get_attribute("title")


def test_an_entry_is_a_row_of_its_own_kind(browser: "Browser", made: Mapping[str, Path]) -> None:
    with opened(browser, made["an entry"]) as view:
        entries = view.locator("#table tbody.entry tr:not(.group)")
        assert "Theirs" in entries.inner_text()
        assert entries.locator(".tag").inner_text() == "entry"
        assert "▲ PSNR" in entries.locator("td.against").inner_text()
        assert "Theirs" in view.locator("#duel-table").inner_text()
        shown = view.locator("#strip button", has_text="Theirs")
        shown.click()
        assert shown.get_attribute("aria-pressed") == "true"
        view.get_by_label("Entries").uncheck()
        assert view.locator("#table tbody.entry").count() == 0
        view.get_by_label("Visible to thermal").first.check()
        assert not view.get_by_label("Entries").is_visible(), "none predicts thermal images"


# ---- where things stand ----


@pytest.mark.parametrize("case", ["sample", "few sequences"])
def test_slider_and_grid_stand_above_the_fold(
    browser: "Browser", made: Mapping[str, Path], case: str
) -> None:
    with opened(browser, made[case]) as view:
        slider, strip = (
            view.locator(one).bounding_box() for one in ("#stage", "#strip figure >> nth=2")
        )
        for box in (slider, strip):
            assert box is not None
            assert box["y"] + box["height"] <= DESK["height"]
        for line in ("h1:visible", ".count:visible"):
            box = view.locator(line).bounding_box()
            assert box is not None
            assert box["height"] < 40, "one line"


def test_the_picture_begins_on_the_first_screen_of_a_phone(
    browser: "Browser", made: Mapping[str, Path]
) -> None:
    with opened(browser, made["few sequences"], viewport=PHONE) as view:
        box = view.locator("#stage").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] / 2 <= PHONE["height"]
        assert view.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_header_of_a_table_stays_in_sight(browser: "Browser", made: Mapping[str, Path]) -> None:
    with opened(browser, made["leads"], viewport={"width": 1280, "height": 400}) as view:
        view.locator("#table tbody tr").last.scroll_into_view_if_needed()
        box = view.locator(".box", has=view.locator("#table"))
        assert box.evaluate("one => one.scrollTop") > 0
        top, edge = view.locator("#table thead th").first.bounding_box(), box.bounding_box()
        assert top is not None
        assert edge is not None
        assert abs(top["y"] - edge["y"]) < 2


def test_intervals_are_whole(browser: "Browser", made: Mapping[str, Path]) -> None:
    """Both ends of each interval lie within its plot, or an arrow says that it goes on."""
    with opened(browser, made["leads"]) as view:
        view.get_by_label("Oracles").first.check()
        plots = view.locator("#table td svg:has(line.interval)")
        assert plots.count() > 10
        for plot in plots.all():
            lines = plot.locator("line.interval")
            ends = [float(lines.get_attribute(name)) for name in ("x1", "x2")]
            assert 2 <= ends[0] <= ends[1] <= 130
            assert plot.locator("line.cap, path.beyond").count() == 2
        frame = view.locator("#scatter svg").bounding_box()
        assert frame is not None
        caps = [one.bounding_box() for one in view.locator("#scatter line.cap").all()]
        assert len(caps) == 4
        assert all(cap["y"] > frame["y"] + 14 for cap in caps if cap), (
            "below the upper edge of the plot"
        )


WITH_LPIPS = """
const rows = section().splits.test.rows.filter((row) => row.kind === "method");
rows.forEach((row, n) => { row.cells.lpips_alex = [0.3 + 0.1 * n, "0.3", null, null]; });
rows[1].sharper_than = rows[0].name;
scores().columns.push({ key: "lpips_alex", heading: "LPIPS (AlexNet) ↓", better: -1, interval: false });
drawPerception();
"""


def test_distortion_stands_against_perception(browser: "Browser", made: Mapping[str, Path]) -> None:
    with opened(browser, made["leads"]) as view:
        block = view.locator("#perception")
        assert not block.is_visible(), "nothing has an LPIPS here"
        view.evaluate(WITH_LPIPS)
        assert {*block.locator(".label").all_text_contents()} == {"Pix2pix", "TIC-CGAN"}
        assert "LPIPS (AlexNet)" in block.locator(".axis").text_content()
        joined, spots = block.locator("line.dial"), block.locator("circle.mark-method")
        assert (joined.count(), spots.count()) == (1, 2)
        places = [float(spot.get_attribute("cx")) for spot in spots.all()]
        ends = [float(joined.get_attribute(name)) for name in ("x1", "x2")]
        assert ends == pytest.approx(places)
        assert places[0] < places[1]


def test_its_words_are_the_field_s(browser: "Browser", made: Mapping[str, Path]) -> None:
    with opened(browser, made["leads"]) as view:
        heads = view.locator("#table thead th").all_inner_texts()
        assert heads[0] == "Method"
        assert heads[-1] == "Minus mean colour"
        assert "Baselines" in view.locator("#table tbody.trivial .group").inner_text()
        assert view.locator("#chip-truth").inner_text() == "Ground truth"
        shown = view.locator("main").inner_text()
        assert "Trivial" not in shown
        assert " the truth" not in view.locator("#images").inner_text()


# ---- links ----


def shown_in(view: "Page") -> tuple[str, str, str]:
    """Direction, row and frame."""
    direction = view.locator("[name=direction]:checked").get_attribute("value") or ""
    frame = view.locator("#look-caption").inner_text().split(". ")[0]
    return direction, view.locator("#row").input_value(), frame


def test_a_link_carries_what_is_shown(browser: "Browser", made: Mapping[str, Path]) -> None:
    with opened(browser, made["leads"]) as view:
        assert "#" not in view.url, "an untouched page keeps its address"
        view.get_by_label("Visible to thermal").first.check()
        view.locator("#row").select_option("thermal_mask")
        view.locator("#after").click()
        wanted, link = shown_in(view), view.url
        assert view.locator("#link").evaluate("one => one.href") == link
        view.locator("nav a", has_text="Scores").click()
        assert view.evaluate("document.activeElement.id") == "scores"
        assert view.url.startswith(link), "a heading does not lose the view"
    assert f"dataset={REAL}" in link
    with opened(browser, made["leads"], link=link[link.index("#") :]) as view:
        assert shown_in(view) == wanted
        assert not view.locator("#link-told").is_visible()
        view.evaluate("location.hash = '#dataset=roadscene&row=pix2pix&frame=t04%2F0'")
        view.wait_for_function("document.getElementById('row').value === 'pix2pix'")
        assert shown_in(view) == ("visible", "pix2pix", "t04/0")


def test_a_link_to_what_is_gone_says_so(browser: "Browser", made: Mapping[str, Path]) -> None:
    link = "#dataset=kaist&row=pix2pix&frame=set99"
    with opened(browser, made["leads"], link=link) as view:
        told = view.locator("#link-told").inner_text()
        assert "dataset “kaist”, frame “set99”, which this page does not have" in told
        assert shown_in(view)[1] == "pix2pix"


def test_a_link_chooses_among_data_sets(browser: "Browser", tmp_path: Path) -> None:
    """Two data sets on one page: a frame of one is not looked for in the other."""
    make_results(tmp_path)
    html, data = build(tmp_path), tmp_path / "data"
    roots = stage.Roots(*(data / name for name in ("crops", "runs", "scores", "baselines")))
    found = stage.describe(read_params(tmp_path / "params.yaml").comparison("sample"), roots)
    frames = [replace(one, frame=f"x/{one.frame}") for one in found.frames]
    both = [found, replace(found, name="other", title="Other", frames=frames)]
    html.write_text(render(both, images="page", tracking="http://127.0.0.1:5000"))
    (tmp_path / "reports/page/other").symlink_to(tmp_path / "reports/page/sample")
    link = "#dataset=other&frame=x%2Ft02%2F0"
    with opened(browser, tmp_path, link=link) as view:
        assert shown_in(view)[2] == "x/t02/0"
        assert view.locator("[name=dataset]:checked").get_attribute("value") == "other"


# ---- for everybody ----


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(
    browser: "Browser", made: Mapping[str, Path], case: str, scheme: str
) -> None:
    script = os.environ.get(AXE)
    if not script:
        pytest.skip(
            f"{AXE} names no axe.min.js: npm pack axe-core, unpack it, and set the variable"
        )
    with opened(browser, made[case], color_scheme=scheme) as view:
        for box in view.get_by_label("Oracles").all()[:1]:
            box.check()
        view.locator(".verdict:visible summary").click()
        view.add_script_tag(path=script)
        found = view.evaluate("axe.run().then((one) => one.violations)")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
