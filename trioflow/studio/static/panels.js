// What stands beside the graph: the outline, the node that is looked at, strands, breakpoints, and what was said.

import { ask } from './api.js';
import { attempt, button } from './attempt.js';
import { grouped, h, prose, show, wayOf } from './dom.js';
import { cameOver, graphForm, nodeForm, wireForm } from './forms.js';

/** So many entries of the outline are there at once; of a longer one those are that can be seen. */
const AT_ONCE = 150;
const ROW = 27;
const BEYOND = 12;
const PROBLEMS = 25;
/** So many problems are listed at once, also if none is an error. */
const FEW = 3;
/** So many strands of a moment are listed. */
const MOST_THEN = 200;
export const TABS = { outline: 'Outline', node: 'Node', strands: 'Strands', stops: 'Breakpoints', log: 'Messages' };

/** @param {any} app @param {HTMLElement} panel */
export function showPanel(app, panel) {
  panel.setAttribute('aria-labelledby', `tab-${app.tab}`);
  ({ outline, node, strands, stops, log })[/** @type {keyof typeof TABS} */ (app.tab)](app, panel);
}

/** @param {any} app @param {string} name @param {number | null} place */
function link(app, name, place) {
  if (place === null || place === undefined) return h('span', {}, name || '');
  return h('button', { type: 'button', class: 'link', onclick: () => app.choose(place, true), data: { key: `link ${name}` } }, name);
}

// --- outline ---

/** All nodes as a tree: frames, and the nodes in them. @param {any} app @param {HTMLElement} panel */
function outline(app, panel) {
  const { nodes, frames, problems } = app.graph;
  const { counts, failed } = app.shownCounts();
  const marked = JSON.stringify([app.editing, app.graph.revision, app.selected, [...app.stopped()], nodes.length > 200 ? 0 : counts, failed, app.finding, app.hottest()]);
  show(panel, `outline ${marked}`, () => {
    const sought = app.finding.trim().toLowerCase();
    /** @type {Map<string, [any, number][]>} */
    const within = new Map();
    nodes.forEach((/** @type {any} */ node, /** @type {number} */ place) => {
      if (sought && !`${node.id} ${node.type}`.toLowerCase().includes(sought)) return;
      if (!within.has(node.frame)) within.set(node.frame, []);
      /** @type {[any, number][]} */ (within.get(node.frame)).push([node, place]);
    });
    const list = frames.map((/** @type {any} */ frame) => {
      const inside = within.get(frame.name) || [];
      const items = inside.map(([node, place], number) => () => h('li', {
        role: 'treeitem', tabindex: place === app.selected ? '0' : '-1', 'aria-selected': String(place === app.selected), 'aria-level': '2', 'aria-setsize': inside.length, 'aria-posinset': number + 1,
        class: `k-${node.kind}`, data: { place: String(place), key: `tree ${place}` }, onclick: () => app.choose(place, true),
      }, h('i', { class: 'chip' }), h('span', { class: 'name' }, node.id), h('small', {}, node.type), app.stopped().has(place) && h('span', { class: 'tag stop' }, 'stop'), app.problems.has(place) && h('span', { class: app.problems.get(place) === 'error' ? 'tag bad' : 'tag parked' }, app.problems.get(place) === 'error' ? 'problem' : 'warning'), failed[place] ? h('span', { class: 'tag bad' }, 'failed') : null, counts[place] ? h('span', { class: 'tag' }, String(counts[place])) : null));
      if (!frame.depth || (sought && !items.length)) return items;
      return [() => h('li', { role: 'treeitem', 'aria-level': '1', 'aria-expanded': 'true', class: 'frame', tabindex: '-1', 'aria-selected': 'false' }, `Graph ${frame.title}`), ...items];
    }).flat();
    const tree = grown(panel, list);
    if (app.choosing()) return [h('p', { class: 'empty' }, 'Nothing is open yet. What is opened has its nodes here.')];
    return [problems.length && nodes.length ? problemList(app) : null, ...hottest(app), nodes.length > 12 && finder(app), sought && !list.length ? h('p', { class: 'empty' }, 'No node has that in its name or type.') : nodes.length ? tree : h('p', { class: 'empty' }, app.editor.can ? 'The graph has no nodes yet. Press “Add…”, or double-click into the graph.' : 'The graph has no nodes.'), app.editing && graphForm(app)];
  });
}

