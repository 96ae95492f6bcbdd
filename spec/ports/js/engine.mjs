// The engine: runs a graph (D, T, F, S, R, G, B in ../../rules). Start reading at `Run`.

import { Body, Demands } from "./data.mjs";
import { Failure, Failures, together } from "./failure.mjs";
import { takes } from "./graph.mjs";
import { Cancelled, Scheduler, Scope } from "./schedule.mjs";
import { Cell, Store, digest, policies } from "./store.mjs";

export { Failure, Failures, codes } from "./failure.mjs";
export { Graph, InvalidGraph } from "./graph.mjs";
export { Cancelled } from "./schedule.mjs";

/** Something on whose behalf nodes are dispatched: an activation, a fork, an emit, an initiator (T8). */
class Line {
  given = 0;

  constructor(path, depth) {
    this.path = path; // numbers with dots between them; of the root it is empty
    this.depth = depth;
  }

  get ahead() { return this.path === "" ? `${this.given}` : `${this.path}.${this.given}`; }

  next() {
    const line = new Line(this.ahead, this.depth + 1);
    this.given += 1;
    return line;
  }
}

/** Where a run pauses and steps (G1-G3). */
class Gate {
  open = true;
  breakpoints = new Set(); // ids of nodes
  #permits = 0;
  #opened = 0; // how often: permits are void once it was opened
  #waiting = [];

  constructor(scheduler) { this.scheduler = scheduler; }

