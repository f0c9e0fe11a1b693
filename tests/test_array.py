"""The Dual of an array behaves as the array does, and its tangent goes wherever its value goes."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose

import dualdiff as dd
from dualdiff.dual import wrap
from dualdiff.tag import Tag
from dualdiff.tangent import Stacked

RNG = np.random.default_rng(0)
X = np.array([[0.7, 1.3, 2.1], [1.9, 0.45, 1.1]])
DX = RNG.uniform(-1, 1, X.shape)
X.setflags(write=False)  # what a test writes into is its own


def slope(g, h=1e-3):
    """Return g'(0) by central differences, extrapolated twice (Richardson)."""
    table = [(np.asarray(g(h / 2**k)) - np.asarray(g(-h / 2**k))) / (2 * h / 2**k) for k in range(3)]
    for order in (4, 16):
        table = [(order * b - a) / (order - 1) for a, b in itertools.pairwise(table)]
    return table[0]


def agrees(f, plainly=None, x=X, dx=DX):
    """Check value, tangent, Jacobian in one pass or many, and second derivative of f, against f of plain arrays."""
    plainly = plainly or f
    value, tangent = dd.jvp(f, x, dx)
    expected = slope(lambda h: plainly(x + h * dx))
    assert_allclose(value, plainly(x), rtol=1e-13)
    assert np.shape(value) == np.shape(plainly(x)) == np.shape(tangent)
    assert_allclose(tangent, expected, rtol=1e-8, atol=1e-8)
    for chunk_size in (1, None):
        matrix = dd.jacobian(f, chunk_size=chunk_size)(x)
        assert_allclose(np.tensordot(matrix, dx, np.ndim(dx)), expected, rtol=1e-8, atol=1e-8)
    second = dd.jvp(lambda p: dd.jvp(f, p, dx)[1], x, dx)[1]
    assert_allclose(second, slope(lambda h: dd.jvp(f, x + h * dx, dx)[1]), rtol=1e-6, atol=1e-6)


def filled(x, index, item):
    """Return a copy of x with an item written at an index."""
    y = x.copy()
    y[index] = item
    return y


# --- attributes, methods, indices --------------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["shape", "ndim", "size", "dtype", "itemsize", "nbytes"])
def test_attributes(attribute):
    """What describes an array describes its value, of each type."""
    for array in (X, X.astype(np.float32), X + 1j, X[:0], X.T[:, None]):
        assert getattr(array, attribute) == getattr(dd.Dual(array), attribute)


@pytest.mark.parametrize(
    "text",
    """x.T  x.mT  x.real  x.imag  ((1+2j)*x).real  ((1+2j)*x).imag  x.copy()  x.copy(order='F')  x.flatten()
    x.flatten('F')  x.ravel()  x.ravel('F')  x.reshape(3,2)  x.reshape((3,-1))  x.reshape(6)  x.reshape(3,2,order='F')
    x.transpose()  x.transpose(1,0)  x.transpose((1,0))  x.swapaxes(0,1)  x[None].squeeze()  x[None].squeeze(axis=0)
    x.diagonal()  x.diagonal(1)  x.trace()  x.trace(offset=1)  x.repeat(2)  x.repeat([1,2],axis=0)  x.take([0,5])
    x.take([1,0,1],axis=1)  x.compress([True,False],axis=0)  x.item(3)  x.item(1,2)  x.item((0,1))  x[0,:1].item()
    x.sum()  x.sum(axis=0)  x.sum(1,keepdims=True)  x.mean()  x.mean(axis=1)  x.prod()  x.prod(axis=0)  x.max()
    x.max(axis=1)  x.min()  x.min(0)  x.std()  x.std(axis=0,ddof=1)  x.var()  x.var(1)  x.cumsum()  x.cumsum(axis=0)
    x.cumprod()  x.cumprod(1)  x.clip(0.5,1.5)  x.clip(min=0.6)  x.clip(max=x[0,0])  x.dot(x.T)  x.dot(np.ones(3))
    x.conj()  x.conjugate()  x.astype(float)  x.astype(complex)  abs(x)  -x  +x  x**2  2**x  x//1e9+x  x%0.6
    divmod(x,0.6)[1]  x@x.T  np.ones(2)@x  x[0]@x[1]  sum(x)  sum(x.flat)  max(x.flat)  sorted(x.ravel())[2]
    np.stack(list(x))  np.array(x.tolist()).shape[0]*x  x[0].searchsorted(1.5)*x  x.argmax()*x  x.nonzero()[0].sum()*x
    np.stack([v*v[0]for(v)in(x)])  x.argsort(axis=1)[0,0]+x  x.any()*x  x.all()*x  len(x)*x""".split(),
)
def test_methods(text):
    """Methods and operators give what ndarray's give, in value and in slope."""
    agrees(lambda x: eval(text, {"np": np, "x": x}))  # noqa: S307 - the texts stand above


