"""dualdiff.rule: a function handed over with its own derivative, which then works wherever the tables do."""

import math

import numpy as np
import pytest

import dualdiff as dd
from dualdiff.rules.book import RULES

X = np.array([0.3, -0.7, 1.1])
CHUNKS = (1, 2, None)


def approx(expected):
    """Return what equals `expected` to the last digits."""
    return pytest.approx(expected, rel=1e-13, abs=1e-13)


@pytest.fixture
def book():
    """Take the entries that a test makes out of the tables again."""
    before = set(RULES)
    yield RULES
    for function in set(RULES) - before:
        del RULES[function]


# Each is a softplus, whose code has another slope than its rule (twice the logistic function), so that a test sees
# which of the two it got; the rule's own slope is 2σ(1 - σ).
def sigma(x):
    """Return the logistic function."""
    return 1 / (1 + np.exp(-x))


def softplus(x):
    """Return log(1 + exp(x))."""
    return np.logaddexp(0.0, x)


@dd.rule(partials=lambda x, y: 2 * sigma(x))
def decorated(x):
    """Return log(1 + exp(x)) with a rule."""
    return np.logaddexp(0.0, x)


@dd.rule(jvp=lambda primals, tangents: (softplus(*primals), 2 * sigma(*primals) * tangents[0]))
def by_jvp(x):
    """Return log(1 + exp(x)) with a jvp."""
    return np.logaddexp(0.0, x)


SOFTPLUS = {
    "decorator": decorated, "call": dd.rule(softplus, partials=lambda x, y: 2 * sigma(x)),
    "list": dd.rule(softplus, partials=[lambda x, y: 2 - 2 * np.exp(-y)]),
    "jvp": by_jvp, "jvp call": dd.rule(softplus, jvp=lambda p, t: (softplus(p[0]), t[0] * 2 * sigma(p[0]))),
    "branches": dd.rule(softplus, partials=lambda x, y: 2 * (sigma(x) if np.all(x == x) else x)),
    "math": dd.rule(softplus, partials=np.vectorize(lambda x, y: 2 / (1 + math.exp(-x)), otypes=[float])),
    "shape": dd.rule(softplus, partials=lambda x, y: np.full(np.shape(x), 2.0) * sigma(x)),
    "attribute": dd.rule(softplus, partials=lambda x, y: (2.0 + np.zeros(x.shape)) * sigma(x)),
}  # fmt: skip


@pytest.mark.parametrize("name", SOFTPLUS)
def test_the_rule_is_the_derivative(name):
    """The rule's derivative is the one that counts, of numbers, arrays and lists, with its value untouched."""
    f, s = SOFTPLUS[name], sigma(X)

    assert f(0.3) == approx(np.logaddexp(0.0, 0.3))
    assert dd.value_and_derivative(f)(0.3) == approx((softplus(0.3), 2 * s[0]))
    assert dd.derivative(f)(X) == approx(2 * s)
    assert dd.derivative(f)(list(X)) == approx(2 * s)
    for chunk_size in CHUNKS:
        assert dd.jacobian(f, chunk_size=chunk_size)(X) == approx(np.diag(2 * s))
        assert dd.jacobian(lambda x: f(x[:2]) * x[2], chunk_size=chunk_size)(X) == approx(
            np.column_stack([np.diag(2 * s[:2] * X[2]), softplus(X[:2])])
        )
    assert dd.gradient(lambda x: np.sum(f(x * x)))(np.arange(6.0)) == approx(
        4 * np.arange(6.0) * sigma(np.arange(6.0) ** 2)
    )
    assert dd.jvp(f, X, X)[1] == approx(2 * s * X)
    assert dd.derivative(lambda t: t * f(2.0))(5.0) == approx(softplus(2.0))


