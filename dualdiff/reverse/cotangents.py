"""Cotangents, collected while a record is read from its end."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualdiff.dual import Dual, wrap
from dualdiff.primal import plain
from dualdiff.reverse.transposes import strongly, whole
from dualdiff.tangent import zeros

__all__ = ["Cotangents"]


class Cotangents:
    """The cotangents met so far while a program is read from its end.

    Attributes
    ----------
    complex : bool
        Whether there are complex numbers in the program. The inner product is the real one, Re ⟨w, t⟩.
    reached : dict or None
        For a careful reading, by step: which of its elements go anywhere. Slower, and called for where a NaN was met.
    structure : bool
        Whether that is what this reading is to find out: slopes count as 1, and cotangents as reached or not.
    """

    __slots__ = ("careful", "complex", "found", "owned", "reached", "structure")

    def __init__(
        self, complex_numbers: bool = False, reached: dict[int, Any] | None = None, structure: bool = False
    ) -> None:
        self.complex = complex_numbers
        self.reached = reached
        self.structure = structure
        self.careful = complex_numbers or structure or reached is not None
        self.found: dict[int, Any] = {}
        self.owned: set[int] = set()  # whose cotangents are arrays nobody else holds

    def scaled(self, step: Any, g: Any, partial: Any) -> Any:
        """Return the cotangent of a step times a partial, as carefully as this reading wants it."""
        if self.structure:
            return g
        partial = self.conjugate(partial)
        return g * partial if self.reached is None else strongly(g, partial, self.reached[step.number])

    def add(self, step: Any, g: Any) -> None:
        """Add a cotangent to that of a step."""
        number = step.number
        old = self.found.get(number)
        if old is None:  # mostly
            self.found[number] = g
        elif number in self.owned and type(g) is np.ndarray and g.shape == old.shape and g.dtype is old.dtype:
            np.add(old, g, out=old)
        else:
            self.found[number] = total = old + g
            if type(total) is np.ndarray:
                self.owned.add(number)
            else:
                self.owned.discard(number)

    def give(self, step: Any, g: Any) -> None:
        """Add an array that nobody else holds."""
        new = step.number not in self.found
        self.add(step, g)
        if new and type(g) is np.ndarray:
            self.owned.add(step.number)

    def own(self, step: Any, g: Any) -> Any:
        """Return the cotangent taken off a step as an array that may be written into."""
        if step.number in self.owned and g.shape == step.shape:
            return g
        return np.copy(whole(g, step.shape))

    def buffer(self, step: Any, like: Any) -> Any:
        """Return the cotangent of a step as an array to add parts to, able to hold what `like` is."""
        number = step.number
        old = self.found.get(number)
        if type(old) is type(like) is np.ndarray and old.dtype is like.dtype and number in self.owned:  # mostly
            if old.shape == step.shape:
                return old
        elif old is None and type(like) in _FLOATS and (type(like) is float or like.dtype is _FLOAT64):
            self.found[number] = buffer = np.zeros(step.shape)
            self.owned.add(number)
            return buffer
        room = isinstance(old, Dual) or not isinstance(like, Dual)
        if old is not None and number in self.owned and room and old.shape == step.shape and not _widens(like, old):
            return old
        kind = np.result_type(*(_dtype(x) for x in (old, like) if x is not None))
        buffer = _zeros_like(like, step.shape, kind)
        if old is not None:
            buffer = buffer + old
        self.found[number] = buffer
        self.owned.add(number)
        return buffer

    def conjugate(self, x: Any) -> Any:
        """Return the conjugate of what a step multiplies by."""
        return np.conjugate(x) if self.complex and np.iscomplexobj(plain(x)) else x


_FLOATS = (np.ndarray, float)
_FLOAT64 = np.dtype(float)


def _zeros_like(like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return zeros that have room for the derivatives that `like` carries."""
    if not isinstance(like, Dual):
        return np.zeros(shape, dtype)
    value = _zeros_like(like._value, shape, dtype)
    return wrap(value, zeros(like._tangent, shape, value), like._tag)


def _dtype(g: Any) -> Any:
    g = plain(g)
    return getattr(g, "dtype", np.dtype(type(g)))


def _widens(like: Any, old: Any) -> bool:
    return np.iscomplexobj(plain(like)) and not np.iscomplexobj(plain(old))
