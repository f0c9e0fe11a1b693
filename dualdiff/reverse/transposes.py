"""Each verb transposed: what it does to cotangents, which are plain numbers and arrays, or Duals of older derivatives.

A cotangent may be smaller than the value it belongs to, and then stands for its broadcast: the pullback of a sum hands
one number on, not an array full of it.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, wrap
from dualdiff.floating import quiet
from dualdiff.primal import ndim_of, plain, shape_of
from dualdiff.stacked import Stacked
from dualdiff.tangent import Tangent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "contracted_shape", "lengths_of", "moved_shape", "overwritten", "restored", "scattered", "strongly", "summed",
    "transposed_contraction", "unwritten", "whole",
]  # fmt: skip


def whole(g: Any, shape: tuple[int, ...]) -> Any:
    """Return a tangent or a cotangent broadcast to the shape it stands for."""
    if isinstance(g, Tangent):
        return g.fitted(shape, g.dtype)
    return g if shape_of(g) == shape else np.broadcast_to(g, shape)


def summed(g: Any, shape: tuple[int, ...], result: tuple[int, ...]) -> Any:
    """Return the transpose of broadcasting from `shape` to `result`: sums over what was repeated."""
    if shape == result:
        return g
    g = whole(g, result)
    extra = len(result) - len(shape)
    axes = (*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 != result[extra + i]))
    total = np.sum(g, axis=axes, keepdims=True)
    if not shape and type(total) is np.ndarray:
        return float(total.item()) if total.dtype.char == "d" else total.reshape(())[()]
    return np.reshape(total, shape)


# --- the strong zero ---------------------------------------------------------------------------------------------


def strongly(g: Any, partial: Any, reached: Any = None) -> Any:
    """Return g·partial where what does not move contributes nothing, whatever the slopes behind it.

    Forward that is a tangent of 0.  Here the later slopes come first, so it is a partial of 0, or a cotangent that is 0
    because its element goes nowhere (an untaken branch): `reached` says which do go somewhere.  A cotangent that is 0
    only because a later slope is, is a number like others.  In the tangents of Duals 0 times anything is 0.
    """
    for a, b in ((g, partial), (partial, g)):
        if isinstance(a, Stacked):
            return Stacked(strongly(a._along(ndim_of(b)), b))
        if isinstance(a, Tangent):
            moves = plain(b) != 0
            return (a if np.all(moves) else a.move(lambda t, m=moves: np.where(m, t, 0), (a,), ())) * b
    tag = max((a._tag for a in (g, partial) if isinstance(a, Dual)), key=lambda t: t.key, default=None)
    if tag is None:
        with quiet():
            product = g * partial
        none = np.equal(g, 0) if reached is None else np.logical_not(reached)
        return np.where(np.equal(partial, 0) | none, 0.0, product)[()]
    (g, dg), (p, dp) = (
        (a._value, a._tangent) if isinstance(a, Dual) and a._tag is tag else (a, None) for a in (g, partial)
    )
    parts = [strongly(a, b) for a, b in ((dg, p), (dp, g)) if a is not None]
    return wrap(strongly(g, p, reached), parts[0] if len(parts) == 1 else parts[0] + parts[1], tag)


# --- moves ---------------------------------------------------------------------------------------------------------


def moved_shape(function: Callable[..., Any], shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape of what `function` makes of arrays of these shapes, without numbers to speak of."""
    return shape_of(function(*(np.zeros(shape, np.int8) for shape in shapes)))


def _numbered(shapes: Sequence[tuple[int, ...]], places: Sequence[bool]) -> Iterator[Any]:
    """Yield arrays of element numbers from 1 on; what does not move has number 0."""
    used = 1
    for shape, moving in zip(shapes, places, strict=True):
        size = prod(shape) if moving else 0
        yield np.arange(used, used + size).reshape(shape) if moving else np.zeros(shape, dtype=np.intp)
        used += size


def restored(
    g: Any, function: Callable[..., Any], shapes: Sequence[tuple[int, ...]], places: Sequence[bool]
) -> list[Any]:
    """Return the transpose of a move: each element goes back to where it came from, and repeated ones add up."""
    if len(shapes) == 1 and not isinstance(g, Dual):
        empty = np.zeros(shapes[0], getattr(g, "dtype", float))
        view = function(empty)
        if np.may_share_memory(view, empty) and view.flags.writeable:
            view[...] = g
            return [empty]
    numbers = np.ravel(function(*_numbered(shapes, places)))
    moving = [shape for shape, p in zip(shapes, places, strict=True) if p]
    sizes = [prod(shape) for shape in moving]
    flat = _counted(numbers, np.ravel(g), 1 + sum(sizes))
    parts, used = [], 1
    for shape, size in zip(moving, sizes, strict=True):
        parts.append(np.reshape(flat[used : used + size], shape) if shape else flat[used])
        used += size
    return parts


