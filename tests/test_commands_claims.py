"""Commands about more than one function: a claim that is right or wrong, a chain, and the two modes side by side."""

import json
import math
import re

import numpy as np
import pytest
from command_line import columns, refused, told, typed

from dualdiff.__main__ import main

RIGHT = [
    ["sin(t)**2 + 2*cos(t)", "2*sin(t)*(cos(t) - 1)"],
    ["sin(t)**2 + 2*cos(t)", "2*sin(t)*(cos(t) - 1)", "t=1.2"],
    ["-t**2", "-2*t"],
    ["3*t", "3"],
    ["t", "1", "--wrt", "t"],
    ["s*t**2", "2*s*t", "--wrt", "t"],
    ["s*t**2", "t**2", "--wrt=s", "s=2", "t=-1"],
    ["s*t**2", "t**2, 2*s*t"],
    ["s*t**2", "t**2", "2*s*t"],
    ["t**2*s", "2*t*s", "t**2", "s=3", "t=4"],  # in the order of the formula, whatever that of the values
    ["s*t**2", "t**2, 2*s*t", "--wrt", "s,t"],
    ["s*t**2", "2*s*t, t**2", "--wrt", "t, s"],
    ["s*cos(t), s*sin(t)", "cos(t), -s*sin(t)", "sin(t), s*cos(t)"],
    ["s*cos(t), s*sin(t)", "cos(t), -s*sin(t), sin(t), s*cos(t)", "s=2", "t=0.5"],
    ["s*cos(t), s*sin(t)", "-s*sin(t)", "s*cos(t)", "--wrt", "t"],
    ["s*cos(t), s*sin(t)", "-s*sin(t), cos(t)", "s*cos(t), sin(t)", "--wrt", "t,s"],
    ["t, t**2, t**3", "1, 2*t, 3*t**2"],
]
WRONG = [
    ["sin(t)**2 + 2*cos(t)", "2*sin(t)*(cos(t) + 1)"],
    ["sin(t)**2 + 2*cos(t)", "2*sin(t)*(cos(t) + 1)", "t=1.1"],
    ["t*sin(3*t)", "sin(3*t) + t*cos(3*t)"],
    ["s*t**2", "2*s*t", "--wrt", "s"],
    ["s*t**2", "2*s*t, t**2"],
    ["s*cos(t), s*sin(t)", "cos(t), s*sin(t)", "sin(t), s*cos(t)"],
    ["s*cos(t), s*sin(t)", "cos(t), sin(t)", "-s*sin(t), s*cos(t)"],  # columns for rows
    ["t", "0"],
]


@pytest.mark.parametrize("words", RIGHT, ids=str)
def test_right_claims_end_with_0(capsys, words):
    """What is the derivative is told so, on stdout."""
    assert told(capsys, "check", *words, code=0).startswith("✓ agrees at ")


@pytest.mark.parametrize("words", WRONG, ids=str)
def test_wrong_claims_end_with_1(capsys, words):
    """What is not is told so, on stdout too, for it is the answer."""
    assert told(capsys, "check", *words, code=1).startswith("✗ claim fails ")


def test_slips_are_named_in_the_words_of_the_formula(capsys):
    """The explanation quotes the parts of the formula that was typed."""
    out = " ".join(told(capsys, "check", "t*sin(3*t)", "sin(3*t) + t*cos(3*t)", code=1).split())

    assert "`sin(3*t)`" in out
    assert "`3*t`" in out


def test_check_compares_at_the_values(capsys):
    """With values the numbers are those at that point."""
    out = told(capsys, "check", "t**2", "3*t", "t=1.5", code=1)

    assert "t = 1.5" in out
    assert "4.5" in out
    assert "true 3" in out


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("words", [RIGHT[0], *WRONG[:4]], ids=str)
def test_verdict_fits_the_terminal(capsys, monkeypatch, width, words):
    """Sentences are wrapped at the width of the terminal."""
    monkeypatch.setenv("COLUMNS", str(width))
    main(["check", *words])

    assert max(map(columns, capsys.readouterr().out.splitlines())) <= width


