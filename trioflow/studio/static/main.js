// The page: what it shows of which graph, what is chosen in it, and the keys.

import { ask, firstGraph, getGraph, getProfile, getRecording, getRecordingFile, getShelf, readFrames } from './api.js';
import { attempt, button } from './attempt.js';
import { grouped, h, say, show, watchPresses } from './dom.js';
import { Editor } from './edit.js';
import { TABS, placeOf, showPanel } from './panels.js';
import { lasting } from './folding.js';
import { gantt, liveGantt } from './gantt.js';
import { Lanes } from './lanes.js';
import { pick } from './picker.js';
import { Recording } from './recording.js';
import { Scene } from './scene.js';
import { fold } from './state.js';
import { sendTyped } from './typed.js';
import { WatchList } from './watch.js';

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
/** Events of a recording before and after a moment that are got with it, where there are too many to get them all. */
const AROUND = 50000;
/** So many graphs all have tabs; of more those that were opened. */
const FEW = 5;
/** Of what waits, in seconds, so much is shown as time that passes. */
const WAITS = 60;
/** So many questions are put at once. */
const MOST_ASKS = 4;
/** So many nodes are named where most of the time goes. */
const HOTTEST = 5;
/** Keys that change nothing. */
const LOOKING = new Set(['/', 'o', 'u', 'w']);
const LIVE = new Set(['not started', 'running', 'paused']);
const EMPTY = { epoch: 0, status: null, reason: null, steps: 0, evaluations: 0, looked: 0, elapsed: 0, counts: {}, failed: {}, heat: {}, strands: [], parked: [], breakpoints: [], failure: null, variables: null, messages: [], outcomes: {}, policies: {}, progress: {}, dead: [], document: null, kept: null, recorded: 0, watches: [], flow: {}, asks: [], watching: 'follow', alive: 0 };

class App {
  constructor() {
    /** @type {any} */
    this.state = EMPTY;
    /** @type {any} */
    this.graph = null;
    /** What the last key of editing does. @type {Promise<any>} */
    this.keyed = Promise.resolve();
    this.selected = -1;
    this.wire = -1;
    this.editing = false;
    this.editor = new Editor(this);
    this.watch = new WatchList(this, element('watch'));
    this.loading = 0;
    /** Where strands were since the page is there, when that was looked at last, and whether it is shown. */
    this.lanes = new Lanes();
    this.seenAt = 0;
    this.overTime = false;
    /** @type {Promise<void> | null} */
    this.reloading = null;
    this.strand = 0;
    this.tab = 'outline';
    /** The frames that have a tab, by name, and the one that alone is shown; null for all of them. @type {string[]} */
    this.opened = [];
    /** @type {string | null} */
    this.frame = null;
    this.connected = true;
    /** What has come since a person has frozen the page: the run goes on. @type {any} */
    this.held = null;
    this.frozen = false;
    /** Whether nodes are coloured by where the time goes: of a recording by their own, or with what they waited for. @type {false | 'own' | 'total'} */
    this.hot = false;
    /** Whether values stand beside outputs while a run stands, what they are by node, and what they were asked for. */
    this.beside = true;
    /** @type {Map<number, Record<string, {text: string, kind: string}>>} */
    this.values = new Map();
    this.valuesOf = '';
    /** @type {any} */
    this.peeked = null;
    this.evaluated = new Map();
    this.finding = '';
    /** @type {Recording | null} */
    this.past = null;
    this.moment = 0;
    /** Whether long stretches in which nothing happens are folded. */
    this.folding = true;
    /** The events that alone are looked back on; null for all. @type {[number, number] | null} */
    this.stretch = null;
    /** The moment that is waited for, and what is on its way. @type {number | null} */
    this.wanted = null;
    /** @type {Promise<void> | null} */
    this.fetching = null;
    this.asked = false;
    this.lookedAt = '';
    this.lastLook = 0;
    this.settings = { variables: /** @type {Record<string, string>} */ ({}), paused: false, record: true, keep: false };
  }

  async begin() {
    const { editor } = this;
    this.scene = new Scene(element('scene'), {
      choose: (place, more) => (more && this.editing ? this.chooseMore(place) : this.choose(place, false)),
      chooseWire: (wire) => this.chooseWire(wire),
      moved: (places) => editor.moved(places),
      wired: (from, to) => editor.connect(from, to),
      wiredNowhere: (pin, x, y) => editor.add({ pin, x, y }),
      viewed: () => { if (this.state.reason) this.redraw(); },
      enter: (place) => { if (this.graph.nodes[place].calls !== null) this.enter(place); },
      addAt: (x, y) => editor.add({ x, y }),
    });
    try {
      this.graph = await firstGraph;
    } catch (error) {
      element('scene').replaceChildren(h('div', { class: 'lost' }, h('h2', {}, 'This page needs its address'), h('p', {}, error instanceof TypeError ? 'The server can’t be reached. Is trioflow studio still running?' : String(error instanceof Error ? error.message : error))));
      return;
    }
    this.bind();
    this.loaded(false);
    if (!this.graph.nodes.length && this.editor.can && !this.choosing()) await this.edit(true);
    if (this.graph.hasRecording) await this.lookBack();
    this.draw();
    readFrames((kind, data) => this.take(kind, data), (connected) => {
      this.connected = connected;
      this.redraw();
    });
  }

  /** The graph has come, for the first time or again. @param {boolean} again */
  loaded(again) {
    const { graph } = this;
    document.title = `${graph.name} · trioflow studio`;
    for (const wire of graph.wires) {
      const [from, to] = [graph.nodes[wire.from], graph.nodes[wire.to]];
      wire.name = `${from.frame}: ${from.id}.${wire.output} ${wire.undo ? '-' : '->'} ${to.id}.${wire.input}`;
    }
    const names = new Set(graph.frames.map((/** @type {any} */ each) => each.name));
    this.opened = this.opened.filter((each) => names.has(each));
    if (this.frame !== null && !names.has(this.frame)) this.frame = null;
    this.scene?.load(graph, again);
    this.problems = new Map();
    this.told = new Map();
    for (const each of graph.problems) if (each.node !== null && each.severity !== 'info') {
      if (this.problems.get(each.node) !== 'error') this.problems.set(each.node, each.severity);
      this.told.set(each.node, [...(this.told.get(each.node) || []), `${each.severity}: ${each.message} ${each.cure}`]);
    }
    /** @type {Record<string, string>} */
    const before = this.settings.variables;
    const was = this.defaults || {};
    this.defaults = Object.fromEntries(graph.variables.map((/** @type {any} */ each) => [each.name, typeof each.default === 'string' ? each.default : JSON.stringify(each.default)]));
    this.settings.variables = Object.fromEntries(Object.entries(this.defaults).map(([name, text]) => [name, name in before && before[name] !== was[name] ? before[name] : text]));
    this.stoppedFor = null;
  }

