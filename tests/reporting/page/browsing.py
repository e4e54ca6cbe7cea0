"""A page built from made results, and opened in a real browser."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.page import main as run_stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESK = {"width": 1280, "height": 800}


def build(root: Path) -> Path:
    """Run the stage on what `make_results` left below `root`. Gives the page."""
    data = root / "data"
    run_stage(
        root / "params.yaml",
        *(data / name for name in ("crops", "runs", "scores", "baselines")),
        page=root / "reports/index.html",
        images=root / "reports/page",
    )
    return root / "reports/index.html"


def data_in(html: str) -> list[dict[str, Any]]:
    """The values from which the page draws."""
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert found is not None
    values: list[dict[str, Any]] = json.loads(found[1])
    return values


@contextmanager
def opened(browser: "Browser", root: Path, *, link: str = "", **how: Any) -> "Iterator[Page]":
    """The page, opened from disk; ends in an error if the page said anything to the console."""
    context = browser.new_context(**{"viewport": DESK, "offline": True, **how})
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.failure))
    page.goto((root / "reports/index.html").as_uri() + link)
    yield page
    context.close()
    assert {*problems} <= {"net::ERR_ABORTED"}, "but for images that a reload breaks off"
