"""Values of variables as they are typed: ``t=pi/4`` for a formula, and lists such as ``x=1,2,3`` for a file's function.

Nothing is executed: a number is a formula without variables, and a list is cut at its commas.
"""

from __future__ import annotations

import keyword
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.commands.words import UsageError
from dualdiff.expression import CONSTANTS, FUNCTIONS, ExpressionError, parse, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["argument", "number", "read"]

MAX_NUMBERS = 1_000_000  # of one list
MAX_NESTING = 8  # lists in lists
_REPEATED = re.compile(r"(\[.*\])\s*\*\s*(\d{1,9})", re.DOTALL)


def read(words: Iterable[str], *, formula: bool) -> dict[str, str]:
    """Return the text of each value by its name, which is one that a variable or a parameter may have."""
    values: dict[str, str] = {}
    for word in words:
        left, _, right = word.partition("=")
        name = left.strip()
        if formula and (name in FUNCTIONS or name in CONSTANTS):
            raise UsageError(f"{quote(name)} has a meaning of its own: choose another name, such as {name}_")
        if keyword.iskeyword(name):
            raise UsageError(f"{quote(name)} has a meaning of its own: choose another name, such as {name}_")
        name = _variable(name) if formula else name
        if not name.isidentifier() or not right.strip() or right.startswith("="):
            raise UsageError(f"{quote(word)} is no value: write t=1.2 without blanks, and formulas without =")
        if name in values:
            raise UsageError(f"{quote(name)} is given twice: leave {quote(word)} out")
        values[name] = right
    return values


def _variable(name: str) -> str:
    """Return the name that a formula reads, such as x1 for x₁, or nothing."""
    try:
        variable = parse(name)
    except ExpressionError:
        return ""
    return variable.text if variable.names == (variable.text,) else ""


def number(name: str, text: str) -> float:
    """Read the value of a formula's variable."""
    word = f"{name}={text}"
    if text.strip().startswith("["):
        raise UsageError(f"{quote(word)} is a list: a variable of a formula is one number, such as {_start(name)}=1.5")
    value = parse(text)
    if value.names:
        raise UsageError(f"{quote(word)} is no number: write one, such as {_start(name)}=pi/4")
    if value.parts:
        raise UsageError(f"{quote(word)} has a comma: write a decimal point, such as 1.5")
    return _finite(word, value())


def _start(name: str) -> str:
    return quote(name)[1:-1]


def _finite(word: str, value: float) -> float:
    if not math.isfinite(value):
        raise UsageError(f"{quote(word)} is {value:g}: give a finite number")
    return value


def argument(name: str, text: str) -> Any:
    """Read the value of a function's parameter: a whole number stays one, and a list becomes an array."""
    word = f"{name}={text}"
    if re.fullmatch(r"\s*[-+]?\d{1,15}\s*", text):
        return int(text)
    repeated = _REPEATED.fullmatch(text.strip())
    if "[" not in text and "," not in _outside(text):
        return _entry(word, text)
    listed = (repeated[1] if repeated else text).strip()
    found = _list(word, listed if listed.startswith("[") else f"[{listed.rstrip(', ')}]", 1)
    times = int(repeated[2]) if repeated else 1
    if len(found) * times > MAX_NUMBERS:
        way_out = "make it in the file, where Python has room"
        raise UsageError(f"{quote(word)} has more than {MAX_NUMBERS} entries: {way_out}")
    try:
        array = np.array(found * times, dtype=float)
    except ValueError:
        way_out = "write as many numbers in each, as in [[1,2],[3,4]]"
        raise UsageError(f"{quote(word)} has lists of different lengths: {way_out}") from None
    if not array.size:
        raise UsageError(f"{quote(word)} is empty: write a number at least, as in {_start(name)}=[1.5]")
    return array


def _outside(text: str) -> str:
    """Return what stands in no brackets: the comma of atan2(1, 2) makes no list."""
    outside, depth = "", 0
    for c in text:
        depth += (c == "(") - (c == ")")
        outside += c if depth == 0 else ""
    return outside


def _list(word: str, text: str, depth: int) -> list[Any]:
    """Read a list, its brackets included."""
    if depth > MAX_NESTING:
        raise UsageError(f"{quote(word)} is nested too deep: {MAX_NESTING} lists in lists are the limit")
    if not text.endswith("]"):
        raise UsageError(f"{quote(word)} is no list: close what opens, as in [1,2,3]")
    found, part, level, inside = [], "", 0, text[1:-1]
    if not inside.strip():
        return []
    for c in f"{inside},":
        level += (c in "[(") - (c in ")]")
        if level < 0:
            break
        if c == "," and level == 0:
            item = part.strip()
            found.append(_list(word, item, depth + 1) if item.startswith("[") else _entry(word, item))
            part = ""
        else:
            part += c
    if level:
        raise UsageError(f"{quote(word)} is no list: close what opens, as in [1,2,3]")
    return found


def _entry(word: str, text: str) -> float:
    """Read one number."""
    try:
        return _finite(word, float(text))
    except ValueError:
        pass
    value = parse(text)
    if value.names or value.parts:
        raise UsageError(f"{quote(text)} in {quote(word)} is no number: write one, such as 1.5 or pi/4")
    return _finite(word, value())
