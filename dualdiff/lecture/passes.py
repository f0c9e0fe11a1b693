"""The passes over a recorded run: partials of every row, tangents from the top, adjoints from the end; counted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.floating import quiet
from dualdiff.primal import shape_of
from dualdiff.reverse.cotangents import Cotangents
from dualdiff.reverse.maps import Contracted, Mapped
from dualdiff.reverse.steps import Both, Divided, Elementwise, Scaled, Sum
from dualdiff.reverse.transposes import lengths_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.record import Row

__all__ = ["Count", "adjoints", "counts", "is_elementwise", "partials", "reached", "tangents"]

_SMALL = 64  # entries of a local Jacobian that is still shown
_LARGE = 10_000  # entries of the matrix of a linear map that is counted as a full one


class Count(NamedTuple):
    """How many multiplications and additions of numbers."""

    multiplications: int
    additions: int


def is_elementwise(row: Row) -> bool:
    """Tell whether a row is an elementwise function, whose slopes are one number for each of its own."""
    return row.line is not None


def partials(row: Row) -> list[tuple[str, Any]]:
    """Return, for each source of a row, the kind of its partial and the partial: a number, an array, or None."""
    found: list[tuple[str, Any]] = []
    for i, source in enumerate(row.sources):
        if is_elementwise(row):
            kind = "elementwise" if row.shape else "number"
            found.append((kind, _pushed(row, i, np.ones(source.shape)[()])))
        elif not row.shape and not source.shape:
            found.append(("number", _pushed(row, i, 1.0)))
        elif row.size * source.size > _SMALL:
            found.append(("jacobian", None))
        else:
            units = np.eye(source.size).reshape(source.size, *source.shape)
            columns = [_pushed(row, i, unit[()]) for unit in units]
            matrix = np.stack(columns, axis=-1) if columns else np.zeros((*row.shape, 0))
            found.append(("jacobian", matrix.reshape(*row.shape, *source.shape)))
    return found


def _pushed(row: Row, i: int, tangent: Any) -> Any:
    """Return what a row makes of the tangent of one source where the others have 0."""
    given = [tangent if i == j else np.zeros(source.shape)[()] for j, source in enumerate(row.sources)]
    return _through(row, given)


def _through(row: Row, given: Sequence[Any]) -> Any:
    if row.program is None or not row.sources:
        return np.zeros(row.shape)[()]
    with quiet():
        return row.program.push(given)[0]


def tangents(rows: Sequence[Row], seeds: dict[int, Any]) -> list[Any]:
    """Return the tangent of every row for the given ones of some inputs, by their place; the others have 0."""
    found: dict[Row, Any] = {}
    for i, row in enumerate(rows):
        if row.program is None:
            found[row] = seeds.get(i, np.zeros(row.shape)[()])
        else:
            found[row] = _through(row, [found[source] for source in row.sources])
    return list(found.values())


def adjoints(rows: Sequence[Row], output: Row, seed: Any) -> list[Any]:
    """Return the adjoint of every row for the given one of an output."""
    found: dict[Row, Any] = {output: seed}
    for row in reversed(rows):
        g = found.get(row)
        if g is None or row.program is None or not row.sources:
            continue
        with quiet():
            pulled = row.program.pull([g])
        for source, part in zip(row.sources, pulled, strict=True):
            found[source] = found[source] + part if source in found else part
    return [found.get(row, np.zeros(row.shape)[()]) for row in rows]


def reached(rows: Sequence[Row], outputs: Sequence[Row]) -> set[Row]:
    """Return the rows that some outputs are computed from, these included."""
    found = set(outputs)
    for row in reversed(rows):
        if row in found:
            found.update(row.sources)
    return found


# --- how many operations -----------------------------------------------------------------------------------------


def counts(rows: Sequence[Row], outputs: Sequence[Row]) -> tuple[Count, Count]:
    """Return the operations that all passes take, forward and reverse; times 1 is counted.

    Forward, a pass goes through all rows for each input number; reverse, through what is reached from it for each
    output number, where contributions beyond the first to an adjoint are additions.
    """
    each = {row: _of_row(row) for row in rows}
    inputs = sum(row.size for row in rows if row.role == "input")
    forward = _total([ahead for ahead, _ in each.values()])
    multiplications = additions = 0
    for output in dict.fromkeys(outputs):
        seen = reached(rows, [output])
        back = _total([each[row][1] for row in seen])
        gathered = _gathered(seen)
        multiplications += output.size * back.multiplications
        additions += output.size * (back.additions + gathered)
    return Count(inputs * forward.multiplications, inputs * forward.additions), Count(multiplications, additions)


def _gathered(rows: set[Row]) -> int:
    """Return the additions that make one adjoint of several contributions, element by element."""
    arriving: dict[Row, Any] = {}
    for row in rows:
        for source, touched in zip(row.sources, _touched(row), strict=True):
            arriving[source] = arriving.get(source, 0) + touched
    return sum(int(np.sum(np.maximum(np.broadcast_to(n, row.shape) - 1, 0))) for row, n in arriving.items())


def _touched(row: Row) -> list[Any]:
    """Return which elements of its sources get a contribution to their adjoints from a row."""
    if row.program is None or is_elementwise(row) or not any(source.shape for source in row.sources):
        return [1] * len(row.sources)
    return [np.not_equal(part, 0).astype(int) for part in row.program.structure()]


def _of_row(row: Row) -> tuple[Count, Count]:
    """Return the operations of one row in one pass, forward and reverse."""
    if row.program is None or not row.sources or row.operation == "copy":
        return Count(0, 0), Count(0, 0)
    if is_elementwise(row):
        k = len(row.sources)
        spread = sum(max(0, row.size - source.size) for source in row.sources)  # summed up over what was broadcast
        return Count(k * row.size, (k - 1) * row.size), Count(k * row.size, spread)
    steps = row.program.steps
    forward, reverse = zip(*(_of_step(step) for step in steps), strict=True)
    arriving: dict[int, Any] = {}
    for step in steps:
        if step.sources:
            into = Cotangents(False, None, structure=True)
            step.pull(np.ones(step.shape)[()], into)
            for number, g in into.found.items():
                arriving[number] = arriving.get(number, 0) + np.not_equal(g, 0)
    gathered = sum(int(np.sum(np.maximum(np.asarray(n) - 1, 0))) for n in arriving.values())
    return _total(forward), _total([*reverse, Count(0, gathered)])


def _total(counted: Sequence[Count]) -> Count:
    return Count(sum(c.multiplications for c in counted), sum(c.additions for c in counted))


def _size(step: Any) -> int:
    return math.prod(step.shape)


def _of_step(step: Any) -> tuple[Count, Count]:
    """Return the operations of one linear step."""
    size = _size(step)
    spread = sum(max(0, size - _size(source)) for source in step.sources)
    if isinstance(step, (Scaled, Divided)):
        return Count(size, 0), Count(size, spread)
    if isinstance(step, Sum):
        return Count(0, size), Count(0, spread)
    if isinstance(step, Both):
        return Count(2 * size, size), Count(2 * size, spread)
    if isinstance(step, Elementwise):
        k = len(step.sources)
        return Count(k * size, (k - 1) * size), Count(k * size, spread)
    if isinstance(step, Contracted):
        return _of_product(step)
    if isinstance(step, Mapped):
        return _of_map(step)
    given = sum(_size(source) for source in step.sources)  # what only moves elements adds up what it has repeated
    return Count(0, 0), Count(0, max(0, size - given) if step.sources else 0)


def _of_map(step: Mapped) -> tuple[Count, Count]:
    """Return the operations of a linear map as its matrix has them; a running sum needs but one for each element."""
    size, source = _size(step), _size(step.sources[0])
    if size * source > _LARGE:
        return Count(size * source, size * max(0, source - 1)), Count(size * source, source * max(0, size - 1))
    units = np.eye(source).reshape(source, *step.sources[0].shape)
    matrix = np.stack([np.ravel(step.function(unit)) for unit in units], axis=-1) if source else np.zeros((size, 0))
    products = int(np.sum((matrix != 0) & (np.abs(matrix) != 1)))
    rows, columns = (np.sum(matrix != 0, axis=axis) for axis in (1, 0))
    running = size == source and np.array_equal(np.sort(rows), np.arange(1, size + 1)) and not products
    added = [size - 1] * 2 if running else [int(np.sum(np.maximum(n - 1, 0))) for n in (rows, columns)]
    return Count(products, added[0]), Count(products, added[1])


def _of_product(step: Contracted) -> tuple[Count, Count]:
    """Return the operations of a sum of products over the letters of an einsum."""
    shapes = tuple(step.sources[0].shape if operand is None else shape_of(operand) for operand in step.operands)
    products = math.prod(lengths_of(step.subscripts, shapes).values())
    multiplications = (len(step.operands) - 1) * products
    source, size = _size(step.sources[0]), _size(step)
    return Count(multiplications, products - size), Count(multiplications, products - source)
