"""The questions asked of f: what comes back, of which shape and type, at how many runs, right to the last digits."""

import contextlib
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes

import dualdiff as dd

ULP = np.finfo(float).eps
POINTS = np.concatenate([np.linspace(-7.0, 7.0, 57), [1e-8, -1e-3, 30.5]])
CHUNKS = (1, 2, 3, 7, None)


def polar(s, t):
    """Return the point in the plane at distance s and angle t."""
    return np.stack([s * np.cos(t), s * np.sin(t)])


def polar_jacobian(s, t):
    """Return d(polar)/d(s, t), by hand."""
    return np.array([[np.cos(t), -s * np.sin(t)], [np.sin(t), s * np.cos(t)]])


def rosenbrock(x):
    """Return the banana valley of several variables."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


class Counted:
    """A function that counts how often it runs."""

    def __init__(self, f):
        self.f = f
        self.runs = 0

    def __call__(self, *args, **kwargs):
        """Run f."""
        self.runs += 1
        return self.f(*args, **kwargs)


def same(expected, actual, rel=1e-13):
    """Tell whether two arrays agree in shape and to the last digits."""
    np.testing.assert_allclose(actual, expected, rtol=rel, atol=rel)
    return np.shape(expected) == np.shape(actual)


# --- one number -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", POINTS)
def test_the_example_of_the_lecture(t):
    """d/dt [sin²t + 2 cos t] = 2 sin t (cos t − 1): to 4 ulp of the terms it is the sum of."""
    exact = 2 * mpmath.sin(t) * (mpmath.cos(t) - 1)
    terms = abs(2 * np.sin(t) * np.cos(t)) + abs(2 * np.sin(t))

    for f in (lambda t: np.sin(t) ** 2 + 2 * np.cos(t), lambda t: dd.sin(t) * dd.sin(t) + 2 * dd.cos(t)):
        for found in (dd.derivative(f)(t), dd.derivative(f)(np.array([t]))[0]):
            assert abs(float(exact - found)) <= 4 * ULP * terms


CLOSED = {
    "polynomial": (lambda t: 3 * t**4 - t / 2 + 7, lambda m, t: 3 * t**4 - t / 2 + 7),
    "quotient": (lambda t: np.exp(t) / (1 + t * t), lambda m, t: m.exp(t) / (1 + t * t)),
    "chain": (lambda t: np.log1p(np.sqrt(t + np.tanh(t) ** 2)), lambda m, t: m.log1p(m.sqrt(t + m.tanh(t) ** 2))),
    "power": (lambda t: t**t, lambda m, t: t**t),
    "arctan": (lambda t: np.arctan2(t, 2.0) * np.hypot(t, 1.0), lambda m, t: m.atan2(t, 2) * m.sqrt(t * t + 1)),
    "loop": (lambda t: sum(t**k / (k + 1) for k in range(6)), lambda m, t: sum(t**k / (k + 1) for k in range(6))),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("t", [0.3, 1.7])
def test_against_high_precision(name, t):
    """Value, first and second derivative agree with 40-digit differentiation."""
    f, exact = CLOSED[name]
    with mpmath.workdps(40):
        expected = [float(mpmath.diff(lambda x: exact(mpmath, x), mpmath.mpf(t), n)) for n in range(3)]

    assert dd.derivatives(f, 2)(t) == pytest.approx(expected, rel=1e-13)
    assert dd.value_and_derivative(f)(t) == pytest.approx(tuple(expected[:2]), rel=1e-14)
    assert dd.derivative(dd.derivative(f))(t) == pytest.approx(expected[2], rel=1e-13)


@pytest.mark.parametrize("name", CLOSED)
def test_against_differences(name):
    """The slope agrees with central differences in long double, extrapolated (Richardson, Romberg)."""
    f, t = CLOSED[name][0], np.longdouble(1.3)
    step = np.longdouble(0.01)
    rows = [(f(t + step / 2**k) - f(t - step / 2**k)) / (2 * step / 2**k) for k in range(5)]
    for order in range(1, 5):
        rows = [b + (b - a) / (4**order - 1) for a, b in pairwise(rows)]

    assert dd.derivative(f)(1.3) == pytest.approx(float(rows[0]), rel=1e-13)


@given(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
@settings(max_examples=25, deadline=None)
def test_derivative_of_points_has_their_shape(shape):
    """An array of points gives one slope for each, also no point at all."""
    t = np.linspace(0.1, 1.0, int(np.prod(shape))).reshape(shape)

    assert same(2 * t + np.cos(t), dd.derivative(lambda t: t * t + np.sin(t))(t))
    assert same(np.zeros(shape), dd.derivative(lambda t: np.ones(np.shape(t)))(t))


def test_derivative_has_the_shape_of_the_result():
    """A curve has a velocity; f runs once for it, whatever it returns."""
    curve = Counted(lambda t: np.array([[np.cos(t), np.sin(t)], [t, 1.0]]))

    assert same([[-np.sin(0.4), np.cos(0.4)], [1.0, 0.0]], dd.derivative(curve)(0.4))
    assert curve.runs == 1


def test_derivatives_run_f_once():
    """All derivatives up to an order come from one run, as floats."""
    f = Counted(lambda t: np.exp(2 * t))

    found = dd.derivatives(f, 5)(0.0)
    assert (1.0, 2.0, 4.0, 8.0, 16.0, 32.0) == found
    assert {float} == set(map(type, found))
    assert f.runs == 1
    assert same(4 * np.exp([0.0, 2.0]), dd.derivatives(f, 2)(np.array([0.0, 1.0]))[2])
    assert same(np.array([0.0, 2.0]), dd.derivatives(lambda t: np.stack([t, t * t]), 2)(3.0)[2])


# --- shapes of the Jacobian -----------------------------------------------------------------------------------------


@given(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), array_shapes(min_dims=0, max_dims=2, min_side=0))
@settings(max_examples=40, deadline=None)
def test_jacobian_shape_is_out_then_in(inside, out):
    """jacobian(f)(x) has shape f(x).shape + x.shape, never squeezed; every chunk_size gives the same numbers."""
    rng = np.random.default_rng(0)
    weights, x = rng.standard_normal(out + inside), rng.standard_normal(inside)
    f = lambda x: np.sum(weights * np.sin(x), axis=tuple(range(len(out), len(out) + len(inside))))

    for chunk_size in CHUNKS:
        assert same(weights * np.cos(x), dd.jacobian(f, chunk_size=chunk_size)(x))


@pytest.mark.parametrize("shape", [(), (0,), (2,), (2, 3), (1, 1), (2, 0)])
def test_gradient_and_hessian_shapes(shape):
    """The gradient has x's shape and the Hessian x.shape twice, also where there is nothing in x."""
    x = np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)
    f = lambda x: np.sum(np.sin(x) * np.sum(x))
    c, s = np.cos(x), np.sin(x)
    flat = np.add.outer(c.ravel(), c.ravel()) - np.diag((s * np.sum(x)).ravel())

    assert same(c * np.sum(x) + np.sum(s), dd.gradient(f)(x))
    assert same(flat.reshape(shape + shape), dd.hessian(f)(x))


