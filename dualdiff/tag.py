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
_living: dict[tuple[int, str], Tag] = {}
_foreign: WeakValueDictionary[tuple[int, str], Tag] = WeakValueDictionary()


class Tag:
    """The identity of one derivative; compared by ``is``, ordered by `key`, alive from entering to leaving it."""

    __slots__ = ("__weakref__", "alive", "key", "proxy", "records", "workspace")

    alive: bool
    key: tuple[int, str]
    records: bool  # whether its tangents are steps of a record, which keeps the values that slopes are made of
    proxy: Any  # what makes a proxy of a Dual, where its operations are watched
    workspace: Any  # memory that the derivative's large arrays recycle, where it has some

    def __init__(self) -> None:
        self.alive = True
        self.key = (next(_numbers), _process)
        self.records = False
        self.proxy = None
        self.workspace = None

    def __enter__(self) -> Self:
        _living[self.key] = self
        return self

    def __exit__(self, *_: object) -> None:
        self.alive = False
        self.workspace = None
        del _living[self.key]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the key: copies of a Dual stay perturbations of the same derivative."""
        return _with_key, (self.key,)

    def __copy__(self) -> Tag:
        return self

    def __deepcopy__(self, memo: object) -> Tag:
        return self


def _with_key(key: tuple[int, str]) -> Tag:
    """Return the one tag that has `key` here: the original, or what stands for another process's.

    Of this process's own, one that is not living belonged to a derivative that has returned.  One of another process is
    kept older than every derivative that begins here from now on, as it was begun before.
    """
    global _numbers  # noqa: PLW0603 - the counter is one for the whole process
    number, process = key
    tag = _living.get(key) or _foreign.get(key)
    if tag is None:
        tag = Tag()
        tag.key = key
        tag.alive = process != _process
        _foreign[key] = tag
        if tag.alive and number >= (here := next(_numbers)):
            _numbers = itertools.count(max(number, here) + 1)
    return tag


def _renew_process() -> None:
    """Let a forked child count as another process; the derivatives it was forked in stay alive in it."""
    global _process  # noqa: PLW0603 - the identity is one for the whole process
    _process = os.urandom(16).hex()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_process)

OUTERMOST = Tag()
"""The tag of every Dual a user makes by hand, in every process; it never dies."""
OUTERMOST.key = (0, "")
_living[OUTERMOST.key] = OUTERMOST
