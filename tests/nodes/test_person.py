"""Talking to persons: tools that are graphs, replies of a form, what is remembered, and what is kept."""

from __future__ import annotations

import json

import attrs
import pytest
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.nodes.person import NoReply, PersonUnreachable
from trioflow.persons.port import PersonFailed, Reply, ToolCall
from trioflow.testing import EventLog, run_virtual

REGISTRY = tf.Registry.standard(plugins=False)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def knowing(**persons):
    return {tf.Persons: tf.Persons(persons)}


def asking(config=None, define=(), times=1, type_id="person.ask", **given):
    """A graph that asks somebody, as often as wanted."""
    with tf.build(REGISTRY) as g:
        g.variable("talk", "list", [])
        for name, graph in define:
            g.define(name, graph)
        each = g.add("flow.for", times=times)
        g.connect(g.add("flow.start").then, each.enter)
        given.setdefault("prompt", "Well?")
        g.connect(each.body, g.add(type_id, "ask", config=config or {}, **given).enter)
    return g.graph


def told(person, number=-1):
    """What a person was told, each with who said it."""
    return [f"{each.role}: {each.text}" for each in person.asked[number].messages]


def run(graph, **persons):
    return run_virtual(graph, registry=REGISTRY, services=knowing(**persons)).outputs["ask"]


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_question_and_its_reply():
    alice = tf.ScriptedPerson([Reply("Hi.", (), 10, 2, 0.5, "m")])
    log = EventLog()
    graph = asking(
        {"inputs": ["who"]}, prompt="Hello {who}", system="You are {role}.", who="Ada", inputs={"role": "Al"}
    )
    values = run_virtual(graph, registry=REGISTRY, services=knowing(alice=alice), observers=[log]).outputs["ask"]
    assert values == {"result": "Hi.", "text": "Hi.", "tokens_in": 10, "tokens_out": 2, "cost": 0.5, "rounds_used": 0}
    assert told(alice) == ["system: You are Al.", "user: Hello Ada"]
    ((_, _, _, feedback),) = log.rows("Feedback", data=True)
    assert feedback["message"] == "alice: 10 tokens in, 2 out"
    assert feedback["tag"] == {
        "person": "alice", "model": "m", "tokens_in": 10, "tokens_out": 2, "cost": 0.5, "tools": [],
    }  # fmt: skip


def test_a_value_is_told_as_json():
    alice = tf.ScriptedPerson(["a", "b"])
    run(asking(prompt={"é": [1]}, inputs={"x": 1}), alice=alice)
    run(asking(prompt="{left} as it is"), alice=alice)
    assert [told(alice, number) for number in (0, 1)] == [['user: {"é": [1]}'], ["user: {left} as it is"]]


@pytest.mark.parametrize(
    ("memory", "second"),
    [
        ("all", ["user: Well?", "assistant: a", "user: Well?"]),
        ("none", ["user: Well?"]),
        ("last 1", ["assistant: a", "user: Well?"]),
    ],
)
def test_each_node_remembers(memory, second):
    alice = tf.ScriptedPerson("ab")
    run(asking(times=2, memory=memory), alice=alice)
    assert told(alice) == second


def test_several_nodes_in_one_conversation():
    """What another person has said has the name in front."""
    alice, bob = tf.ScriptedPerson(["I am Alice."]), tf.ScriptedPerson(["Hello Alice."])
    with tf.build(REGISTRY) as g:
        g.variable("talk", "list", [])
        last = g.add("flow.start").then
        for name in ("alice", "bob"):
            ask = g.add("person.ask", name, person=name, prompt="Who is there?", conversation="talk")
            g.connect(last, ask.enter)
            last = ask.then
    ended = run_virtual(g.graph, registry=REGISTRY, services=knowing(alice=alice, bob=bob))
    assert told(bob) == ["user: Who is there?", "user: alice: I am Alice.", "user: Who is there?"]
    assert [each["from"] for each in ended.variables["talk"]] == ["user", "alice", "user", "bob"]


# --- replies of a form -----------------------------------------------------------------------------------------------


