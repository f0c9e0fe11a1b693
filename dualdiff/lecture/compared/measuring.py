"""How long things take and how much memory, measured side by side so that a busy moment hits all of them."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["amount", "duration", "memory", "peak_of", "times_of"]

_SHORTEST = 1e-3  # seconds that one reading lasts at least; what is quicker runs several times in it


def times_of(
    runs: Sequence[Callable[[], object]], repeat: int, seconds: float,
    taken: Callable[[Sequence[float]], float] = statistics.median,
) -> tuple[list[float], int]:  # fmt: skip
    """Return the time of each run, the median of several readings, and how many readings there are.

    Parameters
    ----------
    runs : sequence of callable
        What to run; each is run once before anything is read, as first calls are slow, unless that alone takes so long.
    repeat : int
        How many readings to take of each, one of each in turn.
    seconds : float
        After how long no other turn is begun.
    taken : callable, default median
        Which of its readings stands for a run.
    """
    began = time.perf_counter()
    first = [_timed(run, 1) for run in runs]
    if time.perf_counter() - began > seconds:
        return first, 1
    second = [_timed(run, 1) for run in runs]
    numbers = [max(1, int(_SHORTEST / max(reading, 1e-9))) for reading in second]
    readings = [[reading] if number == 1 else [] for reading, number in zip(second, numbers, strict=True)]
    while min(map(len, readings), default=repeat) < repeat:
        if all(readings) and time.perf_counter() - began > seconds:
            break
        for own, run, number in zip(readings, runs, numbers, strict=True):
            own.append(_timed(run, number))
    return [taken(own) for own in readings], min(map(len, readings), default=0)


def _timed(run: Callable[[], object], number: int) -> float:
    began = time.perf_counter()
    for _ in range(number):
        run()
    return (time.perf_counter() - began) / number


def peak_of(run: Callable[[], object]) -> int:
    """Return by how many bytes a run raises the memory in use at its highest; NumPy reports its arrays, too."""
    begun = not tracemalloc.is_tracing()
    if begun:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        run()
        return max(0, tracemalloc.get_traced_memory()[1] - before)
    finally:
        if begun:
            tracemalloc.stop()


def amount(number: float, digits: int = 3) -> str:
    """Return a positive number with so many significant digits and no exponent: 1234 is 1230."""
    if number == 0:
        return "0"
    text = f"{float(f'{number:.{digits - 1}e}'):.10f}".rstrip("0").rstrip(".")
    return text if text != "0" else f"{number:.{digits - 1}e}"


def _in_units(number: float, units: Sequence[tuple[float, str]]) -> str:
    size, unit = next((own for own in units if number >= 0.9995 * own[0]), units[-1])
    return f"{amount(number / size)} {unit}"


def duration(seconds: float, ascii: bool = False) -> str:
    """Return a time with its unit.

    Examples
    --------
    >>> from dualdiff.lecture.compared.measuring import duration
    >>> duration(0.00123), duration(4.56e-6)
    ('1.23 ms', '4.56 µs')
    """
    return _in_units(seconds, [(1.0, "s"), (1e-3, "ms"), (1e-6, "us" if ascii else "µs"), (1e-9, "ns")])


def memory(count: int) -> str:
    """Return a number of bytes with its unit, in powers of 1000.

    Examples
    --------
    >>> from dualdiff.lecture.compared.measuring import memory
    >>> memory(4_100_000), memory(512)
    ('4.1 MB', '512 B')
    """
    return _in_units(count, [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")])
