"""chain: against matrices by hand, the direct Jacobian, and bracketings counted by brute force."""

import functools
import itertools
import math
import operator

import numpy as np
import pytest
from chains import classic, g, layered
from hypothesis import given, settings, strategies as st

from dualdiff.lecture.chained import bracketings as orders
from dualdiff.lecture.chained.chaining import chain


def test_factors_are_the_matrices_of_the_lecture():
    """∂f/∂x = [2·x1, 2] and ∂x/∂(s, t) = [[t, s], [1, 1]] at (2, 3), and their product is [38, 26]."""
    shown = classic()

    assert [[12.0, 2.0]] == shown.factors[0].tolist()
    assert [[3.0, 2.0], [1.0, 1.0]] == shown.factors[1].tolist()
    assert [[38.0, 26.0]] == shown.product.tolist()
    assert [[38.0, 26.0]] == shown.jacobian.tolist()
    assert 46.0 == shown.value
    assert shown.agrees
    assert 0.0 == shown.difference


def test_entries_are_sums_over_paths():
    """38 = 12·3 through x1 and 2·1 through x2."""
    entry = classic().entry("f", "s")

    assert ("f", "s", 38.0, 2) == (entry.output, entry.input, entry.value, entry.count)
    assert [(("x1",), (12.0, 3.0), 36.0), (("x2",), (2.0, 1.0), 2.0)] == list(entry.paths)
    assert [36.0 + 2.0, 24.0 + 2.0] == [sum(p.value for p in e.paths) for e in classic().entries]
    assert entry.paths == classic().paths(0, 0) == classic().paths(-1, "s")


def test_labels_are_the_names_of_arguments():
    """Numbers have the parameters' names, arrays their indices, and results the function's name."""
    inner = lambda a, b: np.stack([a[0] * b, a[1], a[0]])
    outer = lambda x: np.stack([x[0] + x[2], x[1]])

    assert (("f",), ("x1", "x2"), ("s", "t")) == classic().labels
    assert (("f[0]", "f[1]"), ("x[0]", "x[1]", "x[2]"), ("a[0]", "a[1]", "b")) == chain(outer, inner)(
        np.array([1.0, 2.0]), 3.0
    ).labels


def test_one_name_for_two_things_is_resolved():
    """Where the next parameter is called as an earlier one, what is between them is called after its function."""
    square = lambda x: x**2

    def half(x):
        return x / 2

    assert (("f",), ("half",), ("x",)) == chain(square, half)(1.0).labels
    assert (("half3",), ("half2",), ("half1",), ("x",)) == chain(half, half, half)(1.0).labels
    assert (("f",), ("u",), ("x",)) == chain(square, np.sin)(1.0).labels  # no number is to be called sin


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (lambda x1, x2: x1 * x2, lambda s, t: (s * t, s + t)),
        (lambda x1, x2: x1 * x2, lambda s, t: [s * t, s + t]),
        (lambda x: x[0] * x[1], lambda s, t: (s * t, s + t)),
        (lambda x: x[0] * x[1], lambda s, t: np.array([s * t, s + t])),
        (lambda *x: x[0] * x[1], lambda s, t: np.stack([s * t, s + t])),
        (lambda x, power=1: (x[0] * x[1]) ** power, lambda s, t: np.stack([s * t, s + t])),
        (lambda d: d["a"] * d["b"], lambda s, t: {"a": s * t, "b": s + t}),
        (lambda A, b: (A @ b).sum(), lambda s, t: (np.array([[s, 0.0], [0.0, s]]), np.array([t * (s + t), 0.0]))),
    ],
    ids=["tuple", "list", "tuple-to-array", "array", "variadic", "default", "dict", "arrays"],
)
def test_results_reach_the_next_function(outer, inner):
    """However the inner function returns (s·t, s + t), the product of both has slopes 2·s·t + t² and s² + 2·s·t."""
    shown = chain(outer, inner)(2.0, 3.0)

    assert [[2 * 2 * 3 + 9.0, 4 + 2 * 2 * 3.0]] == shown.product.tolist()
    assert shown.agrees


def test_one_function_is_its_own_product():
    """A chain of one has one factor, which is its Jacobian, and nothing to multiply."""
    shown = chain(g)(2.0, 3.0)

    assert [[3.0, 2.0], [1.0, 1.0]] == shown.product.tolist() == shown.factors[0].tolist()
    assert {"forward": 0, "reverse": 0, "best": 0} == shown.counts
    assert [((), (3.0,), 3.0)] == list(shown.paths(0, 0))


