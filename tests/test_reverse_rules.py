"""Every rule backward: from the sample calls beside it, whatever the rule says of reverse mode, which is nothing."""

import itertools

import numpy as np
import pytest
from samples import Sample, close, every_call

import dualdiff as dd


def inner(w, t):
    """Return ⟨w, t⟩ of numbers, arrays or tuples of them, the real inner product."""
    if isinstance(w, tuple):
        return sum(map(inner, w, t))
    return np.real(np.vdot(w, t))


def cotangent(sample, y):
    """Return a random cotangent of a result."""
    w = sample.rng.uniform(-1, 1, np.shape(y))
    return (w + 1j * sample.rng.uniform(-1, 1, np.shape(y)) if np.iscomplexobj(y) else w)[()]


def gradient_of(mixture, mode):
    """Return the gradient by every variable, in one mode, as one function of all of them."""

    def gradient(*p):
        return dd.gradient(mixture, argnums=tuple(range(len(p))), mode=mode)(*p)

    return gradient


@every_call
def test_pullback_is_the_transpose_of_the_pushforward(text):
    """⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩, with J·v from the rule itself and from the record pushed forward."""
    sample = Sample(text)
    v = sample.direction()
    y, dy = dd.jvp(sample.f, sample.point, v)
    value, pullback = dd.vjp(sample.f, *sample.point)
    again, pushforward = dd.linearize(sample.f, *sample.point)
    w = cotangent(sample, y)
    back = pullback(w)

    close(y, value, 1e-14)
    close(y, again, 1e-14)
    close(dy, pushforward(*v), 1e-12)
    for part, primal in zip(back, sample.point, strict=True):
        assert np.shape(part) == np.shape(primal)
        assert np.asarray(part).dtype == np.asarray(primal).dtype
    close(inner(w, dy), inner(back, v), 1e-11)


@every_call
def test_jacobian_by_rows_is_the_jacobian_by_columns(text):
    """Row by row, all rows at once, or in whichever direction is shorter: one matrix."""
    sample = Sample(text)
    argnums = tuple(range(len(sample.names)))
    expected = dd.jacobian(sample.f, argnums)(*sample.point)

    for mode, chunk_size in itertools.product(("reverse", "auto"), (1, None)):
        actual = dd.jacobian(sample.f, argnums, mode=mode, chunk_size=chunk_size)(*sample.point)
        for one, other in zip(expected, actual, strict=True):
            close(one, other, 1e-11)


@every_call
def test_each_operand_alone_backward(text):
    """Where one variable moves and the others are plain numbers, its part of the derivative is the same."""
    sample = Sample(text)

    for i in range(len(sample.names)):
        expected = dd.jacobian(sample.f, argnums=i)(*sample.point)
        close(expected, dd.jacobian(sample.f, argnums=i, mode="reverse")(*sample.point), 1e-11)


@pytest.mark.parametrize(("outer", "inside"), list(itertools.product(("forward", "reverse"), repeat=2)))
@every_call
def test_second_order_in_every_mix_of_modes(text, outer, inside):
    """H·u by forward over forward, forward over reverse, reverse over forward and reverse over reverse."""
    sample = Sample(text, seed=3)
    u = sample.direction()
    w = cotangent(sample, sample.f(*sample.point))
    names = len(sample.names)

    def mixture(*p):
        y = sample.f(*p)
        return np.sum(np.real(np.conjugate(w) * y)) if np.iscomplexobj(w) else np.sum(w * y)

    def along(*p):
        return dd.jvp(mixture, p, u)[1]

    expected = dd.jacobian(gradient_of(mixture, "forward"), argnums=tuple(range(names)))(*sample.point)
    expected = [
        sum(np.tensordot(block, np.asarray(part), np.ndim(part)) for block, part in zip(row, u, strict=True))
        for row in expected
    ]
    if (outer, inside) == ("reverse", "forward"):
        actual = gradient_of(along, "reverse")(*sample.point)
    elif outer == "reverse":
        actual = dd.vjp(gradient_of(mixture, inside), *sample.point)[1](u)
    else:
        actual = dd.jvp(gradient_of(mixture, inside), sample.point, u)[1]
    for one, other in zip(expected, actual, strict=True):
        close(one, other, 1e-9)


@every_call
def test_directions_together_over_a_record(text):
    """Many directions at once pass through a record's backward reading: Hessians of a chunk."""
    sample = Sample(text, seed=4)
    w = np.real(cotangent(sample, sample.f(*sample.point)))

    def first(p):
        return np.sum(w * np.real(sample.f(p, *sample.point[1:])))

    expected = dd.jacobian(dd.gradient(first, mode="forward"))(sample.point[0])
    close(expected, dd.jacobian(dd.gradient(first, mode="reverse"), chunk_size=None)(sample.point[0]), 1e-9)
    close(expected, dd.jacobian(dd.gradient(first, mode="forward"), mode="reverse")(sample.point[0]), 1e-9)
    again = dd.jacobian(dd.gradient(first, mode="reverse"), mode="reverse", chunk_size=None)(sample.point[0])
    close(expected, again, 1e-9)


@every_call
def test_records_keep_what_they_need(text):
    """Writing into point or value afterwards changes no cotangent."""
    sample = Sample(text)
    w = cotangent(sample, sample.f(*sample.point))
    expected = dd.vjp(sample.f, *sample.point)[1](w)
    given = [np.copy(p) if np.ndim(p) else p for p in sample.point]
    value, pullback = dd.vjp(sample.f, *given)
    for array in (*given, value):
        if isinstance(array, np.ndarray):
            array[...] = np.nan

    for one, other in zip(expected, pullback(w), strict=True):
        assert np.array_equal(one, other)


@every_call
def test_single_precision_backward(text):
    """float32 in, float32 cotangents out."""
    sample = Sample(text)
    point = tuple(np.float32(p) if np.ndim(p) == 0 else p.astype(np.float32) for p in sample.point)
    w = cotangent(sample, sample.f(*sample.point))
    y, pullback = dd.vjp(sample.f, *point)
    narrow = np.asarray(w).astype(np.asarray(y).dtype)[()]

    for one, other in zip(dd.vjp(sample.f, *sample.point)[1](w), pullback(narrow), strict=True):
        assert np.asarray(other).dtype == np.float32
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-3)
