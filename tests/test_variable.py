"""Variable: what a PyTorch lecture shows, with NumPy's functions: .grad, .backward(), accumulation, a descent."""

import copy
import functools
import gc
import math
import operator
import pickle
import re
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from samples import close, slope

import dualdiff as dd

X = np.array([0.5, -1.0, 2.0])
V = np.array([0.3, -0.8, 0.5])


def grad_of(f, x):
    """Return the gradient that f(x).backward() leaves."""
    variable = dd.Variable(x)
    f(variable).backward()
    return variable.grad


# --- the lecture ------------------------------------------------------------------------------------------------------


def test_the_lecture():
    """Y = 2·x·x of x = 0, 1, 2, 3 prints as 28 and what it was made by; y.backward() leaves 4x."""
    x = dd.Variable(np.arange(4.0))
    assert (x.grad, x.operation) == (None, None)
    y = 2 * np.dot(x, x)

    assert repr(y) == str(y) == f"{y}" == "Variable(28.0, operation='multiply')"
    assert (repr(x), y.value) == ("Variable(array([0., 1., 2., 3.]))", 28.0)
    assert y.backward() is None
    assert x.grad.tolist() == (4 * np.arange(4.0)).tolist()
    assert y.grad is None


def test_a_vector_has_no_gradient():
    """Backward on a vector quotes PyTorch and the shape, and both ways out work."""
    x = dd.Variable(np.arange(4.0))
    y = x * x
    with pytest.raises(RuntimeError) as caught:
        y.backward()
    assert str(caught.value) == (
        "grad can be implicitly created only for scalar outputs, as PyTorch puts it; this one has shape (4,). Two ways "
        "out: y.backward(gradient=v) with v of that shape leaves the gradient of the number v*y, which is v^T J; "
        "np.sum(y).backward() that of the sum, which is v = 1 everywhere"
    )
    y.backward(gradient=np.array([1.0, 10.0, 100.0, 0.5]))
    assert x.grad.tolist() == [0.0, 20.0, 400.0, 3.0]
    x.zero_grad()
    np.sum(y).backward()
    assert x.grad.tolist() == [0.0, 2.0, 4.0, 6.0]


def test_the_tutorial_of_pytorch():
    """Q = 3a³ − b² with ones as its cotangent leaves 9a² and −2b, and again as much when asked again."""
    a, b = dd.Variable([2.0, 3.0]), dd.Variable([6.0, 4.0])
    Q = 3 * a**3 - b**2
    for k in (1, 2):
        Q.backward(gradient=np.ones(2))
        assert a.grad.tolist() == [k * 36.0, k * 81.0]
        assert b.grad.tolist() == [k * -12.0, k * -8.0]
    a.zero_grad()
    Q.backward([1, 2])
    assert (a.grad.tolist(), b.grad.tolist()) == ([36.0, 162.0], [-36.0, -32.0])


def test_a_cotangent_that_does_not_fit():
    """The gradient has the shape of the value."""
    y = dd.Variable([1.0, 2.0]) * 2
    for given, shape in ((np.ones(3), "(3,)"), (1.0, "()")):
        with pytest.raises(ValueError, match="backward") as caught:
            y.backward(given)
        assert str(caught.value) == f"backward() got a gradient of shape {shape} for a value of shape (2,)"
    with pytest.raises((TypeError, ValueError), match="numbers"):
        np.sum(y).backward("text")


def test_zero_grad():
    """A gradient that there is becomes 0, an infinite one too; none stays none."""
    x, y = dd.Variable(0.0), dd.Variable(np.array([0.0, 1.0], np.float32))
    x.zero_grad()
    assert x.grad is None
    np.sqrt(x).backward()
    np.sum(np.sqrt(y)).backward()
    assert (x.grad, y.grad.tolist(), y.grad.dtype) == (math.inf, [math.inf, 0.5], np.float32)
    for variable in (x, y):
        variable.zero_grad()
    assert (x.grad, y.grad.tolist(), y.grad.dtype) == (0.0, [0.0, 0.0], np.float32)
    assert type(x.grad) is float


