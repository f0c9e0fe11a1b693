"""Large arrays in recycled memory: a fresh temporary costs page faults, which is more than the arithmetic.

Within one derivative the buffers that nobody holds any more are handed out again, and the pushforward of a line runs as
straight-line ufunc calls that write into them:

    t0 = take(); add(1, x, out=t0); divide(dx, t0, out=t0)          for dy = dx / (1 + x)
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.letter import Letter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LARGE", "Workspace", "is_large", "straight_line"]

LARGE = 2**15
"""Elements from which recycling pays.  (tests/benchmarks/race.py elem_1e3 elem_1e5 elem_1e6)"""
_BUFFERS = 16  # so many are kept for one derivative
_UFUNCS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "neg": "negative"}
_FLOAT64 = np.dtype(float)


class Workspace:
    """The buffers of one derivative."""

    __slots__ = ("buffers",)

    def __init__(self) -> None:
        self.buffers: list[np.ndarray[Any, Any]] = []

    def take(self, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Return an array of float64, with anything in it, that nobody else holds.

        Two threads cannot take the same: each holds a reference while it counts them, and so sees the other's.
        """
        for buffer in self.buffers:
            if buffer.shape == shape and sys.getrefcount(buffer) == _HELD_BY_NOBODY:
                return buffer
        buffer = np.empty(shape)
        if len(self.buffers) >= _BUFFERS:
            del self.buffers[0]
        self.buffers.append(buffer)
        return buffer

    def count(self) -> int:
        """Return the references to a buffer as `take` counts them; here, where nobody else holds it."""
        for buffer in self.buffers:
            if buffer.shape == (1,):
                return sys.getrefcount(buffer)
        return 0


def _held_by_nobody() -> int:
    """Ask the running Python how it counts, which differs between versions; 0, so never, without a global lock."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return 0
    workspace = Workspace()
    workspace.buffers.append(np.empty(1))
    return workspace.count()


_HELD_BY_NOBODY = _held_by_nobody()


def is_large(operands: Sequence[Any], tangents: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the one shape of all arrays, if they are large and plain and the rest are Python's floats; else None."""
    shape = None
    for x in operands:
        if type(x) is np.ndarray:
            if x.size < LARGE or x.dtype is not _FLOAT64 or not x.flags.c_contiguous or shape not in (None, x.shape):
                return None
            shape = x.shape
        elif type(x) is not float and type(x) is not int:
            return None
    for t in tangents:
        if type(t) is not np.ndarray or t.dtype is not _FLOAT64 or t.shape != shape or not t.flags.c_contiguous:
            return None
    return shape


def straight_line(formula: Letter, arguments: Sequence[str]) -> Callable[..., Any] | None:
    """Return a formula as a function of its arguments and of `take`; None where it is not of ufuncs alone."""
    lines: list[str] = []
    used: dict[str, Any] = {}

    def emit(node: Any) -> str:
        if not isinstance(node, Letter):
            return repr(node)
        if node.operation == "name":
            return node.text
        name, *operands = node.parts if node.operation == "call" else (_UFUNCS[node.operation], *node.parts)
        used[name] = getattr(np, name)
        if not isinstance(used[name], np.ufunc):
            raise KeyError(name)
        texts = [emit(operand) for operand in operands]
        temporaries = [text for text in texts if text[0] == "t"]
        out = temporaries[0] if temporaries else f"t{len(lines)}"
        if not temporaries:
            lines.append(f"{out} = take(shape)")
        lines.append(f"{name}({', '.join(texts)}, out={out})")
        lines.extend(f"{other} = None" for other in temporaries[1:] if other != out)
        return out

    try:
        result = emit(formula)
    except KeyError:
        return None
    if result[0] != "t":
        return None
    body = "".join(f"    {line}\n" for line in lines)
    source = f"def pushforward(take, shape, {', '.join(arguments)}):\n{body}    return {result}\n"
    made: dict[str, Any] = {}
    exec(source, used, made)  # noqa: S102 - the table's own text
    return made["pushforward"]  # type: ignore[no-any-return]
