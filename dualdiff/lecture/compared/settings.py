"""What compare was told about measuring, looked at before anything is measured."""

from __future__ import annotations

import numbers
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

from dualdiff.transforms.containers import flatten, is_leaf
from dualdiff.transforms.results import described

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Settings", "checked", "grown_arguments"]

_TAKES = {
    "repeat": "a whole number, such as 7",
    "seconds": "a number, such as 1.0",
    "sizes": "a list of whole numbers, such as [1, 10, 100]",
    "grow": "a function, such as lambda n: np.ones(n)",
}


class Settings(NamedTuple):
    """How often, how long and at which sizes to measure; the sizes rise, or are None."""

    repeat: int
    seconds: float
    sizes: tuple[int, ...] | None
    grow: Callable[[int], Any] | None


def checked(repeat: Any, seconds: Any, sizes: Any, grow: Any) -> Settings:
    """Return the settings, or raise an error that says which of them is wrong and what it takes."""
    if grow is not None and not callable(grow):
        raise _wrong(TypeError, "grow", grow)
    if isinstance(seconds, bool) or not isinstance(seconds, numbers.Real):
        raise _wrong(TypeError, "seconds", seconds)
    if seconds != seconds:
        raise _wrong(ValueError, "seconds", seconds)
    often = _whole("repeat", repeat, repeat)
    rising = None if sizes is None else _sizes(sizes)
    for name, least, met in (
        ("repeat", often, repeat),
        ("seconds", seconds, seconds),
        ("sizes", 1 if rising is None else min(rising, default=0), sizes),
    ):
        if least <= 0:
            message = f"compare(f, {name}=...) takes what is above 0; it got {met!r}"
            raise ValueError(message)
    return Settings(often, float(seconds), rising, grow)


def _wrong(kind: type[Exception], name: str, met: Any) -> Exception:
    return kind(f"compare(f, {name}=...) takes {_TAKES[name]}; it got {met!r}")


def _whole(name: str, x: Any, met: Any) -> int:
    if isinstance(x, bool) or not hasattr(x, "__index__"):
        raise _wrong(TypeError, name, met)
    try:
        return index(x)
    except TypeError:  # an array of several numbers
        raise _wrong(TypeError, name, met) from None


def _sizes(sizes: Any) -> tuple[int, ...]:
    """Return the sizes as they rise, each once."""
    if isinstance(sizes, (str, bytes)) or not hasattr(sizes, "__iter__"):
        raise _wrong(TypeError, "sizes", sizes)
    given = list(sizes)
    return tuple(sorted({_whole("sizes", n, given) for n in given}))


def grown_arguments(grow: Callable[[int], Any], n: int) -> tuple[Any, ...]:
    """Return the arguments with n inputs that grow makes, each of them made of numbers."""
    made = grow(n)
    args = made if isinstance(made, tuple) else (made,)
    strange = [leaf for x in args for leaf in flatten(x)[0] if not is_leaf(leaf)]
    if strange or not args:
        what = described(strange[0]) if strange else "no argument"
        message = (
            f"compare(f, grow=...) takes a function that returns arguments of f, such as lambda n: np.ones(n); "
            f"grow({n}) returned {what}{' inside its result' if strange and strange[0] is not made else ''}"
        )
        raise TypeError(message)
    return args
