// Strands over time: a row for each, with what was open in it. One looks at it, clicks to go to a moment, and drags to choose a stretch.
// While a run goes on, what it did so far is shown in the same way. Long stretches in which nothing happens are folded, and it is said how long they were.

import { button } from './attempt.js';
import { h } from './dom.js';
import { idle, lasting, Scale } from './folding.js';

const ROW = 15;
const MOST_ROWS = 400;
const LABEL = 62;
const DRAGGED = 5;

/** @param {string} name */
const paint = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Make a canvas so large, and empty. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function canvasOf(canvas, width, height) {
  const d = devicePixelRatio || 1;
  [canvas.width, canvas.height] = [width * d, height * d];
  canvas.style.height = `${height}px`;
  const g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  g.setTransform(d, 0, 0, d, 0, 0);
  g.font = '10.5px system-ui, sans-serif';
  return g;
}

/** As much of a text as there is room for. @param {CanvasRenderingContext2D} g @param {string} text @param {number} room */
function fitting(g, text, room) {
  const wide = g.measureText(text).width;
  if (wide <= room) return text;
  const some = text.slice(0, Math.floor((text.length * (room - 8)) / wide));
  return some ? `${some.trimEnd()}…` : '';
}

/** Paint what strands did from one moment to another, and what of that is folded. @param {CanvasRenderingContext2D} g @param {any[]} rows @param {Scale} places @param {[number, number]} between @param {any[]} nodes */
function paintRows(g, rows, places, [begin, end], nodes) {
  const [bad, line, box, soft, frame, parked] = ['--bad', '--line', '--box', '--soft', '--frame', '--parked'].map(paint);
  const high = rows.length * ROW;
  rows.forEach((/** @type {any} */ row, /** @type {number} */ place) => {
    const y = place * ROW;
    // Of what would be drawn in one pixel, the first is: a row has as many pieces as pixels at most, whatever there was.
    let last = -1;
    /** Names of what is wide enough, and where they begin. @type {[string, number, number][]} */
    const names = [];
    /** @type {number[]} */
    const begins = [];
    for (const [from, to, node, stands] of row.spans) {
      if (to < begin || from > end) continue;
      const left = LABEL + places.x(from);
      const wide = Math.max(1, LABEL + places.x(to) - left);
      if (wide < 1.5 && left - last < 1) continue;
      last = left;
      begins.push(left);
      g.fillStyle = node === -2 ? bad : node < 0 ? line : `hsl(${(node * 67) % 360} 45% 58%)`;
      g.fillRect(left, y + 2, wide, ROW - 4);
      if (stands) {
        g.fillStyle = parked;
        g.fillRect(left, y + ROW - 4, wide, 3);
      }
      const name = node >= 0 ? nodes[node]?.id : '';
      if (name && wide > 40) names.push([name, wide, begins.length]);
    }
    g.fillStyle = '#101418';
    for (const [name, wide, next] of names) {
      // What is inside of it covers it from there on.
      const left = begins[next - 1];
      const room = Math.min(wide, (begins[next] ?? Infinity) - left) - 6;
      if (room > 20) g.fillText(fitting(g, name, room), left + 3, y + 11);
    }
    g.fillStyle = box;
    g.fillRect(0, y, LABEL, ROW);
    g.fillStyle = soft;
    g.fillText(fitting(g, `strand ${row.strand}`, LABEL - 4), 2, y + 11);
  });
  for (const { from, to, left, right } of places.folds()) {
    g.globalAlpha = 0.85;
    g.fillStyle = frame;
    g.fillRect(LABEL + left, 0, right - left, high);
    g.globalAlpha = 1;
    g.strokeStyle = line;
    for (const edge of [left, right]) {
      g.beginPath();
      for (let y = 0; y <= high + 4; y += 4) g.lineTo(LABEL + edge + (y % 8 ? 2 : -2), y);
      g.stroke();
    }
    g.fillStyle = soft;
    g.textAlign = 'center';
    for (let y = 0; y < high; y += 8 * ROW) g.fillText(lasting(to - from), LABEL + (left + right) / 2, y + 11, right - left - 6);
    g.textAlign = 'left';
  }
}

/** Strands over time while the run goes on, by what was seen of them. A click chooses the strand, and the node where it was. @param {any} app */
export function liveGantt(app) {
  const canvas = h('canvas', { role: 'img' });
  const box = h('div', { class: 'gantt', tabindex: '0', role: 'group', 'aria-label': 'Strands over time, so far' }, canvas);
  const words = h('small', {});
  /** @type {any[]} */
  let rows = [];
  const scale = () => {
    const { lanes } = app;
    return new Scale(lanes.begin, Math.max(lanes.begin + 1e-3, app.now()), idle(lanes.looks), Math.max(1, box.clientWidth - LABEL));
  };
  const draw = () => {
    const { lanes } = app;
    const width = box.clientWidth;
    if (!width) return;
    const now = app.now();
    const all = lanes.strands();
    rows = all.slice(0, MOST_ROWS);
    const g = canvasOf(canvas, width, rows.length * ROW);
    const spans = rows.map((each) => (each.goesOn ? { ...each, spans: [...each.spans.slice(0, -1), [each.spans.at(-1)[0], now, ...each.spans.at(-1).slice(2)]] } : each));
    paintRows(g, spans, scale(), [lanes.begin, now], app.graph.nodes);
    const label = `What ${all.length === 1 ? 'the strand' : `${all.length} strands`} did over time; the list of strands says where each is now`;
    if (canvas.getAttribute('aria-label') !== label) canvas.setAttribute('aria-label', label);
    const told = `${lasting(Math.round(10 * (now - lanes.begin)) / 10)} of the run, as seen about six times a second${all.length > rows.length ? `; the first ${rows.length} of ${all.length} strands` : ''}.${app.state.recorded ? ' “Look back” has each event.' : ''}`;
    if (words.textContent !== told) words.textContent = told;
  };
  /** What is at a place. @param {MouseEvent} event */
  const under = (event) => {
    const at = canvas.getBoundingClientRect();
    const row = rows[Math.floor((event.clientY - at.top) / ROW)];
    const clock = scale().clock(event.clientX - at.left - LABEL);
    return { row, span: row?.spans.findLast((/** @type {number[]} */ each) => each[0] <= clock) };
  };
  canvas.addEventListener('click', (/** @type {MouseEvent} */ event) => {
    const { row, span } = under(event);
    if (!row) return;
    if (row.goesOn) app.chooseStrand(row.strand);
    if (span && span[2] >= 0) app.choose(span[2], true, false);
  });
  canvas.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
    const { row, span } = under(event);
    canvas.title = span && span[2] >= 0 ? `strand ${row.strand}: ${app.graph.nodes[span[2]]?.id}${span[3] ? ', standing' : ''}` : '';
  });
  new ResizeObserver(draw).observe(box);
  setInterval(() => { if (box.isConnected && box.clientWidth && app.isLive() && !app.frozen) draw(); }, 200);
  box.redraw = draw;
  return [box, words];
}

