// Strands: how they wait, how they are cancelled, what time it is, and where they are paused (INTERPRETING 8, R5, G).
//
// A strand is an async function that stops nowhere but in `wait`. So the number of strands that run is known at every
// moment, and "no strand runs" is a fact, not a guess: nothing here depends on the order of microtasks.

import { CANCELLED } from "./failure.mjs";

/** Everything that ends together. Cancelling a scope cancels those inside it, and whoever waits there (R5). */
export class Scope {
  inside = new Set(); // scopes, and those who wait

  constructor(outer = null, nesting = outer.nesting) {
    this.outer = outer;
    this.nesting = nesting; // how many groups of forks are around (F8)
    this.cancelled = outer?.cancelled ?? false;
    outer?.inside.add(this);
  }

  leave() { this.outer.inside.delete(this); }
  check() { if (this.cancelled) throw CANCELLED; }

  cancel() {
    const struck = [this]; // a list instead of a recursion: scopes may nest a hundred thousand deep
    for (const scope of struck) {
      scope.cancelled = true;
      for (const inside of scope.inside) {
        if (!(inside instanceof Scope)) inside.cancel();
        else if (!inside.cancelled) struck.push(inside);
      }
    }
  }
}

/** For those who can't be cancelled while they wait. */
export const SHIELD = new Scope(null, 0);

/** Wakes all that wait in a queue. */
export const wakeAll = (queue) => { for (const sleeper of queue) sleeper.wake(); };

/** Who directs if nobody else does: first come, first served. */
const UNDIRECTED = { act: () => false, choose: ([first]) => first, moved() {} };

/** Releases parked strands one at a time, and moves the time when there is none.
 *
 * Its director decides: `act(parked)` does what is due from outside, and says whether there was anything; without an
 * argument, nothing else can be done. `choose(parked)` gives the strand to release; each has a `label`. `moved(now)`
 * hears of the time.
 */
export class Scheduler {
  #now = 0;
  #begun = performance.now();
  #running = 1; // strands that do not wait; the first is there from the beginning, and waits no more at the end
  #fresh = []; // strands that were forked and have not run yet
  #parked = new Set();
  #timers = new Set();
  #outside = 0; // strands that wait for the world outside
  #wakes = 0;
  #turning = false;

  constructor(director, realTime) {
    this.director = director ?? UNDIRECTED;
    this.realTime = realTime;
  }

