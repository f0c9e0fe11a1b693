"""A run of f recorded: its rows, the inputs first, under the names that a table calls them by."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, packed, wrap
from dualdiff.lecture.passes import reached
from dualdiff.lecture.record import NUMBERS_ONLY, Recorder, Row
from dualdiff.lecture.source import BOUNDARIES, NOWHERE
from dualdiff.proxy import bare
from dualdiff.rules.book import RULES
from dualdiff.tag import Tag
from dualdiff.transforms.asking import Call
from dualdiff.transforms.containers import flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Recorded", "recorded"]


class Recorded:
    """A run of f with all its rows, before anything is asked of it."""

    def __init__(self, f: Callable[..., Any], argnums: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.f = f
        self.outputs: list[Row] = []
        self.recorder = Recorder()
        self.call = Call("trace", self._watched(f), argnums, False, args, kwargs)
        if any(isinstance(leaf, Dual) for leaf in self.call.leaves):
            raise TypeError(NUMBERS_ONLY)
        run, _ = self.call.record()
        self.results = [np.asarray(value) for value in run.values]
        rows = self.recorder.rows
        needed = reached(rows, self.outputs)
        self.rows = [row for row in rows if row.role == "input" or row in needed]
        self.unused = len(rows) - len(self.rows)
        self._keep_notes(set(self.rows))
        self._name()

    def _watched(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return f with proxies in place of the Duals that come in, and Duals for the proxies that come out."""

        @functools.wraps(f)
        def watched(*args: Any, **kwargs: Any) -> Any:
            given = (leaf for x in (*args, *kwargs.values()) for leaf in flatten(x)[0])
            moving = next((leaf for leaf in given if isinstance(leaf, Dual)), None)
            recorder = self.recorder
            recorder.begin(Tag() if moving is None else moving._tag)
            names = _parameters(f, len(args))
            entered = [_entered(recorder, x, name) for x, name in zip(args, names, strict=True)]
            named = {name: _entered(recorder, x, name) for name, x in kwargs.items()}
            y = _settled(recorder, f(*entered, **named))
            leaves, rebuild = flatten(bare(y))
            duals = [self._result(packed(leaf)) for leaf in leaves]
            return rebuild(duals)

        BOUNDARIES.add(watched.__code__)  # type: ignore[attr-defined]
        return watched

    def _result(self, leaf: Any) -> Any:
        """Note a result, which is a row of its own even where it is an input or does not move."""
        recorder = self.recorder
        if isinstance(leaf, Dual) and leaf._tag is recorder.tag:
            row = recorder.row_of(leaf)
            if row.role == "input" or row in self.outputs:
                row = recorder.noted(wrap(leaf._value, leaf._tangent, leaf._tag), Row.of("copy", (row,), {}, NOWHERE))
                row.line = RULES[np.positive]  # type: ignore[assignment]
        elif isinstance(leaf, (float, int, np.number, np.ndarray)):
            value = np.asarray(leaf, dtype=float) if np.asarray(leaf).dtype.kind in "biu" else np.asarray(leaf)
            row = recorder.constant(value[()], leaf)
        else:
            return leaf
        row.role = "output"
        self.outputs.append(row)
        return leaf

    def _keep_notes(self, kept: set[Row]) -> None:
        """Hand the notes of rows that are left out, and those after the last one, to the next row, or to the last."""
        waiting: list[str] = []
        for row in self.recorder.rows:
            if row in kept:
                row.notes, waiting = list(dict.fromkeys([*waiting, *row.notes])), []
            else:
                waiting += row.notes
        if self.rows:
            last = self.rows[-1]
            last.notes = list(dict.fromkeys([*last.notes, *waiting, *self.recorder.branches.taken()]))

    def _name(self) -> None:
        """Call the steps v1, v2, …, or by another letter where an input has that name."""
        taken = {row.name for row in self.rows if row.role == "input"}
        steps = [row for row in self.rows if row.role != "input"]
        letters = (n * c for n in itertools.count(1) for c in "vwuzyab")
        letter = next(c for c in letters if not any(re.fullmatch(rf"{c}\d+", name) for name in taken))
        for i, row in enumerate(steps, 1):
            row.name = f"{letter}{i}"


def _settled(recorder: Recorder, y: Any) -> Any:
    """Return what f returned, with a list of numbers as the array that it stands for."""
    if not isinstance(y, list) and not (isinstance(y, np.ndarray) and y.dtype == object):
        return y
    leaves, _ = flatten(bare(y))
    if len(leaves) != 1 or not isinstance(leaves[0], Dual):
        return y
    return recorder.taken_up(leaves[0], Row.of("array", (recorder.rows_of(list(y)),), {}, NOWHERE))


def _entered(recorder: Recorder, x: Any, name: str) -> Any:
    """Return an argument with its Duals as inputs of the record, each under its name."""
    if isinstance(x, Dual):
        return recorder.input(x, name)
    if isinstance(x, dict):
        return type(x)({key: _entered(recorder, item, f"{name}[{key!r}]") for key, item in x.items()})
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(_entered(recorder, item, f"{name}.{key}") for key, item in zip(x._fields, x, strict=True)))
    if type(x) in (list, tuple):
        return type(x)(_entered(recorder, item, f"{name}[{i}]") for i, item in enumerate(x))
    return x


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """Return what f calls its positional arguments."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    several = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    more = (f"x{i + 1}" if several is None else f"{several}[{i - len(names)}]" for i in range(len(names), count))
    return [*names, *more][:count]


def recorded(f: Callable[..., Any], argnums: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Recorded:
    """Return a run of f with all its rows."""
    return Recorded(f, argnums, args, kwargs)
