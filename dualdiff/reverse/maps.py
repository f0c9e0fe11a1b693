"""Steps that are products with known arrays, and linear maps that came with their transposes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.primal import shape_of
from dualdiff.reverse.steps import Step, Unmeasured
from dualdiff.reverse.transposes import contracted_shape, transposed_contraction, whole
from dualdiff.tangent import contract, linear

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.reverse.cotangents import Cotangents

__all__: list[str] = []


class Contracted(Step):
    """A product with known arrays."""

    __slots__ = ("function", "operands", "position", "subscripts")

    def __init__(
        self, t: Step, function: Callable[..., Any], subscripts: str, operands: Sequence[Any], position: int
    ) -> None:
        operands = [*operands]
        operands[position] = None
        shapes = tuple([t.shape if a is None else shape_of(a) for a in operands])
        super().__init__((t,), contracted_shape(subscripts, shapes))
        self.function, self.subscripts, self.operands, self.position = function, subscripts, operands, position

    def push(self, *tangents: Any) -> Any:
        return contract(self.function, self.subscripts, self.operands, self.position, tangents[0])

    def pull(self, g: Any, into: Cotangents) -> None:
        (source,) = self.sources
        known = self.operands
        if into.structure:
            known = [None if a is None else np.ones(shape_of(a)) for a in known]
        elif into.complex:
            known = [None if a is None else into.conjugate(a) for a in known]
        g = whole(g, self.shape)
        into.add(source, transposed_contraction(g, self.function, self.subscripts, known, self.position, source.shape))


class Mapped(Unmeasured):
    """A linear map of a tangent."""

    __slots__ = ("function", "transpose")

    def __init__(self, t: Step, function: Callable[[Any], Any], transpose: Callable[[Any], Any]) -> None:
        super().__init__((t,), None)  # type: ignore[arg-type]
        self.function, self.transpose = function, transpose

    def push(self, *tangents: Any) -> Any:
        return linear(self.function, self.transpose, tangents[0])

    def pull(self, g: Any, into: Cotangents) -> None:
        (source,) = self.sources
        if into.structure:
            into.add(source, np.full(source.shape, 1.0 if np.any(g) else 0.0))
        else:
            into.add(source, self.transpose(whole(g, self.shape)))

    def measured(self) -> tuple[int, ...]:
        return shape_of(self.function(np.zeros(self.sources[0].shape)))


# --- the verbs that make them ----------------------------------------------------------------------------------


def _contract(
    self: Step, function: Callable[..., Any], subscripts: str, operands: Sequence[Any], position: int
) -> Step:
    """Multiply by known arrays."""
    return Contracted(self, function, subscripts, operands, position)


def _linear(self: Step, function: Callable[[Any], Any], transpose: Callable[[Any], Any]) -> Step:
    """Map by a linear function that came with its transpose."""
    return Mapped(self, function, transpose)


Step.contract, Step.linear = _contract, _linear