/** A tree of such entries. Of a long one only those are there that are in view, and the one that has the focus. @param {HTMLElement} panel @param {(() => any)[]} list */
function grown(panel, list) {
  /** @type {Map<number, HTMLElement>} */
  const there = new Map();
  const whole = list.length <= AT_ONCE;
  const tree = h('ul', { role: 'tree', 'aria-label': 'Nodes', class: whole ? 'tree' : 'tree long' });
  const bring = (/** @type {number} */ at) => {
    let item = there.get(at);
    if (!item) {
      const made = list[at]();
      made.dataset.at = String(at);
      if (!whole) made.style.top = `${at * ROW}px`;
      there.set(at, made);
      tree.append(made);
      item = made;
    }
    return /** @type {HTMLElement} */ (item);
  };
  const fill = (/** @type {number} */ from, /** @type {number} */ to) => {
    for (const [at, item] of there) if ((at < from || at >= to) && !item.contains(document.activeElement)) {
      item.remove();
      there.delete(at);
    }
    for (let at = Math.max(0, from); at < Math.min(list.length, to); at++) bring(at);
  };
  fill(0, whole ? list.length : 4 * BEYOND);
  if (!whole) {
    tree.style.height = `${list.length * ROW}px`;
    const look = () => {
      if (!tree.isConnected) {
        panel.removeEventListener('scroll', look);
        return;
      }
      const first = Math.floor((panel.getBoundingClientRect().top - tree.getBoundingClientRect().top) / ROW);
      fill(first - BEYOND, first + Math.ceil(panel.clientHeight / ROW) + BEYOND);
    };
    panel.addEventListener('scroll', look, { passive: true });
    setTimeout(look);
  }
  tree.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => walk(event, list.length, bring));
  const first = tree.querySelector('[data-place]');
  if (first && !tree.querySelector('[tabindex="0"]')) first.tabIndex = 0;
  return tree;
}

/** Where most of the time goes, while nodes are coloured by that. @param {any} app */
function hottest(app) {
  const found = app.hottest();
  if (!found.length) return [];
  const what = !app.past ? 'Strands at a node, on average' : app.hot === 'own' ? 'Most time of their own' : 'Most time in all';
  return [h('h2', { id: 'hottest' }, what), h('ul', { class: 'hottest', 'aria-labelledby': 'hottest' }, ...found.map((/** @type {[number, string]} */ [place, words]) => h('li', {}, h('span', { class: 'grow' }, link(app, app.graph.nodes[place].id, place)), h('span', { class: 'tag' }, words))))];
}

/** A field that leaves in the outline what has a text in its name or type. @param {any} app */
function finder(app) {
  const field = h('input', { type: 'search', class: 'finding', placeholder: 'find a node (/)', 'aria-label': 'Find a node', data: { key: 'find' }, oninput: () => { app.finding = field.value; app.draw(); }, onkeydown: (/** @type {KeyboardEvent} */ event) => {
    const first = /** @type {HTMLElement | null} */ (document.querySelector('#panel .tree [data-place]'));
    if (!first || (event.key !== 'ArrowDown' && event.key !== 'Enter')) return;
    event.preventDefault();
    if (event.key === 'Enter') first.click();
    else first.focus();
  } });
  field.value = app.finding;
  return field;
}

