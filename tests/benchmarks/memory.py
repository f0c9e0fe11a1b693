"""What a gradient in reverse mode needs in memory, beside the values that it has to keep in any case.

    python tests/benchmarks/memory.py [chain] [loop]

Those are the values that the plain run makes; they are counted as it makes them. A peak is that of tracemalloc during
one call, without the arguments, which are there before. Time is the processor time of another call.

chain     exp(-x²) sin 3x + log1p x² of a million numbers, summed
loop      ten thousand steps of a thousand numbers, summed in the end
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import race  # sets the number of threads, so it comes before NumPy
from cases import elementwise
from contestants import NUMPY, library, own_code

import dualdiff as dd

import numpy as np  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PROGRAMS", "kept", "peak"]

MEBIBYTE = 2**20
TARGET = 4.0
"""Peak of dualdiff over what is kept in any case, on the chain."""


def chain(m):
    along = elementwise(m)

    def f(x):
        return m.sum(along(x))

    return f


def loop(m):
    def f(x):
        for _ in range(10**4):
            x = x + 0.001 * m.sin(x)
        return m.sum(x)

    return f


PROGRAMS = {"chain": (chain, 10**6), "loop": (loop, 10**3)}
"""f as cases.py writes it, and the number of its inputs."""


class _Counted(np.ndarray):
    """An array that counts the memory of every array computed from it."""

    made = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        bare = [x.view(np.ndarray) if isinstance(x, _Counted) else x for x in inputs]
        result = getattr(ufunc, method)(*bare, **kwargs)
        _Counted.made += result.nbytes
        return result.view(_Counted) if isinstance(result, np.ndarray) else result


def kept(f: Callable[..., Any], x: np.ndarray) -> int:
    """Return the memory in bytes of all values that a plain run of f makes."""
    _Counted.made = 0
    f(x.view(_Counted))
    return _Counted.made


def peak(ask: Callable[..., Any], x: np.ndarray) -> int:
    """Return the most memory in bytes that a call holds at a time, beside its argument."""
    tracemalloc.start()
    try:
        ask(x)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _seconds(ask: Callable[..., Any], x: np.ndarray) -> float:
    start = time.process_time()
    ask(x)
    return time.process_time() - start


def gradients(program: Callable[[Any], Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return the gradient of a program by each library that allocates where tracemalloc sees it."""
    found = {"dualdiff": dd.gradient(own_code(program(NUMPY)), mode="reverse")}
    try:
        import autograd
        import autograd.numpy
    except ImportError:
        return found
    return found | {"autograd": autograd.grad(own_code(program(library("autograd", autograd.numpy))))}


def rows_of(name: str) -> list[list[str]]:
    """Return the lines of the table about one program."""
    program, n = PROGRAMS[name]
    x = np.random.default_rng(7).normal(size=n)
    f = program(NUMPY)
    values = kept(f, x)
    rows = [[name, "values kept", race.duration(_seconds(f, x)), f"{values / MEBIBYTE:.0f} MiB", "", ""]]
    for who, ask in gradients(program).items():
        seconds, most = _seconds(ask, x), peak(ask, x)
        goal = race.verdict(most / values, TARGET) if who == "dualdiff" and name == "chain" else ""
        rows.append([name, who, race.duration(seconds), f"{most / MEBIBYTE:.0f} MiB", race.times(most / values), goal])
    return rows


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="*", help="what to run, by default both", default=list(PROGRAMS))
    given = parser.parse_args().program
    unknown = sorted(set(given) - set(PROGRAMS))
    if unknown:
        parser.error(f"no program is called {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    rows = [row for name in given for row in rows_of(name)]
    print(race.aligned([["program", "who", "time", "peak", "peak / kept", "target"], *rows]))


if __name__ == "__main__":
    main()
