"""What a document becomes, and what is said of what it can't become."""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from formats.serverless.everything import EVERYTHING
from formats.serverless.workflows import HEAD, graph_of, imported, said
from jsonschema import Draft202012Validator

import trioflow as tf
from trioflow.errors import DocumentError
from trioflow.formats.known import detect, import_document, load
from trioflow.formats.port import document_in
from trioflow.formats.serverless import FORMAT
from trioflow.formats.serverless.importing import read_tree
from trioflow.formats.text import to_text
from trioflow.model.document import read_text


def errors(text: str) -> list[str]:
    return [each.removeprefix("error") for each in said(text) if each.startswith("error")]


def test_each_task_is_a_node_and_what_follows_a_wire():
    graph = graph_of("""
    do:
    - a: {set: {x: 1}}
    - b: {do: [{a: {set: {y: 2}}}], then: a}
    """)
    assert [(node.id, node.type) for node in graph.nodes] == [
        ("start", "flow.start"),
        ("workflow", "serverless.workflow"),
        ("a", "serverless.set"),
        ("b", "serverless.do"),
        ("a 2", "serverless.set"),
    ]
    assert [str(wire) for wire in graph.connections] == [
        "start.then -> workflow.enter",
        "b.tasks -> a 2.enter",
        "a.then -> b.enter",
        "b.then -> a.enter",
        "workflow.tasks -> a.enter",
    ]
    assert "reference = '/do/1/b/do/0/a'" in to_text(graph, tf.Registry.standard())


