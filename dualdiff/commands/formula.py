"""``python -m dualdiff EXPRESSION``: the derivatives of formulas, without the name of a command."""

from __future__ import annotations

import contextlib
import textwrap
from typing import TYPE_CHECKING

from dualdiff.commands.layout import WIDTH
from dualdiff.commands.output import Answer
from dualdiff.commands.subject import Subject, sorted_out, source, subject
from dualdiff.commands.values import read
from dualdiff.commands.words import HELP, TRACEBACK, WRT, Option, Page, UsageError, told_apart
from dualdiff.expression import FUNCTIONS, quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["TRY", "page", "run"]

MAX_ORDER = 10  # the cost doubles with every order
_EXAMPLES = (
    '"sin(t)**2 + 2*cos(t)" t=1.2',
    '"s*cos(t)" "s*sin(t)" "s**2" s=2 t=0.5',
    '"exp(-t)*sin(t)" t=pi/3 --order 3',
    'trace "log(x1) + x1*x2 - sin(x2)" x1=2 x2=5 -o step.html',
    'check "sin(t)**2 + 2*cos(t)" "2*sin(t)*(cos(t) - 1)"',
)
TRY = "".join(f"  python -m dualdiff {line}\n" for line in _EXAMPLES)
EXAMPLE = ["sin(t)**2 + 2*cos(t)", "t=1.2"]
_ORDERS = tuple(str(order) for order in range(1, MAX_ORDER + 1))
_PAGE = Page(
    "",
    "[EXPRESSION ...] [NAME=VALUE ...] [--order N] [--json]",
    "Exact derivatives by dual numbers. Without words: the chain rule, step by step.",
    (
        Option("--order", "N", f"all derivatives up to order N, at most {MAX_ORDER}", _ORDERS),
        Option("--json", "", "print JSON; nan and inf become text"),
        WRT,
        TRACEBACK,
        Option("--version", "", "print the version"),
        HELP,
    ),
    (*_EXAMPLES, '"-t**2" t=-0.5 --json'),
)


def page(commands: Mapping[str, str]) -> Page:
    """Return the page of the help, with all commands and functions on it."""
    wide = max(map(len, commands)) + 2
    listed = "\n".join(f"  {name:{wide}}{says}" for name, says in commands.items())
    names = textwrap.fill(", ".join(sorted(FUNCTIONS)), WIDTH, initial_indent="  ", subsequent_indent="  ")
    rest = (
        f"commands, each with a --help of its own:\n{listed}\n\n"
        f"functions:\n{names}\nconstants:\n  pi, e, tau\n\n"
        "FILE.py:FUNCTION in place of an expression runs that file's code to get the\nfunction.\n"
        "An expression that looks like an option, or that is the name of a command alone,\n"
        "goes after --, as in: t=2 -- --t\n"
    )
    return _PAGE._replace(rest=rest)


def run(argv: Sequence[str], commands: Mapping[str, str]) -> Answer:
    """Show the derivatives of what the words say."""
    shown = page(commands)
    words, chosen = told_apart(argv, shown)
    if "help" in chosen:
        return Answer(lambda _: shown.text())
    if "version" in chosen:
        return Answer(lambda _: _version())
    if words and "--" not in argv:
        _no_command(words, commands)
    about = _subject(words or EXAMPLE, chosen.get("wrt"))
    from dualdiff.commands.report import report

    told = report(about, int(chosen.get("order", 0)))
    text = told.json() if "json" in chosen else told.text()
    return Answer(lambda _: text)


def _version() -> str:
    import dualdiff as dd

    with contextlib.suppress(ImportError):  # not installed, so that nothing knows its version
        return f"dualdiff {dd.__version__}\n"
    return "dualdiff, run from its source: pip install tells its version\n"


def _no_command(words: Sequence[str], commands: Mapping[str, str]) -> None:
    """Refuse a first word that is nearly a command, and is no variable."""
    import difflib

    first = words[0]
    if not first.isidentifier() or first in FUNCTIONS or any(w.partition("=")[0].strip() == first for w in words[1:]):
        return
    close = difflib.get_close_matches(first.lower()[:40], commands, 1, 0.75)
    if close and len(words) > 1:
        raise UsageError(f"{quote(first)} is no command: write {close[0]}, or give the variable a value: {first}=1.0")


def _subject(words: Sequence[str], wrt: str | None) -> Subject:
    """Read expressions and values, and see that each has what it needs."""
    asked, values = sorted_out(words)
    if not asked:
        read(values, formula=True)
        raise UsageError(f'no expression uses {quote(values[0])}: add one, such as "sin(t)" t=1.2')
    return subject(source(asked, "python -m dualdiff"), values, wrt)
