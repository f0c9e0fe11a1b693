"""Race dualdiff against the derivative written by hand, the plain run, and the other libraries that are installed.

    python tests/benchmarks/race.py [case …] [--rounds N] [--json FILE]

All contestants of a case run in turns in this one process, round after round, on one thread and with the garbage
collector off. An entry of the table is the median, over the rounds, of the contestant's time over the hand-written
derivative's in the same round. Time is the processor time of this process, so that what else the machine does counts
little. Nobody's time counts whose answer is not the hand-written one.

dual      f on a ready-made Dual: the operations alone       asked     through the transform, as a user calls it
by np     the same with f spelled np.sin, …                  one pass  the transform with chunk_size=None
                                                             reverse   the transform with mode="reverse"
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import timeit
from pathlib import Path
from typing import TYPE_CHECKING, Any

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # read when NumPy is imported

import cases  # noqa: E402 - after the variables
import contestants  # noqa: E402
import numpy as np  # noqa: E402
import peers  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOT = 0.004
"""Seconds that a contestant runs in one round, at least: long for the clock, short for the load of the machine."""
SLOW = 0.1
"""A contestant whose one call takes so many seconds runs in every fifth round only."""
COLUMNS = (
    "hand", "plain", "dual", "dual by np", "asked", "one pass", "reverse", "autograd", "jax", "jax.jit", "torch",
    "num-dual",
)  # fmt: skip
IMPORTS = {"dualdiff": 0.030, "autograd": None, "jax": None, "torch": None, "num_dual": None}
"""Modules whose import is raced, with the target in seconds on top of NumPy's."""


class Entry:
    """A contestant on the track: how often it runs in one slot, and the seconds per call of each round."""

    def __init__(self, contestant: contestants.Contestant) -> None:
        self.name = contestant.name
        names = [f"a{i}" for i in range(len(contestant.args))]
        given = {"call": contestant.call, **dict(zip(names, contestant.args, strict=True))}
        self.timer = timeit.Timer(f"call({', '.join(names)})", timer=time.process_time, globals=given)
        once = min(self.timer.timeit(1) for _ in range(3))
        self.calls = max(1, round(SLOT / once))
        if self.calls > 1:
            self.calls = max(1, round(SLOT / min(self.timer.timeit(self.calls) / self.calls for _ in range(3))))
        self.every = 5 if once > SLOW else 1
        self.seconds: dict[int, float] = {}

    def run(self, number: int) -> None:
        """Run in round `number`."""
        if number % self.every == 0:
            if self.calls > 1:
                self.timer.timeit(1)  # brings its code back into the caches, whoever ran before
            self.seconds[number] = self.timer.timeit(self.calls) / self.calls


def check(contestant: contestants.Contestant, expected: Any) -> None:
    """Refuse a contestant that answers anything but the hand-written answer."""
    answer = contestant.read(contestant.call(*contestant.args))
    if isinstance(answer, peers.Highest):
        expected = expected[-1]
    np.testing.assert_allclose(np.asarray(answer, dtype=float), expected, rtol=1e-9, atol=1e-9)


def line_up(case: cases.Case, others: Sequence[peers.Peer]) -> tuple[list[Entry], list[str]]:
    """Return the contestants of a case with a right answer, and why the others are not among them."""
    value, derivative = case.hand(*case.point, *case.direction)
    derivative = case.flat(derivative)
    entries, remarks = [], []
    for contestant in contestants.contestants(case):
        check(contestant, value if contestant.answers == "value" else derivative)  # dualdiff must be right
        entries.append(Entry(contestant))
    for peer in others:
        try:
            contestant = peer.enter(case)
            check(contestant, derivative)
            entries.append(Entry(contestant))
        except peers.CannotAnswer:
            continue
        except Exception as error:  # noqa: BLE001 - a peer may fail in ways of its own, and the race goes on
            reason = (str(error).strip().splitlines() or [""])[0]
            remarks.append(f"{case.name}: {peer.name} does not answer ({type(error).__name__}: {reason:.90})")
    return entries, remarks


def race(case: cases.Case, others: Sequence[peers.Peer], rounds: int) -> tuple[dict[str, Any], list[str]]:
    """Return, for each contestant, its median time, its median ratio to hand, and the quartiles of that."""
    entries, remarks = line_up(case, others)
    entries[0].every = 1  # the hand-written one, against which every round of the others is held
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        first = number % len(entries)  # nobody always runs after the same neighbour
        for entry in entries[first:] + entries[:first]:
            entry.run(number)
        gc.collect()
    gc.unfreeze()
    hand = entries[0].seconds
    found = {}
    for entry in entries:
        ratios = [seconds / hand[number] for number, seconds in entry.seconds.items()]
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        seconds = statistics.median(entry.seconds.values())
        found[entry.name] = {"seconds": seconds, "ratio": middle, "quartiles": [low, high]}
    return found, remarks


