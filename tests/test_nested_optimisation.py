"""Searches inside searches, and derivatives of derivatives in every mix of modes, against closed forms."""

import itertools
import threading

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

import dualdiff as dd

BOTH = ("forward", "reverse")
PAIRS = tuple(itertools.product(BOTH, repeat=2))
TRIPLES = tuple(itertools.product(BOTH, repeat=3))
D = dd.derivative

A = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.0]])
B = np.array([[1.0, -0.5], [0.2, 0.8], [-0.3, 0.4]])
C = np.array([0.3, -0.7, 1.1])
START = np.array([0.5, -1.0, 0.25])
X = np.array([0.8, -1.3])
RATE, STEPS = 0.3, 4


def close(expected, found, rtol=1e-12):
    """Compare shape and numbers."""
    assert np.shape(expected) == np.shape(found)
    assert_allclose(found, expected, rtol=rtol, atol=rtol)


def filled(value, like):
    """Return a buffer that a value was written into."""
    out = np.zeros_like(like, shape=2)
    out[1] = value
    return out


# Each takes ∇f(y) of a scalar f of a vector in another way.
GRADIENTS = {
    "forward": lambda f, y: dd.gradient(f, mode="forward")(y),
    "reverse": lambda f, y: dd.gradient(f, mode="reverse")(y),
    "auto": lambda f, y: dd.gradient(f)(y),
    "value too": lambda f, y: dd.value_and_gradient(f, mode="reverse")(y)[1],
    "vjp": lambda f, y: dd.vjp(f, y)[1]()[0],
    "vjp of a vector": lambda f, y: dd.vjp(lambda y: np.stack([f(y), np.sum(y)]), y)[1](np.array([1.0, 0.0]))[0],
    "linearize": lambda f, y: np.stack([dd.linearize(f, y)[1](e) for e in np.eye(len(y))]),
    "jvp": lambda f, y: np.stack([dd.jvp(f, y, e)[1] for e in np.eye(len(y))]),
    "rows": lambda f, y: dd.jacobian(lambda y: np.stack([f(y), 2 * f(y)]), mode="reverse")(y)[0],
    "rows at once": lambda f, y: dd.jacobian(lambda y: [f(y), y[0]], mode="reverse", chunk_size=None)(y)[0],
    "columns": lambda f, y: dd.jacobian(f, mode="forward", chunk_size=1)(y),
    "columns at once": lambda f, y: dd.jacobian(f, mode="forward", chunk_size=None)(y),
    "buffer": lambda f, y: dd.jacobian(lambda y: filled(f(y), y), chunk_size=None)(y)[1],
    "hvp": lambda f, y: dd.hvp(lambda z: z[0] * f(z[1:]))(np.append(0.0, y), np.eye(len(y) + 1)[0])[1:],
    "hessian": lambda f, y: dd.hessian(lambda z: z[0] * f(z[1:]))(np.append(0.0, y))[0, 1:],
}  # fmt: skip


def descended(gradient, y, rate=RATE, steps=STEPS):
    """Return where some steps down a gradient lead."""
    for _ in range(steps):
        y = y - rate * gradient(y)
    return y


# --- a quadratic valley: y ← y − η (A y − B x) is affine, so its end is known ---------------------------------------


def valley(x):
    """Return y ↦ ½ yᵀA y − yᵀB x."""
    return lambda y: 0.5 * y @ (A @ y) - y @ (B @ x)


def end_by_hand(x, rate=RATE, steps=STEPS):
    """Return y_k = y* + Mᵏ (y₀ − y*), y* = A⁻¹ B x and M = 1 − η A, and its derivatives by x and by η."""
    M, goal = np.eye(3) - rate * A, np.linalg.solve(A, B)
    power = np.linalg.matrix_power(M, steps)
    by_rate = -steps * A @ np.linalg.matrix_power(M, steps - 1) @ (START - goal @ x)
    return goal @ x + power @ (START - goal @ x), (np.eye(3) - power) @ goal, by_rate


def distance(y):
    """Return ½ |y − c|²."""
    return 0.5 * np.sum((y - C) ** 2)


