"""Twenty graphs as users of LangGraph write them: what each is given, and what state it leaves."""

from __future__ import annotations

import dataclasses
import operator
from typing import Annotated, Literal, TypedDict

from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send


class State(TypedDict, total=False):
    x: int
    topic: str
    log: Annotated[list, operator.add]
    total: Annotated[int, operator.add]


def logs(name, **more):
    def node(state):
        return {"log": [name], **more}

    return node


def chain(*names, **functions):
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, functions.get(name, logs(name)))
    for source, target in zip((START, *names), (*names, END), strict=True):
        builder.add_edge(source, target)
    return builder


def fan(*edges, nodes="abcd"):
    builder = StateGraph(State)
    for name in nodes:
        builder.add_node(name, logs(name))
    for source, target in edges:
        builder.add_edge(source, target)
    return builder


def one():
    return chain("hello"), {}, {"log": ["hello"]}


def three():
    return chain("a", "b", "c"), {"log": ["in"]}, {"log": ["in", "a", "b", "c"]}


def counts():
    add = lambda state: {"x": state["x"] + 1, "total": 5}
    return chain("a", "b", a=add, b=add), {"x": 1}, {"x": 3, "total": 10, "log": []}


def keeps_what_nobody_writes():
    return chain("a"), {"topic": "cats"}, {"topic": "cats", "log": ["a"]}


def returns_nothing():
    return chain("a", "b", a=lambda state: None), {}, {"log": ["b"]}


def diamond():
    return (
        fan((START, "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", END)),
        {},
        {"log": ["a", "b", "c", "d"]},
    )


def two_starts():
    return fan((START, "a"), (START, "b"), ("a", "c"), ("b", "c"), nodes="abc"), {}, {"log": ["a", "b", "c"]}


def waits_for_both():
    return fan((START, "a"), (START, "b"), (["a", "b"], "c"), nodes="abc"), {}, {"log": ["a", "b", "c"]}


def waits_in_vain():
    builder = fan((START, "a"), (["b", "c"], "d"))
    builder.add_conditional_edges("a", lambda state: "b", ["b", "c"])
    return builder, {}, {"log": ["a", "b"]}


def waits_for_unlike_ways():
    return fan((START, "a"), (START, "b"), ("b", "c"), (["a", "c"], "d")), {}, {"log": ["a", "b", "c", "d"]}


def routed(topic):
    builder = fan((START, "a"), ("b", END), ("c", END), nodes="abc")
    builder.add_conditional_edges(
        "a", lambda state: "long" if len(state["topic"]) > 3 else "short", {"long": "b", "short": "c"}
    )
    return builder, {"topic": topic}, {"topic": topic, "log": ["a", "b" if len(topic) > 3 else "c"]}


def routed_long():
    return routed("giraffes")


def routed_short():
    return routed("cat")


def routed_to_several():
    builder = fan((START, "a"), ("b", "d"), ("c", "d"))
    builder.add_conditional_edges("a", lambda state: ["b", "c"], ["b", "c"])
    return builder, {}, {"log": ["a", "b", "c", "d"]}


def routed_to_the_end():
    builder = fan((START, "a"), nodes="ab")
    builder.add_conditional_edges("a", lambda state: END, ["b", END])
    return builder, {}, {"log": ["a"]}


def routed_from_the_start():
    builder = fan(nodes="ab")
    builder.add_conditional_edges(START, lambda state: "b", ["a", "b"])
    return builder, {}, {"log": ["b"]}


def loop():
    builder = chain("work", work=lambda state: {"x": state["x"] * 2, "log": [state["x"]]})
    builder.edges.discard(("work", END))
    builder.add_conditional_edges("work", lambda state: "work" if state["x"] < 20 else END)
    return builder, {"x": 3}, {"x": 24, "log": [3, 6, 12]}


def writer_and_critic():
    def critic(state) -> Command[Literal["writer", "publish"]]:
        return Command(update={"log": ["critic"]}, goto="publish" if state["x"] >= 2 else "writer")

    builder = StateGraph(State)
    builder.add_node("writer", lambda state: {"x": state["x"] + 1, "log": ["writer"]})
    builder.add_node("critic", critic)
    builder.add_node("publish", logs("publish"))
    builder.add_edge(START, "writer")
    builder.add_edge("writer", "critic")
    return builder, {"x": 0}, {"x": 2, "log": ["writer", "critic", "writer", "critic", "publish"]}


def agent():
    """A model that asks for a tool, and then answers."""

    def model(state):
        asked = any(each.type == "tool" for each in state["messages"])
        return {"messages": [("ai", "it is 21 degrees" if asked else "let me look")]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", model)
    builder.add_node("tools", lambda state: {"messages": [{"role": "tool", "content": "21", "tool_call_id": "1"}]})
    builder.add_edge(START, "model")
    builder.add_conditional_edges(
        "model", lambda state: "tools" if "look" in state["messages"][-1].content else END, ["tools", END]
    )
    builder.add_edge("tools", "model")
    return builder, {"messages": [("user", "how warm?")]}, ["how warm?", "let me look", "21", "it is 21 degrees"]


@dataclasses.dataclass
class Plain:
    x: int = 0
    y: int = 0


def dataclass_state():
    builder = StateGraph(Plain)
    builder.add_node("a", lambda state: {"y": state.x + 1})
    builder.add_edge(START, "a")
    return builder, {"x": 4}, {"x": 4, "y": 5}


def several_routers():
    builder = fan((START, "a"))

    def first(state):
        return "b"

    def second(state):
        return True

    builder.add_conditional_edges("a", first, ["b"])
    builder.add_conditional_edges("a", second, {True: "c", False: "d"})
    return builder, {}, {"log": ["a", "b", "c"]}


def async_node():
    async def node(state):
        return {"log": ["async"]}

    return chain("a", a=node), {}, {"log": ["async"]}


def map_and_reduce():
    builder = fan((START, "a"), nodes="ad")
    builder.add_node("b", lambda state: {"log": [f"b{state['x']}"], "total": state["x"]})
    builder.add_edge("b", "d")
    builder.add_conditional_edges("a", lambda state: [Send("b", {"x": each}) for each in (1, 2, 3)], ["b"])
    return builder, {}, {"log": ["a", "b1", "b2", "b3", "d"], "total": 6}


GRAPHS = [
    map_and_reduce,
    one, three, counts, keeps_what_nobody_writes, returns_nothing, diamond, two_starts, waits_for_both, waits_in_vain,
    waits_for_unlike_ways, routed_long, routed_short, routed_to_several, routed_to_the_end, routed_from_the_start, loop,
    writer_and_critic, agent, dataclass_state, several_routers, async_node,
]  # fmt: skip
