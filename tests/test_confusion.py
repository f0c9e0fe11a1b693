"""No perturbation is taken for another: nested, curried, leaked, copied, interleaved, in threads, after exceptions."""

import contextlib
import copy
import functools
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

import dualdiff as dd
from dualdiff.tag import OUTERMOST

D = dd.derivative
X = np.array([0.7, -0.4])


def approx(expected):
    """Return what equals `expected` to the last digits."""
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


# --- nested ---------------------------------------------------------------------------------------------------------


def test_the_classic():
    """d/dx [x · d/dy (x + y)] = 1 (Siskind & Pearlmutter 2005), with 2 where tangents are confused."""
    assert D(lambda x: x * D(lambda y: x + y)(1.0))(1.0) == 1.0
    assert D(lambda x: x * D(lambda y: x + y)(x))(1.0) == 1.0
    assert D(lambda x: x * D(lambda y: x * y)(2.0))(3.0) == 6.0
    assert D(lambda x: D(lambda y: x)(x))(1.0) == 0.0
    assert D(lambda x: D(lambda y: x * y * y)(x))(3.0) == 12.0
    assert D(lambda x: x + D(lambda x: x * x)(x))(1.0) == 3.0
    assert dd.gradient(lambda x: x[0] * dd.jacobian(lambda y: x * y)(X)[1, 1])(X).tolist() == [X[1], X[0]]


def test_a_constant_of_an_inner_derivative_may_be_infinite():
    """What does not move with y has the derivative 0, be it infinite and moving with x."""
    with np.errstate(all="ignore"):
        assert D(lambda x: D(lambda y: 1 / x)(1.0) + x)(0.0) == 1.0
        assert D(lambda x: D(lambda y: y + np.log(x))(1.0) * x)(0.0) == 1.0
        assert D(lambda x: dd.jacobian(lambda y: np.stack([y, np.log(x)]))(1.0)[1] + x)(0.0) == 1.0


# Each computes ∂f/∂y at (x, y) by another transform.
SLOPES = {
    "derivative": lambda f, x, y: D(lambda y: f(x, y))(y),
    "argnums": lambda f, x, y: D(lambda u, *, v: f(u, v), "v")(x, v=y),
    "value_and_derivative": lambda f, x, y: dd.value_and_derivative(f, 1)(x, y)[1],
    "gradient": lambda f, x, y: dd.gradient(lambda v: f(x, v[0]) + 0 * v[1])(np.stack([y, 1.0]))[0],
    "gradient of many": lambda f, x, y: dd.gradient(lambda v: f(x, np.sum(v)))([y, 0, 0, 0, 0, 0])[3],
    "jacobian": lambda f, x, y: dd.jacobian(lambda v: np.array([v[0], f(x, v[1])]))([y, y])[1, 1],
    "jacobian of pairs": lambda f, x, y: dd.jacobian(lambda v: [f(x, v[1]), v[0]], chunk_size=None)([y, y])[0][1],
    "jvp": lambda f, x, y: dd.jvp(lambda y: f(x, y), y, 1.0)[1],
    "jvp along x": lambda f, x, y: dd.jvp(f, (x, y), (0.0, x))[1] / x,
    "derivatives": lambda f, x, y: dd.derivatives(lambda y: f(x, y), 2)(y)[1],
    "hvp": lambda f, x, y: dd.hvp(lambda v: v[1] * f(x, v[0]))(np.stack([y, 0.0]), np.array([0.0, 1.0]))[0],
    "hessian": lambda f, x, y: dd.hessian(lambda u, v: u * f(x, v))(0.0, y)[0, 1],
    "dict": lambda f, x, y: dd.gradient(lambda p: f(x, p["y"][0]))({"y": (y,)})["y"][0],
}  # fmt: skip


