"""A formula that knows its number: a letter fed to the table, with what it is worth at the point beside it.

Whatever passes through a line comes back as the derivation: sin(t)·2, lightly simplified.  As each formula carries its
value, a choice that a line makes (`where`, a comparison) is made, and the branch that holds here is what is printed.
"""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.floating import quiet
from dualdiff.lecture.numerals import number_text, without_rounding
from dualdiff.letter import Letter
from dualdiff.primal import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Formula", "formula_of", "opaque", "says"]

_SUPERSCRIPTS = dict(zip(range(2, 10), "²³⁴⁵⁶⁷⁸⁹", strict=True))
Factors = tuple[tuple["Formula", float], ...]  # each base with its exponent


class Formula(Letter):
    """A sum of products of powers, as text that Python can read (with · and − and ² for what keyboards lack).

    Attributes
    ----------
    terms : tuple of (float, factors) or None
        The products it is the sum of: each a coefficient and the bases with their exponents; None for an atom, which
        is a name or a call.
    value : float or ndarray
        What it is worth.

    Examples
    --------
    >>> from dualdiff.lecture.formula import formula_of
    >>> x = formula_of("x", 2.0)
    >>> print(2 * x * x - 0 * x + 1)
    2·x² + 1
    """

    __slots__ = ("terms", "value")

    terms: tuple[tuple[float, Factors], ...] | None
    value: Any

    def __init__(self, text: str, operation: str = "name", parts: tuple[Any, ...] = (), value: Any = None) -> None:
        super().__init__(text, operation, parts)
        self.terms = None
        self.value = value

    def __neg__(self) -> Any:
        return _sum([(-c, factors) for c, factors in _terms(self)], _worth(operator.neg, self))

    def __pos__(self) -> Any:
        return self

    @classmethod
    def called(cls, name: str, *operands: Any) -> Any:
        """Return the formula of an elementary function, or its number where no letter is in it."""
        written = _SPELLED.get(name)
        if written is not None:
            return written(*operands)
        value = _worth(getattr(functions, name), *operands)
        shown = "abs" if name == "absolute" else name
        return cls(f"{shown}({', '.join(map(_text, operands))})", "call", (name, *operands), value)


def formula_of(name: str, value: Any) -> Formula:
    """Return a letter and what it is worth."""
    return Formula(name, "name", (), value)


def opaque(text: str, value: Any, operation: str = "call") -> Formula:
    """Return a formula that is not looked into; `operation` says how tightly it binds: "call", "@" or "+"."""
    return Formula(text, operation, (text,), value)


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Formula) else x


def _worth(function: Callable[..., Any], *operands: Any) -> Any:
    """Return what a function is worth at the values of its operands; unknown of an unknown."""
    values = [_value(x) for x in operands]
    if any(v is None for v in values):
        return None
    with quiet():
        try:
            return function(*values)
        except ArithmeticError:
            return function(*map(np.float64, values))


def says(formula: Any, number: Any) -> bool:
    """Tell whether a formula is worth a number, also where terms were taken together or cancelled in it.

    It is reckoned from what is written, not from what it was made of; where that is not known nothing is said.
    """
    with quiet():
        worth, size = _written_worth(formula)
        if worth is None:
            return True
        off = np.abs(worth - number)
        near = (off <= 1e-7 * np.abs(number) + 1e-9 * size) | (worth == number) | (np.isnan(worth) & np.isnan(number))
    return bool(np.all(near))


def _written_worth(x: Any) -> tuple[Any, Any]:
    """Return what the terms of a formula come to, and the sum of their sizes."""
    if not isinstance(x, Formula) or x.terms is None:
        value = _value(x)
        return value, None if value is None else np.abs(value)
    total: Any = 0.0
    size: Any = 0.0
    for coefficient, factors in x.terms:
        term: Any = coefficient
        for base, exponent in factors:
            worth, _ = _written_worth(base)
            if worth is None:
                return None, None
            term = term * functions.power(worth, exponent)
        total, size = total + term, size + np.abs(term)
    return total, size


# --- sums of products ---------------------------------------------------------------------------------------------


def _is_number(x: Any) -> bool:
    return not isinstance(x, Letter) and not np.ndim(x)


def _terms(x: Any) -> list[tuple[float, Factors]]:
    """Return the products that x is the sum of."""
    if _is_number(x):
        return [(float(x), ())] if x != 0 else []
    if x.terms is not None:
        return list(x.terms)
    return [(1.0, ((x, 1.0),))]


def _key(factors: Factors) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((base.text, exponent) for base, exponent in factors))


