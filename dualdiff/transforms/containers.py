"""Containers of arrays: tuples, lists and dicts, nested, taken apart into leaves and put together again."""

from __future__ import annotations

import copy
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, packed
from dualdiff.primal import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["flatten", "is_leaf", "matched", "private", "tree_map"]


def _shape(x: Any) -> tuple[int, ...] | None:
    """Return the shape NumPy would give a nested list of numbers and Duals; None if it is no such list."""
    if isinstance(x, (list, tuple)):
        shapes = [_shape(item) for item in x]
        if None in shapes or len(set(shapes)) > 1:
            return None
        return (len(x), *(shapes[0] or ())) if shapes else (0,)
    return shape_of(x) if is_leaf(x) else None


def is_leaf(x: Any) -> bool:
    """Tell whether `x` is a number, an array or a Dual."""
    if isinstance(x, (Dual, float)):
        return True
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biufc" or (x.dtype.kind == "O" and all(map(is_leaf, x.flat)))
    return isinstance(x, (numbers.Number, np.number, np.bool_))


def flatten(tree: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """Return the leaves of a container, and the function that puts as many others in their places.

    A list that NumPy would read as one numeric array is one leaf.
    """
    if type(tree) is float or isinstance(tree, (Dual, np.ndarray)):
        return [tree], _only
    if isinstance(tree, list) and _shape(tree) is not None:
        return [packed(tree)], _only
    if isinstance(tree, dict):
        keys, children = list(tree), list(tree.values())

        def build(parts: list[Any]) -> Any:
            return _like(tree, dict(zip(keys, parts, strict=True)))
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        children, build = list(tree), lambda parts: type(tree)(*parts)
    elif isinstance(tree, (list, tuple)):
        children, build = list(tree), type(tree)
    else:
        return [tree], _only
    flattened = [flatten(child) for child in children]

    def rebuild(leaves: Sequence[Any]) -> Any:
        parts, start = [], 0
        for own, put in flattened:
            parts.append(put(leaves[start : start + len(own)]))
            start += len(own)
        return build(parts)

    return [leaf for own, _ in flattened for leaf in own], rebuild


def _only(leaves: Sequence[Any]) -> Any:
    return leaves[0]


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the container with `function` applied to every leaf."""
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])


def private(x: Any) -> Any:
    """Return `x` with copies of its arrays, so that a function that writes into its argument harms nobody."""
    if isinstance(x, np.ndarray) or (isinstance(x, Dual) and x.ndim):
        return x.copy(order="K")
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(private, x))
    if type(x) in (list, tuple):
        return type(x)(private(item) for item in x)
    if isinstance(x, dict):
        return _like(x, {key: private(item) for key, item in x.items()})
    return x


def _like(tree: dict[Any, Any], items: dict[Any, Any]) -> dict[Any, Any]:
    """Return a dict of the same class (an OrderedDict, a defaultdict) with other items."""
    new = copy.copy(tree)
    new.update(items)
    return new


def matched(tree: Any, like: Any) -> list[Any]:
    """Return the leaves of `tree` in the order of those of `like`, which must be built alike; dicts match by key.

    Raises
    ------
    ValueError
        If the structures differ.
    """
    if isinstance(like, dict):
        if isinstance(tree, dict) and set(tree) == set(like):
            return [leaf for key in like for leaf in matched(tree[key], like[key])]
    elif isinstance(like, tuple) or (isinstance(like, list) and _shape(like) is None):
        if isinstance(tree, (list, tuple)) and len(tree) == len(like):
            return [leaf for part, other in zip(tree, like, strict=True) for leaf in matched(part, other)]
    elif not isinstance(tree, (dict, tuple)):
        return [packed(tree)]
    message = f"it is built as {_built(tree)}, and its primal as {_built(like)}"
    raise ValueError(message)


def _built(tree: Any) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {_built(part)}" for key, part in tree.items()) + "}"
    if isinstance(tree, (list, tuple)) and _shape(tree) is None:
        return "(" + ", ".join(map(_built, tree)) + ")"
    return "(" + ", ".join(map(_built, tree)) + ")" if isinstance(tree, tuple) else "an array"
