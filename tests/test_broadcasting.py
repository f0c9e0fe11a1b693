"""Operands of any shapes that broadcast, moving or not: slopes against differences in extended precision."""

import operator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import dualdiff as dd
from dualdiff.rules.book import RULES, Line

EXAMPLES = settings(max_examples=25, deadline=None, derandomize=True)
LINES = [line.function for line in RULES.values() if isinstance(line, Line)]
BINARY = {line.function.__name__: line.function for line in RULES.values()
          if isinstance(line, Line) and len(line.partials) == 2 and line.function is not np.ldexp}  # fmt: skip
OPERATORS = {f.__name__: f for f in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
                                     operator.mod, operator.floordiv)}  # fmt: skip
FUNCTIONS = {**BINARY, **OPERATORS, "dd.hypot": dd.hypot, "dd.maximum": dd.maximum, "dd.power": dd.power,
             "divmod": lambda x, y: divmod(x, y)[1]}  # fmt: skip
STEP = np.longdouble(2) ** -10
LONG = np.finfo(np.longdouble).eps < 1e-18  # where a long double is a double, the differences have fewer digits
CLOSE = {"rtol": 1e-10, "atol": 1e-10} if LONG else {"rtol": 1e-7, "atol": 1e-7}


def broadcastable(n):
    """Return n shapes that broadcast: of no axes, of size 0, of one element, of many."""
    return mutually_broadcastable_shapes(num_shapes=n, min_dims=0, max_dims=3, min_side=0, max_side=3)


SEEDS = st.integers(0, 2**32 - 1)
KINDS = st.sampled_from(["both", "first", "second"])
PLAIN = st.sampled_from(["array", "list", "number", "read-only"])


def numbers(rng, shape, i):
    """Return positive numbers; no first ones are near a whole multiple of second ones, where % would jump."""
    if i == 0:
        return rng.uniform(0.6, 0.7, shape) + 0.9 * rng.integers(0, 2, shape)
    return np.where(rng.random(shape) < 0.5, rng.uniform(0.45, 0.47, shape), rng.uniform(2.3, 2.5, shape))


def drawn(seed, shapes):
    """Return values and tangents of operands of these shapes."""
    rng = np.random.default_rng(seed)
    values = [np.asarray(numbers(rng, s, i)) for i, s in enumerate(shapes)]
    return values, [np.asarray(rng.standard_normal(s)) for s in shapes]


def differences(f, order=1):
    """Return the derivative at 0 of t ↦ f(t), extrapolated from four central differences (Richardson 1911)."""
    table = []
    for k in range(4):
        h = STEP / 2**k
        if order == 1:
            table.append((f(h) - f(-h)) / (2 * h))
        else:
            table.append((f(h) - 2 * f(0 * h) + f(-h)) / (h * h))
    for m in range(1, 4):
        table = [(4**m * fine - coarse) / (4**m - 1) for coarse, fine in pairwise(table)]
    return np.asarray(table[0], float)


def along(f, values, tangents):
    """Return t ↦ f at the values moved by t along the tangents, in extended precision."""
    wide = [(np.asarray(v, np.longdouble), np.asarray(t, np.longdouble)) for v, t in zip(values, tangents, strict=True)]
    return lambda h: np.asarray(f(*(v + h * t for v, t in wide)), np.longdouble)


def as_plain(x, kind):
    """Return an operand that does not move, as one of the things a user may have at hand."""
    if kind == "list" and x.size and x.ndim:  # a list does not know that it is of shape (0, 2)
        return x.tolist()
    if kind == "number" and x.ndim == 0:
        return float(x)
    if kind == "read-only":
        x = x.copy()
        x.flags.writeable = False
    return x


def buffers(*operands):
    """Return every piece of memory that the operands hold."""
    parts = [part for x in operands for part in ((x._value, x._tangent) if isinstance(x, dd.Dual) else (x,))]
    return [part for part in parts if isinstance(part, np.ndarray)]


def assert_own_memory(result, *operands):
    """Assert that writing into a result could not change an operand, nor its value its tangent."""
    own = buffers(result)
    others = buffers(*operands)

    assert not any(np.shares_memory(part, other) for part in own for other in others)
    assert len(own) < 2 or not np.shares_memory(*own)
    assert all(part.flags.writeable for part in own)


