"""Nodes that do something: code_job, template_job, api_job, hook, json_schema_validator."""

from __future__ import annotations

import json
from typing import Any

import attrs

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft, Made
from trioflow.formats.dipeo.expressions import Code
from trioflow.formats.dipeo.files import write_file
from trioflow.formats.dipeo.inputs import collect_inputs, default_source, objects_of, source_of, spread_inputs
from trioflow.formats.dipeo.prompts import refuse_blocks, render_prompt
from trioflow.formats.dipeo.unknown import placeholder_of
from trioflow.formats.fields import Fields, kind
from trioflow.model.graph import Connection, Endpoint, GraphNode

_PRINT = (
    "print = lambda *v, sep=' ', **k: __import__('builtins').print(*v, sep=sep, **k) if k.get('file') "
    "else [state.log(l) for l in sep.join(map(str, v)).split('\\n')]"
)
"""Lets the host see at once what code prints, as feedback of its node."""


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def code_job(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that runs code."""
    language = fields.choice("language", ("python", "bash", "shell", "typescript", "javascript"), "python")
    text, file = fields.text("code"), fields.text("file_path")
    function = fields.text("function_name")
    seconds = fields.number("timeout", 0)
    inputs: dict[str, Any] = {"timeout": seconds} if seconds > 0 else {}
    if file or not text or language in {"typescript", "javascript"}:
        what = f"its code is in the file {file!r}" if file else f"{language} is not run here"
        if not text and not file:
            what = "it has no code"
        return placeholder_of(draft, node, what)
    if language in {"bash", "shell"}:
        draft.add(GraphNode(node.label, "script.shell", {"code": text, **inputs}))
        draft.connections.append(Connection(collect_inputs(draft, node), Endpoint(node.label, "inputs")))
        return draft.plain(node.label)
    code = draft.code[node.label]
    if code.problem:
        draft.notes.error("code", fields.at("code"), f"The code of {node.label!r} is not Python: {code.problem}.")
    draft.add(
        GraphNode(node.label, "script.python", {"code": wrapped_code(draft, node, code, text, function), **inputs})
    )
    collected = collect_inputs(draft, node)
    names = {f"in_{number}": name for number, name in enumerate(sorted(draft.labels(node)), 1) if name.isidentifier()}
    both = draft.helper(f"{node.label} names", "value.collect", config={"inputs": {**names, "all": "inputs"}})
    draft.connections.append(Connection(collected, Endpoint(both, "all")))
    for name, label in names.items():
        source = source_of(draft, node, label)
        assert source is not None
        draft.connections.append(Connection(source, Endpoint(both, name)))
    draft.wire(both, "result", node.label, "inputs")
    return draft.plain(node.label)


def wrapped_code(draft: Draft, node: Node, code: Code, text: str, function: str) -> str:
    """The code as it is run here: with the names that it needs, and with what others need of it."""
    spread = tuple(sorted(objects_of(draft, node)))
    lines = [_PRINT] if code.prints and "print" not in code.assigned else []
    if spread:
        given = f"for n in {spread!r} if isinstance(inputs.get(n), dict) for k, v in inputs[n].items()"
        lines.append(f"inputs = {{k: v {given}}} | inputs")
    if code.asked:
        lines.append("globals().update((name, value) for name, value in inputs.items() if name not in globals())")
    lines += [f"{name} = state.get({name!r})" for name in code.asked if name in draft.variables]
    after = [f"state.set({name!r}, {name})" for name in code.values if name in draft.variables]
    if after and code.returns:
        message = "What is set before a return is not kept for other nodes: set `result` instead."
        draft.notes.warning("code", node.path, message)
    called = function or ("main" if "main" in code.functions else "")
    if called in code.functions and "result" not in code.assigned and not code.returns:
        names = code.functions[called]
        known = "inputs" if names is None else f"{{n: v for n, v in inputs.items() if n in {names!r}}}"
        after.append(f"result = {called}(**{known})")
    elif function and called not in code.functions:
        draft.notes.error("code", f"{node.path}.function_name", f"There is no function {function!r} in the code.")
    return "\n".join([*(["; ".join(lines)] if lines else []), text.rstrip("\n"), *after]) + "\n"


def template_job(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that fills a template, and writes it to a file where it says so."""
    engine = fields.choice("engine", ("jinja2", "internal", "handlebars"), "jinja2")
    text, file = fields.text("template_content"), fields.text("template_path")
    given, output = fields.mapping("variables"), fields.text("output_path")
    if engine != "jinja2" or text:
        refuse_blocks(draft, node, fields, [text])
    if not text and not file:
        draft.notes.error("bad-value", node.path, f"{node.label!r} has no template.")
    enter = node.label
    main = GraphNode(node.label, "template.render", {"template": text} if text else {})
    draft.add(main)
    made = draft.plain(node.label)
    if file and not text:
        enter = f"{node.label} template"
        draft.add(GraphNode(enter, "file.read_text", {"path": file}))
        draft.link(Endpoint(enter, "then"), node.label)
        draft.wire(enter, "text", node.label, "template")
    inputs = spread_inputs(draft, node)
    if given:
        both = draft.helper(f"{node.label} values", "value.join", {"own": given}, config={"inputs": ["own", "more"]})
        draft.connections.append(Connection(inputs, Endpoint(both, "more")))
        inputs = Endpoint(both, "result")
    draft.connections.append(Connection(inputs, Endpoint(node.label, "inputs")))
    made = attrs.evolve(made, enter=enter)
    return write_file(draft, node, made, output, "txt", Endpoint(node.label, "result")) if output else made


def api_job(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that calls an address."""
    inputs: dict[str, Any] = {
        "url": fields.text("url"), "method": fields.choice("method", _METHODS, "GET"),
    }  # fmt: skip
    if not inputs["url"]:
        draft.notes.error("bad-value", fields.at("url"), f"{node.label!r} has no url.")
    for theirs, ours in (("headers", "headers"), ("params", "query")):
        found = object_in(draft, fields, theirs)
        if found:
            inputs[ours] = found
    body = fields.take("body")
    if body is not None:
        inputs["body"] = body
    seconds = fields.number("timeout", 0)
    if seconds > 0:
        inputs["timeout"] = seconds
    auth = fields.choice("auth_type", ("none", "bearer", "basic", "api_key"), "none")
    config = object_in(draft, fields, "auth_config")
    if auth != "none":
        inputs["auth"] = "header" if auth == "api_key" else auth
        inputs["secret"] = (
            config.get("token") or config.get("password") or config.get("key") or config.get("api_key", "")
        )
        inputs |= {"user": config["username"]} if "username" in config else {}
        inputs |= {"header": config["header"]} if "header" in config else {}
        cure = '"secret": {"secret": "NAME"}, and `trioflow run --secret NAME`.'
        draft.notes.info("secret", fields.at("auth_config"), "What is secret is better kept out of documents:", cure)
    retries = fields.whole("max_retries", 0)
    draft.add(GraphNode(node.label, "api.call", inputs))
    if retries:
        from trioflow.model.policy import Policy, RetryPolicy  # noqa: PLC0415 - few nodes have one

        draft.evolve(node.label, policy=Policy(retry=RetryPolicy(retries + 1)))
    if "{{" in inputs["url"]:
        last = render_prompt(draft, node, None, inputs["url"], "")
        draft.evolve(node.label, inputs={key: value for key, value in inputs.items() if key != "url"})
        draft.link(last, node.label)
        draft.wire(f"{node.label} prompt", "result", node.label, "url")
        return attrs.evolve(draft.plain(node.label), enter=f"{node.label} prompt")
    return draft.plain(node.label)


def hook(draft: Draft, node: Node, fields: Fields) -> Made:  # noqa: C901 - one kind after the other
    """A node that tells others: a command or an address."""
    said = fields.choice("hook_type", ("shell", "webhook", "python", "file"), "shell")
    inner = fields.mapping("config")
    config = Fields(inner, fields.at("config"), draft.notes) if inner else fields
    source = default_source(draft, node)
    if said == "shell":
        command = config.text("command")
        inputs: dict[str, Any] = {"command": [command, *map(str, config.items("args"))]}
        if config.mapping("env"):
            inputs["environment"] = config.mapping("env")
        if config.text("cwd"):
            inputs["folder"] = config.text("cwd")
        if not command:
            draft.notes.error("bad-value", config.at("command"), f"{node.label!r} has no command.")
    elif said == "webhook":
        inputs = {"url": config.text("url")}
        if config.mapping("headers"):
            inputs["headers"] = config.mapping("headers")
        config.text("method")
        if not inputs["url"]:
            draft.notes.error("bad-value", config.at("url"), f"{node.label!r} has no url.")
    else:
        for name, _ in [*fields.left()]:
            fields.take(name)
        return placeholder_of(draft, node, f"hooks of type {said} are not known here")
    seconds = config.number("timeout", 0)
    if seconds > 0:
        inputs["timeout"] = seconds
    if config is not fields:
        config.tell_left()
    draft.add(GraphNode(node.label, "hook.shell" if said == "shell" else "hook.http", {"event": None, **inputs}))
    if source is not None:
        draft.connections.append(Connection(source, Endpoint(node.label, "event")))
    return draft.plain(node.label)


def json_schema_validator(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that checks what came against a schema."""
    schema: Any = fields.take("json_schema")
    file = fields.text("schema_path")
    strict = fields.flag("strict_mode", True)
    fields.flag("error_on_extra", False)
    data = fields.text("data_path")
    if isinstance(schema, str):
        schema = object_in(draft, fields, "json_schema")
    draft.add(
        GraphNode(node.label, "json.validate_schema", {"strict": strict} | ({"schema": schema} if schema else {}))
    )
    made = draft.plain(node.label)
    if not schema and not file:
        draft.notes.error("bad-value", node.path, f"{node.label!r} has no schema.")
    for path, socket in ((file if not schema else "", "schema"), (data, "value")):
        if path:
            read = f"{node.label} {socket}"
            draft.add(GraphNode(read, "file.read_text", {"path": path}))
            parsed = draft.helper(f"{read} parsed", "json.parse")
            draft.wire(read, "text", parsed, "text")
            draft.wire(parsed, "result", node.label, socket)
            draft.link(Endpoint(read, "then"), made.enter)
            made = attrs.evolve(made, enter=read)
    source = default_source(draft, node)
    if source is not None and not data:
        draft.connections.append(Connection(source, Endpoint(node.label, "value")))
    return made


def object_in(draft: Draft, fields: Fields, name: str) -> dict[str, Any]:
    """An object, which may be written as a text of JSON."""
    found = fields.take(name)
    if isinstance(found, str) and found.strip():
        try:
            found = json.loads(found)
        except ValueError as error:
            draft.notes.error("bad-value", fields.at(name), f"It is not JSON: {error}.")
            return {}
    if not isinstance(found, dict | None) and found != "":
        draft.notes.error("bad-value", fields.at(name), f"Expected an object, got {kind(found)}.")
    return found if isinstance(found, dict) else {}
