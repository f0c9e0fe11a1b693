"""``python -m dualdiff``: the chain rule of the lecture, the derivatives of formulas typed by the reader, or a command.

Results go to stdout; what the words lack, or what keeps a result from being written, goes to stderr, in one line, with
exit code 2.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np

from dualdiff.commands.files import blamed
from dualdiff.commands.formula import TRY, run
from dualdiff.commands.output import Answer, give, write
from dualdiff.commands.words import UsageError
from dualdiff.expression import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["COMMANDS", "TRY", "main"]

COMMANDS = {
    "trace": "one run step by step, as a table, a page, a graph, LaTeX, ...",
    "check": "is a derivative made by hand right, and if not, which slip is it",
    "chain": "a composition as a product of Jacobians",
    "compare": "passes, operations and time of forward and reverse mode",
    "jacobian": "how every output moves with every input",
}
"""The commands, each the first word of a line, and what they are for."""

_ROOMS = {"trace": "tracing", "check": "checking", "chain": "chaining", "compare": "comparing"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``python -m dualdiff``; those of the process where it is left out.

    Returns
    -------
    int
        0 where the result was shown, or a claim is right; 1 where a claim is wrong; 2 where there is no result: the
        words make no sense, or it could not be written.

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
    words = sys.argv[1:] if argv is None else [*argv]
    path = [*sys.path]
    try:
        with _quiet(words):
            answer = _answer(words)
    except (ExpressionError, UsageError) as error:
        if "--traceback" in words or os.environ.get("DUALDIFF_TRACEBACK", "0") not in {"", "0"}:
            import traceback

            traceback.print_exception(error.__cause__ or error)
        write(f"dualdiff: {error}\n", sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # as of any process that Ctrl+C ends
    finally:
        sys.path[:] = path  # without the folder of a file that was run
    return give(answer)


@contextlib.contextmanager
def _quiet(words: Sequence[str]) -> Iterator[None]:
    """Let nan and inf pass without a warning, and send to stderr what a file of the user's prints."""
    with np.errstate(all="ignore"), warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        if any(".py" in word.lower() for word in words):
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


def _answer(words: Sequence[str]) -> Answer:
    """Return what is to be shown."""
    if not words:
        from dualdiff.commands.first import screen

        return Answer(screen)
    if words[0] in COMMANDS:
        room = importlib.import_module(f"dualdiff.commands.{_ROOMS.get(words[0], words[0])}")
        with blamed(None):
            answer: Answer = room.run(words[1:])
        return answer
    with blamed(None):
        return run(words, COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
