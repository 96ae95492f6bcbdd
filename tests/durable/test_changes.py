"""Another graph, or other code, under a run: what is said, and when it may go on all the same (J13)."""

from __future__ import annotations

import attrs
import pytest
from durable.graphs import NODES, REGISTRY, WORLD, act, chain, resume, stop
from durable.graphs import go as go_on

import trioflow as tf
from trioflow.model.version import code_of, version_of


def effects(*values):
    return chain(*(("durable.effect", {"value": value}) for value in values))


def test_what_has_changed_in_the_graph():
    """J13: nodes and wires, by name."""
    journal = tf.MemoryJournal()
    stop(effects("a", "b", "c"), journal, "c")
    with pytest.raises(tf.GraphChanged) as caught:
        resume(effects("a", "x"), journal)
    assert str(caught.value) == (
        "Run 'a' was begun with something else. Its graph is another one: node 'effect_3' is gone, node 'effect_2' has "
        "changed, the wire effect_2.then -> effect_3.enter is gone. Run it with what it was begun with; or say "
        "on_change='compatible' (--changed), then it goes on as long as it does what the journal says; or begin another "
        "run with what was recorded of this one: trioflow.fork_run, with migrate= for what has to be converted."
    )
    with tf.build(REGISTRY) as g:
        g.variable("v", "int", default=1)
        last = g.add("flow.start").then
        for number in range(8):
            node = g.add("durable.careful", f"n{number}", value=number)
            g.connect(last, node.enter)
            last = node.then
    with pytest.raises(tf.GraphChanged, match=r"node 'n1' is new and 18 more\."):
        resume(g.graph, journal)


def with_code(text):
    """A registry whose type `code.act` has this source."""
    namespace = {"act": act, "tf": tf}
    import linecache

    name = f"<code {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), namespace)
    registry = tf.Registry.standard(plugins=False)
    registry.add(*NODES, namespace["code_act"])
    return registry


ONE = '@tf.exec_node(id="code.act"{more})\ndef code_act(value: str) -> None:\n    """{doc}"""\n    act(value)  # {doc}\n{extra}'


def source(doc="Acts.", extra="", more=""):
    return ONE.format(doc=doc, extra=extra, more=more)


@pytest.mark.parametrize(
    ("begun", "now", "changed"),
    [
        (source(), source(doc="Does something to the world."), False),
        (source(), source(extra="\n    pass\n"), True),
        (source(more=', version="1"'), source(more=', version="1"', extra="\n    pass\n"), False),
        (source(more=', version="1"'), source(more=', version="2"'), True),
    ],
)
def test_the_code_of_a_type(begun, now, changed):
    """J13: comments and docstrings make no difference; what the type calls its version counts more than its source."""
    journal = tf.MemoryJournal()
    with tf.build(with_code(begun)) as g:
        first, second = g.add("code.act", value="a"), g.add("code.act", value="b")
        g.connect(g.add("flow.start").then, first.enter)
        g.connect(first.then, second.enter)
    registry = with_code(begun)
    import durable.graphs as graphs

    original = graphs.REGISTRY
    try:
        graphs.REGISTRY = registry
        stop(g.graph, journal, "b")
        graphs.REGISTRY = with_code(now)
        if changed:
            with pytest.raises(tf.GraphChanged, match=r"The code of the node types code\.act is not what it was\."):
                go_on(g.graph, journal)
            resume(g.graph, journal, on_change="compatible")
        else:
            go_on(g.graph, journal)
    finally:
        graphs.REGISTRY = original
    assert WORLD == ["b"]


def test_what_counts_of_a_source():
    """Strings that look like comments do; what can't be read by itself counts as it is."""
    assert code_of('def f():\n    """Doc.\n    Doc."""\n\n    return "# no"  # yes\n') == 'def f():\n    return "# no"'
    assert code_of("a, lambda: 1)  # x") == "a, lambda: 1)"
    registry = tf.Registry()
    registry.add(tf.data_node(id="x.at_a_prompt")(eval("lambda: 1")))
    assert version_of(registry.get("x.at_a_prompt")) == ""
    assert version_of(REGISTRY.get("flow.for")) == "trioflow"


def test_migration():
    """J16: what was recorded of one run, converted for another graph: other nodes, other values, and some done anew."""
    journal = tf.MemoryJournal()
    stop(effects("a", "b", "c", "d"), journal, "d")
    other = chain(("durable.effect", {"value": "a"}), ("durable.careful", {"value": "b"}), *effects_of("c", "d"))

    def migrate(recorded):
        if recorded.node == "effect_2":
            return attrs.evolve(recorded, node="careful", outputs={"result": "B"})
        return None if recorded.outputs == {"result": "c"} else renamed(recorded)

    def renamed(recorded):
        return attrs.evolve(recorded, node={"effect_3": "effect_2"}.get(recorded.node, recorded.node))

    info = tf.fork_run(journal, "a", "b", graph=tf.dumps(other), migrate=migrate)
    assert (info.new.parent, info.new.parent_path, info.state.entries) == ("a", None, 2)
    result = resume(other, journal, "b")
    assert WORLD == ["c", "d"]
    assert (result.output("careful"), result.output("effect_2")) == ("B", "c")
    assert journal.show("a").status == "running"
    with pytest.raises(tf.Unrecordable, match="what node 'effect' is migrated to: 'result'"):
        tf.fork_run(journal, "a", "c", migrate=lambda each: attrs.evolve(each, outputs={"result": object()}))


def effects_of(*values):
    return [("durable.effect", {"value": value}) for value in values]


def test_what_goes_along():
    """J16: attempts, and failures as they were."""
    journal = tf.MemoryJournal()
    graph = chain(("durable.effect", {"value": "a"}), ("durable.effect", {"value": "b"}))
    stop(graph, journal, "b", middleware=[tf.Retry(2)])
    assert [each.node for each in journal.entries("a")] == ["effect", "effect"]
    seen = []
    tf.fork_run(journal, "a", "b", migrate=lambda each: seen.append(each) or attrs.evolve(each, node="other"))
    assert [each.node for each in journal.entries("b")] == ["other", "other"]
    (recorded,) = seen
    assert (recorded.path, recorded.exit, recorded.failure) == ((0, 1), "then", None)
    tf.fork_run(journal, "a", "c", migrate=lambda each: None)
    assert journal.entries("c") == []
    with pytest.raises(ValueError, match="None"):
        go_on(chain("durable.failing"), journal, "fails")
    tf.fork_run(journal, "fails", "d", migrate=lambda each: seen.append(each) or each)
    assert isinstance(seen[-1].failure, ValueError)
    with pytest.raises(ValueError, match="None"):
        go_on(chain("durable.failing"), journal, "d")
    assert WORLD == []
