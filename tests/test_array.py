"""The Dual of an array behaves as the array does, and its tangent goes wherever its value goes."""

import copy
import itertools
import pickle
import re

import numpy as np
import pytest
from hypothesis import Phase, given, settings, strategies as st
from numpy.testing import assert_allclose

import dualdiff as dd
from dualdiff.dual import wrap
from dualdiff.stacked import Stacked
from dualdiff.tag import Tag

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


def functions(text):
    """Return the expressions of a text, which stand two spaces apart, as functions of a."""
    return [eval(f"lambda a: {part}", {"np": np}) for part in re.split(r"\s{2,}", text.strip())]  # noqa: S307


def filled(x, index, item):
    """Return x, which nobody else has, with an item written at an index."""
    x[index] = item
    return x


# --- attributes, methods, indices --------------------------------------------------------------------------------


@pytest.mark.parametrize("array", [X, X.astype(np.float32), X + 1j, X[:0], X.T[:, None]])
def test_attributes(array):
    """What describes an array describes its value, of each type."""
    for name in ("shape", "ndim", "size", "dtype", "itemsize", "nbytes"):
        assert getattr(array, name) == getattr(dd.Dual(array), name)


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
    np.stack([v*v[0]for(v)in(x)])  x.argsort(axis=1)[0,0]+x  x.any()*x  x.all()*x  len(x)*x""".split(),  # noqa: SIM905 - set as a page
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
        assert shared == np.shares_memory(x.value, x[index].value)
        assert shared == np.shares_memory(x.tangent, x[index].tangent)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_setting(index):
    """Every kind of index writes a constant, one number, an array of the right shape or a list."""
    agrees(lambda x: filled(x * 1.5, index, 5.0))
    agrees(lambda x: filled(x * 1.5, index, x[0, 1]))
    agrees(lambda x: filled(x * 1.5, index, x[index] * 2))
    agrees(lambda x: filled(np.zeros_like(x), index, x[::-1][index]))
    if np.ndim(X[index]) == 1:
        agrees(lambda x: filled(x * 1.5, index, [v * v for v in x[index]]))
        agrees(lambda x: filled(x * 1.5, index, np.array([v * v for v in x[index]])))


@pytest.mark.parametrize(
    ("index", "item"),
    [*((i, dd.Dual(1.0, 1.0)) for i in (7, (0, 9), [4], (0, 0, 0), 1.5, "a", np.array([True]))),
     *(((), item) for item in (dd.Dual(np.ones(2), 1.0), np.ones(4), [1.0, 2.0], "text", object()))],
)  # fmt: skip
def test_wrong_index_or_item(index, item):
    """What is no index or does not fit is an error, and neither value nor tangent is half written."""
    x = dd.Dual(X, DX)
    with pytest.raises((IndexError, TypeError, ValueError)):
        x[index] = item
    assert np.array_equal(X, x.value)
    assert np.array_equal(DX, x.tangent)


def test_container_protocol():
    """Iteration, length and membership are those of the value; numbers have none of them."""
    x = dd.Dual(X, DX)

    assert (2, 3, True, False) == (len(x), len(x[0]), 1.3 in x, 9.0 in x)
    assert x[0, 0] in x
    assert [row.tolist() for row in DX] == [list(row.tangent) for row in x]
    for operation in (len, iter, lambda s: s[0], lambda s: 1.0 in s, hash):
        with pytest.raises(TypeError):
            operation(dd.Dual(1.0, 1.0))
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
    agrees(lambda a: duplicate(a[0]) * a)
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

    def f(x):
        old = s = x[0, 0]
        s += x[1, 1]
        s *= x[1, 1]
        s **= 2
        return s * old

    agrees(f)


def test_casting():
    """What NumPy refuses to cast in place, or would cut off with a warning, is no silent step here either."""
    with pytest.raises((TypeError, np.exceptions.ComplexWarning)):
        dd.Dual(X, DX)[0] = dd.Dual(1j, 1.0)
    with pytest.raises((TypeError, np.exceptions.ComplexWarning)):
        dd.Dual(X, DX).__imul__(1j)
    single = dd.Dual(X.astype(np.float32), DX.astype(np.float32))
    single[0] = dd.Dual(np.pi, np.e)
    single += dd.Dual(X, DX)
    assert (np.float32, np.float32) == (single.value.dtype, single.tangent.dtype)
    assert_allclose(single.tangent, np.stack([np.e + DX[0], 2 * DX[1]]), rtol=1e-6)
    for whole in (int, bool, np.int8, "U5"):
        with pytest.raises(TypeError):
            dd.Dual(X, DX).astype(whole)


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


def parts_of(x, letters):
    """Return the parts of a Dual by name; `letters` are those of each tag."""
    if not isinstance(x, dd.Dual):
        return {"": np.asarray(x)}
    found = parts_of(x._value, letters)
    tangents = list(x._tangent) if isinstance(x._tangent, Stacked) else [x._tangent]
    for letter, tangent in zip(letters[x._tag], tangents, strict=False):
        found |= {name + letter: part for name, part in parts_of(tangent, letters).items()}
    return found


class Oracle:
    """The same number as plain arrays, one for each part, on which moves and products are done by NumPy alone."""

    def __init__(self, parts):
        self.parts = parts  # by name

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


VIEWS = functions(
    """
    a.T  a.reshape(-1)  a.ravel()  a.swapaxes(0, -1)  a[None]  a[::-1]  a[1:]  a[..., ::2]  np.diagonal(a)  a[..., 0]
    a.reshape(a.shape[::-1])  a.squeeze()  a[..., None, :]  np.flip(a)  np.moveaxis(a, 0, -1)  np.rot90(a)  a[0]
    np.atleast_2d(a)  np.real(a)  np.broadcast_to(a, (2, *a.shape))  a[...]  np.split(a, [1])[0]  a.ravel("F")
    a.reshape(-1, order="F")  a.ravel("K")  np.expand_dims(a, -1)  np.transpose(a)  a.real  a.transpose()
    """
)
COPYING = functions(
    """
    a.copy()  a[[0, -1]]  a[np.arange(len(a)) % 2 == 0]  a.flatten()  a * 2.0  np.concatenate([a, a])  np.roll(a, 1)
    a.repeat(2, axis=0)  a.take([0, 0], axis=-1)  np.sum(a, axis=0, keepdims=True)  np.tile(a, 2)  a + 0.0 * a  -a
    np.zeros_like(a) * 1.0  np.stack([a, a])  +a  a.cumsum(axis=0)  np.eye(len(a)) @ a  a.copy(order="F")  a.T * 1.0
    """
)
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
            oracle = Oracle(dict(zip(self.names, parts, strict=True)))
            self.pairs.append((dual_of(kind, parts, self.outer, self.inner), oracle))

    def both(self, step, *pairs):
        """Take a step on the Duals and on the oracles: both do it, or neither, or the Duals refuse it aloud."""
        duals, oracles = zip(*pairs, strict=True)
        try:
            got = step(*duals)
        except REFUSALS as error:
            refused = isinstance(error, dd.DroppedTangentError) and "o" in self.names
            if not refused and "this array is read-only" not in str(error):
                with pytest.raises(REFUSALS):
                    step(*oracles)
            return
        expected = step(*oracles)
        if expected is not None and 0 < expected.parts[""].size <= 64 and expected.parts[""].ndim:
            self.pairs.append((got, expected))

    def run(self, operation, i, j, k):
        """Take one step of a program."""
        pair, other = (self.pairs[n % len(self.pairs)] for n in (i, j))
        if operation in {"view", "copy"}:
            moves = VIEWS if operation == "view" else COPYING
            f = moves[k % len(moves)]
            self.both(lambda a: a.move(f) if isinstance(a, Oracle) else f(a), pair)
        elif operation == "product":
            self.both(lambda a, b: a * b if k % 2 else a + b * 2.0, pair, other)
        else:
            self.both(lambda a, b: self.write(operation, PLACES[k % len(PLACES)], a, b), pair, other)

    @staticmethod
    def write(operation, place, a, b):
        """Write into `a`: a constant, another number, itself moved, or in place by an operator."""
        if operation == "times":
            place, item = Ellipsis, a * b
        elif operation == "constant":
            item = 2.0
        else:
            source = b if operation == "fill" else a
            item = source.move(lambda part: part[place]) if isinstance(a, Oracle) else source[place]
            place = place if operation == "fill" else slice(None, None, -1)
        if isinstance(a, Oracle):
            a.write(place, item)
        elif operation == "times":
            a *= b
        else:
            a[place] = item

    def check(self):
        """Compare every part of every pair."""
        for got, expected in self.pairs:
            found = parts_of(got, self.letters)
            for name, part in expected.parts.items():
                assert_allclose(found.get(name, np.zeros(part.shape)), part, err_msg=f"part {name!r}")


@pytest.mark.parametrize("k", range(len(VIEWS)))
@pytest.mark.parametrize("kind", KINDS)
def test_views(kind, k):
    """What NumPy makes a view of stays one, in value and in tangent, also where the memory order is unusual."""
    for made, viewed in itertools.product(range(len(COPYING)), (0, 1)):
        machine = Machine(kind, seed=1)
        machine.run("copy", 1, 0, made)
        machine.run("view", 3, 0, k)
        machine.run("constant" if made % 2 else "own", 3 + viewed, 3 + viewed, 5)
        machine.check()


OPERATIONS = ["view", "view", "copy", "product", "constant", "fill", "own", "times"]
PHASES = set(Phase) - {Phase.explain}  # which takes longer than all other tests together
STEPS = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=80, deadline=None, derandomize=True, report_multiple_bugs=False, phases=PHASES)
@given(program=st.lists(STEPS, min_size=1, max_size=12), seed=st.integers(0, 9))
def test_programs(kind, program, seed):
    """Whatever is viewed, copied, written and multiplied in whatever order, value and tangent stay together."""
    machine = Machine(kind, seed)
    with np.errstate(all="ignore"):
        for step in program:
            machine.run(*step)
            machine.check()
