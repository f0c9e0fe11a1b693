"""A letter: fed to a line of the table it comes back as the formula.

The same lines that numbers, arrays and Duals pass through are read by passing letters through them, so the text of
a derivative is never written down a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dualdiff import functions
from dualdiff.functions import Elementary

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FloatLetter", "Letter", "bracketed"]

# How tightly each operation binds in Python's grammar; a part that binds less tightly is put in brackets.
_BINDS = {"==": 1, ">": 1, "<": 1, ">=": 1, "<=": 1, "|": 2, "&": 3, "+": 4, "-": 4, "*": 5, "/": 5, "//": 5, "%": 5}
_BINDS |= {"neg": 6, "**": 7, "name": 8, "call": 8}


class Letter(Elementary):
    """A name, or an expression of names, as Python text.

    Parameters
    ----------
    text : str
        The expression.
    operation : str
        Its outermost operation: ``"name"``, ``"call"``, ``"neg"`` or an operator.
    parts : tuple
        The operands of that operation.

    Examples
    --------
    >>> from dualdiff.letter import Letter
    >>> x, y = Letter("x"), Letter("y")
    >>> print(-(x + 1) / y)
    -(x + 1) / y
    """

    __slots__ = ("operation", "parts", "text")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str, operation: str = "name", parts: tuple[Any, ...] = ()) -> None:
        self.text = text
        self.operation = operation
        self.parts = parts

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        """A formula has no branch: `where` writes a choice."""
        raise TypeError(f"whether {self.text} holds is not known from letters")

    def __neg__(self) -> Letter:
        return type(self)(f"-{bracketed(self, 6)}", "neg", (self,))

    @classmethod
    def called(cls, name: str, *operands: Any) -> Letter:
        """Return the text of a function call."""
        return cls(f"{name}({', '.join(map(str, operands))})", "call", (name, *operands))


class FloatLetter(Letter):
    """A letter that stands for a Python float: functions are those of `math`, and a choice is a branch."""

    __slots__ = ()

    @classmethod
    def called(cls, name: str, *operands: Any) -> Letter:
        """Return the text of a function call, or of a choice, which evaluates one side only."""
        if name == "where":
            condition, x, y = operands
            return cls(f"({x} if {condition} else {y})", "call", operands)
        return super().called(f"scalar_{name}", *operands)


def bracketed(part: Any, binds: int) -> str:
    """Return the text of `part`, in brackets unless it binds at least as tightly as `binds`."""
    own = _BINDS[part.operation] if isinstance(part, Letter) else _BINDS["name" if part >= 0 else "neg"]
    return str(part) if own >= binds else f"({part})"


def _kind(*operands: Any) -> type[Letter]:
    return next(type(x) for x in operands if isinstance(x, Letter))


def _operator(symbol: str) -> tuple[Callable[[Any, Any], Letter], Callable[[Any, Any], Letter]]:
    binds = _BINDS[symbol]

    def forward(x: Any, y: Any) -> Letter:
        left, right = bracketed(x, binds), bracketed(y, binds + 1)
        return _kind(x, y)(f"{left} {symbol} {right}", symbol, (x, y))

    return forward, lambda y, x: forward(x, y)


def _function(name: str) -> Callable[..., Letter]:
    return lambda *operands: _kind(*operands).called(name, *operands)


for _name in functions.__all__:  # a function of letters is its name written before them
    setattr(Letter, _name, _function(_name))
for _name, _symbol in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "and": "&",
    "or": "|",
}.items():  # fmt: skip
    _forward, _reflected = _operator(_symbol)
    setattr(Letter, f"__{_name}__", _forward)
    setattr(Letter, f"__r{_name}__", _reflected)
for _name, _symbol in {"eq": "==", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}.items():
    setattr(Letter, f"__{_name}__", _operator(_symbol)[0])
