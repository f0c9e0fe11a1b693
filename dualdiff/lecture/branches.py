"""Which branch a run took: the test of an `if` or a `while`, decided by the comparisons that were heard of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.source import called_from, tests_under_way
from dualdiff.primal import plain
from dualdiff.proxy import bare

if TYPE_CHECKING:
    from types import FrameType

    from dualdiff.lecture.source import Decision, Place

__all__ = ["Branches"]

_Key = tuple["FrameType | None", ast.expr]  # where a test is evaluated, and the test

_SIGNS = {"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">="}


class Branches:
    """The notes about branches between two rows."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._heard: dict[_Key, dict[ast.expr, list[bool]]] = {}  # answers
        self._waiting: dict[_Key, list[str]] = {}  # what to say of a test that is never decided
        self._at: dict[_Key, int] = {}  # how far the evaluation of a test has come

    def hear(self, name: str, x: Any, other: Any, answer: bool) -> None:
        """Take note of a comparison of two numbers, or of the truth of one."""
        place, frame = called_from()
        told = _told(place, name, x, other, answer)
        decision = place.decision
        if decision is None:
            self._note(told)
            return
        part = decision.part
        while name == "bool" and isinstance(part, ast.UnaryOp):  # the truth of x, in `not x`
            part = part.operand
        if name == "bool" and isinstance(part, ast.BoolOp):
            self._note(told)
            return
        key = (frame, decision.test)
        step = -1 if frame is None else frame.f_lasti
        if step <= self._at.get(key, -1):  # it is evaluated once more: an exception, or another turn of a loop
            self._forget(key)
        self._at[key] = step
        heard = self._heard.setdefault(key, {})
        heard.setdefault(part, []).append(answer)
        outcome = _outcome(decision.test, heard, part)
        if outcome is None:
            self._waiting.setdefault(key, []).append(told)
            return
        self._forget(key)
        self._note(f"{decision.kind} {decision.text}: {_in_words(decision, outcome)}")

    def _forget(self, key: _Key) -> None:
        for known in (self._heard, self._waiting, self._at):
            known.pop(key, None)

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def taken(self) -> list[str]:
        """Return the notes for a row, and begin anew; a row within a test leaves it to be decided."""
        under_way = tests_under_way() if self._waiting else ()
        for key in [key for key in self._waiting if key not in under_way]:
            for told in self._waiting[key]:
                self._note(told)
            self._forget(key)
        notes, self._notes = self._notes, []
        return notes


def _told(place: Place, name: str, x: Any, other: Any, answer: bool) -> str:
    where = place.text or f"line {place.line}"
    if name not in _SIGNS:
        return f"{where}: {'true' if answer else 'false'}"
    left, right = (f"{side:.4g}" for side in (plain(bare(x)), plain(bare(other))))
    return f"{where}: {left} {_SIGNS[name]} {right} is {'true' if answer else 'false'}"


def _in_words(decision: Decision, outcome: bool) -> str:
    if decision.kind == "assert":
        return "holds" if outcome else "fails"
    return "taken" if outcome else "not taken"


def _outcome(node: ast.expr, heard: dict[ast.expr, list[bool]], part: ast.expr) -> bool | None:
    """Return how a test came out as far as is known when `part` of it has been evaluated, the last until now."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and node not in heard:
        inner = _outcome(node.operand, heard, part)
        return None if inner is None else not inner
    if isinstance(node, ast.BoolOp) and node not in heard:
        ends = isinstance(node.op, ast.Or)  # the answer that ends it early
        where = next((i for i, one in enumerate(node.values) if part in set(ast.walk(one))), None)
        if where is None:
            return None
        here = _outcome(node.values[where], heard, part)  # those before it did not end it
        if here is None or here is ends:
            return here
        return here if where == len(node.values) - 1 else None
    answers = heard.get(node, [])
    if isinstance(node, ast.Compare) and len(answers) < len(node.ops):
        return False if False in answers else None
    return answers[-1] if answers else None
