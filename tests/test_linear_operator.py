"""The Jacobian as a linear map: multiplied by without writing it out, or written out in any mode and any nesting."""

import itertools
import math

import numpy as np
import pytest
from samples import close, slope

import dualdiff as dd

MODES = ("forward", "reverse")
MIXES = list(itertools.product(MODES, MODES, (1, None), (1, None)))
RNG = np.random.default_rng(0)
A, X, V = RNG.normal(size=(5, 4)), RNG.normal(size=4), RNG.normal(size=4)
W = RNG.normal(size=5)
C, Z = RNG.normal(size=(5, 3)) + 1j * RNG.normal(size=(5, 3)), RNG.normal(size=3) + 1j * RNG.normal(size=3)
U = RNG.normal(size=5) + 1j * RNG.normal(size=5)
f = lambda x: np.sin(A @ x) * x[0]
J = np.cos(A @ X)[:, None] * A * X[0] + np.sin(A @ X)[:, None] * (np.arange(4) == 0)


# --- jacobian_operator ------------------------------------------------------------------------------------------------


def test_products():
    """matvec, rmatvec, matmat, rmatmat and @ are the products of the matrix, of which f is run once."""
    runs = []
    operator = dd.jacobian_operator(lambda x: runs.append(x) or f(x), X)

    close(J @ V, operator.matvec(V), 1e-13)
    close(J @ V, operator.matvec(V[:, None]), 1e-13)
    close(J.T @ W, operator.rmatvec(W), 1e-13)
    close(J @ A.T, operator.matmat(A.T), 1e-13)
    close(J.T @ A, operator.rmatmat(A), 1e-13)
    close(J @ A.T, operator @ A.T, 1e-13)
    close(J @ V, operator @ list(V), 1e-13)
    close(J @ (V + 2j * X), operator.matvec(V + 2j * X), 1e-13)
    close(J.T @ U, operator.rmatvec(U), 1e-13)
    close(np.zeros((5, 0)), operator.matmat(np.zeros((4, 0))))
    close(np.zeros((4, 0)), operator.rmatmat(np.zeros((5, 0))))
    assert ((5, 4), np.dtype(float)) == (operator.shape, operator.dtype)
    assert repr(operator) == "<Jacobian operator of shape (5, 4), dtype float64>"
    close(f(X), operator.value, 1e-15)
    assert len(runs) == 1


def test_it_keeps_what_it_needs():
    """Writing into the point, the value or a product later changes no product."""
    x = X.copy()
    operator = dd.jacobian_operator(lambda x: np.cumsum(x * x), x)
    for array in (x, operator.value, operator.matvec(V), operator.rmatvec(V)):
        array[...] = np.nan

    close(np.cumsum(2 * X * V), operator.matvec(V), 1e-13)
    close(2 * X * np.cumsum(V[::-1])[::-1], operator.rmatvec(V), 1e-13)


def test_scipy_asks():
    """aslinearoperator, lsmr, svds, eigs and gmres take it as it is."""
    linalg = pytest.importorskip("scipy.sparse.linalg")
    square = lambda x: np.tanh(x[::-1] * x) + x**2
    B = dd.jacobian(square)(X + 2)
    wrapped, other = linalg.aslinearoperator(dd.jacobian_operator(f, X)), dd.jacobian_operator(square, X + 2)

    close(J.T @ (J @ V), (wrapped.H @ wrapped) @ V, 1e-12)
    close(J.T @ A, wrapped.T @ A, 1e-12)
    close(np.linalg.lstsq(J, W)[0], linalg.lsmr(dd.jacobian_operator(f, X), W, atol=1e-14, btol=1e-14)[0])
    close(np.linalg.svd(J)[1][:2], np.sort(linalg.svds(wrapped, k=2)[1])[::-1])
    largest = max(np.linalg.eigvals(B), key=abs)
    assert linalg.eigs(other, k=1)[0][0] == pytest.approx(largest)
    close(np.linalg.solve(B, V), linalg.gmres(other, V, rtol=1e-13)[0])
    h = dd.jacobian_operator(lambda z: (C @ z) ** 2, Z)
    K = 2 * (C @ Z)[:, None] * C
    close(np.linalg.lstsq(K, U)[0], linalg.lsmr(h, U, atol=1e-14, btol=1e-14)[0])
    assert linalg.svds(h, k=1)[1] == pytest.approx(np.linalg.svd(K)[1][:1])


