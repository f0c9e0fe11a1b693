"""A function that is itself a derivative: what it was made of, and which slip on the way explains a claim about it.

Its record is one step.  So its formula is read off the record of what it was made of and takes its place; and a slip
may have been made one derivative earlier, and all that came of it been differentiated rightly.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.expression import Expression, ExpressionError, parse
from dualdiff.floating import quiet
from dualdiff.lecture.checked.chains import chained
from dualdiff.lecture.checked.slips import Slip, Words, slips
from dualdiff.lecture.derivation import in_letters
from dualdiff.lecture.passes import tangents
from dualdiff.lecture.run import recorded
from dualdiff.lecture.spelling import text_of
from dualdiff.transforms.containers import private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.lecture.checked.points import Point
    from dualdiff.lecture.checked.weighing import Weighed
    from dualdiff.lecture.source import Place

__all__ = ["Source", "earlier", "later", "source_of"]

_STEP = 1e-3  # of differences of what a slip makes of the derivative, extrapolated once
_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
_MOST = 8  # numbers that move


class Source(NamedTuple):
    """What a function is the derivative of, and how many times; itself and 0 where it is none."""

    f: Any
    order: int


def source_of(f: Any) -> Source:
    """Return what a function that a transform has made was made of."""
    order = 0
    while _transform(f) is not None and hasattr(f, "__wrapped__"):
        f = f.__wrapped__
        order += 1
    return Source(f, order)


def _transform(f: Any) -> str | None:
    """Return the name of the transform that made a function."""
    module = getattr(f, "__globals__", {}).get("__name__", "")
    if module in ("dualdiff.transforms.derivative", "dualdiff.transforms.gradient"):
        return str(module.rpartition(".")[2])
    if module != "dualdiff.transforms.asking" or f.__closure__ is None:
        return None
    cells = dict(zip(f.__code__.co_freevars, f.__closure__, strict=True))
    name = cells["name"].cell_contents if "name" in cells else None
    return name if name in ("derivative", "gradient", "jacobian") else None


# --- the formula of a derivative ------------------------------------------------------------------------------------


class _Written:
    """A derivative as the formula that the record gives for it, one for each of its numbers."""

    def __init__(self, parts: Sequence[Expression], names: Sequence[str]) -> None:
        self.parts = parts
        self.names = names
        self.text = ", ".join(part.text for part in parts)
        self.__signature__ = inspect.Signature([inspect.Parameter(x, _POSITIONAL) for x in names])

    def __call__(self, *args: Any) -> Any:
        values = dict(zip(self.names, args, strict=True))
        found = [part(**{name: values[name] for name in part.names}) for part in self.parts]
        return found[0] if len(found) == 1 else np.stack([x + 0 * args[0] for x in found])


def _written(f: Any, moving: tuple[int, ...], names: Sequence[str], point: Point) -> _Written | None:
    """Return a derivative of a function of numbers as its formula; None where there is none that can be read."""
    if _transform(f) is None or any(np.ndim(x) for x in point):
        return None
    inner: Any = f.__wrapped__
    inner = _written(inner, moving, names, point) or inner
    try:
        run = recorded(inner, moving, [private(x) for x in point], {})
        inputs = [i for i, row in enumerate(run.rows) if row.role == "input"]
        moved = [tangents(run.rows, {i: 1.0}) for i in inputs]
        formulas = in_letters(run.rows, [{run.rows[i]: 1.0} for i in inputs], moved, None, moved[0])
        texts = [text_of(t) for row in run.outputs if not row.shape for t in formulas[row].tangents]
        if len(run.outputs) != 1 or not texts or any(text is None for text in texts):
            return None
        return _Written([parse(str(text)) for text in texts], names)
    except (ExpressionError, TypeError, ValueError, ArithmeticError):
        return None


def later(f: Any, moving: tuple[int, ...], names: Sequence[str], points: Sequence[Weighed]) -> list[list[Slip]]:
    """Return, for each point, the slips that can be made where the formula of f, a derivative, is differentiated."""
    found: list[list[Slip]] = []
    for w in points:
        own: list[Slip] = []
        formula = _written(f, moving, names, w.point) if w.usable else None
        if formula is not None:
            try:
                chains = chained(recorded(formula, moving, list(w.point), {}))
            except (ExpressionError, TypeError, ValueError, ArithmeticError):
                chains = None
            if chains is not None and _is_same(chains.total, w.truth.matrix):
                said = _mark(len(names), source_of(f).order)
                own = [
                    slip._replace(text=f"in the derivative of {said} = {formula.text}: {slip.text}")
                    for slip in slips(chains, Words(chains))
                ]
        found.append(own)
    return found


def _is_same(matrix: Any, true: Any) -> bool:
    return matrix.shape == true.shape and np.allclose(matrix, true, rtol=1e-9, atol=1e-12)


def _mark(arguments: int, order: int) -> str:
    return "∇f" if arguments > 1 else "f" + "′" * order


# --- a slip made one derivative earlier ---------------------------------------------------------------------------


def earlier(
    f: Any, moving: tuple[int, ...], names: Sequence[str], points: Sequence[Weighed], place: Place
) -> list[list[Slip]]:
    """Return, for each point, what slips in the derivation of f, a derivative, would make of its own derivative."""
    found: list[list[Slip]] = []
    for w in points:
        own: list[Slip] = []
        if w.usable and w.truth.layout.n <= _MOST and len(moving) == len(names):
            inner = f.__wrapped__
            inner = _written(inner, moving, names, w.point) or inner
            try:
                own = _differentiated(inner, moving, w, place, _mark(len(names), source_of(f).order))
            except (ExpressionError, TypeError, ValueError, ArithmeticError):
                own = []
        found.append(own)
    return found


def _differentiated(f: Callable[..., Any], moving: tuple[int, ...], w: Weighed, place: Place, mark: str) -> list[Slip]:
    """Return the slips of f with the derivatives of what they make, by differences."""
    columns: list[list[Any]] = []
    first: list[Slip] = []
    for j in range(w.truth.layout.n):
        near: list[list[Slip]] = []
        steps = [_STEP, -_STEP, _STEP / 2, -_STEP / 2]
        size = max(1.0, abs(_number(w.point, j)))
        for step in steps:
            chains = chained(recorded(f, moving, _moved(w.point, j, step * size), {}))
            near.append([] if chains is None else slips(chains, Words(chains, place)))
        first = near[0]
        keys = [[(slip.kind, slip.text) for slip in own] for own in near]
        if any(own != keys[0] for own in keys) or (columns and len(columns[0]) != len(first)):
            return []
        ahead, behind, half_ahead, half_behind = ([np.ravel(slip.matrix) for slip in own] for own in near)
        coarse = [(a - b) / (2 * _STEP * size) for a, b in zip(ahead, behind, strict=True)]
        fine = [(a - b) / (_STEP * size) for a, b in zip(half_ahead, half_behind, strict=True)]
        columns.append([(4 * y - x) / 3 for x, y in zip(coarse, fine, strict=True)])
    with quiet():
        matrices = [np.stack([column[k] for column in columns], axis=-1) for k in range(len(first))]
    shape = w.truth.matrix.shape
    return [
        slip._replace(text=f"the slip is in {mark} already: {slip.text}", matrix=matrix)
        for slip, matrix in zip(first, matrices, strict=True)
        if matrix.shape == shape
    ]


def _number(point: Point, j: int) -> float:
    return float(np.concatenate([np.ravel(x) for x in point])[j])


def _moved(point: Point, j: int, step: float) -> list[Any]:
    """Return a point with its number j moved."""
    made = []
    for x in point:
        size = int(np.size(x))
        flat = np.array(x, dtype=float).ravel()
        if 0 <= j < size:
            flat[j] += step
        j -= size
        made.append(flat.reshape(np.shape(x)) if np.ndim(x) else float(flat[0]))
    return made
