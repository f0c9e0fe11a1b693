"""How a line of the table is written and looked up.

Every function has exactly one entry, and a second one is refused.  The entries are of few kinds:

===========  ====================================================================================================
Line         an elementwise function and its partial derivatives: ``d(np.sin, lambda x, y: cos(x))``
Move         a function that only moves elements: ``moves(np.reshape, …)``
Paragraph    a rule that returns value and tangent, written with the five verbs: ``@rule(np.sum, …)``
Composition  a function written out in others that have entries: ``@composed(np.var, …)``
Creation     a function that makes an array: with ``like=x``, a buffer that holds tangents
Constant     a function whose result does not move: the plain value passes
Refused      a function that is refused, with the reason
===========  ====================================================================================================

Beside each array function stand its sample calls, from which the tests are generated.  In them ``s, t`` are
numbers, ``x, y`` vectors of 3, ``A, B`` 3×3 matrices, ``M`` a 2×3 matrix and ``T`` an array of shape (2, 3, 2).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "RULES", "Composition", "Constant", "Creation", "Entry", "Line", "Move", "Paragraph", "Refused", "composed", "constant", "creates", "d", "moves",
    "refuse", "rule",
]  # fmt: skip

RULES: dict[Any, Entry] = {}
"""Every entry, by the function it is about."""


@dataclass(eq=False, slots=True)
class Entry:
    """What the tables know about one function."""

    function: Any
    calls: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def name(self) -> str:
        """The function as its user writes it: ``numpy.linalg.norm``."""
        module = getattr(self.function, "__module__", None) or "numpy"
        return f"{module}.{self.function.__name__}"


@dataclass(eq=False, slots=True)
class Line(Entry):
    """An elementwise function: one partial derivative per operand, a number or a function of operands and result."""

    partials: tuple[Any, ...]
    on: tuple[tuple[float, float], ...] = ()  # the open interval of each operand where the partials hold
    on_complex: Callable[..., Any] | None = None  # the same function of complex operands, from others
    traced: bool = True  # whether its partials are formulas that letters may pass through, as a user's need not be
    pushforwards: dict[tuple[bool, ...], Any] = field(default_factory=dict)  # made from the partials when first met,
    pullbacks: dict[tuple[bool, ...], Any] = field(default_factory=dict)  # by which operands move
    chooses: bool = False  # whether a slope of 0 means that another operand was chosen, as max(x, y) does
    curved: bool = field(init=False)  # whether a slope varies, and so may be infinite or undefined somewhere

    def __post_init__(self) -> None:
        self.curved = any(map(callable, self.partials))


@dataclass(eq=False, slots=True)
class Move(Entry):
    """A function that only moves elements of its first argument: one array or, with `many`, a list of them."""

    many: bool = False


@dataclass(eq=False, slots=True)
class Paragraph(Entry):
    """A rule ``handler(da, a, …) -> (value, tangent)``; its operands are the arguments with a ``d`` before them."""

    handler: Callable[..., tuple[Any, Any]]
    operands: tuple[tuple[int, str], ...]  # position and name of each in the function's own signature
    variadic: int | None = None  # where operands begin of which there may be any number, as einsum's do
    leading: bool = field(init=False)  # whether the first arguments are the operands, in order

    def __post_init__(self) -> None:
        self.leading = self.variadic is None and [i for i, _ in self.operands] == list(range(len(self.operands)))


@dataclass(eq=False, slots=True)
class Composition(Entry):
    """The function written in others; it is handed the Duals themselves."""

    handler: Callable[..., Any]


@dataclass(eq=False, slots=True)
class Creation(Entry):
    """A function that makes an array of the kind of its ``like=`` argument: a buffer that can hold tangents."""


@dataclass(eq=False, slots=True)
class Constant(Entry):
    """No derivative: the function is called with plain values."""


@dataclass(eq=False, slots=True)
class Refused(Entry):
    """No answer would be right: the reason is the error message."""

    reason: str


def enter(entry: Entry) -> Entry:
    """Write `entry` into the book, unless its function is there already, or not yet in this NumPy."""
    if entry.function is None:
        return entry
    if entry.function in RULES:
        message = f"{entry.name} is in the tables already, as a {type(RULES[entry.function]).__name__}"
        raise ValueError(message)
    RULES[entry.function] = entry
    return entry


def d(
    function: Any,
    *partials: Any,
    on: tuple[Any, ...] = (float("-inf"), float("inf")),
    on_complex: Callable[..., Any] | None = None,
) -> None:
    """Enter a line: the function and its partials, in the letters of the calculus book.

    ``y = f(x)`` or ``z = f(x, y)`` names the result; `on` is the open domain (one interval for all operands, or
    one for each).
    """
    intervals = on if isinstance(on[0], tuple) else (on,) * len(partials)
    enter(Line(function, partials, intervals, on_complex))


def moves(function: Any, *calls: str, many: bool = False) -> None:
    """Enter a function that only moves, repeats or drops elements, with its sample calls."""
    enter(Move(function, many, calls=calls))


def rule(function: Any, *calls: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a paragraph: the decorated function takes tangents (None for what does not move) before operands."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        code = handler.__code__
        any_number = bool(code.co_flags & inspect.CO_VARARGS)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + any_number]
        own = [name for name in names if name[:1] != "d" or name[1:] not in names]
        operands = tuple((own.index(name), name) for name in own if f"d{name}" in names)
        variadic = operands[-1][0] if any_number and operands and operands[-1][1] == names[-1] else None
        enter(Paragraph(function, handler, operands, variadic, calls=calls))
        return handler

    return decorate


def composed(function: Any, *calls: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a composition: the decorated function computes the same from functions that have entries."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        enter(Composition(function, handler, calls=calls))
        return handler

    return decorate


def creates(*functions: Callable[..., Any]) -> None:
    """Enter functions that fill a new array, for ``like=x``."""
    for function in functions:
        enter(Creation(function))


def constant(*functions: Callable[..., Any]) -> None:
    """Enter functions whose result does not move with their arguments."""
    for function in functions:
        enter(Constant(function))


def refuse(reason: str, *functions: Callable[..., Any]) -> None:
    """Enter functions that no derivative fits, and why."""
    for function in functions:
        enter(Refused(function, reason))