  /** Have the graph at least as it was at a revision; without one, as the last frame has told. @param {number} [revision] */
  async upTo(revision = this.state.document?.revision ?? 0) {
    while (this.graph.revision < revision) {
      const before = this.graph;
      await (this.reloading || this.reload());
      if (this.graph === before && !this.reloading) break; // it could not be had; the toast says why
    }
  }

  /** Get the graph again; what is chosen stays so. */
  reload() {
    const mine = this.again().finally(() => { if (this.reloading === mine) this.reloading = null; });
    this.reloading = mine;
    return mine;
  }

  async again() {
    const turn = ++this.loading;
    const graph = await attempt(getGraph(this.editing));
    if (!graph || turn !== this.loading) return;
    const chosen = this.graph.nodes[this.selected];
    const wire = this.graph.wires[this.wire];
    const others = [...(this.scene?.others || [])].map((each) => this.graph.nodes[each]);
    const empty = !this.graph.nodes.length;
    const { name } = this.graph;
    this.graph = graph;
    this.loaded((!empty || this.editing) && name === graph.name);
    const find = (/** @type {any} */ node) => (node ? graph.nodes.findIndex((/** @type {any} */ each) => each.id === node.id && each.frame === node.frame) : -1);
    this.selected = find(chosen);
    this.scene?.select(this.selected, new Set(others.map(find).filter((each) => each >= 0)));
    this.wire = wire ? graph.wires.findIndex((/** @type {any} */ each) => each.name === wire.name) : -1;
    if (this.wire >= 0) this.scene?.selectWire(this.wire);
    this.draw();
  }

  /** Begin or end editing. @param {boolean} on */
  async edit(on) {
    this.editing = on;
    element('scene').classList.toggle('editing', on);
    if (this.scene) this.scene.editing = on;
    const fitted = this.scene?.fitted;
    if (on) this.editor.catalogue(); // is there when it is asked for
    await this.reload();
    if (fitted) this.scene?.fit(fitted === 'asked');
    this.redraw();
  }

  /** @param {string} kind @param {any} data */
  take(kind, data) {
    if (this.frozen) {
      this.held = kind === 'hello' ? data : fold(this.held ?? this.state, data);
      this.redraw();
      return;
    }
    const before = this.state;
    const anew = kind === 'hello' && before.epoch !== data.epoch;
    this.state = kind === 'hello' ? data : fold(before, data);
    if (anew) {
      this.lanes = new Lanes();
      this.evaluated.clear();
      this.peeked = null;
      this.lookedAt = '';
      if (before.epoch || data.status === 'running') this.leaveBack();
    }
    if (data.strands && (this.isLive() || this.lanes.alive.size)) {
      this.lanes.look(this.state.elapsed, data.strands);
      this.seenAt = performance.now();
    }
    const { document: doc } = this.state;
    if (doc && this.graph && doc.revision > this.graph.revision) {
      if (this.past) this.leaveBack();
      this.upTo(doc.revision);
    }
    if (kind === 'frame' && data.flow && !this.past) this.scene?.light(Object.entries(data.flow).map(([wire, count]) => [Number(wire), count - (before.flow[wire] || 0)]));
    const { parked } = this.state;
    if (data.parked && parked.length && !this.past) {
      const mine = parked.find((/** @type {any} */ each) => each.strand === this.strand) || parked[0];
      this.strand = mine.strand;
      if (mine.node !== null && (mine.node !== this.selected || data.reason)) {
        if (this.tab === 'outline' || this.tab === 'log') this.tab = 'node';
        if (mine.node !== this.selected) this.choose(mine.node, true, false);
      }
    }
    if (data.failure) {
      this.tab = 'log';
      if (data.failure.node !== null) this.choose(data.failure.node, true, false);
    }
    if (this.state.strands.length && !this.state.strands.some((/** @type {any} */ each) => each.number === this.strand)) this.strand = this.state.strands[0].number;
    this.redraw();
  }

  /** Let the page stand still while the run goes on; or show what it is at now. @param {boolean} on */
  freeze(on) {
    const { held } = this;
    [this.frozen, this.held] = [on, null];
    if (!on && held) this.take('hello', held);
    this.redraw();
  }

  // --- what is known ---

  /** Whether nothing of what there is was opened yet. */
  choosing() { return Boolean(this.graph.shelf) && !this.graph.file && !this.graph.kept && !this.graph.nodes.length; }


  /** The moment of the run until which strands are shown: while nothing new is seen for long, not much later than that. */
  now() {
    const since = this.isLive() && !this.frozen && this.connected ? (performance.now() - this.seenAt) / 1000 : 0;
    return this.lanes.end + Math.min(since, WAITS);
  }

  isLive() { return LIVE.has(this.state.status); }
  canPeek() { return this.isLive() && this.selected >= 0 && this.state.strands.length > 0 && !this.past; }

  shownCounts() {
    if (!this.past) return this.state;
    return this.past.after(this.moment);
  }

  /** The nodes with breakpoints. */
  stopped() {
    if (this.stoppedFor !== this.state.breakpoints) {
      this.stoppedFor = this.state.breakpoints;
      const names = new Set(this.state.breakpoints.filter((/** @type {any} */ each) => each.kind === 'node').map((/** @type {any} */ each) => each.on));
      this.stops = new Set();
      this.graph.nodes.forEach((/** @type {any} */ node, /** @type {number} */ place) => { if (node.names.some((/** @type {string} */ each) => names.has(each))) this.stops?.add(place); });
      this.wireStops = this.state.breakpoints.some((/** @type {any} */ each) => each.kind === 'wire') ? this.graph.wires.flatMap((/** @type {any} */ wire, /** @type {number} */ place) => (wire.control && this.stopsOn(wire).length ? [place] : [])) : [];
    }
    return this.stops;
  }

  /** A wire as breakpoints name it, in each of the ways in which its graph is called. @param {any} wire @returns {string[]} */
  wireNames(wire) {
    const [from, to] = [this.graph.nodes[wire.from], this.graph.nodes[wire.to]];
    return from.names.map((/** @type {string} */ name) => name.slice(0, name.length - from.id.length)).map((/** @type {string} */ prefix) => `${prefix}${from.id}.${wire.output} -> ${prefix}${to.id}.${wire.input}`);
  }

  /** The breakpoints on a wire. @param {any} wire @returns {any[]} */
  stopsOn(wire) {
    const names = this.state.breakpoints.some((/** @type {any} */ each) => each.kind === 'wire') ? new Set(this.wireNames(wire)) : new Set();
    return this.state.breakpoints.filter((/** @type {any} */ each) => each.kind === 'wire' && names.has(each.on));
  }

