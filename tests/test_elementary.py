"""Every partial of every line of the table against mpmath, at many points of the line's own domain."""

import itertools
import math
import operator
from functools import cache

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

import dualdiff as dd
from dualdiff.rules.book import RULES, Line

MAX_ULP = 8  # DESIGN §4
STEP = mpf(10) ** -60
NORMAL = {np.float64: (2.3e-308, 1.7e308), np.float32: (1.2e-38, 3.3e38)}

LINES = {line.function.__name__: line for line in RULES.values() if isinstance(line, Line)}


def _logaddexp(base):
    return lambda x, y: max(x, y) + mp.log1p(mp.power(base, -abs(x - y))) / mp.log(base)


def _truncated(x):
    return mp.floor(x) if x >= 0 else mp.ceil(x)


# The functions, not their slopes: those come from differences far below the last digit that is compared.
ORACLE = {
    "positive": lambda x: x,
    "negative": lambda x: -x,
    "absolute": abs,
    "fabs": abs,
    "square": lambda x: x * x,
    "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "reciprocal": lambda x: 1 / x,
    "exp": mp.exp,
    "exp2": lambda x: mp.power(2, x),
    "expm1": lambda x: mp.exp(x) - 1,
    "log": mp.log,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": lambda x: mp.log(x) / mp.log(10),
    "log1p": lambda x: mp.log(1 + x),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "arcsin": mp.asin,
    "arccos": mp.acos,
    "arctan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "arcsinh": lambda x: mp.sign(x) * mp.asinh(abs(x)),
    "arccosh": mp.acosh,
    "arctanh": mp.atanh,
    "degrees": lambda x: x * 180 / mp.pi,
    "rad2deg": lambda x: x * 180 / mp.pi,
    "radians": lambda x: x * mp.pi / 180,
    "deg2rad": lambda x: x * mp.pi / 180,
    "sinc": lambda x: mp.sinpi(x) / (mp.pi * x),
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": mp.power,
    "float_power": mp.power,
    "remainder": lambda x, y: x - y * mp.floor(x / y),
    "fmod": lambda x, y: x - y * _truncated(x / y),
    "hypot": lambda x, y: mp.sqrt(x * x + y * y),
    "arctan2": mp.atan2,
    "logaddexp": _logaddexp(mp.e),
    "logaddexp2": _logaddexp(2),
    "maximum": max,
    "minimum": min,
    "fmax": max,
    "fmin": min,
    "copysign": lambda x, y: abs(x) * mp.sign(y),
    "heaviside": lambda x, y: y if x == 0 else mpf(x > 0),
    "ldexp": lambda x, n: x * mp.power(2, n),
}
JUMPING = {"remainder", "fmod"}
OPERATORS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv}
EVERY_PARTIAL = [
    (name, i) for name, line in LINES.items() for i in range(len(line.partials)) if (name, i) != ("ldexp", 1)
]  # a whole number, which does not move

# Where the textbook's form loses its digits: the table of corners, and what lies beside it.
HARD = {
    "tanh": [(20.0,), (-20.0,), (350.0,), (1e-9,)],
    "expm1": [(-40.0,), (-700.0,), (1e-12,)],
    "arcsinh": [(1e200,), (-1e200,), (1e-200,)],
    "arcsin": [(1 - 1e-10,), (-1 + 1e-10,), (math.nextafter(1, 0),)],
    "arccos": [(1 - 1e-10,), (-1 + 1e-10,), (math.nextafter(-1, 0),)],
    "arctanh": [(1 - 1e-10,), (math.nextafter(1, 0),)],
    "arccosh": [(1 + 1e-10,), (math.nextafter(1, 2),), (1e200,)],
    "log1p": [(-1 + 1e-10,), (math.nextafter(-1, 0),), (1e-17,)],
    "sinc": [(1e-9,), (-1e-9,), (1e-5,), (1e-3,), (0.1,), (0.63,), (0.6366,), (0.6367,), (0.64,), (1.0,), (3.0,)],
    "hypot": [(3e200, 4e200), (3e-200, 4e-200), (1e200, 1.0), (-5e-324 * 2**52, 1e-300)],
    "arctan2": [(3e200, 4e200), (-3e-200, 4e-200), (1e200, -1.0)],
    "divide": [(1e300, 1e200), (1e-300, 1e-200), (1e200, 1e-100)],
    "logaddexp": [(3.0, 3.0), (0.0, -40.0), (-40.0, 0.0), (1e3, 1e3 + 1)],
    "logaddexp2": [(3.0, 3.0), (0.0, -60.0), (1e3, 1e3 + 1)],
    "power": [(1e-200, 1.5), (1e200, -0.25), (2.0, 1000.5), (1e-3, 1e-3), (0.999999, 1e6), (3.0, 1 + 2.0**-52)],
    "remainder": [(-1e-20, 3.0), (1e16, 3.0), (7.5, -2.0), (-7.5, 2.0)],
    "fmod": [(-1e-20, 3.0), (1e16, 3.0), (7.5, -2.0), (-7.5, 2.0)],
    "tan": [(1.5707963267948966,), (11.0,)],
    "sin": [(1e22,), (3.141592653589793,)],
    "cos": [(1e22,), (1.5707963267948966,), (3.141592653589793,)],
}


