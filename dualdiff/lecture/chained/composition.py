"""Functions one inside the other: how each takes what the one before returned, and what its numbers are called."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, packed
from dualdiff.primal import ndim_of, shape_of, size_of
from dualdiff.proxy import Proxy
from dualdiff.transforms.asking import Call, defined_at, question
from dualdiff.transforms.containers import flatten, is_leaf, private
from dualdiff.transforms.jacobian import _jacobian
from dualdiff.transforms.results import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Link", "Stage", "composed", "linked", "slopes"]

_AT_ONCE = 64  # directions that one pass carries


@dataclass(frozen=True)
class Stage:
    """The numbers between two functions.

    Attributes
    ----------
    names : tuple of str
        What they are called: the parameters of the function that takes them, or the function that returned them.
    labels : tuple of str
        What each single number is called: ``x1``, or ``x[0]`` of an array.
    values : ndarray
        The numbers, one after the other.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    values: Any


@dataclass(frozen=True)
class Link:
    """One function of the chain at its point.

    Attributes
    ----------
    name : str
        What it is called here.
    function : callable
        The function.
    args : tuple
        What it was called with.
    taken : callable
        Makes its arguments of what the function before returned.
    factor : ndarray
        Its Jacobian, a matrix.
    returned : object
        What it returned.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    taken: Callable[[Any], tuple[Any, ...]]
    factor: Any
    returned: Any


_answer = functools.partial(_jacobian, chunk_size=_AT_ONCE, value_too=True, mode="auto")


def slopes(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], name: str) -> tuple[Any, Any]:
    """Return what f returns, and its Jacobian as a matrix: a row for each number of it, a column for each given one."""
    flattened = [flatten(x) for x in args]
    leaves = [leaf for own, _ in flattened for leaf in own]
    built: list[Callable[[Sequence[Any]], Any]] = []

    @functools.wraps(f)
    def of_leaves(*given: Any) -> tuple[Any, ...]:
        rest = iter(given)
        y = f(*[rebuild([next(rest) for _ in own]) for own, rebuild in flattened], **kwargs)
        found, rebuild = flatten(y)
        for leaf in found:
            _require_number(packed(leaf), y, f, name)
        built.append(rebuild)
        return tuple(found)

    everything = tuple(range(len(leaves)))
    values, blocks = question("chain", _answer, of_leaves, everything, False)(*leaves)
    rows = [
        np.concatenate(
            [np.reshape(block, (size_of(value), size_of(leaf))) for block, leaf in zip(line, leaves, strict=True)], 1
        )
        for value, line in zip(values, blocks, strict=True)
    ]
    matrix = np.concatenate(rows) if rows else np.zeros((0, sum(map(size_of, leaves))))
    return built[-1](values), matrix


def _require_number(leaf: Any, y: Any, f: Callable[..., Any], name: str) -> None:
    """Refuse what a function has returned that is no number."""
    if is_leaf(leaf):
        return
    if inspect.isgenerator(leaf) or inspect.iscoroutine(leaf):
        leaf.close()
    within = "" if leaf is y else " inside its result"
    message = (
        f"{name} returned {described(leaf)}{within}, and chain() is about numbers and arrays. "
        f"Did you forget 'return'? Let {name} return numbers{defined_at(f)}"
    )
    raise TypeError(message)


# --- from one function to the next ------------------------------------------------------------------------------------


def linked(
    functions: Sequence[Callable[..., Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Link], list[Stage]]:
    """Return the links of a chain, outer first, and its stages, the result of the outermost function first."""
    names = _function_names(functions)
    strange = [leaf for x in args for leaf in flatten(x)[0] if not isinstance(leaf, Proxy) and not is_leaf(leaf)]
    if strange:
        message = (
            f"chain() is about numbers and arrays; {names[-1]} was given {strange[0]!r}. Give it by keyword, "
            f"or fix it by a lambda in place of {names[-1]}: lambda x: {names[-1]}(x, …)"
        )
        raise TypeError(message)
    call = Call("chain", functions[-1], None, False, args, kwargs)
    if any(isinstance(leaf, Dual) for leaf in call.leaves):
        message = "chain() shows numbers; it got a Dual, whose derivative has not returned: call chain outside of it"
        raise TypeError(message)
    call.require_arity()
    links: list[Link] = []
    stages = [_stage(_parameters(functions[-1], len(args)), args)]
    used = set(stages[0].names)
    taken: Callable[[Any], tuple[Any, ...]] = lambda y: (y,)  # noqa: E731 - the innermost takes what the call has
    for place in range(len(functions) - 1, -1, -1):
        f, name = functions[place], names[place]
        if links:
            taken = _taking(f, name, links[-1])
            args, kwargs = taken(links[-1].returned), {}
            parameters = _parameters(f, len(args))
            if used & set(parameters):  # one name for two things: this one is called after what returned it
                stages.append(_returned(links[-1], _quantity(links[-1].name, used)))
            else:
                stages.append(_stage(parameters, args))
            used |= set(stages[-1].names)
        try:
            returned, factor = slopes(f, args, kwargs, name)
        except (ValueError, IndexError, TypeError) as error:
            _require_real(f, name, links[-1] if links else None, args, error)
            if links:
                _require_fit(f, name, links[-1], args)
            raise
        links.append(Link(name, f, args, taken, factor, returned))
    stages.append(_returned(links[-1], links[-1].name))
    return links[::-1], stages[::-1]


def composed(links: Sequence[Link]) -> Callable[..., Any]:
    """Return the functions of a chain as one."""

    def composition(*args: Any, **kwargs: Any) -> Any:
        y = links[-1].function(*args, **kwargs)
        for link in links[-2::-1]:
            leaves, rebuild = flatten(y)
            y = link.function(*link.taken(rebuild(list(map(packed, leaves)))))
        return y

    return composition


def _positional(f: Callable[..., Any]) -> tuple[list[str], int, str | None]:
    """Return the names of the positional parameters of f, how many must be given, and the name of ``*more``."""
    if isinstance(f, np.ufunc):
        return [f"x{i + 1}" if f.nin > 1 else "x" for i in range(f.nin)], f.nin, None
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return ["x"], 1, None
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    more = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    return [p.name for p in places], sum(p.default is p.empty for p in places), more


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    names, _, more = _positional(f)
    return [names[i] if i < len(names) else f"{more or 'x'}[{i - len(names)}]" for i in range(count)]


def _parts(y: Any) -> list[Any] | None:
    """Return what f(*y) would get; None where y is one number, or has names that would be lost."""
    if isinstance(y, (tuple, list)):
        return list(y)
    return None if isinstance(y, dict) or ndim_of(y) == 0 else list(y)


def _alone(y: Any) -> tuple[Any, ...]:
    """Return the only argument of the next function: a tuple of numbers is handed on as the array it stands for."""
    if type(y) in (tuple, list) and y:
        leaves, _ = flatten(list(y))
        return (leaves[0],) if len(leaves) == 1 and leaves[0] is not y[0] else (y,)
    return (y,)


def _spread(y: Any) -> tuple[Any, ...]:
    return tuple(_parts(y) or (y,))


def _taking(f: Callable[..., Any], name: str, inner: Link) -> Callable[[Any], tuple[Any, ...]]:
    """Return how f takes what the function before returned: alone, or spread over its parameters."""
    parameters, required, more = _positional(f)
    y = inner.returned
    parts = _parts(y)
    if parameters and required <= 1:
        return _alone
    count = 1 if parts is None else len(parts)
    if required <= count and (count <= len(parameters) or more is not None):
        return _spread
    given = _plural(count, "number" if parts is None or not any(map(ndim_of, parts)) else "part")
    wants = f"{required}{'' if len(parameters) == required else ' or more'}"
    names = f" ({', '.join(parameters)})" if parameters else ""
    message = (
        f"{inner.name} returns {given} but {name} takes {wants}{names}. "
        f"{_way_out(inner.name, name, count, required, parameters)}{defined_at(f)}"
    )
    raise ValueError(message)


def _way_out(inner: str, name: str, count: int, required: int, parameters: Sequence[str]) -> str:
    """Return how two functions that do not fit can be made to."""
    if not required:
        return f"Give {name} a parameter for what {inner} returns"
    listed = ", ".join(parameters[:required])
    out = f"Let {inner} return {required}, as np.stack([{listed}])"
    if count < required:
        return out
    picked = ", ".join(f"x[{i}]" for i in range(required))
    return f"{out}, or put lambda x: {name}({picked}) in place of {name}"


def _require_fit(f: Callable[..., Any], name: str, inner: Link, args: tuple[Any, ...]) -> None:
    """Raise a clearer error if f cannot be called at all with what the function before returned."""
    try:
        f(*map(private, args))
    except (ValueError, IndexError, TypeError) as error:
        if type(error) not in (ValueError, IndexError, TypeError):  # one with a meaning of its own, as LinAlgError
            return
        (x,) = args if len(args) == 1 else (None,)
        size = size_of(x) if is_leaf(x) and ndim_of(x) <= 1 else 0
        taken = _size_taken(f, size, str(error))
        if taken is not None:
            message = (
                f"{inner.name} returns {_plural(size, 'number')} but {name} takes {taken} "
                f"({', '.join(_parameters(f, 1))}): {str(error).strip()}. "
                f"Let {inner.name} return {taken}{defined_at(inner.function)}, or let {name} take {size}{defined_at(f)}"
            )
            raise ValueError(message) from error
        leaves = [leaf for given in args for leaf in flatten(given)[0] if is_leaf(leaf)]
        message = (
            f"{inner.name} returns {_plural(sum(map(size_of, leaves)), 'number')}, of shape "
            f"{', '.join(str(shape_of(leaf)) for leaf in leaves)}, which {name} does not take: {str(error).strip()}. "
            f"Call {name} by itself with such an argument to see where{defined_at(f)}"
        )
        raise type(error)(message) from error


def _require_real(
    f: Callable[..., Any], name: str, inner: Link | None, args: tuple[Any, ...], error: Exception
) -> None:
    """Raise a clearer error where f is no function of a complex number, but of its two parts."""
    given = [leaf for x in args for leaf in flatten(x)[0]]
    if "complex differentiable" not in str(error) or not any(map(np.iscomplexobj, given)):
        return
    whose = f"{inner.name} returns" if inner else f"{name} was given"
    if inner:
        out = f"Let {inner.name} return np.real(z) and np.imag(z) as two numbers"
    else:
        out = f"Put lambda x, y: {name}(x + 1j*y) in place of {name}, and give it two real numbers"
    message = (
        f"{whose} complex numbers, and {name} is not complex differentiable there: it has a slope for the real part "
        f"and another one for the imaginary part. {out}{defined_at(f)}"
    )
    raise ValueError(message) from error


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _size_taken(f: Callable[..., Any], size: int, text: str) -> int | None:
    """Return the length of array that f takes, if it is one that its error names, or a small one; f itself is asked."""

    def takes(length: int) -> bool:
        try:
            f(np.ones(length))
        except Exception:  # noqa: BLE001 - whatever f raises, it does not take an array of this length
            return False
        return True

    named = [int(digits) for digits in re.findall(r"(?<![\w.])\d{1,5}(?!\w)", text)]
    lengths = dict.fromkeys([*sorted(named, reverse=True), *(n + 1 for n in named), 2, 3, 4])  # an index n needs n + 1
    if takes(size):
        return None
    return next((length for length in lengths if length not in (0, size) and takes(length)), None)


# --- names ------------------------------------------------------------------------------------------------------------


def _function_names(functions: Sequence[Callable[..., Any]]) -> list[str]:
    """Return a name for each function: its own, or a letter; the same name twice is numbered from the inside."""
    found = [getattr(getattr(f, "func", f), "__name__", "") for f in functions]
    unnamed = [i for i, name in enumerate(found) if not name.isidentifier()]
    letters = iter([c for c in "fgh" if c not in found]) if len(unnamed) <= 3 else itertools.repeat("f")
    names = [next(letters, "f") if i in unnamed else name for i, name in enumerate(found)]
    for name in dict.fromkeys(names):
        places = [i for i, other in enumerate(names) if other == name]
        if len(places) > 1:
            for number, i in enumerate(reversed(places), 1):
                names[i] = f"{name}{number}"
                while names.count(names[i]) > 1:
                    names[i] += "_"
    return names


def _quantity(function: str, used: set[str]) -> str:
    """Return what the result of a function is called: its name, or a letter where NumPy has a function of that name."""
    known = getattr(np, function, None)
    if function not in used and (isinstance(known, type) or not callable(known)):
        return function
    letters = itertools.chain("uvwyzabc", (f"u{i}" for i in itertools.count(1)))
    return next(letter for letter in letters if letter not in used)


def _stage(names: Sequence[str], args: Sequence[Any]) -> Stage:
    labels = [label for name, x in zip(names, args, strict=True) for label in _labels(name, x)]
    return Stage(tuple(names), tuple(labels), _numbers(args))


def _returned(link: Link, name: str) -> Stage:
    return Stage((name,), tuple(_labels(name, link.returned)), _numbers(link.returned))


def _numbers(x: Any) -> Any:
    leaves = [np.ravel(leaf) for leaf in flatten(x)[0]]
    return np.concatenate(leaves) if leaves else np.zeros(0)


def _labels(name: str, x: Any) -> Iterator[str]:
    """Yield the name of each number of x, in the order in which `flatten` has them."""
    if isinstance(x, dict):
        for key, item in x.items():
            yield from _labels(f"{name}[{key!r}]", item)
    elif isinstance(x, tuple) and hasattr(x, "_fields"):
        for key, item in zip(x._fields, x, strict=True):
            yield from _labels(f"{name}.{key}", item)
    elif isinstance(x, (list, tuple)):
        for i, item in enumerate(x):
            yield from _labels(f"{name}[{i}]", item)
    elif ndim_of(x) == 0:
        yield name
    else:
        for place in np.ndindex(shape_of(x)):
            yield f"{name}[{', '.join(map(str, place))}]"
