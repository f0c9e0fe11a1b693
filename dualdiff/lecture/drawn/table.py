"""How columns of cells share the width of a terminal: each cell has several ways to be written, and one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dualdiff.lecture.drawn.notation import clipped, padded, width

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Column", "Signs", "Table", "shrunk"]

OUTLIERS = 5  # one cell in so many may be written with less detail than its column
FAR = 1.5  # times as wide as the others, from where on it is
LEAST = 3  # columns that text is cut to at most


class Signs(NamedTuple):
    """The lines and marks of a table."""

    bar: str
    line: str
    cross: str
    foot: str
    gap: str
    dots: str
    note: str


class Column:
    """One column: ways to write its heading, and ways to write each of its cells, the most detailed first.

    Each way to write a cell has a level, and they do not fall; a column asked for level 2 leaves levels 0 and 1 out.
    Text is cut where nothing fits; a number never is.  `firm` cells keep their level 1 wherever the column has it or
    more, if there is `room` for it in any table; others may lose it where they are far wider than the rest.
    """

    def __init__(
        self, heads: list[str], cells: Sequence[Sequence[tuple[int, str]]], *, text: bool = False,
        firm: Sequence[bool] = (), room: int = 10**6,
    ) -> None:  # fmt: skip
        self.heads, self.text, self.room = heads, text, room
        self.cells = [[(level, way, width(way)) for level, way in cell] for cell in cells]
        self.firm = firm or [False] * len(self.cells)
        self._needed = dict[tuple[int, int], int]()

    def headed(self, heads: list[str]) -> Column:
        """Return the same column below other headings."""
        found = Column(heads, [], text=self.text, firm=self.firm, room=self.room)
        found.cells = self.cells
        return found

    def needed(self, level: int, cap: int) -> int:
        """Return the width for all cells at a level, but for a few that are far wider and can be written with less."""
        if (level, cap) not in self._needed:
            self._needed[level, cap] = self._measured(level, cap)
        return self._needed[level, cap]

    def _measured(self, level: int, cap: int) -> int:
        least = width(self.heads[-1])
        if self.text:
            return max(min(cap, max((cell[0][2] for cell in self.cells), default=0)), least)
        widths = sorted(self._usual(cell, level, cap) for cell in self.cells)
        usual = widths[len(widths) - 1 - len(widths) // OUTLIERS]
        for cell, firm in zip(self.cells, self.firm, strict=True):
            least = max(least, self._usual(cell, 1, cap) if firm and level <= 1 else _least(cell, cap))
        return max(widths[-1] if widths[-1] <= FAR * usual else usual, least)

    def most(self, level: int) -> int:
        """Return the width at which a wider column says nothing more at this level."""
        return max(self._usual(cell, level, 10**9) for cell in self.cells)

    def _usual(self, cell: Sequence[tuple[int, str, int]], level: int, cap: int) -> int:
        """Return the width of the most detailed way of a level that a cap allows, or of its least detailed one.

        A level for which there is no room in any table is passed over.
        """
        fitting = [(its, wide) for its, _, wide in cell if its >= level and wide <= self.room] or [
            (cell[-1][0], cell[-1][2])
        ]
        ways = [wide for its, wide in fitting if its == fitting[0][0]]
        return next((wide for wide in ways if wide <= cap), ways[-1])

    def written(self, level: int, columns: int, signs: Signs) -> list[str]:
        """Return the heading and the cells in a width."""
        ascii_ = signs.dots == "..."
        head = next((h for h in self.heads if width(h) <= columns), None)
        lines = [clipped(self.heads[-1], columns, ascii=ascii_) if head is None else head]
        for cell in self.cells:
            way = next((text for its, text, wide in cell if its >= level and wide <= columns), None)
            if way is None and self.text:
                way = clipped(cell[-1][1], columns, ascii=ascii_)
            lines.append(signs.dots[:columns] if way is None else way)
        return lines


def _least(cell: Sequence[tuple[int, str, int]], cap: int) -> int:
    """Return the width below which a cell would lose its numbers; with a cap of 0 an array is its shape."""
    ways = [wide for its, _, wide in cell if its == cell[-1][0]]
    return ways[-1] if cap == 0 or len(ways) < 2 else min(ways[:-1])


def shrunk(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    """Return widths with a sum of at most `room`, taken from text first, and from the widest."""
    widths = list(widths)
    while sum(widths) > room:
        text = [i for i, column in enumerate(columns) if column.text and widths[i] > LEAST]
        i = max(text or range(len(widths)), key=widths.__getitem__)
        if widths[i] <= 1:
            break
        widths[i] -= 1
    return widths


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with the widths and the levels that were chosen for them."""

    columns: list[Column]
    levels: list[int]
    widths: list[int]
    gap: str
    signs: Signs

    def lines(self, notes: Sequence[str | None], cuts: dict[int, int], limit: int) -> list[str]:
        """Return the lines of the table: `notes` go below their rows, `cuts` tell how many rows are missing before."""
        signs, bar = self.signs, f"{self.gap}{self.signs.bar}{self.gap}"
        written = [
            c.written(level, w, signs) for c, level, w in zip(self.columns, self.levels, self.widths, strict=True)
        ]
        rows = [bar.join(map(padded, row, self.widths)).rstrip() for row in zip(*written, strict=True)]
        total = sum(self.widths) + width(bar) * (len(self.widths) - 1)
        blank = bar.join([" " * w for w in self.widths[:2]] + [""])
        side = signs.line * width(self.gap)
        found = [rows[0], self._ruled(side + signs.cross + side)]
        for i in range(len(rows)):
            if i in cuts:
                found.append(self._cut(cuts[i], total))
            if i + 1 < len(rows):
                found.append(rows[i + 1])
                if notes and (note := notes[i]):
                    found.append(clipped(f"{blank}{signs.note} {note}", limit, ascii=signs.dots == "..."))
        return [*found, self._ruled(side + signs.foot + side)]

    def _ruled(self, joint: str) -> str:
        return joint.join(self.signs.line * w for w in self.widths)

    def _cut(self, rows: int, total: int) -> str:
        """Return the line that stands for rows that are missing."""
        signs = self.signs
        text = f" {signs.dots} {rows} more row{'s' * (rows != 1)} {signs.dots} "
        left = max(total - width(text), 0) // 2
        return signs.gap * left + text.strip(" " if not left else "") + signs.gap * max(total - width(text) - left, 0)
