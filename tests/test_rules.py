"""Every rule against differences, from the sample calls that stand beside it in the book."""

import itertools
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from samples import ENTRIES, Sample, close, every_call, exact_slope, slope

import dualdiff as dd
from dualdiff.stacked import Stacked

LAYOUTS = {
    "fortran": lambda a: np.transpose(np.transpose(a).copy()),
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: np.flip(np.flip(a, -1).copy(), -1),
    "repeating": lambda a: np.broadcast_to(a, (2, *np.shape(a)))[1],
}


def blocks(f, sample, chunk_size):
    """Return the Jacobian by each variable, the others moving too."""
    return dd.jacobian(f, argnums=tuple(range(len(sample.names))), chunk_size=chunk_size)(*sample.point)


def applied(matrices, v):
    """Return the Jacobian, given in blocks, times a direction."""
    return sum(np.tensordot(block, np.asarray(part), np.ndim(part)) for block, part in zip(matrices, v, strict=True))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_rule_has_samples(entry):
    """Beside every rule stand calls that test it."""
    assert entry.calls


@every_call
def test_value_is_numpys(text):
    """Value, shape and type of number are what NumPy gives for plain arrays."""
    sample = Sample(text)
    value, tangent = dd.jvp(sample.f, sample.point, sample.direction())

    plain = sample.f(*sample.point)
    close(plain, value, 1e-13)
    assert np.asarray(plain).dtype == np.asarray(value).dtype
    assert np.shape(plain) == np.shape(tangent)


@every_call
def test_tangent_is_the_slope(text):
    """The tangent is the limit of differences."""
    sample = Sample(text)
    v = sample.direction()

    close(exact_slope(lambda h: sample.f(*sample.along(v)(h))), dd.jvp(sample.f, sample.point, v)[1])


@every_call
def test_directions_together_or_apart(text):
    """All directions in one pass give what each gives on its own."""
    sample = Sample(text)
    v = sample.direction()
    apart, together = blocks(sample.f, sample, 1), blocks(sample.f, sample, None)

    for one, all_at_once in zip(apart, together, strict=True):
        close(one, all_at_once, 1e-12)
    close(dd.jvp(sample.f, sample.point, v)[1], applied(together, v), 1e-11)


@every_call
def test_each_operand_alone(text):
    """Where one variable moves and the others are plain numbers, its part of the derivative is the same."""
    sample = Sample(text)

    for i, block in enumerate(blocks(sample.f, sample, 1)):
        close(block, dd.jacobian(sample.f, argnums=i)(*sample.point), 1e-12)
        close(block, dd.jacobian(sample.f, argnums=i, chunk_size=None)(*sample.point), 1e-12)


@every_call
def test_second_derivative_is_the_slope_of_the_first(text):
    """The rule differentiates itself: jvp of jvp against differences of jvp."""
    sample = Sample(text, seed=1)
    v, u = sample.direction(), sample.direction()

    def first(*p):
        return dd.jvp(sample.f, p, v)[1]

    close(slope(lambda h: first(*sample.along(u)(h))), dd.jvp(first, sample.point, u)[1], 1e-7)


@every_call
def test_second_derivatives_together_or_apart(text):
    """A derivative in all directions at once nests in itself, on either side."""
    sample = Sample(text)

    def second(outer, inner):
        first = dd.jacobian(sample.f, argnums=0, chunk_size=inner)
        return dd.jacobian(first, argnums=len(sample.names) - 1, chunk_size=outer)(*sample.point)

    apart = second(1, 1)
    for outer, inner in ((None, None), (1, None), (None, 1)):
        close(apart, second(outer, inner), 1e-11)


@every_call
def test_derivative_inside_a_derivative(text):
    """An inner derivative keeps its tangents apart from those of the outer one that it closes over.

    d/da d/db f(p + a·v + b·u + a·b·w) at 0 is D²f(v, u) + Df(w).
    """
    sample = Sample(text)
    v, u, w = (sample.direction() for _ in range(3))

    def inner(a):
        def moved(b):
            return sample.f(*(p + a * i + b * j + a * b * k for p, i, j, k in zip(sample.point, v, u, w, strict=True)))

        return dd.jvp(moved, 0.0, 1.0)[1]

    def first(*p):
        return dd.jvp(sample.f, p, u)[1]

    second = dd.jvp(first, sample.point, v)[1]
    close(second + dd.jvp(sample.f, sample.point, w)[1], dd.jvp(inner, 0.0, 1.0)[1], 1e-9)


