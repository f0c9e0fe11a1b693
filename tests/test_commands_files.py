"""A function of a file in place of an expression: how it is found, called, traced, and blamed."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import told, typed

from dualdiff.__main__ import main
from dualdiff.commands.files import named_file

WAVE = """\
import math
from collections import namedtuple

import numpy as np
from helper import twice

Pair = namedtuple("Pair", "up down")
print("this file talks")


def f(x, a=2.0):
    if x[0] > 0:
        return a * np.sum(x**2)
    return twice(x[1])


def df(x):
    return 4 * x


def surface(s, t):
    return np.stack([s * np.cos(t), s * np.sin(t)])


def square(t):
    return twice(t) * t


def power(x, n):
    y = x
    for _ in range(n):
        y = y * x
    return y


def counted(x, n: int, /, *, scale=1):
    return power(x, n) * scale


def several(*x):
    return sum(x)


def anything(x, **more):
    return x * more["y"]


def nested(x):
    return {"a": x * x, "b": (x, 2 * x)}


def dropped(x):
    return math.sin(x)


def raising(x):
    y = x + 1
    return y / [0.0][1]


def outer(x):
    return np.outer(x, x)


def pair(x, y=2.0, /):
    return Pair(x * y, -x)


def nothing(x):
    x + 1


constant = 3.0
"""

LINES = ["", *WAVE.splitlines()]
SUMMING = LINES.index("        return a * np.sum(x**2)")
RAISING, DROPPING = LINES.index("    return y / [0.0][1]"), LINES.index("    return math.sin(x)")


@pytest.fixture
def wave(tmp_path, monkeypatch):
    """Write the file and its helper, and go there."""
    (tmp_path / "wave.py").write_text(WAVE)
    (tmp_path / "helper.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "helper", raising=False)
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    return tmp_path / "wave.py"


def shown(capsys, *words, code=0):
    """Run main, and return what it printed; what the file printed is on stderr."""
    assert code == main(words)
    out, err = capsys.readouterr()
    assert err in {"", "this file talks\n"}
    return out


def refused(capsys, *words):
    """Run main, and return the one line that is dualdiff's."""
    assert 2 == main(words)
    out, err = capsys.readouterr()
    assert "" == out
    assert err.removeprefix("this file talks\n").startswith("dualdiff: ")
    assert 1 == err.removeprefix("this file talks\n").count("\n")
    return err.removeprefix("this file talks\n").removeprefix("dualdiff: ").rstrip("\n")


def jacobian(capsys, *words):
    """Return what jacobian says as JSON."""
    return json.loads(shown(capsys, "jacobian", *words, "--json"))


@pytest.mark.usefixtures("wave")
def test_gradient_of_an_array(capsys):
    """A list is an array, the default stays a default, and the columns are the entries."""
    found = jacobian(capsys, "wave.py:f", "x=1,2,3")

    assert [[4.0, 8.0, 12.0]] == found["jacobian"]
    assert ["x[0]", "x[1]", "x[2]"] == found["columns"]
    assert {"x": [1.0, 2.0, 3.0]} == found["inputs"]
    assert [[6.0, 12.0, 18.0, 14.0]] == jacobian(capsys, "wave.py:f", "x=[1, 2, 3]", "a=3")["jacobian"]
    assert [[6.0, 12.0, 18.0]] == jacobian(capsys, "wave.py:f", "x=[1, 2, 3]", "a=3", "--wrt", "x")["jacobian"]


@pytest.mark.usefixtures("wave")
def test_several_numbers(capsys):
    """A surface in a file has the Jacobian of the same surface typed."""
    typed_here = json.loads(told(capsys, "s*cos(t)", "s*sin(t)", "s=2", "t=pi/6", "--json"))["jacobian"]

    assert np.allclose(typed_here, jacobian(capsys, "wave.py:surface", "s=2", "t=pi/6")["jacobian"], rtol=1e-15)


@pytest.mark.usefixtures("wave")
def test_containers_have_labels(capsys):
    """Results in a dict and a tuple are rows under their keys."""
    found = jacobian(capsys, "wave.py:nested", "x=3")

    assert ["nested['a']", "nested['b'][0]", "nested['b'][1]"] == found["outputs"]
    assert [[6.0], [1.0], [2.0]] == found["jacobian"]


