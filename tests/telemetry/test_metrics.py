"""Metrics: what is counted, how it is written, and how it is asked for."""

from __future__ import annotations

import contextlib

import pytest
import trio
import trio.testing
from telemetry.runs import failing, looping, watched

import trioflow as tf
from trioflow.telemetry import Metrics, serve_metrics


def samples(metrics):
    return dict(line.rsplit(" ", 1) for line in metrics.text().splitlines() if not line.startswith("#"))


def test_counts_by_type():
    """Runs by their end, steps, evaluations and failures by the type of the node."""
    graph, bad = looping(), failing()
    metrics = Metrics(graph, bad)
    watched(graph, metrics)
    watched(bad, metrics)
    found = samples(metrics)
    assert found['trioflow_runs_total{status="completed"}'] == "1"
    assert found['trioflow_runs_total{status="failed"}'] == "1"
    assert found["trioflow_runs_active"] == "0"
    assert found['trioflow_steps_total{type="telemetry.nap"}'] == "3"
    assert found['trioflow_evaluations_total{type="telemetry.square"}'] == "3"
    assert found['trioflow_failures_total{type="telemetry.fails"}'] == "1"
    assert found["trioflow_strands_forked_total"] == "0"


@pytest.mark.parametrize("end", ["resume", "cancel"])
def test_runs_that_stand(end):
    """They are counted until they are let go, or end."""
    metrics, found = Metrics(), []

    async def main():
        async with tf.open_run(looping(), observers=[metrics]) as run:
            await trio.sleep(0.5)
            run.gate.pause()
            await trio.sleep(1)
            found.append(samples(metrics)["trioflow_runs_paused"])
            assert samples(metrics)["trioflow_strands_parked"] == "0"
            metrics.look_at(run)
            assert samples(metrics)["trioflow_strands_parked"] == "1"
            run.gate.resume() if end == "resume" else run.cancel()
            await trio.sleep(0.1)
            found.append(samples(metrics)["trioflow_runs_paused"])
            if end == "resume":
                await run.result()

    with contextlib.suppress(tf.RunAborted):
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert found == ["1", "0"]


def test_histograms_add_up():
    """Buckets count what took no longer; sum and count are those of all."""
    graph = looping()
    found = samples(watched(graph, Metrics(graph)))
    buckets = [int(value) for name, value in found.items() if name.startswith('trioflow_step_seconds_bucket{type="telemetry.nap"')]  # fmt: skip
    assert buckets == [0, 0, 0, 0, 1, 3, 3, 3, 3]
    assert float(found['trioflow_step_seconds_sum{type="telemetry.nap"}']) == pytest.approx(8)
    assert found['trioflow_step_seconds_count{type="telemetry.nap"}'] == "3"


def test_nodes_on_request():
    """There is a series for each node only if somebody asks; what is no name for Prometheus is escaped."""
    graph = looping()
    assert not [name for name in samples(watched(graph, Metrics(graph))) if "node=" in name]
    assert 'trioflow_steps_total{type="telemetry.nap",node="nap"}' in samples(
        watched(graph, Metrics(graph, nodes=True))
    )
    assert 'trioflow_steps_total{type="unknown"}' in samples(watched(graph, Metrics()))


def test_the_text_is_open_metrics():
    """Each family has its type and help before its samples, and the text ends as it must."""
    graph = looping()
    lines = watched(graph, Metrics(graph)).text().splitlines()
    assert lines[-1] == "# EOF"
    seen = set()
    for line in lines[:-1]:
        if line.startswith("# TYPE "):
            seen.add(line.split()[2])
        elif not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            assert any(
                name in (family, *(f"{family}_{end}" for end in ("total", "bucket", "sum", "count"))) for family in seen
            )


async def ask(port, request):
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        await stream.send_all(request)
        answer = b""
        while more := await stream.receive_some(65536):
            answer += more
    return answer.decode()


async def test_they_are_served():
    """GET /metrics gives the text; other pages and methods are refused; whoever goes away is no harm."""
    metrics = Metrics()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_metrics, metrics, 0)
        answer = await ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = answer.partition("\r\n\r\n")
        assert head.splitlines()[:2] == [
            "HTTP/1.1 200 OK",
            "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8",
        ]
        assert body == metrics.text()
        assert (await ask(port, b"GET /other HTTP/1.1\r\n\r\n")).startswith("HTTP/1.1 404 ")
        assert (await ask(port, b"POST /metrics HTTP/1.1\r\n\r\n")).startswith("HTTP/1.1 405 ")
        assert (await ask(port, b"HEAD /metrics HTTP/1.1\r\n\r\n")).endswith("\r\n\r\n")
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"GET /met")
        await stream.aclose()
        assert "200 OK" in await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        nursery.cancel_scope.cancel()


async def test_a_port_that_is_taken():
    """It is an OSError before anything is served."""
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_metrics, Metrics(), 0)
        with pytest.raises(OSError, match=r".") as caught:
            await serve_metrics(Metrics(), port)
        assert caught.value.errno
        nursery.cancel_scope.cancel()
