"""A trace as HTML: a plain table for notebooks, and one page that steps through the three sweeps.

The page holds everything as plain markup, which print and readers without script get; its script only hides what a step
has not reached yet.  Its policy lets no style and no script run but its own, which it names by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.drawn.cells import effort, omissions
from dualdiff.lecture.drawn.graph import STYLE, picture
from dualdiff.lecture.drawn.notation import barred, clipped, dotted, plain, unicode_text, width
from dualdiff.lecture.drawn.sweeps import fitting, formula_of, shown, steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.drawn.sweeps import Step

__all__ = ["table_html", "to_html"]

BOX = 26  # columns of the line of a box that changes
HEADING = 80  # columns of the page's heading

_SPOKEN = {"·": " times ", " + ": " plus ", " − ": " minus ", "−": "minus ", "×": " times "}


def _text(text: str) -> str:
    """Return text as HTML may hold it, in an element or in a quoted attribute."""
    return escape(plain(text))


def _seeds(told: dict[str, Any]) -> list[str]:
    """Return what each pass but that of the values starts from: ẋ₁ = 1 and so on, at last v̄₅ = 1."""
    reverse = f"{barred(told['seed'])} = 1" if told["seed"] else "none"
    return [*(f"{dotted(label)} = 1" for label in told["directions"]), reverse]


def _called(told: dict[str, Any]) -> str:
    """Return what was traced, and where: f at x₁ = 2, x₂ = 5."""
    inputs = [row for row in told["rows"] if row.get("operation") == "input"]
    point = ", ".join(f"{unicode_text(row['name'])} = {shown(row['value'])}" for row in inputs)
    return f"{told['function']} at {point}" if point else told["function"]


def _operations(counts: dict[str, int]) -> str:
    return f"× {counts['multiplications']}, + {counts['additions']}"


def _totals(told: dict[str, Any]) -> list[str]:
    """Return passes and operations of both sweeps, and what is not shown, as sentences."""
    said = [" ".join(words.split()) for words in (*(long for long, _ in effort(told)), *omissions(told))]
    return [f"{words[:1].upper()}{words[1:]}." for words in said]


def _known(row: dict[str, Any]) -> bool:
    """Return whether the reader's own text of a row is known; else its line stands in its place."""
    return bool(row["source"] != f"line {row['line']}")


def _source(row: dict[str, Any]) -> str:
    """Return the reader's own text of a row where it is known, with the branch that led to it."""
    if row["operation"] == "input":
        return "input"
    code = f"<code>{_text(row['source'])}</code>" if _known(row) else ""
    return code if row["note"] is None else f"{code} <small>{_text(row['note'])}</small>"


def _heads(told: dict[str, Any], attribute: str) -> str:
    """Return the head of a table: a column for the values, one for each direction, one for the adjoints."""
    *forward, reverse = _seeds(told)
    names = ["value", *(f"tangent ↓, seed {seed}" for seed in forward), f"adjoint ↑, seed {reverse}"]
    cells = [f'<th scope="col"{attribute.format(i)}>{_text(name)}</th>' for i, name in enumerate(names)]
    start = "".join(f'<th scope="col">{name}</th>' for name in ("row", "source", "line"))
    return f"<thead>\n<tr>{start}{''.join(cells)}</tr>\n</thead>"


def table_html(told: dict[str, Any]) -> str:
    """Return a trace as a table for notebooks, which reads well without any style.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    str
        A ``<table>`` element: a row for each step, with its value, tangents and adjoint in numbers.
    """
    columns = [{step.row: step for step in passed} for passed in steps(told)]
    lines = []
    for i, row in enumerate(told["rows"]):
        if row["role"] == "cut":
            lines.append(f'<tr><td colspan="{len(columns) + 3}">… {row["rows"]} more rows …</td></tr>')
            continue
        cells = "".join(f"<td>{_text(_equation(column[i], pass_ > 0))}</td>" for pass_, column in enumerate(columns))
        line = "" if row["line"] is None else row["line"]
        name = _text(unicode_text(row["name"]))
        lines.append(f'<tr><th scope="row">{name}</th><td>{_source(row)}</td><td>{line}</td>{cells}</tr>')
    totals = "<br>".join(map(_text, _totals(told)))
    return "\n".join(
        [
            "<table>",
            f"<caption>{_text(_called(told))}</caption>",
            _heads(told, ""),
            f'<tfoot>\n<tr><td colspan="{len(columns) + 3}">{totals}</td></tr>\n</tfoot>',
            "<tbody>",
            *lines,
            "</tbody>",
            "</table>",
        ]
    )


