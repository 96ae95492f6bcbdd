"""Lines and columns of the parts of a document."""

from __future__ import annotations

from pathlib import Path

import pytest

import trioflow as tf
from trioflow.model.positions import Positions

JSON = """{
  "trioflow": "1.1",
  "nodes": [
    {"id": "a", "type": "x", "inputs": {"a.b": [1,
      {"c": "d \\" ] }"}], "a": 2}},
    { "id" : "b" }
  ],
  "graphs": {"in ner": {"nodes": [{"id": 1}]}}
}
"""
YAML = """\
trioflow: "1.1"
nodes:
  - id: a
    inputs: {a.b: [1, {c: d}], a: 2}
  - {id: b}
graphs:
  in ner:
    nodes: [{id: 1}]
"""


@pytest.mark.parametrize(
    ("path", "in_json", "in_yaml"),
    [
        ("nodes", (3, 12), (3, 3)),
        ("nodes[0].id", (4, 12), (3, 9)),
        ("nodes[0].inputs.a.b[1].c", (5, 13), (4, 27)),
        ("nodes[0].inputs.a", (5, 32), (4, 35)),
        ('nodes[0].inputs["a.b"][0]', (4, 49), (4, 20)),
        ("nodes[1].id", (6, 14), (5, 10)),
        ('graphs["in ner"].nodes[0].id', (8, 42), (8, 18)),
        ("graphs.in ner.nodes[0].id", (8, 42), (8, 18)),
        (".nodes[1]", (6, 5), (5, 5)),
    ],
)
def test_paths_lead_to_positions(path: str, in_json: tuple[int, int], in_yaml: tuple[int, int]) -> None:
    """Keys with dots and blanks, quoted or not; lists in objects in lists."""
    assert Positions.of(JSON).find(path) == in_json
    assert Positions.of(YAML, "yaml").find(path) == in_yaml


def test_what_is_not_there() -> None:
    """The nearest around it is, and the whole text for a path that leads nowhere."""
    positions = Positions.of(JSON)
    assert positions.find("nodes[1].type") == (6, 5)
    assert positions.find("nodes[7].type") == (3, 12)
    assert positions.find("connections[0]") == positions.find("") == (1, 1)


@pytest.mark.parametrize("text", ["", "{", '{"a": ', '{"a": [1,', "[" * 100_000, '{"a" 1}', "\x00"])
def test_texts_that_can_not_be_read(text: str) -> None:
    """They have no positions, or few, and nothing fails."""
    for format_ in ("json", "yaml"):
        Positions.of(text, format_).find("a[0].b")  # type: ignore[arg-type]


def test_positions_come_with_problems(tmp_path: Path) -> None:
    """What can't be read as a graph is told with positions beside the problems."""
    path = tmp_path / "g.json"
    path.write_text('\ufeff{"trioflow": "1.1",\n "nodes": [{"id": 7, "type": "x"}], "wires": 1}')
    with pytest.raises(tf.DocumentError) as caught:
        tf.load(path)
    told = [problem.partition(":")[0] for problem in caught.value.problems]
    assert dict(zip(told, caught.value.positions, strict=True)) == {"nodes[0].id": (2, 19), "the document": (1, 1)}
    with pytest.raises(tf.DocumentError) as caught:
        tf.loads("trioflow: '1.1'\nnodes: [1]\n", format="yaml")
    assert (2, 9) in caught.value.positions
    assert Positions.in_file(tmp_path / "nowhere").find("a") is None
