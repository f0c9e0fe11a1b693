"""Rows and columns: what ``backward(gradient=v)`` computes, and why a vector output needs the v.

A function from n numbers to m has a matrix of derivatives with m rows and n columns, ``J[i, j] = ∂y_i/∂x_j``.
Neither mode computes it entry by entry::

    forward   dd.jvp    J·v     how all outputs move when the inputs move along v     v = e_j: column j
    reverse   dd.vjp    wᵀ·J    how w·y moves with every single input                 w = e_i: row i

A forward pass begins at the inputs and must be told in which direction they move.  A reverse pass begins at
the outputs and must be told how much each of them counts: ``w`` holds the weights, and what comes out is
the gradient of the one number ``w·y``.  Where y is one number, its weight can only be 1 and need not be said.
Where y is a vector nothing in the program says how its entries are to be added up, so ``backward()`` without
weights is an error; ``backward(gradient=v)`` computes ``vᵀ·J``, and ``v = (1, …, 1)`` gives the
derivative of the sum of all outputs.

The two products look at the same matrix from its two sides, and one identity ties them together.  With the
transpose ``Jᵀw``, which is ``wᵀJ`` written as a column::

    ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩

It holds for every v and w, so two random vectors test a pair of modes without ever forming J.

Run it: ``python examples/06_rows_and_columns.py``.
"""

import math

import numpy as np

import dualdiff as dd

PLACE = np.array([1.5, 0.6, 0.8])


def f(x):
    """Return where a point at distance r, with polar angle p and azimuth a, is seen from above: R³ → R²."""
    r, polar, azimuth = x
    shadow = r * np.sin(polar)
    return np.stack([shadow * np.cos(azimuth), shadow * np.sin(azimuth)])


def on_paper(x):
    """Return the matrix of f from a calculus book."""
    r, polar, azimuth = x
    sin, cos = math.sin(polar), math.cos(polar)
    return np.array(
        [
            [sin * math.cos(azimuth), r * cos * math.cos(azimuth), -r * sin * math.sin(azimuth)],
            [sin * math.sin(azimuth), r * cos * math.sin(azimuth), r * sin * math.cos(azimuth)],
        ]
    )


def long_sum(x):
    """Return the running sums of sin x: as many outputs as inputs, each output moved by all inputs before it."""
    return np.cumsum(np.sin(x))


def columns_first(x):
    """Return J from its columns: f runs once, and every direction is pushed through what that run recorded."""
    _, pushforward = dd.linearize(f, x)
    return np.stack([pushforward(direction) for direction in np.eye(3)], axis=1)


def rows_first(x):
    """Return J from its rows: f runs once, and every row of weights is pulled back through the same record."""
    _, pullback = dd.vjp(f, x)
    return np.stack([pullback(weights)[0] for weights in np.eye(2)])


def show_matrix(x):
    """Print J, its columns and its rows, and hold all against the matrix on paper."""
    by_columns, by_rows = columns_first(x), rows_first(x)
    with np.printoptions(precision=6, suppress=True, floatmode="fixed", sign=" "):
        print("y = (r sin p cos a, r sin p sin a), a point of space seen from above")
        print(f"at (r, p, a) = ({', '.join(map(str, x))})\n")
        for j, name in enumerate("rpa"):
            print(f"  column {j + 1}   J e_{j + 1} = dy/d{name}            {by_columns[:, j]}")
        for i in range(2):
            print(f"  row {i + 1}      e_{i + 1} J = dy_{i + 1}/d(r, p, a)  {by_rows[i]}")
    print()

    assert by_columns.shape == by_rows.shape == (2, 3)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(dd.jacobian(f, mode=mode)(x), on_paper(x), rtol=1e-14)
    np.testing.assert_allclose(by_columns, on_paper(x), rtol=1e-14)
    np.testing.assert_allclose(by_rows, on_paper(x), rtol=1e-14)


def show_identity(x):
    """Take one v and one w, and meet in the middle."""
    v, w = np.array([0.3, -1.0, 2.0]), np.array([1.0, -0.5])
    _, along = dd.jvp(f, x, v)
    y, pullback = dd.vjp(f, x)
    (back,) = pullback(w)
    weighted = dd.gradient(lambda x: w @ f(x))(x)
    with np.printoptions(precision=6, suppress=True, floatmode="fixed", sign=" "):
        print(f"  v = {v}   J v = {along}")
        print(f"  w = {w}              w J = {back}")
        print(f"  {'gradient of the number w.y':36}{weighted}")
    print(f"  <w, J v> = {w @ along:.15f}")
    print(f"  <w J, v> = {back @ v:.15f}\n")

    np.testing.assert_allclose(y, f(x), rtol=1e-15)
    np.testing.assert_allclose(back, w @ on_paper(x), rtol=1e-14)
    np.testing.assert_allclose(back, weighted, rtol=1e-14)
    assert math.isclose(w @ along, back @ v, rel_tol=1e-14)


