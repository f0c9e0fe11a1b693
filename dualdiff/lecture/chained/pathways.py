"""The paths through a chain of matrices from an input to an output: their products add up to the derivative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Entry", "Path", "largest"]


class Path(NamedTuple):
    """One way from an input to an output.

    Attributes
    ----------
    through : tuple of str
        The numbers it passes between the functions, in the order in which they are computed.
    factors : tuple of float
        The partial derivatives on it, outer first, as they are multiplied.
    value : float
        Their product.
    """

    through: tuple[str, ...]
    factors: tuple[float, ...]
    value: float


@dataclass(frozen=True)
class Entry:
    """One entry of the product: an output by an input, the sum over all paths between them.

    Attributes
    ----------
    output, input : str
        What row and column are called.
    value : float
        The partial derivative.
    paths : tuple of Path
        The paths; where there are more than 1000 of them, the largest.
    count : int
        How many paths there are.
    """

    output: str
    input: str
    value: float
    paths: tuple[Path, ...]
    count: int


def largest(factors: Sequence[Any], i: int, j: int, most: int) -> list[tuple[int, ...]]:
    """Return the paths from column j to row i, as places between the factors, outer first; of many the largest.

    The largest paths to a number go on from the largest paths to those before it, so that from the input on each
    number needs to keep no more of them than are wanted.
    """
    sizes: Any = np.ones((1, 1))  # of the paths kept, for each number reached
    choices: list[tuple[Any, int]] = []  # of each factor: which path each one goes on from, and how many were kept
    for place in range(len(factors) - 1, -1, -1):
        steps = np.abs(factors[place])
        steps = steps[:, [j]] if place == len(factors) - 1 else steps
        steps = steps[[i]] if place == 0 else steps
        with np.errstate(all="ignore"):
            still = sizes == 0  # an exact 0 makes a path nothing, also beside inf
            ways = [np.where((row[:, None] == 0) | still, 0.0, row[:, None] * sizes).ravel() for row in steps]
        chosen = [_most(way, most) for way in ways]
        choices.append((chosen, sizes.shape[1]))
        sizes = np.stack([way[own] for way, own in zip(ways, chosen, strict=True)])
    return [_traced_back(choices[::-1], slot) for slot in range(sizes.shape[1])]


def _most(sizes: Any, most: int) -> Any:
    """Return the places of all sizes in their order, or of many the places of the largest, the largest first."""
    if len(sizes) <= most:
        return np.arange(len(sizes))
    falling = -np.nan_to_num(sizes, nan=np.inf)
    chosen = np.sort(np.argpartition(falling, most - 1)[:most])
    return chosen[np.argsort(falling[chosen], kind="stable")]


def _traced_back(choices: Sequence[tuple[Any, int]], slot: int) -> tuple[int, ...]:
    nodes, row = [], 0
    for chosen, kept in choices:
        row, slot = divmod(int(chosen[row][slot]), kept)
        nodes.append(row)
    return tuple(nodes[:-1])
