"""The chain rule as tables of HTML that read well without any style, from the dict of a `Chain`."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.chained.equation import sentences
from dualdiff.lecture.chained.matrices import Names, grouped
from dualdiff.lecture.drawn.notation import written

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["to_html"]


def to_html(told: dict[str, Any]) -> str:
    """Chain rule as HTML.

    Parameters
    ----------
    told : dict
        What `Chain.to_dict` returns.

    Returns
    -------
    str
        A table for the product and for each factor, with the names of rows and columns as its heads, and the sentences
        of the text below. All that comes from the reader's functions is escaped.
    """
    names, said = Names(told, "unicode"), sentences(told)
    stages, factors = told["stages"], told["factors"]
    shape = names.product_shape()
    product = names.matrix(told["product"], shape)
    tables = [_table(said.heads[0], product, None, stages[0], stages[-1])] if len(factors) > 1 else []
    letters: list[Any] = names.letters() or [None] * len(factors)
    heads = said.heads[1:] if len(factors) > 1 else said.heads[:1]
    for head, factor, own, above, below in zip(heads, factors, letters, stages, stages[1:], strict=False):
        tables.append(_table(head, names.matrix(factor["values"], factor["shape"]), own, above, below))
    lists = [_listed(said.entries), f"<p>{escape(said.verdict)}</p>", _listed(said.counts)]
    return "\n".join(filter(None, [f"<p>{escape(said.values)}</p>", *tables, *lists]))


def _table(
    head: str, cells: list[list[str]] | None, letters: list[list[str]] | None, above: dict[str, Any],
    below: dict[str, Any],
) -> str:  # fmt: skip
    """Return a matrix under its name, each entry in letters and in numbers; of a large one its shape."""
    if cells is None:
        return f"<p>{escape(head)}: {grouped(above['size'])} × {grouped(below['size'])} numbers</p>"
    columns = "".join(f'<th scope="col">{_name(label)}</th>' for label in below["labels"])
    lines = [f"<table>\n<caption>{escape(head)}</caption>", f"<tr><td></td>{columns}</tr>"]
    for i, (label, row) in enumerate(zip(above["labels"], cells, strict=True)):
        texts = [_entry(letters[i][j] if letters else None, cell) for j, cell in enumerate(row)]
        entries = "".join(f"<td>{escape(text)}</td>" for text in texts)
        lines.append(f'<tr><th scope="row">{_name(label)}</th>{entries}</tr>')
    return "\n".join([*lines, "</table>"])


def _entry(letters: str | None, number: str) -> str:
    return number if letters is None or letters == number else f"{letters} = {number}"


def _name(label: str) -> str:
    return escape(written(label))


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(["<ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"]) if lines else ""
