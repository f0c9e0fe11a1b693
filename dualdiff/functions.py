"""The elementary functions under NumPy's names: floats by `math`, arrays by NumPy, anything else by its own method.

A Python float stays a Python float, which is what keeps scalar code fast; where `math` would raise, the answer and
the warning are NumPy's.  The lines of the table call these functions, so whatever passes through them (a float,
an array, a Dual, a letter) passes through every derivative too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "absolute",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "ceil",
    "clip",
    "conjugate",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "float_power",
    "floor",
    "fmax",
    "fmin",
    "fmod",
    "heaviside",
    "hypot",
    "ldexp",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "negative",
    "positive",
    "power",
    "rad2deg",
    "radians",
    "reciprocal",
    "remainder",
    "rint",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
    "where",
]  # fmt: skip

E = TypeVar("E", bound="Elementary")
SCALAR: dict[str, Callable[..., Any]] = {}
"""The function of Python floats behind each name; it may raise where NumPy warns."""


class Elementary:
    """Whatever brings its own ``sin``, ``exp``, …: a Dual, a letter."""

    __slots__ = ()

    @staticmethod
    def packed(x: Any) -> Any:
        """Return a nested list that holds such objects as one of them."""
        return x


class Unary(Protocol):
    """The type of ``sin`` and its like."""

    __name__: str

    @overload
    def __call__(self, x: float, /) -> float: ...
    @overload
    def __call__(self, x: E, /) -> E: ...
    @overload
    def __call__(self, x: Any, /) -> Any: ...


class Binary(Protocol):
    """The type of ``hypot`` and its like."""

    __name__: str

    @overload
    def __call__(self, x: float, y: float, /) -> float: ...
    @overload
    def __call__(self, x: E, y: Any, /) -> E: ...
    @overload
    def __call__(self, x: Any, y: Any, /) -> Any: ...


def members(x: Any) -> Iterator[Elementary]:
    """Yield the elementary objects in a nested list or an object array."""
    if isinstance(x, Elementary):
        yield x
    elif isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.dtype == object):
        for item in x.ravel() if isinstance(x, np.ndarray) else x:
            yield from members(item)


def _by_numpy(name: str, *operands: Any) -> Any:
    """Evaluate by the operands' own method, or by NumPy; Python numbers give a Python number."""
    for operand in operands:
        for member in members(operand):
            own = getattr(type(member), name)
            return own(*(member.packed(x) if isinstance(x, (list, tuple, np.ndarray)) else x for x in operands))
    result = getattr(np, name)(*operands)
    if all(type(x) in (float, int, bool, complex) for x in operands):
        return result.item() if np.iscomplexobj(result) else float(result)
    return result


