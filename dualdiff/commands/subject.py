"""What a command is about: formulas that were typed, or a function of a file, with a value for each variable."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.commands.files import FileFunction, blamed, load, named_file
from dualdiff.commands.values import argument, number, read
from dualdiff.commands.words import UsageError
from dualdiff.expression import Expression, parse, quote, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dualdiff.commands.words import Page

__all__ = ["Formulas", "Source", "Subject", "sorted_out", "source", "subject", "under_names"]


class Formulas:
    """Formulas that were typed, as one function of their variables.

    Attributes
    ----------
    expressions : tuple of Expression
        One for each output.
    names, required : tuple of str
        The variables, in the order in which they appear.
    """

    path: Path | None = None
    open = False

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self.expressions = tuple(part for e in expressions for part in (e.parts or (e,)))
        self.names = self.required = tuple(dict.fromkeys(name for e in self.expressions for name in e.names))

    @property
    def text(self) -> str:
        """The formulas as they were typed."""
        return ", ".join(e.text for e in self.expressions)

    @property
    def title(self) -> str:
        """How messages call them."""
        return quote(self.text)

    def __call__(self, /, **values: Any) -> Any:
        """Return the value, or a tuple where there are several formulas."""
        made = tuple(e(**{name: values[name] for name in e.names}) for e in self.expressions)
        return made[0] if len(made) == 1 else made


Source = Formulas | FileFunction


@dataclass(frozen=True)
class Subject:
    """A function of what moves, under the names that it has for its user, and the point where it is asked about.

    Attributes
    ----------
    source : Formulas or FileFunction
        Where it comes from.
    values : dict
        What was given, by name.
    moving : tuple of str
        The names of what moves.
    """

    source: Source
    values: dict[str, Any]
    moving: tuple[str, ...]
    hint: str = field(default="", repr=False)

    @property
    def point(self) -> tuple[Any, ...]:
        """The values of what moves."""
        return tuple(self.values[name] for name in self.moving)

    @property
    def function(self) -> Callable[..., Any]:
        """The function of what moves, by position."""
        held = {name: value for name, value in self.values.items() if name not in self.moving}
        return under_names(self.source, self.moving, held)

    def blamed(self) -> Any:
        """Return the context in which an error is the user's."""
        return blamed(self.source.path, self.hint)


def under_names(source: Source, names: Sequence[str], held: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """Return a function of positional arguments that go by these names, the others held fixed."""
    fixed = dict(held or {})

    def f(*point: Any) -> Any:
        return source(**fixed, **dict(zip(names, point, strict=True)))

    if isinstance(source, FileFunction):
        f.__name__ = f.__qualname__ = source.name
        f.__wrapped__ = source.function  # type: ignore[attr-defined]  # where messages find it defined
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    f.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    return f


def sorted_out(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell what is to be differentiated from the values ``NAME=VALUE``."""
    asked = [word for word in words if "=" not in word or named_file(word)]
    return asked, [word for word in words if word not in asked]


def source(words: Sequence[str], command: str) -> Source:
    """Read formulas, or load the function of a file."""
    files = [word for word in words if named_file(word)]
    if not files:
        return Formulas([parse(word) for word in words])
    if len(words) > 1:
        raise UsageError(f"{command} takes one function of a file or formulas, not both: leave {quote(words[1])} out")
    found = named_file(files[0])
    assert found is not None  # noqa: S101 - it was one a line above
    return load(*found)


def subject(source: Source, words: Sequence[str], wrt: str | None = None) -> Subject:
    """Give each variable its value, and see that each has one."""
    formula = isinstance(source, Formulas)
    texts = read(words, formula=formula)
    known = source.names
    for name in source.required:
        if name not in texts:
            raise _missing(source, name, texts)
    for name in texts:
        if name not in known and not source.open:
            raise UsageError(_unused(source, name))
    values = {name: (number if formula else argument)(name, text) for name, text in texts.items()}
    moving = tuple(_chosen(source, values, wrt))
    whole = [name for name in moving if type(values[name]) is int and not formula]
    hint = _hint(whole, values)
    for name in moving:
        values[name] = float(values[name]) if np.ndim(values[name]) == 0 else values[name]
    return Subject(source, values, moving, hint)


def asked_about(words: Sequence[str], chosen: Mapping[str, str], page: Page) -> Subject:
    """Return what a command that takes expressions, or a function of a file, with values is asked about."""
    asked, values = sorted_out(words)
    if not asked:
        raise UsageError(f"{page.command} takes an expression: write {page.prog} {page.examples[0]}")
    return subject(source(asked, page.command), values, chosen.get("wrt"))


def _hint(whole: Sequence[str], values: Mapping[str, Any]) -> str:
    """Say how to keep a count from moving, where one of several whole numbers may be one."""
    if not whole or len(values) < 2:
        return ""
    others = [name for name in values if name not in whole] or [name for name in values if name != whole[-1]]
    return f" (if {' or '.join(whole)} is a count that does not move: --wrt {','.join(others)})"


def _chosen(source: Source, values: Mapping[str, Any], wrt: str | None) -> Iterator[str]:
    """Yield the names of what moves."""
    if wrt is None:
        moving = [name for name in values if not (isinstance(source, FileFunction) and source.whole(name))]
        if not moving:
            raise UsageError(f"{source.title} has no variable to differentiate by: {_example(source)}")
        yield from moving
        return
    names = [name.strip() for name in wrt.split(",")]
    for name in names:
        if name not in values:
            have = f"the variables are {', '.join(values)}" if values else "there are no variables"
            raise UsageError(f"--wrt {quote(name)}: {have}: write {'one of them' if values else 'a formula with some'}")
    if len(set(names)) < len(names):
        raise UsageError(f"--wrt {wrt} names a variable twice: leave one out")
    yield from names


def _example(source: Source) -> str:
    if isinstance(source, Formulas):
        return 'write one, such as "t**2" t=1.2'
    return "give a parameter its value, as in t=1.2" if source.names else "give the function a parameter"


def _unused(source: Source, name: str) -> str:
    if isinstance(source, Formulas):
        have = f"the variables are {', '.join(source.names)}" if source.names else "there are no variables"
        return f"no expression uses {quote(name)}, {have}: leave its value out"
    have = f"its parameters are {', '.join(source.names)}" if source.names else "it has none"
    return f"{source.title} has no parameter {quote(name)}, {have}: leave its value out"


def _missing(source: Source, name: str, given: Mapping[str, Any]) -> Exception:
    if isinstance(source, Formulas):
        return unknown(name, given)
    call = f"{source.name}({', '.join(source.names)})"
    return UsageError(f"{quote(call)} of {source.path.name} has no value for {quote(name)}: add {name}=1.0")
