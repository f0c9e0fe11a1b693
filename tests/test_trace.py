"""trace: the table of a run against the transforms, the chain rule recomputed from it, and the survey's own table."""

import collections
import copy
import functools
import pickle
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose
from samples import Sample, every_call
from test_programs import PROGRAMS, written_by_an_inner_derivative
from trace_tables import array_of, assert_sweeps, by_name, told

import dualdiff as dd

X = np.array([1.0, 2.0, 3.0])
A = np.array([[2.0, 1.0], [1.0, 3.0]])
Pair = collections.namedtuple("Pair", "a b")  # noqa: PYI024 - as untyped code has it


def survey(x1, x2):
    """Return the example of Baydin et al., tables 2 and 3."""
    return np.log(x1) + x1 * x2 - np.sin(x2)


def power_of(x, n):
    """Multiply by calling itself."""
    return 1.0 if n == 0 else x * power_of(x, n - 1)


def column(table, key):
    """Return one entry of every row, by the row's name."""
    return {row["name"]: row[key] for row in table["rows"]}


def assert_result(f, *args, output=0, sweeps=True, **settings):
    """The last values, tangents and the inputs' adjoints are those of the transforms."""
    table = told(f, *args, output=output, **settings)
    if sweeps:
        assert_sweeps(table)
    rows = by_name(table)
    y, pull = dd.vjp(f, *args)
    result = rows[table["outputs"][0]]
    assert_allclose(np.asarray(y), array_of(result["value"]), rtol=1e-13)
    seed = np.zeros(np.shape(y), np.asarray(y).dtype)
    seed[np.unravel_index(output % seed.size, seed.shape)] = 1.0
    pulled = pull(seed[()])
    for name, part in zip(table["inputs"], pulled, strict=True):
        assert_allclose(array_of(rows[name]["adjoint"]), np.asarray(part), rtol=1e-9, atol=1e-10)
    slopes = dd.jacobian(f, argnums=tuple(range(len(args))))(*args)
    slopes = np.concatenate([np.reshape(block, (seed.size, -1)) for block in slopes], axis=1)
    assert {"forward": slopes.shape[1], "reverse": seed.size} == table["passes"]
    assert slopes.shape[1] == len(table["directions"]) + table["omitted"]["directions"]
    for expected, tangent in zip(slopes.T, result["tangents"], strict=False):
        assert_allclose(array_of(tangent).ravel(), expected, rtol=1e-9, atol=1e-10)
    return table


def test_survey():
    """The table of the survey comes out, number by number."""
    table = assert_result(survey, 2.0, 5.0)

    values = {"x1": 2, "x2": 5, "v1": np.log(2), "v2": 10, "v3": np.log(2) + 10, "v4": np.sin(5)}
    assert_allclose(list({**values, "v5": 11.652071455223084}.values()), list(column(table, "value").values()))
    first, second = zip(*column(table, "tangents").values(), strict=True)
    assert_allclose([1, 0, 0.5, 5, 5.5, 0, 5.5], first)
    assert_allclose([0, 1, 0, 2, 2, np.cos(5), 2 - np.cos(5)], second)
    assert_allclose([5.5, 2 - np.cos(5), 1, 1, 1, -1, 1], list(column(table, "adjoint").values()))
    assert ["input", "input", "step", "step", "step", "step", "output"] == list(column(table, "role").values())
    partials = {name: [(p["operand"], p["formula"]) for p in row["partials"]] for name, row in by_name(table).items()}
    assert [("x1", "1/x1")] == partials["v1"]
    assert [("x1", "x2"), ("x2", "x1")] == partials["v2"]
    assert [("v3", "1"), ("v4", "−1")] == partials["v5"]
    assert ("survey", "dualdiff.trace/1", ["v5"], "v5") == tuple(
        table[k] for k in ("function", "schema", "outputs", "seed")
    )


@every_call
def test_samples(text):
    """Every rule's sample call, for the first and the last number of its result."""
    sample = Sample(text)
    sweeps = "1j" not in text and "2j" not in text  # where a slope is no number times the tangent
    for output in (0, -1):
        assert_result(sample.f, *sample.point, output=output, sweeps=sweeps)


@pytest.mark.parametrize("f", [*PROGRAMS, written_by_an_inner_derivative])
@pytest.mark.parametrize("symbols", [False, True])
def test_programs(f, symbols):
    """Programs with writes, views and swaps, which leave their argument as it was."""
    x = np.array([1.3, 0.7, 2.1, 0.4, 1.9, 1.1])
    at = x.copy()

    assert_result(lambda x: f(x), at, symbols=symbols)
    assert_allclose(x, at, rtol=0)