def test_keywords_belong_to_the_innermost():
    """What is given by keyword reaches the innermost function and does not move."""
    shown = chain(np.sin, lambda x, scale: scale * x)(0.0, scale=3.0)

    assert [[3.0]] == shown.product.tolist()


def test_layered_network_costs_what_the_lecture_says():
    """Forward 10 255 000 multiplications, reverse 210 250, and reverse is the best of 5 bracketings."""
    shown = layered()

    assert [(1, 5), (5, 50), (50, 200), (200, 1000)] == [A.shape for A in shown.factors]
    assert {"forward": 10_255_000, "reverse": 210_250, "best": 210_250} == shown.counts
    assert 5 == len(shown.bracketings)
    assert shown.agrees
    assert 0 < np.max(np.abs(shown.product))
    text = shown.to_text(80)
    assert "10 255 000  forward" in text
    assert "(50 × 200)" in text
    assert 5 * 50 * 200 == shown.entry(0, 999).count


def brute_force(sizes):
    """Return the count of every bracketing: matrices are tuples (rows, columns), any two neighbours may go first."""

    @functools.cache
    def costs(shapes):
        if len(shapes) == 1:
            return frozenset([(0, "J")])
        found = set()
        for split in range(1, len(shapes)):
            for (a, left), (b, right) in itertools.product(costs(shapes[:split]), costs(shapes[split:])):
                rows, middle, columns = shapes[0][0], shapes[split][0], shapes[-1][1]
                found.add((a + b + rows * middle * columns, f"({left}{right})"))
        return frozenset(found)

    return costs(tuple(itertools.pairwise(sizes)))


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=7))
def test_every_bracketing_is_counted(sizes):
    """All Catalan many, each with the multiplications that brute force finds, and the best is the least of them."""
    ways = orders.every(sizes)
    k = len(sizes) - 2

    assert math.comb(2 * k, k) // (k + 1) == len(ways) == len({way.text for way in ways})
    assert sorted(cost for cost, _ in brute_force(sizes)) == sorted(way.multiplications for way in ways)
    assert min(cost for cost, _ in brute_force(sizes)) == orders.best(sizes).multiplications


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=9))
def test_counts_are_those_of_multiplying(sizes):
    """Multiplying matrices in the order of a bracketing takes exactly its multiplications."""

    class Matrix:
        spent = 0

        def __init__(self, rows, columns):
            self.shape = rows, columns

        def __matmul__(self, other):
            assert self.shape[1] == other.shape[0]
            Matrix.spent += self.shape[0] * self.shape[1] * other.shape[1]
            return Matrix(self.shape[0], other.shape[1])

    for way in (orders.forward(sizes), orders.reverse(sizes), orders.best(sizes)):
        Matrix.spent = 0
        product = orders.multiplied(way.order, [Matrix(*shape) for shape in itertools.pairwise(sizes)], operator.matmul)

        assert (sizes[0], sizes[-1]) == product.shape
        assert way.multiplications == Matrix.spent


def test_bracketings_read_as_products():
    """Brackets of three factors: (J3·J2)·J1 is reverse, J3·(J2·J1) is forward; the cheaper comes first."""
    ways = chain(np.sum, np.sin, lambda x: np.stack([x, x]))(1.0).bracketings

    assert ["(J3·J2)·J1", "J3·(J2·J1)"] == sorted(way.text for way in ways)
    assert "(J3·J2)·J1" == orders.reverse([1, 2, 2, 1]).text
    assert "J3·(J2·J1)" == orders.forward([1, 2, 2, 1]).text


@st.composite
def chains(draw):
    """Draw the sizes of up to five maps between small spaces, and a seed for their coefficients."""
    return draw(st.lists(st.integers(1, 4), min_size=2, max_size=6)), draw(st.integers(0, 2**32 - 1))