@pytest.mark.parametrize("outer", GRADIENTS)
@pytest.mark.parametrize("inner", GRADIENTS)
def test_descent_inside_a_gradient(inner, outer):
    """What moves the goal moves the end of the descent, in every mix of modes."""
    loss = lambda x: distance(descended(lambda y: GRADIENTS[inner](valley(x), y), START))
    end, J, _ = end_by_hand(X)

    close(distance(end), loss(X))
    close(J.T @ (end - C), GRADIENTS[outer](loss, X))


@pytest.mark.parametrize("outer", BOTH)
@pytest.mark.parametrize("inner", GRADIENTS)
def test_descent_has_a_jacobian(inner, outer):
    """All of dy_k/dx, and dy_k/dη: the size of the steps is a variable like any other."""
    end = lambda x, rate: descended(lambda y: GRADIENTS[inner](valley(x), y), START, rate)
    _, J, by_rate = end_by_hand(X)

    close(np.column_stack([J, by_rate]), dd.jacobian(end, mode=outer)(X, RATE))
    close(by_rate, dd.jacobian(end, argnums=1, mode=outer)(X, RATE))
    close(J, dd.jacobian(end, argnums=0, mode=outer, chunk_size=None)(X, RATE))


def in_place(x, inner):
    """Return the end of a descent that writes into its own array, and keeps the way it went."""
    y, way = np.zeros_like(x, shape=3), np.zeros_like(x, shape=(STEPS, 3))
    y[:] = START
    for k in range(STEPS):
        y -= RATE * GRADIENTS[inner](valley(x), y)
        way[k] = y
    return way


@pytest.mark.parametrize("outer", BOTH)
@pytest.mark.parametrize("inner", GRADIENTS)
def test_descent_in_place(inner, outer):
    """Steps written over the last ones, and into a table, keep every derivative."""
    expected = np.stack([end_by_hand(X, steps=k)[1] for k in range(1, STEPS + 1)])

    close(expected, dd.jacobian(lambda x: in_place(x, inner), mode=outer)(X))
    close(expected, dd.jacobian(lambda x: in_place(x, inner), mode=outer, chunk_size=None)(X))


# --- a descent inside a descent, and the rates of both --------------------------------------------------------------


def outer_descent(inner, outer, outer_rate, rate, x=X):
    """Return where three steps of the outer descent lead, each of whose losses runs the inner one."""
    loss = lambda x: distance(descended(dd.gradient(valley(x), mode=inner), START, rate))
    return descended(dd.gradient(loss, mode=outer), x, outer_rate, 3)


def outer_by_hand(outer_rate, rate, x=X):
    """Return x_3 of x ← x − α Jᵀ(J x + d − c), affine again, and its derivatives by α and by x₀."""
    end, J, _ = end_by_hand(x, rate)
    H, slope = J.T @ J, J.T @ (end - C)
    N = np.eye(2) - outer_rate * H
    power = np.linalg.matrix_power(N, 3)
    away = np.linalg.solve(H, slope)  # x₀ − x*
    return x - away + power @ away, -3 * H @ N @ N @ away, power


@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_descent_inside_a_descent(inner, outer):
    """Both descents together end where the closed form says."""
    close(outer_by_hand(0.4, RATE)[0], outer_descent(inner, outer, 0.4, RATE))


@pytest.mark.parametrize(("inner", "middle", "outer"), TRIPLES)
def test_three_levels(inner, middle, outer):
    """The end of the outer descent by its own rate, by its start and, by differences, by the rate of the inner one."""
    by_rate = dd.jacobian(lambda a: outer_descent(inner, middle, a, RATE), mode=outer)(0.4)
    by_start = dd.jacobian(lambda x: outer_descent(inner, middle, 0.4, RATE, x), mode=outer)(X)
    by_inner_rate = dd.jacobian(lambda r: outer_descent(inner, middle, 0.4, r), mode=outer)(RATE)
    ends = {h: outer_by_hand(0.4, RATE + h)[0] for h in (-2e-3, -1e-3, 1e-3, 2e-3)}
    slope = (8 * (ends[1e-3] - ends[-1e-3]) - (ends[2e-3] - ends[-2e-3])) / 12e-3

    close(outer_by_hand(0.4, RATE)[1], by_rate)
    close(outer_by_hand(0.4, RATE)[2], by_start)
    close(slope, by_inner_rate, rtol=1e-9)


