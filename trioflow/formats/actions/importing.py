"""From a workflow of GitHub Actions to a workflow here: jobs and steps are nodes, `needs` are wires.

A job fires when all that it needs has ended, whatever came of it: what it makes of that, its condition says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats.actions.called import as_called, declared, opened, problems_of
from trioflow.formats.actions.expressions import CONTEXTS, BadExpression, Tree, inside, parse, unwrapped
from trioflow.formats.actions.nodes import JOB_ENV, job_variable
from trioflow.formats.actions.shape import EVENTS, FIELDS
from trioflow.formats.fields import short
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.formats.port import Document, Imported, Notes
from trioflow.formats.shapes import mismatches
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, Variable

KEY = "actions"
"""The key in metadata of what an import keeps."""

_TOP = {
    "name",
    "run-name",
    "on",
    "true",
    "permissions",
    "env",
    "defaults",
    "concurrency",
    "jobs",
}  # YAML reads on as true
_JOB = {"name", "permissions", "needs", "if", "runs-on", "environment", "concurrency", "outputs", "env", "defaults",
        "steps", "timeout-minutes", "strategy", "continue-on-error", "container", "services", "uses", "with",
        "secrets"}  # fmt: skip
_STEP = {"id", "if", "name", "uses", "run", "working-directory", "shell", "with", "env", "continue-on-error",
         "timeout-minutes"}  # fmt: skip
_LEFT_OUT = {"container": "its steps run on this machine", "services": "no services are started",
             "environment": "there are no environments", "concurrency": "every run goes ahead",
             "permissions": "there are none here"}  # fmt: skip
_NOTHING = {"actions/checkout": "the files of the working folder are there already",
            "actions/cache": "nothing is cached"}  # fmt: skip
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "name": str, "if": (str, bool, int), "env": dict, "outputs": dict, "steps": list, "strategy": (dict, str),
    "timeout-minutes": (int, float, str), "continue-on-error": (bool, str), "run": str, "uses": str, "id": str,
    "working-directory": str, "shell": str, "with": dict, "defaults": dict, "needs": (str, list),
}  # fmt: skip
_FIELDS: Mapping[str, tuple[str, ...]] = {"needs": ("outputs", "result"), "steps": ("outputs", "outcome", "conclusion")}
"""What there is of a job that is needed, and of a step."""
_WORDS: Mapping[Any, str] = {str: "a text", bool: "true or false", int: "a number", float: "a number",
                             dict: "a mapping", list: "a list"}  # fmt: skip


def import_tree(tree: Any, document: Document | None = None) -> Imported:
    """The workflow that a document says, with those that it calls. Raises `DocumentError` for what has no jobs.

    Workflows of the same repository are found beside the document.
    """
    document = document or Document("<document>", "")
    return _Importer(_with_jobs(tree, document.name), document).imported()


def _with_jobs(tree: Any, source: str) -> dict[str, Any]:
    if not isinstance(tree, dict) or not isinstance(tree.get("jobs"), dict) or not tree["jobs"]:
        raise DocumentError(source, ["there are no `jobs` in it: a mapping of ids to jobs."])
    return cast("dict[str, Any]", tree)


class _Importer:
    def __init__(self, tree: dict[str, Any], document: Document, around: tuple[Path, ...] = ()) -> None:
        self._tree, self._document, self._around = tree, document, around
        self._notes = Notes()
        self._nodes: list[GraphNode] = []
        self._wires: list[Connection] = []
        self._jobs: dict[str, Any] = {}
        self._needs: dict[str, list[str]] = {}
        self._graphs: dict[str, Graph] = {}
        """The workflows that jobs call, by the jobs."""

    def imported(self) -> Imported:
        self._known("", self._tree, _TOP)
        for name in ("concurrency", "permissions"):
            self._left_out("", self._tree, name)
        self._shaped("", self._tree)
        self._events()
        for id_, job in self._tree["jobs"].items():
            if isinstance(job, dict):
                self._jobs[id_] = self._typed(f"jobs.{id_}", job)
                self._shaped(f"jobs.{id_}", self._jobs[id_])
            else:
                self._notes.error(
                    "wrong-type", f"jobs.{id_}", f"A job is a mapping, got {short(job)}.", "Give it steps."
                )
        self._read_needs()
        for id_, job in self._jobs.items():
            self._job(id_, job)
        self._end = end = "conclusion" if "conclusion" not in self._jobs else "conclusion of all"
        self._nodes.append(GraphNode(end, "actions.conclusion", {"jobs": [*self._jobs]}))
        self._wires += (Connection(Endpoint(each), Endpoint(end, "enter"), on="ended") for each in self._jobs)
        called = self._tree.get("name")
        graph = Graph(
            kind="workflow",
            on_error="collect",
            nodes=tuple(self._nodes),
            connections=self._wires,
            variables=[*self._variables()],
            graphs=self._graphs,
            metadata={KEY: {"name": called if isinstance(called, str) else ""}},
        )
        return Imported(graph, tuple(self._notes))

    def _variables(self) -> Iterator[Variable]:
        env = self._tree.get("env")
        yield Variable("env", default=_plain_texts(env) if isinstance(env, dict) else {})
        event = {"event_name": "workflow_dispatch", "ref": "refs/heads/main", "ref_name": "main", "event": {}}
        yield Variable("github", default=event)
        yield Variable("inputs", default=self._inputs())
        for name in ("vars", "secrets"):
            yield Variable(name, default={})
        for name in ("matrix", "steps", "needs", "outputs", JOB_ENV):  # each job begins with its own
            yield Variable(name, default={}, merge="union")
        yield Variable("used")
        for each in self._jobs:
            yield Variable(job_variable(each))

    def _inputs(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        events = self._tree.get("on", self._tree.get("true"))
        for event in ("workflow_dispatch", "workflow_call"):
            said: Any = events.get(event) if isinstance(events, dict) else None
            inputs: Any = said.get("inputs") if isinstance(said, dict) else None
            for name, each in inputs.items() if isinstance(inputs, dict) else ():
                found[name] = each.get("default") if isinstance(each, dict) else None
        return found

    # --- jobs ---

    def _read_needs(self) -> None:
        for id_, job in self._jobs.items():
            needs: Any = job.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            self._needs[id_] = []
            for index, each in enumerate(needs):
                path = f"jobs.{id_}.needs[{index}]" if isinstance(job["needs"], list) else f"jobs.{id_}.needs"
                if isinstance(each, str) and each in self._jobs:
                    self._needs[id_].append(each)
                else:
                    near = did_you_mean(str(each), self._jobs)
                    self._notes.error(
                        "unknown-job", path, f"There is no job {each!r}.{near}", "Name a job of the document."
                    )
        for id_ in self._jobs:
            if id_ in self._ancestors(id_):
                self._notes.error("circle", f"jobs.{id_}.needs", f"The job {id_!r} needs itself.",
                                  "Jobs can't wait for one another.")  # fmt: skip

    def _ancestors(self, id_: str) -> list[str]:
        found: dict[str, None] = {}
        todo = [*self._needs[id_]]
        while todo:
            each = todo.pop()
            if each not in found:
                found[each] = None
                todo += self._needs[each]
        return [*found]

    def _job(self, id_: str, job: dict[str, Any]) -> None:
        path = f"jobs.{id_}"
        self._known(path, job, _JOB)
        for name in ("container", "services", "environment", "concurrency", "permissions"):
            self._left_out(path, job, name)
        reads = {"needs": {*self._needs[id_]}}
        self._condition(f"{path}.if", job.get("if"), reads)
        for name in ("env", "strategy", "timeout-minutes", "continue-on-error"):
            self._texts(f"{path}.{name}", job.get(name), reads)
        names = ("if", "env", "strategy", "timeout-minutes", "continue-on-error")
        kept: dict[str, Any] = {each: job[each] for each in names if each in job}
        said: dict[str, Any] = {**kept, "id": id_, "needs": self._needs[id_], "ancestors": self._ancestors(id_)}
        self._nodes.append(
            GraphNode(id_, "actions.job", {"job": said}, metadata={KEY: {"name": str(job.get("name", ""))}})
        )
        self._wires += (Connection(Endpoint(each), Endpoint(id_, "enter"), on="ended") for each in self._needs[id_])
        if "uses" in job:
            self._called(id_, job)
            return
        steps = job.get("steps")
        if not steps:
            self._notes.error("no-steps", path, f"The job {id_!r} has no steps.", "Give it `steps`, a list.")
            steps = []
        self._steps(id_, job, steps, reads)

    def _called(self, id_: str, job: dict[str, Any]) -> None:
        """A job that is another workflow: one of the same repository is read, of others the host says what they do."""
        inner, path, uses = f"{id_} (called)", f"jobs.{id_}.uses", str(job["uses"])
        for name in ("with", "secrets"):
            self._texts(f"jobs.{id_}.{name}", job.get(name), {"needs": {*self._needs[id_]}})
        read = self._read_called(id_, job, uses) if uses.startswith("./") else None
        if read is not None:
            self._graphs[id_] = read
            node = GraphNode(inner, f"graph:{id_}", set={"outputs": "out.outputs"})
        else:
            if not uses.startswith("./"):
                self._notes.error("no-body", path, f"The workflow {uses!r} is not read.",
                                  f"Say what does it: {body_for(inner)}", node=inner)  # fmt: skip
            sockets = Sockets(inputs={"given": "any"}, outputs={"outputs": "any"})
            node = placeholder(inner, "actions.workflow", sockets=sockets, set={"outputs": "out.outputs"})
        gate = f"{id_} (call)"
        said = {name: job[name] for name in ("with", "secrets") if name in job}
        self._nodes += [GraphNode(gate, "actions.call", {"job": said}), node]
        self._wires += [
            Connection(Endpoint(id_, "body"), Endpoint(gate, "enter")),
            Connection(Endpoint(gate, "then"), Endpoint(inner, "enter")),
            Connection(Endpoint(gate, "given"), Endpoint(inner, "given")),
        ]

    def _read_called(self, id_: str, job: dict[str, Any], uses: str) -> Graph | None:
        """The workflow of a file in the same repository; None if it can't be called, which is said."""
        path, inner = f"jobs.{id_}.uses", f"{id_} (called)"
        here = self._document.path
        try:
            document = opened(uses, self._document, self._around)
            around = self._around if here is None else (*self._around, here.resolve())
            other = _Importer(_with_jobs(document.tree, document.name), document, around)
            read = other.imported()
        except DocumentError as error:
            cure = f"Correct the path, or say what does it: {body_for(inner)}"
            for problem in error.problems:
                self._notes.error("not-read", path, f"The workflow {uses!r} is not read: {problem}", cure, node=inner)
            return None
        call = declared(other._tree)
        if call is None:
            self._notes.error("not-called", path, f"{uses!r} is not to be called.",
                              "Add the event workflow_call to its `on`.", node=inner)  # fmt: skip
            return None
        for each in read.diagnostics:
            self._notes.add(
                attrs.evolve(each, path=path, message=f"{uses}, {each.path}: {each.message}", position=None)
            )
        given: Any = job.get("with")
        for place, message in problems_of(call, given if isinstance(given, dict) else {}, job.get("secrets")):
            self._notes.error("bad-call", f"jobs.{id_}.{place}", message, "Give what it declares.")
        roots = [each for each in other._jobs if not other._needs[each]]
        return as_called(read.graph, other._end, roots, call)

    # --- steps ---

    def _steps(self, id_: str, job: dict[str, Any], steps: list[Any], reads: dict[str, set[str]]) -> None:
        before = Endpoint(id_, "body")
        defaults: Any = job.get("defaults") or self._tree.get("defaults")
        runs: Any = defaults.get("run") if isinstance(defaults, dict) else None
        reads = {**reads, "steps": set[str]()}
        for index, step in enumerate(steps):
            path = f"jobs.{id_}.steps[{index}]"
            if not isinstance(step, dict):
                self._notes.error(
                    "wrong-type", path, f"A step is a mapping, got {short(step)}.", "Give it `run` or `uses`."
                )
                continue
            said = self._typed(path, step)
            self._shaped(path, said)
            node = self._step(id_, path, index, said, runs if isinstance(runs, dict) else {}, reads)
            on: Any = "completed" if before.socket else "ended"
            self._wires.append(Connection(before, Endpoint(node, "enter"), on=on))
            before = Endpoint(node)
        outputs = job.get("outputs", {})
        self._texts(f"jobs.{id_}.outputs", outputs, reads)
        end = f"{id_} (end)"
        self._nodes.append(GraphNode(end, "actions.end", {"outputs": outputs} if outputs else {}))
        on = "completed" if before.socket else "ended"
        self._wires.append(Connection(before, Endpoint(end, "enter"), on=on))

    def _step(
        self, job: str, path: str, index: int, step: dict[str, Any], runs: dict[str, Any], reads: dict[str, set[str]]
    ) -> str:
        """The nodes of a step; the id of the one that control enters."""
        self._known(path, step, _STEP)
        own = str(step.get("id") or "")
        if own in reads["steps"]:
            self._notes.error(
                "duplicate-id", f"{path}.id", f"There is another step {own!r} in this job.", "Rename one."
            )
            own = ""
        id_ = f"{job}/{own or index + 1}"
        self._condition(f"{path}.if", step.get("if"), reads)
        for name in ("env", "run", "with", "working-directory", "continue-on-error", "timeout-minutes", "name"):
            self._texts(f"{path}.{name}", step.get(name), reads)
        reads["steps"].add(own or f"__{index}")
        name = str(step.get("name") or step.get("uses") or str(step.get("run", "")).strip().partition("\n")[0] or id_)
        said = {**{key: each for key, each in step.items() if key in _STEP}, "id": own or f"__{index}", "name": name}
        metadata = {KEY: {"name": name}}
        if "run" in step and "uses" not in step:
            for key in ("shell", "working-directory"):
                if key in runs:
                    said.setdefault(key, runs[key])
            self._nodes.append(GraphNode(id_, "actions.run", {"step": said}, metadata=metadata))
            return id_
        if ("run" in step) == ("uses" in step):
            self._notes.error("no-work", path, f"The step {name!r} has {'both' if 'run' in step else 'neither'} `run` "
                              f"{'and' if 'run' in step else 'nor'} `uses`.", "Give it one of them.")  # fmt: skip
        uses = str(step.get("uses", ""))
        action = uses.partition("@")[0]
        if action in _NOTHING or not uses:
            if uses:
                self._notes.info("nothing-to-do", f"{path}.uses", f"{action}: {_NOTHING[action]}.")
            self._nodes.append(GraphNode(id_, "actions.nothing", {"step": said}, metadata=metadata))
            return id_
        gate = f"{id_} (step)"
        self._notes.error("no-body", f"{path}.uses", f"The action {uses!r} is not known here.",
                          f"Say what does it: {body_for(id_)}", node=id_)  # fmt: skip
        self._nodes.append(GraphNode(gate, "actions.uses", {"step": said}, metadata=metadata))
        type_ = f"actions.unknown_{re.sub(r'[^a-z0-9]+', '_', action.lower()).strip('_') or 'action'}"
        sockets = Sockets(inputs={"given": "any"}, outputs={"outputs": "any"})
        self._nodes.append(placeholder(id_, type_, sockets=sockets, set={"used": "out.outputs"}, metadata=metadata))
        self._wires.append(Connection(Endpoint(gate, "body"), Endpoint(id_, "enter")))
        self._wires.append(Connection(Endpoint(gate, "given"), Endpoint(id_, "given")))
        return gate

    # --- what is written ---

    def _known(self, path: str, said: dict[str, Any], known: set[str]) -> None:
        for key in said:
            if key not in known:
                near = did_you_mean(key, known)
                self._notes.error("unknown-key", f"{path}.{key}" if path else key, f"{key!r} is not known there.{near}",
                                  "Rename it, or leave it out.")  # fmt: skip

    def _left_out(self, path: str, said: dict[str, Any], name: str) -> None:
        if name in said:
            self._notes.warning(
                "left-out", f"{path}.{name}" if path else name, f"`{name}` is left out: {_LEFT_OUT[name]}."
            )

    def _typed(self, path: str, said: dict[str, Any]) -> dict[str, Any]:
        """Without what is of a type that it can't be, which is said."""
        found: dict[str, Any] = {}
        for key, value in said.items():
            wanted = _TYPES.get(key)
            if value is None and wanted is not None:
                continue
            if wanted is not None and not isinstance(value, wanted):
                words = [*dict.fromkeys(_WORDS[each] for each in (wanted if isinstance(wanted, tuple) else (wanted,)))]
                wants = f"`{key}` is {' or '.join(words)}"
                self._notes.error("wrong-type", f"{path}.{key}", f"{wants}, got {short(value)}.", "Write it so.")
                continue
            found[key] = value
        return found

    def _shaped(self, path: str, said: dict[str, Any]) -> None:
        """Say what is of another type deep in the fields of a workflow, a job or a step."""
        for place, message in mismatches(said, FIELDS, path, lambda text: "${{" in text):
            self._notes.error("wrong-type", place, message, "Write it so, or leave it out.")

    def _events(self) -> None:
        """Say which events are none that could start a workflow: a slip of the pen, most likely."""
        key = "on" if "on" in self._tree else "true"
        events = self._tree.get(key)
        events = [events] if isinstance(events, str) else events
        for index, each in enumerate(events if isinstance(events, list | dict) else ()):
            if each not in EVENTS:
                path = f"{key}.{each}" if isinstance(events, dict) else f"{key}[{index}]"
                near = did_you_mean(str(each), EVENTS)
                self._notes.warning("unknown-event", path, f"There is no event {each!r} that starts a workflow.{near}")

    def _condition(self, path: str, said: Any, reads: Mapping[str, set[str]]) -> None:
        if isinstance(said, str) and said.strip():
            self._expression(path, unwrapped(said), reads)

    def _texts(self, path: str, said: Any, reads: Mapping[str, set[str]]) -> None:
        """All expressions in texts, however deep they stand."""
        todo: list[tuple[str, Any]] = [(path, said)]
        while todo:
            where, value = todo.pop()
            if isinstance(value, str):
                for each in inside(value):
                    self._expression(where, each, reads)
                if value.count("${{") > len(inside(value)):
                    self._notes.error("bad-expression", where, "An expression is not closed.", "End it with }}.")
            elif isinstance(value, dict):
                todo += [(f"{where}.{key}", each) for key, each in cast("dict[str, Any]", value).items()]
            elif isinstance(value, list):
                todo += [(f"{where}[{index}]", each) for index, each in enumerate(value)]

    def _expression(self, path: str, text: str, reads: Mapping[str, set[str]]) -> None:
        try:
            tree = parse(text)
        except BadExpression as problem:
            known = f"There are the contexts {', '.join(sorted(CONTEXTS))}." if "no context" in str(problem) else ""
            self._notes.error("bad-expression", path, f"The expression {text.strip()!r}: {problem}", known)
            return
        self._not_there(path, tree, reads)

    def _not_there(self, path: str, tree: Tree, reads: Mapping[str, set[str]]) -> None:
        for context, *rest in tree.reads():
            if context in reads and rest and rest[0] not in reads[context]:
                what = "needed by this job" if context == "needs" else "the id of a step before this one"
                cure = did_you_mean(rest[0], reads[context]).strip()
                if context == "needs" and rest[0] in self._jobs:
                    cure = f"Add {rest[0]!r} to the `needs` of the job."
                self._notes.warning(
                    "not-there", path, f"{rest[0]!r} is not {what}, so `{context}.{rest[0]}` is null.", cure
                )
            elif context in reads and len(rest) > 1:
                self._not_in(path, context, *rest)

    def _not_in(self, path: str, context: str, id_: str, field: str, *rest: str) -> None:
        """Say what a job or a step does not have, of which something is read."""
        if field not in _FIELDS[context]:
            message = f"`{context}.{id_}` has no {field!r}, so it is null: it has {', '.join(_FIELDS[context])}."
            self._notes.warning("not-there", path, message, did_you_mean(field, _FIELDS[context]).strip())
        elif context == "needs" and field == "outputs" and rest and "uses" not in self._jobs.get(id_, {"uses": ""}):
            known = self._jobs[id_].get("outputs", {})
            if rest[0] not in known:
                message = f"The job {id_!r} has no output {rest[0]!r}, so it is null."
                near = did_you_mean(rest[0], known).strip() or f"Add it to the `outputs` of the job {id_!r}."
                self._notes.warning("not-there", path, message, near)


def _plain_texts(env: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in env.items()}
