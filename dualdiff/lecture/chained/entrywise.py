"""A Jacobian in letters: each entry as a formula, for a function of few steps on few numbers.

The rows of a recorded run are gone through once more with a formula in place of every number, and with the formulas of
its tangents beside it.  What only moves numbers, NumPy does to arrays of formulas as it does to arrays of numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.lecture.derivation import OPERATORS
from dualdiff.lecture.differential import PRODUCTS
from dualdiff.lecture.formula import Formula, formula_of
from dualdiff.lecture.passes import is_elementwise
from dualdiff.lecture.record import Known, Row
from dualdiff.lecture.spelling import text_of
from dualdiff.rules.elementary import constant_power

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.run import Recorded

__all__ = ["jacobian_in_letters"]

_STEPS = 8  # of arithmetic; taking entries out of arrays and putting them together is not counted
_ENTRIES = 12  # numbers that a row may have
_DIRECTIONS = 6
_LONG = 28  # characters of an entry; a longer one says less than its number
_CLOSE = 1e-9  # how far a formula may be from the number it stands for, relative to it

_SHAPED = ("index", "array", "stack", "copy", "reshape", "ravel", "concatenate", "write")
_ATTRIBUTES = ("T", "mT")
_METHODS = ("reshape", "ravel", "transpose")
_LINEAR = ("sum", "mean", "concatenate", "stack", "hstack", "vstack", "flip", "roll")


class _Unknown(Exception):  # noqa: N818 - a signal: this function is shown in numbers alone
    """Raised at a step that cannot be done to formulas."""


def jacobian_in_letters(
    run: Recorded, labels: Sequence[str], matrix: np.ndarray[Any, Any]
) -> tuple[tuple[str, ...], ...] | None:
    """Return the entries of a Jacobian as formulas; None where f has many steps, or one that has no short formula.

    Parameters
    ----------
    run : Recorded
        A run of f.
    labels : sequence of str
        What each number of its input is called.
    matrix : ndarray
        The Jacobian in numbers, with which the formulas are compared: what is not equal is not shown.
    """
    counted = [row for row in run.rows if row.role != "input" and row.operation not in (*_SHAPED, *_ATTRIBUTES)]
    sizes = [row.size for row in run.rows]
    if len(counted) > _STEPS or len(labels) > _DIRECTIONS or max(sizes, default=0) > _ENTRIES:
        return None
    try:
        entries = _Letters(run, labels).entries()
    except (_Unknown, TypeError, ValueError, IndexError, ArithmeticError):
        return None
    if len(entries) != len(matrix) or not all(map(_is_worth, entries, matrix)):
        return None
    texts = tuple(tuple(str(text_of(entry)) for entry in line) for line in entries)
    return texts if all(len(text) <= _LONG for line in texts for text in line) else None


def _is_worth(entries: Sequence[Any], numbers: Any) -> bool:
    """Return whether formulas are worth what they are to be."""
    values = [entry.value if isinstance(entry, Formula) else entry for entry in entries]
    if any(value is None or np.ndim(value) for value in values):
        return False
    return bool(np.allclose(np.array(values), numbers, rtol=_CLOSE, atol=1e-300, equal_nan=True))


def _boxed(x: Any) -> Any:
    """Return a number, a formula or an array as an array of objects."""
    if isinstance(x, np.ndarray):
        return x.astype(object)
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def _known(x: Any) -> Any:
    """Return an argument with what does not move as it was given."""
    if isinstance(x, Known):
        return x.value
    return type(x)(map(_known, x)) if type(x) in (list, tuple) else x


class _Letters:
    """Formulas of every row of a run: of its numbers, and of their tangents in each direction."""

    def __init__(self, run: Recorded, labels: Sequence[str]) -> None:
        self.run, self.directions = run, len(labels)
        self.values: dict[Row, Any] = {}
        self.tangents: dict[Row, list[Any]] = {}
        start = 0
        for row in run.rows:
            if row.role == "input":
                self._enter(row, labels[start : start + row.size], start)
                start += row.size
            elif not row.sources:
                self.values[row] = _boxed(row.value)
                self.tangents[row] = [np.full(row.shape, 0.0, dtype=object) for _ in labels]
            elif is_elementwise(row) and row.operation != "copy":
                self._elementwise(row)
            else:
                self._moved(row)

    def _enter(self, row: Row, names: Sequence[str], start: int) -> None:
        numbers = np.ravel(row.value).tolist()
        letters = np.empty(row.size, dtype=object)
        letters[:] = [formula_of(name, number) for name, number in zip(names, numbers, strict=True)]
        self.values[row] = letters.reshape(row.shape)
        units = np.eye(row.size, self.directions, start).T
        self.tangents[row] = [unit.astype(object).reshape(row.shape) for unit in units]

    def entries(self) -> list[list[Any]]:
        """Return the tangents of all results: a list for each number, with an entry for each direction."""
        return [
            [tangent.ravel()[place] for tangent in self.tangents[row]]
            for row in self.run.outputs
            for place in range(row.size)
        ]

    # --- elementwise ---------------------------------------------------------------------------------------------

    def _elementwise(self, row: Row) -> None:
        line: Any = row.line
        args = [_known(x) for x in row.args if x is not None]
        if row.kwargs or not line.traced:
            raise _Unknown
        function = getattr(functions, row.operation, None) or OPERATORS[row.operation]
        if row.operation == "power" and not isinstance(args[1], Row) and not np.ndim(args[1]):
            line = constant_power(args[1])
        operands = np.broadcast_arrays(*[self.values[x] if isinstance(x, Row) else _boxed(x) for x in args])
        moved = [self._spread(x, row.shape) for x in args]
        value = np.empty(row.shape, dtype=object)
        tangents = [np.empty(row.shape, dtype=object) for _ in range(self.directions)]
        for place in np.ndindex(row.shape):
            own = [operand[place] for operand in operands]
            value[place] = result = function(*own)
            slopes = [
                slope(*own[: len(line.partials)], result) if callable(slope) else slope for slope in line.partials
            ]
            for j, tangent in enumerate(tangents):
                tangent[place] = _sum(
                    [(slope, t[j][place]) for slope, t in zip(slopes, moved, strict=False) if t is not None]
                )
        self.values[row], self.tangents[row] = value, tangents

    def _spread(self, x: Any, shape: tuple[int, ...]) -> list[Any] | None:
        """Return the tangents of an operand in the shape of the result; None where it does not move."""
        return [np.broadcast_to(t, shape) for t in self.tangents[x]] if isinstance(x, Row) else None

    # --- everything else -----------------------------------------------------------------------------------------

    def _moved(self, row: Row) -> None:
        """Do to arrays of formulas what was done to arrays of numbers."""
        if row.operation in PRODUCTS and len(row.args) == 2 and not row.kwargs:
            function = getattr(np, row.operation)
            x, y = map(_known, row.args)
            a, b = self._filled(x, None), self._filled(y, None)
            self.values[row] = _boxed(function(a, b))
            self.tangents[row] = [
                _boxed(function(self._filled(x, j), b) + function(a, self._filled(y, j)))
                for j in range(self.directions)
            ]
            return
        self.values[row] = self._linear(row, None)
        self.tangents[row] = [self._linear(row, j) for j in range(self.directions)]

    def _linear(self, row: Row, direction: int | None) -> Any:
        args = [self._filled(_known(x), direction) for x in row.args]
        kwargs = {name: _known(x) for name, x in row.kwargs.items()}
        if row.operation == "index":
            return _boxed(args[0][_known(row.args[1])])
        if row.operation == "array":
            return _boxed(np.array(args[0], dtype=object))
        if row.operation == "copy":
            return _boxed(args[0])
        if row.operation == "write":
            if row.args[1] is not row.args[0]:  # through a view
                raise _Unknown
            written = args[0].copy()
            written[_known(row.args[2])] = args[3]
            return written
        if row.operation in _ATTRIBUTES:
            return _boxed(getattr(args[0], row.operation))
        if row.operation in _METHODS:  # x.reshape(2, 3) or np.reshape(x, (2, 3))
            return _boxed(getattr(_boxed(args[0]), row.operation)(*args[1:], **kwargs))
        if row.operation in _LINEAR and "part" not in row.kwargs:
            return _boxed(getattr(np, row.operation)(*args, **kwargs))
        raise _Unknown

    def _filled(self, x: Any, direction: int | None) -> Any:
        """Return an argument with formulas for its rows; in a direction, what does not move has tangent 0."""
        if isinstance(x, Row):
            filled = self.values[x] if direction is None else self.tangents[x][direction]
            return filled if x.shape else filled[()]
        if isinstance(x, (list, tuple)) and any(isinstance(item, (Row, list, tuple)) for item in x):
            return type(x)(self._filled(item, direction) for item in x)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            return _boxed(x if direction is None else np.zeros_like(x))
        return x


def _sum(products: Sequence[tuple[Any, Any]]) -> Any:
    """Return a sum of products, in which what is multiplied by the number 0 has no place."""
    total: Any = 0.0
    for slope, tangent in products:
        if isinstance(tangent, Formula) or tangent != 0:
            total = total + slope * tangent
    return total
