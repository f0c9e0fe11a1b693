"""The Dual of an array: ndarray's indexing, assignment, attributes and methods, in value and tangent alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from dualdiff.dual.levels import has_level, is_flat, levels, with_level
from dualdiff.dual.number import Dual, wrap
from dualdiff.dual.operands import kept, live, packed
from dualdiff.errors import dropped_by
from dualdiff.primal import plain
from dualdiff.tangent import Tangent, cast, zeros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dualdiff.tag import Tag


__all__ = ["DualArray", "borrowed"]


class DualArray(Dual):
    """What ``Dual(array)`` makes.  Apart from Dual so that scalars have no len, no index and no ``__array__``.

    With those, NumPy would show its own errors before ours, and scalar arithmetic would be slower.
    """

    __slots__ = ("__weakref__", "_borrowed", "_origin", "_views")

    _borrowed: bool  # whether the memory may be somebody else's too, so that it is copied before the first write

    _origin: tuple[DualArray, Callable[[Any], Any]] | None  # whose memory this is a view of, and how it is made of it
    _views: list[ref[DualArray]] | None  # the views of this one

    # --- what it carries ---------------------------------------------------------------------------------------

    @property
    def shape(self) -> Any:  # type: ignore[override]
        """Lengths of the axes of the value."""
        return self._value.shape

    @property
    def ndim(self) -> Any:  # type: ignore[override]
        """Number of axes of the value."""
        return self._value.ndim

    @property
    def size(self) -> Any:  # type: ignore[override]
        """Number of elements of the value."""
        return self._value.size

    @property
    def dtype(self) -> Any:
        """NumPy's type of the elements of the value."""
        return self._value.dtype

    @property
    def itemsize(self) -> Any:
        """Bytes of one element of the value."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> Any:
        """Bytes of the value's elements."""
        return self.size * self.itemsize

    @property
    def strides(self) -> Any:
        """Bytes from one element of the value to the next along each axis."""
        return self._value.strides

    @property
    def flags(self) -> Any:
        """NumPy's notes on the memory of the value."""
        return plain(self).flags

    @property
    def T(self) -> Any:
        """The axes in reverse order, as a view."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        """The last two axes exchanged, as a view."""
        return np.swapaxes(self, -1, -2)

    @property
    def flat(self) -> Flat:
        """The elements in order, to iterate over, to index and to assign to."""
        return Flat(self)

    def copy(self, order: Any = "C") -> Any:
        """Return an array that shares nothing with this one."""
        return np.copy(self, order=order)

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(plain(self) == plain(item)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """As an object array of Duals, which loses nothing; never as plain numbers."""
        if dtype is not None and np.dtype(dtype) != object:
            raise dropped_by(f"a conversion to {np.dtype(dtype)} (np.asarray(x, float), np.array(x, float))")
        if copy is False:
            message = "a Dual array becomes an object array by copying only"
            raise ValueError(message)
        objects = np.empty(self.shape, dtype=object)
        for index in np.ndindex(self.shape):
            objects[index] = self[index]
        objects.flags.writeable = bool(copy)  # np.asarray shares memory with its argument, and this could not
        return objects

    # --- views and writes --------------------------------------------------------------------------------------

    def _sharing(self, view: Any, remake: Callable[[Any], Any]) -> Any:
        """Note that `view`, which `remake` makes of this array, shares its memory."""
        if isinstance(view, DualArray):
            view._origin = (self, remake)
            view._borrowed = self._borrowed
            if self._views is None:
                self._views = []
            elif len(self._views) % 64 == 63:  # as loops over slices make them
                self._views = [one for one in self._views if one() is not None]
            self._views.append(ref(view))
        return view

    def __getitem__(self, index: Any) -> Any:
        basic = type(index) in _BASIC or _is_basic(index)
        value, tangent, tag = self._value[index], self._tangent, self._tag
        if tag.records and not basic:
            index = kept(index)
        tangent = tangent.indexed(index, value.shape, basic) if isinstance(tangent, Tangent) else tangent[index]
        taken = wrap(value, tangent, tag)
        return self._sharing(taken, lambda a: a[index]) if basic and type(taken) is DualArray else taken

    def __setitem__(self, index: Any, item: Any) -> None:
        """Write value and tangent; the item's were computed from old values before either is written."""
        root = self._root()
        if isinstance(root._tangent, Tangent) and root._tangent.sealed:
            raise TypeError(root._tangent.sealed)
        if root._borrowed:
            root._value, root._tangent, root._borrowed = root._value.copy(order="K"), root._tangent.copy(), False
            root._refresh()
        if not plain(self).flags.writeable:
            message = (
                "this array is read-only: it was made from another one as a view (reshape, ravel, …) that value and "
                "tangent could not both share. Write into a copy: y = y.copy()"
            )
            raise ValueError(message)
        item = live(packed(item))
        if not self._tag.alive:
            self._revive(item)
        if not is_flat(self) or (isinstance(item, Dual) and (item._tag is not self._tag or not is_flat(item))):
            self._make_room(item)
        tangent = None
        if isinstance(item, Dual) and item._tag is self._tag:
            item, tangent = item._value, item._tangent
        self._value[index] = item
        if not isinstance(self._tangent, Tangent):
            self._tangent[index] = 0.0 if tangent is None else tangent
        elif self._tangent.in_memory:
            self._tangent.write(index, 0.0 if tangent is None else tangent)
        else:
            self._rewrite(kept(index), tangent)

    def _rewrite(self, index: Any, tangent: Any) -> None:
        """Note a write in the tangent of this array, of what it is a view of, and of every other view."""
        array = self
        array._tangent = array._tangent.written(index, tangent)
        while array._origin is not None:
            origin, remake = array._origin
            origin._tangent = origin._tangent.rewritten(remake, array._tangent)
            array = origin
        if array._views:
            own = plain(self)
            array._refresh(own[index] if _is_basic(index) and own[index].ndim else own)

    def _row(self, i: int) -> Any:
        """Return the view ``self[i]`` for a moment's use, of which nobody need take note."""
        value, tangent = self._value[i], self._tangent
        if isinstance(tangent, Tangent):
            if not tangent.in_memory:  # a write into it is a step of the record, of which the array must know
                return self[i]
            return wrap(value, tangent.indexed(i, value.shape, True), self._tag)
        return wrap(value, tangent[i], self._tag)

    # --- memory that views share: what is written into must have room for every derivative of what is written ----

    def _root(self) -> DualArray:
        array = self
        while array._origin is not None:
            array = array._origin[0]
        return array

    def _make_room(self, item: Any) -> None:
        """Give the memory, and with it every view of it, a level for each derivative that `item` carries."""
        root = self._root()
        grown = False
        for tag, kind in sorted(levels(item).items(), key=lambda level: level[0].key):
            if not has_level(root, tag):
                grown = True
                if tag.key > root._tag.key:
                    inner = wrap(root._value, root._tangent, root._tag)
                    root._value, root._tangent, root._tag = inner, zeros(kind, inner.shape, inner), tag
                else:
                    with_level(root, tag, kind)
        if grown:
            root._refresh()

    def _revive(self, item: Any) -> None:
        """Become an array of memory of its own: the derivative that wrote the old one has returned with it."""
        root = self._root()
        own = live(root).copy()
        if not isinstance(own, Dual):
            moves = isinstance(item, Dual)
            own = wrap(own, zeros(item._tangent if moves else 0.0, own.shape, own), item._tag if moves else root._tag)
        root._value, root._tangent, root._tag, root._borrowed = own._value, own._tangent, own._tag, False
        root._refresh()

    def _refresh(self, written: Any = None) -> None:
        """Make every view of this array anew, and every view of a view; each view is made before its own.

        After a write only those that overlap with what was written.
        """
        changed = [self]
        while changed:
            array = changed.pop()
            for view in [one() for one in array._views or ()]:
                if written is not None and view is not None and not np.may_share_memory(plain(view), written):
                    continue
                if view is not None and view._origin is not None and view._origin[0] is array:
                    again = view._origin[1](array)
                    view._value, view._tangent, view._tag = again._value, again._tangent, again._tag
                    view._borrowed = array._borrowed
                    changed.append(view)

    def fill(self, item: Any) -> None:
        """Write `item` everywhere."""
        self[...] = item

    # --- methods that are not NumPy functions of the same name -------------------------------------------------

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        """Return the elements in another shape, as a view where NumPy makes one."""
        target = shape[0] if len(shape) == 1 else shape
        return np.reshape(self, target, order=order)

    def transpose(self, *axes: Any) -> Any:
        """Return a view with the axes in another order."""
        order = axes[0] if len(axes) == 1 else axes or None
        return np.transpose(self, order)

    def flatten(self, order: Any = "C") -> Any:
        """Return a copy with one axis."""
        return np.ravel(self, order=order).copy()

    def item(self, *index: Any) -> Any:
        """Return one element as a scalar Dual; it keeps its tangent."""
        flat = index[0] if len(index) == 1 and not isinstance(index[0], tuple) else None
        if not index and self.size == 1:
            flat = 0
        if flat is not None:
            return np.ravel(self)[flat]
        return self[index[0] if len(index) == 1 else index]

    def tolist(self) -> list[Any]:
        """Return nested lists of scalar Duals; they keep their tangents."""
        return [row.tolist() if isinstance(row, DualArray) else row for row in self]

    def astype(self, dtype: Any, **_settings: Any) -> Any:
        """Return a copy of another floating-point or complex type; whole numbers would drop the tangent."""
        target = np.dtype(dtype)
        if target.kind not in "fcO":
            raise dropped_by(f"x.astype({target})")
        if target.kind == "O":
            return self.copy()
        return wrap(self._value.astype(target), cast(self._tangent, target), self._tag)


