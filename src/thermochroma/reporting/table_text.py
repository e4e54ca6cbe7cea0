"""The three forms of a `Table`: Markdown to read, CSV to compute with, LaTeX to print."""

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from thermochroma.base.cells import csv_table, markdown_cell, markdown_row, one_line
from thermochroma.reporting.layout import Cell, Kind, Line, Measured, Part, Table

GROUP_TITLES: Final = {
    "method": "Methods",
    "entry": "Entries (predictions from elsewhere)",
    "probe": "Closed form",
    "trivial": "Baselines",
    "oracle": "Oracles (see the truth)",
}
HEADING_LETTERS: Final = 14
"""Number of letters, about, on a line of a heading in LaTeX."""
LINE_END: Final = r" \\ {}"
"""End of a line in LaTeX; without the braces, a bracket that follows would be read as an option."""
MARKS: Final = {"method": "", "entry": "", "probe": "", "trivial": "", "oracle": " †"}
LATEX: Final = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "Δ": r"$\Delta$", "±": r"$\pm$", "×": r"$\times$",
    "²": r"$^2$", "–": "--", "†": r"$^\dagger$", "ü": r"\"u", "≥": r"$\geq$", "≤": r"$\leq$",
}  # fmt: skip


def to_markdown(table: Table) -> str:
    """Write one Markdown table per part, under the caption; rows are grouped by kind."""
    parts = [f"### {part.title}\n\n{_markdown_part(table, part)}" for part in table.parts]
    return "\n".join(
        [f"{table.caption}\n", *parts, *(f"- {markdown_cell(note)}" for note in table.notes), ""]
    )


def to_csv(table: Table) -> str:
    """Write all parts side by side, with numbers of 6 digits; an interval is two further columns."""
    columns = [column for part in table.parts for column in part.columns]
    names = [[c.key, f"{c.key}_low", f"{c.key}_high"] if c.interval else [c.key] for c in columns]
    rows = [["dataset", "row", "title", "kind", *(name for group in names for name in group)]]
    for line in table.lines:
        cells = [(line.cells.get(column.key, Cell()), column.interval) for column in columns]
        values = [
            _plain(value)
            for cell, interval in cells
            for value in ((cell.value, cell.low, cell.high) if interval else (cell.value,))
        ]
        rows.append([table.dataset, line.name, line.title, line.kind, *values])
    return csv_table(rows)


def to_latex(table: Table) -> str:
    """Write one booktabs table per part, and below them the definitions and notes once; needs the
    packages booktabs and graphicx."""
    said = _latex(" ".join([table.definitions, *table.notes]))
    parts = [_latex_part(table, part) for part in table.parts]
    return "\n".join([*parts, rf"{{\noindent\footnotesize {said}\par}}", ""])


def _markdown_part(table: Table, part: Part) -> str:
    width = len(part.columns)
    head = ["Row", *(column.heading for column in part.columns)]
    lines = [markdown_row(head), markdown_row([":--", *["--:"] * width])]
    for kind, group in _groups(table, part):
        lines.append(markdown_row([f"**{GROUP_TITLES[kind]}**", *[""] * width]))
        lines.extend(markdown_row(_texts(line, part)) for line in group)
    return "\n".join([*lines, ""])


def _latex_part(table: Table, part: Part) -> str:
    width = len(part.columns)
    heads = ["Row", *(_latex_heading(column.heading) for column in part.columns)]
    body: list[str] = []
    for kind, group in _groups(table, part):
        title = _latex(GROUP_TITLES[kind])
        body.append(rf"\midrule \multicolumn{{{width + 1}}}{{l}}{{\textit{{{title}}}}} \\")
        body.extend(_latex_row(_texts(line, part)) for line in group)
    caption = _latex(f"{part.title}. {table.title}")
    label = f"tab:{table.label}-{part.key}"
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{caption}}}",
            rf"\label{{{label}}}",
            r"\centering\resizebox{\linewidth}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * width}}}",
            r"\toprule",
            " & ".join(heads) + r" \\",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )


def _latex_heading(text: str) -> str:
    """Break a heading into lines: a long one would widen its column, and so shrink the whole table."""
    lines = [_latex(line) for line in textwrap.wrap(text, HEADING_LETTERS)]
    return lines[0] if len(lines) == 1 else rf"\shortstack[r]{{{LINE_END.join(lines)}}}"


def _latex_row(texts: list[str]) -> str:
    return " & ".join(_latex(text) for text in texts) + r" \\"


def _latex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in one_line(text))


def _texts(line: Line, part: Part) -> list[str]:
    cells = [line.cells.get(column.key, Cell()).text for column in part.columns]
    return [line.title + MARKS[line.kind], *cells]


def _groups(table: Table, part: Part) -> Iterator[tuple[Kind, list[Line]]]:
    """Lines by kind, for each kind that has a cell in this part."""
    keys = {column.key for column in part.columns}
    for kind, group in groupby(table.lines, key=lambda line: line.kind):
        lines = list(group)
        if any(keys & set(line.cells) for line in lines):
            yield kind, lines


def _plain(value: Measured) -> str:
    if value is None or value != value:  # NaN differs from itself
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
