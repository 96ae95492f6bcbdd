// What can be filled in while the graph is edited: a node's inputs, a wire's terms, the graph's variables. What is typed is
// checked at once: problems stand below the field that they are about.

import { ask_ } from './edit.js';
import { button } from './attempt.js';
import { grouped, h, prose } from './dom.js';
import { settingsForm } from './settings.js';
import { soon } from './typed.js';

const ON = ['completed', 'failed', 'ended', 'exhausted', 'next', 'progress'];

/** A field that keeps what is typed when all around it is made anew. @param {string} value @param {any} given */
function field(value, given) {
  const made = h('input', { spellcheck: 'false', autocomplete: 'off', value, ...given });
  made.defaultValue = value;
  return made;
}

/** @param {any} app @param {any} it @param {number} place */
export function nodeForm(app, it, place) {
  const { editor, graph } = app;
  const form = editor.form;
  const where = editor.graphAt(place);
  if (where === null) return [h('p', { class: 'soft' }, 'This graph stands in another file, or in a program. Open that to edit it.')];
  if (!form || form.id !== it.id) return [h('p', { class: 'soft' }, 'Looking …')];
  const problems = graph.problems.filter((/** @type {any} */ each) => each.node === place);
  const id = field(it.id, { 'aria-label': 'Id of the node', data: { key: 'id' } });
  const rename = async () => {
    const wanted = id.value.trim();
    if (wanted && wanted !== it.id && (await editor.do([{ edit: 'rename', node: it.id, id: wanted, graph: where }]))) app.chooseBy(where, wanted);
  };
  id.addEventListener('change', rename);
  const pin = (/** @type {string} */ side, /** @type {any} */ each) => ({ node: place, side, name: each.name, control: each.control, type: each.type });
  const wires = (/** @type {string} */ side, /** @type {string} */ name) => graph.wires.map((/** @type {any} */ each, /** @type {number} */ number) => ({ ...each, number })).filter((/** @type {any} */ each) => !each.undo && (side === 'in' ? each.to === place && each.input === name : each.from === place && each.output === name));
  const wired = (/** @type {string} */ side, /** @type {string} */ name) => wires(side, name).map((/** @type {any} */ each) => {
    const other = side === 'in' ? `${graph.nodes[each.from].id}.${each.output}` : `${graph.nodes[each.to].id}.${each.input}`;
    return h('div', { class: 'row' }, button(`${side === 'in' ? '←' : '→'} ${other}`, () => app.chooseWire(each.number), { class: 'link grow', data: { key: `wire ${side} ${name} ${other}` } }), button('×', () => editor.disconnect(each), { class: 'small', 'aria-label': `Remove the wire between ${name} and ${other}`, data: { key: `cut ${side} ${name} ${other}` } }));
  });
  const connect = (/** @type {string} */ side, /** @type {any} */ each) => button('connect…', () => editor.connectTo(pin(side, each)), { class: 'small', 'aria-label': `Connect ${each.name}`, data: { key: `connect ${side} ${each.name}` } });
  const inputs = form.inputs.map((/** @type {any} */ each) => {
    const drawn = it.inputs.find((/** @type {any} */ pinned) => pinned.name === each.name) || { name: each.name, control: false, type: each.type };
    const has = wires('in', each.name).length > 0;
    const about = problems.filter((/** @type {any} */ problem) => problem.path.endsWith(`.inputs.${each.name}`) || problem.path.endsWith(`.inputs["${each.name}"]`) || problem.message.includes(`'${each.name}'`) || problem.message.includes(`${it.id}.${each.name}`));
    const text = field(each.text ?? '', { 'aria-label': `Value of ${each.name}`, placeholder: each.default === null ? 'needed' : each.default, list: each.choices ? `choices-${each.name}` : null, data: { key: `literal ${each.name}` }, 'aria-invalid': about.some((/** @type {any} */ problem) => problem.severity === 'error') ? 'true' : null });
    const send = () => editor.do([{ edit: 'input', node: it.id, input: each.name, text: text.value === '' && each.type !== 'str' ? null : text.value, graph: where }], `input ${it.id} ${each.name} ${editor.turn}`);
    text.addEventListener('input', soon(send));
    return h('div', { class: 'socket' },
      h('div', { class: 'row' }, h('span', { class: 'grow', title: each.doc || null }, h('b', {}, each.name), h('small', {}, ` ${each.type}`)), connect('in', drawn)),
      ...wired('in', each.name),
      has ? null : h('div', { class: 'row' }, text, each.text === null ? null : button('×', () => editor.do([{ edit: 'input', node: it.id, input: each.name, text: null, graph: where }]), { class: 'small', 'aria-label': `Without a value for ${each.name}`, data: { key: `clear ${each.name}` } })),
      each.choices ? h('datalist', { id: `choices-${each.name}` }, ...each.choices.map((/** @type {string} */ choice) => h('option', { value: choice }))) : null,
      ...about.map((/** @type {any} */ problem) => h('p', { class: `note ${problem.severity}` }, `${problem.message} ${problem.cure}`)),
      each.names === 'variable' && each.text && !each.choices.includes(each.text) ? button(`Declare the variable ${each.text}`, () => editor.do([{ edit: 'variable', name: each.text, graph: where }]), { class: 'small', data: { key: `declare ${each.name}` } }) : null,
      ...(each.names === 'variable' && where === '' ? graph.variables.filter((/** @type {any} */ one) => one.name === each.text).map((/** @type {any} */ one) => h('div', {}, ...variableFields(app, one))) : []));
  });
  const control = it.inputs.filter((/** @type {any} */ each) => each.control);
  const outputs = [...it.outputs].filter((/** @type {any} */ each) => each.name);
  const said = new Set(form.inputs.flatMap((/** @type {any} */ each) => problems.filter((/** @type {any} */ problem) => problem.path.endsWith(`.inputs.${each.name}`) || problem.message.includes(`'${each.name}'`) || problem.message.includes(`${it.id}.${each.name}`))));
  const settings = settingsForm(app, it, where, problems);
  for (const each of settings.told) said.add(each);
  const beyond = Object.keys(form.settings).some((each) => !form.sections.some((/** @type {string} */ name) => editor.fields?.[name].some((/** @type {any} */ field) => field.path === each)));
  const more = h('textarea', { 'aria-label': 'More of the node, as JSON', rows: '4', spellcheck: 'false', data: { key: `settings ${it.id}` } }, JSON.stringify(form.settings, null, 1) === '{}' ? '{}' : JSON.stringify(form.settings, null, 1));
  return [
    h('div', { class: 'row' }, id, button('Duplicate', () => editor.duplicate(), { class: 'small', data: { key: 'duplicate' }, title: 'Ctrl+D' }), button('Delete', () => editor.remove(), { class: 'small', data: { key: 'delete' }, title: 'Delete' })),
    h('p', { class: 'soft' }, it.type, ...(it.doc ? prose(`. ${it.doc}`) : [])),
    it.calls === null ? null : h('div', { class: 'row' }, button('Open the graph that it calls', () => app.enter(place), { class: 'small', data: { key: 'enter' }, title: 'In a tab of its own (O)' })),
    ...problems.filter((/** @type {any} */ each) => !said.has(each)).map((/** @type {any} */ each) => h('p', { class: `note ${each.severity}` }, `${each.message} ${each.cure}`)),
    control.length ? h('h2', { class: 'minor' }, 'Control in') : null,
    ...control.map((/** @type {any} */ each) => h('div', { class: 'socket' }, h('div', { class: 'row' }, h('b', { class: 'grow' }, each.name), connect('in', each)), ...wired('in', each.name))),
    inputs.length ? h('h2', { class: 'minor' }, 'Inputs') : null,
    ...inputs,
    outputs.length ? h('h2', { class: 'minor' }, 'Outputs') : null,
    ...outputs.map((/** @type {any} */ each) => h('div', { class: 'socket' }, h('div', { class: 'row' }, h('span', { class: 'grow' }, h('b', {}, each.name), h('small', {}, each.control ? ' control' : ` ${each.type}`)), connect('out', each)), ...wired('out', each.name))),
    ...settings.elements,
    h('details', { open: beyond, data: { key: `more ${it.id}` } }, h('summary', { data: { key: 'more' } }, 'All of it, as JSON'), h('p', { class: 'soft' }, 'What a document says of a node beyond its inputs, such as {"policy": {"retry": 3}}.'), more, h('div', { class: 'row end' }, button('Set', () => setJson(more.value, (settings) => editor.do([{ edit: 'settings', node: it.id, settings, graph: where }])), { class: 'small', data: { key: 'set settings' } }))),
  ];
}

