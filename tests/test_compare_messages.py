"""compare, asked what it cannot answer or told what it cannot use: every message, and the way out that it names."""

import re

import numpy as np
import pytest
from test_compare import QUICK, polar

import dualdiff as dd
from dualdiff.lecture.compared.comparing import compare


def test_no_function():
    """compare(f(x)) is told what was meant."""
    with pytest.raises(TypeError, match=r"takes a function; it got 1\.0\. Write compare\(f\)\(x\), not compare"):
        compare(1.0)


@pytest.mark.parametrize("setting", [{"repeat": 0}, {"seconds": -1}, {"sizes": (0, 1)}, {"sizes": ()}])
def test_settings_are_above_nothing(setting):
    """Readings, seconds and sizes are counted from one."""
    with pytest.raises(ValueError, match=rf"compare\(f, {next(iter(setting))}=\.\.\.\) takes what is above 0; it got "):
        compare(polar, **setting)


def test_nothing_to_compare():
    """Empty arrays have no passes; one that is not empty has."""
    with pytest.raises(ValueError, match=r"f was given 0 numbers and returned 0\. Give it an array that is not empty"):
        compare(lambda x: 2 * x, **QUICK)(np.zeros(0))
    assert 1 == compare(lambda x: 2 * x, **QUICK)(np.zeros(1)).inputs


def test_wrong_number_of_arguments():
    """F's own signature is quoted."""
    with pytest.raises(TypeError, match=r"compare\(\) was given 1 argument\(s\) for f, but f is polar\(r, t\): miss"):
        compare(polar, **QUICK)(2.0)


def test_inside_another_derivative():
    """What another derivative moves is refused."""
    with pytest.raises(TypeError, match="it got a Dual, whose derivative has not returned: compare outside of it"):
        dd.derivative(lambda x: compare(np.sin, **QUICK)(x).forward.seconds)(1.0)


@pytest.mark.parametrize(
    ("setting", "kind", "message"),
    [
        ({"repeat": "a"}, TypeError, "takes a whole number, such as 7; it got 'a'"),
        ({"repeat": 1.5}, TypeError, "takes a whole number, such as 7; it got 1.5"),
        ({"repeat": True}, TypeError, "takes a whole number, such as 7; it got True"),
        ({"seconds": "1"}, TypeError, "takes a number, such as 1.0; it got '1'"),
        ({"seconds": float("nan")}, ValueError, "takes a number, such as 1.0; it got nan"),
        ({"sizes": 3}, TypeError, "takes a list of whole numbers, such as [1, 10, 100]; it got 3"),
        ({"sizes": [1.5]}, TypeError, "takes a list of whole numbers, such as [1, 10, 100]; it got [1.5]"),
        ({"sizes": "12"}, TypeError, "takes a list of whole numbers, such as [1, 10, 100]; it got '12'"),
        ({"grow": 3}, TypeError, "takes a function, such as lambda n: np.ones(n); it got 3"),
    ],
)
def test_settings_of_another_kind(setting, kind, message):
    """What a setting takes is said with an example, before anything is measured."""
    with pytest.raises(kind, match=rf"^compare\(f, {next(iter(setting))}=\.\.\.\) {re.escape(message)}$"):
        compare(polar, **setting)


@pytest.mark.parametrize("sizes", [[4, 2], (2, 4, 2), np.array([4, 2])])
def test_sizes_rise(sizes):
    """Sizes are measured from the smallest on, each of them once."""
    shown = compare(lambda x: np.sum(x * x), **QUICK | {"sizes": sizes})(np.ones(3))

    assert (2, 4) == shown.crossover.sizes


def test_grow_has_to_return_arguments():
    """A grow that forgets its return, or that f does not go with, is found out; one that works measures."""
    function = lambda x: np.sum(x * x)

    with pytest.raises(TypeError, match=r"such as lambda n: np\.ones\(n\); grow\(1\) returned None$"):
        compare(function, **QUICK, grow=lambda n: None)(np.ones(3))
    with pytest.raises(TypeError, match=r"grow\(1\) returned None inside its result$"):
        compare(function, **QUICK, grow=lambda n: (np.ones(n), None))(np.ones(3))
    shown = compare(function, **QUICK, grow=lambda n: (1.0, np.ones(n)))(np.ones(3))
    with pytest.raises(
        ValueError, match=r"^f takes none of what grow returned: with grow\(1\) it raised TypeError: .+2 arg"
    ):
        _ = shown.crossover
    assert (1, 2, 4) == compare(function, **QUICK, grow=np.ones)(np.ones(3)).crossover.sizes
