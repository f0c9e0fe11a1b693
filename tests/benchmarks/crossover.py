"""From how many inputs on reverse mode gives the gradient of one number faster than forward mode.

    python tests/benchmarks/crossover.py [whole] [entries] [numbers] [--rounds N]

Entries are the median, over the rounds, of the processor time of one call. The last line of a table says from which n
on reverse mode is faster, for this n and every larger one that was tried.

whole     of an array of n, by operations on whole arrays           numbers   of n numbers, each an argument of its own
entries   of an array of n, by operations on its entries
"""

from __future__ import annotations

import argparse
import gc
import statistics
from typing import TYPE_CHECKING, Any

import race  # sets the number of threads, so it comes before NumPy
from cases import rosenbrock
from contestants import DUAL, NUMPY, Contestant, own_code

import dualdiff as dd

import numpy as np  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PROGRAMS", "SIZES", "measure"]

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)
MODES = ("forward", "reverse")


def whole(m):
    along = rosenbrock(m)

    def f(x):
        return along(x) + m.sum(m.sin(x))  # one number has no neighbour

    return f


def entries(m):
    def f(x):
        total = m.sin(x[0])
        for i in range(1, len(x)):
            total = total + m.sin(x[i]) * x[i - 1]
        return total

    return f


def numbers(m):
    def f(*xs):
        return entries(m)(xs)

    return f


PROGRAMS = {"whole": (whole, NUMPY), "entries": (entries, NUMPY), "numbers": (numbers, DUAL)}
"""f as cases.py writes it, and whose functions it calls: NumPy's for arrays, dualdiff's for numbers."""


def _itself(answer: Any) -> Any:
    return answer


def measure(name: str, n: int, rounds: int) -> dict[str, float]:
    """Return the seconds that the gradient by n inputs takes in each mode."""
    program, spelling = PROGRAMS[name]
    x = np.linspace(0.1, 1.9, n)
    point = tuple(x.tolist()) if program is numbers else (x,)
    asks: dict[str, Callable[..., Any]] = {mode: dd.gradient(own_code(program(spelling)), mode=mode) for mode in MODES}
    answers = [np.ravel(ask(*point)) for ask in asks.values()]
    np.testing.assert_allclose(*answers, rtol=1e-9)
    racers = [race.Entry(Contestant(mode, ask, point, _itself)) for mode, ask in asks.items()]
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        for racer in racers[:: 1 if number % 2 else -1]:  # nobody always runs after the other
            racer.run(number)
        gc.collect()
    gc.unfreeze()
    return {racer.name: statistics.median(racer.seconds.values()) for racer in racers}


def crossing(found: dict[int, dict[str, float]]) -> int | None:
    """Return the least n from which on reverse mode is always faster."""
    least = None
    for n in sorted(found, reverse=True):
        if found[n]["reverse"] >= found[n]["forward"]:
            break
        least = n
    return least


def main() -> None:
    """Measure, and print a table for each program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="*", help="what to run, by default everything", default=list(PROGRAMS))
    parser.add_argument("--rounds", type=int, default=21, metavar="N", help="how often both modes run (21)")
    given = parser.parse_args()
    unknown = sorted(set(given.program) - set(PROGRAMS))
    if unknown:
        parser.error(f"no program is called {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    for name in given.program:
        found = {n: measure(name, n, given.rounds) for n in SIZES}
        rows = [[name, *MODES, "forward / reverse", ""]]
        for n, seconds in found.items():
            times = [race.duration(seconds[mode]) for mode in MODES]
            rows.append([f"n = {n}", *times, race.times(seconds["forward"] / seconds["reverse"]), ""])
        print(race.aligned(rows))
        least = crossing(found)
        print(f"\nreverse mode is faster from n = {least} on\n" if least else "\nforward mode is faster throughout\n")


if __name__ == "__main__":
    main()
