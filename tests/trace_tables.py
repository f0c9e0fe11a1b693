"""What the tables of a trace are held to: the two sweeps, recomputed from the plain data alone, and formulas read."""

import ast
import json
import re

import numpy as np
from numpy.testing import assert_allclose

import dualdiff as dd

__all__ = ["array_of", "assert_sweeps", "by_name", "python", "sources", "told", "worth"]


def told(f, *args, output=0, symbols=False, argnums=None, **kwargs):
    """Return the table of a run as it comes back from a file."""
    shown = dd.trace(f, argnums, symbols=symbols, output=output)(*args, **kwargs)
    return json.loads(json.dumps(shown.to_dict(), allow_nan=False))


def by_name(table):
    """Return the rows of a table by their names."""
    rows = {row["name"]: row for row in table["rows"]}
    assert len(rows) == len(table["rows"]), "each name is there once"
    return rows


def sources(table):
    """Return the source of every step."""
    return [row["source"] for row in table["rows"] if row["role"] != "input"]


def array_of(numbers):
    """Return the numbers of a table as an array; None where the table has none, or a summary of them."""
    if numbers is None or isinstance(numbers, dict):
        return None
    leaves = np.array(numbers, dtype=object)
    kind = complex if any("j" in x for x in leaves.ravel() if isinstance(x, str)) else float
    return np.array([kind(x) for x in leaves.ravel()], dtype=kind).reshape(leaves.shape)


# --- sweeps ---------------------------------------------------------------------------------------------------------


def _times(slope, moving):
    """Multiply; what does not move contributes nothing, whatever its slope."""
    with np.errstate(all="ignore"):
        return np.where(moving == 0, 0.0, slope * moving)


def _moved(partial, tangent):
    """Return what a row makes of the tangent of an operand."""
    slope = array_of(partial["value"])
    if partial["kind"] == "jacobian":
        shape = slope.shape[: slope.ndim - tangent.ndim]
        return _times(slope.reshape(*shape, tangent.size), tangent.ravel()).sum(axis=-1)
    return _times(slope, tangent)


def _pulled(operand, partial, adjoint):
    """Return what a row's adjoint gives to an operand."""
    slope, shape = np.conjugate(array_of(partial["value"])), tuple(operand["shape"])
    if partial["kind"] == "jacobian":
        return _times(slope.reshape(adjoint.size, *shape), adjoint.reshape(-1, *[1] * len(shape))).sum(axis=0)
    given = _times(slope, adjoint)
    given = given.sum(axis=tuple(range(given.ndim - len(shape))))
    return given.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def assert_sweeps(table, rtol=1e-11):
    """Every tangent is the sum of partials times tangents, every adjoint the sum of adjoints times partials."""
    rows, seen = by_name(table), set()
    gathered = {name: [] for name in rows}
    for row in rows.values():
        assert {partial["operand"] for partial in row["partials"]} <= seen, "operands stand before"
        seen.add(row["name"])
        for x in (row["value"], row["adjoint"], *row["tangents"]):
            assert tuple(row["shape"]) == (tuple(x["shape"]) if isinstance(x, dict) else array_of(x).shape)
        assert len(table["directions"]) == len(row["tangents"])
        for partial in row["partials"]:
            parts = (array_of(partial["value"]), array_of(row["adjoint"]))
            known = all(part is not None for part in parts)
            operand = rows[partial["operand"]]
            gathered[operand["name"]].append(_pulled(operand, partial, parts[1]) if known else None)
        if row["role"] == "input":
            assert row["partials"] == []
            continue
        for i, tangent in enumerate(map(array_of, row["tangents"])):
            parts = [(partial, array_of(rows[partial["operand"]]["tangents"][i])) for partial in row["partials"]]
            known = all(array_of(p["value"]) is not None and t is not None for p, t in parts)
            if known and tangent is not None:
                total = sum((_moved(*part) for part in parts), np.zeros(tangent.shape))
                assert_allclose(tangent, total, rtol=rtol, atol=rtol, err_msg=row["name"])
    seeded = table["seed"].split("[")[0]
    for name, parts in gathered.items():
        adjoint = array_of(rows[name]["adjoint"])
        if name == seeded:
            assert not [part for part in parts if np.any(part)]
            assert 1.0 == adjoint.sum() == adjoint.max()
        elif adjoint is not None and all(part is not None for part in parts):
            total = sum(parts, np.zeros(adjoint.shape))
            assert_allclose(adjoint, total, rtol=rtol, atol=rtol, err_msg=name)


# --- formulas -------------------------------------------------------------------------------------------------------

_POWERS = str.maketrans("²³⁴⁵⁶⁷⁸⁹", "23456789")


def python(formula):
    """Return a formula as Python has it."""
    text = re.sub("[²³⁴⁵⁶⁷⁸⁹]", lambda sign: f"**{sign.group().translate(_POWERS)}", formula)
    return text.replace("·", "*").replace("−", "-")


class _Names(dict):
    def __missing__(self, name):
        return getattr(np, name) if hasattr(np, name) else getattr(np.linalg, name)


class _Arrays(ast.NodeTransformer):
    """Lists between operators are the arrays that they stand for."""

    def visit_Call(self, node):
        return node

    visit_Subscript = visit_Call  # noqa: N815 - as ast has it

    def visit_List(self, node):
        return ast.Call(ast.Name("array", ast.Load()), [node], [])


def worth(formula, names):
    """Return what a formula is worth in NumPy, given what its letters are."""
    tree = ast.fix_missing_locations(_Arrays().visit(ast.parse(python(formula), mode="eval")))
    with np.errstate(all="ignore"):
        code = compile(tree, formula, "eval")
        return np.asarray(eval(code, {"__builtins__": {"__import__": __import__}}, _Names({"abs": abs} | names)))  # noqa: S307
