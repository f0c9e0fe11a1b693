"""The formulas of a trace: each is worth the number that stands beside it, and reads as people write."""

import random
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from trace_tables import array_of, by_name, sources, told, worth

import dualdiff as dd
from dualdiff.expression import FUNCTIONS, parse

X = np.array([1.0, 2.0, 3.0])
A = np.array([[2.0, 1.0], [1.0, 3.0]])
C = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]])
NAMES = [
    name for name in sorted({*FUNCTIONS.values()} - {"clip", "conjugate"}) if isinstance(getattr(np, name), np.ufunc)
]
BINARY = [name for name in NAMES if getattr(np, name).nin == 2]
UNARY = [name for name in NAMES if getattr(np, name).nin == 1]
UGLY = {
    "a factor 0": r"(?<![\w.])0·|·0(?![\w.])",
    "a factor 1": r"(?<![\w./])1·|·1(?![\w.])",
    "a term 0": r"[+−] 0(?![\w.*/])|(?<![\w.])0 [+−]",
    "two signs": r"[+−] [+−]|−−|--",
    "doubled brackets": r"\(\(([^()]*)\)\)",
    "brackets around all": r"^\([^()]*\)$",
    "a name in brackets": r"(?<!\w)\([A-Za-z0-9_.]+\)",
}


def random_expression(rng, depth):
    """Return a formula of x and y as people type it."""
    part = lambda: random_expression(rng, depth - 1)
    if depth == 0 or rng.random() < 0.1:
        return rng.choice(["x", "y", "x", "y", "2", "3", "0.5", "1.5", "10"])
    kind = rng.random()
    if kind < 0.4:
        return f"({part()} {rng.choice('+-*/')} {part()})"
    if kind < 0.5:
        return f"({part()})**{rng.choice(['2', '3', '0.5', '-1', '-2', '1', 'y', '2.5'])}"
    if kind < 0.55:
        return f"-({part()})"
    if kind < 0.6:
        return f"({part()}) % ({part()})"
    if kind < 0.85:
        return f"{rng.choice(UNARY)}({part()})"
    return f"{rng.choice(BINARY)}({part()}, {part()})"


def formulas(row):
    """Yield what each formula of a row is for, its text and its number."""
    yield "value", row["formula"], row["value"]
    for i, (text, number) in enumerate(zip(row["tangent_formulas"], row["tangents"], strict=False)):
        yield f"tangent {i}", text, number
    for partial in row["partials"]:
        if partial["kind"] != "jacobian":
            yield f"partial by {partial['operand']}", partial["formula"], partial["value"]
    if row["adjoint_formula"] is not None:
        yield "adjoint", row["adjoint_formula"], row["adjoint"]


def random_cases():
    """Return expressions with a point at which they are finite."""
    rng, cases = random.Random(5), []  # noqa: S311 - nothing is secret here
    with np.errstate(all="ignore"):
        while len(cases) < 150:
            text = random_expression(rng, rng.randint(1, 4))
            point = rng.choice([(0.7, 1.3), (1.7, 0.6), (0.4, 0.3), (-0.6, 1.1), (0.5, -0.8)])
            f = parse(text)
            value = f(**{name: np.float64(v) for name, v in zip("xy", point, strict=True) if name in f.names})
            if f.names and np.isrealobj(value) and np.isfinite(value):
                cases.append((text, point))
    return cases


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("text", "point"), random_cases())
def test_random_formulas(text, point):
    """Values, partials, tangents and adjoints are worth their numbers, in letters and in names of rows."""
    f = eval(f"lambda x, y: {text}", vars(np).copy())  # noqa: S307 - built above
    plain, written = told(f, *point), told(f, *point, symbols=True)
    for table, names in ((plain, {k: np.float64(r["value"]) for k, r in by_name(plain).items()}), (written, {})):
        for row in table["rows"]:
            for what, formula, number in formulas(row):
                given = names or dict(zip("xy", map(np.float64, point), strict=True))
                told_worth = f"{what} of {row['name']}: {formula}"
                assert formula is not None, told_worth
                if table is written:  # a row by itself is written as the user wrote it
                    assert [] == [kind for kind, pattern in UGLY.items() if re.search(pattern, formula)], told_worth
                if np.isfinite(float(number)):
                    assert_allclose(worth(formula, given), float(number), rtol=1e-9, atol=1e-12, err_msg=told_worth)
                    if len(formula) < 300:
                        names_of_rows = dict.fromkeys(parse(formula).names, 1.0)
                        assert set(names_of_rows) <= {*"xy", *names}


