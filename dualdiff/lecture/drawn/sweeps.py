"""The steps of the three sweeps through a trace: values, tangents of each direction, adjoints; and what each costs.

Every step is a rule in up to three parts: in letters, in numbers, and what comes out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.drawn.cells import Rule, Wording
from dualdiff.lecture.drawn.figures import array_texts
from dualdiff.lecture.drawn.grammar import SUPERSCRIPTS
from dualdiff.lecture.drawn.notation import plain, unicode_text, width

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Step", "fitting", "formula_of", "shown", "steps"]


@dataclass(frozen=True)
class Step:
    """One row worked out in one pass of one sweep.

    Attributes
    ----------
    sweep : {"values", "forward", "reverse"}
        Which sweep.
    turn : int
        Which of its passes, from 1: one for each direction, or for each number of the result.
    row : int
        The row's position in the list of rows.
    name : str
        What is worked out: v₂, v̇₂ or v̄₂; empty for rows that were cut out.
    parts : tuple of str
        What it equals: in letters, in numbers, and the result, which is always there and last.
    letters : str or None
        The result in the letters of the inputs, where the trace was made with symbols.
    seed : bool
        Whether its number was given when the pass began.
    multiplications, additions : int or None
        Of all passes of this sweep up to here; None where the trace has arrays or a cut.
    """

    sweep: str
    turn: int
    row: int
    name: str
    parts: tuple[str, ...]
    letters: str | None
    seed: bool
    multiplications: int | None
    additions: int | None


def shown(value: Any) -> str:
    """Return a number or an array of the dict as its reader sees it, in one line."""
    return array_texts(value)[0]


def fitting(value: Any, columns: int) -> str:
    """Return a number or an array of the dict with as many of its entries as there is room for."""
    texts = array_texts(value)
    return next((text for text in texts if width(text) <= columns), texts[-1])


def formula_of(row: dict[str, Any]) -> str:
    """Return what a row is made of, as text: its formula, or the reader's own where it has none."""
    return plain(row["source"]) if row["formula"] is None else unicode_text(row["formula"])


def _reached(rows: list[dict[str, Any]], output: str) -> list[dict[str, Any]]:
    """Return the rows that an output is made from, it first."""
    names = {output}
    found = []
    for row in reversed(rows):
        if row["role"] != "cut" and row["name"] in names:
            found.append(row)
            names.update(partial["operand"] for partial in row["partials"])
    return found


def counted(told: dict[str, Any]) -> bool:
    """Return whether operations can be counted step by step, so that the steps add up to what the trace counted.

    They do where all rows are numbers and none was cut out: forward a row with k partials takes k multiplications and
    k - 1 additions; reverse k multiplications, and an addition for each contribution beyond the first to an adjoint.
    """
    rows = told["rows"]
    if told["omitted"]["directions"] or any(row["role"] == "cut" or row["shape"] for row in rows):
        return False
    ahead = [len(row["partials"]) for row in rows]
    forward = sum(ahead), sum(max(k - 1, 0) for k in ahead)
    back = [
        [p["operand"] for row in _reached(rows, name) for p in row["partials"]]
        for name in dict.fromkeys(told["outputs"])
    ]
    reverse = sum(map(len, back)), sum(len(operands) - len(set(operands)) for operands in back)
    counts = [tuple(told["counts"][mode].values()) for mode in ("forward", "reverse")]
    return counts == [tuple(len(told["directions"]) * number for number in forward), reverse]


def steps(told: dict[str, Any]) -> list[list[Step]]:
    """Return the steps of each pass: values first, then one pass per direction, then the one of the adjoints.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.

    Returns
    -------
    list of lists of Step
        Rows in the order in which they are worked out: the last row first where adjoints are.
    """
    sweeps = _Sweeps(told)
    passes = [list(sweeps.values())]
    passes += [list(sweeps.tangents(turn)) for turn in range(len(told["directions"]))]
    return [*passes, list(sweeps.adjoints())]


