"""NumPy's ufuncs on Duals: every one has an entry, and its methods and keywords do what they do on arrays."""

import itertools
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dualdiff as dd
from dualdiff.rules.book import RULES, Composition, Constant, Line, Paragraph, Refused

UFUNCS = sorted({f for f in vars(np).values() if isinstance(f, np.ufunc)}, key=lambda f: f.__name__)
KINDS = (Line, Paragraph, Composition, Constant, Refused)
BINARY = [f for f in UFUNCS if isinstance(RULES.get(f), Line) and f.nin == 2 and f is not np.ldexp]
RNG = np.random.default_rng(0)
X = np.array([[0.7, 1.3, 2.1], [1.9, 0.45, 1.1]])
DX = RNG.uniform(-1, 1, X.shape)
MASK = np.array([[True, False, True], [True, True, False]])


def of(kind):
    """Return the ufuncs whose entry is of a kind."""
    return [f for f in UFUNCS if isinstance(RULES.get(f), kind)]


def name(f):
    """Return what a test is called after."""
    return getattr(f, "__name__", None)


def slope(g, h=1e-3):
    """Return g'(0) by central differences, extrapolated twice (Richardson)."""
    table = [(np.asarray(g(h / 2**k)) - np.asarray(g(-h / 2**k))) / (2 * h / 2**k) for k in range(3)]
    for order in (4, 16):
        table = [(order * b - a) / (order - 1) for a, b in itertools.pairwise(table)]
    return table[0]


def agrees(f, x=X, dx=DX, rtol=1e-8):
    """Check value, tangent and Jacobian of f, one direction in a pass or all, against plain NumPy."""
    value, tangent = dd.jvp(f, x, dx)
    expected = slope(lambda h: f(x + h * dx))
    assert_allclose(value, f(x), rtol=1e-13)
    assert np.shape(value) == np.shape(f(x)) == np.shape(tangent)
    assert_allclose(tangent, expected, rtol=rtol, atol=rtol)
    for chunk_size in (1, None):
        matrix = dd.jacobian(f, chunk_size=chunk_size)(x)
        assert_allclose(np.tensordot(matrix, dx, np.ndim(dx)), expected, rtol=rtol, atol=rtol)
    second = dd.jvp(lambda p: dd.jvp(f, p, dx)[1], x, dx)[1]
    expected = slope(lambda h: dd.jvp(f, x + h * dx, dx)[1])
    assert_allclose(second, expected, rtol=1e-6, atol=1e-6)


# --- the book --------------------------------------------------------------------------------------------------


def test_every_ufunc_has_one_home():
    """Each of NumPy's ufuncs is a line, a paragraph, a composition, a constant or refused; a new one is named here."""
    homeless = [f.__name__ for f in UFUNCS if type(RULES.get(f)) not in KINDS]

    assert homeless == []
    assert len(UFUNCS) >= 85


@pytest.mark.parametrize("ufunc", of(Constant), ids=name)
def test_constant_gives_the_plain_value(ufunc):
    """What does not move is what NumPy gives for the values, of arrays and of numbers."""
    for points in ((X, X[::-1] + 0.0), (0.5, 1.25)):
        plain = points[: ufunc.nin]
        duals = [dd.Dual(p, 1.0) for p in plain]
        got = ufunc(*duals)

        assert not isinstance(got, dd.Dual)
        assert np.array_equal(ufunc(*plain), got)
        for i in range(ufunc.nin):
            mixed = [d if i == j else p for j, (d, p) in enumerate(zip(duals, plain, strict=True))]
            assert np.array_equal(ufunc(*plain), ufunc(*mixed))


@pytest.mark.parametrize("ufunc", of(Refused), ids=name)
def test_refused_says_why(ufunc):
    """What has no derivative is refused, with the reason and the way out."""
    for point in (dd.Dual(X, DX), dd.Dual(2.0, 1.0)):
        with pytest.raises(dd.NoRuleError) as caught:
            ufunc(*[point] * ufunc.nin)

        assert RULES[ufunc].reason in str(caught.value)
        assert ".value" in str(caught.value)


