"""The numbers of a trace as its reader sees them: four digits, and of an array its beginning and its end."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

__all__ = ["Notation", "array_texts", "entries", "number"]

Notation = Literal["unicode", "ascii", "latex"]

DIGITS = 4  # significant ones of every number shown
WHOLE = 1e5  # up to which whole numbers have all their digits
ENTRIES = 6  # of an array shown in full


def number(value: Any, notation: Notation = "unicode", *, bracketed: bool = False) -> str:
    """Number of a trace, to four significant digits.

    Parameters
    ----------
    value : float, int, bool or str
        As the dict has it: non-finite and complex numbers are texts.
    notation : {"unicode", "ascii", "latex"}, default "unicode"
        How to write it.
    bracketed : bool, default False
        Whether it stands in a product, where a negative number is put in brackets.

    Returns
    -------
    str
        The number; whole ones below 100000 have all their digits, and −0 is written as 0.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.figures import number
    >>> number(-0.9589242746631385), number(123456.0), number("-inf", bracketed=True)
    ('−0.9589', '1.235e+05', '(−inf)')
    """
    text = _digits(value)
    if notation == "latex":
        text = re.sub(r"e([-+]\d+)", lambda found: rf" \cdot 10^{{{int(found[1])}}}", text)
        text = text.replace("inf", r"\infty ").replace("nan", r"\mathrm{nan}").replace("j", r"\,\mathrm{i}").strip()
    elif notation == "unicode":
        text = text.replace("-", "−")
    if bracketed and text[:1] in {"-", "−"}:
        return rf"\left({text}\right)" if notation == "latex" else f"({text})"
    return text


def _digits(value: Any) -> str:
    """Return a number in Python's signs."""
    if isinstance(value, str) and value.endswith(("j", "j)")):
        value = complex(value)
    elif isinstance(value, str):
        value = float(value)
    if isinstance(value, complex):
        return f"({_digits(value.real)}{value.imag:+.{DIGITS}g}j)"
    if isinstance(value, bool):
        return str(value)
    if abs(value) < WHOLE and value == int(value):
        return str(int(value))  # a lecture has no use for −0
    return f"{value:.{DIGITS}g}"


def array_texts(value: Any, notation: Notation = "unicode") -> list[str]:
    """Ways to write the numbers of a row, the most detailed first.

    Parameters
    ----------
    value : number, nested list or dict
        As the dict has it.
    notation : {"unicode", "ascii", "latex"}, default "unicode"
        How to write it.

    Returns
    -------
    list of str
        A number in one way, and whatever is set in LaTeX; else an array with fewer and fewer of its entries, and at
        last its shape alone.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.figures import array_texts
    >>> array_texts([1.0, 2.0, 3.0])
    ['(3,) [1 2 3]', '(3,) [1 … 3]', '(3,)']
    """
    if not isinstance(value, list | dict):
        return [number(value, notation)]
    if notation == "latex":
        return [_array_latex(value)]
    shape, first, last, size = entries(value)
    dots = "..." if notation == "ascii" else "…"
    head = str(tuple(shape))
    texts = [f"{head} {_nested(value, notation)}"] if size <= ENTRIES and isinstance(value, list) else []
    for few in (3, 2, 1):
        if size > 2 * few:
            ends = (" ".join(number(x, notation) for x in end) for end in (first[:few], last[-few:]))
            texts.append(f"{head} [{f' {dots} '.join(ends)}]")
    return [*texts, head]


def _array_latex(value: Any) -> str:
    """Return a small matrix whole, and of other arrays the first and the last entries."""
    shape, first, last, size = entries(value)
    if isinstance(value, list) and len(shape) == 2 and 0 < size <= 3 * ENTRIES:
        rows = r" \\ ".join(" & ".join(number(x, "latex") for x in row) for row in value)
        return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
    shown = [number(x, "latex") for x in (first if size <= ENTRIES else first[:3])]
    if size > ENTRIES:
        shown += [r"\ldots", *(number(x, "latex") for x in last[-3:])]
    text = rf"\left[{', '.join(shown)}\right]"
    lengths = r" \times ".join(map(str, shape))
    return text if len(shape) == 1 and size <= ENTRIES else rf"{text}_{{{lengths}}}"


def entries(value: Any) -> tuple[list[int], list[Any], list[Any], int]:
    """Return the shape of an array of the dict, its first and last entries, and how many it has."""
    if isinstance(value, dict):
        return value["shape"], value["first"], value["last"], math.prod(value["shape"])
    shape, flat = list[int](), [value]
    while flat and isinstance(flat[0], list):
        shape.append(len(flat[0]))
        flat = [x for part in flat for x in part]
    return shape, flat, flat, len(flat)


def _nested(value: Any, notation: Notation) -> str:
    return f"[{' '.join(_nested(x, notation) for x in value)}]" if isinstance(value, list) else number(value, notation)
