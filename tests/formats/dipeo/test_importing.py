"""From diagrams of DiPeO: what their nodes and arrows become here, and what runs of them do."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
import trio
from formats.dipeo.diagrams import END, REGISTRY, START, Answers, diagram, node, problems, read, said, wire

import trioflow as tf
from trioflow.formats.dipeo import joins
from trioflow.formats.known import import_document, load
from trioflow.formats.port import document_in


def made(tree: Any, **options: Any) -> dict[str, tf.GraphNode]:
    """The nodes of the graph by their ids."""
    return {each.id: each for each in read(tree, **options).graph.nodes}


# --- people and models ---


def test_a_person_is_asked_with_what_came():
    """Labels of arrows are names in the prompt; what came without one is put below it, but not from the start."""
    answers = Answers(ask="yes", tell="done")
    tree = diagram(
        {**START, "props": {"custom_data": {"topic": "tea"}}},
        node("ask", "person_job", person="P", default_prompt="Do you like {{topic}}?"),
        node("tell", "person_job", person="P", default_prompt="He said {{word}}."), END,
        wires=["start -> ask", wire("ask -> tell", "word"), "ask -> tell", "tell -> end"],
        persons={"P": {"service": "openai", "model": "m", "system_prompt": "Be brief."}},
    )  # fmt: skip
    ended = answers.run(tree)
    assert answers.asked == [("ask", "Do you like tea?"), ("tell", "He said yes.\n\nyes")]
    assert ended.output("end", "kept") == "done"
    asked = made(tree)["ask"]
    assert (asked.inputs["person"], asked.inputs["system"], asked.inputs["memory"]) == ("P", "Be brief.", "all")


def loop(most: int, **props: Any) -> dict[str, Any]:
    """A person that is asked until it has had its turns."""
    return diagram(
        START, node("p", "person_job", default_prompt="again", max_iteration=most, **props),
        node("c", "condition", condition_type="detect_max_iterations"), END,
        wires=["start -> p", wire("p -> c", content="conversation_state"),
               wire("c[condfalse] -> p", content="conversation_state"), "c_condtrue -> end"],
    )  # fmt: skip


def test_a_circle_ends_when_all_have_had_their_turns():
    """As often as `max_iteration` says, the first time with the first prompt; what came last is the result."""
    answers = Answers(p=["one", "two", "three"])
    ended = answers.run(loop(3, first_only_prompt="first"))
    assert answers.asked == [("p", "first"), ("p", "again"), ("p", "again")]
    assert ended.output("end", "kept") == "three"


def test_a_person_with_fewer_turns_is_passed_by():
    """In a circle of several, one that has had its turns is not asked again, and the others are."""
    answers = Answers(a=["a1"], b=["b1", "b2"])
    answers.run(
        diagram(
            START,
            node("a", "person_job", default_prompt="A", max_iteration=1),
            node("b", "person_job", default_prompt="B", max_iteration=2),
            node("c", "condition", condition_type="detect_max_iterations"),
            END,
            wires=["start -> a", "a -> b", "b -> c", "c[condfalse] -> a", "c[condtrue] -> end"],
        )  # fmt: skip
    )
    assert [name for name, _ in answers.asked] == ["a", "b", "b"]


def test_a_circle_without_end_ends_here(monkeypatch):
    """Where nothing bounds it, it fails after many turns instead of going round for ever."""
    assert joins._MOST_TURNS == 1000
    monkeypatch.setattr(joins, "_MOST_TURNS", 20)
    tree = diagram(START, node("w", "code_job", code="x = 1"), wires=["start -> w", "w -> w"])
    answers = Answers(w=None)
    with pytest.raises(tf.TrioflowError, match="20"):
        answers.run(tree)


@pytest.mark.parametrize(
    ("props", "memory"),
    [
        ({"memorize_to": "GOLDFISH"}, "none"),
        ({"memory_profile": "ONLY_ME"}, "about me"),
        ({"memorize_to": "all about cats"}, "all"),
        ({"memory_config": {"forget_mode": "on_every_turn"}}, "none"),
        ({"memory_settings": {"max_messages": 4}}, "last 4"),
        ({"at_most": 2}, "last 2"),
    ],
)
def test_memory(props, memory):
    """What a person remembers, in the words of the three generations of documents."""
    assert made(diagram(START, node("p", "person_job", default_prompt="x", **props)))["p"].inputs["memory"] == memory


def test_a_reply_has_a_schema():
    """Classes in a text become a schema, and a diagram that can't be read says so."""
    text = "class A(BaseModel):\n    x: int\n\nclass Response(BaseModel):\n    a: List[A]\n    b: Optional[str] = None"
    schema = made(diagram(node("p", "person_job", default_prompt="x", text_format=text)))["p"].inputs["schema"]
    assert schema["properties"]["a"] == {"type": "array", "items": {"$ref": "#/$defs/A"}}
    assert schema["required"] == ["a"]
    every = """
class Kind(str, Enum):
    one = "1"
class Response(BaseModel):
    a: Kind
    c: int | float
    d: dict[str, bool] = {}
    e: Union[str, None]
    f: Literal["x", 2]
    g: Any
    h: "Response"
    i: Optional[list]
"""
    schema = made(diagram(node("p", "person_job", default_prompt="x", text_format=every)))["p"].inputs["schema"]
    assert schema["$defs"]["Kind"] == {"enum": ["1"]}
    assert schema["properties"]["c"] == {"anyOf": [{"type": "integer"}, {"type": "number"}]}
    assert (schema["properties"]["f"], schema["properties"]["h"]) == ({"enum": ["x", 2]}, {"$ref": "#"})
    for wrong, why in (
        ("x = (", "not Python"),
        ("class A:\n    x: f(1)", "nothing is known of the type f(1)"),
        ("x = 1", "holds no class"),
        ("class A:\n    x: Foo", "type Foo"),
    ):
        assert any(
            why in each for each in said(diagram(node("p", "person_job", default_prompt="x", text_format=wrong)))
        )