def _equation(step: Step, named: bool) -> str:
    """Return a step in all its parts: v̇₂ = x₂·ẋ₁ + x₁·ẋ₂ = 5·1 + 2·0 = 5; values in letters: x₁·x₂ = 10."""
    *before, result = step.parts
    if step.letters is not None:
        before = [step.letters]
    return " = ".join([step.name, *before, result] if named else [*before[:1], result])


# --- the page ----------------------------------------------------------------------------------------------------


def to_html(told: dict[str, Any]) -> str:
    """Return one page, in one file, that steps through values, tangents and adjoints.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    str
        The page.  It asks nothing of any network; without script, and in print, it shows everything at once.
    """
    passes = steps(told)
    here = Path(__file__).parent
    style, script = STYLE + (here / "step.css").read_text("utf-8"), (here / "step.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    called = clipped(_called(told), HEADING)
    return Template((here / "step.html").read_text("utf-8")).substitute(
        policy=policy,
        title=_text(f"{called}, step by step"),
        style=style,
        heading=_text(called),
        returns=_returns(told),
        graph=picture(told, extra=_box_texts(told, passes)),
        steps="\n".join(_listed_passes(told, passes)),
        table=_page_table(told),
        totals=_text(" ".join(_totals(told))),
        passes="".join(
            f'<button type="button" aria-label="{_text(title)}">{_text(short)}</button>'
            for title, short in zip(_titles(told), _short_titles(told), strict=True)
        ),
        last=sum(map(len, passes)),
        script=script,
    )


def _hash(text: str) -> str:
    """Return how a security policy names a style or script that may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _returns(told: dict[str, Any]) -> str:
    """Return the reader's text of the result, where there is one result that has text."""
    results = [row for row in told["rows"] if row.get("name") in told["outputs"]]
    has_text = len(results) == 1 and results[0]["operation"] != "input" and _known(results[0])
    return f"<p>returns <code>{_text(results[0]['source'])}</code></p>" if has_text else ""


def _short_titles(told: dict[str, Any]) -> list[str]:
    """Return the passes as the bar names them."""
    return ["values", *(dotted(label) for label in told["directions"]), "adjoints"]


def _titles(told: dict[str, Any]) -> list[str]:
    """Return the headings of the passes."""
    *forward, reverse = _seeds(told)
    return ["Values", *(f"Forward sweep, seed {seed}" for seed in forward), f"Reverse sweep, seed {reverse}"]


def _box_texts(told: dict[str, Any], passes: Sequence[Sequence[Step]]) -> list[list[str]]:
    """Return for each row what the changing line of its box holds in each pass."""
    texts: list[list[str]] = [[] for _ in told["rows"]]
    for passed in passes[1:]:
        for step in passed:
            texts[step.row].append(_box_text(told["rows"][step.row], step))
    return texts


def _box_text(row: dict[str, Any], step: Step) -> str:
    """Return what the changing line of a row's box holds after a step: v̇₂ = 5."""
    if row["role"] == "cut" or step.sweep == "values":
        return ""
    result = row["adjoint"] if step.sweep == "reverse" else row["tangents"][step.turn - 1]
    return clipped(f"{step.name} = {fitting(result, BOX - width(step.name) - 3)}", BOX)


def _listed_passes(told: dict[str, Any], passes: Sequence[Sequence[Step]]) -> list[str]:
    """Return the steps of each pass as a numbered list under its heading."""
    count, start, sections = sum(map(len, passes)), 1, []
    for title, passed in zip(_titles(told), passes, strict=True):
        sweep, turn = passed[0].sweep, passed[0].turn
        number = told["passes"].get(sweep, 1)
        totals = "" if sweep == "values" else f' data-totals="{_operations(told["counts"][sweep])}"'
        items = [
            _listed_step(told["rows"][step.row], step, f"Step {n} of {count}. {title}.")
            for n, step in enumerate(passed, start)
        ]
        sections += [
            f'<section data-sweep="{sweep}" data-turn="{turn} of {number}"{totals}><h3>{_text(title)}</h3>',
            f'<ol start="{start}">',
            *items,
            "</ol></section>",
        ]
        start += len(passed)
    return sections


def _listed_step(row: dict[str, Any], step: Step, place: str) -> str:
    """Return one step: its rule, where it comes from, and what is said of it."""
    if row["role"] == "cut":
        said = _text(f"{place} {step.parts[0]}.")
        return f'<li data-row="{step.row}" data-said="{said}"><p class="rule">… {step.parts[0]} …</p></li>'
    spent = "" if step.additions is None else f' data-spent="× {step.multiplications}, + {step.additions}"'
    said = f"{place} {_spoken(row, step)}"
    *before, result = step.parts
    parts = [_text(part) for part in before] + [f"<b>{_text(result)}</b>"]
    rule = " ".join(f"<span>= {part}</span>" for part in parts)
    notes = [_origin(row)]
    if step.seed:
        notes.append("seed of this pass")
    elif step.sweep == "forward" and row["operation"] == "input":
        notes.append("held fixed in this pass")
    if step.letters is not None:
        notes.append(f"in the letters of the inputs: {_text(step.letters)}")
    if row["note"] is not None:
        notes.append(_text(row["note"]))
    return (
        f'<li data-row="{step.row}" data-box="{_text(_box_text(row, step))}" data-said="{_text(said)}"{spent}>'
        f'<p class="rule"><b>{_text(step.name)}</b> {rule}</p>'
        f'<p class="from">{"; ".join(notes)}</p></li>'
    )


def _origin(row: dict[str, Any]) -> str:
    """Return where a row comes from: the reader's text and its line."""
    if row["operation"] == "input":
        return f"input <code>{_text(row['source'])}</code>"
    line = [] if row["line"] is None else [f"line {row['line']}"]
    return ", ".join([*([f"source <code>{_text(row['source'])}</code>"] if _known(row) else []), *line])


def _spoken(row: dict[str, Any], step: Step) -> str:
    """Return a step as a sentence for those who hear it."""
    what = {"values": "", "forward": "The tangent of ", "reverse": "The adjoint of "}[step.sweep]
    numbers = step.parts[-2] + " = " if len(step.parts) > 1 else ""
    for sign, word in _SPOKEN.items():
        numbers = numbers.replace(sign, word)
    origin = "An input" if row["operation"] == "input" else f"Source {plain(row['source'])}"
    line = "" if row["line"] is None or not _known(row) else f", line {row['line']}"
    is_ = " is " + (numbers.replace(" = ", ", which is ") + step.parts[-1]).replace("−", "minus ")
    return f"{what}{unicode_text(row['name'])}{is_}. {origin}{line}."


def _page_table(told: dict[str, Any]) -> str:
    """Return the table of the page: results only, in cells that its script can find."""
    passes = len(told["directions"]) + 2
    lines = []
    for i, row in enumerate(told["rows"]):
        if row["role"] == "cut":
            cells = "".join(f'<td class="number" data-pass="{n}">…</td>' for n in range(passes))
            lines.append(
                f'<tr data-row="{i}"><th scope="row">…</th><td>{row["rows"]} more rows</td><td></td>{cells}</tr>'
            )
            continue
        name, formula = unicode_text(row["name"]), formula_of(row)
        label = name if row["operation"] == "input" or formula == name else f"{name} = {formula}"
        results = map(shown, [row["value"], *row["tangents"], row["adjoint"]])
        cells = "".join(f'<td class="number" data-pass="{n}">{_text(result)}</td>' for n, result in enumerate(results))
        line = "" if row["line"] is None else row["line"]
        lines.append(
            f'<tr data-row="{i}"><th scope="row">{_text(label)}</th><td class="source">{_source(row)}</td>'
            f"<td>{line}</td>{cells}</tr>"
        )
    head = _heads(told, ' class="number" data-pass="{}"')
    caption = f"<caption>{_text(_called(told))}</caption>"
    return "\n".join(["<table>", caption, head, "<tbody>", *lines, "</tbody>", "</table>"])
