"""The problems of Moré, Garbow and Hillstrom that come with any number of unknowns, after those with a fixed one."""

import runpy
from pathlib import Path

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebval

FIXED = runpy.run_path(str(Path(__file__).with_name("least_squares_problems.py")))
PROBLEMS, problem, upto = (FIXED[name] for name in ("PROBLEMS", "problem", "upto"))

# --- sums and powers ------------------------------------------------------------------------------------------------

WATSON_V = np.vander(upto(29) / 29, 6, increasing=True)
WATSON_D = np.insert(WATSON_V[:, :-1] * upto(5), 0, 0.0, axis=1)


def watson_by_hand(x):
    """With p the polynomial of these coefficients: its derivative's powers less 2 p times its own."""
    rows = WATSON_D - 2 * (WATSON_V @ x)[:, None] * WATSON_V
    return np.vstack([rows, np.eye(6)[0], np.eye(6)[1] - 2 * x[0] * np.eye(6)[0]])


@problem(np.zeros(6), watson_by_hand, 2.28767e-3)
def watson(x):
    """F = p'(t) − p(t)² − 1, x₁, x₂ − x₁² − 1, with Horner's rule for p and for p' at once."""
    t = upto(29) / 29
    p, slope = 0.0 * t, 0.0 * t
    for c in x[::-1]:
        p, slope = p * t + c, slope * t + p
    return np.r_[slope - p * p - 1, x[0], x[1] - x[0] ** 2 - 1]


def extended_rosenbrock_by_hand(x):
    """Rosenbrock's Jacobian, one block for each pair."""
    J = np.zeros((len(x), len(x)), x.dtype)
    for i in range(0, len(x), 2):
        J[i : i + 2, i : i + 2] = [[-20 * x[i], 10], [-1, 0]]
    return J


@problem([-1.2, 1] * 3, extended_rosenbrock_by_hand)
def extended_rosenbrock(x):
    """F = 10 (x₂ − x₁²), 1 − x₁ for each pair, into every other place of a buffer."""
    out = np.zeros_like(x)
    out[::2] = 10 * (x[1::2] - x[::2] ** 2)
    out[1::2] = 1 - x[::2]
    return out


def extended_powell_by_hand(x):
    """Powell's singular Jacobian, one block for every four."""
    J = np.zeros((len(x), len(x)), x.dtype)
    for i in range(0, len(x), 4):
        b, d = x[i + 1] - 2 * x[i + 2], x[i] - x[i + 3]
        J[i, i : i + 2] = 1, 10
        J[i + 1, i + 2 : i + 4] = 5**0.5, -(5**0.5)
        J[i + 2, i + 1 : i + 3] = 2 * b, -4 * b
        J[i + 3, [i, i + 3]] = 2 * 10**0.5 * d, -2 * 10**0.5 * d
    return J


@problem([3, -1, 0, 1] * 2, extended_powell_by_hand)
def extended_powell_singular(x):
    """F = x₁ + 10 x₂, √5 (x₃ − x₄), (x₂ − 2 x₃)², √10 (x₁ − x₄)² for every four, which are columns here."""
    a, b, c, d = np.reshape(x, (-1, 4)).T
    return np.transpose([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2]).reshape(-1)


@problem(upto(4), lambda x: np.vstack([1e-5**0.5 * np.eye(len(x)), 2 * x]), 2.24998e-5)
def penalty_1(x):
    """F = √a (x − 1), |x|² − ¼ with a = 10⁻⁵."""
    return np.concatenate([1e-5**0.5 * (x - 1), [x @ x - 0.25]])


def penalty_2_by_hand(x):
    """One linear row, two bands of √a e^(x / 10) / 10, and a gradient."""
    n, e = len(x), 1e-5**0.5 * np.exp(x / 10) / 10
    return np.vstack([
        np.eye(n)[0], np.eye(n)[1:] * e + np.eye(n)[:-1] * e, np.eye(n)[1:] * e, 2 * upto(n)[::-1] * x
    ])  # fmt: skip


