// The engine: runs a graph (T, F, S, R and B in ../../rules). Start reading at `Run`.

import { Body, Demands } from "./demand.mjs";
import { CANCELLED, Cancelled, Failure, together } from "./failure.mjs";
import { allows } from "./graph.mjs";
import { Cell, Store, bytewise } from "./store.mjs";
import { Gate, SHIELD, Scheduler, Scope, wakeAll } from "./strand.mjs";

export { Cancelled, Failure } from "./failure.mjs";
export { Graph, InvalidGraph } from "./graph.mjs";

/** Something on whose behalf nodes are dispatched: an activation, a fork, an emit, an initiator (T8). */
export class Line {
  given = 0; // how many it has given out

  constructor(path, depth = 1) {
    this.path = path; // a text, with dots between the numbers
    this.depth = depth; // how many numbers these are
  }

  get number() { return Number(this.path.split(".").at(-1)); }
  get ahead() { return `${this.path}.${this.given}`; }
  next() { return new Line(`${this.path}.${this.given++}`, this.depth + 1); }
}

/** Forks that are opened and joined together: a scope of its own for them and their owner (F2). */
export class Group extends Scope {
  #alive = 0;
  #forks = new Set(); // those that are to be joined
  #failures = {}; // by the number of the fork, and so in the order of the forks
  #first = null; // because of which the others were cancelled (E2)
  #waiting = new Set(); // whoever waits for a fork to end

  constructor(run, outer) {
    run.bound("nesting", outer.nesting, "groups of forks in each other"); // F8
    super(outer, outer.nesting + 1);
    this.run = run;
  }

