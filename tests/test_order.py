"""Tests of one file have one process, in an order in which no process waits at the end."""

from pathlib import Path

from tests.order import IN_PIECES, LONGEST, scope_of, turn_of

HERE = Path(__file__).parent
PIECE = f"tests/{IN_PIECES[0]}::test_one[pix2pix]"


def test_the_files_that_take_long_are_there() -> None:
    assert not [file for file in (*LONGEST, *IN_PIECES) if not (HERE / file).is_file()]


def test_what_takes_long_begins_and_small_pieces_end() -> None:
    mine = "tests/test_order.py::test_one"
    longest, short = f"tests/{LONGEST[0]}::test_one", f"tests/{LONGEST[-1]}::test_one"
    assert sorted([PIECE, mine, short, longest], key=turn_of) == [longest, short, mine, PIECE]


def test_one_process_runs_a_file_unless_it_is_in_pieces_or_has_groups() -> None:
    plain = "tests/base/test_files.py::test_one[a::b]"
    assert scope_of(plain, plain) == "tests/base/test_files.py"
    assert scope_of(f"{PIECE}@golden", "golden") == "golden"
    assert scope_of(PIECE, PIECE) == PIECE
