"""Lists of tasks, and tasks with tasks in them: each task is a node, and what follows it a wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any, cast

from trioflow.errors import did_you_mean
from trioflow.formats.serverless import shape
from trioflow.formats.serverless.calls import call, check_given, run_task
from trioflow.formats.serverless.draft import Draft, Made, TaskList, without_tasks
from trioflow.formats.serverless.expressions import escaped
from trioflow.formats.serverless.nodes.scopes import WIDE, WIDTH
from trioflow.formats.serverless.shape import Kind, read_fields, step
from trioflow.formats.serverless.trees import Tree, fields_of, get_in, items_in, object_of

KINDS = ("call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait")
"""The fields of which a task has one, which says what it does. A `for` has a `do` as well."""


_WORK: Mapping[str, str] = {each: f"serverless.{each}" for each in ("emit", "raise", "set", "wait")}
_FIELDS: Mapping[str, Mapping[str, Kind]] = {
    "call": {"call": shape.anything, "with": shape.anything},
    "do": {"do": shape.anything},
    "emit": {"emit": shape.EMIT},
    "for": {"for": shape.FOR, "while": shape.anything, "do": shape.anything},
    "fork": {"fork": shape.record({"branches": shape.anything, "compete": shape.flag}, "branches")},
    "listen": {"listen": shape.LISTEN, "foreach": shape.anything},
    "raise": {"raise": shape.RAISE},
    "run": {"run": shape.RUN},
    "set": {"set": shape.some(shape.strict_object)},
    "switch": {"switch": shape.listing(shape.anything)},
    "try": {"try": shape.anything, "catch": shape.record(shape.CATCH)},
    "wait": {"wait": shape.duration},
}


def make_list(draft: Draft, items: Any, around: TaskList, source: str | None) -> str | None:
    """Make nodes of a list of tasks, the first one behind `source`; gives the id of the first one."""
    if not isinstance(items, list):
        draft.reading.wrong(around.path, "a list of tasks", items)
        return None
    found: list[tuple[str, Any, int]] = []
    for index, item in enumerate(items):
        if isinstance(item, Mapping) and len(cast("Tree", item)) == 1:
            ((name, task),) = cast("Tree", item).items()
            found.append((name, task, index))
        else:
            draft.reading.wrong(step(around.path, index), "an object with one name and its task", item)
    made: list[Made | None] = [None] * len(found)
    places: dict[str, int] = {}
    for place, (name, task, index) in enumerate(found):
        path = step(step(around.path, index), name)
        if name in places:
            draft.notes.error("same-name", path, f"There are two tasks {name!r} in this list.")
        places.setdefault(name, place)
        pointer = f"{around.pointer}/{index}/{escaped(name)}"
        made[place] = make_extended(draft, name, task, pointer, path, around)
    siblings = {name: made[place] for name, place in places.items()}
    there = [(here, item) for here, item in zip(made, found, strict=True) if here is not None]
    for (here, (name, task, index)), after in zip_longest(there, there[1:]):
        path = step(step(around.path, index), name)
        lead_on(draft, here, task, path, around, siblings, after[0] if after is not None else None)
    if not there:
        return None
    first = there[0][0].first
    if source is not None:
        draft.wire(source, f"{first}.enter")
    return first


def lead_on(
    draft: Draft,
    here: Made,
    task: Tree,
    path: str,
    around: TaskList,
    siblings: Mapping[str, Made | None],
    following: Made | None,
) -> None:
    """The wires from a task to what follows it."""

    def lead(socket: str, directive: Any, at: str) -> None:
        to = target_of(draft, directive, at, around, siblings, following)
        if to is not None:
            draft.wire(f"{here.last}.{socket}", f"{to}.enter")

    lead("then", task.get("then"), step(path, "then"))
    if "if" in task:
        lead("skipped", None, path)
    for number, item in enumerate(items_in(task.get("switch")), 1):
        for name, case in fields_of(item):
            at = step(step(step(path, "switch"), number - 1), name)
            lead(f"case_{number}", get_in(case, "then"), step(at, "then"))


def target_of(
    draft: Draft,
    directive: Any,
    at: str,
    around: TaskList,
    siblings: Mapping[str, Made | None],
    following: Made | None,
) -> str | None:
    """The node to which a directive leads; None where it only comes back to the task around."""
    if directive is None or directive == "continue":
        return following.first if following is not None else None
    if directive == "exit":
        return draft.add("serverless.exit", "exit", {}) if around.before else None
    if directive == "end":
        return None if around.is_outermost else draft.add("serverless.end", "end", {})
    if not isinstance(directive, str):
        return None  # said already
    there = siblings.get(directive)
    if directive not in siblings:
        near = did_you_mean(directive, siblings)
        draft.notes.error("unknown-name", at, f"There is no task {directive!r} in this list.{near}")
    return there.first if there is not None else None


def make_extended(draft: Draft, name: str, task: Any, pointer: str, path: str, around: TaskList) -> Made | None:
    """A task, with what extensions do around it."""
    if not isinstance(task, Mapping):
        draft.reading.wrong(path, "a task", task)
        return None
    described = cast("Tree", task)
    kind = kind_of(draft, described, path)
    if kind is None:
        return None
    extensions = [] if around.in_extension else extensions_of(draft, kind)
    if not extensions:
        return make_task(draft, name, described, kind, pointer, path, around)
    outer: Made | None = None
    inside = ""
    for place, (extension, pointer_of, path_of) in extensions:
        definition = {
            "task": {**without_tasks(described), "name": name},
            **{key: extension[key] for key in ("when",) if key in extension},
        }
        node = draft.add("serverless.extended", f"{place} around {name}", {"task": definition, "reference": pointer})
        if inside:
            draft.wire(f"{inside}.tasks", f"{node}.enter")
        outer = outer or Made(node, node)
        inside = node
        for key in ("before", "after"):
            if key in extension:
                part = TaskList(
                    f"{pointer_of}/{key}",
                    step(path_of, key),
                    frozenset(),
                    in_extension=True,
                    before=key == "before",
                )
                make_list(draft, extension[key], part, f"{node}.{key}")
    innermost = make_task(draft, name, described, kind, pointer, path, around)
    if innermost is not None:
        draft.wire(f"{inside}.tasks", f"{innermost.first}.enter")
    return outer


def kind_of(draft: Draft, task: Tree, path: str) -> str | None:
    """The field that says what a task does; None where that is none or several."""
    has = [kind for kind in KINDS if kind in task and not (kind == "do" and "for" in task)]
    if len(has) == 1:
        return has[0]
    got = ", ".join(has) if has else ", ".join(map(str, task)) or "nothing"
    near = "" if has else next(filter(None, (did_you_mean(str(key), KINDS) for key in task)), "")
    draft.notes.error("unknown-task", path, f"A task has exactly one of {', '.join(KINDS)}, got {got}.{near}")
    return None


def extensions_of(draft: Draft, kind: str) -> list[tuple[str, tuple[Tree, str, str]]]:
    """The extensions of tasks of a kind, with where they stand."""
    found: list[tuple[str, tuple[Tree, str, str]]] = []
    for index, item in enumerate(items_in(draft.use.get("extensions"))):
        for name, extension in fields_of(item):
            extends = cast("Tree", extension).get("extend") if isinstance(extension, Mapping) else None
            if extends in (kind, "all") or (extends == "composite" and kind in ("do", "fork")):
                path = step(step("use.extensions", index), name)
                found.append((name, (cast("Tree", extension), f"/use/extensions/{index}/{escaped(name)}", path)))
    return found


def make_task(draft: Draft, name: str, task: Tree, kind: str, pointer: str, path: str, around: TaskList) -> Made | None:
    """Make the nodes of a task."""
    names = around.names
    fields: dict[str, Kind] = {**shape.TASK, **_FIELDS[kind]}
    # What follows `in` sees the variables of the loop, and so does its own condition.
    if not read_fields(draft.reading, task, path, names, fields, (kind,)):
        return None
    if kind != "switch" and draft.has_body(name):
        node = draft.delegated(draft.unique(name), "serverless.answered", f"{name}.task", task, pointer)
        return Made(node, node)
    make = _MAKERS.get(kind)
    made: str | None
    if make is not None:
        made = make(draft, name, task, pointer, path, around)
    else:
        made = draft.add(_WORK[kind], name, {"task": without_tasks(task), "reference": pointer})
    return Made(made, made) if made is not None else None


def _do(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str:
    """A task that does a list of tasks."""
    node = draft.add_task("serverless.do", name, task, pointer)
    make_list(draft, task["do"], inside_of(draft, around, f"{pointer}/do", step(path, "do")), f"{node}.tasks")
    return node


def inside_of(draft: Draft, around: TaskList, pointer: str, path: str, *names: Any) -> TaskList:
    """The list of tasks in a task."""
    more = frozenset(each for each in names if isinstance(each, str))
    return TaskList(pointer, path, around.names | more, in_extension=around.in_extension)


def _for(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str | None:
    loop = cast("Tree", task["for"]) if isinstance(task["for"], Mapping) else {}
    node = draft.add_task("serverless.for", name, task, pointer)
    inside = inside_of(
        draft, around, f"{pointer}/do", step(path, "do"), loop.get("each", "item"), loop.get("at", "index")
    )
    if "while" in task:
        shape.loose(draft.reading, task["while"], step(path, "while"), inside.names)
    if "do" not in task:
        draft.notes.error("missing-field", path, "The field 'do' is missing.")
        return node
    make_list(draft, task["do"], inside, f"{node}.tasks")
    return node


def _try(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str:
    node = draft.add_task("serverless.try", name, task, pointer)
    make_list(draft, task["try"], inside_of(draft, around, f"{pointer}/try", step(path, "try")), f"{node}.tasks")
    at = step(path, "catch")
    if not isinstance(task.get("catch"), Mapping):
        draft.reading.wrong(at, "an object with errors, as, retry or do", task.get("catch"))
        return node
    catch = cast("Tree", task["catch"])
    inside = inside_of(draft, around, f"{pointer}/catch/do", step(at, "do"), catch.get("as", "error"))
    for key in ("when", "exceptWhen"):
        if key in catch:
            shape.loose(draft.reading, catch[key], step(at, key), inside.names)
    if "retry" in catch:
        kind = shape.referable("retries", shape.retry)
        kind(draft.reading, catch["retry"], step(at, "retry"), inside.names)
    if "do" in catch:
        make_list(draft, catch["do"], inside, f"{node}.catch")
    return node


def _fork(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str | None:
    fork = cast("Tree", task["fork"]) if isinstance(task["fork"], Mapping) else {}
    branches = fork.get("branches", [])
    at = step(step(path, "fork"), "branches")
    count = len(items_in(branches))
    if count > WIDE:
        draft.notes.error("too-many", at, f"A fork has at most {WIDE} branches here, got {count}.")
        return None
    if count == 0:
        draft.notes.error("missing-field", at, "A fork needs a list with at least one branch.")
        return None
    node = draft.add_task("serverless.fork" if count <= WIDTH else "serverless.wide_fork", name, task, pointer)
    for index, item in enumerate(items_in(branches)):
        # Each branch is a list of one task, so that what follows in the list does not follow it.
        one = inside_of(draft, around, f"{pointer}/fork/branches", at)
        first = _branch(draft, item, index, one)
        if first is not None:
            draft.wire(f"{node}.branch_{index + 1}", f"{first.first}.enter")
            draft.wire(f"{first.last}.output", f"{node}.result_{index + 1}")
    return node


def _branch(draft: Draft, item: Any, index: int, around: TaskList) -> Made | None:
    path = step(around.path, index)
    if not isinstance(item, Mapping) or len(cast("Tree", item)) != 1:
        draft.reading.wrong(path, "an object with one name and its task", item)
        return None
    ((name, task),) = cast("Tree", item).items()
    path = step(path, name)
    made = make_extended(draft, name, task, f"{around.pointer}/{index}/{escaped(name)}", path, around)
    if made is not None:
        lead_on(draft, made, cast("Tree", task), path, around, {name: made}, None)
    return made


def _switch(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str | None:
    cases = items_in(task["switch"])
    at = step(path, "switch")
    if not cases or len(cases) > WIDE:
        draft.notes.error("too-many" if cases else "missing-field", at, f"A switch has 1 to {WIDE} cases here.")
        return None
    for index, item in enumerate(cases):
        if not isinstance(item, Mapping) or len(cast("Tree", item)) != 1:
            draft.reading.wrong(step(at, index), "an object with one name and its case", item)
            return None
        ((case, described),) = cast("Tree", item).items()
        read_fields(draft.reading, described, step(step(at, index), case), around.names, shape.CASE, ("then",))
        if not isinstance(described, Mapping):
            return None
    return draft.add_task("serverless.switch" if len(cases) <= WIDTH else "serverless.wide_switch", name, task, pointer)


def _listen(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str:
    node = draft.add_task("serverless.listen", name, task, pointer, emits=draft.emits)
    if "foreach" in task:
        at = step(path, "foreach")
        each = cast("Tree", task["foreach"]) if isinstance(task["foreach"], Mapping) else {}
        inside = inside_of(
            draft, around, f"{pointer}/foreach/do", step(at, "do"), each.get("item", "item"), each.get("at", "index")
        )
        read_fields(draft.reading, task["foreach"], at, inside.names, shape.FOREACH)
        if "do" in each:
            make_list(draft, each["do"], inside, f"{node}.tasks")
    return node


def _call(draft: Draft, name: str, task: Tree, pointer: str, path: str, around: TaskList) -> str | None:
    called = task["call"]
    if (
        isinstance(called, str)
        and called not in {"http", "openapi"}
        and called in object_of(draft.use.get("functions"))
    ):
        check_given(draft, task, path, around)
        return _function(draft, name, called, task, pointer, path)
    return call(draft, name, task, pointer, path, around)


def _function(draft: Draft, name: str, called: str, task: Tree, pointer: str, path: str) -> str | None:
    if called in draft.calling:
        draft.notes.error("circle", step(path, "call"), f"The function {called!r} calls itself.")
        return None
    node = draft.add_task("serverless.function", name, task, pointer)
    draft.calling.append(called)
    around = TaskList("/use/functions", "use.functions", frozenset())
    body = make_extended(
        draft,
        f"{name}: {called}",
        draft.use["functions"][called],
        f"/use/functions/{escaped(called)}",
        step("use.functions", called),
        around,
    )
    draft.calling.pop()
    if body is not None:
        draft.wire(f"{node}.tasks", f"{body.first}.enter")
    return node


_MAKERS: Mapping[str, Callable[[Draft, str, Tree, str, str, TaskList], str | None]] = {
    "call": _call,
    "do": _do,
    "for": _for,
    "fork": _fork,
    "listen": _listen,
    "run": run_task,
    "switch": _switch,
    "try": _try,
}
