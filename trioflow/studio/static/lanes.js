// What strands did while the run goes on, as it was seen from time to time: what lies between two looks is not known.

/** So many looks are kept: the last minute of a busy run, and of one that is stepped through all of an hour. */
const LOOKS = 360;

export class Lanes {
  constructor() {
    /** When it was looked, in seconds of the run. @type {number[]} */
    this.looks = [];
    /** By strand where it was: from, to, the node, and whether it stood still. @type {Map<number, [number, number, number, boolean][]>} */
    this.rows = new Map();
    /** Those that there were at the last look. @type {Set<number>} */
    this.alive = new Set();
  }

  /** When the first of the looks was that are kept. */
  get begin() { return this.looks[0] ?? 0; }

  /** When the last one was. */
  get end() { return this.looks.at(-1) ?? 0; }

  /** Where strands are now. Where one was is taken to be so until something else is seen. @param {number} time @param {{number: number, node: number | null, state: string}[]} strands */
  look(time, strands) {
    this.looks.push(time);
    if (this.looks.length > LOOKS) this.looks.shift();
    for (const number of this.alive) /** @type {any} */ (this.rows.get(number)?.at(-1))[1] = time;
    for (const { number, node, state } of strands) {
      if (!this.rows.has(number)) this.rows.set(number, []);
      const row = /** @type {[number, number, number, boolean][]} */ (this.rows.get(number));
      const last = this.alive.has(number) ? row.at(-1) : undefined;
      const [at, stands] = [node ?? -1, state === 'parked'];
      if (!last || last[2] !== at || last[3] !== stands) row.push([time, time, at, stands]);
    }
    this.alive = new Set(strands.map((each) => each.number));
    for (const [number, row] of this.rows) {
      while (row.length && row[0][1] < this.begin) row.shift();
      if (!row.length) this.rows.delete(number);
    }
  }

  /** The strands in the order of their numbers, as the chart draws them. */
  strands() {
    return [...this.rows].sort((a, b) => a[0] - b[0]).map(([strand, spans]) => ({ strand, spans, goesOn: this.alive.has(strand) }));
  }
}