@pytest.mark.parametrize("start", [5.0, np.array([5.0, 1.0]), np.float32(5)])
def test_gradient_descent(start):
    """The value is set at each step, begins a new record, and keeps its type."""
    x = dd.Variable(start)
    for _ in range(100):
        x.zero_grad()
        np.sum((x - 3.0) ** 2).backward()
        x.value = x.value - 0.1 * x.grad
    close(3.0 * np.ones(np.shape(start)), x.value, 1e-6)
    assert np.asarray(x.value).dtype == np.asarray(start).dtype
    x.value = np.full(np.shape(start), 4)
    close(4.0 * np.ones(np.shape(start)), dd.derivative(lambda t: t * x)(3.0).value, 1e-15)


def test_a_step_in_place():
    """A step gives the Variable another value; an array is not stepped in place behind the record."""
    for start in (5.0, np.array([5.0, 1.0])):
        x = dd.Variable(start)
        np.sum(x * x).backward()
        if np.ndim(start):
            with pytest.raises(ValueError, match="read-only"):
                x.value -= 0.25 * x.grad
        x.value = x.value - 0.25 * x.grad
        close(0.5 * start, x.value, 1e-15)
    y = x * x
    with pytest.raises(AttributeError) as caught:
        y.value = 3.0
    assert str(caught.value) == (
        "this Variable is the result of multiply: only one made by hand, dd.Variable(...), can be given another value"
    )


# --- everything that works on a Dual ----------------------------------------------------------------------------------

SCALAR_VALUED = """
    np.sum(dd.sin(x))  np.sum(np.sin(x))  np.sum(x)  x.sum()  x.mean()  x.max()  x.prod()  np.linalg.norm(x)  x@x  V@x
    np.dot(x,V)  x[0]*x[1]  x[-1]  x[1:].sum()  x[[0,0,2]].sum()  x[x>0].sum()  x[None,1:].sum()  x[...].sum()  x.T@x
    (2**x).sum()  (x**2).sum()  (V/x).sum()  (x/V).sum()  (V-x*x)@V  (x%0.7).sum()  divmod(x,0.7)[1].sum()  abs(x).sum()
    (-x*x).sum()  (+x).sum()  sum(x)  sum(t*t for t in x)  max(x)  sorted(x)[1]  math.prod(x)  pow(x,3).sum()
    x.copy()@x  np.sum(np.stack([x,x*x])*2)  np.concatenate([x,x*V])@np.ones(6)  np.array([x[0]*x[1],x[2]]).sum()
    x.flatten()@V  np.sum(np.stack([x[0],x[1]*x[2],3.0]))  np.dot(np.array([x[0]*x[1],x[2]]),[1,2])
    np.exp([x[0],x[1]*x[1]])[1]  np.sum(dd.exp([x[0],x[1]*x[1]]))  np.sum(np.vectorize(lambda t: t*t)(x))
    np.sum(np.r_[x,x[0]*x[1]])  x.real@x  np.where(x>0,x*x,x).sum()  dd.where(x>0,x*x,0).sum()  dd.hypot(x,1).sum()
    dd.hypot(1.0,x[0])  dd.maximum(x,0.1).sum()  dd.clip(x,-0.5,1).sum()  np.maximum(0.1,x).sum()  np.add.reduce(x*x)
    np.multiply.outer(x,x).sum()  np.cumsum(x)@V  np.einsum('i,i',x,x)  np.linalg.solve(np.diag(V),x)@V
    np.broadcast_to(x[0],(2,))@[1,2]  np.split(x,3)[1].sum()  np.meshgrid(x,x)[0].sum()
    np.interp(x,[-2,0,3],[1,2,0]).sum()  x.item(1)*x[0]  x.tolist()[1]*x[0]  x[1].item()  x.astype(float)@x
    np.linalg.det(np.outer(x,x)+np.diag(x))  x.flat[1]*x.flat[0]  np.trace(x[:,None]*x)  np.var(x)
    np.sum([x[0],x[1]*x[0]])  np.linalg.norm(np.array([x[0]*x[1],x[2]]))  x.reshape(3,1).sum()  x.dot(x)
    np.prod(x[::-1])  (x*np.array([x[0],x[1],x[2]])).sum()  np.stack([[x[0],2.0],[3.0,x[1]]]).sum()
    np.full(2,x[0],like=x).sum()  (x*np.ones((2,3))).sum()  np.abs(x+1j*x).sum()  np.real(np.exp(1j*x))@V
    np.sqrt(x.dot(x))  np.array([[x[0]],[x[1]]]).sum()
"""
SCALAR_VALUED = re.split(r"\s{2,}", SCALAR_VALUED.strip())


