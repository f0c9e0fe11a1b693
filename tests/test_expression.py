"""Formulas typed as text: what they mean, and what is said when they mean nothing."""

import math
import operator
import sys
import time
from unittest.mock import Mock

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

import dualdiff as dd
from dualdiff import functions
from dualdiff.expression import CONSTANTS, FUNCTIONS, ExpressionError, parse, quote, unknown

# A random formula is grown along the grammar of school, as text and as a function of its two variables at once:
# a sum of products of signed powers of numbers, variables, calls and brackets.  So a misread precedence shows.
BLANKS = st.sampled_from(["", " ", "  "])
CALLS = {
    "sin": math.sin, "cos": math.cos, "arctan": math.atan, "atan": math.atan, "tanh": math.tanh,
    "exp": math.exp, "abs": abs, "hypot": math.hypot, "max": max, "minimum": min,
}  # fmt: skip
TWO = {"hypot", "max", "minimum"}


def _real_power(x, y):
    """Raise to a power as Python does, and refuse a complex result."""
    return math.pow(x, y) if isinstance(x**y, complex) else x**y


def _left_to_right(operands, signs):
    """Join operands by left-associative operators."""

    def join(draw):
        text, value = draw(operands)
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            sign = draw(st.sampled_from(sorted(signs)))
            more, other = draw(operands)
            text += f"{draw(BLANKS)}{sign}{draw(BLANKS)}{more}"
            value = lambda x, y, a=value, b=other, act=signs[sign]: act(a(x, y), b(x, y))
        return text, value

    return st.composite(join)()


def _power(atoms):
    """Raise an atom to a signed power of its own kind: x**-y**z is x**(-(y**z))."""

    def power(draw):
        text, value = draw(atoms)
        if not draw(st.integers(0, 3)):
            exponent, other = draw(exponents)
            return f"{text}**{exponent}", lambda x, y: _real_power(value(x, y), other(x, y))
        return text, value

    powers = st.composite(power)()
    exponents = _signed(powers)
    return powers


def _signed(powers):
    def signed(draw):
        text, value = draw(powers)
        for sign in draw(st.sampled_from(["", "", "-", "+", "-+"])):
            text = f"{sign}{text}"
            value = value if sign == "+" else lambda x, y, a=value: -a(x, y)
        return text, value

    return st.composite(signed)()


def _sum(atoms):
    product = _left_to_right(_signed(_power(atoms)), {"*": operator.mul, "/": operator.truediv})
    return _left_to_right(product, {"+": operator.add, "-": operator.sub})


def _bracketed(sums):
    def call(draw):
        name = draw(st.sampled_from(sorted(CALLS)))
        arguments = [draw(sums) for _ in range(1 + (name in TWO))]
        values = [value for _, value in arguments]
        text = f"{name}({draw(BLANKS)}{', '.join(text for text, _ in arguments)})"
        return text, lambda x, y: CALLS[name](*(value(x, y) for value in values))

    brackets = sums.map(lambda formula: (f"({formula[0]})", formula[1]))
    return st.one_of(brackets, st.composite(call)())


NUMBERS = st.sampled_from(["0", "1", "2", "3.5", ".25", "1e-2", "2.", "1_0"]).map(
    lambda text: (text, lambda _x, _y: float(text))
)
NAMES = st.sampled_from(["x", "y_1", "pi"]).map(
    lambda name: (name, lambda x, y: {"x": x, "y_1": y, "pi": math.pi}[name])
)
FORMULAS = _sum(st.recursive(NUMBERS | NAMES, lambda atoms: _bracketed(_sum(atoms)), max_leaves=4))


@settings(deadline=None)  # the first example pays for what hypothesis prepares
@given(FORMULAS, st.floats(-3, 3), st.floats(-3, 3))
def test_formula_means_what_school_says(formula, x, y):
    """A random formula has, bit for bit, the value of the same operations done by Python and math."""
    text, value = formula
    assume(len(text) < 500)
    try:
        expected = value(x, y)
    except (ArithmeticError, ValueError):
        assume(False)
    assume(math.isfinite(expected))
    expression = parse(text)
    point = {"x": x, "y_1": y}

    with np.errstate(all="ignore"):
        assert expected == expression(**{name: point[name] for name in expression.names})


