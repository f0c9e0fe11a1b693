"""``python -m dualdiff``: the chain rule of the lecture, or the derivatives of formulas typed by the reader.

Results go to stdout; what the words lack goes to stderr, in one line, with exit code 2.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import keyword
import math
import os
import re
import sys
import textwrap
import unicodedata
import warnings
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import numpy as np

import dualdiff as dd
from dualdiff.expression import CONSTANTS, FUNCTIONS, Expression, ExpressionError, parse, quote, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main"]

WIDTH = 80  # columns of the narrowest terminal in use
MAX_WORDS = 100  # expressions and values together
MAX_ORDER = 10  # the cost doubles with every order
EXAMPLE = ["sin(t)**2 + 2*cos(t)", "t=1.2"]
TRY = """\
  python -m dualdiff "sin(t)**2 + 2*cos(t)" t=1.2
  python -m dualdiff "s*cos(t)" "s*sin(t)" "s**2" s=2 t=0.5
  python -m dualdiff "exp(-t)*sin(t)" t=pi/3 --order 3
"""

# What a terminal without the signs of mathematics is shown.
ASCII = str.maketrans({"∂": "d", "·": "*", "²": "**2", "π": "pi"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``python -m dualdiff``; those of the process where it is left out.

    Returns
    -------
    int
        0 where the result was shown, 1 where it could not be written, 2 where the words make no sense.

    Examples
    --------
    >>> from dualdiff.__main__ import main
    >>> main(["t**2", "t=3"])
    f = t**2
    at t=3
    <BLANKLINE>
      f     = 9
      df/dt = 6
    0
    """
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = _answer(sys.argv[1:] if argv is None else argv)
    except ExpressionError as error:
        _write(f"dualdiff: {error}\n", sys.stderr)
        return 2
    try:
        _write(text, sys.stdout)
    except BrokenPipeError:  # the reader has seen enough: python -m dualdiff | head -3
        _drop_stdout()
    except OSError as error:
        _drop_stdout()
        _write(f"dualdiff: the result could not be written: {error.strerror}\n", sys.stderr)
        return 1
    return 0


def _write(text: str, stream: TextIO | None) -> None:
    """Write in the signs that the stream can show."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("²  ", "**2").translate(ASCII)  # takes two blanks of a table's padding
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    print(text, end="", file=stream, flush=True)  # and nothing where there is no stream, as under pythonw


def _drop_stdout() -> None:
    """Send nowhere what is still buffered, or Python would complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """An argparse whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise ExpressionError(f"{_short(message, 200)}: see python -m dualdiff --help")


def _parser() -> _Parser:
    names = textwrap.fill(", ".join(sorted(FUNCTIONS)), WIDTH, initial_indent="  ", subsequent_indent="  ")
    parser = _Parser(
        prog="python -m dualdiff",
        usage="%(prog)s [EXPRESSION ...] [NAME=VALUE ...] [--order N] [--json]",
        description="Exact derivatives by dual numbers. Without words: the chain rule, step by step.",
        epilog=f'examples:\n{TRY}  python -m dualdiff "-t**2" t=-0.5 --json\n\n'
        f"functions:\n{names}\nconstants:\n  pi, e, tau\n\n"
        "An expression that looks like an option goes after --, as in: t=2 -- --t\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    option = parser.add_argument
    option("words", nargs="*", metavar="EXPRESSION", help='a formula in quotes, such as "sin(t)**2"')
    orders = [str(order) for order in range(1, MAX_ORDER + 1)]
    option("--order", metavar="N", choices=orders, help=f"all derivatives up to order N, at most {MAX_ORDER}")
    option("--json", action="store_true", help="print JSON; nan and inf become text")
    option("--version", action="store_true", help="print the version")
    option("-h", "--help", action="store_true", help="print this help")
    return parser


def _answer(argv: Sequence[str]) -> str:
    """Return what is to be printed."""
    words, flags = _told_apart(argv)
    parser = _parser()
    options, strange = parser.parse_known_args(flags)
    for flag in strange:
        close = difflib.get_close_matches(flag[:40], ("--order", "--json", "--version", "--help"), 1)
        value = flag.lstrip("-") if "=" in flag else ""
        way_out = f"write {(close or [value])[0]}" if close or value else "an expression like it goes after --"
        raise ExpressionError(f"{quote(flag)} is no option: {way_out}")
    if options.help:
        return parser.format_help()
    if options.version:
        with contextlib.suppress(ImportError):  # not installed, so that nothing knows its version
            return f"dualdiff {dd.__version__}\n"
        return "dualdiff, run from its source: pip install tells its version\n"
    if not argv:
        return _lecture()
    order = int(options.order or 0)
    expressions, values = _inputs(words or EXAMPLE)
    if order and (len(expressions), len(values)) != (1, 1):
        have = f"{len(expressions)} and {len(values)}"
        raise ExpressionError(f"--order takes one expression in one variable, not {have}: leave --order out")
    return _report(expressions, values, order, as_json=options.json)


def _told_apart(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell expressions from options: both may begin with a minus, but only options are words."""
    words, flags = list[str](), list[str]()
    for word in (left := iter(argv)):
        if word == "--":
            words.extend(left)
        elif word == "--order":
            flags.append(f"--order={next(left, '')}")
        elif re.fullmatch(r"-h|--[a-z][a-z-]*(=.*)?", word, re.DOTALL):
            flags.append(word)
        else:
            words.append(word)
    return words, flags


