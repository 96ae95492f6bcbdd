"""Operations that an OpenAPI document describes, versions 2 and 3: from an operation's id to a request."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import trio

from trioflow.errors import DocumentError
from trioflow.formats.serverless.calling import Call, any_of, as_text, content_of, endpoint_of, exchange
from trioflow.formats.serverless.session import Session
from trioflow.formats.serverless.task import Doing, part
from trioflow.model.document import read_text

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


async def operation_of(doing: Doing, session: Session, given: Mapping[str, Any], secret: str) -> Call:
    """The request for an operation. Raises a `WorkflowError` for what the document does not have."""
    source, reading = endpoint_of(doing, part(given, "document")["endpoint"])
    document = await _document(doing, session, source)
    name = doing.fill(given["operationId"])
    found = _find(document, name)
    if found is None:
        raise doing.failed("configuration", f"{source} has no operation {name!r}.")
    method, path, operation, shared = found
    parameters = dict(any_of(doing.fill(given.get("parameters", {}))))
    headers: dict[str, str] = {}
    query: dict[str, Any] = {}
    body: Any = None
    for key, place in _declared(
        document, operation, shared, parameters, lambda said: doing.failed("configuration", said)
    ):
        value = parameters.pop(key)
        if place == "path":
            path = path.replace(f"{{{key}}}", urllib.parse.quote(as_text(value), safe=""))
        elif place == "header":
            headers[key] = as_text(value)
        elif place == "query":
            query[key] = value
        else:
            body = value
    if "requestBody" in operation:
        body, parameters = parameters.pop("body", None) if "body" in parameters else parameters or None, {}
    if parameters:
        unknown = ", ".join(sorted(map(repr, parameters)))
        raise doing.failed("configuration", f"The operation {name!r} has no parameter {unknown}.")
    authentication = given.get("authentication", reading)
    if "use" in authentication:
        authentication = doing.used("authentications", authentication["use"])
    uri = _server(document, source) + path
    output, redirect = given.get("output", "content"), given.get("redirect", False)
    return Call(method.upper(), uri, headers, query, body, output, redirect, authentication, secret)


def _declared(
    document: Mapping[str, Any],
    operation: Mapping[str, Any],
    shared: Mapping[str, Any],
    given: Mapping[str, Any],
    failed: Callable[[str], Exception],
) -> list[tuple[str, str]]:
    """The parameters that are given, and where each goes. Raises for one that is required and not given."""
    found: dict[str, str] = {}
    declared = [*cast("list[Any]", operation.get("parameters", [])), *cast("list[Any]", shared.get("parameters", []))]
    for each in (_referred(document, each) for each in declared):
        key, place = str(each.get("name")), str(each.get("in"))
        if key in given:
            found.setdefault(key, place)
        elif each.get("required"):
            raise failed(f"The operation {operation.get('operationId')!r} needs the parameter {key!r}.")
    return [*found.items()]


async def _document(doing: Doing, session: Session, source: str) -> Mapping[str, Any]:
    if source.startswith("file:"):
        path = Path(urllib.parse.unquote(source.removeprefix("file://").removeprefix("file:")))
        try:
            text = await trio.to_thread.run_sync(path.read_text)
        except (OSError, UnicodeError) as error:
            raise doing.failed("configuration", f"{source} can't be read: {error}.") from None
    else:
        answer = await exchange(doing, session, "GET", source, {"accept": "application/json, application/yaml, */*"})
        if answer.status_code != 200:
            raise doing.failed("communication", f"{source} answered {answer.status_code}.", answer.status_code)
        found = content_of(answer)
        if isinstance(found, Mapping):
            return cast("Mapping[str, Any]", found)
        text = str(found)
    try:
        tree = read_text(text, format="json" if text.lstrip().startswith("{") else "yaml", source=source)
    except DocumentError as error:
        raise doing.failed("configuration", f"{source} is not an OpenAPI document: {error}") from None
    return any_of(tree)


def _find(document: Mapping[str, Any], name: Any) -> tuple[str, str, Mapping[str, Any], Mapping[str, Any]] | None:
    for path, item in part(document, "paths").items():
        for method in _METHODS:
            operation = part(item, method)
            if operation.get("operationId") == name:
                return method, str(path), operation, any_of(item)
    return None


def _referred(document: Mapping[str, Any], each: Any) -> Mapping[str, Any]:
    found: Any = each
    reference = any_of(each).get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        found = document
        for step in reference[2:].split("/"):
            found = any_of(found).get(step.replace("~1", "/").replace("~0", "~"))
    return any_of(found)


def _server(document: Mapping[str, Any], source: str) -> str:
    """Where the operations are: what the document says, relative to where it stands."""
    there = urllib.parse.urlsplit(source)
    if "swagger" in document:
        schemes = cast("list[str]", document.get("schemes") or [there.scheme])
        scheme = "https" if "https" in schemes else schemes[0]
        host = document.get("host", there.netloc)
        return f"{scheme}://{host}{str(document.get('basePath', '')).rstrip('/')}"
    servers = cast("list[Any]", document.get("servers") or [{"url": "/"}])
    first = any_of(servers[0])
    url = str(first.get("url", "/"))
    for name, variable in part(first, "variables").items():
        url = url.replace(f"{{{name}}}", as_text(any_of(variable).get("default", "")))
    return urllib.parse.urljoin(source, url).rstrip("/")
