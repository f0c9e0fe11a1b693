"""check: right claims in any form are never refused, wrong ones never accepted, and words say where and by how much."""

import io
import math
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from numpy import cos, exp, log, sin, sqrt

import dualdiff as dd
from dualdiff.lecture.checked.checking import CheckResult, check

EXAMPLES = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def f(t):
    """Return the function of the lecture."""
    return sin(t) ** 2 + 2 * cos(t)


def df(t):
    """Return its derivative."""
    return 2 * sin(t) * (cos(t) - 1)


# --- right claims in other forms --------------------------------------------------------------------------------------

# Functions with their derivatives, both as text; T stands for the variable.
PAIRS = [
    ("np.sin(T)**2 + 2*np.cos(T)", "2*np.sin(T)*np.cos(T) - 2*np.sin(T)"),
    ("T*np.sin(3*T)", "np.sin(3*T) + 3*T*np.cos(3*T)"),
    ("np.log(T)/T", "(1 - np.log(T))/T**2"),
    ("np.exp(-T**2)", "-2*T*np.exp(-T**2)"),
    ("np.sqrt(1 + T**2)", "T/np.sqrt(1 + T**2)"),
    ("T**5 - 4*T + 7", "5*T**4 - 4"),
    ("1/(1 + T**2)", "-2*T/(1 + T**2)**2"),
    ("np.arctan(T)*T", "np.arctan(T) + T/(1 + T**2)"),
    ("np.exp(np.sin(T))", "np.exp(np.sin(T))*np.cos(T)"),
    ("np.arcsin(T/2)", "1/np.sqrt(4 - T**2)"),
    ("T**T", "T**T*(np.log(T) + 1)"),
    ("np.tanh(T)", "1 - np.tanh(T)**2"),
    ("np.cosh(T) - np.sinh(T)", "np.sinh(T) - np.cosh(T)"),
    ("T**0.5", "0.5*T**-0.5"),
    ("np.log(T**2 + 3)", "2*T/(T**2 + 3)"),
    ("np.abs(T)*T", "2*np.abs(T)"),
    ("3*T", "3.0"),
    ("np.sin(T)**2 + np.cos(T)**2", "0*T"),
    ("np.maximum(T, 0.0)**2", "2*np.maximum(T, 0.0)"),
    ("np.tan(T)", "1/np.cos(T)**2"),
]
# What equals E, with G another expression.
FORMS = [
    "(E + G - G)", "(G + (E - G))", "-(-(E))", "(2*(E) - (E))", "((E)/2 + (E)/2)",
    "((E)*(np.sin(G)**2 + np.cos(G)**2))",
    "((E)*((G)**2 + 1)/((G)**2 + 1))", "((E)*np.exp(np.sin(G))*np.exp(-np.sin(G)))",
    "((E)*(1/(1 + (G)**2))*(1 + (G)**2))",
    "((E)*(np.cosh(np.sin(G))**2 - np.sinh(np.sin(G))**2))", "np.sinh(np.arcsinh(E))",
    "((E) + np.log(np.exp(G)) - (G))",
    "((E) + np.sin(2*(G)) - 2*np.sin(G)*np.cos(G))", "((E)*np.sqrt((G)**2 + 1)**2/((G)**2 + 1))", "((E)*1e8/1e8)",
    "(((E) + 1)**2 - (E)**2 - (E) - 1)", "((E) + 50*(G) - 50*(G))", "np.cbrt(E)**3",
    "((E) + np.cos(G)**2 + np.sin(G)**2 - 1)",
]  # fmt: skip
OTHERS = ["T", "T**2", "np.sin(T)", "np.exp(T)", "(T + 3)", "np.cos(5*T)", "(1/(1 + T**2))", "np.arctan(T)"]


@EXAMPLES
@given(
    st.sampled_from(PAIRS), st.lists(st.tuples(st.sampled_from(FORMS), st.sampled_from(OTHERS)), min_size=1, max_size=4)
)
def test_right_claims_in_other_forms_are_never_refused(pair, forms):
    """A derivative with terms added and taken off, ones multiplied on, and identities worked in, is right still."""
    function, claim = pair
    for form, other in forms:
        claim = form.replace("E", "#").replace("G", other).replace("#", claim)
    result = check(text(function), text(claim))

    assert result, f"{function}: {claim}\n{result}"
    assert [] == result.slips


