"""The wrong slopes that hands write for an elementary function: the table read with one slip.

A malrule gives, in place of a partial, what a known misreading of the table makes of it.  What the slip is called, and
the words for it, stand on its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.lecture.numerals import number_text
from dualdiff.lecture.record import Known, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Malrule", "exponent_of", "is_scaling", "is_sum", "malrules", "moving", "worth"]


class Malrule(NamedTuple):
    """A wrong partial: what kind of slip it is, its slope, and the words for it."""

    kind: str
    slope: Any
    text: str


_SUMS = ("add", "subtract")
_POWERS = {"square": 2.0, "sqrt": 0.5, "cbrt": 1 / 3, "reciprocal": -1.0}
_LN = {"log2": np.log(2), "log10": np.log(10)}

# A function, what stands in place of its derivative, of the operand u and the result v, and the words for it.
# fmt: off
_SLOPES: tuple[tuple[str, str, Any, str], ...] = (
    ("sin", "trigonometry", lambda _, v: v,
     "`{row}` was differentiated to sin where cos belongs"),
    ("sin", "trigonometry", lambda _, v: -v,
     "`{row}` was differentiated to −sin where cos belongs"),
    ("cos", "trigonometry", lambda _, v: v,
     "`{row}` was differentiated to cos where −sin belongs"),
    ("cos", "trigonometry", lambda _, v: -v,
     "`{row}` was differentiated to −cos where −sin belongs"),
    ("tan", "trigonometry", lambda u, _: 1 / np.cos(u),
     "`{row}` was differentiated to 1/cos; its derivative is 1/cos², with the square"),
    ("tan", "trigonometry", lambda u, _: 1 / np.sin(u) ** 2,
     "`{row}` was differentiated to 1/sin² where 1/cos² belongs"),
    ("tan", "trigonometry", lambda u, _: -1 / np.sin(u) ** 2,
     "`{row}` was differentiated to −1/sin², which is that of 1/tan; 1/cos² belongs there"),
    ("tan", "trigonometry", lambda _, v: 1 - v * v,
     "`{row}` was differentiated to 1 − tan²; it is 1 + tan²"),
    ("tan", "trigonometry", lambda u, v: v / np.cos(u),
     "`{row}` was differentiated to tan/cos; its derivative is 1/cos²"),
    ("tan", "trigonometry", lambda u, _: -1 / np.tan(u),
     "`{row}` was differentiated as cos/(−sin), the quotient of the derivatives; it is 1/cos²"),
    ("sinh", "hyperbolic", lambda _, v: v,
     "`{row}` was differentiated to sinh where cosh belongs"),
    ("cosh", "hyperbolic", lambda _, v: v,
     "`{row}` was differentiated to cosh where sinh belongs"),
    ("tanh", "hyperbolic", lambda _, v: 1 + v * v,
     "`{row}` was differentiated to 1 + tanh²; it is 1 − tanh²"),
    ("tanh", "hyperbolic", lambda u, _: 1 / np.cosh(u),
     "`{row}` was differentiated to 1/cosh; its derivative is 1/cosh², with the square"),
    ("arcsin", "inverse", lambda u, _: 1 / np.sqrt(1 + u * u),
     "the derivative of `{row}` has 1 − (…)² under its root, not 1 + (…)²"),
    ("arcsin", "inverse", lambda u, _: 1 / (1 - u * u),
     "in the derivative of `{row}` the root is missing: 1/√(1 − (…)²)"),
    ("arcsin", "inverse", lambda u, _: 1 / np.cos(u),
     "`{row}` was differentiated to 1/cos, as if it were 1/sin"),
    ("arccos", "inverse", lambda u, _: -1 / (1 - u * u),
     "in the derivative of `{row}` the root is missing: −1/√(1 − (…)²)"),
    ("arctan", "inverse", lambda u, _: 1 / (1 - u * u),
     "the derivative of `{row}` has 1 + (…)² below, not 1 − (…)²"),
    ("arctan", "inverse", lambda u, _: 1 / np.sqrt(1 + u * u),
     "the derivative of `{row}` has no root: 1/(1 + (…)²)"),
    ("arctan", "inverse", lambda u, _: 1 / (1 + u),
     "in the derivative of `{row}` the square is missing: 1/(1 + (…)²)"),
    ("exp", "exponent", lambda u, v: u * v / np.e,
     "the power rule was used on `{row}`, whose exponent moves: it is its own derivative"),
    ("log", "logarithm", lambda _, v: 1 / v,
     "`{row}` was differentiated to 1 over the logarithm; 1 over its operand belongs there"),
    ("log", "logarithm", lambda u, _: u,
     "`{row}` was differentiated to its operand; 1 over its operand belongs there"),
    ("log1p", "logarithm", lambda u, _: 1 / u,
     "`{row}` is a logarithm of 1 + its operand, and the 1 was forgotten"),
    ("sqrt", "exponent", lambda _, v: 0.5 * v,
     "`{row}` was differentiated to half of itself, but its exponent ½ falls to −½: 1/(2·√…)"),
    ("sqrt", "exponent", lambda _, v: 1 / v,
     "in the derivative of `{row}` the factor ½ was not brought down: 1/(2·√…)"),
    ("sqrt", "exponent", lambda u, _: 0.5 / u,
     "in the derivative of `{row}` the root is missing: 1/(2·√…)"),
    ("absolute", "sign", lambda u, _: np.ones_like(u),
     "`{row}` was differentiated to 1 also where its operand is negative: there it is −1"),
)
# fmt: on


def moving(row: Row) -> tuple[int, ...]:
    """Return which of the arguments of a row move."""
    return tuple(i for i, x in enumerate(row.args) if isinstance(x, Row))


def worth(x: Any) -> Any:
    """Return the value of an argument, with numbers as NumPy's, whose division by zero is infinite."""
    x = x.value if isinstance(x, (Row, Known)) else x
    kind = np.asarray(x).dtype.kind
    return np.asarray(x, dtype=float if kind in "biu" else None)[()] if kind in "biufc" else x