# --- methods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ufunc", [f for f in BINARY if f.nin == 2 and f.nout == 1], ids=name)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_reduce_accumulate_reduceat(ufunc, axis):
    """Along an axis: the same folded, running and in runs as on a plain array."""
    kinked = {np.remainder, np.fmod, np.heaviside, np.copysign, np.power, np.float_power, np.arctan2}
    x = X if ufunc not in kinked else X + np.array([[0.0, 0.1, 0.25], [0.1, 0.0, 0.05]])
    agrees(lambda a: ufunc.reduce(a, axis=axis), x, rtol=1e-7)
    agrees(lambda a: ufunc.accumulate(a, axis=axis), x, rtol=1e-7)
    agrees(lambda a: ufunc.reduceat(a, [0, 1], axis=axis), x, rtol=1e-7)
    agrees(lambda a: ufunc.reduceat(a, [1, 0, 1], axis=axis), x, rtol=1e-7)


@pytest.mark.parametrize(
    "ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.logaddexp, np.hypot], ids=name
)
@pytest.mark.parametrize(
    "settings",
    [
        {}, {"axis": None}, {"axis": (0, 1)}, {"axis": (1,)}, {"axis": 1, "keepdims": True},
        {"axis": None, "keepdims": True}, {"axis": 0, "initial": 0.5}, {"axis": None, "initial": 1.5, "keepdims": True},
        {"axis": 1, "where": MASK, "initial": 1.0}, {"axis": None, "where": MASK, "initial": 1.0},
        {"axis": 1, "where": MASK, "initial": 1.0, "keepdims": True}, {"axis": 0, "dtype": np.float64}, {"axis": ()},
    ],
    ids=str,
)  # fmt: skip
def test_reduce_keywords(ufunc, settings):
    """Every keyword of reduce does what NumPy does with it, or is refused in words."""
    try:
        ufunc.reduce(X, **settings)
    except ValueError:
        return  # not reorderable
    try:
        agrees(lambda a: ufunc.reduce(a, **settings))
    except dd.NoRuleError as error:
        assert ufunc not in {np.add, np.multiply, np.maximum, np.minimum}
        assert f"{ufunc.__name__}.reduce" in str(error)  # noqa: PT017


@pytest.mark.parametrize("ufunc", [np.add, np.multiply])
def test_reduce_in_another_type(ufunc):
    """dtype= sets the type of the result, and the tangent goes along."""
    single = ufunc.reduce(dd.Dual(X, DX), axis=0, dtype=np.float32)

    assert np.float32 == single.dtype
    assert_allclose(single.tangent, ufunc.reduce(dd.Dual(X, DX), axis=0).tangent, rtol=1e-5)
    assert np.complex128 == ufunc.reduce(dd.Dual(X, DX), axis=None, dtype=complex).dtype
    with pytest.raises(TypeError):
        ufunc.reduce(dd.Dual(X, DX), axis=0, dtype=int)
    running = ufunc.accumulate(dd.Dual(X, DX), axis=0, dtype=np.float32)
    assert (np.float32, np.float32) == (running.value.dtype, running.tangent.dtype)


