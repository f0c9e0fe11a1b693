"""What every transform does alike: which arguments move, f run on Duals, its results taken apart.

A transform is a question about f.  `question` makes the function that asks it; the answer is computed from a `Call`,
one evaluation point together with f, which runs f under a fresh tag for whatever directions it is told.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, Workspace, borrowed, extract, packed, wrap
from dualdiff.primal import ndim_of, plain, shape_of, size_of
from dualdiff.proxy import Proxy, as_proxies
from dualdiff.reverse import Input, Program, Variable
from dualdiff.stacked import Stacked
from dualdiff.tag import Tag
from dualdiff.tangent import any_nan, fitted
from dualdiff.transforms.containers import flatten, is_leaf, private
from dualdiff.transforms.results import Run, described, settled_aux

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Argnums", "Call", "ReturnsFunction", "defined_at", "question", "require_point"]

_AT_A_POINT = ("vjp", "linearize", "jacobian_operator")

Argnums = int | str | tuple[int | str, ...] | None


class ReturnsFunction(Exception):  # noqa: N818 - not an error: a signal that the question is to be asked later
    """Raised when f returns a function: its derivative is a function too."""


def defined_at(f: Callable[..., Any]) -> str:
    """Return where f is to be found, for messages."""
    code = getattr(inspect.unwrap(f), "__code__", None)
    return f" (defined at {code.co_filename}:{code.co_firstlineno})" if code else ""


def require_point(name: str, f: Any, primals: tuple[Any, ...]) -> None:
    """Refuse what a transform that takes f and its arguments together cannot be asked."""
    if not callable(f):
        message = f"{name}() takes a function; it got {f!r}. Write {name}(f, x), not {name}(f(x), x)."
        raise TypeError(message)
    if not primals:
        message = f"{name}(f) was called without arguments: {name}(f, x) differentiates f at x"
        raise TypeError(message)


def question(name: str, answer: Callable[[Call], Any], f: Any, argnums: Any, has_aux: bool) -> Callable[..., Any]:
    """Return the function of f's own arguments that answers a transform called `name`."""
    if not callable(f):
        message = f"{name}() takes a function; it got {f!r}. Write {name}(f)(x), not {name}(f(x))."
        raise TypeError(message)
    if not isinstance(argnums, (int, str, tuple, type(None))) and not hasattr(argnums, "__index__"):
        message = (
            f"{name}(f, argnums) takes positions or names of arguments; it got {argnums!r}. "
            f"The point comes in brackets of its own: {name}(f)(x)"
        )
        raise TypeError(message)

    @functools.wraps(f)
    def asked(*args: Any, **kwargs: Any) -> Any:
        try:
            return as_proxies(answer(Call(name, f, argnums, has_aux, args, kwargs)))
        except ReturnsFunction:

            def later(*more: Any, **named: Any) -> Any:
                """Ask when the returned function is called, so that no tangent outlives its derivative."""
                uncurried = functools.wraps(f)(lambda *a, **k: f(*a, **k)(*more, **named))
                return question(name, answer, uncurried, argnums, has_aux)(*args, **kwargs)

            return later

    return asked


