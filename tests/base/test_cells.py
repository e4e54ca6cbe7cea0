"""Texts from outside in tables: they end no cell, open no tag, load nothing and compute nothing."""

import csv
import io

import pytest

from thermochroma.base.cells import counted, csv_cell, csv_table, markdown_cell, markdown_table


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("a\nb\r\n\tc\x00d\u2028e", "a b c d e"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("![x](http://elsewhere/p.png)", r"![x]\(http://elsewhere/p.png)"),
        ("&lt;b> R&D, a & b", "&amp;lt;b> R&D, a & b"),
        ("0.5 [0.4, 0.6]", "0.5 [0.4, 0.6]"),
        ("−1.5 ± 2", "−1.5 ± 2"),
        (-1.5, "-1.5"),
    ],
)
def test_markdown_shows_a_text_letter_by_letter(given: object, shown: str) -> None:
    assert markdown_cell(given) == shown


def test_a_hostile_name_adds_no_row_and_no_column() -> None:
    table = markdown_table(["Row", "n"], [":--", "--:"], ["a | b\n| c | d |", 3])
    assert [line.count("|") for line in table.splitlines()] == [3, 3, 3]


@pytest.mark.parametrize(
    "formula", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "\t=1"]
)
def test_a_formula_is_a_text(formula: str) -> None:
    assert csv_cell(formula).startswith("'")


@pytest.mark.parametrize("cell", ["-1.5", "+3", "-inf", "1e-5", "=", "▲", "–", "", "a=b", "-1e-05"])
def test_numbers_and_marks_stay(cell: str) -> None:
    assert csv_cell(cell) == cell


def test_a_row_is_one_line_and_comes_back() -> None:
    rows = [["a,b", 'say "x"', "two\nlines", -1.5]]
    text = csv_table(rows)
    assert text.count("\n") == 1
    assert list(csv.reader(io.StringIO(text))) == [["a,b", 'say "x"', "two lines", "-1.5"]]


def test_one_thing_is_no_plural() -> None:
    assert [counted(n, "image") for n in (0, 1, 2, 1200)] == [
        "0 images",
        "1 image",
        "2 images",
        "1,200 images",
    ]
