// The engine: runs a graph (T, F, S, R and B in ../../rules). Start reading at `Run`.

import { Body, Demands } from "./demand.mjs";
import { Cancelled, Failure, Failures, together } from "./failure.mjs";
import { allows } from "./graph.mjs";
import { Cell, Store, bytewise } from "./store.mjs";
import { CANCELLED, Gate, SHIELD, Scheduler, Scope, wakeAll } from "./strand.mjs";

export { Cancelled, Failure, Failures } from "./failure.mjs";
export { Graph, InvalidGraph } from "./graph.mjs";

/** Something on whose behalf nodes are dispatched: an activation, a fork, an emit, an initiator (T8). */
class Line {
  given = 0; // how many it has given out

  constructor(path, depth, number) {
    this.path = path; // a text, with dots between the numbers
    this.depth = depth;
    this.number = number; // the last of the path
  }

  get ahead() { return `${this.path}.${this.given}`; }
  next() { return new Line(this.ahead, this.depth + 1, this.given++); }
}

/** Forks that are opened and joined together: a scope of its own for them and their owner (F2). */
class Group extends Scope {
  alive = 0;
  #forks = []; // those that are to be joined
  #failures = {}; // by the number of the fork, and so in the order of the forks
  #first = null; // because of which the others were cancelled (E2)
  #waiting = new Set(); // whoever waits for a fork to end

  constructor(run, outer) {
    const { nesting } = run.limits; // F8
    if (outer.nesting >= nesting) throw new Failure("nesting", `more than ${nesting} groups of forks in each other`);
    super(outer, outer.nesting + 1);
    this.run = run;
  }

