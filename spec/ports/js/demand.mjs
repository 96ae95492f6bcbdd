// How an input gets its value: data nodes are evaluated when they are asked, shared, remembered (rules/data.md).

import { Ahead, atHand, atOnce } from "./ahead.mjs";
import { Cancelled, Failure } from "./failure.mjs";
import { Cell, FAILED, UNSET, digest } from "./store.mjs";
import { SHIELD, Scope, wakeAll } from "./strand.mjs";

/** What the body of any node sees. Whatever gives a promise is a cancellation point (R5). */
export class Body {
  constructor(run, node) {
    this.run = run;
    this.node = node;
  }

  /** The value of an input. */
  get(name) { return this.tryGet(name); }

  /** The same; or the second argument, if there is one and the input is unset (D1). */
  async tryGet(name, ...instead) {
    this.scope.check();
    const input = this.node.input(name);
    const cell = await this.resolve(input);
    return cell === UNSET && instead.length ? instead[0] : input.take(cell);
  }

  getVar(name) { return this.read(this.run.graph.variable(name)).value; }

  /** The ticks since the run began. */
  now() { return this.run.scheduler.now; }
  sleep(ticks) { return this.run.scheduler.sleep(this.scope, ticks, this.activation.path, this.node.id); }

  /** Waits for a promise that is not the engine's; other strands go on meanwhile. */
  wait(promise) { return this.run.scheduler.outside(this.scope, promise); }
}

/** One execution of a data node, and what its body sees. */
class Evaluation extends Body {
  outputs = new Map(); // the cells that it makes
  questions = []; // lazy inputs and variables, in the order in which the body asked: {slot, cell}
  waiting = new Set(); // strands that share it (D5)
  failure = null;
  ahead = null; // because of which it was begun before its turn (D12); then it has a strand of its own
  told = false;
  ended = false;
  stopped = false; // waits for its turn, to ask for what comes from a data node

  constructor(run, node, activation, given, moment) {
    super(run, node);
    this.activation = activation; // for which it is made
    this.given = given; // the cells of its eager inputs (D7)
    this.moment = moment; // at which it was asked for (D6)
    this.scope = activation.scope;
  }

  /** Whether others wait for it. */
  get runs() { return !(this.ended || (this.stopped && !this.told)); }

  /** Whether it can be taken up for an activation. */
  serves(activation) {
    if (this.ahead === activation.ahead) return true;
    return this.ended && this.questions.every(({ slot, cell }) => atHand(slot, activation) === cell);
  }

  /** Runs its body; what that fails with is kept. */
  async work() {
    try {
      await this.node.type.run(this);
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      this.failure = error;
    } finally {
      this.ended = true;
    }
    if (!this.failure) this.key = this.run.options.named ? this.name() : null;
  }

  /** Waits for the strand in which it runs, which is cancelled with whoever waits. */
  async awaited(scope) {
    const { scheduler } = this.run;
    try {
      while (!this.ended) await scheduler.wait(scope, this.waiting);
    } catch (error) {
      this.scope.cancel();
      while (!this.ended) await scheduler.wait(SHIELD, this.waiting);
      throw error;
    }
  }

  async resolve(input) {
    if (!input.lazy) return this.given.get(input);
    const question = { slot: input, cell: FAILED };
    this.questions.push(question);
    if (this.ahead && !this.told && input.source?.node.data) {
      this.stopped = true;
      wakeAll(this.waiting);
      while (!this.told) await this.run.scheduler.wait(this.scope, this.waiting);
    }
    return (question.cell = await this.run.data.resolve(input, this.activation));
  }

  read(variable) {
    const cell = this.activation.store.read(variable.key);
    this.questions.push({ slot: variable, cell });
    return cell;
  }

  set(name, value) {
    this.node.key(name); // T4
    this.outputs.set(name, new Cell(value));
  }

  /** Names it, and the cells that it made (INTERPRETING 7). */
  name() {
    const { id, type, inputs } = this.node;
    const origins = inputs.map((input) => (input.lazy ? "lazy" : this.given.get(input).origin));
    if (type.volatile) origins.push(this.moment.origin);
    const key = `${id}#${digest([...origins, ...this.questions.map(({ cell }) => cell.origin)])}`;
    for (const [name, cell] of this.outputs) cell.origin = `${key}.${name}`;
    return key;
  }
}

const EFFECTS = ["trigger", "emit", "join", "failures", "branches", "publish", "payload", "entered", "within"];
for (const effect of [...EFFECTS, "feedback", "setVar", "getState", "setState"]) { // D8
  const get = () => { throw new Failure("data-node-effect", `a data node has no effects: it can't use ${effect}`); };
  Object.defineProperty(Evaluation.prototype, effect, { get });
}

/** A place in the memory of data nodes; there is one for each node and series of cells that its evaluations used (D4).
 *
 * Cells are held weakly. Once no store and no evaluation knows a cell any more, what was made of it is forgotten.
 */
class Place {
  #next = null;
  slot = null; // the next question of the evaluations that are remembered further on
  evaluation = null; // the one that has no further question
  running = null; // the one that is in progress, if these are all its eager cells
  ahead = null; // likewise the one that was begun ahead and nobody has taken up (D12)

  at(cell) {
    this.#next ??= new WeakMap();
    if (!this.#next.has(cell)) this.#next.set(cell, new Place());
    return this.#next.get(cell);
  }

  remember(evaluation) {
    let place = this;
    for (const { slot, cell } of evaluation.questions) {
      place.slot = slot;
      place = place.at(cell);
    }
    place.evaluation = evaluation;
  }
}

/** How the inputs of a run's nodes get their values. */
export class Demands {
  #memory = new Place(); // before the nodes
  #fickle = false; // whether an evaluation has caught a failure: from then on no answer is taken for granted
  #demands = 0;
  #ahead = new Set(); // evaluations that nobody has taken up (D12)

