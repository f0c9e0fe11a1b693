"""The methods of ufuncs on Duals: ``np.add.reduce(x)``, ``np.multiply.outer(x, y)``, …, from operations with rules."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual.operands import packed
from dualdiff.errors import NoRuleError, dropped_into
from dualdiff.primal import plain
from dualdiff.rules.book import Constant, Entry

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["METHODS"]

# Reductions that NumPy has as functions, whose rules need no fold.
_REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_ACCUMULATIONS = {np.add: np.cumsum, np.multiply: np.cumprod}


def _rows(array: Any, axis: int) -> list[Any]:
    """Return the slices along `axis`."""
    return list(np.moveaxis(packed(array), axis, 0))


def _constant(method: str, entry: Entry, *inputs: Any, **settings: Any) -> Any:
    return getattr(entry.function, method)(*(plain(packed(x)) for x in inputs), **settings)


def _reduce(entry: Entry, array: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False, **settings: Any) -> Any:
    """Combine the elements along an axis."""
    if isinstance(entry, Constant):
        return _constant("reduce", entry, array, axis=axis, keepdims=keepdims, **settings)
    if entry.function in _REDUCTIONS:
        if entry.function in (np.add, np.multiply) and dtype is not None:
            settings["dtype"] = dtype
        elif dtype is not None:
            array = np.positive(packed(array), dtype=dtype)
        return _REDUCTIONS[entry.function](packed(array), axis=axis, keepdims=keepdims, **settings)  # type: ignore[operator]
    array = array if dtype is None else np.positive(packed(array), dtype=dtype)
    if settings.get("where", True) is not True or not hasattr(axis, "__index__"):
        message = f"{entry.name}.reduce on a Dual takes one axis and no where=; write the reduction as a loop instead"
        raise NoRuleError(message)
    first, *rest = _rows(array, axis)
    total = entry.function(settings["initial"], first) if "initial" in settings else first
    for row in rest:
        total = entry.function(total, row)
    return np.expand_dims(total, axis) if keepdims else total


def _accumulate(entry: Entry, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Combine the elements up to each one."""
    if isinstance(entry, Constant):
        return _constant("accumulate", entry, array, axis=axis)
    if entry.function in _ACCUMULATIONS:
        return _ACCUMULATIONS[entry.function](packed(array), axis=axis, dtype=dtype)  # type: ignore[operator]
    first, *rest = _rows(array, axis)
    totals = [first]
    for row in rest:
        totals.append(entry.function(totals[-1], row))
    return np.stack(totals, axis=axis)


def _reduceat(entry: Entry, array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Combine each run from one index to the next; an index not below the next one takes its own element."""
    if isinstance(entry, Constant):
        return _constant("reduceat", entry, array, indices=indices, axis=axis)
    rows = np.moveaxis(packed(array), axis, 0)
    runs = [(i, j) if i < j else (i, i + 1) for i, j in pairwise([*indices, len(rows)])]
    return np.stack([_reduce(entry, rows[i:j], 0, dtype) for i, j in runs], axis=axis)


def _outer(entry: Entry, x: Any, y: Any, **settings: Any) -> Any:
    """Combine every element of `x` with every element of `y`."""
    x, y = packed(x), packed(y)
    return entry.function(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y, **settings)


def _at(entry: Entry, target: Any, indices: Any, values: Any = None) -> None:
    """Apply in place at `indices`, one after the other where they repeat."""
    if not hasattr(target, "_tangent"):
        raise dropped_into(f"the target of {entry.name}.at")
    places = np.unravel_index(np.arange(target.size).reshape(target.shape)[indices], target.shape)
    each = [place if len(place) > 1 else place[0] for place in zip(*map(np.ravel, places), strict=True)]
    if values is None:
        for place in each:
            target[place] = entry.function(target[place])
        return
    spread = np.ravel(np.broadcast_to(packed(values), places[0].shape))
    for place, value in zip(each, spread, strict=True):
        target[place] = entry.function(target[place], value)


METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce, "accumulate": _accumulate, "reduceat": _reduceat, "outer": _outer, "at": _at,
}  # fmt: skip
