"""The problems of Moré, Garbow and Hillstrom: every derivative of all 35, in every mode, against Jacobians by hand.

A second derivative is what one imaginary step leaves of the Jacobian by hand: J(x + i h e) = J(x) + i h ∂J, to the
last digit for a tiny h, so no derivative here is checked against another one of ours.
"""

import itertools
import runpy
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import dualdiff as dd

PROBLEMS = runpy.run_path(str(Path(__file__).with_name("least_squares_problems_of_any_size.py")))["PROBLEMS"]
MODES = ("forward", "reverse", "auto")
PAIRS = tuple(itertools.product(("forward", "reverse"), repeat=2))
TRIPLES = tuple(itertools.product(("forward", "reverse"), repeat=3))
NEAR = {"gulf": [50.0, 25.0, 1.5], "biggs_exp6": [1.0, 10.0, 1.0, 5.0, 4.0, 3.0]}  # rounding decides paths from afar
STEP = 1e-30  # its square is nothing beside 1


class Case(NamedTuple):
    """A problem at a point, with what mathematics says of it."""

    F: object
    x: np.ndarray
    value: np.ndarray
    J: np.ndarray
    curvature: np.ndarray

    @property
    def hessian(self):
        """∇²(½ |F|²) = JᵀJ + Σ Fᵢ ∇²Fᵢ, and the size of its terms."""
        terms = np.abs(self.J).T @ np.abs(self.J) + np.abs(self.value) @ np.abs(self.curvature).swapaxes(0, 1)
        return self.J.T @ self.J + np.einsum("i,ijk->jk", self.value, self.curvature), terms

    def halved(self, x):
        """½ |F|²."""
        residuals = self.F(x)
        return 0.5 * np.sum(residuals * residuals)

    def direction(self, like):
        """A direction of a shape, none of its parts small."""
        rng = np.random.default_rng([*map(ord, self.F.__name__), len(like)])
        return rng.choice([-1.0, 1.0], len(like)) * rng.uniform(0.5, 1.5, len(like))


def made(name, point):
    """Return a problem at its start, or at random beside it."""
    F, by_hand, start, _ = PROBLEMS[name]
    rng = np.random.default_rng([*map(ord, name)])
    beside = start * rng.uniform(0.95, 1.05, len(start)) + rng.uniform(0.005, 0.02, len(start))
    x = start.copy() if point == "start" else beside
    steps = [np.imag(by_hand(x + 1j * STEP * e)) / STEP for e in np.eye(len(x))]
    return Case(F, x, F(x.copy()), by_hand(x), np.stack(steps, axis=-1))


@pytest.fixture(params=[f"{name} {point}" for name in PROBLEMS for point in ("start", "beside")])
def case(request):
    """Return each problem at each of its points."""
    return made(*request.param.split())


def close(expected, found, terms, rel=1e-12):
    """Compare shapes, and entries to 12 digits of the terms they are sums of."""
    assert np.shape(expected) == np.shape(found)
    assert isinstance(found, (float, np.ndarray))
    wrong = np.abs(found - expected) > rel * np.broadcast_to(terms, np.shape(expected))
    assert not np.any(wrong), (found[wrong], expected[wrong])


def rows(J):
    """Return the largest entry of each row, the measure of its entries."""
    return np.max(np.abs(J), axis=1, keepdims=True)


# --- the problems themselves ----------------------------------------------------------------------------------------


def test_the_collection_is_whole():
    """There are 35, no more residuals than fit, and no fewer residuals than unknowns."""
    shapes = [np.shape(p.by_hand(p.start)) for p in PROBLEMS.values()]

    assert len(shapes) == 35
    assert all(m >= n for m, n in shapes)
    assert [np.shape(p.residuals(p.start)) for p in PROBLEMS.values()] == [(m,) for m, _ in shapes]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_search_ends_where_the_paper_says(name, mode):
    """Levenberg and Marquardt's method with our Jacobian finds a least sum of squares that is published."""
    optimize = pytest.importorskip("scipy.optimize")
    F, _, start, minima = PROBLEMS[name]
    start = 1.02 * np.array(NEAR[name]) if name in NEAR else start
    with np.errstate(all="ignore"):  # a step too far may overflow; it is taken back
        found = optimize.least_squares(
            F, start, jac=dd.jacobian(F, mode=mode), method="lm", ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=2000
        )

    assert any(2 * found.cost == pytest.approx(minimum, rel=1e-5, abs=1e-20) for minimum in minima)


