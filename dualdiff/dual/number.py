"""Dual: a value and the tangent it carries, f(a + b·ε) = f(a) + f'(a)·b·ε with ε² = 0."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dualdiff.errors import DroppedTangentError, dropped_by
from dualdiff.functions import Elementary
from dualdiff.primal import plain, shape_of
from dualdiff.tag import OUTERMOST, Tag
from dualdiff.tangent import Tangent, aligned, fitted, scale, zeros

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Dual", "wrap"]


class Dual(Elementary):
    """A number or an array that carries a tangent through every operation.

    Parameters
    ----------
    value : float, complex, ndarray or nested list of numbers
        The primal. Ints and bools become floats; float32 stays float32.
    tangent : same kinds as `value`, default 0.0
        The perturbation, of a shape that broadcasts to the shape of `value`.

    Attributes
    ----------
    value : float, complex or ndarray
        The primal, without any derivative.
    tangent : float, complex or ndarray
        Derivative of the value in the direction that was seeded; of the value's shape (with a leading axis for the
        directions when several run in one pass), and 0 once the derivative that seeded it has returned.

    Raises
    ------
    TypeError
        If `value` or `tangent` is no number and no array of numbers.
    ValueError
        If the shape of `tangent` does not broadcast to the shape of `value`.

    Notes
    -----
    It behaves as the number or array it carries: operators both ways and in place, comparisons and branches by value,
    NumPy's functions and ndarray's methods. It is unhashable, since equal values may carry different tangents.

    References
    ----------
    Clifford, *Preliminary sketch of biquaternions*, Proc. London Math. Soc. 4 (1873), for ε² = 0;
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, §3.1, for its use here.

    Examples
    --------
    >>> import dualdiff as dd
    >>> t = dd.Dual(2.0, 1.0)
    >>> t * t + 3
    Dual(7.0, 4.0)
    """

    __slots__ = ("_tag", "_tangent", "_value")
    __hash__ = None  # type: ignore[assignment]

    _value: Any
    _tangent: Any
    _tag: Tag
    _of_array: ClassVar[type[Dual]]  # the private subclass for arrays, which `Dual(array)` makes

    if TYPE_CHECKING:  # made from the table, by dualdiff.dual.operators and dualdiff.dual.protocols
        __add__: Callable[[Any, Any], Any]
        __radd__: Callable[[Any, Any], Any]
        __sub__: Callable[[Any, Any], Any]
        __rsub__: Callable[[Any, Any], Any]
        __mul__: Callable[[Any, Any], Any]
        __rmul__: Callable[[Any, Any], Any]
        __truediv__: Callable[[Any, Any], Any]
        __rtruediv__: Callable[[Any, Any], Any]
        __pow__: Callable[..., Any]
        __rpow__: Callable[..., Any]
        __mod__: Callable[[Any, Any], Any]
        __rmod__: Callable[[Any, Any], Any]
        __floordiv__: Callable[[Any, Any], Any]
        __rfloordiv__: Callable[[Any, Any], Any]
        __divmod__: Callable[[Any, Any], Any]
        __rdivmod__: Callable[[Any, Any], Any]
        __matmul__: Callable[[Any, Any], Any]
        __rmatmul__: Callable[[Any, Any], Any]
        __neg__: Callable[[Any], Any]
        __pos__: Callable[[Any], Any]
        __abs__: Callable[[Any], Any]

    def __new__(cls, value: Any, tangent: Any = 0.0) -> Any:
        """Check what a user hands over; inside the library `wrap` makes Duals."""
        if isinstance(value, Dual) or isinstance(tangent, Dual):
            message = (
                "Dual(value, tangent) is made of plain numbers; it got a Dual, whose tangent would be confused with "
                "the new one. For a second derivative use derivatives(f, 2), or nest derivative(derivative(f))."
            )
            raise TypeError(message)
        value = _numeric(value, "value")
        tangent = _numeric(tangent, "tangent")
        if shape_of(tangent) != shape_of(value):
            try:
                tangent = np.broadcast_to(tangent, shape_of(value)).copy()
            except ValueError:
                message = (
                    f"the tangent has shape {shape_of(tangent)} and the value {shape_of(value)}: "
                    "give each number of the value its own tangent, or one number for all"
                )
                raise ValueError(message) from None
        return wrap(value, fitted(tangent, value), OUTERMOST)

    # --- what it carries ---------------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The primal, without this derivative; of an array not to be written to, since the tangent would not follow."""
        return _not_to_be_written(self._value)

    @property
    def tangent(self) -> Any:
        """The derivative in the seeded direction; 0 once the derivative that seeded it has returned."""
        if not self._tag.alive:
            return zeros(0.0, self.shape)
        return _not_to_be_written(self._tangent.dense if isinstance(self._tangent, Tangent) else self._tangent)

    shape: tuple[int, ...] = ()
    ndim: int = 0
    size: int = 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of the value."""
        return self._value.dtype if hasattr(self._value, "dtype") else np.dtype(type(self._value))

    @property
    def T(self) -> Dual:
        """The transpose, which for a number is itself."""
        return self

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self) if self.dtype.kind == "c" else self

    @property
    def imag(self) -> Any:
        """The imaginary part, 0 for a real number."""
        return np.imag(self) if self.dtype.kind == "c" else np.zeros_like(plain(self))[()]

    def item(self, *index: int) -> Dual:
        """Return the number, with its tangent."""
        return self if index in {(), (0,), (-1,), ((),)} else self.reshape(1).item(*index)  # type: ignore[attr-defined]

    # --- what tangent.scale and tangent.move ask of a tangent that is a Dual itself ----------------------------

    def _scaled_by(self, partial: Any) -> Any:
        """Return ``partial · self`` with a strong zero in each part."""
        if isinstance(partial, Dual) and partial._tag.key > self._tag.key:
            return partial._scaling(self)
        slope, bend = (partial._value, partial._tangent) if isinstance(partial, Dual) else (partial, None)
        if isinstance(partial, Dual) and partial._tag is not self._tag:
            slope, bend = partial, None
        tangent = scale(slope, self._tangent)
        return wrap(
            scale(slope, self._value), tangent if bend is None else tangent + scale(bend, self._value), self._tag
        )

    def _scaling(self, tangent: Any) -> Any:
        """Return ``self · tangent`` with a strong zero where `tangent`, which is of an older derivative, is 0."""
        return wrap(scale(self._value, tangent), scale(self._tangent, tangent), self._tag)

    def _with(self, value: Any, tangent: Any) -> Any:
        """Return the Dual of another value and tangent that belongs to the same derivative."""
        return wrap(value, tangent, self._tag)

    # --- how it prints -------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Dual({self._value!r}, {self.tangent!r})"

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        tangent = self.tangent
        shown = repr(tangent) if isinstance(tangent, Tangent) else format(tangent, spec)
        return f"Dual({format(self._value, spec)}, {shown})"

    # --- by value: comparison, truth, rounding -----------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(plain(self))

    def __round__(self, digits: int | None = None) -> Any:
        return round(plain(self), digits)

    def __floor__(self) -> int:
        return math.floor(plain(self))  # type: ignore[no-any-return]

    def __ceil__(self) -> int:
        return math.ceil(plain(self))  # type: ignore[no-any-return]

    def __trunc__(self) -> int:
        return math.trunc(plain(self))  # type: ignore[no-any-return]

    # --- conversions that would drop the tangent ---------------------------------------------------------------

    def __float__(self) -> float:
        if not self._tag.alive:
            return float(self._value)
        raise dropped_by("float(x)")

    def __int__(self) -> int:
        if not self._tag.alive:
            return int(self._value)
        raise dropped_by("int(x)")

    def __complex__(self) -> complex:
        if not self._tag.alive:
            return complex(self._value)
        raise dropped_by("complex(x)")

    # --- copies stay perturbations of the same derivative ------------------------------------------------------

    def copy(self, order: str = "C") -> Dual:  # noqa: ARG002 - ndarray's argument
        """Return a number or array that shares nothing with this one."""
        return self

    def tolist(self) -> Any:
        """Return the number itself, which keeps its tangent."""
        return self

    def astype(self, dtype: Any, **_settings: Any) -> Any:
        """Return the number in another floating-point or complex type; whole numbers would drop the tangent."""
        if np.dtype(dtype).kind not in "fc":
            raise dropped_by(f"x.astype({np.dtype(dtype)})")
        return np.positive(self, dtype=dtype)  # type: ignore[call-overload]

    def __copy__(self) -> Dual:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Dual:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return wrap, (self._value, self._tangent if self._tag.alive else None, self._tag)


# Written out, as branches in loops are worth it: x < 0.5 is then one call.
_COMPARISON = """
def __{name}__(self, other):
    if type(other) is float:
        return self._value {symbol} other
    return self._value {symbol} (plain(other) if isinstance(other, Dual) else other)
