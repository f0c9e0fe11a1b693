"""The tangent that records: each verb becomes a step of a linear program, which runs forward and backward.

Pushed through the very same rules as any other tangent, it computes nothing.  What comes out is the derivative of the
run at its point, as a list of linear steps: read in order it is the pushforward J·v, read from the end, each step
transposed, the pullback Jᵀ·w ("you only linearize once").

Radul, Paszke, Frostig, Johnson & Maclaurin, *You only linearize once*, POPL 2023; Griewank & Walther, *Evaluating
Derivatives*, 2nd ed., SIAM 2008, ch. 3.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import DualArray
from dualdiff.dual.formulas import pullback, pushforward, slopes, sum_of_scaled
from dualdiff.primal import plain, shape_of
from dualdiff.reverse.transposes import summed, whole
from dualdiff.tangent import Tangent, move, scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from dualdiff.reverse.cotangents import Cotangents
    from dualdiff.rules.book import Line
    from dualdiff.tag import Tag

__all__ = ["Input", "Step"]

_numbers = itertools.count()  # next() on it is atomic, so steps are numbered over all threads


new = object.__new__


class Step(Tangent):
    """A tangent that is known by how it is computed from others: a step of a linear program.

    Attributes
    ----------
    shape : tuple of int
        Shape of the value it belongs to.
    dtype : numpy.dtype or None
        Type of that value; None inside a rule.
    number : int
        Every step has a higher one than its sources.
    sources : tuple of Step
        The tangents it is computed from.
    """

    __slots__ = ("__weakref__", "dtype", "number", "shape", "sources")
    in_memory = False

    shape: tuple[int, ...]
    dtype: Any
    number: int
    sources: tuple[Any, ...]

    def __init__(self, sources: tuple[Any, ...], shape: tuple[int, ...]) -> None:
        self.sources = sources
        self.shape = shape
        self.dtype = None
        self.number = next(_numbers)

    def push(self, *tangents: Any) -> Any:
        """Return the tangent, given those of the sources."""
        raise NotImplementedError

    def push_strongly(self, *tangents: Any) -> Any:
        """Return the tangent where 0 times anything is 0."""
        return self.push(*tangents)

    def pull(self, g: Any, into: Cotangents) -> None:
        """Add to the cotangents of the sources what the cotangent `g` of this step makes of them."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<recorded, shape {self.shape}>"

    def __reduce__(self) -> tuple[Any, ...]:
        message = (
            "a Dual inside a reverse-mode derivative belongs to its record and cannot be pickled: send plain values "
            "(x.value), or differentiate in the other process"
        )
        raise TypeError(message)

    # --- the verbs ---------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Step:
        """Add two; a plain 0 is the zero of every kind."""
        if not isinstance(other, Step):
            return self
        return Both(self, other) if type(self) is type(other) is Scaled else Sum(self, other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Step:
        return Sum(self, other, -1) if isinstance(other, Step) else self

    def __rsub__(self, other: Any) -> Step:
        return Scaled(self, -1.0)

    def __neg__(self) -> Step:
        return Scaled(self, -1.0)

    def __mul__(self, partial: Any) -> Step:
        return Scaled(self, partial)

    __rmul__ = __mul__
    scale = scaling = __mul__

    def __truediv__(self, denominator: Any) -> Step:
        return Divided(self, denominator)

    doubtful = False

    def __ne__(self, other: object) -> bool:
        """Answer whether a slope was NaN that has been computed already: others are seen to when the record is read."""
        return other is not self or self.doubtful

    def recorded(
        self, line: Line, tag: Tag, active: tuple[bool, ...], values: Any, result: Any, sources: tuple[Step, ...]
    ) -> Any:
        """Return the Dual of an array by an elementwise function, whose slopes are evaluated when the record is read.

        All operations of a run come here, so it is written flat.
        """
        step = new(Elementwise)
        step.sources = sources
        step.shape = result.shape
        step.dtype = result.dtype
        step.number = next(_numbers)
        step.line = line
        step.active = active
        step.back, reads = line.pullbacks.get(active) or pullback(line, active)
        step.values = values if reads == 1 else (*values, result) if reads else ()
        dual = new(DualArray)
        dual._value = result
        dual._tangent = step
        dual._tag = tag
        dual._origin = dual._views = None
        dual._borrowed = True
        return dual

    def through(
        self, line: Line, active: tuple[bool, ...], values: Any, result: Any, sources: tuple[Step, ...]
    ) -> Step:
        """Return the tangent of an elementwise function of numbers."""
        step = new(Elementwise)
        step.sources, step.line, step.active = sources, line, active
        step.shape, step.dtype, step.number = shape_of(result), getattr(result, "dtype", None), next(_numbers)
        step.back, reads = line.pullbacks.get(active) or pullback(line, active)
        step.values = values if reads == 1 else (*values, result) if reads else ()
        return step

    # --- what indexing and assignment need -----------------------------------------------------------------------

    def zeros(self, shape: tuple[int, ...], _dtype: Any = None) -> Step:
        """Return the tangent of what does not move."""
        return Nothing((), shape)

    def fitted(self, shape: tuple[int, ...], dtype: Any) -> Step:
        """Return the tangent as that of a value of this shape and type."""
        fitting = self if self.shape == shape else Spread((self,), shape)
        fitting.dtype = dtype
        return fitting

    def aligned(self, _value: Any) -> Step:
        """Return itself: it has no memory to be laid out."""
        return self

    def copy(self) -> Step:
        """Return itself: it never changes."""
        return self


class Input(Step):
    """Where a record begins: the tangent of a value of this shape and type."""

    __slots__ = ()

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        super().__init__((), shape)
        self.dtype = dtype


class Leaf(Input):
    """Where the record of a Variable begins, which takes up its gradient."""

    __slots__ = ("owner",)
    sealed = (
        "writing into a Variable made by hand would leave nothing to take the gradient by: write into a copy, "
        "y = x.copy(), or give it another value, x.value = x.value - step"
    )

    owner: Any  # a weak reference to the Variable


class Nothing(Step):
    """The tangent of what does not move."""

    __slots__ = ()


class Spread(Step):
    """A tangent broadcast to a larger shape."""

    __slots__ = ()

    def push(self, *tangents: Any) -> Any:
        return move(lambda t: np.broadcast_to(t, self.shape), tangents[0])

    def pull(self, g: Any, into: Cotangents) -> None:
        (source,) = self.sources
        into.add(source, summed(g, source.shape, self.shape))


class Sum(Step):
    """The sum of two, or their difference."""

    __slots__ = ("sign",)

    def __init__(self, s: Step, t: Step, sign: int) -> None:
        super().__init__((s, t), s.shape if s.shape == t.shape else np.broadcast_shapes(s.shape, t.shape))
        self.sign = sign

    def push(self, *tangents: Any) -> Any:
        s, t = tangents
        return s + t if self.sign == 1 else s - t

    def pull(self, g: Any, into: Cotangents) -> None:
        s, t = self.sources
        into.add(s, summed(g, s.shape, self.shape))
        into.add(t, summed(g if self.sign == 1 else -g, t.shape, self.shape))


class Scaled(Step):
    """A tangent times a known partial."""

    __slots__ = ("partial",)

    def __init__(self, t: Step, partial: Any) -> None:
        shape = shape_of(partial)
        super().__init__((t,), t.shape if shape in ((), t.shape) else np.broadcast_shapes(t.shape, shape))
        self.partial = partial

    @property
    def doubtful(self) -> bool:  # type: ignore[override]
        """Whether the partial of a number is NaN."""
        return type(self.partial) is float and self.partial != self.partial

    def push(self, *tangents: Any) -> Any:
        return tangents[0] * self.partial

    def push_strongly(self, *tangents: Any) -> Any:
        return scale(self.partial, tangents[0])

    def pull(self, g: Any, into: Cotangents) -> None:
        (source,) = self.sources
        part = into.scaled(self, g, self.partial) if into.careful else g * self.partial
        into.add(source, summed(part, source.shape, self.shape))


class Both(Step):
    """The sum of two scaled tangents, as a product has it: d(x·y) = dx·y + dy·x."""

    __slots__ = ("partials",)

    def __init__(self, s: Scaled, t: Scaled) -> None:
        shape = s.shape if s.shape == t.shape else np.broadcast_shapes(s.shape, t.shape)
        super().__init__((*s.sources, *t.sources), shape)
        self.partials = (s.partial, t.partial)

    @property
    def doubtful(self) -> bool:  # type: ignore[override]
        """Whether the partial of a number is NaN."""
        return any([type(p) is float and p != p for p in self.partials])

    def push(self, *tangents: Any) -> Any:
        (s, t), (p, q) = tangents, self.partials
        return s * p + t * q

    def push_strongly(self, *tangents: Any) -> Any:
        (s, t), (p, q) = tangents, self.partials
        return scale(p, s) + scale(q, t)

    def pull(self, g: Any, into: Cotangents) -> None:
        for source, partial in zip(self.sources, self.partials, strict=True):
            part = into.scaled(self, g, partial) if into.careful else g * partial
            into.add(source, summed(part, source.shape, self.shape))


class Divided(Step):
    """A tangent over a known denominator."""

    __slots__ = ("denominator",)

    def __init__(self, t: Step, denominator: Any) -> None:
        shape = shape_of(denominator)
        super().__init__((t,), t.shape if shape in ((), t.shape) else np.broadcast_shapes(t.shape, shape))
        kind = type(denominator)
        self.denominator = np.float64(denominator) if kind in (float, int) else denominator  # NumPy's divide by 0

    def push(self, *tangents: Any) -> Any:
        return tangents[0] / self.denominator

    def push_strongly(self, *tangents: Any) -> Any:
        return scale(1 / self.denominator, tangents[0])

    def pull(self, g: Any, into: Cotangents) -> None:
        (source,) = self.sources
        exactly = into.structure or into.reached is not None
        part = into.scaled(self, g, 1 / self.denominator) if exactly else g / into.conjugate(self.denominator)
        into.add(source, summed(part, source.shape, self.shape))


class Elementwise(Step):
    """The tangent of an elementwise function; it keeps the operands that its slopes are made of."""

    __slots__ = ("active", "back", "line", "values")

    line: Line
    active: tuple[bool, ...]  # which operands move
    values: tuple[Any, ...]  # operands and result, as far as slopes are made of them
    back: Callable[..., Any]

    def _all_values(self) -> Any:
        """Return operands and result."""
        operands = self.values[: len(self.active)]
        return self.values if len(self.values) > len(operands) else (*operands, self.line.function(*operands))

    def push(self, *tangents: Any) -> Any:
        missing = len(self.active) + 1 - len(self.values)
        formula, _ = pushforward(self.line, self.active)
        return whole(formula(*self.values, *(None,) * missing, *tangents), self.shape)

    def push_strongly(self, *tangents: Any) -> Any:
        if not self.line.curved:
            return self.push(*tangents)
        moving = iter(tangents)
        tangents = tuple(next(moving) if a else None for a in self.active)
        return whole(sum_of_scaled(self.line, self._all_values(), tangents), self.shape)

    def pull(self, g: Any, into: Cotangents) -> None:
        shape, line = self.shape, self.line
        cotangents: Any
        if into.structure or into.reached is not None:
            partials = slopes(line, self._all_values(), self.active) if line.curved else line.partials
            exact = [p for p, a in zip(partials, self.active, strict=True) if a]
            if not into.structure:
                cotangents = [into.scaled(self, g, p) for p in exact]
            elif line.chooses or not line.curved:  # what is not chosen goes nowhere
                cotangents = [g * np.not_equal(plain(p), 0) for p in exact]
            else:
                cotangents = [g] * len(exact)
        else:
            cotangents = [into.conjugate(c) for c in self.back(into.conjugate(g), *self.values)]
        for source, cotangent in zip(self.sources, cotangents, strict=True):
            into.add(source, cotangent if source.shape == shape else summed(cotangent, source.shape, shape))


class Unmeasured(Step):
    """A step whose shape its value tells, or, should it be asked for earlier, a trial."""

    __slots__ = ("_shape",)

    _shape: Any

    @property
    def shape(self) -> Any:
        """Shape of the value it belongs to."""
        if self._shape is None:
            self._shape = self.measured()
        return self._shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        self._shape = shape

    def measured(self) -> tuple[int, ...]:
        """Return the shape by trial."""
        raise NotImplementedError

    def fitted(self, shape: tuple[int, ...], dtype: Any) -> Step:
        """Return the tangent as that of a value of this shape and type."""
        if self._shape is None:
            self._shape = shape
        return super().fitted(shape, dtype)