def _answer(text):
    """Return the text as read, or the message of the refusal."""
    try:
        return parse(text).text
    except ExpressionError as error:
        return str(error)


@given(st.text(max_size=60) | st.text(alphabet="0123456789.eExyπ²⁻½+-*/%^(),_ sincoexpln", max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text):
    """Whatever the text, parse returns an expression or raises ExpressionError with one printable line."""
    assert _answer(text).isprintable()


def test_lecture_example():
    """The lecture's f has the lecture's derivative, 2·sin t·(cos t - 1)."""
    f = parse("sin(t)**2 + 2*cos(t)")

    assert 2 * math.sin(1.2) * (math.cos(1.2) - 1) == pytest.approx(dd.derivative(lambda t: f(t=t))(1.2), rel=1e-15)


@pytest.mark.parametrize(
    "text",
    ["exp(-t)*sin(3*t)", "t**t", "log(1 + t**2)/t", "asin(t/2) - acos(t/3)", "sqrt(t)*cosh(t)", "2**t % 1", "7.5//t",
     "arctan2(t, 1 + t)", "hypot(t, 2)", "pi*e**t - tau", "cbrt(t)", "-t**2", "t/2/3", "t**-1.5", "2**-t**2"],
)  # fmt: skip
def test_derivative_agrees_with_mpmath(text):
    """The derivative of what was read is the one mpmath finds for the same text by differences of 50 digits."""
    names = {
        name: getattr(mpmath, name)
        for name in ("sin", "exp", "log", "asin", "acos", "sqrt", "cosh", "hypot", "cbrt", "pi", "e")
    }
    names |= {"arctan2": mpmath.atan2, "tau": 2 * mpmath.pi}
    f = parse(text)
    slope = {"2**t % 1": lambda t: 2**t * mpmath.log(2), "7.5//t": lambda _t: 0}.get(text)
    with mpmath.workdps(50):
        t = mpmath.mpf(1.3)
        reference = slope(t) if slope else mpmath.diff(lambda t: eval(text, names | {"t": t}), t)  # noqa: S307

    assert float(reference) == pytest.approx(dd.derivative(lambda t: f(t=t))(1.3), rel=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_numpys(name):
    """A function name means NumPy's function of that name, aliases that of their full name."""
    count = 3 if name == "clip" else getattr(np, FUNCTIONS[name], None).nin if name != "sinc" else 1
    point = dict(zip("xyz", (1.25, 1.5, 1.75) if name in {"acosh", "arccosh"} else (0.25, 0.5, 0.75), strict=True))
    names = "xyz"[:count]
    f = parse(f"{name}({', '.join(names)})")

    expected = getattr(np, FUNCTIONS[name])(*(point[n] for n in names))
    assert expected == pytest.approx(f(**{n: point[n] for n in names}), rel=1e-15)


def test_functions_are_those_of_the_library():
    """Formulas know the functions of dualdiff.functions that turn numbers into a number, and no list of their own."""
    assert set(functions.__all__) - set(FUNCTIONS) <= {"where", "ldexp"}
    assert set(FUNCTIONS.values()) <= set(functions.__all__)
    assert {"sin": "sin", "asin": "arcsin", "abs": "absolute", "max": "maximum"}.items() <= FUNCTIONS.items()


def test_functions_take_arrays_and_duals():
    """An expression is a function like any other: of floats, arrays and Duals."""
    f = parse("s*cos(t)")
    t = np.linspace(0, 1, 5)

    assert np.array_equal(2 * np.cos(t), f(s=2.0, t=t))
    assert dd.Dual(6.0, 1.5).tangent == parse("x*y")(x=dd.Dual(2.0, 0.5), y=3).tangent


def test_integers_are_floats():
    """Ints in the text and as values are floats, so that no power of them grows without end."""
    start = time.perf_counter()

    with np.errstate(over="ignore"):
        assert math.inf == parse("x**x**x")(x=99)
    assert isinstance(parse("x + 1")(x=1), float)
    assert time.perf_counter() - start < 1


def test_commas_separate_outputs():
    """Top-level commas make a tuple of outputs, each an expression of its own variables."""
    f = parse("s*t, cos(t), 2")

    assert ("s", "t") == f.names
    assert ["s*t", "cos(t)", "2"] == [part.text for part in f.parts]
    assert (6.0, math.cos(3.0), 2.0) == f(s=2.0, t=3.0)
    assert (1.0, 2.0) == parse("(1, 2)")()


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("x²", "x**2"), ("x⁻¹²", "x**(-12)"), ("xⁿ⁺¹", "x**(n+1)"), ("x₁² + 2·x₂", "x1**2 + 2*x2"), ("2×x÷y", "2*x/y"),
     ("2 − x", "2 - x"), ("2–x", "2-x"), ("２＊ｘ", "2*x"), ("x\n+\t1\r", "x + 1"), ("x\xa0+ 1", "x + 1"),
     ("e\u0301", "\xe9"), ("𝑥 + 𝟏", "x + 1"), ("  x", "x"), ("(x)²", "(x)**2"), ("x⁄y", "x/y")],
)  # fmt: skip
def test_signs_of_mathematics_are_read(typed, plain):
    """Superscripts, subscripts, ·, ×, ÷, − and what editors make of blanks are read as they are meant."""
    assert plain == parse(typed).text


