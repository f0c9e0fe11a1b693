"""Steps that say where elements go: moves, indexing, and assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dualdiff.reverse.steps import Step, Unmeasured
from dualdiff.reverse.transposes import moved_shape, overwritten, restored, scattered, unwritten, whole
from dualdiff.tangent import move

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.reverse.cotangents import Cotangents

__all__: list[str] = []


class Indexed(Step):
    """Some elements of a tangent."""

    __slots__ = ("index",)

    def __init__(self, t: Step, index: Any, shape: tuple[int, ...]) -> None:
        super().__init__((t,), shape)
        self.dtype = t.dtype
        self.index = index

    def push(self, *tangents: Any) -> Any:
        index = self.index
        return move(lambda t: t[index], tangents[0])

    def pull(self, g: Any, into: Cotangents) -> None:
        scattered(g, self.index, self.shape, into.buffer(self.sources[0], g))


class Moved(Unmeasured):
    """Elements of one tangent, or of several, in other places."""

    __slots__ = ("function", "places", "shapes")

    def __init__(
        self, function: Callable[..., Any], tangents: Sequence[Any], shapes: Sequence[tuple[int, ...]]
    ) -> None:
        sources = tuple(t for t in tangents if t is not None)
        super().__init__(sources, None)  # type: ignore[arg-type]
        self.function = function
        self.shapes = shapes
        self.places = tuple(t is not None for t in tangents)

    def push(self, *tangents: Any) -> Any:
        moving = iter(tangents)
        return move(self.function, *(next(moving) if p else None for p in self.places), shapes=self.shapes)

    def pull(self, g: Any, into: Cotangents) -> None:
        parts = restored(whole(g, self.shape), self.function, self.shapes, self.places)
        for source, part in zip(self.sources, parts, strict=True):
            into.add(source, part)

    def measured(self) -> tuple[int, ...]:
        return moved_shape(self.function, self.shapes)


class Written(Step):
    """A tangent with some of its elements overwritten."""

    __slots__ = ("index",)

    def __init__(self, base: Step, item: Step | None, index: Any) -> None:
        super().__init__((base,) if item is None else (base, item), base.shape)
        self.dtype = base.dtype
        self.index = index

    def push(self, *tangents: Any) -> Any:
        return overwritten(tangents[0], self.index, tangents[1] if len(tangents) > 1 else 0.0, self.dtype)

    def pull(self, g: Any, into: Cotangents) -> None:
        base, *item = self.sources
        g = into.own(self, g)
        part = unwritten(g, self.index, item[0].shape if item else None)
        if item:
            into.add(item[0], part)
        into.give(base, g)


class Rewritten(Step):
    """A tangent with a view of it overwritten."""

    __slots__ = ("remake",)

    def __init__(self, base: Step, part: Step, remake: Callable[[Any], Any]) -> None:
        super().__init__((base, part), base.shape)
        self.dtype = base.dtype
        self.remake = remake

    def push(self, *tangents: Any) -> Any:
        return overwritten(tangents[0], self.remake, tangents[1], self.dtype)

    def pull(self, g: Any, into: Cotangents) -> None:
        base, part = self.sources
        g = into.own(self, g)
        into.add(part, unwritten(g, self.remake, part.shape))
        into.give(base, g)


# --- the verbs that make them -------------------------------------------------------------------------------------


def _move(self: Step, function: Callable[..., Any], tangents: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> Step:
    """Move elements; a None among the tangents does not move with the input."""
    return Moved(function, tangents, shapes or [self.shape])


def _indexed(self: Step, index: Any, shape: tuple[int, ...], _basic: bool) -> Step:
    """Return ``t[index]``."""
    return Indexed(self, index, shape)


def _written(self: Step, index: Any, item: Step | None) -> Step:
    """Return the tangent after ``t[index] = item``; None writes a constant."""
    return Written(self, item, index)


def _rewritten(self: Step, remake: Callable[[Any], Any], part: Step) -> Step:
    """Return the tangent after its view ``remake(t)`` has become `part`."""
    return Rewritten(self, part, remake)


Step.move, Step.indexed, Step.written, Step.rewritten = _move, _indexed, _written, _rewritten