def test_a_prompt_in_a_file(tmp_path):
    """It is read when the person is asked, from beside the diagram or its folder of prompts."""
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "ask.txt").write_text("Do you like {{x}}?")
    tree = diagram({**START, "props": {"custom_data": {"x": 1}}}, node("p", "person_job", prompt_file="ask.txt"), END,
                   wires=["start -> p", "p -> end"])  # fmt: skip
    path = tmp_path / "d.json"
    path.write_text(json.dumps(tree))
    answers = Answers(p="yes")
    assert answers.run_file(path).output("end", "kept") == "yes"
    assert answers.asked == [("p", "Do you like 1?")]
    again = loop(2, prompt_file="gone.txt")
    again["nodes"][2]["props"] = {"condition_type": "custom", "expression": "1 == 1"}
    assert {"p turn", "p prompt file"} <= {*made(again)}


def test_a_user_is_asked():
    """With the question, or one that is put together of what came; who does not answer has said nothing."""
    answers = Answers(name="Ada", age="36")
    tree = diagram(
        START, node("name", "user_response", prompt="Name?", timeout=30),
        node("age", "user_response", prompt="How old are you, {{name}}?"), END,
        wires=["start -> name", wire("name -> age", "name"), "age -> end"],
    )  # fmt: skip
    answers.run(tree)
    assert answers.asked == [("name", "Name?"), ("age", "How old are you, Ada?")]
    assert made(tree)["name"].inputs["timeout"] == "30s"


# --- conditions ---


@pytest.mark.parametrize(("count", "way"), [(5, "many"), (1, "few")])
def test_a_condition_asks_for_what_came(count, way):
    """Names are labels of arrows, or entries of what came without one, or variables."""
    tree = diagram(
        {**START, "props": {"custom_data": {"count": count}}},
        node("c", "condition", condition_type="custom", expression="count > 2 and len(who.names) == 1"),
        node("many", "endpoint"), node("few", "endpoint"), node("w", "start", custom_data={"names": ["x"]}),
        wires=["start -> c", wire("w -> c", "who"), "c[condtrue] -> many", "c[condfalse] -> few"],
    )  # fmt: skip
    ended = Answers().run(tree)
    assert ended.output(way, "kept") == {"count": count}


