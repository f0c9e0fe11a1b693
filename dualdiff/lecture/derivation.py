"""The derivation in letters: the formulas of the rows, read off the same table that the numbers went through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions, proxy
from dualdiff.lecture.differential import PRODUCTS, contribution, tangent
from dualdiff.lecture.formula import Formula, formula_of, opaque, says
from dualdiff.lecture.passes import is_elementwise
from dualdiff.lecture.record import Known, Row
from dualdiff.lecture.spelling import operand, spelled, text_of
from dualdiff.primal import shape_of
from dualdiff.rules.elementary import constant_power

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dualdiff.rules.book import Line

__all__ = ["OPERATORS", "Derivation", "derived", "in_letters"]

_LONG = 160  # characters of a partial beyond which its name says more than its text
_LONGEST = 500  # characters of a formula in the inputs' letters; beyond, it goes on from the name of the row

_UNAMBIGUOUS = ("index", "array", "copy", "T", "mT", "item", "flatten", "astype")  # besides NumPy's functions

OPERATORS: dict[str, Callable[..., Any]] = {operation: operate for operate, operation in proxy.OPERATORS.items()}


@dataclass(slots=True)
class Derivation:
    """The formulas of one row: of the value, of the partial by each source, of tangents and adjoint."""

    value: Any
    partials: list[Any]
    tangents: list[Any] = field(default_factory=list)
    adjoint: Any = None


def derived(rows: Sequence[Row], symbols: bool = False) -> dict[Row, Derivation]:
    """Return the formulas of values and partials: in the names of rows or, with `symbols`, in the inputs' letters."""
    return _derived(rows, symbols)[0]


def in_letters(
    rows: Sequence[Row], seeds: Sequence[Mapping[Row, Any]], moved: Sequence[Sequence[Any]],
    output: tuple[Row, Any] | None, pulled: Sequence[Any],
) -> dict[Row, Derivation]:  # fmt: skip
    """Return all formulas in the inputs' letters, those of tangents and adjoints too.

    `seeds` are the letters of the inputs' tangents, one mapping for each direction, `moved` the tangents of all rows in
    each; `output` is a row with its adjoint, `pulled` are the adjoints of all rows.  A formula that is not worth the
    number beside it, as x²/x at 0, is none.
    """
    found, letters = _derived(rows, symbols=True)
    for seed, values in zip(seeds, moved, strict=True):
        along: dict[Row, Any] = {}
        for row, value in zip(rows, values, strict=True):
            if row.program is None:
                along[row] = seed.get(row, 0.0)
            else:
                sources = {source: along[source] for source in row.sources}
                moved_by = tangent(row, letters, found[row].partials, sources, value)
                along[row] = _kept(moved_by) if moved_by is not None and says(moved_by, value) else None
            found[row].tangents.append(along[row])
    waiting: dict[Row, Any] = {} if output is None else dict([output])
    for row, number in reversed([*zip(rows, pulled, strict=True)]):
        g = waiting.get(row, 0.0)
        g = found[row].adjoint = _kept(g) if g is not None and says(g, number) else None
        for source, partial in zip(row.sources, found[row].partials, strict=True):
            part = contribution(row, source, partial, g)
            before = waiting.get(source, 0.0)
            waiting[source] = None if part is None or before is None else part + before
    return found


def _derived(rows: Sequence[Row], symbols: bool) -> tuple[dict[Row, Derivation], dict[Row, Any]]:
    """Return the formulas, and the letter that stands for each row in those after it."""
    found: dict[Row, Derivation] = {}
    letters: dict[Row, Any] = {}
    for row in rows:
        name = formula_of(row.name, row.value)
        value = name if row.role == "input" else _formula(row, letters, symbols)
        found[row] = Derivation(value, _partials(row, value, letters))
        goes_on = symbols and _kept(value) is not None and _is_known(row)
        letters[row] = value if goes_on else name
    return found, letters


