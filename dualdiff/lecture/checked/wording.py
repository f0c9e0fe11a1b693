"""The words of a check: how far the claim is off and where, what explains it, and what the derivative is made of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.checked.slips import terms
from dualdiff.lecture.checked.verdict import CheckResult, Worst, apart, at_point, matrices, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.checked.points import Point
    from dualdiff.lecture.checked.weighing import Weighed

__all__ = ["doubt", "precision", "rounding", "told"]

_DIGITS = 1e-3  # a claim that is this near everywhere has been rounded
_TYPED = 12  # digits that are typed at most; a number that was computed has more
_FINE = 0.02  # the part of a number by which it may be rounded while its slip is looked for


def told(
    found: Sequence[Weighed], names: Sequence[str], slips: Sequence[str], decided: bool, rng: Any,
    words: Any, place: Any, rounded: str = "", notes: Sequence[str] = (),
) -> CheckResult:  # fmt: skip
    """Return the verdict on a claim at some points; `rounded` says that it is but for its digits.

    `notes` are what else there is to say: of branches of f at which none of the points is, of kinks, of the arguments.
    """
    usable = [w for w in found if w.usable]
    failing = [w for w in usable if w.fails]
    drawn_with = "" if rng is None else f" (rng={rng})"
    worst, size = (_farthest(failing), 0.0) if failing else _worst(usable or found)
    if failing:
        lines = _wrong(failing, usable, names, worst, drawn_with)
        lines += [f"  {rounded}"] if rounded else _explanation(slips, len(usable) > 1)
        lines += [] if slips or rounded else _without_slip(failing, worst, usable, words, place)
        lines += [f"  {text}" for text in notes]
    elif not usable:
        lines = ["✗ undecided: there is nothing to compare"]
    elif not decided:
        text = (
            f"✗ undecided{drawn_with}: the claim agrees with the derivative as far as can be seen, but rounding errors "
            f"are too large to see much: up to {number(_allowance(usable), 2)} of it. Write the claim without terms "
            "that cancel, or say at= where they do not"
        )
        lines = [text]
    else:
        where = f"at {len(usable)} points" if len(usable) > 1 else f"at {at_point(usable[0].point, names)}"
        lines = [f"✓ agrees {where}, worst relative error {number(size, 2)}{drawn_with}"]
        lines += [f"  {text}" for text in notes]
    skipped = [w for w in found if not w.usable]
    outside = [w for w in skipped if not w.reason]
    if outside:
        lines.append(
            f"  no derivative of f at {', '.join(at_point(w.point, names) for w in outside)}: nothing is said there"
        )
    lines += [f"  no derivative of f at {at_point(w.point, names)}: {w.reason}" for w in skipped if w.reason]
    return CheckResult(
        bool(usable) and not failing and decided, tuple(_bare(w.point) for w in usable), worst, tuple(slips),
        tuple(_bare(w.point) for w in skipped), rng, "\n".join(lines),
    )  # fmt: skip


def _bare(point: Point) -> Any:
    return point[0] if len(point) == 1 else point


def _farthest(failing: Sequence[Weighed]) -> Worst:
    """Return where a claim is farthest off."""
    return _as_worst(max(failing, key=_off))


def _off(w: Weighed) -> float:
    if w.said.matrix is None:
        return float("inf")
    with quiet():
        off = np.where(w.wrong, np.abs(w.said.matrix - w.truth.matrix), 0.0)
    return float(np.max(np.where(np.isnan(off), np.inf, off), initial=0.0))


def _worst(candidates: Sequence[Weighed]) -> tuple[Worst, float]:
    """Return where a claim is farthest off, relative to the terms of the derivative."""
    sized = [(_relative(w), w) for w in candidates]
    size, w = max(sized, key=lambda one: one[0])
    return _as_worst(w), size


def _relative(w: Weighed) -> float:
    if w.said.matrix is None:
        return float("inf")
    with quiet():
        off = np.abs(w.said.matrix - w.truth.matrix)
        off = np.where(w.said.matrix == w.truth.matrix, 0.0, off)
        size = np.fmax(np.abs(w.truth.matrix), w.truth.scale)
        relative = np.where(off == 0, 0.0, off / np.where(size == 0, 1.0, size))
    relative = np.where(np.isnan(relative), np.where(w.wrong, np.inf, 0.0), relative)
    return float(np.max(relative, initial=0.0))


def _as_worst(w: Weighed) -> Worst:
    layout = w.truth.layout
    shape = (
        None if layout.result_shape is None or layout.blocks is not None else layout.result_shape + layout.input_shape
    )

    def shaped(matrix: Any) -> Any:
        if matrix is None:
            return None
        made = matrix if shape is None else matrix.reshape(shape)
        return made.item() if made.ndim == 0 else made

    with quiet():
        difference = None if w.said.matrix is None else w.said.matrix - w.truth.matrix
    return Worst(_bare(w.point), shaped(w.said.matrix), shaped(w.truth.matrix), shaped(difference))


def _allowance(usable: Sequence[Weighed]) -> float:
    with quiet():
        return float(max(np.max(w.allowance / np.fmax(np.abs(w.truth.matrix), 1e-300), initial=0.0) for w in usable))


# --- what fails -------------------------------------------------------------------------------------------------------


def _wrong(
    failing: Sequence[Weighed], usable: Sequence[Weighed], names: Sequence[str], worst: Worst, drawn_with: str
) -> list[str]:
    w = next(w for w in failing if _bare(w.point) is worst.point or _same(_bare(w.point), worst.point))
    where = at_point(w.point, names)
    if len(usable) == 1:
        head = f"✗ claim fails at {where}{drawn_with}: "
    else:
        head = f"✗ claim fails at {len(failing)} of {len(usable)} points{drawn_with}, worst at {where}: "
    if w.said.words:
        return [head + w.said.words]
    claimed, true = w.said.matrix, w.truth.matrix
    if true.size == 1:
        return [head + _difference(claimed[0, 0], true[0, 0])]
    with quiet():
        off = np.where(w.wrong, np.abs(claimed - true), -1.0)
    off = np.where(np.isnan(off), np.inf, off)
    i, j = np.unravel_index(int(np.argmax(off)), off.shape)
    entry = w.truth.layout.entry(int(i), int(j))
    lines = [f"{head}{entry}: {_difference(claimed[i, j], true[i, j])}"]
    return [*lines, *matrices(claimed, true, w.wrong, w.truth.layout)]


def _same(x: Any, y: Any) -> bool:
    return type(x) is tuple and x is y


def doubt(w: Weighed, names: Sequence[str]) -> str:
    """Return the words for a claim that is another number at a far point, perhaps by nothing but rounding errors."""
    i, j = np.argwhere(w.wrong)[0]
    said = (
        f"far away, at {at_point(w.point, names)}, it is off: {_difference(w.said.matrix[i, j], w.truth.matrix[i, j])}"
    )
    return f"{said}. Whether by rounding errors, only a claim written in NumPy would tell"


def _difference(claimed: Any, true: Any) -> str:
    if not np.isfinite(claimed):
        return f"claimed {number(claimed)}, true {number(true)}"
    shown = apart(claimed, true)
    return f"claimed {shown[0]}, true {shown[1]}, difference {number(np.abs(claimed - true))}"


def _explanation(slips: Sequence[str], several: bool) -> list[str]:
    """Return the slips in words."""
    head = "explains every point" if several else "this explains it"
    return [f"  {head if i == 0 else 'or'}: {text}" for i, text in enumerate(slips)]


def _without_slip(
    failing: Sequence[Weighed], worst: Worst, usable: Sequence[Weighed], words: Any, place: Any
) -> list[str]:
    """Return what helps where no slip explains a claim: how near it is, or what the derivative is the sum of."""
    if any(w.said.matrix is None for w in failing):
        return []
    near = max(_relative(w) for w in usable)
    if near < _DIGITS:
        text = f"  it is near everywhere (relative difference {number(near, 2)}): a number in it may be rounded"
        return [text + _accepting(usable)]
    w = next(w for w in failing if _bare(w.point) is worst.point)
    if w.truth.matrix.size != 1 or w.truth.chains is None:
        return ["  no single slip explains it"]
    parts = terms(w.truth.chains, words(w.truth.chains, place))
    if len(parts) < 2:
        return ["  no single slip explains it"]
    width = max(len(text) for text, _ in parts)
    lines = ["  no single slip explains it; the derivative is the sum of"]
    lines += [f"    {number(matrix[0, 0]):>10}  from {text.ljust(width)}".rstrip() for text, matrix in parts]
    return lines


# --- numbers that were typed ------------------------------------------------------------------------------------------


def _typed(x: float) -> tuple[int, float]:
    """Return with how many digits a number was typed, and the unit of the last of them."""
    number = Decimal(repr(float(x)))
    whole = number == number.to_integral_value() and "e" not in repr(float(x))
    _, digits, exponent = (number.to_integral_value() if whole else number).as_tuple()
    return len(digits), 10.0 ** int(exponent)


def precision(w: Weighed) -> float:
    """Return by how much numbers that were typed may be rounded: half a unit of their last digit.

    0 where that is much of the number: of all slips many would be near enough.
    """
    if w.said.matrix is None or np.iscomplexobj(w.said.matrix) or not np.all(np.isfinite(w.said.matrix)):
        return 0.0
    typed = [_typed(x) for x in w.said.matrix.flat]
    worst = max([0.0, *(unit / 2 for digits, unit in typed if digits <= _TYPED and unit < 1)])
    return worst if worst <= _FINE * np.max(np.abs(w.said.matrix)) else 0.0


def rounding(w: Weighed) -> str:
    """Return the words for a claim that is the derivative, rounded to the digits that were typed; empty if it is not.

    One digit shows that for numbers that are near anyway, and beside others with the same decimals and more digits.
    """
    claimed, true = w.said.matrix, w.truth.matrix
    if not w.fails or w.said.words or np.iscomplexobj(claimed) or not np.all(np.isfinite([claimed, true])):
        return ""
    typed = {(i, j): _typed(claimed[i, j]) for i, j in np.ndindex(claimed.shape)}
    finest = min((unit for digits, unit in typed.values() if digits > 1 and unit < 1), default=0.0)
    wrong = [(int(i), int(j)) for i, j in np.argwhere(w.wrong)]
    for place in wrong:
        (digits, unit), off = typed[place], abs(float(claimed[place] - true[place])) * (1 - 1e-9)
        enough = digits > 1 or off <= finest / 2 or off <= _DIGITS * abs(float(true[place]))
        if digits > _TYPED or off > unit / 2 or not enough:
            return ""
    counts = {typed[place][0] for place in wrong}
    decimals = max(-int(np.rint(np.log10(typed[place][1]))) for place in wrong)
    count, what = (max(counts), "digit") if len(counts) == 1 or decimals <= 0 else (decimals, "decimal")
    said = f"rounded to {count} {what}{'s' * (count != 1)}"
    if true.size == 1:
        return f"it is the {w.truth.layout.noun} {said}: {number(true[0, 0], 9)}{_accepting([w])}"
    return f"its numbers are those of the {w.truth.layout.noun}, {said}{_accepting([w])}"


def _accepting(usable: Sequence[Weighed]) -> str:
    """Return the words for the relative difference, of one digit, with which a claim is accepted; none if no one is."""
    with quiet():
        parts = [np.abs(w.said.matrix - w.truth.matrix)[w.wrong] / np.abs(w.truth.matrix[w.wrong]) for w in usable]
    near = max((float(np.max(part)) for part in parts if part.size), default=0.0)
    if not 0 < near < 1:
        return ""
    unit = 10.0 ** np.floor(np.log10(near))
    return f"; rtol={np.ceil(near / unit) * unit:.0e} accepts it"