@pytest.mark.parametrize("name", [name for name in SOFTPLUS if name not in {"math", "list"}])
def test_higher_orders(name):
    """The rule's own code is differentiated for the second derivative, in every nesting."""
    f, s = SOFTPLUS[name], sigma(X)

    assert dd.derivatives(f, 2)(0.3) == approx((softplus(0.3), 2 * s[0], 2 * s[0] * (1 - s[0])))
    assert dd.derivative(dd.derivative(f))(0.3) == approx(2 * s[0] * (1 - s[0]))
    assert dd.hessian(lambda x: np.sum(f(x)))(X) == approx(np.diag(2 * s * (1 - s)))
    assert dd.derivative(lambda a: dd.derivative(lambda x: a * f(x))(0.3))(7.0) == approx(2 * s[0])
    assert dd.hvp(lambda x: np.sum(f(x)))(X, X) == approx(2 * s * (1 - s) * X)


def test_a_rule_that_branches_and_calls_math():
    """A partial may look at the number it gets, and may use math."""
    relu = dd.rule(lambda x: max(x, 0.0), partials=lambda x, y: 1.0 if x > 0 else 0.25 if x == 0 else 0.0)
    growth = dd.rule(math.exp, partials=lambda x, y: math.exp(x))

    assert [dd.derivative(relu)(x) for x in (2.0, 0.0, -2.0)] == [1.0, 0.25, 0.0]
    assert dd.gradient(lambda x: relu(x[0]) * relu(x[1]) * growth(x[2]))([2.0, 3.0, 0.0]).tolist() == [3.0, 2.0, 6.0]
    assert dd.jacobian(lambda x: relu(x[0]) * x[1], chunk_size=None)([2.0, 3.0]).tolist() == [3.0, 2.0]


@pytest.mark.parametrize("how", ["partials", "jvp"])
def test_several_arguments(how):
    """Each argument has its partial; those that do not move contribute nothing, be their slope infinite."""
    f = lambda x, y, z=1.0: x**2 * np.sqrt(y) * z
    slopes = (lambda x, y, z, w: 2 * w / x, lambda x, y, z, w: x**2 * z / (2 * np.sqrt(y)), lambda x, y, z, w: w / z)

    def jvp(p, t):
        terms = [slope(*p, f(*p)) * v for slope, v in zip(slopes, t, strict=True) if np.any(v != 0)]
        return f(*p), sum(terms, np.zeros(np.shape(f(*p)))[()])

    g = dd.rule(f, partials=slopes) if how == "partials" else dd.rule(f, jvp=jvp)
    assert dd.gradient(g)(3.0, 4.0, 5.0).tolist() == [60.0, 11.25, 18.0]
    assert dd.derivative(lambda y: g(3.0, y, 5.0))(4.0) == 11.25
    assert dd.derivative(g, 1)(3.0, 4.0, 5.0) == 11.25
    with np.errstate(divide="ignore"):
        assert dd.derivative(lambda x: g(x, 0.0, 5.0))(3.0) == 0.0
    assert dd.jacobian(lambda x, z: g(x, np.array([4.0, 9.0]), z))(3.0, 5.0).tolist() == [[60.0, 18.0], [90.0, 27.0]]
    assert dd.hessian(lambda x, y: g(x, y, 5.0))(3.0, 4.0) == approx(np.array([[20.0, 7.5], [7.5, -45 / 32]]))
    assert dd.jacobian(lambda x: g(x[:, None], 4.0, x), chunk_size=None)(X[::2]) == approx(
        dd.jacobian(lambda x: f(x[:, None], 4.0, x))(X[::2])
    )


def test_results_that_are_not_elementwise():
    """A jvp may be of any function: of matrices, of other shapes than its arguments, of several results."""

    def mean_jvp(primals, tangents):
        return np.mean(primals[0], axis=0), 2 * np.mean(tangents[0], axis=0)

    def polar_jvp(primals, tangents):
        (x, y), (dx, dy) = primals, tangents
        r = np.hypot(x, y)
        return (r, np.arctan2(y, x)), ((x * dx + y * dy) / r, (x * dy - y * dx) / r**2)

    mean = dd.rule(lambda a: np.mean(a, axis=0), jvp=mean_jvp)
    polar = dd.rule(lambda x, y: (np.hypot(x, y), np.arctan2(y, x)), jvp=polar_jvp)
    for chunk_size in CHUNKS:
        assert dd.jacobian(mean, chunk_size=chunk_size)(np.ones((2, 1))).tolist() == [[[1.0], [1.0]]]
        found = dd.jacobian(lambda v: polar(v[0], v[1]), chunk_size=chunk_size)(np.array([3.0, 4.0]))
        assert found[0] == approx(np.array([0.6, 0.8]))
        assert found[1] == approx(np.array([-0.16, 0.12]))
    assert dd.derivative(polar, 0)(3.0, 4.0) == approx((0.6, -0.16))