@pytest.mark.parametrize(("inner", "middle", "outer"), TRIPLES)
def test_second_derivative_through_a_descent(inner, middle, outer):
    """The loss is quadratic in x, so its Hessian is JᵀJ, and Hessians by the rate too agree in every order."""
    loss = lambda x, r: distance(descended(dd.gradient(valley(x), mode=inner), START, r))
    slope = dd.gradient(loss, argnums=(0, 1), mode=middle)
    _, J, by_rate = end_by_hand(X)
    found = dd.jacobian(slope, argnums=(0, 1), mode=outer)(X, RATE)
    symmetric = dd.hessian(loss)(X, RATE)

    close(J.T @ J, found[0][0])
    close(found[1][0], found[0][1])
    close(symmetric[:2, 2], found[0][1])
    close(symmetric[2, 2], found[1][1])
    close((end_by_hand(X)[0] - C) @ by_rate, slope(X, RATE)[1])


# --- valleys that are not quadratic ---------------------------------------------------------------------------------


def bowl(x):
    """Return y ↦ Σ log cosh(y − B x) + ½ (y·y)² / 4, whose gradient is tanh(y − B x) + (y·y) y / 2."""
    return lambda y: np.sum(np.log(np.cosh(y - B @ x))) + np.dot(y, y) ** 2 / 8


def bowl_by_hand(x, rate=RATE):
    """Return the loss at the end of the descent by the gradient on paper, also for complex numbers."""
    return distance(descended(lambda y: np.tanh(y - B @ x) + np.dot(y, y) * y / 2, START, rate))


@pytest.mark.parametrize("outer", GRADIENTS)
@pytest.mark.parametrize("inner", GRADIENTS)
def test_descent_in_a_bowl(inner, outer):
    """Where no closed form is, an imaginary step through the descent by hand gives the slope."""
    loss = lambda z: distance(descended(lambda y: GRADIENTS[inner](bowl(z[:2]), y), START, z[2]))
    z, tiny = np.append(X, RATE), 1e-30
    expected = [bowl_by_hand(*np.split(z + 1j * tiny * e, [2])).imag / tiny for e in np.eye(3)]

    close(np.array(expected), GRADIENTS[outer](loss, z))


@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_descent_of_one_number(inner, outer):
    """Derivatives up to the third through a descent of one number, against 40 digits."""
    end = lambda x: descended(dd.gradient(lambda y: np.cosh(y - x) + x * y**4 / 4, mode=inner), 0.3, 0.2)
    with mpmath.workdps(40):
        exact = lambda x: descended(lambda y: mpmath.sinh(y - x) + x * y**3, mpmath.mpf(0.3), mpmath.mpf(0.2))
        expected = [float(mpmath.diff(exact, mpmath.mpf(0.7), n)) for n in range(4)]
    G = lambda f: dd.gradient(f, mode=outer)

    close(np.array(expected), np.array([end(0.7), G(end)(0.7), G(G(end))(0.7), G(G(G(end)))(0.7)]))
    close(expected[2], D(G(end))(0.7))
    close(expected[2], G(D(end))(0.7))
    close(np.array(expected), np.array(dd.derivatives(end, 3)(0.7)))


@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_stopped_gradients(inner, outer):
    """With the inner steps held fixed the outer gradient is the first-order one: y_k moves with y₀ alone."""
    still = lambda y, x: dd.stop_gradient(dd.gradient(bowl(x), mode=inner)(y))
    loss = lambda y: distance(descended(lambda y: still(y, X), y))
    end = descended(lambda y: np.tanh(y - B @ X) + np.dot(y, y) * y / 2, START)

    close(end - C, dd.gradient(loss, mode=outer)(START))
    moved = lambda x: distance(descended(lambda y: still(y, x), START))
    close(np.zeros(2), dd.gradient(moved, mode=outer)(X))


# --- implicit functions ---------------------------------------------------------------------------------------------


def newton(x, inner, outer):
    """Return the bottom of the bowl by Newton's method, its Hessian the Jacobian of the gradient."""
    gradient = dd.gradient(bowl(x), mode=inner)
    y = np.array([0.3, 0.2, 0.1])
    for _ in range(9):
        y = y - np.linalg.solve(dd.jacobian(gradient, mode=outer)(y), gradient(y))
    return y


