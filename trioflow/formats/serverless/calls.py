"""Tasks that call and run: HTTP, OpenAPI, scripts, other workflows, and what is not done here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from trioflow.errors import did_you_mean
from trioflow.formats.placeholder import body_for
from trioflow.formats.port import Notes
from trioflow.formats.serverless import shape
from trioflow.formats.serverless.draft import Draft, TaskList
from trioflow.formats.serverless.nodes.processes import without_subscription
from trioflow.formats.serverless.shape import step
from trioflow.formats.serverless.trees import Tree, as_version, get_in, object_of

_OUTSIDE = {"asyncapi": "AsyncAPI", "grpc": "gRPC", "mcp": "MCP", "a2a": "A2A"}


def call(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str | None:
    """A task that calls what is no function of the document."""
    called, at = task["call"], step(path, "with")
    if not isinstance(called, str):
        draft.reading.wrong(step(path, "call"), "http, openapi, or the name of a function", called)
        return None
    if called in {"http", "openapi"}:
        kind = shape.HTTP if called == "http" else shape.OPENAPI
        kind(draft.reading, task.get("with"), at, around.names)
        if not isinstance(task.get("with"), Mapping):
            return None
        secret = secret_of(draft, cast("Tree", task["with"]))
        return draft.add_task(f"serverless.call_{called}", name, task, pointer, **secret)
    check_given(draft, task, path, around)
    functions = draft.use.get("functions")
    if called in _OUTSIDE:
        return placeholder_of(
            draft, name, f"serverless.{called}", task, pointer, path, f"{_OUTSIDE[called]} is not spoken here."
        )
    near = did_you_mean(called, cast("Tree", functions)) if isinstance(functions, Mapping) else ""
    return placeholder_of(
        draft,
        name,
        "serverless.catalogued",
        task,
        pointer,
        path,
        f"The function {called!r} is not in this document.{near}",
    )


def check_given(draft: Draft, task: Tree, path: str, around: TaskList) -> None:
    """Check what is given to somebody who does the work of a call."""
    if "with" in task:
        # What is asked of each message that comes is for whoever does the work.
        shape.strict_object(draft.reading, without_subscription(task["with"]), step(path, "with"), around.names)


def secret_of(draft: Draft, given: Tree) -> dict[str, Any]:
    """The secret that the authentication of a call names."""
    endpoint = given.get("endpoint", get_in(given, "document", "endpoint"))
    described: Any = given.get("authentication", get_in(endpoint, "authentication"))
    name = get_in(described, "use")
    if isinstance(name, str):
        described = get_in(draft.use, "authentications", name)
    for scheme in object_of(described).values():
        secret = get_in(scheme, "use")
        if isinstance(secret, str):
            return {"secret": {"secret": secret}}
    return {}


def run_task(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str | None:
    """A task that runs a script, a command or a workflow."""
    run = cast("Tree", task["run"]) if isinstance(task["run"], Mapping) else {}
    if run.get("await") is False:
        draft.notes.info("awaits", step(step(path, "run"), "await"), "It is waited for all the same.")
    if "workflow" in run:
        return delegate(draft, name, task, run["workflow"], pointer, path)
    if "container" in run:
        return placeholder_of(draft, name, "serverless.container", task, pointer, path, "Containers are not run here.")
    kind = "shell" if "shell" in run else "script"
    return draft.add_task(f"serverless.run_{kind}", name, task, pointer) if kind in run else None


def delegate(draft: Draft, name: str, task: Tree, described: Any, pointer: str, path: str) -> str | None:
    """A task that runs another workflow."""
    if not isinstance(described, Mapping):
        return None
    wanted = cast("Tree", described)
    key = (str(wanted.get("namespace", "")), str(wanted.get("name", "")), str(wanted.get("version", "latest")))
    if key[2] == "latest":
        versions = sorted((each for each in draft.library if each[:2] == key[:2]), key=lambda each: as_version(each[2]))
        key = versions[-1] if versions else key
    called = "/".join(key)
    found = draft.library.get(key)
    if found is None:
        message = f"The workflow {called} is not in the folder of this document."
        return placeholder_of(draft, name, "serverless.missing_workflow", task, pointer, path, message)
    if called not in draft.graphs:
        draft.graphs[called] = None  # it may call itself
        inner = Draft(found, draft.source, Notes(), draft.make_graph, draft.library, draft.graphs, draft.bodies, called)
        graph = draft.make_graph(inner)
        for each in inner.notes:
            if each.severity == "error":
                draft.notes.error(each.code, step(path, "run"), f"{called}: {each.path}: {each.message}", each.cure)
        draft.graphs[called] = graph
    node = draft.add_task("serverless.delegate", name, task, pointer)
    call = draft.add(f"graph:{called}", f"{name}: {wanted.get('name')}", {})
    draft.wire(f"{node}.call", f"{call}.enter")
    draft.wire(f"{node}.given", f"{call}.input")
    draft.wire(f"{call}.output", f"{node}.result")
    return node


def placeholder_of(draft: Draft, name: str, type_id: str, task: Tree, pointer: str, path: str, message: str) -> str:
    """A task that a host has to do."""
    work = draft.unique(f"{draft.free(name)}.{type_id.rpartition('.')[2]}")
    node = draft.delegated(work, type_id, name, task, pointer)
    draft.notes.error("placeholder", path, message, f"Give it a body: {body_for(work)}", node=work)
    return node