@pytest.mark.parametrize("chunk_size", CHUNKS)
@pytest.mark.parametrize("f", [lambda x: 2 * x, np.sum, lambda x: np.zeros((2, 3)), lambda x: (x, 1.0)])
def test_no_input_at_all(f, chunk_size):
    """Of an x of size 0 the Jacobian has no columns, and f still runs once to say how many rows."""
    x = np.zeros((0, 2))
    expected = [(*np.shape(y), 0, 2) for y in (f(x) if isinstance(f(x), tuple) else (f(x),))]

    counted = Counted(f)
    found = dd.jacobian(counted, chunk_size=chunk_size)(x)
    assert expected == [np.shape(J) for J in (found if isinstance(found, tuple) else (found,))]
    assert counted.runs == 1


@pytest.mark.parametrize("m", [1, 2, 5])
def test_jacobian_of_two_numbers_is_m_by_2(m):
    """df/d(s, t) of m outputs is m×2: columns are s and t."""
    f = lambda s, t: np.stack([s**k * np.sin(t) for k in range(1, m + 1)])
    expected = [[k * 1.5 ** (k - 1) * np.sin(0.3), 1.5**k * np.cos(0.3)] for k in range(1, m + 1)]

    assert same(expected, dd.jacobian(f)(1.5, 0.3))
    assert same(polar_jacobian(1.5, 0.3), dd.jacobian(polar)(1.5, 0.3))
    assert same([np.sin(0.3), 1.5 * np.cos(0.3)], dd.jacobian(lambda s, t: s * np.sin(t))(1.5, 0.3))


