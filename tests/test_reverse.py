"""Reverse mode: one run of f, recorded, and read as often as wanted; nobody's later writes change what it says."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest
from samples import close, slope

import dualdiff as dd

X = np.array([0.7, 1.3, 2.1, 0.4])
V = np.array([0.3, -0.8, 0.5, 0.9])
MODES = ("forward", "reverse")
MIXES = list(itertools.product(MODES, MODES, (1, None), (1, None)))
STATEMENTS = [
    "pool.append(a * b * 0.5 + work)", "a[k % 4] = b[m % 4] * 0.7 + 0.1", "a[:] = b * 0.5 + a * work", "a += b * 0.3",
    "a *= work", "a[index] = b[[0, 1, 2]] * 0.9", "a[work > 0] = b[work > 0] * 1.1", "a[1:3] = a[2:0:-1] * 1.0",
    "pool.append(np.where(work > 0, a, b) * 1.0)", "r[:, 1:][::-1][m % len(r)] = b[:3] * 0.4",
    "a.reshape(2, 2).T[0] = b[:2]", "roots.append(np.stack([a, b])); pool.append(roots[-1][0])",
    "pool.append(np.sin(a) + np.sum(b) * 0.1)", "np.add.at(a, index, 0.25); np.multiply(a, b, out=a)",
    "a[:2], a[2:] = b[2:] * 1.0, b[:2] * 1.0",
]  # fmt: skip


class Layer(NamedTuple):
    """A layer of a network."""

    weights: Any
    bias: Any


def by_differences(f, x=X):
    """Return the Jacobian of a function of plain arrays, column by column."""
    return np.stack([slope(lambda h, e=e: f(x + h * e)) for e in np.eye(len(x))], axis=-1)


class Counted:
    """A function that counts how often it runs."""

    def __init__(self, f):
        self.f = f
        self.runs = 0

    def __call__(self, *args):
        """Run f."""
        self.runs += 1
        return self.f(*args)


def agrees(f, plainly=None, rtol=1e-8):
    """Check every way of reading the record of f against differences of f on plain arrays."""
    expected = by_differences(plainly or (lambda x: f(x.copy())))
    y, pullback = dd.vjp(f, X)
    z, pushforward = dd.linearize(f, X)
    w = np.cos(np.arange(y.size, dtype=float)).reshape(y.shape)
    close((plainly or f)(X.copy()), y, 1e-13)
    close(y, z, 1e-15)
    close(np.tensordot(w, expected, w.ndim), pullback(w)[0], rtol)
    close(expected @ V, pushforward(V), rtol)
    for mode, chunk_size in (("reverse", 1), ("reverse", None), ("auto", 2)):
        close(expected, dd.jacobian(f, mode=mode, chunk_size=chunk_size)(X), rtol)


# --- one run, many readings -----------------------------------------------------------------------------------------


def test_f_runs_once():
    """However many cotangents and tangents are asked for, f has run once, and the same question has one answer."""
    f = Counted(lambda x: np.sin(x) * x[0])
    expected = np.diag(np.cos(X) * X[0])
    expected[:, 0] += np.sin(X)

    _, pullback = dd.vjp(f, X)
    for w in (*np.eye(4), V, V):
        close(w @ expected, pullback(w)[0], 1e-14)
    assert f.runs == 1
    _, pushforward = dd.linearize(f, X)
    for v in (*np.eye(4), V, V):
        close(expected @ v, pushforward(v), 1e-14)
    assert f.runs == 2
    dd.gradient(lambda x: np.sum(f(x)), mode="reverse")(X)
    dd.value_and_jacobian(f, mode="reverse")(X)
    dd.jacobian(f, mode="auto", chunk_size=None)(X)
    assert f.runs == 5


def test_one_record_read_by_many_threads():
    """Pullback and pushforward may be called from several threads at once."""
    f = lambda x: np.cumsum(np.exp(x * x[::-1]) / (1 + x * x))
    expected = by_differences(f)
    _, pullback = dd.vjp(f, X)
    _, pushforward = dd.linearize(f, X)
    start = threading.Barrier(8)

    def asked(seed):
        start.wait()
        vectors = np.random.default_rng(seed).normal(size=(50, 4))
        return [(v, pullback(v)[0], pushforward(v)) for v in vectors]

    with ThreadPoolExecutor(8) as pool:
        for v, back, forth in itertools.chain.from_iterable(pool.map(asked, range(8))):
            close(v @ expected, back)
            close(expected @ v, forth)


def test_what_is_handed_out_is_nobody_elses():
    """Writing into a cotangent, a tangent, a value or an answer changes no other answer."""
    f = lambda x: (x, x * 1.0, np.sum(x) * x)
    (one, two, three), pullback = dd.vjp(f, X)
    (again, *_), pushforward = dd.linearize(f, X)
    w = (V.copy(), V.copy(), V.copy())
    expected, moved = pullback(w)[0].copy(), [part.copy() for part in pushforward(V)]

    for array in (one, two, three, again, *w, pullback((V, V, V))[0], *pushforward(V)):
        array[...] = np.nan
    assert np.array_equal(expected, pullback((V, V, V))[0])
    assert all(map(np.array_equal, moved, pushforward(V)))
    assert np.array_equal([0.3, -0.8, 0.5, 0.9], V)


# What f closes over: A a matrix, i whole numbers, m a mask, L a list, Z an array of no axis.
KEPT = [
    "A[0] * x * x", "x * x * A[0]", "A @ x * x", "x @ A * x", "x / A[0]", "A[0] / x", "x ** A[0]", "A[0] ** x",
    "(x - A[0]) ** 2", "(A[0] - x) ** 2", "x % A[0] * x", "x[i] ** 2", "x[m] ** 2", "(x[:, None] * A)[np.ix_(i, i)]",
    "np.where(m, x * x, A[0] * x)", "np.sum(x * x, where=m) * x", "np.mean(x * x, where=m) * x", "x * L", "L * x",
    "np.max(x, where=m, initial=0.0) * x", "np.var(x, where=m) * x", "np.take(x * x, i)", "np.repeat(x * x, i)",
    "np.compress(m, x * x)", "np.take_along_axis(x * x, i, 0)", "np.select([m], [x * x], A[0] * x)", "x * Z", "Z * x",
    "np.delete(x * x, i[:1])", "np.einsum('ij,j->i', A, x * x)", "np.dot(A, x) * x", "np.inner(A, x) * x", "x ** Z",
    "np.vdot(A[0], x) * x", "np.outer(A[0], x) @ x", "np.tensordot(A, x, 1) * x", "np.kron(A[0], x)", "x[0] ** Z + x",
    "np.linalg.solve(A, x) * x", "np.linalg.multi_dot([A, np.diag(x), A])", "np.stack([x, A[0]])[0] * A[1]",
    "np.hypot(x, A[0])", "np.arctan2(A[0], x)", "np.logaddexp(x, A[0])", "np.clip(x, A[0] - 0.7, A[0] + 0.2) * x",
    "np.interp(x, A[0], A[1]) * x", "np.polyval(A[0], x)", "np.bincount(i, x, 4) * x", "np.trapezoid(x * x, A[0]) * x",
    "np.average(x * x, weights=A[0]) * x", "np.multiply(x, x, where=m, out=np.zeros_like(x))", "x[L2] ** 2",
    "np.ldexp(x, i)", "np.copysign(x, -A[0])", "np.broadcast_to(A, (2, 4, 4)) * x", "A.T * x * x", "A[::2, ::-1] @ x",
    "np.roll(x, i[1:2]) ** 2", "np.split(x, i[1:2])[0] ** 2", "np.linalg.matrix_power(x[:, None] * A, 2)",
    "[y := x * 1.0, y.__setitem__(i, A[0] * x), y * y][2]", "[y := x * 1.0, y.__setitem__(m, (x * A[0])[m]), y * y][2]",
    "[y := x * 1.0, np.copyto(y, A[0], where=m), y * x][2]", "[y := x * 1.0, np.add.at(y, i, x * A[0]), y * y][2]",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_arrays_closed_over_may_change_later(text):
    """Writing into the point, the value and whatever array, list, mask or index f used changes nothing."""
    A = np.array([[1.2, 1.9, 2.4, 3.0], [0.4, 2.6, 1.3, 0.5], [0.9, 0.2, 3.1, 0.7], [0.3, 1.1, 0.8, 2.9]])
    i, m, Z = np.array([0, 2, 2, 1]), np.array([True, False, True, True]), np.array(2.5)
    L, L2 = [1.0, 2.0, 3.0, 4.0], [0, 2, 2]
    f = eval(f"lambda x: {text}", {"np": np, "A": A, "i": i, "m": m, "L": L, "L2": L2, "Z": Z})  # noqa: S307
    expected, x = by_differences(f), X.copy()
    y, pullback = dd.vjp(f, x)
    z, pushforward = dd.linearize(f, x)
    w = np.cos(np.arange(y.size, dtype=float)).reshape(y.shape)

    for array in (A, Z, x, y, z):
        array[...] = np.nan
    i[...], m[...], L[:], L2[:] = 0, ~m, [np.nan] * 4, [1, 1, 1]
    close(np.tensordot(w, expected, w.ndim), pullback(w)[0])
    close(expected @ V, pushforward(V))


def rewriting_a_work_array(x):
    """Use one plain buffer for several factors, divisors, matrices, masks and indices."""
    buffer, matrix, mask, index = np.zeros(4), np.zeros((4, 4)), np.zeros(4, bool), np.zeros(4, int)
    y = 0.0 * x
    for k in range(1, 5):
        buffer[:], matrix[:], index[:] = k, k + np.eye(4), (k - 1) % 4
        mask[:] = np.arange(4) < k
        y = y + x * buffer + x / buffer + matrix @ (x * x) + np.where(mask, x * x, buffer) + x[index] ** buffer
        buffer[:], matrix[:], mask[:], index[:] = np.nan, np.nan, ~mask, 0
    return y


def test_work_arrays_of_f():
    """A plain work array that f rewrites after use counts as it was when it was used."""
    agrees(rewriting_a_work_array)


# --- writes into Duals ----------------------------------------------------------------------------------------------

WRITES = """
    y = np.zeros_like(x); y[1] = x[0] * x[2]; z = y * y; y[0] = 5; y += z
    y = np.zeros_like(x); y[...] = x * x; y[()] = y * x; y[:2] *= x[:0] @ y[:0] + 1
    y = x; y[...] = x[::-1] * x
    y = x; y[0] = y[1] * y[2]; y *= y
    y = x; v = x[1:]; v *= 2; v[0] = x[0] * v[1]
    y = x * 1.0; v = y[1:]; u = v[1:]; t = u[::-1]; t[0] = y[0] * y[1]; v[0] = t[0] * 2; y = np.r_[y * u[0], v, u, t]
    y = x * 1.0; v = y[1:]; z = v * v; v[0] = 5 * y[0]; z = z + v; y[...] = z[0]; y = np.concatenate([z, v, y])
    y = x * x; y[[0, 1, 0]] = x[1:] * x[0]; y[[3, 3]] += x[:2]
    y = np.reshape(x * x, (2, 2)); y[[0, 0, 1], [1, 1, 0]] = x[1:] * 2; y = y * y
    y = x * x; m = x > 1; y[m] = x[m] ** 3; m[:] = ~m; y[m] *= x[m]
    y = x * x; y[x < 0] = 7.0; y[x > 0] = x[0] * y
    y = np.zeros((3, 4), like=x); y[1:] = x * x; y[0] = x[1] * x[2]; y = y * y
    y = np.zeros((4, 3), like=x); y[:, :2] = (x * x)[:, None]; y[1:3, 1] *= 3
    y = x * x; y[::-1] = y * x[0]; y[1:] = y[:-1]; y = y * y
    y = x * x; y[0], y[1] = y[1], y[0]; y[:2], y[2:] = y[2:].copy(), y[:2].copy(); y = y * x
    y = x * x; y[:2] = [x[0] * x[1], 3.0]; y[None, 2:] = x[None, :2] * x[3]
    y = x * 3.0; y **= 3; y /= y[0]; y -= y[1:2]; y += y[::-1]; y %= 2.0; y *= y
    y = (x * 1.0).reshape(2, 2); y @= y; y.T[0] = y[1] * y[0]; y = y.ravel() * x
    y = np.zeros((2, 2), like=x); y.T[:, 0] = x[:2] * x[2:]; y.T[1] += x[0]
    y = np.zeros((2, 1, 2), like=x); np.moveaxis(y, 0, -1)[0, 1] = x[:2] ** 2; np.swapaxes(y, 0, 2)[1] *= x[0]
    y = x * x; np.expand_dims(y, 0)[0, 1] = x[2] * x[3]; np.atleast_2d(y)[0, 0] *= x[1]; np.flip(y)[0] *= y[0]
    y = x * x; a, b = np.split(y, 2); a[0] = b[1] * x[0]; b[:] = a * a
    y = (x * x).reshape(2, 2); v = y.ravel(); v[1] = x[0] * x[3]; u = y.ravel('F'); u[1] = 0; y = np.r_[y.ravel(), u]
    y = (x * x).reshape(2, 2); d = np.diagonal(y); z = d * d; y[0, 0] = x[3]; y = np.concatenate([d, z, y.ravel()])
    y = x * 1.0; y.flat[1] = y[0] * y[2]; y.flat[2:] = y[:2] * 2
    y = np.sin(x * x, out=np.zeros_like(x)); np.sum((x * x).reshape(2, 2), axis=0, out=y[:2])
    y = x * x; np.add.at(y, [0, 0, 1], x[1:] * 2); np.multiply.at(y, [0, 0, 3], x[:3])
    y = x * x; r = y.copy(); y[0] = 1.0; r[1] = y[2]; z = np.zeros_like(x); z[:] = r; r[0] = 100.0; y = y * z * r
    y = x * 1.0; z = y; z[0] = z[1] * 2; y = y * z; t = np.sum(y); y[0] = t; y = y * np.sum(y)
    y = np.array([1.0, 2.0, 3.0, 4.0], like=x); y[1] = x[0] ** 2; y = y * x * np.full(4, 2.0, like=x)
    y = np.stack([x, x * x]); y[1, 2] = x[0] * 5; y[0] *= y[1]; y = np.where(y > 1, y, 2 * y)
    y = np.empty_like(x); y.fill(1.0); y[1:3] = x[:2] ** 2; y[0] = 5; y[3] = (x * x)[1].item() * x[0]; y = y * x
    z = x.astype(complex); z[0] = 1j * x[1] * x[0]; z *= 1j * z; y = np.concatenate([np.real(z), np.imag(z)])
