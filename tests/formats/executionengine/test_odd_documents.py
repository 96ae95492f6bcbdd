"""Definitions with one thing wrong: an error or a note with its place, never a traceback, never silence."""

from __future__ import annotations

import json
import time

import pytest
from formats.executionengine.definitions import code, container, definition, imported, wire
from formats.mutating import changed, misspelt, of_another_type, places, told, written
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.formats.executionengine import FORMAT, export_yaml
from trioflow.formats.known import import_document
from trioflow.formats.placeholder import shaped
from trioflow.formats.port import ImportOptions, document_in

WHOLE = {
    **definition(
        code(
            "a", nodeName="A", description="d", priority="High", maxConcurrentExecutions=2, timeout="00:00:10",
            compensationNodeId="u", fallbackNodeId="f", joinType="All", metadata={"x": 1}, rateLimit=3,
            retryPolicy={"strategy": "Fixed", "maxAttempts": 2, "initialDelay": 1, "maxDelay": 9, "multiplier": 2,
                         "jitter": True, "retryOn": ["IOException"]},
            circuitBreakerPolicy={"failureThreshold": 20, "openDuration": "00:01:00", "halfOpenSuccesses": 1,
                                  "minimumThroughput": 5},
            assemblyPath="x.dll", typeName="T", scriptPath="s.csx", configuration={"message": "free"},
        ),
        code("u"), code("f"), code("b"),
        {"nodeId": "i", "runtimeType": "IfElse", "condition": "input.x == 1"},
        {"nodeId": "s", "runtimeType": "Switch", "expression": "input.x", "cases": {"1": "One"}},
        {"nodeId": "e", "runtimeType": "ForEach", "collectionExpression": "input.x", "itemVariableName": "y"},
        {"nodeId": "w", "runtimeType": "While", "conditionExpression": "input.x", "maxIterations": 3},
        {"nodeId": "t", "runtimeType": "Timer", "schedule": "@daily", "triggerOnStart": False},
        {"nodeId": "sub", "runtimeType": "Subflow", "workflowFilePath": "x.yaml", "inputMappings": {"k": "v"},
         "outputMappings": {"k": "v"}},
        container("Sequential", ["one -> two"]),
        wires=[
            wire("a -> b", condition="output.x == 1", isEnabled=True, priority=1, sourcePort="Left", targetPort="in"),
            "a -> i", "i.TrueBranch -> s", "s.One -> e", "e.LoopBody -> w", "w -> t", "t -> sub", "sub -> c",
            wire("a -> c", isCompensation=False, metadata={"free": 1}),
        ],
    ),
    "workflowName": "W", "description": "d", "version": "1", "metadata": {"x": 1}, "entryPointNodeId": "a",
    "maxConcurrency": 2, "allowPause": True, "timeoutSeconds": 60, "defaultVariables": {"v": 1},
}  # fmt: skip
FREE = ("metadata", "configuration.message", "defaultVariables.", "inputMappings.")
"""What may be anything: messages for bodies, start values, and notes of the author."""
PLACES = [*places(WHOLE)]
REGISTRY = tf.Registry.standard()


def read(tree):
    """What an import says and makes of a tree, without lines."""
    return FORMAT.read(document_in(json.dumps(tree)), REGISTRY, ImportOptions())


BEFORE = read(WHOLE)


def free(place) -> bool:
    """Whether a place may hold anything."""
    path = written(place)
    return any(each in path for each in FREE) and not path.endswith("metadata")


def test_values_of_another_type():
    """Each value of the document, once: it is said where."""
    silent = []
    for number, place in enumerate(PLACES):
        tree = changed(WHOLE, place, of_another_type)
        try:
            after = read(tree)
        except tf.DocumentError:
            continue
        if number % 9 == 0:  # what is made can be checked, whatever was wrong
            tf.validate(shaped(after.graph), REGISTRY)
        if not told(BEFORE, after, place) and not free(place):
            silent.append(written(place))
    assert silent == []


def test_keys_that_are_misspelt():
    """Each key of the document, once: what is not known is said, or that something is missing."""
    silent = []
    for place in PLACES:
        if not place or isinstance(place[-1], int) or free(place):
            continue
        after = read(misspelt(WHOLE, place))
        if not told(BEFORE, after, place) and "cases." not in written(place) and "Mappings." not in written(place):
            silent.append(written(place))
    assert silent == []


