"""Templates: the bodies of a graph's nodes, put together when each is first needed.

From the inside out: the node's own code, the resolution of its inputs (D7), its forks (F2); around them come the
middlewares. A node that needs none of these is called directly.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trioflow.model.graph import StreamSettings
from trioflow.model.node_type import Node, NodeType
from trioflow.runtime.base.records import GraphFrame, RunState
from trioflow.runtime.bodies.instance import first_alone, first_resolving
from trioflow.runtime.bodies.kind import Body
from trioflow.runtime.bodies.kinds import kind_of
from trioflow.runtime.bodies.life import is_living
from trioflow.semantics.plan import Plan, PlanNode

if TYPE_CHECKING:
    from trioflow.runtime.wrapping.invocation import Wrapper


class Template:
    """The bodies of a graph's nodes, as all frames start with them.

    Functions and calls have the same body in all frames. Instances of classes belong to a frame, and are made where
    they are first needed; but for classes that are `living`, which may do something when they are made, set up or torn
    down: theirs are made when the frame is.
    """

    __slots__ = ("_middlewares", "_settings", "bodies", "living")

    def __init__(
        self, plan: Plan, middlewares: Mapping[int, Sequence[Wrapper]], settings: Mapping[int, StreamSettings]
    ) -> None:
        self._middlewares = middlewares
        self._settings = settings
        # Decided once for each type: a graph has many nodes of few types.
        types = {node.type for node in plan.nodes}
        living = {each for each in types if is_living(each)}
        self.living: Sequence[PlanNode] = [node for node in plan.nodes if node.type in living] if living else []
        starts = {each: _first_body(each) for each in types}
        self.bodies: list[Body | None] = [starts[node.type] for node in plan.nodes]
        for node in plan.nodes:
            if node.to_resolve and node.type.is_exec and self.bodies[node.index] is first_alone:
                self.bodies[node.index] = first_resolving
        for index in middlewares:
            self.bodies[index] = first

    def body(self, node: PlanNode, instance: Node | None) -> Body:
        """The body of a node, with the middlewares around it."""
        middlewares = self._middlewares.get(node.index, ())
        body = kind_of(node.type).make(node, instance, self._settings.get(node.index), bool(middlewares))
        if not middlewares:
            return body
        from trioflow.runtime.wrapping.invocation import wrapped  # noqa: PLC0415 - most graphs have no middleware

        return wrapped(node, body, middlewares)

    def alone(self, node: PlanNode, frame: GraphFrame) -> Body:
        """The body of a node with inputs of its own, which a middleware fires (A4)."""
        return self.body(node, _instance(node, frame))

    def start(self, frame: GraphFrame, run: RunState) -> None:
        """Start the frame of a graph that is called."""
        start(frame, run)


def _first_body(node_type: NodeType) -> Body | None:
    """What nodes of a type have for a body at first; None if they are not dispatched, or calling a function will do."""
    kind = kind_of(node_type)
    if kind.plain(node_type):
        return None
    return first_alone if kind.has_instance and not node_type.streams else first


def _instance(node: PlanNode, frame: GraphFrame) -> Node | None:
    """The instance of a node in this frame, which is made now if it is not there; None for kinds without any."""
    if not kind_of(node.type).has_instance:
        return None
    instance: Node | None = frame.instances[node.index]
    if instance is None:
        cls: Any = node.type.body
        instance = frame.instances[node.index] = cls()
    return instance


def first(context: Any) -> Coroutine[Any, Any, Any]:
    """The body of a node that was not needed yet."""
    node: PlanNode = context.plan
    frame: GraphFrame = context.strand.frame
    template = frame.template
    instance = _instance(node, frame)
    body: Body = template.body(node, instance)
    frame.bodies[node.index] = body
    if instance is None:
        template.bodies[node.index] = body
    return body(context)


def _template_of(plan: Plan, run: RunState, prefix: str) -> Template:
    """The template of a graph in a run. It is made once for all runs, and once more for each that adds to it.

    And once more for each graph in which something is addressed by the name of a node there (A1).
    """
    template: Any
    if run.wraps is None:
        template = plan.cache.get("template")
        if template is None:
            template = plan.cache["template"] = Template(plan, {}, {})
        return template  # type: ignore[no-any-return]
    key = (plan, prefix if prefix in run.wraps.prefixes else None)
    template = run.templates.get(key)
    if template is None:
        template = run.templates[key] = Template(plan, *run.wraps.within(plan, prefix))
    return template  # type: ignore[no-any-return]


def start(frame: GraphFrame, run: RunState) -> None:
    """Give a frame the bodies that it starts with."""
    template = frame.template = _template_of(frame.plan, run, frame.prefix)
    frame.bodies = template.bodies.copy()
    frame.instances = [None] * len(frame.bodies)
