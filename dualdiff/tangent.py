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
Every other kind is a `Tangent`. `Stacked` holds several directions at once, one after the other along a leading axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dualdiff.errors import dropped_by
from dualdiff.floating import quiet
from dualdiff.primal import ndim_of, plain, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "Stacked",
    "Tangent",
    "aligned",
    "cast",
    "contract",
    "fitted",
    "has_nan",
    "linear",
    "move",
    "scale",
    "zeros",
]


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
    if isinstance(tangent, Tangent):
        if tangent.shape != shape:
            tangent = tangent.move(lambda t: np.broadcast_to(t, shape), (tangent,), ()).copy()
    elif shape_of(tangent) != shape:
        tangent = np.broadcast_to(tangent, shape).copy()
    own = getattr(value, "dtype", None)
    other = getattr(tangent, "dtype", own)
    if own is None:
        return tangent
    if own.kind in "biu":
        raise dropped_by(f"dtype={own}")
    if other is None or other == own or own.kind == "O":
        return tangent
    return tangent if own.kind == "f" and other.kind == "c" else cast(tangent, own)


def aligned(tangent: Any, value: Any) -> Any:
    """Return `tangent` with its elements in the order in memory that its value's have.

    NumPy decides by that order whether reshape makes a view or a copy, and it must decide alike for both.
    """
    if type(value) is type(tangent) is np.ndarray and value.strides == tangent.strides and value.dtype is tangent.dtype:
        return tangent
    array = tangent.array if isinstance(tangent, Tangent) else tangent  # type: ignore[attr-defined]
    shape = value.shape
    strides, others = _steps(value), _steps(array)[array.ndim - len(shape) :]
    if strides == others or all(a == b or n <= 1 for a, b, n in zip(strides, others, shape, strict=True)):
        return tangent
    extra = array.ndim - len(shape)
    order = [*range(extra), *(extra + i for i in sorted(range(len(shape)), key=lambda i: -abs(strides[i])))]
    laid_out = np.transpose(np.copy(np.transpose(array, order), order="C"), np.argsort(order))
    return Stacked(laid_out) if isinstance(tangent, Tangent) else laid_out


