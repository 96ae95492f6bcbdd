"""Triggers in a file, and when they are due."""

from __future__ import annotations

import datetime
import json
import sys
from zoneinfo import ZoneInfo

import pytest

import trioflow as tf
from trioflow.serving.due import due_between, never_due, next_due
from trioflow.serving.signing import delivery_of, is_signed, sign, sign_standard
from trioflow.serving.triggers import TriggerError, find_triggers, read_triggers, triggers_in

pytest.importorskip("cronsim", reason="needs the extra serve")


def graph():
    with tf.build() as g:
        g.variable("body", "any")
        g.variable("root", "str", default=".")
        g.add("flow.start")
    return g.graph


GRAPHS = {"report.json": graph()}
NIGHT = ZoneInfo("Europe/Berlin")


def made(**said):
    return triggers_in({"triggers": {"t": {"graph": "report.json", **said}}}, GRAPHS)[0]


def problems(**said):
    with pytest.raises(TriggerError) as raised:
        made(**said)
    return [problem.removeprefix("triggers.t") for problem in raised.value.problems]


def test_what_is_read(tmp_path):
    """Of each kind one, with what is usual where nothing is said."""
    said = {
        "night": {
            "graph": "report.json",
            "cron": "30 2 * * *",
            "zone": "Europe/Berlin",
            "missed": "all",
            "set": {"root": "/"},
        },
        "orders": {"graph": "report.json", "webhook": "/orders", "secret": "KEY", "value": "body", "queue": "etl"},
        "backlog": {"graph": "report.json", "queue": "letters", "priority": "high", "tenant": "a", "attempts": 1},
    }
    (tmp_path / "triggers.json").write_text(json.dumps({"triggers": said}))
    found = read_triggers(find_triggers(tmp_path), GRAPHS)
    assert [(each.name, each.kind, each.what, each.into) for each in found] == [
        ("night", "cron", "30 2 * * *", "default"),
        ("orders", "webhook", "/orders", "etl"),
        ("backlog", "queue", "letters", "default"),
    ]
    assert (found[0].zone, found[0].missed, found[0].set) == (NIGHT, "all", {"root": "/"})
    assert (found[1].secret, found[1].value, found[2].priority, found[2].attempts) == ("KEY", "body", "high", 1)
    assert find_triggers(tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, ": expected one of cron, webhook, event, files, queue, got none."),
        ({"webhok": "/x"}, ": expected one of cron, webhook, event, files, queue, got none. Did you mean 'webhook'?"),
        ({"cron": "* * * * *", "event": "e"}, ": expected one of cron, webhook, event, files, queue, got cron and event."),
        ({"event": ""}, ".event: expected a text"),
        ({"event": "e", "id": 1}, ".id: expected the name of a key of the body, got 1"),
        ({"event": "e", "zome": 1}, ".zome: there is no such key for event."),
        ({"cron": "* * * *"}, ".cron: '* * * *' is not a cron line (Wrong number of fields); expected five fields: "
         "minute, hour, day, month, weekday"),
        ({"cron": "0 0 30 2 *"}, ".cron: '0 0 30 2 *' is not a cron line (Bad day-of-month); expected five fields: "
         "minute, hour, day, month, weekday"),
        ({"cron": "* * * * *", "zone": "Mars"}, ".zone: there is no time zone 'Mars'; write one such as 'Europe/Berlin'"),
        ({"cron": "* * * * *", "missed": "some"}, ".missed: expected one of skip, once, all, got 'some'"),
        ({"webhook": "orders", "open": True}, ".webhook: expected a path such as '/orders', got 'orders'"),
        ({"webhook": "/o"}, ": say how it is signed, `secret: NAME`, or that anybody may call it, `open: true`"),
        ({"event": "e", "graph": "x"}, ".graph: there is no graph 'x'. Those there are: report.json."),
        ({"event": "e", "graph": "reprot.json"}, ".graph: there is no graph 'reprot.json'. Did you mean 'report.json'?"),
        ({"event": "e", "set": {"rot": 1}}, ".set: the graph has no variable 'rot'. Did you mean 'root'?"),
        ({"event": "e", "set": 1}, ".set: expected an object of variables"),
        ({"event": "e", "value": "bdoy"}, ".value: the graph has no variable 'bdoy'. Did you mean 'body'?"),
        ({"event": "e", "priority": "hi"}, ".priority: expected one of low, normal, high, critical, got 'hi'"),
        ({"event": "e", "attempts": 0}, ".attempts: expected a number of 1 or more, got 0"),
    ],
)  # fmt: skip
def test_what_is_wrong(said, problem):
    (told,) = problems(**said)
    assert told.startswith(problem), told