def test_names_may_be_greek_or_korean():
    """Variables are whatever Python takes for a name, and case counts; pi, π, e and tau are constants."""
    assert ("θ", "값", "X", "x") == parse("θ*값 + X + x").names
    assert 6.0 == parse("θ*self")(θ=2.0, self=3.0)
    assert (math.pi, math.pi, math.e, math.tau) == parse("pi, π, e, tau")()
    assert {"pi", "π", "e", "tau"} == set(CONSTANTS)


def test_floats_follow_ieee():
    """At run time 1/0 is inf, 0/0 and a root of a negative number are nan, as in arrays; nothing raises."""
    with np.errstate(all="ignore"):
        assert math.inf == parse("1/t")(t=0.0)
        assert math.isnan(parse("t/t")(t=0.0))
        assert math.isnan(parse("t % 0")(t=1.0))
        assert math.isnan(parse("t**(1/3)")(t=-8.0))
        assert math.isnan(parse("t + log(-1)")(t=1.0))
        assert math.isnan(parse("t + (-8)**0.5")(t=1.0))
        assert math.inf == parse("t**999")(t=999.0)


def test_error_of_an_operand_says_where():
    """What an operand's own arithmetic raises comes back as one line that quotes the part."""

    class Stubborn:
        def __rtruediv__(self, other):
            raise ZeroDivisionError("stubborn")

    with pytest.raises(ExpressionError) as caught:
        parse("2 + 1/t")(t=Stubborn())

    assert "`1/t` has no value here (stubborn): choose another point" == str(caught.value)


def test_values_must_fit():
    """A missing value and one too many are told, and what is told helps."""
    f = parse("s*t")
    with pytest.raises(ExpressionError) as missing:
        f(s=2.0)
    with pytest.raises(ExpressionError) as extra:
        f(s=2.0, t=3.0, u=4.0)

    assert "`t` has no value: add t=1.0" == str(missing.value)
    assert 2.0 == f(s=2.0, t=1.0)
    assert "`u` is not in `s*t`: its variables are s, t" == str(extra.value)
    with pytest.raises(ExpressionError, match="its variables are none"):
        parse("1")(t=1.0)


