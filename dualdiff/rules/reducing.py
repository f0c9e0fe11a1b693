"""Functions that combine elements along axes: sums, products, extremes, norms, running totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.floating import quiet
from dualdiff.primal import ndim_of
from dualdiff.rules.book import composed, rule
from dualdiff.tangent import contract, linear, move, scale

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["total"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes meant by NumPy's `axis`, counted from 0."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim if ndim else a for a in (axis if isinstance(axis, tuple) else (axis,)))


def total(tangent: Any, ndim: int, axis: Any, keepdims: bool) -> Any:
    """Sum a tangent of a value with `ndim` axes along some of them."""
    axes = _axes(axis, ndim)
    letters = _LETTERS[:ndim]
    kept = "".join(letter for i, letter in enumerate(letters) if i not in axes)
    tangent = contract(lambda a: np.sum(a, axis=axes), f"{letters}->{kept}", (None,), 0, tangent)
    return move(lambda a: np.expand_dims(a, axes), tangent) if keepdims else tangent


def _masked(tangent: Any, where: Any) -> Any:
    return tangent if where is True else move(lambda a: np.where(where, a, 0), tangent)


def _count(a: Any, axis: Any, where: Any, keepdims: bool = False) -> Any:
    """Return how many elements go into each result, as a number or in the precision of `a`."""
    if where is True:
        return int(np.prod([np.shape(a)[i] for i in _axes(axis, np.ndim(a))], dtype=int))
    kind = np.real(np.zeros(1, a.dtype)).dtype
    return np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=keepdims, dtype=kind)


@rule(
    np.sum, "np.sum(x)", "np.sum(M, axis=0)", "np.sum(T, axis=(0, 2), keepdims=True)", "np.sum(x, where=x > 1)",
    "np.sum(s)", "np.sum(x, initial=2.0)",
)  # fmt: skip
def _(
    da: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = 0,
    where: Any = True,
) -> Any:  # fmt: skip
    if (
        axis is dtype is None and keepdims is False and where is True and type(initial) is int and initial == 0
    ):  # mostly
        return np.add.reduce(a, axis=None), contract(np.sum, _LETTERS[: ndim_of(a)] + "->", (None,), 0, da)
    y = np.sum(a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)
    return y, total(_masked(da, where), np.ndim(a), axis, keepdims)


@rule(np.mean, "np.mean(x)", "np.mean(M, axis=0)", "np.mean(T, axis=(0, 2), keepdims=True)", "np.mean(x, where=x > 1)")
def _(
    da: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    y = np.mean(a, axis=axis, dtype=dtype, keepdims=keepdims, where=where)
    return y, total(_masked(da, where), np.ndim(a), axis, keepdims) / _count(a, axis, where, keepdims)


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def handler(
        da: Any,
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Any:
        """Of k tied entries each moves the extreme by 1/k, so that max(x + c) = max(x) + c holds."""
        if axis is None and where is True and initial is None and not keepdims and ndim_of(a) and a.size:
            y = pick(a)
            tied = np.flatnonzero(a == y)
            if len(tied) == 1:
                place = np.unravel_index(tied[0], a.shape)
                return y, move(lambda t: t[place], da)
        rest = {} if initial is None else {"initial": initial}
        y = pick(a, axis=axis, keepdims=True, where=where, **rest)
        tied = np.logical_and(a == y, where)
        ties = np.sum(tied, axis=axis, keepdims=True) + (0 if initial is None else y == initial)
        with quiet():
            share = tied / ties
        taken = tied | (ties == 0)
        tangent = total(scale(share, move(lambda t: np.where(taken, t, 0), da)), np.ndim(a), axis, keepdims)
        return (y if keepdims else np.squeeze(y, axis=_axes(axis, np.ndim(a)))), tangent

    return handler


# Each has two names, which are one function in some NumPys and two in others.
for _function in {np.max, np.amax}:
    rule(
        _function, "np.max(x)", "np.max(M, axis=0)", "np.max(T, axis=(0, 2), keepdims=True)", "np.max(x, initial=0.5)"
    )(_extreme(np.max))
for _function in {np.min, np.amin}:  # type: ignore[assignment]
    rule(_function, "np.min(x)", "np.min(M, axis=0)", "np.min(T, axis=1)", "np.min(x, where=x > 0.5, initial=9.0)")(
        _extreme(np.min)
    )


@composed(
    np.prod, "np.prod(x)", "np.prod(M, axis=0)", "np.prod(T, axis=(0, 2), keepdims=True)", "np.prod(x, where=x > 1)"
)
def _(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = 1,
    where: Any = True,
) -> Any:  # fmt: skip
    """Halving: multiply the first half by the second until one factor is left; no division, so zeros are exact."""
    a = a if dtype is None else np.positive(a, dtype=dtype)
    a = a if where is True else np.where(where, a, 1.0)
    axes = _axes(axis, np.ndim(a))
    kept = tuple(n for i, n in enumerate(np.shape(a)) if i not in axes)
    factors = np.reshape(np.moveaxis(a, axes, range(len(axes))), (-1, *kept))
    while len(factors) > 1:
        half = len(factors) // 2
        product = factors[:half] * factors[half : 2 * half]
        factors = product if len(factors) == 2 * half else np.concatenate([product, factors[2 * half :]])
    result = initial * factors[0] if len(factors) else initial * np.ones(kept)
    return np.expand_dims(result, axes) if keepdims else result


@rule(np.cumsum, "np.cumsum(x)", "np.cumsum(M, axis=1)", "np.cumsum(M)")
def _(da: Any, a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    """The transpose of a running total is a running total from the end."""
    y = np.cumsum(a, axis=axis, dtype=dtype)
    if axis is None:
        da, axis = move(np.ravel, da), 0
    along = axis
    return y, linear(
        lambda t: np.cumsum(t, axis=along), lambda g: np.flip(np.cumsum(np.flip(g, along), axis=along), along), da
    )


@rule(np.bincount, "np.bincount([0, 2, 0], x)", "np.bincount([1, 1, 3], weights=x, minlength=6)")
def _(dweights: Any, x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """The sum of the weights at each number; the transpose reads each weight's off again."""
    y = np.bincount(x, weights, minlength)
    if y.dtype.kind == "i":  # as of no numbers at all
        y = y.astype(float)
    return y, linear(lambda t: 1.0 * np.bincount(x, t, minlength), lambda g: np.take(g, x), dweights)


