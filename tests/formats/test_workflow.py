"""Workflows drawn: joins, conditions, failure and undo wires."""

from __future__ import annotations

import trioflow as tf
from trioflow.formats.dot import to_dot
from trioflow.formats.mermaid import to_mermaid
from trioflow.formats.text import to_text

REGISTRY = tf.Registry.standard(plugins=False)
GRAPH = tf.loads("""{"trioflow": "1.2", "kind": "workflow",
 "nodes": [
  {"id": "draft", "type": "debug.print", "most": 3, "undo": "drop", "undo_from": "started", "set": {"v": "turn"}},
  {"id": "review", "type": "flow.branch", "choose": "first"},
  {"id": "end", "type": "debug.print", "join": "first", "min": 2, "rest": "cancel", "priority": "high"},
  {"id": "drop", "type": "debug.print"}],
 "connections": [
  {"from": "draft", "to": "review"},
  {"from": "review.true", "to": "draft", "when": "turn < 2"},
  {"from": "review.true", "to": "end", "else": true},
  {"from": "draft", "to": "end", "on": ["failed", "exhausted"]},
  {"from": "review.false", "to": "end", "enabled": false}],
 "variables": [{"name": "v"}]}""")


def test_an_outline():
    """What fires first is marked, and nodes that undo are listed by themselves."""
    assert (
        to_text(GRAPH, REGISTRY)
        == """\
variables:
    v: any = None

* draft (debug.print)
    most: 3
    v := turn
    undo from its start: drop
    then => review.enter
        review (flow.branch)
            choose: first
            true => draft.enter [when turn < 2] (above)
            true => end.enter [else]
                end (debug.print)
                    join: first, min: 2, rest: cancel, priority: high
            false => end.enter [off] (above)
    => end.enter [on failed or exhausted] (above)

undoing:
drop (debug.print)
"""
    )


def test_pictures():
    """So do labels, and a line that is crossed out leads to what undoes."""
    mermaid = to_mermaid(GRAPH, REGISTRY)
    assert 'n0(["draft<br/>debug.print<br/>most: 3<br/>v := turn"])' in mermaid
    assert 'n1 ==>|"true → enter<br/>when turn #60; 2"| n0' in mermaid
    assert 'n0 ==>|"enter<br/>on failed or exhausted"| n2' in mermaid
    assert 'n0 -.-x|"undo"| n3' in mermaid
    dot = to_dot(GRAPH, REGISTRY)
    assert 'n1 -> n2 [style=bold, taillabel="true", headlabel="enter", label="else"];' in dot
    assert 'n0 -> n3 [style=dotted, arrowhead=tee, label="undo"];' in dot