def text(expression):
    """Return an expression in T as a function."""
    return eval(f"lambda t: {expression.replace('T', 't')}", {"np": np})  # noqa: S307 - written above


@settings(EXAMPLES, max_examples=60)
@given(
    st.sampled_from(PAIRS),
    st.sampled_from(["({})*(1 + 1e-6)", "({})*(1 - 2e-6)", "({}) + 1e-6 + 1e-6*T**2", "({}) - 1e-5"]),
)
def test_claims_wrong_by_a_millionth_are_refused(pair, change):
    """A factor of 1.000001 is a wrong claim, unless the derivative is 0."""
    function, claim = pair
    wrong = change.format(claim)
    assume(claim != "0*T" or "*(1 " not in change)

    assert not check(text(function), text(wrong))


@pytest.mark.parametrize(
    ("function", "claim", "at"),
    [
        (sin, lambda t: sin(np.pi / 2 + t), np.pi / 2),
        (sin, lambda t: sqrt(1 - sin(t) ** 2), np.pi / 2),
        (lambda t: t**2 - 2 * t, lambda t: 2 * (t - 1), 1.0),
        (lambda t: t**2 - 2 * t, lambda t: (t**2 - 1) / t + t - 2 + 1 / t, 1.0),
        (lambda t: -cos(t), lambda t: 2 * sin(t / 2) * cos(t / 2), 3.14159),
        (lambda t: t - sin(t), lambda t: 2 * sin(t / 2) ** 2, 1e-4),
        (lambda t: t - sin(t), lambda t: 1 - cos(t), 1e-4),
        (lambda t: log(t) - t, lambda t: (1 - t) / t, 1.0 + 1e-9),
        (f, lambda t: sin(2 * t) - 2 * sin(t), 2e-5),
        (abs, np.sign, 0.0),
        (lambda t: np.maximum(t, 0.0), lambda t: 0.5 * (1 + np.sign(t)), [0.0, 1.0, -1.0]),
    ],
)
def test_points_where_terms_cancel(function, claim, at):
    """Where nothing but rounding errors is left, a right claim is right still."""
    assert check(function, claim, at=at)


def test_claims_with_math_and_plain_numbers():
    """A claim need not be written in NumPy: math and if will do, as they get plain numbers."""
    assert check(f, lambda t: 2 * math.sin(t) * (math.cos(t) - 1))
    assert check(lambda t: abs(t) * t, lambda t: 2 * t if t > 0 else -2 * t)
    assert not check(f, lambda t: 2 * math.sin(t) * (math.cos(t) - 1) * (1 + 1e-6))


def test_an_overflow_on_the_way_is_no_error():
    """log(exp(x)) is x, though exp(x) is no float where x is large; log(-1) is nothing in any precision."""
    if np.finfo(np.longdouble).max > np.finfo(float).max:
        assert check(lambda t: t**6, lambda t: log(exp(6 * t**5)), at=3.0)
    assert not check(lambda t: t**2, lambda t: 2 * exp(log(t)), at=-3.0)


def test_noise_does_not_pass_for_agreement():
    """A claim whose rounding errors hide it is not accepted, and the words say why."""
    result = check(f, lambda t: df(t) * (1 + 1e-6) + 1e12 * t - 1e12 * t)

    assert not result
    assert "undecided" in str(result)


def test_branches_are_all_visited():
    """A claim that is right on one branch only is refused, however narrow the other."""

    def g(t):
        return t**2 if t < 2.5 else 3 * t

    assert check(g, lambda t: 2 * t if t < 2.5 else 3.0)
    assert not check(g, lambda t: 2 * t)


