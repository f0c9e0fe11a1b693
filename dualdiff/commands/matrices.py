"""A Jacobian in LaTeX: what it is called, its entries in letters where they are short, its entries in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dualdiff.commands.subject import Formulas
from dualdiff.lecture.drawn.figures import number
from dualdiff.lecture.drawn.notation import latex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.commands.subject import Subject

__all__ = ["jacobian_latex"]

MOST = 12  # rows or columns that a formula has room for
LONGEST = 60  # characters of a partial derivative in letters


def jacobian_latex(subject: Subject, outputs: Sequence[str], inputs: Sequence[str], slopes: Any) -> str:
    """Return the Jacobian with what it is called, its entries in letters, and its entries in numbers."""
    head = rf"\frac{{\partial {_tuple(outputs)}}}{{\partial {_tuple(inputs)}}}"
    if slopes.size == 1 == len(subject.values):
        head = rf"\frac{{\mathrm d {_tuple(outputs)}}}{{\mathrm d {_tuple(inputs)}}}"
    letters = _letters(subject)
    sides = [head, _matrix(letters)] if letters else [head]
    numbers = [_cut([number(float(x), "latex") for x in row[: MOST + 1]], r"\cdots") for row in slopes[: MOST + 1]]
    numbers = _cut(numbers, [r"\vdots"] * len(numbers[0]))
    return "\n= ".join([*sides, _matrix(numbers)]) + "\n"


def _tuple(names: Sequence[str]) -> str:
    shown = [latex(name) for name in names[:MOST]]
    shown += [r"\ldots"] if len(names) > MOST else []
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"


def _cut(entries: list[Any], rest: Any) -> list[Any]:
    """Return the first entries, and a sign for the rest where there are too many."""
    return entries if len(entries) <= MOST else [*entries[: MOST - 1], rest]


def _matrix(rows: Sequence[Sequence[str]]) -> str:
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0]
    body = " \\\\\n  ".join(" & ".join(row) for row in rows)
    return f"\\begin{{bmatrix}}\n  {body}\n\\end{{bmatrix}}"


def _letters(subject: Subject) -> list[list[str]]:
    """Return the entries as a trace writes them in the letters of the inputs, or nothing where one is long."""
    import dualdiff as dd

    if not isinstance(subject.source, Formulas):
        return []
    told = dd.trace(subject.function, symbols=True)(*subject.point).to_dict()
    rows = {row["name"]: row.get("tangent_formulas", []) for row in told["rows"]}
    entries: list[list[Any]] = [rows.get(name, []) for name in told["outputs"]]
    shown = len(subject.moving) <= MOST and all(len(row) == len(subject.moving) for row in entries)
    if not shown or len(entries) > MOST or any(text is None or len(text) > LONGEST for row in entries for text in row):
        return []
    return [[latex(text) for text in row] for row in entries]