@pytest.mark.parametrize("name", UNARY)
def test_every_function_of_one_number(name):
    """The slope of each function of the table has a formula."""
    at = 1.3 if name == "arccosh" else 0.3
    row = told(lambda x: getattr(np, name)(x) + x, at, symbols=True)["rows"][-1]

    assert_allclose(dd.derivative(getattr(np, name))(at) + 1, worth(row["tangent_formulas"][0], {"x": at}), rtol=1e-12)
    assert_allclose(getattr(np, name)(at) + at, worth(row["formula"], {"x": at}), rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "formula", "tangent"),
    [
        (lambda t: np.sin(t) ** 2 + 2 * np.cos(t), "sin(t)² + 2·cos(t)", "2·sin(t)·cos(t) − 2·sin(t)"),
        (lambda x: x**2, "x²", "2·x"),
        (lambda x: x**-1, "1/x", "−1/x²"),
        (lambda x: x * x * x, "x³", "3·x²"),
        (lambda x: 0 * x + 1 * x, "x", "1"),
        (lambda x: -(-x), "x", "1"),  # noqa: B002
        (lambda x: x - (-2 * x), "3·x", "3"),
        (lambda x: (x + 0.0) / 1, "x", "1"),
        (lambda x: np.exp(-x / 2), "exp(−x/2)", "−exp(−x/2)/2"),
        (lambda x: 1 / (1 + np.exp(-x)), "1/(1 + exp(−x))", "exp(−x)/(1 + exp(−x))²"),
        (lambda x: np.log(x**2 + 1), "log(x² + 1)", "2·x/(x² + 1)"),
        (lambda x: np.sqrt(x), "sqrt(x)", "1/(2·sqrt(x))"),
        (lambda x: np.tanh(x), "tanh(x)", "1/cosh(x)²"),
        (lambda x: np.arctan(x), "arctan(x)", "1/(1 + x²)"),
        (lambda x: abs(x), "abs(x)", "sign(x)"),
        (lambda x: np.maximum(x, 0.1), "maximum(x, 0.1)", "1"),
        (lambda x: np.where(x > 0, x * x, 3.0), None, "2·x"),
        (lambda x: dd.sin(x) if x > 0 else x, "sin(x)", "cos(x)"),
        (lambda x: x % 0.5, "x % 0.5", "1"),
        (lambda x: x * 3.0, "3·x", "3"),
        (lambda x: x * 0.1, "x/10", "0.1"),
        (lambda x: 1e-8 * x + 1e8, "1e−08·x + 100000000", "1e−08"),
    ],
)
def test_reads_as_people_write(f, formula, tangent):
    """Light simplification: zeros, ones, signs and like factors."""
    row = told(f, 0.7, symbols=True)["rows"][-1]

    assert tangent == row["tangent_formulas"][0]
    assert formula in (None, row["formula"])


def test_sinc_goes_on():
    """A slope without a short formula has a name, with which the chain rule goes on."""
    table = told(lambda x: 2 * np.sinc(x * x), 0.7, symbols=True)

    assert all(formula for row in table["rows"] for formula in row["tangent_formulas"])


def test_partials_of_a_product():
    """In the names of the rows, as a table has it."""
    rows = by_name(told(lambda x, y: np.sin(x) * (x / y), 2.0, 3.0))

    assert ("sin(x)", "x/y", "v1·v2") == tuple(rows[name]["formula"] for name in ("v1", "v2", "v3"))
    assert ["v2", "v1"] == [partial["formula"] for partial in rows["v3"]["partials"]]
    assert ["1/y", "−x/y²"] == [partial["formula"] for partial in rows["v2"]["partials"]]
    assert all([] == row["tangent_formulas"] and row["adjoint_formula"] is None for row in rows.values())