/** The strands, and what is folded of them, in words. @param {any} app @returns {any[]} */
export function gantt(app) {
  const { past, graph } = app;
  const rows = past.strands().slice(0, MOST_ROWS);
  const canvas = h('canvas', { role: 'img', 'aria-label': `What ${rows.length === 1 ? 'the strand' : `the ${rows.length} strands`} did over time; the slider above leads there` });
  const box = h('div', { class: 'gantt', tabindex: '0', role: 'group', 'aria-label': 'Strands over time' }, canvas);
  canvas.style.height = `${rows.length * ROW}px`;
  const [first, stop] = [Math.max(past.first, app.stretch?.[0] ?? 0), Math.min(past.stop, app.stretch?.[1] ?? past.count)];
  const begin = first > 0 ? past.clock(first) : 0;
  const length = Math.max(past.clock(Math.max(first, stop - 1)) - begin, past.head.duration > 0 ? 1e-9 : 1);
  const found = past.head.duration > 0 ? idle(past.time.subarray(first - past.first, stop - past.first)) : [];
  const folds = app.folding ? found : [];
  const scale = () => new Scale(begin, begin + length, folds, Math.max(1, box.clientWidth - LABEL));
  /** Where a drag began, and where it is. @type {[number, number] | null} */
  let drag = null;

  const draw = () => {
    const width = box.clientWidth;
    if (!width) return;
    const g = canvasOf(canvas, width, rows.length * ROW);
    const places = scale();
    const high = rows.length * ROW;
    paintRows(g, rows, places, [begin, begin + length], graph.nodes);
    const at = app.moment > past.first ? past.clock(app.moment - 1) : begin;
    g.fillStyle = paint('--text');
    g.fillRect(LABEL + places.x(at) - 0.75, 0, 1.5, high);
    if (drag) {
      g.globalAlpha = 0.25;
      g.fillStyle = paint('--accent');
      g.fillRect(Math.min(...drag), 0, Math.abs(drag[1] - drag[0]), rows.length * ROW);
      g.globalAlpha = 1;
    }
  };
  const across = (/** @type {MouseEvent} */ event) => event.clientX - canvas.getBoundingClientRect().left;
  const then = (/** @type {number} */ x) => scale().clock(x - LABEL);
  canvas.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    drag = [across(event), across(event)];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
    if (drag) {
      drag[1] = across(event);
      draw();
      return;
    }
    const row = rows[Math.floor((event.clientY - canvas.getBoundingClientRect().top) / ROW)];
    const clock = then(across(event));
    const fold = scale().folds().find((each) => each.left <= across(event) - LABEL && across(event) - LABEL < each.right);
    if (fold) {
      canvas.title = `Nothing happened for ${lasting(fold.to - fold.from)}; it is folded`;
      return;
    }
    const found = row?.spans.filter((/** @type {number[]} */ each) => each[0] <= clock && clock <= each[1]).at(-1);
    canvas.title = found && found[2] >= 0 ? `${graph.nodes[found[2]]?.id}: ${(found[1] - found[0]).toFixed(4)}${past.head.duration > 0 ? ' s' : ' events'}` : '';
  });
  canvas.addEventListener('pointercancel', () => { drag = null; draw(); });
  canvas.addEventListener('pointerup', () => {
    if (!drag) return;
    const [from, to] = [Math.min(...drag), Math.max(...drag)];
    drag = null;
    if (to - from <= DRAGGED) app.goTo(past.until(then(to)));
    else app.lookAt([Math.max(first, past.until(then(from)) - 1), Math.min(stop, past.until(then(to)))]);
    draw();
  });
  new ResizeObserver(draw).observe(box);
  box.redraw = draw;
  if (!found.length) return [box];
  const idled = found.reduce((sum, [from, to]) => sum + to - from, 0);
  const words = `${found.length === 1 ? 'A stretch' : `${found.length} stretches`} in which nothing happened, ${lasting(idled)} of ${lasting(length)}, ${found.length === 1 ? 'is' : 'are'} ${app.folding ? '' : 'not '}folded.`;
  return [box, h('div', { class: 'folded row' }, h('small', { class: 'grow' }, words), button(app.folding ? 'Unfold' : 'Fold', () => { app.folding = !app.folding; app.redraw(); }, { class: 'small', data: { key: 'fold' } }))];
}
