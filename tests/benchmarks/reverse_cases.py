"""The cases of one number that depends on many: where the derivative is best taken from the end.

Each f is text for all libraries, as in cases.py. Its gradient by hand is what a careful person writes: the run
forward, with what the way back needs kept, and the way back.
"""

from __future__ import annotations

import math

import numpy as np
from case import Case

__all__ = ["CASES"]

RANDOM = np.random.default_rng(11)


def _normal(*shapes):
    return tuple(RANDOM.normal(size=shape) for shape in shapes)


# --- whole arrays ----------------------------------------------------------------------------------------------


def rosenbrock(m):
    def f(x):
        return m.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    return f


def rosenbrock_gradient_by_hand(x):
    a = x[:-1]
    gap, rest = x[1:] - a * a, 1.0 - a
    slope = np.zeros_like(x)
    slope[:-1] = -400.0 * a * gap - 2.0 * rest
    slope[1:] += 200.0 * gap
    return np.sum(100.0 * gap * gap + rest * rest), slope


def rosenbrock_hvp_by_hand(x, v):
    a, u = x[:-1], v[:-1]
    gap, rest = x[1:] - a * a, 1.0 - a
    turned = v[1:] - 2.0 * a * u  # how the gap moves along v
    product = np.zeros_like(x)
    product[:-1] = 2.0 * u - 400.0 * (u * gap + a * turned)
    product[1:] += 200.0 * turned
    return np.sum(100.0 * gap * gap + rest * rest), product


def logsumexp(m):
    def f(x):
        return m.log(m.sum(m.exp(x - m.max(x)))) + m.max(x)

    return f


def logsumexp_by_hand(x):
    top = np.max(x)
    e = np.exp(x - top)
    total = np.sum(e)
    return np.log(total) + top, e / total


TALL, RIGHT_SIDE = _normal((1000, 100), 1000)


def least_squares(m):
    A, b = m.asarray(TALL), m.asarray(RIGHT_SIDE)

    def f(w):
        return m.sum((A @ w - b) ** 2)

    return f


def least_squares_by_hand(w):
    gap = TALL @ w - RIGHT_SIDE
    return np.sum(gap * gap), 2.0 * gap @ TALL


# --- a Gaussian mixture, as ADBench states it --------------------------------------------------------------------

PARTS, DIMENSIONS, POINTS = 8, 8, 1000
(SAMPLE,) = _normal((POINTS, DIMENSIONS))
BELOW = np.tril_indices(DIMENSIONS, -1)
PLACES = np.zeros((DIMENSIONS, DIMENSIONS), dtype=int)
"""Where each entry of the lower triangle stands in its list; 0 is an entry that is zero."""
PLACES[BELOW] = range(1, len(BELOW[0]) + 1)
MIXTURE = _normal(PARTS, (PARTS, DIMENSIONS), (PARTS, DIMENSIONS), (PARTS, len(BELOW[0])))


def mixture(m):
    sample = m.asarray(SAMPLE)

    def log_sum_exp(x):
        top = m.max(x, axis=0)
        return top + m.log(m.sum(m.exp(x - top), axis=0))

    def f(alphas, means, log_diagonals, lower):
        diagonals = m.exp(log_diagonals)
        triangles = m.concatenate([m.zeros((PARTS, 1)), lower], axis=1)[:, PLACES]
        centred = sample - means[:, None, :]
        scaled = diagonals[:, None, :] * centred + centred @ m.swapaxes(triangles, 1, 2)
        weights = alphas + m.sum(log_diagonals, axis=1)
        likelihood = m.sum(log_sum_exp(weights[:, None] - 0.5 * m.sum(scaled**2, axis=2)))
        prior = 0.5 * (m.sum(diagonals**2) + m.sum(lower**2)) - m.sum(log_diagonals)
        return likelihood - POINTS * log_sum_exp(alphas) + prior

    return f