def test_the_format_is_known_by_its_documents():
    assert detect(document_in(HEAD + "do: []", syntax="yaml")) is FORMAT
    assert not FORMAT.detect(document_in('{"document": {"name": "x"}, "do": []}'))
    assert not FORMAT.detect(document_in("[]"))
    assert not FORMAT.detect(document_in("<a/>"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("do: {}", "[wrong-kind] do: Expected a list of tasks, got {}."),
        ("do: [1]", "[wrong-kind] do[0]: Expected an object with one name and its task, got 1."),
        ("do: [{a: {set: {}}, b: {set: {}}}]", "[wrong-kind] do[0]: Expected an object with one name and its task, got"),
        ("do: [{a: 1}]", "[wrong-kind] do[0].a: Expected a task, got 1."),
        ("do: [{a: {sett: {}}}]", "[unknown-task] do[0].a: A task has exactly one of call, do, emit, for, fork, listen"),
        ("do: [{a: {}}]", "[unknown-task] do[0].a: A task has exactly one of"),
        ("do: [{a: {set: {}, wait: PT1S}}]", "[unknown-task] do[0].a: A task has exactly one of"),
        ("do: [{a: {set: {x: 1}}}, {a: {set: {x: 1}}}]", "[same-name] do[1].a: There are two tasks 'a' in this list."),
        ("do: [{ab: {set: {x: 1}, then: aab}}]", "[unknown-name] do[0].ab.then: There is no task 'aab' in this list. Did"),
        ("do: [{a: {set: {x: 1}, then: 1}}]", "[wrong-kind] do[0].a.then: Expected a text, got 1."),
        ("do: [{a: {set: '${ .x + }'}}]", "[bad-expression] do[0].a.set: '.x +' is not an expression of jq: syntax error"),
        ("do: [{a: {set: {x: [0, '${ $y }']}}}]", "[bad-expression] do[0].a.set.x[1]: '$y' is not an expression of jq: $y is"),
        ("do: [{a: {set: {x: '${}'}}}]", "[bad-expression] do[0].a.set.x: An expression is empty."),
        ("do: [{a: {set: {x: 1}, if: 1}}]", "[wrong-kind] do[0].a.if: Expected an expression, got 1."),
        ("do: [{a: {set: {x: 1}, if: $secrets.x}}]", "[unknown-variable] do[0].a.if: $secrets and $authorization"),
        ("do: [{a: {set: 1}}]", "[wrong-kind] do[0].a.set: Expected an object, or an expression, got 1."),
        ("do: [{a: {set: {x: 1}, output: {as: 1}}}]", "[wrong-kind] do[0].a.output.as: Expected an expression, or an obj"),
        ("do: [{a: {wait: 1}}]", "[wrong-kind] do[0].a.wait: Expected a duration such as PT30S or {seconds: 30}, got 1."),
        ("do: [{a: {wait: {}}}]", "[wrong-kind] do[0].a.wait: A duration has one of days"),
        ("do: [{a: {wait: {weeks: 1}}}]", "[wrong-kind] do[0].a.wait: A duration has days, hours"),
        ("do: [{a: {wait: {hours: -1}}}]", "[wrong-kind] do[0].a.wait: Hours of a duration are a number of 0 or more"),
        ("do: [{a: {call: htttp, with: {}}}]", "[placeholder] do[0].a: The function 'htttp' is not in this document."),
        ("do: [{a: {call: 1}}]", "[wrong-kind] do[0].a.call: Expected http, openapi, or the name of a function, got 1."),
        ("do: [{a: {call: http, with: {method: get, endpoint: 'https://x.test', redirect: 1}}}]", "[wrong-kind] do[0].a.with.r"),
        ("do: [{a: {listen: {to: {any: [], until: 1}}}}]", "[wrong-kind] do[0].a.listen.to.until: Expected an object"),
        ("use: {retries: {r: {when: 1}}}\ndo: []", "[wrong-kind] use.retries.r.when: Expected an expression, got 1."),
        ("use: {extensions: [1]}\ndo: []", "[wrong-kind] use.extensions[0]: Expected an object with one name"),
        ("use: {secrets: s}\ndo: []", "[wrong-kind] use.secrets: Expected a list, got"),
        (
            "do: [{a: {call: http, with: {method: get, endpoint: {uri: 'https://x.test', authentication: {use: 1}}}}}]",
            "[wrong-kind] do[0].a.with.endpoint.authentication.use: Expected a name, got 1.",
        ),
        (
            "use: {authentications: {a: {oauth2: {authority: 'https://x.test', grant: code}}}}\ndo: []",
            "[not-understood] use.authentications.a.oauth2.grant: The grants client_credentials and password are, not",
        ),
        ("do: [{a: {emit: {event: {with: {type: t}}}}}]", "[missing-field] do[0].a.emit.event.with: The field 'source'"),
        ("do: [{a: {call: http}}]", "[wrong-kind] do[0].a.with: Expected an object with method, endpoint, got null."),
        ("do: [{a: {call: http, with: {method: get}}}]", "[missing-field] do[0].a.with: The field 'endpoint' is missing."),
        ("do: [{a: {call: http, with: {method: get, endpoint: x}}}]", "[wrong-kind] do[0].a.with.endpoint: Expected a URI"),
        (
            "do: [{a: {call: http, with: {method: get, endpoint: {uri: 'https://x.test', authentication: {digest: {}}}}}}]",
            "[not-understood] do[0].a.with.endpoint.authentication.digest: The scheme 'digest' is not understood.",
        ),
        (
            "do: [{a: {call: http, with: {method: get, endpoint: {uri: 'https://x.test', authentication: {use: x}}}}}]",
            "[unknown-name] do[0].a.with.endpoint.authentication.use: There is no 'x' under use.authentications.",
        ),
        (
            "do: [{a: {call: http, with: {method: get, endpoint: 'https://x.test', output: all}}}]",
            '[wrong-kind] do[0].a.with.output: Expected raw, content, response, got "all".',
        ),
        ("do: [{a: {for: {in: .x}}}]", "[missing-field] do[0].a: The field 'do' is missing."),
        ("do: [{a: {for: {}, do: []}}]", "[missing-field] do[0].a.for: The field 'in' is missing."),
        ("do: [{a: {for: 1, do: []}}]", "[wrong-kind] do[0].a.for: Expected an object with in, got 1."),
        ("do: [{a: {for: {in: .x}, while: $y, do: []}}]", "[bad-expression] do[0].a.while: '$y' is not an expression of jq"),
        ("do: [{a: {fork: {branches: []}}}]", "[missing-field] do[0].a.fork.branches: A fork needs a list with at least"),
        ("do: [{a: {fork: 1}}]", "[wrong-kind] do[0].a.fork: Expected an object with branches, got 1."),
        ("do: [{a: {fork: {branches: [1]}}}]", "[wrong-kind] do[0].a.fork.branches[0]: Expected an object with one name"),
        ("do: [{a: {switch: []}}]", "[missing-field] do[0].a.switch: A switch has 1 to 64 cases here."),
        ("do: [{a: {switch: [1]}}]", "[wrong-kind] do[0].a.switch[0]: Expected an object with one name and its case"),
        ("do: [{a: {switch: [{b: 1}]}}]", "[wrong-kind] do[0].a.switch[0].b: Expected an object with then, got 1."),
        ("do: [{a: {switch: [{b: {then: c}}]}}]", "[unknown-name] do[0].a.switch[0].b.then: There is no task 'c'"),
        ("do: [{a: {try: []}}]", "[wrong-kind] do[0].a.catch: Expected an object with errors, as, retry or do, got null."),
        ("do: [{a: {try: [], catch: {retry: x}}}]", "[unknown-name] do[0].a.catch.retry: There is no 'x' under use.retries"),
        ("do: [{a: {try: [], catch: {retry: 1}}}]", "[wrong-kind] do[0].a.catch.retry: Expected an object with when,"),
        ("do: [{a: {try: [], catch: {when: 1}}}]", "[wrong-kind] do[0].a.catch.when: Expected an expression, got 1."),
        ("do: [{a: {raise: {error: {type: 'https://x.test'}}}}]", "[missing-field] do[0].a.raise.error: The field 'status'"),
        ("do: [{a: {raise: {error: {type: x, status: high}}}}]", "[wrong-kind] do[0].a.raise.error.status: Expected a whole"),
        ("do: [{a: {listen: {to: {}}}}]", "[missing-field] do[0].a.listen.to: Expected exactly one of one, all, any, got none"),
        ("do: [{a: {listen: {to: {any: 1}}}}]", "[wrong-kind] do[0].a.listen.to.any: Expected a list, got 1."),
        ("do: [{a: {listen: {to: {one: {}}}}}]", "[missing-field] do[0].a.listen.to.one: The field 'with' is missing."),
        ("do: [{a: {run: {}}}]", "[missing-field] do[0].a.run: Expected exactly one of container, script, shell, workflow, got"),
        ("do: [{a: {run: {shell: {command: x, arguments: 1}}}}]", "[wrong-kind] do[0].a.run.shell.arguments: Expected a list"),
        ("do: [{a: {run: {workflow: 1}}}]", "[wrong-kind] do[0].a.run.workflow: Expected an object with namespace, name"),
        ("do: [{a: {run: {shell: {command: x}, await: 1}}}]", "[wrong-kind] do[0].a.run.await: Expected true or false, got 1."),
        ("use: {functions: {f: {call: f}}}\ndo: [{a: {call: f}}]", "[circle] use.functions.f.call: The function 'f' calls"),
        ("use: {retries: {r: {delay: 1}}}\ndo: []", "[wrong-kind] use.retries.r.delay: Expected a duration"),
        ("use: {retries: {r: {backoff: {}}}}\ndo: []", "[missing-field] use.retries.r.backoff: Expected exactly one of constant"),
        ("use: {secrets: [1]}\ndo: []", "[wrong-kind] use.secrets[0]: Expected a text, got 1."),
        ("use: {errors: 1}\ndo: []", "[wrong-kind] use.errors: Expected an object, got 1."),
        ("use: {timeouts: {t: {}}}\ndo: []", "[missing-field] use.timeouts.t: The field 'after' is missing."),
        ("timeout: t\ndo: []", "[unknown-name] timeout: There is no 't' under use.timeouts."),
        ("use: {extensions: [{e: {before: []}}]}\ndo: []", "[missing-field] use.extensions[0].e: The field 'extend' is"),
        ("input: {schema: {document: 1}}\ndo: []", "[wrong-kind] input.schema.document: Expected a JSON Schema, got 1."),
        ("input: {schema: {document: {type: 7}}}\ndo: []", "[bad-schema] input.schema.document: This is not a schema: $.type"),
        ("input: {schema: {}}\ndo: []", "[missing-field] input.schema: Expected exactly one of document, resource, got none."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text, expected):
    found = errors(text)
    assert any(each.startswith(expected) for each in found), found


def test_what_the_document_says_of_itself():
    def of(**about: Any) -> list[str]:
        document = {**EVERYTHING["document"], **about}
        return [f"{each.severity} {each}" for each in read_tree({"document": document, "do": []}, "x").diagnostics]

    assert of() == []
    for about, expected in (
        ({"dsl": "0.8"}, 'error error[wrong-version] document.dsl: Documents of version 1 are understood, got "0.8".'),
        ({"version": 1}, "error error[wrong-kind] document.version: Expected a version such as 1.0.0, got 1."),
        ({"version": "1"}, "warning warning[odd-version] document.version: Expected a version such as 1.0.0, got"),
        ({"name": "a b"}, "warning warning[odd-name] document.name: Expected letters, digits and hyphens, got"),
        ({"tags": 1}, "error error[wrong-kind] document.tags: Expected an object, got 1."),
    ):
        (found,) = of(**about)
        assert found.startswith(expected)
    assert said("do: [{a: {set: {}}}]") == ["warning[empty] do[0].a.set: It says nothing."]
    headers = "do: [{a: {call: http, with: {method: get, endpoint: 'https://x.test', headers: {n: 1}}}}]"
    assert said(headers) == ["info[as-text] do[0].a.with.headers.n: It is written as a text, by JSON: 1."]


def test_what_is_left_out_is_said():
    assert said("hello: 1\nuse: {catalogs: {c: {}}}\ndo: [{'a b': {set: {x: 1}, outputs: {}}}]") == [
        "warning[unknown-field] hello: There is no field 'hello' here; it is left out.",
        "warning[not-understood] use.catalogs: Catalogs are not read.",
        "warning[unknown-field] do[0][\"a b\"].outputs: There is no field 'outputs' here; it is left out. "
        "Did you mean 'output'?",
    ]
    resource = "{schema: {resource: {endpoint: 'https://x.test'}}}"
    assert said(f"input: {resource}\noutput: {{schema: {{format: avro, document: {{}}}}}}\ndo: []") == [
        "warning[not-checked] input.schema.resource: A schema that stands elsewhere is not checked.",
        "warning[not-checked] output.schema.format: Only JSON Schemas are checked.",
    ]
    assert said("schedule: {every: PT7M}\ndo: []") == [
        "info[schedule] schedule.every: One run does the work once. When it runs is for whoever starts runs: a trigger, "
        "or cron."
    ]


@pytest.mark.parametrize(
    ("schedule", "cron"),
    [
        ("cron: 0 3 * * 1-5", "0 3 * * 1-5"), ("every: PT5M", "*/5 * * * *"), ("every: {minutes: 60}", "0 * * * *"),
        ("every: PT6H", "0 */6 * * *"), ("every: P1D", "0 0 * * *"), ("every: PT90M", None), ("every: PT30S", None),
        ("every: P2D", None), ("every: x", None), ("after: PT1H", None), ("cron: '@daily'", None),
    ],
)  # fmt: skip
def test_when_runs_start(schedule, cron):
    """A trigger of the graph, where a line of cron says it."""
    found = import_document(document_in(f"{HEAD}schedule: {{{schedule}}}\ndo: []", syntax="yaml"))
    assert [each.cron for each in found.graph.triggers] == ([] if cron is None else [cron])


def test_texts_that_look_like_expressions():
    """Only those in `${ }` are, and authors forget."""
    assert said("do: [{a: {set: {x: $context.n, y: [.n.m], z: 'costs $5', e: '.'}}}]") == [
        "info[text] do[0].a.set.x: It is a text as it stands here; an expression is written ${ $context.n }.",
        "info[text] do[0].a.set.y[0]: It is a text as it stands here; an expression is written ${ .n.m }.",
    ]


def test_too_many_branches_and_cases():
    many = ", ".join(f"{{b{n}: {{set: {{n: 1}}}}}}" for n in range(65))
    assert errors(f"do: [{{a: {{fork: {{branches: [{many}]}}}}}}]")[0].startswith("[too-many] do[0].a.fork.branches")
    many = ", ".join(f"{{b{n}: {{then: exit}}}}" for n in range(65))
    assert errors(f"do: [{{a: {{switch: [{many}]}}}}]")[0].startswith("[too-many] do[0].a.switch")


@pytest.mark.unmeasured
def test_documents_that_grow_without_measure():
    """Each function calls the next one twice."""
    functions = {f"f{n}": {"do": [{"a": {"call": f"f{n + 1}"}}, {"b": {"call": f"f{n + 1}"}}]} for n in range(40)}
    tree = {**EVERYTHING, "use": {"functions": {**functions, "f40": {"set": {"x": 1}}}}, "do": [{"a": {"call": "f0"}}]}
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(DocumentError, match="becomes more than 200,000 nodes: what functions"),
    ):
        patch.setattr("trioflow.formats.serverless.draft._MOST_NODES", 2_000)
        read_tree(tree, "x")


def test_what_is_no_document_at_all():
    for tree in ({"document": {}}, [], None):
        with pytest.raises(DocumentError, match="expected an object with `document` and `do`"):
            read_tree(tree, "x")


def test_errors_have_their_lines(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + "do:\n- a:\n    set: {x: '${ + }'}\n")
    (error,) = load(path).errors
    assert error.position == (4, 14)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places of a document; values that may be anything are not gone into."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, each in items:
        yield from places(each, (*path, key))


REGISTRY = tf.Registry.standard()
SCHEMA = Path(os.environ.get("TRIOFLOW_CORPORA", "nowhere")) / "serverless-workflow" / "workflow.schema.yaml"
GONE, MISSPELT = object(), object()
NEVER_RIGHT = (-1.5, MISSPELT, [[]], True)
"""What is right nowhere but where anything is; the names that are for an author to choose have one letter below."""
MUTATIONS = (*NEVER_RIGHT, GONE, None, 7, "nonsense", [], {}, {"a": {"b": 1}})
FREE = {"tags", "set", "as", "parameters", "function"}
"""What these have in them may be anything; the function is called with what its own tasks ask for."""


def mutated(mutations: Sequence[Any], shift: int = 0) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """The document with one place changed: each place once, by another mutation for each shift."""
    for number, path in enumerate(places(EVERYTHING)):
        mutation = mutations[(number + shift) % len(mutations)]
        if not path or (isinstance(path[-1], int) and mutation in (GONE, MISSPELT)):
            continue
        tree = copy.deepcopy(EVERYTHING)
        around = tree
        for key in path[:-1]:
            around = around[key]
        if mutation is GONE:
            del around[path[-1]]
        elif mutation is MISSPELT:
            around[f"{path[-1]}z"] = around.pop(path[-1])
        elif json.dumps(around[path[-1]]) == json.dumps(mutation):
            continue
        else:
            around[path[-1]] = mutation
        yield path, mutation, tree


def is_free(path: tuple[Any, ...], mutation: Any) -> bool:
    """Whether what is never right is right at this place."""
    if mutation is MISSPELT and (len(path[-1]) == 1 or isinstance(path[-2], int)):
        return True
    return bool(FREE & set(path[1:-1])) or path[-1] == "body" or path[:3] == ("input", "schema", "document")


def is_silent(tree: Any) -> bool:
    """Whether nothing is said of a document but what is said of the right one, too."""
    try:
        found = import_document(document_in(json.dumps(tree)), format=FORMAT)
    except DocumentError:
        return False
    tf.validate(found.graph, REGISTRY)
    return all(each.code == "schedule" for each in found.diagnostics)


@pytest.mark.unmeasured
def test_each_field_mutated_once_is_noticed():
    """An error or a note, never a traceback; silence only where what stands there may be that."""
    assert is_silent(EVERYTHING)
    silent = [(path, mutation) for path, mutation, tree in mutated(NEVER_RIGHT) if is_silent(tree)]
    assert [each for each in silent if not is_free(*each)] == []


def around(path: tuple[Any, ...], tree: Any) -> Any:
    """The document without the tasks that are as they were: the schema takes long for each of them."""
    first = path[1] if path[0] == "do" and len(path) > 1 else 0
    return {**tree, "do": tree["do"][first : first + 1]} if path != ("do",) else tree


@pytest.mark.outside
@pytest.mark.unmeasured
@pytest.mark.skipif(not SCHEMA.is_file(), reason="TRIOFLOW_CORPORA names no folder with the schema of the standard")
@pytest.mark.parametrize("shift", range(0, len(MUTATIONS), 4))
def test_what_the_schema_of_the_standard_refuses_is_noticed(shift):
    """Of each mutation something is said that the standard's own schema does not allow."""
    silent = [(path, tree) for path, _, tree in mutated(MUTATIONS, shift) if is_silent(tree)]
    validator = Draft202012Validator(read_text(SCHEMA.read_text("utf-8"), format="yaml", source="schema"))
    assert [path for path, tree in silent if not validator.is_valid(around(path, tree))] == []


@pytest.mark.timed
@pytest.mark.unmeasured
def test_ten_thousand_tasks_are_imported_and_checked_in_time():
    tasks = [{f"t{n}": {"set": {"n": f"${{ .n + {n} }}"}}} for n in range(10_000)]
    tree = {"document": {"dsl": "1.0.3", "namespace": "n", "name": "x", "version": "1.0.0"}, "do": tasks}
    document = document_in(json.dumps(tree))
    began = time.process_time()
    found = import_document(document, format=FORMAT)
    assert tf.validate(found.graph, tf.Registry.standard()).problems == ()
    assert time.process_time() - began < 6  # 2 s on a quiet core
    assert len(found.graph.nodes) == 10_002


def test_a_list_may_be_empty():
    assert not imported("do: [{a: {do: []}}]").errors
    assert attrs.asdict(imported("do: []").graph)["nodes"]