"""
for _name, _symbol in {"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">="}.items():
    exec(_COMPARISON.format(name=_name, symbol=_symbol), globals())  # noqa: S102 - the six lines above
    setattr(Dual, f"__{_name}__", globals().pop(f"__{_name}__"))


def _numeric(x: Any, what: str) -> Any:
    """Return `x` as a float, a complex number or an array of either; floats narrower than float64 stay so."""
    if isinstance(x, (list, tuple, np.ndarray)):
        array = np.array(x)
        if array.dtype.kind in "biufc":
            return array.astype(float) if array.dtype.kind in "biu" else array
    elif isinstance(x, (float, complex, np.inexact)):
        return x
    elif isinstance(x, (numbers.Real, np.bool_)):  # ints, bools, fractions
        return float(x)
    message = f"Dual() needs a number or an array of numbers as its {what}; it got {x!r}"
    raise TypeError(message)


def wrap(value: Any, tangent: Any, tag: Tag) -> Any:
    """Return the Dual of `value` and `tangent` under `tag`, or the plain value where there is no tangent.

    NumPy's float64 and complex128 numbers become Python's: the same numbers, and several times faster to work with.
    """
    kind = type(value)
    if kind is float and type(tangent) is float:
        self = object.__new__(Dual)
        self._value = value
        self._tangent = tangent
        self._tag = tag
        return self
    if tangent is None:
        return value
    if kind is np.ndarray or isinstance(value, Dual._of_array):
        if value.ndim:
            self = object.__new__(Dual._of_array)
            self._value = value
            self._tangent = tangent if tangent is value else aligned(tangent, value)
            self._tag = tag
            self._origin = self._views = None  # type: ignore[attr-defined]
            self._borrowed = tag.records  # type: ignore[attr-defined] # a record may keep what it was computed from
            return self
        value = value[()]
        kind = type(value)
    if kind is np.float64:
        value = float(value)
    elif kind is np.complex128:
        value = complex(value)
    if isinstance(tangent, np.ndarray):
        tangent = tangent[()]
    elif isinstance(tangent, Tangent):
        tangent = tangent.copy()  # an element is no view
    if type(tangent) is np.float64:
        tangent = float(tangent)
    elif type(tangent) is np.complex128:
        tangent = complex(tangent)
    self = object.__new__(ComplexDual if isinstance(value, _COMPLEX) else Dual)
    self._value = value
    self._tangent = tangent
    self._tag = tag
    return self


class ComplexDual(Dual):
    """The Dual of a complex number.  Apart from Dual, since an object array takes no part of complex numbers.

    Of ``np.array([z, w])`` NumPy would hand back real and imaginary parts that are wrong, without asking anybody.
    """

    __slots__ = ()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Refuse to go into an object array."""
        message = (
            "np.array([...]) of complex Duals would be an object array, whose .real, .imag and norm NumPy gets wrong. "
            "Write np.stack([...]), or return the list itself"
        )
        raise DroppedTangentError(message)


_COMPLEX = (complex, np.complexfloating, ComplexDual)


def _not_to_be_written(x: Any) -> Any:
    """Return an array as a view that refuses writes; a Dual of an outer derivative as a copy."""
    if isinstance(x, Dual):
        return x.copy()
    if not isinstance(x, np.ndarray):
        return x
    view = x.view()
    view.flags.writeable = False
    return view
