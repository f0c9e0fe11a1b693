"""The table: every elementwise function and its partial derivatives, the page of a calculus book.

A line returns partials, never products with a tangent; `on` is the open domain where they hold.  Forms are chosen so
that the last digits stay right where the textbook's cancel or overflow: cosh for tanh' far out, exp for expm1',
√(1-x)·√(1+x) for arcsin', x/r/r for arctan2.  None uses |x| where the function is smooth, since the table
differentiates itself for higher orders.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, log as ln, pi
from typing import Any

import numpy as np

from dualdiff.functions import (
    absolute,
    clip,
    copysign,
    cos,
    cosh,
    exp,
    exp2,
    hypot,
    log,
    power,
    rint,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    where,
)  # fmt: skip
from dualdiff.primal import plain
from dualdiff.rules.book import RULES, Line, composed, d

__all__ = ["SQUARE", "constant_power"]


_LARGEST = float(np.finfo(float).max)


def _power_in_base(x: Any, y: Any, z: Any) -> Any:
    """∂(x^y)/∂x = y·x^(y-1), and 0 where x = y = 0, since x^0 is 1 everywhere.

    Below y = 1 the exponent y - 1 is rounded and z/x is the accurate form, but it fails at x = 0.
    """
    power_below = where((y >= 1) | (x == 0), power(x, y - 1), z / x)
    none = ((x == 0) & (y == 0)) | ((power_below == 0) & (absolute(y) > _LARGEST))  # 0·inf where y is infinite
    return where(none, 0.0, y * power_below)


def _power_in_exponent(x: Any, y: Any, z: Any) -> Any:
    """∂(x^y)/∂y = x^y·log x, and 0 where x = 0 < y; at 0^0 it is -inf, and for x < 0 undefined."""
    return where((x == 0) & (y > 0), 0.0, z * log(x))


# sinc'(x) = π·s'(u) at u = πx, where s(u) = sin(u)/u has s'(u) = Σ (-1)^k 2k u^(2k-1)/(2k+1)!
_SINC_SLOPE = [(-1) ** k * 2 * k / float(np.prod(np.arange(1.0, 2 * k + 2))) for k in range(14, 0, -1)]


def _sinc_slope(x: Any, y: Any) -> Any:
    """(cos πx - sinc x)/x cancels near 0; there the series, exact to the last digit up to |πx| = 2, serves.

    Whole turns are taken off x before π rounds it.
    """
    q = square(pi * x)
    series: Any = _SINC_SLOPE[0]
    for coefficient in _SINC_SLOPE[1:]:
        series = series * q + coefficient
    near = absolute(x) < 2 / pi
    return where(near, pi * pi * x * series, (cos(pi * (x - 2 * rint(x / 2))) - y) / where(near, 1.0, x))


def _share(x: Any, y: Any, power_of: Any, slope: float) -> Any:
    """Return the share of b^x in b^x + b^y: with e = b^(low - high) it is e/(1 + e) or 1/(1 + e), without overflow.

    A difference that is rounded by δ would be off by δ·|x - y| after the power, so δ is computed (Knuth, TAOCP 2,
    §4.2.2) and put back, where the difference is finite.
    """
    low, high = where(x < y, x, y), where(x < y, y, x)
    difference = low - high
    back = difference - low
    lost = where(difference > -2000, (low - (difference - back)) - (high + back), 0.0)
    e = power_of(difference) * (1 + slope * lost)
    return where(x < y, e, 1.0) / (1 + e)


# fmt: off
# one operand: y = f(x)               dy/dx                                            where
d(np.positive,   1.0)
d(np.negative,   -1.0)
# at the kink of |x| the mean of both sides, 0
d(np.absolute,   lambda x, y: sign(x),                                                 on_complex=lambda x: hypot(np.real(x), np.imag(x)))
d(np.fabs,       lambda x, y: sign(x))
d(np.square,     lambda x, y: 2 * x)
d(np.sqrt,       lambda x, y: 0.5 / y,                                                 on=(0, inf))
d(np.cbrt,       lambda x, y: 1 / (3 * (y * y)))
d(np.reciprocal, lambda x, y: -(y * y))
d(np.exp,        lambda x, y: y)
d(np.exp2,       lambda x, y: y * ln(2))
d(np.expm1,      lambda x, y: exp(x))
d(np.log,        lambda x, y: 1 / x,                                                   on=(0, inf))
d(np.log2,       lambda x, y: 1 / (x * ln(2)),                                         on=(0, inf))
d(np.log10,      lambda x, y: 1 / (x * ln(10)),                                        on=(0, inf))
d(np.log1p,      lambda x, y: 1 / (1 + x),                                             on=(-1, inf))
d(np.sin,        lambda x, y: cos(x))
d(np.cos,        lambda x, y: -sin(x))
d(np.tan,        lambda x, y: 1 + y * y)
d(np.arcsin,     lambda x, y: 1 / (sqrt(1 - x) * sqrt(1 + x)),                         on=(-1, 1))
d(np.arccos,     lambda x, y: -1 / (sqrt(1 - x) * sqrt(1 + x)),                        on=(-1, 1))
d(np.arctan,     lambda x, y: 1 / (1 + x * x))
d(np.sinh,       lambda x, y: cosh(x))
d(np.cosh,       lambda x, y: sinh(x))
d(np.tanh,       lambda x, y: where(absolute(x) > 373, 0.0, square(1 / cosh(x))))  # beyond, less than any float
d(np.arcsinh,    lambda x, y: 1 / hypot(1.0, x))
d(np.arccosh,    lambda x, y: 1 / (sqrt(x - 1) * sqrt(x + 1)),                         on=(1, inf))
d(np.arctanh,    lambda x, y: 1 / ((1 - x) * (1 + x)),                                 on=(-1, 1))
d(np.degrees,    180 / pi)
d(np.rad2deg,    180 / pi)
d(np.radians,    pi / 180)
d(np.deg2rad,    pi / 180)
d(np.sinc,       _sinc_slope)

# two operands: z = f(x, y)           dz/dx                                            dz/dy
d(np.add,         1.0,                                                                 1.0)
d(np.subtract,    1.0,                                                                 -1.0)
d(np.multiply,    lambda x, y, z: y,                                                   lambda x, y, z: x)
d(np.divide,      lambda x, y, z: 1 / y,                                               lambda x, y, z: -z / y)
d(np.power,       _power_in_base,                                                      _power_in_exponent,  on=((0, inf), (-inf, inf)))
d(np.float_power, _power_in_base,                                                      _power_in_exponent,  on=((0, inf), (-inf, inf)))
d(np.remainder,   1.0,                                                                 lambda x, y, z: -(x // y))
d(np.fmod,        1.0,                                                                 lambda x, y, z: -rint((x - z) / y))
# at the origin of hypot the mean over all directions, 0
d(np.hypot,       lambda x, y, z: where(z == 0, 0.0, x / z),                           lambda x, y, z: where(z == 0, 0.0, y / z))
d(np.arctan2,     lambda x, y, z: y / hypot(x, y) / hypot(x, y),                       lambda x, y, z: -x / hypot(x, y) / hypot(x, y))
d(np.logaddexp,   lambda x, y, z: _share(x, y, exp, 1.0),                              lambda x, y, z: _share(y, x, exp, 1.0))
d(np.logaddexp2,  lambda x, y, z: _share(x, y, exp2, ln(2)),                           lambda x, y, z: _share(y, x, exp2, ln(2)))
# at a tie each moves the result by half, so that max + min = x + y holds; of a missing one, fmax and fmin know nothing
d(np.maximum,     lambda x, y, z: (x > y) + 0.5 * (x == y),                            lambda x, y, z: (y > x) + 0.5 * (x == y))
d(np.minimum,     lambda x, y, z: (x < y) + 0.5 * (x == y),                            lambda x, y, z: (y < x) + 0.5 * (x == y))
d(np.fmax,        lambda x, y, z: (x == z) - 0.5 * (x == y),                           lambda x, y, z: (y == z) - 0.5 * (x == y))
d(np.fmin,        lambda x, y, z: (x == z) - 0.5 * (x == y),                           lambda x, y, z: (y == z) - 0.5 * (x == y))
# |x| times a sign: at x = 0 the mean of both sides, 0, as for abs
d(np.copysign,    lambda x, y, z: sign(x) * copysign(1.0, y),                          0.0)
d(np.heaviside,   0.0,                                                                 lambda x, y, z: 1.0 * (x == 0))
d(np.ldexp,       lambda x, y, z: exp2(y),                                             0.0)
# fmt: on


for _function in (np.maximum, np.minimum, np.fmax, np.fmin, np.heaviside):
    RULES[_function].chooses = True  # type: ignore[attr-defined]

SQUARE: Any = RULES[np.square]
"""The line of x², which is also that of x * x."""


@lru_cache(maxsize=256, typed=True)
def constant_power(n: Any) -> Line:
    """Return the line of y = x^n for a number n that does not move: dy/dx = n·x^(n-1), and n = 2 is 2·x.

    Below 1 a broken n - 1 may be rounded, and then n·y/x is the accurate form, which fails at x = 0.
    """
    from fractions import Fraction  # takes a millisecond to import, and few programs come here

    whole = float(n).is_integer()
    if n in (0, 1):
        partial: Any = float(n)
    elif n == 2:
        partial = lambda x, y: 2 * x  # noqa: E731 - a line of the table
    elif whole or n > 1 or Fraction(float(n)) - 1 == Fraction(float(n - 1)):
        partial = lambda x, y: n * x ** (n - 1)  # noqa: E731
    else:
        partial = lambda x, y: n * where(x == 0, power(x, n - 1), y / x)  # noqa: E731
    return Line(lambda x: x**n, (partial,), ((-inf, inf) if whole and n >= 0 else (0, inf),))


# several results, and functions of complex numbers, from the lines above
@composed(np.divmod, "np.divmod(s, t)[1]", "np.divmod(x, t)[1]")
def _(x: Any, y: Any) -> Any:
    return np.floor_divide(x, y), np.remainder(x, y)


@composed(np.clip, "np.clip(x, 0.5, 1.5)", "np.clip(x, None, y)", "np.clip(s, t, 9.0)", "np.clip(x, 0.5, None)")
def _(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


composed(np._core.umath.clip, "x.clip(0.5, 1.5)")(clip)  # type: ignore[attr-defined] # the ufunc behind ndarray.clip, which has no public name


@composed(np.sign, "np.real(np.sign(x + 1j * y))")
def _(x: Any) -> Any:
    """Locally constant for a real number; of a complex one the direction z/|z|, which turns with z."""
    if not np.iscomplexobj(x):
        return np.sign(plain(x))
    size = np.abs(x)
    return x / np.where(size == 0, 1.0, size)


@composed(np.modf, "np.modf(x)[0]")
def _(x: Any) -> Any:
    return np.fmod(x, 1.0), np.trunc(x)


@composed(np.frexp, "np.frexp(x)[0]")
def _(x: Any) -> Any:
    """The mantissa is x·2^-e; which e, is locally constant."""
    _, exponent = np.frexp(x.value)
    return np.ldexp(x, -exponent), exponent
