"""The questions asked of f: how does it move with its inputs."""

from dualdiff.transforms.derivative import (
    derivative as derivative,
    derivatives as derivatives,
    value_and_derivative as value_and_derivative,
)  # fmt: skip
from dualdiff.transforms.gradient import gradient as gradient, value_and_gradient as value_and_gradient
from dualdiff.transforms.hessian import hessian as hessian, hvp as hvp, value_and_hessian as value_and_hessian
from dualdiff.transforms.jacobian import (
    jacobian as jacobian,
    jacrev as jacrev,
    value_and_jacobian as value_and_jacobian,
)
from dualdiff.transforms.jvp import jvp as jvp, stop_gradient as stop_gradient
from dualdiff.transforms.operator import jacobian_operator as jacobian_operator
from dualdiff.transforms.vjp import linearize as linearize, vjp as vjp
