"""Trace: one run of f as a table, a row for each step with value, partials, tangents and adjoint."""

from __future__ import annotations

import copy
import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.lecture.derivation import derived, in_letters
from dualdiff.lecture.formula import formula_of, says
from dualdiff.lecture.passes import adjoints, counts, partials, tangents
from dualdiff.lecture.printed import Printed
from dualdiff.lecture.run import Recorded, recorded
from dualdiff.lecture.spelling import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.lecture.record import Row
    from dualdiff.transforms.asking import Argnums

__all__ = ["Trace", "numbers", "trace", "traced"]

_SCHEMA = "dualdiff.trace/1"
_NUMBERS = 64  # numbers of an array that are told one by one
_DIRECTIONS = 16  # tangent columns; of more inputs the first are shown
_FIRST = 8
_ROWS = 60  # rows that a text, a formula or a graph shows
_LEAST = 3
_PAGE = 400  # and a page


def trace(
    f: Callable[..., Any], argnums: Argnums = None, *, symbols: bool = False, output: int = 0
) -> Callable[..., Trace]:
    """Return the function that runs f once and shows every step: value, partials, tangents and adjoint.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them, written in NumPy.
    argnums : int, str or tuple of them, optional
        Which arguments move, by position or name. By default all that are given by position.
    symbols : bool, default False
        Whether the formulas are written out in the letters of the inputs; else in the names of the rows before.
    output : int, default 0
        Which number of the result has adjoint 1, counted over all numbers that f returns.

    Returns
    -------
    callable
        ``trace(f)(x1, x2)`` is a `Trace`: a row for each step, the inputs first and the result last. It prints as a
        table; ``.to_html(path)`` writes a page that steps through it; there are ``.to_dict()``, ``.to_text(width)``,
        ``.to_markdown()``, ``.to_latex()``, ``.to_svg()``, ``.to_dot()`` and ``.to_mermaid()``.

    Raises
    ------
    TypeError
        If f is no function, or returns something that is not made of numbers.
    ValueError
        If there is no such output.

    References
    ----------
    Baydin, Pearlmutter, Radul & Siskind, *Automatic differentiation in machine learning: a survey*, JMLR 18 (2018),
    tables 2 and 3.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> shown = dd.trace(lambda t: np.sin(t) ** 2 + 2 * np.cos(t), symbols=True)(1.2)
    >>> shown.to_dict()["rows"][-1]["tangent_formulas"]
    ['2·sin(t)·cos(t) − 2·sin(t)']
    """
    given: Any = f
    if not callable(given):
        message = f"trace() takes a function; it got {given!r}. Write trace(f)(x), not trace(f(x))."
        raise TypeError(message)

    @functools.wraps(f)
    def of_point(*args: Any, **kwargs: Any) -> Trace:
        return traced(recorded(f, argnums, args, kwargs), symbols, output)

    return of_point


def traced(run: Recorded, symbols: bool, output: int) -> Trace:
    """Return the table of a run, with the adjoints of one number of its results."""
    rows = run.rows
    inputs = [row for row in rows if row.role == "input"]
    total = sum(row.size for row in inputs)
    shown = total if total <= _DIRECTIONS else _FIRST
    directions, seeds = _directions(rows, inputs, shown)
    sizes = [row.size for row in run.outputs]
    if not hasattr(output, "__index__"):
        message = f"output is to number one of the numbers that f returned; it got {output!r}"
        raise TypeError(message)
    if not -sum(sizes) <= output < max(1, sum(sizes)):
        message = f"output={output!r} is to number one of the {sum(sizes)} numbers that f returned"
        raise ValueError(message)
    place, row_of_output = output % max(1, sum(sizes)), None
    for row in run.outputs:
        if place < row.size:
            row_of_output = row
            break
        place -= row.size
    seed = np.zeros(0)
    if row_of_output is not None:
        seed = np.zeros(row_of_output.size)
        seed[place] = 1.0
        seed = seed.reshape(row_of_output.shape)[()]
    moved = [tangents(rows, own) for own in seeds]
    pulled = adjoints(rows, row_of_output, seed) if row_of_output is not None else [np.zeros(r.shape) for r in rows]
    if symbols:
        names = {row.name for row in inputs}
        letters = [{rows[i]: _letter(rows[i], t, names) for i, t in own.items()} for own in seeds]
        target = None if row_of_output is None else (row_of_output, 1.0 if not row_of_output.shape else None)
        formulas = in_letters(rows, letters, moved, target, pulled)
    else:
        formulas = derived(rows)
    forward, reverse = counts(rows, run.outputs)
    told = {
        "schema": _SCHEMA,
        "function": _called(run.f),
        "symbols": symbols,
        "inputs": [row.name for row in inputs],
        "outputs": [row.name for row in run.outputs],
        "directions": directions,
        "seed": "" if row_of_output is None else _entry(row_of_output, place),
        "rows": [
            _told(row, formulas[row], [column[i] for column in moved], pulled[i], symbols) for i, row in enumerate(rows)
        ],
        "passes": {"forward": total, "reverse": sum(sizes)},
        "counts": {"forward": forward._asdict(), "reverse": reverse._asdict()},
        "omitted": {"unused": run.unused, "directions": total - shown, "rows": 0},
    }
    return Trace(told)


