"""What an operation is handed: which derivative is active in it, and what its operands are to that derivative."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual.number import Dual, wrap
from dualdiff.tangent import move

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dualdiff.tag import Tag

__all__ = ["extract", "is_operand", "live", "newest", "packed", "split"]


def live(x: Any) -> Any:
    """Return `x` without the tangents of derivatives that have returned: to those it is a constant."""
    while isinstance(x, Dual) and not x._tag.alive:
        x = x._value
    return x


def newest(operands: Iterable[Any]) -> Tag | None:
    """Return the tag of the newest derivative that has not returned; None where there is no Dual of one."""
    tag = None
    for x in map(live, operands):
        if isinstance(x, Dual) and x._tag is not tag and (tag is None or x._tag.key > tag.key):
            tag = x._tag
    return tag


def split(operands: Sequence[Any], tag: Tag | None) -> tuple[list[Any], list[Any]]:
    """Return values and tangents of the operands; None as the tangent of what is constant to `tag`."""
    values, tangents = [], []
    for x in map(live, operands):
        if isinstance(x, Dual) and x._tag is tag:
            values.append(x._value)
            tangents.append(x._tangent)
        else:
            values.append(x)
            tangents.append(None)
    return values, tangents


def extract(y: Any, tag: Tag) -> tuple[Any, Any]:
    """Return value and tangent of a result `y` with respect to `tag`; None where it does not depend on it.

    A newer derivative that is still alive (in another thread, in a suspended generator) is differentiated through:
    its value and its tangent each have a part that moves with `tag`.
    """
    y = live(y)
    if not isinstance(y, Dual) or y._tag.key < tag.key:
        return y, None
    if y._tag is tag:
        return live(y._value), live(y._tangent)
    value, of_value = extract(y._value, tag)
    tangent, of_tangent = extract(y._tangent, tag)
    if of_value is None and of_tangent is None:
        return y, None
    zero = 0.0 * value
    moved = wrap(zero if of_value is None else of_value, zero if of_tangent is None else of_tangent, y._tag)
    return wrap(value, tangent, y._tag), moved


def packed(x: Any) -> Any:
    """Return nested lists and object arrays of numbers and Duals as one Dual, or as a plain array.

    ``np.array([s * t, s + t])`` is how people return a vector; NumPy makes an object array of it.
    """
    if isinstance(x, np.ndarray):
        if x.dtype != object:
            return x.view(np.ndarray) if type(x) is np.memmap else x
        members = packed(list(x.ravel()))
        return np.reshape(members, x.shape + np.shape(members)[1:])
    if not isinstance(x, (list, tuple)):
        return x
    items = [live(packed(item)) for item in x]
    tag = newest(items)
    if tag is None:
        return np.array(items)
    values, tangents = split(items, tag)
    shapes = [np.shape(v) for v in values]
    if len(set(shapes)) > 1:
        message = f"a list of a Dual is read as one array, but its rows have different shapes: {shapes}"
        raise ValueError(message)
    stacked = packed(values) if any(isinstance(v, Dual) for v in values) else np.array(values)
    if getattr(stacked, "dtype", np.dtype(object)).kind not in "biufc":
        return x
    return wrap(stacked, move(_together, *tangents, shapes=shapes), tag)


def _together(*rows: Any) -> Any:
    return packed(list(rows)) if any(isinstance(row, Dual) for row in rows) else np.array(rows)


Dual.packed = staticmethod(packed)  # type: ignore[method-assign]


def is_operand(x: Any) -> bool:
    """Tell whether `x` is a number, an array, a list or a Dual; anything else may know better what to do."""
    if isinstance(x, (Dual, float, int, complex, np.generic)):
        return not isinstance(x, (np.str_, np.bytes_, np.void, np.datetime64, np.timedelta64))
    if isinstance(x, np.ndarray):
        return type(x) in (np.ndarray, np.memmap) and x.dtype.kind in "biufcO"
    return isinstance(x, (list, tuple, numbers.Number))
