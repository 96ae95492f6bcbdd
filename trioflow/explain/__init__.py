"""What rules, codes of problems and errors mean, from the installed package: `trioflow explain D4`.

Rules are the prose of spec/rules without its examples. `problems.md` and `imports.md` have a section for each code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import attrs

from trioflow import errors
from trioflow.conformance.shipped import PACKAGED_RULES, files
from trioflow.errors import TrioflowError, UnknownName, did_you_mean

__all__ = ["Explanation", "explain", "explanations"]

_ORDER = "MDTFSRGEBCAWJP"
"""Areas by the letters of their rules, in the order in which they build on one another; others come last."""
_HEADING = re.compile(r"^(?P<level>#{1,3}) (?P<name>\S+)(?: (?P<title>.+))?$", re.MULTILINE)
_EXAMPLE = re.compile(r"^```json vector\n.*?^```\n\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@attrs.frozen
class Explanation:
    """What a word means: its area, a title (empty if the word says enough), and a text in Markdown."""

    name: str
    area: str
    title: str
    text: str

    def __str__(self) -> str:
        head = f"{self.name}  {self.title}".rstrip()
        return f"{head}\n{'=' * len(head)}\n{self.area}\n\n{self.text}\n"


def explain(word: str) -> Explanation:
    """What a rule (`D4`), a code (`unknown-socket`, or as it is shown, `error[unknown-socket]`) or an error means.

    Capitals don't matter. Raises `UnknownName` for what nothing is known of.
    """
    inner = re.search(r"\[([\w-]+)\]", word)
    wanted = (inner[1] if inner is not None else word).strip().lower()
    known = {name.lower(): each for name, each in explanations().items()}
    if wanted not in known:
        raise UnknownName(
            f"There is nothing to explain about {word!r}.{did_you_mean(wanted, known)} It may be a rule such as D4, a "
            "code such as unknown-socket, or an error such as MissingInput."
        )
    return known[wanted]


@cache
def explanations() -> Mapping[str, Explanation]:
    """Everything that can be explained, by name: rules in their order, codes, errors."""
    found: dict[str, Explanation] = {}
    rules: list[Explanation] = []
    for _, page in files(PACKAGED_RULES, ".md"):
        prose = _LINK.sub(r"\1", _EXAMPLE.sub("", page.read_text(encoding="utf-8")))
        area = f"rule: {prose.partition(chr(10))[0].removeprefix('# ')}"
        rules += [Explanation(name, area, title, text) for name, title, text in _sections(prose)]
    rules.sort(key=lambda rule: (f"{_ORDER}{rule.name[0]}".index(rule.name[0]), rule.name[0], int(rule.name[1:])))
    found |= {rule.name: rule for rule in rules}
    for file, area in (("problems.md", "problem of a graph"), ("imports.md", "finding of an import")):
        for name, title, text in _sections(resources.files(__name__).joinpath(file).read_text(encoding="utf-8")):
            found[name] = Explanation(name, area, title, text)
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, BaseException) and error.__module__ == errors.__name__:
            found[name] = Explanation(name, f"error: {_fault(error)}", "", inspect.cleandoc(error.__doc__ or ""))
    return found


def _sections(text: str) -> list[tuple[str, str, str]]:
    """Name, title and text of each section of the third level; what stands below other headings is left out."""
    heads = list(_HEADING.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        (head["name"], head["title"] or "", text[head.end() : end].strip())
        for head, end in zip(heads, ends, strict=True)
        if head["level"] == "###"
    ]


def _fault(error: type[BaseException]) -> str:
    """Whose fault it is, as the tree of errors says."""
    bases = [base.__name__ for base in error.__mro__[1:] if issubclass(base, TrioflowError)]
    whose = {
        "GraphError": "the author of the graph can cure it",
        "NodeError": "the author of the node type can cure it",
        "RegistryError": "whoever put the node packages together can cure it",
        "RunError": "the run had to stop",
    }
    return next((whose[name] for name in [error.__name__, *bases] if name in whose), "of trioflow")
