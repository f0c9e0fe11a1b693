"""Products of arrays: each is linear in every operand, so the tangent is a sum of the same products.

d(A·B) = dA·B + A·dB
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.primal import ndim_of
from dualdiff.rules.book import composed, rule
from dualdiff.tangent import contract, linear

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["product"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def product(
    function: Callable[..., Any], subscripts: str, operands: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """Return a multilinear `function` of `operands` and its tangent; `subscripts` are the same product for einsum."""
    dy: Any = None
    for i, tangent in enumerate(tangents):
        if tangent is not None:
            term = contract(function, subscripts, operands, i, tangent)
            dy = term if dy is None else dy + term
    return function(*operands), dy


def _matmul(da: Any, db: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return product(np.matmul, _MATMUL[ndim_of(a) > 1, ndim_of(b) > 1], (a, b), (da, db))


# A vector has the letter that is summed over and no other.
_MATMUL = {
    (True, True): "...ij,...jk->...ik", (True, False): "...ij,j->...i", (False, True): "j,...jk->...k",
    (False, False): "j,j->",
}  # fmt: skip


@rule(np.matmul, "A @ x", "x @ A", "x @ y", "A @ B", "M @ A", "np.matmul(T, M)", "np.matmul(T, np.ones((2, 2, 2)))")
def _(dx1: Any, dx2: Any, x1: Any, x2: Any) -> Any:
    return _matmul(dx1, dx2, x1, x2)


@rule(np.linalg.matmul, "np.linalg.matmul(A, B)")
def _(dx1: Any, dx2: Any, x1: Any, x2: Any) -> Any:
    return _matmul(dx1, dx2, x1, x2)


@rule(np.dot, "np.dot(x, y)", "np.dot(M, x)", "np.dot(A, B)", "np.dot(s, x)", "np.dot(T, M)")
def _(da: Any, db: Any, a: Any, b: Any, out: Any = None) -> Any:
    """Sums over the last axis of a and the last but one of b; a number multiplies."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return product(np.multiply, "...,...->...", (a, b), (da, db))
    left = _LETTERS[: np.ndim(a) - 1]
    right = _LETTERS[13 : 12 + np.ndim(b)]  # letters of the other half of the alphabet
    b_letters = right[:-1] + "z" + right[-1:] if np.ndim(b) > 1 else "z"
    return product(np.dot, f"{left}z,{b_letters}->{left}{right}", (a, b), (da, db))


@rule(np.inner, "np.inner(x, y)", "np.inner(A, x)", "np.inner(A, M)")
def _(da: Any, db: Any, a: Any, b: Any) -> Any:
    """Sums over the last axis of both; a number multiplies."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return product(np.multiply, "...,...->...", (a, b), (da, db))
    left, right = _LETTERS[: np.ndim(a) - 1], _LETTERS[13 : 12 + np.ndim(b)]
    return product(np.inner, f"{left}z,{right}z->{left}{right}", (a, b), (da, db))


def _conjugated(x: Any, dx: Any) -> tuple[Any, Any]:
    if not np.iscomplexobj(x):
        return x, dx
    return np.conjugate(x), None if dx is None else linear(np.conjugate, np.conjugate, dx)


def _vecdot(dx1: Any, dx2: Any, x1: Any, x2: Any) -> tuple[Any, Any]:
    """The first operand enters conjugated, and then the product is linear in both."""
    x1, dx1 = _conjugated(x1, dx1)
    return product(lambda a, b: np.vecdot(np.conjugate(a), b), "...j,...j->...", (x1, x2), (dx1, dx2))


@rule(np.vecdot, "np.vecdot(x, y)", "np.vecdot(M, x)", "np.real(np.vecdot((1 + 2j) * x, (2 - 1j) * y))")
def _(dx1: Any, dx2: Any, x1: Any, x2: Any) -> Any:
    return _vecdot(dx1, dx2, x1, x2)


@rule(np.linalg.vecdot, "np.linalg.vecdot(x, y)")
def _(dx1: Any, dx2: Any, x1: Any, x2: Any) -> Any:
    return _vecdot(dx1, dx2, x1, x2)


@rule(getattr(np, "matvec", None), "np.matvec(A, x)")
def _(dx1: Any, dx2: Any, x1: Any, x2: Any) -> Any:
    return product(np.matvec, "...ij,...j->...i", (x1, x2), (dx1, dx2))


@rule(getattr(np, "vecmat", None), "np.vecmat(x, A)")
def _(dx1: Any, dx2: Any, x1: Any, x2: Any) -> Any:
    x1, dx1 = _conjugated(x1, dx1)
    return product(lambda a, b: np.vecmat(np.conjugate(a), b), "...i,...ij->...j", (x1, x2), (dx1, dx2))


@composed(np.vdot, "np.vdot(x, y)", "np.vdot(A, B)")
def _(a: Any, b: Any) -> Any:
    return np.vecdot(np.ravel(a), np.ravel(b))


def _tensordot(da: Any, db: Any, a: Any, b: Any, axes: Any = 2) -> tuple[Any, Any]:
    """Letters z… for the axes summed over, the alphabet's halves for the rest."""
    if isinstance(axes, int):
        over_a, over_b = range(np.ndim(a) - axes, np.ndim(a)), range(axes)
    else:
        over_a, over_b = ([i] if isinstance(i, int) else list(i) for i in axes)  # type: ignore[assignment]
    left, right = list(_LETTERS[: np.ndim(a)]), list(_LETTERS[13 : 13 + np.ndim(b)])
    for i, j in zip(over_a, over_b, strict=True):
        right[j] = left[i]
    summed = {left[i] for i in over_a}
    kept = "".join(letter for letter in left + right if letter not in summed)
    subscripts = f"{''.join(left)},{''.join(right)}->{kept}"
    return product(lambda p, q: np.tensordot(p, q, axes), subscripts, (a, b), (da, db))