/** @param {string} text @param {(value: any) => void} then */
function setJson(text, then) {
  try {
    then(JSON.parse(text || '{}'));
  } catch (error) {
    ask_('This is no JSON', [h('p', {}, error instanceof Error ? error.message : '')], 'Back', () => {});
  }
}

/** @param {any} app @param {any} wire */
export function wireForm(app, wire) {
  const { editor, graph } = app;
  const [from, to] = [graph.nodes[wire.from], graph.nodes[wire.to]];
  const head = [h('h2', {}, 'Wire'), h('p', {}, button(`${from.id}${wire.output ? `.${wire.output}` : ''}`, () => app.choose(wire.from, true), { class: 'link', data: { key: 'from' } }), ' → ', button(`${to.id}${wire.input ? `.${wire.input}` : ''}`, () => app.choose(wire.to, true), { class: 'link', data: { key: 'to' } })), h('p', { class: 'soft' }, wire.control ? 'control' : wire.type)];
  if (!app.editing) return [...head, wire.terms ? h('p', {}, wire.terms) : null, h('p', { 'aria-live': 'off' }, cameOver(app, wire.number))];
  const remove = button('Delete', () => editor.disconnect(wire), { data: { key: 'delete wire' }, title: 'Delete' });
  const { form } = editor;
  const frame = graph.frames.find((/** @type {any} */ each) => each.name === from.frame);
  if (!form || form.id !== undefined || !wire.control || frame.kind !== 'workflow') return [...head, remove];
  const when = field(form.when ?? '', { 'aria-label': 'Taken when', placeholder: 'always, or: vars.total > 3', data: { key: 'when' } });
  const on = h('select', { 'aria-label': 'On', data: { key: 'on' } }, ...ON.map((each) => h('option', { value: each, selected: [form.on ?? 'completed'].flat().includes(each) }, each)));
  const otherwise = h('input', { type: 'checkbox', checked: Boolean(form.else), data: { key: 'else' } });
  const enabled = h('input', { type: 'checkbox', checked: form.enabled !== false, data: { key: 'enabled' } });
  const send = () => {
    const { when: _w, on: _o, else: _e, enabled: _n, ...rest } = form;
    const settings = { ...rest, ...(when.value.trim() ? { when: when.value } : {}), ...(on.value === 'completed' ? {} : { on: on.value }), ...(otherwise.checked ? { else: true } : {}), ...(enabled.checked ? {} : { enabled: false }) };
    return editor.do([{ edit: 'wire', ...ends_(graph, wire), settings, graph: frame.graph }], `wire ${from.id} ${to.id} ${editor.turn}`).then(() => app.chooseWire(wire.number ?? app.graph.wires.findIndex((/** @type {any} */ each) => each.name === wire.name)));
  };
  when.addEventListener('input', soon(send));
  for (const each of [on, otherwise, enabled]) each.addEventListener('change', send);
  return [...head, h('div', { class: 'stack' }, h('label', { class: 'stack' }, 'Taken when', when), h('label', { class: 'row' }, 'where the source has', on), h('label', { class: 'row' }, otherwise, 'where no other condition held'), h('label', { class: 'row' }, enabled, 'enabled'), h('div', {}, remove))];
}

