"""Reverse mode: the tangent that records, and its transpose."""

from dualdiff.reverse import maps as _maps, places as _places  # noqa: F401 - they give steps their verbs
from dualdiff.reverse.program import Program as Program
from dualdiff.reverse.steps import Input as Input, Step as Step
from dualdiff.reverse.variable import Variable as Variable
