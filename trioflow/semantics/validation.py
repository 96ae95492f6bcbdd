"""Validation: all that can be known to be wrong with a graph before it runs, in one report (M1-M5).

Each check is a small function over the `Wiring`, where ids, sockets and wires are looked up once. A problem is
reported where its cure is, and once: what only follows from another problem is left out.
"""

# What few graphs have is checked by what is imported when one has it: that takes a tenth of what importing all takes.
# ruff: noqa: PLC0415
from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import attrs

from trioflow.model.by_name import importable
from trioflow.model.collecting import uncollected
from trioflow.model.graph import Endpoint, Graph, StreamSettings
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.model.secret import secret_name
from trioflow.model.sockets import UNSET, DataIn
from trioflow.model.types import NAMED_TYPES, describe_type
from trioflow.semantics.coercion import Mismatch, coerce_literal
from trioflow.semantics.merge import POLICIES
from trioflow.semantics.nesting import (
    all_wirings,
    check_boundaries,
    check_calls,
    check_endless,
    check_interface,
    check_started,
)
from trioflow.semantics.policies.sagas import check_sagas
from trioflow.semantics.report import Problem, Report, Severity, error, warning
from trioflow.semantics.strands import check_strands
from trioflow.semantics.topology import check_data_cycles, check_exec_cycles, check_reachable, check_starts
from trioflow.semantics.wiring import TypeView, Wiring
from trioflow.semantics.workflow.meaning import check_tokens

if TYPE_CHECKING:
    from trioflow.semantics.workflow.net import Net

__all__ = ["Problem", "Report", "Severity", "validate"]


def validate(graph: Graph, registry: Registry) -> Report:
    """Check a graph, and all the graphs that it holds or calls, against the node types that they name (M5).

    Never raises for what is wrong with the graph.
    """
    with uncollected():
        return validate_scopes(Scope(graph, registry), {})


def validate_scopes(root: Scope, nets: dict[Scope, Net]) -> Report:
    """As `validate`; the nets of workflows that were made for that are kept for whoever plans them."""
    wirings = all_wirings(root)
    found = [(wiring, [*_check_graph(wiring, nets, by_itself=wiring.scope is root)]) for wiring in wirings]
    for wiring, problem in chain(check_endless(wirings), check_started(wirings)):
        found[wirings.index(wiring)][1].append(problem)
    return Report(
        tuple(
            attrs.evolve(problem, path=wiring.scope.prefix + problem.path) if wiring.scope.prefix else problem
            for wiring, problems in found
            for problem in sorted(problems, key=_place_in_document)
        )
    )


def _check_graph(wiring: Wiring, nets: dict[Scope, Net], *, by_itself: bool) -> Iterator[Problem]:
    return chain(
        check_interface(wiring),
        _check_ids(wiring.graph),
        wiring.problems,
        check_boundaries(wiring),
        check_calls(wiring),
        _check_nodes(wiring),
        check_starts(wiring),
        check_data_cycles(wiring),
        check_exec_cycles(wiring),
        check_reachable(wiring, by_itself=by_itself),
        check_strands(wiring),
        check_tokens(wiring, nets),
        _check_policies(wiring),
        check_sagas(wiring),
        _check_variables(wiring),
        _check_triggers(wiring.graph),
    )


def _check_policies(wiring: Wiring) -> Iterator[Problem]:
    if wiring.has_policies:
        from trioflow.semantics.policies.check import check_policies

        yield from check_policies(wiring)


def _check_triggers(graph: Graph) -> Iterator[Problem]:
    if graph.triggers:
        from trioflow.semantics.triggers import check_triggers

        yield from check_triggers(graph)


_SECTIONS = (
    "limit",
    "groups",
    "on_error",
    "keep_outputs",
    "undo_on",
    "undo_grace",
    "interface",
    "nodes",
    "connections",
    "variables",
    "events",
    "triggers",
    "policies",
)
_PATH = re.compile(r"(\w+)(?:\[(\d+)\])?")


def _place_in_document(problem: Problem) -> tuple[int, int]:
    section, index = cast("re.Match[str]", _PATH.match(problem.path)).groups()
    return _SECTIONS.index(section), -1 if index is None else int(index)


# --- declarations ---

# An id is part of paths, messages and endpoints, which are one line of text each.
_BAD_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _check_ids(graph: Graph) -> Iterator[Problem]:
    """Ids of nodes, and names of variables and events, are texts, and unique (M1)."""
    return chain(
        _check_unique([node.id for node in graph.nodes], "nodes", "id"),
        _check_unique([variable.name for variable in graph.variables], "variables", "name"),
        _check_unique([event.name for event in graph.events], "events", "name"),
    )


