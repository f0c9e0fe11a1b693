"""dualdiff: exact derivatives of ordinary NumPy code, by dual numbers.

A `Dual` carries a tangent beside its value through every operation; a transform seeds the tangent and reads it off.

>>> import numpy as np
>>> import dualdiff as dd
>>> dd.derivative(lambda t: np.sin(t) ** 2 + 2 * np.cos(t))(1.2)
-1.1886149913833015
"""

import typing as _typing

from dualdiff import functions as functions
from dualdiff.custom import rule as rule
from dualdiff.dual import Dual as Dual
from dualdiff.errors import DroppedTangentError as DroppedTangentError, NoRuleError as NoRuleError
from dualdiff.functions import *  # noqa: F403 - NumPy's names, listed once, in functions.__all__
from dualdiff.reverse import Variable as Variable
from dualdiff.rules import (  # noqa: F401 - reading the tables is what enters their lines
    constant as _constant,
    elementary as _elementary,
    linalg as _linalg,
    moving as _moving,
    products as _products,
    reducing as _reducing,
)
from dualdiff.transforms import (
    derivative as derivative,
    derivatives as derivatives,
    gradient as gradient,
    hessian as hessian,
    hvp as hvp,
    jacobian as jacobian,
    jacobian_operator as jacobian_operator,
    jacrev as jacrev,
    jvp as jvp,
    linearize as linearize,
    stop_gradient as stop_gradient,
    value_and_derivative as value_and_derivative,
    value_and_gradient as value_and_gradient,
    value_and_hessian as value_and_hessian,
    value_and_jacobian as value_and_jacobian,
    vjp as vjp,
)

if _typing.TYPE_CHECKING:
    from dualdiff.lecture.chained.chaining import chain as chain
    from dualdiff.lecture.checked.checking import check as check
    from dualdiff.lecture.compared.comparing import compare as compare
    from dualdiff.lecture.evaluation import trace as trace

grad = gradient
"""JAX's and torch's name of `gradient`."""
jacfwd = jacobian
"""JAX's and torch's name of `jacobian`."""

__all__ = [
    "DroppedTangentError",
    "Dual",
    "NoRuleError",
    "Variable",
    "chain",
    "check",
    "compare",
    "derivative",
    "derivatives",
    "functions",
    "grad",
    "gradient",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacobian_operator",
    "jacrev",
    "jvp",
    "linearize",
    "rule",
    "stop_gradient",
    "trace",
    "value_and_derivative",
    "value_and_gradient",
    "value_and_hessian",
    "value_and_jacobian",
    "vjp",
]  # fmt: skip
__all__ += functions.__all__


_LECTURE = {
    "chain": "chained.chaining", "check": "checked.checking", "compare": "compared.comparing", "trace": "evaluation",
}  # fmt: skip
"""The rooms of the lecture desk, which are loaded when somebody asks for what is in them."""


def __getattr__(name: str) -> _typing.Any:
    if name in _LECTURE:
        from importlib import import_module

        found = globals()[name] = getattr(import_module(f"dualdiff.lecture.{_LECTURE[name]}"), name)
        return found
    if name == "__version__":  # read from the installed package: importlib.metadata takes 10 ms to load
        from importlib.metadata import version

        return version("dualdiff")
    message = f"module 'dualdiff' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