def _inputs(words: Sequence[str]) -> tuple[list[Expression], dict[str, float]]:
    """Read expressions and values, and see that each has what it needs."""
    if len(words) > MAX_WORDS:
        way_out = "for more, define a Python function and use dualdiff.jacobian"
        raise ExpressionError(f"there are {len(words)} words, and the limit is {MAX_WORDS}: {way_out}")
    expressions: list[Expression] = []
    values: dict[str, float] = {}
    for word in words:
        if "=" not in word:
            expression = parse(word)
            expressions.extend(expression.parts or [expression])
            continue
        name, value = _value(word)
        if name in values:
            raise ExpressionError(f"{quote(name)} is given twice: leave {quote(word)} out")
        values[name] = value
    if not expressions:
        raise ExpressionError(f'no expression uses {quote(words[0])}: add one, such as "sin(t)" t=1.2')
    used = {name: None for expression in expressions for name in expression.names}
    for name in used:
        if name not in values:
            raise unknown(name, values)
    for name in values:
        if name not in used:
            have = f"the variables are {', '.join(used)}" if used else "there are no variables"
            raise ExpressionError(f"no expression uses {quote(name)}, {have}: leave its value out")
    if not used:
        text = quote(expressions[0].text)
        raise ExpressionError(f'{text} has no variable to differentiate by: write one, such as "t**2" t=1.2')
    return expressions, values


def _value(word: str) -> tuple[str, float]:
    """Read ``t=pi/4``."""
    left, _, right = word.partition("=")
    name = left.strip()
    if name in FUNCTIONS or name in CONSTANTS or keyword.iskeyword(name):
        raise ExpressionError(f"{quote(name)} has a meaning of its own: choose another name, such as {name}_")
    try:
        variable = parse(name)
    except ExpressionError:
        variable = parse("0")
    if variable.names != (variable.text,) or not right.strip() or right.startswith("="):
        raise ExpressionError(f"{quote(word)} is no value: write t=1.2 without blanks, and formulas without =")
    number = parse(right)
    if number.names:
        raise ExpressionError(f"{quote(word)} is no number: write one, such as {quote(name)[1:-1]}=pi/4")
    if number.parts:
        raise ExpressionError(f"{quote(word)} has a comma: write a decimal point, such as 1.5")
    value = number()
    if not math.isfinite(value):
        raise ExpressionError(f"{quote(word)} is {value:g}: give a finite number")
    return variable.text, value


