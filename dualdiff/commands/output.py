"""Where an answer goes: to the terminal in the signs it can show, to a pipe, or to a file."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dualdiff.commands.words import Option, Page, UsageError
from dualdiff.expression import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "OUTPUT",
    "Answer",
    "chosen_format",
    "columns",
    "drop_stdout",
    "format_option",
    "give",
    "rendered",
    "strict",
    "write",
]

# What a terminal without the signs of mathematics is shown.
ASCII = str.maketrans(
    {
        "∂": "d", "·": "*", "×": "x", "−": "-", "²": "**2", "³": "**3", "π": "pi", "∘": "o", "→": "->", "←": "<-",
        "✓": "right:", "✗": "wrong:", "│": "|", "─": "-", "┼": "+", "┴": "+", "…": "...", "≤": "<=", "≥": ">=",
        "↓": "down", "↑": "up", "▶": ">", "√": "sqrt", "ε": "eps", "ᵀ": ".T", "\u0307": "'", "\u0304": "_",
        **{chr(0x2080 + i): str(i) for i in range(10)},
    }
)  # fmt: skip

# The endings of files, and the formats they name.
ENDINGS = {
    "txt": "text", "md": "markdown", "tex": "latex", "html": "html", "htm": "html", "svg": "svg", "json": "json",
    "dot": "dot", "gv": "dot", "mmd": "mermaid",
}  # fmt: skip
OUTPUT = Option("--output", "FILE", "write to a file, whose ending names the format where --format does not")


@dataclass(frozen=True)
class Answer:
    """What a command has to say.

    Attributes
    ----------
    text : callable
        Returns the answer, in ASCII if it is given True.
    code : int
        The exit code.
    read : bool
        Whether a program is to read it, so that it is UTF-8 wherever it goes but on a terminal.
    path : str or None
        The file it goes to.
    """

    text: Callable[[bool], str]
    code: int = 0
    read: bool = False
    path: str | None = None


def format_option(*formats: str) -> Option:
    """Return the option that chooses one of some formats, the first by default."""
    endings = tuple(ending for ending, named in ENDINGS.items() if named in formats)
    shown = f"{', '.join(formats[:-1])} or {formats[-1]}"
    says = f"{shown}; {formats[0]} by default; --{formats[1]} is short for --format {formats[1]}"
    return Option("--format", "FORMAT", says, tuple(dict.fromkeys((*formats, *endings))), shown)


def chosen_format(chosen: Mapping[str, str], page: Page) -> str:
    """Return the format asked for: by its name, or by the ending of the file."""
    (option,) = (option for option in page.options if option.name == "--format")
    named = chosen.get("format")
    if named is not None:
        return ENDINGS.get(named, named)
    path = chosen.get("output", "-")
    if path == "-":
        return option.choices[0]
    _, dot, ending = path.lower().rpartition(".")
    if not dot or ending not in option.choices or ending not in ENDINGS:
        endings = ", ".join(f".{known}" for known in option.choices if known in ENDINGS)
        raise UsageError(f"the ending of {quote(path)} names no format: write one of {endings}, or add --format")
    return ENDINGS[ending]


def rendered(made: Any, kind: str, width: int | None, ascii: bool) -> str:
    """Return what a transform of the lecture desk made, in a format.

    Parameters
    ----------
    made : Trace, Chain or Comparison
        With a method ``to_…`` for each format.
    kind : str
        The format.
    width : int or None
        Columns of a text; those of the terminal where it is None.
    ascii : bool
        Whether a text is to do without the signs of mathematics.
    """
    if kind == "text":
        text = str(made.to_text(width or columns(), ascii=ascii))
    elif kind == "json":
        import json

        text = json.dumps(made.to_dict(), allow_nan=False)
    else:
        text = str(getattr(made, f"to_{kind}")())
    return text if text.endswith("\n") else f"{text}\n"


def columns() -> int:
    """Return the width of the terminal, or 80 where there is none."""
    import shutil

    return shutil.get_terminal_size().columns


def give(answer: Answer) -> int:
    """Write an answer where it belongs, and return the exit code."""
    text, path = answer.text(False), answer.path
    if path is not None and path != "-":
        try:
            with open(path, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - pathlib takes 10 ms to load
                file.write(text)
        except (OSError, ValueError) as error:  # a folder that is not there; a null character in the name
            write(f"dualdiff: {quote(path)} could not be written: {_reason(error)}\n", sys.stderr)
            return 1
        write(f"wrote {path}\n", sys.stderr)
        return answer.code
    try:
        if answer.read:
            _pass_on(text, sys.stdout)
        else:
            write(text if _shows(text, sys.stdout) else answer.text(True), sys.stdout)
    except BrokenPipeError:  # the reader has seen enough: python -m dualdiff | head -3
        drop_stdout()
    except OSError as error:
        drop_stdout()
        write(f"dualdiff: the result could not be written: {_reason(error)}\n", sys.stderr)
        return 1
    return answer.code


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _shows(text: str, stream: TextIO | None) -> bool:
    """Tell whether a stream has signs for a text."""
    try:
        text.encode(_encoding(stream))
    except UnicodeEncodeError:
        return False
    return True


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def write(text: str, stream: TextIO | None) -> None:
    """Write in the signs that the stream can show."""
    if not _shows(text, stream):
        text = text.replace("²  ", "**2").translate(ASCII)  # takes two blanks of a table's padding
        text = text.encode(_encoding(stream), "backslashreplace").decode(_encoding(stream))
    print(text, end="", file=stream, flush=True)  # and nothing where there is no stream, as under pythonw


def _pass_on(text: str, stream: TextIO | None) -> None:
    """Write for another program: in UTF-8, in which pages and drawings are read, whatever a terminal shows."""
    raw = getattr(stream, "buffer", None)
    if stream is None or raw is None or stream.isatty():
        write(text, stream)
        return
    stream.flush()
    raw.write(text.encode("utf-8", "backslashreplace"))
    raw.flush()


def drop_stdout() -> None:
    """Send nowhere what is still buffered, or Python would complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def strict(x: Any) -> Any:
    """Return data that strict JSON can have, which has no word for nan and inf."""
    if isinstance(x, dict):
        return {key: strict(item) for key, item in x.items()}
    if isinstance(x, list | tuple):
        return [strict(item) for item in x]
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x
