"""check: a derivative somebody wrote down, held against the derivative, and which slip explains the difference."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.lecture.checked.claims import Layout
from dualdiff.lecture.checked.derived import earlier, later, source_of
from dualdiff.lecture.checked.explaining import TRANSPOSED, TRANSPOSED_ARGUMENT, explained
from dualdiff.lecture.checked.kinks import kinks_at
from dualdiff.lecture.checked.points import chosen, given, is_fit, parameters, spelled
from dualdiff.lecture.checked.slips import Words, slips
from dualdiff.lecture.checked.thresholds import across, far, heard, is_short
from dualdiff.lecture.checked.verdict import CheckResult, at_point
from dualdiff.lecture.checked.weighing import Weighed, is_constant, tells, truth_at, undefined_at, weighed
from dualdiff.lecture.checked.wording import doubt, precision, rounding, told
from dualdiff.lecture.source import called_from
from dualdiff.transforms.asking import defined_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.lecture.checked.points import Point
    from dualdiff.lecture.checked.slips import Slip
    from dualdiff.lecture.checked.thresholds import Threshold
    from dualdiff.lecture.source import Place
    from dualdiff.transforms.asking import Argnums

__all__ = ["CheckResult", "check"]

_POINTS = 10  # that are drawn
_NEAR = 6  # of which so many are near, before
_FAR = 4  # so many are far
_BEYOND = 2  # points beyond each threshold
_THRESHOLDS = 16  # sides of them that are looked for
_DECISIVE = 3  # points of which each entry is decided by rounding errors small enough
_MORE = 60  # points that are looked at until then
_BRANCHES = 24  # further points that are looked at where f has branches
_RTOL = 1e-10


def check(
    f: Callable[..., Any], claim: Any, at: Any = None, argnums: Argnums = None, rng: Any = 0, rtol: float = _RTOL
) -> CheckResult:
    """Tell whether a claimed derivative of f is right, where it is not, and which slip explains it.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays or containers of them, written in NumPy. ``check(dd.derivative(f), claim)`` is about
        the second derivative, ``check(dd.gradient(f), claim)`` about the Hessian.
    claim : callable or numbers
        What is claimed to be the derivative, as a function of the same arguments: of one number the derivative; of one
        array or several numbers the gradient, where f returns one number; else the Jacobian, in the shape that
        ``jacobian(f)`` gives it, as an array or as nested lists of rows. Where f has several arguments, a tuple of
        one part for each will do as well. Numbers in place of a function are the derivative at the one point `at`;
        typed with a few digits they are wrong by that much, and the words say so and which `rtol` accepts them.
    at : number, array, tuple or list, optional
        Where to compare. A tuple is the arguments of one point, ``at=(2.0, 5.0)``; a list is several points,
        ``at=[0.5, 1.2]``; whatever else is the one argument of f, ``at=np.array([1.0, 2.0])``. Left out, f is taken
        as a function of numbers, and ten points or more are drawn at which it and its derivative are finite: of
        both signs where it is defined there, small and large, a few very far away, all away from kinks; and beyond
        every threshold that f is heard to compare with. A branch that no point is found for is named.
    argnums : int, str or tuple of them, optional
        Which arguments move, by position or name; all of them if left out. A tuple: the claim has a part for each.
    rng : int or numpy.random.Generator, default 0
        What the points are drawn with; the result prints it, so that a check can be repeated.
    rtol : float, default 1e-10
        Relative difference that is allowed besides rounding errors, which are estimated for each point: the claim's
        from its own record, those of the derivative from long double. They count where terms cancel.

    Returns
    -------
    CheckResult
        True where the claim agrees at every point. It prints what was found; ``.points`` are the points, ``.worst`` is
        the largest difference, and ``.slips`` are the slips each of which explains the claim at every point. A right
        verdict means: agrees at these points. Where rounding errors hide too much it is not right, but undecided.

    Raises
    ------
    ValueError
        If no point is found where f is defined; if `at` does not fit f; if `rtol` is no number from 0 to below 1.
    TypeError
        If f or the claim cannot be called so; if f cannot do with numbers and `at` is left out; if a claim is numbers
        and `at` is not one point; if nothing can be drawn with `rng`.

    Notes
    -----
    Where f is not defined at a point that was given, nothing is said there and the point is listed. Where f has a
    derivative and the claim raises, or returns NaN, it is wrong. At a kink, where f has another slope on either side,
    every slope between them will do; and where the slope is infinite a claim may be infinite, or say nothing: such
    points are listed too. If there are no others the result is false, as nothing was compared.

    References
    ----------
    Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM 2002, ch. 3 (running error bounds).

    Examples
    --------
    >>> import numpy as np
    >>> from dualdiff.lecture.checked.checking import check
    >>> check(lambda t: np.sin(t) ** 2 + 2 * np.cos(t), lambda t: 2 * np.sin(t) * (np.cos(t) - 1))
    ✓ agrees at 10 points, worst relative error ... (rng=0)
    >>> check(lambda t: np.sin(t) ** 2 + 2 * np.cos(t), lambda t: 2 * np.sin(t) * (np.cos(t) + 1), at=1.1)
    ✗ claim fails at t = 1.1: claimed 2.591, true −0.9739, difference 3.565
      this explains it: the sign of the term through ... is flipped
    >>> check(lambda s, t: s * t**2, lambda s, t: (t**2, s * t)).slips
    ['the exponent 2 of ... was not brought down as a factor']
    """
    place, _ = called_from()
    names = _names(f)
    _require(claim, at, names, f)
    points = None if at is None else given(at, names)
    own = names if names is not None else [f"x{i + 1}" for i in range(len(points[0]) if points else 1)]
    moving = _moving(argnums, own)
    _require_numbers(rtol)
    task = _Task(f, claim, own, moving, tuple(moving) if isinstance(argnums, tuple) else None, rtol)
    drawn = points is None
    found = task.drawn(rng) if points is None else [task.given(point) for point in points]
    if not any(w.usable or w.reason for w in found):
        shown = ", ".join(spelled(point) for point in points or [])
        said = "" if task.raised is None else f" (f raised {type(task.raised).__name__}: {task.raised})"
        message = f"f has no derivative at {shown}{said}, so there is nothing to compare: choose another at="
        raise ValueError(message) from task.raised
    texts: list[str] = []
    nearly = "" if drawn or len(found) != 1 or not is_constant(claim, found[0]) else rounding(found[0])
    if any(w.fails for w in found) and not nearly and not task.at_kink:
        texts = _slips(task, found, place)
    seed = None if not drawn else rng if isinstance(rng, (int, np.integer)) else type(rng).__name__
    failing = any(w.fails for w in found)
    notes = [*task.at_kink, *_by_position(claim, own)] if failing else [*task.doubts[:1], *_unmet(task.unmet)]
    return told(found, own, texts, _needed(found, drawn), seed, Words, place, nearly, notes)


def _names(f: Any) -> list[str] | None:
    if not callable(f):
        message = f"check() takes a function; it got {f!r}. Write check(f, claim), not check(f(x), claim)."
        raise TypeError(message)
    return parameters(f)


def _require(claim: Any, at: Any, names: Sequence[str] | None, f: Any) -> None:
    """Refuse what cannot be asked."""
    if at is None and not callable(claim):
        message = (
            "a claim that is no function is about one point, so check() needs to know which: check(f, claim, at=1.2). "
            "A derivative that is the same everywhere is a function too: lambda t: 3.0"
        )
        raise TypeError(message)
    if not callable(claim) and isinstance(at, list) and len(at) != 1:
        message = f"a claim that is no function is about one point; at= has {len(at)}. Give a function, or one point"
        raise TypeError(message)
    if at is None and not names:
        message = f"check() cannot tell how many arguments f takes{defined_at(f)}: say at which point, at=(1.0, 2.0)"
        raise TypeError(message)
    if callable(claim) and names:
        try:
            signature = inspect.signature(claim)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*names)
        except TypeError as error:
            message = (
                f"the claim takes the same arguments as f ({', '.join(names)}), and here it is "
                f"{getattr(claim, '__name__', 'claim')}{signature}: {error}{defined_at(claim)}"
            )
            raise TypeError(message) from None


def _require_numbers(rtol: Any) -> None:
    """Refuse a tolerance that is none."""
    try:
        fits = not isinstance(rtol, (bool, str)) and 0 <= float(rtol) < 1
    except (TypeError, ValueError):
        fits = False
    if not fits:
        message = f"rtol={rtol!r}: the relative difference that is allowed is a number from 0 to less than 1, as 1e-10"
        raise ValueError(message)


def _generator(rng: Any) -> np.random.Generator:
    """Return what draws the points."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        message = f"rng={rng!r}: points are drawn with a whole number that is not negative, or a numpy Generator"
        raise type(error)(message) from None


