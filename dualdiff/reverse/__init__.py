"""Reverse mode: the tangent that records, and its transpose."""

from dualdiff.reverse import places as _places  # noqa: F401 - gives steps the verbs that move and write
from dualdiff.reverse.program import Program as Program
from dualdiff.reverse.steps import Input as Input, Step as Step
from dualdiff.reverse.variable import Variable as Variable, as_variables as as_variables
