"""compare: the same Jacobian made forward and in reverse, with passes, operations, time and memory side by side."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dualdiff.dual import Dual
from dualdiff.lecture.compared.crossing import Crossover, crossover_of, everything
from dualdiff.lecture.compared.measuring import peak_of, times_of
from dualdiff.lecture.compared.settings import checked, grown_arguments
from dualdiff.lecture.passes import Count, counts
from dualdiff.lecture.printed import Printed
from dualdiff.lecture.run import recorded
from dualdiff.transforms.asking import Argnums, Call
from dualdiff.transforms.jacobian import jacobian

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.lecture.compared.settings import Settings

__all__ = ["Comparison", "Mode", "compare"]

_SCHEMA = "dualdiff.compare/1"
_ALIKE = 1.15  # times as long, up to which two times count as equal
_MOST = 2e7  # numbers that all directions at once may take, at the largest value of f


def compare(
    f: Callable[..., Any], argnums: Argnums = None, *, repeat: int = 7, seconds: float = 1.0,
    sizes: Sequence[int] | None = None, grow: Callable[[int], Any] | None = None,
) -> Callable[..., Comparison]:  # fmt: skip
    """Return the function that makes the Jacobian of f both ways and says what each of them cost.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them.
    argnums : int, str or tuple of them, optional
        Which arguments move, by position or name. By default all that are given by position.
    repeat : int, default 7
        Of how many readings a time is the median.
    seconds : float, default 1
        About how long measuring may take, and the crossover again so long; fewer readings are taken then.
    sizes : sequence of int, optional
        Numbers of inputs at which to look for the crossover, all of which are measured, in any order; by default 1, 2,
        4, … up to 1024, as far as there is time.
    grow : callable, optional
        ``grow(n)`` is to return arguments of f with n inputs, a tuple if there are several. By default the numbers of
        the one array that moves are repeated.

    Returns
    -------
    callable
        ``compare(f)(x)`` is a `Comparison` with ``.forward`` and ``.reverse``, each with ``passes``, ``counts``,
        ``seconds`` and ``peak_bytes``; with ``.cheaper``, ``.crossover`` and ``.plot()``. It prints as a table.

    Raises
    ------
    TypeError
        If f is no function, or returns something that is not made of numbers; if a setting is of another kind.
    ValueError
        If nothing moves, or f returns no numbers; if `repeat`, `seconds` or `sizes` are not positive. If f takes none
        of what `grow` returns, which is found out when the crossover is asked for.

    Notes
    -----
    Times and memory are those of ``jacobian(f, mode="forward")`` and ``jacobian(f, mode="reverse")``, one direction in
    each pass. Operations are counted on the trace, so they are the same on every machine.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> shown = dd.compare(lambda x: np.sum(x**2), seconds=0.05)(np.ones(100))
    >>> shown.forward.passes, shown.reverse.passes
    (100, 1)
    >>> shown.forward.counts, shown.reverse.counts
    (Count(multiplications=10000, additions=9900), Count(multiplications=100, additions=0))
    >>> shown.cheaper_by_counts
    'reverse'
    """
    asked: Any = f
    if not callable(asked):
        message = f"compare() takes a function; it got {f!r}. Write compare(f)(x), not compare(f(x))."
        raise TypeError(message)
    settings = checked(repeat, seconds, sizes, grow)

    @functools.wraps(f)
    def at(*args: Any, **kwargs: Any) -> Comparison:
        return Comparison(f, argnums, args, kwargs, settings)

    return at


@dataclass(frozen=True)
class Mode:
    """What a Jacobian costs in one mode.

    Attributes
    ----------
    passes : int
        Forward one for each input number, reverse one for each output number.
    counts : Count
        Multiplications and additions of numbers in all passes, beyond those of f itself; times 1 is counted.
    seconds : float
        How long it takes with one direction in each pass: the median of several readings.
    peak_bytes : int
        By how much the memory in use is higher at its highest, the Jacobian itself included. It is what Python's
        tracemalloc sees, to which NumPy reports its arrays.
    all_at_once : float or None
        Seconds with all directions in one pass (``chunk_size=None``); None where that would take too much memory.
    """

    passes: int
    counts: Count
    seconds: float
    peak_bytes: int
    all_at_once: float | None


class Comparison(Printed):
    """Forward and reverse mode side by side, for one f at one point.

    `compare` makes it. It prints as a table that fits the terminal.

    Attributes
    ----------
    name : str
        What f is called.
    inputs, outputs : int
        How many numbers go in and come out.
    steps : int
        How many operations f does, which is how long reverse mode's record is.
    forward, reverse : Mode
        What each of them costs.
    readings : int
        Of how many readings the times are medians.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> shown = dd.compare(lambda s, t: np.stack([s * t, s + t, s - t]), seconds=0.05)(2.0, 3.0)
    >>> shown.inputs, shown.outputs, shown.forward.passes, shown.reverse.passes
    (2, 3, 2, 3)
    """

    signs = "ℝ¹→×≈·µ"

    def __init__(
        self, f: Callable[..., Any], argnums: Argnums, args: tuple[Any, ...], kwargs: dict[str, Any], settings: Settings
    ) -> None:
        argnums = everything(argnums, args)
        self._call = call = Call("compare", f, argnums, False, args, kwargs)
        if any(isinstance(leaf, Dual) for leaf in call.leaves):
            message = (
                "compare() measures numbers; it got a Dual, whose derivative has not returned: compare outside of it"
            )
            raise TypeError(message)
        call.require_arity()
        run = recorded(f, argnums, args, kwargs)
        self.name = _called(f)
        self.inputs, self.outputs = call.size, sum(row.size for row in run.outputs)
        if not self.inputs or not self.outputs:
            message = (
                f"compare() needs inputs and outputs; {self.name} was given {self.inputs} numbers and returned "
                f"{self.outputs}. Give it an array that is not empty"
            )
            raise ValueError(message)
        self.steps = sum(row.role != "input" for row in run.rows)
        largest = max(row.size for row in run.rows)
        repeat, seconds, sizes, grow = settings
        if grow is not None:
            grown_arguments(grow, sizes[0] if sizes else 1)  # before anything is measured
        self._settings = (sizes, seconds, grow)
        ways = {mode: partial(jacobian, f, argnums, mode=mode) for mode in ("forward", "reverse")}
        singly = [partial(way(chunk_size=1), *args, **kwargs) for way in ways.values()]
        passes = (self.inputs, self.outputs)
        light = [n * largest <= _MOST for n in passes]
        together = [
            partial(way(chunk_size=None), *args, **kwargs) for way, few in zip(ways.values(), light, strict=True) if few
        ]
        times, self.readings = times_of(singly, repeat, seconds * 2 / 3)
        quick, _ = times_of(together, min(repeat, 3), seconds / 6)
        rest = iter(quick)
        peaks = list(map(peak_of, singly))
        counted = counts(run.rows, run.outputs)
        self.forward, self.reverse = (
            Mode(p, c, t, peak, next(rest) if few else None)
            for p, c, t, peak, few in zip(passes, counted, times, peaks, light, strict=True)
        )

    def __setattr__(self, name: str, item: Any) -> None:
        if "reverse" in self.__dict__:
            message = f"a Comparison does not change: {name} is what was measured"
            raise AttributeError(message)
        super().__setattr__(name, item)

    @property
    def cheaper(self) -> str:
        """Which mode took less time: "forward", "reverse", or "about equal" where they differ by less than 15 %."""
        forward, reverse = self.forward.seconds, self.reverse.seconds
        if max(forward, reverse) <= _ALIKE * min(forward, reverse):
            return "about equal"
        return "forward" if forward < reverse else "reverse"

    @property
    def cheaper_by_counts(self) -> str:
        """Which mode takes fewer multiplications and additions together: "forward", "reverse" or "equal"."""
        forward, reverse = sum(self.forward.counts), sum(self.reverse.counts)
        return "equal" if forward == reverse else "forward" if forward < reverse else "reverse"

    @functools.cached_property
    def crossover(self) -> Crossover:
        """Where the modes cross as inputs and outputs grow; measured when first asked for, which printing does."""
        return crossover_of(self._call, *self._settings)

    # --- formats -------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, which JSON can have."""
        return {
            "schema": _SCHEMA,
            "function": self.name,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "steps": self.steps,
            "readings": self.readings,
            "forward": _told(self.forward),
            "reverse": _told(self.reverse),
            "cheaper": self.cheaper,
            "cheaper_by_counts": self.cheaper_by_counts,
            "crossover": {k: list(x) if isinstance(x, tuple) else x for k, x in asdict(self.crossover).items()},
        }

    def _written(self, width: int, ascii: bool) -> str:
        from dualdiff.lecture.compared.versus import to_text

        return to_text(self.to_dict(), width, ascii=ascii)

    def plot(self, ax: Any = None) -> Any:
        """Draw the time of both modes against the number of inputs, with the crossing marked.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        Axes
            What was drawn on; ``.figure.savefig(path)`` writes it.

        Raises
        ------
        ImportError
            If matplotlib is not installed; the message says how to install it.
        """
        from dualdiff.lecture.compared.versus import plot

        return plot(self.to_dict(), ax)


def _called(f: Any) -> str:
    name = getattr(getattr(f, "func", f), "__name__", "f")
    return name if name.isidentifier() else "f"


def _told(mode: Mode) -> dict[str, Any]:
    return {
        "passes": mode.passes,
        "counts": mode.counts._asdict(),
        "seconds": mode.seconds,
        "peak_bytes": mode.peak_bytes,
        "all_at_once": mode.all_at_once,
    }
