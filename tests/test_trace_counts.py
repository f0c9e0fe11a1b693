"""The operations that a trace counts, against counts made by hand; times 1 is counted."""

import numpy as np
import pytest
from trace_tables import told

X = np.array([1.0, 2.0, 3.0])
W = np.arange(6.0).reshape(2, 3)
C = np.arange(1.0, 7.0).reshape(2, 3)


def written(x):
    """Put a product in the place of an element."""
    y = x * 2.0
    y[0] = 3.0 * x[1]
    return y


def branch(x):
    """Take the longer way where x is positive."""
    return x * x * x * x if x > 0 else -x


def mml(x):
    """Return example 5.14 of Mathematics for Machine Learning by its intermediate variables."""
    a = x**2
    b = np.exp(a)
    c = a + b
    return np.sqrt(c) + np.cos(c)


# f, arguments, forward × and + of one pass, reverse × and + of one pass
BY_HAND = {
    "survey": (lambda a, b: np.log(a) + a * b - np.sin(b), (2.0, 5.0), (8, 3), (8, 2)),
    "mml": (mml, (0.7,), (8, 2), (8, 2)),
    "square": (lambda x: x**2, (3.0,), (1, 0), (1, 0)),
    "quotient": (lambda x, y: x / y, (3.0, 2.0), (2, 1), (2, 0)),
    "constant": (lambda x: 3.0, (3.0,), (0, 0), (0, 0)),
    "itself": (lambda x: x, (3.0,), (0, 0), (0, 0)),
    "fixed matrix": (lambda x: W @ x, (X,), (6, 4), (6, 3)),
    "matrix and vector": (lambda W, x: W @ x, (W, X), (12, 10), (12, 3)),
    "two matrices": (lambda A, B: A @ B, (np.eye(2), np.eye(2)), (16, 12), (16, 8)),
    "sum": (np.sum, (np.ones(7),), (0, 6), (0, 0)),
    "sum of rows": (lambda M: np.sum(M, axis=1), (C,), (0, 4), (0, 0)),
    "mean": (np.mean, (np.ones(4),), (1, 3), (1, 0)),
    "dot with itself": (lambda x: np.sum(x * x), (X,), (3, 2), (3, 0)),
    "elementwise": (lambda x: np.sin(x) * 2.0, (X,), (6, 0), (6, 0)),
    "number times array": (lambda s, x: s * x, (2.0, X), (6, 3), (6, 2)),
    "broadcast": (lambda x, y: x[:, None] * y, (X, X[:2]), (12, 6), (12, 3 * 1 + 2 * 2)),
    "branch": (branch, (2.0,), (5, 2), (5, 2)),
    "other branch": (branch, (-2.0,), (1, 0), (1, 0)),
    "steps in a loop": (lambda x: sum(x**k for k in (2, 3, 4)), (2.0,), (7, 2), (7, 2)),
    # what takes, moves and puts together numbers costs nothing, and each goes back to where it came from
    "elements": (lambda x: x[0] * x[1], (X,), (2, 1), (2, 0)),
    "elements twice": (lambda x: x[0] * x[1] + x[0], (X,), (4, 2), (4, 1)),
    "slices": (lambda x: x[1:] * 2.0, (X,), (2, 0), (2, 0)),
    "transposed": (lambda M: M.T * 2.0, (C,), (6, 0), (6, 0)),
    "reversed": (lambda x: x[::-1] * 2.0, (X,), (3, 0), (3, 0)),
    "side by side": (lambda x, y: np.concatenate([x, y]), (X, X), (0, 0), (0, 0)),
    "listed": (lambda x, y: [x * 2, y * 3], (2.0, 3.0), (2, 0), (2, 0)),
    "split": (lambda x: np.split(x, 3), (X,), (0, 0), (0, 0)),
    "one by one": (lambda x: sum(v * v for v in x), (X,), (7, 2), (7, 0)),
    "written": (written, (X,), (4, 0), (4, 1)),
    "repeated": (lambda x: np.repeat(x, 2), (X,), (0, 0), (0, 3)),
    "differences": (np.diff, (X,), (4, 2), (4, 1)),  # two factors 1 and -1 in each
    "running sums": (np.cumsum, (X,), (0, 2), (0, 2)),
    "chosen": (lambda x: np.where(x > 1.5, x * 2.0, 1.0), (X,), (3, 0), (3, 0)),
    "largest": (np.max, (X,), (0, 0), (0, 0)),
    "three factors": (lambda x: np.einsum("i,ij,j", np.ones(2), C, x), (X,), (12, 5), (12, 3)),
}


def rates(name):
    """Return the counts of a table divided by the passes."""
    f, args, *_ = BY_HAND[name]
    table = told(f, *args)
    found = {}
    for way in ("forward", "reverse"):
        counted = [table["counts"][way][kind] for kind in ("multiplications", "additions")]
        assert [0, 0] == [count % table["passes"][way] for count in counted]
        found[way] = tuple(count // table["passes"][way] for count in counted)
    return found


@pytest.mark.parametrize("name", BY_HAND)
def test_forward(name):
    """One pass of tangents takes what the chain rule takes on paper."""
    assert BY_HAND[name][2] == rates(name)["forward"]


@pytest.mark.parametrize("name", BY_HAND)
def test_reverse(name):
    """One pass of adjoints takes as much; contributions to one number after the first are additions."""
    assert BY_HAND[name][3] == rates(name)["reverse"]


def test_passes_multiply():
    """All passes together take as many times more: one for each number of the inputs, or of the outputs."""
    assert {
        "forward": {"multiplications": 16, "additions": 6},
        "reverse": {"multiplications": 8, "additions": 2},
    } == told(BY_HAND["survey"][0], 2.0, 5.0)["counts"]
    assert {
        "forward": {"multiplications": 108, "additions": 90},
        "reverse": {"multiplications": 24, "additions": 6},
    } == told(lambda W, x: W @ x, W, X)["counts"]
    assert {"forward": 9, "reverse": 2} == told(lambda W, x: W @ x, W, X)["passes"]


def test_reverse_goes_through_what_an_output_needs():
    """The passes of several results differ in length."""
    table = told(lambda x, y: (np.sin(x) * y, x + 1.0), 2.0, 3.0)

    assert {"forward": 2, "reverse": 2} == table["passes"]
    assert {"multiplications": 8, "additions": 2} == table["counts"]["forward"]
    assert {"multiplications": 3 + 1, "additions": 0} == table["counts"]["reverse"]


def test_unused_steps_cost_nothing():
    """What no result hangs on is in no pass."""
    assert told(lambda x: x * 3, 2.0)["counts"] == told(lambda x: (np.exp(x) * 2, x * 3)[1], 2.0)["counts"]