def buffered(x):
    """Write into parts of parts."""
    y = np.zeros_like(x)
    z = y[1:]
    z[0] = x[0] * 2
    y += x
    y[1:][1:] *= 3
    np.add.at(y, [0, 0], x[1])
    z.fill(x[2])
    return y * y


def out_given(x):
    """Have NumPy write the results."""
    y = np.zeros_like(x)
    np.sin(x, out=y)
    np.multiply(y, 2, out=y)
    np.exp(x, out=y, where=[True, False, False])
    return y


@dd.rule(partials=lambda x, r: 2 * x)
def squared(x):
    """Return x² by a rule of the user's."""
    return x * x


@dd.rule(jvp=lambda primals, tangents: (primals[0] ** 3, 3 * primals[0] ** 2 * tangents[0]))
def cubed(x):
    """Return x³ by a rule for the whole call."""
    return x**3


FUNCTIONS = {
    "itself": (lambda x: x, 2.0),
    "its array": (lambda x: x, X),
    "constant": (lambda x: 3.0, 2.0),
    "integer": (lambda x: x * x, 3),
    "integers": (lambda x: x * 2, np.array([1, 2])),
    "list": (lambda p: p[0] * p[1], [2.0, 3.0]),
    "writes": (buffered, X),
    "out": (out_given, X),
    "python": (lambda x: sum(x) + abs(x[0]) + pow(x[1], 2) + divmod(x[2], 2)[1] + round(x[0]), X + 0.3),
    "maximum": (lambda x, y: max(x, y) * min(x, y, 9.0), 3.0, 4.0),
    "sorted": (lambda x: sorted(x, reverse=True)[1] ** 2, X),
    "generator": (lambda x: sum(v * v for v in x if v > 1.5), X),
    "reduce": (lambda x: functools.reduce(lambda a, b: a * b, x), X),
    "vectorised": (lambda x: np.stack([v * v for v in x]), X),
    "objects": (lambda x: np.array([x[0], 2.0, x[1] * x[2]]), X),
    "ufunc methods": (lambda x: np.multiply.outer(x, x)[1] * np.add.reduce(x) + np.add.accumulate(x), X),
    "split": (lambda x: np.split(x, 3)[1] * x, X),
    "modf": (lambda x: np.modf(x)[0] * x, 3.5),
    "slogdet": (lambda A: np.linalg.slogdet(A).logabsdet, A),
    "solve": (np.linalg.solve, A, X[:2]),
    "einsum": (lambda A, x: np.einsum("i,ij,j", x, A, x), A, X[:2]),
    "broadcast": (lambda x, y: np.sum(x[:, None] * y + x[0]), X, X[:2]),
    "nested derivative": (lambda x: dd.derivative(lambda s: s * s * x)(x) + x, 2.0),
    "nested gradient": (lambda x: np.sum(dd.gradient(lambda s: np.sum(s * s * x))(x)), X),
    "nested hessian": (lambda x: dd.hessian(lambda s: s**4)(x), 2.0),
    "own partials": (lambda x: squared(x) * 2, X),
    "own jvp": (lambda x: cubed(x) * x, 2.0),
    "stopped": (lambda x: x * dd.stop_gradient(x) * x.value, 3.0),
    "recursion": (lambda x: power_of(x, 3), 2.0),
    "no dimension": (lambda x: x * 2, np.array(3.0)),
    "one element": (lambda x: x * x, np.array([[3.0]])),
    "single precision": (lambda x: np.sin(x) * 2, np.array([0.5, 0.25], np.float32)),
    "tied": (lambda x: np.maximum(x, 2.0) * np.clip(x, 1.0, 2.0), X),
    "complex": (lambda z: z * z * 1j, 1 + 2j),
    "through complex": (lambda x: abs(np.exp(1j * x) * x), 2.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    """Functions of all sorts, for the first and the last number of the result."""
    f, *args = FUNCTIONS[name]

    for output in (0, -1):
        assert_result(f, *args, output=output, sweeps=name != "through complex")


def test_identity_has_a_slope():
    """What only hands on an input has the partial 1, in letters too."""
    row = told(lambda x: x, 2.0, symbols=True)["rows"]

    assert ("1", "1") == (row[1]["partials"][0]["formula"], row[0]["adjoint_formula"])


def test_containers():
    """Dicts, tuples, named tuples and lists go in and come out, and every number of them can be seeded."""

    def f(p):
        return {"sum": p["pair"].a + p["l"][0], "more": Pair(p["pair"].b * p["l"][1], [p["pair"].a * 2.0])}

    given = {"pair": Pair(2.0, np.array([1.0, 2.0])), "l": (3.0, 4.0)}
    expected = {
        0: {"p['pair'].a": 1.0, "p['l'][0]": 1.0},
        1: {"p['pair'].b": [4.0, 0.0], "p['l'][1]": 1.0},
        2: {"p['pair'].b": [0.0, 4.0], "p['l'][1]": 2.0},
        3: {"p['pair'].a": 2.0},
    }
    for output, slopes in expected.items():
        table = told(f, given, output=output)
        assert_sweeps(table)
        rows = by_name(table)
        assert {"p['pair'].a", "p['pair'].b", "p['l'][0]", "p['l'][1]"} == set(table["inputs"])
        for name in table["inputs"]:
            assert_allclose(slopes.get(name, 0.0), array_of(rows[name]["adjoint"]))
    assert {"forward": 5, "reverse": 4} == told(f, given)["passes"]


def test_one_number_returned_twice():
    """Each result is a row of its own, though it be the same number, an input, or no number of the run."""

    def f(x):
        y = x * 2
        return y, y, x, 3.0

    for output, slope in enumerate([2.0, 2.0, 1.0, 0.0]):
        table = told(f, 5.0, output=output)
        assert_sweeps(table)
        assert slope == table["rows"][0]["adjoint"]
        assert 4 == len(set(table["outputs"])) == table["passes"]["reverse"]
        assert table["outputs"][output] == table["seed"]


@pytest.mark.parametrize(
    ("f", "args", "kwargs", "argnums", "names"),
    [
        (lambda *xs: xs[0] * xs[1], (2.0, 3.0), {}, None, ["xs[0]", "xs[1]"]),
        (lambda a, *xs: a * xs[0] * xs[1], (2.0, 3.0, 4.0), {}, None, ["a", "xs[0]", "xs[1]"]),
        (lambda x, k=2.0: x * k, (2.0,), {"k": 3.0}, None, ["x"]),
        (lambda x, k=2.0: x * k, (2.0,), {"k": 3.0}, "k", ["k"]),
        (lambda x, y, z: x * y * z, (2.0, 3.0, 4.0), {}, (0, "z"), ["x", "z"]),
        (lambda x, y, z: x * y * z, (2.0, 3.0, 4.0), {}, -1, ["z"]),
        (lambda x, **k: k["a"] * x, (2.0,), {"a": 3.0}, (0, "a"), ["x", "a"]),
        (np.multiply, (2.0, 3.0), {}, None, ["x1", "x2"]),
        (functools.partial(lambda a, x: a * x, 2.0), (3.0,), {}, None, ["x"]),
        (lambda v1, w2: v1 * w2, (2.0, 3.0), {}, None, ["v1", "w2"]),
    ],
)
def test_inputs_are_called_as_f_calls_them(f, args, kwargs, argnums, names):
    """An input's row has the parameter's name, and no step has it."""
    table = told(f, *args, argnums=argnums, **kwargs)

    assert_sweeps(table)
    assert names == table["inputs"] == [row["name"] for row in table["rows"][: len(names)]] == table["directions"]
    assert names == [row["source"] for row in table["rows"][: len(names)]]


def test_not_finite():
    """What is no number is text in JSON, and its rows still agree with their formulas."""
    with np.errstate(all="ignore"):
        table = told(lambda x: np.log(x) * 1j if False else np.log(x), 0.0)
        assert ("-inf", "inf", "inf") == (
            table["rows"][1]["value"], table["rows"][1]["tangents"][0], table["rows"][0]["adjoint"],
        )  # fmt: skip
        rows = told(lambda x: np.sqrt(x) * 2, -1.0)["rows"]
    assert ("nan", "nan", "nan") == (rows[1]["value"], rows[2]["value"], rows[2]["partials"][0]["value"])
    assert "(1+2j)" == told(lambda z: z * 1, 1 + 2j)["rows"][0]["value"]


def test_empty():
    """Nothing moves nothing."""
    assert {"forward": 0, "reverse": 0} == told(lambda x: x * 2, np.zeros(0))["passes"]
    assert {"forward": 0, "reverse": 1} == told(lambda x: np.sum(x * 2), np.zeros(0))["passes"]
    assert [] == told(lambda x: (), 1.0)["outputs"]


def test_a_trace_does_not_change():
    """Neither through what it hands out nor by setting or deleting; copies and pickles say the same."""
    shown = dd.trace(survey)(2.0, 5.0)
    before = shown.to_dict()
    mine = shown.to_dict()
    mine["rows"][0]["tangents"][0] = 99.0
    mine["counts"]["forward"]["additions"] = 0
    mine["rows"].clear()

    assert before == shown.to_dict()
    for change in (lambda: setattr(shown, "rows", []), lambda: delattr(shown, "_told")):
        with pytest.raises(AttributeError, match="does not change"):
            change()
    for again in (copy.copy(shown), copy.deepcopy(shown), pickle.loads(pickle.dumps(shown))):
        assert before == again.to_dict()


@pytest.mark.parametrize("rows", [3, 5, 6, 40])
def test_long_records_are_cut_in_the_middle(rows):
    """Beginning and end stay, and the cut says how much it took."""

    def f(x):
        for _ in range(50):
            x = np.sin(x)
        return x

    shown = dd.trace(f)(1.0)
    whole, table = shown.to_dict(), shown.to_dict(rows)
    (place,) = (i for i, row in enumerate(table["rows"]) if row["role"] == "cut")
    kept = [row for row in table["rows"] if row["role"] != "cut"]

    assert rows == len(kept)
    assert 51 - rows == table["rows"][place]["rows"] == table["omitted"]["rows"]
    assert whole["rows"] == [*kept[:place], *whole["rows"][place : 51 - rows + place], *kept[place:]]
    assert (51, 0) == (len(whole["rows"]), whole["omitted"]["rows"])


def test_large():
    """Large arrays are summarised, directions beyond the first few left out and counted."""
    x = np.linspace(0.0, 1.0, 100_000)
    table = told(lambda x: np.sum(np.sin(x)), x)
    row = table["rows"][1]

    assert ([100_000], 6, 3) == (row["value"]["shape"], len(row["value"]["first"]), len(row["value"]["last"]))
    assert_allclose(np.sin(x[-3:]), row["value"]["last"])
    assert_allclose(np.cos(x[:6]), table["rows"][0]["adjoint"]["first"])
    assert 100_000 == len(table["directions"]) + table["omitted"]["directions"] == table["passes"]["forward"]
    assert 16 >= len(table["directions"])
    assert {"multiplications": 100_000, "additions": 0} == table["counts"]["reverse"]


def test_many_rows():
    """Ten thousand steps are no trouble, in letters either."""

    def f(x):
        for _ in range(5_000):
            x = np.sin(x) + 0.1 * x
        return x

    table = told(f, 0.5, symbols=True)
    assert 15_001 == len(table["rows"])
    assert_allclose(dd.derivative(f)(0.5), table["rows"][0]["adjoint"], rtol=1e-9)
    assert_allclose(dd.derivative(f)(0.5), table["rows"][-1]["tangents"][0], rtol=1e-9)


def test_unused_steps_are_counted():
    """What no result depends on is left out."""
    table = told(lambda x: (np.exp(x) * 2, x * 3)[1], 2.0)

    assert ["x", "v1"] == [row["name"] for row in table["rows"]]
    assert 2 == table["omitted"]["unused"]


def test_threads():
    """Runs side by side keep apart."""
    tables = {}

    def work(k):
        def f(x):
            for _ in range(100):
                x = np.sin(x) + k
            return x

        tables[k] = told(f, float(k))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, table in tables.items():
        assert (201, k) == (len(table["rows"]), table["rows"][0]["value"])
        assert_sweeps(table)
    assert 6 == len(tables)


def test_traces_inside():
    """A trace of plain numbers within a trace has its own rows; one of moving numbers is refused."""
    inside = lambda x: dd.trace(lambda z: z * z)(x).to_dict()["rows"][-1]["value"]

    assert 9.0 == told(lambda x: x * inside(3.0), 2.0)["rows"][-1]["tangents"][0]
    for wrapped in (lambda: told(inside, 2.0), lambda: dd.derivative(inside)(2.0)):
        with pytest.raises(TypeError, match="trace outside"):
            wrapped()


def test_errors():
    """Each says what is wrong and what to do."""
    for f, error, match in (
        (lambda: dd.trace(3.0), TypeError, r"Write trace\(f\)"),
        (lambda: dd.trace(survey)(), TypeError, r"trace\(f\)"),
        (lambda: dd.trace(lambda x: None)(1.0), TypeError, "forget 'return'"),
        (lambda: dd.trace(lambda x: x)("a"), TypeError, "argument 0"),
        (lambda: dd.trace(lambda x: x, output=1)(1.0), ValueError, "output=1"),
        (lambda: dd.trace(lambda x: x, output=-2)(1.0), ValueError, "output=-2"),
        (lambda: dd.trace(lambda x: x, output="x")(1.0), TypeError, "output"),
        (lambda: dd.trace(lambda x: x, argnums="q")(1.0), ValueError, "'q'"),
        (lambda: dd.trace(lambda x: {}[x])(1.0), KeyError, None),
        (lambda: dd.trace(lambda x: float(x))(1.0), dd.DroppedTangentError, "np.sin"),
    ):
        with pytest.raises(error, match=match):
            f()
    assert 4.0 == dd.derivative(lambda x: x * x)(2.0)  # and nothing is left behind