@pytest.mark.parametrize(
    ("name", "given", "meant", "fixed"),
    [("sinx", ["x"], "sin(x)", "sin(x)"), ("sint", [], "sin(t)", "sin(t)"), ("st", ["s", "t"], "s*t", "s*t"),
     ("pit", ["t"], "pi*t", "pi*t"), ("velocty", ["velocity"], "velocity", "velocity"),
     ("sqr", [], "sqrt(x)", "sqrt(x)"),
     ("x", ["X"], None, "X"), ("atan2x", ["x"], "atan2(x)", "atan2(x, 1)")],
)  # fmt: skip
def test_unknown_names_are_guessed(name, given, meant, fixed):
    """A name without a value is answered with what it may have been, which can be read, and with how to give it one."""
    expected = f"`{name}` has no value: " + (f"write {meant}, or " if meant else "") + f"add {name}=1.0"

    assert expected == str(unknown(name, given))
    assert parse(fixed).names
    assert 1.0 == parse(name)(**{name: 1.0})


# What was typed, the whole message, and what comes of following it.
REFUSED = [
    ("x^2", "`^` in `x^2`: use ** for powers, as in x**2", "x**2"),
    ("2x", "`2` is not joined to `x`: write 2*x, or put another operator", "2*x"),
    ("2(x+1)", "`2` is not joined to `(`: write 2*(...), or put another operator", "2*(x+1)"),
    ("(x)(y)", "`)` is not joined to `(`: write (...)*(...), or put another operator", "(x)*(y)"),
    ("1.2.3", "`1.2` is not joined to `.3`: write 1.2*.3, or put another operator", "1.2*.3"),
    ("sin**2(x)", "`sin` is a function: write sin(x)**2", "sin(x)**2"),
    ("ln x", "`ln` is not joined to `x`: write log(x)", "log(x)"),
    ("sec(x)", "`sec` is no function: write 1/cos(x)", "1/cos(x)"),
    ("x(1+t)", "`x` is no function: write x*(...) for a product, or see python -m dualdiff --help", "x*(1+t)"),
    ("sin()", "`sin()` has 0 arguments, not 1: write sin(x)", "sin(x)"),
    ("log(x, 10)", "`log(x, 10)` has 2 arguments, not 1: write log(x)", "log(x)/log(10)"),
    ("np.sin(x)", "`.` in `np.sin(x)`: a dot belongs inside a number; write sin(x) for np.sin(x)", "sin(x)"),
    ("'x'", "`'` in `'x'`: write names and numbers without quotes", "x"),
    ("√x", "`√` in `√x`: write sqrt(x)", "sqrt(x)"),
    ("sin(30°)", "`°` in `sin(30°)`: angles are in radians; write 30*pi/180", "sin(30*pi/180)"),
    ("x > 0", "`>` in `x > 0`: there are no comparisons; maximum(x, y) and minimum(x, y) choose between two",
     "maximum(x, 0) + minimum(x, y)"),
    ("x!", "`!` in `x!`: numbers, names, + - * / // % ** ( ) and commas make a formula", "(1 + 2, 3*4/5 - 6//7%8**x)"),
    ("½x", "`½x` in `½x`: numbers, names, + - * / // % ** ( ) and commas make a formula", "(1/2)*x"),
    ("x\0", r"`\x00` in `x\x00`: delete this invisible character", "x"),
    ("x\u200b", r"`\u200b` in `x\u200b`: delete this invisible character", "x"),
    ("\ud800", r"`\ud800` in `\ud800`: delete this invisible character", "x"),
    ("lambda x: x", "`lambda` is a word of Python: choose another name, such as lambda_", "lambda_"),
    ("", "the expression is empty: write one such as sin(t)**2 + 2*cos(t)", "sin(t)**2 + 2*cos(t)"),
    ("2*", "`2*` is not complete: write a number or a name after `*`", "2*t"),
    ("*2", "`*` needs a number or a name before it: write one there, such as 2 or t", "t*2"),
    ("f(*x)", "`*` needs a number or a name before it: write one there, such as 2 or t", "f*(2*x)"),
    ("(x", "`(x` leaves ( open: add ) at its end", "(x)"),
    ("x) + 1", "`x)` closes a bracket it does not open: leave out its last )", "x + 1"),
    ("x, (y, z)", "`(y, z)` is no formula: commas separate arguments or, outside brackets, outputs", "x, y, max(y, z)"),
    ("007", "`007` has an odd number: write 7 for 007 and 1000 for 1000_", "7"),
    ("1e999", "`1e999` is too large for a float: stay below 1.8e308", "1.7e308"),
    ("9**9**9**9", "`9**9**9` is too large for a float: stay below 1.8e308", "9**9*9"),
    ("x + 1/0", "`1/0` divides by zero: choose another divisor", "x + 1/1"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "message", "followed"), REFUSED, ids=ascii)
