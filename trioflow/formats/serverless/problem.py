"""Errors as Serverless Workflow has them: problem details by RFC 7807, with a JSON pointer to the task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

Standard = Literal[
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
]

_BASE = "https://serverlessworkflow.io/spec/1.0.0/errors/"
_TITLES: Mapping[Standard, tuple[int, str]] = {
    "configuration": (400, "Configuration Error"),
    "validation": (400, "Validation Error"),
    "expression": (400, "Expression Error"),
    "authentication": (401, "Authentication Error"),
    "authorization": (403, "Authorization Error"),
    "timeout": (408, "Timeout Error"),
    "communication": (500, "Communication Error"),
    "runtime": (500, "Runtime Error"),
}
_SPELLINGS = re.compile(
    r"https?://serverlessworkflow\.io/(?:spec/[^/]+/errors|dsl/errors/types|errors/types)/([a-z]+)/?"
)


class WorkflowError(Exception):
    """A task of a Serverless Workflow has failed: `type`, `status`, `title`, `detail` and `instance` by RFC 7807.

    `instance` is the JSON pointer of the task in its document; empty until the task has it.
    """

    def __init__(self, type: str, status: int, title: str = "", detail: str = "", instance: str = "") -> None:
        super().__init__(type, status, title, detail, instance)
        self.type = type
        self.status = status
        self.title = title
        self.detail = detail
        self.instance = instance

    def __str__(self) -> str:
        said = ": ".join(each for each in (self.title, self.detail) if each) or self.type
        return f"{said} ({self.status}, {self.type}{f', at {self.instance}' if self.instance else ''})"

    def as_data(self) -> dict[str, Any]:
        """As expressions see it, and as RFC 7807 writes it; what is empty is left out."""
        named = {"title": self.title, "detail": self.detail, "instance": self.instance}
        return {"type": self.type, "status": self.status, **{key: value for key, value in named.items() if value}}


def standard(kind: Standard, detail: str, *, status: int | None = None, instance: str = "") -> WorkflowError:
    """An error of one of the types that the specification names."""
    usual, title = _TITLES[kind]
    return WorkflowError(_BASE + kind, usual if status is None else status, title, detail, instance)


def fits(error: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an error has all that a filter names. URIs of standard types are the same in every edition's spelling."""
    for key, value in wanted.items():
        has = error.get("detail" if key == "details" else key)
        if key == "type":
            has, value = _canonical(has), _canonical(value)  # noqa: PLW2901 - compared, not kept
        if has != value:
            return False
    return True


def _canonical(uri: Any) -> Any:
    known = _SPELLINGS.fullmatch(uri) if isinstance(uri, str) else None
    return _BASE + known[1] if known is not None and known[1] in _TITLES else uri