def _remarks(expressions: Sequence[Expression], values: Mapping[str, float], slopes: Any) -> list[str]:
    """Say what keeps a value or a slope from being finite."""
    remarks = []
    for expression in expressions:
        for part, *_, made in expression.walk(values):
            if not math.isfinite(made):
                remarks.append(f"{quote(part)} is {made:g} here")
                break
    if not remarks and not np.isfinite(slopes).all():
        remarks.append("a slope is not finite here")
    return [*dict.fromkeys(remarks)]


def _run(expressions: Sequence[Expression], values: Mapping[str, float]) -> tuple[Any, Any, int]:
    """Return the outputs, their Jacobian, and how often the expressions were run for it."""
    passes = 0

    def f(*point: Any) -> list[Any]:
        nonlocal passes
        passes += 1
        named = dict(zip(values, point, strict=True))
        return [e(**{name: named[name] for name in e.names}) for e in expressions]

    outputs, rows = dd.value_and_jacobian(f)(*values.values())
    return outputs, np.reshape(rows, (len(expressions), len(values))), passes


def _report(expressions: list[Expression], values: dict[str, float], order: int, *, as_json: bool) -> str:
    """Show all derivatives of one expression, or how every expression moves with every variable."""
    told: dict[str, Any] = {"inputs": values, "outputs": [e.text for e in expressions]}
    if order:
        ((name, t),) = values.items()
        slopes = np.array(dd.derivatives(lambda x: expressions[0](**{name: x}), order)(t))
        told |= {"derivatives": slopes.tolist()}
    else:
        outputs, slopes, passes = _run(expressions, values)
        told |= {"values": outputs.tolist(), "jacobian": slopes.tolist(), "passes": passes}
    remarks = _remarks(expressions, values, slopes)
    if as_json:
        return json.dumps(_strict(told | {"remarks": remarks}), allow_nan=False) + "\n"
    point = ", ".join(f"{_short(name, 20)}={_number(x)}" for name, x in values.items())
    lines = [textwrap.fill(f"at {point}", WIDTH, subsequent_indent="   "), ""]
    initials = {name[0] for name in values}
    f = next((letter for letter in "fgyzw" if letter not in initials), "out")  # a name no variable has
    inputs = [_short(name, 20) for name in values]
    if order or slopes.size == 1:
        found = slopes if order else [*outputs, *slopes[0]]
        labels = [f, f"d{f}/d{inputs[0]}", *(f"d{k}{f}/d{inputs[0]}{k}" for k in range(2, len(found)))]
        lines.insert(0, f"{f} = {_short(expressions[0].text, WIDTH - 8)}")
        lines += _columns([f"  {label}" for label in labels], [f" = {_number(y)}" for y in found])
    else:
        names = [f"{f}{i}" for i in range(1, len(expressions) + 1)] if len(expressions) > 1 else [f]
        texts = [f" = {_short(e.text, 44)}" for e in expressions]
        lines += _columns([f"  {name}" for name in names], texts, [f"  =  {_number(y)}" for y in outputs])
        lines += ["", *_table(names, [f"d/d{name}" for name in inputs], slopes), ""]
        lines += [f"passes of the formula: {passes}, one for each variable"]
    lines += [""] * bool(remarks) + [f"remark: {remark}" for remark in remarks]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _strict(x: Any) -> Any:  # strict JSON has no word for nan and inf
    if isinstance(x, dict):
        return {key: _strict(item) for key, item in x.items()}
    if isinstance(x, list):
        return [_strict(item) for item in x]
    return x if isinstance(x, str) or math.isfinite(x) else str(x)