INDICES = [
    0, -1, np.int64(1), (1, 2), (-1, -2), slice(1, None), slice(None, None, -1), (slice(None), slice(None, None, 2)),
    Ellipsis, (Ellipsis, 1), (0, Ellipsis), None, (None, 1, None), (Ellipsis, None), (), X > 1, [True, False],
    (slice(None), [True, False, True]), [0, 1, 0], np.array([[0, 1], [1, 1]]), ([0, 1, 1], [2, 0, 2]), (1, [0, 0]),
    ([1, 0], slice(1, None)), (slice(None), [2, 2, 0]), np.ix_([1, 0], [2, 0]), (None, [0], 1), True, False,
    np.zeros((0,), int), slice(0, 0), [1, -1], ([0], None, [1, 2]), np.True_, (np.array(1), 1), (X > 1).tolist(),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_getting(index):
    """Every kind of index takes the elements that it takes from an array."""
    agrees(lambda x: x[index])
    x = dd.Dual(X, DX)
    if np.ndim(X[index]):
        shared = np.shares_memory(X, X[index])
        assert (shared, shared) == (np.shares_memory(x.value, x[index].value), np.shares_memory(x.tangent, x[index].tangent))


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_setting(index):
    """Every kind of index writes a constant, one number, an array of the right shape or a list."""
    agrees(lambda x: filled(x, index, 5.0))
    agrees(lambda x: filled(x * 1.5, index, x[0, 1]))
    agrees(lambda x: filled(x * 1.5, index, x[index] * 2))
    agrees(lambda x: filled(np.zeros_like(x), index, x[::-1][index]))
    if np.ndim(X[index]) == 1:
        agrees(lambda x: filled(x, index, [v * v for v in x[index]]))
        agrees(lambda x: filled(x, index, np.array([v * v for v in x[index]])))


@pytest.mark.parametrize("index", [7, (0, 9), [4], (0, 0, 0), 1.5, "a", np.array([True])], ids=repr)
def test_wrong_index(index):
    """What is no index of an array is none of a Dual, and nothing is written."""
    x = dd.Dual(X.copy(), DX.copy())
    with pytest.raises(IndexError):
        X[index]
    with pytest.raises(IndexError):
        x[index]
    with pytest.raises(IndexError):
        x[index] = dd.Dual(1.0, 1.0)

    assert np.array_equal(X, x.value)
    assert np.array_equal(DX, x.tangent)


@pytest.mark.parametrize("item", [dd.Dual(np.ones(2), np.ones(2)), np.ones(4), [1.0, 2.0], "text", object()])
def test_wrong_item(item):
    """An item that does not fit is an error, and neither value nor tangent is half written."""
    x = dd.Dual(X.copy(), DX.copy())
    with pytest.raises((ValueError, TypeError)):
        x[:, :] = item

    assert np.array_equal(X, x.value)
    assert np.array_equal(DX, x.tangent)


def test_container_protocol():
    """Iteration, length and membership are those of the value; numbers have none of them."""
    x = dd.Dual(X, DX)

    assert (2, 3, True, False) == (len(x), len(x[0]), 1.3 in x, 9.0 in x)
    assert x[0, 0] in x
    assert [row.tolist() for row in DX] == [list(row.tangent) for row in x]
    for operation in (len, iter, lambda s: s[0], lambda s: 1.0 in s):
        with pytest.raises(TypeError):
            operation(dd.Dual(1.0, 1.0))
    with pytest.raises(TypeError):
        hash(x)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)


COPIES = [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)), lambda x: x.copy(), np.copy, lambda x: +x]


