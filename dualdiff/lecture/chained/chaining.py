"""chain: the Jacobian of functions one inside the other as the product of their Jacobians, entry by entry."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.lecture.chained import bracketings as orders
from dualdiff.lecture.chained.composition import Link, Stage, composed, linked, slopes
from dualdiff.lecture.chained.entrywise import jacobian_in_letters
from dualdiff.lecture.chained.pathways import Entry, Path, largest
from dualdiff.lecture.printed import Printed
from dualdiff.lecture.run import recorded
from dualdiff.transforms.containers import flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dualdiff.lecture.chained.bracketings import Bracketing

__all__ = ["Chain", "Entry", "Path", "chain"]

_SCHEMA = "dualdiff.chain/1"
_FACTORS = 8  # up to which every bracketing is counted: there are 429 of them
_PATHS = 1000  # of one entry; of more the largest are given
_TOLD = 12  # of one entry in the dict
_ENTRIES = 36  # entries of a matrix that are told one by one
_FEW = 6  # and of a larger one
_SAFETY = 1000.0  # how much more than the products' own rounding is put down to that inside the functions


def chain(*functions: Callable[..., Any]) -> Callable[..., Chain]:
    """Return the function that takes the derivative of f(g(…)) apart into the Jacobians of f, g, ….

    Parameters
    ----------
    *functions : callable
        Outer first, as in f∘g. The innermost takes numbers and arrays. Every other one takes what the one before it
        returns: as its only argument, or spread over its parameters where it needs several.

    Returns
    -------
    callable
        ``chain(f, g)(s, t)`` is a `Chain`, with ``.factors``, ``.product``, ``.entries``, ``.bracketings`` and more.
        It prints as the equation of matrices; ``.to_latex()`` has it for slides.

    Raises
    ------
    TypeError
        If one of them is no function, or there is none.
    ValueError
        If one returns more or fewer numbers than the next one takes; the message names both.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> def f(x1, x2):
    ...     return x1**2 + 2 * x2
    >>> def g(s, t):
    ...     return np.stack([s * t, s + t])
    >>> shown = dd.chain(f, g)(2.0, 3.0)
    >>> print(shown.to_text(width=80))
    (s, t) = (2, 3) → (x₁, x₂) = (6, 5) → f = 46
    ...
     [38  26]   =    [12   2]    ·      x₁ ⎡3  2⎤
                                        x₂ ⎣1  1⎦
    <BLANKLINE>
    ∂f/∂s = 12·3 + 2·1 = 38   (through x₁: 36, through x₂: 2)
    ...
    >>> shown.entry(0, "s").paths
    (Path(through=('x1',), factors=(12.0, 3.0), value=36.0), Path(through=('x2',), factors=(2.0, 1.0), value=2.0))
    """
    if not functions:
        message = "chain() was called without functions: chain(f, g)(x) is about f(g(x))"
        raise TypeError(message)
    given: Sequence[Any] = functions
    for f in given:
        if not callable(f):
            message = f"chain() takes functions; it got {f!r}. The point comes in brackets of its own: chain(f, g)(x)"
            raise TypeError(message)

    def at(*args: Any, **kwargs: Any) -> Chain:
        return Chain(functions, args, kwargs)

    return functools.wraps(functions[-1])(at)


class Chain(Printed):
    """The chain rule at one point: factors, product, paths, and what each order of multiplying costs.

    `chain` makes it. It prints as the equation of matrices and fits the terminal.

    Attributes
    ----------
    names : tuple of str
        The functions, outer first.
    factors : tuple of ndarray
        Their Jacobians, outer first, each a matrix: a row for each number returned, a column for each one taken.
    product : ndarray
        Their product. A factor that is exactly 0 contributes 0, also beside an infinite one.
    jacobian : ndarray
        The Jacobian of the composition taken in one go.
    difference : float
        The largest absolute difference of the two.
    agrees : bool
        Whether they differ by no more than rounding: entry by entry 1000·eps times the sum of the absolute values of
        all paths, for each number that is summed over.
    changing : tuple of str
        Where they do not agree, the functions that returned something else when they were called once more.
    value : object
        What the composition returns.
    labels : tuple of tuple of str
        Names of the single numbers: those the outermost function returns, those between the functions, and the inputs;
        factor i has rows ``labels[i]`` and columns ``labels[i + 1]``.
    formulas : tuple
        For each factor its entries as text, or None where its function has many steps.
    forward, reverse, best : Bracketing
        Right to left, left to right, and with the fewest multiplications; each has ``text`` and ``multiplications``.
    bracketings : tuple of Bracketing
        Every order of up to 8 factors, the cheapest first; of more factors, which have 1430 orders and more, those
        three alone. The text lists up to 5, or those three, and says of how many.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> shown = dd.chain(np.sum, np.sin, lambda x: np.outer([1.0, 2.0], x).ravel())(np.ones(3))
    >>> shown.forward.multiplications, shown.reverse.multiplications
    (126, 54)
    >>> shown.agrees
    True
    """

    signs = "∂₁·⎡−∘✓×"

    def __init__(self, functions: Sequence[Callable[..., Any]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        links, stages = linked(functions, args, kwargs)
        value, jacobian = slopes(composed(links), args, kwargs, "the composition")
        self._stages = tuple(stages)
        self.names = tuple(link.name for link in links)
        self.factors = tuple(_settled(link.factor) for link in links)
        self.value = value
        self.jacobian = _settled(jacobian)
        self.labels = tuple(stage.labels for stage in stages)
        sizes = tuple(map(len, self.labels))
        self.forward, self.reverse, self.best = orders.forward(sizes), orders.reverse(sizes), orders.best(sizes)
        self.product = _settled(orders.multiplied(self.best.order, self.factors))
        self.bracketings = tuple(self._bracketings(sizes))
        self.difference, self.agrees = _compared(self.product, self.jacobian, self.factors)
        self.changing = () if self.agrees else tuple(_changing(links, kwargs))
        self.formulas = tuple(
            _letters(link, stage, kwargs if i == len(links) - 1 else {})
            for i, (link, stage) in enumerate(zip(links, stages[1:], strict=True))
        )
        self._closed = True

    def __setattr__(self, name: str, item: Any) -> None:
        if getattr(self, "_closed", False):
            message = f"a Chain does not change: {name} is what it was at the point of the call"
            raise AttributeError(message)
        super().__setattr__(name, item)

    def _bracketings(self, sizes: Sequence[int]) -> list[Bracketing]:
        if len(sizes) - 1 <= _FACTORS:
            return orders.every(sizes)
        known = {way.text: way for way in (self.best, self.reverse, self.forward)}
        return sorted(known.values(), key=lambda way: (way.multiplications, way.text))

    @property
    def counts(self) -> dict[str, int]:
        """How many multiplications of numbers forward, reverse and the best order take."""
        return {way: getattr(self, way).multiplications for way in ("forward", "reverse", "best")}

    # --- entries -------------------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of the product, row by row; where there are more than 36, each with its 12 largest paths."""
        rows, columns = len(self.labels[0]), len(self.labels[-1])
        most = _PATHS if rows * columns <= _ENTRIES else _TOLD
        return tuple(self._entry(i, j, most) for i in range(rows) for j in range(columns))

    def entry(self, i: int | str, j: int | str) -> Entry:
        """Return one entry of the product with its paths.

        Parameters
        ----------
        i, j : int or str
            Row and column, by place or by name.
        """
        return self._entry(_place(i, self.labels[0], "output"), _place(j, self.labels[-1], "input"), _PATHS)

    def paths(self, i: int | str, j: int | str) -> tuple[Path, ...]:
        """Return the paths from input j to output i, whose values add up to the entry; at most the 1000 largest."""
        return self.entry(i, j).paths

    def _entry(self, i: int, j: int, most: int) -> Entry:
        count = math.prod(map(len, self.labels[1:-1]))
        paths = [self._path(nodes, i, j) for nodes in largest(self.factors, i, j, most)]
        return Entry(self.labels[0][i], self.labels[-1][j], self.product[i, j].item(), tuple(paths), count)

    def _path(self, nodes: Sequence[int], i: int, j: int) -> Path:
        places = [i, *nodes, j]
        factors = tuple(A[p, q].item() for A, p, q in zip(self.factors, places, places[1:], strict=False))
        through = tuple(labels[p] for labels, p in zip(self.labels[1:-1], nodes, strict=True))
        return Path(through[::-1], factors, 0.0 if 0 in factors else math.prod(factors))

    # --- formats -------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, which JSON can have; of large matrices the ends."""
        from dualdiff.lecture.evaluation import numbers

        rows, columns = len(self.labels[0]), len(self.labels[-1])
        few = _ENTRIES if rows * columns <= _ENTRIES else _FEW  # paths through large matrices take their time
        told = [(i, j) for i in range(rows) for j in range(columns)][:few]
        ways = {way: getattr(self, way) for way in ("forward", "reverse", "best")}
        return {
            "schema": _SCHEMA,
            "functions": list(self.names),
            "stages": [
                {"names": list(s.names), "size": len(s.labels), "labels": _ends(s.labels), "values": numbers(s.values)}
                for s in self._stages
            ],
            "factors": [
                {"function": name, "shape": list(A.shape), "values": numbers(A), "formulas": _listed(formulas)}
                for name, A, formulas in zip(self.names, self.factors, self.formulas, strict=True)
            ],
            "product": numbers(self.product),
            "jacobian": numbers(self.jacobian),
            "difference": numbers(self.difference),
            "agrees": self.agrees,
            "finite": all(bool(np.isfinite(A).all()) for A in (*self.factors, self.product, self.jacobian)),
            "changing": list(self.changing),
            "entries": [_told(self._entry(i, j, _TOLD)) for i, j in told],
            "counts": self.counts,
            "bracketings": [
                {
                    "text": way.text,
                    "multiplications": way.multiplications,
                    "is": [name for name, own in ways.items() if own.text == way.text],
                }
                for way in self.bracketings
            ],
            "omitted": {
                "entries": rows * columns - len(told),
                "bracketings": orders.how_many(len(self.factors)) - len(self.bracketings),
            },
        }

    def _written(self, width: int, ascii: bool) -> str:
        from dualdiff.lecture.chained.equation import to_text

        return to_text(self.to_dict(), width, ascii=ascii)

    def to_latex(self) -> str:
        """Return the equation in LaTeX, for which amsmath is enough."""
        from dualdiff.lecture.chained.matrices import to_latex

        return to_latex(self.to_dict())

    def _repr_html_(self) -> str:
        from dualdiff.lecture.chained.page import to_html

        return to_html(self.to_dict())

    def _repr_latex_(self) -> str:
        return f"$$\n{self.to_latex()}\n$$"


