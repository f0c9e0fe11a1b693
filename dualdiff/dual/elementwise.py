"""A line of the table applied to numbers, arrays and Duals of any derivatives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual.array import DualArray
from dualdiff.dual.formulas import pushforward, sum_of_scaled
from dualdiff.dual.number import wrap
from dualdiff.dual.operands import separated
from dualdiff.dual.recycling import LARGE, is_large
from dualdiff.errors import NoRuleError
from dualdiff.floating import watchful
from dualdiff.primal import ndim_of
from dualdiff.rules.elementary import SQUARE, constant_power
from dualdiff.tangent import any_nan, fitted, has_nan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.rules.book import Line
    from dualdiff.tag import Tag

__all__ = ["elementwise", "of_array", "pushed"]


def elementwise(line: Line, operands: Sequence[Any], **settings: Any) -> Any:
    """Return the Dual of an elementwise function of numbers, arrays and Duals of any derivatives.

    `settings` are the ufunc's own (dtype, casting, …).
    """
    if line.function is np.multiply and operands[0] is operands[1]:  # x * x, whose two halves are the same
        return elementwise(SQUARE, operands[:1], **settings)
    tag, values, tangents = separated(operands, kept=line.curved)
    if tag is None:
        return line.function(*values, **settings)
    if line.function is np.power and not settings and tangents[1] is None and _is_finite_number(values[1]):
        line, values, tangents = constant_power(values[1]), values[:1], tangents[:1]
    if line.on_complex is not None and any(map(np.iscomplexobj, values)):
        return line.on_complex(*operands)
    if type(values[0]) in _NUMBERS and type(values[-1]) in _NUMBERS:  # NumPy's divide by zero; Python's raise
        values = [np.float64(v) if type(v) is float else v for v in values]
    try:
        return (_recorded if tag.records else _pushed)(line, tag, values, tangents, settings)
    except TypeError as error:
        if any(np.iscomplexobj(v) for v in values):
            message = f"{line.name} has no rule for complex numbers: write it in functions that have one ({error})"
            raise NoRuleError(message) from error
        raise


def of_array(line: Line, x: Any) -> Any:
    """Return the Dual of a function of one operand."""
    tag, value = x._tag, x._value
    if type(value) is not np.ndarray or not tag.alive or value.size >= LARGE or value.dtype.kind != "f":
        return elementwise(line, (x,))
    if not tag.records:
        return pushed(line, tag, _ONE, (value,), line.function(value), (x._tangent,))
    if not x._borrowed:
        return elementwise(line, (x,))
    return x._tangent.recorded(line, tag, _ONE, (value,), line.function(value), (x._tangent,))


_ONE = (True,)


def _recorded(line: Line, tag: Tag, values: Sequence[Any], tangents: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Return the Dual whose tangent is a step of a record, which evaluates slopes when it is read."""
    result = line.function(*values, **settings)
    if not line.traced:  # a user's partials may look at what will have changed when the record is read
        return wrap(result, fitted(sum_of_scaled(line, [*values, result], tangents), result), tag)
    sources = tuple([t for t in tangents if t is not None])
    active = tuple([t is not None for t in tangents])
    if type(result) is np.ndarray and result.ndim and not settings:
        return sources[0].recorded(line, tag, active, tuple(values), result, sources)
    step = sources[0].through(line, active, tuple(values), result, sources)
    return wrap(result, fitted(step, result) if settings else step, tag)


def _pushed(line: Line, tag: Tag, values: Sequence[Any], tangents: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Return the Dual whose tangent is computed at once."""
    active = tuple([t is not None for t in tangents])
    moving = [t for t in tangents if t is not None]
    shape = is_large(values, moving) if tag.workspace is not None and not settings else None
    if not shape:
        return pushed(line, tag, active, values, line.function(*values, **settings), moving)
    take = tag.workspace.take
    result = line.function(*values, out=take(shape)) if isinstance(line.function, np.ufunc) else line.function(*values)
    _, recycled = pushforward(line, active)
    if recycled is None:
        return pushed(line, tag, active, values, result, moving)
    try:
        with watchful():
            tangent = recycled(take, shape, *values, result, *moving)
    except FloatingPointError:
        return _exactly(line, tag, active, values, result, moving)
    # A formula of ufuncs alone is NaN where the value is not only if it has raised, so the value tells of both.
    if line.curved and any_nan(result):
        return _exactly(line, tag, active, values, result, moving)
    return wrap(result, tangent, tag)


def pushed(line: Line, tag: Tag, active: tuple[bool, ...], values: Any, result: Any, moving: Sequence[Any]) -> Any:
    """Return the Dual of a result and of its tangent by the formula of the line, if that will do."""
    formula, _ = line.pushforwards.get(active) or pushforward(line, active)
    try:
        with watchful():
            tangent = formula(*values, result, *moving)
    except (FloatingPointError, ZeroDivisionError):
        return _exactly(line, tag, active, values, result, moving)
    plainly = type(tangent) is type(result) is np.ndarray and tangent.dtype is result.dtype
    if not plainly or tangent.shape != result.shape:
        tangent = fitted(tangent, result)
    if line.curved and has_nan(result, tangent):
        return _exactly(line, tag, active, values, result, moving)
    for own in moving:
        if tangent is own and ndim_of(result):  # x + c moves as x does, but in memory of its own
            tangent = tangent.copy()
    if not plainly or tangent.strides != result.strides or not result.ndim:
        return wrap(result, tangent, tag)
    dual = object.__new__(DualArray)  # as wrap makes it, for the commonest case
    dual._value, dual._tangent, dual._tag = result, tangent, tag
    dual._origin = dual._views = None
    dual._borrowed = False
    return dual


def _exactly(line: Line, tag: Tag, active: tuple[bool, ...], values: Any, result: Any, moving: Sequence[Any]) -> Any:
    """Return the Dual whose tangent has strong zeros, and NaN where there is no value."""
    waiting = iter(moving)
    tangents = [next(waiting) if a else None for a in active]
    return wrap(result, fitted(sum_of_scaled(line, [*values, result], tangents), result), tag)


_NUMBERS = (float, int, bool)


def _is_finite_number(x: Any) -> bool:
    return (type(x) in _NUMBERS or isinstance(x, (np.floating, np.integer))) and math.isfinite(x)
