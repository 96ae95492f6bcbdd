"""Calls over HTTP, to a server on loopback: what is sent, who is asked how, and what comes of the answer."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import trio
from formats.serverless.server import Answer, Server, as_json, serving
from formats.serverless.workflows import graph_of

import trioflow as tf
from trioflow.formats.serverless import Hosts, WorkflowError
from trioflow.formats.serverless.calling import content_of

HOST = "api.test"


def ask(
    text: str, answers: Any, input: Any = None, secrets: Any = None, only: bool = True, allow: bool = False
) -> tuple[Any, Server]:
    server = Server(answers)

    async def main() -> Any:
        async with serving(server) as url:
            hosts = Hosts({HOST: url, "closed.test": "http://127.0.0.1:9"}, only=only)
            result = await tf.run(
                graph_of(text),
                variables={"input": input if input is not None else {}},
                services={Hosts: hosts},
                registry=tf.Registry.standard(allow=["scripts"] if allow else []),
                secrets=secrets,
                options=tf.RunOptions(timeout=20),
            )
        return result.variables["output"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "*")
        return trio.run(main), server


def failing(text: str, answers: Any, **more: Any) -> WorkflowError:
    with pytest.raises(ExceptionGroup) as caught:
        ask(text, answers, **more)
    (error,) = caught.value.exceptions
    assert isinstance(error, WorkflowError)
    return error


def call(given: str, kind: str = "http") -> str:
    return f"do: [{{c: {{call: {kind}, with: {{{given}}}}}}}]"


GET = f"method: get, endpoint: 'https://{HOST}/"


def test_what_is_sent():
    text = call(
        f"method: put, endpoint: {{uri: 'https://{HOST}/pets/{{id}}'}}, headers: {{x-n: '${{ .n }}', y: z, none: '${{ null }}'}}, "
        "query: {a: '${ .n }', b: c}, body: {deep: '${ .n }', as: .n}"
    )
    found, server = ask(text, {"/pets/a%2Fb": as_json({"ok": True})}, {"id": "a/b", "n": 2})
    ((method, target, headers, body),) = server.asked
    assert (found, method, target) == ({"ok": True}, "PUT", "/pets/a%2Fb?a=2&b=c")
    assert (headers["x-n"], headers["y"], headers["host"], "none" in headers) == ("2", "z", HOST, False)
    assert (headers["content-type"], json.loads(body)) == ("application/json", {"deep": 2, "as": ".n"})


def test_texts_are_sent_as_they_are():
    text = call(f"method: post, endpoint: 'https://{HOST}/p', headers: {{Content-Type: text/plain}}, body: 'a \"b\"'")
    _, server = ask(text, {"/p": (204, {}, b"")})
    assert server.asked[0][3] == b'a "b"'
    text = call(f"method: post, endpoint: 'https://{HOST}/p', body: '${{ .text }}'")
    assert ask(text, {"/p": (204, {}, b"")}, {"text": "{}"})[1].asked[0][3] == b"{}"


def test_what_comes_of_the_answer():
    for answer, expected in (
        (as_json([1]), [1]),
        ((200, {"content-type": "application/problem+json"}, b"{"), "{"),
        ((200, {"content-type": "text/plain; charset=latin-1"}, b"\xe4"), "ä"),
        ((200, {"content-type": "image/png"}, b"\xff\xfe"), "//4="),
        ((204, {}, b""), None),
    ):
        assert ask(call(GET + "x'"), {"/x": answer})[0] == expected
    assert ask(call(GET + "x', output: raw"), {"/x": (200, {}, b"ab")})[0] == "YWI="
    found, _ = ask(call(GET + "x', output: response"), {"/x": as_json({"a": 1}, 201)})
    assert (found["statusCode"], found["content"], found["request"]["uri"]) == (201, {"a": 1}, f"https://{HOST}/x")
    assert found["request"]["method"] == "get" and found["headers"]["content-type"] == "application/json"


def test_packed_answers_are_unpacked():
    import gzip

    packed = (200, {"content-type": "application/json", "content-encoding": "gzip"}, gzip.compress(b"[2]"))
    assert ask(call(GET + "x'"), {"/x": packed})[0] == [2]


def test_a_charset_that_does_not_exist():
    import httpx

    assert content_of(httpx.Response(200, headers={"content-type": "text/plain; charset=none"}, content=b"a")) == "YQ=="


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, "communication"), (401, "authentication"), (403, "authorization"), (301, "communication")],
)
def test_statuses_that_are_errors(status, kind):
    error = failing(call(GET + "x'"), {"/x": (status, {}, b"")})
    assert (error.status, error.type.rpartition("/")[2], error.instance) == (status, kind, "/do/0/c")


def test_redirections_may_be_answers():
    answers = {"/x": (302, {"location": "/y"}, b"there")}
    assert ask(call(GET + "x', redirect: true"), answers)[0] == "there"
    assert failing(call(GET + "z', redirect: true"), answers).status == 404


def test_what_can_not_be_asked():
    for uri, said in (
        ("'https://elsewhere.test/'", "may be asked here"),
        ("'${ .n }'", "must be a text"),
        ("'${ \"https://h:x/\" }'", "can't be asked"),
        (f"'https://{HOST}/{{none}}'", "the input has no 'none'"),
        (f"'https://{HOST}/{{open'", "answered 404"),
    ):
        assert said in failing(call(f"method: get, endpoint: {uri}"), {}, input={"n": 1}).detail
    error = failing(call("method: get, endpoint: 'https://closed.test/'"), {})
    assert "did not answer" in error.detail and error.status == 500
    assert "can't be asked" in failing(call("method: get, endpoint: 'ftp://elsewhere.test/'"), {}, only=False).detail
    assert "headers must be an object" in failing(call(GET + "x', headers: '${ .n }'"), {}, input={"n": 1}).detail


def test_answers_that_are_too_large(monkeypatch):
    monkeypatch.setattr("trioflow.formats.serverless.calling.MOST", 10)
    assert "sent more than 10 bytes" in failing(call(GET + "x'"), {"/x": (200, {}, b"a" * 11)}).detail


def authorization(described: str, answers: Any = None, head: str = "", **more: Any) -> str | None:
    text = head + call(f"method: get, endpoint: {{uri: 'https://{HOST}/x', authentication: {{{described}}}}}")
    _, server = ask(text, {"/x": as_json(1), **(answers or {})}, {"t": "secret"}, **more)
    return server.asked[-1][2].get("authorization")


def test_basic_and_bearer():
    basic = base64.b64encode(b"me:secret").decode()
    assert authorization("basic: {username: me, password: '${ .t }'}") == f"Basic {basic}"
    assert authorization("bearer: {token: '${ .t }'}") == "Bearer secret"
    head = "use: {authentications: {mine: {bearer: {token: abc}}}}\n"
    assert authorization("use: mine", head=head) == "Bearer abc"
    text = call(
        f"method: get, endpoint: {{uri: 'https://{HOST}/x', authentication: {{bearer: {{token: '${{ .none }}'}}}}}}"
    )
    assert failing(text, {}).type.endswith("/authentication")


def test_secrets_are_given_by_the_host():
    head = "use: {secrets: [mine]}\n"
    given = {"mine": json.dumps({"username": "me", "password": "pw"})}
    basic = base64.b64encode(b"me:pw").decode()
    assert authorization("basic: {use: mine}", head=head, secrets=given) == f"Basic {basic}"
    head = "use: {secrets: [mine], authentications: {a: {bearer: {use: mine}}}}\n"
    assert authorization("use: a", head=head, secrets={"mine": '{"token": "tok"}'}) == "Bearer tok"
    text = head + call(f"method: get, endpoint: {{uri: 'https://{HOST}/x', authentication: {{use: a}}}}")
    for secret in ("[]", "no json"):
        assert "must be a JSON object" in failing(text, {}, secrets={"mine": secret}).detail


def test_tokens_of_an_oauth_server():
    asked: list[bytes] = []

    def token(headers: dict[str, str], body: bytes) -> Answer:
        asked.append(headers.get("authorization", "").encode() + body)
        return as_json({"access_token": "T"})

    client = "client: {id: i, secret: s}"
    described = f"oauth2: {{authority: 'https://{HOST}/', {client}, scopes: [a, b], grant: client_credentials}}"
    assert authorization(described, {"/oauth2/token": token}) == "Bearer T"
    assert asked.pop() == b"grant_type=client_credentials&client_id=i&client_secret=s&scope=a+b"
    described = (
        f"oauth2: {{authority: 'https://{HOST}', endpoints: {{token: /t}}, grant: password, username: u, password: p, "
        "client: {id: i, secret: s, authentication: client_secret_basic}}"
    )
    assert authorization(described, {"/t": token}) == "Bearer T"
    assert asked.pop() == b"Basic aTpz" + b"grant_type=password&username=u&password=p"
    known = as_json({"token_endpoint": f"https://{HOST}/t"})
    described = f"oidc: {{authority: 'https://{HOST}/realm', {client}}}"
    answers = {"/realm/.well-known/openid-configuration": known, "/t": token}
    assert authorization(described, answers) == "Bearer T"
    for described, answers, said in (
        (f"oidc: {{authority: 'https://{HOST}/realm'}}", {}, "names no token_endpoint"),
        (f"oauth2: {{authority: 'https://{HOST}', {client}}}", {}, "gave no token: 404"),
        ("oauth2: {use: mine}", {}, "The grant 'authorization_code' is not understood"),
    ):
        text = call(f"method: get, endpoint: {{uri: 'https://{HOST}/x', authentication: {{{described}}}}}")
        secrets = {"mine": json.dumps({"authority": f"https://{HOST}", "grant": "authorization_code"})}
        assert said in failing("use: {secrets: [mine]}\n" + text, answers, secrets=secrets).detail


OPENAPI = {
    "openapi": "3.0.0",
    "servers": [{"url": "/{version}/", "variables": {"version": {"default": "v3"}}}],
    "paths": {
        "/pets/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "put": {
                "operationId": "putPet",
                "parameters": [{"name": "x-y", "in": "header"}, {"name": "q", "in": "query"}],
                "requestBody": {},
            },
            "get": {"operationId": "getPet"},
        }
    },
    "components": {"parameters": {"Id": {"name": "id", "in": "path", "required": True}}},
}


def openapi(given: str, **more: Any) -> str:
    return call(f"document: {{endpoint: 'https://{HOST}/api.json'}}, {given}", "openapi")


def test_operations_of_an_openapi_document():
    text = openapi("operationId: putPet, parameters: {id: '${ .id }', x-y: 1, q: [1, 2], name: Rex}")
    answers = {"/api.json": as_json(OPENAPI), "/v3/pets/7": as_json({"ok": 1})}
    found, server = ask(text, answers, {"id": 7})
    method, target, headers, body = server.asked[1]
    assert (found, method, target) == ({"ok": 1}, "PUT", "/v3/pets/7?q=1&q=2")
    assert (headers["x-y"], json.loads(body)) == ("1", {"name": "Rex"})
    text = openapi("operationId: putPet, parameters: {id: 7, body: [1]}, authentication: {use: a}")
    _, server = ask("use: {authentications: {a: {bearer: {token: t}}}}\n" + text, answers)
    assert (server.asked[1][3], server.asked[1][2]["authorization"]) == (b"[1]", "Bearer t")


def test_operations_of_version_two():
    document = {
        "swagger": "2.0",
        "host": HOST,
        "basePath": "/v2/",
        "paths": {
            "/p": {"post": {"operationId": "p", "parameters": [{"name": "pet", "in": "body", "required": True}]}}
        },
    }
    text = openapi("operationId: p, parameters: {pet: {n: 1}}")
    _, server = ask(text, {"/api.json": as_json(document), "/v2/p": as_json(1)})
    assert server.asked[1][3] == b'{"n": 1}'


def test_openapi_documents_in_files_and_in_yaml(tmp_path):
    path = tmp_path / "api.yaml"
    text = "openapi: 3.0.0\nservers: [{url: 'https://api.test/v3'}]\npaths: {/p: {get: {operationId: p}}}"
    path.write_text(text)
    given = "operationId: p"
    asked = call(f"document: {{endpoint: 'file://{path}'}}, {given}", "openapi")
    assert ask(asked, {"/v3/p": as_json(5)})[0] == 5
    path.unlink()
    assert "can't be read" in failing(asked, {}).detail
    path.write_text("[")
    assert "is not an OpenAPI document" in failing(asked, {}).detail
    served = (200, {"content-type": "application/yaml"}, json.dumps(OPENAPI).encode())
    text = openapi("operationId: getPet, parameters: {id: 1}")
    assert ask(text, {"/api.json": served, "/v3/pets/1": as_json(1)})[0] == 1


def test_what_an_openapi_document_does_not_have():
    answers = {"/api.json": as_json(OPENAPI)}
    for given, said in (
        ("operationId: none", "has no operation 'none'"),
        ("operationId: getPet", "needs the parameter 'id'"),
        ("operationId: getPet, parameters: {id: 1, more: 2}", "has no parameter 'more'"),
    ):
        assert said in failing(openapi(given), answers).detail
    assert failing(openapi("operationId: x"), {}).status == 404


def test_scripts_may_stand_elsewhere():
    text = f"do: [{{s: {{run: {{script: {{language: python, source: {{endpoint: 'https://{HOST}/x.py'}}}}}}}}}}]"
    assert ask(text, {"/x.py": (200, {"content-type": "text/x-python"}, b"print(5)")}, allow=True)[0] == "5\n"
    assert "answered 404" in failing(text, {}, allow=True).detail
