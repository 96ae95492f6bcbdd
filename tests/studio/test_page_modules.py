"""The modules of the page that compute, run by Node.js, do what those of the server do."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from trioflow.studio import Session, frames
from trioflow.studio.serving import _packed
from trioflow.studio.settings import settings_form
from trioflow.telemetry import Recorder
from trioflow.testing import run_virtual

from .pages import registry, summing

STATIC = Path(frames.__file__).parent / "static"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.outside,
    pytest.mark.unmeasured,
    pytest.mark.skipif(NODE is None, reason="needs Node.js: apt-get install nodejs"),
]


@pytest.fixture
def run_js(tmp_path):
    """Run a script that may import the page's modules; it is given `input`, and what it puts into `output` comes back."""
    for each in STATIC.glob("*.js"):
        shutil.copy(each, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')

    def run(script, given):
        (tmp_path / "given.json").write_text(json.dumps(given))
        read = (
            "import { readFileSync } from 'node:fs';\nconst input = JSON.parse(readFileSync('given.json', 'utf8'));\n"
        )
        (tmp_path / "script.js").write_text(f"{read}let output;\n{script}\nconsole.log(JSON.stringify(output));\n")
        done = subprocess.run(
            [str(NODE), "script.js"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_what_a_delta_makes_of_the_state(run_js):
    """The page folds as the server does."""
    first = frames.first_state(3)
    states = [first]
    for number in range(1, 60):
        before = states[-1]
        messages = [*before["messages"], *({"n": number * 9 + each, "text": "…"} for each in range(number % 7))]
        states.append(
            before
            | {"steps": number, "counts": {**before["counts"], str(number % 5): number}, "dead": [number % 3], "flow": {**before["flow"], str(number % 3): number},
               "messages": messages[-frames.MOST_MESSAGES :], "reason": None if number % 4 else f"at {number}"}
        )  # fmt: skip
    deltas = [frames.difference(one, other) for one, other in zip(states, states[1:], strict=False)]
    script = """
import { fold } from './state.js';
output = [];
let state = input.first;
for (const delta of input.deltas) output.push(state = fold(state, delta));
"""
    assert run_js(script, {"first": first, "deltas": deltas}) == states[1:]


def test_what_was_done_at_a_moment(run_js):
    """Whatever stretch of a recording the page has, at each moment of it nodes have run as often as they had."""
    recorder = Recorder()
    run_virtual(summing(9), registry=registry(), observers=[recorder])
    recording = recorder.recording()
    session = Session(summing(9), registry(), recording=recording)
    total = len(recording)
    stretches = [(0, total), (0, 7), (5, 30), (total - 3, total), (9, 9)]
    packed = [base64.b64encode(_packed(session, recording, *each)).decode() for each in stretches]
    nodes = session.scene.document["nodes"]
    script = """
import { Recording } from './recording.js';
output = input.packed.map((text) => {
  const bytes = Buffer.from(text, 'base64');
  const past = new Recording(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), input.nodes);
  const found = [];
  for (let moment = past.first; moment <= past.stop; moment++) {
    const { counts, open } = past.after(moment);
    found.push([[...counts], [...open]]);
  }
  past.strands();
  return found;
});
"""
    found = run_js(script, {"packed": packed, "nodes": len(nodes)})
    kinds = recording.kinds

    def expected(moment):
        counts, opened = [0] * len(nodes), [0] * len(nodes)
        for (kind, node), count in recording.tally(moment).items():
            place = session.scene.place(recording.nodes[node]) if node < len(recording.nodes) else None
            if place is not None:
                counts[place] += count * (kinds[kind] in {"NodeStarted", "EvaluationCompleted"})
                opened[place] += count * ((kinds[kind] == "NodeStarted") - (kinds[kind] == "NodeCompleted"))
        return [counts, opened]

    for (first, stop), moments in zip(stretches, found, strict=True):
        assert moments == [expected(each) for each in range(first, stop + 1)]


FOLDED = """
import { idle, lasting, Scale } from './folding.js';
output = input.map(({ times, width }) => {
  const folds = idle(times);
  const scale = new Scale(times[0], times[times.length - 1], folds, width);
  const moments = [];
  for (let at = 0; at <= 40; at++) moments.push(times[0] + (at / 40) * (times[times.length - 1] - times[0]));
  const x = moments.map((each) => scale.x(each));
  return { folds, words: folds.map(([from, to]) => lasting(to - from)), x, back: x.map((each) => scale.clock(each)), moments };
});
"""


def test_what_is_folded(run_js):
    """Long stretches without an event, beside which all else would be a line; not those that are as long as most are."""
    steps = [step / 1000 for step in range(100)]
    waits = [*steps, *(3600 + each for each in steps), *(90000 + each for each in steps)]
    cases = {
        "nothing": [0.0, 0.5],
        "an hour and a day": waits,
        "a clock that ticks": [60.0 * each for each in range(50)],
        "shorter than anybody minds": [*steps, *(0.9 + each for each in steps)],
        "one sleep": [0.0, 0.0, 0.0, 30.0, 30.0],
        "long, but not beside the rest": [*(each / 10 for each in range(1000)), 105.0],
    }
    found = run_js(FOLDED, [{"times": times, "width": 800} for times in cases.values()])
    assert {name: each["words"] for name, each in zip(cases, found, strict=True)} == {
        "nothing": [],
        "an hour and a day": ["60 min", "24 h"],
        "a clock that ticks": [],
        "shorter than anybody minds": [],
        "one sleep": ["30 s"],
        "long, but not beside the rest": [],
    }
    assert found[1]["folds"] == [[0.099, 3600.0], [3600.099, 90000.0]]


def test_moments_and_places_belong_together(run_js):
    """Whatever is folded: later is further right, all of the width is used, and a place leads back to its moment."""
    chance = random.Random(1)
    cases = []
    for _ in range(60):
        times = [0.0]
        for _ in range(chance.randrange(1, 60)):
            times.append(times[-1] + chance.choice([0.001, 0.01, 2.0, 500.0, 90000.0]))
        cases.append({"times": times, "width": chance.choice([30, 300, 1800])})
    for case, found in zip(cases, run_js(FOLDED, cases), strict=True):
        x = found["x"]
        assert x == sorted(x) and 0 <= x[0] and case["width"] - 11 < x[-1] < case["width"] + 1e-6
        span = case["times"][-1] or 1
        assert all(abs(one - other) < 1e-6 * span for one, other in zip(found["moments"], found["back"], strict=True))


def test_what_wires_share_is_drawn_once(run_js):
    """The trunk of the wires of one output is one piece, whatever leads away from it; what is left out is passed over."""
    script = """
import { pieces, trace } from './wires.js';
const path = () => {
  const told = [];
  const tell = (name) => (...given) => told.push([name, ...given.slice(-2)]);
  return { told, moveTo: tell('to'), lineTo: tell('line'), bezierCurveTo: tell('curve') };
};
const found = pieces(input);
const drawn = new Set();
output = { found, told: input.map(({ points }, place) => {
  const made = path();
  const wants = found[place] && ((piece) => !drawn.has(found[place][piece]) && drawn.add(found[place][piece]));
  trace(points, made, wants || undefined);
  return made.told;
}) };
"""
    trunk = [[0, 0], [10, 5], [90, 5]]
    wires = [[*trunk, [95, 0]], [*trunk, [95, 9]], [[0, 0], [10, 5]]]
    assert run_js(script, [{"points": each} for each in wires]) == {
        "found": [[0, 1, 2], [0, 1, 3], None],
        "told": [
            [["to", 0, 0], ["curve", 10, 5], ["line", 90, 5], ["curve", 95, 0]],
            [["to", 0, 0], ["to", 10, 5], ["to", 90, 5], ["curve", 95, 9]],
            [["to", 0, 0], ["curve", 10, 5]],
        ],
    }


def test_where_strands_were(run_js):
    """From look to look: where one stays it is one piece, what has ended is no longer, and of very many looks the last are kept."""
    script = """
import { Lanes } from './lanes.js';
output = input.map((looks) => {
  const lanes = new Lanes();
  for (const [time, strands] of looks) lanes.look(time, strands.map(([number, node, state]) => ({ number, node, state })));
  return { rows: lanes.strands(), looks: lanes.looks.length, begin: lanes.begin };
});
"""
    looks = [
        (0, [(0, 1, "running")]),
        (1, [(0, 1, "running"), (1, 2, "running")]),
        (2, [(0, 3, "running"), (1, 2, "parked")]),
        (3, [(0, 3, "running")]),
        (4, [(0, None, "running")]),
        (5, []),
    ]
    many = [(time, [(time // 10, 1, "running")]) for time in range(1000)]
    few, long = run_js(script, [looks, many])
    assert few["rows"] == [
        {"strand": 0, "spans": [[0, 2, 1, False], [2, 4, 3, False], [4, 5, -1, False]], "goesOn": False},
        {"strand": 1, "spans": [[1, 2, 2, False], [2, 3, 2, True]], "goesOn": False},
    ]
    assert long["looks"] == 360 and long["begin"] == 640
    assert [each["strand"] for each in long["rows"]] == list(range(63, 100))


def test_what_is_said_of_a_node(run_js):
    """Fields that a person fills in are put into what the document says; what is taken back is gone, all else stays."""
    script = """
import { built } from './settings.js';
output = input.cases.map(([settings, said]) => built(settings, input.fields, new Map(Object.entries(said).map(([path, value]) => [path, { value: value ?? undefined, raw: '' }]))));
"""
    retry = {"policy": {"retry": 3}}
    cases = [
        ({}, {}, {}),
        (retry, {}, {"policy": {"retry": {"attempts": 3}}}),
        (retry, {"policy.retry.delay": "2s"}, {"policy": {"retry": {"attempts": 3, "delay": "2s"}}}),
        (retry, {"policy.retry.attempts": None}, {"policy": {"retry": {}}}),
        (retry, {"policy.retry": None}, {}),
        ({}, {"policy.retry": True}, {"policy": {"retry": {}}}),
        ({}, {"policy.limit": True}, {}),  # it is being filled in
        ({}, {"policy.limit": True, "policy.limit.at_once": 2}, {"policy": {"limit": {"at_once": 2}}}),
        ({"policy": {"limit": 2}}, {"policy.limit.at_once": None}, {"policy": {"limit": {}}}),  # refused, and told
        (
            {"config": 1, "policy": {"new": 1}},
            {"policy.skip": False},
            {"config": 1, "policy": {"new": 1, "skip": False}},
        ),
        ({"join": "each"}, {"join": None, "most": 3}, {"most": 3}),
    ]
    fields = settings_form()
    given = {"fields": [*fields["policy"], *fields["workflow"]], "cases": [case[:2] for case in cases]}
    assert run_js(script, given) == [case[2] for case in cases]
