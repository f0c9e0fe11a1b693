"""How the text of a formula is read: its signs turned back into Python, its words, and its syntax tree."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache

__all__ = ["PIECES", "SUPERSCRIPTS", "indexed", "needs_brackets", "plain", "python_text", "tree"]

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DIGITS = str.maketrans(SUPERSCRIPTS + "⁻", "0123456789-")
_KEYS = str.maketrans({"·": "*", "×": "*", "−": "-"})
_RAISED = re.compile(f"⁻?[{SUPERSCRIPTS}]+")
_MARK = "superscript_"  # x² is read as x[superscript_:2], which binds as tightly as a superscript does

# A quote after a letter is a prime, as in sinc'(x), unless it closes a text.
PIECES = re.compile(
    r"(?P<quoted>(?<!\w)(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))"
    r"|(?P<number>(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+−]?[0-9]+)?[jJ]?)"
    rf"|(?P<raised>⁻?[{SUPERSCRIPTS}]+)"
    rf"|(?P<name>(?:(?![{SUPERSCRIPTS}0-9])\w)(?:(?![{SUPERSCRIPTS}])\w)*)"
    r"|(?P<other>.)"
)


def plain(text: str) -> str:
    """Return a text in one line of visible signs: blanks for line breaks, escapes for signs that are not shown."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in line)


def _escape(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode() if ord(sign) > 127 else f"\\x{ord(sign):02x}"


def indexed(name: str) -> tuple[str, str]:
    """Return a name without the digits at its end, and those digits: x12 is x and 12."""
    found = re.fullmatch(r"(.*[^0-9_])([0-9]+)", name, re.DOTALL)
    return (found[1], found[2]) if found else (name, "")


def _outside_quotes(text: str, raised: str) -> str:
    """Return Python's signs in place of a formula's, with superscripts written as `raised` says."""
    pieces = []
    for piece in PIECES.finditer(text):
        if piece.lastgroup == "raised":
            pieces.append(raised.format(piece[0].translate(_DIGITS)))
        else:
            pieces.append(piece[0] if piece.lastgroup == "quoted" else piece[0].translate(_KEYS))
    return "".join(pieces)


def python_text(formula: str) -> str:
    """Formula in Python's own signs.

    Parameters
    ----------
    formula : str
        Text in the signs of a trace: ``·``, ``−`` and superscripts.

    Returns
    -------
    str
        The same with ``*``, ``-`` and ``**``, which `dualdiff.expression.parse` reads where the functions are
        elementary; a text that is no expression has its signs exchanged and is otherwise kept.

    Examples
    --------
    >>> from dualdiff.lecture.drawn.notation import python_text
    >>> python_text("2·x1² − 1")
    '2*x1**2 - 1'
    """
    line = plain(formula)
    text = _outside_quotes(line, "**{}")
    if not _RAISED.search(line):
        return text
    meant, read = tree(formula), _parsed(text)
    if meant is None or (read is not None and ast.dump(meant) == ast.dump(read)):
        return text
    return ast.unparse(meant)  # (x²)**y, where ** after ** would group to the right


def tree(formula: str) -> ast.expr | None:
    """Return the syntax tree of a formula, or None where the text is no expression."""
    found = _parsed(_outside_quotes(plain(formula), f"[{_MARK}:{{}}]"))
    try:
        return None if found is None else _Lifted().visit(found)
    except RecursionError:
        return None


def _parsed(text: str) -> ast.expr | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as of '\d' in the text of an index
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Lifted(ast.NodeTransformer):
    """Turns x[superscript_:2] into x**2."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Return a power in place of a marked index."""
        self.generic_visit(node)
        match node.slice:
            case ast.Slice(lower=ast.Name(id=name), upper=power) if name == _MARK and power is not None:
                return ast.BinOp(left=node.value, op=ast.Pow(), right=power)
        return node


@lru_cache(4096)  # a partial stands in every pass
def needs_brackets(formula: str) -> bool:
    """Return whether a formula needs brackets to be a factor of a product."""
    node = tree(formula)
    if node is None:
        outside = re.sub(r"[(\[].*[)\]]", "", plain(formula))
        return bool(re.search(r"[-+−/ ]", outside))
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        node = node.left
    return _loose(node)


def _loose(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return not isinstance(node.op, ast.Mult | ast.Pow)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, complex)
    return not isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.List | ast.Tuple)