def mixture_by_hand(alphas, means, log_diagonals, lower):
    diagonals = np.exp(log_diagonals)
    triangles = np.zeros((PARTS, DIMENSIONS, DIMENSIONS))
    triangles[:, *BELOW] = lower
    centred = SAMPLE - means[:, None, :]
    scaled = diagonals[:, None, :] * centred + centred @ triangles.transpose(0, 2, 1)
    terms = (alphas + log_diagonals.sum(axis=1))[:, None] - 0.5 * (scaled * scaled).sum(axis=2)
    top, top_alpha = terms.max(axis=0), alphas.max()
    shares, shares_alpha = np.exp(terms - top), np.exp(alphas - top_alpha)
    total, total_alpha = shares.sum(axis=0), shares_alpha.sum()
    shares /= total
    likelihood = np.sum(top + np.log(total)) - POINTS * (top_alpha + np.log(total_alpha))
    prior = 0.5 * (np.sum(diagonals * diagonals) + np.sum(lower * lower)) - np.sum(log_diagonals)

    each = shares.sum(axis=1)
    d_scaled = -shares[:, :, None] * scaled
    d_diagonals = (d_scaled * centred).sum(axis=1) + diagonals
    d_triangles = d_scaled.transpose(0, 2, 1) @ centred
    d_means = -(d_scaled.sum(axis=1) * diagonals + (d_scaled.sum(axis=1)[:, None, :] @ triangles)[:, 0])
    slope = (
        each - POINTS * shares_alpha / total_alpha,
        d_means,
        each[:, None] + d_diagonals * diagonals - 1.0,
        d_triangles[:, *BELOW] + lower,
    )
    return likelihood + prior, slope


# --- a recurrent network -----------------------------------------------------------------------------------------

STEPS, BATCH, WIDTH, HIDDEN = 3, 8, 16, 32
INPUTS, GOALS = _normal((STEPS, BATCH, WIDTH), (STEPS, BATCH, HIDDEN))
NETWORK = _normal((4 * HIDDEN, WIDTH + HIDDEN), 4 * HIDDEN, (BATCH, HIDDEN), (BATCH, HIDDEN))


def lstm(m):
    inputs, goals = m.asarray(INPUTS), m.asarray(GOALS)

    def sigmoid(z):
        return 1.0 / (1.0 + m.exp(-z))

    def f(W, b, state, memory):
        loss = 0.0
        for t in range(STEPS):
            z = m.concatenate([inputs[t], state], axis=1) @ W.T + b
            enter, forget = sigmoid(z[:, :HIDDEN]), sigmoid(z[:, HIDDEN : 2 * HIDDEN])
            leave, new = sigmoid(z[:, 2 * HIDDEN : 3 * HIDDEN]), m.tanh(z[:, 3 * HIDDEN :])
            memory = forget * memory + enter * new
            state = leave * m.tanh(memory)
            loss = loss + m.sum((state - goals[t]) ** 2)
        return loss

    return f


def lstm_by_hand(W, b, state, memory):
    loss, kept, k = 0.0, [], HIDDEN
    for x, goal in zip(INPUTS, GOALS, strict=True):
        before, last = np.concatenate([x, state], axis=1), memory
        z = before @ W.T + b
        gates, new = 1.0 / (1.0 + np.exp(-z[:, : 3 * k])), np.tanh(z[:, 3 * k :])
        memory = gates[:, k : 2 * k] * last + gates[:, :k] * new
        shown = np.tanh(memory)
        state = gates[:, 2 * k :] * shown
        gap = state - goal
        loss += np.sum(gap * gap)
        kept.append((before, last, gates, new, shown, gap))
    d_W, d_b, d_state, d_memory = np.zeros_like(W), np.zeros_like(b), 0.0, 0.0
    d_z = np.empty_like(z)
    for before, last, gates, new, shown, gap in reversed(kept):
        d_state = d_state + 2.0 * gap
        d_memory = d_memory + d_state * gates[:, 2 * k :] * (1.0 - shown * shown)
        d_z[:, :k], d_z[:, k : 2 * k], d_z[:, 2 * k : 3 * k] = d_memory * new, d_memory * last, d_state * shown
        d_z[:, : 3 * k] *= gates * (1.0 - gates)
        d_z[:, 3 * k :] = d_memory * gates[:, :k] * (1.0 - new * new)
        d_W += d_z.T @ before
        d_b += d_z.sum(axis=0)
        d_state, d_memory = d_z @ W[:, WIDTH:], d_memory * gates[:, k : 2 * k]
    return loss, (d_W, d_b, d_state, d_memory)


