"""The points of a check: read from `at`, or drawn where f and its derivative are defined and smooth."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.errors import DroppedTangentError, NoRuleError
from dualdiff.floating import quiet
from dualdiff.primal import plain
from dualdiff.transforms.asking import Call
from dualdiff.transforms.containers import flatten, is_leaf, private
from dualdiff.transforms.jacobian import _columns, free_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["chosen", "defined", "given", "is_fit", "parameters", "slopes", "spelled"]

Point = tuple[Any, ...]

# Where the numbers of a point are drawn from, in turn: both signs, around 1, within (-1, 1) and beyond it, and small.
# None is so large that exp(x**2) overflows.
_NEAR = ((0.2, 2.0), (-2.0, -0.2), (0.05, 0.95), (-0.95, -0.05), (1.05, 3.0), (-3.0, -1.05), (0.02, 0.2), (-0.2, -0.02))
# And where f is defined at too few of those.
_FAR = (
    (3.0, 12.0),
    (-12.0, -3.0),
    (1e-3, 0.02),
    (-0.02, -1e-3),
    (10.0, 100.0),
    (-100.0, -10.0),
    (1e2, 1e4),
    (-1e4, -1e2),
)
_NEAR_DRAWS, _FAR_DRAWS = 80, 400
_STEP = 1e-6  # how far a kink has to be away, relative to the point
_JUMP = 1e-2  # by how much the derivative may change over that step, relative to its size
# What a function says that cannot do with numbers, as x[0] and len(x) and np.linalg.norm do.
_NO_NUMBERS = (TypeError, IndexError, AttributeError, np.linalg.LinAlgError)
_OUTSIDE = (ArithmeticError, ValueError)
_NO_DIMENSIONS = "does not have enough dimensions"  # what @ says of a number, as a ValueError


def parameters(f: Callable[..., Any]) -> list[str] | None:
    """Return the names of the arguments that f needs by position; None where nobody knows how many."""
    if isinstance(f, np.ufunc):
        return [f"x{i + 1}" for i in range(f.nin)] if f.nin > 1 else ["x"]
    try:
        found = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    return [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]


def slopes(f: Callable[..., Any], moving: Any, point: Point) -> tuple[Any, Any, Call, Any]:
    """Return value and derivative at a point as vector and matrix, the call, and how f's result is put together.

    The rows of the matrix are the numbers of the result, the columns those that move.
    """
    call = Call("check", f, moving, False, [private(x) for x in point], {})
    with quiet():
        run, columns = _columns(call, free_chunk(call, call.size))
    values = [np.ravel(plain(value)) for value in run.values]
    blocks = [
        np.stack([np.ravel(plain(c)) for c in found], axis=-1) if found else np.zeros((value.size, 0))
        for found, value in zip(columns, values, strict=True)
    ]
    matrix = np.concatenate(blocks) if blocks else np.zeros((0, call.size))
    return np.concatenate([*values, np.zeros(0)]), matrix, call, run.rebuild(list(range(len(values))))


def defined(f: Callable[..., Any], moving: Any, point: Point) -> Any:
    """Return the derivative at a point, or None where f or the derivative is not finite there."""
    value, matrix, *_ = slopes(f, moving, point)
    return matrix if np.all(np.isfinite(value)) and np.all(np.isfinite(matrix)) else None


def _is_smooth(f: Callable[..., Any], moving: Any, point: Point, matrix: Any) -> bool:
    """Tell whether the derivative is much the same a little before and behind a point."""
    size = np.max(np.abs(matrix), initial=0.0)
    for step in (-_STEP, _STEP):
        try:
            beside = defined(f, moving, tuple(x + step * max(1.0, abs(x)) for x in point))
        except _OUTSIDE:
            return False
        if (
            beside is None
            or beside.shape != matrix.shape
            or np.max(np.abs(beside - matrix), initial=0.0) > _JUMP * size
        ):
            return False
    return True


def is_fit(f: Callable[..., Any], moving: Any, point: Point) -> bool:
    """Tell whether f has a derivative at a point that changes little beside it."""
    try:
        matrix = defined(f, moving, point)
        return matrix is not None and _is_smooth(f, moving, point, matrix)
    except Exception:  # noqa: BLE001 - whatever f has against a point that nobody asked for
        return False


# --- drawn points -----------------------------------------------------------------------------------------------------


def chosen(f: Callable[..., Any], moving: Any, names: Sequence[str], rng: np.random.Generator) -> Iterator[Point]:
    """Yield points of numbers where f is defined, each a tuple of arguments: first near ones, then far ones.

    Raises
    ------
    ValueError
        If none is found.
    TypeError
        If f cannot do with numbers.
    """
    found: list[Point] = []
    rough: list[Point] = []
    trouble: Exception | None = None
    outside: Exception | None = None
    raised = 0
    for ranges, draws in ((_NEAR, _NEAR_DRAWS), (_FAR, _FAR_DRAWS)):
        for i in range(draws):
            point = _drawn(ranges, i, len(names), rng)
            try:
                matrix = defined(f, moving, point)
                if matrix is None:
                    continue
                smooth = _is_smooth(f, moving, point, matrix)
            except _OUTSIDE as error:
                if _NO_DIMENSIONS in str(error) and not found:
                    trouble = error
                    break
                outside, raised = error, raised + 1
                continue
            except (DroppedTangentError, NoRuleError):
                raise
            except _NO_NUMBERS as error:
                if str(error).startswith("f returned"):
                    raise
                trouble = error
                break
            if smooth:
                found.append(point)
                yield point
            else:
                rough.append(point)
        if trouble is not None and not found:
            raise _cannot_do_with_numbers(names, trouble) from trouble
    if found:  # all of them again, a little aside
        for _ in range(4):
            for x in found:
                point = tuple(float(v * (1 + rng.uniform(-0.05, 0.05))) for v in x)
                try:
                    matrix = defined(f, moving, point)
                except _OUTSIDE:
                    continue
                if matrix is not None and _is_smooth(f, moving, point, matrix):
                    yield point
        return
    if rough:
        yield from rough
        return
    said = "" if outside is None else f" (f raised {type(outside).__name__}: {outside})"
    arrays = f"; if f takes arrays, at={_example(names, arrays=True)}" if raised == _NEAR_DRAWS + _FAR_DRAWS else ""
    message = (
        f"check() found no point where f and its derivative are finite, among {_NEAR_DRAWS + _FAR_DRAWS} between "
        f"-10000 and 10000{said}. Say where f is defined: check(f, claim, at={_example(names)}){arrays}"
    )
    raise ValueError(message) from outside


def _drawn(ranges: Sequence[tuple[float, float]], i: int, count: int, rng: np.random.Generator) -> Point:
    """Return a point: the first number from the ranges in turn, the others from any."""
    kinds = [i % len(ranges), *rng.integers(len(ranges), size=count - 1)]
    return tuple(float(f"{rng.uniform(*ranges[kind]):.4g}") for kind in kinds[:count])


def _cannot_do_with_numbers(names: Sequence[str], error: Exception) -> Exception:
    said = str(error)
    if _NO_DIMENSIONS in said:  # behind it NumPy quotes a signature that says nothing about f
        said = said[: said.index(_NO_DIMENSIONS) + len(_NO_DIMENSIONS)]
    return TypeError(
        f"check() called f with a number for {' and '.join(names)}, and f raised {type(error).__name__}: {said}. "
        f"If f takes arrays, say at which point: check(f, claim, at={_example(names, arrays=True)})"
    )


def _example(names: Sequence[str], arrays: bool = False) -> str:
    one = "np.array([1.0, 2.0])" if arrays else "1.2"
    return one if len(names) == 1 else f"({', '.join([one] * len(names))})"


# --- given points -----------------------------------------------------------------------------------------------------


def given(at: Any, names: Sequence[str] | None) -> list[Point]:
    """Return the points that `at` says: a list is several points, a tuple the arguments of one, all else one argument.

    Raises
    ------
    ValueError
        If there is no point, or one without numbers, or with more or fewer arguments than f takes.
    TypeError
        If a point is not made of numbers.
    """
    points = [private(_arguments(x)) for x in (at if isinstance(at, list) else [at])]
    if not points:
        message = "at=[] has no point: give at least one, or leave at= out"
        raise ValueError(message)
    for point in points:
        if not any(np.size(leaf) for x in point for leaf in flatten(x)[0]):
            message = f"at={spelled(point)} has no number in it, so that there is nothing to differentiate by"
            raise ValueError(message)
        if names is not None and len(point) != len(names):
            message = (
                f"at={spelled(point)} gives {len(point)} argument(s), and f takes {len(names)}: {', '.join(names)}. A "
                f"tuple is the arguments of one point, a list several points, np.array(...) one array: "
                f"at={_example(names)}"
            )
            raise ValueError(message)
        for x in point:
            for leaf in flatten(x)[0]:
                if not is_leaf(leaf):
                    message = f"at= is made of numbers and arrays; it has {leaf!r}"
                    raise TypeError(message)
    return points


def _arguments(x: Any) -> Point:
    """Return the arguments of one point, whole numbers as floats."""
    own = x if isinstance(x, tuple) and not hasattr(x, "_fields") else (x,)
    return tuple(map(_as_floats, own))


def _as_floats(x: Any) -> Any:
    leaves, rebuild = flatten(x)
    made = []
    for leaf in leaves:
        array = np.asarray(leaf) if is_leaf(leaf) else None
        whole = array is not None and array.dtype.kind in "biu"
        made.append((float(leaf) if array.ndim == 0 else array.astype(float)) if whole and array is not None else leaf)
    return rebuild(made)


def spelled(point: Point) -> str:
    """Return a point as it would be given in at=."""
    texts = [_text(x) for x in point]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _text(x: Any) -> str:
    if isinstance(x, np.ndarray):
        if x.size > 12:
            return f"array of shape {x.shape}"
        return _text(x.tolist())
    if isinstance(x, (list, tuple)):
        inner = ", ".join(map(_text, x))
        return f"[{inner}]" if isinstance(x, list) else f"({inner})"
    if isinstance(x, (float, np.floating)):
        return f"{float(x):.6g}"
    return str(x)
