"""The dual numbers.

Read in this order: `number` (the scalar), `operands` (which derivative is active), `array` (ndarray's ways),
`elementwise` (the table applied), `operators` (generated from the table), `protocols` (NumPy's two doors).
"""

from dualdiff.dual.array import DualArray as DualArray, Flat as Flat, borrowed as borrowed
from dualdiff.dual.elementwise import elementwise as elementwise
from dualdiff.dual.number import Dual as Dual, wrap as wrap
from dualdiff.dual.operands import extract as extract, kept as kept, live as live, packed as packed
from dualdiff.dual.protocols import call as call
from dualdiff.dual.recycling import Workspace as Workspace
