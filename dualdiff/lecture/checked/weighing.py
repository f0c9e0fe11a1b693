"""A claim weighed against the derivative at one point, with what rounding may have done to either.

A right claim in another form has other rounding errors, and where terms cancel they are all that is left.  So the
difference is held against an allowance: each step of the claim rounded once, carried to its result by its own adjoint;
and for the derivative what long double changes, and what a few last places of the point do.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.checked.chains import Chains, chained
from dualdiff.lecture.checked.claims import Layout, Said, read
from dualdiff.lecture.checked.points import defined, slopes
from dualdiff.lecture.checked.verdict import number
from dualdiff.lecture.run import recorded
from dualdiff.primal import shape_of
from dualdiff.transforms.containers import flatten, private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.lecture.checked.points import Point

__all__ = ["DECISIVE", "Truth", "Weighed", "is_constant", "tells", "truth_at", "undefined_at", "weighed"]

RAISED = "claim raised"
DECISIVE = 1e-7  # an allowance of more than this part of the derivative decides nothing
_ROUNDINGS = 4.0  # units in the last place that an elementary function may be off
_PLACES = (-3, 2, 5)  # last places by which the point is shifted
_CONTINUOUS = 1e-5  # of a change larger than that, rounding is not the cause
_ASIDE = 1 - 2.0**-10  # factor towards 1 by which a point is moved to one beside it
_GROSS = 1e-6  # relative difference that is one far away too
_MODEST = 12.0  # numbers so large that exp(x) in a sum is no longer harmless
_SMALL = 1e-9  # of the derivative nearby: less than that is not seen far away
_BESIDE = (1 + 1e-9, 1 - 3e-10, 1 - 1e-8)  # factors beside a far point, where claim and derivative change little
_FEW = 64  # entries of a derivative that is computed several times
_EPS = float(np.finfo(float).eps)


@dataclass(slots=True)
class Truth:
    """The derivative at a point.

    Attributes
    ----------
    matrix : ndarray
        Entry i, j: how number i of the result moves with number j that moves.
    layout : Layout
        How it is written.
    allowance : ndarray
        By how much rounding may have changed each entry, as its terms tell.
    scale : ndarray
        The size of the terms that each entry is the sum of.
    chains : Chains or None
        The record, where it is small.
    defined : bool
        Whether f has a derivative there.
    refined : callable
        Takes more time and returns the allowance as f itself tells it.
    """

    matrix: Any
    layout: Layout
    allowance: Any
    scale: Any
    chains: Chains | None
    defined: bool
    refined: Callable[[], Any]


@dataclass(slots=True)
class Weighed:
    """A claim at a point, beside the derivative.

    Attributes
    ----------
    point : tuple
        The arguments.
    truth : Truth
        The derivative.
    said : Said
        The claim.
    allowance : ndarray
        By how much rounding may have moved the two apart.
    wrong, decided : ndarray of bool
        Which entries differ by more; and where a difference of 1e-6 of the derivative would have been noticed.
    reason : str
        Why nothing can be said there though f is defined, or empty.
    """

    point: Point
    truth: Truth
    said: Said
    allowance: Any
    wrong: Any
    decided: Any
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether f is defined there, and the claim can be compared."""
        return self.truth.defined and not self.reason

    @property
    def fails(self) -> bool:
        """Whether the claim is wrong there."""
        return bool(self.usable and (self.said.words or np.any(self.wrong)))


# --- the derivative ---------------------------------------------------------------------------------------------------


def undefined_at(point: Point) -> Weighed:
    """Return a point at which f raises an error."""
    none = np.zeros((0, 0))
    truth = Truth(none, Layout([], [], []), none, none, None, False, lambda: none)
    return Weighed(point, truth, Said(None), none, none, none)


