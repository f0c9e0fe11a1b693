"""The same answers as the peers give, on functions where the peers are right: jax, autograd and torch, if installed."""

import numpy as np
import pytest

import dualdiff as dd

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("default")]  # their warnings are not ours to answer

X = np.array([0.7, -1.3, 2.1])
A = np.array([[4.0, 1.0, 0.5], [0.3, 3.0, -0.2], [-0.7, 0.1, 5.0]])

# Each takes the array module to compute with: NumPy, jax.numpy, autograd.numpy.
NUMBERS = {
    "lecture": lambda m: lambda x: m.sum(m.sin(x) ** 2 + 2 * m.cos(x)),
    "rational": lambda m: lambda x: m.sum(x**3 / (1 + x * x)) - x[0] * x[1] / x[2],
    "exponentials": lambda m: lambda x: m.sum(m.exp(-x * x) * m.log1p(x * x) + m.expm1(x) * m.sinh(x / 2)),
    "arcs": lambda m: lambda x: m.sum(m.arctan(x) + m.arcsin(x / 3) + m.arccos(x / 4) + m.arctan2(x, 2.0)),
    "saturation": lambda m: lambda x: m.sum(m.tanh(x) * m.logaddexp(x, 1.0)),
    "branches": lambda m: lambda x: m.sum(m.where(x > 0, x**2, m.sin(x)) + m.maximum(x, 0.5) + m.abs(x)),
    "reductions": lambda m: lambda x: m.prod(x) + m.mean(x) ** 2 + m.var(x) + m.max(x) * m.min(x),
    "quadratic form": lambda m: lambda x: x @ (A @ x) + m.dot(x, x),
    "softmax": lambda m: lambda x: m.exp(x)[1] / m.sum(m.exp(x)),
    "polynomial": lambda m: lambda x: m.sum(sum(c * x**k for k, c in enumerate([1.0, -2.0, 0.5, 3.0]))),
}
VECTORS = {
    "map": lambda m: lambda x: m.stack([x[0] * x[1], m.sin(x[2]), m.exp(x[0] - x[2])]),
    "cumulative": lambda m: lambda x: m.cumsum(x) * x[::-1],
    "network": lambda m: lambda x: m.tanh(A @ m.sin(A @ x)),
    "outer": lambda m: lambda x: m.outer(x, m.cos(x)),
    "einsum": lambda m: lambda x: m.einsum("ij,j,k->ik", A, x, x * x),
    "reshaped": lambda m: lambda x: m.concatenate([m.reshape(x, (3, 1)) * x, m.transpose(A) * x]),
}
SOLVES = {
    "solve": lambda m: lambda x: m.linalg.solve(A + m.outer(x, x), x),
    "inverse": lambda m: lambda x: m.linalg.inv(A * x)[:, 1],
    "determinant": lambda m: lambda x: m.linalg.det(A + m.outer(x, x)) * x,
}


def close(expected, actual):
    """Tell whether two arrays agree in shape and to 11 digits."""
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-11, atol=1e-11)
    return np.shape(expected) == np.shape(actual)


@pytest.fixture
def jax():
    """Return jax, counting in float64 as NumPy does."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.mark.parametrize("name", NUMBERS)
def test_jax_gradients_and_hessians(jax, name):
    """Gradient, Hessian and Hessian times vector of a number."""
    f, g = NUMBERS[name](np), NUMBERS[name](jax.numpy)

    H = np.asarray(jax.hessian(g)(X))
    assert close(jax.grad(g)(X), dd.grad(f)(X))
    assert close(H, dd.hessian(f)(X))
    assert close(H @ A[0], dd.hvp(f)(X, A[0]))


@pytest.mark.parametrize("name", VECTORS | SOLVES)
def test_jax_jacobians(jax, name):
    """Jacobian, direction, and the Jacobian of a Jacobian."""
    make = (VECTORS | SOLVES)[name]
    f, g = make(np), make(jax.numpy)

    for chunk_size in (1, 2, None):
        assert close(jax.jacfwd(g)(X), dd.jacfwd(f, chunk_size=chunk_size)(X))
    for expected, found in zip(jax.jvp(g, (X,), (A[0],)), dd.jvp(f, (X,), (A[0],)), strict=True):
        assert close(expected, found)
    assert close(jax.jacfwd(jax.jacfwd(g))(X), dd.jacobian(dd.jacobian(f))(X))


def test_jax_argnums_and_containers(jax):
    """Blocks by argnums, gradients of dicts, aux and value: the same call, the same structure."""
    f = lambda p, t: p["w"] @ p["w"] * t**2 + p["b"]
    p = {"b": 0.5, "w": X}

    for transform in ("grad", "value_and_grad"):
        mine = {"grad": dd.grad, "value_and_grad": dd.value_and_gradient}[transform]
        for argnums in (0, 1, (1, 0)):
            expected = jax.tree.flatten(getattr(jax, transform)(f, argnums=argnums)(p, 3.0))
            found = jax.tree.flatten(mine(f, argnums=argnums)(p, 3.0))
            assert expected[1] == found[1]
            assert all(map(close, expected[0], found[0]))
    expected, aux = jax.grad(lambda x: (x @ x, "aux"), has_aux=True)(X)
    assert close(expected, dd.grad(lambda x: (x @ x, "aux"), has_aux=True)(X)[0])
    assert aux == "aux"
    blocks = jax.jacfwd(lambda s, t: s * t, argnums=(0, 1))(X, A)
    assert all(map(close, blocks, dd.jacobian(lambda s, t: s * t, argnums=(0, 1))(X, A)))


def test_jax_nested(jax):
    """Perturbations stay apart in both, and complex directions agree."""

    def check(m, D):
        assert D(lambda x: x * D(lambda y: x + y)(1.0))(1.0) == 1.0
        assert D(D(D(lambda x: m.sin(x) * x)))(0.5) == pytest.approx(-3 * np.sin(0.5) - 0.5 * np.cos(0.5), rel=1e-14)

    check(np, dd.derivative)
    check(jax.numpy, jax.grad)
    z, v = X + 1j, A[0] - 2j
    for name in ("conj", "abs", "real", "exp", "sin"):
        expected = jax.jvp(getattr(jax.numpy, name), (z,), (v,))
        assert all(map(close, expected, dd.jvp(getattr(np, name), (z,), (v,))))


@pytest.mark.parametrize("name", NUMBERS | VECTORS | SOLVES)
def test_autograd(name):
    """Autograd's reverse mode gives what our forward mode gives."""
    autograd = pytest.importorskip("autograd")
    anp = pytest.importorskip("autograd.numpy")
    make = (NUMBERS | VECTORS | SOLVES)[name]

    assert close(autograd.jacobian(make(anp))(X), dd.jacobian(make(np))(X))
    assert close(autograd.elementwise_grad(anp.tanh)(X), dd.derivative(np.tanh)(X))


@pytest.mark.parametrize("name", ["lecture", "rational", "exponentials", "saturation", "polynomial", "softmax"])
def test_torch(name):
    """torch.func agrees where NumPy's names are torch's too."""
    torch = pytest.importorskip("torch")
    f, x = NUMBERS[name], torch.tensor(X)

    assert close(torch.func.grad(f(torch))(x), dd.gradient(f(np))(X))
    assert close(torch.func.hessian(f(torch))(x), dd.hessian(f(np))(X))
