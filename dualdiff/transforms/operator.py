"""jacobian_operator: the Jacobian as something that multiplies, never written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff.primal import plain, shape_of, size_of
from dualdiff.transforms.asking import Call, question, require_point
from dualdiff.transforms.containers import private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["JacobianOperator", "jacobian_operator"]


class JacobianOperator:
    """The Jacobian of a function at a point, as a linear operator of shape (outputs, inputs).

    Attributes
    ----------
    shape : tuple of int
        How many numbers f returns, and how many move.
    dtype : numpy.dtype
        Type of the products.
    value
        What f returned at the point.
    """

    def __init__(self, call: Call) -> None:
        call.leaves = [private(leaf) for leaf in call.leaves]
        run, self._program = call.record()
        self._inputs = [shape_of(leaf) for leaf in call.leaves]
        self._outputs = [shape_of(value) for value in run.values]
        self._of_complex = call.is_complex
        self.value = run.rebuild([private(value) for value in run.values])
        self.shape = (sum(map(size_of, run.values)), call.size)
        self.dtype = np.result_type(*(np.asarray(plain(x)).dtype for x in (*call.leaves, *run.values)), np.float16)
        self._real = np.zeros(1, self.dtype).real.dtype
        if self._of_complex:
            probe = np.linspace(1.0, 2.0, call.size)
            turned, straight = self.matvec(1j * probe), self.matvec(probe)
            call.require_holomorphic([turned], [straight])

    def __repr__(self) -> str:
        return f"<Jacobian operator of shape {self.shape}, dtype {self.dtype}>"

    def matvec(self, v: Any) -> Any:
        """Return J·v.

        Parameters
        ----------
        v : array_like, shape (n,) or (n, 1)
            One number for each input, containers and arrays in order.

        Returns
        -------
        ndarray, shape (m,)
        """
        v = _vector(v, self.shape[1], "matvec")
        if np.iscomplexobj(v) and not self._of_complex:
            return self.matvec(v.real) + 1j * self.matvec(v.imag)
        kind = self.dtype if self._of_complex else self._real
        return _joined(self._program.push(_cut(v.astype(kind), self._inputs)), self._outputs, self.dtype)

    def rmatvec(self, w: Any) -> Any:
        """Return Jᵀ·w, conjugated where J is complex.

        Parameters
        ----------
        w : array_like, shape (m,) or (m, 1)
            One number for each output.

        Returns
        -------
        ndarray, shape (n,)
        """
        w = _vector(w, self.shape[0], "rmatvec")
        pulled = self._pulled(w)
        if self._of_complex or not (np.iscomplexobj(w) or self.dtype.kind == "c"):
            return pulled
        return pulled + 1j * self._pulled(-1j * w)

    def _pulled(self, w: Any) -> Any:
        parts = _cut(w if np.iscomplexobj(w) else w.astype(self._real), self._outputs)
        if self.dtype.kind != "c":
            parts = [np.real(part) for part in parts]
        return _joined(self._program.pull(parts), self._inputs, self.dtype if self._of_complex else self._real)

    def matmat(self, matrix: Any) -> Any:
        """Return J·V, column by column."""
        return _beside([self.matvec(column) for column in np.transpose(matrix)], self.shape[0])

    def rmatmat(self, matrix: Any) -> Any:
        """Return Jᵀ·W, conjugated where J is complex, column by column."""
        return _beside([self.rmatvec(column) for column in np.transpose(matrix)], self.shape[1])

    def __matmul__(self, other: Any) -> Any:
        return self.matvec(other) if np.ndim(other) == 1 else self.matmat(other)


def _vector(v: Any, n: int, name: str) -> Any:
    """Return one number for each input or output, given as a vector or as a column."""
    if np.shape(v) not in ((n,), (n, 1)):
        message = f"{name}() of this Jacobian takes a vector of {n} number(s); it got shape {np.shape(v)}"
        raise ValueError(message)
    return np.ravel(v)


def _beside(columns: Sequence[Any], n: int) -> Any:
    return np.stack(columns, axis=-1) if columns else np.zeros((n, 0))


def _cut(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    parts, used = [], 0
    for shape in shapes:
        size = int(np.prod(shape, dtype=int))
        parts.append(flat[used : used + size].reshape(shape)[()])
        used += size
    return parts


def _joined(parts: Sequence[Any], shapes: Sequence[tuple[int, ...]], dtype: Any) -> Any:
    """Return the numbers of all parts in a row; None is a part that does not move."""
    filled = [np.zeros(shape) if part is None else part for part, shape in zip(parts, shapes, strict=True)]
    return np.concatenate([np.ravel(part) for part in filled] or [np.zeros(0)]).astype(dtype)


def jacobian_operator(f: Callable[..., Any], *primals: Any) -> JacobianOperator:
    """Return the Jacobian of f at a point as a linear operator: products J·v and Jᵀ·w without the matrix.

    Parameters
    ----------
    f : callable
        Function of numbers, arrays, or containers of them.
    *primals
        The arguments of f.

    Returns
    -------
    JacobianOperator
        With ``shape``, ``dtype``, ``matvec`` and ``rmatvec``, which is what ``scipy.sparse.linalg.aslinearoperator``
        asks for, and so ``lsmr``, ``svds`` and the like. Arrays and containers count as their numbers in a row.

    Raises
    ------
    TypeError
        If f is no function, or returns something that is not made of numbers.
    ValueError
        At a complex point where f is not complex differentiable; from a product, if the vector has another length.

    Notes
    -----
    f runs once and is recorded; each product reads the record once.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> J = dd.jacobian_operator(lambda x: np.cumsum(x**2), np.array([1.0, 2.0, 3.0]))
    >>> J.matvec([1.0, 0.0, 0.0])
    array([2., 2., 2.])
    >>> J.rmatvec([0.0, 0.0, 1.0])
    array([2., 4., 6.])
    """
    require_point("jacobian_operator", f, primals)
    return question("jacobian_operator", JacobianOperator, f, None, False)(*primals)  # type: ignore[no-any-return]
