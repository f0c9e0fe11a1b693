"""Who races without any other library: the derivative written by hand, the plain run, and dualdiff in every way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

import dualdiff as dd

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["Contestant", "contestants", "library", "own_code"]


@dataclass(frozen=True)
class Contestant:
    """Somebody who runs: what is called with which arguments, and how the answer is read off what comes back."""

    name: str
    call: Callable[..., Any]
    args: tuple[Any, ...]
    read: Callable[[Any], Any]
    answers: str = "derivative"  # or "value", for the run without a derivative


def library(name: str, *sources: Any, **more: Any) -> ModuleType:
    """Return a module with the names of others in it; from a module Python reads names fastest."""
    module = ModuleType(name)
    for source in sources:
        vars(module).update({k: v for k, v in vars(source).items() if not k.startswith("__")})
    vars(module).update(more)
    return module


MATH = library("plain", math, array=list)
NUMPY = library("numpy", np, solve=np.linalg.solve)
DUAL = library("dualdiff", np, dd.functions, array=list, solve=np.linalg.solve)


def own_code(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return f with code of its own: Python specialises code for the types it has met, here those of one contestant."""
    return FunctionType(f.__code__.replace(), f.__globals__, f.__name__, f.__defaults__, f.__closure__)


def _itself(answer):
    return answer


def _second(answer):
    return answer[1]


def _after_first(answer):
    return answer[1:]


def _tangent(answer):
    return dd.Dual.packed(answer).tangent


def contestants(case):
    """Return the plain run, the hand-written derivative, and dualdiff in each of the ways it may be asked."""
    f, point, along = case.f, case.point, case.direction
    scalar = all(type(x) is float for x in point)
    spelling = DUAL if scalar else NUMPY  # arrays in NumPy's functions, numbers in dualdiff's
    plain, by_dual = own_code(f(MATH if scalar else NUMPY)), own_code(f(spelling))
    found = [
        Contestant("hand", case.hand, (*point, *along), lambda answer: case.flat(answer[1])),
        Contestant("plain", plain, point, _itself, "value"),
    ]
    if case.question == "derivative":
        ready = (dd.Dual(point[0], 1.0),)
        found.append(Contestant("dual", by_dual, ready, _tangent))
        if case.by_numpy:
            found.append(Contestant("dual by np", own_code(f(NUMPY)), ready, _tangent))
        found.append(Contestant("asked", dd.derivative(own_code(f(DUAL))), point, _itself))
    elif case.question == "jvp":
        found.append(Contestant("dual", by_dual, tuple(map(dd.Dual, point, along)), _tangent))
        found.append(Contestant("asked", partial(dd.jvp, own_code(f(NUMPY))), (point, along), _second))
    elif case.question == "jacobian":
        found.append(Contestant("asked", dd.jacobian(by_dual), point, _itself))
        found.append(Contestant("one pass", dd.jacobian(own_code(f(spelling)), chunk_size=None), point, _itself))
    elif case.question == "gradient":
        back = dd.gradient(own_code(f(spelling)), argnums=case.argnums, mode="reverse")
        found.append(Contestant("asked", dd.gradient(by_dual, argnums=case.argnums), point, case.flat))
        found.append(Contestant("reverse", back, point, case.flat))
    elif case.question in ("hessian", "hvp"):
        found.append(Contestant("asked", getattr(dd, case.question)(by_dual), (*point, *along), _itself))
    else:
        found.append(Contestant("asked", dd.derivatives(by_dual, int(case.question)), point, _after_first))
    return found