@pytest.mark.parametrize("name", FUNCTIONS)
@EXAMPLES
@given(broadcastable(2), SEEDS, KINDS, PLAIN)
def test_two_operands(name, shapes, seed, moving, plain):
    """Value, tangent, its shape and its memory, whichever of the two operands moves."""
    f = FUNCTIONS[name]
    values, tangents = drawn(seed, shapes.input_shapes)
    moves = [moving != "second", moving != "first"]
    operands = [dd.Dual(v, t) if m else as_plain(v, plain) for v, t, m in zip(values, tangents, moves, strict=True)]
    still = [t if m else 0 * t for t, m in zip(tangents, moves, strict=True)]
    result = f(*operands)
    if name == "floordiv":
        np.testing.assert_array_equal(f(*values), result)
        return

    np.testing.assert_allclose(f(*values), result.value, rtol=1e-15)
    assert (shapes.result_shape,) * 3 == (result.shape, np.shape(result.value), np.shape(result.tangent))
    np.testing.assert_allclose(differences(along(f, values, still)), result.tangent, **CLOSE)
    assert_own_memory(result, *operands)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(EXAMPLES, max_examples=12)
@given(broadcastable(2), SEEDS, st.sampled_from([1, 2, None]))
def test_two_operands_in_jacobian(name, shapes, seed, chunk_size):
    """The blocks of a Jacobian have shape out + in, and times the direction they are the directional derivative."""
    f = FUNCTIONS[name]
    values, tangents = drawn(seed, shapes.input_shapes)
    blocks = dd.jacobian(f, argnums=(0, 1), chunk_size=chunk_size)(*values)
    pushed = [np.tensordot(b, t, axes=np.ndim(t)) for b, t in zip(blocks, tangents, strict=True)]

    assert [shapes.result_shape + s for s in shapes.input_shapes] == [np.shape(b) for b in blocks]
    np.testing.assert_allclose(differences(along(f, values, tangents)), pushed[0] + pushed[1], **CLOSE)
    for i, (value, block) in enumerate(zip(values, blocks, strict=True)):
        alone = dd.jacobian(f, argnums=i, chunk_size=None)(*values)
        own = np.broadcast_to(np.arange(value.size).reshape(value.shape), shapes.result_shape)
        own = own[..., None] == np.arange(value.size)

        np.testing.assert_allclose(block, alone, rtol=1e-15)
        assert not np.reshape(block, own.shape)[~own].any()


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(EXAMPLES, max_examples=12)
@given(broadcastable(2), SEEDS)
def test_second_derivative_along_a_line(name, shapes, seed):
    """A number that moves two arrays: first and second derivative, one Dual inside the other."""
    f = FUNCTIONS[name]
    values, tangents = drawn(seed, shapes.input_shapes)
    (x, y), (dx, dy) = values, tangents
    value, first, second = dd.derivatives(lambda t: f(x + t * dx, y + dy * t), 2)(0.0)
    path = along(f, values, tangents)

    assert (shapes.result_shape,) * 3 == (np.shape(value), np.shape(first), np.shape(second))
    np.testing.assert_allclose(differences(path), first, **CLOSE)
    np.testing.assert_allclose(differences(path, 2), second, rtol=1e-7, atol=1e-7 if LONG else 1e-4)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ipow", "imod"])
@EXAMPLES
@given(broadcastable(2), SEEDS, KINDS, PLAIN)
def test_in_place(name, shapes, seed, moving, plain):
    """An operand that broadcasts to the target's shape changes it as the operator with two operands would."""
    (_, y), (_, dy) = drawn(seed, shapes.input_shapes)
    (x, _), (dx, _) = drawn(seed + 1, [shapes.result_shape, ()])
    if not shapes.result_shape:
        return
    other = as_plain(y, plain) if moving == "first" else dd.Dual(y, dy)
    target = dd.Dual(x.copy(), dx.copy())
    expected = getattr(operator, name[1:])(dd.Dual(x, dx), other)
    before = target
    result = getattr(operator, name)(target, other)

    assert before is result
    np.testing.assert_array_equal(expected.value, result.value)
    np.testing.assert_array_equal(expected.tangent, result.tangent)
    assert_own_memory(result, other)


