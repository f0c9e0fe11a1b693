"""Where f goes another way: the thresholds that a run compares with, and points on the other side of them.

Drawn points are near 0, and a branch beyond a threshold is met by aiming at it: what is compared is followed until it
changes its sign, stepwise where it runs straight and else outwards, ever farther.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.record import Recorder
from dualdiff.lecture.run import Recorded
from dualdiff.lecture.source import called_from
from dualdiff.primal import plain
from dualdiff.proxy import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dualdiff.lecture.checked.points import Point
    from dualdiff.lecture.source import Place

__all__ = ["Threshold", "across", "far", "heard", "is_short"]

_SCALES = (10.0, 100.0, 1e3, 1e5)
_TURNS = 6  # times that far points are drawn at each scale, of either sign
_OFTEN = 3  # a comparison heard more often in one run is that of a loop
_STRAIGHT = 12  # steps along the slope of what is compared
_BEYOND = (1.02, 1.001, 1.00003)  # and by how much they are too long, so that they end on the other side
_FARTHEST = 1e12
_OUTWARD = [s * 1.3 * 10.0**k for k in (1, 2, 3, 4, 6, 9, 12, 0, -1, -3) for s in (1, -1)]
_HALVINGS = 50
_ASIDE = (1.0, 0.3, 0.1, 1e-2, 1e-3, 1e-4)  # how far from a threshold points are looked for, relative to it
_LONG = 2000  # steps of a run that is followed
_FEW = 8  # numbers of an array whose order counts

_COMPARE = ("lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal")
_TWO = ("maximum", "minimum", "fmax", "fmin")
_ONE = {"sign": (0.0,), "absolute": (0.0,), "fabs": (0.0,), "signbit": (0.0,), "heaviside": (0.0,)}
_STEPS = dict.fromkeys(("floor", "ceil", "trunc", "fix", "rint", "round", "around"), (1.0, -1.0))
_ORDER = ("max", "min", "amax", "amin", "nanmax", "nanmin", "sort", "median", "argmax", "argmin", "argsort", "ptp")


class Threshold(NamedTuple):
    """Where a run compares: the operation, its place, which of several there, and the text of a comparison."""

    operation: str
    line: int | None
    text: str | None
    times: int

    @property
    def is_branch(self) -> bool:
        """Whether it is a comparison, whose outcome the user's code decides about."""
        return self.operation in _COMPARE and self.text is not None


class _TooLongError(BaseException):
    """A run that takes very many steps, as a loop does that counts down from far away; f is not to catch it."""