@every_call
def test_inner_and_outer_operands_differ(text):
    """One operand belongs to the outer derivative, another one to the inner."""
    sample = Sample(text, seed=2)
    v, u = sample.direction(), sample.direction()
    for i, j in itertools.permutations(range(len(sample.names)), 2):

        def inner(h, i=i, j=j):
            def moved(b):
                p = list(sample.point)
                p[i], p[j] = p[i] + h * v[i], p[j] + b * u[j]
                return sample.f(*p)

            return dd.jvp(moved, 0.0, 1.0)[1]

        close(slope(inner), dd.jvp(inner, 0.0, 1.0)[1], 1e-7)


@pytest.mark.parametrize("layout", LAYOUTS)
@every_call
def test_memory_layout_does_not_matter(text, layout):
    """Fortran order, gaps, negative and zero strides change nothing, one direction or many in a pass."""
    sample = Sample(text)

    def laid_out(*p):
        return sample.f(*(LAYOUTS[layout](a) if np.ndim(a) else a for a in p))

    expected = blocks(sample.f, sample, 1)
    for chunk_size in (1, None):
        for block, actual in zip(expected, blocks(laid_out, sample, chunk_size), strict=True):
            close(block, actual, 1e-11)


@every_call
def test_value_and_tangent_may_differ_in_layout(text):
    """A hand-made Dual with its value in one memory order and its tangent in the other."""
    sample = Sample(text)
    v = sample.direction()
    mixed = sample.f(*(dd.Dual(p, np.array(d, order="F")[()]) for p, d in zip(sample.point, v, strict=True)))
    expected = dd.jvp(sample.f, sample.point, v)[1]

    close(expected, mixed.tangent if isinstance(mixed, dd.Dual) else np.zeros_like(mixed), 1e-11)


@every_call
def test_operands_are_left_alone(text):
    """A rule writes into none of its operands, nor does its result share a tangent without sharing a value."""
    sample = Sample(text)
    duals = [dd.Dual(p, d) for p, d in zip(sample.point, sample.direction(), strict=True)]
    before = [(np.copy(x.value), np.copy(x.tangent)) for x in duals]
    result = sample.f(*duals)

    for x, (value, tangent) in zip(duals, before, strict=True):
        assert np.array_equal(value, x.value)
        assert np.array_equal(tangent, x.tangent)
        if isinstance(result, dd.Dual) and np.ndim(x) and np.ndim(result):
            assert np.shares_memory(x.value, result.value) == np.shares_memory(x.tangent, result.tangent)


@every_call
def test_single_precision_stays(text):
    """float32 in, the type NumPy gives out, in value and in tangent."""
    sample = Sample(text)
    point = tuple(np.float32(p) if np.ndim(p) == 0 else p.astype(np.float32) for p in sample.point)
    v = tuple(np.asarray(d, np.float32)[()] for d in sample.direction())
    plain = np.asarray(sample.f(*point))
    value, tangent = dd.jvp(sample.f, point, v)

    assert plain.dtype == np.asarray(value).dtype
    assert plain.dtype == np.asarray(tangent).dtype
    assert_allclose(np.asarray(tangent), dd.jvp(sample.f, sample.point, v)[1], rtol=1e-3, atol=1e-3)


def linear_maps(run, monkeypatch):
    """Return every linear map with its transpose that `run` hands to a tangent, with a tangent it was given."""
    met = []
    original = Stacked.linear

    def recording(self, function, transpose):
        met.append((function, transpose, self.array[0]))
        return original(self, function, transpose)

    monkeypatch.setattr(Stacked, "linear", recording)
    run()
    return met


def inner(w, t):
    """Return the real inner product ⟨w, t⟩ of real or complex arrays."""
    return np.real(np.vdot(w, t))


def transposed_well(function, transpose, like):
    """Check ⟨w, L·t⟩ = ⟨Lᵀ·w, t⟩ for random t and w."""
    rng = np.random.default_rng(0)

    def random(of):
        numbers = rng.normal(size=np.shape(of))
        return numbers + 1j * rng.normal(size=np.shape(of)) if np.iscomplexobj(of) else numbers

    t = random(like)
    w = random(function(t))
    back = transpose(w)
    assert np.shape(back) == np.shape(t)
    assert_allclose(inner(back, t), inner(w, function(t)), rtol=1e-10, atol=1e-10)


