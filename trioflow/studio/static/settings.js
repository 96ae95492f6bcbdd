// What can be said of a node beyond its inputs, in fields: its policy, how it joins and takes turns in a workflow, its streams.
// What is typed is checked at once; what is refused leaves the graph as it was, and stands below the field that it is about.

import { h } from './dom.js';
import { soon } from './typed.js';

const TITLES = { policy: 'Policy: retries, limits, fallback', workflow: 'In a workflow: joins, turns, undo', streams: 'Streams' };
const HINTS = { duration: 'such as 30s', number: '', names: 'such as OSError, http.5xx', values: 'such as {"a": 1}', node: 'the id of a node', text: '' };

/** A field with what it says now. @typedef {{elements: any[], read: () => any}} Made */

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
  const paths = new Set(sections.flatMap((/** @type {any} */ each) => each.fields).flatMap(allPaths));
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
  const refused = editor.refused?.node === it.id ? editor.refused.problems : [];
  for (const [path, text] of refused) note(path, 'error', sentence(text));

  const send = () => {
    const settings = { ...form.settings };
    for (const { key, read } of tops) {
      const value = read();
      if (value === undefined) delete settings[key];
      else settings[key] = value;
    }
    return editor.settle(it.id, { edit: 'settings', node: it.id, settings, graph: where }, `settings ${it.id} ${editor.turn}`);
  };
  const context = { app, it, notes, send, later: soon(send) };
  /** @type {{key: string, read: () => any}[]} */
  const tops = [];
  const elements = sections.map((/** @type {any} */ section) => {
    const made = section.fields.map((/** @type {any} */ field) => {
      const value = form.settings[field.path];
      const one = field.kind === 'group' ? inside(context, field, value) : leaf(context, field, value);
      tops.push({ key: field.path, read: one.read });
      return one;
    });
    const says = section.fields.some((/** @type {any} */ each) => each.path in form.settings);
    const wrong = section.fields.flatMap(allPaths).some((/** @type {string} */ each) => notes.has(each));
    return h('details', { open: says || wrong, data: { key: `section ${it.id} ${section.name}` } }, h('summary', { data: { key: `open ${section.name}` } }, TITLES[/** @type {keyof typeof TITLES} */ (section.name)]), ...made.flatMap((/** @type {Made} */ each) => each.elements));
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

/** The fields of a group, one below the other. @param {any} context @param {any} field @param {any} value @returns {Made} */
function inside(context, field, value) {
  const said = value === undefined || value === null ? {} : typeof value === 'object' && !Array.isArray(value) ? value : { [field.short]: value };
  const made = field.fields.map((/** @type {any} */ each) => {
    const key = each.path.slice(field.path.length + 1);
    return { key, needed: each.needed, ...(each.kind === 'group' ? group(context, each, said[key]) : leaf(context, each, said[key])) };
  });
  const read = () => {
    const found = { ...said };
    for (const each of made) {
      const one = each.read();
      if (one === undefined) {
        if (each.needed && value === undefined) return undefined; // it is being filled in
        delete found[each.key];
      } else found[each.key] = one;
    }
    return Object.keys(found).length || value !== undefined ? found : undefined;
  };
  return { elements: [...notesAt(context, field.path), ...made.flatMap((/** @type {Made} */ each) => each.elements)], read: field.path.includes('.') ? read : () => nothingIsNothing(read()) };
}

/** @param {any} found */
function nothingIsNothing(found) { return found && Object.keys(found).length ? found : undefined; }

/** A group that is said or not. @param {any} context @param {any} field @param {any} value @returns {Made} */
function group(context, field, value) {
  const { app, it, send } = context;
  const { editor } = app;
  const mark = `${it.id} ${field.path}`;
  if (value !== undefined) editor.begun.delete(mark); // it is said now, until it is taken back
  const on = value !== undefined || editor.begun.has(mark);
  const needs = field.fields.some((/** @type {any} */ each) => each.needed);
  const tick = h('input', { type: 'checkbox', checked: on, data: { key: `says ${mark}` }, onchange: () => {
    if (tick.checked) editor.begun.add(mark);
    else editor.begun.delete(mark);
    if (tick.checked && needs) app.panelOnly();
    else send();
  } });
  const head = h('legend', {}, h('label', { class: 'row' }, tick, field.words));
  if (!on) return { elements: [h('fieldset', { class: 'setting-group' }, head, ...notesAt(context, field.path))], read: () => (tick.checked ? {} : undefined) };
  const made = inside(context, field, value);
  return { elements: [h('fieldset', { class: 'setting-group' }, head, ...made.elements)], read: () => (tick.checked ? made.read() ?? (needs ? undefined : {}) : undefined) };
}

/** @param {any} context @param {any} field @param {any} value @returns {Made} */
function leaf(context, field, value) {
  const { app, it, send, later } = context;
  const given = { data: { key: `setting ${it.id} ${field.path}` } };
  const wrong = (context.notes.get(field.path) || []).some((/** @type {any} */ each) => each.severity === 'error');
  const rows = (/** @type {any} */ control) => [h('label', { class: 'setting', title: field.path }, h('span', {}, field.words), control), ...notesAt(context, field.path)];
  if (field.kind === 'flag') {
    const tick = h('input', { type: 'checkbox', checked: value === true, onchange: send, ...given });
    return { elements: [h('label', { class: 'row' }, tick, field.words), ...notesAt(context, field.path)], read: () => (tick.checked ? true : undefined) };
  }
  if (field.kind === 'choice' || field.kind === 'maybe') {
    const choices = field.kind === 'maybe' ? ['yes', 'no'] : field.choices;
    const now = value === undefined ? '' : field.kind === 'maybe' ? (value ? 'yes' : 'no') : String(value);
    const list = h('select', { onchange: send, ...given }, h('option', { value: '', selected: now === '' }, field.default ? `${field.default}, as usual` : 'not said'), ...choices.map((/** @type {string} */ each) => h('option', { value: each, selected: each === now }, each)));
    return { elements: rows(list), read: () => (list.value === '' ? undefined : field.kind === 'maybe' ? list.value === 'yes' : list.value) };
  }
  const written = value === undefined ? '' : Array.isArray(value) ? value.join(', ') : typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  const names = field.kind === 'node' ? `nodes-${field.path}` : null;
  const text = h('input', { value: written, placeholder: field.needed ? 'needed' : field.default || HINTS[/** @type {keyof typeof HINTS} */ (field.kind)], spellcheck: 'false', autocomplete: 'off', list: names, 'aria-invalid': wrong ? 'true' : null, oninput: later, ...given });
  text.defaultValue = written;
  const others = names && h('datalist', { id: names }, ...app.graph.nodes.filter((/** @type {any} */ each) => each.frame === it.frame && each.id !== it.id).slice(0, 500).map((/** @type {any} */ each) => h('option', { value: each.id })));
  return { elements: [...rows(text), others], read: () => meant(field.kind, text.value.trim()) };
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
