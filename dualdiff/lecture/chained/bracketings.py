"""In which order a chain of matrices is multiplied, and how many multiplications of numbers each order takes.

A product of an m×p by a p×n matrix takes m·p·n of them, counted as for full matrices.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Bracketing", "best", "every", "forward", "multiplied", "reverse"]

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
    """Return all orders, the cheapest first: 1, 1, 2, 5, 14 and 42 for 1 to 6 factors."""

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


def multiplied(order: Order, factors: Sequence[object]) -> object:
    """Return the product of the factors in an order."""
    if isinstance(order, int):
        return factors[order]
    left, right = (multiplied(part, factors) for part in order)
    return left @ right  # type: ignore[operator]
