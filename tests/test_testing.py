"""dualdiff.testing: right rules are never refused, wrong ones are found, and words say which, where and how much."""

import functools

import numpy as np
import pytest

import dualdiff as dd
from dualdiff.rules.book import RULES, Line
from dualdiff.testing import check_derivatives

A = np.array([[2.0, 1.0, 0.3], [0.5, 3.0, -1.0], [0.2, -0.7, 1.5]])
X = np.array([0.3, 1.1, 0.7])

LINES = {
    entry.function.__name__: entry
    for entry in RULES.values()
    if isinstance(entry, Line) and entry.function.__module__ != "dualdiff.functions"
}
ARRAYS = {
    "sum": (lambda x: np.sum(x**2), X),
    "prod": (np.prod, X),
    "matmul": (lambda x: A @ x, X),
    "quadratic": (lambda x: x @ A @ x, X),
    "inverse": (lambda M: np.linalg.inv(M)[0], A),
    "solve": (np.linalg.solve, (A, X)),
    "det": (np.linalg.det, A),
    "norm": (np.linalg.norm, X),
    "flip": (lambda x: np.flip(x) * x, X),
    "outer": (lambda x: np.outer(x, x) @ x, X),
    "branch": (lambda x: x[0] * x[1] if x[0] > 0 else x[2], X),
    "where": (lambda x: np.where(x > 0.5, np.sin(x), x**3), X),
    "long": (lambda x: np.sum(np.sin(x) ** 2) * x[0], np.linspace(0.1, 3, 50)),
    "container": (lambda p: p["a"] * np.sum(p["b"] ** 2), {"a": 2.0, "b": X}),
    "several results": (lambda s, t: (s * t, np.stack([s, t * t])), (2.0, 0.5)),
    "constant": (lambda x: np.ones(2) * 3.0, X),
    "linear": (lambda s, t: 3 * s - t, (2.0, 0.5)),
}
WRONG = 1 + 1e-4


def point(line, seed=0):
    """Return a point inside the domain of a line of the table, away from its ends."""
    rng = np.random.default_rng([seed, *map(ord, line.function.__name__)])
    ends = [(max(low, -2.0), min(high, max(low, -2.0) + 4.0)) for low, high in line.on]
    return tuple(float(rng.uniform(low + 0.1 * (high - low), high - 0.1 * (high - low))) for low, high in ends)


def scaled(line, i, factor):
    """Return the function of a line with a rule in which one partial is off by a factor."""
    partials = [p if callable(p) else (lambda *_, p=p: p) for p in line.partials]
    wrong = partials[i]
    partials[i] = lambda *args: factor * wrong(*args)
    return dd.rule(functools.partial(line.function), partials=partials)


@pytest.mark.parametrize("name", [name for name in LINES if name != "ldexp"])
def test_right_rules_are_not_refused(name):
    """Every elementwise function of the tables passes, in both orders and modes."""
    check_derivatives(LINES[name].function, point(LINES[name]))


@pytest.mark.parametrize("name", ARRAYS)
def test_array_functions_are_not_refused(name):
    """Functions of arrays, of containers and with branches pass."""
    check_derivatives(*ARRAYS[name])


CURVED = [
    "sin", "cos", "exp", "log", "sqrt", "tan", "arcsin", "arctan", "sinh", "tanh", "log1p", "expm1", "square", "cbrt",
    "multiply", "divide", "power", "hypot", "arctan2", "logaddexp",
]  # fmt: skip


@pytest.mark.parametrize("name", CURVED)
def test_a_rule_wrong_by_a_ten_thousandth_is_found(name):
    """A partial that is off by a factor of 1.0001 is found, whichever of a function's it is."""
    line = LINES[name]
    for i in range(len(line.partials)):
        with pytest.raises(AssertionError, match=r"first derivative, forward mode: .* and differences give"):
            check_derivatives(scaled(line, i, WRONG), point(line))


def test_the_message_says_which_and_by_how_much():
    """The words of a failure, whole."""
    f = dd.rule(lambda x, y: x * y, partials=[lambda x, y, z: y, lambda x, y, z: 2 * x])
    with pytest.raises(AssertionError) as caught:
        check_derivatives(f, (2.0, 5.0))

    assert "first derivative, forward mode: ∂f/∂y at (x, y) = (2, 5) is 4, and differences give 2" == str(caught.value)


