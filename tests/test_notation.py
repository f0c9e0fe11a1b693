"""How formulas, names and numbers are written, against Python, a reader of LaTeX and the tables of Unicode."""

import math
import unicodedata

import pytest
from hypothesis import assume, given, settings, strategies as st
from latex_reader import Reader, check

from dualdiff.expression import ExpressionError, parse
from dualdiff.lecture.drawn.figures import array_texts, number
from dualdiff.lecture.drawn.notation import (
    ascii_text,
    barred,
    clipped,
    dotted,
    factor,
    latex,
    padded,
    plain,
    python_text,
    unicode_text,
    width,
    written,
)

EXAMPLES = settings(max_examples=300, deadline=None, derandomize=True)
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
VALUES = {"x": 0.75, "x1": 1.5, "v12": 0.3, "speed": 2.25, "theta": -0.6, "x_max": 1.25}
SPELLED = {"x": "x", "x1": "x1", "v12": "v12", "speed": "speed", "theta": "theta", "x_max": "xmax"}
CALLS = {
    "sin": math.sin, "cos": math.cos, "tanh": math.tanh, "exp": math.exp, "arctan": math.atan, "abs": abs,
    "log": math.log, "sqrt": math.sqrt, "cbrt": math.cbrt,
}  # fmt: skip


def _raised(x, y):
    """Raise to a power; a result that is not real is refused, as `math` does."""
    return math.pow(x, y)


@st.composite
def formulas(draw, depth=4):
    """Return a formula in the signs of a trace, how tightly it binds, and its value worked out beside it."""
    kind = (
        draw(st.sampled_from(["leaf", "+", "−", "·", "/", "sign", "square", "**", "call", "call"])) if depth else "leaf"
    )
    if kind == "leaf":
        name = draw(st.sampled_from([*VALUES, "2", "0.5", "3"]))
        return name, 5, VALUES.get(name) if name in VALUES else float(name)
    text, binds, value = draw(formulas(depth=depth - 1))

    def at(least, text=text, binds=binds):
        return f"({text})" if binds < least or not draw(st.integers(0, 7)) else text

    if kind == "sign":
        return f"−{at(3)}", 3, -value
    if kind == "square":
        power = draw(st.integers(2, 3))
        return f"{at(5)}{SUPERSCRIPTS[power]}", 4, _raised(value, power)
    if kind == "call":
        name = draw(st.sampled_from([*CALLS]))
        return f"{name}({text})", 5, CALLS[name](value)
    other, its, worth = draw(formulas(depth=depth - 1))
    if kind == "**":
        return f"{at(5)}**{at(3, other, its)}", 4, _raised(value, worth)
    if kind == "/":
        return f"{at(2)}/{at(3, other, its)}", 2, value / worth
    if kind == "·":
        return f"{at(2)}·{at(3, other, its)}", 2, value * worth
    return f"{at(1)} {kind} {at(2, other, its)}", 1, value + worth if kind == "+" else value - worth


@st.composite
def worked_out(draw):
    """Return a formula and its value, where there is one of a size that floats can compare."""
    try:
        text, _, value = draw(formulas())
    except (ArithmeticError, ValueError):
        assume(condition=False)
    assume(math.isfinite(value) and abs(value) < 1e6)
    return text, value


def _close(expected, found):
    return math.isclose(expected, found, rel_tol=1e-6, abs_tol=1e-9)


@EXAMPLES
@given(worked_out())
def test_python_text_is_worth_the_formula(case):
    """The formula in Python's signs is worth what the formula is."""
    formula, value = case

    assert _close(value, eval(python_text(formula), CALLS | VALUES))  # noqa: S307 - grown along the grammar above


@EXAMPLES
@given(worked_out())
def test_python_text_is_read_by_expression(case):
    """What is made of elementary functions can be typed in again."""
    formula, value = case
    try:
        expression = parse(python_text(formula))
    except ExpressionError as error:
        assume("too" not in str(error))  # its own limits of depth and length
        raise

    assert _close(value, expression(**{name: VALUES[name] for name in expression.names}))


@EXAMPLES
@given(worked_out())
def test_latex_is_worth_the_formula(case):
    """A reader of the LaTeX who knows no Python works out the same number: brackets are where they must be."""
    formula, value = case
    names = {SPELLED[name]: value for name, value in VALUES.items()}

    check(latex(formula))
    assert _close(value, Reader(latex(formula), names).value())


@EXAMPLES
@given(worked_out(), worked_out())
def test_latex_of_factors_multiplies(one, other):
    """Factors set beside each other are worth the product."""
    names = {SPELLED[name]: value for name, value in VALUES.items()}
    product = rf"{factor(one[0], 'latex')} \cdot {factor(other[0], 'latex')} \cdot x"

    assert _close(one[1] * other[1] * VALUES["x"], Reader(product, names).value())


