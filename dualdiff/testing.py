"""For tests: derivatives held against differences, in every mode; to be used on rules of your own."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.checked.claims import Layout
from dualdiff.lecture.checked.points import parameters
from dualdiff.lecture.checked.verdict import apart, at_point
from dualdiff.primal import plain, shape_of, size_of
from dualdiff.transforms.asking import Call
from dualdiff.transforms.jvp import jvp
from dualdiff.transforms.vjp import vjp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["check_derivatives"]

_UNITS = 32  # numbers of a point whose directions are tried one by one; of larger ones some random ones are
_PAIRS = 6  # and whose second derivatives are
_RANDOM = 8
_HALVINGS = 11
_STEP = 0.04  # the first step, relative to the point
_SHRUNK = 12  # times that the first step is taken smaller where f is not finite there
_NEAR = 1e-6  # relative difference that is none; a factor wrong by 1e-4 is far beyond it
_SURE = 1e-7  # relative error of a difference quotient beyond which it tells nothing
_SAFE = 20.0
_TINY = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)  # steps at which a staircase is flat, beside the first one
_DIFFERS = 1e-2  # relative difference of the slopes of a staircase from afar and near
_NOISE = 100.0  # units in the last place by which f may be off
_ROUNDED = 1e-12  # relative change of f over the first step that is rounding


class _Slope(NamedTuple):
    """A difference quotient, how far off each entry may be, and how large a change is rounding alone."""

    value: Any
    error: Any
    floor: float


def check_derivatives(f: Any, x: Any, order: int = 2) -> None:
    """Raise an AssertionError unless the derivatives of f at x are those that differences show.

    Parameters
    ----------
    f : callable
        Function of real numbers, arrays or containers of them, written in NumPy; one with a rule of your own
        (`dualdiff.rule`) in it is what this is for.
    x : number, array, container or tuple
        The point; a tuple is the arguments of f.
    order : {1, 2}, default 2
        1: the first derivative, in forward mode, in reverse mode, and the two against each other,
        ``⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩``. 2: the second too, forward over forward and forward over reverse.

    Raises
    ------
    AssertionError
        If a derivative is wrong; it says which, where, and by how much.
    ValueError
        If `order` is neither 1 nor 2; if no difference quotient settles at x, so that nothing can be said.
    TypeError
        If f is no function, x is complex, or f returns something that is not made of real numbers.

    Notes
    -----
    Central differences with ever smaller steps, extrapolated, in long double where f can do with it; each comes with an
    estimate of its error, and entries where it does not settle, as at a kink, or settles on another number for tiny
    steps, as on a staircase, are left out. The second derivative is held against differences of the first. A point of
    more than 32 numbers is tested along random directions.

    References
    ----------
    Ridders, *Accurate computation of F'(x) and F'(x)F''(x)*, Advances in Engineering Software 4 (1982).

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> from dualdiff.testing import check_derivatives
    >>> check_derivatives(lambda s, t: s * np.sin(t), (2.0, 0.5))
    >>> @dd.rule(partials=lambda x, y: 3 * x)
    ... def squared(x):
    ...     return x**2
    >>> check_derivatives(squared, 1.5)
    Traceback (most recent call last):
    AssertionError: first derivative, forward mode: dsquared/dx at x = 1.5 is 4.5, and differences give 3
    """
    if not callable(f):
        message = f"check_derivatives() takes a function; it got {f!r}. Write check_derivatives(f, x)."
        raise TypeError(message)
    if order not in (1, 2) or isinstance(order, bool):
        message = f"check_derivatives(order=...) knows the first and the second derivative, 1 and 2; it got {order!r}"
        raise ValueError(message)
    point = x if isinstance(x, tuple) and not hasattr(x, "_fields") else (x,)
    task = _Task(f, point)
    task.first()
    if order == 2:
        task.second()


class _Task:
    """f at a point, as a function of the vector of all its numbers."""

    def __init__(self, f: Callable[..., Any], point: tuple[Any, ...]) -> None:
        self.f = f
        self.call = Call("check_derivatives", f, None, False, point, {})
        if self.call.is_complex:
            message = "check_derivatives() is about real inputs; at a complex point check real and imaginary part"
            raise TypeError(message)
        self.point = point
        self.shapes = [shape_of(leaf) for leaf in self.call.leaves]
        self.x = np.concatenate([np.zeros(0), *(np.ravel(leaf) for leaf in self.call.leaves)]).astype(float)
        run = self.call.run([None] * len(self.shapes))
        self.rebuild = run.rebuild
        self.results = [shape_of(value) for value in run.values]
        if any(np.iscomplexobj(plain(value)) for value in run.values):
            message = "check_derivatives() is about real results; check np.real and np.imag of f"
            raise TypeError(message)
        self.m = sum(size_of(value) for value in run.values)
        own = parameters(f) or []
        self.names = [*own, *(f"x{i + 1}" for i in range(len(own), len(point)))][: len(point)]
        self.layout = Layout(self.results, point, self.names)
        self.rng = np.random.default_rng(0)
        self.settled = 0

    # --- f and its derivatives as functions of a vector ------------------------------------------------------------

    def leaves(self, vector: Any) -> list[Any]:
        """Return the numbers of a vector in the shapes of the point."""
        found, start = [], 0
        for shape in self.shapes:
            size = int(np.prod(shape, dtype=int))
            found.append(vector[start : start + size].reshape(shape)[()])
            start += size
        return found

    def arguments(self, vector: Any) -> list[Any]:
        """Return a vector as the arguments of f."""
        return self.call.arranged(self.leaves(vector))

    def value(self, vector: Any) -> Any:
        """Return f as a vector."""
        run = Call("check_derivatives", self.f, None, False, self.arguments(vector), {}).run([None] * len(self.shapes))
        return _joined(run.values)

    def pushed(self, f: Callable[..., Any], vector: Any, v: Any) -> Any:
        """Return the derivative of f in a direction, forward."""
        run = Call("check_derivatives", f, None, False, self.arguments(vector), {}).run(self.leaves(v))
        return _joined(run.moved)

    def along(self, v: Any) -> Callable[..., Any]:
        """Return the function of f's arguments that gives J·v."""
        tangents = tuple(self.arguments(v))
        return lambda *args: jvp(self.f, args, tangents)[1]

    def pulled(self, w: Any) -> Callable[..., Any]:
        """Return the function of f's arguments that gives Jᵀ·w."""
        leaves, start = [], 0
        for shape in self.results:
            size = int(np.prod(shape, dtype=int))
            leaves.append(w[start : start + size].reshape(shape)[()])
            start += size
        return lambda *args: vjp(self.f, *args)[1](self.rebuild(leaves))

    def directions(self, most: int) -> Iterator[tuple[int | None, Any]]:
        """Yield directions: each number of the point by itself with its position, or random ones."""
        n = self.x.size
        if n <= most:
            yield from enumerate(np.eye(n))
        else:
            yield from ((None, self.rng.uniform(-1, 1, n)) for _ in range(_RANDOM))

    # --- what is compared ---------------------------------------------------------------------------------------------

    def first(self) -> None:
        """Hold the first derivative against differences, and both modes against each other."""
        w = self.rng.uniform(0.5, 1.5, self.m) * self.rng.choice([-1, 1], self.m)
        rows = self.reverse_rows()
        for j, v in self.directions(_UNITS):
            moved = self.pushed(self.f, self.x, v)
            slope = _differences(self.value, self.x, v)
            self.compare("first derivative, forward mode", moved, slope, partial(self.entry, j=j))
            if rows is not None:
                self.compare("first derivative, reverse mode", rows @ v, slope, partial(self.entry, j=j))
            self.agree("first derivative", w @ moved, _joined_pull(self, w) @ v, np.abs(w) @ np.abs(moved))
        self.require_settled("first")

    def second(self) -> None:
        """Hold the second derivative against differences of the first, and both ways to it against each other."""
        w = self.rng.uniform(0.5, 1.5, self.m)
        self.settled = 0
        back = self.pulled(w)
        for j, v in self.directions(_PAIRS):
            forward = self.along(v)
            for k, u in self.directions(_PAIRS):
                moved = self.pushed(forward, self.x, u)
                slope = _differences(partial(self.pushed_value, forward), self.x, u)
                self.compare("second derivative, forward over forward", moved, slope, partial(self.entry, j=j, k=k))
                turned = self.pushed(back, self.x, u) @ v
                size = np.abs(w) @ np.abs(moved)
                name = self.entry(0, j, k) if self.m == 1 else ""
                self.agree("second derivative, forward over reverse", w @ moved, turned, size, name)
        self.require_settled("second")

    def pushed_value(self, g: Callable[..., Any], vector: Any) -> Any:
        """Return what a function of f's arguments gives, as a vector."""
        with quiet():
            run = Call("check_derivatives", g, None, False, self.arguments(vector), {}).run([None] * len(self.shapes))
        return _joined(run.values)

    def reverse_rows(self) -> Any:
        """Return the Jacobian row by row, where there are not many rows."""
        if self.m > _UNITS or self.m == 0:
            return None
        return np.stack([_joined_pull(self, row) for row in np.eye(self.m)])

    def compare(self, what: str, found: Any, slope: _Slope, name: Callable[[int], str]) -> None:
        """Raise unless a derivative is its difference quotient, entry by entry, where that settles."""
        for i in range(self.m):
            value, error, own = float(slope.value[i]), float(slope.error[i]), float(found[i])
            size = max(abs(value), 1e-3 * float(np.max(np.abs(slope.value), initial=0.0)))
            if not np.isfinite(value) or error > max(_SURE * size, slope.floor):
                continue
            self.settled += 1
            if not abs(own - value) <= _NEAR * size + _SAFE * error + slope.floor:
                shown = apart(own, value)
                message = f"{what}: {name(i)} at {self.where()} is {shown[0]}, and differences give {shown[1]}"
                raise AssertionError(message)

    def agree(self, what: str, forward: Any, reverse: Any, size: Any, name: str = "") -> None:
        """Raise unless ⟨w, J·v⟩ is ⟨Jᵀ·w, v⟩."""
        if not np.isfinite(forward) and not np.isfinite(reverse):
            return
        if not abs(forward - reverse) <= 1e-9 * max(abs(forward), abs(reverse), float(size)):
            shown = apart(forward, reverse)
            of = f" of {name}" if name else ""
            message = (
                f"{what}{of} at {self.where()}: forward and reverse mode differ: ⟨w, J·v⟩ is {shown[0]}, "
                f"and ⟨Jᵀ·w, v⟩ is {shown[1]}"
            )
            raise AssertionError(message)

    def entry(self, i: int, j: int | None, k: int | None = None) -> str:
        """Return what an entry of the derivative is called."""
        name = getattr(self.f, "__name__", "f")
        f = "f" if name == "<lambda>" else name
        row = self.layout.row(i).replace("f", f, 1)
        d = "∂" if self.m * self.x.size > 1 else "d"
        if j is None:
            return f"the derivative of {row} along a random direction"
        if k == j:
            return f"{d}²{row}/{d}{self.layout.column(j)}²"
        if k is not None:
            return f"{d}²{row}/{d}{self.layout.column(j)}{d}{self.layout.column(k)}"
        return f"{d}{row}/{d}{self.layout.column(j)}"

    def where(self) -> str:
        """Return the point in words."""
        return at_point(self.point, self.names)

    def require_settled(self, which: str) -> None:
        """Raise if there was nothing to compare."""
        if self.m and self.x.size and not self.settled:
            message = (
                f"no difference quotient of the {which} derivative settles at {self.where()}: f has a kink, a pole or "
                "steps there, or is too rough. Choose another point"
            )
            raise ValueError(message)


