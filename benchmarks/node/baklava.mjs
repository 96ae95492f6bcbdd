// BaklavaJS: nodes with a `calculate` function, evaluated in topological order by its dependency engine.

import { createRequire } from "node:module";
import { chain, compute, diamonds, layers, tree, wide } from "./data_graphs.mjs";

const require = createRequire(import.meta.url);
const { Editor, defineNode, NodeInterface } = require("@baklavajs/core");
const { DependencyEngine } = require("@baklavajs/engine");

export const packages = ["@baklavajs/core", "@baklavajs/engine"];
const none = (names, why) => Object.fromEntries(names.split(" ").map((name) => [name, why]));
export const cannot = {
  ...none("loop loop_data hand_over chain chain_awaited long_loop first_step", "no control flow: every node is calculated once"),
  ...none("observers_0 observers_1 observers_3 observers_file", "no loop to watch"),
  ...none("emit emit_writes long_emit sleepers together", "nodes are calculated one after the other"),
  data_reuse: "nothing is kept between two runs",
  sleepers_virtual: "no virtual clock",
  plan: "the order is found when it runs",
  cancel: "a run goes on until its end",
  pause: "pausing the engine does not pause a run",
  host_gap: "one run at a time, without strands",
};

const inputs = (count) => Object.fromEntries(["a", "b"].slice(0, count).map((key) => [key, () => new NodeInterface(key, 0)]));
const types = [0, 1, 2].map((count) =>
  defineNode({
    type: `Value${count}`,
    inputs: inputs(count),
    outputs: { result: () => new NodeInterface("result", 0) },
    calculate: (given) => ({ result: compute(Object.values(given)) }),
  }),
);

function made(table) {
  const editor = new Editor();
  for (const type of types) editor.registerNodeType(type);
  const nodes = new Map();
  for (const [name, uses] of table) {
    const node = editor.graph.addNode(new types[uses.length]());
    nodes.set(name, node);
    for (const [place, use] of uses.entries())
      if (nodes.has(use)) editor.graph.addConnection(nodes.get(use).outputs.result, node.inputs["ab"[place]]);
  }
  return { editor, nodes };
}

function wanting({ table, wanted, value }) {
  const { editor, nodes } = made(table);
  const engine = new DependencyEngine(editor);
  const id = nodes.get([wanted].flat().at(-1)).id;
  return async () => {
    const result = (await engine.runOnce()).get(id).get("result");
    if (result !== value) throw new Error(`${result} instead of ${value}`);
  };
}

export const data_chain = (size) => wanting(chain(size));
export const data_diamonds = (size) => wanting(diamonds(size));
export const data_layers = (size) => wanting(layers(size));
export const fan_out = (size) => wanting({ table: wide(size + 1), wanted: `n${size}`, value: 2 });

// It knows nothing of changes: everything is calculated again.
export function data_change(size) {
  const { table, wanted } = tree(size);
  const { editor, nodes } = made(table);
  const engine = new DependencyEngine(editor);
  const leaf = nodes.get("leaf0");
  return async () => {
    const started = performance.now();
    leaf.inputs.a.value += 100;
    const result = (await engine.runOnce()).get(nodes.get(wanted).id).get("result");
    const seconds = (performance.now() - started) / 1000;
    if (result <= leaf.inputs.a.value) throw new Error("stale");
    return seconds;
  };
}

export function build(size) {
  return () => {
    made(chain(size).table);
  };
}

export function load(size) {
  const text = JSON.stringify(made(chain(size).table).editor.save());
  return () => {
    const editor = new Editor();
    for (const type of types) editor.registerNodeType(type);
    const problems = editor.load(JSON.parse(text));
    if (problems.length > 0) throw new Error(problems[0]);
  };
}