@settings(deadline=None)
@given(chains())
def test_random_chains_agree_with_matrices_by_hand(drawn):
    """For maps sin(A·x), whose Jacobian is diag(cos(A·x))·A, factors, product, direct Jacobian and paths agree."""
    sizes, seed = drawn
    rng = np.random.default_rng(seed)
    matrices = [rng.normal(size=shape) for shape in itertools.pairwise(sizes)]
    x = rng.normal(size=sizes[-1])
    shown = chain(*[lambda v, A=A: np.sin(A @ v) for A in matrices])(x)
    by_hand, at = [], x
    for A in reversed(matrices):
        by_hand.insert(0, np.cos(A @ at)[:, None] * A)
        at = np.sin(A @ at)
    product = functools.reduce(np.matmul, by_hand)

    for expected, factor in zip(by_hand, shown.factors, strict=True):
        np.testing.assert_allclose(factor, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(shown.product, product, rtol=1e-10, atol=1e-12)
    assert shown.agrees
    for entry in shown.entries:
        assert math.prod(sizes[1:-1]) == entry.count
        if entry.count <= 12:
            assert len(entry.paths) == entry.count == len({p.through for p in entry.paths})
            assert sum(p.value for p in entry.paths) == pytest.approx(entry.value, rel=1e-9, abs=1e-12)


def test_of_many_paths_the_largest_are_given():
    """Of 12·12·12 paths the 1000 given are the ones of largest size, found here by listing all."""
    rng = np.random.default_rng(1)
    A, B, C, D = rng.normal(size=12), rng.normal(size=(12, 12)), rng.normal(size=(12, 12)), rng.normal(size=12)
    shown = chain(lambda x: A @ x, lambda x: B @ x, lambda x: C @ x, lambda t: D * t)(1.0)
    sizes = np.sort(np.abs(A[:, None, None] * B[:, :, None] * C[None] * D).ravel())[::-1]
    entry = shown.entry(0, 0)

    assert 1728 == entry.count
    np.testing.assert_allclose([abs(p.value) for p in entry.paths], sizes[:1000], rtol=1e-12)


def test_functions_that_change_are_found_out():
    """A function that is another at each call has a direct Jacobian of its own, and the text says so."""
    calls = itertools.count(1)
    shown = chain(lambda x: next(calls) * x, np.sin)(0.0)

    assert not shown.agrees
    assert shown.difference >= 1
    assert ("f",) == shown.changing
    assert (
        "✗ the Jacobian of f∘sin taken directly differs by up to 1: f returns something else at each call"
        in shown.to_text(120)
    )


def test_an_exact_zero_contributes_nothing():
    """A slope of 0 beside an infinite one is a path of 0, in the product as in the direct Jacobian."""
    shown = chain(np.sqrt, lambda s: 0 * s)(2.0)

    assert [[math.inf]] == shown.factors[0].tolist()
    assert [[0.0]] == shown.product.tolist() == shown.jacobian.tolist()
    assert (True, 0.0, 0.0) == (shown.agrees, shown.difference, shown.paths(0, 0)[0].value)
    assert "✓ the Jacobian of sqrt∘f taken directly is exactly the same" in shown.to_text(80)
    wide = chain(lambda x: np.sqrt(x[0]) + x[1], lambda s, t: (0 * s, 3 * t))(2.0, 1.0)
    assert [[0.0, 3.0]] == wide.product.tolist() == wide.jacobian.tolist()
    assert wide.agrees


def test_what_is_infinite_blames_nobody():
    """Where 0·inf keeps product and direct Jacobian apart, the text says so and not that a function changes."""
    shown = chain(lambda x: x * x, np.sqrt)(0.0)

    assert () == shown.changing
    assert not shown.agrees
    assert not shown.to_dict()["finite"]
    text = " ".join(shown.to_text(60).split())
    assert "with inf or nan among the numbers 0·inf has no value, and the product takes it for 0" in text
    assert "0*inf" in shown.to_text(60, ascii=True)
    assert "✗" not in text
    assert "call" not in text


@pytest.mark.parametrize(("factors", "orders_of_them", "listed"), [(6, 42, 42), (8, 429, 429), (9, 1430, 2)])
def test_how_many_bracketings_there_are_is_said(factors, orders_of_them, listed):
    """Up to eight factors all are there; of more, forward, reverse and the best, and the text says of how many."""
    shown = chain(*[np.sin] * factors)(1.0)

    assert math.comb(2 * factors - 2, factors - 1) // factors == orders_of_them
    assert listed == len(shown.bracketings)
    assert {shown.forward.text, shown.reverse.text, shown.best.text} <= {way.text for way in shown.bracketings}
    assert f"  2 of {orders_of_them:,} bracketings".replace(",", " ") in shown.to_text(60)


def test_many_parameters_keep_their_names():
    """Seven letters that names are made of may all be taken."""
    shown = chain(lambda v1, w1, u1, z1, y1, a1, b1: v1 + w1, lambda s: (s,) * 7)(1.0)

    assert [[2.0]] == shown.product.tolist()
    assert ("v1", "w1", "u1", "z1", "y1", "a1", "b1") == shown.labels[1]
