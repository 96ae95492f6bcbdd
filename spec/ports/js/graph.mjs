// Graph documents: read, checked, and laid out for running (M1-M5, D11).

import { Failure } from "./failure.mjs";
import { Cell, UNSET, policies } from "./store.mjs";
import { Tokens } from "./tokens.mjs";
import { runScope } from "./workflow.mjs";

/** Thrown for a graph that can't be run, with all that is wrong in it: {code, path, message} (M5). */
export class InvalidGraph extends Error {
  constructor(problems) {
    super(problems.map(({ code, path, message }) => `${code} at ${path}: ${message}`).join("\n"));
    this.name = "InvalidGraph";
    this.problems = problems;
  }
}

/** What a value must be for each type. Truth values are no numbers (D11). */
const kinds = {
  any: () => true,
  int: (value) => Number.isInteger(value),
  float: (value) => typeof value === "number",
  str: (value) => typeof value === "string",
  bool: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  dict: (value) => value !== null && typeof value === "object" && !Array.isArray(value),
};

/** Whether a literal, a default or a variable can have this value: null fits everything there (D11). */
export const allows = (type, value) => value === null || kinds[type](value);

/** Whether values of one type can ever go where those of another are wanted. */
const fits = (from, to) => from === to || from === "any" || to === "any" || (from === "int" && to === "float");

/** A data input of a node. */
class Input {
  source = null; // the output that it is connected to: {node, name, key}
  connected = false; // also if something is wrong with the wire

  constructor(node, name, { type = "any", lazy = false, default: value }) {
    Object.assign(this, { node, name, type, lazy });
    const literal = Object.hasOwn(node.literals, name) ? node.literals[name] : value;
    this.fallback = literal === undefined ? UNSET : new Cell(literal, `=${node.id}.${name}`);
  }

  /** Refuses to go on without a value (D1). */
  need(cell) {
    if (cell !== UNSET) return cell;
    const why = this.source ? `${this.source.node.id}.${this.source.name} was not written` : "nothing is given for it";
    throw new Failure("missing-input", `input ${this.name} of ${this.node.id} has no value: ${why}`);
  }

  /** The value of a cell as a body gets it: no rounding, no guessing (D11). */
  take(cell) {
    const { value } = this.need(cell);
    if (cell === this.fallback || kinds[this.type](value)) return value;
    const wire = `${this.source.node.id}.${this.source.name} gives ${this.node.id}.${this.name}`;
    throw new Failure("coercion", `${wire} ${JSON.stringify(value)}, but that takes ${this.type}`);
  }
}

/** A node of a graph: its sockets, and what they are connected to. Inputs and outputs are separate namespaces (M3). */
class Node {
  needs = []; // data nodes that a data node reads from
  readers = 0; // how many wires lead from it to data nodes

  constructor({ id, inputs: literals = {}, initiator = null, stream = null }, type, path) {
    const { enters = [], exits = [], inputs = {}, outputs = {} } = type;
    Object.assign(this, { id, type, stream, literals, path });
    this.data = enters.length + exits.length === 0; // M2
    this.initiator = initiator ?? type.initiator ?? false; // M4
    this.inputs = Object.entries(inputs).map(([name, declared]) => new Input(this, name, declared));
    this.eager = this.inputs.filter((input) => !input.lazy); // D7
    this.outputs = Object.keys(outputs);
    this.in = new Map(enters.map((name) => [name, {}]));
    this.out = new Map(exits.map((name) => [name, { targets: [] }]));
    for (const input of this.inputs) this.in.set(input.name, { input });
    for (const name of this.outputs) this.out.set(name, { type: outputs[name], key: `.${id}.${name}` });
  }

