"""Secrets: a graph names them, the host gives them, and nobody shows them (A10)."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import pytest
from support import STANDARD, Note, chain

import trioflow as tf
from trioflow.cli import main
from trioflow.cli.failure import Failure
from trioflow.cli.trace import Trace
from trioflow.formats import to_dot, to_mermaid, to_text
from trioflow.model import secret
from trioflow.model.jsonable import to_json
from trioflow.runtime.base.failure import note
from trioflow.testing import run_virtual

VALUE = 'hunter2\\ "and" more\nü'
"""A secret that looks different wherever it is quoted."""
PARTS = ("hunter2", '"and" more', "more\n", "ü")


@pytest.fixture(autouse=True)
def forget():
    """What was revealed is hidden for as long as the process lives; not from test to test."""
    before = [*secret._revealed]
    yield
    secret._revealed[:] = before


class Uses(tf.Node, id="secret.uses"):
    """Tells all that it knows."""

    enter = tf.ExecIn()
    token = tf.DataIn(str, secret=True, default="")
    fail = tf.DataIn(str, default="")
    told = tf.DataOut(object)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        token = await ctx.get_input(self.token)
        ctx.services.get("notes").append(token)
        ctx.set_variable("v", {"here": [token, (token,), Strange(token)], token: 1})
        ctx.set_output(self.told, token)
        ctx.emit_feedback(f"it is {token}", tag=token)
        ctx.report_progress(1, 2, token)
        if await ctx.get_input(self.fail):
            try:
                raise KeyError(token)
            except KeyError as error:
                raise ValueError(f"can't log in with {token} ({token!r})") from error
        return self.then


class Strange:
    def __init__(self, token):
        self.token = token

    def __repr__(self):
        return f"Strange({self.token!r})"


def graph(**inputs):
    with tf.build(STANDARD) as g:
        g.variable("v", "any")
        uses = g.add(Uses, "uses", token={"secret": "TOKEN"}, **inputs)
        chain(g, g.add(tf.nodes.Start), uses, g.add(Note, "note", value=uses.told))
    return g.graph


def shows(text):
    return [part for part in PARTS if part in text]


def test_the_body_gets_the_secret(bench):
    """A literal that names a secret is the host's value for it (A10)."""
    bench.run(graph(), secrets={"TOKEN": VALUE, "other": "x"})
    assert bench.notes == [VALUE, VALUE]


def test_a_secret_that_the_host_does_not_have(bench):
    """It is told which input needs which secret, and how to give it (A10)."""
    error = bench.fails(tf.UnknownSecret, graph(), secrets={"TOKENS": "x"})
    assert str(error) == (
        "Input uses.token names the secret 'TOKEN', which the host does not have. Did you mean 'TOKENS'? It has: "
        "TOKENS. Give it to whoever runs the graph: secrets={'TOKEN': ...}."
    )
    assert error.__notes__ == ["in node 'uses' (secret.uses), activation 0.1"]
    assert "It has: none." in str(bench.fails(tf.UnknownSecret, graph()))


@tf.data_node(id="secret.plain")
def plain(x: int) -> int:
    return x


@pytest.mark.parametrize("watched", [False, True])
def test_secrets_of_data_nodes(watched):
    """A data node may have secret inputs, of whatever kind of body, in called graphs, too (A10)."""

    class Asks(tf.Node, id="secret.asks"):
        token = tf.DataIn(str, secret=True)
        lazy = tf.DataIn(str, secret=True, lazy=True)
        result = tf.DataOut(str)

        async def execute(self, ctx: tf.DataContext) -> None:
            ctx.set_output(self.result, await ctx.get_input(self.token) + await ctx.get_input(self.lazy))

    with tf.build(STANDARD) as inner:
        asks = inner.add(Asks, "asks", token={"secret": "A"}, lazy={"secret": "B"})
        inner.connect(asks.result, inner.declare_output("y", "str"))
    with tf.build(STANDARD) as g:
        call = g.add(g.define("called", inner.graph), "call")
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=call.y), g.add(Note, value=call.y))
    notes = []
    observers = [lambda event: None] if watched else []
    run_virtual(g.graph, secrets={"A": "a", "B": "b"}, services={"notes": notes}, observers=observers)
    assert notes == ["ab", "ab"]
    with pytest.raises(tf.UnknownSecret, match=r"Input call/asks\.token names the secret 'A'"):
        run_virtual(g.graph, services={"notes": notes})