def _document(function: Any, name: str, summary: str, example: str) -> None:
    call, result = example.split(" = ")
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary[0].upper()}{summary[1:]}.

    NumPy's ``np.{name}`` on floats (which stay Python floats), ints, lists, arrays and Duals.

    Parameters
    ----------
    *operands : float, array_like or Dual
        Of shapes that broadcast.

    Returns
    -------
    float, ndarray or Dual
        Of the operands' common shape; NaN and inf, with NumPy's warning, where `math` would raise.

    Examples
    --------
    >>> import dualdiff as dd
    >>> dd.{call}
    {result}
    """


def _unary(name: str, scalar: Callable[[float], float], summary: str, example: str) -> Unary:
    def function(x: Any, /) -> Any:
        if type(x) is float:
            try:
                return scalar(x)
            except (ValueError, OverflowError, ZeroDivisionError):
                return _by_numpy(name, x)
        if isinstance(x, Elementary):
            return x.method()  # type: ignore[attr-defined]
        return _by_numpy(name, x)

    # x.sin() written out is what Python runs fastest; getattr(x, name)() takes 60 ns more.
    names = tuple(name if n == "method" else n for n in function.__code__.co_names)
    function.__code__ = function.__code__.replace(co_names=names)

    SCALAR[name] = scalar
    _document(function, name, summary, example)
    return function


def _binary(name: str, scalar: Callable[[float, float], float], summary: str, example: str) -> Binary:
    def function(x: Any, y: Any, /) -> Any:
        if type(x) is float and type(y) is float:
            try:
                z = scalar(x, y)
            except (ValueError, OverflowError, ZeroDivisionError):
                return _by_numpy(name, x, y)
            return z if type(z) is float else _by_numpy(name, x, y)  # (-8.0) ** 0.5 is complex to Python alone
        return _by_numpy(name, x, y)

    SCALAR[name] = scalar
    _document(function, name, summary, example)
    return function


def _whole(by: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: math.copysign(float(by(x)), x)


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _logaddexp(x: float, y: float) -> float:
    return max(x, y) + math.log1p(math.exp(-abs(x - y))) if x != y else x + math.log(2)


def _first(better: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda x, y: x if better(x, y) or x != x else y


# fmt: off
sin       = _unary("sin",       math.sin,     "sine of an angle in radians",                       "sin(0.5) = 0.4794255386")
cos       = _unary("cos",       math.cos,     "cosine of an angle in radians",                     "cos(0.5) = 0.8775825618")
tan       = _unary("tan",       math.tan,     "tangent of an angle in radians",                    "tan(0.5) = 0.5463024898")
arcsin    = _unary("arcsin",    math.asin,    "angle in radians in [-π/2, π/2] whose sine is x",   "arcsin(0.5) = 0.5235987755")
arccos    = _unary("arccos",    math.acos,    "angle in radians in [0, π] whose cosine is x",      "arccos(0.5) = 1.0471975511")
arctan    = _unary("arctan",    math.atan,    "angle in radians in (-π/2, π/2) whose tangent is x", "arctan(1.0) = 0.7853981633")
sinh      = _unary("sinh",      math.sinh,    "hyperbolic sine",                                   "sinh(1.0) = 1.1752011936")
cosh      = _unary("cosh",      math.cosh,    "hyperbolic cosine",                                 "cosh(1.0) = 1.5430806348")
tanh      = _unary("tanh",      math.tanh,    "hyperbolic tangent",                                "tanh(1.0) = 0.7615941559")
arcsinh   = _unary("arcsinh",   math.asinh,   "inverse hyperbolic sine",                           "arcsinh(1.0) = 0.8813735870")
arccosh   = _unary("arccosh",   math.acosh,   "inverse hyperbolic cosine",                         "arccosh(2.0) = 1.3169578969")
arctanh   = _unary("arctanh",   math.atanh,   "inverse hyperbolic tangent",                        "arctanh(0.5) = 0.5493061443")
exp       = _unary("exp",       math.exp,     "e to the power x",                                  "exp(1.0) = 2.7182818284")
exp2      = _unary("exp2",      math.exp2,    "2 to the power x",                                  "exp2(3.0) = 8.0")
expm1     = _unary("expm1",     math.expm1,   "exp(x) - 1, exact also near 0",                     "expm1(1e-20) = 1e-20")
log       = _unary("log",       math.log,     "natural logarithm",                                 "log(2.0) = 0.6931471805")
log2      = _unary("log2",      math.log2,    "logarithm to base 2",                               "log2(8.0) = 3.0")
log10     = _unary("log10",     math.log10,   "logarithm to base 10",                              "log10(1000.0) = 3.0")
log1p     = _unary("log1p",     math.log1p,   "log(1 + x), exact also near 0",                     "log1p(1e-20) = 1e-20")
sqrt      = _unary("sqrt",      math.sqrt,    "square root",                                       "sqrt(9.0) = 3.0")
cbrt      = _unary("cbrt",      math.cbrt,    "cube root, of negative numbers too",                "cbrt(-8.0) = -2.0")
square    = _unary("square",    lambda x: x * x, "x times x",                                      "square(3.0) = 9.0")
reciprocal = _unary("reciprocal", lambda x: 1 / x, "1 over x",                                     "reciprocal(4.0) = 0.25")
absolute  = _unary("absolute",  abs,          "absolute value; slope 0 at 0",                      "absolute(-3.0) = 3.0")
fabs      = _unary("fabs",      abs,          "absolute value of a real number; slope 0 at 0",     "fabs(-3.0) = 3.0")
negative  = _unary("negative",  lambda x: -x, "minus x",                                           "negative(3.0) = -3.0")
positive  = _unary("positive",  lambda x: x,  "x itself",                                          "positive(3.0) = 3.0")
conjugate = _unary("conjugate", lambda x: x,  "complex conjugate; a real number itself",           "conjugate(3.0) = 3.0")
degrees   = _unary("degrees",   math.degrees, "radians to degrees",                                "degrees(3.141592653589793) = 180.0")
rad2deg   = _unary("rad2deg",   math.degrees, "radians to degrees",                                "rad2deg(3.141592653589793) = 180.0")
radians   = _unary("radians",   math.radians, "degrees to radians",                                "radians(180.0) = 3.1415926535")
deg2rad   = _unary("deg2rad",   math.radians, "degrees to radians",                                "deg2rad(180.0) = 3.1415926535")
sinc      = _unary("sinc",      _sinc,        "sin(πx)/(πx); 1 at 0",                              "sinc(0.5) = 0.6366197723")
sign      = _unary("sign",      lambda x: x if x == 0 or x != x else math.copysign(1.0, x), "-1, 0 or 1; locally constant", "sign(-3.0) = -1.0")
floor     = _unary("floor",     _whole(math.floor), "largest whole number not above x; locally constant",  "floor(2.7) = 2.0")
ceil      = _unary("ceil",      _whole(math.ceil),  "smallest whole number not below x; locally constant", "ceil(2.1) = 3.0")
trunc     = _unary("trunc",     _whole(math.trunc), "whole part towards 0; locally constant",    "trunc(-2.7) = -2.0")
rint      = _unary("rint",      _whole(round), "nearest whole number, halves to even; locally constant",     "rint(2.5) = 2.0")

hypot      = _binary("hypot",      math.hypot,    "√(x² + y²) without overflow; slope 0 at the origin", "hypot(3.0, 4.0) = 5.0")
arctan2    = _binary("arctan2",    math.atan2,    "angle in radians of the point (y, x): arctan2(x1, x2) has sine x1/r, cosine x2/r", "arctan2(1.0, 1.0) = 0.7853981633")
logaddexp  = _binary("logaddexp",  _logaddexp,    "log(exp(x) + exp(y)) without overflow",     "logaddexp(1000.0, 1000.0) = 1000.6931471805")
logaddexp2 = _binary("logaddexp2", lambda x, y: float(np.logaddexp2(x, y)), "log2(2**x + 2**y) without overflow", "logaddexp2(1.0, 1.0) = 2.0")
power      = _binary("power",      pow,           "x to the power y",                          "power(2.0, 3.0) = 8.0")
float_power = _binary("float_power", pow,         "x to the power y, in float64 at least",     "float_power(2, -1) = 0.5")
remainder  = _binary("remainder",  lambda x, y: x % y, "x - y·floor(x/y), with the sign of y", "remainder(-7.0, 3.0) = 2.0")
fmod       = _binary("fmod",       math.fmod,     "x - y·trunc(x/y), with the sign of x",      "fmod(-7.0, 3.0) = -1.0")
maximum    = _binary("maximum",    _first(lambda x, y: x > y), "the larger; NaN where there is one; slope ½ each at a tie", "maximum(2.0, 3.0) = 3.0")
minimum    = _binary("minimum",    _first(lambda x, y: x < y), "the smaller; NaN where there is one; slope ½ each at a tie", "minimum(2.0, 3.0) = 2.0")
fmax       = _binary("fmax",       lambda x, y: x if x > y or y != y else y, "the larger, NaN counting as missing",  "fmax(2.0, 3.0) = 3.0")
fmin       = _binary("fmin",       lambda x, y: x if x < y or y != y else y, "the smaller, NaN counting as missing", "fmin(2.0, 3.0) = 2.0")
copysign   = _binary("copysign",   math.copysign, "|x| with the sign of y; slope 0 at x = 0",  "copysign(3.0, -1.0) = -3.0")
heaviside  = _binary("heaviside",  lambda x, y: float(np.heaviside(x, y)), "0 below 0, y at 0, 1 above 0",  "heaviside(2.0, 0.5) = 1.0")
ldexp      = _binary("ldexp",      lambda x, n: float(np.ldexp(x, int(n))), "x times 2 to the whole power n", "ldexp(3.0, 2) = 12.0")
# fmt: on


def _is_scalar(x: Any) -> bool:
    return not isinstance(x, (list, tuple)) and getattr(x, "ndim", 0) == 0


def where(condition: Any, x: Any, y: Any, /) -> Any:
    """Choose `x` where `condition` holds and `y` elsewhere.

    The branch not taken contributes nothing to the derivative, be its slope infinite or NaN.

    Parameters
    ----------
    condition : bool or array_like of bool
        Of a shape that broadcasts with `x` and `y`.
    x, y : float, array_like or Dual
        What to choose from.

    Returns
    -------
    float, ndarray or Dual
        Of the common shape.

    Examples
    --------
    >>> import dualdiff as dd
    >>> dd.derivative(lambda x: dd.where(x > 0, dd.sqrt(x), 0.0))(4.0)
    0.25
    """
    if isinstance(condition, (bool, np.bool_)) and _is_scalar(x) and _is_scalar(y):
        return x if condition else y
    for operand in (condition, x, y):
        for member in members(operand):
            return type(member).where(condition, member.packed(x), member.packed(y))  # type: ignore[attr-defined]
    return np.where(condition, x, y)


def clip(x: Any, low: Any = None, high: Any = None, /) -> Any:
    """Limit `x` to the range from `low` to `high`; at a bound the slope is ½.

    Parameters
    ----------
    x : float, array_like or Dual
        What to limit.
    low, high : float, array_like, Dual or None
        The bounds; None leaves a side open.

    Returns
    -------
    float, ndarray or Dual
        ``minimum(maximum(x, low), high)``, as in NumPy also where low > high.

    Examples
    --------
    >>> import dualdiff as dd
    >>> dd.clip(3.0, 0.0, 1.0)
    1.0
    """
    if low is None and high is None:
        return positive(x)
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)