def is_sum(row: Row) -> bool:
    """Tell whether a row is a sum or a difference, whose operands are terms."""
    return row.operation in _SUMS


def is_scaling(row: Row) -> bool:
    """Tell whether a row is a product or a quotient of one operand that moves and a constant factor."""
    return (row.operation == "multiply" and len(moving(row)) == 1) or (
        row.operation == "divide" and moving(row) == (0,)
    )


def exponent_of(row: Row) -> Any:
    """Return the exponent of a power with a constant one; None for whatever else."""
    if row.operation in ("power", "float_power") and moving(row) == (0,) and not np.ndim(worth(row.args[1])):
        return float(worth(row.args[1])) if not np.iscomplexobj(worth(row.args[1])) else None
    if row.operation == "multiply" and len(row.args) == 2 and row.args[0] is row.args[1]:
        return 2.0
    return _POWERS.get(row.operation)


def malrules(row: Row, i: int) -> Iterator[Malrule]:
    """Yield the wrong slopes of an elementwise row by one of its sources."""
    operands = [worth(x) for x in row.args]
    u, v = worth(row.sources[i]), worth(row)
    n = exponent_of(row)
    for function, kind, slope, text in _SLOPES:
        if function == row.operation:
            yield Malrule(kind, slope(u, v), text)
    if n is not None:
        yield from _of_power(row, u, n)
    if row.operation in _LN:
        yield Malrule("logarithm", 1 / u, "in the derivative of `{row}` the ln of its base is missing")
        yield Malrule(
            "logarithm", _LN[row.operation] / u, "the ln of the base of `{row}` stands above; it belongs below"
        )
    if row.operation == "exp2":
        yield from _of_exponential(u, v, 2.0)
    if row.operation in ("power", "float_power") and moving(row) == (1,):
        yield from _of_exponential(u, v, operands[0])
    if row.operation in ("power", "float_power") and len(moving(row)) == 2 and len(row.sources) == 2:
        yield from _of_tower(i, operands[0], operands[1], v)
    if row.operation in ("power", "float_power") and len(moving(row)) == 2 and len(row.sources) == 1:
        text = "in `{row}` both base and exponent move: the part through the "
        yield Malrule("product", operands[1] * v / operands[0], text + "exponent is missing")
        yield Malrule("product", v * np.log(operands[0]), text + "base is missing")
    if row.operation == "divide":
        yield from _of_quotient(row, i, operands)
    if row.operation == "multiply" and len(row.sources) == 2:
        own = operands[i]
        yield Malrule(
            "product",
            own,
            "product rule for `{row}`: the derivative of `{source}` was multiplied by it, not by the other factor",
        )