# --- a recursion -------------------------------------------------------------------------------------------------


def cofactor(m):
    def determinant(A):
        if len(A) == 1:
            return A[0, 0]
        total = 0.0
        for j in range(len(A)):
            minor = m.concatenate([A[1:, :j], A[1:, j + 1 :]], axis=1)
            total = total + (-1) ** j * A[0, j] * determinant(minor)
        return total

    return determinant


def cofactor_by_hand(A):
    value = np.linalg.det(A)
    return value, value * np.linalg.inv(A).T


# --- differential equations, by the classical method of Runge and Kutta ------------------------------------------

MOMENTS, STEP = 50, 0.05
PREY, CELLS = np.array([7.0, 3.0]), np.linspace(0.1, 0.9, 100)
"""What is to be reached in the end."""
STAGES = ((0.0, 1.0), (0.5 * STEP, 2.0), (0.5 * STEP, 2.0), (STEP, 1.0))
"""Of each stage: how far along the last slope it stands, and its weight in the step, in sixths."""
STAGES_BACK = ((0.0, 1.0), (STEP, 2.0), (0.5 * STEP, 2.0), (0.5 * STEP, 1.0))
"""Seen from the end: how far along this slope the next stage stands, and the weight."""


def one_step(slope, s):
    k1 = slope(s)
    k2 = slope(s + 0.5 * STEP * k1)
    k3 = slope(s + 0.5 * STEP * k2)
    k4 = slope(s + STEP * k3)
    return s + STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def _arrive(m, slope, start, compiled):
    if compiled:
        return m.fori_loop(0, MOMENTS, lambda _, s: one_step(slope, s), start)
    for _ in range(MOMENTS):
        start = one_step(slope, start)
    return start


def predators(m, compiled=False):
    goal = m.asarray(PREY)

    def f(start, rates):
        a, b, c, d = rates

        def slope(s):
            x, y = s[0], s[1]
            return m.stack([a * x - b * x * y, c * x * y - d * y])

        return m.sum((_arrive(m, slope, start, compiled) - goal) ** 2)

    return f


def predators_by_hand(start, rates):
    """Two species are numbers: arrays of two would take ten times as long."""
    a, b, c, d = rates.tolist()
    x, y = start.tolist()
    h, kept = STEP, []
    for _ in range(MOMENTS):
        stages = []
        dp = dq = dx = dy = 0.0
        for reach, share in STAGES:
            p, q = x + reach * dp, y + reach * dq
            stages.append((p, q))
            dp, dq = a * p - b * p * q, c * p * q - d * q
            dx, dy = dx + share * dp, dy + share * dq
        kept.append(stages)
        x, y = x + h / 6.0 * dx, y + h / 6.0 * dy
    goal_x, goal_y = PREY.tolist()
    gx, gy = 2.0 * (x - goal_x), 2.0 * (y - goal_y)
    ga = gb = gc = gd = 0.0
    for stages in reversed(kept):
        sum_x, sum_y, px, py = gx, gy, 0.0, 0.0
        for (p, q), (reach, share) in zip(reversed(stages), STAGES_BACK, strict=True):
            u, v = h / 6.0 * share * gx + reach * px, h / 6.0 * share * gy + reach * py
            ga, gb, gc, gd = ga + u * p, gb - u * p * q, gc + v * p * q, gd - v * q
            px, py = u * (a - b * q) + v * c * q, v * (c * p - d) - u * b * p
            sum_x, sum_y = sum_x + px, sum_y + py
        gx, gy = sum_x, sum_y
    value = (x - goal_x) ** 2 + (y - goal_y) ** 2
    return value, (np.array([gx, gy]), np.array([ga, gb, gc, gd]))


