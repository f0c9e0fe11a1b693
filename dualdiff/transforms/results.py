"""What f returned: values and tangents as leaves, and how a message speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.dual import Dual, extract
from dualdiff.primal import ndim_of, shape_of
from dualdiff.stacked import Stacked
from dualdiff.transforms.containers import is_leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.tag import Tag

__all__ = ["Run", "described", "settled_aux", "unstacked", "zero"]


class Run(NamedTuple):
    """What came back from one run of f: leaves of value and tangent, and how to put leaves together."""

    values: list[Any]
    tangents: list[Any]
    rebuild: Callable[[Sequence[Any]], Any]
    aux: Any

    @property
    def value(self) -> Any:
        """The value as f returned it."""
        return self.rebuild(self.values)

    @property
    def moved(self) -> list[Any]:
        """The tangents, with zeros for what does not move."""
        return [zero(v) if t is None else t for v, t in zip(self.values, self.tangents, strict=True)]


def zero(value: Any) -> Any:
    """Return the derivative of what does not move."""
    return np.zeros(shape_of(value)) if ndim_of(value) else 0.0


def described(x: Any) -> str:
    """Return how a message speaks of something that is no number."""
    if isinstance(x, (type(None), str, bytes)):
        return repr(x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        return described(next(item for item in x.flat if not is_leaf(item)))
    if isinstance(x, np.ndarray):
        return f"an array of {x.dtype}"
    name = type(x).__name__
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"


def settled_aux(aux: Any, tag: Tag) -> Any:
    """Return aux as it is, but for Duals of the derivative that is about to return, which become their values."""
    if isinstance(aux, Dual):
        return extract(aux, tag)[0]
    if isinstance(aux, np.ndarray) and aux.dtype == object:
        settled = np.empty(aux.shape, dtype=object)
        for index, item in np.ndenumerate(aux):
            settled[index] = settled_aux(item, tag)
        return settled
    parts = aux.values() if isinstance(aux, dict) else aux if isinstance(aux, (list, tuple)) else ()
    new = [settled_aux(part, tag) for part in parts]
    if all(part is old for part, old in zip(new, parts, strict=True)):
        return aux
    if isinstance(aux, dict):
        return type(aux)(zip(aux, new, strict=True))
    return type(aux)(*new) if hasattr(aux, "_fields") else type(aux)(new)


def unstacked(tangent: Any, shape: tuple[int, ...], directions: int) -> list[Any]:
    """Return the tangent of a result as one dense tangent for each direction."""
    if isinstance(tangent, Stacked):
        return list(tangent)
    return [np.zeros(shape)[()] if tangent is None else tangent] * directions
