"""Traces as dicts, built from formulas by the chain rule itself and nothing of the package; and tables read again."""

import math
import unicodedata

PLAIN = str.maketrans({"·": "*", "−": "-"} | {c: f"**{n}" for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})
FUNCTIONS = {name: getattr(math, name) for name in ("log", "sin", "cos", "exp", "sqrt", "tanh", "cosh")}


def worth(formula, names):
    """Evaluate a formula of numbers by Python itself."""
    return float(eval(formula.translate(PLAIN), {**FUNCTIONS, **names}))  # noqa: S307 - formulas written in the tests


def told(inputs, steps, outputs=None, **changes):
    """Return the dict of a trace.

    `inputs` are names and numbers, `steps` are (name, source, formula, {operand: formula of the partial}).
    """
    names, rows, numbers = {}, [], {}
    for name, value in inputs.items():
        rows.append(_row(name, "input", name, "input", name, value, []))
    for name, source, formula, partials in steps:
        rows.append(_row(name, "step", source, "step", formula, None, list(partials.items())))
    for row in rows:
        if row["value"] is None:
            row["value"] = worth(row["formula"], names)
        numbers[row["name"]] = row["value"]
        head, _, rest = row["name"].partition("[")
        if rest:
            names.setdefault(head, {})[rest.strip("]'")] = row["value"]
        else:
            names[head] = row["value"]
        row["partials"] = [
            {"operand": operand, "kind": "number", "formula": formula, "value": worth(formula, names)}
            for operand, formula in row["partials"]
        ]
    outputs = outputs or [rows[-1]["name"]]
    for row in rows:
        row["role"] = "output" if row["name"] in outputs and row["role"] == "step" else row["role"]
    return _swept(rows, [*inputs], outputs) | changes


def _row(name, role, source, operation, formula, value, partials):
    return {
        "name": name, "role": role, "source": source, "line": None, "operation": operation, "formula": formula,
        "shape": [], "value": value, "partials": partials, "tangents": [], "adjoint": 0.0, "tangent_formulas": [],
        "adjoint_formula": None, "note": None,
    }  # fmt: skip


def _swept(rows, inputs, outputs):
    """Work out tangents from the top and adjoints from the end."""
    named = {row["name"]: row for row in rows}
    for row in rows:
        for i, name in enumerate(inputs):
            parts = [p["value"] * named[p["operand"]]["tangents"][i] for p in row["partials"]]
            row["tangents"].append(float(row["name"] == name) if row["role"] == "input" else math.fsum(parts))
    named[outputs[0]]["adjoint"] = 1.0
    for row in reversed(rows):
        for p in row["partials"]:
            named[p["operand"]]["adjoint"] += p["value"] * row["adjoint"]
    return {
        "schema": "dualdiff.trace/1", "function": "f", "symbols": False, "inputs": inputs, "outputs": outputs,
        "directions": list(inputs), "seed": outputs[0], "rows": rows,
        "passes": {"forward": len(inputs), "reverse": len(outputs)},
        "counts": {"forward": {"multiplications": 16, "additions": 6},
                   "reverse": {"multiplications": 8, "additions": 2}},
        "omitted": {"unused": 0, "directions": 0, "rows": 0},
    }  # fmt: skip


def survey():
    """Return ln x1 + x1·x2 − sin x2 at (2, 5), the example of Baydin et al. (2018)."""
    steps = [
        ("v1", "np.log(x1)", "log(x1)", {"x1": "1/x1"}),
        ("v2", "x1*x2", "x1·x2", {"x1": "x2", "x2": "x1"}),
        ("v3", "np.log(x1) + x1*x2", "v1 + v2", {"v1": "1", "v2": "1"}),
        ("v4", "np.sin(x2)", "sin(x2)", {"x2": "cos(x2)"}),
        ("v5", "np.log(x1) + x1*x2 - np.sin(x2)", "v3 − v4", {"v3": "1", "v4": "−1"}),
    ]
    return told({"x1": 2.0, "x2": 5.0}, steps)


