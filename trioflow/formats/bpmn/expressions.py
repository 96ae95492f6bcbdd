"""Expressions in documents: what CEL, FEEL, JUEL (`${x > 3}`), Python and JavaScript share, read as one language.

A text becomes a tree of Python's `ast`: `evaluation.py` makes a function of it, `cel.py` writes it as a condition.
XPath is none of them, and what is not understood is refused with its place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["NotUnderstood", "names_in", "parse", "understands"]

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>===|!==|==|!=|<=|>=|<>|&&|\|\||\*\*|\.\.|//|[-+*/%<>=!?:.,()\[\]{}]))""",
    re.VERBOSE,
)
_WRAPPED = re.compile(r"^\s*[$#]\{(.*)\}\s*$", re.DOTALL)
_COMPARED: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq, "===": ast.Eq, "=": ast.Eq, "eq": ast.Eq, "!=": ast.NotEq, "!==": ast.NotEq, "<>": ast.NotEq,
    "ne": ast.NotEq, "<": ast.Lt, "lt": ast.Lt, "<=": ast.LtE, "le": ast.LtE, ">": ast.Gt, "gt": ast.Gt, ">=": ast.GtE,
    "ge": ast.GtE, "in": ast.In, "is": ast.Is,
}  # fmt: skip
_WORDS = frozenset({"and", "or", "not", "in", "is", "if", "then", "else", "eq", "ne", "lt", "le", "gt", "ge", "empty",
                    "div", "mod"})  # fmt: skip
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None, "nil": None,
              "undefined": None}  # fmt: skip
_ADDED: dict[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub}
_MULTIPLIED: dict[str, type[ast.operator]] = {
    "*": ast.Mult, "/": ast.Div, "div": ast.Div, "%": ast.Mod, "mod": ast.Mod, "//": ast.FloorDiv,
}  # fmt: skip
_DEEPEST = 60


class NotUnderstood(Exception):
    """A text is not an expression that is understood; `at` is how far that is in."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


def understands(language: str) -> bool:
    """Whether expressions in a language, by its name or URI, are read. What says nothing is."""
    return "xpath" not in language.lower()


@lru_cache(maxsize=4096)
def parse(text: str) -> ast.expr:
    """The tree of an expression; `${...}`, `#{...}` and FEEL's `=` in front are left out. Raises `NotUnderstood`."""
    match = _WRAPPED.match(text)
    inner = match[1] if match is not None and "${" not in match[1] else text
    if inner is text and text.lstrip().startswith("=") and not text.lstrip().startswith("=="):
        inner = text.lstrip()[1:]
    parser = _Parser(inner)
    tree = parser.expression()
    parser.expect_end()
    return tree


def names_in(tree: ast.AST) -> list[str]:
    """The names of variables that a tree reads, in order."""
    functions = {id(each.func) for each in ast.walk(tree) if isinstance(each, ast.Call)}
    inner = {
        name.id
        for each in ast.walk(tree)
        if isinstance(each, ast.comprehension)
        for name in ast.walk(each.target)
        if isinstance(name, ast.Name)
    }
    found = (each for each in ast.walk(tree) if isinstance(each, ast.Name) and id(each) not in functions)
    return [*dict.fromkeys(each.id for each in found if isinstance(each.ctx, ast.Load) and each.id not in inner)]


