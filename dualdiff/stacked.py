"""The stacked tangent: several directions in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dualdiff.floating import quiet
from dualdiff.primal import ndim_of
from dualdiff.tangent import Tangent, any_nan, as_laid_out, scale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Stacked"]


def _views(function: Callable[..., Any], array: Any, leading: int = 1) -> Any:
    """Return the view that `function` makes of each direction, as one array; None where it makes copies.

    The directions lie along the first `leading` axes; each level of nesting may add one.
    """
    if isinstance(array, Tangent):
        if not array.in_memory:
            return None
        within = _views(function, array.array, leading + 1)  # type: ignore[attr-defined]
        return None if within is None else Stacked(within)
    if hasattr(array, "_tangent"):
        if isinstance(array._tangent, Tangent) and not array._tangent.in_memory:
            return _recorded_views(function, array, leading)
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


def _recorded_views(function: Callable[..., Any], array: Any, leading: int) -> Any:
    """Return the same of a Dual whose tangent is no memory: the array is told how its view is made."""
    value = _views(function, array._value, leading)
    if value is None:
        return None

    def remake(whole: Any) -> Any:
        views = _views(function, whole, leading)
        if views is not None:
            return views
        directions = whole.shape[:leading]
        each = [function(whole[index]) for index in np.ndindex(directions)]
        return np.reshape(np.stack(each), directions + each[0].shape)

    return array._sharing(array._with(value, array._tangent.move(remake, (array._tangent,), ())), remake)


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
        return any_nan(self.array) if other is self else True

    def scale(self, partial: Any) -> Stacked:
        """Scale with a strong zero."""
        return Stacked(scale(partial, self._along(ndim_of(partial))))

    def scaling(self, tangent: Any) -> Stacked:
        """Return ``self · tangent`` with a strong zero where the plain `tangent` is 0."""
        return Stacked(scale(self._along(ndim_of(tangent)), tangent))

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

    def fitted(self, shape: tuple[int, ...], _dtype: Any) -> Stacked:
        """Return every direction broadcast to `shape`, in memory that may be written to."""
        if self.shape == shape:
            return self
        return self.move(lambda t: np.broadcast_to(t, shape), (self,), ()).copy()

    def aligned(self, value: Any) -> Stacked:
        """Return every direction with its elements in the order in memory that those of `value` have."""
        laid_out = as_laid_out(self.array, value)
        return self if laid_out is None else Stacked(laid_out)

    @property
    def dense(self) -> Any:
        """The array of all directions."""
        return self.array

    def indexed(self, index: Any, _shape: tuple[int, ...], basic: bool) -> Stacked:
        """Return ``t[index]`` of every direction, as a view where basic indexing of the value makes one."""
        if not basic:
            return self.move(lambda a: a[index], (self,), ())
        return Stacked(self.array[(slice(None), *(index if isinstance(index, tuple) else (index,)))])

    def write(self, index: Any, tangent: Any) -> None:
        """Write `tangent` (or a plain zero) at `index`, in place."""
        parts = list(tangent) if isinstance(tangent, Stacked) else [tangent] * len(self.array)
        for direction, part in enumerate(parts):
            row = self.array._row(direction) if hasattr(self.array, "_tangent") else self.array[direction]
            row[index] = part
