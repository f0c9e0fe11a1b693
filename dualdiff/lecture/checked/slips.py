"""The catalogue of slips: what the derivative would be had one step been differentiated wrongly.

The record of a run has the derivative as a sum over paths.  Exchange one partial for what a slip makes of it, and the
sum is what the hand that slipped has on its sheet.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dualdiff.floating import quiet
from dualdiff.lecture.checked.chains import Chains, spread
from dualdiff.lecture.checked.malrules import exponent_of, is_scaling, is_sum, malrules, moving, worth
from dualdiff.lecture.derivation import derived
from dualdiff.lecture.differential import PRODUCTS
from dualdiff.lecture.numerals import number_text
from dualdiff.lecture.passes import is_elementwise
from dualdiff.lecture.record import Row
from dualdiff.lecture.spelling import text_of
from dualdiff.rules.book import RULES, Move

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dualdiff.lecture.source import Place
    from dualdiff.rules.book import Entry

__all__ = ["KINDS", "Slip", "Words", "slips", "terms"]

KINDS = (
    "sign", "term", "product", "quotient", "inner", "exponent", "trigonometry", "hyperbolic", "inverse", "logarithm",
    "matrix", "undifferentiated", "constant", "integrated", "frozen", "factor", "one",
)  # fmt: skip
"""The kinds of slips, the likelier first."""

_FALLING = ("cos", "arccos", "reciprocal")  # which have a minus in their derivative
_OWN_MOVES = ("index", "array", "copy", "T", "positive")  # that the tables have under another name, or not
_UNLIKELY = "the sign of the derivative"  # of a function that has no minus of its own: another place is likelier
_LONG = 60  # characters of the user's source that a sentence has room for


class Slip(NamedTuple):
    """A slip: its kind, the words for it, how many rows before the end, and the derivative that it makes."""

    kind: str
    text: str
    distance: int
    matrix: Any


class Words:
    """What the rows of a run are called: the user's own text where there is one, else their formula."""

    def __init__(self, chains: Chains, asked: Place | None = None) -> None:
        self._rows = chains.rows
        self._asked = asked
        self._formulas: dict[Row, Any] = {}

    def __call__(self, row: Row) -> str:
        """Return the name of a row, as it goes between backticks."""
        place = row.place
        is_call = self._asked is not None and place.line == self._asked.line and place.text == self._asked.text
        text = None if is_call else place.text
        if row.role == "input":
            text = row.name
        if text is None:
            if not self._formulas:
                self._formulas = {own: text_of(found.value) for own, found in derived(self._rows, symbols=True).items()}
            text = self._formulas[row] or row.operation
        return _short(text)

    def said(self, sentence: str, row: Row, source: Row) -> str:
        """Return a sentence on a row and one of its sources, which is called by its own name where f gives it one."""
        text, name = self(source), _name_in(row, source)
        shown = f"`{text}`"
        if name is not None and name != text and not text.startswith(f"{name} "):  # as in z += x
            ends = sentence.endswith("`{source}`")
            shown = f"`{_short(name)}`, which is {shown}" if ends else f"`{_short(name)}` (which is {shown})"
        return sentence.format(row=self(row), source="{source}").replace("`{source}`", shown)


def _short(text: str) -> str:
    text = text.replace("`", "'")
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _name_in(row: Row, source: Row) -> str | None:
    """Return the variable by which the text of a row has a source; None where it has an expression, or is not known."""
    try:
        (statement,) = ast.parse(row.place.text or "").body
    except (SyntaxError, ValueError):
        return None
    node = statement.value if isinstance(statement, ast.Expr) else statement
    operands: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        operands = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp):
        operands = [node.operand]
    elif isinstance(node, ast.AugAssign):
        operands = [node.target, node.value]
    elif isinstance(node, ast.Call):
        method = isinstance(node.func, ast.Attribute) and len(row.args) == len(node.args) + 1
        operands = [node.func.value, *node.args] if method and isinstance(node.func, ast.Attribute) else node.args
    if len(operands) != len(row.args):
        return None
    own = [x for x, given in zip(operands, row.args, strict=True) if given is source]
    return own[0].id if own and isinstance(own[0], ast.Name) else None