@pytest.mark.parametrize(("h", "point", "K"), [
    (lambda z: (C @ z) ** 2, Z, 2 * (C @ Z)[:, None] * C), (lambda x: np.exp(1j * x), W, np.diag(1j * np.exp(1j * W))),
    (lambda x: C.T @ (x * x), W, C.T * 2 * W), (np.sin, 1 + 2j, np.cos(np.full((1, 1), 1 + 2j))),
])  # fmt: skip
def test_complex_products(h, point, K):
    """Products with J and with its conjugate transpose, of real and complex points and vectors."""
    operator = dd.jacobian_operator(h, point)
    m, n = K.shape
    assert ((m, n), np.dtype(complex)) == (operator.shape, operator.dtype)
    for turn in (1.0, 1j, 2 - 1j):
        v, w = turn * np.linspace(0.5, 1.5, n), turn * np.linspace(-1.0, 1.5, m)
        close(K @ v, operator.matvec(v), 1e-13)
        close(np.conj(K.T) @ w, operator.rmatvec(w), 1e-13)
        close(np.vdot(w, operator.matvec(v)), np.vdot(operator.rmatvec(w), v), 1e-12)


def test_several_arguments_and_containers():
    """The numbers of arguments and results stand in a row, in order."""
    h = lambda p, s: {"a": p["W"] @ p["b"] * s, "n": s**2}
    point = {"W": np.arange(6.0).reshape(2, 3), "b": np.ones(3)}
    operator = dd.jacobian_operator(h, point, 3.0)
    w, b = 3 * np.kron(np.eye(2), np.ones(3)), 3 * point["W"]
    expected = np.block([[w, b, (point["W"] @ np.ones(3))[:, None]], [np.zeros((1, 9)), np.array([[6.0]])]])

    close(expected, operator.matmat(np.eye(10)), 1e-14)
    close(expected.T, operator.rmatmat(np.eye(3)), 1e-14)
    assert operator.value["n"] == 9.0
    assert dd.jacobian_operator(lambda z, t: z * t, 1 + 2j, 2.0).matvec([1.0, 1.0]) == pytest.approx([3 + 2j])


@pytest.mark.parametrize(("h", "point", "dtype"), [
    (lambda x: x * x, 3.0, float), (lambda x: x * x, 3, float), (lambda x: x * x, [1, 2], float), (np.sin, 1j, complex),
    (lambda x: 2.5 * x, np.array([1, 2], np.float32), np.float32), (lambda x: 2.5 * x, np.float32(1), np.float32),
    (lambda x: 2.5 * x, np.array([1, 2], np.longdouble), np.longdouble), (lambda x: np.ones(3), 1.0, float),
    (lambda x: np.ones(3), np.ones(0), float), (lambda x: x[:0], np.ones(2), float), (lambda x: 3, np.ones(2), float),
])  # fmt: skip
def test_its_type_is_that_of_its_products(h, point, dtype):
    """The type it states is the one its products have, of numbers and arrays, and where nothing moves."""
    operator = dd.jacobian_operator(h, point)
    m, n = operator.shape

    assert operator.dtype == np.dtype(dtype)
    dense = np.reshape(dd.jacobian(h)(point), (m, n))
    for given in (np.ones, lambda k: np.ones(k, dtype)):
        close(dense @ np.ones(n), operator.matvec(given(n)), 1e-6)
        close(np.conj(dense.T) @ np.ones(m), operator.rmatvec(given(m)), 1e-6)
        assert {np.dtype(dtype)} == {operator.matvec(given(n)).dtype, operator.rmatvec(given(m)).dtype}


def test_infinite_slopes():
    """A direction or cotangent of 0 meets no infinite slope; another one does."""
    operator = dd.jacobian_operator(np.sqrt, np.array([0.0, 1.0]))
    for product in (operator.matvec, operator.rmatvec):
        assert product([0.0, 1.0]).tolist() == [0.0, 0.5]
        assert product([1.0, 1.0]).tolist() == [np.inf, 0.5]


def test_inside_another_derivative():
    """Products differentiate by what f closes over and by the vector."""
    along = lambda t, name: np.sum(getattr(dd.jacobian_operator(lambda x: x * x * t, X), name)(V))

    for name, mode in itertools.product(("matvec", "rmatvec"), MODES):
        assert dd.gradient(lambda t: along(t, name), mode=mode)(2.0) == pytest.approx(np.sum(2 * X * V))  # noqa: B023
    for mode, chunk_size in itertools.product(MODES, (1, None)):
        operator = dd.jacobian_operator(f, X)
        close(J, dd.jacobian(operator.matvec, mode=mode, chunk_size=chunk_size)(V), 1e-13)
        close(J.T, dd.jacobian(operator.rmatvec, mode=mode, chunk_size=chunk_size)(W), 1e-13)