def _steps(array: Any) -> tuple[int, ...]:
    """Return how many elements lie between neighbours along each axis."""
    array = plain(array)
    return tuple(stride // array.itemsize for stride in array.strides)


def cast(tangent: Any, dtype: Any) -> Any:
    """Return `tangent` in another floating-point or complex type."""
    own = tangent.dtype

    def back(g: Any) -> Any:
        return (g if own.kind == "c" else np.real(g)).astype(own)

    return linear(lambda t: t.astype(dtype), back, tangent)


def has_nan(value: Any, tangent: Any) -> bool:
    """Tell whether there may be a NaN in `value` or in `tangent`: never False when there is one.

    For small plain arrays one dot product tells of both, for large ones the minimum of each, which takes no threads.
    """
    if type(value) is type(tangent) is np.ndarray and value.size == tangent.size < _MANY and value.flags.c_contiguous:
        total = np.vdot(value, tangent)
        return bool(total != total)
    return _any_nan(value) or (tangent is not value and _any_nan(tangent))


_MANY = 10_000


def _any_nan(x: Any) -> bool:
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
        return _any_nan(x._value) or _any_nan(x._tangent)
    return bool(np.any(x != x))


# --- kinds that need a wrapper -------------------------------------------------------------------------------------


class Tangent:
    """A tangent that is not a plain number or array; operators are the verbs add and scale."""

    __slots__ = ()
    __array_ufunc__ = None  # NumPy's operators leave ``array * tangent`` to the tangent
    __hash__ = None  # type: ignore[assignment]

    shape: tuple[int, ...]

    if TYPE_CHECKING:  # what every kind brings: the verbs, and what indexing and assignment need
        __add__: Callable[[Any, Any], Any]
        __mul__: Callable[[Any, Any], Any]
        scale: Callable[..., Any]
        move: Callable[..., Any]
        contract: Callable[..., Any]
        linear: Callable[..., Any]
        zeros: Callable[..., Any]
        copy: Callable[..., Any]
        view: Callable[..., Any]
        write: Callable[..., None]


def _views(function: Callable[..., Any], array: Any, leading: int = 1) -> Any:
    """Return the view that `function` makes of each direction, as one array; None where it makes copies.

    The directions lie along the first `leading` axes; each level of nesting may add one.
    """
    if isinstance(array, Tangent):
        within = _views(function, array.array, leading + 1)  # type: ignore[attr-defined]
        return None if within is None else Stacked(within)
    if hasattr(array, "_tangent"):
        value, tangent = _views(function, array._value, leading), _views(function, array._tangent, leading)
        return None if value is None or tangent is None else array._with(value, tangent)
    directions = array.shape[:leading]
    if 0 in directions:
        return None
    one = array[(0,) * leading]
    view = function(one)
    if not np.may_share_memory(view, one):
        return None
    return as_strided(view, directions + view.shape, array.strides[:leading] + view.strides)


class Stacked(Tangent):
    """Several directions in one pass: an array with one more, leading axis than the value.

    Parameters
    ----------
    array : array, shape (directions, *shape of the value)
        A plain array, or a Dual one under nested derivatives.
    """

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of one direction, which is the shape of the value."""
        return tuple(self.array.shape[1:])

    def _along(self, ndim: int) -> Any:
        """Return the array with room behind the direction axis for one direction to broadcast to `ndim` axes."""
        room = ndim - (self.array.ndim - 1)
        if room <= 0:
            return self.array
        directions, *shape = self.array.shape
        return self.array.reshape(directions, *(1,) * room, *shape)

    def __add__(self, other: Any) -> Stacked:
        """Add two; a plain 0 is the zero of every kind."""
        if not isinstance(other, Stacked):
            return self
        with quiet():
            return Stacked(self._along(other.array.ndim - 1) + other._along(self.array.ndim - 1))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Stacked:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Stacked:
        return self.__neg__().__add__(other)

    def __neg__(self) -> Stacked:
        return Stacked(-self.array)

    def __mul__(self, partial: Any) -> Stacked:
        with quiet():
            return Stacked(self._along(ndim_of(partial)) * partial)

    __rmul__ = __mul__

    def __truediv__(self, denominator: Any) -> Stacked:
        with quiet():
            return Stacked(self._along(ndim_of(denominator)) / denominator)

    def __ne__(self, other: object) -> bool:
        """Answer ``t != t``, which of every kind asks whether there is a NaN in it."""
        return _any_nan(self.array) if other is self else True

    def scale(self, partial: Any) -> Stacked:
        """Scale with a strong zero."""
        return Stacked(scale(partial, self._along(ndim_of(partial))))

    @property
    def dtype(self) -> Any:
        """NumPy's type of every direction."""
        return self.array.dtype

    def copy(self) -> Stacked:
        """Return the same directions in memory of their own."""
        return Stacked(self.array.copy())

    def zeros(self, shape: tuple[int, ...], dtype: Any = None) -> Stacked:
        """Return no perturbation of a value of shape `shape`, in as many directions."""
        return Stacked(np.zeros_like(self.array, shape=(len(self.array), *shape), dtype=dtype))

    def move(self, function: Callable[..., Any], tangents: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> Stacked:
        """Run `function` once on element numbers, 0 standing for nothing, and gather every direction by them.

        Where it makes a view of one direction, the same view of all of them is taken instead.
        """
        directions = len(self.array)
        if len(tangents) == 1 and directions and (views := _views(function, self.array)) is not None:
            return Stacked(views)
        numbers, columns, used = [], [np.zeros((directions, 1))], 1
        for tangent, shape in zip(tangents, shapes or [self.shape], strict=True):
            if tangent is None:
                numbers.append(np.zeros(shape, dtype=np.intp))
                continue
            size = tangent.array[0].size
            numbers.append(np.arange(used, used + size).reshape(tangent.shape))
            columns.append(tangent.array.reshape(directions, size))
            used += size
        return Stacked(np.concatenate(columns, axis=1)[:, function(*numbers)])

    def contract(
        self, function: Callable[..., Any], subscripts: str, operands: Sequence[Any], position: int
    ) -> Stacked:
        """Carry the direction axis through the product as one more letter; matmul has room for it as it is."""
        if function is np.matmul and self.array.ndim <= 3 and all(ndim_of(a) <= 2 for a in operands):
            if position == 0:
                return Stacked(self.array @ operands[1])
            if self.array.ndim == 2:
                return Stacked(self.array @ np.transpose(operands[0]))
            return Stacked(operands[0] @ self.array)
        inputs, output = subscripts.split("->")
        direction = next(letter for letter in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if letter not in subscripts)
        letters = inputs.split(",")
        letters[position] = direction + letters[position]
        known = [*operands[:position], self.array, *operands[position + 1 :]]
        return Stacked(np.einsum(f"{','.join(letters)}->{direction}{output}", *known, optimize=len(known) > 1))

    def linear(self, function: Callable[[Any], Any], _transpose: Callable[[Any], Any]) -> Stacked:
        """Map each direction on its own."""
        return Stacked(np.stack([function(direction) for direction in self]))

    def __iter__(self) -> Iterator[Any]:
        """Yield the directions, each a dense tangent."""
        return iter(self.array[i] for i in range(len(self.array)))

    def view(self, index: tuple[Any, ...]) -> Stacked:
        """Return the view that basic indexing of the value makes."""
        return Stacked(self.array[(slice(None), *index)])

    def write(self, index: Any, tangent: Any) -> None:
        """Write `tangent` (or a plain zero) at `index`, in place."""
        parts = list(tangent) if isinstance(tangent, Stacked) else [tangent] * len(self.array)
        for direction, part in enumerate(parts):
            row = self.array._row(direction) if hasattr(self.array, "_tangent") else self.array[direction]
            row[index] = part
