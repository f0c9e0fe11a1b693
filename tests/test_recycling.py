"""Large arrays in recycled memory give what small ones give, to the bit, and nothing held is ever written over."""

import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import dualdiff as dd
from dualdiff.dual import recycling
from dualdiff.dual.formulas import pushforward_formula
from dualdiff.rules.book import RULES, Line

N = recycling.LARGE
X = np.random.default_rng(0).uniform(0.2, 0.8, N)
V = np.random.default_rng(1).normal(size=N)
LINES = [line for line in RULES.values() if isinstance(line, Line) and line.function is not np.ldexp]


def in_pieces(f, *arrays):
    """Return value and tangent of an elementwise f from arrays too small to be recycled."""
    pieces = [dd.jvp(f, (x,), (v,)) for x, v in zip(*(np.array_split(a, 4) for a in arrays), strict=True)]
    return tuple(np.concatenate(parts) for parts in zip(*pieces, strict=True))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.function.__name__)
def test_every_line(line):
    """Each line of the table is the same large and small, whichever operand moves."""
    ways = [line.function] if len(line.partials) == 1 else [
        lambda x: line.function(x, 0.7), lambda x: line.function(1.3, x), lambda x: line.function(x, x * x + 0.1),
    ]  # fmt: skip
    if line.function is np.arccosh:
        ways = [lambda x: np.arccosh(x + 1.0)]
    for f in ways:
        for large, small in zip(dd.jvp(f, X, V), in_pieces(f, X, V), strict=True):
            np.testing.assert_allclose(large, small, rtol=4e-16, atol=0)  # SIMD loops may end in other lanes


def test_what_is_held_stays():
    """Values, tangents and views that f keeps are as they were when later steps have recycled what it let go."""
    kept = []

    def f(x):
        y = np.sin(x)
        kept.append((y, y[::2], y.value, y.value.copy(), y.tangent.copy()))
        for _ in range(40):
            z = np.exp(-x * x) * np.cos(x) + np.log1p(x)
        kept.append((z, None, z.value, z.value.copy(), z.tangent.copy()))
        for _ in range(40):
            x = np.tanh(x) / (1 + x * x)
        for one, half, view, value, tangent in kept:
            assert_array_equal(view, value)
            assert_array_equal(one.tangent, tangent)
            if half is not None:
                assert_array_equal(half.value, value[::2])
        return x

    first, second = dd.jvp(f, X, V), None
    held = first[0].copy(), first[1].copy()
    kept.clear()
    second = dd.jvp(f, X, V)
    assert_array_equal(held, first)
    assert_array_equal(held, second)


def test_memory_is_recycled():
    """A long chain takes no more buffers than it holds at a time, and they are given back at its end."""
    workspace = recycling.Workspace()
    held = [workspace.take((N,)) for _ in range(3)]
    assert 3 == len({id(b) for b in held})
    one = id(held.pop())
    assert one == id(workspace.take((N,)))
    assert [workspace.take((N + i,)).shape for i in range(40)][-1] == (N + 39,)
    assert len(workspace.buffers) <= 16

    tags = []
    dd.jvp(lambda x: tags.append(x._tag) or np.sin(np.sin(x)), X, V)
    assert tags[0].workspace is None


def test_threads_share_a_derivative():
    """Two threads that work on one derivative never take the same buffer."""
    expected = dd.jvp(lambda x: np.exp(np.sin(x)) * x, X, V)[1]

    def f(x):
        found = [None] * 4

        def work(i):
            for _ in range(5):
                found[i] = np.exp(np.sin(x)) * x

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return np.stack(found)

    for tangent in dd.jvp(f, X, V)[1]:
        assert_array_equal(expected, tangent)


def test_infinite_slopes_in_recycled_memory():
    """The strong zero holds there too, and NaN where there is no value."""
    x, v = X.copy(), V.copy()
    x[:3], v[:3] = [0.0, 0.0, -1.0], [0.0, 1.0, 1.0]
    with np.errstate(invalid="ignore"):
        _, dy = dd.jvp(np.sqrt, x, v)

    assert_array_equal([0.0, np.inf, np.nan], dy[:3])
    assert_array_equal(0.5 / np.sqrt(x[3:]) * v[3:] - dy[3:] < 1e-15, True)


def test_formulas_that_are_not_ufuncs_alone():
    """What chooses has no straight line, and is evaluated as written."""
    formula = pushforward_formula(RULES[np.hypot], (True, True))

    assert recycling.straight_line(formula, ["x", "y", "z", "dx", "dy"]) is None


def test_the_callers_arrays_are_copied_before_they_are_written():
    """Large or small, point and direction stay the caller's; a result that f passes through is its own."""
    for n in (4, N):
        x, v = X[:n].copy(), V[:n].copy()

        def f(p):
            q = p[1:]
            p[0] = 2.0 * p[1]
            q *= 3.0
            return p

        y, dy = dd.jvp(f, x, v)
        assert_array_equal(X[:n], x)
        assert_array_equal(V[:n], v)
        assert_array_equal(np.concatenate([2 * x[1:2], 3 * x[1:]]), y)
        assert_array_equal(np.concatenate([2 * v[1:2], 3 * v[1:]]), dy)
        same, moved = dd.jvp(lambda p: p, x, v)
        same[0], moved[0] = 7.0, 7.0
        assert_array_equal(X[:n], x)
        assert_array_equal(V[:n], v)
