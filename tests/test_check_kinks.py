"""check where there is no derivative: kinks and infinite slopes; arrays that change later; what cannot be asked."""

import math

import numpy as np
import pytest

import dualdiff as dd
from dualdiff.lecture.checked.checking import check


@pytest.mark.parametrize(
    ("function", "claim", "point", "words"),
    [
        (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0), 0.0, "x = 0: a kink, where any slope from 0 to 1"),
        (np.abs, lambda x: 1.0, 0.0, "x = 0: a kink, where any slope from −1 to 1"),
        (np.abs, lambda x: math.nan, 0.0, "x = 0: a kink, where any slope from −1 to 1"),
        (lambda x: np.clip(x, 0, 2) ** 2, lambda x: 4.0, 2.0, "x = 2: a kink, where any slope from 0 to 4"),
        (
            lambda x: np.sum(np.maximum(x, 0)), lambda x: 1.0 * (x > 0), np.array([1.0, 0.0, -1.0]),
            "x = [1, 0, −1]: a kink, where any slope from 0 to 1 will do as ∂f/∂x₂",
        ),
        (
            lambda x: np.max(x), lambda x: (x == np.max(x)) * 1.0, np.array([1.0, 1.0, 0.0]),
            "x = [1, 1, 0]: a kink, where any slope from 0 to 1 will do as ∂f/∂x₁",
        ),
        (
            lambda s, t: np.maximum(s, t), lambda s, t: (1.0, 0.0), (2.0, 2.0),
            "(s, t) = (2, 2): a kink, where any slope from 0 to 1 will do as ∂f/∂s",
        ),
    ],
)  # fmt: skip
def test_any_slope_will_do_at_a_kink(function, claim, point, words):
    """A kink is listed, with the slopes around it; no slip is invented, and with no other point nothing is right."""
    result = check(function, claim, at=[point])

    assert not result
    assert words in str(result)
    assert str(result).startswith("✗ undecided: there is nothing to compare")
    assert ([], [], 1) == (result.slips, result.points, len(result.skipped))


def test_beside_a_kink_other_points_count():
    """Points that are no kinks decide; what lies outside of the slopes is wrong, and so are other entries."""
    assert check(lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0), at=[0.0, 1.0, -1.0])
    assert not check(lambda x: np.maximum(x, 0), lambda x: 2.0 * (x > 0), at=[0.0, 1.0])
    result = check(lambda x: np.maximum(x, 0), lambda x: 7.0, at=0.0)
    assert [] == result.slips
    assert [0.0] == result.points
    assert "x = 0 is a kink, where any slope from 0 to 1 will do" in str(result)
    entries = check(lambda x: np.sum(np.maximum(x, 0)), lambda x: 2.0 * (x > 0), at=np.array([1.0, 0.0, -1.0]))
    assert "∂f/∂x₁: claimed 2, true 1" in str(entries)


@pytest.mark.parametrize(
    ("function", "claim", "point"),
    [
        (np.sin, lambda x: 0.9, 0.0),
        (lambda x: np.abs(x) ** 1.5, lambda x: 0.1, 0.0),
        (lambda x: np.sin(1e4 * x), lambda x: 5e3, 0.0),
        (np.abs, lambda x: -1.0, 1e-3),
        (lambda x: np.exp(20 * x), lambda x: 21.0, 0.0),
    ],
)
def test_smooth_points_are_no_kinks(function, claim, point):
    """However much f is bent, where it has a derivative another number is wrong."""
    result = check(function, claim, at=point)

    assert not result
    assert "claim fails" in str(result)
    assert "kink" not in str(result)


@pytest.mark.parametrize(
    "claim", [lambda x: math.nan, lambda x: 0.5 / math.sqrt(x), lambda x: np.log(-1 - x)], ids=["nan", "raises", "log"]
)
def test_silence_at_an_infinite_slope(claim):
    """NaN and an exception are the same answer there: listed, and never agreement."""
    result = check(np.sqrt, claim, at=0.0)

    assert not result
    assert ([], [0.0], []) == (result.points, result.skipped, result.slips)
    assert "no derivative of f at x = 0: the slope is inf there, and the claim says nothing" in str(result)


