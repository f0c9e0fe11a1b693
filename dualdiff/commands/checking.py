"""``python -m dualdiff check``: is a derivative that was made by hand the derivative, and which slip is it if not."""

from __future__ import annotations

import functools
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from dualdiff.commands.files import FileFunction, blamed
from dualdiff.commands.layout import NARROWEST, width
from dualdiff.commands.output import OUTPUT, Answer, columns, in_ascii, require_ending
from dualdiff.commands.subject import Formulas, sorted_out, source, subject, under_names
from dualdiff.commands.words import HELP, TRACEBACK, Option, Page, UsageError, told_apart
from dualdiff.expression import quote, unknown
from dualdiff.lecture.drawn.notation import clipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.commands.subject import Source

__all__ = ["PAGE", "run"]

PAGE = Page(
    "check",
    "EXPRESSION CLAIM ... [NAME=VALUE ...] [--wrt NAME] [-o FILE]",
    "Is the claim the derivative of the expression? It is tried at the values, or at points that are drawn where there "
    "are none. Exit code 0 if it is, 1 if it is not, 2 if there is no verdict, as the words make no sense or it could "
    "not be written.",
    (
        Option("--wrt", "NAMES", "what it is the derivative with respect to, where there are several variables"),
        OUTPUT._replace(says="write to a file"),
        TRACEBACK,
        HELP,
    ),
    (
        '"sin(t)**2 + 2*cos(t)" "2*sin(t)*(cos(t) - 1)"',
        '"s*t**2" "2*s*t" --wrt t',
        '"s*t**2" "t**2, 2*s*t" s=2 t=5',
        '"s*t, s + t" "t, s" "1, 1"',
        "wave.py:f wave.py:df x=1,2,3",
    ),
    "Of several variables the claim has one formula for each, in the order in which\n"
    "they appear; of several expressions, with commas between, one row for each.\n"
    "FILE.py:FUNCTION in place of the expression or the claim runs that file's code\n"
    "to get the function.\n",
)


def run(argv: Sequence[str]) -> Answer:
    """Check what the words claim."""
    words, chosen = told_apart(argv, PAGE)
    if "help" in chosen:
        return Answer(lambda _: PAGE.text())
    require_ending(chosen, "text", "check writes text")
    asked, values = sorted_out(words)
    if len(asked) < 2:
        raise UsageError(f"check takes an expression and a claim: write {PAGE.prog} {PAGE.examples[0]}")
    about = source(asked[:1], PAGE.command)
    claimed = source(asked[1:], "the claim")
    wrt = chosen.get("wrt")
    names = _names(about, claimed, wrt, [word.partition("=")[0].strip() for word in values])
    moving = [name for name in names if not (isinstance(about, FileFunction) and about.whole(name))]
    some = wrt is not None or moving != names
    if wrt is not None:
        moving = [name.strip() for name in wrt.split(",")]
    for name in moving:
        if name not in names:
            raise UsageError(f"--wrt {quote(name)}: the variables are {', '.join(names)}: write one of them")
    if len(set(moving)) < len(moving):
        raise UsageError(f"--wrt {wrt} names a variable twice: leave one out")
    held: dict[str, Any] = {}
    at = None
    if values:
        given = subject(about, values, wrt)
        held = {name: given.values[name] for name in names if name not in moving and type(given.values[name]) is int}
        names = [name for name in names if name not in held]
        at = tuple(given.values[name] for name in names)
    claim = _claim(about, claimed, names, held, moving, some)
    import dualdiff as dd

    argnums: Any = None if not some else tuple(moving) if len(moving) > 1 else moving[0]
    with blamed(about.path or claimed.path):
        result = dd.check(under_names(about, names, held), claim, at=at, argnums=argnums)
    return Answer(functools.partial(_text, result), 0 if result else 1, "text", chosen.get("output"))


def _names(about: Source, claimed: Source, wrt: str | None, given: Sequence[str]) -> list[str]:
    """Return the arguments of the function that is checked, those that may be left out only where they are used."""
    used = {*about.required, *given, *(wrt or "").replace(",", " ").split()}
    if isinstance(claimed, Formulas):
        used |= set(claimed.names)
        for name in claimed.names:
            if name not in about.names:
                raise _foreign(about, name)
    names = [name for name in about.names if name in used]
    if not names:
        raise UsageError(f'{about.title} has no variable to differentiate by: write one, such as "t**2"')
    return names


def _foreign(about: Source, name: str) -> Exception:
    """Return the error for a name in a claim that the function does not have."""
    guess = str(unknown(name, about.names)).partition(": write ")[2].partition(", or add ")
    have = f"the variables are {', '.join(about.names)}" if about.names else "there are no variables"
    way_out = f"write {guess[0]}" if guess[1] else "write the claim in those"
    return UsageError(f"the claim uses {quote(name)}, and {have}: {way_out}")


