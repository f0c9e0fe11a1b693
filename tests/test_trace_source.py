"""Where the rows of a trace say they come from: the user's own text, its line, and the branch that was taken."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from trace_tables import by_name, sources, told

import dualdiff as dd
from dualdiff.expression import parse

X = np.array([1.0, 2.0])


def notes(f, *args):
    """Return the notes of a table, in order."""
    return [row["note"] for row in told(f, *args)["rows"] if row["note"]]


def run(tmp_path, text, *options, helper=""):
    """Run a script that prints the table of f at x; return its rows."""
    (tmp_path / "helper.py").write_text(textwrap.dedent(helper), encoding="utf-8")
    script = tmp_path / "script.py"
    script.write_text("import json\nimport numpy as np\nimport dualdiff as dd\nimport helper\n" + textwrap.dedent(text)
                      + "\nprint(json.dumps(dd.trace(f)(x).to_dict()))\n", encoding="utf-8")  # fmt: skip
    done = subprocess.run(
        [sys.executable, *options, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    return json.loads(done.stdout)["rows"]


def steps(rows):
    """Return source and line of every step."""
    return [(row["source"], row["line"]) for row in rows if row["role"] != "input"]


# --- text -------------------------------------------------------------------------------------------------------


def test_script(tmp_path):
    """Spacing is the user's; every line counts from the file's first; comments and other modules are no trouble."""
    text = """
    x = 2.0
    def f(x):
        y = np.sin( x )*2   # twice
        z = (y
             + x **   # 세제곱
               3)
        return helper.softplus(z) - y
    """
    helper = """
    import numpy as np
    def softplus(u):
        return np.log(1 + np.exp(u))
    """
    assert [
        ("np.sin( x )", 8), ("np.sin( x )*2", 8), ("x ** 3", 10), ("y + x ** 3", 9),
        ("np.exp(u)", 4), ("1 + np.exp(u)", 4), ("np.log(1 + np.exp(u))", 4), ("helper.softplus(z) - y", 12),
    ] == steps(run(tmp_path, text, helper=helper))  # fmt: skip


def test_columns_are_bytes(tmp_path):
    """Letters of several bytes before the expression, in names, strings and comments."""
    text = """
    x = 2.0
    def f(값):
        '''가나다'''; 결과 = 값*2; "한글"; s = "가나다" and 결과 + np.sin(값); return s  # 주석 값*3
    """
    rows = run(tmp_path, text)

    assert [("값*2", 8), ("np.sin(값)", 8), ("결과 + np.sin(값)", 8)] == steps(rows)
    assert ("값", "2·값") == (rows[0]["source"], rows[1]["formula"])


def test_without_positions(tmp_path):
    """Where Python keeps no columns the line is named."""
    rows = run(tmp_path, "x = 2.0\ndef f(x):\n    return np.sin(x)*2 if x > 0 else x", "-X", "no_debug_ranges")

    assert [("line 7", 7), ("line 7", 7)] == steps(rows)
    assert "true" in rows[1]["note"]


def test_without_a_file():
    """What was compiled from a string has lines, but no text."""
    space = {"np": np}
    exec("def f(x):\n    y = np.sin(x)\n    return y*2", space)  # noqa: S102

    assert ["line 2", "line 3"] == sources(told(space["f"], 1.0))


def test_from_standard_input():
    """A program without a file runs too."""
    text = "import dualdiff as dd\nprint(dd.trace(lambda x: x*x)(3.0).to_dict()['rows'][1]['source'])"
    done = subprocess.run([sys.executable, "-"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("line 2", "x*x")


def test_lambdas_on_one_line():
    """Each has its own columns."""
    f, g = lambda x: x * 2, lambda x: x * 3

    assert (["x * 2"], ["x * 3"]) == (sources(told(f, 1.0)), sources(told(g, 1.0)))


def test_statements_on_one_line():
    """A write says which it is."""

    def f(x):
        # fmt: off
        y = x*1.0; y[0] = x[1]*2; y[1] = x[0]; return y  # noqa: E702
        # fmt: on

    assert ["x*1.0", "x[1]", "x[1]*2", "y[0] = x[1]*2", "x[0]", "y[1] = x[0]"] == sources(told(f, X))


def test_statements():
    """Assignments in place, walrus, unpacking and subscripts."""

    def f(x):
        a, b = x
        a += 1
        if (c := a * b) > 1:
            a *= c
        y = np.zeros_like(x)
        y[0] = a
        y[1:] -= b
        return y @ x

    found = sources(told(f, X))
    for text in ("a += 1", "a * b", "a *= c", "y[0] = a", "y[1:] -= b", "y @ x", "np.zeros_like(x)"):
        assert text in found
    assert set(found[:2]) <= {"a, b", "a, b = x", "x"}


def test_writes_through_views():
    """Every row has a text of the user's and a line, also where memory is shared."""

    def f(x):
        y = x * 1.0
        z = y[1:]
        z *= x[0]
        np.add.at(y, [0, 0], x[1])
        z.fill(x[0])
        np.multiply(y, 2, out=y)
        np.cumsum(x, out=y)
        return z + y[0]

    for row in told(f, X)["rows"][1:]:
        assert "view(" not in row["source"]
        assert "derivative(" not in row["source"]
        assert row["line"] is not None


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: x.sum() * x.T[0], X, ["x.sum()", "x.T", "x.T[0]", "x.sum() * x.T[0]"]),
        (lambda x: (f"{x}", np.exp(x) if f"{x * 2}" else x)[1], 1.0, ["np.exp(x)"]),
        (
            lambda x: dd.sin(x) * dd.maximum(x, 2),
            1.0,
            ["dd.sin(x)", "dd.maximum(x, 2)", "dd.sin(x) * dd.maximum(x, 2)"],
        ),
        (lambda x: x * {"a)b": 2.0}["a)b"], 1.0, ['x * {"a)b": 2.0}["a)b"]']),
        (lambda x: abs(x) ** 2 - -x, 1.0, ["abs(x)", "abs(x) ** 2", "-x", "abs(x) ** 2 - -x"]),
        (lambda x: x @ x, X, ["x @ x"]),
        (lambda x: np.linalg.norm(x), X, ["np.linalg.norm(x)"]),
        (lambda x: np.add.reduce(x), X, ["np.add.reduce(x)"]),
        (lambda x: [v * 2 for v in x][1], X, ["v * 2"]),
        (lambda x: sum(v * v for v in x), X, ["v * v", "sum(v * v for v in x)"]),
        (lambda x: dd.derivative(lambda s: s * x)(x) * 2, 1.0, ["dd.derivative(lambda s: s * x)(x)"]),
        (lambda x: np.floor(x) + x, 1.5, ["np.floor(x) + x"]),
    ],
)
def test_expressions(f, x, expected):
    """The text of each expression stands beside its row, as it is written."""
    found = sources(told(f, x))

    assert expected == list(dict.fromkeys(text for text in found if text in expected))


