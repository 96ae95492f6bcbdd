// Strands over time: a row for each, with what was open in it. One looks at it, clicks to go to a moment, and drags to choose a stretch.
// Long stretches in which nothing happens are folded, and it is said how long they were.

import { button } from './attempt.js';
import { h } from './dom.js';
import { idle, lasting, Scale } from './folding.js';

const ROW = 15;
const MOST_ROWS = 400;
const LABEL = 62;
const DRAGGED = 5;

/** The strands, and what is folded of them, in words. @param {any} app @returns {any[]} */
export function gantt(app) {
  const { past, graph } = app;
  const rows = past.strands().slice(0, MOST_ROWS);
  const canvas = h('canvas', { role: 'img', 'aria-label': `What ${rows.length === 1 ? 'the strand' : `the ${rows.length} strands`} did over time; the slider above leads there` });
  const box = h('div', { class: 'gantt', tabindex: '0', role: 'group', 'aria-label': 'Strands over time' }, canvas);
  canvas.style.height = `${rows.length * ROW}px`;
  const css = getComputedStyle(document.documentElement);
  const paint = (/** @type {string} */ name) => css.getPropertyValue(name).trim();
  const [first, stop] = [Math.max(past.first, app.stretch?.[0] ?? 0), Math.min(past.stop, app.stretch?.[1] ?? past.count)];
  const begin = first > 0 ? past.clock(first) : 0;
  const length = Math.max(past.clock(Math.max(first, stop - 1)) - begin, past.head.duration > 0 ? 1e-9 : 1);
  const found = past.head.duration > 0 ? idle(past.time.subarray(first - past.first, stop - past.first)) : [];
  const folds = app.folding ? found : [];
  const scale = () => new Scale(begin, begin + length, folds, Math.max(1, box.clientWidth - LABEL));
  /** Where a drag began, and where it is. @type {[number, number] | null} */
  let drag = null;

  const draw = () => {
    const d = devicePixelRatio || 1;
    const width = box.clientWidth;
    if (!width) return;
    [canvas.width, canvas.height] = [width * d, rows.length * ROW * d];
    const g = canvas.getContext('2d');
    g.setTransform(d, 0, 0, d, 0, 0);
    g.font = '10.5px system-ui, sans-serif';
    const places = scale();
    const high = rows.length * ROW;
    rows.forEach((/** @type {any} */ row, /** @type {number} */ place) => {
      const y = place * ROW;
      // Of what would be drawn in one pixel, the first is: a row has as many pieces as pixels at most, whatever there was.
      let last = -1;
      for (const [from, to, node] of row.spans) {
        if (to < begin || from > begin + length) continue;
        const left = LABEL + places.x(from);
        const wide = Math.max(1, LABEL + places.x(to) - left);
        if (wide < 1.5 && left - last < 1) continue;
        last = left;
        g.fillStyle = node === -2 ? paint('--bad') : node < 0 ? paint('--line') : `hsl(${(node * 67) % 360} 45% 58%)`;
        g.fillRect(left, y + 2, wide, ROW - 4);
        const name = node >= 0 ? graph.nodes[node]?.id : '';
        if (name && wide > 40) {
          g.fillStyle = '#101418';
          g.fillText(name, left + 3, y + 11, wide - 6);
        }
      }
      g.fillStyle = paint('--box');
      g.fillRect(0, y, LABEL, ROW);
      g.fillStyle = paint('--soft');
      g.fillText(`strand ${row.strand}`, 2, y + 11);
    });
    for (const { from, to, left, right } of places.folds()) {
      g.globalAlpha = 0.85;
      g.fillStyle = paint('--frame');
      g.fillRect(LABEL + left, 0, right - left, high);
      g.globalAlpha = 1;
      g.strokeStyle = paint('--line');
      for (const edge of [left, right]) {
        g.beginPath();
        for (let y = 0; y <= high + 4; y += 4) g.lineTo(LABEL + edge + (y % 8 ? 2 : -2), y);
        g.stroke();
      }
      g.fillStyle = paint('--soft');
      g.textAlign = 'center';
      for (let y = 0; y < high; y += 8 * ROW) g.fillText(lasting(to - from), LABEL + (left + right) / 2, y + 11, right - left - 6);
      g.textAlign = 'left';
    }
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
