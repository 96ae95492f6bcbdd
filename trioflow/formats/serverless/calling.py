"""Requests over HTTP: what a task describes, how it is authenticated, and what comes of the answer."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs
import trio

from trioflow.formats.serverless.expressions import is_expression
from trioflow.formats.serverless.session import Hosts, Session
from trioflow.formats.serverless.task import Doing, part

if TYPE_CHECKING:
    import httpx

MOST = 1 << 26
"""Bytes of an answer at most."""


@attrs.frozen
class Call:
    """A request, ready to be sent."""

    method: str
    uri: str
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    query: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    body: Any = None
    output: str = "content"
    redirect: bool = False
    authentication: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    secret: str = ""

    @classmethod
    def of(cls, doing: Doing, given: Mapping[str, Any], secret: str) -> Call:
        """What `with` of an HTTP call says."""
        uri, authentication = endpoint_of(doing, given["endpoint"])
        return cls(
            str(doing.fill(given["method"])).upper(),
            uri,
            texts_of(doing, doing.fill(given.get("headers", {})), "headers"),
            any_of(doing.fill(given.get("query", {}))),
            doing.fill(given.get("body")),
            given.get("output", "content"),
            given.get("redirect", False),
            authentication,
            secret,
        )


def any_of(value: Any) -> Mapping[str, Any]:
    """A value as an object; an empty one if it is none."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def texts_of(doing: Doing, value: Any, what: str) -> dict[str, str]:
    """An object of names and texts; numbers and truth values are written as JSON writes them."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise doing.failed("expression", f"{what} must be an object, got {type(value).__name__}.")
    given = cast("Mapping[str, Any]", value)
    return {str(name): as_text(each) for name, each in given.items() if each is not None}


def as_text(value: Any) -> str:
    """A value where only a text can stand."""
    return value if isinstance(value, str) else json.dumps(value)


def endpoint_of(doing: Doing, endpoint: Any) -> tuple[str, Mapping[str, Any]]:
    """The URI of an endpoint, with the data in the place of `{names}`, and how it authenticates."""
    described = cast("Mapping[str, Any]", endpoint) if isinstance(endpoint, Mapping) else {"uri": endpoint}
    authentication = described.get("authentication", {})
    if "use" in authentication:
        authentication = doing.used("authentications", authentication["use"])
    written = described["uri"]
    if is_expression(written):
        uri = doing.fill(written)
        if not isinstance(uri, str):
            raise doing.failed("expression", f"the URI must be a text, got {type(uri).__name__}.")
    else:
        uri = expanded(doing, written)
    return uri, authentication


def expanded(doing: Doing, template: str) -> str:
    """A URI template with the properties of the input in the place of their names."""
    parts = template.split("{")
    uri = parts[0]
    for each in parts[1:]:
        name, brace, rest = each.partition("}")
        if not brace:
            return template
        value = any_of(doing.input).get(name)
        if value is None:
            raise doing.failed("configuration", f"{template}: the input has no {name!r}.")
        uri += urllib.parse.quote(as_text(value), safe="") + rest
    return uri


async def called(doing: Doing, session: Session, call: Call) -> Any:
    """Send a request; gives what the task has as its output. Raises a `WorkflowError`."""
    headers = {"accept": "application/json, */*;q=0.5", **{name.lower(): text for name, text in call.headers.items()}}
    content: bytes | None = None
    if call.body is not None:
        content = as_text(call.body).encode()
        headers.setdefault(
            "content-type", "text/plain; charset=utf-8" if isinstance(call.body, str) else "application/json"
        )
    headers.update(await _authenticated(doing, session, call))
    query = {name: value if isinstance(value, list) else as_text(value) for name, value in call.query.items()}
    response = await exchange(doing, session, call.method, call.uri, headers, content, query)
    limit = 400 if call.redirect else 300
    if not 200 <= response.status_code < limit:
        reason = f"{response.status_code} {response.reason_phrase}".strip()
        kind = {401: "authentication", 403: "authorization"}.get(response.status_code, "communication")
        raise doing.failed(cast("Any", kind), f"{call.method} {call.uri} answered {reason}.", response.status_code)
    if call.output == "raw":
        return base64.b64encode(response.content).decode()
    found = content_of(response)
    if call.output != "response":
        return found
    sent = {"method": call.method.lower(), "uri": call.uri, "headers": {**headers}}
    if "authorization" in headers:
        sent["headers"] = {**headers, "authorization": "•••"}
    return {
        "request": sent,
        "headers": dict(response.headers.items()),
        "statusCode": response.status_code,
        "content": found,
    }


def content_of(response: httpx.Response) -> Any:
    """What an answer holds: what JSON stands for, a text, or bytes in Base64."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not response.content:
        return None
    if kind.endswith(("/json", "+json")):
        try:
            return json.loads(response.content)
        except ValueError:
            return response.text
    try:
        return response.content.decode(response.charset_encoding or "utf-8")
    except (UnicodeError, LookupError):
        return base64.b64encode(response.content).decode()


