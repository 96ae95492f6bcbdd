"""The tables are right on both sides: the program's own list of nodes, and our registry."""

from __future__ import annotations

import pytest
from formats.nodeeditor.documents import NO_COUNTERPART, REGISTRY, STANDARD

from trioflow.formats.nodeeditor.row import key_of, row
from trioflow.formats.nodeeditor.tables import CONVERSIONS, FAMILIES, ROWS, ROWS_BY_KEY

EVERY = (*FAMILIES, *ROWS)
MORE = {("ForEach Loop", "Item"), ("ForEach Loop", "Index")}
"""Sockets that newer versions have."""


@pytest.mark.parametrize("standard", STANDARD, ids=lambda each: f"{each['area']}-{each['name']}")
def test_every_standard_node_has_its_row(standard):
    """A standard node has a row with the same sockets, kinds and defaults."""
    rows = [each for each in ROWS if each.name == standard["name"]]
    assert rows
    if not any(each.inputs or each.outputs for each in rows):
        assert standard["name"] in NO_COUNTERPART | {"Comment"}
        return
    found = [
        (
            sorted((each.name, each.kind, *([each.default] if each.stated else ())) for each in row.inputs),
            {(each.name, each.kind) for each in row.outputs if (row.name, each.name) not in MORE},
        )
        for row in rows
    ]
    outputs = {tuple(each) for each in standard["outputs"]}
    assert (sorted(map(tuple, standard["inputs"])), outputs) in found


def test_names_are_unlike():
    """No two rows share a name or an alias, but for the two nodes called Log."""
    assert {key: len(rows) for key, rows in ROWS_BY_KEY.items() if len(rows) > 1} == {key_of("Log"): 2}
    assert len({row.name for row in ROWS}) == len(ROWS) - 1


@pytest.mark.parametrize("row", EVERY, ids=lambda row: f"{row.name} {row.type}")
def test_every_target_exists(row):
    """Each type and each socket of ours that a row names is in the registry."""
    if row.type is None:
        assert row.omitted or row.note, "a row without a type says why"
        return
    types = {}
    for part, type_id in {"": row.type, **row.parts}.items():
        types[part] = REGISTRY.find(type_id)
        assert types[part] is not None, type_id
    targets = [*(at for each in row.inputs for at in each.to), *row.given, *(end for _, end in row.wires)]
    sources = [*(each.source for each in row.outputs if each.source), *(start for start, _ in row.wires)]
    if row.bound is not None:
        targets.append(row.bound)
    for at in targets:
        found = types[at.part]
        assert found is None or at.socket in {each.name for each in (*found.inputs, *found.exec_inputs)}, at
    for at in sources:
        found = types[at.part]
        assert found is None or at.socket in {each.name for each in (*found.outputs, *found.exec_outputs)}, at
    for part, found in types.items():
        assert found is None or not found.is_exec or not part, "parts compute values"


@pytest.mark.parametrize("row", [row for row in EVERY if row.parts], ids=lambda row: row.name)
def test_every_part_is_needed_for_something(row):
    """A part gives the node a value, or an output of the format."""
    assert row.needed(each.source for each in row.outputs if each.source is not None) == {"", *row.parts}


def test_every_conversion_exists():
    """What converts where a value crosses a connection is there, with its sockets."""
    for conversion in CONVERSIONS.values():
        found = REGISTRY.get(conversion.type)
        assert conversion.input in found.input_index
        assert conversion.output in found.output_index


def test_a_row_is_written_as_it_reads():
    """The notation of a row: kinds, defaults, units, several targets, parts."""
    made = row(
        "N",
        "x.y",
        'Enter > enter; A: int = 5 > a, p.b; B: str = "q r" > b; C: float = 0.5 > c / 1000; D: int > d - 1; E: bool',
        "Out > then; F: any > p.result",
        parts={"p": "x.z"},
        wires="p.result > e",
        given={"p.g": 1},
    )
    assert [(each.name, each.kind, each.default, each.stated, each.per, each.more) for each in made.inputs] == [
        ("Enter", "exec", None, False, 1, 0),
        ("A", "int", 5, True, 1, 0),
        ("B", "str", "q r", True, 1, 0),
        ("C", "float", 0.5, True, 1000, 0),
        ("D", "int", 0, False, 1, -1),
        ("E", "bool", False, False, 1, 0),
    ]
    assert made.inputs[1].to == (("", "a"), ("p", "b"))
    assert made.inputs[5].to == ()
    assert made.outputs[1].source == ("p", "result")
    assert made.wires == ((("p", "result"), ("", "e")),)
    assert made.given == {("p", "g"): 1}
    with pytest.raises(ValueError, match="not a socket of a row"):
        row("N", "x.y", "A: : b")
