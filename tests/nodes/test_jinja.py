"""Templates of Jinja2, in a process of their own."""

from __future__ import annotations

import sys

import pytest

import trioflow as tf
from trioflow.nodes.jinja import ScriptTimeout, TemplateFailed
from trioflow.testing import fire

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of templates are for POSIX systems")


def rendered(template, inputs=None, **given):
    ((_, values),) = fire("template.render", template=template, inputs=inputs or {}, virtual=False, **given)
    return values["result"]


async def test_names_are_the_inputs():
    """Those that `config` names win, and one without a value is not there."""
    with tf.build() as g:
        start, keep = g.add("flow.start"), g.add("state.keep", value=1)
        node = g.add(
            "template.render", "it", config={"inputs": {"n": "int", "gone": "any"}}, n=2, gone=keep.kept,
            inputs={"n": 1, "m": [3]}, template="{{ n }}{% if gone is defined %}!{% endif %}{{ m[0] }}\n",
        )  # fmt: skip
        g.connect(start.then, node.enter)
    assert (await tf.run(g.graph)).output("it", "result") == "23\n"


def test_a_name_without_a_value():
    with pytest.raises(TemplateFailed, match="template.render: 'b' is undefined. There are values for: a"):
        rendered("{{ b }}", {"a": 1})
    assert rendered("[{{ b }}]", strict=False) == "[]"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("\n{% for %}", "line 2: Expected an expression"),
        ("{% include 'x' %}", "no loader for this environment specified"),
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ [].append(1) }}", "is not safely callable|unsafe"),
        ("{{ range(10 ** 9) }}", "Range too big"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ],
)
def test_what_a_template_can_not_do(template, message):
    with pytest.raises(TemplateFailed, match=message):
        rendered(template)


def test_one_without_end_is_killed():
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(ScriptTimeout, match="template.render: it took longer than 0.4 s, and was killed"):
        rendered(endless, timeout=0.4)


def test_values_that_are_no_data():
    with pytest.raises(TemplateFailed, match="its inputs can't be sent to its process"):
        rendered("{{ a }}", {"a": lambda: 1})


def test_without_jinja2(monkeypatch):
    """The cure is told before anything runs."""
    registry = tf.Registry.standard(plugins=False)
    with tf.build(registry) as g:
        g.connect(g.add("flow.start").then, g.add("template.render", template="").enter)
    monkeypatch.setattr("trioflow.semantics.validation.importable", lambda package: False)
    (problem,) = tf.validate(g.graph, registry).errors
    assert "jinja2>=3.1.6" in str(problem)
