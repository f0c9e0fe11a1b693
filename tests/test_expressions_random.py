"""Random expressions: derivatives of any order and in any mode against differences taken with 100 digits in mpmath."""

import operator
from functools import reduce

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from mpmath import mp, mpf

import dualdiff as dd

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
STEP = mpf(10) ** -25  # of differences whose error is then 1e-50, in 100 digits
ROUNDING = mpf(2) ** -53
SLACK = 300  # how many roundings an operation and its partials may take, generously


class Unsuitable(Exception):  # noqa: N818 - a signal to draw another expression
    """Raised near a kink, a pole or a number too large, where a comparison says little."""


def require(holds):
    """Leave the expression unless `holds`."""
    if not holds:
        raise Unsuitable


def apart(f):
    """Return f of two operands that are far from a tie."""

    def chosen(x, y):
        require(abs(x - y) > 1e-2)
        return f(x, y)

    return chosen


def _divide(x, y):
    require(abs(y) > 0.1)
    return x / y


def _arctan2(x, y):
    require(x * x + y * y > 0.01)
    require(y > 0 or abs(x) > 0.01)
    return mp.atan2(x, y)


def _off_zero(x):
    require(abs(x) > 1e-2)
    return abs(x)


def _hypot(x, y):
    require(x * x + y * y > 0.01)
    return mp.sqrt(x * x + y * y)


# name: what mpmath computes; the library is asked for the NumPy function of that name.
UNARY = {
    "negative": operator.neg, "square": lambda x: x * x, "sin": mp.sin, "cos": mp.cos, "arctan": mp.atan,
    "tanh": mp.tanh, "arcsinh": mp.asinh, "exp": mp.exp, "expm1": lambda x: mp.exp(x) - 1, "sinh": mp.sinh,
    "cosh": mp.cosh, "exp2": lambda x: mp.power(2, x), "absolute": _off_zero, "radians": lambda x: x * mp.pi / 180,
    "sinc": lambda x: mp.sinpi(x) / (mp.pi * x) if x else mpf(1),
}  # fmt: skip
# Functions with a bounded domain get an operand made to lie in it.
OF_POSITIVE = {
    "sqrt": mp.sqrt, "log": mp.log, "log2": lambda x: mp.log(x) / mp.log(2), "log10": mp.log10, "cbrt": mp.cbrt,
    "log1p": lambda x: mp.log(1 + x), "reciprocal": lambda x: 1 / x,
}  # fmt: skip
OF_SMALL = {"arcsin": mp.asin, "arccos": mp.acos, "arctanh": mp.atanh, "tan": mp.tan}
BINARY = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": _divide, "hypot": _hypot,
    "arctan2": _arctan2, "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)), "maximum": apart(max),
    "minimum": apart(min),
}  # fmt: skip
OPERATORS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
             "negative": operator.neg, "absolute": abs}  # fmt: skip
CONSTANTS = st.sampled_from([0.5, -1.25, 3, 0.3, 2, -1])


def grown(part):
    """Return the expressions that are one operation on smaller ones."""
    positive = part.map(lambda e: ("add", ("multiply", e, e), 0.75))
    small = part.map(lambda e: ("multiply", 0.75, ("tanh", e)))
    return st.one_of(
        st.tuples(st.sampled_from(list(UNARY)), part),
        st.tuples(st.sampled_from(list(BINARY)), part, part),
        st.tuples(st.sampled_from(list(BINARY)), part, part),
        st.tuples(st.sampled_from(list(OF_POSITIVE)), positive),
        st.tuples(st.sampled_from(list(OF_SMALL)), small),
        st.tuples(st.just("power"), part, st.sampled_from([2, 3, 2.0])),
        st.tuples(st.just("power"), positive, st.sampled_from([0.5, -1.5, -1])),
        st.tuples(st.just("power"), positive, part),
    )


LEAVES = st.one_of(st.sampled_from(["x", "y"]), st.sampled_from(["x", "y"]), CONSTANTS)
EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=8)
POINTS = st.tuples(*[st.floats(-2, 2).map(lambda v: round(v, 6)) for _ in "xy"])


