// Tests of the port by itself: `node --test spec/ports/js/`. What it means is checked by `trioflow conformance port`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Cancelled, Failure, Graph, InvalidGraph, Run } from "./engine.mjs";
import { answer } from "./port.mjs";
import { bytewise } from "./store.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const exec = (id, script, more = {}) => ({ id, type: "script.exec", inputs: { script, ...more.inputs }, ...(more.stream && { stream: more.stream }), ...(more.initiator && { initiator: true }) });
const start = (script, more = {}) => exec("start", script, { ...more, initiator: true });
const data = (id, script, type = "script.data") => ({ id, type, inputs: { script } });
const wires = (...pairs) => pairs.flat().map((pair) => ({ from: pair.split(" > ")[0], to: pair.split(" > ")[1] }));
const ask = (graph, request = {}) => answer({ type: "run", id: 1, level: 2, ...request, graph: { trioflow: "1.0", ...graph } });

/** Answers under every schedule: each sequence of choices that makes a difference. */
async function* everySchedule(graph, request = {}) {
  const left = [[]];
  while (left.length) {
    const choices = left.pop();
    const result = await ask(graph, { ...request, choices });
    yield result;
    const places = result.steps.filter((step) => step.do === "release" && step.enabled.length > 1).map((step) => step.enabled.length);
    for (let at = choices.length; at < places.length; at++) {
      for (let place = 1; place < places[at]; place++) left.push([...choices, ...Array(at - choices.length).fill(0), place]);
    }
  }
}

async function outcomes(graph, request) {
  const found = new Set();
  for await (const { status, errors, variables, outputs, feedback, canonical } of everySchedule(graph, request)) {
    found.add(JSON.stringify({ status, errors, variables, outputs, feedback, canonical }));
  }
  return [...found].map((text) => JSON.parse(text));
}