def test_a_reply_of_a_form():
    alice = tf.ScriptedPerson(["n is 1", '{"n": "1"}', '```json\n{"n": 1}\n```'])
    log = EventLog()
    graph = asking(schema=SCHEMA)
    values = run_virtual(graph, registry=REGISTRY, services=knowing(alice=alice), observers=[log]).outputs["ask"]
    assert (values["result"], values["text"]) == ({"n": 1}, '```json\n{"n": 1}\n```')
    assert alice.asked[0].schema == SCHEMA
    assert told(alice)[1:] == [
        "assistant: n is 1",
        "user: That does not fit: it is not JSON (Expecting value: line 1 column 1 (char 0)). Answer with JSON that "
        "does, and no more.",
        'assistant: {"n": "1"}',
        "user: That does not fit: $.n: '1' is not of type 'integer'. Answer with JSON that does, and no more.",
    ]
    warnings = [row[3]["message"] for row in log.rows("Feedback", data=True) if row[3]["level"] == "warning"]
    assert len(warnings) == 2


def test_a_reply_that_never_fits():
    with pytest.raises(NoReply, match=r"person.ask: the reply does not fit the schema: \$: 'n' is a required property"):
        run(asking(schema=SCHEMA, retries=1), alice=tf.ScriptedPerson([{}, {}]))


# --- tools -----------------------------------------------------------------------------------------------------------


def weather():
    """A graph with entries: what happens when it is called."""
    with tf.build(REGISTRY) as g:
        enter, done = g.declare_entry("enter"), g.declare_exit("done")
        town = g.declare_input("town", "str", doc="where")
        days = g.declare_input("days", "int", default=1)
        said = g.declare_output("said", "str")
        keep = g.add("state.keep", value=g.add(lambda t, d: f"{t}: rain, {d}", t=town, d=days).result)
        g.connect(enter, keep.enter)
        g.connect(keep.then, done)
        g.connect(keep.kept, said)
    return attrs.evolve(g.graph, metadata={"description": "Tells the weather."})


def adder():
    """A graph of data: two outputs."""
    with tf.build(REGISTRY) as g:
        a, b = g.declare_input("a", "int"), g.declare_input("b", "any")
        g.connect(g.add("math.add", a=a, b=1).result, g.declare_output("more", "int"))
        g.connect(b, g.declare_output("same", "any"))
    return g.graph


def failing():
    with tf.build(REGISTRY) as g:
        enter = g.declare_entry("enter")
        g.connect(enter, g.add("flow.raise", message="no luck").enter)
    return g.graph


def calls(*given):
    return Reply(calls=tuple(ToolCall(str(number), name, args) for number, (name, args) in enumerate(given, 1)))


def test_tools():
    """A call is an activation below the person's, and what came of it goes back; so does what went wrong."""
    alice = tf.ScriptedPerson(
        [
            calls(("weather", {"town": "Ulm"}), ("adder", {"a": 1, "b": [2]})),
            calls(
                ("wether", {}),
                ("weather", {"twn": "Ulm"}),
                ("weather", {}),
                ("fail", {}),
                ("adder", {"a": "x", "b": 1}),
            ),
            "It rains.",
        ]
    )
    graph = asking(
        {"tools": {"weather": "graph:weather", "adder": "graph:adder", "fail": "graph:failing"}},
        define=[("weather", weather()), ("adder", adder()), ("failing", failing())],
    )
    values = run(graph, alice=alice)
    assert (values["result"], values["rounds_used"]) == ("It rains.", 2)
    assert [(each.name, each.description) for each in alice.asked[0].tools] == [
        ("weather", "Tells the weather."), ("adder", ""), ("fail", ""),
    ]  # fmt: skip
    assert alice.asked[0].tools[0].parameters == {
        "type": "object",
        "properties": {"town": {"type": "string", "description": "where"}, "days": {"type": "integer"}},
        "required": ["town"],
        "additionalProperties": False,
    }
    said = [json.loads(each.text) for each in alice.asked[2].messages if each.role == "tool"]
    assert said[:2] == ["Ulm: rain, 1", {"more": 2, "same": [2]}]
    assert said[2:5] == [
        {"error": "there is no tool 'wether'; there are: weather, adder, fail"},
        {"error": "weather has no argument 'twn'; it has: town, days"},
        {"error": "weather needs the argument 'town'"},
    ]
    assert said[5]["error"].startswith("fail failed: ")
    assert "no luck" in said[5]["error"]
    assert said[6]["error"].startswith("adder failed: ")
    assert [each.call_id for each in alice.asked[1].messages if each.role == "tool"] == ["1", "2"]


def test_tools_without_end():
    def again(messages):
        return calls(("weather", {"town": "Ulm"}))

    alice = tf.ScriptedPerson([again] * 10)
    graph = asking({"tools": ["graph:weather"]}, define=[("weather", weather())], rounds=2)
    with pytest.raises(NoReply, match="person.ask: after 2 rounds of tools it wants another one: weather"):
        run(graph, alice=alice)
    assert len(alice.asked) == 3


