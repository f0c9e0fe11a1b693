"""chain as formulas, text, LaTeX and dict: what is shown is what is true."""

import functools
import json
import re

import numpy as np
import pytest
from chains import classic, f, g, layered
from hypothesis import given, settings, strategies as st

from dualdiff.lecture.chained.chaining import chain


@pytest.mark.parametrize(
    ("function", "point", "expected"),
    [
        (f, (2.0, 3.0), [["2·x1", "2"]]),
        (g, (2.0, 3.0), [["t", "s"], ["1", "1"]]),
        (lambda r, t: (r * np.cos(t), r * np.sin(t)), (2.0, 3.0), [["cos(t)", "−r·sin(t)"], ["sin(t)", "r·cos(t)"]]),
        (np.sin, (np.ones(2),), [["cos(x[0])", "0"], ["0", "cos(x[1])"]]),
        (lambda x: np.array([[1.0, 2.0], [3.0, 4.0]]) @ x, (np.ones(2),), [["1", "2"], ["3", "4"]]),
        (lambda x: np.sum(x**2), (np.ones(2),), [["2·x[0]", "2·x[1]"]]),
        (lambda x: x @ x, (np.ones(2),), [["2·x[0]", "2·x[1]"]]),
        (lambda x: x.reshape(2, 1).T[0] * x[0], (np.ones(2),), [["2·x[0]", "0"], ["x[1]", "x[0]"]]),
    ],
    ids=["f", "g", "polar", "elementwise", "matrix", "sum", "dot", "moved"],
)
def test_short_functions_have_their_factor_in_letters(function, point, expected):
    """Entries in the letters of the arguments, as one writes them by hand."""
    assert expected == [list(line) for line in chain(function)(*point).formulas[0]]


@settings(deadline=None)
@given(st.floats(0.1, 2.0), st.floats(0.1, 2.0))
def test_formulas_are_worth_their_numbers(x, y):
    """Read as Python, every formula is the number of its factor."""
    function = lambda x, y: (np.exp(x) / y, np.hypot(x, y), x**y - np.log(x), np.arctan2(x, y))
    shown = chain(function)(x, y)

    for texts, numbers in zip(shown.formulas[0], shown.factors[0], strict=True):
        for text, number in zip(texts, numbers, strict=True):
            python = text.replace("·", "*").replace("−", "-").replace("²", "**2")
            assert number == pytest.approx(eval(python, vars(np) | {"x": x, "y": y}), rel=1e-12)  # noqa: S307


def test_long_functions_are_left_in_numbers():
    """A function of more than eight steps, or one that no letters pass through, has None for its formulas."""
    long = lambda x: functools.reduce(lambda y, _: np.sin(y) * 2, range(5), x)
    strange = lambda x: np.linalg.norm(np.stack([x, 2 * x]))

    assert (None,) == chain(long)(1.0).formulas
    assert (None,) == chain(strange)(1.0).formulas
    assert (None, (("cos(x)",),)) == chain(long, np.sin)(1.0).formulas


# --- text, LaTeX, dict -------------------------------------------------------------------------------------------


def test_text_shows_everything():
    """The equation in letters and numbers, the entries with their paths, the check and the counts."""
    expected = """\
(s, t) = (2, 3) → (x₁, x₂) = (6, 5) → f = 46

    J       =       J₂       ·         J₁
∂f/∂(s, t)  =  ∂f/∂(x₁, x₂)  ·  ∂(x₁, x₂)/∂(s, t)

            =   [2·x₁  2]    ·       ⎡t  s⎤
                                     ⎣1  1⎦

   s   t          x₁  x₂                s  t
 [38  26]   =    [12   2]    ·      x₁ ⎡3  2⎤
                                    x₂ ⎣1  1⎦

∂f/∂s = 12·3 + 2·1 = 38   (through x₁: 36, through x₂: 2)
∂f/∂t = 12·2 + 2·1 = 26   (through x₁: 24, through x₂: 2)

✓ the Jacobian of f∘g taken directly is exactly the same
J₂·J₁: 4 multiplications"""

    assert expected == classic().to_text(80)
    assert str(classic()) == repr(classic())


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("ascii", [False, True])
def test_text_fits(width, ascii):
    """No line is wider than asked for, and ASCII is ASCII."""
    for shown in (classic(), chain(*[lambda x: np.sin(x) + x[::-1]] * 5)(np.ones(3)), layered(), chain(g)(1.0, 2.0)):
        text = shown.to_text(width, ascii=ascii)

        assert max(map(len, text.splitlines())) <= width
        assert text.isascii() or not ascii


def test_narrow_text_has_one_factor_below_the_other():
    """Where there is no room side by side, factors are named J₁, J₂, … and stand one below the other."""
    text = classic().to_text(40)

    assert ["J₂ = ∂f/∂(x₁, x₂)", "J₁ = ∂(x₁, x₂)/∂(s, t)"] == re.findall(r"^J.* = .*$", text, re.MULTILINE)
    assert "∂f/∂s = 12·3 + 2·1 = 38" in text


def test_latex_is_matrices():
    """bmatrix, in letters and in numbers, for amsmath alone."""
    expected = r"""\begin{aligned}
\frac{\partial f}{\partial (s, t)} &= \frac{\partial f}{\partial (x_{1}, x_{2})} \, \frac{\partial (x_{1}, x_{2})}{\partial (s, t)} \\
 &= \begin{bmatrix} 2 \cdot x_{1} & 2 \end{bmatrix} \, \begin{bmatrix} t & s \\ 1 & 1 \end{bmatrix} \\
 &= \begin{bmatrix} 12 & 2 \end{bmatrix} \, \begin{bmatrix} 3 & 2 \\ 1 & 1 \end{bmatrix} \\
 &= \begin{bmatrix} 38 & 26 \end{bmatrix}
\end{aligned}"""  # noqa: E501

    assert expected == classic().to_latex()
    assert f"$$\n{expected}\n$$" == classic()._repr_latex_()
    assert r"\underset{200 \times 1000}{J_{1}}" in layered().to_latex()


@pytest.mark.parametrize("shown", [classic, layered, lambda: chain(lambda x: 1 / x, lambda x: x - 1)(np.ones(1))])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_dict_is_json(shown):
    """The dict survives JSON, without NaN or infinity as numbers."""
    told = shown().to_dict()

    assert told == json.loads(json.dumps(told, allow_nan=False))
    assert "dualdiff.chain/1" == told["schema"]


def test_dict_says_what_the_object_says():
    """Entries, counts and bracketings of the dict are those of the object."""
    shown = chain(np.sum, g, g)(2.0, 3.0)
    told = shown.to_dict()

    assert shown.counts == told["counts"]
    assert [(w.text, w.multiplications) for w in shown.bracketings] == [
        (w["text"], w["multiplications"]) for w in told["bracketings"]
    ]
    assert shown.product.tolist() == told["product"]
    assert [[p.value for p in e.paths] for e in shown.entries] == [
        [p["value"] for p in e["paths"]] for e in told["entries"]
    ]


def test_a_chain_does_not_change():
    """Attributes and arrays of a chain are read-only."""
    shown = classic()

    with pytest.raises(AttributeError, match="a Chain does not change: value is what it was"):
        shown.value = 1.0
    with pytest.raises(ValueError, match="read-only"):
        shown.product[0, 0] = 1.0