def _called(f: Any) -> str:
    name = getattr(f, "__name__", None) or getattr(f, "text", None) or "f"
    return "f" if name == "<lambda>" else name


def _entry(row: Row, place: int) -> str:
    if not row.shape:
        return row.name
    return f"{row.name}[{', '.join(str(i) for i in np.unravel_index(place, row.shape))}]"


def _directions(rows: Sequence[Row], inputs: Sequence[Row], count: int) -> tuple[list[str], list[dict[int, Any]]]:
    """Return the label and the seeds of each direction: one number of one input moves by 1."""
    labels: list[str] = []
    seeds: list[dict[int, Any]] = []
    for row in inputs:
        for place in range(row.size):
            if len(labels) == count:
                return labels, seeds
            seed = np.zeros(row.size, dtype=np.asarray(row.value).dtype)
            seed[place] = 1.0
            labels.append(_entry(row, place))
            seeds.append({rows.index(row): seed.reshape(row.shape)[()]})
    return labels, seeds


def _letter(row: Row, seed: Any, names: set[str]) -> Any:
    """Return 1, or the letter dx of a seed that is no number; δx where an input is called dx."""
    name = next(name for name in (f"d{row.name}", f"δ{row.name}", f"d_{row.name}") if name not in names)
    return formula_of(name, seed) if row.shape else 1.0


def _told(row: Row, own: Any, moved: Sequence[Any], adjoint: Any, symbols: bool) -> dict[str, Any]:
    """Return one row as plain data."""
    slopes = [] if row.program is None else partials(row)
    return {
        "name": row.name,
        "role": row.role,
        "source": _source(row, own),
        "line": row.place.line,
        "operation": row.operation,
        "formula": text_of(own.value),
        "shape": list(row.shape),
        "value": numbers(row.value),
        "partials": [
            {
                "operand": source.name,
                "kind": kind,
                "formula": text_of(formula) if slope is None or formula is None or says(formula, slope) else None,
                "value": None if slope is None else numbers(slope),
            }
            for source, (kind, slope), formula in zip(row.sources, slopes, own.partials, strict=True)
        ],
        "tangents": [numbers(t, row.shape) for t in moved],
        "adjoint": numbers(adjoint, row.shape),
        "tangent_formulas": [text_of(t) for t in own.tangents] if symbols else [],
        "adjoint_formula": text_of(own.adjoint) if symbols else None,
        "note": "; ".join(row.notes) or None,
    }


def _source(row: Row, own: Any) -> str:
    if row.place.text is not None:
        return row.place.text
    if row.place.line is not None:
        return f"line {row.place.line}"
    return text_of(own.value) or row.operation