def magnitudes(dtype):
    """Return numbers of every size, with digits of no pattern, as a list of floats."""
    rng = np.random.default_rng(1)
    limit = 300 if dtype is np.float64 else 37
    exponents = np.concatenate([np.linspace(-limit, limit, 15), np.linspace(-4, 3, 18)])
    return [float(dtype(10.0**e * rng.uniform(0.5, 2.0))) for e in exponents]


def spots(interval, dtype=np.float64):
    """Return points of an open interval: both signs, every size, and ever closer to its ends."""
    lo, hi = interval
    near = [end + side * 10.0**-k for end in (lo, hi) if end not in (0, -math.inf, math.inf)
            for side in (-1, 1) for k in (1, 2, 4, 7, 10, 13)]  # fmt: skip
    found = [s * m for m in magnitudes(dtype) for s in (1, -1)] + near
    return sorted({float(dtype(x)) for x in found if lo < dtype(x) < hi})


def points(name, dtype=np.float64):
    """Return points of the domain of a line, each a tuple of operands."""
    line = LINES[name]
    hard = HARD.get(name, []) if dtype is np.float64 else []
    if len(line.partials) == 1:
        return [(x,) for x in spots(line.on[0], dtype)] + hard
    rng = np.random.default_rng(2)
    first, second = (rng.permutation(spots(interval, dtype)) for interval in line.on)
    small = rng.permutation([x for x in spots(line.on[0], dtype) if 1e-3 < abs(x) < 1e3])
    close = [(x, float(dtype(x * r))) for x, r in zip(small, rng.uniform(0.3, 3, len(small)), strict=True)]
    signed = [(float(x), float(y)) for x, y in zip(small, np.resize(second, len(small)), strict=True)]
    pairs = [(float(x), float(y)) for x, y in zip(np.resize(first, 45), np.resize(second, 45), strict=True)]
    if name == "ldexp":
        return [(x, n % 90 - 45) for n, (x, _) in enumerate(pairs + close)]
    every = pairs + close + signed + hard
    if name in {"maximum", "minimum", "fmax", "fmin"}:  # ties are corners, and have their own test
        every = [(x, y) for x, y in every if x != y]
    if name in JUMPING:  # at a whole quotient there is a jump, and beyond 1e15 all of a float's quotients are whole
        every = [(x, y) for x, y in every if abs(x / y) < 1e15 and x % y != 0]
    return every


def digits(point):
    """Return how many digits to work with: 1 - cos(1e-300) is 5e-601, 1 - tanh(350) 1e-304."""
    return 200 + 2 * int(sum(abs(math.log10(abs(x) or 1)) for x in point)) + int(min(700, max(map(abs, point))))


@cache
def truth(name, i, point):
    """Return value, slope and second slope of the line along operand i, to far more digits than a float has."""
    with mp.workdps(digits(point)):
        x = [mpf(p) for p in point]
        h = STEP * min([1, abs(x[i]) or 1] if name not in JUMPING else [1, *map(abs, x)])
        before, at, after = (ORACLE[name](*x[:i], x[i] + s * h, *x[i + 1 :]) for s in (-1, 0, 1))
        return at, (after - before) / (2 * h), (after - 2 * at + before) / h**2


