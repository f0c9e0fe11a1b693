"""jvp: f and its derivative in one direction, one run of f; and what stops a derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, packed, plain
from dualdiff.transforms.asking import Call, question
from dualdiff.transforms.containers import flatten, is_leaf, tree_map

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["jvp", "stop_gradient"]


def jvp(f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
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
    if not isinstance(primals, tuple):
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
        seeds = [
            seed
            for i, (place, count) in enumerate(zip(call.places, call.counts, strict=True))
            for seed in _seeds(call, i, count, tangents[place])
        ]
        run = call.run(seeds)
        moved = [np.zeros(np.shape(v))[()] if t is None else t for v, t in zip(run.values, run.tangents, strict=True)]
        dy = run.rebuild([float(t) if type(t) is np.float64 else t for t in moved])
        return (run.value, dy, run.aux) if has_aux else (run.value, dy)

    return question("jvp", answer, f, None, has_aux)(*primals)


def _seeds(call: Call, i: int, count: int, tangent: Any) -> list[Any]:
    """Return the tangents of the leaves of argument `i`, each a number or an array like its leaf."""
    start = sum(call.counts[:i])
    leaves, seeds = call.leaves[start : start + count], flatten(tangent)[0]
    if len(seeds) != len(leaves):
        message = (
            f"tangent {i} of jvp() has {len(seeds)} array(s) and its primal {len(leaves)}: give both one structure"
        )
        raise ValueError(message)
    checked = []
    for leaf, given in zip(leaves, seeds, strict=True):
        seed = packed(given)
        if not is_leaf(seed):
            message = f"tangent {i} of jvp() is made of numbers, like primal {i}; it has {given!r}"
            raise TypeError(message)
        if np.shape(seed) != np.shape(leaf):
            message = (
                f"tangent {i} of jvp() has shape {np.shape(seed)} and its primal {np.shape(leaf)}: give both one shape"
            )
            raise ValueError(message)
        if not isinstance(seed, Dual):
            whole = np.asarray(seed).dtype.kind in "biu"
            seed = np.array(seed, dtype=np.result_type(plain(leaf)) if whole else None)[()]
        checked.append(seed)
    return checked


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
    return tree_map(plain, x)