def _joined(leaves: Any) -> Any:
    return np.concatenate([np.zeros(0), *(np.ravel(leaf) for leaf in leaves)])


def _joined_pull(task: _Task, w: Any) -> Any:
    """Return Jᵀ·w as a vector."""
    run = Call("check_derivatives", task.pulled(w), None, False, task.arguments(task.x), {}).run(
        [None] * len(task.shapes)
    )
    return _joined(run.values)


# --- differences ------------------------------------------------------------------------------------------------------


def _differences(g: Callable[[Any], Any], x: Any, v: Any) -> _Slope:
    """Return the derivative of g in a direction by differences, in long double where g can do with it."""
    if np.finfo(np.longdouble).eps < np.finfo(float).eps:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                slope = _extrapolated(g, x.astype(np.longdouble), v.astype(np.longdouble))
        except Exception:  # noqa: BLE001 - whatever g has against another kind of number
            slope = None
        if slope is not None and slope.value.dtype == np.longdouble:
            return slope
    return _extrapolated(g, x, v)


def _extrapolated(g: Callable[[Any], Any], x: Any, v: Any) -> _Slope:
    """Return central differences with steps halved again and again, extrapolated to step 0, and the error estimate.

    Of the triangle of extrapolations that one is taken, entry by entry, which its neighbours are nearest to.
    """
    step = _first_step(g, x, v)
    best: Any = None
    error: Any = None
    before: list[Any] = []
    with quiet():
        for k in range(_HALVINGS):
            h = step / 2**k
            row = [(g(x + h * v) - g(x - h * v)) / (2 * h)]
            for order, above in enumerate(before):
                row.append(row[order] + (row[order] - above) / (4 ** (order + 1) - 1))
            for order in range(1, len(row)):
                off = np.fmax(np.abs(row[order] - row[order - 1]), np.abs(row[order] - before[order - 1]))
                if best is None:
                    best, error = row[order], off
                else:
                    nearer = off < error
                    best, error = np.where(nearer, row[order], best), np.where(nearer, off, error)
            before = row
        size = float(np.max(np.abs(g(x)), initial=0.0))
        error = np.where(_is_staircase(g, x, v, step, best, size), np.inf, error)
    return _Slope(best, np.where(np.isfinite(error), error, np.inf), _ROUNDED * size / float(step))