class _Listener(Recorder):
    """A recorder that keeps by how much each comparison was decided."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.margins: dict[Threshold, float] = {}
        self._counts: dict[tuple[Any, ...], int] = {}

    def keep(self, name: str, place: Place, margin: Any) -> None:
        """Keep one number that is below 0 on one side of a threshold, and above it on the other."""
        if np.ndim(margin) or np.iscomplexobj(margin) or np.isnan(margin):
            return
        key = (name, place.line, place.text)
        self._counts[key] = count = self._counts.get(key, 0) + 1
        if count <= _OFTEN + (name in _ORDER) * _FEW:
            self.margins[Threshold(*key, count)] = float(margin)

    def step(self) -> None:
        """Count one more operation or comparison, of so many at most."""
        self.steps += 1
        if self.steps > _LONG:
            raise _TooLongError

    def compared(self, name: str, x: Any, other: Any, answer: Any) -> None:
        """Keep the difference of the two that are compared."""
        self.step()
        if name in _COMPARE and self.tag.alive:
            self.keep(name, called_from()[0], np.subtract(_value(x), _value(other)))
        super().compared(name, x, other, answer)

    def operated(self, function: Callable[..., Any], operation: str, args: tuple[Any, ...], kwargs: Any) -> Any:
        """Keep the differences that an operation decides by."""
        self.step()
        if self.tag.alive:
            place = called_from()[0]
            try:
                for margin in _margins(operation, [_value(x) for x in args], {k: _value(x) for k, x in kwargs.items()}):
                    self.keep(operation, place, margin)
            except (TypeError, ValueError, IndexError):  # operands that are not made of numbers
                pass
        return super().operated(function, operation, args, kwargs)


def _value(x: Any) -> Any:
    inner = bare(x)
    return [_value(item) for item in inner] if isinstance(inner, (list, tuple)) else plain(inner)


def _margins(operation: str, args: list[Any], kwargs: dict[str, Any]) -> Iterator[Any]:
    """Yield the differences whose signs tell which way an operation goes."""
    if operation in _ONE or operation in _STEPS:
        yield from (np.subtract(args[0], bound) for bound in (*_ONE.get(operation, ()), *_STEPS.get(operation, ())))
    elif operation in _TWO or operation in _COMPARE:
        yield np.subtract(args[0], args[1])
    elif operation == "copysign":
        yield args[1]
    elif operation == "clip":
        low, high = (*args[1:3], None, None)[:2]
        low, high = kwargs.get("a_min", kwargs.get("min", low)), kwargs.get("a_max", kwargs.get("max", high))
        yield from (np.subtract(args[0], bound) for bound in (low, high) if bound is not None)
    elif operation == "interp":
        yield from (np.subtract(args[0], knot) for knot in np.ravel(args[1])[:_FEW])
    elif operation in _ORDER and 1 < np.size(args[0]) <= _FEW:
        yield from (a - b for a, b in itertools.islice(itertools.combinations(np.ravel(args[0]), 2), _FEW))


class _Listened(Recorded):
    """A run of f that is listened to."""

    def _watched(self, f: Callable[..., Any]) -> Callable[..., Any]:
        self.recorder = self.heard = _Listener()
        return super()._watched(f)


def heard(f: Callable[..., Any], point: Point) -> dict[Threshold, float]:
    """Return the thresholds that a run of f meets, each with the difference by which it was decided."""
    return _listened(f, point)[0]


def is_short(f: Callable[..., Any], point: Point) -> bool:
    """Tell whether a run of f takes no more than a few thousand steps."""
    return _listened(f, point)[1]


def _listened(f: Callable[..., Any], point: Point) -> tuple[dict[Threshold, float], bool]:
    run, short = object.__new__(_Listened), True
    try:
        with quiet():
            run.__init__(f, None, list(point), {})  # type: ignore[misc]
    except _TooLongError:
        short = False
    except Exception:  # noqa: BLE001, S110 - f may raise where it is not defined, after it has compared
        pass
    listener = getattr(run, "heard", None)
    return ({} if listener is None else listener.margins), short


# --- far points -------------------------------------------------------------------------------------------------------


def far(count: int, rng: np.random.Generator) -> Iterator[Point]:
    """Yield points of so many numbers that are far away, at several scales: all numbers of a point, then one each."""
    for turn, k in itertools.product(range(_TURNS), range(2 * len(_SCALES))):
        scale, sign = _SCALES[k % len(_SCALES)], (-1.0) ** (k + k // len(_SCALES))
        numbers = rng.uniform(0.3, 1.5, count) * scale * sign
        if turn % 2:
            others = rng.uniform(0.2, 2.0, count)
            numbers = np.where(np.arange(count) == (turn // 2) % count, numbers, others)
        elif turn:
            numbers = numbers * rng.choice([-1, 1], count)
        yield tuple(_short(x) for x in numbers)


def _short(x: Any) -> float:
    return float(f"{x:.6g}")


# --- beyond a threshold -----------------------------------------------------------------------------------------------


def across(f: Callable[..., Any], threshold: Threshold, points: Sequence[Point], side: float) -> Iterator[Point]:
    """Yield points at which a threshold is passed: its difference has the sign `side`, unlike at the points."""

    def margin(point: Point) -> float:
        return heard(f, point).get(threshold, np.nan)

    known = [(abs(m), point) for point in points if not np.isnan(m := margin(point))]
    for _, point in sorted(known, key=lambda one: one[0])[:2]:
        for i in range(len(point)):
            beyond = _straight(margin, point, i, side)
            beyond = _outward(margin, point, i, side) if beyond is None else beyond
            if beyond is not None:
                yield from _beside(margin, point, beyond, i, side)


def _put(point: Point, i: int, x: float) -> Point:
    return (*point[:i], float(x), *point[i + 1 :])


def _straight(margin: Callable[[Point], float], point: Point, i: int, side: float) -> float | None:
    """Follow the slope of a difference along one argument to the other side."""
    x = point[i]
    for _ in range(_STRAIGHT):
        here, step = margin(_put(point, i, x)), 1e-4 * max(1e-2, abs(x))
        slope = (margin(_put(point, i, x + step)) - here) / step
        if not np.isfinite(slope) or slope == 0:
            return None
        further = [x - factor * here / slope + side * np.sign(slope) * 1e-9 for factor in _BEYOND]
        there = [margin(_put(point, i, z)) for z in further]
        passed = [z for z, m in zip(further, there, strict=True) if m * side > 0]
        if passed:
            return float(passed[0])
        x = further[-1]
        if not abs(x) <= _FARTHEST:
            return None
    return None


def _outward(margin: Callable[[Point], float], point: Point, i: int, side: float) -> float | None:
    """Go outwards until a difference has changed its sign."""
    return next((x for x in _OUTWARD if margin(_put(point, i, x)) * side > 0), None)


def _beside(margin: Callable[[Point], float], point: Point, beyond: float, i: int, side: float) -> Iterator[Point]:
    """Yield points a little behind a threshold, the farther ones first, between one before it and one beyond."""
    before, behind = point[i], beyond
    for _ in range(_HALVINGS):
        middle = (before + behind) / 2
        if margin(_put(point, i, middle)) * side > 0:
            behind = middle
        else:
            before = middle
    way = np.sign(beyond - point[i]) * max(abs(behind), 1e-3)
    for x in (*(behind + way * part for part in _ASIDE), beyond):
        found = _put(point, i, _short(x))
        if margin(found) * side > 0:
            yield found