def show_large(n):
    """Test the identity where J could not be stored: both products cost about as much as f itself."""
    rng = np.random.default_rng(6)
    x, v, w = rng.standard_normal((3, n))
    _, along = dd.jvp(long_sum, x, v)
    _, pullback = dd.vjp(long_sum, x)
    (back,) = pullback(w)
    print(f"y = cumsum(sin x) with {n:,} numbers: J has {float(n) ** 2:.0e} entries, and is not needed")
    print(f"  <w, J v> = {w @ along:.9f}")
    print(f"  <w J, v> = {back @ v:.9f}\n")

    np.testing.assert_allclose(along, np.cumsum(np.cos(x) * v), atol=1e-9)
    np.testing.assert_allclose(back, np.cos(x) * np.cumsum(w[::-1])[::-1], atol=1e-9)
    assert math.isclose(w @ along, back @ v, rel_tol=1e-9)


def show_backward_of_a_number():
    """Record y = 2·x·x, read the record backwards, and find dy/dx = 4·x beside x."""
    x = dd.Variable(np.arange(4.0))
    y = 2 * np.dot(x, x)
    y.backward()
    print(f"x = {x.value}, y = 2 x.x = {y.value}")
    print(f"  y.backward()             x.grad = {x.grad}   dy/dx = 4 x")
    np.testing.assert_array_equal(x.grad, 4 * np.arange(4.0))

    np.sum(x).backward()
    print(f"  np.sum(x).backward()     x.grad = {x.grad}   added to what was there")
    np.testing.assert_array_equal(x.grad, 4 * np.arange(4.0) + 1)

    x.zero_grad()
    np.sum(x).backward()
    print(f"  after x.zero_grad()      x.grad = {x.grad}\n")
    np.testing.assert_array_equal(x.grad, np.ones(4))


def show_backward_of_a_vector():
    """Record Q = 3·a³ - b², which is two numbers: backward needs to be told how much each of them counts."""
    at_a, at_b = np.array([2.0, 3.0]), np.array([6.0, 4.0])
    a, b = dd.Variable(at_a), dd.Variable(at_b)
    Q = 3 * a**3 - b**2
    print(f"a = {at_a}, b = {at_b}, Q = 3 a^3 - b^2 = {Q.value}")
    message = ""
    try:
        Q.backward()
    except RuntimeError as error:
        message = str(error)
    print(f"  Q.backward() is refused: {message.split('. ')[0]}")
    assert "grad can be implicitly created only for scalar outputs" in message

    Q.backward(gradient=np.ones(2))
    print(f"  Q.backward(gradient=[1, 1])   a.grad = {a.grad}   b.grad = {b.grad}")
    print(f"  on paper                      9 a^2  = {9 * at_a**2}   -2 b   = {-2 * at_b}")
    by_sum = dd.gradient(lambda a, b: np.sum(3 * a**3 - b**2), argnums=(0, 1))(at_a, at_b)
    print(f"  gradient of the sum of Q               {by_sum[0]}            {by_sum[1]}")

    np.testing.assert_allclose(a.grad, 9 * at_a**2, rtol=1e-15)
    np.testing.assert_allclose(b.grad, -2 * at_b, rtol=1e-15)
    np.testing.assert_allclose(by_sum, (a.grad, b.grad), rtol=1e-15)

    first, second = dd.Variable(at_a), dd.Variable(at_b)
    (3 * first**3 - second**2).backward(gradient=np.array([1.0, 0.0]))
    print(f"  gradient=[1, 0]: the first row only    {first.grad}            {second.grad + 0.0}")

    np.testing.assert_array_equal(first.grad, [36.0, 0.0])
    np.testing.assert_array_equal(second.grad, [-12.0, 0.0])


def main():
    """Take a matrix apart into columns and rows, then read records backwards."""
    show_matrix(PLACE)
    show_identity(PLACE)
    show_large(100_000)
    show_backward_of_a_number()
    show_backward_of_a_vector()


if __name__ == "__main__":
    main()
