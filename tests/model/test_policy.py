"""Policies as data: their forms in documents and in Python, one policy of several, and how they are shown."""

from __future__ import annotations

import datetime

import pytest

import trioflow as tf
from trioflow.model.policy import Rung, described, merged

FULL = tf.Policy(
    timeout="1m",
    attempt_timeout=datetime.timedelta(milliseconds=1500),
    retry=tf.RetryPolicy(4, "linear", "10ms", "PT1M", 1.5, 0.5, [OSError, tf.NodeTimeout], "http.503", 7, clean=True),
    breaker=tf.BreakerPolicy("db", 0.25, 4, "10s", "5s", 1),
    rate=tf.RatePolicy("300/m", 20, "api", 2, "3s"),
    limit=tf.LimitPolicy(3, "2s", "api", adapt=True),
    limiter="shared",
    quota={"gpu": 2},
    patience="5s",
    priority="high",
    fallback=tf.FallbackPolicy(value={"result": [1]}, exit="then"),
    skip=True,
    quarantine=3,
)


def document(policy):
    return tf.Graph(nodes=(tf.GraphNode("a", "t", policy=policy),), policies={"http.*": policy})


def problems(policy):
    with pytest.raises(tf.DocumentError) as caught:
        tf.loads('{"trioflow": "1.1", "nodes": [{"id": "a", "type": "t", "policy": %s}]}' % policy)
    return [each.removeprefix("nodes[0].policy") for each in caught.value.problems]


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_all_of_it_is_written_and_read_back(format):
    """Durations are written with their units, and a policy reads back as it was."""
    text = tf.dumps(document(FULL), format=format)
    assert tf.loads(text, format=format) == document(FULL)
    for each in ("1500ms", "1m", "10ms", "300/m", "trioflow.errors.NodeTimeout", "OSError"):
        assert each in text


def test_what_is_short_for_something():
    """A policy that says one thing may be written as that alone, and is written so."""
    text = '{"timeout": "30s", "retry": 4, "breaker": 0.5, "rate": "50/s", "limit": 3, "fallback": "b", "skip": false}'
    graph = tf.loads('{"trioflow": "1.1", "nodes": [{"id": "a", "type": "t", "policy": %s}]}' % text)
    short = tf.Policy(timeout=30, retry=4, breaker=0.5, rate="50/s", limit=3, fallback="b", skip=False)
    assert graph.nodes[0].policy == short
    assert text in tf.dumps(graph)
    assert tf.Policy(retry=4).retry == tf.RetryPolicy(attempts=4)
    assert '"retry": 3' in tf.dumps(document(tf.Policy(retry=tf.RetryPolicy())))


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ('{"retry": 0}', [".retry: expected a whole number of at least 1, got int 0; or an object"]),
        ('{"retry": true}', [".retry: expected a whole number, got true; or an object"]),
        (
            '{"retry": {"delay": -1, "backoff": "exp", "jitter": 3, "on": "x"}}',
            [
                '.retry.backoff: expected "exponential" or "linear" or "fixed" or "none", got text "exp"',
                ".retry.delay: expected a duration of 0 or more with its unit, got the number -1",
                ".retry.jitter: expected a number of at least 0 and at most 1, got 3",
                '.retry.on: expected a list, got text "x"',
            ],
        ),
        (
            '{"timeout": 30}',
            [".timeout: expected a duration of 0 or more with its unit, got the number 30. Write '30s' for seconds"],
        ),
        ('{"timeout": "-3s"}', [".timeout: expected a duration of 0 or more, got '-3s'"]),
        ('{"timeout": "0s"}', [".timeout: expected a duration of more than 0, got '0s'"]),
        (
            '{"timeout": "soon"}',
            [
                ".timeout: expected a duration such as '30s' (ms, s, m, h or d), 'PT1.5S' or 'P2DT3H' (weeks, days, "
                "hours, minutes, seconds), got 'soon'"
            ],
        ),
        (
            '{"timeout": {}}',
            [".timeout: expected a duration such as '10ms', '30s', '5m', '24h' or 'PT1.5S', got {}"],
        ),
        (
            '{"rate": "0/s"}',
            [".rate: expected a rate of more than 0, got '0/s': nothing would ever pass; or an object"],
        ),
        ('{"rate": 50}', [".rate: expected a rate such as '50/s', '300/m' or '10/h', got 50; or an object"]),
        ('{"limit": {}}', ['.limit: the key "at_once" is missing. Add it.']),
        ('{"breaker": {"rate": 0}}', [".breaker.rate: expected a number more than 0 and at most 1, got 0"]),
        ('{"fallback": 7}', [".fallback: expected text, got int 7; or an object"]),
        (
            '{"priority": "urgent"}',
            ['.priority: expected "low" or "normal" or "high" or "critical", got text "urgent"'],
        ),
        ('{"quota": {"gpu": "two"}}', ['.quota.gpu: expected a whole number, got text "two"']),
    ],
)
def test_bad_documents(policy, said):
    """What is wrong is told with its path, all at once."""
    assert problems(policy) == said