/** Keys in a tree of so many entries; what is not a node is passed by. @param {KeyboardEvent} event @param {number} count @param {(at: number) => HTMLElement} bring */
function walk(event, count, bring) {
  const item = /** @type {HTMLElement} */ (event.target);
  const ways = /** @type {Record<string, [number, number]>} */ ({ ArrowDown: [Number(item.dataset.at) + 1, 1], ArrowUp: [Number(item.dataset.at) - 1, -1], Home: [0, 1], End: [count - 1, -1] });
  if (event.key === 'Enter' || event.key === ' ') item.click();
  else if (event.key in ways) {
    let [at, way] = ways[event.key];
    for (; at >= 0 && at < count; at += way) {
      const next = bring(at);
      if (next.dataset.place === undefined) continue;
      item.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      break;
    }
  } else return;
  event.preventDefault();
}

/** @param {any} app */
function problemList(app) {
  const { problems } = app.graph;
  const item = (/** @type {any} */ each) => h('li', { class: each.severity, title: each.path }, h('b', {}, `${each.severity}: `), link(app, each.node === null ? each.path : app.graph.nodes[each.node].id, each.node), h('p', {}, `${each.message} ${each.cure}`));
  const many = ['error', 'warning', 'info'].map((severity) => [severity, problems.filter((/** @type {any} */ each) => each.severity === severity).length]).filter(([, count]) => count);
  const counts = many.map(([severity, count]) => `${grouped(Number(count))} ${severity === 'info' ? 'to know' : `${severity}${count === 1 ? '' : 's'}`}`).join(', ');
  const list = h('ul', {}, ...problems.slice(0, PROBLEMS).map(item));
  let told = PROBLEMS;
  const more = button(`${grouped(problems.length - told)} more`, () => {
    list.append(...problems.slice(told, told + 4 * PROBLEMS).map(item));
    told += 4 * PROBLEMS;
    if (told < problems.length) more.textContent = `${grouped(problems.length - told)} more`;
    else more.remove();
  }, { class: 'small', data: { key: 'more problems' } });
  // Many that are no errors would push away what is below them.
  const bad = problems.some((/** @type {any} */ each) => each.severity === 'error');
  return h('details', { class: 'problems', open: bad || problems.length <= FEW, data: { key: `problems ${bad}` } }, h('summary', { data: { key: 'open problems' } }, h('h2', {}, `Problems: ${counts}`)), list, problems.length > told ? more : null);
}

// --- the node ---

/** @param {any} app @param {HTMLElement} panel */
function node(app, panel) {
  const place = app.selected;
  const { state, graph, peeked } = app;
  const { counts, failed } = app.shownCounts();
  const stop = app.stopsAt(place);
  const failure = state.failure && state.failure.node === place ? state.failure : null;
  const outcomes = app.past ? {} : state.outcomes[place] || {};
  const way = app.past ? null : state.progress[place];
  const times = app.past && app.past.timesOf(place);
  const key = JSON.stringify([[...app.evaluated], way, times, outcomes, state.policies[place], app.editing, app.graph.revision, app.wire, graph.wires[app.wire] && [cameOver(app, app.wire), app.stopsOn(graph.wires[app.wire])], app.editing && [app.editor.form, app.editor.refused, app.editor.draft && [app.editor.draft.turn, ...app.editor.draft.said.keys()]], place, app.strand, counts[place], failed[place], stop, peeked, failure, app.canPeek(), state.parked.length, state.strands.map((/** @type {any} */ each) => each.number), app.isLive(), app.past && app.moment]);
  show(panel, `node ${key}`, () => {
    if (graph.wires[app.wire]) return [...wireForm(app, { ...graph.wires[app.wire], number: app.wire }), ...(graph.wires[app.wire].control && !graph.wires[app.wire].undo ? wireStop(app, graph.wires[app.wire]) : [])];
    if (place < 0) return [h('p', { class: 'empty' }, 'Choose a node: in the graph, or in the outline. Then its inputs and outputs are here, and its breakpoint.')];
    const it = graph.nodes[place];
    const problems = graph.problems.filter((/** @type {any} */ each) => each.node === place);
    if (app.editing && !app.isLive()) return [...nodeForm(app, it, place), ...stopControls(app, place, stop)];
    return [
      h('h2', {}, it.id),
      h('p', { class: 'soft' }, it.type, ...(it.doc ? prose(`. ${it.doc}`) : [])),
      it.calls !== null && h('div', { class: 'row' }, button('Open the graph that it calls', () => app.enter(place), { class: 'small', data: { key: 'enter' }, title: 'In a tab of its own (O)' })),
      h('p', {}, counts[place] ? `Ran ${grouped(counts[place])} ${counts[place] === 1 ? 'time' : 'times'}` : 'Has not run', app.past && failed[place] ? `, failed ${grouped(failed[place])}` : '', ...Object.entries(outcomes).map(([what, many]) => `, ${what} ${grouped(many)}`), '.', !app.past && state.policies[place] ? ` Now: ${state.policies[place]}.` : ''),
      way && h('p', {}, wayOf(way, app.isLive())),
      times && h('p', {}, times),
      ...problems.map((/** @type {any} */ each) => h('p', { class: `note ${each.severity}` }, `${each.message} ${each.cure}`)),
      failure && h('p', { class: 'note error' }, failure.lines.join('\n'), failure.inputs ? `\nwith ${failure.inputs}` : ''),
      ...stopControls(app, place, stop),
      ...inspected(app, it),
    ];
  });
}

