"""The command line from outside and from inside, for the tests of it."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import dualdiff as dd
from dualdiff.__main__ import main

HOME = Path(dd.__file__).parents[1]  # the same dualdiff as here, installed or not


def environment(**settings):
    """Return this process's environment with dualdiff on the path."""
    path = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH", "")]))
    return os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1", "COLUMNS": "80"} | settings


def command(*words):
    """Return python -m dualdiff with words, every warning an error."""
    return [sys.executable, "-W", "error", "-m", "dualdiff", *words]


def typed(*words, cwd=None, **settings):
    """Run python -m dualdiff in a process of its own."""
    return subprocess.run(
        command(*words), env=environment(**settings), capture_output=True, encoding="utf-8", timeout=60, check=False,
        cwd=cwd,
    )  # fmt: skip


def told(capsys, *words, code=0):
    """Run main here, and return what it printed where all is well."""
    assert code == main(words)
    out, err = capsys.readouterr()
    assert "" == err
    return out


def refused(capsys, *words):
    """Run main here, and return its one line where something is wrong."""
    assert 2 == main(words)
    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith("dualdiff: ")
    assert 1 == err.count("\n")
    return err.removeprefix("dualdiff: ").removesuffix("\n")


def columns(line):
    """Return the columns that a line takes in a terminal: none for an accent, two for 값."""
    marks = [c for c in line if unicodedata.category(c) in {"Mn", "Me", "Cf"}]
    return sum(1 + (unicodedata.east_asian_width(c) in {"W", "F"}) for c in line) - len(marks)
