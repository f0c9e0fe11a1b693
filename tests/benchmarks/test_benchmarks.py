"""dualdiff and the hand-written derivative, timed by pytest-benchmark.

Without timing (``--benchmark-disable``) this checks that all of them give the same answer.
"""

import cases
import contestants
import numpy as np
import pytest

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

    np.testing.assert_allclose(answer, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_value(case):
    """The hand-written value is that of f."""
    (plain,) = (c for c in contestants.contestants(case) if c.answers == "value")
    value, _ = case.hand(*case.point, *case.direction)

    np.testing.assert_allclose(plain.call(*plain.args), value, rtol=1e-9, atol=1e-9)


def test_loop_branches():
    """The loop takes both of its branches; otherwise it would be a race over half of it."""
    sides = set()
    x = 0.3
    for _ in range(1000):
        sides.add(x < 0.6)
        x = 2.8 * x * (1.0 - x) if x < 0.6 else 1.4 * x * (1.0 - x)

    assert {True, False} == sides
