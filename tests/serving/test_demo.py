"""The demo: the bytes of `translate`, and its page in a real browser that can reach nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from tests.serving.test_translate import noise, saved
from tests.serving.videos import write_video
from thermochroma.base.errors import BadInput
from thermochroma.base.images import read_thermal, write_image
from thermochroma.serving.cli import main
from thermochroma.serving.demo import card_text, choices, show
from thermochroma.serving.demo_page import POLICY, build, library, serve
from thermochroma.serving.models import STARTER
from thermochroma.serving.options import InferenceOptions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NEEDS = "install the extra: pip install -c constraints-demo.txt -e '.[demo]'"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two translators, one of them with a card, and a file of each kind."""
    root = tmp_path_factory.mktemp("project")
    for name in ("cyclegan", "thermochroma_small"):
        (folder := root / "data/runs/roadscene" / name).mkdir(parents=True)
        saved(name, folder / "translator.safetensors")
    (root / "reports/roadscene/cards").mkdir(parents=True)
    (root / "reports/roadscene/cards/cyclegan.md").write_text(
        "# A card of *its* own\n\n| a |\n|-|\n| 1 |\n"
    )
    write_image(root / "in/a.png", noise(48, 64))
    Image.fromarray(noise(48, 64).astype(np.uint16) * 4 + 7000).save(root / "in/deep.png")
    write_video(root / "in/film.mkv", [noise(48, 64), noise(48, 64)[::-1]])
    write_image(root / "in/coloured.png", noise(48, 64, 3))
    return root


def _wishes(root: Path, **more: Any) -> InferenceOptions:
    return InferenceOptions(root / "data/weights/clip", **more)


@pytest.mark.parametrize(
    ("name", "more"), [("a.png", []), ("deep.png", ["--tone", "auto"]), ("film.mkv", [])]
)
def test_it_writes_the_bytes_of_translate(
    name: str, more: list[str], project: Path, tmp_path: Path
) -> None:
    translator = choices([], project / "data")["roadscene/cyclegan"]
    main(
        [
            "translate",
            str(translator),
            str(project / "in" / name),
            "--to",
            str(tmp_path / "out"),
            *more,
        ]
    )
    (wanted,) = (tmp_path / "out").iterdir()
    shown = show(translator, project / "in" / name, tmp_path, tone="auto", wishes=_wishes(project))
    assert shown.target.name == wanted.name
    assert shown.target.read_bytes() == wanted.read_bytes()
    assert " s, with reading and writing" in shown.told[0]
    assert any("tone `window " in one for one in shown.told) == bool(more)
    assert (shown.seen is None) == (name == "film.mkv")


def test_wishes_are_those_of_translate_and_what_is_seen_is_shown(
    project: Path, tmp_path: Path
) -> None:
    translator = choices([], project / "data")["roadscene/thermochroma_small"]
    more = ["--sharpness", "1", "--polarity", "black-hot"]
    main(
        [
            "translate",
            str(translator),
            str(project / "in/a.png"),
            "--to",
            str(tmp_path / "out"),
            *more,
        ]
    )
    wishes = _wishes(project, sharpness=1.0, polarity="black-hot")
    shown = show(translator, project / "in/a.png", tmp_path, tone="auto", wishes=wishes)
    assert shown.target.read_bytes() == (tmp_path / "out/a.png").read_bytes()
    assert shown.seen is not None
    assert np.array_equal(read_thermal(shown.seen), 255 - noise(48, 64))


def test_the_choices_are_what_has_a_name_or_what_is_given(project: Path, tmp_path: Path) -> None:
    known = choices([], project / "data")
    assert [*known] == [STARTER, "roadscene/cyclegan", "roadscene/thermochroma_small"]
    assert choices(["cyclegan"], project / "data") == {"cyclegan": known["roadscene/cyclegan"]}
    assert [*choices([], tmp_path)] == [STARTER], "a first image needs no training"
    with pytest.raises(BadInput, match="`cyclegam` is neither a file nor"):
        choices(["cyclegam"], project / "data")


