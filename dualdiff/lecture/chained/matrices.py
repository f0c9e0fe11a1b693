"""The matrices of a chain: what they are called, their entries as texts, and the equation of them in LaTeX."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.drawn.figures import number
from dualdiff.lecture.drawn.notation import latex, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.drawn.figures import Notation

__all__ = ["SHOWN", "Names", "grouped", "to_latex"]

SHOWN = 6  # rows and columns up to which a matrix is shown


def grouped(count: int) -> str:
    """Return a count with its digits in groups of three.

    Examples
    --------
    >>> from dualdiff.lecture.chained.equation import grouped
    >>> grouped(10255000)
    '10 255 000'
    """
    return f"{count:,}".replace(",", " ")


class Names:
    """What stages, derivatives and matrices are called in one notation."""

    def __init__(self, told: dict[str, Any], notation: Notation) -> None:
        self.told, self.notation = told, notation
        self.stages, self.factors = told["stages"], told["factors"]
        self.dots = {"unicode": "…", "ascii": "...", "latex": r"\ldots"}[notation]

    def group(self, stage: dict[str, Any]) -> str:
        """Return the names of a stage, in brackets where there are several."""
        names = [written(name, self.notation) for name in stage["names"]]
        if len(names) > SHOWN:
            names = [*names[:2], self.dots, names[-1]]
        return names[0] if len(names) == 1 else f"({', '.join(names)})"

    def matrix(self, told: Any, shape: Sequence[int]) -> list[list[str]] | None:
        """Return the entries of a matrix as texts; None where there are too many of them."""
        if max(shape) > SHOWN or min(shape) == 0 or isinstance(told, dict):
            return None
        return [[number(x, self.notation) for x in line] for line in told]

    def letters(self) -> list[list[list[str]]] | None:
        """Return the entries of all factors as formulas; None where one of them has none."""
        if any(factor["formulas"] is None for factor in self.factors):
            return None
        return [[[written(t, self.notation) for t in line] for line in factor["formulas"]] for factor in self.factors]

    def product_shape(self) -> tuple[int, int]:
        """Return rows and columns of the product."""
        return self.stages[0]["size"], self.stages[-1]["size"]


def to_latex(told: dict[str, Any]) -> str:
    """Chain rule in LaTeX: derivatives, formulas where there are any, numbers, and the product.

    Parameters
    ----------
    told : dict
        What `Chain.to_dict` returns.

    Returns
    -------
    str
        An ``aligned`` equation of ``bmatrix`` for math mode; amsmath is enough.
    """
    names = Names(told, "latex")
    stages, factors = told["stages"], told["factors"]
    fractions = [_fraction(names, *pair) for pair in pairwise(stages)]
    numbers = [names.matrix(factor["values"], factor["shape"]) for factor in factors]
    whole = _fraction(names, stages[0], stages[-1])
    lines = [r" \, ".join(fractions)] if len(factors) > 1 else []
    letters = names.letters()
    if letters is not None:
        lines.append(_matrices(letters, factors))
    if any(cells is not None for cells in numbers):
        lines.append(_matrices(numbers, factors))
    shape = names.product_shape()
    product = names.matrix(told["product"], shape)
    if len(factors) > 1 or not lines:
        lines.append(_matrix(product, 0, shape))
    body = " \\\\\n".join(f"{whole if i == 0 else ''} &= {line}" for i, line in enumerate(lines))
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _fraction(names: Names, above: dict[str, Any], below: dict[str, Any]) -> str:
    return rf"\frac{{\partial {names.group(above)}}}{{\partial {names.group(below)}}}"


def _matrices(matrices: Sequence[list[list[str]] | None], factors: Sequence[dict[str, Any]]) -> str:
    count = len(factors)
    return r" \, ".join(
        _matrix(cells, count - i, factor["shape"])
        for i, (cells, factor) in enumerate(zip(matrices, factors, strict=True))
    )


def _matrix(cells: list[list[str]] | None, place: int, shape: Sequence[int]) -> str:
    """Return a matrix; of a large one its name, with its shape below."""
    if cells is None:
        name = latex(f"J{place}") if place else "J"
        return rf"\underset{{{shape[0]} \times {shape[1]}}}{{{name}}}"
    return r"\begin{bmatrix} " + r" \\ ".join(" & ".join(line) for line in cells) + r" \end{bmatrix}"
