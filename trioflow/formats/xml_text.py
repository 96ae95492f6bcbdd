"""XML, read strictly: no document types, so no entities of its own, nothing from elsewhere, and no bombs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

import attrs

from trioflow.errors import DocumentError

_DEEPEST = 500


@attrs.define(eq=False)
class Element:
    """An element: its name without namespace, the namespace, attributes, text, what is inside, and where it begins.

    Attributes of a namespace of their own are called `{namespace}name`, others as they are.
    """

    name: str
    namespace: str
    attributes: dict[str, str]
    line: int
    column: int
    children: list[Element] = attrs.Factory(list)
    text: str = ""

    @property
    def position(self) -> tuple[int, int]:
        """Line and column, from 1."""
        return self.line, self.column

    def get(self, name: str, default: str = "") -> str:
        """An attribute, or else the default."""
        return self.attributes.get(name, default)

    def all(self, name: str) -> Iterator[Element]:
        """The elements of a name directly inside."""
        return (each for each in self.children if each.name == name)

    def first(self, name: str) -> Element | None:
        """The first element of a name directly inside."""
        return next(self.all(name), None)

    def everything(self) -> Iterator[Element]:
        """This element and all inside, in the order of the text."""
        todo: list[Element] = [self]
        while todo:
            element = todo.pop()
            yield element
            todo.extend(reversed(element.children))


class _Refused(Exception):
    pass


def read_xml(text: str, *, source: str = "<string>") -> Element:
    """The outermost element of a text. Raises `DocumentError`, with the line, for what is no XML or not read."""
    parser: Any = expat.ParserCreate("utf-8", "\n")
    parser.buffer_text = True
    stack: list[Element] = []
    found: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) >= _DEEPEST:
            raise _Refused("it is nested too deeply. Flatten it.")
        namespace, _, local = name.rpartition("\n")
        named = {f"{{{each.partition(chr(10))[0]}}}{each.partition(chr(10))[2]}" if "\n" in each else each: value
                 for each, value in attributes.items()}  # fmt: skip
        element = Element(local, namespace, named, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        (stack[-1].children if stack else found).append(element)
        stack.append(element)

    def end(name: str) -> None:
        stack.pop()

    def data(characters: str) -> None:
        if stack:
            stack[-1].text += characters

    def refuse(*_: Any) -> None:
        raise _Refused("a document type and its entities are not read. Leave out <!DOCTYPE ...>.")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        # What the text says of its encoding is about bytes, which this is not any more.
        parser.Parse(text.removeprefix("\ufeff").lstrip().encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        problem = f"{expat.ErrorString(error.code)}."
        raise DocumentError(source, [problem], [(error.lineno, error.offset + 1)]) from error
    except _Refused as refused:
        at = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        raise DocumentError(source, [str(refused)], [at]) from None
    return found[0]
