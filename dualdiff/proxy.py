"""Proxy: what stands for a Dual and sees every operation that it takes part in, as a Variable and a traced number do.

An operation on proxies is done on the Duals inside; what it was and what came of it, the kind of proxy takes note of.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions
from dualdiff.dual import Dual, Flat
from dualdiff.dual.operators import in_place
from dualdiff.errors import DroppedTangentError, dropped_by
from dualdiff.functions import Elementary
from dualdiff.rules.book import RULES, Creation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["METHOD", "OPERATORS", "ArrayProxy", "Proxy", "as_proxies", "bare"]


def bare(x: Any) -> Any:
    """Return the Duals inside proxies, in nested tuples, lists and dicts."""
    if isinstance(x, Proxy):
        return x._dual
    if isinstance(x, (list, tuple)):
        if hasattr(x, "_fields"):
            return type(x)(*map(bare, x))
        return type(x)(map(bare, x)) if type(x) in (list, tuple) else x
    if isinstance(x, np.ndarray) and x.dtype == object:
        return Dual.packed(bare(x.tolist()))
    return {key: bare(item) for key, item in x.items()} if type(x) is dict else x


def as_proxies(answer: Any) -> Any:
    """Return the Duals in an answer that belong to proxies as such; mostly there is none."""
    if type(answer) in _PLAIN:
        return answer
    if isinstance(answer, Dual):
        return answer if answer._tag.proxy is None else answer._tag.proxy(answer, "derivative")
    if type(answer) in (list, tuple):
        return type(answer)(map(as_proxies, answer))
    return {key: as_proxies(part) for key, part in answer.items()} if type(answer) is dict else answer


_PLAIN = (float, np.ndarray)


class Proxy(Elementary):
    """A number that behaves as the Dual in it."""

    __slots__ = ("__weakref__", "_dual")
    __hash__ = object.__hash__  # a proxy is its place in a record, not its number

    _dual: Any

    def _operated(self, function: Callable[..., Any], operation: str, args: Any, kwargs: dict[str, Any]) -> Any:
        """Return ``function(*args, **kwargs)``, done on the Duals inside, as proxies; it is known as `operation`."""
        raise NotImplementedError

    def _dropped(self, conversion: str) -> DroppedTangentError:
        """Return the error for a conversion to a plain number."""
        return dropped_by(conversion)

    # --- what it answers by value --------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The number or array, without derivative and record."""
        return self._dual.value if isinstance(self._dual, Dual) else self._dual

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def __bool__(self) -> bool:
        return bool(self._dual)

    def __float__(self) -> float:
        raise self._dropped("float(x)")

    def __int__(self) -> int:
        raise self._dropped("int(x)")

    def __complex__(self) -> complex:
        raise self._dropped("complex(x)")

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.value, digits)

    def __floor__(self) -> int:
        return math.floor(self.value)  # type: ignore[no-any-return]

    def __ceil__(self) -> int:
        return math.ceil(self.value)  # type: ignore[no-any-return]

    def __trunc__(self) -> int:
        return math.trunc(self.value)  # type: ignore[no-any-return]

    def _compared(self, compare: Callable[[Any, Any], Any], _name: str, other: Any) -> Any:
        """Compare by value."""
        return compare(self._dual, bare(other))

    # --- operations ----------------------------------------------------------------------------------------------

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __getattr__(self, name: str) -> Any:
        """Answer with the attributes and methods of the array: ``x.shape``, ``x.sum()``, ``x.T``."""
        if name.startswith("__") or name == "_dual":
            raise AttributeError(name)
        try:
            found = getattr(self._dual, name)
        except AttributeError:
            message = f"'{type(self).__name__}' object has no attribute {name!r}"
            raise AttributeError(message) from None
        if callable(found):
            return lambda *args, **kwargs: self._operated(_method(name), name, (self, *args), kwargs)
        return self._operated(lambda _: found, name, (self,), {})

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        """Answer ``np.sin(x)`` as the Dual inside does."""
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return self._operated(getattr(ufunc, method), name, inputs, settings)

    def __array_function__(
        self, function: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Answer ``np.dot(x, x)`` as the Dual inside does."""
        if isinstance(RULES.get(function), Creation):  # np.zeros(n, like=x)

            def made(*args: Any, **kwargs: Any) -> Any:
                dual = self._dual
                return Dual.packed(dual.__array_function__(function, (type(dual),), args, kwargs))

            return self._operated(made, function.__name__, args, kwargs)
        return self._operated(function, function.__name__, args, kwargs)


class ArrayProxy(Proxy):
    """The proxy of an array, which has a length and elements."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._dual)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        return self._operated(operator.getitem, "index", (self, index), {})

    @property
    def flat(self) -> Flat:
        """The elements in order."""
        return Flat(self)

    def __setitem__(self, index: Any, item: Any) -> None:
        self._dual[index] = bare(item)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """As an object array of proxies, which loses nothing; never as plain numbers."""
        if dtype is not None and np.dtype(dtype) != object:
            raise self._dropped(f"a conversion to {np.dtype(dtype)} (np.asarray(x, float))")
        objects = np.empty(self._dual.shape, dtype=object)
        for index in np.ndindex(self._dual.shape):
            objects[index] = self[index]
        objects.flags.writeable = bool(copy)  # np.asarray shares memory with its argument, and this could not
        return objects


_NAMES = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power", "mod": "remainder",
    "floordiv": "floor_divide", "matmul": "matmul",
}  # fmt: skip


