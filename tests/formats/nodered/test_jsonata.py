"""JSONata in nodes of flows."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from importlib.util import find_spec

import pytest
import trio

import trioflow as tf
from trioflow.formats import nodered
from trioflow.formats.javascript import NotUnderstood, ScriptFailed
from trioflow.formats.nodered import jsonata

pytestmark = pytest.mark.skipif(
    find_spec("jsonata") is None, reason="jsonata-python is not installed: pip install 'trioflow[imports]'"
)


def node(id_, kind, *wires, **more):
    return {"id": id_, "type": kind, "z": "t", "wires": [list(each) for each in wires], **more}


def printed(*nodes):
    imported = nodered.loads(json.dumps([{"id": "t", "type": "tab"}, *nodes]))
    assert imported.errors == ()
    found = io.StringIO()
    with contextlib.redirect_stdout(found):
        trio.run(tf.run, imported.graph)
    return found.getvalue().splitlines()


def test_where_it_stands():
    """As a value that is set, a property, a rule, the key of a sort, a message to begin with."""
    people = [{"name": "Bob", "age": 17}, {"name": "Ada", "age": 36}, {"name": "Cy", "age": 64}]
    assert printed(
        node("a", "inject", "s", props=[{"p": "payload", "v": json.dumps(people), "vt": "json"},
                                        {"p": "topic", "v": "'to' & 'pic'", "vt": "jsonata"}]),
        node("s", "sort", "c", target="payload", msgKey="-age", msgKeyType="jsonata", as_num=True),
        node("c", "change", "w", rules=[
            {"t": "set", "p": "payload", "pt": "msg", "to": "payload[age>20].name", "tot": "jsonata"},
            {"t": "set", "p": "n", "pt": "flow", "to": "$count(payload)", "tot": "jsonata"},
        ]),
        node("w", "switch", "d", "e", property="topic & $flowContext('n')", propertyType="jsonata", rules=[
            {"t": "eq", "v": "'topic' & 2", "vt": "jsonata"},
            {"t": "jsonata_exp", "v": "$count(payload) > 5", "vt": "jsonata"},
        ]),
        node("d", "debug", complete="payload"),
        node("e", "debug", complete="payload"),
    ) == ['["Cy", "Ada"]']  # fmt: skip


def test_values_are_plain():
    assert jsonata.evaluate("{'a': [1..3], 'b': $now}", {}, {})["a"] == [1, 2, 3]
    assert jsonata.evaluate("nothing", {}, {}) is None


def test_what_fails_says_which():
    with pytest.raises(ScriptFailed, match=r"JSONata 'x\(1\)': "):
        jsonata.evaluate("x(1)", {}, {})
    with pytest.raises(ScriptFailed, match="deep"):
        jsonata.evaluate("($f := function($x){$f($x) + 1}; $f(1))", {}, {})
    with pytest.raises(NotUnderstood, match=r"'1 \+' is not JSONata: "):
        jsonata.check("1 +")


def test_without_the_extra(monkeypatch):
    """The sentence names the expression, and what to install."""
    monkeypatch.setitem(sys.modules, "jsonata", None)
    with pytest.raises(NotUnderstood, match=r"JSONata '7 \+ 1' needs an extra: .* 'trioflow\[imports\]'"):
        jsonata.check("7 + 1")