  /** Makes a strand with the cells of `store` (F1), which does `work(line, store, scope)`, if anything. */
  fork(line, store, work, { around = this, discard = false } = {}) {
    const { run } = this;
    const fork = { line, store: store.fork() };
    if (!discard) this.#forks.add(fork); // S6
    run.tell("forked", line);
    if (!work) return; // it has ended
    const scope = new Scope(this, around.nesting); // what is open around its owner now counts for it, too (F8)
    run.strands += 1;
    this.#alive += 1;
    run.scheduler.start(async () => {
      try {
        await work(line, fork.store, scope);
      } catch (error) {
        if (error instanceof Cancelled) this.#forks.delete(fork); // F3
        else this.#end((this.#failures[line.number] = error));
      }
      scope.leave();
      run.strands -= 1;
      this.#alive -= 1;
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
    while (this.#alive > most) await this.run.scheduler.wait(scope, this.#waiting);
    scope.check(); // the end of a fork that failed may be what was waited for (F2)
  }

  async join(store, scope) {
    await this.until(0, scope);
    // If one can't be merged, neither it nor those after it are tried again (F4).
    const forks = [...this.#forks];
    this.#forks.clear();
    for (const { line, store: theirs } of forks) {
      const conflicts = store.join(theirs, this.run.graph.variables); // F3, F4
      for (const variable of conflicts.sort(bytewise)) this.run.tell("conflict", line, { variable });
      this.run.tell("joined", line);
    }
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
export class Activation extends Body {
  activation = this;
  ahead = null; // what runs ahead while inputs are resolved (D12)
  #decide;
  #writes = 0;
  #returns = 0; // how often something that it began has come back
  #trigger = null; // the one that is running (T7)
  #group = null; // of a concurrent stream
  #collected = {}; // failures of items by the numbers of their lines (S4)
  #fired = false; // whether the body has triggered the done socket itself (S5)

  constructor(run, line, { node, entered, payload = null, begin = null, decide = null }, store, scope) {
    super(run, node);
    // `entered` is the exec input through which it was entered (T5), `payload` that of the event it handles, or null. In a
    // workflow, `begin` is where a scope begins, and `decide` hears which exec output a firing returned (W3).
    Object.assign(this, { line, path: line.path, entered, payload, begin, store, scope, stream: run.streams.get(node) });
    this.#decide = decide;
    this.moment = new Cell(undefined, `@${line.path}`); // what evaluations of volatile nodes use (D6)
  }

  /** Runs it, and gives the targets that it hands over to (T6). */
  async live() {
    const { run, node: { id }, stream } = this;
    run.tell("started", this, { node: id, entered: this.entered });
    try {
      if (stream?.mode === "concurrent") this.#group = new Group(run, this.scope);
      let handed = await (this.#group ? this.#hold(this.#group, () => this.#body()) : this.#body());
      if (!this.#fired) handed ??= stream?.done; // S5
      this.#decide?.(handed ?? null);
      run.tell("completed", this, { node: id, handed: handed ?? null });
      return handed == null ? [] : this.node.targets(handed);
    } catch (error) {
      if (error instanceof Cancelled) run.tell("cancelled", this, { node: id });
      else run.tell("failed", this, { node: id, origin: run.origin(error, this) });
      throw error;
    }
  }

  async #body() {
    await this.run.data.inputs(this.node, this); // D7
    try {
      const handed = await this.node.type.run(this);
      if (this.#trigger) throw new Failure("not-awaited", `${this.node.id} does not await what it triggers`);
      if (handed != null) this.node.targets(handed); // T4
      return handed;
    } finally {
      if (this.#trigger) this.#trigger.isForgotten = true;
      await this.#trigger?.ended; // nothing that a body started outlives it
    }
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

  // Does what was begun. However it ends, a new moment begins when it comes back (D6).
  async #away(work) {
    try {
      return await work();
    } finally {
      this.moment = new Cell(undefined, `@${this.path}#${++this.#returns}`);
    }
  }

  // T7. The first of two triggers that are started at once has not dispatched anything yet, and never will.
  async #alone(body) {
    if (this.#trigger) {
      this.#trigger.clash = true;
      throw new Failure("concurrent-trigger", `${this.node.id} triggers while it triggers: await it, or use branches`);
    }
    const trigger = (this.#trigger = {});
    trigger.ended = this.#away(async () => {
      try {
        await null;
        if (trigger.clash) throw CANCELLED;
        await body();
      } catch (error) {
        if (!trigger.isForgotten) throw error; // else nobody would hear it, and the activation fails anyway
      } finally {
        this.#trigger = null;
      }
    });
    await trigger.ended;
  }

  // Forks a strand that dispatches targets. One that may not be made takes no line (T8).
  #fork(group, targets, options, work = (...strand) => this.run.dispatch(targets, ...strand)) {
    this.run.bound("strands", this.run.strands, "strands at once");
    group.fork(this.line.next(), this.store, targets.length ? work : null, options);
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
    const origin = this.run.options.named && `${this.path}/${this.node.id}.${place}#${this.#writes}`;
    this.store.write(key, new Cell(value, origin));
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
      await this.run.dispatch(targets, this.line, this.store, this.scope);
    };
    await (targets.length ? this.#alone(body) : this.#away(body)); // what leads nowhere disturbs nobody (T7)
  }

  /** Gives the next item of the stream (S2). */
  async emit(value) {
    this.scope.check();
    const { node, stream } = this;
    if (!stream) throw new Failure("unknown-socket", `${node.id} has no stream`);
    const targets = node.targets(stream.body);
    const work = async (line, store, scope) => {
      try {
        await this.run.dispatch(targets, line, store, scope);
      } catch (error) {
        if (stream.on_error !== "collect" || error instanceof Cancelled) throw error;
        this.#collected[line.number] = error; // S4
      }
    };
    if (this.#group) {
      await this.#away(async () => {
        await this.#group.until(stream.limit > 0 ? stream.limit - 1 : Infinity, this.scope); // S3
        this.set(stream.item, value);
        this.#fork(this.#group, targets, { around: this.scope, discard: stream.discard }, work);
      });
    } else {
      await this.#alone(() => {
        this.set(stream.item, value);
        return work(this.line.next(), this.store, this.scope);
      });
    }
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
    return await this.#away(() => {
      const group = new Group(this.run, this.scope);
      return this.#hold(group, () => {
        for (const targets of branches) this.#fork(group, targets);
        return body();
      });
    });
  }

  /** Dispatches all listeners of an event (B1). */
  async publish(event, payload = null) {
    this.scope.check();
    const targets = this.run.listeners(event, payload);
    const body = () => this.run.dispatch(targets, this.line, this.store, this.scope);
    await (targets.length ? this.#alone(body) : this.#away(body)); // T7
  }

  feedback(value) { this.run.tell("feedback", this, { value }); }

  /** Does the body for so many ticks at most; says whether it was cut off (R5). */
  async within(ticks, body) {
    const { scheduler } = this.run;
    const scope = new Scope(this.scope);
    const inTime = scheduler.at(ticks, 0, () => scope.cancel());
    try {
      await this.#inside(scope, body);
      return false;
    } catch (error) {
      if (!(error instanceof Cancelled && scope.cancelled)) throw error;
    } finally {
      inTime();
    }
    await scheduler.park(this.scope, "m", this.path, this.node.id);
    return true;
  }
}