def _of_power(row: Row, u: Any, n: float) -> Iterator[Malrule]:
    if n not in (0.0, 1.0):
        yield Malrule("exponent", n * u**n, "the exponent of `{row}` was not lowered by one")
        yield Malrule(
            "exponent", u ** (n - 1), f"the exponent {number_text(n)} of `{{row}}` was not brought down as a factor"
        )
        yield Malrule(
            "exponent",
            (n - 1) * u ** (n - 1),
            f"`{{row}}` got the factor {number_text(n - 1)}: it is the old exponent {number_text(n)} that comes down",
        )
        yield Malrule("exponent", n * u ** (n + 1), "the exponent of `{row}` was raised by one, not lowered")
        yield Malrule("exponent", n * u ** (n - 2), "the exponent of `{row}` was lowered by two, not by one")
        yield Malrule(
            "exponent",
            n * np.ones_like(u),
            "of `{row}` only the exponent came down; the base with its exponent lowered by one is missing",
        )
    if n == 2 and row.operation == "multiply":
        yield Malrule("product", u, "product rule half done: in `{row}` both factors move")
    if n != -1:
        yield Malrule("integrated", u ** (n + 1) / (n + 1), "`{row}` was integrated, not differentiated")
    else:
        yield Malrule("integrated", np.log(np.abs(u)), "`{row}` was integrated, not differentiated")


def _of_exponential(u: Any, v: Any, base: Any) -> Iterator[Malrule]:
    text = number_text(base) if not np.ndim(base) else "its base"
    yield Malrule("logarithm", v, f"the factor ln {text} is missing in the derivative of `{{row}}`")
    yield Malrule(
        "logarithm", v / np.log(base), f"`{{row}}` was divided by ln {text}; the derivative is multiplied by it"
    )
    yield Malrule("logarithm", v * base, f"`{{row}}` was multiplied by its base; the factor ln {text} belongs there")
    yield Malrule(
        "exponent",
        u * v / base,
        "the power rule was used on `{row}`, whose exponent moves: the factor of that is the ln of its base",
    )


def _of_tower(i: int, base: Any, exponent: Any, v: Any) -> Iterator[Malrule]:
    if i == 1:
        yield Malrule(
            "logarithm", v, "in `{row}` the factor ln of the base is missing where the exponent is differentiated"
        )
    else:
        yield Malrule(
            "exponent", exponent * v, "the exponent of `{row}` was not lowered by one where its base is differentiated"
        )
        yield Malrule(
            "exponent", v / base, "the exponent of `{row}` was not brought down where its base is differentiated"
        )


def _of_quotient(row: Row, i: int, operands: list[Any]) -> Iterator[Malrule]:
    if len(operands) != 2:
        return
    a, b = operands
    if moving(row) == (1,):
        top = number_text(a) if not np.ndim(a) else "its numerator"
        yield Malrule("quotient", -a / b, "in the derivative of `{row}` the denominator was not squared")
        yield Malrule(
            "quotient", -1 / (b * b) * np.ones_like(a), f"the numerator {top} was lost in the derivative of `{{row}}`"
        )
        yield Malrule(
            "integrated", a * np.log(np.abs(b)), "`{row}` was integrated, not differentiated: log is its antiderivative"
        )
        yield Malrule(
            "quotient",
            -2 * a / (b * b * b),
            "in the derivative of `{row}` the exponent −2 was brought down; it is −1 that comes down",
        )
    elif len(row.sources) == 2 and i == 1:
        yield Malrule(
            "quotient", -a / b, "quotient rule for `{row}`: the denominator was not squared below the second term"
        )
        yield Malrule(
            "quotient", -1 / (b * b), "quotient rule for `{row}`: in the second term the numerator itself is missing"
        )
    elif len(row.sources) == 2:
        yield Malrule(
            "quotient",
            1 / (b * b),
            "quotient rule for `{row}`: in the first term the factor of the denominator is missing",
        )
