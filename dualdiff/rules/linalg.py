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


@rule(
    np.linalg.solve, "np.linalg.solve(A + 3 * np.eye(3), x)", "np.linalg.solve(A + 3 * np.eye(3), B)",
    "np.linalg.solve(np.stack([A, B]) + 3 * np.eye(3), x)", "np.linalg.solve(np.stack([A, B]) + 3 * np.eye(3), M.T)",
    "np.linalg.solve(B + 3 * np.eye(3), T)",
)  # fmt: skip
def _(da: Any, db: Any, a: Any, b: Any) -> Any:
    """A·x = b, so A·dx = db - dA·x; a vector is a matrix of one column, and stacks broadcast."""
    x = np.linalg.solve(a, b)
    vector = np.ndim(b) == 1
    columns = x[..., None] if vector else x
    right = None
    if da is not None:
        right = -contract(np.matmul, "...ij,...jk->...ik", (a, columns), 0, da)
    if db is not None:
        db = move(lambda t: t[..., None], db) if vector else db
        spread = db if np.shape(columns) == np.shape(b) + (1,) * vector else _spread(db, np.shape(columns))
        right = spread if right is None else spread + right
    adjoint = np.conjugate(np.swapaxes(a, -1, -2))
    dx = linear(lambda t: np.linalg.solve(a, t), lambda g: np.linalg.solve(adjoint, g), right)
    return x, move(lambda t: t[..., 0], dx) if vector else dx


def _spread(tangent: Any, shape: tuple[int, ...]) -> Any:
    return move(lambda t: np.broadcast_to(t, shape), tangent)


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


@rule(
    np.linalg.slogdet, "np.linalg.slogdet(A)[1]", "np.linalg.slogdet(np.stack([A, B])).logabsdet",
    "np.real(np.linalg.slogdet(A + 1j * B).sign)",
)  # fmt: skip
def _(da: Any, a: Any) -> Any:
    """d(log det A) = tr(A⁻¹·dA): its real part moves log|det A|, its imaginary part turns det A/|det A|."""
    result = np.linalg.slogdet(a)
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:  # log 0 has no slope
        inverse = np.nan * np.ones_like(a)
    subscripts = "...ij,...ij->..."
    turned = np.swapaxes(inverse, -1, -2)
    trace = contract(lambda p, q: np.einsum(subscripts, p, q), subscripts, (turned, a), 1, da)
    if not np.iscomplexobj(a):
        return result, (None, trace)
    turn = linear(np.imag, lambda g: 1j * np.real(g), trace)
    return result, (turn * (1j * result.sign), linear(np.real, np.real, trace))


@rule(
    np.linalg.cholesky, "np.linalg.cholesky(A + 5 * np.eye(3))", "np.linalg.cholesky(A @ A.T + 3 * np.eye(3))",
    "np.linalg.cholesky(np.stack([A, B]) + 5 * np.eye(3))", "np.linalg.cholesky(A + 5 * np.eye(3), upper=True)",
)  # fmt: skip
def _(da: Any, a: Any, /, *, upper: bool = False) -> Any:
    """L·Lᴴ = A, so L⁻¹·dL is the lower half of L⁻¹·dA·L⁻ᴴ, with half its diagonal.

    Only one triangle of A is read, and only its tangent counts.  Murray, *Differentiation of the Cholesky
    decomposition*, arXiv 1602.07527 (2016).
    """
    lower = np.tri(np.shape(a)[-1], dtype=bool)
    read = lower.T if upper else lower

    def adjoint(m: Any) -> Any:
        return np.conjugate(np.swapaxes(m, -1, -2))

    def completed(t: Any) -> Any:
        return np.where(read, t, adjoint(t))

    def halved(g: Any) -> Any:
        return np.where(read, g, 0.0) + adjoint(np.where(read, 0.0, g))

    whole = linear(completed, halved, da)
    factor = np.linalg.cholesky(completed(a))
    inverse = np.linalg.inv(factor)
    left = contract(np.matmul, "...ij,...jk->...ik", (inverse, a), 1, whole)
    both = contract(np.matmul, "...ij,...jk->...ik", (a, adjoint(inverse)), 0, left)
    share = lower * (1.0 - 0.5 * np.eye(len(lower)))
    slope = contract(np.matmul, "...ij,...jk->...ik", (factor, a), 1, both * share)
    if not upper:
        return factor, slope
    return adjoint(factor), linear(adjoint, adjoint, slope)


@composed(np.linalg.matrix_power, "np.linalg.matrix_power(A, 3)", "np.linalg.matrix_power(A + 3 * np.eye(3), -2)")
def _(a: Any, n: int) -> Any:
    if n < 0:
        a, n = np.linalg.inv(a), -n
    result, square = np.zeros_like(a), a
    result = result + np.eye(np.shape(a)[-1], dtype=result.dtype)
    while n:
        result, square, n = result @ square if n % 2 else result, square @ square if n > 1 else square, n // 2
    return result