def _is_known(row: Row) -> bool:
    """Tell whether the text of a row says what it is: what NumPy does does, what was written in place does not."""
    own = row.operation in _UNAMBIGUOUS or hasattr(np, row.operation)
    return bool(row.args) and not row.in_place and (own or hasattr(np.linalg, row.operation))


def _kept(formula: Any) -> Any:
    return None if isinstance(formula, Formula) and len(formula.text) > _LONGEST else formula


# --- values -------------------------------------------------------------------------------------------------------


def _formula(row: Row, letters: Mapping[Row, Any], symbols: bool) -> Any:
    """Return the formula of a row's value, as its operation writes it."""
    if row.operation == "copy":
        return letters[row.args[0]]
    if is_elementwise(row) and not row.kwargs:
        operands = [operand(x, letters) for x in row.args if x is not None]
        function = getattr(functions, row.operation, None) or OPERATORS.get(row.operation)
        if symbols and not row.shape and not any(isinstance(x, Formula) for x in operands):
            return row.value
        if function is not None and any(isinstance(x, Formula) for x in operands):
            made = function(*operands)
            if isinstance(made, Formula) and shape_of(made.value) == row.shape and says(made, row.value):
                made.value = row.value
                return made
            if symbols and not isinstance(made, Formula) and not row.shape and made == row.value:
                return made
    return spelled(row, letters)


# --- partials -----------------------------------------------------------------------------------------------------


def _partials(row: Row, result: Any, letters: Mapping[Row, Any]) -> list[Any]:
    """Return the formula of the partial by each source; None where there is no text for it."""
    if not is_elementwise(row) or row.kwargs:
        return [_partial_of_product(row, source, letters) for source in row.sources]
    line: Any = row.line
    places = [x for x in row.args if x is not None]
    operands = [operand(x, letters) for x in places]
    if row.operation == "power" and not isinstance(places[1], (Row, Known)) and not np.ndim(places[1]):
        line, operands, places = constant_power(places[1]), operands[:1], places[:1]
    return [_slope(row, source, line, [*operands, result], places) for source in row.sources]


def _slope(row: Row, source: Row, line: Line, letters: Sequence[Any], places: Sequence[Any]) -> Any:
    """Return the partial of an elementwise row by one of its sources, which may be its operand more than once."""
    if len(line.partials) != len(places):
        return None
    total: Any = 0.0
    for i, (slope, place) in enumerate(zip(line.partials, places, strict=True)):
        if place is source:
            try:
                total = total + (slope(*letters) if callable(slope) else slope)
            except TypeError:  # a user's partial, which wants numbers
                return None
            given = [str(text_of(x)) for x in letters[:-1]]
            if isinstance(total, Formula) and len(total.text) > _LONG + 4 * max(map(len, given)):
                name = f"{row.operation}'" if len(given) == 1 else f"∂{i + 1}{row.operation}"
                total = opaque(f"{name}({', '.join(given)})", total.value)
    return total


def _partial_of_product(row: Row, source: Row, letters: Mapping[Row, Any]) -> Any:
    """Return the other factor of a product of two; of a choice, whether it is chosen."""
    if row.operation == "where" and len(row.args) == 3 and isinstance(row.args[0], (bool, np.bool_)):
        return 1.0 if row.args[1 if row.args[0] else 2] is source else 0.0
    if row.operation not in PRODUCTS or len(row.args) != 2 or row.kwargs:
        return None
    x, y = row.args
    if row.shape == () and len(_shape(x)) == len(_shape(y)) == 1:
        parts = [operand(other, letters) for one, other in ((x, y), (y, x)) if one is source]
        return parts[0] if len(parts) == 1 else 2 * parts[0]
    if source is y and source is not x and row.operation == "matmul" and len(source.shape) == 1:
        return operand(x, letters)
    return None


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if isinstance(x, Row) else shape_of(x.value if isinstance(x, Known) else x)