@EXAMPLES
@given(worked_out(), worked_out())
def test_factors_multiply(one, other):
    """Factors in text are worth the product: brackets are where they must be."""
    product = f"{factor(one[0], 'ascii')}*{factor(other[0], 'ascii')}*x"

    assert _close(one[1] * other[1] * VALUES["x"], eval(product, CALLS | VALUES))  # noqa: S307


@EXAMPLES
@given(worked_out())
def test_unicode_text_loses_nothing(case):
    """With the subscripts raised again it is the formula."""
    formula, _ = case
    back = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

    assert formula == unicode_text(formula).translate(back)


@EXAMPLES
@given(st.text())
def test_any_text_can_be_written(text):
    """Every text is one line of visible signs, ASCII where asked for, and valid LaTeX."""
    for line in (plain(text), unicode_text(text), ascii_text(text), dotted(text), barred(text), written(text)):
        assert line.isprintable()
    assert (ascii_text(text) + dotted(text, "ascii") + barred(text, "ascii")).isascii()
    for line in (latex(text), dotted(text, "latex"), barred(text, "latex"), factor(text, "latex")):
        check(line)


@pytest.mark.parametrize(
    ("formula", "expected"),
    {
        "2·x1² − 1": "2*x1**2 - 1",
        "x²**y": "(x ** 2) ** y",
        "2**x²": "2**x**2",
        "−x⁴": "-x**4",
        "x¹²": "x**12",
        "1e−5·x": "1e-5*x",
        "p['a·b²']·x": "p['a·b²']*x",
        "sinc'(x)·y": "sinc'(x)*y",
        "x +\n\ty": "x + y",
    }.items(),
)
def test_python_text(formula, expected):
    """Signs are exchanged outside of quotes, and superscripts bind more tightly than **."""
    assert expected == python_text(formula)


@pytest.mark.parametrize(
    ("formula", "expected"),
    {
        "x1·v12": "x₁·v₁₂",
        "log10(x1) + arctan2(y2, 3)": "log10(x₁) + arctan2(y₂, 3)",
        "1e5·x2": "1e5·x₂",
        "p['A1'] − x1[0]": "p['A1'] − x₁[0]",
        "sinc'(x1)·cos'(x2)": "sinc'(x₁)·cos'(x₂)",
        "f1'(x)": "f1'(x)",
        "속도1 + x_1": "속도₁ + x_1",
        "x1²": "x₁²",
        "v1.T @ w2": "v₁.T @ w₂",
    }.items(),
)
def test_unicode_text(formula, expected):
    """Digits at the end of names are subscripts; functions, numbers and quoted texts are left alone."""
    assert expected == unicode_text(formula)