def test_a_secret_that_nobody_asks_for(bench):
    """A secret is resolved when it is demanded, and not before (A10)."""
    with tf.build(STANDARD) as g:
        g.variable("v", "any")
        g.add(Uses, "uses", token={"secret": "TOKEN"})
        chain(g, g.add(tf.nodes.Start), g.add(Note))
    bench.run(g.graph)
    assert bench.notes == [None]


def test_a_literal_in_the_graph():
    """A plain text is a warning, a name where none is expected an error (A10)."""
    with tf.build(STANDARD) as g:
        g.variable("v", "any")
        chain(g, g.add(tf.nodes.Start), g.add(Uses, "uses", token="plain"))  # noqa: S106
    (problem,) = tf.validate(g.graph, STANDARD).problems
    assert (problem.severity, problem.code) == (tf.Severity.WARNING, "plain-secret")
    with tf.build(STANDARD) as g:
        g.variable("v", "any")
        chain(g, g.add(tf.nodes.Start), g.add(Uses, "uses", fail={"secret": "TOKEN"}))
    problems = tf.validate(g.graph, STANDARD).problems
    assert [(each.code, "Declare it as DataIn(str, secret=True)" in str(each)) for each in problems] == [
        ("type-mismatch", True)
    ]


def test_names_in_literals():
    """Only an object with the one name `secret` and a text is one (A10)."""
    assert secret.secret_name({"secret": "X"}) == "X"
    for literal in ("X", {}, {"secret": ""}, {"secret": 1}, {"secret": "X", "more": 1}, None):
        assert secret.secret_name(literal) is None


def test_hiding():
    """Each form in which a value may be shown is hidden; the longest first; short ones only by themselves (A10)."""
    assert secret.reveal("") == ""
    for value in ("abcd", "abcdefgh", "xyz", "qu'o\"te\\"):
        assert secret.reveal(value) == value
    assert secret.hide("abcdefgh abcd abcdxyz xyz") == "••• ••• •••xyz xyz"
    assert secret.hide("xyz") == "•••"
    for text in (repr("qu'o\"te\\"), json.dumps("qu'o\"te\\")):
        assert secret.hide(text)[1:-1] == "•••"
    assert secret.hide("nothing") == "nothing"


def test_documents_and_drawings_show_the_name():
    """Neither a document nor a drawing has the value; drawings show the name (A10)."""
    run_virtual(graph(), secrets={"TOKEN": VALUE}, services={"notes": []})
    made = graph()
    for text in (to_dot(made, STANDARD), to_mermaid(made, STANDARD), to_text(made, STANDARD)):
        assert "••• (TOKEN)" in text
        assert not shows(text)
    assert tf.loads(tf.dumps(made)) == made
    with tf.build(STANDARD) as g:
        g.variable("v", "any")
        chain(g, g.add(tf.nodes.Start), g.add(Uses, "uses", fail=f"by hand: {VALUE}"))
    assert not shows(to_text(g.graph, STANDARD))