def evaluate(tree, functions, x, y, each=lambda value: value):
    """Compute an expression with the given functions; `each` sees every intermediate result."""
    if tree in ("x", "y"):
        return x if tree == "x" else y
    if not isinstance(tree, tuple):
        return tree
    name, *operands = tree
    return each(functions[name](*[evaluate(operand, functions, x, y, each) for operand in operands]))


def spelled(spelling):
    """Return the functions as a user writes them: operators and np.sin, dd.sin, or NumPy's functions alone."""
    names = [*UNARY, *OF_POSITIVE, *OF_SMALL, *BINARY, "power"]
    if spelling == "functions":
        return {name: getattr(np, name) for name in names}
    module = dd if spelling == "dualdiff" else np
    return {name: OPERATORS.get(name) or getattr(module, name, None) for name in names} | {"power": operator.pow}


SPELLINGS = {s: spelled(s) for s in ("dualdiff", "numpy", "functions")}
EXACT = {**UNARY, **OF_POSITIVE, **OF_SMALL, **BINARY, "power": mp.power}


def slopes(f, x, y):
    """Return value, gradient and Hessian of f at (x, y) by central differences."""
    h = STEP
    at = {(i, j): f(x + i * h, y + j * h) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    by_x, by_y = (at[1, 0] - at[-1, 0]) / (2 * h), (at[0, 1] - at[0, -1]) / (2 * h)
    xx, yy = (at[1, 0] - 2 * at[0, 0] + at[-1, 0]) / h**2, (at[0, 1] - 2 * at[0, 0] + at[0, -1]) / h**2
    xy = (at[1, 1] - at[1, -1] - at[-1, 1] + at[-1, -1]) / (4 * h**2)
    return np.array([at[0, 0], by_x, by_y, xx, xy, yy], dtype=object)


def truth(tree, x, y):
    """Return value, ∂x, ∂y, ∂xx, ∂xy, ∂yy of an expression, and how far floats may be off in each.

    The latter by experiment: every intermediate result is multiplied by 1 + ε·(a random polynomial), as rounding
    does, and what then happens to the slopes is measured.
    """
    rng = np.random.default_rng(7)

    def sized(value):
        require(mp.isfinite(value) and abs(value) < 1e4)
        return value

    def rounded(u, v, seed):
        noise = iter(np.random.default_rng(seed).standard_normal((200, 6)))

        def each(value):
            s, t = u - x, v - y
            a, b, c, d, e, f = next(noise)
            return value * (1 + ROUNDING * (a + b * s + c * t + d * s * s + e * s * t + f * t * t))

        return evaluate(tree, EXACT, u, v, each)

    with mp.workdps(100):
        x, y = mpf(x), mpf(y)
        try:
            exact = slopes(lambda u, v: mpf(evaluate(tree, EXACT, u, v, sized)), x, y)
            require(all(abs(value) < 1e8 for value in exact))
            off = [
                np.abs(slopes(lambda u, v, seed=seed: mpf(rounded(u, v, seed)), x, y) - exact)
                for seed in rng.integers(0, 2**31, 4)
            ]
        except (Unsuitable, ZeroDivisionError):
            assume(condition=False)
    floor = 8 * float(ROUNDING) * np.abs(exact.astype(float)) + 1e-15
    return exact.astype(float), SLACK * np.max(np.array(off).astype(float), axis=0) + SLACK * floor


def assert_close(expected, found, allowed):
    """Assert that every number found is as near to the expected one as allowed."""
    off = np.abs(np.asarray(found, float) - expected) - allowed

    assert np.all(off <= 0), f"expected {expected}, found {np.asarray(found, float)}, allowed {allowed}"


@pytest.mark.parametrize("spelling", SPELLINGS)
@EXAMPLES
@given(EXPRESSIONS, POINTS)
def test_scalars(spelling, tree, point):
    """Gradient and Hessian of numbers, and the derivatives along one of them."""
    (x, y), functions = point, SPELLINGS[spelling]
    expected, allowed = truth(tree, x, y)
    f = lambda s, t: evaluate(tree, functions, s, t)
    value, gradient = dd.value_and_gradient(f)(x, y)
    hessian = dd.hessian(f)(x, y)
    along_y = dd.derivatives(lambda t: f(x, t), 2)(y)

    assert_close(expected, [value, *gradient, hessian[0, 0], hessian[0, 1], hessian[1, 1]], allowed)
    assert_close(expected[4], hessian[1, 0], allowed[4])
    assert_close(expected[[0, 2, 5]], along_y, allowed[[0, 2, 5]])
    assert_close(expected[1], dd.derivative(lambda s: f(s, y))(x), allowed[1])


@pytest.mark.parametrize("spelling", ["numpy", "functions"])
@EXAMPLES
@given(EXPRESSIONS, POINTS)
def test_arrays(spelling, tree, point):
    """Elementwise on arrays, one direction per pass and all in one pass: the numbers of the scalars."""
    (x, y), functions = point, SPELLINGS[spelling]
    expected, allowed = truth(tree, x, y)
    X, Y = np.array([[x, x, x]]), np.array([[y], [y]])
    f = lambda s, t: evaluate(tree, functions, s, t) + 0 * (s + t)
    by_x, by_y = dd.derivative(lambda s: f(s, Y[:, :1] + 0 * X))(X + 0 * Y), dd.derivative(lambda t: f(x, t))(Y)
    second = dd.derivatives(lambda t: f(x, t), 2)(Y)[2]

    for found, i in ((by_x, 1), (by_y, 2), (second, 5)):
        assert_close(np.full(np.shape(found), expected[i]), found, allowed[i])
    for chunk_size in (1, 2, None):
        blocks = dd.jacobian(f, argnums=(0, 1), chunk_size=chunk_size)(X, Y)
        for block, i in zip(blocks, (1, 2), strict=True):
            flat = block.reshape(2, 3, -1)
            own = np.arange(3) if i == 1 else np.arange(2)[:, None]
            mask = own[..., None] == np.arange(flat.shape[2]) if i == 1 else own[:, :, None] == np.arange(flat.shape[2])
            mask = np.broadcast_to(mask, flat.shape)

            assert_close(np.full(mask.sum(), expected[i]), flat[mask], allowed[i])
            assert not flat[~mask].any()


@EXAMPLES
@given(EXPRESSIONS, POINTS)
def test_many_directions_at_once(tree, point):
    """A gradient and a Hessian of many inputs, where several directions share one pass, and of scalars among them."""
    (x, y), functions = point, SPELLINGS["numpy"]
    expected, allowed = truth(tree, x, y)
    X = np.array([x, 0.5, y, 0.25, -1.0, 2.0])
    f = lambda v: evaluate(tree, functions, v[0], v[2]) + 0.0 * v[1]
    gradient, hessian = dd.gradient(f)(X), dd.hessian(f)(X)
    columns = dd.jacobian(f, chunk_size=None)(X)
    rows = dd.jacobian(dd.gradient(f), chunk_size=None)(X)

    assert_close(expected[1:3], gradient[[0, 2]], allowed[1:3])
    assert_close(expected[1:3], columns[[0, 2]], allowed[1:3])
    for found in (hessian, rows):
        assert_close(expected[3:], found[[0, 0, 2], [0, 2, 2]], allowed[3:])
        assert not np.delete(np.delete(found, [0, 2], 0), [0, 2], 1).any()


@EXAMPLES
@given(EXPRESSIONS, POINTS, st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_directional_derivative_is_linear(tree, point, direction):
    """J·(a·u + b·v) = a·J·u + b·J·v, of numbers and of arrays."""
    (x, y), (a, b) = point, direction
    expected, allowed = truth(tree, x, y)
    f = lambda s, t: evaluate(tree, SPELLINGS["numpy"], s, t) + 0.0 * s
    room = 2 * (allowed[1] * abs(a) + allowed[2] * abs(b)) + 1e-14

    assert_close(a * expected[1] + b * expected[2], dd.jvp(f, (x, y), (a, b))[1], room)
    one = np.ones(2)
    assert_close(a * expected[1] + b * expected[2], dd.jvp(f, (x * one, y * one), (a * one, b * one))[1], room)


IDENTITIES = {
    "sin² + cos² = 1": (lambda f, g: np.sin(f) ** 2 + np.cos(f) ** 2, lambda f, g: 1.0 + 0 * f),
    "cosh² - sinh² = 1": (lambda f, g: (np.cosh(f) - np.sinh(f)) * (np.cosh(f) + np.sinh(f)), lambda f, g: 1.0 + 0 * f),
    "log(exp f) = f": (lambda f, g: np.log(np.exp(f)), lambda f, g: f),
    "tanh = sinh/cosh": (lambda f, g: np.sinh(f) / np.cosh(f), lambda f, g: np.tanh(f + 0 * g)),
    "f·g = (f+g)²/4 - (f-g)²/4": (lambda f, g: (f + g) ** 2 / 4 - (f - g) ** 2 / 4, lambda f, g: f * g),
    "sin(f + g)": (lambda f, g: np.sin(f) * np.cos(g) + np.cos(f) * np.sin(g), lambda f, g: np.sin(f + g)),
    "exp(f + g)": (lambda f, g: np.exp(f) * np.exp(g), lambda f, g: np.exp(f + g)),
    "f/g = f·g⁻¹": (lambda f, g: f / (g * g + 1), lambda f, g: f * (g * g + 1) ** -1),
    "max + min = f + g": (lambda f, g: np.maximum(f, g) + np.minimum(f, g), lambda f, g: f + g),
    "max - min = |f - g|": (lambda f, g: np.maximum(f, g) - np.minimum(f, g), lambda f, g: abs(f - g)),
    "hypot = √(f² + g²)": (np.hypot, lambda f, g: np.sqrt(f * f + g * g)),
    "arctan2 = arctan": (lambda f, g: np.arctan2(f, g * g + 1), lambda f, g: np.arctan(f / (g * g + 1))),
    "logaddexp": (np.logaddexp, lambda f, g: np.log(np.exp(f) + np.exp(g))),
    "p^f = exp(f·log p)": (lambda f, g: (g * g + 1) ** f, lambda f, g: np.exp(f * np.log(g * g + 1))),
    "divmod": (lambda f, g: f - f % (g * g + 1), lambda f, g: (f // (g * g + 1)) * (g * g + 1)),
}


@pytest.mark.parametrize("of", [np.float64, lambda x: np.array([x, x])], ids=["scalar", "array"])
@pytest.mark.parametrize(("left", "right"), IDENTITIES.values(), ids=IDENTITIES)
@settings(EXAMPLES, max_examples=15)
@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_identity(left, right, of, numbers):
    """Both sides of an identity have one derivative, and one second derivative, as truncated polynomials do."""
    a, b, c, d = [round(v, 4) for v in numbers]
    f, g = (lambda t: a + b * t), (lambda t: c + d * t + 0.5 * t * t)
    assume(abs(a - c) > 1e-3 and abs(a) + abs(c) > 0.05 and 0.01 < a % (c * c + 1) < c * c + 0.99)
    sides = [dd.derivatives(lambda t, s=side: s(f(t), g(t)), 2)(of(0.0)) for side in (left, right)]

    for one, other in zip(*sides, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@EXAMPLES
@given(EXPRESSIONS, EXPRESSIONS, POINTS)
def test_product_quotient_and_chain_rule(one, other, point):
    """(fg)' = f'g + fg', (f/h)' = (f'h - fh')/h² and (f∘g)' = f'(g)·g', by f and g on their own."""
    (x, y), functions = point, SPELLINGS["numpy"]
    for tree in (one, other):
        truth(tree, x, y)
    f, g = ((lambda t, tree=tree: evaluate(tree, functions, t, y) + 0.0 * t) for tree in (one, other))
    h = lambda t: g(t) ** 2 + 1
    (u, du), (v, dv), (w, dw) = (dd.value_and_derivative(q)(x) for q in (f, g, h))
    inner, d_inner = dd.value_and_derivative(lambda t: np.tanh(g(t)))(x)
    pieces = [du * v, u * dv, dd.derivative(lambda t: f(t) * g(t))(x)]

    assert_close(pieces[0] + pieces[1], pieces[2], 1e-12 * reduce(max, map(abs, pieces), 1.0))
    assert_close((du * w - u * dw) / w**2, dd.derivative(lambda t: f(t) / h(t))(x), 1e-12 * (1 + abs(du) + abs(u * dw)))
    assert_close((1 - inner**2) * dv, d_inner, 1e-12 * (1 + abs(dv)))