  async pass(scope, path, node) {
    if (this.open && this.breakpoints.has(node)) this.pause();
    if (this.open || this.#permits-- > 0) return;
    this.#permits = 0;
    const opened = this.#opened;
    const permit = await this.scheduler.block(scope, (sleeper) => {
      this.#waiting.push(sleeper);
      return () => this.#waiting.splice(this.#waiting.indexOf(sleeper), 1);
    });
    try {
      await this.scheduler.park(scope, "g", path, node);
    } catch (error) {
      if (permit && opened === this.#opened) this.step(1); // whoever is cancelled hands his permit on
      throw error;
    }
  }

  /** How many dispatches wait. */
  get waiting() { return this.#waiting.length; }
  pause() { this.open = false; }

  resume() {
    if (this.open) return;
    this.open = true;
    this.#opened += 1;
    this.#permits = 0;
    this.#let(Infinity, false);
  }

  /** While paused: lets so many dispatches pass. */
  step(count = 1) { if (!this.open) this.#permits = this.#let(this.#permits + count, true); }

  #let(count, permit) {
    const passing = this.#waiting.splice(0, count);
    for (const sleeper of passing) sleeper.wake(permit);
    this.scheduler.stir();
    return count - passing.length;
  }
}

/** Forks that are opened and joined together, and that end with what they were opened in (F2). */
class Group {
  alive = 0;
  failures = []; // of collected items: [number, error]
  #forks = [];
  #made = 0;
  #fatal = [];
  #waiting = new Set(); // whoever waits for a fork to end

  /** `counts` says whether the group counts as nesting: that of the run does not (F8). */
  constructor(run, outer, counts = true) {
    if (counts && outer.nesting >= run.limits.nesting) throw new Failure("nesting", `more than ${run.limits.nesting} groups of forks inside each other`);
    this.run = run;
    this.scope = new Scope(outer, outer.nesting + (counts ? 1 : 0));
  }

  /** Makes a strand that begins with the cells of `store`, and dispatches the targets on a line, or does what `body` says.
   *
   * `take` gives the line; it is not asked if there may be no more strands (T8).
   */
  fork(take, store, targets, { outer = this.scope, collect = false, discard = false, body, limit = this.run.limits.strands } = {}) {
    const { run } = this;
    const scope = new Scope(this.scope, outer.nesting); // what is open around its owner now counts for it (F8)
    if (run.strands >= limit) throw new Failure("strands", `more than ${limit} strands at once`);
    const line = take();
    const number = this.#made++;
    const fork = { line, cancelled: false, ...store.fork() };
    if (!discard) this.#forks.push(fork);
    run.tell("forked", line.path);
    if (!body && !targets.length) return; // it has nothing to do, and so it has ended
    run.strands += 1;
    this.alive += 1;
    run.scheduler.start(async () => {
      try {
        await (body ?? run.dispatch.bind(run, targets, line))(fork.store, scope);
      } catch (error) {
        if (error instanceof Cancelled) fork.cancelled = true;
        else if (collect) this.failures.push([number, error]);
        else {
          this.#fatal.push([number, error]);
          this.scope.cancel(); // first of all: a cancellation comes before what anybody waits for
        }
      }
      scope.leave();
      run.strands -= 1;
      this.alive -= 1;
      for (const sleeper of this.#waiting) sleeper.wake();
      this.#waiting.clear();
    });
  }

  /** Waits until no more than so many forks are alive. */
  async until(most, scope) {
    scope?.check();
    while (this.alive > most) {
      await this.run.scheduler.block(scope, (sleeper) => {
        this.#waiting.add(sleeper);
        return () => this.#waiting.delete(sleeper);
      });
    }
  }

  async join(store, scope) {
    await this.until(0, scope);
    // If one can't be merged, neither it nor those after it are tried again (F4).
    for (const fork of this.#forks.splice(0)) if (!fork.cancelled) this.run.merge(store, fork);
  }

  /** Runs the owner's part. Afterwards all forks have ended, and are joined if nothing failed. */
  async hold(store, body) {
    let error, first, value;
    try {
      value = await body();
      await this.join(store, this.scope);
    } catch (caught) {
      error = caught;
      first = this.#fatal[0]?.[1] ?? (error instanceof Cancelled ? undefined : error);
      this.scope.cancel();
      await this.until(0, null);
    }
    this.scope.leave();
    first ??= this.#fatal[0]?.[1]; // in time, because of which the others were cancelled (E2)
    const failures = this.#fatal.sort(([a], [b]) => a - b).map(([, failure]) => failure);
    if (error && !(error instanceof Cancelled)) failures.unshift(error);
    if (failures.length) throw together(failures, first);
    if (error) throw error;
    return value;
  }
}

/** One execution of an exec node, and what its body sees. */
class Activation extends Body {
  activation = this;
  #event;
  #writes = 0;
  #busy = null;
  #group = null;
  #failures = [];
  #fired = false;

  constructor(run, line, { node, entered, event }, store, outer) {
    super(run, node);
    this.line = line;
    this.path = line.path;
    this.entered = entered; // the exec input through which it was entered, or null (T5)
    this.origin = `@${line.path}`; // an activation is its own moment: a cell for volatile nodes (D6)
    this.store = store;
    this.scope = new Scope(outer);
    this.#event = event;
  }

  /** Runs it, and gives the targets that it hands over to. */
  async live() {
    const { run, node } = this;
    run.tell("started", this.path, { node: node.id, entered: this.entered });
    try {
      let handed;
      const stream = run.stream(node);
      if (stream?.mode === "concurrent") {
        this.#group = new Group(run, this.scope);
        handed = await this.#in(this.#group.scope, () => this.#group.hold(this.store, () => this.#body()));
      } else handed = await this.#body();
      handed ??= stream?.done && !this.#fired ? stream.done : null; // S5
      run.tell("completed", this.path, { node: node.id, handed });
      return handed === null ? [] : node.targets(handed);
    } catch (error) {
      if (error instanceof Cancelled) run.tell("cancelled", this.path, { node: node.id });
      else run.tell("failed", this.path, { node: node.id, origin: run.origin(error, this.path) });
      throw error;
    } finally {
      this.scope.leave();
    }
  }

  async #body() {
    for (const input of this.node.eager) this.run.data.need(input, await this.run.data.resolve(input, this)); // D7
    let handed;
    try {
      handed = (await this.node.type.run(this)) ?? null;
    } finally {
      if (this.#busy) {
        this.#busy.left = true;
        this.scope.cancel(); // nothing that a body started outlives it
        await this.#busy;
        handed = undefined;
      }
    }
    if (handed === undefined) throw new Failure("not-awaited", `the body of ${this.node.id} ended while a trigger was running: await it`);
    if (handed !== null) this.node.targets(handed);
    return handed;
  }

  async #in(scope, body) {
    const outer = this.scope;
    this.scope = scope;
    try {
      return await body();
    } finally {
      this.scope = outer;
    }
  }

  // T7: one trigger at a time. The first of two that are started at once has not dispatched anything yet, and never will.
  async #alone(body) {
    this.scope.check();
    if (this.#busy) {
      this.#busy.clash = true;
      throw new Failure("concurrent-trigger", `${this.node.id} triggers while it triggers: await the first one, or use emit or branches`);
    }
    let free;
    const busy = new Promise((resolve) => (free = resolve));
    this.#busy = busy;
    try {
      await null;
      if (busy.clash) throw new Cancelled();
      await body();
    } catch (error) {
      if (!busy.left) throw error; // otherwise nobody is there to hear it, and the body fails anyway
    } finally {
      this.#busy = null;
      free();
    }
  }

  async tryGet(name, ...instead) {
    this.scope.check();
    const input = this.node.input(name);
    return this.run.data.given(input, await this.run.data.resolve(input, this), instead);
  }

  set(name, value) {
    this.node.output(name);
    this.#write(this.node.key(name), name, value);
  }

  #write(key, place, value) {
    this.#writes += 1;
    const origin = this.run.named ? `${this.path}/${this.node.id}.${place}#${this.#writes}` : null;
    this.store.write(key, new Cell(value, origin));
  }

  getVar(name) { return this.store.read(this.run.graph.variable(name).key).value; }

  setVar(name, value) {
    const { key, type } = this.run.graph.variable(name);
    if (value !== null && !takes(type, value)) throw new Failure("coercion", `${name} takes ${type}, not ${JSON.stringify(value)}`);
    this.#write(key, key, value);
  }

  getState(name) { return this.store.read(`state ${this.node.id}\n${name}`)?.value ?? null; }
  setState(name, value) { this.store.write(`state ${this.node.id}\n${name}`, new Cell(value)); }

  /** Dispatches the targets of an exec output, one after the other, after writing values to outputs. */
  async trigger(socket, values = {}) {
    this.scope.check();
    const targets = this.node.targets(socket);
    const writes = Array.isArray(values) ? values : Object.entries(values);
    for (const [name] of writes) this.node.output(name);
    const done = socket === this.node.type.stream?.done;
    if (done) this.#fired = true;
    const body = async () => {
      for (const [name, value] of writes) this.set(name, value);
      if (done) await this.join(); // S5
      await this.run.dispatch(targets, this.line, this.store, this.scope);
    };
    await (targets.length ? this.#alone(body) : body()); // T4: what leads nowhere disturbs nobody
  }

  /** The next item of the stream (S2). */
  async emit(value) {
    this.scope.check();
    const { run, store } = this;
    const stream = run.stream(this.node);
    if (!stream) throw new Failure("unknown-socket", `${this.node.id} has no stream`);
    const targets = this.node.targets(stream.body);
    const collect = stream.on_error === "collect";
    if (this.#group) {
      await this.#group.until(stream.limit > 0 ? stream.limit - 1 : Infinity, this.scope);
      this.set(stream.item, value);
      return this.#group.fork(() => this.line.next(), store, targets, { outer: this.scope, collect, discard: stream.discard });
    }
    await this.#alone(async () => {
      this.set(stream.item, value);
      const line = this.line.next();
      try {
        await run.dispatch(targets, line, store, this.scope);
      } catch (error) {
        if (!collect || error instanceof Cancelled) throw error;
        this.#failures.push([0, error]);
      }
    });
  }