@pytest.mark.parametrize("text", SCALAR_VALUED)
def test_operations(text):
    """Operators, NumPy's functions, methods, indices and lists: value and gradient are those of the plain array."""
    f = lambda x: eval(text, {"np": np, "dd": dd, "math": math, "x": x, "V": V})  # noqa: S307 - the texts stand above
    x = dd.Variable(X)
    y = f(x)

    assert isinstance(y, dd.Variable)
    assert y.value == pytest.approx(float(f(X)), rel=1e-14)
    y.backward()
    close([slope(lambda h, e=e: f(X + h * e)) for e in np.eye(3)], x.grad)


def test_what_is_answered_by_value():
    """Comparison, truth, length, rounding and formats look at the value; a Variable may be a key."""
    x, s = dd.Variable(X), dd.Variable(2.5)

    assert (x > 0).tolist() == [True, False, True]
    assert (x == X).all()
    assert (s < 3, s <= 2.5, s != 2.5, s >= dd.Variable(3.0), 3 > s, s == 2.5) == (True, True, False, False, True, True)
    assert (bool(s), bool(dd.Variable(0.0)), len(x), x.shape, x.dtype) == (True, False, 3, (3,), float)
    assert (f"{s:.2f}", round(s), math.floor(s), math.ceil(s), math.trunc(s)) == ("2.50", 2, 2, 3, 2)
    assert ({x: 1}[x], np.argmax(x), 2.0 in x) == (1, 2, True)
    assert (x // 1).tolist() == [0.0, -1.0, 2.0]
    with pytest.raises(TypeError, match=r"len|has no"):
        len(s)


@pytest.mark.parametrize("drop", [
    float, int, complex, math.sin, lambda s: np.asarray([s], float), lambda s: np.zeros(2).fill(s),
    lambda s: operator.setitem(np.zeros(2), 0, s), lambda s: np.sin(s, out=np.zeros(())),
    lambda s: np.asarray(np.stack([s, s]), float), lambda s: operator.iadd(np.zeros(2), np.stack([s, s])),
])  # fmt: skip
def test_no_record_is_dropped_in_silence(drop):
    """A conversion to plain numbers is refused by a message that names what to write."""
    with pytest.raises(dd.DroppedTangentError, match=r"would drop.*x\.value"):
        drop(dd.Variable(2.0))


def test_what_a_variable_is_made_of():
    """Numbers and arrays, whole ones made floats, others kept; another Variable gives its value; not text."""
    for given, kind in ((3, float), (True, float), ([1, 2], float), (np.float32(2), np.float32), (1j, complex)):
        assert np.asarray(dd.Variable(given).value).dtype == kind
    y = dd.Variable(dd.Variable(2.0) * 3)
    assert (y.value, y.operation, y.grad) == (6.0, None, None)
    for given in ("a", None, [[1.0], [1.0, 2.0]], dd.Dual(1.0, 1.0)):
        with pytest.raises((TypeError, ValueError)):
            dd.Variable(given)
    with pytest.raises(AttributeError, match=r"'(Array)?Variable' object has no attribute 'nonsense'"):
        y.nonsense  # noqa: B018
    with pytest.raises(TypeError, match="modulus"):
        pow(y, 2, 5)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_writing_into_results():
    """A result and its views take numbers and Variables; what was computed from it before stays."""
    x = dd.Variable(X)
    y = x * x
    v, before = y[1:], np.sum(y * y)
    v[0] = x[0] * 10
    y[2] = 0.0
    y[:1] += x[2] * x[2]
    after = np.sum(y * v[0])

    assert y.value.tolist() == [4.25, 5.0, 0.0]
    before.backward()
    close(4 * X**3, x.grad, 1e-15)
    x.zero_grad()
    after.backward()
    close([147.5, 0.0, 20.0], x.grad, 1e-15)


def test_writing_in_place():
    """``y += 1`` writes into the array, so that its other names and views see it, as NumPy's do."""
    x = dd.Variable(X)
    y = x * 1.0
    same, view = y, y[:2]
    y *= x
    view += 10
    for one, expected in ((y, [10.25, 11.0, 4.0]), (same, [10.25, 11.0, 4.0]), (view, [10.25, 11.0])):
        assert one.value.tolist() == expected
    np.sum(y).backward()
    close(2 * X, x.grad, 1e-15)


@pytest.mark.parametrize("buffer", [np.zeros_like, lambda x: np.zeros(3, like=x), lambda x: 0 * x, np.empty_like])
def test_buffers(buffer):
    """A buffer made like a Variable takes Variables."""
    x = dd.Variable(X)
    y = buffer(x)
    y[:2], y[2] = 5.0, x[0] * x[1]
    np.sum(y * y).backward()
    close(2 * X[0] * X[1] * np.array([X[1], X[0], 0.0]), x.grad, 1e-14)


@pytest.mark.parametrize("write", [
    lambda x: operator.setitem(x, 0, 3.0), lambda x: x.fill(3.0), lambda x: np.sin(x, out=x),
    lambda x: np.copyto(x, 3.0), lambda x: np.add.at(x, [0], 1.0), lambda x: operator.setitem(x.flat, 0, 3.0),
    lambda x: operator.setitem(x[:1], 0, 3.0), lambda x: operator.setitem(x.reshape(3, 1), 0, 3.0),
])  # fmt: skip
def test_writing_into_a_leaf(write):
    """A Variable made by hand is not written into, by whatever way, and never loses its gradient in silence."""
    x = dd.Variable(X)
    with pytest.raises((TypeError, ValueError), match=r"Variable made by hand|read-only"):
        write(x)
    np.sum(x * x).backward()
    close(2 * X, x.grad, 1e-15)


def test_nobody_else_is_written_into():
    """Value, gradients and cotangents are copies: none of them changes another."""
    given, factor, cotangent = X.copy(), V.copy(), np.ones(3)
    x, z = dd.Variable(given), dd.Variable(X)
    y = factor * x + z
    given[...], factor[...] = np.nan, np.nan
    y.backward(cotangent)
    x.grad[...], cotangent[...] = np.nan, np.nan
    assert z.grad.tolist() == [1.0] * 3
    x.grad = None
    y.backward(np.ones(3))
    close(V, x.grad, 1e-15)


# --- other derivatives, lists, threads, ends --------------------------------------------------------------------------


def test_inside_transforms():
    """A derivative of a function that closes over a Variable is a Variable; a Variable inside f is one of its own."""
    x = dd.Variable(2.0)
    slope_of = dd.derivative(lambda t: t * t * x * x)(3.0)
    slope_of.backward()
    assert (slope_of.value, x.grad) == (24.0, 24.0)
    for mode in ("forward", "reverse"):
        y = dd.Variable(X)
        g = dd.gradient(lambda t: np.sum(t * t * y), mode=mode)(np.array([1.0, 2.0, 3.0]))  # noqa: B023
        close([1.0, -4.0, 12.0], g.value, 1e-15)
        np.sum(g * g).backward()
        close(8 * np.array([1.0, 4.0, 9.0]) * X, y.grad, 1e-14)
    assert dd.derivative(lambda t: t * dd.Variable(t.value).value)(3.0) == 3.0
    with pytest.raises(TypeError, match=r"argument 0 of f is a Variable.*x\.value"):
        dd.gradient(np.sum)(y)


def test_beside_hand_made_duals():
    """With a Dual the gradient is a Dual: its tangent is the derivative of the gradient."""
    x, t = dd.Variable(3.0), dd.Dual(2.0, 1.0)
    y = t * t * x + x / t
    y.backward()
    assert (y.value.value, y.value.tangent) == (13.5, 12.0 - 0.75)
    assert (x.grad.value, x.grad.tangent) == (4.5, 4.0 - 0.25)


def test_rules_of_ones_own():
    """A rule by partials or by a jvp serves Variables too."""
    for f in (dd.rule(lambda x: 2 * x, partials=5.0), dd.rule(lambda x: 2 * x, jvp=lambda p, t: (2 * p[0], 5 * t[0]))):
        x = dd.Variable(X)
        np.sum(f(x) * x).backward()
        close(7 * X, x.grad, 1e-15)


def test_numbers_of_other_types():
    """float32 and complex gradients, as PyTorch has them: abs(z)² has the gradient 2z."""
    assert grad_of(lambda x: np.sum(2.5 * x * x), X.astype(np.float32)).dtype == np.float32
    assert grad_of(lambda z: abs(z) ** 2, 1 + 2j) == 2 + 4j
    assert grad_of(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), np.array([0.0, 4.0])).tolist() == [0.0, 0.25]
    x = dd.Variable(X)
    np.sum(x * dd.stop_gradient(x) * x.detach()).backward()
    close(X * X, x.grad, 1e-15)


