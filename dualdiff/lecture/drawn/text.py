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
FEW = 2  # directions, up to which tables with rules say more than one of bare numbers
_UNICODE = Signs(bar="│", line="─", cross="┼", foot="┴", gap="╌", dots="…", note="↳")
_ASCII = Signs(bar="|", line="-", cross="+", foot="+", gap=".", dots="...", note="->")
ALL, NUMBERS, VALUE, BARE = range(4)  # levels of detail
SOURCES = (32, 24, 16, 12, 8)  # widths to which the source is cut
NONE = 0  # width of a source that is left out


def to_text(told: dict[str, Any], width: int, ascii: bool = False, *, brief: bool = False) -> str:
    """Trace as a table of text.

    Parameters
    ----------
    told : dict
        What `Trace.to_dict` returns.
    width : int
        Columns of the terminal; fewer than 40 count as 40.
    ascii : bool, default False
        Whether to use ASCII alone, whatever the trace has in it.
    brief : bool, default False
        Whether one table of results will do where there is no room for the rules in it.

    Returns
    -------
    str
        Lines of at most that width.  What does not fit is left out: first the letters of the rules, then the source,
        then the table of all passes, of which each gets its own, and at last the numbers of the rules.  With three
        directions or more their numbers go before the one table does.  Where formulas are in the letters of the
        inputs, theirs of the tangents and adjoints are cut only where one does not fit beside its name and value.
    """
    return "\n".join(_Sheet(told, max(width, NARROWEST), ascii=ascii).lines(brief=brief))


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
        self.caps = (10**6, *[44, 30, 24] * arrays)
        marks = [[(BARE, self._mark(row))] for row in self.rows]
        steps = [[(BARE, name) for name in self._names(row)] for row in self.rows]
        self.mark = Column([""], marks)
        self.step = Column(["step", ""], steps, text=True)
        self.source = Column(["source"], [[(BARE, self.words.source(row))] for row in self.rows], text=True)
        primal = [self.words.primal(row) for row in self.rows]
        room = limit - 9 - self.mark.needed(BARE, 0) - self.step.needed(BARE, 10**6)
        cells = [self._ways(rule, room - self.source.needed(BARE, SOURCES[0])) for rule in primal]
        self.primal = Column(["primal value", "value"], cells)
        room -= self.primal.needed(VALUE, self.caps[-1])
        told_of = [[self.words.tangent(row, i) for row in self.rows] for i in range(len(told["directions"]))]
        self.passes = [self._pass(rules, room) for rules in [*told_of, [self.words.adjoint(row) for row in self.rows]]]

    def _pass(self, rules: list[Rule], room: int) -> Column:
        """Return the column of a pass; the longest rules are those that keep their numbers, or their formulas."""
        firm = [rule.sum or (self.told["symbols"] and not rule.name) for rule in rules]
        return Column([], [self._ways(rule, room) for rule in rules], firm=firm, room=room)

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

    def _ways(self, rule: Rule, room: int) -> list[tuple[int, str]]:
        """Return ways to write a rule; a formula in the letters of the inputs may be cut, first to the room it has."""
        ways = rule.ways()
        if not self.told["symbols"] or rule.name:
            return ways
        long = rule.values[:-1] or rule.values
        fitting = room - columns_of(f" = {long[-1]}")
        rooms = [x for x in (fitting, 40, 24, 16, 10) if 10 <= x <= fitting and x < columns_of(rule.letters)]
        full = [rule._replace(values=[value]).full() for value in long]
        cut = [clipped(rule.letters, x, ascii=self.signs is _ASCII) for x in rooms]
        cut = [rule._replace(letters=letters, values=[long[-1]]).full() for letters in cut]
        return [*((NUMBERS, way) for way in (*full, *cut)), *((level, way) for level, way in ways if level > NUMBERS)]

    # --- choosing -----------------------------------------------------------------------------------------------

    def lines(self, *, brief: bool = False) -> Iterator[str]:
        """Yield the lines of the sheet."""
        few = len(self.told["directions"]) <= FEW and not brief
        table = self._one_table(rich=True)
        if table is None and not self.told["symbols"] and not (few and self._rules_fit()):
            table = self._one_table(rich=False)
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

    def _one_table(self, *, rich: bool) -> Table | None:
        """Return the most detailed table with all passes, or None where there is no room for one.

        A rich one has the rules in numbers, or the formulas in the letters of the inputs.
        """
        passes = [cells.headed(self._heads(i, alone=False)) for i, cells in enumerate(self.passes)]
        widest = max(SOURCES[0], self.limit // 4)
        shorter = [source for source in SOURCES if source < widest]
        if self.told["symbols"]:  # their formulas are what is asked for
            details = [(ALL, formula, source) for formula in (ALL, VALUE) for source in (widest, *shorter)]
        elif rich:
            details = [(ALL, ALL, widest), *((NUMBERS, ALL, source) for source in (widest, *shorter, NONE))]
        else:
            details = [(VALUE, ALL, widest), (VALUE, VALUE, widest)]
            if len(passes) > MANY and all(row["shape"] == [] for row in self.rows):
                details.append((BARE, BARE, widest))
        for rule, formula, source in details:
            for cap in self.caps:
                tables = self._tables([passes], formula, rule, source, cap)
                if tables:
                    return tables[0]
        return None

    def _tables(self, sets: list[list[Column]], formula: int, rule: int, source: int, cap: int) -> list[Table]:
        """Return a table for each set of passes, with common widths, or none where they are too wide.

        `formula` and `rule` are the levels of the primal values and of the passes.
        """
        front = [self.mark, self.step, *[self.source] * (source != NONE), self.primal]
        first = len(front)
        levels = [*[BARE] * (first - 1), formula, *[rule] * len(sets[0])]
        caps = [source if column is self.source else cap if i > 1 else 10**6 for i, column in enumerate(front)]
        caps += [cap] * len(sets[0])
        needed = [[c.needed(*how) for c, *how in zip([*front, *own], levels, caps, strict=True)] for own in sets]
        widths = list(map(max, *needed)) if len(needed) > 1 else needed[0]
        room = self.limit - 3 * (len(levels) - 1)
        if sum(widths) > room:
            return []
        self._head(widths, front[:2], room)
        for i, level in reversed([*enumerate(levels)]):  # the rest goes to cells with more to say, then to headings
            most = front[i].most(level) if i < first else max(own[i - first].most(level) for own in sets)
            widths[i] += max(0, min(room - sum(widths), most - widths[i]))
        for k in range(4):  # the same kind of heading over all passes
            heads = [[c.heads[min(k, len(c.heads) - 1) :] for c in own] for own in sets]
            wider = [max(w, *(columns_of(h[i][0]) for h in heads)) for i, w in enumerate(widths[first:])]
            if sum(widths[:first]) + sum(wider) <= room:
                widths[first:] = wider
                break
        self._head(widths, front, room)
        return [
            Table([*front, *map(Column.headed, own, h)], levels, widths, " ", self.signs)
            for own, h in zip(sets, heads, strict=True)
        ]

    def _head(self, widths: list[int], columns: Sequence[Column], room: int) -> None:
        """Widen columns for their headings where there is room."""
        for i, column in enumerate(columns):
            more = columns_of(column.heads[0]) - widths[i]
            widths[i] += more if 0 < more <= room - sum(widths) else 0

    def _groups(self) -> list[list[list[Column]]]:
        """Return the forward passes and the reverse pass, each in a set of its own."""
        sets = [[cells.headed(self._heads(i, alone=True))] for i, cells in enumerate(self.passes)]
        return [group for group in (sets[:-1], sets[-1:]) if group]

    def _rules_fit(self) -> bool:
        """Tell whether each pass by itself has room for its rules in numbers."""
        return all(
            any(self._tables(group, VALUE, NUMBERS, source, cap) for source in (*SOURCES, NONE) for cap in self.caps)
            for group in self._groups()
        )

    def _blocks(self) -> Iterator[str]:
        """Yield one table for each pass, and before them one for the values where the others lack the formulas."""
        groups = self._groups()
        bare = [self._chosen(group, VALUE, (*SOURCES, NONE)) for group in groups]
        rich = [self._chosen(group, ALL, SOURCES if self.told["symbols"] else SOURCES[:3]) for group in groups]
        told = all(
            r[0].levels[-2] == ALL and r[0].levels[-1] == b[0].levels[-1] for r, b in zip(rich, bare, strict=True)
        )
        titles = [self._title(i) for i in range(len(self.passes))]
        tables = [table for group in (rich if told else bare) for table in group]
        values = next((t for source in SOURCES if (t := self._tables([[]], ALL, BARE, source, 0))), [])
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
        """Return tables, all with the most detail that fits: the source is cut before a rule loses a part.

        It is left out before a rule or an array loses its numbers, not before a rule loses its letters.
        """
        without = {ALL} if self.told["symbols"] else {NUMBERS}
        without |= {VALUE, BARE} if len(self.caps) > 1 else set()
        for rule in (ALL, NUMBERS, VALUE, BARE):
            for cap in (*self.caps, *[0] * (rule == BARE)):  # at last an array is its shape
                for source in sources:
                    if source == NONE and (cap == 0 or rule not in without):
                        continue
                    tables = self._tables(sets, formula, rule, source, cap)
                    if tables:
                        return tables
        return [self._squeezed(own) for own in sets]

    def _squeezed(self, passes: list[Column]) -> Table:
        """Return a table for which there is no room, with what can be left of its text."""
        columns = [self.mark, self.step, self.source, self.primal, *passes]
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