# --- first derivatives ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_jacobian(case, mode):
    """The Jacobian is the one by hand, and the value beside it the residuals; the point stays as it was."""
    x = case.x.copy()

    close(case.J, dd.jacobian(case.F, mode=mode)(x), rows(case.J))
    value, J = dd.value_and_jacobian(case.F, mode=mode)(x)
    close(case.value, value, 1e-3 * np.abs(case.value))
    close(case.J, J, rows(case.J))
    assert np.array_equal(x, case.x)


@pytest.mark.parametrize("chunk_size", [2, None])
@pytest.mark.parametrize("mode", MODES)
def test_jacobian_several_at_once(case, mode, chunk_size):
    """Several columns, or rows, in one pass are the same columns, or rows."""
    close(case.J, dd.jacobian(case.F, mode=mode, chunk_size=chunk_size)(case.x), rows(case.J))


@pytest.mark.parametrize("mode", MODES)
def test_gradient(case, mode):
    """∇(½ |F|²) = JᵀF, however the square is spelled."""
    expected, terms = case.J.T @ case.value, np.sum(rows(case.J) * np.abs(case.value)[:, None])
    spelled = [case.halved, lambda x: case.F(x) @ case.F(x) / 2, lambda x: np.linalg.norm(case.F(x)) ** 2 / 2]

    for f in spelled:
        close(expected, dd.gradient(f, mode=mode)(case.x), terms)
    value, gradient = dd.value_and_gradient(case.halved, mode=mode)(case.x)
    assert value == pytest.approx(case.value @ case.value / 2, rel=1e-14)
    close(expected, gradient, terms)


def test_one_run_gives_every_direction(case):
    """Pushforward, jvp and the operator give J v; pullback and the operator give Jᵀ w; each the other's transpose."""
    v, w = case.direction(case.x), case.direction(case.value)
    value, pushforward = dd.linearize(case.F, case.x)
    again, pullback = dd.vjp(case.F, case.x)
    operator = dd.jacobian_operator(case.F, case.x)
    along, back = np.abs(case.J) @ np.abs(v), np.abs(w) @ np.abs(case.J)

    close(case.value, value, 1e-3 * np.abs(case.value))
    close(case.value, again, 1e-3 * np.abs(case.value))
    for found in (pushforward(v), dd.jvp(case.F, case.x, v)[1], operator.matvec(v)):
        close(case.J @ v, found, along)
    for (found,) in (pullback(w), (operator.rmatvec(w),)):
        close(w @ case.J, found, np.max(back))
    assert operator.shape == case.J.shape
    assert w @ pushforward(v) == pytest.approx(pullback(w)[0] @ v, abs=1e-13 * (np.abs(w) @ along))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("chunk_size", [1, None])
def test_linear_maps_have_derivatives(case, mode, chunk_size):
    """Pushforward, pullback and the operator's products are linear: their Jacobians are J and Jᵀ wherever taken."""
    v, w = case.direction(case.x), case.direction(case.value)
    operator, (_, push) = dd.jacobian_operator(case.F, case.x), dd.linearize(case.F, case.x)
    _, pullback = dd.vjp(case.F, case.x)
    pull = lambda w: pullback(w)[0]
    jacobian = lambda f: dd.jacobian(f, mode=mode, chunk_size=chunk_size)

    for linear in (push, operator.matvec, lambda v: dd.jvp(case.F, case.x, v)[1]):
        close(case.J, jacobian(linear)(v), rows(case.J))
    for linear in (pull, operator.rmatvec, lambda w: dd.vjp(case.F, case.x)[1](w)[0]):
        close(case.J.T, jacobian(linear)(w), rows(case.J).T)
    close(case.J @ v, dd.vjp(pull, w)[1](v)[0], np.abs(case.J) @ np.abs(v))
    close(w @ case.J, dd.vjp(push, v)[1](w)[0], np.max(np.abs(w) @ np.abs(case.J)))


def test_operator_is_scipys(case):
    """SciPy takes the operator as a linear one: products with matrices, and its transpose."""
    linalg = pytest.importorskip("scipy.sparse.linalg")
    A = linalg.aslinearoperator(dd.jacobian_operator(case.F, case.x))
    m, n = case.J.shape

    close(case.J, A.matmat(np.eye(n)), rows(case.J))
    close(case.J.T, A.T.matmat(np.eye(m)), rows(case.J).T)


# --- second derivatives ---------------------------------------------------------------------------------------------


