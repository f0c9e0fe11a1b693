"""Writes and reads that were once read backward wrongly: indices with ..., repeats in tuples, memory order, parts."""

import numpy as np
import pytest

import dualdiff as dd

X = np.arange(1.0, 5.0)
A = np.arange(6.0).reshape(2, 3) + 1
W = np.array([3.0, -1.0, 2.0, 5.0, 0.5, -2.0])


def ellipsis(x):
    """One element named by an index with an ellipsis, which is a view."""
    y = np.sin(x)
    y[1, ...] = x[0] * 2
    y[..., 2] += y[0, ...] * x[3]
    return np.sum(y * y)


def repeated_read(x):
    """Index arrays spelled as tuples and lists, with repeats."""
    return np.sum(x[(0, 0, 1),] ** 2) + np.sum(x[[2, 2, 2]] * x[(3, 3, 0),])


def repeated_write(x):
    """Of two writes to one element the last one counts."""
    y = np.cos(x)
    y[(0, 0),] = x[2:4] * x[:2]
    return np.sum(y**2)


def views_one_by_one(x):
    """Many live views, each written while the others stay."""
    y = np.zeros_like(x, shape=(len(x), 2))
    rows = [y[i] for i in range(len(x))]
    for row, xi in zip(rows, x, strict=True):
        row[0] = xi * 2
        y[:, 1] += xi * row[0]
    return np.sum(y * y)


def written_and_used(x):
    """A buffer written, used whole, and written again."""
    y = np.zeros_like(x)
    y[:] = x
    total = 0.0
    for k in range(3):
        total = total + np.sum(np.sin(y) * y)
        y[k] = y[k + 1] * x[0]
    return total


@pytest.mark.parametrize("f", [ellipsis, repeated_read, repeated_write, views_one_by_one, written_and_used])
def test_gradient_by_complex_step(f):
    """Im f(x + ih·e)/h, to the last digits."""
    h = 1e-30
    expected = [f(X + 1j * h * e).imag / h for e in np.eye(len(X))]
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(dd.gradient(f, mode=mode)(X), expected, rtol=1e-14)
    jacobian = dd.jacobian(dd.gradient(f, mode="reverse"), chunk_size=None)(X)
    np.testing.assert_allclose(jacobian, dd.jacobian(dd.gradient(f, mode="forward"))(X), rtol=1e-12)


LAYOUTS = {
    "C": lambda a: a, "Fortran": np.asfortranarray, "transposed": lambda a: a.T, "reversed": lambda a: a[::-1].T,
    "every other": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_order_in_memory(order, layout):
    """Order "A" and "K" mean the value's own memory, however a tangent or a cotangent is laid out."""
    place = LAYOUTS[layout](np.arange(6).reshape(2, 3))  # which element of A goes where

    def f(a):
        return np.ravel(LAYOUTS[layout](a), order=order) * W

    expected = np.zeros((6, 2, 3))
    for i, k in enumerate(np.ravel(place, order=order)):
        expected[i, *np.unravel_index(k, (2, 3))] = W[i]
    for mode in ("forward", "reverse", "auto"):
        for chunk_size in (1, 4, None):
            assert np.array_equal(expected, dd.jacobian(f, mode=mode, chunk_size=chunk_size)(A))
    np.testing.assert_array_equal(dd.jvp(f, A, A)[1], dd.linearize(f, A)[1](A))


@pytest.mark.parametrize("part", ["real", "imag"])
def test_writes_into_parts_of_complex_numbers(part):
    """A write through .real or .imag overwrites that part alone, pushed forward and pulled back."""
    z, t = np.array([1 + 2j, 3 - 1j, 0.5j]), np.array([1 + 1j, 2 - 1j, 3j])

    def f(z):
        w = z * 2
        getattr(w, part)[1:] = np.real(z[:2]) * 3
        return w

    dw = 2 * t
    getattr(dw, part)[1:] = 3 * t[:2].real
    np.testing.assert_array_equal(dw, dd.jvp(f, (z,), (t,))[1])
    np.testing.assert_array_equal(dw, dd.linearize(f, z)[1](t))
    w = np.array([1 - 1j, 2 + 3j, -1 + 0.5j])
    (back,) = dd.vjp(f, z)[1](w)
    np.testing.assert_allclose(np.vdot(w, dw).real, np.vdot(back, t).real, rtol=1e-14)


def test_a_buffer_written_once_is_kept_once():
    """Using a written buffer again and again keeps one copy of it."""
    import tracemalloc

    def f(x):
        y = np.zeros_like(x)
        y[:] = x
        return sum(np.sum(np.sin(y)) for _ in range(100))

    tracemalloc.start()
    slope = dd.gradient(f)(np.ones(10_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(slope, 100 * np.cos(1.0), rtol=1e-13)
    assert peak < 20 * 80_000


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble, np.complex64])
def test_scalars_and_gathers_of_other_types(dtype):
    """Cotangents keep their precision and their imaginary part through numbers and repeated reads."""
    third = dtype(1) / dtype(3)
    (back,) = dd.vjp(lambda t: 2 * t, dtype(2))[1](third)
    assert back == 2 * third
    assert np.asarray(back).dtype == dtype
    x = np.array([1, 2, 3], dtype)
    (back,) = dd.vjp(lambda x: np.take(x, [0, 0, 1]) * third, x)[1](np.ones(3, dtype))
    assert np.array_equal(back, np.array([2 * np.conj(third), np.conj(third), 0]))
