// Workflows: a scope while it runs, its tokens, joins and strands (W2-W17, W21). Start reading at `runScope`.

import { Activation, Group, Line } from "./engine.mjs";
import { Cancelled, Failure, together } from "./failure.mjs";
import { merged } from "./store.mjs";
import { wakeAll } from "./strand.mjs";

/** The body of a scope: it ends when nothing is alive in it (W13, W14). */
export async function runScope(owner) {
  const scope = new TokenScope(owner);
  try {
    await scope.run();
    if (scope.failures.length) {
      const failures = scope.failures.toSorted(([a], [b]) => byKey(a, b)).map(([, error]) => error);
      throw together(failures, {}); // W12; several arise in the scope itself
    }
  } catch (error) {
    if (!(error instanceof Cancelled)) await scope.undo(); // W17
    else scope.around?.done.push(...scope.done);
    throw error;
  }
  scope.around?.done.push(...scope.done); // it may still have to be undone
}

/** One activation of a node for one or more tokens (W2). */
class Firing {
  round = 1;
  lane = [];
  serial = [];
  marked = false; // whether its strand is in the lane
  turns = new Map(); // how many turns each node of its circle has had in its past (W15)
  ghost = null; // why its body is not run
  work = null; // what its strand does
  cancelled = false;
  placed = false; // whether it counts for the limits

  constructor(at, tokens) { Object.assign(this, { at, tokens }); }
  get key() { return [this.round, this.at.place, this.lane.length + (this.serial.length ? 1 : 0), ...this.lane, ...this.serial]; } // W10
}

function byKey(a, b) {
  const at = a.findIndex((number, place) => number !== b[place]);
  return at < 0 ? a.length - b.length : at < b.length ? a[at] - b[at] : 1;
}

class TokenScope {
  failures = []; // that no wire took, with the keys of the firings
  done = []; // what can be undone: {path, undo, cells}
  #alive = new Set(); // firings that are ready or under way
  #held = new Map(); // tokens at joins of all, by place
  #early = new Map(); // tokens at joins of the first, by place and then by turn
  #fired = new Map(); // the turns that these have had
  #serials = new Map();
  #works = new Set(); // of strands that have ended
  #merges = new Map(); // cells that were merged, so that what is merged again is the same cell
  #ready = []; // firings that wait until they may start, with what starts them (W16)
  #running = 0;
  #busy = new Map(); // how many are under way, by node and by name of group
  #credits = [1, 2, 4, 8];

  constructor(owner) {
    this.owner = owner;
    this.engine = owner.run;
    this.tokens = owner.run.graph.tokens;
    this.around = owner.store.firings;
    this.opened = owner.store.fork();
    this.base = this.opened.cells();
    this.path = owner.path.split(".").map(Number);
  }

