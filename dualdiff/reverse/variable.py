"""Variable: numbers and arrays with `.grad` and `.backward()`, what a PyTorch lecture shows, on the one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from dualdiff.dual import Dual, wrap
from dualdiff.errors import DroppedTangentError, ManyOutputsError
from dualdiff.primal import plain, shape_of
from dualdiff.proxy import ArrayProxy, Proxy, bare
from dualdiff.reverse.program import Program
from dualdiff.reverse.steps import Leaf
from dualdiff.tag import Tag
from dualdiff.tangent import any_nan

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Variable"]

_TAG = Tag()
"""The tag of every Variable; it never dies, and every derivative begun later is newer."""
_TAG.records = True


class Variable(Proxy):
    """A number or an array whose operations are recorded, so that ``y.backward()`` leaves dy/dx in ``x.grad``.

    Parameters
    ----------
    value : float, ndarray or nested list of numbers
        Ints and bools become floats; float32 stays float32.

    Attributes
    ----------
    value : float or ndarray
        The number or array. Setting it begins a new record, as a step of an optimiser does.
    grad : float, ndarray or None
        The gradient that `backward` has left, of the value's shape; None before the first. It accumulates.
    operation : str or None
        What the Variable was computed by; None for one made by hand.

    Raises
    ------
    TypeError
        If `value` is not made of real or complex numbers.

    Notes
    -----
    Everything that works on a `Dual` works on a Variable: NumPy's functions, operators, indexing. `gradient(f)` and
    `vjp(f, x)` say the same without a state to be reset.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> x = dd.Variable(np.arange(4.0))
    >>> y = 2 * np.dot(x, x)
    >>> y
    Variable(28.0, operation='multiply')
    >>> y.backward()
    >>> x.grad
    array([ 0.,  4.,  8., 12.])
    """

    __slots__ = ("grad", "operation")

    def __new__(cls, value: Any = 0.0) -> Any:
        """Make an array's Variable of its own class, so that a number's has no len and is no sequence to NumPy."""
        return object.__new__(_of_array if np.ndim(value.value if isinstance(value, Variable) else value) else cls)

    def __init__(self, value: Any) -> None:
        if isinstance(value, Variable):
            value = value.value
        self.grad: Any = None
        self.operation: str | None = None
        self._dual: Any = None
        self._begin(value)

    def _begin(self, value: Any) -> None:
        value = Dual(value)._value
        if isinstance(value, np.ndarray):
            value = value.copy()
        step = Leaf(shape_of(value), np.result_type(value))
        step.owner = ref(self)
        self._dual = wrap(value, step, _TAG)

    @property
    def value(self) -> Any:
        """The number, or the array as a view that is not to be written to; a step is ``x.value = x.value - step``."""
        return self._dual.value if isinstance(self._dual, Dual) else self._dual

    @value.setter
    def value(self, value: Any) -> None:
        if self.operation is not None:
            message = (
                f"this Variable is the result of {self.operation}: only one made by hand, dd.Variable(...), can be "
                "given another value"
            )
            raise AttributeError(message)
        self._begin(value)

    # --- the gradient --------------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None) -> None:
        """Add vᵀ·J to the `grad` of every Variable that this one was computed from.

        Parameters
        ----------
        gradient : array_like, optional
            The cotangent v, of the shape of the value. It may be left out where the value is one number, and is then 1.

        Raises
        ------
        RuntimeError
            If the value is more than one number and `gradient` is left out.
        ValueError
            If `gradient` has another shape than the value.
        """
        shape = shape_of(self.value)
        if gradient is None:
            if shape:
                message = (
                    "grad can be implicitly created only for scalar outputs, as PyTorch puts it; this one has shape "
                    f"{shape}. Two ways out: y.backward(gradient=v) with v of that shape leaves the gradient of the "
                    "number v*y, which is v^T J; np.sum(y).backward() that of the sum, which is v = 1 everywhere"
                )
                raise ManyOutputsError(message)
            gradient = 1.0
        cotangent = plain(gradient.value if isinstance(gradient, Variable) else gradient)
        cotangent = cotangent if isinstance(cotangent, (float, complex)) else np.array(cotangent)[()]
        if np.asarray(cotangent).dtype.kind not in "biufc":
            message = f"backward() takes a gradient made of numbers; it got {gradient!r}"
            raise TypeError(message)
        if np.asarray(cotangent).dtype.kind in "biu":
            cotangent = 1.0 * cotangent
        if shape_of(cotangent) != shape:
            message = f"backward() got a gradient of shape {shape_of(cotangent)} for a value of shape {shape}"
            raise ValueError(message)
        program = Program([], [self._dual._tangent], any_nan(self.value))
        program.inputs = leaves = [step for step in program.steps if isinstance(step, Leaf)]
        for step, g in zip(leaves, program.pull([cotangent]), strict=True):
            leaf = step.owner()
            if leaf is not None:
                fits = leaf.grad is not None and shape_of(leaf.grad) == shape_of(g)
                leaf.grad = leaf.grad + g if fits else g

    def zero_grad(self) -> None:
        """Set a gradient that there is to 0, so that the next `backward` starts anew."""
        if self.grad is not None:
            self.grad = np.zeros_like(self.grad) if np.ndim(self.grad) else type(self.grad)(0)

    def detach(self) -> Any:
        """Return the value without the record: a plain number, or a copy of the array."""
        return self.value.copy() if isinstance(self.value, np.ndarray) else self.value

    # --- how it prints, and what it answers by value -----------------------------------------------------------

    def __repr__(self) -> str:
        value = self.value.tolist() if isinstance(self.value, np.ndarray) and not self.value.ndim else self.value
        made = "" if self.operation is None else f", operation={self.operation!r}"
        return f"Variable({value!r}{made})"

    def _dropped(self, conversion: str) -> DroppedTangentError:
        return DroppedTangentError(
            f"{conversion} would drop the record of a Variable, and with it the gradient. Ways out: np.sin or "
            "dualdiff.sin in place of math.sin; np.stack([...]) or np.zeros_like(x) in place of a plain float buffer; "
            "x.value to go on without the record"
        )

    def __copy__(self) -> Variable:
        return Variable(self.value) if self.operation is None else _variable(self._dual.copy(), "copy")

    def __deepcopy__(self, memo: object) -> Variable:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        if self.operation is None:
            return _leaf, (self.detach(), self.grad)
        message = f"the result of {self.operation} belongs to its record and cannot be pickled: send x.value"
        raise TypeError(message)

    def _operated(self, function: Callable[..., Any], operation: str, args: Any, kwargs: dict[str, Any]) -> Any:
        return _variable(function(*bare(args), **bare(kwargs)), operation)


class ArrayVariable(ArrayProxy, Variable):
    """The Variable of an array, which has a length and elements."""

    __slots__ = ()


_of_array = ArrayVariable


def _leaf(value: Any, grad: Any) -> Variable:
    """Return a Variable with a gradient already taken up."""
    made: Variable = Variable(value)
    made.grad = grad
    return made


def _variable(x: Any, operation: str) -> Any:
    """Return what an operation made of the Duals as Variables."""
    if isinstance(x, Dual) and x._tag is _TAG:
        made = object.__new__(ArrayVariable if x.ndim else Variable)
        made._dual, made.grad, made.operation = x, None, operation
        return made
    if type(x) in (list, tuple):
        return type(x)(_variable(item, operation) for item in x)
    return x


_TAG.proxy = _variable
