// Making elements. All texts are set as text: nothing that comes from a graph or a run is ever read as markup.

/**
 * An element. Keys that begin with `on` are listeners, `class` and `data` are what they say, true and false are flags.
 * @param {string} tag
 * @param {Record<string, any>} [given]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, given = {}, ...children) {
  const element = /** @type {any} */ (document.createElement(tag));
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.className = value;
    else if (key === 'data') Object.assign(element.dataset, value);
    else if (key === 'value') element.value = value;
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : String(child));
  return element;
}

/** What is pressed, and what is to be shown where that is. @type {Element | null} */
let pressed = null;
/** @type {Map<any, () => void>} */
const due = new Map();

/** Keep what a person presses, with a pointer or the space bar, from being replaced until that has come to something. */
export function watchPresses() {
  const press = (/** @type {Event} */ event) => { pressed = event.target instanceof Element ? event.target : null; };
  const release = () => setTimeout(() => {
    pressed = null;
    for (const each of [...due.values()]) each();
  });
  const space = (/** @type {(event: KeyboardEvent) => void} */ act) => (/** @type {KeyboardEvent} */ event) => { if (event.key === ' ' && event.target instanceof Element && event.target.closest('button, summary, [type=checkbox]')) act(event); };
  addEventListener('pointerdown', press, true);
  addEventListener('keydown', space(press), true);
  addEventListener('click', () => { pressed = null; }, true); // what it leads to is shown at once
  for (const kind of ['pointerup', 'pointercancel']) addEventListener(kind, release, true);
  addEventListener('blur', release); // of the window, not of what is in it
  addEventListener('keyup', space(release), true);
}

/**
 * Show something else in an element, unless it is the same already; if something in it is pressed, once that is let go, since a
 * press that ends on another element than it began on is no click. What had the focus has it again, and keeps what was typed;
 * so do lists and ticks of forms that are not sent yet, which have `data-keep`.
 * @param {any} parent
 * @param {string} key What it is made of.
 * @param {() => (Node | null | false)[]} make
 */
export function show(parent, key, make) {
  due.delete(parent);
  if (parent.shownKey === key) return;
  if (pressed && parent.contains(pressed)) {
    due.set(parent, () => show(parent, key, make));
    return;
  }
  parent.shownKey = key;
  const active = document.activeElement;
  const focused = active instanceof HTMLElement && parent.contains(active) ? active.dataset.key : undefined;
  const typed = new Map();
  for (const field of parent.querySelectorAll('input[data-key], textarea[data-key]')) if (field.value !== field.defaultValue) typed.set(field.dataset.key, field.value);
  const kept = new Map([...parent.querySelectorAll('[data-keep]')].map((each) => [each.dataset.key, each.type === 'checkbox' ? each.checked : each.value]));
  const opened = new Map([...parent.querySelectorAll('details[data-key]')].map((each) => [each.dataset.key, each.open]));
  const scrolled = parent.firstChild ? parent.scrollTop : 0;
  const caret = active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement ? [active.selectionStart, active.selectionEnd] : null;
  parent.replaceChildren(...make().filter((each) => each));
  for (const each of parent.querySelectorAll('details[data-key]')) if (opened.has(each.dataset.key)) each.open = opened.get(each.dataset.key);
  for (const field of parent.querySelectorAll('input[data-key], textarea[data-key]')) if (typed.has(field.dataset.key) && field.type !== 'checkbox') field.value = typed.get(field.dataset.key);
  for (const field of parent.querySelectorAll('[data-keep]')) if (kept.has(field.dataset.key)) field[field.type === 'checkbox' ? 'checked' : 'value'] = kept.get(field.dataset.key);
  if (scrolled) parent.scrollTop = scrolled; // asking in vain would lay out all of the page
  if (focused !== undefined) for (const each of parent.querySelectorAll('[data-key]')) if (each.dataset.key === focused) {
    each.focus({ preventScroll: true });
    if (caret && caret[0] !== null && each.setSelectionRange && each.type !== 'checkbox') each.setSelectionRange(...caret);
  }
}

/** A text in which some words stand between backticks, as texts and pieces of code. @param {string} text @returns {Node[]} */
export function prose(text) {
  return text.split('`').map((part, place) => (place % 2 ? h('code', {}, part) : document.createTextNode(part)));
}

/** A number with its thousands apart. What browsers have for it takes a good part of the time in which a page is there. @param {number} number */
export function grouped(number) {
  const [whole, part] = String(Number(number.toFixed(3))).split('.');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part ? `.${part}` : '');
}

/** How far something has come, in words. @param {any} way @param {boolean} live */
export function wayOf(way, live) {
  const left = live && way.left > 0 ? `, about ${way.left < 100 ? `${Math.ceil(way.left)} s` : `${Math.ceil(way.left / 60)} min`} left` : '';
  return `${grouped(way.done)}${way.total === null ? '' : ` of ${grouped(way.total)}`}${way.message ? ` ${way.message}` : ''}${left}`;
}

let leaving = 0;
/** Say something for a moment, in words. @param {string} text */
export function say(text) {
  const toast = /** @type {HTMLElement} */ (document.getElementById('toast'));
  toast.textContent = text;
  toast.classList.add('shown');
  clearTimeout(leaving);
  leaving = setTimeout(() => toast.classList.remove('shown'), 6000);
}
