"""Where an answer goes: to the terminal in the signs it can show, to a pipe, or to a file."""

from __future__ import annotations

import codecs
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
    "in_ascii",
    "rendered",
    "require_ending",
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
    kind : str
        The format; all but text are for programs.
    path : str or None
        The file it goes to.
    """

    text: Callable[[bool], str]
    code: int = 0
    kind: str = "text"
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
        kind = ENDINGS.get(named, named)
        require_ending(chosen, kind, f"--format is {kind}")
        return kind
    path = chosen.get("output", "-")
    if path == "-":
        return option.choices[0]
    _, dot, ending = path.lower().rpartition(".")
    if not dot or ending not in option.choices or ending not in ENDINGS:
        endings = ", ".join(f".{known}" for known in option.choices if known in ENDINGS)
        raise UsageError(f"the ending of {quote(path)} names no format: write one of {endings}, or add --format")
    return ENDINGS[ending]


def require_ending(chosen: Mapping[str, str], kind: str, why: str) -> None:
    """Refuse a file whose ending names another format than it is written in; .txt and unknown endings name none."""
    path = chosen.get("output", "-")
    named = ENDINGS.get(path.lower().rpartition(".")[2], kind)
    if "." in path and named not in {kind, "text"}:
        ending = next(ending for ending, own in ENDINGS.items() if own == kind)
        way_out = f"end it in .{ending}" + (", or leave --format out" if "format" in chosen else "")
        raise UsageError(f"the ending of {quote(path)} says {named}, and {why}: {way_out}")


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
    """Write an answer where it belongs, and return the exit code: 2 where it could not be written."""
    text, path = answer.text(False), answer.path
    if path is not None and path != "-":
        try:
            with open(path, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - pathlib takes 10 ms to load
                file.write(text)
        except (OSError, ValueError) as error:  # a folder that is not there; a null character in the name
            write(f"dualdiff: {quote(path)} could not be written: {_reason(error)}\n", sys.stderr)
            return 2
        write(f"wrote {path}\n", sys.stderr)
        return answer.code
    try:
        if answer.kind == "text":
            write(text if _shows(text, sys.stdout) else answer.text(True), sys.stdout)
        else:
            _pass_on(text, answer.kind, sys.stdout)
    except BrokenPipeError:  # the reader has seen enough: python -m dualdiff | head -3
        drop_stdout()
    except OSError as error:
        drop_stdout()
        write(f"dualdiff: the result could not be written: {_reason(error)}\n", sys.stderr)
        return 2
    except UsageError as error:
        write(f"dualdiff: {error}\n", sys.stderr)
        return 2
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
        text = in_ascii(text)
        text = text.encode(_encoding(stream), "backslashreplace").decode(_encoding(stream))
    print(text, end="", file=stream, flush=True)  # and nothing where there is no stream, as under pythonw


def in_ascii(text: str) -> str:
    """Return a text without the signs of mathematics; letters such as 값 are left in it."""
    return text.replace("²  ", "**2").translate(ASCII)  # takes two blanks of a table's padding


def _pass_on(text: str, kind: str, stream: TextIO | None) -> None:
    """Write for another program: in UTF-8, in which pages and drawings are read.

    A terminal has an encoding of its own, and so has a pipe to which PYTHONIOENCODING gives one. Pages and drawings say
    in themselves that they are UTF-8, and so have references in place of what is not ASCII.
    """
    encoding, raw = _encoding(stream), getattr(stream, "buffer", None)
    terminal = stream is not None and stream.isatty()
    if raw is not None and not terminal and not os.environ.get("PYTHONIOENCODING"):
        encoding = "utf-8"
    if codecs.lookup(encoding).name != "utf-8":
        if kind in {"html", "svg"}:
            text = text.encode("ascii", "xmlcharrefreplace").decode()
        try:
            text.encode(encoding)
        except UnicodeEncodeError as error:
            sign = ascii(error.object[error.start])
            way_out = "write -o FILE, which is UTF-8"
            raise UsageError(f"{kind} has {sign}, which stdout in {encoding} cannot show: {way_out}") from None
    data = text.encode(encoding, "backslashreplace")  # half a character, which UTF-8 has no place for
    if raw is None or terminal:
        print(data.decode(encoding), end="", file=stream, flush=True)
        return
    stream.flush()  # type: ignore[union-attr]  # there is one, where it has a buffer
    raw.write(data)
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
