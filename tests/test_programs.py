"""Programs as people write them, with elements kept, swapped and written over, against differences."""

import copy
import functools
import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dualdiff as dd

X = np.array([1.3, 0.7, 2.1, 0.4, 1.9, 1.1])


def swapped(x):
    """Exchange two elements in place, as pivoting does."""
    x[0], x[1] = x[1], x[0]
    return x @ np.arange(1.0, len(x) + 1)


def kept(x):
    """Keep an element, write over it, and use what was kept."""
    first = x[0]
    x[0] = 0.0
    return 10 * first + np.sum(x)


def listed(x):
    """Take the elements out, by iteration and by tolist, before the array is emptied."""
    out = [v for v in x] + x.tolist() + [x.item(2), x.flat[3]]  # noqa: C416
    x *= 0
    return sum(v * v for v in out) + np.sum(x)


def gauss(x):
    """Solve a 3×3 system by elimination with pivoting, written out."""
    A = np.zeros_like(x, shape=(3, 4))
    for i, j in itertools.product(range(3), range(4)):
        A[i, j] = np.sin(x[(i * 2 + j) % 6] * (i + 1)) + (j == (i + 1) % 3) * 3.0
    for k in range(3):
        p = k + int(np.argmax(np.abs(A[k:, k])))
        for j in range(4):
            A[k, j], A[p, j] = A[p, j], A[k, j]
        for i in range(k + 1, 3):
            A[i] -= A[i, k] / A[k, k] * A[k]
    y = [0.0, 0.0, 0.0]
    for i in (2, 1, 0):
        y[i] = (A[i, 3] - sum(A[i, j] * y[j] for j in range(i + 1, 3))) / A[i, i]
    return y[0] * y[1] + y[2]


def leapfrog(x):
    """Take a few steps of an oscillator, in place, remembering where it was."""
    for _ in range(5):
        before = x[0]
        x[0] += 0.1 * x[1]
        x[1] -= 0.1 * np.sin(before) * x[2]
    return x[0] * x[1]


def filtered(x):
    """Run a recursive filter over the samples."""
    out, previous = np.zeros_like(x), x[0]
    for i in range(len(x)):
        out[i] = 0.7 * previous + 0.3 * x[i]
        previous = out[i]
    return np.sum(out**2)


def sorted_by_bubbles(x):
    """Sort in place by exchanges, and weigh by rank."""
    for n in range(len(x), 1, -1):
        for i in range(n - 1):
            if x[i] > x[i + 1]:
                x[i], x[i + 1] = x[i + 1], x[i]
    return np.sum(x * np.arange(len(x)) ** 2)


def heated(x):
    """Let heat flow along a rod through slices written in place."""
    u = x.copy()
    for _ in range(4):
        u[1:-1] += x[0] * 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
        u = u.copy()
    return np.sum(u * u)


def viewed(x):
    """Write through views of views."""
    y = np.concatenate([x, x * x])
    table = y.reshape(3, 4)
    table[1] *= table[0]
    table.T[2:] -= 1.0
    return np.sum(y * np.arange(12))


PROGRAMS = [swapped, kept, listed, gauss, leapfrog, filtered, sorted_by_bubbles, heated, viewed]


def slopes(f, x, h=1e-3):
    """Return the gradient by central differences, extrapolated twice."""
    found = []
    for direction in np.eye(len(x)):
        table = [(f(x + h / 2**k * direction) - f(x - h / 2**k * direction)) / (2 * h / 2**k) for k in range(3)]
        for order in (4, 16):
            table = [(order * b - a) / (order - 1) for a, b in itertools.pairwise(table)]
        found.append(table[0])
    return np.array(found)


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradient_of_a_program(f):
    """One direction a pass, several, and the gradient's own choice agree with differences of the plain program."""
    at = X.copy()
    expected = slopes(lambda x: float(f(x.copy())), at)

    assert_allclose(dd.gradient(f)(at), expected, rtol=1e-8, atol=1e-8)
    for chunk_size in (1, 2, None):
        assert_allclose(dd.jacobian(f, chunk_size=chunk_size)(at), expected, rtol=1e-8, atol=1e-8)
    assert_allclose(X, at, rtol=0)


