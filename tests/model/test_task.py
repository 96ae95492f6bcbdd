"""Functions as nodes, with their policy said in one go."""

import pytest
import trio

import trioflow as tf
from trioflow.testing import run_virtual


def test_the_policy_of_a_task():
    """Keys of a policy, in their short forms, and what `exec_node` takes, side by side."""
    calls = []

    @tf.task(id="task.fetch", retry=tf.RetryPolicy(jitter=0), timeout="10s", durable="recorded")
    async def fetch(url: str) -> int:
        """Fetch something."""
        calls.append(trio.current_time())
        if len(calls) < 3:
            raise OSError("no route")
        return len(url)

    assert fetch.type.policy == tf.Policy(retry=tf.RetryPolicy(3, jitter=0), timeout=10)
    assert (fetch.type.id, fetch.type.durable, fetch.type.doc) == (
        "task.fetch", "recorded", "Fetch something.",
    )  # fmt: skip
    with tf.workflow() as w:
        w.add(fetch, "fetch", url="a page")
    assert run_virtual(w.graph).output("fetch") == 6
    assert [each - calls[0] for each in calls] == [0.0, 1.0, 3.0]


def test_a_task_without_settings():
    """It is an exec node, and still a function."""

    @tf.task
    def double(number: int) -> int:
        return 2 * number

    assert double(4) == 8
    assert (double.type.policy, double.type.is_exec) == (None, True)


def test_what_there_is_not():
    """All that is unknown is said at once, with what there is; values are those of a policy."""
    with pytest.raises(
        tf.NodeDefinitionError,
        match=r"no setting 'retries'. Did you mean 'retry'\? A task has no setting 'colour'. It takes id, capa",
    ):
        tf.task(retries=3, colour="red")
    with pytest.raises(ValueError, match="-1"):
        tf.task(retry=-1)
