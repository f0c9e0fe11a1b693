"""dualdiff: exact derivatives of ordinary NumPy code, by dual numbers.

A `Dual` carries a tangent beside its value through every operation; a transform seeds the tangent and reads it off.

>>> import numpy as np
>>> import dualdiff as dd
>>> dd.derivative(lambda t: np.sin(t) ** 2 + 2 * np.cos(t))(1.2)
-1.1886149913833015
"""

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

grad = gradient
"""JAX's and torch's name of `gradient`."""
jacfwd = jacobian
"""JAX's and torch's name of `jacobian`."""

__all__ = [
    "DroppedTangentError",
    "Dual",
    "NoRuleError",
    "Variable",
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
    "value_and_derivative",
    "value_and_gradient",
    "value_and_hessian",
    "value_and_jacobian",
    "vjp",
]  # fmt: skip
__all__ += functions.__all__


def __getattr__(name: str) -> str:
    """Read the version from the installed package when somebody asks; importlib.metadata takes 10 ms to load."""
    if name == "__version__":
        from importlib.metadata import version

        return version("dualdiff")
    message = f"module 'dualdiff' has no attribute {name!r}"
    raise AttributeError(message)
