"""What prints as wide as the terminal is, in the signs that it can show."""

from __future__ import annotations

import shutil
import sys
from typing import ClassVar

__all__ = ["Printed"]


class Printed:
    """An object of the lecture desk that reads as text."""

    __slots__ = ()

    signs: ClassVar[str]  # that its text may have, beyond ASCII

    def _written(self, width: int, ascii: bool) -> str:
        """Return the text in so many columns."""
        raise NotImplementedError

    def to_text(self, width: int | None = None, ascii: bool = False) -> str:
        """Return it as text.

        Parameters
        ----------
        width : int, optional
            Columns there are, at least 40; the terminal's by default. What does not fit is left out or set below, never
            wrapped.
        ascii : bool, default False
            Whether to do without the signs of mathematics.

        Raises
        ------
        TypeError
            If `width` is no whole number.
        """
        if width is None:
            return self._written(shutil.get_terminal_size().columns, ascii)
        if isinstance(width, bool) or not hasattr(width, "__index__"):
            message = f"to_text(width) takes a number of columns, such as 80; it got {width!r}"
            raise TypeError(message)
        return self._written(width, ascii)

    def __str__(self) -> str:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        try:
            self.signs.encode(encoding)
        except UnicodeEncodeError:
            return self.to_text(ascii=True)
        return self.to_text()

    def __repr__(self) -> str:
        return str(self)