@EXAMPLES
@given(broadcastable(3), SEEDS, st.tuples(st.booleans(), st.booleans()))
def test_where(shapes, seed, moves):
    """The condition and both branches broadcast, and each element follows the branch it came from."""
    rng = np.random.default_rng(seed)
    values, tangents = drawn(seed, shapes.input_shapes[1:])
    condition = rng.random(shapes.input_shapes[0]) < 0.5
    operands = [dd.Dual(v, t) if m else v for v, t, m in zip(values, tangents, moves, strict=True)]
    for choose in (np.where, dd.where):
        result = choose(condition, *operands)
        if not any(moves):
            np.testing.assert_array_equal(np.where(condition, *values), result)
            continue
        still = [t if m else 0 * t for t, m in zip(tangents, moves, strict=True)]

        assert (shapes.result_shape,) * 2 == (result.shape, np.shape(result.tangent))
        np.testing.assert_array_equal(np.where(condition, *values), result.value)
        np.testing.assert_array_equal(np.where(condition, *still), result.tangent)


@EXAMPLES
@given(broadcastable(3), SEEDS, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_clip(shapes, seed, moves):
    """The bounds broadcast and move as the clipped operand does."""
    rng = np.random.default_rng(seed)
    values = [
        rng.permutation(int(np.prod(s))).reshape(s) + [0.3, 0.0, 1.1][i] for i, s in enumerate(shapes.input_shapes)
    ]
    tangents = [rng.standard_normal(s) if m else np.zeros(s) for s, m in zip(shapes.input_shapes, moves, strict=True)]
    operands = [dd.Dual(v, t) if m else v for v, t, m in zip(values, tangents, moves, strict=True)]
    for clip in (np.clip, dd.clip):
        result = clip(*operands)
        if not any(moves):
            np.testing.assert_array_equal(np.clip(*values), result)
            continue

        assert (shapes.result_shape,) * 2 == (result.shape, np.shape(result.tangent))
        np.testing.assert_array_equal(np.clip(*values), result.value)
        np.testing.assert_allclose(differences(along(np.clip, values, tangents)), result.tangent, **CLOSE)


@pytest.mark.parametrize("function", [f for f in LINES if f not in BINARY.values() and f is not np.ldexp],
                         ids=lambda f: f.__name__)  # fmt: skip
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 0), (2, 3), (1, 2, 1)])
def test_one_operand(function, shape):
    """Elementwise functions of one operand keep its shape, and give tangents that share nothing with it."""
    rng = np.random.default_rng(3)
    values, tangents = rng.uniform(0.4, 0.8, shape) + (function is np.arccosh), rng.standard_normal(shape)
    x = dd.Dual(values, tangents)
    result = function(x)

    assert (shape,) * 3 == (result.shape, np.shape(result.value), np.shape(result.tangent))
    if function is not np.sinc:  # NumPy computes it in double precision only
        np.testing.assert_allclose(differences(along(function, [values], [tangents])), result.tangent, **CLOSE)
    assert_own_memory(result, x)
    for spelling in (operator.pos, operator.neg, abs, lambda x: x + 0, lambda x: 1 * x, lambda x: x / 1,
                     lambda x: x**1, lambda x: x * np.ones(shape)):  # fmt: skip
        assert_own_memory(spelling(x), x)


@EXAMPLES
@given(broadcastable(3), SEEDS)
def test_longer_expression(shapes, seed):
    """Broadcasting may happen anywhere in an expression: the tangents meet as the values do."""
    values, tangents = drawn(seed, shapes.input_shapes)
    f = lambda x, y, z: (x * y - z / x) ** 2 + np.hypot(x, z) * y + 2.0 * y**2
    result = f(*(dd.Dual(v, t) for v, t in zip(values, tangents, strict=True)))

    assert (shapes.result_shape,) * 2 == (result.shape, np.shape(result.tangent))
    np.testing.assert_allclose(differences(along(f, values, tangents)), result.tangent, **CLOSE)


def test_shapes_that_do_not_broadcast():
    """Shapes that do not go together are NumPy's error, and a scalar's tangent never takes an array's shape."""
    x = dd.Dual(np.ones(2), np.ones(2))
    for f in FUNCTIONS.values():
        with pytest.raises(ValueError, match="broadcast"):
            f(x, np.ones(3))
        with pytest.raises(ValueError, match="broadcast"):
            f(np.ones((2, 3)), dd.Dual(np.ones((3, 2)), 1.0))
    with pytest.raises(ValueError, match="broadcast"):
        operator.iadd(x, np.ones((3, 2)))