@pytest.mark.usefixtures("wave")
def test_named_tuples_and_positional_parameters(capsys):
    """Parameters that Python takes by position only are given by name here, and fields name the rows."""
    found = jacobian(capsys, "wave.py:pair", "x=3")

    assert (["pair.up", "pair.down"], [[2.0], [-1.0]]) == (found["outputs"], found["jacobian"])
    assert [[2.0, 3.0], [-1.0, 0.0]] == jacobian(capsys, "wave.py:pair", "x=3", "y=2")["jacobian"]
    assert "has no value for `x`: add x=1.0" in refused(capsys, "wave.py:pair", "y=2")


@pytest.mark.usefixtures("wave")
def test_large_matrices_are_cut_in_the_text(capsys):
    """Of many rows and columns the text has the first 40 and says so; JSON has all."""
    found = jacobian(capsys, "wave.py:outer", "x=[1]*7")
    out = shown(capsys, "wave.py:outer", "x=[1]*7")

    assert (49, 7) == np.shape(found["jacobian"])
    assert "at x=[1, 1, 1, ..., 1, 1]\n" in out
    assert "outer[5, 4]" in out
    assert "outer[5, 5]" not in out
    assert "at most 40 rows and columns of 49 and 7: --format json has all" in out
    assert "of shape (2, 3)" in shown(capsys, "wave.py:outer", "x=[[1,2,3],[4,5,6]]")


@pytest.mark.usefixtures("wave")
def test_interruption_is_quiet(capsys, monkeypatch):
    """Ctrl+C ends with the exit code of an interrupted process and without a traceback."""

    def interrupted(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr("dualdiff.commands.tracing.run", interrupted)

    assert 130 == main(["trace", "t", "t=1"])
    assert ("", "") == capsys.readouterr()


@pytest.mark.usefixtures("wave")
def test_without_a_command(capsys):
    """A file's function goes without the word jacobian, and with --order."""
    out = shown(capsys, "wave.py:square", "t=3")

    assert "dsquare/dt = 12" in out
    assert [18.0, 12.0, 4.0] == json.loads(shown(capsys, "wave.py:square", "t=3", "--order", "2", "--json"))[
        "derivatives"
    ]


@pytest.mark.usefixtures("wave")
def test_trace_shows_the_files_own_text(capsys):
    """Rows have the text and the line of the file, and say which branch was taken."""
    rows = json.loads(shown(capsys, "trace", "wave.py:f", "x=1,2,3", "--json"))["rows"]
    texts = {row["source"]: row["line"] for row in rows}

    assert SUMMING == texts["np.sum(x**2)"]
    assert any("if x[0] > 0: taken" in (row["note"] or "") for row in rows)


@pytest.mark.usefixtures("wave")
def test_file_prints_on_stderr(capsys):
    """What a file prints is talk, so that stdout can be piped."""
    assert 0 == main(["jacobian", "wave.py:square", "t=3", "--json"])
    out, err = capsys.readouterr()

    assert "this file talks\n" == err
    assert json.loads(out)


@pytest.mark.usefixtures("wave")
def test_check_takes_functions_of_files(capsys):
    """Expression and claim may come from a file, both or one of them."""
    assert shown(capsys, "check", "wave.py:f", "wave.py:df", "x=1,2,3").startswith("✓")
    assert shown(capsys, "check", "wave.py:square", "4*t").startswith("✓")
    assert shown(capsys, "check", "wave.py:square", "2*t", code=1).startswith("✗")
    assert shown(capsys, "check", "wave.py:surface", "cos(t), -s*sin(t)", "sin(t), s*cos(t)").startswith("✓")
    assert shown(capsys, "check", "wave.py:power", "3*x**2", "x=2", "n=2", "--wrt", "x").startswith("✓")


@pytest.mark.usefixtures("wave")
def test_chain_and_compare_take_functions_of_files(capsys):
    """A link of a chain may come from a file, and compare may take a long list."""
    found = json.loads(shown(capsys, "chain", "x1**2 + 2*x2", "wave.py:surface", "s=2", "t=0", "--json"))

    assert [[4.0, 4.0]] == found["product"]
    assert 12 == json.loads(shown(capsys, "compare", "wave.py:f", "x=[0.5]*12", "--json"))["forward"]["passes"]
    assert '"inputs": 1' in shown(capsys, "compare", "wave.py:power", "x=2", "n=3", "--wrt", "x", "--json")


@pytest.mark.usefixtures("wave")
def test_whole_numbers_may_be_counts(capsys):
    """A count stays whole where it does not move: by --wrt, or where its parameter says int."""
    assert [[32.0]] == jacobian(capsys, "wave.py:power", "x=2", "n=3", "--wrt", "x")["jacobian"]
    assert [[32.0, 16.0]] == jacobian(capsys, "wave.py:counted", "x=2", "n=3", "scale=1")["jacobian"]
    assert [[3.0, 2.0]] == jacobian(capsys, "wave.py:anything", "x=2", "y=3")["jacobian"]
    assert refused(capsys, "wave.py:power", "x=2", "n=3").endswith("(if x or n is a count that does not move: --wrt x)")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("wave.py:f", ("wave.py", "f")),
        ("a/b.c/wave.py:f", ("a/b.c/wave.py", "f")),
        ("C:\\lecture\\wave.py:f", ("C:\\lecture\\wave.py", "f")),
        ("C:/lecture/wave.py:f", ("C:/lecture/wave.py", "f")),
        ("wave.py", ("wave.py", "")),
        ("WAVE.PY:f", ("WAVE.PY", "f")),
        ("wave.pyx:f", None),
        ("x=wave.py:f", None),
        (".py:f", None),
        ("sin(x)", None),
        ("a.py*2", None),
    ],
)
def test_words_that_name_a_file(word, expected):
    """A drive's letter is part of the path, and formulas are none."""
    assert (None if expected is None else (Path(expected[0]), expected[1])) == named_file(word)


