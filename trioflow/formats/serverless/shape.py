"""What a Serverless Workflow document may say, field by field: one table, and the reading that it is held against.

A field that is not in the table is left out with a warning; a value that is of another kind is an error; a text that
should be an expression is compiled. All at once, each with its place.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs

from trioflow.errors import did_you_mean
from trioflow.formats.port import Notes
from trioflow.formats.serverless import duration as durations
from trioflow.formats.serverless.expressions import BUILT_IN, is_expression, problems_of, texts_in
from trioflow.formats.serverless.schemas import problem_of

Names = frozenset[str]


@attrs.define
class Reading:
    """A document while it is read: what it has under `use`, and what is to be said."""

    notes: Notes
    use: Mapping[str, Any]
    _expressions: list[tuple[str, str, Names]] = attrs.field(factory=list[tuple[str, str, Names]])

    def wrong(self, path: str, expected: str, value: Any) -> None:
        """A value is of another kind than it must be."""
        self.notes.error("wrong-kind", path, f"Expected {expected}, got {_short(value)}.")

    def expression(self, text: str, path: str, names: Names) -> None:
        """A text that must be an expression, with the variables that it may name besides the usual ones."""
        self._expressions.append((path, text, names))

    def compile(self) -> None:
        """Say which expressions are none."""
        wanted = [(text, names | BUILT_IN) for _, text, names in self._expressions]
        for index, problem in sorted(problems_of(wanted).items()):
            self.notes.error("bad-expression", self._expressions[index][0], f"{problem[:1].upper()}{problem[1:]}.")
        for path, text, _ in self._expressions:
            if re.search(r"\$(secrets|authorization)\b", text):
                self.notes.error(
                    "unknown-variable",
                    path,
                    "$secrets and $authorization are not given to expressions here.",
                    "Name a secret with `use` in an authentication.",
                )


Kind = Callable[[Reading, Any, str, Names], None]


def step(path: str, key: str | int) -> str:
    """The path of a part of a value, as messages write it."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not key.isidentifier():
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def text(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A text."""
    if not isinstance(value, str):
        reading.wrong(path, "a text", value)


def flag(reading: Reading, value: Any, path: str, names: Names) -> None:
    """True or false."""
    if not isinstance(value, bool):
        reading.wrong(path, "true or false", value)


def whole(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A whole number of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        reading.wrong(path, "a whole number of 0 or more", value)


def anything(reading: Reading, value: Any, path: str, names: Names) -> None:
    """Any value, kept as it is."""


def loose(reading: Reading, value: Any, path: str, names: Names) -> None:
    """An expression, with or without `${ }`."""
    if isinstance(value, str):
        reading.expression(value, path, names)
    else:
        reading.wrong(path, "an expression", value)


_LOOKS_LIKE_EXPRESSION = re.compile(r"\$[A-Za-z_]\w*(\.\w+)*|(\.[A-Za-z_]\w*)+")


def strict(reading: Reading, value: Any, path: str, names: Names) -> None:
    """Any value; texts in `${ }`, at every depth, are expressions."""
    for keys, found in texts_in(value):
        at = functools.reduce(step, keys, path)
        if is_expression(found):
            reading.expression(found, at, names)
        elif _LOOKS_LIKE_EXPRESSION.fullmatch(found):
            reading.notes.info("text", at, f"It is a text as it stands here; an expression is written ${{ {found} }}.")


def strict_text(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A text, or an expression in `${ }`."""
    text(reading, value, path, names)
    strict(reading, value, path, names)


def strict_object(reading: Reading, value: Any, path: str, names: Names) -> None:
    """An object with expressions in it, or an expression that gives one."""
    if not isinstance(value, Mapping) and not is_expression(value):
        reading.wrong(path, "an object, or an expression", value)
    strict(reading, value, path, names)


def text_values(reading: Reading, value: Any, path: str, names: Names) -> None:
    """An object of names and texts, or an expression that gives one; what is not a text is written as one."""
    strict_object(reading, value, path, names)
    for key, each in cast("Mapping[str, Any]", value).items() if isinstance(value, Mapping) else ():
        if not isinstance(each, str):
            reading.notes.info("as-text", step(path, key), f"It is written as a text, by JSON: {_short(each)}.")


def texts(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A list of texts, which may be expressions in `${ }`."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        reading.wrong(path, "a list of texts", value)
    strict(reading, value, path, names)


def shaping(reading: Reading, value: Any, path: str, names: Names) -> None:
    """What `from` and `as` hold: an expression, or an object with some in it."""
    if isinstance(value, str):
        reading.expression(value, path, names)
    elif isinstance(value, Mapping):
        strict(reading, value, path, names)
    else:
        reading.wrong(path, "an expression, or an object", value)


def duration(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A duration: `{seconds: 30}`, `PT30S`, or an expression that gives one."""
    if is_expression(value):
        strict(reading, value, path, names)
        return
    try:
        durations.seconds(value)
    except ValueError as error:
        reading.notes.error("wrong-kind", path, f"{str(error)[:1].upper()}{str(error)[1:]}.")


def one_of(*known: str) -> Kind:
    """One of these words."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        if value not in known:
            near = did_you_mean(value, known) if isinstance(value, str) else ""
            reading.notes.error("wrong-kind", path, f"Expected {', '.join(known)}, got {_short(value)}.{near}")

    return check


def listing(kind: Kind) -> Kind:
    """A list of values of one kind."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        if not isinstance(value, list):
            reading.wrong(path, "a list", value)
            return
        for index, each in enumerate(value):
            kind(reading, each, step(path, index), names)

    return check


def mapping(kind: Kind) -> Kind:
    """An object whose values are of one kind."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        if not isinstance(value, Mapping):
            reading.wrong(path, "an object", value)
            return
        for key, each in cast("Mapping[str, Any]", value).items():
            kind(reading, each, step(path, key), names)

    return check


def record(fields: Mapping[str, Kind], *needed: str, one: tuple[str, ...] = ()) -> Kind:
    """An object with these fields; `needed` must be there, and of `one` exactly one."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        read_fields(reading, value, path, names, fields, needed, one)

    return check


def read_fields(
    reading: Reading,
    value: Any,
    path: str,
    names: Names,
    fields: Mapping[str, Kind],
    needed: tuple[str, ...] = (),
    one: tuple[str, ...] = (),
) -> bool:
    """Hold an object against its fields; gives whether it is an object that has what it needs."""
    if not isinstance(value, Mapping):
        reading.wrong(path, f"an object with {', '.join(needed or one or list(fields)[:4])}", value)
        return False
    given = cast("Mapping[str, Any]", value)
    for key, each in given.items():
        kind = fields.get(key)
        if kind is not None:
            kind(reading, each, step(path, key), names)
        else:
            near = did_you_mean(key, fields)
            reading.notes.warning(
                "unknown-field", step(path, key), f"There is no field {key!r} here; it is left out.{near}"
            )
    lacking = [key for key in needed if key not in given]
    for key in lacking:
        reading.notes.error("missing-field", path or key, f"The field {key!r} is missing.")
    has = [key for key in one if key in given]
    if one and len(has) != 1:
        got = ", ".join(has) or "none"
        reading.notes.error("missing-field", path or one[0], f"Expected exactly one of {', '.join(one)}, got {got}.")
    return not lacking and (not one or len(has) == 1)


def referable(section: str, kind: Kind) -> Kind:
    """A value of a kind, or the name of one that stands under `use`."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        if isinstance(value, str):
            named(section)(reading, value, path, names)
        else:
            kind(reading, value, path, names)

    return check


def named(section: str) -> Kind:
    """The name of something that stands under `use`."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        if not isinstance(value, str):
            reading.wrong(path, "a name", value)
            return
        known = reading.use.get(section)
        names_known = [*map(str, cast("list[Any]", known))] if isinstance(known, list | Mapping) else []
        if value not in names_known:
            near = did_you_mean(value, names_known)
            reading.notes.error("unknown-name", path, f"There is no {value!r} under use.{section}.{near}")

    return check


def schema(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A schema: what stands in the document is checked, what stands elsewhere is not."""
    fields: Mapping[str, Kind] = {"format": text, "document": anything, "resource": resource}
    if not read_fields(reading, value, path, names, fields, one=("document", "resource")):
        return
    if "resource" in value:
        reading.notes.warning("not-checked", step(path, "resource"), "A schema that stands elsewhere is not checked.")
    elif str(value.get("format", "json")).partition(":")[0] != "json":
        reading.notes.warning("not-checked", step(path, "format"), "Only JSON Schemas are checked.")
    elif not isinstance(value["document"], Mapping | bool):
        reading.wrong(step(path, "document"), "a JSON Schema", value["document"])
    elif problem := problem_of(value["document"]):
        reading.notes.error("bad-schema", step(path, "document"), f"{problem[0].upper()}{problem[1:]}")


def endpoint(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A URI, which may be a template or an expression; or an object with it and an authentication."""
    if isinstance(value, str):
        uri(reading, value, path, names)
    else:
        read_fields(reading, value, path, names, {"uri": uri, "authentication": authentication}, ("uri",))


def uri(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A URI, which may be a template or an expression."""
    strict_text(reading, value, path, names)
    if isinstance(value, str) and not is_expression(value) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value):
        reading.notes.error("wrong-kind", path, f"Expected a URI such as https://…, got {_short(value)}.")


def version(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A version of the document, which is compared with others."""
    if not isinstance(value, str):
        reading.wrong(path, "a version such as 1.0.0", value)
    elif not re.fullmatch(r"\d+\.\d+\.\d+([-+].*)?", value):
        reading.notes.warning("odd-version", path, f"Expected a version such as 1.0.0, got {_short(value)}.")


def language(reading: Reading, value: Any, path: str, names: Names) -> None:
    """The version of the language."""
    if not isinstance(value, str) or not re.fullmatch(r"1\.\d+\.\d+([-+].*)?", value):
        reading.notes.error("wrong-version", path, f"Documents of version 1 are understood, got {_short(value)}.")


def name(reading: Reading, value: Any, path: str, names: Names) -> None:
    """A namespace, or the name of a workflow."""
    text(reading, value, path, names)
    if isinstance(value, str) and not re.fullmatch(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?", value):
        reading.notes.warning("odd-name", path, f"Expected letters, digits and hyphens, got {_short(value)}.")


def grant(reading: Reading, value: Any, path: str, names: Names) -> None:
    """How a token is asked for."""
    if value not in ("client_credentials", "password"):
        reading.notes.error(
            "not-understood", path, f"The grants client_credentials and password are, not {_short(value)}."
        )


def some(kind: Kind) -> Kind:
    """A value of a kind that is not empty."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        kind(reading, value, path, names)
        if isinstance(value, Mapping) and not value:
            reading.notes.warning("empty", path, "It says nothing.")

    return check


def credentials(*needed: str, **fields: Kind) -> Kind:
    """What an authentication says itself, or the name of the secret that says it."""

    def check(reading: Reading, value: Any, path: str, names: Names) -> None:
        has = isinstance(value, Mapping) and "use" in value
        read_fields(reading, value, path, names, {"use": named("secrets"), **fields}, ("use",) if has else needed)

    return check


_OAUTH: Mapping[str, Kind] = {
    "authority": uri,
    "grant": grant,
    "client": record({"id": strict_text, "secret": strict_text, "assertion": strict_text, "authentication": text}),
    "request": record({"encoding": text}),
    "issuers": texts,
    "scopes": texts,
    "audiences": texts,
    "username": strict_text,
    "password": strict_text,
    "subject": anything,
    "actor": anything,
    "endpoints": record({"token": strict_text, "revocation": strict_text, "introspection": strict_text}),
}
_SCHEMES: Mapping[str, Kind] = {
    "basic": credentials("username", "password", username=strict_text, password=strict_text),
    "bearer": credentials("token", token=strict_text),
    "digest": credentials("username", "password", username=strict_text, password=strict_text),
    "certificate": credentials("use"),
    "oauth2": credentials("authority", **_OAUTH),
    "oidc": credentials("authority", **_OAUTH),
}


def authentication(reading: Reading, value: Any, path: str, names: Names) -> None:
    """How a request is authenticated: a scheme, or the name of one under `use`."""
    fields = {**_SCHEMES, "use": named("authentications")}
    if read_fields(reading, value, path, names, fields, one=(*_SCHEMES, "use")):
        for scheme in ("digest", "certificate"):
            if scheme in value:
                reading.notes.error("not-understood", step(path, scheme), f"The scheme {scheme!r} is not understood.")


resource = record({"name": text, "endpoint": endpoint}, "endpoint")
timeout = record({"after": duration}, "after")
problem = record(
    {"type": uri, "status": whole, "instance": strict_text, "title": strict_text, "detail": strict_text},
    "type",
    "status",
)
retry = record(
    {
        "when": loose,
        "exceptWhen": loose,
        "delay": duration,
        "backoff": record(
            {
                "constant": record({}),
                "exponential": record({"factor": whole}),
                "linear": record({"increment": duration}),
            },
            one=("constant", "exponential", "linear"),
        ),
        "limit": record({"attempt": record({"count": whole, "duration": duration}), "duration": duration}),
        "jitter": record({"from": duration, "to": duration}, "from", "to"),
    }
)
input_ = record({"schema": schema, "from": shaping})
output = record({"schema": schema, "as": shaping})
export = record({"schema": schema, "as": shaping})
_EVENT: Mapping[str, Kind] = {
    "id": strict_text,
    "source": uri,
    "type": strict_text,
    "time": strict_text,
    "subject": strict_text,
    "datacontenttype": strict_text,
    "dataschema": uri,
}


def event(reading: Reading, value: Any, path: str, names: Names) -> None:
    """The attributes of an event; there may be others than those that have a name."""
    strict_object(reading, value, path, names)
    for key, each in cast("Mapping[str, Any]", value).items() if isinstance(value, Mapping) else ():
        _EVENT.get(key, anything)(reading, each, step(path, key), names)


def emitted(reading: Reading, value: Any, path: str, names: Names) -> None:
    """The attributes of an event that is emitted."""
    event(reading, value, path, names)
    for key in ("source", "type"):
        if isinstance(value, Mapping) and key not in value:
            reading.notes.error("missing-field", path, f"The field {key!r} is missing.")


event_filter = record(
    {"with": some(event), "correlate": mapping(record({"from": loose, "expect": strict_text}, "from"))}, "with"
)


def strategy(reading: Reading, value: Any, path: str, names: Names) -> None:
    """Which events are waited for: one, all, or any, until something."""

    def until(reading: Reading, value: Any, path: str, names: Names) -> None:
        if value is False:
            return
        (loose if isinstance(value, str) else strategy)(reading, value, path, names)

    fields = {"one": event_filter, "all": listing(event_filter), "any": listing(event_filter), "until": until}
    read_fields(reading, value, path, names, fields, one=("one", "all", "any"))


# What a task may say besides its own work. Lists of tasks in it are read by the importer, which makes nodes of them.
TASK: Mapping[str, Kind] = {
    "if": loose,
    "input": input_,
    "output": output,
    "export": export,
    "timeout": referable("timeouts", timeout),
    "then": text,
    "metadata": mapping(anything),
}
_READ_AS = one_of("raw", "content", "response")
_RETURN = one_of("stdout", "stderr", "code", "all", "none")
_PROCESS: Mapping[str, Kind] = {"stdin": strict_text, "arguments": texts, "environment": text_values}
HTTP = record(
    {
        "method": strict_text,
        "endpoint": endpoint,
        "headers": text_values,
        "query": text_values,
        "body": strict,
        "output": _READ_AS,
        "redirect": flag,
    },
    "method",
    "endpoint",
)
OPENAPI = record(
    {
        "document": resource,
        "operationId": strict_text,
        "parameters": strict_object,
        "authentication": authentication,
        "output": _READ_AS,
        "redirect": flag,
    },
    "document",
    "operationId",
)
RUN = record(
    {
        "container": strict_object,
        "script": record(
            {**_PROCESS, "language": text, "code": strict_text, "source": resource}, "language", one=("code", "source")
        ),
        "shell": record({**_PROCESS, "command": strict_text}, "command"),
        "workflow": record(
            {"namespace": text, "name": text, "version": text, "input": strict_object}, "namespace", "name", "version"
        ),
        "await": flag,
        "return": _RETURN,
    },
    one=("container", "script", "shell", "workflow"),
)
LISTEN = record({"to": strategy, "read": one_of("data", "envelope", "raw")}, "to")
FOREACH: Mapping[str, Kind] = {"item": text, "at": text, "do": anything, "output": output, "export": export}
FOR = record({"each": text, "in": loose, "at": text}, "in")
EMIT = record({"event": record({"with": emitted}, "with")}, "event")
RAISE = record({"error": referable("errors", problem)}, "error")
CATCH: Mapping[str, Kind] = {
    "errors": record(
        {"with": some(record({"type": text, "status": whole, "instance": text, "title": text, "details": text}))}
    ),
    "as": text,
    "when": anything,
    "exceptWhen": anything,
    "retry": anything,
    "do": anything,
}
CASE: Mapping[str, Kind] = {"when": loose, "then": text}
EXTENSION: Mapping[str, Kind] = {
    "extend": one_of(
        "call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait", "all"
    ),
    "when": loose,
    "before": anything,
    "after": anything,
}
USE: Mapping[str, Kind] = {
    "authentications": mapping(authentication),
    "errors": mapping(problem),
    "retries": mapping(anything),
    "secrets": listing(text),
    "timeouts": mapping(timeout),
    "catalogs": mapping(anything),
    "functions": mapping(anything),
    "extensions": listing(anything),
}
DOCUMENT: Mapping[str, Kind] = {
    "dsl": language,
    "namespace": name,
    "name": name,
    "version": version,
    "title": text,
    "summary": text,
    "tags": mapping(anything),
    "metadata": mapping(anything),
}
WORKFLOW: Mapping[str, Kind] = {
    "document": record(DOCUMENT, "dsl", "namespace", "name", "version"),
    "input": input_,
    "use": record(USE),
    "do": anything,
    "timeout": referable("timeouts", timeout),
    "output": output,
    "schedule": record({"every": duration, "cron": text, "after": duration, "on": strategy}),
}


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= 60 else f"{written[:59]}…"