def test_a_wrong_entry_of_a_jacobian_is_named():
    """Rows and columns count from 1."""
    f = dd.rule(
        lambda x: np.stack([x[0] * x[1], x[1]]),
        jvp=lambda p, t: (np.stack([p[0][0] * p[0][1], p[0][1]]), np.stack([p[0] @ t[0][::-1], 3 * t[0][1]])),
    )
    with pytest.raises(AssertionError, match=r"forward mode: ∂f₂/∂x₂ at x = \[2, 5\] is 3, and differences give 1"):
        check_derivatives(f, np.array([2.0, 5.0]))


def test_a_jvp_wrong_by_a_ten_thousandth_is_found():
    """Rules for arrays are held against differences too."""
    right = dd.rule(lambda x: x @ x, jvp=lambda p, t: (p[0] @ p[0], 2 * p[0] @ t[0]))
    wrong = dd.rule(lambda x: x @ x, jvp=lambda p, t: (p[0] @ p[0], 2 * WRONG * p[0] @ t[0]))

    check_derivatives(right, X)
    with pytest.raises(AssertionError, match="∂f/∂x₁"):
        check_derivatives(wrong, X)


def test_a_wrong_second_derivative_is_found():
    """A rule that is right once, but hides from the second derivative what moves in it."""
    f = dd.rule(lambda x: x**3, partials=lambda x, y: 3 * dd.stop_gradient(x) * x)

    check_derivatives(f, 1.5, order=1)
    with pytest.raises(AssertionError, match=r"second derivative, forward over forward: d²f/dx² at x = 1\.5 is 4\.5"):
        check_derivatives(f, 1.5)


def test_modes_that_differ_are_found():
    """A jvp that treats what is recorded unlike what is computed: reverse mode is wrong, and forward mode right."""

    def by_kind(primals, tangents):
        recorded = not isinstance(tangents[0], (float, np.floating))
        return np.sin(primals[0]), (2.0 if recorded else 1.0) * np.cos(primals[0]) * tangents[0]

    with pytest.raises(AssertionError, match="reverse mode"):
        check_derivatives(dd.rule(np.vectorize(np.sin), jvp=by_kind), 0.4, order=1)


@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
def test_size_does_not_matter(factor):
    """Small and large functions are checked as exactly."""
    check_derivatives(lambda x: factor * np.sin(x), 0.4)
    wrong = dd.rule(lambda x: factor * np.sin(x), partials=lambda x, y: factor * WRONG * np.cos(x))
    with pytest.raises(AssertionError, match="first derivative"):
        check_derivatives(wrong, 0.4)


@pytest.mark.parametrize(
    ("f", "x"), [(np.sqrt, 1e-3), (np.log, 1e-5), (np.arcsin, 0.999), (np.sin, 300.0), (np.exp, 0.0)]
)
def test_near_the_edge_of_the_domain(f, x):
    """Steps stay inside the domain, and are no larger than the point allows."""
    check_derivatives(f, x)


def test_where_nothing_settles_it_says_so():
    """At a pole of the derivative nothing can be said, and silence would look like a pass."""
    with pytest.raises(ValueError, match="no difference quotient of the first derivative settles at x = 0"):
        check_derivatives(np.sqrt, 0.0)


def test_a_nan_is_found():
    """NaN where f has a derivative is wrong."""
    f = dd.rule(lambda x: x**2, partials=lambda x, y: np.nan * x)
    with pytest.raises(AssertionError, match="is nan, and differences give"):
        check_derivatives(f, 1.5)


def test_what_cannot_be_asked():
    """Orders other than 1 and 2, complex points, and no function."""
    with pytest.raises(ValueError, match="it got 3"):
        check_derivatives(np.sin, 1.0, order=3)
    with pytest.raises(TypeError, match="about real inputs"):
        check_derivatives(np.sin, 1j)
    with pytest.raises(TypeError, match="about real results"):
        check_derivatives(lambda x: x * 1j, 1.0)
    with pytest.raises(TypeError, match="takes a function"):
        check_derivatives(1.0, 1.0)


@pytest.mark.parametrize("digits", [2, 3, 5, 9])
def test_a_staircase_is_no_slope(digits):
    """From afar a rounded number looks like the number; tiny steps see that it is flat, and no alarm is raised."""
    with pytest.raises(ValueError, match=r"no difference quotient of the first derivative settles at x = 1\.25"):
        check_derivatives(lambda x: np.round(x, digits) + x, 1.2500001 if digits == 2 else 1.25)

    check_derivatives(lambda x: np.stack([np.round(x, digits) + x, np.sin(x)]), 1.25)
    with pytest.raises(AssertionError, match=r"∂f₂/∂x at x = 1\.25"):
        check_derivatives(lambda x: np.stack([np.round(x, digits) + x, scaled(LINES["sin"], 0, WRONG)(x)]), 1.25)
