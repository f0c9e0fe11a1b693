"""Every example runs as its reader runs it: from anywhere, without a warning, leaving nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dualdiff as dd

FOLDER = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = sorted(FOLDER.glob("*.py"))
DRAWING = [script for script in SCRIPTS if '"--plot"' in script.read_text(encoding="utf-8")]
FITTING = FOLDER / "04_fit.py"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def name(script):
    """Return what a test is called after."""
    return script.stem


def python(*arguments, cwd, first_on_path=()):
    """Run this interpreter in the folder cwd, with every warning an error."""
    library = Path(dd.__file__).parents[1]  # the same dualdiff as here, installed or not
    path = [*map(str, first_on_path), str(library), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=cwd,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONDONTWRITEBYTECODE": "1"}
        | {"PYTHONIOENCODING": "ascii"},  # the terminal that can show least
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files(folder):
    """Return every file below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


def test_there_are_examples():
    """The tests below have something to run, and the scripts that draw are known to draw."""
    numbers = [f"{number:02}" for number in range(1, len(SCRIPTS) + 1)]

    assert numbers == [script.name[:2] for script in SCRIPTS]
    assert {"02_surfaces", "03_curves", "04_fit", "07_iris", "08_sensitivity"} <= {script.stem for script in DRAWING}


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_example_runs(script, tmp_path):
    """A script ends well, says something readable on any terminal, warns of nothing and leaves no file."""
    before = files(FOLDER)

    done = python(script, cwd=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.strip()
    assert done.stdout.isascii()
    assert before == files(FOLDER)
    assert set() == files(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_example_can_be_imported(script, tmp_path):
    """Importing a script runs nothing, so that a lecture can take its functions."""
    done = python("-c", "import runpy, sys; runpy.run_path(sys.argv[1])", script, cwd=tmp_path)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("script", DRAWING, ids=name)
def test_example_draws_where_asked(script, tmp_path):
    """With --plot a script draws into the file it was given, and into no other."""
    pytest.importorskip("matplotlib")
    if script == FITTING:
        pytest.importorskip("scipy")
    picture = tmp_path / "out.png"
    before = files(FOLDER)

    done = python(script, "--plot", picture, cwd=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert {picture} == files(tmp_path)
    assert picture.read_bytes().startswith(PNG_SIGNATURE)
    assert before == files(FOLDER)


def missing(package, folder):
    """Return a folder that, first on the path, makes a package look as if it were not installed."""
    folder.mkdir()
    text = f"raise ModuleNotFoundError('No module named {package}', name='{package}')\n"
    (folder / f"{package}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("script", DRAWING, ids=name)
def test_example_without_matplotlib(script, tmp_path):
    """Without matplotlib a script still runs to the end, and then says in one line what --plot needs."""
    if script == FITTING:
        pytest.importorskip("scipy")
    absent, here = missing("matplotlib", tmp_path / "absent"), tmp_path / "here"
    here.mkdir()

    plain = python(script, cwd=here, first_on_path=[absent])
    asked = python(script, "--plot", "out.png", cwd=here, first_on_path=[absent])

    assert (0, "") == (plain.returncode, plain.stderr)
    assert asked.returncode == 1
    assert asked.stdout == plain.stdout
    assert asked.stderr == "--plot needs matplotlib; everything else ran without it.\n"
    assert set() == files(here)


def test_fit_without_scipy(tmp_path):
    """Without SciPy the fit says so in one line, which is no failure."""
    absent, here = missing("scipy", tmp_path / "absent"), tmp_path / "here"
    here.mkdir()

    done = python(FITTING, cwd=here, first_on_path=[absent])

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout == "This example fits with SciPy, which is not installed: pip install scipy\n"