/** Settings in which each is what the last says that says something (S2). */
function settled(...sources) {
  const all = sources.flatMap((said) => Object.entries(said ?? {}));
  return Object.fromEntries(all.filter(([, value]) => value !== null));
}

const OPTIONS = { max_steps: Infinity, max_depth: 100_000, max_nesting: 128, max_strands: Infinity, max_ahead: 0, timeout: Infinity };
const STREAM = { mode: "sequential", limit: 0, on_error: "fail" };

/** One execution of a graph. */
export class Run {
  strands = 1;
  data = new Demands(this);
  streams = new Map(); // what holds for them, by node (S2)
  #steps = 0;
  #store = new Store();
  #exhausted = null; // the budget of the host that is used up (R8)
  #root = new Scope(null, -1); // the run's own group does not count as nesting (F8)
  #group; // of initiators and the host's events
  #initiators; // how many have not ended
  #events = []; // of the host, not handled yet: the targets of each
  #idle = new Set(); // where the strand that handles them waits for more
  #hosted = false; // whether there is that strand
  #origins = new WeakMap();

  /** Options, all of which may be missing: `max_steps`, `max_depth`, `max_nesting`, `max_strands`, `max_ahead`, `timeout` (ticks),
   * `parallel_initiators`, `streams` (settings by node id), `variables` (start values), `observe` (a function that gets
   * each event), `named` (events name evaluations: INTERPRETING 7), `realTime` (ticks are milliseconds; otherwise time
   * jumps), `director` (see Scheduler).
   */
  constructor(graph, options) {
    this.graph = graph;
    this.options = settled(OPTIONS, options);
    const { director, realTime, streams, variables } = this.options;
    this.scheduler = new Scheduler(director, realTime);
    this.gate = new Gate(this.scheduler);
    this.#group = new Group(this, this.#root);
    this.#initiators = graph.initiators.length;
    for (const [id, node] of graph.nodes) {
      const { stream } = node.type;
      if (stream) this.streams.set(node, settled(STREAM, stream, node.stream, streams?.[id]));
    }
    const starts = new Map(Object.entries(variables ?? {}));
    for (const { name, key, start } of graph.variables.values()) {
      this.#store.write(key, new Cell(starts.has(name) ? starts.get(name) : start, key));
    }
  }