# --- points -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "claim", "holds"),
    [
        (log, lambda t: 1 / t, lambda t: t > 0),
        (sqrt, lambda t: 0.5 / sqrt(t), lambda t: t > 0),
        (np.arcsin, lambda t: 1 / sqrt(1 - t * t), lambda t: abs(t) < 1),
        (np.arccosh, lambda t: 1 / sqrt(t * t - 1), lambda t: t > 1),
        (lambda t: t**0.5, lambda t: 0.5 * t**-0.5, lambda t: t > 0),
        (lambda t: log(t - 7), lambda t: 1 / (t - 7), lambda t: t > 7),
        (lambda t: math.nan * t if t < 50 else t, lambda t: 1.0, lambda t: t >= 50),
        (lambda t: 1 / t, lambda t: -1 / t**2, lambda t: t != 0),
    ],
)
def test_points_are_drawn_inside_the_domain(function, claim, holds):
    """Five points or more, all where f is defined."""
    result = check(function, claim)

    assert result
    assert 5 <= len(result.points)
    assert all(map(holds, result.points))


def test_points_are_of_both_signs_and_repeatable():
    """Both signs where f is defined there; the same seed draws the same, another draws others, and it is printed."""
    first = check(f, df)

    assert {-1.0, 1.0} == set(np.sign(first.points))
    assert max(map(abs, first.points)) > 10 * min(map(abs, first.points))
    assert first.points == check(f, df, rng=0).points != check(f, df, rng=1).points
    assert check(f, df, rng=np.random.default_rng(0)).points == first.points
    assert "(rng=0)" in str(first)


def test_where_no_point_is_found():
    """A function that is defined nowhere near asks for at=."""
    with pytest.raises(ValueError, match=r"found no point where f and its derivative are finite.*at=1\.2"):
        check(lambda t: log(-1 - t**2), lambda t: t)


def test_narrow_domains_and_kinks():
    """Where few points are found others beside them serve; of a function that is nowhere smooth any will do."""

    def narrow(t):
        if not 5.0 < t < 5.5:
            message = "outside"
            raise ValueError(message)
        return t**2

    assert check(narrow, lambda t: 2 * t)
    assert not check(narrow, lambda t: 2 * t + 1)
    assert check(lambda t: np.sin(1e7 * t), lambda t: 1e7 * np.cos(1e7 * t))
    with pytest.raises(ValueError, match=r"no point .*\(f raised ValueError: outside\)"):
        check(lambda t: narrow(5.0 + 0 * t), lambda t: t)
    with pytest.raises(ValueError, match=r"f has no derivative at 7 \(f raised ValueError: outside\)"):
        check(narrow, lambda t: t, at=7)


def test_errors_of_f_are_its_own():
    """What the package has to say about f is said as ever."""
    with pytest.raises(dd.DroppedTangentError, match="would drop the tangent"):
        check(math.sin, math.cos)
    with pytest.raises(TypeError, match="f returned None, which has no derivative"):
        check(lambda t: None, lambda t: t)
    with pytest.raises(TypeError, match="made of numbers and arrays; it has 'one'"):
        check(f, df, at="one")


def test_several_arguments_without_names():
    """Of f(*x) the number of arguments is that of the point."""
    assert check(lambda *x: x[0] * x[1], lambda *x: (x[1], x[0]), at=(2.0, 5.0))


def test_a_function_of_arrays_needs_at():
    """Nobody can guess the shape of an array; with the point given, arrays are fine."""
    with pytest.raises(TypeError, match=r"called f with a number for x.*at=np.array\(\[1\.0, 2\.0\]\)"):
        check(lambda x: x[0] * x[1], lambda x: [x[1], x[0]])
    with pytest.raises(
        TypeError, match=r"enough dimensions\. If f takes arrays, say .*at=np.array\(\[1\.0, 2\.0\]\)\)$"
    ):
        check(lambda x: 2 * x.T @ x, lambda x: 4 * x)

    def pairs(x):
        if np.shape(x) != (2,):
            message = "two numbers, please"
            raise ValueError(message)
        return x[0] * x[1]

    with pytest.raises(
        ValueError, match=r"two numbers, please.*at=1\.2\); if f takes arrays, at=np.array\(\[1\.0, 2\.0\]\)$"
    ):
        check(pairs, lambda x: [x[1], x[0]])

    assert check(lambda x: x[0] * x[1], lambda x: [x[1], x[0]], at=np.array([2, 5]))


