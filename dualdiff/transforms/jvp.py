"""jvp: f and its derivative in one direction, one run of f; and what stops a derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual
from dualdiff.primal import plain, shape_of
from dualdiff.transforms.asking import Call, question
from dualdiff.transforms.containers import is_leaf, matched, private, tree_map

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["jvp", "stop_gradient"]


def jvp(f: Any, primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """Return ``(f(x), J·v)``: the value, and how it moves when x moves along v.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them.
    primals : tuple
        The arguments of f; for one argument the bare value will do.
    tangents : tuple
        The direction: one tangent for each primal, of its shape. The unit of a tangent is free, and the answer has it
        too.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(y, dy, aux)``.

    Returns
    -------
    tuple
        ``(y, dy)``, both of the structure and shape of f's result.

    Raises
    ------
    ValueError
        If primals and tangents differ in number, structure or shape.
    TypeError
        If f is no function, cannot take so many arguments, or returns something that is not made of numbers.

    Notes
    -----
    One run of f, whatever the number of inputs.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> y, dy = dd.jvp(lambda s, t: s * np.sin(t), (2.0, 0.5), (1.0, 0.0))
    >>> dy
    0.479425538604203
    """
    if not callable(f):
        message = f"jvp() takes a function; it got {f!r}. Write jvp(f, x, v), not jvp(f(x), x, v)."
        raise TypeError(message)
    if not isinstance(primals, tuple) or hasattr(primals, "_fields"):
        primals, tangents = (primals,), (tangents,)
    elif not isinstance(tangents, tuple):
        message = (
            f"jvp() got a tuple of {len(primals)} primals, so it needs a tuple of as many tangents; it got {tangents!r}"
        )
        raise TypeError(message)
    if len(primals) != len(tangents):
        message = f"jvp() got {len(primals)} primal(s) and {len(tangents)} tangent(s): give one tangent for each primal"
        raise ValueError(message)

    def answer(call: Call) -> Any:
        run = call.run(_seeds(call, tangents))
        dy = run.rebuild(run.moved)
        return (run.value, dy, run.aux) if has_aux else (run.value, dy)

    return question("jvp", answer, f, None, has_aux)(*primals)


def _seeds(call: Call, tangents: Sequence[Any]) -> list[Any]:
    """Return the tangents of all leaves, each a number or an array like its leaf."""
    given = []
    for i, (primal, tangent) in enumerate(zip(call.args, tangents, strict=True)):
        try:
            given += [(i, seed) for seed in matched(tangent, primal)]
        except ValueError as error:
            message = f"tangent {i} of jvp() does not fit: {error}"
            raise ValueError(message) from None
    seeds = []
    for leaf, (i, seed) in zip(call.leaves, given, strict=True):
        if not is_leaf(seed):
            message = f"tangent {i} of jvp() is made of numbers, like primal {i}; it has {seed!r}"
            raise TypeError(message)
        if shape_of(seed) != shape_of(leaf):
            message = (
                f"tangent {i} of jvp() has shape {shape_of(seed)} and its primal {shape_of(leaf)}: give both one shape"
            )
            raise ValueError(message)
        if isinstance(seed, Dual):
            seeds.append(private(seed))
        else:
            whole = np.asarray(seed).dtype.kind in "biu"
            seeds.append(np.asarray(seed, dtype=np.result_type(plain(leaf)) if whole else None)[()])
    return seeds


def stop_gradient(x: Any) -> Any:
    """Return x as a constant: its value, without any derivative.

    Parameters
    ----------
    x : number, array, Dual or container of them
        What is to count as a constant.

    Returns
    -------
    same structure
        Plain numbers and arrays.

    Examples
    --------
    >>> import dualdiff as dd
    >>> dd.derivative(lambda t: t * dd.stop_gradient(t))(3.0)
    3.0
    """
    return tree_map(lambda leaf: private(plain(leaf)), x)