def _settled(matrix: Any) -> Any:
    """Return a matrix that nobody can write into."""
    matrix = np.array(matrix)
    matrix.flags.writeable = False
    return matrix


def _letters(link: Link, stage: Stage, kwargs: dict[str, Any]) -> Any:
    """Return the factor of a function in letters; None where it is too long for that."""
    if link.factor.size > _ENTRIES or not link.factor.size:
        return None
    return jacobian_in_letters(recorded(link.function, None, link.args, kwargs), stage.labels, link.factor)


def _compared(product: Any, direct: Any, factors: Sequence[Any]) -> tuple[float, bool]:
    """Return how far product and direct Jacobian are apart, and whether rounding explains it.

    A computed product of matrices is off by at most eps per operation of the product of their absolute values
    (Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., §3.5).
    """
    with np.errstate(all="ignore"):
        same = (product == direct) | ((product != product) & (direct != direct))
        apart = np.where(same, 0.0, np.abs(product - direct))
        size = functools.reduce(orders.strong, map(np.abs, factors))
    operations = len(factors) + sum(A.shape[1] for A in factors)
    eps = max(np.finfo(A.dtype).eps for A in (*factors, direct))
    return float(np.max(apart, initial=0.0)), bool(np.all(same | (apart <= _SAFETY * operations * eps * size)))