def slips(chains: Chains, words: Words) -> list[Slip]:
    """Return the slips that one step of a run makes possible."""
    found: list[Slip] = []
    with quiet():
        for distance, row in enumerate(reversed(chains.rows)):
            for kind, text, matrix in _of_row(chains, row, words):
                if np.all(np.isfinite(matrix)):
                    found.append(Slip(kind, text, distance, matrix))
    return sorted(found, key=_unlikely)  # which keeps the order otherwise


def _unlikely(slip: Slip) -> int:
    """Return how far behind others of its kind a flipped sign comes: first terms, then a minus that a function has."""
    if slip.kind != "sign" or slip.text.startswith(("the sign of the term", "the sign of the row")):
        return 0
    return 1 if slip.text.startswith("the minus sign") else 3 if slip.text.startswith(_UNLIKELY) else 2


def terms(chains: Chains, words: Words) -> list[tuple[str, Any]]:
    """Return what the derivative is the sum of: the name and the contribution of each term, or of each factor."""
    if len(chains.outputs) != 1:
        return []
    row = chains.outputs[0]
    while row.operation in ("copy", "positive") and len(row.sources) == 1:
        row = row.sources[0]
    waiting, found = [(row, chains.back[row])], list[tuple[Row, Any]]()
    while waiting:
        row, back = waiting.pop(0)
        if is_sum(row) and len(waiting) + len(found) < 12:
            parts = [(source, back @ chains.local[row, i]) for i, source in enumerate(row.sources)]
            waiting = [*parts, *waiting]
        else:
            found.append((row, back))
    if len(found) == 1 and len(row.sources) > 1:
        return [
            (f"{words(row)}, through {words(source)}", chains.back[row] @ chains.local[row, i] @ chains.ahead[source])
            for i, source in enumerate(row.sources)
        ]
    return [(words(own), back @ chains.ahead[own]) for own, back in found]


Made = tuple[str, str, Any]  # kind, text, the derivative that comes of it


def _of_row(chains: Chains, row: Row, words: Words) -> Iterator[Made]:
    """Yield what comes of one row differentiated wrongly."""
    back, name = chains.back[row], words(row)
    if row.operation != "index":
        kept = np.ravel(row.value)[:, None] * (chains.ahead[row] != 0)
        text = f"`{name}` was left undifferentiated"
        yield "undifferentiated", text, chains.total + back @ (kept - chains.ahead[row])
    if row.program is None or not row.sources:
        return
    if is_sum(row):
        yield from _constants(chains, row, name)
    if len(row.sources) == 2 and row.operation in ("multiply", "divide"):
        yield from _of_pair(chains, row, words)
    if row.operation == "reciprocal" or (row.operation == "divide" and moving(row) == (1,)):
        top = 1.0 if row.operation == "reciprocal" else worth(row.args[0])
        top = np.ravel(np.broadcast_to(top, row.shape))[:, None]
        below = spread(row, row.sources[0], 1.0) @ chains.ahead[row.sources[0]]
        text = f"`{name}` was differentiated as its numerator over the derivative of its denominator"
        yield "quotient", text, chains.total + back @ (top / below - chains.ahead[row])
    for i, source in enumerate(row.sources):
        local, ahead = chains.local[row, i], chains.ahead[source]
        for kind, text, other in _partials(chains, row, i, words):
            yield kind, text, chains.total + back @ (other - local) @ ahead
        yield from _inner(chains, row, i, words)


def _constants(chains: Chains, row: Row, name: str) -> Iterator[Made]:
    """Yield a sum whose constant term was kept."""
    for place, given in enumerate(row.args):
        x = None if isinstance(given, Row) else worth(given)
        if isinstance(x, (int, float, np.number)):
            sign = -1.0 if row.operation == "subtract" and place == 1 else 1.0
            matrix = chains.total + chains.back[row] @ np.full(chains.ahead[row].shape, sign * float(x))
            text = f"the constant {number_text(x)} in `{name}` was kept: its derivative is 0"
            yield "constant", text, matrix