def test_keywords():
    """What is given by keyword reaches f and its jvp; a Dual there goes through the rule or is refused."""

    def power_jvp(primals, tangents, n=2):
        return primals[0] ** n, 10 * n * primals[0] ** (n - 1) * tangents[0]

    power = dd.rule(lambda x, n=2: x**n, jvp=power_jvp)
    assert dd.derivative(lambda x: power(x, n=3))(2.0) == 120.0
    assert dd.derivative(power)(2.0) == 40.0
    assert power(3.0, n=3) == 27.0
    for f in (power, dd.rule(lambda x, n=2: x**n, partials=lambda x, y: 20 * x)):
        try:
            found = dd.derivative(lambda x: f(x=x))(2.0)  # noqa: B023 - called at once
        except TypeError:
            continue
        assert found == 40.0


def test_a_partial_that_does_not_know_a_keyword():
    """With a setting that its partials do not take, a function is refused, or differentiated right."""

    @dd.rule(partials=lambda x, y: 2 * x)
    def power(x, n=2):
        return x**n

    assert dd.derivative(power)(2.0) == 4.0
    try:
        found = dd.derivative(lambda x: power(x, n=3))(2.0)
    except TypeError:
        return
    assert found == 12.0


def test_partials_that_read_the_world():
    """A partial is asked anew each time, so that it may depend on something that changes, or on an array."""
    state = {"k": 2.0}
    weights = np.arange(3000.0) / 7
    linear = dd.rule(lambda x: state["k"] * x, partials=lambda x, y: state["k"])
    square = dd.rule(lambda x: state["k"] * x * x, partials=lambda x, y: 2 * state["k"] * x)
    weighted = dd.rule(lambda x: weights * x * x / 2, partials=lambda x, y: weights * x)
    scaled = dd.rule(lambda x: weights * x, partials=weights)

    for k in (2.0, 9.0, -1.0):
        state["k"] = k
        assert dd.derivative(linear)(1.0) == k
        assert dd.derivative(square)(1.0) == 2 * k
        assert dd.derivative(square)(X) == approx(2 * k * X)
    assert (dd.derivative(weighted)(np.ones(3000)) == weights).all()
    assert (dd.derivative(scaled)(np.ones(3000)) == weights).all()
    assert (dd.gradient(lambda t: np.sum(weighted(t * np.ones(3000))))(1.0)) == approx(np.sum(weights))


def test_constant_partials():
    """A number stands for a constant partial; float32 and complex pass as they do in the tables."""
    twice = dd.rule(lambda x: 2 * x, partials=5.0)

    assert dd.derivatives(twice, 2)(3.0) == (6.0, 5.0, 0.0)
    assert dd.derivative(twice)(np.ones(2, np.float32)).dtype == np.float32
    assert dd.derivative(twice)(1j) == 5.0
    still = dd.rule(lambda x: x * 1.0, partials=0.0)
    assert dd.jacobian(lambda x: still(x) * x)(X) == approx(np.diag(X))


def test_duals_that_have_returned():
    """A rule met by a Dual of a finished derivative is called with the plain number."""
    kept = []
    dd.derivative(lambda x: kept.append(x) or x)(0.3)

    for f in SOFTPLUS.values():
        assert dd.derivative(lambda x: x * f(kept[0]))(1.0) == approx(softplus(0.3))  # noqa: B023 - called at once


