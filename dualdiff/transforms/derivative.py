"""derivative: how f moves with one number."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, extract, wrap
from dualdiff.primal import ndim_of, plain, shape_of, size_of
from dualdiff.proxy import as_proxies
from dualdiff.tag import Tag
from dualdiff.transforms.asking import Argnums, Call, question
from dualdiff.transforms.results import Run, zero

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["derivative", "derivatives", "value_and_derivative"]


def _along(call: Call, place: int, seed: Any = 1.0) -> Run:
    """Run f with the tangent `seed` on every number of one argument."""
    return call.run([(seed if i == place else 0.0) * np.ones(shape_of(leaf))[()] for i, leaf in enumerate(call.leaves)])


def _slopes(call: Call, place: int, run: Run) -> Any:
    """Return the tangents of a run along one argument, in the structure of f's result."""
    leaf = call.leaves[place]
    slopes = run.moved
    for value in run.values:
        _require_pointwise(call, shape_of(leaf), shape_of(value))
    if np.iscomplexobj(plain(leaf)):
        call.require_holomorphic(_along(call, place, 1j).tangents, slopes)
    if size_of(leaf) > 1:
        # Some points move and some do not, in no pattern, or a stencil of every other point would pass for pointwise.
        some = (np.arange(1, size_of(leaf) + 1) * 0.6180339887498949 % 1 < 0.5).reshape(shape_of(leaf))
        for slope, moved in zip(slopes, _along(call, place, some.astype(plain(leaf).dtype)).moved, strict=True):
            _require_unmixed(call, some, plain(slope), plain(moved))
    return run.rebuild(slopes)


def _require_pointwise(call: Call, points: tuple[int, ...], result: tuple[int, ...]) -> None:
    """Refuse an array of points unless the result has its shape in front or behind: one result for each point."""
    if result[len(result) - len(points) :] != points and result[: len(points)] != points:
        message = (
            f"{call.name}() of an array of points needs f applied to each point on its own; for {points} points "
            f"f returned shape {result}. Use gradient(f) or jacobian(f) where points act together."
        )
        raise ValueError(message)


def _require_unmixed(call: Call, some: Any, slope: Any, moved: Any) -> None:
    """Refuse f unless, where only some points move, their results move as before and the others not at all."""
    room = (1,) * (ndim_of(slope) - ndim_of(some))
    for shaped in (some, some.reshape(shape_of(some) + room)):  # the points' axes behind, or in front
        if np.broadcast_shapes(shape_of(shaped), shape_of(slope)) == shape_of(slope):
            near = float(np.sqrt(np.finfo(np.result_type(slope, np.float16)).eps))
            if np.allclose(moved, np.where(shaped, slope, 0), rtol=near, atol=0.0, equal_nan=True):
                return
    message = (
        f"{call.name}() of an array of points needs f applied to each point on its own, and here results move with "
        f"other points than theirs. Use gradient(f) or jacobian(f) where points act together."
    )
    raise ValueError(message)


def _answer(call: Call, value_too: bool) -> Any:
    if call.argnums is None and len(call.args) != 1:
        message = (
            f"{call.name}() of a function of {len(call.args)} arguments needs to know which one moves: "
            f"{call.name}(f, argnums=0) for the first, {call.name}(f, argnums=(0, 1)) for several; "
            "for df/d(s, t) as one matrix use jacobian(f)(s, t)"
        )
        raise ValueError(message)
    if any(count != 1 for count in call.counts):
        message = f"{call.name}() is by a number or an array of points; for containers use gradient or jacobian"
        raise TypeError(message)
    runs = [_along(call, i) for i in range(len(call.places))]
    run = runs[0]
    each = [_slopes(call, i, along) for i, along in enumerate(runs)]
    slopes = tuple(each[i] for i in call.order) if isinstance(call.argnums, tuple) else each[0]
    if value_too:
        return (call.with_aux(run.value, run), slopes)
    return call.with_aux(slopes, run)