def test_a_call_of_a_tool_where_there_is_none():
    alice = tf.ScriptedPerson([calls(("x", {})), "ok"])
    assert run(asking(), alice=alice)["result"] == "ok"
    assert told(alice)[-1] == """tool: {"error": "there is no tool 'x'; there are: none"}"""


def same_name():
    with tf.build(REGISTRY) as g:
        g.connect(g.declare_input("n", "int"), g.declare_output("n", "int"))
    return g.graph


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"tools": 1}, "expected 'tools' to be a list of graphs, or an object of names and graphs, got 1"),
        ({"tools": [1]}, "expected 'tools' to be a list of graphs, each 'graph:NAME' or 'file:PATH', got 1"),
        ({"tools": ["graph:weather", "graph:weather"]}, "two tools have the same name; give them names"),
        ({"tools": {"a b": "graph:weather"}}, "tools: 'a b' can't be the name of a tool"),
        ({"tools": ["graph:nobody"]}, "tools.nobody: 'graph:nobody' is not a graph that can be called"),
        ({"tools": {"x": 1}}, "tools.x: 1 is not a graph that can be called"),
        ({"tools": ["math.add"]}, "each 'graph:NAME' or 'file:PATH', got 'math.add'"),
        ({"tools": {"x": "math.add"}}, "tools.x: 'math.add' is not a graph that can be called"),
        ({"tools": ["file:parts/no where.json"]}, "tools.no_where: 'file:parts/no where.json' is not a graph"),
        ({"tools": ["graph:same"]}, "tools.same: graph:same has an input and an output 'n'; rename one"),
        ({"tool": []}, "there is no 'tool' in its configuration. Did you mean 'tools'?"),
    ],
)
def test_tools_that_are_wrong(config, message):
    with tf.build(REGISTRY) as g:
        g.define("weather", weather())
        g.define("same", same_name())
    graph = tf.Graph(
        [tf.GraphNode("ask", "person.ask", {"prompt": ""}, config=config, initiator=True)], graphs=g.graph.graphs
    )
    said = [each.message for each in tf.validate(graph, REGISTRY).errors]
    assert [each for each in said if message in each], said


# --- who does not answer ---------------------------------------------------------------------------------------------


class Silent:
    async def complete(self, messages, tools, schema):
        await trio.sleep_forever()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"timeout": 5.0}, TimeoutError, "alice did not answer within 5 s"),
        ({"person": "bob"}, tf.UnknownName, "There is no person 'bob'. This host has: alice"),
        ({"memory": "some"}, ValueError, "expected the memory to be 'all'"),
        ({"timeout": -1.0}, ValueError, "needs 0 seconds or more"),
    ],
)
@pytest.mark.parametrize("type_id", ["person.ask", "person.stream"])
def test_who_does_not_answer(type_id, given, error, message):
    with pytest.raises(error, match=rf"({type_id})?.*{message}"):
        run(asking(type_id=type_id, **given), alice=Silent())


class Nonsense:
    async def complete(self, messages, tools, schema):
        return 17


@pytest.mark.parametrize("type_id", ["person.ask", "person.stream"])
def test_who_gives_no_reply(type_id):
    """Persons are the host's own code: what they give is looked at."""
    with pytest.raises(NoReply, match=f"{type_id}: alice gave a value of the type int, where a Reply was expected"):
        run(asking(type_id=type_id), alice=Nonsense())


@pytest.mark.parametrize("name", ["rounds", "retries"])
def test_numbers_that_are_none(name):
    with pytest.raises(ValueError, match=f"person.ask needs 0 {name} or more, got -1"):
        run(asking(**{name: -1}), alice=Silent())


def test_a_host_that_knows_nobody():
    with pytest.raises(tf.UnknownName, match=r"person.ask: this host knows nobody. Give it some: services={Persons: "):
        run_virtual(asking(), registry=REGISTRY)


def test_a_policy_asks_again():
    """What the service said is known to policies: 429 with the seconds to wait, and what can't be reached."""
    alice = tf.ScriptedPerson([PersonFailed("no", status=429, retry_after=7), PersonUnreachable("no"), "Yes."])
    graph = asking()
    log = EventLog()
    retry = tf.RetryPolicy(attempts=3, on=("http.429", "PersonUnreachable"), jitter=0)
    ended = run_virtual(
        graph, registry=REGISTRY, services=knowing(alice=alice), observers=[log],
        options=tf.RunOptions(policies={"person.*": tf.Policy(retry=retry)}),
    )  # fmt: skip
    assert ended.output("ask", "result") == "Yes."
    assert [event.delay for event in log if isinstance(event, tf.RetryScheduled)] == [7.0, 2.0]