def _by_position(claim: Any, names: Sequence[str]) -> list[str]:
    """Return the words for a claim that has f's arguments in another order; none where it has not."""
    own = parameters(claim) if callable(claim) else None
    if own is None or own == list(names) or sorted(own) != sorted(names):
        return []
    mine, yours = next((a, b) for a, b in zip(own, names, strict=True) if a != b)
    which = f"argument {own.index(mine) + 1}" if own[0] != mine else "its first argument"
    return [f"arguments go by position: the claim calls {which} {mine}, f calls it {yours}"]


def _moving(argnums: Any, names: Sequence[str]) -> list[int]:
    """Return the positions of the arguments that move, in the order in which they were asked for."""
    if argnums is None:
        return list(range(len(names)))
    found = []
    for one in argnums if isinstance(argnums, tuple) else (argnums,):
        place = names.index(one) if isinstance(one, str) and one in names else one
        if isinstance(place, bool) or not hasattr(place, "__index__") or not -len(names) <= place < len(names):
            message = f"argnums={argnums!r}: f takes {', '.join(names)}, so positions are 0 to {len(names) - 1}"
            raise ValueError(message)
        found.append(place % len(names))
    if not found or len(set(found)) != len(found):
        message = f"argnums={argnums!r} is to name each argument once, and at least one"
        raise ValueError(message)
    return found


