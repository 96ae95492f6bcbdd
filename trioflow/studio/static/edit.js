// Editing: what a person does to the graph, asked of the server, which answers with the graph as it is then.

import { ask, getCatalogue, getSettings } from './api.js';
import { h, say } from './dom.js';
import { attempt, button } from './attempt.js';
import { pick } from './picker.js';
import { sendTyped } from './typed.js';

const GRID = 20;
/** About as wide is a node. */
const WIDE = 110;
/** What most graphs begin with, and the types that most graphs have some of. */
const FIRST = 'flow.start';
const COMMON = ['flow', 'variable', 'debug', 'logic', 'math', 'text', 'list', 'dict', 'http', 'time'];

export class Editor {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    /** What can be filled in at the chosen node or wire. @type {any} */
    this.form = null;
    this.formOf = '';
    /** The fields of what else can be said of a node, by section. @type {any} */
    this.fields = null;
    /** What was refused of the node that is filled in. @type {{node: string, problems: [string, string][]} | null} */
    this.refused = null;
    /** What a person says of a node, until the graph has it: by path; how often that has changed; and how often when it was sent, with the revision that has it. @type {{node: string, said: Map<string, {value: any, raw: string}>, turn: number, sent: number, revision: number} | null} */
    this.draft = null;
    /** One after the other. @type {Promise<void>} */
    this.settling = Promise.resolve();
    /** The node types that there are, once they were asked for. @type {Promise<any[]> | null} */
    this.types = null;
    /** Texts being typed are one step each; this tells one field's from the next time it is used. */
    this.turn = 0;
    /** What was copied last. @type {string} */
    this.copied = '';
  }

  get can() {
    const { graph } = this.app;
    return Boolean(graph) && !graph.readOnly && !graph.attached;
  }

  // --- asking ---

  /** Change the graph by some edits, as one step. @param {any[]} edits @param {string} [typing] */
  async do(edits, typing) {
    if (!typing) await sendTyped();
    if (this.app.isLive()) {
      say('A run is going on. Cancel it, or wait until it has ended.');
      return undefined;
    }
    const found = await attempt(ask('edit', typing ? { edits, typing } : { edits }));
    if (!found) await this.app.reload(); // what was moved on the screen goes back
    else await this.app.upTo(found.revision);
    return found;
  }

  /** What a person says of a node now, and the graph does not have yet. @param {string} node */
  saidOf(node) { return this.draft?.node === node ? this.draft.said : new Map(); }

  /** A person says something else of a node. @param {string} node @param {string} path @param {any} value @param {string} raw */
  says(node, path, value, raw) {
    if (this.draft?.node !== node) this.draft = { node, said: new Map(), turn: 0, sent: -1, revision: 0 };
    const { said } = this.draft;
    said.set(path, { value, raw });
    if (value === undefined) for (const each of [...said.keys()]) if (each.startsWith(`${path}.`)) said.delete(each);
    this.draft.turn++;
  }

  /**
   * Change the graph by what a person says of a node. What is wrong with it is told at its fields.
   * @param {string} node @param {string} graph @param {(settings: any, said: Map<string, any>) => any} make
   */
  settle(node, graph, make) { return (this.settling = this.settling.then(() => this.settleNow(node, graph, make))); }

  /** @param {string} node @param {string} graph @param {(settings: any, said: Map<string, any>) => any} make */
  async settleNow(node, graph, make) {
    const { draft, form } = this;
    if (!draft || draft.node !== node || form?.id !== node) return;
    const { turn } = draft;
    const settings = make(form.settings, draft.said);
    try {
      const found = await ask('edit', { edits: [{ edit: 'settings', node, settings, graph }], typing: `settings ${node} ${this.turn}` });
      this.refused = null;
      [draft.sent, draft.revision] = [turn, found.revision];
      await this.app.upTo(found.revision);
    } catch (error) {
      const { message, problems } = /** @type {any} */ (error);
      this.refused = problems?.length ? { node, problems } : null;
      if (!problems?.length) say(message);
    }
    this.app.panelOnly();
  }

  async undo() { await sendTyped(); if (await attempt(ask('undo').then((found) => say(found.label ? `undone: ${found.label}` : 'There is nothing to undo.')).then(() => true))) await this.app.upTo(); }

  async redo() { await sendTyped(); if (await attempt(ask('redo').then((found) => say(found.label ? `done again: ${found.label}` : 'There is nothing to do again.')).then(() => true))) await this.app.upTo(); }

  /** @param {boolean} [anyway] @param {string} [name] */
  async save(anyway = false, name = undefined) {
    await sendTyped();
    const { document: doc } = this.app.state;
    if (name === undefined && !(doc && doc.file)) {
      this.askName();
      return;
    }
    try {
      const found = await ask('save', name === undefined ? { anyway } : { anyway, name });
      say(`saved ${found.file}`);
      if (name !== undefined) await this.app.reload();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (/save anyway/i.test(words) && !anyway) this.askAnyway(words);
      else say(words);
    }
  }

  askName() {
    const field = h('input', { 'aria-label': 'Name of the file', value: 'graph.json', spellcheck: 'false' });
    ask_(`Save as`, [h('p', { class: 'soft' }, 'A new file in the folder that the studio was started in: .json or .yaml.'), field], 'Save', () => this.save(false, field.value.trim()));
  }

  /** @param {string} words */
  askAnyway(words) { ask_('Save anyway?', [h('p', {}, words)], 'Save anyway', () => this.save(true)); }

  async takeFile() { if ((await attempt(ask('take file').then(() => true)))) await this.app.reload(); }

  // --- nodes ---

  /** The graph of the document that a node stands in, null if it stands elsewhere. @param {number} place */
  graphAt(place) {
    const { graph } = this.app;
    const frame = place < 0 ? (this.app.frame ?? '') : graph.nodes[place].frame;
    return graph.frames.find((/** @type {any} */ each) => each.name === frame).graph;
  }

  /** @param {number[]} places @returns {string | null} */
  oneGraph(places) {
    const found = new Set(places.map((each) => this.graphAt(each)));
    const [only] = found;
    if (found.size !== 1 || only === null || only === undefined) {
      say(found.size > 1 ? 'These nodes stand in several graphs. Choose some of one.' : 'This graph stands in another file, or in a program. Open that to edit it.');
      return null;
    }
    return only;
  }

  /** The node types that there are. @returns {Promise<any[]>} */
  catalogue() {
    if (!this.types) this.types = attempt(getCatalogue()).then((found) => {
      if (!found) this.types = null; // the next one asks again
      return found || [];
    });
    return this.types;
  }

  /** Ask for a type, add a node of it, and wire it to a pin if one is given. @param {{x?: number, y?: number, pin?: any}} [where] */
  async add(where = {}) {
    const { app } = this;
    const near = where.pin ? where.pin.node : app.selected;
    const graph = this.graphAt(near) ?? '';
    const { pin } = where;
    const fits = (/** @type {any} */ type) => (pin ? socketFor(type, pin) : true);
    const options = this.catalogue().then((all) => likely(all.filter(fits), app.graph.nodes).map((/** @type {any} */ each) => ({ label: each.id, detail: each.doc, value: each })));
    const type = await pick(pin ? `Add a node for ${app.graph.nodes[pin.node].id}.${pin.name}` : 'Add a node', options);
    if (!type) return;
    let { x, y } = where;
    if (x === undefined || y === undefined) [x, y] = this.room(near);
    else if (pin?.side === 'in') x -= WIDE; // it ends where the wire was dropped
    const edits = [{ edit: 'add', type: type.id, x, y, graph }];
    const found = await this.do(edits);
    if (!found) return;
    const [id] = found.added;
    const name = pin && socketFor(type, pin);
    if (name !== undefined) await this.do([this.wireEdit(pin, { id, name })]);
    this.app.chooseBy(graph, id);
  }

  /** A free place for another node: right of one, and below what stands there. @param {number} near @returns {[number, number]} */
  room(near) {
    const { graph, scene } = this.app;
    if (near < 0) {
      const [left, top, right, bottom] = scene.seen();
      near = scene.drawn.nodes.at(-1) ?? -1;
      if (near < 0) return [left + (right - left) / 3, top + (bottom - top) / 3];
    }
    const node = graph.nodes[near];
    let [x, y] = [node.x + node.width + 60, node.y];
    for (let tries = 0; tries < 200; tries++) {
      const there = graph.nodes.find((/** @type {any} */ each) => each.frame === node.frame && each.x < x + 170 && x < each.x + each.width + 20 && each.y < y + 90 && y < each.y + each.height + 20);
      if (!there) break;
      y = there.y + there.height + 30;
    }
    return [x, y];
  }

  chosen() { return [this.app.selected, ...(this.app.scene?.others || [])].filter((each) => each >= 0); }

  async remove() {
    const { app } = this;
    if (app.wire >= 0) {
      await this.disconnect(app.graph.wires[app.wire]);
      return;
    }
    const places = this.chosen();
    if (!places.length) {
      say('Choose a node or a wire first.');
      return;
    }
    const graph = this.oneGraph(places);
    if (graph === null) return;
    const names = places.map((each) => app.graph.nodes[each].id);
    if (await this.do([{ edit: 'remove', nodes: names, graph }])) say(`removed ${names.length === 1 ? names[0] : `${names.length} nodes`}; Ctrl+Z brings back`);
  }

  async duplicate() {
    const places = this.chosen();
    const graph = places.length ? this.oneGraph(places) : null;
    if (graph === null) return;
    const found = await this.do([{ edit: 'duplicate', nodes: places.map((each) => this.app.graph.nodes[each].id), graph }]);
    if (found) this.app.chooseBy(graph, found.added[0]);
  }

  /** Copy what is chosen, also for other graphs; with `cut` it is removed then. @param {boolean} [cut] */
  async copy(cut = false) {
    const places = this.chosen();
    const graph = places.length ? this.oneGraph(places) : null;
    if (graph === null) {
      if (!places.length) say('Choose nodes first.');
      return;
    }
    const found = await attempt(ask('copy', { nodes: places.map((each) => this.app.graph.nodes[each].id), graph }));
    if (!found) return;
    this.copied = found.text;
    try {
      await navigator.clipboard.writeText(found.text);
    } catch {
      // The browser keeps it from the clipboard: then it is known to this page alone.
    }
    if (cut) await this.remove();
    else say(`copied ${places.length === 1 ? this.app.graph.nodes[places[0]].id : `${places.length} nodes`}`);
  }

  /** Add what was copied, here or from another graph. @param {string} [text] */
  async paste(text = this.copied) {
    if (!text) {
      say('Nothing was copied yet.');
      return;
    }
    const { app } = this;
    const graph = this.graphAt(app.selected) ?? '';
    const [x, y] = this.room(app.selected);
    const found = await this.do([{ edit: 'paste', document: text, x, y, graph }]);
    if (!found) return;
    app.chooseBy(graph, found.added[0]);
    const frames = new Set(app.graph.frames.filter((/** @type {any} */ each) => each.graph === graph).map((/** @type {any} */ each) => each.name));
    const added = new Set(found.added.slice(1));
    app.graph.nodes.forEach((/** @type {any} */ node, /** @type {number} */ place) => { if (added.has(node.id) && frames.has(node.frame)) app.chooseMore(place); });
  }

  /** @param {Map<number, [number, number]>} places */
  async moved(places) {
    const graph = this.oneGraph([...places.keys()]);
    if (graph === null) await this.app.reload();
    else await this.do([{ edit: 'move', places: Object.fromEntries([...places].map(([place, [x, y]]) => [this.app.graph.nodes[place].id, [x, y]])), graph }], `move ${[...places.keys()].join()} ${this.turn}`);
  }

  /** @param {number} dx @param {number} dy */
  nudge(dx, dy) {
    const { app } = this;
    const places = new Map(this.chosen().map((each) => [each, /** @type {[number, number]} */ ([app.graph.nodes[each].x + dx * GRID, app.graph.nodes[each].y + dy * GRID])]));
    if (!places.size) return undefined;
    for (const [place, [x, y]] of places) app.scene.put(place, x, y);
    app.scene.redraw();
    return this.moved(places);
  }

  // --- wires ---

  /** @param {any} pin @param {{id: string, name: string}} other */
  wireEdit(pin, other) {
    const node = this.app.graph.nodes[pin.node];
    const [mine, theirs] = [[node.id, pin.name], [other.id, other.name]];
    return { edit: 'connect', source: pin.side === 'out' ? mine : theirs, target: pin.side === 'out' ? theirs : mine, graph: this.graphAt(pin.node) ?? '' };
  }

  /** @param {any} from @param {any} to */
  async connect(from, to) {
    if (from.side === to.side || from.control !== to.control) {
      say(from.side === to.side ? 'A wire leads from an output to an input.' : 'Control and values have wires of their own.');
      return;
    }
    if (this.oneGraph([from.node, to.node]) === null) return;
    await this.do([this.wireEdit(from, { id: this.app.graph.nodes[to.node].id, name: to.name })]);
  }

  /** Ask what a socket is to be wired to: a socket of another node, or a new node. @param {any} pin */
  async connectTo(pin) {
    const { graph } = this.app;
    const frame = graph.nodes[pin.node].frame;
    /** @type {{label: string, detail: string, value: any}[]} */
    const options = [{ label: 'a new node …', detail: 'one that has a socket for it', value: null }];
    const exact = /** @type {typeof options} */ ([]);
    graph.nodes.forEach((/** @type {any} */ node, /** @type {number} */ place) => {
      if (node.frame !== frame) return;
      for (const each of pin.side === 'out' ? node.inputs : node.outputs) {
        if (each.control !== pin.control || (place === pin.node && !pin.control)) continue;
        const option = { label: `${node.id}.${each.name}`, detail: each.control ? node.type : `${each.type}${each.wired && pin.side === 'out' ? ', wired already' : ''}`, value: { node: place, name: each.name, control: each.control, side: pin.side === 'out' ? 'in' : 'out' } };
        (each.type === pin.type && !each.wired ? exact : options).push(option);
      }
    });
    const target = await pick(`Connect ${graph.nodes[pin.node].id}.${pin.name} to`, [...exact, ...options.slice(1), options[0]].map((each) => ({ ...each, value: { is: each.value } })));
    if (!target) return;
    if (target.is) await this.connect(pin, target.is);
    else await this.add({ pin });
  }

  /** @param {any} wire */
  async disconnect(wire) {
    if (wire.undo) {
      say('It is no wire: the node says by what it is undone, under “In a workflow”.');
      return;
    }
    const graph = this.graphAt(wire.from);
    if (graph === null) this.oneGraph([wire.from]);
    else await this.do([{ edit: 'disconnect', ...ends(this.app.graph, wire), graph }]);
  }

  // --- forms ---

  /** Whether the node that is filled in says something at a path. @param {string} path */
  hasGroup(path) {
    let at = this.form?.settings;
    for (const key of path.split('.')) at = at?.[key];
    return at !== undefined;
  }

  /** Read what can be filled in at the chosen node or wire, if that is not known yet. */
  async look() {
    const { app } = this;
    const { revision } = app.graph;
    const key = `${revision} ${app.selected} ${app.wire}`;
    if (!app.editing || this.formOf === key) return;
    this.formOf = key;
    if (this.draft) await sendTyped(); // what was typed of the node before is not lost
    if (this.formOf !== key) return;
    const before = this.form;
    const graph = app.wire >= 0 ? this.graphAt(app.graph.wires[app.wire].from) : this.graphAt(app.selected);
    let form = null;
    if (graph !== null && app.wire >= 0 && !app.graph.wires[app.wire].undo) form = await attempt(ask('terms', { ...ends(app.graph, app.graph.wires[app.wire]), graph }));
    else if (graph !== null && app.selected >= 0) form = await attempt(ask('form', { node: app.graph.nodes[app.selected].id, graph }));
    if (form?.sections && !this.fields) this.fields = (await attempt(getSettings())) || null;
    if (this.formOf !== key) return;
    this.form = form || null;
    // What the graph has need not be kept; what a person has only begun to say is.
    if (this.draft && this.draft.sent === this.draft.turn && this.draft.revision <= revision) for (const [path, { value }] of this.draft.said) if (value !== true || this.hasGroup(path)) this.draft.said.delete(path);
    if (before?.id !== this.form?.id) {
      this.turn++;
      this.refused = this.draft = null;
    }
    app.panelOnly();
  }
}