@pytest.mark.parametrize(
    ("formula", "expected"),
    {
        "log(x1)/x2": r"\frac{\ln x_{1}}{x_{2}}",
        "sin(t)²·cos(t)": r"\sin^{2} t \cdot \cos t",
        "sin(x)·y": r"\sin(x) \cdot y",
        "sin(x)**−1": r"\left(\sin x\right)^{-1}",
        "exp(−x)": "e^{-x}",
        "exp(x)²": r"\left(e^{x}\right)^{2}",
        "sqrt(x)/cbrt(y)": r"\frac{\sqrt{x}}{\sqrt[3]{y}}",
        "(x + 1)²": r"\left(x + 1\right)^{2}",
        "x − (y − z)": r"x - \left(y - z\right)",
        "x·(−y)": r"x \cdot \left(-y\right)",
        "−(x·y)": r"-x \cdot y",
        "x**(y − 1)": "x^{y - 1}",
        "W @ x": r"W \, x",
        "(a·b) @ c": r"\left(a \cdot b\right) \, c",
        "v1.T": r"v_{1}^{\mathsf T}",
        "v1.T[0]": r"(v_{1}^{\mathsf T})_{0}",
        "x[0]": "x_{0}",
        "v3[0, 1]": "(v_{3})_{0,1}",
        "x[1:, ...]": r"x_{1:,\ldots}",
        "p['a_b%'][0]": r"p_{\text{a}\_\text{b}\%,0}",
        "speed2·x_max": r"\mathrm{speed}_{2} \cdot x_{\mathrm{max}}",
        "long_name": r"\mathrm{long\_name}",
        "theta1 + π": r"\theta_{1} + \pi",
        "값": r"\text{값}",
        "sum(v2, axis=0)": r"\operatorname{sum}\left(v_{2}, \mathrm{axis} = 0\right)",
        "log_ndtr(x)": r"\operatorname{log\_ndtr}\left(x\right)",
        "(s·x).sum(axis=0)": r"\operatorname{sum}\left(s \cdot x, \mathrm{axis} = 0\right)",
        "np.sin(x1)": r"\sin x_{1}",
        "linalg.inv(A)": r"\operatorname{linalg.inv}\left(A\right)",
        "maximum(x, 0)": r"\max\left(x, 0\right)",
        "abs(x)": r"\left\lvert x \right\rvert",
        "x // 2": r"\left\lfloor \frac{x}{2} \right\rfloor",
        "a·(x % y)": r"a \cdot \left(x \bmod y\right)",
        "where(x > 0, x, y)": r"\operatorname{where}\left(x > 0, x, y\right)",
        "(x >= 0) & (x != y)": r"\left(x \ge 0\right) \land \left(x \ne y\right)",
        "square(x + 1)·reciprocal(x)": r"\left(x + 1\right)^{2} \cdot \frac{1}{x}",
        "negative(transpose(A))": r"-A^{\mathsf T}",
        "1e−05·x": r"1 \cdot 10^{-5} \cdot x",
        "2j": r"2\,\mathrm{i}",
        "[x, (y,)]": r"\left[x, \left(y,\right)\right]",
        "not x or y if z else 2": r"\lnot x \lor y \text{ if } z \text{ else } 2",
        "True": r"\mathrm{True}",
        "1e999": r"\infty",
        "sinc'(x)": r"\text{sinc'(x)}",
        "lambda x: x_1": r"\text{lambda x: x}\_\text{1}",
        "f(*x)": r"\text{f(*x)}",
        "zeros_like(x)[0] ← x[0]²": r"\operatorname{zeros\_like}\left(x\right)_{0} \leftarrow x_{0}^{2}",
        "v1[0] ← v3": r"(v_{1})_{0} \leftarrow v_{3}",
        "값 ← δ·x²": r"\text{값} \leftarrow \delta \cdot x^{2}",
        "sinc'(δ) of x₁ − x²": r"\text{sinc'(}\delta \text{) of x}_{1}\text{ }-\text{ x}^{2}",
        "δx": r"{\delta \text{x}}",
        "²₁": "{}^{2}{}_{1}",
        "$\u0332a": r"\$\text{◌\u0332a}".replace(r"\u0332", "\u0332"),
        r"50% of $x_1\{a}#&~^": r"\text{50}\%\text{ of }\$\text{x}\_\text{1}\backslash \{\text{a}\}\#\&\sim \wedge ",
    }.items(),
)
def test_latex(formula, expected):
    """Each construct is set as a book would; what is no expression is set as text, with signs escaped."""
    assert expected == latex(formula)
    check(expected)


def test_deep_formulas_are_text():
    """A formula too deep to be read is shown as it is."""
    deep = "(" * 300 + "x" + ")" * 300

    assert rf"\text{{{deep}}}" == latex(deep)
    check(latex(" + ".join(["x1"] * 3000)))
    check(latex("-" * 3000 + "x"))


@pytest.mark.parametrize(
    ("name", "unicode", "ascii_", "tex"),
    [
        ("x1", "x\u0307₁", "dx1", r"\dot x_{1}"),
        ("speed", "s\u0307peed", "dspeed", r"\dot{\mathrm{speed}}"),
        ("x[0]", "x\u0307[0]", "dx[0]", r"\dot x_{0}"),
        ("v3[1]", "v\u0307₃[1]", "dv3[1]", r"(\dot v_{3})_{1}"),
        ("p['A']", "p\u0307['A']", "dp['A']", r"\dot p_{\text{A}}"),
        ("_x", "_x\u0307", "d_x", r"\dot{\mathrm{\_x}}"),
        ("i", "i\u0307", "di", r"\dot \imath"),
        ("theta", "t\u0307heta", "dtheta", r"\dot \theta"),
        ("값1", "값\u0307₁", r"d\uac121", r"\dot{\text{값}}_{1}"),
        ("a b", "a\u0307 b", "da b", r"\dot{\text{a b}}"),
    ],
)
def test_dotted_and_barred(name, unicode, ascii_, tex):
    """A dot or a bar stands on the first letter, and an index stays an index."""
    assert (unicode, ascii_, tex) == tuple(dotted(name, notation) for notation in ("unicode", "ascii", "latex"))
    bar = (unicode.replace("\u0307", "\u0304"), f"bar_{ascii_[1:]}", tex.replace(r"\dot", r"\bar"))
    assert bar == tuple(barred(name, notation) for notation in ("unicode", "ascii", "latex"))


def _columns(text):
    """Count columns by the tables of Unicode."""
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


