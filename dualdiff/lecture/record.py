"""A run of f with every step noted: what was computed from what, where it stands, and the linear map that it is.

Each row begins anew: the tangent of its result is an input of its own, so that its derivative is a small linear
program from its operands to itself.  Run in order the programs are the tangent sweep, from the end the adjoint sweep.
"""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, kept, live
from dualdiff.functions import members
from dualdiff.lecture.branches import Branches
from dualdiff.lecture.source import NOWHERE, Place, called_from, name_of, refresh
from dualdiff.primal import plain, shape_of
from dualdiff.proxy import METHOD, OPERATORS, ArrayProxy, Proxy, bare
from dualdiff.reverse import Input, Program
from dualdiff.rules.book import RULES, Line
from dualdiff.tangent import any_nan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from dualdiff.tag import Tag

__all__ = ["Recorder", "Row", "Traced"]

_FEW = 4  # numbers of an array without a name that are written out


@dataclass(eq=False, slots=True)
class Row:
    """One step of a run, or an input.

    Attributes
    ----------
    operation : str
        NumPy's name of what was done; "input" for an input.
    args, kwargs
        What it was done with: rows, and whatever else as it was.
    sources : tuple of Row
        The rows that it moves with.
    value : float or ndarray
        What came of it.
    program : Program or None
        Its derivative, from the sources to itself; None for an input.
    place : Place
        Where it stands in the user's code.
    step : Input
        The tangent that begins here.
    line : Line or None
        Its line of the table, where it is an elementwise function.
    method : bool
        Whether it was called as ``x.sum()``.
    in_place : bool
        Whether it wrote into the array that it is the row of.
    notes : list of str
        The branches that were decided on the way to it.
    """

    operation: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    sources: tuple[Row, ...]
    value: Any
    program: Program | None
    place: Place
    step: Any
    line: Line | None = None
    method: bool = False
    in_place: bool = False
    notes: list[str] = field(default_factory=list)
    name: str = ""
    role: str = "step"

    @classmethod
    def of(cls, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any], place: Place) -> Row:
        """Return a row of which no result is known yet."""
        return cls(operation, args, kwargs, (), None, None, place, None)

    def part(self, i: int) -> Row:
        """Return the row of one of several results."""
        made = Row.of(self.operation, self.args, {**self.kwargs, "part": i}, self.place)
        made.method = self.method
        return made

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return shape_of(self.value)

    @property
    def size(self) -> int:
        """How many numbers the value is."""
        return math.prod(self.shape)


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """An array that does not move, as it was, and the name that the user's code has for it, or the table gives it."""

    value: Any
    name: str | None


NUMBERS_ONLY = (
    "trace() and check() show numbers; f uses a Dual of a derivative that has not returned: trace outside of it, or "
    "take x.value of what is to be a constant"
)


