"""check on gradients, Jacobians and second derivatives: right in every layout, and wrong in the ways of matrices."""

import io
import sys

import numpy as np
import pytest
from numpy import cos, sin

import dualdiff as dd
from dualdiff.lecture.checked.checking import check


def f(t):
    """Return the function of the lecture."""
    return sin(t) ** 2 + 2 * cos(t)


# --- vectors ----------------------------------------------------------------------------------------------------------


def surface(s, t):
    """Return a point in space."""
    return np.stack([s * cos(t), s * sin(t), s**2])


def tangents(s, t):
    """Return its Jacobian."""
    return [[cos(t), -s * sin(t)], [sin(t), s * cos(t)], [2 * s, 0]]


ROWS = [
    (lambda J: J, None),
    (lambda J: J[:, ::-1], "wrong order of the inputs: the columns are those of t, s"),
    (lambda J: J[[1, 0, 2]], "wrong order of the results: the rows are those of f₂, f₁, f₃"),
    (lambda J: J[[0, 0, 2]], "a row is repeated: the row of f₂ is that of f₁"),
    (lambda J: J * [[1, 1], [1, 1], [0.5, 1]], "`s**2` was not brought down"),
    (lambda J: J * [[1, -1], [1, 1], [1, 1]], "the minus sign in the derivative of `cos(t)` was lost"),
    (lambda J: J * [[1, 1], [-1, -1], [1, 1]], "sign of the row of `s * sin(t)`"),
    (lambda J: J * 2, "the claim is 2 times the Jacobian"),
    (lambda J: J + np.array([[0, 0], [0, 0], [0, 0.3]]), "∂f₃/∂t"),
]


@pytest.mark.parametrize(("change", "words"), ROWS)
def test_jacobians(change, words):
    """A Jacobian of two numbers and three results: right, and wrong in the ways of matrices."""
    result = check(surface, lambda s, t: change(np.array(tangents(s, t))))

    assert (words is None) == bool(result)
    assert words is None or any(words in slip for slip in result.slips), str(result)


def test_a_transposed_gradient():
    """By a matrix: its shape is that of the argument."""
    M = np.array([[1.0, 2.0], [3.0, 5.0]])
    result = check(np.linalg.det, lambda M: np.linalg.inv(M) * np.linalg.det(M), at=M)

    assert not result
    assert "entry [i, j] is the derivative by the entry [i, j]" in result.slips[0]
    assert check(np.linalg.det, lambda M: np.linalg.inv(M).T * np.linalg.det(M), at=M)
    wide = np.array([[1.0, 2.0, 3.0], [3.0, 5.0, 7.0]])
    assert "transposed" in check(lambda M: np.sum(M**3), lambda M: (3 * M**2).T, at=wide).slips[0]


def test_the_diagonal_alone():
    """Of a function of each number by itself the Jacobian is a matrix, and the words say how it is made."""
    x = np.array([1.0, 2.0, 3.0])

    assert check(lambda x: x**2, lambda x: np.diag(2 * x), at=x)
    assert "it is np.diag of that" in str(check(lambda x: x**2, lambda x: 2 * x, at=x))


def test_a_transposed_jacobian():
    """Of another shape or of the same, a transposed matrix is told from a right one."""
    result = check(surface, lambda s, t: np.array(tangents(s, t)).T)

    assert not result
    assert "claim returned shape (2, 3), and the Jacobian has shape (3, 2)" in str(result)
    assert ["the matrix is transposed: rows are results, columns are inputs"] == result.slips
    assert not check(surface, lambda s, t: np.array(tangents(s, t)).T.tolist())
    square = check(lambda s, t: [s * t, s + t**3], lambda s, t: [[t, 1], [s, 3 * t**2]])
    assert ["the matrix is transposed: rows are results, columns are inputs"] == square.slips


def test_matrices_are_printed_with_their_wrong_entries():
    """The words name the entry that is farthest off, and both matrices are shown."""
    result = check(lambda s, t: [s * t, s + t], lambda s, t: [[t, s], [1, -1]], at=(2.0, 5.0))

    assert [
        "✗ claim fails at (s, t) = (2, 5): ∂f₂/∂t: claimed −1, true 1, difference 2",
        "        claimed    true",
        "        s     t    s  t",
        "    f₁  5     2    5  2",
        "    f₂  1  −1 ✗    1  1",
    ] == str(result).splitlines()[:5]
    assert ((2.0, 5.0), -1.0) == (result.worst.point, result.worst.claimed[1, 1])


def test_matrices_keep_their_columns_in_ascii(monkeypatch):
    """The sign at a wrong entry takes one column there too."""
    result = check(lambda s, t: (s * t, s + t), lambda s, t: [[t, s], [1, 0]], at=(2.5, 5.0))
    lines = str(result).splitlines()[1:5]
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    plain = str(result).splitlines()

    assert plain[0].startswith("wrong: claim fails at (s, t) = (2.5, 5): df2/dt")
    assert [len(line) for line in lines] == [len(line) for line in plain[1:5]]
    assert "0 !" in plain[4]


def test_rounded_matrices():
    """A matrix of numbers with two decimals is the Jacobian rounded, and with one of them wrong it is not."""
    g = lambda s, t: (s * t, sin(s) + 1e-3 * t, 12 * cos(t))
    rounded = [[0.5, 1.2], [0.36, 0.0], [0.0, -5.75]]
    result = check(g, rounded, at=(1.2, 0.5))
    text = str(result).splitlines()[-1]

    assert not result
    assert "  its numbers are those of the Jacobian, rounded to 2 decimals" == text  # 0 for 0.001: no rtol accepts that
    other = check(lambda s, t: (s * t, sin(s)), [[0.5, 1.2], [0.36, 0.0]], at=(1.2, 0.5))
    assert str(other).endswith("\n  its numbers are those of the Jacobian, rounded to 2 digits; rtol=7e-03 accepts it")
    assert check(lambda s, t: (s * t, sin(s)), [[0.5, 1.2], [0.36, 0.0]], at=(1.2, 0.5), rtol=7e-3)
    assert "rounded" not in str(check(g, [[0.5, 1.2], [0.36, 0.0], [0.0, -5.85]], at=(1.2, 0.5)))


