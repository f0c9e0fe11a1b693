"""No tangent is dropped in silence: each step keeps it, or raises an error that names ways out, which work."""

import array
import cmath
import ctypes
import decimal
import fractions
import json
import math
import operator
import random
import statistics
import struct
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, overrides

import dualdiff as dd
from dualdiff.rules.book import RULES, Constant, Creation

S, T = dd.Dual(0.5, 1.0), dd.Dual(0.25, -1.0)
P = np.array([0.2, 0.5, 0.7])
X = dd.Dual(P, [1.0, 2.0, 3.0])
A = np.array([[2.0, 0.3, 0.1], [0.2, 3.0, 0.4], [0.3, 0.1, 4.0]])
WAYS_OUT = ("np.sin", "dualdiff.sin", "np.stack([...])", "np.zeros_like(x)", "np.zeros(n, like=x)", "x.value")


def holds_dual(result):
    """Tell whether there is a Dual somewhere in a result."""
    if isinstance(result, np.ndarray) and result.dtype == object:
        result = result.ravel().tolist()
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (list, tuple)):
        return any(map(holds_dual, result))
    return isinstance(result, dd.Dual)


def refusal(call):
    """Return the error of a call with those behind it, or None where its result keeps a Dual."""
    try:
        result = call()
    except (TypeError, ValueError, struct.error) as error:
        chain = [error]
        while chain[-1].__cause__ or chain[-1].__context__:
            chain.append(chain[-1].__cause__ or chain[-1].__context__)
        return " ".join(map(str, chain))
    assert holds_dual(result), f"the tangent was dropped: {result!r}"
    return None


def refused(call):
    """Check that a call is refused in our words, or keeps the tangent."""
    message = refusal(call)
    assert message is None or "Dual" in message


# --- plain Python ------------------------------------------------------------------------------------------------

MATH = [(module, name) for module in (math, cmath) for name, f in vars(module).items() if callable(f)]
WHOLE = {"floor", "ceil", "trunc"}  # whole numbers do not move


@pytest.mark.parametrize(("module", "name"), MATH, ids=lambda x: getattr(x, "__name__", x))
def test_math(module, name):
    """Every function of math and cmath that takes floats refuses a Dual or keeps its tangent."""
    function = getattr(module, name)
    for arguments in ([0.5], [0.5, 0.25], [0.5, 0.25, 0.75], [[0.5, 0.25]], [[0.5, 0.25], [0.75, 1.0]]):
        try:
            function(*arguments)
        except (TypeError, ValueError):
            continue
        for i, argument in enumerate(arguments):
            moving = [S, T] if isinstance(argument, list) else S
            call = lambda i=i, moving=moving: function(*arguments[:i], moving, *arguments[i + 1 :])
            if name in WHOLE:
                assert function(*arguments) == call()
            else:
                refused(call)


