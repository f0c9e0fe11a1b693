"""A formula typed as text, such as ``sin(t)**2 + 2*cos(t)``, read into a function of its variables.

The text is never executed: `_scan` looks at its words, Python's own grammar says how they nest, and only
the kinds of node named in `_steps` are carried out.  Skip `_plain` at first reading: it is about keyboards.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import keyword
import math
import operator
import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from dualdiff import functions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["CONSTANTS", "FUNCTIONS", "Expression", "ExpressionError", "parse", "quote", "unknown"]

MAX_LENGTH = 1000  # characters
MAX_PARTS = 300  # nodes of the syntax tree
MAX_DEPTH = 50  # brackets in brackets, signs before signs, powers of powers
_TOO_LARGE = "is too large for a float: stay below 1.8e308"

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "π": math.pi, "e": math.e, "tau": math.tau}

# Names in other books and languages for functions we have.
_ALIASES = {
    "abs": "absolute", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "max": "maximum", "min": "minimum",
    "pow": "power",
}  # fmt: skip

# Names of functions we lack, and what to write in their place.
_ELSEWHERE = {
    "ln": "log(x)", "lg": "log10(x)", "root": "sqrt(x)", "sec": "1/cos(x)",
    "csc": "1/sin(x)", "cot": "1/tan(x)", "tg": "tan(x)", "arctg": "arctan(x)", "sgn": "sign(x)",
}  # fmt: skip

# Marks that are no part of a formula, and what to write in their place.
_MARKS = {
    "^": "use ** for powers, as in x**2",
    "=": "a formula has no =; give values apart from it, such as t=1.2",
    "|": "write abs(x) for |x|",
    ".": "a dot belongs inside a number; write sin(x) for np.sin(x)",
    "√": "write sqrt(x)",
    "°": "angles are in radians; write 30*pi/180",
    ";": "separate several outputs by a comma",
    **dict.fromkeys("<>", "there are no comparisons; maximum(x, y) and minimum(x, y) choose between two"),
    **dict.fromkeys("[]{}", "use round brackets ( )"),
    **dict.fromkeys("'\"`", "write names and numbers without quotes"),
}

# Signs that mean what a key of the keyboard means.
_KEYS = str.maketrans(dict.fromkeys("−–—", "-") | dict.fromkeys("·×⋅∙", "*") | dict.fromkeys("÷∕⁄", "/"))

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<mark>\*\*|//|[-+*/%(),])|(?P<other>[^ ])"
)

_OPERATORS: Mapping[type[ast.AST], tuple[str, Callable[..., Any]]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv), ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod), ast.Pow: ("**", operator.pow),
    ast.UAdd: ("+", operator.pos), ast.USub: ("-", operator.neg),
}  # fmt: skip


class ExpressionError(ValueError):
    """The text is no formula dualdiff can read; the message is one line and says the way out.

    Examples
    --------
    >>> from dualdiff.expression import parse
    >>> parse("x^2")
    Traceback (most recent call last):
    dualdiff.expression.ExpressionError: `^` in `x^2`: use ** for powers, as in x**2
    """


def _arity(name: str) -> int:
    """Return how many numbers a function makes one of, or 0 where it takes something else."""
    ufunc = getattr(np, name)
    if isinstance(ufunc, np.ufunc):
        return ufunc.nin if "d" * ufunc.nin + "->d" in ufunc.types else 0
    return 0 if name == "where" else len(inspect.signature(getattr(functions, name)).parameters)


_ARITY = {name: count for name in sorted(functions.__all__) if (count := _arity(name))}

FUNCTIONS: Mapping[str, str] = {name: name for name in _ARITY} | {
    alias: name for alias, name in _ALIASES.items() if name in _ARITY and alias not in _ARITY
}
"""Every function name a formula may use, and the name it has in `dualdiff.functions`."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One move on a stack of values: take ``takes`` of them off, put one on."""

    text: str  # the part of the formula that this step completes
    takes: int
    act: Any  # a constant, the name of a variable, or what is done with the values taken
    name: str = ""  # NumPy's name of the function, or the sign of the operator


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that has been read: call it with a value for each of its variables.

    Attributes
    ----------
    text : str
        The formula.
    names : tuple of str
        Its variables, in the order in which they appear.
    parts : tuple of Expression
        The outputs, where top-level commas make several.

    Examples
    --------
    >>> from dualdiff.expression import parse
    >>> f = parse("s*t + t**2")
    >>> f.names
    ('s', 't')
    >>> f(s=2.0, t=3.0)
    15.0
    """

    text: str
    names: tuple[str, ...]
    parts: tuple[Expression, ...] = ()
    _steps: tuple[_Step, ...] = ()

    def __call__(self, /, **values: Any) -> Any:
        """Return the value, or a tuple of values where the formula has several outputs.

        Raises
        ------
        ExpressionError
            If a variable has no value, or a value no variable.
        """
        for name in self.names:
            if name not in values:
                raise unknown(name, values)
        for name in values:
            if name not in self.names:
                have = ", ".join(self.names) or "none"
                raise _wrong(name, f"is not in {quote(self.text)}: its variables are {have}")
        if self.parts:
            return tuple(part(**{name: values[name] for name in part.names}) for part in self.parts)
        return [made for *_, made in self.walk(values)][-1]

    def walk(self, values: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any], Any]]:
        """Yield, innermost first, each part of a formula with one output: text, name, arguments, value."""
        stack: list[Any] = []
        for step in self._steps:
            kept = len(stack) - step.takes
            taken, stack = stack[kept:], stack[:kept]
            stack.append(_apply(step, taken, values))
            yield step.text, step.name, taken, stack[-1]


def parse(text: str) -> Expression:
    """Read a formula.

    Parameters
    ----------
    text : str
        Numbers, variables, ``+ - * / // % **``, brackets, the functions of `dualdiff.functions` under
        NumPy's names or the usual short ones (``asin``, ``abs``), and the constants pi, e and tau.
        Commas at the top level separate several outputs.

    Returns
    -------
    Expression
        A function of the variables, which takes floats, arrays and `Dual` alike.

    Raises
    ------
    ExpressionError
        If the text is no such formula, is longer than 1000 characters, has more than 300 parts or is nested
        deeper than 50, or if a part made of constants divides by zero or overflows.

    Examples
    --------
    >>> from dualdiff.expression import parse
    >>> parse("2x")
    Traceback (most recent call last):
    dualdiff.expression.ExpressionError: `2` is not joined to `x`: write 2*x, or put another operator
    """
    plain = text if len(text) > MAX_LENGTH else _plain(text)
    if len(plain) > MAX_LENGTH:
        raise _too_much(f"is {len(plain)} characters long", MAX_LENGTH)
    _scan(plain)
    try:
        body = ast.parse(plain, mode="eval").body
    except (RecursionError, MemoryError):  # how Python's parser says "too deep" depends on its version
        raise _too_much("is nested too deep", MAX_DEPTH) from None
    except SyntaxError:  # _scan leaves only numbers to be wrong
        raise _wrong(plain, "has an odd number: write 7 for 007 and 1000 for 1000_") from None
    size = sum(isinstance(node, ast.expr) for node in ast.walk(body))
    if size > MAX_PARTS:
        raise _too_much(f"has {size} parts", MAX_PARTS)
    nodes = body.elts if isinstance(body, ast.Tuple) else [body]
    parts = tuple(_expression(plain, node) for node in nodes)
    if len(parts) == 1:
        return parts[0]
    return Expression(plain, tuple(dict.fromkeys(name for part in parts for name in part.names)), parts)


def unknown(name: str, given: Iterable[str]) -> ExpressionError:
    """Return the error for a variable without a value, with a guess at what was meant.

    Examples
    --------
    >>> from dualdiff.expression import unknown
    >>> print(unknown("sinx", ["x"]))
    `sinx` has no value: write sin(x), or add sinx=1.0
    """
    names, known = [*given], {*given, *CONSTANTS}
    cuts = [(name[:i], name[i:]) for i in range(1, min(len(name), 40))]
    guesses = [f"{a}({b})" for a, b in cuts if a in FUNCTIONS and (b in known or len(b) == 1)]
    guesses += [f"{a}*{b}" for a, b in cuts if {a, b} <= known]
    guesses += difflib.get_close_matches(name[:40], names, 1, 0.7)
    guesses += [f"{close}(x)" for close in difflib.get_close_matches(name[:40], FUNCTIONS, 1, 0.7)]
    meant = f"write {guesses[0]}, or " if guesses else ""
    return _wrong(name, f"has no value: {meant}add {quote(name)[1:-1]}=1.0")


def quote(part: str) -> str:
    """Return a part of a text in backticks: on one line, printable, and at most 40 characters long.

    Examples
    --------
    >>> from dualdiff.expression import quote
    >>> print(quote("x**2"))
    `x**2`
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in part)
    return f"`{shown}`" if len(shown) <= 40 else f"`{shown[:37]}...`"


