"""What floating-point errors do while slopes are computed: warnings belong to values, slopes show inf and NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable
    from contextvars import ContextVar

__all__ = ["quiet", "watchful"]


def _error_state(**settings: Any) -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Return ``np.errstate(**settings)`` made once and entered often.

    Entering np.errstate takes longer than multiplying two small arrays, and every rule enters one; setting the context
    variable behind it is quicker.  NumPy keeps that variable private, so where it is not found np.errstate serves.
    """
    try:
        from numpy._core import umath

        variable: ContextVar[Any] = umath._extobj_contextvar
        state: Any = umath._make_extobj(**settings)
    except (ImportError, AttributeError):
        return lambda: np.errstate(**settings)

    class Entered:
        __slots__ = ("token",)

        def __enter__(self) -> None:
            self.token = variable.set(state)

        def __exit__(self, *_: object) -> None:
            variable.reset(self.token)

    return Entered


quiet = _error_state(all="ignore")
"""No warning and no exception."""

watchful = _error_state(divide="ignore", over="ignore", under="ignore", invalid="raise")
"""Raise FloatingPointError where 0·inf or inf − inf is met: the sign that a strong zero is called for."""