CONVERSIONS = {
    "float": lambda: float(S), "int": lambda: int(S), "complex": lambda: complex(S), "float of array": lambda: float(X[:1]),
    "index": lambda: [1, 2][S], "range": lambda: range(S), "operator.index": lambda: operator.index(S),
    "complex(s, t)": lambda: complex(S, T), "array": lambda: array.array("d", [S]), "struct": lambda: struct.pack("d", S),
    "ctypes": lambda: ctypes.c_double(S), "%": lambda: "%f" % S, "hex": lambda: float.hex(S), "json": lambda: json.dumps(S),
    "Fraction": lambda: fractions.Fraction(S), "Decimal": lambda: decimal.Decimal(S), "bytes": lambda: bytes(S),
    "memoryview": lambda: memoryview(X), "float.__add__": lambda: 1.0.__add__(S) + 0.0, "divmod": lambda: divmod(S, T),
    "pow": lambda: pow(S, T), "pow with modulus": lambda: pow(S, 2, 3), "sum": lambda: sum([S, T]), "max": lambda: max(S, T),
    "sorted": lambda: sorted([S, T]), "abs": lambda: abs(S), "math.prod": lambda: math.prod([S, T]),
    "gauss": lambda: random.Random(0).gauss(S, 1.0), "uniform": lambda: random.Random(0).uniform(0.0, S),
    "betavariate": lambda: random.Random(0).betavariate(S, 1.0), "mean": lambda: statistics.mean([S, T]),
    "fmean": lambda: statistics.fmean([S, T]), "stdev": lambda: statistics.stdev([S, T]),
    "median": lambda: statistics.median([S, T, S]), "NormalDist": lambda: statistics.NormalDist(S, 1.0).cdf(0.2),
}  # fmt: skip
NUMPYS = {
    "float64": lambda: np.float64(S), "float32": lambda: np.float32(S), "complex128": lambda: np.complex128(S),
    "int64": lambda: np.int64(S), "array": lambda: np.array([S, T], dtype=float), "asarray": lambda: np.asarray(X, float),
    "array of rows": lambda: np.array([X, X], dtype=float), "asarray of int": lambda: np.asarray(X, dtype=int),
    "ascontiguousarray": lambda: np.ascontiguousarray(X, dtype=float), "fromiter": lambda: np.fromiter([S, T], dtype=float),
    "full": lambda: np.full(3, S, dtype=float), "full of object": lambda: np.full(3, S), "list": lambda: np.array([S, T]),
    "nested": lambda: np.array([[S, 1.0], [T, 2.0]]), "rows": lambda: np.array([X, X]), "r_": lambda: np.r_[S, 1.0, T],
    "c_": lambda: np.c_[X, X], "vectorize": lambda: np.vectorize(lambda v: v * v)(X), "arange": lambda: np.arange(0, S),
    "frompyfunc": lambda: np.frompyfunc(lambda v: v * v, 1, 1)(X), "poly1d": lambda: np.poly1d([1.0, 2.0])(S),
    "poly1d of Duals": lambda: np.poly1d([S, T])(2.0), "Polynomial": lambda: np.polynomial.Polynomial([1.0, 2.0])(S),
    "polynomial of Duals": lambda: np.polynomial.Polynomial([S, T])(2.0), "matrix": lambda: np.matrix(X, dtype=float),
    "masked": lambda: np.ma.array(X, dtype=float), "mgrid": lambda: np.mgrid[0:S:3j], "linspace": lambda: np.linspace(0, S, 3),
    "normal": lambda: np.random.default_rng(0).normal(S), "choice": lambda: np.random.default_rng(0).choice(X),
    "method dot": lambda: P.dot(X), "method clip": lambda: P.clip(S, 0.6), "method sum": lambda: P.sum(initial=S),
    "method max": lambda: P.max(initial=S), "method prod": lambda: P.prod(initial=S), "method add": lambda: P.__add__(X),
    "method astype": lambda: X.astype(int), "method var": lambda: P.var(mean=S), "method trace": lambda: A.dot([S, T, S]),
    "sum of list": lambda: np.sum([S, T]), "sin of list": lambda: np.sin([S, T]), "dot of list": lambda: np.dot(P, [S, T, S]),
    "norm of list": lambda: np.linalg.norm([S, T]), "solve of list": lambda: np.linalg.solve(A, [S, T, S]),
    "where of list": lambda: np.where([True, False], [S, T], 0.0), "stack of lists": lambda: np.stack([[S, T], [T, S]]),
    "concatenate of lists": lambda: np.concatenate([[S], [T]]), "broadcast": lambda: list(np.broadcast(X, 1.0)),
    "nditer": lambda: next(iter(np.nditer(X)))[()], "dtype of sum": lambda: np.sum(X, dtype=int),
    "dtype of cumsum": lambda: np.cumsum(X, dtype=int), "dtype of stack": lambda: np.stack([X, X], dtype=int, casting="unsafe"),
    "item": lambda: X.item(0), "tolist": lambda: X.tolist(), "fsum": lambda: math.fsum(X), "float of row": lambda: [float(v) for v in X],
}  # fmt: skip


