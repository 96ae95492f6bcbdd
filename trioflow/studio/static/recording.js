// A recording, and what the run was doing at any event of it. Every few thousand events all counts are kept, so that any
// moment is found by going on from the last such place.

const EVERY = 4096;
const STARTS = new Set(['NodeStarted']);
const ENDS = new Set(['NodeCompleted', 'NodeFailed', 'NodeCancelled', 'NodeSkipped']);
const COUNTED = new Set(['NodeStarted', 'EvaluationCompleted']);
const FAILED = new Set(['NodeFailed', 'EvaluationFailed']);
const NOWHERE = 65535;

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

  /** An event, in words. @param {number} i */
  told(i) {
    const name = this.node[i] === NOWHERE ? '' : this.head.names[this.node[i]];
    const words = this.head.kinds[this.kind[i]].replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
    return { words, name, time: this.time[i], note: this.head.notes[i], strand: this.strand[i] === 0xffffffff ? null : this.strand[i], place: this.place(i) };
  }
}

/** @param {any} running */
function copied(running) {
  return { counts: running.counts.slice(), open: running.open.slice(), failed: running.failed.slice() };
}