def numbers(x: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return a number or an array, broadcast to a shape, as JSON can have it."""
    if type(x) is float and not shape:
        return _number(x)
    array = np.asarray(x) if shape is None else np.broadcast_to(x, shape)
    if array.ndim == 0:
        return _number(array[()])
    if array.size <= _NUMBERS:
        return _nested(array.tolist())
    flat = array.ravel()
    return {"shape": list(array.shape), "first": _nested(flat[:6].tolist()), "last": _nested(flat[-3:].tolist())}


def _nested(x: Any) -> Any:
    return [_nested(item) for item in x] if isinstance(x, list) else _number(x)


def _number(x: Any) -> Any:
    if isinstance(x, (complex, np.complexfloating)):
        return str(complex(x))
    x = float(x) + 0.0  # which makes 0 of -0
    return x if math.isfinite(x) else str(x)


class Trace(Printed):
    """A run of f, step by step: values, local partials, tangents for every input, adjoints for one output.

    `trace` makes it. It prints as a table that fits the terminal; notebooks show it as a table too.

    Notes
    -----
    Every format is made from `to_dict()`, so that all of them say the same.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> shown = dd.trace(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2))(2.0, 5.0)
    >>> shown.to_dict()["rows"][-1]["tangents"]
    [5.5, 1.7163]
    >>> shown.to_dict()["counts"]["reverse"]
    {'multiplications': 8, 'additions': 2}
    """

    __slots__ = ("_told",)
    signs = "v̇₁·−│"

    _told: dict[str, Any]

    def __init__(self, told: dict[str, Any]) -> None:
        object.__setattr__(self, "_told", told)

    def __setattr__(self, name: str, item: Any) -> None:
        message = f"a Trace does not change: there is no setting {name}"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> None:
        message = f"a Trace does not change: there is no deleting {name}"
        raise AttributeError(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return Trace, (self._told,)

    def to_dict(self, rows: int | None = None) -> dict[str, Any]:
        """Return the table as plain data, which JSON can have.

        Parameters
        ----------
        rows : int, optional
            How many rows there may be: of a longer record the middle is cut out, where one row ``{"role": "cut"}`` says
            how many are missing.

        Returns
        -------
        dict
            With ``schema``, ``rows``, ``passes``, ``counts`` and what else the formats need; numbers that are not
            finite are text.
        """
        told = self._told
        found = told["rows"]
        if rows is not None and (not hasattr(rows, "__index__") or rows < _LEAST):
            message = f"to_dict(rows) keeps at least {_LEAST} rows: first, last, and the cut between; it got {rows!r}"
            raise ValueError(message)
        if rows is None or len(found) <= rows:
            return copy.deepcopy(told)
        head = max(1, (2 * rows) // 3)
        tail = max(1, rows - head)
        missing = len(found) - head - tail
        shown = [*found[:head], {"role": "cut", "rows": missing}, *found[-tail:]]
        return copy.deepcopy({**told, "rows": shown, "omitted": {**told["omitted"], "rows": missing}})

    # --- formats -------------------------------------------------------------------------------------------------

    def _written(self, width: int, ascii: bool) -> str:
        from dualdiff.lecture.drawn.text import to_text

        return to_text(self.to_dict(_ROWS), width, ascii=ascii)

    def to_markdown(self) -> str:
        """Return the table in Markdown, as GitHub shows it."""
        from dualdiff.lecture.drawn.text import to_markdown

        return to_markdown(self.to_dict(_ROWS))

    def to_latex(self) -> str:
        """Return the table in LaTeX, an ``array`` for which amsmath is enough."""
        from dualdiff.lecture.drawn.latex import to_latex

        return to_latex(self.to_dict(_ROWS))

    def to_svg(self) -> str:
        """Return the computation graph as a drawing."""
        from dualdiff.lecture.drawn.graph import to_svg

        return to_svg(self.to_dict(_ROWS))

    def to_dot(self) -> str:
        """Return the computation graph in the language of Graphviz."""
        from dualdiff.lecture.drawn.graph import to_dot

        return to_dot(self.to_dict(_PAGE))

    def to_mermaid(self) -> str:
        """Return the computation graph as a Mermaid diagram."""
        from dualdiff.lecture.drawn.graph import to_mermaid

        return to_mermaid(self.to_dict(_PAGE))

    def to_html(self, path: str | Path | None = None) -> str:
        """Return a page that steps through values, tangents and adjoints; it needs nothing but itself.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it, too.
        """
        from dualdiff.lecture.drawn.html import to_html

        page = to_html(self.to_dict(_PAGE))
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    def _repr_html_(self) -> str:
        from dualdiff.lecture.drawn.html import table_html

        return table_html(self.to_dict(_ROWS))

    def _repr_latex_(self) -> str:
        return f"$$\n{self.to_latex()}\n$$"