def test_the_rules_of_at():
    """A list is several points, a tuple the arguments of one, an array one argument."""
    assert [0.5, 1.2] == check(f, df, at=[0.5, 1.2]).points
    assert [(2.0, 5.0)] == check(lambda s, t: s * t, lambda s, t: (t, s), at=(2, 5)).points
    assert [(2.0, 5.0), (1.0, 3.0)] == check(lambda s, t: s * t, lambda s, t: (t, s), at=[(2, 5), (1, 3)]).points
    with pytest.raises(ValueError, match="gives 2 argument"):
        check(f, df, at=(1.0, 2.0))
    with pytest.raises(ValueError, match="has no point"):
        check(f, df, at=[])
    with pytest.raises(TypeError, match="not subscriptable") as caught:
        check(lambda x: x[0] * x[1], lambda x: [x[1], x[0]], at=[1.0, 2.0])
    assert ["In at= a list is several points: one array is at=np.array([1.0, 2.0])"] == caught.value.__notes__


def test_points_outside_the_domain_are_listed():
    """Where f has no derivative nothing is said, and the point is shown, not hidden."""
    result = check(log, lambda t: 1 / t, at=[-1.0, 2.0])

    assert result
    assert [2.0] == result.points
    assert [-1.0] == result.skipped
    assert "no derivative of f at x = −1" in str(result)
    with pytest.raises(ValueError, match="nothing to compare"):
        check(log, lambda t: 1 / t, at=-1.0)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (lambda t: log(t) * 0 + df(t), "claimed nan"),
        (lambda t: df(t) + 1 / max(t, 0), "claim raised ZeroDivisionError"),
        (lambda t: np.inf, "claimed inf"),
        (lambda t: None, "claim returned None (did you forget 'return'?)"),
        (lambda t: "2", "claim returned '2'"),
        (lambda t: [1.0, 2.0], "claim returned shape (2,), and the derivative is a number"),
    ],
)
def test_a_claim_that_says_nothing_is_wrong(claim, words):
    """NaN, an exception, the wrong shape: wrong where f has a derivative, and the words say which."""
    result = check(f, claim)

    assert not result
    assert words in str(result)


def test_infinite_slopes():
    """Where the slope is infinite, an infinite claim agrees and a finite one does not."""
    assert check(sqrt, lambda t: 0.5 / sqrt(t), at=[0.0, 1.0])
    assert not check(sqrt, lambda t: 0.5 / sqrt(t) if t else 0.0, at=[0.0, 1.0])
    assert not check(sqrt, lambda t: -0.5 / sqrt(t), at=[0.0])
    raising = check(sqrt, lambda t: 0.5 / math.sqrt(t), at=[0.0, 1.0])
    assert raising
    assert [0.0] == raising.skipped


# --- the result -------------------------------------------------------------------------------------------------------


def test_results_do_not_change():
    """What is handed out is a copy, and nothing can be set."""
    result = check(f, df)
    result.points.clear()
    result.slips.append("no")

    assert result.points
    assert [] == result.slips
    with pytest.raises(AttributeError):
        result.right = False
    assert isinstance(result, CheckResult)


def test_without_the_signs_of_mathematics(monkeypatch):
    """On a terminal that has no ✓, plain words stand there."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))

    assert str(check(f, df)).startswith("ok: agrees at 10 points")
    assert str(check(f, lambda t: -df(t), at=1.1)).startswith(
        "wrong: claim fails at t = 1.1: claimed 0.9739, true -0.9739"
    )


def test_where_no_slip_explains_it_the_terms_are_shown():
    """What each term contributes at the worst point."""
    result = check(f, lambda t: t**3 * exp(t), at=1.1)

    assert [] == result.slips
    assert ["0.8085  from sin(t) ** 2", "−1.782  from 2 * cos(t)"] == [
        line.strip() for line in str(result).splitlines()[-2:]
    ]


def test_what_cannot_be_asked():
    """F that is no function, a claim of other arguments, an argument that is not there."""
    with pytest.raises(TypeError, match="takes a function"):
        check(2.0, df)
    with pytest.raises(TypeError, match=r"same arguments as f \(t\), and here it is <lambda>\(s, t\)"):
        check(f, lambda s, t: s)
    with pytest.raises(ValueError, match="argnums=2"):
        check(f, df, argnums=2)
    with pytest.raises(TypeError, match="cannot tell how many arguments"):
        check(lambda *x: x[0], df)