def _of_pair(chains: Chains, row: Row, words: Words) -> Iterator[Made]:
    """Yield a product or a quotient of two that move, differentiated by a rule of its own."""
    back, ahead, name = chains.back[row], chains.ahead[row], words(row)
    first, second = (x for x in row.args if isinstance(x, Row))
    a, b = (np.ravel(np.broadcast_to(x.value, row.shape))[:, None] for x in (first, second))
    da, db = (spread(row, x, 1.0) @ chains.ahead[x] for x in (first, second))

    if not np.any((da != 0) & (db != 0)):  # no number moves both, so that there is one term of the rule at most
        return

    def instead(other: Any) -> Any:
        return chains.total + back @ (other - ahead)

    if row.operation == "multiply":
        yield "product", f"`{name}` was differentiated as the product of the derivatives", instead(da * db)
        yield (
            "sign",
            f"product rule for `{name}`: the sign between the two terms is a minus, and a plus belongs there",
            instead(da * b - a * db),
        )
        yield (
            "product",
            f"product rule for `{name}`: each derivative was multiplied by its own factor, not by the other",
            instead(da * a + db * b),
        )
        yield (
            "product",
            f"product rule for `{name}`: the derivatives were added without the other factors",
            instead(da + db),
        )
        return
    yield "quotient", f"`{name}` was differentiated as the quotient of the derivatives", instead(da / db)
    yield (
        "sign",
        f"quotient rule for `{name}`: the sign between the two terms is a plus, and a minus belongs there",
        instead((da * b + a * db) / (b * b)),
    )
    yield (
        "quotient",
        f"quotient rule for `{name}`: the two terms of the numerator are swapped",
        instead((a * db - da * b) / (b * b)),
    )
    yield "quotient", f"quotient rule for `{name}`: the denominator was not squared", instead((da * b - a * db) / b)
    yield "quotient", f"quotient rule for `{name}`: the denominator is missing", instead(da * b - a * db)
    yield "quotient", f"the product rule was used on the quotient `{name}`", instead(da * b + a * db)
    yield (
        "quotient",
        f"quotient rule for `{name}`: each derivative was multiplied by its own part, not by the other",
        instead((da * a - db * b) / (b * b)),
    )
    yield (
        "quotient",
        f"quotient rule for `{name}`: below stands the square of the numerator",
        instead((da * b - a * db) / (a * a)),
    )


def _partials(chains: Chains, row: Row, i: int, words: Words) -> Iterator[Made]:
    """Yield what may stand in place of the partial of a row by one source."""
    source, local = row.sources[i], chains.local[row, i]

    def said(sentence: str) -> str:
        return words.said(sentence, row, source)

    if row.operation not in ("index", "copy"):
        yield "sign", said(_sign(row)), -local
    if not _is_move(row) or _is_join(row):
        kind, text = _missing(row, i)
        yield kind, said(text), 0 * local
    if row.operation in PRODUCTS and len(row.args) == 2 and row.args[0] is row.args[1]:
        yield "product", said("product rule half done: in `{row}` both factors move"), local / 2
    if row.operation in PRODUCTS and local.shape[0] == local.shape[1] > 1:
        text = "the matrix in `{row}` was taken as it stands where its transpose belongs, or the other way round"
        yield "matrix", said(text), local.T
    if not is_elementwise(row) or row.kwargs:
        return
    for kind, slope, text in malrules(row, i):
        yield kind, said(text), spread(row, source, slope)
    if is_scaling(row):
        (factor,) = (worth(x) for x in row.args if not isinstance(x, Row))
        shown = number_text(factor) if not np.ndim(factor) else "…"
        how = f"constant factor {shown}" if row.operation == "multiply" else f"constant divisor {shown}"
        yield "factor", said(f"the {how} of `{{row}}` was left out"), spread(row, source, 1.0)
    elif not is_sum(row) and row.operation not in ("negative", "positive"):
        text = "the derivative of `{row}` by `{source}` was left out of the chain (taken as 1)"
        yield "one", said(text), spread(row, source, 1.0)
        if row.operation not in ("sin", "cos", "sinh", "cosh", "multiply", "divide"):
            text = "`{row}` itself stands where its derivative by `{source}` belongs"
            yield "undifferentiated", said(text), spread(row, source, row.value)


