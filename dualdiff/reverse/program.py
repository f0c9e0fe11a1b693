"""A recorded run as a linear program: read in order it pushes tangents on, read from the end it pulls them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual
from dualdiff.floating import quiet
from dualdiff.primal import plain, shape_of
from dualdiff.reverse.cotangents import Cotangents
from dualdiff.reverse.steps import Elementwise, Input, Nothing
from dualdiff.reverse.transposes import summed, whole
from dualdiff.tangent import Tangent, any_nan, zeros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.reverse.steps import Step

__all__ = ["Program"]


class Program:
    """The derivative of one run at its point.

    Parameters
    ----------
    inputs : sequence of Input
        Where it begins.
    outputs : sequence of Step or None
        The tangents of the results; None for a result that does not move.
    undefined : bool
        Whether there is a NaN in the results, so that slopes are NaN where there is no value.
    """

    def __init__(self, inputs: Sequence[Input], outputs: Sequence[Any], undefined: bool) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.undefined = undefined
        self.steps, self.complex = _steps_to(outputs)

    # --- forward -----------------------------------------------------------------------------------------------

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangent of each output, None for one that does not move."""
        moved = self._push(tangents, self.undefined)
        if not self.undefined and any(t is not None and any_nan(t) for t in moved):
            moved = self._push(tangents, strong=True)
        return moved

    def _push(self, tangents: Sequence[Any], strong: bool) -> list[Any]:
        found = {step.number: t for step, t in zip(self.inputs, tangents, strict=True)}
        kind = next((t for t in tangents if isinstance(t, (Dual, Tangent))), 0.0)
        with quiet():
            for step in self.steps:
                if isinstance(step, Nothing):
                    found[step.number] = zeros(kind, step.shape)
                elif step.sources:
                    push = step.push_strongly if strong else step.push
                    found[step.number] = push(*[found[source.number] for source in step.sources])
        return [None if step is None else whole(found[step.number], step.shape) for step in self.outputs]

    # --- backward ----------------------------------------------------------------------------------------------

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """Return the cotangent of each input, given those of the outputs; each is an array of its own."""
        pulled = self._pull(cotangents, self.undefined)
        if not self.undefined and any([any_nan(g) for g in pulled]):
            pulled = self._pull(cotangents, strong=True)
        return pulled

    def _pull(self, cotangents: Sequence[Any], strong: bool) -> list[Any]:
        into = Cotangents(strong, self.complex or any([_is_complex_number(g) for g in cotangents]))
        found, add = into.found, into.add
        for step, g in zip(self.outputs, cotangents, strict=True):
            if step is not None and g is not None:
                into.add(step, g)
        with quiet():
            for step in reversed(self.steps):
                if not step.sources or (g := found.pop(step.number, None)) is None:
                    continue
                if type(step) is not Elementwise or into.careful:
                    step.pull(np.real(g) if into.complex and _is_real(step) else g, into)
                    continue
                shape = step.shape  # most steps are of this kind, and get through without a call more than they need
                for source, part in zip(step.sources, step.back(g, *step.values)):  # noqa: B905 - strict takes time
                    if source.shape != shape:
                        add(source, summed(part, source.shape, shape))
                    elif source.number in found:
                        add(source, part)
                    else:
                        found[source.number] = part
        return [_finished(found.get(step.number), step, step.number in into.owned) for step in self.inputs]


def _is_complex_number(g: Any) -> bool:
    return type(g) is not float and g is not None and np.iscomplexobj(plain(g))


def _is_real(step: Step) -> bool:
    """Tell whether a step has real tangents for certain: inside a rule nobody knows."""
    return step.dtype is not None and step.dtype.kind == "f"


def _steps_to(outputs: Sequence[Any]) -> tuple[list[Any], bool]:
    """Return every step that an output is computed from, in order, and whether a complex number is met there."""
    found: dict[int, Any] = {}
    waiting = [step for step in outputs if step is not None]
    is_complex = False
    while waiting:
        step = waiting.pop()
        if step.number not in found:
            found[step.number] = step
            waiting += step.sources
            dtype = step.dtype
            if dtype is not _FLOAT64 and dtype is not None and dtype.kind == "c":
                is_complex = True
    return [found[number] for number in sorted(found)], is_complex


_FLOAT64 = np.dtype(float)


def _finished(g: Any, step: Step, own: bool) -> Any:
    """Return the cotangent of an input in its shape and precision, as an array that nobody else holds."""
    shape, dtype = step.shape, step.dtype
    if own and type(g) is np.ndarray and g.shape == shape and g.dtype is dtype:  # mostly
        return g
    if g is None:
        return np.zeros(shape, dtype)[()] if shape or dtype.char != "d" else 0.0
    if np.iscomplexobj(plain(g)) and dtype.kind != "c":
        g = np.real(g)
    if not shape and not isinstance(g, Dual):
        return float(g) if dtype.char == "d" else dtype.type(g)
    if shape_of(g) != shape or not own:
        g = np.copy(whole(g, shape)) if shape else g
    return g if isinstance(g, Dual) or g.dtype == dtype else g.astype(dtype)