  input(name) { return this.in.get(name)?.input ?? this.#unknown(`input ${name}`, this.in); }

  /** Where the store keeps an output. */
  key(name) { return this.out.get(name)?.key ?? this.#unknown(`output ${name}`, this.out); }

  /** What an exec output dispatches, in order: {node, entered}. */
  targets(name) { return this.out.get(name)?.targets ?? this.#unknown(`exec output ${name}`, this.out); }

  #unknown(what, declared) { unknown("unknown-socket", `${this.id} has no ${what}`, declared); } // T4
}

function unknown(code, problem, declared) {
  throw new Failure(code, `${problem}: there are ${[...declared.keys()].join(", ") || "none"}`);
}

/** What the engine runs: the nodes, wires, variables and events of a document, with node types by their ids. */
export class Graph {
  nodes = new Map();
  variables = new Map(); // {name, type, start, policy, key}
  tokens = null; // of a workflow (W1)
  #scope = new Node({ id: "<scope>" }, { enters: ["enter"], run: runScope }, ""); // what opens a scope (W13)
  #events = new Map(); // the nodes that listen for each
  #problems = [];

  /** Throws `InvalidGraph` if anything is wrong; the README describes node types. */
  constructor(document, types) {
    const { trioflow = "1.0", kind = "graph", nodes = [], connections = [], variables = [], events = [] } = document;
    if (!trioflow.startsWith("1.")) throw new TypeError(`a graph of version ${trioflow} can't be read, only 1.x`);
    const all = nodes.map((node, i) => this.#node(node, types, `nodes[${i}]`)).filter((node) => node !== null);
    variables.forEach((variable, i) => this.#variable(variable, `variables[${i}]`));
    events.forEach(({ name }, i) => this.#declare(this.#events, name, [], `events[${i}].name`));
    const flow = kind === "workflow"; // W1
    connections.forEach(({ from, to, enabled = true }, i) => { // W18
      if (enabled && !(flow && this.#carriesTokens(to))) this.#connect(from, to, `connections[${i}]`);
    });
    for (const node of all) this.#checkInputs(node);
    for (const { path } of circles(all)) this.#problem("data-cycle", path, "data nodes need each other");
    for (const { path } of all.filter((node) => node.data && node.initiator)) {
      this.#problem("data-initiator", `${path}.initiator`, "a data node runs when it is asked, not by itself");
    }
    this.initiators = all.filter((node) => node.initiator && !node.data);
    if (flow) this.#flow(document);
    if (!this.initiators.length && all.length === nodes.length && !all.some((node) => node.type.listens)) {
      this.#problem("no-initiator", "nodes", "nothing would run: mark an exec node as initiator");
    }
    if (this.#problems.length) throw new InvalidGraph(this.#problems);
  }

  variable(name) { return this.variables.get(name) ?? unknown("unknown-name", `no variable ${name}`, this.variables); }
  listeners(event) {
    const found = this.#events.get(event) ?? unknown("unknown-name", `no event ${event}`, this.#events);
    return found.map((node) => (this.tokens ? this.#opening(null, { entries: [this.#place(node)], wires: [] }) : { node, entered: null }));
  }

  #problem(code, path, message) { this.#problems.push({ code, path, message }); }

  #declare(map, name, value, path) {
    if (map.has(name)) this.#problem("duplicate-id", path, `there is another ${name} before it`);
    else map.set(name, value);
  }

  #place(node) { return this.tokens.nodes.findIndex((each) => each.node === node); }
  #carriesTokens(to) { return this.nodes.get(to.slice(0, to.lastIndexOf(".")))?.in.get(to.slice(to.lastIndexOf(".") + 1))?.input === undefined; }

  // Exec wires of a workflow carry tokens: what an exec output dispatches is a scope that begins on its wires (W13).
  #flow(document) {
    this.tokens = new Tokens(document, this.nodes);
    this.initiators = [this.#scope];
    for (const [id, node] of this.nodes) {
      for (const [name, { targets }] of node.out) {
        const wires = targets ? this.tokens.behind(id, name) : [];
        if (wires.length) targets.push(this.#opening(`${id}.${name}`, { entries: [], wires }));
      }
    }
  }

  #opening(entered, begin) { return { node: this.#scope, entered, begin }; }

  // A node of an unknown type is known by its id, and by nothing else.
  #node(document, types, path) {
    const known = Object.hasOwn(types, document.type);
    if (!known) this.#problem("unknown-node-type", `${path}.type`, `there is no type ${document.type}`);
    const node = known ? new Node(document, types[document.type], path) : null;
    this.#declare(this.nodes, document.id, node, `${path}.id`);
    return node;
  }

  #variable({ name, type = "any", default: start = null, merge: policy = "last" }, path) {
    this.#declare(this.variables, name, { name, type, start, policy, key: `$${name}` }, `${path}.name`);
    if (!Object.hasOwn(kinds, type)) this.#problem("unknown-type", `${path}.type`, `there is no type ${type}`);
    else if (!allows(type, start)) this.#problem("type-mismatch", `${path}.default`, `it is no ${type}`);
    if (Object.hasOwn(policies, policy)) return;
    this.#problem("unknown-merge-policy", `${path}.merge`, `there is no policy ${policy}`);
  }

  // The node, the name and, if there is one, the socket at an end of a connection.
  #end(side, endpoint, path) {
    const dot = endpoint.lastIndexOf(".");
    const [id, name] = [endpoint.slice(0, dot), endpoint.slice(dot + 1)];
    const node = this.nodes.get(id);
    const socket = node?.[side].get(name);
    if (node === undefined) this.#problem("unknown-node", path, `there is no node ${id}`);
    else if (node && !socket) this.#problem("unknown-socket", path, `${id} has no socket ${name} there`);
    return [node, name, socket];
  }

  #connect(from, to, path) {
    const [source, name, output] = this.#end("out", from, `${path}.from`);
    const [target, entered, socket] = this.#end("in", to, `${path}.to`);
    const input = socket?.input;
    if (input) input.connected = true; // whatever is wrong with the wire: something is meant to supply it
    if (!output || !socket) return;
    if (!output.targets !== !!input) this.#problem("kind-mismatch", path, "it joins an exec socket to a data socket");
    else if (output.targets) output.targets.push({ node: target, entered, wire: `${from} -> ${to}` }); // G8
    else {
      const { type } = output;
      if (!fits(type, input.type)) this.#problem("type-mismatch", path, `${type} never fits ${input.type}`);
      if (input.source) this.#problem("second-source", `${path}.to`, "the input has a source already");
      input.source ??= { node: source, name, key: output.key };
      if (!source.data || !target.data) return;
      target.needs.push(source);
      source.readers += 1;
    }
  }

  #checkInputs(node) {
    for (const [name, literal] of Object.entries(node.literals)) {
      const [input, path] = [node.in.get(name)?.input, `${node.path}.inputs.${name}`];
      if (!input) this.#problem("unknown-socket", path, `${node.id} has no data input ${name}`);
      else if (!allows(input.type, literal)) this.#problem("type-mismatch", path, `it is no ${input.type}`);
      else if (node.type.listens !== name) continue;
      else if (this.#events.has(literal)) this.#events.get(literal).push(node);
      else this.#problem("undeclared-event", path, `the graph declares no event ${literal}`);
    }
    const first = this.nodes.get(node.id); // of two nodes with one id, connections mean this one
    for (const { name, fallback } of node.inputs) {
      if (fallback !== UNSET || first?.in.get(name)?.input?.connected) continue;
      this.#problem("missing-input", `${node.path}.inputs.${name}`, "give it a value, or connect it");
    }
  }
}

/** The first of each set of data nodes that need each other. */
function circles(nodes) {
  const free = new Set(nodes.filter((node) => node.readers === 0)); // in no circle; it grows under the loop
  for (const node of free) {
    for (const needed of node.needs) {
      needed.readers -= 1;
      if (needed.readers === 0) free.add(needed);
    }
  }
  const left = nodes.filter((node) => !free.has(node));
  const behind = new Map(left.map((node) => [node, new Set(node.needs)])); // what they need, at any distance
  for (const found of behind.values()) for (const node of found) for (const next of node.needs) found.add(next);
  const together = (a, b) => behind.get(a).has(b) && behind.get(b).has(a);
  return left.filter((node) => left.find((other) => together(node, other)) === node);
}
