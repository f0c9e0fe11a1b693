"""``python -m dualdiff chain``: a composition as the product of its Jacobians."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from dualdiff.commands.files import blamed, named_file
from dualdiff.commands.output import OUTPUT, Answer, chosen_format, format_option, rendered
from dualdiff.commands.subject import Formulas, source, subject, under_names
from dualdiff.commands.words import HELP, TRACEBACK, Page, UsageError, told_apart
from dualdiff.expression import ExpressionError, parse, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.commands.subject import Source

__all__ = ["PAGE", "run"]

PAGE = Page(
    "chain",
    "OUTER INNER ... NAME=VALUE ... [--format FORMAT] [-o FILE]",
    "A composition as the product of its Jacobians, the outermost function first. The variables of each formula, in "
    "the order in which they appear, take the outputs of the next one; those of the innermost take the values.",
    (format_option("text", "latex", "json"), OUTPUT, TRACEBACK, HELP),
    (
        '"x1**2 + 2*x2" "s*t, s+t" s=2 t=3',
        '"x1**2 + 2*x2" "x2=s+t" "x1=s*t" s=2 t=3',
        '"sin(u)" "exp(v)" "t**2" t=0.5 --format latex',
    ),
    "An inner formula may say which variable it is, as x1=s*t does. FILE.py:FUNCTION\n"
    "in place of a formula runs that file's code to get the function.\n",
)


def run(argv: Sequence[str]) -> Answer:
    """Show the chain rule for what the words say."""
    words, chosen = told_apart(argv, PAGE)
    if "help" in chosen:
        return Answer(lambda _: PAGE.text())
    kind = chosen_format(chosen, PAGE)
    asked, named, values = _sorted_out(words)
    links = [source([word], PAGE.command) for word in asked]
    if named and links:
        links.append(_inner(links[-1], named))
    if len(links) < 2:
        way_out = f"write {PAGE.prog} {PAGE.examples[0]}"
        raise UsageError(f"chain takes two functions or more, the outer one first: {way_out}")
    for outer, inner in itertools.pairwise(links):
        _require_fit(outer, inner)
    about = subject(links[-1], values)
    import dualdiff as dd

    functions = [under_names(link, link.names) for link in links[:-1]] + [about.function]
    _name(links, functions)
    path = next((link.path for link in links if link.path), None)
    with blamed(path):
        made = dd.chain(*functions)(*about.point)
        text = functools.cache(functools.partial(rendered, made, kind, None))
        text(False)
    return Answer(text, 0, kind, chosen.get("output"))


def _sorted_out(words: Sequence[str]) -> tuple[list[str], dict[str, str], list[str]]:
    """Tell functions, formulas that say which variable they are, and values apart."""
    asked: list[str] = []
    named: dict[str, str] = {}
    values: list[str] = []
    for word in words:
        left, equals, right = word.partition("=")
        if not equals or named_file(word):
            asked.append(word)
        elif _moves(right):
            name = left.strip()
            if name in named:
                raise UsageError(f"{quote(name)} is given twice: leave {quote(word)} out")
            named[name] = right
        else:
            values.append(word)
    return asked, named, values


def _moves(text: str) -> bool:
    """Tell whether a text is a formula with variables."""
    try:
        return bool(parse(text).names)
    except ExpressionError:
        return False


def _inner(outer: Source, named: dict[str, str]) -> Formulas:
    """Return the formulas that say which variables they are, in the order in which the outer one takes them."""
    for name in named:
        if name not in outer.names:
            have = f"its variables are {', '.join(outer.names)}" if outer.names else "it has no variables"
            raise UsageError(f"{quote(name)} is not in {outer.title}, {have}: write one of them before the =")
    for name in outer.required:
        if name not in named:
            raise UsageError(f"nothing says what {quote(name)} in {outer.title} is: add a formula, such as {name}=s*t")
    return Formulas([parse(named[name]) for name in outer.names if name in named])


def _require_fit(outer: Source, inner: Source) -> None:
    """See that one formula has as many outputs as the next has variables."""
    if not (isinstance(outer, Formulas) and isinstance(inner, Formulas)):
        return
    has, takes = len(inner.expressions), len(outer.names)
    if has != takes:
        outputs = f"{has} output{'s' * (has != 1)}"
        names = f" ({', '.join(outer.names)})" if takes else ""
        way_out = "write as many formulas as it takes, with commas between"
        raise UsageError(f"{inner.title} has {outputs}, but {outer.title} takes {takes}{names}: {way_out}")


def _name(links: Sequence[Source], functions: Sequence[Any]) -> None:
    """Call the formulas f, g, h, … where no variable has that name."""
    taken = {name for link in links for name in link.names}
    letters = (letter for letter in "fghkpqruvwyz" if letter not in taken)
    for link, f in zip(links, functions, strict=True):
        if isinstance(link, Formulas):
            f.__name__ = f.__qualname__ = next(letters, "f")
