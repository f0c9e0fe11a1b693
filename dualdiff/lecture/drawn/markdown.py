"""A trace in Markdown, as a table of GitHub's kind."""

from __future__ import annotations

import re
from typing import Any

from dualdiff.lecture.drawn.cells import Wording, effort, omissions
from dualdiff.lecture.drawn.notation import plain

__all__ = ["to_markdown"]


def to_markdown(told: dict[str, Any]) -> str:
    """Trace as a Markdown table with all details.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    str
        A table of GitHub's kind, and below it passes and operations.
    """
    words = Wording(told)
    seeds = [_text(seed) for seed in words.seeds()]
    heads = ["", "step", "source", "primal value", *(f"tangent, seed {seed} = 1" for seed in seeds[:-1])]
    heads.append(f"adjoint, seed {seeds[-1]} = 1")
    lines = [heads, ["---"] * len(heads)]
    for row in told["rows"]:
        if row["role"] == "cut":
            lines.append(["", "⋮", f"… {row['rows']} more row{'s' * (row['rows'] != 1)} …", *[""] * (len(heads) - 3)])
            continue
        mark = "▶" if row["role"] == "input" or row["operation"] == "input" else ""
        mark += "✓" if row["role"] == "output" or row["name"] in told["outputs"] else ""
        source = words.source(row)
        cells = [mark, _text(words.step(row)), source if source == "(input)" else _code(source)]
        if row.get("note"):
            cells[-1] += f"<br>↳ {_text(plain(row['note']))}"
        rules = [
            words.primal(row),
            *(words.tangent(row, i) for i in range(len(told["directions"]))),
            words.adjoint(row),
        ]
        lines.append([*cells, *(_text(rule.full()) for rule in rules)])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return "\n\n".join([table, *(_text(long) for long, _ in effort(told)), *omissions(told)]) + "\n"


def _text(text: str) -> str:
    """Return text in which no sign means anything to Markdown."""
    return re.sub(r"([\\`*_\[\]<>|~$&#])", r"\\\1", text)


def _code(text: str) -> str:
    """Return text as a code span of a table: between more backticks than it has in a row, bars escaped."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    blank = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{blank}{text}{blank}{fence}".replace("|", r"\|")