def test_what_is_cut_off_is_refused():
    """A text that ends anywhere is told with its line, or is another document, and never a traceback."""
    text = json.dumps(WHOLE)
    for end in range(0, len(text), 97):
        with pytest.raises(tf.DocumentError):
            import_document(document_in(text[:end]), REGISTRY, format=FORMAT)


HOSTILE = {
    "anchors": "workflowId: &a w\nnodes: []\n",
    "aliases": "workflowId: w\nnodes: [*a]\n",
    "tags": "workflowId: !!python/object/apply:os.system [ls]\nnodes: []\n",
    "keys twice": "workflowId: w\nworkflowId: v\nnodes: []\n",
    "NaN": "workflowId: w\nnodes: [{nodeId: a, runtimeType: Noop, priority: .nan}]\n",
    "tabs": "workflowId: w\nnodes:\n\t- x\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused(name):
    """Nothing is expanded and nothing is made that a text should not make."""
    with pytest.raises(tf.DocumentError):
        import_document(document_in(HOSTILE[name], syntax="yaml"))


def test_deep_documents():
    """Containers in containers, without end: refused or read, and not a crash."""
    inner = container()
    for number in range(350):
        inner = {"nodeId": f"c{number}", "runtimeType": "Container", "childNodes": [inner]}
    with pytest.raises(tf.DocumentError, match="nested too deeply"):
        imported(definition(inner))


NAMES = st.sampled_from(["a", "b", "c d", "ä", "x.y"])
NODES = st.one_of(
    st.builds(lambda name, more: code(name, **more), NAMES, st.dictionaries(
        st.sampled_from(["description", "nodeName", "scriptPath"]), st.text(max_size=4))),
    st.builds(lambda name: {"nodeId": name, "runtimeType": "Noop"}, NAMES),
    st.builds(lambda name, text: {"nodeId": name, "runtimeType": "IfElse", "condition": text}, NAMES,
              st.sampled_from(["input.x == 1", "!ok", "((", ""])),
    st.builds(lambda name: {"nodeId": name, "runtimeType": "ForEach", "collectionExpression": [1]}, NAMES),
    st.builds(lambda name: container() | {"nodeId": name}, NAMES),
)  # fmt: skip
WIRES = st.builds(
    lambda source, target, trigger, port, more: {
        "sourceNodeId": source, "targetNodeId": target, "triggerMessageType": trigger, "sourcePort": port, **more},
    NAMES, NAMES, st.sampled_from(["Complete", "Fail", "Complete, Fail"]),
    st.sampled_from(["", "TrueBranch", "LoopBody"]),
    st.dictionaries(st.sampled_from(["priority"]), st.integers(0, 3)),
)  # fmt: skip
DOCUMENTS = st.builds(
    lambda nodes, wires, more: definition(*nodes, wires=wires, **more),
    st.lists(NODES, max_size=5), st.lists(WIRES, max_size=6),
    st.fixed_dictionaries({}, optional={"maxConcurrency": st.integers(0, 3), "version": st.text(max_size=3)}),
)  # fmt: skip


@pytest.mark.unmeasured
@settings(max_examples=40)
@given(DOCUMENTS)
def test_import_export_import(tree):
    """What an import makes is exported, and imported again it is the same graph."""
    graph = read(tree).graph
    tf.validate(shaped(graph), REGISTRY)
    try:
        text = export_yaml(graph, REGISTRY)
    except tf.DocumentError as error:
        assert "second-node" in str(read(tree).diagnostics), error  # noqa: PT017 - only of ids that occur twice
        return
    assert FORMAT.read(document_in(text, syntax="yaml"), REGISTRY, ImportOptions()).graph == graph


@pytest.mark.timed
@pytest.mark.unmeasured
def test_time_grows_with_length():
    """A document of four times the length takes about four times as long, and not the square of that."""

    def seconds(count: int) -> float:
        tree = definition(*(code(f"n{i}") for i in range(count)), wires=[f"n{i} -> n{i + 1}" for i in range(count - 1)])
        text = json.dumps(tree)
        start = time.process_time()
        tf.validate(shaped(import_document(document_in(text), REGISTRY).graph), REGISTRY)
        return time.process_time() - start

    assert seconds(1200) < 12 * min(seconds(300) for _ in range(2))
