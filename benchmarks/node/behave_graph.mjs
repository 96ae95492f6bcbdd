// behave-graph: flow nodes run on fibers, function nodes are evaluated when a flow node uses them.

import { createRequire } from "node:module";
import { chain as chainTable, diamonds, layers, tree } from "./data_graphs.mjs";

const require = createRequire(import.meta.url);
const {
  DefaultLogger,
  Engine,
  FlowNode,
  ManualLifecycleEventEmitter,
  NodeDescription,
  readGraphFromJSON,
  registerCoreProfile,
  Registry,
  Socket,
} = require("@behave-graph/core");

export const packages = ["@behave-graph/core"];
const none = (names, why) => Object.fromEntries(names.split(" ").map((name) => [name, why]));
export const cannot = {
  chain_awaited: "a flow node can't await another",
  data_reuse: "nothing is kept: what a flow node uses is evaluated whenever it is triggered",
  ...none("emit emit_writes long_emit", "how many run side by side is fixed when the graph is built"),
  together: "no node waits for others on other fibers",
  sleepers_virtual: "no virtual clock",
  plan: "a graph runs as it is",
  observers_file: "no trace to a file",
  pause: "nothing can be paused but by giving it fewer steps",
  host_gap: "synchronous between delays: its host waits until the end",
};

let ran = 0;
let got;

class Step extends FlowNode {
  constructor(description, graph) {
    super(description, graph, [new Socket("flow", "flow")], [new Socket("flow", "flow")]);
  }
  triggered(fiber) {
    ran++;
    fiber.commit(this, "flow");
  }
}

class Count extends FlowNode {
  constructor(description, graph) {
    super(description, graph, [new Socket("flow", "flow"), new Socket("integer", "times")], [new Socket("flow", "flow")]);
  }
  triggered(fiber) {
    if (++ran < this.readInput("times")) fiber.commit(this, "flow");
  }
}

class Take extends FlowNode {
  constructor(description, graph) {
    super(description, graph, [new Socket("flow", "flow"), new Socket("integer", "value")], []);
  }
  triggered() {
    got = this.readInput("value");
  }
}

const registry = new Registry();
const lifecycle = new ManualLifecycleEventEmitter();
registerCoreProfile(registry, new DefaultLogger(), lifecycle);
for (const [name, type] of Object.entries({ step: Step, count: Count, take: Take }))
  registry.nodes.register(new NodeDescription(`bench/${name}`, "Flow", name, (description, graph) => new type(description, graph)));

const to = (nodeId, socket = "flow") => ({ nodeId, socket });
const link = (nodeId, socket = "result") => ({ link: { nodeId, socket } });

function started(first, nodes) {
  return { nodes: [{ id: "start", type: "lifecycle/onStart", flows: { flow: to(first) } }, ...nodes] };
}

function ready(document) {
  return new Engine(readGraphFromJSON(document, registry));
}

function counted(document) {
  const engine = ready(document);
  return () => {
    ran = 0;
    lifecycle.startEvent.emit();
    engine.executeAllSync();
    return BigInt(ran);
  };
}

const each = (size, body) => ({
  id: "each",
  type: "flow/forLoop",
  parameters: { startIndex: { value: "0" }, endIndex: { value: String(size) } },
  flows: { loopBody: to(body) },
});
const looped = (size) => started("each", [each(size, "step"), { id: "step", type: "bench/step" }]);

export const loop = (size) => counted(looped(size));
export { loop as long_loop, loop as observers_0 };

export function loop_data(size) {
  const engine = ready(
    started("each", [
      each(size, "take"),
      { id: "plus", type: "math/add/integer", parameters: { a: link("each", "index"), b: { value: "1" } } },
      { id: "take", type: "bench/take", parameters: { value: link("plus") } },
    ]),
  );
  return () => {
    lifecycle.startEvent.emit();
    engine.executeAllSync();
    return got;
  };
}

export const hand_over = (size) =>
  counted(
    started("count", [
      { id: "count", type: "bench/count", parameters: { times: { value: String(size) } }, flows: { flow: to("count") } },
    ]),
  );

const row = (size) =>
  Array.from({ length: size }, (_, number) => ({
    id: `n${number}`,
    type: "bench/step",
    ...(number + 1 < size ? { flows: { flow: to(`n${number + 1}`) } } : {}),
  }));

