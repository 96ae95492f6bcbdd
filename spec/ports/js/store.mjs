// What a strand sees: cells by key, how they fork, and how they are merged at the join (D9, F1, F3, F4).

import { createHash } from "node:crypto";
import { Failure } from "./failure.mjs";

/** One value, as it was once written. Two cells are the same only if they are the same object (D9). */
export class Cell {
  constructor(value, origin) {
    this.value = value;
    this.origin = origin; // what it is called under every schedule, if anybody wants to know (INTERPRETING 7)
  }
}

/** The answer to a question that nothing supplies a value for: not a value, and not null either (D1). */
export const UNSET = new Cell(undefined, "unset");

/** The answer to a question whose source failed (D4). */
export const FAILED = new Cell(undefined, "failed");

/** What stands for a list of origins (INTERPRETING 7). */
export const digest = (origins) => createHash("sha256").update(origins.join("\n"), "utf8").digest("hex").slice(0, 16);

/** Texts in the order of their bytes in UTF-8, which is not quite JavaScript's. */
export const bytewise = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

// Two values are the same if their texts are: so types count at every depth, and [1] is neither [true] nor ["1"].
const text = (value) => JSON.stringify(value);

const numbers = (...values) => values.every((value) => typeof value === "number");
const texts = (...values) => values.every((value) => typeof value === "string");
const lists = (...values) => values.every(Array.isArray);
const comparable = (a, b) => numbers(a, b) || texts(a, b);
const less = (a, b) => (numbers(a, b) ? a < b : bytewise(a, b) < 0);

/** Merge policies (F4): what base, mine and theirs give; undefined if they do not suit. Two choose a cell instead. */
export const policies = {
  last: null,
  first: null,
  error: () => undefined,
  sum: (base, mine, theirs) => (numbers(base, mine, theirs) ? mine + (theirs - base) : undefined),
  append(base, mine, theirs) {
    if (!texts(base, mine, theirs) && !lists(base, mine, theirs)) return undefined;
    return text(theirs.slice(0, base.length)) === text(base) ? mine.concat(theirs.slice(base.length)) : undefined;
  },
  union(base, mine, theirs) {
    if (!lists(base, mine, theirs)) return undefined;
    return [...new Map([...mine, ...theirs].map((item) => [text(item), item])).values()];
  },
  min: (base, mine, theirs) => (!comparable(mine, theirs) ? undefined : less(theirs, mine) ? theirs : mine),
  max: (base, mine, theirs) => (!comparable(mine, theirs) ? undefined : less(mine, theirs) ? theirs : mine),
};

// The cell of a variable that both sides of a fork have changed. `younger` says that mine is.
export function merged({ name, policy }, base, mine, theirs, younger) {
  if (policy === "last") return younger ? mine : theirs;
  if (policy === "first") return younger ? theirs : mine;
  const value = policies[policy](base.value, mine.value, theirs.value);
  if (value !== undefined) return new Cell(value, theirs.origin && `+${digest([mine.origin, theirs.origin])}`);
  const values = text([mine.value, theirs.value]);
  throw new Failure("merge", `both sides of a fork wrote ${name}: ${policy} does not merge ${values}`);
}

export class Store {
  firings = null; // in a workflow: the scope whose firings write here (W13)
  known = null; // evaluations that fit as long as nothing is written: see Demands
  #places; // by key: {cell, stamp}
  #forked; // its own stamp as a fork
  #stamp; // the last one that was given
  #bases = new Map(); // what was there at the fork, by the keys that have changed since

  constructor(places = new Map(), stamp = 0) {
    this.#places = places;
    this.#forked = this.#stamp = stamp;
  }

  read(key) { return this.#places.get(key)?.cell; }
  write(key, cell, stamp = ++this.#stamp) {
    if (!this.#bases.has(key)) this.#bases.set(key, this.read(key));
    this.#places.set(key, { cell, stamp });
    this.known = null;
  }

  /** A store with the same cells; from now on neither sees what the other writes (F1). */
  fork() {
    const store = new Store(new Map(this.#places), ++this.#stamp);
    store.firings = this.firings;
    return store;
  }

  /** The cells by key. */
  cells() { return new Map([...this.#places].map(([key, { cell }]) => [key, cell])); }

  /** A store of its own that starts with these cells (F9). */
  beginningWith(cells) {
    const stamp = ++this.#stamp;
    return new Store(new Map([...cells].map(([key, cell]) => [key, { cell, stamp }])), stamp);
  }

  /** Has these cells, as if what is new among them had been written here. */
  replace(cells) { for (const [key, cell] of cells) if (this.read(key) !== cell) this.write(key, cell); }

  /** Takes over what a fork changed, as if it had been written at the moment of the fork: all of it, or nothing (F3).
   *
   * Gives the names of variables with conflicts (F4).
   */
  join(fork, variables) {
    const [taken, conflicts] = [[], []];
    for (const [key, base] of fork.#bases) {
      const [mine, theirs] = [this.#places.get(key), fork.read(key)];
      const younger = mine?.stamp > fork.#forked;
      let cell = younger ? mine.cell : theirs;
      if (key.startsWith("$") && mine.cell !== base) {
        const variable = variables.get(key.slice(1));
        cell = merged(variable, base, mine.cell, theirs, younger);
        if (variable.policy === "last") conflicts.push(variable.name);
      }
      if (cell !== mine?.cell) taken.push([key, cell]); // what stays keeps its stamp
    }
    for (const [key, cell] of taken) this.write(key, cell, fork.#forked);
    return conflicts;
  }
}