@rule(np.tensordot, "np.tensordot(A, B)", "np.tensordot(T, M, axes=([1], [1]))", "np.tensordot(x, y, axes=0)")
def _(da: Any, db: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    return _tensordot(da, db, a, b, axes)


@rule(np.linalg.tensordot, "np.linalg.tensordot(A, B, axes=1)")
def _(dx1: Any, dx2: Any, x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    return _tensordot(dx1, dx2, x1, x2, axes)


@rule(
    np.einsum, "np.einsum('ij,jk->ik', A, B)", "np.einsum('ii', A)", "np.einsum('ij,j', A, x)",
    "np.einsum('i,ij,j->', x, A, y)", "np.einsum('...i,i->...', M, x)", "np.einsum('ij->ji', M)",
)  # fmt: skip
def _(doperands: Any, subscripts: Any, *operands: Any, **settings: Any) -> Any:
    """The subscripts are the rule; where they name no result, it has the letters that occur once, in order."""
    if not isinstance(subscripts, str):
        message = "numpy.einsum of a Dual takes subscripts as text, such as np.einsum('ij,j->i', A, x)"
        raise TypeError(message)
    subscripts = subscripts.replace(" ", "")
    if "->" not in subscripts:
        once = "".join(sorted(c for c in set(subscripts) if c.isalpha() and subscripts.count(c) == 1))
        subscripts += "->" + ("..." if "..." in subscripts else "") + once
    return product(lambda *known: np.einsum(subscripts, *known, **settings), subscripts, operands, doperands)


@composed(np.outer, "np.outer(x, y)", "np.outer(x, [1.0, 2.0])")
def _outer(a: Any, b: Any, out: Any = None) -> Any:
    return np.ravel(a)[:, None] * np.ravel(b)[None, :]


composed(np.linalg.outer, "np.linalg.outer(x, y)")(_outer)


@composed(np.kron, "np.kron(A, M)", "np.kron(x, y)")
def _(a: Any, b: Any) -> Any:
    """Every entry of a times all of b."""
    ndim = max(np.ndim(a), np.ndim(b))
    a = np.reshape(a, (1,) * (ndim - np.ndim(a)) + np.shape(a))
    b = np.reshape(b, (1,) * (ndim - np.ndim(b)) + np.shape(b))
    each = np.expand_dims(a, tuple(range(1, 2 * ndim, 2))) * np.expand_dims(b, tuple(range(0, 2 * ndim, 2)))
    return np.reshape(each, tuple(n * m for n, m in zip(np.shape(a), np.shape(b), strict=True)))


@composed(np.cross, "np.cross(x, y)", "np.cross(M, x)", "np.cross(A, B, axis=0)")
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a = np.moveaxis(a if hasattr(a, "ndim") else np.array(a), axisa, 0)
    b = np.moveaxis(b if hasattr(b, "ndim") else np.array(b), axisb, 0)
    if {len(a), len(b)} == {3}:
        parts = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        return np.stack(parts, axis=axisc)
    message = (
        f"numpy.cross of a Dual takes vectors of 3 components; these have {len(a)} and {len(b)}. "
        "In the plane write a[0] * b[1] - a[1] * b[0]"
    )
    raise ValueError(message)


@composed(np.linalg.cross, "np.linalg.cross(x, y)")
def _(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return _cross(x1, x2, axis=axis)


@composed(np.trace, "np.trace(A)", "np.trace(M, offset=1)")
def _(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@composed(np.linalg.trace, "np.linalg.trace(A)")
def _(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.sum(np.linalg.diagonal(x, offset=offset), axis=-1)


@composed(np.linalg.multi_dot, "np.linalg.multi_dot([M, A, B])")
def _(arrays: Any, *, out: Any = None) -> Any:
    result, *rest = arrays
    for array in rest:
        result = result @ array
    return result


@composed(np.trapezoid, "np.trapezoid(x)", "np.trapezoid(x, y)", "np.trapezoid(M, dx=0.5, axis=0)")
def _(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(y, axis, -1)
    step = dx if x is None else np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
    return np.sum(step * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)


@composed(np.polyval, "np.polyval([1.0, -2.0, 3.0], x)", "np.polyval(x, s)")
def _(p: Any, x: Any) -> Any:
    """Horner (1819)."""
    y: Any = 0
    for coefficient in p if hasattr(p, "tangent") else np.asarray(p):
        y = y * x + coefficient
    return y