async def exchange(
    doing: Doing,
    session: Session,
    method: str,
    uri: str,
    headers: Mapping[str, str],
    content: bytes | None = None,
    query: Mapping[str, Any] | None = None,
) -> httpx.Response:
    """Send one request and read the answer. Raises a `WorkflowError`; one of type communication if none came."""
    client = await session.client()
    import httpx  # noqa: PLC0415 - an extra, which is there: the client is one

    try:
        asked = httpx.URL(uri)
        if query:
            asked = asked.copy_merge_params(cast("Any", query))
        there, host = _resolved(asked, session.hosts)
        request = client.build_request(method, there, headers={**headers, **host}, content=content)
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise doing.failed("configuration", f"{uri!r} can't be asked: {error}.") from None
    try:
        response = await client.send(request, stream=True)
        try:
            held = bytearray()
            # Generators of httpx stay open if one leaves them early: cancelling what they wait for ends them.
            with trio.CancelScope() as enough:
                async for chunk in response.aiter_bytes():
                    held += chunk
                    if len(held) > MOST:
                        enough.cancel()
            if len(held) > MOST:
                raise doing.failed("communication", f"{uri} sent more than {MOST:,} bytes.")
        finally:
            await response.aclose()
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise doing.failed("configuration", f"{uri!r} can't be asked: {error}") from None
    except httpx.HTTPError as error:
        said = str(error).rstrip(".") or type(error).__name__
        raise doing.failed("communication", f"{uri} did not answer: {said}.") from error
    headers_only = httpx.Headers([(k, v) for k, v in response.headers.multi_items() if k != "content-encoding"])
    return httpx.Response(response.status_code, headers=headers_only, content=bytes(held), request=request)


def _resolved(url: httpx.URL, hosts: Hosts) -> tuple[httpx.URL, dict[str, str]]:
    """Where a URL is asked, and the name of the host that is meant."""
    instead = hosts.instead.get(url.host)
    if instead is None:
        if hosts.only:
            raise ValueError(f"the host {url.host!r} is not one that may be asked here")
        return url, {}
    base = type(url)(instead)
    return url.copy_with(scheme=base.scheme, host=base.host, port=base.port), {"host": url.host}


async def _authenticated(doing: Doing, session: Session, call: Call) -> dict[str, str]:
    """The header that an authentication asks for."""
    for scheme in ("basic", "bearer", "digest", "oauth2", "oidc"):
        if scheme in call.authentication:
            return await _by_scheme(doing, session, call, scheme)
    return {}


async def _by_scheme(doing: Doing, session: Session, call: Call, scheme: str) -> dict[str, str]:
    described = call.authentication[scheme]
    if "use" in described:
        described = _of_secret(doing, call.secret, described["use"])
    described = doing.fill(described)
    if scheme == "basic":
        pair = f"{as_text(described.get('username'))}:{as_text(described.get('password'))}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if scheme == "bearer":
        token = described.get("token")
        if not isinstance(token, str) or not token:
            raise doing.failed("authentication", "The bearer token is not a text, or is empty.")
        return {"authorization": f"Bearer {token}"}
    if scheme == "digest":
        raise doing.failed("configuration", "Digest authentication is not understood.")
    return {"authorization": f"Bearer {await _token(doing, session, described, scheme)}"}


def _of_secret(doing: Doing, secret: str, name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(secret)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise doing.failed(
            "authentication", f"The secret {name!r} must be a JSON object with what the authentication needs."
        )
    return cast("Mapping[str, Any]", found)


async def _token(doing: Doing, session: Session, described: Mapping[str, Any], scheme: str) -> str:
    """A token of an OAuth 2 server; with OpenID Connect the server says where it gives them."""
    authority = str(described.get("authority", "")).rstrip("/")
    if scheme == "oidc":
        where = f"{authority}/.well-known/openid-configuration"
        known = content_of(await exchange(doing, session, "GET", where, {}))
        endpoint = any_of(known).get("token_endpoint")
        if not isinstance(endpoint, str):
            raise doing.failed("authentication", f"{where} names no token_endpoint.")
    else:
        endpoint = authority + str(part(described, "endpoints").get("token", "/oauth2/token"))
    grant = described.get("grant", "client_credentials")
    if grant not in {"client_credentials", "password"}:
        raise doing.failed("configuration", f"The grant {grant!r} is not understood.")
    client = part(described, "client")
    form = {"grant_type": grant, "client_id": client.get("id"), "client_secret": client.get("secret")}
    form["scope"] = " ".join(described.get("scopes") or []) or None
    form["audience"] = " ".join(described.get("audiences") or []) or None
    form["username"], form["password"] = described.get("username"), described.get("password")
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if client.get("authentication") == "client_secret_basic":
        pair = f"{form.pop('client_id')}:{form.pop('client_secret')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    body = urllib.parse.urlencode({name: value for name, value in form.items() if value is not None})
    answer = await exchange(doing, session, "POST", endpoint, headers, body.encode())
    token = any_of(content_of(answer)).get("access_token")
    if not 200 <= answer.status_code < 300 or not isinstance(token, str):
        raise doing.failed("authentication", f"{endpoint} gave no token: {answer.status_code}.", 401)
    return token