@pytest.mark.parametrize("outer", SLOPES)
@pytest.mark.parametrize("inner", SLOPES)
def test_every_transform_in_every_other(outer, inner):
    """∂²/∂y∂x by each pair of transforms, also where the point of the one is the variable of the other."""
    f = lambda x, y: np.sin(x * y) * x + y**3 * x * x
    x, y = 0.6, 1.1

    mixed = SLOPES[outer](lambda y, x: SLOPES[inner](f, x, y), y, x)
    assert mixed == approx(2 * x * np.cos(x * y) - x * x * y * np.sin(x * y) + 6 * y * y * x)
    diagonal = SLOPES[outer](lambda _, t: SLOPES[inner](f, t, t), 1.0, x)
    s, c = np.sin(x * x), np.cos(x * x)
    assert diagonal == approx(2 * x * c - 2 * x**3 * s + 12 * x**3)  # d/dt [t² cos t² + 3 t⁴]


@pytest.mark.parametrize("order", range(1, 7))
def test_deep_nesting(order):
    """Derivatives of derivatives, one inside the other, equal the closed forms up to order 6."""
    nest = lambda f: functools.reduce(lambda g, _: D(g), range(order), f)
    t = 0.8

    assert nest(lambda t: np.exp(-2 * t))(t) == approx((-2) ** order * np.exp(-2 * t))
    assert nest(np.sin)(t) == approx(np.sin(t + order * np.pi / 2))
    assert nest(lambda t: 1 / (1 - t))(0.5) == approx(2.0 ** (order + 1) * np.prod(range(1, order + 1)))
    assert nest(np.log)(t) == approx(-((-1) ** order) * np.prod(range(1, order), dtype=float) / t**order)
    assert dd.derivatives(lambda t: t**6.5, order)(t)[-1] == approx(
        np.prod(6.5 - np.arange(order)) * t ** (6.5 - order)
    )


def test_six_variables_nested():
    """∂⁶/∂a∂b∂c∂d∂e∂g of a product of closures, each derivative taken inside the one before."""
    nest = lambda v, n: np.exp(v) if n == 0 else D(lambda x: nest(v * x, n - 1))(1.0)

    assert nest(1.0, 6) == approx(203 * np.e)  # (u d/du)⁶ eᵘ at u = 1: the sixth Bell number


def test_in_a_loop_and_in_recursion():
    """Newton's method, which differentiates in a loop, has a derivative; f may call the derivative of itself."""

    def root(a):
        g = lambda x: x * x - a
        return functools.reduce(lambda x, _: x - g(x) / D(g)(x), range(8), 1.0)

    def f(t, depth=3):
        return t * t if depth == 0 else t * D(lambda s: f(s, depth - 1))(t)

    assert D(root)(2.0) == approx(0.5 / np.sqrt(2))
    assert D(D(root))(2.0) == approx(-0.25 / 2**1.5)
    assert D(f)(3.0) == approx(8 * 2 * 3.0)  # t·d/dt keeps t² and doubles it: f = 8 t²
    assert [D(lambda t, k=k: t**k)(2.0) for k in range(4)] == [0.0, 1.0, 4.0, 12.0]


# --- functions that return functions --------------------------------------------------------------------------------


def test_the_amazing_bug():
    """The derivative of a curried shift is d/dx itself, applied once, twice or thrice (Manzyuk et al. 2019)."""
    shift = lambda u: lambda f: lambda x: f(x + u)
    hat = D(shift)(0.0)

    assert hat(np.exp)(1.0) == approx(np.e)
    assert hat(hat(np.sin))(0.4) == approx(-np.sin(0.4))
    assert hat(hat(hat(np.sin)))(0.4) == approx(-np.cos(0.4))
    assert D(hat(np.sin))(0.4) == approx(-np.sin(0.4))
    assert D(lambda v: hat(lambda x: v * np.sin(x))(v))(0.4) == approx(np.cos(0.4) - 0.4 * np.sin(0.4))
    assert [g(2.0) for g in map(hat, (np.square, lambda x: x**3))] == [4.0, 12.0]