def test_methods():
    """Methods of all kinds, decorators and objects that are called."""

    class Model:
        k = 3.0

        def method(self, x):
            return self.k * x

        @classmethod
        def made(cls, x):
            return cls.k / x

        @staticmethod
        def static(x):
            return x**4

        def __call__(self, x):
            return x - 5

        def __matmul__(self, x):
            return x * 6

    m = Model()
    cases = [
        (m.method, "self.k * x"),
        (m.made, "cls.k / x"),
        (m.static, "x**4"),
        (m, "x - 5"),
        (lambda x: m @ x, "x * 6"),
    ]
    for f, text in cases:
        assert [text] == sources(told(f, 2.0))


def test_text_of_a_formula():
    """A formula read by `parse` has its own text for source."""
    table = dd.trace(parse("sin(t)**2 + 2*cos(t)"), "t")(t=1.2).to_dict()

    assert ["t", "sin(t)", "sin(t)**2", "cos(t)", "2*cos(t)", "sin(t)**2 + 2*cos(t)"] == [
        r["source"] for r in table["rows"]
    ]


def test_loops_name_what_they_go_over():
    """An element taken by a loop is not the loop's whole body."""

    def f(x):
        s = 0.0
        for v in x:
            s = s + v * v
        return s

    assert not [text for text in sources(told(f, X)) if "s = s" in text]