  constructor(run) { this.run = run; }

  /** The cell that an input has now (D1-D3). */
  async resolve(input, activation) {
    const { source, fallback } = input;
    if (!source) return fallback;
    if (!source.node.data) return activation.store.read(source.key) ?? fallback;
    return (await this.#demand(source.node, activation)).outputs.get(source.name) ?? fallback;
  }

  // The evaluation that answers for a node (D4). Those that fit do so until something is written, for one moment (D6).
  async #demand(node, activation) {
    const { store, moment } = activation;
    if (store.known?.moment !== moment) store.known = { moment, evaluations: new Map() };
    const { evaluations } = store.known;
    if (evaluations.has(node)) return evaluations.get(node);
    if (++this.#demands % 64 === 0) await null; // unwinds the call stack: chains may be of any length (D10)
    const evaluation = await this.#find(node, activation);
    if (!this.#fickle) evaluations.set(node, evaluation);
    return evaluation;
  }

  async #find(node, activation) {
    const { scheduler } = this.run;
    const given = await this.inputs(node, activation);
    const place = this.place(node, given, activation);
    for (let parked = false; ; parked = true) { // the loop of D5
      let last = place; // behind the questions that still have the same answers (D4)
      while (!last.evaluation && last.slot) last = last.at(await this.#answer(last.slot, activation));
      if (last.evaluation) return last.evaluation;
      const { running, ahead } = place;
      const elsewhere = ahead && ahead.ahead !== activation.ahead && ahead.runs; // D12: it is another strand's
      const leader = running ?? (elsewhere ? ahead : null);
      if (parked && !leader) {
        const evaluation = new Evaluation(this.run, node, activation, given, activation.moment);
        return await this.#evaluate(ahead?.serves(activation) ? ahead : evaluation, place, activation);
      }
      if (leader) activation.ahead?.look();
      while (leader?.runs) await scheduler.wait(activation.scope, leader.waiting);
      await scheduler.park(activation.scope, "e", activation.path, node.id);
      if (leader?.told && leader.failure && (await this.#shares(leader, activation))) throw leader.failure;
    }
  }

  /** The cells of the eager inputs of a node, in order (D7); behind several at once (D12). */
  async inputs(node, activation) {
    const resolve = async () => {
      const given = new Map();
      for (const input of node.eager) given.set(input, input.need(await this.resolve(input, activation)));
      return given;
    };
    if (activation.ahead || !this.run.options.max_ahead || !atOnce(node)) return await resolve();
    return await new Ahead(this, activation, node).hold(resolve);
  }

  /** Where evaluations of a node that used these cells are remembered. */
  place(node, given, { moment }) {
    let place = this.#memory.at(node);
    for (const [input, cell] of given) if (input.source) place = place.at(cell); // otherwise it is always the same cell
    return node.type.volatile ? place.at(moment) : place; // D6
  }

  /** Whether one more may run ahead. */
  mayBegin() { return [...this.#ahead].filter(({ ended }) => !ended).length < this.run.options.max_ahead; }

  /** Makes an evaluation that is to run ahead. */
  begin(ahead, node, given, place) {
    const { activation } = ahead;
    const evaluation = new Evaluation(this.run, node, activation, given, activation.moment);
    this.#ahead.add(Object.assign(evaluation, { ahead, place, scope: new Scope(ahead.scope) }));
    return (place.ahead = evaluation);
  }

  /** One that ran ahead has ended; if it was cut off it is forgotten. */
  ended(evaluation, cut) { if (cut) this.#leave(evaluation); }

  /** Forgets what has ended and nobody has taken up. */
  forget(ahead) { for (const each of this.#ahead) if (each.ahead === ahead && each.ended) this.#leave(each); }

  // It is not ahead any more.
  #leave(evaluation) {
    if (this.#ahead.delete(evaluation)) evaluation.place.ahead = null;
  }

  // Whether a failed evaluation would fail for this activation, too; an answer that failed is like no other (D5).
  async #shares({ questions }, activation) {
    for (const { slot, cell } of questions) {
      const answer = await this.#answer(slot, activation);
      if (answer === FAILED || answer !== cell) return false;
    }
    return true;
  }

  async #answer(slot, activation) {
    if (!slot.node) return activation.store.read(slot.key); // a variable
    return await this.resolve(slot, activation).catch((error) => {
      if (error instanceof Cancelled) throw error;
      return FAILED;
    });
  }

  async #evaluate(evaluation, place, activation) {
    const { run, node: { id }, questions } = evaluation;
    place.running = evaluation;
    evaluation.told = true;
    this.#leave(evaluation);
    wakeAll(evaluation.waiting); // it may have stopped
    run.tell("evaluating", activation, { node: id });
    if (!evaluation.ended) activation.ahead?.look();
    try {
      await (evaluation.ahead ? evaluation.awaited(activation.scope) : evaluation.work());
      if (evaluation.failure) throw evaluation.failure;
      // A failure has no version, so nobody could tell whether it still holds.
      if (questions.some(({ cell }) => cell === FAILED)) this.#fickle = true;
      else place.remember(evaluation);
      run.tell("evaluated", activation, { node: id, key: evaluation.key });
      return evaluation;
    } catch (error) {
      run.tell("unevaluated", activation, { node: id });
      if (error instanceof Cancelled) throw error;
      run.origin(error, activation); // E2
      throw error;
    } finally {
      place.running = null;
      // What is remembered are the cells that it made.
      evaluation.activation = evaluation.given = evaluation.moment = evaluation.ahead = evaluation.scope = null;
      wakeAll(evaluation.waiting);
    }
  }
}