def bottom_by_hand():
    """Return the bottom y* of the bowl, and dy*/dx = −g_yy⁻¹ g_yx, by the derivatives on paper."""
    y = np.array([0.3, 0.2, 0.1])
    for _ in range(50):
        bend = np.diag(1 / np.cosh(y - B @ X) ** 2)
        second = bend + np.dot(y, y) * np.eye(3) / 2 + np.outer(y, y)
        y = y - np.linalg.solve(second, np.tanh(y - B @ X) + np.dot(y, y) * y / 2)
    return y, np.linalg.solve(second, bend @ B)


@pytest.mark.parametrize(("inner", "middle", "outer"), TRIPLES)
def test_newton_inside(inner, middle, outer):
    """Newton's method differentiates into the implicit function theorem."""
    y, J = bottom_by_hand()

    close(y, newton(X, inner, middle))
    close(J, dd.jacobian(lambda x: newton(x, inner, middle), mode=outer)(X), rtol=1e-11)


@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_implicit_step(inner, outer):
    """One step of Newton's from the bottom, held still, has the derivative of the bottom itself."""
    y, J = bottom_by_hand()

    def bottom(x):
        gradient = dd.gradient(bowl(x), mode=inner)
        return y - np.linalg.solve(dd.stop_gradient(dd.jacobian(gradient, mode=outer)(y)), gradient(y))

    close(J, dd.jacobian(bottom, mode=outer)(X), rtol=1e-11)
    back = lambda w: dd.vjp(bottom, X)[1](w)[0]
    close(J.T @ C, back(C), rtol=1e-11)
    close(J.T, dd.jacobian(back, mode=outer)(C), rtol=1e-11)


@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_conjugate_gradients_inside(inner, outer):
    """Conjugate gradients on products of Jacobians end at the solution, and its derivative is the solution's."""

    def solved(x):
        r = B @ x
        y, p = 0.0 * r, r
        product = lambda p: dd.jvp(dd.gradient(valley(x), mode=inner), C, p)[1]
        for _ in range(3):
            step = r @ r / (p @ product(p))
            y, rest = y + step * p, r - step * product(p)
            p, r = rest + rest @ rest / (r @ r) * p, rest
        return y

    close(np.linalg.solve(A, B @ X), solved(X), rtol=1e-11)
    close(np.linalg.solve(A, B), dd.jacobian(solved, mode=outer)(X), rtol=1e-9)