class Call:
    """One evaluation point of f: the arguments that move, as leaves, and the ones that do not.

    Parameters
    ----------
    name : str
        The transform, for messages.
    f, argnums, has_aux
        As the transform got them.
    args, kwargs
        What f is to be called with.
    """

    def __init__(
        self, name: str, f: Callable[..., Any], argnums: Argnums, has_aux: bool, args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> None:  # fmt: skip
        self.name = name
        self.f = f
        self.argnums = argnums
        self.has_aux = has_aux
        self.args = list(args)
        self.kwargs = kwargs
        wanted = self._wanted()
        self.places = list(dict.fromkeys(wanted))
        self.order = [self.places.index(place) for place in wanted]  # an argument may be named twice
        flattened = [flatten(self._given(place)) for place in self.places]
        self.rebuilds = [rebuild for _, rebuild in flattened]
        self.counts = [len(leaves) for leaves, _ in flattened]
        self.leaves = [
            self._point(leaf, place)
            for (leaves, _), place in zip(flattened, self.places, strict=True)
            for leaf in leaves
        ]

    @property
    def size(self) -> int:
        """How many numbers move."""
        return sum(size_of(leaf) for leaf in self.leaves)

    @property
    def of_numbers(self) -> bool:
        """Whether the point is made of numbers alone, no arrays."""
        return all([type(leaf) is float or not ndim_of(leaf) for leaf in self.leaves])

    @property
    def is_complex(self) -> bool:
        """Whether a point is complex."""
        return any([type(leaf) is not float and np.iscomplexobj(plain(leaf)) for leaf in self.leaves])

    # --- which arguments move -----------------------------------------------------------------------------------

    def _wanted(self) -> list[int | str]:
        """Return position or keyword of each argument to differentiate by."""
        if self.argnums is None:
            if not self.args:
                if not self.kwargs:
                    message = f"{self.name}(f) was called without arguments: {self.name}(f)(x) differentiates f at x"
                    raise TypeError(message)
                message = (
                    f"{self.name}() differentiates by arguments given by position; f was given "
                    f"{', '.join(self.kwargs)} by keyword. "
                    f"Name them: {self.name}(f, argnums=({', '.join(map(repr, self.kwargs))},))"
                )
                raise TypeError(message)
            return list(range(len(self.args)))
        wanted = self.argnums if isinstance(self.argnums, tuple) else (self.argnums,)
        if not wanted:
            message = f"argnums=() names no argument: name at least one, or leave argnums out of {self.name}(f)"
            raise ValueError(message)
        return [self._place(argnum) for argnum in wanted]

    def _place(self, argnum: int | str) -> int | str:
        if isinstance(argnum, str):
            if argnum in self.kwargs:
                return argnum
            names = _positional(self.f)
            if argnum in names and names.index(argnum) < len(self.args):
                return names.index(argnum)
            message = (
                f"argnums names {argnum!r}, which is not among the arguments f was called with{defined_at(self.f)}"
            )
            raise ValueError(message)
        if isinstance(argnum, bool) or not hasattr(argnum, "__index__"):
            message = f"argnums is a position, a parameter name or a tuple of them; it got {argnum!r}"
            raise TypeError(message)
        if not -len(self.args) <= argnum < len(self.args):
            message = f"argnums={argnum}, but f was called with {len(self.args)} positional argument(s)"
            raise ValueError(message)
        return argnum % len(self.args)

    def _given(self, place: int | str) -> Any:
        return self.kwargs[place] if isinstance(place, str) else self.args[place]

    def _point(self, leaf: Any, place: int | str) -> Any:
        """Return a leaf as what f is evaluated at: whole numbers become floats, float32 stays float32."""
        if type(leaf) is float or isinstance(leaf := packed(leaf), Dual):
            return leaf
        if isinstance(leaf, np.ndarray) and type(leaf) not in (np.ndarray, np.memmap):
            message = (
                f"{self.name}() differentiates by plain arrays; argument {place!r} of f is a {type(leaf).__name__}, "
                "whose meaning beyond its numbers would be lost. Use np.asarray(...) of it"
            )
            raise TypeError(message)
        if isinstance(leaf, Variable):
            message = (
                f"{self.name}() has a record of its own; argument {place!r} of f is a Variable. "
                "Give its value, x.value, or call backward() on the result of f(x)"
            )
            raise TypeError(message)
        if isinstance(leaf, Proxy):
            leaf = leaf._dual
            return leaf if isinstance(leaf, Dual) else self._point(leaf, place)
        if not is_leaf(leaf):
            message = f"{self.name}() differentiates by numbers and arrays; argument {place!r} of f is {leaf!r}. " + (
                f"Fix it by a lambda: {self.name}(lambda x: f(x, ...), x)"
                if self.name in _AT_A_POINT
                else f"Say which arguments to differentiate by: {self.name}(f, argnums=...)"
            )
            raise TypeError(message)
        array = np.asarray(leaf)
        if array.dtype.kind in "biuO":
            array = array.astype(float)
        return array if array.ndim else array[()]  # run() copies

    # --- f, run -------------------------------------------------------------------------------------------------

    def run(self, tangents: Sequence[Any]) -> Run:
        """Run f once with the given tangent on each leaf."""
        with Tag() as tag:
            tag.workspace = Workspace()
            return self._run([_seed(t, v) for v, t in zip(self.leaves, tangents, strict=True)], tag)

    def record(self) -> tuple[Run, Program]:
        """Run f once and return, besides its results, its derivative as a program."""
        inputs = [Input(shape_of(leaf), _dtype(plain(leaf))) for leaf in self.leaves]
        with Tag() as tag:
            tag.records = True
            run = self._run(inputs, tag)
        return run, Program(inputs, run.tangents, any([any_nan(value) for value in run.values]))

    def _run(self, seeds: Sequence[Any], tag: Tag) -> Run:
        leaves = iter([_moving(v, t, tag) for v, t in zip(self.leaves, seeds, strict=True)])
        moving = {
            place: rebuild([next(leaves) for _ in range(count)])
            for place, rebuild, count in zip(self.places, self.rebuilds, self.counts, strict=True)
        }
        args = [moving[i] if i in moving else private(x) for i, x in enumerate(self.args)]
        kwargs = {k: moving[k] if k in moving else private(v) for k, v in self.kwargs.items()}
        try:
            y = self.f(*args, **kwargs)
        except TypeError as error:
            self.explain(error)
            raise
        return self.taken_apart(y, tag)

    def explain(self, error: TypeError) -> None:
        """Say more about an error raised by f, or raise a clearer one."""
        self.require_arity()
        if "loop of ufunc does not support argument" in str(error):
            error.add_note("An object array mixes Duals and numbers: write np.stack([...]) for np.array([...])")

    def require_arity(self) -> None:
        """Raise a clearer error if f cannot be called with so many arguments at all."""
        try:
            signature = inspect.signature(self.f, follow_wrapped=False)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*self.args, **self.kwargs)
        except TypeError as error:
            message = (
                f"{self.name}() was given {len(self.args)} argument(s) for f, but f is "
                f"{getattr(self.f, '__name__', 'f')}{signature}: {error}{defined_at(self.f)}"
            )
            raise TypeError(message) from None

    def taken_apart(self, y: Any, tag: Tag) -> Run:
        """Return what f returned as leaves of value and tangent; to be called while the tag is alive."""
        aux = None
        if self.has_aux:
            if not isinstance(y, tuple) or len(y) != 2:
                message = f"{self.name}(has_aux=True) needs f to return (result, aux); it returned {described(y)}"
                raise TypeError(message)
            y, aux = y
            aux = settled_aux(aux, tag)
        leaves, rebuild = flatten(y)
        values, tangents = [], []
        for given in leaves:
            leaf = packed(given)
            if callable(leaf) and leaf is y:
                raise ReturnsFunction
            if not is_leaf(leaf):
                raise self._no_number(leaf, y)
            value, tangent = extract(leaf, tag)
            if type(value) is np.ndarray and not value.flags.writeable:  # the caller's own, which f passed through
                value, tangent = value.copy(), None if tangent is None else tangent.copy()
            values.append(value)
            tangents.append(tangent)
        return Run(values, tangents, rebuild, aux)

    def _no_number(self, leaf: Any, y: Any) -> Exception:
        """Return what to raise where f has returned something that has no derivative."""
        if inspect.isgenerator(leaf) or inspect.iscoroutine(leaf):
            leaf.close()
        within = "" if leaf is y else " inside its result"
        return TypeError(
            f"f returned {described(leaf)}{within}, which has no derivative. "
            f"Did you forget 'return', or to return numbers?{defined_at(self.f)}"
        )

    def arranged(self, leaves: Sequence[Any]) -> list[Any]:
        """Return as many leaves as move, put together as the arguments are."""
        arguments, start = [], 0
        for rebuild, count in zip(self.rebuilds, self.counts, strict=True):
            arguments.append(rebuild(leaves[start : start + count]))
            start += count
        return arguments

    # --- answers put together ------------------------------------------------------------------------------------

    def with_aux(self, answer: Any, run: Run) -> Any:
        """Return the answer, with f's own extra result if there is one."""
        return (answer, run.aux) if self.has_aux else answer

    def require_holomorphic(self, turned: Sequence[Any], slopes: Sequence[Any]) -> None:
        """Refuse f where moving by i does not move it i times as moving by 1 does (Cauchy–Riemann)."""
        for along_i, along_1 in zip(turned, slopes, strict=True):
            turned_by_i = 1j * plain(along_1)
            moved_by_i = np.broadcast_to(0.0 if along_i is None else plain(along_i), shape_of(turned_by_i))
            size = np.max(np.abs(turned_by_i), initial=0.0)
            eps = np.finfo(np.asarray(turned_by_i).dtype).eps
            if not np.allclose(moved_by_i, turned_by_i, rtol=1e6 * eps, atol=100 * eps * size, equal_nan=True):
                message = (
                    f"{self.name}() at a complex point needs f complex differentiable, and here it is not: "
                    "its derivative depends on the direction. Use jvp(f, z, v) for one direction, or "
                    f"differentiate by real and imaginary part{defined_at(self.f)}"
                )
                raise ValueError(message)

    def require_scalar(self, run: Run) -> None:
        """Refuse a result of f that is not one real number."""
        if len(run.values) == 1 and ndim_of(run.values[0]) == 0 and run.rebuild([run]) is run:
            if type(run.values[0]) is not float and np.iscomplexobj(plain(run.values[0])):
                message = (
                    f"{self.name}() needs f to return a real number; it returned a complex one. Differentiate "
                    f"np.real and np.imag of it, or use jacobian(f){defined_at(self.f)}"
                )
                raise TypeError(message)
            return
        shapes = run.rebuild([shape_of(v) for v in run.values])
        message = (
            f"{self.name}() needs one number back, but f returned shape {shapes}. Use jacobian(f) for the derivative "
            f"of every output, or vjp(f, x) for a mixture of them{defined_at(self.f)}"
        )
        raise ValueError(message)


_FLOAT64 = np.dtype(float)


def _dtype(value: Any) -> Any:
    return _FLOAT64 if type(value) is float else np.result_type(value) if isinstance(value, complex) else value.dtype


def _moving(value: Any, tangent: Any, tag: Tag) -> Any:
    if type(value) is np.ndarray and tangent is not None:
        return borrowed(value, tangent, tag)
    return wrap(private(value), tangent, tag)


def _seed(tangent: Any, value: Any) -> Any:
    """Return a tangent that can hold what its value holds: complex numbers, and Duals of an outer derivative."""
    if tangent is None:
        return None
    if type(value) is type(tangent) is float:
        return tangent
    tangent = fitted(tangent, value)
    if isinstance(plain(value), np.inexact) and not isinstance(tangent, (Dual, Stacked)):
        return np.asarray(tangent).astype(np.result_type(tangent, plain(value).dtype))[()]
    if not isinstance(value, Dual) or not value.ndim:
        return tangent
    if isinstance(tangent, Stacked):
        return Stacked(np.zeros_like(value, shape=tangent.array.shape) + tangent.array)
    return np.zeros_like(value) + tangent


def _positional(f: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that take one argument each by position."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
