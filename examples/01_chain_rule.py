"""The chain rule: by hand, by dual numbers, by one call, and as a product of matrices.

Take a function of functions of ``t``::

    f = x1² + 2·x2      with      x1 = sin t,   x2 = cos t

The chain rule multiplies the local partial derivatives along each path from ``t`` to ``f``,
and adds the paths::

    df/dt = ∂f/∂x1 · dx1/dt  +  ∂f/∂x2 · dx2/dt
          =  2·x1  ·  cos t   +     2   · (-sin t)
          =  2·sin t·(cos t - 1)

A dual number ``a + b·ε`` with ``ε² = 0`` does this book-keeping while the program runs.
It carries a value ``a`` and a tangent ``b``, and every function scales the tangent by its own slope::

    g(a + b·ε) = g(a) + g'(a)·b·ε

Start with ``t + 1·ε`` (the slope of ``t`` with respect to itself is 1) and run the program as it is:
what stands beside ``ε`` at the end is ``df/dt``.

With several inputs and outputs the same rule is a product of two matrices of partial derivatives::

    ∂f/∂(s, t) = ∂f/∂x · ∂x/∂(s, t)

Run it: ``python examples/01_chain_rule.py``.
"""

import math

import numpy as np

import dualdiff as dd


def f(t):
    """Return x1² + 2·x2 where x1 = sin t and x2 = cos t."""
    x1 = np.sin(t)
    x2 = np.cos(t)
    return x1**2 + 2 * x2


def slope(t):
    """Return df/dt as a calculus book leaves it: the oracle of this page, in Python floats."""
    return 2 * math.sin(t) * (math.cos(t) - 1)


def bend(t):
    """Return d²f/dt², from differentiating ``slope`` once more on paper."""
    return 2 * math.cos(2 * t) - 2 * math.cos(t)


def by_hand(t):
    """Return df/dt from the four local partial derivatives, one product for each path from t to f."""
    x1 = math.sin(t)
    df_dx1, dx1_dt = 2 * x1, math.cos(t)
    df_dx2, dx2_dt = 2.0, -math.sin(t)
    return df_dx1 * dx1_dt + df_dx2 * dx2_dt


def by_dual_numbers(t):
    """Run f on t + 1·ε one operation at a time; return every intermediate as (name, source, dual number)."""
    t = dd.Dual(t, 1.0)
    x1 = np.sin(t)
    x2 = np.cos(t)
    v1 = x1**2
    v2 = 2 * x2
    return [
        ("t", "t", t),
        ("x1", "sin(t)", x1),
        ("x2", "cos(t)", x2),
        ("v1", "x1**2", v1),
        ("v2", "2*x2", v2),
        ("f", "v1 + v2", v1 + v2),
    ]


def inner(s, t):
    """Return x(s, t) = (s·sin t, s·cos t); at s = 1 these are the x1 and x2 above."""
    return np.array([s * np.sin(t), s * np.cos(t)])


def outer(x):
    """Return f(x) = (x1² + 2·x2, x1·x2); the first entry is the f above."""
    return np.array([x[0] ** 2 + 2 * x[1], x[0] * x[1]])


def composed(s, t):
    """Return f(x(s, t))."""
    return outer(inner(s, t))


def composed_matrix(s, t):
    """Return ∂f/∂(s, t) from f = (s²·sin²t + 2·s·cos t, ½·s²·sin 2t), differentiated on paper."""
    sin, cos = math.sin(t), math.cos(t)
    return np.array(
        [
            [2 * s * sin**2 + 2 * cos, 2 * s**2 * sin * cos - 2 * s * sin],
            [s * math.sin(2 * t), s**2 * math.cos(2 * t)],
        ]
    )


