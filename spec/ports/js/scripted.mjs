// The scripted node types (INTERPRETING 4 and 5): nodes that do what the list in their input `script` says.

import { Cancelled, Failure, codes } from "./engine.mjs";

const MODULUS = 1_000_003;

const number = (value) => {
  if (typeof value === "number") return value;
  if (typeof value === "string") return [...value].length;
  return Array.isArray(value) ? value.length : Number(value ?? 0);
};
const list = (value) => (Array.isArray(value) ? value : []);
const reduce = (value) => ((value % MODULUS) + MODULUS) % MODULUS;
const residue = (value) => reduce(number(value));

/** What a script works with: the accumulator and the kept value. */
class Registers {
  acc = null;
  kept = 0;
}

// A script that ends early: the exec output to hand over to.
class Return {
  constructor(socket) { this.socket = socket; }
}

// Each gets the context of its body, the registers, and its own arguments. One that gives a `Return` ends the script.
const operations = {
  const: (ctx, r, value) => void (r.acc = value),
  add: (ctx, r, value) => void (r.acc = reduce(residue(r.acc) + residue(value))),
  mul: (ctx, r, value) => void (r.acc = reduce(residue(r.acc) * residue(value))),
  keep: (ctx, r) => void (r.kept = r.acc),
  mix: (ctx, r) => void (r.acc = reduce(31 * residue(r.kept) + residue(r.acc))),
  get: async (ctx, r, input) => void (r.acc = await ctx.get(input)),
  tryget: async (ctx, r, input, instead) => void (r.acc = await ctx.tryGet(input, instead)),
  set: (ctx, r, output) => ctx.set(output, r.acc),
  getvar: (ctx, r, name) => void (r.acc = ctx.getVar(name)),
  setvar: (ctx, r, name) => ctx.setVar(name, r.acc),
  addvar: (ctx, r, name) => ctx.setVar(name, reduce(residue(ctx.getVar(name)) + residue(r.acc))),
  appendvar: (ctx, r, name) => ctx.setVar(name, [...list(ctx.getVar(name)), r.acc]),
  getstate: (ctx, r, key) => void (r.acc = ctx.getState(key)),
  setstate: (ctx, r, key) => ctx.setState(key, r.acc),
  trigger: (ctx, r, socket, outputs = []) => ctx.trigger(socket, outputs.map((output) => [output, r.acc])),
  emit: (ctx, r) => ctx.emit(r.acc),
  join: (ctx) => ctx.join(),
  failures: (ctx, r) => void (r.acc = ctx.failures().length),
  branches: (ctx, r, sockets, ops) => ctx.branches(sockets, () => perform(ctx, r, ops)),
  async twice(ctx, r, socket) {
    onlyExec(ctx);
    ctx.scope.check();
    if (!ctx.node.targets(socket).length) return;
    const [, second] = await Promise.allSettled([ctx.trigger(socket), ctx.trigger(socket)]);
    throw second.reason;
  },
  publish: (ctx, r, event) => ctx.publish(event, r.acc),
  payload: (ctx, r) => void (r.acc = ctx.payload),
  entered: (ctx, r) => void (r.acc = ctx.entered),
  feedback: (ctx, r) => ctx.feedback(r.acc),
  sleep: (ctx, r, ticks) => ctx.sleep(ticks),
  now: (ctx, r) => void (r.acc = ctx.now()),
  async within(ctx, r, ticks, ops) {
    let end;
    const cut = await ctx.within(ticks, async () => void (end = await perform(ctx, r, ops)));
    if (cut) r.acc = 1;
    return end;
  },
  async loop(ctx, r, count, ops) {
    for (let round = 0; round < count; round++) {
      r.acc = round;
      const end = await perform(ctx, r, ops);
      if (end) return end;
    }
  },
  if: (ctx, r, yes, no) => perform(ctx, r, number(r.acc) !== 0 ? yes : no),
  fail(ctx, r, text) { throw new Failure(`fail: ${text}`, text); },
  async try(ctx, r, ops, rescue, last) {
    try {
      return await perform(ctx, r, ops);
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      r.acc = codes(error).join(", ");
      return await perform(ctx, r, rescue);
    } finally {
      await perform(ctx, r, last);
    }
  },
  return(ctx, r, socket) {
    onlyExec(ctx);
    return new Return(socket);
  },
};

function onlyExec({ node }) {
  if (node.data) throw new Failure("data-node-effect", `${node.id} is a data node and has no effects`); // D8
}

async function perform(ctx, registers, ops) {
  for (const [name, ...args] of ops) {
    const end = await operations[name](ctx, registers, ...args);
    if (end instanceof Return) return end;
  }
}

const script = {};
const any = { type: "any", default: null };
const lazy = { ...any, lazy: true };
const xy = { x: "any", y: "any" };
const exits = ["o0", "o1", "o2"];

const common = {
  async run(ctx) { return (await perform(ctx, new Registers(), ctx.node.literals.script))?.socket ?? null; },
};

// R1: a node with a literal for `life` says how its setup and its teardown end.
const life = ({ id, literals }) => {
  const end = (step, how) => async () => { if (how === "fail") throw new Failure(`fail: ${step} ${id}`); };
  return literals.life ? { setup: end("setup", literals.life[0]), teardown: end("teardown", literals.life[1]) } : null;
};

export const scripted = Object.fromEntries(
  Object.entries({
    exec: {
      enters: ["enter", "again"],
      exits: [...exits, "body", "done"],
      inputs: { script, a: any, life: any, b: lazy },
      outputs: { ...xy, item: "any" },
      stream: { item: "item", body: "body", done: "done" },
      life,
    },
    endless: {
      enters: ["enter"],
      exits: [...exits, "body"],
      inputs: { script, a: any, b: lazy },
      outputs: { ...xy, item: "any" },
      stream: { item: "item", body: "body", discard: true },
    },
    listen: { exits, inputs: { script, a: any, event: { type: "str" }, b: lazy }, outputs: xy, listens: "event" },
    strict: { enters: ["enter"], exits, inputs: { script, n: { type: "int" }, m: { type: "int", lazy: true } }, outputs: xy },
    data: { inputs: { script, a: any, b: any, c: lazy, d: lazy }, outputs: xy },
    volatile: { inputs: { script, a: any, b: any, c: lazy, d: lazy }, outputs: xy, volatile: true },
    number: { inputs: { script, n: { type: "int" } }, outputs: { x: "int" } },
    text: { inputs: { script, t: { type: "str", default: "" } }, outputs: { x: "str" } },
  }).map(([name, type]) => [`script.${name}`, { ...common, ...type }]),
);
