"""In which order a chain of matrices is multiplied, and how many multiplications of numbers each order takes.

A product of an m×p by a p×n matrix takes m·p·n of them, counted as for full matrices.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Bracketing", "best", "every", "forward", "how_many", "multiplied", "reverse", "strong"]

Order = int | tuple["Order", "Order"]  # one factor by its place, or a product of two such


class Bracketing(NamedTuple):
    """An order in which the factors of a chain may be multiplied.

    Attributes
    ----------
    text : str
        The product with its brackets, such as ``(J3·J2)·J1``; J1 is the innermost function's.
    multiplications : int
        How many multiplications of numbers it takes.
    order : int or tuple
        The brackets as nested pairs of places, the outermost function's factor being 0.
    """

    text: str
    multiplications: int
    order: Order


def _ends(order: Order) -> tuple[int, int]:
    """Return the first and the last factor of a product."""
    if isinstance(order, int):
        return order, order
    return _ends(order[0])[0], _ends(order[1])[1]


def _counted(order: Order, sizes: Sequence[int]) -> int:
    if isinstance(order, int):
        return 0
    left, right = order
    first, middle, last = _ends(left)[0], _ends(right)[0], _ends(right)[1]
    return _counted(left, sizes) + _counted(right, sizes) + sizes[first] * sizes[middle] * sizes[last + 1]


def _text(order: Order, count: int) -> str:
    if isinstance(order, int):
        return f"J{count - order}"
    return "·".join(f"({_text(p, count)})" if isinstance(p, tuple) else _text(p, count) for p in order)


def _bracketing(order: Order, sizes: Sequence[int]) -> Bracketing:
    return Bracketing(_text(order, len(sizes) - 1), _counted(order, sizes), order)


def forward(sizes: Sequence[int]) -> Bracketing:
    """Return the order of forward mode: from the input on, right to left.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each factor, outer first, and the columns of the last.
    """
    order: Order = len(sizes) - 2
    for place in range(len(sizes) - 3, -1, -1):
        order = (place, order)
    return _bracketing(order, sizes)


def reverse(sizes: Sequence[int]) -> Bracketing:
    """Return the order of reverse mode: from the output on, left to right."""
    order: Order = 0
    for place in range(1, len(sizes) - 1):
        order = (order, place)
    return _bracketing(order, sizes)


def best(sizes: Sequence[int]) -> Bracketing:
    """Return an order with the fewest multiplications, found by dynamic programming over the partial products."""
    count = len(sizes) - 1
    least: dict[tuple[int, int], tuple[int, Order]] = {(i, i): (0, i) for i in range(count)}
    for length in range(2, count + 1):
        for i in range(count - length + 1):
            last = i + length - 1
            found = []
            for k in range(i, last):
                (left, a), (right, b) = least[i, k], least[k + 1, last]
                found.append((left + right + sizes[i] * sizes[k + 1] * sizes[last + 1], k, (a, b)))
            cost, _, order = min(found, key=lambda way: way[:2])
            least[i, last] = cost, order
    return _bracketing(least[0, count - 1][1], sizes)


def every(sizes: Sequence[int]) -> list[Bracketing]:
    """Return all orders, the cheapest first: 1, 1, 2, 5, 14, 42, 132 and 429 for 1 to 8 factors."""

    @cache
    def orders(first: int, last: int) -> tuple[Order, ...]:
        if first == last:
            return (first,)
        return tuple(_pairs(first, last))

    def _pairs(first: int, last: int) -> Iterator[Order]:
        for k in range(first, last):
            for left in orders(first, k):
                for right in orders(k + 1, last):
                    yield left, right

    found = [_bracketing(order, sizes) for order in orders(0, len(sizes) - 2)]
    return sorted(found, key=lambda way: (way.multiplications, way.text))


def how_many(factors: int) -> int:
    """Return how many orders there are: the Catalan number of one factor fewer."""
    return math.comb(2 * factors - 2, factors - 1) // factors


def strong(A: Any, B: Any) -> Any:
    """Return A·B with a strong zero: what is exactly 0 contributes 0, also beside inf and nan."""
    with np.errstate(all="ignore"):
        made = A @ B
        if np.isfinite(made).all():
            return made
        made = np.zeros_like(made)
        for column, row in zip(A.T, B, strict=True):
            still = (column[:, None] == 0) | (row == 0)
            made += np.where(still, 0.0, column[:, None] * row)
    return made


def multiplied(order: Order, factors: Sequence[Any], times: Callable[[Any, Any], Any] = strong) -> Any:
    """Return the product of the factors in an order, each product of two made by `times`."""
    if isinstance(order, int):
        return factors[order]
    return times(*(multiplied(part, factors, times) for part in order))
