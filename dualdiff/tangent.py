"""What a tangent can do.

Every derivative is linear in the tangent, and five verbs write them all:

=========  ==========================================================================
add        ``s + t``
scale      ``t * p``, ``t / p``, and `scale` where a slope may be infinite
move       `move`: reindex by a function that only moves elements
contract   `contract`: a product with known arrays
map        `linear`: any other linear map, handed over with its transpose
=========  ==========================================================================

A dense tangent is a plain number or array shaped like the value, with no wrapper: on it the verbs are NumPy itself.
Every other kind is a `Tangent`, which brings the verbs with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.errors import dropped_by
from dualdiff.floating import quiet
from dualdiff.primal import plain, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "Tangent", "aligned", "any_nan", "as_laid_out", "cast", "contract", "fitted", "has_nan", "linear", "move", "scale",
    "zeros",
]  # fmt: skip


# --- the verbs ---------------------------------------------------------------------------------------------------


def scale(partial: Any, tangent: Any) -> Any:
    """Return ``partial · tangent``, where a tangent of exactly 0 gives 0 whatever the partial.

    The strong zero: an input that is not perturbed contributes nothing, be its slope infinite or undefined.
    """
    if isinstance(tangent, Tangent):
        return tangent.scale(partial)
    if hasattr(tangent, "_tangent"):
        return tangent._scaled_by(partial)
    if hasattr(partial, "_tangent"):
        return partial._scaling(tangent)
    if isinstance(partial, Tangent):
        return partial.scaling(tangent)
    with quiet():
        return np.where(np.equal(tangent, 0), 0.0, tangent * partial)


def move(function: Callable[..., Any], *tangents: Any, shapes: Sequence[tuple[int, ...]] = ()) -> Any:
    """Return ``function(*tangents)`` for a `function` that only moves, repeats, drops or zeroes elements.

    With several operands a None stands for an operand that does not move; `shapes` says how large each one is.
    """
    for tangent in tangents:
        if isinstance(tangent, Tangent):
            return tangent.move(function, tangents, shapes)
    if len(tangents) > 1:
        kind = next(t for t in tangents if t is not None)
        tangents = tuple(zeros(kind, s) if t is None else t for t, s in zip(tangents, shapes, strict=True))
    return function(*tangents)


def contract(
    function: Callable[..., Any], subscripts: str, operands: Sequence[Any], position: int, tangent: Any
) -> Any:
    """Return the product ``function(*operands)`` with `tangent` in place of the operand at `position`.

    `subscripts` state the same product for einsum: ``"...ij,...jk->...ik"`` is ``np.matmul``.
    Dense tangents call the function, which knows the fast way; other kinds read the subscripts.
    """
    if isinstance(tangent, Tangent):
        return tangent.contract(function, subscripts, operands, position)
    return function(*operands[:position], tangent, *operands[position + 1 :])


def linear(function: Callable[[Any], Any], transpose: Callable[[Any], Any], tangent: Any) -> Any:
    """Return ``function(tangent)`` for a linear `function`; ⟨w, function(t)⟩ = ⟨transpose(w), t⟩."""
    if isinstance(tangent, Tangent):
        return tangent.linear(function, transpose)
    return function(tangent)


# --- the questions -----------------------------------------------------------------------------------------------


def zeros(like: Any, shape: tuple[int, ...], value: Any = None) -> Any:
    """Return a zero tangent of the kind of `like` for a value of shape `shape`.

    `value` tells a dense tangent what to be able to hold: under nested derivatives, Duals.
    """
    if isinstance(like, Tangent):
        return like.zeros(shape, getattr(value, "dtype", None))
    if shape == ():
        return 0.0
    model = like if value is None else value
    dtype = np.result_type(getattr(model, "dtype", float), np.float16)  # a tangent is never a whole number
    return np.zeros_like(model, shape=shape, dtype=dtype) if hasattr(model, "tangent") else np.zeros(shape, dtype)


def fitted(tangent: Any, value: Any) -> Any:
    """Return `tangent` with the shape and the precision of its value.

    A shape is broadcast to, and is then a copy that may be written to; a slope computed in float64 (from True or from
    ½, say) does not widen a float32 value's tangent.  Only a complex direction of a real value stays what it is.
    """
    shape = shape_of(value)
    own = getattr(value, "dtype", None)
    if own is not None and own.kind in "biu":
        raise dropped_by(f"dtype={own}")
    if isinstance(tangent, Tangent):
        tangent = tangent.fitted(shape, np.dtype(type(value)) if own is None else own)
    elif shape_of(tangent) != shape:
        tangent = np.broadcast_to(tangent, shape).copy()
    if own is None:
        return tangent
    other = getattr(tangent, "dtype", own)
    if other is None or other == own or own.kind == "O":
        return tangent
    return tangent if own.kind == "f" and other.kind == "c" else cast(tangent, own)


def aligned(tangent: Any, value: Any) -> Any:
    """Return `tangent` with its elements in the order in memory that its value's have.

    NumPy decides by that order whether reshape makes a view or a copy, and it must decide alike for both.
    """
    if type(tangent) is np.ndarray:
        if type(value) is np.ndarray and value.strides == tangent.strides and value.dtype is tangent.dtype:
            return tangent
    elif isinstance(tangent, Tangent):
        return tangent.aligned(value)
    laid_out = as_laid_out(tangent, value)
    return tangent if laid_out is None else laid_out


def as_laid_out(array: Any, value: Any) -> Any:
    """Return a copy of `array`, whose last axes are those of `value`, in the order of `value`; None if it has it."""
    shape = value.shape
    extra = array.ndim - len(shape)
    strides, others = _steps(value), _steps(array)[extra:]
    if strides == others or all(a == b or n <= 1 for a, b, n in zip(strides, others, shape, strict=True)):
        return None
    order = [*range(extra), *(extra + i for i in sorted(range(len(shape)), key=lambda i: -abs(strides[i])))]
    return np.transpose(np.copy(np.transpose(array, order), order="C"), np.argsort(order))


def _steps(array: Any) -> tuple[int, ...]:
    """Return how many elements lie between neighbours along each axis."""
    array = plain(array)
    return tuple(stride // array.itemsize for stride in array.strides)


def cast(tangent: Any, dtype: Any) -> Any:
    """Return `tangent` in another floating-point or complex type."""
    own = tangent.dtype

    def back(g: Any) -> Any:
        if own is None:  # inside a rule, a step of a record does not know its type
            return g
        return (g if own.kind == "c" else np.real(g)).astype(own)

    return linear(lambda t: t.astype(dtype), back, tangent)


def has_nan(value: Any, tangent: Any) -> bool:
    """Tell whether there may be a NaN in `value` or in `tangent`: never False when there is one.

    For small plain arrays one dot product tells of both, for large ones the minimum of each, which takes no threads.
    """
    if type(value) is type(tangent) is np.ndarray and value.size == tangent.size < _MANY and value.flags.c_contiguous:
        total = np.vdot(value, tangent)  # ndarray.dot would warn
        return bool(total != total)
    return any_nan(value) or (tangent is not value and any_nan(tangent))


_MANY = 10_000


def any_nan(x: Any) -> bool:
    """Tell whether there may be a NaN in `x`: never False when there is one."""
    if type(x) is float:
        return x != x
    if type(x) is np.ndarray and x.size >= _MANY:
        least = np.minimum.reduce(x, axis=None)
        return bool(least != least)
    if type(x) is np.ndarray and x.flags.forc:
        flat = x.ravel("K")  # a view, in the order of memory
        total = np.vdot(flat, flat)
        return bool(total != total)
    if isinstance(x, Tangent):
        return bool(x != x)
    if hasattr(x, "_tangent"):
        return any_nan(x._value) or any_nan(x._tangent)
    return bool(np.any(x != x))


# --- kinds that need a wrapper -------------------------------------------------------------------------------------


class Tangent:
    """A tangent that is not a plain number or array; operators are the verbs add and scale.

    ``t != t`` asks of every kind whether there is a NaN in it.
    """

    __slots__ = ()
    __array_ufunc__ = None  # NumPy's operators leave ``array * tangent`` to the tangent
    __hash__ = None  # type: ignore[assignment]

    shape: tuple[int, ...]
    sealed: str | None = None  # why nothing may be written, where that is so
    in_memory = True  # whether it is numbers in memory, which views share and an assignment writes into

    if TYPE_CHECKING:  # what every kind brings: the verbs, and what indexing and assignment need
        dtype: Any
        __add__: Callable[[Any, Any], Any]
        __mul__: Callable[[Any, Any], Any]
        scale: Callable[..., Any]
        scaling: Callable[..., Any]
        move: Callable[..., Any]
        contract: Callable[..., Any]
        linear: Callable[..., Any]
        zeros: Callable[..., Any]
        copy: Callable[..., Any]
        fitted: Callable[..., Any]
        aligned: Callable[..., Any]
        indexed: Callable[..., Any]
        write: Callable[..., None]
        written: Callable[..., Any]
        rewritten: Callable[..., Any]
        recorded: Callable[..., Any]
        through: Callable[..., Any]

    @property
    def dense(self) -> Any:
        """The numbers, where it is made of numbers; else itself."""
        return self
