"""Envelopes: a value with what is known of it besides. They are views, made when somebody asks; values travel without.

Their JSON form is a CloudEvent 1.0 (https://github.com/cloudevents/spec), so that other programs take them as they are.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast
from urllib.parse import quote, unquote

import attrs

from trioflow.model.jsonable import jsonable
from trioflow.model.values import NO_VALUES, frozen

_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
_TAKEN = frozenset({
    "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", "data_base64", "dataref",
    "run", "error",
})  # fmt: skip


@attrs.frozen(kw_only=True)
class Envelope:
    """A value, who gave it, in which run, and when.

    `id` is the same in every schedule, and after each resume of a run that is kept; `trace` is the id of the run.
    `producer` is the node that gave it, empty if a literal did, and `socket` the data output. `schema` is a JSON Schema
    as far as the type of the socket says something, `meta` what else is known, as texts, numbers and booleans.
    """

    OUTPUT: ClassVar = "trioflow.output"

    id: str
    trace: str
    producer: str
    socket: str = ""
    type: str = OUTPUT
    time: datetime.datetime | None = None
    schema: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen)
    meta: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen)
    _error: str | None = attrs.field(default=None, alias="error")
    _load: Callable[[], Any] = attrs.field(eq=False, repr=False, alias="load")

    @classmethod
    def of(cls, body: Any, **known: Any) -> Envelope:
        """The envelope of a value that is there."""
        return cls(load=lambda: body, **known)

    @property
    def body(self) -> Any:
        """The value. One that was written as a reference is loaded whenever this is read."""
        return self._load()

    @property
    def error(self) -> str | None:
        """The kind of failure, if the value is what a node has failed with."""
        if self._error is not None:
            return self._error
        body = self.body
        return type(body).__name__ if isinstance(body, BaseException) else None

    @property
    def has_error(self) -> bool:
        """Whether the value is what a node has failed with."""
        return self.error is not None

    @property
    def content_type(self) -> str:
        """The media type of the value: bytes, a text, or whatever JSON has."""
        body = self.body
        if isinstance(body, bytes | bytearray):
            return "application/octet-stream"
        return "text/plain" if isinstance(body, str) else "application/json"

    def get_output(self, key: str, default: Any = None) -> Any:
        """A part of a mapping, or the value itself by the name of its output; `default` if there is none."""
        body = self.body
        if isinstance(body, Mapping):
            return cast("Mapping[str, Any]", body).get(key, default)
        return body if key == self.socket else default

    def to_dict(self, *, refer: Callable[[bytes], str] | None = None, above: int = 65_536) -> dict[str, Any]:
        """As a CloudEvent, of data that JSON has, with the values of secrets hidden.

        A body of more than `above` bytes is given to `refer`, if there is one, and its answer, a URI, stands for it.
        Raises `ValueError` for a name in `meta` that CloudEvents do not have: small letters and digits, 20 at most.
        """
        wrong = [name for name in self.meta if name in _TAKEN or not _ATTRIBUTE.fullmatch(name)]
        if wrong:
            raise ValueError(
                f"meta of an envelope is written as attributes of a CloudEvent, whose names are small letters and "
                f"digits, 20 at most, and none of its own: {', '.join(map(repr, wrong))}."
            )
        found: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": "/".join(["/runs", quote(self.trace, safe=""), quote(self.producer, safe="")]).rstrip("/"),
            "type": self.type,
            "run": self.trace,
            **jsonable(self.meta),
        }
        if self.socket:
            found["subject"] = self.socket
        if self.time is not None:
            found["time"] = self.time.isoformat().replace("+00:00", "Z")
        if self.error is not None:
            found["error"] = self.error
        found["datacontenttype"] = self.content_type
        return found | self._data(refer, above)

    def _data(self, refer: Callable[[bytes], str] | None, above: int) -> dict[str, Any]:
        body = self.body
        if isinstance(body, bytes | bytearray):
            if refer is not None and len(body) > above:
                return {"dataref": refer(bytes(body))}
            return {"data_base64": base64.b64encode(body).decode("ascii")}
        data = (
            {"type": self.error, "message": jsonable(str(body))} if isinstance(body, BaseException) else jsonable(body)
        )
        if refer is not None:
            written = data if isinstance(data, str) else json.dumps(data)
            if len(written.encode()) > above:
                return {"dataref": refer(written.encode())}
        return {"data": data}

    @classmethod
    def from_dict(cls, event: Mapping[str, Any], *, load: Callable[[str], bytes] | None = None) -> Envelope:
        """The envelope that a CloudEvent was made of, or any other CloudEvent. `load` gets what a reference stands for.

        Attributes that are not known are `meta`. Raises `ValueError` for what is no CloudEvent 1.0.
        """
        missing = [name for name in ("id", "source", "type") if not isinstance(event.get(name), str)]
        if event.get("specversion") != "1.0" or missing:
            raise ValueError(
                f"expected a CloudEvent 1.0, got specversion {event.get('specversion')!r}"
                + (f" without {', '.join(missing)}" if missing else "")
            )
        run = str(event.get("run", ""))
        source = str(event["source"])
        here = f"/runs/{quote(run, safe='')}/"
        return cls(
            id=event["id"],
            trace=run,
            producer=unquote(source.removeprefix(here)) if source.startswith(here) else "" if run else source,
            socket=str(event.get("subject", "")),
            type=event["type"],
            time=datetime.datetime.fromisoformat(event["time"]) if event.get("time") else None,
            meta={name: value for name, value in event.items() if name not in _TAKEN},
            error=event.get("error"),
            load=lambda: _body_of(event, load),
        )


def _body_of(event: Mapping[str, Any], load: Callable[[str], bytes] | None) -> Any:
    kind = str(event.get("datacontenttype") or "application/json")
    if "data_base64" in event:
        return base64.b64decode(event["data_base64"])
    if "data" in event or "dataref" not in event:
        return event.get("data")
    if load is None:
        raise ValueError(f"The body of event {event['id']!r} is at {event['dataref']!r}. Give `load` to read it.")
    written = load(event["dataref"])
    if kind == "application/octet-stream":
        return written
    return written.decode() if kind.startswith("text/") else json.loads(written)


def envelope_id(*parts: str) -> str:
    """32 hexadecimal digits for a value, by where it was given or taken."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def schema_for(hint: Any) -> dict[str, Any]:
    """A JSON Schema for values of a type; empty where that says nothing."""
    from trioflow.model.schema import schema_of  # noqa: PLC0415 - it knows all that documents hold

    try:
        return schema_of(hint, "value")
    except TypeError:
        return {}
