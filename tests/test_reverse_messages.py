"""What reverse mode says where it cannot answer, each message with its way out, and what it leaves behind."""

import gc
import pickle
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from samples import close

import dualdiff as dd

X = np.array([0.7, 1.3, 2.1, 0.4])
MODES = ("forward", "reverse")
square = lambda x: x * x


def at(f):
    """Return where a function of this file is, as messages say it."""
    return f" (defined at {__file__}:{f.__code__.co_firstlineno})"


def told(error, text, call):
    """Tell whether a call raises an error of this type and exactly this text."""
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text
    return True


def pull(f, *primals):
    """Return the pullback of f."""
    return dd.vjp(f, *primals)[1]


def push(f, *primals):
    """Return the pushforward of f."""
    return dd.linearize(f, *primals)[1]


# --- messages, and the ways out they name ---------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "shape"), [
    (square, "(4,)"), (lambda x: x[:1], "(1,)"), (lambda x: {"a": x[0], "b": x}, "{'a': (), 'b': (4,)}"),
    (lambda x: (x[0],), "((),)"), (lambda x: (x[0], (x[1], x)), "((), ((), (4,)))"),
])  # fmt: skip
def test_pullback_without_a_cotangent(f, shape):
    """Of several numbers there is no gradient: PyTorch's sentence, the shape, and two ways out."""
    text = (
        f"grad can be implicitly created only for scalar outputs, as PyTorch puts it: f returned shape {shape}, so say "
        "which mixture of its numbers is meant, pullback(v) with v of that shape, or take jacobian(f) for the gradient "
        f"of each{at(f)}"
    )
    y, pullback = dd.vjp(f, X)

    assert told(ValueError, text, pullback)
    assert told(RuntimeError, text, pullback)
    assert pullback(y)[0].shape == (4,)
    assert dd.jacobian(f)(X) is not None


