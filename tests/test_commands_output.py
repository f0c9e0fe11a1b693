"""Where an answer goes, in which encoding, how wide it is, and the exit code where it could not be written."""

import html
import json
import os
import re
import subprocess

import pytest
from command_line import columns, command, environment, refused, told, typed
from test_commands import SURVEY

from dualdiff.__main__ import main


def piped(*words, **settings):
    """Return what a process writes to a pipe, as bytes, and its stderr as text."""
    run = subprocess.run(command(*words), env=environment(**settings), capture_output=True, timeout=60, check=False)
    return run.returncode, run.stdout, run.stderr.decode("ascii")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp949", "utf-8"])
def test_text_keeps_to_the_signs_of_stdout(encoding):
    """A text does without the signs of mathematics where stdout has none."""
    code, out, err = piped("trace", *SURVEY, PYTHONIOENCODING=encoding, PYTHONUTF8="0")

    assert (0, "") == (code, err)
    assert "11.65" in out.decode(encoding)
    assert out.isascii() or encoding == "utf-8"
    assert b"\\" not in out


@pytest.mark.parametrize("form", ["markdown", "html", "svg", "dot", "mermaid"])
def test_formats_for_programs_are_utf_8_in_a_pipe(form):
    """Without a word on the encoding of a pipe it is UTF-8, whatever the locale says."""
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}
    code, out, err = piped("trace", *SURVEY, "--format", form, **plain)

    assert (0, "") == (code, err)
    assert "x₁" in out.decode("utf-8")
    assert b"&#8321;" not in out


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "utf-16"])
def test_pages_and_drawings_have_references_where_stdout_has_an_encoding(encoding):
    """A page in another encoding is ASCII with references, and read back it is the one in UTF-8."""
    for form in ("html", "svg", "json"):
        words = ["trace", "x1*값", "x1=2", "값=3", "--format", form]
        (code, out, err), (_, whole, _) = (piped(*words, PYTHONIOENCODING=e) for e in (encoding, "utf-8"))
        text = out.decode(encoding)

        assert (0, "") == (code, err)
        assert text.isascii()
        if form == "json":
            assert json.loads(whole) == json.loads(text)
        else:
            assert html.unescape(whole.decode("utf-8")) == html.unescape(text)
            assert all("&#" not in part for part in re.findall(r"(?s)<(?:script|style)\b.*?</", text))


@pytest.mark.parametrize("form", ["markdown", "dot", "mermaid", "latex"])
def test_formats_without_references_are_refused_or_right(form, tmp_path):
    """What the encoding of stdout has is written in it; what it lacks is told, and a file takes all."""
    words = ["trace", "x1*값", "x1=2", "값=3", "--format", form]
    code, out, err = piped(*words, PYTHONIOENCODING="ascii")

    assert (2, b"") == (code, out)
    said = r"dualdiff: {} has '\\u[0-9a-f]{{4}}', which stdout in ascii cannot show: write -o FILE, which is UTF-8\n"
    assert re.fullmatch(said.format(form), err)
    assert 0 == main([*words, "-o", str(tmp_path / "made")])
    assert "값" in (tmp_path / "made").read_text(encoding="utf-8")
    assert 0 == piped("trace", "x*y", "x=2", "y=3", "--latex", PYTHONIOENCODING="ascii")[0]
    if form == "latex":
        assert "값" in piped(*words, PYTHONIOENCODING="cp949")[1].decode("cp949")


@pytest.mark.parametrize("path", ["q.txt", "q.log", "q", "Q.HTML", "a.b/q"])
def test_endings_that_go_with_a_page(path, tmp_path):
    """Another ending than that of a format says nothing, and .txt takes every format."""
    (tmp_path / "a.b").mkdir()

    assert 0 == main(["trace", "t", "t=1", "--format", "html", "-o", str(tmp_path / path)])
    assert (tmp_path / path).read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("words", [["check", "t", "1"], ["check", "t", "2"], ["jacobian", "t", "t=1"]], ids=str)
def test_exit_code_2_is_no_result(capsys, words):
    """A verdict that could not be written is none: the exit code is neither that of right nor that of wrong."""
    assert "`/no/such/a.txt` could not be written: No such file or directory" == refused(
        capsys, *words, "-o", "/no/such/a.txt"
    )