@pytest.mark.parametrize("duplicate", COPIES)
def test_copies(duplicate):
    """A copy keeps value and tangent, shares no memory, and inside a derivative still belongs to it."""
    x = dd.Dual(X, DX)
    y = duplicate(x)
    assert np.array_equal(X, y.value)
    assert np.array_equal(DX, y.tangent)
    assert not np.shares_memory(x.value, y.value)
    assert not np.shares_memory(x.tangent, y.tangent)
    agrees(lambda a: duplicate(a) * a)
    agrees(lambda a: duplicate([a[0], a[1]])[1] * a if duplicate is copy.deepcopy else duplicate(a[0]) * a)
    assert dd.derivative(lambda t: duplicate(t) * t)(3.0) == 6.0


# --- in place ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["y += x", "y -= x", "y *= x", "y /= x", "y **= x", "y %= x * 0.37", "y += 2", "y *= x[0]", "y[0] += x[1]",
             "y[y > 1] *= x[0, 0]", "y[:, [0, 0]] += x[:, :2]", "y.T[...] = x.T", "y.fill(x[0, 0])", "y[1:] = y[:-1]",
             "y[::-1] = y.copy()[:, ::-1]", "y.ravel()[1:] = y.ravel()[:-1]", "y[...] = y[::-1]", "y += y[::-1]",
             "y[:, 1] = y[:, 0] * y[:, 2]", "y.reshape(3, 2)[0] = x[0, :2]", "y.flat[2] = x[0, 0]", "y //= 1e9"],
)  # fmt: skip
def test_in_place(text):
    """In-place operators and writes do what they do to an array, seen through every name of it."""

    def f(x):
        y = x * 1.1 + 0.2
        alias, names = y[1], {"x": x, "y": y, "np": np}
        exec(text, {}, names)  # noqa: S102 - the texts stand above
        assert names["y"] is y
        return np.concatenate([y, alias[None]])

    agrees(f)


def test_in_place_on_numbers():
    """On numbers in-place operators bind a new one, as in Python."""
    agrees(lambda x: _raised(x[0, 0], x[1, 1]))


def _raised(s, t):
    old = s
    s += t
    s *= t
    s /= old
    s -= 1.0
    s **= 2
    s %= 5.0
    return s * old


def test_casting():
    """What NumPy refuses to cast in place, or would cut off with a warning, is no silent step here either."""
    with pytest.raises((TypeError, np.exceptions.ComplexWarning)):
        dd.Dual(X.copy(), DX.copy())[0] = dd.Dual(1j, 1.0)
    with pytest.raises((TypeError, np.exceptions.ComplexWarning)):
        y = dd.Dual(X.copy(), DX.copy())
        y *= 1j
    single = dd.Dual(X.astype(np.float32), DX.astype(np.float32))
    single[0] = dd.Dual(np.pi, np.e)
    single += dd.Dual(X, DX)
    assert (np.float32, np.float32) == (single.value.dtype, single.tangent.dtype)
    assert_allclose(single.tangent, np.stack([np.e + DX[0], 2 * DX[1]]), rtol=1e-6)
    real = dd.Dual(X.copy(), DX.copy())
    try:
        real[0] = dd.Dual(1.0, 1j)
    except (TypeError, np.exceptions.ComplexWarning):
        pass
    else:
        assert_allclose(real.tangent[0], 1j)
    for whole in (int, bool, np.int8, "U5"):
        with pytest.raises(TypeError):
            dd.Dual(X, DX).astype(whole)


def test_complex_tangent_of_a_complex_buffer():
    """A complex buffer made from a real Dual holds complex tangents."""

    def f(x):
        z = np.zeros_like(x, dtype=complex)
        z[0] = (1 + 2j) * x[0]
        z += 1j * x
        return z

    agrees(f)


# --- programs of views and writes ----------------------------------------------------------------------------------

# The parts of each kind of number, as sets of infinitesimals: o, p belong to the outer derivative, a, b, c to the
# inner one, and all products within a derivative are 0.
KINDS = {
    "one direction": ["", "a"],
    "stacked": ["", "a", "b", "c"],
    "nested": ["", "o", "a", "oa"],
    "stacked outside": ["", "o", "p", "a", "oa", "pa"],
    "stacked inside": ["", "o", "a", "b", "oa", "ob"],
}