class _Task:
    """What is checked: f and the claim, by which arguments, how exactly."""

    def __init__(
        self, f: Any, claim: Any, names: Sequence[str], moving: Sequence[int], blocks: tuple[int, ...] | None,
        rtol: float,
    ) -> None:  # fmt: skip
        self.f = f
        self.claim = claim
        self.names = names
        self.moving = tuple(sorted(moving))
        self.blocks = None if blocks is None else tuple(self.moving.index(i) for i in blocks)
        self.rtol = rtol
        self.source, self.order = source_of(f)  # what f is the derivative of, whose thresholds f has
        self.raised: Exception | None = None  # by f, at a point that was given
        self.at_kink: list[str] = []  # what is said of kinks where a claim is wrong, which no slip explains
        self.doubts: list[str] = []  # what is said of far points where a claim may be wrong
        self.unmet: list[tuple[Threshold, float]] = []  # and the side on which no point was found

    def layout(self, results: Any, call: Any, structure: Any) -> Layout:
        """Return how the derivative is written."""
        arguments = [call.args[i] for i in self.moving]
        names = [self.names[i] for i in self.moving]
        return Layout(results, arguments, names, self.blocks, self.order, structure)

    def at(self, point: Point, drawn: bool = True) -> Weighed:
        """Return the claim beside the derivative at a point."""
        return weighed(self.claim, truth_at(self.f, self.moving, point, self.layout), point, self.rtol, drawn)

    def given(self, point: Point) -> Weighed:
        """Return the claim beside the derivative at a point that was given, where f may raise."""
        try:
            w: Weighed = self.at(point, drawn=False)
            kinks = kinks_at(self.f, self.moving, w) if w.fails and not w.said.words else None
            if kinks is not None and kinks.excuses(w):
                w.reason = kinks.words(w)
            elif kinks is not None and np.any(kinks.jumps & w.wrong):
                self.at_kink.append(f"{at_point(point, self.names)} is {kinks.words(w)}")
        except (ArithmeticError, ValueError) as error:
            self.raised = error
            return undefined_at(point)
        except (TypeError, IndexError) as error:
            if len(point) == 1 and not np.ndim(point[0]) and not isinstance(point[0], dict):
                error.add_note("In at= a list is several points: one array is at=np.array([1.0, 2.0])")
            raise
        return w

    def drawn(self, rng: Any) -> list[Weighed]:
        """Return the claim beside the derivative at drawn points, as many as it takes to decide."""
        generator = _generator(rng)
        source = chosen(self.f, self.moving, self.names, generator)
        found: list[Weighed] = []
        for looked, point in enumerate(source):
            if looked >= _POINTS + _MORE:
                break
            if len(found) < _POINTS or not _is_decided(found, _DECISIVE):
                found.append(self.at(point))
            elif looked < _POINTS + _BRANCHES and any(row.notes for w in found for row in _rows(w)):
                other = self.at(point)
                if _way(other) not in {_way(w) for w in found}:
                    found.append(other)
            else:
                break
            if len(found) == _NEAR and not any(w.fails for w in found) and _is_decided(found, _DECISIVE):
                found += self.far(found, generator)
            if len(found) >= _POINTS and any(w.fails for w in found) and looked >= _POINTS:
                break
        if not any(w.fails for w in found) and _is_decided(found, _DECISIVE):
            found += self.beyond(found)
        return found

    def far(self, near: Sequence[Weighed], rng: np.random.Generator) -> list[Weighed]:
        """Return the claim beside the derivative at a few points far away, of several scales, where that tells."""
        found: list[Weighed] = []
        for point in far(len(self.names), np.random.default_rng(rng.integers(2**32))):
            w = self.decisive(point, near) if len(found) < _FAR else None
            found += [] if w is None else [w]
        return found

    def beyond(self, met: Sequence[Weighed]) -> list[Weighed]:
        """Return the claim beside the derivative beyond the thresholds that f has, as far as no point is there yet."""
        found: list[Weighed] = []
        sides: dict[Threshold, set[float]] = {}
        tried: set[tuple[Threshold, float]] = set()

        def hear(w: Weighed) -> None:
            for threshold, margin in heard(self.source, w.point).items():
                sides.setdefault(threshold, set()).add(np.sign(margin))

        for w in met:
            hear(w)
        while len(tried) < _THRESHOLDS:
            missing = ((t, s) for t, own in sides.items() for s in (-1.0, 1.0) if s not in own and (t, s) not in tried)
            wanted = next(missing, None)
            if wanted is None:
                break
            tried.add(wanted)
            reached, usable, count = False, False, 0
            for point in across(self.source, wanted[0], [w.point for w in (*met, *found)], wanted[1]):
                reached = True
                beyond = self.decisive(point, met)
                usable = usable or beyond is not None or is_fit(self.f, self.moving, point)
                if beyond is not None:
                    found.append(beyond)
                    hear(beyond)
                    count += 1
                if count >= _BEYOND:
                    break
            if wanted[0].is_branch and not count and (usable or not reached):
                self.unmet.append((wanted[0], wanted[1]))
        return found

    def decisive(self, point: Point, near: Sequence[Weighed]) -> Weighed | None:
        """Return the claim beside the derivative at a point that may be far away, or None where that tells nothing."""
        if not is_short(self.source, point) or not is_fit(self.f, self.moving, point):
            return None
        try:
            w = self.at(point)
        except (ArithmeticError, ValueError):
            return None
        told = tells(self.claim, self.f, self.moving, w, near)
        if told is None:
            self.doubts.append(doubt(w, self.names))
        return w if told else None