def _counted(numbers: Any, weights: Any, size: int) -> Any:
    """Return the sum of the weights of each number below `size`."""
    if np.iscomplexobj(plain(weights)):
        return _counted(numbers, np.real(weights), size) + 1j * _counted(numbers, np.imag(weights), size)
    if type(weights) is np.ndarray and weights.dtype != np.float64:
        total = np.zeros(size, weights.dtype)
        np.add.at(total, numbers, weights)
        return total
    return 1.0 * np.bincount(numbers, weights, size)


# --- indexing and assignment ----------------------------------------------------------------------------------------


def scattered(g: Any, index: Any, shape: tuple[int, ...], total: Any) -> None:
    """Add a cotangent of ``t[index]`` to that of t, in place."""
    if type(total) is np.ndarray and type(index) in _BASIC:  # mostly
        total[index] += g
    elif not _repeats(index):
        total[index] = total[index] + g
    elif isinstance(total, np.ndarray):
        np.add.at(total, index, g)
    else:
        numbers = np.arange(total.size).reshape(total.shape)[index]
        counted = _counted(np.ravel(numbers), np.ravel(whole(g, shape)), total.size)
        total[...] = total + np.reshape(counted, total.shape)


_BASIC = (int, slice)


def _repeats(index: Any) -> bool:
    """Tell whether an index may name an element more than once: whatever is not basic, and no mask."""
    parts = index if isinstance(index, tuple) else (index,)
    return not all(
        part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)) or np.asarray(part).dtype == bool
        for part in parts
    )


def _view(g: Any, function: Callable[..., Any]) -> Any:
    """Return the view of an array that `function` makes, to be written into; None where it makes a copy."""
    view = function(g)
    if isinstance(g, Dual):
        return view if getattr(view, "_origin", None) is not None else None
    return view if np.may_share_memory(view, g) and view.flags.writeable else None


def overwritten(t: Any, where: Any, item: Any, dtype: Any) -> Any:
    """Return a copy of a tangent with `item` at an index, or in the view that a function makes."""
    t = t.copy()
    if dtype is not None and dtype.kind == "c" and not isinstance(t, Tangent) and not np.iscomplexobj(plain(t)):
        t = t + 0j  # its real part is to be a view of it
    if not callable(where):
        if isinstance(t, Tangent):
            t.write(where, item)
        else:
            if isinstance(item, Dual) and not isinstance(t, Dual):
                t = np.zeros_like(item, shape=t.shape) + t
            t[where] = item
        return t
    if not isinstance(t, Tangent) and isinstance(t, Dual) >= isinstance(item, Dual):
        view = _view(t, where)
        if view is not None:
            view[...] = item
            return t
    numbers = where(np.arange(prod(shape_of(t))).reshape(shape_of(t)))
    return overwritten(t, np.unravel_index(numbers, shape_of(t)), item, None)


def unwritten(g: Any, where: Any, shape: tuple[int, ...] | None) -> Any:
    """Return the cotangent of what was written, of shape `shape`, and leave 0 in its place in `g`."""
    if callable(where):
        view = _view(g, where)
        if view is not None:
            part = view.copy()
            view[...] = 0.0
            return part
        where = np.unravel_index(where(np.arange(g.size).reshape(g.shape)), g.shape)
    part = None
    if shape is not None:
        part = g[where]
        part = part.copy() if hasattr(part, "copy") else part  # with ... in the index one number is a view, too
        part = summed(_last_written(part, where, g.shape), shape, shape_of(part))
    g[where] = 0.0
    return part


