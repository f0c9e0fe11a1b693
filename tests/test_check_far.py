"""check beyond the points near 0: branches behind a threshold are met, and right claims survive very far away."""

import math

import numpy as np
import pytest

import dualdiff as dd
from dualdiff.lecture.checked.checking import check


def hidden(x):
    """Return x², and beyond 20 another function by a test that no record hears of."""
    return x**2 if float(getattr(x, "value", x)) < 20 else x**3


def steps(x):
    """Return x brought near 0 in as many steps as it is far away."""
    while x > 7:
        x = x - 7
    return x**2


BRANCHES = [
    (lambda x: np.maximum(x, 3.5), lambda x: 0 * x, lambda x: 1.0 * (x > 3.5)),
    (lambda x: x**2 if x < 100 else x**3, lambda x: 2 * x, lambda x: 2 * x if x < 100 else 3 * x**2),
    (lambda x: np.clip(x, -5, 5) ** 2, lambda x: 2 * x, lambda x: 2 * x * (np.abs(x) < 5)),
    (lambda t: np.heaviside(t - 3.5, 0.5) * t**2, lambda t: 0.0, lambda t: 2 * t * (t > 3.5)),
    (lambda x: x**2 if x < 2.95 else x**3, lambda x: 2 * x, lambda x: 2 * x if x < 2.95 else 3 * x**2),
    (lambda x: x**3 if 2.95 < x < 2.951 else x, lambda x: 1.0, lambda x: 3 * x * x if 2.95 < x < 2.951 else 1.0),
    (lambda x: np.where(x > 1e9, x, x**2), lambda x: 2 * x, lambda x: 1.0 if x > 1e9 else 2 * x),
    (lambda x: x if np.exp(x) < 1e8 else 2 * x, lambda x: 1.0, lambda x: 1.0 + (np.exp(x) > 1e8)),
    (lambda x: np.abs(x + 5003.0), lambda x: 1.0, lambda x: np.sign(x + 5003.0)),
    (lambda x: np.max(np.stack([x, 7 + 0 * x])), lambda x: 0.0, lambda x: 1.0 * (x > 7)),
    (lambda x: np.floor(x / 7e6) * x, lambda x: -1.0 * (x < 0), lambda x: np.floor(x / 7e6)),
    (hidden, lambda x: 2 * x, lambda x: 2 * x if x < 20 else 3 * x**2),
]


@pytest.mark.parametrize("rng", range(3))
@pytest.mark.parametrize(("function", "wrong", "right"), BRANCHES)
def test_branches_far_away_are_visited(function, wrong, right, rng):
    """A claim that forgets what f does beyond a threshold is refused, one that does not is accepted."""
    assert not check(function, wrong, rng=rng)
    assert check(function, right, rng=rng)


def test_thresholds_of_several_arguments_and_of_derivatives():
    """A threshold may be one of all arguments together, and lie within what was differentiated."""

    def g(s, t):
        return s * t if s * t < 1e7 and s > -4000 else 3 * s

    assert not check(g, lambda s, t: (t, s))
    assert check(g, lambda s, t: (t, s) if s * t < 1e7 and s > -4000 else (3.0, 0.0))
    assert not check(dd.derivative(lambda x: x**2 if x < 1e7 else x**3), lambda x: 2.0)
    assert check(dd.derivative(lambda x: x**2 if x < 1e7 else x**3), lambda x: 2.0 if x < 1e7 else 6 * x)


def test_a_branch_that_is_not_met_is_named():
    """Where f is defined behind no threshold there is nothing to say; where no point was found there is."""
    text = str(check(lambda x: x**2 if x * x > -1 else x**3, lambda x: 2 * x)).splitlines()

    assert ["  only the branch `x * x > -1` was met"] == text[1:]
    text = str(check(lambda x: x**3 if np.cos(x) > 2 else x**2, lambda x: 2 * x)).splitlines()
    assert ["  the branch `np.cos(x) > 2` was never met"] == text[1:]

    def positive(x):
        if x <= 0:
            message = "only above 0"
            raise ValueError(message)
        return x**2

    assert 1 == len(str(check(positive, lambda x: 2 * x)).splitlines())
    assert 1 == len(str(check(lambda x: x**2 if x < 100 else x, lambda x: 2 * x if x < 100 else 1.0)).splitlines())


def limited(x):
    """Return x², and fail far away as no function of numbers does."""
    assert -50 < x < 50
    return x**2


@pytest.mark.parametrize("rng", range(5))
@pytest.mark.parametrize(
    ("function", "claim"),
    [
        (np.tanh, lambda t: 1 / np.cosh(t) ** 2),
        (np.tanh, lambda t: 1 - math.tanh(t) ** 2),
        (lambda t: np.tanh(t) - 1, lambda t: 1 / np.cosh(t) ** 2),
        (lambda t: np.exp(-t), lambda t: math.sinh(t) - math.cosh(t)),
        (lambda t: np.log(1 + np.exp(t)), lambda t: 1 - 1 / (1 + math.exp(t))),
        (lambda t: np.log(1 + np.exp(t)), lambda t: np.exp(t) / (1 + np.exp(t))),
        (lambda t: 1 / (1 + np.exp(-t)), lambda t: np.exp(-t) / (1 + np.exp(-t)) ** 2),
        (lambda t: np.exp(-(t**2)), lambda t: -2 * t / math.exp(t**2)),
        (lambda t: np.exp(-(t**2)), lambda t: -2 * t * np.exp(10 - t * t) * np.exp(-10)),
        (np.sin, lambda t: math.sin(t + math.pi / 2)),
        (np.sin, lambda t: np.cos(t % (2 * np.pi))),
        (lambda t: t**2 - 2 * t, lambda t: (t + 1e4) ** 2 - t**2 - 19998 * t - 2 - 1e8),
        (lambda t: t**20, lambda t: 20 * t**25 / t**6),
        (lambda t: np.sqrt(1 + t**2) - t, lambda t: t / math.sqrt(1 + t * t) - 1),
        (lambda t: np.arctan(t), lambda t: 1 / (1 + t * t)),
        (steps, lambda t: 2 * (t if t < 7 else (t - 7) % 7)),
        (limited, lambda t: 2 * t),
        (lambda t: np.sin(t * t), lambda t: 2 * t * np.cos(t * t)),
        (lambda t: np.log(np.cosh(t)), lambda t: (np.exp(t) - np.exp(-t)) / (np.exp(t) + np.exp(-t))),
    ],
)
def test_right_claims_survive_far_away(function, claim, rng):
    """Overflow, saturation, cancellation, long loops: a far point that tells nothing is not counted."""
    result = check(function, claim, rng=rng)

    assert result, result
    assert 10 <= len(result.points)


def test_doubts_far_away():
    """What is off far away in a claim whose rounding errors cannot be followed is said; nearer by it is wrong."""
    result = check(lambda x: np.sin(x), lambda x: math.cos(x) + 50 * math.exp(min(x, 600)) - 50 * math.exp(min(x, 600)))

    assert result
    assert "Whether by rounding errors, only a claim written in NumPy would tell" in str(result).splitlines()[1]
    assert not check(lambda x: np.clip(x, -5, 5) ** 2, lambda x: 2 * float(x))
    branch = str(check(lambda x: x**2 if x < 100 else x**3, lambda x: 2 * float(x)))
    assert "far away, at x = " in branch
    assert "only the branch `x < 100` was met" in branch


def test_far_points_are_used():
    """Of a function that is defined everywhere some points are far away, of both signs."""
    points = check(lambda t: t**2, lambda t: 2 * t).points

    assert 1e3 < max(points)
    assert min(points) < -3.0