def test_other_entries_beside_an_infinite_slope():
    """The entries that are finite are compared all the same."""

    def f(x):
        return np.sum(np.sqrt(x))

    point = np.array([0.0, 1.0])

    assert check(f, lambda x: [math.inf, 0.5], at=point)
    assert 1 == len(check(f, lambda x: [math.nan, 0.5], at=point).skipped)
    assert not check(f, lambda x: [math.nan, 0.5], at=point)
    assert 1 == len(check(f, lambda x: 0.5 / math.sqrt(x[0]), at=point).skipped)
    assert "∂f/∂x₂: claimed 0.7, true 0.5" in str(check(f, lambda x: [math.nan, 0.7], at=point))


# --- arrays that change later -----------------------------------------------------------------------------------------


def test_a_claim_may_return_its_buffer():
    """What a claim writes into the array that it returned does not change what it said."""
    buffer = np.zeros(2)

    def claim(x):
        buffer[:] = 3 * x**2
        return buffer

    def wrong(x):
        buffer[:] = 3 * x**2 + (x[0] == 1.0)
        return buffer

    points = [np.array([1.0, 2.0]), np.array([2.0, 5.0])]
    result = check(lambda x: np.sum(x**3), wrong, at=points)

    assert check(lambda x: np.sum(x**3), claim, at=points)
    assert [4.0, 13.0] == list(result.worst.claimed)
    A, turned = np.arange(6.0).reshape(2, 3), np.zeros((3, 2))

    def transposed(x):
        turned[:] = (A * x).T
        return turned

    points = [np.array([1.0, 2.0, 4.0]), np.array([2.0, 5.0, -1.0])]
    assert "the matrix is transposed" in check(lambda x: A @ x**2 / 2, transposed, at=points).slips[0]


def test_points_are_copies():
    """A point that is changed later, or one that was handed out, changes nothing."""
    point = np.array([1.0, 2.0])
    result = check(lambda x: np.sum(x**2), lambda x: 2 * x, at=point)
    point[:] = 9.0
    result.points[0][:] = 7.0

    assert [1.0, 2.0] == list(result.points[0])
    keyed = {"a": np.array([1.0, 2.0])}
    other = check(lambda p: np.sum(p["a"] ** 2), lambda p: {"a": 2 * p["a"]}, at=keyed)
    keyed["a"][:] = 9.0
    assert [1.0, 2.0] == list(other.points[0]["a"])


# --- what cannot be asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rtol", [-1, math.nan, "x", math.inf, None, 1, True, 1j, np.ones(2)])
def test_a_tolerance_is_a_number_below_1(rtol):
    """Any other accepts everything, or nothing."""
    with pytest.raises(ValueError, match=r"rtol=.*: the relative difference that is allowed is a number from 0 to"):
        check(np.sin, np.cos, rtol=rtol)


def test_a_tolerance_may_be_0():
    """Rounding errors are allowed for besides."""
    assert check(np.sin, np.cos, rtol=0)
    assert check(np.sin, lambda t: 1.01 * np.cos(t), rtol=np.float64(0.1))


@pytest.mark.parametrize("rng", ["a", -1, 1.5])
def test_what_points_are_drawn_with(rng):
    """A seed or a generator, and the words say so."""
    with pytest.raises((TypeError, ValueError), match=r"rng=.*: points are drawn with a whole number"):
        check(np.sin, np.cos, rng=rng)


@pytest.mark.parametrize("at", [{}, np.array([]), ()])
def test_a_point_has_numbers(at):
    """Nothing cannot be differentiated by."""
    with pytest.raises(ValueError, match="has no number in it"):
        check(lambda *x: 1.0, lambda *x: 1.0, at=at)


def test_arguments_go_by_position():
    """A claim whose arguments have f's names in another order is told so."""
    result = check(lambda s, t: s * t, lambda t, s: (t, s))

    assert not result
    assert ["wrong order of the inputs: the columns are those of t, s"] == result.slips
    last = "  arguments go by position: the claim calls its first argument t, f calls it s"
    assert last == str(result).splitlines()[-1]
    assert "position" not in str(check(lambda s, t: s * t, lambda s, t: (s, t)))
    assert "position" not in str(check(lambda s, t: s * t, lambda a, b: (a, b)))
    assert "argument 2 u, f calls it t" in str(check(lambda s, t, u: s * t * t * u, lambda s, u, t: (t, s, u)))
    assert check(dd.derivative(lambda x: x**3), lambda y: 6 * y)
