"""Which branch a run took: the test of an `if` or a `while`, decided by the comparisons that were heard of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.source import called_from
from dualdiff.primal import plain
from dualdiff.proxy import bare

if TYPE_CHECKING:
    from dualdiff.lecture.source import Decision, Place

__all__ = ["Branches"]

_SIGNS = {"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">="}


class Branches:
    """The notes about branches between two rows."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._heard: dict[tuple[int, ast.expr], dict[ast.expr, list[bool]]] = {}  # answers, by frame and test
        self._waiting: dict[tuple[int, ast.expr], list[str]] = {}  # what to say of a test that is never decided

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
        key = (id(frame), decision.test)
        heard = self._heard.setdefault(key, {})
        heard.setdefault(part, []).append(answer)
        outcome = _outcome(decision.test, heard, part)
        if outcome is None:
            self._waiting.setdefault(key, []).append(told)
            return
        del self._heard[key]
        self._waiting.pop(key, None)
        self._note(f"{decision.kind} {decision.text}: {_in_words(decision, outcome)}")

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def taken(self, place: Place | None = None) -> list[str]:
        """Return the notes for a row at a place, and begin anew; a row within a test leaves it to be decided."""
        inside = None if place is None or place.decision is None else place.decision.test
        for key in [key for key in self._waiting if key[1] is not inside]:
            for told in self._waiting.pop(key):
                self._note(told)
            self._heard.pop(key, None)
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
