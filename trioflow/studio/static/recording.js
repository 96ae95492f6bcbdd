// A stretch of a recording, and what the run was doing at any event of it. Every few thousand events all counts are kept, so
// that any moment is found by going on from the last such place. Events have the numbers that they have in the whole recording.

const EVERY = 4096;
const STARTS = new Set(['NodeStarted']);
const ENDS = new Set(['NodeCompleted', 'NodeFailed', 'NodeCancelled', 'NodeSkipped']);
const COUNTED = new Set(['NodeStarted', 'EvaluationCompleted']);
const FAILED = new Set(['NodeFailed', 'EvaluationFailed']);
const NOWHERE = 65535;
const NO_STRAND = 0xffffffff;

export class Recording {
  /** @param {ArrayBuffer} data @param {number} nodes How many the graph has. */
  constructor(data, nodes) {
    const length = new DataView(data).getUint32(0, true);
    /** @type {any} */
    this.head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const { events, first, total } = this.head;
    /** How many events there are in all; the first of those here, and the one after the last. */
    this.count = total;
    this.first = first;
    this.stop = first + events;
    let at = 4 + length;
    const take = (/** @type {any} */ kind) => {
      const column = new kind(data, at, events);
      at += events * kind.BYTES_PER_ELEMENT;
      return column;
    };
    this.time = take(Float64Array);
    this.strand = take(Uint32Array);
    this.path = take(Uint32Array);
    this.node = take(Uint16Array);
    this.kind = take(Uint8Array);
    const { kinds, places } = this.head;
    const flag = (/** @type {Set<string>} */ names) => kinds.map((/** @type {string} */ each) => names.has(each));
    this.starts = flag(STARTS);
    this.ends = flag(ENDS);
    this.counted = flag(COUNTED);
    this.failed = flag(FAILED);
    this.places = places;
    /** By node where the time went, once that was asked for. @type {any[] | null} */
    this.profile = null;
    /** @type {any[] | null} */
    this.rows = null;
    /** @type {Map<number, number[]> | null} */
    this.noted = null;
    /** @type {{counts: Uint32Array, open: Int32Array, failed: Uint32Array}[]} */
    this.kept = [];
    const running = { counts: new Uint32Array(nodes), open: new Int32Array(nodes), failed: new Uint32Array(nodes) };
    for (const [kind, node, times] of this.head.before) this.apply(running, kind, this.placeOf(node), times);
    for (let i = 0; i < events; i++) {
      if (i % EVERY === 0) this.kept.push(copied(running));
      this.apply(running, this.kind[i], this.placeOf(this.node[i]), 1);
    }
    if (!this.kept.length) this.kept.push(running);
  }

  /** @param {number} node */
  placeOf(node) { return node === NOWHERE ? -1 : this.places[node] ?? -1; }

  /** The node of an event; -1 if it is about none that is drawn. @param {number} i */
  place(i) { return i < this.first || i >= this.stop ? -1 : this.placeOf(this.node[i - this.first]); }

  /** Whether what was done by then is known here, and the last of it. @param {number} events */
  has(events) { return (this.first < events || !events) && this.first <= events && events <= this.stop; }

  /** @param {any} running @param {number} kind @param {number} place @param {number} times */
  apply(running, kind, place, times) {
    if (place < 0) return;
    if (this.counted[kind]) running.counts[place] += times;
    if (this.failed[kind]) running.failed[place] += times;
    if (this.starts[kind]) running.open[place] += times;
    else if (this.ends[kind]) running.open[place] -= times;
  }

  /** What the run was doing after so many events, of which the last is here. @param {number} events */
  after(events) {
    const here = Math.max(0, Math.min(events, this.stop) - this.first);
    const from = Math.min(Math.floor(here / EVERY), this.kept.length - 1);
    const found = copied(this.kept[from]);
    for (let i = from * EVERY; i < here; i++) this.apply(found, this.kind[i], this.placeOf(this.node[i]), 1);
    return found;
  }

  /** What a node came to last, before so many events had happened: an event with a note; -1 if there is none. @param {number} place @param {number} events */
  endOf(place, events) {
    if (!this.noted) {
      this.noted = new Map();
      for (const number of Object.keys(this.head.notes).map(Number).sort((a, b) => a - b)) {
        const at = this.place(number);
        if (!this.noted.has(at)) this.noted.set(at, []);
        /** @type {number[]} */ (this.noted.get(at)).push(number);
      }
    }
    const all = this.noted.get(place) || [];
    const found = below(all, events);
    return found < 0 ? -1 : all[found];
  }

