"""What is raced: each case with its derivative written by hand, as a person would write it.

f is written once, as ``f(m)``: the same text in the functions of whichever library `m` names.
The hand-written side returns value and derivative, and is what every other answer is checked against.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import reverse_cases
from case import Case
from reverse_cases import rosenbrock, rosenbrock_gradient_by_hand

__all__ = ["CASES", "Case"]


# --- scalars ---------------------------------------------------------------------------------------------------


def chain_rule(m):
    def f(t):
        return m.sin(t) ** 2 + 2 * m.cos(t)

    return f


def chain_rule_by_hand(t):
    s, c = math.sin(t), math.cos(t)
    return s * s + 2 * c, 2 * s * c - 2 * s


def chain12(m):
    def f(t):
        return m.tanh(m.sqrt(t * m.exp(m.sin(t) - 0.5) + 1.5) / (m.log(t) + m.cos(t))) * t

    return f


def chain12_by_hand(t):
    s, c = math.sin(t), math.cos(t)
    e = math.exp(s - 0.5)
    r = math.sqrt(t * e + 1.5)
    dr = 0.5 * (e + t * e * c) / r
    q = math.log(t) + c
    z = r / q
    h = math.tanh(z)
    dz = (dr - z * (1 / t - s)) / q
    return h * t, (1 - h * h) * dz * t + h


COEFFICIENTS = [(-1.0) ** k * (1.0 + 0.01 * k) for k in range(51)]


def horner50(m):
    def f(t):
        y = COEFFICIENTS[0]
        for a in COEFFICIENTS[1:]:
            y = y * t + a
        return y

    return f


def horner50_by_hand(t):
    y, dy = COEFFICIENTS[0], 0.0
    for a in COEFFICIENTS[1:]:
        dy = dy * t + y
        y = y * t + a
    return y, dy


def loop1000(m):
    def f(r):
        x = 0.3
        for _ in range(1000):
            x = r * x * (1.0 - x) if x < 0.6 else 0.5 * r * x * (1.0 - x)
        return x

    return f


def loop1000_by_hand(r):
    x, dx = 0.3, 0.0
    for _ in range(1000):
        if x < 0.6:
            dx = x * (1.0 - x) + r * (1.0 - 2.0 * x) * dx
            x = r * x * (1.0 - x)
        else:
            dx = 0.5 * (x * (1.0 - x) + r * (1.0 - 2.0 * x) * dx)
            x = 0.5 * r * x * (1.0 - x)
    return x, dx


def loop1000_compiled(m):
    def f(r):
        return m.fori_loop(0, 1000, lambda _, x: m.where(x < 0.6, r, 0.5 * r) * x * (1.0 - x), 0.3)

    return f


def expsin(m):
    def f(t):
        return m.exp(m.sin(t))

    return f


def expsin2_by_hand(t):
    s, c = math.sin(t), math.cos(t)
    y = math.exp(s)
    return y, (y * c, y * (c * c - s))


def expsin3_by_hand(t):
    s, c = math.sin(t), math.cos(t)
    y = math.exp(s)
    return y, (y * c, y * (c * c - s), y * c * (c * c - 3 * s - 1))


# --- small vectors: the hand-written side returns lists, which costs it less than an array ---------------------


def torus(m):
    def f(s, t):
        r = 2.0 + 0.5 * m.cos(t)
        return m.array([r * m.cos(s), r * m.sin(s), 0.5 * m.sin(t)])

    return f


def torus_by_hand(s, t):
    cs, ss, ct, st = math.cos(s), math.sin(s), math.cos(t), math.sin(t)
    r, dr = 2.0 + 0.5 * ct, -0.5 * st
    return [r * cs, r * ss, 0.5 * st], [[-r * ss, dr * cs], [r * cs, dr * ss], [0.0, 0.5 * ct]]


def lorenz(m):
    def f(x, y, z):
        return m.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])

    return f


def lorenz_by_hand(x, y, z):
    b = 8.0 / 3.0
    return [10.0 * (y - x), x * (28.0 - z) - y, x * y - b * z], [[-10.0, 10.0, 0.0], [28.0 - z, -1.0, -x], [y, x, -b]]


LINKS = [0.4, 0.35, 0.25, 0.12, 0.08]


def arm6(m):
    def f(turn, *bends):
        angle = reach = height = 0.0
        for length, bend in zip(LINKS, bends, strict=True):
            angle = angle + bend
            reach = reach + length * m.cos(angle)
            height = height + length * m.sin(angle)
        return m.array([reach * m.cos(turn), reach * m.sin(turn), height])

    return f


def arm6_by_hand(turn, *bends):
    angle = reach = height = 0.0
    joints = []
    for length, bend in zip(LINKS, bends, strict=True):
        joints.append((reach, height))
        angle += bend
        reach += length * math.cos(angle)
        height += length * math.sin(angle)
    c, s = math.cos(turn), math.sin(turn)
    forward, up = [h - height for _, h in joints], [reach - r for r, _ in joints]
    value = [reach * c, reach * s, height]
    return value, [[-reach * s, *[d * c for d in forward]], [reach * c, *[d * s for d in forward]], [0.0, *up]]


def rosenbrock_listed(m):
    def f(x):
        return sum((100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)), start=0.0)

    return f


def rosenbrock_hessian_by_hand(x):
    a, n = x[:-1], len(x)
    diagonal = np.zeros(n)
    diagonal[:-1] = 1200.0 * a * a - 400.0 * x[1:] + 2.0
    diagonal[1:] += 200.0
    second = np.diag(diagonal)
    i = np.arange(n - 1)
    second[i, i + 1] = second[i + 1, i] = -400.0 * a
    return np.sum(100.0 * (x[1:] - a * a) ** 2 + (1.0 - a) ** 2), second


# --- arrays ----------------------------------------------------------------------------------------------------


def elementwise(m):
    def f(x):
        q = x * x  # shared, as it is by hand
        return m.exp(-q) * m.sin(3 * x) + m.log1p(q)

    return f


def elementwise_by_hand(x, v):
    q, u = x * x, 3 * x
    e, s = np.exp(-q), np.sin(u)
    return e * s + np.log1p(q), (e * (3 * np.cos(u) - 2 * x * s) + 2 * x / (1 + q)) * v


def layer(m):
    def f(X, W, b):
        return m.tanh(X @ W + b)

    return f


def layer_by_hand(X, W, b, dX, dW, db):
    y = np.tanh(X @ W + b)
    return y, (1 - y * y) * (dX @ W + X @ dW + db)


def solve(m):
    def f(A, b):
        return m.solve(A, b)

    return f


def solve_by_hand(A, b, dA, db):
    x = np.linalg.solve(A, b)
    return x, np.linalg.solve(A, db - dA @ x)


RANDOM = np.random.default_rng(7)
WEIGHTS = RANDOM.normal(size=(50, 50)) / 7


def dense50(m):
    weights = m.asarray(WEIGHTS)

    def f(x):
        return m.tanh(weights @ x)

    return f


def dense50_by_hand(x):
    y = np.tanh(WEIGHTS @ x)
    return y, (1 - y * y)[:, None] * WEIGHTS


# --- the programme ---------------------------------------------------------------------------------------------


def _normal(*shapes):
    return tuple(RANDOM.normal(size=shape) for shape in shapes)


ANGLES = (0.3, 0.5, -0.7, 0.4, 0.9, -0.2)
START = np.linspace(-1.2, 1.3, 10)
LAYER = ((64, 256), (256, 256), (256,))
SYSTEM = ((300, 300), (300,))

# fmt: off
CASES = [
    Case("chain_rule", "d/dt [sin²t + 2 cos t]", "derivative", chain_rule, chain_rule_by_hand, (1.2,),
         by_numpy=True),
    Case("chain12", "twelve operations on a number", "derivative", chain12, chain12_by_hand, (0.8,),
         by_numpy=True, targets={"dual": 7.5}),
    Case("horner50", "a polynomial of degree 50", "derivative", horner50, horner50_by_hand, (0.9,),
         targets={"dual": 11.0}),
    Case("loop1000", "a logistic map, 1000 steps, a branch in each", "derivative", loop1000, loop1000_by_hand, (2.8,),
         targets={"dual": 10.0}, compiled=loop1000_compiled),
    Case("expsin_2", "exp(sin t) and its derivatives up to the 2nd", "2", expsin, expsin2_by_hand, (1.2,)),
    Case("expsin_3", "exp(sin t) and its derivatives up to the 3rd", "3", expsin, expsin3_by_hand, (1.2,)),
    Case("torus", "surface R² → R³, Jacobian", "jacobian", torus, torus_by_hand, (0.7, 1.9)),
    Case("lorenz", "R³ → R³, Jacobian", "jacobian", lorenz, lorenz_by_hand, (1.0, 2.0, 20.0)),
    Case("arm6", "arm of six joints R⁶ → R³, Jacobian", "jacobian", arm6, arm6_by_hand, ANGLES),
    Case("rosen_grad10", "Rosenbrock, n = 10, gradient", "gradient", rosenbrock, rosenbrock_gradient_by_hand, (START,),
         listed=rosenbrock_listed),
    Case("rosen_hess10", "Rosenbrock, n = 10, Hessian", "hessian", rosenbrock, rosenbrock_hessian_by_hand, (START,),
         listed=rosenbrock_listed),
    *[Case(f"elem_1e{k}", f"exp(-x²) sin 3x + log1p x², n = 1e{k}, JVP", "jvp", elementwise, elementwise_by_hand,
           _normal(10**k), _normal(10**k), targets={"asked": 1.1} if k == 6 else {}) for k in (3, 5, 6)],
    Case("layer256", "tanh(XW + b), 64 rows of 256, JVP in all three", "jvp", layer, layer_by_hand, _normal(*LAYER),
         _normal(*LAYER)),
    Case("solve300", "A x = b, n = 300, JVP in both", "jvp", solve, solve_by_hand, _normal(*SYSTEM), _normal(*SYSTEM)),
    Case("dense50", "tanh(W x), n = 50, Jacobian", "jacobian", dense50, dense50_by_hand, _normal(50)),
    *reverse_cases.CASES,
]
# fmt: on
