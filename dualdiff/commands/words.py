"""The words of a command line told apart: options, values of variables, and what is to be differentiated."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from dualdiff.commands.layout import WIDTH, short
from dualdiff.expression import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["HELP", "TRACEBACK", "WRT", "Option", "Page", "UsageError", "told_apart"]

MAX_WORDS = 100  # expressions and values together


class UsageError(Exception):
    """The words of a command line make no sense; the message is one line and says the way out."""


class Option(NamedTuple):
    """An option of a command.

    Attributes
    ----------
    name : str
        As it is typed, such as ``--format``.
    takes : str
        What the word behind it is called in the help, or nothing where it stands alone.
    says : str
        Its line of the help.
    choices : tuple of str
        All that the word behind it may be, or nothing where it may be anything.
    shown : str
        How an error names the choices, where some are only other names of the rest.
    """

    name: str
    takes: str
    says: str
    choices: tuple[str, ...] = ()
    shown: str = ""


HELP = Option("--help", "", "print this help")
TRACEBACK = Option("--traceback", "", "show all of an error in a file's code, as DUALDIFF_TRACEBACK=1 does")
WRT = Option("--wrt", "NAMES", "what moves, with commas between; the rest is held fixed")
_SHORT = {"-h": "--help", "-o": "--output"}
_ELSEWHERE = {  # options of commands, typed without one
    "--format": "trace", "--output": "trace", "-o": "trace", "--symbols": "trace", "--ascii": "trace",
    "--width": "trace",
}  # fmt: skip


class Page(NamedTuple):
    """What the help says of a command.

    Attributes
    ----------
    command : str
        Its name, or nothing for the formula without a command.
    usage : str
        What is typed behind it.
    says : str
        What it does, in sentences.
    options : tuple of Option
        What can be chosen.
    examples : tuple of str
        Words that may be typed behind ``python -m dualdiff``.
    rest : str
        What else there is to know.
    """

    command: str
    usage: str
    says: str
    options: tuple[Option, ...]
    examples: tuple[str, ...]
    rest: str = ""

    @property
    def prog(self) -> str:
        """What is typed before the words."""
        return f"python -m dualdiff {self.command}".rstrip()

    def text(self) -> str:
        """Return the page."""
        usage = textwrap.wrap(f"usage: {self.prog} {self.usage}", WIDTH, subsequent_indent=" " * 9)
        lines = [*usage, "", *textwrap.wrap(self.says, WIDTH), "", "options:"]
        heads = [_head(option) for option in self.options]
        wide = max(map(len, heads)) + 2
        for head, option in zip(heads, self.options, strict=True):
            said = textwrap.wrap(option.says, WIDTH - wide - 2)
            lines += [f"  {head:{wide}}{said[0]}", *(" " * (wide + 2) + line for line in said[1:])]
        lines += ["", "examples:", *(f"  {self.prog} {example}" for example in self.examples)]
        return "\n".join(lines) + "\n" + (f"\n{self.rest}" if self.rest else "")


def _head(option: Option) -> str:
    letter = next((letter for letter, name in _SHORT.items() if name == option.name), "")
    return ", ".join(filter(None, [letter, option.name])) + f" {option.takes}".rstrip()


def told_apart(argv: Sequence[str], page: Page) -> tuple[list[str], dict[str, str]]:
    """Tell expressions and values from options: both may begin with a minus, but only options are words.

    Parameters
    ----------
    argv : sequence of str
        What was typed.
    page : Page
        Says which options there are.

    Returns
    -------
    tuple
        The other words, and what was chosen under the names of the options, without their dashes.
    """
    known = {option.name: option for option in page.options}
    words, chosen = list[str](), dict[str, str]()
    for word in (left := iter(argv)):
        if word == "--":
            words.extend(left)
            continue
        name, equals, value = word.partition("=")
        letter = _SHORT.get(name, name)
        if not re.fullmatch(r"--[a-z][a-z-]*", letter) or (letter != name and letter not in known and name != "-h"):
            words.append(word)
            continue
        if letter not in known and not equals and letter[2:] in _formats(known):
            chosen["format"] = letter[2:]  # --latex for --format latex
            continue
        if letter not in known:
            raise _no_option(word, page, known)
        option = known[letter]
        if option.takes:
            value = value if equals else next(left, "")
            if not value or (option.choices and value not in option.choices):
                raise _no_choice(option, value, page)
        elif equals:
            raise UsageError(f"{quote(word)} has no value to be given: write {option.name}")
        chosen[letter.removeprefix("--")] = value
    if len(words) > MAX_WORDS:
        way_out = "for more, define a Python function and use dualdiff.jacobian"
        raise UsageError(f"there are {len(words)} words, and the limit is {MAX_WORDS}: {way_out}")
    return words, chosen


def _formats(known: Mapping[str, Option]) -> tuple[str, ...]:
    return known["--format"].choices if "--format" in known else ()


def _no_option(word: str, page: Page, known: Mapping[str, Option]) -> UsageError:
    """Return the error for an option that there is not, with a guess at what was meant."""
    import difflib

    name = word.partition("=")[0]
    command = _ELSEWHERE.get(name)
    if command and not page.command:
        way_out = f"it belongs to a command, as in python -m dualdiff {command}"
        return UsageError(f"{quote(name)} is no option of a formula without a command: {way_out}")
    close = [f"--{near}" for near in difflib.get_close_matches(name[2:40], [own[2:] for own in known], 1)]
    value = word.lstrip("-") if "=" in word else ""
    way_out = f"write {(close or [value])[0]}" if close or value else "an expression like it goes after --"
    return UsageError(f"{quote(word)} is no option: {way_out}")


def _no_choice(option: Option, value: str, page: Page) -> UsageError:
    met = quote(value) if value else "nothing"
    takes = option.shown or (f"one of {', '.join(option.choices)}" if option.choices else option.takes)
    return UsageError(short(f"{option.name} takes {takes}, not {met}", 200) + f": see {page.prog} --help")