def show_one_variable(t):
    """Differentiate f at t three ways, print them side by side, and hold them against the oracle."""
    print(f"f = x1**2 + 2*x2 with x1 = sin t, x2 = cos t, at t = {t}\n")
    print(f"  {'step':6}{'source':10}{'value':>12}{'tangent':>12}")
    steps = by_dual_numbers(t)
    for name, source, dual in steps:
        print(f"  {name:6}{source:10}{dual.value:12.6f}{dual.tangent:12.6f}")
    last = steps[-1][2]
    print()
    print(f"  by hand             df/dt = {by_hand(t):.15f}")
    print(f"  by dual numbers     df/dt = {last.tangent:.15f}")
    print(f"  by dd.derivative    df/dt = {dd.derivative(f)(t):.15f}")
    print(f"  2 sin t (cos t - 1)       = {slope(t):.15f}\n")

    assert math.isclose(last.value, math.sin(t) ** 2 + 2 * math.cos(t), rel_tol=1e-15)
    for answer in (by_hand(t), last.tangent, dd.derivative(f)(t)):
        assert math.isclose(answer, slope(t), rel_tol=1e-14)


def show_many_points():
    """An array of points is differentiated point by point, and a derivative can be differentiated again."""
    points = np.linspace(-5.0, 5.0, 201)
    first = dd.derivative(f)(points)
    second = dd.derivative(dd.derivative(f))(points)
    first_error = np.max(np.abs(first - [slope(t) for t in points]))
    second_error = np.max(np.abs(second - [bend(t) for t in points]))
    print(f"at {points.size} points df/dt is off by at most {first_error:.1e}, d2f/dt2 by {second_error:.1e}")

    assert first.shape == second.shape == points.shape
    assert first_error < 1e-14
    assert second_error < 1e-14


def show_nesting():
    """Two derivatives at once must not mix their tangents: d/dx [x · d/dy (x + y)] is d/dx [x · 1] = 1."""
    answer = dd.derivative(lambda x: x * dd.derivative(lambda y: x + y)(2.0))(1.0)
    print(f"d/dx [x * d/dy (x + y)] = {answer} (a single, shared epsilon would give 2)\n")

    assert answer == 1.0


def show_matrices(s, t):
    """Multiply ∂f/∂x by ∂x/∂(s, t), and compare with the derivative of the composed function."""
    df_dx = dd.jacobian(outer)(inner(s, t))
    dx_dst = dd.jacobian(inner)(s, t)
    product = df_dx @ dx_dst
    direct = dd.jacobian(composed)(s, t)

    print(f"x = (s sin t, s cos t), f = (x1**2 + 2*x2, x1*x2), at s = {s}, t = {t}\n")
    print(f"  {'df/d(s,t)':24}  =  {'df/dx':24}  .  dx/d(s,t)")
    for row, equals, times in ((0, "=", "."), (1, " ", " ")):
        left, middle, right = (
            f"[ {matrix[row, 0]:9.6f}  {matrix[row, 1]:9.6f} ]" for matrix in (product, df_dx, dx_dst)
        )
        print(f"  {left:24}  {equals}  {middle:24}  {times}  {right}")
    print(f"  jacobian of the composed function: the same, up to {np.max(np.abs(product - direct)):.1e}")

    x1 = s * math.sin(t)
    x2 = s * math.cos(t)
    assert df_dx.shape == dx_dst.shape == direct.shape == (2, 2)
    np.testing.assert_allclose(df_dx, [[2 * x1, 2.0], [x2, x1]], rtol=1e-15)
    np.testing.assert_allclose(dx_dst, [[x1 / s, x2], [x2 / s, -x1]], rtol=1e-15)
    np.testing.assert_allclose(product, composed_matrix(s, t), rtol=1e-13)
    np.testing.assert_allclose(direct, composed_matrix(s, t), rtol=1e-13)
    at_one = dd.jacobian(composed)(1.0, t)  # s = 1: the f of the first part
    assert math.isclose(at_one[0, 1], slope(t), rel_tol=1e-13)


def main():
    """Tell the story from one variable to matrices."""
    show_one_variable(0.7)
    show_many_points()
    show_nesting()
    show_matrices(1.5, 0.7)


if __name__ == "__main__":
    main()