def test_check_in_a_process(tmp_path):
    """Exit codes and streams as a shell sees them, in ASCII too."""
    right, wrong = typed("check", *RIGHT[0]), typed("check", *WRONG[0], PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert (0, "") == (right.returncode, right.stderr)
    assert (1, "") == (wrong.returncode, wrong.stderr)
    assert wrong.stdout.isascii()
    assert "\\u" not in wrong.stdout
    assert 1 == typed("check", *WRONG[0], "-o", "verdict.txt", cwd=tmp_path).returncode
    assert (tmp_path / "verdict.txt").read_text(encoding="utf-8").startswith("✗")


# --- chain ------------------------------------------------------------------------------------------------------------

LECTURE = ["x1**2 + 2*x2", "s*t, s+t", "s=2", "t=3"]


def test_chain_is_the_product(capsys):
    """Factors, product and the direct Jacobian are those by hand: [12 2]·[3 2; 1 1] = [38 26]."""
    found = json.loads(told(capsys, "chain", *LECTURE, "--format", "json"))

    assert [[[12.0, 2.0]], [[3.0, 2.0], [1.0, 1.0]]] == [factor["values"] for factor in found["factors"]]
    assert [[38.0, 26.0]] == found["product"] == found["jacobian"]
    assert ["f", "g"] == found["functions"]


def test_outputs_may_be_named(capsys):
    """x2=s+t and x1=s*t in any order are the inner function in the order in which the outer one takes it."""
    words = ["x1**2 + 2*x2", "x2=s+t", "x1=s*t", "s=2", "t=3"]

    assert told(capsys, "chain", *LECTURE) == told(capsys, "chain", *words)


def test_chain_of_three(capsys):
    """The innermost comes last, and the derivative is the product of the three slopes."""
    found = json.loads(told(capsys, "chain", "sin(u)", "exp(v)", "t**2", "t=0.5", "--json"))
    v = 0.25

    assert np.allclose(math.cos(math.exp(v)) * math.exp(v) * 2 * 0.5, found["product"], rtol=1e-15)
    assert ["f", "g", "h"] == found["functions"]


def test_functions_get_letters_that_no_variable_has(capsys):
    """Variables called f and g leave those letters to themselves."""
    assert ["h", "k"] == json.loads(told(capsys, "chain", "f**2", "2*g", "g=3", "--json"))["functions"]


def test_chain_in_every_format(capsys, tmp_path):
    """LaTeX has a matrix for each factor; a file gets what its ending names."""
    out = told(capsys, "chain", *LECTURE, "--latex")

    assert r"\frac{\partial f}{\partial (s, t)}" in out
    assert out.count(r"\begin{bmatrix}") >= 5
    assert 0 == main(["chain", *LECTURE, "-o", str(tmp_path / "rule.tex")])
    assert out == (tmp_path / "rule.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_chain_fits_the_terminal(capsys, monkeypatch, width):
    """The text keeps to the width of the terminal."""
    monkeypatch.setenv("COLUMNS", str(width))

    assert max(map(columns, told(capsys, "chain", *LECTURE).splitlines())) <= width


# --- compare ----------------------------------------------------------------------------------------------------------


def test_compare_counts_passes(capsys):
    """Three inputs and one output: three passes forward, one back, in the text and in JSON."""
    words = ["x1*x2*x3", "x1=1", "x2=2", "x3=3"]
    found = json.loads(told(capsys, "compare", *words, "--format", "json"))

    assert (3, 1) == (found["forward"]["passes"], found["reverse"]["passes"])
    assert re.search(r"^passes +3 +1\b", told(capsys, "compare", *words), re.MULTILINE)


def test_compare_in_ascii():
    """The table can be shown where there are no signs of mathematics."""
    run = typed("compare", "s*cos(t)", "s*sin(t)", "s=2", "t=0.5", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert (0, "") == (run.returncode, run.stderr)
    assert run.stdout.isascii()
    assert "\\u" not in run.stdout
    assert "passes" in run.stdout


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSED = [
    (["check", "t**2"], ("check takes an expression and a claim: write python -m dualdiff check "
     '"sin(t)**2 + 2*cos(t)" "2*sin(t)*(cos(t) - 1)"'), RIGHT[0]),
    (["check", "s*t**2", "2*s*t"],
     ("the claim has 1 formula, and `s*t**2` has 2 variables (s, t): write one for each, "
     "with commas between, or --wrt s"), ["s*t**2", "t**2, 2*s*t"]),
    (["check", "t**2", "2*t, 1"], "the claim has 2 formulas, and `t**2` has 1 variable (t): write one",
     ["t**2", "2*t"]),
    (["check", "s*t, s", "t, s, 1"],
     ("the claim has 3 formulas, and the Jacobian has 2 x 2: write 2 rows with 2 in each, "
     "with commas between"), ["s*t, s", "t, s", "1, 0"]),
    (["check", "t**2", "2*x"], "the claim uses `x`, and the variables are t: write the claim in those",
     ["t**2", "2*t"]),
    (["check", "sin(x)", "cosx"], "the claim uses `cosx`, and the variables are x: write cos(x)", ["sin(x)", "cos(x)"]),
    (["check", "3", "0"], '`3` has no variable to differentiate by: write one, such as "t**2"', ["t**2", "2*t"]),
    (["check", "s*t", "t", "--wrt", "u"], "--wrt `u`: the variables are s, t: write one of them",
     ["s*t", "t", "--wrt", "s"]),
    (["check", "s*t", "t, t", "--wrt", "s,s"], "--wrt s,s names a variable twice: leave one out",
     ["s*t", "t", "--wrt", "s"]),
    (["check", "s*t", "t, s", "s=2"], "`t` has no value: add t=1.0", ["s*t", "t, s", "s=2", "t=1.0"]),
    (["check", "t", "f'=1"], ("check takes an expression and a claim: write python -m dualdiff check "
     '"sin(t)**2 + 2*cos(t)" "2*sin(t)*(cos(t) - 1)"'), RIGHT[0]),
    (["check", "log(t)", "1/t", "t=-0.5"],
     "f has no derivative at -0.5, so there is nothing to compare: choose other values", ["log(t)", "1/t", "t=1"]),
    (["chain", "x**2", "x=3"],
     ("chain takes two functions or more, the outer one first: write python -m dualdiff chain "
     '"x1**2 + 2*x2" "s*t, s+t" s=2 t=3'), LECTURE),
    (["chain", "x1**2 + x2", "s*t", "s=1", "t=2"],
     "`s*t` has 1 output, but `x1**2 + x2` takes 2 (x1, x2): write as many formulas as it takes, with commas between",
     ["x1**2 + x2", "s*t, s", "s=1", "t=2"]),
    (["chain", "x1 + x2", "x1=s*t", "s=1", "t=2"],
     "nothing says what `x2` in `x1 + x2` is: add a formula, such as x2=s*t",
     ["x1 + x2", "x1=s*t", "x2=s*t", "s=1", "t=2"]),
    (["chain", "x1**2", "x1=s*t", "x3=s", "s=1", "t=2"],
     "`x3` is not in `x1**2`, its variables are x1: write one of them before the =",
     ["x1**2", "x1=s*t", "s=1", "t=2"]),
    (["chain", "x1**2", "x1=(", "s=1"], ("chain takes two functions or more, the outer one first: write python -m "
     'dualdiff chain "x1**2 + 2*x2" "s*t, s+t" s=2 t=3'), LECTURE),
    (["chain", "x1**2", "x1=s", "x1=2*s", "s=1"], "`x1` is given twice: leave `x1=2*s` out", ["x1**2", "x1=s", "s=1"]),
    (["chain", "sin(u)", "t**2"], "`t` has no value: add t=1.0", ["sin(u)", "t**2", "t=1.0"]),
    (["compare", "t=1"], ("compare takes an expression: write python -m dualdiff compare "
     '"x1*x2*x3" x1=1 x2=2 x3=3'), ["x1*x2*x3", "x1=1", "x2=2", "x3=3"]),
    (["compare", "t", "t=1", "--format", "latex"],
     ("--format takes text or json, not `latex`: see python -m dualdiff "
     "compare --help"), ["t", "t=1", "--format", "json"]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message", "followed"), REFUSED, ids=lambda x: ascii(x)[:30])
def test_refusal_says_the_way_out(capsys, words, message, followed):
    """Each refusal is one line that quotes the words, and following it gives a result."""
    assert message == refused(capsys, *words)
    assert told(capsys, words[0], *followed)
