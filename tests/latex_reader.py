"""A reader of LaTeX that works formulas out, as one who knows mathematics and nothing of the package."""

import math
import re

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+\.?\d*|[^\s]")
GREEK = {"alpha", "beta", "gamma", "theta", "omega", "pi"}
FUNCTIONS = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "arcsin": math.asin, "arccos": math.acos, "arctan": math.atan, "ln": math.log,
}  # fmt: skip
# What LaTeX with amsmath, MathJax and KaTeX all know.
WORDS = """
frac sqrt cdot left right lvert rvert lfloor rfloor mathrm mathsf text operatorname log max min bmod land lor lnot le ge
ne in notin equiv not oplus ll gg infty ldots cdots vdots times partial dot bar imath jmath begin end hline quad
hookrightarrow backslash wedge sim downarrow uparrow zeta eta iota kappa lambda mu nu xi rho sigma tau upsilon varphi
phi chi psi delta varepsilon epsilon leftarrow rightarrow nabla surd circ approx tfrac prime
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
COMMANDS = {*FUNCTIONS, *GREEK, *WORDS.split(), *"\\,;_%#&${} "}
ENVIRONMENTS = {"array", "bmatrix"}


def check(latex):
    """Assert that braces, brackets and environments balance, and that every command is known everywhere."""
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", latex):
        depth += 1 if brace == "{" else -1
        assert depth >= 0, latex
    assert depth == 0, latex
    for command in re.findall(r"\\([a-zA-Z]+|.)", latex, re.DOTALL):
        assert command in COMMANDS, (command, latex)
    assert len(re.findall(r"\\left\b", latex)) == len(re.findall(r"\\right\b", latex)), latex
    opened = []
    for which, name in re.findall(r"\\(begin|end)\{(\w+)\}", latex):
        assert name in ENVIRONMENTS
        if which == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    bare = re.sub(r"\\.", "", latex, flags=re.DOTALL)
    assert not set("%#$~") & set(bare), latex


class Reader:
    """Works a formula out, letter by letter; `names` are worth what the dict says.

    A function without brackets takes the one letter or number behind it, and may not be followed by a factor that is
    no function: sin x · y can be read in two ways.
    """

    def __init__(self, latex, names):
        self.tokens = TOKEN.findall(latex)
        self.names = names
        self.bare = False  # whether the last factor was a function without brackets

    def value(self):
        """Return what the whole formula is worth."""
        found = self.sum()
        assert self.tokens == []
        return found

    def next(self, expected=None):
        """Take a token off."""
        token = self.tokens.pop(0)
        assert expected is None or token == expected, (expected, token, self.tokens)
        return token

    def peek(self):
        """Return the token that comes next, or nothing at the end."""
        return self.tokens[0] if self.tokens else ""

    def sum(self):
        """Read terms."""
        found = self.term()
        while self.peek() in {"+", "-"}:
            found = found + self.term() if self.next() == "+" else found - self.term(signed=False)
        return found

    def term(self, *, signed=True):
        """Read a product, with its sign."""
        if self.peek() in {"+", "-"}:
            assert signed
            return -self.term(signed=False) if self.next() == "-" else self.term(signed=False)
        found = self.factor()
        while self.peek() == r"\cdot":
            self.next()
            assert not self.bare or self.peek()[1:] in FUNCTIONS
            found *= self.factor()
        return found

    def factor(self):
        """Read a base and its power."""
        self.bare = False
        base = self.base()
        if self.peek() == "^":
            assert not self.bare
            self.next()
            base = base ** self.group()
            assert not isinstance(base, complex)
        return base

    def group(self):
        """Read what stands between braces."""
        bare = self.bare
        self.next("{")
        found = self.sum()
        self.next("}")
        self.bare = bare
        return found

    def fenced(self, left, right):
        """Read what stands between brackets that grow."""
        self.next(r"\left")
        self.next(left)
        found = self.sum()
        self.next(r"\right")
        self.next(right)
        self.bare = False
        return found

    def base(self):
        """Read a number, a name, a fraction, a root, a function or brackets."""
        token = self.peek()
        if token == r"\left":
            return self.fenced("(", ")") if self.tokens[1] == "(" else abs(self.fenced(r"\lvert", r"\rvert"))
        self.next()
        if token[0].isdigit():
            return float(token)
        if token == r"\frac":
            above = self.group()
            return above / self.group()
        if token == r"\sqrt":
            if self.peek() != "[":
                return math.sqrt(self.group())
            assert self.tokens[:3] == ["[", "3", "]"]
            del self.tokens[:3]
            return math.cbrt(self.group())
        if token[1:] in FUNCTIONS and token[0] == "\\":
            return self.function(FUNCTIONS[token[1:]])
        return self.name(token)

    def function(self, function):
        """Read the argument of a function: brackets, or one letter or number."""
        power = 1
        if self.peek() == "^":
            self.next()
            power = self.group()
        if self.peek() == r"\left":
            return function(self.fenced("(", ")")) ** power
        if self.peek() == "(":
            self.next()
            argument = self.sum()
            self.next(")")
            self.bare = False
            return function(argument) ** power
        argument = self.base()
        self.bare = True
        return function(argument) ** power

    def name(self, token):
        """Read a name with its accent and its index."""
        spelled = ""
        if token in {r"\dot", r"\bar"}:
            spelled, token = f"{token[1:]} ", self.next()
            if token == "{":
                token = self.next()
                spelled += self.letters(token)
                self.next("}")
                return self.index(spelled)
        return self.index(spelled + self.letters(token))

    def letters(self, token):
        """Read the letters of a name."""
        if token in {r"\mathrm", r"\text"}:
            self.next("{")
            found = ""
            while self.peek() != "}":
                found += self.next().removeprefix("\\")
            self.next()
            return found
        return token.removeprefix("\\")

    def index(self, spelled):
        """Read an index and look the name up."""
        if self.peek() == "_":
            self.next()
            self.next("{")
            while self.peek() != "}":
                spelled += self.letters(self.next())
            self.next()
        return math.e if spelled == "e" else self.names[spelled]