def test_vectors_stand_side_by_side():
    """Numbers and 1-D arrays as arguments are columns side by side, in their order, also empty ones."""
    A, u, v = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0]), np.array([0.5])
    f = lambda u, s, v: A @ u * s + v

    assert same(np.column_stack([2.0 * A, A @ u, [1.0, 1.0]]), dd.jacobian(f)(u, 2.0, v))
    assert same(np.column_stack([2.0 * A, A @ u]), dd.jacobian(lambda u, s, v: A @ u * s)(u, 2.0, np.zeros(0)))
    assert same([[0, 0, 1], [0, 0, 0], [1, 0, 2]], dd.hessian(lambda r, s, t: t * (t + r) + s)(1.0, 2.0, 3.0))
    assert same([3.0, 1.0, 7.0], dd.gradient(lambda r, s, t: t * (t + r) + s)(1.0, 2.0, 3.0))


@pytest.mark.parametrize(("n", "chunk_size", "passes"), [
    (7, 1, [1] * 7), (7, 2, [1, 2, 2, 2]), (7, 3, [2, 2, 3]), (7, 5, [3, 4]), (7, 7, [7]), (7, 50, [7]), (7, None, [7]),
])  # fmt: skip
def test_how_often_f_runs(n, chunk_size, passes):
    """By default f runs once per input; with chunk_size=k in ⌈n/k⌉ passes, as even as can be."""
    seen = []

    def f(x):
        seen.append(len(x.tangent) if x.tangent.ndim == 2 else 1)
        return x[::-1] * x

    J = dd.jacobian(f, chunk_size=chunk_size)(np.arange(1.0, n + 1))
    assert passes == sorted(seen)
    assert same(dd.jacobian(f)(np.arange(1.0, n + 1)), J)


def test_the_value_costs_no_extra_run():
    """value_and_jacobian, jvp and a derivative run f as often as the derivative needs."""
    f = Counted(polar)

    y, J = dd.value_and_jacobian(f)(1.5, 0.3)
    assert f.runs == 2
    assert same(polar(1.5, 0.3), y)
    assert same(polar_jacobian(1.5, 0.3), J)
    y, dy = dd.jvp(f, (1.5, 0.3), (2.0, -1.0))
    assert f.runs == 3
    assert same(polar_jacobian(1.5, 0.3) @ [2.0, -1.0], dy)
    assert same(polar_jacobian(1.5, 0.3)[:, 0], dd.value_and_derivative(f, 0)(1.5, 0.3)[1])
    assert f.runs == 4


