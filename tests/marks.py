"""What `rules.toml` says of proofs, as it stands in the prose: `python -m tests.marks` writes it there anew."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parent.parent / "spec"

_MARK = re.compile(r"^\*Proved\* in (?:.+\n)+\n", re.MULTILINE)


def mark(rule: dict[str, Any]) -> str:
    """The paragraph of a rule that is proved: which theorems, in which files, and what they leave out."""
    files: dict[str, list[str]] = {}
    for theorem in rule["proved"]:
        file, name = theorem.split(".")
        files.setdefault(file, []).append(f"`{name}`")
    where = "; ".join(f"[{file}.v](../proofs/{file}.v): {', '.join(names)}" for file, names in files.items())
    text = f"*Proved* in {where}. *Left out:* {rule['left_out']}."
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n"


def write(spec: Path = SPEC) -> None:
    """Put the marks into the prose, below the level of each rule that is proved, and take all others away."""
    rules = tomllib.loads((spec / "rules.toml").read_text(encoding="utf-8"))["rules"]
    for path in sorted((spec / "rules").glob("*.md")):
        text = _MARK.sub("", path.read_text(encoding="utf-8"))
        for name, rule in rules.items():
            if "proved" in rule and path == spec / rule["file"]:
                begin = re.compile(rf"^### {name} .+\n\n\w+ · .+\n\n", re.MULTILINE)
                text = begin.sub(lambda found, rule=rule: f"{found[0]}{mark(rule)}\n", text)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
