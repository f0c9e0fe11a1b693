"""How formulas and names of a trace are written: with the signs of Unicode, in plain ASCII, and in LaTeX.

`grammar` reads the formulas and `typesetting` sets them in LaTeX; what both say is passed on here.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from dualdiff.lecture.drawn.grammar import PIECES, indexed, needs_brackets, plain, python_text
from dualdiff.lecture.drawn.typesetting import latex, latex_accented, latex_factor, latex_text

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from dualdiff.lecture.drawn.figures import Notation

__all__ = [
    "ascii_text", "barred", "clipped", "dotted", "factor", "latex", "latex_text", "padded", "plain", "python_text",
    "unicode_text", "width", "written",
]  # fmt: skip

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_DOT, _BAR = "\N{COMBINING DOT ABOVE}", "\N{COMBINING MACRON}"


def unicode_text(formula: str) -> str:
    """Formula with the digits at the end of names as subscripts.

    Parameters
    ----------
    formula : str
        Text in the signs of a trace.

    Returns
    -------
    str
        In one line; names of functions, numbers and quoted texts are kept as they are.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import unicode_text
    >>> unicode_text("log10(x1)·v12 − p['A1']")
    "log10(x₁)·v₁₂ − p['A1']"
    """
    return _with_subscripts(plain(formula))


@lru_cache(4096)  # a name stands in many cells
def _with_subscripts(line: str) -> str:
    return "".join(_lowered(line, piece) for piece in PIECES.finditer(line))


def _lowered(line: str, piece: re.Match[str]) -> str:
    """Return a piece of a formula, its last digits as subscripts where it is the name of a number."""
    if piece.lastgroup != "name" or line[piece.end() : piece.end() + 1] in {"(", "'"}:
        return piece[0]
    base, digits = indexed(piece[0])
    return base + digits.translate(_SUBSCRIPTS)


def ascii_text(formula: str) -> str:
    r"""Formula in ASCII alone.

    Parameters
    ----------
    formula : str
        Text in the signs of a trace, or any other.

    Returns
    -------
    str
        As `python_text` has it, with escapes such as ``\uac12`` for letters that ASCII lacks.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import ascii_text
    >>> ascii_text("값·x1² − 1")
    '\\uac12*x1**2 - 1'
    """
    return _escaped(python_text(formula))


def _escaped(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def written(formula: str, notation: Notation = "unicode") -> str:
    """Formula in one of the notations.

    Parameters
    ----------
    formula : str
        Text in the signs of a trace.
    notation : {"unicode", "ascii", "latex"}, default "unicode"
        Which of `unicode_text`, `ascii_text` and `latex` to use.

    Returns
    -------
    str
        What that function returns.
    """
    return {"unicode": unicode_text, "ascii": ascii_text, "latex": latex}[notation](formula)


def factor(formula: str, notation: Notation = "unicode") -> str:
    """Formula as a factor of a product, in brackets where it needs them.

    Parameters
    ----------
    formula : str
        Text in the signs of a trace.
    notation : {"unicode", "ascii", "latex"}, default "unicode"
        How to write it.

    Returns
    -------
    str
        For use before or behind other factors.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import factor
    >>> factor("1/x1"), factor("cos(x2)"), factor("−1")
    ('(1/x₁)', 'cos(x₂)', '(−1)')
    """
    if notation == "latex":
        return latex_factor(formula)
    text = written(formula, notation)
    return f"({text})" if needs_brackets(formula) else text


def dotted(name: str, notation: Notation = "unicode") -> str:
    r"""Name of the tangent of a row: v1 with a dot.

    Parameters
    ----------
    name : str
        Name of a row, or of an entry of one.
    notation : {"unicode", "ascii", "latex"}, default "unicode"
        How to write it.

    Returns
    -------
    str
        The name with a dot on its first letter, or behind a d in ASCII.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import dotted
    >>> dotted("v1", "ascii"), dotted("x[0]", "latex")
    ('dv1', '\\dot x_{0}')
    """
    if notation == "latex":
        return latex_accented(name, r"\dot")
    return f"d{ascii_text(name)}" if notation == "ascii" else _marked(unicode_text(name), _DOT)


def barred(name: str, notation: Notation = "unicode") -> str:
    r"""Name of the adjoint of a row: v1 with a bar.

    Parameters
    ----------
    name : str
        Name of a row, or of an entry of one.
    notation : {"unicode", "ascii", "latex"}, default "unicode"
        How to write it.

    Returns
    -------
    str
        The name with a bar over its first letter, or behind ``bar_`` in ASCII.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import barred
    >>> barred("v1", "ascii"), barred("v1", "latex")
    ('bar_v1', '\\bar v_{1}')
    """
    if notation == "latex":
        return latex_accented(name, r"\bar")
    return f"bar_{ascii_text(name)}" if notation == "ascii" else _marked(unicode_text(name), _BAR)


def _marked(name: str, mark: str) -> str:
    """Return a name with a mark on its first letter."""
    at = next((i for i, c in enumerate(name) if c.isalpha()), 0) + 1
    while at < len(name) and unicodedata.combining(name[at]):
        at += 1
    return name[:at] + mark + name[at:]


# --- columns of a terminal ------------------------------------------------------------------------------------------


def width(text: str) -> int:
    """Columns that a text takes in a terminal.

    Parameters
    ----------
    text : str
        One line.

    Returns
    -------
    int
        Two for each wide letter such as 값, none for combining marks.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import dotted, width
    >>> width(dotted("x1")), width("값")
    (2, 2)
    """
    return sum(map(_columns, text))


@cache
def _columns(c: str) -> int:
    if unicodedata.category(c) in {"Mn", "Me", "Cf"} or "\u1160" <= c <= "\u11ff":  # vowels that join a syllable
        return 0
    return 2 if unicodedata.east_asian_width(c) in {"W", "F"} else 1


def clipped(text: str, columns: int, *, ascii: bool = False) -> str:
    """Text cut to a width.

    Parameters
    ----------
    text : str
        One line.
    columns : int
        The width it may have.
    ascii : bool, default False
        Whether the sign for what was cut is ``...`` instead of ``…``.

    Returns
    -------
    str
        The text where it fits, or its beginning and the sign.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import clipped
    >>> clipped("log(x1) + x1*x2", 10)
    'log(x1) +…'
    """
    if width(text) <= columns:
        return text
    dots = ("..." if ascii else "…")[: max(columns, 0)]
    return "".join(_fitting(text, columns - len(dots))).rstrip() + dots


def _fitting(text: str, columns: int) -> Iterator[str]:
    for c in text:
        columns -= _columns(c)
        if columns < 0:
            return
        yield c


def padded(text: str, columns: int, align: str = "<") -> str:
    """Text filled up with blanks to a width.

    Parameters
    ----------
    text : str
        One line.
    columns : int
        The width to fill.
    align : {"<", ">", "^"}, default "<"
        Where the text stands in it.

    Returns
    -------
    str
        The text and its blanks; a text that is wider stays as it is.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import padded
    >>> padded("값", 4, ">")
    '  값'
    """
    free = max(columns - width(text), 0)
    left = {"<": 0, ">": free, "^": free // 2}[align]
    return " " * left + text + " " * (free - left)
