"""Functions without a derivative: those whose plain value passes, and those that are refused, with the reason."""

from __future__ import annotations

import numpy as np

from dualdiff.rules.book import constant, refuse

__all__: list[str] = []

# Whole numbers, signs and truth values do not move.
constant(
    np.floor, np.ceil, np.trunc, np.rint, np.floor_divide, np.signbit, np.round, np.around, np.fix,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isfinite, np.isinf, np.isnan,
    np.isneginf, np.isposinf, np.isreal, np.iscomplex, np.isclose, np.allclose, np.array_equal, np.array_equiv, np.all,
    np.any, np.isin,
)  # fmt: skip
# Positions and counts do not move, nor does anything about shape, type or memory.
constant(
    np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nanargmax, np.nanargmin, np.nonzero,
    np.flatnonzero, np.count_nonzero, np.searchsorted, np.digitize, np.lexsort, np.shape, np.ndim, np.size,
    np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.min_scalar_type, np.common_type,
    np.shares_memory, np.may_share_memory, np.triu_indices_from, np.tril_indices_from, np.diag_indices_from,
    np.linalg.matrix_rank,
)  # fmt: skip
# Text.
constant(np.array2string, np.array_str, np.array_repr)

refuse(
    "it is about whole numbers or bits",
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.bitwise_count, np.invert, np.left_shift, np.right_shift,
    np.gcd, np.lcm,
)  # fmt: skip
refuse("it steps from one machine number to the next", np.nextafter, np.spacing)
refuse("it is about dates", np.isnat)