def test_other_conditions():
    """By which nodes have run, and by what a person decides; an arrow without a handle is always followed."""
    tree = diagram(
        START, node("a", "endpoint"), node("b", "endpoint"),
        node("c", "condition", condition_type="check_nodes_executed", target_nodes=["a"]),
        node("d", "condition", condition_type="check_nodes_executed", node_indices=["b"]),
        node("yes", "endpoint"), node("no", "endpoint"), node("always", "endpoint"),
        wires=["start -> a", "a -> c", "c[condtrue] -> d", "d[condtrue] -> yes", "d[condfalse] -> no", "d -> always",
               "no -> b"],
    )  # fmt: skip
    ended = Answers().run(tree)
    assert ended.output("no", "kept") is not None
    assert any("is always followed" in each for each in said(tree))
    answers = Answers(judge={"decision": True}, _end=None)
    decided = diagram(
        {**START, "props": {"custom_data": {"x": 7}}},
        node("judge", "condition", condition_type="llm_decision", person="P", judge_by="Is {{x}} odd?"), END,
        node("other", "endpoint"), wires=["start -> judge", "judge[condtrue] -> end", "judge[condfalse] -> other"],
    )  # fmt: skip
    del answers.gives["_end"]
    ended = answers.run(decided)
    assert answers.asked == [("judge", "Is 7 odd?")]
    assert ended.output("end", "kept") == {"x": 7}


def test_a_template_asks_for_a_variable():
    """What code sets and a template names, without an arrow that brings it, is a variable of the graph."""
    tree = diagram(
        START, node("set", "code_job", code="topic = 'cats'"), node("t", "template_job", template_content="On {{topic}}?"),
        END, wires=["start -> set", "set -> t", "t -> end"],
    )  # fmt: skip
    graph = import_document(document_in(json.dumps(tree)), REGISTRY).graph
    assert trio.run(partial(tf.run, graph, registry=REGISTRY)).output("end", "kept") == "On cats?"


# --- code, templates, services, files ---


def test_code_runs_as_it_was_meant():
    """Code gets what came by label and by entry; names that other nodes read are variables; what it prints is told."""
    tree = diagram(
        {**START, "props": {"custom_data": {"n": 2}}},
        node("set", "code_job", language="python", code="total = n * 2\nprint('set', total)\nresult = total"),
        node("main", "code_job", code="def main(got):\n    return {'got': got, 'twice': got * 2}", function_name="main"),
        node("any", "code_job", code="def f(**all):\n    return sorted(all)", function_name="f"),
        node("read", "code_job", code="total += 1\nreturn [total, inputs['main']['twice']]"),
        node("shell", "code_job", language="bash", code='echo "$word"'), END,
        wires=["start -> set", wire("set -> main", "got"), wire("main -> read", "main"), wire("main -> any", "x"),
               wire("read -> shell", "word"), wire("read -> end", "list"), wire("any -> end", "names"),
               wire("shell -> end", "echo")],
    )  # fmt: skip
    result = import_document(document_in(json.dumps(tree)), REGISTRY)
    assert [str(each) for each in result.errors] == []
    assert any(
        "'total' is a variable of the graph: 'set' sets it, and 'read'" in str(each) for each in result.diagnostics
    )
    feedback: list[str] = []

    watch = tf.observe(lambda event: feedback.append(event.message), kinds=["Feedback"])
    ended = trio.run(partial(tf.run, result.graph, registry=REGISTRY, observers=[watch]))
    assert ended.output("end", "kept") == {"list": [5, 8], "names": ["x"], "echo": "[5, 8]"}
    assert feedback == ["set 4"]


