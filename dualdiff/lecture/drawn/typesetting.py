"""Formulas in LaTeX: the syntax tree of the text is walked, and brackets are set where precedence asks for them.

Only commands of amsmath are used, so that the result also works in MathJax and KaTeX.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from dualdiff.lecture.drawn.grammar import SUPERSCRIPTS, indexed, plain, tree

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["latex", "latex_accented", "latex_factor", "latex_text"]

# How tightly a part binds; one that binds less tightly than its place asks for is put in brackets.
CHOICE, OR, AND, NOT, COMPARED, BITS, SUM, REMAINDER, PRODUCT, SIGNED, APPLIED, RAISED, FRACTION, ATOM = range(14)
OPEN, CLOSE = "\x01\x02"  # around the argument of a function until it is known whether brackets are needed

_NAMED = {name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan")}
_NAMED |= {"log": r"\ln", "log2": r"\log_{2}", "log10": r"\log_{10}"}
_FENCED = {
    "sqrt": r"\sqrt{%s}", "cbrt": r"\sqrt[3]{%s}", "abs": r"\left\lvert %s \right\rvert",
    "floor": r"\left\lfloor %s \right\rfloor", "ceil": r"\left\lceil %s \right\rceil",
}  # fmt: skip
_FENCED |= {"absolute": _FENCED["abs"], "fabs": _FENCED["abs"]}
_EXPONENTIAL = {"exp": "e^{%s}", "exp2": "2^{%s}"}
_OPERATORS: dict[str, Callable[[ast.expr], ast.expr]] = {
    "square": lambda x: ast.BinOp(x, ast.Pow(), ast.Constant(2)),
    "reciprocal": lambda x: ast.BinOp(ast.Constant(1), ast.Div(), x),
    "negative": lambda x: ast.UnaryOp(ast.USub(), x),
    "transpose": lambda x: ast.Attribute(x, "T", ast.Load()),
}
_LISTED = {"maximum": r"\max", "minimum": r"\min", "max": r"\max", "min": r"\min"}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: r"\ne", ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge", ast.In: r"\in",
    ast.NotIn: r"\notin", ast.Is: r"\equiv", ast.IsNot: r"\not\equiv",
}  # fmt: skip
_BITWISE: dict[type[ast.operator], str] = {
    ast.BitAnd: r"\land", ast.BitOr: r"\lor", ast.BitXor: r"\oplus", ast.LShift: r"\ll", ast.RShift: r"\gg",
}  # fmt: skip

_MODULES = "np|numpy|math|linalg|fft|scipy|special|dd|dualdiff"

_LETTERS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi",
    "Ω": "Omega",
}  # fmt: skip
_SPELLED = {*_LETTERS.values(), "epsilon", "phi"} - {"varepsilon", "varphi", "lambda"}

# Signs with a meaning in LaTeX: outside \text, where MathJax and KaTeX know the same escapes as LaTeX.
_ESCAPED = {
    "\\": r"\backslash ", "_": r"\_", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$", "{": r"\{", "}": r"\}",
    "^": r"\wedge ", "~": r"\sim ", "·": r"{\cdot}", "−": "-", "×": r"{\times}", "<": "<", ">": ">",
    "↓": r"\downarrow ", "↑": r"\uparrow ", "←": r"\leftarrow ", "→": r"\rightarrow ", "…": r"\ldots ",
    "∂": r"\partial ", "∇": r"\nabla ", "√": r"\surd ", "∘": r"\circ ", "≈": r"\approx ", "≤": r"\le ", "≥": r"\ge ",
    "≠": r"\ne ", "∞": r"\infty ", "½": r"\tfrac{1}{2}", "′": r"\prime ", "µ": r"\mu ",
    **{c: rf"\{name} " for c, name in _LETTERS.items()},
}  # fmt: skip
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_MOVED = str.maketrans(f"{SUPERSCRIPTS}⁻{_SUBSCRIPTS}", "0123456789-0123456789")
_WRITTEN = " ← "  # between an entry and what is written into it


class _Strange(Exception):  # noqa: N818 - a signal to show the text as it is
    """Raised where a formula has a part that no mathematics is known for."""


def latex(formula: str) -> str:
    r"""Formula in LaTeX.

    Parameters
    ----------
    formula : str
        Text in the signs of a trace, such as ``"log(x1) + x1·x2"``.

    Returns
    -------
    str
        For use in math mode.  A text that is no expression is set as text, in which letters that amsmath has no
        command for, such as 값, are left to the fonts of the reader.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import latex
    >>> print(latex("log(x1)/x2 − sin(t)²"))
    \frac{\ln x_{1}}{x_{2}} - \sin^{2} t
    """
    return _written(formula, lambda walk, node: walk.inside(node))


def latex_factor(formula: str) -> str:
    """Return a formula in LaTeX as it stands in a product, before or behind other factors."""
    return _written(formula, lambda walk, node: _closed(walk.at(node, PRODUCT, signed=False)))


def latex_accented(name: str, accent: str) -> str:
    r"""Return a name with an accent such as \dot on its letter."""
    node = tree(name)
    try:
        if isinstance(node, ast.Name | ast.Subscript | ast.Attribute):
            return _Walk(accent).inside(node)
    except (_Strange, RecursionError):
        pass
    return rf"{accent}{{{latex_text(name)}}}"


def latex_text(text: str) -> str:
    r"""Return any text for math mode: words in \text, signs with a meaning of their own escaped beside them."""
    signs, raised = "".join(map(re.escape, _ESCAPED)), f"⁻{SUPERSCRIPTS}"
    pieces = re.findall(f"[{raised}]+|[{_SUBSCRIPTS}]+|[{signs}]|[^{signs}{raised}{_SUBSCRIPTS}]+", plain(text))
    return "".join(map(_piece, pieces, ["", *pieces]))


def _piece(piece: str, before: str) -> str:
    """Return a piece of a text: a sign by its command, an index or a power, or words."""
    if piece[0] in _ESCAPED:
        return _ESCAPED[piece]
    scripts = f"⁻{SUPERSCRIPTS}{_SUBSCRIPTS}"
    if piece[0] in scripts:
        base = "{}" if not before or before[0] in scripts else ""
        return f"{base}{'_' if piece[0] in _SUBSCRIPTS else '^'}{{{piece.translate(_MOVED)}}}"
    mark = "◌" * bool(unicodedata.combining(piece[0]))  # a mark needs something to stand on
    return rf"\text{{{mark}{piece}}}"


def _written(formula: str, walked: Callable[[_Walk, ast.expr], str]) -> str:
    node = tree(formula)
    if node is None and _WRITTEN in formula:
        left, right = formula.split(_WRITTEN, 1)
        return rf"{_written(left, walked)} \leftarrow {_written(right, walked)}"
    try:
        return latex_text(formula) if node is None else walked(_Walk(), node)
    except (_Strange, RecursionError):
        return latex_text(formula)


def _name(name: str, accent: str = "") -> str:
    """Return x1 as x_{1}, speed as upright letters, alpha as its letter."""
    base, below = indexed(name)
    if not below and (split := re.fullmatch(r"([^_])_(\w*[^\W_])", name)):
        base, below = split.groups()
        below = below if below.isdecimal() and below.isascii() else _upright(below)
    elif not below and (split := re.fullmatch(r"(.*[^\W_])_([0-9]+)", name)):
        base, below = split.groups()
    letter = base if len(base) == 1 and base.isascii() and base.isalpha() else None
    greek = _LETTERS.get(base) or (base if base in _SPELLED else None)
    if accent:
        bare = rf"\{letter}math" if letter in {"i", "j"} else letter or (greek and rf"\{greek}")
        body = f"{accent} {bare}" if bare else f"{accent}{{{_upright(base)}}}"
    else:
        body = letter or (rf"\{greek}" if greek else _upright(base))
    return f"{body}_{{{below}}}" if below else body


def _upright(name: str) -> str:
    """Return a name of several letters; those LaTeX's math fonts lack are set as text."""
    if name.isascii():
        return rf"\mathrm{{{_underscored(name)}}}"
    text = latex_text(name)
    return text if re.fullmatch(r"\\text\{[^{}]*\}", text) else f"{{{text}}}"


