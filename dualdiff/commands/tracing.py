"""``python -m dualdiff trace``: one run, step by step, in any of the formats of a trace."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from dualdiff.commands.output import OUTPUT, Answer, chosen_format, format_option, rendered
from dualdiff.commands.subject import asked_about
from dualdiff.commands.words import HELP, TRACEBACK, WRT, Option, Page, UsageError, told_apart
from dualdiff.expression import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PAGE", "run"]

NARROWEST, WIDEST = 40, 1000  # columns of a text

PAGE = Page(
    "trace",
    "EXPRESSION NAME=VALUE ... [--format FORMAT] [-o FILE]",
    "One run, step by step: the value of each step, the tangents of the forward passes, and the adjoints of the "
    "reverse pass.",
    (
        format_option("text", "markdown", "latex", "html", "svg", "json", "dot", "mermaid"),
        OUTPUT,
        Option("--symbols", "", "write the formulas in the letters of the inputs"),
        Option("--result", "K", "which number of the result has adjoint 1, the first by default"),
        WRT,
        Option("--width", "N", "columns of the text, at least 40; those of the terminal by default"),
        Option("--ascii", "", "a text without the signs of mathematics"),
        TRACEBACK,
        HELP,
    ),
    (
        '"log(x1) + x1*x2 - sin(x2)" x1=2 x2=5',
        '"sin(t)**2 + 2*cos(t)" t=1.2 --symbols --format latex',
        '"s*cos(t)" "s*sin(t)" s=2 t=0.5 -o step.html',
        "wave.py:f x=1,2,3 -o graph.svg",
    ),
    "FILE.py:FUNCTION in place of an expression runs that file's code to get the\nfunction.\n",
)


def run(argv: Sequence[str]) -> Answer:
    """Trace what the words say."""
    words, chosen = told_apart(argv, PAGE)
    if "help" in chosen:
        return Answer(lambda _: PAGE.text())
    kind = chosen_format(chosen, PAGE)
    width, result = _whole(chosen, "width", NARROWEST, WIDEST), _whole(chosen, "result", 1, 10**6)
    if kind != "text" and (given := [name for name in ("width", "ascii") if name in chosen]):
        raise UsageError(f"--{given[0]} is for text, not for {kind}: leave it out")
    about = asked_about(words, chosen, PAGE)
    import dualdiff as dd

    with about.blamed():
        made = dd.trace(about.function, symbols="symbols" in chosen, output=(result or 1) - 1)
        try:
            trace = made(*about.point)
        except ValueError as error:
            if result is None or not str(error).startswith("output="):
                raise
            raise UsageError(f"--result {result}: {_counted(about)}") from None
        text = functools.cache(lambda plain: rendered(trace, kind, width, plain or "ascii" in chosen))
        text(False)
    return Answer(text, 0, kind, chosen.get("output"))


def _counted(about: Any) -> str:
    """Say how many numbers there are to choose from."""
    import numpy as np

    from dualdiff.transforms.containers import flatten

    count = sum(np.size(leaf) for leaf in flatten(about.function(*about.point))[0])
    return f"the result has {count} number{'s' * (count != 1)}: write --result {count}"


def _whole(chosen: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    """Return the whole number that was chosen, if one was."""
    text = chosen.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 9 or not least <= int(text) <= most:
        raise UsageError(f"--{name} takes a whole number from {least} to {most}, not {quote(text)}")
    return int(text)
