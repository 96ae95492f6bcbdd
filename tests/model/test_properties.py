"""Properties of a run: values by name, with their types, for host and bodies."""

from __future__ import annotations

import pytest

import trioflow as tf


def test_typed():
    """A value is got as what it should be; what is not there is told, or has a default."""
    properties = tf.Properties()
    properties["user"] = "Ada"
    assert properties.typed("user", str) == "Ada"
    assert properties.typed("usr", str, "nobody") == "nobody"
    with pytest.raises(TypeError, match="Property 'user' is str, and not int"):
        properties.typed("user", int)
    with pytest.raises(tf.UnknownName, match="There is no property 'usr'. Did you mean 'user'. There are: user"):
        properties.typed("usr", str)
    assert (properties.get("usr"), "user" in properties, len(properties), [*properties]) == (None, True, 1, ["user"])
    assert repr(properties) == "Properties({'user': 'Ada'})"
    del properties["user"]
    with pytest.raises(tf.UnknownName, match="There are: none"):
        del properties["user"]


async def test_shared_by_host_and_bodies():
    """Bodies find those of the run; a host may give some of its own."""

    @tf.exec_node(id="properties.greet")
    def greet(properties: tf.FromServices[tf.Properties]) -> None:
        properties["greeted"] = properties.typed("user", str, "nobody")

    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(greet).enter)
    async with tf.open_run(g.graph) as run:
        run.properties["user"] = "Ada"
        await run.result()
    assert run.properties["greeted"] == "Ada"
    own = tf.Properties()
    await tf.run(g.graph, services={tf.Properties: own})
    assert own["greeted"] == "nobody"


def test_strict_options():
    """1,000 steps and 10 minutes, unless something else is said."""
    assert tf.RunOptions.strict() == tf.RunOptions(max_steps=1000, timeout=600)
    assert tf.RunOptions.strict(timeout=5, seed=3) == tf.RunOptions(max_steps=1000, timeout=5, seed=3)
    with pytest.raises(TypeError):
        tf.RunOptions.strict(max_step=5)