/** Node types, those first that a person is likely to want: what the graph has, then what any graph has. @param {any[]} types @param {any[]} nodes */
function likely(types, nodes) {
  const used = new Set(nodes.map((each) => each.type));
  const first = nodes.length ? '' : FIRST;
  const rank = (/** @type {any} */ type) => {
    const common = COMMON.indexOf(type.id.slice(0, type.id.indexOf('.')));
    return type.id === first ? -2 : used.has(type.id) ? -1 : common < 0 ? COMMON.length : common;
  };
  return types.map((type) => ({ type, at: rank(type) })).sort((a, b) => a.at - b.at).map(({ type }) => type);
}

/** @param {any} graph @param {any} wire */
export const ends = (graph, wire) => ({ source: [graph.nodes[wire.from].id, wire.output], target: [graph.nodes[wire.to].id, wire.input] });

/** The socket of a type that a pin can be wired to. @param {any} type @param {any} pin */
function socketFor(type, pin) {
  /** @type {[string, string][]} */
  const sockets = pin.side === 'out' ? type.in : type.out;
  const wanted = pin.control ? '' : pin.type;
  const kind = sockets.filter(([, of]) => (of === '') === pin.control);
  const found = kind.find(([, of]) => of === wanted) || kind.find(([, of]) => of === 'any' || wanted === 'any' || (of === 'float' && wanted === 'int') || of.includes(wanted));
  return found ? found[0] : undefined;
}

/** Ask for something in a dialog. @param {string} title @param {any[]} inside @param {string} yes @param {() => void} then */
export function ask_(title, inside, yes, then) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('dialog'));
  if (dialog.open) dialog.close();
  dialog.replaceChildren(h('form', { method: 'dialog', class: 'stack', onsubmit: () => setTimeout(then) }, h('h2', { id: 'dialog-title' }, title), ...inside, h('div', { class: 'row end' }, button('Close', () => dialog.close()), h('button', { class: 'primary' }, yes))));
  dialog.showModal();
}
