// Rete: its control-flow engine pushes, its dataflow engine pulls and keeps what it has.

import { ClassicPreset, NodeEditor } from "rete";
import { ControlFlowEngine, DataflowEngine } from "rete-engine";
import { chain as chainTable, compute, diamonds, layers, tree, wide } from "./data_graphs.mjs";

export const packages = ["rete", "rete-engine"];
const sync = "synchronous: its host waits until the end";
export const cannot = {
  emit: "items are steps one after the other",
  emit_writes: "items are steps one after the other",
  long_emit: "items are steps one after the other",
  sleepers: "no join: nobody is told when all are done",
  together: "no join: nobody is told when all are done",
  sleepers_virtual: "no virtual clock",
  plan: "a graph runs as it is",
  load: "no documents of its own",
  observers_0: "no events of a run",
  observers_1: "no events of a run",
  observers_3: "no events of a run",
  observers_file: "no events of a run",
  cancel: "control flow can't be cancelled",
  pause: "nothing can be paused while it runs",
  host_gap: sync,
};

const socket = new ClassicPreset.Socket("any");
let ran = 0;

class Step extends ClassicPreset.Node {
  constructor() {
    super("step");
    this.addInput("enter", new ClassicPreset.Input(socket, undefined, true));
    this.addOutput("then", new ClassicPreset.Output(socket));
  }
  execute(_, forward) {
    ran++;
    forward("then");
  }
  data() {
    return {};
  }
}

class Loop extends Step {
  constructor(times) {
    super();
    this.times = times;
    this.index = 0;
    this.addOutput("index", new ClassicPreset.Output(socket));
  }
  execute(_, forward) {
    for (this.index = 0; this.index < this.times; this.index++) forward("then");
  }
  data() {
    return { index: this.index };
  }
}

// Goes on whenever its body is done, which is how a loop waits for a body that awaits.
class AskingLoop extends Loop {
  execute(input, forward) {
    this.index = input === "enter" ? 0 : this.index + 1;
    forward(this.index < this.times ? "then" : "done");
  }
}

class Count extends Step {
  constructor(times) {
    super();
    this.times = times;
  }
  execute(_, forward) {
    ran++;
    if (ran < this.times) forward("then");
  }
}

class Value extends ClassicPreset.Node {
  constructor() {
    super("value");
    this.addInput("a", new ClassicPreset.Input(socket));
    this.addInput("b", new ClassicPreset.Input(socket));
    this.addOutput("result", new ClassicPreset.Output(socket));
  }
  data({ a = [], b = [] }) {
    return { result: compute([...a, ...b]) };
  }
}

class Outside extends ClassicPreset.Node {
  constructor() {
    super("outside");
    this.value = 0;
    this.addOutput("result", new ClassicPreset.Output(socket));
  }
  data() {
    return { result: this.value };
  }
}

async function wire(editor, from, output, to, input) {
  await editor.addConnection(new ClassicPreset.Connection(from, output, to, input));
}

function control() {
  const editor = new NodeEditor();
  const engine = new ControlFlowEngine();
  editor.use(engine);
  return { editor, engine };
}

function counted(engine, first) {
  return () => {
    ran = 0;
    engine.execute(first.id, "enter");
    return BigInt(ran);
  };
}

export async function loop(size) {
  const { editor, engine } = control();
  const [each, step] = [new Loop(size), new Step()];
  await editor.addNode(each);
  await editor.addNode(step);
  await wire(editor, each, "then", step, "enter");
  return counted(engine, each);
}
export { loop as long_loop };

