"""The computation graph of a trace: as an SVG picture laid out here, and as text for Graphviz and Mermaid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape

from dualdiff.lecture.drawn.layout import arrange
from dualdiff.lecture.drawn.notation import clipped, plain, unicode_text, width
from dualdiff.lecture.drawn.sweeps import fitting, formula_of, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.drawn.layout import Place

__all__ = ["STYLE", "Edge", "edges", "picture", "to_dot", "to_mermaid", "to_svg"]

COLUMN = 8.4  # px that one terminal column of text takes at most, at 14 px
LINE = 20  # px from one line of a box to the next
ABOVE = 7.0  # px above the first line, and below the last
INSIDE = 14  # px between the border of a box and its text
LABEL = 30  # columns of a box's label
PARTIAL = 20  # columns of an edge's label
SMALL = 7.2  # px of a column of an edge's label, at 12 px
MARGIN = 16  # px around the graph
DESCRIBED = 40  # rows that the picture's description names

STYLE = """\
.dd-graph{--paper:#fff;--ink:#1c2430;--soft:#5b6472;--line:#8a93a1;fill:var(--ink);\
font:14px/1 "Helvetica Neue",Arial,"Liberation Sans",sans-serif}
@media screen and (prefers-color-scheme:dark){.dd-graph{--paper:#14181f;--ink:#e8eaee;--soft:#a7b0bd;--line:#778292}}
.dd-graph .paper{fill:var(--paper)}
.dd-graph .box rect{fill:var(--paper);stroke:var(--ink);stroke-width:1.2}
.dd-graph .input rect{stroke-dasharray:5 4}
.dd-graph .cut rect{stroke:none}
.dd-graph .value,.dd-graph .cut text{fill:var(--soft)}
.dd-graph .edge path{fill:none;stroke:var(--line);stroke-width:1.2;marker-end:url(#dd-arrow)}
.dd-graph .edge text{font-size:12px;text-anchor:middle;fill:var(--soft);stroke:var(--paper);stroke-width:5px;\
stroke-linejoin:round;paint-order:stroke}
.dd-graph .unseen path{stroke-dasharray:2 4}
.dd-graph marker path{fill:var(--line)}
"""
ARROW = (
    '<marker id="{0}" viewBox="0 0 9 8" refX="8.5" refY="4" markerWidth="{1}" markerHeight="{2}" '
    'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0 9 4 0 8z"/></marker>'
)
_JOINER = "\N{WORD JOINER}"


class Edge(NamedTuple):
    """How one row moves another: the positions of both in the list of rows, and the local partial as text."""

    source: int
    target: int
    label: str


@dataclass(frozen=True)
class _Box:
    """The lines of text in the box of a row, and how its border is drawn."""

    label: str
    value: str
    kind: str


def edges(told: dict[str, Any]) -> list[Edge]:
    """Return one edge for each partial, in the order of the rows."""
    place: dict[str, int] = {}
    cut = None
    found = []
    for target, row in enumerate(told["rows"]):
        if row["role"] == "cut":
            cut = target
            continue
        for partial in row["partials"]:
            source = place.get(partial["operand"], cut)  # what is not among the rows was cut out
            if source is not None:
                found.append(Edge(source, target, _partial(partial)))
        place[row["name"]] = target
    return found


def _partial(partial: dict[str, Any]) -> str:
    """Return the local partial as text: its formula, and its number where that says more."""
    formula = None if partial["formula"] is None else unicode_text(partial["formula"])
    if partial["kind"] != "number":
        return formula or "∂"
    number = shown(partial["value"])
    return number if formula in {None, number} else f"{formula} = {number}"


def _box(row: dict[str, Any], outputs: Sequence[str]) -> _Box:
    """Return the text of a row's box."""
    if row["role"] == "cut":
        return _Box(f"… {row['rows']} more rows …", "", "cut")
    name, formula = unicode_text(row["name"]), formula_of(row)
    entered = row["operation"] == "input"
    kind = f"{'input' if entered else 'step'}{' output' if row['name'] in outputs else ''}"
    label = name if entered or formula == name else f"{name} = {formula}"
    return _Box(label, fitting(row["value"], LABEL), kind)


def _unseen(told: dict[str, Any], seen: list[Edge]) -> list[Edge]:
    """Return edges into rows that were cut out: from each row before them that moves nothing seen."""
    cut = next((i for i, row in enumerate(told["rows"]) if row["role"] == "cut"), 0)
    moving = {edge.source for edge in seen}
    rows = told["rows"][:cut]
    return [
        Edge(i, cut, "") for i, row in enumerate(rows) if i not in moving and row.get("name") not in told["outputs"]
    ]


def picture(told: dict[str, Any], style: str = "", extra: Sequence[Sequence[str]] = ()) -> str:
    """Return the graph as an ``<svg>`` element.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.
    style : str, optional
        What its ``<style>`` says; none where the page around it says it.
    extra : sequence of sequences of str, optional
        For each row the texts that a third line of its box holds in turn; the last one is there from the start.

    Returns
    -------
    str
        The element: boxes carry ``data-row``, arrows ``data-from`` and ``data-to``, which are positions of rows.
    """
    boxes = [_box(row, told["outputs"]) for row in told["rows"]]
    seen = edges(told)
    every = [*seen, *_unseen(told, seen)]
    texts = [[clipped(box.label, LABEL), clipped(box.value, LABEL)] for box in boxes]
    third = [[clipped(text, LABEL) for text in row] for row in extra] or [[] for _ in boxes]
    high = (3 if extra else 2) * LINE + 2 * ABOVE
    sizes = [
        (max(width(text) for text in (*two, *more)) * COLUMN + 2 * INSIDE, high)
        for two, more in zip(texts, third, strict=True)
    ]
    labels = [clipped(edge.label, PARTIAL) for edge in every]
    drawn = arrange(sizes, [edge[:2] for edge in every], [width(label) * SMALL for label in labels])
    parts = [
        _arrow(edge, label, path, spot)
        for edge, label, path, spot in zip(every, labels, drawn.paths, drawn.labels, strict=True)
    ]
    parts += [
        _drawn(i, box, [*two, *more[-1:]], place)
        for i, (box, two, more, place) in enumerate(zip(boxes, texts, third, drawn.boxes, strict=True))
    ]
    x, y = drawn.size[0] + 2 * MARGIN, drawn.size[1] + 2 * MARGIN
    heads = ARROW.format("dd-arrow", 9, 8) + (ARROW.format("dd-arrow-now", 13, 11.5) if extra else "")
    frame = f'width="{x:.0f}" height="{y:.0f}" viewBox="{-MARGIN} {-MARGIN} {x:.0f} {y:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="dd-graph" role="img" {frame}>',
            f"<title>{_xml(_title(told))}</title><desc>{_xml(_description(told, seen))}</desc>",
            *([f"<style>{style}</style>"] if style else []),
            f"<defs>{heads}</defs>",
            f'<rect class="paper" x="{-MARGIN}" y="{-MARGIN}" width="{x:.0f}" height="{y:.0f}" rx="8"/>',
            *parts,
            "</svg>",
        ]
    )


def _arrow(edge: Edge, label: str, path: str, spot: tuple[float, float]) -> str:
    """Return an arrow and its label."""
    kind = "edge" if edge.label else "edge unseen"
    text = f'<text x="{spot[0]:.1f}" y="{spot[1] + 4:.1f}">{_xml(label)}</text>' if label else ""
    return f'<g class="{kind}" data-from="{edge.source}" data-to="{edge.target}"><path d="{path}"/>{text}</g>'


def _drawn(i: int, box: _Box, lines: list[str], place: Place) -> str:
    """Return a box with its lines of text; a third one is there twice: as print has it, and as it changes."""
    left, top, wide, high = place
    border = f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="6"/>'
    if "output" in box.kind:
        inner = f'x="{left + 3:.1f}" y="{top + 3:.1f}" width="{wide - 6:.1f}" height="{high - 6:.1f}" rx="4"'
        border += f'<rect class="inner" {inner}/>'
    text = "".join(
        f'<text class="{kind}" x="{left + INSIDE:.1f}" y="{top + ABOVE + LINE * n + 15:.1f}">{_xml(line)}</text>'
        for n, kind, line in [
            *zip((0, 1, 2), ("label", "value", "settled"), lines, strict=False),
            *([(2, "moving", "")] if len(lines) > 2 else []),
        ]
    )
    return f'<g class="box {box.kind}" data-row="{i}">{border}{text}</g>'


def _title(told: dict[str, Any]) -> str:
    """Return what the graph shows, in one line."""
    inputs = [row for row in told["rows"] if row.get("operation") == "input"]
    point = ", ".join(f"{unicode_text(row['name'])} = {shown(row['value'])}" for row in inputs)
    return f"Computation graph of {told['function']} at {point}"


def _description(told: dict[str, Any], seen: Sequence[Edge]) -> str:
    """Return the graph in words: what each of the first rows is made from."""
    rows = told["rows"]
    said = []
    for i, row in enumerate(rows[:DESCRIBED]):
        if row["role"] == "cut":
            said.append(f"{row['rows']} rows are left out")
            continue
        made_from = dict.fromkeys(
            unicode_text(rows[edge.source]["name"])
            for edge in seen
            if edge.target == i and rows[edge.source]["role"] != "cut"
        )
        name, value = unicode_text(row["name"]), shown(row["value"])
        said.append(f"{name} = {value}" + (f" from {' and '.join(made_from)}" if made_from else ""))
    more = len(rows) - DESCRIBED
    return "; ".join(said) + (f"; and {more} more rows." if more > 0 else ".")


def _xml(text: str) -> str:
    """Return text as XML may hold it: without signs that are not shown, and with its own signs escaped."""
    return escape(plain(text))


def to_svg(told: dict[str, Any]) -> str:
    """Return the computation graph as an SVG picture with its own style and background, light or dark.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    str
        The picture: inputs have a dashed border, results a double one; arrows are labelled with local partials.
    """
    return picture(told, STYLE) + "\n"


def to_dot(told: dict[str, Any]) -> str:
    """Return the computation graph as text for Graphviz.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    str
        A ``digraph``; its boxes are called n0, n1, ... in the order of the rows.
    """
    seen = edges(told)
    lines = [f"digraph {_dot(plain(told['function']))} {{", "  rankdir=LR;", "  node [shape=box];"]
    for i, row in enumerate(told["rows"]):
        box = _box(row, told["outputs"])
        styles = {"input": ", style=dashed", "output": ", peripheries=2", "cut": ", style=dotted"}
        style = "".join(styles.get(kind, "") for kind in box.kind.split())
        label = "\n".join(filter(None, (box.label, box.value)))
        lines.append(f"  n{i} [label={_dot(label)}{style}];")
    lines += [f"  n{edge.source} -> n{edge.target} [label={_dot(edge.label)}];" for edge in seen]
    lines += [f"  n{edge.source} -> n{edge.target} [style=dotted];" for edge in _unseen(told, seen)]
    return "\n".join([*lines, "}"]) + "\n"


def _dot(text: str) -> str:
    """Return text as a quoted string of the DOT language, in which a backslash starts an escape."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def to_mermaid(told: dict[str, Any]) -> str:
    """Return the computation graph as text for Mermaid, which GitHub and many notebooks draw.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    str
        A ``flowchart``; its boxes are called n0, n1, ... in the order of the rows.
    """
    seen = edges(told)
    lines = ["flowchart LR"]
    for i, row in enumerate(told["rows"]):
        box = _box(row, told["outputs"])
        left, right = ("[[", "]]") if "output" in box.kind else ("[", "]")
        label = "<br/>".join(_mermaid(text) for text in (box.label, box.value) if text)
        kind = next((f":::{kind}" for kind in ("input", "cut") if kind in box.kind), "")
        lines.append(f'  n{i}{left}"{label}"{right}{kind}')
    lines += [f'  n{edge.source} -->|"{_mermaid(edge.label)}"| n{edge.target}' for edge in seen]
    lines += [f"  n{edge.source} -.-> n{edge.target}" for edge in _unseen(told, seen)]
    lines += ["  classDef input stroke-dasharray: 5 4", "  classDef cut stroke-dasharray: 1 4"]
    return "\n".join(lines) + "\n"


def _mermaid(text: str) -> str:
    """Return text as it may stand in quotes in Mermaid: signs that mean something there become entities.

    Mermaid takes even the entity of a backslash before an n for a line break; something unseen keeps them apart.
    """
    return re.sub(r"[!-'*\-/:-@\[-`{-~]", lambda sign: f"#{ord(sign[0])};", text).replace("#92;", f"#92;{_JOINER}")
