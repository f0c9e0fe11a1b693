"""The command line as its reader meets it: streams, exit codes, layout, and one line for whatever goes wrong."""

import json
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import mpmath
import numpy as np
import pytest
from command_line import columns, command, environment, refused, told, typed

from dualdiff.__main__ import TRY, main
from dualdiff.expression import FUNCTIONS

POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and /dev are POSIX's")


def as_json(capsys, *words):
    """Run main with --json, and read what it printed as strictly as the standard says."""

    def refuse(word):
        raise AssertionError(word)

    return json.loads(told(capsys, "--json", *words), parse_constant=refuse)


def test_without_words_the_lecture_is_shown():
    """The first page has the lecture's numbers, checked against closed forms, and nothing else on any stream."""
    run = typed()
    t = 1.2
    sin, cos = math.sin(t), math.cos(t)

    assert (0, "") == (run.returncode, run.stderr)
    for number in (sin, cos, 2 * sin, 2.0, -sin, 2 * sin * cos, 2 * sin * cos - 2 * sin):
        assert f"{number:.6f}" in run.stdout
    assert f"x1 = sin t = {sin:.6f}   ∂f/∂x1 = 2·x1 = {2 * sin:.6f}   dx1/dt =  cos t = {cos:9.6f}" in run.stdout
    assert f"x2 = cos t = {cos:.6f}   ∂f/∂x2 = 2    = {2:.6f}   dx2/dt = -sin t = {-sin:9.6f}" in run.stdout
    assert f"closed form, 2·sin t·(cos t - 1)    {2 * sin * (cos - 1):.16f}" in run.stdout
    difference = float(re.search(r"difference +(\S+)", run.stdout)[1])
    assert abs(difference) < 1e-15


def test_lecture_shows_the_jacobian_of_a_surface(capsys):
    """The surface (s cos t, s sin t, s²) has its closed-form Jacobian, one pass for each of two inputs."""
    out = told(capsys)
    c, s = math.cos(0.5), math.sin(0.5)

    rows = re.findall(r"^  (s\S+(?: t)?) +(-?\d\S+) +(-?\d\S+)$", out, re.MULTILINE)
    assert ["s·cos t", "s·sin t", "s²"] == [label for label, *_ in rows]
    expected = np.array([[c, -2 * s], [s, 2 * c], [4, 0]])
    assert np.allclose(expected, [[float(x) for x in row] for _, *row in rows], rtol=0, atol=5e-7)
    assert "2 inputs, 2 passes" in out


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp949", "latin-1", "ascii"])
@pytest.mark.parametrize("words", [[], ["값*t", "t²", "값=2", "t=3"], ["--help"]], ids=["lecture", "values", "help"])
def test_every_terminal_can_read_it(encoding, words):
    """At most 80 columns, no blanks at line ends, and no sign the encoding cannot show."""
    run = subprocess.run(
        command(*words), env=environment(PYTHONIOENCODING=encoding), capture_output=True, timeout=60, check=True
    )
    lines = run.stdout.decode(encoding).splitlines()

    assert b"" == run.stderr
    assert max(map(columns, lines)) <= 80
    assert [] == [line for line in lines if line != line.rstrip()]


