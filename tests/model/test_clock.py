"""Wall time is a port of the host (A10)."""

from __future__ import annotations

import datetime

from support import STANDARD, Note, chain

import trioflow as tf

THEN = datetime.datetime(2031, 2, 3, 23, 30, tzinfo=datetime.UTC)


class Stopped(tf.Clock):
    """A clock that stands."""

    def now(self):
        return THEN


@tf.exec_node(id="clock.tells")
def tells(ctx: tf.Context) -> object:
    return ctx.now()


@tf.data_node(id="clock.tells_too", volatile=True)
def tells_too(ctx: tf.DataContext) -> object:
    return ctx.now()


def graph():
    with tf.build(STANDARD) as g:
        node = g.add(tells)
        notes = [
            g.add(Note, value=each)
            for each in (
                node.result,
                g.add(tells_too).result,
                g.add("time.now").result,
                g.add("date.today", zone="Asia/Tokyo").result,
            )
        ]
        chain(g, g.add(tf.nodes.Start), node, *notes)
    return g.graph


def test_the_clock_of_the_host(bench):
    """Bodies and the standard nodes ask the clock that the host gives, by its type or a subclass (A10)."""
    for key in (tf.Clock, Stopped, "any"):
        bench.run(graph(), services={key: Stopped()})
        assert bench.notes == [THEN, THEN, THEN, datetime.date(2031, 2, 4)]


def test_the_clock_of_the_system(bench):
    """Without one it is that of the system, in UTC (A10)."""
    before = datetime.datetime.now(datetime.UTC)
    bench.run(graph())
    now = bench.notes[0]
    assert before <= now <= datetime.datetime.now(datetime.UTC)
    assert now.tzinfo is datetime.UTC
    assert tf.SystemClock().now() >= now


def test_other_services_are_told_as_ever(bench):
    """That there is always a clock makes no difference to others (A10)."""

    @tf.exec_node(id="clock.asks")
    def asks(ctx: tf.Context) -> None:
        ctx.services.get(dict)

    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(asks))
    assert "no service 'dict'" in str(bench.fails(tf.UnknownName, g.graph))
