"""A recorded run as chains of small matrices: from the inputs to each row, and from each row to the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.passes import partials

if TYPE_CHECKING:
    from dualdiff.lecture.record import Row
    from dualdiff.lecture.run import Recorded

__all__ = ["Chains", "chained", "spread"]

_LARGEST = 90_000  # entries of one matrix
_MOST = 2_000_000  # and of all
_ROWS = 600


class Chains:
    """The rows of a run with the matrices before and behind them.

    Attributes
    ----------
    rows : list of Row
        The inputs first, in evaluation order.
    outputs : list of Row
        The results.
    local : dict
        Of a row and the position of a source: the matrix of the partial.
    ahead : dict
        Of a row: its derivative by all numbers that move.
    back : dict
        Of a row: the derivative of all results by it.
    total, absolute : ndarray
        The derivative, and the sum of the absolute values of all its paths.
    """

    def __init__(self, run: Recorded) -> None:
        self.rows = run.rows
        self.outputs = run.outputs
        self.local: dict[tuple[Row, int], Any] = {}
        self.ahead: dict[Row, Any] = {}
        absolute: dict[Row, Any] = {}
        inputs = [row for row in run.rows if row.role == "input"]
        n, start = sum(row.size for row in inputs), 0
        for row in run.rows:
            total, size = np.zeros((row.size, n)), np.zeros((row.size, n))
            if row.role == "input":
                total = size = np.eye(row.size, n, start)
                start += row.size
            for i, (matrix, source) in enumerate(zip(_local(row), row.sources, strict=True)):
                self.local[row, i] = matrix
                total = total + matrix @ self.ahead[source]
                size = size + np.abs(matrix) @ absolute[source]
            self.ahead[row], absolute[row] = total, size
        none = np.zeros((0, n))
        self.total = np.concatenate([none, *(self.ahead[row] for row in run.outputs)])
        self.absolute = np.concatenate([none, *(absolute[row] for row in run.outputs)])
        self.back = self._backward(sum(row.size for row in run.outputs))

    def _backward(self, m: int) -> dict[Row, Any]:
        found: dict[Row, Any] = {row: np.zeros((m, row.size)) for row in self.rows}
        start = 0
        for row in self.outputs:
            found[row] = found[row] + np.eye(m, row.size, -start)
            start += row.size
        for row in reversed(self.rows):
            for i, source in enumerate(row.sources):
                found[source] = found[source] + found[row] @ self.local[row, i]
        return found

    def rounding(self) -> Any:
        """Return how far off each result may be when every step is rounded once."""
        bound = np.zeros(sum(row.size for row in self.outputs))
        for row in self.rows:
            if row.role != "input" and row.sources:
                value = np.ravel(row.value)
                kind = value.dtype if value.dtype.kind in "fc" else np.dtype(float)
                bound = bound + np.abs(self.back[row]) @ np.abs(value) * float(np.finfo(kind).eps)
        return bound


def chained(run: Recorded) -> Chains | None:
    """Return a run as chains, or None where its matrices are too large."""
    n = sum(row.size for row in run.rows if row.role == "input")
    m = sum(row.size for row in run.outputs)
    sizes = [row.size for row in run.rows]
    if len(sizes) > _ROWS or sum(sizes) * (n + m) > _MOST:
        return None
    if any(row.size * source.size > _LARGEST for row in run.rows for source in row.sources):
        return None
    with quiet():
        return Chains(run)


def _local(row: Row) -> list[Any]:
    """Return the matrix of the partial by each source."""
    if row.program is None or not row.sources:
        return []
    found = []
    for i, (source, (kind, slope)) in enumerate(zip(row.sources, partials(row), strict=True)):
        if kind == "jacobian":
            matrix = _columns(row, i) if slope is None else np.asarray(slope)
            found.append(matrix.reshape(row.size, source.size))
        else:
            found.append(spread(row, source, slope))
    return found


def _columns(row: Row, i: int) -> Any:
    """Return the matrix of a partial that is too large to be shown, column by column."""
    assert row.program is not None  # noqa: S101 - no input has partials
    source = row.sources[i]
    columns = []
    for unit in np.eye(source.size).reshape(source.size, *source.shape):
        tangents = [unit if i == j else np.zeros(other.shape)[()] for j, other in enumerate(row.sources)]
        columns.append(np.ravel(row.program.push(tangents)[0]))
    return np.stack(columns, axis=-1)


def spread(row: Row, source: Row, slope: Any) -> Any:
    """Return the matrix of an elementwise slope: one number for each of the row's, times the one it came from."""
    if row.shape == source.shape == () and np.ndim(slope) == 0:
        return np.array([[slope]])
    places = np.broadcast_to(np.arange(source.size).reshape(source.shape), row.shape).ravel()
    slope = np.broadcast_to(slope, row.shape).ravel()
    matrix = np.zeros((row.size, source.size), dtype=np.result_type(slope, float))
    matrix[np.arange(row.size), places] = slope
    return matrix
