"""The command `thermochroma`: the table of parameters, diagrams drawn from the code."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.examiner import BLOCKS, PARAMS
from thermochroma.config.params import read_params
from thermochroma.contract.method import load_method
from thermochroma.serving.cli import main
from thermochroma.serving.diagram import draw


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
