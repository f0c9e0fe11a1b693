"""``python -m dualdiff jacobian``: how every output moves with every input."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from dualdiff.commands.output import OUTPUT, Answer, chosen_format, format_option
from dualdiff.commands.subject import asked_about
from dualdiff.commands.words import HELP, TRACEBACK, WRT, Page, told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PAGE", "run"]

PAGE = Page(
    "jacobian",
    "EXPRESSION ... NAME=VALUE ... [--format FORMAT] [-o FILE]",
    "How every output moves with every input: a row for each expression, a column for each value.",
    (
        format_option("text", "json", "latex"),
        OUTPUT,
        WRT,
        TRACEBACK,
        HELP,
    ),
    (
        '"s*cos(t)" "s*sin(t)" "s**2" s=2 t=0.5',
        '"x1**2 + 2*x2" x1=3 x2=1 --format latex',
        "wave.py:f x=1,2,3 --format json",
    ),
    "FILE.py:FUNCTION in place of the expressions runs that file's code to get the\nfunction.\n",
)


def run(argv: Sequence[str]) -> Answer:
    """Show the Jacobian of what the words say."""
    words, chosen = told_apart(argv, PAGE)
    if "help" in chosen:
        return Answer(lambda _: PAGE.text())
    kind = chosen_format(chosen, PAGE)
    about = asked_about(words, chosen, PAGE)
    from dualdiff.commands.report import report

    with about.blamed():
        text = str(getattr(report(about), kind)())
    return Answer(functools.partial(_same, text), 0, kind, chosen.get("output"))


def _same(text: str, _: bool) -> str:
    return text