# --- kept runs -------------------------------------------------------------------------------------------------------


def test_nobody_is_asked_twice():
    """A run that is kept goes on with the replies and calls that it has."""
    alice = tf.ScriptedPerson([calls(("adder", {"a": 1, "b": 2})), "Yes."])
    journal = tf.MemoryJournal()
    graph = asking({"tools": ["graph:adder"]}, define=[("adder", adder())])
    arguments = {"registry": REGISTRY, "journal": journal, "run_id": "a"}
    silent = knowing(alice=Second(alice))

    async def evening():
        with trio.move_on_after(5):
            await tf.run(graph, services=silent, **arguments)

    trio.run(evening, clock=MockClock(autojump_threshold=0))
    assert len(alice.asked) == 1
    bob = tf.ScriptedPerson(["Yes."])
    ended = trio.run(
        lambda: tf.run(graph, services=knowing(alice=bob), **arguments), clock=MockClock(autojump_threshold=0)
    )
    assert ended.output("ask", "result") == "Yes."
    assert told(bob)[1:] == ["assistant: ", 'tool: {"more": 2, "same": 2}']


class Second:
    """Does not answer when it is asked for the second time."""

    def __init__(self, person):
        self.person = person

    async def complete(self, messages, tools, schema):
        if self.person.asked:
            await trio.sleep_forever()
        return await self.person.complete(messages, tools, schema)


# --- listening -------------------------------------------------------------------------------------------------------


def listening(**given):
    with tf.build(REGISTRY) as g:
        listen = g.add("person.stream", "ask", prompt="Well?", **given)
        g.connect(g.add("flow.start").then, listen.enter)
        heard = g.add("variable.update", "heard", name="heard", operation="append", value=listen.piece)
        g.variable("heard", "list", [])
        g.connect(listen.body, heard.enter)
    return g.graph


def test_each_piece_is_heard():
    ended = run_virtual(listening(), registry=REGISTRY, services=knowing(alice=tf.ScriptedPerson(["Good morning"])))
    assert ended.variables["heard"] == ["Good ", "morning "]
    assert ended.outputs["ask"]["result"] == "Good morning "


def test_a_person_that_can_not_be_heard_while_it_speaks():
    ended = run_virtual(
        listening(), registry=REGISTRY, services=knowing(alice=Second(tf.ScriptedPerson(["Good morning"])))
    )
    assert ended.variables["heard"] == ["Good morning"]
    assert ended.outputs["ask"]["result"] == "Good morning"


def test_a_resumed_listener_hears_the_rest():
    """What was heard is not said again: the person is asked to go on."""

    class Falters:
        async def complete(self, messages, tools, schema):
            raise NotImplementedError

        async def speak(self, messages, hear):
            for piece in ("Good ", "mor"):
                await hear(piece)
            await trio.sleep_forever()

    journal = tf.MemoryJournal()
    graph = listening(timeout=None)
    arguments = {"registry": REGISTRY, "journal": journal, "run_id": "a"}

    async def evening():
        with trio.move_on_after(5):
            await tf.run(graph, services=knowing(alice=Falters()), **arguments)

    trio.run(evening, clock=MockClock(autojump_threshold=0))
    bob = tf.ScriptedPerson(["ning"])
    ended = trio.run(
        lambda: tf.run(graph, services=knowing(alice=bob), **arguments), clock=MockClock(autojump_threshold=0)
    )
    assert told(bob) == ["user: Well?", "assistant: Good mor", "user: Go on exactly where you stopped."]
    assert ended.variables["heard"] == ["Good ", "mor", "ning "]
    assert ended.outputs["ask"]["result"] == "Good morning "


def test_a_listener_that_has_heard_enough():
    with tf.build(REGISTRY) as g:
        listen = g.add("person.stream", "ask", prompt="Well?")
        g.connect(g.add("flow.start").then, listen.enter)
        g.connect(listen.body, g.add("flow.break").enter)
    alice = tf.ScriptedPerson(["one two three"])
    ended = run_virtual(g.graph, registry=REGISTRY, services=knowing(alice=alice))
    assert ended.outputs["ask"]["result"] == "one "