def test_code_that_can_not_run():
    """Code in files and in other languages is a placeholder; what is not Python is told, and so is what gets lost."""
    for props, why in (
        ({"file_path": "x.py"}, "its code is in the file 'x.py'"),
        ({"language": "typescript", "code": "1"}, "typescript is not run here"),
        ({}, "it has no code"),
        ({"code": "x = ("}, "is not Python: '(' was never closed"),
        ({"code": "x = 1", "function_name": "f"}, "There is no function 'f' in the code"),
    ):
        assert any(why in each for each in said(diagram(START, node("c", "code_job", **props)))), why
    lost = diagram(
        node("a", "code_job", code="x = 1\nif x:\n    return 2"), node("b", "code_job", code="result = x"),
        wires=["a -> b"],
    )  # fmt: skip
    assert any("What is set before a return is not kept" in each for each in said(lost))


def test_templates(tmp_path):
    """With values of their own, from a file, into a file."""
    (tmp_path / "t.txt").write_text("{{a}}-{{b}}")
    tree = diagram(
        {**START, "props": {"custom_data": {"b": 2}}},
        node("t", "template_job", template_path=str(tmp_path / "t.txt"), variables={"a": 1},
             output_path=str(tmp_path / "out" / "o.txt")),
        END, wires=["start -> t", "t -> end"],
    )  # fmt: skip
    assert Answers().run(tree).output("end", "kept") == "1-2"
    assert (tmp_path / "out" / "o.txt").read_text() == "1-2"
    for props, why in (
        ({"template_content": "{{#each x}}"}, "blocks of Handlebars are not understood"),
        ({}, "has no template"),
    ):
        assert any(why in each for each in said(diagram(node("t", "template_job", **props))))


def test_files(tmp_path):
    """Files are read, as JSON with some keys, written and appended to; paths may have names in braces."""
    (tmp_path / "in.json").write_text('{"a": 1, "b": 2, "name": "x"}')
    (tmp_path / "x.txt").write_text("text of x")
    base = str(tmp_path)
    tree = diagram(
        START,
        node("json", "db", operation="read", sub_type="file", file=f"{base}/in.json", format="json", keys=["a", "name"]),
        node("text", "db", operation="read", sub_type="file", source_details=f"{base}/{{name}}.txt"),
        node("keep", "db", operation="write", sub_type="file", file=f"{base}/kept.json", format="json"),
        node("csv", "db", operation="append", sub_type="file", file=f"{base}/{{name}}.csv", format="csv"),
        node("end", "endpoint", save_to_file=True, file_path=f"{base}/deep/end.txt"),
        node("none", "db", operation="write", sub_type="file", file=f"{base}/none.txt"),
        wires=["start -> json", "json -> text", "json -> keep", wire("json -> csv", "x", "object"), "text -> end",
               "text -> csv"],
    )  # fmt: skip
    Answers().run(tree)
    assert json.loads((tmp_path / "kept.json").read_text()) == {"a": 1, "name": "x"}
    assert (tmp_path / "deep" / "end.txt").read_text() == "text of x"
    assert "text of x" in (tmp_path / "x.csv").read_text()
    assert any("written as csv" in each for each in said(tree))


def test_services():
    """Requests, commands and web hooks, with what they say of headers, secrets, retries and times."""
    tree = diagram(
        {**START, "props": {"custom_data": {"id": 3}}},
        node("api", "api_job", url="http://h/{{id}}", method="post", headers='{"X": "1"}', params={"q": "2"}, body={"a": 1},
             timeout=5, auth_type="basic", auth_config={"username": "u", "password": "p"}, max_retries=2),
        node("key", "api_job", url="http://h", auth_type="api_key", auth_config={"key": "k", "header": "X-Key"}),
        node("run", "hook", hook_type="shell", config={"command": "echo", "args": [1], "env": {"A": "b"}, "cwd": "/"}),
        node("tell", "hook", hook_type="webhook", url="http://h", headers={"X": "1"}, timeout=3),
        node("own", "hook", hook_type="python", function="f"),
        wires=["start -> api", "api -> key", "key -> run", "run -> tell", "tell -> own"],
    )  # fmt: skip
    nodes = made(tree)
    api, key = nodes["api"], nodes["key"]
    assert api.inputs["method"] == "POST"
    assert (api.inputs["query"], api.inputs["auth"], api.inputs["user"]) == ({"q": "2"}, "basic", "u")
    assert api.policy.retry.attempts == 3
    assert (key.inputs["auth"], key.inputs["header"], key.inputs["secret"]) == ("header", "X-Key", "k")
    assert nodes["run"].inputs["command"] == ["echo", "1"]
    assert (nodes["tell"].type, nodes["tell"].inputs["timeout"]) == ("hook.http", 3)
    assert nodes["own"].type == "dipeo.hook"
    assert {each.partition("]")[0] for each in problems(tree)} == {"warning[plain-secret"}
    answers = Answers(api={"ok": 1}, key=1, run="r", tell=None, own=None)
    answers.run(tree)
    assert [name for name, _ in answers.asked] == ["api", "key", "run", "tell", "own"]


