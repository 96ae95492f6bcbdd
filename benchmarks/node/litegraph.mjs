// litegraph.js: actions are called along event links; a step of the graph executes every node in order.

import { createRequire } from "node:module";
import { inBrowser } from "./in_browser.mjs";
import { chain as chainTable, compute, diamonds, layers, tree, wide } from "./data_graphs.mjs";

const require = createRequire(import.meta.url);
const { LGraph, LiteGraph } = require("litegraph.js");

export const packages = ["litegraph.js"];
const none = (names, why) => Object.fromEntries(names.split(" ").map((name) => [name, why]));
export const cannot = {
  loop_data: "an action does not evaluate what it uses: values are those of the last step of the graph",
  data_reuse: "values are not demanded: each step of the graph executes every node",
  ...none("emit emit_writes long_emit sleepers together cancel", "nothing runs side by side"),
  sleepers_virtual: "no virtual clock",
  plan: "the order is found while it is built",
  ...none("observers_0 observers_1 observers_3 observers_file", "no events of actions"),
  pause: "stopping the graph stops its steps, not its actions",
  host_gap: "synchronous: its host waits until the end",
};

LiteGraph.debug = false;
// Otherwise it takes no more than a thousand.
LiteGraph.MAX_NUMBER_OF_NODES = 10_000_000;
let ran = 0;

class Step {
  constructor() {
    this.addInput("enter", LiteGraph.ACTION);
    this.addOutput("then", LiteGraph.EVENT);
  }
  onAction() {
    ran++;
    this.triggerSlot(0);
  }
}

class Loop {
  constructor() {
    this.addInput("enter", LiteGraph.ACTION);
    this.addOutput("body", LiteGraph.EVENT);
    this.times = 1;
  }
  onAction() {
    for (let index = 0; index < this.times; index++) this.triggerSlot(0);
  }
}

class Count {
  constructor() {
    this.addInput("enter", LiteGraph.ACTION);
    this.addOutput("again", LiteGraph.EVENT);
  }
  onAction() {
    if (++ran < this.times) this.triggerSlot(0);
  }
}

function value(count) {
  return class {
    constructor() {
      for (const name of ["a", "b"].slice(0, count)) this.addInput(name, "number");
      this.addOutput("result", "number");
      this.outside = [];
    }
    onExecute() {
      const given = this.inputs ? this.inputs.map((_, place) => this.getInputData(place)) : [];
      this.result = compute(given.map((each) => each ?? this.outside[0]));
      this.setOutputData(0, this.result);
    }
  };
}

LiteGraph.registerNodeType("bench/step", Step);
LiteGraph.registerNodeType("bench/loop", Loop);
LiteGraph.registerNodeType("bench/count", Count);
for (const count of [0, 1, 2]) LiteGraph.registerNodeType(`bench/value${count}`, value(count));

function added(graph, type) {
  const node = LiteGraph.createNode(type);
  graph.add(node, true); // the order of execution is found once, at the end
  return node;
}

function counted(first) {
  return () => {
    ran = 0;
    first.onAction("enter");
    return BigInt(ran);
  };
}

export function loop(size) {
  const graph = new LGraph();
  const [each, step] = [added(graph, "bench/loop"), added(graph, "bench/step")];
  each.times = size;
  each.connect(0, step, 0);
  return counted(each);
}
export { loop as long_loop };

export function hand_over(size) {
  const graph = new LGraph();
  const count = added(graph, "bench/count");
  const back = added(graph, "bench/step"); // a node can't be connected to itself
  back.onAction = () => back.triggerSlot(0);
  count.times = size;
  count.connect(0, back, 0);
  back.connect(0, count, 0);
  return counted(count);
}

function row(graph, size) {
  const steps = Array.from({ length: size }, () => added(graph, "bench/step"));
  for (let number = 1; number < size; number++) steps[number - 1].connect(0, steps[number], 0);
  return steps;
}

// Going on is a call that comes back when all that follows is done.
export function chain(size) {
  const [first] = row(new LGraph(), size);
  return counted(first);
}
export { chain as chain_awaited };