def is_within_reach(name, i, point, dtype):
    """Tell whether value and slope are numbers of the type, and not subnormal ones."""
    smallest, largest = NORMAL[dtype]
    value, slope, _ = truth(name, i, point)
    return abs(value) < largest and (smallest < abs(slope) < largest or (slope == 0 and name not in {"sin", "cos"}))


def ulps(name, i, point, found, dtype=np.float64):
    """Return how far a slope is from the true one, in units of the true one's last place."""
    _, slope, _ = truth(name, i, point)
    unit = mpf(float(np.spacing(dtype(abs(float(slope))))))
    if name == "sinc" and abs(point[0]) > 1:  # π·x is rounded before any sine is taken of it
        unit += float(np.finfo(dtype).eps) * math.pi**2
    return float(abs(mpf(float(found)) - slope) / unit)


def call(how, name, operands):
    """Call a line as its user would."""
    if how == "dualdiff":
        return (getattr(dd, name, None) or OPERATORS[name])(*operands)
    return getattr(np, name)(*operands)


def checked_points(name, i, dtype=np.float64):
    """Return the points where value and slope are within reach."""
    return [p for p in points(name, dtype) if is_within_reach(name, i, p, dtype)]


def worst(name, i, slopes, dtype=np.float64):
    """Return (ulps, point, slope found) of each point that is further off than allowed, the worst first."""
    there = checked_points(name, i, dtype)
    off = [(ulps(name, i, p, s, dtype), p, float(s)) for p, s in zip(there, slopes, strict=True)]
    return sorted((o for o in off if not o[0] <= MAX_ULP), reverse=True)[:5]


def test_every_line_has_an_oracle():
    """A new line without its function in mpmath fails here, and so does an oracle without a line."""
    assert set(LINES) == set(ORACLE)


@pytest.mark.parametrize(("name", "i"), EVERY_PARTIAL)
def test_there_are_points(name, i):
    """Every partial is checked at a good number of points."""
    assert len(checked_points(name, i)) >= 15


@pytest.mark.parametrize("how", ["dualdiff", "numpy"])
@pytest.mark.parametrize(("name", "i"), EVERY_PARTIAL)
def test_slope_of_a_scalar(name, i, how):
    """Each partial of a float is right to 8 units in the last place, all over its domain."""
    slopes = []
    for point in checked_points(name, i):
        operands = [dd.Dual(x, 1.0) if j == i else x for j, x in enumerate(point)]
        slopes.append(call(how, name, operands).tangent)

    assert [] == worst(name, i, slopes)


@pytest.mark.parametrize("how", ["dualdiff", "numpy"])
@pytest.mark.parametrize(("name", "i"), EVERY_PARTIAL)
def test_slope_of_an_array(name, i, how):
    """Each partial of an array of floats is right to 8 units in the last place."""
    columns = [np.array(column) for column in zip(*checked_points(name, i), strict=True)]
    result = call(how, name, [dd.Dual(x, 1.0) if j == i else x for j, x in enumerate(columns)])

    assert [] == worst(name, i, result.tangent)


@pytest.mark.parametrize(("name", "i"), EVERY_PARTIAL)
def test_slope_in_float32(name, i):
    """Each partial of a float32 is a float32, and right to 8 units in its own last place."""
    there = checked_points(name, i, np.float32)
    columns = [np.array(c) if name == "ldexp" and j else np.array(c, np.float32)
               for j, c in enumerate(zip(*there, strict=True))]  # fmt: skip
    of_array = getattr(np, name)(*[dd.Dual(x, np.float32(1)) if j == i else x for j, x in enumerate(columns)])
    scalars = [
        [dd.Dual(x, np.float32(1)) if j == i else x for j, x in enumerate(p)] for p in zip(*columns, strict=True)
    ]
    of_scalars = [getattr(np, name)(*operands) for operands in scalars]
    narrow = np.float64 if name == "float_power" else np.float32

    assert {narrow} == {of_array.dtype.type, of_array.tangent.dtype.type}
    assert {narrow} == {np.result_type(x).type for y in of_scalars for x in (y.value, y.tangent)}
    assert [] == worst(name, i, of_array.tangent, np.float32)
    assert [] == worst(name, i, [y.tangent for y in of_scalars], np.float32)