def truth_at(f: Callable[..., Any], moving: tuple[int, ...], point: Point, layout: Callable[..., Layout]) -> Truth:
    """Return the derivative at a point, and the record it comes from."""
    value, matrix, call, structure = slopes(f, moving, point)
    defined = bool(np.all(np.isfinite(value)) and not np.any(np.isnan(matrix)))
    with quiet():
        run = recorded(f, moving, [private(x) for x in point], {})
    chains = chained(run)
    scale = np.abs(matrix)
    if chains is not None and chains.absolute.shape == matrix.shape:
        scale = np.fmax(scale, chains.absolute)
    steps = 8.0 if chains is None else 8.0 + 2.0 * len(chains.rows)
    eps = _eps_of(value, matrix)
    rough = steps * eps * scale

    def refined() -> Any:
        """Return what long double and a few last places of the point change."""
        if not defined or matrix.size > _FEW:
            return rough
        precise, allowance = _in_long_double(f, moving, point, matrix), rough
        if precise is not None:
            allowance = steps * float(np.finfo(np.longdouble).eps) * scale + np.abs(precise - matrix).astype(float)
            allowance = allowance + _ROUNDINGS * eps * np.abs(matrix)
        return np.fmax(allowance, _shaken(lambda x: slopes(f, moving, x)[1], point, matrix, scale))

    total = np.fmax(scale, np.max(np.abs(value), initial=0.0) / max(1.0, _largest(point)))
    total = total if np.any(total > 0) else np.ones(matrix.shape)
    made = layout([shape_of(v) for v in run.results], call, structure)
    return Truth(matrix, made, rough, total, chains, defined, refined)


def _eps_of(*arrays: Any) -> float:
    kinds = [np.finfo(x.dtype).eps for x in arrays if x.dtype.kind in "fc"]
    return max([_EPS, *map(float, kinds)])


def _largest(point: Point) -> float:
    return max([0.0, *(float(np.max(np.abs(leaf), initial=0.0)) for x in point for leaf in flatten(x)[0])])


def _mapped(function: Callable[[Any], Any], point: Point) -> Point:
    made = []
    for x in point:
        leaves, rebuild = flatten(x)
        made.append(rebuild([function(leaf) for leaf in leaves]))
    return tuple(made)


def _in_long_double(f: Callable[..., Any], moving: Any, point: Point, matrix: Any) -> Any:
    """Return the derivative in long double, or None where f does not do in it."""
    if any(np.asarray(leaf).dtype != float for x in point for leaf in flatten(x)[0]):
        return None
    wide = _mapped(lambda leaf: np.asarray(leaf, dtype=np.longdouble)[()], point)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            precise = slopes(f, moving, wide)[1]
    except Exception:  # noqa: BLE001 - whatever f has against another kind of number
        return None
    if precise.dtype != np.longdouble or precise.shape != matrix.shape or not np.all(np.isfinite(precise)):
        return None
    near = np.abs(precise - matrix) <= 1e-3 * (np.abs(matrix) + np.max(np.abs(matrix), initial=0.0))
    return precise if np.all(near) else None


def _shaken(matrix_at: Callable[[Point], Any], point: Point, matrix: Any, scale: Any) -> Any:
    """Return how much a matrix changes when the last places of the point do."""
    found = np.zeros(matrix.shape)
    for k, places in enumerate(_PLACES):
        signs = np.random.default_rng(k)

        def moved(leaf: Any, places: int = places, signs: Any = signs) -> Any:
            if np.asarray(leaf).dtype != float:
                return leaf
            return (np.asarray(leaf) * (1 + places * _EPS * signs.choice([-1, 1], np.shape(leaf))))[()]

        try:
            other = matrix_at(_mapped(moved, point))
        except Exception:  # noqa: BLE001 - beside the point f or the claim may do as it likes
            other = None
        if other is None or other.shape != matrix.shape:
            continue
        change = np.abs(other - matrix)
        found = np.fmax(found, np.where(change <= _CONTINUOUS * scale, change, 0.0))
    return found


# --- the claim --------------------------------------------------------------------------------------------------------


