// What a workflow document says of tokens: its exec wires and nodes by their places, and what can be reached (W1-W8).

import { Failure } from "./failure.mjs";

const MOST_TURNS = 1000; // if neither a node nor another in its circle says more (W15)
const LEVELS = ["low", "normal", "high", "critical"];
const CONDITION = /^(out|vars)\.(\w+) (==|!=|<|<=|>|>=) (-?\d+)$/;
const compare = {
  "==": (a, b) => a === b, "!=": (a, b) => a !== b, "<": (a, b) => a < b,
  "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
};

/** The exec nodes of a workflow, each with how it takes tokens, and the wires between them, each by its place. */
export class Tokens {
  nodes = []; // {node, place, join, least, ...}, by place; null for data nodes
  wires = []; // {place, source, target, output, entered, on, when, otherwise, priority}
  #reach = [];

  constructor({ nodes, connections = [], groups = {}, limit = null, on_error: mode }, known) {
    Object.assign(this, { groups, limit, collects: mode === "collect" });
    const places = new Map(nodes.map(({ id }, place) => [id, place]));
    for (const [place, { from, to, enabled = true, on = "completed", when = null, else: otherwise = false, priority = 0 }] of connections.entries()) {
      const [target, entered] = ends(to);
      if (!enabled || !known.get(target)?.in.get(entered) || known.get(target).in.get(entered).input) continue; // W18
      const [source, output] = ends(from);
      const row = { place, source: places.get(source), target: places.get(target), output, entered, when, otherwise, priority };
      this.wires.push({ ...row, on: new Set([on].flat()) });
    }
    this.nodes = nodes.map((row, place) => {
      const into = this.wires.filter((wire) => wire.target === place);
      const { join = "all", min = 1, priority = "normal" } = row;
      const kind = into.length > 1 ? join : "one"; // W4
      const least = min === "every" ? into.length : min;
      return { ...row, node: known.get(row.id), place, into, kind, least, level: LEVELS.indexOf(priority) };
    });
    for (const each of this.nodes) {
      each.circle = this.nodes.filter(({ place }) => this.leads(each.place, place) && this.leads(place, each.place));
      each.turns = each.most ?? Math.max(MOST_TURNS, ...each.circle.map(({ most = 0 }) => most)); // W15
    }
    for (const each of this.nodes) {
      each.undoes = this.nodes.some(({ undo }) => undo === each.id);
      each.feeds = this.wires.filter(({ source }) => source === each.place).map(({ target }) => this.nodes[target])
        .filter((other) => other.queue && !other.circle.includes(each));
      each.cancels = each.kind === "first" && each.rest === "cancel" ? this.#onlyTo(each.place) : null; // W8
    }
    this.plain = limit === null && !this.nodes.some(({ limit, group, queue, level }) => limit || group || queue || level !== 1);
    this.begin = { entries: [...this.#entries()], wires: [] };
  }

  /** Whether a token that is made at one place may come to another, over at least one wire. */
  leads(from, to) {
    this.#reach[from] ??= this.#walk(from);
    return this.#reach[from].has(to);
  }

  #walk(from) {
    const found = new Set();
    const todo = [from];
    while (todo.length) {
      const here = todo.pop();
      for (const { source, target } of this.wires) {
        if (source !== here || found.has(target)) continue;
        found.add(target);
        todo.push(target);
      }
    }
    return found;
  }

  // The nodes that fire once, for no token (W2).
  *#entries() {
    for (const { node, place, into, initiator, circle, undoes } of this.nodes) {
      if (node.data || node.type.listens || initiator === false || undoes) continue;
      if (initiator || !into.length) yield place;
      else if (circle.length && !circle.some((other) => other.initiator || other.into.some((wire) => !circle.includes(this.nodes[wire.source])))) {
        if (circle.find((other) => other.initiator !== false).place === place) yield place; // the first that may
      }
    }
  }

  // Where all wires lead only to this node, straight or over others of the kind.
  #onlyTo(join) {
    const found = new Set();
    for (let grown = true; grown;) {
      grown = false;
      for (const { source } of this.wires.filter(({ target }) => target === join || found.has(target))) {
        const out = this.wires.filter((wire) => wire.source === source);
        if (source === join || found.has(source) || !out.every(({ target }) => target === join || found.has(target))) continue;
        grown = Boolean(found.add(source));
      }
    }
    return found;
  }

  /** The wires at an exec output on which a scope begins that is opened there (W13). */
  behind(id, output) {
    return this.wires.filter((wire) => this.nodes[wire.source].id === id && wire.output === output && wire.on.has("completed"));
  }

  /** Of the wires of a node that are looked at where a firing ends so, those that are taken (W3). */
  taken(place, outcomes, exit, store) {
    const own = ({ source, on, output }) => source === place && outcomes.some((each) => on.has(each))
      && (output === null || output === exit || (exit === null && !outcomes.includes("completed")));
    return this.choose(this.wires.filter(own), store);
  }

  /** Those of some wires of one node that are taken, by their conditions (W3). */
  choose(wires, store) {
    if (!wires.length) return [];
    const first = this.nodes[wires[0].source].choose === "first";
    const looked = first ? wires.toSorted((a, b) => b.priority - a.priority || a.place - b.place) : wires;
    const held = new Map(looked.filter(({ when }) => when !== null).map((wire) => [wire, this.#holds(wire, store)]));
    const beside = (wire) => ([other, holds]) => holds && other.output === wire.output && same(other.on, wire.on);
    const found = looked.filter((wire) => (wire.otherwise ? ![...held].some(beside(wire)) : (held.get(wire) ?? true)));
    if (first && !found.length) throw new Failure("no-way", `no wire away from ${this.nodes[wires[0].source].id} can be taken`);
    return first ? found.slice(0, 1) : found;
  }

  #holds({ source, when }, store) {
    const [, where, name, sign, number] = CONDITION.exec(when) ?? [];
    const value = store.read(where === "vars" ? `$${name}` : `.${this.nodes[source].id}.${name}`)?.value;
    if (!Number.isInteger(value)) throw new Failure("condition", `${when}: that is ${JSON.stringify(value)}`);
    return compare[sign](value, Number(number));
  }
}

/** The node at an end of a wire, and the socket, null if there is none. */
function ends(endpoint) {
  const dot = endpoint.lastIndexOf(".");
  return dot < 0 ? [endpoint, null] : [endpoint.slice(0, dot), endpoint.slice(dot + 1)];
}

const same = (a, b) => a.size === b.size && [...a].every((each) => b.has(each));