  /** Set a breakpoint on a wire, or take it away. @param {any} wire @param {string} [condition] */
  async toggleWireStop(wire, condition = '') {
    const there = this.stopsOn(wire);
    if (there.length) for (const each of there) await attempt(ask('unbreak', { id: each.id }));
    else for (const name of this.wireNames(wire)) if (!(await attempt(ask('break', { wire: name, condition: condition || null })))) break;
  }

  /** @param {number} place */
  stopsAt(place) {
    return place < 0 ? undefined : this.state.breakpoints.find((/** @type {any} */ each) => each.kind === 'node' && this.graph.nodes[place].names.includes(each.on));
  }

  // --- what is done ---

  /** @param {number} place @param {boolean} reveal @param {boolean} [turn] */
  choose(place, reveal, turn = true) {
    this.selected = place;
    this.wire = -1;
    if (turn && (this.tab !== 'outline' || !reveal)) this.tab = 'node';
    this.scene?.select(place);
    const { frame } = this.graph.nodes[place] || { frame: this.frame };
    if (this.frame !== null && frame !== this.frame) this.openFrame(frame);
    if (reveal) this.scene?.reveal(place);
    this.lookedAt = '';
    this.peeked = null;
    this.redraw();
  }

  // --- graphs that are called ---

  /** Show a frame alone, in a tab of its own; null shows all of them. @param {string | null} name */
  openFrame(name) {
    if (name !== null && !this.opened.includes(name)) this.opened.push(name);
    this.frame = name;
    this.scene?.showFrame(name);
    this.redraw();
  }

  /** @param {string} name */
  closeFrame(name) {
    const at = this.opened.indexOf(name);
    this.opened.splice(at, 1);
    if (this.frame === name) this.openFrame(this.opened[Math.max(0, at - 1)] ?? null);
    else this.redraw();
  }

  /** Open the graph that a node calls; of one that calls none the graph that it is in. @param {number} place */
  enter(place) {
    const node = this.graph.nodes[place];
    if (!node) say('Choose a node first.');
    else if (node.calls !== null) this.openFrame(node.calls);
    else if (this.graph.frames.length > 1 && this.frame !== node.frame) this.openFrame(node.frame);
    else say(`${node.id} calls no graph.`);
  }

  /** The nodes that call a frame. @param {string} name @returns {number[]} */
  callers(name) {
    return this.graph.nodes.flatMap((/** @type {any} */ node, /** @type {number} */ place) => (node.calls === name ? [place] : []));
  }

  /** Go to the node that calls the graph that is shown alone: of several to the one that the strand came through. */
  leave() {
    if (this.frame === null) return;
    const all = this.callers(this.frame);
    const at = this.state.strands.find((/** @type {any} */ each) => each.number === this.strand);
    const way = at ? at.name.slice(0, Math.max(0, at.name.lastIndexOf('/'))) : '';
    const place = all.find((each) => this.graph.nodes[each].names.includes(way)) ?? all[0];
    if (place === undefined) this.openFrame(null);
    else this.choose(place, true);
  }

  /** Whether there are so few graphs that each has a tab anyhow. */
  hasFew() { return this.graph.frames.length <= FEW; }

  /** The frames that have a tab. @returns {string[]} */
  tabbed() { return this.hasFew() ? this.graph.frames.map((/** @type {any} */ each) => each.name) : this.opened; }

  /** What a frame is called. @param {string} name */
  titleOf(name) {
    return this.graph.frames.find((/** @type {any} */ each) => each.name === name)?.title || this.graph.name;
  }

