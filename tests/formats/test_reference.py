"""Node types for people: the page of all of them, and what it is made of."""

from __future__ import annotations

from pathlib import Path

import trioflow as tf
from trioflow.formats import reference
from trioflow.formats.reference import example_of, text_of, to_markdown


class Shown(tf.Node, id="shown.node"):
    """First line.

    More of it.

    >>> 1 + 1
    2

    >>> 2 + 2
    4
    """

    enter = tf.ExecIn(doc="such as *.txt")
    choice: tf.DataIn[str | None] = tf.DataIn(str | None, default=None, doc="a | b")
    path = tf.DataIn(Path, default=Path("a"))
    then = tf.ExecOut()

    async def execute(self, ctx): ...


class Plain(tf.Node, id="other.plain", initiator=True):
    then = tf.ExecOut()

    async def execute(self, ctx): ...


def test_the_page_has_all_nodes():
    """Each has a heading with its id, in the order of the ids."""
    registry = tf.Registry.standard(plugins=False)
    page = to_markdown(registry)
    assert [line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")] == registry.ids()


def test_documentation_and_examples_are_apart():
    """All from the first example on are examples."""
    assert text_of(Shown.type) == "First line.\n\nMore of it."
    assert example_of(Shown.type) == ">>> 1 + 1\n2\n\n>>> 2 + 2\n4"
    assert (text_of(Plain.type), example_of(Plain.type)) == ("", "")


def test_a_docstring_that_is_an_example():
    @tf.data_node
    def node() -> int:
        """>>> node()
        1
        """
        return 1

    assert (text_of(node.type), example_of(node.type)) == ("", ">>> node()\n1")


def test_the_page():
    """By area, with a table of contents; what means something in Markdown means itself."""
    assert (
        to_markdown([Shown.type, Plain.type])
        == """\
# Node types

Node types: 2, areas: 2. This page is made by
`trioflow nodes --markdown`. What it says stands in the docstrings of the nodes, whose examples are tested:
there `fire` and `evaluate` are those of `trioflow.testing`, `tf` is `trioflow`.

| area | node types |
|---|---|
| [other](#other) | [plain](#otherplain) |
| [shown](#shown) | [node](#shownnode) |

## other

### other.plain

*exec node, runs start here*

| | name | type | |
|---|---|---|---|
| exec output | `then` |  |  |

## shown

### shown.node

*exec node*

First line.

More of it.

| | name | type | |
|---|---|---|---|
| exec input | `enter` |  | such as \\*.txt |
| data input | `choice` | `str \\| None = None` | a \\| b |
| data input | `path` | `path = 'a'` |  |
| exec output | `then` |  |  |

```python
>>> 1 + 1
2

>>> 2 + 2
4
```
"""
    )


def test_kinds():
    registry = tf.Registry.standard(plugins=False)
    assert {name: reference.kind_of(registry.get(name)) for name in ("flow.for", "flow.start", "event.listen", "math.add", "time.now")} == {
        "flow.for": "exec node", "flow.start": "exec node, runs start here", "event.listen": "exec node, listens for events",
        "math.add": "data node", "time.now": "data node, volatile",
    }  # fmt: skip
