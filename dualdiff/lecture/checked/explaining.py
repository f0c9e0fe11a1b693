"""Which one slip explains a wrong claim at every point."""

from __future__ import annotations

import itertools
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.checked.slips import KINDS, Slip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.checked.claims import Layout
    from dualdiff.lecture.checked.weighing import Weighed

__all__ = ["TRANSPOSED", "TRANSPOSED_ARGUMENT", "explained", "factor_text"]

TRANSPOSED = "the matrix is transposed: rows are results, columns are inputs"
TRANSPOSED_ARGUMENT = "the matrix is transposed: its entry [i, j] is the derivative by the entry [i, j] of the argument"

_NEAR = 1e-8  # relative difference of a claim and what a slip makes of the derivative
_MOST = 2  # explanations that are told, of which each would do
_WEAK = (
    "undifferentiated",
    "constant",
    "integrated",
    "frozen",
    "factor",
    "one",
)  # told where no likelier kind explains it
_PERMUTED = 7  # rows or columns whose orders are tried
_SIMPLE = 12  # greatest numerator and denominator of a factor that one point is enough for
_CONSTANTS = {"π": np.pi, "e": np.e, "ln 2": np.log(2), "ln 10": np.log(10), "√2": np.sqrt(2.0)}


class _Evidence:
    """The points at which a claim and the derivative can be compared, and the entries that are wrong at any."""

    def __init__(self, points: Sequence[Weighed], digits: float) -> None:
        self.points = [w for w in points if w.usable and w.said.matrix is not None]
        self.points = [
            w for w in self.points if np.all(np.isfinite(w.truth.matrix)) and np.all(np.isfinite(w.said.matrix))
        ]
        self.digits = digits
        self.layout: Layout = self.points[0].truth.layout if self.points else points[0].truth.layout
        shapes = {w.truth.matrix.shape for w in self.points}
        self.same_shape = len(shapes) == 1
        self.wrong = np.logical_or.reduce([w.wrong for w in self.points]) if self.same_shape else np.zeros((0, 0), bool)

    def near(self, candidate: Any, w: Weighed) -> Any:
        """Tell for each entry whether a candidate is what the claim says."""
        claim = w.said.matrix
        size = np.fmax(np.abs(candidate), np.abs(claim))
        tolerance = _NEAR * size + 10 * w.allowance + 1e-13 * w.truth.scale + self.digits
        return np.abs(candidate - claim) <= tolerance


def explained(points: Sequence[Weighed], records: Sequence[Sequence[Sequence[Slip]]], digits: float = 0.0) -> list[str]:
    """Return the slips that explain a claim at every point, in words; none where no single one does.

    `records` are, one kind after the other, the slips that the record of each point makes possible; `digits` is by how
    much a number that was typed may be rounded.
    """
    evidence = _Evidence(points, digits)
    if len(evidence.points) != sum(w.usable for w in points) or not evidence.same_shape or not np.any(evidence.wrong):
        return []
    with quiet():
        texts = _of_matrix(evidence)
        for found in records:
            of = {id(w): own for w, own in zip(points, found, strict=True)}
            texts = texts or _of_steps(evidence, [of[id(w)] for w in evidence.points])
        if not texts:
            texts = _of_factor(evidence)
        if not texts:
            texts = _of_difference(evidence)
        if not texts and evidence.wrong.size > 1 and np.sum(evidence.wrong) == 1:
            texts = [f"only the entry {_places(evidence)} is wrong"]
    return texts


def _places(evidence: _Evidence) -> str:
    """Return the names of the entries that are wrong."""
    wrong, layout = evidence.wrong, evidence.layout
    places = np.argwhere(wrong)
    if len(places) <= 3:
        return ", ".join(layout.entry(i, j) for i, j in places)
    rows, columns = sorted(set(places[:, 0])), sorted(set(places[:, 1]))
    if len(rows) == 1:
        return f"the row of {layout.row(rows[0])}"
    if len(columns) == 1:
        return f"the column of {layout.column(columns[0])}"
    return f"{len(places)} of {wrong.size} entries"