  /** Waits for all items so far, and merges what they wrote. */
  async join() {
    this.scope.check();
    await this.#group?.join(this.store, this.scope);
  }

  /** What items have failed with so far, if the stream collects failures. */
  failures() { return (this.#group?.failures ?? this.#failures).toSorted(([a], [b]) => a - b).map(([, error]) => error); }

  /** Forks one branch for each exec output; runs the body meanwhile; joins. */
  async branches(sockets, body = async () => {}) {
    this.scope.check();
    const branches = sockets.map((socket) => this.node.targets(socket));
    const group = new Group(this.run, this.scope);
    return await this.#in(group.scope, () =>
      group.hold(this.store, () => {
        for (const targets of branches) group.fork(() => this.line.next(), this.store, targets);
        return body();
      }),
    );
  }

  /** Dispatches all listeners of an event (B1). */
  async publish(event, payload = null) {
    this.scope.check();
    const targets = this.run.graph.listeners(event).map((node) => ({ node, entered: null, event: { payload } }));
    if (targets.length) await this.#alone(() => this.run.dispatch(targets, this.line, this.store, this.scope));
  }

  /** The payload of the event that this activation handles, or null. */
  get payload() { return this.#event?.payload ?? null; }
  feedback(value) { this.run.tell("feedback", this.path, { node: this.node.id, value }); }

  /** Runs the body for so many ticks at most; says whether it was cut off. */
  async within(ticks, body) {
    const { scheduler } = this.run;
    const scope = new Scope(this.scope);
    const inTime = scheduler.limit(scope, ticks);
    try {
      await this.#in(scope, body);
      return false;
    } catch (error) {
      if (!(error instanceof Cancelled && scope.called)) throw error;
    } finally {
      inTime();
      scope.leave();
    }
    await scheduler.park(this.scope, "m", this.path, this.node.id);
    return true;
  }
}

/** One execution of a graph. */
export class Run {
  strands = 1;
  steps = 0;
  life = [];
  data = new Demands(this);
  #origins = new WeakMap();
  #failures = [];
  #root = new Scope();
  #store = new Store();
  #group = null;
  #initiators = 0; // those that have not ended
  #events = [];
  #late = null;
  #hosting = false;
  #idle = null; // the strand of the host's events, while there are none

  /** Options, all of which may be missing: `variables` (start values), `maxSteps`, `maxDepth`, `maxNesting`, `maxStrands`, `timeout`
   * (ticks), `parallelInitiators`, `streams` (settings by node id), `observe` (gets each event), `realTime` (ticks are
   * milliseconds; otherwise time jumps), `director` (see Scheduler).
   */
  constructor(graph, options = {}) {
    const { maxSteps, maxDepth, maxNesting, maxStrands, director, realTime } = options;
    this.graph = graph;
    this.options = options;
    this.limits = { steps: maxSteps ?? Infinity, depth: maxDepth ?? 100_000, nesting: maxNesting ?? 128, strands: maxStrands ?? Infinity };
    this.named = options.named ?? false; // whether cells and evaluations get names (INTERPRETING 7)
    this.scheduler = new Scheduler({ director, realTime });
    this.gate = new Gate(this.scheduler);
    for (const { name, key, start } of graph.variables.values()) {
      this.#store.write(key, new Cell(Object.hasOwn(options.variables ?? {}, name) ? options.variables[name] : start, key));
    }
  }

  /** Runs it once: {status, failures, variables, outputs, life}. */
  run() {
    return new Promise((resolve, reject) => {
      this.scheduler.stuck = () => this.gate.waiting || reject(new Error("deadlock: no strand runs, none is parked, nothing is due"));
      this.scheduler.start(() => this.#main().then(resolve, reject));
      this.scheduler.stir();
    });
  }

  async #main() {
    let cancelled = false;
    const up = [];
    try {
      for (const node of this.graph.nodes.values()) {
        const life = node.type.life?.(node);
        if (!life) continue;
        await life.setup?.(); // R1
        this.life.push(`up ${node.id}`);
        up.push([node, life]);
      }
      await this.#initiate();
    } catch (error) {
      if (!(error instanceof Cancelled)) this.#failures.push(error);
      else if (this.#late) this.#failures.push(this.#late);
      else cancelled = true;
    }
    this.scheduler.end();
    for (const [node, life] of up.reverse()) {
      this.life.push(`down ${node.id}`);
      try {
        await life.teardown?.();
      } catch (error) {
        this.#failures.push(error);
      }
    }
    const status = this.#failures.length ? "failed" : cancelled ? "cancelled" : "completed";
    const end = { status, failures: this.#failures, life: this.life, variables: {}, outputs: {} };
    if (status !== "completed") return end;
    for (const { name, key } of this.graph.variables.values()) end.variables[name] = this.#store.read(key).value;
    for (const node of this.graph.nodes.values()) {
      if (node.data) continue;
      const cells = Object.keys(node.type.outputs ?? {}).map((name) => [name, this.#store.read(node.key(name))]);
      const written = cells.filter(([, cell]) => cell).map(([name, cell]) => [name, cell.value]);
      if (written.length) end.outputs[node.id] = Object.fromEntries(written);
    }
    return end;
  }

  async #initiate() {
    const { timeout, parallelInitiators } = this.options;
    const group = (this.#group = new Group(this, this.#root, false));
    const { scope } = group;
    const initiators = this.graph.initiators.map((node, index) => ({ node, line: new Line(`${index}`, 1) }));
    this.#initiators = initiators.length;
    if (timeout != null) {
      this.scheduler.limit(this.#root, timeout, () => {
        this.#late = new Failure("timeout", `not done after ${timeout} ticks`);
      });
    }
    if (this.#events.length) this.#host();
    await group.hold(this.#store, async () => {
      for (const { node, line } of initiators) {
        const body = async (store) => {
          try {
            await this.dispatch([{ node, entered: null }], line, store, scope);
          } finally {
            this.#initiators -= 1;
            this.#idle?.wake();
          }
        };
        if (parallelInitiators) group.fork(() => line, this.#store, [], { body });
        else await body(this.#store);
      }
    });
  }

  // B1: the host's events are handled one after the other, in a strand that is forked when the first arrives.
  #host() {
    const line = new Line(`${this.graph.initiators.length}`, 1);
    const body = async (store, scope) => {
      while (this.#events.length || this.#initiators) {
        if (this.#events.length) await this.dispatch(this.#events.shift(), line, store, scope);
        else await this.scheduler.block(scope, (sleeper) => void (this.#idle = sleeper));
      }
    };
    this.#group.fork(() => line, this.#store, [], { body, limit: Infinity });
    this.#hosting = true;
  }

  /** Publishes an event from outside. Once all initiators have ended, nobody hears it any more. */
  publish(name, payload = null) {
    const targets = this.graph.listeners(name).map((node) => ({ node, entered: null, event: { payload } }));
    if (this.#group && !this.#initiators) return;
    if (this.#group && !this.#hosting) this.#host();
    this.#events.push(targets);
    this.#idle?.wake();
    this.scheduler.stir();
  }

  cancel() {
    this.#root.cancel();
    this.scheduler.stir();
  }

  tell(event, path, more) { this.options.observe?.({ event, path, ...more }); }

  /** Where a failure arose: the first to ask says it (E2). */
  origin(error, path) {
    if (Object(error) !== error) return path; // JavaScript can throw anything
    if (!this.#origins.has(error)) this.#origins.set(error, error instanceof Failures ? this.origin(error.first, path) : path);
    return this.#origins.get(error);
  }

  stream(node) {
    const declared = node.type.stream;
    if (!declared) return null;
    const stream = { mode: "sequential", limit: 0, on_error: "fail" };
    for (const settings of [declared, node.stream, this.options.streams?.[node.id]]) {
      for (const [name, value] of Object.entries(settings ?? {})) if (value !== null) stream[name] = value;
    }
    return stream;
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
      if (this.steps >= steps) throw new Failure("steps", `more than ${steps} dispatches`); // R8
      this.steps += 1;
      if (line.depth >= depth) throw new Failure("depth", `nested deeper than ${depth}: ${line.path.slice(0, 60)}...`); // T9
      const handed = await new Activation(this, line.next(), target, store, scope).live();
      for (let i = handed.length; i > 0; i--) left.push(handed[i - 1]);
    }
  }

  /** Merges what a fork wrote into its owner's store (F3, F4). */
  merge(store, fork) {
    const conflicts = [];
    store.join(fork, (key, base, mine, theirs, younger) => {
      const { name, policy } = this.graph.variable(key.slice(1));
      if (policy === "last" || policy === "first") {
        if (policy === "last") conflicts.push(name);
        return younger === (policy === "last") ? mine : theirs;
      }
      const value = policies[policy]?.(base.value, mine.value, theirs.value) ?? null;
      if (value === null) throw new Failure("merge", `${name} was written by both sides of a fork: ${policy} does not merge ${JSON.stringify([mine.value, theirs.value])}`);
      return new Cell(value, this.named ? `+${digest([mine.origin, theirs.origin])}` : null);
    });
    for (const variable of conflicts) this.tell("conflict", fork.line.path, { variable });
    this.tell("joined", fork.line.path);
  }
}