@every_call
def test_transpose(text, monkeypatch):
    """A linear map that a rule hands over comes with its true transpose."""
    sample = Sample(text)

    for function, transpose, tangent in linear_maps(lambda: blocks(sample.f, sample, None), monkeypatch):
        transposed_well(function, transpose, tangent)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.solve(np.diag([1j, 2.0, 3.0]) + x[0], x),
        lambda x: np.linalg.solve(np.array([[1, 2j], [0, 1 + 1j]]), (1 + 1j) * x[:2]),
        lambda x: np.vdot(1j * x, x),
        lambda x: x.astype(complex) * 1j,
    ],
)
def test_transpose_over_complex_numbers(f, monkeypatch):
    """The same over the complex numbers, whose real inner product is Re ⟨w, t⟩."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for maps in linear_maps(lambda: dd.jacobian(f, chunk_size=None)(np.array([0.5, 1.5, 2.5])), monkeypatch):
            transposed_well(*maps)


# --- creation: buffers made like a Dual ------------------------------------------------------------------------------

BUFFERS = [
    "np.zeros_like(M)", "np.ones_like(M)", "np.full_like(M, 2.0)", "np.zeros((2, 3), like=M)",
    "np.ones((2, 3), like=M)", "np.full((2, 3), 2.0, like=M)", "np.empty((2, 3), like=M)", "np.eye(2, 3, like=M)",
    "np.array(N, like=M)",
    "np.asarray(N.tolist(), like=M)", "np.zeros_like(M, shape=(2, 3))", "np.zeros_like(M[0], shape=(2, 3))", "M.copy()",
    "np.zeros((2, 3), like=M[0, 0])", "0.0 * M", "np.zeros_like(M, dtype=complex)", "np.empty((2, 3), complex, like=M)",
]  # fmt: skip
N = np.array([[0.7, 1.3, 2.1], [1.9, 0.45, 1.1]])


def agrees(f, plainly):
    """Check f at N, its Jacobian, one direction in a pass or all, and its second derivative, against its like."""
    for derive in (
        lambda g: lambda x: dd.jvp(g, x, x)[0],
        dd.jacobian,
        lambda g: dd.jacobian(g, chunk_size=None),
        lambda g: dd.jacobian(dd.jacobian(g)),
        lambda g: dd.jacobian(dd.jacobian(g, chunk_size=None), chunk_size=None),
    ):
        close(derive(plainly)(N), derive(f)(N), 1e-11)


@pytest.mark.parametrize("text", BUFFERS)
def test_buffer(text):
    """A buffer made like a Dual takes Duals, and shares nothing with what it was made from."""
    unit = 1 + 1j if "complex" in text else 1.0

    def f(x):
        y = eval(text, {"np": np, "M": x, "N": N})  # noqa: S307
        for i, j in np.ndindex(2, 3):
            y[i, j] = unit * x[i, j] * x[1 - i, j]
        y[0] *= x[1]
        return y

    before = N.copy()
    agrees(f, lambda x: unit * np.stack([x[0] * x[1] ** 2, x[0] * x[1]]))
    assert np.array_equal(before, N)


@pytest.mark.parametrize("text", BUFFERS[:-2])
def test_buffer_from_outside_the_inner_derivative(text):
    """A buffer of the outer derivative takes Duals of the inner one, and keeps them as constants afterwards."""

    def f(x):
        outside = eval(text, {"np": np, "M": x, "N": N.copy()})  # noqa: S307

        def inner(t):
            outside[0] = x[0] * t**2
            outside[1] = t * x[1] ** 2
            return np.sum(outside * x)

        return dd.derivative(inner)(1.5) * outside

    agrees(f, lambda x: np.sum(3.0 * x[0] ** 2 + x[1] ** 3) * np.stack([2.25 * x[0], 1.5 * x[1] ** 2]))


@pytest.mark.parametrize("text", BUFFERS[:-2])
def test_view_of_an_outer_buffer_is_not_left_behind(text):
    """Where a view of the outer buffer would miss the inner tangent, the write is refused."""

    def f(x):
        outside = eval(text, {"np": np, "M": x, "N": N.copy()})  # noqa: S307
        view = outside[:, 1:]

        def inner(t):
            outside[...] = t * x
            return np.sum(view)

        return dd.derivative(inner)(1.0)

    try:
        slopes = dd.gradient(f)(N)
    except dd.DroppedTangentError as error:
        assert "copy" in str(error)  # noqa: PT017
    else:
        close([[0.0, 1.0, 1.0]] * 2, slopes)