  async run() {
    const { owner: { run, begin, store, scope }, opened } = this;
    this.group = new Group(run, scope);
    try {
      await this.group.hold(store, async () => {
        for (const place of begin.entries) this.#fire(place, []);
        for (const wire of this.tokens.choose(begin.wires, store)) this.#arrive([wire, null]);
        this.#settle();
        await this.group.until(0, this.group);
      });
    } finally {
      this.group.leave();
    }
    const conflicts = [];
    opened.replace(this.#fold(this.#works, conflicts)); // W9
    for (const [work, variable] of conflicts) run.tell("conflict", { path: this.#below(work.order.slice(0, -1)) }, { variable });
    for (const variable of store.join(opened, run.graph.variables).sort()) run.tell("conflict", this.owner, { variable });
  }

  #below(numbers) { return [...this.path, ...numbers].join("."); }

  // --- tokens ---

  // W4. A token is a wire, and the firing that it comes from, null where a scope begins.
  #arrive(token) {
    const at = this.tokens.nodes[token[0].target];
    if (at.kind === "one" || at.kind === "each") this.#fire(at.place, [token]);
    else if (at.kind === "all") this.#held.set(at.place, [...(this.#held.get(at.place) ?? []), token]);
    else this.#comeFirst(at, token); // W8
  }

  #comeFirst(at, token) {
    const turn = this.#turnsBefore(at, [token]).get(at.place) ?? 0;
    if (turn < (this.#fired.get(at.place) ?? 0)) return;
    const early = this.#early.get(at.place) ?? new Map();
    this.#early.set(at.place, early);
    const tokens = [...(early.get(turn) ?? []), token];
    early.set(turn, tokens);
    if (tokens.length < at.least) return;
    this.#forget(at.place, turn);
    this.#fired.set(at.place, turn + 1);
    this.#fire(at.place, tokens);
    for (const firing of at.cancels ? this.#alive : []) {
      if (!at.cancels.has(firing.at.place)) continue;
      firing.cancelled = true;
      if (firing.placed) firing.work?.scope.cancel();
    }
  }

  #forget(place, turn) {
    this.#early.get(place).delete(turn);
    if (!this.#early.get(place).size) this.#early.delete(place);
  }

  // Fires joins that nothing can come to any more, or skips them (W5-W7).
  #settle() {
    for (let at = this.#next(); at; at = this.#next()) {
      const held = this.#held.get(at.place);
      this.#held.delete(at.place);
      if (held) {
        if (new Set(held.map(([wire]) => wire)).size >= at.least) this.#fire(at.place, held);
        else if (at.unmet === "fail") this.#fire(at.place, held, "join-unmet");
        continue;
      }
      const early = this.#early.get(at.place);
      const turn = Math.min(...early.keys());
      const tokens = early.get(turn);
      this.#forget(at.place, turn);
      if (at.unmet !== "fail") continue;
      this.#fired.set(at.place, turn + 1);
      this.#fire(at.place, tokens, "join-unmet");
    }
    this.#start();
  }

  #next() {
    const waiting = [this.#held, this.#early].map((some) => [...some.keys()].sort((a, b) => a - b)).flat();
    const lead = (place) => waiting.filter((other) => other !== place && this.tokens.leads(other, place));
    const open = waiting.filter((place) => ![...this.#alive].some(({ at }) => this.tokens.leads(at.place, place)));
    const found = open.find((place) => !lead(place).length) // W5
      ?? open.find((place) => lead(place).every((other) => this.tokens.leads(place, other))); // W6
    return found === undefined ? null : this.tokens.nodes[found];
  }

  #fire(place, tokens, ghost = null) {
    const firing = this.#make(place, tokens);
    firing.ghost ??= ghost;
    this.#alive.add(firing);
    this.#ready.push({ firing, start: () => this.#fork(firing) });
  }

  // W10, W15
  #make(place, given, alone = false) {
    const at = this.tokens.nodes[place];
    const past = ([, source]) => source?.key ?? [];
    const tokens = given.toSorted((a, b) => a[0].place - b[0].place || byKey(past(a), past(b)));
    const firing = new Firing(at, tokens);
    if (tokens.length) {
      const [[wire, source]] = tokens;
      firing.round = 1 + Math.max(...tokens.map(([, each]) => each?.round ?? 0));
      if (at.kind === "all" || at.kind === "first") {
        this.#serials.set(place, (this.#serials.get(place) ?? 0) + 1);
        firing.serial = [place, this.#serials.get(place)];
      } else {
        Object.assign(firing, { lane: source?.lane ?? [], serial: source?.serial ?? [], marked: alone && !!source?.marked });
        if (at.kind === "each" && !firing.marked) {
          firing.lane = [...firing.lane, wire.place, firing.round];
          firing.marked = true;
        }
      }
    }
    if (at.circle.length) {
      firing.turns = this.#turnsBefore(at, tokens);
      firing.turns.set(place, (firing.turns.get(place) ?? 0) + 1);
      if (firing.turns.get(place) > at.turns) firing.ghost = "turns";
    }
    return firing;
  }

  #turnsBefore(at, tokens) {
    const found = new Map();
    for (const [, source] of tokens) {
      if (!source || !at.circle.includes(source.at)) continue;
      for (const [place, turn] of source.turns) found.set(place, Math.max(turn, found.get(place) ?? 0));
    }
    return found;
  }

  // --- who may start (W16) ---

  #start() {
    if (this.tokens.plain) return void this.#ready.splice(0).forEach(({ start }) => start());
    const free = (waiting) => !this.#reason(waiting.firing.at);
    while (this.tokens.limit === null || this.#running < this.tokens.limit) {
      const able = this.#ready.filter(free);
      if (!able.length) return;
      const levels = new Set(able.map(({ firing }) => firing.at.level));
      if (![...levels].some((level) => this.#credits[level])) this.#credits = [1, 2, 4, 8];
      const level = Math.max(...[...levels].filter((each) => this.#credits[each]));
      const [next] = able.filter(({ firing }) => firing.at.level === level).sort((a, b) => byKey(a.firing.key, b.firing.key));
      this.#credits[level] -= 1;
      this.#ready.splice(this.#ready.indexOf(next), 1);
      this.#count(next.firing, 1);
      next.start();
    }
  }

  #reason({ place, limit, group, feeds }) {
    const busy = (key) => this.#busy.get(key) ?? 0;
    const queued = (other) => this.#ready.filter(({ firing }) => firing.at === other).length;
    return (limit && busy(place) >= limit) || (group && busy(`group ${group}`) >= (this.tokens.groups[group] ?? 1))
      || feeds.some((other) => queued(other) >= other.queue);
  }

  #count(firing, by) {
    firing.placed = by > 0;
    this.#running += by;
    for (const key of [firing.at.place, firing.at.group && `group ${firing.at.group}`]) {
      this.#busy.set(key, (this.#busy.get(key) ?? 0) + by);
    }
  }

  // --- strands ---

  // A strand that comes after those of its tokens (W9).
  #fork(firing) {
    firing.placed = true;
    if (firing.cancelled) return void this.#end(firing, []);
    const past = new Set(firing.tokens.flatMap(([, source]) => (source ? [source.work, ...source.work.past] : [])));
    const found = this.#fold(past);
    const line = new Line(this.#below(firing.key.slice(0, -1)), this.path.length + firing.key.length - 1);
    const work = { order: firing.key, past, found, left: new Map(), scope: null };
    const store = this.opened.beginningWith(found);
    store.firings = this;
    const strand = async (_, own, scope) => {
      work.scope = scope;
      await this.#go(firing, work, own, scope, line);
    };
    this.group.fork(line, store, strand, { discard: true });
  }

  // From firing to firing, as long as each gets the only token of the one before (W11).
  async #go(firing, work, store, scope, line) {
    for (let here = firing; here;) {
      here.work = work;
      const taken = here.cancelled ? [] : await this.#one(here, store, scope);
      if (here.cancelled) return this.#end(here, []);
      const [wire] = taken;
      const alone = taken.length === 1 && ["one", "each"].includes(this.tokens.nodes[wire.target].kind);
      const next = alone ? this.#make(wire.target, [[wire, here]], true) : null;
      if (!next) {
        work.left = new Map([...store.cells()].filter(([key, cell]) => work.found.get(key) !== cell));
        this.#works.add(work);
        this.engine.tell("joined", line);
        return this.#end(here, taken);
      }
      this.#alive.add(next);
      next.work = work;
      if (this.tokens.plain) this.#leave(here);
      else await this.#follow(here, next, scope);
      here = next;
    }
  }

  // Gives up the place, and waits for another.
  async #follow(firing, next, scope) {
    const queue = new Set();
    let started = false;
    this.#ready.push({ firing: next, start: () => { started = true; wakeAll(queue); } });
    this.#leave(firing);
    this.#settle();
    if (!started) await this.engine.scheduler.wait(scope, queue);
  }

  #leave(firing) {
    this.#alive.delete(firing);
    firing.tokens = [];
    if (firing.placed && !this.tokens.plain) this.#count(firing, -1);
  }