def test_all_problems_at_once():
    with pytest.raises(TriggerError) as raised:
        triggers_in({"more": 1, "triggers": {"a": 1, "b": {"event": "e", "graph": "x", "missed": "skip"}}}, GRAPHS, "f")
    assert len(raised.value.problems) == 4
    assert str(raised.value).startswith("f: more: there is no such key here")
    hook = {"graph": "report.json", "webhook": "/o", "open": True}
    with pytest.raises(TriggerError, match="two webhooks have the path '/o'"):
        triggers_in({"triggers": {"a": hook, "b": hook}}, GRAPHS)
    with pytest.raises(TriggerError, match="expected an object"):
        triggers_in([], GRAPHS)


def at(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def test_time_zones():
    """A night in a zone: where an hour is left out it is done after it, and where one comes twice it is done once."""
    assert next_due("30 2 * * *", NIGHT, at("2026-07-01 12:00")) == at("2026-07-02 00:30")
    assert next_due("30 2 * * *", NIGHT, at("2026-01-01 12:00")) == at("2026-01-02 01:30")
    assert next_due("30 2 * * *", NIGHT, at("2026-03-28 12:00")) == at("2026-03-29 01:00")
    autumn = due_between("30 2 * * *", NIGHT, at("2026-10-24 12:00"), at("2026-10-26 12:00"), "all")
    assert len(autumn) == 2
    assert never_due("0 0 29 2 *") == ""


def test_missed_times():
    """Nothing, one for all, or each; what is due now is no missed time."""
    last, now = at("2026-01-01 00:00"), at("2026-01-04 12:00:30")
    for missed, count in (("skip", 0), ("once", 1), ("all", 3)):
        found = due_between("0 6 * * *", ZoneInfo("UTC"), last, at("2026-01-04 00:00"), missed)
        assert found == [at("2026-01-01 06:00"), at("2026-01-02 06:00"), at("2026-01-03 06:00")][3 - count :]
    for missed, count in (("skip", 1), ("once", 1), ("all", 4)):
        assert len(due_between("0 12 * * *", ZoneInfo("UTC"), last, now, missed)) == count


def test_signatures():
    """Of the body; or of an id, a time and the body, which is refused when that is long ago."""
    body = b'{"n": 1}'
    for header in ("x-hub-signature-256", "x-signature-256"):
        assert is_signed("secret", body, {header: sign("secret", body)}, 0)
    assert not is_signed("secret", body, {"x-signature-256": sign("other", body)}, 0)
    assert not is_signed("secret", body, {}, 0)
    for secret in ("secret", "whsec_c2VjcmV0"):
        signed = f"v1,wrong {sign_standard(secret, body, 'm1', '1000')}"
        given = {"webhook-id": "m1", "webhook-timestamp": "1000", "webhook-signature": signed}
        assert is_signed(secret, body, given, 1200)
        assert not is_signed(secret, body, given, 1301)
        assert not is_signed(secret, body, {**given, "webhook-id": "m2"}, 1200)
        assert not is_signed(secret, body, {**given, "webhook-timestamp": "x"}, 1200)
    assert not is_signed("whsec_1", body, given, 1200)


def test_the_test_vector_of_standard_webhooks():
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signed = sign_standard(secret, body, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_which_delivery_it_is():
    """What is sent again has the name that it had; without one each is another."""
    headers = {"x-github-delivery": "d1"}
    assert delivery_of(headers, {"id": "e1"}, "id") == "e1"
    assert delivery_of(headers, {"id": [1]}, "id") == delivery_of(headers, 1, "id") == "d1"
    assert delivery_of(headers, {"id": "e1"}, None) == "d1"
    assert delivery_of({}, {}, None) is None


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(tf.MissingExtra, match=r"trioflow\[serve\]"):
        never_due("* * * * *")


def test_many_missed_times():
    """Of a month, and a thousand at most, the last ones."""
    found = due_between("* * * * *", ZoneInfo("UTC"), at("2020-01-01 00:00"), at("2026-01-04 12:00"), "all")
    assert (len(found), found[-1]) == (1000, at("2026-01-04 12:00"))
    found = due_between("0 0 * * *", ZoneInfo("UTC"), at("2020-01-01 00:00"), at("2026-01-04 12:00"), "all")
    assert len(found) == 31