@problem([0.5] * 4, penalty_2_by_hand, 9.37629e-6)
def penalty_2(x):
    """F = x₁ − 0.2, √a (e_i + e_(i−1) − y_i), √a (e_i − e^−0.1), Σ (n − j + 1) x_j² − 1 with e = e^(x / 10)."""
    n, root = len(x), 1e-5**0.5
    i = np.arange(2, n + 1)
    out = np.zeros(2 * n, like=x)
    out[0] = x[0] - 0.2
    out[1:n] = root * (np.exp(x[1:] / 10) + np.exp(x[:-1] / 10) - np.exp(i / 10) - np.exp((i - 1) / 10))
    out[n:-1] = root * (np.exp(x[1:] / 10) - np.exp(-0.1))
    out[-1] = np.inner(np.arange(n, 0, -1), x * x) - 1
    return out


def variably_dimensioned_by_hand(x):
    """One, j and 2 s j, with s = Σ j (x_j − 1)."""
    j = upto(len(x))
    return np.vstack([np.eye(len(x)), j, 2 * (j @ (x - 1)) * j])


@problem(1 - upto(5) / 5, variably_dimensioned_by_hand)
def variably_dimensioned(x):
    """F = x − 1, s, s² with s = Σ j (x_j − 1), added up in a loop."""
    s = 0
    for j, value in enumerate(x, start=1):
        s += j * (value - 1)
    return np.hstack((x - 1, s, s**2))


def trigonometric_by_hand(x):
    """Every row has sin x, and i sin x_i − cos x_i on the diagonal beside it."""
    return np.sin(x) + np.diag(upto(len(x)) * np.sin(x) - np.cos(x))


@problem([0.1] * 10, trigonometric_by_hand, 2.79506e-5, 0.0)
def trigonometric(x):
    """F = n − Σ cos x_j + i (1 − cos x_i) − sin x_i."""
    n, c = x.size, np.cos(x)
    return n - c.sum() + np.arange(1, n + 1) * (1 - c) - np.sin(x)


def brown_almost_linear_by_hand(x):
    """One everywhere, two on the diagonal; the product over each of its factors in the last row."""
    return np.vstack([(np.ones((len(x), len(x))) + np.eye(len(x)))[:-1], np.prod(x) / x])


@problem([0.5] * 7, brown_almost_linear_by_hand, 0.0, 1.0)
def brown_almost_linear(x):
    """F = x_i + Σ x_j − (n + 1), but at last Π x_j − 1."""
    y = x + sum(x) - (len(x) + 1)
    y[-1] = np.cumprod(x)[-1] - 1
    return y


# --- neighbours -----------------------------------------------------------------------------------------------------


def boundary_value_by_hand(x):
    """Minus the second difference, and 3 h² (x + t + 1)² / 2."""
    n, t = len(x), upto(len(x)) / (len(x) + 1)
    return 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1) + np.diag(1.5 * (x + t + 1) ** 2) / (n + 1) ** 2


@problem(upto(8) / 9 * (upto(8) / 9 - 1), boundary_value_by_hand)
def discrete_boundary_value(x):
    """F = 2 x_i − x_(i−1) − x_(i+1) + h² (x_i + t_i + 1)³ / 2, zero at both ends."""
    h = 1 / (len(x) + 1)
    t = h * upto(len(x))
    return h**2 * (x + t + 1) ** 3 / 2 - np.diff(x, n=2, prepend=0.0, append=0.0)


def integral_equation_by_hand(x):
    """Green's function min(t_i, t_j) (1 − max(t_i, t_j)) times 3 h (x_j + t_j + 1)² / 2."""
    n, t = len(x), upto(len(x)) / (len(x) + 1)
    green = np.minimum.outer(t, t) * (1 - np.maximum.outer(t, t))
    return np.eye(n) + green * 1.5 * (x + t + 1) ** 2 / (n + 1)