class _Parser:
    """By descent, each level of binding a method; comparisons chain as in Python."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str, int]] = []
        self._next = 0
        self._depth = 0
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                if not text[at:].strip():
                    break
                at += len(text[at:]) - len(text[at:].lstrip())
                raise NotUnderstood(f"{text[at : at + 12]!r} is not understood", at)
            self._tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        self._tokens.append(("end", "", len(text)))

    def expression(self) -> ast.expr:
        """A choice, or what binds tighter."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstood("it is nested too deeply", self._tokens[self._next][2])
        if self._word("if"):
            test = self.expression()
            self._need("then")
            body = self.expression()
            self._need("else")
            tree: ast.expr = ast.IfExp(test, body, self.expression())
        else:
            tree = self._either()
            if self._sign("?"):
                body = self.expression()
                self._need(":")
                tree = ast.IfExp(tree, body, self.expression())
            elif self._word("if"):  # Python's
                test = self._either()
                self._need("else")
                tree = ast.IfExp(test, tree, self.expression())
        self._depth -= 1
        return tree

    def expect_end(self) -> None:
        """Nothing is left over."""
        kind, text, at = self._tokens[self._next]
        if kind != "end":
            raise NotUnderstood(f"{text!r} is not expected there", at)

    def _either(self) -> ast.expr:
        return self._chain(self._both, ("or", "||"), ast.Or())

    def _both(self) -> ast.expr:
        return self._chain(self._negated, ("and", "&&"), ast.And())

    def _chain(self, tighter: Callable[[], ast.expr], signs: tuple[str, ...], operator: ast.boolop) -> ast.expr:
        found = [tighter()]
        while self._any(signs):
            found.append(tighter())
        return found[0] if len(found) == 1 else ast.BoolOp(operator, found)

    def _negated(self) -> ast.expr:
        if self._word("not"):
            return ast.UnaryOp(ast.Not(), self._negated_once())
        return self._compared()

    def _negated_once(self) -> ast.expr:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstood("it is nested too deeply", self._tokens[self._next][2])
        tree = self._negated()
        self._depth -= 1
        return tree

    def _compared(self) -> ast.expr:
        left = self._sum()
        operators: list[ast.cmpop] = []
        right: list[ast.expr] = []
        while True:
            kind, text, _ = self._tokens[self._next]
            if kind in ("sign", "name") and text in _COMPARED:
                self._next += 1
                operator: type[ast.cmpop] = _COMPARED[text]
                if text == "is" and self._word("not"):
                    operator = ast.IsNot
            elif text == "not" and self._tokens[self._next + 1][1] == "in":
                self._next += 2
                operator = ast.NotIn
            else:
                return ast.Compare(left, operators, right) if operators else left
            operators.append(operator())
            right.append(self._sum())

    def _sum(self) -> ast.expr:
        return self._operated(self._product, _ADDED)

    def _product(self) -> ast.expr:
        return self._operated(self._signed, _MULTIPLIED)

    def _operated(self, tighter: Callable[[], ast.expr], operators: dict[str, type[ast.operator]]) -> ast.expr:
        tree = tighter()
        while self._tokens[self._next][1] in operators and self._tokens[self._next][0] != "text":
            operator = operators[self._take()]
            tree = ast.BinOp(tree, operator(), tighter())
        return tree

    def _signed(self) -> ast.expr:
        kind, text, at = self._tokens[self._next]
        if kind == "sign" and text in ("-", "!", "+"):
            self._next += 1
            self._depth += 1
            if self._depth > _DEEPEST:
                raise NotUnderstood("it is nested too deeply", at)
            inner = self._signed()
            self._depth -= 1
            operator: ast.unaryop = {"-": ast.USub, "+": ast.UAdd, "!": ast.Not}[text]()
            return ast.UnaryOp(operator, inner)
        if kind == "name" and text == "empty":
            self._next += 1
            return ast.Call(ast.Name("empty", ast.Load()), [self._signed()], [])
        tree = self._followed()
        if self._sign("**"):
            return ast.BinOp(tree, ast.Pow(), self._signed())
        return tree

    def _followed(self) -> ast.expr:
        tree = self._atom()
        while True:
            if self._sign("."):
                kind, text, at = self._tokens[self._next]
                if kind != "name":
                    raise NotUnderstood("a name is expected behind the dot", at)
                self._next += 1
                tree = ast.Attribute(tree, text, ast.Load())
            elif self._sign("["):
                index = self.expression()
                self._need("]")
                tree = ast.Subscript(tree, index, ast.Load())
            elif self._tokens[self._next][1] == "(" and isinstance(tree, ast.Name | ast.Attribute):
                self._next += 1
                tree = ast.Call(tree, self._list(")"), [])
            else:
                return _plain_variable(tree)

    def _atom(self) -> ast.expr:
        kind, text, at = self._tokens[self._next]
        self._next += 1
        if kind == "number":
            return ast.Constant(float(text) if not text.isdigit() else int(text))
        if kind == "text":
            return ast.Constant(_unquoted(text, at))
        if kind == "name" and text in _CONSTANTS:
            return ast.Constant(_CONSTANTS[text])
        if kind == "name" and text == "not" and self._tokens[self._next][1] == "(":
            return ast.UnaryOp(ast.Not(), self._atom())
        if kind == "name" and text not in _WORDS:
            return ast.Name(text, ast.Load())
        if text == "(":
            tree = self.expression()
            self._need(")")
            return tree
        if text == "[":
            return self._items()
        if text == "{":
            return self._entries()
        raise NotUnderstood(f"{text!r} is not expected there" if text else "it ends too early", at)

    def _items(self) -> ast.expr:
        if self._sign("]"):
            return ast.List([], ast.Load())
        first = self.expression()
        if self._sign(".."):  # FEEL's range, both ends included
            last = self.expression()
            self._need("]")
            return ast.Call(ast.Name("range", ast.Load()), [first, ast.BinOp(last, ast.Add(), ast.Constant(1))], [])
        rest = self._list("]") if self._sign(",") else []
        if not rest and self._tokens[self._next - 1][1] != "]":
            self._need("]")
        return ast.List([first, *rest], ast.Load())

    def _list(self, end: str) -> list[ast.expr]:
        found: list[ast.expr] = []
        while not self._sign(end):
            found.append(self.expression())
            if not self._sign(","):
                self._need(end)
                break
        return found

    def _entries(self) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        while not self._sign("}"):
            key = self.expression()
            keys.append(ast.Constant(key.id) if isinstance(key, ast.Name) else key)
            self._need(":")
            values.append(self.expression())
            if not self._sign(","):
                self._need("}")
                break
        return ast.Dict(keys, values)

    # --- tokens ---

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _any(self, texts: tuple[str, ...]) -> bool:
        return any(self._sign(each) or self._word(each) for each in texts)

    def _sign(self, text: str) -> bool:
        found = self._tokens[self._next][:2] == ("sign", text)
        self._next += found
        return found

    def _word(self, text: str) -> bool:
        found = self._tokens[self._next][:2] == ("name", text)
        self._next += found
        return found

    def _need(self, text: str) -> None:
        if not self._sign(text) and not self._word(text):
            _, found, at = self._tokens[self._next]
            raise NotUnderstood(f"{text!r} is expected instead of {found or 'the end'!r}", at)


def _plain_variable(tree: ast.expr) -> ast.expr:
    """`execution.getVariable("x")` is `x`; `vars.x` too, as it is written here."""
    if (
        isinstance(tree, ast.Call)
        and isinstance(tree.func, ast.Attribute)
        and tree.func.attr in ("getVariable", "getVariableLocal", "get_variable")
        and len(tree.args) == 1
        and isinstance(tree.args[0], ast.Constant)
        and isinstance(tree.args[0].value, str)
    ):
        return ast.Name(tree.args[0].value, ast.Load())
    if isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name) and tree.value.id == "vars":
        return ast.Name(tree.attr, ast.Load())
    return tree


def _unquoted(text: str, at: int) -> str:
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        raise NotUnderstood(f"{text} is not a text", at) from None
    return str(found)
