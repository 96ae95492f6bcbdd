// Graph documents: read, checked, and laid out for running (M1-M5, D11).

import { Failure } from "./failure.mjs";
import { Cell, policies } from "./store.mjs";

/** Thrown for a graph that can't be run, with all that is wrong in it: {code, path, message}. */
export class InvalidGraph extends Error {
  constructor(problems) {
    super(problems.map(({ code, path, message }) => `${code} at ${path}: ${message}`).join("\n"));
    this.name = "InvalidGraph";
    this.problems = problems;
  }
}

const kinds = {
  any: () => true,
  int: (value) => Number.isInteger(value),
  float: (value) => typeof value === "number",
  str: (value) => typeof value === "string",
  bool: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  dict: (value) => value !== null && typeof value === "object" && !Array.isArray(value),
};

export const takes = (type, value) => kinds[type](value);

/** Whether values of one type can ever go where those of another are wanted. */
const fits = (from, to) => from === to || from === "any" || to === "any" || (from === "int" && to === "float");

/** A value that comes over a wire, as the input gets it: no rounding, no guessing (D11). */
export function coerce(value, { node, name, type, source }) {
  if (takes(type, value)) return value;
  const from = source ? `${source.node.id}.${source.name}` : "a value";
  throw new Failure("coercion", `${from} gives ${JSON.stringify(value)}, but ${node.id}.${name} takes ${type}`);
}

/** A node of a graph: its sockets by name, what they are connected to, and what it says about its stream. */
class Node {
  #in = new Map(); // name: {data: input} or {}
  #out = new Map(); // name: {data: type} or {targets}
  needs = []; // data nodes that it reads from

  constructor({ id, inputs: literals = {}, initiator = null, stream = null }, type) {
    const { enters = [], exits = [], inputs = {}, outputs = {} } = type;
    Object.assign(this, { id, type, stream, literals });
    this.data = enters.length + exits.length === 0; // M2
    this.initiator = initiator ?? type.initiator ?? false; // M4
    for (const name of enters) this.#in.set(name, {});
    for (const name of exits) this.#out.set(name, { targets: [] });
    for (const [name, data] of Object.entries(outputs)) this.#out.set(name, { data });
    this.inputs = Object.entries(inputs).map(([name, { type: kind = "any", lazy = false, default: value }]) => {
      const literal = Object.hasOwn(literals, name) ? literals[name] : value;
      const fallback = literal === undefined ? null : new Cell(literal, `=${id}.${name}`);
      return { node: this, name, type: kind, lazy, fallback, source: null };
    });
    this.eager = this.inputs.filter((input) => !input.lazy); // D7
    for (const input of this.inputs) this.#in.set(input.name, { data: input });
  }