export const chain = (size) => counted(started("n0", row(size)));

const sequence = (size) => ({
  id: "all",
  type: "flow/sequence",
  configuration: { numOutputs: size },
  flows: Object.fromEntries(Array.from({ length: size }, (_, number) => [`${number + 1}`, to(`n${number}`)])),
});

// An output has one target; its own node for several has an output for each.
export const fan_out = (size) =>
  counted(started("all", [sequence(size), ...row(size).map(({ id, type }) => ({ id, type }))]));

function values(table, outside = {}) {
  return [...table].map(([id, uses]) => {
    const given = uses.map((use) => (use in outside ? { value: outside[use] } : link(use)));
    if (uses.length === 2) return { id, type: "math/max/integer", parameters: { a: given[0], b: given[1] } };
    return { id, type: "math/add/integer", parameters: { a: given[0] ?? { value: "0" }, b: { value: "1" } } };
  });
}

function wanting({ table, wanted, value }) {
  const take = { id: "take", type: "bench/take", parameters: { value: link([wanted].flat().at(-1)) } };
  const engine = ready(started("take", [take, ...values(table)]));
  return () => {
    lifecycle.startEvent.emit();
    engine.executeAllSync();
    if (got !== BigInt(value)) throw new Error(`${got} instead of ${value}`);
  };
}

export const data_chain = (size) => wanting(chainTable(size));
// The greater of two alone, as its own node has it: the values are those of the left sides.
export const data_diamonds = (size) => {
  const { table, wanted } = diamonds(size);
  return wanting({ table, wanted, value: 1 + Math.floor(size / 3) });
};
export const data_layers = (size) => {
  const { table, wanted } = layers(size);
  return wanting({ table, wanted, value: 1 });
};

// It knows nothing of changes: everything is evaluated again.
export function data_change(size) {
  const { table, wanted } = tree(size);
  const take = { id: "take", type: "bench/take", parameters: { value: link(wanted) } };
  const engine = ready(started("take", [take, ...values(table, { changing: "0" })]));
  const leaf = engine.graph.nodes.leaf0.inputs.find((each) => each.name === "a");
  return () => {
    leaf.value += 100n;
    const begun = performance.now();
    lifecycle.startEvent.emit();
    engine.executeAllSync();
    const seconds = (performance.now() - begun) / 1000;
    if (got <= leaf.value) throw new Error("stale");
    return seconds;
  };
}

export function sleepers(size) {
  const delays = row(size).map(({ id }) => ({ id, type: "time/delay", parameters: { duration: { value: "0.01" } } }));
  const engine = ready(started("all", [sequence(size), ...delays]));
  return async () => {
    lifecycle.startEvent.emit();
    await engine.executeAllAsync();
  };
}

export function cancel(size) {
  const delays = row(size).map(({ id }) => ({ id, type: "time/delay", parameters: { duration: { value: "3600" } } }));
  const document = started("all", [sequence(size), ...delays]);
  return () => {
    const engine = ready(document);
    lifecycle.startEvent.emit();
    engine.executeAllSync();
    const begun = performance.now();
    engine.dispose();
    return (performance.now() - begun) / 1000;
  };
}

export function build(size) {
  const document = started("n0", row(size));
  return () => {
    ready(document);
  };
}

export function load(size) {
  const text = JSON.stringify(started("n0", row(size)));
  return () => {
    readGraphFromJSON(JSON.parse(text), registry);
  };
}

export function first_step(size) {
  const engine = ready(started("first", [{ id: "first", type: "bench/step" }, ...row(size - 2)]));
  return () => {
    lifecycle.startEvent.emit();
    engine.executeAllSync();
  };
}

function observed(size, count) {
  const engine = ready(looped(size));
  let seen = 0;
  for (let number = 0; number < count; number++) {
    engine.onNodeExecutionStart.addListener(() => seen++);
    engine.onNodeExecutionEnd.addListener(() => seen++);
  }
  return () => {
    const before = seen;
    lifecycle.startEvent.emit();
    engine.executeAllSync();
    if (seen - before < 2 * size * count) throw new Error("events are missing");
  };
}

export const observers_1 = (size) => observed(size, 1);
export const observers_3 = (size) => observed(size, 3);