/** @param {any} app @param {number} place @param {any} stop */
function stopControls(app, place, stop) { return breakpoint(app, stop, () => attempt(ask('unbreak', { id: stop.id })), (condition) => app.toggleStop(place, condition)); }

/** @param {any} app @param {any} wire */
function wireStop(app, wire) { return breakpoint(app, app.stopsOn(wire)[0], () => app.toggleWireStop(wire), (condition) => app.toggleWireStop(wire, condition)); }

/** A breakpoint that is there, or a field to set one. @param {any} app @param {any} stop @param {() => void} remove @param {(condition: string) => void} set */
function breakpoint(app, stop, remove, set) {
  if (app.graph.readOnly) return [];
  if (stop) return [h('div', { class: 'row' }, h('span', { class: 'grow' }, `Breakpoint ${stop.id}${stop.condition ? ` if ${stop.condition}` : ''}, hit ${stop.hits}`), button('Remove breakpoint', remove, { data: { key: 'unbreak' } }))];
  const condition = h('input', { 'aria-label': 'Condition of the breakpoint', placeholder: 'always, or: hits > 3', data: { key: 'condition' } });
  return [h('form', { class: 'row', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); set(condition.value); } }, condition, h('button', { data: { key: 'break' } }, 'Set breakpoint'))];
}

