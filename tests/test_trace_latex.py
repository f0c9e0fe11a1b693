"""A trace in LaTeX: a table that balances, and whose every equation holds for a reader of LaTeX."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from latex_reader import Reader, check
from told_by_hand import CASES, survey, told

import dualdiff as dd
from dualdiff.lecture.drawn.latex import to_latex
from dualdiff.lecture.drawn.notation import latex as in_latex

NESTED = re.compile(r"\\begin\{bmatrix\}.*?\\end\{bmatrix\}")


def lines_of(latex):
    """Return the cells of the lines of the table, and the lines below it."""
    inner = latex.removeprefix("\\begin{array}{l}\n\\begin{array}{")
    assert inner != latex
    columns, _, rest = inner.partition("}\n")
    table, _, below = rest.partition("\\hline\n\\end{array} \\\\[1ex]\n")
    assert below.endswith("\\end{array}")
    lines = [re.sub(r" \\\\(\[0\.5ex\]| \\hline)?$", "", line) for line in table.splitlines()]
    cells = [[cell.strip() for cell in NESTED.sub("M", line).split(" &")] for line in lines]
    assert {len(columns)} == set(map(len, cells))
    return cells, [line.removesuffix(r" \\") for line in below.splitlines()[:-1]]


def names_of(trace, turn):
    """Return what the names of a trace are worth in the pass of one direction, as LaTeX spells them."""
    names = {}
    for row in trace["rows"]:
        if row["role"] != "cut":
            name = row["name"].replace("p['", "p").replace("']", "").replace(" ", "")
            names |= {name: row["value"], f"bar {name}": row["adjoint"], f"dot {name}": row["tangents"][turn]}
    return names


@pytest.mark.parametrize("case", CASES)
def test_table_balances(case):
    """Braces, brackets and environments balance, each line has all cells, and every command is known everywhere."""
    trace = CASES[case]()
    latex = to_latex(trace)
    lines, below = lines_of(latex)

    check(latex)
    assert 1 + len(trace["rows"]) + sum(bool(row.get("note")) for row in trace["rows"]) == len(lines)
    assert 2 + len(trace["directions"]) == len(lines[0])
    assert 2 <= len(below) <= 4


def known(part, names):
    """Tell whether all rows that a formula has in it are in the table."""
    return set(re.findall(r"v_\{(\d+)\}", part)) <= {name.removeprefix("v") for name in names}


@pytest.mark.parametrize("case", ["survey", "korean", "keyed", "many", "loop", "symbols"])
def test_equations_hold(case):
    """All parts of every equation are worth the number that the dict has."""
    trace = CASES[case]()
    lines, _ = lines_of(to_latex(trace))
    cells = [line for line in lines[1:] if "vdots" not in line[0] and "hookrightarrow" not in line[0]]
    rows = [row for row in trace["rows"] if row["role"] != "cut"]
    checked = 0
    for row, line in zip(rows, cells, strict=True):
        numbers = [row["value"], *row["tangents"], row["adjoint"]]
        for i, (number, cell) in enumerate(zip(numbers, line, strict=True)):
            names = names_of(trace, max(0, min(i - 1, len(row["tangents"]) - 1)))
            for part in cell.split(" = "):
                if r"\cdots" in part or not known(part, names):
                    continue  # what was cut out is not known
                slack = 0.0
                if not re.search("[a-zA-Z]", re.sub(r"\\(cdot|left|right)", "", part)):  # numbers, with four digits
                    slack = 2e-3 * Reader(re.sub(r"(^|\()-", r"\1", part), {}).value()
                assert math.isclose(number, Reader(part, names).value(), rel_tol=1e-9, abs_tol=slack + 1e-12), part
                checked += 1
    assert checked > 3 * len(rows)


def test_survey():
    """The example of Baydin et al. as a lecture shows it."""
    lines, below = lines_of(to_latex(survey()))

    assert [
        r"\text{primal}",
        r"\text{tangent, } \dot x_{1} = 1",
        r"\text{tangent, } \dot x_{2} = 1",
        r"\text{adjoint, } \bar v_{5} = 1",
    ] == lines[0]
    assert [
        "x_{1} = 2",
        r"\dot x_{1} = 1",
        r"\dot x_{1} = 0",
        r"\bar x_{1} = \bar v_{2} \cdot x_{2} + \bar v_{1} \cdot \frac{1}{x_{1}} = 1 \cdot 5 + 1 \cdot 0.5 = 5.5",
    ] == lines[1]
    assert [
        r"v_{1} = \ln x_{1} = 0.6931",
        r"\dot v_{1} = \frac{1}{x_{1}} \cdot \dot x_{1} = 0.5 \cdot 1 = 0.5",
        r"\dot v_{1} = \frac{1}{x_{1}} \cdot \dot x_{1} = 0.5 \cdot 0 = 0",
        r"\bar v_{1} = \bar v_{3} = 1 \cdot 1 = 1",
    ] == lines[3]
    assert r"\dot v_{5} = \dot v_{3} - \dot v_{4} = 1 \cdot 2 + \left(-1\right) \cdot 0.2837 = 1.716" == lines[7][2]
    passes = r"\text{passes: forward 2 (one per input, read }\downarrow \text{), reverse 1 (one per output, read }"
    assert [
        passes + r"\uparrow \text{)}",
        r"{\times}\text{ / + for derivatives: forward 16 / 6, reverse 8 / 2 (}{\times}\text{1 counted)}",
    ] == below


def test_of_many_directions_the_results_are_shown():
    """With more than two tangent columns these show results; the adjoints are still worked out."""
    lines, _ = lines_of(to_latex(CASES["many"]()))

    assert {1} == {cell.count(" = ") for line in lines[1:] for cell in line[1:-1]}
    assert 3 == lines[1][-1].count(" = ")


def test_what_is_not_a_number():
    """Arrays are rows or matrices, with dots where they are long; notes and gaps are lines of their own."""
    arrays = to_latex(CASES["arrays"]())

    assert r"x_{1} = \left[1, 2, 3\right] &" in arrays
    assert r"\begin{bmatrix} 1 & -2 \\ 0.5 & \infty \end{bmatrix}" in arrays
    assert r"\left[-1.5 \cdot 10^{-7}, 2, 3, \ldots, 998, 999, \mathrm{nan}\right]_{1000}" in arrays
    assert r"\frac{\partial v_{1}}{\partial x_{1}} \cdot \dot x_{1}" in arrays
    assert r"\left[(1+2\,\mathrm{i}), (-1-0.5\,\mathrm{i})\right]" in arrays
    assert r"\text{2 steps of f left out: no result depends on them}" in arrays
    assert r"\vdots \quad \text{(241 more rows)} & \vdots & \vdots" in to_latex(CASES["loop"]())
    assert r"\quad \hookrightarrow \text{if 값 }>\text{ 1: taken" in to_latex(CASES["korean"]())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(), st.text(min_size=1))
def test_any_text_is_valid(text, name):
    """Whatever stands in a name, a formula or a note, the table balances."""
    trace = told({name: 1.0}, [])
    trace["rows"] += survey()["rows"][2:]
    trace["directions"], trace["seed"] = [name, text], name
    for row in trace["rows"]:
        row |= {"formula": text, "note": text, "tangents": [1.0, 0.0]}
        row["partials"] = [{"operand": name, "kind": "number", "formula": text, "value": 1.0}]
    latex = to_latex(trace)

    check(latex)
    assert r"\begin{array}{llll}" in latex


def test_every_command_of_latex_is_checked():
    """The check of these tests finds what it looks for."""
    for wrong in (
        "{",
        "}",
        r"\frac{1}{2",
        r"\usepackage{x}",
        r"\left(x",
        r"\begin{array}",
        "50%",
        r"\begin{tikz}\end{tikz}",
    ):
        with pytest.raises((AssertionError, IndexError)):
            check(wrong)


def test_latex_has_no_signs_of_mathematics_left():
    """Signs that a trace writes have commands of amsmath, so that pdflatex needs no other fonts."""
    for sign in "·−×²³¹⁴⁹⁻₁₂√∂δε∇∘≈≤≥≠∞←→↓↑…½′µπ":
        for text in (sign, f"a {sign} b!", f"x{sign} of"):
            assert in_latex(text).isascii(), (text, in_latex(text))
            check(in_latex(text))


def test_written_rows_have_an_arrow():
    """A write into an array is its entry, an arrow, and what is written."""

    def f(x):
        y = np.zeros_like(x)
        y[0] = x[0] ** 2
        return y

    latex = dd.trace(f)(np.array([3.0, 4.0])).to_latex()

    assert r" = (v_{1})_{0} \leftarrow v_{3} = \left[9, 0\right] & " in latex
    assert latex.isascii()
    check(latex)
    letters = dd.trace(f, symbols=True)(np.array([3.0, 4.0])).to_latex()
    assert letters.isascii()
    check(letters)
