"""Corners backward: what does not move contributes 0, whatever the slopes, and reverse mode answers as forward does."""

import itertools
import warnings
from math import inf, nan

import numpy as np
import pytest

import dualdiff as dd
from dualdiff.rules.book import RULES, Line

GRID = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, inf, -inf, nan, 1e300, -1e300, 1e-300, 5e-324]
LINES = [entry for entry in RULES.values() if isinstance(entry, Line)]
each_line = pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)


@pytest.fixture(autouse=True)
def quietly():
    """Let NumPy warn of the values at corners, which is its own affair."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def same(expected, actual, rtol=1e-12):
    """Tell whether two slopes agree, infinite and undefined ones too."""
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=0.0, equal_nan=True)
    return np.shape(expected) == np.shape(actual)


def by(function, place, others):
    """Return an elementwise function of the operand at one place."""
    return lambda x: function(*others[:place], x, *others[place + 1 :])


def grid(line):
    """Return every combination of the grid as operands; the second of ldexp is a whole number."""
    operands = [np.array(x) for x in zip(*itertools.product(GRID, repeat=len(line.partials)), strict=True)]
    return [operands[0], np.full(len(operands[0]), 2)] if line.function is np.ldexp else operands


# --- every line of the table, at ordinary and at singular points ------------------------------------------------------


@each_line
def test_every_line_backward(line):
    """At every point of the grid, alone or with the other operand, an operand has one slope in both modes."""
    operands = grid(line)
    moving = [0] if line.function is np.ldexp else range(len(operands))
    ones = np.ones(len(operands[0]))
    y, pullback = dd.vjp(lambda *x: line.function(*x, *operands[len(x) :]), *(operands[i] for i in moving))

    for i, together in zip(moving, pullback(np.ones_like(y)), strict=True):
        f = by(line.function, i, operands)
        forward = dd.jvp(f, operands[i], ones)[1]
        same(forward, together)
        same(forward, dd.vjp(f, operands[i])[1](ones)[0])
        same(forward, dd.gradient(lambda x: np.sum(f(x)), mode="reverse")(operands[i]))  # noqa: B023 - called at once
        same(forward, dd.linearize(f, operands[i])[1](ones))


@each_line
def test_every_line_backward_on_numbers(line):
    """The same of single numbers, whose slopes are computed by Python."""
    for point in zip(*grid(line), strict=True):
        point = [float(x) for x in point] if line.function is not np.ldexp else [float(point[0]), 2]  # noqa: PLW2901
        for i in range(1 if line.function is np.ldexp else len(point)):
            f = by(line.function, i, point)
            forward = dd.jvp(f, point[i], 1.0)[1]
            assert same(forward, dd.gradient(f, mode="reverse")(point[i])), point
            assert same(forward, dd.vjp(f, point[i])[1](1.0)[0]), point


@each_line
def test_a_cotangent_of_zero_stays_zero(line):
    """Where nothing is asked of a result, nothing comes back, be its slope infinite; only no value gives no slope."""
    operands = grid(line)
    for i in [0] if line.function is np.ldexp else range(len(operands)):
        y, pullback = dd.vjp(by(line.function, i, operands), operands[i])
        w = np.where(np.arange(len(y)) % 2, 1.0, 0.0)
        (found,) = pullback(w)
        assert (found[(w == 0) & ~np.isnan(y)] == 0).all()
        moved = dd.linearize(by(line.function, i, operands), operands[i])[1](w)
        assert (moved[(w == 0) & ~np.isnan(y)] == 0).all()


@each_line
def test_an_untaken_branch(line):
    """A branch that np.where does not take contributes nothing, backward as forward, on the whole grid."""
    operands = grid(line)
    for i in [0] if line.function is np.ldexp else range(len(operands)):
        f = by(line.function, i, operands)
        x = operands[i]
        for taken in (x > 0, np.isfinite(f(x)), x != x):
            expected = np.where(taken, dd.jvp(f, x, np.ones(len(x)))[1], 1.0)
            g = lambda x: np.where(taken, f(x), 5.0 + x)  # noqa: B023 - called at once
            same(expected, dd.gradient(lambda x: np.sum(g(x)), mode="reverse")(x))  # noqa: B023
            same(expected, dd.jvp(g, x, np.ones(len(x)))[1])


# --- the conventions of the design ------------------------------------------------------------------------------------


def written(y, index, item):
    """Return y with an item written at an index."""
    y[index] = item
    return y


def row(name, f, x, expected):
    """Return one convention: f at x has the gradient expected."""
    return pytest.param(f, np.array(x), np.array(expected), id=name)


# fmt: off
CONVENTIONS = [
    row("where sqrt", lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), [0.0, 4.0, -1.0], [0.0, 0.25, 0.0]),
    row("where log", lambda x: np.sum(np.where(x > 0, np.log(x), x)), [0.0, 4.0, -1.0], [1.0, 0.25, 1.0]),
    row("where 1/x", lambda x: np.sum(np.where(x != 0, 1 / x, 0.0)), [0.0, 2.0], [0.0, -0.25]),
    row("where x/norm", lambda x: np.sum(np.where(x != 0, x / np.linalg.norm(x), 0.0)), [0.0, 0.0], [0.0, 0.0]),
    row("where arctan2", lambda x: np.sum(np.where(x > 0, np.arctan2(x, 0 * x), x)), [0.0, 2.0], [1.0, 0.0]),
    row("select", lambda x: np.sum(np.select([x > 0, x < 0], [np.sqrt(x), np.log(-x)], 0.0)), [0.0, 4.0, -2.0],
        [0.0, 0.25, -0.5]),
    row("masked elements", lambda x: np.sum(np.sqrt(x)[x > 0]), [0.0, 4.0], [0.0, 0.25]),
    row("masked write", lambda x: np.sum(written(np.log(x), x <= 0, 0.0)), [0.0, 4.0, -1.0], [0.0, 0.25, 0.0]),
    row("sum of a mask", lambda x: np.sum(np.sqrt(x), where=x > 0), [0.0, 4.0], [0.0, 0.25]),
    row("nan_to_num", lambda x: np.sum(np.nan_to_num(np.log(x))), [-1.0, 4.0, 0.0], [0.0, 0.25, 0.0]),
    row("not asked for", lambda x: np.log(x)[1], [-1.0, 4.0], [0.0, 0.25]),
    row("sqrt(x0) + x1", lambda x: np.sqrt(x[0]) + x[1], [0.0, 1.0, 2.0], [inf, 1.0, 0.0]),
    row("log(x0) + x1", lambda x: np.log(x[0]) + x[1], [-1.0, 1.0, 2.0], [nan, 1.0, 0.0]),
    row("norm at 0", np.linalg.norm, [0.0, 0.0], [0.0, 0.0]),
    row("norm of rows", lambda x: np.sum(np.linalg.norm(x, axis=1)), [[0.0, 0.0], [3.0, 4.0]], [[0.0, 0.0],
        [0.6, 0.8]]),
    row("norm(x)**2 at 0", lambda x: np.linalg.norm(x) ** 2, [0.0, 0.0], [0.0, 0.0]),
    row("norm of order 3 at 0", lambda x: np.linalg.norm(x, 3), [0.0, 0.0], [0.0, 0.0]),
    row("distances", lambda x: np.sum(np.sqrt(np.sum((x[:, None] - x) ** 2, -1))), [[0.0, 0.0], [3.0, 4.0]],
        [[-1.2, -1.6], [1.2, 1.6]]),
    row("hypot at 0", lambda x: np.hypot(x[0], x[1]), [0.0, -0.0], [0.0, 0.0]),
    row("std of equals", np.std, [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]),
    row("sqrt(x**4)", lambda x: np.sum(np.sqrt(x**4)), [0.0, 1.0], [0.0, 2.0]),
    row("sqrt(x0*x1)", lambda x: np.sqrt(x[0] * x[1]), [0.0, 0.0], [0.0, 0.0]),
    row("x**0", lambda x: np.sum(x**0 + x**0.0), [0.0, 2.0], [0.0, 0.0]),
    row("x**1.0", lambda x: np.sum(x**1.0), [0.0], [1.0]),
    row("x**y at 0, 2", lambda x: x[0] ** x[1], [0.0, 2.0], [0.0, 0.0]),
    row("x**y at 0, 0", lambda x: x[0] ** x[1], [0.0, 0.0], [0.0, -inf]),
    row("(-2)**3.0", lambda x: np.sum(x**3.0), [-2.0, 2.0], [12.0, 12.0]),
    row("(-2)**y", lambda x: x[0] ** x[1], [-2.0, 3.0], [12.0, nan]),
    row("x**inf", lambda x: np.sum(x**inf), [0.5], [0.0]), row("number**inf", lambda x: x[0] ** inf, [0.5], [0.0]),
    row("prod, one zero", np.prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    row("prod, two zeros", np.prod, [0.0, 0.0, 3.0], [0.0] * 3),
    row("cumprod", lambda x: np.cumprod(x)[-1], [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
    row("sinc", lambda x: np.sum(np.sinc(x)), [0.0, 1.0], [0.0, -1.0]),
    row("det, singular", np.linalg.det, [[0.0, 2.0], [0.0, 3.0]], [[3.0, 0.0], [-2.0, 0.0]]),
    row("det of 0", np.linalg.det, np.zeros((3, 3)), np.zeros((3, 3))),
    row("max, ties", np.max, [1.0, 2.0, 2.0], [0.0, 0.5, 0.5]),
    row("min, ties", np.min, [1.0, 1.0, 1.0, 1.0], [0.25] * 4),
    row("maximum, tie", lambda x: np.maximum(x[0], x[1]), [2.0, 2.0], [0.5, 0.5]),
    row("fmin, tie", lambda x: np.fmin(x[0], x[1]), [2.0, 2.0], [0.5, 0.5]),
    row("maximum of NaN", lambda x: np.maximum(x[0], x[1]), [nan, 2.0], [nan, nan]),
    row("fmax of NaN", lambda x: np.fmax(x[0], x[1]), [nan, 2.0], [0.0, 1.0]),
    row("abs", lambda x: np.sum(np.abs(x)), [0.0, -0.0, -3.0], [0.0, 0.0, -1.0]),
    row("relu", lambda x: np.sum(np.maximum(x, 0)), [0.0, 1.0], [0.5, 1.0]),
    row("clip", lambda x: np.sum(np.clip(x, 0, 1)), [0.0, 1.0, 0.5, 2.0], [0.5, 0.5, 1.0, 0.0]),
    row("interp", lambda x: np.sum(np.interp(x, [0, 1, 2], [0, 3, 4])), [0.0, 1.0, 2.0, 9.0], [1.5, 2.0, 0.5, 0.0]),
    row("copysign", lambda x: np.sum(np.copysign(x, -1.0)), [0.0, 2.0], [0.0, -1.0]),
    row("steps", lambda x: np.sum(np.floor(x) + np.sign(x) + x // 2 + x), [0.0, 2.0], [1.0, 1.0]),
    row("x % y", lambda x: x[0] % x[1], [6.0, 3.0], [1.0, -2.0]),
    row("fmod", lambda x: np.fmod(x[0], x[1]), [-7.0, 3.0], [1.0, 2.0]),
    row("arctan2(0, 0)", lambda x: np.arctan2(x[0], x[1]), [0.0, 0.0], [nan, nan]),
    row("log(-1)", lambda x: np.sum(np.log(x)), [-1.0, 4.0], [nan, 0.25]),
    row("1/x", lambda x: np.sum(1 / x), [0.0, -0.0, 2.0], [-inf, -inf, -0.25]),
    row("log, arcsin, cbrt", lambda x: np.log(x[0]) + np.arcsin(x[1]) + np.cbrt(x[2]), [0.0, 1.0, 0.0], [inf] * 3),
    row("arccos, arctanh", lambda x: np.arccos(x[0]) + np.arctanh(x[1]), [1.0, 1.0], [-inf, inf]),
    row("logaddexp, inf", lambda x: np.logaddexp(x[0], x[1]), [3.0, inf], [0.0, 1.0]),
    row("tanh, hypot far out", lambda x: np.tanh(x[0]) + np.hypot(x[1], 4e200), [1000.0, 3e200], [0.0, 0.6]),
    row("inf - x", lambda x: np.sum(inf - x), [1.0], [-1.0]),
    row("maximum, the larger", lambda x: np.sum(np.maximum(np.sqrt(x), 1.0)), [0.0, 4.0], [0.0, 0.25]),
    row("clip, far below", lambda x: np.sum(np.clip(np.log(x), -1, 2)), [0.0, 4.0], [0.0, 0.25]),
    row("max, far below", lambda x: np.max(np.log(x)), [0.0, 4.0], [0.0, 0.25]),
    row("sqrt(x - x)", lambda x: np.sum(np.sqrt(x - x)), [1.0, 4.0], [0.0, 0.0]),
    row("std, textbook", lambda x: np.sqrt(np.mean(x * x) - np.mean(x) ** 2), [1.0, 1.0], [0.0, 0.0]),
]
# fmt: on


@pytest.mark.parametrize(("f", "x", "expected"), CONVENTIONS)
def test_conventions(f, x, expected):
    """The convention holds forward and backward, alone, in a Jacobian of several rows, and for a Variable."""
    assert same(expected, dd.gradient(f, mode="forward")(x))
    assert same(expected, dd.gradient(f, mode="reverse")(x))
    for mode, chunk_size in itertools.product(("forward", "reverse", "auto"), (1, None)):
        two = dd.jacobian(lambda x: np.stack([f(x), x.flat[-1] + x.flat[-1]]), mode=mode, chunk_size=chunk_size)(x)
        assert same(expected, two[0])
        assert two[1].ravel().tolist() == [0.0] * (x.size - 1) + [2.0]
    variable = dd.Variable(x)
    np.sum(np.stack([f(variable)])).backward()
    assert same(expected, variable.grad)


@pytest.mark.parametrize(("outer", "inside", "chunk", "inner_chunk"), list(
    itertools.product(("forward", "reverse"), ("forward", "reverse"), (1, None), (1, None))
))  # fmt: skip
@pytest.mark.parametrize(("f", "expected"), [
    (lambda x: np.where(x > 0, np.sqrt(x), 0.0), [0.0, -1 / 32, -1 / 4]),
    (lambda x: np.where(x > 2, x**3, np.log(x + 1)), [-1.0, 24.0, -0.25]),
    (lambda x: np.where(x > 0, 1 / x, x * x), [2.0, 1 / 32, 2.0]), (lambda x: np.abs(x) ** 3, [0.0, 24.0, 6.0]),
    (lambda x: np.maximum(x, 0) ** 2 + np.where(x > 0, np.log(x), 0), [0.5, 2 - 1 / 16, 1.0]), (np.sinc, None),
])  # fmt: skip
def test_second_derivatives(f, expected, outer, inside, chunk, inner_chunk):
    """Untaken branches contribute nothing to a second derivative either, in every mix of modes."""
    x = np.array([0.0, 4.0, 1.0])
    expected = [-(np.pi**2) / 3, -1 / 8, 2.0] if expected is None else expected

    first = dd.jacobian(f, mode=inside, chunk_size=inner_chunk)
    second = dd.jacobian(first, mode=outer, chunk_size=chunk)(x)
    close = np.einsum("iii->i", second)
    np.testing.assert_allclose(close, expected, rtol=1e-12, atol=1e-12)
    assert np.count_nonzero(second) == np.count_nonzero(close)


def test_det_of_singular_matrices_twice():
    """The Hessian of det at the zero matrix of the plane, whose entries are ±1, in every mix of modes."""
    expected = np.zeros((2, 2, 2, 2))
    expected[0, 0, 1, 1] = expected[1, 1, 0, 0] = 1.0
    expected[0, 1, 1, 0] = expected[1, 0, 0, 1] = -1.0
    for outer, inside in itertools.product(("forward", "reverse"), repeat=2):
        assert same(expected, dd.jacobian(dd.gradient(np.linalg.det, mode=inside), mode=outer)(np.zeros((2, 2))))
