"""The reference semantics as a judge of answers: what must come of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trioflow.conformance.capabilities import CLAIMED_BY
from trioflow.reference.small_step import small_step

Request = Mapping[str, Any]


class ReferencePort:
    """The reference semantics as a `Port`, in the same process; graphs must be valid."""

    name = "reference"
    level = 3
    capabilities = CLAIMED_BY[3] - {"validation"}

    def run(self, request: Request) -> Mapping[str, Any]:
        """Answer a request of the type `run`."""
        return {"type": "result", "id": request.get("id", 0), **small_step(request)}

    def close(self) -> None:
        """Nothing to end."""
