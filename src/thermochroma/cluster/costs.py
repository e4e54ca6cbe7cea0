"""The table of what each run took, on which machine, and how often it began."""

from collections.abc import Mapping, Sequence
from typing import Final

from thermochroma.base.cells import markdown_table
from thermochroma.cluster.ledger import Start
from thermochroma.cluster.work import Outcome

STEPS: Final = ("clone", "pull", "train", "evaluate", "push")
HEAD: Final = (
    "training",
    "machine",
    "attempts",
    "earlier ones, s",
    *(f"{one}, s" for one in STEPS),
    "",
)


def cost_table(outcomes: Sequence[Outcome], starts: Mapping[str, Sequence[Start]]) -> str:
    """One line for each job, and one for all of them together, in Markdown.

    Earlier attempts took the time between the first beginning and the last one: until the loss was seen and
    a machine was free.
    """
    jobs = sorted(outcomes, key=lambda one: one.job.name)
    before = {one.job.name: _before(starts.get(one.job.name, ())) for one in jobs}
    rows = [
        (
            one.job.name,
            one.node or "–",
            len(starts.get(one.job.name, ())),
            *_whole(before[one.job.name], *(one.seconds.get(step, 0.0) for step in STEPS)),
            _ending(one),
        )
        for one in jobs
    ]
    sums = (sum(one.seconds.get(step, 0.0) for one in jobs) for step in STEPS)
    total = ("all", "", sum(map(len, starts.values())), *_whole(sum(before.values()), *sums), "")
    rule = ("---", "---", *["--:"] * (1 + 1 + len(STEPS)), "---")
    return markdown_table(HEAD, rule, *rows, total)


def _before(starts: Sequence[Start]) -> float:
    return starts[-1].at - starts[0].at if starts else 0.0


def _whole(*seconds: float) -> list[str]:
    return [f"{one:.0f}" for one in seconds]


def _ending(one: Outcome) -> str:
    if one.failure:
        return "failed"
    return "" if one.job.train in one.ran else "was trained before"