def seed():
    """Return sin² t + 2·cos t at 1.2, where two paths meet in t."""
    steps = [
        ("v1", "np.sin(t)", "sin(t)", {"t": "cos(t)"}),
        ("v2", "np.sin(t)**2", "v1²", {"v1": "2·v1"}),
        ("v3", "np.cos(t)", "cos(t)", {"t": "−sin(t)"}),
        ("v4", "2*np.cos(t)", "2·v3", {"v3": "2"}),
        ("v5", "np.sin(t)**2 + 2*np.cos(t)", "v2 + v4", {"v2": "1", "v4": "1"}),
    ]
    return told({"t": 1.2}, steps)


def in_letters():
    """Return the seed example in the letters of its input."""
    trace = seed()
    formulas = ["t", "sin(t)", "sin(t)²", "cos(t)", "2·cos(t)", "sin(t)² + 2·cos(t)"]
    slope = "2·sin(t)·cos(t) − 2·sin(t)"
    tangents = ["1", "cos(t)", "2·sin(t)·cos(t)", "−sin(t)", "−2·sin(t)", slope]
    adjoints = [slope, "2·sin(t)", "1", "2", "1", "1"]
    for row, formula, tangent, adjoint in zip(trace["rows"], formulas, tangents, adjoints, strict=True):
        row |= {"formula": formula, "tangent_formulas": [tangent], "adjoint_formula": adjoint}
    return trace | {"symbols": True}


def long_sources():
    """Return the survey with sources of 120 characters and more, with a tab and a line break."""
    trace = survey()
    for row in trace["rows"][2:]:
        row["source"] = f"np.where(condition_{row['name']},\n\t{' + '.join([row['source']] * 12)}, otherwise)"
    return trace


def korean():
    """Return a trace with wide letters and a branch."""
    steps = [
        ("v1", "값*속도1", "값·속도1", {"값": "속도1", "속도1": "값"}),
        ("v2", "np.sin(값)", "sin(값)", {"값": "cos(값)"}),
        ("v3", "값*속도1 + np.sin(값)", "v1 + v2", {"v1": "1", "v2": "1"}),
    ]
    trace = told({"값": -2.0, "속도1": 1234567.0}, steps)
    trace["rows"][2]["note"] = (
        "if 값 > 1: taken\tbecause the value of 값 was larger than one, and the other way was not"
    )
    return trace


def keyed():
    """Return a trace whose inputs are entries of a dict."""
    steps = [
        ("v1", "np.exp(-p['a long name of a key'])", "exp(−p['a long name of a key'])",
         {"p['a long name of a key']": "−exp(−p['a long name of a key'])"}),
        ("v2", "p['A']*…", "p['A']·v1", {"p['A']": "v1", "v1": "p['A']"}),
    ]  # fmt: skip
    return told({"p['A']": 3.0, "p['a long name of a key']": 0.25}, steps)


def many():
    """Return a product of twelve inputs."""
    steps = [("v1", "out*x", "x1·x2", {"x1": "x2", "x2": "x1"})]
    steps += [
        (f"v{i - 1}", "out*x", f"v{i - 2}·x{i}", {f"v{i - 2}": f"x{i}", f"x{i}": f"v{i - 2}"}) for i in range(3, 13)
    ]
    return told({f"x{i}": 1 + i / 7 for i in range(1, 13)}, steps)


def loop(rows=300):
    """Return the Babylonian square root with a record of `rows` rows, of which the middle is cut out."""
    steps, before = [], "x"
    for i in range(1, rows, 3):
        steps.append((f"v{i}", "x/t", f"x/{before}", {"x": f"1/{before}", before: f"−x/{before}²"}))
        steps.append((f"v{i + 1}", "t + x/t", f"{before} + v{i}", {before: "1", f"v{i}": "1"}))
        steps.append((f"v{i + 2}", "(t + x/t)/2", f"v{i + 1}/2", {f"v{i + 1}": "0.5"}))
        before = f"v{i + 2}"
    trace = told({"x": 2.0}, steps)
    missing = len(trace["rows"]) - 60
    trace["rows"] = [*trace["rows"][:40], {"role": "cut", "rows": missing}, *trace["rows"][-20:]]
    trace["omitted"]["rows"] = missing
    return trace