/** @param {any} app @param {any} it */
function inspected(app, it) {
  const { peeked, state } = app;
  if (app.past) return [...then(app), ...literals(it)];
  if (!app.isLive()) return literals(it);
  const strands = h('select', { 'aria-label': 'Strand', data: { key: 'strand' }, onchange: (/** @type {any} */ event) => app.chooseStrand(Number(event.target.value)) }, ...state.strands.map((/** @type {any} */ each) => h('option', { value: String(each.number), selected: each.number === app.strand }, `strand ${each.number} at ${placeOf(each.name)}`)));
  const head = h('p', { class: 'row' }, h('span', { class: 'label' }, 'As seen by'), strands);
  if (!state.strands.length) return literals(it);
  if (!peeked || peeked.error) return [head, h('p', { class: 'soft' }, peeked ? peeked.error : 'Looking …'), ...literals(it)];
  const cell = (/** @type {any} */ seen) => [h('code', {}, seen.value === null ? '' : seen.value), h('small', {}, seen.value === null ? seen.kind : seen.kind === 'value' ? '' : ` ${seen.kind}`)];
  const parked = state.parked.some((/** @type {any} */ each) => each.strand === app.strand);
  const prefix = peeked.node.slice(0, peeked.node.lastIndexOf('/') + 1);
  const short = peeked.node.slice(prefix.length);
  const watch = (/** @type {string} */ name, /** @type {string} */ what) => h('span', {}, name, app.watch.button(what));
  return [head,
    table('Inputs', peeked.inputs.map((/** @type {any} */ each) => [watch(each.name, `${short}.${each.name}`), h('span', {}, ...cell(each), each.wire ? h('small', { class: 'from' }, ` from ${each.wire.split(' -> ')[0]}`) : '')])),
    table('Outputs', peeked.outputs.map((/** @type {any} */ each) => [watch(each.name, `${short}.${each.name}`), h('span', {}, ...cell(each), app.evaluated.has(`${peeked.node}.${each.name}`) ? h('code', { class: 'evaluated' }, app.evaluated.get(`${peeked.node}.${each.name}`)) : null, each.kind !== 'value' && !app.graph.readOnly ? button('evaluate', () => app.evaluate(peeked.node, each.name), { class: 'small', data: { key: `evaluate ${each.name}` }, title: 'Compute it as this strand would get it now; nothing is written' }) : null)])),
    table('Variables', peeked.variables.map((/** @type {any} */ each) => [watch(each.name, each.name), parked && !app.graph.readOnly ? setter(app, prefix, each) : h('code', {}, each.value)])),
    table('What it keeps for this strand', peeked.state.map((/** @type {any} */ each) => [each.name, h('code', {}, each.value)])),
  ];
}

/** @param {any} app @param {string} prefix @param {any} variable */
function setter(app, prefix, variable) {
  const text = /^'(.*)'$/s.exec(variable.value);
  const field = h('input', { value: text ? text[1] : variable.value, 'aria-label': `Value of ${variable.name}`, data: { key: `set ${variable.name}` } });
  field.defaultValue = field.value;
  return h('form', { class: 'row', onsubmit: async (/** @type {Event} */ event) => { event.preventDefault(); const value = field.value; field.defaultValue = value; await attempt(ask('set', { strand: app.strand, name: prefix + variable.name, value })); app.look(); } }, field, h('button', { class: 'small' }, 'set'));
}

/** What was known at the moment that is looked back on. @param {any} app */
function then(app) {
  const { past, moment } = app;
  const end = past.endOf(app.selected, moment);
  const variables = past.variables(moment);
  return [
    end >= 0 && h('div', { class: `note${past.kindOf(end).endsWith('Failed') ? ' error' : ''}` }, h('b', {}, past.told(end).words), ` at event ${grouped(end + 1)}`, h('p', {}, h('code', {}, past.head.notes[end]))),
    variables.length ? table('Variables then, as last written', variables.map((/** @type {[string, string]} */ [name, text]) => [name, h('code', {}, text)])) : null,
  ];
}

/** @param {any} it */
function literals(it) {
  return [table('Inputs', it.inputs.filter((/** @type {any} */ each) => !each.control).map((/** @type {any} */ each) => [each.name, h('span', {}, h('small', {}, each.type), ' ', each.text.includes(' = ') ? h('code', {}, each.text.split(' = ').slice(1).join(' = ')) : each.wired ? h('small', {}, ' wired') : h('small', {}, ' not wired'))])),
    table('Outputs', it.outputs.map((/** @type {any} */ each) => [each.name, h('small', {}, each.control ? 'control' : each.type)]))];
}

/** @param {string} title @param {[any, any][]} rows */
function table(title, rows) {
  if (!rows.length) return null;
  return h('table', {}, h('caption', {}, title), h('tbody', {}, ...rows.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value)))));
}

// --- strands ---

/** Where a strand is, in words: one that waits for all that a workflow does is at none of its nodes. @param {string} name */
export function placeOf(name) { return name.replace(/<scope>$/, 'the workflow'); }