def test_schemas(tmp_path):
    """What comes is checked; schema and data may be in files."""
    (tmp_path / "s.json").write_text('{"type": "object"}')
    (tmp_path / "d.json").write_text('{"a": 1}')
    tree = diagram(
        START,
        node("v", "json_schema_validator", schema_path=str(tmp_path / "s.json"), data_path=str(tmp_path / "d.json")), END,
        node("w", "json_schema_validator", json_schema='{"required": ["a"]}', strict_mode=False),
        wires=["start -> v", "v -> w", "w -> end"],
    )  # fmt: skip
    assert Answers().run(tree).output("end", "kept") == {"a": 1}
    assert any("has no schema" in each for each in said(diagram(node("v", "json_schema_validator"))))


# --- diagrams in diagrams ---


def test_a_diagram_calls_another(tmp_path):
    """It gets what came, by labels, and gives what its endpoint got; a batch is a call for each item."""
    inner = diagram(
        START, node("c", "condition", condition_type="custom", expression="default.default > 1"), node("big", "endpoint"),
        node("small", "endpoint"), wires=["start -> c", "c[condtrue] -> big", "c[condfalse] -> small"],
    )  # fmt: skip
    single = diagram(START, END, wires=["start -> end"])
    (tmp_path / "inner.light.yaml").write_text(json.dumps(inner))
    (tmp_path / "single.light.yaml").write_text(json.dumps(single))
    outer = diagram(
        {**START, "props": {"custom_data": {"items": [1, 2]}}},
        node("one", "sub_diagram", diagram_name="single"),
        node("alone", "sub_diagram", diagram_name="folder/single", ignore_input=True),
        node("each", "sub_diagram", diagram_name="inner", batch=True, batch_parallel=True), END,
        wires=[wire("start -> one", "x"), "start -> alone", "start -> each", wire("one -> end", "one"),
               wire("each -> end", "each"), wire("alone -> end", "alone")],
    )  # fmt: skip
    path = tmp_path / "outer.json"
    path.write_text(json.dumps(outer))
    ended = Answers().run_file(path).output("end", "kept")
    assert (ended["one"], ended["alone"]) == ({"x": {"items": [1, 2]}}, {})
    assert len(ended["each"]) == 2


def test_a_diagram_that_is_not_there(tmp_path):
    """It is told with its place, and the rest is read; a body may take its place."""
    tree = diagram(START, node("s", "sub_diagram", diagram_name="gone"), END, wires=["start -> s", "s -> end"])
    (tmp_path / "d.json").write_text(json.dumps(tree))
    assert [each.code for each in load(tmp_path / "d.json", REGISTRY).errors] == ["missing-file"]
    assert problems(tree) == []
    assert Answers(s=5).run(tree).output("end", "kept") == 5
    inside = diagram(node("s", "sub_diagram", diagram_data={"nodes": []}))
    assert {each.partition("]")[0] for each in said(inside)} >= {"error[no-counterpart", "error[bad-value"}


