"""What a trace calls things: one text never stands for two things, and the source is what is there now."""

import importlib
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dualdiff as dd

A, B = np.array([0.5, 0.7]), np.array([1.5, -0.7])


def rows(f, *args, **settings):
    """Return the rows of a trace."""
    return dd.trace(f, **settings)(*args).to_dict()["rows"]


def last(f, *args):
    """Return the formulas of the result: value, first tangent, and the adjoint of the first input."""
    found = rows(f, *args, symbols=True)
    return found[-1]["formula"], found[-1]["tangent_formulas"][0], found[0]["adjoint_formula"]


def twice(x, w):
    """Multiply by what is called w here, whatever it is elsewhere."""
    return x * w


def layer(x, weight, bias):
    """Return a layer of a network."""
    return np.tanh(weight * x + bias)


def test_arrays_of_one_name():
    """Two arrays that are called w in different calls are two."""
    assert ("x·w − x·w_2", "w − w_2") == last(lambda x: twice(x, A) - twice(x, B), 1.0)[:2]
    formula, tangent, _ = last(lambda x: np.sum(layer(layer(x, A, 0.1), B, 0.2)), 1.0)
    assert "weight_2·tanh(weight·x + 1/10)" in formula
    assert "weight²" not in tangent


def test_one_array_has_one_name():
    """The same array is the same letter wherever it comes, also as a copy of equal numbers."""
    assert "2·x·w" == last(lambda x: twice(x, A) + twice(x, A.copy()), 1.0)[0]


def test_arrays_without_a_name():
    """Two arrays that nothing is called after have letters of their own."""
    assert ("x·c1/c2", "c1/c2") == last(lambda x: x * np.arange(1.0, 6) / np.arange(2.0, 7), 1.0)[:2]
    found = last(lambda x: np.arange(1.0, 6) @ x - np.arange(2.0, 7) @ x, np.arange(5.0))
    assert ("c1 @ x − c2 @ x", "c1 @ dx − c2 @ dx") == found[:2]


def test_an_array_that_changes():
    """What an array was and what it is are two."""

    def f(x):
        w = np.arange(5.0)
        before = x * w
        w[:] = 1.0
        return before - x * w

    assert ("x·w − x·w_2", "w − w_2") == last(f, 2.0)[:2]


def test_steps_that_their_text_does_not_tell():
    """Two nested derivatives of one x are two, and so is an array before and after it was filled."""

    def product(x):
        return dd.derivative(lambda y: y * y * x)(x) * dd.derivative(lambda y: y**3 * x)(x)

    def filled(x):
        y = x * 1.0
        before = y * 2.0
        y.fill(x[0])
        return before - y * 2.0

    assert "v1·v2" == last(product, 3.0)[0]
    assert "fill" not in last(filled, np.array([1.0, 3.0]))[0]


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x**2 / x, 0.0),
        (lambda x: np.log(x), -1.0),
        (lambda x: 1 / x - 1 / x, 0.0),
        (lambda x: np.sqrt(x) * 0.0, 0.0),
        (lambda x: np.abs(np.exp(1j * x) + x) ** 2, 1.3),
        (lambda x: np.real(np.exp(1j * x)), 1.3),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_no_formula_contradicts_its_number(f, x):
    """At singular points, and through complex numbers, a formula that is not worth its number is left out."""
    for row in rows(f, x, symbols=True):
        pairs = [(row["formula"], row["value"]), (row["adjoint_formula"], row["adjoint"])]
        pairs += zip(row["tangent_formulas"], row["tangents"], strict=True)
        pairs += [(partial["formula"], partial["value"]) for partial in row["partials"]]
        for formula, number in pairs:
            if formula is None or isinstance(number, str):
                continue
            text = formula.replace("·", "*").replace("−", "-").replace("²", "**2")
            with np.errstate(all="ignore"):
                worth = eval(text, {name: getattr(np, name) for name in dir(np)} | {"x": np.float64(x)})  # noqa: S307
            assert_allclose(worth, complex(number), rtol=1e-9, err_msg=formula)


def test_notes_outlive_rows_that_are_left_out():
    """A branch that hung on a step which no result depends on is still told."""

    def f(x):
        factor = 1.0
        if x[0] > 0:
            factor = 2.0
        if x[1] > 0:
            factor = 3.0
        return np.sum(x) * factor

    notes = "; ".join(row["note"] or "" for row in rows(f, np.ones(2)))
    assert "if x[0] > 0: taken" in notes
    assert "if x[1] > 0: taken" in notes


def test_a_test_that_an_exception_broke_off():
    """What was heard of it does not count for the next one."""

    def limit(x, fails):
        if fails:
            raise ValueError
        return x + 1

    def g(x, fails):
        return x * 2 if 0 < x < limit(x, fails) else x * 3

    def f(x):
        for fails in (True, False):
            try:
                y = g(x, fails)
            except ValueError:
                continue
        return y

    assert "if 0 < x < limit(x, fails): taken" in rows(f, 1.0)[-1]["note"]


def test_many_inputs_that_are_called_as_steps_are():
    """The steps find a letter all the same."""
    names = ", ".join(f"{letter}1" for letter in "vwuzyab")
    f = eval(f"lambda {names}: v1 + w1")  # noqa: S307

    found = rows(f, *map(float, range(1, 8)))
    assert len({row["name"] for row in found}) == len(found)


def test_nothing_that_moves():
    """A function of an empty dict is a constant."""
    (row,) = rows(lambda p: 3.0, {})
    assert ("constant", 3.0, []) == (row["operation"], row["value"], row["tangents"])


def test_source_of_what_is_not_python():
    """A ufunc has no text; the text of the call to trace is not its."""
    assert rows(np.sin, 1.0)[1]["source"] in {"sin(x)", "sin(x1)"}  # by NumPy's signature, where it has one
    assert "trace" not in rows(dd.derivative(np.sin), 1.0)[-1]["source"]


@pytest.mark.parametrize(
    "nested",
    [
        lambda: dd.derivative(lambda x: dd.trace(lambda y: y * x)(2.0).to_dict()["rows"][-1]["value"])(3.0),
        lambda: dd.trace(lambda x: dd.Variable(3.0) * x)(2.0),
    ],
)
def test_a_trace_inside_a_derivative(nested):
    """It is refused in words that say why."""
    with pytest.raises(TypeError, match=r"trace outside of it, or take x\.value"):
        nested()


def test_a_module_that_was_edited(tmp_path, monkeypatch):
    """Reloaded, it is shown as it reads now."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "edited_while_running.py"
    texts = itertools.cycle(["np.exp(x)*7 + x", "np.sin(x)"])
    for _ in range(2):
        text = next(texts)
        path.write_text(f"import numpy as np\n\n\ndef f(x):\n    return {text}\n", encoding="utf-8")
        if "edited_while_running" in sys.modules:
            module = importlib.reload(sys.modules["edited_while_running"])
        else:
            module = importlib.import_module("edited_while_running")
        assert text == rows(module.f, 1.0)[-1]["source"]
    del sys.modules["edited_while_running"]


def test_a_file_beside_the_package(tmp_path):
    """Its name may begin as the package's does."""
    shutil.copytree(Path(dd.__file__).parent, tmp_path / "dualdiff", ignore=shutil.ignore_patterns("__pycache__"))
    script = tmp_path / "dualdiff_homework.py"
    script.write_text(
        "import numpy as np, dualdiff as dd\n"
        "print(dd.trace(lambda x: np.sin(x) ** 2)(1.0).to_dict()['rows'][1]['source'])\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "np.sin(x)" == done.stdout.strip()
