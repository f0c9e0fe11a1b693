"""The 35 problems of Moré, Garbow and Hillstrom, ACM TOMS 7 (1981) 17-41, with Jacobians by hand.

Each is an ordinary program of NumPy, and no two are spelled alike: what they compute matters here as much as how.
The Jacobians are mathematics written out, and take complex numbers too, so that one imaginary step gives their slopes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

PROBLEMS = {}


class Problem(NamedTuple):
    """Residuals F, their Jacobian by hand, where a search starts, and the least sums of squares that are known."""

    residuals: Callable
    by_hand: Callable
    start: np.ndarray
    minima: tuple


def problem(start, by_hand, *minima):
    """Enter a function as the residuals of a problem; without a minimum given, they all vanish somewhere."""

    def entered(residuals):
        J = lambda x: np.array(by_hand(x))
        PROBLEMS[residuals.__name__] = Problem(residuals, J, np.array(start, dtype=float), minima or (0.0,))
        return residuals

    return entered


def columns(*found):
    """Return the matrix of these columns, numbers among them repeated."""
    return np.stack(np.broadcast_arrays(*found), axis=-1)


def upto(n):
    """Return 1, 2, …, n as floats."""
    return np.arange(1.0, n + 1)


# --- two unknowns ---------------------------------------------------------------------------------------------------


@problem([-1.2, 1.0], lambda x: [[-20 * x[0], 10.0], [-1.0, 0.0]])
def rosenbrock(x):
    """F = 10 (x₂ − x₁²), 1 − x₁."""
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@problem([0.5, -2], lambda x: [[1.0, (10 - 3 * x[1]) * x[1] - 2], [1.0, (3 * x[1] + 2) * x[1] - 14]], 48.98425, 0.0)
def freudenstein_roth(x):
    """F = x₁ + ((5 − x₂) x₂ − 2) x₂ − 13, x₁ + ((x₂ + 1) x₂ − 14) x₂ − 29."""
    a, b = x
    return np.stack([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])


@problem([0, 1], lambda x: [1e4 * x[::-1], -np.exp(-x)])
def powell_badly_scaled(x):
    """F = 10⁴ x₁ x₂ − 1, e^−x₁ + e^−x₂ − 1.0001."""
    return np.hstack([1e4 * np.prod(x) - 1, np.exp(-x).sum() - 1.0001])


@problem([1, 1], lambda x: [[1.0, 0.0], [0.0, 1.0], [x[1], x[0]]])
def brown_badly_scaled(x):
    """F = x₁ − 10⁶, x₂ − 2·10⁻⁶, x₁ x₂ − 2."""
    return np.append(x, x[0] * x[1]) - [1e6, 2e-6, 2.0]


@problem([1, 1], lambda x: columns(x[1] ** upto(3) - 1, upto(3) * x[0] * x[1] ** (upto(3) - 1)))
def beale(x):
    """F = y − x₁ (1 − x₂^i), i = 1, 2, 3."""
    return np.array([y - x[0] * (1 - x[1] ** i) for i, y in enumerate([1.5, 2.25, 2.625], start=1)])


@problem([0.3, 0.4], lambda x: -np.exp(np.outer(upto(10), x)) * upto(10)[:, None], 124.3622)
def jennrich_sampson(x):
    """F = 2 + 2i − (e^(i x₁) + e^(i x₂)), i = 1 … 10."""
    i = upto(10)
    return 2 + 2 * i - np.exp(np.outer(i, x)).sum(axis=1)


# --- three ----------------------------------------------------------------------------------------------------------


def helical_by_hand(x):
    """The angle moves by (−x₂, x₁) / r² and the radius by (x₁, x₂) / r."""
    a, b = x[0], x[1]
    r, turn = np.sqrt(a * a + b * b), -50 / np.pi / (a * a + b * b)
    return [[-b * turn, a * turn, 10.0], [10 * a / r, 10 * b / r, 0.0], [0.0, 0.0, 1.0]]


@problem([-1, 0, 0], helical_by_hand)
def helical_valley(x):
    """F = 10 (x₃ − 10 θ / 2π), 10 (r − 1), x₃ where r and θ are the polar coordinates of (x₁, x₂)."""
    angle, radius = np.arctan2(x[1], x[0]), np.hypot(x[0], x[1])
    return np.stack((10 * (x[2] - 10 * angle / (2 * np.pi)), 10 * (radius - 1), x[2]))


BARD_Y = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39])
BARD_V, BARD_W = 16 - upto(15), np.minimum(upto(15), 16 - upto(15))


def bard_by_hand(x):
    """The fraction i / d moves by −i (v, w) / d²."""
    q = upto(15) / (BARD_V * x[1] + BARD_W * x[2]) ** 2
    return columns(-1.0, q * BARD_V, q * BARD_W)


@problem([1, 1, 1], bard_by_hand, 8.21487e-3)
def bard(x):
    """F = y − x₁ − i / (v x₂ + w x₃), i = 1 … 15."""
    a, *rest = x
    return BARD_Y - (a + upto(15) / (np.column_stack([BARD_V, BARD_W]) @ np.array(rest)))


GAUSSIAN_T = (8 - upto(15)) / 2
GAUSSIAN_Y = np.array([0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989])[[*range(8), *range(6, -1, -1)]]


def gaussian_by_hand(x):
    """With d = t − x₃ and e the bell: e, −x₁ e d² / 2, x₁ x₂ e d."""
    d = GAUSSIAN_T - x[2]
    e = np.exp(-x[1] * d * d / 2)
    return columns(e, -x[0] * e * d * d / 2, x[0] * x[1] * e * d)


@problem([0.4, 1, 0], gaussian_by_hand, 1.12793e-8)
def gaussian(x):
    """F = x₁ exp(−x₂ (t − x₃)² / 2) − y."""
    return np.multiply(x[0], np.exp(np.negative(x[1] * np.square(GAUSSIAN_T - x[2])) / 2)) - GAUSSIAN_Y


MEYER_T = 45 + 5 * upto(16)
MEYER_Y = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]


def meyer_by_hand(x):
    """With s = t + x₃ and e = exp(x₂ / s): e, x₁ e / s, −x₁ x₂ e / s²."""
    s = MEYER_T + x[2]
    e = np.exp(x[1] / s)
    return columns(e, x[0] * e / s, -x[0] * x[1] * e / s**2)


@problem([0.02, 4000, 250], meyer_by_hand, 87.94586)
def meyer(x):
    """F = x₁ exp(x₂ / (t + x₃)) − y, one after the other into a buffer."""
    out = np.empty_like(x, shape=16)
    for i in range(16):
        out[i] = x[0] * np.exp(x[1] / (MEYER_T[i] + x[2])) - MEYER_Y[i]
    return out


GULF_T = upto(10) / 100
GULF_Y = 25 + (-50 * np.log(GULF_T)) ** (2 / 3)


def gulf_by_hand(x):
    """With d = y − x₂, p = |d|^x₃ and e = exp(−p / x₁): e p / x₁ times 1 / x₁, x₃ / d, −log |d|."""
    d = GULF_Y - x[1]
    p = np.sqrt(d * d) ** x[2]
    q = np.exp(-p / x[0]) * p / x[0]
    return columns(q / x[0], q * x[2] / d, -q * np.log(d * d) / 2)


@problem([5, 2.5, 0.15], gulf_by_hand)
def gulf(x):
    """F = exp(−|y − x₂|^x₃ / x₁) − t, the bars spelled out as where."""
    d = GULF_Y - x[1]
    return np.exp(-(np.where(d > 0, d, -d) ** x[2]) / x[0]) - GULF_T


BOX_T = upto(10) / 10
BOX_E = np.exp(-BOX_T) - np.exp(-10 * BOX_T)


@problem([0, 10, 20], lambda x: columns(-BOX_T * np.exp(-BOX_T * x[0]), BOX_T * np.exp(-BOX_T * x[1]), -BOX_E))
def box_3d(x):
    """F = e^(−t x₁) − e^(−t x₂) − x₃ (e^−t − e^(−10 t)), one matrix product with (1, −1, −x₃)."""
    E = np.exp(np.multiply.outer(-BOX_T, x[:2]))
    return np.concatenate([E, BOX_E[:, None]], axis=1) @ np.array([1.0, -1.0, -x[2]])


# --- four and more --------------------------------------------------------------------------------------------------

POWELL = np.diag([1, 5**0.5, 1, 10**0.25]) @ [[1, 10, 0, 0], [0, 0, 1, -1], [0, 1, -2, 0], [1, 0, 0, -1]]


def powell_by_hand(x):
    """Two rows are linear, two are squares of linear ones."""
    return np.concatenate([POWELL[:2], 2 * (POWELL[2:] @ x)[:, None] * POWELL[2:]])


@problem([3, -1, 0, 1], powell_by_hand)
def powell_singular(x):
    """F = x₁ + 10 x₂, √5 (x₃ − x₄), (x₂ − 2 x₃)², √10 (x₁ − x₄)², by a product with powers of it."""
    return (POWELL @ x) ** np.array([1, 1, 2, 2])


def wood_by_hand(x):
    """Two squares, the rest linear."""
    a, b, c = 90**0.5, 10**0.5, 0.1**0.5
    return [[-20 * x[0], 10, 0, 0], [-1, 0, 0, 0], [0, 0, -2 * a * x[2], a], [0, 0, -1, 0], [0, b, 0, b], [0, c, 0, -c]]


@problem([-3, -1, -3, -1], wood_by_hand)
def wood(x):
    """F = 10 (x₂ − x₁²), 1 − x₁, √90 (x₄ − x₃²), 1 − x₃, √10 (x₂ + x₄ − 2), (x₂ − x₄) / √10."""
    odd, even = x[::2], x[1::2]
    valleys = np.sqrt([100, 90]) * (even - odd**2)
    rest = [np.sqrt(10) * (np.sum(even) - 2), -np.diff(even)[0] / np.sqrt(10)]
    return np.concatenate([np.column_stack([valleys, 1 - odd]).ravel(), rest])


KOWALIK_Y = np.array([0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
KOWALIK_U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def kowalik_by_hand(x):
    """With N / D the fraction: −(N, x₁ u) / D by what stands above, x₁ N (u, 1) / D² by what stands below."""
    N, D = KOWALIK_U**2 + KOWALIK_U * x[1], KOWALIK_U**2 + KOWALIK_U * x[2] + x[3]
    return columns(-N / D, -x[0] * KOWALIK_U / D, x[0] * N * KOWALIK_U / D**2, x[0] * N / D**2)


@problem([0.25, 0.39, 0.415, 0.39], kowalik_by_hand, 3.07506e-4)
def kowalik_osborne(x):
    """F = y − x₁ (u² + u x₂) / (u² + u x₃ + x₄), by polynomials."""
    above, below = np.array([1.0, x[1], 0.0]), np.array([1.0, x[2], x[3]])
    return KOWALIK_Y - x[0] * np.polyval(above, KOWALIK_U) / np.polyval(below, KOWALIK_U)


BROWN_T = upto(20) / 5


def brown_dennis_by_hand(x):
    """2 a (1, t) and 2 b (1, sin t), a and b the two linear parts."""
    a, b = x[0] + BROWN_T * x[1] - np.exp(BROWN_T), x[2] + np.sin(BROWN_T) * x[3] - np.cos(BROWN_T)
    return columns(2 * a, 2 * a * BROWN_T, 2 * b, 2 * b * np.sin(BROWN_T))


@problem([25, 5, -5, -1], brown_dennis_by_hand, 85822.20)
def brown_dennis(x):
    """F = (x₁ + t x₂ − e^t)² + (x₃ + x₄ sin t − cos t)²."""
    tables = np.array([[np.ones(20), BROWN_T], [np.ones(20), np.sin(BROWN_T)]])
    parts = np.einsum("pij,pi->pj", tables, x.reshape(2, 2)) - [np.exp(BROWN_T), np.cos(BROWN_T)]
    return np.sum(parts**2, axis=0)


OSBORNE1_T = 10 * (upto(33) - 1)
# fmt: off
OSBORNE1_Y = np.array([
    844, 908, 932, 936, 925, 908, 881, 850, 818, 784, 751, 718, 685, 658, 628, 603, 580, 558, 538, 522, 506, 490, 478,
    467, 457, 448, 438, 431, 424, 420, 414, 411, 406,
]) / 1000
OSBORNE2_Y = np.array([
    1366, 1191, 1112, 1013, 991, 885, 831, 847, 786, 725, 746, 679, 608, 655, 616, 606, 602, 626, 651, 724, 649, 649,
    694, 644, 624, 661, 612, 558, 533, 495, 500, 423, 395, 375, 372, 391, 396, 405, 428, 429, 523, 562, 607, 653, 672,
    708, 633, 668, 645, 632, 591, 559, 597, 625, 739, 710, 729, 720, 636, 581, 428, 292, 162, 98, 54,
]) / 1000
# fmt: on


def osborne_1_by_hand(x):
    """−1, −e, −f, x₂ t e, x₃ t f with e and f the two decays."""
    e, f = np.exp(-OSBORNE1_T * x[3]), np.exp(-OSBORNE1_T * x[4])
    return columns(-1.0, -e, -f, x[1] * OSBORNE1_T * e, x[2] * OSBORNE1_T * f)


@problem([0.5, 1.5, -1, 0.01, 0.02], osborne_1_by_hand, 5.46489e-5)
def osborne_1(x):
    """F = y − (x₁ + x₂ e^(−t x₄) + x₃ e^(−t x₅)), subtracted term by term in place."""
    out = np.full_like(x, OSBORNE1_Y, shape=33)
    out -= x[0]
    for amplitude, rate in zip(x[1:3], x[3:], strict=True):
        out -= amplitude * np.exp(-OSBORNE1_T * rate)
    return out


def biggs_by_hand(x):
    """−t x₃ e, t x₄ f, e, −f, −t x₆ g, g with e, f, g the three decays."""
    t = BIGGS_T
    e, f, g = np.exp(-t * x[0]), np.exp(-t * x[1]), np.exp(-t * x[4])
    return columns(-t * x[2] * e, t * x[3] * f, e, -f, -t * x[5] * g, g)


BIGGS_T = upto(13) / 10


@problem([1, 2, 1, 1, 1, 1], biggs_by_hand, 5.65565e-3, 0.0)
def biggs_exp6(x):
    """F = x₃ e^(−t x₁) − x₄ e^(−t x₂) + x₆ e^(−t x₅) − y, its parts picked by position."""
    rates, amplitudes = x[[0, 1, 4]], x.take([2, 3, 5]) * (1, -1, 1)
    y = np.dot(np.exp(-BIGGS_T[:, np.newaxis] * [1, 10, 4]), [1, -5, 3])
    return np.dot(np.exp(-rates * BIGGS_T[:, np.newaxis]), amplitudes) - y


OSBORNE2_T = (upto(65) - 1) / 10


def osborne_2_by_hand(x):
    """−e, the bells' negatives; t x₁ e, amplitude · bell · d²; −2 · amplitude · bell · d · rate."""
    e, d = np.exp(-OSBORNE2_T * x[4]), OSBORNE2_T[:, None] - x[8:]
    bells = np.exp(-(d**2) * x[5:8])
    first = np.stack([e, -OSBORNE2_T * x[0] * e], axis=-1)
    rest = [bells, -x[1:4] * bells * d**2, 2 * x[1:4] * bells * d * x[5:8]]
    return -np.hstack([first[:, :1], rest[0], first[:, 1:], *rest[1:]])


@problem([1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], osborne_2_by_hand, 4.01377e-2)
def osborne_2(x):
    """F = y − x₁ e^(−t x₅) − Σ x_(1+k) exp(−(t − x_(8+k))² x_(5+k)), k = 1, 2, 3."""
    t = OSBORNE2_T
    amplitudes, rates, centres = np.split(np.delete(x, [0, 4]), 3)
    bells = np.exp(-((t - centres[:, None]) ** 2) * rates[:, None])
    return OSBORNE2_Y - (x[0] * np.exp(-t * x[4]) + amplitudes @ bells)