ARRAYS = [
    "np.sum(x*x)", "np.sum(np.sin(x)*x[0])", "x @ x", "A @ w", "w @ A", "w @ A @ w", "A @ A", "np.sum((A @ w)**2)",
    "np.tanh(C @ x + 1)", "np.sum(np.tanh(C @ x + 1))", "np.sum(x[1:]*x[:-1])", "np.sum(A, axis=0)", "s*A", "s*x + x",
    "np.sum(x, initial=5.0)", "np.diff(x, prepend=1.0)", "np.diff(x, append=[s, 1.0])", "np.hstack([x, 2.0])",
    "np.concatenate([x, np.ones(2)])", "np.concatenate([x, w])", "np.stack([x[0], 1.0])",
    "np.stack([w, w*2, C[0, :2]])", "np.vstack([x, C[0]])", "np.array([[s, 2.0], [0.0, s]])",
    "np.array([s, 1.0])*np.array([3.0, 4.0])", "[s, 2.0, s*s]",
    "np.mean(x*2)", "np.cumsum(x)*2", "x/np.sum(x)", "np.exp(x)/np.sum(np.exp(x))", "np.log(np.sum(np.exp(x)))",
    "x[::-1]*x", "x[[0, 2]]*2", "A[0] @ w", "A[:, 1]*2", "x[:, None]*x", "np.where(x > 1.5, x*x, 3.0)",
    "np.maximum(x, 2.5)", "np.outer(x, x)", "np.dot(A, w)", "np.kron(w, w)", "np.take(x, [0, 1])", "np.roll(x, 1)",
    "np.trace(A)", "A.T @ A", "-(x - C[0])", "2.0**x", "x**C[0]", "x/C[0]", "C[0]/x", "np.sum(x**2)**0.5", "x.mean()",
    "np.mean(A, axis=1)", "A.sum(axis=1, keepdims=True)*A", "np.sum(A*w)", "np.sum(A + w[:, None])", "np.sum(s*A)",
    "np.sum(x)*x", "np.sum(s + x)", "np.sum((s + A)*w)", "np.sum((w + s)*A)", "np.mean(s - x)",
    "np.cumsum(s + x)", "(s + x)[1]", "(s + x).T",
    "(x*2)[1]", "(x + 1)[1]*(x - 1)[0]", "(A @ A)[0]", "(x + 1) @ (x - 1)", "abs(x - 2.5)", "x.dot(C[0])",
    "x @ C @ x", "np.sum(np.sin(A @ w))", "x*np.ones((2, 3))", "np.sum(x*np.ones((2, 3)))", "np.arctan2(x, 2.0)",
    "x.reshape(3, 1)*2", "np.linalg.solve(A, w)", "np.linalg.det(A)", "x.item(1)*x",
]  # fmt: skip


@pytest.mark.parametrize("text", ARRAYS)
@pytest.mark.parametrize("symbols", [False, True])
def test_formulas_of_arrays_are_never_wrong(text, symbols):
    """Where there is a formula it is worth the array beside it; the seed is dx."""
    points = {"A": A, "x": X, "w": np.array([1.0, 2.0]), "s": 2.0}
    names = [name for name in points if re.search(rf"\b{name}\b", text)]
    space = {"np": np, "C": C}
    table = told(eval(f"lambda {', '.join(names)}: {text}", space), *map(points.get, names), symbols=symbols)  # noqa: S307
    rows, known = by_name(table), {"C": C}
    for name, row in rows.items():
        if not symbols or row["role"] == "input":
            known[name] = array_of(row["value"])[()]
    for row in table["rows"]:
        for what, formula, number in formulas(row):
            expected = array_of(number)
            if formula is None or re.search(r"\bc\d", formula):  # an array that only the table has a name for
                continue
            seeds = {}
            if what.startswith("tangent"):
                seeds = {f"d{name}": array_of(rows[name]["tangents"][int(what[8:])]) for name in table["inputs"]}
            found = worth(formula, known | seeds)
            assert what != "value" or expected.shape == found.shape
            message = f"{what} of {row['name']}: {formula}"
            assert_allclose(np.broadcast_to(found, expected.shape), expected, rtol=1e-9, atol=1e-12, err_msg=message)