def _last_written(part: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return the cotangents of what was written, 0 for what was overwritten by the same assignment."""
    if not _repeats(index):
        return part
    order = np.arange(prod(shape_of(part))).reshape(shape_of(part))
    last = np.zeros(shape, dtype=int)
    last[index] = order
    return np.where(last[index] == order, part, 0.0)


# --- products -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _spelled(subscripts: str, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """Return the letters of each operand and of the result, with letters for the axes that ... stands for."""
    inputs, output = subscripts.split("->")
    names = inputs.split(",")
    spare = "".join(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts)
    longest = max((n - len(name) + 3 for name, n in zip(names, ranks, strict=True) if "..." in name), default=0)
    axes = spare[:longest]
    spelled = tuple(
        name.replace("...", axes[longest - (n - len(name) + 3) :]) if "..." in name else name
        for name, n in zip(names, ranks, strict=True)
    )
    return spelled, output.replace("...", axes)


@lru_cache(maxsize=1024)
def contracted_shape(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Return the shape of a product of operands of these shapes."""
    _, output = _spelled(subscripts, tuple(map(len, shapes)))
    lengths = lengths_of(subscripts, shapes)
    return tuple(lengths[letter] for letter in output)


def lengths_of(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> dict[str, int]:
    """Return how far each letter of a product counts."""
    names, _ = _spelled(subscripts, tuple(map(len, shapes)))
    lengths: dict[str, int] = {}
    for name, shape in zip(names, shapes, strict=True):
        for letter, n in zip(name, shape, strict=True):
            lengths[letter] = n if lengths.get(letter, 1) == 1 else lengths[letter]
    return lengths


def transposed_contraction(
    g: Any,
    function: Callable[..., Any],
    subscripts: str,
    operands: Sequence[Any],
    position: int,
    shape: tuple[int, ...],
) -> Any:
    """Return the cotangent of the operand at `position`, which has shape `shape`: the product of g with all others."""
    if function is np.matmul or function is np.dot:
        other = operands[1 - position]
        if len(shape) in (1, 2) and ndim_of(other) in (1, 2):
            return _transposed_matmul(g, other, position, len(shape))
        if function is np.matmul and len(shape) == ndim_of(other) and shape[:-2] == shape_of(other)[:-2]:
            across = np.swapaxes(other, -1, -2)
            return np.matmul(g, across) if position == 0 else np.matmul(across, g)
    ranks = tuple([len(shape) if i == position else ndim_of(a) for i, a in enumerate(operands)])
    own, text, room, unique = _transposed_subscripts(subscripts, ranks, position)
    if text:
        known = [a for i, a in enumerate(operands) if i != position]
        g = np.einsum(text, g, *known, optimize=len(known) > 1)
    if room is not None:  # summed over, each alike
        if unique == own and not any(room):
            return g
        lengths = iter(shape_of(g))
        g = np.reshape(g, [next(lengths) if present else 1 for present in room])
    if unique == own:
        return _narrowed(g, shape)
    each = dict(zip(own, shape, strict=True))
    diagonal = whole(g, tuple(each[letter] for letter in unique))
    return restored(diagonal, lambda a: np.einsum(f"{own}->{unique}", a), [shape], [True])[0]


@lru_cache(maxsize=1024)
def _transposed_subscripts(
    subscripts: str, ranks: tuple[int, ...], position: int
) -> tuple[str, str, tuple[bool, ...] | None, str]:
    """Return the letters of the operand at `position`, and how its cotangent is made from that of the product.

    That is einsum's subscripts ("" where the cotangent is itself), which of the operand's letters these give (None if
    all), and the operand's letters without repetition, which means a diagonal.
    """
    names, output = _spelled(subscripts, ranks)
    known = [name for i, name in enumerate(names) if i != position]
    own = names[position]
    available = set(output).union(*known)
    unique = "".join(dict.fromkeys(own))
    wanted = "".join(letter for letter in unique if letter in available)
    text = f"{','.join([output, *known])}->{wanted}" if known or output != wanted else ""
    return own, text, None if wanted == unique else tuple(letter in available for letter in unique), unique


def _narrowed(g: Any, shape: tuple[int, ...]) -> Any:
    """Return a cotangent, which may stand for its broadcast, summed where the operand was broadcast itself."""
    axes = tuple(i for i, (n, m) in enumerate(zip(shape_of(g), shape, strict=True)) if m == 1 != n)
    return np.sum(g, axis=axes, keepdims=True) if axes else g


def _transposed_matmul(g: Any, other: Any, position: int, rank: int) -> Any:
    """Return g·Bᵀ for A, or Aᵀ·g for B, of A·B = matrices and vectors."""
    if position == 0:
        if ndim_of(other) == 1:
            return g * other if rank == 1 else np.reshape(g, (-1, 1)) * other
        return g @ np.transpose(other) if rank == 2 else other @ g
    if ndim_of(other) == 1:
        return g * other if rank == 1 else np.reshape(other, (-1, 1)) * g
    return np.transpose(other) @ g
