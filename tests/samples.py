"""The sample calls that stand beside every rule: functions with a point and directions, and what they are held to."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dualdiff.rules.book import RULES, Composition, Move, Paragraph

__all__ = ["ENTRIES", "Sample", "close", "every_call", "exact_slope", "slope"]

SHAPES = {"s": (), "t": (), "x": (3,), "y": (3,), "A": (3, 3), "B": (3, 3), "M": (2, 3), "T": (2, 3, 2)}
ENTRIES = [entry for entry in RULES.values() if isinstance(entry, (Move, Paragraph, Composition))]


class Sample:
    """A sample call as a function of the variables in it, with a point and directions."""

    def __init__(self, text, seed=0):
        code = compile(text, text, "eval")
        self.names = [name for name in SHAPES if name in code.co_names]
        self.f = lambda *values: eval(code, {"np": np}, dict(zip(self.names, values, strict=True)))  # noqa: S307
        self.rng = np.random.default_rng([seed, *map(ord, text)])
        self.point = tuple(self.separated(SHAPES[name]) for name in self.names)

    def separated(self, shape):
        """Return numbers from 0.3 to 2.1 with room between them, in random order: no ties, no kinks nearby."""
        size = int(np.prod(shape, dtype=int))
        cells = self.rng.permutation(size) + self.rng.uniform(0.25, 0.75, size)
        return (0.3 + 1.8 * cells / size).reshape(shape)[()]

    def direction(self):
        """Return a random direction, one part for each variable."""
        return tuple(self.rng.uniform(-1, 1, np.shape(p))[()] for p in self.point)

    def along(self, v, start=None):
        """Return h ↦ point + h·v."""
        return lambda h: tuple(p + h * d for p, d in zip(start or self.point, v, strict=True))


def slope(g, kind=np.float64, h=2e-3):
    """Return g'(0) by central differences, extrapolated twice (Richardson), in numbers of a kind."""

    def central(k):
        step = kind(h) / 2**k
        return (np.asarray(g(step)) - np.asarray(g(-step))) / (2 * step)

    table = [central(k) for k in range(3)]
    for order in (4, 16):
        table = [(order * b - a) / (order - 1) for a, b in itertools.pairwise(table)]
    return table[0]


def exact_slope(g):
    """Return g'(0) in long double, or in double where NumPy has no other (linear algebra)."""
    try:
        return slope(g, np.longdouble)
    except TypeError:
        return slope(g)


def close(expected, actual, rtol=1e-8):
    """Compare shape and numbers."""
    assert np.shape(expected) == np.shape(actual)
    expected = np.asarray(expected)
    wide = complex if expected.dtype.kind == "c" else float
    assert_allclose(np.asarray(actual), expected.astype(wide), rtol=rtol, atol=rtol)


every_call = pytest.mark.parametrize("text", [call for entry in ENTRIES for call in entry.calls])