  socket(side, name) { return (side === "in" ? this.#in : this.#out).get(name); }
  input(name) { return this.#in.get(name)?.data ?? this.#unknown("input", name, this.#in); }
  output(name) { return this.#out.get(name)?.data ?? this.#unknown("output", name, this.#out); }

  /** What an exec output dispatches, in order: {node, entered}. */
  targets(name) { return this.#out.get(name)?.targets ?? this.#unknown("exec output", name, this.#out); }

  /** Where the store keeps an output. */
  key(output) { return `.${this.id}.${output}`; }

  // T4
  #unknown(kind, name, declared) {
    throw new Failure("unknown-socket", `${this.id} has no ${kind} ${name}: it declares ${[...declared.keys()].join(", ")}`);
  }
}

/** What the engine runs: the nodes, wires, variables and events of a document, with node types by id. */
export class Graph {
  nodes = new Map();
  variables = new Map();
  #events = new Map(); // the listeners of each
  #problems = [];

  constructor({ trioflow = "1.0", nodes = [], connections = [], variables = [], events = [] }, types) {
    if (!trioflow.startsWith("1.")) throw new TypeError(`a graph of version ${trioflow} can't be read, only 1.x`);
    const all = nodes.map((node, i) => this.#node(node, types, `nodes[${i}]`));
    this.#variables(variables);
    events.forEach(({ name }, i) => this.#declare(this.#events, name, [], `events[${i}].name`));
    connections.forEach(({ from, to }, i) => this.#connect(this.#end(from, `connections[${i}].from`), this.#end(to, `connections[${i}].to`), `connections[${i}]`));
    all.forEach((node, i) => {
      if (node) this.#checkInputs(node, `nodes[${i}].inputs`);
      if (node?.data && node.initiator) this.#problem("data-initiator", `nodes[${i}].initiator`, "a data node runs when it is asked, not by itself");
    });
    for (const node of circles(all.filter(Boolean))) this.#problem("data-cycle", `nodes[${all.indexOf(node)}]`, "data nodes need each other: put an exec node between them");
    this.initiators = all.filter((node) => node?.initiator && !node.data);
    if (!this.initiators.length && !all.includes(null)) this.#problem("no-initiator", "nodes", "nothing would run: mark an exec node as initiator");
    if (this.#problems.length) throw new InvalidGraph(this.#problems);
  }

  /** A declared variable: {name, start, policy, key}. */
  variable(name) { return this.variables.get(name) ?? unknown("variable", name, this.variables.keys()); }
  listeners(event) { return this.#events.get(event) ?? unknown("event", event, this.#events.keys()); }
  #problem(code, path, message) { this.#problems.push({ code, path, message }); }

  #declare(map, name, value, path) {
    if (map.has(name)) this.#problem("duplicate-id", path, `there is another ${name} before it`);
    else map.set(name, value);
  }

  // A node of an unknown type is known by its id, and by nothing else.
  #node(node, types, path) {
    const known = Object.hasOwn(types, node.type);
    const laid = known ? new Node(node, types[node.type]) : null;
    this.#declare(this.nodes, node.id, laid, `${path}.id`);
    if (!known) this.#problem("unknown-node-type", `${path}.type`, `there is no type ${node.type}`);
    return laid;
  }

  #variables(variables) {
    variables.forEach(({ name, type = "any", default: start = null, merge = "last" }, i) => {
      this.#declare(this.variables, name, { name, type, start, policy: merge, key: `$${name}` }, `variables[${i}].name`);
      if (!Object.hasOwn(kinds, type)) this.#problem("unknown-type", `variables[${i}].type`, `there is no type ${type}: there are ${Object.keys(kinds).join(", ")}`);
      else if (start !== null && !takes(type, start)) this.#problem("type-mismatch", `variables[${i}].default`, `${JSON.stringify(start)} is no ${type}`);
      if (!["last", "first", "error", ...Object.keys(policies)].includes(merge)) this.#problem("unknown-merge-policy", `variables[${i}].merge`, `there is no policy ${merge}`);
    });
  }

  #end(endpoint, path) {
    const dot = endpoint.lastIndexOf(".");
    const id = endpoint.slice(0, dot);
    if (!this.nodes.has(id)) this.#problem("unknown-node", path, `there is no node ${id}`);
    return { node: this.nodes.get(id) ?? null, name: endpoint.slice(dot + 1), path };
  }

  #connect(from, to, path) {
    const [output, input] = [from.node?.socket("out", from.name), to.node?.socket("in", to.name)];
    if (input?.data) input.data.connected = true; // whatever is wrong with the wire: something is meant to supply it
    for (const [{ node, name, path }, socket] of [[from, output], [to, input]]) {
      if (node && !socket) this.#problem("unknown-socket", path, `${node.id} has no socket ${name} there`);
    }
    if (!output || !input) return;
    if (!output.data !== !input.data) this.#problem("kind-mismatch", path, "it joins an exec socket to a data socket");
    else if (!input.data) output.targets.push({ node: to.node, entered: to.name });
    else {
      if (!fits(output.data, input.data.type)) this.#problem("type-mismatch", path, `${output.data} never fits ${input.data.type}`);
      if (input.data.source) this.#problem("second-source", to.path, "the input has a source already");
      input.data.source ??= { node: from.node, name: from.name, key: from.node.key(from.name) };
      if (from.node.data && to.node.data) to.node.needs.push(from.node);
    }
  }

  #checkInputs(node, path) {
    const first = this.nodes.get(node.id);
    for (const [name, literal] of Object.entries(node.literals)) {
      const input = node.socket("in", name)?.data;
      if (!input) this.#problem("unknown-socket", `${path}.${name}`, `${node.id} has no data input ${name}`);
      else if (literal !== null && !takes(input.type, literal)) this.#problem("type-mismatch", `${path}.${name}`, `${JSON.stringify(literal)} is no ${input.type}`);
      else if (node.type.listens === name) {
        const listeners = this.#events.get(literal);
        if (listeners) listeners.push(node);
        else this.#problem("undeclared-event", `${path}.${name}`, `the graph declares no event ${literal}`);
      }
    }
    for (const input of node.inputs) {
      const connected = input.connected || first?.inputs.some((other) => other.name === input.name && other.connected);
      if (!connected && !input.fallback) this.#problem("missing-input", `${path}.${input.name}`, "give it a value, or connect it");
    }
  }
}

// The first node of each set of data nodes that need each other.
function* circles(nodes) {
  const feeds = new Map(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const source of node.needs) feeds.get(source).push(node);
  const open = new Map(nodes.map((node) => [node, node.needs.length]));
  const free = nodes.filter((node) => !node.needs.length);
  for (const node of free) {
    open.delete(node); // it is in no circle
    for (const other of feeds.get(node)) {
      open.set(other, open.get(other) - 1);
      if (!open.get(other)) free.push(other);
    }
  }
  const done = new Set();
  for (const node of open.keys()) {
    const [below, above] = [reach(node, (other) => other.needs), reach(node, (other) => feeds.get(other))];
    if (below.has(node) && !done.has(node)) yield node;
    for (const other of below) if (above.has(other)) done.add(other);
  }
}

function reach(node, next) {
  const found = new Set();
  const left = [node];
  while (left.length) {
    for (const other of next(left.pop())) {
      if (found.has(other)) continue;
      found.add(other);
      left.push(other);
    }
  }
  return found;
}

function unknown(kind, name, declared) {
  throw new Failure("unknown-name", `the graph has no ${kind} ${name}: it has ${[...declared].join(", ") || "none"}`);
}