@pytest.mark.parametrize("ufunc", of(Constant), ids=name)
def test_methods_of_constants(ufunc):
    """The methods of a ufunc that does not move give the plain value too."""
    if ufunc.nin != 2:
        return
    x = dd.Dual(X, DX)
    assert np.array_equal(ufunc.outer(X[0], X[1]), ufunc.outer(x[0], x[1]))
    assert np.array_equal(ufunc.outer(X[0], X[1]), ufunc.outer(x[0], X[1]))
    for method, rest in (("reduce", ()), ("accumulate", ()), ("reduceat", ([0, 1],))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                plain = getattr(ufunc, method)(X, *rest, axis=1)
            except (TypeError, ValueError):
                continue
        assert np.array_equal(plain, getattr(ufunc, method)(x, *rest, axis=1))


def test_reduce_of_constants_with_keywords():
    """initial, where and dtype reach NumPy also where nothing moves."""
    x = dd.Dual(np.where(MASK, X, 0.0), DX)
    assert np.array_equal([True, True], np.logical_and.reduce(x, axis=1, where=MASK))
    assert np.array_equal([False, False], np.logical_and.reduce(x, axis=1))
    assert np.array_equal([True, True], np.logical_or.reduce(x, axis=1, initial=True, where=~MASK))
    assert np.logical_or.reduce(X, axis=None, dtype=bool) == np.logical_or.reduce(x, axis=None, dtype=bool)


@pytest.mark.parametrize("ufunc", [f for f in BINARY if f is not np.heaviside], ids=name)
def test_outer(ufunc):
    """Every element of one with every element of the other, whichever moves."""
    y = np.array([[0.6, 1.7]])
    agrees(lambda a: ufunc.outer(a[0], y))
    agrees(lambda a: ufunc.outer(y, a))
    agrees(lambda a: ufunc.outer(a[0, :2], a[1, :2] * 1.07))
    agrees(lambda a: ufunc.outer(a[0, 0], a[1]))


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.divide, np.hypot, np.maximum], ids=name)
@pytest.mark.parametrize(
    "index", [[0, 1, 0], (np.array([0, 1, 0]), np.array([2, 2, 2])), (0, [1, 1, 2]), 1, slice(None), MASK], ids=str
)
def test_at(ufunc, index):
    """In place at an index, as often as the index repeats."""

    def f(a):
        target = a.copy() * 1.5
        assert ufunc.at(target, index, a[0, 1] * 0.9) is None
        return target

    agrees(f)


def test_at_with_one_operand_and_with_many_values():
    """A ufunc of one operand, and values that broadcast against the places."""

    def f(a):
        target = np.zeros_like(a)
        np.add.at(target, [0, 1, 0], a[[1, 0, 1]])
        np.sin.at(target, ([0, 0], [1, 1]))
        np.multiply.at(target, (slice(None), [0, 0]), a[0, :2])
        return target

    agrees(f)


@pytest.mark.parametrize("index", [[0, 1, 0], 0, slice(None)], ids=str)
def test_at_of_a_plain_array(index):
    """A plain target would lose the tangent: an error, and the target is as it was."""
    target = np.ones(3)
    with pytest.raises(dd.DroppedTangentError):
        np.add.at(target, index, dd.Dual(2.0, 1.0))

    assert np.array_equal(np.ones(3), target)


# --- keywords ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ufunc", [f for f in UFUNCS if isinstance(RULES.get(f), Line)], ids=name)
def test_out(ufunc):
    """A buffer that can hold tangents gets value and tangent, all of them or where a mask says."""
    x = [dd.Dual(X % 0.9 + 0.05, DX), dd.Dual(X[::-1] + 0.13, DX[::-1])][: ufunc.nin]
    if ufunc is np.arccosh:
        x = [x[0] + 1]
    if ufunc is np.ldexp:
        x[1] = np.array([[1, 2, 0], [3, 1, 1]])
    expected = ufunc(*x)
    buffer = dd.Dual(np.full(X.shape, 7.0), 5.0)
    alias = buffer[:, 1:]

    assert ufunc(*x, out=buffer) is buffer
    assert_allclose(buffer.value, expected.value)
    assert_allclose(buffer.tangent, expected.tangent)
    assert_allclose(alias.tangent, expected.tangent[:, 1:])

    buffer = dd.Dual(np.full(X.shape, 7.0), 5.0)
    assert ufunc(*x, out=(buffer,), where=MASK) is buffer
    assert_allclose(buffer.value, np.where(MASK, expected.value, 7.0))
    assert_allclose(buffer.tangent, np.where(MASK, expected.tangent, 5.0))


