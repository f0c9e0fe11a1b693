"""The primal: what lies under all derivatives, and its shape.

np.shape goes through the protocols for a Dual and through a new array for a number; these do not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["ndim_of", "plain", "shape_of", "size_of"]


def plain(x: Any) -> Any:
    """Return the value under all derivatives."""
    while hasattr(x, "_tangent"):
        x = x._value
    return x


def shape_of(x: Any) -> tuple[int, ...]:
    """Return np.shape(x)."""
    if type(x) is float:
        return ()
    own = getattr(x, "shape", None)
    return np.shape(x) if own is None else own


def ndim_of(x: Any) -> int:
    """Return np.ndim(x)."""
    return len(shape_of(x))


def size_of(x: Any) -> int:
    """Return np.size(x)."""
    return math.prod(shape_of(x))
