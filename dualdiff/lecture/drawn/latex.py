"""A trace as LaTeX: an array with columns for values, tangents and adjoints, for which amsmath is enough."""

from __future__ import annotations

from typing import Any

from dualdiff.lecture.drawn.cells import Rule, Wording, effort, omissions
from dualdiff.lecture.drawn.notation import latex_text

__all__ = ["to_latex"]

_FEW = 2  # directions, up to which every rule is written out


def to_latex(told: dict[str, Any]) -> str:
    """Trace as an array of LaTeX.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    str
        For math mode in display; amsmath, MathJax and KaTeX know all its commands.
    """
    words = Wording(told, "latex")
    seeds = words.seeds()
    heads = [r"\text{primal}", *(rf"\text{{tangent, }} {seed} = 1" for seed in seeds[:-1])]
    heads.append(rf"\text{{adjoint, }} {seeds[-1]} = 1")
    lines = [" & ".join(heads) + r" \\ \hline"]
    for row in told["rows"]:
        if row["role"] == "cut":
            more = rf"\vdots \quad \text{{({row['rows']} more row{'s' * (row['rows'] != 1)})}}"
            lines.append(" & ".join([more, *[r"\vdots"] * len(seeds)]) + r" \\")
            continue
        primal = words.primal(row)._replace(name=words.step(row))
        directions = range(len(told["directions"]))
        rules = [primal, *(_told(words.tangent(row, i), len(seeds) - 1) for i in directions), words.adjoint(row)]
        lines.append(" & ".join(rule.full() for rule in rules) + r" \\[0.5ex]")
        if row.get("note"):
            lines.append(rf"\quad \hookrightarrow {latex_text(row['note'])}{' &' * len(seeds)} \\")
    below = map(latex_text, [*(long for long, _ in effort(told)), *omissions(told)])
    return "\n".join(
        [
            r"\begin{array}{l}",
            rf"\begin{{array}}{{{'l' * len(heads)}}}",
            *lines,
            r"\hline",
            r"\end{array} \\[1ex]",
            *(rf"{text} \\" for text in below),
            r"\end{array}",
        ]
    )


def _told(rule: Rule, directions: int) -> Rule:
    """Return the rule of a tangent; of many directions, its result alone."""
    return rule if directions <= _FEW or not rule.name else rule._replace(letters="", numbers="")
