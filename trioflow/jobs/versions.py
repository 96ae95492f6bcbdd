"""What code a graph's node types have here: workers that have other code leave a run to those that have begun it."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from trioflow.model.node_type import FunctionBody

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType


def version_of(types: Iterable[NodeType]) -> str:
    """A digest of the code of these node types: what they call their version, or else their source."""
    told = sorted(f"{each.id} {_one(each)}" for each in types)
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _one(node_type: NodeType) -> str:
    if node_type.version is not None:
        return node_type.version
    body: Any = node_type.body.function if isinstance(node_type.body, FunctionBody) else node_type.body
    module = getattr(body, "__module__", "")
    if module.partition(".")[0] == "trioflow":
        return _own()
    try:
        source = inspect.getsource(body)
    except (OSError, TypeError):
        source = getattr(getattr(body, "__code__", None), "co_code", b"").hex()
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def _own() -> str:
    return str(sys.modules["trioflow"].__version__)
