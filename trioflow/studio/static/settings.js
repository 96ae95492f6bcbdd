// What can be said of a node beyond its inputs, in fields: its policy, how it joins and takes turns in a workflow, its streams.
// What is typed is checked at once; what is refused leaves the graph as it was, and stands below the field that it is about.

import { h } from './dom.js';
import { soon } from './typed.js';

const TITLES = { policy: 'Policy: retries, limits, fallback', workflow: 'In a workflow: joins, turns, undo', streams: 'Streams' };
const HINTS = { duration: 'such as 30s', number: '', names: 'such as OSError, http.5xx', values: 'such as {"a": 1}', node: 'the id of a node', text: '' };

/** What a person says by path: what it means, and how it was typed. A group is said, or undefined. @typedef {Map<string, {value: any, raw: string}>} Said */

/**
 * What a document says of a node with what a person says of it now. Pure.
 * @param {any} settings @param {any[]} fields @param {Said} said
 */
export function built(settings, fields, said) {
  const found = { ...settings };
  for (const field of fields) {
    const value = field.kind === 'group' ? groupOf(field, settings[field.path], said, true) : said.has(field.path) ? said.get(field.path)?.value : settings[field.path];
    if (value === undefined) delete found[field.path];
    else found[field.path] = value;
  }
  return found;
}

/** @param {any} field @param {any} value @param {Said} said @param {boolean} [always] Whether it stands there anyhow, without a tick. @returns {any} */
function groupOf(field, value, said, always = false) {
  if (!always && !(said.has(field.path) ? said.get(field.path)?.value : value !== undefined)) return undefined;
  const found = whole(field, value);
  for (const each of field.fields) {
    const key = each.path.slice(field.path.length + 1);
    const one = each.kind === 'group' ? groupOf(each, found[key], said) : said.has(each.path) ? said.get(each.path)?.value : found[key];
    if (one === undefined && each.needed && value === undefined) return undefined; // it is being filled in
    if (one === undefined) delete found[key];
    else found[key] = one;
  }
  return always && !Object.keys(found).length ? undefined : found;
}

/** A group with all its keys, also if one stands alone for it. @param {any} field @param {any} value */
function whole(field, value) {
  if (value === undefined || value === null) return {};
  return typeof value === 'object' && !Array.isArray(value) ? { ...value } : { [field.short]: value };
}

/**
 * The sections of a node, and the problems that stand at their fields.
 * @param {any} app @param {any} it @param {string} where @param {any[]} problems
 * @returns {{elements: any[], told: Set<any>}}
 */
export function settingsForm(app, it, where, problems) {
  const { editor } = app;
  const { form, fields } = editor;
  const told = new Set();
  if (!fields) return { elements: [], told };
  const sections = form.sections.map((/** @type {string} */ name) => ({ name, fields: fields[name] }));
  const all = sections.flatMap((/** @type {any} */ each) => each.fields);
  const paths = new Set(all.flatMap(allPaths));
  /** @type {Map<string, {severity: string, text: string}[]>} */
  const notes = new Map();
  const note = (/** @type {string} */ path, /** @type {string} */ severity, /** @type {string} */ text) => {
    const owner = [...paths].filter((each) => path === each || path.startsWith(`${each}.`) || path.startsWith(`${each}[`)).sort((a, b) => b.length - a.length)[0];
    if (owner === undefined) return false;
    notes.set(owner, [...(notes.get(owner) || []), { severity, text }]);
    return true;
  };
  for (const problem of problems) {
    const rest = /nodes\[\d+\]\.(.+)$/.exec(problem.path);
    if (rest && note(rest[1], problem.severity, `${problem.message} ${problem.cure}`)) told.add(problem);
  }
  for (const [path, text] of editor.refused?.node === it.id ? editor.refused.problems : []) note(path, 'error', sentence(text));

  /** Fields come and go while one types: what was said is the editor's, and what is sent is made of it then. */
  const send = () => editor.settle(it.id, where, (/** @type {any} */ settings, /** @type {Said} */ said) => built(settings, all, said));
  const context = { app, it, notes, said: editor.saidOf(it.id), send, later: soon(send) };
  const elements = sections.map((/** @type {any} */ section) => {
    const made = section.fields.flatMap((/** @type {any} */ field) => (field.kind === 'group' ? inside(context, field, form.settings[field.path]) : leaf(context, field, form.settings[field.path])));
    const says = section.fields.some((/** @type {any} */ each) => each.path in form.settings);
    const wrong = section.fields.flatMap(allPaths).some((/** @type {string} */ each) => notes.has(each));
    return h('details', { open: says || wrong, data: { key: `section ${it.id} ${section.name}` } }, h('summary', { data: { key: `open ${section.name}` } }, TITLES[/** @type {keyof typeof TITLES} */ (section.name)]), ...made);
  });
  return { elements, told };
}

