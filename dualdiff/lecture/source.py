"""Where an operation stands in the user's own code: the text of the expression, and the branch that it decides."""

from __future__ import annotations

import ast
import linecache
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import CodeType, FrameType

__all__ = ["BOUNDARIES", "NOWHERE", "Decision", "Place", "called_from", "name_of", "refresh", "tests_under_way"]

_HERE = f"{Path(__file__).parents[1]}{os.sep}"  # a doctest has a module's name, but not its file
_LIBRARIES = ("numpy", "functools", "contextlib")
_MOST = 400  # characters of source that a row can want
_MOST_FILES = 64

Spot = tuple[int, int, int, int]
"""First and last line, first and last column: in bytes, as Python counts them."""


class Decision(NamedTuple):
    """The test of a branch, and the part of it that is being evaluated.

    Attributes
    ----------
    kind : str
        ``"if"``, ``"elif"``, ``"while"`` or ``"assert"``.
    text : str
        The whole test.
    test, part : ast.expr
        The test, and the part.
    """

    kind: str
    text: str
    test: ast.expr
    part: ast.expr


class Place(NamedTuple):
    """An expression in the user's code.

    Attributes
    ----------
    text : str or None
        The expression as it is written, on one line; None where the source is not to be had.
    line : int or None
        Its line in the file.
    spot : Spot or None
        Where exactly.
    decision : Decision or None
        The branch that hangs on it.
    """

    text: str | None
    line: int | None = None
    spot: Spot | None = None
    decision: Decision | None = None


NOWHERE = Place(None)


BOUNDARIES: set[CodeType] = set()
"""The code that runs a user's function: beyond it stands whoever asked, not what is evaluated."""


def called_from(statement: bool = False) -> tuple[Place, FrameType | None]:
    """Return the user's expression that is being evaluated, or the whole statement around it, and where it runs."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code not in BOUNDARIES:
        told = frame.f_locals.get("__source__") if frame.f_code.co_flags & _OPTIMIZED else None
        if isinstance(told, str):  # an interpreter of formulas says which part it is at
            return Place(told), frame
        module = frame.f_globals.get("__name__", "").split(".")[0]
        if module not in _LIBRARIES and not frame.f_code.co_filename.startswith(_HERE):
            break
        frame = frame.f_back
    if frame is None or frame.f_code in BOUNDARIES:
        return NOWHERE, None
    spot, lines = _where(frame)
    if spot is None:
        line = _positions(frame.f_code)[frame.f_lasti // 2][0]
        return Place(None, frame.f_lineno if line is None else line), frame
    line = spot[0]
    known = _grammar(frame.f_code.co_filename, lines)
    if statement:
        spot = next((s for s in known.statements.get(line, ()) if _within(spot, s)), spot)
    text = _flat(_cut(lines, known.goes_over.get(spot, spot)))
    return Place(text, line, spot, known.decisions.get(spot)), frame


def tests_under_way() -> set[tuple[FrameType | None, ast.expr]]:
    """Return the tests of branches that are being evaluated, in this call or in those that called it."""
    found: set[tuple[FrameType | None, ast.expr]] = set()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code not in BOUNDARIES:
        spot, lines = _where(frame)
        decision = None if spot is None else _grammar(frame.f_code.co_filename, lines).decisions.get(spot)
        if decision is not None:
            found.add((frame, decision.test))
        frame = frame.f_back
    return found


def _where(frame: FrameType) -> tuple[Spot | None, list[str]]:
    """Return the place that a frame is at, and the lines of its file; None where there is no text."""
    line, last, start, stop = _positions(frame.f_code)[frame.f_lasti // 2]
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    if line is None or last is None or start is None or stop is None or len(lines) < last:
        return None, lines
    return (line, last, start, stop), lines


_OPTIMIZED = 0x1  # inspect.CO_OPTIMIZED: a function, whose locals are its own


def _within(inner: Spot, outer: Spot) -> bool:
    return (outer[0], outer[2]) <= (inner[0], inner[2]) and (inner[1], inner[3]) <= (outer[1], outer[3])


@lru_cache(maxsize=256)
def _positions(code: CodeType) -> tuple[tuple[int | None, int | None, int | None, int | None], ...]:
    return tuple(code.co_positions())


def _cut(lines: list[str], spot: Spot) -> str:
    """Return the text at a place."""
    line, last, start, stop = spot
    rows = [row.encode() for row in lines[line - 1 : last]]
    rows[-1] = rows[-1][:stop]
    rows[0] = rows[0][start:]
    return b"".join(rows).decode(errors="replace")


def _flat(text: str) -> str:
    """Return an expression on one line, without comments."""
    if "\n" in text:
        try:
            text = ast.unparse(ast.parse(f"({text})", mode="eval"))
        except SyntaxError:
            text = " ".join(text.split())
    text = text.strip()
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


class _Read(NamedTuple):
    """What a file's grammar says about its places."""

    decisions: dict[Spot, Decision]
    statements: dict[int, list[Spot]]  # by the line that they begin in
    goes_over: dict[Spot, Spot]  # what a loop goes over, by the place of the loop


_files: dict[str, tuple[list[str], _Read]] = {}


def _grammar(name: str, lines: list[str]) -> _Read:
    """Return what is known about a file, read anew where linecache has read it anew."""
    before, known = _files.get(name, (None, None))
    if known is None or before is not lines:
        known = _read(lines)
        if len(_files) >= _MOST_FILES:
            _files.clear()
        _files[name] = (lines, known)
    return known


def _read(lines: list[str]) -> _Read:
    known = _Read({}, {}, {})
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return known
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert)):
            _note_test(node, lines, known.decisions)
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)):
            known.statements.setdefault(node.lineno, []).append(_spot(node))
        elif isinstance(node, ast.For):
            known.goes_over[_spot(node)] = _spot(node.iter)
    return known


def _note_test(
    node: ast.If | ast.IfExp | ast.While | ast.Assert, lines: list[str], decisions: dict[Spot, Decision]
) -> None:
    """Note every part of a test; Python 3.11 gives a jump the place of the whole statement."""
    word = _cut(lines, _spot(node))[:4]
    kind = "elif" if word == "elif" else type(node).__name__.lower().removesuffix("exp")
    text = _flat(_cut(lines, _spot(node.test)))
    decisions[_spot(node)] = Decision(kind, text, node.test, node.test)
    for part in ast.walk(node.test):
        if isinstance(part, ast.expr):
            decisions[_spot(part)] = Decision(kind, text, node.test, part)


def _spot(node: ast.stmt | ast.expr) -> Spot:
    return node.lineno, node.end_lineno or node.lineno, node.col_offset, node.end_col_offset or 0


def refresh() -> None:
    """Forget the text of files that have been edited since."""
    linecache.checkcache()


def name_of(x: object, frame: FrameType | None, taken: Collection[str]) -> str | None:
    """Return the name by which the user's code knows an object, unless it is taken by something else in the table."""
    if frame is None:
        return None
    for names in (frame.f_locals, frame.f_globals):
        for name, known in names.items():
            if known is x and not name.startswith("_") and name not in taken:
                return name
    return None