def test_unknown_keys():
    """A misspelt key is told with what may be meant."""
    (problem,) = problems('{"timeot": "3s"}')
    assert problem.startswith(": unknown key \"timeot\". Did you mean 'timeout'? Known are: timeout, attempt_timeout,")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tf.RetryPolicy(0), "RetryPolicy.attempts: expected a whole number of at least 1, got 0."),
        (lambda: tf.RetryPolicy(jitter=2), "RetryPolicy.jitter: expected a number of at least 0 and at most 1, got 2."),
        (lambda: tf.RetryPolicy(backoff="x"), "RetryPolicy.backoff: expected 'exponential' or 'linear' or 'fixed' or 'none', got 'x'."),
        (lambda: tf.RetryPolicy(delay=-1), "expected a duration of 0 or more, in seconds or as a text such as '30s', got -1"),
        (lambda: tf.RetryPolicy(on=[7]), "expected names or classes of errors, got 7"),
        (lambda: tf.RatePolicy("x"), "RatePolicy.limit: expected a rate such as '50/s', '300/m' or '10/h', got 'x'."),
        (lambda: tf.Policy(timeout=0), "expected a duration of more than 0, got 0"),
        (lambda: tf.Policy(timeout="soon"), "expected a duration such as '30s' (ms"),
        (lambda: tf.Policy(retry="often"), "Policy.retry: expected a RetryPolicy, or its attempts alone, got 'often'."),
        (lambda: tf.Policy(priority="x"), "Policy.priority: expected 'low' or 'normal' or 'high' or 'critical', got 'x'."),
        (lambda: tf.RunOptions(policies={"a": 3}), "policies: expected a trioflow.Policy for 'a', got int."),
    ],
)  # fmt: skip
def test_bad_values_in_python(make, said):
    """They are refused where the policy is made."""
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value).startswith(said)


def test_rates():
    """A rate says how many in which time; as many may come at once, unless it says otherwise."""
    rate = tf.RatePolicy("300/m")
    assert (rate.count, rate.per_second, rate.capacity) == (300, 5, 300)
    assert tf.RatePolicy("0.5/s", burst=2).capacity == 2
    assert tf.RatePolicy("0.5/s").capacity == 1


def test_one_policy_of_several():
    """Each field is that of the innermost rung that says it (P8)."""
    node = Rung("node", "a", tf.Policy(retry=2, quota={"gpu": 1}))
    kind = Rung("type", "t", tf.Policy(retry=5, timeout=3, skip=False))
    run = Rung("run", "*", tf.Policy(timeout=9, breaker=0.5, quota={"cpu": 1}, skip=True))
    found = merged([node, kind, run])
    assert found.policy == tf.Policy(retry=2, quota={"gpu": 1}, timeout=3, breaker=0.5, skip=False)
    assert {name: str(rung) for name, rung in found.said_by.items()} == {
        "retry": "node a", "quota": "node a", "timeout": "type t", "skip": "type t", "breaker": "run *",
    }  # fmt: skip


def test_described():
    """Each thing that is said is a few words, without what is as ever."""
    assert described(tf.Policy(retry=4, timeout=90, skip=True, fallback="b", quota={"gpu": 1})) == [
        "timeout 90s", "retry 4", "quota gpu 1", "fallback b", "skip",
    ]  # fmt: skip
    assert described(FULL)[2:6] == [
        "retry 4 (backoff linear; delay 10ms; factor 1.5; jitter 0.5; on OSError, trioflow.errors.NodeTimeout; "
        "not_on http.503; budget 7; clean)",
        "breaker 0.25 (key db; calls 4; window 10s; open 5s; probes 1)",
        "rate 300/m (burst 20; key api; weight 2; wait 3s)",
        "limit 3 (wait 2s; key api; adapt)",
    ]
    assert described(FULL)[-3] == "fallback (value result [1]; exit then)"


def test_decorators_and_builder():
    """Types have policies, and so have nodes and patterns in a graph that is built."""
    policy = tf.Policy(retry=2)

    @tf.exec_node(policy=policy)
    def act() -> None: ...

    @tf.data_node(policy=policy)
    def value() -> int: ...

    class Acts(tf.Node, policy=policy):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None: ...

    assert [each.type.policy for each in (act, value, Acts)] == [policy] * 3
    with tf.build() as g:
        node = g.add(act, "node")
        g.configure(node, policy=tf.Policy(skip=True))
        g.configure(node, initiator=True)
        g.policy("http.*", policy)
    assert g.graph.nodes[0].policy == tf.Policy(skip=True)
    assert g.graph.policies == {"http.*": policy}
