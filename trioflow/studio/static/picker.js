// Choosing one of many by typing a part of its name: a combobox with a list below it, for the mouse and the keyboard alike.

import { h } from './dom.js';

const MOST = 60;

/**
 * Ask for one of the options, which may still have to come. `null` if nothing was chosen.
 * @template T
 * @param {string} title
 * @param {{label: string, detail?: string, value: T}[] | Promise<{label: string, detail?: string, value: T}[]>} given
 * @param {string} [placeholder]
 * @returns {Promise<T | null>}
 */
export function pick(title, given, placeholder = 'type a part of the name') {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('dialog'));
  if (dialog.open) dialog.close();
  return new Promise((give) => {
    let at = 0;
    /** @type {{label: string, detail?: string, value: T}[] | null} */
    let options = Array.isArray(given) ? given : null;
    /** @type {{label: string, detail?: string, value: T}[]} */
    let found = [];
    /** Whether the first that fits is taken as soon as it is there. */
    let hurried = false;
    /** @type {T | null} */
    let chosen = null;
    const field = h('input', { role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'picked', 'aria-autocomplete': 'list', 'aria-label': title, placeholder, autocomplete: 'off', spellcheck: 'false' });
    const list = h('ul', { role: 'listbox', id: 'picked', 'aria-label': title, class: 'picks' });
    const none = h('p', { class: 'empty', hidden: true });
    const take = (/** @type {number} */ place) => {
      if (!found[place]) return;
      chosen = found[place].value;
      dialog.close();
    };
    const mark = () => {
      [...list.children].forEach((each, place) => {
        each.setAttribute('aria-selected', String(place === at));
        if (place === at) each.scrollIntoView({ block: 'nearest' });
      });
      if (found.length) field.setAttribute('aria-activedescendant', `picked-${at}`);
      else field.removeAttribute('aria-activedescendant');
    };
    const fill = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      found = (options || []).map((each, place) => ({ each, place, rank: rank(each, words) })).filter(({ rank: r }) => r >= 0).sort((a, b) => a.rank - b.rank || a.place - b.place).slice(0, MOST).map(({ each }) => each);
      at = 0;
      list.replaceChildren(...found.map((each, place) => h('li', { role: 'option', id: `picked-${place}`, 'aria-selected': 'false', onclick: () => take(place) }, h('b', {}, each.label), each.detail ? h('small', {}, each.detail) : null)));
      none.hidden = found.length > 0;
      list.hidden = !none.hidden;
      none.textContent = options ? 'Nothing fits. Try another word.' : 'Looking …';
      mark();
    };
    field.addEventListener('input', fill);
    field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
      if (to !== undefined) {
        at = Math.max(0, Math.min(found.length - 1, to));
        mark();
      } else if (event.key === 'Enter' && !options) hurried = field.readOnly = true;
      else if (event.key === 'Enter') take(at);
      else return;
      event.preventDefault();
    });
    dialog.replaceChildren(h('h2', { id: 'dialog-title' }, title), field, list, none);
    dialog.classList.add('picking');
    dialog.addEventListener('close', () => {
      dialog.classList.remove('picking');
      give(chosen);
    }, { once: true });
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    fill();
    dialog.showModal();
    field.focus();
    if (!Array.isArray(given)) given.then((come) => {
      options = come;
      if (!field.isConnected) return;
      fill();
      if (hurried) take(0);
    });
  });
}

/** How well an option fits, the less the better; -1 if it does not. @param {{label: string, detail?: string}} option @param {string[]} words */
function rank(option, words) {
  const label = option.label.toLowerCase();
  const detail = (option.detail || '').toLowerCase();
  let total = 0;
  for (const word of words) {
    const at = label.indexOf(word);
    if (label === word || label.endsWith(`.${word}`)) continue;
    if (at === 0 || label[at - 1] === '.') total += 1;
    else if (at > 0) total += 2;
    else if (detail.includes(word)) total += 10;
    else return -1;
  }
  return total;
}