  /** What variables were when so many events had happened, as far as it was told. @param {number} events @returns {[string, string][]} */
  variables(events) {
    const all = /** @type {[string, [number[], string[]]][]} */ (Object.entries(this.head.written));
    return all.flatMap(([name, [numbers, texts]]) => {
      const found = below(numbers, events);
      return found < 0 ? [] : [/** @type {[string, string]} */ ([name, texts[found]])];
    });
  }

  /** How long a node took, itself and with all that it waited for, in words; empty if nobody knows. @param {number} place */
  timesOf(place) {
    const mine = (this.profile || []).filter((/** @type {any} */ each) => each.node === place);
    if (!mine.length || !(this.head.duration > 0)) return '';
    const [own, total] = ['own', 'total'].map((key) => mine.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each[key], 0));
    return `In the whole run ${own.toFixed(4)} s of its own, ${total.toFixed(4)} s with what it waited for.`;
  }

  /** By strand, in the order of their numbers: begins, ends and places of what was open there, one after the other. What began before, or ended after, is cut off. @returns {any[]} */
  strands() {
    if (this.rows) return this.rows;
    const kinds = this.head.kinds;
    const begins = kinds.map((/** @type {string} */ each) => each === 'NodeStarted' || each === 'EvaluationStarted');
    const ends = kinds.map((/** @type {string} */ each) => /^(Node|Evaluation)(Completed|Failed|Cancelled|Skipped)$/.test(each));
    const failed = kinds.map((/** @type {string} */ each) => /Failed$/.test(each));
    /** @type {Map<number, number[]>} */
    const open = new Map();
    /** @type {Map<number, number[]>} */
    const rows = new Map();
    const add = (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ bad) => {
      const known = from < 0 ? to : from;
      const strand = this.strand[known] === NO_STRAND ? 0 : this.strand[known];
      if (!rows.has(strand)) rows.set(strand, []);
      /** @type {number[]} */ (rows.get(strand)).push(this.clock(this.first + Math.max(0, from)), this.clock(this.first + to), bad ? -2 : this.placeOf(this.node[known]));
    };
    const events = this.stop - this.first;
    for (let i = 0; i < events; i++) {
      const key = this.path[i];
      if (begins[this.kind[i]]) {
        if (!open.has(key)) open.set(key, []);
        /** @type {number[]} */ (open.get(key)).push(i);
      } else if (ends[this.kind[i]]) {
        const from = open.get(key)?.pop();
        if (from !== undefined) add(from, i, failed[this.kind[i]]);
        else if (this.first > 0) add(-1, i, failed[this.kind[i]]);
      }
    }
    for (const rest of open.values()) for (const from of rest) add(from, events - 1, false);
    // What is inside of something else ends before it, and is drawn above it.
    this.rows = [...rows].sort((a, b) => a[0] - b[0]).map(([strand, flat]) => {
      /** @type {[number, number, number][]} */
      const spans = [];
      for (let i = 0; i < flat.length; i += 3) spans.push([flat[i], flat[i + 1], flat[i + 2]]);
      return { strand, spans: spans.sort((a, b) => a[0] - b[0] || b[1] - a[1]) };
    });
    return this.rows;
  }

  /** The strands that were at a node when so many events had happened, and the innermost node of each. @param {number} events @returns {{strand: number, place: number}[]} */
  standing(events) {
    if (events <= this.first) return [];
    const now = this.clock(events - 1);
    return this.strands().flatMap(({ strand, spans }) => {
      const open = spans.filter((/** @type {number[]} */ [from, to, place]) => from <= now && now < to && place >= 0).at(-1);
      return open ? [{ strand, place: open[2] }] : [];
    });
  }

  /** When an event was: seconds, or its number where nobody knows. @param {number} i */
  clock(i) {
    if (!(this.head.duration > 0)) return i;
    return this.stop > this.first ? this.time[Math.max(0, Math.min(i, this.stop - 1) - this.first)] : 0;
  }

  /** How many of the events here had happened by then, with those before. @param {number} clock */
  until(clock) {
    let [low, high] = [this.first, this.stop];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.clock(middle) <= clock) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** An event, in words. @param {number} i */
  told(i) {
    const at = i - this.first;
    const name = this.node[at] === NOWHERE ? '' : this.head.names[this.node[at]];
    const words = this.kindOf(i).replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
    return { words, name, time: this.time[at], note: this.head.notes[i], strand: this.strand[at] === NO_STRAND ? null : this.strand[at], place: this.place(i) };
  }

  /** The kind of an event. @param {number} i @returns {string} */
  kindOf(i) { return this.head.kinds[this.kind[i - this.first]]; }
}

/** The place of the last number that is less, -1 if none is. @param {number[]} numbers @param {number} than */
function below(numbers, than) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < than) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** @param {any} running */
function copied(running) {
  return { counts: running.counts.slice(), open: running.open.slice(), failed: running.failed.slice() };
}