def test_path_may_be_any(capsys, wave, monkeypatch, tmp_path_factory):
    """The file is found by its path from elsewhere, with its helpers beside it."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert [[12.0]] == jacobian(capsys, f"{wave}:square", "t=3")["jacobian"]
    assert str(wave.parent) not in sys.path


def test_nothing_is_left_beside_the_file(capsys, wave):
    """No compiled copy of the file or its helpers appears in the reader's folder."""
    jacobian(capsys, "wave.py:square", "t=3")

    assert {"wave.py", "helper.py"} == {path.name for path in wave.parent.iterdir()}


@pytest.mark.parametrize("name", ["json", "numpy", "dualdiff", "functools", "string"])
def test_name_of_another_module(tmp_path, name):
    """A file called as a module of Python or NumPy takes nobody's place."""
    (tmp_path / f"{name}_.py").write_text("def f(t):\n    return t**2\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / f"{name}.py").write_text("def f(t):\n    y = t**2\n    return y\n")
    run = typed("trace", str(tmp_path / "sub" / f"{name}.py") + ":f", "t=3", "--json")

    assert (0, "") == (run.returncode, run.stderr)
    assert ["t", "t**2"] == [row["source"] for row in json.loads(run.stdout)["rows"]]


@pytest.mark.usefixtures("wave")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wave.py:surface", "s=2"], "`surface(s, t)` of wave.py has no value for `t`: add t=1.0"),
        (["wave.py:surface", "s=2", "t=1", "u=3"],
         "`surface` of wave.py has no parameter `u`, its parameters are s, t: leave its value out"),
        (["wave.py:surfac", "s=2"], ("wave.py has no function `surfac`, it has f, df, surface, square, power, counted, "
         "several, anything, nested, dropped: write wave.py:surface")),
        (["wave.py", "t=2"],
         ("`wave.py` is a file, and it has f, df, surface, square, power, counted, several, anything, "
         "nested, dropped: write wave.py:f")),
        (["wave.py:constant", "t=2"],
         ("`constant` in wave.py is no function, and it has f, df, surface, square, power, "
         "counted, several, anything, nested, dropped: write wave.py:f")),
        (["wav.py:f", "t=2"], "there is no file `wav.py`: write wave.py"),
        (["none/other.py:f", "t=2"], "there is no file `none/other.py`: write its path from the folder you are in"),
        (["wave.py:twice", "t=1", "u=2"],
         "`twice(x)` of wave.py has no value for `x`: add x=1.0"),
        (["wave.py:outer", "x=1,2", "--order", "2"],
         "--order takes a function of one number that returns one number: leave --order out"),
        (["wave.py:pair", "x=1", "--order", "2"],
         "--order takes a function of one number that returns one number: leave --order out"),
        (["wave.py:f", "x=[1,2]]"], "`x=[1,2]]` is no list: close what opens, as in [1,2,3]"),
        (["wave.py:f", "x=1,[2"], "`x=1,[2` is no list: close what opens, as in [1,2,3]"),
        (["wave.py:f", "if=1"], "`if` has a meaning of its own: choose another name, such as if_"),
        (["wave.py:several", "x=1"],
         ("`several` of wave.py takes *x, to which no name leads: call it in a function whose "
         "parameters have names")),
        (["wave.py:square", "t**2", "t=1"],
         "python -m dualdiff takes one function of a file or formulas, not both: leave `t**2` out"),
        (["wave.py:f", "x=[[1,2],[3]]"],
         "`x=[[1,2],[3]]` has lists of different lengths: write as many numbers in each, as in [[1,2],[3,4]]"),
        (["wave.py:f", "x=[]"], "`x=[]` is empty: write a number at least, as in x=[1.5]"),
        (["wave.py:f", "x=[1,2"], "`x=[1,2` is no list: close what opens, as in [1,2,3]"),
        (["wave.py:f", "x=1,a"], "`a` in `x=1,a` is no number: write one, such as 1.5 or pi/4"),
        (["wave.py:f", "x=1,inf"], "`x=1,inf` is inf: give a finite number"),
        (["wave.py:f", "x=[0]*999999999"],
         "`x=[0]*999999999` has more than 1000000 entries: make it in the file, where Python has room"),
        (["wave.py:f", "x=" + "[" * 50 + "1" + "]" * 50],
         "`x=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...` is nested too deep: 8 lists in lists are the limit"),
        (["check", "wave.py:surface", "wave.py:df"], "`df` of wave.py takes x, and not s, t: write the claim in those"),
        (["wave.py:square", "t=1", "--order", "2", "--wrt", "u"], "--wrt `u`: the variables are t: write one of them"),
        (["wave.py:raising", "x=1"], f"wave.py, line {RAISING}, in raising: IndexError: list index out of range"),
        (["wave.py:nothing", "x=1"], "f returned None"),
        (["wave.py:dropped", "x=1"],
         f"wave.py, line {DROPPING}, in dropped: DroppedTangentError: float(x) would drop the tangent"),
    ],
    ids=lambda x: ascii(x)[:40],
)  # fmt: skip
def test_refusals(capsys, words, message):
    """Each refusal is one line that names the file and the way out."""
    assert refused(capsys, *words).startswith(message) or message in refused(capsys, *words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(t):\n    return (t\n", "odd.py, line 2: SyntaxError: '(' was never closed"),
        ("import nowhere_at_all\n", "odd.py, line 1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1\ny = x / 0\n", "odd.py, line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "odd.py ends Python with exit code 3: put it under if __name__ == '__main__':"),
        ("raise ValueError\n", "odd.py, line 1: ValueError"),
        ("x = 3\n", "odd.py has no function `f`, it has none: write odd.py:f"),
        ("\0", "odd.py"),
    ],
)
def test_files_that_do_not_run(capsys, tmp_path, monkeypatch, text, message):
    """An error in the file's own code is one line, with its place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.py").write_text(text)

    assert refused(capsys, "jacobian", "odd.py:f", "t=1").startswith(message)


def test_traceback_on_demand(wave):
    """--traceback and DUALDIFF_TRACEBACK=1 show all of it before the one line."""
    for words, settings in (["--traceback"], {}), ([], {"DUALDIFF_TRACEBACK": "1"}):
        run = typed("jacobian", f"{wave}:raising", "x=1", *words, **settings)
        assert 2 == run.returncode
        assert "Traceback (most recent call last)" in run.stderr
        assert "return y / [0.0][1]" in run.stderr
        begin, *frames = [line for line in run.stderr.splitlines() if line.startswith(("Traceback", "  File "))]
        assert begin.startswith("Traceback")
        assert f'File "{wave}", line {RAISING}, in raising' in frames[0]
        assert run.stderr.splitlines()[-1].startswith(f"dualdiff: wave.py, line {RAISING}")
    assert "Traceback" not in typed("jacobian", f"{wave}:raising", "x=1").stderr


def test_main_of_the_file_does_not_run(tmp_path):
    """What stands under if __name__ == '__main__' is not run, and sys.argv is the file's."""
    code = "import sys\nwords = sys.argv\n\ndef f(t):\n    return t * len(words)\n"
    (tmp_path / "script.py").write_text(f"{code}\nif __name__ == '__main__':\n    1 / 0\n")
    run = typed("script.py:f", "t=2", cwd=tmp_path)

    assert (0, "") == (run.returncode, run.stderr)
    assert "df/dt = 1" in run.stdout
