"""What a claim says at a point, read as a matrix: the numbers of f's result by the numbers that move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.primal import shape_of
from dualdiff.transforms.containers import flatten, matched
from dualdiff.transforms.results import described

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Layout", "Said", "read"]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Said(NamedTuple):
    """A claim at a point: its matrix, or the words for why there is none.

    Attributes
    ----------
    matrix : ndarray or None
        The numbers.
    words : str
        What is wrong with their shape, or empty.
    transposed : bool
        Whether the numbers would fit, had rows and columns changed places; then they have in `matrix`.
    """

    matrix: Any
    words: str = ""
    transposed: bool = False


class Layout:
    """The shapes of f's results and of the arguments that move, and what the entries of the derivative are called.

    Parameters
    ----------
    results : sequence of tuple
        Shape of each result; several where f returns a container.
    arguments : sequence
        The arguments that move, as they are at the point.
    names : sequence of str
        What they are called.
    blocks : tuple of int or None
        Where the derivative is asked for as one block for each argument: their order.
    order : int
        How often f has been differentiated already.
    structure : container, optional
        How f's results are put together, with their positions in their places.
    """

    def __init__(
        self, results: Sequence[tuple[int, ...]], arguments: Sequence[Any], names: Sequence[str],
        blocks: tuple[int, ...] | None = None, order: int = 0, structure: Any = None,
    ) -> None:  # fmt: skip
        self.results = tuple(results)
        self.arguments = tuple(arguments)
        self.blocks = blocks
        self.order = order
        self.keys = list(structure) if isinstance(structure, dict) and len(structure) == len(results) else None
        self.leaves = [[shape_of(leaf) for leaf in flatten(x)[0]] for x in arguments]
        self.inputs = [shape for own in self.leaves for shape in own]
        self.m, self.n = sum(map(_size, self.results)), sum(map(_size, self.inputs))
        self._columns = [entry for x, name in zip(arguments, names, strict=True) for entry in _entries(x, name)]

    @property
    def result_shape(self) -> tuple[int, ...] | None:
        """Shape of the result; of several, shape of them stacked; None where they do not stack."""
        if len(self.results) == 1:
            return self.results[0]
        return (len(self.results), *self.results[0]) if len(set(self.results)) == 1 else None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of what moves: of one array, or of all numbers side by side."""
        return self.inputs[0] if len(self.inputs) == 1 else (self.n,)

    @property
    def noun(self) -> str:
        """What the derivative is called."""
        if self.order and self.m == self.n > 1:
            return "Hessian"
        if self.m * self.n == 1 and self.inputs[0] == ():
            return "second derivative" if self.order else "derivative"
        return "gradient" if self.result_shape == () else "Jacobian"

    def row(self, i: int) -> str:
        """Return what result i is called."""
        return "f" if self.m == 1 else f"f{i + 1}".translate(_SUBSCRIPTS)

    def entry(self, i: int, j: int) -> str:
        """Return what an entry is called, as ∂f₂/∂x₃."""
        return f"∂{self.row(i)}/∂{self._columns[j]}" if self.m * self.n > 1 else f"d{self.row(i)}/d{self._columns[j]}"

    def column(self, j: int) -> str:
        """Return what input j is called."""
        return self._columns[j]


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def _entries(x: Any, name: str) -> list[str]:
    """Return what each number of an argument is called."""
    leaves, _ = flatten(x)
    if len(leaves) > 1 or isinstance(x, (dict, tuple)):
        names = [f"{name}[{key!r}]" for key in x] if isinstance(x, dict) else [f"{name}[{i}]" for i in range(len(x))]
        parts = x.values() if isinstance(x, dict) else x
        return [entry for part, own in zip(parts, names, strict=True) for entry in _entries(part, own)]
    shape = shape_of(leaves[0]) if leaves else (0,)
    if shape == ():
        return [name]
    if len(shape) == 1:
        return [f"{name}{i + 1}".translate(_SUBSCRIPTS) if name.isalpha() else f"{name}[{i}]" for i in range(shape[0])]
    return [f"{name}[{', '.join(map(str, place))}]" for place in np.ndindex(shape)]


# --- reading ----------------------------------------------------------------------------------------------------------


