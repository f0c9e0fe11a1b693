"""What an operation is handed: which derivative is active in it, and what its operands are to that derivative."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from dualdiff.dual.number import Dual, wrap
from dualdiff.primal import shape_of
from dualdiff.stacked import Stacked
from dualdiff.tangent import move

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dualdiff.tag import Tag

__all__ = ["extract", "is_operand", "kept", "live", "packed", "separated", "settled"]


def live(x: Any) -> Any:
    """Return `x` without the tangents of derivatives that have returned: to those it is a constant."""
    while isinstance(x, Dual) and not x._tag.alive:
        x = x._value
    return x


def separated(operands: Iterable[Any], kept: bool = False) -> tuple[Tag | None, list[Any], list[Any]]:
    """Return the tag of the newest living derivative among the operands, and their values and tangents under it.

    What is constant to that derivative has None for its tangent; without any living derivative the tag is None.
    Nested lists and object arrays count as the arrays they stand for.  With `kept`, arrays that somebody may write into
    are copied where a record is to keep them.
    """
    tag, values = None, []
    for x in operands:
        if isinstance(x, Dual):
            if not x._tag.alive:
                x = live(x)  # noqa: PLW2901 - as it is to this operation
        elif isinstance(x, _CONTAINERS):
            x = live(packed(x)) if type(x) is not np.ndarray or x.dtype is _OBJECT else x  # noqa: PLW2901
            if isinstance(x, np.ndarray) and type(x) is not np.ndarray:
                x = _unadorned(x)  # noqa: PLW2901
        if isinstance(x, Dual) and x._tag is not tag and (tag is None or x._tag.key > tag.key):
            tag = x._tag
        values.append(x)
    tangents: list[Any] = [None] * len(values)
    if tag is None:
        return tag, values, tangents
    kept = kept and tag.records
    for i, x in enumerate(values):
        if isinstance(x, Dual) and x._tag is tag:
            values[i], tangents[i] = x._value, x._tangent
            if kept and x.ndim and not x._borrowed:  # type: ignore[attr-defined]
                if x._origin is None:  # type: ignore[attr-defined]
                    x._borrowed = True  # type: ignore[attr-defined] # by the record: the next write is into a copy
                else:
                    values[i] = x._value.copy()
        elif kept and not isinstance(x, _IMMUTABLE):
            values[i] = _kept(x)
    return tag, values, tangents


def _unadorned(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a memory-mapped array as a plain one; refuse masks and matrices, whose meaning would be lost."""
    if type(x) is np.memmap:
        return x.view(np.ndarray)
    message = f"a {type(x).__name__} means more than its numbers, which a Dual does not know: use np.asarray(...) of it"
    raise TypeError(message)


_CONTAINERS = (np.ndarray, list, tuple)
_OBJECT = np.dtype(object)
_IMMUTABLE = (float, int, complex, np.generic)


_copies: WeakValueDictionary[int, np.ndarray[Any, Any]] = WeakValueDictionary()
"""The copies that records hold of large arrays, by the id of what was copied."""
_LARGE = 4096  # bytes


def kept(x: Any) -> Any:
    """Return what f gave to a function, to be kept in a record: arrays that may be written into are copied.

    A loop that uses one large array again and again has one copy of it, as long as nobody has written into it.
    """
    if isinstance(x, np.ndarray):
        if x.nbytes < _LARGE:
            return x.copy(order="K")
        copy = _copies.get(id(x))
        if copy is None or copy.dtype != x.dtype or copy.shape != x.shape or not np.array_equal(copy, x):
            copy = _copies[id(x)] = x.copy(order="K")
        return copy
    if isinstance(x, Dual) and x.ndim:
        return x.copy(order="K")
    if type(x) in (list, tuple):
        return type(x)(map(kept, x))
    return x


_kept = kept


def extract(y: Any, tag: Tag) -> tuple[Any, Any]:
    """Return value and tangent of a result `y` with respect to `tag`; None where it does not depend on it.

    A newer derivative that is still alive (in another thread, in a suspended generator) is differentiated through:
    its value and its tangent each have a part that moves with `tag`.
    """
    y = live(y)
    if not isinstance(y, Dual) or y._tag.key < tag.key:
        return y, None
    if y._tag is tag:
        return settled(y._value), settled(y._tangent)
    value, of_value = extract(y._value, tag)
    tangent, of_tangent = extract(y._tangent, tag)
    if of_value is None and of_tangent is None:
        return y, None
    zero = 0.0 * value
    moved = wrap(zero if of_value is None else of_value, zero if of_tangent is None else of_tangent, y._tag)
    return wrap(value, tangent, y._tag), moved


def settled(x: Any) -> Any:
    """Return `x` without the tangents of derivatives that have returned, at every level."""
    x = live(x)
    if isinstance(x, Stacked):
        array = settled(x.array)
        return x if array is x.array else Stacked(array)
    if not isinstance(x, Dual):
        return x
    value, tangent = settled(x._value), settled(x._tangent)
    return x if value is x._value and tangent is x._tangent else wrap(value, tangent, x._tag)


def packed(x: Any) -> Any:
    """Return nested lists and object arrays of numbers and Duals as one Dual, or as a plain array.

    ``np.array([s * t, s + t])`` is how people return a vector; NumPy makes an object array of it.
    """
    if isinstance(x, np.ndarray):
        if x.dtype != object:
            return x
        members = packed(list(x.ravel()))
        return np.reshape(members, x.shape + shape_of(members)[1:])
    if not isinstance(x, (list, tuple)):
        return x
    quick = _row(x)
    if quick is not None:
        return quick
    tag, values, tangents = separated(x)
    if tag is None:
        return np.array(values)
    shapes = [shape_of(v) for v in values]
    if len(set(shapes)) > 1:
        message = f"a list of a Dual is read as one array, but its rows have different shapes: {shapes}"
        raise ValueError(message)
    stacked = packed(values) if any(isinstance(v, Dual) for v in values) else np.array(values)
    if getattr(stacked, "dtype", np.dtype(object)).kind not in "biufc":
        return x
    return wrap(stacked, move(_together, *tangents, shapes=shapes), tag)


def _row(items: Sequence[Any]) -> Any:
    """Pack the commonest list, of floats and scalar Duals of one living derivative; return None for any other."""
    tag, values, tangents = None, [], []
    for item in items:
        if type(item) is float:
            values.append(item)
            tangents.append(0.0)
            continue
        if type(item) is not Dual or type(item._value) is not float or type(item._tangent) is not float:
            return None
        if item._tag is not tag and tag is not None:
            return None
        tag = item._tag
        values.append(item._value)
        tangents.append(item._tangent)
    return wrap(np.array(values), np.array(tangents), tag) if tag is not None and tag.alive else None


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
