"""Rules of your own: a function handed over with its derivative."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, call, elementwise, extract, kept, packed, wrap
from dualdiff.functions import members
from dualdiff.primal import plain
from dualdiff.rules.book import RULES, Entry, Line, Paragraph, enter
from dualdiff.stacked import Stacked
from dualdiff.tag import Tag
from dualdiff.tangent import Tangent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["rule"]


def rule(f: Any = None, *, partials: Any = None, jvp: Callable[..., Any] | None = None) -> Any:
    """Give a function its own derivative, instead of the one read off its code.

    Parameters
    ----------
    f : callable
        Your own function, or a NumPy function that the tables do not have. As a decorator, leave it out.
    partials : callable or sequence of callables
        For an elementwise f: one partial derivative per argument, each a function of the arguments and of the
        result, as in the tables: ``lambda x, y: 1 - y * y`` for tanh. A number stands for a constant partial.
    jvp : callable
        For any other f: ``jvp(primals, tangents) -> (y, dy)``, both arguments tuples, dy linear in the tangents. An
        argument that does not move has a tangent of zeros.

    Returns
    -------
    callable
        f with the rule; it works in every transform, also nested.

    Raises
    ------
    TypeError
        If neither or both of `partials` and `jvp` are given.
    ValueError
        If the tables have a rule for f already.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> @dd.rule(partials=lambda x, y: 1 / (1 + np.exp(-x)))
    ... def softplus(x):
    ...     return np.logaddexp(0.0, x)
    >>> dd.derivative(softplus)(0.0)
    0.5
    """
    if f is None and (partials is not None or jvp is not None):
        return functools.partial(rule, partials=partials, jvp=jvp)
    if not callable(f) or (partials is None) == (jvp is None):
        message = (
            "rule(f, partials=...) is for elementwise f, rule(f, jvp=...) for any other: give f and one of the two"
        )
        raise TypeError(message)
    numpys = isinstance(f, np.ufunc) or hasattr(f, "_implementation")  # these ask their operands what to do
    if numpys or (isinstance(f, Hashable) and f in RULES):
        enter(_entry(f, partials, jvp))
        return f

    @functools.wraps(f)
    def ruled(*args: Any, **kwargs: Any) -> Any:
        if any(True for _ in members(list(kwargs.values()))):
            message = f"{_name(f)} was given a Dual by keyword, which its rule does not see: give it by position"
            raise TypeError(message)
        member = next(members(list(args)), None)
        if member is None:
            return f(*args, **kwargs)
        if not isinstance(member, Dual):  # a Variable, which has a Dual in it
            return member.__array_function__(ruled, (), args, kwargs)  # type: ignore[attr-defined]
        if not isinstance(entry, Line):
            return call(entry, args, kwargs)
        if kwargs or len(args) != len(entry.partials):
            message = (
                f"{_name(f)} has a rule of {len(entry.partials)} partial(s), so it takes as many arguments, all by "
                f"position; it got {len(args)}{' and ' + ', '.join(kwargs) if kwargs else ''}. "
                "Write a partial for each, or use jvp="
            )
            raise TypeError(message)
        return elementwise(entry, args)

    entry = _entry(ruled, partials, jvp)
    return ruled


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", "f")


def _entry(f: Callable[..., Any], partials: Any, jvp: Callable[..., Any] | None) -> Entry:
    """Return the rule as the tables have it."""
    if jvp is None:
        each = tuple(partials) if isinstance(partials, (list, tuple)) else (partials,)
        return Line(f, each, ((-np.inf, np.inf),) * len(each), traced=False)

    def pair(primals: Any, tangents: Any, settings: dict[str, Any]) -> tuple[Any, Any]:
        result = jvp(primals, _filled(primals, tangents), **settings)
        if not isinstance(result, tuple) or len(result) != 2:
            message = f"the jvp of {_name(f)} is to return the tuple (y, dy); it returned {result!r}"
            raise TypeError(message)
        return result

    def handler(tangents: Sequence[Any], *primals: Any, **settings: Any) -> tuple[Any, Any]:
        kind = next(t for t in tangents if t is not None)
        if not isinstance(kind, Tangent):
            return pair(primals, tangents, settings)
        if not isinstance(kind, Stacked):
            return _differentiated(pair, primals, tangents, settings)
        pairs = [
            pair(primals, [None if t is None else t.array[i] for t in tangents], settings)
            for i in range(len(kind.array))
        ]
        y, moved = pairs[0][0], [dy for _, dy in pairs]
        if isinstance(y, tuple):
            return y, tuple(Stacked(np.stack(parts)) for parts in zip(*moved, strict=True))
        return y, Stacked(np.stack(moved))

    return Paragraph(f, handler, (), variadic=0)


def _differentiated(
    pair: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], settings: dict[str, Any]
) -> tuple[Any, Any]:
    """Return y, and dy as a tangent of a kind that has no numbers: the derivative of what is linear is itself.

    The tangents go through the jvp as the tangents of ones, which a jvp may not leave out as it may zeros.
    """
    with Tag() as tag:
        tag.records = True
        seeds = [None if t is None else wrap(np.ones(t.shape, t.dtype)[()], t, tag) for t in tangents]
        y, dy = pair(primals, seeds, settings)
        parts = dy if isinstance(y, tuple) else (dy,)
        moved = []
        for part in parts:
            value, tangent = extract(packed(part), tag)
            kind = next(t for t in tangents if t is not None)
            moved.append(kind.zeros(np.shape(plain(value))) if tangent is None else tangent)
    y = kept(y)  # it may be f's own, to be used again
    return y, tuple(moved) if isinstance(y, tuple) else moved[0]


def _filled(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(np.zeros(np.shape(x))[()] if t is None else t for x, t in zip(primals, tangents, strict=True))