def dual_of(kind, parts, outer, inner):
    """Return the Dual of a kind whose parts are given."""
    p = [part.copy() for part in parts]
    if kind == "one direction":
        return wrap(p[0], p[1], inner)
    if kind == "stacked":
        return wrap(p[0], Stacked(np.stack(p[1:])), inner)
    if kind == "nested":
        return wrap(wrap(p[0], p[1], outer), wrap(p[2], p[3], outer), inner)
    if kind == "stacked outside":
        first, second = Stacked(np.stack(p[1:3])), Stacked(np.stack(p[4:]))
        return wrap(wrap(p[0], first, outer), wrap(p[3], second, outer), inner)
    return wrap(wrap(p[0], p[1], outer), Stacked(wrap(np.stack(p[2:4]), np.stack(p[4:]), outer)), inner)


def parts_of(x, letters, names):
    """Return the parts of a Dual by name; `letters` are those of each of the tags."""
    if not isinstance(x, dd.Dual):
        return {"": np.asarray(x)}
    own = letters[x._tag]
    found = parts_of(x._value, letters, names)
    tangents = list(x._tangent) if isinstance(x._tangent, Stacked) else [x._tangent]
    for letter, tangent in zip(own, tangents, strict=False):
        found |= {name + letter: part for name, part in parts_of(tangent, letters, names).items()}
    return found


class Oracle:
    """The same number as plain arrays, one for each part, on which moves and products are done by NumPy alone."""

    def __init__(self, parts):
        self.parts = parts

    def move(self, function):
        """Return the number with every part moved."""
        return Oracle({name: function(part) for name, part in self.parts.items()})

    def write(self, index, item):
        """Write another number or a constant at an index."""
        new = {n: item.parts[n].copy() if isinstance(item, Oracle) else item * (n == "") for n in self.parts}
        for name, part in self.parts.items():
            part[index] = new[name]

    def __add__(self, other):
        """Add a number or a constant."""
        plus = {n: other.parts[n] if isinstance(other, Oracle) else other * (n == "") for n in self.parts}
        return Oracle({n: part + plus[n] for n, part in self.parts.items()})

    def __mul__(self, other):
        """Multiply by a number or a constant: parts multiply where they have nothing in common."""
        if not isinstance(other, Oracle):
            return self.move(lambda part: part * other)
        return Oracle({n: sum(self.parts[n.replace(m, "", 1) if m else n] * other.parts[m]
                              for m in self.parts if set(m) <= set(n)) for n in self.parts})  # fmt: skip


VIEWS = [
    lambda a: a.T, lambda a: a.reshape(-1), lambda a: a.ravel(), lambda a: a.swapaxes(0, -1), lambda a: a[None],
    lambda a: a[::-1], lambda a: a[1:], lambda a: a[..., ::2], lambda a: np.diagonal(a), lambda a: a[..., 0],
    lambda a: a.reshape(a.shape[::-1]), lambda a: a.squeeze(), lambda a: a[..., None, :], lambda a: np.flip(a),
    lambda a: np.moveaxis(a, 0, -1), lambda a: np.rot90(a), lambda a: np.atleast_2d(a), lambda a: np.real(a),
    lambda a: np.broadcast_to(a, (2, *a.shape)), lambda a: a[...], lambda a: np.split(a, [1])[0],
    lambda a: a.ravel("F"), lambda a: a.reshape(-1, order="F"), lambda a: a.ravel("K"), lambda a: a[0],
]  # fmt: skip
COPYING = [
    lambda a: a.copy(), lambda a: a[[0, -1]], lambda a: a[np.arange(len(a)) % 2 == 0], lambda a: a.flatten(),
    lambda a: a * 2.0, lambda a: np.concatenate([a, a]), lambda a: np.roll(a, 1), lambda a: a.repeat(2, axis=0),
    lambda a: a.take([0, 0], axis=-1), lambda a: np.sum(a, axis=0, keepdims=True), lambda a: np.tile(a, 2),
    lambda a: np.zeros_like(a) * 1.0, lambda a: a + 0.0 * a, lambda a: np.stack([a, a]), lambda a: -a, lambda a: +a,
    lambda a: a.cumsum(axis=0), lambda a: np.ascontiguousarray(np.eye(len(a))) @ a, lambda a: a.copy(order="F"),
]  # fmt: skip
PLACES = [
    0, -1, slice(1, None), slice(None, -1), slice(None, None, -1), Ellipsis, (Ellipsis, 0), (Ellipsis, slice(0, 1)),
    [0, -1], [0, 0], (Ellipsis, None), (slice(None), 0), np.array([True, False]), (), (Ellipsis, [0, -1]),
]  # fmt: skip
REFUSALS = (ValueError, IndexError, TypeError)