def weighed(claim: Any, truth: Truth, point: Point, rtol: float, drawn: bool) -> Weighed:
    """Return a claim, a function or numbers, at a point beside the derivative.

    Of a point that was drawn, an entry is decided where its allowance is small beside the derivative; of one that was
    given, where terms may cancel, beside the terms.
    """
    said = _said(claim, truth.layout, point) if callable(claim) else read(claim, truth.layout)
    matrix = truth.matrix
    none = np.zeros(matrix.shape, dtype=bool)
    if said.matrix is None:
        silent = said.words.startswith(RAISED) and np.any(np.isinf(matrix))
        return Weighed(point, truth, said, truth.allowance, ~none, none, _infinite(matrix) if silent else "")
    with quiet():
        difference = np.where(said.matrix == matrix, 0.0, np.abs(said.matrix - matrix))
        own, allowance = truth.allowance, truth.allowance
        if not np.all(difference <= rtol * np.abs(matrix)):  # mostly the two are as near as that
            own = truth.refined()
            allowance = own + (_of_claim(claim, truth, point, said) if callable(claim) else 0.0)
        wrong = ~(difference <= rtol * np.abs(matrix) + allowance)
        total = np.max(truth.scale, initial=0.0)
        size = np.where(np.abs(matrix) <= 10 * own, total, np.abs(matrix)) if drawn else np.fmax(np.abs(matrix), total)
        decided = (np.fmin(allowance, difference) <= DECISIVE * size) | ~np.isfinite(matrix)
    infinite = np.isinf(matrix)
    silent = infinite & np.isnan(said.matrix)
    wrong = np.where(infinite, (said.matrix != matrix) & ~silent, wrong) if truth.defined else none
    reason = _infinite(matrix) if np.any(silent) and not np.any(wrong) else ""
    return Weighed(point, truth, said, allowance, wrong, decided, reason)


def _infinite(matrix: Any) -> str:
    """Return the words for a claim that says nothing where a slope is infinite."""
    slope = number(matrix[np.isinf(matrix)].flat[0]) if matrix.size == 1 else "infinite"
    return f"the slope is {slope} there, and the claim says nothing"


def _said(claim: Callable[..., Any], layout: Layout, point: Point) -> Said:
    """Return what a claim says at a point; what it raises there is said too."""
    try:
        with quiet():
            said = read(claim(*[private(x) for x in point]), layout)
            if said.matrix is None or np.all(np.isfinite(said.matrix)):
                return said
            return _without_overflow(claim, layout, point) or said
    except Exception as error:  # noqa: BLE001 - a claim that fails is wrong there, however it fails
        return Said(None, f"{RAISED} {type(error).__name__}: {error}")


def is_constant(claim: Any, w: Weighed) -> bool:
    """Tell whether a claim is numbers that were typed: no function, or one that says the same beside the point."""
    if not callable(claim) or w.said.matrix is None:
        return not callable(claim)
    beside = _mapped(lambda leaf: leaf * _ASIDE + 1 - _ASIDE if np.asarray(leaf).dtype == float else leaf, w.point)
    return bool(np.array_equal(_said(claim, w.truth.layout, beside).matrix, w.said.matrix))


