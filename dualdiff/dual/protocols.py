"""NumPy's two doors: `__array_ufunc__` and `__array_function__`, which look every function up in the one book."""

from __future__ import annotations

import inspect
import operator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual.elementwise import elementwise, of_array
from dualdiff.dual.number import Dual, wrap
from dualdiff.dual.operands import is_operand, kept, live, packed, separated
from dualdiff.dual.operators import OPERATORS, UNARY
from dualdiff.dual.ufunc_methods import METHODS
from dualdiff.errors import NoRuleError, dropped_by, dropped_into
from dualdiff.primal import ndim_of, plain, shape_of
from dualdiff.rules.book import RULES, Composition, Constant, Creation, Entry, Line, Move, Paragraph, Refused
from dualdiff.tangent import Tangent, fitted, move, zeros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["call"]

_REFLECTED = {ufunc: f"__r{name}__" for ufunc, (name, _) in OPERATORS.items()}
_BY_OPERATOR = {ufunc: getattr(operator, name) for ufunc, (name, _) in OPERATORS.items()} | {np.power: operator.pow}


def _array_ufunc(self: Dual, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
    """Answer ``np.sin(x)``, ``np.add.reduce(x)``, ``ndarray * x``, …."""
    if method == "__call__" and not settings:
        if type(self) is Dual and (own := UNARY.get(ufunc)) is not None:
            return own(self)
        if len(inputs) == 2 and ufunc in _BY_OPERATOR:
            x, y = (float(z) if type(z) is np.float64 else z for z in inputs)
            if type(x) in (float, Dual) and type(y) in (float, Dual):
                return _BY_OPERATOR[ufunc](x, y)
        entry = RULES.get(ufunc)
        if type(entry) is Line:
            if len(inputs) == 1:
                return of_array(entry, self)
            if type(inputs[0]) is np.ndarray and ufunc in _REFLECTED:
                return getattr(self, _REFLECTED[ufunc])(inputs[0])
            if is_operand(inputs[0]) and is_operand(inputs[1]):
                return elementwise(entry, inputs)
        elif type(entry) is Paragraph and all([is_operand(x) for x in inputs]):
            return _apply_paragraph(entry, inputs, settings)
    if not all(map(is_operand, inputs)) and method != "at":
        return NotImplemented
    entry = _entry(ufunc)
    if method != "__call__":
        return _with_out(lambda **rest: METHODS[method](entry, *inputs, **rest), settings)
    if "where" in settings and settings["where"] is not True:
        mask = plain(packed(settings.pop("where")))
        return _with_out(
            lambda **rest: np.where(mask, call(entry, inputs, {**rest, "where": mask, "out": None}), 0.0),
            settings,
            mask,
        )
    settings.pop("where", None)
    return call(entry, inputs, settings)


def _array_function(
    self: Dual, function: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Answer ``np.sum(x)``, ``np.concatenate([x, y])``, …."""
    for kind in types:
        if kind is not Dual._of_array and not issubclass(kind, (np.ndarray, Dual)):
            return NotImplemented
    entry = _entry(function)
    if type(entry) is Paragraph and entry.leading and not kwargs and len(args) == len(entry.operands):  # mostly
        return _apply_paragraph(entry, args, kwargs)
    if isinstance(entry, Creation):
        return _created_like(self, entry, args, kwargs)
    place = _place_of_out(function)
    if place is not None and len(args) > place:
        args, kwargs = (*args[:place], *args[place + 1 :]), {**kwargs, "out": args[place]}
        if len(args) > place:
            message = f"{entry.name} with arguments behind a positional out takes them by name"
            raise TypeError(message)
    return call(entry, args, kwargs)


@cache
def _place_of_out(function: Callable[..., Any]) -> int | None:
    """Return where a NumPy function takes ``out`` by position, so that it is found there too."""
    try:
        parameters = inspect.signature(function).parameters.values()
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except ValueError:  # C functions that do not tell
        names = {"dot": ["a", "b", "out"], "concatenate": ["arrays", "axis", "out"]}.get(function.__name__, [])
    return names.index("out") if "out" in names else None


def _created_like(like: Dual, entry: Entry, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Answer ``np.zeros(n, like=x)`` with a buffer that holds the tangents of x's derivative."""
    if args and isinstance(given := packed(args[0]), Dual):  # np.array([s, t], like=x)
        dtype = kwargs.get("dtype", args[1] if len(args) > 1 else None)
        made = given.copy() if entry.function is np.array else given
        return made if dtype is None else _retyped(made, dtype)
    inner = {"like": like._value} if isinstance(like._value, Dual) else {}
    made = entry.function(*args, **kwargs, **inner)
    if made.dtype.kind not in "fc":
        return made
    return wrap(made, zeros(like._tangent, made.shape, made), like._tag)


Dual.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
Dual.__array_function__ = _array_function  # type: ignore[attr-defined]


def _retyped(x: Any, dtype: Any) -> Any:
    """Return `x` in another floating-point or complex type; NumPy refuses whole numbers."""
    return np.positive(x, dtype=dtype)


def _operator(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: Dual, other: Any) -> Any:
        return function(self, other) if is_operand(other) else NotImplemented

    def reflected(self: Dual, other: Any) -> Any:
        return function(other, self) if is_operand(other) else NotImplemented

    return forward, reflected


Dual.__matmul__, Dual.__rmatmul__ = _operator(lambda x, y: call(RULES[np.matmul], (x, y), {}))
Dual.__floordiv__, Dual.__rfloordiv__ = _operator(np.floor_divide)
Dual.__divmod__, Dual.__rdivmod__ = _operator(np.divmod)


def _entry(function: Any) -> Entry:
    entry = RULES.get(function)
    if entry is None:
        name = Entry(function).name
        message = (
            f"{name} met a Dual, and the tables have no rule for it. Write one with dualdiff.rule({name}, jvp=...), "
            "where jvp(primals, tangents) returns (y, dy), or take x.value to continue without the derivative."
        )
        raise NoRuleError(message)
    return entry


def call(entry: Entry, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Apply what the book says about a function to the arguments it was called with."""
    if kwargs.get("out") is not None and not isinstance(entry, Refused):
        return _with_out(lambda **rest: call(entry, args, rest), kwargs)
    if not isinstance(entry, Line):  # to a ufunc with where=, even out=None says something
        kwargs = {name: given for name, given in kwargs.items() if name != "out"}
    if isinstance(entry, Constant):
        result = entry.function(*_plainly(list(args)), **{k: _plainly(v) for k, v in kwargs.items()})
        return float(result) if type(result) is np.float64 else result
    if isinstance(entry, Refused):
        message = f"{entry.name} has no derivative: {entry.reason}. Take x.value to continue without it."
        raise NoRuleError(message)
    if kwargs.get("dtype") is not None and np.dtype(kwargs["dtype"]).kind in "biu" and not isinstance(entry, Paragraph):
        raise dropped_by(f"dtype={np.dtype(kwargs['dtype'])}")
    return _APPLY[type(entry)](entry, args, kwargs)


def _plainly(x: Any) -> Any:
    """Return `x` with the plain value in place of every Dual in it."""
    if isinstance(x, np.ndarray) and x.dtype == object:
        return _plainly(packed(x))
    if isinstance(x, (list, tuple)):
        return type(x)(_plainly(item) for item in x) if type(x) in (list, tuple) else x
    return plain(x)


def _with_out(compute: Callable[..., Any], settings: dict[str, Any], mask: Any = ...) -> Any:
    """Compute, and write the result where ``out=`` says, if that can hold a tangent."""
    settings = dict(settings)
    out = settings.pop("out", None)
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if out is None:
        return compute(**settings)
    result = compute(**settings)
    several = isinstance(out, tuple)  # as np.divmod has
    outs, results = (out, result) if several else ((out,), (result,))
    for one, part in zip(outs, results, strict=True):
        if (
            one is not None
            and not isinstance(one, Dual)
            and (isinstance(part, Dual) or not isinstance(one, np.ndarray))
        ):
            raise dropped_into("the array written into (y += x, out=y)")
    for one, part in zip(outs, results, strict=True):
        if one is not None:
            one[mask] = part if mask is ... else np.broadcast_to(part, one.shape)[mask]
    made = tuple(part if one is None else one for one, part in zip(outs, results, strict=True))
    return made if several else made[0]


# --- the kinds of entries -------------------------------------------------------------------------------------


def _apply_line(entry: Line, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return elementwise(entry, args, **kwargs)


def _apply_composition(entry: Composition, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    known = _parameters(entry.handler)
    unknown = [name for name in kwargs if name not in known]
    if unknown and "**" not in known:
        message = f"{entry.name} of a Dual has no rule for the argument(s) {', '.join(unknown)}"
        raise NoRuleError(message)
    result = entry.handler(*args, **kwargs)
    dtype = kwargs.get("dtype")
    return result if dtype is None or not isinstance(result, Dual) else _retyped(result, dtype)


@cache
def _first_parameter(function: Callable[..., Any]) -> str:
    return next(iter(inspect.signature(function).parameters))


@cache
def _parameters(handler: Callable[..., Any]) -> frozenset[str]:
    """Return the names a handler takes arguments by, and ``"**"`` if it takes any."""
    parameters = inspect.signature(handler).parameters.values()
    return frozenset("**" if p.kind is p.VAR_KEYWORD else p.name for p in parameters)


def _apply_move(entry: Move, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Move the tangents as the values are moved."""
    kwargs = dict(kwargs)
    first, *rest = args or [kwargs.pop(_first_parameter(entry.function))]
    _refuse_elsewhere(entry, [*rest, *kwargs.values()])
    function = entry.function
    if entry.many:
        operands = [live(packed(x)) for x in first]

        def run(*arrays: Any) -> Any:
            return function(list(arrays), *rest, **kwargs)
    else:
        operands = [live(packed(first))]

        def run(*arrays: Any) -> Any:
            return function(*arrays, *rest, **kwargs)

    tag, values, tangents = separated(operands)
    if tag is not None and tag.records:
        rest, kwargs = kept(rest), {name: kept(x) for name, x in kwargs.items()}
    if tag is not None and function in _ORDERED:
        function, rest, kwargs = _in_order(function, plain(values[0]), rest, kwargs)
    result = run(*values)
    if tag is None:
        return result
    shapes = [shape_of(v) for v in values]
    if isinstance(result, (list, tuple)):
        parts = (move(lambda *a, i=i: run(*a)[i], *tangents, shapes=shapes) for i in range(len(result)))
        return type(result)(
            _moved(value, tangent, operands, tag, partial(_part_of, run, i))
            for i, (value, tangent) in enumerate(zip(result, parts, strict=True))
        )
    return _moved(result, move(run, *tangents, shapes=shapes), operands, tag, run)


_ORDERED = {np.ravel: 0, np.reshape: 1}  # the place of `order` behind the array


def _in_order(function: Callable[..., Any], value: Any, rest: Any, kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return a call whose order does not depend on memory, as ``order="A"`` and ``"K"`` do: tangents have their own."""
    place = _ORDERED[function]
    order = rest[place] if len(rest) > place else kwargs.get("order", "C")
    if order not in ("A", "K") or not isinstance(value, np.ndarray):
        return function, rest, kwargs
    rest, kwargs = list(rest[:place]), {name: x for name, x in kwargs.items() if name != "order"}
    if order == "A" or function is not np.ravel:
        kwargs["order"] = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        return function, rest, kwargs
    axes = sorted(range(value.ndim), key=lambda i: -abs(value.strides[i]))
    return (lambda a: np.ravel(np.transpose(a, axes))), [], {}


def _part_of(run: Callable[..., Any], i: int, array: Any) -> Any:
    return run(array)[i]


def _moved(value: Any, tangent: Any, operands: Sequence[Any], tag: Any, remake: Callable[[Any], Any]) -> Any:
    """Wrap the result of a move; it is a view in value and in tangent, or in neither."""
    tangent = fitted(tangent, value)
    source = operands[0]
    if len(operands) > 1 or not isinstance(source, Dual._of_array):
        return wrap(value, tangent, tag)
    of_value = _shares(value, source._value)
    of_tangent = of_value if tag.records else _shares(tangent, source._tangent)
    if of_value and not of_tangent:
        value = value.copy()
        for one in (value, source):  # neither may change under the other
            plain(one).flags.writeable = False
    elif of_tangent and not of_value:
        tangent = tangent.copy()
    moved = wrap(value, tangent, tag)
    return source._sharing(moved, remake) if of_value and of_tangent else moved  # type: ignore[attr-defined]


def _shares(x: Any, y: Any) -> bool:
    if isinstance(x, Tangent):
        x, y = x.dense, y.dense
    return bool(np.may_share_memory(plain(x), plain(y)))


def _apply_paragraph(entry: Paragraph, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Hand value and tangent of each operand to the rule; NumPy's other arguments go along as they are."""
    if not kwargs and entry.leading and len(args) == len(entry.operands):  # mostly
        tag, values, tangents = separated(args, kept=True)
        if tag is None:
            return entry.function(*values)
        result, tangent = entry.handler(*tangents, *values)
        return _wrapped(entry, args, kwargs, result, tangent, args, range(len(args)), tag)
    given: dict[Any, Any] = dict(enumerate(args))
    given.update(kwargs)
    if entry.variadic is None:
        places = [i if i < len(args) else name for i, name in entry.operands]
    else:
        places = list(range(entry.variadic, len(args)))
    operands = [given.get(place) for place in places]
    if others := [x for place, x in given.items() if place not in places]:
        _refuse_elsewhere(entry, others)
    tag, values, tangents = separated(operands, kept=True)
    if tag is not None and tag.records and others:
        given = {place: x if place in places else kept(x) for place, x in given.items()}
    for place, value in zip(places, values, strict=True):
        if place in given:
            given[place] = value
    positional = [given.pop(i) for i in range(len(args))]
    if tag is None:
        return entry.function(*positional, **given)
    seen = tangents if entry.variadic is None else [tangents]
    result, tangent = entry.handler(*seen, *positional, **given)
    return _wrapped(entry, args, kwargs, result, tangent, operands, places, tag)


def _wrapped(
    entry: Paragraph, args: Sequence[Any], kwargs: dict[str, Any], result: Any, tangent: Any, operands: Sequence[Any],
    places: Sequence[Any], tag: Any,
) -> Any:  # fmt: skip
    """Return what a rule made as Duals; a view stays one in value and tangent alike."""
    if tangent is None:
        return result
    if isinstance(result, tuple):
        parts = [y if dy is None else wrap(y, fitted(dy, y), tag) for y, dy in zip(result, tangent, strict=True)]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if len(operands) > 1 or not ndim_of(result):
        return wrap(result, fitted(tangent, result), tag)
    (place,) = places
    operands = [live(packed(operands[0]))]

    def remake(array: Any) -> Any:
        rest = {k: array if k == place else x for k, x in kwargs.items()}
        return call(entry, [array if i == place else x for i, x in enumerate(args)], rest)

    return _moved(result, tangent, operands, tag, remake)


_PLAIN = (int, bool, float, str)


def _refuse_elsewhere(entry: Entry, others: Iterable[Any]) -> None:
    """Refuse a Dual where the rule would not see its tangent."""
    for what in others:
        if what is None or type(what) in _PLAIN:
            continue
        if isinstance(packed(what) if isinstance(what, (list, tuple, np.ndarray)) else what, Dual):
            message = (
                f"{entry.name} met a Dual in an argument that its rule does not differentiate. "
                "Take x.value there if the argument is to count as a constant."
            )
            raise NoRuleError(message)


_APPLY: dict[type[Entry], Callable[..., Any]] = {
    Line: _apply_line, Move: _apply_move, Paragraph: _apply_paragraph, Composition: _apply_composition,
}  # fmt: skip