  #end(firing, taken) {
    for (const wire of taken) this.#arrive([wire, firing]);
    this.#leave(firing);
    this.#settle();
  }

  // --- one firing ---

  // Runs it, and gives the wires that are taken then (W3, W12).
  async #one(firing, store, scope) {
    const { at, ghost } = firing;
    if (ghost === "turns") { // W15
      const taken = this.tokens.taken(at.place, ["exhausted"], null, store);
      if (!taken.length) this.#failed(firing, new Failure("turns", `${at.id} has had its ${at.turns} turns`));
      return taken;
    }
    let failure;
    try {
      if (ghost) throw new Failure(ghost, `too few tokens have come to ${at.id}`); // W7
      return await this.#live(firing, store, scope);
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      failure = error;
    }
    let taken = [];
    try {
      taken = this.tokens.taken(at.place, ["failed", "ended"], null, store);
    } catch (error) {
      failure = error; // a condition that fails takes its place
    }
    if (!taken.length) this.#failed(firing, failure);
    return taken;
  }

  #failed(firing, error) {
    if (!this.tokens.collects) throw error;
    this.failures.push([firing.key, error]);
  }

  async #live(firing, store, scope) {
    const { at, tokens, key } = firing;
    let taken = [];
    const canUndo = () => {
      if (at.undo) this.done.push({ path: [...this.path, ...key], undo: at.undo, cells: store.cells() });
    };
    const decide = (exit) => {
      taken = this.tokens.taken(at.place, ["completed", "ended"], exit, store);
      canUndo();
    };
    const target = { node: at.node, entered: tokens.length ? tokens[0][0].entered : null, decide };
    if (!tokens.length) target.payload = this.owner.payload;
    try {
      await this.#dispatch(key, target, store, scope);
    } catch (error) {
      if (target.begun && at.undo_from === "started") canUndo(); // W21
      throw error;
    }
    return taken;
  }

  async #dispatch(key, target, store, scope) {
    const line = new Line(this.#below(key), this.path.length + key.length);
    await this.engine.admit(scope, line.path, target, line.depth - 1);
    target.begun = true;
    return await new Activation(this.engine, line, target, store, scope).live();
  }

  /** Undoes what was done, the last first, each once; whatever becomes of it (W17). */
  async undo() {
    const group = new Group(this.engine, this.owner.scope);
    try {
      await group.hold(this.owner.store, async () => {
        for (const { path, undo, cells } of this.done.toSorted((a, b) => byKey(b.path, a.path))) {
          const at = this.tokens.nodes.find(({ id }) => id === undo);
          const key = [0, at.place, ...path.slice(this.path.length)];
          const line = new Line(this.#below(key.slice(0, -1)), this.path.length + key.length - 1);
          const work = async (_, store, scope) => {
            try {
              await this.#dispatch(key, { node: at.node, entered: null }, store, scope);
            } catch (error) {
              if (error instanceof Cancelled) throw error;
            }
          };
          group.fork(line, this.opened.beginningWith(cells), work, { discard: true });
          await group.until(0, group);
        }
      });
    } finally {
      group.leave();
    }
  }

  // --- stores (F9) ---

  // What all of these have left, in canonical order.
  #fold(works, conflicts = null) {
    const here = new Map(this.base);
    for (const work of [...works].sort((a, b) => byKey(a.order, b.order))) {
      for (const [key, theirs] of work.left) {
        const [base, mine] = [work.found.get(key), here.get(key)];
        const variable = key.startsWith("$") && mine !== base ? this.engine.graph.variables.get(key.slice(1)) : null;
        if (!variable) here.set(key, theirs);
        else {
          if (variable.policy === "last") conflicts?.push([work, variable.name]);
          here.set(key, this.#merge(variable, base, mine, theirs));
        }
      }
    }
    return here;
  }

  #merge(variable, base, mine, theirs) {
    const known = this.#merges.get(mine) ?? new Map();
    this.#merges.set(mine, known);
    if (!known.has(theirs)) known.set(theirs, merged(variable, base, mine, theirs, false));
    return known.get(theirs);
  }
}
