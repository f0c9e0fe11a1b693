"""linearize and vjp: f run once, and its derivative there, forward or backward, as often as wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual
from dualdiff.errors import ManyOutputsError
from dualdiff.primal import ndim_of, plain, shape_of
from dualdiff.transforms.asking import Call, defined_at, question, require_point
from dualdiff.transforms.containers import is_leaf, matched, private
from dualdiff.transforms.results import zero

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dualdiff.reverse import Program
    from dualdiff.transforms.results import Run

__all__ = ["linearize", "vjp"]


def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return ``(f(x), pushforward)``: f runs once, and then any number of directions cost no further run.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them.
    *primals
        The arguments of f.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(y, pushforward, aux)``.

    Returns
    -------
    tuple
        The value, and the function ``pushforward(*tangents)`` which takes one tangent for each primal, of its structure
        and shape, and returns J·v, of the structure and shape of the value.

    Raises
    ------
    TypeError
        If f is no function, or returns something that is not made of numbers.
    ValueError
        From the pushforward, if tangents and primals differ in number, structure or shape.

    Notes
    -----
    Every operation on what moves is recorded, so the memory grows with the run. The record is f at this point: branches
    are those that f took there. Writing into the primals or the value later does not disturb it.

    References
    ----------
    Radul, Paszke, Frostig, Johnson & Maclaurin, *You only linearize once*, POPL 2023.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> y, pushforward = dd.linearize(lambda x: np.sin(x) * x[0], np.array([0.0, 2.0]))
    >>> pushforward(np.array([1.0, 0.0]))
    array([0.    , 0.9093])
    """

    def answer(call: Call) -> Any:
        run, program = _recorded(call)

        def pushforward(*tangents: Any) -> Any:
            """Return J·v."""
            _require_as_many("pushforward", tangents, call)
            moved = program.push(_fitting("tangent", "pushforward", tangents, call.args, call.leaves))
            return run.rebuild([zero(v) if t is None else _own(t) for v, t in zip(run.values, moved, strict=True)])

        return _with_aux((run.value, pushforward), run, has_aux)

    require_point("linearize", f, primals)
    return question("linearize", answer, f, None, has_aux)(*primals)


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return ``(f(x), pullback)``: f runs once, and the pullback takes cotangents of its result to those of x.

    ``pullback(v)`` is vᵀ·J, what PyTorch's ``y.backward(gradient=v)`` leaves in ``x.grad``: the gradient of the number
    v·f(x). A result of several numbers has no gradient of its own, and v says which mixture of them is meant.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them.
    *primals
        The arguments of f.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(y, pullback, aux)``.

    Returns
    -------
    tuple
        The value, and the function ``pullback(v)`` which takes a cotangent of the structure and shape of the value and
        returns a tuple, one cotangent for each primal. ``pullback()`` stands for ``pullback(1.0)`` where f returns one
        number. It may be called any number of times, from several threads.

    Raises
    ------
    TypeError
        If f is no function, or returns something that is not made of numbers.
    ValueError
        From the pullback, if v does not fit the value, or is missing where that is more than one number.

    Notes
    -----
    Every operation on what moves is recorded, so the memory grows with the run. Writing into the primals or the value
    later does not disturb the record. Complex numbers count as pairs of real ones: ⟨pullback(v), t⟩ = ⟨v, J·t⟩ in the
    real inner product, so that the gradient of abs(z)**2 is 2z, as in PyTorch.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, §3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> y, pullback = dd.vjp(lambda s, t: np.stack([s * t, s + t]), 2.0, 3.0)
    >>> pullback(np.array([1.0, 10.0]))
    (13.0, 12.0)
    """

    def answer(call: Call) -> Any:
        run, program = _recorded(call)

        def pullback(*cotangents: Any) -> Any:
            """Return vᵀ·J, one part for each primal."""
            if not cotangents:
                _require_number(call, run)
                if np.iscomplexobj(plain(run.values[0])):
                    message = (
                        "pullback() without a cotangent is of a real number, and f returned a complex one: "
                        "pullback(1.0) is the gradient of its real part, pullback(1j) that of its imaginary part"
                    )
                    raise TypeError(message)
                cotangents = (1.0,)
            if len(cotangents) > 1:
                message = (
                    f"pullback(v) takes one cotangent, built as f's result is; it got {len(cotangents)}: put them into "
                    "a tuple if f returns one"
                )
                raise TypeError(message)
            seeds = _fitting("cotangent", "pullback", cotangents, [run.value], run.values)
            return tuple(call.arranged(program.pull(seeds)))

        return _with_aux((run.value, pullback), run, has_aux)

    require_point("vjp", f, primals)
    return question("vjp", answer, f, None, has_aux)(*primals)


def _recorded(call: Call) -> tuple[Run, Program]:
    """Record f at a point, and keep what the record is made of from being written to by anybody."""
    call.leaves = [private(leaf) for leaf in call.leaves]
    run, program = call.record()
    return run._replace(values=[private(value) for value in run.values], aux=private(run.aux)), program


def _with_aux(answer: tuple[Any, ...], run: Run, has_aux: bool) -> tuple[Any, ...]:
    return (*answer, run.aux) if has_aux else answer


def _own(t: Any) -> Any:
    """Return a tangent as a number, or as an array that nobody else holds."""
    if ndim_of(t):
        return np.copy(t)
    t = t[()] if isinstance(t, np.ndarray) else t
    return float(t) if type(t) is np.float64 else t


def _require_as_many(name: str, given: Sequence[Any], call: Call) -> None:
    if len(given) != len(call.args):
        message = f"{name}() got {len(given)} tangent(s) for {len(call.args)} primal(s): give one for each"
        raise ValueError(message)


def _require_number(call: Call, run: Run) -> None:
    """Refuse a pullback without a cotangent where the result is more than one number."""
    if len(run.values) == 1 and ndim_of(run.values[0]) == 0 and run.rebuild([run]) is run:
        return
    shapes = run.rebuild([shape_of(v) for v in run.values])
    message = (
        "grad can be implicitly created only for scalar outputs, as PyTorch puts it: f returned shape "
        f"{shapes}, so say which mixture of its numbers is meant, pullback(v) with v of that shape, or take "
        f"jacobian(f) for the gradient of each{defined_at(call.f)}"
    )
    raise ManyOutputsError(message)


def _fitting(what: str, name: str, given: Sequence[Any], like: Sequence[Any], leaves: Sequence[Any]) -> list[Any]:
    """Return the leaves of tangents or cotangents, each a number or an array like its own leaf."""
    parts = []
    for i, (one, primal) in enumerate(zip(given, like, strict=True)):
        try:
            parts += [(i, part) for part in matched(one, primal)]
        except ValueError as error:
            text = str(error) if what == "tangent" else str(error).replace("its primal", "f's result")
            message = f"{what} {i} of {name}() does not fit: {text}"
            raise ValueError(message) from None
    seeds = []
    for leaf, (i, part) in zip(leaves, parts, strict=True):
        if not is_leaf(part):
            message = f"{what} {i} of {name}() is made of numbers; it has {part!r}"
            raise TypeError(message)
        if shape_of(part) != shape_of(leaf):
            message = f"{what} {i} of {name}() has shape {shape_of(part)}; it needs {shape_of(leaf)}"
            raise ValueError(message)
        if isinstance(part, Dual):
            seeds.append(private(part))
        else:
            numbers: Any = np.asarray(part)
            own: Any = np.result_type(plain(leaf))
            wide = numbers.dtype.kind == "c" and own.kind != "c"  # a complex direction of a real value stays complex
            seed: Any = np.array(numbers, dtype=None if wide else own)[()]
            seeds.append(float(seed) if type(seed) is np.float64 else seed)
    return seeds
