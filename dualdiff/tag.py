"""Tags: which derivative a tangent belongs to.

d/dx [x · d/dy (x + y)] is 1 only if the inner derivative can tell its own tangents from the outer one's.
Each transform call seeds under a fresh tag; in an operation the newest tag is the active one and everything
else is a constant to it.  A tag dies when its derivative returns: a tangent that leaked out is a constant.
"""

from __future__ import annotations

import itertools
import os
from typing import Any, Self
from weakref import WeakValueDictionary

__all__ = ["OUTERMOST", "Tag"]

_numbers = itertools.count(1)  # next() on it is atomic, so tags are unique over all threads
_process = os.urandom(16).hex()  # and, with this, over all processes a Dual may be pickled to
_known: WeakValueDictionary[tuple[int, str], Tag] = WeakValueDictionary()


class Tag:
    """The identity of one derivative; compared by ``is``, ordered by `key`, alive until it returns."""

    __slots__ = ("__weakref__", "alive", "key")

    alive: bool
    key: tuple[int, str]

    def __init__(self) -> None:
        self.alive = True
        self.key = (next(_numbers), _process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.alive = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the key: copies of a Dual stay perturbations of the same derivative."""
        _known[self.key] = self
        return _with_key, (self.key,)

    def __copy__(self) -> Tag:
        return self

    def __deepcopy__(self, memo: object) -> Tag:
        return self


def _with_key(key: tuple[int, str]) -> Tag:
    """Return the one tag of this process that has `key`: the original, or what stands for another process's.

    An original that is no more belonged to a derivative that has returned.
    """
    tag = _known.get(key)
    if tag is None:
        tag = _known[key] = Tag()
        tag.key = key
        tag.alive = key[1] != _process
    return tag


OUTERMOST = _with_key((0, ""))
"""The tag of every Dual a user makes by hand; it never dies."""