def test_derivatives_of_readings():
    """Pullback and pushforward are linear: their derivatives are the Jacobian itself, in every mode."""
    for mode, chunk_size in itertools.product((*MODES, "auto"), (1, None)):
        close(J.T, dd.jacobian(lambda w: dd.vjp(f, X)[1](w)[0], mode=mode, chunk_size=chunk_size)(W))
        close(J, dd.jacobian(dd.linearize(f, X)[1], mode=mode, chunk_size=chunk_size)(V))
    close(W @ J, dd.vjp(dd.linearize(f, X)[1], V)[1](W)[0])
    close(9 * X**2, dd.gradient(lambda x: np.sum(dd.vjp(lambda u: u * u * x, x)[1](x)[0]) * 1.5, mode="reverse")(X))


# --- the questions, in every mode -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*MODES, "auto"])
def test_modes(mode):
    """Gradient and Jacobian are the same in every mode, of one or several arguments, by position or by name."""
    f, g = (lambda s, t, u: s * t * u**2), (lambda x, t: np.stack([x * t, x**2, t * x[::-1]]))
    grad = lambda argnums=None: dd.gradient(f, argnums, mode=mode)(2.0, 3.0, 5.0)
    expected = dd.jacobian(g, argnums=(0, 1))(X, 1.5)

    close([75.0, 50.0, 60.0], grad(), 1e-15)
    assert (75.0, (60.0, 75.0), (50.0, 50.0)) == (grad(0), grad(("u", 0)), grad((1, 1)))
    assert (150.0, 50.0) == dd.value_and_gradient(f, "t", mode=mode)(2.0, 3.0, 5.0)
    for chunk_size in (1, 3, None):
        y, blocks = dd.value_and_jacobian(g, (0, 1), mode=mode, chunk_size=chunk_size)(X, 1.5)
        close(g(X, 1.5), y, 1e-15)
        for one, other in zip(expected, blocks, strict=True):
            close(one, other, 1e-14)
        beside = dd.jacobian(g, mode=mode, chunk_size=chunk_size)(X, 1.5)
        close(np.concatenate([expected[0], expected[1][..., None]], axis=-1), beside, 1e-14)
    close(expected[0], dd.jacrev(g, 0)(X, 1.5), 1e-14)
    assert (3.0, "aux") == dd.gradient(lambda t: (3 * t, "aux"), mode=mode, has_aux=True)(1.0)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 9])
def test_hessians(n):
    """Σ exp(A·x) has the Hessian Aᵀ·diag(exp(A·x))·A, for few inputs and for many; hvp is its product."""
    rng = np.random.default_rng(n)
    A, x, v = rng.normal(size=(6, n)), rng.normal(size=n), rng.normal(size=n)
    f = lambda x: np.sum(np.exp(A @ x))
    expected = A.T @ (np.exp(A @ x)[:, None] * A)

    close(expected, dd.hessian(f)(x), 1e-12)
    close(expected, dd.value_and_hessian(f)(x)[1], 1e-12)
    close(expected @ v, dd.hvp(f)(x, v), 1e-12)
    for outer, inside, chunk, _ in MIXES:
        close(expected, dd.jacobian(dd.gradient(f, mode=inside), mode=outer, chunk_size=chunk)(x), 1e-12)
    third = dd.gradient(lambda x: np.trace(dd.hessian(f)(x)))(x)
    close(np.sum(A * A, axis=1) * np.exp(A @ x) @ A, third, 1e-12)


@pytest.mark.parametrize("f", [
    lambda x: np.array([x[0] * x[1], x[2], 3.0]), lambda x: np.array([[x[0] * x[1], x[2]], [1.0, x[0]]]),
    np.vectorize(lambda t: t * t if t > 1 else np.sin(t)), lambda x: [t * x[0] for t in x],
    lambda x: sum(t * t for t in x) * x, lambda x: math.prod(x) * x, lambda x: np.full(2, x[0] * x[1], like=x),
    lambda x: np.dot(np.array([t * t for t in x]) * x[0], [1, 2, 3, 4]),
    lambda x: sorted(x)[1] * np.stack(sorted(x)), lambda x: np.r_[x[0] * x[1], x, 2.0], lambda x: np.c_[x, x * x],
])  # fmt: skip
def test_lists_and_object_arrays(f):
    """What people build vectors from keeps its part of the record."""
    expected = slope(lambda h: np.asarray(f(X + h * V)))

    for mode, chunk_size in itertools.product((*MODES, "auto"), (1, None)):
        close(expected, dd.jacobian(f, mode=mode, chunk_size=chunk_size)(X) @ V)
    y, pullback = dd.vjp(f, X)
    w = np.cos(np.arange(np.size(y))).reshape(np.shape(y))
    assert np.sum(w * expected) == pytest.approx(pullback(w)[0] @ V)


