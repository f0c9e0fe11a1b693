"""What can go wrong, each with the way out.

Every sentence here is tested, and so is every way out it names.
"""

from __future__ import annotations

__all__ = ["DroppedTangentError", "ManyOutputsError", "NoRuleError", "dropped_by", "dropped_into"]


class DroppedTangentError(TypeError):
    """A step would have lost a tangent without a word.

    Raised by ``float(x)``, ``math.sin(x)``, ``np.asarray(x, float)``, by writing a `Dual`
    into a plain float array, and by ``out=`` with a plain array.

    Examples
    --------
    >>> import math
    >>> import dualdiff as dd
    >>> math.sin(dd.Dual(1.0, 1.0))
    Traceback (most recent call last):
    dualdiff.errors.DroppedTangentError: float(x) would drop the tangent of a Dual...
    """


class ManyOutputsError(ValueError, RuntimeError):
    """A gradient was asked of more than one number.

    NumPy's users catch ValueError, PyTorch's RuntimeError, and it is both.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> dd.Variable(np.ones(2)).backward()
    Traceback (most recent call last):
    dualdiff.errors.ManyOutputsError: grad can be implicitly created only for scalar outputs...
    """


class NoRuleError(TypeError):
    """A NumPy function met a `Dual`, and no line of the tables says what its derivative is.

    Examples
    --------
    >>> import numpy as np
    >>> import dualdiff as dd
    >>> np.unwrap(dd.Dual(np.array([1.0, 2.0])))
    Traceback (most recent call last):
    dualdiff.errors.NoRuleError: numpy.unwrap met a Dual...
    """


def dropped_by(conversion: str) -> DroppedTangentError:
    """Return the error for a conversion to a plain number, such as ``float(x)``."""
    return DroppedTangentError(
        f"{conversion} would drop the tangent of a Dual. "
        "math.sin(x) and an assignment y[0] = x into a plain float array end here too. "
        "Ways out: np.sin or dualdiff.sin in place of math.sin; np.stack([...]), np.zeros_like(x) or "
        "np.zeros(n, like=x) in place of a plain float buffer; x.value (stop_gradient(x) where derivatives nest) to "
        "drop the tangent on purpose."
    )


def dropped_into(target: str) -> DroppedTangentError:
    """Return the error for a write into a plain array, such as ``y += x`` or ``out=y``."""
    return DroppedTangentError(
        f"{target} is a plain array and would drop the tangent of a Dual. "
        "Ways out: y = y + x in place of y += x; a buffer made by np.zeros_like(x) or np.zeros(n, like=x), "
        "or np.stack([...]); x.value to drop the tangent on purpose."
    )