def test_many_inputs_together():
    """A gradient that carries its directions together agrees with one that goes one by one, to the last digits."""
    x = np.linspace(-1.0, 1.0, 300)
    expected = np.zeros(300)
    expected[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    expected[1:] += 200 * (x[1:] - x[:-1] ** 2)

    assert same(expected, dd.gradient(rosenbrock)(x), 1e-12)
    assert same(expected, dd.jacobian(rosenbrock)(x), 1e-12)
    assert same(dd.hessian(rosenbrock)(x[:9]) @ x[:9], dd.hvp(rosenbrock)(x[:9], x[:9]), 1e-12)


# --- which arguments move, and what rides along ---------------------------------------------------------------------


def weighted(s, t, *, k=1.0):
    """Return k·s²·t."""
    return k * s * s * t


@pytest.mark.parametrize(("argnums", "expected"), [
    (0, 12.0), (1, 9.0), (-1, 9.0), (-2, 12.0), ("s", 12.0), ("t", 9.0), ((0, 1), (12.0, 9.0)), (("t", 0), (9.0, 12.0)),
    ((1,), (9.0,)), (np.int64(1), 9.0), ("k", 18.0), (("k", "t", 0), (18.0, 9.0, 12.0)),
])  # fmt: skip
def test_argnums(argnums, expected):
    """Arguments are named by position, also from the end, by parameter or by keyword; a tuple gives a tuple."""
    for transform in (dd.derivative, dd.gradient, dd.jacobian):
        assert expected == transform(weighted, argnums=argnums)(3.0, 2.0, k=1.0)
    for transform in (dd.value_and_derivative, dd.value_and_gradient, dd.value_and_jacobian):
        assert (18.0, expected) == transform(weighted, argnums=argnums)(3.0, 2.0, k=1.0)


def test_argnums_of_a_hessian():
    """Blocks of second derivatives, a tuple of tuples for a tuple."""
    assert dd.hessian(weighted, argnums=0)(3.0, 2.0) == 4.0
    assert ((4.0, 6.0), (6.0, 0.0)) == dd.hessian(weighted, argnums=(0, "t"))(3.0, 2.0)
    assert (18.0, ((0.0, 6.0), (6.0, 4.0))) == dd.value_and_hessian(weighted, argnums=(-1, 0))(3.0, 2.0)
    assert same([[4.0, 6.0], [6.0, 0.0]], dd.hessian(weighted)(3.0, 2.0))


def test_one_argument_named_twice():
    """The same argument asked for twice is answered twice, or refused, but never given as 0."""
    for argnums in ((0, 0), (0, -2), ("s", 0)):
        for transform in (dd.derivative, dd.jacobian, dd.gradient):
            with contextlib.suppress(ValueError):
                assert (12.0, 12.0) == transform(weighted, argnums=argnums)(3.0, 2.0)


def test_keywords_are_constants():
    """What is given by keyword does not move, unless argnums names it."""
    assert same([60.0, 45.0], dd.jacobian(weighted)(3.0, 2.0, k=5.0))
    assert dd.derivative(weighted, "k")(s=3.0, t=2.0, k=5.0) == 18.0
    assert dd.derivative(lambda x, flag, text=None: x**2 if flag else x, 0)(3.0, True, text="a") == 6.0


TRANSFORMS = {
    "derivative": (dd.derivative, dd.value_and_derivative), "gradient": (dd.gradient, dd.value_and_gradient),
    "jacobian": (dd.jacobian, dd.value_and_jacobian), "hessian": (dd.hessian, dd.value_and_hessian),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_aux_rides_along(name):
    """With has_aux the second result of f comes back untouched, and never moves."""
    plain, with_value = TRANSFORMS[name]
    note, slope, f = {"text": ["a", None], "object": object()}, 12.0, lambda x: (x**3, note)  # 3x² is 6x at 2

    assert (slope, note) == plain(f, has_aux=True)(2.0)
    assert ((8.0, note), slope) == with_value(f, has_aux=True)(2.0)
    assert plain(f, has_aux=True)(2.0)[1]["object"] is note["object"]
    _, kept = plain(lambda x: (x**3, {"half": x / 2, "both": np.array([x, 1.0])}), has_aux=True)(2.0)
    assert (1.0, [2.0, 1.0], float) == (kept["half"], list(kept["both"]), type(kept["both"][0] + kept["half"]))


def test_aux_of_the_others():
    """jvp, hvp and derivatives have has_aux too."""
    f = lambda x: (x**3, "aux")

    assert (8.0, 12.0, "aux") == dd.jvp(f, 2.0, 1.0, has_aux=True)
    assert (12.0, "aux") == dd.hvp(f, has_aux=True)(2.0, 1.0)
    assert ((8.0, 12.0, 12.0), "aux") == dd.derivatives(f, 2, has_aux=True)(2.0)


def test_stop_gradient():
    """What is stopped is a constant, at every level, in containers and in every transform."""
    assert dd.derivative(lambda t: t * dd.stop_gradient(t))(3.0) == 3.0
    assert dd.derivative(dd.derivative(lambda t: t**2 * dd.stop_gradient(t)))(3.0) == 6.0
    assert same(np.diag([2.0, 5.0]), dd.jacobian(lambda x: x * dd.stop_gradient(x))(np.array([2.0, 5.0])))
    assert same([3.0, 0.0], dd.gradient(lambda s, t: s * dd.stop_gradient({"t": (t,)})["t"][0])(2.0, 3.0))


# --- numbers of other types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [3, True, np.int8(3), np.array([1, 2]), np.array([True, False]), [1, 2], np.array(3)])
def test_whole_numbers_become_floats(x):
    """Ints and bools are points and directions like any others."""
    along = dd.jvp(np.square, x, np.ones(np.shape(x), int))[1]
    for slope in (dd.derivative(np.square)(x), dd.gradient(lambda x: np.sum(x * x))(x), along):
        assert same(2.0 * np.asarray(x), slope)
        assert np.asarray(slope).dtype == float


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_other_floats_stay_what_they_are(dtype):
    """Value and derivative have the type of the point, with Python's numbers in the formula and in the direction."""
    x, t = np.array([1.0, 2.0], dtype), dtype(2)
    f = lambda x: 2.5 * x * x + 1
    g = lambda x: np.sum(f(x))
    found = [
        *dd.derivatives(f, 2)(t), dd.derivative(f)(t), dd.derivative(lambda x: 3 * x)(t), dd.derivative(f)(x),
        dd.jacobian(f)(x), dd.jacobian(f, chunk_size=2)(x), dd.gradient(g)(x), dd.hessian(g)(x), dd.hvp(f)(t, 1.0),
        *dd.jvp(f, (x,), (np.array([1, 0]),)), *dd.jvp(f, (t,), (1.0,)), *dd.jvp(f, (x,), ([1.0, 0.0],)),
    ]  # fmt: skip

    assert [np.dtype(dtype)] * len(found) == [np.asarray(y).dtype for y in found]


def test_complex_points():
    """At a complex point a holomorphic f has one derivative; jvp takes any f, along any direction."""
    z, v = np.array([1 + 2j, 0.5 - 1j]), np.array([1j, 2 - 1j])

    assert dd.derivative(lambda z: z**3)(1 + 2j) == 3 * (1 + 2j) ** 2
    assert same(np.diag(np.exp(z)), dd.jacobian(np.exp)(z))
    assert same(1j * np.exp(0.5j), dd.derivative(lambda t: np.exp(1j * t))(0.5))  # real in, complex out
    assert same(np.conj(v), dd.jvp(np.conj, (z,), (v,))[1])
    assert same(np.real(np.conj(z) * v) / abs(z), dd.jvp(np.abs, (z,), (v,))[1])
    assert same(np.cos(z), dd.derivatives(np.sin, 1)(z)[1])


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9])
@pytest.mark.parametrize("f", [np.conj, np.real, np.abs, lambda z: z + 1e-6 * np.conj(z), lambda z: z * np.conj(z)])
def test_complex_without_a_derivative(f, scale):
    """What is not complex differentiable is refused, be it large or small, and told of jvp."""
    g = lambda z: scale * f(z)

    for ask in (dd.derivative(g), dd.jacobian(g), dd.derivatives(g, 1), dd.value_and_derivative(g)):
        with pytest.raises(ValueError, match=r"complex differentiable.* Use jvp\(f, z, v\)"):
            ask(1 + 2j)
    with pytest.raises((ValueError, TypeError), match=r"jvp\(f, z, v\)"):
        dd.gradient(lambda z: np.real(g(z)))(1 + 2j)


