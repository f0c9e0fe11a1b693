"""A trace as text: a table that fits any terminal, by saying less where there is less room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dualdiff.lecture.drawn.cells import Rule, Wording, effort, grouped, omissions
from dualdiff.lecture.drawn.markdown import to_markdown
from dualdiff.lecture.drawn.notation import clipped, plain, width as columns_of
from dualdiff.lecture.drawn.table import Column, Signs, Table, shrunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["to_markdown", "to_text"]

NARROWEST = 40
MANY = 4  # passes, from where on a table of bare numbers says more than one table for each
_UNICODE = Signs(bar="│", line="─", cross="┼", foot="┴", gap="╌", dots="…", note="↳")
_ASCII = Signs(bar="|", line="-", cross="+", foot="+", gap=".", dots="...", note="->")
ALL, NUMBERS, VALUE, BARE = range(4)  # levels of detail
SOURCE, PASSES = 2, 4  # the column of the source, and the first one of a pass
SOURCES = (32, 24, 16, 12, 8)  # widths to which it is cut in the table of one pass


def to_text(told: dict[str, Any], width: int, ascii: bool = False) -> str:
    """Trace as a table of text.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.
    width : int
        Columns of the terminal; fewer than 40 count as 40.
    ascii : bool, default False
        Whether to use ASCII alone, whatever the trace has in it.

    Returns
    -------
    str
        Lines of at most that width.  What does not fit is left out: first the letters of the rules, then their
        numbers, then the formulas, then each pass gets a table of its own, and at last the source is cut.
    """
    return "\n".join(_Sheet(told, max(width, NARROWEST), ascii=ascii).lines())


class _Sheet:
    """One trace laid out for one width."""

    def __init__(self, told: dict[str, Any], limit: int, *, ascii: bool) -> None:
        self.told, self.limit = told, limit
        self.signs = _ASCII if ascii else _UNICODE
        self.words = Wording(told, "ascii" if ascii else "unicode")
        self.rows = [row for row in told["rows"] if row["role"] != "cut"]
        self.cuts = dict[int, int]()
        for row in told["rows"]:
            if row["role"] == "cut":
                at = sum(other["role"] != "cut" for other in told["rows"][: told["rows"].index(row)])
                self.cuts[at] = self.cuts.get(at, 0) + row["rows"]
        self.notes = [self._note(row) for row in self.rows]
        arrays = any(row["shape"] for row in self.rows)
        self.caps = (10**6, 60, 40, 28) if told["symbols"] else (10**6, *[44, 30, 24] * arrays)
        marks = [[(BARE, self._mark(row))] for row in self.rows]
        steps = [[(BARE, name) for name in self._names(row)] for row in self.rows]
        self.mark = Column([""], marks)
        self.step = Column(["step", ""], steps, text=True)
        self.source = Column(["source"], [[(BARE, self.words.source(row))] for row in self.rows], text=True)
        self.primal = Column(["primal value", "value"], [self._ways(self.words.primal(row)) for row in self.rows])
        forward = [
            [self._ways(self.words.tangent(row, i)) for row in self.rows] for i in range(len(told["directions"]))
        ]
        self.passes = [*forward, [self._ways(self.words.adjoint(row)) for row in self.rows]]

    def _note(self, row: dict[str, Any]) -> str | None:
        note = row.get("note")
        text = None if note is None else plain(note)
        return text.encode("ascii", "backslashreplace").decode() if text and self.signs is _ASCII else text

    def _mark(self, row: dict[str, Any]) -> str:
        given, result = ">=" if self.signs is _ASCII else "▶✓"
        found = given if row["operation"] == "input" or row["role"] == "input" else ""
        return found + (result if row["role"] == "output" or row["name"] in self.told["outputs"] else "")

    def _names(self, row: dict[str, Any]) -> list[str]:
        """Return the name of a row; where that is long, the middle is left out."""
        name, most = self.words.step(row), max(8, self.limit // 5)
        found = [name] if columns_of(name) <= most else []
        for room in (most, 6, 4):
            if columns_of(name) > room:
                end = next(name[i:] for i in range(len(name)) if columns_of(name[i:]) <= room // 2)
                found.append(clipped(name, room - columns_of(end), ascii=self.signs is _ASCII) + end)
        return found

    def _ways(self, rule: Rule) -> list[tuple[int, str]]:
        """Return ways to write a rule; formulas in the letters of the inputs may be cut."""
        ways = rule.ways()
        if not self.told["symbols"]:
            return ways
        rooms = [room for room in (40, 24, 16, 10) if columns_of(rule.letters) > room]
        letters = [rule.letters, *(clipped(rule.letters, room, ascii=self.signs is _ASCII) for room in rooms)]
        cut = [rule._replace(letters=text).full() for text in letters]
        return [*((NUMBERS, way) for way in cut), *((level, way) for level, way in ways if level > NUMBERS)]

    # --- choosing -----------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """Yield the lines of the sheet."""
        table = self._one_table()
        if table is not None:
            yield from table.lines(self.notes, self.cuts, self.limit)
        else:
            yield from self._blocks()
        yield from self._below()

    def _below(self) -> Iterator[str]:
        """Yield the lines below all tables: passes, operations, and what is not shown."""
        pairs = [*effort(self.told), *((text, text) for text in omissions(self.told))]
        if self.signs is _ASCII:
            signs = str.maketrans({"×": "*", "↓": "down", "↑": "up"})
            pairs = [(long.translate(signs), short.translate(signs)) for long, short in pairs]
        (one, _), (other, _) = pairs[:2]
        if len(one) + len(other) + 6 <= self.limit:
            pairs[:2] = [(f"{one}      {other}", "")]
        for long, short in pairs:
            yield from [long] if len(long) <= self.limit else _filled(short, self.limit)

    def _heads(self, i: int, *, alone: bool) -> list[str]:
        """Return the ways to head pass i: what it computes, and what is 1 in it."""
        what = "tangent" if i < len(self.told["directions"]) else "adjoint"
        seed = self.words.seeds()[i]
        return [what] if alone else [f"{what}, seed {seed}=1", f"{what} {seed}=1", f"seed {seed}=1", f"{seed}=1"]

    def _one_table(self) -> Table | None:
        """Return the most detailed table with all passes, or None where there is no room for one."""
        passes = [Column(self._heads(i, alone=False), cells) for i, cells in enumerate(self.passes)]
        columns = [self.mark, self.step, self.source, self.primal, *passes]
        details = [(ALL, ALL), (NUMBERS, ALL), (VALUE, ALL), (VALUE, VALUE)]
        if self.told["symbols"]:  # their formulas are what is asked for
            details = [(ALL, ALL), (ALL, VALUE)]
        elif len(passes) > MANY and all(row["shape"] == [] for row in self.rows):
            details.append((BARE, BARE))
        for rule, formula in details:
            for cap in self.caps:
                levels = [BARE, BARE, BARE, formula, *[rule] * len(passes)]
                tables = self._tables([columns], levels, max(32, self.limit // 4), cap)
                if tables:
                    return tables[0]
        return None

    def _tables(self, sets: list[list[Column]], levels: list[int], source: int, cap: int) -> list[Table]:
        """Return tables with common widths at these levels, or none where they are too wide."""
        caps = [10**6 if i < SOURCE else source if i == SOURCE else cap for i in range(len(levels))]
        needed = [[c.needed(*how) for c, *how in zip(columns, levels, caps, strict=True)] for columns in sets]
        widths = list(map(max, *needed)) if len(needed) > 1 else needed[0]
        room = self.limit - 3 * (len(levels) - 1)
        if sum(widths) > room:
            return []
        self._head(widths, sets[0][:SOURCE], room)
        for i, level in reversed([*enumerate(levels)]):  # the rest goes to cells with more to say, then to headings
            most = max(columns[i].most(level) for columns in sets)
            widths[i] += max(0, min(room - sum(widths), most - widths[i]))
        for k in range(4):  # the same kind of heading over all passes
            heads = [[c.heads[min(k, len(c.heads) - 1) :] for c in columns[PASSES:]] for columns in sets]
            wider = [max(w, *(columns_of(h[i][0]) for h in heads)) for i, w in enumerate(widths[PASSES:])]
            if sum(widths[:PASSES]) + sum(wider) <= room:
                widths[PASSES:] = wider
                break
        self._head(widths, sets[0][:PASSES], room)
        return [
            Table([*each[:PASSES], *map(Column.headed, each[PASSES:], h)], levels, widths, " ", self.signs)
            for each, h in zip(sets, heads, strict=True)
        ]

    def _head(self, widths: list[int], columns: Sequence[Column], room: int) -> None:
        """Widen columns for their headings where there is room."""
        for i, column in enumerate(columns):
            more = columns_of(column.heads[0]) - widths[i]
            widths[i] += more if 0 < more <= room - sum(widths) else 0

    def _blocks(self) -> Iterator[str]:
        """Yield one table for each pass, and before them one for the values where the others lack the formulas."""
        count = len(self.told["directions"])
        front = [self.mark, self.step, self.source, self.primal]
        sets = [[*front, Column(self._heads(i, alone=True), cells)] for i, cells in enumerate(self.passes)]
        groups = [group for group in (sets[:count], sets[count:]) if group]
        bare = [self._chosen(group, VALUE, SOURCES) for group in groups]
        rich = [self._chosen(group, ALL, SOURCES[:3]) for group in groups]
        told = all(
            r[0].levels[-2] == ALL and r[0].levels[-1] == b[0].levels[-1] for r, b in zip(rich, bare, strict=True)
        )
        titles = [self._title(i) for i in range(count + 1)]
        tables = [table for group in (rich if told else bare) for table in group]
        values = next((t for source in SOURCES if (t := self._tables([front], [BARE] * 3 + [ALL], source, 0))), [])
        if not told and values:
            tables = [*values, *tables]
            titles.insert(0, self._fitting("primal values, read ↓"))
        notes = self.notes
        for title, table in zip(titles, tables, strict=True):
            yield title
            yield from table.lines(notes, self.cuts, self.limit)
            yield ""
            notes = []

    def _chosen(self, sets: list[list[Column]], formula: int, sources: Sequence[int]) -> list[Table]:
        """Return tables, all with the most detail that fits: the source is cut before a rule loses a part."""
        for rule in (ALL, NUMBERS, VALUE, BARE):
            for cap in (*self.caps, *[0] * (rule == BARE)):  # at last an array is its shape
                for source in sources:
                    levels = [BARE, BARE, BARE, formula, rule]
                    tables = self._tables(sets, levels, source, cap)
                    if tables:
                        return tables
        return [self._squeezed(columns) for columns in sets]

    def _squeezed(self, columns: list[Column]) -> Table:
        """Return a table for which there is no room, with what can be left of its text."""
        levels = [BARE, BARE, BARE, VALUE, BARE]
        widths = [column.needed(level, SOURCES[-1]) for column, level in zip(columns, levels, strict=True)]
        widths = shrunk(columns, widths, self.limit - (len(columns) - 1))
        return Table(columns, levels, widths, "", self.signs)

    def _title(self, i: int) -> str:
        """Return the line above the table of pass i."""
        forward, seed = self.told["passes"]["forward"], self.words.seeds()[i]
        if i < len(self.told["directions"]):
            what, way = f"forward pass {i + 1} of {grouped(forward)}", "↓"
        else:
            what, way = "reverse pass", "↑"
        return self._fitting(f"{what}, seed {seed} = 1, read {way}", f"{what}, {seed} = 1")

    def _fitting(self, *ways: str) -> str:
        if self.signs is _ASCII:
            ways = tuple(way.replace("↓", "down").replace("↑", "up") for way in ways)
        short = clipped(ways[-1], self.limit, ascii=self.signs is _ASCII)
        return next((way for way in ways if columns_of(way) <= self.limit), short)


def _filled(text: str, limit: int) -> list[str]:
    """Return the words of a text in lines of a width."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > limit:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return [line.replace("\xa0", " ") for line in lines]