SLIPS = {
    "two cotangents": (
        lambda: pull(square, X)(X, X), TypeError,
        ("pullback(v) takes one cotangent, built as f's result is; it got 2: put them into a tuple if f returns one"),
        lambda: pull(lambda x: (x, x), X)((X, X))[0].tolist() == (2 * X).tolist(),
    ),
    "a cotangent of another shape": (
        lambda: pull(square, X)(np.ones(3)), ValueError, "cotangent 0 of pullback() has shape (3,); it needs (4,)",
    ),
    "one number for all": (
        lambda: pull(square, X)(1.0), ValueError, "cotangent 0 of pullback() has shape (); it needs (4,)",
    ),
    "a tuple for an array": (
        lambda: pull(lambda x: x[:2], X)((1.0, 2.0)), ValueError,
        ("cotangent 0 of pullback() does not fit: it is built as (an array, an array), and f's result as an array"),
        lambda: pull(lambda x: x[:2], X)([1.0, 2.0])[0].tolist() == [1.0, 2.0, 0.0, 0.0],
    ),
    "an array for a tuple": (
        lambda: pull(lambda x: (x[0], x[1]), X)(np.ones(2)), ValueError,
        ("cotangent 0 of pullback() does not fit: it is built as an array, and f's result as (an array, an array)"),
    ),
    "another key": (
        lambda: pull(lambda x: {"a": x}, X)({"b": X}), ValueError,
        ("cotangent 0 of pullback() does not fit: it is built as {'b': an array}, and f's result as {'a': an array}"),
    ),
    "text as a cotangent": (
        lambda: pull(np.sum, X)("text"), TypeError, "cotangent 0 of pullback() is made of numbers; it has 'text'",
    ),
    "None as a cotangent": (
        lambda: pull(np.sum, X)(None), TypeError, "cotangent 0 of pullback() is made of numbers; it has None",
    ),
    "no tangent": (
        lambda: push(square, X)(*()), ValueError,
        "pushforward() got 0 tangent(s) for 1 primal(s): give one for each",
    ),
    "a tangent too few": (
        lambda: push(np.multiply, X, X)(X), ValueError,
        "pushforward() got 1 tangent(s) for 2 primal(s): give one for each",
        lambda: push(np.multiply, X, X)(X, X).tolist() == (2 * X * X).tolist(),
    ),
    "a tangent of another shape": (
        lambda: push(np.multiply, X, X)(X, np.ones(3)), ValueError,
        "tangent 1 of pushforward() has shape (3,); it needs (4,)",
    ),
    "a tangent of another structure": (
        lambda: push(lambda p: p["a"], {"a": 1.0})((1.0,)), ValueError,
        "tangent 0 of pushforward() does not fit: it is built as (an array), and its primal as {'a': an array}",
    ),
    "text as a tangent": (
        lambda: push(square, 2.0)("text"), TypeError, "tangent 0 of pushforward() is made of numbers; it has 'text'",
    ),
    "a mode of gradient": (
        lambda: dd.gradient(np.sum, mode="backward"), ValueError,
        "gradient() knows mode='forward', mode='reverse' and mode='auto'; it got 'backward'",
        *(lambda mode=mode: dd.gradient(np.sum, mode=mode)(X).tolist() == [1.0] * 4
          for mode in ("forward", "reverse", "auto")),
    ),
    "a mode of value_and_jacobian": (
        lambda: dd.value_and_jacobian(square, mode=None), ValueError,
        "value_and_jacobian() knows mode='forward', mode='reverse' and mode='auto'; it got None",
    ),
    "a vector of another length": (
        lambda: dd.jacobian_operator(square, X).matvec(np.ones(3)), ValueError,
        "matvec() of this Jacobian takes a vector of 4 number(s); it got shape (3,)",
        lambda: dd.jacobian_operator(square, X).matvec(X).tolist() == (2 * X * X).tolist(),
    ),
    "a covector of another length": (
        lambda: dd.jacobian_operator(np.sum, X).rmatvec(np.ones(4)), ValueError,
        "rmatvec() of this Jacobian takes a vector of 1 number(s); it got shape (4,)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_slips(slip):
    """A slip is named as a whole, and what the message offers works."""
    call, error, text, *ways_out = SLIPS[slip]

    assert told(error, text, call)
    assert all(way_out() for way_out in ways_out)


@pytest.mark.parametrize("name", ["vjp", "linearize", "jacobian_operator"])
def test_slips_in_the_call(name):
    """What is no function, no point or no number is named, in the form in which this question is asked: name(f, x)."""
    ask = getattr(dd, name)
    for call, start in (
        (lambda: ask(4.0, 2.0), rf"^{name}\(\) takes a function; it got 4\.0\. Write {name}\(f, "),
        (lambda: ask(square), rf"^{name}\(f\) was called without arguments: {name}\(f, x\)"),
        (
            lambda: ask(lambda s, t: t, "text", 2.0),
            rf"^{name}\(\) differentiates by numbers and arrays; argument 0 of f ",
        ),
        (lambda: ask(lambda x: None, 2.0), r"^f returned None, which has no derivative\. Did you forget 'return'"),
        (lambda: ask(lambda x, y: x, 2.0), rf"^{name}\(\) was given 1 argument\(s\) for f, but f is <lambda>\(x, y\)"),
    ):
        with pytest.raises(TypeError, match=start) as caught:
            call()
        assert f"{name}(f)(x)" not in str(caught.value)
        assert "argnums" not in str(caught.value)
    assert ask(square, 2.0) is not None


def test_not_complex_differentiable():
    """An operator at a complex point needs a complex derivative, like jacobian, in reverse mode too."""
    f = lambda z: z * np.conj(z)
    for name, call in {
        "jacobian_operator": lambda: dd.jacobian_operator(f, 3 + 4j),
        "jacobian": lambda: dd.jacobian(f, mode="reverse")(3 + 4j),
    }.items():
        assert told(ValueError, (
            f"{name}() at a complex point needs f complex differentiable, and here it is not: its derivative depends "
            f"on the direction. Use jvp(f, z, v) for one direction, or differentiate by real and imaginary part{at(f)}"
        ), call)  # fmt: skip
    assert dd.jvp(f, 3 + 4j, 1j)[1] == 8.0
    assert dd.jacobian_operator(lambda x, y: np.real(f(x + 1j * y)), 3.0, 4.0).rmatvec([1.0]).tolist() == [6.0, 8.0]


def test_pickling():
    """A Dual of a record is not to be pickled while the record is made; its value is, and afterwards it may be too."""
    text = (
        "a Dual inside a reverse-mode derivative belongs to its record and cannot be pickled: send plain values "
        "(x.value), or differentiate in the other process"
    )
    kept = []

    def f(x):
        kept.append(x[0])
        assert told(TypeError, text, lambda: pickle.dumps(x))
        return np.sum(x * pickle.loads(pickle.dumps(x.value)))

    close(X, dd.gradient(f, mode="reverse")(X), 1e-15)
    assert float(pickle.loads(pickle.dumps(kept[0]))) == X[0]


def test_dropped_tangents():
    """What would drop the tangent in silence is refused as in forward mode; formats and prints are no trouble."""

    def written(x):
        y = np.zeros(4)
        y[0] = x[0]

    def shown(x):
        assert "0.700" in f"{x[0]:.3f}"
        assert "0.7" in f"{x[0]} {x!r}"
        return x[0]

    for drop in (
        lambda x: float(x[0]),
        lambda x: np.asarray(x, float),
        written,
        lambda x: np.add(x, x, out=np.zeros(4)),
    ):
        with pytest.raises(dd.DroppedTangentError, match="would drop the tangent of a Dual"):
            dd.vjp(drop, X)
    assert dd.gradient(shown, mode="reverse")(X).tolist() == [1.0, 0.0, 0.0, 0.0]


# --- other derivatives, threads, ends ---------------------------------------------------------------------------------


def test_inner_derivatives_keep_apart():
    """A record inside a record, in a thread or in a suspended generator, knows its own inputs only."""

    def in_threads(x):
        part = lambda i: dd.gradient(lambda y: np.sum(y * y * x[i]), mode="reverse")(x)[i]
        with ThreadPoolExecutor(4) as pool:
            return sum(pool.map(part, range(4)))

    def suspended(x):
        def running():
            yield dd.vjp(lambda u: u * u * x, x)
            yield np.sum(x)

        generator = running()
        _, pullback = next(generator)
        return np.sum(pullback(x)[0]) * next(generator)

    def squares(x):
        yield from (t * t * x[0] for t in x)

    for mode in MODES:
        close(4 * X, dd.gradient(in_threads, mode=mode)(X), 1e-14)
        expected = 6 * X**2 * np.sum(X) + 2 * np.sum(X**3)
        close(expected, dd.gradient(suspended, mode=mode)(X), 1e-13)
        close(2 * X * X[0] + np.sum(X * X) * (np.arange(4) == 0), dd.gradient(lambda x: sum(squares(x)), mode=mode)(X))
    assert dd.gradient(lambda x: x * dd.gradient(lambda y: x + y, mode="reverse")(3.0), mode="reverse")(2.0) == 1.0
    stopped = dd.gradient(lambda x: np.sum(x * dd.stop_gradient({"x": x * x})["x"] + x * x.value), mode="reverse")
    close(X * X + X, stopped(X), 1e-14)


def test_a_dual_that_outlives_its_record():
    """What leaked out of a derivative is a constant, also where f has failed; nothing keeps it alive."""
    kept, failed, dead = [], [], []

    def f(x):
        y = x * x
        (failed if failed is not None and len(kept) else kept).append(y)
        dead.append(weakref.ref(x * y))
        if len(kept) and failed:
            raise ZeroDivisionError
        return np.sum(y)

    dd.gradient(f, mode="reverse")(X)
    with pytest.raises(ZeroDivisionError):
        dd.vjp(f, X)
    for leaked in (kept[0], failed[0]):
        assert dd.derivative(lambda t: t * np.sum(leaked))(2.0) == pytest.approx(np.sum(X * X))  # noqa: B023
        close(X * X, dd.gradient(lambda t: np.sum(t * leaked), mode="reverse")(X), 1e-15)  # noqa: B023
        assert float(leaked[0]) == X[0] ** 2
    assert [ref() for ref in dead] == [None, None]


def repeated(n):
    """Return n steps of two operations each."""

    def f(t):
        for _ in range(n):
            t = t * 1.00001 + 1e-6
        return t

    return f


@pytest.mark.parametrize("x", [1.0, np.array([1.0, 2.0])])
def test_long_records(x):
    """A hundred thousand steps are read and freed without recursion."""
    f = repeated(100_000)
    y, pullback = dd.vjp(f, x)
    close(1.00001**100_000 * np.ones(np.shape(x)), pullback(np.ones(np.shape(x)))[0], 1e-9)
    close(1.00001**100_000 * np.ones(np.shape(x)), dd.linearize(f, x)[1](np.ones(np.shape(x))), 1e-9)
    close(f(x), y, 1e-12)


def test_a_long_loop_over_arrays():
    """Ten thousand steps over a thousand numbers."""
    x = np.linspace(0.1, 1.0, 1000)
    close(1.00001**10_000 * np.ones(1000), dd.gradient(lambda x: np.sum(repeated(10_000)(x)), mode="reverse")(x), 1e-10)


def bytes_of(run):
    """Return how many bytes `run` leaves while its result lives, and after it has gone, without the collector."""
    run()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    result = run()
    during = tracemalloc.get_traced_memory()[0]
    del result
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    gc.enable()
    return during, after


def written(x):
    """Write into a buffer and into views of it a hundred times."""
    y = np.zeros_like(x)
    for i in range(100):
        y[i] = x[i] * x[i]
        y[2:5][0] = x[0]
    return y


@pytest.mark.parametrize("f", [repeated(100), written, lambda x: np.cumsum(x) @ np.outer(x[:5], x).T])
def test_memory(f):
    """Memory grows with the steps and goes with the pullback, by reference counting alone."""
    x = np.linspace(0.1, 1.0, 5000)
    for ask in (dd.vjp, dd.linearize):
        during, after = bytes_of(lambda: ask(f, x))  # noqa: B023 - called at once
        assert after < 0.3 * during
    one, two = (bytes_of(lambda: dd.vjp(repeated(n), x))[0] for n in (400, 800))  # noqa: B023
    assert 1.8 < two / one < 2.2
    assert bytes_of(lambda: dd.gradient(lambda x: np.sum(f(x)), mode="reverse")(x))[0] < 3 * x.nbytes


def test_what_does_not_move_is_not_recorded():
    """Operations on constants and on what has been stopped leave nothing in the record."""
    x = np.linspace(0.1, 1.0, 5000)

    def f(t, x):
        for y in (x, dd.stop_gradient(t * x), (t * x).value):
            z = repeated(200)(y)
        return t * z

    assert bytes_of(lambda: dd.vjp(lambda t: f(t, x), 2.0))[0] < 10 * x.nbytes
