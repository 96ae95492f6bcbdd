// A recording, and what the run was doing at any event of it. Every few thousand events all counts are kept, so that any
// moment is found by going on from the last such place.

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
    this.head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.count = this.head.events;
    let at = 4 + length;
    const take = (/** @type {any} */ kind) => {
      const column = new kind(data, at, this.count);
      at += this.count * kind.BYTES_PER_ELEMENT;
      return column;
    };
    this.time = take(Float64Array);
    this.strand = take(Uint32Array);
    this.path = take(Uint32Array);
    this.node = take(Uint16Array);
    this.kind = take(Uint8Array);
    const { kinds, places } = this.head;
    const flag = (/** @type {Set<string>} */ names) => kinds.map((/** @type {string} */ each) => names.has(each));
    [this.starts, this.ends, this.counted, this.failed] = [STARTS, ENDS, COUNTED, FAILED].map(flag);
    this.places = places;
    /** @type {{counts: Uint32Array, open: Int32Array, failed: Uint32Array}[]} */
    this.kept = [];
    const running = { counts: new Uint32Array(nodes), open: new Int32Array(nodes), failed: new Uint32Array(nodes) };
    for (let i = 0; i < this.count; i++) {
      if (i % EVERY === 0) this.kept.push(copied(running));
      this.apply(running, i);
    }
    if (!this.kept.length) this.kept.push(running);
  }

  /** The node of an event; -1 if it is about none that is drawn. @param {number} i */
  place(i) {
    const node = this.node[i];
    return node === NOWHERE ? -1 : this.places[node] ?? -1;
  }

  /** @param {any} running @param {number} i */
  apply(running, i) {
    const place = this.place(i);
    if (place < 0) return;
    const kind = this.kind[i];
    if (this.counted[kind]) running.counts[place]++;
    if (this.failed[kind]) running.failed[place]++;
    if (this.starts[kind]) running.open[place]++;
    else if (this.ends[kind]) running.open[place]--;
  }

  /** What the run was doing after so many events. @param {number} events */
  after(events) {
    const from = Math.min(Math.floor(events / EVERY), this.kept.length - 1);
    const found = copied(this.kept[from]);
    for (let i = from * EVERY; i < events; i++) this.apply(found, i);
    return found;
  }

  /** What a node came to last, before so many events had happened: an event with a note; -1 if there is none. @param {number} place @param {number} events */
  endOf(place, events) {
    if (!this.noted) {
      /** @type {Map<number, number[]>} */
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
    return Object.entries(this.head.written).map(([name, [numbers, texts]]) => [name, below(numbers, events)]).filter(([, found]) => found >= 0).map(([name, found]) => [name, this.head.written[name][1][found]]);
  }

  /** How long a node took, itself and with all that it waited for, in words; empty if nobody knows. @param {number} place */
  timesOf(place) {
    const mine = this.head.profile.filter((/** @type {any} */ each) => each.node === place);
    if (!mine.length || !(this.head.duration > 0)) return '';
    const [own, total] = ['own', 'total'].map((key) => mine.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each[key], 0));
    return `In the whole run ${own.toFixed(4)} s of its own, ${total.toFixed(4)} s with what it waited for.`;
  }

  /** By strand, in the order of their numbers: begins, ends and places of what was open there, one after the other. */
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
      const strand = this.strand[from] === NO_STRAND ? 0 : this.strand[from];
      if (!rows.has(strand)) rows.set(strand, []);
      /** @type {number[]} */ (rows.get(strand)).push(this.clock(from), this.clock(to), bad ? -2 : this.place(from));
    };
    for (let i = 0; i < this.count; i++) {
      const key = this.path[i];
      if (begins[this.kind[i]]) {
        if (!open.has(key)) open.set(key, []);
        /** @type {number[]} */ (open.get(key)).push(i);
      } else if (ends[this.kind[i]]) {
        const from = open.get(key)?.pop();
        if (from !== undefined) add(from, i, failed[this.kind[i]]);
      }
    }
    for (const rest of open.values()) for (const from of rest) add(from, this.count - 1, false);
    // What is inside of something else ends before it, and is drawn above it.
    this.rows = [...rows].sort((a, b) => a[0] - b[0]).map(([strand, flat]) => {
      /** @type {[number, number, number][]} */
      const spans = [];
      for (let i = 0; i < flat.length; i += 3) spans.push([flat[i], flat[i + 1], flat[i + 2]]);
      return { strand, spans: spans.sort((a, b) => a[0] - b[0] || b[1] - a[1]) };
    });
    return this.rows;
  }

  /** When an event was: seconds, or its number where nobody knows. @param {number} i */
  clock(i) { return this.head.duration > 0 ? this.time[i] : i; }

  /** The length of it all, as `clock` tells it. */
  get length() { return this.head.duration > 0 ? this.head.duration : Math.max(1, this.count - 1); }

  /** How many events had happened by then. @param {number} clock */
  until(clock) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.clock(middle) <= clock) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** An event, in words. @param {number} i */
  told(i) {
    const name = this.node[i] === NOWHERE ? '' : this.head.names[this.node[i]];
    const words = this.head.kinds[this.kind[i]].replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
    return { words, name, time: this.time[i], note: this.head.notes[i], strand: this.strand[i] === NO_STRAND ? null : this.strand[i], place: this.place(i) };
  }
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
