"""A line of the table applied to numbers, arrays and Duals of any derivatives.

Passing letters through a line gives its partials as text, and from the text comes the pushforward of the line:

    dz = (dx - dy * z) / y        for z = x / y; fractions over one denominator are added before they are divided
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.dual.number import wrap
from dualdiff.dual.operands import separated
from dualdiff.errors import NoRuleError
from dualdiff.floating import quiet, watchful
from dualdiff.letter import Letter, bracketed
from dualdiff.primal import ndim_of
from dualdiff.rules.elementary import SQUARE, constant_power
from dualdiff.tangent import fitted, has_nan, scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.rules.book import Line

__all__ = ["elementwise", "pushforward_text"]


# --- the pushforward of a line, read off its partials -----------------------------------------------------------


def _terms(line: Line, active: Sequence[bool], letter: type[Letter]) -> list[tuple[str, Any]]:
    """Return (tangent's name, partial as a number or a letter) for each active operand that matters."""
    names = ("x",) if len(active) == 1 else ("x", "y")
    letters = [letter(name) for name in (*names, "y" if len(active) == 1 else "z")]
    partials = [p(*letters) if callable(p) else p for p in line.partials]
    return [(f"d{n}", p) for n, p, a in zip(names, partials, active, strict=True) if a and not _is(p, 0)]


def _is(partial: Any, number: float) -> bool:
    return not isinstance(partial, Letter) and partial == number


def _fraction(partial: Any) -> tuple[Any, Any]:
    """Return numerator and denominator; a bare operand over something, as x/√(x² + y²), is one slope and safe whole."""
    if isinstance(partial, Letter) and partial.operation == "/":
        numerator, denominator = partial.parts
        if str(numerator).lstrip("-") not in {"x", "y"}:
            return numerator, denominator
    return partial, None


def _sum_of_products(terms: Sequence[tuple[str, Any]]) -> str:
    text = ""
    for tangent, partial in terms:
        sign, factor = "+", partial
        if isinstance(partial, Letter) and partial.operation == "neg":
            sign, factor = "-", partial.parts[0]
        elif not isinstance(partial, Letter) and partial < 0:
            sign, factor = "-", -partial
        product = tangent if _is(factor, 1) else f"{tangent} * {bracketed(factor, 6)}"
        text = f"{text} {sign} {product}" if text else product if sign == "+" else f"-{product}"
    return text


def pushforward_text(line: Line, active: Sequence[bool], letter: type[Letter] = Letter) -> str:
    """Return the tangent of the result as Python text in x, y (and z) and their tangents dx, dy."""
    terms = _terms(line, active, letter)
    if not terms:
        return f"0.0 * d{'xy'[list(active).index(True)]}"
    numerators, denominators = zip(*((_fraction(p)) for _, p in terms), strict=True)
    if denominators[0] is not None and len({str(d) for d in denominators}) == 1:
        total = _sum_of_products([(t, n) for (t, _), n in zip(terms, numerators, strict=True)])
        return f"{f'({total})' if len(terms) > 1 else total} / {bracketed(denominators[0], 6)}"
    return _sum_of_products(terms)


def _pushforward(line: Line, active: tuple[bool, ...]) -> Callable[..., Any]:
    """Return ``(operands…, result, active tangents…) -> tangent of the result``; made once for each line."""
    if not line.traced:
        n = len(active) + 1
        return lambda *given: _sum_of_scaled(line, given[:n], _spread(given[n:], active))
    names = ("x", "y") if len(active) == 1 else ("x", "y", "z")
    tangents = [f"d{n}" for n, a in zip(names, active, strict=False) if a]
    source = f"lambda {', '.join([*names, *tangents])}: {pushforward_text(line, active)}"
    return eval(source, vars(functions))  # type: ignore[no-any-return] # noqa: S307 - the text is the table's own


def _spread(given: Sequence[Any], active: Sequence[bool]) -> list[Any]:
    tangents = iter(given)
    return [next(tangents) if a else None for a in active]


def _sum_of_scaled(line: Line, values: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return Σ partialᵢ · tangentᵢ with strong zeros, and NaN where there is no value: the exact, slower way."""
    total: Any = None
    *operands, result = values
    kind = np.result_type(getattr(result, "dtype", float)).type
    values = [*(kind(v) if type(v) in _NUMBERS else v for v in operands), result]  # Python's numbers do not divide by 0
    with quiet():
        undefined = result != result
        for partial, tangent in zip(line.partials, tangents, strict=True):
            if tangent is not None:
                slope = partial(*values) if callable(partial) else partial
                term = scale(np.where(undefined, slope * np.nan, slope), tangent)
                total = term if total is None else total + term
    return total


# --- a line applied to whatever operands ------------------------------------------------------------------------


def elementwise(line: Line, operands: Sequence[Any], **settings: Any) -> Any:
    """Return the Dual of an elementwise function of numbers, arrays and Duals of any derivatives.

    `settings` are the ufunc's own (dtype, casting, …).
    """
    if line.function is np.multiply and operands[0] is operands[1]:  # x * x, whose two halves are the same
        return elementwise(SQUARE, operands[:1], **settings)
    tag, values, tangents = separated(operands)
    if tag is None:
        return line.function(*values, **settings)
    if line.function is np.power and not settings and tangents[1] is None and _is_finite_number(values[1]):
        line, values, tangents = constant_power(values[1]), values[:1], tangents[:1]
    if line.on_complex is not None and any(map(np.iscomplexobj, values)):
        return line.on_complex(*operands)
    if type(values[0]) in _NUMBERS and type(values[-1]) in _NUMBERS:  # NumPy's divide by zero; Python's raise
        values = [np.float64(v) if type(v) is float else v for v in values]
    result = line.function(*values, **settings)
    active = tuple(t is not None for t in tangents)
    pushforward = line.pushforwards.get(active)
    if pushforward is None:
        pushforward = line.pushforwards[active] = _pushforward(line, active)
    moving = [t for t in tangents if t is not None]
    try:
        with watchful():
            tangent = pushforward(*values, result, *moving)
    except (FloatingPointError, ZeroDivisionError):
        tangent = _sum_of_scaled(line, [*values, result], tangents)
    except TypeError as error:
        if any(np.iscomplexobj(v) for v in values):
            message = f"{line.name} has no rule for complex numbers: write it in functions that have one ({error})"
            raise NoRuleError(message) from error
        raise
    tangent = fitted(tangent, result)
    if line.curved and has_nan(result, tangent):
        tangent = fitted(_sum_of_scaled(line, [*values, result], tangents), result)
    for own in moving:
        if tangent is own and ndim_of(result):
            tangent = tangent.copy()
    return wrap(result, tangent, tag)


_NUMBERS = (float, int, bool)


def _is_finite_number(x: Any) -> bool:
    return (type(x) in _NUMBERS or isinstance(x, (np.floating, np.integer))) and math.isfinite(x)