def test_the_decorated_function_keeps_its_name():
    """A rule changes neither name nor docstring, nor what plain numbers give."""
    assert decorated.__name__ == "decorated"
    assert decorated.__doc__ == "Return log(1 + exp(x)) with a rule."
    assert (decorated(X) == softplus(X)).all()


def test_a_numpy_function_without_a_rule(book):
    """A NumPy function the tables lack gets one, by partials or by jvp, and is then called by its own name."""
    special = pytest.importorskip("scipy.special")
    with pytest.raises(dd.NoRuleError, match=r"Write one with dualdiff\.rule\(numpy\.unwrap, jvp="):
        dd.derivative(lambda t: np.unwrap(t * X[:2]))(1.0)
    if np.i0 not in book:
        assert dd.rule(np.i0, partials=lambda x, y: special.i1(np.abs(x)) * np.sign(x)) is np.i0
        assert dd.derivative(np.i0)(1.5) == pytest.approx(special.i1(1.5), rel=1e-14)
        assert dd.jacobian(np.i0, chunk_size=2)(X) == pytest.approx(np.diag(special.i1(X)), rel=1e-12)


@pytest.mark.parametrize("function", [np.vectorize(softplus), np.polynomial.polynomial.polyval, np.unwrap], ids=repr)
def test_numpy_functions_that_do_not_ask(book, function):
    """A function of NumPy's that does not ask its arguments is wrapped like a user's, or refused; not ignored."""
    if function in book:
        pytest.skip("the tables have it")
    x = (0.3, [1.0, 2.0]) if "polyval" in repr(function) else (X,)
    try:
        ruled = dd.rule(function, jvp=lambda p, t: (function(*p), 77.0 * t[0]))
    except (TypeError, ValueError):
        return
    assert dd.derivative(ruled, 0)(*x) == approx(77.0 * np.ones(np.shape(x[0])))


def test_a_ufunc_of_ones_own(book):
    """A ufunc made by np.frompyfunc has a rule once it is given one."""
    cube = np.frompyfunc(lambda x: x**3, 1, 1)
    dd.rule(cube, partials=lambda x, y: 3 * x * x)

    assert dd.derivative(cube)(2.0) == 12.0


@pytest.mark.parametrize("function", [np.sin, np.sum, np.reshape, np.floor, np.gcd, np.var, np.zeros])
def test_a_second_rule_is_refused(function):
    """A function that the tables have is not entered twice, whatever kind of entry it has."""
    kind = type(RULES[function]).__name__
    text = rf"^numpy\.{function.__name__} is in the tables already, as a {kind}"

    with pytest.raises(ValueError, match=text):
        dd.rule(function, partials=lambda x, y: 1.0)
    with pytest.raises(ValueError, match=text):
        dd.rule(function, jvp=lambda p, t: (p[0], t[0]))


@pytest.mark.parametrize("call", [
    lambda: dd.rule(softplus), lambda: dd.rule(softplus, partials=1.0, jvp=print), lambda: dd.rule(3.0, partials=1.0),
])  # fmt: skip
def test_half_a_rule(call):
    """A rule is f and one of partials and jvp; the message says so, and both work (see above)."""
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == (
        "rule(f, partials=...) is for elementwise f, rule(f, jvp=...) for any other: give f and one of the two"
    )


def test_a_rule_that_does_not_fit():
    """A rule of too few partials, or one that gives no number or another shape, is an error and never an answer."""
    f = lambda x, y: x * y

    for bad in (
        dd.rule(f, partials=[lambda x, y, z: y]), dd.rule(f, partials=lambda x, y: 1.0),
        dd.rule(f, partials=[1.0, 1.0, 1.0]), dd.rule(f, partials=["text", 1.0]), dd.rule(f, jvp=lambda p, t: None),
        dd.rule(f, jvp=lambda p, t: f(*p)), dd.rule(f, jvp=lambda p, t: (f(*p), np.ones(3))),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            dd.derivative(lambda t: bad(t, t))(2.0)  # noqa: B023 - called at once
        with pytest.raises((TypeError, ValueError)):
            dd.jacobian(lambda t: bad(t, t), chunk_size=None)(np.ones(2))  # noqa: B023
