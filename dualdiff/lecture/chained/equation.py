"""The chain rule as an equation of matrices, in text, from the dict of a `Chain`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from dualdiff.lecture.chained.matrices import SHOWN, Names, grouped
from dualdiff.lecture.drawn.figures import number
from dualdiff.lecture.drawn.notation import clipped, padded, width as columns_of, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dualdiff.lecture.drawn.figures import Notation

__all__ = ["Sentences", "sentences", "to_text"]

NARROWEST, _ENDLESS = 40, 10**6
FEW = 2  # entries worked out where there are more paths to each than are told
TERMS = 6  # of a sum that is shown in full
LARGEST = 3  # of a longer one
LISTED = 5  # bracketings listed one by one: all of four factors

_SIGNS = {
    "unicode": {
        "∂": "∂", "·": "·", "∘": "∘", "→": "→", "×": "×", "…": "…", "✓": "✓", "✗": "✗", "[": "⎡⎢⎣[", "]": "⎤⎥⎦]",
    },
    "ascii": {
        "∂": "d", "·": "*", "∘": " o ", "→": "->", "×": "x", "…": "...", "✓": "ok:", "✗": "no:", "[": "[[[[",
        "]": "]]]]",
    },
}  # fmt: skip


def to_text(told: dict[str, Any], width: int, ascii: bool = False) -> str:
    """Chain rule as text.

    Parameters
    ----------
    told : dict
        What `Chain.to_dict` returns.
    width : int
        Columns of the terminal; fewer than 40 count as 40.
    ascii : bool, default False
        Whether to use ASCII alone.

    Returns
    -------
    str
        The equation of matrices, side by side or, where there is no room, one below the other; entries as sums over
        paths; whether the direct Jacobian agrees; and what each bracketing costs.
    """
    sheet = _Sheet(told, max(width, NARROWEST), "ascii" if ascii else "unicode")
    return "\n".join(line.rstrip() for line in sheet.lines())


class Sentences(NamedTuple):
    """What a sheet says beside its matrices, each sentence in one line."""

    values: str
    heads: list[str]
    entries: list[str]
    verdict: str
    counts: list[str]


def sentences(told: dict[str, Any]) -> Sentences:
    """Return the sentences of a chain, and what its product and its factors are called."""
    sheet = _Sheet(told, _ENDLESS, "unicode")
    (values,) = sheet._joined(sheet._values(), " → ")
    whole, *heads = sheet._heads()
    if len(heads) > 1:
        product = sheet.signs["·"].join(map(sheet._j, range(len(heads))))
        heads = [f"{sheet._j(i)} = {head}" for i, head in enumerate(heads)]
        whole = f"J = {product} = {whole}"
    (verdict,) = sheet._check()
    counts = [" ".join(line.split()) for line in sheet._counts()]
    return Sentences(values, [whole, *heads], list(sheet._entries()), verdict, counts)


_DIRECTIONS = {"forward": "right to left", "reverse": "left to right"}


class _Block(NamedTuple):
    """Lines of a matrix, the first of them names where `above` is 1."""

    lines: list[str]
    above: int = 0

    @property
    def width(self) -> int:
        return max(map(columns_of, self.lines))


class _Sheet:
    """One chain laid out for one width."""

    def __init__(self, told: dict[str, Any], limit: int, notation: Notation) -> None:
        self.told, self.limit, self.notation = told, limit, notation
        self.signs = _SIGNS[notation]
        self.names = Names(told, notation)
        self.stages, self.factors = told["stages"], told["factors"]
        self.scalar = all(stage["size"] == 1 for stage in self.stages)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the sheet."""
        yield from self._joined(self._values(), f" {self.signs['→']} ")
        yield ""
        yield from self._grid() or self._stack()
        entries = list(self._entries())
        if entries:
            yield ""
            yield from entries
        yield ""
        yield from self._check()
        yield from self._counts()

    def _joined(self, parts: Sequence[str], sign: str, indent: str = "") -> list[str]:
        """Return parts joined in one line, or in as many as they need."""
        found = [parts[0]]
        for part in parts[1:]:
            if columns_of(found[-1] + sign + part) <= self.limit:
                found[-1] += sign + part
            else:
                found.append(indent + sign.lstrip() + part)
        return list(map(self._cut, found))

    def _values(self) -> list[str]:
        """Return what each stage is worth, from the inputs on."""
        found = []
        for stage in reversed(self.stages):
            group, values = self.names.group(stage), stage["values"]
            if isinstance(values, dict) or len(values) > SHOWN:
                found.append(f"{group}: {grouped(stage['size'])} numbers")
                continue
            numbers = [number(x, self.notation) for x in values]
            if len(stage["names"]) == stage["size"]:
                found.append(f"{group} = {numbers[0] if len(numbers) == 1 else '(' + ', '.join(numbers) + ')'}")
            else:
                found.append(f"{group} = [{' '.join(numbers)}]")
        return found

    # --- matrices ------------------------------------------------------------------------------------------------

    def _derivative(self, above: dict[str, Any], below: dict[str, Any]) -> str:
        d = self.signs["∂"]
        return f"{d}{self.names.group(above)}/{d}{self.names.group(below)}"

    def _heads(self) -> list[str]:
        stages = self.stages
        pairs = [(stages[0], stages[-1]), *pairwise(stages)]
        return [self._derivative(*pair) for pair in pairs]

    def _j(self, place: int) -> str:
        return written(f"J{len(self.factors) - place}", self.notation)

    def _block(
        self, cells: list[list[str]] | None, shape: Sequence[int], rows: Sequence[str] = (), columns: Sequence[str] = ()
    ) -> _Block:
        """Return a matrix with names beside and above, where there are several; of a large one its shape."""
        if cells is None:
            return _Block([f"({grouped(shape[0])} {self.signs['×']} {grouped(shape[1])})"])
        if self.scalar:
            return _Block([cells[0][0]])
        above = [written(name, self.notation) for name in columns] if len(columns) > 1 else []
        beside = [written(name, self.notation) + " " for name in rows] if len(rows) > 1 else [""] * len(cells)
        wide = [max(map(columns_of, column)) for column in zip(*cells, *([above] if above else []), strict=True)]
        side = max(map(columns_of, beside))
        lines = [" " * (side + 1) + _spaced(above, wide) + " "] if above else []
        for i, (name, line) in enumerate(zip(beside, cells, strict=True)):
            which = 3 if len(cells) == 1 else 0 if i == 0 else 2 if i == len(cells) - 1 else 1
            opened, closed = self.signs["["][which], self.signs["]"][which]
            lines.append(padded(name, side, ">") + opened + _spaced(line, wide) + closed)
        return _Block(lines, len(above) and 1)

    def _numbers(self) -> list[_Block]:
        """Return the product and the factors in numbers."""
        shape = self.names.product_shape()
        stages, product = self.stages, self.names.matrix(self.told["product"], shape)
        blocks = [self._block(product, shape, stages[0]["labels"], stages[-1]["labels"])]
        for factor, above, below in zip(self.factors, stages, stages[1:], strict=False):
            cells = self.names.matrix(factor["values"], factor["shape"])
            blocks.append(self._block(cells, factor["shape"], above["labels"], below["labels"]))
        return blocks

    def _letters(self) -> list[_Block]:
        """Return the factors in letters; none where there is no room for letters."""
        found = self.names.letters() or []
        return [self._block(cells, factor["shape"]) for cells, factor in zip(found, self.factors, strict=False)]

    def _grid(self) -> list[str] | None:
        """Return the equation with its factors side by side; None where there is no room."""
        heads, numbers, letters = self._heads(), self._numbers(), self._letters()
        if len(self.factors) == 1:
            lines = self._drawn([[_Block([heads[0]]), *letters, numbers[0]]], 0, "=")
            return lines[1:] if max(map(columns_of, lines)) <= self.limit else None
        top = [[_Block(["J"]), *(_Block([self._j(i)]) for i in range(len(self.factors)))]]
        top.append([_Block([head]) for head in heads])
        for middle in ([[_Block([""]), *letters]], []) if letters else ([],):
            lines = self._drawn([*top, *middle, numbers], len(top), self.signs["·"])
            if max(map(columns_of, lines)) <= self.limit:
                return lines
        return None

    def _drawn(self, rows: Sequence[Sequence[_Block]], close: int, sign: str) -> list[str]:
        """Return rows of blocks in columns with signs between them; the first `close` rows have no space above."""
        wide = [max(block.width for block in column) for column in zip(*rows, strict=True)]
        found: list[str] = []
        for k, row in enumerate(rows):
            above = max(block.above for block in row)
            if k >= close:
                found.append("")
            for i in range(max(len(block.lines) + above - block.above for block in row)):
                line = ""
                for j, (block, columns) in enumerate(zip(row, wide, strict=True)):
                    between = f"  {'=' if j == 1 else sign}  " if i == above else " " * 5
                    place = i - above + block.above
                    text = block.lines[place] if 0 <= place < len(block.lines) else ""
                    line += between * (j > 0) + padded(" " * ((columns - block.width) // 2) + text, columns)
                found.append(line)
        return found

    def _stack(self) -> list[str]:
        """Return the equation with its factors one below the other."""
        heads, numbers, letters = self._heads(), self._numbers(), self._letters()
        product = self.signs["·"].join(map(self._j, range(len(self.factors))))
        found = [*self._joined([heads[0], product], " = "), *self._indented(numbers[0].lines)]
        for i, head in enumerate(heads[1:] if len(self.factors) > 1 else []):
            found += ["", *self._joined([self._j(i), head], " = ")]
            both = self._drawn([[letters[i], numbers[i + 1]]], 1, "=") if letters else []
            fits = both and max(map(columns_of, both)) + 2 <= self.limit
            found += self._indented(both if fits else numbers[i + 1].lines)
        return found

    def _indented(self, block: Sequence[str]) -> list[str]:
        """Return a block two columns in; of one that is too wide its lines are cut."""
        return [self._cut(f"  {line}") for line in block]

    def _cut(self, line: str) -> str:
        return clipped(line, self.limit, ascii=self.notation == "ascii")

    # --- entries -------------------------------------------------------------------------------------------------

    def _entries(self) -> Iterator[str]:
        """Yield each entry as the sum over its paths."""
        if len(self.factors) == 1:
            return
        told = self.told["entries"]
        many = any(entry["count"] > len(entry["paths"]) for entry in told)
        shown = told[: FEW if many else SHOWN]
        for entry in shown:
            yield from self._entry(entry)
        missing = len(told) - len(shown) + self.told["omitted"]["entries"]
        if missing:
            noun = "entry" if missing == 1 else "entries"
            yield f"{self.names.dots} {grouped(missing)} more {noun} in .entries"

    def _entry(self, entry: dict[str, Any]) -> list[str]:
        d = self.signs["∂"]
        name = f"{d}{written(entry['output'], self.notation)}/{d}{written(entry['input'], self.notation)}"
        value = number(entry["value"], self.notation)
        paths = entry["paths"] if entry["count"] <= TERMS else _largest(entry["paths"], LARGEST)
        products = [self._product(path["factors"]) for path in paths]
        rest = [self.names.dots] if len(paths) < entry["count"] else []
        terms = [f"+ {term}" for term in [*products, *rest]][1:]
        total = [f"{name} = {products[0] if products else 0}", *terms, f"= {value}"]
        through = self._through(paths, entry["count"])
        if columns_of(" ".join([*total, " ", *through])) <= self.limit:
            return [" ".join([*total, " ", *through]).rstrip()]
        lines = self._joined(total, " ", "  ")
        return lines + (self._joined([f"  {through[0]}", *through[1:]], " ", "   ") if through else [])

    def _product(self, factors: Sequence[Any]) -> str:
        return self.signs["·"].join(number(x, self.notation, bracketed=True) for x in factors)

    def _through(self, paths: Sequence[dict[str, Any]], count: int) -> list[str]:
        """Return what each path contributes, in brackets, as pieces."""
        if count <= 1:
            return []
        sign = self.signs["→"]
        parts = [
            f"through {sign.join(written(x, self.notation) for x in p['through'])}: {number(p['value'], self.notation)}"
            for p in paths
        ]
        more = [] if len(paths) == count else [f"{grouped(count)} paths in all"]
        pieces = [f"{part}," for part in [*parts, *more]]
        pieces[0], pieces[-1] = f"({pieces[0]}", f"{pieces[-1][:-1]})"
        return pieces if len(pieces) > 1 else [f"({[*parts, *more][0]})"]

    # --- check and counts ----------------------------------------------------------------------------------------

    def _check(self) -> list[str]:
        """Return whether the direct Jacobian agrees."""
        names = [written(name, self.notation) for name in self.told["functions"]]
        composition = self.signs["∘"].join(names) if len(names) <= SHOWN else "the composition"
        mark, how = self._verdict(number(self.told["difference"], self.notation))
        return self._joined([f"{mark} the Jacobian of {composition}", "taken directly", *how], " ", "  ")

    def _verdict(self, apart: str) -> tuple[str, list[str]]:
        """Return how the direct Jacobian compares, with its sign, in pieces."""
        told, wrong = self.told, self.signs["✗"]
        if told["agrees"] and told["difference"] == 0:
            return self.signs["✓"], ["is exactly the same"]
        if told["agrees"]:
            return self.signs["✓"], ["is the same", f"up to rounding, {apart}"]
        if told["changing"]:
            names = [written(name, self.notation) for name in told["changing"]]
            verb = "return" if len(names) > 1 else "returns"
            return wrong, [f"differs by up to {apart}:", f"{' and '.join(names)} {verb}", "something else at each call"]
        if not told["finite"]:
            zero = f"0{self.signs['·']}inf has no value,"
            return "?", ["is another one:", "with inf or nan among the numbers", zero, "and the product takes it for 0"]
        return wrong, [f"differs by up to {apart},", "which is more than rounding explains"]

    def _counts(self) -> Iterator[str]:
        """Yield what the bracketings cost."""
        ways = self.told["bracketings"]
        if len(self.factors) == 1:
            return
        if len(self.factors) == 2:  # there is one order only
            (way,) = ways
            count, text = way["multiplications"], written(way["text"], self.notation)
            yield f"{text}: {grouped(count)} multiplication{'s' * (count != 1)}"
            return
        yield "multiplications"
        shown = ways if len(ways) <= LISTED else [way for way in ways if way["is"]]
        least, most = ways[0]["multiplications"], ways[-1]["multiplications"]
        texts = [written(way["text"], self.notation) for way in shown]
        wide = max(map(columns_of, texts))
        counts = [grouped(way["multiplications"]) for way in shown]
        digits = max(map(len, counts))
        for text, count, way in zip(texts, counts, shown, strict=True):
            fewest = ["fewest"] if way["multiplications"] == least < most else []
            told = [f"{name} ({direction})" for name, direction in _DIRECTIONS.items() if name in way["is"]]
            short = [name for name in _DIRECTIONS if name in way["is"]]
            start = f"  {padded(text, wide)}  {count:>{digits}}"
            line = f"{start}  {', '.join([*told, *fewest])}"
            yield line if columns_of(line) <= self.limit else self._cut(f"{start}  {', '.join([*short, *fewest])}")
        omitted = self.told["omitted"]["bracketings"]
        if len(ways) + omitted > len(shown):
            pieces = [f"  {len(shown)} of {grouped(len(ways) + omitted)} bracketings"]
            if not omitted:
                spread = f"from {grouped(least)} to {grouped(most)}" if least < most else "that all cost the same"
                pieces += [f"{spread},", "all in .bracketings"]
            yield from self._joined(pieces, " ", "  ")


def _spaced(cells: Sequence[str], wide: Sequence[int]) -> str:
    return "  ".join(padded(cell, columns, ">") for cell, columns in zip(cells, wide, strict=True))


def _largest(paths: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return the paths that contribute most."""

    def size(path: dict[str, Any]) -> float:
        value = path["value"]
        return abs(value) if isinstance(value, (int, float)) else float("inf")

    return sorted(paths, key=size, reverse=True)[:most]