"""
WRITES = [line.strip() for line in WRITES.strip().splitlines()]


def ran(text):
    """Return the function that runs the statements of a text on x and returns y."""
    code = compile(text, text, "exec")

    def f(x):
        names = {"np": np, "x": x.copy() if type(x) is np.ndarray else x}
        exec(code, names)  # noqa: S102 - the texts stand above
        return names["y"]

    return f


@pytest.mark.parametrize("text", WRITES)
def test_writes_are_recorded(text):
    """What is written into a Dual, a view of it, a view of a view or the argument counts from then on, not before."""
    agrees(ran(text))
    assert X.tolist() == [0.7, 1.3, 2.1, 0.4]


@pytest.mark.parametrize(("outer", "inside", "chunk", "inner_chunk"), MIXES)
@pytest.mark.parametrize("text", WRITES)
def test_writes_in_nested_derivatives(text, outer, inside, chunk, inner_chunk):
    """Second derivatives through writes, in every mix of modes, one direction at a time or all at once."""
    f = ran(text)
    u = np.array([0.2, 0.4, -0.7, 0.6])
    expected = slope(lambda h: slope(lambda k: f(X + h * u + k * V)), h=8e-3)

    first = dd.jacobian(f, mode=inside, chunk_size=inner_chunk)
    second = dd.jacobian(first, mode=outer, chunk_size=chunk)(X)
    close(expected, second @ u @ V, 2e-6)


def steps(seed):
    """Return a random program that reads, writes and rewrites arrays, views of them and plain work arrays."""
    rng = np.random.default_rng(seed)
    choices, numbers = rng.integers(0, 10**9, size=(rng.integers(3, 20), 5)), rng.uniform(-1, 1, (20, 4))

    def f(x):
        roots = [x.reshape(2, 4), np.zeros_like(x).reshape(2, 4) * 1.0, np.zeros((3, 4), like=x)]
        pool, work, index = [*roots[0], *roots[1], roots[2][1], x[::2], x[::-1][:4]], np.zeros(4), np.zeros(3, int)
        for (what, i, j, k, m), w in zip(choices, numbers, strict=False):
            work[:], index[:] = w, (k % 4, m % 4, k % 4)
            names = {"np": np, "roots": roots, "pool": pool, "work": work, "index": index, "k": k, "m": m}
            names |= {"a": pool[i % len(pool)], "b": pool[j % len(pool)], "r": roots[k % len(roots)]}
            exec(STATEMENTS[what % len(STATEMENTS)], names)  # noqa: S102 - the texts stand above
            work[:], index[:] = np.nan, 0
        return np.concatenate([*pool, *(np.ravel(r) for r in roots), x])

    return f


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed):
    """Forty programs of random reads and writes against differences."""
    f, rng = steps(seed), np.random.default_rng(seed)
    x, v = rng.uniform(-1, 1, 8), rng.uniform(-1, 1, 8)
    y, pullback = dd.vjp(f, x)
    w = rng.uniform(-1, 1, y.shape)
    expected = slope(lambda h: f(x + h * v))
    scale = 1 + np.max(np.abs(expected))

    close(expected / scale, dd.linearize(f, x)[1](v) / scale, 1e-7)
    assert w @ expected / scale == pytest.approx(pullback(w)[0] @ v / scale, abs=1e-7)


# --- structures, types, constants ------------------------------------------------------------------------------------


def network(parameters, x):
    """Return a loss and the activations of a small network."""
    for layer in parameters["layers"]:
        x = np.tanh(layer.weights @ x + layer.bias)
    return parameters["scale"] * np.sum(x), {"last": x, "text": "note"}


def test_structures():
    """Dicts of layers, named tuples, lists and numbers come back as they went in; aux comes back untouched."""
    rng = np.random.default_rng(0)
    layers = [Layer(rng.normal(size=(3, 4)), rng.normal(size=3)), Layer(rng.normal(size=(2, 3)), rng.normal(size=2))]
    parameters = {"layers": layers, "scale": 1.5}
    loss, pullback, aux = dd.vjp(network, parameters, X, has_aux=True)
    found, of_x = pullback()
    step = {"layers": [Layer(*(rng.normal(size=p.shape) for p in layer)) for layer in layers], "scale": 0.3}

    def along(h):
        moved = [Layer(*(p + h * d for p, d in zip(*pair, strict=True))) for pair in zip(layers, step["layers"])]  # noqa: B905
        return network({"layers": moved, "scale": 1.5 + h * 0.3}, X + h * V)[0]

    products = sum(np.sum(p * d) for pair in zip(found["layers"], step["layers"]) for p, d in zip(*pair))  # noqa: B905
    assert slope(along) == pytest.approx(products + 0.3 * found["scale"] + V @ of_x)
    assert loss == network(parameters, X)[0]
    assert (dict, list, Layer, float) == tuple(map(type, (found, found["layers"], found["layers"][1], found["scale"])))
    assert (np.ndarray, "note") == (type(aux["last"]), aux["text"])
    _, pushforward, again = dd.linearize(network, parameters, X, has_aux=True)
    assert slope(along) == pytest.approx(pushforward(step, V))
    assert again["text"] == "note"
    _, (same, again) = dd.value_and_gradient(network, (1, "parameters"), mode="reverse", has_aux=True)(parameters, X)
    close(of_x, same, 1e-14)
    close(found["layers"][0].bias, again["layers"][0].bias, 1e-14)


def test_results_of_any_structure():
    """The cotangent is built as f's result is; what does not move takes a cotangent and contributes nothing."""
    f = lambda s, t: {"a": (s * t, [np.ones(2), t]), "b": s * np.arange(3.0)}
    _, pullback = dd.vjp(f, 2.0, 3.0)
    found = pullback({"b": [0, 1, 10], "a": (1.0, [np.full(2, 7.0), 5])})
    moved = dd.linearize(f, 2.0, 3.0)[1](1.0, 10.0)

    assert found == (3.0 + 1 + 20, 2.0 + 5)
    assert (float, float) == tuple(map(type, found))
    assert (moved["a"][0], moved["a"][1][0].tolist(), moved["b"].tolist()) == (23.0, [0.0, 0.0], [0.0, 1.0, 2.0])


