"""gradient: how one number moves with every input, by forward mode for few inputs and by reverse mode for many."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, borrowed, wrap
from dualdiff.proxy import as_proxies
from dualdiff.reverse import Input, Program
from dualdiff.tag import Tag
from dualdiff.tangent import any_nan
from dualdiff.transforms.asking import Argnums, Call, ReturnsFunction, question
from dualdiff.transforms.jacobian import (
    _blocks,
    _columns,
    _matrix,
    beside,
    checked_mode,
    free_chunk,
    require_side_by_side,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["goes_forward", "gradient", "gradient_at", "is_plain_array", "of_array", "value_and_gradient"]

# Of so few separate numbers mode="auto" goes forward, which is quicker then.  (tests/benchmarks/crossover.py)
_FEW_NUMBERS = 3
_FLOAT64 = np.dtype(float)


def goes_forward(call: Call) -> bool:
    """Tell whether mode="auto" goes forward."""
    return call.size <= _FEW_NUMBERS and call.of_numbers


def gradient_at(call: Call, value_too: bool, mode: str = "auto") -> Any:
    """Answer for one evaluation point."""
    require_side_by_side(call)
    if call.is_complex:
        message = f"{call.name}() is about real inputs; at a complex point use jvp(f, z, v) for one direction"
        raise TypeError(message)
    if mode == "reverse" or (mode == "auto" and not goes_forward(call)):
        run, program = call.record()
        call.require_scalar(run)
        answer = beside(call, program.pull([1.0]), 0)
    else:
        run, columns = _columns(call, free_chunk(call, call.size))
        call.require_scalar(run)
        answer = _blocks(call, _matrix(columns[0], run.values[0]))
    return (call.with_aux(run.value, run), answer) if value_too else call.with_aux(answer, run)


def is_plain_array(x: Any) -> bool:
    """Tell whether a point can go without the general machinery: one array of float64."""
    return type(x) is np.ndarray and x.dtype is _FLOAT64 and x.ndim > 0


def of_array(name: str, f: Callable[..., Any], x: Any) -> tuple[Any, Any]:
    """Return value and gradient at a plain array, or at one that moves with an outer derivative, in reverse mode."""
    step = Input(x.shape, _FLOAT64)
    with Tag() as tag:
        tag.records = True
        try:
            y = f(borrowed(x, step, tag) if type(x) is np.ndarray else wrap(x, step, tag))
        except TypeError as error:
            Call(name, f, None, has_aux=False, args=(x,), kwargs={}).explain(error)
            raise
        if type(y) is Dual and y._tag is tag and type(y._value) in (float, Dual):
            value, tangent = y._value, y._tangent
        elif callable(y):
            raise ReturnsFunction
        else:
            call = Call(name, f, None, has_aux=False, args=(x,), kwargs={})
            run = call.taken_apart(y, tag)
            call.require_scalar(run)
            (value,), (tangent,) = run.values, run.tangents
    (slope,) = Program((step,), (tangent,), any_nan(value)).pull((1.0,))
    return value, slope


def _quick(
    name: str, f: Callable[..., Any], asked: Callable[..., Any], mode: str, value_too: bool
) -> Callable[..., Any]:
    """Return the transform with a way of its own for one plain array."""

    @wraps(f)
    def at(*args: Any, **kwargs: Any) -> Any:
        if len(args) != 1 or kwargs or mode == "forward" or not is_plain_array(args[0]):
            return asked(*args, **kwargs)
        try:
            value, slope = of_array(name, f, args[0])
        except ReturnsFunction:
            return asked(*args)
        return as_proxies((value, slope) if value_too else slope)

    return at


def gradient(
    f: Callable[..., Any], argnums: Argnums = None, *, mode: str = "auto", has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the gradient of f, which returns one number.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them that returns one real number.
    argnums : int, str or tuple of them, optional
        Which arguments move; a tuple gives a tuple.
    mode : {"auto", "forward", "reverse"}
        "forward" carries input directions along, several in one pass where there are many; "reverse" runs f once,
        records it, and reads the record backward once, whatever the number of inputs. "auto" goes forward for
        at most 3 separate numbers.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(gradient, aux)``.

    Returns
    -------
    callable
        ``gradient(f)(x)`` has the structure and shape of x; ``gradient(f)(s, t)`` of several numbers is one 1-D array.
        Each entry has the unit of f over that of the input.

    Raises
    ------
    ValueError
        If f returns anything but one number; the message has its shape.
    TypeError
        If that number is complex, or an input is.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.gradient(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    checked_mode("gradient", mode)
    asked = question("gradient", partial(gradient_at, value_too=False, mode=mode), f, argnums, has_aux)
    return asked if argnums is not None or has_aux else _quick("gradient", f, asked, mode, value_too=False)


def value_and_gradient(
    f: Callable[..., Any], argnums: Argnums = None, *, mode: str = "auto", has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function ``x -> (f(x), gradient)``, as ``scipy.optimize.minimize(jac=True)`` takes it.

    Parameters
    ----------
    f, argnums, mode, has_aux
        As for `gradient`; with `has_aux` the answer is ``((y, aux), gradient)``.

    Returns
    -------
    callable
        The number f returns, and its gradient.

    Raises
    ------
    ValueError, TypeError
        As `gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.value_and_gradient(lambda x: np.prod(x))(np.array([2.0, 3.0]))
    (6.0, array([3., 2.]))
    """
    checked_mode("value_and_gradient", mode)
    asked = question("value_and_gradient", partial(gradient_at, value_too=True, mode=mode), f, argnums, has_aux)
    return asked if argnums is not None or has_aux else _quick("value_and_gradient", f, asked, mode, value_too=True)