def test_ascii_lecture_keeps_its_columns():
    """Where · ∂ ² cannot be shown, the table's points still stand under each other."""
    out = typed(PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout
    rows = [line for line in out.splitlines() if re.match(r"  s\*", line)]

    assert 3 == len(rows)
    assert 1 == len({tuple(i for i, char in enumerate(row) if char == ".") for row in rows})
    assert "x1**2 + 2*x2" in out
    assert "df/dx1 = 2*x1" in out


def test_first_page_shows_the_trace(capsys):
    """The first page has the trace of the lecture's function, and is short enough for one look."""
    out = told(capsys)
    t = 1.2
    rows = [line for line in out.splitlines() if line.count("│") == 5]
    sin, cos = math.sin(t), math.cos(t)
    values = [t, sin, sin**2, cos, 2 * cos, sin**2 + 2 * cos]
    slope = 2 * sin * cos - 2 * sin

    assert 7 == len(rows)
    for row, value in zip(rows[1:], values, strict=True):
        assert f"{value:.4g}" in row
    assert f"t̄ = {slope:.4g}".replace("-", "−") in rows[1]
    assert f"v̇₅ = {slope:.4g}".replace("-", "−") in rows[-1]
    assert len(out.splitlines()) <= 46
    assert "\x1b" not in out


@pytest.mark.parametrize("line", TRY.splitlines())
def test_commands_to_try_work(line, tmp_path):
    """Each command the first page names runs as it stands there."""
    python, flag, package, *words = re.findall(r'"[^"]*"|\S+', line)
    run = typed(*(word.strip('"') for word in words), cwd=tmp_path)
    written = "wrote step.html\n" if "step.html" in words else ""

    assert ("python", "-m", "dualdiff") == (python, flag, package)
    assert (0, written) == (run.returncode, run.stderr)
    assert bool(written) == (tmp_path / "step.html").exists()
    assert line in typed("--help").stdout


def test_value_and_derivative(capsys):
    """One expression in one variable: its value and its derivative with all digits."""
    out = told(capsys, "sin(t)**2 + 2*cos(t)", "t=1.2")
    value, slope = (float(x) for x in re.findall(r"= (-?[\d.]+)$", out, re.MULTILINE))

    assert math.sin(1.2) ** 2 + 2 * math.cos(1.2) == value
    assert 2 * math.sin(1.2) * (math.cos(1.2) - 1) == pytest.approx(slope, rel=1e-15)
    assert out.startswith("f = sin(t)**2 + 2*cos(t)\nat t=1.2\n")
    assert "\n  df/dt = -1.188" in out


def test_jacobian_has_labels(capsys):
    """Several expressions: rows f1, f2, columns in the order of the values, one pass for each."""
    out = told(capsys, "s*cos(t)", "s*sin(t)", "t=0.5", "s=2")
    rows = [line.split() for line in out.splitlines() if re.match(r"  (f\d +-?\d|  +d/)", line)]

    assert [["d/dt", "d/ds"], ["f1", "-0.958851", "0.877583"], ["f2", "1.755165", "0.479426"]] == rows
    assert "f1 = s*cos(t)  =  1.7551651237807455" in out
    assert "passes of the formula: 2" in out


def test_gradient_is_one_row(capsys):
    """One expression of several variables: a labelled row, equal to the partials by hand."""
    row = told(capsys, "x*y**2", "x=3", "y=0.5").splitlines()[-3]

    assert ["f", "0.250000", "3.000000"] == row.split()


def test_wide_matrices_are_cut_into_blocks(capsys):
    """Sixteen columns take more than 80 and come in blocks, every column once and in order."""
    names = [f"v{i}" for i in range(16)]
    out = told(capsys, "*".join(names), *(f"{name}={i + 1}e3" for i, name in enumerate(names)))

    assert [f"d/d{name}" for name in names] == re.findall(r"d/d\w+", out)
    assert max(map(len, out.splitlines())) <= 80


def test_long_names_and_texts_are_cut(capsys):
    """Names and formulas of hundreds of letters keep the page at 80 columns."""
    name = "x" * 400

    assert max(map(len, told(capsys, f"{name} + {name}", f"{name}=1").splitlines())) <= 80
    assert max(map(len, told(capsys, f"{name} + y", "y", f"{name}=1", "y=2").splitlines())) <= 80


def test_variable_called_f(capsys):
    """The outputs take a letter no variable has."""
    assert "dg/df = 2" in told(capsys, "2*f", "f=3")
    assert "d/df" in told(capsys, "2*f", "g*f", "f=3", "g=1")


def test_orders_agree_with_mpmath(capsys):
    """--order 5 gives f and five derivatives, those mpmath finds with 60 digits."""
    found = as_json(capsys, "exp(-t)*sin(t)", "t=0.7", "--order", "5")["derivatives"]
    with mpmath.workdps(60):
        expected = mpmath.diffs(lambda t: mpmath.exp(-t) * mpmath.sin(t), mpmath.mpf(0.7), 5)

        assert [*map(float, expected)] == pytest.approx(found, rel=1e-13)
    assert "  d3f/dt3 = " in told(capsys, "exp(-t)*sin(t)", "t=0.7", "--order=3")


def test_json_is_strict_and_whole(capsys):
    """--json has inputs, outputs, values, Jacobian, passes and remarks; inf and nan are text."""
    expected = {
        "inputs": {"t": 1.0, "s": 0.0}, "outputs": ["1/s", "t", "log(s - 1)"], "values": ["inf", 1.0, "nan"],
        "jacobian": [[0.0, "-inf"], [1.0, 0.0], [0.0, "nan"]], "passes": 2,
        "remarks": ["`1/s` is inf here", "`log(s - 1)` is nan here"],
    }  # fmt: skip

    assert expected == as_json(capsys, "1/s, t", "log(s - 1)", "t=1", "s=0")


def test_options_without_words_use_the_lecture(capsys):
    """--json and --order alone take the lecture's example."""
    t = 1.2

    assert [[pytest.approx(2 * math.sin(t) * (math.cos(t) - 1))]] == as_json(capsys)["jacobian"]
    assert 3 == len(as_json(capsys, "--order", "2")["derivatives"])


def test_values_are_formulas_too(capsys):
    """t=pi/4, t=-0.5, t = 2 in quotes, and x₁=1 for x₁ are values."""
    assert {"t": math.pi / 4, "s": -0.5} == as_json(capsys, "s*t", "t=pi/4", "s=-0.5")["inputs"]
    assert {"t": math.sqrt(2.0)} == as_json(capsys, "t", " t = sqrt(2) ")["inputs"]
    assert {"x1": 1.0} == as_json(capsys, "x₁²", "x₁=1")["inputs"]


@pytest.mark.parametrize("words", [["-t**2", "t=3"], ["-(t*t)", "t=3"], ["t=3", "--", "-t*t"], ["-1.0*t**2", "t=3"]])
def test_expressions_may_begin_with_minus(capsys, words):
    """A leading minus makes no option, with -- or without."""
    assert [-9.0] == as_json(capsys, *words)["values"]


@pytest.mark.parametrize(
    ("words", "remark"),
    [(["log(t)", "t=-1"], "`log(t)` is nan here"), (["t + log(-1)", "t=1"], "`log(-1)` is nan here"),
     (["sqrt(t)", "t=0"], "a slope is not finite here"), (["t**t**t", "t=99"], "`t**t**t` is inf here"),
     (["exp(t)", "t=1000"], "`exp(t)` is inf here"),
     (["sqrt(t)", "t=0", "--order", "2"], "a slope is not finite here")],
)  # fmt: skip
def test_what_is_odd_is_remarked(capsys, words, remark):
    """Nan and inf are shown as they are, with a remark and without a warning of Python's."""
    assert told(capsys, *words).endswith(f"\n\nremark: {remark}\n")
    assert remark in as_json(capsys, *words)["remarks"]


@pytest.mark.parametrize("text", ["abs(t)", "floor(t)", "t % 2", "rint(t)", "trunc(t - 1.3)", "clip(t, 0, 2)"])
def test_what_is_smooth_is_not_remarked(capsys, text):
    """Beside its kinks and jumps a function gets no remark."""
    assert [] == as_json(capsys, text, "t=1.3")["remarks"]


# What was typed, the whole line it is answered with, and what comes of following it.
REFUSED = [
    (["t**2"], "`t` has no value: add t=1.0", ["t**2", "t=1.0"]),
    (["sinx", "x=1"], "`sinx` has no value: write sin(x), or add sinx=1.0", ["sin(x)", "x=1"]),
    (["t", "t=1", "s=2"], "no expression uses `s`, the variables are t: leave its value out", ["t", "t=1"]),
    (["t", "t=1", "t=2"], "`t` is given twice: leave `t=2` out", ["t", "t=1"]),
    (["t=1"], 'no expression uses `t=1`: add one, such as "sin(t)" t=1.2', ["sin(t)", "t=1.2"]),
    (["1+2"], '`1+2` has no variable to differentiate by: write one, such as "t**2" t=1.2', ["t**2", "t=1.2"]),
    (["t", "t", "=", "1"], "`=` is no value: write t=1.2 without blanks, and formulas without =", ["t", "t=1.2"]),
    (["t", "t="], "`t=` is no value: write t=1.2 without blanks, and formulas without =", ["t", "t=1.2"]),
    (["f(t)=t**2", "t=1"], "`f(t)=t**2` is no value: write t=1.2 without blanks, and formulas without =",
     ["t**2", "t=1.2"]),
    (["t", "t=a"], "`t=a` is no number: write one, such as t=pi/4", ["t", "t=pi/4"]),
    (["t", "t=1,5"], "`t=1,5` has a comma: write a decimal point, such as 1.5", ["t", "t=1.5"]),
    (["t", "t=log(0)"], "`t=log(0)` is -inf: give a finite number", ["t", "t=log(1)"]),
    (["t", "sin=2"], "`sin` has a meaning of its own: choose another name, such as sin_", ["sin_*t", "sin_=2", "t=1"]),
    (["t", "e=2"], "`e` has a meaning of its own: choose another name, such as e_", ["e_*t", "e_=2", "t=1"]),
    (["--jsn"], "`--jsn` is no option: write --json", ["--json"]),
    (["--t=1", "t"], "`--t=1` is no option: write t=1", ["t=1", "t"]),
    (["--t", "t=1"], "`--t` is no option: an expression like it goes after --", ["t=1", "--", "--t"]),
    (["s*t", "s=1", "t=2", "--order", "2"],
     "--order takes one expression in one variable, not 1 and 2: leave --order out", ["s*t", "s=1", "t=2"]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message", "followed"), REFUSED, ids=lambda x: ascii(x)[:24])
def test_refusal_says_the_way_out(capsys, words, message, followed):
    """Each refusal is one line that quotes the words, and following it gives a result."""
    assert message == refused(capsys, *words)
    assert told(capsys, *followed)


def test_words_have_a_limit(capsys):
    """A hundred expressions and values are enough for a command line, and 99 of them still work."""
    assert "there are 101 words, and the limit is 100" in refused(capsys, *["t"] * 101)
    assert 99 == len(as_json(capsys, *["t"] * 99, "t=1")["jacobian"])


@pytest.mark.parametrize("order", ["0", "11", "-1", "x", "1.5", "", "9" * 5000])
def test_order_is_from_1_to_10(capsys, order):
    """Any other order is refused with the list of those there are."""
    message = refused(capsys, "t", "t=1", "--order", order)

    assert "--order" in message
    assert message.endswith(": see python -m dualdiff --help")
    assert len(message) < 300
    assert 11 == len(as_json(capsys, "t", "t=1", "--order", "10")["derivatives"])


HOSTILE = [
    "9**9**9**9", "9**9**9*t", "(" * 5000, "-" * 5000, "-" * 999 + "t", "(" * 999, "(" * 400 + "t" + ")" * 400,
    "sin(" * 200 + "t" + ")" * 200, "**".join("t" * 200), "+".join("t" * 400), "1" * 999, "t" * 1001, "1e99999",
    "10**" * 100 + "10", "__import__('os').system('ls')", "__import__(t)", "().__class__.__bases__", "t.real",
    "t[0]", "[t for t in t]", "{t: t}", "lambda t: t", "t if t else t", "t and t", "not t", "t < t", "t == t",
    "t := 1", "f'{t}'", "'t'", '"t', "t; t", "t\\", "\\n", "sin", "sin t", "sin()", "sin(t, t)", "sin(*t)", "sin(**t)",
    "sin(x=t)", "foo(t)", "t(t)", "2t", "t 2", "t^2", "t!", "t½", "√t", "∫t", "½", "t\u200b", "\u202et", "😀", "", " ",
    "()", "(t", "t)", ",", "t,", "*", "t**", "1/0", "0**-1", "t + 1 % 0", "007", "1_", "0x10", "1j", "1.2.3", "...",
    "None", "True", "yield t", "await t", "@t", "$t", "t@t", "~t", "t&t", "t|t", "t<<t", "#", "`t`", "t?", "\x1b[31mt",
    "--", "--t", "--help=1", "--order", "t" * 100_000, "\ufdfa" * 900, "x²" * 400,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_hostile_input_gets_one_line_at_once(capsys, text):
    """Whatever is typed: one line on stderr that can be printed, nothing on stdout, exit code 2, within a second."""
    start = time.perf_counter()
    message = refused(capsys, text, "t=1.2")

    assert time.perf_counter() - start < 1
    assert 10 < len(message) < 300
    assert message.isprintable()


@pytest.mark.parametrize("text", HOSTILE[::9], ids=lambda text: ascii(text)[:24])
def test_hostile_input_ends_a_process_at_once(text):
    """The same in a process of its own, start and all."""
    walls = []
    for _ in range(3):  # the machine may be busy; what hangs, hangs three times
        start = time.perf_counter()
        run = typed(text, "t=1.2")
        walls.append(time.perf_counter() - start)

        assert (2, "", 1) == (run.returncode, run.stdout, run.stderr.count("\n"))
    assert min(walls) < 1


@pytest.mark.parametrize("text", ["t\0", "\0", "t=1\0", "t=\ud800", "\ud800=1", "-\0", "--\0"], ids=ascii)
def test_what_no_shell_can_pass_is_one_line_too(capsys, text):
    """Null characters and broken Unicode given to main are refused like anything else."""
    assert refused(capsys, text, "t=1").isprintable()


@POSIX
def test_bytes_that_are_no_text_are_refused():
    """Arguments that are not UTF-8 are quoted with their bytes escaped."""
    run = subprocess.run(
        [*map(os.fsencode, command()), b"t\xff", b"t=1"], env=environment(), capture_output=True, check=False
    )

    assert (2, b"") == (run.returncode, run.stdout)
    assert b"dualdiff: `\\udcff` in `t\\udcff`: delete this invisible character\n" == run.stderr


def test_help_names_every_function(capsys, monkeypatch, tmp_path):
    """--help, alone or among other words, lists the functions, the constants, the options and examples."""
    monkeypatch.chdir(tmp_path)
    out = told(capsys, "--help")

    assert set(FUNCTIONS) <= set(re.findall(r"\w+", out))
    assert {"--order", "--json", "--version", "pi", "tau"} <= set(re.findall(r"[-\w]+", out))
    assert out == told(capsys, "t", "-h")
    for line in re.findall(r"^  python -m dualdiff (.*)$", out, re.MULTILINE):
        assert 0 == main([word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)])


def test_version(capsys):
    """--version says the installed version, or that there is none."""
    assert re.fullmatch(r"dualdiff( \d\S+|, run from its source: .*)\n", told(capsys, "--version"))


@POSIX
@pytest.mark.parametrize("words", [[], ["t", "t=1"], ["--help"], ["--json"]], ids=str)
def test_reader_that_leaves_gets_no_traceback(words):
    """A reader such as head that leaves early gets the end in silence."""
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        command(*words), env=environment(), stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writer)

    assert (0, b"") == (run.returncode, run.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_told():
    """What could not be written is one line on stderr, and exit code 2."""
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(command(), env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (2, 1) == (run.returncode, run.stderr.count("\n"))
    assert run.stderr.startswith("dualdiff: the result could not be written: ")


def test_words_of_the_process_are_the_default(monkeypatch, capsys):
    """The dualdiff script calls main() without arguments."""
    monkeypatch.setattr(sys, "argv", ["dualdiff", "t**2", "t=3"])

    assert 0 == main()
    assert "df/dt = 6" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdout", None)  # as under pythonw, where there is nothing to print on
    assert 0 == main()