@pytest.mark.parametrize("x", [3, True, 3.0, np.int8(3), np.float64(3), np.array(3), [1, 2], np.array([True, False])])
def test_whole_numbers_become_floats(x):
    """Ints and bools are points, cotangents and tangents like any others."""
    ones = np.ones(np.shape(x), int).tolist()
    for found in (dd.vjp(np.square, x)[1](ones)[0], dd.linearize(np.square, x)[1](ones)):
        close(2.0 * np.asarray(x), found, 1e-15)
        assert np.asarray(found).dtype == float


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_other_floats_stay_what_they_are(dtype):
    """Value, cotangent and tangent have the type of the point, whatever the type of what is multiplied by."""
    x, t = np.array([1.0, 2.0], dtype), dtype(2)
    f, g = (lambda x: 2.5 * x * x + 1), (lambda x: np.sum(2.5 * x * x + 1))
    found = [
        *dd.vjp(f, x)[1](np.array([1.0, 0.0])), *dd.vjp(f, t)[1](), *dd.vjp(lambda x, t: np.sum(x) * t, x, t)[1](),
        dd.linearize(f, x)[1](np.array([1.0, 0.0])), dd.linearize(f, t)[1](1.0), dd.linearize(f, x)[1]([1, 0]),
        dd.gradient(g, mode="reverse")(x), dd.hvp(g)(x, x), dd.hessian(g)(np.ones(6, dtype)),
        *(dd.jacobian(f, mode=m, chunk_size=c)(x) for m in ("reverse", "auto") for c in (1, None)),
    ]  # fmt: skip

    assert [np.dtype(dtype)] * len(found) == [np.asarray(y).dtype for y in found]


