"""Rendering of the page's contents into one file that refers to nothing outside its folder."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from thermochroma.metrics.image_scores import PERCEPTION, SCORES
from thermochroma.reporting.numbers import heading
from thermochroma.reporting.page.contents import PageDataset, as_json
from thermochroma.reporting.page.duels import LIKELY
from thermochroma.reporting.statistics import LEVEL

SCRIPTS: Final = (
    *("state.js", "table.js", "duels.js", "viewer.js", "plots.js", "scatter.js"),
    *("link.js", "main.js"),
)
"""Scripts of the page, in the order in which they must run."""
PACKAGE: Final = "thermochroma.reporting.page"


def render(datasets: Sequence[PageDataset], *, images: str, tracking: str) -> str:
    """Render the page as HTML; equal contents give equal text.

    images: folder of the images, relative to the page. tracking: address of MLflow's pages.
    """
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    meanings = [(heading(score), score.definition) for score in (SCORES | PERCEPTION).values()]
    return environment.get_template("page.html.j2").render(
        datasets=datasets,
        meanings=meanings,
        images=images,
        tracking=tracking,
        level=f"{LEVEL:.0%}",
        likely=f"{LIKELY:.2g}",
        style=_inline("page.css"),
        script=Markup("\n").join(_inline(name) for name in SCRIPTS),
        data=Markup(as_json(datasets)),
    )


def _inline(name: str) -> Markup:
    """Text of a file among the templates, which needs no escape."""
    return Markup(files(PACKAGE).joinpath("templates", name).read_text(encoding="utf-8"))
