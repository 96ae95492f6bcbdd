"""What `trioflow explain` says of rules, made from the prose: `python tests/explained.py` writes it anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT / "trioflow" / "explain" / "rules.md"

_EXAMPLE = re.compile(r"^```json vector\n.*?^```\n\n?", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,3}) .*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def rules():
    """The sections of all rules, one after the other, without examples, and without what stands before the first."""
    sections = []
    for path in sorted((ROOT / "spec" / "rules").glob("*.md")):
        text = _LINK.sub(r"\1", _EXAMPLE.sub("", path.read_text(encoding="utf-8")))
        heads = list(_HEADING.finditer(text))
        ends = [head.start() for head in heads[1:]] + [len(text)]
        sections += [
            text[head.start() : end].strip() for head, end in zip(heads, ends, strict=True) if len(head[1]) == 3
        ]
    order = "MDTFSRGEBCA"
    sections.sort(key=lambda text: (order.index(text[4]), int(re.match(r"### .(\d+)", text)[1])))
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    FILE.write_text(rules(), encoding="utf-8")
    sys.stdout.write(f"wrote {FILE}\n")