class Flat:
    """What ``x.flat`` is: the elements of an array by their number."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def _places(self, index: Any) -> Any:
        """Return the places of elements in the array's own indices."""
        return np.unravel_index(np.arange(self.array.size)[index], self.array.shape)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return int(self.array.size)

    def __getitem__(self, index: Any) -> Any:
        return self.array[self._places(index)]

    def __setitem__(self, index: Any, item: Any) -> None:
        self.array[self._places(index)] = item


Dual._of_array = DualArray


def borrowed(value: np.ndarray[Any, Any], tangent: Any, tag: Tag) -> Any:
    """Return the Dual of arrays that belong to the caller: they are copied only if the Dual is written to."""
    self = wrap(value, tangent, tag)
    if isinstance(self, DualArray):
        view = value.view()
        view.flags.writeable = False
        self._value, self._borrowed = view, True
    return self


_BASIC = (int, slice)


def _is_basic(index: Any) -> bool:
    """Tell whether indexing by `index` makes a view."""
    if not isinstance(index, tuple):
        index = (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (int, slice, np.integer)) for i in index) and not any(
        isinstance(i, bool) for i in index
    )


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(self: Dual, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"Dual.{name}"
    method.__doc__ = f"``np.{name}`` of this array."
    return method


def _clip(self: Dual, min: Any = None, max: Any = None, out: Any = None) -> Any:
    """``np.clip`` of this array, whose bounds are named as ndarray's method names them."""
    clip: Any = np.clip  # to the type checker NumPy's functions take arrays alone
    return clip(self, min, max, out=out)


def _compress(self: Dual, condition: Any, axis: int | None = None, out: Any = None) -> Any:
    """``np.compress`` of this array, which the function takes second."""
    compress: Any = np.compress
    return compress(condition, self, axis=axis, out=out)


Dual.clip, Dual.compress = _clip, _compress  # type: ignore[attr-defined]

# ndarray's other methods are NumPy's functions of the same name, so there is nothing more to say about them; a scalar
# has them too, as NumPy's own scalars do.
for _name in (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "conj", "conjugate",
    "cumprod", "cumsum", "diagonal", "dot", "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "round",
    "searchsorted", "squeeze", "std", "sum", "swapaxes", "take", "trace", "var",
):  # fmt: skip
    setattr(Dual, _name, _method(_name))
Dual.reshape = DualArray.reshape  # type: ignore[attr-defined]
