"""How a number is written in a formula."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["number_text", "without_rounding"]

_SMALL = 10_000  # below which the numerator of a small fraction is


def number_text(x: Any) -> str:
    """Return a number as a formula has it: whole, as a small fraction, or with its digits, without rounding errors."""
    if isinstance(x, (complex, np.complexfloating)):
        return str(complex(x)).replace("-", "−")
    x = float(x)
    if not np.isfinite(x):
        return {"inf": "inf", "-inf": "−inf"}.get(repr(x), "nan")
    x = without_rounding(x)
    if x.is_integer() and abs(x) < 1e16:
        return str(int(x)).replace("-", "−")
    fraction = Fraction(x).limit_denominator(99)
    shown = fraction.denominator not in (1, 2, 4, 5, 8, 10, 16, 20, 25) and abs(fraction.numerator) < _SMALL
    if float(fraction) == x and abs(x) not in (0.1, 0.01) and shown:
        return str(fraction).replace("-", "−")
    return repr(x).replace("-", "−")


def without_rounding(x: float) -> float:
    """Return the small fraction, or the number of twelve digits, that a number is but for rounding errors."""
    if not 1e-300 < abs(x) < 1e300:
        return x
    fraction, short = Fraction(x).limit_denominator(99), float(f"{x:.12g}")
    if 0 < abs(fraction.numerator) < _SMALL and abs(float(fraction) - x) <= 1e-15 * abs(x):
        return float(fraction)
    return short if abs(short - x) <= 1e-12 * abs(x) else x
