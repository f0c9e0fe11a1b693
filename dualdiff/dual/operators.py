"""The operators and elementary methods of Duals, generated from the table.

For scalars whole methods are written out in straight-line Python, with the pushforward of the line in them: looking a
rule up at run time would cost more than the arithmetic.
"""

from __future__ import annotations

import operator
import re
from functools import partial
from math import isfinite
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from dualdiff import functions
from dualdiff.dual.elementwise import elementwise, of_array, pushed
from dualdiff.dual.formulas import pushforward_formula
from dualdiff.dual.number import Dual
from dualdiff.dual.operands import is_operand, kept
from dualdiff.dual.recycling import LARGE
from dualdiff.floating import quiet
from dualdiff.letter import FloatLetter, Letter
from dualdiff.rules.book import RULES, Line
from dualdiff.rules.elementary import constant_power

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPERATORS", "UNARY", "in_place"]

UNARY: dict[Any, Callable[[Any], Any]] = {}
"""The method of scalars behind each ufunc of one operand."""

# Which operator each line belongs to, with the symbol it has in Python.
OPERATORS: dict[Any, tuple[str, str]] = {
    np.add: ("add", "+"),
    np.subtract: ("sub", "-"),
    np.multiply: ("mul", "*"),
    np.divide: ("truediv", "/"),
}

# What every method ends in, kept flat: a call, or a name more, shows in the time of a multiplication.
_MAKE = """
{indent}{check}
{indent}r = new()
{indent}r._value = {result}
{indent}r._tangent = d
{indent}r._tag = {tag}
{indent}return r
"""

_UNARY = """
def {name}(self):
    x = self._value
    kind = type(x)
    try:
        if kind is float:
            y = scalar_{name}(x)
            d = {of_floats}
        elif kind is Dual:
            y = x.{name}()
            with quiet():
                d = {of_duals}
            if y != y: return elementwise({line}, (self,))
        else:
            return elementwise({line}, (self,))
    except ARITHMETIC:
        return elementwise({line}, (self,))
{make}
"""

_BINARY = """
def __{name}__(self, other):
    try:
        if type(other) is Dual:
            tag = self._tag
            if other._tag is tag:
                x = self._value
                y = other._value
                z = x {symbol} y
                d = {both}
{make_both}
        elif type(other) is float or type(other) is int:
            x = self._value
            z = x {symbol} other
            d = {left}
{make_left}
    except ARITHMETIC:
        pass
    return apply({line}, self, other)

def __r{name}__(self, other):
    try:
        if type(other) is float or type(other) is int:
            y = self._value
            z = other {symbol} y
            d = {right}
{make_right}
    except ARITHMETIC:
        pass
    return apply({line}, other, self)
"""

# x ** n for a number n; a moving exponent goes through the line of the table.
_POWER = """
def __pow__(self, other, modulus=None):
    if modulus is not None:
        raise TypeError("pow(x, y, modulus) is about whole numbers and has no derivative; leave the modulus out")
    kind = type(other)
    x = self._value
    try:
        if (kind is float or kind is int) and type(x) is float:
            z = x ** other
            if type(z) is float:  # else a negative number to a broken power, which is NaN to NumPy
                if other == 2:
                    d = self._tangent * (2 * x)
                elif kind is int or other >= 1:
                    d = self._tangent * (other * x ** (other - 1))
                else:
                    d = self._tangent * (other * z / x)
{make}
    except ARITHMETIC:
        pass
    return apply({line}, self, other)

def __rpow__(self, other, modulus=None):
    return apply({line}, other, self)
"""


def _make(line: Line, operands: str, result: str, depth: int, tag: str = "self._tag") -> str:
    """Return the end of a method, which sends a NaN to the exact way if a slope of the line can make one."""
    indent = "    " * depth
    nan = "d != d" if result == "y" else "d != d or z != z"  # a function of one NaN has a NaN slope by itself
    check = f"if {nan}: return elementwise(LINE_{line.function.__name__}, ({operands}))" if line.curved else ""
    return _MAKE.format(indent=indent, check=check, result=result, tag=tag)


