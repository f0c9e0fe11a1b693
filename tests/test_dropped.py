"""No tangent is dropped in silence: each step keeps it, or raises an error that names ways out, which work."""

import array
import cmath
import ctypes
import decimal
import fractions
import itertools
import json
import math
import operator
import random
import re
import statistics
import struct
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, overrides

import dualdiff as dd
from dualdiff.rules.book import RULES, Constant, Creation

MODULES = (array, cmath, ctypes, decimal, fractions, json, math, operator, random, statistics, struct, np)
P = np.array([0.2, 0.5, 0.7])
A = np.array([[2.0, 0.3, 0.1], [0.2, 3.0, 0.4], [0.3, 0.1, 4.0]])
S, T, X = dd.Dual(0.5, 1.0), dd.Dual(0.25, -1.0), dd.Dual(P, [1.0, 2.0, 3.0])
NAMES = {module.__name__.replace("numpy", "np"): module for module in MODULES} | {"P": P, "A": A}
MOVING = {"S": S, "T": T, "X": X}
WAYS_OUT = ("np.sin", "dualdiff.sin", "np.stack([...])", "np.zeros_like(x)", "np.zeros(n, like=x)", "x.value")


def several(text):
    """Return the expressions of a text, which stand two spaces apart."""
    return re.split(r"\s{2,}", text.strip())


def evaluated(text, **names):
    """Return the value of an expression in S, T (Duals of numbers), X (of a vector) and plain P and A."""
    return eval(text, NAMES | MOVING | names)  # noqa: S307 - the texts stand below


def holds_dual(result):
    """Tell whether there is a Dual somewhere in a result."""
    if isinstance(result, np.ndarray) and result.dtype == object:
        result = result.ravel().tolist()
    if isinstance(result, (list, tuple)):
        return any(map(holds_dual, result))
    return isinstance(result, dd.Dual)


def refusal(call):
    """Return the words of the error of a call and of those behind it, or None where its result keeps a Dual."""
    try:
        result = call()
    except (TypeError, ValueError, struct.error) as error:
        chain = [error]
        while chain[-1].__cause__ or chain[-1].__context__:
            chain.append(chain[-1].__cause__ or chain[-1].__context__)
        return " ".join(map(str, chain))
    assert holds_dual(result), f"the tangent was dropped: {result!r}"
    return None


# --- plain Python and NumPy's constructors ---------------------------------------------------------------------------

MATH = [(module, name) for module in (math, cmath) for name, f in vars(module).items() if callable(f)]
WHOLE = {"floor", "ceil", "trunc"}  # whole numbers do not move


@pytest.mark.parametrize(("module", "name"), MATH, ids=lambda x: getattr(x, "__name__", x))
def test_math(module, name):
    """Every function of math and cmath that takes floats refuses a Dual or keeps its tangent."""
    function = getattr(module, name)
    for arguments in ([0.5], [0.5, 0.25], [0.5, 0.25, 0.75], [[0.5, 0.25]], [[0.5, 0.25], [0.75, 1.0]]):
        try:
            plain = function(*arguments)
        except (TypeError, ValueError):
            continue
        for i, argument in enumerate(arguments):
            moving = [*arguments[:i], [S, T] if isinstance(argument, list) else S, *arguments[i + 1 :]]
            if name in WHOLE:
                assert plain == function(*moving)
            else:
                assert "Dual" in (refusal(lambda moving=moving: function(*moving)) or "a Dual was kept")