def read(claim: Any, layout: Layout) -> Said:
    """Return what a claim says, in whichever of the ways that a derivative is written.

    The numbers are copies: a claim may write into the array that it returns, the next time that it is called.
    """
    matrix = _matrix(claim, layout)
    if matrix is not None:
        return Said(matrix.copy())
    array = _numbers(claim)
    if array is None:
        return Said(None, f"claim returned {_what(claim)}, and the {layout.noun} {_has_shape(layout)}")
    words = f"claim returned shape {array.shape}, and the {layout.noun} {_has_shape(layout)}"
    turned = None if layout.result_shape is None else (*layout.input_shape, *layout.result_shape)
    if array.shape == turned and layout.m > 1 and layout.n > 1:
        return Said(array.reshape(layout.n, layout.m).T.copy(), words, transposed=True)
    if layout.result_shape == () and array.ndim == 2 and array.shape == layout.input_shape[::-1]:
        return Said(array.T.reshape(1, -1).copy(), words, transposed=True)
    if layout.result_shape == layout.input_shape == array.shape:
        words += ". Where f acts on each number by itself, it is np.diag of that"
    return Said(None, words)


def _matrix(claim: Any, layout: Layout) -> Any:
    """Return the numbers of a claim, or None where they do not fit."""
    if layout.blocks is not None:
        return _by_argument(claim, layout)
    if layout.keys is not None and isinstance(claim, dict) and set(claim) == set(layout.keys):
        claim = [claim[key] for key in layout.keys]
    array = _numbers(claim)
    result = layout.result_shape
    if array is not None and result is not None and array.shape in _shapes(layout, result):
        return array.reshape(layout.m, layout.n)
    if len(layout.results) > 1 and isinstance(claim, (list, tuple)) and len(claim) == len(layout.results):
        rows = [_matrix(part, _of_result(layout, i)) for i, part in enumerate(claim)]
        if all(row is not None for row in rows):
            return np.concatenate(rows)
    # One part for each argument; of numbers and several results these would be columns, and rows is how it is written.
    of_numbers = all(shape == () for shape in layout.inputs)
    return None if result != () and of_numbers and len(layout.arguments) > 1 else _by_argument(claim, layout)


def _shapes(layout: Layout, result: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes in which the whole derivative is accepted."""
    own = layout.input_shape
    found = [result + own]
    if not result:  # a gradient, written as a row or a column
        found += [(1, *own), (*own, 1)]
    if not own:  # a velocity, written as a column
        found.append((*result, 1))
    return [*found, (1, 1)] if not result and not own else found


def _of_result(layout: Layout, i: int) -> Layout:
    made = object.__new__(Layout)
    made.__dict__.update(layout.__dict__)
    made.results, made.m, made.keys = (layout.results[i],), _size(layout.results[i]), None
    return made


def _by_argument(claim: Any, layout: Layout) -> Any:
    """Return the numbers of a claim that has a part for each argument, or for each leaf of the only one."""
    arguments = layout.arguments
    order = layout.blocks if layout.blocks is not None else tuple(range(len(arguments)))
    parts = claim if len(arguments) > 1 or (layout.blocks is not None and isinstance(claim, tuple)) else (claim,)
    if not isinstance(parts, (list, tuple)) or len(parts) != len(order):
        return None
    result = layout.result_shape
    if result is None:
        return None
    found: dict[int, Any] = {}
    for place, part in zip(order, parts, strict=True):
        try:
            leaves = matched(part, arguments[place]) if len(layout.leaves[place]) != 1 else [part]
        except ValueError:
            return None
        blocks = []
        for leaf, shape in zip(leaves, layout.leaves[place], strict=True):
            array = _numbers(leaf)
            if array is None or array.shape != result + shape:
                return None
            blocks.append(array.reshape(layout.m, _size(shape)))
        found[place] = np.concatenate([np.zeros((layout.m, 0)), *blocks], axis=1)
    if len(found) != len(arguments):
        return None
    return np.concatenate([found[place] for place in range(len(arguments))], axis=1)


def _numbers(x: Any) -> Any:
    """Return a claim as an array of numbers, or None."""
    if x is None or isinstance(x, (str, bytes, dict, set)):
        return None
    try:
        array = np.asarray(x)
        if array.dtype == object:
            array = array.astype(complex if any(isinstance(item, complex) for item in array.flat) else float)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "biufc" else None


def _what(claim: Any) -> str:
    if claim is None:
        return "None (did you forget 'return'?)"
    if isinstance(claim, (list, tuple)):
        return "a nested sequence whose rows differ in length or are no numbers"
    return described(claim)


def _has_shape(layout: Layout) -> str:
    if layout.blocks is not None and len(layout.blocks) > 1:
        return f"is a tuple of {len(layout.blocks)} blocks, one for each argument"
    if layout.result_shape is None:
        return f"has a part for each of the {len(layout.results)} results"
    shape = layout.result_shape + layout.input_shape
    return "is a number" if shape == () else f"has shape {shape}"
