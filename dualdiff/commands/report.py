"""The derivatives of formulas or of a file's function: a slope, a Jacobian, or all derivatives up to an order."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

import dualdiff as dd
from dualdiff.commands.layout import WIDTH, equations, number, room, short, table, width
from dualdiff.commands.output import strict
from dualdiff.commands.subject import Formulas
from dualdiff.commands.words import UsageError
from dualdiff.expression import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dualdiff.commands.subject import Subject

__all__ = ["Report", "report"]

_ORDER = "--order takes a function of one number that returns one number: leave --order out"
MOST = 40  # rows or columns of a matrix that a page shows


class Report:
    """Values and slopes at a point, in the order of the words.

    Attributes
    ----------
    outputs, inputs : list of str
        Labels of the rows and the columns.
    values : ndarray
        The outputs, one after the other.
    slopes : ndarray
        The Jacobian; with an order, the value and the derivatives.
    passes : int
        How often the function was run for the Jacobian.
    """

    def __init__(self, subject: Subject, order: int = 0) -> None:
        self.subject, self.order = subject, order
        self.formulas = subject.source.expressions if isinstance(subject.source, Formulas) else ()
        self.outputs: list[str] = []
        self.values = np.zeros(0)
        self.passes = 0
        self.inputs = [label for name in subject.moving for label in _labels(name, np.shape(subject.values[name]))]
        with subject.blamed():
            if order:
                self._derive()
            else:
                self._run()
        self.remarks = self._remarks()

    def _derive(self) -> None:
        self.slopes = np.array(dd.derivatives(self.subject.function, self.order)(*self.subject.point), dtype=float)
        if self.slopes.ndim != 1:
            raise UsageError(_ORDER)

    def _run(self) -> None:
        """Run the function once for each number that moves."""
        from dualdiff.transforms.containers import flatten

        function, point = self.subject.function, self.subject.point

        def f(*given: Any) -> Any:
            self.passes += 1
            made = function(*given)
            return list(made) if self.formulas and isinstance(made, tuple) else made

        f.__wrapped__ = function  # type: ignore[attr-defined]  # where messages find it defined
        value, *_ = found = dd.value_and_jacobian(f, argnums=0)(*point)
        blocks = [found[1], *(dd.jacobian(f, argnums=i)(*point) for i in range(1, len(point)))]
        leaves = flatten(value)[0]
        self.values = np.concatenate([np.ravel(leaf) for leaf in leaves] or [np.zeros(0)])
        self.outputs = self._outputs(value)
        sizes = [np.size(leaf) for leaf in leaves]
        matrices = [
            np.concatenate([np.reshape(x, (m, -1)) for m, x in zip(sizes, flatten(block)[0], strict=True)])
            for block in blocks
        ]
        self.slopes = np.concatenate(matrices, axis=1)

    def _outputs(self, value: Any) -> list[str]:
        """Return a label for each number of the result."""
        if self.formulas:
            return [e.text for e in self.formulas]
        return [*_parts(getattr(self.subject.source, "name", "f"), value)]

    def _remarks(self) -> list[str]:
        """Say what keeps a value or a slope from being finite."""
        remarks = []
        for expression in self.formulas:
            for part, *_, made in expression.walk(self.subject.values):
                if not math.isfinite(made):
                    remarks.append(f"{quote(part)} is {made:g} here")
                    break
        if not self.formulas:
            odd = [(x, y) for x, y in zip(self.outputs, self.values, strict=True) if not np.isfinite(y)]
            remarks = [f"{quote(label)} is {value:g} here" for label, value in odd[:3]]
        if not remarks and not np.isfinite(self.slopes).all():
            remarks.append("a slope is not finite here")
        return [*dict.fromkeys(remarks)]

    # --- formats -------------------------------------------------------------------------------------------------

    def json(self) -> str:
        """Return all of it as strict JSON."""
        import json

        values = {name: np.asarray(x, dtype=float).tolist() for name, x in self.subject.values.items()}
        told: dict[str, Any] = {"inputs": values, "outputs": self.outputs or [e.text for e in self.formulas]}
        if not self.formulas:
            told |= {"outputs": self.outputs or [getattr(self.subject.source, "name", "f")], "columns": self.inputs}
        elif self.subject.moving != tuple(values):
            told |= {"columns": self.inputs}
        if self.order:
            told |= {"derivatives": self.slopes.tolist()}
        else:
            told |= {"values": self.values.tolist(), "jacobian": self.slopes.tolist(), "passes": self.passes}
        return json.dumps(strict(told | {"remarks": self.remarks}), allow_nan=False) + "\n"

    def latex(self) -> str:
        """Return the Jacobian as a formula, in letters where they are short."""
        from dualdiff.commands.matrices import jacobian_latex

        return jacobian_latex(self.subject, self._names(), self.inputs, self.slopes)

    def text(self) -> str:
        """Return all of it as a page of 80 columns, or of fewer in a narrower terminal."""
        limit = room()
        longest = 20 if limit == WIDTH else limit // 4  # of a name
        given = ", ".join(f"{short(name, longest)}={_told(x)}" for name, x in self.subject.values.items())
        lines = [*textwrap.wrap(f"at {given}", limit, subsequent_indent="   "), ""]
        inputs, names = [short(name, longest) for name in self.inputs], self._names()
        what = self.formulas[0].text if self.formulas else self.subject.source.title.replace("`", "")
        if self.order or self.slopes.size == 1:
            f = short(names[0] if names else self._letter(), longest)
            found = self.slopes if self.order else [*self.values, *self.slopes[0]]
            labels = [f, f"d{f}/d{inputs[0]}", *(f"d{k}{f}/d{inputs[0]}{k}" for k in range(2, len(found)))]
            lines.insert(0, f"{f} = {short(what, limit - width(f) - 3)}")
            lines += equations([*zip(labels, map(number, found), strict=True)], [" = "], limit)
        else:
            lines += self._matrix([short(name, longest) for name in names], inputs, limit)
            whose = "the formula" if self.formulas else what
            noun = "variable" if self.formulas else "number"
            lines += textwrap.wrap(f"passes of {whose}: {self.passes}, one for each {noun}", limit)
        lines += [""] * bool(self.remarks)
        for remark in self.remarks:
            lines += textwrap.wrap(f"remark: {remark}", limit, subsequent_indent="  ")
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _matrix(self, names: list[str], inputs: list[str], limit: int) -> Iterator[str]:
        """Yield the values, and the Jacobian under its labels."""
        values = [number(y) for y in self.values[:MOST]]
        if self.formulas:
            texts = [short(e.text, 44) for e in self.formulas[:MOST]]
            yield from equations([*zip(names[:MOST], texts, values, strict=False)], [" = ", "  =  "], limit)
        else:
            yield from equations([*zip(names[:MOST], values, strict=False)], [" = "], limit)
        heads = [f"d/d{name}" for name in inputs[:MOST]]
        yield from ["", *table(names[:MOST], heads, self.slopes[:MOST, :MOST], limit), ""]
        if max(self.slopes.shape) > MOST:
            m, n = self.slopes.shape
            said = f"shown are at most {MOST} rows and columns of {m} and {n}: --format json has all"
            yield from [*textwrap.wrap(said, limit), ""]

    def _names(self) -> list[str]:
        """Return what the rows are called."""
        if not self.formulas:
            return self.outputs
        f = self._letter()
        return [f"{f}{i}" for i in range(1, len(self.formulas) + 1)] if len(self.formulas) > 1 else [f]

    def _letter(self) -> str:
        """Return a name for the output that no variable has."""
        if not self.formulas:
            return str(getattr(self.subject.source, "name", "f"))
        initials = {name[0] for name in self.subject.values}
        return next((letter for letter in "fgyzw" if letter not in initials), "out")


def report(subject: Subject, order: int = 0) -> Report:
    """Return values and slopes; with an order, all derivatives up to it."""
    if order and (len(subject.moving) != 1 or getattr(subject.source, "expressions", "1")[1:]):
        outputs = len(getattr(subject.source, "expressions", "1"))
        have = f"{outputs} and {len(subject.moving)}"
        raise UsageError(f"--order takes one expression in one variable, not {have}: leave --order out")
    if order and np.ndim(subject.point[0]):
        raise UsageError(_ORDER)
    return Report(subject, order)


def _told(x: Any) -> str:
    if np.ndim(x) == 0:
        return number(x)
    flat = [number(y) for y in np.ravel(x)]
    shown = ", ".join(flat if len(flat) <= 6 else [*flat[:3], "...", *flat[-2:]])
    return f"[{shown}]" if np.ndim(x) == 1 else f"[{shown}] of shape {np.shape(x)}"


def _labels(name: str, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield the name of each number of an array."""
    if not shape:
        yield name
    for index in np.ndindex(shape) if shape else ():
        yield f"{name}[{', '.join(map(str, index))}]"


def _parts(name: str, value: Any) -> Iterator[str]:
    """Yield the name of each number of a result."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _parts(f"{name}[{key!r}]", item)
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for key, item in zip(value._fields, value, strict=True):
            yield from _parts(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _parts(f"{name}[{i}]", item)
    else:
        yield from _labels(name, np.shape(value))