class Machine:
    """Pairs of a Dual and its oracle, some views of others, that live through the same program."""

    def __init__(self, kind, seed):
        rng = np.random.default_rng(seed)
        self.outer, self.inner = Tag(), Tag()
        self.names = KINDS[kind]
        self.letters = {self.outer: "op", self.inner: "abc"}
        self.pairs = []
        for shape in ((3,), (2, 3), (2, 2)):
            parts = [np.asarray(rng.integers(-3, 4, shape), float) for _ in self.names]
            self.pairs.append((dual_of(kind, parts, self.outer, self.inner), Oracle(dict(zip(self.names, parts, strict=True)))))

    def pick(self, i):
        """Return one of the pairs."""
        return self.pairs[i % len(self.pairs)]

    def both(self, step, *pairs):
        """Take a step on the Duals and on the oracles: both do it or neither does."""
        duals, oracles = zip(*pairs, strict=True)
        try:
            expected = step(*oracles)
        except REFUSALS:
            with pytest.raises(REFUSALS):
                step(*duals)
            return
        try:
            got = step(*duals)
        except dd.DroppedTangentError:
            assert "stacked" not in self.names  # refused aloud, not lost; only in nested derivatives
            return
        if expected is not None and 0 < expected.parts[""].size <= 64 and expected.parts[""].ndim:
            self.pairs.append((got, expected))

    def run(self, operation, i, j, k):
        """Take one step of a program."""
        (x, o), (y, p) = self.pick(i), self.pick(j)
        if operation == "view":
            self.both(lambda a: a.move(VIEWS[k % len(VIEWS)]) if isinstance(a, Oracle) else VIEWS[k % len(VIEWS)](a), (x, o))
        elif operation == "copy":
            f = COPYING[k % len(COPYING)]
            self.both(lambda a: a.move(f) if isinstance(a, Oracle) else f(a), (x, o))
        elif operation == "product":
            self.both(lambda a, b: a * b if k % 2 else a + b * 2.0, (x, o), (y, p))
        else:
            self.both(lambda a, b: self.write(operation, PLACES[k % len(PLACES)], a, b), (x, o), (y, p))

    @staticmethod
    def write(operation, place, a, b):
        """Write into `a`: a constant, another number, itself moved, or in place by an operator."""
        item = {"constant": 2.0, "fill": b, "own": a, "times": a * b if operation == "times" else 0.0}[operation]
        if operation in {"fill", "own"}:
            item = item.move(lambda part: part[place]) if isinstance(a, Oracle) else item[place]
            target = slice(None, None, -1) if operation == "own" and place != slice(None, None, -1) else place
            place = target if operation == "own" else place
        if isinstance(a, Oracle):
            a.write(Ellipsis if operation == "times" else place, item)
        elif operation == "times":
            a *= b
        else:
            a[place] = item

    def check(self):
        """Compare every part of every pair, and who shares memory with whom."""
        for got, expected in self.pairs:
            found = parts_of(got, self.letters, self.names)
            for name, part in expected.parts.items():
                assert_allclose(found.get(name, np.zeros(part.shape)), part, err_msg=f"part {name!r}")


@pytest.mark.parametrize("k", range(len(VIEWS)))
@pytest.mark.parametrize("kind", KINDS)
def test_views(kind, k):
    """What NumPy makes a view of stays one, in value and in tangent, also where the memory order is unusual."""
    for made, operation in itertools.product((None, *range(len(COPYING))), ("constant", "own")):
        source = 1 if made is None else 3
        for target in (source, source + 1):
            machine = Machine(kind, seed=1)
            if made is not None:
                machine.run("copy", 1, 0, made)
            machine.run("view", source, 0, k)
            machine.run(operation, target, target, 5)
            machine.check()


OPERATIONS = ["view", "view", "copy", "product", "constant", "fill", "own", "times"]
STEPS = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(program=st.lists(STEPS, min_size=1, max_size=12), seed=st.integers(0, 9))
def test_programs(kind, program, seed):
    """Whatever is viewed, copied, written and multiplied in whatever order, value and tangent stay together."""
    machine = Machine(kind, seed)
    with np.errstate(all="ignore"):
        for step in program:
            machine.run(*step)
            machine.check()
