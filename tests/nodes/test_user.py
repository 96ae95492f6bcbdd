"""Questions to people: by the host, by a signal, in a terminal, and in a page of forms on this machine."""

from __future__ import annotations

import io
import os
import re
import sys

import httpx
import pytest
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.nodes import _askers
from trioflow.nodes._askers import FormAsker, Question, TerminalAsker, open_forms
from trioflow.testing import EventLog

REGISTRY = tf.Registry.standard(plugins=False)


def asking(config=None, **given):
    """A graph that asks one question."""
    with tf.build(REGISTRY) as g:
        start = g.add("flow.start")
        node = g.add("user.ask", "ask", config=config or {}, question=given.pop("question", "Well?"), **given)
        g.connect(start.then, node.enter)
    return g.graph


class Host:
    """Answers one after the other, and then never."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def ask(self, question):
        self.asked.append(question)
        if not self.answers:
            await trio.sleep_forever()
        return self.answers.pop(0)


async def answered(host, **given):
    log = EventLog()
    ended = await tf.run(asking(**given), registry=REGISTRY, services={tf.Asker: host}, observers=[log])
    return ended.output("ask", "result"), [row[3]["message"] for row in log.rows("Feedback", data=True)]


async def test_the_host_asks():
    host = Host("yes")
    assert await answered(host, question="{who}?", inputs={"who": "Ada"}, choices=["yes", "no"]) == ("yes", [])
    (question,) = host.asked
    assert (question.text, question.choices, question.node, len(question.key)) == ("Ada?", ("yes", "no"), "ask", 32)


async def test_it_is_asked_until_an_answer_counts():
    host = Host("x", 3)
    assert await answered(host, schema={"type": "integer"}) == (
        3,
        ["an answer does not count: $: 'x' is not of type 'integer'"],
    )
    assert (await answered(Host("perhaps", "no"), choices=["yes", "no"]))[1] == [
        "an answer does not count: expected one of yes, no, got 'perhaps'"
    ]


async def test_braces_without_names_stay():
    host = Host("x")
    await answered(host, question="Really {so}?")
    assert host.asked[0].text == "Really {so}?"


async def test_nobody_answers(autojump_clock):
    """What was agreed for that is the answer, or it is an error."""
    assert await answered(Host(), timeout="2d", default="no") == ("no", [])
    assert trio.current_time() == 2 * 86400
    with pytest.raises(TimeoutError, match="user.ask: nobody has answered within 1h: Well?"):
        await answered(Host(), timeout="1h")
    assert await answered(Host("yes"), timeout="2d", default="no") == ("yes", [])


async def test_nobody_can_ask(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(ValueError, match="the host has nobody who asks: give it services={Asker: ...}"):
        await tf.run(asking(through="host"), registry=REGISTRY)
    with pytest.raises(ValueError, match="there is nobody to ask. Give the run a journal and send the signal 'answer'"):
        await tf.run(asking(), registry=REGISTRY)
    with pytest.raises(tf.NodeError, match="journal"):
        await tf.run(asking(through="signal"), registry=REGISTRY)


def test_a_signal_is_an_answer():
    """In a run that is kept: days later, in another process; one that does not count is told."""
    journal = tf.MemoryJournal()
    graph = asking(schema={"type": "integer"}, name="age")
    arguments = {"registry": REGISTRY, "journal": journal, "run_id": "a"}

    async def evening():
        with trio.move_on_after(5):
            await tf.run(graph, **arguments)

    trio.run(evening, clock=MockClock(autojump_threshold=0))
    log = EventLog()
    for sent in ("old", 42):
        tf.send_signal(journal, "a", "age", sent)
    ended = trio.run(lambda: tf.run(graph, observers=[log], **arguments), clock=MockClock(autojump_threshold=0))
    assert ended.output("ask", "result") == 42
    told = [(row[3]["level"], row[3]["message"]) for row in log.rows("Feedback", data=True)]
    assert told == [("info", "Well?"), ("warning", "an answer does not count: $: 'old' is not of type 'integer'")]


def test_no_signal_in_time():
    ended = trio.run(
        lambda: tf.run(asking(timeout="1m", default="none"), registry=REGISTRY, journal=tf.MemoryJournal(), run_id="a"),
        clock=MockClock(autojump_threshold=0),
    )
    assert ended.output("ask", "result") == "none"


# --- terminal --------------------------------------------------------------------------------------------------------


class Terminal:
    def __init__(self, typed):
        self.source, to = os.pipe()
        os.write(to, typed)
        os.close(to)
        self.target = io.StringIO()
        self.asker = TerminalAsker(self.source, self.target)


async def test_a_terminal():
    """Choices by number or text; what is no answer is said; what comes behind a line is for the next question."""
    terminal = Terminal(b"maybe\n2\nyes\nlast")
    question = Question("Shall I?", choices=("yes", "no"))
    assert await terminal.asker.ask(question) == "no"
    assert await terminal.asker.ask(question) == "yes"
    assert terminal.target.getvalue() == (
        "Shall I?\n  1 yes\n  2 no\n> expected one of yes, no, got 'maybe'.\n  1 yes\n  2 no\n> "
        "Shall I?\n  1 yes\n  2 no\n> "
    )
    assert await terminal.asker.ask(Question("And?")) == "last"
    with pytest.raises(EOFError, match="nobody answers any more"):
        await terminal.asker.ask(Question("And?"))
    os.close(terminal.source)


async def test_one_question_at_a_time():
    source, to = os.pipe()
    target = io.StringIO()
    asker = TerminalAsker(source, target)
    found = []

    async def ask(text):
        found.append((text, await asker.ask(Question(text))))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "first")
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(ask, "second")
        await trio.testing.wait_all_tasks_blocked()
        assert target.getvalue() == "first\n> "
        os.write(to, b"a\n")
        while not found:
            await trio.sleep(0)
        nursery.start_soon(ask, "third")
        await trio.testing.wait_all_tasks_blocked()
        assert target.getvalue() == "first\n> second\n> "
        os.write(to, b"b\nc\n")
    assert found == [("first", "a"), ("second", "b"), ("third", "c")]
    assert _askers._turns == {}
    os.close(source)
    os.close(to)


async def test_a_node_asks_in_the_terminal(monkeypatch, capsys):
    source, to = os.pipe()
    os.write(to, b"[1]\n")
    os.close(to)
    with os.fdopen(source) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        ended = await tf.run(asking(through="terminal", schema={"type": "array"}), registry=REGISTRY)
    assert ended.output("ask", "result") == [1]
    assert capsys.readouterr().err == "Well?\n> "


def test_what_is_typed():
    assert Question("?", schema={"type": "integer"}).read(" 7 ") == 7
    assert Question("?", schema={"type": "string"}).read("seven") == "seven"
    assert Question("?").read(" a b\n") == "a b"
    assert Question("?", choices=("a", "b")).read("c") == "c"


# --- forms -----------------------------------------------------------------------------------------------------------


async def test_a_page_of_forms():
    """Each question has a form; an answer that does not count is told, and one that comes too late."""
    async with open_forms() as forms, httpx.AsyncClient() as client:
        assert isinstance(forms, tf.Asker)
        page = await client.get(forms.address)
        assert (page.status_code, "There is no question now." in page.text) == (200, True)
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert (await client.get(re.sub("/[^/]+/$", "/x/", forms.address))).status_code == 404
        found = []

        async def ask():
            graph = asking(question="<b>1 < 2?", choices=["yes", "no"])
            found.append((await tf.run(graph, registry=REGISTRY, services={tf.Asker: forms})).output("ask", "result"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            nursery.start_soon(forms.ask, Question("Which number?", schema={"type": "integer"}))
            while len(forms._open) < 2:
                await trio.sleep(0.005)
            page = await client.get(forms.address)
            assert "&lt;b&gt;1 &lt; 2?" in page.text
            assert page.text.count("<form") == 2
            chosen, number = re.findall("name='key' value='([0-9a-f]+)'", page.text)
            if "Which number?" in page.text.partition("</form>")[0]:
                chosen, number = number, chosen
            wrong = await client.post(forms.address, data={"key": number, "answer": "x"})
            assert (wrong.status_code, "&#x27;x&#x27; is not of type" in wrong.text) == (422, True)
            right = await client.post(forms.address, data={"key": chosen, "answer": "2"})
            assert (right.status_code, right.headers["location"]) == (303, forms.address)
            assert (await client.post(forms.address, data={"key": number, "answer": "2"})).status_code == 303
        late = await client.post(forms.address, data={"key": number, "answer": "2"})
        assert "This question is not open any more." in late.text
    assert found == ["no"]


async def test_an_answer_counts_once():
    forms = FormAsker("")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(forms.ask, Question("?"))
        await trio.testing.wait_all_tasks_blocked()
        (key,) = forms._open
        assert forms.answer(key, "a") is None
        assert forms.answer(key, "b") == "This question is not open any more."
        assert "<form" not in forms.page()


async def test_without_what_serves_pages(monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette.routing", None)
    with pytest.raises(tf.MissingExtra, match=r"A page of forms needs .*trioflow\[studio\]"):
        async with open_forms():
            pass


# --- yes or no -------------------------------------------------------------------------------------------------------


def approving(**given):
    """A workflow that asks for a yes."""
    with tf.workflow(REGISTRY) as w:
        ask = w.add("flow.approve", "ask", **given)
        for each in ("approved", "rejected", "timed_out"):
            w.connect(ask[each], w.add("debug.print", each, value=each).enter)
    return w.graph


async def approved(host, **given):
    log = EventLog()
    ended = await tf.run(approving(**given), registry=REGISTRY, services={tf.Asker: host}, observers=[log])
    told = [row[3]["message"] for row in log.rows("Feedback", data=True)]
    return ended.outputs.get("ask", {}).get("comment"), told


@pytest.mark.parametrize(
    ("answer", "way", "comment"),
    [
        ("yes", "approved", ""),
        (True, "approved", ""),
        ("no", "rejected", ""),
        (False, "rejected", ""),
        ({"ok": False, "comment": "too dear"}, "rejected", "too dear"),
    ],
)
async def test_approval_by_the_host(answer, way, comment, capsys):
    """Without a journal: whom the host has given is asked."""
    assert await approved(Host(answer)) == (comment, [])
    assert capsys.readouterr().out == f"{way}\n"


async def test_approval_asks_again():
    host = Host("perhaps", {"ok": 1}, "yes")
    told = ["an answer does not count: expected yes or no, got 'perhaps'"]
    told += ["an answer does not count: expected yes or no, got {'ok': 1}"]
    given = {"config": {"inputs": ["what"]}, "what": "it", "text": "May we book {what}?"}
    assert await approved(host, **given) == ("", told)
    assert [(each.text, each.choices, each.name) for each in host.asked] == [
        ("May we book it?", ("yes", "no"), "approve")
    ] * 3


async def test_approval_that_nobody_gives(autojump_clock, monkeypatch, capsys):
    assert await approved(Host(), timeout="2d") == (None, [])
    assert capsys.readouterr().out == "timed_out\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(ValueError, match="flow.approve: there is nobody to ask. Give the run a journal and send the"):
        await tf.run(approving(), registry=REGISTRY)