@pytest.mark.parametrize("name", LINES)
def test_value_is_numpys(name):
    """The value of a Dual result is NumPy's of an array, and the same to a unit or two of a scalar by math."""
    there = checked_points(name, 0)
    columns = [np.array(column) for column in zip(*there, strict=True)]
    expected = getattr(np, name)(*columns)
    of_array = getattr(np, name)(dd.Dual(columns[0], 1.0), *columns[1:]).value
    of_scalars = [call("dualdiff", name, [dd.Dual(p[0], 1.0), *p[1:]]).value for p in there]
    of_floats = [call("dualdiff", name, p) for p in there]

    np.testing.assert_array_equal(expected, of_array)
    np.testing.assert_array_equal(of_floats, of_scalars)
    np.testing.assert_allclose(expected, of_scalars, rtol=8e-16)


@pytest.mark.parametrize("name", LINES)
def test_scalars_stay_python_floats(name):
    """A float in gives a float out, in value and tangent, so that scalar code stays fast."""
    point = checked_points(name, 0)[-1]
    result = call("dualdiff", name, [dd.Dual(point[0], 1.0), *point[1:]])

    assert (float, float) == (type(result.value), type(result.tangent))


SMOOTH = [(name, i) for name, i in EVERY_PARTIAL if name not in {"heaviside", "ldexp"} or i == 0]


@pytest.mark.parametrize("of", [float, lambda x: np.array([x, x])], ids=["scalar", "array"])
@pytest.mark.parametrize(("name", "i"), SMOOTH)
def test_second_derivative(name, i, of):
    """The table differentiates itself: second derivatives to 1e-13 of the terms they are made of."""
    f = getattr(np, name)
    for point in checked_points(name, i):
        value, slope, second = truth(name, i, point)
        x = abs(point[i])
        if not all(1e-3 <= abs(p) <= 30 for p in point) or abs(value) > 1e100:
            continue
        along = lambda t, p=point: f(*p[:i], t, *p[i + 1 :])
        found = np.ravel(dd.derivatives(along, 2)(of(point[i])))
        scale = abs(second) + abs(slope) * (1 + 1 / x) + abs(value) * (1 / x) ** 2 * (name == "sinc")

        assert abs(mpf(float(found[-1])) - second) <= 1e-13 * scale, (point, float(second), found[-1])


@pytest.mark.parametrize("of", [float, lambda x: np.array([x, x])], ids=["scalar", "array"])
@pytest.mark.parametrize("n", [-3, -2.5, -1, -0.3, 0.0001, 0.1972, 0.5, 1, 1.5, 2, 2.0, 3, 7.25, np.float64(0.3)])
def test_power_with_a_constant_exponent(n, of):
    """x**n has slopes right to 8 units in the last place, whatever the number n."""
    there = [(x, n) for x in spots((-math.inf if float(n).is_integer() else 0, math.inf))]
    there = [p for p in there if is_within_reach("power", 0, p, np.float64)]
    found = [np.ravel(dd.derivative(lambda x: x**n)(of(x)))[-1] for x, _ in there]
    off = [(ulps("power", 0, p, s), p, s) for p, s in zip(there, found, strict=True)]

    assert [] == [o for o in off if not o[0] <= MAX_ULP]


BINARY = [name for name, line in LINES.items() if len(line.partials) == 2 and name not in {"heaviside", "ldexp"}]


@pytest.mark.parametrize("name", BINARY)
def test_mixed_second_derivative(name):
    """∂²z/∂x∂y is the same from both sides, and mpmath's."""
    f = getattr(np, name)
    for x, y in checked_points(name, 0)[::4]:
        if not (1e-2 <= abs(x) <= 30 and 1e-2 <= abs(y) <= 30):
            continue
        with mp.workdps(digits((x, y))):
            h = STEP
            corners = [s * r * ORACLE[name](mpf(x) + s * h, mpf(y) + r * h) for s in (-1, 1) for r in (-1, 1)]
            mixed = mpmath.fsum(corners) / (4 * h * h)
        slopes = [abs(float(truth(name, i, (x, y))[1])) for i in (0, 1)]
        allowed = 1e-13 * (abs(float(mixed)) + slopes[0] / min(1, abs(x), abs(y)) + slopes[1] / min(1, abs(x), abs(y)))
        matrix = dd.hessian(f)(x, y)

        assert abs(float(mixed) - matrix[0, 1]) <= allowed, (x, y)
        assert abs(float(mixed) - matrix[1, 0]) <= allowed, (x, y)


