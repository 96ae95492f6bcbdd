// The scripted node types (INTERPRETING 4 and 5): nodes that do what the list in their input `script` says.

import { Cancelled, Failure, apart } from "./failure.mjs";
import { bytewise } from "./store.mjs";

const MODULUS = 1_000_003;
const reduce = (value) => ((value % MODULUS) + MODULUS) % MODULUS;
const num = (value) => (typeof value === "string" || Array.isArray(value) ? [...value].length : Number(value));
const residue = (value) => reduce(num(value));

/** The codes of failures, sorted, each once (INTERPRETING 6). */
export function codes(...errors) {
  return [...new Set(apart(errors).map((error) => error?.code ?? `${error}`))].sort(bytewise);
}

// Each gets the context of its body, the registers, and its own arguments. One that gives a text ends the script, and
// the activation hands over to the exec output of that name.
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
  appendvar: (ctx, r, name) => ctx.setVar(name, [...ctx.getVar(name), r.acc]),
  getstate: (ctx, r, key) => void (r.acc = ctx.getState(key)),
  setstate: (ctx, r, key) => ctx.setState(key, r.acc),
  trigger: (ctx, r, exit, outputs = []) => ctx.trigger(exit, outputs.map((output) => [output, r.acc])),
  emit: (ctx, r) => ctx.emit(r.acc),
  join: (ctx) => ctx.join(),
  failures: (ctx, r) => void (r.acc = ctx.failures().length),
  branches: (ctx, r, exits, ops) => ctx.branches(exits, () => perform(ctx, r, ops)),
  async twice(ctx, r, exit) {
    const [, { reason }] = await Promise.allSettled([ctx.trigger(exit), ctx.trigger(exit)]);
    if (reason) throw reason;
  },
  publish: (ctx, r, event) => ctx.publish(event, r.acc),
  payload: (ctx, r) => void (r.acc = ctx.payload),
  entered: (ctx, r) => void (r.acc = ctx.entered),
  feedback: (ctx, r) => ctx.feedback(r.acc),
  sleep: (ctx, r, ticks) => ctx.sleep(ticks),
  now: (ctx, r) => void (r.acc = ctx.now()),
  async within(ctx, r, ticks, ops) {
    let handed;
    const cut = await ctx.within(ticks, async () => void (handed = await perform(ctx, r, ops)));
    if (cut) r.acc = 1;
    return cut ? undefined : handed;
  },
  async loop(ctx, r, count, ops) {
    for (let round = 0; round < count; round++) {
      r.acc = round;
      const handed = await perform(ctx, r, ops);
      if (handed) return handed;
    }
  },
  if: (ctx, r, yes, no) => perform(ctx, r, num(r.acc) !== 0 ? yes : no),
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
  return: (ctx, r, exit) => exit,
};

async function perform(ctx, registers, ops) {
  for (const [name, ...args] of ops) {
    const handed = await operations[name](ctx, registers, ...args);
    if (handed) return handed;
  }
}

const run = (ctx) => perform(ctx, { acc: null, kept: 0 }, ctx.node.literals.script);

// R1: a node with a literal for `life` says how its setup and its teardown end.
function life({ id, literals }) {
  const end = (step, how) => async () => { if (how === "fail") throw new Failure(`fail: ${step} ${id}`); };
  return literals.life && { setup: end("setup", literals.life[0]), teardown: end("teardown", literals.life[1]) };
}

const [script, any, int, text] = [{}, { default: null }, { type: "int" }, { type: "str" }];
const lazy = { ...any, lazy: true };
const outputs = { x: "any", y: "any" };
const exits = ["o0", "o1", "o2"];
const active = { run, enters: ["enter"], exits, inputs: { script, a: any, b: lazy }, outputs };
const streaming = { ...active, exits: [...exits, "body"], outputs: { ...outputs, item: "any" } };
const stream = { item: "item", body: "body" };
const data = { run, inputs: { script, a: any, b: any, c: lazy, d: lazy }, outputs };

export const scripted = {
  "script.exec": {
    ...streaming,
    life,
    enters: ["enter", "again"],
    exits: [...streaming.exits, "done"],
    inputs: { script, a: any, life: any, b: lazy },
    stream: { ...stream, done: "done" },
  },
  "script.endless": { ...streaming, stream: { ...stream, discard: true } },
  "script.listen": { ...active, enters: [], inputs: { script, a: any, event: text, b: lazy }, listens: "event" },
  "script.strict": { ...active, inputs: { script, n: int, m: { ...int, lazy: true } } },
  "script.data": data,
  "script.volatile": { ...data, volatile: true },
  "script.number": { run, inputs: { script, n: int }, outputs: { x: "int" } },
  "script.text": { run, inputs: { script, t: { ...text, default: "" } }, outputs: { x: "str" } },
};