class Recorder:
    """What makes rows of the operations of one run."""

    tag: Tag  # the derivative whose tangents are watched

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.branches = Branches()
        self.names: set[str] = set()  # of the inputs
        self._arrays: dict[str, Known] = {}  # that do not move, by their names in the table
        self._known: dict[int, Row] = {}

    def begin(self, tag: Tag) -> None:
        """Watch the tangents of a derivative that records."""
        refresh()
        self.tag = tag
        tag.proxy = lambda dual, operation: self.taken_up(dual, Row.of(operation, (), {}, called_from()[0]))

    # --- rows ----------------------------------------------------------------------------------------------------

    def input(self, dual: Dual, name: str) -> Any:
        """Return an argument of f as the proxy that begins a row."""
        row = Row.of("input", (), {}, Place(name))
        row.value, row.step, row.name, row.role = _settled(dual), dual._tangent, name, "input"
        self.names |= {name, f"d{name}"}
        self._enter(row)
        return self._proxy(dual, row)

    def _enter(self, row: Row) -> Row:
        self._known[row.step.number] = row
        self.rows.append(row)
        return row

    def noted(self, dual: Any, row: Row) -> Row:
        """Enter the row of a result; from here on its tangent is an input of its own."""
        if isinstance(live(dual._value), Dual):
            raise TypeError(NUMBERS_ONLY)
        row.value = _settled(dual)
        row.program = program = Program([], [dual._tangent], any_nan(row.value))
        inputs = [source for source in program.steps if source.number in self._known]
        named = [one for one in _rows((row.args, row.kwargs)) if one.step in inputs]
        row.sources = tuple(dict.fromkeys([*named, *(self._known[source.number] for source in inputs)]))
        program.inputs = [source.step for source in row.sources]
        if any(source not in row.args for source in row.sources):  # an operand has come through a nested derivative
            row.line = None
        dual._tangent = row.step = Input(dual.shape, dual.dtype)
        row.notes = self.branches.taken()
        return self._enter(row)

    def constant(self, value: Any, given: Any) -> Row:
        """Enter the row of a result that does not move."""
        row = Row.of("constant", (given,), {}, NOWHERE)
        row.value, row.program = value, Program([], [None], undefined=False)
        row.step = Input(shape_of(value), np.result_type(value))
        return self._enter(row)

    def row_of(self, dual: Any, proxy: Any = None) -> Row:
        """Return the row that a Dual is; what comes from elsewhere, as out of a nested derivative, becomes one."""
        known = self._known.get(dual._tangent.number)
        if known is not None:
            return known
        if isinstance(dual, Dual._of_array) and dual._origin is not None:  # type: ignore[attr-defined]
            before = None if proxy is None else proxy._row  # a view, of what was written into
            origin = self.row_of(dual._origin[0])  # type: ignore[attr-defined]
            if before is None or before.operation == "view":
                return self.noted(dual, Row.of("view", (origin,), {}, NOWHERE))
            return self.noted(dual, Row.of(before.operation, (origin, *before.args[1:]), before.kwargs, before.place))
        return self.noted(dual, Row.of("derivative", (), {}, NOWHERE))

    def _proxy(self, dual: Any, row: Row) -> Any:
        made = object.__new__(TracedArray if dual.ndim else Traced)
        made._dual, made._recorder, made._row = dual, self, row
        return made

    def rows_of(self, x: Any, frame: FrameType | None = None) -> Any:
        """Return what f gave to an operation, with rows in place of what moves."""
        if isinstance(x, Traced):
            if isinstance(x._dual, Dual) and x._dual._tag is self.tag:
                x._row = self.row_of(x._dual, x)
                return x._row
            return self.rows_of(x._dual, frame)
        if isinstance(x, Dual):
            x = live(x)
            return self.row_of(x) if isinstance(x, Dual) and x._tag is self.tag else x
        if type(x) in (list, tuple):
            return type(x)(self.rows_of(item, frame) for item in x)
        if isinstance(x, np.ndarray):
            if x.dtype == object:
                return self.rows_of(x.tolist(), frame)
            return self._known_array(x, frame)
        return {key: self.rows_of(item, frame) for key, item in x.items()} if type(x) is dict else x

    def _known_array(self, x: np.ndarray[Any, Any], frame: FrameType | None) -> Known:
        """Return an array that does not move; another one by the same name has another name in the table."""
        copy = kept(x)
        own = name_of(x, frame, self.names)
        if own is None and x.size <= _FEW:
            return Known(copy, None)
        stem, first = (f"{own}_", [own]) if own else ("c", [])
        for name in itertools.chain(first, (f"{stem}{i}" for i in itertools.count(2 if own else 1))):
            if name in self.names:
                continue
            known = self._arrays.setdefault(name, Known(copy, name))
            if known.value is copy or _equal(known.value, copy):
                return known
        raise AssertionError  # names do not end

    # --- operations ----------------------------------------------------------------------------------------------

    def operated(self, function: Callable[..., Any], operation: str, args: tuple[Any, ...], kwargs: Any) -> Any:
        """Do an operation on the Duals inside and note what came of it."""
        if not self.tag.alive:
            return function(*bare(args), **bare(kwargs))
        place, frame = called_from()
        row = Row.of(operation, self.rows_of(args, frame), self.rows_of(kwargs, frame), place)
        row.line, row.method = _line(function, operation), function.__name__ == METHOD
        result = function(*bare(args), **bare(kwargs))
        for x in members([*args, *kwargs.values()]):
            if isinstance(x, TracedArray) and (result is None or result is x._dual):  # np.add.at, out=y
                self._written_by(x, row)
            if isinstance(x, Traced) and result is x._dual and isinstance(result, Dual):  # x.item() of a number is x
                return x
        return self.taken_up(result, row)

    def taken_up(self, result: Any, row: Row) -> Any:
        """Return the Duals of a result as proxies, each with a row."""
        if isinstance(result, Dual) and result._tag is self.tag:
            return self._proxy(result, self.noted(result, row))
        if type(result) in (list, tuple) or hasattr(result, "_fields"):
            parts = [self.taken_up(part, row.part(i)) for i, part in enumerate(result)]
            return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
        return result

    def _written_by(self, array: Any, row: Row) -> None:
        """Note what an operation has written into an array, if it has."""
        root = array._dual._root()
        if root._tag is self.tag and root._tangent.number not in self._known:
            row.in_place = True
            self.noted(root, row)
            root._refresh()

    def written(self, array: Any, index: Any, item: Any) -> None:
        """Write into an array: what its memory belongs to is another row from then on, and its views are made anew."""
        if not self.tag.alive:
            array._dual[bare(index)] = bare(item)
            return
        if isinstance(item, TracedArray) and _is_there(array._dual, bare(index), item._dual):
            return  # what y[1:] += x ends in
        place, frame = called_from(statement=True)
        root = array._dual._root()
        given = (self.rows_of(root), *self.rows_of((array, index, item), frame))
        array._dual[bare(index)] = bare(item)
        if root._tag is self.tag:
            row = Row.of("write", given, {}, place)
            row.in_place = True
            self.noted(root, row)
            root._refresh()

    def compared(self, name: str, x: Any, other: Any, answer: Any) -> None:
        """Note how a comparison came out, which a branch may hang on."""
        if self.tag.alive and isinstance(answer, (bool, np.bool_)):
            self.branches.hear(name, x, other, bool(answer))