export function fan_out(size) {
  const graph = new LGraph();
  const first = added(graph, "bench/loop");
  for (let number = 0; number < size; number++) first.connect(0, added(graph, "bench/step"), 0);
  return counted(first);
}

function made(table) {
  const graph = new LGraph();
  const nodes = new Map();
  for (const [name, uses] of table) {
    const node = added(graph, `bench/value${uses.length}`);
    nodes.set(name, node);
    for (const [place, use] of uses.entries()) if (nodes.has(use)) nodes.get(use).connect(0, node, place);
  }
  graph.updateExecutionOrder();
  return { graph, nodes };
}

function wanting({ table, wanted, value: expected }) {
  const { graph, nodes } = made(table);
  const end = nodes.get([wanted].flat().at(-1));
  return () => {
    end.result = undefined;
    graph.runStep(1);
    if (end.result !== expected) throw new Error(`${end.result} instead of ${expected}`);
  };
}

export const data_chain = (size) => wanting(chainTable(size));
export const data_diamonds = (size) => wanting(diamonds(size));
export const data_layers = (size) => wanting(layers(size));

// It knows nothing of changes: everything is executed again.
export function data_change(size) {
  const { table, wanted } = tree(size);
  const { graph, nodes } = made(table);
  const [leaf, end] = [nodes.get("leaf0"), nodes.get(wanted)];
  leaf.outside = [0];
  return () => {
    leaf.outside[0] += 100;
    const started = performance.now();
    graph.runStep(1);
    const seconds = (performance.now() - started) / 1000;
    if (end.result <= leaf.outside[0]) throw new Error("stale");
    return seconds;
  };
}

export function build(size) {
  return () => {
    row(new LGraph(), size);
  };
}

export function load(size) {
  const graph = new LGraph();
  row(graph, size);
  const text = JSON.stringify(graph.serialize());
  return () => {
    if (new LGraph().configure(JSON.parse(text))) throw new Error("it could not be loaded");
  };
}

export function first_step(size) {
  const graph = new LGraph();
  const first = added(graph, "bench/step");
  row(graph, size - 1);
  return () => {
    first.onAction("enter");
  };
}

// --- its editor, in Chromium ---

const page = (size, then) => inBrowser({ "litegraph.js": "litegraph.js/build/litegraph.js" }, '<canvas id=canvas width=1280 height=800></canvas>', `
LiteGraph.MAX_NUMBER_OF_NODES = 1e6;
class Add extends LGraphNode { constructor() { super('add'); this.addInput('a', 'number'); this.addInput('b', 'number'); this.addOutput('result', 'number'); } }
LiteGraph.registerNodeType('bench/add', Add);
const graph = new LGraph();
graph.updateExecutionOrder = () => {}; // once, below, instead of at each wire
const nodes = Array.from({ length: ${size} }, (_, number) => { const node = LiteGraph.createNode('bench/add'); node.pos = place(number); graph.add(node, true); return node; });
sources(${size}).forEach((pair, each) => pair.forEach((from, side) => nodes[from].connect(0, nodes[each + 1], side)));
delete graph.updateExecutionOrder;
graph.updateExecutionOrder();
const canvas = new LGraphCanvas('#canvas', graph);
const links = Object.keys(graph.links);
const widest = Math.max(...nodes.map((each) => each.pos[0])) + 260;
canvas.ds.min_scale = 0.01;
canvas.ds.scale = Math.min(1, 1280 / widest, 800 / 7300);
canvas.setDirty(true, true);
(async () => { canvas.draw(true, true); await frame(); ${then} })();
`);

export const studio_load = (size) => () => page(size, "done(performance.now() / 1000);");
export const studio_frame = (size) => () => page(size, `
  const zoom = (by) => { canvas.ds.changeScale(canvas.ds.scale * by, [400, 400]); canvas.setDirty(true, true); canvas.draw(); };
  const light = () => { for (let i = 0; i < 33; i++) graph.links[links[Math.floor(Math.random() * links.length)]]._last_time = LiteGraph.getTime(); };
  canvas.stopRendering();
  done(await moved(zoom, light));
`);