/** How much has come over a wire, in words. @param {any} app @param {number} wire */
export function cameOver(app, wire) {
  const count = app.past ? 0 : app.state.flow[wire] || 0;
  if (!count) return app.past ? '' : 'Nothing has come over it yet.';
  const sampled = app.state.watching === 'glance';
  const rate = app.isLive() && !app.state.reason && !sampled ? app.scene.rateOf(wire) : 0;
  return `Something came over it ${grouped(count)} ${count === 1 ? 'time' : 'times'}${sampled ? ' in what was sampled' : ''}${rate >= 1 ? `, now about ${grouped(Math.round(rate))} a second` : ''}.`;
}

/** @param {any} graph @param {any} wire */
const ends_ = (graph, wire) => ({ source: [graph.nodes[wire.from].id, wire.output], target: [graph.nodes[wire.to].id, wire.input] });

/** The type of a variable, its start value, and how it is merged. @param {any} app @param {any} each @param {any} [more] */
function variableFields(app, each, more) {
  const { editor, graph } = app;
  const written = each.default === null ? '' : typeof each.default === 'string' ? each.default : JSON.stringify(each.default);
  const value = field(written, { 'aria-label': `Start value of ${each.name}`, placeholder: 'null', data: { key: `default ${each.name}` } });
  const type = h('select', { 'aria-label': `Type of ${each.name}`, title: 'Its type', data: { key: `type ${each.name}` } }, ...graph.types.map((/** @type {string} */ name) => h('option', { value: name, selected: name === each.type }, name)));
  const merge = h('select', { 'aria-label': `Merging ${each.name}`, title: 'How concurrent writes are merged', data: { key: `merge ${each.name}` } }, ...graph.merges.map((/** @type {string} */ name) => h('option', { value: name, selected: name === each.merge }, name)));
  const send = () => editor.do([{ edit: 'variable', name: each.name, type: type.value, default: value.value, merge: merge.value }], `variable ${each.name}`);
  value.addEventListener('input', soon(send));
  for (const one of [type, merge]) one.addEventListener('change', send);
  return [h('div', { class: 'row' }, more ? h('b', { class: 'grow' }, each.name) : h('span', { class: 'grow soft' }, `${each.name} begins as`), more ? type : value, more), h('div', { class: 'row' }, more ? value : type, merge)];
}