def _sum(terms: Sequence[tuple[float, Factors]], value: Any) -> Any:
    """Return a sum, in which like products are taken together."""
    found: dict[Any, tuple[float, Factors]] = {}
    for coefficient, factors in terms:
        key = _key(factors)
        before = found.get(key, (0.0, factors))
        found[key] = (before[0] + coefficient, factors)
    kept = [(c, factors) for c, factors in found.values() if c != 0]
    first = next((i for i, (c, _) in enumerate(kept) if c > 0), 0)
    kept = [kept[first], *kept[:first], *kept[first + 1 :]] if kept else []  # 1 − x, not −x + 1
    if not kept:
        return 0.0
    if len(kept) == 1:
        ((coefficient, factors),) = kept
        if not factors:
            return coefficient
        if coefficient == 1 and len(factors) == 1 and factors[0][1] == 1:
            return factors[0][0]
    made = Formula(_sum_text(kept), "+" if len(kept) > 1 else "*", (), value)
    made.terms = tuple(kept)
    return made


def _product(x: Any, y: Any, value: Any) -> Any:
    """Return a product: of sums, one of which is a number, term by term; otherwise a sum is one factor."""
    if _is_number(x) or _is_number(y):
        number, other = (x, y) if _is_number(x) else (y, x)
        if np.isfinite(number):
            return _sum([(c * float(number), factors) for c, factors in _terms(other)], value)
    (a, s), (b, t) = _as_product(x), _as_product(y)
    return _sum([(a * b, _merged([*s, *t]))], value)


def _as_product(x: Any) -> tuple[float, Factors]:
    """Return coefficient and factors; a sum of several terms is one factor."""
    if _is_number(x) and not np.isfinite(x):
        return 1.0, ((Formula(number_text(x), "name", (), x), 1.0),)
    terms = [(1.0, ((x, 1.0),))] if not _is_number(x) and x.terms is None else _terms(x)
    if len(terms) == 1:
        return terms[0]
    if terms and all(c < 0 for c, _ in terms):
        return -1.0, ((-x, 1.0),)
    return (1.0, ((x, 1.0),)) if terms else (0.0, ())


def _merged(factors: Sequence[tuple[Formula, float]]) -> Factors:
    """Return factors with equal bases taken together."""
    found: dict[str, tuple[Formula, float]] = {}
    for base, exponent in factors:
        before = found.get(base.text, (base, 0.0))
        found[base.text] = (base, before[1] + exponent)
    return tuple((base, exponent) for base, exponent in found.values() if exponent != 0)


def _inverse(x: Any) -> Any:
    coefficient, factors = _as_product(x)
    value = _worth(lambda v: 1 / v, x)
    if coefficient == 0 or not np.isfinite(1 / coefficient):
        return float(np.divide(1.0, coefficient))
    return _sum([(1 / coefficient, tuple((base, -exponent) for base, exponent in factors))], value)


def _power(x: Any, y: Any) -> Any:
    """Return x to the power y: whole powers of products go into the factors."""
    value = _worth(functions.power, x, y)
    if _is_number(x) and _is_number(y):
        return value
    if _is_number(y) and y == 0:
        return 1.0
    if _is_number(y) and float(y).is_integer():
        coefficient, factors = _as_product(x)
        scale = coefficient ** int(y) if coefficient or y > 0 else np.inf
        if np.isfinite(scale):
            raised = tuple((base, exponent * float(y)) for base, exponent in factors)
            if all(float(exponent).is_integer() for _, exponent in factors):
                return _sum([(float(scale), raised)], value)
    return Formula(f"{_bracketed(x)}**{_bracketed(y)}", "**", (x, y), value)


# --- text -----------------------------------------------------------------------------------------------------------


def _text(x: Any) -> str:
    if isinstance(x, Letter):
        return x.text
    return number_text(x) if np.ndim(x) == 0 else f"array{np.shape(x)}"


def _bracketed(x: Any) -> str:
    """Return the text of a base or an exponent."""
    text = _text(x)
    atom = isinstance(x, Formula) and x.terms is None and x.operation in ("name", "call")
    return text if atom or (_is_number(x) and text.replace(".", "").isalnum()) else f"({text})"


def _sum_text(terms: Sequence[tuple[float, Factors]]) -> str:
    text = ""
    for i, (coefficient, factors) in enumerate(terms):
        minus = coefficient < 0
        part = _product_text(abs(coefficient), factors)
        text += ("−" if minus else "") + part if i == 0 else (" − " if minus else " + ") + part
    return text


def _product_text(coefficient: float, factors: Factors) -> str:
    """Return 2·x²/(3·y): numbers first, what divides behind a slash."""
    coefficient = without_rounding(coefficient)
    number = Fraction(coefficient).limit_denominator(99) if np.isfinite(coefficient) else None
    below: list[str] = []
    above: list[str] = []
    if number is not None and float(number) == coefficient and number.denominator != 1:
        above += [str(number.numerator)] if number.numerator != 1 else []
        below.append(str(number.denominator))
    elif coefficient != 1:
        above.append(number_text(coefficient))
    if coefficient == 1 and len(factors) == 1 and factors[0][0].operation == "@" and factors[0][1] == 1:
        return factors[0][0].text
    for base, exponent in factors:
        (above if exponent > 0 else below).append(_power_text(base, abs(exponent)))
    top = "·".join(above) or "1"
    if not below:
        return top
    return f"{top}/{below[0]}" if len(below) == 1 else f"{top}/({'·'.join(below)})"