def _check_unique(names: Sequence[object], section: str, key: str) -> Iterator[Problem]:
    first: dict[object, int] = {}
    for place, name in enumerate(names):
        path = f"{section}[{place}].{key}"
        if not isinstance(name, str) or not name.strip():
            yield error("invalid-id", path, f"Expected a text that is not empty, got {name!r}.", "Name it.", "M1")
        elif not name.isprintable() and _BAD_CHARACTER.search(name):
            cure = "Use characters that can be seen."
            yield error("invalid-id", path, f"{name!r} has a control character or a line break in it.", cure, "M1")
        other = first.setdefault(name, place)
        if other != place:
            message = f"{name!r} is the {key} of {section}[{other}] already."
            yield error("duplicate-id", path, message, f"Give one of them another {key}.", "M1")


def _check_variables(wiring: Wiring) -> Iterator[Problem]:
    """A variable has a type that is known, a default that fits it, and a merge policy that is known (M1, F4)."""
    policies = tuple(dict.fromkeys([*POLICIES, *wiring.registry.merges]))
    for place, variable in enumerate(wiring.graph.variables):
        path = f"variables[{place}]"
        if variable.type not in NAMED_TYPES:
            known = f"Use one of: {', '.join(NAMED_TYPES)}.{wiring.suggest(variable.type, NAMED_TYPES)}"
            yield error("unknown-type", f"{path}.type", f"There is no type {variable.type!r}.", known, "M1")
        elif variable.default is not None:
            type_ = NAMED_TYPES[variable.type]
            yield from _check_value(wiring, variable.default, type_, f"{path}.default", f"variable {variable.name!r}")
        if variable.merge not in policies:
            known = f"Use one of: {', '.join(policies)}.{wiring.suggest(variable.merge, policies)}"
            message = f"There is no merge policy {variable.merge!r}."
            yield error("unknown-merge-policy", f"{path}.merge", message, known, "F4")


def _check_value(wiring: Wiring, value: Any, type_: Any, path: str, whose: str) -> Iterator[Problem]:
    try:
        coerce_literal(value, type_, wiring.registry.converters)
    except Mismatch as mismatch:
        message = str(mismatch)
        message = f"{message[:1].upper()}{message[1:]}."
        yield error("type-mismatch", path, message, f"Give {whose} a value of type {describe_type(type_)}.", "D11")


# --- nodes ---


def _fired(wiring: Wiring) -> set[tuple[int, str]]:
    """The inputs that get their values where a node takes the place of another (P5)."""
    if not wiring.has_policies:
        return set()
    from trioflow.semantics.policies.check import supplied_by_fallbacks

    return {*supplied_by_fallbacks(wiring)}


def _check_nodes(wiring: Wiring) -> Iterator[Problem]:
    names = {
        "variable": {variable.name for variable in wiring.graph.variables},
        "event": {event.name for event in wiring.graph.events},
    }
    fired = _fired(wiring)
    is_there = cache(importable)  # looking on the disk for each node would be most of the work
    for place, (node, view) in enumerate(zip(wiring.graph.nodes, wiring.views, strict=True)):
        if view is None:
            continue
        if view.type.needs_packages:
            yield from _check_needs(wiring, place, view, is_there)
        if node.inputs:
            yield from _check_literals(wiring, place, view)
        if view.required:
            yield from _check_required(wiring, place, view, fired)
        if view.naming:
            for socket, what in view.naming:
                yield from _check_named(wiring, place, socket, what, names[what])
        if node.stream is not None:
            yield from _check_stream(wiring, place, view, node.stream)
        if view.must_handle:
            yield from _check_handled(wiring, place, view)


def _check_needs(wiring: Wiring, place: int, view: TypeView, is_there: Callable[[str], bool]) -> Iterator[Problem]:
    """What a node imports when it runs is installed (M5)."""
    missing = [name for name in view.type.needs_packages if not is_there(name)]
    if missing:
        requirements = " ".join(repr(view.type.needs_packages[name]) for name in missing)
        yield error(
            "missing-package",
            f"nodes[{place}].type",
            f"{wiring.name(place)} ({view.type.id}) needs {' and '.join(missing)}, which is not installed.",
            f"Install it with: python -m pip install {requirements}",
        )