def _underscored(name: str) -> str:
    return name.replace("_", r"\_").replace("*", "{*}")


def _number(value: Any) -> tuple[str, int]:
    """Return a number of the formula with all its digits, and how tightly it binds."""
    if isinstance(value, complex):
        text, _ = _number(value.imag)
        return rf"{text}\,\mathrm{{i}}", PRODUCT
    if isinstance(value, float) and value == float("inf"):
        return r"\infty", ATOM
    mantissa, e, exponent = repr(value).removesuffix(".0").partition("e")
    return (rf"{mantissa} \cdot 10^{{{int(exponent)}}}", PRODUCT) if e else (mantissa, ATOM)


def _bare(text: str) -> str:
    """Return a text whose functions go without brackets: sin x."""
    return text.replace(OPEN, " ").replace(CLOSE, "")


def _closed(text: str) -> str:
    """Return a text whose functions have brackets, as more factors follow: sin(x)."""
    return text.replace(OPEN, "(").replace(CLOSE, ")")


def _named(node: ast.expr) -> bool:
    """Return whether a part is sin x, or another function with a name of its own in LaTeX."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMED):
        return False
    return len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)


def _without_module(node: ast.Call, name: str) -> tuple[ast.Call, str]:
    """Return np.sin(x) as sin(x)."""
    short = re.sub(r"^(np|numpy|math)\.", "", name)
    return (ast.Call(ast.Name(short), node.args, node.keywords), short) if short != name else (node, name)


def _whole(power: ast.expr) -> bool:
    """Return whether a power may stand behind the name of a function: sin² x, but not sin⁻¹ x."""
    return isinstance(power, ast.Constant) and isinstance(power.value, int) and power.value > 1


def _begins_with_function(node: ast.expr) -> bool:
    """Return whether a factor begins with the name of a function, so that sin x before it cannot swallow it."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        node = node.left
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _whole(node.right) and _named(node.left)
    return _named(node)


