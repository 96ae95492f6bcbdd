// The graph. Frames, wires and far nodes are drawn on a canvas, near nodes are buttons, lit wires have a canvas of their own:
// so a page of thousands of nodes stays quick, and what can be read can also be reached.

import { h } from './dom.js';
import { bounds, colour, trace } from './wires.js';

const NEAR = 0.42;
const GLOW = 700;
const MOST_LIT = 400;
const HEAD = 22;

export class Scene {
  /**
   * @param {HTMLElement} root
   * @param {(place: number) => void} choose
   */
  constructor(root, choose) {
    this.root = root;
    this.choose = choose;
    this.base = root.appendChild(h('canvas', { 'aria-hidden': 'true' }));
    this.top = root.appendChild(h('canvas', { 'aria-hidden': 'true' }));
    this.layer = root.appendChild(h('div', { class: 'nodes' }));
    [this.x, this.y, this.k] = [0, 0, 1];
    /** @type {any} */
    this.graph = { nodes: [], wires: [], frames: [], width: 1, height: 1 };
    /** @type {any[]} */
    this.wires = [];
    /** @type {Map<number, any>} */
    this.shown = new Map();
    /** @type {Map<number, number>} */
    this.lit = new Map();
    /** What is shown at nodes: counts, where strands are, heat, breakpoints, problems. @type {any} */
    this.marks = { counts: {}, failed: {}, at: new Map(), heat: null, stops: new Set(), problems: new Map() };
    this.selected = -1;
    this.asked = false;
    this.colours = new Map();
    this.bind();
    new ResizeObserver(() => this.resize()).observe(root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.colours.clear();
      this.redraw();
    });
  }

  /** @param {any} graph */
  load(graph) {
    this.graph = graph;
    this.wires = graph.wires.map((/** @type {any} */ each) => ({ ...each, path: trace(each.points, new Path2D()), box: bounds(each.points), colour: colour(each) }));
    this.together = new Map();
    for (const wire of this.wires) {
      if (!this.together.has(wire.colour)) this.together.set(wire.colour, new Path2D());
      this.together.get(wire.colour).addPath(wire.path);
    }
    this.resize();
    this.fit();
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
    });
    root.addEventListener('pointermove', (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      if (fingers.size === 2) {
        const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId) || before;
        const box = root.getBoundingClientRect();
        const apart = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
        this.zoom(apart(event) / apart(before), (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
      } else this.move(event.clientX - before.clientX, event.clientY - before.clientY);
      fingers.set(event.pointerId, event);
      this.dragged = (this.dragged || 0) + Math.abs(event.movementX) + Math.abs(event.movementY);
      if (this.dragged > 4 && !root.hasPointerCapture(event.pointerId)) root.setPointerCapture(event.pointerId);
    });
    for (const kind of ['pointerup', 'pointercancel']) root.addEventListener(kind, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
    root.addEventListener('click', (event) => {
      const button = event.target instanceof Element ? event.target.closest('.node') : null;
      if (event.detail && (this.dragged || 0) > 4) return; // the end of a drag; a key has no detail
      if (button instanceof HTMLElement) {
        this.choose(Number(button.dataset.place));
        return;
      }
      const box = root.getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left - this.x) / this.k, (event.clientY - box.top - this.y) / this.k];
      const found = this.graph.nodes.findIndex((/** @type {any} */ each) => x >= each.x && x <= each.x + each.width && y >= each.y && y <= each.y + each.height);
      if (found >= 0) this.choose(found);
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

  resize() {
    const d = devicePixelRatio || 1;
    [this.width, this.height] = [this.root.clientWidth, this.root.clientHeight];
    for (const canvas of [this.base, this.top]) [canvas.width, canvas.height] = [this.width * d, this.height * d];
    if (this.fitted) this.fit();
    this.redraw();
  }

  /** All of the graph, as large as it fits, but not larger than life. */
  fit() {
    const { width, height } = this.graph;
    const [wide, high] = [this.width || 1, this.height || 1];
    this.k = Math.max(0.02, Math.min(1.1, (wide - 24) / width, (high - 24) / height));
    if (this.k < NEAR && this.graph.nodes.length <= 40) {
      // Few nodes can be read from the start, rather than all be seen.
      this.k = NEAR + 0.13;
      [this.x, this.y] = [8, Math.max(8, (high - height * this.k) / 2)];
    } else [this.x, this.y] = [(wide - width * this.k) / 2, (high - height * this.k) / 2];
    this.fitted = true;
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
  zoom(factor, x = (this.width || 0) / 2, y = (this.height || 0) / 2) {
    const k = Math.max(0.02, Math.min(3, this.k * factor));
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
    const [w, hgt] = [this.width || 0, this.height || 0];
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

  /** @param {number} place */
  select(place) {
    this.selected = place;
    for (const [each, element] of this.shown) this.dress(each, element);
    this.redraw();
  }

  /** Let wires light up. @param {number[]} wires */
  light(wires) {
    const now = performance.now();
    const [left, top, right, bottom] = this.seen();
    // Of very many only some are lit: more would be a yellow page, and slow.
    const step = Math.max(1, Math.ceil(wires.length / MOST_LIT));
    for (let i = Math.floor(Math.random() * step); i < wires.length; i += step) {
      const { box } = this.wires[wires[i]];
      if (this.lit.size < MOST_LIT && box[0] < right && box[1] < bottom && box[2] > left && box[3] > top) this.lit.set(wires[i], now);
    }
    this.redraw();
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
    return [-this.x / this.k, -this.y / this.k, ((this.width || 0) - this.x) / this.k, ((this.height || 0) - this.y) / this.k];
  }

  draw() {
    const g = this.base.getContext('2d');
    const d = devicePixelRatio || 1;
    const [left, top, right, bottom] = this.seen();
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.base.width, this.base.height);
    g.setTransform(d * this.k, 0, 0, d * this.k, d * this.x, d * this.y);
    const thin = 1 / Math.min(1, Math.max(this.k, 0.12));
    for (const frame of this.graph.frames) {
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
      let baseline = frame.y + 28;
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
    const visible = this.wires.filter(({ box }) => box[0] < right && box[1] < bottom && box[2] > left && box[3] > top);
    const stroke = (/** @type {string} */ name, /** @type {Path2D} */ path) => {
      g.strokeStyle = this.paint(name);
      g.lineWidth = (name === '--control' ? 2.4 : 1.5) * Math.min(thin, 3);
      g.stroke(path);
    };
    if (visible.length > this.wires.length * 0.6) for (const [name, path] of this.together || []) stroke(name, path);
    else for (const wire of visible) stroke(wire.colour, wire.path);
    const near = this.k >= NEAR;
    const here = [];
    const { at, heat, stops, problems, failed } = this.marks;
    this.graph.nodes.forEach((/** @type {any} */ node, /** @type {number} */ place) => {
      if (node.x > right || node.y > bottom || node.x + node.width < left || node.y + node.height < top) return;
      if (near) {
        here.push(place);
        return;
      }
      g.fillStyle = this.paint(`--k-${node.kind}`);
      g.fillRect(node.x, node.y, node.width, node.height);
      if (heat && heat[place]) {
        g.globalAlpha = heat[place];
        g.fillStyle = this.paint('--hot');
        g.fillRect(node.x, node.y, node.width, node.height);
        g.globalAlpha = 1;
      }
      const edge = at.has(place) ? (at.get(place) === 'parked' ? '--parked' : '--active') : failed[place] || problems.has(place) ? '--bad' : place === this.selected ? '--accent' : stops.has(place) ? '--stop' : '';
      if (edge) {
        g.strokeStyle = this.paint(edge);
        g.lineWidth = 3 * thin;
        g.strokeRect(node.x, node.y, node.width, node.height);
      }
    });
    this.layer.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.k})`;
    const keep = new Set(here);
    for (const [place, element] of this.shown) if (!keep.has(place) && element !== document.activeElement) {
      element.remove();
      this.shown.delete(place);
    }
    for (const place of here) if (!this.shown.has(place)) {
      const element = this.layer.appendChild(this.button(place));
      this.shown.set(place, element);
      this.dress(place, element);
    }
  }

  /** @param {number} now */
  glow(now) {
    const g = this.top.getContext('2d');
    const d = devicePixelRatio || 1;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.top.width, this.top.height);
    if (!this.lit.size) return;
    g.setTransform(d * this.k, 0, 0, d * this.k, d * this.x, d * this.y);
    g.strokeStyle = this.paint('--lit');
    g.lineWidth = 4 / Math.min(1, Math.max(this.k, 0.25));
    g.lineCap = 'round';
    const [left, top, right, bottom] = this.seen();
    for (const [place, since] of this.lit) {
      const age = (now - since) / GLOW;
      if (age >= 1) {
        this.lit.delete(place);
        continue;
      }
      const { path, box } = this.wires[place];
      if (box[0] > right || box[1] > bottom || box[2] < left || box[3] < top) continue;
      g.globalAlpha = Math.min(1, 1 - age);
      g.stroke(path);
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

  /** @param {number} place */
  button(place) {
    const node = this.graph.nodes[place];
    const pins = (/** @type {any[]} */ list, /** @type {string} */ side) => list.map((pin) => {
      const made = h('span', { class: `pin ${side}${pin.control ? ' control' : ''}${pin.wired ? '' : ' open'}`, title: pin.control ? `${pin.name}: control` : `${pin.name}: ${pin.type}` }, h('i', {}), pin.text);
      made.style.top = `${pin.y - node.y}px`;
      made.style.setProperty('--pin', `var(${colour(pin)})`);
      return made;
    });
    const made = h('button', { class: `node k-${node.kind}`, tabindex: '-1', title: node.doc || null, data: { place: String(place), id: node.id } },
      h('b', {}, node.title), h('small', {}, node.subtitle), ...pins(node.inputs, 'in'), ...pins(node.outputs, 'out'), h('span', { class: 'count' }), h('span', { class: 'dot' }));
    for (const [key, value] of [['left', node.x], ['top', node.y], ['width', node.width], ['height', node.height]]) made.style[key] = `${value}px`;
    made.style.setProperty('--head', `${HEAD}px`);
    return made;
  }

  /** @param {number} place @param {any} element */
  dress(place, element) {
    const { counts, failed, at, heat, stops, problems } = this.marks;
    const node = this.graph.nodes[place];
    const where = at.get(place);
    const count = counts[place] || 0;
    const said = [node.id, node.type];
    if (where) said.push(where);
    if (count) said.push(`${count} times`);
    if (failed[place]) said.push(`failed ${failed[place]} times`);
    if (stops.has(place)) said.push('breakpoint');
    if (problems.has(place)) said.push('has problems');
    const label = said.join(', ');
    if (element.getAttribute('aria-label') !== label) element.setAttribute('aria-label', label);
    const list = element.classList;
    list.toggle('selected', place === this.selected);
    list.toggle('parked', where === 'parked');
    list.toggle('active', Boolean(where) && where !== 'parked');
    list.toggle('stop', stops.has(place));
    list.toggle('bad', Boolean(failed[place]) || problems.get(place) === 'error');
    list.toggle('warned', problems.get(place) === 'warning');
    element.tabIndex = place === this.selected ? 0 : -1;
    const text = count ? short(count) : '';
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