def test_out_of_several_results():
    """Ufuncs of two results fill two buffers, or say that they do not."""
    buffers = dd.Dual(np.zeros(X.shape)), dd.Dual(np.zeros(X.shape))
    try:
        np.divmod(dd.Dual(X, DX), 0.6, out=buffers)
    except TypeError:
        return
    assert_allclose(buffers[1].tangent, DX)


@pytest.mark.parametrize(
    "text",
    """np.add(x, 1.0, out=out)  np.add(x, 1.0, out)  np.add(x, 1.0, out=(out,))  np.add(1.0, x, out=out, where=MASK)
    np.sin(x, out=out)  np.cumsum(x, axis=0, out=out)  np.clip(x, 0.5, 1.0, out=out)  np.take(x, [0, 1], 0, out=out)
    np.add.accumulate(x, axis=0, out=out)  np.concatenate([x[:1], x[1:]], out=out)  np.stack([x[0], x[1]], out=out)
    np.matmul(np.eye(2), x, out=out)  np.dot(np.eye(2), x, out=out)  np.einsum("ij->ij", x, out=out)
    np.modf(x, out=(out, np.zeros_like(out)))  out.__iadd__(x)  out.__imul__(x)  out.__itruediv__(x)  out.__ipow__(x)
    np.sum(twice, axis=0, out=out)  np.mean(twice, axis=0, out=out)  np.max(twice, axis=0, out=out)
    np.prod(twice, axis=0, out=out)  np.add.reduce(twice, axis=0, out=out)  twice.sum(axis=0, out=out)
    x.cumsum(axis=0, out=out)  x.clip(0.5, 1.0, out=out)  np.outer(x[:, 0], x[0], out=out)  np.var(twice, 0, out=out)
    np.ptp(twice, axis=0, out=out)  np.add.outer(x[:, 0], x[0], out=out)  np.add.reduceat(x, [0, 1], out=out)
    np.multiply.reduce(twice, axis=0, out=out)  np.maximum.accumulate(x, out=out)""".replace("\n    ", "  ").split(
        "  "
    ),
)
def test_plain_out_is_refused(text):
    """A plain array cannot hold the tangent: an error with the ways out, and the buffer is as it was."""
    out, x = np.full(X.shape, 7.0), dd.Dual(X, DX)
    with pytest.raises(TypeError, match="Dual"):
        eval(text, {"np": np, "x": x, "out": out, "MASK": MASK, "twice": np.stack([x, x])})  # noqa: S307

    assert np.array_equal(np.full(X.shape, 7.0), out)


def test_plain_out_of_a_constant_works():
    """What does not move may be written anywhere."""
    out = np.zeros(X.shape, dtype=bool)

    assert np.greater(dd.Dual(X, DX), 1.0, out=out) is out
    assert np.array_equal(X > 1.0, out)
    rounded = np.zeros(X.shape)
    assert np.floor(dd.Dual(X, DX), out=rounded) is rounded
    assert np.array_equal(np.floor(X), rounded)


def test_where_without_out():
    """Where the mask holds the function's tangent; elsewhere nothing leaks in."""
    x = dd.Dual(X, DX)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's own, that the rest is not initialised
        y = np.multiply(x, x, where=MASK)

    assert_allclose(y.tangent[MASK], (2 * X * DX)[MASK])


def test_where_shields_singular_points():
    """A masked-out singular point leaves neither NaN nor warning."""
    x = dd.Dual(np.array([0.0, 4.0]), 1.0)
    out = dd.Dual(np.zeros(2))
    np.divide(1.0, x, out=out, where=x > 0)
    np.log(x, out=out, where=x.value > 0)

    assert_allclose(out.value, [0.0, np.log(4.0)])
    assert_allclose(out.tangent, [0.0, 0.25])


def test_dual_as_mask():
    """A Dual as where= counts by its value."""
    x = dd.Dual(np.array([0.0, 2.0]), 1.0)
    y = np.add(x, 1.0, where=np.array([True, True]) & (x > 0), out=dd.Dual(np.zeros(2)))

    assert_allclose(y.tangent, [0.0, 1.0])
    assert np.sum(np.array([1.0, 2.0]), where=x > 0) == 2.0