@pytest.mark.parametrize("ask", [D, dd.gradient, dd.jacobian, lambda f: lambda x: dd.jvp(f, x, 1.0)])
def test_curried_functions(ask):
    """Where f returns a function its derivative does too, and each call of that asks anew."""
    f = lambda x: lambda y: lambda z: x * x * y + z

    g = ask(f)(3.0)(2.0)
    slope = lambda answer: answer[1] if isinstance(answer, tuple) else answer
    assert slope(g(5.0)) == 12.0
    assert slope(g(z=7.0)) == 12.0
    assert D(lambda y: slope(ask(f)(3.0)(y)(0.0)))(2.0) == 6.0
    assert D(lambda x: slope(ask(f)(x)(2.0)(0.0)))(3.0) == 4.0
    assert D(lambda x: D(lambda y: f(x)(y)(1.0))(2.0))(3.0) == 6.0


# --- duals that leak ------------------------------------------------------------------------------------------------


def leaked_numbers():
    """Yield the Duals of derivatives that have returned, from wherever they can be kept."""
    kept, holder, buffer = [], threading.local(), np.empty(1, dtype=object)

    def f(x):
        kept.extend([x, lambda: x])
        holder.x = x * 1.0
        buffer[0] = x
        return x * x

    for ask in (D(f), dd.gradient(f), dd.jacobian(f, chunk_size=None), dd.derivatives(f, 2)):
        ask(2.0)
        yield from (kept[-2], kept[-1](), holder.x, buffer[0])
    with contextlib.suppress(ZeroDivisionError):
        D(lambda x: (kept.append(x), 1 // 0))(2.0)
    yield kept[-1]


LEAKED = list(leaked_numbers())


@pytest.mark.parametrize("leaked", LEAKED)
def test_leaked_numbers_are_constants(leaked):
    """A Dual that outlives its derivative is a constant: in its tangent, its repr, and in every later derivative."""
    plain = dd.stop_gradient(leaked)

    assert plain == 2.0
    assert leaked.tangent == 0.0 or leaked.value.tangent == 0.0
    assert "1.0" not in repr(leaked)
    assert D(lambda x: leaked)(3.0) == 0.0
    assert D(lambda x: x * leaked)(3.0) == 2.0
    assert D(lambda x: D(lambda y: leaked * y * x)(1.0))(3.0) == 2.0
    assert dd.jacobian(lambda x: [x, leaked, leaked * x])(3.0).tolist() == [1.0, 0.0, 2.0]
    assert dd.derivatives(lambda x: leaked * x**2, 2)(3.0) == (18.0, 12.0, 4.0)
    assert dd.jvp(lambda x: np.stack([x, leaked]), 3.0, 1.0)[1].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("leaked", LEAKED)
def test_leaked_numbers_as_points(leaked):
    """At a leaked Dual, along one, or with one as an argument, a derivative is what it is at a number."""
    for found in (
        D(np.square)(leaked), dd.jvp(np.square, 2.0, leaked)[1] / 2, dd.jvp(np.square, leaked, 1.0)[1],
        D(lambda x, c: x * c, 0)(1.0, leaked) * 2, D(lambda x, c: x * c, 0)(1.0, c=leaked) * 2,
        dd.hessian(lambda x: x**3 / 3)(leaked), dd.gradient(np.square)(leaked), dd.derivatives(np.square, 1)(leaked)[1],
    ):  # fmt: skip
        assert found == 4.0
        assert repr(found) in {"4.0", "Dual(4.0, 0.0)", "np.float64(4.0)"}
        assert getattr(found, "tangent", 0.0) == 0.0


def test_leaked_arrays_and_views():
    """Arrays that leaked, views of them and buffers written by a finished derivative are constants too."""
    kept = []

    def f(x):
        buffer = np.zeros_like(x)
        buffer[:1] = x[:1] ** 2
        kept.extend([x, x[:1], buffer, x.T, x[0]])
        return np.sum(buffer)

    for chunk_size in (1, None):
        dd.jacobian(f, chunk_size=chunk_size)(X)
    for leaked in kept:
        assert not np.any(leaked.tangent)
        assert np.shape(leaked.tangent) == np.shape(leaked)
        assert not np.any(dd.jacobian(lambda x: leaked + 0.0 * x[0])(X))  # noqa: B023 - called at once
        assert D(lambda t: np.sum(leaked * t))(1.0) == approx(np.sum(dd.stop_gradient(leaked)))  # noqa: B023


def fill(buffer, x):
    """Write the first of x into a buffer."""
    buffer[0] = x[0]
    return buffer


def test_a_leak_from_inside_to_outside():
    """What leaks from an inner derivative still moves with the outer one, exactly once."""
    kept = []

    def inner(x):
        D(lambda y: kept.append(x * y) or y)(2.0)
        return kept[-1]

    assert D(lambda x: inner(x))(3.0) == 2.0
    assert D(lambda x: inner(x) * x)(3.0) == 12.0
    assert D(lambda x: D(lambda y: kept.append(x * y) or kept[-1] * y)(5.0) + kept[-1])(3.0) == 15.0


def test_buffers_filled_by_derivatives():
    """A derivative may be taken while a buffer is filled, and may write to buffers of the outer one."""

    def f(x):
        table = np.zeros_like(x)
        for i in range(2):
            table[i] = D(lambda y, i=i: x[i] ** 2 * y**3)(x[1 - i])
        D(lambda y: fill(table[1:], np.stack([y * x[0]])) and y)
        return table

    (a, b), x = X, X
    assert dd.jacobian(f)(x) == approx(np.array([[6 * a * b * b, 6 * a * a * b], [6 * b * b * a, 6 * b * a * a]]))


# --- overlapping in time --------------------------------------------------------------------------------------------


def test_generators():
    """Derivatives that a generator takes one by one, while others run and it holds on to their Duals."""

    def slopes(x):
        for k in range(4):
            yield D(lambda y, k=k: x**k * y)(2.0)

    def f(x):
        mine, other = slopes(x), slopes(1.0)
        return sum(a + D(lambda z, b=b: next(mine, 0.0) * z + b)(1.0) for a, b in zip(mine, other, strict=False))

    assert D(lambda x: sum(slopes(x)))(3.0) == 1 + 6 + 27
    assert D(f)(3.0) == 1 + 6 + 27
    held = []
    D(lambda x: held.append(slopes(x)) or x)(3.0)
    assert [float(dd.stop_gradient(s)) for s in held[0]] == [1.0, 3.0, 9.0, 27.0]
    lazy = D(lambda x: held.append(x * y for y in (x, x)) or next(held[-1]))(3.0)
    assert lazy == 6.0
    assert D(lambda z: z * next(held[-1]))(1.0) == 9.0


def test_two_derivatives_overlap():
    """Two threads, each inside its derivative while the other one's runs, exchange Duals and get their own slopes."""
    barrier, shared = threading.Barrier(2, timeout=20), {}

    def f(x, me):
        shared[me] = x
        barrier.wait()
        y = x * x * dd.stop_gradient(shared[1 - me])
        barrier.wait()
        inner = D(lambda t: t * x)(2.0)
        barrier.wait()
        return y + inner * x

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda me: D(lambda x: f(x, me))(3.0 + me), (0, 1)))
    assert found == [2 * 3 * 4 + 2 * 3, 2 * 4 * 3 + 2 * 4]