def _wrong(part: str, says: str) -> ExpressionError:
    return ExpressionError(f"{quote(part)} {says}")


def _too_much(what: str, limit: int) -> ExpressionError:
    way_out = "for more, define a Python function and use dualdiff.derivative"
    return ExpressionError(f"the expression {what}, and the limit is {limit}: {way_out}")


def _plain(text: str) -> str:
    """Write x² as x**2, × as *, x₁ as x1 and blanks as spaces; leave ½ and its like for `_scan` to refuse."""

    def form(char: str) -> str:
        kind = unicodedata.decomposition(char).partition(" ")[0]
        if kind == "<super>" or (unicodedata.category(char) == "No" and kind != "<sub>"):
            return kind or "none"
        return ""

    plain = ""
    for kind, run in groupby(re.sub(r"\s", " ", text), form):
        piece = "".join(run)
        if kind in {"", "<super>"}:
            piece = unicodedata.normalize("NFKC", piece).translate(_KEYS)
        power = piece if piece.isdigit() else f"({piece})"
        plain += f"**{power}" if kind == "<super>" else piece
    return plain.strip()


def _scan(text: str) -> None:
    """Refuse, with the way out, whatever is no formula: odd marks, words of Python, gaps, open brackets."""
    last, call, depth, signs = "", False, 0, 0
    ends = False  # a value ends here, so that an operator must follow
    for match in _TOKEN.finditer(text):
        token, at, kind = match.group(), match.start(), match.lastgroup
        empty = call and token == ")"  # f() waits for its arguments to be counted
        call = token == "(" and last.isidentifier()
        if kind == "other" or (kind == "name" and not token.isidentifier()):
            way_out = _MARKS.get(token[0], "numbers, names, + - * / // % ** ( ) and commas make a formula")
            way_out = way_out if token[0].isprintable() else "delete this invisible character"
            raise _wrong(token, f"in {quote(text[max(0, at - 12) : at + 12])}: {way_out}")
        if kind == "number" and math.isinf(float(token.replace("_", ""))):
            raise _wrong(token, _TOO_LARGE)
        if keyword.iskeyword(token):
            raise _wrong(token, f"is a word of Python: choose another name, such as {token}_")
        if last in FUNCTIONS and not call:
            raise _wrong(last, f"is a function: write {_call(last)}{'**2' if token == '**' else ''}")
        if ends and not call and (kind != "mark" or token == "("):
            product = f"{'(...)' if last == ')' else last}*{'(...)' if token == '(' else token}"
            way_out = _ELSEWHERE.get(last, f"{product}, or put another operator")
            raise _wrong(last, f"is not joined to {quote(token)}: write {way_out}")
        if not ends and kind == "mark" and token not in {"(", "+", "-"} and not empty:
            raise _wrong(token, "needs a number or a name before it: write one there, such as 2 or t")
        signs = signs + 1 if not ends and token in {"+", "-"} else 0
        depth += (token == "(") - (token == ")")
        if depth < 0:
            raise _wrong(text[: at + 1], "closes a bracket it does not open: leave out its last )")
        if max(depth, signs) > MAX_DEPTH:
            raise _too_much("is nested too deep", MAX_DEPTH)
        last, ends = token, kind != "mark" or token == ")"
    if last in FUNCTIONS:
        raise _wrong(last, f"is a function: write {_call(last)}")
    if not last:
        raise ExpressionError("the expression is empty: write one such as sin(t)**2 + 2*cos(t)")
    if not ends:
        raise _wrong(text, f"is not complete: write a number or a name after {quote(last)}")
    if depth:
        raise _wrong(text, f"leaves ( open: add {')' * depth} at its end")


