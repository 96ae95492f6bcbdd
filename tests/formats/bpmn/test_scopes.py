"""What is around elements, each alone."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats.bpmn.scopes import BpmnError
from trioflow.testing import fire


def test_a_terminate_end_outside_of_a_process():
    with pytest.raises(NodeError, match="in no bpmn.process"):
        fire("bpmn.terminate_end")


def test_an_error_end_outside_of_a_process():
    with pytest.raises(BpmnError, match="ends with the error 'E1'") as raised:
        fire("bpmn.error_end", code="E1")
    assert raised.value.error_code == "E1"


def test_a_failure_beside_an_event_that_does_not_come():
    """A guard passes on what it does not catch, and waits for nothing any more."""

    def fail():
        raise OSError("no van")

    waits = [{"element": "late", "kind": "timer", "name": "PT5S", "form": "duration"}]
    with pytest.raises(OSError, match="no van"):
        fire("bpmn.guard", waits=waits, body=fail)
    waits.append({"element": "any", "kind": "error", "name": "", "form": ""})
    assert fire("bpmn.guard", waits=waits, body=fail)[-1][0] == "caught"


@pytest.mark.parametrize(
    ("name", "form", "problem"), [("soon", "date", "which is not a time"), ("soon", "duration", "not a time")]
)
def test_a_time_that_is_none(name, form, problem):
    with pytest.raises(tf.NodeError, match=problem):
        fire("bpmn.catch_event", waits=[{"element": "t", "kind": "timer", "name": name, "form": form}])