/** @param {any} field @returns {string[]} */
function allPaths(field) { return [field.path, ...field.fields.flatMap(allPaths)]; }

/** @param {string} text */
function sentence(text) { return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`; }

/** @param {any} context @param {string} path */
function notesAt(context, path) {
  return (context.notes.get(path) || []).map((/** @type {any} */ each) => h('p', { class: `note ${each.severity}` }, each.text));
}

/** The fields of a group, one below the other. @param {any} context @param {any} field @param {any} value @returns {any[]} */
function inside(context, field, value) {
  const now = whole(field, value);
  return [...notesAt(context, field.path), ...field.fields.flatMap((/** @type {any} */ each) => (each.kind === 'group' ? group : leaf)(context, each, now[each.path.slice(field.path.length + 1)]))];
}

/** A group that is said or not. @param {any} context @param {any} field @param {any} value @returns {any[]} */
function group(context, field, value) {
  const { app, it, said, send } = context;
  const on = said.has(field.path) ? said.get(field.path).value : value !== undefined;
  const tick = h('input', { type: 'checkbox', checked: on, data: { key: `says ${it.id} ${field.path}` }, onchange: () => {
    app.editor.says(it.id, field.path, tick.checked || undefined, '');
    send();
  } });
  const head = h('legend', {}, h('label', { class: 'row' }, tick, field.words));
  return [h('fieldset', { class: 'setting-group' }, head, ...(on ? inside(context, field, value) : notesAt(context, field.path)))];
}

/** @param {any} context @param {any} field @param {any} value @returns {any[]} */
function leaf(context, field, value) {
  const { app, it, said, send, later } = context;
  const given = { data: { key: `setting ${it.id} ${field.path}` } };
  const now = said.has(field.path) ? said.get(field.path).value : value;
  const says = (/** @type {any} */ what, /** @type {string} */ raw) => app.editor.says(it.id, field.path, what, raw);
  const notes = notesAt(context, field.path);
  if (field.kind === 'flag') {
    const tick = h('input', { type: 'checkbox', checked: now === true, onchange: () => { says(tick.checked || undefined, ''); send(); }, ...given });
    return [h('label', { class: 'row' }, tick, field.words), ...notes];
  }
  const row = (/** @type {any} */ control) => h('label', { class: 'setting', title: field.path }, h('span', {}, field.words), control);
  if (field.kind === 'choice' || field.kind === 'maybe') {
    const maybe = field.kind === 'maybe';
    const choices = maybe ? ['yes', 'no'] : field.choices.filter((/** @type {string} */ each) => each !== field.default);
    const chosen = now === undefined ? '' : maybe ? (now ? 'yes' : 'no') : String(now);
    const list = h('select', { onchange: () => { says(list.value === '' ? undefined : maybe ? list.value === 'yes' : list.value, ''); send(); }, ...given }, h('option', { value: '', selected: chosen === '' }, field.default || 'not said'), ...choices.map((/** @type {string} */ each) => h('option', { value: each, selected: each === chosen }, each)));
    return [row(list), ...notes];
  }
  const written = value === undefined ? '' : Array.isArray(value) ? value.join(', ') : typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  const wrong = (context.notes.get(field.path) || []).some((/** @type {any} */ each) => each.severity === 'error');
  const names = field.kind === 'node' ? `nodes-${field.path}` : null;
  const text = h('input', { value: said.has(field.path) ? said.get(field.path).raw : written, placeholder: field.needed ? 'needed' : field.default || HINTS[/** @type {keyof typeof HINTS} */ (field.kind)], spellcheck: 'false', autocomplete: 'off', list: names, 'aria-invalid': wrong ? 'true' : null, oninput: () => { says(meant(field.kind, text.value.trim()), text.value); later(); }, ...given });
  text.defaultValue = written;
  const others = names && h('datalist', { id: names }, ...app.graph.nodes.filter((/** @type {any} */ each) => each.frame === it.frame && each.id !== it.id).slice(0, 500).map((/** @type {any} */ each) => h('option', { value: each.id })));
  return [row(text), ...notes, others];
}

/** What a person has typed. What it is not, the check tells. @param {string} kind @param {string} text */
function meant(kind, text) {
  if (text === '') return undefined;
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (kind === 'names') return text.split(/[,\s]+/).filter(Boolean);
  if (kind !== 'values') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