/** @param {any} app @param {HTMLElement} panel */
function strands(app, panel) {
  const { state } = app;
  if (app.past) {
    strandsThen(app, panel);
    return;
  }
  const listed = app.frame === null ? state.strands : state.strands.filter((/** @type {any} */ each) => each.node !== null && app.graph.nodes[each.node]?.frame === app.frame);
  show(panel, `strands ${JSON.stringify([listed, state.strands.length, state.parked, app.strand, app.frame, state.alive, app.overTime, app.lanes.looks.length > 0 && !app.past])}`, () => {
    const head = app.lanes.looks.length && !app.past ? h('div', { class: 'row end' }, button('Over time', () => { app.overTime = !app.overTime; app.redraw(); }, { class: 'small', 'aria-pressed': String(app.overTime), data: { key: 'over time' }, title: 'Show below the graph where each strand was since the run began' })) : null;
    if (!state.strands.length) return [head, h('p', { class: 'empty' }, 'No strand is anywhere. While a run goes on, this says where each sequential line of control is.')];
    const wires = new Map(state.parked.map((/** @type {any} */ each) => [each.strand, each]));
    const elsewhere = state.strands.length - listed.length;
    return [head, app.frame !== null && h('p', { class: 'soft' }, `${listed.length || 'No'} ${listed.length === 1 ? 'strand is' : 'strands are'} in ${app.titleOf(app.frame)}.`), h('ul', { class: 'list strands' }, ...listed.map((/** @type {any} */ each) => {
      const parked = wires.get(each.number);
      const made = h('li', { class: each.number === app.strand ? 'chosen' : '' },
        h('button', { type: 'button', class: 'link', 'aria-pressed': String(each.number === app.strand), data: { key: `strand ${each.number}` }, onclick: () => { app.chooseStrand(each.number); if (each.node !== null) app.choose(each.node, true); } }, `strand ${each.number}`),
        ' ', h('span', { class: `tag ${each.state}` }, each.state), ' at ', h('b', {}, placeOf(each.name)), h('small', {}, ` ${each.path}`), parked?.wire && h('small', {}, ` over ${parked.wire}`), parked?.error && h('p', { class: 'note error' }, parked.error));
      // A strand hangs below the one that it was forked from, whose path is the beginning of its own.
      made.style.setProperty('--deep', String(Math.min(8, state.strands.filter((/** @type {any} */ other) => each.path.startsWith(`${other.path}.`)).length)));
      return made;
    })), elsewhere > 0 && h('p', {}, `${elsewhere} more in other graphs. `, button('All graphs', () => app.openFrame(null), { class: 'link', data: { key: 'all graphs' } })), state.alive > state.strands.length && h('p', { class: 'soft' }, `The first ${state.strands.length} of ${state.alive} strands.`)];
  });
}

/** The strands at the moment that is looked back on, and the node that each was at. @param {any} app @param {HTMLElement} panel */
function strandsThen(app, panel) {
  const there = app.past.standing(app.moment);
  show(panel, `strands then ${JSON.stringify(there)}`, () => (there.length ? [h('p', { class: 'soft' }, 'At this moment.'), h('ul', { class: 'list' }, ...there.slice(0, MOST_THEN).map((/** @type {any} */ { strand, place }) => h('li', {}, `strand ${strand} at `, link(app, app.graph.nodes[place].id, place)))), there.length > MOST_THEN && h('p', { class: 'soft' }, `The first ${MOST_THEN} of ${grouped(there.length)} strands.`)] : [h('p', { class: 'empty' }, 'At this moment no strand was at a node. Below the graph is where each was, and when.')]));
}

// --- breakpoints ---