class _Sweeps:
    """What all steps look up: the words of their rules, who moves whom, and how far counting has come."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.rows = [
            row if row["role"] == "cut" else {**row, "tangent_formulas": [], "adjoint_formula": None}  # rules first
            for row in told["rows"]
        ]
        self.ahead = Wording({**told, "rows": self.rows})
        reached = {row["name"] for row in _reached(self.rows, self.ahead.seed)}
        still = [row if row.get("name") in reached else {**row, "partials": []} for row in self.rows]
        self.back = Wording({**told, "rows": still})  # a reverse pass goes only through what its seed is made from
        numbered = self.ahead.seed and told["passes"]["reverse"] == len(told["outputs"])  # else there are arrays
        self.turn = told["outputs"].index(self.ahead.seed) + 1 if numbered else 1
        self.counted = counted(told)
        self.multiplications = self.additions = 0

    def _step(self, sweep: str, turn: int, row: int, rule: Rule, letters: str | None = None) -> Step:
        """Return a step, its rule without what would be said twice."""
        spent = (self.multiplications, self.additions) if self.counted and sweep != "values" else (None, None)
        seeded = {"values": [], "forward": self.told["directions"][turn - 1 : turn], "reverse": [self.told["seed"]]}
        own = self.rows[row].get("name")
        seed = any(label == own or label.startswith((f"{own}[", f"{own}.")) for label in seeded[sweep])
        said = [rule.letters, rule.numbers, rule.values[0]]
        parts = tuple(part for i, part in enumerate(said) if part and part not in said[:i])
        formula = None if letters is None else unicode_text(letters)
        return Step(sweep, turn, row, rule.name, parts, None if formula in parts else formula, seed, *spent)

    def _cut(self, sweep: str, turn: int, row: int) -> Step:
        return self._step(sweep, turn, row, Rule("", "", "", [f"{self.rows[row]['rows']} more rows, in the same way"]))

    def values(self) -> Iterator[Step]:
        """Yield the steps in which f itself is worked out."""
        for i, row in enumerate(self.rows):
            if row["role"] == "cut":
                yield self._cut("values", 1, i)
                continue
            name, formula, result = unicode_text(row["name"]), formula_of(row), [shown(row["value"])]
            plain_name = row["operation"] == "input" or formula == name
            rule = Rule(name, "", "", result) if plain_name else Rule(name, formula, self._inserted(row), result)
            yield self._step("values", 1, i, rule)

    def _inserted(self, row: dict[str, Any]) -> str:
        """Return a row's formula with numbers in the place of names, where it is one of numbers."""
        if row["formula"] is None or row["shape"] or any(partial["kind"] != "number" for partial in row["partials"]):
            return ""
        numbers = {}
        for name in (*(partial["operand"] for partial in row["partials"]), *self.told["inputs"]):
            if name in row["formula"] and name in self.ahead.named:
                value = shown(self.ahead.named[name]["value"])
                numbers[name] = value if re.fullmatch(r"[\d.]+", value) else f"({value})"
        if not numbers:
            return ""
        names = "|".join(map(re.escape, sorted(numbers, key=len, reverse=True)))
        letter = rf"[^\W{SUPERSCRIPTS}]"
        pattern = rf"(?<!{letter})(?<![.'\"])({names})(?!{letter}|[(\[.'\"])"
        inserted = re.sub(pattern, lambda found: numbers[found[1]], row["formula"])
        return "" if inserted == row["formula"] else unicode_text(inserted)

    def tangents(self, turn: int) -> Iterator[Step]:
        """Yield the steps of the forward pass whose direction is number `turn` (from 0)."""
        for i, row in enumerate(self.rows):
            if row["role"] == "cut":
                yield self._cut("forward", turn + 1, i)
                continue
            self.multiplications += len(row["partials"])
            self.additions += max(len(row["partials"]) - 1, 0)
            formulas = self.told["rows"][i]["tangent_formulas"]
            rule = self.ahead.tangent(row, turn)
            yield self._step("forward", turn + 1, i, rule, formulas[turn] if formulas else None)

    def adjoints(self) -> Iterator[Step]:
        """Yield the steps of the reverse pass."""
        self.multiplications = self.additions = 0
        for i in reversed(range(len(self.rows))):
            row = self.rows[i]
            if row["role"] == "cut":
                yield self._cut("reverse", self.turn, i)
                continue
            users = len(self.back.users[row["name"]])
            self.multiplications += users
            self.additions += max(users - 1, 0)
            yield self._step("reverse", self.turn, i, self.back.adjoint(row), self.told["rows"][i]["adjoint_formula"])