def test_recordings_and_notes(tmp_path):
    """Events as data, recordings, notes on failures and what the command line says of them (A10)."""
    file = tmp_path / "trace.jsonl"
    events = []
    with Trace(str(file)) as trace, pytest.raises(ValueError, match="can't log in") as caught:
        run_virtual(
            graph(fail="yes"),
            secrets={"TOKEN": VALUE},
            services={"notes": []},
            observers=[trace, events.append],
            middleware=[tf.Retry(2, nodes=["uses"])],
        )
    text = file.read_text()
    assert '"RetryScheduled"' in text
    assert "\\u2022\\u2022\\u2022" in text
    for line in text.splitlines():
        assert not shows(str(json.loads(line))), line
    failure = Failure(caught.value)
    assert not shows("\n".join(failure.lines()))
    for each in (failure.as_json(), events, caught.value, {VALUE: VALUE}, [Strange(VALUE)], VALUE.encode()):
        assert "hunter2" not in to_json(each)
    error = ValueError()
    note(error, f"with {VALUE}")
    assert error.__notes__ == ["with •••"]


def command(folder, *words, **inputs):
    file = folder / "graph.json"
    tf.save(graph(**inputs), file)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["run", str(file), "--nodes", "secret_nodes", *words])
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    source = """
import trioflow as tf

class Uses(tf.Node, id="secret.uses"):
    enter = tf.ExecIn()
    token = tf.DataIn(str, secret=True, default="")
    fail = tf.DataIn(str, default="")
    told = tf.DataOut(object)
    then = tf.ExecOut()

    async def execute(self, ctx):
        token = await ctx.get_input(self.token)
        ctx.set_variable("v", [token, {token: str(len(token))}])
        ctx.set_output(self.told, token)
        ctx.emit_feedback(f"it is {token}")
        if await ctx.get_input(self.fail):
            raise ValueError(f"no: {token!r}")
        return self.then

class Note(tf.Node, id="test.note"):
    enter = tf.ExecIn()
    value = tf.DataIn(object, default=None)
    then = tf.ExecOut()

    async def execute(self, ctx):
        return self.then
"""
    (tmp_path / "secret_nodes.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("fail", ["", "yes"])
@pytest.mark.parametrize("way", ["environment", "file"])
def test_on_the_command_line(folder, monkeypatch, fail, way):
    """A secret comes from the environment or a file, and is shown in nothing that is written (A10)."""
    if way == "environment":
        monkeypatch.setenv("TOKEN", VALUE)
        words = ["--secret", "TOKEN"]
    else:
        (folder / "token.txt").write_text(VALUE + "\n", encoding="utf-8")
        words = ["--secret", "TOKEN=@token.txt"]
    code, out, err = command(folder, "--json", "--trace", "trace.jsonl", "--traceback", *words, fail=fail)
    assert code == (1 if fail else 0)
    answer = json.loads(out)
    for text in (out, str(answer), err, (folder / "trace.jsonl").read_text()):
        assert not shows(text), text
    if not fail:
        assert answer["variables"] == {"v": ["•••", {"•••": str(len(VALUE))}]}
    assert "it is •••" in err


def test_wrong_words_on_the_command_line(folder, monkeypatch):
    """A value is refused, and not shown again; what is not there is told; all at once (A10)."""
    monkeypatch.delenv("TOKEN", raising=False)
    (folder / "bytes").write_bytes(b"\xff\xfe")
    words = ["--secret", "TOKEN", "--secret", "A=hunter2", "--secret", "B=@nothing", "--secret", "C=@bytes"]
    code, out, err = command(folder, *words, "--secret", "=x")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "error: --secret TOKEN: there is no environment variable 'TOKEN'. Set it, or write TOKEN=@FILE.",
        "error: --secret A: every process of this machine can read what stands on a command line. Set the environment "
        "variable A and write --secret A, or write --secret A=@FILE.",
        "error: --secret B=@nothing: it can't be read: No such file or directory.",
        "error: --secret C=@bytes: it can't be read: it is not text in UTF-8.",
        "error: --secret: write NAME, or NAME=@FILE.",
    ]
    code, out, err = command(folder)
    assert code == 1
    assert "names the secret 'TOKEN', which the host does not have" in err