def _is_staircase(g: Callable[[Any], Any], x: Any, v: Any, step: Any, best: Any, size: float) -> Any:
    """Tell, entry by entry, whether tiny steps agree on another slope: from afar a staircase looks like a slope."""
    found = np.zeros(np.shape(best), dtype=bool)
    before: Any = None
    for shrunk in _TINY:
        h = step * shrunk
        rough = _NOISE * float(np.finfo(x.dtype).eps) * size / float(h)
        tiny = (g(x + h * v) - g(x - h * v)) / (2 * h)
        if before is not None:
            seen = _DIFFERS * np.fmax(np.abs(tiny), np.abs(best)) + rough
            found |= (np.abs(tiny - before) <= 0.1 * seen) & (np.abs(tiny - best) > seen)
        before = tiny
    return found


def _first_step(g: Callable[[Any], Any], x: Any, v: Any) -> Any:
    """Return a step for which g is finite on both sides."""
    moved = np.abs(v) > 0
    size = np.max(np.abs(x[moved]) / np.abs(v[moved]), initial=0.0) if np.sum(moved) == 1 else 1.0
    step = x.dtype.type(_STEP * min(max(float(size), 0.05), 1e6))
    for _ in range(_SHRUNK):
        try:
            with quiet():
                if all(np.all(np.isfinite(g(x + s * step * v))) for s in (-1, 1)):
                    break
        except (ArithmeticError, ValueError):
            pass
        step = step / 4
    return step