_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute"}

OPERATORS: dict[Callable[..., Any], str] = {
    pow if name == "pow" else getattr(operator, name): operation  # pow takes a modulus, to say that it cannot
    for name, operation in (_NAMES | _UNARY).items()
}
"""Python's operators, each with the name that NumPy has for it."""

METHOD = "method"
"""The name of the function that an operation is when it was called as a method."""


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, name)(*args, **kwargs)

    return method


def _operator(name: str, operation: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    operate = pow if name == "pow" else getattr(operator, name)

    def forward(self: Proxy, other: Any, *modulus: Any) -> Any:
        return self._operated(operate, operation, (self, other, *modulus), {})

    def reflected(self: Proxy, other: Any) -> Any:
        return self._operated(operate, operation, (other, self), {})

    return forward, reflected


def _by_numpy(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(*operands: Any) -> Any:
        return function(*operands)

    return method


def _packed(x: Any) -> Any:
    """Return a list of proxies as one."""
    member = next((one for one in functions.members(x) if isinstance(one, Proxy)), None)
    return Dual.packed(x) if member is None else member._operated(Dual.packed, "array", (x,), {})


Proxy.packed = staticmethod(_packed)  # type: ignore[method-assign]


def _unary(name: str, operation: str) -> Callable[[Proxy], Any]:
    operate = getattr(operator, name)
    return lambda self: self._operated(operate, operation, (self,), {})


def _comparison(name: str) -> Callable[..., Any]:
    compare = getattr(operator, name)
    return lambda self, other: self._compared(compare, name, other)


for _name, _operation in _NAMES.items():
    setattr(ArrayProxy, f"__i{_name}__", in_place(_name))
    _forward, _reflected = _operator(_name, _operation)
    setattr(Proxy, f"__{_name}__", _forward)
    setattr(Proxy, f"__r{_name}__", _reflected)
for _name in functions.__all__:  # dd.sin(x) asks x for its own sin
    setattr(Proxy, _name, _by_numpy(_name))
for _name in ("lt", "le", "eq", "ne", "gt", "ge"):
    setattr(Proxy, f"__{_name}__", _comparison(_name))
for _name, _operation in _UNARY.items():
    setattr(Proxy, f"__{_name}__", _unary(_name, _operation))
