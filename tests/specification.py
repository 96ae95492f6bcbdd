"""What stands in spec/: the table of rules, the headings of the prose, the examples inside of it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "spec"
PROSE = sorted((SPEC / "rules").glob("*.md"))

RULES = tomllib.loads((SPEC / "rules.toml").read_text(encoding="utf-8"))["rules"]

_HEADING = re.compile(r"^### (?P<rule>[A-Z]\d+) (?P<title>.+)\n\n(?P<level>\w+) · (?P<seen>.+)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^```json vector\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Heading:
    """A rule as it stands in the prose."""

    def __init__(self, path, match):
        self.rule, self.title, self.level = match["rule"], match["title"], match["level"]
        self.file = path.relative_to(SPEC).as_posix()
        seen = re.fullmatch(r"from L(\d)", match["seen"])
        self.seen_from = int(seen[1]) if seen else None


class Example:
    """A vector inside the prose, and the rule below whose heading it stands."""

    def __init__(self, path, text, line, below):
        self.where = f"{path.relative_to(SPEC).as_posix()}:{line}"
        self.vector = json.loads(text)
        self.below = below

    def __str__(self):
        return self.vector["name"].replace(" ", "-")


def _read():
    headings, examples = [], []
    for path in PROSE:
        text = path.read_text(encoding="utf-8")
        found = [(match.start(), Heading(path, match)) for match in _HEADING.finditer(text)]
        headings += [heading for _, heading in found]
        for match in _EXAMPLE.finditer(text):
            below = [heading.rule for place, heading in found if place < match.start()][-1]
            examples.append(Example(path, match[1], text.count("\n", 0, match.start()) + 1, below))
    return headings, examples


HEADINGS, EXAMPLES = _read()
