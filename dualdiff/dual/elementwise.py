"""A line of the table applied to numbers, arrays and Duals of any derivatives.

Passing letters through a line gives its partials as text, and from the text comes the pushforward of the line:

    dz = (dx - dy * z) / y        for z = x / y; fractions over one denominator are added before they are divided
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.dual.number import wrap
from dualdiff.dual.operands import separated
from dualdiff.dual.recycling import is_large, straight_line
from dualdiff.errors import NoRuleError
from dualdiff.floating import quiet, watchful
from dualdiff.letter import Letter
from dualdiff.primal import ndim_of
from dualdiff.rules.elementary import SQUARE, constant_power
from dualdiff.tangent import fitted, has_nan, scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.rules.book import Line

__all__ = ["elementwise", "pushforward_formula"]


# --- the pushforward of a line, read off its partials -----------------------------------------------------------


def _is(partial: Any, number: float) -> bool:
    return not isinstance(partial, Letter) and partial == number


def _fraction(partial: Any) -> tuple[Any, Any]:
    """Return numerator and denominator; a bare operand over something, as x/√(x² + y²), is one slope and safe whole."""
    if isinstance(partial, Letter) and partial.operation == "/":
        numerator, denominator = partial.parts
        if str(numerator).lstrip("-") not in {"x", "y"}:
            return numerator, denominator
    return partial, None


def _sum_of_products(tangents: Sequence[Any], factors: Sequence[Any]) -> Any:
    total: Any = None
    for tangent, slope in zip(tangents, factors, strict=True):
        minus = slope.operation == "neg" if isinstance(slope, Letter) else slope < 0
        factor = slope if not minus else slope.parts[0] if isinstance(slope, Letter) else -slope
        product = tangent if _is(factor, 1) else tangent * factor
        signed = -product if minus else product
        total = signed if total is None else total - product if minus else total + product
    return total


def pushforward_formula(line: Line, active: Sequence[bool], letter: type[Letter] = Letter) -> Any:
    """Return the tangent of the result as a formula in x, y (and z) and their tangents dx, dy."""
    names = ("x",) if len(active) == 1 else ("x", "y")
    letters = [letter(name) for name in (*names, "y" if len(active) == 1 else "z")]
    partials = [p(*letters) if callable(p) else p for p in line.partials]
    moving: list[tuple[Any, Any]] = [
        (letter(f"d{name}"), p) for name, p, a in zip(names, partials, active, strict=True) if a
    ]
    terms = [(tangent, p) for tangent, p in moving if not _is(p, 0)]
    if not terms:
        return moving[0][0] * 0.0
    tangents, factors = zip(*terms, strict=True)
    numerators, denominators = zip(*map(_fraction, factors), strict=True)
    if denominators[0] is not None and len(set(map(str, denominators))) == 1:
        return _sum_of_products(tangents, numerators) / denominators[0]
    return _sum_of_products(tangents, factors)


def _pushforward(line: Line, active: tuple[bool, ...]) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    """Return ``(operands…, result, active tangents…) -> tangent of the result``; made once for each line.

    The second is the same in recycled memory, where the line can do with that.
    """
    if not line.traced:
        n = len(active) + 1
        return (lambda *given: _sum_of_scaled(line, given[:n], _spread(given[n:], active))), None
    names = ("x", "y") if len(active) == 1 else ("x", "y", "z")
    arguments = [*names, *(f"d{n}" for n, a in zip(names, active, strict=False) if a)]
    formula = pushforward_formula(line, active)
    source = f"lambda {', '.join(arguments)}: {formula}"
    plainly = eval(source, vars(functions))  # noqa: S307 - the text is the table's own
    return plainly, straight_line(formula, arguments)


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
        for slope_of, tangent in zip(line.partials, tangents, strict=True):
            if tangent is not None:
                slope = slope_of(*values) if callable(slope_of) else slope_of
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
    active = tuple(t is not None for t in tangents)
    made = line.pushforwards.get(active)
    if made is None:
        made = line.pushforwards[active] = _pushforward(line, active)
    pushforward, recycled = made
    moving = [t for t in tangents if t is not None]
    shape = is_large(values, moving) if tag.workspace is not None and not settings else None
    if shape and isinstance(line.function, np.ufunc):
        result = line.function(*values, out=tag.workspace.take(shape))
    else:
        result = line.function(*values, **settings)
    if shape and recycled is not None:
        pushforward = partial(recycled, tag.workspace.take, shape)
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
    # A formula of ufuncs alone is NaN where the value is not only if it has raised, so the value tells of both.
    if line.curved and has_nan(result, result if shape and recycled is not None else tangent):
        tangent = fitted(_sum_of_scaled(line, [*values, result], tangents), result)
    for own in moving:
        if tangent is own and ndim_of(result):
            tangent = tangent.copy()
    return wrap(result, tangent, tag)


_NUMBERS = (float, int, bool)


def _is_finite_number(x: Any) -> bool:
    return (type(x) in _NUMBERS or isinstance(x, (np.floating, np.integer))) and math.isfinite(x)
