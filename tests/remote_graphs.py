"""Graphs of nodes whose bodies run elsewhere, and what comes back."""

from __future__ import annotations

import trioflow as tf


@tf.exec_node(id="remote.note")
async def note(value: object) -> None:
    NOTES.append(value)


NOTES = []


def graph(*nodes, policy=None, **inputs):
    """These, one after the other; data nodes feed a node that notes them."""
    with tf.build() as g:
        last = g.add("flow.start").then
        for place, each in enumerate(nodes):
            given = {name: value for name, value in inputs.items() if name in each.type.input_index}
            made = g.add(each, f"n{place}", **given)
            if policy is not None:
                g.configure(made, policy=policy)
            if not each.type.is_exec:
                made = g.add(note, f"note{place}", value=getattr(made, each.type.outputs[0].name))
            g.connect(last, made.enter)
            last = made.then
    return g.graph


async def run(made, **settings):
    NOTES.clear()
    return await tf.run(made, **settings)