# --- branches ---------------------------------------------------------------------------------------------------


def chained(x):
    """Compare on both sides."""
    if 0 < x < 5:
        return x * 2
    return x * 3


def several(x):
    """Go one of three ways."""
    if x < 0:
        return x * 2
    elif x > 3:  # noqa: RET505
        return x * 3
    else:
        return x * 4


def both(x):
    """Ask two things at once."""
    return x * 2 if x > 0 and x < 3 else x * 3


def either(x):
    """Ask for one of two."""
    if x > 5 or x < 0:
        return x * 2
    return x * 3


def negated(x):
    """Ask for the contrary."""
    if not x > 0:
        return x * 2
    return x * 3


def true(x):
    """Ask whether it is 0."""
    if x:
        return x * 2
    return x * 3


def looping(x):
    """Halve."""
    while x > 1 and x < 100:
        x = x / 2
    return x * 3


def test_if():
    """The test in words, on the row that follows."""
    assert ["if x < 0: taken"] == notes(several, -1.0)
    assert 2 == len(notes(several, 4.0)[0].split("; "))
    assert notes(several, 4.0)[0].startswith("if x < 0: not taken; ")
    assert notes(several, 4.0)[0].endswith("if x > 3: taken")
    assert notes(several, 1.0)[0].endswith("if x > 3: not taken")


@pytest.mark.parametrize(
    ("f", "test", "taken", "not_taken"),
    [
        (chained, "if 0 < x < 5", 3.0, 7.0),
        (chained, "if 0 < x < 5", 3.0, -7.0),
        (both, "if x > 0 and x < 3", 1.0, 5.0),
        (either, "if x > 5 or x < 0", -1.0, 2.0),
        (either, "if x > 5 or x < 0", 7.0, 2.0),
        (negated, "if not x > 0", -1.0, 1.0),
        (true, "if x", 1.0, 0.0),
        (lambda x: x * 2 if x > 0 else -x, "if x > 0", 1.0, -1.0),
        (lambda x: x * 2 if x == 1 else -x, "if x == 1", 1.0, -1.0),
    ],
)
def test_the_whole_test_is_told_once(f, test, taken, not_taken):
    """However many comparisons a test has, the table says whether the branch was taken, and not both."""
    (yes,), (no,) = notes(f, taken), notes(f, not_taken)

    assert (1, 0) == (yes.count(f"{test}: taken"), yes.count(": not taken"))
    assert (0, 1) == (no.count(f"{test}: taken"), no.count(f"{test}: not taken"))


def test_loop():
    """Each turn says that it was taken, and the row after the loop that it ended."""
    assert ["while x > 1 and x < 100: taken"] * 2 == notes(looping, 3.0)[:2]
    assert notes(looping, 3.0)[2].endswith("while x > 1 and x < 100: not taken")


def test_other_decisions():
    """What is compared elsewhere is told with its numbers."""

    def kept(x):
        big = x > 1
        return x * 2 if big else x

    assert ["x > 1: 3 > 1 is true"] == notes(kept, 3.0)
    assert ["max(x, y): 4 > 3 is true"] == notes(lambda x, y: max(x, y) * 2, 3.0, 4.0)
    assert [] == notes(lambda x: x * 2, 3.0)
    assert [] == notes(lambda x: np.where(x > 1, x, -x), X)


def test_branches_of_a_loop():
    """Each row has the note of its own turn."""

    def f(x):
        for _ in range(3):
            x = x - 1 if x > 1 else x * 2
        return x

    rows = by_name(told(f, 2.5))
    assert ["if x > 1: taken", "if x > 1: taken", "if x > 1: not taken"] == [rows[f"v{i}"]["note"] for i in (1, 2, 3)]


def test_branch_without_a_step():
    """The branch is told where the result is an input or a constant."""
    assert ["if x > 0: not taken"] == notes(lambda x: x * 2 if x > 0 else 1.0, -1.0)
    assert ["if x > 0: not taken"] == notes(lambda x: x * 2 if x > 0 else x, -1.0)