def _table(rows: Sequence[str], columns: Sequence[str], matrix: np.ndarray[Any, Any]) -> list[str]:
    """Set a matrix with its labels, in as many blocks of columns as the width asks for."""
    labels = _columns(["", *(f"  {row}" for row in rows)])
    blocks: list[list[str]] = []
    for head, column in zip(columns, matrix.T, strict=True):
        sizes = [abs(x) for x in column if x and math.isfinite(x)]
        style = ".6f" if all(1e-4 <= size < 1e7 for size in sizes) else ".6e"
        cells = [head, *(f"{x:{style}}" for x in column)]
        wide = max(map(_width, cells)) + 2
        if not blocks or _width(blocks[-1][0]) + wide > WIDTH:
            blocks.append(labels)
        blocks[-1] = [line + " " * (wide - _width(x)) + x for line, x in zip(blocks[-1], cells, strict=True)]
    return [line for block in blocks for line in ["", *block]][1:]


def _columns(*columns: Sequence[str]) -> list[str]:
    """Join columns of text, each padded to its widest entry."""
    wide = [max(map(_width, column)) for column in columns]
    rows = zip(*columns, strict=True)
    return ["".join(x + " " * (w - _width(x)) for x, w in zip(row, wide, strict=True)) for row in rows]


def _number(x: float) -> str:
    return repr(float(x)).removesuffix(".0")  # all its digits


def _width(text: str) -> int:
    """Return the columns a text takes in a terminal, two for each 값."""
    return sum(1 + (unicodedata.east_asian_width(c) in {"W", "F"}) for c in text)


def _short(text: str, wide: int) -> str:
    """Cut a text that is too long."""
    if _width(text[: wide + 1]) <= wide:
        return text
    cut = text[: wide - 3]
    while _width(cut) > wide - 3:
        cut = cut[:-1]
    return f"{cut}..."


def _lecture() -> str:
    """Show the chain rule on the lecture's example, and the Jacobian of a surface."""

    def f(x1: Any, x2: Any) -> Any:
        return x1**2 + 2 * x2

    t = 1.2
    x1, x2 = dd.sin(t), dd.cos(t)
    p1, p2 = dd.jacobian(f)(x1, x2)
    v1, v2 = dd.derivative(dd.sin)(t), dd.derivative(dd.cos)(t)
    whole = dd.derivative(lambda t: f(dd.sin(t), dd.cos(t)))(t)
    closed = 2 * math.sin(t) * (math.cos(t) - 1)
    surface = [parse(text) for text in ("s*cos(t)", "s*sin(t)", "s**2")]
    _, rows, passes = _run(surface, {"s": 2.0, "t": 0.5})
    table = "\n".join(_table(["s·cos t", "s·sin t", "s²"], ["∂/∂s", "∂/∂t"], rows))
    return f"""\
Chain rule: f(x1, x2) = x1² + 2·x2 with x1 = sin t, x2 = cos t, at t = {t}

  value                   how f moves with it        how it moves with t
  x1 = sin t = {x1:.6f}   ∂f/∂x1 = 2·x1 = {p1:.6f}   dx1/dt =  cos t = {v1:9.6f}
  x2 = cos t = {x2:.6f}   ∂f/∂x2 = 2    = {p2:.6f}   dx2/dt = -sin t = {v2:9.6f}

  df/dt = ∂f/∂x1·dx1/dt + ∂f/∂x2·dx2/dt    one product per path from t to f
        = {p1:.6f}·{v1:.6f} + {p2:.6f}·({v2:.6f})
        = {p1 * v1:.6f} - {-p2 * v2:.6f}
        = {p1 * v1 + p2 * v2:.6f}

  by dualdiff, one pass               {whole:.16f}
  closed form, 2·sin t·(cos t - 1)    {closed:.16f}
  difference                          {_number(whole - closed):>19}

Jacobian of the surface (s·cos t, s·sin t, s²) at s = 2, t = 0.5

{table}

  2 inputs, {passes} passes: each pass carries one tangent and fills one column.

Try:
{TRY}"""


if __name__ == "__main__":
    sys.exit(main())