@pytest.mark.parametrize("call", [*CONVERSIONS.values(), *NUMPYS.values()], ids=[*CONVERSIONS, *NUMPYS])
def test_conversions(call):
    """What makes plain numbers of others refuses a Dual, or keeps it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        refused(call)


@pytest.mark.parametrize("name", ["float", "int", "complex", "array", "struct", "float64", "asarray", "fromiter"])
def test_conversions_name_the_ways_out(name):
    """The error of a conversion names every way out."""
    message = refusal((CONVERSIONS | NUMPYS)[name])

    assert all(way in message for way in WAYS_OUT)


@pytest.mark.parametrize(
    ("call", "dtype"),
    [(f, dtype) for dtype in (int, bool) for f in (
        np.sum, np.mean, np.prod, np.cumsum, np.cumprod, np.var, np.std, np.add.accumulate, np.add.reduce,
        np.multiply.reduce, lambda x, dtype: np.stack([x, x], dtype=dtype, casting="unsafe"),
        lambda x, dtype: np.concatenate([x, x], dtype=dtype, casting="unsafe"),
        lambda x, dtype: np.einsum("i->", x, dtype=dtype, casting="unsafe"),
        lambda x, dtype: np.add(x, 1.0, dtype=dtype, casting="unsafe"),
        lambda x, dtype: np.trace(np.outer(x, x), dtype=dtype), lambda x, dtype: x.astype(dtype),
    )],
)  # fmt: skip
def test_whole_number_results(call, dtype):
    """A result of whole numbers does not move, so that asking for one is refused, never a cut-off value that moves."""
    with pytest.raises((TypeError, ValueError)):
        call(X, dtype=dtype)


# --- plain buffers -------------------------------------------------------------------------------------------------


def _setitem(index, item):
    def write(b):
        b[index] = item

    return write


def _setattr(name, item):
    return lambda b: setattr(b, name, item)


WRITES = {
    "element": _setitem(0, S), "slice": _setitem(slice(None), X), "slice of number": _setitem(slice(1, None), S),
    "list": _setitem(slice(0, 2), [S, T]), "object array": _setitem(slice(0, 2), np.array([S, T])),
    "mask": _setitem(np.array([True, False, True]), X[:2]), "indices": _setitem([0, 2], X[1:]), "ellipsis": _setitem(..., S),
    "flat": _setattr("flat", X), "flat element": lambda b: b.flat.__setitem__(0, S), "real": _setattr("real", X),
    "fill": lambda b: b.fill(S), "method put": lambda b: b.put([0], S), "+=": lambda b: b.__iadd__(X),
    "*= number": lambda b: b.__imul__(S), "/=": lambda b: b.__itruediv__(X), "**=": lambda b: b.__ipow__(X),
    "@=": lambda b: b.__imatmul__(X), "copyto": lambda b: np.copyto(b, X), "copyto number": lambda b: np.copyto(b, S),
    "put": lambda b: np.put(b, [0], S), "putmask": lambda b: np.putmask(b, b > 0, X), "place": lambda b: np.place(b, b > 0, X),
    "put_along_axis": lambda b: np.put_along_axis(b, np.array([0]), S, 0), "add.at": lambda b: np.add.at(b, [0, 0], S),
    "fill_diagonal": lambda b: np.fill_diagonal(b.reshape(1, 3), S), "out": lambda b: np.add(X, 1.0, out=b),
    "out of sum": lambda b: np.sum([X, X], axis=0, out=b), "out of dot": lambda b: np.dot(A, X, out=b),
    "out of take": lambda b: X.take([0, 1, 2], out=b), "out of clip": lambda b: np.clip(P, S, 0.6, out=b),
    "where out": lambda b: np.add(P, S, out=b, where=P > 0.3), "subtract.at": lambda b: np.subtract.at(b, [0], X[:1]),
    "choose": lambda b: np.choose([0, 0, 0], [X], out=b), "setfield": lambda b: b.setfield(S, float),
    "out of reduce": lambda b: np.add.reduce([X, X], out=b), "mean": lambda b: np.mean([X, X], axis=0, out=b),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [float, int, complex, np.float32])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_plain_buffers(write, dtype):
    """Writing a Dual into a plain array is refused, and leaves the array as it was."""
    buffer = np.ones(3, dtype)
    with pytest.raises((TypeError, ValueError)):
        write(buffer)

    assert np.array_equal(np.ones(3, dtype), buffer)


@pytest.mark.parametrize("name", ["element", "slice", "list", "mask", "flat", "fill", "+=", "/=", "out", "add.at"])
def test_plain_buffers_name_the_ways_out(name):
    """The error of a write says what to do instead."""
    message = refusal(lambda: WRITES[name](np.ones(3)))

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
    y = y + np.stack([t, t * t])  # noqa: PLR6104 - the way out, as the error names it
    return y - 1.0


@pytest.mark.parametrize(
    "f",
    [
        lambda t: np.stack([t, t * t]), lambda t: np.array([t, t * t]), _added, _in_buffer(lambda t: np.zeros(2, like=t)),
        _in_buffer(lambda t: np.zeros_like(np.stack([t, t]))), _in_buffer(lambda t: np.empty(2, like=t)),
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
    yield from ([a, b, c] for a in OTHERS[4:] for b in OTHERS for c in OTHERS if any(x is P or x is A for x in (a, b, c)))


def moved(x):
    """Return the argument with a tangent, in every way there is."""
    if isinstance(x, np.ndarray) and x.dtype == float:
        return [dd.Dual(x, 1.0)]
    if isinstance(x, list) and all(isinstance(a, np.ndarray) for a in x):
        return [[dd.Dual(a, 1.0) for a in x]]
    return [dd.Dual(x, 1.0)] if isinstance(x, float) else []


def moves(result):
    """Tell whether a plain result has numbers in it that could move."""
    if isinstance(result, (list, tuple)):
        return any(map(moves, result))
    return isinstance(result, (float, complex, np.inexact)) or (isinstance(result, np.ndarray) and result.dtype.kind in "fcO")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_every_function(function):
    """With a Dual in any argument the result has one too, or nothing that could move, or the call is refused."""
    ran = 0
    for arguments in candidates():
        if ran >= 40:
            return
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            plain = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
            try:
                expected = function(*plain)
            except Exception:  # noqa: BLE001, S112 - not a call this function takes
                continue
            if not (moves(expected) or expected is None):
                continue
            ran += 1
            for i, x in enumerate(arguments):
                for moving in moved(x):
                    given = [y.copy() if isinstance(y, np.ndarray) else y for y in arguments]
                    given[i] = moving
                    try:
                        result = function(*given)
                    except Exception:  # noqa: BLE001, S112 - refused, by us or by NumPy; never in silence
                        continue
                    kept = holds_dual(result) or holds_dual(given[:i] + given[i + 1 :])
                    if not kept and not (expected is None and isinstance(given[0], dd.Dual)):
                        assert isinstance(RULES.get(function), (Constant, Creation)), (arguments, i, result)
