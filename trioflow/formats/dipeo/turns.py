"""How many turns persons have, and who waits for that."""

from __future__ import annotations

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft

BY_TURNS = "detect_max_iterations"


def most_turns(draft: Draft, node: Node) -> int:
    """The most turns of the persons that it looks at: those in its circle, or else those before it."""
    circle = draft.circle.get(node.label)
    labels = circle if circle is not None else nodes_before(draft, node.label)
    persons = [draft.by_label[each] for each in labels if draft.by_label[each].type == "person_job"]
    found = [each.props.get("max_iteration", 1) for each in persons]
    whole = [each for each in found if isinstance(each, int) and not isinstance(each, bool)]
    if not persons:
        message = f"{node.label!r} waits for persons to have had their turns, and there are none."
        draft.notes.error("condition", node.path, message)
    return max(whole, default=1)


def nodes_before(draft: Draft, label: str) -> set[str]:
    """The nodes from which arrows lead to a node, directly or not."""
    found: set[str] = set()
    todo = [label]
    while todo:
        for arrow in draft.incoming.get(todo.pop(), ()):
            if arrow.source not in found:
                found.add(arrow.source)
                todo.append(arrow.source)
    return found


def may_exceed(draft: Draft, node: Node, most: int) -> bool:
    """Whether a person may be reached more often than it has turns: unless its circle ends when it has had them."""
    circle = draft.circle.get(node.label)
    if circle is None:
        return False
    waits = [draft.by_label[each] for each in circle if draft.by_label[each].type == "condition"]
    ends = [most_turns(draft, each) for each in waits if each.props.get("condition_type") == BY_TURNS]
    return not ends or most < min(ends)
