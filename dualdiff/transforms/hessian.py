"""hessian and hvp: the derivative of the gradient, by one derivative inside the other."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import borrowed, extract
from dualdiff.proxy import as_proxies
from dualdiff.tag import Tag
from dualdiff.transforms.asking import Argnums, Call, ReturnsFunction, question
from dualdiff.transforms.gradient import goes_forward, gradient_at, is_plain_array, of_array
from dualdiff.transforms.jacobian import _jacobian, free_chunk
from dualdiff.transforms.jvp import jvp

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hessian", "hvp", "value_and_hessian"]


def _hessian(call: Call, value_too: bool) -> Any:
    """Return the Jacobian of the gradient; value and aux ride along as the gradient's own extra results."""
    inner = partial(gradient_at, value_too=True)
    with_value = question(call.name, inner, call.f, call.argnums, call.has_aux)

    @wraps(call.f)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        result = with_value(*args, **kwargs)
        if callable(result):
            raise ReturnsFunction
        value, gradient = result
        return gradient, value

    outer = Call(call.name, gradient_and_value, call.argnums, has_aux=True, args=call.args, kwargs=call.kwargs)
    n = outer.size
    second, value = _jacobian(outer, free_chunk(outer, n * n if goes_forward(outer) else n), value_too=False)
    if value_too:
        return value, second
    return (second, value[1]) if call.has_aux else second


def hessian(f: Callable[..., Any], argnums: Argnums = None, *, has_aux: bool = False) -> Callable[..., Any]:
    """Return the function that gives the Hessian of f: every second derivative of one number.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them that returns one real number.
    argnums : int, str or tuple of them, optional
        Which arguments move; a tuple gives a tuple of tuples of blocks.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(H, aux)``.

    Returns
    -------
    callable
        ``hessian(f)(x)`` has shape ``x.shape + x.shape``; of several numbers ``(n, n)``.

    Raises
    ------
    ValueError
        If f returns anything but one number.
    TypeError
        If f is no function, or returns something that is not made of numbers.

    Notes
    -----
    Forward over reverse: the gradient is read off a record whose values carry directions, several in one pass. Of at
    most 3 separate numbers forward over forward is quicker.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, ch. 5.

    Examples
    --------
    >>> import dualdiff as dd
    >>> dd.hessian(lambda s, t: s**2 * t)(3.0, 2.0)
    array([[4., 6.],
           [6., 0.]])
    """
    return question("hessian", partial(_hessian, value_too=False), f, argnums, has_aux)


def value_and_hessian(f: Callable[..., Any], argnums: Argnums = None, *, has_aux: bool = False) -> Callable[..., Any]:
    """Return the function ``x -> (f(x), Hessian)``.

    Parameters
    ----------
    f, argnums, has_aux
        As for `hessian`; with `has_aux` the answer is ``((y, aux), H)``.

    Returns
    -------
    callable
        The number f returns, and its Hessian.

    Raises
    ------
    ValueError, TypeError
        As `hessian`.

    Examples
    --------
    >>> import dualdiff as dd
    >>> dd.value_and_hessian(lambda t: t**3)(2.0)
    (8.0, 12.0)
    """
    return question("value_and_hessian", partial(_hessian, value_too=True), f, argnums, has_aux)


def hvp(f: Callable[..., Any], *, has_aux: bool = False) -> Callable[..., Any]:
    """Return the function ``(x, v) -> H·v``: the Hessian of f along one direction.

    Parameters
    ----------
    f : callable
        Function of one number, array or container that returns one real number.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(H·v, aux)``.

    Returns
    -------
    callable
        ``hvp(f)(x, v)`` has the structure and shape of x; v must have them too.

    Raises
    ------
    ValueError
        If f returns anything but one number, or v does not fit x.
    TypeError
        If f is no function.

    Notes
    -----
    Forward over reverse: one run of f, at a small multiple of its cost whatever the number of inputs.

    References
    ----------
    Pearlmutter, *Fast exact multiplication by the Hessian*, Neural Computation 6 (1994).

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.hvp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 6.])
    """
    gradient = question("hvp", partial(gradient_at, value_too=False), f, None, has_aux)

    def product(x: Any, v: Any) -> Any:
        if not has_aux and is_plain_array(x) and is_plain_array(v) and x.shape == v.shape:
            with Tag() as tag:
                try:
                    _, slope = of_array("hvp", f, borrowed(x, v, tag))
                except ReturnsFunction:
                    pass
                else:
                    _, moved = extract(slope, tag)
                    return as_proxies(np.zeros(x.shape) if moved is None else moved)
        _, *answer = jvp(gradient, (x,), (v,), has_aux=has_aux)
        return tuple(answer) if has_aux else answer[0]

    return product
