"""Corners: kinks, ties, infinite slopes and the point where a textbook formula has none, one row per convention."""

import math
import operator
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan

import numpy as np
import pytest

import dualdiff as dd

POINT_KINDS = {
    "scalar": lambda x: x,
    "array": lambda x: np.array([x, x]),
    "matrix": lambda x: np.full((2, 1), x),
    "float32": lambda x: np.full(2, x, np.float32),
    "number of NumPy": np.float64,
}


def row(name, f, x, expected):
    """Return one convention: f at x has the slope expected."""
    return pytest.param(f, x, expected, id=name)


def named(*conventions):
    """Return conventions (f, x, expected) of functions that have a name."""
    return [row(f"{f.__name__}({x})", f, x, expected) for f, x, expected in conventions]


def power(n):
    """Return x ↦ xⁿ."""
    return lambda x: x**n


# fmt: off
SMOOTH = [
    row("x**0", power(0), 0.0, 0.0), row("x**0.0", power(0.0), 0.0, 0.0), row("x**1.0", power(1.0), 0.0, 1.0),
    row("x**2", power(2), 0.0, 0.0), row("x**3.0", power(3.0), 0.0, 0.0), row("x**1.5", power(1.5), 0.0, 0.0),
    row("np.power", lambda x: np.power(x, 1.0), 0.0, 1.0),
    row("float_power", lambda x: np.float_power(x, 1.0), 0.0, 1.0),
    row("sqrt(x**4)", lambda x: np.sqrt(x**4), 0.0, 0.0), row("abs(x)**3", lambda x: np.abs(x) ** 3, 0.0, 0.0),
    row("sinc", np.sinc, 0.0, 0.0), row("hypot(0, 1)", lambda x: np.hypot(x, 1.0), 0.0, 0.0),
    row("0**y", lambda y: 0.0**y, 2.0, 0.0), row("0**y, small y", lambda y: 0.0**y, 0.1, 0.0),
    row("(-2)**3.0", power(3.0), -2.0, 12.0), row("(-2)**-1.0", power(-1.0), -2.0, -0.25),
    row("tanh far out", np.tanh, 1000.0, 0.0), row("arctan far out", np.arctan, 1e10, 1e-20),
    row("logaddexp(x, inf)", lambda x: np.logaddexp(x, inf), 3.0, 0.0),
    row("logaddexp(x, -inf)", lambda x: np.logaddexp(x, -inf), 3.0, 1.0),
    row("logaddexp(-inf, -inf + 0x)", lambda x: np.logaddexp(-inf, -inf + 0 * x), 1.0, 0.0),
    row("fmax(x, NaN)", lambda x: np.fmax(x, nan), 2.0, 1.0), row("fmin(NaN, x)", lambda x: np.fmin(nan, x), 2.0, 1.0),
]
KINKS = [
    row("abs", abs, 0.0, 0.0), row("abs at -0", np.abs, -0.0, 0.0), row("fabs", np.fabs, 0.0, 0.0),
    row("maximum(x, 0)", lambda x: np.maximum(x, 0.0), 0.0, 0.5),
    row("maximum(0, x)", lambda x: np.maximum(0.0, x), 0.0, 0.5),
    row("minimum", lambda x: np.minimum(x, 3.0), 3.0, 0.5), row("fmax", lambda x: np.fmax(x, 3.0), 3.0, 0.5),
    row("fmin", lambda x: np.fmin(3.0, x), 3.0, 0.5), row("maximum(x, -x)", lambda x: np.maximum(x, -x), 0.0, 0.0),
    row("maximum(x, x)", lambda x: np.maximum(x, x), 2.0, 1.0),
    row("relu by where", lambda x: np.where(x > 0, x, 0.0), 0.0, 0.0),
    row("clip at the lower bound", lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.5),
    row("clip at the upper bound", lambda x: np.clip(x, 0.0, 1.0), 1.0, 0.5),
    row("clip inside", lambda x: np.clip(x, 0.0, 1.0), 0.5, 1.0),
    row("clip outside", lambda x: np.clip(x, 0.0, 1.0), 2.0, 0.0),
    row("clip at one bound", lambda x: np.clip(x, 0.0, None), 0.0, 0.5),
    row("copysign", lambda x: np.copysign(x, 1.0), 0.0, 0.0),
    row("hypot at the origin", lambda x: np.hypot(x, 0.0), 0.0, 0.0),
    row("hypot(x, x) at the origin", lambda x: np.hypot(x, 2 * x), 0.0, 0.0),
    row("sqrt(x² + x²)", lambda x: np.sqrt(x * x + x * x), 0.0, 0.0),
    row("interp at a knot", lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 3.0, 4.0]), 1.0, 2.0),
    row("interp at the first knot", lambda x: np.interp(x, [0.0, 1.0], [0.0, 3.0]), 0.0, 1.5),
]
STEPS = [
    *named(*((f, x, 0.0) for f in (np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round) for x in (0.0, 2.5))),
    row("//", lambda x: x // 2.0, 3.0, 0.0), row("y // x", lambda x: 7.0 // x, 2.0, 0.0),
    row("heaviside", lambda x: np.heaviside(x, 0.5), 0.0, 0.0), row("x % y by x", lambda x: x % 3.0, 7.0, 1.0),
    row("x % y by y", lambda y: 7.0 % y, 3.0, -2.0), row("x % y by y, negative x", lambda y: -7.0 % y, 3.0, 3.0),
    row("x % y at the jump", lambda x: x % 3.0, 6.0, 1.0), row("x % y by y at the jump", lambda y: 6.0 % y, 3.0, -2.0),
    row("fmod by x", lambda x: np.fmod(x, 3.0), -7.0, 1.0), row("fmod by y", lambda y: np.fmod(-7.0, y), 3.0, 2.0),
    row("divmod", lambda x: divmod(x, 3.0)[1], 7.0, 1.0),
]
INFINITE = [
    *named((np.sqrt, 0.0, inf), (np.cbrt, 0.0, inf), (np.log, 0.0, inf), (np.log2, 0.0, inf), (np.log10, 0.0, inf)),
    *named((np.log1p, -1.0, inf), (np.arccosh, 1.0, inf), (np.arctanh, 1.0, inf), (np.arctanh, -1.0, inf)),
    *named((np.arcsin, 1.0, inf), (np.arcsin, -1.0, inf), (np.arccos, 1.0, -inf), (np.arccos, -1.0, -inf)),
    row("x**0.5", power(0.5), 0.0, inf), row("reciprocal", np.reciprocal, 0.0, -inf),
    row("1/x", lambda x: 1 / x, 0.0, -inf), row("1/x at -0", lambda x: 1 / x, -0.0, -inf),
    *(row(f"x**{n}", power(n), 0.0, -inf) for n in (-1.0, -0.5)), row("0**y at 0", lambda y: 0.0**y, 0.0, -inf),
]
NO_VALUE = [
    *named(*((f, -3.0, nan) for f in (np.log, np.log2, np.log10, np.log1p, np.sqrt, np.arccosh))),
    *named(*((f, x, nan) for f in (np.arcsin, np.arccos, np.arctanh) for x in (2.0, -2.0)), (np.sin, inf, nan)),
    row("(-2)**0.5", power(0.5), -2.0, nan), row("(-2)**y", lambda y: (-2.0) ** y, 3.0, nan),
    row("(-2)**y without a value", lambda y: (-2.0) ** y, 0.5, nan),
    row("arctan2(0, 0)", lambda x: np.arctan2(x, 0.0), 0.0, nan),
    row("maximum with NaN", lambda x: np.maximum(x, nan), 1.0, nan), row("x % 0", lambda x: x % 0.0, 7.0, nan),
    row("0/0", lambda x: x / 0.0, 0.0, nan),
]
# fmt: on
FINITE_OR_NOT = [*SMOOTH, *KINKS, *STEPS, *INFINITE, *NO_VALUE]


def silently(f):
    """Return f with the warnings of its values left out; that they are NumPy's own has a test below."""

    def quiet(*args):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return f(*args)

    return quiet


@pytest.mark.parametrize("kind", POINT_KINDS)
@pytest.mark.parametrize(("f", "x", "expected"), FINITE_OR_NOT)
def test_convention(f, x, expected, kind):
    """The slope at a corner is the one of the table, of numbers and of arrays alike."""
    point = POINT_KINDS[kind](x)
    slope = silently(dd.derivative(f))(point)

    np.testing.assert_allclose(slope, np.full(np.shape(point), expected), rtol=1e-6, atol=1e-99)


@pytest.mark.parametrize("chunk_size", [1, 2, None])
@pytest.mark.parametrize(("f", "x", "expected"), FINITE_OR_NOT)
def test_convention_inside_jacobian(f, x, expected, chunk_size):
    """In a Jacobian the slopes stand on the diagonal, and beside them is exactly 0."""
    jacobian = silently(dd.jacobian(f, chunk_size=chunk_size))(np.full(3, x))

    np.testing.assert_allclose(np.diagonal(jacobian), np.full(3, expected), atol=1e-99)
    assert [0.0] * 6 == list(jacobian[~np.eye(3, dtype=bool)])


@pytest.mark.parametrize(("f", "x", "expected"), FINITE_OR_NOT)
def test_convention_beside_another_input(f, x, expected):
    """An input that does not enter f has slope 0, whatever f's slope in the other one."""
    jacobian = silently(dd.jacobian(lambda s, t: f(s) + 0.0 * s + t))(x, 1.0)
    one_sided = silently(dd.jacobian(lambda s, t: np.stack([f(s), f(t)])))(x, x)

    assert jacobian[1] == 1.0
    assert (0.0, 0.0) == (one_sided[0, 1], one_sided[1, 0])


@pytest.mark.parametrize(("f", "x", "expected"), FINITE_OR_NOT)
@pytest.mark.parametrize("of", [float, lambda x: np.array([x, x])], ids=["scalar", "array"])
def test_convention_under_another_derivative(f, x, expected, of):
    """The first of two nested derivatives is the same number as the derivative alone."""
    first = silently(dd.derivatives(f, 2))(of(x))[1]

    np.testing.assert_allclose(np.ravel(first), np.full(np.size(first), expected), atol=1e-99)


def warned(f, x):
    """Return what NumPy had to say while f(x) ran."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        f(x)
    return {str(w.message).replace("scalar ", "") for w in said}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("of", [np.float64, lambda x: np.array([x, x])], ids=["scalar", "array"])
@pytest.mark.parametrize(("f", "x", "expected"), FINITE_OR_NOT)
def test_warnings_come_from_values_alone(f, x, expected, of, order):
    """A derivative warns of nothing that the function does not warn of by itself."""
    differentiate = dd.derivative(f) if order == 1 else dd.derivatives(f, 2)

    assert warned(differentiate, float(x) if of is np.float64 else of(x)) <= warned(f, of(x))


EXPONENT_TYPES = {
    "int": int, "float": float, "int64": np.int64, "int8": np.int8, "float64": np.float64, "float32": np.float32,
    "array": lambda n: np.array([n, n]), "whole array": lambda n: np.array([int(n)] * 2), "0-d array": np.array,
    "list": lambda n: [n, n], "still Dual": dd.Dual, "Dual array": lambda n: dd.Dual(np.array([n, n])),
}  # fmt: skip
POWERS = [(0.0, 0, 0.0), (0.0, 1, 1.0), (0.0, 2, 0.0), (0.0, 3, 0.0), (0.0, 0.5, inf), (0.0, 2.5, 0.0), (0.0, -1, -inf),
          (-2.0, 0, 0.0), (-2.0, 1, 1.0), (-2.0, 2, -4.0), (-2.0, 3, 12.0), (-2.0, -1, -0.25), (-2.0, -2, 0.25),
          (-2.0, 0.5, nan), (1e-200, 2, 2e-200), (1e200, -0.5, 0.0), (3.0, 1.5, 1.5 * 3**0.5)]  # fmt: skip


@pytest.mark.parametrize("spell", [lambda x, n: x**n, np.power], ids=["**", "np.power"])
@pytest.mark.parametrize(("x", "n", "expected", "kind"), [
    (*case, kind) for case in POWERS for kind in EXPONENT_TYPES
    if case[1] == int(case[1]) or not ("int" in kind or "whole" in kind)
])  # fmt: skip
def test_power_by_its_base(x, n, expected, kind, spell):
    """x**n has the slope n·x^(n-1) also where x is 0 or negative, of whatever type the exponent is."""
    exponent = EXPONENT_TYPES[kind](n if "int" in kind or "whole" in kind else float(n))
    bare = lambda y: y.value if isinstance(y, dd.Dual) else y  # an exponent that is a Dual leaves one in the answer
    of_scalar = bare(silently(dd.jvp)(lambda t: spell(t, exponent), (x,), (1.0,))[1])
    of_array = bare(silently(dd.jvp)(lambda t: spell(t, exponent), (np.array([x, x]),), (np.ones(2),))[1])
    jacobian = bare(silently(dd.jacobian(lambda t: spell(t, exponent)))(np.array([x, x])))

    np.testing.assert_allclose(of_scalar, np.broadcast_to(expected, np.shape(of_scalar)), rtol=1e-15, atol=1e-199)
    np.testing.assert_allclose(of_array, [expected, expected], rtol=1e-15, atol=1e-199)
    np.testing.assert_array_equal([0.0, 0.0], [jacobian[0, 1], jacobian[1, 0]])


@pytest.mark.parametrize("stack", [False, True], ids=["scalars", "arrays"])
@pytest.mark.parametrize(
    ("x", "y", "by_x", "by_y"),
    [(0.0, 2.0, 0.0, 0.0), (0.0, 0.0, 0.0, -inf), (0.0, 1.0, 1.0, 0.0), (0.0, 0.5, inf, 0.0),
     (-2.0, 3.0, 12.0, nan), (-2.0, 0.5, nan, nan), (4.0, 0.0, 0.0, np.log(4.0))],
)  # fmt: skip
def test_power_by_base_and_exponent(x, y, by_x, by_y, stack):
    """Where both move, each has its own slope, and an undefined one does not spoil the other."""
    if stack:
        columns = silently(dd.jacobian(lambda s, t: s**t, argnums=(0, 1)))(np.array([x, x]), np.array([y, y]))
        found = [np.diagonal(c) for c in columns]
    else:
        found = silently(dd.jacobian(lambda s, t: s**t))(x, y)

    np.testing.assert_allclose(found[0], np.full(np.shape(found[0]), by_x), rtol=1e-15)
    np.testing.assert_allclose(found[1], np.full(np.shape(found[1]), by_y), rtol=1e-15)


def test_mixed_second_derivative_of_a_power():
    """∂²(x^y)/∂x∂y = x^(y-1)(1 + y·log x) is 1/4 at (4, 0), from both sides."""
    hessian = dd.hessian(lambda x, y: x**y)(4.0, 0.0)

    assert (0.25, 0.25) == (hessian[0, 1], hessian[1, 0])


def test_untaken_branch_contributes_nothing():
    """A branch of where that is not taken may be infinite or undefined."""
    f = silently(lambda x: np.where(x > 0, np.sqrt(x), 0.0))
    g = silently(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), x))

    assert 0.0 == dd.derivative(f)(0.0)
    assert [0.0, 0.25] == list(dd.derivative(f)(np.array([0.0, 4.0])))
    assert [0.0, 0.25] == list(np.diagonal(dd.jacobian(f, chunk_size=None)(np.array([0.0, 4.0]))))
    assert [1.0, 0.5] == list(dd.derivative(g)(np.array([-1.0, 2.0])))
    assert 4.0 == dd.derivative(lambda x: np.where(x > 0, x * x, 0))(2.0)


@pytest.mark.parametrize("chunk_size", [1, None])
def test_strong_zero(chunk_size):
    """sqrt(x₀) + x₁, exp out of range and log of a negative leave the other inputs' columns as they are."""
    root = dd.jacobian(lambda x: np.sqrt(x[0]) + x[1], chunk_size=chunk_size)(np.array([0.0, 1.0]))
    big = silently(dd.jacobian(np.exp, chunk_size=chunk_size))(np.array([1000.0, 0.0]))
    none = silently(dd.jacobian(np.log, chunk_size=chunk_size))(np.array([-1.0, 2.0]))
    nested = silently(dd.jacobian(dd.derivative(np.sqrt), chunk_size=chunk_size))(np.array([0.0, 4.0]))

    np.testing.assert_array_equal([inf, 1.0], root)
    np.testing.assert_array_equal([[inf, 0.0], [0.0, 1.0]], big)
    np.testing.assert_array_equal([[nan, 0.0], [0.0, 0.5]], none)
    np.testing.assert_array_equal([[-inf, 0.0], [0.0, -1 / 32]], nested)


def test_ties_of_many():
    """K tied entries move an extreme by 1/k each, and max(x + c) = max(x) + c."""
    x = np.array([3.0, 1.0, 3.0, 3.0])
    M = np.array([[1.0, 1.0], [2.0, 1.0]])

    np.testing.assert_allclose([1 / 3, 0, 1 / 3, 1 / 3], dd.gradient(np.max)(x))
    np.testing.assert_allclose([0, 1, 0, 0], dd.gradient(np.min)(x))
    np.testing.assert_allclose([1 / 3, 0, 1 / 3, 1 / 3], dd.gradient(lambda x: x.max())(x))
    np.testing.assert_allclose([[0.5, 0.5], [1.0, 0.0]], dd.gradient(lambda M: np.sum(np.max(M, axis=1)))(M))
    np.testing.assert_allclose([[0.0, 0.5], [0.0, 0.5]], dd.gradient(lambda M: np.max(M, axis=0)[1])(M))
    assert 1.0 == dd.derivative(lambda c: np.max(x + c))(0.0)


def test_norms_at_the_origin():
    """A norm has slope 0 at its kink, and its square is differentiable there."""
    zero = np.zeros(3)
    for f in (
        np.linalg.norm,
        np.linalg.vector_norm,
        lambda x: np.linalg.norm(x) ** 2,
        lambda x: np.sqrt(x @ x),
        lambda x: np.sqrt(x[0] ** 2 + x[1] ** 2),
        lambda x: np.hypot(x[0], x[1]),
        lambda x: np.linalg.norm(x, 1),
        lambda x: np.linalg.norm(x, np.inf),
        lambda x: np.linalg.norm(x, 3),
    ):
        np.testing.assert_array_equal(zero, dd.gradient(f)(zero))


def test_products_with_zeros():
    """Products and determinants are polynomials: exact also where a factor is 0 or the matrix singular."""
    S = np.array([[1.0, 2.0], [2.0, 4.0]])
    gradient_of_det = dd.gradient(np.linalg.det)(S)
    hessian_of_det = dd.hessian(np.linalg.det)(np.zeros((2, 2)))
    exact = np.zeros((2, 2, 2, 2))
    exact[0, 0, 1, 1] = exact[1, 1, 0, 0] = 1.0
    exact[0, 1, 1, 0] = exact[1, 0, 0, 1] = -1.0

    np.testing.assert_array_equal([6.0, 0.0, 0.0], dd.gradient(np.prod)(np.array([0.0, 2.0, 3.0])))
    np.testing.assert_array_equal([0.0, 0.0, 0.0], dd.gradient(np.prod)(np.array([0.0, 0.0, 3.0])))
    np.testing.assert_array_equal([[0, 3, 2], [3, 0, 0], [2, 0, 0]], dd.hessian(np.prod)(np.array([0.0, 2.0, 3.0])))
    np.testing.assert_allclose([[4.0, -2.0], [-2.0, 1.0]], gradient_of_det, atol=1e-12)
    np.testing.assert_allclose(exact, hessian_of_det, atol=1e-12)


def test_accuracy_far_out():
    """No formula overflows where the slope itself does not, and none cancels."""
    for x, y, by_x in ((3e200, 4e200, 0.6), (3e-200, 4e-200, 0.6)):
        assert abs(dd.derivative(lambda t, y=y: np.hypot(t, y))(x) - by_x) < 1e-15
        assert abs(dd.derivative(lambda t, y=y: np.arctan2(t, y))(x) * y - 0.64) < 1e-15
    assert dd.derivative(lambda x: 1e300 / x)(1e200) == pytest.approx(-1e-100, rel=1e-15)
    assert dd.derivative(lambda x: 1e300 / x)(np.array([1e200]))[0] == pytest.approx(-1e-100, rel=1e-15)
    assert dd.derivatives(np.sinc, 2)(0.0)[2] == pytest.approx(-(np.pi**2) / 3, rel=1e-15)
    assert dd.derivatives(np.sinc, 2)(np.array([0.0, 1e-9]))[2] == pytest.approx(-(np.pi**2) / 3, rel=1e-15)


def test_python_scalars_divide_by_zero_as_numpy_does():
    """1/x at 0 is NumPy's inf with NumPy's warning, not a ZeroDivisionError."""
    for f in (lambda x: 1.0 / x, lambda x: 1 / (x - 0.0), power(-1), dd.reciprocal, lambda x: (x + 1) / x):
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            value = f(dd.Dual(0.0, 1.0)).value
        assert value == inf
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert dd.log(dd.Dual(0.0, 1.0)).value == -inf
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert dd.exp(dd.Dual(1000.0, 1.0)).value == inf


def test_confusion():
    """Each derivative knows its own tangents: nested, in other threads, overlapping in time, or leaked."""
    start = threading.Barrier(2, timeout=20)

    def meeting(n):
        def f(x):
            start.wait()
            y = x**n
            start.wait()
            return y

        return dd.derivative(f)(3.0)

    def nested(x):
        return dd.derivative(lambda x: x * dd.derivative(lambda y: x + y)(1.0))(x)

    leaked = []
    with ThreadPoolExecutor(8) as pool:
        assert [6.0, 27.0] == list(pool.map(meeting, [2, 3]))
        assert [1.0] * 400 == list(pool.map(nested, np.linspace(1.0, 2.0, 400)))
        worker = lambda x: x * pool.submit(dd.derivative(lambda y: x + y), 1.0).result()
        assert 1.0 == dd.derivative(worker)(2.0)
    inner = lambda x: dd.derivative(lambda y: leaked.append(x * y) or y)(2.0)
    assert 2.0 == dd.derivative(lambda x: inner(x) * 0 + leaked[0])(5.0)


def returned(x):
    """Return nothing, as a forgotten return does."""


DROPPED = {
    "float(x)": lambda x: x * float(x),
    "math.sin(x)": math.sin,
    "int(x)": lambda x: x * int(x),
    "np.float64(x)": lambda x: x * np.float64(x),
    "np.asarray(x, float)": lambda x: np.asarray([x, x], float).sum(),
    "out[0] = x": lambda x: np.zeros(2).__setitem__(0, x),
    "out[0] = x, whole numbers": lambda x: np.zeros(2, int).__setitem__(0, x),
    "out=": lambda x: np.sin(x, out=np.zeros(())),
    "y += x": lambda x: operator.iadd(np.zeros(2), x),
    "a forgotten return": returned,
    "text": "{}".format,
    "a generator": lambda x: (x for _ in range(2)),
    "hash": hash,
    "modulus": lambda x: pow(x, 3, 5),
}


@pytest.mark.parametrize("f", DROPPED.values(), ids=DROPPED)
def test_nothing_is_dropped_in_silence(f):
    """What would lose the tangent, or has none, is an error."""
    with pytest.raises(TypeError):
        dd.derivative(f)(2.0)
    with pytest.raises(TypeError):
        dd.jacobian(lambda s, t: f(s))(2.0, 3.0)


def test_what_goes_in_and_comes_out():
    """Whole points become floats, float32 stays, containers keep their structure, the caller's array its numbers."""
    mine = np.array([1.0, 2.0])
    narrow = dd.derivative(lambda x: 2.5 * x + 1)(np.float32(3))

    def spoiling(x):
        x[0] = 7.0 * x[1]
        return x

    assert 6.0 == dd.derivative(lambda x: x**2)(3)
    assert (np.float32, 2.5) == (type(narrow), narrow)
    assert [1.0, 4.0] == list(dd.derivative(lambda x: np.array([x, x * x]))(2.0))
    assert {"a": 4.0, "b": (1.0, 0.0)} == dd.derivative(lambda x: {"a": x * x, "b": (x, 1.0)})(2.0)
    assert [[0.0, 7.0], [0.0, 1.0]] == dd.jacobian(spoiling)(mine).tolist()
    assert [1.0, 2.0] == list(mine)
    assert [[0.0, 0.0]] * 3 == dd.jacobian(lambda x: np.ones(3))(mine).tolist()
    assert [0.0, 4.0] == list(dd.gradient(lambda v: np.sum(v * v, where=np.array([False, True])))(mine))
    assert 6j == dd.derivative(lambda z: z * z)(3j)
    with pytest.raises(ValueError, match="complex differentiable"):
        dd.derivative(np.conjugate)(3j)
