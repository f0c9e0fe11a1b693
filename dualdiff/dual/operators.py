"""The operators and elementary methods of Duals, generated from the table.

For scalars whole methods are written out in straight-line Python, with the pushforward of the line in them: looking a
rule up at run time would cost more than the arithmetic.
"""

from __future__ import annotations

import operator
import re
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.dual.elementwise import elementwise, pushforward_text
from dualdiff.dual.number import Dual
from dualdiff.dual.operands import is_operand
from dualdiff.rules.book import RULES, Line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPERATORS", "UNARY"]

UNARY: dict[Any, Callable[[Any], Any]] = {}
"""The method of scalars behind each ufunc of one operand."""

# Which operator each line belongs to, with the symbol it has in Python.
OPERATORS = {np.add: ("add", "+"), np.subtract: ("sub", "-"), np.multiply: ("mul", "*"), np.divide: ("truediv", "/")}

# What every method ends in, kept flat: a call, or a name more, shows in the time of a multiplication.
_MAKE = """
{indent}{check}
{indent}r = new(Dual)
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
            d = {of_duals}
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
                d = self._tangent * (other * x ** (other - 1) if kind is int or other >= 0 else other * z / x)
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
    check = f"if d != d: return elementwise(LINE_{line.function.__name__}, ({operands}))"
    check = check if any(map(callable, line.partials)) else ""
    return _MAKE.format(indent=indent, check=check, result=result, tag=tag)


def _rename(text: str, **names: str) -> str:
    """Return `text` with single names replaced."""
    return re.sub(r"\b[a-z]+\b", lambda match: names.get(match[0], match[0]), text)


def apply(line: Line, x: Any, y: Any) -> Any:
    """Apply a binary line as an operator does: NotImplemented where an operand is no number, array, list or Dual."""
    if not is_operand(x) or not is_operand(y):
        return NotImplemented
    return elementwise(line, (x, y))


def _scalar(text: str) -> str:
    """Return `text` with every function replaced by the one for Python floats."""
    return re.sub(r"\b([a-z]\w*)\(", r"scalar_\1(", text)


def _generate() -> None:
    """Write the methods of Dual out, compile them in one go and give them to the class."""
    namespace: dict[str, Any] = {"Dual": Dual, "new": object.__new__, "elementwise": elementwise, "apply": apply}
    namespace["ARITHMETIC"] = (ZeroDivisionError, OverflowError, ValueError)
    namespace |= vars(functions) | {f"scalar_{name}": f for name, f in functions.SCALAR.items()}
    namespace["scalar_where"] = functions.where
    source, methods = [], []
    for function, line in RULES.items():
        if not isinstance(line, Line):
            continue
        name = function.__name__
        at = f"LINE_{name}"
        namespace[at] = line
        if function in OPERATORS:
            method, symbol = OPERATORS[function]
            both, left, right = (pushforward_text(line, a) for a in ((True, True), (True, False), (False, True)))
            dx, dy = "self._tangent", "other._tangent"
            source.append(
                _BINARY.format(
                    name=method, symbol=symbol, line=at, both=_rename(both, dx=dx, dy=dy),
                    left=_rename(left, dx=dx, y="other"), right=_rename(right, dy=dx, x="other"),
                    make_both=_make(line, "self, other", "z", 4, "tag"), make_left=_make(line, "self, other", "z", 3),
                    make_right=_make(line, "other, self", "z", 3),
                )
            )  # fmt: skip
            methods += [f"__{method}__", f"__r{method}__"]
        elif function is np.power:
            source.append(_POWER.format(line=at, make=_make(line, "self, other", "z", 4)))
            methods += ["__pow__", "__rpow__"]
        elif len(line.partials) == 1:
            text = _rename(pushforward_text(line, (True,)), dx="self._tangent")
            make = _make(line, "self,", "y", 1)
            source.append(_UNARY.format(name=name, line=at, of_floats=_scalar(text), of_duals=text, make=make))
            methods.append(name)
            UNARY[function] = methodcaller(name)
        if len(line.partials) == 2:
            setattr(Dual, name, staticmethod(_named(line, name)))
    exec(compile("\n".join(source), "<the operators of Dual>", "exec"), namespace)  # noqa: S102 - the table's own text
    for name in methods:
        namespace[name].__qualname__ = f"Dual.{name}"
        namespace[name].__module__ = Dual.__module__
        setattr(Dual, name, namespace[name])
    for name in functions.__all__:
        if name not in vars(Dual):  # where, and what is locally constant: NumPy finds their entries
            setattr(Dual, name, _numpys(getattr(np, name)))


def _named(line: Line, name: str) -> Callable[[Any, Any], Any]:
    def function(x: Any, y: Any) -> Any:
        return elementwise(line, (x, y))

    function.__name__ = name
    return function


def _numpys(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *operands: function(*operands)


def _by_line(line: Line) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator, both ways, that leaves everything to its line."""
    return (lambda self, other: apply(line, self, other)), (lambda self, other: apply(line, other, self))


def _of_one(line: Line) -> Callable[[Any], Any]:
    return lambda self: elementwise(line, (self,))


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    operate = getattr(operator, name)

    def method(self: Any, other: Any) -> Any:
        self[...] = operate(self, other)
        return self

    return method


def _give_arrays_theirs() -> None:
    """Give the array subclass its operators: for arrays the time of a look-up is nothing."""
    array = Dual._of_array
    for line in RULES.values():
        if not isinstance(line, Line):
            continue
        if line.function in OPERATORS:
            name, _ = OPERATORS[line.function]
            forward, reflected = _by_line(line)
            setattr(array, f"__{name}__", forward)
            setattr(array, f"__r{name}__", reflected)
        elif line.function is np.remainder:
            Dual.__mod__, Dual.__rmod__ = _by_line(line)
        elif len(line.partials) == 1:
            setattr(array, line.function.__name__, _of_one(line))
    for owner in (Dual, array):
        owner.__neg__, owner.__pos__, owner.__abs__ = owner.negative, owner.positive, owner.absolute  # type: ignore[attr-defined]
    for name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv", "matmul"):
        setattr(array, f"__i{name}__", _in_place(name))


_generate()
_give_arrays_theirs()