test("the example of INTERPRETING 3 gives one feedback: 5", async () => {
  const text = readFileSync(here("../../INTERPRETING.md"), "utf8");
  const graph = JSON.parse(text.slice(text.indexOf("## 3 Graphs")).match(/```json\n(.*?)```/s)[1]);
  const result = await ask(graph);
  assert.equal(result.status, "completed");
  assert.deepEqual(result.feedback, [[[0, 1], 5]]);
  assert.match(result.canonical.evaluations.join(), /^sum#[0-9a-f]{16}$/);
});

test("every vector in the text of the rules", { skip: !existsSync(here("../../rules")) && "no rules beside the port" }, async (group) => {
  for (const file of readdirSync(here("../../rules")).filter((name) => name.endsWith(".md"))) {
    const text = readFileSync(here(`../../rules/${file}`), "utf8");
    for (const [, body] of text.matchAll(/```json vector\n(.*?)```/gs)) {
      const { name, expect, graph, schedule, ...request } = JSON.parse(body);
      await group.test(name, async () => {
        const level = Math.max(schedule === "all" ? 2 : 0, request.level ?? 0);
        const results = schedule === "all" ? everySchedule(graph, { ...request, level }) : [await ask(graph, { ...request, level })];
        for await (const result of results) {
          for (const [field, value] of Object.entries(expect)) {
            const got = field === "canonical" ? Object.fromEntries(Object.keys(value).map((list) => [list, result.canonical[list]])) : result[field];
            assert.deepEqual(got, value, field);
          }
        }
      });
    }
  }
});

test("a controlled schedule reaches all interleavings, and no other", async () => {
  for (const [strands, steps, count] of [[2, 2, 6], [3, 2, 90], [3, 3, 1680], [4, 2, 2520]]) {
    const script = [["loop", steps - 1, [["sleep", 0]]]]; // the first label is that of the dispatch
    const graph = { nodes: Array.from({ length: strands }, (_, i) => exec(`n${i}`, script, { initiator: true })) };
    const seen = new Set();
    for await (const { steps: made } of everySchedule(graph, { options: { parallel_initiators: true } })) {
      seen.add(made.filter((step) => step.do === "release").map((step) => step.chosen).join());
    }
    assert.equal(seen.size, count);
  }
});

test("the same choices lead to the same steps", async () => {
  const graph = {
    nodes: [start([["loop", 5, [["emit"]]]], { stream: { mode: "concurrent", limit: 2 } }), exec("n", [["get", "b"], ["sleep", 2], ["feedback"]]), data("d", [["get", "a"], ["sleep", 1], ["set", "x"]])],
    connections: wires("start.body > n.enter", "start.item > d.a", "d.x > n.b"),
  };
  const choices = [1, 4, 0, 2, 2, 1, 3];
  assert.deepEqual(await ask(graph, { choices }), await ask(graph, { choices }));
});

test("forks that share evaluations end the same under every schedule", async () => {
  const graph = {
    nodes: [
      start([["const", 3], ["set", "x"], ["branches", ["o0", "o1"], [["get", "b"], ["addvar", "v"]]]]),
      exec("n", [["get", "b"], ["addvar", "v"], ["feedback"]]),
      data("d", [["get", "a"], ["add", 1], ["set", "x"]]),
      data("e", [["get", "a"], ["keep"], ["getvar", "v"], ["mix"], ["set", "x"]]),
    ],
    connections: wires("start.o0 > n.enter", "start.o1 > n.again", "start.x > d.a", "d.x > e.a", "e.x > n.b", "d.x > start.b"),
    variables: [{ name: "v", type: "int", default: 1, merge: "sum" }],
  };
  const [only, ...others] = await outcomes(graph);
  assert.deepEqual(others, []);
  assert.equal(only.variables.v, 1 + 4 + 2 * (31 * 4 + 1));
  assert.equal(only.canonical.evaluations.length, 2);
});

test("one strand evaluates, the other waits; when the first is cut off, the other takes over", async () => {
  const graph = {
    nodes: [start([["branches", ["o0", "o1"], []]]), exec("hasty", [["within", 1, [["get", "b"]]], ["feedback"]]), exec("calm", [["get", "b"], ["feedback"]]), data("d", [["sleep", 2], ["const", 8], ["set", "x"]])],
    connections: wires("start.o0 > hasty.enter", "start.o1 > calm.enter", "d.x > hasty.b", "d.x > calm.b"),
  };
  for await (const { feedback, trace } of everySchedule(graph)) {
    assert.deepEqual(feedback, [[[0, 0, 0, 0], 1], [[0, 0, 1, 0], 8]]);
    const events = trace.map(({ event }) => event).filter((event) => event.includes("evaluat"));
    assert.ok(events.length <= 4 && events.at(-1) === "evaluated", events.join());
  }
});

test("what a data node made of a failure is made anew for each demand", async () => {
  const graph = {
    nodes: [start([["get", "b"], ["get", "b"]]), data("d", [["try", [["get", "c"]], [["set", "x"]], []]]), data("bad", [["fail", "x"]])],
    connections: wires("bad.x > d.c", "d.x > start.b"),
  };
  const { trace } = await ask(graph);
  assert.deepEqual(trace.filter(({ event }) => event === "evaluating").map(({ node }) => node), ["d", "bad", "d", "bad"]);
});

test("a fork that may not be made takes no index", async () => {
  const graph = {
    nodes: [start([["try", [["branches", ["o0", "o0", "o0"], []]], [], [["emit"]]]], { stream: { mode: "concurrent" } }), exec("n", [["sleep", 1]])],
    connections: wires("start.o0 > n.enter"),
  };
  const { canonical } = await ask(graph, { options: { max_strands: 3 } });
  assert.deepEqual(canonical.strands.map(([path, word]) => `${path.at(-1)} ${word}`), ["0 forked", "1 forked", "2 forked", "2 joined"]);
});

test("a failure cancels what runs beside it, and finally runs on the way out", async () => {
  const graph = {
    nodes: [start([["try", [["branches", ["o0", "o1"], [["sleep", 9]]]], [["feedback"]], []]]), exec("bad", [["sleep", 1], ["fail", "x"]]), exec("slow", [["try", [["sleep", 5]], [], [["const", "out"], ["feedback"], ["sleep", 0], ["feedback"]]]])],
    connections: wires("start.o0 > bad.enter", "start.o1 > slow.enter"),
  };
  const [only, ...others] = await outcomes(graph);
  assert.deepEqual(others, []);
  assert.deepEqual(only.feedback, [[[0, 0], "fail: x"], [[0, 0, 1, 0], "out"]]);
  assert.deepEqual(only.canonical.strands, [[[0, 0, 0], "forked"], [[0, 0, 1], "forked"]]);
});

test("of a run that was cancelled at any point, everything that started is closed", async () => {
  const graph = {
    nodes: [
      start([["try", [["loop", 3, [["emit"]]], ["within", 4, [["trigger", "o0"]]]], [["feedback"]], [["getvar", "v"], ["feedback"]]]], { stream: { mode: "concurrent", limit: 2, on_error: "collect" }, inputs: { life: ["ok", "ok"] } }),
      exec("n", [["get", "b"], ["sleep", 1], ["branches", ["o0"], [["trigger", "o1"]]]]),
      exec("m", [["get", "b"], ["sleep", 2]]),
      data("d", [["get", "c"], ["sleep", 1], ["set", "x"]]),
    ],
    connections: wires("start.body > n.enter", "start.o0 > m.enter", "n.o0 > m.enter", "n.o1 > m.again", "start.item > d.c", "d.x > n.b", "d.x > m.b"),
    variables: [{ name: "v", default: 0 }],
  };
  const { steps } = await ask(graph, { level: 3 });
  const releases = steps.filter((step) => step.do === "release").length;
  assert.ok(releases > 20, `${releases}`);
  for (let at = 0; at <= releases; at++) {
    for (const first of [0, 1, 2]) {
      const { status, trace, life } = await ask(graph, { level: 3, choices: Array(at).fill(first), actions: [{ at, do: "cancel" }] });
      assert.ok(status === "cancelled" || at === releases || first > 0, `${at}: ${status}`);
      assert.deepEqual(life, ["up start", "down start"]);
      const count = (...events) => trace.filter(({ event }) => events.includes(event)).length;
      assert.equal(count("started"), count("completed", "failed", "cancelled"));
      assert.equal(count("evaluating"), count("evaluated", "unevaluated"));
    }
  }
});

test("pausing and stepping anywhere changes no result", async () => {
  const graph = {
    nodes: [start([["branches", ["o0", "o1", "o0"], [["trigger", "o2"]]], ["return", "o1"]]), exec("n", [["const", 1], ["addvar", "v"], ["return", "o0"]]), exec("m", [["getvar", "v"], ["feedback"]])],
    connections: wires("start.o0 > n.enter", "start.o1 > m.enter", "start.o2 > n.again", "n.o0 > m.again"),
    variables: [{ name: "v", default: 0, merge: "sum" }],
  };
  const plain = await ask(graph, { level: 3 });
  for (let at = 0; at < 9; at++) {
    const actions = [{ at, do: "pause" }, { at: at + 1, do: "step", count: 2 }, { at: at + 4, do: "breakpoint", node: "m" }];
    const { steps, ...rest } = await ask(graph, { level: 3, actions });
    assert.deepEqual({ ...rest.canonical, variables: rest.variables }, { ...plain.canonical, variables: plain.variables });
    assert.ok(steps.some(({ chosen }) => chosen?.startsWith("g ")));
  }
});

/** What the port as a process of its own writes for these lines. */
async function converse(...lines) {
  const port = spawn(process.execPath, [here("port.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => port.on("exit", resolve));
  port.stdin.end(lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  let output = "";
  for await (const chunk of port.stdout.setEncoding("utf8")) output += chunk;
  assert.equal(await ended, 0);
  return output.trimEnd().split("\n").map((line) => JSON.parse(line));
}

test("neither triggers nor hand-overs nor data nodes are bounded by the call stack", async () => {
  const script = (end, then) => [["getstate", "n"], ["add", 1], ["setstate", "n"], ["add", -end], ["if", [then], [["const", "end"], ["feedback"]]]];
  const run = (nodes, pairs) => ({ type: "run", id: 1, graph: { trioflow: "1.0", nodes, connections: wires(pairs) } });
  const chain = (input, length, nodes = Array.from({ length }, (_, i) => data(`d${i}`, i ? [["get", input], ["add", 1], ["set", "x"]] : [["const", 0], ["set", "x"]]))) =>
    run([start([["get", "b"], ["feedback"]]), ...nodes], nodes.map((_, i) => `d${i}.x > ${i + 1 < nodes.length ? `d${i + 1}.${input}` : "start.b"}`));
  const answers = await converse(run([start(script(20_000, ["trigger", "o0"]))], ["start.o0 > start.again"]), run([start(script(50_000, ["return", "o0"]))], ["start.o0 > start.again"]), chain("a", 20_000), chain("c", 20_000));
  assert.deepEqual(answers.map(({ feedback }) => [feedback[0][0].length, feedback[0][1]]), [[20_001, "end"], [2, "end"], [2, 19_999], [2, 19_999]]);
});

test("a strand that fails as the last one is not overlooked, whoever has the turn then", async () => {
  const nodes = [start([["trigger", "o0"]]), exec("again", [["trigger", "o0"]])];
  const graph = { nodes, connections: wires("start.o0 > again.enter", "again.o0 > again.enter"), events: [{ name: "ping" }] };
  const actions = [{ at: 1, do: "publish", event: "ping" }];
  for (let depth = 2; depth < 140; depth++) {
    const options = { max_depth: depth, parallel_initiators: true };
    const { status, errors } = await ask(graph, { options, actions, level: 3 });
    assert.deepEqual([depth, status, errors], [depth, "failed", ["depth"]]);
  }
});

test("labels are ordered by their bytes in UTF-8", () => {
  const texts = ["z", "\u{1f600}", "\ufffd", "a", "ab", "\ue000", "é", ""];
  assert.deepEqual([...texts].sort(bytewise), [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
});

test("the port answers line by line, also to nonsense, and ends when told to", async () => {
  const graph = { trioflow: "1.0", nodes: [start([["const", "\u2028 ✓"], ["feedback"]])] };
  const answers = await converse({ type: "start", contract: "2.0" }, "nonsense", { type: "run", id: 7, graph }, { type: "stop" }, { type: "start" });
  assert.deepEqual(answers.map(({ type }) => type), ["started", "error", "result"]);
  assert.deepEqual([answers[2].id, answers[2].feedback], [7, [[[0, 0], "\u2028 ✓"]]]);
});

// The engine as a library: node types in JavaScript.

const types = {
  each: { enters: ["enter"], exits: ["item", "done"], inputs: { items: { type: "list" } }, outputs: { value: "any" }, stream: { item: "value", body: "item", done: "done" }, async run(ctx) { for (const item of await ctx.get("items")) await ctx.emit(item); } },
  body: { enters: ["enter"], exits: ["out"], inputs: { a: { default: null } }, outputs: { x: "any" }, run: (ctx) => ctx.run.options.body(ctx) },
};
const library = (body, more = {}, stream = null) => {
  const graph = new Graph({ nodes: [{ id: "each", type: "each", initiator: true, inputs: { items: [30, 10, 20] }, stream }, { id: "body", type: "body" }], connections: wires("each.item > body.enter", "each.value > body.a"), variables: [{ name: "v", default: [], merge: "append" }] }, { ...types, body: { ...types.body, run: body } });
  return new Run(graph, more);
};

test("strands wait for the world outside side by side, in real time", async () => {
  const order = [];
  const open = new Map(); // what lets each strand go on, by its item
  const run = library(async (ctx) => {
    const value = await ctx.get("a");
    await ctx.wait(new Promise((resolve) => {
      open.set(value, resolve);
      if (open.size === 3) open.get(10)();
    }));
    order.push(value);
    open.get(value + 10)?.();
    await ctx.sleep(5);
    ctx.setVar("v", [...ctx.getVar("v"), value]);
  }, { realTime: true }, { mode: "concurrent" });
  const begun = performance.now();
  const { status, variables } = await run.run();
  assert.deepEqual([status, order, variables.v], ["completed", [10, 20, 30], [30, 10, 20]]);
  assert.ok(performance.now() - begun >= 4);
});

test("in real time, ticks are milliseconds, and a limit that was not needed keeps nothing alive", async () => {
  const seen = [];
  const run = library(async (ctx) => {
    seen.push(await ctx.within(5, () => ctx.sleep(60_000)), ctx.now() >= 4, await ctx.within(60_000, () => ctx.sleep(1)));
  }, { realTime: true, timeout: 60_000 });
  assert.equal((await run.run()).status, "completed");
  assert.deepEqual(seen, [true, true, false, true, true, false, true, true, false]);
  assert.ok(!process.getActiveResourcesInfo().includes("Timeout"));
});

test("a cancelled body does not wait for the world any longer", async () => {
  const caught = [];
  const run = library((ctx) => ctx.wait(new Promise(() => {})).catch((error) => (caught.push(error), ctx.sleep(1))), {}, { mode: "concurrent" });
  setTimeout(() => run.cancel(), 5);
  assert.equal((await run.run()).status, "cancelled");
  assert.deepEqual(caught.map((error) => error instanceof Cancelled), [true, true, true]);
});

test("what a body throws is the failure of the run, as itself", async () => {
  const wrong = new RangeError("too much");
  const { status, failures } = await library(() => { throw wrong; }).run();
  assert.deepEqual([status, failures], ["failed", [wrong]]);
});

test("a trigger that a body did not wait for does not outlive it", async () => {
  const graph = new Graph({ nodes: [{ id: "a", type: "a", initiator: true }, { id: "b", type: "b" }], connections: wires("a.out > b.enter") }, {
    a: { exits: ["out"], run: (ctx) => void ctx.trigger("out") },
    b: { enters: ["enter"], run: (ctx) => ctx.sleep(5) },
  });
  const events = [];
  const { failures } = await new Run(graph, { observe: ({ event, node }) => events.push(`${event} ${node}`) }).run();
  assert.equal(failures[0].code, "not-awaited");
  assert.deepEqual(events, ["started a", "started b", "completed b", "failed a"]);
});

test("errors say what is there instead", async () => {
  await assert.rejects(async () => { throw (await library((ctx) => ctx.get("b")).run()).failures[0]; }, new Failure("unknown-socket", "body has no input b: there are enter, a"));
  assert.throws(() => new Graph({ nodes: [{ id: "a", type: "x" }] }, types), (error) => error instanceof InvalidGraph && error.problems[0].path === "nodes[0].type");
});

test("the example of the README runs", async () => {
  const [, code] = readFileSync(here("README.md"), "utf8").match(/```js\n(.*?)```/s);
  const module = `data:text/javascript,${encodeURIComponent(code.replace('"./engine.mjs"', JSON.stringify(new URL("engine.mjs", import.meta.url).href)))}`;
  const log = [];
  const print = console.log;
  console.log = (...values) => log.push(values.join(" "));
  try {
    await import(module);
  } finally {
    console.log = print;
  }
  assert.deepEqual(log, ["completed 14"]);
});