def _unmet(unmet: Sequence[tuple[Threshold, float]]) -> list[str]:
    """Return the words for branches of f that no point was found for."""
    texts = []
    for threshold, side in unmet:
        rising = threshold.operation.startswith("g")  # true above
        words = "the branch `{}` was never met" if rising == (side > 0) else "only the branch `{}` was met"
        texts.append(words.format(threshold.text))
    return list(dict.fromkeys(texts))


def _rows(w: Weighed) -> list[Any]:
    return [] if w.truth.chains is None else w.truth.chains.rows


def _way(w: Weighed) -> tuple[Any, ...]:
    """Return which way f took: its operations, with their places."""
    return tuple((row.operation, row.place.line, row.place.text) for row in _rows(w))


def _needed(found: Sequence[Weighed], drawn: bool) -> bool:
    """Tell whether the points decide every entry: three each, of points that were given one."""
    return _is_decided(found, _DECISIVE if drawn else 1)


def _is_decided(found: Sequence[Weighed], needed: int) -> bool:
    decided = [w.decided for w in found if w.usable]
    if not decided or len({d.shape for d in decided}) > 1:
        return bool(decided)
    return bool(np.all(np.sum(decided, axis=0) >= min(needed, len(found))))


def _slips(task: _Task, found: Sequence[Weighed], place: Place) -> list[str]:
    """Return the slips that explain a wrong claim, in words."""
    turned = [w for w in found if w.usable and w.said.transposed]
    if turned:
        if all(np.allclose(w.said.matrix, w.truth.matrix, rtol=1e-8) for w in turned):
            return [TRANSPOSED if turned[0].truth.layout.m > 1 else TRANSPOSED_ARGUMENT]
        return []
    digits = 0.0 if callable(task.claim) else precision(found[0])
    if not task.order:
        records = [[_own(w, place) for w in found]]
    else:
        records = [
            later(task.f, task.moving, task.names, found),
            earlier(task.f, task.moving, task.names, found, place),
        ]
    return explained(found, records, digits)


def _own(w: Weighed, place: Place) -> list[Slip]:
    return slips(w.truth.chains, Words(w.truth.chains, place)) if w.usable and w.truth.chains is not None else []