def reaction(m, compiled=False):
    goal = m.asarray(CELLS)

    def f(start, spread, growth):
        def slope(u):
            wide = m.concatenate([u[:1], u, u[-1:]])  # nothing flows out at the ends
            return spread * (wide[2:] - 2.0 * u + wide[:-2]) + growth * u * (1.0 - u)

        return m.sum((_arrive(m, slope, start, compiled) - goal) ** 2)

    return f


def reaction_by_hand(u, spread, growth):
    def curved(w):
        wide = np.concatenate([w[:1], w, w[-1:]])
        return wide[2:] - 2.0 * w + wide[:-2]

    h, kept = STEP, []
    for _ in range(MOMENTS):
        stages, k, total = [], 0.0, 0.0
        for reach, share in STAGES:
            w = u + reach * k
            bend, grown = curved(w), w * (1.0 - w)
            stages.append((w, bend, grown))
            k = spread * bend + growth * grown
            total = total + share * k
        kept.append(stages)
        u = u + h / 6.0 * total
    gap = u - CELLS
    g, d_spread, d_growth = 2.0 * gap, 0.0, 0.0
    for stages in reversed(kept):
        back, pulled = g, 0.0
        for (w, bend, grown), (reach, share) in zip(reversed(stages), STAGES_BACK, strict=True):
            v = h / 6.0 * share * g + reach * pulled
            d_spread, d_growth = d_spread + v @ bend, d_growth + v @ grown
            pulled = spread * curved(v) + growth * (1.0 - 2.0 * w) * v  # the bending matrix is symmetric
            back = back + pulled
        g = back
    return np.sum(gap * gap), (g, d_spread, d_growth)


# --- the programme -----------------------------------------------------------------------------------------------

LONG = _normal(10**4)
RATES = (np.array([10.0, 5.0]), np.array([1.1, 0.4, 0.1, 0.4]))
HEATED = (np.sin(np.linspace(0.0, math.pi, 100)) ** 2, 0.4, 0.7)

# fmt: off
CASES = [
    Case("rosen_grad1e4", "Rosenbrock, n = 1e4, gradient", "gradient", rosenbrock, rosenbrock_gradient_by_hand, LONG,
         targets={"asked": 2.5}),
    Case("rosen_hvp1e4", "Rosenbrock, n = 1e4, Hessian times a vector", "hvp", rosenbrock, rosenbrock_hvp_by_hand, LONG,
         _normal(10**4), targets={"asked": 7.0}),
    Case("logsumexp", "log-sum-exp, n = 1e4, gradient", "gradient", logsumexp, logsumexp_by_hand, LONG),
    Case("least_squares", "|Aw - b|², A of 1000 rows of 100, gradient", "gradient", least_squares,
         least_squares_by_hand, _normal(100)),
    Case("gmm", "Gaussian mixture, 1000 points, 8 parts in 8 dimensions, gradient", "gradient", mixture,
         mixture_by_hand, MIXTURE),
    Case("lstm_step", "three steps of an LSTM of 32, batch of 8, gradient by weights and state", "gradient", lstm,
         lstm_by_hand, (0.2 * NETWORK[0], *NETWORK[1:])),
    Case("cofactor", "determinant of 5 rows by cofactors, gradient", "gradient", cofactor, cofactor_by_hand,
         _normal((5, 5))),
    Case("ode_species", "two species, 50 steps, gradient by start and four rates", "gradient", predators,
         predators_by_hand, RATES, compiled=lambda m: predators(m, compiled=True)),
    Case("ode_cells", "reaction and diffusion in 100 cells, 50 steps, gradient by start and two rates", "gradient",
         reaction, reaction_by_hand, HEATED, compiled=lambda m: reaction(m, compiled=True)),
]
# fmt: on