def test_gradients():
    """Gradients of several numbers as tuple, list or array, and of one array."""
    for kind in (tuple, list, np.array, lambda row: np.array([row])):
        assert check(lambda s, t: s**2 * t, lambda s, t, kind=kind: kind([2 * s * t, s**2]))
    swapped = check(lambda s, t: s**2 * t, lambda s, t: (s**2, 2 * s * t))
    assert ["wrong order of the inputs: the columns are those of t, s"] == swapped.slips
    x = np.array([1.0, -2.0, 0.5])
    A = np.array([[2.0, 1.0, 0.0], [0.5, 3.0, -1.0], [0.2, -0.7, 1.5]])
    assert check(lambda x: x @ A @ x, lambda x: (A + A.T) @ x, at=x)
    half = check(lambda x: x @ A @ x, lambda x: A @ x, at=x)
    assert any("product rule half done" in slip for slip in half.slips)
    assert not check(lambda x: x @ A @ x, lambda x: 2 * A @ x, at=x)


def test_blocks_of_arguments():
    """With argnums as a tuple, and for arrays beside numbers, the claim has a part for each argument."""
    x = np.array([1.0, 2.0])
    g = lambda a, x: a * np.sum(x**2)

    assert check(g, lambda a, x: (np.sum(x**2), 2 * a * x), at=(3.0, x))
    assert check(g, lambda a, x: [np.sum(x**2), *(2 * a * x)], at=(3.0, x))
    assert check(g, lambda a, x: (2 * a * x, np.sum(x**2)), at=(3.0, x), argnums=(1, 0))
    assert check(g, lambda a, x: 2 * a * x, at=(3.0, x), argnums="x")
    assert not check(g, lambda a, x: (2 * a * x, np.sum(x**2)), at=(3.0, x), argnums=(0, 1))
    assert check(lambda s, t: s * t**2, lambda s, t: 2 * s * t, argnums=1)
    assert check(
        lambda p: p["a"] * p["b"] ** 2, lambda p: {"a": p["b"] ** 2, "b": 2 * p["a"] * p["b"]}, at={"a": 2, "b": 3}
    )


def test_results_in_containers():
    """Of a tuple or a dict of results a claim has a part for each."""
    assert check(lambda s, t: (s * t, np.stack([s, t])), lambda s, t: ([t, s], [[1, 0], [0, 1]]))
    assert check(lambda s: {"a": 2 * s, "b": s**2}, lambda s: {"b": 2 * s, "a": 2})
    assert not check(lambda s: {"a": 2 * s, "b": s**2}, lambda s: {"a": 2 * s, "b": 2})
    assert not check(lambda s: {"a": 2 * s, "b": s**2}, lambda s: {"a": 2})


def test_many_numbers():
    """Gradients of hundreds of numbers, with the slip named, and of thousands."""
    x = np.linspace(0.0, 3.0, 200)
    g = lambda x: np.sum(sin(x) ** 2)

    assert check(g, lambda x: sin(2 * x), at=np.linspace(0.0, 3.0, 2000))
    assert any("was not lowered" in slip for slip in check(g, lambda x: 2 * sin(x) ** 2 * cos(x), at=x).slips)


# --- second derivatives -----------------------------------------------------------------------------------------------


def test_second_derivatives():
    """A derivative is a function too; a slip in differentiating it is named in its formula."""
    second = dd.derivative(f)
    assert check(second, lambda t: 2 * cos(2 * t) - 2 * cos(t))
    result = check(second, lambda t: 2 * cos(2 * t) + 2 * cos(t))
    assert "sign of the term through `2*sin(t)`" in result.slips[0]
    earlier = check(
        dd.derivative(lambda t: t * sin(3 * t)), lambda t: 6 * cos(3 * t) - 3 * t * sin(3 * t) - 2 * cos(3 * t)
    )
    assert any("f′ already: `sin(3 * t)` was differentiated without" in slip for slip in earlier.slips), str(earlier)


def test_third_derivatives():
    """As deep as one likes."""
    third = dd.derivative(dd.derivative(lambda t: t**4))
    assert check(third, lambda t: 24 * t)
    result = check(third, lambda t: 24 * t**2)
    assert any("in the derivative of f′′ = 12*t**2" in slip and "not lowered" in slip for slip in result.slips), str(
        result
    )


def test_hessians():
    """The Jacobian of a gradient, of numbers and of an array."""
    gradient = dd.gradient(lambda s, t: s**2 * t + sin(t))
    assert check(gradient, lambda s, t: [[2 * t, 2 * s], [2 * s, -sin(t)]])
    wrong = check(gradient, lambda s, t: [[2 * t, 2 * s], [2 * s, sin(t)]])
    assert any("sign" in slip for slip in wrong.slips)
    assert "Hessian" in str(check(gradient, lambda s, t: [2 * t, -sin(t)]))
    points = [np.array([1.0, 2.0, 0.5]), np.array([1.0, -2.0, 0.7])]
    of_array = dd.gradient(lambda x: np.sum(x**3) * x[0])
    assert check(of_array, dd.hessian(lambda x: np.sum(x**3) * x[0]), at=points)
    assert not check(of_array, lambda x: np.diag(6 * x) * x[0], at=points)