@problem(upto(8) / 9 * (upto(8) / 9 - 1), integral_equation_by_hand)
def discrete_integral_equation(x):
    """F = x_i + h ((1 − t_i) Σ_(j≤i) t_j c_j + t_i Σ_(j>i) (1 − t_j) c_j) / 2 with c = (x + t + 1)³."""
    h = 1 / (len(x) + 1)
    t = h * upto(len(x))
    cubes = (x + t + 1) ** 3
    below = np.cumsum(t * cubes)
    above = np.flip(np.cumsum(((1 - t) * cubes)[::-1])) - (1 - t) * cubes
    return x + h * ((1 - t) * below + t * above) / 2


@problem([-1] * 8, lambda x: np.diag(3 - 4 * x) - np.eye(len(x), k=-1) - 2 * np.eye(len(x), k=1))
def broyden_tridiagonal(x):
    """F = (3 − 2 x_i) x_i − x_(i−1) − 2 x_(i+1) + 1, the neighbours taken off in place."""
    y = (3 - 2 * x) * x + 1
    y[1:] -= x[:-1]
    y[:-1] -= 2 * x[1:]
    return y


def broyden_banded_by_hand(x):
    """2 + 15 x_i² on the diagonal, −(1 + 2 x_j) within the band beside it."""
    n = len(x)
    band = np.tri(n, k=1) - np.tri(n, k=-6) - np.eye(n)
    return np.diag(2 + 15 * x**2) - band * (1 + 2 * x)


@problem([-1] * 9, broyden_banded_by_hand)
def broyden_banded(x):
    """F = x_i (2 + 5 x_i²) + 1 − Σ x_j (1 + x_j) over five neighbours before and one after."""
    n, found = len(x), []
    for i in range(n):
        y = x[i] * (2 + 5 * x[i] ** 2) + 1
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                y = y - x[j] * (1 + x[j])
        found.append(y)
    return np.array(found)


# --- linear ---------------------------------------------------------------------------------------------------------


@problem([1] * 5, lambda x: np.eye(9, 5, dtype=x.dtype) - 2 / 9, 4.0)
def linear_of_full_rank(x):
    """F = x_i − 2 Σ x_j / m − 1, without the x_i beyond the n-th, m = 9."""
    y = np.zeros_like(x, shape=9)
    y[: len(x)] = x
    y -= 2 * x.mean() * len(x) / 9 + 1
    return y


@problem([1] * 5, lambda x: np.outer(upto(9), upto(len(x))).astype(x.dtype), 72 / 38)
def linear_of_rank_1(x):
    """F = i Σ j x_j − 1, i = 1 … 9."""
    return np.outer(upto(9), [np.vdot(upto(len(x)), x)])[:, 0] - 1


RANK_1 = np.outer([0, *upto(7), 0], [0, 2, 3, 4, 0])


@problem([1] * 5, lambda x: RANK_1.astype(x.dtype), 102 / 30)
def linear_of_rank_1_with_zeros(x):
    """F = (i − 1) Σ j x_j − 1, the sum without its ends, the first and last F just −1."""
    s = np.tensordot(np.arange(2.0, len(x)), x[1:-1], axes=1)
    return np.concatenate([[-1.0], s * upto(7) - 1, [-1.0]])


def chebyquad_by_hand(x):
    """The slopes of T_k are sums of T_j again: coefficients by chebder, their sum by Clenshaw's rule."""
    return 2 * chebval(2 * x - 1, chebder(np.eye(9))[:, 1:]) / len(x)


@problem(upto(8) / 9, chebyquad_by_hand, 3.51687e-3)
def chebyquad(x):
    """F = mean of T_k(2 x − 1) − ∫ T_k, which is −1 / (k² − 1) for even k and 0 for odd, k = 1 … 8."""
    before, now, means = np.ones_like(x), 2 * x - 1, []
    for k in range(1, 9):
        means.append(np.mean(now) + (1 / (k * k - 1) if k % 2 == 0 else 0))
        before, now = now, 2 * (2 * x - 1) * now - before
    return np.stack(means)