@pytest.mark.parametrize("constant", [3, True, np.float32(1), np.inf, 1j, np.ones((2, 3)), [1, 2]])
def test_constant_results(constant):
    """What does not move has the derivative 0, of the right shape."""
    f, shape = lambda *_: constant, np.shape(constant)

    assert same(np.zeros(shape), dd.derivative(f)(1.0))
    assert same(np.zeros(shape), dd.jvp(f, (1.0,), (1.0,))[1])
    assert same(np.zeros(shape), dd.derivatives(f, 2)(1.0)[2])
    for chunk_size in CHUNKS:
        assert same(np.zeros((*shape, 4)), dd.jacobian(f, chunk_size=chunk_size)(np.ones(4)))
    assert same(np.zeros(4), dd.gradient(lambda x: 3)(np.ones(4)))
    assert same(np.zeros((2, 2)), dd.hessian(lambda s, t: s)(1.0, 2.0))


# --- SciPy asks -----------------------------------------------------------------------------------------------------


def test_scipy_minimize_and_least_squares():
    """value_and_gradient fits minimize(jac=True), hessian its hess, and jacobian the jac of least_squares."""
    optimize = pytest.importorskip("scipy.optimize")
    t = np.linspace(0.0, 2.0, 12)
    decay = lambda p, t, y: p[0] * np.exp(-p[1] * t) - y
    y = decay([3.0, 1.5], t, 0.0)

    both = dd.value_and_gradient(rosenbrock)
    for method, hess in (("BFGS", None), ("trust-exact", dd.hessian(rosenbrock))):
        found = optimize.minimize(both, np.zeros(4), method=method, jac=True, hess=hess, tol=1e-9)
        assert same(np.ones(4), found.x, 1e-5)
    fit = optimize.least_squares(decay, [1.0, 1.0], jac=dd.jacobian(decay, 0), args=(t, y))
    assert same([3.0, 1.5], fit.x, 1e-7)
    root = optimize.root_scalar(dd.value_and_derivative(lambda t: np.cos(t) - t), x0=1.0, fprime=True).root
    assert np.cos(root) == pytest.approx(root)
