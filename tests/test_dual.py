"""A Dual by itself: how it is made, prints, compares and converts, and what becomes of it afterwards."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dualdiff as dd
from dualdiff.dual import extract, wrap
from dualdiff.tag import Tag


def test_made_of_numbers():
    """Ints, bools and fractions become floats, arrays and lists arrays; narrow floats stay narrow, on both sides."""
    assert (3.0, 1.0) == (dd.Dual(3, True).value, dd.Dual(3, True).tangent)
    assert [2.0, 2.0] == list(dd.Dual([1, 2], 2).tangent)
    narrow = dd.Dual(np.ones(2, np.float32), np.ones(2))
    assert (np.float32, np.float32) == (narrow.value.dtype, narrow.tangent.dtype)
    assert 2j == dd.Dual(1j, 2j).tangent
    assert (0.0, 0.0) == (dd.Dual(1.0).tangent, dd.Dual(np.array(1.0)).tangent)


@pytest.mark.parametrize("value", ["1", None, {1.0}, object(), [1.0, "a"], np.array(["a"])])
def test_not_made_of_anything_else(value):
    """What is no number is refused in words, as value and as tangent."""
    with pytest.raises(TypeError, match="needs a number or an array of numbers as its value"):
        dd.Dual(value)
    with pytest.raises(TypeError, match="needs a number or an array of numbers as its tangent"):
        dd.Dual(1.0, value)


def test_not_made_of_a_dual():
    """A Dual in a Dual by hand would confuse their tangents; derivatives() is the way out."""
    with pytest.raises(TypeError, match=r"derivatives\(f, 2\)"):
        dd.Dual(dd.Dual(1.0, 1.0), 1.0)
    assert dd.derivatives(lambda t: t**3, 2)(2.0) == (8.0, 12.0, 12.0)


def test_tangent_of_another_shape():
    """A tangent that does not fit is refused with both shapes."""
    with pytest.raises(ValueError, match=r"\(3,\) and the value \(2,\)"):
        dd.Dual([1.0, 2.0], [1.0, 2.0, 3.0])


def test_prints():
    """The repr says value and tangent and makes the Dual again; a format applies to both."""
    x = dd.Dual(2.0, -1.0)

    assert repr(x) == str(x) == f"{x}" == "Dual(2.0, -1.0)"
    assert f"{x:.2f}" == "Dual(2.00, -1.00)"
    assert eval(repr(x), {"Dual": dd.Dual}).tangent == -1.0  # noqa: S307 - the line above
    assert repr(dd.Dual([1.0], [2.0])) == "Dual(array([1.]), array([2.]))"


def test_is_a_number():
    """What a NumPy number has besides arithmetic, a scalar Dual has too."""
    x = dd.Dual(2.5, 1.0)

    assert ((), 0, 1, np.dtype(float)) == (x.shape, x.ndim, x.size, x.dtype)
    assert x.T is x.real is x.item() is x.copy() is x.tolist() is x
    assert (0.0, 1.0) == (x.imag, x.item(0).tangent)
    assert 1.0 == x.conj().tangent == x.sum().tangent == x.reshape(1)[0].tangent
    assert np.float32 == x.astype(np.float32).dtype
    with pytest.raises(dd.DroppedTangentError):
        x.astype(int)


def test_rounds_to_plain_numbers():
    """Whole numbers do not move, so rounding gives plain ones."""
    x = dd.Dual(2.5, 1.0)

    assert [2, 3, 2, 2, 2.5] == [math.floor(x), math.ceil(x), math.trunc(x), round(x), round(x, 1)]
    assert (2.0, 0.5, 1.0) == (x // 1, *((rest := divmod(x, 1)[1]).value, rest.tangent))
    assert bool(x) is True
    assert bool(dd.Dual(0.0, 1.0)) is False


def test_compares_by_value():
    """Every comparison is the one of the values, with numbers, arrays and Duals."""
    x, y = dd.Dual(2.0, 1.0), dd.Dual(3.0, -1.0)

    assert x < y <= 3 > x >= 2.0 == x != y
    assert [True, False] == list(dd.Dual([2.0, 3.0], 1.0) == x)
    assert x != "2.0"
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_what_outlives_its_derivative_is_a_constant():
    """It converts to plain numbers, and its tangent is 0."""
    kept = []
    dd.derivative(lambda t: kept.append(t) or t * t)(2.0)
    (x,) = kept

    assert (2.0, 2, 2 + 0j, 0.0) == (float(x), int(x), complex(x), x.tangent)
    assert "Dual(2.0, 0.0)" == repr(x)
    assert 3.0 == dd.derivative(lambda t: t * x + t)(5.0)


def test_through_a_newer_derivative_that_is_not_over():
    """A result that another living derivative has wrapped is differentiated inside it."""
    with Tag() as older, Tag() as newer:
        x = wrap(2.0, 1.0, older)
        y = wrap(x * x, 3.0 * x, newer)  # value x², and a tangent that moves with x
        value, tangent = extract(y, older)
        still, none = extract(wrap(1.0, 2.0, newer), older)

        assert (4.0, 6.0) == (value._value, value._tangent)
        assert (4.0, 3.0) == (tangent._value, tangent._tangent)
        assert (1.0, None) == (still._value, none)


@pytest.mark.parametrize("other", [np.ma.array([1.0, 2.0], mask=[True, False]), np.array([1.0, 2.0]).view(np.recarray)])
def test_arrays_that_mean_more_than_their_numbers(other):
    """Masks and the like would be lost, so they are refused, and np.asarray is the way out."""
    x = dd.Dual([1.0, 2.0], 1.0)

    with pytest.raises(TypeError, match=r"np\.asarray"):
        np.concatenate([x, other])
    assert_allclose((x * np.asarray(other)).tangent, np.asarray(other))


def test_memory_mapped_arrays_are_plain_ones(tmp_path):
    """A memory map is read as the array it is."""
    mapped = np.memmap(tmp_path / "numbers", float, "w+", shape=(2,))
    mapped[:] = [2.0, 3.0]

    assert [2.0, 3.0] == list(dd.gradient(lambda x: np.sum(x * mapped))(np.ones(2)))
    assert [4.0, 6.0] == list(dd.gradient(lambda x: np.sum(x**2))(mapped))
