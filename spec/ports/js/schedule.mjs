// Strands, how they wait, how they are cancelled, and what time it is (INTERPRETING 8, R5).
//
// A strand is an async function that stops nowhere but in `block`. So the number of strands that run is known at
// every moment, and "no strand runs" is a fact, not a guess: nothing here depends on the order of microtasks.

/** What unwinds a cancelled strand. Let it pass: while its scope is cancelled, it is thrown again wherever a body may wait. */
export class Cancelled extends Error {
  constructor() {
    super("this part of the run was cancelled");
    this.name = "Cancelled";
  }
}

const CANCELLED = new Cancelled();

/** Everything that ends together. Cancelling a scope cancels those inside it, and wakes whoever waits there. */
export class Scope {
  called = false; // cancelled itself, not only from around it
  cancelled = false;
  inner = null; // sets are made when they are needed: most scopes never have any
  sleepers = null;

  constructor(outer = null, nesting = outer?.nesting ?? 0) {
    this.outer = outer;
    this.nesting = nesting; // how many fork groups are around (F8)
    this.cancelled = outer?.cancelled ?? false;
    if (outer) (outer.inner ??= new Set()).add(this);
  }

  check() { if (this.cancelled) throw CANCELLED; }

  cancel() {
    this.called = true;
    const left = [this]; // a list instead of a recursion: scopes may nest a hundred thousand deep
    while (left.length) {
      const scope = left.pop();
      if (scope.cancelled && scope !== this) continue;
      scope.cancelled = true;
      for (const sleeper of [...(scope.sleepers ?? [])]) sleeper.cancel();
      for (const inner of scope.inner ?? []) left.push(inner);
    }
  }

  leave() { this.outer?.inner.delete(this); }
}

/** Orders texts by their bytes in UTF-8, which is by code points. */
export function bytewise(a, b) {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

// Surrogates stand for characters beyond all others, but their numbers are not the greatest.
const rank = (unit) => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

function insert(list, item, compare) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle], item) <= 0) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, item);
}

function remove(list, item) {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

/** Releases parked strands one at a time, and moves the time when there is none.
 *
 * A `director` decides instead of first come, first served: `due(labels)` acts from outside and says whether it did,
 * `choose(labels)` gives the place of the strand to release, `moved(now)` hears of the time, `last()` acts when nothing else can.
 */
export class Scheduler {
  running = 0; // strands that do not wait
  now = 0;
  over = false;
  #turns = 0;
  #outside = 0;
  #fresh = []; // strands that were forked and have not run yet
  #parked = [];
  #timers = [];
  #pumping = false;
  #alarm = null;
  #begun = performance.now();

  constructor({ director = null, realTime = false }) { Object.assign(this, { director, realTime }); }

  /** The one way to wait. `begin(sleeper)` arranges that `sleeper.wake(value)` is called, and may return how to take that back. */
  async block(scope, begin) {
    scope?.check();
    return await new Promise((resolve, reject) => {
      let takeBack;
      const settle = (how, value) => {
        if (!sleeper.waiting) return;
        sleeper.waiting = false;
        scope?.sleepers.delete(sleeper);
        this.running += 1;
        // The host gets its turn now and then, so that no graph starves it (T2).
        if (++this.#turns % 64) how(value);
        else setImmediate(how, value);
      };
      const sleeper = {
        waiting: true,
        wake: (value) => settle(resolve, value),
        fail: (error) => settle(reject, error),
        cancel: () => {
          takeBack?.();
          settle(reject, CANCELLED);
        },
      };
      if (scope) (scope.sleepers ??= new Set()).add(sleeper);
      takeBack = begin(sleeper);
      this.leave();
    });
  }

  /** Waits under a label until released. */
  park(scope, letter, path, node) {
    return this.block(scope, (sleeper) => {
      const strand = { label: `${letter} ${path || "root"} ${node}`, sleeper };
      if (this.director) insert(this.#parked, strand, (a, b) => bytewise(a.label, b.label));
      else this.#parked.push(strand);
      return () => remove(this.#parked, strand);
    });
  }

  async sleep(scope, ticks, path, node) {
    if (ticks > 0) {
      await this.block(scope, (sleeper) => {
        const timer = this.#timer(ticks, 1, sleeper.wake);
        return () => remove(this.#timers, timer);
      });
    }
    await this.park(scope, "w", path, node);
  }

  /** Cancels the scope when the time is over, unless the function that this returns was called before. */
  limit(scope, ticks, tell = () => {}) {
    const timer = this.#timer(ticks, 0, () => {
      tell();
      scope.cancel();
    });
    return () => remove(this.#timers, timer);
  }

  // Limits are due before sleepers: what a limit cancels does not wake up.
  #timer(ticks, rank, ring) {
    const timer = { due: this.#clock() + ticks, rank, ring };
    insert(this.#timers, timer, (a, b) => a.due - b.due || a.rank - b.rank);
    return timer;
  }

  #clock() {
    if (this.realTime) this.now = performance.now() - this.#begun;
    return this.now;
  }

  /** Waits for a promise of the world outside; only so can others go on, and a cancellation end it, meanwhile. */
  async outside(scope, promise) {
    this.#outside += 1;
    try {
      return await this.block(scope, (sleeper) => { promise.then(sleeper.wake, sleeper.fail); });
    } finally {
      this.#outside -= 1;
    }
  }

  /** Runs a new strand, an async function that never fails, as soon as those that run now wait. */
  start(strand) { this.#fresh.push(strand); }

  async #run(strand) {
    this.running += 1;
    await strand();
    this.leave();
  }

  /** A strand has ended, or waits. */
  leave() {
    this.running -= 1;
    this.stir();
  }

  /** Goes on if nobody runs; to be called after something was done from outside. */
  stir() {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.running <= 0 && !this.over && this.#turn());
    this.#pumping = false;
  }

  #turn() {
    const { director } = this;
    if (this.#fresh.length) {
      for (const strand of this.#fresh.splice(0)) this.#run(strand);
      return true;
    }
    const labels = director ? this.#parked.map((strand) => strand.label) : null;
    if (director?.due(labels)) return true;
    if (this.#parked.length) {
      const [strand] = this.#parked.splice(director ? director.choose(labels) : 0, 1);
      strand.sleeper.wake();
      return true;
    }
    if (this.#outside === 0 && this.#timers.length && !this.realTime) {
      this.#move(this.#timers[0].due);
      return true;
    }
    if (this.realTime && this.#timers.length) {
      clearTimeout(this.#alarm);
      this.#alarm = setTimeout(() => {
        this.#move(this.#clock());
        this.stir();
      }, this.#timers[0].due - this.#clock());
      return false;
    }
    if (this.#outside) return false;
    if (director?.last()) return true;
    this.stuck();
    return false;
  }

  #move(now) {
    this.now = now;
    this.director?.moved(now);
    while (this.#timers.length && this.#timers[0].due <= now) this.#timers.shift().ring();
  }

  /** Nothing is released any more. */
  end() {
    this.over = true;
    clearTimeout(this.#alarm);
  }
}