def _rename(text: str, **names: str) -> str:
    """Return `text` with single names replaced."""
    return re.sub(r"\b[a-z]+\b", lambda match: names.get(match[0], match[0]), text)


def apply(line: Line, x: Any, y: Any) -> Any:
    """Apply a binary line as an operator does: NotImplemented where an operand is no number, array, list or Dual."""
    if not is_operand(x) or not is_operand(y):
        return NotImplemented
    return elementwise(line, (x, y))


# --- written out ---------------------------------------------------------------------------------------------------

_LINES: dict[Any, Line] = {function: entry for function, entry in RULES.items() if isinstance(entry, Line)}
_NAMESPACE: dict[str, Any] = {
    **vars(functions),
    **{f"scalar_{name}": function for name, function in functions.SCALAR.items()},
    **{f"LINE_{function.__name__}": line for function, line in _LINES.items()},
    "ARITHMETIC": (ZeroDivisionError, OverflowError, ValueError),
    "Dual": Dual,
    "apply": apply,
    "elementwise": elementwise,
    "new": partial(object.__new__, Dual),  # quicker than object.__new__(Dual) by the time of an argument
    "quiet": quiet,
}


def _define(source: str, *names: str) -> None:
    """Compile methods and give them to Dual."""
    made: dict[str, Any] = {}
    exec(compile(source, "<the operators of Dual>", "exec"), _NAMESPACE, made)  # noqa: S102 - the table's own text
    for name in names:
        method = made[name]
        method.__qualname__, method.__module__ = f"Dual.{name}", Dual.__module__
        setattr(Dual, name, method)
        if (ufunc := getattr(np, name, None)) in UNARY:
            UNARY[ufunc] = method


def _define_operator(line: Line) -> None:
    method, symbol = OPERATORS[line.function]
    both, left, right = (
        str(pushforward_formula(line, active)) for active in ((True, True), (True, False), (False, True))
    )
    dx, dy = "self._tangent", "other._tangent"
    source = _BINARY.format(
        name=method, symbol=symbol, line=f"LINE_{line.function.__name__}", both=_rename(both, dx=dx, dy=dy),
        left=_rename(left, dx=dx, y="other"), right=_rename(right, dy=dx, x="other"),
        make_both=_make(line, "self, other", "z", 4, "tag"), make_left=_make(line, "self, other", "z", 3),
        make_right=_make(line, "other, self", "z", 3),
    )  # fmt: skip
    _define(source, f"__{method}__", f"__r{method}__")


def _define_function(line: Line) -> None:
    name = line.function.__name__
    text, of_floats = (
        _rename(str(pushforward_formula(line, (True,), kind)), dx="self._tangent") for kind in (Letter, FloatLetter)
    )
    make = _make(line, "self,", "y", 1)
    _define(_UNARY.format(name=name, line=f"LINE_{name}", of_floats=of_floats, of_duals=text, make=make), name)


def _on_first_call(line: Line) -> Callable[[Any], Any]:
    """Return a method that writes itself out when it is first called.

    A program needs few of the functions, and compiling them all takes as long as the rest of the import.
    """
    name = line.function.__name__

    def method(self: Any) -> Any:
        _define_function(line)
        return getattr(self, name)()

    return method


# --- arrays of one derivative, and numbers: what every operation of a program on arrays is --------------------------

_BOTH, _LEFT, _RIGHT, _ONE = (True, True), (True, False), (False, True), (True,)
_FLOAT64 = np.dtype(float)


