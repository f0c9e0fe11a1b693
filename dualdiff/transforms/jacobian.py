"""jacobian and gradient: one input direction per pass, or several.

df/d(s, t): column j of the matrix is the tangent that f carries when input j moves by 1.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.primal import ndim_of, plain, shape_of, size_of
from dualdiff.tangent import Stacked
from dualdiff.transforms.asking import Argnums, Call, Run, defined_at, question, unstacked
from dualdiff.transforms.containers import matched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["gradient", "jacobian", "value_and_gradient", "value_and_jacobian"]

# Where it is free to choose, a transform runs so many directions in one pass that the tangents of one value of the size
# of the input have at most so many numbers; with at most so few inputs, one direction per pass, which suits scalar
# code.  (tests/benchmarks/race.py rosen_grad10 rosen_hess10 arm6)
_NUMBERS_PER_PASS = 100_000
_FEW_INPUTS = 4


def free_chunk(n: int, numbers: int) -> int:
    """Return how many of n directions to run in one pass, where a value's tangent in one of them has `numbers`."""
    return 1 if n <= _FEW_INPUTS else max(1, min(n, _NUMBERS_PER_PASS // numbers))


def _seeds(call: Call, start: int, stop: int) -> list[Any]:
    """Return the tangent of each leaf: direction j moves element j, counted over all leaves, by 1."""
    seeds: list[Any] = []
    offset = 0
    for leaf in call.leaves:
        shape, size = shape_of(leaf), size_of(leaf)
        kind = float if type(leaf) is float else np.result_type(plain(leaf))
        if stop - start > 1:
            block = np.eye(stop - start, size, start - offset, dtype=kind)
            seeds.append(Stacked(block.reshape(stop - start, *shape)))
        elif shape:
            seed = np.zeros(size, dtype=kind)
            if 0 <= start - offset < size and start < stop:
                seed[start - offset] = 1.0
            seeds.append(seed.reshape(shape))
        else:
            seeds.append(1.0 if start == offset and start < stop else 0.0)
        offset += size
    return seeds


def _chunks(n: int, chunk_size: int | None) -> Iterator[tuple[int, int]]:
    """Yield the directions of each pass: at most `chunk_size`, evened out."""
    passes = max(1, -(-n // (chunk_size or n or 1)))
    for i in range(passes):
        yield n * i // passes, n * (i + 1) // passes


def _columns(call: Call, chunk_size: int | None) -> tuple[Run, list[list[Any]]]:
    """Run f for every input direction; return the first run and the columns of each result."""
    first: Run | None = None
    columns: list[list[Any]] = []
    for start, stop in _chunks(call.size, chunk_size):
        run = call.run(_seeds(call, start, stop))
        if first is None:
            first, columns = run, [[] for _ in run.values]
        tangents = run.tangents if run is first else _as_first(call, run, first)
        for found, value, tangent in zip(columns, first.values, tangents, strict=True):
            found.extend(unstacked(tangent, shape_of(value), stop - start))
    assert first is not None  # noqa: S101 - there is always one pass, also over no inputs
    return first, columns


def _as_first(call: Call, run: Run, first: Run) -> list[Any]:
    """Return the tangents of a run in the order of the first, whose results it must resemble."""
    try:
        values = matched(run.value, first.value)
        if [shape_of(v) for v in values] == [shape_of(v) for v in first.values]:
            return matched(run.rebuild(run.tangents), first.value)
    except ValueError:
        pass
    shapes = [one.rebuild([shape_of(v) for v in one.values]) for one in (first, run)]
    message = (
        f"{call.name}() runs f once for each direction, and f returned results of one structure first and of another "
        f"later: {shapes[0]} and {shapes[1]}. Results must not depend on how often f has run{defined_at(call.f)}"
    )
    raise ValueError(message)


def _matrix(columns: Sequence[Any], value: Any) -> Any:
    """Return the columns side by side along a new last axis."""
    if not columns:
        return np.zeros((*shape_of(value), 0))
    if all(not hasattr(c, "tangent") for c in columns):
        return np.stack([np.asarray(c) for c in columns], axis=-1)
    return np.stack(columns, axis=-1)


def _blocks(call: Call, matrix: Any) -> Any:
    """Return the columns of one result arranged as the arguments are."""
    leaves, offset = [], 0
    for leaf in call.leaves:
        block = matrix[..., offset : offset + size_of(leaf)]
        leaves.append(_number(np.reshape(block, shape_of(block)[:-1] + shape_of(leaf))))
        offset += size_of(leaf)
    arguments, start = [], 0
    for rebuild, count in zip(call.rebuilds, call.counts, strict=True):
        arguments.append(rebuild(leaves[start : start + count]))
        start += count
    if isinstance(call.argnums, tuple):
        return tuple(arguments[i] for i in call.order)
    return arguments[0] if len(arguments) == 1 else matrix


def _number(x: Any) -> Any:
    """Return an array without axes as the number it holds."""
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return x.item() if x.dtype.char in "dD" else x[()]
    return x


def _require_side_by_side(call: Call) -> None:
    """Refuse several arguments whose columns do not make one matrix."""
    if call.argnums is not None or len(call.args) == 1:
        return
    if any(count != 1 for count in call.counts) or any(ndim_of(leaf) > 1 for leaf in call.leaves):
        message = (
            f"{call.name}() of several arguments puts their columns side by side, which needs numbers and 1-D arrays; "
            f"f got shapes {[shape_of(leaf) for leaf in call.leaves]}. "
            f"Use {call.name}(f, argnums={tuple(range(len(call.args)))}) for one block per argument."
        )
        raise ValueError(message)


def _jacobian(call: Call, chunk_size: int | None, value_too: bool) -> Any:
    _require_side_by_side(call)
    run, columns = _columns(call, chunk_size)
    if any(np.iscomplexobj(plain(leaf)) for leaf in call.leaves):
        for j in range(call.size):
            turned = call.run([1j * seed for seed in _seeds(call, j, j + 1)])
            call.require_holomorphic(turned, [found[j] for found in columns])
    blocks = [_blocks(call, _matrix(c, v)) for c, v in zip(columns, run.values, strict=True)]
    answer = run.rebuild(blocks)
    return (call.with_aux(run.value, run), answer) if value_too else call.with_aux(answer, run)


def _gradient(call: Call, value_too: bool) -> Any:
    _require_side_by_side(call)
    run, columns = _columns(call, free_chunk(call.size, call.size))
    call.require_scalar(run)
    if any(np.iscomplexobj(plain(leaf)) for leaf in call.leaves):
        message = f"{call.name}() is about real inputs; at a complex point use jvp(f, z, v) for one direction"
        raise TypeError(message)
    answer = _blocks(call, _matrix(columns[0], run.values[0]))
    return (call.with_aux(run.value, run), answer) if value_too else call.with_aux(answer, run)


def _checked_chunk(chunk_size: Any) -> int | None:
    if chunk_size is None or (hasattr(chunk_size, "__index__") and not isinstance(chunk_size, bool) and chunk_size > 0):
        return chunk_size
    message = f"chunk_size is how many input directions one pass carries, or None for all; it got {chunk_size!r}"
    raise ValueError(message)


def _checked_mode(name: str, mode: str, modes: tuple[str, ...]) -> None:
    if mode not in modes:
        message = f"{name}() knows mode={' and mode='.join(map(repr, modes))}; it got {mode!r}"
        raise ValueError(message)


def jacobian(
    f: Callable[..., Any], argnums: Argnums = None, *, mode: str = "forward", chunk_size: int | None = 1,
    has_aux: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """Return the function that gives the Jacobian of f: how every output moves with every input.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them, written in NumPy.
    argnums : int, str or tuple of them, optional
        Which arguments move, by position or name: one gives one block, a tuple a tuple of blocks. By default all that
        are given by position.
    mode : {"forward"}
        Columns, one for each input.
    chunk_size : int or None, default 1
        How many input directions one pass carries. With 1, f runs exactly once per input; None runs all at once.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(J, aux)``.

    Returns
    -------
    callable
        ``jacobian(f)(x)`` has shape ``f(x).shape + x.shape``, never squeezed; where x or f(x) is a container, so is the
        answer, f's outside. ``jacobian(f)(s, t)`` of numbers and 1-D arrays is the matrix df/d(s, t) of shape
        ``f(s, t).shape + (n,)``, their columns side by side. Entry ``[i, j]`` has the unit of output i over that of
        input j.

    Raises
    ------
    ValueError
        If several arguments do not fit side by side; at a complex point where f is not complex differentiable.
    TypeError
        If f is no function, or returns something that is not made of numbers.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, §3.1.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> polar = lambda s, t: np.stack([s * np.cos(t), s * np.sin(t)])
    >>> dd.jacobian(polar)(2.0, 0.5)
    array([[ 0.8776, -0.9589],
           [ 0.4794,  1.7552]])
    """
    _checked_mode("jacobian", mode, ("forward",))
    answer = partial(_jacobian, chunk_size=_checked_chunk(chunk_size), value_too=False)
    return question("jacobian", answer, f, argnums, has_aux)


def value_and_jacobian(
    f: Callable[..., Any], argnums: Argnums = None, *, mode: str = "forward", chunk_size: int | None = 1,
    has_aux: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """Return the function ``x -> (f(x), Jacobian)``, without an extra run of f.

    Parameters
    ----------
    f, argnums, mode, chunk_size, has_aux
        As for `jacobian`; with `has_aux` the answer is ``((y, aux), J)``.

    Returns
    -------
    callable
        Value as f returns it, and Jacobian as `jacobian` gives it.

    Raises
    ------
    ValueError, TypeError
        As `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> y, J = dd.value_and_jacobian(lambda x: x**2)(np.array([1.0, 3.0]))
    >>> J
    array([[2., 0.],
           [0., 6.]])
    """
    _checked_mode("value_and_jacobian", mode, ("forward",))
    answer = partial(_jacobian, chunk_size=_checked_chunk(chunk_size), value_too=True)
    return question("value_and_jacobian", answer, f, argnums, has_aux)


def gradient(
    f: Callable[..., Any], argnums: Argnums = None, *, mode: str = "auto", has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the gradient of f, which returns one number.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them that returns one real number.
    argnums : int, str or tuple of them, optional
        Which arguments move; a tuple gives a tuple.
    mode : {"auto", "forward"}
        Both carry input directions forward, several in one pass where there are many.
    has_aux : bool, default False
        Whether f returns ``(y, aux)``; the answer is then ``(gradient, aux)``.

    Returns
    -------
    callable
        ``gradient(f)(x)`` has the structure and shape of x; ``gradient(f)(s, t)`` of several numbers is one 1-D array.
        Each entry has the unit of f over that of the input.

    Raises
    ------
    ValueError
        If f returns anything but one number; the message has its shape.
    TypeError
        If that number is complex, or an input is.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.gradient(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    _checked_mode("gradient", mode, ("auto", "forward"))
    return question("gradient", partial(_gradient, value_too=False), f, argnums, has_aux)


def value_and_gradient(
    f: Callable[..., Any], argnums: Argnums = None, *, mode: str = "auto", has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function ``x -> (f(x), gradient)``, as ``scipy.optimize.minimize(jac=True)`` takes it.

    Parameters
    ----------
    f, argnums, mode, has_aux
        As for `gradient`; with `has_aux` the answer is ``((y, aux), gradient)``.

    Returns
    -------
    callable
        The number f returns, and its gradient.

    Raises
    ------
    ValueError, TypeError
        As `gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.value_and_gradient(lambda x: np.prod(x))(np.array([2.0, 3.0]))
    (6.0, array([3., 2.]))
    """
    _checked_mode("value_and_gradient", mode, ("auto", "forward"))
    return question("value_and_gradient", partial(_gradient, value_too=True), f, argnums, has_aux)