def test_calls_are_python():
    """Text among the arguments is quoted, methods are written as methods."""
    formula = lambda f, *args: told(f, *args)["rows"][-1]["formula"]

    assert "einsum('ij,j->i', A, w)" == formula(lambda A, w: np.einsum("ij,j->i", A, w), A, X[:2])
    assert "x.reshape(3, 1)" == formula(lambda x: x.reshape(3, 1), X)
    assert "cumsum(x)" == formula(lambda x: np.cumsum(x), X)


def test_seeds_keep_apart_from_inputs():
    """An input that is called dx is not the seed of x."""
    row = told(lambda x, dx: x * dx, X, 2 * X, symbols=True)["rows"][-1]

    assert row["tangent_formulas"][0] not in ("dx²", "dx·dx")


def scaled(v):
    """Multiply by an array that another scope calls x."""
    x = np.array([2.0, 3.0, 4.0])
    return x * v


def test_names_of_other_scopes():
    """An array of the user's is called by its name only where no row has that name."""
    table = told(lambda x: np.sum(scaled(x)), X, symbols=True)
    last = table["rows"][-1]

    assert_allclose([2.0, 3.0, 4.0], table["rows"][0]["adjoint"])
    assert "sum(x²)" != last["formula"]
    assert "x" != table["rows"][0]["adjoint_formula"]


@pytest.mark.parametrize(
    ("f", "tangent"),
    [
        (lambda t: 0.7 * (0.7 * np.arctan(t)), "0.49/(1 + t²)"),
        (lambda t: (0.1 + 0.2) * np.arctan(t), "3/(10·(1 + t²))"),
        (lambda t: np.pi * np.sin(t), "3.14159265359·cos(t)"),
        (lambda t: 1.000000000002 * t, "1.000000000002"),
        (lambda t: 123456789.123456789 * t, "123456789.12345679"),
        (lambda t: (1 + 2e-16) / 3 * t, "1/3"),
        (lambda t: 1e300 * t, "1e+300"),
        (lambda t: 5e-324 * t, "5e−324"),
    ],
)
def test_coefficients_without_rounding_errors(f, tangent):
    """A coefficient has twelve digits where that is all but exact, and is a small fraction but for its last place."""
    row = told(f, 0.5, symbols=True)["rows"][-1]

    assert tangent == row["tangent_formulas"][0]
    assert_allclose(row["tangents"][0], worth(tangent, {"t": 0.5}), rtol=1e-11)


class Kept:
    """Something with an array in it."""

    weights = np.array([1.0, 2.0, 3.0])


def test_constants_as_they_were():
    """What was written over later does not show in formulas of before."""
    kept = Kept()
    kept.weights = np.array([1.0, 2.0, 3.0])

    def f(x):
        y = x * kept.weights
        kept.weights[:] = 7.0
        return y

    formula = told(f, X)["rows"][-1]["formula"]
    assert_allclose([1.0, 4.0, 9.0], worth(formula, {"x": X}))


def test_writes_read():
    """The rows after a write go on from its name, and say where it went."""

    def f(x):
        y = x * 1.0
        z = y[1:]
        z[0] = x[0] * 2
        return y[0] * y[1] + z[1]

    for symbols in (False, True):
        table = told(f, X, symbols=symbols)
        arrows = [row["formula"] for row in table["rows"] if "←" in row["formula"]]
        assert [1] == [formula.count("←") for formula in arrows]
        assert not [text for text in sources(table) if "←" in text or "view(" in text]
        assert all("[" in formula.split("←")[0] for formula in arrows)