CONVERSIONS = several(
    """
    float(S)  int(S)  complex(S)  float(X[:1])  [1, 2][S]  range(S)  operator.index(S)  complex(S, T)
    array.array("d", [S])  ctypes.c_double(S)  "%f" % S  float.hex(S)  json.dumps(S)
    decimal.Decimal(S)  bytes(S)  memoryview(X)  divmod(S, T)  pow(S, T)
    sum([S, T])  max(S, T)  sorted([S, T])  abs(S)  math.prod([S, T])  random.Random(0).gauss(S, 1.0)
    random.Random(0).uniform(0.0, S)  random.Random(0).betavariate(S, 1.0)  statistics.mean([S, T])
    statistics.fmean([S, T])  statistics.stdev([S, T])  statistics.median([S, T, S])
    statistics.NormalDist(S, 1.0).cdf(0.2)  math.fsum(X)  [float(v) for v in X]
    np.float64(S)  np.float32(S)  np.complex128(S)  np.int64(S)  np.array([S, T], dtype=float)  np.asarray(X, float)
    np.array([X, X], dtype=float)  np.asarray(X, dtype=int)  np.ascontiguousarray(X, dtype=float)
    np.fromiter([S, T], dtype=float)  np.full(3, S, dtype=float)  np.full(3, S)  np.array([S, T])
    np.array([[S, 1.0], [T, 2.0]])  np.array([X, X])  np.r_[S, 1.0, T]  np.c_[X, X]
    np.vectorize(lambda v: v * v)(X)  np.arange(0, S)  np.frompyfunc(lambda v: v * v, 1, 1)(X)
    np.poly1d([1.0, 2.0])(S)  np.poly1d([S, T])(2.0)  np.polynomial.Polynomial([1.0, 2.0])(S)
    np.polynomial.Polynomial([S, T])(2.0)  np.matrix(X, dtype=float)  np.ma.array(X, dtype=float)  np.mgrid[0:S:3j]
    np.linspace(0, S, 3)  np.random.default_rng(0).normal(S)  np.random.default_rng(0).choice(X)  P.dot(X)
    P.clip(S, 0.6)  P.sum(initial=S)  P.max(initial=S)  P.prod(initial=S)  P.__add__(X)  X.astype(int)
    A.dot([S, T, S])  np.sum([S, T])  np.sin([S, T])  np.dot(P, [S, T, S])  np.linalg.norm([S, T])
    np.where([True, False], [S, T], 0.0)  np.stack([[S, T], [T, S]])
    np.concatenate([[S], [T]])  list(np.broadcast(X, 1.0))  X.item(0)  X.tolist()
    """
)
# Refused too, but before anything of ours is asked, or in other words.
ALOUD = several(
    """
    P.var(mean=S)  struct.pack("d", S)  fractions.Fraction(S)  pow(S, 2, 3)  np.linalg.solve(A, [S, T, S])
    next(np.nditer(X))[()]
    """
)