/** @param {any} app @param {HTMLElement} panel */
function stops(app, panel) {
  const { breakpoints } = app.state;
  show(panel, `stops ${JSON.stringify(breakpoints)}`, () => {
    const failures = breakpoints.find((/** @type {any} */ each) => each.kind === 'failure');
    const kinds = h('select', { 'aria-label': 'Where to stop', data: { key: 'kind', keep: '' } }, h('option', { value: 'wire' }, 'wire'), h('option', { value: 'node' }, 'node or types'), h('option', { value: 'value' }, 'value written'));
    const place = h('input', { 'aria-label': 'Place', placeholder: 'a.then -> b.enter', data: { key: 'place' } });
    const condition = h('input', { 'aria-label': 'Condition', placeholder: 'if (optional): total > 3', data: { key: 'if' } });
    const telling = h('input', { type: 'checkbox', data: { key: 'log', keep: '' } });
    return [
      app.graph.readOnly ? null : h('label', { class: 'row' }, h('input', { type: 'checkbox', checked: Boolean(failures), data: { key: 'failures' }, onchange: () => attempt(failures ? ask('unbreak', { id: failures.id }) : ask('break', { failure: true })) }), 'Stop where a node fails'),
      breakpoints.length ? h('ul', { class: 'list' }, ...breakpoints.map((/** @type {any} */ each) => h('li', { class: 'row' },
        h('input', { type: 'checkbox', checked: each.enabled, disabled: app.graph.readOnly, 'aria-label': `${each.id} counts`, data: { key: `on ${each.id}` }, onchange: (/** @type {any} */ event) => attempt(ask('enable', { id: each.id, on: event.target.checked })) }),
        h('span', { class: 'grow' }, h('b', {}, each.on), each.condition ? ` if ${each.condition}` : '', h('small', {}, ` ${each.id}, ${each.log ? 'told' : 'hit'} ${each.hits}`)), app.graph.readOnly ? null : button('remove', () => attempt(ask('unbreak', { id: each.id })), { class: 'small', 'aria-label': `Remove ${each.id}`, data: { key: `no ${each.id}` } })))) : h('p', { class: 'empty' }, 'No breakpoint is set. Choose a node, or a wire of control, and press “Set breakpoint”, or F9.'),
      app.graph.readOnly ? null : h('form', { class: 'stack', onsubmit: async (/** @type {Event} */ event) => { event.preventDefault(); const done = await attempt(ask('break', { [kinds.value]: place.value, condition: condition.value || null, log: telling.checked })); if (done) /** @type {HTMLFormElement | null} */ (document.querySelector('#panel form.stack'))?.reset(); } }, h('h2', {}, 'Another one'), h('div', { class: 'row' }, kinds, place), condition, h('label', { class: 'row' }, telling, 'Tell it in the messages, and go on'), h('button', {}, 'Set')),
    ];
  });
}

// --- messages ---

/** @param {any} app @param {HTMLElement} panel */
function log(app, panel) {
  const { messages, variables, failure } = app.state;
  show(panel, `log ${messages.length} ${messages.at(-1)?.n} ${JSON.stringify([variables, failure, app.graph.problems.length])}`, () => [
    app.graph.problems.length && !app.choosing() ? problemList(app) : null,
    failure && h('div', { class: 'note error' }, h('b', {}, 'The run failed'), failure.name ? h('span', {}, ' at ', link(app, failure.name, failure.node), ` (${failure.type}), activation ${failure.path}`) : '', ...failure.lines.map((/** @type {string} */ each) => h('p', {}, each)), failure.inputs ? h('p', {}, `with ${failure.inputs}`) : null),
    variables && Object.keys(variables).length ? table('Variables at the end', Object.entries(variables).map(([name, value]) => [name, h('code', {}, value)])) : null,
    messages.length ? h('ul', { class: 'list' }, ...[...messages].reverse().map((/** @type {any} */ each) => h('li', { class: each.kind.includes('Failed') ? 'bad' : '' }, h('small', {}, each.time === null ? '' : `${each.time.toFixed(3)} s `), each.name ? link(app, placeOf(each.name), each.node) : null, ' ', each.text))) : h('p', { class: 'empty' }, 'Nothing was said yet. Failures, progress, feedback of nodes and breakpoints that were hit are listed here.'),
  ]);
}