def softplus(x):
    """Return log(1 + exp(x)), whose slope its rules below say is twice what it is, to tell who was asked."""
    return np.logaddexp(0.0, x)


sigma = lambda x: 1 / (1 + np.exp(-x))
RULES = {
    "partials": dd.rule(softplus, partials=lambda x, y: 2 * sigma(x)),
    "jvp": dd.rule(softplus, jvp=lambda p, t: (softplus(*p), 2 * sigma(*p) * t[0])),
    "jvp with sum": dd.rule(softplus, jvp=lambda p, t: (softplus(*p), np.sum(np.diag(2 * sigma(*p)) * t[0], axis=1))),
    "jvp with @": dd.rule(softplus, jvp=lambda p, t: (softplus(*p), np.diag(2 * sigma(*p)) @ t[0])),
    "jvp with []": dd.rule(softplus, jvp=lambda p, t: (softplus(*p), 2 * sigma(*p) * t[0][::-1][[5, 4, 3, 2, 1, 0]])),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_of_ones_own(name):
    """A rule given by partials or by a jvp is transposed, alone and nested, one direction at a time or all at once."""
    f, s, x = RULES[name], sigma(np.linspace(-1, 1, 6)), np.linspace(-1, 1, 6)

    for mode, chunk_size in itertools.product((*MODES, "auto"), (1, None)):
        close(np.diag(2 * s), dd.jacobian(f, mode=mode, chunk_size=chunk_size)(x), 1e-13)
    close(2 * s * x, dd.vjp(f, x)[1](x)[0], 1e-13)
    for outer, inside, chunk, inner_chunk in MIXES:
        first = dd.jacobian(lambda x: np.sum(f(x)), mode=inside, chunk_size=inner_chunk)
        close(np.diag(2 * s * (1 - s)), dd.jacobian(first, mode=outer, chunk_size=chunk)(x), 1e-12)


def test_rules_that_look_at_the_world():
    """What a rule read or returned counts as it was when f ran."""
    factor, buffer = np.array([2.0, 3.0]), np.zeros(2)

    def scaled_jvp(primals, tangents):
        buffer[:] = 2 * primals[0]
        return buffer, 2 * tangents[0]

    scaled = dd.rule(lambda x: factor * x, partials=lambda x, y: factor)
    doubled = dd.rule(lambda x: 2 * x, jvp=scaled_jvp)
    _, pullback = dd.vjp(lambda x: scaled(x) * doubled(x), X[:2])
    factor[:], buffer[:] = np.nan, np.nan
    close(4 * np.array([2.0, 3.0]) * X[:2] * V[:2], pullback(V[:2])[0], 1e-14)


def test_functions_that_return_functions():
    """The question is put off until the returned function is called."""
    curried = lambda x: lambda s: np.sum(x * x) * s

    y, pullback = dd.vjp(curried, X)(3.0)
    close(np.sum(X * X) * 3, y, 1e-15)
    close(6 * X, pullback()[0], 1e-15)
    close(6 * X @ V, dd.linearize(curried, X)(3.0)[1](V), 1e-14)
    close(6 * X, dd.gradient(curried, mode="reverse")(X)(3.0), 1e-15)


@pytest.mark.parametrize(("f", "shape"), [
    (lambda x: x[:0], (4,)), (np.sum, (0, 2)), (lambda x: np.sum(x, axis=0), (0, 2)), (np.sin, (0,)),
    (lambda x: np.ones(3) * np.sum(x), (0,)), (lambda x: x * 2, (2, 0)),
])  # fmt: skip
def test_nothing_in_it(f, shape):
    """Of no inputs or no outputs the Jacobian has no columns or no rows, in every mode."""
    x = np.ones(shape)
    for mode, chunk_size in itertools.product(("reverse", "auto"), (1, None)):
        assert np.shape(dd.jacobian(f, mode=mode, chunk_size=chunk_size)(x)) == np.shape(f(x)) + shape