def test_refusal_says_the_way_out(typed, message, followed):
    """Each refusal is one line that quotes the part, and following it gives a formula."""
    with pytest.raises(ExpressionError) as caught:
        parse(typed)

    assert message == str(caught.value)
    assert parse(followed)


@pytest.mark.parametrize(
    ("text", "size"),
    [("-" * 5000 + "x", "is 5001 characters long, and the limit is 1000"),
     ("(" * 5000, "is 5000 characters long, and the limit is 1000"),
     ("x²" * 400, "is 1600 characters long, and the limit is 1000"),
     ("\ufdfa" * 900, "is 16200 characters long, and the limit is 1000"),
     ("+".join("x" * 151), "has 301 parts, and the limit is 300"),
     ("(" * 51 + "x" + ")" * 51, "is nested too deep, and the limit is 50"),
     ("-" * 900 + "x", "is nested too deep, and the limit is 50"),
     ("**".join("x" * 100), "is nested too deep, and the limit is 50"),
     ("sin(-" * 30 + "x" + ")" * 30, "is nested too deep, and the limit is 50")],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_what_is_too_much_is_refused_at_once(text, size):
    """Length, parts and depth have limits, told in one line at once; a Python function has none."""
    start = time.perf_counter()
    with pytest.raises(ExpressionError) as caught:
        parse(text)

    assert time.perf_counter() - start < 1
    way_out = "for more, define a Python function and use dualdiff.derivative"
    assert f"the expression {size}: {way_out}" == str(caught.value)
    assert 151.0 == dd.derivative(lambda x: sum(x for _ in range(151)))(1.0)


def test_limits_leave_room():
    """A sum of 150 terms, 50 brackets, 49 calls in each other and 1000 characters are fine, even deep in a program."""

    def deep(levels):
        return deep(levels - 1) if levels else parse("+".join("x" * 150))(x=1.0)

    assert 150.0 == deep(sys.getrecursionlimit() // 3)
    assert 1.0 == parse("(" * 50 + "x" + ")" * 50)(x=1.0)
    assert parse("sin(" * 49 + "x" + ")" * 49).names == ("x",)
    assert 3.0 == parse("x" + " " * 997 + "+2")(x=1.0)


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_parser_that_gives_up_is_too_deep(monkeypatch, error):
    """However Python's own parser says that a text is too deep, the reader gets one line."""
    monkeypatch.setattr("dualdiff.expression.ast.parse", Mock(side_effect=error))
    with pytest.raises(ExpressionError, match="nested too deep"):
        parse("x")


def test_quotes_are_short_and_printable():
    """A quoted part fits in a line and shows no control characters."""
    assert "`x`" == quote("x")
    assert r"`\x1b[31m`" == quote("\x1b[31m")
    assert "`" + "x" * 37 + "...`" == quote("x" * 41)


def test_nothing_is_executed(tmp_path, monkeypatch):
    """Texts that would do something in Python do nothing here."""
    monkeypatch.chdir(tmp_path)
    for text in ("open('made', 'w')", "__import__('os').mkdir('made')", "[open('made', 'w')]", "(lambda: open)()",
                 "exec(x)", "().__class__", "f'{open}'", "(x := 1)", "print(x)", "eval(x)"):  # fmt: skip
        with pytest.raises(ExpressionError):
            parse(text)

    assert [] == [*tmp_path.iterdir()]


def test_walk_shows_every_part():
    """The walk gives the parts innermost first, with NumPy's name, arguments and value of each."""
    walked = [*parse("2*abs(t)").walk({"t": -3.0})]

    assert [("2", "", [], 2.0), ("t", "", [], -3.0), ("abs(t)", "absolute", [-3.0], 3.0),
            ("2*abs(t)", "*", [2.0, 3.0], 6.0)] == walked  # fmt: skip
