"""Whatever is typed: an answer or one line, an exit code of three, and never a traceback."""

import re

from hypothesis import HealthCheck, given, settings, strategies as st

from dualdiff.__main__ import COMMANDS, main

EXPRESSIONS = ["t", "s*t", "-t**2", "sin(t)", "1/s", "s, t", "log(t)", "x1 + x2", "t^2", "(", "", "2t", "3", "abs(t)"]
VALUES = [
    "t=1",
    "s=0",
    "t=pi/4",
    "x1=2",
    "x2=5",
    "t=",
    "=1",
    "t=a",
    "t=1,2",
    "t=[1,2]",
    "s=-1",
    "t=nan",
    "e=1",
    "x1=s*t",
]
OPTIONS = [
    "--format", "json", "latex", "html", "--symbols", "--ascii", "--width", "40", "--wrt", "t", "s,t", "--result", "2",
    "--order", "--json", "--", "-h", "--help", "--version", "--latex", "--formt", "-o", "-", "--traceback=1",
]  # fmt: skip
FILES = ["none.py:f", "none.py", "a/b.py:", ".py:f", "x=none.py:f", "none.py:f:g", "none.py:1"]
LIKELY = st.sampled_from([*COMMANDS, *EXPRESSIONS, *VALUES, *OPTIONS, *FILES])
ANY = st.text(st.characters(exclude_categories=()), max_size=12)
WORDS = st.lists(st.one_of(LIKELY, LIKELY, LIKELY, ANY), max_size=7)


def answered(capsys, words):
    """Run main and see that what came of it has the form it should."""
    code = main(words)
    out, err = capsys.readouterr()
    assert code in {0, 1, 2}
    assert "Traceback" not in out + err
    if code == 2:
        assert "" == out
        assert err.startswith("dualdiff: ")
        assert 1 == err.count("\n")
        assert err.rstrip("\n").isprintable()
        assert len(err) < 1000
        assert not re.match(r"dualdiff: (Attribute|Key|Index|Name|Type|Value|Assertion|Recursion|Runtime)Error", err)
    else:
        assert "" == err
        assert out


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_any_words(capsys, tmp_path_factory, monkeypatch, words):
    """Any list of words that resemble the ones meant, mixed with any text."""
    monkeypatch.chdir(tmp_path_factory.getbasetemp())
    pieces = [word for word, before in zip(words, ["", *words], strict=False) if before != "-o" or word == "-"]
    answered(capsys, pieces if pieces[-1:] != ["-o"] else pieces[:-1])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=st.sampled_from(["trace", "check", "chain", "jacobian"]),
    expressions=st.lists(st.sampled_from(EXPRESSIONS[:9]), min_size=1, max_size=3),
    values=st.lists(st.sampled_from(VALUES[:5]), unique=True, max_size=4),
    options=st.lists(st.sampled_from(["--symbols", "--latex", "--json", "--wrt=t", "--width=60"]), max_size=2),
)
def test_sensible_words(capsys, command, expressions, values, options):
    """Commands with expressions and values that mostly fit."""
    answered(capsys, [command, *expressions, *values, *options])