# --- one step of the record -------------------------------------------------------------------------------------------


def _of_steps(evidence: _Evidence, found: Sequence[Sequence[Slip]]) -> list[str]:
    tables: list[dict[tuple[str, str], list[Slip]]] = []
    for own in found:
        table: dict[tuple[str, str], list[Slip]] = defaultdict(list)
        for slip in own:
            table[slip.kind, slip.text].append(slip)
        tables.append(table)
    first = next(i for i, w in enumerate(evidence.points) if np.any(w.wrong))
    matched = []
    for key, candidates in tables[first].items():
        if any(np.all(evidence.near(slip.matrix, evidence.points[first])[evidence.wrong]) for slip in candidates):
            full = _explains(key, evidence, tables)
            if full is not None:
                matched.append((not full, candidates[0]))
    if any(slip.kind not in _WEAK for _, slip in matched):
        matched = [(partial, slip) for partial, slip in matched if slip.kind not in _WEAK]
    if any(not partial for partial, _ in matched):
        matched = [(partial, slip) for partial, slip in matched if not partial]
    nearest: dict[str, tuple[bool, Slip]] = {}
    for partial, slip in matched:  # the edge nearest the output comes first
        nearest.setdefault(slip.kind, (partial, slip))
    kept = sorted(nearest.values(), key=lambda one: KINDS.index(one[1].kind))[:_MOST]
    return [f"in {_places(evidence)}: {slip.text}" if partial else slip.text for partial, slip in kept]


def _explains(
    key: tuple[str, str], evidence: _Evidence, tables: Sequence[dict[tuple[str, str], list[Slip]]]
) -> bool | None:
    """Tell whether a slip is what the claim says at every point, in all entries or in the wrong ones; None if not."""
    full = True
    for w, table in zip(evidence.points, tables, strict=True):
        if key not in table:  # f took another way there, on which the slip does not lie
            if np.any(w.wrong):
                return None
            continue
        near = [evidence.near(slip.matrix, w) for slip in table[key]]
        if not any(np.all(own[evidence.wrong]) for own in near):
            return None
        full = full and any(np.all(own) for own in near)
    return full


# --- the matrix as a whole ------------------------------------------------------------------------------------------


def _of_matrix(evidence: _Evidence) -> list[str]:
    """Return what happened to the matrix as a whole: transposed, in another order, a row twice."""
    layout = evidence.layout
    m, n = evidence.wrong.shape
    if m * n == 1:
        return []
    if m == n and _everywhere(evidence, lambda true: true.T):
        return [TRANSPOSED]
    shape = layout.input_shape
    is_square = m == 1 and len(shape) == 2 and shape[0] == shape[1]
    if is_square and _everywhere(evidence, lambda true: true.reshape(shape).T.reshape(1, -1)):
        return [TRANSPOSED_ARGUMENT]
    for axis, count, name in ((1, n, layout.column), (0, m, layout.row)):
        order = _order(evidence, axis, count)
        if order is not None:
            of = "inputs" if axis else "results"
            shown = ", ".join(name(i) for i in order)
            return [f"wrong order of the {of}: the {'columns' if axis else 'rows'} are those of {shown}"]
    for axis, count, name in ((0, m, layout.row), (1, n, layout.column)):
        wrong = np.flatnonzero(np.any(evidence.wrong, axis=1 - axis))
        if len(wrong) != 1:
            continue
        for other in range(count):
            if other != wrong[0] and _everywhere(
                evidence, lambda true, o=other, a=axis, i=wrong[0]: _repeated(true, a, i, o)
            ):
                line = "column" if axis else "row"
                return [f"a {line} is repeated: the {line} of {name(wrong[0])} is that of {name(other)}"]
    return []


def _everywhere(evidence: _Evidence, change: Any) -> bool:
    return all(np.all(evidence.near(change(w.truth.matrix), w)) for w in evidence.points)


def _repeated(matrix: Any, axis: int, place: int, other: int) -> Any:
    made = np.moveaxis(matrix.copy(), axis, 0)
    made[place] = made[other]
    return np.moveaxis(made, 0, axis)


