"""What an import has to say: what it could not take over, what it changed, and where meanings differ."""

from __future__ import annotations

from typing import Literal

import attrs

Severity = Literal["error", "warning", "info"]


@attrs.frozen
class Diagnostic:
    """One finding about a document: a stable code, the place in the document, what was found, and the cure.

    `error`: the imported graph can't run as it is. `warning`: something was left out. `info`: taken over, and the
    meaning may differ.
    """

    severity: Severity
    code: str
    path: str
    message: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.severity}[{self.code}] {self.path}: {self.message} {self.cure}".rstrip()
