"""Linear algebra: rules from differentiating the equation a function solves.

Giles, *An extended collection of matrix derivative results for forward and reverse mode*, Oxford 2008.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dualdiff.rules.book import composed, rule
from dualdiff.tangent import contract, linear, move

__all__: list[str] = []


@rule(np.linalg.inv, "np.linalg.inv(A + 3 * np.eye(3))")
def _(da: Any, a: Any) -> Any:
    """A·X = 1, so dX = -X·dA·X."""
    x = np.linalg.inv(a)
    left = contract(np.matmul, "...ij,...jk->...ik", (x, a), 1, da)
    return x, -contract(np.matmul, "...ij,...jk->...ik", (a, x), 0, left)


@rule(np.linalg.solve, "np.linalg.solve(A + 3 * np.eye(3), x)", "np.linalg.solve(A + 3 * np.eye(3), B)")
def _(da: Any, db: Any, a: Any, b: Any) -> Any:
    """A·x = b, so A·dx = db - dA·x."""
    x = np.linalg.solve(a, b)
    vector = np.ndim(b) == 1
    right = None
    if da is not None:
        right = -contract(np.matmul, "...ij,j->...i" if vector else "...ij,...jk->...ik", (a, x), 0, da)
    if db is not None:
        right = db if right is None else db + right
    transposed = np.conjugate(np.swapaxes(a, -1, -2))
    return x, linear(lambda t: np.linalg.solve(a, t), lambda g: np.linalg.solve(transposed, g), right)


@rule(np.linalg.det, "np.linalg.det(A)", "np.linalg.det(np.stack([A, B]))")
def _(da: Any, a: Any) -> Any:
    """d(det A) = tr(adj(A)·dA) (Jacobi 1841), with the adjugate, which a singular matrix has too."""
    adjugate = move(lambda m: np.swapaxes(m, -1, -2), _adjugate(a))
    subscripts = "...ij,...ij->..."
    return np.linalg.det(a), contract(lambda p, q: np.einsum(subscripts, p, q), subscripts, (adjugate, a), 1, da)


def _adjugate(a: Any) -> Any:
    """Return adj(A), a polynomial in the entries of A: by singular values, or by matrix products under a derivative.

    A = U·S·V gives adj(A) = det(U)·det(V)·Vᴴ·adj(S)·Uᴴ, where each entry of adj(S) is the product of the other singular
    values.  The products (Faddeev & LeVerrier) have no division by anything that may be 0, so they differentiate to
    every order; they lose digits as matrices grow, but only second derivatives of det go through them.
    """
    n = np.shape(a)[-1]
    if isinstance(a, np.ndarray):
        u, s, v = np.linalg.svd(a)
        others = np.stack([np.prod(np.delete(s, i, axis=-1), axis=-1) for i in range(n)], axis=-1)
        sign = np.asarray(np.linalg.det(u) * np.linalg.det(v))[..., None, None]
        return (
            sign * (np.conjugate(np.swapaxes(v, -1, -2)) * others[..., None, :]) @ np.conjugate(np.swapaxes(u, -1, -2))
        )
    identity = np.eye(n)
    m = identity
    for k in range(1, n):
        am = a @ m
        trace = np.sum(np.diagonal(am, axis1=-2, axis2=-1), axis=-1)
        m = am - np.reshape(trace, (*np.shape(trace), 1, 1)) / k * identity
    return m if n % 2 else -m


@composed(np.linalg.matrix_power, "np.linalg.matrix_power(A, 3)", "np.linalg.matrix_power(A + 3 * np.eye(3), -2)")
def _(a: Any, n: int) -> Any:
    if n < 0:
        a, n = np.linalg.inv(a), -n
    result, square = np.zeros_like(a), a
    result = result + np.eye(np.shape(a)[-1], dtype=result.dtype)
    while n:
        result, square, n = result @ square if n % 2 else result, square @ square if n > 1 else square, n // 2
    return result