  /** Runs it once, and gives {status, failures, life, variables, outputs}; rejects only if the engine is at fault.
   *
   * Several failures at once (R4) are an AggregateError; `first` is the one that they have their origin of (E2).
   */
  run() {
    return new Promise((resolve, reject) => {
      this.scheduler.stuck = () => {
        if (this.gate.queue.size === 0) reject(new Error("deadlock: no strand runs, and none ever will"));
      };
      this.#main().then(resolve, reject);
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
    for (const [node, steps] of up) {
      life.push(`down ${node.id}`);
      await attempt(() => steps.teardown?.());
    }
    const cancelled = failures[0] instanceof Cancelled && failures.shift();
    const status = failures.length ? "failed" : cancelled ? "cancelled" : "completed"; // R3
    return { status, failures, life, ...(status === "completed" ? this.#result() : { variables: {}, outputs: {} }) };
  }

  #result() {
    const values = (keys) => {
      const cells = keys.map(([name, key]) => [name, this.#store.read(key)]);
      return Object.fromEntries(cells.filter(([, cell]) => cell).map(([name, { value }]) => [name, value]));
    };
    const written = ([id, node]) => [id, values(node.outputs.map((name) => [name, node.key(name)]))];
    const outputs = [...this.graph.nodes].map(written).filter(([, some]) => Object.keys(some).length);
    const variables = values([...this.graph.variables].map(([name, { key }]) => [name, key]));
    return { variables, outputs: Object.fromEntries(outputs) };
  }

  // R2
  async #initiate() {
    const { timeout, parallel_initiators: parallel } = this.options;
    const inTime = this.scheduler.at(timeout, 0, () => this.#exhaust("timeout", `not done after ${timeout} ticks`));
    const initiate = async (node, ...strand) => {
      await this.dispatch([{ node, entered: null, begin: this.graph.tokens?.begin }], ...strand).finally(() => {
        this.#initiators -= 1;
        wakeAll(this.#idle);
      });
    };
    try {
      await this.#group.hold(this.#store, async () => {
        for (const [index, node] of this.graph.initiators.entries()) {
          const line = new Line(`${index}`);
          if (parallel) this.bound("strands", this.strands, "strands at once");
          if (parallel) this.#group.fork(line, this.#store, (...strand) => initiate(node, ...strand));
          else await initiate(node, line, this.#store, this.#group);
        }
      });
    } catch (error) {
      throw error instanceof Cancelled ? (this.#exhausted ?? error) : error; // R8
    } finally {
      inTime();
    }
  }

  /** Publishes an event from outside. Once all initiators have ended, nobody hears it any more (B1). */
  publish(event, payload = null) {
    const targets = this.listeners(event, payload);
    if (!this.#initiators) return;
    this.#events.push(targets);
    const line = new Line(`${this.graph.initiators.length}`);
    if (!this.#hosted) this.#group.fork(line, this.#store, (...strand) => this.#host(...strand));
    this.#hosted = true;
    wakeAll(this.#idle);
    this.scheduler.stir();
  }

  // The host's events are handled one after the other, in a strand that is forked when the first arrives.
  async #host(...strand) {
    while (this.#events.length || this.#initiators) {
      if (this.#events.length) await this.dispatch(this.#events.shift(), ...strand);
      else await this.scheduler.wait(strand.at(-1), this.#idle);
    }
  }

  /** Cancels the run from outside (R5). */
  cancel() {
    this.#root.cancel();
    this.scheduler.stir();
  }

  // A budget of the host is used up: the run ends as if it were cancelled, and then has failed with that (R8).
  #exhaust(code, message) {
    if (this.#root.cancelled) return; // what came first wins
    this.#exhausted = new Failure(code, message);
    this.cancel();
  }

  listeners(event, payload) { return this.graph.listeners(event).map((target) => ({ ...target, payload })); }
  tell(event, { path }, more) { this.options.observe?.({ event, path, ...more }); }

  /** The path of the activation in which a failure arose: the first to ask is that (E2). */
  origin(error, { path }) {
    const first = error instanceof AggregateError ? error.first : error;
    if (Object(first) !== first) return path; // JavaScript can throw anything
    if (!this.#origins.has(first)) this.#origins.set(first, path);
    return this.#origins.get(first);
  }

  /** Refuses what would be one too many; that can be caught (R8). */
  bound(limit, count, what) {
    const most = this.options[`max_${limit}`];
    if (count >= most) throw new Failure(limit, `more than ${most} ${what}`);
  }

  /** What every dispatch passes (T2). */
  async admit(scope, path, target, depth) {
    const { max_steps: steps } = this.options;
    await this.scheduler.park(scope, "d", path, target.node.id);
    await this.gate.pass(scope, path, target);
    if (this.#steps++ >= steps) {
      this.#exhaust("steps", `more than ${steps} dispatches`);
      throw CANCELLED;
    }
    this.bound("depth", depth, "activations in each other"); // T9
  }

  /** Dispatches targets on a line, each with everything it hands over to, then the next (T1, T6). */
  async dispatch(targets, line, store, scope) {
    const left = targets.toReversed();
    while (left.length) {
      const target = left.pop();
      await this.admit(scope, line.ahead, target, line.depth);
      const handed = await new Activation(this, line.next(), target, store, scope).live();
      left.push(...handed.toReversed());
    }
  }
}
