"""Processes drawn at random fire as often as the standard's text says of blocks in blocks; so does SpiffWorkflow, nearly.

Where a parallel gateway parts ways behind one inside of a loop, SpiffWorkflow 3.2 leaves out elements in later rounds. By
the standard (13.4.1, parallel gateway) each token that comes to a gateway that parts ways gives one on each outgoing flow, in
each round, so the tasks behind it are done each time.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from itertools import pairwise

import pytest
import trio
from counting import instructions
from formats.bpmn.drawn import Drawn
from formats.bpmn.processes import came_of

import trioflow as tf
from trioflow.formats import bpmn
from trioflow.testing import ShuffledSchedule

pytestmark = pytest.mark.unmeasured
COUNT = int(os.environ.get("TRIOFLOW_DRAWN", "40"))
"""How many are compared with SpiffWorkflow."""
HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="http://example.com/hundred">'


def tasks_of(fired):
    return Counter({name: count for name, count in fired.items() if name.startswith(("task", "split"))})


def here(text, **more):
    imported = bpmn.loads(text)
    assert not imported.errors
    return tasks_of(came_of(imported.graph, {}, **more)[0]["fires"])


def test_drawn_processes():
    for seed in range(25):
        drawn = Drawn(seed)
        middleware = [ShuffledSchedule(seed)] if seed % 2 else []
        assert (seed, here(drawn.text, middleware=middleware)) == (seed, +drawn.expected)


def test_larger_ones():
    for seed in range(6):
        drawn = Drawn(seed, size=60)
        assert (seed, here(drawn.text)) == (seed, +drawn.expected)


def parsed(text):
    from SpiffWorkflow.bpmn.parser import BpmnParser

    parser = BpmnParser()
    parser.add_bpmn_str(text.encode())
    return parser.get_spec("p"), parser.get_subprocess_specs("p")


def in_spiff(specs):
    """How often each element has been completed."""
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
    from SpiffWorkflow.util.task import TaskState

    workflow = BpmnWorkflow(*specs)
    workflow.do_engine_steps()
    assert workflow.is_completed()
    done = workflow.get_tasks(state=TaskState.COMPLETED)
    return Counter(found for each in done if (found := getattr(each.task_spec, "bpmn_id", None)))


@pytest.mark.outside
@pytest.mark.filterwarnings("ignore")
def test_the_same_as_in_spiffworkflow():
    pytest.importorskip("SpiffWorkflow", reason="SpiffWorkflow is not installed: pip install spiffworkflow")
    unlike = []
    for seed in range(COUNT):
        drawn = Drawn(seed)
        assert (seed, here(drawn.text)) == (seed, +drawn.expected)
        theirs = tasks_of(in_spiff(parsed(drawn.text)))
        if theirs != +drawn.expected:
            assert drawn.nested_in_loop and not theirs - drawn.expected, seed
            unlike.append(seed)
    assert len(unlike) <= max(1, COUNT // 25)


@pytest.mark.outside
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_it_takes():
    """A process of 100 elements, side by side: a sequence takes a 28th, choices and parallel ways in blocks a 17th."""
    pytest.importorskip("SpiffWorkflow", reason="SpiffWorkflow is not installed: pip install spiffworkflow")
    ratios = []
    for text in (a_sequence(), hundred_elements()):
        plan, specs = tf.make_plan(bpmn.loads(text).graph, tf.Registry.standard()), parsed(text)
        counts: list[int] = []
        for call in (partial(in_spiff, specs), partial(trio.run, tf.run, plan)):
            call()  # once everything is loaded
            counts.append(instructions(call))
        ratios.append(counts[0] / counts[1])
    print(f"{ratios[0]:.1f} and {ratios[1]:.1f} times as many instructions in SpiffWorkflow")
    assert ratios[0] > 24 and ratios[1] > 15


def a_sequence():
    """A hundred elements, one after the other."""
    ids = ["s", *(f"t{index}" for index in range(98)), "e"]
    lines = ['<startEvent id="s"/><endEvent id="e"/>']
    lines += [
        f'<scriptTask id="{id_}" scriptFormat="python"><script>x = {index}</script></scriptTask>'
        for index, id_ in enumerate(ids[1:-1])
    ]
    lines += [f'<sequenceFlow id="f_{a}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairwise(ids)]
    return f'{HEAD}<process id="p" isExecutable="true">{"".join(lines)}</process></definitions>'


def hundred_elements():
    """Choices and parallel ways of three tasks each, one after the other."""
    lines = [
        '<startEvent id="s"/><endEvent id="e"/>',
        '<scriptTask id="t0" scriptFormat="python"><script>x = 1</script></scriptTask>',
    ]
    flow = lambda source, target, condition="", id_="": lines.append(
        f'<sequenceFlow id="{id_ or f"f{len(lines)}"}" sourceRef="{source}" targetRef="{target}">{condition}</sequenceFlow>'
    )
    flow("s", "t0")
    for block in range(16):
        kind = "parallel" if block % 2 else "exclusive"
        default = "" if block % 2 else f' default="d{block}"'
        lines.append(f'<{kind}Gateway id="g{block}"{default}/><{kind}Gateway id="j{block}"/>')
        flow(f"t{block}", f"g{block}")
        for index, name in enumerate("abc"):
            lines.append(
                f'<scriptTask id="{name}{block}" scriptFormat="python"><script>{name}{block} = x + 1</script></scriptTask>'
            )
            condition = (
                f"<conditionExpression>x == {index}</conditionExpression>"
                if kind == "exclusive" and name != "c"
                else ""
            )
            flow(f"g{block}", f"{name}{block}", condition, f"d{block}" if kind == "exclusive" and name == "c" else "")
            flow(f"{name}{block}", f"j{block}")
        lines.append(
            f'<scriptTask id="t{block + 1}" scriptFormat="python"><script>y{block} = x * 2</script></scriptTask>'
        )
        flow(f"j{block}", f"t{block + 1}")
    flow("t16", "e")
    return f'{HEAD}<process id="p" isExecutable="true">{"".join(lines)}</process></definitions>'
