"""CheckResult: what a check found, in words."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.lecture.checked.points import spelled
from dualdiff.transforms.containers import private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.checked.claims import Layout
    from dualdiff.lecture.checked.points import Point

__all__ = ["CheckResult", "Worst", "at_point", "number"]

_ASCII = {
    "✓": "ok:", "✗": "!", "∂": "d", "∇": "grad ", "′": "'", "−": "-", "·": "*", "…": "...", "√": "sqrt", "π": "pi",
    "½": "1/2", **{sign: str(i) for i, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **{sign: f"^{i}" for i, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}  # fmt: skip
_LINES = 8  # rows and columns of a matrix that are shown


class Worst(NamedTuple):
    """Where a claim is farthest off: the point, what is claimed there, what is true, and the difference."""

    point: Any
    claimed: Any
    true: Any
    difference: Any


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CheckResult:
    """What `check` found; true where the claim is right.

    Attributes
    ----------
    right : bool
        Whether the claim agrees with the derivative at every point, as far as rounding errors let it be seen.
    points : list
        The points at which they were compared: the argument of f, or a tuple of them where it has several.
    worst : Worst
        Point, claim, derivative and difference where they are farthest apart, in the shape of the derivative; claim
        and difference are None where the claim has no numbers of that shape.
    slips : list of str
        The slips each of which alone explains the claim at every point; empty where none does, where the claim is
        right, and where it is right but for the digits that were typed.
    skipped : list
        Points that were given at which f has no derivative, so that nothing can be said there; kinks, where the claim
        is another slope than that of the table; and points of infinite slope, where the claim says nothing.
    rng : int or str
        What the points were drawn with; None where they were given.

    Examples
    --------
    >>> import numpy as np
    >>> from dualdiff.lecture.checked.checking import check
    >>> result = check(lambda t: t * np.sin(3 * t), lambda t: np.sin(3 * t) + t * np.cos(3 * t))
    >>> bool(result)
    False
    >>> result.slips
    [... was differentiated without multiplying by the inner derivative of ...]
    """

    right: bool
    _points: tuple[Any, ...]
    worst: Worst
    _slips: tuple[str, ...]
    _skipped: tuple[Any, ...]
    rng: Any
    _text: str

    @property
    def points(self) -> list[Any]:
        """The points at which claim and derivative were compared."""
        return list(private(self._points))

    @property
    def slips(self) -> list[str]:
        """The slips that explain the claim at every point."""
        return list(self._slips)

    @property
    def skipped(self) -> list[Any]:
        """The points at which f has no derivative."""
        return list(private(self._skipped))

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        try:
            self._text.encode(encoding)
        except UnicodeEncodeError:
            text = self._text
            if text.startswith("✗"):  # of the verdict; in a matrix it takes one column
                text = f"wrong:{text[1:]}"
            for sign, plain in _ASCII.items():
                text = text.replace(sign, plain)
            return text.encode(encoding, "backslashreplace").decode(encoding)
        return self._text

    __repr__ = __str__


def number(x: Any, digits: int = 4) -> str:
    """Return a number with so many digits."""
    x = complex(x) if np.iscomplexobj(x) else float(x) + 0.0  # no −0
    return f"{x:.{digits}g}".replace("-", "−")


def apart(x: Any, y: Any) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to see that they differ."""
    for digits in (4, 6, 9, 12, 17):
        if number(x, digits) != number(y, digits):
            return number(x, digits), number(y, digits)
    return number(x, 17), number(y, 17)


def at_point(point: Point, names: Sequence[str]) -> str:
    """Return a point with the names of its arguments: t = 1.1, or (s, t) = (2, 5)."""
    shown = spelled(point).replace("-", "−")
    return f"{names[0]} = {shown}" if len(point) == 1 else f"({', '.join(names[: len(point)])}) = {shown}"


def matrices(claimed: Any, true: Any, wrong: Any, layout: Layout) -> list[str]:
    """Return two matrices side by side, row by row, with ✗ at the entries that differ."""
    m, n = min(true.shape[0], _LINES), min(true.shape[1], _LINES)
    left = [[f"{number(claimed[i, j])}{' ✗' if wrong[i, j] else ''}" for j in range(n)] for i in range(m)]
    right = [[number(true[i, j]) for j in range(n)] for i in range(m)]
    names = [layout.row(i) for i in range(m)]
    heads = [layout.column(j) for j in range(n)]
    more = "  …" if n < true.shape[1] else ""

    def table(head: str, rows: list[list[str]]) -> list[str]:
        widths = [max(len(heads[j]), *(len(row[j]) for row in rows)) for j in range(n)]
        lines = ["  ".join(h.rjust(w) for h, w in zip(heads, widths, strict=True)) + more]
        lines += ["  ".join(x.rjust(w) for x, w in zip(row, widths, strict=True)) + more for row in rows]
        width = max(len(head), *map(len, lines))
        return [head.ljust(width), *(line.ljust(width) for line in lines)]

    margin = max(map(len, names))
    labels = ["", "", *names]
    pairs = zip(labels, table("claimed", left), table("true", right), strict=True)
    lines = [f"    {label.ljust(margin)}  {a}    {b}".rstrip() for label, a, b in pairs]
    return [*lines, "    …"] if m < true.shape[0] else lines