Z = np.array([1 + 2j, 3 - 1j, -0.5j])


@pytest.mark.parametrize(("f", "expected"), [
    (lambda z: np.sum(np.abs(z) ** 2), 2 * Z), (lambda z: np.sum(np.abs(z)), Z / np.abs(Z)),
    (lambda z: np.sum(np.real(z) * np.imag(z)), np.imag(Z) + 1j * np.real(Z)),
    (lambda z: np.real(np.vdot(z, z)), 2 * Z), (np.linalg.norm, Z / np.linalg.norm(Z)),
    (lambda z: np.sum(np.real(z**3)), np.conj(3 * Z**2)), (lambda z: np.sum(np.imag(z * z)), 1j * np.conj(2 * Z)),
    (lambda z: np.real(np.exp(z) @ [1, 2j, 3]), np.conj(np.exp(Z) * [1, 2j, 3])),
])  # fmt: skip
def test_gradients_at_complex_points(f, expected):
    """The inner product is the real one, as in PyTorch: abs(z)² has the gradient 2z; narrow numbers stay narrow."""
    close(expected, dd.vjp(f, Z)[1]()[0], 1e-13)
    for narrow in (Z.astype(np.complex64), Z.astype(np.complex64)[0]):
        f = f if np.ndim(narrow) else lambda z: np.abs(z) ** 2
        assert dd.vjp(f, narrow)[1]()[0].dtype == np.complex64