def test_output_is_in_utf_8_wherever_it_is_written(tmp_path):
    """A file is UTF-8 also where the terminal is not, and stderr says that it was written."""
    run = typed("trace", *SURVEY, "-o", "made.txt", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert (0, "", "wrote made.txt\n") == (run.returncode, run.stdout, run.stderr)
    assert "v₅" in (tmp_path / "made.txt").read_text(encoding="utf-8")


def test_no_colour_and_no_codes(capsys, monkeypatch):
    """Nothing is coloured, with NO_COLOR or without."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = told(capsys, "trace", *SURVEY)
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b" not in plain
    assert plain == told(capsys, "trace", *SURVEY)


@pytest.mark.parametrize("path", ["none/step.html", ".html", "step.html\0", "\ud800.html"], ids=ascii)
def test_what_cannot_be_written_is_told(capsys, tmp_path, monkeypatch, path):
    """A folder that is not there, a folder in place of a file, a name that is none: exit code 2 and one line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".html").mkdir()

    assert 2 == main(["trace", *SURVEY, "--format", "html", "-o", path])
    out, err = capsys.readouterr()
    assert "" == out
    assert re.fullmatch(r"dualdiff: `.*` could not be written: .+\n", err)


def test_dash_is_stdout(capsys):
    """-o - writes where it is piped."""
    assert told(capsys, "trace", *SURVEY, "--format", "dot") == told(
        capsys, "trace", *SURVEY, "--format", "dot", "-o", "-"
    )


@pytest.mark.skipif(os.name != "posix", reason="pipes are POSIX's")
@pytest.mark.parametrize(
    "words", [["trace", *SURVEY], ["trace", *SURVEY, "--format", "html"], ["trace", "--help"]], ids=str
)
def test_reader_that_leaves_gets_no_traceback(words):
    """A reader such as head that leaves early gets the end in silence."""
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        command(*words), env=environment(), stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writer)

    assert (0, b"") == (run.returncode, run.stderr)


NARROW = [
    ["jacobian", "s*t*u", "s+t", "s=1", "t=2", "u=4"],
    ["s*t", "s=1", "t=2"],
    ["exp(s)*t", "sin(s)/7 + t**2", "s=1.234", "t=-2.56e-7"],
    ["exp(a_long_name_of_a_variable)", "a_long_name_of_a_variable=0.3", "--order", "10"],
    ["log(a_long_name_of_a_variable)", "a_long_name_of_a_variable", "a_long_name_of_a_variable=-1.123"],
    ["check", "s*t, s+t", "t, s", "1, 2"],
    ["check", "s*t*u, s+t*u, s*t", "t*u, s*t, s*u", "1, 2*u, t", "t, 2*s, 0"],
    ["check", "값*t, 값+t", "t, 값", "1, 2"],
    ["check", "*".join("abcdfghk"), ", ".join("abcdfghk")],
]  # fmt: skip


@pytest.mark.parametrize("width", [40, 50, 60, 79])
@pytest.mark.parametrize("words", NARROW, ids=lambda words: words[1][:20])
def test_pages_fit_a_narrow_terminal(capsys, monkeypatch, width, words):
    """Values, matrices and verdicts are no wider than the terminal, and no number loses a digit."""
    monkeypatch.setenv("COLUMNS", str(width))
    main(words)
    out = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "200")
    main(words)
    whole = capsys.readouterr().out

    assert max(map(columns, out.splitlines())) <= width
    assert [] == [line for line in out.splitlines() if line != line.rstrip()]
    if words[0] != "check":
        for number in re.findall(r"-?\d+\.\d{4,}(?:e[-+]\d+)?", whole):
            assert number in out


def test_matrices_stand_below_each_other_where_they_must(capsys, monkeypatch):
    """The claimed and the true matrix keep their labels, their columns and the cross."""
    monkeypatch.setenv("COLUMNS", "40")
    main(["check", "s*t, s+t", "t, s", "1, 2", "s=-0.02738", "t=-0.6856"])
    lines = capsys.readouterr().out.splitlines()
    first, second = (lines.index(f"    {head}") for head in ("claimed", "true"))

    assert [["s", "t"], ["f₁", "−0.6856", "−0.02738"], ["f₂", "1", "2", "✗"]] == [
        line.split() for line in lines[first + 1 : second]
    ]
    assert [["s", "t"], ["f₁", "−0.6856", "−0.02738"], ["f₂", "1", "1"]] == [
        line.split() for line in lines[second + 1 : second + 4]
    ]


def test_first_page_narrows_its_trace(capsys, monkeypatch):
    """The page is laid out for 80 columns; its trace goes down to 60 with the terminal."""
    for width, limit in ((40, 60), (70, 70), (200, 80)):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = told(capsys).splitlines()

        assert max(columns(line) for line in lines if "│" in line or "─" in line) <= limit
        assert max(map(columns, lines)) <= 80


@pytest.mark.parametrize("words", [["trace"], ["jacobian"], ["compare"], ["chain", "x**2"], []], ids=str)
def test_results_that_are_no_numbers_are_found_in_the_file(capsys, words, tmp_path, monkeypatch):
    """A function that returns nothing is named by its file and its line, not by a module of dualdiff."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text("\n\ndef nothing(x):\n    x + 1\n")
    message = refused(capsys, *words, "bad.py:nothing", "x=2")

    assert message.startswith("bad.py: TypeError: ")
    assert "(defined at bad.py:3)" in message
    assert "commands" not in message