@composed(np.cumprod, "np.cumprod(x)", "np.cumprod(M, axis=1)")
def _(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    """Doubling (Hillis & Steele 1986): after k steps each entry is the product of the last 2^k, without division."""
    a = a if dtype is None else np.positive(a, dtype=dtype)
    if axis is None:
        a, axis = np.ravel(a), 0
    y = np.moveaxis(a, axis, 0)
    step = 1
    while step < len(y):
        y = np.concatenate([y[:step], y[step:] * y[:-step]])
        step *= 2
    return np.moveaxis(y if step > 1 else y.copy(), 0, axis)


@composed(np.diff, "np.diff(x)", "np.diff(M, axis=0)", "np.diff(x, n=2)", "np.diff(x, prepend=s, append=[t, 1.0])")
def _(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    ends = [
        None
        if end is None
        else np.broadcast_to(end, (*np.shape(a)[:axis], 1, *np.shape(a)[axis:][1:]))
        if np.ndim(end) == 0
        else end
        for end in (prepend, append)
    ]
    joined = [part for part in (ends[0], a, ends[1]) if part is not None]
    y = np.moveaxis(np.concatenate(joined, axis=axis) if len(joined) > 1 else a, axis, 0)
    for _step in range(n):
        y = y[1:] - y[:-1]
    return np.moveaxis(y, 0, axis)


@composed(np.ptp, "np.ptp(x)", "np.ptp(M, axis=0)")
def _(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@composed(np.var, "np.var(x)", "np.var(M, axis=1, ddof=1)", "np.var(x, where=x > 0.5, keepdims=True)")
def _var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    centre = np.mean(a, axis=axis, keepdims=True, where=where) if mean is None else mean
    deviation = a - centre
    squares = np.real(deviation * np.conjugate(deviation)) if np.iscomplexobj(a) else deviation * deviation
    freedom = _count(a, axis, where, keepdims) - (ddof if correction is None else correction)
    return np.sum(squares, axis=axis, keepdims=keepdims, where=where) / freedom


@composed(np.std, "np.std(x)", "np.std(M, axis=1, ddof=1)")
def _(a: Any, *args: Any, **settings: Any) -> Any:
    return np.sqrt(_var(a, *args, **settings))


@composed(np.average, "np.average(x, weights=y)", "np.average(M, axis=0)", "np.average(x)")
def _(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        return (mean, np.full(np.shape(mean), float(_count(a, axis, True)))) if returned else mean
    if np.shape(weights) != np.shape(a):
        weights = np.moveaxis(np.broadcast_to(weights, np.shape(np.moveaxis(a, axis, -1))), -1, axis)
    weight = np.sum(weights, axis=axis, keepdims=keepdims)
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / weight
    return (mean, weight) if returned else mean


@composed(
    np.linalg.norm, "np.linalg.norm(x)", "np.linalg.norm(A)", "np.linalg.norm(M, axis=1)", "np.linalg.norm(x, 1)",
    "np.linalg.norm(x, np.inf)", "np.linalg.norm(x, 3)", "np.linalg.norm(A, 1)", "np.linalg.norm(M, keepdims=True)",
)  # fmt: skip
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """At the origin the slope is 0: √ has an infinite one there, but the squares under it do not move."""
    if axis is None and (ord is None or np.ndim(x) == 1):
        axes: Any = None if ord is None else (0,)
    elif axis is None:
        axes = (0, 1)
    else:
        axes = axis if isinstance(axis, tuple) else (axis,)
    size = np.abs(x)
    if ord is None or ord == "fro" or (ord == 2 and len(axes) == 1):
        squares = np.real(x) ** 2 + np.imag(x) ** 2 if np.iscomplexobj(x) else x * x
        return np.sqrt(np.sum(squares, axis=axes, keepdims=keepdims))
    if len(axes) == 1:
        if abs(ord) == np.inf:
            return (np.max if ord > 0 else np.min)(size, axis=axes, keepdims=keepdims)
        if ord == 0:
            return np.sum(size != 0, axis=axes, keepdims=keepdims) * 1.0
        if ord == 1:
            return np.sum(size, axis=axes, keepdims=keepdims)
        return np.sum(size**ord, axis=axes, keepdims=keepdims) ** (1 / ord)
    if ord in (1, -1, np.inf, -np.inf):
        summed, other = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(size, axis=summed, keepdims=True)
        result = (np.max if ord > 0 else np.min)(sums, axis=other, keepdims=True)
        return result if keepdims else np.squeeze(result, axis=axes)
    message = f"numpy.linalg.norm of a Dual matrix with ord={ord!r} needs singular values, which have no rule yet"
    raise TypeError(message)


@composed(np.linalg.vector_norm, "np.linalg.vector_norm(A)", "np.linalg.vector_norm(M, axis=1)")
def _(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    if axis is None and not keepdims:
        return _norm(np.ravel(x), ord)
    return _norm(x, ord if axis is not None else None, axis, keepdims)


@composed(np.interp, "np.interp(s, [0.0, 1.0, 2.0, 4.0], [1.0, 3.0, 2.0, 0.0])", "np.interp(x, [0.0, 1.0, 9.0], y)")
def _(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Piecewise linear; at a knot the mean of the two slopes, beyond the ends constant."""
    if period is not None:
        message = "numpy.interp with period= has no rule: reduce x to one period with % and repeat the end points"
        raise TypeError(message)
    xp, last = np.asarray(xp) if isinstance(xp, (list, tuple)) else xp, len(xp) - 1
    fp = np.stack(list(fp)) if isinstance(fp, (list, tuple)) else fp

    def piece(side: str) -> Any:
        place = np.where(np.isnan(x), 1, np.searchsorted(xp, x, side=side))  # type: ignore[call-overload]
        i = np.clip(place - 1, 0, max(last - 1, 0))
        run = xp[np.minimum(i + 1, last)] - xp[i]
        along = fp[i] + (x - xp[i]) * (fp[np.minimum(i + 1, last)] - fp[i]) / np.where(run == 0, 1.0, run)
        along = np.where(place == 0, fp[0], along)
        return np.where(place == last + 1, fp[last], along)

    y = 0.5 * (piece("left") + piece("right"))
    y = y if left is None else np.where(x < xp[0], left, y)
    return y if right is None else np.where(x > xp[last], right, y)
