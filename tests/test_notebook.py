"""The notebook of the lecture is the script of the lecture, and what it shows is what it shows today."""

import importlib.util
import json
import re
import subprocess
import sys

import notebook
import pytest

STORED = notebook.LECTURE.with_suffix(".ipynb")
NUMBER = re.compile(r"[−-]?\d+\.?\d*(?:e[−+-]?\d+)?")
TOLERANCE = {"rel": 1e-3, "abs": 1e-3}  # what is shown has four digits, of which the last may be rounded elsewhere
needs_jupyter = pytest.mark.skipif(
    any(importlib.util.find_spec(package) is None for package in ("nbclient", "nbformat", "ipykernel")),
    reason="the notebook runs in Jupyter, which is not installed: pip install nbclient ipykernel",
)


def read(path):
    """Return the cells of a notebook."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def text(lines):
    """Return text, which a notebook keeps whole or in lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def shown(cell):
    """Return what a cell shows, one text for each format; what went to stderr is under its name."""
    return [
        {output["name"]: text(output["text"])}
        if output["output_type"] == "stream"
        else {kind: text(data) for kind, data in output["data"].items()}
        for output in cell.get("outputs", [])
    ]


def as_script(cell):
    """Return a cell as the lines of a script in percent format."""
    source = text(cell["source"])
    if cell["cell_type"] == "code":
        return ["# %%", *source.splitlines()]
    return ["# %% [markdown]", *(f"# {line}".rstrip() for line in source.splitlines())]


def words_and_numbers(shown):
    """Take a text apart: its words, in which widths and rules of tables do not count, and its numbers."""
    numbers = [float(number.replace("−", "-")) for number in NUMBER.findall(shown)]
    return re.sub(r"[\s─┼┴]+", " ", NUMBER.sub("0", shown)), numbers


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The notebook made and executed now, in a process whose warnings are its own."""
    path = tmp_path_factory.mktemp("notebook") / "fresh.ipynb"
    done = subprocess.run(
        [sys.executable, notebook.__file__, path], capture_output=True, text=True, timeout=300, check=False
    )

    assert (0, "") == (done.returncode, done.stdout), done.stderr
    return read(path)


def test_cells_are_those_of_the_script():
    """Written as a script again, the stored notebook is the script, but for its docstring, which is the first cell."""
    script = notebook.LECTURE.read_text(encoding="utf-8")
    first, *others = read(STORED)

    lines = [line for cell in others for line in as_script(cell) if line]
    head, *body = text(first["source"]).splitlines()

    assert [line for line in script[script.index("\n# %%\n") :].splitlines() if line] == lines
    assert script.startswith('# %% [markdown]\nr"""' + head.removeprefix("# ") + ".\n" + "\n".join(body) + '\n"""\n')


def test_cells_have_names_that_stay():
    """Ids are numbers in order, so that a change of one cell is a change of one cell."""
    cells = read(STORED)

    assert [f"cell-{i:02}" for i in range(1, len(cells) + 1)] == [cell["id"] for cell in cells]


def test_stored_notebook_has_run():
    """All code cells ran in order, none complained, and tables and matrices are there for the eye."""
    code = [cell for cell in read(STORED) if cell["cell_type"] == "code"]
    outputs = [output for cell in code for output in shown(cell)]

    assert list(range(1, len(code) + 1)) == [cell["execution_count"] for cell in code]
    assert all("stderr" not in output for output in outputs)
    assert any("<table>" in output.get("text/html", "") for output in outputs)
    assert any(r"\begin{bmatrix}" in output.get("text/latex", "") for output in outputs)


@needs_jupyter
def test_executed_afresh_it_has_the_same_cells(fresh):
    """The stored notebook was made from the script as it stands."""
    told = [
        [(cell["id"], cell["cell_type"], text(cell["source"])) for cell in cells] for cells in (fresh, read(STORED))
    ]

    assert told[0] == told[1]


@needs_jupyter
def test_executed_afresh_it_shows_the_same(fresh):
    """Every output has the words that are stored, and numbers equal to what is seen of them."""
    for now, before in zip(fresh, read(STORED), strict=True):
        outputs, stored = shown(now), shown(before)
        assert [list(output) for output in stored] == [list(output) for output in outputs], now["id"]
        for output, kept in zip(outputs, stored, strict=True):
            for kind, told in output.items():
                expected, expected_numbers = words_and_numbers(kept[kind])
                words, numbers = words_and_numbers(told)
                assert expected == words, (now["id"], kind)
                assert pytest.approx(expected_numbers, **TOLERANCE) == numbers, (now["id"], kind)
