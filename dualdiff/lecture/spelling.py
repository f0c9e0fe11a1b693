"""How an operation is written: `x1·x2`, `W @ x`, `y[1:3]`, `sum(v2, axis=0)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.lecture.formula import Formula, opaque
from dualdiff.lecture.numerals import number_text
from dualdiff.lecture.record import Known, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["operand", "spelled", "text_of"]

_SIGNS = {"add": "+", "subtract": "−", "multiply": "·", "divide": "/", "matmul": "@"}
_BINDS = {
    "matmul": "@",
    "write": "+",
    "add": "+",
    "subtract": "+",
    "multiply": "@",
    "divide": "@",
}
_ATTRIBUTES = ("T", "mT", "real", "imag")


def text_of(formula: Any) -> str | None:
    """Return a formula as text; None where there is none."""
    if formula is None:
        return None
    return formula.text if isinstance(formula, Formula) else number_text(formula)


def operand(x: Any, letters: Mapping[Row, Any]) -> Any:
    """Return an argument as a letter or a number."""
    if isinstance(x, Row):
        return letters[x]
    if isinstance(x, (float, int, np.number)):
        return x
    value = x.value if isinstance(x, Known) else x
    return opaque(_argument(x, letters), np.asarray(value)) if np.asarray(value).dtype.kind in "biufc" else x


def spelled(row: Row, letters: Mapping[Row, Any], args: Sequence[Any] | None = None) -> Formula:
    """Return the formula of a row as a call of its operation, on other arguments if they are given."""
    args = row.args if args is None else args
    return opaque(_called(row, args, letters), row.value, _BINDS.get(row.operation, "call"))


def _argument(x: Any, letters: Mapping[Row, Any]) -> str:
    """Return the text of an argument: a row's letter, the name that the user's code has for it, or its digits."""
    if isinstance(x, Row):
        return text_of(letters.get(x)) or x.name or "…"
    if isinstance(x, Formula):
        return x.text
    if isinstance(x, Known):
        return x.name or str(x.value.tolist())
    if isinstance(x, (list, tuple)):
        inner = ", ".join(_argument(item, letters) for item in x)
        return f"[{inner}]" if isinstance(x, list) else f"({inner}{',' * (len(x) == 1)})"
    if isinstance(x, (float, complex, np.inexact)):
        return number_text(x)
    if isinstance(x, slice):
        ends = ["" if end is None else _argument(end, letters) for end in (x.start, x.stop)]
        return ":".join([*ends, *([] if x.step is None else [_argument(x.step, letters)])])
    if x is Ellipsis:
        return "..."
    return repr(x) if isinstance(x, str) else str(x)


def _index(x: Any, letters: Mapping[Row, Any]) -> str:
    if isinstance(x, tuple):
        return ", ".join(_argument(item, letters) for item in x) or "()"
    return _argument(x, letters)


def _called(row: Row, args: Sequence[Any], letters: Mapping[Row, Any]) -> str:
    """Return the text of a call."""
    kwargs = {name: x for name, x in row.kwargs.items() if name != "part"}
    texts = [_argument(x, letters) for x in args]
    part = f"[{row.kwargs['part']}]" if "part" in row.kwargs else ""
    if not args:
        return f"{row.operation}({', '.join(_argument(source, letters) for source in row.sources)})"
    if row.operation == "index":
        return f"{_bracketed(args[0], letters)}[{_index(args[1], letters)}]"
    if row.operation == "write":
        return f"{_written_place(args, letters)} ← {texts[3]}"
    if row.operation in ("copy", "constant", "array") and len(texts) == 1:
        return texts[0]
    if row.operation in _ATTRIBUTES and len(texts) == 1:
        return f"{_bracketed(args[0], letters)}.{row.operation}"
    if len(texts) == 2 and not kwargs:
        sign = _SIGNS.get(row.operation)
        if sign is not None:  # as a/a, which comes to 1
            blank = " " if sign in "+−@" else ""
            return f"{blank}{sign}{blank}".join(_bracketed(x, letters) for x in args) + part
    named = [f"{name}={_argument(x, letters)}" for name, x in kwargs.items()]
    if row.method:
        return f"{_bracketed(args[0], letters)}.{row.operation}({', '.join([*texts[1:], *named])}){part}"
    return f"{row.operation}({', '.join([*texts, *named])}){part}"


def _written_place(args: Sequence[Any], letters: Mapping[Row, Any]) -> str:
    """Return what is written into: v1[1:][0], where the array is a view of v1."""
    root, array, index, _ = args
    text, steps = _bracketed(root, letters), [f"[{_index(index, letters)}]"]
    while isinstance(array, Row) and array is not root:
        if array.operation == "index":
            steps.insert(0, f"[{_index(array.args[1], letters)}]")
        elif array.operation in _ATTRIBUTES:
            steps.insert(0, f".{array.operation}")
        else:
            return text
        array = array.args[0]
    return text + "".join(steps)


def _bracketed(x: Any, letters: Mapping[Row, Any]) -> str:
    """Return the text of an operand that something is written beside."""
    letter = letters.get(x, x) if isinstance(x, Row) else x
    atom = not isinstance(letter, Formula) or (letter.terms is None and letter.operation in ("name", "call"))
    text = _argument(x, letters)
    return text if atom and not text.startswith("−") else f"({text})"