def tells(
    claim: Callable[..., Any], f: Callable[..., Any], moving: Any, w: Weighed, near: Sequence[Weighed]
) -> bool | None:
    """Tell whether a point that may be far away says something of a claim.

    Far away numbers overflow, terms cancel, and functions are constant but for what is no longer seen. So a claim is
    right there where everything is finite and decided; and wrong where the difference is large beside the rounding
    errors of both and beside the derivative nearby, and stays what it is a little aside. None where it is, and the
    rounding errors of the claim cannot be followed, as it is not written in NumPy.
    """
    claimed, true = w.said.matrix, w.truth.matrix
    if not w.usable or claimed is None or not np.all(np.isfinite(claimed)):
        return bool(w.usable and w.said.words and any(n.said.words for n in near))
    if not w.fails:
        return bool(np.all(w.decided))
    usual = max((float(np.max(np.abs(n.truth.matrix), initial=0.0)) for n in near if n.usable), default=0.0)
    with quiet():
        off = np.abs(claimed - true)
        rough = 0.0 if w.truth.chains is None else np.max(w.truth.chains.rounding(), initial=0.0)
        rough = 1e3 * (_EPS * np.max(w.truth.scale) + rough / max(1.0, _largest(w.point)))
        gross = w.wrong & (off > _GROSS * np.fmax(np.abs(claimed), np.abs(true))) & (off > _SMALL * usual)
        gross &= (off > rough) & (w.allowance <= _GROSS * off)
        for factor in _BESIDE:
            point = tuple(x * factor for x in w.point)
            other, moved = _said(claim, w.truth.layout, point).matrix, defined(f, moving, point)
            if other is None or moved is None or other.shape != true.shape or moved.shape != true.shape:
                return False
            gross &= np.abs((other - claimed) - (moved - true)) <= 1e-3 * off
    if np.any(gross) and _largest(w.point) > _MODEST and _recorded_bound(claim, w.truth, w.point, claimed) is None:
        return None
    return bool(np.any(gross))


def _without_overflow(claim: Callable[..., Any], layout: Layout, point: Point) -> Said | None:
    """Return what a claim says in long double, whose numbers go further; None where that is no more finite."""
    try:
        said = read(claim(*_mapped(lambda leaf: np.asarray(leaf, dtype=np.longdouble)[()], point)), layout)
    except Exception:  # noqa: BLE001 - whatever a claim has against another kind of number
        return None
    if said.matrix is None or said.matrix.dtype != np.longdouble or not np.all(np.isfinite(said.matrix)):
        return None
    with quiet():
        narrow = said.matrix.astype(float)
    return Said(narrow) if np.all(np.isfinite(narrow)) else None


def _of_claim(claim: Callable[..., Any], truth: Truth, point: Point, said: Said) -> Any:
    """Return by how much rounding may have changed what a claim says."""
    layout, matrix = truth.layout, said.matrix
    if matrix.size > _FEW or not np.all(np.isfinite(matrix)):
        return 64 * _EPS * (np.where(np.isfinite(matrix), np.abs(matrix), 0.0) + truth.scale)
    own_eps = _eps_of(matrix)
    scale = np.abs(matrix) + truth.scale
    shaken = _shaken(lambda x: _said(claim, layout, x).matrix, point, matrix, scale)
    bound = _recorded_bound(claim, truth, point, matrix)
    unrecorded = 4 * shaken + 64 * own_eps * scale
    if bound is None:
        return unrecorded
    if not np.all(np.isfinite(bound)):  # some step has an infinite slope, or one that overflows: nobody knows
        return np.where(np.abs(matrix - truth.matrix) <= unrecorded + truth.allowance, unrecorded, np.inf)
    return np.fmax(_ROUNDINGS * bound, shaken) + 8 * own_eps * np.abs(matrix)


def _recorded_bound(claim: Callable[..., Any], truth: Truth, point: Point, matrix: Any) -> Any:
    """Return how far off a claim may be when each of its steps is rounded once; None where it cannot be recorded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = recorded(claim, None, [private(x) for x in point], {})
            chains = chained(run)
            if chains is None:
                return None
            bound = chains.rounding()
    except Exception:  # noqa: BLE001 - math.sin and the like, which do not take what is recorded
        return None
    if bound.size != matrix.size:
        return None
    if len(run.outputs) == 1 and bound.size == 1:
        return bound.reshape(matrix.shape)
    rows, start = [], 0
    for row in run.outputs:
        rows.append(bound[start : start + row.size].reshape(row.shape))
        start += row.size
    shaped = read(rows[0] if len(rows) == 1 else rows, truth.layout)
    found = shaped.matrix if shaped.matrix is not None else np.full(matrix.shape, np.max(bound))
    return np.broadcast_to(found, matrix.shape)
