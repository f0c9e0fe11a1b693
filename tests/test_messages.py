"""Every message says what was met, where, and the way out; each is read as a whole, and each way out is run."""

import functools

import numpy as np
import pytest

import dualdiff as dd

X = np.array([1.0, 2.0])
A = np.array([[1.0, 2.0], [3.0, 5.0]])
double = lambda x: 2 * x


def at(f):
    """Return where a function of this file is, as messages say it."""
    return f" (defined at {__file__}:{f.__code__.co_firstlineno})"


def told(error, text, call):
    """Tell whether a call raises an error of exactly this type and text."""
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value) == text
    return True


def product(s, t):
    """Return s·t."""
    return s * t


# --- what f returns -------------------------------------------------------------------------------------------------


def forgotten(x):
    """Forget to return."""
    x * x


def generator(x):
    """Yield where return was meant."""
    yield x


async def coroutine(x):
    """Be async without need."""
    return x


async def asynchronous(x):
    """Be both."""
    yield x


def returns(result):
    """Return a function that returns the same whatever it is given."""
    return lambda x: result


NOTHING = {
    "None": (forgotten, "None"), "a generator": (generator, "a generator"), "a coroutine": (coroutine, "a coroutine"),
    "text": (returns("text"), "'text'"), "bytes": (returns(b"x"), "b'x'"), "a set": (returns({1.0}), "a set"),
    "an object": (returns(object()), "an object"), "an async generator": (asynchronous, "an async_generator"),
    "a map": (lambda x: map(abs, [x]), "a map"), "text in an array": (returns(np.array(["a"])), "an array of <U1"),
    "None in a tuple": (lambda x: (x, None), "None inside its result"),
    "text in a dict": (lambda x: {"a": [x, "text"]}, "'text' inside its result"),
    "a function in a tuple": (lambda x: (x, np.sin), "a ufunc inside its result"),
    "None in an object array": (lambda x: np.array([x, None]), "None inside its result"),
}  # fmt: skip
ASK = {
    "derivative": dd.derivative, "value_and_derivative": dd.value_and_derivative, "gradient": dd.gradient,
    "value_and_gradient": dd.value_and_gradient, "jacobian": dd.jacobian, "value_and_jacobian": dd.value_and_jacobian,
    "hessian": dd.hessian, "value_and_hessian": dd.value_and_hessian, "jvp": lambda f: lambda x: dd.jvp(f, x, 1.0),
    "derivatives": lambda f: dd.derivatives(f, 2), "hvp": lambda f: lambda x: dd.hvp(f)(x, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", ASK)
@pytest.mark.parametrize("slip", NOTHING)
def test_f_returns_no_number(name, slip):
    """Whatever f returns in place of numbers, every transform says what it was and where f is, and asks for return."""
    f, what = NOTHING[slip]

    assert told(
        TypeError,
        f"f returned {what}, which has no derivative. Did you forget 'return', or to return numbers?{at(f)}",
        lambda: ASK[name](f)(2.0),
    )


@pytest.mark.parametrize("name", ["gradient", "value_and_gradient", "hessian", "value_and_hessian", "hvp"])
@pytest.mark.parametrize(("f", "shape"), [
    (double, "(2,)"), (lambda x: x[:1], "(1,)"), (lambda x: x[None], "(1, 2)"), (lambda x: (x[0], x), "((), (2,))"),
    (lambda x: {"a": x[0]}, "{'a': ()}"), (lambda x: [x[0]], "(1,)"), (lambda x: (), "()"), (lambda x: (1.0,), "((),)"),
])  # fmt: skip
def test_gradient_of_a_vector(name, f, shape):
    """A result that is not one number is quoted by its shape; jacobian and vjp answer."""
    text = (
        f"{name}() needs one number back, but f returned shape {shape}. Use jacobian(f) for the derivative of every "
        f"output, or vjp(f, x) for a mixture of them{at(f)}"
    )
    ask = (lambda f: lambda x: dd.hvp(f)(x, x)) if name == "hvp" else ASK[name]

    assert told(ValueError, text, lambda: ask(f)(X))
    assert dd.jacobian(f)(X) is not None
    assert len(dd.vjp(f, X)) == 2


def test_gradient_of_complex_numbers():
    """A complex result or point of a gradient has no one slope; the ways named have."""
    f, g = (lambda t: np.exp(1j * t)), (lambda z: np.real(z) ** 2)
    text = (
        "gradient() needs f to return a real number; it returned a complex one. Differentiate np.real and np.imag of "
        f"it, or use jacobian(f){at(f)}"
    )

    assert told(TypeError, text, lambda: dd.gradient(f)(0.5))
    assert dd.gradient(lambda t: np.imag(f(t)))(0.5) == np.cos(0.5)
    assert dd.jacobian(f)(0.5) == pytest.approx(1j * np.exp(0.5j))
    text = "gradient() is about real inputs; at a complex point use jvp(f, z, v) for one direction"
    assert told(TypeError, text, lambda: dd.gradient(g)(3 + 4j))
    assert dd.jvp(g, 3 + 4j, 1.0) == (9.0, 6.0)


@pytest.mark.parametrize("name", ["derivative", "value_and_derivative", "jacobian"])
def test_not_complex_differentiable(name):
    """Where the slope depends on the direction there is no derivative, but one along each direction."""
    f = lambda z: z * np.conj(z)
    text = (
        f"{name}() at a complex point needs f complex differentiable, and here it is not: its derivative depends on "
        f"the direction. Use jvp(f, z, v) for one direction, or differentiate by real and imaginary part{at(f)}"
    )

    assert told(ValueError, text, lambda: ASK[name](f)(3 + 4j))
    assert dd.jvp(f, 3 + 4j, 1j)[1] == 8.0
    assert dd.jacobian(lambda x, y: np.real(f(x + 1j * y)))(3.0, 4.0).tolist() == [6.0, 8.0]


@pytest.mark.parametrize("name", ["derivative", "gradient", "jacobian", "hessian", "jvp"])
def test_aux_without_a_pair(name):
    """With has_aux f returns a pair; what it returned instead is said."""
    ask = (lambda f, **k: lambda x: dd.jvp(f, x, 1.0, **k)) if name == "jvp" else ASK[name]

    for result, what in ((1.0, "a float"), ([1.0, 2.0], "a list"), ((1.0, 2.0, 3.0), "a tuple"), (None, "None")):
        text = f"{name}(has_aux=True) needs f to return (result, aux); it returned {what}"
        assert told(TypeError, text, lambda: ask(returns(result), has_aux=True)(2.0))  # noqa: B023 - called at once
    assert ask(returns((1.0, None)), has_aux=True)(2.0)[-1] is None


# --- what is asked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in ASK if name not in {"jvp", "derivatives"}])
def test_a_number_in_place_of_f(name):
    """derivative(f(x)) gets a number, where derivative(f)(x) was meant; which works."""
    transform = getattr(dd, name)
    point = (2.0, 1.0) if name == "hvp" else (2.0,)

    assert told(
        TypeError,
        f"{name}() takes a function; it got 4.0. Write {name}(f)(x), not {name}(f(x)).",
        lambda: transform(double(2.0))(2.0),
    )
    assert transform(double)(*point) is not None


def test_a_number_in_place_of_f_where_more_is_given():
    """The way out of jvp is written as jvp is called."""
    with pytest.raises(TypeError, match=r"^jvp\(\) takes a function; it got 4\.0\. Write jvp\(f, ") as caught:
        dd.jvp(double(2.0), 2.0, 1.0)
    assert "jvp(f)(x)" not in str(caught.value)


PRODUCT = at(product)
SLIPS = {
    "several arguments": (
        lambda: dd.derivative(product)(2.0, 3.0), ValueError,
        ("derivative() of a function of 2 arguments needs to know which one moves: derivative(f, argnums=0) for the "
         "first, derivative(f, argnums=(0, 1)) for several; for df/d(s, t) as one matrix use jacobian(f)(s, t)"),
        lambda: dd.derivative(product, argnums=0)(2.0, 3.0) == 3.0,
        lambda: dd.derivative(product, argnums=(0, 1))(2.0, 3.0) == (3.0, 2.0),
        lambda: dd.jacobian(product)(2.0, 3.0).tolist() == [3.0, 2.0],
    ),
    "by keyword only": (
        lambda: dd.jacobian(product)(s=2.0, t=3.0), TypeError,
        ("jacobian() differentiates by arguments given by position; f was given s, t by keyword. Name them: "
         "jacobian(f, argnums=('s', 't',))"),
        lambda: dd.jacobian(product, argnums=("s", "t"))(s=2.0, t=3.0) == (3.0, 2.0),
    ),
    "too many": (
        lambda: dd.jvp(product, (1.0, 2.0, 3.0), (1.0, 1.0, 1.0)), TypeError,
        f"jvp() was given 3 argument(s) for f, but f is product(s, t): too many positional arguments{PRODUCT}",
    ),
    "an unknown name": (
        lambda: dd.gradient(product, argnums="u")(2.0, 3.0), ValueError,
        f"argnums names 'u', which is not among the arguments f was called with{PRODUCT}",
    ),
    "a position too far": (
        lambda: dd.jacobian(product, argnums=2)(2.0, 3.0), ValueError,
        "argnums=2, but f was called with 2 positional argument(s)",
    ),
    "a list as argnums": (
        lambda: dd.jacobian(product, argnums=[0, 1])(2.0, 3.0), TypeError,
        ("jacobian(f, argnums) takes positions or names of arguments; it got [0, 1]. "
        "The point comes in brackets of its own: jacobian(f)(x)"),
        lambda: dd.jacobian(product, argnums=(0, "t"))(2.0, 3.0) == (3.0, 2.0),
    ),
    "matrices side by side": (
        lambda: dd.jacobian(np.matmul)(A, X), ValueError,
        ("jacobian() of several arguments puts their columns side by side, which needs numbers and 1-D arrays; f got "
         "shapes [(2, 2), (2,)]. Use jacobian(f, argnums=(0, 1)) for one block per argument."),
        lambda: [J.shape for J in dd.jacobian(np.matmul, argnums=(0, 1))(A, X)] == [(2, 2, 2), (2, 2)],
    ),
    "points acting together": (
        lambda: dd.derivative(np.sum)(X), ValueError,
        ("derivative() of an array of points needs f applied to each point on its own; for (2,) points f returned "
         "shape (). Use gradient(f) or jacobian(f) where points act together."),
        lambda: dd.gradient(np.sum)(X).tolist() == dd.jacobian(np.sum)(X).tolist() == [1.0, 1.0],
    ),
    "derivative by a container": (
        lambda: dd.derivative(lambda p: p[0])((1.0, 2.0)), TypeError,
        "derivative() is by a number or an array of points; for containers use gradient or jacobian",
        lambda: dd.gradient(lambda p: p[0])((1.0, 2.0)) == dd.jacobian(lambda p: p[0])((1.0, 2.0)) == (1.0, 0.0),
    ),
    "text as a point": (
        lambda: dd.jacobian(lambda s, t: t)("text", 2.0), TypeError,
        ("jacobian() differentiates by numbers and arrays; argument 0 of f is 'text'. Say which arguments to "
         "differentiate by: jacobian(f, argnums=...)"),
        lambda: dd.jacobian(lambda s, t: t, argnums=1)("text", 2.0) == 1.0,
    ),
    "chunk_size": (
        lambda: dd.jacobian(double, chunk_size=0), ValueError,
        "chunk_size is how many input directions one pass carries, or None for all; it got 0",
        lambda: dd.jacobian(double, chunk_size=None)(2.0) == 2.0,
    ),
    "mode": (
        lambda: dd.jacobian(double, mode="backward"), ValueError,
        "jacobian() knows mode='forward', mode='reverse' and mode='auto'; it got 'backward'",
        lambda: dd.jacobian(double, mode="forward")(2.0) == 2.0,
    ),
    "order": (
        lambda: dd.derivatives(double, -1), ValueError,
        "derivatives(f, order) needs a whole number that is not negative as its order; it got -1",
        lambda: dd.derivatives(double, 0)(2.0) == (4.0,),
    ),
    "derivatives of two arguments": (
        lambda: dd.derivatives(product, 1)(2.0, 3.0), TypeError,
        "derivatives(f, order)(t) takes one number, or one array of points; fix other arguments by a lambda",
        lambda: dd.derivatives(lambda s: product(s, 3.0), 1)(2.0) == (6.0, 3.0),
    ),
    "fewer tangents": (
        lambda: dd.jvp(product, (2.0, 3.0), (1.0,)), ValueError,
        "jvp() got 2 primal(s) and 1 tangent(s): give one tangent for each primal",
        lambda: dd.jvp(product, (2.0, 3.0), (1.0, 0.0)) == (6.0, 3.0),
    ),
    "a bare tangent": (
        lambda: dd.jvp(product, (2.0, 3.0), 1.0), TypeError,
        "jvp() got a tuple of 2 primals, so it needs a tuple of as many tangents; it got 1.0",
    ),
    "a tangent of another shape": (
        lambda: dd.jvp(double, X, np.ones(3)), ValueError,
        "tangent 0 of jvp() has shape (3,) and its primal (2,): give both one shape",
        lambda: dd.jvp(double, X, np.ones(2))[1].tolist() == [2.0, 2.0],
    ),
    "a tangent of another structure": (
        lambda: dd.jvp(lambda p: p[0], ((1.0, 2.0),), ((1.0,),)), ValueError,
        "tangent 0 of jvp() does not fit: it is built as (an array), and its primal as (an array, an array)",
        lambda: dd.jvp(lambda p: p[0], ((1.0, 2.0),), ((1.0, 0.0),)) == (1.0, 1.0),
    ),
    "text as a tangent": (
        lambda: dd.jvp(double, 1.0, "text"), TypeError,
        "tangent 0 of jvp() is made of numbers, like primal 0; it has 'text'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_slips(slip):
    """A slip in the question is named as a whole, and what the message offers works."""
    call, error, text, *ways_out = SLIPS[slip]

    assert told(error, text, call)
    assert all(way_out() for way_out in ways_out)


@pytest.mark.parametrize("transform", [dd.derivative, dd.gradient, dd.jacobian, dd.hessian])
def test_argnums_must_name_something(transform):
    """No argument at all, or one that can be meant in two ways, is an error that speaks of argnums."""

    def variadic(a, *rest, k=5.0):
        return a + sum(rest) * k

    with pytest.raises((TypeError, ValueError), match="argnums"):
        transform(product, argnums=())(2.0, 3.0)
    for name in ("k", "rest"):
        with pytest.raises((TypeError, ValueError), match="argnums"):
            transform(variadic, argnums=name)(1.0, 2.0, 3.0)


# --- Duals and NumPy's functions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: dd.Dual("a"), TypeError, "Dual() needs a number or an array of numbers as its value; it got 'a'"),
    (lambda: dd.Dual(1.0, None), TypeError, "Dual() needs a number or an array of numbers as its tangent; it got None"),
    (lambda: dd.Dual(X, np.ones(3)), ValueError, (
        "the tangent has shape (3,) and the value (2,): give each number of the value its own tangent, or one number "
        "for all")),
    (lambda: dd.Dual(dd.Dual(1.0), 1.0), TypeError, (
        "Dual(value, tangent) is made of plain numbers; it got a Dual, whose tangent would be confused with the new "
        "one. For a second derivative use derivatives(f, 2), or nest derivative(derivative(f)).")),
    (lambda: pow(dd.Dual(3.0, 1.0), 2, 5), TypeError,
     "pow(x, y, modulus) is about whole numbers and has no derivative; leave the modulus out"),
    (lambda: np.array(dd.Dual(X), copy=False), ValueError, "a Dual array becomes an object array by copying only"),
    (lambda: np.unwrap(dd.Dual(X)), dd.NoRuleError, (
        "numpy.unwrap met a Dual, and the tables have no rule for it. Write one with dualdiff.rule(numpy.unwrap, "
        "jvp=...), where jvp(primals, tangents) returns (y, dy), or take x.value to continue without the derivative.")),
    (lambda: np.nextafter(dd.Dual(X), 3.0), dd.NoRuleError, (
        "numpy.nextafter has no derivative: it steps from one machine number to the next. Take x.value to continue "
        "without it.")),
    (lambda: np.gcd(dd.Dual(3.0), 2), dd.NoRuleError,
     "numpy.gcd has no derivative: it is about whole numbers or bits. Take x.value to continue without it."),
    (lambda: np.arctan2.reduce(dd.Dual(A), axis=(0, 1)), dd.NoRuleError,
     "numpy.arctan2.reduce on a Dual takes one axis and no where=; write the reduction as a loop instead"),
    (lambda: np.einsum(dd.Dual(X), [0], [0]), dd.NoRuleError, (
        "numpy.einsum met a Dual in an argument that its rule does not differentiate. Take x.value there if the "
        "argument is to count as a constant.")),
    (lambda: np.cross(dd.Dual(X), X), ValueError, (
        "numpy.cross of a Dual takes vectors of 3 components; these have 2 and 2. In the plane write "
        "a[0] * b[1] - a[1] * b[0]")),
    (lambda: dd.sin([dd.Dual(1.0), X]), ValueError,
     "a list of a Dual is read as one array, but its rows have different shapes: [(), (2,)]"),
    (lambda: np.maximum(dd.Dual(1j, 1.0), 0), dd.NoRuleError, (
        "numpy.maximum has no rule for complex numbers: write it in functions that have one ('>' not supported between "
        "instances of 'complex' and 'int')")),
    (lambda: dd.nonsense, AttributeError, "module 'dualdiff' has no attribute 'nonsense'"),
])  # fmt: skip
def test_what_a_dual_cannot_do(call, error, text):
    """What cannot be made a Dual, or of one, is said as a whole."""
    assert told(error, text, call)


# --- f fails --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASK)
@pytest.mark.parametrize("kind", [TypeError, ValueError, ZeroDivisionError, KeyError, StopIteration, KeyboardInterrupt])
def test_the_users_own_exceptions(name, kind):
    """An exception raised in f comes through as it is, from one run of f, with f's own frame last."""
    mine, runs = kind("mine"), []

    def f(x):
        runs.append(x)
        raise mine

    with pytest.raises(kind) as caught:
        ASK[name](f)(2.0)
    assert caught.value is mine
    assert mine.__cause__ is mine.__context__ is None
    assert len(runs) == 1
    assert caught.traceback[-1].frame.code.raw is f.__code__


def test_a_type_error_behind_a_wrapper():
    """The arguments f takes are those of the wrapper, not of what it wraps."""

    @functools.wraps(product)
    def wrapper(x):
        message = "mine"
        raise TypeError(message)

    for ask in ASK.values():
        with pytest.raises(TypeError, match=r"^mine$"):
            ask(wrapper)(2.0)