def _is_move(row: Row) -> bool:
    """Tell whether a row only has elements of others in other places."""
    return row.operation in _OWN_MOVES or isinstance(_entry(row), Move)


def _is_join(row: Row) -> bool:
    """Tell whether a row is others side by side."""
    entry = _entry(row)
    return row.operation == "array" or (isinstance(entry, Move) and entry.many)


def _entry(row: Row) -> Entry | None:
    return RULES.get(getattr(np, row.operation, None))


def _sign(row: Row) -> str:
    if is_sum(row):
        return "the sign of the term through `{source}` in `{row}` is flipped"
    if row.operation == "negative":
        return "the minus sign of `{row}` was lost"
    if _is_join(row):
        return "the sign of the row of `{source}` is flipped"
    if row.operation in _FALLING or (row.operation == "divide" and moving(row) == (1,)):
        return "the minus sign in the derivative of `{row}` was lost"
    if len(row.sources) == 1:
        return f"{_UNLIKELY} of `{{row}}` is flipped"
    return "the sign of the part of `{row}` that comes through `{source}` is flipped"


def _missing(row: Row, i: int) -> tuple[str, str]:
    if is_sum(row):
        return "term", "the term `{source}` of `{row}` was left out"
    if _is_join(row):
        return "term", "the row of `{source}` is missing: zeros stand there"
    if row.operation == "divide" and len(row.sources) == 2:
        return "quotient", "quotient rule half done: in `{row}` the part with the derivative of `{source}` is missing"
    if row.operation in ("multiply", *PRODUCTS) and len(row.sources) > 1:
        return "product", "product rule half done: in `{row}` the part with the derivative of `{source}` is missing"
    if row.operation in ("power", "float_power") and len(row.sources) == 2:
        part = ("base", "exponent")[i]
        text = f"in `{{row}}` both base and exponent move: the part through the {part} `{{source}}` is missing"
        return "product", text
    if len(row.sources) > 1:
        return "term", "in `{row}` the part that comes through `{source}` is missing"
    return "frozen", "`{row}` was treated as a constant"


def _inner(chains: Chains, row: Row, i: int, words: Words) -> Iterator[Made]:
    """Yield a chain that stops here: the derivative of the source taken as 1, or put in where the source belongs."""
    source, local, ahead = row.sources[i], chains.local[row, i], chains.ahead[row.sources[i]]
    if source.role == "input" or source.operation == "index" or _is_move(row):
        return
    one = (ahead != 0) * 1.0
    nonlinear = is_elementwise(row) and not is_sum(row) and not is_scaling(row) and row.operation != "negative"
    outer = nonlinear and (len(row.sources) == 1 or row.operation in ("power", "float_power"))
    kind, text = ("inner", "`{row}` was differentiated without multiplying by the inner derivative of `{source}`")
    if not outer or (exponent_of(row) == 2 and row.operation == "multiply"):
        kind, text = ("inner", "the derivative of `{source}` was taken as 1 in `{row}`")
    yield kind, words.said(text, row, source), chains.total + chains.back[row] @ local @ (one - ahead)
    line = row.line
    if outer and len(row.args) == 1 and line is not None and local.shape == ahead.shape == (1, 1):
        partial = line.partials[0]
        inner = np.float64(ahead[0, 0])
        slope = partial(inner, getattr(np, row.operation)(inner)) if callable(partial) else partial
        text = "the derivative of `{row}` was taken at the inner derivative, where `{source}` belongs"
        text = words.said(text, row, source)
        for times in (1.0, inner):
            yield "inner", text, chains.total + chains.back[row] * (slope * times - local @ ahead)
