// The watch list: what is kept in view while a run is stepped through, whatever else is looked at.

import { ask } from './api.js';
import { attempt, button } from './attempt.js';
import { h, say, show } from './dom.js';

const EVERY = 400;
const WORDS = { stale: 'stale', 'not computed': 'not computed', missing: 'nothing gives it', unknown: 'not known of a recording' };

export class WatchList {
  /** @param {any} app @param {any} place */
  constructor(app, place) {
    this.app = app;
    this.place = place;
    /** By id what each is, and which of them is another value than before. @type {Record<string, any>} */
    this.values = {};
    /** @type {Set<string>} */
    this.changed = new Set();
    this.valuesOf = '';
    this.last = 0;
  }

  /** @param {string} text @param {boolean} [evaluates] */
  async add(text, evaluates = false) {
    if (this.app.state.watches.some((/** @type {any} */ each) => each.text === text)) {
      say(`${text} is on the watch list already.`);
      return;
    }
    await attempt(ask('add watch', { text, evaluates }));
  }

  /** Lead to the field. */
  focus() { this.place.querySelector('[data-key="watch"]')?.focus(); }

  /** A button that puts something on the list. @param {string} text */
  button(text) {
    return button('+', () => this.add(text), { class: 'small plus', 'aria-label': `Watch ${text}`, title: 'Keep it on the watch list, below', data: { key: `watch ${text}` } });
  }

  draw() {
    const { app, place } = this;
    const { state, past } = app;
    this.look();
    place.hidden = !app.graph.nodes.length && !state.watches.length;
    if (place.hidden) return;
    const then = past ? new Map(past.variables(app.moment)) : null;
    const found = state.watches.map((/** @type {any} */ each) => (then ? (then.has(each.text) ? { kind: 'value', value: then.get(each.text), why: '', where: null } : { kind: 'unknown', value: null, why: '', where: null }) : this.values[each.id]));
    show(place, `watch ${JSON.stringify([state.watches, found, [...this.changed], app.graph.readOnly])}`, () => {
      const field = h('input', { 'aria-label': 'Watch', placeholder: state.watches.length ? 'another one' : 'total, loop.index, total > 3', title: 'A variable, a socket of a node, or an expression (W)', spellcheck: 'false', autocomplete: 'off', data: { key: 'watch' } });
      const item = (/** @type {any} */ each, /** @type {any} */ it) => h('li', { class: this.changed.has(each.id) && !then ? 'changed' : '' },
        h('b', { title: each.text }, each.text), h('span', { class: 'grow' },
          it && it.value !== null ? h('code', {}, it.value) : null,
          it && it.kind !== 'value' && it.kind !== 'error' ? h('small', {}, ` ${WORDS[/** @type {keyof typeof WORDS} */ (it.kind)]}`) : null,
          it && typeof it.where === 'string' ? h('small', { title: it.where }, ` in ${it.where.split('/').pop() || app.graph.name}`) : null),
        !app.graph.readOnly && (each.evaluates || (it && ['stale', 'not computed', 'missing'].includes(it.kind))) && button('evaluate', () => attempt(ask('change watch', { id: each.id, evaluates: !each.evaluates })), { class: 'small', 'aria-pressed': String(each.evaluates), 'aria-label': `Evaluate ${each.text} at each stop`, title: 'Compute it whenever the strand stands; nothing is written', data: { key: `evaluates ${each.id}` } }),
        button('×', () => attempt(ask('remove watch', { id: each.id })), { class: 'small', 'aria-label': `Watch ${each.text} no more`, data: { key: `unwatch ${each.id}` } }),
        it && it.kind === 'error' ? h('small', { class: 'wrong' }, it.why) : null);
      return [
        state.watches.length ? h('ul', { class: 'list', 'aria-label': 'Watched' }, ...state.watches.map((/** @type {any} */ each, /** @type {number} */ number) => item(each, found[number]))) : null,
        h('form', { class: 'row', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); const text = field.value.trim(); if (text) { field.value = ''; this.add(text); } } }, h('span', { class: 'label', 'aria-hidden': 'true' }, 'Watch'), field),
      ];
    });
  }

  /** Ask what all of it is, if that may be something else by now. */
  async look() {
    const { state, past, strand } = this.app;
    if (past || state.status === null || !state.watches.length) return;
    const running = this.app.isLive() && !state.reason;
    const at = state.parked.find((/** @type {any} */ each) => each.strand === strand);
    const key = JSON.stringify([state.epoch, state.status, state.reason, state.steps, strand, at?.path, state.watches, state.messages.at(-1)?.n]);
    if (key === this.valuesOf || (running && performance.now() - this.last < EVERY)) return;
    this.valuesOf = key;
    this.last = performance.now();
    const found = await ask('watched', { strand }).catch(() => null);
    if (this.valuesOf !== key || !found) return;
    const before = this.values;
    this.values = found.values;
    this.changed = new Set(Object.keys(found.values).filter((id) => id in before && before[id].value !== null && before[id].value !== found.values[id].value));
    this.draw();
  }
}