def derivative(f: Callable[..., Any], argnums: Argnums = None, *, has_aux: bool = False) -> Callable[..., Any]:
    """Return the function df/dt, of the same arguments as f.

    Parameters
    ----------
    f : callable
        Function of a number, written in NumPy or plain Python. Given an array of points it is applied to each.
    argnums : int, str or tuple of them, optional
        Which argument moves, by position or name; needed where f is called with several. A tuple gives a tuple.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(dy, aux)``, and aux is not differentiated.

    Returns
    -------
    callable
        ``derivative(f)(t)`` has the shape of ``f(t)`` and the unit of f divided by the unit of t.

    Raises
    ------
    ValueError
        If f is called with several arguments and `argnums` does not say which one moves; if f does not treat an
        array of points point by point; at a complex point where f is not complex differentiable.
    TypeError
        If f is no function, or returns something that is not made of numbers.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, ch. 3.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.derivative(lambda t: np.sin(t)**2 + 2*np.cos(t))(1.2)
    -1.1886149913833015
    >>> dd.derivative(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    asked = question("derivative", partial(_answer, value_too=False), f, argnums, has_aux)
    if argnums is not None or has_aux:
        return asked

    @wraps(f)
    def at(*args: Any, **kwargs: Any) -> Any:
        """Answer for one float without the general machinery."""
        if len(args) != 1 or type(args[0]) is not float or kwargs:
            return asked(*args, **kwargs)
        with Tag() as tag:
            try:
                y = f(wrap(args[0], 1.0, tag))
            except TypeError:
                Call("derivative", f, None, has_aux=False, args=args, kwargs={}).require_arity()
                raise
            if type(y) is Dual and y._tag is tag and type(y._tangent) is float:
                return y._tangent
            if callable(y):
                return asked(*args)
            call = Call("derivative", f, None, has_aux=False, args=args, kwargs={})
            return as_proxies(_slopes(call, 0, call.taken_apart(y, tag)))

    return at


def value_and_derivative(
    f: Callable[..., Any], argnums: Argnums = None, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function ``t -> (f(t), df/dt)``.

    Parameters
    ----------
    f, argnums, has_aux
        As for `derivative`; with `has_aux` the answer is ``((y, aux), dy)``.

    Returns
    -------
    callable
        Value and derivative, each of the shape of ``f(t)``, from one run of f (and, for an array of points, a second
        that sees whether f treats them one by one).

    Raises
    ------
    ValueError, TypeError
        As `derivative`.

    Examples
    --------
    >>> import dualdiff as dd
    >>> dd.value_and_derivative(lambda t: t**3)(2.0)
    (8.0, 12.0)
    """
    return question("value_and_derivative", partial(_answer, value_too=True), f, argnums, has_aux)


def derivatives(f: Callable[..., Any], order: int, *, has_aux: bool = False) -> Callable[..., Any]:
    """Return the function ``t -> (f(t), f'(t), …)`` with all derivatives up to `order`.

    Parameters
    ----------
    f : callable
        Function of one number, or of an array of points that it treats one by one.
    order : int
        The highest derivative wanted, at least 0.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``((y, y', …), aux)``.

    Returns
    -------
    callable
        ``derivatives(f, order)(t)`` is a tuple of ``order + 1`` results of the shape of ``f(t)``, from one run of f
        (and, for an array of points, two that see whether f treats them one by one).

    Raises
    ------
    ValueError
        If `order` is negative or no whole number.
    TypeError
        If f is not called with one number or array.

    Notes
    -----
    The point carries one tangent inside the other, so the cost doubles with each order.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.derivatives(np.sin, 3)(0.0)
    (0.0, 1.0, 0.0, -1.0)
    """
    if isinstance(order, bool) or not hasattr(order, "__index__") or order < 0:
        message = f"derivatives(f, order) needs a whole number that is not negative as its order; it got {order!r}"
        raise ValueError(message)

    def answer(call: Call) -> Any:
        if len(call.args) != 1 or call.counts != [1]:
            message = (
                "derivatives(f, order)(t) takes one number, or one array of points; fix other arguments by a lambda"
            )
            raise TypeError(message)
        return _peeled(call, order)

    return question("derivatives", answer, f, None, has_aux)


def _peeled(call: Call, order: int) -> Any:
    """Seed one tangent inside the other, run f once, and take the derivatives off from the outermost in."""
    (point,) = call.leaves
    if order and (np.iscomplexobj(plain(point)) or size_of(point) > 1):
        _slopes(call, 0, _along(call, 0))  # refuses f that is not complex differentiable, or not pointwise
    with ExitStack() as seeded:
        tags = [seeded.enter_context(Tag()) for _ in range(order)]
        for tag in tags:
            call.leaves[0] = wrap(call.leaves[0], np.ones_like(plain(point))[()], tag)
        run = call.run([None])
        parts, found = run.values, []
        for value in parts:
            _require_pointwise(call, shape_of(point), shape_of(value))
        for i in range(order, -1, -1):
            found.append(run.rebuild([_value_under(tags[:i], part) for part in parts]))
            if i:
                parts = [_moved_by(tags[i - 1], part) for part in parts]
        return call.with_aux(tuple(found), run)


def _value_under(tags: list[Tag], x: Any) -> Any:
    for tag in reversed(tags):
        x, _ = extract(x, tag)
    return x


def _moved_by(tag: Tag, x: Any) -> Any:
    value, tangent = extract(x, tag)
    return zero(value) if tangent is None else tangent