export async function loop_data(size) {
  const editor = new NodeEditor();
  const flow = (node) => ({ inputs: () => ["enter", "next"].filter((key) => node.inputs?.[key]), outputs: () => ["then", "done"].filter((key) => node.outputs?.[key]) });
  const values = (node) => ({
    inputs: () => Object.keys(node.inputs).filter((key) => !["enter", "next"].includes(key)),
    outputs: () => Object.keys(node.outputs).filter((key) => !["then", "done"].includes(key)),
  });
  const engine = new ControlFlowEngine(flow);
  const data = new DataflowEngine(values);
  editor.use(engine);
  editor.use(data);
  let finished;
  class Take extends Step {
    constructor() {
      super();
      this.addInput("value", new ClassicPreset.Input(socket));
    }
    async execute(_, forward) {
      data.reset();
      const { value } = await data.fetchInputs(this.id);
      this.got = value[0];
      forward("then");
    }
  }
  class End extends Step {
    execute() {
      finished();
    }
  }
  class Plus extends Value {
    execute() {}
  }
  const each = new AskingLoop(size);
  each.addInput("next", new ClassicPreset.Input(socket, undefined, true));
  each.addOutput("done", new ClassicPreset.Output(socket));
  const [take, plus, end] = [new Take(), new Plus(), new End()];
  for (const node of [each, take, plus, end]) await editor.addNode(node);
  await wire(editor, each, "then", take, "enter");
  await wire(editor, take, "then", each, "next");
  await wire(editor, each, "done", end, "enter");
  await wire(editor, each, "index", plus, "a");
  await wire(editor, plus, "result", take, "value");
  return async () => {
    const done = new Promise((resolve) => (finished = resolve));
    engine.execute(each.id, "enter");
    await done;
    return BigInt(take.got);
  };
}

export async function hand_over(size) {
  const { editor, engine } = control();
  const count = new Count(size);
  await editor.addNode(count);
  await wire(editor, count, "then", count, "enter");
  return counted(engine, count);
}

async function row(editor, size) {
  const steps = Array.from({ length: size }, () => new Step());
  for (const step of steps) await editor.addNode(step);
  for (let number = 1; number < size; number++) await wire(editor, steps[number - 1], "then", steps[number], "enter");
  return steps;
}

// Going on is a call that comes back when all that follows is done.
export async function chain(size) {
  const { editor, engine } = control();
  const [first] = await row(editor, size);
  return counted(engine, first);
}
export { chain as chain_awaited };

export async function fan_out(size) {
  const { editor, engine } = control();
  const first = new Loop(1);
  await editor.addNode(first);
  for (let number = 0; number < size; number++) {
    const step = new Step();
    await editor.addNode(step);
    await wire(editor, first, "then", step, "enter");
  }
  return counted(engine, first);
}

async function made(table, outside) {
  const editor = new NodeEditor();
  const engine = new DataflowEngine();
  editor.use(engine);
  const nodes = new Map(outside ? [["changing", outside]] : []);
  if (outside) await editor.addNode(outside);
  for (const [name, uses] of table) {
    const node = new Value();
    nodes.set(name, node);
    await editor.addNode(node);
    for (const [place, use] of uses.entries()) await wire(editor, nodes.get(use), "result", node, "ab"[place]);
  }
  return { engine, nodes };
}

async function wanting({ table, wanted, value }) {
  const { engine, nodes } = await made(table);
  return async () => {
    engine.reset();
    for (const name of [wanted].flat()) {
      const { result } = await engine.fetch(nodes.get(name).id);
      if (result !== value) throw new Error(`${result} instead of ${value}`);
    }
  };
}

export const data_chain = async (size) => wanting(chainTable(size));
export const data_diamonds = async (size) => wanting(diamonds(size));
export const data_layers = async (size) => wanting(layers(size));

export async function data_reuse(size) {
  const { engine, nodes } = await made(wide(1));
  const { id } = nodes.get("n0");
  return async () => {
    for (let number = 0; number < size; number++) await engine.fetch(id);
  };
}

export async function data_change(size) {
  const { table, wanted } = tree(size);
  const outside = new Outside();
  const { engine, nodes } = await made(table, outside);
  const { id } = nodes.get(wanted);
  await engine.fetch(id);
  return async () => {
    outside.value += 100;
    const started = performance.now();
    engine.reset(outside.id);
    const { result } = await engine.fetch(id);
    const seconds = (performance.now() - started) / 1000;
    if (result <= outside.value) throw new Error("stale");
    return seconds;
  };
}

export function build(size) {
  return async () => {
    const { editor } = control();
    await row(editor, size);
  };
}

export async function first_step(size) {
  const { editor, engine } = control();
  const first = new Step();
  await editor.addNode(first);
  await row(editor, size - 1);
  return () => engine.execute(first.id, "enter");
}