def _power_text(base: Formula, exponent: float) -> str:
    if exponent == 1:
        atom = base.terms is None and base.operation in ("name", "call", "**")
        return base.text if atom else f"({base.text})"
    text = _bracketed(base)
    return text + _SUPERSCRIPTS[int(exponent)] if exponent in _SUPERSCRIPTS else f"{text}**{number_text(exponent)}"


# --- operators ------------------------------------------------------------------------------------------------------


def _ready(x: Any) -> Any:
    """Return an operand: an array that no name is known of stands as its shape."""
    return x if isinstance(x, Letter) or not np.ndim(x) else opaque(f"array{np.shape(x)}", x)


def _added(x: Any, y: Any) -> Any:
    x, y = _ready(x), _ready(y)
    return _sum([*_terms(x), *_terms(y)], _worth(operator.add, x, y))


def _subtracted(x: Any, y: Any) -> Any:
    x, y = _ready(x), _ready(y)
    return _sum([*_terms(x), *[(-c, factors) for c, factors in _terms(y)]], _worth(operator.sub, x, y))


def _multiplied(x: Any, y: Any) -> Any:
    x, y = _ready(x), _ready(y)
    return _product(x, y, _worth(operator.mul, x, y))


def _divided(x: Any, y: Any) -> Any:
    x, y = _ready(x), _ready(y)
    value = _worth(operator.truediv, x, y)
    return _product(x, 1 / float(y) if _is_number(y) and y else _inverse(y), value)


def _remainder(symbol: str, operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def written(x: Any, y: Any) -> Any:
        return Formula(f"{_bracketed(x)} {symbol} {_bracketed(y)}", "%", (x, y), _worth(operate, x, y))

    return written


def _comparison(symbol: str, operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Compare: of numbers the answer is known, of arrays it is a formula unless it is one and the same everywhere."""

    def compared(x: Any, y: Any) -> Any:
        answer = _worth(operate, x, y)
        alike = np.all(answer) or not np.any(answer)
        if alike:
            return bool(np.all(answer))
        return Formula(f"({_text(_ready(x))} {symbol} {_text(_ready(y))})", "call", (symbol, x, y), answer)

    return compared


def _both(operate: Callable[[Any, Any], Any], symbol: str) -> Callable[[Any, Any], Any]:
    return lambda x, y: Formula(f"({_text(x)} {symbol} {_text(y)})", "call", (symbol, x, y), _worth(operate, x, y))


def _chosen(condition: Any, x: Any, y: Any) -> Any:
    """Return the branch that holds, or a choice where it differs from element to element."""
    worth = _value(condition)
    if not np.ndim(worth) or np.all(worth) or not np.any(worth):
        return x if np.all(worth) else y
    shape = np.broadcast_shapes(*map(shape_of, (worth, _value(x), _value(y))))
    value = np.broadcast_to(_worth(np.where, condition, x, y), shape)
    return Formula(f"where({_text(condition)}, {_text(x)}, {_text(y)})", "call", ("where", condition, x, y), value)


def _bounded(x: Any, low: Any = None, high: Any = None) -> Any:
    value = _worth(np.clip, x, low, high)
    return Formula(f"clip({_text(x)}, {_text(low)}, {_text(high)})", "call", ("clip", x, low, high), value)


_SPELLED: dict[str, Callable[..., Any]] = {
    "where": _chosen,
    "clip": _bounded,
    "power": _power,
    "float_power": _power,
    "square": lambda x: _power(x, 2),
    "reciprocal": lambda x: _divided(1.0, x),
    "positive": lambda x: x,
    "negative": operator.neg,
    "remainder": _remainder("%", operator.mod),
}

for _name, _written in {
    "add": _added, "sub": _subtracted, "mul": _multiplied, "truediv": _divided, "pow": _power,
    "floordiv": _remainder("//", operator.floordiv), "mod": _remainder("%", operator.mod),
    "and": _both(operator.and_, "&"), "or": _both(operator.or_, "|"),
}.items():  # fmt: skip
    setattr(Formula, f"__{_name}__", _written)
    setattr(Formula, f"__r{_name}__", lambda y, x, written=_written: written(x, y))
for _name, _symbol in {"eq": "==", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}.items():
    setattr(Formula, f"__{_name}__", _comparison(_symbol, getattr(operator, _name)))