def test_descents_in_threads():
    """Four threads, each a descent inside a descent in its own mix of modes, started together."""
    barrier, found = threading.Barrier(4, timeout=60), {}

    def work(inner, outer):
        barrier.wait()
        found[inner, outer] = [outer_descent(inner, outer, 0.4, RATE) for _ in range(5)]

    threads = [threading.Thread(target=work, args=pair) for pair in PAIRS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close(np.tile(outer_by_hand(0.4, RATE)[0], (4, 5, 1)), np.array([found[pair] for pair in PAIRS]))


# --- no perturbation is taken for another, whatever the modes -------------------------------------------------------

# Each takes f'(y) of one number in another way; some by derivatives of pullbacks and pushforwards, which are linear.
SLOPES = {
    "derivative": lambda f, y: D(f)(y),
    "forward": lambda f, y: dd.gradient(f, mode="forward")(y),
    "reverse": lambda f, y: dd.gradient(f, mode="reverse")(y),
    "jvp": lambda f, y: dd.jvp(f, y, 2.0)[1] / 2,
    "vjp": lambda f, y: dd.vjp(f, y)[1](2.0)[0] / 2,
    "linearize": lambda f, y: dd.linearize(f, y)[1](1.0),
    "vjp of linearize": lambda f, y: dd.vjp(dd.linearize(f, y)[1], 0.0)[1]()[0],
    "vjp of vjp": lambda f, y: dd.vjp(lambda w: dd.vjp(f, y)[1](w)[0], y)[1]()[0],
    "derivative of vjp": lambda f, y: D(lambda w: dd.vjp(f, y)[1](w)[0])(y),
    "reverse of linearize": lambda f, y: dd.gradient(dd.linearize(f, y)[1], mode="reverse")(y),
    "rows": lambda f, y: dd.jacobian(lambda y: [y, f(y)], mode="reverse", chunk_size=None)(y)[1],
    "operator": lambda f, y: dd.jacobian_operator(lambda y: f(y[0]), np.stack([y, y])).rmatvec(np.ones(1))[0],
    "buffer": lambda f, y: dd.jacobian(lambda y: filled(f(y[0]), y), chunk_size=None)(np.stack([y, y]))[1, 0],
}  # fmt: skip


@pytest.mark.parametrize("outer", SLOPES)
@pytest.mark.parametrize("inner", SLOPES)
def test_no_confusion(inner, outer):
    """d/dx [x · d/dy (x + y)] = 1, with 2 where tangents are confused, and its relatives."""
    inside, outside = SLOPES[inner], SLOPES[outer]

    assert outside(lambda x: x * inside(lambda y: x + y, 1.0), 1.0) == 1.0
    assert outside(lambda x: x * inside(lambda y: x + y, x), 1.0) == 1.0
    assert outside(lambda x: x * inside(lambda y: x * y, 2.0), 3.0) == 6.0
    assert outside(lambda x: inside(lambda y: x, x), 3.0) == 0.0
    assert outside(lambda x: inside(lambda y: x * y * y, x), 3.0) == 12.0
    close(np.cos(6.0) - 6 * np.sin(6.0), outside(lambda x: inside(lambda y: np.sin(x * y), 2.0), 3.0))


@pytest.mark.parametrize("outer", SLOPES)
@pytest.mark.parametrize("middle", SLOPES)
def test_no_confusion_of_three(middle, outer):
    """∂³/∂x∂y∂z of a product of sines, each variable also inside the other's derivative."""
    f = lambda x, y, z: np.sin(x) * np.sin(2 * y) * np.sin(3 * z) + x * y + y * z + x * z
    expected = 6 * np.cos(0.3) * np.cos(0.8) * np.cos(1.5)

    for inside in SLOPES.values():
        by_z = lambda x, y, inside=inside: inside(lambda z: f(x, y, z) * 1.0, 0.5)
        by_y = lambda x, by_z=by_z: SLOPES[middle](lambda y: by_z(x, y), 0.4)
        close(expected, SLOPES[outer](by_y, 0.3), rtol=1e-11)


@pytest.mark.parametrize("slope", SLOPES)
def test_what_leaves_its_derivative(slope):
    """A pullback or pushforward made inside a derivative moves with it there, and is a constant afterwards."""
    kept = []

    def f(x):
        _, pullback = dd.vjp(lambda y: x * y * y, x)
        _, pushforward = dd.linearize(lambda y: x * y * y, x)
        kept.extend([lambda c: pullback(c)[0], pushforward])
        D(lambda z: kept.append(lambda c: pullback(c * z)[0]) or z)(1.0)
        return pullback(x)[0] + pushforward(1.0)  # 2 x³ + 2 x²

    close(6 * 9.0 + 4 * 3.0, SLOPES[slope](f, 3.0))
    for linear in kept:
        assert float(dd.stop_gradient(linear(1.0))) == 18.0
        for way in SLOPES.values():
            close(18.0, dd.stop_gradient(way(linear, 5.0)))
            close(180.0, dd.stop_gradient(way(lambda c: linear(c) * c, 5.0)))  # noqa: B023 - called at once
            close(0.0, dd.stop_gradient(way(lambda c: linear(1.0), 5.0)))  # noqa: B023


@pytest.mark.parametrize("outer", SLOPES)
@pytest.mark.parametrize("inner", SLOPES)
def test_moving_cotangents(inner, outer):
    """d/dc d/dx [c · sin' x] by pullbacks and pushforwards that were made before, between and inside the two."""
    inside, outside = SLOPES[inner], SLOPES[outer]
    push = lambda x: dd.linearize(np.sin, x)[1]
    pull = lambda x: lambda c: dd.vjp(np.sin, x)[1](c)[0]

    for made in (push, pull):
        fixed = made(0.7)
        close(-np.sin(0.7), outside(lambda c: inside(lambda x: made(x)(c), 0.7), 2.0))  # noqa: B023
        close(-np.sin(0.7), outside(lambda x: inside(made(x), 2.0), 0.7))  # noqa: B023
        close(2 * np.cos(0.7), outside(lambda c: inside(lambda x: fixed(c) * x + fixed(x) * c, 3.0), 2.0))  # noqa: B023
        close(-2 * np.sin(0.7) * np.cos(0.7), outside(lambda x: inside(lambda c: made(x)(made(x)(c)), 5.0), 0.7))  # noqa: B023