class _Walk:
    """One walk through a tree: each kind of node is a method that returns its text and how tightly it binds."""

    def __init__(self, accent: str = "") -> None:
        self.accent = accent

    def at(self, node: ast.expr, least: int, *, signed: bool = True) -> str:
        """Return a part for a place that asks for binding at least as tightly as `least`, and may refuse a sign."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise _Strange
        text, binds = method(node)
        if binds >= least and (signed or not text.startswith(("-", "+"))):
            return str(text)
        return rf"\left({_bare(text)}\right)"

    def inside(self, node: ast.expr) -> str:
        """Return a part that stands alone, or between brackets."""
        return _bare(self.at(node, CHOICE))

    def _joined(self, nodes: list[ast.expr]) -> str:
        return ", ".join(_bare(self.at(node, OR)) for node in nodes)

    def _name(self, node: ast.Name) -> tuple[str, int]:
        return _name(node.id, self.accent), ATOM

    def _constant(self, node: ast.Constant) -> tuple[str, int]:
        if isinstance(node.value, int | float | complex) and not isinstance(node.value, bool):
            return _number(node.value)
        if node.value is Ellipsis:
            return r"\ldots", ATOM
        if isinstance(node.value, str | bytes):
            return latex_text(str(node.value)) or r"\text{}", ATOM
        return rf"\mathrm{{{node.value}}}", ATOM

    def _binop(self, node: ast.BinOp) -> tuple[str, int]:
        match node.op:
            case ast.Add() | ast.Sub():
                minus = isinstance(node.op, ast.Sub)
                right = self.at(node.right, SUM + minus, signed=False)
                return f"{self.at(node.left, SUM)} {'-' if minus else '+'} {right}", SUM
            case ast.Mult():
                left = self.at(node.left, PRODUCT)
                left = left if _begins_with_function(node.right) else _closed(left)
                return rf"{left} \cdot {self.at(node.right, PRODUCT, signed=False)}", PRODUCT
            case ast.MatMult():
                return rf"{_closed(self._matrix(node.left))} \, {self._matrix(node.right)}", PRODUCT
            case ast.Div():
                return rf"\frac{{{self.inside(node.left)}}}{{{self.inside(node.right)}}}", FRACTION
            case ast.FloorDiv():
                fraction = rf"\frac{{{self.inside(node.left)}}}{{{self.inside(node.right)}}}"
                return rf"\left\lfloor {fraction} \right\rfloor", ATOM
            case ast.Mod():
                left = _closed(self.at(node.left, PRODUCT, signed=False))
                return rf"{left} \bmod {self.at(node.right, SIGNED + 1)}", REMAINDER
            case ast.Pow():
                return self._power(node)
        return f"{self.at(node.left, BITS + 1)} {_BITWISE[type(node.op)]} {self.at(node.right, BITS + 1)}", BITS

    def _matrix(self, node: ast.expr) -> str:
        """Return a factor of a matrix product, in which a product of elements needs brackets."""
        product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
        return self.at(node, PRODUCT if product else SIGNED + 1, signed=False)

    def _power(self, node: ast.BinOp) -> tuple[str, int]:
        power = node.right
        if isinstance(node.left, ast.Call) and _named(node.left) and _whole(power):
            return self._applied(node.left, f"^{{{self.inside(power)}}}")
        return f"{self.at(node.left, ATOM)}^{{{self.inside(power)}}}", RAISED

    def _unaryop(self, node: ast.UnaryOp) -> tuple[str, int]:
        if isinstance(node.op, ast.Not | ast.Invert):
            return rf"\lnot {self.at(node.operand, SIGNED)}", NOT if isinstance(node.op, ast.Not) else SIGNED
        return f"{'-' if isinstance(node.op, ast.USub) else '+'}{self.at(node.operand, PRODUCT, signed=False)}", SIGNED

    def _boolop(self, node: ast.BoolOp) -> tuple[str, int]:
        sign, binds = (r" \land ", AND) if isinstance(node.op, ast.And) else (r" \lor ", OR)
        return sign.join(self.at(value, binds + 1) for value in node.values), binds

    def _compare(self, node: ast.Compare) -> tuple[str, int]:
        text = self.at(node.left, COMPARED + 1)
        for sign, right in zip(node.ops, node.comparators, strict=True):
            text += f" {_COMPARISONS[type(sign)]} {self.at(right, COMPARED + 1)}"
        return text, COMPARED

    def _ifexp(self, node: ast.IfExp) -> tuple[str, int]:
        then, condition, other = (self.at(part, OR) for part in (node.body, node.test, node.orelse))
        return rf"{then} \text{{ if }} {condition} \text{{ else }} {other}", CHOICE

    def _tuple(self, node: ast.Tuple) -> tuple[str, int]:
        return rf"\left({self._joined(node.elts)}{',' * (len(node.elts) == 1)}\right)", ATOM

    def _list(self, node: ast.List) -> tuple[str, int]:
        return rf"\left[{self._joined(node.elts)}\right]", ATOM

    def _attribute(self, node: ast.Attribute) -> tuple[str, int]:
        value = self.at(node.value, ATOM)
        return (rf"{value}^{{\mathsf T}}", RAISED) if node.attr == "T" else (f"{value}.{_upright(node.attr)}", FRACTION)

    def _slice(self, node: ast.Slice) -> tuple[str, int]:
        parts = [node.lower, node.upper, *([node.step] if node.step else [])]
        return ":".join("" if part is None else self.at(part, OR) for part in parts), OR

    def _subscript(self, node: ast.Subscript) -> tuple[str, int]:
        places = list[str]()
        value: ast.expr = node
        while isinstance(value, ast.Subscript) and (value is node or isinstance(value.slice, ast.Constant)):
            place = value.slice
            places.insert(0, ",".join(map(_Walk().inside, place.elts if isinstance(place, ast.Tuple) else [place])))
            value = value.value
        text = self.at(value, RAISED)
        single = isinstance(value, ast.Name) and "_{" not in text
        single |= isinstance(value, ast.Call) and text.startswith(r"\operatorname")
        return f"{text if single else f'({_bare(text)})'}_{{{','.join(places)}}}", ATOM

    def _call(self, node: ast.Call) -> tuple[str, int]:
        name = ast.unparse(node.func)
        if isinstance(node.func, ast.Attribute) and not re.fullmatch(rf"({_MODULES})\.[\w.]+", name):
            method = ast.Call(ast.Name(node.func.attr), [node.func.value, *node.args], node.keywords)
            return self._call(method)  # x.sum() is sum(x)
        node, name = _without_module(node, name)
        if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name) or any(isinstance(x, ast.Starred) for x in node.args):
            raise _Strange
        if len(node.args) == 1 and not node.keywords:
            (x,) = node.args
            if name in _NAMED:
                return self._applied(node, "")
            if name in _FENCED:
                return _FENCED[name] % self.inside(x), ATOM
            if name in _EXPONENTIAL:
                return _EXPONENTIAL[name] % self.inside(x), RAISED
            if name in _OPERATORS:
                meant = _OPERATORS[name](x)
                found: tuple[str, int] = getattr(self, f"_{type(meant).__name__.lower()}")(meant)
                return found
        arguments = [_bare(self.at(x, OR)) for x in node.args]
        arguments += [f"{_upright(k.arg or '**')} = {_bare(self.at(k.value, OR))}" for k in node.keywords]
        head = _LISTED.get(name) or (rf"\operatorname{{{_underscored(name)}}}" if name.isascii() else latex_text(name))
        return rf"{head}\left({', '.join(arguments)}\right)", FRACTION

    def _applied(self, node: ast.Call, power: str) -> tuple[str, int]:
        """Return a named function of one argument: sin x, or sin(x) where more factors follow."""
        (x,) = node.args
        head = _NAMED[ast.unparse(node.func)] + power
        argument = self.inside(x)
        if isinstance(x, ast.Name | ast.Subscript) or (isinstance(x, ast.Constant) and argument.isdecimal()):
            return f"{head}{OPEN}{argument}{CLOSE}", APPLIED
        return rf"{head}\left({argument}\right)", APPLIED
