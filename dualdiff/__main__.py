"""``python -m dualdiff``: the chain rule of the lecture, or the derivatives of formulas typed by the reader.

Results go to stdout, what went wrong goes to stderr in one line with exit code 2.
"""

from __future__ import annotations

import argparse
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
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["main"]

WIDTH = 80  # columns of the narrowest terminal in use
MAX_WORDS = 100  # expressions and values together
MAX_ORDER = 10  # the cost doubles with every order
EXAMPLE = ["sin(t)**2 + 2*cos(t)", "t=1.2"]
TRY = [
    'python -m dualdiff "sin(t)**2 + 2*cos(t)" t=1.2',
    'python -m dualdiff "s*cos(t)" "s*sin(t)" "s**2" s=2 t=0.5',
    'python -m dualdiff "exp(-t)*sin(t)" t=pi/4 --order 3',
]

# What a terminal without the signs of mathematics is shown.
ASCII = str.maketrans({"∂": "d", "·": "*", "²": "**2", "−": "-"})

# Where a function has a kink or a jump, its slope is a matter of convention.
KINKS: Mapping[str, Callable[..., bool]] = {
    **dict.fromkeys(("absolute", "fabs"), lambda x: x == 0),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), lambda x, y: x == y),
    "hypot": lambda x, y: x == y == 0,
    "copysign": lambda x, y: x == 0 or y == 0,
    "clip": lambda x, low, high: x in {low, high},
}
JUMPS: Mapping[str, Callable[..., bool]] = {
    **dict.fromkeys(("floor", "ceil"), lambda x: x == math.floor(x)),
    "trunc": lambda x: x != 0 and x == math.floor(x),
    "rint": lambda x: x % 1 == 0.5,
    "sign": lambda x: x == 0,
    "heaviside": lambda x, _: x == 0,
    **dict.fromkeys(("%", "//", "remainder", "fmod"), lambda x, y: y != 0 and x % y == 0),
}


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
    >>> main(["s*t", "s=2", "t=3"])
    f(s, t) = s*t   at s = 2, t = 3
    <BLANKLINE>
    f = 6
    <BLANKLINE>
                d/ds      d/dt
      df    3.000000  2.000000
    <BLANKLINE>
    2 passes, one per input
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
    if stream is None:  # started without a terminal, as pythonw does
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()


def _drop_stdout() -> None:
    """Send what is still buffered nowhere, or Python would complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """An argparse whose errors are one line, and whose help is returned and not printed."""

    def error(self, message: str) -> NoReturn:
        raise ExpressionError(f"{message}: see python -m dualdiff --help")


def _parser() -> _Parser:
    names = textwrap.fill(", ".join(sorted(FUNCTIONS)), WIDTH - 2, initial_indent="  ", subsequent_indent="  ")
    parser = _Parser(
        prog="python -m dualdiff",
        usage='%(prog)s ["EXPRESSION" ... NAME=VALUE ...] [--order N] [--json]',
        description="Exact derivatives by dual numbers. Without expressions: the chain rule, step by step.",
        epilog="examples:\n"
        + "".join(f"  {line}\n" for line in TRY)
        + '  python -m dualdiff t=-0.5 -- "-t**2"\n\n'
        + f"functions:\n{names}\nconstants:\n  {', '.join(CONSTANTS)}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("words", nargs="*", metavar="EXPRESSION, NAME=VALUE",
                        help='a formula such as "sin(t)**2", in quotes, and a value for each variable')  # fmt: skip
    parser.add_argument("--order", metavar="N", default="1", help=f"derivatives up to order N, at most {MAX_ORDER}")
    parser.add_argument("--json", action="store_true", help="print JSON; nan and inf become text")
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("-h", "--help", action="store_true", help="print this help")
    return parser


def _answer(argv: Sequence[str]) -> str:
    """Return what is to be printed."""
    parser = _parser()
    words, flags = _sorted_out(argv, parser)
    options = parser.parse_args(flags)
    if options.help:
        return parser.format_help()
    if options.version:
        return f"dualdiff {dd.__version__}\n"
    if not argv:
        return _lecture()
    order = _order(options.order)
    expressions, values = _inputs(words or EXAMPLE)
    if order is not None and (len(expressions), len(values)) != (1, 1):
        have = f"{len(expressions)} expressions and {len(values)} variables"
        raise ExpressionError(f"--order takes one expression in one variable, not {have}: leave --order out")
    remarks = _remarks(expressions, values)
    if order is not None:
        return _derivatives(expressions[0], values, order, remarks, as_json=options.json)
    return _jacobian(expressions, values, remarks, as_json=options.json)
