"""What each cell of the table says: the chain rule of a row in letters, in numbers, and what comes out.

The same words serve text, Markdown and LaTeX; only the signs differ.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from dualdiff.lecture.drawn.figures import array_texts, number
from dualdiff.lecture.drawn.notation import barred, dotted, factor, plain, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dualdiff.lecture.drawn.figures import Notation

__all__ = ["Rule", "Wording", "effort", "grouped", "omissions"]

TERMS = 8  # of a sum that is written out
_SIGNS = {
    "unicode": {"·": "·", "−": "−", "∂": "(∂{}/∂{})", "…": "…", "sum": "sum({})"},
    "ascii": {"·": "*", "−": "-", "∂": "(d{}/d{})", "…": "...", "sum": "sum({})"},
    "latex": {
        "·": r" \cdot ", "−": "-", "∂": r"\frac{{\partial {}}}{{\partial {}}}", "…": r"\cdots",
        "sum": r"\operatorname{{sum}}\left({}\right)",
    },
}  # fmt: skip


class Rule(NamedTuple):
    """What a number of the table is, in parts: letters and numbers are empty where there is nothing to say."""

    name: str
    letters: str
    numbers: str
    values: list[str]  # ways to write the result, the most detailed first
    briefs: tuple[str, ...] = ()  # of a sum in numbers: with fewer and fewer of its terms
    sum: bool = False  # whether the numbers are a sum, where paths meet

    def full(self) -> str:
        """Return all parts, joined by equals signs."""
        return _equal(self.name, self.letters, self.numbers, self.values[0])

    def ways(self) -> list[tuple[int, str]]:
        """Return ways to write it, each with its level: 0 for all parts, 1 without letters, 2 the value, 3 bare.

        The shape alone of an array is the last of all.
        """
        long = self.values[:-1] or self.values
        found = [(0, _equal(self.name, self.letters, self.numbers, value)) for value in long]
        found += [(1, _equal(self.name, self.numbers or self.letters, value)) for value in long]
        found += [(1, _equal(self.name, brief, long[-1])) for brief in self.briefs]
        found += [(2, _equal(self.name, value)) for value in long]
        return found + [(3, value) for value in self.values]


def _equal(*parts: str) -> str:
    """Return a chain of equations, in which nothing is said twice in a row."""
    said = [part for part in parts if part]
    return " = ".join(part for i, part in enumerate(said) if i == 0 or part != said[i - 1])


class Wording:
    """The words for one trace in one notation."""

    def __init__(self, told: dict[str, Any], notation: Notation = "unicode") -> None:
        self.told = told
        self.notation: Notation = notation
        self.signs = _SIGNS[notation]
        self.named = {row["name"]: row for row in told["rows"] if row["role"] != "cut"}
        self.users = defaultdict[str, list[tuple[dict[str, Any], dict[str, Any]]]](list)
        for row in reversed(self.named.values()):  # as the reverse sweep meets them
            for partial in row["partials"]:
                self.users[partial["operand"]].append((row, partial))
        cut = max((i for i, row in enumerate(told["rows"]) if row["role"] == "cut"), default=0)
        self.hidden = {row["name"] for row in told["rows"][:cut] if row["role"] != "cut"}
        seed = told["seed"]
        seeded = [name for name in self.named if seed == name or seed.startswith((f"{name}[", f"{name}."))]
        self.seed = max(seeded, key=len, default="")

    def step(self, row: dict[str, Any]) -> str:
        """Return the name of a row."""
        return written(row["name"], self.notation)

    def source(self, row: dict[str, Any]) -> str:
        """Return the user's own text of a row."""
        if row["role"] == "input" and row["source"] == row["name"]:
            return "(input)"
        text = plain(row["source"])
        return text.encode("ascii", "backslashreplace").decode() if self.notation == "ascii" else text

    def seeds(self) -> list[str]:
        """Return what is 1 in each pass: one tangent for each direction, then an adjoint."""
        names = [dotted(label, self.notation) for label in self.told["directions"]]
        return [*names, barred(self.told["seed"], self.notation)]

    def primal(self, row: dict[str, Any]) -> Rule:
        """Return the formula of a row and its value; the name is left out."""
        given = row["operation"] == "input" or row["formula"] in {None, row["name"]}
        return Rule("", "" if given else written(row["formula"], self.notation), "", self._values(row["value"]))

    def tangent(self, row: dict[str, Any], i: int) -> Rule:
        """Return the tangent of a row in direction i: the sum over its operands, partial times tangent."""
        name, values = dotted(row["name"], self.notation), self._values(row["tangents"][i])
        formulas = row.get("tangent_formulas")
        if formulas and formulas[i] is not None:
            return Rule("", written(formulas[i], self.notation), "", values)
        letters, products = list[str](), list[str | None]()
        for partial in row["partials"]:
            moved = self.named.get(partial["operand"])
            letters.append(self._product(self._factor(row, partial), dotted(partial["operand"], self.notation)))
            products.append(self._numbers(row, partial, moved["tangents"][i]) if moved else None)
        return self._rule(name, letters, products, values)

    def adjoint(self, row: dict[str, Any]) -> Rule:
        """Return the adjoint of a row: the sum over what was made of it, in the order of the reverse sweep."""
        name, values = barred(row["name"], self.notation), self._values(row["adjoint"])
        if row.get("adjoint_formula") is not None:
            return Rule("", written(row["adjoint_formula"], self.notation), "", values)
        users = self.users[row["name"]]
        letters = [self._pulled(row, user, partial) for user, partial in users]
        products = [self._numbers(user, partial, user["adjoint"], first=True) for user, partial in users]
        whole = self._complete(row, users)
        if row["name"] == self.seed and (letters or not whole):
            letters.insert(0, number(1, self.notation) if not row["shape"] else "seed")
            products.insert(0, None if row["shape"] else "1")
        if not whole:
            letters.append(self.signs["…"])
            products.append(self.signs["…"])
        return self._rule(name, letters, products, values)

    def _rule(self, name: str, letters: Sequence[str], products: Sequence[str | None], values: list[str]) -> Rule:
        """Return a sum over paths: its terms in letters and in numbers."""
        terms = self._few([p for p in products if p]) if None not in products else []
        briefs = tuple(
            " + ".join([*terms[:k], self.signs["…"], terms[-1]])
            for k in range(len(terms) - 2, 0, -1)
            if terms[k - 1] != self.signs["…"]
        )
        return Rule(name, self._joined(letters), " + ".join(terms), values, briefs, sum=len(terms) > 1)

    def _values(self, value: Any) -> list[str]:
        """Return ways to write a value; of an array the numbers without its shape come before the shape alone."""
        if value is None:
            return [self.signs["…"]]
        texts = array_texts(value, self.notation)
        if len(texts) < 2:
            return texts
        *longer, shape = texts
        numbers = longer[-1].removeprefix(f"{shape} ")
        return [*longer, numbers, shape] if numbers != "[]" else texts

    def _factor(self, row: dict[str, Any], partial: dict[str, Any]) -> str:
        """Return a local partial as a factor; where it has no text, as a quotient of differentials."""
        if partial["formula"] is not None:
            return factor(partial["formula"], self.notation)
        return self.signs["∂"].format(*(written(x, self.notation) for x in (row["name"], partial["operand"])))

    def _product(self, one: str, other: str) -> str:
        """Return a product, without a factor 1; −1 is a sign."""
        for unit in {"1", "(−1)", "(-1)", r"\left(-1\right)"} & {one, other}:
            return ("" if unit == "1" else self.signs["−"]) + (other if unit == one else one)
        return f"{one}{self.signs['·']}{other}"

    def _pulled(self, row: dict[str, Any], user: dict[str, Any], partial: dict[str, Any]) -> str:
        """Return what the adjoint of `user` adds to the adjoint of `row`."""
        product = self._product(barred(user["name"], self.notation), self._factor(user, partial))
        repeated = partial["kind"] == "elementwise" and user["shape"] != row["shape"]
        return self.signs["sum"].format(product) if repeated else product  # copies that NumPy made add up

    def _numbers(self, row: dict[str, Any], partial: dict[str, Any], moved: Any, *, first: bool = False) -> str | None:
        """Return one product in numbers; None where one of them is an array, or not known."""
        pair = [moved, partial["value"]] if first else [partial["value"], moved]
        if row["shape"] or partial["kind"] != "number" or any(x is None or isinstance(x, list | dict) for x in pair):
            return None
        return self.signs["·"].join(number(x, self.notation, bracketed=True) for x in pair)

    def _joined(self, terms: Sequence[str]) -> str:
        minus, terms = self.signs["−"], self._few(terms)
        signed = [f" {minus} {t[len(minus) :]}" if t.startswith(minus) else f" + {t}" for t in terms]
        return "".join([*terms[:1], *signed[1:]])

    def _few(self, terms: Sequence[str]) -> list[str]:
        """Return the terms of a sum, of many the first and the last ones."""
        return [*terms] if len(terms) <= TERMS else [*terms[: TERMS // 2], self.signs["…"], *terms[-TERMS // 4 :]]

    def _complete(self, row: dict[str, Any], users: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> bool:
        """Return whether no row that uses this one was cut out, as far as the sum tells."""
        if row["name"] not in self.hidden:
            return True
        parts = [(user["adjoint"], partial["value"]) for user, partial in users]
        if not all(isinstance(x, int | float) for x in (row["adjoint"], *(x for pair in parts for x in pair))):
            return False
        total = math.fsum(x * y for x, y in parts) + (row["name"] == self.seed)
        return math.isclose(total, row["adjoint"], rel_tol=1e-9, abs_tol=1e-12)


def effort(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return how many passes and operations both sweeps take, each in many words and in few."""
    passes, ahead, back = told["passes"], told["counts"]["forward"], told["counts"]["reverse"]
    forward, reverse = grouped(passes["forward"]), grouped(passes["reverse"])
    counted = (
        f"forward {grouped(ahead['multiplications'])} / {grouped(ahead['additions'])}, "
        f"reverse {grouped(back['multiplications'])} / {grouped(back['additions'])}"
    )
    return [
        (
            f"passes: forward {forward} (one per input, read ↓), reverse {reverse} (one per output, read ↑)",
            f"passes: forward {forward}, reverse {reverse}",
        ),
        (f"× / + for derivatives: {counted}   (×1 counted)", f"× / +: {counted} (×1\xa0counted)"),
    ]


def omissions(told: dict[str, Any]) -> list[str]:
    """Return sentences on what a table of all there is would have besides."""
    unused, directions = told["omitted"]["unused"], told["omitted"]["directions"]
    found = []
    if unused:
        steps, it = ("step", "it") if unused == 1 else ("steps", "them")
        found.append(f"{grouped(unused)} {steps} of f left out: no result depends on {it}")
    if directions:
        found.append(f"{grouped(directions)} more forward pass{'es' * (directions != 1)} not shown")
    return found


def grouped(count: int) -> str:
    """Return a count with its digits in groups of three."""
    return f"{count:,}".replace(",", " ")
