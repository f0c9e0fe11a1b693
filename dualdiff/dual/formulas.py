"""The pushforward and the pullback of a line of the table, read off its partials.

Passing letters through a line gives its partials as text, and from the text come both directions of the derivative:

    dz = (dx - dy * z) / y                    for z = x / y; fractions over one denominator are added before they are
    gx = g / y,  gy = -(g / y) * z            divided, and the quotient they share is divided once
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.dual.recycling import straight_line
from dualdiff.floating import quiet
from dualdiff.letter import Letter
from dualdiff.primal import plain
from dualdiff.tangent import move, scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.rules.book import Line

__all__ = ["pullback", "pushforward", "pushforward_formula", "slopes", "sum_of_scaled"]

_NUMBERS = (float, int, bool)


def _names(line: Line) -> tuple[str, ...]:
    """Return the letters of a line's operands and, last, of its result."""
    return ("x", "y") if len(line.partials) == 1 else ("x", "y", "z")


def _partials(line: Line, letter: type[Letter] = Letter) -> list[Any]:
    letters = [letter(name) for name in _names(line)]
    return [p(*letters) if callable(p) else p for p in line.partials]


def _is(partial: Any, number: float) -> bool:
    return not isinstance(partial, Letter) and partial == number


def _fraction(partial: Any) -> tuple[Any, Any]:
    """Return numerator and denominator; a bare operand over something, as x/√(x² + y²), is one slope and safe whole."""
    if isinstance(partial, Letter) and partial.operation == "/":
        numerator, denominator = partial.parts
        if str(numerator).lstrip("-") not in {"x", "y"}:
            return numerator, denominator
    return partial, None


def _magnitude(slope: Any) -> tuple[bool, Any]:
    """Return whether a slope has a minus in front, and the slope without it."""
    minus = slope.operation == "neg" if isinstance(slope, Letter) else slope < 0
    return minus, slope if not minus else slope.parts[0] if isinstance(slope, Letter) else -slope


# --- forward ---------------------------------------------------------------------------------------------------


def _sum_of_products(tangents: Sequence[Any], factors: Sequence[Any]) -> Any:
    total: Any = None
    for tangent, slope in zip(tangents, factors, strict=True):
        minus, factor = _magnitude(slope)
        product = tangent if _is(factor, 1) else tangent * factor
        signed = -product if minus else product
        total = signed if total is None else total - product if minus else total + product
    return total


def pushforward_formula(line: Line, active: Sequence[bool], letter: type[Letter] = Letter) -> Any:
    """Return the tangent of the result as a formula in x, y (and z) and their tangents dx, dy."""
    moving: list[tuple[Any, Any]] = [
        (letter(f"d{name}"), p) for name, p, a in zip(_names(line), _partials(line, letter), active, strict=False) if a
    ]
    terms = [(tangent, p) for tangent, p in moving if not _is(p, 0)]
    if not terms:
        return moving[0][0] * 0.0
    tangents, factors = zip(*terms, strict=True)
    numerators, denominators = zip(*map(_fraction, factors), strict=True)
    if denominators[0] is not None and len(set(map(str, denominators))) == 1:
        return _sum_of_products(tangents, numerators) / denominators[0]
    return _sum_of_products(tangents, factors)


def pushforward(line: Line, active: tuple[bool, ...]) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    """Return ``(operands…, result, active tangents…) -> tangent of the result``; made once for each line.

    The second is the same in recycled memory, where the line can do with that.
    """
    made = line.pushforwards.get(active)
    if made is None:
        made = line.pushforwards[active] = _made_pushforward(line, active)
    return made


def _made_pushforward(line: Line, active: tuple[bool, ...]) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    if not line.traced:
        n = len(active) + 1
        return (lambda *given: sum_of_scaled(line, given[:n], _spread(given[n:], active))), None
    names = _names(line)
    arguments = [*names, *(f"d{n}" for n, a in zip(names, active, strict=False) if a)]
    formula = pushforward_formula(line, active)
    source = f"lambda {', '.join(arguments)}: {formula}"
    plainly = eval(source, vars(functions))  # noqa: S307 - the text is the table's own
    return plainly, straight_line(formula, arguments)


