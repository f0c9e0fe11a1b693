"""The slips that check names: wrong claims with the words that tell what went wrong, and none of them accepted."""

import numpy as np
import pytest
from numpy import arctan, cos, cosh, exp, log, pi, sin, sinh, sqrt, tan, tanh

from dualdiff.lecture.checked.chains import chained
from dualdiff.lecture.checked.checking import check
from dualdiff.lecture.checked.slips import Words, slips
from dualdiff.lecture.run import recorded

# f, a wrong derivative of it, and what the explanation has to say.
WRONG = [
    # 1: sin² + 2·cos
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: 2 * sin(t) * (cos(t) + 1), "sign of the term through `2 * cos(t)`"),
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: 2 * sin(t) ** 2 * cos(t) - 2 * sin(t), "was not lowered"),
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: sin(t) * cos(t) - 2 * sin(t), "was not brought down"),
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: 2 * sin(t) - 2 * sin(t), "inner derivative of `sin(t)`"),
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: 2 * sin(t) * cos(t), "the term `2 * cos(t)`"),
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: -2 * sin(t), "the term `sin(t) ** 2`"),
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: 2 * sin(t) * cos(t) - sin(t), "constant factor 2 of `2 * cos(t)`"),
    (lambda t: sin(t) ** 2 + 2 * cos(t), lambda t: 2 * sin(t) * cos(t) + 2 * cos(t), "to cos where −sin belongs"),
    # 2: t·sin(3t)
    (lambda t: t * sin(3 * t), lambda t: sin(3 * t) + t * cos(3 * t), "by the inner derivative of `3 * t`"),
    (lambda t: t * sin(3 * t), lambda t: 3 * t * cos(3 * t), "product rule half done"),
    (lambda t: t * sin(3 * t), lambda t: sin(3 * t), "product rule half done"),
    (lambda t: t * sin(3 * t), lambda t: 3 * cos(3 * t), "product of the derivatives"),
    (lambda t: t * sin(3 * t), lambda t: sin(3 * t) - 3 * t * cos(3 * t), "sign"),
    (lambda t: t * sin(3 * t), lambda t: sin(3 * t) + 3 * t * sin(3 * t), "to sin where cos belongs"),
    (lambda t: t * sin(3 * t), lambda t: sin(3 * t) + 3 * t * cos(3), "at the inner derivative"),
    # 3: log(t)/t
    (lambda t: log(t) / t, lambda t: (1 - log(t)) / t, "denominator was not squared"),
    (lambda t: log(t) / t, lambda t: (1 + log(t)) / t**2, "quotient rule for `log(t) / t`: the sign between"),
    (lambda t: log(t) / t, lambda t: (log(t) - 1) / t**2, "swapped"),
    (lambda t: log(t) / t, lambda t: 1 / t, "quotient of the derivatives"),
    (lambda t: log(t) / t, lambda t: 1 / t**2, "quotient rule half done"),
    (lambda t: log(t) / t, lambda t: 1 + log(t), "the product rule was used on the quotient"),
    # 4: exp(−t²)
    (lambda t: exp(-(t**2)), lambda t: exp(-(t**2)), "inner derivative"),
    (lambda t: exp(-(t**2)), lambda t: 2 * t * exp(-(t**2)), "the minus sign of `-(t**2)` was lost"),
    (lambda t: exp(-(t**2)), lambda t: -(t**2) * exp(-(t**2) - 1) * -2 * t, "power rule was used on `exp(-(t**2))`"),
    (lambda t: exp(-(t**2)), lambda t: -2 * t, "left out of the chain"),
    # 5: sqrt(1 + t²)
    (lambda t: sqrt(1 + t**2), lambda t: 1 / (2 * sqrt(1 + t**2)), "inner derivative of `1 + t**2`"),
    (lambda t: sqrt(1 + t**2), lambda t: 2 * t / sqrt(1 + t**2), "½"),
    (lambda t: sqrt(1 + t**2), lambda t: t * sqrt(1 + t**2), "½"),
    (lambda t: sqrt(1 + t**2), lambda t: (1 + 2 * t) / (2 * sqrt(1 + t**2)), "constant 1 in `1 + t**2` was kept"),
    # 6: t⁵ − 4·t + 7
    (lambda t: t**5 - 4 * t + 7, lambda t: 5 * t**5 - 4, "exponent of `t**5` was not lowered"),
    (lambda t: t**5 - 4 * t + 7, lambda t: t**4 - 4, "5 of `t**5` was not brought down"),
    (lambda t: t**5 - 4 * t + 7, lambda t: 4 * t**4 - 4, "old exponent 5 that comes down"),
    (lambda t: t**5 - 4 * t + 7, lambda t: 5 * t**4 - 4 + 7, "the constant 7"),
    (lambda t: t**5 - 4 * t + 7, lambda t: 5 * t**4, "the term `4 * t`"),
    (lambda t: t**5 - 4 * t + 7, lambda t: 5 * t**4 + 4, "sign of the term through `4 * t`"),
    (lambda t: t**5 - 4 * t + 7, lambda t: 5 * t**4 - 4 * t, "`4 * t` was left undifferentiated"),
    (lambda t: t**5 - 4 * t + 7, lambda t: t**6 / 6 - 4, "`t**5` was integrated"),
    # 7: 1/t²
    (lambda t: 1 / t**2, lambda t: 2 / t**3, "sign"),
    (lambda t: t**-2, lambda t: -2 / t, "raised by one"),
    (lambda t: 1 / t**2, lambda t: 1 / (2 * t), "over the derivative of its denominator"),
    # 8: 2^t
    (lambda t: 2.0**t, lambda t: 2.0**t, "ln 2"),
    (lambda t: 2.0**t, lambda t: t * 2.0 ** (t - 1), "power rule was used"),
    # 9: tan, arctan, tanh
    (lambda t: tan(2 * t), lambda t: 1 / cos(2 * t) ** 2, "inner derivative of `2 * t`"),
    (lambda t: tan(2 * t), lambda t: 2 / cos(2 * t), "with the square"),
    (lambda t: tan(2 * t), lambda t: -2 / sin(2 * t) ** 2, "1/tan"),
    (lambda t: arctan(t / 2), lambda t: 0.5 / (1 - t**2 / 4), "1 + (…)²"),
    (lambda t: arctan(t / 2), lambda t: 1 / (1 + t**2 / 4), "inner derivative of `t / 2`"),
    (lambda t: tanh(t) + 2, lambda t: 1 + tanh(t) ** 2, "1 − tanh²"),
    # 10: cosh·sinh
    (lambda t: t * cosh(t), lambda t: cosh(t) - t * sinh(t), "sign"),
    (lambda t: t * cosh(t), lambda t: cosh(t) + t * cosh(t), "to cosh where sinh belongs"),
    # 11: exp(sin(t²)), a chain of three
    (lambda t: exp(sin(t**2)), lambda t: exp(sin(t**2)) * cos(t**2), "inner derivative of `t**2`"),
    (lambda t: exp(sin(t**2)), lambda t: exp(sin(t**2)), "inner derivative of `sin(t**2)`"),
    (lambda t: exp(sin(t**2)), lambda t: exp(sin(t**2)) * 2 * t, "left out of the chain"),
    (lambda t: exp(sin(t**2)), lambda t: exp(cos(t**2) * 2 * t), "at the inner derivative"),
    (lambda t: exp(sin(t**2)), lambda t: -exp(sin(t**2)) * cos(t**2) * 2 * t, "sign"),
    # 12: log(3t), and a factor that is constant
    (lambda t: log(3 * t + 1), lambda t: 1 / (3 * t + 1), "inner derivative of `3 * t + 1`"),
    (lambda t: log(t**2 + 1), lambda t: 1 / (2 * t), "at the inner derivative"),
    (lambda t: pi * t**2, lambda t: 2 * t, "constant factor"),
    (lambda t: t**2 / 5, lambda t: 2 * t, "constant divisor 5"),
    (lambda t: cos(t) * exp(t), lambda t: 3 * (cos(t) - sin(t)) * exp(t), "the claim is 3 times the derivative"),
    (lambda t: cos(t) * exp(t), lambda t: (sin(t) - cos(t)) * exp(t), "the sign"),
    (lambda t: t**t, lambda t: t * t ** (t - 1), "part through the exponent"),
    (lambda t: t**t, lambda t: t**t * log(t), "part through the base"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "claim", "words"), WRONG)