def test_another_threads_dual_is_a_constant():
    """A live Dual of another thread's derivative does not move with this one, and goes on to move with its own."""
    go, done, seen = threading.Event(), threading.Event(), []

    def theirs(x):
        seen.append(x)
        go.set()
        done.wait(20)
        return x * x

    with ThreadPoolExecutor(1) as pool:
        slope = pool.submit(D(theirs), 5.0)
        go.wait(20)
        here = [dd.stop_gradient(D(f)(1.0)) for f in (lambda t: seen[0], lambda t: t * 2, lambda t: t * seen[0])]
        done.set()
        assert (here, slope.result()) == ([0.0, 2.0, 5.0], 10.0)


def test_eight_threads():
    """8 threads × 200 nested derivatives, started together, none wrong."""
    barrier = threading.Barrier(8, timeout=30)

    def work(seed):
        barrier.wait()
        wrong = 0
        for k in range(200):
            a = 1.0 + (seed * 200 + k) / 1000
            wrong += D(lambda x: x * D(lambda y: x * y * y)(x))(a) != approx(6 * a * a)
            wrong += D(lambda x: x * D(lambda y: x + y)(x))(a) != 1.0
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [0] * 8


def test_inner_derivative_in_a_worker_thread():
    """An inner derivative computed by another thread that captures the outer Dual."""
    with ThreadPoolExecutor(2) as pool:
        assert D(lambda x: x * pool.submit(D(lambda y: x + y), 1.0).result())(1.0) == 1.0
        rows = lambda x: list(pool.map(lambda k: D(lambda y: x[k] * y * y)(x[0]), range(2)))
        assert dd.jacobian(rows)(X) == approx(np.array([[4 * X[0], 0.0], [2 * X[1], 2 * X[0]]]))


