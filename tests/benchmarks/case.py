"""What a case of the race is: a question about a function at a point, and its answer written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """A question about a function at a point."""

    name: str
    about: str
    question: str  # derivative, jvp, jacobian, gradient, hvp, hessian or an order of derivatives
    f: Callable[[Any], Callable[..., Any]]
    hand: Callable[..., tuple[Any, Any]]
    point: tuple[Any, ...]
    direction: tuple[Any, ...] = ()
    targets: dict[str, float] = field(default_factory=dict)  # contestant -> times hand-written
    by_numpy: bool = False  # whether f is raced in NumPy's spelling, too
    compiled: Callable[[Any], Callable[..., Any]] | None = None  # f as JAX wants it for jit
    listed: Callable[[Any], Callable[..., Any]] | None = None  # f of a list of numbers, for who has no arrays

    @property
    def argnums(self) -> int | tuple[int, ...]:
        """Which arguments a gradient is by: the only one, or all of them."""
        return tuple(range(len(self.point))) if len(self.point) > 1 else 0

    def flat(self, derivative: Any) -> Any:
        """Return a derivative as one array: the blocks of a gradient by several arguments stand end to end."""
        if self.question != "gradient" or len(self.point) == 1:
            return derivative
        return np.concatenate([np.ravel(block) for block in derivative])
