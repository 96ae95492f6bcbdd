// What a strand sees: cells by key, how they fork, and how they are merged at the join (D9, F1, F3, F4).

import { createHash } from "node:crypto";
import { bytewise } from "./schedule.mjs";

/** One value, as it was once written. Two cells are the same only if they are the same object: that is the version. */
export class Cell {
  constructor(value, origin) {
    this.value = value;
    this.origin = origin;
  }
}

/** The answer to a question that nothing supplies a value for: not a value, and not null either (D1). */
export const UNSET = new Cell(undefined, "unset");

/** The answer to a question whose source failed. */
export const FAILED = new Cell(undefined, "failed");

export class Store {
  #places; // by key: {cell, stamp}
  #changed = new Map(); // keys that were written since the fork, with the cells that were there before
  #stamp;
  known = null; // the evaluations that were found to fit since the last write, for one activation (D4)

  constructor(places = new Map(), stamp = 0) {
    this.#places = places;
    this.#stamp = stamp;
  }

  read(key) { return this.#places.get(key)?.cell; }
  write(key, cell) { this.#put(key, cell, ++this.#stamp); }

  #put(key, cell, stamp) {
    if (!this.#changed.has(key)) this.#changed.set(key, this.read(key));
    this.#places.set(key, { cell, stamp });
    this.known = null;
  }

  /** A store with the same cells; from now on neither sees what the other writes. */
  fork() {
    const stamp = ++this.#stamp;
    return { store: new Store(new Map(this.#places), stamp), stamp };
  }

  /** Takes over what a fork changed, as if it had been written at the moment of the fork.
   *
   * `merge(key, base, mine, theirs, younger)` decides about a variable that both changed (F4). If it fails, nothing is taken.
   */
  join({ store, stamp }, merge) {
    const taken = [];
    for (const [key, base] of store.#changed) {
      const mine = this.#places.get(key);
      const theirs = store.read(key);
      const younger = mine !== undefined && mine.stamp > stamp;
      if (key.startsWith("$") && mine.cell !== base) {
        const cell = merge(key, base, mine.cell, theirs, younger);
        if (cell !== mine.cell) taken.push([key, cell]);
      } else if (!younger) taken.push([key, theirs]);
    }
    for (const [key, cell] of taken) this.#put(key, cell, stamp);
  }
}

/** The policies that make a new value of base, mine and theirs; `null` says that they do not suit (F4). */
export const policies = {
  sum: (base, mine, theirs) => ([base, mine, theirs].every((value) => typeof value === "number") ? mine + (theirs - base) : null),
  append(base, mine, theirs) {
    const texts = [base, mine, theirs].every((value) => typeof value === "string");
    if (!texts && ![base, mine, theirs].every(Array.isArray)) return null;
    const begins = texts ? theirs.startsWith(base) : same(theirs.slice(0, base.length), base);
    return begins ? mine.concat(theirs.slice(base.length)) : null;
  },
  union(base, mine, theirs) {
    if (![base, mine, theirs].every(Array.isArray)) return null;
    return [...new Map([...mine, ...theirs].map((item) => [JSON.stringify(item), item])).values()];
  },
  min: (base, mine, theirs) => extreme(mine, theirs, -1),
  max: (base, mine, theirs) => extreme(mine, theirs, 1),
};

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function extreme(a, b, sign) {
  if (typeof a !== typeof b || !["number", "string"].includes(typeof a)) return null;
  const order = typeof a === "number" ? a - b : bytewise(a, b);
  return order * sign >= 0 ? a : b;
}

/** What stands for a list of origins (INTERPRETING 7). */
export const digest = (origins) => createHash("sha256").update(origins.join("\n"), "utf8").digest("hex").slice(0, 16);
