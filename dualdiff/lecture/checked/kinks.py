"""Kinks: points at which f has another slope on either side, so that no claim is the derivative there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.checked.points import defined
from dualdiff.lecture.checked.verdict import number
from dualdiff.transforms.containers import flatten

if TYPE_CHECKING:
    from collections.abc import Callable

    from dualdiff.lecture.checked.points import Point
    from dualdiff.lecture.checked.weighing import Weighed

__all__ = ["Kinks", "kinks_at"]

_STEPS = (1e-5, 1e-8)  # relative to the point; what is smooth changes less over the smaller one
_JUMP = 1e-3  # relative difference of slopes over the smaller one that is a kink
_LASTS = 0.3  # and the part that must be left of the difference over the larger one
_RANDOM = 8  # directions besides those of the axes
_FEW = 32  # numbers of a point whose axes are all tried


class Kinks:
    """The slopes around a point: which entries of the derivative jump there, from where to where.

    Attributes
    ----------
    jumps : ndarray of bool
        Which entries of the derivative do.
    low, high : ndarray
        Between which slopes they do.
    """

    def __init__(self, jumps: Any, low: Any, high: Any) -> None:
        self.jumps = jumps
        self.low = low
        self.high = high

    def excuses(self, w: Weighed) -> bool:
        """Tell whether a claim is wrong at nothing but kinks; of one number, whether it lies between the slopes."""
        claimed = w.said.matrix
        if claimed is None or np.any(w.wrong & ~self.jumps) or np.iscomplexobj(claimed) or np.any(np.isinf(claimed)):
            return False
        margin = 1e-6 * (self.high - self.low)
        between = (claimed >= self.low - margin) & (claimed <= self.high + margin)
        return bool(claimed.size > 1 or np.all(between | np.isnan(claimed)))

    def words(self, w: Weighed) -> str:
        """Return what there is instead of a derivative."""
        i, j = (int(k) for k in np.argwhere(self.jumps & w.wrong if np.any(self.jumps & w.wrong) else self.jumps)[0])
        slopes = f"any slope from {number(self.low[i, j])} to {number(self.high[i, j])}"
        one = self.jumps.size == 1
        return f"a kink, where {slopes} will do" if one else f"a kink, where {slopes} will do as {_entry(w, i, j)}"


def _entry(w: Weighed, i: int, j: int) -> str:
    return w.truth.layout.entry(i, j)


def kinks_at(f: Callable[..., Any], moving: tuple[int, ...], w: Weighed) -> Kinks | None:
    """Return the kinks of f at a point, or None where there is none."""
    true = w.truth.matrix
    if np.iscomplexobj(true) or not np.all(np.isfinite(true)):
        return None
    jumps: list[Any] = []
    around: list[Any] = [true]
    for step in _STEPS:
        found = [true]
        for beside in _around(w.point, moving, step):
            try:
                matrix = defined(f, moving, beside)
            except (ArithmeticError, ValueError):
                return None
            if matrix is None or matrix.shape != true.shape:
                return None
            found.append(matrix)
        with quiet():
            jumps.append(np.ptp(np.stack(found), axis=0))
        around = found
    size = np.fmax(np.max(np.abs(np.stack(around)), axis=0), 1e-300)
    is_kink = (jumps[1] > _JUMP * size) & (jumps[1] >= _LASTS * jumps[0])
    if not np.any(is_kink):
        return None
    sides = np.stack(around[1:])
    return Kinks(is_kink, np.min(sides, axis=0), np.max(sides, axis=0))


def _around(point: Point, moving: tuple[int, ...], step: float) -> list[Point]:
    """Return points beside a point: along each axis of what moves, to both sides, and in random directions."""
    split = [flatten(x) for x in point]
    sizes = [np.size(leaf) for i in moving for leaf in split[i][0]]
    n = sum(sizes)
    rng = np.random.default_rng(0)
    axes = [s * e for e in np.eye(n) for s in (1.0, -1.0)] if n <= _FEW else []
    more = [rng.uniform(-1, 1, n) for _ in range(_RANDOM if n > 1 else 0)]
    found = []
    for direction in (*axes, *more):
        made, start = list(point), 0
        for i in moving:
            leaves, rebuild = split[i]
            moved = []
            for leaf in leaves:
                own = direction[start : start + np.size(leaf)].reshape(np.shape(leaf))
                start += np.size(leaf)
                moved.append((leaf + step * np.fmax(1.0, np.abs(leaf)) * own)[()])
            made[i] = rebuild(moved)
        found.append(tuple(made))
    return found