def crowded():
    """Return a trace with long names and numbers that take ten columns each."""
    a, b = "first_long_name", "second_long_name"
    steps = [
        ("v1", "np.sin(first_long_name)", f"sin({a})", {a: f"−1.2345e−5·cos({a})"}),
        ("v2", "v*second_long_name", f"v1·{b}", {"v1": "−2.3456e−7", b: "−v1"}),
    ]
    return told({a: -1.2345e-5, b: -6.789e20}, steps)


def symbols():
    """Return the survey in the letters of its inputs, with long formulas."""
    trace = survey()
    nothing = "0·(" + " + ".join(f"x1**{k}·sin(x2)" for k in range(10, 40)) + ")"
    formulas = ["x1", "x2", "log(x1)", "x1·x2", "log(x1) + x1·x2", "sin(x2)", "log(x1) + x1·x2 − sin(x2)"]
    tangents = [
        ["1", "0"],
        ["0", "1"],
        ["1/x1", "0"],
        ["x2", "x1"],
        [f"1/x1 + x2 + {nothing}", "x1"],
        ["0", "cos(x2)"],
        ["1/x1 + x2", f"x1 − cos(x2) + {nothing}"],
    ]
    adjoints = ["1/x1 + x2", "x1 − cos(x2)", "1", "1", f"1 + {nothing}", "−1", "1"]
    for row, formula, tangent, adjoint in zip(trace["rows"], formulas, tangents, adjoints, strict=True):
        row |= {"formula": formula, "tangent_formulas": tangent, "adjoint_formula": adjoint}
    return trace | {"symbols": True}


def arrays():
    """Return a trace with rows that are arrays: short ones, a matrix and one of a thousand numbers."""
    trace = survey()
    ends = {"shape": [1000], "first": [-1.5e-7, 2.0, 3.0, 4.0, 5.0, 6.0], "last": [998.0, 999.0, "nan"]}
    values = [
        [1.0, 2.0, 3.0],
        [[1.0, -2.0], [0.5, "inf"]],
        ends,
        [float(i) for i in range(40)],
        ["(1+2j)", "(-1-0.5j)"],
    ]
    shapes = [[3], [2, 2], [1000], [40], [2]]
    for row, value, shape in zip(trace["rows"], values, shapes, strict=False):
        row |= {"shape": shape, "value": value, "tangents": [value, value], "adjoint": value}
        for partial, kind in zip(row["partials"], ["jacobian", "elementwise"], strict=False):
            partial |= {"kind": kind, "formula": partial["formula"] if kind == "elementwise" else None, "value": None}
    trace["rows"][5]["partials"][0] |= {"kind": "jacobian", "value": None}
    trace["rows"][6]["partials"] = [
        {"operand": p["operand"], "kind": "jacobian", "formula": None, "value": None}
        for p in trace["rows"][6]["partials"]
    ]
    return trace | {"directions": ["x1[0]", "x1[1]"], "omitted": {"unused": 2, "directions": 1001, "rows": 0}}


CASES = {
    "survey": survey, "long sources": long_sources, "korean": korean, "keyed": keyed, "many": many, "loop": loop,
    "crowded": crowded, "symbols": symbols, "arrays": arrays,
}  # fmt: skip
NUMBERS = [name for name in CASES if name != "arrays"]


# --- tables, read again ---


def columns(text):
    """Count columns by the tables of Unicode."""
    return (
        len(text)
        if text.isascii()
        else sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
    )


def table_lines(text):
    """Return, for each row of each table, the title above it, the headings and the cells; a source is never missing."""
    title, heads, shift = "", [], 0
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if "pass" in line and len(cells) == 1:
            title = line
        elif {"value", "primal value"} & {*cells} and not cells[0]:
            shift = cells[2] not in {"source", "sour…", "sou…", "so…"}
            heads = [*cells[:2], *["source"] * shift, *cells[2:]]
        elif len(cells) + shift == len(heads):
            yield title, heads, [*cells[:2], *[""] * shift, *cells[2:]]
