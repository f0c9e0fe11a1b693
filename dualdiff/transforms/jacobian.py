"""jacobian: columns by forward mode, one input direction per pass or several; rows by reverse mode, from one run.

df/d(s, t): column j of the matrix is the tangent that f carries when input j moves by 1, and row i the cotangent that
the inputs get when output i has 1.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.dual import Dual, extract, wrap
from dualdiff.primal import ndim_of, plain, shape_of, size_of
from dualdiff.stacked import Stacked
from dualdiff.tag import Tag
from dualdiff.tangent import any_nan
from dualdiff.transforms.asking import Argnums, Call, defined_at, question
from dualdiff.transforms.containers import matched
from dualdiff.transforms.results import Run, unstacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dualdiff.reverse import Program

__all__ = ["beside", "checked_mode", "free_chunk", "jacobian", "jacrev", "require_side_by_side", "value_and_jacobian"]

# Where it is free to choose, a transform runs so many directions in one pass that the tangents of one value of the size
# of the input have at most so many numbers; with at most so few numbers, one direction per pass, which suits scalar
# code.  (tests/benchmarks/race.py rosen_grad10 rosen_hess10 arm6)
_NUMBERS_PER_PASS = 100_000
_FEW_NUMBERS = 4


def free_chunk(call: Call, numbers: int) -> int:
    """Return how many directions to run in one pass, where a value's tangent in one of them has `numbers`."""
    n = call.size
    return 1 if n <= _FEW_NUMBERS and call.of_numbers else max(1, min(n, _NUMBERS_PER_PASS // max(numbers, 1)))


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
    if _is_one_matrix(call):
        return matrix
    leaves, offset = [], 0
    for leaf in call.leaves:
        block = matrix[..., offset : offset + size_of(leaf)]
        leaves.append(_number(np.reshape(block, shape_of(block)[:-1] + shape_of(leaf))))
        offset += size_of(leaf)
    return _arguments(call, leaves)


def _is_one_matrix(call: Call) -> bool:
    return call.argnums is None and len(call.counts) > 1


def _arguments(call: Call, leaves: Sequence[Any]) -> Any:
    arguments = call.arranged(leaves)
    return tuple(arguments[i] for i in call.order) if isinstance(call.argnums, tuple) else arguments[0]


def beside(call: Call, blocks: Sequence[Any], ndim: int) -> Any:
    """Return one block for each leaf, behind `ndim` axes of a result, arranged as the arguments are."""
    if not _is_one_matrix(call):
        return _arguments(call, [_number(block) for block in blocks])
    flat = [np.reshape(block, (*shape_of(block)[:ndim], -1)) for block in blocks]
    return np.concatenate(flat, axis=-1)


def _number(x: Any) -> Any:
    """Return an array without axes as the number it holds."""
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return x.item() if x.dtype.char in "dD" else x[()]
    return x


def require_side_by_side(call: Call) -> None:
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


def _rows(call: Call, run: Run, program: Program, chunk_size: int | None) -> Any:
    """Return the Jacobian of a recorded run, row by row."""
    blocks = []
    for k, value in enumerate(run.values):
        shape = shape_of(value)
        rows: list[list[Any]] = [[] for _ in call.leaves]
        for start, stop in _chunks(size_of(value), chunk_size):
            if start == stop:
                continue
            seeds = np.eye(stop - start, size_of(value), start).reshape(stop - start, *shape)
            for found, pulled in zip(rows, _pulled_rows(call, program, k, value, seeds), strict=True):
                found.extend(pulled)
        each = []
        for found, leaf in zip(rows, call.leaves, strict=True):
            matrix = np.stack(found) if found else np.zeros((0, *shape_of(leaf)))
            each.append(_as_precise(np.reshape(matrix, shape + shape_of(leaf)), value))
        blocks.append(beside(call, each, len(shape)))
    return run.rebuild(blocks)


def _as_precise(block: Any, value: Any) -> Any:
    """Return the slopes of a result in its own precision, as forward mode has them."""
    own = getattr(value, "dtype", block.dtype)
    return block if own == block.dtype or "c" in (own.kind, block.dtype.kind) else block.astype(own)


def _pulled_rows(call: Call, program: Program, k: int, value: Any, seeds: Any) -> list[list[Any]]:
    """Return, for each leaf, the rows that some outputs of result k have in it: one pullback for all of them."""
    if len(seeds) > 1 and not np.iscomplexobj(plain(value)) and not call.is_complex:
        # The pullback is linear, so its derivative in many directions is itself of many cotangents.
        with Tag() as tag:
            pulled = program.pull(_only(program, k, wrap(np.zeros(shape_of(value)), Stacked(seeds), tag)))
            rows = [extract(g, tag)[1] for g in pulled]
        if not any(t is not None and any_nan(t) for t in rows):
            return [unstacked(t, shape_of(leaf), len(seeds)) for t, leaf in zip(rows, call.leaves, strict=True)]
    if np.iscomplexobj(plain(value)) or call.is_complex:
        found = [_complex_row(call, program, k, value, seed) for seed in seeds]
    else:
        found = [program.pull(_only(program, k, seed)) for seed in seeds]
    return [list(parts) for parts in zip(*found, strict=True)]


def _only(program: Program, k: int, seed: Any) -> list[Any]:
    seed = seed if isinstance(seed, Dual) else np.asarray(seed)[()]
    return [seed if i == k else None for i in range(len(program.outputs))]


def _complex_row(call: Call, program: Program, k: int, value: Any, seed: Any) -> list[Any]:
    """Return a row of a complex Jacobian: ∂u/∂x + i·∂v/∂x, or f' where f is complex differentiable."""
    of_real = program.pull(_only(program, k, seed))
    of_imaginary = (
        program.pull(_only(program, k, 1j * seed)) if np.iscomplexobj(plain(value)) else [0.0 * g for g in of_real]
    )
    row = []
    for leaf, a, b in zip(call.leaves, of_real, of_imaginary, strict=True):
        if np.iscomplexobj(plain(leaf)):
            call.require_holomorphic([b], [a])
            row.append(np.conjugate(a))
        else:
            row.append(a + 1j * b if np.iscomplexobj(plain(value)) else a)
    return row


def _recorded(call: Call, mode: str, chunk_size: int | None) -> tuple[Run, Any]:
    """Return the Jacobian from one run of f: rows, or with "auto" columns where there are fewer of them."""
    run, program = call.record()
    if mode == "reverse" or sum(map(size_of, run.values)) < call.size:
        return run, _rows(call, run, program, chunk_size)
    columns: list[list[Any]] = [[] for _ in run.values]
    for start, stop in _chunks(call.size, chunk_size):
        moved = program.push(_seeds(call, start, stop))
        for found, value, tangent in zip(columns, run.values, moved, strict=True):
            found.extend(unstacked(tangent, shape_of(value), stop - start))
    return run, run.rebuild([_blocks(call, _matrix(c, v)) for c, v in zip(columns, run.values, strict=True)])


def _jacobian(call: Call, chunk_size: int | None, value_too: bool, mode: str = "forward") -> Any:
    require_side_by_side(call)
    if mode == "reverse" or (mode == "auto" and not call.is_complex):
        run, answer = _recorded(call, mode, chunk_size)
        return (call.with_aux(run.value, run), answer) if value_too else call.with_aux(answer, run)
    run, columns = _columns(call, chunk_size)
    if call.is_complex:
        for j in range(call.size):
            turned = call.run([1j * seed for seed in _seeds(call, j, j + 1)])
            call.require_holomorphic(turned.tangents, [found[j] for found in columns])
    blocks = [_blocks(call, _matrix(c, v)) for c, v in zip(columns, run.values, strict=True)]
    answer = run.rebuild(blocks)
    return (call.with_aux(run.value, run), answer) if value_too else call.with_aux(answer, run)


def _checked_chunk(chunk_size: Any) -> int | None:
    if chunk_size is None or (hasattr(chunk_size, "__index__") and not isinstance(chunk_size, bool) and chunk_size > 0):
        return chunk_size
    message = f"chunk_size is how many input directions one pass carries, or None for all; it got {chunk_size!r}"
    raise ValueError(message)


def checked_mode(name: str, mode: str) -> str:
    """Return `mode`, if there is such a one."""
    if mode not in ("forward", "reverse", "auto"):
        message = f"{name}() knows mode='forward', mode='reverse' and mode='auto'; it got {mode!r}"
        raise ValueError(message)
    return mode


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
    mode : {"forward", "reverse", "auto"}
        "forward": columns, f runs once for each input. "reverse": rows; f runs once and is recorded, and its record is
        read backward once for each output. "auto": f runs once and is recorded, and the record is read in whichever
        direction takes fewer passes.
    chunk_size : int or None, default 1
        How many directions one pass carries. With 1 and forward, f runs exactly once per input; None runs all at once.
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
    checked_mode("jacobian", mode)
    answer = partial(_jacobian, chunk_size=_checked_chunk(chunk_size), value_too=False, mode=mode)
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
    checked_mode("value_and_jacobian", mode)
    answer = partial(_jacobian, chunk_size=_checked_chunk(chunk_size), value_too=True, mode=mode)
    return question("value_and_jacobian", answer, f, argnums, has_aux)


def jacrev(
    f: Callable[..., Any], argnums: Argnums = None, *, chunk_size: int | None = 1, has_aux: bool = False
) -> Callable[..., Any]:
    """Return ``jacobian(f, mode="reverse")``, under JAX's and torch's name.

    Parameters
    ----------
    f, argnums, chunk_size, has_aux
        As for `jacobian`.

    Returns
    -------
    callable
        The Jacobian, row by row.

    Raises
    ------
    ValueError, TypeError
        As `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.jacrev(np.sum)(np.array([1.0, 2.0]))
    array([1., 1.])
    """
    return jacobian(f, argnums, mode="reverse", chunk_size=chunk_size, has_aux=has_aux)