def _check_literals(wiring: Wiring, place: int, view: TypeView) -> Iterator[Problem]:
    """A literal is for a data input that the type declares, and fits its type (M1, D11)."""
    node = wiring.graph.nodes[place]
    for name, literal in node.inputs.items():
        socket = view.inputs.get(name)
        if not isinstance(socket, DataIn):
            path, known = f"nodes[{place}].inputs.{name}", [each.name for each in view.type.inputs]
            yield wiring.unknown_socket(view, Endpoint(node.id, name), path, "data input", known)
        elif socket.secret and literal is not None and secret_name(literal) is None:
            path = f"nodes[{place}].inputs.{name}"
            yield from _check_value(wiring, literal, socket.type, path, f"{node.id}.{name}")
            yield warning(
                "plain-secret",
                path,
                f"Input {name!r} of {node.id!r} is for a secret, which stands in the graph for everybody to read.",
                'Name it, {"secret": "NAME"}, and let the host give it.',
            )
        elif not socket.secret and secret_name(literal) is not None and socket.type is str:
            yield error(
                "type-mismatch",
                f"nodes[{place}].inputs.{name}",
                f"Input {name!r} of {node.id!r} does not take secrets.",
                "Declare it as DataIn(str, secret=True) in the node type, or give it a text.",
                "A10",
            )
        elif literal is not None and type(literal) is not socket.type and not socket.secret:
            # None is a value for any input (D1)
            path = f"nodes[{place}].inputs.{name}"
            yield from _check_value(wiring, literal, socket.type, path, f"{node.id}.{name}")


def _check_required(
    wiring: Wiring, place: int, view: TypeView, fired: Collection[tuple[int, str]]
) -> Iterator[Problem]:
    """Something must be able to supply an input that has no default (D1)."""
    node = wiring.graph.nodes[place]
    first = wiring.place[node.id]  # where an id occurs twice, the wires of both are counted for the first
    for socket in view.required:
        key = (first, socket.name)
        supplied = key in wiring.supplied or key in wiring.meant or key in fired
        if socket.name not in node.inputs and not supplied:
            yield error(
                "missing-input",
                f"nodes[{place}].inputs.{socket.name}",
                f"Input {socket.name!r} of {node.id!r} has no wire, no literal and no default.",
                f"Wire it, or give it a literal of type {describe_type(socket.type)}.",
                "D1",
            )


def _check_named(
    wiring: Wiring, place: int, socket: DataIn[Any], what: str, names: Collection[str]
) -> Iterator[Problem]:
    """A literal that names a variable or an event names a declared one; a listener's is known beforehand (M5, B1)."""
    node, view = wiring.graph.nodes[place], wiring.views[place]
    path = f"nodes[{place}].inputs.{socket.name}"
    wired = (place, socket.name) in wiring.supplied
    if wired and view is not None and view.type.listens == socket.name:
        cure = "Give the name as a literal instead of a wire."
        message = f"{node.id!r} listens for an event that must be known before the run starts."
        yield error("wired-event-name", path, message, cure, "B1")
    # A wire hides the default, and it hides the literal until its source is unset (D1).
    value = node.inputs.get(socket.name, UNSET if wired else socket.default)
    if value is UNSET or (isinstance(value, str) and value in names):
        return
    if not isinstance(value, str) and value is not None and socket.type is str:
        return  # reported as a literal of the wrong type
    declared = sorted(names)
    shown = ", ".join(declared[:10]) + (f" and {len(declared) - 10} more" if len(declared) > 10 else "")
    yield error(
        f"undeclared-{what}",
        path,
        f"There is no {what} {value!r}.",
        f"Declare it in the graph, or name one of: {shown or 'none'}.{wiring.suggest(value, declared)}",
    )


def _check_stream(wiring: Wiring, place: int, view: TypeView, settings: StreamSettings) -> Iterator[Problem]:
    """Settings are for a node that has streams, and of known values (S2-S4)."""
    path = f"nodes[{place}].stream"
    if not view.type.streams:
        yield error("no-stream", path, f"{view.type.id} has no stream to set.", "Remove the setting.", "S2")
    limit: object = settings.limit
    if limit is not None and (type(limit) is not int or limit < 0):
        message = f"Expected a whole number of at least 0, got {limit!r}."
        yield error("bad-limit", f"{path}.limit", message, "Use 0 for any number of items in flight.", "S3")
    choices: tuple[tuple[str, object, tuple[str, ...], str], ...] = (
        ("mode", settings.mode, ("sequential", "concurrent"), "S2"),
        ("on_error", settings.on_error, ("fail", "collect"), "S4"),
    )
    for key, value, allowed, rule in choices:
        if value is not None and value not in allowed:
            expected = " or ".join(map(repr, allowed))
            cure = f"Use one of them.{wiring.suggest(value, allowed)}"
            yield error("bad-setting", f"{path}.{key}", f"Expected {expected}, got {value!r}.", cure, rule)


def _check_handled(wiring: Wiring, place: int, view: TypeView) -> Iterator[Problem]:
    """An exec output that must be handled leads somewhere (M5)."""
    first = wiring.place[wiring.graph.nodes[place].id]
    for socket in view.must_handle:
        if (first, socket.name) not in wiring.handled:
            yield warning(
                "unhandled-output",
                f"nodes[{place}]",
                f"Exec output {socket.name!r} of {wiring.name(place)} leads nowhere.",
                "Its type says that it should be handled: wire it.",
            )
