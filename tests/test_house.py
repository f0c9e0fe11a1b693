"""The house itself: floors, sizes, and that every public name is documented with an example that runs."""

import ast
import doctest
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dualdiff as dd

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dualdiff"
MODULES = sorted(PACKAGE.rglob("*.py"))

# A module imports only from lower floors.  Rooms of one floor do not know each other.
FLOORS = {
    "errors": 0, "floating": 0, "primal": 0, "tag": 0,
    "tangent": 1, "functions": 1, "rules.book": 1, "stacked": 1.5,
    "letter": 2, "rules.elementary": 2, "rules.moving": 2, "rules.reducing": 2, "rules.products": 2,
    "rules.constant": 2, "rules.linalg": 2.5,
    "dual.number": 3.0, "dual.operands": 3.1, "dual.levels": 3.1, "dual.array": 3.2, "dual.recycling": 3.2,
    "dual.formulas": 3.3, "dual.elementwise": 3.35, "dual.operators": 3.4,
    "dual.ufunc_methods": 3.5, "dual.protocols": 3.6, "dual": 3.9,
    "proxy": 4, "custom": 4, "reverse.transposes": 4.0, "reverse.cotangents": 4.1, "reverse.steps": 4.2,
    "reverse.places": 4.3, "reverse.maps": 4.3, "reverse.program": 4.4, "reverse.variable": 4.5, "reverse": 4.9,
    "transforms.containers": 5.0, "transforms.results": 5.05, "transforms.asking": 5.1,
    "transforms.derivative": 5.2, "transforms.jvp": 5.2,
    "transforms.vjp": 5.2, "transforms.operator": 5.2, "transforms.jacobian": 5.2, "transforms.gradient": 5.3,
    "transforms.hessian": 5.4, "transforms": 5.9,
    "expression": 6, "rules": 6,
    "lecture": 6.5, "lecture.drawn": 6.5, "lecture.checked": 6.5, "lecture.chained": 6.5, "lecture.compared": 6.5,
    "testing": 6.5,
    "": 7, "commands": 7.9, "__main__": 8,
}  # fmt: skip

# The lecture desk and the command line, from the ground up.
_LECTURE = (
    "numerals",
    "source formula printed drawn.layout drawn.figures drawn.grammar checked.points checked.claims",
    "compared.measuring compared.settings chained.bracketings chained.pathways chained.composition",
    "branches drawn.typesetting checked.verdict",
    "record drawn.notation compared.crossing",
    "passes spelling drawn.cells drawn.table chained.matrices checked.malrules",
    "differential drawn.sweeps drawn.markdown drawn.latex run chained.equation compared.versus",
    "derivation drawn.graph drawn.text checked.chains compared.comparing chained.page",
    "drawn.html chained.entrywise checked.weighing checked.slips checked.thresholds",
    "evaluation checked.derived checked.explaining checked.wording checked.kinks",
    "chained.chaining checked.checking",
)
_COMMANDS = (
    "layout", "words", "values files output", "subject", "matrices", "report",
    "formula jacobian tracing checking chaining comparing", "first",
)  # fmt: skip
FLOORS |= {f"lecture.{name}": 6.1 + i / 100 for i, level in enumerate(_LECTURE) for name in level.split()}
FLOORS |= {f"commands.{name}": 7.1 + i / 100 for i, level in enumerate(_COMMANDS) for name in level.split()}


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def _imported(path: Path) -> set[str]:
    """Return the modules of the package that a module imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in names if name.removeprefix("dualdiff.") in FLOORS}
            found |= modules or {node.module}
    return {name.removeprefix("dualdiff").removeprefix(".") for name in found if name.split(".")[0] == "dualdiff"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_go_down(path):
    """Every module has a floor, and imports only from lower ones."""
    own = FLOORS[_name(path)]

    assert [] == [name for name in _imported(path) if FLOORS[name] >= own]


def test_floors_name_rooms_that_exist():
    """The plan above has no room that was torn down."""
    assert set(map(_name, MODULES)) == set(FLOORS)


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda p: p.stem)
def test_files_fit_in_the_head(path):
    """No file has more than 400 lines."""
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_say_what_they_are_for(path):
    """Every module opens with a sentence."""
    docstring = ast.get_docstring(ast.parse(path.read_text()))

    assert docstring
    assert docstring.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("name", [name for name in dd.__all__ if name != "functions"])
def test_public_names_are_documented_with_an_example(name):
    """Every public name has a docstring with an example; doctest runs it where it is written."""
    documented = getattr(dd, name)

    assert doctest.DocTestFinder(recurse=False).find(documented, name)[0].examples


def test_public_names_are_all_there_is():
    """Nothing public is left out of __all__, and nothing in it is missing."""
    public = {name for name in dir(dd) if not name.startswith("_")}
    rooms = {name.split(".")[0] for name in FLOORS}

    assert set(dd.__all__) == public - (rooms - {"functions"})
    assert len(dd.__all__) == len(set(dd.__all__))


def test_importing_is_light():
    """Importing brings NumPy and nothing that is an extra, or heavy."""
    code = "import sys, numpy; before = set(sys.modules); import dualdiff; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = {name.split(".")[0] for name in run.stdout.split()}

    assert set() == new & {
        "scipy",
        "matplotlib",
        "sympy",
        "pandas",
        "cloudpickle",
        "asyncio",
        "multiprocessing",
        "importlib",
    }
    assert "dualdiff" in new


def test_readme_and_project_agree():
    """README, pyproject and the wheel's metadata state the same requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    readme = (ROOT / "README.md").read_text()
    python = project["requires-python"].removeprefix(">=")
    (numpy,) = project["dependencies"]

    assert f"Python {python} or newer and NumPy {numpy.removeprefix('numpy>=')} or newer" in readme
    for extra in re.findall(r"pip install '\.\[(\w+)\]'", readme):
        assert extra in project["optional-dependencies"]


def test_readme_shows_files_that_exist():
    """Every link of README to a file of this repository leads somewhere."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text())

    assert links
    assert [] == [link for link in links if not (ROOT / link).exists()]


def test_version_is_the_projects():
    """__version__ is what was installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == dd.__version__


def test_unknown_names_are_refused():
    """A misspelt name is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'jacobain'"):
        dd.jacobain  # noqa: B018
