"""Tangents and adjoints in the inputs' letters, as far as there is a text that says no more and no less than them.

A formula knows its value, and so its shape: a tangent 1 of an array is one number that stands for many, and what adds
the many up must be told so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.lecture.formula import Formula, opaque
from dualdiff.lecture.passes import is_elementwise
from dualdiff.lecture.record import Known, Row
from dualdiff.lecture.spelling import operand, spelled, text_of
from dualdiff.primal import shape_of
from dualdiff.rules.book import RULES, Move

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PRODUCTS", "contribution", "is_zero", "tangent"]

_LINEAR = ("index", "sum", "mean", "T", "mT", "flatten", "cumsum", "diff", "trace", "view")  # besides what only moves
PRODUCTS = ("matmul", "dot", "inner", "vdot", "outer", "kron", "cross")
_BESIDE = {"initial", "prepend", "append", "where", "dtype", "out", "to_end", "to_begin"}  # more than moves


def is_zero(x: Any) -> bool:
    """Tell whether a formula is the number 0."""
    return not isinstance(x, Formula) and not np.ndim(x) and x == 0


def _worth(x: Any) -> Any:
    return x.value if isinstance(x, Formula) else x


def _full(x: Any, shape: tuple[int, ...]) -> Any:
    """Return a formula in the shape that it stands for."""
    if shape_of(_worth(x)) == shape:
        return x
    return opaque(f"broadcast_to({text_of(x)}, {shape})", np.broadcast_to(_worth(x), shape))


# --- forward -----------------------------------------------------------------------------------------------------


def tangent(row: Row, letters: Mapping[Row, Any], partials: Sequence[Any], along: Mapping[Row, Any], value: Any) -> Any:
    """Return the formula of a tangent, worth `value`, given those of the sources; None where there is none."""
    moving = {source: t for source, t in along.items() if not is_zero(t)}
    if not moving:
        return 0.0
    if any(t is None for t in moving.values()):
        return None
    if is_elementwise(row):
        total: Any = 0.0
        for source, partial in zip(row.sources, partials, strict=True):
            if source in moving:
                total = None if partial is None or total is None else total + partial * moving[source]
        return total
    made = _linear(row, letters, moving)
    if isinstance(made, Formula):
        made.value = value
    return made


def _linear(row: Row, letters: Mapping[Row, Any], moving: Mapping[Row, Any]) -> Any:
    """Return what a row, linear in what moves, does to the tangents."""
    if _BESIDE & set(row.kwargs):
        return None
    full = {source: _full(t, source.shape) for source, t in moving.items()}
    moves = RULES.get(getattr(np, row.operation, None))
    many = row.operation == "array" or (isinstance(moves, Move) and moves.many)
    if not many and (row.operation in _LINEAR or isinstance(moves, Move)) and row.args and row.args[0] in full:
        return spelled(row, letters, (full[row.args[0]], *row.args[1:]))
    if many and len(row.args) == 1:
        return spelled(row, letters, (_moved(row.args[0], full),))
    if row.operation == "where" and len(row.args) == 3:
        return _chosen(row, letters, full)
    if row.operation in PRODUCTS and len(row.args) == 2 and not row.kwargs:
        total: Any = 0.0
        for i, x in enumerate(row.args):  # one factor at a time, should both be the same
            if isinstance(x, Row) and x in full:
                term = spelled(row, letters, tuple(_factor(full[x]) if j == i else y for j, y in enumerate(row.args)))
                term.value = None
                total = total + term
        return total
    return None


def _factor(x: Any) -> Any:
    return x if isinstance(x, Formula) else opaque(str(text_of(x)), x)


def _moved(x: Any, full: Mapping[Row, Any]) -> Any:
    """Return members of a list by their tangents, 0 for what does not move."""
    if isinstance(x, (list, tuple)):
        return type(x)(_moved(item, full) for item in x)
    if isinstance(x, Row) and x in full:
        return _factor(full[x])
    shape = x.shape if isinstance(x, Row) else shape_of(x.value if isinstance(x, Known) else x)
    return opaque(f"zeros({shape if len(shape) != 1 else shape[0]})", np.zeros(shape)) if shape else 0


def _chosen(row: Row, letters: Mapping[Row, Any], full: Mapping[Row, Any]) -> Any:
    condition, x, y = row.args
    branches = [full.get(branch, 0) if isinstance(branch, Row) else 0 for branch in (x, y)]
    if isinstance(condition, (bool, np.bool_)):
        return branches[0] if condition else branches[1]
    return spelled(row, letters, (condition, *branches))


# --- backward ----------------------------------------------------------------------------------------------------


def contribution(row: Row, source: Row, partial: Any, g: Any) -> Any:
    """Return what the adjoint g of a row adds to that of a source; None where there is no text for it."""
    if is_zero(g):
        return 0.0
    if g is None or np.iscomplexobj(row.value) or np.iscomplexobj(source.value):
        return None
    if is_elementwise(row):
        return None if partial is None else _summed(g * partial, row, source)
    if row.operation == "sum" and len(row.args) == 1 and not row.kwargs:
        return g
    if row.operation == "where" and isinstance(row.args[0], (bool, np.bool_)):
        return g if row.args[1 if row.args[0] else 2] is source else 0.0
    if partial is not None and row.shape == () and source.shape:
        return g * partial
    if row.operation == "matmul" and len(row.args) == 2 and isinstance(row.args[0], Known) and row.shape:
        known, full = operand(row.args[0], {}), _full(g, row.shape)
        if known.value.ndim != 2:
            return None
        turned = f"{known.text}.T" if known.text.isidentifier() else f"({known.text}).T"
        atom = isinstance(full, Formula) and full.terms is None and full.operation in ("name", "call")
        text = text_of(full)
        return opaque(f"{turned} @ {text if atom else f'({text})'}", known.value.T @ _worth(full), "@")
    return None


def _summed(product: Any, row: Row, source: Row) -> Any:
    """Return a product of the row's shape as its source, which was broadcast to it, has it."""
    if source.shape == row.shape:
        return product
    if source.shape:
        return None
    if not shape_of(_worth(product)):
        return math.prod(row.shape) * product
    full = _full(product, row.shape)
    return opaque(f"sum({text_of(full)})", np.sum(_worth(full)))