@pytest.mark.parametrize("text", [*CONVERSIONS, *ALOUD])
def test_conversions(text):
    """What makes plain numbers of others refuses a Dual, or keeps it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        message = refusal(lambda: evaluated(text))

    assert message is None or "Dual" in message or text in ALOUD


@pytest.mark.parametrize("text", [
    "float(S)", "int(S)", "complex(S)", 'array.array("d", [S])', "np.float64(S)", "np.asarray(X, float)", "math.sin(S)",
    "np.fromiter([S, T], dtype=float)", "np.array([S, T], dtype=float)",
])  # fmt: skip
def test_conversions_name_the_ways_out(text):
    """The error of a conversion names every way out."""
    message = refusal(lambda: evaluated(text))

    assert all(way in message for way in WAYS_OUT)


@pytest.mark.parametrize("dtype", [int, bool])
@pytest.mark.parametrize("text", several(
    """
    np.sum(X, dtype=d)  np.mean(X, dtype=d)  np.prod(X, dtype=d)  np.cumsum(X, dtype=d)  np.cumprod(X, dtype=d)
    np.var(X, dtype=d)  np.std(X, dtype=d)  np.add.reduce(X, dtype=d)  np.multiply.reduce(X, dtype=d)
    np.add.accumulate(X, dtype=d)  np.stack([X, X], dtype=d, casting="unsafe")  np.trace(np.outer(X, X), dtype=d)
    np.concatenate([X, X], dtype=d, casting="unsafe")  np.einsum("i->", X, dtype=d, casting="unsafe")
    np.add(X, 1.0, dtype=d, casting="unsafe")  X.astype(d)  X.sum(dtype=d)  np.add.reduceat(X, [0], dtype=d)
    np.add.outer(X, X, dtype=d, casting="unsafe")  np.maximum.reduce(X, dtype=d)  np.hypot.reduce(X, dtype=d)
    """
))  # fmt: skip
def test_whole_number_results(text, dtype):
    """A result of whole numbers does not move, so that asking for one is refused; nothing cut off has a tangent."""
    with pytest.raises((TypeError, ValueError)):
        evaluated(text, d=dtype)


# --- plain buffers ---------------------------------------------------------------------------------------------------

WRITES = several(
    """
    b[0] = S  b[:] = X  b[1:] = S  b[:2] = [S, T]  b[:2] = np.array([S, T])  b[b > 0] = X  b[[0, 2]] = X[1:]  b[...] = S
    b.flat = X  b.flat[0] = S  b.real = X  b.fill(S)  b.put([0], S)  b += X  b -= S  b *= S  b /= X  b **= X
    b @= A * S  b //= X  b %= S  np.copyto(b, X)  np.copyto(b, S)  np.put(b, [0], S)  np.putmask(b, b > 0, X)
    np.place(b, b > 0, X)  np.put_along_axis(b, np.array([0]), S, 0)  np.add.at(b, [0, 0], S)
    np.fill_diagonal(b.reshape(1, 3), S)  np.add(X, 1.0, out=b)  np.sum([X, X], axis=0, out=b)  np.dot(A, X, out=b)
    X.take([0, 1, 2], out=b)  np.clip(P, S, 0.6, out=b)  np.add(P, S, out=b, where=P > 0.3)  b[:, None][0] = S
    np.subtract.at(b, [0], X[:1])  np.choose([0, 0, 0], [X], out=b)  b.setfield(S, b.dtype)  b.T[1:] += X[1:]
    np.add.reduce([X, X], out=b)  np.mean([X, X], axis=0, out=b)  np.divmod(X, 2.0, out=(b, b))  np.modf(X, out=(b, b))
    """
)


def write(text, buffer):
    """Run a statement on a plain buffer b."""
    exec(text, NAMES | MOVING | {"b": buffer})  # noqa: S102 - the texts stand above


@pytest.mark.parametrize("dtype", [float, int, complex, np.float32])
@pytest.mark.parametrize("text", WRITES)
def test_plain_buffers(text, dtype):
    """Writing a Dual into a plain array is refused, and leaves the array as it was."""
    if text == "b //= X":  # what is floored does not move
        return
    buffer = np.ones(3, dtype)
    with pytest.raises((TypeError, ValueError)):
        write(text, buffer)

    assert np.array_equal(np.ones(3, dtype), buffer)


@pytest.mark.parametrize(
    "text", several("b[0] = S  b[:] = X  b[:2] = [S, T]  b.flat = X  b.fill(S)  b += X  b /= X  np.add(X, 1.0, out=b)")
)
def test_plain_buffers_name_the_ways_out(text):
    """The error of a write says what to do instead."""
    message = refusal(lambda: write(text, np.ones(3)))

    assert all(way in message for way in ("np.stack([...])", "np.zeros_like(x)", "np.zeros(n, like=x)", "x.value"))


# --- the ways out that the errors name -------------------------------------------------------------------------------


def _in_buffer(make):
    def f(t):
        y = make(t)
        y[0], y[1] = t, t * t
        return y

    return f


def _added(t):
    y = np.ones(2)
    y = y + np.stack([t, t * t])  # the way out, as the error names it
    return y - 1.0


@pytest.mark.parametrize(
    "f",
    [
        lambda t: np.stack([t, t * t]), lambda t: np.array([t, t * t]), _added,
        _in_buffer(lambda t: np.zeros(2, like=t)), _in_buffer(lambda t: np.zeros_like(np.stack([t, t]))),
        _in_buffer(lambda t: np.empty(2, like=t)),
    ],
)  # fmt: skip
def test_ways_out_for_buffers(f):
    """np.stack, np.zeros_like, np.zeros(n, like=x) and y = y + x keep the tangent."""
    assert_allclose([1.0, 6.0], dd.derivative(f)(3.0))
    assert_allclose([[1.0], [6.0]], dd.jacobian(lambda x: f(x[0]), chunk_size=None)(np.array([3.0])))
    assert_allclose([0.0, 2.0], dd.derivative(dd.derivative(f))(3.0))


def test_ways_out_for_math():
    """np.sin and dualdiff.sin keep the tangent, x.value drops it on purpose."""
    assert math.cos(0.5) == np.sin(S).tangent == dd.sin(S).tangent
    assert (math.sin(0.5), 0.5) == (math.sin(S.value), float(S.value))
    assert np.array_equal(P, np.asarray(X.value, float))


# --- every function that NumPy lets us answer -------------------------------------------------------------------------

FILES = {"save", "savetxt", "savez", "savez_compressed", "loadtxt", "genfromtxt", "fromfile", "fromregex"}
FUNCTIONS = sorted(
    {f for f in overrides.get_overridable_numpy_array_functions()
     if f.__name__ not in FILES and "recfunctions" not in f.__module__},
    key=lambda f: (f.__name__, f.__module__),
)  # fmt: skip
ROWS = [P, P[::-1] * 1.1]
OTHERS = [1, 0, [1, 0], (2, 2), np.array([True, False, True]), [0, 1, 2], "ij->ij", P, A, ROWS, lambda a: a * 1.0, 0.5]


def candidates():
    """Yield argument lists, from the plainest on."""
    bases = [P, A, ROWS, np.array([0.5]), 0.5, [A, A + 0.1]]
    yield from ([base] for base in bases)
    yield from ([base, other] for base in bases for other in OTHERS)
    yield from ([other, base] for base in bases for other in OTHERS)
    yield from (
        [a, b, c] for a in OTHERS[4:] for b in OTHERS for c in OTHERS if any(x is P or x is A for x in (a, b, c))
    )


def moved(x):
    """Return the argument with a tangent, in every way there is."""
    if isinstance(x, np.ndarray) and x.dtype == float:
        return [dd.Dual(x, 1.0)]
    if isinstance(x, list) and all(isinstance(a, np.ndarray) for a in x):
        return [[dd.Dual(a, 1.0) for a in x]]
    return [dd.Dual(x, 1.0)] if isinstance(x, float) else []


def outcome(function, arguments):
    """Return what a call gives: its result, or else its first argument, written into."""
    arguments = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
    result = function(*arguments)
    return (arguments[0] if result is None else result), arguments


def differ(a, b):
    """Tell whether two results have different numbers in them."""
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and any(itertools.starmap(differ, zip(a, b, strict=False)))
    if np.shape(a) != np.shape(b) or np.asarray(a).dtype.kind not in "fc":
        return False
    return not np.array_equal(a, b, equal_nan=True)


def nearby(x):
    """Return the argument a little off."""
    return [nearby(y) for y in x] if isinstance(x, list) else x * (1 + 1e-6) + 1e-7


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_every_function(function):
    """Where a result moves with an argument, a Dual there gives one back or is refused; never plain numbers."""
    if isinstance(RULES.get(function), (Constant, Creation)) or function is np.empty_like:
        return
    ran = 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for arguments in candidates():
            if ran >= 40:
                return
            try:
                expected = outcome(function, arguments)[0]
            except Exception:  # noqa: BLE001, S112 - not a call that this function takes
                continue
            ran += 1
            for i, x in enumerate(arguments):
                for moving in moved(x):
                    try:
                        result, given = outcome(function, [*arguments[:i], moving, *arguments[i + 1 :]])
                    except Exception:  # noqa: BLE001, S112 - refused, by us or by NumPy, not in silence
                        continue
                    if not holds_dual(result) and not holds_dual(given[:i]):
                        close = [*arguments[:i], nearby(x), *arguments[i + 1 :]]
                        assert not differ(expected, outcome(function, close)[0]), (arguments, i, result)


# Arguments that NumPy's protocol does not look at, in functions of plain arrays and of Duals.
ODD_PLACES = several(
    """
    np.sum(a, initial=S)  np.prod(a, initial=S)  np.max(a, initial=S * 9)  np.min(a, initial=S * 0.1)
    np.full_like(a, S)  np.nansum(a, initial=S)  np.interp(0.0, [1.0, 2.0, 3.0], a, left=S)
    np.interp(9.0, [1.0, 2.0, 3.0], a, right=S)  np.interp(0.3, [S * 0.1, S, 2.0], a)
    np.interp(a, [0.0, 2.0], [S, T])  np.select([a > 9], [a], default=S)  np.piecewise(a, [a > 0], [S])
    np.pad(a, 1, constant_values=S)  np.trapezoid(a, dx=S)  np.append(a, S)  np.trapezoid(a, x=X)
    np.nan_to_num(a * np.array([np.nan, 1, 1]), nan=S)  np.unwrap(a * 9, period=S)  np.ptp(np.append(a, S * 4))
    np.nan_to_num(a * np.array([np.inf, 1, 1]), posinf=S)  np.insert(a, 0, S)  np.clip(a, S, 0.6)  a.clip(S, 0.6)
    np.clip(a, min=S)  np.diff(a, prepend=S)  np.diff(a, append=S)  np.ediff1d(a, to_end=S)  a.dot([S, T, S])
    np.average(a, weights=[S, T, S * 2])  np.average(a, weights=X, returned=True)[1]  np.var(a, mean=S)
    np.std(a, mean=S)  np.var(a, ddof=S)  np.std(a, correction=S)  np.gradient(a, S)  np.quantile(a, S)
    np.percentile(a, S)  np.logspace(0.0, 1.0, 3, base=S)  np.cov(a, aweights=X)  np.sum(a, initial=T, keepdims=True)
    np.apply_along_axis(lambda v, w: v * w, 0, a, S)  np.histogram(a, weights=X, density=True)[0]
    np.linalg.norm(a, S * 6)  np.vander([S, T])  np.polyfit(P, P, 1, w=X)  np.einsum("i,i", a, [S, T, S])
    np.dot(a, [S, T, S])  np.kron(a, [S, T])  np.where(a > 0, [S, T, S], 0.0)  np.polyval([S, T], a)
    np.cross(a, [S, T, S])  np.outer(a, [S, T])  np.concatenate([a, [S]])  np.stack([a, [S, T, S]])
    np.inner([S, T, S], a)  np.power(a, [S, T, S])  np.add.reduce(a, initial=S)  np.hypot.reduce(a, initial=S)
    np.multiply.reduce(a, initial=S)  np.linspace(S, 1.0, 3)  np.geomspace(S, 1.0, 3)  a @ np.array([S, T, S])
    np.add.outer(a, [S, T])  np.max(a, initial=S * 9, where=a < 0)  np.linalg.norm([S, T])  np.add(a, 1, out=X * 1.0)
    """
)


@pytest.mark.parametrize("a", [P, dd.Dual(P, 0.0)], ids=["plain", "Dual"])
@pytest.mark.parametrize("text", ODD_PLACES)
def test_odd_places(text, a):
    """A Dual in an odd argument moves the result as differences say, or is refused; also where nothing else moves."""
    try:
        result = evaluated(text, a=a * 1.0)
    except Exception:  # noqa: BLE001 - refused, not in silence
        return
    h = 1e-6
    ends = [evaluated(text, a=P * 1.0, S=0.5 + k, T=0.25 - k, X=P + k * X.tangent) for k in (h, -h)]
    slopes = (np.asarray(ends[0]) - np.asarray(ends[1])) / (2 * h)
    duals = np.ravel(np.array(result, dtype=object))
    assert_allclose([getattr(v, "tangent", 0.0) for v in duals], np.ravel(slopes), rtol=1e-6, atol=1e-8)
