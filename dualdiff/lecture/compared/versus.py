"""Forward beside reverse: the table of a `Comparison` as text, and its curves as a plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.chained.matrices import grouped
from dualdiff.lecture.compared.measuring import amount, duration, memory
from dualdiff.lecture.drawn.notation import clipped, padded, width as columns_of, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["plot", "to_text"]

NARROWEST = 40
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_COLOURS = {"forward": "#0072b2", "reverse": "#d55e00"}  # told apart by everybody: Okabe & Ito (2008)
_MARKERS = {"forward": "o", "reverse": "s"}
_GREY = "#555555"


def to_text(told: dict[str, Any], width: int, ascii: bool = False) -> str:
    """Comparison as a table of text.

    Parameters
    ----------
    told : dict
        What `Comparison.to_dict` returns.
    width : int
        Columns of the terminal; fewer than 40 count as 40.
    ascii : bool, default False
        Whether to use ASCII alone.

    Returns
    -------
    str
        A row for each cost with what is cheaper behind it, and where the modes cross.
    """
    limit = max(width, NARROWEST)
    lines = [*_wrapped(_headline(told, ascii=ascii), limit), "", *_table(told, limit, ascii=ascii), ""]
    for paragraph in _crossover(told, ascii=ascii):
        lines += _wrapped(paragraph, limit)
    return "\n".join(clipped(line.rstrip(), limit, ascii=ascii) for line in lines)


def _headline(told: dict[str, Any], *, ascii: bool) -> list[str]:
    name = written(told["function"], "ascii" if ascii else "unicode")
    n, m = told["inputs"], told["outputs"]
    space = f"R^{n} -> R^{m}" if ascii else f"ℝ{_power(n)} → ℝ{_power(m)}"
    return [f"{name}: {space}, {_plural(told['steps'], 'step')};", f"times are medians of {told['readings']}"]


def _power(n: int) -> str:
    return "" if n == 1 else str(n).translate(_RAISED)


def _plural(count: int, noun: str) -> str:
    return f"{grouped(count)} {noun}{'s' * (count != 1)}"


def _table(told: dict[str, Any], limit: int, *, ascii: bool) -> list[str]:
    """Return the rows of the table: a label, both modes, and which one is ahead by how much."""
    modes = [told["forward"], told["reverse"]]
    rows: list[tuple[str, list[str], list[float], str]] = [
        ("passes", [grouped(mode["passes"]) for mode in modes], [mode["passes"] for mode in modes], "fewer")
    ]
    for kind in ("multiplications", "additions"):
        found = [mode["counts"][kind] for mode in modes]
        rows.append((kind, list(map(grouped, found)), found, "fewer"))
    times = [mode["seconds"] for mode in modes]
    rows.append(("time", [duration(t, ascii) for t in times], times, "faster"))
    together = [mode["all_at_once"] for mode in modes]
    known = [t for t in together if t is not None]
    if known:
        shown = ["-" if t is None else duration(t, ascii) for t in together]
        rows.append(("  all at once", shown, together if len(known) == 2 else [1, 1], "faster"))
    peaks = [mode["peak_bytes"] for mode in modes]
    rows.append(("peak memory", list(map(memory, peaks)), peaks, "less"))
    wide = max(len("multiplications"), *(columns_of(label) for label, *_ in rows))
    cells = max(len("forward"), *(columns_of(cell) for _, own, *_ in rows for cell in own))
    lines = [f"{'':{wide}}  {padded('forward', cells, '>')}  {padded('reverse', cells, '>')}"]
    for label, own, numbers, word in rows:
        line = f"{padded(label, wide)}  {padded(own[0], cells, '>')}  {padded(own[1], cells, '>')}"
        remark = _ahead(numbers, word, ascii=ascii)
        lines.append(f"{line}   {remark}" if columns_of(line) + 3 + len(remark) <= limit else line)
    return lines


def _ahead(numbers: Sequence[float], word: str, *, ascii: bool) -> str:
    """Return which of two costs is smaller and how many times; nothing where they are about the same."""
    low, high = min(numbers), max(numbers)
    if high <= (1.15 if word == "faster" else 1.0) * low:
        return ""
    mode = "forward" if numbers[0] < numbers[1] else "reverse"
    if not low:
        return f"{mode}: none"
    return f"{mode}: {amount(high / low, 2)}{'x' if ascii else '×'} {word}"


def _crossover(told: dict[str, Any], *, ascii: bool) -> Iterator[list[str]]:
    """Yield what was measured of the crossover, in pieces."""
    cross = told["crossover"]
    name = written(told["function"], "ascii" if ascii else "unicode")
    if cross["grows"]:
        sizes = list(map(grouped, cross["sizes"]))
        listed = ", ".join(sizes if len(sizes) <= 4 else [*sizes[:3], "..." if ascii else "…", sizes[-1]])
        yield [f"crossover: {name} at n = {listed} inputs, measured:", _found(cross, ascii=ascii)]
    start, slope = cross["recording"] / cross["per_input"], cross["per_output"] / cross["per_input"]
    sign = "*" if ascii else "·"
    line = f"n < {f'{amount(start, 2)} + ' if start else ''}{amount(slope, 2)}{sign}m"
    m = told["outputs"]
    limit = start + slope * m
    found = f"n < {amount(limit, 2)}" if limit > 1 else "for no n, reverse always is"
    here = f"(here m = {grouped(m)}: {found})"
    title = f"passes of {name}" if cross["grows"] else f"crossover: passes of {name}"
    yield [f"{title}, n forward or m back, measured:", f"forward is faster while {line}", here]


def _found(cross: dict[str, Any], *, ascii: bool) -> str:
    if cross["at"] is None:
        return f"{cross['after']} is faster at all of them"
    about = "n ~" if ascii else "n ≈"
    return f"{cross['after']} is faster from {about} {amount(cross['at'], 2)} on"


def _wrapped(pieces: Sequence[str], limit: int) -> list[str]:
    """Return pieces in one line, or in as many as they need; a piece that is too long is broken between words."""
    lines = [""]
    for piece in pieces:
        whole = columns_of(piece) + 2 <= limit and columns_of(f"{lines[-1]} {piece}") > limit
        for part in [piece] if whole else piece.split(" "):
            if not lines[-1] or columns_of(f"{lines[-1]} {part}") <= limit:
                lines[-1] = f"{lines[-1]} {part}" if lines[-1] else part
            else:
                lines.append(f"  {part}")
    return lines


# --- the plot ---------------------------------------------------------------------------------------------------------


def plot(told: dict[str, Any], ax: Any = None) -> Any:
    """Draw time against the number of inputs for both modes on logarithmic axes, and mark where they cross.

    Parameters
    ----------
    told : dict
        What `Comparison.to_dict` returns.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        What was drawn on.
    """
    try:
        from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter
    except ImportError as error:
        message = (
            "plot() draws with matplotlib, which is not installed: pip install 'dualdiff[plot]'. print() needs none"
        )
        raise ImportError(message) from error
    cross = told["crossover"]
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots(figsize=(7.0, 4.4), layout="constrained")
    n = cross["sizes"]
    for mode in ("forward", "reverse"):
        ax.plot(n, cross[mode], marker=_MARKERS[mode], markersize=5, color=_COLOURS[mode], label=mode, linewidth=1.8)
        above = cross[mode][-1] >= max(cross["forward"][-1], cross["reverse"][-1])
        ax.annotate(
            mode, (n[-1], cross[mode][-1]), xytext=(8, 5 if above else -5), textcoords="offset points", va="center",
            color=_COLOURS[mode], fontweight="bold", annotation_clip=False,
        )  # fmt: skip
    ax.set_xscale("log", base=2 if n[-1] <= 2**12 else 10)
    ax.set_yscale("log")
    ax.margins(x=0.04, y=0.12)
    if cross["at"] is not None:
        _mark(ax, cross)
    if not cross["grows"]:
        _other_outputs(ax, told)
    ax.set_xlabel("inputs n" if cross["grows"] else "passes forward n")
    ax.set_ylabel("time of the Jacobian" if cross["grows"] else "time of the passes")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.yaxis.set_major_formatter(EngFormatter("s"))
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_title(_title(told), loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(visible=True, which="major", alpha=0.25)
    return ax


def _other_outputs(ax: Any, told: dict[str, Any]) -> None:
    """Draw what reverse mode takes for fewer and for more outputs, from the time of one pass back."""
    cross, m = told["crossover"], told["outputs"]
    for other in dict.fromkeys((1, m, 4 * m, 16 * m)):
        if other == m:
            continue
        height = cross["recording"] + cross["per_output"] * other
        ax.axhline(height, color=_COLOURS["reverse"], linestyle=":", linewidth=1.2, zorder=0)
        ax.annotate(
            f"m = {other}", (1, height), xycoords=ax.get_yaxis_transform(), xytext=(-4, 3),
            textcoords="offset points", ha="right", va="bottom", color=_COLOURS["reverse"], fontsize="small",
        )  # fmt: skip


def _mark(ax: Any, cross: dict[str, Any]) -> None:
    """Mark the crossing: a line down to the axis, and which mode is faster on either side."""
    at, x = cross["at"], [math.log(n) for n in cross["sizes"]]
    place = next(i for i in range(1, len(x)) if x[i] >= math.log(at) - 1e-9)
    share = (math.log(at) - x[place - 1]) / (x[place] - x[place - 1])
    low, high = (math.log(cross["forward"][i]) for i in (place - 1, place))
    height = math.exp(low + share * (high - low))
    ax.axvline(at, color=_GREY, linestyle="--", linewidth=1, zorder=0)
    ax.plot([at], [height], marker="o", markersize=11, markerfacecolor="none", markeredgecolor=_GREY, zorder=4)
    late = share + place - 1 > (len(x) - 1) / 2
    ax.annotate(
        f"n ≈ {amount(at, 2)}\n{cross['before']} is faster before,\n{cross['after']} after", (at, 0.97),
        xycoords=ax.get_xaxis_transform(), xytext=(-8 if late else 8, 0), textcoords="offset points", va="top",
        ha="right" if late else "left", color=_GREY, fontsize="small",
    )  # fmt: skip


def _title(told: dict[str, Any]) -> str:
    cross = told["crossover"]
    if not cross["grows"]:
        m = _plural(told["outputs"], "output")
        return f"{told['function']}: n passes forward, or one recording and a pass back for each of {m}"
    outputs = set(cross["outputs"])
    if len(outputs) == 1:
        m = _plural(outputs.pop(), "output")
    else:
        m = "m = n outputs" if cross["outputs"] == cross["sizes"] else f"m = {min(outputs)} to {max(outputs)} outputs"
    return f"Jacobian of {told['function']} with n inputs and {m}"