  /** The ticks since the run began; in real time they are milliseconds. */
  get now() { return this.realTime ? performance.now() - this.#begun : this.#now; }

  /** The one way to wait: in a queue, a set, until `wake` is called on what is put there. */
  wait(scope, queue, label) {
    scope.check();
    return new Promise((resolve, reject) => {
      const settle = (how) => {
        if (!queue.delete(sleeper)) return; // it waits no longer
        scope.inside.delete(sleeper);
        this.#running += 1;
        // The host gets its turn now and then, so that no graph starves it (T2).
        if (++this.#wakes % 64) how(CANCELLED);
        else setImmediate(how, CANCELLED);
      };
      const sleeper = { label, wake: () => settle(resolve), cancel: () => settle(reject) };
      scope.inside.add(sleeper);
      queue.add(sleeper);
      this.#leave();
    });
  }

  /** Waits under a label until released. */
  park(scope, letter, path, node) { return this.wait(scope, this.#parked, `${letter} ${path} ${node}`); }

  // Waits until what `begin` gets is called; in any case calls what it gave.
  async #until(scope, begin) {
    const queue = new Set();
    const end = begin(() => wakeAll(queue));
    try {
      await this.wait(scope, queue);
    } finally {
      end();
    }
  }

  async sleep(scope, ticks, path, node) {
    if (ticks > 0) await this.#until(scope, (ring) => this.at(ticks, 1, ring));
    await this.park(scope, "w", path, node);
  }

  /** Waits for a promise of the world outside. */
  async outside(scope, promise) {
    this.#outside += 1;
    await this.#until(scope, (ring) => {
      promise.then(ring, ring);
      return () => { this.#outside -= 1; };
    });
    return await promise;
  }

  /** Does something when the time is over, unless the function that this gives was called before.
   *
   * Limits have rank 0, sleepers 1: what a limit cancels does not wake up.
   */
  at(ticks, rank, ring) {
    if (ticks === Infinity) return () => {};
    if (this.realTime) {
      const alarm = setTimeout(ring, ticks);
      return () => clearTimeout(alarm);
    }
    const timer = { due: this.#now + ticks, rank, ring };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Runs a new strand, an async function that never fails, as soon as those that run now wait. */
  start(strand) { this.#fresh.push(strand); }

  #leave() {
    this.#running -= 1;
    this.stir();
  }

  /** Goes on if nobody runs; to be called after something was done from outside. */
  stir() {
    if (this.#turning) return;
    this.#turning = true;
    while (this.#running === 0 && this.#turn());
    this.#turning = false;
  }

  // The loop of INTERPRETING 8, once; says whether anything was done.
  #turn() {
    if (this.#fresh.length) {
      for (const strand of this.#fresh.splice(0)) {
        this.#running += 1;
        strand().then(() => this.#leave());
      }
    } else if (this.director.act(this.#parked)) return true;
    else if (this.#parked.size) this.director.choose(this.#parked).wake();
    else if (this.#outside || this.realTime) return false;
    else if (this.#timers.size) this.#pass();
    else if (!this.director.act()) return void this.stuck();
    return true;
  }

  // Lets time pass until something is due.
  #pass() {
    const timers = [...this.#timers].sort((a, b) => a.due - b.due || a.rank - b.rank);
    this.#now = timers[0].due;
    this.director.moved(this.#now);
    for (const timer of timers) {
      if (timer.due > this.#now) break;
      this.#timers.delete(timer);
      timer.ring();
    }
  }
}

/** Where a run pauses and steps (G1-G8). Paths are texts. */
export class Gate {
  breakpoints = new Set(); // ids of nodes, and names of wires
  queue = new Set(); // dispatches that wait, each with its path as label
  #permits = Infinity; // how many may pass; while it is open, any number
  #openings = 0;
  #below = []; // what is strictly below one of these passes (G6, G7)
  #byPath = new Set(); // who was let pass without a permit, and has not gone on yet

  constructor(scheduler) { this.scheduler = scheduler; }

  async pass(scope, path, { node: { id }, wire }) {
    const stops = this.breakpoints.has(id) || this.breakpoints.has(wire);
    if (stops && (this.#permits === Infinity || this.#passes(path))) this.pause(); // G3, G6, G8
    if (this.#passes(path)) return;
    if (this.#permits > 0) return void (this.#permits -= 1);
    const openings = this.#openings;
    await this.scheduler.wait(scope, this.queue, path);
    const permitted = !this.#byPath.delete(path);
    try {
      await this.scheduler.park(scope, "g", path, id);
    } catch (error) {
      // Who is cancelled now hands his permit on, until it is void (G2).
      if (permitted && openings === this.#openings) this.step();
      throw error;
    }
  }

  #passes(path) { return this.#below.some((above) => path.startsWith(above && `${above}.`)); }

  /** Also ends what steps by path let pass (G6). */
  pause() {
    this.#below = [];
    if (this.#permits === Infinity) this.#permits = 0;
  }

  resume() {
    this.#openings += 1;
    this.#below = [];
    this.step(Infinity);
  }

  /** Lets who waits at a path pass: "into" alone, "over" with what is below, "out" with what is below the path above. */
  stepByPath(how, path) {
    if (![...this.queue].some(({ label }) => label === path)) return;
    if (how === "over") this.#below.push(path);
    if (how === "out") this.#below.push(path.slice(0, Math.max(0, path.lastIndexOf("."))));
    for (const sleeper of [...this.queue].filter(({ label }) => label === path || this.#passes(label))) {
      this.#byPath.add(sleeper.label);
      sleeper.wake();
    }
    this.scheduler.stir();
  }

  /** While paused: lets so many dispatches pass, whether they wait already or are still to come. */
  step(count = 1) {
    this.#permits += count;
    for (const sleeper of this.queue) {
      if (this.#permits === 0) break;
      this.#permits -= 1;
      sleeper.wake();
    }
    this.scheduler.stir();
  }
}
