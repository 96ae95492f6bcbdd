// Node-RED without its editor and web server: messages are sent from node to node through its event loop.

import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

export const packages = ["node-red"];
const none = (names, why) => Object.fromEntries(names.split(" ").map((name) => [name, why]));
export const cannot = {
  ...none("loop_data data_chain data_diamonds data_layers data_reuse data_change", "no data nodes: a message brings the values"),
  chain_awaited: "a node can't await another",
  emit_writes: "what messages write to a context is not merged",
  together: "messages do not wait for each other, except in a join, which ends them",
  sleepers_virtual: "no virtual clock",
  build: "a flow is a document",
  plan: "a flow is started as it is loaded",
  observers_file: "no trace to a file",
  cancel: "messages under way can't be cancelled",
  pause: "nothing can be paused while it runs",
  host_gap: "no strands: every message is a turn of the event loop",
};

const bench = { first: undefined, ended: 0, finished: undefined };

async function started() {
  const RED = require("node-red");
  const folder = mkdtempSync(join(tmpdir(), "bench-node-red-"));
  const settings = {
    userDir: folder,
    nodesDir: fileURLToPath(new URL("node_red", import.meta.url)),
    httpAdminRoot: false,
    httpNodeRoot: false,
    disableEditor: true,
    telemetry: { enabled: false, updateNotification: false },
    flowFile: "flows.json",
    credentialSecret: false,
    logging: { console: { level: "off", metrics: false, audit: false } },
    bench,
  };
  RED.init(settings);
  const begun = flowsStarted(RED);
  await RED.start();
  await begun;
  return RED;
}

const flowsStarted = (RED) => new Promise((resolve) => RED.events.once("flows:started", resolve));

async function deploy(RED, nodes) {
  const tab = { id: "tab", type: "tab", label: "bench" };
  const placed = nodes.map((node) => ({ x: 0, y: 0, wires: [[]], ...node, z: "tab" }));
  const begun = flowsStarted(RED);
  await RED.runtime.flows.setFlows({ flows: { flows: [tab, ...placed] }, deploymentType: "full" });
  await begun;
}

async function running(nodes) {
  const RED = await started();
  await deploy(RED, nodes);
  return RED;
}

function once() {
  bench.ended = 0;
  const done = new Promise((resolve) => (bench.finished = resolve));
  bench.first.receive({ payload: 0 });
  return done.then(BigInt);
}

const looped = (size) => [
  { id: "first", type: "bench-loop", times: size, wires: [["end"]] },
  { id: "end", type: "bench-end", times: size },
];

export async function loop(size) {
  await running(looped(size));
  return once;
}
export { loop as long_loop, loop as observers_0 };

// Items are messages; its own node joins them to one.
export async function emit(size) {
  await running([
    { id: "first", type: "bench-loop", times: size, wires: [["step"]] },
    { id: "step", type: "bench-step", wires: [["join"]] },
    { id: "join", type: "join", mode: "custom", build: "array", property: "payload", propertyType: "msg", count: String(size), wires: [["end"]] },
    { id: "end", type: "bench-end", times: 1 },
  ]);
  return async () => {
    await once();
  };
}
export { emit as long_emit };

export async function sleepers(size) {
  await running([
    { id: "first", type: "bench-loop", times: size, wires: [["delay"]] },
    { id: "delay", type: "delay", pauseType: "delay", timeout: "10", timeoutUnits: "milliseconds", wires: [["end"]] },
    { id: "end", type: "bench-end", times: size },
  ]);
  return once;
}

export async function hand_over(size) {
  await running([{ id: "first", type: "bench-count", times: size, wires: [["first"]] }]);
  return once;
}

const row = (size, last) =>
  Array.from({ length: size }, (_, number) => ({
    id: number ? `n${number}` : "first",
    type: "bench-step",
    wires: [[number + 1 < size ? `n${number + 1}` : last]],
  }));

export async function chain(size) {
  await running([...row(size, "end"), { id: "end", type: "bench-end", times: 1 }]);
  return async () => {
    await once();
  };
}

export async function fan_out(size) {
  const names = Array.from({ length: size }, (_, number) => `n${number}`);
  await running([
    { id: "first", type: "bench-step", wires: [names] },
    ...names.map((id) => ({ id, type: "bench-step", wires: [["end"]] })),
    { id: "end", type: "bench-end", times: size },
  ]);
  return once;
}

export async function load(size) {
  const RED = await started();
  return () => deploy(RED, row(size, "end").slice(0, -1));
}

export async function first_step(size) {
  const rest = row(size - 2, "n1").map((node) => ({ ...node, id: node.id === "first" ? "n0" : node.id }));
  await running([{ id: "first", type: "bench-step", wires: [["end"]] }, { id: "end", type: "bench-end", times: 1 }, ...rest]);
  return async () => {
    await once();
  };
}

async function observed(size, count) {
  const RED = await running(looped(size));
  let seen = 0;
  const watch = (_) => {
    seen++;
  };
  for (let number = 0; number < count; number++) {
    RED.hooks.add(`onSend.bench${number}`, watch);
    RED.hooks.add(`onReceive.bench${number}`, watch);
  }
  return async () => {
    const before = seen;
    await once();
    if (seen - before < 2 * size * count) throw new Error("events are missing");
  };
}

export const observers_1 = (size) => observed(size, 1);
export const observers_3 = (size) => observed(size, 3);
