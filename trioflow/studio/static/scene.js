// The graph. Frames, wires and far nodes are drawn on a canvas, near nodes are buttons, lit wires have a canvas of their own:
// so a page of thousands of nodes stays quick, and what can be read can also be reached.

import { h, wayOf } from './dom.js';
import { bounds, colour, pieces, trace } from './wires.js';

const NEAR = 0.42;
const SPECKS = 0.1;
const SMALLEST = 0.004;
const GLOW = 700;
/** Over so many milliseconds it is told how much comes over a wire. */
const STEADY = 1000;
/** So much a second makes a wire as strong as it gets. */
const BUSIEST = 3000;
const MOST_LIT = 400;
const MANY = 100;
const HEAD = 22;
/** How wide a value beside an output may be, how wide it is at least, and what the sockets on both sides of it take. */
const WIDEST_VALUE = 110;
const LEAST_VALUE = 26;
const BESIDE_PINS = 18;

export class Scene {
  /**
   * @param {HTMLElement} root
   * @param {{choose: (place: number, more: boolean) => void, chooseWire: (wire: number) => void, moved: (places: Map<number, [number, number]>) => void, wired: (from: any, to: any) => void, wiredNowhere: (from: any, x: number, y: number) => void, enter: (place: number) => void, viewed: () => void, addAt: (x: number, y: number) => void}} told What is told of what a person does.
   */
  constructor(root, told) {
    this.root = root;
    this.told = told;
    /** Whether nodes can be moved and wires drawn. */
    this.editing = false;
    /** Nodes that are chosen beside the selected one. @type {Set<number>} */
    this.others = new Set();
    this.wire = -1;
    /** A wire that is being drawn. @type {any} */
    this.drawing = null;
    this.base = root.appendChild(h('canvas', { 'aria-hidden': 'true' }));
    this.top = root.appendChild(h('canvas', { 'aria-hidden': 'true' }));
    this.layer = root.appendChild(h('div', { class: 'nodes' }));
    [this.x, this.y, this.k] = [0, 0, 1];
    this.width = 0;
    this.height = 0;
    /** @type {any} */
    this.graph = { nodes: [], wires: [], frames: [], width: 1, height: 1 };
    /** The frame that alone is shown; null for all of them. @type {any} */
    this.only = null;
    /** @type {any[]} */
    this.wires = [];
    /** What is drawn of all that: the places of nodes, the wires, the frames. @type {{nodes: number[], wires: any[], frames: any[]}} */
    this.drawn = { nodes: [], wires: [], frames: [] };
    /** By colour all wires in one. @type {Map<string, Path2D> | null} */
    this.together = null;
    /** What is dragged, and how far. @type {any} */
    this.held = null;
    this.dragged = 0;
    this.glowing = false;
    /** @type {Map<number, any>} */
    this.shown = new Map();
    /** By wire, when something came over it last, and how much of that a second. @type {Map<number, {since: number, rate: number}>} */
    this.lit = new Map();
    /** What is shown at nodes: counts, where strands are, heat, breakpoints, problems. @type {any} */
    this.marks = { counts: {}, failed: {}, at: new Map(), heat: null, stops: new Set(), wireStops: [], problems: new Map(), policies: {}, progress: {}, dead: new Set(), told: new Map(), values: new Map() };
    this.selected = -1;
    this.asked = false;
    /** Whether all is in view, and whether somebody asked for that. @type {false | 'begun' | 'asked'} */
    this.fitted = false;
    this.colours = new Map();
    this.bind();
    new ResizeObserver(() => this.resize()).observe(root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.colours.clear();
      this.redraw();
    });
  }

  /** Show a graph; another version of the same one where it was, and with the focus where it was. @param {any} graph @param {boolean} [again] */
  load(graph, again = false) {
    this.graph = graph;
    const parts = pieces(graph.wires);
    this.wires = graph.wires.map((/** @type {any} */ each, /** @type {number} */ place) => ({ ...each, place, path: null, pieces: parts[place], box: bounds(each.points), colour: colour(each) }));
    this.only = this.only && (graph.frames.find((/** @type {any} */ each) => each.name === this.only.name) || null);
    this.sort();
    /** @type {number[][]} */
    this.wiresAt = graph.nodes.map(() => []);
    this.wires.forEach((each, place) => { for (const node of [each.from, each.to]) this.wiresAt?.[node].push(place); });
    const held = document.activeElement instanceof HTMLElement && this.layer.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement.closest('.node')).dataset.name : undefined;
    for (const [place, element] of this.shown) if (!graph.nodes[place] || JSON.stringify(graph.nodes[place]) !== element.made) {
      element.remove();
      this.shown.delete(place);
    }
    this.lit.clear();
    this.wire = -1;
    this.others.clear();
    if (again) {
      this.fitted = false; // where a person has put nodes they stay, whatever else needs room
      this.redraw();
    } else {
      this.fitted = 'begun';
      this.resize();
    }
    if (held !== undefined && !this.layer.contains(document.activeElement)) {
      this.draw();
      for (const element of this.shown.values()) if (element.dataset.name === held) element.hit.focus({ preventScroll: true });
    }
  }

  /** Show one frame alone, or all of them. @param {string | null} name */
  showFrame(name) {
    this.only = name === null ? null : this.graph.frames.find((/** @type {any} */ each) => each.name === name) || null;
    this.sort();
    for (const element of this.shown.values()) element.remove();
    this.shown.clear();
    this.fit(false);
  }

  /** Find out what is drawn. */
  sort() {
    const { graph, only } = this;
    const inside = (/** @type {any} */ node) => !only || node.frame === only.name;
    this.drawn = {
      nodes: graph.nodes.map((/** @type {any} */ _, /** @type {number} */ place) => place).filter((/** @type {number} */ place) => inside(graph.nodes[place])),
      wires: only ? this.wires.filter((each) => inside(graph.nodes[each.from])) : this.wires,
      frames: only ? [only] : graph.frames,
    };
    this.together = new Map();
    const shared = new Map();
    for (const wire of this.drawn.wires) {
      if (!this.together.has(wire.colour)) {
        this.together.set(wire.colour, new Path2D());
        shared.set(wire.colour, new Set());
      }
      trace(wire.points, /** @type {Path2D} */ (this.together.get(wire.colour)), once(wire, shared.get(wire.colour)));
    }
  }

  // --- the view ---

  bind() {
    const { root } = this;
    root.addEventListener('wheel', (event) => {
      event.preventDefault();
      const box = root.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey || !event.shiftKey) this.zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
      else this.move(-event.deltaY, 0);
    }, { passive: false });
    /** @type {Map<number, PointerEvent>} */
    const fingers = new Map();
    root.addEventListener('pointerdown', (event) => {
      fingers.set(event.pointerId, event);
      this.dragged = 0;
      this.held = null;
      if (!this.editing || event.button !== 0 || fingers.size > 1 || !(event.target instanceof Element)) return;
      const pin = event.target.closest('.pin');
      const node = event.target.closest('.node');
      if (pin instanceof HTMLElement && node instanceof HTMLElement) this.begin(this.pinOf(pin), event);
      else if (node instanceof HTMLElement) this.held = this.grab(Number(node.dataset.place), event);
    });
    root.addEventListener('pointermove', (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      if (fingers.size === 1 && (this.drawing || this.held)) {
        this.dragged = this.dragged + Math.abs(event.movementX) + Math.abs(event.movementY);
        fingers.set(event.pointerId, event);
        if (this.dragged > 4 && !root.hasPointerCapture(event.pointerId)) root.setPointerCapture(event.pointerId);
        if (this.drawing) this.stretch(event);
        else if (this.dragged > 4) this.drag(event);
        return;
      }
      if (fingers.size === 2) {
        const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId) || before;
        const box = root.getBoundingClientRect();
        const apart = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
        this.zoom(apart(event) / apart(before), (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
      } else this.move(event.clientX - before.clientX, event.clientY - before.clientY);
      fingers.set(event.pointerId, event);
      this.dragged = this.dragged + Math.abs(event.movementX) + Math.abs(event.movementY);
      if (this.dragged > 4 && !root.hasPointerCapture(event.pointerId)) root.setPointerCapture(event.pointerId);
    });
    for (const kind of ['pointerup', 'pointercancel']) root.addEventListener(kind, (each) => {
      const event = /** @type {PointerEvent} */ (each);
      fingers.delete(event.pointerId);
      if (this.drawing) this.end(event);
      else if (this.held && kind === 'pointerup' && this.dragged > 4) this.drop();
      this.held = null;
    });
    root.addEventListener('click', (event) => {
      const button = event.target instanceof Element ? event.target.closest('.node') : null;
      if (event.detail && this.dragged > 4) return; // the end of a drag; a key has no detail
      if (button instanceof HTMLElement) {
        this.told.choose(Number(button.dataset.place), event.shiftKey || event.ctrlKey || event.metaKey);
        return;
      }
      const [x, y] = this.at(event);
      const found = this.drawn.nodes.find((place) => {
        const each = this.graph.nodes[place];
        return x >= each.x && x <= each.x + each.width && y >= each.y && y <= each.y + each.height;
      });
      if (found !== undefined) this.told.choose(found, event.shiftKey);
      else this.told.chooseWire(this.wireAt(x, y));
    });
    root.addEventListener('dblclick', (event) => {
      const node = event.target instanceof Element ? event.target.closest('.node') : null;
      if (node instanceof HTMLElement) this.told.enter(Number(node.dataset.place));
      else if (this.editing) this.told.addAt(...this.at(event));
    });
    root.addEventListener('keydown', (event) => {
      const steps = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] });
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in steps) this.move(...steps[event.key]);
      else if (event.key === '+' || event.key === '=') this.zoom(1.25);
      else if (event.key === '-') this.zoom(0.8);
      else if (event.key === '0') this.fit();
      else return;
      event.preventDefault();
    });
  }

  // --- moving nodes, drawing wires ---

  /** Where in the graph a pointer is. @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  at(event) {
    const box = this.root.getBoundingClientRect();
    return [(event.clientX - box.left - this.x) / this.k, (event.clientY - box.top - this.y) / this.k];
  }

  /** The wire at a place, -1 if there is none. @param {number} x @param {number} y */
  wireAt(x, y) {
    const g = this.top.getContext('2d');
    g.save();
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.lineWidth = 12 / Math.min(1, this.k);
    let found = -1;
    this.drawn.wires.forEach((wire) => {
      const { box, place } = wire;
      if (box[0] <= x && x <= box[2] && box[1] - 6 <= y && y <= box[3] + 6 && g.isPointInStroke(pathOf(wire), x, y)) found = place;
    });
    g.restore();
    return found;
  }

  /** @param {HTMLElement} element */
  pinOf(element) {
    const node = Number(/** @type {HTMLElement} */ (element.closest('.node')).dataset.place);
    const side = element.dataset.side || 'out';
    const pin = (side === 'in' ? this.graph.nodes[node].inputs : this.graph.nodes[node].outputs)[Number(element.dataset.pin)];
    return { node, side, name: pin.name, control: pin.control, type: pin.type, x: pin.x, y: pin.y };
  }

  /** Begin to draw a wire. @param {any} pin @param {PointerEvent} event */
  begin(pin, event) {
    this.drawing = { pin, to: this.at(event) };
    this.root.dataset.wiring = `${pin.side === 'out' ? 'in' : 'out'}-${pin.control ? 'control' : 'data'}`;
    this.redraw();
  }

  /** @param {PointerEvent} event */
  stretch(event) {
    this.drawing.to = this.at(event);
    this.redraw();
  }

  /** @param {PointerEvent} event */
  end(event) {
    const { pin } = this.drawing;
    this.drawing = null;
    delete this.root.dataset.wiring;
    this.redraw();
    if (event.type === 'pointercancel' || this.dragged <= 4) return;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const node = under?.closest('.node');
    const other = under?.closest('.pin');
    let target = null;
    if (other instanceof HTMLElement && this.root.contains(other)) target = this.pinOf(other);
    else if (node instanceof HTMLElement && this.root.contains(node)) {
      // Dropped on a node: its first socket that fits.
      const place = Number(node.dataset.place);
      const side = pin.side === 'out' ? 'in' : 'out';
      const all = (side === 'in' ? this.graph.nodes[place].inputs : this.graph.nodes[place].outputs).filter((/** @type {any} */ each) => each.control === pin.control);
      const fits = all.find((/** @type {any} */ each) => !each.wired && each.type === pin.type) || all.find((/** @type {any} */ each) => !each.wired) || all[0];
      if (fits) target = { node: place, side, name: fits.name, control: fits.control, type: fits.type };
    }
    if (target) this.told.wired(pin, target);
    else if (!node) this.told.wiredNowhere(pin, ...this.at(event));
  }

  /** Take hold of a node, and of what is chosen with it. @param {number} place @param {PointerEvent} event */
  grab(place, event) {
    const together = place === this.selected || this.others.has(place) ? [this.selected, ...this.others] : [place];
    return { from: this.at(event), places: new Map(together.filter((each) => each >= 0).map((each) => [each, [this.graph.nodes[each].x, this.graph.nodes[each].y]])) };
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const { from, places } = /** @type {any} */ (this.held);
    const [x, y] = this.at(event);
    for (const [place, [left, top]] of places) this.put(place, Math.round(left + x - from[0]), Math.round(top + y - from[1]));
    this.redraw();
  }

  drop() {
    const { places } = /** @type {any} */ (this.held);
    this.told.moved(new Map([...places.keys()].map((/** @type {number} */ place) => [place, [this.graph.nodes[place].x, this.graph.nodes[place].y]])));
  }

  /** Show a node somewhere else, with its wires. @param {number} place @param {number} x @param {number} y */
  put(place, x, y) {
    const node = this.graph.nodes[place];
    const [dx, dy] = [x - node.x, y - node.y];
    for (const pin of [...node.inputs, ...node.outputs]) {
      pin.x += dx;
      pin.y += dy;
    }
    [node.x, node.y] = [x, y];
    const element = this.shown.get(place);
    if (element) [element.style.left, element.style.top] = [`${x}px`, `${y}px`];
    for (const each of this.wiresAt?.[place] || []) {
      const wire = this.wires[each];
      if (wire.from === place) wire.points[0] = [wire.points[0][0] + dx, wire.points[0][1] + dy];
      const last = wire.points.length - 1;
      if (wire.to === place) wire.points[last] = [wire.points[last][0] + dx, wire.points[last][1] + dy];
      wire.points = [wire.points[0], wire.points[last]];
      [wire.path, wire.pieces, wire.box] = [null, null, bounds(wire.points)];
    }
    this.together = null;
  }

  // --- the view, again ---

  resize() {
    const d = devicePixelRatio || 1;
    [this.width, this.height] = [this.root.clientWidth, this.root.clientHeight];
    for (const canvas of [this.base, this.top]) [canvas.width, canvas.height] = [this.width * d, this.height * d];
    if (this.fitted) this.fit(this.fitted === 'asked');
    this.redraw();
  }

  /** All of the graph, as large as it fits, but not larger than life. */
  fit(asked = true) {
    const { x, y, width, height } = this.only || this.graph;
    const [wide, high] = [this.width || 1, this.height || 1];
    this.k = Math.max(SMALLEST, Math.min(1.1, (wide - 24) / width, (high - 24) / height));
    if (this.k < NEAR && (this.drawn.nodes.length <= 40 || (!asked && this.k < SPECKS))) {
      // What begins can be read from the start, rather than all be seen.
      this.k = NEAR + 0.13;
      const begins = this.drawn.nodes.find((place) => this.wiresAt?.[place].length) ?? this.drawn.nodes[0];
      const first = this.graph.nodes[begins] || { y: 0, height: 0 };
      const middle = high / 2 - (first.y + first.height / 2) * this.k;
      const [top, bottom] = [8 - y * this.k, high - 8 - (y + height) * this.k];
      [this.x, this.y] = [8 - x * this.k, height * this.k < high ? (high - height * this.k) / 2 - y * this.k : Math.max(bottom, Math.min(top, middle))];
    } else [this.x, this.y] = [(wide - width * this.k) / 2 - x * this.k, (high - height * this.k) / 2 - y * this.k];
    this.fitted = asked ? 'asked' : 'begun';
    this.redraw();
  }

  /** @param {number} x @param {number} y */
  move(x, y) {
    this.fitted = false;
    this.x += x;
    this.y += y;
    this.redraw();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const k = Math.max(SMALLEST, Math.min(3, this.k * factor));
    this.fitted = false;
    this.x = x - ((x - this.x) * k) / this.k;
    this.y = y - ((y - this.y) * k) / this.k;
    this.k = k;
    this.redraw();
  }

  /** Bring a node into view, if it is not there. @param {number} place @param {boolean} [always] */
  reveal(place, always = false) {
    const node = this.graph.nodes[place];
    const [left, top] = [node.x * this.k + this.x, node.y * this.k + this.y];
    const [w, hgt] = [this.width, this.height];
    const inside = left >= 0 && top >= 0 && left + node.width * this.k <= w && top + node.height * this.k <= hgt;
    if (inside && !always) return;
    this.fitted = false;
    this.k = Math.max(this.k, 0.7);
    this.x = w / 2 - (node.x + node.width / 2) * this.k;
    this.y = hgt / 2 - (node.y + node.height / 2) * this.k;
    this.redraw();
  }

  // --- what is shown ---

  /** @param {any} marks */
  mark(marks) {
    Object.assign(this.marks, marks);
    for (const [place, element] of this.shown) this.dress(place, element);
    this.redraw();
  }

  /** @param {number} place @param {Set<number>} [others] */
  select(place, others = new Set()) {
    this.selected = place;
    this.others = others;
    this.wire = -1;
    for (const [each, element] of this.shown) this.dress(each, element);
    this.redraw();
  }

  /** @param {number} wire */
  selectWire(wire) {
    this.select(-1);
    this.wire = wire;
    this.redraw();
  }

  /** Let wires light up, by how much has come over each: the more a second, the stronger. @param {[number, number][]} flow */
  light(flow) {
    const now = performance.now();
    const [left, top, right, bottom] = this.seen();
    const here = flow.filter(([wire]) => {
      if (!this.wires[wire]) return false; // of a graph that has not come yet
      const { box, from } = this.wires[wire];
      return (!this.only || this.graph.nodes[from].frame === this.only.name) && box[0] < right && box[1] < bottom && box[2] > left && box[3] > top;
    });
    // Of very many those that lead past, and all but the busiest, are not lit: it would be a yellow page, and slow.
    const seen = (/** @type {[number, number]} */ [x, y]) => x > left && x < right && y > top && y < bottom;
    const some = here.length <= MANY ? here : here.filter(([wire]) => seen(this.wires[wire].points[0]) || seen(this.wires[wire].points.at(-1)));
    if (some.length > MOST_LIT) some.sort((a, b) => b[1] - a[1]);
    for (const [wire, count] of some) {
      if (this.lit.size >= MOST_LIT && !this.lit.has(wire)) continue;
      this.lit.set(wire, { since: now, rate: this.rateOf(wire, now) + (count * 1000) / STEADY });
    }
    this.redraw();
  }

  /** How much comes over a wire a second, about. @param {number} wire @param {number} [now] */
  rateOf(wire, now = performance.now()) {
    const known = this.lit.get(wire);
    return known ? known.rate * Math.exp((known.since - now) / STEADY) : 0;
  }

  /** The colour of a kind of nodes where they are only specks: stronger than where they have texts. @param {string} kind */
  far(kind) {
    if (!this.colours.has(kind)) this.colours.set(kind, `color-mix(in srgb, ${this.paint(`--k-${kind}`)} 62%, ${this.paint('--text')})`);
    return this.colours.get(kind);
  }

  /** @param {string} name */
  paint(name) {
    if (!this.colours.has(name)) this.colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
    return this.colours.get(name);
  }

  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame((now) => {
      this.asked = false;
      this.draw();
      this.glow(now);
    });
  }

  /** What of the graph is in view. */
  seen() {
    return [-this.x / this.k, -this.y / this.k, (this.width - this.x) / this.k, (this.height - this.y) / this.k];
  }

  draw() {
    const g = this.base.getContext('2d');
    const d = devicePixelRatio || 1;
    const [left, top, right, bottom] = this.seen();
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.base.width, this.base.height);
    g.setTransform(d * this.k, 0, 0, d * this.k, d * this.x, d * this.y);
    const thin = 1 / Math.min(1, Math.max(this.k, 0.12));
    for (const frame of this.drawn.frames) {
      if (frame.x > right || frame.y > bottom || frame.x + frame.width < left || frame.y + frame.height < top) continue;
      if (frame.depth) {
        g.fillStyle = this.paint('--frame');
        g.strokeStyle = this.paint('--line');
        g.lineWidth = thin;
        g.beginPath();
        g.roundRect(frame.x, frame.y, frame.width, frame.height, 8);
        g.fill();
        g.stroke();
      }
      if (this.k < 0.25) continue;
      let baseline = frame.y + (frame.depth ? 28 : 16); // above nodes stands how often they ran
      g.font = '600 12px system-ui, sans-serif';
      g.fillStyle = this.paint('--text');
      if (frame.title) {
        g.fillText(frame.title, frame.x + 18, baseline);
        baseline += 15;
      }
      g.font = '10.5px system-ui, sans-serif';
      g.fillStyle = this.paint('--soft');
      for (const line of frame.declarations) {
        g.fillText(line.replace('  ', ': '), frame.x + 18, baseline);
        baseline += 15;
      }
    }
    const visible = this.drawn.wires.filter(({ box }) => box[0] < right && box[1] < bottom && box[2] > left && box[3] > top);
    const stroke = (/** @type {string} */ name, /** @type {Path2D} */ path, /** @type {any} */ wire) => {
      g.strokeStyle = this.paint(name);
      g.lineWidth = (name === '--control' ? 2.4 : 1.5) * Math.min(thin, 3);
      g.setLineDash(wire?.undo ? [6, 5] : []);
      g.globalAlpha = wire && this.marks.dead.has(wire.place) ? 0.3 : 1;
      g.stroke(path);
      g.globalAlpha = 1;
    };
    if (this.together && visible.length > 400 && visible.length > this.drawn.wires.length * 0.6) for (const [name, path] of this.together) stroke(name, path, null);
    else for (const wire of visible) stroke(wire.colour, pathOf(wire), wire);
    g.setLineDash([]);
    if (this.wires[this.wire]) {
      g.strokeStyle = this.paint('--accent');
      g.lineWidth = 5 * thin;
      g.stroke(pathOf(this.wires[this.wire]));
    }
    for (const place of this.marks.wireStops) {
      // A breakpoint is a dot, half of the way along.
      const { points } = this.wires[place] || { points: [] };
      if (!points.length || (this.only && this.graph.nodes[this.wires[place].from].frame !== this.only.name)) continue;
      const middle = points.length >> 1;
      const [[x, y], [toX, toY]] = [points[middle - 1], points[middle]];
      g.beginPath();
      g.arc((x + toX) / 2, (y + toY) / 2, 5 * thin, 0, 2 * Math.PI);
      g.fillStyle = this.paint('--stop');
      g.fill();
    }
    if (this.k >= NEAR) {
      g.font = '10.5px system-ui, sans-serif';
      g.textAlign = 'right';
      for (const { terms, points } of visible) if (terms) {
        const [x, y] = [points[points.length - 1][0] - 9, points[points.length - 1][1] - 5];
        g.lineWidth = 4;
        g.strokeStyle = this.paint('--page');
        g.strokeText(terms, x, y);
        g.fillStyle = this.paint('--soft');
        g.fillText(terms, x, y);
      }
      g.textAlign = 'left';
    }
    const near = this.k >= NEAR;
    /** @type {number[]} */
    const here = [];
    const { at, heat, stops, problems, failed } = this.marks;
    for (const place of this.drawn.nodes) {
      const node = this.graph.nodes[place];
      if (node.x > right || node.y > bottom || node.x + node.width < left || node.y + node.height < top) continue;
      if (near) {
        here.push(place);
        continue;
      }
      g.fillStyle = this.far(node.kind);
      g.fillRect(node.x, node.y, node.width, node.height);
      if (heat && heat[place]) {
        g.globalAlpha = heat[place];
        g.fillStyle = this.paint('--hot');
        g.fillRect(node.x, node.y, node.width, node.height);
        g.globalAlpha = 1;
      }
      const edge = at.has(place) ? (at.get(place) === 'parked' ? '--parked' : '--active') : failed[place] || problems.get(place) === 'error' ? '--bad' : place === this.selected || this.others.has(place) ? '--accent' : stops.has(place) ? '--stop' : problems.has(place) ? '--parked' : '';
      if (edge) {
        g.strokeStyle = this.paint(edge);
        g.lineWidth = (problems.get(place) === 'warning' && edge === '--parked' && !at.has(place) ? 1.5 : 3) * thin;
        g.strokeRect(node.x, node.y, node.width, node.height);
      }
    }
    this.layer.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.k})`;
    const keep = new Set(here);
    for (const [place, element] of this.shown) if (!keep.has(place) && !element.contains(document.activeElement)) {
      element.remove();
      this.shown.delete(place);
    }
    const more = here.filter((place) => !this.shown.has(place));
    for (const place of more) {
      const element = this.layer.appendChild(this.button(place));
      this.shown.set(place, element);
      this.dress(place, element);
    }
    if (more.length) this.told.viewed();
  }

  /** @param {number} now */
  glow(now) {
    const g = this.top.getContext('2d');
    const d = devicePixelRatio || 1;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.top.width, this.top.height);
    if (!this.lit.size && !this.drawing) return;
    g.setTransform(d * this.k, 0, 0, d * this.k, d * this.x, d * this.y);
    if (this.drawing) {
      const { pin, to } = this.drawing;
      const ends = pin.side === 'out' ? [[pin.x, pin.y], to] : [to, [pin.x, pin.y]];
      g.strokeStyle = this.paint('--accent');
      g.lineWidth = 3;
      g.stroke(trace(/** @type {[number, number][]} */ (ends), new Path2D()));
    }
    g.strokeStyle = this.paint('--lit');
    g.lineCap = 'round';
    const [left, top, right, bottom] = this.seen();
    // The trunk of several wires is lit once, as the strongest of them is: else many weak ones would be a bright one.
    const trunks = new Set();
    const lit = [...this.lit].map(([place, { since }]) => ({ place, since, rate: this.rateOf(place, now) })).sort((a, b) => b.rate - a.rate);
    for (const { place, since, rate } of lit) {
      const age = (now - since) / GLOW;
      if (age >= 1) {
        this.lit.delete(place);
        continue;
      }
      const { box } = this.wires[place];
      if (box[0] > right || box[1] > bottom || box[2] < left || box[3] < top) continue;
      const strength = Math.min(1, Math.log1p(rate) / Math.log(BUSIEST));
      g.globalAlpha = (0.45 + 0.55 * strength) * Math.min(1, 1 - age);
      g.lineWidth = (2.5 + 4 * strength) / Math.min(1, Math.max(this.k, 0.25));
      const wire = this.wires[place];
      g.stroke(wire.pieces ? trace(wire.points, new Path2D(), once(wire, trunks)) : pathOf(wire));
    }
    g.globalAlpha = 1;
    if (this.lit.size && !this.glowing) {
      this.glowing = true;
      requestAnimationFrame((then) => {
        this.glowing = false;
        this.glow(then);
      });
    }
  }

  // --- near nodes ---

  /** How much room there is for a value beside an output: up to the next node that stands there. @param {number} place @param {number} pin */
  room(place, pin) {
    const node = this.graph.nodes[place];
    const [right, y] = [node.x + node.width, node.outputs[pin].y];
    let room = WIDEST_VALUE;
    for (const each of this.shown.keys()) {
      const other = this.graph.nodes[each];
      if (other.x >= right && other.y - 8 < y && y < other.y + other.height + 8) room = Math.min(room, other.x - right - BESIDE_PINS);
    }
    return Math.max(LEAST_VALUE, room);
  }

  /** @param {number} place */
  button(place) {
    const node = this.graph.nodes[place];
    const pins = (/** @type {any[]} */ list, /** @type {string} */ side) => list.map((pin, number) => {
      const made = h('span', { class: `pin ${side}${pin.control ? ' control' : ''}${pin.wired ? '' : ' open'}`, 'aria-hidden': 'true', data: { side, pin: String(number) }, title: pin.control ? `${pin.name}: control` : `${pin.name}: ${pin.type}` }, h('i', {}), pin.text, side === 'out' && !pin.control && h('em', {}));
      made.style.top = `${pin.y - node.y}px`;
      made.style.setProperty('--pin', `var(${colour(pin)})`);
      return made;
    });
    // What can be pressed lies below what can be read: its name says more than the texts do.
    const hit = h('button', { type: 'button', class: 'hit', tabindex: '-1' });
    const made = h('div', { class: `node k-${node.kind}`, title: node.doc || null, data: { place: String(place), id: node.id, name: `${node.frame} ${node.id}` } },
      hit, h('b', { 'aria-hidden': 'true' }, node.title), h('small', { 'aria-hidden': 'true' }, node.subtitle), h('span', { class: 'notes', 'aria-hidden': 'true' }, ...node.notes.map((/** @type {string} */ each) => h('small', {}, each))), ...pins(node.inputs, 'in'), ...pins(node.outputs, 'out'), h('span', { class: 'count', 'aria-hidden': 'true' }), h('span', { class: 'dot' }), h('span', { class: 'bar', 'aria-hidden': 'true' }));
    for (const [key, value] of [['left', node.x], ['top', node.y], ['width', node.width], ['height', node.height]]) made.style[key] = `${value}px`;
    made.style.setProperty('--head', `${HEAD}px`);
    [made.made, made.hit] = [JSON.stringify(node), hit];
    return made;
  }

  /** @param {number} place @param {any} element */
  dress(place, element) {
    const { counts, failed, at, heat, stops, problems, policies, progress, told, values } = this.marks;
    const node = this.graph.nodes[place];
    const title = told.has(place) ? told.get(place).join('\n') : node.doc;
    if (element.title !== title) element.title = title;
    const seen = values.get(place);
    for (const each of element.querySelectorAll('.pin.out em')) {
      const value = seen?.[node.outputs[Number(each.parentElement.dataset.pin)].name];
      const text = value?.text ?? '';
      if (each.textContent !== text) each.textContent = text;
      if (text) each.style.maxWidth = `${this.room(place, Number(each.parentElement.dataset.pin))}px`;
      each.classList.toggle('stale', Boolean(value) && value.kind !== 'value');
    }
    const policy = policies[place] || '';
    const where = at.get(place);
    const count = counts[place] || 0;
    const said = [node.id, node.type];
    if (where) said.push(where);
    if (count) said.push(`${count} times`);
    if (failed[place]) said.push(`failed ${failed[place]} times`);
    if (policy) said.push(policy);
    if (progress[place]) said.push(wayOf(progress[place], false));
    if (stops.has(place)) said.push('breakpoint');
    if (problems.has(place)) said.push('has problems');
    const label = said.join(', ');
    if (element.hit.getAttribute('aria-label') !== label) element.hit.setAttribute('aria-label', label);
    const list = element.classList;
    list.toggle('selected', place === this.selected || this.others.has(place));
    list.toggle('parked', where === 'parked');
    list.toggle('active', Boolean(where) && where !== 'parked');
    list.toggle('stop', stops.has(place));
    list.toggle('measured', progress[place]?.total > 0);
    if (progress[place]?.total > 0) element.style.setProperty('--done', `${Math.min(100, (100 * progress[place].done) / progress[place].total)}%`);
    list.toggle('bad', Boolean(failed[place]) || problems.get(place) === 'error');
    list.toggle('warned', problems.get(place) === 'warning');
    element.hit.tabIndex = place === this.selected ? 0 : -1;
    const text = [policy, count ? short(count) : ''].filter(Boolean).join(' · ');
    const badge = element.querySelector('.count');
    if (badge.textContent !== text) badge.textContent = text;
    const warm = heat ? heat[place] || 0 : 0;
    element.style.setProperty('--heat', `${Math.round(warm * 100)}%`);
  }
}

/** @param {number} count */
function short(count) {
  if (count < 10000) return String(count);
  return count < 1e6 ? `${Math.round(count / 1000)}k` : `${(count / 1e6).toFixed(1)}M`;
}

/** Which pieces of a wire others have not drawn already. @param {any} wire @param {Set<number>} drawn */
function once(wire, drawn) {
  if (!wire.pieces) return undefined;
  return (/** @type {number} */ piece) => {
    const number = wire.pieces[piece];
    if (drawn.has(number)) return false;
    drawn.add(number);
    return true;
  };
}

/** The way of a wire, which is made when it is first drawn by itself. @param {any} wire @returns {Path2D} */
function pathOf(wire) {
  if (!wire.path) wire.path = trace(wire.points, new Path2D());
  return wire.path;
}