def test_a_wrong_claim_is_refused_and_its_slip_is_named(f, claim, words):
    """Each wrong derivative of a number is refused, and one of the explanations says what went wrong."""
    result = check(f, claim)

    assert not result
    assert any(words in text for text in result.slips), str(result)


LOGARITHMS_AND_POWERS = [
    (np.log10, lambda t: 1 / t, "the ln of its base is missing"),
    (np.log2, lambda t: log(2) / t, "stands above"),
    (np.exp2, np.exp2, "the factor ln 2 is missing"),
    (lambda t: 3.0**t, lambda t: 3.0**t / log(3), "was divided by ln 3"),
    (np.square, lambda t: 2 * t**2, "was not lowered"),
    (lambda t: t * t, lambda t: t, "both factors move"),
    (np.reciprocal, lambda t: log(abs(t)), "was integrated"),
    (lambda t: 5 / t, lambda t: -5 / t, "the denominator was not squared"),
    (lambda t: 5 / t, lambda t: -1 / t**2, "the numerator 5 was lost"),
    (lambda t: t / sin(t), lambda t: (sin(t) - cos(t)) / sin(t) ** 2, "the numerator itself is missing"),
    (lambda t: t * exp(t) * cos(t), lambda t: (exp(t) + t * exp(t)) * cos(t), "half done"),
    (lambda t: (t + 2) ** sin(t), lambda t: (t + 2) ** sin(t) * cos(t) * log(t + 2), "part through the base"),
    (lambda t: t**3, lambda t: 3 * t, "was lowered by two"),
    (lambda t: t**3, lambda t: 3.0, "only the exponent came down"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "claim", "words"), LOGARITHMS_AND_POWERS)
