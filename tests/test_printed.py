"""What prints at the desk prints as wide as the terminal, in the signs it has."""

import io
import sys

import numpy as np
import pytest

import dualdiff as dd

SHOWN = {
    "trace": lambda: dd.trace(lambda x: np.sin(x) * x)(2.0),
    "chain": lambda: dd.chain(lambda x: x**2, np.sin)(2.0),
    "compare": lambda: dd.compare(lambda x: np.sin(x) * x, seconds=0.05, sizes=[1, 2])(2.0),
}


@pytest.fixture(params=SHOWN, scope="module")
def shown(request):
    """Return one of the things that print."""
    return SHOWN[request.param]()


def test_as_wide_as_the_terminal(shown, monkeypatch):
    """Without a width it is the terminal's."""
    monkeypatch.setenv("COLUMNS", "57")

    assert shown.to_text(57) == shown.to_text() == str(shown) == repr(shown)


def test_in_the_signs_of_the_terminal(shown, monkeypatch):
    """Where mathematics' signs cannot be shown, there are none."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))

    assert str(shown).isascii()
    assert not shown.to_text().isascii()


@pytest.mark.parametrize("width", ["80", 40.5, True])
def test_a_width_that_is_none(shown, width):
    """It is refused, and the way out works."""
    with pytest.raises(TypeError, match="a number of columns, such as 80"):
        shown.to_text(width)
    assert shown.to_text(80)
