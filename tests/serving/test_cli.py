"""The command `thermochroma`: its help, the table of parameters, diagrams drawn from the code."""

import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.examiner import BLOCKS, PARAMS
from thermochroma.config.params import read_params
from thermochroma.contract.method import load_method
from thermochroma.serving import commands
from thermochroma.serving.cli import COMMANDS, main, parser
from thermochroma.serving.diagram import draw

HELP = """
import contextlib, io, sys
before = {*sys.modules}
from thermochroma.serving.cli import main
for words in (["--help"], *([name, "--help"] for name in sys.argv[1:])):
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main(words)
loaded = {name.partition(".")[0] for name in {*sys.modules} - before}
print(*sorted(loaded - sys.stdlib_module_names - {"thermochroma"}))
"""


def parsers() -> dict[str, ArgumentParser]:
    """The parser of each command."""
    (found,) = (one for one in parser()._actions if isinstance(one, _SubParsersAction))
    return dict(found.choices)


def test_help_loads_nothing_but_the_standard_library() -> None:
    """Torch alone takes seconds; wherever it is imported, it is seen here."""
    told = subprocess.run(
        [sys.executable, "-c", HELP, *parsers()], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == ""


def test_every_command_is_in_the_help_and_has_its_work(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    modules = {path.stem for path in Path(commands.__path__[0]).glob("[a-z]*.py")}
    assert modules == {one.__name__.rpartition(".")[2] for one in COMMANDS}
    for name in parsers():
        assert f"\n    {name} " in said or f"\n    {name}\n" in said
        module = import_module(f"{commands.__name__}.{name.replace('-', '_')}")
        assert callable(module.run)


def test_words_too_many_are_refused_and_a_value_of_several_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["translate", "starter", "a.png", "--to", "out", "--tone", "window", "7000", "9000"]
    for given, explained in ((words, True), (["models", "7000"], False)):
        with pytest.raises(SystemExit) as ended:
            main(given)
        said = capsys.readouterr().err
        assert ended.value.code == 2 and "unrecognized arguments: 7000" in said
        assert ("--tone 'window 7000 9000'" in said) == explained


def test_every_argument_of_every_command_says_what_it_is() -> None:
    for name, command in parsers().items():
        assert command.description, name
        silent = [one.dest for one in command._actions if not one.help]
        assert not silent, f"{name}: {silent}"


def test_the_table_has_every_player_of_every_block_and_all_are_equal(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["parameters", "--params", str(PARAMS), "--weights", str(weights)])
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    params = read_params(PARAMS)
    wanted = {
        (block, player, f"{count:,}", method.counts_are_published)
        for block in BLOCKS
        for method in [load_method(params.method(block).method)]
        for player, count in method.published_parameters[block].items()
    }
    assert {(row[0].strip("| "), row[1], row[2], row[4] == "yes") for row in rows} == wanted
    assert all(row[3] == (row[2] if row[4] == "yes" else "—") for row in rows)


@dataclass(frozen=True)
class Seen:
    left: Tensor
    right: Tensor


class Fork(nn.Module):
    """Two branches, one of which is read twice; one part is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 2, 3, padding=1)
        self.idle = nn.Conv2d(1, 1, 1)
        self.join = nn.Conv2d(4, 3, 1)

    def forward(self, seen: Seen) -> Tensor:
        left, right = self.one(seen.left), self.two(seen.right * 2)
        return self.join(torch.cat([left + right, left], dim=1)) + seen.right


def test_a_diagram_follows_the_tensors_and_not_the_order_of_the_parts() -> None:
    seen = Seen(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
    lines = [line.strip() for line in draw(Fork(), seen).splitlines()]
    edges = {line for line in lines if "-->" in line}
    assert edges == {
        *("left --> one", "right --> two", "one --> join", "two --> join"),
        *("join --> output", "right --> output"),
    }
    assert not any("idle" in line for line in lines)
    assert 'join["join<br>Conv2d 1×1<br>3×8×8"]' in lines


def test_the_diagram_of_a_method_begins_with_what_it_sees(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["diagram", "pix2pix", "--params", str(PARAMS)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "flowchart TD"
    assert "thermal" in lines[1]
    assert "3×256×256" in next(line for line in lines if line.startswith("  output(["))