def _claim(
    about: Source, claimed: Source, names: list[str], held: dict[str, Any], moving: list[str], some: bool
) -> Callable[..., Any]:
    """Return the claim as a function of the same arguments, with its numbers in the shape of the derivative."""
    n = len(moving)
    formulas = claimed.expressions if isinstance(claimed, Formulas) else ()
    m = len(about.expressions) if isinstance(about, Formulas) else max(1, len(formulas) // n)
    if formulas and len(formulas) != m * n:
        raise UsageError(_count(about, len(formulas), m, moving))

    given = [name for name in about.names if name in names or name in held]
    called = _parameters(claimed, given) if isinstance(claimed, FileFunction) else {}

    def claim(*point: Any) -> Any:
        values = {**held, **dict(zip(names, point, strict=True))}
        if isinstance(claimed, FileFunction):
            return claimed(**{own: values[name] for own, name in called.items()})
        found = [e(**{name: values[name] for name in e.names}) for e in formulas]
        if some and n > 1:  # one part for each variable
            return tuple(found[j::n] if m > 1 else found[j] for j in range(n))
        rows = [found[i * n : (i + 1) * n] if n > 1 else found[i] for i in range(m)]
        return rows if m > 1 else rows[0]

    if isinstance(claimed, FileFunction):
        claim.__wrapped__ = claimed.function  # type: ignore[attr-defined]  # where messages find it defined
    claim.__signature__ = inspect.signature(under_names(about, names))  # type: ignore[attr-defined]
    return claim


def _parameters(claimed: FileFunction, names: Sequence[str]) -> dict[str, str]:
    """Return which arguments of the other function the parameters of a claim are: by name, else in their order."""
    if set(claimed.required) <= set(names) <= set(claimed.names):
        return {name: name for name in names}
    if len(claimed.required) <= len(names) <= len(claimed.names):
        return dict(zip(claimed.names, names, strict=False))
    takes = ", ".join(claimed.names) or "nothing"
    raise UsageError(f"{claimed.title} takes {takes}, and not {', '.join(names)}: write the claim in those")


def _count(about: Source, have: int, m: int, moving: Sequence[str]) -> str:
    """Say how many formulas a claim has to have."""
    has = f"the claim has {have} formula{'s' * (have != 1)}"
    n = len(moving)
    if m == 1:
        by = f"{n} variable{'s' * (n != 1)} ({', '.join(moving)})"
        way_out = "write one for each, with commas between" + (f", or --wrt {moving[0]}" if n > 1 else "")
        return f"{has}, and {about.title} has {by}: {way_out if n > 1 or have < n else 'write one'}"
    return f"{has}, and the Jacobian has {m} x {n}: write {m} rows with {n} in each, with commas between"


def _text(result: Any, ascii: bool) -> str:
    """Return the verdict within the width of the terminal: its sentences wrapped, its matrices beside each other."""
    limit = max(columns(), NARROWEST)
    said = str(result)
    if ascii:  # a cross in a matrix keeps its one column
        said = in_ascii("\n".join(line.replace("✗", "x") if _in_matrix(line) else line for line in said.splitlines()))
    lines = list[str]()
    matrix = list[str]()
    for line in [*said.splitlines(), ""]:
        if _in_matrix(line):
            matrix.append(line)
            continue
        lines += _beside_or_below(matrix, limit)
        matrix = []
        hang = " " * (len(line) - len(line.lstrip()) + 2)
        fits = width(line) <= limit
        lines += [line] if fits else textwrap.wrap(line, limit, subsequent_indent=hang, break_on_hyphens=False)
    return "\n".join(lines)


def _in_matrix(line: str) -> bool:
    return line.startswith(" " * 4)


def _beside_or_below(matrix: list[str], limit: int) -> list[str]:
    """Return two matrices under the heads claimed and true as they are, or one below the other; the rest is cut."""
    head = matrix[0].split() if matrix else []
    if head == ["claimed", "true"] and max(map(width, matrix)) > limit:
        start, other = matrix[0].index("claimed"), matrix[0].index("true")
        labels, *parts = zip(*(_split(line, start, other) for line in matrix), strict=True)
        matrix = []
        for name, *rows in parts:
            matrix.append(f"    {name.rstrip()}")
            matrix += [f"{label}{row}".rstrip() for label, row in zip(labels[1:], rows, strict=True)]
    return [clipped(line, limit) for line in matrix]


def _split(line: str, *places: int) -> list[str]:
    """Cut a line at columns of the terminal."""
    found, begin = [], 0
    for place in places:
        end = next((i for i in range(begin, len(line)) if width(line[:i]) >= place), len(line))
        found.append(line[begin:end])
        begin = end
    return [*found, line[begin:]]
