"""Columns of text for a terminal: padding, cutting, and a matrix in as many blocks as the width asks for."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

__all__ = ["WIDTH", "columns", "number", "short", "table"]

WIDTH = 80  # columns of the narrowest terminal in use


def table(rows: Sequence[str], heads: Sequence[str], matrix: np.ndarray[Any, Any]) -> list[str]:
    """Set a matrix with its labels, in as many blocks of columns as the width asks for."""
    labels = columns(["", *(f"  {row}" for row in rows)])
    blocks: list[list[str]] = []
    for head, column in zip(heads, matrix.T, strict=True):
        sizes = [abs(x) for x in column if x and math.isfinite(x)]
        style = ".6f" if all(1e-4 <= size < 1e7 for size in sizes) else ".6e"
        cells = [head, *(f"{x:{style}}" for x in column)]
        wide = max(map(_width, cells)) + 2
        if not blocks or _width(blocks[-1][0]) + wide > WIDTH:
            blocks.append(labels)
        blocks[-1] = [line + " " * (wide - _width(x)) + x for line, x in zip(blocks[-1], cells, strict=True)]
    return [line for block in blocks for line in ["", *block]][1:]


def columns(*entries: Sequence[str]) -> list[str]:
    """Join columns of text, each padded to its widest entry."""
    wide = [max(map(_width, column)) for column in entries]
    rows = zip(*entries, strict=True)
    return ["".join(x + " " * (w - _width(x)) for x, w in zip(row, wide, strict=True)) for row in rows]


def number(x: float) -> str:
    """Return a number with all its digits."""
    return repr(float(x)).removesuffix(".0")


def _width(text: str) -> int:
    """Return the columns a text takes in a terminal, two for each 값."""
    return sum(1 + (unicodedata.east_asian_width(c) in {"W", "F"}) for c in text)


def short(text: str, wide: int) -> str:
    """Cut a text that is too long."""
    if _width(text[: wide + 1]) <= wide:
        return text
    cut = text[: wide - 3]
    while _width(cut) > wide - 3:
        cut = cut[:-1]
    return f"{cut}..."