def test_a_diagram_without_endpoints_is_called(tmp_path):
    """What all its nodes give is its result then."""
    graph = read(diagram(node("a", "code_job", code="result = 1"), node("b", "db", file="x")), called=True).graph
    assert [each.name for each in graph.interface.outputs] == ["result"]
    assert {"enter", "leave", "end", "results"} <= {each.id for each in graph.nodes}
    clash = read(diagram(node("enter", "start"), node("end", "endpoint"), wires=["enter -> end"]), called=True).graph
    assert {"enter 2", "end 2"} <= {each.id for each in clash.nodes}


# --- joins, and what is wrong ---


@pytest.mark.parametrize(
    ("policy", "join"),
    [("all", None), ("any", "each"), ({"policy_type": "first"}, "first"), ({"type": "k_of_n", "k": 2}, "first")],
)
def test_joins(policy, join):
    """How many of the arrows a node waits for."""
    found = made(diagram(START, {**END, "props": {"join_policy": policy}}, wires=["start -> end"]))["end"]
    assert (found.join if join else None) == join
    assert isinstance(policy, str) or policy.get("k") in {None, found.min}


def test_several_arrows_of_one_name():
    """Of two ways with the same label that is taken which was gone, that of a node's own circle first."""
    tree = diagram(
        {**START, "props": {"custom_data": {"n": 1}}}, node("c", "condition", condition_type="custom", expression="n == 1"),
        node("a", "endpoint"), node("b", "endpoint"), node("z", "endpoint", join_policy="any"),
        wires=["start -> c", "c[condtrue] -> a", "c[condfalse] -> b", wire("a -> z", "x"), wire("b -> z", "x")],
    )  # fmt: skip
    assert Answers().run(tree).output("z", "kept") == {"n": 1}


WRONG = {
    "a type": (node("x", "typescript_ast", path="p"), "nodes of type typescript_ast are not known here"),
    "no type": (node("x", ""), "Node 'x' has no type."),
    "no label": (node("", "endpoint"), "A node needs a label."),
    "a position": ({**END, "position": 5}, "Expected a position with x and y, got 5."),
    "a coordinate": ({**END, "position": {"x": "left", "y": 1}}, "Expected a number, got 'left'."),
    "a field": (node("x", "endpoint", colour="red"), "warning[unknown-field]"),
    "a join": (node("x", "endpoint", join_policy="some"), "Expected one of all, any, first, k_of_n, got 'some'."),
    "a k": (node("x", "endpoint", join_policy={"type": "k_of_n"}), "Expected a number k, got None."),
    "a file": (node("x", "endpoint", save_to_file=True), "'x' saves to a file and names none."),
    "no decision": (node("x", "condition"), "'x' does not say what it decides by."),
    "no expression": (node("x", "condition", condition_type="custom"), "'' can't be translated: it is missing."),
    "an expression": (
        node("x", "condition", condition_type="custom", expression="f(1)"), "the call 'f(1)' can't be said in CEL",
    ),
    "no persons": (node("x", "condition", condition_type="detect_max_iterations"), "there are none."),
    "no nodes": (node("x", "condition", condition_type="check_nodes_executed"), "names no nodes to look at."),
    "a node": (
        node("x", "condition", condition_type="check_nodes_executed", target_nodes=["y"]), "There is no node 'y'.",
    ),
    "no judgement": (node("x", "condition", condition_type="llm_decision"), "does not say what it decides by."),
    "a hook by time": (node("start 2", "start", trigger_mode="hook"), "What starts a run is whoever runs it."),
    "no question": (node("x", "user_response"), "'x' asks nothing."),
    "tools": (node("x", "person_job", default_prompt="x", tools="web_search"), "Its tools are left out."),
    "tools of a type": (node("x", "person_job", default_prompt="x", tools=5), "Expected a list, got 5."),
    "messages": (node("x", "person_job", default_prompt="x", at_most="few"), "Expected a number, got 'few'."),
    "a format": (node("x", "person_job", default_prompt="x", text_format_file="x.py"), "Classes in files are not read."),
    "handlebars": (node("x", "person_job", default_prompt="{{#if a}}"), "blocks of Handlebars are not understood"),
    "a person": (node("x", "person_job", default_prompt="x", person="Q"), "'Q' is not one of the persons of the diagram."),
    "no url": (node("x", "api_job"), "'x' has no url."),
    "headers": (node("x", "api_job", url="u", headers="{"), "It is not JSON"),
    "headers of a type": (node("x", "api_job", url="u", headers=5), "Expected an object, got 5."),
    "no command": (node("x", "hook", hook_type="shell"), "'x' has no command."),
    "no hook url": (node("x", "hook", hook_type="webhook"), "'x' has no url."),
    "no file": (node("x", "db", operation="read"), "Expected the path of a file, got None."),
    "a database": (node("x", "db", operation="read", sub_type="database"), "read of database is not known here"),
    "keys of a text": (node("x", "db", operation="read", file="f", keys=["a"]), "format text has no keys."),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name):
    """Each with its place, and the rest is read."""
    wrong, expected = WRONG[name]
    tree = diagram(START, wrong)
    assert any(expected in each for each in said(tree)), said(tree)
    read(tree, called=True)


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (wire("start -> ende"), "There is no node 'ende'. Did you mean 'end'? The connection is left out."),
        ({"from": "start"}, "An end is missing."),
        ({"from": "start", "to": "end", "label": 5}, "connections[0].label: Expected a text, got 5."),
        ({"from": "start", "to": "end", "content_type": "xml"}, "'xml' is not a type of content."),
        (wire("start[condtrue] -> end"), "'start' has no handle 'condtrue': only conditions have it."),
        (wire("start[up] -> end"), "'start' has no handle 'up'."),
        (wire("start -> end[up]"), "'end' has no handle 'up'."),
        ({"from": "start", "to": "end", "colour": 1}, "warning[unknown-field] connections[0].colour"),
    ],
)
def test_wrong_arrows_are_said(arrow, expected):
    """Each with its place."""
    found = said(diagram(START, END, wires=[arrow]))
    assert any(expected in each for each in found), found