def test_dtype_and_casting():
    """dtype= and casting= go to NumPy, whose refusals stand."""
    x = dd.Dual(X, DX)

    assert np.float32 == np.add(x, 1.0, dtype=np.float32).dtype
    assert np.float32 == np.sin(x, dtype=np.float32, casting="same_kind").dtype
    assert np.complex128 == np.exp(x, dtype=complex).dtype
    for refused in ({"dtype": np.float32, "casting": "safe"}, {"dtype": int}, {"casting": "no", "dtype": np.float32}):
        with pytest.raises(TypeError):
            np.add(x, 1.0, **refused)


# --- operands ----------------------------------------------------------------------------------------------------


def test_numpys_numbers_and_arrays_on_the_left():
    """NumPy's own numbers and arrays leave the operation to the Dual, in every operator."""
    t, x = dd.Dual(1.5, 1.0), dd.Dual(X, DX)

    assert_allclose([2.0, 2.0], [(np.float64(2) * t).tangent, (np.float32(2) * t).tangent])
    assert_allclose((np.float64(2) - t).tangent, -1.0)
    assert_allclose((np.int64(3) / t).tangent, -3 / 1.5**2)
    assert_allclose((np.float64(2) ** t).tangent, np.log(2) * 2**1.5)
    assert_allclose((X * t).tangent, X)
    assert_allclose((X - x).tangent, -DX)
    assert_allclose((X @ x.T).tangent, X @ DX.T)
    assert_allclose((X**x).tangent, X**X * np.log(X) * DX)
    assert_allclose((np.array(2.0) * t).tangent, 2.0)
    assert ((np.float64(2) < t), (np.float64(1) < t)) == (False, True)
    assert np.array_equal(X > 1.5, t < X)


def test_object_arrays_and_lists():
    """Lists and object arrays of Duals count as one Dual, on either side."""
    s, t = dd.Dual(2.0, 1.0), dd.Dual(3.0, 0.5)
    objects = np.array([s * t, s + t])

    assert_allclose(dd.sin([s, t]).tangent, [np.cos(2.0), 0.5 * np.cos(3.0)])
    assert_allclose(np.add(s, objects).tangent, [5.0, 2.5])
    assert_allclose(np.multiply([s, t], s).tangent, [4.0, 4.0])
    assert_allclose((s * objects).tangent, [2 * 4.0 + 6.0, 2 * 1.5 + 5.0])
    assert_allclose(np.multiply(dd.Dual(np.ones(2), 0.0), [[s, 1.0], [t, 2.0]]).tangent, [[1.0, 0.0], [0.5, 0.0]])
    assert_allclose([d.tangent for d in np.float64(2) * objects], [8.0, 3.0])
    assert_allclose([d.tangent for d in objects * s], [14.0, 8.0])


class Measured:
    """A type that knows how to add itself to a Dual."""

    def __radd__(self, other):
        """Answer for a Dual on the left."""
        return ("radd", other)

    def __add__(self, other):
        """Answer for a Dual on the right."""
        return ("add", other)


@pytest.mark.parametrize("x", [dd.Dual(2.0, 1.0), dd.Dual(X, DX)], ids=["number", "array"])
def test_unknown_operand(x):
    """An operand that is no number is asked itself, and where it has no answer there is an error."""
    assert ("radd", x)[0] == (x + Measured())[0]
    assert (Measured() + x)[0] == "add"
    for wrong in (object(), "text", None, {1: 2}, np.array(["a", "b"]), np.array(["2020"], dtype="M8[Y]")):
        for operate in (
            lambda a, b: a + b,
            lambda a, b: b * a,
            np.add,
            np.maximum,
            lambda a, b: a @ b,
            lambda a, b: a**b,
        ):
            with pytest.raises(TypeError):
                operate(x, wrong)
