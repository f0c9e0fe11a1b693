"""``python -m dualdiff compare``: what forward and reverse mode take, in passes, operations, time and memory."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from dualdiff.commands.output import OUTPUT, Answer, chosen_format, format_option, rendered
from dualdiff.commands.subject import asked_about
from dualdiff.commands.words import HELP, TRACEBACK, WRT, Page, told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PAGE", "run"]

PAGE = Page(
    "compare",
    "EXPRESSION ... NAME=VALUE ... [--format FORMAT] [-o FILE]",
    "What forward and reverse mode take for all derivatives: passes, operations, time and memory.",
    (format_option("text", "json"), OUTPUT, WRT, TRACEBACK, HELP),
    ('"x1*x2*x3" x1=1 x2=2 x3=3', '"s*cos(t)" "s*sin(t)" "s**2" s=2 t=0.5', "wave.py:f x=[0.5]*100"),
    "FILE.py:FUNCTION in place of the expressions runs that file's code to get the\nfunction.\n",
)


def run(argv: Sequence[str]) -> Answer:
    """Compare the modes on what the words say."""
    words, chosen = told_apart(argv, PAGE)
    if "help" in chosen:
        return Answer(lambda _: PAGE.text())
    kind = chosen_format(chosen, PAGE)
    about = asked_about(words, chosen, PAGE)
    import dualdiff as dd

    with about.blamed():
        made = dd.compare(about.function)(*about.point)
        text = functools.cache(functools.partial(rendered, made, kind, None))
        text(False)
    return Answer(text, 0, kind, chosen.get("output"))