# --- exceptions, copies, hands --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [D, dd.gradient, dd.jacobian, dd.hessian, lambda f: dd.derivatives(f, 2)])
def test_an_exception_inside(ask):
    """An inner derivative that fails leaves nothing behind: the outer one goes on as if it had not been."""

    def f(x):
        kept = []
        with contextlib.suppress(ZeroDivisionError):
            ask(lambda y: kept.append(x * y) or 1 // 0)(2.0)
        return x * kept[0]

    assert D(f)(3.0) == 12.0
    assert D(D(f))(3.0) == 4.0


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("chunk_size", [1, None])
def test_copies_inside(duplicate, chunk_size):
    """A copy of a live Dual, also by pickle, moves as its original does, at every level of nesting."""
    assert D(lambda x: duplicate(x) * x)(3.0) == 6.0
    assert D(lambda x: D(lambda y: duplicate(x * y) * duplicate([y])[0])(2.0))(3.0) == 4.0
    assert dd.jacobian(lambda x: duplicate(x) * x[0], chunk_size=chunk_size)(X) == approx(
        np.array([[2 * X[0], 0.0], [X[1], X[0]]])
    )
    kept = []
    D(lambda x: kept.append(pickle.dumps(x)) or x)(3.0)
    assert D(lambda x: x * pickle.loads(kept[0]))(2.0) == 3.0


def test_duals_made_by_hand():
    """A user's Dual is a constant to every derivative, and carries its own tangent through it; it never dies."""
    d = dd.Dual(2.0, 1.0)
    found = D(lambda x: x * x * d)(3.0)

    assert (found.value, found.tangent) == (12.0, 6.0)
    found = D(lambda t: t**3)(d)
    assert (found.value, found.tangent) == (12.0, 12.0)
    assert D(lambda x: d)(3.0) == 0.0
    assert (dd.gradient(lambda x: x @ x * d)(X).tangent == 2 * X).all()
    assert D(lambda x: (x * d).value)(3.0) == 0.0
    assert (d * d).tangent == 4.0


def test_tags_are_ordered_by_age():
    """The newest tag is the active one; user-made Duals have the oldest."""
    tags = [OUTERMOST]
    D(lambda x: tags.append(x._tag) or D(lambda y: tags.append(y._tag) or x * y)(1.0))(1.0)

    assert all(a.key < b.key for a, b in pairwise(tags))
    assert [True, False, False] == [tag.alive for tag in tags]


def test_duals_are_no_keys():
    """A cache keyed by value would return stale tangents, so a Dual cannot be a key."""
    cached = functools.lru_cache(lambda x: x * x)

    for f in (cached, lambda x: {x: 1.0}[x], lambda x: {x}):
        for ask, at in ((D, 2.0), (dd.gradient, 2.0), (dd.jacobian, X)):
            with pytest.raises(TypeError, match="unhashable"):
                ask(f)(at)
    assert D(lambda x: x * cached(dd.stop_gradient(x)))(3.0) == 9.0