def imports(rounds: int) -> dict[str, float]:
    """Return the processor time of importing each module in a fresh process that has NumPy already, in seconds."""
    code = "import time, numpy; start = time.process_time(); import {}; print(time.process_time() - start)"
    here = [name for name in IMPORTS if _runs(code.format(name)) is not None]  # which also writes the bytecode
    times: dict[str, list[float]] = {name: [] for name in here}
    for _ in range(rounds):
        for name in here:
            taken = _runs(code.format(name))
            if taken is not None:
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def _runs(code: str) -> float | None:
    setting = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # users have the bytecode
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=setting)
    return float(done.stdout) if done.returncode == 0 else None


# --- how it is shown -------------------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """Return a time to three digits with its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def times(ratio: float) -> str:
    """Return a ratio to two digits, or three from ten on."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def verdict(reached: float, target: float) -> str:
    """Return the target with whether it is met."""
    return f"≤ {target:g} {'met' if reached <= target else 'missed'}"


def rows_of(results: dict[str, dict[str, Any]], columns: Sequence[str]) -> list[list[str]]:
    """Return the table, its heading first."""
    rows = [["case", *columns, "target"]]
    for case in cases.CASES:
        if case.name not in results:
            continue
        found = results[case.name]
        cells = [duration(found["hand"]["seconds"])]
        cells += [times(found[name]["ratio"]) if name in found else "" for name in columns[1:]]
        goals = [f"{name} {verdict(found[name]['ratio'], goal)}" for name, goal in case.targets.items()]
        rows.append([case.name, *cells, ", ".join(goals)])
    return rows


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table: text to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1

    def line(row: Sequence[str]) -> str:
        cells = [c.ljust(w) if i in (0, last) else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = [("-" * w) if i in (0, last) else f"{'-' * (w - 1)}:" for i, w in enumerate(widths)]
    return "\n".join([line(rows[0]), line(rule), *map(line, rows[1:])])


def versions(others: Sequence[peers.Peer]) -> dict[str, str]:
    """Return what raced, with its version."""
    found = {"Python": platform.python_version(), "NumPy": np.__version__, "dualdiff": peers.version("dualdiff")}
    return found | {peer.name: peer.version for peer in others if peer.name != "jax.jit"}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    text, _, legend = __doc__.partition("\n\ndual ")
    parser = argparse.ArgumentParser(
        description=text.splitlines()[0], epilog=f"dual {legend}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [*(case.name for case in cases.CASES), "import"]
    parser.add_argument("case", nargs="*", help=f"what to race, by default everything: {', '.join(known)}")
    parser.add_argument("--rounds", type=int, default=41, metavar="N", help="how often everybody runs (41)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write times and quartiles to this file, too")
    given = parser.parse_args()
    unknown = sorted(set(given.case) - set(known))
    if unknown:
        parser.error(f"no case is called {', '.join(unknown)}; there are {', '.join(known)}")
    if given.rounds < 1:
        parser.error("--rounds is at least 1")
    given.case = given.case or known
    return given


def main() -> None:
    """Race, and print the table."""
    given = arguments()
    others = peers.installed()
    date = dt.datetime.now(tz=dt.UTC).date().isoformat()
    report: dict[str, Any] = {"date": date, "rounds": given.rounds, "versions": versions(others), "cases": {}}
    print(f"{date}; {platform.machine()}, one thread, {given.rounds} rounds;", end=" ")
    print(*(f"{name} {number}" for name, number in report["versions"].items()), sep=", ")
    remarks: list[str] = []
    for case in cases.CASES:
        if case.name in given.case:
            if sys.stderr.isatty():
                print(f"{case.name}: {case.about}", file=sys.stderr)
            report["cases"][case.name], said = race(case, others, given.rounds)
            remarks += said
    if report["cases"]:
        raced = {name for found in report["cases"].values() for name in found}
        print("\nhand: time of one call of the hand-written derivative; all others: times that\n")
        print(aligned(rows_of(report["cases"], [name for name in COLUMNS if name in raced])))
    if "import" in given.case:
        report["import"] = imports(max(5, given.rounds // 4))
        print("\nimport on top of NumPy:", end=" ")
        goals = {name: IMPORTS[name] for name in report["import"]}
        for name, taken in report["import"].items():
            goal = goals[name] and f" ({verdict(1e3 * taken, 1e3 * goals[name])})"
            print(f"{name} {duration(taken)}{goal or ''}", end="; " if name != list(goals)[-1] else "\n")
    print(*["", *remarks] if remarks else [], sep="\n")
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
