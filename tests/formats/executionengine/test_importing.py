"""From workflow definitions of ExecutionEngine: what their parts become here, and what runs of them do."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest
from formats.executionengine.definitions import Bodies, code, container, definition, imported, problems, said, wire

import trioflow as tf
from trioflow.formats.known import detect, import_document, load
from trioflow.formats.placeholder import Answer
from trioflow.formats.port import document_in
from trioflow.testing import run_virtual


def test_a_definition_is_known_in_json_and_yaml():
    """By its keys, whatever their case; and the two say the same graph."""
    tree = definition(code("a"), code("b"), wires=["a -> b"])
    assert detect(document_in(json.dumps(tree))).name == "executionengine"
    assert detect(document_in('{"WorkflowName": "x", "Nodes": []}')).name == "executionengine"
    text = """
        workflowId: w
        timeoutSeconds: 0
        nodes:
        - {nodeId: a, runtimeType: CSharpScript, scriptContent: // a}
        - {nodeId: b, runtimeType: CSharpScript, scriptContent: // b}
        connections:
        - {sourceNodeId: a, targetNodeId: b, triggerMessageType: Complete}
    """
    assert import_document(document_in(text, syntax="yaml")).graph == imported(tree).graph
    assert imported({"WorkflowId": "w", "Nodes": [], "connections": []}).graph.nodes == ()


def test_data_goes_from_node_to_node():
    """A node gets what those before it gave, put together; each has one output, a dictionary."""
    bodies = Bodies(a={"x": 1, "y": 1}, b={"y": 2}, c={"z": 3})
    tree = definition(
        code("s"), code("a"), code("b"), code("c", joinType="All"), wires=["s -> a", "s -> b", "a -> c", "b -> c"]
    )
    bodies(tree, "s", "a", "b", "c")
    assert bodies.ran == ["s", "a", "b", "c"]
    assert bodies.got == {"s": None, "a": {"by": "s"}, "b": {"by": "s"}, "c": {"x": 1, "y": 2}}


def test_configuration_is_what_a_body_is_given():
    """A body gets the entries of the configuration that are the node's own, and where its code is, by name."""
    got = {}

    def body(message, assembly, **more):
        got.update(message=message, assembly=assembly)

    node = {"nodeId": "a", "runtimeType": "CSharp", "assemblyPath": "x.dll", "typeName": "T"}
    tree = definition({**node, "configuration": {"message": "hello", "Script": "no", "a.b": 1}})
    imported_ = imported(tree, {"a": body})
    run_virtual(imported_.graph)
    assert got == {"message": "hello", "assembly": "x.dll"}


def test_what_cannot_run_is_a_placeholder():
    """C# and PowerShell without `pwsh` can't run; the cure is named, and the graph is whole otherwise."""
    tree = definition(code("a"), {"nodeId": "b", "runtimeType": "PowerShell", "scriptPath": "x.ps1"}, wires=["a -> b"])
    assert said(tree) == [
        "error[no-counterpart] nodes[0]: 'a': C# can't be run here. Give it a body: --body a=MODULE.NAME or "
        "registry.body('a', function); or only an answer: --stub FILE.",
        "error[no-counterpart] nodes[1]: 'b': its script 'x.ps1' was not found. Give it a body: "
        "--body b=MODULE.NAME or registry.body('b', function); or only an answer: --stub FILE.",
    ]
    assert problems(tree) == []


def test_powershell_runs_where_it_is_found(monkeypatch, tmp_path):
    """A script in the document, or in a file beside it, becomes a node that runs it."""
    monkeypatch.setattr("trioflow.formats.executionengine.code.shutil.which", lambda name: "/bin/pwsh")
    (tmp_path / "x.ps1").write_text("Write-Output 1")
    tree = definition(
        {"nodeId": "a", "runtimeType": "PowerShellTask", "scriptContent": "Write-Output 0"},
        {"nodeId": "b", "runtimeType": "PowerShell", "scriptPath": ".\\x.ps1"},
        {"nodeId": "c", "runtimeType": "PowerShell", "scriptPath": "y.ps1"},
        wires=["a -> b", "a -> c"],
    )
    (tmp_path / "w.json").write_text(json.dumps(tree))
    made = {node.id: node for node in load(tmp_path / "w.json", tf.Registry.standard(allow=["scripts"])).graph.nodes}
    assert [made[name].type for name in "abc"] == [
        "script.powershell", "script.powershell", "executionengine.powershell",
    ]  # fmt: skip
    assert [made[name].inputs["code"] for name in "ab"] == ["Write-Output 0", "Write-Output 1"]


def test_triggers():
    """Complete, Fail, both, and none said, which is Complete and a note."""
    bodies = Bodies(a=ValueError("broken"))
    both = {"triggerMessageType": "Complete, Fail"}
    tree = definition(
        code("a"), code("ok"), code("fail"), code("either", joinType="All"), code("items"),
        wires=[
            "a -> ok",
            wire("a -> fail", triggerMessageType="fail"),
            wire("a -> either", **both),
            wire("a -> items", triggerMessageType=["Complete", "Fail"]),
        ],
    )  # fmt: skip
    bodies(tree, "a", "ok", "fail", "either", "items")
    assert bodies.ran == ["a", "fail", "either", "items"]
    assert "broken" in str(bodies.got["fail error"])
    bare = wire("a -> ok")
    del bare["triggerMessageType"]
    assert said(definition(code("a"), code("ok"), code("b"), wires=[bare, {**bare, "targetNodeId": "b"}]))[-1] == (
        "info[differs] connections[0]: It says no triggerMessageType: taken for Complete, as the program does, and not "
        "for Complete and Fail, as its document says (so for 2)."
    )


def test_several_failures_lead_to_one_handler():
    """A node that handles failures of several gets that which came."""
    bodies = Bodies(b=ValueError("second"))
    on_fail = {"triggerMessageType": "Fail"}
    tree = definition(
        code("a"), code("b"), code("h"), wires=["a -> b", wire("a -> h", **on_fail), wire("b -> h", **on_fail)]
    )
    bodies(tree, "a", "b", "h")
    assert bodies.ran == ["a", "b", "h"]
    assert "second" in str(bodies.got["h error"])


@pytest.mark.parametrize(("status", "taken"), [("success", "good"), ("bad", "other")])
def test_conditions_on_connections(status, taken):
    """A condition asks for what its source has given, in the manner of C#."""
    bodies = Bodies(a={"status": status, "items": [1, 2]})
    tree = definition(
        code("a"), code("good"), code("other"),
        wires=[
            wire("a -> good", condition='output.status == "success" && output.items.Length >= 2'),
            wire("a -> other", condition="!(output.status == 'success')"),
        ],
    )  # fmt: skip
    bodies(tree, "a", "good", "other")
    assert bodies.ran == ["a", taken]


def test_if_else_has_two_ports():
    """The condition asks for what the node got; each port is a condition on its wires."""
    node = {"nodeId": "i", "runtimeType": "IfElse", "condition": 'GetInput("n") > limit'}
    tree = definition(
        code("a"), node, code("yes"), code("no"), code("after"),
        wires=["a -> i", "i.TrueBranch -> yes", "i.FalseBranch -> no", "i -> after"], defaultVariables={"limit": 3},
    )  # fmt: skip
    for number, taken in ((5, "yes"), (2, "no")):
        bodies = Bodies(a={"n": number})
        bodies(tree, "a", "yes", "no", "after")
        assert sorted(bodies.ran) == sorted(["a", "after", taken])
        assert bodies.got[taken] == {"n": number}


@pytest.mark.parametrize(("value", "taken"), [("de", "german"), (1, "one"), ("xx", "other")])
def test_switch(value, taken):
    """Cases lead to ports, by the text of the value; Default is for all others."""
    node = {"nodeId": "s", "runtimeType": "Switch", "expression": "input.lang",
            "cases": {"de": "German", "at": "German", "1": "One"}}  # fmt: skip
    tree = definition(
        code("a"), node, code("german"), code("one"), code("other"),
        wires=["a -> s", "s.German -> german", "s.one -> one", "s.Default -> other"],
    )  # fmt: skip
    bodies = Bodies(a={"lang": value})
    bodies(tree, "a", "german", "one", "other")
    assert bodies.ran == ["a", taken]
    bare = definition({"nodeId": "s", "runtimeType": "Switch", "expression": "input.lang"}, code("d"),
                      wires=["s.Default -> d"])  # fmt: skip
    assert imported(bare).graph.connections[-1].when == "true"


def test_for_each_awaits_its_body():
    """The body gets each item by its name; the wire back to the loop is left out, with a note."""
    loop = {"nodeId": "f", "runtimeType": "ForEach", "collectionExpression": "input.files", "itemVariableName": "file"}
    back = wire("b -> f")
    tree = definition(code("a"), loop, code("b"), code("end"), wires=["a -> f", "f.LoopBody -> b", back, "f -> end"])
    bodies = Bodies(a={"files": ["x", "y"]})
    seen = []
    run = bodies.body("b")
    result = imported(
        tree, {"a": bodies.body("a"), "end": bodies.body("end"), "b": lambda input: (seen.append(input), run(input))[1]}
    )
    run_virtual(result.graph)
    assert (seen, bodies.ran) == ([{"file": "x"}, {"file": "y"}], ["a", "b", "b", "end"])
    assert any("'f' waits for its body, so the connection back" in each.message for each in result.diagnostics)
    literal = {"nodeId": "f", "runtimeType": "ForEach", "collectionExpression": [1, 2, 3]}
    by_next = wire("f -> b", triggerMessageType="Next")
    bodies = Bodies()
    bodies(definition(literal, code("b"), wires=[by_next]), "b")
    assert (bodies.ran, bodies.got["b"]) == (["b", "b", "b"], {"item": 3})


def test_while_asks_again():
    """The condition is asked before each turn."""
    loop = {"nodeId": "w", "runtimeType": "While", "conditionExpression": "globals.go", "maxIterations": 5}
    tree = definition(loop, code("b"), code("end"), wires=["w.LoopBody -> b", "w.Complete -> end"],
                      defaultVariables={"go": False})  # fmt: skip
    bodies = Bodies()
    bodies(tree, "b", "end")
    assert bodies.ran == ["end"]
    assert not [each for each in said(tree) if "maxIterations" in each]


@pytest.mark.parametrize(("given", "rounds"), [({"maxIterations": 3}, 3), ({}, 1000)])
def test_while_has_so_many_turns(given, rounds):
    """It ends after `maxIterations` rounds, or after 1,000, and then is completed."""
    loop = {"nodeId": "w", "runtimeType": "While", "conditionExpression": "globals.go", **given}
    tree = definition(loop, code("b"), code("end"), wires=["w.LoopBody -> b", "w.Complete -> end"],
                      defaultVariables={"go": True})  # fmt: skip
    bodies = Bodies()
    bodies(tree, "b", "end")
    assert bodies.ran == [*["b"] * rounds, "end"]


def test_a_container_is_a_graph_inside():
    """Its children run at once, or one after the other, and what they give is in its result."""
    for mode, wires in (("Parallel", []), ("Sequential", []), ("Sequential", ["one -> two", "two -> three"])):
        bodies = Bodies(one={"x": 1})
        tree = definition(code("a"), container(mode, wires), code("z"), wires=["a -> c", "c -> z"])
        bodies(tree, "a", "one", "two", "three", "z")
        assert bodies.ran == ["a", "one", "two", "three", "z"]
        whole = {"TotalChildren": 3, "CompletedChildren": 3, "ExecutionMode": mode}
        results = {"one": {"x": 1}, "two": {"by": "two"}, "three": {"by": "three"}}
        assert bodies.got["z"] == {**whole, "ChildResults": results}
        assert bodies.got["one"] == {"by": "a"}
    empty = {"nodeId": "c", "runtimeType": "Container"}
    assert any("Container 'c' holds no nodes" in each for each in said(definition(empty)))


def test_a_condition_in_a_container_knows_what_it_was_given():
    """Variables of the workflow go in with what the container gets."""
    inner = {"nodeId": "i", "runtimeType": "Subflow", "workflowFilePath": "no.yaml", "inputMappings": {"host": "host"}}
    holder = {"nodeId": "c", "runtimeType": "Container",
              "childNodes": [inner, {**inner, "nodeId": "j", "outputMappings": {"r": "v"}}]}  # fmt: skip
    tree = definition(code("a"), holder, wires=["a -> c"], defaultVariables={"host": "h1"})
    bodies = Bodies(j={"r": 7})
    ended = bodies(tree, "a", "i", "j")
    assert (bodies.got["i"], bodies.got["j"]) == ({"host": "h1"}, {"host": "h1"})
    assert any("Variables of the workflow are written when its container has ended: v." in each for each in said(tree))
    assert ended.variables["v"] == 7


def test_workflows_called_in_containers_write_variables():
    """In containers in containers, too; what gives nothing leaves them as they are."""

    def call(name):
        return {"nodeId": name, "runtimeType": "Subflow", "workflowFilePath": "no.yaml", "outputMappings": {"r": name}}

    inner = {"nodeId": "d", "runtimeType": "Container", "childNodes": [call("i")]}
    holder = {"nodeId": "c", "runtimeType": "Container", "childNodes": [inner, call("j")]}
    ended = Bodies(i={"r": 1}, j={})(definition(holder, defaultVariables={"j": 2}), "i", "j")
    assert dict(ended.variables) == {"i": 1, "j": 2}


def write(folder: Path, name: str, tree: dict) -> Path:
    """A definition in a file."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(tree))
    return path


def test_a_subflow_is_a_file(tmp_path):
    """It gets what its mapping says, and what it gives becomes variables; what it does not give leaves them alone."""
    call = {
        "nodeId": "s", "runtimeType": "Subflow", "WorkflowFilePath": "inner.json",
        "InputMappings": {"who": "name", "fixed": "text", "count": 3}, "OutputMappings": {"r": "got", "none": "kept"},
    }  # fmt: skip
    outer = definition(call, code("z"), wires=["s -> z"], defaultVariables={"name": "Ada", "kept": 1})
    inner = definition(code("in1"), code("in2"), wires=["in1 -> in2"])
    write(tmp_path, "inner.json", inner)
    bodies = Bodies(in2={"r": 5})
    registry = tf.Registry.standard()
    for name in ("in1", "in2", "z"):
        registry.body(name, bodies.body(name))
    result = load(write(tmp_path, "outer.json", outer), registry)
    assert [each.path for each in result.diagnostics if "taken for a text" in each.message] == [
        "nodes[0].InputMappings.fixed"
    ]
    ended = run_virtual(result.graph, registry=registry)
    assert bodies.got["in1"] == {"who": "Ada", "fixed": "text", "count": 3}
    assert bodies.got["in2"] == {**bodies.got["in1"], "by": "in1"}
    assert bodies.got["z"] == {"by": "in1", "r": 5}
    assert dict(ended.variables) == {"name": "Ada", "kept": 1, "got": 5}


def test_a_subflow_is_looked_for(tmp_path):
    """Paths are those of the program: from folders above, or beside the document; one that is not there is told."""
    inner = definition(code("x"))
    write(tmp_path, "flows/inner.json", inner)

    def call(name: str) -> dict:
        return definition({"nodeId": "s", "runtimeType": "Subflow", "workflowFilePath": name})

    above = load(write(tmp_path, "flows/a.json", call("flows/inner.json")))
    assert above.graph.nodes[0].type == f"file:{(tmp_path / 'flows' / 'inner.json').as_posix()}"
    beside = load(write(tmp_path, "flows/b.json", call("elsewhere\\inner.json")))
    assert beside.graph.nodes[0].type == "file:inner.json"
    assert any("'inner.json' beside the document is taken" in each.message for each in beside.diagnostics)
    missing = load(write(tmp_path, "flows/c.json", call("nowhere.json")))
    assert [str(each) for each in missing.errors] == [
        "error[missing-file] nodes[0].workflowFilePath: There is no file 'nowhere.json'. Put it there, or give the "
        "node a body: --body s=MODULE.NAME or registry.body('s', function); or only an answer: --stub FILE. "
        "(line 1, column 93)"
    ]
    assert [each for each in problems(call("nowhere.json")) if "error" in each] == []


def test_joins_wait_or_take_the_first():
    """All waits for what can still come; Any runs once, for the first, and drops the rest, as the program does."""
    for join, count in (("All", 1), ("Any", 1), (None, 1)):
        bodies = Bodies()
        end = code("z", **({"joinType": join} if join else {}))
        tree = definition(code("s"), code("a"), code("b"), end, wires=["s -> a", "s -> b", "a -> z", "b -> z"])
        bodies(tree, "s", "a", "b", "z")
        assert bodies.ran.count("z") == count
        notes = [each for each in said(tree) if "'z'" in each and "info" in each]
        expected = {"All": [], "Any": ["runs for the first that comes"], None: ["says no joinType"]}[join]
        assert len(notes) == len(expected)
        assert all(part in note for part, note in zip(expected, notes, strict=True))


def test_undo_and_fallback_wait_to_be_named():
    """Nodes that undo, and those that stand in, never start by themselves."""
    tree = definition(
        code("a", compensationNodeId="u"), code("b", fallbackNodeId="f"), code("u"), code("f"), code("z"),
        wires=["a -> b", "b -> z"],
    )  # fmt: skip
    bodies = Bodies(b=ValueError("no"))
    bodies(tree, "a", "b", "u", "f", "z")
    assert bodies.ran == ["a", "b", "f", "z"]
    bodies = Bodies(z=ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        bodies(tree, "a", "b", "u", "f", "z")
    assert bodies.ran == ["a", "b", "z", "u"]
    wrong = definition(code("a", compensationNodeId="a", fallbackNodeId="x"))
    assert [each.partition(": ")[2] for each in said(wrong)[:2]] == [
        "'a' names itself", "'a' names 'x', which is not there.",
    ]  # fmt: skip


def test_limits_and_priorities():
    """What they say of concurrency and priority is said here, too."""
    tree = definition(code("a", priority="high", maxConcurrentExecutions="2"), maxConcurrency=4)
    graph = imported(tree).graph
    assert (graph.limit, graph.nodes[0].priority, graph.nodes[0].limit) == (4, "high", 2)


def test_policies():
    """Retries, breakers, limits of time and rate become policies."""
    node = code(
        "a", timeout="00:01:30", rateLimit=5,
        retryPolicy={"strategy": "Linear", "maxAttempts": 4, "initialDelay": "00:00:02", "maxDelay": 1, "jitter": False,
                     "retryOn": ["System.TimeoutException", "IOException", "HttpRequestException"]},
        circuitBreakerPolicy={"failureThreshold": 25, "openDuration": "1.00:00:00", "halfOpenSuccesses": 2},
    )  # fmt: skip
    policy = imported(definition(node)).graph.nodes[0].policy
    assert (policy.timeout, policy.rate.limit, policy.retry.attempts, policy.retry.backoff) == (
        90.0,
        "5/s",
        4,
        "linear",
    )
    assert (policy.retry.delay, policy.retry.max_delay, policy.retry.jitter) == (2.0, 2.0, 0.0)
    assert policy.retry.on == ("TimeoutError", "OSError")
    assert (policy.breaker.rate, policy.breaker.open, policy.breaker.probes) == (0.25, 86400.0, 2)
    assert imported(definition(code("a", retryPolicy={"strategy": "None"}))).graph.nodes[0].policy is None


def test_limits_of_the_other_program_are_taken_if_asked_for():
    """`theirs` limits each node; otherwise a note says what is not so."""
    tree = definition(code("a"))
    del tree["timeoutSeconds"]
    assert imported(tree).graph.policies == {}
    graph = imported(tree, timeouts="theirs")
    assert graph.graph.policies["*"].timeout == 10.0
    assert any("after 30 s unless" in each.message for each in graph.diagnostics)
    limited = imported({**tree, "timeoutSeconds": 60}, timeouts="theirs")
    assert any("--timeout 60" in each.cure for each in limited.diagnostics)


def test_where_it_starts():
    """At the node that it names, or at all to which no connection leads."""
    tree = definition(code("a"), code("b"), code("c"), wires=["a -> b"], entryPointNodeId="b")
    bodies = Bodies()
    bodies(tree, "a", "b", "c")
    assert bodies.ran == ["b"]
    assert [each for each in said(tree) if "is not the entry" in each] == [
        f"info[differs] nodes[{index}]: No connection leads to {name!r}, and it is not the entry."
        for index, name in ((0, "a"), (2, "c"))
    ]
    circle = definition(code("a"), code("b"), wires=["a -> b", wire("b -> a", isEnabled=False)])
    bodies = Bodies()
    bodies(circle, "a", "b")
    assert bodies.ran == ["a", "b"]


def test_other_types():
    """Noop and Manual pass on what they got; a timer is where runs start; events are placeholders."""
    tree = definition(
        {"nodeId": "t", "runtimeType": "Timer", "schedule": "0 0 * * *", "triggerOnStart": True},
        {"nodeId": "n", "runtimeType": "noop"}, {"nodeId": "m", "runtimeType": "Manual"}, code("z"),
        wires=["t -> n", "n -> m", "m -> z"],
    )  # fmt: skip
    bodies = Bodies()
    bodies(tree, "z")
    assert bodies.got == {"z": {}}
    assert any("'0 0 * * *' says when runs start" in each for each in said(tree))
    assert any("Nothing says when" in each for each in said(definition({"nodeId": "t", "runtimeType": "Timer"})))
    event = definition({"nodeId": "e", "runtimeType": "Event"}, code("z"), wires=["e -> z"])
    bodies = Bodies()
    bodies(event, "e", "z")
    assert bodies.ran == ["e", "z"]


def test_what_a_failure_leaves_is_nothing():
    """What passes on gets an empty value where its source has failed, and goes on."""
    noop = {"nodeId": "n", "runtimeType": "Noop"}
    tree = definition(code("a"), noop, code("z"), wires=[wire("a -> n", triggerMessageType="Complete, Fail"), "n -> z"])
    bodies = Bodies(a=ValueError("no"))
    bodies(tree, "a", "z")
    assert (bodies.ran, bodies.got["z"]) == (["a", "z"], {})


def test_ports_of_code_are_exits():
    """A body of a node with ports says at which it goes on."""
    tree = definition(code("a"), code("x"), code("y"), wires=["a.Left -> x", wire("a.Right -> y", targetPort="in.1")])
    bodies = Bodies(a=Answer({"v": 1}, "Right"))
    bodies(tree, "a", "x", "y")
    assert (bodies.ran, bodies.got["y"]) == (["a", "y"], {"v": 1})


WRONG = {
    "no id": (definition({"runtimeType": "Noop"}), "error[bad-value] nodes[0].nodeId: A node needs an id."),
    "two of an id": (
        definition(code("a"), code("a")),
        "error[second-node] nodes[1].nodeId: There is a node 'a' already. Ids are unique: choose another.",
    ),
    "no type": (definition({"nodeId": "a"}), "error[bad-value] nodes[0].runtimeType: Node 'a' has no runtimeType."),
    "a type that is none": (
        definition({"nodeId": "a", "runtimeType": "Powershel"}),
        "Expected one of CSharp, CSharpScript, CSharpTask, PowerShell",
    ),
    "no end": (definition(code("a"), wires=[{"sourceNodeId": "a"}]), "connections[0].targetNodeId: It names no node."),
    "a wrong end": (
        definition(code("fetch"), wires=["fetsh -> fetch"]),
        "There is no node 'fetsh'. Did you mean 'fetch'? The connection is left out.",
    ),
    "a trigger": (
        definition(code("a"), code("b"), wires=[wire("a -> b", triggerMessageType="Complet")]),
        "Expected some of Complete, Fail, Progress, Next, got 'Complet'. Did you mean 'Complete'?",
    ),
    "a number as trigger": (
        definition(code("a"), code("b"), wires=[wire("a -> b", triggerMessageType=3)]),
        "Expected some of Complete, Fail, Progress, Next, got 3.",
    ),
    "progress": (
        definition(code("a"), code("b"), wires=[wire("a -> b", triggerMessageType="Progress")]),
        "No node starts because another one tells how far it is.",
    ),
    "next": (
        definition(code("a"), code("b"), wires=[wire("a -> b", triggerMessageType="Complete|Next")]),
        "'a' sends no items: only ForEach and While do. Use Complete.",
    ),
    "a port": (
        definition({"nodeId": "f", "runtimeType": "Noop"}, code("b"), wires=["f.Up -> b"]),
        "'f' has no port 'Up'. It has: none. The connection is left out.",
    ),
    "undoing by a connection": (
        definition(code("a"), code("b"), wires=[wire("a -> b", isCompensation=True)]),
        "Nodes that undo are named by compensationNodeId here",
    ),
    "a condition": (
        definition(code("a"), code("b"), wires=[wire("a -> b", condition="Regex.IsMatch(output.x)")]),
        "'Regex.IsMatch(output.x)' can't be translated: nothing is known of 'Regex' here.",
    ),
    "no condition": (
        definition({"nodeId": "i", "runtimeType": "IfElse"}, code("b"), wires=["i.TrueBranch -> b"]),
        "error[condition] nodes[0].condition: '' can't be translated: it is missing.",
    ),
    "no expression": (
        definition({"nodeId": "i", "runtimeType": "Switch", "cases": {"a": 5}}, code("b"), wires=["i.Default -> b"]),
        "error[bad-value] nodes[0].cases.a: Expected the name of a port, got 5.",
    ),
    "no collection": (
        definition({"nodeId": "i", "runtimeType": "ForEach"}),
        "nodes[0].collectionExpression: '' can't be translated: it is missing.",
    ),
    "no file": (
        definition({"nodeId": "s", "runtimeType": "Subflow", "outputMappings": {"a": 5}}),
        "error[bad-value] nodes[0].outputMappings.a: Expected the name of a variable, got 5.",
    ),
    "nothing to run": (definition({"nodeId": "a", "runtimeType": "CSharp"}), "Node 'a' says nothing to run."),
    "an entry": (definition(code("a"), entryPointNodeId="b"), "entryPointNodeId: There is no node 'b'."),
    "no pauses": (definition(code("a"), allowPause=False), "Whoever runs it can pause it, whatever it says."),
    "no workflow": ({"nodes": [], "workflowName": "x"}, "warning[bad-value] workflowId: The workflow has no id."),
    "an unknown field": (definition(code("a", speed=3)), "warning[unknown-field] nodes[0].speed: It is not known here"),
    "a resource": (
        definition(code("a", resourceRequirements={"cpu": 1})),
        "What a node needs of the machine is a quota of the host here, and left out.",
    ),
    "a rate": (definition(code("a", rateLimit=-1)), "nodes[0].rateLimit: Expected more than 0, got -1."),
    "a factor": (
        definition(code("a", retryPolicy={"multiplier": 0.5})),
        "nodes[0].retryPolicy.multiplier: Expected 1 or more, got 0.5.",
    ),
    "a jitter": (
        definition(code("a", retryPolicy={"jitter": "some"})),
        "nodes[0].retryPolicy.jitter: Expected true or false, got 'some'.",
    ),
    "an error": (
        definition(code("a", retryPolicy={"retryOn": ["MyException"]})),
        "Nothing is known here of the error 'MyException'.",
    ),
    "a share": (
        definition(code("a", circuitBreakerPolicy={"failureThreshold": 200})),
        "failureThreshold: Expected per cent, above 0, got 200.",
    ),
    "a time": (
        definition(code("a", timeout="soon")),
        "nodes[0].timeout: Expected a time such as 00:00:30, or seconds, got 'soon'.",
    ),
    "a negative time": (definition(code("a", timeout=-1)), "Expected a time such as 00:00:30, or seconds, got -1."),
    "keys by case": (definition({**code("a"), "NodeID": "b"}), "Keys that differ in case only: 'nodeId'."),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name):
    """Each with its place, and the rest is read."""
    tree, expected = WRONG[name]
    assert any(expected in each for each in said(tree)), said(tree)


def test_what_is_no_definition_is_refused():
    """A list, and an object without nodes."""
    from trioflow.formats.executionengine import FORMAT

    for text in ("[1]", '{"workflow": 1}'):
        with pytest.raises(tf.DocumentError, match="expected a workflow definition"):
            import_document(document_in(text), format=FORMAT)


def test_names_of_the_import_give_way():
    """What is made beside the nodes has names that no node has, whatever the order."""
    for ids in permutations(["c", "c input", "c input 2"]):
        nodes = [code(each, joinType="All") for each in ids]
        tree = definition(code("a"), code("b"), *nodes, wires=["a -> c", "b -> c"])
        graph = imported(tree).graph
        assert len({node.id for node in graph.nodes}) == len(graph.nodes)
        assert "c input 3" in {node.id for node in graph.nodes}


def test_a_cure_names_a_node_as_the_host_has_to():
    """One in a container, by the way down to it."""
    tree = definition({"nodeId": "box", "runtimeType": "Container", "childNodes": [code("a")]})
    assert any("--body box/a=MODULE.NAME" in each for each in said(tree))