def test_hessian(case):
    """∇²(½ |F|²) is Gauss and Newton's matrix and the curvature of the residuals; hvp is its product with v."""
    (expected, terms), v = case.hessian, case.direction(case.x)
    scale = np.max(terms, axis=1)

    close(expected, dd.hessian(case.halved)(case.x), np.sqrt(np.outer(scale, scale)))
    close(expected @ v, dd.hvp(case.halved)(case.x, v), terms @ np.abs(v))


@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_jacobian_of_the_gradient(case, inner, outer):
    """The Jacobian of the gradient is the Hessian, each in its own mode."""
    expected, terms = case.hessian
    gradient = dd.gradient(case.halved, mode=inner)
    scale = np.max(terms, axis=1)

    close(expected, dd.jacobian(gradient, mode=outer)(case.x), np.sqrt(np.outer(scale, scale)))


@pytest.mark.parametrize("case", [f"{name} beside" for name in PROBLEMS], indirect=True)
@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_jacobian_of_the_jacobian(case, inner, outer):
    """The curvature of every residual, m×n×n, is the slope of the Jacobian by hand."""
    scale = np.max(np.abs(case.curvature), axis=(1, 2), keepdims=True)

    for first, second in ((3, None), (None, None), *[(1, 1)] * (case.J.size <= 12)):
        found = dd.jacobian(dd.jacobian(case.F, mode=inner, chunk_size=first), mode=outer, chunk_size=second)(case.x)
        close(case.curvature, found, scale)


def test_products_of_the_curvature(case):
    """wᵀ ∇²F v: forward over reverse, reverse over forward and reverse over reverse agree with the one by hand."""
    v, w = case.direction(case.x), case.direction(case.value)
    expected = np.einsum("i,ijk,k->j", w, case.curvature, v)
    terms = np.max(np.einsum("i,ijk,k->j", np.abs(w), np.abs(case.curvature), np.abs(v)))
    back = lambda x: dd.vjp(case.F, x)[1](w)[0]
    along = lambda x: dd.jvp(case.F, x, v)[1]
    pushed = lambda x: dd.linearize(case.F, x)[1](v)

    for found in (
        dd.jvp(back, case.x, v)[1], dd.linearize(back, case.x)[1](v), dd.vjp(back, case.x)[1](v)[0],
        dd.vjp(along, case.x)[1](w)[0], dd.vjp(pushed, case.x)[1](w)[0],
    ):  # fmt: skip
        close(expected, found, terms)


def bend_by_hand(case, by_hand, v):
    """Return x ↦ vᵀ H v = |J v|² + Fᵀ (∂J v) v, and the size of its terms at the point."""

    def parts(x):
        along = np.imag(by_hand(x + 1j * STEP * v)) @ v / STEP
        return by_hand(x) @ v, case.F(x.copy()), along

    def bend(x):
        Jv, value, along = parts(x)
        return Jv @ Jv + value @ along

    Jv, value, along = parts(case.x)
    return bend, Jv @ Jv + np.abs(value) @ np.abs(along)


def slope(f, x, e):
    """Return the slope of f along e by central differences, extrapolated twice."""
    h = 2e-3 * min(1.0, np.abs(e @ x))
    table = [(f(x + h / 2**k * e) - f(x - h / 2**k * e)) / (2 * h / 2**k) for k in range(3)]
    for order in (4, 16):
        table = [(order * b - a) / (order - 1) for a, b in itertools.pairwise(table)]
    return table[0]


@cache
def bend_slope(name, first, second, third):
    """Return ∇(vᵀ H v) by three gradients, each in its own mode."""
    case = made(name, "beside")
    v = case.direction(case.x)
    along = lambda x: dd.gradient(case.halved, mode=first)(x) @ v
    twice = lambda x: dd.gradient(along, mode=second)(x) @ v
    return dd.gradient(twice, mode=third)(case.x)


@pytest.mark.parametrize("modes", TRIPLES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_three_deep(name, modes):
    """The gradient of vᵀ H v is the slope of the one by hand, and of forward mode's, in every order of modes."""
    case = made(name, "beside")
    bend, terms = bend_by_hand(case, PROBLEMS[name].by_hand, case.direction(case.x))
    expected = np.array([slope(bend, case.x, e) for e in np.eye(len(case.x))])
    terms += np.max(np.abs(expected))

    close(expected, bend_slope(name, *modes), terms, rel=1e-8)
    close(bend_slope(name, "forward", "forward", "forward"), bend_slope(name, *modes), terms)