def _call(name: str) -> str:
    return f"{name}({', '.join('xyz'[: _ARITY[FUNCTIONS[name]]])})"


def _expression(text: str, node: ast.expr) -> Expression:
    """Read one output."""
    steps = tuple(_steps(text, node, 1))
    names = dict.fromkeys(step.act for step in steps if isinstance(step.act, str))
    return Expression(ast.get_source_segment(text, node) or text, tuple(names), (), steps)


def _steps(text: str, node: ast.expr, depth: int) -> list[_Step]:
    """Write a node as moves on a stack; a part made of constants only is worked out at once."""
    part = ast.get_source_segment(text, node) or text
    if depth > MAX_DEPTH:
        raise _too_much("is nested too deep", MAX_DEPTH)
    match node:
        case ast.Constant(value=int() | float() as value):
            return [_Step(part, 0, float(value))]  # a float, for 9**9**9**9 of integers would never end
        case ast.Name(id=name):
            return [_Step(part, 0, CONSTANTS.get(name, name))]
        case ast.UnaryOp(op=op, operand=x) if type(op) in _OPERATORS:
            return _fold(_Step(part, 1, _OPERATORS[type(op)][1]), _steps(text, x, depth + 1))
        case ast.BinOp(left=x, op=op, right=y) if type(op) in _OPERATORS:  # a + b + c + … is long, not deep
            sign, act = _OPERATORS[type(op)]
            return _fold(_Step(part, 2, act, sign), _steps(text, x, depth), _steps(text, y, depth + 1))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            if name not in FUNCTIONS:
                close = difflib.get_close_matches(name[:40], FUNCTIONS, 1, 0.6)
                guess = (
                    _call(close[0])
                    if close
                    else f"{quote(name)[1:-1]}*(...) for a product, or see python -m dualdiff --help"
                )
                raise _wrong(name, f"is no function: write {_ELSEWHERE.get(name, guess)}")
            if len(args) != _ARITY[FUNCTIONS[name]]:
                raise _wrong(part, f"has {len(args)} arguments, not {_ARITY[FUNCTIONS[name]]}: write {_call(name)}")
            step = _Step(part, len(args), getattr(functions, FUNCTIONS[name]), FUNCTIONS[name])
            return [*(s for x in args for s in _steps(text, x, depth + 1)), step]
    raise _wrong(part, "is no formula: commas separate arguments or, outside brackets, outputs")