def _of_arrays(line: Line, operate: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator of arrays, both ways, with a short way for its commonest operands."""
    array, curved = Dual._of_array, line.curved

    def forward(self: Any, other: Any) -> Any:
        tag, x = self._tag, self._value
        if tag.alive and x.size < LARGE:
            kind = type(other)
            if kind is float or kind is int or (kind is ndarray and other.dtype is _FLOAT64 and type(x) is ndarray):
                if not tag.records:
                    return pushed(line, tag, _LEFT, (x, other), operate(x, other), (self._tangent,))
                if self._borrowed:
                    y = kept(other) if curved and kind is ndarray else other
                    return self._tangent.recorded(line, tag, _LEFT, (x, y), operate(x, y), (self._tangent,))
            elif kind is array and other._tag is tag and other is not self:
                y = other._value
                moving = (self._tangent, other._tangent)
                if not tag.records:
                    return pushed(line, tag, _BOTH, (x, y), operate(x, y), moving)
                if self._borrowed and other._borrowed:
                    return self._tangent.recorded(line, tag, _BOTH, (x, y), operate(x, y), moving)
        return apply(line, self, other)

    def reflected(self: Any, other: Any) -> Any:
        tag, y, kind = self._tag, self._value, type(other)
        short = kind is float or kind is int or (kind is ndarray and other.dtype is _FLOAT64 and type(y) is ndarray)
        if short and tag.alive and y.size < LARGE:
            if not tag.records:
                return pushed(line, tag, _RIGHT, (other, y), operate(other, y), (self._tangent,))
            if self._borrowed:
                x = kept(other) if curved and kind is ndarray else other
                return self._tangent.recorded(line, tag, _RIGHT, (x, y), operate(x, y), (self._tangent,))
        return apply(line, other, self)

    return forward, reflected


def _array_power(of_numbers: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``x ** n`` of arrays, with a short way for a number n."""

    def power(self: Any, other: Any, modulus: Any = None) -> Any:
        tag, x, kind = self._tag, self._value, type(other)
        if (kind is float or kind is int) and modulus is None and tag.alive and x.size < LARGE and isfinite(other):
            if not tag.records:
                return pushed(constant_power(other), tag, _ONE, (x,), x**other, (self._tangent,))
            if self._borrowed:
                return self._tangent.recorded(constant_power(other), tag, _ONE, (x,), x**other, (self._tangent,))
        return of_numbers(self, other, modulus)

    return power


# --- what needs no speed -------------------------------------------------------------------------------------------


def _of_one(line: Line) -> Callable[[Any], Any]:
    return lambda self: of_array(line, self)


def _of_two(line: Line) -> Callable[[Any, Any], Any]:
    return lambda x, y: elementwise(line, (x, y))


def _of_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of NumPy's as one that is also a method."""

    def method(*operands: Any) -> Any:
        return function(*operands)

    return method


def _by_line(line: Line) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator, both ways, that leaves everything to its line."""
    return (lambda self, other: apply(line, self, other)), (lambda self, other: apply(line, other, self))


def in_place(name: str) -> Callable[[Any, Any], Any]:
    """Return ``x += y`` and its like, which write into the array."""
    operate = getattr(operator, name)

    def method(self: Any, other: Any) -> Any:
        self[...] = operate(self, other)
        return self

    return method


def _generate() -> None:
    """Give Dual and the array subclass, for which the time of a look-up is nothing, their operators and functions."""
    array = Dual._of_array
    for function, line in _LINES.items():
        name = function.__name__
        if len(line.partials) == 1:
            setattr(Dual, name, _on_first_call(line))
            setattr(array, name, _of_one(line))
            UNARY[function] = methodcaller(name)
        else:
            setattr(Dual, name, _of_two(line))
        if function in OPERATORS:
            _define_operator(line)
            method, _ = OPERATORS[function]
            forward, reflected = _of_arrays(line, getattr(operator, method))
            setattr(array, f"__{method}__", forward)
            setattr(array, f"__r{method}__", reflected)
    _define(
        _POWER.format(line="LINE_power", make=_make(_LINES[np.power], "self, other", "z", 4)), "__pow__", "__rpow__"
    )
    array.__pow__ = _array_power(Dual.__pow__)
    Dual.__mod__, Dual.__rmod__ = _by_line(_LINES[np.remainder])
    for operation, function in (("neg", np.negative), ("pos", np.positive), ("abs", np.absolute)):
        _define_function(_LINES[function])
        setattr(Dual, f"__{operation}__", getattr(Dual, function.__name__))
        setattr(array, f"__{operation}__", getattr(array, function.__name__))
    for name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv", "matmul"):
        setattr(array, f"__i{name}__", in_place(name))
    for name in functions.__all__:
        if name not in vars(Dual):  # where, and what is locally constant: NumPy finds their entries
            setattr(Dual, name, _of_numpy(getattr(np, name)))


_generate()
