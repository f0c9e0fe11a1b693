"""Commands of the command line: trace and jacobian in every format, where an answer goes, and what is refused."""

import ast
import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from command_line import columns, refused, told, typed

import dualdiff as dd
from dualdiff.__main__ import COMMANDS, main

SURVEY = ["log(x1) + x1*x2 - sin(x2)", "x1=2", "x2=5"]  # Baydin et al. 2018, tables 2 and 3
SURFACE = ["s*cos(t)", "s*sin(t)", "s**2", "s=2", "t=0.5"]
FORMATS = ["text", "markdown", "latex", "html", "svg", "json", "dot", "mermaid"]
BEGINS = {
    "markdown": "|", "latex": "\\begin{array}", "html": "<!doctype html>", "svg": "<svg", "dot": "digraph",
    "mermaid": "flowchart",
}  # fmt: skip


def survey(x1, x2):
    """Return the function of the survey."""
    return np.log(x1) + x1 * x2 - np.sin(x2)


def traced(capsys, *words):
    """Return the dict that trace prints as JSON."""
    return json.loads(told(capsys, "trace", *words, "--format", "json"))


# --- trace ------------------------------------------------------------------------------------------------------------


def test_trace_is_the_survey(capsys):
    """Trace of the survey's function has its value, both tangents and both adjoints, and each part's own text."""
    found = traced(capsys, *SURVEY)
    rows = {row["name"]: row for row in found["rows"]}
    last = rows[found["outputs"][0]]

    assert [math.log(2) + 10 - math.sin(5)] == pytest.approx([last["value"]])
    assert [5.5, 2 - math.cos(5)] == pytest.approx(last["tangents"])
    assert [5.5, 2 - math.cos(5)] == pytest.approx([rows["x1"]["adjoint"], rows["x2"]["adjoint"]])
    assert ["x1", "x2", "log(x1)", "x1*x2", "log(x1) + x1*x2", "sin(x2)", SURVEY[0]] == [
        r["source"] for r in found["rows"]
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_trace_has_every_format(capsys, form, tmp_path):
    """Each format is printed whole, says the same in a file that its ending names, and is what dd.trace makes."""
    ending = {"text": "txt", "markdown": "md", "latex": "tex", "mermaid": "mmd"}.get(form, form)
    out = told(capsys, "trace", *SURVEY, "--format", form)
    path = tmp_path / f"made.{ending}"

    assert 0 == main(["trace", *SURVEY, "-o", str(path)])
    assert ("", f"wrote {path}\n") == capsys.readouterr()
    assert out == path.read_text(encoding="utf-8")
    assert out == told(capsys, "trace", *SURVEY, "--format", ending)
    assert out.lower().startswith(BEGINS.get(form, ""))
    assert "11.65" in out


def test_trace_in_data_formats_can_be_read(capsys):
    """SVG is XML, JSON is strict."""
    assert "svg" in ET.fromstring(told(capsys, "trace", *SURVEY, "--format", "svg")).tag  # noqa: S314 - our own text
    infinite = told(capsys, "trace", "1/t", "t=0", "--format", "json")

    def refuse(word):
        raise AssertionError(word)

    rows = json.loads(infinite, parse_constant=refuse)["rows"]
    assert "inf" == rows[-1]["value"]


def test_symbols_are_the_inputs_letters(capsys):
    """--symbols writes the derivative in the letters of the inputs, in text and in LaTeX."""
    rows = traced(capsys, "sin(t)**2 + 2*cos(t)", "t=1.2", "--symbols")["rows"]

    assert ["2·sin(t)·cos(t) − 2·sin(t)"] == rows[-1]["tangent_formulas"]
    assert "2·sin(t)·cos(t) − 2·sin(t)" in told(
        capsys, "trace", "sin(t)**2 + 2*cos(t)", "t=1.2", "--symbols", "--width", "200"
    )


@pytest.mark.parametrize("width", [40, 60, 80, 100, 148, 200])
@pytest.mark.parametrize("words", [SURVEY, SURFACE, ["값*t", "값=2", "t=3"], ["x" * 300, "x" * 300 + "=1"]], ids=str)
@pytest.mark.parametrize("flags", [[], ["--ascii"], ["--symbols"]], ids=str)
def test_trace_fits_the_width(capsys, width, words, flags):
    """No line is wider than --width says, with signs, without, and with formulas written out."""
    out = told(capsys, "trace", *words, "--width", str(width), *flags)

    assert max(map(columns, out.splitlines())) <= width
    assert [] == [line for line in out.splitlines() if line != line.rstrip()]
    if flags == ["--ascii"]:
        assert out.isascii()


def test_trace_fits_the_terminal(capsys, monkeypatch):
    """Without --width it is the terminal's."""
    monkeypatch.setenv("COLUMNS", "64")
    narrow = told(capsys, "trace", *SURVEY)
    monkeypatch.setenv("COLUMNS", "190")
    wide = told(capsys, "trace", *SURVEY)

    assert max(map(columns, narrow.splitlines())) <= 64
    assert 64 < max(map(columns, wide.splitlines())) <= 190
    assert wide == told(capsys, "trace", *SURVEY, "--width", "190")


def test_result_gets_adjoint_1(capsys):
    """--result 2 pulls back the second of several outputs: its adjoints are the second row of the Jacobian."""
    rows = {row["name"]: row["adjoint"] for row in traced(capsys, *SURFACE, "--result", "2")["rows"]}

    assert [math.sin(0.5), 2 * math.cos(0.5)] == pytest.approx([rows["s"], rows["t"]])


def test_wrt_holds_the_rest_fixed(capsys):
    """--wrt t leaves one input, and the other variable stays the number it is."""
    found = traced(capsys, "s*t**2", "s=3", "t=2", "--wrt", "t")

    assert ["t"] == found["inputs"]
    assert [12.0] == found["rows"][-1]["tangents"]
    assert [[12.0]] == json.loads(told(capsys, "jacobian", "s*t**2", "s=3", "t=2", "--wrt=t", "--format=json"))[
        "jacobian"
    ]


# --- jacobian ---------------------------------------------------------------------------------------------------------


def test_jacobian_is_the_report(capsys):
    """The command prints what the formulas print without it, as text and as JSON."""
    assert told(capsys, *SURFACE) == told(capsys, "jacobian", *SURFACE)
    assert told(capsys, *SURFACE, "--json") == told(capsys, "jacobian", *SURFACE, "--format", "json")
    found = json.loads(told(capsys, "jacobian", *SURFACE, "--format", "json"))
    c, s = math.cos(0.5), math.sin(0.5)
    assert np.allclose([[c, -2 * s], [s, 2 * c], [4, 0]], found["jacobian"], rtol=1e-15)


def test_jacobian_in_latex(capsys):
    """LaTeX has the Jacobian's name, its entries in letters, and its entries in numbers, row by row."""
    out = told(capsys, "jacobian", *SURFACE, "--format", "latex")
    letters, numbers = re.findall(r"\\begin\{bmatrix\}\n(.*?)\n\\end\{bmatrix\}", out, re.DOTALL)
    rows = [[float(x) for x in row.split("&")] for row in numbers.split(r"\\")]
    c, s = math.cos(0.5), math.sin(0.5)

    assert out.startswith(r"\frac{\partial (f_{1}, f_{2}, f_{3})}{\partial (s, t)}")
    assert np.allclose([[c, -2 * s], [s, 2 * c], [4, 0]], rows, rtol=1e-3)
    assert [r"\cos t", r"-s \cdot \sin t"] == [entry.strip() for entry in letters.split(r"\\")[0].split("&")]
    assert told(capsys, "jacobian", "t**2", "t=3", "--format", "latex").startswith(r"\frac{\mathrm d f}{\mathrm d t}")


def test_large_jacobian_in_latex_is_cut_with_a_sign(capsys):
    """Of more than 12 columns the rest is dots, in the name and in the matrix."""
    names = [f"u{i}" for i in range(15)]
    out = told(capsys, "jacobian", "*".join(names), *(f"{name}=1" for name in names), "--format", "latex")

    assert r"\ldots" in out
    assert 11 == out.splitlines()[-2].count("&")
    assert out.splitlines()[-2].endswith(r"\cdots")


def test_formats_have_a_short_form(capsys):
    """--latex is --format latex."""
    assert told(capsys, "jacobian", *SURFACE, "--format", "latex") == told(capsys, "jacobian", "--latex", *SURFACE)
    assert told(capsys, "trace", *SURVEY, "--format", "svg") == told(capsys, "trace", "--svg", *SURVEY)


# --- help and refusals ------------------------------------------------------------------------------------------------


def test_help_lists_the_commands(capsys):
    """--help has a line for each command, and each has a page of its own, with its options and examples."""
    out = told(capsys, "--help")

    for name, says in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(says)}$", out, re.MULTILINE)
        page = told(capsys, name, "--help")
        assert page == told(capsys, name, "x", "-h")
        assert page.startswith(f"usage: python -m dualdiff {name} ")
        assert "runs that file's code" in page
        assert max(map(columns, page.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_the_help_work(name, capsys, monkeypatch, tmp_path):
    """Each example on a command's page runs, and succeeds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wave.py").write_text("def f(x):\n    return sum(x**2)\n\ndef df(x):\n    return 2*x\n")
    examples = re.findall(r"^  python -m dualdiff (.*)$", told(capsys, name, "--help"), re.MULTILINE)

    assert examples
    for line in examples:
        assert 0 == main([word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]), capsys.readouterr().err
        capsys.readouterr()


REFUSED = [
    (["trace"], 'trace takes an expression: write python -m dualdiff trace "log(x1) + x1*x2 - sin(x2)" x1=2 x2=5',
     ["trace", *SURVEY]),
    (["jacobian", "t=1"],
     'jacobian takes an expression: write python -m dualdiff jacobian "s*cos(t)" "s*sin(t)" "s**2" s=2 t=0.5',
     ["jacobian", *SURFACE]),
    (["trace", "t**2"], "`t` has no value: add t=1.0", ["trace", "t**2", "t=1.0"]),
    (["trace", "t**2", "t=1", "s=2"], "no expression uses `s`, the variables are t: leave its value out",
     ["trace", "t**2", "t=1"]),
    (["trace", "ln(t)", "t=1"], "`ln` is no function: write log(x)", ["trace", "log(t)", "t=1"]),
    (["trace", "3"], '`3` has no variable to differentiate by: write one, such as "t**2" t=1.2',
     ["trace", "t**2", "t=1.2"]),
    (["trace", "t", "t=[1,2]"], "`t=[1,2]` is a list: a variable of a formula is one number, such as t=1.5",
     ["trace", "t", "t=1.5"]),
    (["trace", "t", "t=1,5"], "`t=1,5` has a comma: write a decimal point, such as 1.5", ["trace", "t", "t=1.5"]),
    (["trace", "t", "t=1", "--symbol"], "`--symbol` is no option: write --symbols", ["trace", "t", "t=1", "--symbols"]),
    (["trace", "t", "t=1", "--symbols=yes"], "`--symbols=yes` has no value to be given: write --symbols",
     ["trace", "t", "t=1", "--symbols"]),
    (["trace", "t", "t=1", "--format", "pdf"],
     ("--format takes text, markdown, latex, html, svg, json, dot or mermaid, not `pdf`: see python -m dualdiff trace "
     "--help"), ["trace", "t", "t=1", "--format", "text"]),
    (["trace", "t", "t=1", "--format"],
     ("--format takes text, markdown, latex, html, svg, json, dot or mermaid, not nothing: see python -m dualdiff "
     "trace --help"), ["trace", "t", "t=1", "--format", "svg"]),
    (["trace", "t", "t=1", "-o", "a.pdf"],
     ("the ending of `a.pdf` names no format: write one of .html, .svg, .json, .dot, .txt, .md, .tex, .htm, .gv, .mmd, "
     "or add --format"), ["trace", "t", "t=1", "-o", "-"]),
    (["trace", "t", "t=1", "--width", "39"], "--width takes a whole number from 40 to 1000, not `39`",
     ["trace", "t", "t=1", "--width", "40"]),
    (["trace", "t", "t=1", "--format", "svg", "--ascii"], "--ascii is for text, not for svg: leave it out",
     ["trace", "t", "t=1", "--format", "svg"]),
    (["trace", "t", "t=1", "--result", "2"], "--result 2: the result has 1 number: write --result 1",
     ["trace", "t", "t=1", "--result", "1"]),
    (["trace", "t", "t=1", "--wrt", "s"], "--wrt `s`: the variables are t: write one of them",
     ["trace", "t", "t=1", "--wrt", "t"]),
    (["t", "t=1", "--format", "html"],
     "`--format` is no option of a formula without a command: it belongs to a command, as in python -m dualdiff trace",
     ["trace", "t", "t=1", "--format", "html"]),
    (["tarce", "t", "t=1"], "`tarce` is no command: write trace, or give the variable a value: tarce=1.0",
     ["trace", "t", "t=1"]),
    (["jacobain", "t**2", "t=1"],
     "`jacobain` is no command: write jacobian, or give the variable a value: jacobain=1.0",
     ["jacobain", "t**2", "t=1", "jacobain=1.0"]),
    (["trace", "s*t", "s=1", "t=2", "--wrt", "s, s"], "--wrt s, s names a variable twice: leave one out",
     ["trace", "s*t", "s=1", "t=2", "--wrt", "s"]),
    (["jacobian", "s*t", "s=1", "t=2", "--wrt=t,s,t"], "--wrt t,s,t names a variable twice: leave one out",
     ["jacobian", "s*t", "s=1", "t=2", "--wrt=t,s"]),
    (["trace", "t", "t=1", "--format", "html", "-o", "q.svg"],
     "the ending of `q.svg` says svg, and --format is html: end it in .html, or leave --format out",
     ["trace", "t", "t=1", "--format", "html", "-o", "-"]),
    (["jacobian", "t", "t=1", "--latex", "-o", "q.JSON"],
     "the ending of `q.JSON` says json, and --format is latex: end it in .tex, or leave --format out",
     ["jacobian", "t", "t=1", "--latex"]),
    (["check", "t", "1", "-o", "a.html"],
     "the ending of `a.html` says html, and check writes text: end it in .txt", ["check", "t", "1", "-o", "-"]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message", "followed"), REFUSED, ids=lambda x: ascii(x)[:30])
def test_refusal_says_the_way_out(capsys, words, message, followed):
    """Each refusal is one line that quotes the words, and following it gives a result."""
    assert message == refused(capsys, *words)
    assert told(capsys, *followed)


def test_command_as_a_variable(capsys):
    """The bare word of a command is the command where it comes first, and a variable everywhere else."""
    assert told(capsys, "2*trace", "trace=3").endswith("df/dtrace = 2\n")
    assert told(capsys, "trace=3", "trace").endswith("df/dtrace = 1\n")
    assert told(capsys, "--", "trace", "trace=3").endswith("df/dtrace = 1\n")
    assert "trace" in told(capsys, "trace", "trace", "trace=3")
    assert "takes an expression" in refused(capsys, "trace", "trace=3")


@pytest.mark.parametrize("word", ["x", "space", "check2", "Δ", "train", "brace"])
def test_variables_are_not_taken_for_commands(capsys, word):
    """A variable that resembles a command is one where it has a value; what resembles none is asked for its value."""
    assert told(capsys, word, "t", f"{word}=2", "t=1")
    assert f"add {word}=1.0" in refused(capsys, word, "t=1") or "is no command" in refused(capsys, word, "t=1")


def test_trace_agrees_with_python():
    """The JSON of a process is the dict of dd.trace at the same point."""
    run = typed("trace", *SURVEY, "--format", "json")
    mine, theirs = dd.trace(survey)(2.0, 5.0).to_dict(), json.loads(run.stdout)

    assert mine["counts"] == theirs["counts"]
    assert mine["passes"] == theirs["passes"]
    assert [r["tangents"] for r in mine["rows"]] == [r["tangents"] for r in theirs["rows"]]
    assert ast.literal_eval(repr(mine["rows"][-1]["value"])) == theirs["rows"][-1]["value"]
