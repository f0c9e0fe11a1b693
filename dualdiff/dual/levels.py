"""The derivatives that the memory of an array has room for: one level of tangents for each, the newest outermost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dualdiff.dual.number import Dual, wrap
from dualdiff.stacked import Stacked
from dualdiff.tangent import Tangent, zeros

if TYPE_CHECKING:
    from dualdiff.tag import Tag

__all__ = ["has_level", "is_flat", "levels", "with_level"]


def is_flat(x: Any) -> bool:
    """Tell whether a Dual carries one derivative and no other inside."""
    return not any(isinstance(part, Dual) for part in _parts(x))


def _parts(x: Dual) -> tuple[Any, ...]:
    """Return the numbers of a Dual: of its value and, where that is made of numbers, of its tangent."""
    if not isinstance(x._tangent, Tangent):
        return x._value, x._tangent
    return (x._value, x._tangent.dense) if x._tangent.in_memory else (x._value,)


def levels(x: Any) -> dict[Tag, Any]:
    """Return the derivatives that a number carries anywhere inside, each with a tangent of its kind."""
    if not isinstance(x, Dual):
        return {}
    found = {x._tag: x._tangent}
    for part in _parts(x):
        found |= levels(part)
    return found


def has_level(buffer: Any, tag: Tag) -> bool:
    """Tell whether every part of a buffer can hold tangents of a derivative."""
    if not isinstance(buffer, Dual) or tag.key > buffer._tag.key:
        return False
    return buffer._tag is tag or all(has_level(part, tag) for part in _parts(buffer))


def with_level(buffer: Any, tag: Tag, kind: Any) -> Any:
    """Return a buffer on the same memory that can: a Dual inside, below newer derivatives and above older ones."""
    if not isinstance(buffer, Dual) or tag.key > buffer._tag.key:
        return wrap(buffer, zeros(kind, buffer.shape, buffer), tag)
    if buffer._tag is not tag:
        buffer._value = with_level(buffer._value, tag, kind)
        if isinstance(buffer._tangent, Stacked):
            buffer._tangent.array = with_level(buffer._tangent.array, tag, kind)
        elif not isinstance(buffer._tangent, Tangent):
            buffer._tangent = with_level(buffer._tangent, tag, kind)
    return buffer