def test_slips_with_logarithms_and_powers(f, claim, words):
    """Bases and exponents have slips of their own."""
    result = check(f, claim)

    assert not result
    assert any(words in text for text in result.slips), str(result)


def test_a_slip_on_one_branch():
    """At points where f goes another way the claim is right, and the slip explains every point still."""

    def f(t):
        return t**4 if t < 0.3 else sin(t)

    result = check(f, lambda t: t**3 if t < 0.3 else cos(t))

    assert ["the exponent 4 of `t**4` was not brought down as a factor"] == result.slips


def in_steps(t):
    """Return a function with names for what is inside."""
    x = t**2
    y = sin(x)
    z = x * y
    return exp(-z)


def in_steps_wrong(inner, first, last):
    """Return a derivative of it: what d sin(x), the term of x and the whole are multiplied by."""

    def claim(t):
        x = t**2
        y = sin(x)
        return -exp(-x * y) * (first * 2 * t * y + x * cos(x) * inner(t)) * last

    return claim


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (in_steps_wrong(lambda t: 1, 1, 1), "by the inner derivative of `x`, which is `t**2`"),
        (in_steps_wrong(lambda t: 0, 1, 1), "the part with the derivative of `y` (which is `sin(x)`) is missing"),
        (in_steps_wrong(lambda t: 2 * t, 0, 1), "the part with the derivative of `x` (which is `t**2`) is missing"),
        (in_steps_wrong(lambda t: 2 * t, 1, -1), "the minus sign of `-z` was lost"),
    ],
)
def test_variables_are_called_by_their_names(claim, words):
    """Where f gives a name to what is inside, the slip is told with the name and with what it stands for."""
    result = check(in_steps, claim)

    assert any(words in text for text in result.slips), str(result)


def test_names_stay_away_where_they_say_nothing():
    """What is written out has no other name, nor has an input, nor what f changes in place."""

    def changed(t):
        z = t**2
        z += t
        return sin(z)

    for f, claim, words in (
        (lambda t: sin(t**2), lambda t: cos(t**2), "by the inner derivative of `t**2`"),
        (changed, lambda t: cos(t**2 + t), "by the inner derivative of `z += t`"),
        (lambda t: t * sin(t), lambda t: sin(t), "the part with the derivative of `sin(t)` is missing"),
    ):
        (slip,) = [text for text in check(f, claim).slips if text.endswith(words)]
        assert "which is" not in slip


def test_a_slip_in_some_entries_says_in_which():
    """Several entries may have the same slip, and the others none."""
    result = check(
        lambda x, y, z: sin(x * y * z), lambda x, y, z: (cos(x * y * z), cos(x * y * z), x * y * cos(x * y * z))
    )

    assert not result
    assert any(slip.startswith("in ∂f/∂x, ∂f/∂y: ") and "inner derivative" in slip for slip in result.slips), str(
        result
    )


def test_slips_of_arrays():
    """A matrix that was not transposed, and half a product."""
    A = np.array([[2.0, 1.0], [0.5, 3.0]])
    points = [np.array([1.0, -2.0]), np.array([0.3, 0.7])]
    turned = check(lambda x: np.sum(sin(A @ x)), lambda x: A @ cos(A @ x), at=points)
    half = check(lambda x: x @ x, lambda x: x, at=points)

    assert any("its transpose belongs" in slip for slip in turned.slips), str(turned)
    assert any("product rule half done: in `x @ x` both factors move" in slip for slip in half.slips), str(half)


# --- random functions, differentiated by hand with one slip -----------------------------------------------------------