def _changing(links: Sequence[Link], kwargs: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the functions that return something else when they are called once more."""
    for link in links:
        value, factor = slopes(link.function, link.args, kwargs if link is links[-1] else {}, link.name)
        leaves, before = flatten(value)[0], flatten(link.returned)[0]
        same = len(leaves) == len(before) and all(map(_same, [factor, *leaves], [link.factor, *before]))
        if not same:
            yield link.name


def _same(x: Any, y: Any) -> bool:
    return np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True)


def _place(i: int | str, labels: Sequence[str], what: str) -> int:
    if isinstance(i, str):
        if i in labels:
            return labels.index(i)
        message = f"there is no {what} {i!r}: the {what}s are {', '.join(_ends(labels))}"
        raise KeyError(message)
    if not -len(labels) <= i < len(labels):
        message = f"{what} {i} is to be one of {len(labels)}: {', '.join(_ends(labels))}"
        raise IndexError(message)
    return i % len(labels)


def _ends(labels: Sequence[str]) -> list[str]:
    return list(labels) if len(labels) <= _ENTRIES else [*labels[:6], "…", *labels[-3:]]


def _listed(formulas: Any) -> Any:
    return None if formulas is None else [list(line) for line in formulas]


def _told(entry: Entry) -> dict[str, Any]:
    from dualdiff.lecture.evaluation import numbers

    paths = [
        {"through": list(p.through), "factors": [numbers(x) for x in p.factors], "value": numbers(p.value)}
        for p in entry.paths
    ]
    return {
        "output": entry.output, "input": entry.input, "value": numbers(entry.value), "count": entry.count,
        "paths": paths,
    }  # fmt: skip