def test_complex_cotangents():
    """⟨pullback(w), t⟩ = ⟨w, J·t⟩ in Re ⟨w, t⟩; a real point gets a real cotangent."""
    z, w, t = 1 + 2j, 0.5 - 3j, 2 - 1j
    assert dd.vjp(lambda z: z**3, z)[1](w)[0] == pytest.approx(w * np.conj(3 * z**2))
    assert dd.linearize(lambda z: z * np.conj(z), z)[1](t) == pytest.approx(2 * np.real(np.conj(z) * t))
    (found,) = dd.vjp(lambda t: np.exp(1j * t), 0.5)[1](w)
    assert found == pytest.approx(np.real(np.conj(w) * 1j * np.exp(0.5j)))
    assert type(found) is float
    for chunk_size in (1, None):
        by_rows = lambda f: dd.jacobian(f, mode="reverse", chunk_size=chunk_size)  # noqa: B023 - called at once
        close(np.diag(3 * Z**2), by_rows(lambda z: z**3)(Z), 1e-14)
        close(np.diag(1j * np.exp(1j * X)), by_rows(lambda x: np.exp(1j * x))(X), 1e-14)
        close(1j * np.exp(0.5j), by_rows(lambda t: np.exp(1j * t))(0.5), 1e-14)


@pytest.mark.parametrize("constant", [3, True, np.float32(1), np.inf, 1j, np.ones((2, 3)), [1, 2]])
def test_constant_results(constant):
    """What does not move has the derivative 0, of the right shape, however it is asked for."""
    f, shape = lambda *_: constant, np.shape(constant)

    close(np.zeros(4), dd.vjp(f, X)[1](np.ones(shape))[0])
    close(np.zeros(shape), dd.linearize(f, X)[1](V))
    for mode in ("reverse", "auto"):
        close(np.zeros((*shape, 4)), dd.jacobian(f, mode=mode)(X))
    assert dd.vjp(f, 2.0)[1](np.ones(shape)) == (0.0,)
    close(np.zeros(4), dd.gradient(lambda x: 3, mode="reverse")(X))
