"""Where forward and reverse cross as inputs and outputs grow: measured on f itself.

Two things are measured.  Where f takes an array of any length, the whole Jacobian at more and more inputs.  And for
every f, its passes at the point given: n passes forward, and a recording with m passes back, which says for every n
and m which is quicker while f itself stays as it is.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.lecture.compared.measuring import times_of
from dualdiff.lecture.compared.settings import grown_arguments
from dualdiff.primal import ndim_of, shape_of, size_of
from dualdiff.transforms.asking import Call, defined_at
from dualdiff.transforms.jacobian import _seeds, jacobian

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Crossover", "crossing", "crossover_of", "everything"]

_SIZES = tuple(2**k for k in range(11))
_FEWEST = 3  # sizes that make a curve
_READINGS = 5  # of which the shortest is taken: on a busy machine the others have waited
_PASSES = (1, 16)  # numbers of them whose times are compared
_SLOW = (1, 2)  # and of a slow function


@dataclass(frozen=True)
class Crossover:
    """Where forward and reverse cross.

    Attributes
    ----------
    grows : bool
        Whether f itself was run at more and more inputs; else n of its passes, again and again where it has fewer.
    sizes : tuple of int
        Numbers of inputs n.
    outputs : tuple of int
        How many numbers f returns at each.
    forward, reverse : tuple of float
        Seconds at each.
    at : float or None
        The n from which on the other mode is quicker; None where one of them is quicker at all sizes.
    before, after : str
        Which mode is quicker below and above.
    per_input : float
        Seconds of one forward pass at the point given.
    recording, per_output : float
        Seconds of the recording there, and of one pass back.
    """

    grows: bool
    sizes: tuple[int, ...]
    outputs: tuple[int, ...]
    forward: tuple[float, ...]
    reverse: tuple[float, ...]
    at: float | None
    before: str
    after: str
    per_input: float
    recording: float
    per_output: float

    def limit(self, outputs: float) -> float:
        """Return the number of inputs up to which forward is quicker for so many outputs, f being as it is."""
        return (self.recording + self.per_output * outputs) / self.per_input


def crossing(
    sizes: Sequence[float], forward: Sequence[float], reverse: Sequence[float]
) -> tuple[float | None, str, str]:
    """Return where two curves cross, and which one is lower before and after.

    Single readings may be off, so the crossing stands where the curves are on the wrong side by least in all, on
    logarithmic scales.

    Examples
    --------
    >>> from dualdiff.lecture.compared.crossing import crossing
    >>> crossing([1, 2, 4, 8], [1, 2, 4, 8], [3, 3, 3, 3])
    (3.0, 'forward', 'reverse')
    """
    x = np.log(np.asarray(sizes, dtype=float))
    lead = np.log(np.asarray(forward, dtype=float)) - np.log(np.asarray(reverse, dtype=float))
    found: list[tuple[float, int, int]] = []
    for sign in (1, -1):  # 1: forward is lower first
        for split in range(len(x) + 1):
            wrong = np.maximum(0, sign * lead[:split]).sum() + np.maximum(0, -sign * lead[split:]).sum()
            found.append((float(wrong), split, sign))
    wrong, split, sign = min(found, key=lambda way: (way[0], way[1] not in (0, len(x))))
    names = ("forward", "reverse")[:: 1 if sign > 0 else -1]
    if split in (0, len(x)):
        only = names[0] if split else names[1]
        return None, only, only
    (a, b), (left, right) = lead[split - 1 : split + 1], x[split - 1 : split + 1]
    share = -a / (b - a) if a * b <= 0 and a != b else 0.5
    return float(np.exp(left + share * (right - left))), names[0], names[1]


def everything(argnums: Any, args: Sequence[Any]) -> Any:
    """Return the argnums of a whole Jacobian: several arguments one by one, whatever their shapes."""
    return tuple(range(len(args))) if argnums is None and len(args) > 1 else argnums


def crossover_of(
    call: Call, sizes: Sequence[int] | None, seconds: float, grow: Callable[[int], Any] | None
) -> Crossover:
    """Measure where the modes cross for f at the point of a call, in about so many seconds."""
    per_input, recording, per_output = _passes(call, seconds / 4)
    wanted = tuple(sizes or _SIZES)
    ends = math.inf if sizes else time.perf_counter() + seconds  # sizes that were asked for are all measured
    curve = _curve(_grown(call, wanted, grow), seconds, ends)
    grows = len(curve) >= min(_FEWEST, len(wanted))
    if not grows:
        curve = _curve(_repeated(call, wanted), seconds, ends)
    n, m, forward, reverse = (tuple(column) for column in zip(*sorted(curve), strict=True))
    if not grows:  # the same again and again
        reverse = (statistics.median(reverse),) * len(n)
    at, before, after = crossing(n, forward, reverse)
    return Crossover(grows, n, m, forward, reverse, at, before, after, per_input, recording, per_output)


def _outputs(call: Call) -> int:
    run, _ = call.record()
    return sum(map(size_of, run.values))


Runs = tuple[int, int, "Callable[[], object]", "Callable[[], object]"]  # n, m, and both modes


def _curve(points: Iterator[Runs], seconds: float, ends: float) -> list[tuple[int, int, float, float]]:
    """Return n, m and the times of both modes, for as many points as there is time for."""
    found: list[tuple[int, int, float, float]] = []
    for n, m, forward, reverse in points:
        if found and time.perf_counter() + 6 * (found[-1][2] + found[-1][3]) > ends:
            break
        (ahead, back), _ = times_of([forward, reverse], _READINGS, seconds / 4, min)
        found.append((n, m, ahead, back))
    return found


def _forward(call: Call, count: int) -> None:
    """Go through f forward, for one input after the other and from the first again."""
    for j in range(count):
        call.run(_seeds(call, j % call.size, j % call.size + 1))


def _reverse(call: Call, count: int) -> None:
    """Record f, and go back for one output after the other and from the first again."""
    run, program = call.record()
    shapes = [shape_of(value) for value in run.values]
    total = sum(map(size_of, run.values))
    for i in range(count):
        program.pull(_unit(shapes, i % total))


def _passes(call: Call, seconds: float) -> tuple[float, float, float]:
    """Return how long one forward pass takes, the recording, and one pass back."""
    began = time.perf_counter()
    _forward(call, 1)
    few, many = _PASSES if 4 * _PASSES[-1] * (time.perf_counter() - began) < seconds else _SLOW
    runs = [partial(go, call, count) for go, count in ((_forward, many), (_reverse, few), (_reverse, many))]
    (ahead, back, all_back), _ = times_of(runs, _READINGS, seconds, min)
    per_output = max(0.0, (all_back - back) / (many - few))
    return ahead / many, max(0.0, back - few * per_output), per_output


def _repeated(call: Call, sizes: Sequence[int]) -> Iterator[Runs]:
    """Yield n passes forward beside what reverse mode does for f as it is."""
    m = _outputs(call)
    for n in sizes:
        yield n, m, partial(_forward, call, n), partial(_reverse, call, m)


def _unit(shapes: Sequence[tuple[int, ...]], place: int) -> list[Any]:
    """Return cotangents of which one number is 1."""
    seeds: list[Any] = []
    for shape in shapes:
        size = math.prod(shape)
        seed = np.zeros(size)
        if 0 <= place < size:
            seed[place] = 1.0
        seeds.append(seed.reshape(shape)[()] if 0 <= place < size else None)
        place -= size
    return seeds


def _grown(call: Call, sizes: Sequence[int], grow: Callable[[int], Any] | None) -> Iterator[Runs]:
    """Yield the Jacobian of f itself at n inputs, for those that f takes."""
    grown = partial(grown_arguments, grow) if grow else _tiled(call)
    if grown is None:
        return
    refused, seen = list[tuple[int, Exception]](), set[int]()
    for n in sizes:
        args = grown(n)
        argnums = everything(call.argnums, args)
        try:
            given = Call("compare", call.f, argnums, False, args, call.kwargs)
            m = _outputs(given)
        except Exception as error:  # noqa: BLE001 - whatever f raises, it does not take so many inputs
            refused.append((n, error))
            continue
        if given.size in seen:
            continue
        seen.add(given.size)
        ways = [jacobian(call.f, argnums, mode=mode, chunk_size=1) for mode in ("forward", "reverse")]
        forward, reverse = (partial(way, *args, **call.kwargs) for way in ways)
        yield given.size, m, forward, reverse
    if grow and refused and not seen:
        n, cause = refused[0]
        message = (
            f"f takes none of what grow returned: with grow({n}) it raised {type(cause).__name__}: {cause}. "
            f"Let grow(n) return what f is called with{defined_at(grow)}"
        )
        raise ValueError(message) from cause


def _tiled(call: Call) -> Callable[[int], Any] | None:
    """Return the function that gives f's arguments with n inputs, if what moves is one array: its numbers repeated."""
    if len(call.leaves) != 1 or ndim_of(call.leaves[0]) != 1 or not isinstance(call.places[0], int):
        return None
    (place,), (leaf,) = call.places, call.leaves

    def tiled(n: int) -> tuple[Any, ...]:
        return tuple(np.resize(leaf, n) if i == place else x for i, x in enumerate(call.args))

    return tiled