def test_labels_that_occur_twice():
    """The second gets another one, as that program names them."""
    tree = diagram(START, END, END, wires=["start -> end", "start -> end~1"])
    assert [each.id for each in read(tree).graph.nodes if each.type == "state.keep"] == ["start", "end", "end~1"]


def test_labels_that_the_import_needs_give_way():
    """A node that is called as one beside another is renamed, with all that names it, and a note."""
    tree = diagram(
        {**START, "props": {"custom_data": {"n": 1}}}, node("start inputs", "endpoint"), node("start inputs~", "endpoint"),
        node("c", "condition", condition_type="check_nodes_executed", target_nodes=["start inputs", 5]), END,
        wires=["start -> start inputs", "start -> start inputs~", "start inputs -> c", "c[condtrue] -> end"],
    )  # fmt: skip
    result = read(tree)
    ids = [each.id for each in result.graph.nodes]
    assert len({*ids}) == len(ids)
    assert any("'start inputs' is called 'start inputs~~'" in str(each) for each in result.diagnostics)
    tree["nodes"][3]["props"]["target_nodes"].pop()
    assert Answers().run(tree).output("end", "kept") == {"n": 1}


def test_who_begins_where_several_wait_for_each_other():
    """In a debate that starts at both, the one that the diagram has first: the import says so in the diagram's words."""
    again = {"default_prompt": "again", "max_iteration": 2}
    tree = diagram(
        START, node("p", "person_job", **again), node("q", "person_job", **again),
        node("c", "condition", condition_type="detect_max_iterations"), END,
        wires=["start -> p", "start -> q", "p -> q", "q -> c", "c[condfalse] -> p", "c[condtrue] -> end"],
    )  # fmt: skip
    (told,) = [each for each in said(tree) if "joins-in-a-circle" in each]
    assert told.startswith("info[joins-in-a-circle] nodes[1].props: 'p' and 'q' are in one circle, and each waits")
    assert "'p' begins" in told
    answers = Answers(p=["one", "three"], q=["two", "four"])
    answers.run(tree)
    assert [name for name, _ in answers.asked] == ["p", "q", "p", "q"]
    assert not [each for each in said(loop(2)) if "joins-in-a-circle" in each]
