"""A line of the table applied to Duals, and the scalar operators generated from the table.

Passing letters through a line gives its partials as text; from the text come the pushforward of every line,

    dz = (dx - dy * z) / y        for z = x / y: fractions over one denominator are added before they are divided,

and, for scalars, whole methods in straight-line Python, since dispatching through a table at run time would cost more
than the arithmetic.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.dual.number import Dual, wrap
from dualdiff.dual.operands import is_operand, newest, packed, split
from dualdiff.errors import NoRuleError
from dualdiff.letter import Letter, bracketed
from dualdiff.rules.book import RULES, Line
from dualdiff.rules.elementary import constant_power
from dualdiff.tangent import Stacked, has_nan, quiet, scale, shaped, watchful

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["OPERATORS", "elementwise"]

_ARITHMETIC = (ZeroDivisionError, OverflowError, ValueError)


# --- the pushforward of a line, read off its partials -----------------------------------------------------------


def _terms(line: Line, active: Sequence[bool]) -> list[tuple[str, Any]]:
    """Return (tangent's name, partial as a number or a letter) for each active operand that matters."""
    names = ("x",) if len(active) == 1 else ("x", "y")
    letters = [Letter(name) for name in (*names, "y" if len(active) == 1 else "z")]
    partials = [p(*letters) if callable(p) else p for p in line.partials]
    return [(f"d{n}", p) for n, p, a in zip(names, partials, active, strict=True) if a and not _is(p, 0)]


def _is(partial: Any, number: float) -> bool:
    return not isinstance(partial, Letter) and partial == number


def _fraction(partial: Any) -> tuple[Any, Any]:
    if isinstance(partial, Letter) and partial.operation == "/":
        numerator, denominator = partial.parts
        return numerator, denominator
    return partial, None


def _sum_of_products(terms: Sequence[tuple[str, Any]]) -> str:
    text = ""
    for tangent, factor in terms:
        sign, factor = ("-", factor.parts[0]) if isinstance(factor, Letter) and factor.operation == "neg" else (
            ("-", -factor) if not isinstance(factor, Letter) and factor < 0 else ("+", factor)
        )
        product = tangent if _is(factor, 1) else f"{tangent} * {bracketed(factor, 6)}"
        text = f"{text} {sign} {product}" if text else product if sign == "+" else f"-{product}"
    return text


def pushforward_text(line: Line, active: Sequence[bool]) -> str:
    """Return the tangent of the result as Python text in x, y (and z) and their tangents dx, dy."""
    terms = _terms(line, active)
    if not terms:
        return f"0.0 * d{'xy'[list(active).index(True)]}"
    numerators, denominators = zip(*((_fraction(p)) for _, p in terms), strict=True)
    if denominators[0] is not None and len({str(d) for d in denominators}) == 1:
        total = _sum_of_products([(t, n) for (t, _), n in zip(terms, numerators, strict=True)])
        return f"{f'({total})' if len(terms) > 1 else total} / {bracketed(denominators[0], 6)}"
    return _sum_of_products(terms)


def _pushforward(line: Line, active: tuple[bool, ...]) -> Callable[..., Any]:
    """Return ``(operands…, result, active tangents…) -> tangent of the result``; made once for each line."""
    names = ("x", "y") if len(active) == 1 else ("x", "y", "z")
    tangents = [f"d{n}" for n, a in zip(names, active, strict=False) if a]
    try:
        text = pushforward_text(line, active)
    except TypeError:  # a user's partial that branches or calls math: it is called with the numbers instead
        return lambda *given: _sum_of_scaled(line, given[: len(names)], _spread(given[len(names) :], active))
    source = f"lambda {', '.join([*names, *tangents])}: {text}"
    return eval(source, vars(functions))  # type: ignore[no-any-return] # noqa: S307 - the text is the table's own


def _spread(given: Sequence[Any], active: Sequence[bool]) -> list[Any]:
    tangents = iter(given)
    return [next(tangents) if a else None for a in active]


def _sum_of_scaled(line: Line, values: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return Σ partialᵢ · tangentᵢ with strong zeros, and NaN where there is no value: the exact, slower way."""
    total: Any = None
    *_, result = values
    with quiet():
        undefined = result != result
        for partial, tangent in zip(line.partials, tangents, strict=True):
            if tangent is not None:
                slope = partial(*values) if callable(partial) else partial
                term = scale(np.where(undefined, np.nan, slope), tangent)
                total = term if total is None else total + term
    return total


# --- a line applied to whatever operands ------------------------------------------------------------------------


def elementwise(line: Line, operands: Sequence[Any], **settings: Any) -> Any:
    """Return the Dual of an elementwise function of numbers, arrays and Duals of any derivatives.

    `settings` are the ufunc's own (dtype, casting, …).
    """
    operands = [packed(x) for x in operands]
    tag = newest(operands)
    values, tangents = split(operands, tag)
    if tag is None:
        return line.function(*values, **settings)
    if line.function is np.power and not settings and tangents[1] is None and _is_real_number(values[1]):
        line, values, tangents = constant_power(values[1]), values[:1], tangents[:1]
    if line.on_complex is not None and any(np.iscomplexobj(v) for v in values):
        return line.on_complex(*operands)
    if all(type(v) in (float, int, bool) for v in values):  # NumPy's numbers divide by zero; Python's raise
        values = [np.float64(v) for v in values]
    result = line.function(*values, **settings)
    active = tuple(t is not None for t in tangents)
    pushforward = line.pushforwards.get(active)
    if pushforward is None:
        pushforward = line.pushforwards[active] = _pushforward(line, active)
    moving = [t for t in tangents if t is not None]
    try:
        with watchful():
            tangent = pushforward(*values, result, *moving)
    except FloatingPointError:
        tangent = _sum_of_scaled(line, [*values, result], tangents)
    except TypeError as error:
        if any(np.iscomplexobj(v) for v in values):
            message = f"{line.name} has no rule for complex numbers: write it in functions that have one ({error})"
            raise NoRuleError(message) from error
        raise
    shape = np.shape(result)
    tangent = shaped(tangent, shape)
    if any(map(callable, line.partials)) and has_nan(result, tangent):
        tangent = shaped(_sum_of_scaled(line, [*values, result], tangents), shape)
    if shape and any(tangent is t for t in moving):
        tangent = Stacked(tangent.array.copy()) if isinstance(tangent, Stacked) else tangent.copy()
    return wrap(result, tangent, tag)


def _is_real_number(x: Any) -> bool:
    return type(x) in (int, float, bool) or isinstance(x, (np.floating, np.integer))


# --- the operators of scalars, written out from the table -------------------------------------------------------

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
    namespace["ARITHMETIC"] = _ARITHMETIC
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
        if len(line.partials) == 2:  # noqa: PLR2004 - x and y
            setattr(Dual, name, staticmethod(_named(line, name)))
    exec(compile("\n".join(source), "<the operators of Dual>", "exec"), namespace)  # noqa: S102 - the table's own text
    for name in methods:
        namespace[name].__qualname__ = f"Dual.{name}"
        namespace[name].__module__ = Dual.__module__
        setattr(Dual, name, namespace[name])
    Dual.__neg__, Dual.__pos__, Dual.__abs__ = Dual.negative, Dual.positive, Dual.absolute  # type: ignore[attr-defined]


def _named(line: Line, name: str) -> Callable[[Any, Any], Any]:
    def function(x: Any, y: Any) -> Any:
        return elementwise(line, (x, y))

    function.__name__ = name
    return function


_generate()


def _by_line(line: Line) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return (lambda self, other: apply(line, self, other)), (lambda self, other: apply(line, other, self))


# For arrays an operator is its line; so is % for scalars, which is rarer.
for _function, (_name, _) in OPERATORS.items():
    _forward, _reflected = _by_line(RULES[_function])
    setattr(Dual._of_array, f"__{_name}__", _forward)
    setattr(Dual._of_array, f"__r{_name}__", _reflected)
Dual.__mod__, Dual.__rmod__ = _by_line(RULES[np.remainder])
for _line in RULES.values():
    if isinstance(_line, Line) and len(_line.partials) == 1:
        setattr(Dual._of_array, _line.function.__name__, (lambda line: lambda self: elementwise(line, (self,)))(_line))
for _name in ("neg", "pos", "abs"):
    setattr(Dual._of_array, f"__{_name}__", getattr(Dual._of_array, {"neg": "negative", "pos": "positive", "abs": "absolute"}[_name]))


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    operate = getattr(operator, name)

    def method(self: Any, other: Any) -> Any:
        self[...] = operate(self, other)
        return self

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv", "matmul"):
    setattr(Dual._of_array, f"__i{_name}__", _in_place(_name))
