"""Conditions and expressions in the manner of C#, put into CEL.

Understood are comparisons, `&&`, `||`, `!`, `?:`, arithmetic, properties and a few methods. What names
mean depends on where an expression stands, so whoever asks says it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<name>[A-Za-z_@$][A-Za-z0-9_]*)
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!().,\[\]?:])
    )""",
    re.VERBOSE,
)
_WORDS = {"and": "&&", "or": "||", "not": "!", "True": "true", "False": "false"}
_SIZES = frozenset({"Length", "Count", "length", "count"})
_METHODS = {"Contains": "contains", "StartsWith": "startsWith", "EndsWith": "endsWith", "contains": "contains",
            "startsWith": "startsWith", "endsWith": "endsWith"}  # fmt: skip
_GETTERS = {
    "GetInput": "input",
    "GetOutput": "output",
    "GetGlobal": "globals",
    "GetVariable": "globals",
    "GetGlobalVariable": "globals",
}
_ORDER = ({"||"}, {"&&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"+", "-"}, {"*", "/", "%"})

Resolve = Callable[[str, str], str | None]
"""What a name means, in CEL, by its root (`output`, `input`, `globals`, or the empty text for a bare name) and itself.

None if there is nothing of that name.
"""


class Untranslatable(ValueError):
    """An expression that can't be said here, and why."""


def translate(text: str, resolve: Resolve) -> str:
    """The expression in CEL. Raises `Untranslatable`."""
    tokens: list[tuple[str, str]] = []
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise Untranslatable(f"{text[place:].strip()[:20]!r} is not understood")
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        place = match.end()
    if not tokens:
        raise Untranslatable("it is empty")
    return _Parser(tokens, resolve).whole()


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], resolve: Resolve) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._place = 0
        self._resolve = resolve

    def whole(self) -> str:
        found = self._choice()
        if self._kind != "end":
            raise Untranslatable(f"{self._text!r} was not expected")
        return found

    @property
    def _kind(self) -> str:
        return self._tokens[self._place][0]

    @property
    def _text(self) -> str:
        return self._tokens[self._place][1]

    def _next(self) -> str:
        self._place += 1
        return self._tokens[self._place - 1][1]

    def _takes(self, text: str) -> bool:
        if self._kind in {"sign", "name"} and self._text == text:
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise Untranslatable(f"{text!r} was expected, not {self._text!r}" if self._text else f"{text!r} is missing")

    def _choice(self) -> str:
        condition = self._binary(0)
        if self._takes("?"):
            first = self._choice()
            self._expect(":")
            return f"{condition} ? {first} : {self._choice()}"
        return condition

    def _binary(self, level: int) -> str:
        if level == len(_ORDER):
            return self._unary()
        found = self._binary(level + 1)
        while (sign := _WORDS.get(self._text, self._text)) in _ORDER[level] and self._kind in {"sign", "name"}:
            self._next()
            found = f"{found} {sign} {self._binary(level + 1)}"
        return found

    def _unary(self) -> str:
        for sign in ("!", "not", "-"):
            if self._takes(sign):
                return f"{_WORDS.get(sign, sign)}{self._unary()}"
        return self._postfix()

    def _postfix(self) -> str:
        found = self._primary()
        while True:
            if self._takes("."):
                name = self._next()
                if self._takes("("):
                    found = self._method(found, name)
                else:
                    found = f"size({found})" if name in _SIZES else f"{found}.{name}"
            elif self._takes("["):
                found = f"{found}[{self._choice()}]"
                self._expect("]")
            else:
                return found

    def _method(self, of: str, name: str) -> str:
        if name == "ToString" and self._takes(")"):
            return f"string({of})"
        if name not in _METHODS:
            raise Untranslatable(f"the method {name} is not known")
        argument = self._choice()
        self._expect(")")
        return f"{of}.{_METHODS[name]}({argument})"

    def _primary(self) -> str:
        kind, text = self._kind, self._next()
        if kind == "number":
            return text
        if kind == "text":
            return json.dumps(_unquoted(text), ensure_ascii=False)
        if text == "(" and kind == "sign":
            found = self._choice()
            self._expect(")")
            return f"({found})"
        if kind != "name":
            raise Untranslatable(f"{text!r} was not expected" if text else "it is not complete")
        if text in _WORDS or text in {"true", "false", "null"}:
            return _WORDS.get(text, text)
        return self._name(text)

    def _name(self, name: str) -> str:
        if name in _GETTERS and self._takes("("):
            if self._kind != "text":
                raise Untranslatable(f"{name} needs a name in quotes")
            key = _unquoted(self._next())
            self._expect(")")
            return self._found(_GETTERS[name], key)
        root = _ROOTS.get(name)
        if root is not None and self._takes("."):
            return self._found(root, self._next())
        if root is not None and self._takes("["):
            key = _unquoted(self._next())
            self._expect("]")
            return self._found(root, key)
        return self._found("", name)

    def _found(self, root: str, name: str) -> str:
        found = self._resolve(root, name)
        if found is None:
            said = f"{root}.{name}" if root else name
            raise Untranslatable(f"nothing is known of {said!r} here")
        return found


_ROOTS = {
    **dict.fromkeys(("output", "outputs", "Output", "OutputData"), "output"),
    **dict.fromkeys(("input", "inputs", "Input", "InputData"), "input"),
    **dict.fromkeys(
        ("globals", "global", "Globals", "variables", "Variables", "workflow", "GlobalVariables"), "globals"
    ),
}


def _unquoted(text: str) -> str:
    if text[:1] not in {'"', "'"}:
        return text
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), text[1:-1])


def member(of: str, name: str) -> str:
    """A member of a dictionary in CEL."""
    return f"{of}.{name}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f"{of}[{json.dumps(name)}]"