LINES = st.text(st.sampled_from("ab1 ·−…│▶₁²값속度ẋx\u0307\u0304"))


@EXAMPLES
@given(LINES, st.integers(0, 30))
def test_widths(text, columns):
    """Widths are those of Unicode's tables; what is cut or filled up has the width asked for."""
    assert _columns(text) == width(text)
    assert _columns(clipped(text, columns)) <= columns
    for align in "<>^":
        assert max(columns, _columns(text)) == _columns(padded(text, columns, align))
        assert text.strip() == padded(text, columns, align).strip()


def test_clipped():
    """A text is cut at its end, never between a letter and its mark, and the sign shows it."""
    assert "ẋ₁ + x…" == clipped("ẋ₁ + x₂·ẋ₂", 7)
    assert "ab..." == clipped("abcdef", 5, ascii=True)
    assert "값…" == clipped("값값값", 4)
    assert "x\u0307…" == clipped("x\u0307yz", 2)
    assert "abc" == clipped("abc", 3)
    assert (" ab", "ab ", " ab ") == (padded("ab", 3, ">"), padded("ab", 3), padded("ab", 4, "^"))


@EXAMPLES
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_have_four_digits(value):
    """A number is read back within half a unit of its fourth digit; whole numbers up to 100000 are exact."""
    shown = float(number(value).replace("−", "-"))
    tex = number(value, "latex").replace(r" \cdot 10^{", "e").replace("}", "")

    assert shown == float(number(value, "ascii")) == float(tex)
    if value == int(value) and abs(value) < 1e5:
        assert value == shown
    elif 1e-300 < abs(value) < 1e308:
        assert abs(value - shown) <= 0.5001 * 10.0 ** (math.floor(math.log10(abs(value))) - 3)


@pytest.mark.parametrize(
    ("value", "expected"),
    {
        -0.9589242746631385: "−0.9589", 10.693147180559945: "10.69", 1.7163378145367738: "1.716", 5.5: "5.5",
        123456.0: "1.235e+05", 12345.0: "12345", -1.5e-7: "−1.5e−07", -0.0: "0", "nan": "nan", "-inf": "−inf",
        "(1+2j)": "(1+2j)", "(-1.23456-0.5j)": "(−1.235−0.5j)", "(nan-infj)": "(nan−infj)",
    }.items(),
)  # fmt: skip
def test_number(value, expected):
    """Numbers have a real minus; those that JSON has no word for, and complex ones, are read from their text."""
    assert expected == number(value)
    assert expected.replace("−", "-") == number(value, "ascii")
    check(number(value, "latex"))


def test_numbers_in_products_have_brackets():
    """A negative factor stands in brackets, and others do not."""
    assert ("(−1)", "2", r"\left(-1\right)") == (
        number(-1.0, bracketed=True),
        number(2.0, bracketed=True),
        number(-1.0, "latex", bracketed=True),
    )
    assert r"-1.5 \cdot 10^{-7}" == number(-1.5e-7, "latex")
    assert (r"-\infty", r"\mathrm{nan}") == (number("-inf", "latex"), number("nan", "latex"))


@pytest.mark.parametrize(
    ("value", "texts", "tex"),
    [
        (2.5, ["2.5"], "2.5"),
        ([1.0, 2.0, 3.0], ["(3,) [1 2 3]", "(3,) [1 … 3]", "(3,)"], r"\left[1, 2, 3\right]"),
        ([], ["(0,) []", "(0,)"], r"\left[\right]"),
        ([[1.0, -2.0]], ["(1, 2) [[1 −2]]", "(1, 2)"], r"\begin{bmatrix} 1 & -2 \end{bmatrix}"),
        (
            [float(i) for i in range(8)],
            ["(8,) [0 1 2 … 5 6 7]", "(8,) [0 1 … 6 7]", "(8,) [0 … 7]", "(8,)"],
            r"\left[0, 1, 2, \ldots, 5, 6, 7\right]_{8}",
        ),
        (
            {"shape": [20, 50], "first": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "last": [998.0, 999.0, 1000.0]},
            ["(20, 50) [1 2 3 … 998 999 1000]", "(20, 50) [1 2 … 999 1000]", "(20, 50) [1 … 1000]", "(20, 50)"],
            r"\left[1, 2, 3, \ldots, 998, 999, 1000\right]_{20 \times 50}",
        ),
    ],
)
def test_arrays(value, texts, tex):
    """An array has its shape and its entries, of more than six the first and the last three."""
    assert texts == array_texts(value)
    assert [text.replace("…", "...").replace("−", "-") for text in texts] == array_texts(value, "ascii")
    assert [tex] == array_texts(value, "latex")
    check(tex)