class Hand:
    """Differentiates an expression by the rules of the book, and slips once, at its step number `slip`."""

    def __init__(self, slip, rng):
        self.slip, self.rng, self.step, self.made = slip, rng, 0, None

    def choose(self, right, **wrong):
        """Return what is right, or at the step of the slip something that is not."""
        self.step += 1
        if self.step - 1 != self.slip:
            return right
        self.made = str(self.rng.choice(list(wrong)))
        return wrong[self.made]

    def derivative(self, tree):
        """Return the derivative of an expression as text."""
        if isinstance(tree, str):
            return "1" if tree == "t" else "0"
        name, *parts = tree
        texts, inner = [written(part) for part in parts], [self.derivative(part) for part in parts]
        if name in ("+", "-"):
            (a, b), other = inner, {"+": "-", "-": "+"}[name]
            return self.choose(f"({a} {name} {b})", sign=f"({a} {other} {b})", term=f"({a})")
        (x, *y), (dx, *dy) = texts, inner
        if name == "*":
            u, du = y[0], dy[0]
            return self.choose(
                f"({dx}*{u} + {x}*{du})", half=f"({dx}*{u})", sign=f"({dx}*{u} - {x}*{du})", both=f"({dx}*{du})"
            )
        if name == "/":
            u, du = y[0], dy[0]
            top = f"({dx}*{u} - {x}*{du})"
            return self.choose(f"({top}/{u}**2)", square=f"({top}/{u})", swapped=f"(-{top}/{u}**2)", half=f"({dx}/{u})")
        outer = OUTER[name].format(x)
        wrong = {"sign": f"(-{outer}*{dx})", "outer": dx}
        if dx not in ("0", "1"):
            wrong["inner"] = outer
        return self.choose(f"({outer}*{dx})", **wrong)


OUTER = {
    "sin": "np.cos({0})", "cos": "(-np.sin({0}))", "exp": "np.exp({0})", "arctan": "(1/(1 + {0}**2))",
    "cube": "(3*{0}**2)", "tanh": "(1 - np.tanh({0})**2)",
}  # fmt: skip


def written(tree):
    """Return an expression as text."""
    if isinstance(tree, str):
        return tree
    name, *parts = tree
    texts = [written(part) for part in parts]
    if len(parts) == 2:
        return f"({texts[0]} {name} {texts[1]})"
    return f"({texts[0]}**3)" if name == "cube" else f"np.{name}({texts[0]})"


def grown(rng, depth):
    """Return a random expression in t."""
    if depth == 0:
        return str(rng.choice(["t", "t", "t", "2.0", "0.7"]))
    name = str(rng.choice(["+", "-", "*", "*", "/", *OUTER]))
    if name == "/":
        return "/", grown(rng, depth - 1), ("+", ("*", *[grown(rng, depth - 1)] * 2), "1.5")
    return (name, *(grown(rng, depth - 1) for _ in range(2 if name in "+-*" else 1)))


def function(text):
    """Return an expression in t as a function."""
    return eval(f"lambda t: {text}", {"np": np})  # noqa: S307 - written above


def slipped():
    """Yield random functions with a wrong derivative, where the slip changes it, and what the slip was."""
    rng = np.random.default_rng(5)
    points = np.array([-1.3, -0.4, 0.3, 0.8, 1.7])
    while True:
        tree = grown(rng, int(rng.integers(2, 4)))
        count = Hand(-1, rng)
        right = count.derivative(tree)
        if count.step == 0:
            continue
        hand = Hand(int(rng.integers(count.step)), rng)
        wrong = hand.derivative(tree)
        a, b = (np.broadcast_to(function(text)(points), points.shape) for text in (right, wrong))
        if np.all(np.isfinite(a)) and np.max(np.abs(a - b)) > 1e-3 and np.max(np.abs(a)) < 1e3:
            yield written(tree), right, wrong, hand.made


def test_random_slips_are_named():
    """Of 100 random functions differentiated with one slip none passes, and 85 slips or more have a name."""
    named = 0
    for (f, right, wrong, _), _ in zip(slipped(), range(100), strict=False):
        assert check(function(f), function(right)), (f, right)
        result = check(function(f), function(wrong))

        assert not result, (f, wrong)
        named += bool(result.slips)

    assert named >= 85


def test_moving_elements_is_no_step_to_slip_on():
    """Whatever the tables know as a move or a join is treated as one: it is no constant, and its operands are rows."""
    x = np.array([0.5, 1.2, 2.0])

    def texts(f, *args):
        chains = chained(recorded(f, None, list(args), {}))
        return [slip.text for slip in slips(chains, Words(chains))]

    for move in (np.flip, np.squeeze, lambda y: np.roll(y, 1), lambda y: np.repeat(y, 2), np.diagflat, np.transpose):
        found = texts(lambda y, move=move: np.exp(move(np.sin(y))), x)
        assert 2 == sum("was treated as a constant" in text for text in found)  # of exp and sin
    for join in (np.stack, np.dstack, np.column_stack):
        found = texts(lambda s, t, join=join: np.exp(join([s * s, t])), 0.5, 1.2)
        assert 2 == sum("is missing: zeros stand there" in text for text in found)