  /** Makes a strand with the cells of `store` (F1), which does `work(store, scope)`, if anything, on a line. */
  fork(line, store, work, { around = this, collect, discard } = {}) {
    const { run } = this;
    const fork = { line, store: store.fork(), cancelled: false };
    const scope = new Scope(this, around.nesting); // what is open around its owner now counts for it, too (F8)
    if (!discard) this.#forks.push(fork); // S6
    run.tell("forked", line);
    if (!work) return; // it has ended
    run.strands += 1;
    this.alive += 1;
    run.scheduler.start(async () => {
      try {
        await work(fork.store, scope);
      } catch (error) {
        fork.cancelled = error instanceof Cancelled;
        if (!fork.cancelled) (collect ?? this.#failures)[line.number] = error;
        if (!fork.cancelled && !collect) this.#end(error);
      }
      scope.leave();
      run.strands -= 1;
      this.alive -= 1;
      wakeAll(this.#waiting);
    });
  }

  // Before what anybody waits for goes on.
  #end(error) {
    if (!(error instanceof Cancelled || this.cancelled)) this.#first = error;
    this.cancel();
  }

  /** Waits until no more than so many forks are alive. */
  async until(most, scope) {
    scope.check();
    while (this.alive > most) await this.run.scheduler.wait(scope, this.#waiting);
  }

  async join(store, scope) {
    await this.until(0, scope);
    // If one can't be merged, neither it nor those after it are tried again (F4).
    for (const fork of this.#forks.splice(0)) if (!fork.cancelled) this.run.merge(store, fork);
  }

  /** Does the owner's part. Afterwards all forks have ended, and are joined if nothing failed. */
  async hold(store, body) {
    try {
      const value = await body();
      await this.join(store, this);
      return value;
    } catch (error) {
      this.#end(error);
      await this.until(0, SHIELD);
      const failures = Object.values(this.#failures);
      if (!(error instanceof Cancelled)) failures.unshift(error);
      throw failures.length ? together(failures, this.#first ?? failures[0]) : error;
    }
  }
}

/** One execution of an exec node, and what its body sees. */
class Activation extends Body {
  activation = this;
  #writes = 0;
  #trigger = null; // the one that is running (T7)
  #group = null; // of a concurrent stream
  #collected = {}; // failures of items by the numbers of their lines (S4)
  #fired = false; // whether the body has triggered the done socket itself (S5)

  constructor(run, line, { node, entered, payload = null }, store, scope) {
    super(run, node);
    // `entered` is the exec input through which it was entered (T5), `payload` that of the event it handles, or null.
    Object.assign(this, { line, path: line.path, entered, payload, store, scope, stream: run.streams.get(node) });
    this.origin = `@${line.path}`; // it is its own moment, a cell for volatile nodes (D6)
  }

  /** Runs it, and gives the targets that it hands over to (T6). */
  async live() {
    const { run, node: { id }, stream } = this;
    run.tell("started", this, { node: id, entered: this.entered });
    try {
      if (stream?.mode === "concurrent") this.#group = new Group(run, this.scope);
      let handed = await (this.#group ? this.#hold(this.#group, () => this.#body()) : this.#body());
      if (!this.#fired) handed ??= stream?.done; // S5
      run.tell("completed", this, { node: id, handed: handed ?? null });
      return handed == null ? [] : this.node.targets(handed);
    } catch (error) {
      if (error instanceof Cancelled) run.tell("cancelled", this, { node: id });
      else run.tell("failed", this, { node: id, origin: run.origin(error, this) });
      throw error;
    }
  }

  async #body() {
    for (const input of this.node.eager) input.need(await this.resolve(input)); // D7
    let [handed, forgotten] = [];
    try {
      handed = await this.node.type.run(this);
    } finally {
      forgotten = this.#trigger; // nothing that a body started outlives it
      if (forgotten) forgotten.isForgotten = true;
      await forgotten?.ended;
    }
    if (forgotten) throw new Failure("not-awaited", `the body of ${this.node.id} ended while it triggered: await that`);
    if (handed != null) this.node.targets(handed); // T4
    return handed;
  }

  // Does something with another scope for what the body waits for.
  async #inside(scope, body) {
    const around = this.scope;
    this.scope = scope;
    try {
      return await body();
    } finally {
      this.scope = around;
      scope.leave();
    }
  }

  #hold(group, body) { return this.#inside(group, () => group.hold(this.store, body)); }

  // T7. The first of two triggers that are started at once has not dispatched anything yet, and never will.
  async #alone(body) {
    if (this.#trigger) {
      this.#trigger.clash = true;
      throw new Failure("concurrent-trigger", `${this.node.id} triggers while it triggers: await it, or use branches`);
    }
    let end;
    const ended = new Promise((resolve) => { end = resolve; });
    const trigger = (this.#trigger = { clash: false, isForgotten: false, ended });
    try {
      await null;
      if (trigger.clash) throw CANCELLED;
      await body();
    } catch (error) {
      if (!trigger.isForgotten) throw error; // else nobody would hear it, and the activation fails anyway
    } finally {
      this.#trigger = null;
      end();
    }
  }

  #dispatch(targets) { return this.run.dispatch(targets, this.line, this.store, this.scope); }

  // Forks a strand that dispatches targets. One that may not be made takes no line (T8).
  #fork(group, targets, options) {
    const { run } = this;
    run.admit();
    const line = this.line.next();
    const work = (store, scope) => run.dispatch(targets, line, store, scope);
    group.fork(line, this.store, targets.length ? work : null, options);
  }

  resolve(input) { return this.run.data.resolve(input, this); }
  read(variable) { return this.store.read(variable.key); }

  /** Writes an output. */
  set(name, value) { this.#write(this.node.key(name), name, value); }

  setVar(name, value) {
    const { key, type } = this.run.graph.variable(name); // D11
    if (!allows(type, value)) throw new Failure("coercion", `${name} takes ${type}, not ${JSON.stringify(value)}`);
    this.#write(key, key, value);
  }

  #write(key, place, value) {
    this.#writes += 1;
    this.store.write(key, new Cell(value, `${this.path}/${this.node.id}.${place}#${this.#writes}`));
  }

  /** What the node keeps from one activation to the next in this run (F6). */
  getState(name) { return this.store.read(`@${this.node.id}\n${name}`)?.value ?? null; }
  setState(name, value) { this.store.write(`@${this.node.id}\n${name}`, new Cell(value)); }

  /** Writes values to outputs, and dispatches the targets of an exec output, one after the other (T1). */
  async trigger(exit, values = {}) {
    this.scope.check();
    const targets = this.node.targets(exit);
    const writes = Array.isArray(values) ? values : Object.entries(values);
    for (const [name] of writes) this.node.key(name); // all are written, or none (T4)
    const body = async () => {
      for (const [name, value] of writes) this.set(name, value);
      if (exit === this.stream?.done) {
        await this.join();
        this.#fired = true; // S5
      }
      await this.#dispatch(targets);
    };
    await (targets.length ? this.#alone(body) : body()); // what leads nowhere disturbs nobody (T7)
  }

  /** Gives the next item of the stream (S2). */
  async emit(value) {
    this.scope.check();
    const { node, stream } = this;
    if (!stream) throw new Failure("unknown-socket", `${node.id} has no stream`);
    const targets = node.targets(stream.body);
    const collect = stream.on_error === "collect" ? this.#collected : null; // S4
    if (this.#group) {
      await this.#group.until(stream.limit > 0 ? stream.limit - 1 : Infinity, this.scope); // S3
      this.set(stream.item, value);
      return this.#fork(this.#group, targets, { around: this.scope, collect, discard: stream.discard });
    }
    await this.#alone(async () => {
      this.set(stream.item, value);
      const line = this.line.next();
      try {
        await this.run.dispatch(targets, line, this.store, this.scope);
      } catch (error) {
        if (!collect || error instanceof Cancelled) throw error;
        collect[line.number] = error;
      }
    });
  }

  /** Waits for all items so far, and merges what they wrote (F5). */
  async join() {
    this.scope.check();
    await this.#group?.join(this.store, this.scope);
  }

  /** What items have failed with so far, if the stream collects failures (S4). */
  failures() { return Object.values(this.#collected); }

  /** Forks a branch for each exec output; does the body meanwhile; joins. */
  async branches(exits, body = async () => {}) {
    this.scope.check();
    const branches = exits.map((exit) => this.node.targets(exit));
    const group = new Group(this.run, this.scope);
    return await this.#hold(group, () => {
      for (const targets of branches) this.#fork(group, targets);
      return body();
    });
  }

  /** Dispatches all listeners of an event (B1). */
  async publish(event, payload = null) {
    this.scope.check();
    const targets = this.run.listeners(event, payload);
    if (targets.length) await this.#alone(() => this.#dispatch(targets));
  }

  feedback(value) { this.run.tell("feedback", this, { value }); }

  /** Does the body for so many ticks at most; says whether it was cut off (R5). */
  async within(ticks, body) {
    const { scheduler } = this.run;
    const scope = new Scope(this.scope);
    const inTime = scheduler.limit(ticks, () => scope.cancel());
    try {
      await this.#inside(scope, body);
      return false;
    } catch (error) {
      if (!(error instanceof Cancelled && scope.called)) throw error;
    } finally {
      inTime();
    }
    await scheduler.park(this.scope, "m", this.path, this.node.id);
    return true;
  }
}

/** What holds for a stream: mode, limit and error mode are each what the last says that says something (S2). */
function streamOf(...sources) {
  const said = sources.flatMap((settings) => Object.entries(settings ?? {})).filter(([, value]) => value !== null);
  return { mode: "sequential", limit: 0, on_error: "fail", ...Object.fromEntries(said) };
}

/** One execution of a graph. */
export class Run {
  strands = 1;
  data = new Demands(this);
  streams = new Map(); // what holds for them, by node (S2)
  #steps = 0;
  #root = new Scope(null, -1); // the run's own group does not count as nesting (F8)
  #store = new Store();
  #group = null; // of initiators and the host's events; made when the run begins
  #initiators = 0; // those that have not ended
  #events = []; // of the host, not handled yet: the targets of each
  #idle = new Set(); // where the strand that handles them waits for more
  #hosting = false; // whether there is that strand
  #late = []; // the failure of the timeout
  #origins = new WeakMap();

  /** Options, all of which may be missing: `max_steps`, `max_depth`, `max_nesting`, `max_strands`, `timeout` (ticks),
   * `parallel_initiators`, `streams` (settings by node id), `variables` (start values), `observe` (a function that gets
   * each event), `named` (events name evaluations: INTERPRETING 7), `realTime` (ticks are milliseconds; otherwise time
   * jumps), `director` (see Scheduler).
   */
  constructor(graph, options = {}) {
    const { max_steps: steps, max_depth: depth, max_nesting: nesting, max_strands: strands, streams } = options;
    this.graph = graph;
    this.options = options;
    this.limits = {
      steps: steps ?? Infinity,
      depth: depth ?? 100_000,
      nesting: nesting ?? 128,
      strands: strands ?? Infinity,
    };
    this.scheduler = new Scheduler(options.director, options.realTime);
    this.gate = new Gate(this.scheduler);
    for (const [id, node] of graph.nodes) {
      const { stream } = node.type;
      if (stream) this.streams.set(node, streamOf(stream, node.stream, streams?.[id]));
    }
    for (const { name, key, start } of graph.variables.values()) {
      const given = Object.hasOwn(options.variables ?? {}, name) ? options.variables[name] : start;
      this.#store.write(key, new Cell(given, key));
    }
  }

  /** Runs it once, and gives {status, failures, life, variables, outputs}; rejects only if the engine is at fault. */
  run() {
    return new Promise((resolve, reject) => {
      this.scheduler.stuck = () => {
        if (this.gate.queue.size === 0) reject(new Error("deadlock: no strand runs, and none ever will"));
      };
      this.scheduler.start(() => this.#main().then(resolve, reject));
      this.scheduler.stir();
    });
  }

  async #main() {
    const [up, life, failures] = [[], [], []];
    const attempt = (step) => Promise.resolve().then(step).catch((error) => failures.push(error));
    await attempt(async () => {
      for (const node of this.graph.nodes.values()) {
        const steps = node.type.life?.(node); // R1
        if (!steps) continue;
        await steps.setup?.();
        life.push(`up ${node.id}`);
        up.unshift([node, steps]);
      }
      await this.#initiate();
    });
    this.scheduler.end();
    for (const [node, steps] of up) {
      life.push(`down ${node.id}`);
      await attempt(() => steps.teardown?.());
    }
    const cancelled = failures[0] instanceof Cancelled;
    if (cancelled) failures.splice(0, 1, ...this.#late); // R8
    const status = failures.length ? "failed" : cancelled ? "cancelled" : "completed"; // R3
    return { status, failures, life, ...(status === "completed" ? this.#result() : { variables: {}, outputs: {} }) };
  }

  #result() {
    const values = (keys) => {
      const cells = keys.map(([name, key]) => [name, this.#store.read(key)]).filter(([, cell]) => cell);
      return Object.fromEntries(cells.map(([name, cell]) => [name, cell.value]));
    };
    const variables = values([...this.graph.variables.values()].map(({ name, key }) => [name, key]));
    const nodes = [...this.graph.nodes.values()];
    const outputs = nodes.map((node) => [node.id, values(node.outputs.map((name) => [name, node.key(name)]))]);
    return { variables, outputs: Object.fromEntries(outputs.filter(([, written]) => Object.keys(written).length)) };
  }

  // R2
  async #initiate() {
    const { timeout, parallel_initiators: parallel } = this.options;
    const { initiators } = this.graph;
    const group = (this.#group = new Group(this, this.#root));
    const late = () => {
      this.#late.push(new Failure("timeout", `not done after ${timeout} ticks`));
      this.cancel();
    };
    const inTime = timeout == null ? () => {} : this.scheduler.limit(timeout, late);
    this.#initiators = initiators.length;
    if (this.#events.length) this.#host();
    await group.hold(this.#store, async () => {
      for (const [index, node] of initiators.entries()) {
        const line = new Line(`${index}`, 1, index);
        const work = async (store, scope) => {
          try {
            await this.dispatch([{ node, entered: null }], line, store, scope);
          } finally {
            this.#initiators -= 1;
            wakeAll(this.#idle);
          }
        };
        if (parallel) this.admit();
        await (parallel ? group.fork(line, this.#store, work) : work(this.#store, group));
      }
    }).finally(inTime);
  }

  // B1: the host's events are handled one after the other, in a strand that is forked when the first arrives.
  #host() {
    const number = this.graph.initiators.length;
    const line = new Line(`${number}`, 1, number);
    this.#hosting = true;
    this.#group.fork(line, this.#store, async (store, scope) => {
      while (this.#events.length || this.#initiators) {
        if (this.#events.length) await this.dispatch(this.#events.shift(), line, store, scope);
        else await this.scheduler.wait(scope, this.#idle);
      }
    });
  }

  /** Publishes an event from outside. Once all initiators have ended, nobody hears it any more (B1). */
  publish(event, payload = null) {
    const targets = this.listeners(event, payload);
    if (this.#group && !this.#initiators) return;
    this.#events.push(targets);
    if (this.#group && !this.#hosting) this.#host();
    wakeAll(this.#idle);
    this.scheduler.stir();
  }

  /** Cancels the run from outside (R5). */
  cancel() {
    this.#root.cancel();
    this.scheduler.stir();
  }

  listeners(event, payload) { return this.graph.listeners(event).map((node) => ({ node, entered: null, payload })); }
  tell(event, { path }, more) { this.options.observe?.({ event, path, ...more }); }

  /** The path of the activation in which a failure arose: the first to ask is that (E2). */
  origin(error, { path }) {
    if (Object(error) !== error) return path; // JavaScript can throw anything
    if (error instanceof Failures) return this.origin(error.first, { path });
    if (!this.#origins.has(error)) this.#origins.set(error, path);
    return this.#origins.get(error);
  }

  /** Refuses one strand too many (R8). */
  admit() {
    const { strands } = this.limits;
    if (this.strands >= strands) throw new Failure("strands", `more than ${strands} strands at once`);
  }

  /** Dispatches targets on a line, each with everything it hands over to, then the next (T1, T6). */
  async dispatch(targets, line, store, scope) {
    const { steps, depth } = this.limits;
    const left = targets.toReversed();
    while (left.length) {
      const target = left.pop();
      const { id } = target.node;
      await this.scheduler.park(scope, "d", line.ahead, id); // T2
      await this.gate.pass(scope, line.ahead, id);
      if (this.#steps >= steps) throw new Failure("steps", `more than ${steps} dispatches`); // R8
      this.#steps += 1;
      if (line.depth >= depth) throw new Failure("depth", `${id} is nested deeper than ${depth}`); // T9
      const handed = await new Activation(this, line.next(), target, store, scope).live();
      left.push(...handed.toReversed());
    }
  }

  /** Merges what a fork wrote into its owner's store (F3, F4). */
  merge(store, { store: fork, line }) {
    const conflicts = store.join(fork, (key) => this.graph.variable(key.slice(1)));
    for (const variable of conflicts.sort(bytewise)) this.tell("conflict", line, { variable });
    this.tell("joined", line);
  }
}
