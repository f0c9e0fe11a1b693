"""The chains that several files of tests look at."""

import functools

import numpy as np

from dualdiff.lecture.chained.chaining import chain


def f(x1, x2):
    """Return the outer function of the lecture's example."""
    return x1**2 + 2 * x2


def g(s, t):
    """Return the inner one, of two numbers."""
    return np.stack([s * t, s + t])


def classic():
    """Return the lecture's example."""
    return chain(f, g)(2.0, 3.0)


@functools.cache
def layered():
    """The network of the lecture: 1×5, 5×50, 50×200 and 200×1000."""
    rng = np.random.default_rng(0)
    W1, W2, W3 = (rng.normal(size=shape) / 30 for shape in ((200, 1000), (50, 200), (5, 50)))

    def f1(x):
        return np.tanh(W1 @ x)

    def f2(x):
        return np.tanh(W2 @ x)

    def f3(x):
        return W3 @ x

    def L(y):
        return np.sum(y**2)

    return chain(L, f3, f2, f1)(rng.normal(size=1000))