@pytest.mark.parametrize("f", PROGRAMS)
def test_hessian_of_a_program(f):
    """Second derivatives are the differences of the first, and symmetric."""
    expected = np.array([slopes(lambda x, i=i: dd.gradient(f)(x)[i], X) for i in range(len(X))])
    found = dd.hessian(f)(X)

    assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert_allclose(found, found.T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("f", PROGRAMS)
def test_a_program_along_one_number(f):
    """The program of a number that spreads into an array has its second derivative along that number."""
    along = lambda t: f(np.array([0.1, 0.2, -0.1, 0.3, -0.2, 0.15]) * t + X)
    _, first, second = dd.derivatives(along, 2)(0.3)

    assert_allclose(first, slopes(lambda t: float(along(t[0])), np.array([0.3]))[0], rtol=1e-8, atol=1e-8)
    assert_allclose(second, slopes(lambda t: dd.derivative(along)(t[0]), np.array([0.3]))[0], rtol=1e-6, atol=1e-6)


def outer_in_a_view(s):
    """Write a number of the outer derivative into a slice of an array of the inner one."""

    def inner(x):
        b = x * 1.0
        kept, part = b[1:3], b[2:4]
        part *= s
        return np.sum(b * b) + kept[1]  # which sees what was written

    return np.sum(dd.gradient(inner)(np.ones(6)))


def test_views_follow_when_their_memory_widens():
    """What is written through one view is seen through every other, tangents of other derivatives included."""
    # per written element: d/dx (s x)² = 2 s², and the view adds s once; so the sum is 8 + 4 s² + s
    assert 8 * 2.0 + 1.0 == dd.derivative(outer_in_a_view)(2.0)


def test_values_are_not_to_be_written_to():
    """What is taken as a constant is no way into the array that it was taken from."""

    def by_value(x):
        v = x.value
        v -= 1.0
        return np.sum(x)

    with pytest.raises(ValueError, match="read-only"):
        dd.gradient(by_value)(X)

    def by_stopping(x):
        c = dd.stop_gradient(x)
        c *= 0.0
        return np.sum(x * x)

    assert_allclose(dd.gradient(by_stopping)(X), 2 * X)


def test_object_arrays_of_complex_numbers():
    """NumPy would give wrong parts of them without asking, so they are refused, and np.stack is the way out."""
    waves = lambda t: [np.exp(1j * t), 1j * t]

    with pytest.raises(dd.DroppedTangentError, match=r"np\.stack"):
        dd.derivative(lambda t: np.array(waves(t)).imag)(1.0)
    assert_allclose(dd.derivative(lambda t: np.stack(waves(t)).imag)(1.0), [np.cos(1.0), 1.0])
    assert_allclose(dd.derivative(lambda t: np.linalg.norm(np.stack(waves(t))))(1.0), 0.5**0.5)
    assert_allclose(dd.derivatives(lambda t: abs((1 + 1j) * t) ** 2, 2)(1.0), (2.0, 4.0, 4.0))


def test_copies_stay_copies():
    """What NumPy copies, a write does not reach."""

    def spoiling(spoil):
        def f(x):
            spoil(x)
            return np.sum(x * x)

        return f

    for copied in (
        lambda x: np.clip(x, None, None), lambda x: np.cumprod(x[:1]), lambda x: np.meshgrid(x, sparse=True)[0],
        np.array, copy.deepcopy, lambda x: x.flatten(), lambda x: +x, lambda x: x + 0,
    ):  # fmt: skip
        assert_allclose(dd.gradient(spoiling(lambda x, copied=copied: copied(x).__imul__(0.0)))(X), 2 * X)
    with pytest.raises(ValueError, match="read-only"):  # NumPy's would be x itself
        dd.gradient(spoiling(lambda x: np.asarray(x).__imul__(0.0)))(X)


def test_arguments_by_name_in_any_order():
    """The array may be named behind the rest."""
    x = np.array([0.3, 1.7, 2.2])

    assert_allclose(dd.jacobian(lambda x: np.roll(shift=1, a=x))(x), np.roll(np.eye(3), 1, axis=0))
    assert_allclose(dd.jacobian(lambda x: np.repeat(repeats=2, a=x))(x), np.repeat(np.eye(3), 2, axis=0))
    assert_allclose(dd.gradient(lambda x: np.sum(axis=None, a=np.expand_dims(axis=0, a=x) ** 2))(x), 2 * x)


def test_out_wherever_it_stands():
    """A buffer given by position or by name receives value and tangent, also of what does not move."""
    A = np.arange(9.0).reshape(3, 3)

    def f(x):
        buffer = np.zeros_like(x)
        np.dot(A, x, buffer)
        joined = np.concatenate([x, x], 0, np.zeros(6, like=x))
        return np.sum(buffer**2) + np.sum(joined) + np.sum(np.floor(x + 0.0, out=np.zeros_like(x)))

    x = np.array([0.3, 1.7, 2.2])
    assert_allclose(dd.gradient(f)(x), 2 * A.T @ (A @ x) + 2.0)


def test_functions_of_many_kinds():
    """partial, methods, lambdas in dicts, recursion and generators inside f are all the same to a tangent."""

    class Well:
        depth = 3.0

        def energy(self, x):
            return self.depth * np.sum(np.cos(x))

    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    table = {"sine": lambda x: sum(np.sin(v) for v in x)}

    assert_allclose(dd.gradient(Well().energy)(X), -3.0 * np.sin(X))
    assert_allclose(dd.derivative(functools.partial(power, n=5))(1.5), 5 * 1.5**4)
    assert_allclose(dd.gradient(table["sine"])(X), np.cos(X))


def written_by_an_inner_derivative(x):
    """Let an inner derivative write into an array of the outer one, and go on with it afterwards."""
    v = x.copy()
    part = v[:2]
    inner = dd.derivative(lambda t: (v.__setitem__(0, t * x[1]), t * t)[1])(0.5)
    part[1] = part[1] * x[2]
    v[3] = v[0] * v[1]
    np.ravel(v)[4] = v[3]
    return np.sum(v * v) * inner


def test_arrays_that_an_inner_derivative_wrote_into():
    """What it wrote is a constant to it, and moves with the outer derivative as it did."""

    def plainly(x):
        v = x.copy()
        v[0] = 0.5 * x[1]
        v[1] = v[1] * x[2]
        v[3] = v[4] = v[0] * v[1]
        return np.sum(v * v)

    expected = slopes(plainly, X)
    assert_allclose(dd.gradient(written_by_an_inner_derivative)(X), expected, rtol=1e-9)
    for chunk_size in (1, 2, None):
        assert_allclose(dd.jacobian(written_by_an_inner_derivative, chunk_size=chunk_size)(X), expected, rtol=1e-9)
    second = [slopes(lambda x, i=i: dd.gradient(plainly)(x)[i], X) for i in range(len(X))]
    assert_allclose(dd.hessian(written_by_an_inner_derivative)(X), second, rtol=1e-6, atol=1e-6)
    along = dd.derivative(lambda s: written_by_an_inner_derivative(s * X))(1.0)
    assert (float, True) == (type(along), bool(np.isclose(along, expected @ X)))


def test_long_chains_of_views():
    """A view of a view of a view … follows too."""

    def f(x):
        y = x.copy()
        u = y
        for _ in range(3000):
            u = u[:]
        dd.derivative(lambda t: (u.__setitem__(0, t * u[1]), t)[1])(0.5)
        return y[0]

    assert_allclose(dd.gradient(f)(np.array([1.0, 2.0])), [0.0, 0.5])


def test_points_whose_values_cancel():
    """Rounding noise is no mixing of points: f is pointwise whatever its digits are worth."""
    p = lambda x: x**7 - 7 * x**6 + 21 * x**5 - 35 * x**4 + 35 * x**3 - 21 * x**2 + 7 * x - 1

    for points in (1 + np.linspace(-1e-4, 1e-4, 9), (1 + np.linspace(-0.01, 0.01, 9)).astype(np.float32)):
        assert points.shape == dd.derivative(p)(points).shape
    assert_allclose(
        dd.derivative(lambda z: np.exp(z) * z)(np.array([3 - 1j], np.complex64)), np.exp(3 - 1j) * (4 - 1j), rtol=1e-5
    )
    for mixing in (np.cumsum, lambda x: x[::-1] * 2.0, lambda x: np.roll(x, 2), lambda x: x - np.mean(x)):
        with pytest.raises(ValueError, match="points act together"):
            dd.derivative(mixing)(np.arange(1.0, 8.0))
