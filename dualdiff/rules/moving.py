"""Functions that only move, repeat, drop or join elements: what moves the value moves the tangent.

One rule serves them all, so here is one list.  Below it, the few that choose elements by another argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dualdiff.errors import dropped_into
from dualdiff.primal import plain
from dualdiff.rules.book import composed, creates, moves, rule
from dualdiff.tangent import linear, move, zeros

__all__: list[str] = []

# fmt: off
moves(np.reshape,      "np.reshape(A, (1, 9))", "np.reshape(x, (3, 1))")
moves(np.ravel,        "np.ravel(A)", "np.ravel(A.T)")
moves(np.transpose,    "np.transpose(M)", "np.transpose(T, (1, 0, 2))")
moves(np.matrix_transpose, "np.matrix_transpose(T)")
moves(np.linalg.matrix_transpose, "np.linalg.matrix_transpose(T)")
moves(np.swapaxes,     "np.swapaxes(T, 0, 2)")
moves(np.moveaxis,     "np.moveaxis(T, 0, -1)")
moves(np.rollaxis,     "np.rollaxis(T, 2)")
moves(np.squeeze,      "np.squeeze(np.reshape(x, (1, 3)))")
moves(np.expand_dims,  "np.expand_dims(x, 0)")
moves(np.atleast_1d,   "np.atleast_1d(x)", "np.atleast_1d(s)")
moves(np.atleast_2d,   "np.atleast_2d(x)")
moves(np.atleast_3d,   "np.atleast_3d(A)")
moves(np.broadcast_to, "np.broadcast_to(x, (2, 3))", "np.broadcast_to(s, (2,))")
moves(np.copy,         "np.copy(x)")
moves(np.flip,         "np.flip(M, 1)")
moves(np.fliplr,       "np.fliplr(M)")
moves(np.flipud,       "np.flipud(M)")
moves(np.rot90,        "np.rot90(M)")
moves(np.roll,         "np.roll(x, 1)")
moves(np.repeat,       "np.repeat(x, 2)", "np.repeat(M, [1, 2], axis=0)")
moves(np.tile,         "np.tile(x, (2, 2))")
moves(np.resize,       "np.resize(x, (2, 2))")
moves(np.take,         "np.take(x, [2, 0, 2])", "np.take(M, 1, axis=1)")
moves(np.take_along_axis, "np.take_along_axis(M, np.array([[0], [2]]), axis=1)")
moves(np.delete,       "np.delete(x, 1)")
moves(np.diagonal,     "np.diagonal(A)")
moves(np.linalg.diagonal, "np.linalg.diagonal(A)")
moves(np.diag,         "np.diag(x)", "np.diag(A, 1)")
moves(np.diagflat,     "np.diagflat(x)")
moves(np.triu,         "np.triu(A)")
moves(np.tril,         "np.tril(A, -1)")
moves(np.split,        "np.split(x, [1])[1]")
moves(np.array_split,  "np.array_split(x, 2)[0]")
moves(np.hsplit,       "np.hsplit(M, 3)[1]")
moves(np.vsplit,       "np.vsplit(M, 2)[1]")
moves(np.dsplit,       "np.dsplit(T, 2)[1]")
moves(getattr(np, "unstack", None), "np.unstack(M)[1]")
moves(np.concatenate,  "np.concatenate([x, y])", "np.concatenate([A, M], axis=0)", "np.concatenate([x, [1.0]])", many=True)
moves(np.stack,        "np.stack([x, y])", "np.stack([s, t])", "np.stack([x, y], axis=-1)", "np.stack([s, 1.0])", many=True)
moves(np.vstack,       "np.vstack([x, A])", "np.vstack([s, t])", many=True)
moves(np.hstack,       "np.hstack([x, y])", "np.hstack([s, t])", many=True)
moves(np.dstack,       "np.dstack([A, B])", many=True)
moves(np.column_stack, "np.column_stack([x, y])", many=True)
# fmt: on

creates(
    np.zeros, np.ones, np.empty, np.full, np.eye, np.identity, np.array, np.asarray, np.asanyarray,
    np.ascontiguousarray, np.tri,
)  # fmt: skip


@rule(np.where, "np.where(x > 1, x, y)", "np.where([True, False, True], s, y)", "np.where(A > 1, A, 0.0)")
def _(dcondition: Any, dx: Any, dy: Any, condition: Any, x: Any = None, y: Any = None) -> Any:
    """The branch that is not taken contributes nothing, be its tangent infinite or NaN."""
    if x is None:
        return np.nonzero(condition), None
    z = np.where(condition, x, y)
    if dx is None and dy is None:
        return z, None
    return z, move(lambda a, b: np.where(condition, a, b), dx, dy, shapes=(np.shape(x), np.shape(y)))


@composed(np.select, "np.select([x > 1, x > 0], [x, y], 0.0)", "np.select([x > 1], [x], s)")
def _(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    chosen = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        chosen = np.where(condition, choice, chosen)
    return chosen


@composed(np.append, "np.append(x, y)", "np.append(x, s)", "np.append(A, M, axis=0)")
def _(arr: Any, values: Any, axis: int | None = None) -> Any:
    if axis is None:
        arr, values, axis = np.ravel(arr), np.ravel(values), 0
    return np.concatenate([arr, values], axis=axis)


@composed(np.broadcast_arrays, "np.broadcast_arrays(x, M)[0]", "np.broadcast_arrays(s, x)[0]")
def _(*args: Any, subok: bool = False) -> Any:
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(np.broadcast_to(a, shape) for a in args)


@composed(np.compress, "np.compress([True, False, True], x)", "np.compress([False, True], M, axis=0)")
def _(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    return np.take(a, np.flatnonzero(condition), axis=axis)


@composed(np.extract, "np.extract(x > 1, x)")
def _(condition: Any, arr: Any) -> Any:
    return np.take(arr, np.flatnonzero(condition))


@composed(np.meshgrid, "np.meshgrid(x, y)[1]", "np.meshgrid(x, [1.0, 2.0], indexing='ij')[0]")
def _(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    places = [np.reshape(x, (1,) * i + (-1,) + (1,) * (len(xi) - 1 - i)) for i, x in enumerate(xi)]
    if indexing == "xy" and len(xi) > 1:
        places = [np.swapaxes(x, 0, 1) for x in places]
    grids = places if sparse else np.broadcast_arrays(*places)
    return tuple(np.copy(x) if copy else x for x in grids)


# Buffers like x: zero tangents that may be written to.
@rule(np.zeros_like, "np.zeros_like(x) + x")
def _(da: Any, a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **rest: Any) -> Any:
    return _still(da, np.zeros_like(a, dtype=dtype, order=order, shape=shape))


@rule(np.ones_like, "np.ones_like(x) * x")
def _(da: Any, a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **rest: Any) -> Any:
    return _still(da, np.ones_like(a, dtype=dtype, order=order, shape=shape))


@rule(np.empty_like, "0.0 * np.nan_to_num(np.empty_like(x)) + x")
def _(
    dprototype: Any, prototype: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None,
    **rest: Any,
) -> Any:  # fmt: skip
    return _still(dprototype, np.empty_like(prototype, dtype=dtype, order=order, shape=shape))


def _still(like: Any, buffer: Any) -> Any:
    """Return a buffer and its zero tangent; whole numbers need none."""
    if np.ndim(buffer) == 0 or buffer.dtype.kind not in "fc":
        return buffer, None
    return buffer, zeros(like, buffer.shape, buffer)


@composed(np.full_like, "np.full_like(x, x[0])", "np.full_like(x, 2.0) * x")
def _(a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None) -> Any:
    buffer = np.zeros_like(a, dtype=dtype, shape=shape)
    return buffer + fill_value if hasattr(fill_value, "tangent") else np.where(True, fill_value, buffer)


@composed(np.copyto, "[b := np.zeros_like(x), np.copyto(b, x)][0]")
def _(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if not hasattr(dst, "tangent"):
        raise dropped_into("the array copied into (np.copyto, np.full_like)")
    dst[...] = np.where(where, src, dst)


# Parts of complex numbers: linear over the reals, each with its transpose.
@rule(np.real, "np.real(x)", "np.real((1 + 2j) * x)")
def _(dval: Any, val: Any) -> Any:
    """A real array is its own real part."""
    return np.real(val), linear(np.real, np.real, dval) if np.iscomplexobj(val) else dval


@rule(np.imag, "np.imag((1 + 2j) * x)")
def _(dval: Any, val: Any) -> Any:
    return np.imag(val), linear(np.imag, lambda g: 1j * np.real(g), dval)


@rule(np.conjugate, "np.conjugate(x)", "np.real((3 + 1j) * np.conjugate((1 + 2j) * x))")
def _(dx: Any, x: Any) -> Any:
    return np.conjugate(x), linear(np.conjugate, np.conjugate, dx)


@composed(np.nan_to_num, "np.nan_to_num(x)")
def _(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """What is not finite becomes a constant; what is, stays."""
    constant = np.nan_to_num(plain(x), nan=nan, posinf=posinf, neginf=neginf)
    return np.where(np.isfinite(x), x, constant)
