"""chain, asked what it cannot answer: every message, and the way out that it names."""

import numpy as np
import pytest
from chains import classic, f, g

import dualdiff as dd
from dualdiff.lecture.chained.chaining import chain


def test_too_many_numbers_for_the_parameters():
    """The message names both sizes and both functions; both ways out work."""

    def three(s):
        return np.stack([s, s, s])

    with pytest.raises(ValueError, match=r"three returns 3 numbers but f takes 2 \(x1, x2\)\. Let three return 2, as "):
        chain(f, three)(2.0)
    assert [[6.0]] == chain(f, lambda s: np.stack([s, s]))(2.0).product.tolist()
    assert [[6.0]] == chain(lambda x: f(x[0], x[1]), three)(2.0).product.tolist()


def test_too_few_numbers_for_the_parameters():
    """One number for two parameters; the way out is to return two."""
    with pytest.raises(
        ValueError, match=r"sin returns 1 number but f takes 2 \(x1, x2\)\. Let sin return 2, as np\.st"
    ):
        chain(f, np.sin)(2.0)
    assert [[2.0]] == chain(f, lambda s: np.stack([np.sin(s), s]))(0.0).product.tolist()


def unpacking(x):
    """Return a product of exactly two numbers."""
    a, b = x
    return a * b


@pytest.mark.parametrize(
    ("outer", "size"),
    [(lambda x: np.ones((1, 2)) @ x, 2), (unpacking, 2), (lambda x: x[3], 4), (lambda x: x * np.ones(2), 2)],
    ids=["matmul", "unpacked", "indexed", "broadcast"],
)
def test_arrays_of_the_wrong_length(outer, size):
    """Where f takes one array, its length is found out; the way out is to return that many."""
    with pytest.raises(
        (ValueError, IndexError), match=rf"returns 3 numbers but \w+ takes {size} \(x\): .+ return {size}"
    ):
        chain(outer, lambda s: np.stack([s, s, s]))(2.0)
    assert chain(outer, lambda s: np.stack([s] * size))(2.0).agrees


def test_other_failures_are_told_with_the_shape():
    """What is no matter of size keeps its text, with the shape that f was given."""

    def picky(x):
        if np.any(x > 1):
            message = "only up to 1"
            raise ValueError(message)
        return np.sum(x)

    with pytest.raises(
        ValueError, match=r"g returns 2 numbers, of shape \(2,\), which picky does not take: only up to 1"
    ):
        chain(picky, g)(2.0, 3.0)
    assert chain(picky, g)(0.5, 0.25).agrees


def test_errors_of_their_own_kind_stay_what_they_are():
    """A singular matrix is NumPy's own error, and a function without a rule is NoRuleError."""
    with pytest.raises(np.linalg.LinAlgError):
        chain(np.linalg.inv, lambda s: np.ones((2, 2)) * s)(2.0)
    with pytest.raises(dd.NoRuleError):
        chain(np.unwrap, lambda s: np.ones(2) * s)(2.0)


def test_a_function_without_parameters():
    """It cannot take anything; given a parameter it can."""
    with pytest.raises(
        ValueError, match=r"sin returns 1 number but f takes 0\. Give f a parameter for what sin returns"
    ):
        chain(lambda: 3.0, np.sin)(2.0)
    assert [[0.0]] == chain(lambda _: 3.0, np.sin)(2.0).product.tolist()


def test_no_functions_and_no_function():
    """chain() and chain(f(x)) are told what was meant."""
    with pytest.raises(TypeError, match=r"without functions: chain\(f, g\)\(x\) is about f\(g\(x\)\)"):
        chain()
    with pytest.raises(
        TypeError, match=r"takes functions; it got 3\.0\. The point comes in brackets of its own: chain"
    ):
        chain(np.sin, 3.0)
    with pytest.raises(TypeError, match="missing a required argument: 'x2'"):
        chain(f)(2.0)


def test_arguments_that_are_no_numbers():
    """A text is refused; by keyword it is f's own matter."""
    scaled = lambda x, kind="none": x * {"none": 1, "double": 2}[kind]

    with pytest.raises(
        TypeError, match=r"chain\(\) is about numbers and arrays; f was given 'double'\. Give it by key"
    ):
        chain(scaled)(2.0, "double")
    assert [[2.0]] == chain(scaled)(2.0, kind="double").product.tolist()


def test_inside_another_derivative():
    """A chain shows numbers, so it is refused what another derivative moves."""
    with pytest.raises(TypeError, match="it got a Dual, whose derivative has not returned: call chain outside of it"):
        dd.derivative(lambda x: chain(np.sin)(x).value)(1.0)


def test_entries_that_are_not_there():
    """A wrong name or place is told which ones there are."""
    with pytest.raises(KeyError, match="there is no input 'q': the inputs are s, t"):
        classic().entry(0, "q")
    with pytest.raises(IndexError, match="output 2 is to be one of 1: f"):
        classic().entry(2, 0)


def test_nothing_in_nothing_out():
    """Empty arrays make empty matrices, which print all the same."""
    shown = chain(lambda x: 2 * x, lambda x: x)(np.zeros(0))

    assert (0, 0) == shown.product.shape
    assert "(0 × 0)" in shown.to_text(80)


@pytest.mark.parametrize(
    ("inner", "told"),
    [
        (lambda s: None, "g returned None, and chain"),
        (lambda s: (s, None), "g returned None inside its result, and chain"),
        (lambda s: "s", "g returned 's', and chain"),
        (lambda s: (s for _ in range(2)), "g returned a generator, and chain"),
        (lambda s: lambda t: s * t, "g returned a function, and chain"),
    ],
)
def test_results_that_are_no_numbers(inner, told):
    """The function that returned them is named, and where it is defined."""
    square = lambda x: x**2

    with pytest.raises(
        TypeError, match=rf"^{told}\(\) is about numbers and arrays\. .+ Let g return numbers \(defined at"
    ):
        chain(square, inner)(1.0)
    with pytest.raises(TypeError, match="^" + told.replace("g ", "f ", 1)):
        chain(inner, square)(1.0)
    assert [[2.0]] == chain(square, lambda s: s)(1.0).product.tolist()


def test_complex_numbers_between_the_functions():
    """A function that is not complex differentiable is named with the one that made it so; both ways out work."""
    size = lambda z: np.abs(z)

    with pytest.raises(
        ValueError, match=r"^g returns complex numbers, and f is not complex differentiable there: .+ Let g return np"
    ):
        chain(size, lambda s: s + 1j)(2.0)
    parts = chain(lambda a, b: np.hypot(a, b), lambda s: (np.real(s + 1j), np.imag(s + 1j)))(2.0)
    assert [[2 / np.sqrt(5)]] == pytest.approx(np.array(parts.product.tolist()))
    with pytest.raises(
        ValueError, match=r"^f was given complex numbers, .+ Put lambda x, y: f\(x \+ 1j\*y\) in place of f"
    ):
        chain(size)(2.0 + 1j)
    assert np.allclose([[2, 1]] / np.sqrt(5), chain(lambda x, y: size(x + 1j * y))(2.0, 1.0).product)
    assert [[1j]] == chain(lambda z: 1j * z, lambda s: s)(2.0).product.tolist()