def _order(evidence: _Evidence, axis: int, count: int) -> list[int] | None:
    """Return the order that rows or columns were written in, where it is another one."""
    if not 1 < count <= _PERMUTED:
        return None
    fits = np.ones((count, count), dtype=bool)  # fits[i, j]: line i of the claim is line j of the derivative
    for w in evidence.points:
        for i, j in itertools.product(range(count), repeat=2):
            lines = np.take(w.truth.matrix, [j] * count, axis=axis)
            fits[i, j] &= bool(np.all(np.take(evidence.near(lines, w), i, axis=axis)))
    for order in itertools.permutations(range(count)):
        if order != tuple(range(count)) and all(fits[i, j] for i, j in enumerate(order)):
            return list(order)
    return None


# --- a factor or a term that is too much ----------------------------------------------------------------------------


def _of_factor(evidence: _Evidence) -> list[str]:
    """Return by which constant factor the wrong entries are too large."""
    factors = []
    for w in evidence.points:
        true, claim = w.truth.matrix[evidence.wrong], w.said.matrix[evidence.wrong]
        big = np.abs(true) > 1e3 * w.allowance[evidence.wrong]
        if np.any((np.abs(claim) > 1e-6 * w.truth.scale[evidence.wrong]) & ~big):
            return []
        factors += list(claim[big] / true[big])
    if not factors or np.iscomplexobj(factors):
        return []
    factor = float(np.median(factors))
    near = 1e-7 + evidence.digits / max(1e-300, min(np.max(np.abs(w.truth.matrix)) for w in evidence.points))
    if factor == 0 or not np.all(np.abs(np.array(factors) - factor) <= near * max(1.0, abs(factor))):
        return []
    simple = Fraction(factor).limit_denominator(_SIMPLE)
    if len(factors) < 2 and not (
        abs(simple.numerator) <= _SIMPLE and abs(float(simple) - factor) <= near * max(1.0, abs(factor))
    ):
        return []
    whole = all(np.all((np.abs(w.truth.matrix) <= w.allowance)[~evidence.wrong]) for w in evidence.points)
    where = "" if whole or evidence.wrong.size == 1 else f"in {_places(evidence)}: "
    noun = evidence.layout.noun
    if abs(factor + 1) <= near:
        return [f"{where}the sign is flipped" if where else f"the sign of the whole {noun} is flipped"]
    what = f"the {noun}" if not where else "what belongs there"
    return [f"{where}a constant factor: the claim is {factor_text(factor)} times {what}"]


def _of_difference(evidence: _Evidence) -> list[str]:
    """Return the constant that the wrong entries have too much."""
    if len(evidence.points) < 3:
        return []
    excess = np.array([w.said.matrix[evidence.wrong] - w.truth.matrix[evidence.wrong] for w in evidence.points])
    if np.iscomplexobj(excess) or np.ptp(excess) > 1e-8 * np.max(np.abs(excess)):
        return []
    where = "" if evidence.wrong.size == 1 else f"in {_places(evidence)}: "
    more = "too much" if excess.flat[0] > 0 else "too little"
    return [f"{where}a constant term: the claim is {factor_text(abs(float(np.mean(excess))))} {more} at every point"]


def factor_text(factor: float) -> str:
    """Return a factor as a fraction, as a multiple of a known constant, or with its digits."""
    for name, constant in {
        "": 1.0,
        **_CONSTANTS,
        **{f"1/{key}": 1 / value for key, value in _CONSTANTS.items()},
    }.items():
        ratio = Fraction(factor / constant).limit_denominator(_SIMPLE)
        if ratio and abs(float(ratio) * constant - factor) <= 1e-7 * abs(factor):
            sign, ratio = ("−" if ratio < 0 else ""), abs(ratio)
            if not name:
                return f"{sign}{ratio}"
            return (
                f"{sign}{name}"
                if ratio == 1
                else f"{sign}{ratio}·{name}"
                if "/" not in f"{ratio}{name}"
                else f"{sign}({ratio})·({name})"
            )
    return f"{factor:.6g}".replace("-", "−")
