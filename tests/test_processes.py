"""A Dual that crosses into another process and back is still a perturbation of the same derivative."""

import copy
import math
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context

import numpy as np
import pytest

import dualdiff as dd
from dualdiff.tag import Tag

# Forking beside threads that other tests have left is warned of, by Python and by jax.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def scaled(x):
    """Return 5·x, of a Dual that was pickled."""
    return 5.0 * x


def product_with_slope(c):
    """Return d/dy (y²·c) at y = c, which is 2·c²: a derivative inside the other process."""
    return dd.derivative(lambda y: y * y * c)(c)


@pytest.fixture(params=get_all_start_methods())
def pool(request):
    """Return one worker, started in every way there is here."""
    with ProcessPoolExecutor(1, mp_context=get_context(request.param)) as workers:
        workers.submit(math.sqrt, 2.0).result()  # started before any derivative of the test has begun
        yield workers


def test_there_and_back(pool):
    """What a worker does to a Dual is differentiated."""
    assert 5.0 == dd.derivative(lambda t: pool.submit(scaled, t).result())(2.0)
    assert [5.0, 5.0] == list(dd.derivative(lambda t: pool.submit(scaled, t).result())(np.array([1.0, 2.0])))


def test_derivative_inside_the_other_process(pool):
    """An inner derivative in the worker is newer than the outer one, however many have begun here."""
    for _ in range(50):
        Tag()

    assert 12.0 == dd.derivative(lambda t: pool.submit(product_with_slope, t).result())(3.0)  # of 2·t²


def test_pickled_and_kept():
    """A Dual pickled inside a derivative is a constant once that has returned, and moves while it has not."""
    kept = []

    def f(x):
        kept.append(pickle.dumps(x))
        return x * pickle.loads(kept[-1]) * copy.deepcopy(x)

    assert 12.0 == dd.derivative(f)(2.0)
    found = dd.derivative(lambda x: x * pickle.loads(kept[0]))(2.0)
    assert (float, 2.0) == (type(found), found)


def test_made_by_hand():
    """A Dual made by hand is the same in every process."""
    assert [1.0, 2.0] == list((3.0 + pickle.loads(pickle.dumps(dd.Dual(np.zeros(2), [1.0, 2.0])))).tangent)
