"""check of numbers that were typed: wrong by what was rounded off and no more, or by a slip."""

import numpy as np
import pytest
from numpy import cos, exp, sin

from dualdiff.lecture.checked.checking import check


def f(t):
    """Return the function of the lecture."""
    return sin(t) ** 2 + 2 * cos(t)


def df(t):
    """Return its derivative."""
    return 2 * sin(t) * (cos(t) - 1)


def test_numbers_as_claims():
    """A number is about one point; typed with few digits its slip is found still, and right to its digits is said."""
    assert check(f, df(1.1), at=1.1)
    wrong = check(f, 2.591, at=1.1)
    assert any("sign of the term through `2 * cos(t)`" in slip for slip in wrong.slips)
    rounded = check(f, -0.9739, at=1.1)
    assert not rounded
    assert "it is the derivative rounded to 4 digits: −0.973918316; rtol=2e-05 accepts it" in str(rounded)
    assert check(f, -0.9739, at=1.1, rtol=2e-5)
    with pytest.raises(TypeError, match=r"needs to know which: check\(f, claim, at=1\.2\)"):
        check(f, 2.591)
    with pytest.raises(TypeError, match="is about one point"):
        check(f, 2.591, at=[1.0, 2.0])


@pytest.mark.parametrize("claim", [-1.2, -1.19, -1.189, -1.1886, -1.18861, -1.188615, np.float64(-1.19)])
@pytest.mark.parametrize("kind", ["number", "function"])
def test_rounded_numbers(claim, kind):
    """The derivative with the digits that were typed is nothing but rounded, and the rtol that is named accepts it."""
    said = claim if kind == "number" else lambda t: claim
    result = check(f, said, at=1.2)
    digits = len(str(float(claim))) - 2
    lines = str(result).splitlines()

    assert not result
    assert [] == result.slips
    assert 2 == len(lines)
    assert lines[1].startswith(f"  it is the derivative rounded to {digits} digits: −1.18861499; rtol=")
    rtol = float(lines[1].partition("rtol=")[2].removesuffix(" accepts it"))
    assert check(f, said, at=1.2, rtol=rtol)
    assert not check(f, said, at=1.2, rtol=rtol / 2.1)


@pytest.mark.parametrize(
    ("function", "claim", "at", "words"),
    [
        (lambda x: exp(5 * x), 742, 1.0, "rounded to 3 digits: 742.065796"),
        (lambda x: exp(5 * x), 742.1, 1.0, "rounded to 4 digits: 742.065796"),
        (lambda x: 1e-5 * sin(x), 5.4e-6, 1.0, "rounded to 2 digits: 5.40302306e−06"),
        (f, -1.18, 1.2, None),
        (f, -1.21, 1.2, None),
        (f, -1, 1.2, None),  # one digit is no evidence
        (f, 1.2, 1.2, None),
        (lambda t: t**2, lambda t: t, 1e-3, None),
        (lambda t: 1.01 * t, lambda t: t, 1.0, None),  # a function whose number has few digits was not typed
        (f, lambda t: 0 * t - 1.19, [1.2, 1.3], None),
    ],
)
def test_what_is_rounded(function, claim, at, words):
    """A claim is called rounded where it is the nearest number with its digits, and at one point only."""
    text = str(check(function, claim, at=at))

    assert text.startswith("✗")
    assert ("rounded to" in text) == (words is not None)
    assert words is None or words in text


def test_the_rtol_that_is_named_accepts_where_terms_cancel():
    """It is relative to the derivative, not to the terms that it is the sum of."""
    g = lambda t: 1000 * sin(t) - 1000 * t
    claim = lambda t: 1000 * (cos(t) - 1) * (1 + 3e-4 * (t < 0.15))
    text = str(check(g, claim, at=[0.1, 0.2]))
    rtol = float(text.partition("rtol=")[2].removesuffix(" accepts it"))

    assert 3e-4 <= rtol <= 4e-4
    assert check(g, claim, at=[0.1, 0.2], rtol=rtol)