def _spread(given: Sequence[Any], active: Sequence[bool]) -> list[Any]:
    tangents = iter(given)
    return [next(tangents) if a else None for a in active]


# --- backward --------------------------------------------------------------------------------------------------


def pullback(line: Line, active: tuple[bool, ...]) -> tuple[Callable[..., Any], int]:
    """Return ``(g, operands…, result) -> cotangents of the active operands``, and what it is to be given.

    That is 0 for g alone, 1 for the operands as well, 2 for the result, too.  Made once for each line.
    """
    made = line.pullbacks.get(active)
    if made is None:
        made = line.pullbacks[active] = _made_pullback(line, active)
    return made


def _made_pullback(line: Line, active: tuple[bool, ...]) -> tuple[Callable[..., Any], int]:
    names = _names(line)
    if not line.traced:
        chosen = [p for p, a in zip(line.partials, active, strict=True) if a]
        return (lambda g, *given: tuple(g * (p(*given) if callable(p) else p) for p in chosen)), 2
    terms, shared = [], ""
    for partial, a in zip(_partials(line), active, strict=True):
        if not a:
            continue
        numerator, denominator = _fraction(partial)
        minus, factor = _magnitude(numerator)
        cotangent = Letter("g")
        if denominator is not None:
            quotient = cotangent / denominator
            cotangent = Letter("q" if str(quotient) == shared else f"(q := {quotient})")
            shared = str(quotient)
        product = cotangent if _is(factor, 1) else _times(cotangent, factor)
        terms.append(str(-product if minus else product))
    text = f"({', '.join(terms)},)"
    reads = 0 if not line.curved else 2 if names[-1] in _words(text) else 1
    given = ("g", *names) if reads == 2 else ("g", *names[:-1]) if reads else ("g",)
    return eval(f"lambda {', '.join(given)}: {text}", vars(functions)), reads  # noqa: S307 - the table's own text


def _times(cotangent: Letter, factor: Any) -> Any:
    """Return g·2·x for g·(2·x): a cotangent may be one number that stands for many, and then this is half the work."""
    if isinstance(factor, Letter) and factor.operation == "*" and not isinstance(factor.parts[0], Letter):
        return cotangent * factor.parts[0] * factor.parts[1]
    return cotangent * factor


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


# --- the exact, slower way -------------------------------------------------------------------------------------


def slopes(line: Line, values: Sequence[Any], active: Sequence[bool]) -> list[Any]:
    """Return the partial of each active operand as numbers (None for the others), NaN where there is no value."""
    *operands, result = values
    kind = np.result_type(getattr(result, "dtype", float)).type
    values = [*(kind(v) if type(v) in _NUMBERS else v for v in operands), result]  # Python's numbers do not divide by 0
    with quiet():
        undefined = result != result
        found: list[Any] = []
        for slope_of, a in zip(line.partials, active, strict=True):
            if not a:
                found.append(None)
                continue
            slope = slope_of(*values) if callable(slope_of) else slope_of
            found.append(np.where(undefined, slope * np.nan, slope))
    return found


def _chosen(slope: Any, tangent: Any) -> Any:
    """Return the tangent of a branch, 0 where it is not taken, be it infinite there."""
    taken = plain(slope) != 0
    return move(lambda t: np.where(taken, t, 0), tangent)


def sum_of_scaled(line: Line, values: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return Σ partialᵢ · tangentᵢ with strong zeros, and NaN where there is no value."""
    total: Any = None
    with quiet():
        for slope, tangent in zip(slopes(line, values, [t is not None for t in tangents]), tangents, strict=True):
            if tangent is not None:
                term = scale(slope, _chosen(slope, tangent) if line.chooses else tangent)
                total = term if total is None else total + term
    return total
