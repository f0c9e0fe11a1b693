"""The first screen: the chain rule of the lecture, its trace, and the Jacobian of a surface."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import dualdiff as dd
from dualdiff.commands.formula import TRY
from dualdiff.commands.layout import number, room, table
from dualdiff.commands.subject import Formulas, under_names
from dualdiff.expression import parse
from dualdiff.lecture.drawn.text import to_text

__all__ = ["screen"]

_NARROWEST = 60  # columns of the trace; the rest of the page is laid out for 80


def screen(ascii: bool) -> str:
    """Show the chain rule on the lecture's example, its trace, and the Jacobian of a surface."""

    def f(x1: Any, x2: Any) -> Any:
        return x1**2 + 2 * x2

    t = 1.2
    x1, x2 = dd.sin(t), dd.cos(t)
    p1, p2 = dd.jacobian(f)(x1, x2)
    v1, v2 = dd.derivative(dd.sin)(t), dd.derivative(dd.cos)(t)
    whole = dd.derivative(lambda t: f(dd.sin(t), dd.cos(t)))(t)
    closed = 2 * math.sin(t) * (math.cos(t) - 1)
    trace = dd.trace(under_names(Formulas([parse("sin(t)**2 + 2*cos(t)")]), ["t"]))(t)
    steps = to_text(trace.to_dict(), room(_NARROWEST), ascii=ascii, brief=True)
    surface = Formulas([parse("s*cos(t), s*sin(t), s**2")])
    passes = 0

    def g(s: Any, t: Any) -> Any:
        nonlocal passes
        passes += 1
        return np.stack(surface(s=s, t=t))

    rows = "\n".join(table(["s·cos t", "s·sin t", "s²"], ["∂/∂s", "∂/∂t"], dd.jacobian(g)(2.0, 0.5)))
    return f"""\
Chain rule: f(x1, x2) = x1² + 2·x2 with x1 = sin t, x2 = cos t, at t = {t}

  value                   how f moves with it        how it moves with t
  x1 = sin t = {x1:.6f}   ∂f/∂x1 = 2·x1 = {p1:.6f}   dx1/dt =  cos t = {v1:9.6f}
  x2 = cos t = {x2:.6f}   ∂f/∂x2 = 2    = {p2:.6f}   dx2/dt = -sin t = {v2:9.6f}

  df/dt = ∂f/∂x1·dx1/dt + ∂f/∂x2·dx2/dt    one product per path from t to f
        = {p1:.6f}·{v1:.6f} + {p2:.6f}·({v2:.6f})
        = {p1 * v1:.6f} - {-p2 * v2:.6f}
        = {p1 * v1 + p2 * v2:.6f}

  by dualdiff, one pass               {whole:.16f}
  closed form, 2·sin t·(cos t - 1)    {closed:.16f}
  difference                          {number(whole - closed):>19}

Step by step, as it runs: tangents go down, adjoints go up
{steps}

Jacobian of the surface (s·cos t, s·sin t, s²) at s = 2, t = 0.5
{rows}

  2 inputs, {passes} passes: each pass carries one tangent and fills one column.

Try:
{TRY}"""