FAR = [s * m for m in (1e-60, 1e-9, 0.3, 2.0, 40.0, 400.0, 800.0, 1e4, 1e60) for s in (1, -1)]


@pytest.mark.parametrize("name", [name for name in LINES if name != "ldexp"])
def test_higher_derivatives_are_numbers_all_over_the_domain(name):
    """A smooth function has no NaN among its derivatives, however far out: tanh'' and logaddexp'' are 0 there."""
    intervals = LINES[name].on
    points = [[x for x in FAR if lo < x < hi] for lo, hi in intervals]
    of_one, of_two = dd.derivatives(getattr(np, name), 3), dd.value_and_hessian(getattr(np, name))
    undefined = []
    with np.errstate(all="ignore"):
        for point in itertools.product(*points):
            value, *others = (of_one if len(point) == 1 else of_two)(*point)
            if math.isfinite(value) and np.isnan(others).any():
                undefined.append(point)

    assert [] == undefined


@pytest.mark.parametrize("of", [float, lambda x: np.array([x, x])], ids=["scalar", "array"])
@pytest.mark.parametrize(("name", "i"), [(n, i) for n, i in EVERY_PARTIAL if callable(LINES[n].partials[i])])
def test_no_value_no_slope(name, i, of):
    """Where an operand is NaN and the value too, there is no slope, also inside another derivative."""
    with np.errstate(invalid="ignore"):  # of values: np.logaddexp(NaN, 0.5) warns
        _assert_no_slope(name, i, of)


def _assert_no_slope(name, i, of):
    for other in (0.5, math.nan):
        operands = [other, other]
        along = lambda t, operands=operands: call("numpy", name, [*operands[:i], t, *operands[i + 1 :]])
        if len(LINES[name].partials) == 1:
            along = getattr(np, name)
        elif name == "ldexp" or along(math.nan) == along(math.nan):
            continue

        assert np.all(np.isnan(dd.derivative(along)(of(math.nan))))
        assert np.all(np.isnan(dd.derivatives(along, 2)(of(math.nan))[1]))
    if name in OPERATORS:
        assert np.all(np.isnan(dd.derivative(lambda t: OPERATORS[name](t, 2.0))(of(math.nan))))


@pytest.mark.parametrize("of", [float, lambda x: np.array([x, x])], ids=["scalar", "array"])
@pytest.mark.parametrize("f", [np.log, np.sqrt, np.arcsin, lambda x: x**0.5], ids=["log", "sqrt", "arcsin", "x**0.5"])
def test_no_value_no_second_slope(f, of):
    """Where there is no value, no derivative of any order is a number."""
    with np.errstate(all="ignore"):
        found = dd.derivatives(f, 3)(of(-3.0))

    assert np.all(np.isnan(found)), found


def test_power_with_an_exponent_that_is_no_number():
    """x**NaN is NaN, and x**inf what NumPy says, with a slope of NaN or 0 but no error."""
    with np.errstate(all="ignore"):
        for of in (float, lambda x: np.array([x, x])):
            assert np.all(np.isnan(dd.derivative(lambda x: x**math.nan)(of(2.0))))
            assert np.all(dd.derivative(lambda x: x**math.inf)(of(0.5)) == 0.0)


def test_logaddexp_with_infinity():
    """Beside an infinite operand the finite one has no weight."""
    assert 0.0 == dd.derivative(lambda x: np.logaddexp(x, math.inf))(3.0)
    assert 1.0 == dd.derivative(lambda x: np.logaddexp(x, -math.inf))(3.0)
    assert [0.0, 0.0] == list(dd.derivative(lambda x: np.logaddexp(x, math.inf))(np.array([3.0, -1e300])))
    assert 0.0 == dd.derivative(lambda x: np.logaddexp2(x, math.inf))(3.0)
