"""Traces as plain data, worked out by hand: what pictures and pages of them are held to."""

import copy
import math

__all__ = ["ARRAYS", "CUT", "HOSTILE", "SURVEY", "chain", "four_digits", "with_text"]

# What a reader may have written, each to be shown as it is and never obeyed.
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"]; x [label="',
    "`code` & <b>bold</b> &lt; #35; %%{init}%%",
    "'); alert(1); ('",
    "값 = 'é' # 🙂",
    "a\\nb\\",
    "]]> --> <!-- ${x} $title {{y}}",
]


def row(name, source, formula, value, partials, tangents, adjoint, **others):
    """Return one row of numbers; partials are triples of operand, formula and value."""
    entered = not partials
    return {
        "name": name,
        "role": "input" if entered else "step",
        "source": source,
        "line": None if entered else 2,
        "operation": "input" if entered else "operation",
        "formula": formula,
        "shape": [],
        "value": value,
        "partials": [
            {"operand": operand, "kind": "number", "formula": text, "value": slope} for operand, text, slope in partials
        ],
        "tangents": tangents,
        "adjoint": adjoint,
        "tangent_formulas": [],
        "adjoint_formula": None,
        "note": None,
        **others,
    }


def trace(rows, directions, seed, forward, reverse, **others):
    """Return a trace of those rows; forward and reverse are multiplications and additions."""
    return {
        "schema": "dualdiff.trace/1",
        "function": "f",
        "symbols": False,
        "inputs": [row["name"] for row in rows if row["role"] == "input"],
        "outputs": [rows[-1]["name"]],
        "directions": directions,
        "seed": seed,
        "rows": rows,
        "passes": {"forward": len(directions), "reverse": 1},
        "counts": {
            "forward": dict(zip(("multiplications", "additions"), forward, strict=True)),
            "reverse": dict(zip(("multiplications", "additions"), reverse, strict=True)),
        },
        "omitted": {"unused": 0, "directions": 0, "rows": 0},
        **others,
    }


_LOG, _SIN, _COS = math.log(2), math.sin(5), math.cos(5)

# log(x1) + x1*x2 - sin(x2) at (2, 5): tables 2 and 3 of Baydin et al., 2018.
SURVEY = trace(
    [
        row("x1", "x1", "x1", 2.0, [], [1.0, 0.0], 5.5),
        row("x2", "x2", "x2", 5.0, [], [0.0, 1.0], 2 - _COS),
        row("v1", "np.log(x1)", "log(x1)", _LOG, [("x1", "1/x1", 0.5)], [0.5, 0.0], 1.0),
        row("v2", "x1*x2", "x1·x2", 10.0, [("x1", "x2", 5.0), ("x2", "x1", 2.0)], [5.0, 2.0], 1.0),
        row("v3", "np.log(x1) + x1*x2", "v1 + v2", _LOG + 10, [("v1", "1", 1.0), ("v2", "1", 1.0)], [5.5, 2.0], 1.0),
        row("v4", "np.sin(x2)", "sin(x2)", _SIN, [("x2", "cos(x2)", _COS)], [0.0, _COS], -1.0),
        row(
            "v5", "np.log(x1) + x1*x2 - np.sin(x2)", "v3 − v4", _LOG + 10 - _SIN,
            [("v3", "1", 1.0), ("v4", "−1", -1.0)], [5.5, 2 - _COS], 1.0, role="output",
        ),
    ],
    ["x1", "x2"], "v5", (16, 6), (8, 2),
)  # fmt: skip


def chain(length):
    """Return sin(sin(... sin(x))) at 1, of so many rows; each takes one multiplication in each pass."""
    values = [1.0]
    for _ in range(length - 1):
        values.append(math.sin(values[-1]))
    slopes = [1.0, *(math.cos(value) for value in values[:-1])]
    names = ["x", *(f"v{i}" for i in range(1, length))]
    rows = [row("x", "x", "x", 1.0, [], [1.0], math.prod(slopes))]
    for i in range(1, length):
        partial = (names[i - 1], f"cos({names[i - 1]})", slopes[i])
        tangent, adjoint = math.prod(slopes[: i + 1]), math.prod(slopes[i + 1 :])
        rows.append(row(names[i], "x = sin(x)", f"sin({names[i - 1]})", values[i], [partial], [tangent], adjoint))
    rows[-1]["role"] = "output"
    return trace(rows, ["x"], names[-1], (length - 1, 0), (length - 1, 0))


def _arrays():
    """Return sum(x²) at x = (1, 2, 3)."""
    x = [1.0, 2.0, 3.0]
    units = [[float(i == j) for j in range(3)] for i in range(3)]
    entered = row("x", "x", "x", x, [], units, [2.0, 4.0, 6.0], shape=[3])
    square = row("v1", "x**2", "x²", [1.0, 4.0, 9.0], [("x", "2·x", 0)], [], [1.0, 1.0, 1.0], shape=[3])
    square["partials"][0] |= {"kind": "elementwise", "value": [2.0, 4.0, 6.0]}
    square["tangents"] = [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]
    total = row("v2", "np.sum(x**2)", "sum(v1)", 14.0, [("v1", "", 0)], [2.0, 4.0, 6.0], 1.0, role="output")
    total["partials"][0] |= {"kind": "jacobian", "formula": None, "value": [1.0, 1.0, 1.0]}
    return trace([entered, square, total], ["x[0]", "x[1]", "x[2]"], "v2", (9, 6), (3, 0))


ARRAYS = _arrays()


def _cut():
    """Return a chain of 100 rows of which 94 were cut out."""
    told = chain(100)
    told["rows"][3:-3] = [{"role": "cut", "rows": 94}]
    told["omitted"]["rows"] = 94
    return told


CUT = _cut()


def with_text(text):
    """Return SURVEY as if its reader had called everything by that text."""
    told = copy.deepcopy(SURVEY)
    told["function"] = text
    for each in told["rows"]:
        each["source"] = each["note"] = text
    told["rows"][2]["formula"] = told["rows"][2]["partials"][0]["formula"] = text
    renamed = told["rows"][1]["name"]
    for each in told["rows"]:
        for partial in each["partials"]:
            if partial["operand"] == renamed:
                partial["operand"] = f"p[{text!r}]"
    told["rows"][1]["name"] = told["rows"][1]["formula"] = told["inputs"][1] = told["directions"][1] = f"p[{text!r}]"
    return told


def four_digits(number):
    """Return a number as its reader sees it."""
    return f"{number:.4g}".replace("-", "−")
