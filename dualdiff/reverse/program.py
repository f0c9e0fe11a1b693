"""A recorded run as a linear program: read in order it pushes tangents on, read from the end it pulls them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual
from dualdiff.floating import quiet
from dualdiff.primal import plain, shape_of
from dualdiff.reverse.cotangents import Cotangents
from dualdiff.reverse.steps import Elementwise, Input, Nothing
from dualdiff.reverse.transposes import strongly, summed, whole
from dualdiff.stacked import Stacked
from dualdiff.tangent import Tangent, any_nan, cast, zeros

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
        return [None if step is None else _fitting(found[step.number], step) for step in self.outputs]

    # --- backward ----------------------------------------------------------------------------------------------

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """Return the cotangent of each input, given those of the outputs; each is an array of its own.

        Where a NaN is met the program is read again, carefully; where one is left, forward mode decides.
        """
        pulled = self._pull(cotangents)
        if self.undefined or any([any_nan(g) for g in pulled]):
            seeds = [None if g is None else _moves(g) for g in cotangents]
            reached: dict[int, Any] = {}
            self._pull(seeds, reached, structure=True)
            pulled = self._pull(cotangents, reached)
            if not self.undefined and any([any_nan(g) for g in pulled]):
                pulled = [self._resolved(i, g, cotangents) for i, g in enumerate(pulled)]
        return pulled

    def structure(self) -> list[Any]:
        """Return, for each input, 0 at the elements that no output depends on."""
        return self._pull([None if step is None else np.ones(step.shape) for step in self.outputs], {}, structure=True)

    def _resolved(self, i: int, g: Any, cotangents: Sequence[Any]) -> Any:
        """Return a cotangent with ⟨w, J·e⟩ for the entries that are NaN, as far as they are few."""
        places = np.argwhere(np.isnan(g)) if not isinstance(g, Dual) else ()
        if not 0 < len(places) <= _FEW:
            return g
        g = np.array(g)
        for place in map(tuple, places):
            tangents = [np.zeros(step.shape, step.dtype) for step in self.inputs]
            tangents[i][place] = 1.0
            moved = self._push([t[()] for t in tangents], strong=True)
            products = [
                np.sum(strongly(t, np.conjugate(w)))
                for t, w in zip(moved, cotangents, strict=True)
                if t is not None and w is not None
            ]
            g[place] = np.real(sum(products)) if g.dtype.kind == "f" else np.nan
        return g[()]

    def _pull(
        self, cotangents: Sequence[Any], reached: dict[int, Any] | None = None, structure: bool = False
    ) -> list[Any]:
        is_complex = not structure and (self.complex or any([_is_complex_number(g) for g in cotangents]))
        into = Cotangents(is_complex, None if structure else reached, structure)
        found, add = into.found, into.add
        for step, g in zip(self.outputs, cotangents, strict=True):
            if step is not None and g is not None:
                into.add(step, g)
        with quiet():
            for step in reversed(self.steps):
                if not step.sources or (g := found.pop(step.number, None)) is None:
                    continue
                if type(step) is not Elementwise or into.careful:
                    if structure and reached is not None:
                        g = reached[step.number] = np.not_equal(g, 0)
                        g = g * 1.0
                    step.pull(np.real(g) if into.complex and _is_real(step) else g, into)
                    continue
                shape = step.shape  # most steps are of this kind, and are read without more calls than they need
                if len(step.sources) == 1:
                    (source,), (part,) = step.sources, step.back(g, *step.values)
                    if source.shape != shape:
                        add(source, summed(part, source.shape, shape))
                    elif source.number in found:
                        add(source, part)
                    else:
                        found[source.number] = part
                    continue
                for source, part in zip(step.sources, step.back(g, *step.values), strict=True):
                    add(source, part if source.shape == shape else summed(part, source.shape, shape))
        return [_finished(found.get(step.number), step, step.number in into.owned) for step in self.inputs]


_FEW = 1000  # entries, each of which is worth a run of the program forward


def _moves(g: Any) -> Any:
    """Return 1 where a cotangent has anything but 0, in whatever derivative it carries."""
    if not isinstance(g, Dual):
        return np.not_equal(g, 0) * 1.0
    tangent = g._tangent
    if isinstance(tangent, Tangent) and not tangent.in_memory:  # nobody knows before it is read
        return np.ones(shape_of(g))
    if isinstance(tangent, Stacked):
        return np.maximum(_moves(g._value), np.max(_moves(tangent.array), axis=0, initial=0.0))
    return np.maximum(_moves(g._value), _moves(tangent))


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


def _fitting(t: Any, step: Step) -> Any:
    """Return a tangent in the shape and precision of its value; a complex direction of a real value stays complex."""
    t = whole(t, step.shape)
    own = getattr(t, "dtype", None)
    if own is None or step.dtype is None or own == step.dtype or (own.kind == "c") > (step.dtype.kind == "c"):
        return t
    return cast(t, step.dtype) if not isinstance(t, np.generic) else step.dtype.type(t)


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
    return g if g.dtype == dtype or not hasattr(g, "astype") else g.astype(dtype)