def test_an_onnx_file_is_a_translator_too(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the extra `export` is not installed")
    place = str(tmp_path / "c.onnx")
    main(["export", str(choices([], project / "data")["roadscene/cyclegan"]), "--onnx", place])
    translator = choices([place], project / "data")[place]
    main(["translate", place, str(project / "in/a.png"), "--to", str(tmp_path / "out")])
    shown = show(translator, project / "in/a.png", tmp_path, tone="auto", wishes=_wishes(project))
    assert shown.target.read_bytes() == (tmp_path / "out/a.png").read_bytes()
    told = card_text(translator)
    assert told.startswith("# CycleGAN\n")
    assert "method `cyclegan`, trained on" in told


def test_the_card_is_the_projects_or_what_the_file_tells(project: Path, tmp_path: Path) -> None:
    known = choices([], project / "data")
    assert card_text(known[STARTER]).startswith("# ")
    assert card_text(known["roadscene/cyclegan"]).startswith("# A card of *its* own")
    assert "There is no model card" in card_text(known["roadscene/thermochroma_small"])
    alone = saved("cyclegan", tmp_path / "t.safetensors")
    assert "made-up" in card_text(alone)
    (tmp_path / "card.md").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"card\.md .*; a model card in UTF-8; "):
        card_text(alone)


def test_without_the_extra_one_sentence_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(SystemExit, match=r"gradio is missing; .*thermochroma\[demo\]"):
        main(["demo", "--data", str(project / "data")])


@pytest.fixture(scope="module")
def address(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page that is served; Gradio keeps what is uploaded in a folder of the test."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        pytest.importorskip("gradio", reason=NEEDS)
        data = project / "data"
        models = choices(["roadscene/cyclegan", "roadscene/thermochroma_small"], data)
        page = build(library(), models, data, folder)
        yield serve(page, None)
        page.close(verbose=False)


@pytest.fixture
def page(address: str, browser: "Browser") -> "Iterator[Page]":
    """The page in a browser; ends in an error if anything was asked of another place."""
    context = browser.new_context(viewport={"width": 1280, "height": 1100})
    tab, asked, problems = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.goto(address)
    tab.get_by_role("button", name="Translate").wait_for()
    yield tab
    context.close()
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not problems


def _drop(page: "Page", path: Path) -> None:
    page.locator("#file input[type=file]").set_input_files(str(path))
    page.locator("#file").get_by_text(path.stem).first.wait_for()
    page.get_by_role("button", name="Translate").click()


def test_an_image_is_dropped_and_translated(page: "Page", project: Path, tmp_path: Path) -> None:
    page.locator("#card").get_by_role("heading", name="A card of its own").wait_for()
    assert not page.get_by_label("Sharpness").first.is_visible()
    _drop(page, project / "in/a.png")
    page.locator("#told").get_by_text("with reading and writing the file").wait_for(timeout=120_000)
    assert page.locator("#slider img").count() == 2
    for image in page.locator("#slider img").all():
        assert image.evaluate("one => one.decode().then(() => one.naturalWidth)") == 64
    translator = project / "data/runs/roadscene/cyclegan/translator.safetensors"
    main(["translate", str(translator), str(project / "in/a.png"), "--to", str(tmp_path)])
    link = page.locator("#result a[href]").first.get_attribute("href")
    assert link is not None
    assert page.request.get(link).body() == (tmp_path / "a.png").read_bytes()


def test_a_refusal_is_a_sentence(page: "Page", project: Path) -> None:
    page.get_by_role("button", name="Translate").click()
    page.get_by_text("Drop an image or a video first.").wait_for(timeout=60_000)
    _drop(page, project / "in/coloured.png")
    sentence = page.get_by_text("coloured.png shows colour where a thermal image is expected")
    sentence.wait_for(timeout=120_000)
    told = sentence.inner_text()
    assert "Traceback" not in told and "/" not in told.split(" shows")[0]


def test_the_page_comes_from_here_alone(address: str) -> None:
    with urlopen(address) as answer:
        assert answer.headers["content-security-policy"] == POLICY
        assert b'analytics_enabled":false' in answer.read().replace(b" ", b"")
    with pytest.raises(OSError, match="400"):  # a page elsewhere whose name leads here
        urlopen(Request(address, headers={"Host": "elsewhere.example"}))


def test_a_port_that_is_taken_is_one_sentence(address: str, project: Path, tmp_path: Path) -> None:
    port = int(address.rstrip("/").rpartition(":")[2])
    data = project / "data"
    second = build(library(), choices([], data), data, tmp_path)
    with pytest.raises(BadInput, match=f"port {port} is taken, or forbidden; .*--port"):
        serve(second, port)