/** What the graph declares, below the outline. @param {any} app */
export function graphForm(app) {
  const { editor, graph } = app;
  const kind = h('select', { 'aria-label': 'Kind of the graph', data: { key: 'graph kind' }, onchange: () => editor.do([{ edit: 'kind', kind: kind.value }]) }, h('option', { value: 'graph', selected: graph.kind === 'graph' }, 'graph: nodes call'), h('option', { value: 'workflow', selected: graph.kind === 'workflow' }, 'workflow: wires carry tokens'));
  const row = (/** @type {any} */ each) => h('div', { class: 'socket' }, ...variableFields(app, each, button('×', () => editor.do([{ edit: 'drop variable', name: each.name }]), { class: 'small', 'aria-label': `Remove the variable ${each.name}`, data: { key: `drop ${each.name}` } })));
  const name = field('', { 'aria-label': 'Name of another variable', placeholder: 'another variable', data: { key: 'variable' } });
  return h('section', { class: 'declared' }, h('h2', { class: 'minor' }, 'Graph'), h('div', { class: 'row' }, kind, button('Arrange', () => editor.do([{ edit: 'arrange' }]), { class: 'small', data: { key: 'arrange' }, title: 'Lay the graph out anew' })), h('h2', { class: 'minor' }, 'Variables'), ...graph.variables.map(row),
    h('form', { class: 'row', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); if (name.value.trim()) editor.do([{ edit: 'variable', name: name.value.trim() }]); name.value = ''; } }, name, h('button', { class: 'small', data: { key: 'add variable' } }, 'Add')));
}