def _equal(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> bool:
    return x.shape == y.shape and x.dtype == y.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")


def _is_there(array: Any, index: Any, view: Any) -> bool:
    """Tell whether a view is the very memory at an index of an array."""
    if view._origin is None or view._origin[0] is not array:
        return False
    here = plain(array)[index]
    return isinstance(here, np.ndarray) and here.__array_interface__ == plain(view).__array_interface__


def _line(function: Any, operation: str) -> Line | None:
    """Return the line of the table behind an operation, if it is one."""
    if function in OPERATORS:
        function = getattr(np, operation)
    elif function.__name__ == "__call__" and isinstance(function.__self__, np.ufunc):
        function = function.__self__
    entry = RULES.get(function)
    return entry if isinstance(entry, Line) else None


def _rows(x: Any) -> Iterator[Row]:
    """Yield the rows among the arguments of an operation, in order."""
    if isinstance(x, Row):
        yield x
    elif isinstance(x, (list, tuple)):
        for item in x:
            yield from _rows(item)
    elif isinstance(x, dict):
        yield from _rows(list(x.values()))


def _settled(dual: Dual) -> Any:
    """Return the plain value of a Dual as it is now."""
    value = plain(dual)
    return value.copy() if isinstance(value, np.ndarray) else value


class Traced(Proxy):
    """A number of a traced run."""

    __slots__ = ("_recorder", "_row")

    _recorder: Recorder
    _row: Row  # what it was when it was last used

    def _operated(self, function: Callable[..., Any], operation: str, args: Any, kwargs: dict[str, Any]) -> Any:
        return self._recorder.operated(function, operation, args, kwargs)

    def _compared(self, compare: Callable[[Any, Any], Any], name: str, other: Any) -> Any:
        answer = super()._compared(compare, name, other)
        self._recorder.compared(name, self, other, answer)
        return answer

    def __bool__(self) -> bool:
        answer = bool(self._dual)
        self._recorder.compared("bool", self, None, answer)
        return answer

    def __radd__(self, other: Any) -> Any:
        """Add; sum() begins at the number 0, which is no step of anybody's."""
        return self if type(other) is int and other == 0 else self._operated(operator.add, "add", (other, self), {})

    def __repr__(self) -> str:
        return repr(self._dual.value)

    def __copy__(self) -> Any:
        return self._operated(lambda x: x.copy(), "copy", (self,), {})

    def __deepcopy__(self, memo: object) -> Any:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        message = "a number of a traced run belongs to its trace and cannot be pickled: send x.value"
        raise TypeError(message)


class TracedArray(ArrayProxy, Traced):
    """An array of a traced run."""

    __slots__ = ()

    def __setitem__(self, index: Any, item: Any) -> None:
        self._recorder.written(self, index, item)