def _fold(step: _Step, *operands: list[_Step]) -> list[_Step]:
    """Append a step to those of its operands, or do it now where they are constants."""
    values = [steps[0].act for steps in operands if len(steps) == 1 and isinstance(steps[0].act, float)]
    if len(values) < step.takes:
        return [*(s for steps in operands for s in steps), step]
    try:
        value = step.act(*values)
    except ZeroDivisionError:
        raise _wrong(step.text, "divides by zero: choose another divisor") from None
    except OverflowError:
        value = math.inf
    if isinstance(value, complex):  # (-8)**(1/3), by Python's rules
        value = math.nan
    if math.isinf(value):
        raise _wrong(step.text, _TOO_LARGE)
    return [_Step(step.text, 0, value)]


def _apply(step: _Step, taken: list[Any], values: Mapping[str, Any]) -> Any:
    """Do one step.  Floats follow IEEE 754 as arrays do: 1/0 is inf and (-8)**(1/3) is nan."""
    __source__ = step.text  # noqa: F841 - dualdiff.lecture.source reads it, to show this part of the formula
    if not step.takes:
        made = values[step.act] if isinstance(step.act, str) else step.act
        return float(made) if isinstance(made, int) else made
    floats = all(isinstance(x, float) for x in taken)
    try:
        made = step.act(*taken)
        if not (floats and isinstance(made, complex)):
            return made
    except (OverflowError, ZeroDivisionError) as error:
        if not floats:
            raise _wrong(step.text, f"has no value here ({error}): choose another point") from None
    return float(step.act(np.float64(taken[0]), taken[1]))
