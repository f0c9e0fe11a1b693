"""dualdiff and the hand-written derivative, timed by pytest-benchmark.

Without timing (``--benchmark-disable``) this checks that all of them give the same answer.
"""

import cases
import contestants
import crossover
import memory
import numpy as np
import pytest

import dualdiff as dd

ENTRIES = [
    pytest.param(case, contestant, id=f"{case.name}-{contestant.name.replace(' ', '_')}")
    for case in cases.CASES
    for contestant in contestants.contestants(case)
    if contestant.answers == "derivative"
]


@pytest.mark.parametrize(("case", "contestant"), ENTRIES)
def test_derivative(benchmark, case, contestant):
    """Every contestant gives the derivative that is written by hand."""
    benchmark.group = case.name
    answer = contestant.read(benchmark(contestant.call, *contestant.args))
    _, expected = case.hand(*case.point, *case.direction)

    np.testing.assert_allclose(answer, case.flat(expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_value(case):
    """The hand-written value is that of f."""
    (plain,) = (c for c in contestants.contestants(case) if c.answers == "value")
    value, _ = case.hand(*case.point, *case.direction)

    np.testing.assert_allclose(plain.call(*plain.args), value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", [c for c in cases.CASES if c.question == "gradient"], ids=lambda case: case.name)
def test_gradient_is_the_slope(case):
    """The hand-written gradient times any direction is what one forward pass gives."""
    v = tuple(np.random.default_rng(3).normal(size=np.shape(x)) for x in case.point)
    _, slope = dd.jvp(case.f(contestants.NUMPY), case.point, v)
    _, expected = case.hand(*case.point)
    blocks = expected if len(case.point) > 1 else (expected,)

    np.testing.assert_allclose(slope, sum(np.sum(g * along) for g, along in zip(blocks, v, strict=True)), rtol=1e-9)


def test_product_is_the_second_slope():
    """The hand-written Hessian times a vector, times another, is what one forward pass inside another gives."""
    (case,) = (c for c in cases.CASES if c.question == "hvp")
    u = np.random.default_rng(3).normal(size=case.point[0].shape)
    along_u = lambda x: dd.jvp(case.f(contestants.NUMPY), x, u)[1]
    _, second = dd.jvp(along_u, case.point, case.direction)
    _, expected = case.hand(*case.point, *case.direction)

    np.testing.assert_allclose(second, u @ expected, rtol=1e-9)


def test_loop_branches():
    """The loop takes both of its branches; otherwise it would be a race over half of it."""
    sides = set()
    x = 0.3
    for _ in range(1000):
        sides.add(x < 0.6)
        x = 2.8 * x * (1.0 - x) if x < 0.6 else 1.4 * x * (1.0 - x)

    assert {True, False} == sides


@pytest.mark.parametrize("name", crossover.PROGRAMS)
def test_crossover_compares_equals(name):
    """Both modes are timed on a program to which they give the same answer."""
    assert set(crossover.MODES) == set(crossover.measure(name, 3, rounds=1))


def test_crossing_is_lasting():
    """A mode that is faster once and slower later has not crossed."""
    ratios = {1: 2.0, 2: 0.5, 3: 2.0, 4: 0.9, 8: 0.5}
    found = {n: {"forward": 1.0, "reverse": ratio} for n, ratio in ratios.items()}

    assert crossover.crossing(found) == 4
    assert crossover.crossing({1: {"forward": 1.0, "reverse": 1.0}}) is None


def test_kept_values_are_counted():
    """Every array that a run makes counts, and what it is given does not."""
    x = np.ones(1000)

    assert memory.kept(lambda x: np.sum(np.sin(x) * x), x) == 8 * (1000 + 1000 + 1)
    assert 8000 <= memory.peak(np.sin, x) < 10_000
