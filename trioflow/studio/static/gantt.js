// Strands over time: a row for each, with what was open in it. One looks at it, and clicks to go to a moment.

import { h } from './dom.js';

const ROW = 15;
const MOST_ROWS = 400;
const LABEL = 62;

/** @param {any} app */
export function gantt(app) {
  const { past, graph } = app;
  const rows = past.strands().slice(0, MOST_ROWS);
  const canvas = h('canvas', { role: 'img', 'aria-label': `What ${rows.length === 1 ? 'the strand' : `the ${rows.length} strands`} did over time; the slider above leads there` });
  const box = h('div', { class: 'gantt', tabindex: '0', role: 'group', 'aria-label': 'Strands over time' }, canvas);
  canvas.style.height = `${rows.length * ROW}px`;
  const css = getComputedStyle(document.documentElement);
  const paint = (/** @type {string} */ name) => css.getPropertyValue(name).trim();

  const draw = () => {
    const d = devicePixelRatio || 1;
    const width = box.clientWidth;
    if (!width) return;
    [canvas.width, canvas.height] = [width * d, rows.length * ROW * d];
    const g = canvas.getContext('2d');
    g.setTransform(d, 0, 0, d, 0, 0);
    g.font = '10.5px system-ui, sans-serif';
    const scale = (width - LABEL) / past.length;
    rows.forEach((/** @type {any} */ row, /** @type {number} */ place) => {
      const y = place * ROW;
      g.fillStyle = paint('--soft');
      g.fillText(`strand ${row.strand}`, 2, y + 11);
      // Of what would be drawn in one pixel, the first is: a row has as many pieces as pixels at most, whatever there was.
      let last = -1;
      for (const [from, to, node] of row.spans) {
        const left = LABEL + from * scale;
        const wide = Math.max(1, (to - from) * scale);
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
    });
    const at = app.moment > 0 ? past.clock(app.moment - 1) : 0;
    g.fillStyle = paint('--text');
    g.fillRect(LABEL + at * scale - 0.75, 0, 1.5, rows.length * ROW);
  };
  const then = (/** @type {MouseEvent} */ event) => Math.max(0, ((event.clientX - canvas.getBoundingClientRect().left - LABEL) / (box.clientWidth - LABEL)) * past.length);
  canvas.addEventListener('click', (/** @type {MouseEvent} */ event) => app.goTo(past.until(then(event))));
  canvas.addEventListener('mousemove', (/** @type {MouseEvent} */ event) => {
    const row = rows[Math.floor((event.clientY - canvas.getBoundingClientRect().top) / ROW)];
    const clock = then(event);
    const found = row?.spans.filter((/** @type {number[]} */ each) => each[0] <= clock && clock <= each[1]).at(-1);
    canvas.title = found && found[2] >= 0 ? `${graph.nodes[found[2]]?.id}: ${(found[1] - found[0]).toFixed(4)}${past.head.duration > 0 ? ' s' : ' events'}` : '';
  });
  new ResizeObserver(draw).observe(box);
  box.redraw = draw;
  return box;
}