def test_copies():
    """A copy of a leaf is a leaf of its own; a copy of a result stays in the record."""
    x = dd.Variable(X)
    x.grad = np.ones(3)
    for made in (copy.copy(x), copy.deepcopy(x)):
        made.zero_grad()
        np.sum(made * made).backward()
        close(2 * X, made.grad, 1e-15)
        assert x.grad.tolist() == [1.0] * 3
    np.sum(copy.deepcopy(x * x)).backward()
    close(1 + 2 * X, x.grad, 1e-15)


def test_pickles():
    """A leaf is pickled with its gradient; a result belongs to its record and is not."""
    x = dd.Variable(X)
    np.sum(x).backward()
    again = pickle.loads(pickle.dumps(x))
    assert (again.value.tolist(), again.grad.tolist()) == (X.tolist(), [1.0] * 3)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(x * x)


def test_threads():
    """Variables of several threads live in one record, and each backward finds its own leaves."""
    ours = dd.Variable(2.0)

    def descended(start):
        x = dd.Variable(np.full(4, start))
        for _ in range(60):
            x.zero_grad()
            np.sum((x - start - 1) ** 2 * 0.25).backward()
            x.value = x.value - x.grad
        return x.value

    with ThreadPoolExecutor(8) as pool:
        theirs = pool.submit(lambda: dd.Variable(3.0) * ours).result()
        for start, found in zip(range(16), pool.map(descended, range(16)), strict=True):
            close(np.full(4, start + 1.0), found, 1e-12)
    (theirs * ours).backward()
    assert ours.grad == 12.0


def test_memory_is_freed():
    """A record goes with its results, without the collector, and a leaf is not kept alive by it."""
    x = dd.Variable(np.ones(10_000))
    gc.collect()
    gc.disable()
    tracemalloc.start()
    y = functools.reduce(lambda y, _: y * 1.01 + x, range(100), x)
    np.sum(y).backward()
    during = tracemalloc.get_traced_memory()[0]
    del y
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    gc.enable()
    assert after < 0.1 * during
    leaf = dd.Variable(2.0)
    ref, result = weakref.ref(leaf), leaf * leaf
    del leaf
    assert ref() is None
    result.backward()


def test_long_records():
    """A hundred thousand steps are read and freed."""
    steps = lambda x: functools.reduce(lambda y, _: y * 1.00001, range(100_000), x)
    assert grad_of(steps, 1.0) == pytest.approx(1.00001**100_000)
