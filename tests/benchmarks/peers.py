"""The other libraries, where they are installed: how each is asked the questions of a case.

What a peer cannot answer is left out of the table, with its reason below it.
"""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import contestants
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from case import Case

__all__ = ["CannotAnswer", "Highest", "Peer", "installed", "version"]


@dataclass(frozen=True)
class Peer:
    """A library: its spelling of f, and a function that makes a contestant of a case."""

    name: str
    version: str
    enter: Callable[[Case], contestants.Contestant]


class CannotAnswer(Exception):  # noqa: N818 - not an error: a library without this question
    """Raised by a peer that has no way to answer a case."""


def _on_one_vector(f: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda q: f(*q)


def _autograd() -> list[Peer]:
    import autograd
    import autograd.numpy as anp
    from autograd.differential_operators import make_jvp

    spelling = contestants.library("autograd", anp, solve=anp.linalg.solve)

    def along(f: Callable[..., Any], point: tuple[Any, ...]) -> Callable[..., Any]:
        places = tuple(range(len(point)))

        def ask(x: Any, v: Any) -> Any:
            return make_jvp(lambda q: f(*q) if len(places) > 1 else f(q[0]))(x)(v)

        return ask

    def enter(case: Case) -> contestants.Contestant:
        f, args, read = contestants.own_code(case.f(spelling)), case.point, _itself
        match case.question:
            case "derivative":
                ask = autograd.deriv(f)
            case "jvp":
                ask, args, read = along(f, case.point), (case.point, case.direction), _second
            case "jacobian":
                vector = f if isinstance(args[0], np.ndarray) else _on_one_vector(f)
                ask, args = autograd.jacobian(vector), (np.array(args).reshape(-1),)
            case "gradient":
                ask, read = autograd.grad(f, case.argnums), case.flat
            case "hvp":
                ask, args = (lambda x, v: make_jvp(autograd.grad(f))(x)(v)[1]), (*case.point, *case.direction)
            case "hessian":
                ask = autograd.hessian(f)
            case order:
                ask, read = f, _as_highest
                for _ in range(int(order)):
                    ask = autograd.deriv(ask)
        return contestants.Contestant("autograd", ask, args, read)

    return [Peer("autograd", version("autograd"), enter)]


def _jax() -> list[Peer]:
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    spelling = contestants.library("jax", jnp, solve=jnp.linalg.solve, fori_loop=jax.lax.fori_loop)

    def question(case: Case, f: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
        match case.question:
            case "derivative":
                return lambda t: jax.jvp(f, (t,), (jnp.ones_like(t),)), _second
            case "jvp":
                n = len(case.point)
                return lambda *given: jax.jvp(f, given[:n], given[n:]), _second
            case "jacobian" if isinstance(case.point[0], float):
                return jax.jacfwd(f, argnums=tuple(range(len(case.point)))), _side_by_side
            case "jacobian":
                return jax.jacfwd(f), _itself
            case "gradient":
                return jax.grad(f, case.argnums), case.flat
            case "hvp":
                return lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1], _itself
            case "hessian":
                return jax.hessian(f), _itself
        ask = f
        for _ in range(int(case.question)):
            ask = jax.grad(ask)
        return ask, _as_highest

    def entered(name: str, jit: bool) -> Callable[[Case], contestants.Contestant]:
        def enter(case: Case) -> contestants.Contestant:
            f = (case.compiled if jit and case.compiled else case.f)(spelling)
            ask, read = question(case, contestants.own_code(f))
            ask = jax.jit(ask) if jit else ask
            args = tuple(jnp.asarray(x) for x in (*case.point, *case.direction))
            return contestants.Contestant(name, lambda *a: jax.block_until_ready(ask(*a)), args, read)

        return enter

    return [Peer(name, version("jax"), entered(name, jit)) for name, jit in (("jax", False), ("jax.jit", True))]


def _torch() -> list[Peer]:
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)

    def array(rows: Any) -> Any:
        return torch.stack(tuple(rows))

    spelling = contestants.library("torch", torch, array=array, solve=torch.linalg.solve)

    def enter(case: Case) -> contestants.Contestant:
        f = contestants.own_code(case.f(spelling))
        args, read = tuple(torch.asarray(x) for x in case.point), _itself
        match case.question:
            case "derivative" | "jvp":
                along = tuple(torch.asarray(v) for v in case.direction or (1.0,))
                ask, args, read = (lambda x, v: torch.func.jvp(f, x, v)), (args, along), _second
            case "jacobian":
                scalar = isinstance(case.point[0], float)
                ask = torch.func.jacfwd(f, argnums=tuple(range(len(args)))) if scalar else torch.func.jacfwd(f)
                read = _side_by_side if scalar else _itself
            case "gradient":
                ask, read = torch.func.grad(f, case.argnums), case.flat
            case "hvp":
                args = tuple(torch.asarray(x) for x in (*case.point, *case.direction))
                ask = lambda x, v: torch.func.jvp(torch.func.grad(f), (x,), (v,))[1]
            case "hessian":
                ask = torch.func.hessian(f)
            case order:
                ask, read = f, _as_highest
                for _ in range(int(order)):
                    ask = torch.func.grad(ask)
        return contestants.Contestant("torch", ask, args, read)

    return [Peer("torch", torch.__version__, enter)]


def _num_dual() -> list[Peer]:
    import num_dual

    def method(name: str) -> Callable[[Any], Any]:
        return eval(f"lambda x: x.{name}()")  # noqa: S307 - written out, it costs no more than the method

    names = ("sin", "cos", "exp", "log", "sqrt", "tanh")
    spelling = contestants.library("num-dual", array=list, **{name: method(name) for name in names})

    def enter(case: Case) -> contestants.Contestant:
        if case.listed is None and not isinstance(case.point[0], float):
            message = "num-dual has no arrays"
            raise CannotAnswer(message)
        f = contestants.own_code((case.listed or case.f)(spelling))
        scalars = case.point if isinstance(case.point[0], float) else case.point[0].tolist()
        match case.question:
            case "derivative":
                ask, args, read = num_dual.first_derivative, (f, *scalars), _second
            case "jacobian":
                ask, args, read = num_dual.jacobian, (_on_one_vector(f), list(scalars)), _second
            case "gradient" | "hessian":
                ask, args, read = getattr(num_dual, case.question), (f, scalars), _last
            case order:
                named = {"2": num_dual.second_derivative, "3": num_dual.third_derivative}
                ask, args, read = named[order], (f, *scalars), _after_first
        return contestants.Contestant("num-dual", ask, args, read)

    return [Peer("num-dual", version("num-dual"), enter)]


def version(name: str) -> str:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _itself(answer: Any) -> Any:
    return answer


def _second(answer: Any) -> Any:
    return answer[1]


def _last(answer: Any) -> Any:
    return answer[-1]


def _after_first(answer: Any) -> Any:
    return answer[1:]


def _side_by_side(columns: Any) -> Any:
    return np.stack([np.asarray(column) for column in columns], axis=-1)


class Highest(float):
    """The highest derivative alone, from who gives no more than that for its time."""


def _as_highest(answer: Any) -> Highest:
    return Highest(answer)


def installed() -> list[Peer]:
    """Return the peers that can be imported here."""
    found = []
    for make in (_autograd, _jax, _torch, _num_dual):
        try:
            found += make()
        except ImportError:
            continue
    return found