  /** The tabs of graphs, if there are several. */
  graphTabs() {
    const bar = element('graphs');
    bar.hidden = this.graph.frames.length < 2;
    if (bar.hidden) return;
    const { strands } = this.state;
    const there = (/** @type {string} */ name) => (this.past ? 0 : strands.filter((/** @type {any} */ each) => each.node !== null && this.graph.nodes[each.node]?.frame === name).length);
    const tabs = /** @type {[string | null, string, number][]} */ ([[null, 'All graphs', 0], ...this.tabbed().map((name) => [name, this.titleOf(name), there(name)])]);
    show(bar, `graphs ${JSON.stringify([tabs, this.frame, this.graph.revision])}`, () => {
      const list = h('div', { role: 'tablist', 'aria-label': 'Graphs', class: 'tabs', onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const to = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!to) return;
        const at = tabs.findIndex(([name]) => name === this.frame);
        this.openFrame(tabs[(at + to + tabs.length) % tabs.length][0]);
        this.draw();
        bar.querySelector('[aria-selected="true"]')?.focus();
      } }, ...tabs.map(([name, title, count]) => h('button', { role: 'tab', type: 'button', 'aria-selected': String(name === this.frame), 'aria-controls': 'scene', tabindex: name === this.frame ? '0' : '-1', title, 'aria-label': count ? `${title}, ${count} ${count === 1 ? 'strand' : 'strands'}` : null, data: { key: `graph ${name ?? '*'}` }, onclick: () => this.openFrame(name) }, title, count ? h('span', { class: 'tag running' }, String(count)) : null)));
      if (this.frame === null) return [list];
      const name = this.frame;
      const calling = this.callers(name);
      return [list, h('p', {}, calling.length ? 'called by' : '', ...calling.slice(0, 4).map((place) => button(this.graph.nodes[place].id, () => this.choose(place, true), { class: 'link', data: { key: `caller ${place}` }, title: 'Go there (U)' })), calling.length > 4 && `and ${calling.length - 4} more`, !this.hasFew() && button('Close', () => this.closeFrame(name), { class: 'small', 'aria-label': `Close the tab ${this.titleOf(name)}`, data: { key: 'close graph' } }))];
    });
  }

  /** Choose a node beside those that are. @param {number} place */
  chooseMore(place) {
    const others = new Set(this.scene?.others);
    if (this.selected < 0) this.selected = place;
    else if (others.has(place)) others.delete(place);
    else if (place !== this.selected) others.add(place);
    this.scene?.select(this.selected, others);
    this.redraw();
  }

  /** @param {string} graph @param {string} id */
  chooseBy(graph, id) {
    const frames = new Set(this.graph.frames.filter((/** @type {any} */ each) => each.graph === graph).map((/** @type {any} */ each) => each.name));
    const place = this.graph.nodes.findIndex((/** @type {any} */ each) => each.id === id && frames.has(each.frame));
    this.tab = 'node';
    if (place >= 0) this.choose(place, true);
  }

  /** @param {number} wire */
  chooseWire(wire) {
    this.selected = -1;
    this.wire = wire;
    this.scene?.selectWire(wire);
    if (wire >= 0) this.tab = 'node';
    this.redraw();
  }

  /** @param {number} number */
  chooseStrand(number) {
    this.strand = number;
    this.peeked = null;
    this.lookedAt = '';
    this.redraw();
  }

  /** @param {number} place @param {string} [condition] */
  async toggleStop(place, condition = '') {
    if (place < 0) {
      say('Choose a node first.');
      return;
    }
    const there = this.state.breakpoints.filter((/** @type {any} */ each) => each.kind === 'node' && this.graph.nodes[place].names.includes(each.on));
    if (there.length) for (const each of there) await attempt(ask('unbreak', { id: each.id }));
    else for (const node of this.graph.nodes[place].names) if (!(await attempt(ask('break', { node, condition: condition || null })))) break;
  }

  /** @param {string} node @param {string} output */
  async evaluate(node, output) {
    const found = await attempt(ask('evaluate', { strand: this.strand, node, output }));
    if (!found) return;
    this.evaluated.set(`${node}.${output}`, found.value);
    this.look();
  }

  /** Read what the strand sees at the node. */
  async look() {
    if (!this.canPeek()) return;
    const { names } = this.graph.nodes[this.selected];
    const at = this.state.strands.find((/** @type {any} */ each) => each.number === this.strand);
    const prefix = at ? at.name.slice(0, at.name.lastIndexOf('/') + 1) : '';
    const id = this.graph.nodes[this.selected].id;
    const name = at && at.node === this.selected ? at.name : names.includes(prefix + id) ? prefix + id : names[0];
    this.lastLook = performance.now();
    let found;
    try {
      found = await ask('peek', { strand: this.strand, node: name });
    } catch (error) {
      found = { error: error instanceof Error ? error.message : String(error) };
    }
    this.peeked = found;
    this.panelOnly();
  }

  /** Read what the strand that stands sees at the outputs of the nodes that are in view. */
  async lookAround() {
    const { state, scene } = this;
    const at = state.parked.find((/** @type {any} */ each) => each.strand === this.strand);
    if (!scene || !this.beside || !this.isLive() || !state.reason || !at || this.past) {
      this.valuesOf = '';
      if (this.values.size) scene?.mark({ values: (this.values = new Map()) });
      return;
    }
    const prefix = at.name.slice(0, at.name.lastIndexOf('/') + 1);
    /** @type {Map<string, number>} */
    const asked = new Map();
    for (const place of [...scene.shown.keys()].sort((a, b) => a - b)) {
      const name = prefix + this.graph.nodes[place].id;
      if (this.graph.nodes[place].names.includes(name)) asked.set(name, place);
    }
    const key = `${state.epoch} ${state.steps} ${state.evaluations} ${this.strand} ${at.path} ${this.evaluated.size} ${[...asked.keys()]}`;
    if (key === this.valuesOf) return;
    this.valuesOf = key;
    const found = asked.size ? await ask('outputs', { strand: this.strand, nodes: [...asked.keys()] }).catch(() => null) : { values: {} };
    if (this.valuesOf !== key || !found) return;
    this.values = new Map(Object.entries(found.values).map(([name, values]) => [asked.get(name) ?? -1, values]));
    scene.mark({ values: this.values });
  }

  /** @param {string} how */
  step(how) {
    this.freeze(false);
    return attempt(ask('step', { how, strand: this.strand }));
  }

  async start() {
    await sendTyped();
    this.freeze(false);
    /** @type {Record<string, string>} */
    const variables = {};
    for (const [name, text] of Object.entries(this.settings.variables)) if (text !== this.defaults?.[name]) variables[name] = text;
    this.leaveBack();
    await attempt(ask('start', { variables, paused: this.settings.paused, record: this.settings.record, keep: this.settings.keep }));
  }

  askHow() {
    const dialog = element('dialog');
    const { settings } = this;
    const fields = this.graph.variables.map((/** @type {any} */ each) => h('label', {}, h('span', {}, `${each.name}: ${each.type}`), h('input', { name: each.name, value: settings.variables[each.name] })));
    const paused = h('input', { type: 'checkbox', checked: settings.paused });
    const record = h('input', { type: 'checkbox', checked: settings.record });
    const keep = h('input', { type: 'checkbox', checked: settings.keep });
    dialog.replaceChildren(h('form', { method: 'dialog', class: 'stack', onsubmit: () => {
      for (const field of dialog.querySelectorAll('input[name]')) settings.variables[field.name] = field.value;
      settings.paused = paused.checked;
      settings.record = record.checked;
      settings.keep = keep.checked;
      this.start();
    } }, h('h2', { id: 'dialog-title' }, 'Run the graph'), ...fields, h('label', { class: 'row' }, paused, 'Stop before the first node'), h('label', { class: 'row' }, record, 'Record, to look back on'), h('label', { class: 'row' }, keep, 'Keep a journal, to go back to any moment'), h('div', { class: 'row end' }, button('Close', () => dialog.close()), h('button', { class: 'primary' }, 'Run'))));
    dialog.showModal();
  }

  async lookBack() {
    this.stretch = null;
    if (!(await this.have())) return;
    this.goTo(this.past?.count ?? 0);
    // All of a large recording is read only for who asks where its time went.
    if (this.past && (this.hot || this.past.count <= this.past.head.most)) await this.profile();
  }

  /** Colour nodes by their own time, in a recording then by all that they took, then no more. */
  heat() {
    this.hot = !this.hot ? 'own' : this.hot === 'own' && this.past ? 'total' : false;
    if (this.hot && this.past && !this.past.profile) this.profile();
    this.redraw();
  }

  /** The nodes where most of the time goes, and how much, in words, as they are coloured; none if they are not. @returns {[number, string][]} */
  hottest() {
    const { past, hot } = this;
    if (!hot || (past && !past.profile)) return [];
    const times = past ? (past.profile || []).map((/** @type {any} */ each) => [each.node, each[hot]]) : Object.entries(this.state.heat);
    /** @type {Map<number, number>} */
    const sums = new Map();
    for (const [node, time] of times) if (node !== null) sums.set(Number(node), (sums.get(Number(node)) || 0) + time);
    const words = (/** @type {number} */ time) => (past ? `${time.toFixed(time < 1 ? 4 : 2)} s` : time.toFixed(2));
    return [...sums].filter(([, time]) => time > 0).sort((a, b) => b[1] - a[1]).slice(0, HOTTEST).map(([place, time]) => [place, words(time)]);
  }

  /** Find out where the time of the recording went. */
  async profile() {
    const profile = await attempt(getProfile());
    if (this.past && profile) this.past.profile = profile;
    this.redraw();
  }

  /** Have a stretch of the recording here; without one the end of it. Tells whether it is. @param {number} [from] @param {number} [to] */
  async have(from, to) {
    const data = await attempt(getRecording(from, to));
    if (!data) return false;
    const profile = this.past?.profile ?? null;
    this.past = new Recording(data, this.graph.nodes.length);
    this.past.profile = profile;
    return true;
  }

  /** Look back on some events alone, by number; null for all of them. @param {[number, number] | null} stretch */
  async lookAt(stretch) {
    const { past } = this;
    if (!past || (stretch && stretch[1] - stretch[0] < 1)) return;
    const [from, to] = stretch ?? [0, past.count];
    if (stretch && !(past.has(from) && past.has(to)) && !(await this.have(Math.max(0, from - 1), to))) return;
    this.stretch = stretch;
    this.goTo(Math.max(from, Math.min(to, this.moment)));
  }

  /** Begin another run from this event on. */
  async goBack() {
    const event = this.moment - 1;
    const found = await attempt(ask('go back', { event }));
    if (found) say(`run ${found.run}: all before is as it was; it has stopped there`);
  }

  /** Go on with the run that a journal keeps. */
  async goOn() {
    const found = await attempt(ask('go on'));
    if (!found) return;
    this.leaveBack();
    say(`goes on with ${found.run}`);
  }

  async download() {
    const data = await attempt(getRecordingFile());
    if (!data) return;
    const link = h('a', { href: URL.createObjectURL(new Blob([data])), download: `${this.graph.name.replace(/\.\w+$/, '')}.rec` });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  leaveBack() {
    this.past = null;
    this.redraw();
  }

  /** @param {number} moment */
  goTo(moment) {
    if (!this.past) return;
    const from = this.moment;
    const [least, most] = this.stretch ?? [0, this.past.count];
    moment = Math.max(least, Math.min(most, moment));
    if (!this.past.has(moment)) {
      this.wanted = moment;
      if (!this.fetching) this.fetching = this.goThere().finally(() => { this.fetching = null; });
      return;
    }
    this.moment = moment;
    const place = this.moment > 0 ? this.past.place(this.moment - 1) : -1;
    if (place >= 0 && Math.abs(from - this.moment) === 1) this.choose(place, true, false);
    this.redraw();
  }

  /** Get the events around the moment that is wanted, as long as it is another one meanwhile. */
  async goThere() {
    while (this.wanted !== null && this.past && !this.past.has(this.wanted)) {
      const { wanted } = this;
      const around = Math.min(AROUND, Math.floor(this.past.head.most / 2));
      const from = Math.max(0, wanted - around);
      if (!(await this.have(from, from + 2 * around)) || !this.past.has(wanted)) break;
    }
    const { wanted } = this;
    this.wanted = null;
    if (wanted !== null && this.past?.has(wanted)) this.goTo(wanted);
  }

  // --- showing ---

  bind() {
    watchPresses();
    addEventListener('keydown', (event) => {
      const keys = /** @type {Record<string, () => void>} */ ({
        F8: () => (this.state.reason ? attempt(ask('resume')) : this.isLive() ? attempt(ask('pause')) : this.start()),
        F9: () => (this.graph.wires[this.wire]?.control ? this.toggleWireStop(this.graph.wires[this.wire]) : this.toggleStop(this.selected)), F10: () => this.step('over'), F11: () => this.step(event.shiftKey ? 'out' : 'into'),
      });
      if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    addEventListener('keydown', (event) => this.editKey(event));
    addEventListener('paste', (event) => {
      const typing = event.target instanceof Element && event.target.closest('input, textarea, select');
      if (typing || !this.editing || element('dialog').open) return;
      event.preventDefault();
      const text = event.clipboardData?.getData('text/plain') || undefined;
      this.keyed = this.keyed.then(() => this.editor.paste(text));
    });
    addEventListener('beforeunload', (event) => { if (this.state.document?.unsaved && this.state.document.undo !== null && !this.connected) event.preventDefault(); });
    element('tabs').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      const names = Object.keys(TABS);
      const to = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!to) return;
      this.tab = names[(names.indexOf(this.tab) + to + names.length) % names.length];
      this.draw();
      element(`tab-${this.tab}`).focus();
    });
    show(element('view'), 'view', () => [
      button('−', () => this.scene?.zoom(0.8), { 'aria-label': 'Smaller', title: 'Smaller (-)' }), button('+', () => this.scene?.zoom(1.25), { 'aria-label': 'Larger', title: 'Larger (+)' }),
      button('Fit', () => this.scene?.fit(), { title: 'All of the graph (0)' }), button('Heat', () => this.heat(), { id: 'heat', 'aria-pressed': 'false', title: 'Colour nodes by where the time goes' }), button('Freeze', () => this.freeze(!this.frozen), { id: 'freeze', 'aria-pressed': 'false', title: 'Let the page stand still while the run goes on' }), button('Values', () => { this.beside = !this.beside; this.redraw(); }, { id: 'beside', 'aria-pressed': 'true', title: 'While a run stands, show beside outputs what the strand sees there' }),
    ]);
  }

  /** Keys of editing. In a field they are the field's. @param {KeyboardEvent} event */
  editKey(event) {
    const { editor } = this;
    if (element('dialog').open || (!editor.can && !LOOKING.has(event.key.toLowerCase()))) return;
    const control = event.ctrlKey || event.metaKey;
    const typing = event.target instanceof Element && event.target.closest('input, textarea, select');
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    /** @type {(() => void) | undefined} */
    let what;
    const plain = !typing && !control && !event.altKey;
    if (key === '/' && plain) what = () => this.find();
    else if (key === 'w' && plain) what = () => this.watch.focus();
    else if (key === 'o' && plain) what = () => this.enter(this.selected);
    else if (key === 'u' && plain) what = () => this.leave();
    else if (control && key === 's') what = () => editor.save();
    else if (typing) return;
    else if (!this.editing) what = key === 'e' && !control && !event.altKey ? () => this.edit(true) : undefined;
    else if (control && (key === 'c' || key === 'x') && String(getSelection())) return; // a text is
    else if (control) what = { z: () => (event.shiftKey ? editor.redo() : editor.undo()), y: () => editor.redo(), d: () => editor.duplicate(), c: () => editor.copy(), x: () => editor.copy(true) }[key];
    else if (event.altKey) what = { ArrowLeft: () => editor.nudge(-1, 0), ArrowRight: () => editor.nudge(1, 0), ArrowUp: () => editor.nudge(0, -1), ArrowDown: () => editor.nudge(0, 1) }[key];
    else what = { n: () => editor.add(), e: () => this.edit(false), Delete: () => editor.remove(), Backspace: () => editor.remove(), c: () => this.connectChosen() }[key];
    if (!what) return;
    event.preventDefault();
    this.keyed = this.keyed.then(sendTyped, sendTyped).then(what, what); // each key finds the graph as the one before has left it
  }

  /** Look for a node in the outline. */
  find() {
    this.tab = 'outline';
    this.draw();
    /** @type {HTMLElement | null} */ (document.querySelector('#panel .finding'))?.focus();
  }

  /** Wire the chosen node: its first output that leads nowhere. */
  connectChosen() {
    const node = this.graph.nodes[this.selected];
    if (!node) {
      say('Choose a node first.');
      return;
    }
    const pin = node.outputs.find((/** @type {any} */ each) => each.name && !each.wired) || node.outputs.find((/** @type {any} */ each) => each.name);
    if (pin) this.editor.connectTo({ node: this.selected, side: 'out', name: pin.name, control: pin.control, type: pin.type });
    else say(`${node.id} has no outputs.`);
  }

  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.graph) this.draw();
    });
  }

  panelOnly() { showPanel(this, element('panel')); }

  draw() {
    const { state, past } = this;
    const at = new Map();
    let counts = state.counts;
    let failed = state.failed;
    let heat = null;
    if (past) {
      const then = past.after(this.moment);
      [counts, failed] = [then.counts, then.failed];
      then.open.forEach((/** @type {number} */ open, /** @type {number} */ place) => { if (open > 0) at.set(place, 'open'); });
      if (this.moment > 0 && past.place(this.moment - 1) >= 0) at.set(past.place(this.moment - 1), 'parked');
      if (this.hot) heat = shares((past.profile || []).map((/** @type {any} */ each) => [each.node, each[/** @type {'own' | 'total'} */ (this.hot)]]));
    } else {
      for (const each of state.strands) if (each.node !== null && at.get(each.node) !== 'parked') at.set(each.node, each.state);
      if (this.hot) heat = shares(Object.entries(state.heat));
    }
    const { policies, dead, progress } = past ? { policies: {}, dead: [], progress: {} } : state;
    this.scene?.mark({ counts, failed, at, heat, policies, progress, dead: new Set(dead), stops: this.stopped(), wireStops: this.wireStops, problems: this.problems, told: this.told, values: this.values });
    const heated = element('heat');
    heated.setAttribute('aria-pressed', String(Boolean(this.hot)));
    heated.textContent = past && this.hot ? `Heat: ${this.hot}` : 'Heat';
    element('freeze').setAttribute('aria-pressed', String(this.frozen));
    element('beside').setAttribute('aria-pressed', String(this.beside));
    this.lookAround();
    this.graphTabs();
    this.tools();
    this.editTools();
    this.fileBar();
    this.askBar();
    this.emptyState();
    this.words();
    this.backBar();
    this.laneBar();
    show(element('tabs'), `tabs ${this.tab} ${state.alive} ${state.breakpoints.length} ${state.messages.at(-1)?.n}`, () => Object.entries(TABS).map(([name, title]) => {
      const many = { strands: state.alive > 1 ? state.alive : 0, stops: state.breakpoints.length }[name] || 0;
      return h('button', { role: 'tab', type: 'button', id: `tab-${name}`, 'aria-selected': String(name === this.tab), 'aria-controls': 'panel', tabindex: name === this.tab ? '0' : '-1', data: { key: name }, onclick: () => { this.tab = name; this.draw(); } }, title, many ? h('span', { class: 'tag' }, String(many)) : null);
    }));
    if (this.editing && this.tab === 'node') this.editor.look();
    if (this.canPeek() && this.tab === 'node') {
      const now = `${state.steps} ${state.parked.length} ${this.strand} ${this.selected} ${state.evaluations}`;
      if (now !== this.lookedAt && (state.reason || performance.now() - this.lastLook > 400)) {
        this.lookedAt = now;
        this.look();
      }
    }
    showPanel(this, element('panel'));
    this.watch.draw();
  }

  tools() {
    const { state, graph } = this;
    const live = this.isLive();
    const parked = live && Boolean(state.reason) && state.parked.some((/** @type {any} */ each) => each.strand === this.strand);
    const bad = graph.problems.some((/** @type {any} */ each) => each.severity === 'error');
    const can = !graph.readOnly && !graph.attached;
    const kept = !live && state.status !== 'completed' && (state.kept ?? graph.kept);
    show(element('tools'), `tools ${[bad, can, live, kept, Boolean(state.reason), parked, state.recorded > 0 || graph.hasRecording, Boolean(this.past)]}`, () => [
      can && button('Run', () => this.start(), { class: 'primary', disabled: live || bad, data: { key: 'run' }, title: bad ? 'The graph has problems' : 'Run (F8)' }),
      can && button('Run…', () => this.askHow(), { disabled: live || bad, data: { key: 'how' }, title: 'Run with other variables' }),
      can && kept && button('Go on', () => this.goOn(), { disabled: bad, data: { key: 'go on' }, title: `Go on with ${kept} where it was put away; what has failed is tried again` }),
      live && !state.reason ? button('Pause', () => attempt(ask('pause')), { data: { key: 'pause' }, title: 'Pause (F8)' }) : button('Resume', () => attempt(ask('resume')), { disabled: !live, data: { key: 'pause' }, title: 'Resume (F8)' }),
      button('Into', () => this.step('into'), { disabled: !parked, data: { key: 'into' }, title: 'Step into (F11)' }),
      button('Over', () => this.step('over'), { disabled: !parked, data: { key: 'over' }, title: 'Step over (F10)' }),
      button('Out', () => this.step('out'), { disabled: !parked, data: { key: 'out' }, title: 'Step out (Shift+F11)' }),
      !graph.readOnly && button('Cancel', () => attempt(ask('cancel')), { disabled: !live, data: { key: 'cancel' }, title: 'Cancel the run; its nodes clean up' }),
      this.past ? button('Live', () => this.leaveBack(), { data: { key: 'back' } }) : button('Look back', () => this.lookBack(), { disabled: !(state.recorded > 0 || graph.hasRecording), data: { key: 'back' }, title: 'Go through the events that were recorded' }),
    ]);
  }

  editTools() {
    const { document: doc } = this.state;
    const { editor, editing } = this;
    const live = this.isLive();
    element('name').textContent = `${this.graph.name}${doc?.unsaved && (doc.undo !== null || doc.redo !== null || doc.state === 'deleted') ? ' *' : ''}`;
    element('name').title = doc?.unsaved ? 'not saved' : '';
    show(element('editing'), `${[editor.can, editing, live, doc?.undo, doc?.redo, doc?.unsaved, this.graph.shelf, this.choosing()]}`, () => (editor.can ? [
      this.graph.shelf && button('Open…', () => this.openOther(), { data: { key: 'open' }, title: 'Another one from where the studio was opened' }),
      !this.choosing() && button('Edit', () => this.edit(!this.editing), { 'aria-pressed': String(editing), data: { key: 'edit' }, title: 'Change the graph (E)' }),
      editing && button('Add…', () => editor.add(), { disabled: live, data: { key: 'add' }, title: 'Add a node (N)' }),
      editing && button('Undo', () => editor.undo(), { disabled: live || doc?.undo == null, data: { key: 'undo' }, title: doc?.undo ? `Undo: ${doc.undo} (Ctrl+Z)` : 'Nothing to undo' }),
      editing && button('Redo', () => editor.redo(), { disabled: live || doc?.redo == null, data: { key: 'redo' }, title: doc?.redo ? `Do again: ${doc.redo} (Ctrl+Shift+Z)` : 'Nothing to do again' }),
      (editing || doc?.unsaved) && button('Save', () => editor.save(), { disabled: !doc?.unsaved && doc?.file !== null, data: { key: 'save' }, title: 'Write the file (Ctrl+S)' }),
    ] : [this.graph.shelf && button('Open…', () => this.openOther(), { data: { key: 'open' } })]));
  }

  /** What nodes ask people, and the signals that they wait for. */
  askBar() {
    const asks = this.past ? [] : this.state.asks;
    const bar = element('asks');
    bar.hidden = !asks.length;
    const { readOnly } = this.graph;
    show(bar, `asks ${JSON.stringify([asks, readOnly])}`, () => asks.slice(0, MOST_ASKS).map((/** @type {any} */ each, /** @type {number} */ number) => {
      const what = each.text || `waits for the signal ${each.name}`;
      const answer = (/** @type {string} */ text) => attempt(ask('answer', { id: each.id, text }));
      const field = h('input', { 'aria-label': `Answer: ${what}`, placeholder: each.id.startsWith('signal ') ? 'what to send: yes, 5, {"ok": true}' : 'the answer', spellcheck: 'false', autocomplete: 'off', data: { key: `answer ${each.id} ${number}` } });
      const comment = h('input', { 'aria-label': `Comment: ${what}`, placeholder: 'a comment', autocomplete: 'off', data: { key: `comment ${each.id} ${number}` } });
      const choose = (/** @type {string} */ choice) => answer(each.comments && comment.value.trim() ? JSON.stringify({ ok: choice === 'yes', comment: comment.value.trim() }) : choice);
      return h('form', { onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); if (!each.choices.length) answer(field.value); } },
        h('p', {}, each.at && each.node !== null ? button(each.at, () => this.choose(each.node, true), { class: 'link', data: { key: `asks ${number}` } }) : each.at || '', ' ', what),
        !readOnly && each.comments ? comment : null,
        !readOnly && each.choices.length ? h('span', { class: 'buttons' }, ...each.choices.map((/** @type {string} */ choice) => button(choice, () => choose(choice), { 'aria-label': `${choice}: ${what}`, data: { key: `choice ${each.id} ${number} ${choice}` } }))) : null,
        ...(!readOnly && !each.choices.length ? [field, h('button', {}, each.id.startsWith('signal ') ? 'Send' : 'Answer')] : []));
    }).concat(asks.length > MOST_ASKS ? [h('p', { class: 'soft' }, `${asks.length - MOST_ASKS} more wait for an answer.`)] : []));
  }

  /** What has become of the file meanwhile. */
  fileBar() {
    const { document: doc } = this.state;
    const bar = element('file');
    const words = !doc ? '' : doc.problem ? `${doc.file} was changed, and can’t be read now: ${doc.problem}` : doc.state === 'changed' ? `${doc.file} was changed by somebody else, and so was the graph here.` : doc.state === 'deleted' ? `${doc.file} was deleted. Saving writes it again.` : '';
    bar.hidden = !words;
    show(bar, `file ${words}`, () => [h('p', { role: 'alert' }, words), h('div', { class: 'buttons' }, doc?.state === 'changed' && !doc.problem && button('Take what it holds', () => this.editor.takeFile(), { class: 'small', data: { key: 'take' } }), button(doc?.state === 'deleted' ? 'Save' : 'Save anyway', () => this.editor.save(true), { class: 'small', data: { key: 'anyway' } }))]);
  }

  /** What can be done where nothing is yet. */
  emptyState() {
    const none = !this.graph.nodes.length && !this.past;
    const place = element('empty');
    place.hidden = !none;
    if (!none) return;
    const runs = this.graph.shelf === 'runs';
    if (this.choosing() && !this.shelf) getShelf().then((found) => { this.shelf = found; this.redraw(); }, () => {});
    const name = h('input', { 'aria-label': 'Name of a new graph', placeholder: 'new.json', data: { key: 'new name' } });
    show(place, `empty ${[this.editor.can, this.graph.file, this.graph.shelf, JSON.stringify(this.shelf)]}`, () => (this.choosing() ? [
      h('h2', {}, this.graph.name), h('p', { class: 'soft' }, this.shelf?.length ? (runs ? 'Choose a run, to look back on it or to go back in it.' : this.editor.can ? 'Choose a graph, or begin one.' : 'Choose a graph.') : runs ? 'No run is in this journal yet. What trioflow run --journal keeps is here.' : this.editor.can ? 'There is no graph in this folder yet. Begin one.' : 'There is no graph in this folder yet.'),
      h('ul', { class: 'list' }, ...(this.shelf || []).slice(0, 200).map((/** @type {any} */ each) => h('li', { class: 'row' }, button(each.name, () => this.openNow(each.name), { class: 'link grow', data: { key: `shelf ${each.name}` } }), h('small', {}, each.about)))),
      this.editor.can && !runs && h('form', { class: 'row', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); this.openNow(name.value.trim() || 'new.json'); } }, name, h('button', {}, 'Begin')),
    ] : [
      h('h2', {}, 'An empty graph'), h('p', { class: 'soft' }, this.editor.can ? 'Add a node: press N, or double-click where it is to be. Most graphs begin with flow.start.' : 'There is nothing to see.'),
      this.editor.can && button('Add a node…', () => this.editor.add(), { class: 'primary', data: { key: 'first' } }),
    ]));
  }

  /** @param {string} name */
  async openNow(name) {
    if (!(await attempt(ask('open', { name }).then(() => true)))) return;
    this.past = null;
    this.selected = this.wire = -1;
    [this.opened, this.frame] = [[], null];
    this.scene?.showFrame(null);
    this.editor.types = null;
    await this.reload();
    if (this.graph.hasRecording) await this.lookBack();
    else if (!this.graph.nodes.length && this.editor.can) await this.edit(true);
    this.scene?.fit(false);
  }

  async openOther() {
    const all = await attempt(getShelf());
    if (!all) return;
    const name = await pick('Open', all.map((/** @type {any} */ each) => ({ label: each.name, detail: each.about, value: each.name })));
    if (name) await this.openNow(name);
  }

  words() {
    const { state } = this;
    const counted = (/** @type {number} */ n, /** @type {string} */ what) => `${grouped(n)} ${what}${n === 1 ? '' : 's'}`;
    const errors = this.graph.problems.some((/** @type {any} */ each) => each.severity === 'error');
    let words = state.status === null ? (this.choosing() ? 'Nothing is open yet.' : this.graph.attached ? 'Attached' : !this.graph.nodes.length ? 'Empty. Add a node.' : errors ? 'Has problems: see the outline.' : this.graph.readOnly ? 'Ready' : 'Ready. Press Run.') : state.status;
    if (state.reason) words = this.stoppedAt();
    if (state.failure) words = `failed: ${state.failure.lines[0] || ''}`;
    if (state.status !== null) words += ` · ${counted(state.steps, 'step')}, ${counted(state.evaluations, 'evaluation')}`;
    if (state.watching === 'glance' && this.isLive()) words += ' · sampled';
    if (this.past) words = `looking back on ${counted(this.past.count, 'event')}${this.past.head.duration > 0 ? ` in ${this.past.head.duration < 60 ? `${this.past.head.duration.toFixed(3)} s` : lasting(this.past.head.duration)}` : ''}${this.state.kept ?? this.graph.kept ? ` of ${this.state.kept ?? this.graph.kept}` : ''}`;
    if (this.frozen) words = `frozen: ${words}${this.held ? ` · ${counted(Math.max(0, this.held.steps - state.steps), 'step')} since then` : ''}`;
    if (!this.connected) words = 'not connected; trying again';
    const status = element('status');
    if (status.textContent !== words) status.textContent = words;
    const title = state.reason && !this.past ? `${words} · ${state.reason}` : words;
    if (status.title !== title) status.title = title;
    status.className = !this.connected || state.failure ? 'bad' : state.reason ? 'parked' : state.status === 'running' ? 'active' : '';
  }

  /** Why the run stands, in words: a step has come to a node, which says more than its path. */
  stoppedAt() {
    const { reason, parked } = this.state;
    const at = parked.find((/** @type {any} */ each) => each.strand === this.strand);
    if (!at?.name || !reason.startsWith('stepped ')) return `stopped: ${reason}`;
    const place = placeOf(at.name);
    return `stopped at ${place.slice(place.lastIndexOf('/') + 1)}: ${reason.split(' ').slice(0, 2).join(' ')}`;
  }

  /** Strands over time while a run goes on, and after it until it is looked back on. */
  laneBar() {
    const bar = element('lanes');
    bar.hidden = !this.overTime || Boolean(this.past) || !this.lanes.looks.length;
    if (bar.hidden) return;
    show(bar, 'lanes', () => liveGantt(this));
    bar.querySelector('.gantt').redraw();
  }

  backBar() {
    const bar = element('back');
    bar.hidden = !this.past;
    const { past } = this;
    if (!past) {
      bar.shownKey = '';
      bar.replaceChildren();
      return;
    }
    const [least, most] = this.stretch ?? [0, past.count];
    show(bar, `back ${past.head.run} ${past.count} ${past.first} ${past.stop} ${this.stretch} ${this.folding}`, () => [
      h('div', { class: 'buttons' }, button('|◀', () => this.goTo(least), { 'aria-label': 'To the start', data: { key: 'first' } }), button('◀', () => this.goTo(this.moment - 1), { 'aria-label': 'One event back', data: { key: 'prev' } }), button('▶', () => this.goTo(this.moment + 1), { 'aria-label': 'One event on', data: { key: 'next' } }), button('▶|', () => this.goTo(most), { 'aria-label': 'To the end', data: { key: 'last' } })),
      h('input', { type: 'range', min: least, max: most, value: this.moment, 'aria-label': 'Moment', id: 'moment', oninput: (/** @type {any} */ event) => this.goTo(Number(event.target.value)) }),
      h('div', { class: 'row', id: 'then' }, h('p', { id: 'event', class: 'grow', 'aria-live': 'polite' }),
        h('span', { class: 'buttons' }, button('From here', () => this.lookAt([this.moment, most]), { class: 'small', data: { key: 'from here' }, title: 'Look back only on what comes after this moment; or drag over the strands below' }), button('Up to here', () => this.lookAt([least, this.moment]), { class: 'small', data: { key: 'up to here' }, title: 'Look back only on what came before this moment' }), this.stretch && button('All of it', () => this.lookAt(null), { class: 'small', data: { key: 'all of it' } })),
        !this.graph.readOnly && button('Go back to here', () => this.goBack(), { id: 'go-back', class: 'small', data: { key: 'go back' } }), button('Save it', () => this.download(), { class: 'small', data: { key: 'download' }, title: 'Save the recording as a file, which trioflow studio opens' })),
      ...gantt(this),
    ]);
    bar.querySelector('.gantt').redraw();
    const back = element('go-back');
    if (back) {
      const kept = this.state.kept ?? this.graph.kept;
      back.disabled = !kept || this.moment < 1 || this.isLive();
      back.title = kept ? `Begin another run, with all that was before this event of ${kept}` : 'No journal keeps this run. Run it with “Keep a journal”, then one can go back in it.';
    }
    element('moment').value = String(this.moment);
    const told = this.moment > 0 ? past.told(this.moment - 1) : null;
    const event = element('event');
    event.textContent = event.title = told ? `${grouped(this.moment)} of ${grouped(past.count)} · ${past.head.duration > 0 ? `${told.time.toFixed(4)} s · ` : ''}${told.words} ${told.name}${told.strand ? ` · strand ${told.strand}` : ''}${told.note ? ` · ${told.note}` : ''}` : past.count ? 'before the first event' : 'nothing was recorded: a journal keeps what nodes did outside, and this run did nothing there';
  }
}

/** By node: its share of the hottest, from 0 to 1. @param {[any, number][]} times */
function shares(times) {
  /** @type {Record<string, number>} */
  const found = {};
  for (const [node, time] of times) if (node !== null) found[node] = (found[node] || 0) + time;
  const most = Math.max(...Object.values(found), 1e-9);
  for (const node of Object.keys(found)) found[node] /= most;
  return found;
}

const app = new App();
app.begin();
