"""The questions asked of f: how does it move with its inputs."""

from dualdiff.transforms.derivative import (
    derivative as derivative,
    derivatives as derivatives,
    value_and_derivative as value_and_derivative,
)  # fmt: skip
from dualdiff.transforms.hessian import hessian as hessian, hvp as hvp, value_and_hessian as value_and_hessian
from dualdiff.transforms.jacobian import (
    gradient as gradient,
    jacobian as jacobian,
    value_and_gradient as value_and_gradient,
    value_and_jacobian as value_and_jacobian,
)  # fmt: skip
from dualdiff.transforms.jvp import jvp as jvp, stop_gradient as stop_gradient
