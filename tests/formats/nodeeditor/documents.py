"""Documents of the format as their program writes them, made of its standard nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import trioflow as tf
from trioflow.formats.nodeeditor import Imported, import_tree
from trioflow.formats.nodeeditor.dotnet import TYPE_NAMES, kind_of_value

DATA = Path(__file__).parent / "data"
REGISTRY = tf.Registry.standard(plugins=False)

STANDARD: list[dict[str, Any]] = json.loads((DATA / "standard-nodes.json").read_text(encoding="utf-8"))
"""The program's own list of its nodes: names, sockets, kinds, defaults."""
BY_NAME = {each["name"]: each for each in STANDARD if each["name"] != "Log" or each["area"] == "Debug"}
BY_NAME["Log (ln)"] = next(each for each in STANDARD if each["name"] == "Log" and each["area"] == "Math")

NO_COUNTERPART = {"JSON Path", "List To String", "Running Sum"}
"""The standard nodes that nothing here can stand for."""


def sample(name: str) -> dict[str, Any]:
    """One of the program's own sample documents."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def socket(name: str, kind: str, *, is_input: bool, value: Any = None) -> dict[str, Any]:
    return {
        "name": name,
        "typeName": TYPE_NAMES[kind],
        "isInput": is_input,
        "isExecution": kind == "exec",
        "value": value,
    }


def value(of: Any, kind: str = "any") -> dict[str, Any]:
    return {"typeName": TYPE_NAMES[kind_of_value(of) if kind == "any" else kind], "json": of}


def node(id: str, name: str, /, **given: Any) -> dict[str, Any]:
    """A standard node with its sockets; `given` are values of inputs, with _ for the spaces of their names."""
    standard = BY_NAME[name]
    values = {key.replace("_", " "): each for key, each in given.items()}
    inputs = []
    for each in standard["inputs"]:
        of = values.pop(each[0], each[2] if len(each) > 2 else None)
        inputs.append(socket(*each[:2], is_input=True, value=None if of is None else value(of, each[1])))
    assert not values, f"{name} has no {values}"
    is_exec = any(each[1] == "exec" for each in standard["inputs"] + standard["outputs"])
    return {
        "id": id,
        "typeId": None,
        "name": standard["name"],
        "callable": is_exec,
        "execInit": name == "Start",
        "x": 12.5,
        "y": -40,
        "width": 180,
        "height": 60,
        "inputs": inputs,
        "outputs": [socket(*each, is_input=False) for each in standard["outputs"]],
    }


def wire(ends: str, *, is_exec: bool | None = None) -> dict[str, Any]:
    """A connection, written `node.Socket -> node.Socket`; exec by the names of sockets unless it is said."""
    source, target = (end.rpartition(".") for end in ends.split(" -> "))
    return {
        "outputNodeId": source[0],
        "outputSocketName": source[2],
        "inputNodeId": target[0],
        "inputSocketName": target[2],
        "isExecution": target[2] in {"Enter", "Start"} if is_exec is None else is_exec,
    }


def document(*nodes: dict[str, Any], wires: Any = (), **more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "nodes": list(nodes),
        "connections": [each if isinstance(each, dict) else wire(each) for each in wires],
        "viewport": {"x": 0, "y": 0, "width": 1200, "height": 500, "zoom": 1},
        "selectedNodeIds": [],
        **more,
    }


def variable(name: str, id: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": id or f"{name}-id", "name": name, "typeName": "System.Object", "defaultValue": None, **more}


def setter(id: str, of: str) -> dict[str, Any]:
    """A node that sets the variable with the id."""
    made = node(id, "Set Variable")
    made["typeId"], made["name"] = f"variable.set.{of}", f"Set {of}"
    made["inputs"] = [each for each in made["inputs"] if each["name"] != "Name"]
    return made


def imported(tree: Any) -> Imported:
    return import_tree(tree, REGISTRY, source="doc.json")


def told(tree: Any, *severities: str) -> list[str]:
    """What the import has to say, by severity."""
    return [str(each) for each in imported(tree).diagnostics if each.severity in (severities or ("error", "warning"))]
