"""Columns of text for a terminal: padding, cutting, and a matrix in as many blocks as the width asks for."""

from __future__ import annotations

import math
import shutil
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

__all__ = ["NARROWEST", "WIDTH", "columns", "equations", "number", "room", "short", "table", "width"]

WIDTH = 80  # columns of a page
NARROWEST = 40  # columns that every page needs


def room(least: int = NARROWEST) -> int:
    """Return the columns that a page may have: those of the terminal, where it has fewer than 80."""
    return min(WIDTH, max(least, shutil.get_terminal_size().columns))


def table(rows: Sequence[str], heads: Sequence[str], matrix: np.ndarray[Any, Any], limit: int = WIDTH) -> list[str]:
    """Set a matrix with its labels, in as many blocks of columns as the width asks for."""
    labels = columns(["", *(f"  {row}" for row in rows)])
    blocks: list[list[str]] = []
    for head, column in zip(heads, matrix.T, strict=True):
        sizes = [abs(x) for x in column if x and math.isfinite(x)]
        style = ".6f" if all(1e-4 <= size < 1e7 for size in sizes) else ".6e"
        cells = [head, *(f"{x:{style}}" for x in column)]
        wide = max(map(width, cells)) + 2
        if not blocks or width(blocks[-1][0]) + wide > limit:
            blocks.append(labels)
        blocks[-1] = [line + " " * (wide - width(x)) + x for line, x in zip(blocks[-1], cells, strict=True)]
    return [line for block in blocks for line in ["", *block]][1:]


def columns(*entries: Sequence[str]) -> list[str]:
    """Join columns of text, each padded to its widest entry."""
    wide = [max(map(width, column)) for column in entries]
    rows = zip(*entries, strict=True)
    return ["".join(x + " " * (w - width(x)) for x, w in zip(row, wide, strict=True)) for row in rows]


def equations(rows: Sequence[Sequence[str]], signs: Sequence[str], limit: int) -> list[str]:
    """Set rows of sides that are equal, the signs between them: in one line each, or with a line for each side."""
    parts: list[list[str]] = []
    for i, column in enumerate(zip(*rows, strict=True)):
        parts += [[signs[i - 1]] * len(rows)] if i else []
        parts.append([f"  {text}" for text in column] if i == 0 else [*column])
    lines = columns(*parts)
    if max(map(width, lines)) <= limit:
        return lines
    found = []
    for first, *others in rows:
        head, indent = f"  {first}", " " * (width(first) + 2)
        if width(head) > limit // 4:  # a long name stands alone, so that numbers keep their digits
            found.append(short(head, limit))
            head = indent = "   "
        found += [short(f"{head} = {others[0]}", limit), *(short(f"{indent} = {other}", limit) for other in others[1:])]
    return found


def number(x: float) -> str:
    """Return a number with all its digits."""
    return repr(float(x)).removesuffix(".0")


def width(text: str) -> int:
    """Return the columns a text takes in a terminal, two for each 값."""
    return sum(1 + (unicodedata.east_asian_width(c) in {"W", "F"}) for c in text)


def short(text: str, wide: int) -> str:
    """Cut a text that is too long."""
    if width(text[: wide + 1]) <= wide:
        return text
    cut = text[: wide - 3]
    while width(cut) > wide - 3:
        cut = cut[:-1]
    return f"{cut}..."
